"""What portals and operators read and send: every call on requests, with its exact keys, codes and texts.

Against the simulator. SIM_DELAY_MS paces the states: `slow` stays in the first ones for longer than any test.
"""
import re
import time
from datetime import datetime, timedelta, timezone

import cryptography.fernet
import pytest

from machine import wait_until

DETAIL_NOT_FOUND = {"detail": "No encontrado"}
ACTION_NOT_FOUND = {"detail": "Solicitud no encontrada"}
ACTIONS = [("DELETE", ""), ("POST", "/bloquear"), ("POST", "/desbloquear"), ("POST", "/extender"), ("GET", "/eventos")]


@pytest.fixture
def slow(simulator):
    """A simulator whose states last for minutes."""
    return simulator(TEMPOFTP_SIM_DELAY_MS=600_000)


@pytest.fixture
def quick(simulator):
    """A simulator where every request is finished before its POST is answered."""
    return simulator()


def time_of(text):
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text), text
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)


def is_about(moment, wanted):
    return abs((time_of(moment) - wanted).total_seconds()) <= 5


def now():
    return datetime.now(timezone.utc)


def keys(answer):
    """Keys in the order they came."""
    return list(answer)


# ---- /, /health -------------------------------------------------------------------------------------

def test_the_root_says_active(quick):
    reply = quick.get("/")
    assert (reply.status, reply.text) == (200, '{"status":"active"}')
    assert reply.headers["Content-Type"] == "application/json"


def test_health_has_the_contracts_keys(simulator):
    """20 TB free: whole number, powers of 1000; _gb in GiB with two decimals."""
    reply = simulator(TEMPOFTP_SIM_DATA_FREE_BYTES=20_300_000_000_000).get("/health")
    assert reply.status == 200
    assert keys(reply.json) == ["status", "space", "ftpd", "database", "space_free_gb", "space_total_gb", "space_used_pct"]
    assert (reply.json["status"], reply.json["space"], reply.json["ftpd"], reply.json["database"]) == ("ok", "20TB", "up", "ok")
    assert '"space_free_gb":18905.85' in reply.text


# ---- POST /tmpftp: accepted -------------------------------------------------------------------------

def test_a_request_is_accepted_with_202_location_and_retry_after(slow):
    reply = slow.submit("pedido-1")
    assert (reply.status, reply.text) == (202, '{"id":"pedido-1","status":"recibido"}')
    assert reply.headers["Location"] == "/tmpftp/pedido-1"
    assert reply.headers["Retry-After"] == "5"


def test_a_request_that_the_simulator_finishes_at_once_is_answered_with_200(quick):
    reply = quick.submit("pedido-1", usuario="Ana@Example.org")
    assert reply.status == 200
    assert keys(reply.json) == ["id", "status", "ftpuser", "password", "vigencia", "mensaje"]
    assert re.fullmatch(r"ftp_ana_[a-z2-7]{4}", reply.json["ftpuser"])
    assert reply.json["mensaje"] == "Listo, tiene 5 días para hacer la descarga."
    assert {name: reply.json[name] for name in ("id", "status", "vigencia")} == {"id": "pedido-1", "status": "listo", "vigencia": 5}


def test_unknown_keys_are_ignored_and_grupo_is_optional(quick):
    assert quick.submit("sin-grupo", extra={"a": [1]}, id_="x").status == 200
    assert quick.submit("con-grupo", grupo="geofisica").status == 200
    groups = {row["id"]: row["grupo"] for row in quick.get("/tmpftp?detalle=1").json["solicitudes"]}
    assert groups["con-grupo"] == "geofisica"


def test_vigencia_absent_is_ten_days(quick):
    body = quick.fresh_request("sin-vigencia")
    del body["vigencia"]
    assert quick.post("/tmpftp", body).json["vigencia"] == 10


def test_one_day_is_singular(quick):
    assert quick.submit("un-dia", vigencia=1).json["mensaje"] == "Listo, tiene 1 día para hacer la descarga."


def test_addresses_are_stored_in_lower_case_and_share_one_account(quick):
    first = quick.submit("a", usuario="Ana.Lopez@Example.ORG").json
    second = quick.submit("b", usuario="ana.lopez@example.org").json
    assert quick.get("/tmpftp/a").json["email"] == "ana.lopez@example.org"
    assert first["ftpuser"] == second["ftpuser"]
    assert first["password"] == second["password"], "an account that is there keeps its password"


@pytest.mark.parametrize("address, name", [
    ("ana@example.org", r"ftp_ana_[a-z2-7]{4}"),
    ("O'Brien+datos_2@example.org", r"ftp_obriendatos2_[a-z2-7]{4}"),
    ("---@example.org", r"ftp_x_[a-z2-7]{4}"),
    (f"{'a' * 64}@example.org", rf"ftp_{'a' * 32}_[a-z2-7]{{4}}"),
    ("alguien@dominio", r"ftp_alguien_[a-z2-7]{4}"),
])
def test_the_account_name_follows_from_the_address(quick, address, name):
    assert re.fullmatch(name, quick.submit("x", usuario=address).json["ftpuser"])


def test_two_addresses_with_the_same_local_part_are_two_accounts(quick):
    assert quick.submit("a", usuario="ana@uno.org").json["ftpuser"] != quick.submit("b", usuario="ana@dos.org").json["ftpuser"]


# ---- POST /tmpftp: refused --------------------------------------------------------------------------

INVALID_ID = "ID inválido: use de 1 a 64 letras, dígitos, '.', '_' o '-'"
ROUTE = "Ruta remota inválida"
REFUSED = [
    ({"id": ""}, INVALID_ID),
    ({"id": "a" * 65}, INVALID_ID),
    ({"id": "-a"}, INVALID_ID),
    ({"id": "a..b"}, INVALID_ID),
    ({"id": "expired"}, INVALID_ID),
    ({"id": "user"}, INVALID_ID),
    ({"id": "año"}, INVALID_ID),
    ({"usuario": ""}, "Correo inválido"),
    ({"usuario": "ana"}, "Correo inválido"),
    ({"usuario": f"{'a' * 243}@example.org"}, "Correo inválido"),
    ({"vigencia": 0}, "Vigencia inválida: de 1 a 90 días"),
    ({"vigencia": 91}, "Vigencia inválida: de 1 a 90 días"),
    ({"vigencia": -5}, "Vigencia inválida: de 1 a 90 días"),
    ({"ruta": ""}, f"{ROUTE}, use 'host:/ruta' o 'usuario@host:/ruta'"),
    ({"ruta": "/solo/ruta"}, f"{ROUTE}, use 'host:/ruta' o 'usuario@host:/ruta'"),
    ({"ruta": ":/datos"}, f"{ROUTE}: falta host antes de ':'"),
    ({"ruta": "origen:datos"}, f"{ROUTE}: la ruta debe iniciar con '/'"),
    ({"ruta": "origen:"}, f"{ROUTE}: la ruta debe iniciar con '/'"),
    ({"ruta": "@origen:/datos"}, f"{ROUTE}: formato de usuario@host incorrecto"),
    ({"ruta": "ana@:/datos"}, f"{ROUTE}: formato de usuario@host incorrecto"),
    ({"ruta": "a@b@origen:/datos"}, f"{ROUTE}: formato de usuario@host incorrecto"),
    ({"ruta": "origen:/datos/../../etc"}, f"{ROUTE}: caracteres no permitidos"),
    ({"ruta": "origen:/datos*"}, f"{ROUTE}: caracteres no permitidos"),
    ({"ruta": "-oProxyCommand=x:/datos"}, f"{ROUTE}: caracteres no permitidos"),
    ({"ruta": "origen:/a;b"}, f"{ROUTE}: caracteres no permitidos"),
]


@pytest.mark.parametrize("fields, message", REFUSED, ids=[f"{list(f)[0]}-{n}" for n, (f, _) in enumerate(REFUSED)])
def test_what_breaks_a_rule_is_refused_with_the_contracts_text_and_leaves_no_row(quick, fields, message):
    body = {**quick.fresh_request("pedido"), **fields}
    reply = quick.post("/tmpftp", body)
    assert (reply.status, reply.json) == (400, {"detail": {"id": body["id"][:64], "status": "error", "mensaje": message}})
    assert quick.sqlite("SELECT count(*) FROM requests") == [["0"]]


@pytest.mark.parametrize("route", ["origen:/", "origen:/datos", "origen:/datos/", "ana@origen:/datos", "a-b_c.d@10.0.0.1:/x",
                                   "[2001:db8::1]:/datos", "ana@[::1]:/datos", "origen:/Año 2024/mañana, noche_+=~%.nc",
                                   "origen:/a:b@c", "origen:/...", "origen:/a/..b/c..", "ORIGEN.example.org:/x"])
def test_routes_of_every_allowed_form_pass(quick, route):
    reply = quick.submit("pedido", ruta=route)
    assert reply.status == 200, reply
    assert quick.get("/tmpftp").json["solicitudes"][0]["ruta"] == route


def test_the_longest_vigencia_is_a_setting(simulator):
    short = simulator(TEMPOFTP_VIGENCIA_MAX=3)
    assert short.submit("a", vigencia=4).json["detail"]["mensaje"] == "Vigencia inválida: de 1 a 3 días"
    assert short.submit("a", vigencia=3).status == 200


def test_only_listed_origins_pass(simulator):
    strict = simulator(TEMPOFTP_ORIGENES="origen.example.org,[2001:db8::1]")
    assert strict.submit("a", ruta="otro:/datos").json["detail"]["mensaje"] == "Origen no permitido: otro"
    assert strict.submit("a", ruta="x@origen.example.org.evil:/d").json["detail"]["mensaje"] == \
        "Origen no permitido: origen.example.org.evil"
    assert strict.submit("a", ruta="ORIGEN.example.org:/datos").status == 200
    assert strict.submit("b", ruta="ana@[2001:db8:0::1]:/datos").status == 200


def test_an_id_is_taken_while_its_row_exists(simulator):
    """Also in `error` and `expirado`: DELETE first."""
    service = simulator(TEMPOFTP_SIM_DELAY_MS=600_000)
    assert service.submit("pedido").status == 202
    text = "Ya existe una solicitud en proceso con el ID 'pedido'. Estado actual: preparando"
    wait_until(lambda: service.state_of("pedido") == "preparando")
    again = service.submit("pedido", usuario="otra@example.org")
    assert (again.status, again.json["detail"]) == (400, {"id": "pedido", "status": "error", "mensaje": text})

    service.restart(TEMPOFTP_SIM_DELAY_MS=1, TEMPOFTP_SIM_FORCE="fail")
    wait_until(lambda: service.state_of("pedido") == "error")
    assert service.submit("pedido").json["detail"]["mensaje"].endswith("Estado actual: error")

    assert service.delete("/tmpftp/pedido").status == 200
    service.restart(TEMPOFTP_SIM_DELAY_MS=0, TEMPOFTP_SIM_FORCE="ok")
    assert service.submit("pedido").status == 200
    expire(service, "pedido")
    assert service.submit("pedido").json["detail"]["mensaje"].endswith("Estado actual: expirado")


def test_ids_differ_by_case(quick):
    assert quick.submit("Pedido").status == 200
    assert quick.submit("pedido").status == 200
    assert quick.get("/tmpftp/PEDIDO").status == 404


# ---- GET /tmpftp/{id} -------------------------------------------------------------------------------

def expire(service, id):
    """Puts the request's end into the past while the service is away: its next start expires it."""
    service.stop()
    service.sqlite(f"UPDATE requests SET expires = 1000 WHERE id = '{id}'")
    service.start()
    wait_until(lambda: service.state_of(id) == "expirado")


def let_end(service, *ids):
    """Lets the requests' ends come while the service runs, with nobody there to notice."""
    end = int(time.time()) + 2
    service.stop()
    for id in ids:
        service.sqlite(f"UPDATE requests SET expires = {end} WHERE id = '{id}'")
    service.start()
    wait_until(lambda: time.time() >= end, 5)


def test_a_request_under_way_answers_202_with_its_state(simulator):
    service = simulator(TEMPOFTP_SIM_DELAY_MS=600_000, TEMPOFTP_MAX_TRASLADOS=1)
    service.submit("primera")
    service.submit("segunda")
    wait_until(lambda: service.state_of("primera") == "preparando")

    first, second = service.get("/tmpftp/primera"), service.get("/tmpftp/segunda")
    assert (first.status, second.status) == (202, 202)
    assert first.headers["Retry-After"] == second.headers["Retry-After"] == "5"
    assert first.json == {"id": "primera", "status": "preparando", "mensaje": "Creando entorno y verificando espacio.",
                          "progreso": None}
    assert second.json == {"id": "segunda", "status": "recibido", "mensaje": "Solicitud en cola.", "progreso": None}


def test_a_copy_under_way_shows_its_progress(simulator):
    service = simulator(TEMPOFTP_SIM_DELAY_MS=700)
    service.submit("pedido", ruta="origen:/datos/b")
    wait_until(lambda: service.state_of("pedido") == "traslado")
    reply = service.get("/tmpftp/pedido")
    assert (reply.status, reply.headers["Retry-After"]) == (202, "5")
    assert reply.json["mensaje"] == "Copiando datos desde origen:/datos/b."
    assert keys(reply.json["progreso"]) == ["bytes", "total", "porcentaje", "bytes_por_segundo", "segundos_restantes"]
    assert reply.json["progreso"]["total"] == 100_000_000


def test_a_ready_request_shows_everything_a_person_needs(quick):
    asked = now()
    quick.submit("pedido", usuario="Ana@Example.org", vigencia=7)
    reply = quick.get("/tmpftp/pedido")
    assert reply.status == 200
    assert keys(reply.json) == ["status", "ftpuser", "password", "vigencia", "mensaje", "id", "usuario", "email", "expira", "ftp",
                                "archivos", "bytes", "descargas", "exportaciones"]
    assert reply.json["status"] == "listo"
    assert reply.json["mensaje"] == "Listo, tiene 7 días para hacer la descarga."
    assert reply.json["usuario"] == reply.json["ftpuser"] and reply.json["email"] == "ana@example.org"
    assert is_about(reply.json["expira"], asked + timedelta(days=7))
    assert keys(reply.json["ftp"]) == ["host", "port", "tls"]
    assert (reply.json["ftp"]["port"], reply.json["ftp"]["tls"]) == (21, "off")
    assert reply.json["descargas"] == {"total_descargas": 0, "ultima_descarga": None, "bytes": 0}
    assert (reply.json["bytes"], reply.json["exportaciones"]) == (100_000_000, [])
    password = cryptography.fernet.Fernet(quick.key).decrypt(reply.json["password"].encode()).decode()
    assert re.fullmatch(r"[A-Za-z0-9]{20,}", password), "62 letters and digits: 20 of them are 119 bits"


def test_what_the_ftp_server_is_called_is_a_setting(simulator):
    service = simulator(TEMPOFTP_FTP_HOST="datos.example.org", TEMPOFTP_FTP_PORT=2121, TEMPOFTP_FTP_TLS="optional")
    service.submit("pedido")
    assert service.get("/tmpftp/pedido").json["ftp"] == {"host": "datos.example.org", "port": 2121, "tls": "optional"}


def test_whoever_asks_for_a_request_past_its_end_is_told_that_it_expired(quick):
    quick.submit("pedido")
    let_end(quick, "pedido")
    assert quick.get("/tmpftp/pedido").json == {"id": "pedido", "status": "expirado", "mensaje": "La vigencia terminó."}


def test_a_blocked_an_expired_and_a_failed_request_show_no_credentials(simulator):
    service = simulator()
    service.submit("bloqueada", usuario="a@example.org")
    service.post("/tmpftp/bloqueada/bloquear", {"razon": "por auditoría"})
    service.submit("expirada", usuario="b@example.org")
    expire(service, "expirada")
    service.restart(TEMPOFTP_SIM_FORCE="fail", TEMPOFTP_SIM_DELAY_MS=1)
    service.submit("fallida", usuario="c@example.org")
    wait_until(lambda: service.state_of("fallida") == "error")

    for id, status, message in [("bloqueada", "bloqueado", "Acceso bloqueado: por auditoría"),
                                ("expirada", "expirado", "La vigencia terminó.")]:
        reply = service.get(f"/tmpftp/{id}")
        assert (reply.status, reply.json) == (200, {"id": id, "status": status, "mensaje": message})
    failed = service.get("/tmpftp/fallida")
    assert failed.status == 200 and keys(failed.json) == ["id", "status", "mensaje"]
    assert failed.json["status"] == "error" and len(failed.json["mensaje"]) > 10


def test_unknown_ids_are_not_found(quick):
    for id in ("nadie", "a" * 64, "a" * 65, "a" * 5000, "%2e%2e", "a%00b", "..%2f..%2fetc", "año", "%ff", "a b".replace(" ", "%20")):
        reply = quick.get(f"/tmpftp/{id.replace('ñ', '%C3%B1')}")
        assert (reply.status, reply.json) == (404, DETAIL_NOT_FOUND), id


def test_percent_encoding_in_a_path_is_decoded(quick):
    quick.submit("pedido.1-a")
    assert quick.get("/tmpftp/pedido%2E1%2da").status == 200


@pytest.mark.parametrize("method, suffix", ACTIONS)
def test_actions_on_unknown_ids_say_solicitud_no_encontrada(quick, method, suffix):
    body = {"dias": 1} if suffix == "/extender" else None
    reply = quick(method, f"/tmpftp/nadie{suffix}", json=body)
    assert (reply.status, reply.json) == (404, ACTION_NOT_FOUND)


# ---- GET /tmpftp ------------------------------------------------------------------------------------

def test_the_list_has_exactly_the_contracts_keys_oldest_first(quick):
    for n in (3, 1, 2):
        quick.submit(f"p{n}", vigencia=n)
    reply = quick.get("/tmpftp")
    assert reply.status == 200
    assert keys(reply.json) == ["total", "sin_created_at", "solicitudes"]
    assert (reply.json["total"], reply.json["sin_created_at"]) == (3, 0)
    assert [row["id"] for row in reply.json["solicitudes"]] == ["p3", "p1", "p2"]
    row = reply.json["solicitudes"][0]
    assert keys(row) == ["id", "email", "ruta", "estado", "created_at", "vigencia"]
    assert {**row, "created_at": None} == {"id": "p3", "email": "ana@example.org", "ruta": "origen:/datos/a", "estado": "listo",
                                           "created_at": None, "vigencia": 3}
    assert is_about(row["created_at"], now())


def test_the_list_never_shows_a_password(quick):
    token = quick.submit("pedido").json["password"]
    for query in ("", "?detalle=1", "?estado=listo&detalle=1"):
        text = quick.get(f"/tmpftp{query}").text
        assert token not in text and "password" not in text and "gAAAA" not in text


def test_the_list_pages_with_limite_and_despues(quick):
    ids = [f"p{n}" for n in range(7)]
    for id in ids:
        quick.submit(id)
    quick.delete("/tmpftp/p3")
    seen, after = [], ""
    while True:
        page = quick.get(f"/tmpftp?limite=2{after}").json
        assert page["total"] == len(page["solicitudes"]) <= 2
        if not page["solicitudes"]:
            break
        seen += [row["id"] for row in page["solicitudes"]]
        after = f"&despues={seen[-1]}"
    assert seen == [id for id in ids if id != "p3"]


def test_the_list_gives_500_unless_told_and_1000_at_most(quick):
    with_rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1100) " \
        "INSERT INTO requests (state, id, email, ruta, vigencia, created) SELECT 'error', 'r' || i, 'a@b', 'h:/x', 1, 1000 FROM n"
    quick.stop()
    quick.sqlite(with_rows)
    quick.start()
    assert quick.get("/tmpftp").json["total"] == 500
    assert quick.get("/tmpftp?limite=1000").json["total"] == 1000
    assert quick.get("/tmpftp?limite=1").json["total"] == 1


def test_the_list_filters_by_state(simulator):
    service = simulator()
    service.submit("lista")
    service.submit("bloqueada")
    service.post("/tmpftp/bloqueada/bloquear")
    for state, ids in [("listo", ["lista"]), ("bloqueado", ["bloqueada"]), ("error", []), ("recibido", [])]:
        page = service.get(f"/tmpftp?estado={state}").json
        assert ([row["id"] for row in page["solicitudes"]], page["total"]) == (ids, len(ids))
    assert service.get("/tmpftp?estado=bloqueado&estado_x=1").json["total"] == 1


def test_detalle_adds_keys_and_changes_none(quick):
    quick.submit("pedido")
    plain = quick.get("/tmpftp").json["solicitudes"][0]
    detailed = quick.get("/tmpftp?detalle=1").json["solicitudes"][0]
    assert plain.items() <= detailed.items() and len(detailed) > len(plain)


@pytest.mark.parametrize("query", ["limite=0", "limite=1001", "limite=-1", "limite=x", "limite=", "limite=1.5", "limite=%00",
                                   "estado=ready", "estado=", "estado=eliminado", "estado=LISTO", "despues=nadie", "despues=%ff",
                                   "limite=99999999999999999999999"])
def test_wrong_list_parameters_are_422_and_say_which(quick, query):
    quick.submit("pedido")
    reply = quick.get(f"/tmpftp?{query}")
    assert reply.status == 422, reply
    assert [error["loc"] for error in reply.json["detail"]] == [["query", query.partition("=")[0]]]
    assert all(keys(error) == ["loc", "msg", "type"] for error in reply.json["detail"])


# ---- DELETE -----------------------------------------------------------------------------------------

def test_delete_answers_and_the_request_is_gone_at_once(quick):
    old = quick.submit("pedido").json
    reply = quick.delete("/tmpftp/pedido")
    assert reply.status == 200
    assert keys(reply.json) == ["status", "id", "mensaje"]
    assert (reply.json["status"], reply.json["id"]) == ("deleted", "pedido")

    assert quick.get("/tmpftp/pedido").json == DETAIL_NOT_FOUND
    assert quick.delete("/tmpftp/pedido").json == ACTION_NOT_FOUND
    assert quick.get("/tmpftp").json["total"] == 0
    assert quick.get("/tmpftp?estado=listo").json["total"] == 0
    fresh = quick.submit("pedido").json
    assert fresh["ftpuser"] == old["ftpuser"], "gone and back: same name"
    key = cryptography.fernet.Fernet(quick.key)
    assert key.decrypt(fresh["password"].encode()) != key.decrypt(old["password"].encode()), "new password"


def test_a_reused_id_inherits_no_history(quick):
    quick.submit("pedido", vigencia=9)
    quick.delete("/tmpftp/pedido")
    quick.submit("pedido", vigencia=2)
    events = quick.get("/tmpftp/pedido/eventos").json["eventos"]
    assert [event["n"] for event in events] == list(range(1, len(events) + 1))
    assert [event["estado"] for event in events] == ["recibido", "preparando", "traslado", "listo"]
    assert quick.get("/tmpftp/pedido").json["vigencia"] == 2


@pytest.mark.parametrize("state", ["recibido", "preparando", "traslado"])
def test_delete_works_in_every_state_under_way(simulator, state):
    service = simulator(TEMPOFTP_SIM_DELAY_MS=1000 if state == "traslado" else 600_000, TEMPOFTP_MAX_TRASLADOS=1)
    if state == "recibido":
        service.submit("antes")
    service.submit("pedido")
    wait_until(lambda: service.state_of("pedido") == state)
    assert service.delete("/tmpftp/pedido").status == 200
    assert service.state_of("pedido") == "gone"
    assert service.submit("pedido").status == 202


def test_deleting_what_runs_starts_the_next_in_the_queue(simulator):
    service = simulator(TEMPOFTP_SIM_DELAY_MS=600_000, TEMPOFTP_MAX_TRASLADOS=1)
    service.submit("primera")
    service.submit("segunda")
    wait_until(lambda: service.state_of("primera") == "preparando")
    service.delete("/tmpftp/primera")
    wait_until(lambda: service.state_of("segunda") == "preparando")


@pytest.mark.parametrize("by", ["account", "address", "ADDRESS"])
def test_delete_user_takes_all_requests_of_one_account_and_no_other(quick, by):
    account = quick.submit("a1").json["ftpuser"]
    quick.submit("a2")
    quick.submit("b1", usuario="beto@example.org")
    who = {"account": account, "address": "ana@example.org", "ADDRESS": "ANA%40Example.org"}[by]
    reply = quick.delete(f"/tmpftp/user/{who}")
    assert reply.status == 200
    assert keys(reply.json) == ["status", "user", "usuario", "mensaje"]
    assert (reply.json["status"], reply.json["user"]) == ("deleted", account)
    assert [quick.state_of(id) for id in ("a1", "a2", "b1")] == ["gone", "gone", "listo"]
    assert quick.delete(f"/tmpftp/user/{who}").json == {"detail": "Usuario no encontrado"}


def test_delete_user_of_nobody_is_404(quick):
    for who in ("nadie@example.org", "ftp_nadie_aaaa", "x", "%00", "..", "a" * 5000):
        reply = quick.delete(f"/tmpftp/user/{who}")
        assert reply.status == 404, who


def test_delete_user_takes_requests_that_have_no_account_yet(slow):
    slow.submit("a1")
    assert slow.delete("/tmpftp/user/ana@example.org").status == 200
    assert slow.state_of("a1") == "gone"


def test_delete_expired_expires_what_is_due_and_counts(quick):
    for id in ("a", "b", "c"):
        quick.submit(id)
    quick.post("/tmpftp/b/bloquear")
    assert quick.delete("/tmpftp/expired").json == {"status": "ok", "expiradas": 0}
    let_end(quick, "a", "b")
    reply = quick.delete("/tmpftp/expired")
    assert (reply.status, reply.text) == (200, '{"status":"ok","expiradas":2}')
    assert [quick.state_of(id) for id in ("a", "b", "c")] == ["expirado", "expirado", "listo"]


# ---- block, unblock ---------------------------------------------------------------------------------

def test_block_and_unblock_answer_as_the_contract_says(quick):
    account = quick.submit("pedido").json["ftpuser"]
    token = quick.get("/tmpftp/pedido").json["password"]
    reply = quick.post("/tmpftp/pedido/bloquear", {"razon": "uso indebido", "descargas": 3})
    assert (reply.status, reply.json) == (200, {"status": "bloqueado", "id": "pedido", "usuario": account, "razon": "uso indebido",
                                                "en_mysql": False})
    assert keys(reply.json) == ["status", "id", "usuario", "razon", "en_mysql"]
    assert quick.get("/tmpftp/pedido").json["mensaje"] == "Acceso bloqueado: uso indebido"

    reply = quick.post("/tmpftp/pedido/desbloquear")
    assert (reply.status, reply.json) == (200, {"status": "listo", "id": "pedido", "usuario": account, "en_mysql": False})
    ready = quick.get("/tmpftp/pedido").json
    assert (ready["status"], ready["password"]) == ("listo", token), "the credentials come back as they were"


@pytest.mark.parametrize("body", [None, {}, {"razon": ""}, {"razon": "   "}, {"descargas": 7}])
def test_a_block_without_a_reason_says_no_especificada(quick, body):
    quick.submit("pedido")
    assert quick.post("/tmpftp/pedido/bloquear", body).json["razon"] == "no especificada"


def test_a_reason_has_at_most_200_characters_not_bytes(quick):
    quick.submit("pedido")
    assert quick.post("/tmpftp/pedido/bloquear", {"razon": "ñ" * 200}).json["razon"] == "ñ" * 200
    reply = quick.post("/tmpftp/pedido/bloquear", {"razon": "n" * 201})
    assert reply.status == 422 and reply.json["detail"][0]["loc"] == ["body", "razon"]
    assert quick.get("/tmpftp/pedido").json["mensaje"] == f"Acceso bloqueado: {'ñ' * 200}"


def test_blocking_again_is_200_with_the_new_reason(quick):
    quick.submit("pedido")
    quick.post("/tmpftp/pedido/bloquear", {"razon": "uno"})
    reply = quick.post("/tmpftp/pedido/bloquear", {"razon": "dos"})
    assert (reply.status, reply.json["razon"]) == (200, "dos")
    assert quick.get("/tmpftp/pedido").json["mensaje"] == "Acceso bloqueado: dos"


def test_blocking_before_listo_is_refused(slow):
    slow.submit("pedido")
    reply = slow.post("/tmpftp/pedido/bloquear")
    assert (reply.status, reply.json) == (400, {"detail": "La solicitud no tiene usuario FTP asociado"})


def test_unblocking_what_is_not_blocked_names_the_state(quick):
    quick.submit("pedido")
    reply = quick.post("/tmpftp/pedido/desbloquear")
    assert (reply.status, reply.json) == (400, {"detail": "La solicitud no está bloqueada (estado actual: 'listo')"})
    expire(quick, "pedido")
    assert quick.post("/tmpftp/pedido/desbloquear").json == {
        "detail": "La solicitud no está bloqueada (estado actual: 'expirado')"}


def test_a_blocked_request_still_expires_and_unblocking_it_past_due_does_not_revive_it(quick):
    quick.submit("pedido")
    quick.post("/tmpftp/pedido/bloquear")
    let_end(quick, "pedido")
    reply = quick.post("/tmpftp/pedido/desbloquear")
    assert (reply.status, reply.json) == (400, {"detail": "La solicitud no está bloqueada (estado actual: 'expirado')"})
    assert quick.state_of("pedido") == "expirado"


def test_blocking_one_request_leaves_the_same_persons_other_alone(quick):
    quick.submit("una")
    before = quick.submit("otra").json
    quick.post("/tmpftp/una/bloquear")
    after = quick.get("/tmpftp/otra").json
    assert (after["status"], after["password"]) == ("listo", before["password"])


# ---- extend -----------------------------------------------------------------------------------------

def test_extending_adds_days_to_vigencia_and_expira(quick):
    quick.submit("pedido", vigencia=5)
    before = quick.get("/tmpftp/pedido").json
    reply = quick.post("/tmpftp/pedido/extender", {"dias": 3})
    assert reply.status == 200 and keys(reply.json) == ["id", "status", "vigencia", "expira"]
    assert (reply.json["id"], reply.json["status"], reply.json["vigencia"]) == ("pedido", "listo", 8)
    assert time_of(reply.json["expira"]) - time_of(before["expira"]) == timedelta(days=3)
    after = quick.get("/tmpftp/pedido").json
    assert (after["vigencia"], after["expira"]) == (8, reply.json["expira"])
    assert after["mensaje"] == "Listo, tiene 8 días para hacer la descarga."


def test_a_blocked_request_can_be_extended_and_stays_blocked(quick):
    quick.submit("pedido")
    quick.post("/tmpftp/pedido/bloquear")
    assert quick.post("/tmpftp/pedido/extender", {"dias": 1}).json["status"] == "bloqueado"


def test_the_new_end_is_at_most_the_maximum_from_now(quick):
    quick.submit("pedido", vigencia=60)
    assert quick.post("/tmpftp/pedido/extender", {"dias": 31}).status == 400
    assert quick.get("/tmpftp/pedido").json["vigencia"] == 60
    assert quick.post("/tmpftp/pedido/extender", {"dias": 30}).json["vigencia"] == 90
    assert quick.post("/tmpftp/pedido/extender", {"dias": 1}).status == 400


def test_extending_what_is_not_ready_names_the_state_and_never_revives(quick, slow):
    slow.submit("pedido")
    wait_until(lambda: slow.state_of("pedido") == "preparando")
    reply = slow.post("/tmpftp/pedido/extender", {"dias": 1})
    assert (reply.status, reply.json) == (400, {"detail": "No se puede extender (estado actual: 'preparando')"})

    quick.submit("vencida")
    let_end(quick, "vencida")
    reply = quick.post("/tmpftp/vencida/extender", {"dias": 1})
    assert (reply.status, reply.json) == (400, {"detail": "No se puede extender (estado actual: 'expirado')"})


@pytest.mark.parametrize("body", [{}, {"dias": None}, {"dias": "5"}, {"dias": 1.5}, {"dias": True}, {"dias": 0}, {"dias": -1}, [], "x"])
def test_days_of_another_form_are_422(quick, body):
    quick.submit("pedido")
    reply = quick.post("/tmpftp/pedido/extender", body)
    assert reply.status == 422, reply
    assert quick.get("/tmpftp/pedido").json["vigencia"] == 5


@pytest.mark.parametrize("days", [91, 36_500])
def test_far_too_many_days_are_refused(quick, days):
    quick.submit("pedido")
    assert quick.post("/tmpftp/pedido/extender", {"dias": days}).status == 400
    assert quick.get("/tmpftp/pedido").json["vigencia"] == 5
