"""Where an intruder is let in: servers of the build that obeys (intruder.py), as the service and by themselves, with and without TLS.

A world has an account to take over and another person's, and knows what must not be reached from there; what is tried is test_ftp_taken_over.py's.
"""
import os
import re
import shutil
import subprocess

from cryptography.hazmat.primitives import serialization

import client
from conftest import BUILD
from ftp_service import main_pid
from ftp_standalone import ACCOUNT, PASSWORD, FtpServer, Talk
from intruder import takeover_build
from machine import Source, wait_until

CONTENT = "hola, mundo\n"
OTHER, OTHER_PASSWORD = "vecina", "marca-9f3e-de-la-otra"


class Standalone:
    """The server by itself; with `write` its accounts may write everywhere in the folder."""

    def __init__(self, write=False, more=()):
        options = ["--user", f"{OTHER}:{OTHER_PASSWORD}", *(["--write"] if write else []), *more]
        self.server = FtpServer(takeover_build(BUILD), options)
        self.server.put("a.txt", CONTENT)
        self.server.put("carpeta/b.txt", CONTENT)
        self.account, self.other = (ACCOUNT, PASSWORD), (OTHER, OTHER_PASSWORD)
        self.own_folder, self.own_file = "carpeta", "a.txt"
        top = str(self.server.folder)
        self.secrets = ["/etc/passwd", "/etc/shadow", "/tmp", "/run/dbus/system_bus_socket", "/home", top, f"{top}/outside", f"{top}/log", "../outside"]
        self.strange = ("127.0.0.1", self.server.port)  # where a session has no business

    def start(self):
        self.server.start()
        self.address = self.server.address

    def stop(self):
        self.server.stop()

    @property
    def listener(self):
        return self.server.process.pid

    def inside(self, pid):
        return pid

    def said(self):
        return self.server.said()

    def kept(self):
        """What nobody may change."""
        return {path: path.stat().st_mtime_ns for path in [*self.server.root.rglob("*"), self.server.folder / "outside"]}


class StandaloneTls(Standalone):
    """With a certificate of its own; its key is the keeper's."""

    def __init__(self):
        super().__init__(more=["--tls-cert", "cert.pem", "--tls-key", "key.pem"])
        folder = self.server.folder
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                        "-keyout", folder / "key.pem", "-out", folder / "cert.pem"], check=True, capture_output=True)
        shutil.chown(folder / "key.pem", "nobody")
        key = serialization.load_pem_private_key((folder / "key.pem").read_bytes(), None)
        self.key = key.private_numbers().private_value.to_bytes(32, "big")


class Service:
    """The unit, with two persons' deliveries; its program replaced by one that obeys."""

    def __init__(self, machine):
        self.machine, self.api, self.source = machine, client.unix_api(machine), Source(machine)

    def start(self):
        programs = [self.machine.file(f"/usr/{path}") for path in ("bin/tempoftp-ftpd", "libexec/tempoftp/tempoftp-ftp-child")]
        self.real = {program: program.read_bytes() for program in programs}
        self._replace({program: (takeover_build(BUILD) / "src/ftpd" / program.name).read_bytes() for program in programs})
        self.answers = []
        for name in ("uno", "otra"):
            self.deliver(name)
        self.account, self.other = [self.account_of(answer) for answer in self.answers]
        id, (name, _) = self.answers[1]["id"], self.other
        self.own_folder, self.own_file = self.answers[0]["id"], f"{self.answers[0]['id']}/a.txt"
        self.secrets = [f"/data/{name}", f"/data/{name}/{id}", f"/data/{name}/{id}/a.txt", f"../{name}/{id}/a.txt", "/data", "/data/.staging",
                        "/etc/passwd", "/etc/ld.so.cache", "/usr/bin/tempoftp-ftpd", "/var/lib/tempoftp/state.db", "/etc/tempoftp/encryption.key",
                        "/run/dbus/system_bus_socket", "/run/systemd/notify", "/run/systemd/journal/socket", "/run/tempoftp/api.sock",
                        "/run/credentials", "/run/systemd/private", "/tmp", "/var/tmp"]
        self.address, self.strange = client.FTP_ADDRESS, client.API_ADDRESS

    def stop(self):
        for answer in self.answers:
            assert self.api.delete(f"/tmpftp/{answer['id']}").status in (200, 404)
        self.source.remove_trees()
        self._replace(self.real)

    def account_of(self, answer):
        return answer["ftpuser"], client.decrypt(self.machine, answer["password"])

    def _replace(self, contents):
        self.machine.run(["systemctl", "stop", "tempoftp-ftp.service"])
        for program, content in contents.items():
            program.unlink()
            program.write_bytes(content)
            program.chmod(0o755)

    def deliver(self, name):
        route = self.source.make_tree(f"taken-over-{name}", {"a.txt": CONTENT, "carpeta/b.txt": CONTENT})
        wanted = {"usuario": f"{name}@example.org", "id": f"taken-over-{name}", "ruta": f"{route}/", "vigencia": 5}
        reply = self.api.post("/tmpftp", wanted)
        assert reply.status == 202, reply
        self.answers.append(client.wait_for(self.api, wanted["id"], "listo", timeout=120))
        return self.answers[-1]

    @property
    def listener(self):
        if not main_pid(self.machine):  # a call brings it up
            Talk(self.address, timeout=60).close()
        return self.outside(wait_until(lambda: main_pid(self.machine), 60, what="a listener"))

    def outside(self, pid):
        """The number of a process of the machine, seen from here."""
        space = os.readlink(f"/proc/{self.machine.leader}/ns/pid")
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.readlink(f"/proc/{entry}/ns/pid") == space and self.inside(entry) == pid:
                    return int(entry)
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
        raise AssertionError(f"no process {pid} in the machine")

    @staticmethod
    def inside(pid):
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            return int(re.search(r"^NSpid:.*\t(\d+)$", status.read(), re.M)[1])

    def said(self):
        return self.machine.journal("-u", "tempoftp-ftp")

    def kept(self):
        data = self.machine.file("/data")
        return {str(path): path.lstat().st_mtime_ns for path in data.rglob("*")}
