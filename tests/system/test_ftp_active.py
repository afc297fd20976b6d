"""Active mode: the server connects to the client, and to nobody else."""
import contextlib
import socket

import pytest

from ftp_standalone import ftpd  # noqa: F401 (a fixture)


@pytest.fixture
def tree(ftpd):  # noqa: F811
    ftpd.put("a.txt", "hola\n")
    return ftpd


@contextlib.contextmanager
def listening(host="127.0.0.1"):
    with socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET) as server:
        server.settimeout(20)
        yield server


def port(server):
    number = server.getsockname()[1]
    return f"PORT 127,0,0,1,{number // 256},{number % 256}"


def eprt(server):
    host, number = server.getsockname()[:2]
    return f"EPRT |{2 if ':' in host else 1}|{host}|{number}|"


def take(server):
    """What comes over the next data connection, and from where."""
    connection, peer = server.accept()
    with connection:
        return b"".join(iter(lambda: connection.recv(1 << 16), b"")), peer[0]


@pytest.mark.parametrize("host, command", [("127.0.0.1", port), ("127.0.0.1", eprt), ("::1", eprt)])
def test_files_and_listings_come_to_the_client(tree, host, command):
    with tree.talk(host=host, login=True) as talk, listening(host) as server:
        for order, content in (("RETR a.txt", b"hola\n"), ("NLST", b"a.txt\r\n"), ("RETR a.txt", b"hola\n")):
            assert talk.ask(command(server)).startswith("200")
            talk.send(f"{order}\r\n")
            assert take(server) == (content, host)
            assert [talk.reply()[:3], talk.reply()[:3]] == ["150", "226"]


def test_a_port_serves_one_transfer(tree):
    with tree.talk(login=True) as talk, listening() as server:
        talk.ask(port(server))
        talk.send("NLST\r\n")
        take(server)
        assert [talk.reply()[:3], talk.reply()[:3]] == ["150", "226"]
        assert talk.ask("NLST").startswith("425")


def test_pasv_and_port_take_each_others_place(tree):
    with tree.talk(login=True) as talk, listening() as server:
        talk.ask(port(server))
        assert talk.get("RETR a.txt")[0] == b"hola\n"
        talk.ask("EPSV")
        talk.ask(port(server))
        talk.send("RETR a.txt\r\n")
        assert take(server)[0] == b"hola\n"


def test_nobody_there_is_a_clear_answer_and_the_session_goes_on(tree):
    with listening() as server:
        command = port(server)
    with tree.talk(login=True) as talk:
        assert talk.ask(command).startswith("200")
        assert talk.ask("RETR a.txt").startswith("425")
        assert talk.get("RETR a.txt")[0] == b"hola\n"


def test_no_other_machine_and_no_service_is_reached(tree):
    with tree.talk(login=True) as talk:
        for command in ("PORT 127,0,0,2,200,200", "PORT 10,0,0,1,200,200", "EPRT |1|10.0.0.1|5000|", "PORT 127,0,0,1,0,22", "EPRT |1|127.0.0.1|25|"):
            assert talk.ask(command).startswith("501"), command
            assert talk.ask("NLST").startswith("425")


def test_epsv_all_refuses_port_and_eprt(tree):
    with tree.talk(login=True) as talk, listening() as server:
        assert talk.ask("EPSV ALL").startswith("200")
        assert talk.ask(port(server)).startswith("501")
        assert talk.ask(eprt(server)).startswith("501")


def test_abor_ends_the_wait_for_a_client_that_does_not_answer(tree):
    """A full backlog: the kernel's connection attempts get no answer."""
    with tree.talk(login=True) as talk, socket.socket() as server, contextlib.ExitStack() as stack:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(3):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(server.getsockname())
        assert talk.ask(port(server)).startswith("200")
        talk.send("RETR a.txt\r\nABOR\r\n")
        assert talk.reply().startswith("426")
        assert talk.reply().startswith("226")
        assert talk.ask("NOOP").startswith("200")
