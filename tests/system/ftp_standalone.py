"""The FTP server by itself: tempoftp-ftpd from the build folder, as an ordinary user, with no systemd and no tempoftpd.

Listener, pre-login child, session and jail are the same as in service mode; only who checks passwords differs.
"""
import ctypes
import ftplib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile

import pytest

from machine import wait_until
from ports import free_port, passive_ports

USER, GROUP = "nobody", "nogroup"
ACCOUNT, PASSWORD = "user", "12345"


def children_of(pid):
    """Process ids; none when there is no such process."""
    try:
        return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


CONTROL_FD, RELAYED_FD, TICK_FD = 4, 5, 24  # src/ftpd/jail.h: a child's client; the same behind a relay, before login; what a newborn has of its zygote
ZYGOTE_TITLES = {"prelogin": "tempoftp-ftpd: login", "session": "tempoftp-ftpd: session", "relay": "tempoftp-ftpd: TLS"}


def zygotes_of(listener, kind=None):
    """The processes that children of this kind (or of any) are forked from."""
    titles = {ZYGOTE_TITLES[kind]} if kind else set(ZYGOTE_TITLES.values())
    return [pid for pid in children_of(listener) if title_of(pid) in titles]


def keepers_of(listener):
    """The processes that keep the TLS key: the first is the listener's child, those after it the relays' zygote's."""
    return [pid for parent in (listener, *zygotes_of(listener, "relay")) for pid in children_of(parent) if name_of(pid) == "tempoftp-key"]


def name_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text(encoding="ascii").rstrip("\n")
    except (FileNotFoundError, ProcessLookupError):
        return None


def title_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").decode()
    except (FileNotFoundError, ProcessLookupError):
        return None


def fds_of(pid):
    try:
        return {int(fd) for fd in os.listdir(f"/proc/{pid}/fd")}
    except (FileNotFoundError, ProcessLookupError):
        return set()


def socket_of(pid, fd):
    """A socket that another process has open, for this one too."""
    holder = os.pidfd_open(pid)
    try:
        copy = ctypes.CDLL(None, use_errno=True).syscall(438, holder, fd, 0)  # pidfd_getfd, which has this number on all processors
        if copy < 0:
            raise OSError(ctypes.get_errno(), "pidfd_getfd")
        return socket.socket(fileno=copy)
    finally:
        os.close(holder)


def has_client(pid):
    """Whether a child has been given a client, or waits for one."""
    return bool({CONTROL_FD, RELAYED_FD} & fds_of(pid))


def clients_of(listener, kind=None):
    """The processes that have clients."""
    return sorted(child for zygote in zygotes_of(listener, kind) for child in children_of(zygote) if has_client(child))


class ServedFolder:
    """A server on a port of its own that serves a folder of its own; how it is started is the classes' below and in ftp_peers.py.

    put() makes files in it; login() is a logged-in ftplib.FTP, talk() a bare control connection; said() is its log.
    """

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tempoftp-ftpd-"))
        self.root = self.folder / "root"
        self.root.mkdir()
        (self.folder / "outside").write_text("not for clients\n")
        for path in (self.folder, self.root):
            path.chmod(0o755)
            shutil.chown(path, USER, GROUP)
        self.port = free_port()
        self.address = ("127.0.0.1", self.port)
        self.url = f"ftp://{ACCOUNT}:{PASSWORD}@127.0.0.1:{self.port}"
        self.process = None

    def launch(self, *command, env=None, user=None):
        """Starts a command with its output in the log and returns at once."""
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder, env=env,
                                            user=user, group=GROUP if user else None, extra_groups=[])

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=10)
        shutil.rmtree(self.folder)

    def said(self):
        return (self.folder / "log").read_text(errors="replace")

    def put(self, name, content=b"", size=None):
        """Makes a file (with `size` a sparse one) and the folders above it."""
        path = os.path.join(os.fsencode(self.root), os.fsencode(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            if size is not None:
                file.truncate(size)

    def login(self, host="127.0.0.1", timeout=20, user=ACCOUNT, password=PASSWORD):
        ftp = ftplib.FTP(timeout=timeout, encoding="utf-8")
        ftp.connect(host, self.port)
        ftp.login(user, password)
        return ftp

    def talk(self, host="127.0.0.1", login=False):
        talk = Talk((host, self.port))
        if login:
            assert talk.ask(f"USER {ACCOUNT}").startswith("331")
            assert talk.ask(f"PASS {PASSWORD}").startswith("230")
        return talk


def make_certificate(folder):
    """cert.pem and key.pem for 127.0.0.1, signed by themselves; the server's user may read both."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                    "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60, check=True)
    shutil.chown(folder / "key.pem", USER, GROUP)


class FtpServer(ServedFolder):
    """tempoftp-ftpd. options: more of its command line, e.g. ["--write"]; fds: how many it may have open, (soft, hard); settings: its environment."""

    def __init__(self, build, options=(), fds=None, **settings):
        super().__init__()
        # The build may lie in a folder that nobody else can enter.
        self.program, self.child_program = [self.folder / name for name in ("tempoftp-ftpd", "tempoftp-ftp-child")]
        for program in (self.program, self.child_program):
            if (build / "src" / "ftpd" / program.name).exists():  # not with sanitizers
                shutil.copy(build / "src" / "ftpd" / program.name, program)
        self.options = options
        self.before = ["/usr/bin/prlimit", "--nofile={}:{}".format(*fds)] if fds else []
        self.settings = {"TEMPOFTP_FTP_PASV_PORTS": passive_ports()} | settings

    def launch(self, *arguments, user=USER):
        """Starts it with these arguments and returns at once."""
        super().launch(*self.before, self.program, *arguments, env=self.settings, user=user)

    def start(self):
        self.launch("--listen", f"127.0.0.1:{self.port}", "--listen", f"[::1]:{self.port}", "--root", self.root,
                    "--user", f"{ACCOUNT}:{PASSWORD}", *self.options)
        wait_until(lambda: "Serving" in self.said() or self.process.poll() is not None, what="the FTP server to listen")
        assert self.process.poll() is None, self.said()

    def children(self):
        """Process ids of its pre-login children and sessions."""
        return clients_of(self.process.pid)

    def waiting(self):
        """Process ids of those that have no client yet."""
        return sorted(child for zygote in zygotes_of(self.process.pid) for child in children_of(zygote)
                      if not has_client(child) and TICK_FD not in fds_of(child))


class Talk:
    """A control connection, byte by byte if need be."""

    def __init__(self, address, timeout=20):
        self.socket = socket.create_connection(address, timeout=timeout)
        self._file = self.socket.makefile("rb")
        self.greeting = self.reply()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def wrap(self, context):
        """Goes on over TLS: the server has said that it is ready."""
        self._file.close()
        self.socket = context.wrap_socket(self.socket)
        self._file = self.socket.makefile("rb")

    def close(self):
        self._file.close()
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode())

    def secure(self, context):
        """From here on TLS."""
        self._file.close()
        self.socket = context.wrap_socket(self.socket, server_hostname=self.socket.getpeername()[0])
        self._file = self.socket.makefile("rb")

    def reply(self):
        """The next whole reply, lines joined by newlines; "" when the server has closed."""
        lines = []
        while True:
            line = self._file.readline().decode(errors="surrogateescape")
            if not line:
                return ""
            assert line.endswith("\r\n"), line
            lines.append(line[:-2])
            if line[:3] == lines[0][:3] and line[3] == " ":
                return "\n".join(lines)

    def ask(self, command):
        self.send(command + (b"\r\n" if isinstance(command, bytes) else "\r\n"))
        return self.reply()

    def data(self):
        """A data connection by EPSV."""
        port = int(self.ask("EPSV").rpartition("|||")[2].split("|")[0])
        return socket.create_connection((self.socket.getpeername()[0], port), timeout=20)

    def get(self, command):
        """What a command sends over a data connection: (bytes, last reply)."""
        with self.data() as data:
            first = self.ask(command)
            if first[0] != "1":
                return b"", first
            content = b"".join(iter(lambda: data.recv(1 << 16), b""))
        return content, self.reply()


@pytest.fixture
def ftpd(request):
    """A running FtpServer. Settings: @pytest.mark.parametrize("ftpd", [{"options": ["--write"], "TEMPOFTP_…": "…"}], indirect=True)."""
    from conftest import BUILD
    server = FtpServer(BUILD, **getattr(request, "param", {}))
    try:
        server.start()
        yield server
    finally:
        server.stop()
