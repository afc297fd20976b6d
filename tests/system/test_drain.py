"""A stop or a restart drops no request: whoever has begun to ask is answered, everybody else is told to come again."""
import http.client
import json
import signal
import socket
import ssl

import pytest

from http2 import GOAWAY, SETTINGS, Http2, goaway
from https import Https, any_certificate
from machine import wait_until

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
STREAM = {"Accept": "text/event-stream"}


@pytest.fixture
def https(simulator):
    https = Https(simulator(started=False))
    https.renew("first")
    return https


@pytest.fixture(params=["http", "https"])
def way(request, https):
    """How a test comes to the service: connect() gives a socket that speaks HTTP/1.1, or what is named."""
    https.service.start()
    https.way = request.param
    return https


def connect(way, *protocols):
    if way.way == "https":
        return way.connect_tls(*protocols)
    return socket.create_connection(("127.0.0.1", way.service.port), timeout=60)


def answer(connection):
    response = http.client.HTTPResponse(connection)
    response.begin()
    return response.status, response.headers["Connection"], response.read()


def begin_drain(service, port):
    """SIGTERM, and it accepts nobody any more."""
    def refused():
        try:
            socket.create_connection(("127.0.0.1", port), timeout=60).close()
        except (ConnectionRefusedError, ConnectionResetError):  # reset: it closed while we were in its queue
            return True
        return False
    service.process.send_signal(signal.SIGTERM)
    wait_until(refused, 60, what="the drain")


def ends(service):
    assert service.process.wait(timeout=60) == 0, service.said()


@pytest.fixture
def held(way):
    """A drain that goes on: there is a request without the end of its body. The fixture's value ends it."""
    def end():
        slow.sendall(b"}")
        assert answer(slow)[0] == 422
        slow.close()
    slow = connect(way)
    slow.sendall(b"POST /tmpftp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{")
    return end


def test_half_a_request_may_be_ended_and_is_answered(way):
    with connect(way) as slow:
        slow.sendall(GET[:20])
        way.api.get("/")  # the service has read it
        begin_drain(way.service, way.service.port)
        slow.sendall(GET[20:])
        assert answer(slow) == (200, "close", b'{"status":"active"}')
    ends(way.service)


def test_half_a_body_may_be_ended_and_is_answered(way, held):
    way.api.get("/")
    begin_drain(way.service, way.service.port)
    held()
    ends(way.service)


def test_a_connection_that_is_kept_alive_learns_with_its_next_answer_that_it_ends(way, held):
    with connect(way) as kept:
        kept.sendall(GET)
        assert answer(kept) == (200, "keep-alive", b'{"status":"active"}')
        begin_drain(way.service, way.service.port)
        kept.sendall(GET)
        assert answer(kept) == (200, "close", b'{"status":"active"}')
        assert kept.recv(1) == b""
        held()
    ends(way.service)


def test_who_has_just_connected_is_answered(way):
    with connect(way) as fresh:
        way.api.get("/")  # the service has accepted it
        begin_drain(way.service, way.service.port)
        fresh.sendall(GET)
        assert answer(fresh) == (200, "close", b'{"status":"active"}')
    ends(way.service)


def test_who_keeps_a_connection_and_says_nothing_does_not_hold_it_up(way):
    with connect(way) as kept, connect(way):
        kept.sendall(GET)
        answer(kept)
        begin_drain(way.service, way.service.port)
        ends(way.service)


def http2(way):
    return Http2(connect(way, "h2"))


def test_http2_is_told_twice_and_loses_nothing(way, held):
    client = http2(way)
    client.get(1, "/")
    assert client.body(1) == b'{"status":"active"}'
    begin_drain(way.service, way.service.port)
    first = client.frames_until(lambda kind, *_: kind == GOAWAY)[-1]
    assert goaway(first[3]) == (2**31 - 1, 0), "soon; what is on its way will be heard"
    client.get(3, "/")
    assert client.body(3) == b'{"status":"active"}'
    second = client.frames_until(lambda kind, *_: kind == GOAWAY)[-1]
    assert goaway(second[3]) == (3, 0), "what was heard"
    assert all(frame[0] == SETTINGS for frame in iter(client.frame, None)), "and then it is closed"
    held()
    ends(way.service)


def test_an_http2_connection_at_rest_is_told_before_it_is_closed(way):
    client = http2(way)
    client.get(1, "/")
    client.body(1)
    begin_drain(way.service, way.service.port)
    told = [goaway(payload) for kind, _, _, payload in iter(client.frame, None) if kind == GOAWAY]
    assert told == [(2**31 - 1, 0), (1, 0)]
    ends(way.service)


# ---- handshakes -------------------------------------------------------------------------------------

def test_a_handshake_under_way_is_ended_and_its_request_answered(https):
    https.service.start()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = any_certificate("h2", "http/1.1").wrap_bio(incoming, outgoing, server_hostname="localhost")
    with https.connect() as connection:
        with pytest.raises(ssl.SSLWantReadError):
            tls.do_handshake()
        connection.sendall(outgoing.read())
        incoming.write(connection.recv(65536))  # the server is in the middle of it
        begin_drain(https.service, https.port)

        def complete(call, *arguments):
            while True:
                try:
                    result = call(*arguments)
                    connection.sendall(outgoing.read())
                    return result
                except ssl.SSLWantReadError:
                    connection.sendall(outgoing.read())
                    piece = connection.recv(65536)
                    assert piece
                    incoming.write(piece)
        complete(tls.do_handshake)
        assert tls.selected_alpn_protocol() == "h2", "decided before the drain"
        complete(tls.write, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0" + b"\0\0\x0e\1\5\0\0\0\1\x82\x87\x84\x41\x09localhost")
        seen = b""
        while b'{"status":"active"}' not in seen:
            seen += complete(tls.read, 65536)
    ends(https.service)


def test_who_shakes_hands_during_the_drain_gets_a_connection_that_ends_with_its_answer(https):
    https.service.start()
    with https.connect() as plain:
        https.api.get("/")  # the service has accepted it
        begin_drain(https.service, https.port)
        with any_certificate("h2", "http/1.1").wrap_socket(plain) as connection:
            assert connection.selected_alpn_protocol() == "http/1.1"
            connection.sendall(GET)
            assert answer(connection) == (200, "close", b'{"status":"active"}')
    ends(https.service)


def test_who_shakes_hands_during_the_drain_and_speaks_http2_only_is_answered(https):
    https.service.start()
    with https.connect() as plain:
        https.api.get("/")
        begin_drain(https.service, https.port)
        with any_certificate("h2").wrap_socket(plain) as connection:
            client = Http2(connection)
            client.get(1, "/")
            assert client.body(1) == b'{"status":"active"}'
    ends(https.service)


# ---- event streams ----------------------------------------------------------------------------------

def read_events(response):
    """The ids of a stream that has to end as HTTP says (else: IncompleteRead, or an SSLError)."""
    text = response.read().decode()
    return [int(line.removeprefix("id: ")) for line in text.splitlines() if line.startswith("id: ")]


@pytest.mark.parametrize("over", ["http", "https"])
def test_an_event_stream_ends_so_that_it_can_be_resumed(https, over):
    https.service.settings["TEMPOFTP_SIM_DELAY_MS"] = 3_600_000  # it stays on its way
    api = {"http": https.service, "https": https.api}[over]
    https.service.start()
    https.service.submit("pedido")
    with api.open("GET", "/tmpftp/pedido/eventos", headers=STREAM, timeout=60) as response:
        assert response.readline() == b"retry: 5000\n"
        begin_drain(https.service, https.service.port)
        seen = read_events(response)
        assert seen
    ends(https.service)
    https.service.settings.update(TEMPOFTP_SIM_DELAY_MS=0, TEMPOFTP_SIM_FORCE="fail")
    https.service.start()
    with api.open("GET", "/tmpftp/pedido/eventos", headers={**STREAM, "Last-Event-ID": str(seen[-1])}, timeout=60) as response:
        later = read_events(response)
    every = [event["n"] for event in https.service.get("/tmpftp/pedido/eventos").json["eventos"]]
    assert seen + later == every and later


def test_an_event_stream_that_begins_during_the_drain_says_what_there_is_and_ends(way, held):
    way.service.submit("pedido")
    with connect(way) as fresh:
        way.api.get("/")
        begin_drain(way.service, way.service.port)
        fresh.sendall(b"GET /tmpftp/pedido/eventos HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n")
        status, connection, body = answer(fresh)
    assert (status, connection) == (200, "close") and b"event: estado" in body
    held()
    ends(way.service)


def test_what_was_asked_before_the_end_is_done(way, held):
    with connect(way) as fresh:
        way.api.get("/")
        begin_drain(way.service, way.service.port)
        body = json.dumps(way.service.fresh_request("pedido")).encode()
        fresh.sendall(b"POST /tmpftp HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        status, _, answered = answer(fresh)
        assert status in (200, 202) and json.loads(answered)["id"] == "pedido"
    held()
    ends(way.service)
    way.service.start()
    wait_until(lambda: way.service.state_of("pedido") == "listo", 60)
