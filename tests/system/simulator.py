"""The simulator under test: tempoftpd from the build folder, as an ordinary user, with no systemd in reach.

Stories use it through the fixture `simulator` in conftest.py. Each one has a folder and a free port of its own, so a
story may stop, kill and restart it as it likes.
"""
import http.client
import pathlib
import shutil
import signal
import subprocess
import tempfile

import cryptography.fernet

import client
from machine import wait_until
from ports import free_port

USER, GROUP = "nobody", "nogroup"


class Simulator(client.Api):
    """One simulator; being an Api it is called like one: simulator.get("/health").

    start(), stop(), kill(), restart() rule its life; settings can be changed between two starts; said() is what it has
    logged since its last start; state_file is its database.
    """

    def __init__(self, build, settings):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tempoftp-simulator-"))
        # The build may lie in a folder that nobody else can enter.
        self.program = self.folder / "tempoftpd"
        shutil.copy(build / "src" / "api" / "tempoftpd", self.program)
        shutil.chown(self.folder, USER, GROUP)
        self.state_folder = self.folder / "state"
        self.state_file = self.state_folder / "state.db"
        self.key = cryptography.fernet.Fernet.generate_key().decode()
        self.settings = {"TEMPOFTP_SIMULACRO": "1", "TEMPOFTP_ENCRYPTION_KEY": self.key, "TEMPOFTP_AUTH": "off",
                         "TEMPOFTP_RATE_LIMIT_POST": "100000/second", **settings}
        self.port = free_port()
        self.arguments = []
        self.process = None
        super().__init__(self._connection)

    def _connection(self, timeout):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def launch(self, *arguments):
        """Starts it and returns at once; ends by itself when it refuses to serve (see said())."""
        environment = {name: str(value) for name, value in self.settings.items() if value is not None}
        command = [self.program, "--listen", f"127.0.0.1:{self.port}", "--state-directory", self.state_folder,
                   *self.arguments, *arguments]
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder,
                                            env=environment, user=USER, group=GROUP, extra_groups=[])

    def start(self):
        self.launch()
        wait_until(self._serves, 20, "the simulator serves")
        return self

    def _serves(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"the simulator ended with code {self.process.returncode}: {self.said()}")
        try:
            return self.get("/", timeout=5).status == 200
        except OSError:
            return False

    def said(self):
        return (self.folder / "log").read_text(errors="replace")

    def refuses_to_start(self):
        """Starts it where it must not serve; returns its exit code and what it said."""
        self.launch()
        return self.process.wait(timeout=20), self.said()

    def end(self, sent=signal.SIGTERM, timeout=20):
        """Sends a signal and returns the exit code (negative: the signal it died of)."""
        self.process.send_signal(sent)
        return self.process.wait(timeout=timeout)

    def stop(self):
        code = self.end()
        assert code == 0, f"exit code {code}: {self.said()}"

    def kill(self):
        assert self.end(signal.SIGKILL) == -signal.SIGKILL

    def restart(self, **settings):
        """Stops it cleanly and starts it again on the same state, with other settings when given."""
        self.stop()
        self.settings.update(settings)
        return self.start()

    def sqlite(self, sql):
        """Runs SQL on the state database; rows as lists of texts (NULL is "")."""
        shown = subprocess.run(["sqlite3", "-batch", "-cmd", ".timeout 5000", "-separator", "\x1f", "-newline", "\x1e",
                                str(self.state_file), sql], stdout=subprocess.PIPE, text=True, check=True).stdout
        return [row.split("\x1f") for row in shown.split("\x1e") if row]

    def remove(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder)

    def fresh_request(self, id, usuario="ana@example.org", ruta="origen:/datos/a", vigencia=5, **more):
        """The body of a request."""
        return {"usuario": usuario, "id": id, "ruta": ruta, "vigencia": vigencia, **more}

    def submit(self, id, **fields):
        """Asks for a request; returns the answer whatever it is."""
        return self.post("/tmpftp", self.fresh_request(id, **fields))

    def state_of(self, id):
        reply = self.get(f"/tmpftp/{id}")
        return "gone" if reply.status == 404 else reply.json["status"]
