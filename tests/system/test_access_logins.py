"""Registering and logging in: what is taken and what is refused, who is active, how often one may try, and what a storm of logins does to others."""
import concurrent.futures
import threading
import time

import pytest

import client
from conftest import BUILD
from machine import wait_until
from people import PASSWORD, World

ANA = {"nombre": "Ana Ñúñez", "correo": "Ana@Example.org", "password": PASSWORD}
WRONG = {"detail": "Credenciales incorrectas"}


@pytest.fixture
def world():
    world = World(BUILD)
    yield world.start()
    world.remove()


def login(api, email="ana@example.org", password=PASSWORD):
    return api.post("/auth/login", {"correo": email, "password": password}, timeout=300)  # in a storm one waits


# ---- register -------------------------------------------------------------------------------------------

def test_who_registers_waits_for_an_operator(world):
    reply = world.post("/auth/register", ANA)
    assert (reply.status, reply.json) == (200, {"id": reply.json["id"], "nombre": "Ana Ñúñez", "correo": "ana@example.org", "is_active": False})
    pending = login(world)
    assert (pending.status, pending.json) == (403, {"detail": "Cuenta pendiente de activación"})
    assert login(world, password="no es la clave").json == WRONG
    changed = world.operator("PATCH", f"/api/usuarios/{reply.json['id']}", {"is_active": True})
    assert changed.status == 200 and changed.json["is_active"] and changed.json["rol"] == "usuario"
    token = login(world)
    assert token.status == 200 and set(token.json) == {"access_token", "token_type"} and token.json["token_type"] == "bearer"
    assert world.with_token(token.json["access_token"]).get("/tmpftp").status == 200


def test_an_address_registers_once(world):
    assert world.post("/auth/register", ANA).status == 200
    again = world.post("/auth/register", {**ANA, "correo": "ANA@example.ORG", "password": "otra clave larga"})
    assert (again.status, again.json) == (400, {"detail": "El correo ya está registrado"})


def test_of_many_registrations_at_once_one_is_made(world):
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        replies = list(pool.map(lambda _: world.operator.post("/auth/register", ANA), range(10)))
    assert sorted(reply.status for reply in replies) == [200] + [400] * 9
    assert len(world.operator.get("/api/usuarios").json["usuarios"]) == 1


@pytest.mark.parametrize("change, status, says", [
    ({"password": "once bytes."}, 400, "Contraseña inválida: de 12 a 128 bytes"),
    ({"password": "x" * 129}, 400, "Contraseña inválida: de 12 a 128 bytes"),
    ({"correo": "ana"}, 400, "Correo inválido"),
    ({"nombre": "\x1b[31m"}, 400, "Nombre inválido"),
    ({"nombre": None}, 422, "nombre"),
    ({"password": 123456789012}, 422, "password"),
], ids=["short", "long", "no address", "name", "no text", "a number"])
def test_what_is_refused_leaves_nobody(world, change, status, says):
    reply = world.post("/auth/register", {**ANA, **change})
    assert reply.status == status and says in reply.text
    assert world.operator.get("/api/usuarios").json == {"usuarios": [], "total": 0}


def test_open_and_closed_registration(world):
    world.restart(TEMPOFTP_REGISTRO="abierto")
    assert world.post("/auth/register", ANA).json["is_active"] is True
    assert login(world).status == 200
    world.restart(TEMPOFTP_REGISTRO="cerrado")
    other = {**ANA, "correo": "eva@example.org"}
    reply = world.post("/auth/register", other)
    assert (reply.status, reply.json) == (403, {"detail": "Registro cerrado"})
    assert world.operator.post("/auth/register", other).json["is_active"] is True
    assert login(world).status == 200, "who is there stays"


def test_users_are_listed_by_the_page(world):
    for n in range(5):
        assert world.operator.post("/auth/register", {**ANA, "correo": f"u{n}@example.org"}).status == 200
    page = world.operator.get("/api/usuarios?limite=3").json["usuarios"]
    rest = world.operator.get(f"/api/usuarios?limite=3&despues={page[-1]['id']}").json
    assert [user["correo"] for user in page + rest["usuarios"]] == [f"u{n}@example.org" for n in range(5)] and rest["total"] == 2
    assert set(page[0]) == {"id", "nombre", "correo", "is_active", "rol", "created_at"}


@pytest.mark.parametrize("who, change, status", [
    ("ana@example.org", {}, 400), ("ana@example.org", {"rol": "jefe"}, 400), ("ana@example.org", {"password": "corta"}, 400),
    ("ana@example.org", {"is_active": "yes"}, 422), ("eva@example.org", {"is_active": True}, 404), ("0", {"is_active": True}, 404),
    ("-1", {"is_active": True}, 404), ("99999999999999999999", {"is_active": True}, 404),
])
def test_changes_that_are_refused_change_nothing(world, who, change, status):
    ana = world.user("ana")
    before = world.operator.get("/api/usuarios").json
    assert world.operator("PATCH", f"/api/usuarios/{who}", change).status == status
    assert world.operator.get("/api/usuarios").json == before and ana.get("/tmpftp").status == 200


# ---- unknown and wrong ----------------------------------------------------------------------------------

def test_unknown_and_wrong_are_one_answer(world):
    world.user("ana")
    replies = [login(world.operator, email, "no es la clave") for email in ("ana@example.org", "nobody@example.org", "no address", "")]
    assert {(reply.status, reply.body, tuple(sorted(name for name in reply.headers))) for reply in replies} == {
        (401, replies[0].body, tuple(sorted(name for name in replies[0].headers)))}
    assert replies[0].json == WRONG


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def test_unknown_and_wrong_are_as_much_work(world):
    """Counted as CPU of the service: a clock would tell of the machine's other work."""
    world.user("ana")

    def work(email):
        before = cpu_seconds(world.process.pid)
        for _ in range(15):
            assert login(world.operator, email, "no es la clave").status == 401
        return cpu_seconds(world.process.pid) - before

    def alike():
        wrong, unknown = work("ana@example.org"), work("nobody@example.org")
        assert min(wrong, unknown) >= 15, "in hundredths of a second: each is an Argon2id"
        return 0.7 < wrong / unknown < 1.4

    assert any(alike() for _ in range(4))


# ---- how often ------------------------------------------------------------------------------------------

def refused_after(call, calls, window=60):
    for n in range(calls):
        assert call().status != 429, f"call {n + 1} of {calls}"
    reply = call()
    assert (reply.status, reply.json) == (429, {"detail": "Demasiadas solicitudes"})
    assert 1 <= int(reply.headers["Retry-After"]) <= window


def test_five_registrations_and_five_logins_a_minute(world):
    refused_after(lambda: world.post("/auth/register", {}), 5)
    refused_after(lambda: login(world), 5)
    world.restart()
    assert login(world).status == 429, "a restart gives nobody new tries"
    assert login(world.operator).status == 401, "operators on the socket are free"


def test_tokens_are_counted_for_each_user(world):
    ana, eva = world.user("ana"), world.user("eva")
    refused_after(lambda: ana.post("/token/create"), 10)
    refused_after(lambda: ana.post("/token/validate", {"token": "x"}), 20)
    assert eva.post("/token/create").status == 200
    assert eva.post("/token/validate", {"token": "x"}).status == 401
    assert world.login("ana@example.org").post("/token/create").status == 429, "another session is the same user"


def test_requests_are_counted_for_each_user(world):
    world.restart(TEMPOFTP_RATE_LIMIT_POST="3/hour")
    ana, eva = world.user("ana"), world.user("eva")
    refused_after(lambda: ana.post("/tmpftp", {}), 3, 3600)
    assert eva.post("/tmpftp", {}).status == 422


# ---- a storm --------------------------------------------------------------------------------------------

def test_a_storm_of_logins_makes_nobody_else_wait(world):
    """200 logins at once: the line takes 64 and one is being looked at; the others are told to come again, and everything else is answered meanwhile."""
    world.user("ana")
    done = []
    started = threading.Barrier(201)

    def one(n):
        started.wait()
        reply = login(client.Api(world.operator._connect), "ana@example.org" if n % 2 else "nobody@example.org", "no es la clave")
        done.append(reply.status)
        return reply

    with concurrent.futures.ThreadPoolExecutor(200) as pool:
        storm = [pool.submit(one, n) for n in range(200)]
        started.wait()
        wait_until(lambda: 503 in done, 30, "the line is full")
        others = 0
        while others < 100 and len(done) < 200:
            assert world.get("/").status == 200
            others += 1
        still = 200 - len(done)
        replies = [each.result() for each in storm]
    assert others == 100 and still > 0, f"{others} calls were answered before the storm was over, {still} logins still waited"
    assert {reply.status for reply in replies} == {401, 503}
    assert sum(reply.status == 401 for reply in replies) >= 65
    assert all(reply.headers["Retry-After"] for reply in replies if reply.status == 503)
    assert login(world.operator).status == 200


def test_the_service_ends_cleanly_in_the_middle_of_a_storm(world):
    world.user("ana")
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        storm = [pool.submit(login, client.Api(world.operator._connect)) for _ in range(20)]
        wait_until(lambda: any(each.done() for each in storm), 30)
        began = time.monotonic()
        world.stop()
        assert time.monotonic() - began < 15
        for each in storm:
            if not each.exception():
                assert each.result().status in (200, 503)
