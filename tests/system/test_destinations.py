"""/api/destinations and /api/jobs over real HTTP, in the simulator: what operators keep, what is refused and in which words, who gets a request by itself, what
outlives a kill, and that secrets go in and never come out. Real uploads are in test_exports.py and its siblings."""
import json
import re

import pytest
from cryptography.fernet import Fernet

from conftest import BUILD
from machine import wait_until
from people import World

FTP = {"name": "socio", "type": "ftp", "host": "ftp.example.org", "username": "ana", "password": "muy-secreta-0815"}
SFTP = {"name": "seguro", "type": "sftp", "host": "sftp.example.org", "username": "ana", "password": "muy-secreta-0815"}
KEY = "SHA256:" + "k" * 43
PRIVATE_KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nbXV5LXNlY3JldG8tMDgxNQ\n-----END OPENSSH PRIVATE KEY-----\n"
INNER = "Servidor no permitido: es este equipo o una dirección de enlace local (TEMPOFTP_EXPORT_INTERNAL)"


@pytest.fixture
def world():
    world = World(BUILD, TEMPOFTP_SIM_REMOTE_SIZE_BYTES=1000)
    yield world.start()
    world.remove()


@pytest.fixture
def op(world):
    return world.operator


def make(op, **fields):
    reply = op.post("/api/destinations", {**FTP, **fields})
    assert reply.status == 201, reply
    return reply.json


def request(world, id, **fields):
    reply = world.operator.post("/tmpftp", world.fresh_request(id, **fields))
    assert reply.status in (200, 202), reply
    return id


def exports(op, id):
    return op.get(f"/api/jobs/{id}/exports").json["exports"]


def wait_exports(op, id, *states):
    """Until the exports of a request are in these states, by number; returns them."""
    wait_until(lambda: [e["status"] for e in exports(op, id)] == list(states), 60, f"exports of {id}: {states}")
    return exports(op, id)


# ---- what is kept -----------------------------------------------------------------------------------

def test_a_destination_is_made_read_changed_listed_and_removed(op):
    reply = op.post("/api/destinations", {**FTP, "group": "unam.mx", "path": "/entrada/ñ", "port": 2121, "otra": 1})
    assert reply.status == 201 and reply.headers["Location"] == f"/api/destinations/{reply.json['id']}"
    made = reply.json
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", made.pop("created_at"))
    id = made["id"]
    assert made == {"id": id, "name": "socio", "type": "ftp", "host": "ftp.example.org", "port": 2121, "username": "ana", "has_password": True,
                    "has_ssh_key": False, "path": "/entrada/ñ", "group": "unam.mx", "is_default": False, "host_key": None, "host_key_seen": None}
    assert op.get(f"/api/destinations/{id}").json["path"] == "/entrada/ñ"

    changed = op("PUT", f"/api/destinations/{id}", {"username": "eva", "group": "", "is_default": True})
    assert changed.status == 200
    assert (changed.json["username"], changed.json["group"], changed.json["is_default"], changed.json["path"]) == ("eva", None, True, "/entrada/ñ")

    other = make(op, name="otro", type="ftps", is_default=True)
    assert other["port"] == 21 and other["is_default"]
    listed = op.get("/api/destinations").json
    assert listed["total"] == 2
    assert [(d["name"], d["is_default"]) for d in listed["destinations"]] == [("socio", False), ("otro", True)], "one default at most"
    assert [d["name"] for d in op.get("/api/destinations?limit=1&offset=1").json["destinations"]] == ["otro"]
    assert op.get("/api/destinations?limit=0").status == op.get("/api/destinations?offset=-1").status == 422

    gone = op.delete(f"/api/destinations/{id}")
    assert (gone.status, gone.body) == (204, b"")
    for method in ("GET", "DELETE"):
        assert op(method, f"/api/destinations/{id}").json == {"detail": "Destino no encontrado"}
    assert make(op, name="socio")["id"] > other["id"], "a number is never used twice"


@pytest.mark.parametrize("change, status, says", [
    ({"type": "ftps"}, 400, "El tipo de un destino no cambia"),
    ({"name": "otro"}, 409, "Ya existe un destino con ese nombre"),
    ({"password": ""}, 400, "Falta password"),
    ({"host_key": KEY}, 400, "solo para el tipo sftp"),
    ({"port": "21"}, 422, "entero"),
    ({"path": "/a/../b"}, 400, "Ruta inválida"),
    ({"path": None}, 422, "texto"),
], ids=["type", "name", "no password", "host key", "port", "path", "null"])
def test_a_change_that_is_refused_changes_nothing(op, change, status, says):
    make(op, name="otro")
    id = make(op)["id"]
    before = op.get(f"/api/destinations/{id}").json
    reply = op("PUT", f"/api/destinations/{id}", change)
    assert reply.status == status and says in reply.text, reply
    assert op.get(f"/api/destinations/{id}").json == before


@pytest.mark.parametrize("body, status", [
    (b"", 422), (b"[]", 422), (b"{", 422), (b'{"name":"a","name":"b"}', 422), (b"\xff\xfe", 422), (b'{"name":1}', 422),
    (json.dumps({**FTP, "name": "a\u202eb"}).encode(), 400), (json.dumps({**FTP, "username": "ana\r\nDELE x"}).encode(), 400),
    (json.dumps({**FTP, "password": "x\ny"}).encode(), 400), (json.dumps({**FTP, "path": "/a\nb"}).encode(), 400),
    (json.dumps({**FTP, "host": "ftp.example.org/x"}).encode(), 400), (json.dumps({**FTP, "host": "a b"}).encode(), 400),
    (json.dumps({**FTP, "host": "-oProxyCommand=x"}).encode(), 400), (json.dumps({**FTP, "port": 65536}).encode(), 400),
    (json.dumps({**FTP, "name": "n" * 65}).encode(), 400), (json.dumps({**FTP, "path": "p" * 1025}).encode(), 400),
    (json.dumps({**FTP, "ssh_key": PRIVATE_KEY}).encode(), 400), (json.dumps({**SFTP, "ssh_key": "k" * 12001}).encode(), 400),
    (json.dumps({**FTP, "path": "p" * 17000}).encode(), 413),
], ids=str)
def test_what_is_no_destination_leaves_no_row(world, op, body, status):
    reply = op("POST", "/api/destinations", body=body, headers={"Content-Type": "application/json"})
    assert reply.status == status, reply
    assert world.sqlite("SELECT count(*) FROM destinations") == [["0"]]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "0x7f000001", "2130706433", "0.0.0.0", "169.254.169.254", "::1", "[::1]", "::", "fe80::1",
                                  "::ffff:127.0.0.1", "64:ff9b::7f00:1", "localhost", "LOCALHOST", "x.localhost"])
def test_a_destination_is_never_this_machine(world, op, host):
    assert op.post("/api/destinations", {**FTP, "host": host}).json == {"detail": INNER}
    id = make(op)["id"]
    assert op("PUT", f"/api/destinations/{id}", {"host": host}).json == {"detail": INNER}
    assert op.get(f"/api/destinations/{id}").json["host"] == "ftp.example.org"


def test_unless_a_setting_says_so(world, op):
    world.restart(TEMPOFTP_EXPORT_INTERNAL="1")
    assert make(op, host="127.0.0.1")["host"] == "127.0.0.1"


def test_there_is_a_limit_of_destinations(world, op):
    make(op)
    world.sqlite("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 999) INSERT INTO destinations "
                 "(name, type, host, port, username, path, created) SELECT 'n' || i, 'ftp', 'h', 21, 'u', '.', 1 FROM n")
    assert op.post("/api/destinations", {**FTP, "name": "uno más"}).json == {"detail": "Demasiados destinos: elimine alguno"}


# ---- secrets ----------------------------------------------------------------------------------------

def everything_written(world):
    """All bytes that the service keeps and says."""
    kept = b"".join(path.read_bytes() for path in sorted(world.state_folder.iterdir()))
    return kept + world.said().encode()


def test_secrets_are_encrypted_at_rest_and_never_come_out(world, op):
    first = op.post("/api/destinations", FTP)
    second = op.post("/api/destinations", {**SFTP, "ssh_key": PRIVATE_KEY})
    op("PUT", f"/api/destinations/{first.json['id']}", {"password": "otra-secreta-4711"})
    answers = [first, second, op.get("/api/destinations"), op.get(f"/api/destinations/{second.json['id']}"), op.get("/api/auditoria"),
               op.post(f"/api/destinations/{second.json['id']}/test")]
    request(world, "pedido")
    op.post("/api/jobs/pedido/export/ftp", {"destination_name": "socio"})
    answers += [op.get("/api/jobs/pedido/exports"), op.get("/api/jobs/pedido/logs"), op.get("/tmpftp/pedido/eventos")]
    written = everything_written(world) + b"".join(reply.body for reply in answers)
    for secret in (b"muy-secreta-0815", b"otra-secreta-4711", b"bXV5LXNlY3JldG8tMDgxNQ", b"PRIVATE KEY"):
        assert secret not in written
    tokens = world.sqlite("SELECT password, ssh_key FROM destinations ORDER BY id")
    assert Fernet(world.key).decrypt(tokens[0][0].encode()) == b"otra-secreta-4711" and tokens[0][1] == ""
    assert Fernet(world.key).decrypt(tokens[1][1].encode()) == PRIVATE_KEY.encode()
    assert not any(token.encode() in reply.body for row in tokens for token in row if token for reply in answers), "nor do their tokens"


def test_a_secret_that_cannot_be_encrypted_is_not_kept(world, op):
    """OpenSSL is told to load no provider that knows AES: then every encryption fails."""
    made = make(op, name="antes")
    before = world.sqlite("SELECT * FROM destinations")
    broken = world.folder / "openssl.cnf"
    broken.write_text("openssl_conf = a\n[a]\nproviders = b\n[b]\nbase = c\n[c]\nactivate = 1\n")
    world.restart(OPENSSL_CONF=broken)
    refused = [op.post("/api/destinations", FTP), op.post("/api/destinations", {**SFTP, "ssh_key": PRIVATE_KEY}),
               op("PUT", f"/api/destinations/{made['id']}", {"password": "otra-secreta-4711"})]
    assert [reply.status for reply in refused] == [500, 500, 500], refused
    assert world.sqlite("SELECT * FROM destinations") == before
    written = everything_written(world)
    for secret in (b"muy-secreta-0815", b"otra-secreta-4711", b"bXV5LXNlY3JldG8tMDgxNQ"):
        assert secret not in written
    world.restart(OPENSSL_CONF=None)
    assert op.post("/api/destinations", FTP).status == 201


def test_a_new_key_encrypts_them_anew_and_a_lost_one_stops_the_start(world, op):
    make(op)
    new = Fernet.generate_key().decode()
    world.restart(TEMPOFTP_ENCRYPTION_KEY=f"{new},{world.key}")
    assert Fernet(new).decrypt(world.sqlite("SELECT password FROM destinations")[0][0].encode()) == b"muy-secreta-0815"
    world.stop()
    world.settings["TEMPOFTP_ENCRYPTION_KEY"] = Fernet.generate_key().decode()
    code, said = world.refuses_to_start()
    assert code != 0 and "cannot be decrypted" in said


# ---- tests ------------------------------------------------------------------------------------------

def test_a_test_says_what_works_and_which_step_does_not(op):
    assert op.post(f"/api/destinations/{make(op)['id']}/test").json == {"success": True, "message": "Conexión FTP correcta"}
    reply = op.post(f"/api/destinations/{make(op, name='nadie', host='no.invalid')['id']}/test")
    assert (reply.status, reply.json) == (200, {"success": False, "message": "Nombre: el servidor no se encuentra (no.invalid)"})
    assert op.post("/api/destinations/999/test").status == op.post("/api/destinations/x/test").status == 404


def test_a_host_key_is_shown_accepted_and_then_kept(world, op):
    id = op.post("/api/destinations", SFTP).json["id"]
    request(world, "pedido")
    assert op.post("/api/jobs/pedido/export/sftp", {"destination_id": id}).status == 202
    assert wait_exports(op, "pedido", "error")[0]["message"].startswith("Clave del servidor: nadie la ha aceptado")
    first = op.post(f"/api/destinations/{id}/test").json
    seen = first["host_key_seen"]
    assert not first["success"] and first["message"].startswith("Clave del servidor: ") and seen in first["message"]
    assert re.fullmatch(r"SHA256:[A-Za-z0-9+/]{43}", seen)
    kept = op.get(f"/api/destinations/{id}").json
    assert (kept["host_key"], kept["host_key_seen"]) == (None, seen), "shown, not accepted"

    assert op("PUT", f"/api/destinations/{id}", {"host_key": seen}).json["host_key"] == seen
    assert op.post(f"/api/destinations/{id}/test").json == {"success": True, "message": "Conexión SFTP correcta", "host_key_seen": seen}

    op("PUT", f"/api/destinations/{id}", {"host_key": KEY})
    changed = op.post(f"/api/destinations/{id}/test").json
    assert not changed["success"] and "cambió" in changed["message"] and seen in changed["message"]
    assert op("PUT", f"/api/destinations/{id}", {"port": 2222}).json["host_key"] is None, "another server, another key"


# ---- by itself --------------------------------------------------------------------------------------

@pytest.mark.parametrize("email, group, expected", [
    ("ana@unam.mx", None, ["dos", "uno"]), ("ana@x.unam.mx", None, ["resto"]), ("ana@unam.m", None, ["resto"]), ("ana@unam.mx", "lanot", ["tres"]),
    ("ana@otra.org", "lanot", ["tres"]), ("ana@otra.org", "LANOT", ["resto"]), ("ana@UNAM.MX", None, ["dos", "uno"]), ("ana@inf.unam.mx", None, ["cuatro"]),
    ("ana@otra.org", "inf.unam.mx", ["resto"]),
], ids=["domain", "below it", "part of it", "group beats domain", "group", "letter for letter", "addresses are lower case", "a domain's capitals are nothing",
        "a group's are something"])
def test_who_gets_a_request_by_itself(world, op, email, group, expected):
    for name, of, default in (("dos", "unam.mx", False), ("uno", "unam.mx", False), ("tres", "lanot", False), ("sin", "", False), ("cuatro", "INF.unam.MX", False),
                              ("resto", "", True)):
        make(op, name=name, group=of, is_default=default)
    request(world, "pedido", usuario=email, **({"grupo": group} if group else {}))
    got = wait_exports(op, "pedido", *["listo"] * len(expected))
    assert [e["destination_name"] for e in got] == expected and all(e["automatic"] for e in got)
    shown = op.get("/tmpftp/pedido").json["exportaciones"]
    assert [(e["destino"], e["estado"], e["automatica"]) for e in shown] == [(name, "listo", True) for name in expected]


def test_without_access_control_a_destination_gets_its_requests_and_stays_the_operators(world, op):
    id = make(op, group="unam.mx")["id"]
    world.restart(TEMPOFTP_AUTH="off")
    assert world.post("/tmpftp", world.fresh_request("pedido", usuario="ana@unam.mx")).status == 200
    wait_exports(op, "pedido", "listo")
    assert world.get("/api/jobs/pedido/exports").json["exports"][0]["destination_id"] == id
    assert world.get("/api/jobs/pedido/logs").json["logs"]
    for method, path, body in (("GET", "/api/destinations", None), ("GET", f"/api/destinations/{id}", None), ("POST", "/api/destinations", FTP),
                               ("PUT", f"/api/destinations/{id}", {"host": "ftp.example.com"}), ("DELETE", f"/api/destinations/{id}", None),
                               ("POST", "/api/jobs/pedido/export/ftp", {"destination_id": id}), ("DELETE", "/api/jobs/pedido/exports/1", None)):
        assert world(method, path, body).status == 401, f"{method} {path}"
    assert op.get("/api/destinations").json["total"] == 1 and len(exports(op, "pedido")) == 1


def test_without_a_destination_for_it_nothing_is_sent(world, op):
    make(op, group="unam.mx")
    request(world, "pedido", usuario="ana@otra.org")
    assert exports(op, "pedido") == [] and op.get("/tmpftp/pedido").json["exportaciones"] == []


def test_a_failed_upload_leaves_the_request_as_it_is_and_is_sent_again_by_hand(world, op):
    id = make(op, host="no.invalid", is_default=True)["id"]
    request(world, "pedido")
    failed = wait_exports(op, "pedido", "error")[0]
    assert failed["message"] == "Nombre: el servidor no se encuentra (no.invalid)" and failed["ended_at"]
    answer = op.get("/tmpftp/pedido").json
    assert answer["status"] == "listo" and answer["exportaciones"][0]["mensaje"] == failed["message"]
    assert any((e["mensaje"] or "").startswith("aviso: envío 1 a 'socio'") for e in op.get("/tmpftp/pedido/eventos").json["eventos"])
    op("PUT", f"/api/destinations/{id}", {"host": "ftp.example.org"})
    assert op.post("/api/jobs/pedido/export/ftp", {"destination_id": id}).status == 202
    wait_exports(op, "pedido", "error", "listo")


# ---- by hand ----------------------------------------------------------------------------------------

def test_a_request_is_sent_by_hand_and_its_log_tells_of_it(world, op):
    id = make(op)["id"]
    request(world, "pedido")
    reply = op.post("/api/jobs/pedido/export/ftp", {"destination_name": "socio"})
    assert reply.status == 202 and set(reply.json) == {"export"}
    assert (reply.json["export"]["n"], reply.json["export"]["status"], reply.json["export"]["destination_id"], reply.json["export"]["automatic"]) == (1, "pendiente", id, False)
    done = wait_exports(op, "pedido", "listo")[0]
    assert done["bytes"] == 1000 and done["files"] == 1 and done["message"] is None
    log = op.get("/api/jobs/pedido/logs").json
    assert log["id"] == "pedido" and len(log["logs"]) == 3
    assert all(row["line"].startswith("[FTP Upload] ") and row["export"] == 1 and row["time"].endswith("Z") for row in log["logs"])
    assert "[FTP Upload] upload 1 to 'socio' is complete" in world.said(), "the journal has the same lines"


def test_what_can_not_be_sent(world, op):
    make(op)
    op.post("/api/destinations", SFTP)
    request(world, "pedido")
    request(world, "bloqueada")
    op.post("/tmpftp/bloqueada/bloquear")
    for path, body, status, says in (
            ("pedido/export/ftp", {"destination_name": "seguro"}, 400, "El destino es de tipo 'sftp'"),
            ("pedido/export/sftp", {"destination_name": "socio"}, 400, "El destino es de tipo 'ftp'"),
            ("pedido/export/ftp", {"destination_name": "nadie"}, 404, "Destino no encontrado"),
            ("pedido/export/ftp", {"destination_id": 999}, 404, "Destino no encontrado"),
            ("pedido/export/ftp", {}, 400, "Indique"),
            ("pedido/export/ftp", {"destination_id": "1"}, 422, "entero"),
            ("nadie/export/ftp", {"destination_name": "socio"}, 404, "Solicitud no encontrada"),
            ("bloqueada/export/ftp", {"destination_name": "socio"}, 409, "La solicitud no está lista (estado actual: 'bloqueado')")):
        reply = op.post(f"/api/jobs/{path}", body)
        assert reply.status == status and says in reply.text, (path, body, reply)
    assert exports(op, "pedido") == []
    assert op.get("/api/jobs/nadie/exports").status == op.get("/api/jobs/nadie/logs").status == 404
    assert op.delete("/api/jobs/pedido/exports/1").json == {"detail": "Envío no encontrado"}


def slow(world):
    """A copy and an upload take longer than any test, until it says otherwise."""
    return world.restart(TEMPOFTP_SIM_DELAY_MS="3600000")


def test_one_at_a_time_to_each_destination_and_any_can_be_cancelled(world, op):
    make(op)
    make(op, name="otro")
    request(world, "pedido")
    slow(world)
    assert op.post("/api/jobs/pedido/export/ftp", {"destination_name": "socio"}).status == 202
    wait_exports(op, "pedido", "subiendo")
    again = op.post("/api/jobs/pedido/export/ftp", {"destination_name": "socio"})
    assert (again.status, again.json) == (409, {"detail": "Ya hay un envío de esta solicitud a este destino en curso"})
    assert op.post("/api/jobs/pedido/export/ftp", {"destination_name": "otro"}).status == 202
    cancelled = op.delete("/api/jobs/pedido/exports/1")
    assert cancelled.status == 200 and cancelled.json["export"]["status"] == "cancelado"
    assert op.delete("/api/jobs/pedido/exports/1").json == {"detail": "El envío ya terminó (estado actual: 'cancelado')"}
    assert op.post("/api/jobs/pedido/export/ftp", {"destination_name": "socio"}).status == 202, "then again"
    wait_exports(op, "pedido", "cancelado", "subiendo", "subiendo")


@pytest.mark.parametrize("end", ["block", "delete", "destination"])
def test_the_end_of_a_request_or_a_destination_is_the_end_of_its_uploads(world, op, end):
    id = make(op)["id"]
    request(world, "pedido")
    slow(world)
    op.post("/api/jobs/pedido/export/ftp", {"destination_name": "socio"})
    wait_exports(op, "pedido", "subiendo")
    call = {"block": ("POST", "/tmpftp/pedido/bloquear"), "delete": ("DELETE", "/tmpftp/pedido"), "destination": ("DELETE", f"/api/destinations/{id}")}[end]
    assert op(*call).status in (200, 204)
    assert world.sqlite("SELECT state, token, ended > 0 FROM exports") == [["cancelado", "", "1"]]


def test_no_more_run_at_once_than_the_setting_says(world, op):
    for n in range(4):
        make(op, name=f"d{n}")
    request(world, "pedido")
    world.restart(TEMPOFTP_SIM_DELAY_MS="3600000", TEMPOFTP_EXPORT_MAX="3")
    for n in range(4):
        assert op.post("/api/jobs/pedido/export/ftp", {"destination_name": f"d{n}"}).status == 202
    wait_exports(op, "pedido", "subiendo", "subiendo", "subiendo", "pendiente")
    op.delete("/api/jobs/pedido/exports/2")
    wait_exports(op, "pedido", "subiendo", "cancelado", "subiendo", "subiendo")


def test_the_hundredth_export_of_a_request_is_its_last(world, op):
    id = make(op, is_default=True)["id"]
    request(world, "pedido")
    wait_exports(op, "pedido", "listo")
    world.sqlite("WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 100) INSERT INTO exports "
                 f"(life, n, destination, name, type, automatic, state, created) SELECT (SELECT max(life) FROM requests), i, {id}, 'socio', 'ftp', 0, 'error', 1 FROM n")
    reply = op.post("/api/jobs/pedido/export/ftp", {"destination_id": id})
    assert (reply.status, reply.json) == (409, {"detail": "La solicitud ya tuvo demasiados envíos"})


def test_a_queue_that_is_full_takes_no_more_but_requests_get_ready_all_the_same(world, op):
    make(op, group="unam.mx")
    request(world, "pedido")
    request(world, "otro")
    world.sqlite("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) INSERT INTO exports (life, n, destination, name, type, automatic, "
                 "state, created) SELECT (SELECT min(life) FROM requests), 1000 + i, 1000 + i, 'x', 'ftp', 0, 'pendiente', 1 FROM n")
    reply = op.post("/api/jobs/otro/export/ftp", {"destination_name": "socio"})
    assert reply.status == 503 and reply.headers["Retry-After"], reply
    request(world, "tercero", usuario="ana@unam.mx")
    warning = "aviso: no hubo lugar para 1 envíos automáticos"
    wait_until(lambda: warning in [e["mensaje"] for e in op.get("/tmpftp/tercero/eventos").json["eventos"]], 60, warning)
    assert op.get("/tmpftp/tercero").json["status"] == "listo"


def test_the_trail_tells_what_was_changed_and_no_secret(op):
    id = make(op, group="unam.mx")["id"]
    op("PUT", f"/api/destinations/{id}", {"password": "otra-secreta-4711", "path": "/x"})
    op.delete(f"/api/destinations/{id}")
    rows = [(row["accion"], row["objeto"], row["detalle"], row["resultado"]) for row in op.get("/api/auditoria?limite=3").json["registros"]]
    assert rows == [("DELETE /api/destinations/{}", "socio", None, 204), ("PUT /api/destinations/{}", "socio", "password path", 200),
                    ("POST /api/destinations", "socio", "host username password group", 201)]


# ---- what lasts -------------------------------------------------------------------------------------

def test_what_was_to_be_sent_is_sent_after_a_kill(world, op):
    """Killed while one upload runs and others wait: all arrive once it lives again, none twice."""
    for n in range(3):
        make(op, name=f"d{n}", group="unam.mx")
    world.restart(TEMPOFTP_SIM_DELAY_MS="200", TEMPOFTP_EXPORT_MAX="1")
    request(world, "pedido", usuario="ana@unam.mx")
    wait_until(lambda: any(e["status"] == "subiendo" for e in exports(op, "pedido")), 60)
    world.kill()
    assert world.sqlite("SELECT count(*) FROM exports") == [["3"]], "written with listo"
    world.settings["TEMPOFTP_SIM_DELAY_MS"] = "0"
    world.start()
    wait_exports(op, "pedido", "listo", "listo", "listo")


def test_what_runs_is_found_again_after_a_stop(world, op):
    make(op, group="unam.mx")
    world.restart(TEMPOFTP_SIM_DELAY_MS="100")
    request(world, "pedido", usuario="ana@unam.mx")
    wait_until(lambda: exports(op, "pedido"), 60)
    world.restart(TEMPOFTP_SIM_DELAY_MS="0")
    wait_exports(op, "pedido", "listo")
