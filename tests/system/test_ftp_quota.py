"""The room in a drop folder: a limit of bytes that an account's sessions share, however many of them write at once and whatever they do there."""
import contextlib
import os
import select
import shutil
import signal
import socket
import subprocess
import threading

import pytest

from conftest import BUILD
from ftp_standalone import ACCOUNT, GROUP, PASSWORD, USER, FtpServer
from intruder import WIRE, Intruder, call_number, takeover_build
from machine import wait_until
from test_ftp_writing import put
from wire import TYPES, message

LIMIT = 100_000
MIB = 1 << 20


def start(server, limit):
    """An account that may fill its folder with so many bytes."""
    made = subprocess.run([server.program, "--hash-password"], input=f"{PASSWORD}\n", text=True, capture_output=True, check=True)
    users = server.folder / "users"
    users.write_text(f"{ACCOUNT}:{made.stdout.strip()}:rw:{limit}\n")
    shutil.chown(users, USER, GROUP)
    users.chmod(0o600)
    server.launch("--listen", f"127.0.0.1:{server.port}", "--root", server.root, "--users-file", users)
    wait_until(lambda: "Serving" in server.said() or server.process.poll() is not None, what="the FTP server to listen")
    assert server.process.poll() is None, server.said()


@pytest.fixture
def limited(request):
    """A server whose account has LIMIT bytes, or what the test says (indirect)."""
    server = FtpServer(BUILD)
    try:
        start(server, getattr(request, "param", LIMIT))
        yield server
    finally:
        server.stop()


def sizes_in(folder):
    """Bytes of each file, by inode; names may come and go meanwhile."""
    sizes = {}
    for path, _, files in os.walk(folder):
        for name in files:
            with contextlib.suppress(FileNotFoundError):
                file = os.lstat(os.path.join(path, name))
                sizes[file.st_ino] = file.st_size
    return sizes


def bytes_in(folder):
    """What the owner of a folder would count."""
    return sum(sizes_in(folder).values())


class Watcher:
    """Counts a folder again and again: `most` is the largest number that it has seen. One that a second look finds again, file by file: what moves or goes
    during a look would be counted beside what has come in its place."""

    def __init__(self, folder):
        self.folder, self.most, self._over = folder, 0, threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def _watch(self):
        before = None
        while not self._over.is_set():
            sizes = sizes_in(self.folder)
            if sizes == before:
                self.most = max(self.most, sum(sizes.values()))
            before = sizes

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()
        self.most = max(self.most, bytes_in(self.folder))


def at_once(*works):
    """Runs each in a thread of its own; their results, in order."""
    results = [None] * len(works)

    def run(index, work):
        results[index] = work()
    threads = [threading.Thread(target=run, args=item) for item in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


# ---- one session ----------------------------------------------------------------------------------------

def test_a_quota_is_never_exceeded(limited):
    limited.put("there/before", b"x" * 10_000)
    with limited.talk(login=True) as talk:
        assert talk.ask("ALLO 90000").startswith("202")
        assert talk.ask("ALLO 90001").startswith("552")
        assert put(talk, "STOR a", b"a" * 60_000)[1].startswith("226")
        # What fits stays, as after any other upload that was cut; never one byte more.
        first, last = put(talk, "STOR b", b"b" * 30_001)
        assert first.startswith("150") and last.startswith("552")
        assert bytes_in(limited.root) == 100_000
        assert talk.ask("STOR c").startswith("552")
        assert talk.ask("MKD d").startswith("552")
        assert talk.ask("STOU").startswith("552")
        assert put(talk, "APPE a", b"x")[1].startswith("552")
        assert bytes_in(limited.root) == 100_000
        # Overwriting and removing give room back at once.
        assert put(talk, "STOR a", b"a" * 50_000)[1].startswith("226")
        assert talk.ask("DELE b").startswith("250")
        assert talk.ask("MKD d").startswith("257")
        assert put(talk, "STOR d/c", b"c" * 40_000)[1].startswith("226")
        assert bytes_in(limited.root) == 100_000
        assert put(talk, "STOR d/c", b"c" * 40_001)[1].startswith("552")


def test_a_session_counts_what_others_put(limited):
    with limited.talk(login=True) as one, limited.talk(login=True) as two:
        assert put(one, "STOR a", b"a" * 50_000)[1].startswith("226")
        assert put(two, "STOR b", b"b" * 40_000)[1].startswith("226")
        assert one.ask("ALLO 10001").startswith("552")
        assert one.ask("ALLO 10000").startswith("202")
        assert two.ask("DELE a").startswith("250")
        wait_until(lambda: one.ask("ALLO 60000").startswith("202"), what="what was removed to be found by a count")


def test_what_others_than_clients_do_is_seen_too(limited):
    with limited.talk(login=True) as talk:
        assert put(talk, "STOR a", b"a" * LIMIT)[1].startswith("226")
        (limited.root / "a").unlink()
        wait_until(lambda: talk.ask("ALLO 100000").startswith("202"), what="the session to count again")
        limited.put("b", b"b" * LIMIT)
        wait_until(lambda: talk.ask("ALLO 1").startswith("552"), what="the session to count again")


# ---- several at once ------------------------------------------------------------------------------------

@pytest.mark.parametrize("limited, size", [(LIMIT, 60_000), (5 * MIB + 17, 3 * MIB), (300 * MIB, 100 * MIB)], indirect=["limited"],
                         ids=["small", "a few buffers", "large"])
def test_uploads_at_once_never_exceed_the_quota_together(limited, size):
    limit = {60_000: LIMIT, 3 * MIB: 5 * MIB + 17, 100 * MIB: 300 * MIB}[size]

    def upload(number):
        with limited.talk(login=True) as talk:
            return put(talk, f"STOR {number}", bytes([number]) * size)[1][:3]
    with Watcher(limited.root) as seen:
        said = at_once(*(lambda n=n: upload(n) for n in range(4)))
    assert seen.most <= limit
    assert set(said) <= {"226", "552"} and "552" in said
    # who was refused has left what fitted; all together have filled it, but for what others had lent and given back
    assert bytes_in(limited.root) > 0.9 * limit
    with limited.talk(login=True) as talk:  # nothing is lost: what is left can be used
        left = limit - bytes_in(limited.root)
        assert talk.ask(f"ALLO {left}").startswith("202")
        assert talk.ask(f"ALLO {left + 1}").startswith("552")


def test_uploads_over_each_other_never_exceed_it(limited):
    """Each makes files shorter and longer that another one is writing, moves them and removes them."""
    def work(number):
        codes = []
        with limited.talk(login=True) as talk:
            for turn in range(25):
                name = f"f{(number + turn) % 3}"
                codes.append(put(talk, f"{('STOR', 'APPE')[turn % 2]} {name}", os.urandom(15_000 + 1000 * number))[1][:3])
                if turn % 3 == 0:
                    talk.ask(f"DELE {name}")
                if turn % 4 == 0 and talk.ask(f"RNFR f{number % 3}").startswith("350"):
                    talk.ask(f"RNTO d{number % 2}")
        return codes
    with Watcher(limited.root) as seen:
        said = at_once(*(lambda n=n: work(n) for n in range(4)))
    assert seen.most <= LIMIT
    assert {code for codes in said for code in codes} <= {"226", "552"}
    assert any("226" in codes for codes in said)


def test_a_file_that_is_cut_short_does_not_grow_past_what_is_written(limited):
    """Its writer goes on at its end, wherever another session has moved that: no hole counts against the limit, or past it."""
    with limited.talk(login=True) as writer, limited.talk(login=True) as other, writer.data() as data:
        assert writer.ask("STOR x").startswith("150")
        data.sendall(b"a" * 60_000)
        wait_until(lambda: bytes_in(limited.root) == 60_000, what="the bytes to arrive")
        assert put(other, "STOR x", b"")[1].startswith("226")
        assert put(other, "STOR y", b"y" * 95_000)[1].startswith("226")
        data.sendall(b"b" * 5_000)
        data.close()
        assert writer.reply().startswith("226")
        assert bytes_in(limited.root) == LIMIT
        assert (limited.root / "x").read_bytes() == b"b" * 5_000


def test_moving_names_hides_nothing_from_a_count(limited):
    """A folder that is moved to and fro between two others, while the server counts both again and again: it is never counted as nothing."""
    for number in range(300):
        limited.put(f"uno/{number:03d}/f", b"")
        limited.put(f"dos/{number:03d}/f", b"")
    limited.put("uno/viajera/f", b"x" * 90_000)
    for path in [limited.root, *limited.root.rglob("*")]:
        shutil.chown(path, USER, GROUP)
    over = threading.Event()

    def move():
        moved = 0
        with limited.talk(login=True) as talk:
            while not over.is_set() or moved % 2:
                here, there = ("dos", "uno") if moved % 2 else ("uno", "dos")
                assert talk.ask(f"RNFR {here}/viajera").startswith("350")
                assert talk.ask(f"RNTO {there}/viajera").startswith("250")
                moved += 1
        return moved

    def fill():
        try:
            with limited.talk(login=True) as talk:
                for _ in range(30):
                    assert put(talk, "STOR lleno", b"y" * 10_001)[1].startswith("552")
                    assert talk.ask("DELE lleno").startswith("250")
        finally:
            over.set()
    moved, _ = at_once(move, fill)
    assert moved > 30
    assert bytes_in(limited.root) == 90_000


# ---- who dies --------------------------------------------------------------------------------------------

@pytest.mark.parametrize("limited", [300 * MIB], indirect=True, ids=["300 MiB"])
def test_a_killed_session_takes_no_room_with_it(limited):
    """It held more than it had used: some megabytes that nobody gives back."""
    with limited.talk(login=True) as other:
        for turn in range(5):
            before = set(limited.children())
            with limited.talk(login=True) as talk, talk.data() as data:
                wait_until(lambda: len(set(limited.children()) - before) == 1, what="the pre-login child to leave")  # noqa: B023
                victim, = set(limited.children()) - before
                assert talk.ask(f"STOR {turn}").startswith("150")
                data.sendall(b"x" * 10_000)
                wait_until(lambda: bytes_in(limited.root) == 10_000 * (turn + 1), what="the bytes to arrive")  # noqa: B023
                os.kill(victim, signal.SIGKILL)
                assert talk.reply() == ""
                wait_until(lambda: victim not in limited.children(), what="its end")  # noqa: B023
            left = 300 * MIB - bytes_in(limited.root)
            assert other.ask(f"ALLO {left}").startswith("202")
            assert other.ask(f"ALLO {left + 1}").startswith("552")


def test_a_session_that_never_counts_keeps_nobody_out_for_ever():
    """It was taken over: it asks for room, is told to count, and does nothing. The others go on when it is gone."""
    server = FtpServer(takeover_build(BUILD))
    try:
        start(server, LIMIT)
        with Intruder(server.address, server.process.pid, (ACCOUNT, PASSWORD)) as intruder, server.talk(login=True) as talk:
            asks = message("WireRoom", TYPES["WIRE_ROOM"], names=1)
            intruder.put(0, asks)
            # both at once: it does not come to read its wire in between
            intruder.talk.send(f"XSYS 1 {call_number('sendto')} {WIRE} @0 {len(asks)} {socket.MSG_NOSIGNAL} 0 0\r\nXSYS 1 {call_number('ppoll')} 0 0 0 0 8\r\n")
            assert intruder.talk.reply() == f"200 {len(asks)}"
            talk.send("MKD d\r\n")
            assert not select.select([talk.socket], [], [], 1)[0]
            intruder.close()
            assert talk.reply().startswith("257")
            assert put(talk, "STOR b", b"b" * 50_000)[1].startswith("226")
            assert talk.ask("ALLO 50001").startswith("552")
    finally:
        server.stop()
