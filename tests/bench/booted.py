"""A machine of its own for one bench: booted, tempoftp installed, its sockets open."""
import contextlib
import os

from machine import SETTINGS, Machine


@contextlib.contextmanager
def booted(name, build, sockets=("tempoftp.socket",), **settings):
    """Access control is off there, for every bench that does not measure it; `settings` come on top."""
    machine = Machine(f"bench-{name}-{os.getpid()}")
    machine.boot()
    try:
        machine.install(build)
        with open(machine.file(SETTINGS), "a", encoding="utf-8") as file:
            file.writelines(f"{key}={value}\n" for key, value in {"TEMPOFTP_AUTH": "off", **settings}.items())
        machine.run(["systemctl", "enable", "--now", *sockets])
        yield machine
    finally:
        machine.stop()
