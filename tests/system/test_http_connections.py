"""How clients may speak to the API: HTTP/1.1 and HTTP/2, kept alive, pipelined, slowly, many at once."""
import concurrent.futures
import http.client
import json
import socket
import subprocess
import time

import pytest

from machine import wait_until

BODY = b'{"usuario":"ana@example.org","id":"%s","ruta":"origen:/datos"}'


@pytest.fixture
def service(simulator):
    return simulator()


def connect(service):
    return socket.create_connection(("127.0.0.1", service.port), timeout=20)


def read_all(connection):
    pieces = []
    while piece := connection.recv(65536):
        pieces.append(piece)
    return b"".join(pieces)


def post(id):
    body = BODY % id.encode()
    return (b"POST /tmpftp HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)) + body


def curl(service, *options):
    done = subprocess.run(["curl", "--silent", "--show-error", "--max-time", "20", *options], stdout=subprocess.PIPE,
                          stdin=subprocess.DEVNULL, check=True, text=True)
    return done.stdout


@pytest.mark.parametrize("version", ["--http2-prior-knowledge", "--http2"], ids=["prior-knowledge", "upgrade"])
def test_http2_is_spoken(service, version):
    shown = curl(service, version, "--write-out", " %{http_version} %{response_code}", f"http://127.0.0.1:{service.port}/")
    assert shown == '{"status":"active"} 2 200'


def test_requests_are_made_over_http2(service):
    shown = curl(service, "--http2-prior-knowledge", "--header", "Content-Type: application/json", "--header", "X-Request-ID: h2",
                 "--data-binary", (BODY % b"pedido").decode(), "--include", f"http://127.0.0.1:{service.port}/tmpftp")
    head, _, body = shown.partition("\n\n")
    assert head.startswith("HTTP/2 200") and "x-request-id: h2" in head.lower()
    assert json.loads(body)["status"] == "listo"


def test_a_body_that_is_too_large_is_413_over_http2_too(service):
    big = service.folder / "big"
    big.write_bytes(b" " * 60_000)
    shown = curl(service, "--http2-prior-knowledge", "--header", "Content-Type: application/json", "--data-binary", f"@{big}",
                 "--write-out", " %{response_code}", f"http://127.0.0.1:{service.port}/tmpftp")
    assert shown == '{"detail":"Cuerpo demasiado grande"} 413'


def test_past_64_kib_over_http2_the_library_resets_the_stream_and_goes_on(service):
    big = service.folder / "big"
    big.write_bytes(b" " * 1_000_000)
    with pytest.raises(subprocess.CalledProcessError):
        curl(service, "--http2-prior-knowledge", "--header", "Content-Type: application/json", "--data-binary", f"@{big}",
             f"http://127.0.0.1:{service.port}/tmpftp")
    assert service.submit("pedido").status == 200


def test_events_are_streamed_over_http2(simulator):
    service = simulator(TEMPOFTP_SIM_DELAY_MS=200, TEMPOFTP_SIM_FORCE="fail")
    service.submit("pedido")
    shown = curl(service, "--http2-prior-knowledge", "--no-buffer", "--header", "Accept: text/event-stream",
                 f"http://127.0.0.1:{service.port}/tmpftp/pedido/eventos")
    assert shown.count("event: estado") == 4 and '"estado":"error"' in shown


@pytest.mark.parametrize("path", ["/", "/health", "/tmpftp", "/tmpftp/pedido", "/tmpftp/nadie", "/tmpftp/pedido/eventos"])
def test_head_is_get_without_the_body(service, path):
    service.submit("pedido")
    get, head = service.get(path), service("HEAD", path)
    assert (head.status, head.body) == (get.status, b"")
    assert head.headers["Content-Type"] == get.headers["Content-Type"]


def test_head_leaves_the_connection_usable(service):
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=10)
    for method in ("HEAD", "GET", "HEAD", "GET"):
        connection.request(method, "/")
        assert connection.getresponse().read() == (b"" if method == "HEAD" else b'{"status":"active"}')
    connection.close()


def test_a_connection_is_kept_alive_through_answers_of_every_kind(service):
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=10)
    connection.connect()
    first = connection.sock
    for n in range(50):
        connection.request("POST", "/tmpftp", body=BODY % (b"p%d" % (n // 2)), headers={"Content-Type": "application/json"})
        reply = connection.getresponse()
        reply.read()
        assert reply.status == (200 if n % 2 == 0 else 400)
        connection.request("GET", "/tmpftp/nadie")
        assert connection.getresponse().read() == '{"detail":"No encontrado"}'.encode()
    assert connection.sock is first, "refusals don't close the connection"
    connection.close()


def test_pipelined_requests_are_answered_in_order(service):
    with connect(service) as connection:
        calls = [post(f"p{n}") for n in range(20)]
        calls.insert(10, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        connection.sendall(b"".join(calls) + b"GET /tmpftp/p19 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = read_all(connection)
    assert answer.count(b"HTTP/1.1 200 OK\r\n") == 22
    places = [answer.index(b'"id":"p%d"' % n) for n in range(20)]
    assert places == sorted(places)
    assert places[9] < answer.index(b'{"status":"active"}') < places[10]


def test_http10_is_answered_and_closed(service):
    with connect(service) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        answer = read_all(connection)
    assert answer.endswith(b'{"status":"active"}')


def test_expect_100_continue_is_answered(service):
    body = BODY % b"pedido"
    with connect(service) as connection:
        connection.sendall(b"POST /tmpftp HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
                           b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body))
        assert connection.recv(1000).startswith(b"HTTP/1.1 100 ")
        connection.sendall(body)
        assert b'"status":"listo"' in read_all(connection)


def test_a_client_that_sends_byte_by_byte_is_served(service):
    with connect(service) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in post("pedido"):
            connection.sendall(bytes([byte]))
            time.sleep(0.001)
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 ")


def test_a_client_that_never_finishes_its_request_is_let_go(service):
    with connect(service) as connection:
        connection.sendall(b"POST /tmpftp HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
        connection.settimeout(30)
        began = time.monotonic()
        read_all(connection)
        assert time.monotonic() - began < 25


def test_slow_clients_hold_up_nobody(service):
    slow = [connect(service) for _ in range(200)]
    for connection in slow:
        connection.sendall(b"GET /tmpftp HTTP/1.1\r\nHo")
    began = time.monotonic()
    for n in range(50):
        assert service.submit(f"p{n}").status == 200
    assert time.monotonic() - began < 5
    for connection in slow:
        connection.close()


def test_a_client_that_does_not_read_its_answers_holds_up_nobody(service):
    for n in range(200):
        service.submit(f"p{n}")
    with connect(service) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.setblocking(False)
        try:
            while True:
                deaf.send(b"GET /tmpftp HTTP/1.1\r\nHost: x\r\n\r\n" * 100)
        except BlockingIOError:
            pass
        began = time.monotonic()
        for _ in range(50):
            assert service.get("/").status == 200
        assert time.monotonic() - began < 5


def test_a_client_that_goes_before_its_answer_leaves_a_whole_request(service):
    for n in range(50):
        with connect(service) as connection:
            connection.sendall(post(f"p{n}"))
    wait_until(lambda: {row["estado"] for row in service.get("/tmpftp").json["solicitudes"]} <= {"listo"})
    service.stop()
    assert service.sqlite("PRAGMA integrity_check") == [["ok"]]


def test_64_clients_at_once_get_each_their_own(service):
    def one(n):
        reply = service.submit(f"p{n}", usuario=f"u{n}@example.org")
        return reply.status, reply.json.get("id")

    with concurrent.futures.ThreadPoolExecutor(64) as clients:
        answers = list(clients.map(one, range(640)))
    assert all(status in (200, 202) for status, _ in answers)
    assert [id for _, id in answers] == [f"p{n}" for n in range(640)]
    assert service.get("/tmpftp?limite=1000").json["total"] == 640


def test_one_id_asked_for_by_many_at_once_is_given_once(service):
    with concurrent.futures.ThreadPoolExecutor(32) as clients:
        answers = list(clients.map(lambda n: service.submit("pedido", usuario=f"u{n}@example.org"), range(32)))
    assert sorted(reply.status for reply in answers) == [200] + [400] * 31
    assert all("Ya existe una solicitud" in reply.json["detail"]["mensaje"] for reply in answers if reply.status == 400)
    assert service.sqlite("SELECT count(*) FROM requests") == [["1"]]
