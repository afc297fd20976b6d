"""The API over TLS: who may speak it and how, and what becomes of a certificate that is bad."""
import json
import subprocess

import pytest

from certificates import make_pair
from conftest import BUILD
from https import Https
from machine import wait_until

BODY = '{"usuario":"ana@example.org","id":"%s","ruta":"origen:/datos"}'


@pytest.fixture
def https(simulator):
    """A simulator with a certificate, not started."""
    https = Https(simulator(started=False))
    https.renew("first")
    return https


@pytest.fixture
def served(https):
    https.service.start()
    return https


def curl(https, *options, path="/"):
    """curl that trusts this certificate and nobody else."""
    done = subprocess.run(["curl", "--silent", "--show-error", "--max-time", "60", "--cacert", https.certificate, *options,
                           f"https://localhost:{https.port}{path}"], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, check=True, text=True)
    return done.stdout


def s_client(https, *options):
    """OpenSSL's client, one that would speak anything; returns whether a handshake came about, and what was said."""
    done = subprocess.run(["timeout", "60", "openssl", "s_client", "-connect", f"127.0.0.1:{https.port}", *options],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return "New, TLSv1" in done.stdout and "Cipher is (NONE)" not in done.stdout, done.stdout


# ---- what is spoken ---------------------------------------------------------------------------------

@pytest.mark.parametrize("option, version", [("--http2", "2"), ("--http1.1", "1.1"), ("--http1.0", "1.1")], ids=["http2", "http1.1", "http1.0"])
def test_alpn_decides_between_http2_and_http1(served, option, version):
    assert curl(served, option, "--write-out", " %{http_version} %{ssl_verify_result}") == f'{{"status":"active"}} {version} 0'


@pytest.mark.parametrize("option", ["--http2", "--http1.1"])
def test_requests_are_made_over_tls(served, option):
    shown = curl(served, option, "--header", "Content-Type: application/json", "--data-binary", BODY % "pedido", path="/tmpftp")
    assert json.loads(shown)["status"] == "listo"


@pytest.mark.parametrize("option", ["--http2", "--http1.1"])
def test_events_are_streamed_over_tls(https, option):
    https.service.settings.update(TEMPOFTP_SIM_DELAY_MS=200, TEMPOFTP_SIM_FORCE="fail")
    https.service.start()
    https.service.submit("pedido")
    shown = curl(https, option, "--no-buffer", "--header", "Accept: text/event-stream", path="/tmpftp/pedido/eventos")
    assert shown.count("event: estado") == 4 and '"estado":"error"' in shown


def test_browsers_are_told_to_stay_with_tls_and_only_there(served):
    assert served.api.get("/").headers["Strict-Transport-Security"].startswith("max-age=")
    assert served.service.get("/").headers["Strict-Transport-Security"] is None


def test_a_large_answer_comes_whole(served):
    for n in range(300):
        assert served.service.submit(f"p{n}").status == 200
    for option in ("--http2", "--http1.1"):
        assert json.loads(curl(served, option, path="/tmpftp?limite=1000"))["total"] == 300


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_new_versions_are_spoken(served, version):
    assert s_client(served, version)[0]


@pytest.mark.parametrize("version", ["-tls1", "-tls1_1"])
def test_old_versions_are_refused(served, version):
    good, said = s_client(served, version, "-cipher", "ALL:@SECLEVEL=0")
    assert not good, said


@pytest.mark.parametrize("cipher", ["ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES128-SHA", "AES128-GCM-SHA256", "DHE-RSA-AES128-GCM-SHA256",
                                    "AECDH-AES128-SHA", "ECDHE-ECDSA-NULL-SHA"])
def test_weak_ciphers_are_refused(served, cipher):
    good, said = s_client(served, "-tls1_2", "-cipher", f"{cipher}:@SECLEVEL=0")
    assert not good, said
    assert s_client(served, "-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256")[0]


# ---- strangers --------------------------------------------------------------------------------------

def test_plain_http_on_the_port_of_tls_is_closed(served):
    with served.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(1000) == b"", "an end, and no answer in clear"
    assert served.api.get("/").status == 200


@pytest.mark.parametrize("sent", [b"", b"\x16\x03\x01\x02\x00\x01\x00", b"\x16"], ids=["nothing", "half-a-hello", "one-byte"])
def test_a_stranger_who_never_ends_the_handshake_is_cut_and_counted(served, sent):
    with served.connect() as stranger:
        stranger.sendall(sent)
        assert served.api.get("/").status == 200, "others are served meanwhile"
        assert stranger.recv(1000) == b""
    wait_until(lambda: "No TLS handshake with 127.0.0.1: tempoftpd waits no longer" in served.service.said(), 60)


def test_strangers_in_the_middle_of_handshakes_hold_up_nobody(served):
    strangers = [served.connect() for _ in range(200)]
    for stranger in strangers:
        stranger.sendall(b"\x16\x03\x01\x02\x00\x01\x00")
    for _ in range(20):
        assert served.api.get("/").status == 200
    for stranger in strangers:
        stranger.close()
    assert served.api.get("/").status == 200


# ---- certificates -----------------------------------------------------------------------------------

def mismatch(good):
    return good[0], make_pair("other")[1]


def half_written(good):
    return good[0][:len(good[0]) // 2], good[1]


def half_a_chain(good):
    return good[0] + good[0][:len(good[0]) // 2], good[1]


def half_a_key(good):
    return good[0], good[1][:len(good[1]) // 2]


BAD = {
    "no-certificate": (lambda good: (None, good[1]), "there is no certificate file"),
    "no-key": (lambda good: (good[0], None), "there is no key file"),
    "blank": (lambda good: ("\n", good[1]), "there is no certificate file"),
    "half-a-certificate": (half_written, "the certificate file holds no certificate in PEM form that this OpenSSL accepts"),
    "half-a-chain": (half_a_chain, "the certificate file is cut off or damaged after its first certificate"),
    "half-a-key": (half_a_key, "the key file holds no private key in PEM form (one without a passphrase)"),
    "mismatch": (mismatch, "key and certificate do not belong together"),
    "too-large": (lambda good: (good[0] * 200, good[1]), "the certificate file cannot be read: it is too large"),
}
OUT_OF_DATE = {
    "expired": (lambda good: make_pair("old", begins=-20, ends=-10), "it was good until"),
    "not-yet": (lambda good: make_pair("young", begins=10, ends=20), "it is not good before"),
}


def ids(cases):
    return {"argvalues": list(cases.values()), "ids": list(cases)}


@pytest.mark.parametrize("spoil, why", **ids({**BAD, **OUT_OF_DATE}))
def test_a_bad_certificate_is_refused_and_the_one_before_stays(https, spoil, why):
    good = make_pair("good")
    https.install(*good)
    https.service.start()
    assert https.shown() == good[0].strip() and "HTTPS has a new certificate" in https.service.said()
    https.install(*spoil(make_pair("next")))
    https.service.restart()
    assert https.shown() == good[0].strip()
    said = https.service.said()
    assert "is refused: " + why in said and "The one before stays in use" in said
    https.service.kill()
    https.service.start()
    assert https.shown() == good[0].strip(), "also after a kill"
    renewed = https.renew("renewed")
    https.service.restart()
    assert https.shown() == renewed.strip() and "refused" not in https.service.said()


@pytest.mark.parametrize("spoil, why", **ids(BAD))
def test_without_one_before_https_is_closed_and_http_goes_on(https, spoil, why):
    https.install(*spoil(make_pair("good")))
    https.service.start()
    assert https.service.get("/").status == 200
    with https.connect() as connection:
        assert connection.recv(1000) == b""
    assert https.service.get("/").status == 200
    said = https.service.said()
    assert "HTTPS is closed" in said and why in said and str(https.certificate) in said


@pytest.mark.parametrize("spoil, why", **ids(OUT_OF_DATE))
def test_one_that_is_out_of_date_is_better_than_none(https, spoil, why):
    https.install(*spoil(None))
    https.service.start()
    assert https.api.get("/").status == 200
    assert "Clients will refuse the HTTPS certificate" in https.service.said() and why in https.service.said()


def test_a_certificate_that_is_still_the_same_is_no_news(https):
    https.service.start()
    https.service.restart()
    assert "HTTPS has a new certificate" not in https.service.said()


def test_the_kept_copy_survives_a_change_of_fernet_keys(https):
    certificate = https.renew("good")
    https.service.start()
    old, new = https.service.key, "bmV1ZW5ldWVuZXVlbmV1ZW5ldWVuZXVlbmV1ZW5ldWU="
    https.service.restart(TEMPOFTP_ENCRYPTION_KEY=f"{new},{old}")
    https.install(None, None)
    https.service.restart(TEMPOFTP_ENCRYPTION_KEY=new)
    assert https.shown() == certificate.strip()


def test_the_kept_copy_cannot_be_read_without_the_fernet_key(https):
    certificate, key = make_pair("good")
    https.install(certificate, key)
    https.service.start()
    https.service.stop()
    written = b"".join(path.read_bytes() for path in https.service.state_folder.iterdir())
    assert b"https certificate" in written, "it is kept there"
    lines = [line for line in key.splitlines() if not line.startswith("-----")]
    assert lines and not any(line.encode() in written for line in [*lines, "PRIVATE KEY"])


def test_the_key_is_in_no_log(https):
    certificate, key = make_pair("good")
    for pair in ((certificate, key), (certificate, key[:-40]), (key, certificate), (certificate, make_pair("other")[1])):
        https.install(*pair)
        https.service.start()
        https.service.stop()
        lines = [line for text in pair for line in text.splitlines() if len(line) > 40]
        assert not any(line in https.service.said() for line in lines)


@pytest.mark.parametrize("address, warned", [("127.0.0.1", False), ("0.0.0.0", True), ("[::1]", False), ("[::]", True)])
def test_plain_http_for_other_machines_beside_tls_is_warned_about(https, address, warned):
    https.service.arguments += ["--listen", f"{address}:0"]
    https.service.start()
    assert ("other machines reach the API in plain HTTP too" in https.service.said()) == warned


def test_without_tls_nobody_is_warned(https):
    https.service.arguments = ["--listen", "0.0.0.0:0"]
    https.service.start()
    said = https.service.said()
    assert "plain HTTP" not in said and "HTTPS" not in said


# ---- the command ------------------------------------------------------------------------------------

def tempoftp(https, *options):
    return subprocess.run([BUILD / "src" / "cli" / "tempoftp", "--url", f"https://localhost:{https.port}", *options, "estado"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)


def test_the_command_talks_over_https_and_checks_who_answers(served):
    done = tempoftp(served, "--ca", served.certificate)
    assert done.returncode == 0, done.stderr
    for options in ((), ("--ca", served.key), ("--ca", "/nowhere")):
        done = tempoftp(served, *options)
        assert done.returncode == 4 and "No se puede hablar con el servicio" in done.stderr, done
    assert "no convence" in tempoftp(served).stderr and "--ca" in tempoftp(served).stderr
    served.certificate.write_text(make_pair("another")[0])
    assert tempoftp(served, "--ca", served.certificate).returncode == 4
