"""What browsers are told: which pages may read answers (CORS), and what a page may do that is shown one."""
import subprocess

import pytest

from conftest import BUILD
from people import World

KNOWN, OTHER_KNOWN = "https://portal.example.org", "http://localhost:8080"
POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
DEFAULTS = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
            "Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "no-store"}


@pytest.fixture(scope="module")
def world():
    world = World(BUILD, TEMPOFTP_CORS_ORIGINS=f"{KNOWN},{OTHER_KNOWN}", TEMPOFTP_RATE_LIMIT_POST="1/day")
    yield world.start()
    world.remove()


@pytest.fixture(scope="module")
def ana(world):
    return world.user("ana")


def cors(reply):
    return {name.lower() for name in reply.headers if name.lower().startswith("access-control-")}


# Calls of every kind of answer: method, path, body, status for somebody without a token.
ANSWERS = [
    ("GET", "/", None, 200), ("HEAD", "/", None, 200), ("GET", "/health", None, 200), ("GET", "/tmpftp", None, 401),
    ("GET", "/nothing", None, 404), ("PUT", "/", None, 405), ("OPTIONS", "/", None, 204), ("POST", "/auth/login", {}, 422),
    ("POST", "/auth/login", b"x" * 70_000, 413),
]


@pytest.mark.parametrize("method, path, body, status", ANSWERS, ids=[f"{method} {path} {status}" for method, path, _, status in ANSWERS])
def test_every_answer_says_what_a_page_may_do_with_it(world, method, path, body, status):
    json, raw = (None, body) if isinstance(body, bytes) else (body, None)
    for origin in (None, KNOWN, "https://evil.example"):
        reply = world(method, path, json, body=raw, headers={"Origin": origin} if origin else {})
        assert reply.status == status
        assert {name: reply.headers[name] for name in DEFAULTS} == DEFAULTS
        assert "Strict-Transport-Security" not in reply.headers, "this is not TLS"
        assert "Origin" in reply.headers["Vary"]
        assert reply.headers["Access-Control-Allow-Origin"] == (origin if origin == KNOWN else None)
        assert "Access-Control-Allow-Credentials" not in reply.headers


def test_credentials_and_event_streams_are_not_kept_by_anybody(world, ana):
    reply = world.operator.post("/auth/login", {"correo": ana.email, "password": "una clave muy larga"}, headers={"Origin": OTHER_KNOWN})
    assert reply.json["access_token"] and reply.headers["Cache-Control"] == "no-store"
    assert reply.headers["Access-Control-Allow-Origin"] == OTHER_KNOWN
    assert ana.post("/tmpftp", world.fresh_request("pedido", usuario=ana.email)).status == 200
    with ana.open("GET", "/tmpftp/pedido/eventos", headers={"Accept": "text/event-stream", "Origin": KNOWN}) as stream:
        assert stream.status == 200 and {name: stream.headers[name] for name in DEFAULTS} == DEFAULTS
        assert stream.headers["Access-Control-Allow-Origin"] == KNOWN


STRANGERS = ["https://evil.example", "null", "*", "", "https://portal.example.org.evil.example", "https://portal.example.org:8443",
             "http://portal.example.org", "https://PORTAL.example.org", "https://portal.example.org/", "https://sub.portal.example.org",
             "https://portal.example.or", "http://localhost", f"{KNOWN}, {OTHER_KNOWN}", f"{KNOWN} {OTHER_KNOWN}"]


@pytest.mark.parametrize("origin", STRANGERS)
def test_pages_of_other_origins_may_read_nothing(world, origin):
    assert not cors(world.get("/", headers={"Origin": origin}))
    preflight = world("OPTIONS", "/tmpftp", headers={"Origin": origin, "Access-Control-Request-Method": "POST"})
    assert preflight.status == 204 and not cors(preflight) and preflight.body == b""


@pytest.mark.parametrize("origin", [KNOWN, OTHER_KNOWN])
@pytest.mark.parametrize("path, methods", [
    ("/tmpftp", {"POST", "GET", "HEAD", "OPTIONS"}),
    ("/tmpftp/pedido", {"GET", "HEAD", "DELETE", "OPTIONS"}),
    ("/tmpftp/pedido/bloquear", {"POST", "OPTIONS"}),
    ("/api/usuarios/1", {"PATCH", "OPTIONS"}),
])
def test_preflights_of_known_origins_are_answered(world, origin, path, methods):
    """Without a token, as browsers send them."""
    reply = world("OPTIONS", path, headers={"Origin": origin, "Access-Control-Request-Method": "POST",
                                            "Access-Control-Request-Headers": "authorization,content-type"})
    assert (reply.status, reply.body) == (204, b"")
    assert reply.headers["Access-Control-Allow-Origin"] == origin
    assert set(reply.headers["Access-Control-Allow-Methods"].split(", ")) == methods == set(reply.headers["Allow"].split(", "))
    assert {"authorization", "content-type", "x-request-id", "last-event-id"} <= set(reply.headers["Access-Control-Allow-Headers"].lower().split(", "))
    assert 60 <= int(reply.headers["Access-Control-Max-Age"]) <= 86400
    assert {"origin", "access-control-request-method", "access-control-request-headers"} == set(reply.headers["Vary"].lower().split(", "))


def test_a_preflight_of_what_is_not_there_is_404(world):
    reply = world("OPTIONS", "/nothing", headers={"Origin": KNOWN, "Access-Control-Request-Method": "POST"})
    assert reply.status == 404 and "Access-Control-Allow-Methods" not in reply.headers


def test_options_without_a_page_tells_the_methods(world):
    reply = world("OPTIONS", "/tmpftp")
    assert (reply.status, reply.body) == (204, b"") and not cors(reply)
    assert set(reply.headers["Allow"].split(", ")) == {"POST", "GET", "HEAD", "OPTIONS"}
    assert reply.headers["X-Request-ID"]


def test_a_page_can_read_what_it_needs_of_a_refusal(world, ana):
    """Refusals too are readable, and so is when to come again."""
    eva = world.user("eva")
    assert eva.post("/tmpftp", {}).status == 422
    reply = eva.post("/tmpftp", {}, headers={"Origin": KNOWN})
    assert reply.status == 429 and reply.headers["Access-Control-Allow-Origin"] == KNOWN
    assert {"retry-after", "x-request-id", "location"} <= set(reply.headers["Access-Control-Expose-Headers"].lower().split(", "))


def test_preflights_count_against_no_limit(world):
    gus = world.user("gus")
    for _ in range(30):
        assert gus("OPTIONS", "/tmpftp", headers={"Origin": KNOWN, "Access-Control-Request-Method": "POST"}).status == 204
    assert gus.post("/tmpftp", {}).status == 422


def test_the_same_over_http2(world):
    done = subprocess.run(["curl", "--silent", "--show-error", "--max-time", "60", "--http2-prior-knowledge", "--include", "--request", "OPTIONS",
                           "--header", f"Origin: {KNOWN}", "--header", "Access-Control-Request-Method: POST",
                           f"http://127.0.0.1:{world.port}/tmpftp"], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, check=True, text=True)
    head = done.stdout.lower()
    assert head.startswith("http/2 204") and f"access-control-allow-origin: {KNOWN}" in head and f"content-security-policy: {POLICY}".lower() in head


def test_by_default_no_page_may_read_anything(world):
    other = World(BUILD)
    other.start()
    try:
        reply = other.get("/", headers={"Origin": KNOWN})
        assert not cors(reply) and "Vary" not in reply.headers
        assert not cors(other("OPTIONS", "/tmpftp", headers={"Origin": KNOWN, "Access-Control-Request-Method": "POST"}))
    finally:
        other.remove()


@pytest.mark.parametrize("origins", ["*", "null", f"{KNOWN},*", "portal.example.org", f"{KNOWN}/"])
def test_a_list_that_could_not_mean_what_it_says_is_refused(origins):
    other = World(BUILD, TEMPOFTP_CORS_ORIGINS=origins)
    try:
        code, said = other.refuses_to_start()
        assert code != 0 and "TEMPOFTP_CORS_ORIGINS" in said
    finally:
        other.remove()
