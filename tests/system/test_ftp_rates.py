"""How fast: the rate of a session and of an account, seen from the client's side of the data connection."""
import contextlib
import socket
import threading
import time

import pytest

from ftp_standalone import FtpServer, ftpd  # noqa: F401 (a fixture)
from machine import wait_until

RATE = 2_000_000
WINDOW = 0.25
MODES = {"session": {"TEMPOFTP_FTP_RATE": str(RATE)}, "account": {"TEMPOFTP_FTP_ACCOUNT_RATE": str(RATE)}}
of_a_session = pytest.mark.parametrize("ftpd", [MODES["session"]], indirect=True, ids=["session"])
of_an_account = pytest.mark.parametrize("ftpd", [MODES["account"]], indirect=True, ids=["account"])
of_both = pytest.mark.parametrize("ftpd", list(MODES.values()), indirect=True, ids=list(MODES))


class Download:
    """A RETR whose bytes are counted as they arrive, in a thread."""

    def __init__(self, server, name):
        self.talk = server.talk(login=True)
        self.data = self.talk.data()
        self.arrivals = []
        assert self.talk.ask(f"RETR {name}").startswith("150")
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self):
        with contextlib.suppress(OSError):
            while piece := self.data.recv(1 << 16):
                self.arrivals.append((time.monotonic(), len(piece)))

    def close(self):
        with contextlib.suppress(OSError):
            self.data.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self.data.close()
        self.talk.close()


def arrived(arrivals, start, end):
    return sum(n for at, n in arrivals if start <= at < end)


@of_both
def test_a_download_keeps_its_rate_from_the_first_second(ftpd):  # noqa: F811
    ftpd.put("grande", size=1 << 32)
    started = time.monotonic()
    with contextlib.closing(Download(ftpd, "grande")) as download:
        time.sleep(4)
        ended = time.monotonic()
    seen = list(download.arrivals)
    assert abs(arrived(seen, started, ended) / (ended - started) - RATE) < 0.15 * RATE
    assert arrived(seen, started, started + 1) <= 1.15 * RATE
    # what waits in the sockets while this process isn't given the processor comes late and at once
    windows = sorted(arrived(seen, started + i * WINDOW, started + (i + 1) * WINDOW) for i in range(16))
    assert windows[12] <= 1.15 * RATE * WINDOW and windows[-1] <= 2 * RATE * WINDOW, windows


@of_a_session
def test_small_files_are_no_way_round(ftpd):  # noqa: F811
    ftpd.put("uno", size=RATE // 50)
    with ftpd.talk(login=True) as talk:
        started = time.monotonic()
        for _ in range(100):
            content, last = talk.get("RETR uno")
            assert len(content) == RATE // 50 and last.startswith("226")
        took = time.monotonic() - started
    assert 0.9 * 2 <= took < 5


@pytest.mark.parametrize("mode", list(MODES))
def test_an_upload_keeps_its_rate(mode):
    from conftest import BUILD
    server = FtpServer(BUILD, options=["--write"], **MODES[mode])
    try:
        server.start()
        size, chunk = 4 * RATE, bytes(1 << 16)
        with server.talk(login=True) as talk, talk.data() as data:
            assert talk.ask("STOR nuevo").startswith("150")
            started = time.monotonic()
            data.settimeout(60)
            for _ in range(size // len(chunk)):
                data.sendall(chunk)
            data.close()
            assert talk.reply().startswith("226")
            took = time.monotonic() - started
        written = (server.root / "nuevo").stat().st_size
        assert written == size // len(chunk) * len(chunk)
        assert abs(written / took - RATE) < 0.15 * RATE
    finally:
        server.stop()


@of_an_account
def test_sessions_of_an_account_share_its_rate(ftpd):  # noqa: F811
    ftpd.put("grande", size=1 << 32)
    with contextlib.closing(Download(ftpd, "grande")) as first:
        time.sleep(1.5)
        joined = time.monotonic()
        with contextlib.closing(Download(ftpd, "grande")) as second:
            time.sleep(3)
            left = time.monotonic()
        time.sleep(2.5)
        end = time.monotonic()
    both = sorted(first.arrivals + second.arrivals)
    assert arrived(both, joined, left) <= 1.15 * RATE * (left - joined)
    assert arrived(both, joined, joined + 1) <= 1.15 * RATE  # the newcomer adds nothing
    for download in (first, second):
        assert abs(arrived(download.arrivals, joined + 0.5, left) / (left - joined - 0.5) - RATE / 2) < 0.15 * RATE / 2
    # and who stays gets what the other one had
    assert abs(arrived(first.arrivals, left + 0.5, end) / (end - left - 0.5) - RATE) < 0.15 * RATE


@of_an_account
def test_a_session_that_rests_gives_its_share_back(ftpd):  # noqa: F811
    ftpd.put("grande", size=1 << 32)
    ftpd.put("a", "hola\n")
    with ftpd.talk(login=True) as resting:
        assert resting.get("RETR a")[0] == b"hola\n"
        with contextlib.closing(Download(ftpd, "grande")) as download:
            time.sleep(2)
            start = time.monotonic()
            time.sleep(2)
            end = time.monotonic()
        assert resting.ask("PWD").startswith("257")
    assert abs(arrived(download.arrivals, start, end) / (end - start) - RATE) < 0.15 * RATE


@of_a_session
def test_abor_is_heard_between_slices(ftpd):  # noqa: F811
    ftpd.put("grande", size=1 << 32)
    with contextlib.closing(Download(ftpd, "grande")) as download:
        wait_until(lambda: download.arrivals, what="the first bytes")
        asked = time.monotonic()
        assert download.talk.ask("ABOR").startswith("426")
        assert download.talk.reply().startswith("226")
        assert time.monotonic() - asked < 1
