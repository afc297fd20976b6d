"""Sources that are slow or break off, names of hosts that lead nowhere, disks that are small: what the stories about
copies need besides conftest's fixtures, and how a request ends that can't be copied.

The users of the source that are made here have a login shell of their own: sshd gives it the command that it is to run,
so it can start rsync in another way than a plain shell would.
"""
import contextlib
import os
import socket
import threading

import pytest

import client
from machine import wait_until

SMALL = "/small"  # a data path with little room
SPEED = "/etc/source-host/speed"
SHELLS = {
    # rsync sends at most so many KB a second as /etc/source-host/speed says; 0: as fast as it can
    "lento": f'exec bash -c "${{2/#rsync /rsync --bwlimit=$(cat {SPEED}) }}"',
    # the connection breaks a second after each command began
    "cortado": '(sleep 1; kill -KILL $PPID) </dev/null >/dev/null 2>&1 &\nexec bash -c "${2/#rsync /rsync --bwlimit=500 }"',
    "sin-rsync": 'exec bash -c "${2/#rsync /no-rsync-here }"',
    "hablador": 'echo "Welcome to this host"\nexec bash -c "$2"',
}
# Names of hosts: at .1 listens the source's sshd, at the others nobody
HOSTS = """127.0.0.1 desconocido cambiado
127.0.0.2 apagado
127.0.0.3 regresa
"""


@pytest.fixture(scope="session")
def source_users(machine):
    """The users of SHELLS and the names of HOSTS are there: "lento@source:/srv/…"."""
    if machine.file(SPEED).exists():  # each module that imports this fixture calls it once
        return
    for user, script in SHELLS.items():
        machine.write_file(f"/usr/local/bin/shell-of-{user}", f"#!/bin/bash\n{script}\n", 0o755)
        machine.run(["useradd", "--create-home", "--password", "*", "--shell", f"/usr/local/bin/shell-of-{user}", user])
    machine.write_file(SPEED, "0")
    with open(machine.file("/etc/hosts"), "a", encoding="utf-8") as hosts:
        hosts.write(HOSTS)
    machine.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/etc/source-host/another_key"])
    another = machine.file("/etc/source-host/another_key.pub").read_text().split()[:2]
    true_key = machine.file("/etc/source-host/host_key.pub").read_text().split()[:2]
    with open(machine.file("/etc/tempoftp/known_hosts"), "a", encoding="utf-8") as known:
        known.write(f"cambiado {' '.join(another)}\n")
        known.writelines(f"{name} {' '.join(true_key)}\n" for name in ("apagado", "regresa", "vuelve.example"))


@pytest.fixture
def slow(machine, source_users):
    """slow(KBYTES_A_SECOND) sets the speed of what user lento starts from then on."""
    yield lambda speed: machine.write_file(SPEED, str(speed))
    machine.write_file(SPEED, "0")


class Resolver:
    """A DNS server for the machine: SERVFAIL for the names in `away`, an A record for those in `known`, else NXDOMAIN."""

    def __init__(self):
        self.away, self.known = set(), {}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 53))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):  # closed
            while True:
                query, peer = self._socket.recvfrom(4096)
                self._socket.sendto(self._answer(query), peer)

    def _answer(self, query):
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += 1 + query[at]
        question, kind, name = query[12:at + 5], query[at + 1:at + 3], ".".join(labels).lower()
        record, code = b"", 0 if name in self.known else 2 if name in self.away else 3
        if name in self.known and kind == b"\0\1":
            record = b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4" + socket.inet_aton(self.known[name])
        counts = bytes([0, 1, 0, 1 if record else 0, 0, 0, 0, 0])
        return query[:2] + bytes([0x81, 0x80 | code]) + counts + question + record

    def close(self):
        self._socket.close()


@pytest.fixture(scope="module")
def resolver(machine):
    """The machine's DNS server (Resolver)."""
    resolver = Resolver()
    before = machine.file("/etc/resolv.conf").read_text()
    machine.file("/etc/resolv.conf").write_text("nameserver 127.0.0.1\n")
    yield resolver
    machine.file("/etc/resolv.conf").write_text(before)
    resolver.close()


@pytest.fixture(scope="module")
def small_disk(machine):
    """The data path lies on a disk of 32 MiB; returns its folder as a pathlib.Path."""
    machine.run(["mkdir", SMALL])
    machine.run(["mount", "-t", "tmpfs", "-o", f"size=32m,uid={machine.uid('tempoftp')[0]},gid=2001,mode=2750", "small", SMALL])
    try:
        with machine.settings(TEMPOFTP_DATA_PATH=SMALL):
            machine.run(["systemctl", "daemon-reload"])  # tempoftp-generator lets the services in
            machine.restart()
            yield machine.file(SMALL)
            wait_until(lambda: not list(machine.file(f"{SMALL}/.purge").iterdir()), 60, "everything is purged")
        machine.run(["systemctl", "daemon-reload"])
    finally:
        machine.restart()
        wait_until(lambda: machine.run(["umount", SMALL], check=False).returncode == 0, 60, "nobody uses the small disk")
        machine.run(["rmdir", SMALL])


def free(path):
    """Bytes that are free on the disk of a path."""
    disk = os.statvfs(path)
    return disk.f_bavail * disk.f_frsize


def staging(machine, id, data="/data"):
    """The staging folders of a request: one or none."""
    return list(machine.file(f"{data}/.staging").glob(f"{id}.*"))


def staged_bytes(machine, id, data="/data"):
    """How much of it has been written so far, temporary and partial files included."""
    total = 0
    for folder in staging(machine, id, data):
        for path in folder.rglob("*"):
            with contextlib.suppress(FileNotFoundError):  # renamed meanwhile
                total += path.lstat().st_size if path.is_file() else 0
    return total


def wait_staged(machine, id, least, data="/data"):
    """Waits until at least so many bytes of the copy are there."""
    wait_until(lambda: staged_bytes(machine, id, data) >= least, 60, f"{least} bytes of {id}")


def assert_failed(machine, api, id, *texts, since=None, timeout=60):
    """The request ends in `error`, and everyone is told the same cause, with each of `texts` in it: GET, the events, the
    journal by TEMPOFTP_ID. Nothing of it is left. Returns the message."""
    answer = client.wait_for(api, id, "error", timeout)
    message = answer["mensaje"]
    assert answer == {"id": id, "status": "error", "mensaje": message}
    for text in texts:
        assert text in message

    last = api.get(f"/tmpftp/{id}/eventos").json["eventos"][-1]
    assert (last["estado"], last["mensaje"]) == ("error", message)
    wait_until(lambda: message in machine.journal(f"TEMPOFTP_ID={id}", since=since), 30, "the journal tells the cause")

    assert not staging(machine, id) and not staging(machine, id, SMALL)
    assert not list(machine.file("/data").glob(f"ftp_*/{id}")), "half a copy was handed out"
    wait_until(lambda: not [unit for unit in machine.units() if f"-{id}." in unit], 60, "no unit of it is left")
    for data in ("/data", SMALL):
        wait_until(lambda: not list(machine.file(f"{data}/.purge").glob(f"{id}.*")), 60, "the staging folder is purged")
    return message


def has_account(machine, email):
    """Whether the address has an FTP account that could log in."""
    return machine.sqlite(f"SELECT 1 FROM accounts WHERE email = '{email}' AND hash IS NOT NULL") != []


def break_connections(machine, user):
    """Kills the source's sshd processes of a user's sessions, as if the line were cut."""
    machine.run(["pkill", "-KILL", "--euid", user, "--exact", "sshd"])
