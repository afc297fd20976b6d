"""An intruder in the FTP server: pre-login children and sessions of a build that makes whatever system call a client names (meson -Dtakeover=true).

What may come of a call is the stories' business (test_ftp_taken_over.py); src/ftpd/takeover.h says what is talked here.
"""
import contextlib
import ctypes
import fcntl
import os
import pathlib
import re
import signal
import socket
import ssl
import struct
import subprocess
import tempfile

from ftp_standalone import TICK_FD, Talk, children_of, clients_of, fds_of, keepers_of, socket_of, zygotes_of
from machine import REPOSITORY, wait_until

KILLED = "killed by SIGSYS"
WIRE, CONTROL, HOME = 3, 4, 5
AT_FDCWD = -100
MEMORY = 64 << 10  # the intruder's own, see takeover.c

_PTRACE_SEIZE = 0x4206
_WALL = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_seccomp = ctypes.CDLL("libseccomp.so.2")
_seccomp.seccomp_syscall_resolve_num_arch.restype = ctypes.c_char_p
_NATIVE = _seccomp.seccomp_arch_native()


def call_number(name):
    number = _seccomp.seccomp_syscall_resolve_name(name.encode())
    assert number >= 0, f"no system call {name} here"
    return number


def call_name(number):
    name = _seccomp.seccomp_syscall_resolve_num_arch(_NATIVE, number)
    return name.decode() if name else None


def takeover_build(build):
    """The folder of such a build beside `build`; made or brought up to date."""
    folder = build.parent / f"{build.name}-takeover"
    with open(pathlib.Path(tempfile.gettempdir()) / "tempoftp-takeover.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run([REPOSITORY / "tools" / "build", folder, "-Dtakeover=true", "-Ddocs=disabled", "--", "src/ftpd/tempoftp-ftpd"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert done.returncode == 0, done.stdout
    return folder


class Out(bytearray):
    """An argument that the kernel writes to: Out(size); what it wrote is in it after the call."""

    def __init__(self, size):
        super().__init__(size)


class Intruder:
    """One process that was taken over: a pre-login child, or with (name, password) the session of that account; over TLS if told, and then perhaps
    not that process but its relay.

    call() makes a system call and returns what the kernel did (negative: errno), or KILLED. Arguments: numbers; bytes, text (with a NUL) and
    Out are put into the process's memory. pid: as numbered outside.
    """

    def __init__(self, address, listener, account=None, tls=False, relay=False):
        known = set(clients_of(listener))
        self.order = "XRELAY XSYS" if relay else "XSYS"
        self.talk = Talk(address, timeout=60)
        if tls:
            self._wrap()
        if account:
            self._log_in(*account)
        kind = "relay" if relay else "session" if account else "prelogin"
        self._seize(wait_until(lambda: self._newest(listener, known, kind), what="a process of one's own"))

    def _seize(self, pid):
        self.pid = pid
        if _libc.ptrace(_PTRACE_SEIZE, self.pid, None, None) != 0:  # to be told how it dies
            raise OSError(ctypes.get_errno(), "ptrace")
        self.memory, self.stack = map(int, self._ask("XWHERE").split())

    @staticmethod
    def _newest(listener, known, kind):
        new = [child for child in clients_of(listener, kind) if child not in known and jailed(child)]
        return new[0] if len(new) == 1 else None

    def _wrap(self):
        """The certificate is the stories' own."""
        assert self.talk.ask("AUTH TLS").startswith("234")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.talk.wrap(context)

    def _log_in(self, name, password):
        assert self.talk.ask(f"USER {name}").startswith("331")
        welcome = self.talk.ask(f"PASS {password}")
        assert welcome.startswith("230"), welcome

    def _ask(self, command):
        reply = self.talk.ask(self.order.replace("XSYS", command))
        assert reply.startswith("200 ") or reply == "", reply
        return reply[4:]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.talk.close()
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)  # it may hang in a call
            self.death()

    def death(self):
        """Waits for its end and returns the signal that it died of, 0 when it exited."""
        while True:
            _, status = os.waitpid(self.pid, _WALL)
            if os.WIFSIGNALED(status) or os.WIFEXITED(status):
                self.pid = None
                return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
            _libc.ptrace(7, self.pid, None, os.WSTOPSIG(status))  # PTRACE_CONT, with the signal that it was stopped for

    def put(self, offset, data):
        for at in range(0, len(data), 1024):
            self._ask(f"XPUT @{offset + at} {bytes(data[at:at + 1024]).hex()}")

    def get(self, offset, size):
        return b"".join(bytes.fromhex(self._ask(f"XGET @{offset + at} {min(2048, size - at)}")) for at in range(0, size, 2048))

    def start(self, call, *arguments, times=1):
        """Asks for a call and doesn't wait for it. times: again and again, until it fails."""
        words, offset, self._outs = [], 0, []
        for argument in arguments:
            if isinstance(argument, int):
                words.append(str(argument))
                continue
            data = argument.encode() + b"\0" if isinstance(argument, str) else bytes(argument)
            if isinstance(argument, Out):
                self._outs.append((offset, argument))
            else:
                self.put(offset, data)
            words.append(f"@{offset}")
            offset += (len(data) + 15) & ~15
        number = call if isinstance(call, int) else call_number(call)
        self.talk.send(" ".join([self.order, str(times), str(number), *words]) + "\r\n")

    def finish(self):
        try:
            reply = self.talk.reply()
        except (ConnectionResetError, ssl.SSLEOFError):
            reply = ""
        if reply == "":
            died = self.death()
            assert died == signal.SIGSYS, f"it died of {died}"
            return KILLED
        assert reply.startswith("200 "), reply
        for offset, out in self._outs:
            out[:] = self.get(offset, len(out))
        return int(reply[4:])

    def call(self, call, *arguments):
        self.start(call, *arguments)
        return self.finish()

    # -- calls with structures ----------------------------------------------------------------------

    def openat2(self, path, flags=os.O_RDONLY, folder=AT_FDCWD, mode=0):
        return self.call("openat2", folder, path, struct.pack("QQQ", flags, mode, 0), 24)

    def tell(self, message, flags=0x4000):  # MSG_NOSIGNAL
        """A message to the listener."""
        return self.call("sendto", WIRE, message, len(message), flags, 0, 0)


class KeeperTalk:
    """A way to the keeper of the TLS key like those that relays are born with, made from what their zygote has open."""

    def __init__(self, zygote):
        self.socket, given = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(5)
        with given:
            for fd in fds_of(zygote) - {0, 1, 2, TICK_FD, TICK_FD + 1}:
                if os.readlink(f"/proc/{zygote}/fd/{fd}").startswith("socket:"):
                    with socket_of(zygote, fd) as way:
                        socket.send_fds(way, [b"\0"], [given.fileno()])

    def send(self, line):
        self.socket.send(b"XKEEPER " + line.encode())

    def reply(self):
        return self.socket.recv(8192).decode().rstrip("\r\n")

    def ask(self, line):
        self.send(line + "\r\n")
        return self.reply()

    def close(self):
        self.socket.close()


class Keeper(Intruder):
    """The keeper of the TLS key; when it was killed the next one, which the next client's handshake brings."""

    def __init__(self, address, listener):
        self.order = "XSYS"
        zygote, = zygotes_of(listener, "relay")

        def find():
            found = [pid for pid in keepers_of(listener) if jailed(pid)]
            if not found:
                with Talk(address, timeout=60) as talk:
                    talk.ask("AUTH TLS")
            return found and found[0]
        def reach():
            """A new keeper is there a moment before its zygote has put the way to it in the old one's place."""
            with contextlib.suppress(OSError):
                talk = KeeperTalk(zygote)
                if talk.ask("XWHERE").startswith("200"):
                    talk.socket.settimeout(60)
                    return talk
                talk.close()
            return None
        pid = wait_until(find, 60, what="a keeper")
        self.talk = wait_until(reach, 60, what="a way to the keeper")
        self._seize(pid)


def jailed(pid):
    """Whether its filter is loaded: it can listen to its client."""
    try:
        return "Seccomp:\t2" in pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return False


def memory_of(pid):
    """All that a process could read in itself, files that are only mapped for reading aside: {name of the mapping: bytes}."""
    found = {}
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in maps:
            start, end, rights, name = re.match(r"(\w+)-(\w+) (\S+) \S+ \S+ \d+ *(.*)", line).groups()
            if "w" not in rights or name.startswith("[v"):
                continue
            mem.seek(int(start, 16))
            found[f"{start} {name}"] = mem.read(int(end, 16) - int(start, 16))
    return found
