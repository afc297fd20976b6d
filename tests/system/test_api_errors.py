"""What a client is told when a call is not well formed: codes, shapes and texts, and X-Request-ID on every answer."""
import http.client
import json
import re
import socket

import pytest

UUID4 = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
JSON = {"Content-Type": "application/json"}
GOOD = {"usuario": "ana@example.org", "id": "pedido", "ruta": "origen:/datos", "vigencia": 5}


@pytest.fixture
def service(simulator):
    return simulator()


def leaves_no_row(service):
    return service.sqlite("SELECT count(*) FROM requests") == [["0"]]


# ---- X-Request-ID -----------------------------------------------------------------------------------

@pytest.mark.parametrize("method, path, body", [
    ("GET", "/", None), ("GET", "/health", None), ("GET", "/tmpftp", None), ("GET", "/tmpftp/nadie", None), ("GET", "/nada", None),
    ("POST", "/tmpftp", GOOD), ("POST", "/tmpftp", {}), ("PUT", "/tmpftp", None), ("DELETE", "/tmpftp/expired", None),
])
def test_every_answer_carries_the_callers_request_id_or_a_new_one(service, method, path, body):
    assert service(method, path, json=body, headers={"X-Request-ID": "Portal_1.2-c"}).headers["X-Request-ID"] == "Portal_1.2-c"
    first, second = (service(method, path, json=body).headers["X-Request-ID"] for _ in range(2))
    assert re.fullmatch(UUID4, first) and re.fullmatch(UUID4, second) and first != second


@pytest.mark.parametrize("given", ["", "a" * 65, "a b", "año", "a;b", "../x", "{}"])
def test_a_request_id_of_another_form_is_replaced(service, given):
    reply = service.get("/", headers={"X-Request-ID": given.encode("latin-1")})
    assert re.fullmatch(UUID4, reply.headers["X-Request-ID"])


def test_the_request_id_is_in_the_log_and_in_the_audit_trail(service):
    service.post("/tmpftp", GOOD, headers={"X-Request-ID": "portal-4711"})
    service.delete("/tmpftp/pedido", headers={"X-Request-ID": "portal-4712"})
    for id in ("portal-4711", "portal-4712"):
        assert f"[{id}]" in service.said()
    assert service.sqlite("SELECT state FROM events WHERE request_id = 'portal-4711'") == [["recibido"]]
    assert service.sqlite("SELECT state FROM events WHERE request_id = 'portal-4712'") == [["eliminado"]]


# ---- 404, 405 ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("path", ["/nada", "/tmpftp/", "/tmpftp//", "/tmpftp/a/b", "/tmpftp/a/bloquear/", "/tmpftp/user/", "//",
                                  "/tmpftp/a//eventos", "/TMPFTP", "/health/", "/tmpftp%2fa", "/.", "/..", "/tmpftp/../health/x"])
def test_unknown_paths_are_404(service, path):
    reply = service.get(path)
    assert (reply.status, reply.json) == (404, {"detail": "No encontrado"})
    assert reply.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("method, path, allow", [
    ("PUT", "/", "GET, HEAD"), ("DELETE", "/health", "GET, HEAD"), ("PUT", "/tmpftp", "POST, GET, HEAD"),
    ("POST", "/tmpftp/x", "GET, HEAD, DELETE"), ("GET", "/tmpftp/x/bloquear", "POST"), ("DELETE", "/tmpftp/x/desbloquear", "POST"),
    ("GET", "/tmpftp/x/extender", "POST"), ("POST", "/tmpftp/x/eventos", "GET, HEAD"), ("GET", "/tmpftp/user/x", "DELETE"),
    ("TRACE", "/", "GET, HEAD"), ("BREW", "/", "GET, HEAD"),
])
def test_known_paths_with_another_method_are_405_with_allow(service, method, path, allow):
    reply = service(method, path)
    assert (reply.status, reply.json) == (405, {"detail": "Método no permitido"})
    assert set(reply.headers["Allow"].split(", ")) == {*allow.split(", "), "OPTIONS"}


# ---- 413, 415 ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("size", [16 * 1024 + 1, 60 * 1024, 64 * 1024 + 1, 1024 * 1024])
def test_a_body_that_is_too_large_is_413(service, size):
    """Past 64 KiB the HTTP library itself refuses; past 16 KiB the API does. The client sees the same."""
    reply = service.post("/tmpftp", body=b" " * size, headers=JSON)
    assert (reply.status, reply.json) == (413, {"detail": "Cuerpo demasiado grande"})
    assert reply.headers["Content-Type"] == "application/json"
    assert re.fullmatch(UUID4, reply.headers["X-Request-ID"])
    assert leaves_no_row(service)


def test_a_chunked_body_without_end_is_413(service):
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as connection:
        connection.sendall(b"POST /tmpftp HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            for _ in range(1000):
                connection.sendall(b"1000\r\n" + b" " * 4096 + b"\r\n")
        except (ConnectionError, TimeoutError):
            pass  # it need not read all of it
        answer = connection.recv(4096)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert leaves_no_row(service)


def test_a_body_of_just_the_limit_is_read(service):
    body = json.dumps(GOOD).encode()
    assert service.post("/tmpftp", body=body + b" " * (16 * 1024 - len(body)), headers=JSON).status == 200


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded", "application/jsonp", "application/json+x",
                                          "multipart/form-data; boundary=x", ""])
def test_a_body_of_another_type_is_415(service, content_type):
    headers = {} if content_type is None else {"Content-Type": content_type}
    reply = service.post("/tmpftp", body=json.dumps(GOOD).encode(), headers=headers)
    assert (reply.status, reply.json) == (415, {"detail": "Se espera application/json"})
    assert leaves_no_row(service)


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON", "application/json;charset=UTF-8"])
def test_json_may_come_with_parameters(service, content_type):
    assert service.post("/tmpftp", body=json.dumps(GOOD).encode(), headers={"Content-Type": content_type}).status == 200


@pytest.mark.parametrize("action", ["bloquear", "desbloquear"])
def test_actions_need_no_body_and_no_content_type(service, action):
    assert service.post(f"/tmpftp/nadie/{action}").status == 404
    assert service.post(f"/tmpftp/nadie/{action}", body=b"razon=x", headers={"Content-Type": "text/plain"}).status == 415


# ---- 422: the body's form ---------------------------------------------------------------------------

MALFORMED = [b"", b"{", b"}", b"null", b"[]", b'"x"', b"5", b"true", b"{'a':1}", b'{"a":1,}', b"{} {}", b"\x00", b"NaN", b'{"a":NaN}',
             b'{"a":Infinity}', b'{"a":01}', b"\xff\xfe{\x00}\x00", b'{"id":"\xff"}', b'{"id":"\xc3"}', b'{"id":"\xed\xa0\x80"}',
             b'{"id":"\xc0\xae"}', b'{"id":"\\ud800"}', b'{"id":"a\\u0000b"}', b'{"id":"a\x00b"}', b'{"id":"a\nb"}', b'{"a":1e999}',
             b'{"vigencia":99999999999999999999999}', b"[" * 8000, b'{"a":' * 3000, b"\xef\xbb\xbf{}", b"<xml/>", b'{"id":"a","id":"b"}',
             b'{"x":{"a":1,"a":2}}']


@pytest.mark.parametrize("number", range(len(MALFORMED)))
def test_what_is_no_json_object_is_422_and_leaves_no_row(service, number):
    reply = service.post("/tmpftp", body=MALFORMED[number], headers=JSON)
    assert reply.status == 422, (MALFORMED[number][:80], reply)
    assert [list(error) for error in reply.json["detail"]] == [["loc", "msg", "type"]] * len(reply.json["detail"])
    assert all(error["loc"][0] == "body" and error["msg"] and error["type"] for error in reply.json["detail"])
    assert leaves_no_row(service)


def test_a_body_that_is_good_json_around_a_repeated_key_is_refused(service):
    body = json.dumps(GOOD)[:-1] + ', "id": "otro"}'
    reply = service.post("/tmpftp", body=body.encode(), headers=JSON)
    assert (reply.status, reply.json["detail"][0]["loc"]) == (422, ["body"])
    assert leaves_no_row(service)


WRONG_TYPES = {
    "usuario": [None, 5, 1.5, True, [], {}, ["ana@example.org"]],
    "id": [None, 5, 1.5, False, [], {}],
    "ruta": [None, 5, 1.5, True, [], {}],
    "vigencia": [None, "5", 1.5, 5.0, True, [], {}, "", "cinco"],
    "grupo": [5, True, [], {}],
}


@pytest.mark.parametrize("field, value", [(field, value) for field, values in WRONG_TYPES.items() for value in values])
def test_a_wrong_type_is_422_and_names_the_field(service, field, value):
    reply = service.post("/tmpftp", {**GOOD, field: value})
    assert reply.status == 422, reply
    assert [error["loc"] for error in reply.json["detail"]] == [["body", field]]
    assert leaves_no_row(service)


@pytest.mark.parametrize("field", ["usuario", "id", "ruta"])
def test_a_missing_key_is_422_and_names_it(service, field):
    reply = service.post("/tmpftp", {name: value for name, value in GOOD.items() if name != field})
    assert reply.status == 422
    assert [(error["loc"], error["type"]) for error in reply.json["detail"]] == [(["body", field], "missing")]
    assert leaves_no_row(service)


def test_every_wrong_field_is_named_at_once(service):
    reply = service.post("/tmpftp", {"usuario": 1, "vigencia": "5"})
    assert sorted(error["loc"][1] for error in reply.json["detail"]) == ["id", "ruta", "usuario", "vigencia"]


@pytest.mark.parametrize("action, body, field", [
    ("bloquear", {"razon": 5}, "razon"), ("bloquear", {"razon": ["x"]}, "razon"), ("bloquear", {"descargas": "3"}, "descargas"),
    ("extender", {"dias": "3"}, "dias"), ("extender", {}, "dias"),
])
def test_the_bodies_of_actions_are_checked_too(service, action, body, field):
    service.post("/tmpftp", GOOD)
    reply = service.post(f"/tmpftp/pedido/{action}", body)
    assert (reply.status, [error["loc"] for error in reply.json["detail"]]) == (422, [["body", field]])
    assert service.state_of("pedido") == "listo"


# ---- 400 --------------------------------------------------------------------------------------------

@pytest.mark.parametrize("id, shown", [("a" * 100, "a" * 64), ("ñ" * 100, "ñ" * 64), ("€" * 65, "€" * 64), ("😀" * 80, "😀" * 64),
                                       ("<script>", "<script>"), ("a\tb\"\\", "a\tb\"\\"), ("", "")])
def test_a_refused_id_comes_back_cut_to_64_characters(service, id, shown):
    reply = service.post("/tmpftp", {**GOOD, "id": id})
    assert (reply.status, reply.json["detail"]["id"]) == (400, shown)
    assert list(reply.json["detail"]) == ["id", "status", "mensaje"]


# ---- not even HTTP ----------------------------------------------------------------------------------

@pytest.mark.parametrize("garbage", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"hello\r\n\r\n", b"GET\r\n\r\n", b"\0" * 100,
                                     b"GET / HTTP/9.9\r\n\r\n", b"A" * 100_000, b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
                                     b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n\r\n",
                                     b"POST /tmpftp HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
                                     b"POST /tmpftp HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
                                     b"POST /tmpftp HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                                     b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff"])
def test_garbage_ends_its_own_connection_only(service, garbage):
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as connection:
        try:
            connection.sendall(garbage)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass
        except ConnectionError:
            pass
    assert service.get("/").status == 200
    assert service.process.poll() is None


def test_a_header_that_is_no_text_is_no_danger(service):
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=10)
    connection.request("GET", "/", headers={"X-Request-ID": b"\xff\xfe", "Accept": b"\x80" * 100})
    assert connection.getresponse().status == 200
    connection.close()
