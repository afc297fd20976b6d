"""FTPS as a delivery sees it: the service's certificate, its renewal, sessions that outlive their listener, revocation in the middle of it."""
import contextlib
import ftplib
import ssl
import threading
import time

import pytest

from client import FTP_ADDRESS, decrypt, fetch
from ftp_service import (BIG, delivered, end_sessions, kill_listener, list_sessions, main_pid, read_rest, settings,  # noqa: F401 (fixtures)
                         wait_for_listener)
from ftps import FtpTls, client_context, make_certificate
from machine import wait_until

CERTIFICATE, KEY = "/etc/tempoftp/ftp.crt", "/etc/tempoftp/ftp.key"


@contextlib.contextmanager
def unwatched(machine):
    """Nothing restarts the listener for what is done here to its certificate, now or in the middle of the next story."""
    machine.run(["systemctl", "stop", "tempoftp-ftp-cert.path"])
    yield
    machine.run(["systemctl", "start", "tempoftp-ftp-cert.path"])


@pytest.fixture
def certificate(machine, tmp_path):
    """The service demands TLS and has a certificate; install() gives it another one."""
    def install(name):
        text, key = make_certificate(tmp_path, name)
        machine.write_file(KEY, key, mode=0o600)
        machine.write_file(CERTIFICATE, text)
        return text
    with unwatched(machine):
        install("first")
    with machine.settings(TEMPOFTP_FTP_TLS="required"):
        yield install
    with unwatched(machine):
        machine.run(["rm", "-f", CERTIFICATE, KEY])
    machine.restart()


def login(machine, answer):
    ftp = FtpTls(context=client_context(), timeout=60, encoding="utf-8")
    ftp.connect(*FTP_ADDRESS)
    ftp.login(answer["ftpuser"], decrypt(machine, answer["password"]))
    ftp.prot_p()
    return ftp


def begin(ftp, path):
    """A transfer under way: the client has read 1,000 bytes, and waits."""
    data, got = ftp.transfercmd(f"RETR {path}"), 0
    while got < 1000:
        got += len(data.recv(1000 - got))
    return data


def shown():
    """The certificate that a client sees now."""
    with FtpTls(context=client_context(), timeout=60) as ftp:
        ftp.connect(*FTP_ADDRESS)
        ftp.auth()
        return ssl.DER_cert_to_PEM_cert(ftp.sock.getpeercert(binary_form=True)).split()


def test_a_delivery_goes_out_over_tls(machine, delivered, certificate):  # noqa: F811
    answer = delivered(files={"a.txt": "hola\n"})
    with ftplib.FTP(timeout=60) as plain:
        plain.connect(*FTP_ADDRESS)
        with pytest.raises(ftplib.error_perm, match="530.*TLS"):
            plain.login(answer["ftpuser"], decrypt(machine, answer["password"]))
    with login(machine, answer) as ftp:
        assert fetch(ftp, f"/{answer['id']}/a.txt") == b"hola\n"
        assert [row["peer"] for row in list_sessions(machine, answer["ftpuser"])] == ["127.0.0.1"]


def test_sessions_outlive_the_listener_and_its_certificate(machine, delivered, certificate):  # noqa: F811
    answer = delivered()
    with login(machine, answer) as ftp:
        data = begin(ftp, f"/{answer['id']}/grande.bin")
        kill_listener(machine)
        before = main_pid(machine)
        renewed = certificate("second")
        wait_for_listener(machine, before)  # tempoftp-ftp-cert.path saw it
        wait_until(lambda: shown() == renewed.split(), 60, what="the renewed certificate")
        assert read_rest(data) == BIG - 1000
        assert ftp.voidresp().startswith("226")
        assert ftp.nlst() == [answer["id"]]
        # and the listener of now can end it, in the middle of a transfer
        data = begin(ftp, f"/{answer['id']}/grande.bin")
        assert end_sessions(machine, answer["ftpuser"]) == 1
        with pytest.raises((ssl.SSLError, ConnectionError)):
            read_rest(data)
        with pytest.raises(ftplib.error_temp, match="421"):
            while ftp.getresp():
                pass


# ---- rates ----------------------------------------------------------------------------------------------

RATE, SECONDS = 2_000_000, 5


def share_of(progress, work):
    """Two transfers at once for some seconds, begun by work(i): how many bytes each has moved, by progress(i), and in what time."""
    transfers = [threading.Thread(target=work, args=(i,)) for i in range(2)]
    for transfer in transfers:
        transfer.start()
    wait_until(lambda: progress(0) > 0 and progress(1) > 0, 60, what="both to move")
    time.sleep(1)  # the one that was first has had all of the rate
    before, began = [progress(i) for i in range(2)], time.monotonic()
    time.sleep(SECONDS)
    moved, took = [progress(i) - before[i] for i in range(2)], time.monotonic() - began
    return transfers, moved, took


def assert_shared(moved, took):
    assert 0.7 * RATE < sum(moved) / took < 1.15 * RATE, (moved, took)
    assert all(0.35 < n / sum(moved) < 0.65 for n in moved), moved


def test_downloads_of_an_account_share_its_rate(machine, delivered, certificate):  # noqa: F811
    answer = delivered()
    with settings(machine, TEMPOFTP_FTP_ACCOUNT_RATE=RATE), contextlib.closing(login(machine, answer)) as one, \
            contextlib.closing(login(machine, answer)) as two:
        got, data = [0, 0], [ftp.transfercmd(f"RETR /{answer['id']}/grande.bin") for ftp in (one, two)]

        def read(i):
            with contextlib.suppress(OSError):
                while piece := data[i].recv(1 << 14):
                    got[i] += len(piece)
        transfers, moved, took = share_of(lambda i: got[i], read)
        end_sessions(machine, answer["ftpuser"])
        for transfer in transfers:
            transfer.join()
    assert_shared(moved, took)


def test_uploads_of_an_account_share_its_rate(machine, api, delivered, certificate):  # noqa: F811
    answer = delivered(files={"a.txt": "hola\n"})
    assert api("PUT", f"/tmpftp/{answer['id']}/buzon", {"bytes": 1 << 30}).status == 200
    drop = machine.file(f"/data/{answer['ftpuser']}/_buzon")
    with settings(machine, TEMPOFTP_FTP_ACCOUNT_RATE=RATE), contextlib.closing(login(machine, answer)) as one, \
            contextlib.closing(login(machine, answer)) as two:
        data = [ftp.transfercmd(f"STOR /_buzon/{i}") for i, ftp in enumerate((one, two))]

        def write(i):
            with contextlib.suppress(OSError):
                while True:
                    data[i].sendall(bytes(1 << 14))
        transfers, moved, took = share_of(lambda i: (drop / str(i)).stat().st_size, write)
        end_sessions(machine, answer["ftpuser"])
        for transfer in transfers:
            transfer.join()
    assert_shared(moved, took)


def test_without_a_certificate_it_says_what_is_missing(machine, delivered):  # noqa: F811
    since = machine.journal_now()
    with machine.settings(TEMPOFTP_FTP_TLS="optional"):
        with pytest.raises(ftplib.error_temp, match="421"):
            ftplib.FTP(timeout=60).connect(*FTP_ADDRESS)
        wait_until(lambda: machine.unit("tempoftp-ftp.service", "ActiveState")["ActiveState"] == "failed", 60, what="a failed service")
        said = machine.journal("-u", "tempoftp-ftp", since=since)
        assert f"{CERTIFICATE}" in said and "there is no certificate file" in said
        machine.run(["systemctl", "reset-failed", "tempoftp-ftp.service"])
