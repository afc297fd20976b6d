"""The trail of who did what: what is in it, who finds what in it, that it is there before the answer and together with the change, and how much of it there
can be."""
import concurrent.futures
import ftplib
import http.client
import json
import subprocess

import pytest

import client
from conftest import BUILD
from machine import wait_until
from people import PASSWORD, World

KEYS = {"n", "momento", "actor", "direccion", "accion", "objeto", "detalle", "resultado", "request_id"}


@pytest.fixture
def world():
    world = World(BUILD, TEMPOFTP_SIM_REMOTE_SIZE_BYTES=1)
    yield world.start()
    world.remove()


def trail(world, query=""):
    """All rows that match, newest first, from page to page."""
    rows, before = [], ""
    while True:
        page = world.operator.get(f"/api/auditoria?limite=1000{query}{before}")
        assert page.status == 200, page
        rows += page.json["registros"]
        if page.json["siguiente"] is None:
            return rows
        before = f"&antes={page.json['siguiente']}"


def summary(rows):
    return [(row["actor"], row["direccion"], row["accion"], row["objeto"], row["detalle"], row["resultado"]) for row in reversed(rows)]


# ---- what is in it --------------------------------------------------------------------------------------

def test_every_kind_of_call_leaves_its_row(world):
    """Each line: a call, and the row that it leaves at once."""
    ana = world.user("ana")
    operator = world.operator
    wanted = world.fresh_request("una", usuario="ana@example.org")
    token = {"token": ana.post("/token/create").json["token"]}
    root, user, stranger = ("unix:root", "unix"), ("user:ana@example.org", "127.0.0.1"), ("api:127.0.0.1", "127.0.0.1")
    calls = [
        (lambda: world.post("/auth/register", {"nombre": "Eva", "correo": "Eva@example.org", "password": PASSWORD}),
         (*stranger, "POST /auth/register", "eva@example.org", None, 200)),
        (lambda: world.post("/auth/login", {"correo": "Ana@example.org", "password": PASSWORD}), (*stranger, "POST /auth/login", "ana@example.org", None, 200)),
        (lambda: world.post("/auth/login", {"correo": "ana@example.org", "password": "no es ésta"}),
         (*stranger, "POST /auth/login", "ana@example.org", None, 401)),
        (lambda: world.post("/auth/login", {"correo": "eva@example.org", "password": PASSWORD}), (*stranger, "POST /auth/login", "eva@example.org", None, 403)),
        (lambda: ana.post("/tmpftp", wanted), (*user, "POST /tmpftp", "una", "ana@example.org origen:/datos/a", 200)),
        (lambda: ana.post("/tmpftp", wanted), (*user, "POST /tmpftp", "una", "ana@example.org origen:/datos/a", 400)),
        (lambda: ana.post("/tmpftp", {}), (*user, "POST /tmpftp", None, None, 422)),
        (lambda: operator.post("/tmpftp/una/bloquear", {"razon": "por revisar"}), (*root, "POST /tmpftp/{}/bloquear", "una", "por revisar", 200)),
        (lambda: operator.post("/tmpftp/una/desbloquear"), (*root, "POST /tmpftp/{}/desbloquear", "una", None, 200)),
        (lambda: operator.post("/tmpftp/una/extender", {"dias": 3}), (*root, "POST /tmpftp/{}/extender", "una", "dias=3", 200)),
        (lambda: operator.post("/tmpftp/una/extender", {"dias": 3000}), (*root, "POST /tmpftp/{}/extender", "una", "dias=3000", 400)),
        (lambda: operator("PUT", "/tmpftp/una/buzon", {"bytes": 5000}), (*root, "PUT /tmpftp/{}/buzon", "una", "bytes=5000", 200)),
        (lambda: operator.delete("/tmpftp/una/buzon"), (*root, "DELETE /tmpftp/{}/buzon", "una", None, 200)),
        (lambda: ana.get("/api/usuarios"), (*user, "GET /api/usuarios", None, None, 403)),
        (lambda: world.get("/tmpftp"), (*stranger, "GET /tmpftp", None, None, 401)),
        (lambda: operator("PATCH", "/api/usuarios/Ana@example.org", {"rol": "operador"}),
         (*root, "PATCH /api/usuarios/{}", "ana@example.org", "rol=operador", 200)),
        (lambda: operator("PATCH", "/api/usuarios/ana@example.org", {"rol": "usuario", "is_active": True, "password": PASSWORD}),
         (*root, "PATCH /api/usuarios/{}", "ana@example.org", "is_active=true rol=usuario password", 200)),
        (lambda: world.post("/token/validate", token), (*stranger, "POST /token/validate", None, None, 401)),
        (lambda: operator.delete("/tmpftp/nada"), (*root, "DELETE /tmpftp/{}", "nada", None, 404)),
        (lambda: operator.delete("/tmpftp/una"), (*root, "DELETE /tmpftp/{}", "una", None, 200)),
        (lambda: operator.delete("/tmpftp/expired"), (*root, "DELETE /tmpftp/expired", None, None, 200)),
        (lambda: operator.delete("/sesiones/1"), (*root, "DELETE /sesiones/{}", "1", None, 404)),
    ]
    seen = len(trail(world))
    for n, (call, row) in enumerate(calls):
        reply = call()
        rows = trail(world)
        assert len(rows) == seen + 1 and reply.status == row[-1], f"call {n}: {reply}"
        assert summary(rows[:1]) == [row]
        assert rows[0]["request_id"] == reply.headers["X-Request-ID"] and set(rows[0]) == KEYS
        seen += 1


def test_tokens_and_logouts_are_in_it(world):
    ana = world.user("ana")
    token = ana.post("/token/create").json
    assert [ana.post("/token/validate", token).status for _ in range(2)] == [200, 401]
    assert ana.post("/auth/logout").status == 200
    assert summary(trail(world)[:4]) == [
        ("user:ana@example.org", "127.0.0.1", action, target, None, status)
        for action, target, status in (("POST /token/create", None, 200), ("POST /token/validate", None, 200), ("POST /token/validate", None, 401),
                                       ("POST /auth/logout", "ana@example.org", 200))]


def test_the_end_of_an_account_names_each_of_its_requests(world):
    for id in ("a", "b", "c"):
        assert world.operator.post("/tmpftp", world.fresh_request(id, usuario="ana@example.org")).status == 200
    assert world.operator.delete("/tmpftp/user/ana@example.org").status == 200
    rows = trail(world, "&accion=DELETE")
    assert rows[0]["objeto"] == "ana@example.org" and sorted(row["objeto"] for row in rows[1:]) == ["a", "b", "c"]
    assert len({row["request_id"] for row in rows}) == 1 and {row["resultado"] for row in rows} == {200}


def test_reading_leaves_no_row(world):
    ana = world.user("ana")
    before = trail(world)
    for path in ("/tmpftp", "/", "/health", "/tmpftp/nada"):
        ana.get(path)
    assert trail(world) == before


def test_settings_that_matter_are_in_it(world):
    """Nobody calls to change one: the next start tells."""
    first = trail(world)
    assert ("tempoftpd", "-", "SETTING", "TEMPOFTP_ORIGENES", "origen", 200) in summary(first)
    assert not any("KEY" in str(row) or row["objeto"] == "TEMPOFTP_SIM_REMOTE_SIZE_BYTES" for row in first), "no secrets, and only what matters"
    world.restart()
    assert trail(world) == first, "nothing new, nothing said"
    world.restart(TEMPOFTP_REGISTRO="abierto", TEMPOFTP_ORIGENES="origen,otro")
    world.restart(TEMPOFTP_REGISTRO=None)
    assert [row[3:5] for row in summary(trail(world))[len(first):]] == [
        ("TEMPOFTP_ORIGENES", "origen,otro"), ("TEMPOFTP_REGISTRO", "abierto"), ("TEMPOFTP_REGISTRO", "por omisión")]
    assert "Setting changed since the last start: TEMPOFTP_REGISTRO=abierto is no more" in world.said()


def test_open_access_is_warned_of_at_every_start(world):
    assert "TEMPOFTP_AUTH=off" not in world.said()
    for _ in range(2):
        world.restart(TEMPOFTP_AUTH="off")
        assert "warning: TEMPOFTP_AUTH=off: whoever reaches the API may see, make and remove every request" in world.said()


def test_ftp_logins_are_in_it(machine, api, source, unique, submit, wait_for):
    answer = wait_for(submit(f"{source.make_tree(unique('tree'), {'a.txt': 'a'})}/"), "listo")
    account, id = answer["ftpuser"], answer["id"]
    address = "127.0.77.1"  # nobody else's: refusals are counted by address

    def login(user, password):
        with ftplib.FTP(timeout=60) as ftp:
            ftp.connect("127.0.0.1", 21, source_address=(address, 0))
            try:
                return ftp.login(user, password)[:3]
            except ftplib.error_perm as refusal:
                return str(refusal)[:3]

    good = client.decrypt(machine, answer["password"])
    assert [login(account, good), login(account, "x" * 300), login("Not A Name", good)] == ["230", "530", "530"]
    assert api.post(f"/tmpftp/{id}/bloquear").status == 200
    assert login(account, good) == "530"
    rows = api.get("/api/auditoria?accion=FTP%20LOGIN&limite=4").json["registros"]
    assert summary(rows) == [
        (f"ftp:{account}", address, "FTP LOGIN", account, None, 200),
        (f"ftp:{address}", address, "FTP LOGIN", account, "password", 401),
        (f"ftp:{address}", address, "FTP LOGIN", None, "unknown", 401),
        (f"ftp:{address}", address, "FTP LOGIN", account, "blocked", 403),
    ]


# ---- finding in it --------------------------------------------------------------------------------------

def test_filters(world):
    ana = world.user("ana")
    for id in ("uno", "dos"):
        assert ana.post("/tmpftp", world.fresh_request(id), headers={"X-Request-ID": f"call-{id}"}).status == 200
    assert ana.delete("/tmpftp/uno").status == 200
    assert world.get("/tmpftp").status == 401
    everything = trail(world)
    moments = [row["momento"] for row in everything]
    for query, keep in [
        ("&actor=user:ana@example.org", lambda row: row["actor"] == "user:ana@example.org"),
        ("&actor=ana@example.org", lambda row: row["actor"] == "user:ana@example.org"),
        ("&actor=root", lambda row: row["actor"] == "unix:root"),
        ("&actor=nobody", lambda row: False),
        ("&accion=DELETE", lambda row: row["accion"].startswith("DELETE")),
        ("&accion=POST%20/tmpftp", lambda row: row["accion"] == "POST /tmpftp"),
        ("&objeto=uno", lambda row: row["objeto"] == "uno"),
        ("&request_id=call-dos", lambda row: row["request_id"] == "call-dos"),
        ("&direccion=127.0.0.1", lambda row: row["direccion"] == "127.0.0.1"),
        ("&direccion=127.0.0.1&objeto=uno&accion=DELETE", lambda row: row["accion"] == "DELETE /tmpftp/{}"),
        (f"&desde={moments[0]}", lambda row: row["momento"] >= moments[0]),
        (f"&hasta={moments[-1]}", lambda row: row["momento"] <= moments[-1]),
        (f"&desde={moments[-1][:10]}&hasta={moments[0][:10]}", lambda row: True),
        ("&hasta=2020-01-01", lambda row: False),
        ("&desde=9999-12-31", lambda row: False),
    ]:
        assert trail(world, query) == [row for row in everything if keep(row)], query


def test_pages(world):
    for n in range(7):
        assert world.operator.post("/tmpftp", world.fresh_request(f"r{n}")).status == 200
    everything = trail(world)
    assert [row["n"] for row in everything] == sorted((row["n"] for row in everything), reverse=True) and len(everything) == 7 + 2, "and two settings"
    page = world.operator.get("/api/auditoria?limite=3").json
    assert page == {"registros": everything[:3], "siguiente": everything[2]["n"]}
    page = world.operator.get(f"/api/auditoria?limite=4&antes={page['siguiente']}").json
    assert page == {"registros": everything[3:7], "siguiente": everything[6]["n"]}
    page = world.operator.get(f"/api/auditoria?limite=4&antes={page['siguiente']}").json
    assert page == {"registros": everything[7:], "siguiente": None}
    assert len(world.operator.get("/api/auditoria").json["registros"]) == 9


@pytest.mark.parametrize("query", ["limite=0", "limite=1001", "antes=x", "desde=ayer", "hasta=2026-02-30", "desde=2026-11-22T10:00:00", "actor=%00", "actor=%zz",
                                   f"objeto={'x' * 300}"])
def test_questions_that_make_no_sense(world, query):
    reply = world.operator.get(f"/api/auditoria?{query}")
    assert reply.status == 422 and reply.json["detail"][0]["loc"] == ["query", query.split("=")[0]]


# ---- before the answer, with the change -------------------------------------------------------------------

def test_what_was_answered_is_on_disk(world):
    """Killed the moment an answer is here, whatever the answer is."""
    ana = world.user("ana")
    calls = {
        "login": lambda id: world.post("/auth/login", {"correo": "ana@example.org", "password": PASSWORD}, headers=id),
        "refusal": lambda id: world.post("/auth/login", {"correo": "ana@example.org", "password": "no es ésta"}, headers=id),
        "stranger": lambda id: world.get("/tmpftp", headers=id),
        "creation": lambda id: world.operator.post("/tmpftp", world.fresh_request("una"), headers=id),
        "token": lambda id: ana.post("/token/create", headers=id),
        "role": lambda id: world.operator("PATCH", "/api/usuarios/ana@example.org", {"rol": "operador"}, headers=id),
        "deletion": lambda id: world.operator.delete("/tmpftp/una", headers=id),
    }
    for name, call in calls.items():
        reply = call({"X-Request-ID": f"last-{name}"})
        world.kill()
        world.start()
        rows = trail(world, f"&request_id=last-{name}")
        assert [row["resultado"] for row in rows] == [reply.status], name


@pytest.mark.parametrize("round", range(4))
def test_a_change_and_its_row_are_there_together_or_not_at_all(world, round):
    """Killed in the middle of many changes, between any two lines of the service: of each the database has the change and its row, or neither."""
    answered = []

    def create(n):
        try:
            reply = world.operator.post("/tmpftp", world.fresh_request(f"r{n}"))
        except (OSError, http.client.HTTPException):
            return
        assert reply.status == 200
        answered.append(f"r{n}")

    def remove(n):
        try:
            if world.operator.delete(f"/tmpftp/r{n}").status == 200:
                removed.append(f"r{n}")
        except (OSError, http.client.HTTPException):
            return

    removed = []
    for job, done in ((create, answered), (remove, removed)):
        world.start() if world.process.poll() is not None else None
        with concurrent.futures.ThreadPoolExecutor(40) as pool:
            storm = [pool.submit(job, n) for n in range(400)]
            wait_until(lambda done=done: len(done) > 10 * (round + 1) or all(each.done() for each in storm), 60)
            world.kill()
            for each in storm:
                each.result()
        world.start()
        created = {row[0] for row in world.sqlite("SELECT id FROM requests")}
        gone = {row[0] for row in world.sqlite("SELECT id FROM requests WHERE state = 'eliminado'")}
        rows = trail(world)
        assert {row["objeto"] for row in rows if row["accion"] == "POST /tmpftp" and row["resultado"] < 400} == created >= set(answered)
        assert {row["objeto"] for row in rows if row["accion"] == "DELETE /tmpftp/{}" and row["resultado"] < 400} == gone >= set(removed)


def test_nothing_is_granted_that_cannot_be_written_down(world):
    """The database refuses rows of the trail, as a full disk would: no login, no change; reading goes on."""
    ana = world.user("ana")
    world.stop()
    world.sqlite("CREATE TRIGGER refuse BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no'); END")
    world.start()
    for reply in (world.post("/auth/login", {"correo": "ana@example.org", "password": PASSWORD}), ana.post("/token/create"),
                  world.operator.post("/tmpftp", world.fresh_request("una")), world.operator.delete("/tmpftp/expired")):
        assert reply.status >= 500 and "token" not in reply.text, reply
    assert world.sqlite("SELECT count(*) FROM requests") == [["0"]] and world.sqlite("SELECT count(*) FROM onetime_tokens") == [["0"]]
    assert world.get("/tmpftp").status == 401, "who is refused is refused all the same"
    assert ana.get("/tmpftp").status == 200


# ---- how much of it -------------------------------------------------------------------------------------

def test_a_flood_of_refusals_does_not_fill_the_trail_or_the_journal(world):
    for _ in range(150):
        assert world.get("/tmpftp").status == 401
    assert world.operator.delete("/tmpftp/nothing-there").status == 404
    assert len(trail(world, "&direccion=127.0.0.1")) == 60
    assert world.said().count("GET /tmpftp 401") == 60
    assert trail(world)[0]["actor"] == "unix:root", "another client has its own"


def test_refusals_push_no_change_out(world):
    world.restart(TEMPOFTP_AUDIT_ROWS=1000)
    assert world.operator.post("/tmpftp", world.fresh_request("first")).status == 200
    world.stop()
    world.sqlite("WITH RECURSIVE i(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM i WHERE x < 3000) INSERT INTO audit (at, actor, address, action, result, request_id, kind, k) "
                 "SELECT strftime('%s', 'now'), 'api:192.0.2.1', '192.0.2.1', 'GET /tmpftp', 401, 'x', 2, x FROM i")
    world.start()
    assert world.get("/tmpftp").status == 401
    rows = trail(world)
    assert sum(row["resultado"] == 401 for row in rows) == 1000
    assert [row["objeto"] for row in rows if row["accion"] == "POST /tmpftp"] == ["first"]


def test_the_trail_ends_at_its_days(world):
    assert world.operator.post("/tmpftp", world.fresh_request("old")).status == 200
    world.stop()
    world.sqlite("DROP TRIGGER audit_stays_as_written; UPDATE audit SET at = at - 2 * 86400")
    world.start()
    assert "old" in {row["objeto"] for row in trail(world)}, "two days are no 400"
    world.restart(TEMPOFTP_AUDIT_DAYS=1)
    assert world.operator.post("/tmpftp", world.fresh_request("new")).status == 200
    assert [row["objeto"] for row in trail(world)] == ["new", "TEMPOFTP_AUDIT_DAYS"]


# ---- tempoftp auditoria ----------------------------------------------------------------------------------

def tempoftp(world, *words, code=0):
    done = subprocess.run([BUILD / "src/cli/tempoftp", "--socket", world.socket, "auditoria", *words], capture_output=True, text=True, timeout=120)
    assert done.returncode == code, done
    return done.stdout


def test_the_command_shows_it(world):
    ana = world.user("ana")
    assert ana.post("/tmpftp", world.fresh_request("una"), headers={"X-Request-ID": "call-1"}).status == 200
    assert world.operator.post("/tmpftp/una/bloquear", {"razon": "\x1b[31mrojo"}).status == 200
    shown = tempoftp(world, "--objeto", "una").splitlines()
    assert len(shown) == 3 and "unix:root" in shown[1] and "POST /tmpftp/{}/bloquear" in shown[1] and "\x1b" not in shown[1]
    assert "user:ana@example.org" in shown[2] and "127.0.0.1" in shown[2] and "call-1" in shown[2] and "origen:/datos/a" in shown[2]
    assert [line.split()[3] for line in tempoftp(world, "--quien", "ana@example.org").splitlines()[1:]] == ["user:ana@example.org"]
    assert len(tempoftp(world, "--llamada", "call-1").splitlines()) == 2
    assert len(tempoftp(world, "--accion", "POST", "--limite", "2").splitlines()) == 3
    assert tempoftp(world, "--hasta", "2020-01-01") == ""
    assert json.loads(tempoftp(world, "-j", "--llamada", "call-1"))["registros"][0]["objeto"] == "una"
    tempoftp(world, "--limite", "0", code=2)
    tempoftp(world, "--desde", "ayer", code=1)


def test_the_command_looks_through_all_of_it(world):
    """What is asked for lies deeper than one call of the API looks."""
    assert world.operator.post("/tmpftp", world.fresh_request("needle")).status == 200
    world.stop()
    world.sqlite("WITH RECURSIVE i(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM i WHERE x < 12000) INSERT INTO audit (at, actor, address, action, result, request_id, kind, k) "
                 "SELECT strftime('%s', 'now'), 'api:192.0.2.1', '192.0.2.1', 'GET /tmpftp', 401, 'x', 2, x FROM i")
    world.start()
    assert world.operator.get("/api/auditoria?objeto=needle").json["registros"] == []
    assert "needle" in tempoftp(world, "--objeto", "needle")
    assert len(trail(world, "&objeto=needle")) == 1
