"""The command-line client against a simulated service, as an ordinary user types it: check_cli.py TEMPOFTPD TEMPOFTP

No root, no network, no systemd: the service listens on a Unix socket in a folder of its own.
"""
import ast
import json
import os
import pathlib
import pty
import re
import subprocess
import sys
import tempfile
import termios
import threading
import time
import unittest

TEMPOFTPD, TEMPOFTP = (str(pathlib.Path(p).resolve()) for p in sys.argv[1:3])
OK, REFUSED, USAGE, NOT_FOUND, UNREACHABLE, ENDED_BADLY, UNWELL, LOCAL = range(8)


def clean_environment(**settings):
    kept = {name: value for name, value in os.environ.items() if not re.match("TEMPOFTP_|FTP_|RSYNC_|.*proxy$", name)}
    return {**kept, **settings}


class Service:
    """A running simulator and the client's way to it."""

    def __init__(self, folder, **settings):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        self.socket = self.folder / "api.sock"
        self.key = subprocess.run([TEMPOFTP, "clave"], check=True, capture_output=True, text=True).stdout.strip()
        with open(self.folder / "log", "w") as log:
            self.process = subprocess.Popen(
                [TEMPOFTPD, "--listen", str(self.socket), "--state-directory", str(self.folder)],
                env=clean_environment(TEMPOFTP_SIMULACRO="1", TEMPOFTP_ENCRYPTION_KEY=self.key, TEMPOFTP_JWT_KEY=self.key, **settings),
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log)
        deadline = time.monotonic() + 20
        while self.cli("estado").returncode == UNREACHABLE:
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise RuntimeError("the simulator does not start:\n" + (self.folder / "log").read_text())
            time.sleep(0.02)

    def command(self, *words):
        return [TEMPOFTP, "--socket", str(self.socket), *words]

    def cli(self, *words, key=True, input=None):
        """key: True for the service's, False for none, or another."""
        environment = clean_environment()
        if key:
            environment["TEMPOFTP_ENCRYPTION_KEY"] = self.key if key is True else key
        return subprocess.run(self.command(*words), env=environment, input=input, capture_output=True, text=True, timeout=60)

    def stop(self):
        self.process.terminate()
        return self.process.wait(timeout=30)


class Case(unittest.TestCase):
    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.service = Service(pathlib.Path(cls.folder.name) / "state", **cls.settings)

    @classmethod
    def tearDownClass(cls):
        code = cls.service.stop()
        log = (cls.service.folder / "log").read_text()
        cls.folder.cleanup()
        assert code == 0, f"the simulator ended with {code}:\n{log[-4000:]}"

    def cli(self, *words, code=OK, **options):
        """Runs it, expects that exit code; returns (stdout, stderr)."""
        done = self.service.cli(*words, **options)
        self.assertEqual(done.returncode, code, f"{words}: {done.stdout}{done.stderr}")
        return done.stdout, done.stderr

    def make(self, id, *more):
        self.cli("crear", "ana@example.org", id, "host:/data/source", "5", *more)


class Verbs(Case):
    def test_a_request_and_its_password(self):
        self.make("ver-1")
        password = json.loads(self.cli("ver", "ver-1", "--json")[0])["password"]
        self.assertRegex(password, r"\A[A-Za-z0-9]{20}\Z")
        text, errors = self.cli("ver", "ver-1")
        self.assertRegex(text, rf"(?m)^Contraseña: +{password}$")
        self.assertRegex(text, r"(?m)^Estado: +listo — Listo, tiene 5 días para hacer la descarga\.$")
        self.assertRegex(text, r"(?m)^Expira: +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$")
        self.assertEqual(errors, "")

    def test_without_a_key_the_token_and_a_hint(self):
        self.make("clave-1")
        for key in (False, self.service.cli("clave").stdout.strip()):
            text, errors = self.cli("ver", "clave-1", key=key)
            self.assertRegex(text, r"Contraseña: +gAAAAA")
            self.assertIn("La contraseña sigue cifrada", errors)
            self.assertEqual(self.cli("ver", "clave-1", "-q", key=key)[1], "")
            answer = json.loads(self.cli("ver", "clave-1", "-j", "-q", key=key)[0])
            self.assertTrue(answer["password"].startswith("gAAAAA"))
        self.assertIn("La clave de cifrado no vale", self.cli("ver", "clave-1", key="short")[1])

    def test_the_key_from_a_settings_file(self):
        self.make("clave-2")
        settings = pathlib.Path(self.folder.name) / "settings"
        settings.write_text(f'# a comment\nTEMPOFTP_NADA=1\nTEMPOFTP_ENCRYPTION_KEY="{self.service.key}"\n')
        text, _ = self.cli("ver", "clave-2", "--env-file", str(settings), key=False)
        self.assertNotIn("gAAAAA", text)
        _, errors = self.cli("ver", "clave-2", "--env-file", "/nonexistent", key=False)
        self.assertIn("No se puede leer /nonexistent", errors)

    def test_several_keys(self):
        self.make("clave-3")
        other = self.service.cli("clave").stdout.strip()
        self.assertNotIn("gAAAAA", self.cli("ver", "clave-3", key=f"{other},{self.service.key}")[0])

    def test_the_list(self):
        self.make("lista-1")
        self.make("lista-2")
        lines = self.cli("lista", "--estado", "listo")[0].splitlines()
        self.assertRegex(lines[0], r"^ID +ESTADO +CREADA +DÍAS +USUARIO +RUTA$")
        column = lines[0].index("ESTADO")
        for line in lines[1:]:
            self.assertTrue(line[column:].startswith("listo "), line)
        rows = json.loads(self.cli("lista", "--json")[0])["solicitudes"]
        self.assertIn("lista-2", [row["id"] for row in rows])
        text, errors = self.cli("lista", "--limite", "1", "--despues", "lista-1")
        self.assertEqual(len(text.splitlines()), 2)
        self.assertRegex(errors, "Puede haber más: --despues")
        self.cli("lista", "--limite", "x", code=USAGE)
        self.cli("lista", "--estado", "nada", code=REFUSED)

    def test_block_unblock_extend_delete(self):
        self.make("vida-1")
        self.assertEqual(self.cli("bloquear", "vida-1", "--razon", 'uso "raro" \x1b[31m ñ')[0], 'vida-1: bloqueada (uso "raro" ?[31m ñ)\n')
        self.assertNotIn("\x1b", self.cli("ver", "vida-1")[0])
        self.assertIn("lista de nuevo", self.cli("desbloquear", "vida-1")[0])
        self.assertIn("no está bloqueada", self.cli("desbloquear", "vida-1", code=REFUSED)[1])
        self.assertIn("vigencia de 8 días", self.cli("extender", "vida-1", "3")[0])
        self.cli("extender", "vida-1", "muchos", code=USAGE)
        self.cli("extender", "vida-1", "-3", code=USAGE)
        events = json.loads(self.cli("eventos", "vida-1", "-j")[0])["eventos"]
        self.assertEqual([e["estado"] for e in events][:5], ["recibido", "preparando", "traslado", "listo", "bloqueado"])
        self.assertIn("bloqueado", self.cli("eventos", "vida-1")[0])
        self.cli("eliminar", "vida-1")
        self.assertIn("No encontrado", self.cli("ver", "vida-1", code=NOT_FOUND)[1])
        self.cli("eliminar", "vida-1", code=NOT_FOUND)

    def test_a_whole_account(self):
        self.cli("crear", "Beto+1@example.org", "cuenta-1", "host:/a")
        self.cli("eliminar-usuario", "beto+1@example.org")
        self.cli("ver", "cuenta-1", code=NOT_FOUND)
        self.cli("eliminar-usuario", "beto+1@example.org", code=NOT_FOUND)

    def test_ids_never_reach_another_call(self):
        self.make("quieto-1")
        for verb in (["ver"], ["eliminar"], ["bloquear"], ["desbloquear"], ["eventos"], ["eventos", "--seguir"]):
            for id in ("expired", "user", "../health", "a/b", "a?b", "%2e%2e", "ñ", "x" * 65, ".."):
                self.assertIn("ID inválido", self.cli(*verb, id, code=USAGE)[1])
        self.cli("ver", "quieto-1")

    def test_refusals_are_told(self):
        for words, says in (
            (["mala", "no-1", "host:/a"], "Correo inválido"),
            (["ana@example.org", "no-1", "host:relative"], "Ruta remota inválida: la ruta debe iniciar con '/'"),
            (["ana@example.org", "no/1", "host:/a"], "ID inválido"),
            (["ana@example.org", "no-1", "host:/a", "5000"], "Vigencia inválida"),
        ):
            text, errors = self.cli("crear", *words, code=REFUSED)
            self.assertEqual(text, "")
            self.assertIn(f"tempoftp: {says}", errors)
        text, _ = self.cli("crear", "mala", "no-1", "host:/a", "--json", code=REFUSED)
        self.assertEqual(json.loads(text)["detail"]["status"], "error")
        self.cli("crear", "ana@example.org", "no-1", "host:/a", "cinco", code=USAGE)
        self.make("dos-veces")
        self.assertIn("Ya existe", self.cli("crear", "ana@example.org", "dos-veces", "host:/a", code=REFUSED)[1])

    def test_health_and_status(self):
        self.assertRegex(self.cli("estado")[0], r"^Servicio: +active\n$")
        self.assertRegex(self.cli("salud")[0], r"(?m)^Base de datos: ok$")
        self.assertEqual(json.loads(self.cli("salud", "-j")[0])["status"], "ok")
        self.assertEqual(self.cli("expirar")[0], "Expiradas: 0\n")

    def test_nobody_is_connected_to_no_ftp_server(self):
        self.assertEqual(self.cli("sesiones"), ("", "tempoftp: Nadie está conectado al servidor FTP\n"))
        self.assertEqual(json.loads(self.cli("sesiones", "-j")[0]), {"sesiones": [], "total": 0})
        self.assertIn("Sesión no encontrada", self.cli("sesiones", "--terminar", "ftp_x_abcd", code=NOT_FOUND)[1])
        self.cli("sesiones", "--terminar", code=USAGE)
        self.cli("sesiones", "--terminar", "", code=USAGE)
        self.cli("lista", "--terminar", "1", code=USAGE)

    def test_nobody_there(self):
        done = subprocess.run([TEMPOFTP, "--socket", "/nonexistent/api.sock", "estado"], capture_output=True, text=True)
        self.assertEqual(done.returncode, UNREACHABLE)
        self.assertIn("/nonexistent/api.sock: no existe", done.stderr)
        done = subprocess.run([TEMPOFTP, "--url", "ftp://localhost", "estado"], capture_output=True, text=True)
        self.assertEqual(done.returncode, USAGE)

    def test_a_full_disk_is_an_error(self):
        self.make("lleno-1")
        with open("/dev/full", "w") as full:
            done = subprocess.run(self.service.command("lista"), stdout=full, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, LOCAL)
        self.assertIn("No se puede escribir la salida", done.stderr)


class Sessions(Case):
    """Users, sessions and one-time tokens. The user who runs this is the operator of the socket."""

    def setUp(self):
        self.home = pathlib.Path(self.folder.name) / self.id().rsplit(".", 1)[1]
        self.home.mkdir()
        self.file = self.home / "tempoftp" / "session.json"

    def cli(self, *words, code=OK, input=None):
        done = subprocess.run(self.service.command(*words), env=clean_environment(XDG_STATE_HOME=str(self.home)), input=input,
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, code, f"{words}: {done.stdout}{done.stderr}")
        return done.stdout, done.stderr

    def login(self, email):
        self.cli("usuarios", "crear", email, "Ana Ñúñez", input="una clave larga\n")
        self.cli("login", email, input="una clave larga\n")

    def test_a_session_and_its_end(self):
        self.login("ana@example.org")
        self.assertEqual(self.file.stat().st_mode & 0o7777, 0o600)
        self.assertEqual(self.file.parent.stat().st_mode & 0o7777, 0o700)
        token = self.cli("token", "crear")[0]
        self.assertRegex(token, r"\A[A-Za-z0-9_-]{43}\n\Z")
        self.assertEqual(self.cli("token", "validar", input=token)[0], "Token válido y ahora consumido\n")
        self.assertIn("Token inválido o ya utilizado", self.cli("token", "validar", input=token, code=REFUSED)[1])
        self.cli("logout")
        self.assertFalse(self.file.exists())
        self.assertIn("tempoftp login", self.cli("token", "crear", code=REFUSED)[1])
        self.cli("logout")

    def test_a_wrong_password_leaves_no_session(self):
        self.assertIn("Credenciales incorrectas", self.cli("login", "nadie@example.org", input="una clave larga\n", code=REFUSED)[1])
        self.assertFalse(self.file.exists())
        self.assertIn("vacía", self.cli("login", "nadie@example.org", input="", code=LOCAL)[1])

    def test_a_session_goes_to_its_own_service_only(self):
        self.login("beto@example.org")
        kept = json.loads(self.file.read_text())
        self.assertEqual(kept["servicio"], str(self.service.socket))
        self.file.write_text(json.dumps({**kept, "servicio": "http://elsewhere:9043"}))
        self.cli("token", "crear", code=REFUSED)
        self.file.write_text(json.dumps(kept))
        self.cli("token", "crear")

    def test_a_session_that_others_could_read_is_not_used(self):
        self.login("carla@example.org")
        self.file.chmod(0o640)
        self.assertIn("otros podrían leerla", self.cli("token", "crear", code=REFUSED)[1])
        self.file.chmod(0o600)
        self.cli("token", "crear")

    def test_users(self):
        self.login("dora@example.org")
        text = self.cli("usuarios")[0]
        self.assertRegex(text, r"(?m)^CORREO +ROL +ACTIVO +DESDE +NOMBRE$")
        self.assertRegex(text, r"(?m)^dora@example.org +usuario +sí +.*Ana Ñúñez$")
        self.assertIn("puede entrar", self.cli("usuarios", "activar", "dora@example.org")[0])
        self.cli("usuarios", "rol", "dora@example.org", "operador")
        self.assertIn("Rol inválido", self.cli("usuarios", "rol", "dora@example.org", "jefe", code=REFUSED)[1])
        self.cli("usuarios", "clave", "dora@example.org", input="otra clave larga\n")
        self.cli("token", "crear", code=REFUSED)
        self.cli("login", "dora@example.org", input="una clave larga\n", code=REFUSED)
        self.cli("login", "dora@example.org", input="otra clave larga\n")
        self.cli("usuarios", "desactivar", "dora@example.org")
        self.cli("token", "crear", code=REFUSED)
        self.assertIn("pendiente", self.cli("login", "dora@example.org", input="otra clave larga\n", code=REFUSED)[1])
        self.assertIn('"is_active":false', self.cli("usuarios", "-j")[0])
        for words in (["activar"], ["rol", "dora@example.org"], ["nada"], ["lista", "x"]):
            self.cli("usuarios", *words, code=USAGE)
        self.cli("usuarios", "activar", "nadie@example.org", code=NOT_FOUND)
        self.cli("token", "gastar", code=USAGE)

    def test_a_password_is_typed_unseen(self):
        self.cli("usuarios", "crear", "eva@example.org", "Eva", input="una clave larga\n")
        for typed, code in ((b"una clave larga\n", OK), (b"una cla\x03", LOCAL), (b"\x04", LOCAL)):
            ours, theirs = pty.openpty()
            process = subprocess.Popen(self.service.command("login", "eva@example.org"), env=clean_environment(XDG_STATE_HOME=str(self.home)),
                                       stdin=theirs, stdout=theirs, stderr=theirs)
            said = b""
            while b": " not in said:  # the echo is off by then
                said += os.read(ours, 1000)
            os.write(ours, typed)
            self.assertEqual(process.wait(timeout=60), code)
            modes = termios.tcgetattr(theirs)[3]
            said += os.read(ours, 1000)
            self.assertNotIn(b"una cla", said)
            self.assertTrue(modes & termios.ECHO and modes & termios.ISIG)
            os.close(ours)
            os.close(theirs)


class Original(Case):
    """The seeds' flags."""

    def printed(self, *words, **options):
        status, _, literal = self.cli(*words, **options)[0].partition(" ")
        return int(status), ast.literal_eval(literal)

    def test_the_line_of_the_seed(self):
        self.assertEqual(self.printed("--create", "test.user@example.com", "proyecto_test_1", "10.0.0.1:/data/source", "5")[0], 200)
        line = self.cli("--get", "proyecto_test_1")[0]
        self.assertRegex(line, r"\A200 \{'status': 'listo', 'usuario': 'ftp_testuser_[a-z2-7]{4}', 'password': '[A-Za-z0-9]{20}', "
                               r"'mensaje': 'Listo, tiene 5 días para hacer la descarga\.', 'vigencia': 5\}\n\Z")

    def test_status_health_and_nothing(self):
        self.assertEqual(self.cli("--status")[0], "200 {'status': 'active'}\n")
        self.assertEqual(self.printed("--health")[1]["database"], "ok")
        self.assertEqual(self.cli("--get", "nada", code=NOT_FOUND)[0], "404 {'detail': 'No encontrado'}\n")

    def test_a_body_from_a_file(self):
        body = pathlib.Path(self.folder.name) / "body.json"
        body.write_text(json.dumps({"usuario": "it's@example.org", "id": "archivo-1", "ruta": "host:/a", "vigencia": 1}))
        self.assertEqual(self.printed("--json", str(body))[1]["status"], "listo")
        status, answer = self.printed("--create", "--json", str(body), code=REFUSED)
        self.assertEqual((status, answer["detail"]["id"]), (400, "archivo-1"))
        status, answer = self.printed("--json", "-", input='{"id":', code=REFUSED)
        self.assertEqual(status, 422)
        self.assertIn("/nonexistent", self.cli("--json", "/nonexistent", code=LOCAL)[1])

    def test_json_for_scripts(self):
        self.assertEqual(json.loads(self.cli("--status", "-j")[0]), {"status": "active"})


class Following(Case):
    settings = {"TEMPOFTP_SIM_DELAY_MS": "900"}

    def test_a_line_for_every_change_and_then_the_credentials(self):
        text, errors = self.cli("crear", "ana@example.org", "seguir-1", "host:/a", "--seguir")
        states = [line.split()[0] for line in errors.splitlines()]
        self.assertEqual(states[0], "recibido")
        self.assertEqual(states[-1], "listo")
        self.assertEqual(sorted(set(states), key=states.index), ["recibido", "preparando", "traslado", "listo"])
        self.assertRegex(text, r"(?m)^Contraseña: +[A-Za-z0-9]{20}$")

    def test_json_is_one_document_and_quiet_is_quiet(self):
        text, errors = self.cli("crear", "ana@example.org", "seguir-2", "host:/a", "--seguir", "-j", "-q")
        self.assertEqual(json.loads(text)["status"], "listo")
        self.assertEqual(errors, "")

    def test_a_terminal_gets_one_line(self):
        terminal, end = pty.openpty()
        process = subprocess.Popen(self.service.command("crear", "ana@example.org", "seguir-3", "host:/a", "--seguir"),
                                   stdout=subprocess.DEVNULL, stderr=end, env=clean_environment(TEMPOFTP_ENCRYPTION_KEY=self.service.key))
        os.close(end)
        seen = b""
        try:
            while piece := os.read(terminal, 4096):
                seen += piece
        except OSError:  # EIO: the other end was closed
            pass
        os.close(terminal)
        self.assertEqual(process.wait(timeout=60), OK)
        self.assertNotIn(b"\n", seen)
        self.assertGreaterEqual(seen.count(b"\r\x1b[K"), 4)
        self.assertTrue(seen.endswith(b"\r\x1b[K"), seen)

    def test_a_request_that_goes_away_meanwhile(self):
        process = subprocess.Popen(self.service.command("crear", "ana@example.org", "seguir-4", "host:/a", "--seguir"), stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, env=clean_environment())
        self.assertIn("recibido", process.stderr.readline())
        self.cli("eliminar", "seguir-4")
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, ENDED_BADLY)

    def test_events_until_the_end(self):
        self.cli("crear", "ana@example.org", "seguir-5", "host:/a")
        process = subprocess.Popen(self.service.command("eventos", "seguir-5", "--seguir", "--json"), stdout=subprocess.PIPE, text=True,
                                   env=clean_environment())
        seen = []
        for line in process.stdout:
            event = json.loads(line)
            if "estado" in event:
                seen.append(event["estado"])
            if seen[-1] == "listo":
                self.cli("eliminar", "seguir-5")
        self.assertEqual(process.wait(timeout=60), OK)
        process.stdout.close()
        self.assertEqual(seen, ["recibido", "preparando", "traslado", "listo", "eliminado"])
        self.assertIn("no encontrada", self.cli("eventos", "nada", "--seguir", code=NOT_FOUND)[1])


class Failing(Case):
    settings = {"TEMPOFTP_SIM_FORCE": "fail", "TEMPOFTP_SIM_DELAY_MS": "300"}

    def test_a_request_that_ends_in_error(self):
        text, _ = self.cli("crear", "ana@example.org", "mal-1", "host:/a", "--seguir", code=ENDED_BADLY)
        self.assertRegex(text, r"(?m)^Estado: +error — .+")
        self.assertNotIn("Contraseña", text)
        self.assertEqual(self.service.cli("eventos", "mal-1", "--seguir").returncode, ENDED_BADLY)


class Restarting(unittest.TestCase):
    """The service goes away and comes back while somebody follows."""

    def test_following_goes_on(self):
        with tempfile.TemporaryDirectory() as folder:
            first = Service(pathlib.Path(folder) / "state", TEMPOFTP_SIM_DELAY_MS="2000")
            first.cli("crear", "ana@example.org", "vuelve-1", "host:/a")
            process = subprocess.Popen(first.command("eventos", "vuelve-1", "--seguir", "-j"), stdout=subprocess.PIPE, text=True,
                                       env=clean_environment())
            seen = [json.loads(process.stdout.readline())["estado"]]
            first.process.kill()
            first.process.wait()
            first.socket.unlink(missing_ok=True)
            environment = clean_environment(TEMPOFTP_SIMULACRO="1", TEMPOFTP_AUTH="off", TEMPOFTP_ENCRYPTION_KEY=first.key)
            second = subprocess.Popen([TEMPOFTPD, "--listen", str(first.socket), "--state-directory", str(first.folder)], env=environment,
                                      stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            guard = threading.Timer(60, process.kill)
            guard.start()
            try:
                numbers = []
                for line in process.stdout:
                    event = json.loads(line)
                    if "estado" not in event:
                        continue
                    seen.append(event["estado"])
                    numbers.append(event["n"])
                    if event["estado"] == "listo":
                        self.assertEqual(first.cli("eliminar", "vuelve-1").returncode, OK)
                self.assertEqual(process.wait(timeout=60), OK)
                self.assertEqual(seen[-2:], ["listo", "eliminado"])
                self.assertEqual(numbers, sorted(set(numbers)), "an event came twice")
            finally:
                guard.cancel()
                process.stdout.close()
                second.terminate()
                second.wait(timeout=30)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=1)
