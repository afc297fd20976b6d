"""TCP ports for servers that are started without systemd."""
import os
import random
import socket

FIRST_PORT, PORTS = 12000, 2000  # below those that the kernel gives to clients, and of each test process its own
FIRST_PASSIVE, PASSIVE = 24000, 1000  # those of FTP servers' data connections


def test_process():
    """Which of several that run at once, from 0."""
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


def passive_ports():
    """As TEMPOFTP_FTP_PASV_PORTS."""
    first = FIRST_PASSIVE + PASSIVE * test_process()
    return f"{first}-{first + PASSIVE - 1}"


def free_port():
    """Of two servers that are started at once, in two test processes, none must answer for the other."""
    mine = FIRST_PORT + PORTS * test_process()
    for port in random.sample(range(mine, mine + PORTS), PORTS):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no port is free")
