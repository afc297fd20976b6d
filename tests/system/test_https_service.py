"""HTTPS as an operator sets it up: a socket of its own, certificates that are renewed under load, and bad ones that end nothing."""
import contextlib
import http.client
import re
import socket
import ssl
import subprocess
import threading

import pytest

from certificates import make_pair
from client import Api
from https import any_certificate, shown_at
from machine import wait_until

PORT = 9443
CERTIFICATE, KEY = "/etc/tempoftp/https.crt", "/etc/tempoftp/https.key"


def connection(timeout=60):
    return http.client.HTTPSConnection("localhost", PORT, timeout=timeout, context=any_certificate())


@pytest.fixture
def https():
    return Api(connection)


def install(machine, pair, certificate=CERTIFICATE, key=KEY):
    """As tools that renew certificates do: one after the other, each as a whole."""
    machine.write_file(key + ".new", pair[1], mode=0o600)
    machine.write_file(certificate + ".new", pair[0])
    machine.run(["mv", key + ".new", key])
    machine.run(["mv", certificate + ".new", certificate])


def seen():
    """The certificate, if somebody answers."""
    with contextlib.suppress(OSError):
        return shown_at(PORT)


def enable(machine):
    machine.run(["systemctl", "enable", "tempoftp-https.socket"])
    machine.run(["systemctl", "restart", "tempoftp.service"])


def disable(machine):
    machine.run(["systemctl", "disable", "--now", "tempoftp-https.socket"])
    machine.run(["rm", "-f", CERTIFICATE, KEY])
    machine.restart()


@pytest.fixture
def good(machine):
    """HTTPS is served with this certificate."""
    pair = make_pair("first")
    install(machine, pair)
    enable(machine)
    wait_until(lambda: seen() == pair[0].strip(), 60)
    yield pair[0].strip()
    disable(machine)


def state(machine):
    return machine.unit("tempoftp.service", "ActiveState")["ActiveState"]


def status(machine):
    return machine.unit("tempoftp.service", "StatusText").get("StatusText", "")


def wait_for_exit(machine):
    wait_until(lambda: state(machine) == "inactive", 120, what="the idle exit")


# ---- a socket of its own ----------------------------------------------------------------------------

def test_it_is_off_until_somebody_enables_it_and_off_again_after(machine, api, https):
    api.get("/")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", PORT), timeout=60)
    install(machine, make_pair("first"))
    enable(machine)
    try:
        assert https.get("/").status == 200
        assert api.get("/").status == 200
    finally:
        disable(machine)
    assert api.get("/").status == 200
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", PORT), timeout=60)


def test_https_wakes_a_service_that_has_gone_idle(machine, https, good):
    with machine.settings(TEMPOFTP_IDLE_SECONDS="1"):
        for _ in range(3):
            assert https.get("/").status == 200
            wait_for_exit(machine)
        assert machine.unit("tempoftp-https.socket", "ActiveState")["ActiveState"] == "active"


def test_without_a_certificate_http_goes_on_and_the_status_says_why(machine, api):
    since = machine.journal_now()
    machine.sqlite("DELETE FROM notes WHERE key = 'https certificate'")  # of the tests before
    enable(machine)
    try:
        assert api.get("/").status == 200
        with pytest.raises((ssl.SSLError, ConnectionError)):
            shown_at(PORT)
        wait_until(lambda: "HTTPS is closed: there is no certificate file" in status(machine), 60)
        assert CERTIFICATE in machine.journal("-u", "tempoftp", "MESSAGE_ID=a2f47c90d1be4b6c8e53f70d96a1b3c8", since=since)
    finally:
        disable(machine)


def test_strangers_who_speak_no_tls_are_counted(machine, api, good):
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", PORT), timeout=60) as stranger:
            stranger.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert stranger.recv(100) == b""

    def counted():
        api.get("/")  # it must not go idle meanwhile
        told = re.search(r"; (\d+) TLS handshakes came to nothing", status(machine))
        return told and int(told[1]) >= 3
    wait_until(counted, 60, interval=1)


def test_a_service_that_cannot_start_lets_clients_go(machine, https, good):
    with machine.settings(TEMPOFTP_REGISTRO="quizá"):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            shown_at(PORT)
    machine.run(["systemctl", "reset-failed", "tempoftp.service"], check=False)
    assert https.get("/").status == 200


def test_plain_http_can_be_kept_to_this_machine(machine, api, good):
    """As README says."""
    machine.write_file("/etc/systemd/system/tempoftp.socket.d/override.conf", "[Socket]\nListenStream=\nListenStream=127.0.0.1:9043\n")
    apply = ["bash", "-c", "systemctl daemon-reload && systemctl stop tempoftp.socket && systemctl restart tempoftp"]
    try:
        since = machine.journal_now()
        machine.run(apply)
        assert api.get("/").status == 200 and shown_at(PORT) == good
        listening = machine.run(["ss", "-Hltn", "sport = :9043"]).stdout
        assert listening.split()[3] == "127.0.0.1:9043" and len(listening.splitlines()) == 1
        assert "plain HTTP" not in machine.journal("-u", "tempoftp", since=since)
    finally:
        machine.run(["rm", "-r", "/etc/systemd/system/tempoftp.socket.d"])
        machine.run(apply)
    assert "*:9043" in machine.run(["ss", "-Hltn", "sport = :9043"]).stdout


# ---- renewal ----------------------------------------------------------------------------------------

class Load:
    """Clients that ask without pause. Each answer is counted, and so is each request that has none; one that met the end of a connection which had
    served before is sent again, as RFC 9112 (9.3.1) has it, and counted too."""

    def __init__(self):
        self.answered, self.again, self.failed = 0, 0, []
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=target) for target in (*[self._http1] * 3, self._post, self._short, *[self._http2] * 2)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def _ask(self, keeper, method, path, body):
        used = keeper.sock is not None
        try:
            keeper.request(method, path, body=body, headers={"Content-Type": "application/json"})
            response = keeper.getresponse()
            response.read()
        except (OSError, http.client.HTTPException) as error:
            keeper.close()
            if not used:
                self.failed.append(repr(error))
                return
            self.again += 1
            self._ask(keeper, method, path, body)
            return
        if response.status in (200, 422):
            self.answered += 1
        else:
            self.failed.append(response.status)

    def _loop(self, method, path, body=None, keep=True):
        with contextlib.closing(connection(timeout=120)) as keeper:
            while not self.stop.is_set():
                self._ask(keeper, method, path, body)
                if not keep:
                    keeper.close()

    def _http1(self):
        self._loop("GET", "/")

    def _post(self):
        self._loop("POST", "/tmpftp", "{}")

    def _short(self):
        self._loop("GET", "/", keep=False)

    def _http2(self):
        urls = [f"https://localhost:{PORT}/?{n}" for n in range(30)]
        while not self.stop.is_set():
            done = subprocess.run(["curl", "--silent", "--show-error", "--insecure", "--http2", "--parallel", "--max-time", "120", "--output", "/dev/null",
                                   "--write-out", "%{http_version} %{response_code}\n", *sum((["--output", "/dev/null"] for _ in urls[1:]), []), *urls],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            lines = done.stdout.splitlines()
            good = [line for line in lines if line.split()[1] == "200"]
            self.answered += len(good)
            if done.returncode != 0 or len(good) != len(urls):
                self.failed.append(f"curl: {done.returncode} {done.stderr} {sorted(set(lines))}")


def test_three_renewals_under_load_drop_no_request(machine, good):
    with Load() as load:
        for n in range(3):
            pair, before = make_pair(f"renewal {n}"), load.answered
            wait_until(lambda: load.answered > before + 100, 120)
            install(machine, pair)
            wait_until(lambda: shown_at(PORT) == pair[0].strip(), 120, what="the renewed certificate")
            now = load.answered
            wait_until(lambda: load.answered > now + 100, 120)
    print(f"{load.answered} answers, {load.again} sent again, {len(load.failed)} failed")
    assert load.failed == []
    assert machine.unit("tempoftp.service", "NRestarts")["NRestarts"] == "0", "nothing crashed"


def test_a_bad_renewal_is_refused_and_ends_nothing(machine, api, https, good):
    since = machine.journal_now()
    install(machine, (make_pair("mismatch")[0], make_pair("other")[1]))
    wait_until(lambda: "is refused (key and certificate do not belong together), the one before is good until" in status(machine), 120)
    said = machine.run(["systemctl", "status", "--no-pager", "--lines=0", "tempoftp"], check=False).stdout
    assert "the HTTPS certificate is refused" in said
    line = machine.journal("-u", "tempoftp", "MESSAGE_ID=a2f47c90d1be4b6c8e53f70d96a1b3c8", since=since)
    assert CERTIFICATE in line and "The one before stays in use" in line
    assert shown_at(PORT) == good and api.get("/").status == 200
    machine.kill("tempoftpd")
    wait_until(lambda: seen() == good, 60, what="the one before, after a kill")
    with machine.settings(TEMPOFTP_IDLE_SECONDS="1"):
        wait_for_exit(machine)
        assert shown_at(PORT) == good, "and after an idle exit"
    renewed = make_pair("renewed")
    install(machine, renewed)
    wait_until(lambda: shown_at(PORT) == renewed[0].strip(), 120, what="the one that is good again")
    wait_until(lambda: "the HTTPS certificate is good until" in status(machine), 60)


def test_a_certificate_that_is_written_in_pieces_is_taken_when_it_is_whole(machine, good):
    certificate, key = make_pair("slowly")
    machine.write_file(KEY, key, mode=0o600)
    for end in (100, 300):
        machine.write_file(CERTIFICATE, certificate[:end])
        wait_until(lambda: "is refused" in status(machine), 120)
        assert shown_at(PORT) == good
    machine.write_file(CERTIFICATE, certificate)
    wait_until(lambda: shown_at(PORT) == certificate.strip(), 120, what="the whole certificate")


def test_a_certificate_elsewhere_is_renewed_by_its_link(machine, good):
    """The way of certbot: live/NAME/fullchain.pem is a link that moves on to the next file."""
    live = "/etc/letsencrypt/live/datos"

    def issue(n):
        pair = make_pair(f"number {n}")
        folder = f"/etc/letsencrypt/archive/datos{n}"
        machine.write_file(f"{folder}/fullchain.pem", pair[0])
        machine.write_file(f"{folder}/privkey.pem", pair[1], mode=0o600)
        for name in ("privkey.pem", "fullchain.pem"):
            machine.run(["ln", "-sfn", f"{folder}/{name}", f"{live}/{name}"])
        return pair[0].strip()

    machine.run(["mkdir", "-p", "-m", "0700", "/etc/letsencrypt/archive", live])
    first = issue(1)
    try:
        with machine.settings(TEMPOFTP_HTTPS_CERT=f"{live}/fullchain.pem", TEMPOFTP_HTTPS_KEY=f"{live}/privkey.pem"):
            machine.run(["systemctl", "daemon-reload"])
            machine.run(["systemctl", "restart", "tempoftp-https-cert.path", "tempoftp.service"])
            wait_until(lambda: shown_at(PORT) == first, 60)
            second = issue(2)
            wait_until(lambda: shown_at(PORT) == second, 120, what="the renewed certificate")
    finally:
        machine.run(["systemctl", "daemon-reload"])
        machine.run(["rm", "-rf", "/etc/letsencrypt/archive", "/etc/letsencrypt/live/datos"])
