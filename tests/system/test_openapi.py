"""What /openapi.json says is what the service does: every example is played, every error that is written down is provoked, a public validator reads it."""
import contextlib
import gzip
import http.client
import socket
import subprocess

import pytest

from client import Reply
from conftest import BUILD
from machine import REPOSITORY, wait_until
from openapi import METHODS, Description
from people import PASSWORD, World
from test_access_roles import TABLE, WHO

ID, EMAIL = "modis-2026-07", "ana@example.org"
VALIDATOR = REPOSITORY / "tests/testbed/openapi-validator/fetch"

SETTINGS = {"TEMPOFTP_SIM_REMOTE_SIZE_BYTES": 1000, "TEMPOFTP_FTP_HOST": "ftp.example.org"}
# The services that examples need, by what is different in them.
SERVICES = {
    "usual": {},
    "fresh": {},  # nobody is registered there but by the one example
    "waiting": {},  # somebody waits for an operator there
    "alone": {},  # one user
    "slow": {"TEMPOFTP_SIM_DELAY_MS": 8000},
    "full": {"TEMPOFTP_SIM_REMOTE_SIZE_BYTES": 1001, "TEMPOFTP_SIM_DATA_FREE_BYTES": 1000},
    "sending": {},  # it has destinations
    "stuck": {},  # likewise, and uploads there take for ever
    "closed": {"TEMPOFTP_REGISTRO": "cerrado"},
}


class Stage:
    """The services, started when they are wanted; each example finds no request of an earlier one."""

    def __init__(self):
        self._worlds = {}

    def world(self, name):
        if name not in self._worlds:
            self._worlds[name] = World(BUILD, **{**SETTINGS, **SERVICES[name]})
            self._worlds[name].start()
        world = self._worlds[name]
        world.operator.delete(f"/tmpftp/{ID}")
        return world

    def remove(self):
        for world in self._worlds.values():
            world.remove()


@pytest.fixture(scope="module")
def stage():
    stage = Stage()
    yield stage
    stage.remove()


@pytest.fixture(scope="module")
def description(stage):
    return Description(stage.world("usual"))


# ---- preparations: they get a service, and may return who calls; else an operator does, over the Unix socket -------------

def request(world):
    reply = world.operator.post("/tmpftp", world.fresh_request(ID, usuario=EMAIL, ruta="origen:/datos/modis/2026-07", vigencia=5))
    assert reply.status in (200, 202), reply


def in_state(state):
    def prepare(world):
        request(world)
        wait_until(lambda: world.operator.get(f"/tmpftp/{ID}").json["status"] == state, 60)
    return prepare


def blocked(world):
    request(world)
    assert world.operator.post(f"/tmpftp/{ID}/bloquear", {"razon": "datos equivocados"}).status == 200


def with_drop(world):
    request(world)
    assert world.operator("PUT", f"/tmpftp/{ID}/buzon", {}).status == 200


def ana(world):
    """She is there, once; and active."""
    world.operator.post("/auth/register", {"nombre": "Ana", "correo": EMAIL, "password": PASSWORD})
    assert world.operator("PATCH", f"/api/usuarios/{EMAIL}", {"is_active": True}).status == 200


def ana_waits(world):
    assert world.post("/auth/register", {"nombre": "Ana", "correo": EMAIL, "password": PASSWORD}).status == 200


def stranger(world):
    """Somebody who is no operator."""
    reply = world.operator.post("/auth/register", {"nombre": "Eva", "correo": "eva@example.org", "password": PASSWORD})
    assert reply.status in (200, 400)
    return world.login("eva@example.org")


def token_of_ana(world):
    ana(world)
    return world.login(EMAIL)


def deleted(world):
    request(world)
    assert world.operator.delete(f"/tmpftp/{ID}").status == 200


def destination(world, name="socio", **more):
    """The first is the one that examples are about; it has that name again, whatever an example gave it."""
    given = {"name": name, "type": "ftp", "host": "ftp.example.org", "username": "ana", "password": "una clave", "path": "/entrada", "group": "example.org", **more}
    made = world.operator.post("/api/destinations", given)
    if made.status == 409:
        return
    assert made.status == 201, made
    if world.operator.get("/api/destinations/1").json["name"] != name and made.json["name"] == "socio":
        assert world.operator.delete(f"/api/destinations/{made.json['id']}").status == 204
        assert world.operator("PUT", "/api/destinations/1", {"name": "socio"}).status == 200


def sendable(world):
    """A finished request that no destination gets by itself."""
    destination(world)
    assert world.operator.post("/tmpftp", world.fresh_request(ID, usuario=EMAIL, ruta="origen:/datos/modis/2026-07", grupo="nadie")).status == 200


def sendable_by_sftp(world):
    sendable(world)
    destination(world, "archivo", type="sftp", group="archivo", host_key="SHA256:" + 43 * "A")


def send(world):
    assert world.operator.post(f"/api/jobs/{ID}/export/ftp", {"destination_name": "socio"}).status == 202


def sent(world):
    sendable(world)
    send(world)
    wait_until(lambda: world.operator.get(f"/api/jobs/{ID}/exports").json["exports"][0]["status"] == "listo", 60)


def under_way(world):
    world.restart(TEMPOFTP_SIM_DELAY_MS=0)
    sendable(world)
    world.restart(TEMPOFTP_SIM_DELAY_MS=3600000)
    send(world)


def nobody(world):
    return world


# (operation, example) -> service, what to prepare. One that is not here needs nothing.
PREPARATIONS = {
    ("crear_solicitud", "en_cola"): ("slow", None),
    ("crear_solicitud", "id_repetido"): ("usual", request),
    ("crear_solicitud", "sin_espacio"): ("full", None),
    ("crear_solicitud", "para_otro"): ("usual", stranger),
    ("listar_solicitudes", "una"): ("usual", request),
    ("listar_solicitudes", "con_detalle"): ("usual", request),
    ("ver_solicitud", "lista"): ("usual", request),
    ("ver_solicitud", "bloqueada"): ("usual", blocked),
    ("ver_solicitud", "copiando"): ("slow", in_state("traslado")),
    ("eliminar_solicitud", "eliminada"): ("usual", request),
    ("eliminar_cuenta", "eliminada"): ("usual", request),
    ("ver_eventos", "historia"): ("usual", request),
    ("bloquear_solicitud", "bloqueada"): ("usual", request),
    ("bloquear_solicitud", "todavia_no"): ("slow", in_state("preparando")),
    ("desbloquear_solicitud", "desbloqueada"): ("usual", blocked),
    ("desbloquear_solicitud", "no_estaba"): ("usual", request),
    ("extender_solicitud", "extendida"): ("usual", request),
    ("extender_solicitud", "demasiados"): ("usual", request),
    ("extender_solicitud", "todavia_no"): ("slow", in_state("preparando")),
    ("abrir_buzon", "abierto"): ("usual", request),
    ("abrir_buzon", "todavia_no"): ("slow", in_state("preparando")),
    ("cerrar_buzon", "cerrado"): ("usual", with_drop),
    ("cerrar_buzon", "no_tiene"): ("usual", request),
    ("registrarse", "registrado"): ("fresh", nobody),
    ("registrarse", "ya_registrado"): ("usual", ana),
    ("registrarse", "cerrado"): ("closed", nobody),
    ("iniciar_sesion", "iniciada"): ("usual", ana),
    ("iniciar_sesion", "incorrectas"): ("usual", ana),
    ("iniciar_sesion", "inactiva"): ("waiting", ana_waits),
    ("cerrar_sesion", "cerrada"): ("usual", token_of_ana),
    ("crear_token", "creado"): ("usual", token_of_ana),
    ("validar_token", "valido"): ("usual", token_of_ana),
    ("validar_token", "invalido"): ("usual", token_of_ana),
    ("validar_token", "malformado"): ("usual", token_of_ana),
    ("listar_usuarios", "uno"): ("alone", ana),
    ("cambiar_usuario", "activado"): ("usual", ana),
    ("cambiar_usuario", "nada"): ("usual", ana),
    ("cambiar_usuario", "rol_invalido"): ("usual", ana),
    ("cambiar_usuario", "clave_corta"): ("usual", ana),
    ("cambiar_usuario", "malformado"): ("usual", ana),
    ("crear_destino", "creado"): ("fresh", None),
    ("crear_destino", "nombre_en_uso"): ("sending", destination),
    ("listar_destinos", "uno"): ("sending", destination),
    ("ver_destino", "uno"): ("sending", destination),
    ("cambiar_destino", "otro_nombre"): ("sending", destination),
    ("cambiar_destino", "otro_tipo"): ("sending", destination),
    ("cambiar_destino", "malformado"): ("sending", destination),
    ("probar_destino", "correcta"): ("sending", destination),
    ("enviar_por_ftp", "en_cola"): ("sending", sendable),
    ("enviar_por_ftp", "no_hay_destino"): ("sending", sendable),
    ("enviar_por_ftp", "en_curso"): ("stuck", under_way),
    ("enviar_por_sftp", "en_cola"): ("sending", sendable_by_sftp),
    ("enviar_por_sftp", "no_hay_destino"): ("sending", sendable),
    ("ver_envios", "uno"): ("sending", sent),
    ("cancelar_envio", "cancelado"): ("stuck", under_way),
    ("cancelar_envio", "no_hay"): ("sending", sendable),
    ("ver_registro_de_envios", "vacio"): ("sending", sendable),
    ("ver_auditoria", "uno"): ("usual", deleted),
}
# Played in the machine, where there are FTP servers: test_openapi_machine.py.
IN_THE_MACHINE = {("listar_sesiones", "una"), ("terminar_sesion", "terminada"), ("abrir_buzon", "en_mariadb")}


def play(stage, example):
    """Three times at most: on a busy machine a state may have passed before the call was made."""
    service, prepare = PREPARATIONS.get(example.key, ("usual", None))
    found = []
    for _ in range(3):
        world = stage.world(service)
        caller = (prepare(world) if prepare else None) or world.operator
        if example.key == ("validar_token", "valido"):
            example.body = caller.post("/token/create").json
        found = example.faults(example.play(caller))
        if not found or service != "slow":
            break
    return found


# ---- the file ----------------------------------------------------------------------------------------------------------

def test_a_public_validator_finds_no_fault(description, stage, tmp_path):
    fetched = subprocess.run([VALIDATOR], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, timeout=600)
    if fetched.returncode == 3:
        pytest.skip("the npm registry, where the validator comes from, cannot be reached")
    assert fetched.returncode == 0
    for name, spoilt, code in (("good", False, 0), ("bad", True, 1)):
        file = tmp_path / f"{name}.json"
        text = stage.world("usual").get("/openapi.json").text
        file.write_text(text.replace('"operationId":', '"operation":', 1).replace('"in":"path"', '"in":"street"') if spoilt else text)
        done = subprocess.run(["node", fetched.stdout.strip(), file], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=300)
        assert (done.returncode != 0) == bool(code), done.stdout


def test_every_call_has_an_example_of_what_it_does(description):
    """But this file itself, and those whose answer is no JSON."""
    with_example = {example.operation.id for example in description.examples if example.status < 400}
    with_json = {operation.id for operation in description.operations for status, response in operation.row["responses"].items()
                 if status.startswith("2") and "application/json" in response.get("content", {})}
    assert with_json - with_example == {"descripcion"}


def test_the_file_is_sent_once(stage):
    world = stage.world("usual")
    first = world.get("/openapi.json")
    assert first.status == 200 and first.headers["Content-Type"] == "application/json"
    again = world.get("/openapi.json", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.body, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    assert world.get("/openapi.json", headers={"If-None-Match": '"another"'}).status == 200
    assert world.restart().get("/openapi.json").headers["ETag"] == first.headers["ETag"], "of the same version and settings"


def test_it_tells_the_settings_of_this_service(simulator):
    service = simulator(TEMPOFTP_RATE_LIMIT_POST="7/minute")
    post = Description(service).operation("POST", "/tmpftp").row
    assert "Límite: 7 por minuto" in post["description"] and post["security"] == [{}, {"sesion": []}]


# ---- what it says is true ----------------------------------------------------------------------------------------------

def test_every_example_is_answered_as_it_is_written_down(description, stage):
    here = [example for example in description.examples if example.key not in IN_THE_MACHINE]
    assert len(here) > 80
    faults = [fault for example in here for fault in play(stage, example)]
    assert not faults, "\n".join(faults)


def test_every_preparation_is_of_an_example(description):
    assert (PREPARATIONS.keys() | IN_THE_MACHINE) - {example.key for example in description.examples} == set()


def test_every_answer_of_the_permission_table_is_written_down(description):
    missing = []
    for method, path, _, statuses in TABLE:
        operation = description.operation(method, path.replace("{id}", ID))
        missing += [(method, path, who, status) for who, status in zip(WHO, statuses, strict=True) if not description.response(operation, status)]
    assert missing == []


# Also of operators on the Unix socket.
WANT_A_TOKEN = {"cerrar_sesion", "crear_token", "validar_token"}


def provoke(world, operation, status):
    """Makes an operation answer with an error that follows from its row in the route table."""
    call = lambda caller, **more: caller(operation.method, operation.example_path, timeout=120, **more)
    if status == 401:
        return call(world)
    if status == 403:
        return call(stranger(world))
    caller = token_of_ana(world) if operation.id in WANT_A_TOKEN else world.operator
    kind = "application/json" if status == 413 else "text/plain"
    return call(caller, body=b"[" * (20000 if status == 413 else 2), headers={"Content-Type": kind})


def test_errors_that_follow_from_the_route_table_are_as_written_down(description, stage):
    world, faults, played = stage.world("usual"), [], 0
    for operation in description.operations:
        for status in (401, 403, 413, 415):
            row = description.response(operation, status)
            if not row or "general" not in row["content"]["application/json"]["examples"]:
                continue
            played += 1
            reply = provoke(world, operation, status)
            if reply.status != status or reply.json != description.standing_answer(operation, status) or description.header_faults(operation, reply):
                faults.append(f"{operation.id}: {reply} instead of {status}")
    assert not faults and played > 40, "\n".join(faults)


def test_limits_that_are_written_down_hold(description, stage):
    world = World(BUILD, **{f"TEMPOFTP_RATE_LIMIT_{name}": "1/day" for name in ("POST", "REGISTER", "LOGIN", "TOKEN_CREATE", "TOKEN_VALIDATE")})
    try:
        world.start()
        caller = token_of_ana(world)
        for operation in description.operations:
            if not description.response(operation, 429):
                continue
            call = lambda: caller(operation.method, operation.example_path, [] if operation.has_body else None, timeout=120)
            assert call().status != 429
            reply = call()
            assert (reply.status, reply.json) == (429, description.standing_answer(operation, 429)), operation.id
            assert not description.header_faults(operation, reply)
    finally:
        world.remove()


# What gets each of the errors that have nothing to do with a route.
NO_CALLS = {
    "incorrecta": b"GET / HTTP/1.1\r\nHost x\r\n\r\n",
    "no_hay": b"GET /no-hay HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    "otro_metodo": b"DELETE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    "lenta": b"GET / HTTP/1.1\r\nHost:",
    "url_larga": b"GET /" + 9000 * b"a" + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    "cabeceras_largas": b"GET / HTTP/1.1\r\nHost: x\r\n" + 5 * (b"X-A: " + 7000 * b"a" + b"\r\n") + b"\r\n",
}


def test_errors_of_http_are_as_written_down(description, stage):
    world = stage.world("usual")
    written = description.document["components"]["responses"]["OtroError"]["content"]["application/json"]["examples"]
    assert written.keys() == NO_CALLS.keys()
    for name, sent in NO_CALLS.items():
        with socket.create_connection(("127.0.0.1", world.port), timeout=240) as connection:
            connection.sendall(sent)
            response = http.client.HTTPResponse(connection)
            response.begin()
            reply = Reply(response)
        assert (reply.status, reply.json) == (written[name]["x-estado"], written[name]["value"]), name
        assert reply.headers["X-Request-ID"], name


# As many as are let wait.
USERS_WHO_WAIT = """WITH RECURSIVE n (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n WHERE n < 1000)
    INSERT INTO users (name, email, hash, role, is_active, approved, created) SELECT 'n', n || '@example.org', 'x', 'usuario', 0, 0, unixepoch() FROM n"""


def test_trouble_inside_is_as_written_down(description):
    world = World(BUILD)
    try:
        world.start()
        operation = description.operation("POST", "/auth/register")
        body = next(example.body for example in description.examples if example.key == ("registrarse", "registrado"))
        for status, sql in ((503, USERS_WHO_WAIT), (500, "ALTER TABLE users RENAME TO lost")):
            world.sqlite(sql)
            reply = world.post("/auth/register", body, timeout=120)
            assert (reply.status, reply.json) == (status, description.standing_answer(operation, status))
            assert not description.header_faults(operation, reply)
    finally:
        world.remove()


# ---- methods -----------------------------------------------------------------------------------------------------------

def test_each_path_has_the_methods_that_are_written_down_and_no_other(description, stage):
    world, faults = stage.world("usual"), []
    for path in {operation.path for operation in description.operations}:
        here = [operation for operation in description.operations if operation.path == path]
        methods = {operation.method for operation in here}
        allowed = methods | ({"HEAD"} if "GET" in methods else set()) | {"OPTIONS"}
        # A path without parameters may also be read as one with them: /tmpftp/expired as /tmpftp/{id}.
        also = {operation.method for operation in description.operations if operation.matches(operation.method, here[0].example_path)}
        allowed |= also | ({"HEAD"} if "GET" in also else set())
        told = world("OPTIONS", here[0].example_path)
        if told.status != 204 or set(told.headers["Allow"].split(", ")) != allowed or told.body:
            faults.append(f"OPTIONS {path}: {told} {told.headers['Allow']}")
        for method in (*METHODS, "TRACE", "PROPFIND"):
            if method in allowed:
                continue
            reply = world(method, here[0].example_path)
            if (reply.status, reply.json) != (405, {"detail": "Método no permitido"}) or set(reply.headers["Allow"].split(", ")) != allowed:
                faults.append(f"{method} {path}: {reply}")
    assert not faults, "\n".join(faults)


def test_head_is_get_without_the_body(description, stage):
    world, faults = stage.world("usual"), []
    request(world)
    for operation in description.operations:
        if operation.method != "GET":
            continue
        got, head = world.operator.get(operation.example_path), world.operator("HEAD", operation.example_path)
        stays = world.operator.get(operation.example_path).headers["Content-Length"] == got.headers["Content-Length"]  # /metrics grows
        same = all(got.headers[name] == head.headers[name] for name in ("Content-Type", "ETag", *(["Content-Length"] if stays else [])))
        if head.status != got.status or head.body or not same:
            faults.append(f"{operation.path}: {head.status} {dict(head.headers)} instead of {got.status} {dict(got.headers)}")
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("path", ["/openapi.json", "/docs", "/tmpftp"])
def test_head_leaves_its_connection_in_order(stage, path):
    """With a body where none belongs the next answer on the connection would be lost."""
    world = stage.world("usual")
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", world.port, timeout=120)) as connection:
        for method in ("HEAD", "GET", "HEAD", "GET"):
            connection.request(method, path)
            response = connection.getresponse()
            assert response.status == world.get(path).status and len(response.read()) == (int(response.headers["Content-Length"]) if method == "GET" else 0)
    over_http2 = subprocess.run(["curl", "-sS", "--http2-prior-knowledge", "--max-time", "120", "-I", f"http://127.0.0.1:{world.port}{path}"],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert over_http2.returncode == 0 and over_http2.stdout.startswith(f"HTTP/2 {world.get(path).status}"), over_http2.stdout


def test_head_of_an_event_stream_ends(stage):
    world = stage.world("usual")
    request(world)
    reply = world.operator("HEAD", f"/tmpftp/{ID}/eventos", headers={"Accept": "text/event-stream"}, timeout=120)
    assert (reply.status, reply.body) == (200, b"")


def test_the_page_is_there_or_the_service_says_why(stage):
    reply = stage.world("usual").get("/docs")
    if "docs.css" in (BUILD / "src/api/docs_files.c").read_text():
        assert reply.status == 200 and reply.headers["Content-Type"].startswith("text/html") and b'lang="es"' in reply.body
        assert reply.headers.get_all("Content-Security-Policy") == [reply.headers["Content-Security-Policy"]]
        assert "script-src 'self';" in reply.headers["Content-Security-Policy"]
    else:
        assert (reply.status, reply.json["detail"]) == (
            404, "Este servicio se construyó sin la página de documentación; la descripción de la API está en /openapi.json")


def test_files_of_the_page_are_the_same_packed_or_not(stage):
    world = stage.world("usual")
    if world.get("/docs").status == 404:
        pytest.skip("built without the page")
    for path in ("/docs", "/docs/docs.js", "/docs/swagger-ui-bundle.js"):
        plain, packed = world.get(path), world.get(path, headers={"Accept-Encoding": "gzip, br"})
        assert packed.headers["Content-Encoding"] == "gzip" and "Content-Encoding" not in plain.headers
        assert gzip.decompress(packed.body) == plain.body and packed.headers["ETag"] != plain.headers["ETag"]
        assert "Accept-Encoding" in plain.headers["Vary"]
        for one, accepted in ((plain, "identity"), (packed, "gzip")):
            again = world.get(path, headers={"Accept-Encoding": accepted, "If-None-Match": one.headers["ETag"]})
            assert (again.status, again.body) == (304, b"")
