"""Who may do what: every call of the API, by each kind of caller, over real HTTP; and what a user sees of others."""
import re

import pytest

from conftest import BUILD
from machine import REPOSITORY
from people import World

WHO = ("nobody", "forger", "stranger", "owner", "operator", "open")  # open: without a token, with TEMPOFTP_AUTH=off

# A build without the page (-Ddocs=disabled) says so.
PAGE = (200 if "docs.css" in (BUILD / "src/api/docs_files.c").read_text() else 404,) * len(WHO)

# method, path, body -> the status for each of WHO. {id} is a fresh request of the owner's.
TABLE = [
    ("GET", "/", None, (200, 200, 200, 200, 200, 200)),
    ("GET", "/health", None, (200, 200, 200, 200, 200, 200)),
    ("GET", "/metrics", None, (401, 401, 403, 403, 200, 401)),
    ("GET", "/openapi.json", None, (200, 200, 200, 200, 200, 200)),
    ("GET", "/docs", None, PAGE),
    ("GET", "/docs/docs.css", None, PAGE),
    ("POST", "/tmpftp", "request", (401, 401, 403, 200, 200, 200)),
    ("GET", "/tmpftp", None, (401, 401, 200, 200, 200, 200)),
    ("DELETE", "/tmpftp/expired", None, (401, 401, 403, 403, 200, 200)),
    ("DELETE", "/tmpftp/user/owner@example.org", None, (401, 401, 403, 403, 200, 200)),
    ("GET", "/tmpftp/{id}", None, (401, 401, 404, 200, 200, 200)),
    ("DELETE", "/tmpftp/{id}", None, (401, 401, 404, 200, 200, 200)),
    ("POST", "/tmpftp/{id}/bloquear", {}, (401, 401, 403, 403, 200, 200)),
    ("POST", "/tmpftp/{id}/desbloquear", {}, (401, 401, 403, 403, 400, 400)),
    ("POST", "/tmpftp/{id}/extender", {"dias": 1}, (401, 401, 403, 403, 200, 200)),
    ("PUT", "/tmpftp/{id}/buzon", {}, (401, 401, 403, 403, 200, 401)),
    ("DELETE", "/tmpftp/{id}/buzon", None, (401, 401, 403, 403, 200, 401)),
    ("GET", "/tmpftp/{id}/eventos", None, (401, 401, 404, 200, 200, 200)),
    ("GET", "/sesiones", None, (401, 401, 403, 403, 200, 401)),
    ("DELETE", "/sesiones/1", None, (401, 401, 403, 403, 404, 401)),
    ("POST", "/auth/register", {}, (422, 422, 422, 422, 422, 422)),
    ("POST", "/auth/login", {}, (422, 422, 422, 422, 422, 422)),
    ("POST", "/auth/logout", None, (401, 401, 200, 200, 200, 401)),
    ("POST", "/token/create", None, (401, 401, 200, 200, 200, 401)),
    ("POST", "/token/validate", {}, (401, 401, 422, 422, 422, 401)),
    ("GET", "/api/usuarios", None, (401, 401, 403, 403, 200, 401)),
    ("PATCH", "/api/usuarios/999", {"is_active": True}, (401, 401, 403, 403, 404, 401)),
    ("GET", "/api/destinations", None, (401, 401, 403, 403, 200, 401)),
    ("POST", "/api/destinations", {}, (401, 401, 403, 403, 422, 401)),
    ("GET", "/api/destinations/999", None, (401, 401, 403, 403, 404, 401)),
    ("PUT", "/api/destinations/999", {}, (401, 401, 403, 403, 404, 401)),
    ("DELETE", "/api/destinations/999", None, (401, 401, 403, 403, 404, 401)),
    ("POST", "/api/destinations/999/test", None, (401, 401, 403, 403, 404, 401)),
    ("POST", "/api/jobs/{id}/export/ftp", {"destination_id": 999}, (401, 401, 403, 403, 404, 401)),
    ("POST", "/api/jobs/{id}/export/sftp", {"destination_id": 999}, (401, 401, 403, 403, 404, 401)),
    ("GET", "/api/jobs/{id}/exports", None, (401, 401, 404, 200, 200, 200)),
    ("DELETE", "/api/jobs/{id}/exports/999", None, (401, 401, 403, 403, 404, 401)),
    ("GET", "/api/jobs/{id}/logs", None, (401, 401, 404, 200, 200, 200)),
    ("GET", "/api/auditoria", None, (401, 401, 403, 403, 200, 401)),
]


class Town:
    """Two services, with and without access control, and everybody in them."""

    def __init__(self):
        self.world = World(BUILD, TEMPOFTP_SIM_REMOTE_SIZE_BYTES=1).start()
        self.open_world = World(BUILD, TEMPOFTP_AUTH="off", TEMPOFTP_SIM_REMOTE_SIZE_BYTES=1).start()
        self.made = 0
        for name in ("owner", "stranger"):
            self.world.user(name)
        self.world.user("operator", "operador")

    def caller(self, who):
        """Logged in anew for each cell: one of them logs out."""
        if who == "open":
            return self.open_world
        if who in ("owner", "stranger", "operator"):
            return self.world.login(f"{who}@example.org")
        return self.world if who == "nobody" else self.world.with_token(self.world.login("operator@example.org").token[:-1])

    def fresh(self, who, make=True):
        self.made += 1
        world = self.open_world if who == "open" else self.world
        wanted = world.fresh_request(f"fresh-{self.made}", usuario="owner@example.org")
        if make:
            assert world.operator.post("/tmpftp", wanted).status == 200
        return wanted

    def remove(self):
        self.world.remove()
        self.open_world.remove()


@pytest.fixture(scope="module")
def town():
    town = Town()
    yield town
    town.remove()


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row[0]} {row[1]}")
def test_who_may(town, row):
    method, path, body, expected = row
    for who, status in zip(WHO, expected, strict=True):
        wanted = town.fresh(who, make="{id}" in path) if "{id}" in path or body == "request" else None
        sent = wanted if body == "request" else body
        if path.endswith("/buzon") and method == "DELETE":
            assert (town.open_world if who == "open" else town.world).operator("PUT", f"/tmpftp/{wanted['id']}/buzon", {}).status == 200
        reply = town.caller(who)(method, path.replace("{id}", wanted["id"] if wanted else ""), sent)
        assert reply.status == status, f"{who}: {reply}"
        if status == 401:
            assert reply.json == {"detail": "Credenciales inválidas"} and reply.headers["WWW-Authenticate"] == "Bearer"
        elif status == 403:
            assert reply.json == {"detail": "No autorizado"}
        if wanted and status in (401, 403) and body != "request":
            world = town.open_world if who == "open" else town.world
            assert world.operator.get(f"/tmpftp/{wanted['id']}").json["status"] == "listo", f"{who} did it all the same"


def test_the_table_has_every_call_of_the_service():
    source = (REPOSITORY / "src/api/route.c").read_text()
    routes = re.findall(r'^    \{ "([A-Z]+)", "([^"]+)",', source.split("routes[] = {")[1].split("\n};")[0], re.M)
    mine = {(method, re.sub(r"owner@example.org|999|docs\.css|(?<=sesiones/)1|\{id\}", "{}", path)) for method, path, _, _ in TABLE}
    assert len(routes) > 20 and set(routes) == mine


def test_what_is_not_there_and_what_is_not_theirs_look_the_same(town):
    stranger, wanted = town.caller("stranger"), town.fresh("owner")
    for method, rest in (("GET", ""), ("GET", "/eventos"), ("DELETE", "")):
        there, missing = stranger(method, f"/tmpftp/{wanted['id']}{rest}"), stranger(method, f"/tmpftp/nothing-there{rest}")
        assert (there.status, there.body) == (missing.status, missing.body)
    there = stranger.get(f"/tmpftp?despues={wanted['id']}")
    missing = stranger.get("/tmpftp?despues=nothing-there")
    assert (there.status, there.body) == (missing.status, missing.body)


def test_an_answer_that_is_kept_for_one_is_not_given_to_another(town):
    wanted = town.fresh("owner")
    owner, stranger = town.caller("owner"), town.caller("stranger")
    for _ in range(3):
        assert owner.get(f"/tmpftp/{wanted['id']}").json["password"]
        assert stranger.get(f"/tmpftp/{wanted['id']}").status == 404


def test_an_id_that_changes_hands_is_not_the_first_owners_any_more(town):
    wanted = town.fresh("owner")
    owner, stranger = town.caller("owner"), town.caller("stranger")
    assert owner.get(f"/tmpftp/{wanted['id']}").status == 200
    assert owner.delete(f"/tmpftp/{wanted['id']}").status == 200
    assert town.world.operator.post("/tmpftp", {**wanted, "usuario": "Stranger@Example.org"}).status == 200
    assert owner.get(f"/tmpftp/{wanted['id']}").status == owner.delete(f"/tmpftp/{wanted['id']}").status == 404
    assert stranger.get(f"/tmpftp/{wanted['id']}").status == 200


@pytest.fixture
def world():
    world = World(BUILD, TEMPOFTP_SIM_REMOTE_SIZE_BYTES=1)
    yield world.start()
    world.remove()


def ids(reply):
    return [row["id"] for row in reply.json["solicitudes"]]


def test_a_user_lists_their_own(world):
    ana, eva = world.user("ana"), world.user("eva")
    for n in range(6):
        assert world.operator.post("/tmpftp", world.fresh_request(f"r{n}", usuario=("ana" if n % 2 else "eva") + "@example.org")).status == 200
    assert ids(ana.get("/tmpftp")) == ["r1", "r3", "r5"] and ana.get("/tmpftp").json["total"] == 3
    assert ids(eva.get("/tmpftp?limite=2")) == ["r0", "r2"]
    assert ids(eva.get("/tmpftp?limite=2&despues=r2")) == ["r4"]
    assert ids(ana.get("/tmpftp?estado=bloqueado")) == []
    assert world.operator.post("/tmpftp/r3/bloquear").status == 200
    assert ids(ana.get("/tmpftp?estado=bloqueado")) == ["r3"]
    assert ids(world.operator.get("/tmpftp")) == [f"r{n}" for n in range(6)]


def test_a_user_asks_for_themselves_and_from_known_sources_only(world):
    ana = world.user("ana")
    assert ana.post("/tmpftp", world.fresh_request("propia", usuario="Ana@example.org")).status == 200
    assert ana.post("/tmpftp", world.fresh_request("ajena", usuario="eva@example.org")).status == 403
    reply = ana.post("/tmpftp", world.fresh_request("fuera", usuario="ana@example.org", ruta="otro:/a"))
    assert reply.status == 400 and reply.json["detail"]["mensaje"] == "Origen no permitido: otro"
    world.restart(TEMPOFTP_ORIGENES=None)
    assert ana.post("/tmpftp", world.fresh_request("libre", usuario="ana@example.org")).status == 403
    assert world.operator.post("/tmpftp", world.fresh_request("libre", usuario="ana@example.org")).status == 200
    assert ids(ana.get("/tmpftp")) == ["propia", "libre"]
