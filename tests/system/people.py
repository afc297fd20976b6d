"""Users of the API under test: a simulator with access control, by both of its doors, and people who log in to it.

    world = World(BUILD); world.start()
    ana = world.user("ana"); ana.get("/tmpftp")          with her token, over TCP
    world.operator.get("/api/usuarios")                  over the Unix socket, as root
"""
import base64
import hashlib
import hmac
import json

import client
from simulator import Simulator

JWT_KEY = "a-key-for-tests-of-more-than-32-characters"
PASSWORD = "una clave muy larga"


class Person(client.Api):
    """Somebody with a token: an Api whose calls carry it. token may be altered or None."""

    def __init__(self, connect, email, token):
        super().__init__(connect)
        self.email = email
        self.token = token

    def open(self, method, path, json=None, body=None, headers=None, timeout=30):
        authorization = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return super().open(method, path, json, body, {**authorization, **(headers or {})}, timeout)


class World(Simulator):
    """The simulator itself is the door of TCP without a token; `operator` the Unix socket. Restarts keep both."""

    def __init__(self, build, **settings):
        super().__init__(build, {"TEMPOFTP_AUTH": "required", "TEMPOFTP_JWT_KEY": JWT_KEY, "TEMPOFTP_ORIGENES": "origen", **settings})
        self.socket = self.folder / "api.sock"
        self.arguments = ["--listen", self.socket]
        self.operator = client.Api(lambda timeout: client.UnixConnection(str(self.socket), timeout))

    def launch(self, *arguments):
        self.socket.unlink(missing_ok=True)
        super().launch(*arguments)

    def user(self, name, role="usuario"):
        """A new active user name@example.org, logged in."""
        email = f"{name}@example.org"
        made = self.operator.post("/auth/register", {"nombre": name, "correo": email, "password": PASSWORD})
        assert made.status == 200 and made.json["is_active"], made
        if role != "usuario":
            assert self.operator("PATCH", f"/api/usuarios/{email}", {"rol": role}).status == 200
        return self.login(email)

    def login(self, email, password=PASSWORD):
        """Over the Unix socket, where nobody counts how often."""
        reply = self.operator.post("/auth/login", {"correo": email, "password": password})
        assert reply.status == 200, reply
        return Person(self._connect, email, reply.json["access_token"])

    def with_token(self, token):
        """Whoever shows that, over TCP."""
        return Person(self._connect, None, token)


# ---- tokens made by hand ---------------------------------------------------------------------------------

def b64(data):
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def claims_of(token):
    return json.loads(unb64(token.split(".")[1]))


def signed(header, claims, key=JWT_KEY, digest=hashlib.sha256):
    """A token of any header and claims (dictionaries or bytes) with an HMAC of that key."""
    parts = [part if isinstance(part, bytes) else json.dumps(part, separators=(",", ":")).encode() for part in (header, claims)]
    text = ".".join(map(b64, parts))
    return f"{text}.{b64(hmac.new(key.encode(), text.encode(), digest).digest())}"
