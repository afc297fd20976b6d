"""The upload worker by itself, and partners' servers that do what is rare: answers that are lost, places that are taken, bytes that are missing. What has its final
name at the partner is always whole, and what was there before is never taken away for nothing."""
import contextlib
import pathlib
import shutil
import socket
import sys
import tempfile

import pytest

from awkward_ftp import AwkwardFtp
from client import checksums
from conftest import BUILD
from ftp_standalone import PASSWORD
from partners import Sftp, run_worker

LARGE = 9_000_000
LIMIT_S = 120


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory() as name:
        pathlib.Path(name).chmod(0o755)
        yield pathlib.Path(name)


@pytest.fixture
def tree(folder):
    """tree({"a": size}) makes files whose bytes differ."""
    def make(files):
        (folder / "from").mkdir()
        for name, size in files.items():
            (folder / "from" / name).write_bytes(b"".join(n.to_bytes(4, "big") for n in range(size // 4)) + bytes(size % 4))
        return folder / "from"
    return make


@pytest.fixture
def upload(folder):
    """upload(tree, type=…, port=…, …) runs the worker to its end; (what it calls the end, all that it said)."""
    def run(tree, connections=1, retries=3, **more):
        said = run_worker(BUILD / "src/export/tempoftp-export", tree, folder, connections, retries, LIMIT_S, **{"host": "localhost.example", "path": "/", **more})
        return ("done" if "files are at" in said[-1] else said[-1].partition("[FTP Upload] ")[2].partition(":")[0]), "".join(said)
    return run


@pytest.fixture
def ftp(folder):
    """ftp(habit) starts such a server."""
    with contextlib.ExitStack() as stack:
        def start(habit):
            (folder / "to").mkdir()
            return stack.enter_context(AwkwardFtp(folder / "to", habit))
        yield start


@pytest.mark.parametrize("habit, size", [("rename", 1000), ("cut", LARGE), ("cut, appe 502", LARGE), ("cut, appe 421", LARGE), ("cut, ascii", LARGE),
                                         ("cut, gone", LARGE)])
def test_it_arrives_whole_all_the_same(habit, size, ftp, tree, upload):
    there, files = ftp(habit), tree({"a.bin": size, "b.bin": 10})
    end, said = upload(files, type="ftp", port=there.port)
    assert there.happened.is_set()
    assert end == "done", said
    assert checksums(there.root) == checksums(files), said


@pytest.mark.parametrize("habit", ["cut, appe 421", "cut, ascii"])
def test_what_lies_there_is_gone_on_with(habit, ftp, tree, upload):
    there, files = ftp(habit), tree({"a.bin": LARGE})
    end, said = upload(files, type="ftp", port=there.port)
    assert end == "done" and "going on after" in said, said
    assert there.said.count("STOR") == 1


@pytest.mark.parametrize("habit", ["one", "one, 421"])
def test_a_place_that_is_taken_is_done_without(habit, ftp, tree, upload):
    """The first connection has brought all there is when the second is refused."""
    there, files = ftp(habit), tree({"a.bin": 1000, "b.bin": 1000})
    end, said = upload(files, connections=2, type="ftp", port=there.port)
    assert there.happened.is_set()
    assert end == "done", said
    assert checksums(there.root) == checksums(files)


@pytest.mark.parametrize("habit, cause", [("552", "space"), ("short", "size")])
def test_what_is_not_whole_gets_no_name(habit, cause, ftp, tree, upload):
    there, files = ftp(habit), tree({"a.bin": 1000})
    (there.root / "a.bin").write_bytes(b"what was there before")
    end, said = upload(files, type="ftp", port=there.port)
    assert end == cause, said
    assert [path.name for path in there.root.iterdir()] == ["a.bin"], "nothing but what was there"
    assert (there.root / "a.bin").read_bytes() == b"what was there before"
    assert there.said.count("STOR") == (1 if cause == "space" else 4), "the first try and three more"


@pytest.mark.parametrize("kind, seconds", [("ftp", {"ftp_s": 1, "sftp_s": 600}), ("sftp", {"ftp_s": 600, "sftp_s": 1})], ids=["ftp", "sftp"])
def test_who_lets_nobody_in_has_failed_after_the_time_of_its_kind(kind, seconds, tree, upload):
    """Its kernel takes the connection, and nobody says a word."""
    with socket.create_server(("127.0.0.1", 0)) as there:
        end, said = upload(tree({"a.bin": 1000}), retries=1, type=kind, port=there.getsockname()[1], **seconds)
    assert end == "connect" and "before try 2 of 2" in said, said


def test_who_does_not_say_that_it_has_the_file_is_asked_again(ftp, tree, upload):
    there, files = ftp("mute"), tree({"a.bin": 1000})
    end, said = upload(files, answer_s=2, type="ftp", port=there.port)
    assert there.happened.is_set() and "stalled" in said, said
    assert end == "done" and checksums(there.root) == checksums(files), said


@pytest.fixture
def sftp():
    """sftp(habit) is a sshd with it, not started yet; there.marker is made when it was shown."""
    with contextlib.ExitStack() as stack:
        def make(habit):
            there = Sftp()
            stack.callback(there.stop)
            there.marker = there.folder / "happened"
            script = there.folder / "awkward_sftp.py"
            shutil.copy(pathlib.Path(__file__).parent / "awkward_sftp.py", script)
            there.command = f"{sys.executable} {script} {habit} {there.marker}"
            if habit != "login":
                there.subsystem = there.command
            return there
        yield make


def order_of(there):
    return {"type": "sftp", "port": there.port, "host_key": there.fingerprint, "path": str(there.root)}


def test_pieces_that_a_sftp_server_had_not_yet_written_are_sent_again(sftp, tree, upload):
    there, files = sftp("cut"), tree({"a.bin": LARGE})
    there.start()
    end, said = upload(files, **order_of(there))
    assert there.marker.exists() and end == "done", said
    assert checksums(there.root) == checksums(files), said


def test_a_sftp_server_that_falls_silent_in_the_middle_of_a_file_is_left_and_asked_again(sftp, tree, upload):
    there, files = sftp("silent"), tree({"a.bin": LARGE})
    there.start()
    end, said = upload(files, answer_s=2, **order_of(there))
    assert there.marker.exists() and "a.bin: stalled; waiting 1 s before try 2 of 4" in said, said
    assert end == "done" and checksums(there.root) == checksums(files), said


def test_a_login_that_is_cut_is_no_refusal(sftp, tree, upload):
    """The key is on its way to the server when the connection ends: nobody has said no to it."""
    there, files = sftp("login"), tree({"a.bin": 1000})
    there.settings = f"AuthorizedKeysCommand {there.command} {there.key_file}.pub\nAuthorizedKeysCommandUser root\nAuthorizedKeysFile none\n"
    there.start()
    end, said = upload(files, ssh_key=there.key_file.read_text(), **order_of(there))
    assert there.marker.exists() and "connection-lost; waiting 1 s before try 2 of 4" in said, said
    assert end == "done" and checksums(there.root) == checksums(files), said


@pytest.mark.parametrize("password, end", [(PASSWORD, "done"), ("equivocada", "login")])
def test_a_sftp_server_that_wants_key_and_password_gets_both(password, end, tree, upload):
    there, files = Sftp(), tree({"a.bin": 1000})
    try:
        there.settings = "AuthenticationMethods publickey,password\n"
        there.start()
        said = upload(files, type="sftp", port=there.port, host_key=there.fingerprint, path=str(there.root), password=password,
                      ssh_key=there.key_file.read_text())
        assert said[0] == end, said
    finally:
        there.stop()
