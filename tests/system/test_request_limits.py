"""How large a request may be, how long it may take to come, and how many connections there may be: each limit has its own answer, in the form of all others."""
import http.client
import json
import re
import socket
import ssl
import struct
import subprocess
import time

import pytest

import client
from conftest import BUILD
from https import Https, any_certificate
from machine import wait_until
from people import World

TEXTS = {400: "Solicitud incorrecta", 408: "La solicitud tardó demasiado en llegar", 413: "Cuerpo demasiado grande", 414: "URL demasiado larga",
         429: "Demasiadas solicitudes", 431: "Cabeceras demasiado grandes", 503: "Servicio no disponible"}
UUID4 = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n"
BODY_HEAD = b"POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def world():
    world = World(BUILD, TEMPOFTP_RATE_LIMIT_LOGIN="100000/second")
    yield world.start()
    world.remove()


@pytest.fixture
def small_world():
    """Few connections, and a proxy."""
    world = World(BUILD, TEMPOFTP_MAX_CONNECTIONS="12", TEMPOFTP_MAX_PER_ADDRESS="4", TEMPOFTP_PROXIES="127.0.0.9")
    yield world.start()
    world.remove()


def connect(world, source="127.0.0.1", timeout=90):
    return socket.create_connection(("127.0.0.1", world.port), timeout=timeout, source_address=(source, 0))


class Answer(client.Reply):
    """What came over a socket until it ended; a socket that was reset has lost something."""

    def __init__(self, connection):
        response = http.client.HTTPResponse(connection)
        response.begin()
        super().__init__(response)
        self.rest = connection.recv(1)


def assert_refused(answer, status):
    """In the form of all others, and the connection ends with it."""
    assert (answer.status, answer.json) == (status, {"detail": TEXTS[status]})
    assert answer.headers["Content-Type"] == "application/json" and answer.headers["Connection"] == "close"
    assert re.fullmatch(UUID4, answer.headers["X-Request-ID"])
    assert answer.headers["Content-Security-Policy"] and answer.headers["Cache-Control"] == "no-store" and answer.headers["Date"]
    assert ("Retry-After" in answer.headers) == (status in (429, 503))
    assert answer.rest == b""


def send_all(connection, data):
    """As much as the server takes."""
    try:
        connection.sendall(data)
    except (BrokenPipeError, ConnectionResetError):
        pass


# ---- sizes, HTTP/1 ----------------------------------------------------------------------------------------

# What is sent (more than the socket's buffers hold, where it says so) -> the status that ends it.
LARGE = {
    "a target of 8193 bytes": (b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n" % (b"a" * 8192), 414),
    "a query of 9000 bytes": (b"GET /?%s HTTP/1.1\r\nHost: x\r\n\r\n" % (b"a" * 9000), 414),
    "a target without end": (b"GET /" + b"a" * 3_000_000, 414),
    "a header of 33 KB": (HEAD + b"A: %s\r\n\r\n" % (b"x" * 33_000), 431),
    "headers of 40 KB": (HEAD + b"A: %s\r\n" % (b"x" * 1000) * 40 + b"\r\n", 431),
    "101 headers": (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 101 + b"\r\n", 431),
    "a header without end": (HEAD + b"A: " + b"x" * 3_000_000, 431),
    "headers without end": (HEAD + b"A: b\r\n" * 500_000, 431),
    "a length of 64 KiB and a byte": (BODY_HEAD + b"Content-Length: 65537\r\n\r\n" + b" " * 65_537, 413),
    "a length of 3 MB": (BODY_HEAD + b"Content-Length: 3000000\r\n\r\n" + b" " * 900_000, 413),
    "chunks without end": (BODY_HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"1000\r\n%s\r\n" % (b" " * 4096) * 200, 413),
    "no HTTP at all": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n\n" + b"\x00" * 500, 400),
    "a version that is not there": (b"GET / HTTP/3.0\r\n\r\n", 400),
    "a header without a name": (HEAD + b": x\r\n\r\n", 400),
    "a header on two lines": (HEAD + b"A: x\r\n y\r\n\r\n", 400),
    "a control character": (HEAD + b"A: \x00\r\n\r\n", 400),
    "two lengths": (BODY_HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400),
    "a length and chunks": (BODY_HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "a length that is none": (BODY_HEAD + b"Content-Length: x\r\n\r\n", 400),
    "chunks that are none": (BODY_HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
}


@pytest.mark.parametrize("name", LARGE)
@pytest.mark.parametrize("before", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"], ids=["first", "second"])
def test_what_is_too_large_or_no_request_is_answered(world, name, before):
    """Also when the client sends on and on: it gets to read why. And when an earlier request of the connection was fine."""
    data, status = LARGE[name]
    with connect(world) as connection:
        if before:
            connection.sendall(before)
            reply = http.client.HTTPResponse(connection)
            reply.begin()
            assert reply.read() == b'{"status":"active"}'
        send_all(connection, data)
        assert_refused(Answer(connection), status)


def test_what_is_just_within_the_limits_is_read(world):
    for data in (b"GET /%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % (b"a" * 8191),
                 b"GET /nothing HTTP/1.1\r\nConnection: close\r\n" + b"A: b\r\n" * 99 + b"\r\n",
                 b"GET /nothing HTTP/1.1\r\nConnection: close\r\nA: %s\r\n\r\n" % (b"x" * 32_000)):
        with connect(world) as connection:
            connection.sendall(data)
            assert Answer(connection).status == 404


def test_requests_in_one_piece_with_the_one_before_have_the_same_limits(world):
    with connect(world) as connection:
        connection.sendall(HEAD + b"\r\n" + b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n" % (b"a" * 9000) + HEAD + b"Connection: close\r\n\r\n")
        data = b""
        while piece := connection.recv(65536):
            data += piece
    assert re.findall(rb"HTTP/1.1 (\d+) ", data) in ([b"200", b"414", b"200"], [b"200", b"414"])
    assert TEXTS[414].encode() in data


# ---- sizes, HTTP/2 ----------------------------------------------------------------------------------------

def curl2(world, *options):
    done = subprocess.run(["curl", "--silent", "--show-error", "--max-time", "60", "--http2-prior-knowledge", "--write-out", " %{response_code}", *options],
                          stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, check=True)
    body, _, status = done.stdout.rpartition(" ")
    return int(status), json.loads(body)


@pytest.mark.parametrize("status, options, path", [
    (414, [], "/" + "a" * 8192),
    (431, ["--header", "A: " + "x" * 33_000], "/"),
    (431, [part for n in range(101) for part in ("--header", f"a{n}: b")], "/"),
], ids=["target", "header", "headers"])
def test_the_same_over_http2(world, status, options, path):
    assert curl2(world, *options, f"http://127.0.0.1:{world.port}{path}") == (status, {"detail": TEXTS[status]})


# ---- over TLS ---------------------------------------------------------------------------------------------

@pytest.fixture
def served(simulator):
    https = Https(simulator(started=False))
    https.renew("first")
    https.service.settings.update(TEMPOFTP_MAX_PER_ADDRESS="4", TEMPOFTP_RATE_LIMIT_LOGIN="100000/second")
    https.service.start()
    return https


def say_with_the_handshakes_end(https, data):
    """What comes back when the request is in one piece with the client's last word of the handshake."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with https.connect() as connection:
        tls = any_certificate("http/1.1").wrap_bio(incoming, outgoing, server_hostname="localhost")
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                connection.sendall(outgoing.read())
                incoming.write(connection.recv(65536))
        tls.write(data)
        connection.sendall(outgoing.read())
        answer = b""
        while True:
            try:
                piece = tls.read(65536)
            except ssl.SSLWantReadError:
                more = connection.recv(65536)
                if not more:
                    return answer
                incoming.write(more)
                continue
            except ssl.SSLZeroReturnError:
                return answer
            if not piece:
                return answer
            answer += piece


def test_the_same_over_tls(served):
    for name in ("a target of 8193 bytes", "101 headers", "a header on two lines", "a length of 3 MB"):
        data, status = LARGE[name]
        with served.connect_tls("http/1.1") as connection:
            send_all(connection, data[:60_000])
            response = http.client.HTTPResponse(connection)
            response.begin()
            assert (response.status, json.loads(response.read())) == (status, {"detail": TEXTS[status]})
            assert response.headers["Strict-Transport-Security"]
        if len(data) < 10_000:
            answer = say_with_the_handshakes_end(served, data)
            assert answer.startswith(b"HTTP/1.1 %d " % status) and TEXTS[status].encode() in answer
    assert b'{"status":"active"}' in say_with_the_handshakes_end(served, HEAD + b"Connection: close\r\n\r\n")


def test_over_tls_one_connection_too_many_is_closed(served):
    held = [hold_tls(served) for _ in range(4)]
    with served.connect() as more:
        assert more.recv(1) == b""
    assert "127.0.0.1 has as many connections as one address may" in served.service.said()
    for connection in held:
        connection.close()
    hold_tls(served).close()


# ---- time -------------------------------------------------------------------------------------------------

def drip(connections, piece, until):
    """A byte now and then over all of them, until each has ended; what each was told."""
    told, open_ones = {}, dict(connections)
    while open_ones and time.monotonic() < until:
        for name, connection in list(open_ones.items()):
            try:
                connection.sendall(piece[name])
            except (BrokenPipeError, ConnectionResetError):
                pass
            connection.settimeout(0.2)
            try:
                data = connection.recv(65536)
            except TimeoutError:
                continue
            except ConnectionResetError:
                data = b""
            told[name] = told.get(name, b"") + data
            if not data:
                del open_ones[name]
    return told


def test_slow_requests_are_cut_with_an_answer_however_they_drip(world):
    """Slowloris in the request line, the headers, a body of known length, chunks; HTTP/2 in a frame's head, and in a body."""
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + struct.pack(">I", 0)[1:] + b"\x04\x00" + struct.pack(">I", 0)
    # :method POST, :scheme http, :path / by index of HPACK's static table; the body is never ended
    headers = b"\x83\x86\x84"
    stream = struct.pack(">I", len(headers))[1:] + b"\x01\x04" + struct.pack(">I", 1) + headers
    data = struct.pack(">I", 1)[1:] + b"\x00\x00" + struct.pack(">I", 1) + b" "
    began = {
        "line": b"G", "headers": HEAD, "body": BODY_HEAD + b"Content-Length: 10000\r\n\r\n{", "chunks": BODY_HEAD + b"Transfer-Encoding: chunked\r\n\r\n",
        "frame": preface + struct.pack(">I", 16_000)[1:] + b"\x00\x00" + struct.pack(">I", 1), "stream": preface + stream,
    }
    piece = {"line": b"E", "headers": b"a", "body": b" ", "chunks": b"1\r\n \r\n", "frame": b"", "stream": data}
    piece["frame"] = b"x"
    connections = {name: connect(world) for name in began}
    for name, connection in connections.items():
        connection.sendall(began[name])
    told = drip(connections, piece, time.monotonic() + 120)
    for connection in connections.values():
        connection.close()
    assert set(told) == set(began), "all have ended"
    for name in ("line", "headers", "body", "chunks"):
        assert told[name].startswith(b"HTTP/1.1 408 Request Timeout\r\n") and TEXTS[408].encode() in told[name], name
    assert world.get("/").status == 200


def test_a_stream_that_never_ends_beside_others_that_do_ends_its_connection(world):
    """Requests that are made over and over keep an HTTP/2 connection busy; a body that drips beside them is not forgotten for that."""
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + struct.pack(">I", 0)[1:] + b"\x04\x00" + struct.pack(">I", 0)
    post = struct.pack(">I", 3)[1:] + b"\x01\x04" + struct.pack(">I", 1) + b"\x83\x86\x84"
    with connect(world) as connection:
        connection.sendall(preface + post)
        ended, number, answers = False, 3, 0
        limit = time.monotonic() + 120
        while not ended and time.monotonic() < limit:
            get = struct.pack(">I", 3)[1:] + b"\x01\x05" + struct.pack(">I", number) + b"\x82\x86\x84"
            drop = struct.pack(">I", 1)[1:] + b"\x00\x00" + struct.pack(">I", 1) + b" "
            number += 2
            try:
                connection.sendall(get + drop)
                connection.settimeout(1)
                data = connection.recv(65536)
                answers += data.count(b'{"status":"active"}')
                ended = not data
            except TimeoutError:
                pass
            except (BrokenPipeError, ConnectionResetError):
                ended = True
            time.sleep(0.3)
    assert ended and answers > 5


def test_many_bodies_begun_at_once_end_their_connection(world):
    """HTTP/2 lets a client begin a hundred requests; their bodies together are no more than some that are whole."""
    def frame(kind, flags, stream, payload):
        return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload

    def begin(streams, ends):
        """Bodies of 16,000 bytes: are they answered, or does the connection end?"""
        with connect(world) as connection:
            connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b""))
            connection.settimeout(0.1)
            answers = b""
            for n in range(streams):
                try:
                    connection.sendall(frame(1, 4, 2 * n + 1, b"\x83\x86\x84") + frame(0, 1 if ends else 0, 2 * n + 1, b" " * 16_000))
                    answers += connection.recv(65536)
                except TimeoutError:
                    continue
                except (BrokenPipeError, ConnectionResetError):
                    return "ended"
            connection.settimeout(8)
            try:
                while not ends or answers.count(b"todo no permitido") < streams:
                    piece = connection.recv(65536)
                    if not piece:
                        return "ended"
                    answers += piece
            except TimeoutError:
                return "waits"
            except ConnectionResetError:
                return "ended"
            return "answered"

    assert begin(60, ends=True) == "answered"
    assert begin(5, ends=False) == "waits"
    assert begin(60, ends=False) == "ended"


def test_idle_connections_end_without_a_word(world):
    with connect(world) as fresh, connect(world) as used:
        used.sendall(HEAD + b"\r\n")
        reply = http.client.HTTPResponse(used)
        reply.begin()
        assert reply.read()
        assert fresh.recv(1) == used.recv(1) == b""


def test_an_answer_that_nobody_reads_is_given_up(small_world):
    """A client that asks and asks and reads nothing holds its connection for a while, not for ever."""
    folder = f"/proc/{small_world.process.pid}/fd"
    hold(small_world, "127.0.0.3").close()
    before = len(subprocess.check_output(["ls", folder]).split())
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", small_world.port))
        deaf.setblocking(False)
        try:
            while True:
                deaf.send((HEAD + b"\r\n") * 100)
        except BlockingIOError:
            pass
        wait_until(lambda: len(subprocess.check_output(["ls", folder]).split()) <= before, 180, "its connection is gone")
        assert small_world.get("/").status == 200


# ---- how many ---------------------------------------------------------------------------------------------

def is_open(connection):
    connection.sendall(HEAD + b"\r\n")
    reply = http.client.HTTPResponse(connection)
    reply.begin()
    return reply.status == 200 and reply.read() == b'{"status":"active"}'


def hold(world, source):
    """An open connection; the service may not have seen yet that another one has ended."""
    def open_one():
        connection = connect(world, source)
        if is_open(connection):
            return connection
        connection.close()
        return None

    return wait_until(open_one, 30, f"{source} has a connection")


def while_held(world, sources, look):
    """look() while each of `sources` has a connection; once more when one of them has ended by idling, on a machine that was slow to get here."""
    def attempt():
        held = [hold(world, source) for source in sources]
        try:
            result = look()
            return result if all(is_open(connection) for connection in held) else None
        except (OSError, http.client.HTTPException):
            return None
        finally:
            for connection in held:
                connection.close()

    return wait_until(attempt, 120, "all are held at the same time")


def one_more(world, source):
    with connect(world, source, timeout=5) as connection:
        return Answer(connection)


def hold_tls(https):
    def open_one():
        try:
            connection = https.connect_tls("http/1.1")
        except OSError:  # SSLError too
            return None
        return connection if is_open(connection) else None

    return wait_until(open_one, 30, "there is room for a connection over TLS")


def test_one_address_has_so_many_connections_and_another_its_own(small_world):
    def look():
        hold(small_world, "127.0.0.3").close()
        return one_more(small_world, "127.0.0.2")

    assert_refused(while_held(small_world, ["127.0.0.2"] * 4, look), 429)
    hold(small_world, "127.0.0.2").close()
    assert "127.0.0.2 has as many connections as one address may" in small_world.said()


def test_a_proxy_of_ours_is_not_one_client(small_world):
    through = [hold(small_world, "127.0.0.9") for _ in range(10)]
    for connection in through:
        connection.close()


def test_all_together_have_so_many_and_operators_get_in_all_the_same(small_world):
    def look():
        assert small_world.operator.get("/tmpftp").status == 200
        return one_more(small_world, "127.0.2.1"), one_more(small_world, "127.0.0.9")

    for answer in while_held(small_world, [f"127.0.1.{n // 4}" for n in range(12)], look):
        assert_refused(answer, 503)
    hold(small_world, "127.0.2.1").close()


def test_a_flood_of_connections_is_answered_and_forgotten(small_world):
    """Every one of them is told; none stays, and what the service holds open goes back to what it was."""
    folder = f"/proc/{small_world.process.pid}/fd"
    before = len(subprocess.check_output(["ls", folder]).split())

    def look():
        told = []
        for _ in range(300):
            with connect(small_world, "127.0.0.2", timeout=5) as more:
                told.append(more.recv(12))
        return told

    assert set(while_held(small_world, ["127.0.0.2"] * 4, look)) == {b"HTTP/1.1 429"}
    wait_until(lambda: len(subprocess.check_output(["ls", folder]).split()) <= before, 60, "all are closed")
    small_world.stop()
