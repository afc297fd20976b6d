"""The FTP server as the service it is: deliveries to log in to, its sessions as org.tempoftp.Ftp1 lists and ends them.

ftp_standalone.py is the other way to run it, without systemd and tempoftpd.
"""
import contextlib
import ctypes
import ftplib
import json

import pytest

from client import ftp_login
from machine import wait_until

BIG = 32 << 20  # more than the sockets of both sides hold: a client that doesn't read keeps the transfer running
FTP1 = ["busctl", "--system", "--json=short", "call", "org.tempoftp.Ftp1", "/org/tempoftp/Ftp1", "org.tempoftp.Ftp1"]


@pytest.fixture
def delivered(source, submit, wait_for, unique):
    """delivered(files={…}) takes a tree (a small one with one big file) to `listo`, for a person of its own unless told with `usuario`, and
    returns the answer."""
    def deliver(files=None, **fields):
        route = source.make_tree(unique("tree"), files or {"a.txt": "hola\n", "grande.bin": BIG})
        return wait_for(submit(f"{route}/", **fields), "listo", timeout=120)
    return deliver


@pytest.fixture
def opened(machine):
    """opened(answer) is a logged-in ftplib.FTP, closed after the test."""
    connections = []

    def open_one(answer):
        connections.append(ftp_login(machine, answer, timeout=60))
        return connections[-1]
    yield open_one
    for ftp in connections:
        ftp.close()


def list_sessions(machine, account):
    """The sessions of an account, each as a dictionary."""
    names = ("pid", "account", "peer", "folder", "file", "sent", "size", "since")
    rows = json.loads(machine.run([*FTP1, "ListSessions"]).stdout)["data"][0]
    return [row for row in (dict(zip(names, row)) for row in rows) if row["account"] == account]


def end_sessions(machine, account, id=""):
    """How many sessions have ended."""
    return json.loads(machine.run([*FTP1, "EndSessions", "ss", account, id]).stdout)["data"][0]


def main_pid(machine):
    return int(machine.unit("tempoftp-ftp.service", "MainPID")["MainPID"])


def kill_listener(machine):
    """kill -9, and the next one is ready."""
    before = main_pid(machine)
    assert before
    machine.run(["kill", "-KILL", str(before)])
    wait_for_listener(machine, before)


def wait_for_listener(machine, before):
    """Until another listener than `before` serves."""
    def ready():
        unit = machine.unit("tempoftp-ftp.service", "MainPID", "ActiveState")
        return unit["ActiveState"] == "active" and unit["MainPID"] != str(before)
    wait_until(ready, 60, what="the next listener")


@contextlib.contextmanager
def without_tempoftpd(machine):
    """Nobody answers for accounts, prompts an end or counts downloads."""
    machine.run(["systemctl", "mask", "--runtime", "tempoftp.service"])
    try:
        machine.stop_units("tempoftp.service")
        yield
    finally:
        machine.run(["systemctl", "unmask", "--runtime", "tempoftp.service"])
        machine.run(["systemctl", "start", "tempoftp.socket", "tempoftp-api.socket"])


@contextlib.contextmanager
def settings(machine, **values):
    """The FTP server with other settings, restarted for them before and after."""
    drop_in, file = "/run/systemd/system/tempoftp-ftp.service.d/settings.conf", "/run/tempoftp-ftp-test.env"

    def apply():
        machine.run(["systemctl", "daemon-reload"])
        machine.run(["systemctl", "stop", "tempoftp-ftp.service"])
    # a file, because those of the unit are stronger than its Environment=
    machine.write_file(file, "".join(f"{name}={value}\n" for name, value in values.items()))
    machine.write_file(drop_in, f"[Service]\nEnvironmentFile={file}\n")
    apply()
    try:
        yield
    finally:
        machine.file(drop_in).unlink()
        apply()


def change_database(machine, sql):
    """tempoftpd alone writes the database and remembers what it wrote: it must not run meanwhile, nor be called back."""
    with without_tempoftpd(machine):
        machine.sqlite(sql)


def slow_hash(password, passes):
    """An Argon2id hash whose check takes about 50 ms a pass; those of tempoftp's own random passwords are quick."""
    sodium, text = ctypes.CDLL("libsodium.so.23"), ctypes.create_string_buffer(128)
    assert sodium.sodium_init() >= 0
    assert sodium.crypto_pwhash_str(text, password.encode(), ctypes.c_ulonglong(len(password)), ctypes.c_ulonglong(passes),
                                    ctypes.c_size_t(64 << 20)) == 0
    return text.value.decode()


def begin(ftp, path):
    """A transfer under way: the client has read a little, and waits."""
    data = ftp.transfercmd(f"RETR {path}")
    assert data.recv(1000, 0x100)  # MSG_WAITALL
    return data


def read_rest(data):
    """Reads a data connection to its end and returns the number of bytes; ConnectionResetError: it was cut."""
    got = 0
    while piece := data.recv(1 << 20):
        got += len(piece)
    data.close()
    return got


def assert_ended(ftp, text="421"):
    """The server has closed the connection, with a 421 that says why."""
    with pytest.raises(ftplib.error_temp, match=text):
        while ftp.getresp():  # 426, of a transfer that was cut
            pass
    with pytest.raises((EOFError, ConnectionError)):
        ftp.voidcmd("NOOP")
