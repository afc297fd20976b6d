"""`tempoftp destinos` and `tempoftp exportar`, with the simulator behind them: what an operator types, sees, and finds in the exit code."""
import json
import os
import pty
import re
import subprocess

import pytest

from conftest import BUILD
from machine import wait_until
from people import World

OK, REFUSED, USAGE, NOT_FOUND, UNREACHABLE, ENDED_BADLY = range(6)
SECRET = "muy-secreta-0815"


@pytest.fixture
def world():
    world = World(BUILD, TEMPOFTP_SIM_REMOTE_SIZE_BYTES=1000)
    yield world.start()
    world.remove()


@pytest.fixture
def tempoftp(world):
    """tempoftp("destinos") runs the client as an operator; expects exit code `code`; `typed` is its standard input."""
    def run(*words, code=OK, typed=""):
        done = subprocess.run([BUILD / "src/cli/tempoftp", "--socket", world.socket, *words], input=typed, capture_output=True, text=True, timeout=120)
        assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done
    return run


@pytest.fixture
def request_ready(world):
    assert world.operator.post("/tmpftp", world.fresh_request("pedido")).status == 200


def field(text, label):
    found = re.search(rf"(?m)^{label}: +(.*)$", text)
    assert found, f"no line {label} in:\n{text}"
    return found[1]


def test_a_destination_from_its_making_to_its_end(tempoftp, world):
    assert "No hay destinos" in tempoftp("destinos").stderr
    assert "No hay usuarios" in tempoftp("usuarios").stderr
    shown = tempoftp("destinos", "crear", "socio", "ftp", "ftp.example.org", "ana", "ruta=/entrada", "grupo=unam.mx", "puerto=2121", typed=SECRET + "\n").stdout
    assert (field(shown, "Destino"), field(shown, "Servidor"), field(shown, "Puerto"), field(shown, "Ruta"), field(shown, "Grupo"), field(shown, "Entra con")) == (
        "socio", "ftp.example.org", "2121", "/entrada", "unam.mx", "contraseña")
    assert SECRET not in shown
    number = field(shown, "Número")

    assert field(tempoftp("destinos", "cambiar", number, "ruta=/otra", "grupo=", "defecto=sí").stdout, "Ruta") == "/otra"
    shown = tempoftp("destinos", "ver", "socio").stdout
    assert field(shown, "Por defecto") == "sí" and "Grupo" not in shown
    before = world.sqlite("SELECT password FROM destinations")
    tempoftp("destinos", "cambiar", "socio", "contrasena", typed="otra\n")
    assert world.sqlite("SELECT password FROM destinations") != before

    rows = tempoftp("destinos", "lista").stdout.splitlines()
    assert rows[0].split() == ["N", "NOMBRE", "TIPO", "SERVIDOR", "PUERTO", "RUTA", "GRUPO", "POR", "DEFECTO"] and len(rows) == 2
    assert json.loads(tempoftp("destinos", "-j").stdout)["destinations"][0]["name"] == "socio"

    assert tempoftp("destinos", "probar", "socio").stdout == "Conexión FTP correcta\n"
    assert tempoftp("destinos", "eliminar", "socio").stdout.startswith("socio: eliminado")
    tempoftp("destinos", "ver", "socio", code=NOT_FOUND)
    tempoftp("destinos", "ver", number, code=NOT_FOUND)


def test_a_host_key_is_looked_at_and_accepted(tempoftp):
    tempoftp("destinos", "crear", "seguro", "sftp", "sftp.example.org", "ana", typed=SECRET + "\n")
    assert "probar" in tempoftp("destinos", "aceptar", "seguro", code=USAGE).stderr, "nobody has seen one"
    tried = tempoftp("destinos", "probar", "seguro", code=REFUSED)
    seen = re.search(r"SHA256:[A-Za-z0-9+/]{43}", tried.stdout)[0]
    assert tried.stdout.startswith("Clave del servidor") and f"tempoftp destinos aceptar seguro {seen}" in tried.stderr
    assert field(tempoftp("destinos", "ver", "seguro").stdout, "Huella vista") == seen
    assert field(tempoftp("destinos", "aceptar", "seguro", seen).stdout, "Huella") == seen
    assert tempoftp("destinos", "probar", "seguro").stdout == "Conexión SFTP correcta\n"
    tempoftp("destinos", "aceptar", "seguro", "SHA256:" + "x" * 43)
    assert "cambió" in tempoftp("destinos", "probar", "seguro", code=REFUSED).stdout
    tempoftp("destinos", "aceptar", "seguro")
    tempoftp("destinos", "probar", "seguro")


def test_a_key_comes_from_a_file(tempoftp, tmp_path, world):
    key = tmp_path / "id_ed25519"
    key.write_text("-----BEGIN OPENSSH PRIVATE KEY-----\nYWJj\n-----END OPENSSH PRIVATE KEY-----\n")
    shown = tempoftp("destinos", "crear", "seguro", "sftp", "sftp.example.org", "ana", f"clave-ssh={key}").stdout
    assert field(shown, "Entra con") == "clave SSH" and "YWJj" not in shown
    tempoftp("destinos", "cambiar", "seguro", "clave-ssh=", code=REFUSED)
    tempoftp("destinos", "cambiar", "seguro", "clave-ssh=/does/not/exist", code=7)


@pytest.mark.parametrize("words", [
    ("destinos", "otra"), ("destinos", "crear", "socio"), ("destinos", "cambiar", "socio"), ("destinos", "ver"), ("destinos", "aceptar"),
    ("exportar", "pedido", "--seguir"), ("exportar", "pedido", "socio", "--registro"), ("exportar", "pedido", "--cancelar", "x"), ("exportar", "../x"),
], ids=" ".join)
def test_what_is_typed_wrong(tempoftp, words):
    assert tempoftp(*words, code=USAGE).stderr.startswith("tempoftp: ")


def test_the_help_of_verbs_with_actions(tempoftp):
    for verb, forms in (("destinos", ("aceptar DESTINO [HUELLA]", "cambiar DESTINO CAMPO=VALOR…")), ("usuarios", ("rol CORREO usuario|operador",))):
        shown = tempoftp(verb, "--help").stdout
        for form in forms:
            assert f"\n  tempoftp {verb} {form}\n" in shown
    assert "clave-ssh=ARCHIVO" in tempoftp("destinos", "--help").stdout


def test_fields_that_are_none(tempoftp):
    tempoftp("destinos", "crear", "socio", "ftp", "ftp.example.org", "ana", typed=SECRET + "\n")
    for word in ("color=rojo", "ruta", "puerto=x", "defecto=quizá", "contrasena=en-la-linea"):
        tempoftp("destinos", "cambiar", "socio", word, code=USAGE)
    tempoftp("destinos", "cambiar", "socio", "puerto=0", code=REFUSED)


def test_sending_a_request_and_following_it_to_its_end(tempoftp, request_ready):
    tempoftp("destinos", "crear", "socio", "ftp", "ftp.example.org", "ana", typed=SECRET + "\n")
    assert "Nunca" in tempoftp("exportar", "pedido").stderr
    followed = tempoftp("exportar", "pedido", "socio", "--seguir")
    assert followed.stdout == "socio: 1 archivo, 1,0 kB\n"
    assert json.loads(tempoftp("exportar", "pedido", "socio", "--seguir", "-j").stdout)["status"] == "listo"
    rows = tempoftp("exportar", "pedido").stdout.splitlines()
    assert [row.split()[:4] for row in rows[1:]] == [["1", "socio", "ftp", "listo"], ["2", "socio", "ftp", "listo"]]
    assert "[FTP Upload] upload 1 to 'socio' is complete" in tempoftp("exportar", "pedido", "--registro").stdout
    tempoftp("exportar", "pedido", "nadie", code=NOT_FOUND)
    tempoftp("exportar", "otro", "socio", code=NOT_FOUND)

    tempoftp("destinos", "crear", "roto", "ftp", "no.invalid", "ana", typed=SECRET + "\n")
    failed = tempoftp("exportar", "pedido", "roto", "--seguir", code=ENDED_BADLY)
    assert "Nombre: el servidor no se encuentra (no.invalid)" in failed.stderr


def test_a_request_shows_where_it_was_sent_on_to(tempoftp, request_ready, world):
    assert "Envío" not in tempoftp("ver", "pedido").stdout
    for name, host in (("socio", "ftp.example.org"), ("roto", "no.invalid")):
        tempoftp("destinos", "crear", name, "ftp", host, "ana", typed=SECRET + "\n")
        tempoftp("exportar", "pedido", name, "--seguir", code=ENDED_BADLY if name == "roto" else OK)
    world.restart(TEMPOFTP_SIM_DELAY_MS="3600000")
    tempoftp("exportar", "pedido", "socio")
    wait_until(lambda: field(tempoftp("ver", "pedido").stdout, "Envío 3") == "socio (ftp): subiendo", 60)
    shown = tempoftp("ver", "pedido").stdout
    assert field(shown, "Envío 1") == "socio (ftp): listo, 1 archivo, 1,0 kB"
    assert field(shown, "Envío 2") == "roto (ftp): error — Nombre: el servidor no se encuentra (no.invalid)"
    assert [line.split(":")[0] for line in shown.splitlines()[-3:]] == ["Envío 1", "Envío 2", "Envío 3"], "behind all else"
    told = json.loads(tempoftp("ver", "pedido", "-j").stdout)["exportaciones"]
    assert [(e["destino"], e["estado"]) for e in told] == [("socio", "listo"), ("roto", "error"), ("socio", "subiendo")]
    tempoftp("exportar", "pedido", "--cancelar", "3")
    assert field(tempoftp("ver", "pedido").stdout, "Envío 3") == "socio (ftp): cancelado — Cancelado por un operador"


def test_an_upload_under_way_is_seen_and_cancelled(tempoftp, request_ready, world):
    tempoftp("destinos", "crear", "socio", "ftp", "ftp.example.org", "ana", typed=SECRET + "\n")
    world.restart(TEMPOFTP_SIM_DELAY_MS="3600000")
    terminal, end = pty.openpty()
    process = subprocess.Popen([BUILD / "src/cli/tempoftp", "--socket", world.socket, "exportar", "pedido", "socio", "--seguir"],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=end)
    os.close(end)
    wait_until(lambda: "subiendo" in tempoftp("exportar", "pedido").stdout, 60)
    tempoftp("exportar", "pedido", "socio", code=REFUSED)  # one at a time
    assert tempoftp("exportar", "pedido", "--cancelar", "1").stdout == "pedido: envío 1 cancelado\n"
    assert process.wait(timeout=120) == ENDED_BADLY
    process.stdout.close()
    drawn = os.read(terminal, 65536).decode()
    os.close(terminal)
    assert "Cancelado por un operador" in drawn
    tempoftp("exportar", "pedido", "--cancelar", "1", code=REFUSED)
