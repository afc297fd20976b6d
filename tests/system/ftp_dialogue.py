"""Dialogues with an FTP server as data: what a client does step by step, what ours answers, and where a peer differs and why.

A Dialogue is a list of steps, made by say(), send(), get(), put(), begin(), finish()… Every step has the replies that are expected as regular
expressions, one a reply; "" is a connection that the server closed. A step may carry, for a peer, other replies (and other data) with the reason.
Play.run() goes through the steps with one server and returns what is wrong: an answer that nobody explained, or an explanation without a
difference. It knows no particular server.
"""
import dataclasses
import re
import socket
import ssl

from ftp_standalone import ACCOUNT, PASSWORD

STRANGER, READER, WRITER, SECURABLE = "before login", "read-only", "writable", "TLS, before login"


@dataclasses.dataclass
class Outcome:
    """What a step brought: the replies, and the data if any went over a data connection."""
    replies: tuple
    data: object = None

    def fits(self, expected):
        """expected.replies are patterns; expected.data is None (whatever came), bytes, or a pattern of bytes."""
        if len(self.replies) != len(expected.replies):
            return False
        if not all(bool(reply) == bool(pattern) and re.match(pattern, reply) for reply, pattern in zip(self.replies, expected.replies)):
            return False
        if isinstance(expected.data, re.Pattern):
            return self.data is not None and expected.data.fullmatch(self.data) is not None
        return expected.data is None or self.data == expected.data

    def __str__(self):
        replies = " + ".join(repr(reply) for reply in self.replies)
        return replies if self.data is None else f"{replies} with data {str(self.data)[:200]}"


@dataclasses.dataclass
class Step:
    shown: str
    act: object  # act(play) -> Outcome
    expected: Outcome
    differences: dict  # peer -> (Outcome, why)


@dataclasses.dataclass
class Dialogue:
    name: str
    session: str  # STRANGER, READER, WRITER; SECURABLE is STRANGER where there is a certificate
    steps: list
    after: object = None  # after(server): what must hold then, e.g. about files


def _outcome(replies, data=None):
    return Outcome((replies,) if isinstance(replies, str) else tuple(replies), data)


def _step(shown, act, replies, data, peers):
    """peers: pure=("550", "why") or ("226", "why", data), likewise vsftpd; peers=(…) is for both."""
    names = {"pure": ["Pure-FTPd"], "vsftpd": ["vsftpd"], "peers": ["Pure-FTPd", "vsftpd"]}
    differences = {}
    for key, (other, why, *other_data) in peers.items():
        for name in names[key]:
            differences[name] = (_outcome(other, *(other_data or [data])), why)
    return Step(shown, act, _outcome(replies, data), differences)


def _read(play, count):
    return tuple(_reply(play.talk) for _ in range(count))


def _reply(talk):
    try:
        return talk.reply()
    except ConnectionResetError:  # closed before it had read all
        return ""


# ---- steps ----

def send(data, replies, **peers):
    """Raw bytes; one reply each of `replies`, and of a peer's own when it gives more or fewer."""
    def act(play):
        play.talk.send(data)
        return Outcome(_read(play, play.count(replies, peers)))
    return _step(repr(data), act, replies, None, peers)


def say(line, replies, **peers):
    """A command line."""
    data = line if isinstance(line, bytes) else line.encode()
    step = send(data + b"\r\n", replies, **peers)
    step.shown = line if isinstance(line, str) else repr(line)
    return step


def get(line, replies, data=None, how="EPSV", **peers):
    """A command that sends data; `replies` is the last one, after 150 and the data, or the refusal."""
    def act(play):
        connect = play.open_data(how)
        first = play.talk.ask(line)
        if not first.startswith("1"):
            play.drop_data()
            return Outcome((first,))
        content = play.read_data(connect())
        return Outcome((play.talk.reply(),), content)
    return _step(f"{how}, {line!r}", act, replies, data, peers)


def put(line, content, replies, how="EPSV", **peers):
    """A command that takes data."""
    def act(play):
        connect = play.open_data(how)
        first = play.talk.ask(line)
        if not first.startswith("1"):
            play.drop_data()
            return Outcome((first,))
        with connect() as connection:
            connection.sendall(content)
        play.drop_data()
        return Outcome((play.talk.reply(),))
    return _step(f"{how}, {line!r} of {len(content)} bytes", act, replies, None, peers)


def begin(line, replies="1", **peers):
    """A transfer under way: some bytes came, the rest waits until finish() or cut()."""
    def act(play):
        connect = play.open_data("EPSV")
        first = play.talk.ask(line)
        if first.startswith("1"):
            play.data = connect()
            play.data.recv(1000)
        return Outcome((first,))
    return _step(f"{line!r} begins", act, replies, None, peers)


def finish(replies, data=None, **peers):
    """Reads the data to its end, then the replies."""
    def act(play):
        content = play.read_data(play.data, keep=False)
        return Outcome(_read(play, play.count(replies, peers)), content)
    return _step("reading the rest", act, replies, data, peers)


def cut(replies, **peers):
    """The client closes the data connection in the middle."""
    def act(play):
        play.drop_data()
        return Outcome(_read(play, play.count(replies, peers)))
    return _step("the client cuts the data connection", act, replies, None, peers)


def synch(replies, **peers):
    """ABOR as RFC 959 wants it: Telnet IP, and Synch with its Data Mark as urgent data."""
    def act(play):
        play.talk.socket.send(b"\xff\xf4\xff", socket.MSG_OOB)
        play.talk.send(b"\xf2ABOR\r\n")
        return Outcome(_read(play, play.count(replies, peers)))
    return _step("Telnet IP, Synch, ABOR", act, replies, None, peers)


def handshake():
    """TLS on the control connection; the outcome is its version."""
    def act(play):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        play.talk.secure(context)
        return Outcome((play.talk.socket.version(),))
    return _step("TLS handshake", act, "TLSv1.3", None, {})


class Play:
    """One dialogue with one server."""

    def __init__(self, dialogue, server, peer):
        self.dialogue, self.server, self.peer = dialogue, server, peer
        self.data = self.listener = None

    def run(self):
        wrong = []
        self.talk = self.server.talk()
        with self.talk:
            if self.dialogue.session in (READER, WRITER):
                self._login()
            for step in self.dialogue.steps:
                outcome = step.act(self)
                wrong += self._judge(step, outcome)
            self.drop_data()
            if not wrong and outcome.replies[-1:] != ("",):
                wrong += self._in_step()
        return wrong

    def _login(self):
        assert self.talk.ask(f"USER {ACCOUNT}").startswith("331")
        assert self.talk.ask(f"PASS {PASSWORD}").startswith("230")

    def _judge(self, step, outcome):
        difference, why = step.differences.get(self.peer, (None, None))
        expected = difference or step.expected
        if difference and outcome.fits(step.expected):
            return [f"{step.shown}: answers as ours does ({outcome}); no longer true: {why!r}"]
        return [] if outcome.fits(expected) else [f"{step.shown}: expected {expected}, got {outcome}"]

    def _in_step(self):
        """One command, one reply: what comes now is the answer to what is asked now."""
        reply = self.talk.ask("FEAT")
        return [] if reply.startswith("211") else [f"at the end FEAT is answered {reply!r}"]

    def count(self, replies, peers):
        """How many replies to wait for: the peer's own number when it is explained."""
        mine = {"Pure-FTPd": "pure", "vsftpd": "vsftpd"}.get(self.peer)
        for key in (mine, "peers" if mine else None):
            if key in peers:
                replies = peers[key][0]
        return 1 if isinstance(replies, str) else len(replies)

    # -- data connections --

    def open_data(self, how):
        """Asks for one; returns a function that gives the connected socket once the server has begun."""
        self.drop_data()
        host = self.talk.socket.getpeername()[0]
        if how in ("PORT", "EPRT"):
            self.listener = socket.create_server((host, 0))
            self.listener.settimeout(20)
            port = self.listener.getsockname()[1]
            numbers = f"{host.replace('.', ',')},{port >> 8},{port & 255}"
            assert self.talk.ask(f"PORT {numbers}" if how == "PORT" else f"EPRT |1|{host}|{port}|").startswith("200")
            return self._accept
        reply = self.talk.ask(how)
        if how == "PASV":
            numbers = [int(number) for number in re.search(r"(\d+,){5}\d+", reply)[0].split(",")]
            port = numbers[4] * 256 + numbers[5]
        else:
            port = int(reply.rpartition("|||")[2].split("|")[0])
        self.data = socket.create_connection((host, port), timeout=20)
        return lambda: self.data

    def _accept(self):
        self.data, _ = self.listener.accept()
        self.data.settimeout(20)
        return self.data

    def read_data(self, connection, keep=True):
        """Until its end: the bytes, or with keep=False only whether it was cut (b"cut") or ended (b"ended")."""
        pieces = []
        try:
            while piece := connection.recv(1 << 20):
                if keep:
                    pieces.append(piece)
        except ConnectionResetError:
            return b"cut"
        finally:
            self.drop_data()
        return b"".join(pieces) if keep else b"ended"

    def drop_data(self):
        for end in (self.data, self.listener):
            if end:
                end.close()
        self.data = self.listener = None
