"""How people reach tempoftp: the HTTP API over its Unix socket or TCP, and FTP. Also checksums of what they got.

Addresses are the machine's own: see Machine._enter().
"""
import contextlib
import ftplib
import hashlib
import http.client
import json as json_module
import pathlib
import socket

import cryptography.fernet

from machine import wait_until

API_SOCKET = "/run/tempoftp/api.sock"
API_ADDRESS = ("127.0.0.1", 9043)
FTP_ADDRESS = ("127.0.0.1", 21)
DEAD_ENDS = {"error", "expirado", "gone"}


class Reply:
    """An HTTP answer: status, headers (case-insensitive), body (bytes), text, json."""

    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json_module.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.body[:300]!r}>"


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Api:
    """One way to the API; every call opens a connection of its own.

    api("GET", "/health") or api.get("/health"); api.post("/tmpftp", {...}): `json` may be any value, `body` raw bytes.
    """

    def __init__(self, connect):
        self._connect = connect

    def __call__(self, method, path, json=None, body=None, headers=None, timeout=30):
        with self.open(method, path, json, body, headers, timeout) as response:
            return Reply(response)

    @contextlib.contextmanager
    def open(self, method, path, json=None, body=None, headers=None, timeout=30):
        """The same, but yields the http.client response while it still comes in (event streams)."""
        headers = dict(headers or {})
        if json is not None:
            body = json_module.dumps(json).encode()
            headers.setdefault("Content-Type", "application/json")
        connection = self._connect(timeout)
        try:
            # A server may answer and close before it has read a body that it won't take.
            with contextlib.suppress(BrokenPipeError):
                connection.request(method, path, body=body, headers=headers)
            yield connection.getresponse()
        finally:
            connection.close()

    def get(self, path, **options):
        return self("GET", path, **options)

    def post(self, path, json=None, **options):
        return self("POST", path, json, **options)

    def delete(self, path, **options):
        return self("DELETE", path, **options)


def unix_api(machine):
    """The API over its Unix socket, as root: an operator without token and without rate limits."""
    return Api(lambda timeout: UnixConnection(str(machine.file(API_SOCKET)), timeout))


def tcp_api(address=API_ADDRESS):
    """The API as portals reach it."""
    return Api(lambda timeout: http.client.HTTPConnection(*address, timeout=timeout))


def wait_for(api, id, state, timeout=60):
    """Waits until request `id` is in `state` and returns its answer ("gone": the 404). Where only DELETE leads on (`error`,
    `expirado`) or the request is gone, it fails at once, with the answer."""
    def arrived():
        reply = api.get(f"/tmpftp/{id}")
        now = "gone" if reply.status == 404 else reply.json["status"]
        if now == state:
            return reply if now == "gone" else reply.json
        if now in DEAD_ENDS and state != "gone":
            raise RuntimeError(f"{id} is {now} instead of {state}: {reply}")
        return None

    return wait_until(arrived, timeout, what=f"request {id} in state {state}")


def decrypt(machine, token):
    """The password behind a Fernet token, with the machine's key."""
    keys = machine.file("/etc/tempoftp/encryption.key").read_text().strip().split(",")
    fernet = cryptography.fernet.MultiFernet([cryptography.fernet.Fernet(key) for key in keys])
    return fernet.decrypt(token.encode()).decode()


def ftp_login(machine, answer, address=FTP_ADDRESS, timeout=30):
    """A logged-in ftplib.FTP for a `listo` answer. Close it, or use it in a `with`."""
    ftp = ftplib.FTP(timeout=timeout, encoding="utf-8")
    ftp.connect(*address)
    ftp.login(answer["ftpuser"], decrypt(machine, answer["password"]))
    return ftp


def fetch(ftp, path):
    """The bytes of one file."""
    pieces = []
    ftp.retrbinary(f"RETR {path}", pieces.append)
    return b"".join(pieces)


def checksums(folder):
    """{relative path: SHA-256} of every file below a folder."""
    folder = pathlib.Path(folder)
    sums = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            with open(path, "rb") as file:
                sums[str(path.relative_to(folder))] = hashlib.file_digest(file, "sha256").hexdigest()
    return sums
