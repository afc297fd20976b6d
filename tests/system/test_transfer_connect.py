"""The connection that a copy's ssh goes over: made by tempoftp-connect, handed to ssh over standard output."""
import socket
import subprocess

CONNECT = "/usr/libexec/tempoftp/tempoftp-connect"


def run(machine, *arguments):
    """Exit code, what it said, and the connection that it handed over (None: none)."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        done = subprocess.run(machine.command([CONNECT, *arguments]), stdout=theirs, stderr=subprocess.PIPE, text=True, timeout=60)
        theirs.close()
        _, fds, _, _ = socket.recv_fds(ours, 1, 1)
    return done.returncode, done.stderr, socket.socket(fileno=fds[0]) if fds else None


def test_the_connection_is_made_and_acknowledged_without_delay(machine):
    code, said, connection = run(machine, "127.0.0.1", "22")
    with connection:
        assert (code, said) == (0, "")
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert connection.getpeername() == ("127.0.0.1", 22)
        connection.settimeout(30)
        assert connection.recv(4) == b"SSH-"


def test_a_refused_connection_is_told_in_ssh_s_words(machine):
    code, said, connection = run(machine, "127.0.0.1", "9")
    assert (code, said, connection) == (1, "ssh: connect to host 127.0.0.1 port 9: Connection refused\n", None)


def test_names_are_never_looked_up(machine):
    code, said, connection = run(machine, "localhost", "22")
    assert (code, connection) == (64, None) and said.startswith("Usage: ")
