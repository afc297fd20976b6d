"""The command `tempoftp` on a machine with everything real: the story an operator types."""
import ast
import ftplib
import json
import os
import pty
import re
import select
import subprocess

import pytest

import client
from machine import wait_until
from transfers import slow, source_users  # noqa: F401 (fixtures)

OK, REFUSED, USAGE, NOT_FOUND, UNREACHABLE, ENDED_BADLY, UNWELL = range(7)


@pytest.fixture
def tempoftp(machine):
    """tempoftp("ver", "x") runs the client inside, as root or `user`; expects exit code `code`."""
    def run(*words, code=OK, user=None):
        done = machine.run(["tempoftp", *words], check=False, user=user)
        assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done
    return run


@pytest.fixture
def made(tempoftp):
    """Ids that a test asks for itself, deleted afterwards."""
    ids = []
    yield ids
    for id in ids:
        tempoftp("eliminar", id, code=OK)


def field(text, label):
    found = re.search(rf"(?m)^{label}: +(.*)$", text)
    assert found, f"no line {label} in:\n{text}"
    return found[1]


def test_create_follow_download_delete(machine, source, tempoftp, unique, made):
    ruta = source.make_tree(unique(), {"folder/data.bin": 3_000_000, "LÉEME.txt": "hola\n"})
    id = unique("p")
    made.append(id)
    done = tempoftp("crear", f"{unique()}@example.org", id, f"{ruta}/", "5", "--seguir")
    assert field(done.stdout, "Estado").startswith("listo — Listo, tiene 5 días")
    assert field(done.stdout, "Datos").startswith("2 archivos, 3,0 MB")
    states = [line.split()[0] for line in done.stderr.splitlines()]
    assert states[-1] == "listo" and set(states) <= {"recibido", "preparando", "traslado", "listo"}

    # What it printed is enough to fetch the data.
    with ftplib.FTP(timeout=30, encoding="utf-8") as ftp:
        ftp.connect(*client.FTP_ADDRESS)
        ftp.login(field(done.stdout, "Cuenta FTP"), field(done.stdout, "Contraseña"))
        assert client.fetch(ftp, f"/{id}/LÉEME.txt") == b"hola\n"

    line = tempoftp("--get", id).stdout
    status, _, literal = line.partition(" ")
    answer = ast.literal_eval(literal)
    assert status == "200" and list(answer) == ["status", "usuario", "password", "mensaje", "vigencia"]
    assert answer["password"] == field(done.stdout, "Contraseña")
    assert id in tempoftp("lista", "--estado", "listo").stdout
    assert id in [row["id"] for row in json.loads(tempoftp("lista", "-j").stdout)["solicitudes"]]


def test_the_progress_line_of_a_long_copy(machine, source, tempoftp, unique, made, slow):  # noqa: F811
    slow(50_000)
    ruta = "lento@" + source.make_tree(unique(), {"big.bin": 200 << 20})
    id = unique("p")
    made.append(id)
    terminal, end = pty.openpty()
    process = subprocess.Popen(machine.command(["tempoftp", "crear", f"{unique()}@example.org", id, ruta, "--seguir"]),
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=end)
    os.close(end)
    # However fast the machine is: the copy waits half way until its bar has been drawn.
    wait_until(lambda: re.match(r"Copying: \d+ %, [1-9]", machine.unit(f"tempoftp-transfer-{id}", "StatusText").get("StatusText", "")), 60)
    machine.kill("rsync", "STOP")
    try:
        drawn = read_terminal(terminal, until=r"traslado +\[[█░]+\] +\d+ %  [\d,]+ .B de 209,7 MB")
    finally:
        machine.kill("rsync", "CONT")
    drawn += read_terminal(terminal)
    os.close(terminal)
    shown = process.communicate(timeout=120)[0].decode()
    assert process.returncode == OK, shown
    assert "\n" not in drawn and drawn.endswith("\r\x1b[K")  # one line, and it is gone at the end
    assert field(shown, "Estado").startswith("listo")


def read_terminal(terminal, until=None):
    """What is drawn, to the end or until a pattern has come."""
    drawn = b""
    while not (until and re.search(until, drawn.decode(errors="replace"))):
        try:
            assert select.select([terminal], [], [], 30)[0], f"nothing more is drawn after {drawn!r}"
            piece = os.read(terminal, 4096)
        except OSError:  # EIO: the client closed it
            piece = b""
        if not piece:
            assert not until, f"{until} was never drawn: {drawn!r}"
            break
        drawn += piece
    return drawn.decode()


def test_a_failure_is_told_and_has_its_exit_code(tempoftp, unique, made):
    id = unique("p")
    made.append(id)
    done = tempoftp("crear", f"{unique()}@example.org", id, "source:/srv/there-is-no-such-folder", "--seguir", code=ENDED_BADLY)
    assert "La ruta no existe en el servidor de origen" in field(done.stdout, "Estado")
    assert "Contraseña" not in done.stdout


def test_events_live_until_it_is_deleted(machine, source, submit, tempoftp, wait_for, unique):
    id = submit(source.make_tree(unique(), {"a": "a"}))
    process = subprocess.Popen(machine.command(["tempoftp", "eventos", id, "--seguir"]), stdout=subprocess.PIPE, text=True)
    seen = []
    try:
        for line in process.stdout:
            seen.append(line.split()[3])  # date, time, UTC, state
            if seen[-1] == "listo":
                tempoftp("eliminar", id)
        assert process.wait(timeout=30) == OK
    finally:
        process.kill()
        process.stdout.close()
    assert seen == ["recibido", "preparando", "traslado", "listo", "eliminado"]


def test_following_survives_the_death_of_the_service(machine, source, tempoftp, unique, made):
    ruta = source.make_tree(unique(), {"big.bin": 300 << 20})
    id = unique("p")
    made.append(id)
    process = subprocess.Popen(machine.command(["tempoftp", "crear", f"{unique()}@example.org", id, ruta, "--seguir"]),
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr.readline()
    assert machine.kill("tempoftpd")
    shown, told = process.communicate(timeout=120)
    assert process.returncode == OK, shown + told
    assert field(shown, "Estado").startswith("listo")


def test_who_may_use_the_socket_and_who_may_read_the_key(machine, source, submit, tempoftp, wait_for, unique):
    id = submit(source.make_tree(unique(), {"a": "a"}))
    wait_for(id, "listo")
    machine.run(["useradd", "--no-create-home", "operator-cli"])
    try:
        done = tempoftp("ver", id, user="operator-cli", code=UNREACHABLE)
        assert "permiso denegado" in done.stderr and "tempoftp-admin" in done.stderr
        machine.run(["usermod", "-aG", "tempoftp-admin", "operator-cli"])
        done = tempoftp("ver", id, user="operator-cli")
        assert field(done.stdout, "Contraseña").startswith("gAAAAA")
        assert "La contraseña sigue cifrada" in done.stderr
        assert not field(tempoftp("ver", id).stdout, "Contraseña").startswith("gAAAAA")
    finally:
        machine.run(["userdel", "operator-cli"])


def test_the_url_instead_of_the_socket(tempoftp):
    assert json.loads(tempoftp("--url", "http://127.0.0.1:9043", "salud", "-j").stdout)["status"] == "ok"
    assert field(tempoftp("salud").stdout, "FTP") == "up"
    assert tempoftp("--status").stdout == "200 {'status': 'active'}\n"


def test_no_service_at_all(machine, tempoftp):
    machine.run(["systemctl", "start", "tempoftp-api.socket"])  # it may be about to be started, and would miss its file
    machine.run(["mv", client.API_SOCKET, f"{client.API_SOCKET}.away"])
    try:
        done = tempoftp("estado", code=UNREACHABLE)
        assert f"{client.API_SOCKET}: no existe" in done.stderr
        assert "systemctl status tempoftp.socket" in done.stderr
    finally:
        machine.run(["mv", f"{client.API_SOCKET}.away", client.API_SOCKET])
    tempoftp("estado")


def test_what_is_not_well_comes_with_where_to_look(machine, tempoftp):
    machine.run(["systemctl", "stop", "tempoftp-ftp.socket", "tempoftp-ftp.service"])
    try:
        done = tempoftp("salud", code=UNWELL)
        assert field(done.stdout, "FTP") == "down"
        assert done.stderr == "tempoftp: FTP: systemctl status tempoftp-ftp.socket\n"
    finally:
        machine.run(["systemctl", "start", "tempoftp-ftp.socket"])
    assert tempoftp("salud").stderr == ""


def test_no_secret_in_any_command_line(machine, source, tempoftp, unique, made):
    """While the client works on a request, no process of the machine carries key, token or password in its arguments."""
    ruta = source.make_tree(unique(), {"big.bin": 200 << 20})
    id = unique("p")
    made.append(id)
    key = machine.file("/etc/tempoftp/encryption.key").read_text().strip()
    process = subprocess.Popen(machine.command(["tempoftp", "crear", f"{unique()}@example.org", id, ruta, "--seguir", "-q"]),
                               stdout=subprocess.PIPE, text=True)
    seen = ""
    while process.poll() is None:
        seen += machine.run(["ps", "-eo", "args=", "-ww"]).stdout
    shown = process.communicate()[0]
    assert process.returncode == OK
    assert "tempoftp-transfer" in seen  # it did look while the copy ran
    assert key not in seen and field(shown, "Contraseña") not in seen


def test_a_service_that_cannot_start_says_where_to_look(machine, tempoftp):
    key = machine.file("/etc/tempoftp/encryption.key")
    before = key.read_text()
    key.write_text("not a key\n")
    machine.restart()
    try:
        done = tempoftp("estado", code=6)
        assert "Servicio no disponible" in done.stderr and "journalctl -u tempoftp" in done.stderr
    finally:
        key.write_text(before)
        machine.restart()
    machine.run(["systemctl", "reset-failed"])
    tempoftp("estado")
