"""Who is one client, and how long they wait: by user, by address, by /64, behind proxies that tell the truth and clients that don't."""
import concurrent.futures
import http.client
import socket
import threading
import time

import pytest

import client
from conftest import BUILD
from machine import wait_until
from people import World

TOO_MANY = {"detail": "Demasiadas solicitudes"}
PROXY, FAR_PROXY, STRANGER = "127.0.0.1", "127.0.9.9", "127.0.0.2"


@pytest.fixture
def world():
    world = World(BUILD, TEMPOFTP_PROXIES=f"{PROXY},127.0.9.0/24", TEMPOFTP_RATE_LIMIT_REGISTER="2/hour", TEMPOFTP_RATE_LIMIT_LOGIN="100000/hour")
    yield world.start()
    world.remove()


def from_address(world, source):
    return client.Api(lambda timeout: http.client.HTTPConnection("127.0.0.1", world.port, timeout=timeout, source_address=(source, 0)))


def register(world, source, forwarded):
    """A call that counts and does nothing."""
    return from_address(world, source).post("/auth/register", {}, headers={"X-Forwarded-For": forwarded} if forwarded else {})


# who calls, what X-Forwarded-For says -> who the client is
CLIENTS = [
    (STRANGER, None, STRANGER),
    (STRANGER, "198.51.100.1", STRANGER),
    (STRANGER, f"198.51.100.1, {PROXY}", STRANGER),
    (PROXY, None, PROXY),
    (PROXY, "198.51.100.2", "198.51.100.2"),
    (PROXY, "8.8.8.8, 198.51.100.3", "198.51.100.3"),
    (PROXY, f"{PROXY}, {FAR_PROXY}, 198.51.100.4", "198.51.100.4"),
    (PROXY, f"8.8.8.8, 198.51.100.5, {FAR_PROXY}", "198.51.100.5"),
    (FAR_PROXY, "198.51.100.6", "198.51.100.6"),
    (PROXY, "2001:db8:0:1::5", "2001:db8:0:1::5"),
    (PROXY, "[2001:db8:0:2::5]:4711", "2001:db8:0:2::5"),
    (PROXY, "8.8.8.8, nonsense", PROXY),
]


@pytest.mark.parametrize("source, forwarded, expected", CLIENTS, ids=[f"{source} {forwarded}" for source, forwarded, _ in CLIENTS])
def test_who_the_client_is(world, source, forwarded, expected):
    """In the audit trail and for the limit alike: who changes what they say of themselves gets no new tries."""
    for _ in range(2):
        assert register(world, source, forwarded).status == 422
    reply = register(world, source, forwarded)
    assert (reply.status, reply.json) == (429, TOO_MANY)
    assert register(world, PROXY, expected if expected != PROXY else None).status == 429
    rows = wait_until(lambda: world.operator.get("/api/auditoria?accion=POST").json["registros"], 20, "the trail is written")
    assert {(row["direccion"], row["actor"]) for row in rows} == {(expected, f"api:{expected}")}


def test_a_strangers_forged_header_gives_no_new_tries(world):
    replies = [register(world, STRANGER, f"198.51.100.{n}") for n in range(10)]
    assert [reply.status for reply in replies] == [422] * 2 + [429] * 8


def test_forged_parts_before_the_proxys_own_give_no_new_tries(world):
    replies = [register(world, PROXY, f"10.1.2.{n}, 203.0.113.9") for n in range(10)]
    assert [reply.status for reply in replies] == [422] * 2 + [429] * 8
    assert register(world, PROXY, "10.1.2.3, 203.0.113.10").status == 422, "the next client of that proxy has its own count"


def test_several_header_lines_are_one_chain(world):
    def twice(*lines):
        connection = http.client.HTTPConnection("127.0.0.1", world.port, timeout=30)
        connection.putrequest("POST", "/auth/register")
        for line in lines:
            connection.putheader("X-Forwarded-For", line)
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Content-Length", "2")
        connection.endheaders(b"{}")
        status = connection.getresponse().status
        connection.close()
        return status

    assert [twice(f"10.0.0.{n}", "203.0.113.20") for n in range(3)] == [422, 422, 429]
    assert twice("10.0.0.9", "203.0.113.20", FAR_PROXY) == 429


def test_forwarded_is_not_read(world):
    api = from_address(world, PROXY)
    replies = [api.post("/auth/register", {}, headers={"Forwarded": f"for=198.51.100.{n}"}) for n in range(3)]
    assert [reply.status for reply in replies] == [422, 422, 429]


def test_an_ipv6_customer_is_one_client_and_the_next_is_another(world):
    replies = [register(world, PROXY, f"2001:db8:5:6:{n:x}::{n:x}") for n in range(1, 5)]
    assert [reply.status for reply in replies] == [422, 422, 429, 429]
    assert register(world, PROXY, "2001:db8:5:7::1").status == 422


def test_no_proxy_is_believed_by_default(world):
    world.restart(TEMPOFTP_PROXIES=None)
    assert [register(world, PROXY, f"198.51.100.{n}").status for n in range(3)] == [422, 422, 429]


@pytest.mark.parametrize("name, call", [
    ("POST", lambda person: person.post("/tmpftp", {})),
    ("REGISTER", lambda person: person.post("/auth/register", {})),
    ("LOGIN", lambda person: person.post("/auth/login", {})),
    ("TOKEN_CREATE", lambda person: person.post("/token/create")),
    ("TOKEN_VALIDATE", lambda person: person.post("/token/validate", {"token": "x"})),
], ids=lambda value: value if isinstance(value, str) else "")
def test_each_limit_has_its_setting_and_survives_any_number_of_restarts(world, name, call):
    world.restart(**{f"TEMPOFTP_RATE_LIMIT_{name}": "3/day"})
    ana, eva = world.user("ana"), world.user("eva")
    assert 429 not in [call(ana).status for _ in range(3)]
    reply = call(ana)
    assert (reply.status, reply.json) == (429, TOO_MANY) and 86_300 <= int(reply.headers["Retry-After"]) <= 86_400
    assert call(eva).status != 429, "a user is counted by who they are, not by where they call from"
    for _ in range(3):  # nobody calls in between: what was read at the start is written again at the end
        world.restart()
    assert call(ana).status == 429 and call(eva).status != 429
    world.restart(**{f"TEMPOFTP_RATE_LIMIT_{name}": "4/day"})
    assert call(ana).status != 429, "a limit that was raised holds for the window that is open"
    assert call(ana).status == 429


def test_retry_after_is_true_to_the_second(world):
    """Whatever a 429 said: no call came through a second earlier than that, and every call later did."""
    world.restart(TEMPOFTP_RATE_LIMIT_LOGIN="1/minute")
    world.post("/auth/login", {})
    world.stop()  # 45 s of the minute go by at once
    world.sqlite("UPDATE rates SET opened = opened - 45000")
    world.start()
    refused, accepted = [], None
    while accepted is None:
        sent = time.monotonic()
        reply = world.post("/auth/login", {})
        if reply.status == 429:
            refused.append((sent, time.monotonic(), int(reply.headers["Retry-After"])))
        else:
            accepted = (sent, time.monotonic())
        assert reply.status in (422, 429)
        time.sleep(0.02)
    assert refused, "the window was still open"
    for sent, answered, wait in refused:
        assert 1 <= wait <= 15
        assert accepted[1] > sent + wait - 1, "a second before, calls were refused"
    for sent, answered, wait in refused:
        assert not [other for other, _, _ in refused if other >= answered + wait], "after that long, none was"


def test_a_storm_of_logins_from_one_address_is_five_logins(world):
    """However many at once: five are looked at, the others are told when to come again, and nobody else is held up."""
    world.restart(TEMPOFTP_RATE_LIMIT_LOGIN=None)
    ana = world.user("ana")
    wrong = {"correo": ana.email, "password": "no es la clave"}
    started = threading.Barrier(64)

    def one(_):
        started.wait()
        return from_address(world, STRANGER).post("/auth/login", wrong, timeout=120)

    with concurrent.futures.ThreadPoolExecutor(64) as clients:
        replies = list(clients.map(one, range(64)))
    assert sorted(reply.status for reply in replies) == [401] * 5 + [429] * 59
    assert all(1 <= int(reply.headers["Retry-After"]) <= 60 for reply in replies if reply.status == 429)
    assert from_address(world, "127.0.0.3").post("/auth/login", wrong, timeout=120).status == 401
    assert ana.get("/tmpftp").status == 200


def memory_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(next(line for line in status if line.startswith("VmRSS")).split()[1])


def storm(world, first, count):
    """POST /auth/login from `count` addresses, pipelined; how many were answered with 422."""
    body = b"POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\nX-Forwarded-For: %s\r\n\r\n{}"
    answered = 0
    with socket.create_connection(("127.0.0.1", world.port), timeout=120) as connection, connection.makefile("rb") as answers:
        for start in range(first, first + count, 200):
            connection.sendall(b"".join(body % (b"2001:db8:%x:%x::1" % (n >> 16, n & 0xffff)) for n in range(start, start + 200)))
            for _ in range(200):
                assert answers.readline().startswith(b"HTTP/1.1 422 ")
                size = 0
                while (line := answers.readline().strip().lower()):
                    if line.startswith(b"content-length:"):
                        size = int(line.split(b":")[1])
                answers.read(size)
                answered += 1
    return answered


def test_a_hundred_thousand_addresses_keep_the_memory_flat(world):
    assert storm(world, 0, 10_000) == 10_000  # the table is full, caches are warm
    before = memory_kib(world.process.pid)
    assert storm(world, 10_000, 100_000) == 100_000
    grown = memory_kib(world.process.pid) - before
    assert grown < 16 * 1024, f"{grown} KiB more"
    assert register(world, STRANGER, None).status == 422, "and others are served"
