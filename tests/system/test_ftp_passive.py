"""Passive mode: who gets a data connection, and how long a port is open. Between small files a session may keep its port; nobody else gains by that."""
import itertools
import socket
import threading

import pytest

from ftp_standalone import ftpd  # noqa: F401 (a fixture)
from machine import wait_until

USES = 32  # DATA_PORT_USES in src/ftpd/data.h
FEW_PORTS = pytest.mark.parametrize("ftpd", [{"TEMPOFTP_FTP_PASV_PORTS": "29020-29029"}], indirect=True)


@pytest.fixture
def tree(ftpd):  # noqa: F811
    ftpd.put("a.txt", "hola\n")
    ftpd.put("large.bin", b"x" * 100_000)
    return ftpd


def passive(talk):
    return int(talk.ask("EPSV").rpartition("|||")[2].split("|")[0])


def read(data):
    return b"".join(iter(lambda: data.recv(1 << 16), b""))


def fetch(talk, name="a.txt"):
    """(what came, over which port)"""
    port = passive(talk)
    with socket.create_connection(("127.0.0.1", port), timeout=20) as data:
        assert talk.ask(f"RETR {name}").startswith("150")
        content = read(data)
    assert talk.reply().startswith("226")
    return content, port


def is_open(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=20).close()
    except ConnectionRefusedError:
        return False
    return True


def keep(talk):
    """A port that the session keeps, for a second."""
    content, port = fetch(talk)
    assert content == b"hola\n"
    return port


def wait_at_a_kept_port(talk, address):
    """A connection from `address` that nobody has announced, and the port."""
    def connect():
        port = keep(talk)
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=20, source_address=(address, 0)), port
        except ConnectionRefusedError:  # we were too slow
            return None
    return wait_until(connect, what="a kept port to connect to")


def test_strangers_do_not_get_the_passive_port_nor_use_up_its_time(tree):
    """127.0.0.2 is another machine for the server; it connects as fast as it can."""
    with tree.talk(login=True) as talk:
        number = int(talk.ask("EPSV").rpartition("|||")[2].split("|")[0])
        over = threading.Event()
        refused = []

        def knock():
            while not over.is_set():
                with socket.socket() as stranger:
                    stranger.bind(("127.0.0.2", 0))
                    try:
                        stranger.connect(("127.0.0.1", number))
                        stranger.settimeout(20)
                        refused.append(stranger.recv(100))
                    except OSError:
                        refused.append(b"")

        talk.send("RETR a.txt\r\n")
        strangers = [threading.Thread(target=knock) for _ in range(2)]
        for thread in strangers:
            thread.start()
        try:
            while len(refused) < 2000:
                over.wait(0.01)
            with socket.create_connection(("127.0.0.1", number), timeout=20) as data:
                assert data.recv(100) == b"hola\n"
        finally:
            over.set()
            for thread in strangers:
                thread.join()
        assert set(refused) == {b""}
        assert [talk.reply()[:3], talk.reply()[:3]] == ["150", "226"]


def test_small_files_come_over_the_same_port_for_a_while(tree):
    with tree.talk(login=True) as talk:
        got = [fetch(talk) for _ in range(3 * USES)]
    assert {content for content, _ in got} == {b"hola\n"}
    runs = [len(list(run)) for _, run in itertools.groupby(port for _, port in got)]
    print(f"files by one port after another: {runs}")
    assert 1 < max(runs) <= USES


def test_nobody_listens_during_and_after_a_large_file(tree):
    with tree.talk(login=True) as talk:
        content, port = fetch(talk, "large.bin")
        assert len(content) == 100_000 and not is_open(port)


@FEW_PORTS
def test_where_ports_are_few_none_is_kept(tree):
    with tree.talk(login=True) as talk:
        assert not is_open(keep(talk))


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.2"], ids=["the client's address", "another address"])
def test_whoever_waits_at_a_kept_port_gets_nothing_and_the_client_another_port(tree, address):
    with tree.talk(login=True) as talk:
        intruder, port = wait_at_a_kept_port(talk, address)
        with intruder:
            assert talk.ask("RETR a.txt").startswith("425")  # no port was announced
            content, other = fetch(talk)
            assert content == b"hola\n" and other != port
            try:
                assert intruder.recv(100) == b""
            except ConnectionResetError:
                pass
        assert not is_open(port)


def test_a_port_that_a_stranger_has_found_is_not_kept(tree):
    with tree.talk(login=True) as talk:
        port = wait_until(lambda: {keep(talk)} & {passive(talk)}, what="the kept port to be announced again").pop()
        with socket.create_connection(("127.0.0.1", port), timeout=20, source_address=("127.0.0.2", 0)) as stranger:
            with socket.create_connection(("127.0.0.1", port), timeout=20) as data:
                assert talk.ask("RETR a.txt").startswith("150")
                assert read(data) == b"hola\n"
            assert talk.reply().startswith("226") and stranger.recv(100) == b""
        assert not is_open(port)


@pytest.mark.parametrize("command", ["ABOR", "PORT 127,0,0,1,200,200", "QUIT"])
def test_a_kept_port_is_closed_by(tree, command):
    with tree.talk(login=True) as talk:
        port = keep(talk)
        assert talk.ask(command)[0] == "2"
        wait_until(lambda: not is_open(port), what="nobody to listen there")


def test_a_session_that_rests_keeps_no_port(tree):
    with tree.talk(login=True) as talk:
        port = keep(talk)
        wait_until(lambda: not is_open(port), what="nobody to listen there", interval=0.3)
        assert fetch(talk)[0] == b"hola\n"
