"""A finished request goes on to a partner's server: the whole tree, under temporary names until each file is there, in the order that a partner who watches
expects; and whatever breaks on the way is said, tried again, or gone on with."""
import contextlib
import ctypes
import datetime
import hashlib
import os
import pathlib
import re
import shutil
import socket
import struct
import subprocess
import threading
import time
import types

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from client import checksums
from conftest import BUILD
from ftp_standalone import ACCOUNT, PASSWORD, USER
from machine import drop_in, wait_until
from partners import PureFtpd, Sftp, Vsftpd, address, remote_path

LONG = 300  # seconds; the machine may be slow
TREE = {
    "read me.txt": "a name with a space", "año/canción.nc": "accents", "100%/50%41.txt": "per cent", "#1": "hash", "?what": "question", "-rf": "dash",
    "deep/er/still/x": "x", "empty file": "", "'quoted' \"twice\"": "q", "bytes.bin": 3_000_000,
    "set/data.rar": "r0", "set/data.r00": "r1", "set/data.r01": "r2", "set/more.part1.rar": "p1", "set/more.part2.rar": "p2", "set/more.part10.rar": "p10",
}


@pytest.fixture(scope="module", autouse=True)
def inner_destinations(machine):
    """The partners listen on the machine's own loopback."""
    with machine.settings(TEMPOFTP_EXPORT_INTERNAL="1"):
        yield


@pytest.fixture
def partner(request):
    """partner(class, …) starts a server that is gone after the test."""
    made = []

    def start(kind, *arguments, **settings):
        made.append(kind(*arguments))
        if settings:
            made[-1].SETTINGS = {**made[-1].SETTINGS, **settings}
        made[-1].start()
        return made[-1]

    yield start
    for one in made:
        one.stop()


@pytest.fixture
def destination(api):
    """destination(partner, "ftp", …) makes one and returns its id."""
    made = []

    def make(partner, kind, **fields):
        if kind == "sftp":
            fields = {"host_key": partner.fingerprint, **fields}
        reply = api.post("/api/destinations", address(partner, kind, **{"path": remote_path(partner, kind), **fields}))
        assert reply.status == 201, reply
        made.append(reply.json["id"])
        return made[-1]

    yield make
    for id in made:
        reply = api.delete(f"/api/destinations/{id}")
        assert reply.status in (204, 404, 409), reply


@pytest.fixture
def delivered(source, submit, wait_for, unique):
    """delivered({"a": "a"}) is the id of a finished request with these files."""
    def make(files=None, **options):
        id = submit(source.make_tree(unique("tree"), files, **options) + "/")
        wait_for(id, "listo", LONG)
        return id

    return make


@pytest.fixture
def folder_of(machine, api):
    """Where a finished request lies."""
    return lambda id: machine.file(f"/data/{api.get(f'/tmpftp/{id}').json['ftpuser']}/{id}")


def send(api, id, destination, kind="ftp"):
    """Begins an export by hand; its number."""
    reply = api.post(f"/api/jobs/{id}/export/{'sftp' if kind == 'sftp' else 'ftp'}", {"destination_id": destination})
    assert reply.status == 202, reply
    return reply.json["export"]["n"]


def export(api, id, n):
    return next(e for e in api.get(f"/api/jobs/{id}/exports").json["exports"] if e["n"] == n)


def wait_export(api, id, n, *states):
    wait_until(lambda: export(api, id, n)["status"] in ("listo", "error", "cancelado"), LONG, f"export {n} of {id} ends: {export(api, id, n)}", 0.2)
    last = export(api, id, n)
    assert last["status"] in states, last
    return last


def says(machine, id, *texts):
    """The journal of the request has these: a line that tempoftpd was too busy to take is missing in /logs."""
    wait_until(lambda: all(text in machine.journal(f"TEMPOFTP_ID={id}") for text in texts), LONG, f"the journal of {id} says {texts}")


def temporaries(partner):
    return [path for path in partner.root.rglob("tempoftp-*.part")]


def assert_arrived(folder, root):
    assert checksums(root) == checksums(folder)
    assert {p.relative_to(root) for p in root.rglob("*") if p.is_dir()} == {p.relative_to(folder) for p in folder.rglob("*") if p.is_dir()}


def begun(partner, least):
    """Waits until so many bytes of a file lie there under its temporary name; that name."""
    def look():
        with contextlib.suppress(FileNotFoundError):
            return [path for path in temporaries(partner) if path.stat().st_size >= least]
    return wait_until(look, LONG, "an upload is in the middle of a file")[0]


class Names:
    """What happens to names in a folder, by inotify(7)."""
    MODIFY, MOVED_FROM, MOVED_TO, CREATE = 0x2, 0x40, 0x80, 0x100

    def __init__(self, folder):
        libc = ctypes.CDLL(None, use_errno=True)
        self.fd = libc.inotify_init1(os.O_NONBLOCK)
        assert libc.inotify_add_watch(self.fd, os.fsencode(folder), self.MODIFY | self.MOVED_TO | self.CREATE) >= 0

    def read(self):
        """[(what, name)], in their order."""
        events, data = [], b""
        with contextlib.suppress(BlockingIOError):
            while piece := os.read(self.fd, 1 << 20):
                data += piece
        os.close(self.fd)
        while data:
            _, mask, _, size = struct.unpack_from("iIII", data)
            events.append((mask, data[16:16 + size].rstrip(b"\0").decode()))
            data = data[16 + size:]
        return events


# ---- what arrives -----------------------------------------------------------------------------------

SERVERS = {
    "pure-ftpd": ("ftp", lambda: (PureFtpd, True)),
    "vsftpd": ("ftp", lambda: (Vsftpd, True)),
    "openssh": ("sftp", lambda: (Sftp,)),
}


@pytest.mark.parametrize("server", SERVERS)
def test_the_tree_arrives_as_it_is_and_nothing_half_written_under_its_name(server, machine, api, partner, destination, delivered, folder_of):
    kind, made = SERVERS[server]
    there = partner(*made())
    id = delivered(TREE)
    folder = folder_of(id)
    (pathlib.Path(os.fsdecode(os.fsencode(folder) + b"/latin-\xf1"))).write_bytes(b"no UTF-8")
    machine.run(["chmod", "-R", "g+rX", str(folder).split("/root", 1)[1]])
    (folder / "no files").mkdir(mode=0o755)
    os.symlink("bytes.bin", folder / "link")
    there.put("set/data.rar", "an older one, which is replaced whole")
    shutil.chown(there.root / "set", USER, "nogroup")
    shutil.chown(there.root / "set" / "data.rar", USER, "nogroup")
    names = Names(there.root / "set")

    n = send(api, id, destination(there, kind), kind)
    done = wait_export(api, id, n, "listo")

    (folder / "link").unlink()
    (there.root / "link").read_bytes()
    assert (there.root / "link").read_bytes() == (folder / "bytes.bin").read_bytes(), "a link counts as what it leads to"
    (there.root / "link").unlink()
    assert_arrived(folder, there.root)
    assert done["files"] == len(TREE) + 2
    seen = names.read()
    written = {name for mask, name in seen if mask & (Names.CREATE | Names.MODIFY)}
    assert written and all(re.fullmatch(r"tempoftp-[0-9a-f]{16}\.part", name) for name in written), "a partner could have read half a file"
    arrived = [name for mask, name in seen if mask & Names.MOVED_TO]
    assert sorted(arrived) == sorted(os.path.basename(name) for name in TREE if name.startswith("set/"))
    assert arrived.index("data.rar") > max(arrived.index("data.r00"), arrived.index("data.r01"))
    assert arrived.index("more.part1.rar") > max(arrived.index("more.part2.rar"), arrived.index("more.part10.rar"))


@pytest.fixture
def trusted(machine):
    """trusted(certificate) lets the machine believe in it for the length of a test."""
    bundle = machine.file("/etc/ssl/certs/ca-certificates.crt")
    before = bundle.read_bytes() if bundle.exists() else b""
    yield lambda certificate: bundle.write_bytes(before + b"\n" + certificate)
    bundle.write_bytes(before)


def make_expired(there):
    """Gives a partner that is not started yet a certificate of the year 2020."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    certificate = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
                   .not_valid_before(datetime.datetime(2020, 1, 1)).not_valid_after(datetime.datetime(2020, 2, 1))
                   .add_extension(x509.BasicConstraints(True, None), True).sign(key, hashes.SHA256()))
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    there.pem.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()) + pem)
    return pem


@pytest.mark.parametrize("server", [PureFtpd, Vsftpd], ids=["pure-ftpd", "vsftpd"])
def test_ftps_takes_the_right_certificate_and_no_other(server, api, partner, destination, delivered, folder_of, trusted):
    there = partner(server, True, True)
    id = delivered({"a": 200_000, "b/c": "c"})
    to = destination(there, "ftps")

    assert wait_export(api, id, send(api, id, to), "error")["message"].startswith("Certificado")
    assert not list(there.root.iterdir())
    trusted((there.folder / "cert.pem").read_bytes())
    wait_export(api, id, send(api, id, to), "listo")
    assert_arrived(folder_of(id), there.root)


def test_an_expired_certificate(api, partner, destination, delivered, trusted):
    class Expired(PureFtpd):
        def _start(self):
            self.expired = make_expired(self)
            super()._start()

    there = partner(Expired, True, True)
    trusted(there.expired)
    id = delivered({"a": "a"})
    message = wait_export(api, id, send(api, id, destination(there, "ftps")), "error")["message"]
    assert message.startswith("Certificado") and "expired" in message
    assert not list(there.root.iterdir())


def test_a_server_without_tls_is_not_talked_to_in_clear(api, partner, destination, delivered):
    there = partner(Vsftpd, True)
    id = delivered({"a": "a"})
    assert wait_export(api, id, send(api, id, destination(there, "ftps")), "error")["message"].startswith("TLS")
    assert not list(there.root.iterdir())


def test_an_rsa_key_logs_in(api, partner, destination, delivered, folder_of):
    there = partner(Sftp)
    id = delivered({"a": "a"})
    to = destination(there, "sftp", password=None, ssh_key=there.key_file.read_text())
    wait_export(api, id, send(api, id, to, "sftp"), "listo")
    assert_arrived(folder_of(id), there.root)


# ---- what is refused ----------------------------------------------------------------------------------

@pytest.mark.parametrize("server", SERVERS)
def test_a_wrong_password_is_shown_once(server, machine, api, partner, destination, delivered):
    kind, made = SERVERS[server]
    there = partner(*made())
    id = delivered({f"f{n}": "x" for n in range(8)})
    message = wait_export(api, id, send(api, id, destination(there, kind, password="equivocada"), kind), "error")["message"]
    assert message.startswith("Ingreso")
    says(machine, id, "[FTP Upload] login: ")
    assert "try 2" not in machine.journal(f"TEMPOFTP_ID={id}")
    assert api.get(f"/tmpftp/{id}").json["status"] == "listo", "the request is as good as before"


def test_a_changed_host_key_is_refused_before_anything_is_sent(api, partner, destination, delivered):
    there = partner(Sftp)
    id = delivered({"a": "a"})
    to = destination(there, "sftp")
    there.process.terminate()
    there.process.wait(30)
    there.make_host_key()
    there.start()
    message = wait_export(api, id, send(api, id, to, "sftp"), "error")["message"]
    assert message.startswith("Clave del servidor") and "cambió" in message and there.fingerprint in message
    assert not list(there.root.iterdir())


def test_a_file_that_may_not_be_read_is_a_failure(api, partner, destination, delivered, folder_of):
    there = partner(Vsftpd, True)
    id = delivered({"a": "a", "b": "b", "c": "c"})
    (folder_of(id) / "b").chmod(0)
    message = wait_export(api, id, send(api, id, destination(there, "ftp")), "error")["message"]
    assert message.startswith("Origen") and "b: Permission denied" in message
    assert not temporaries(there)


def test_a_link_that_leads_out_is_a_failure(api, partner, destination, delivered, folder_of):
    there = partner(Vsftpd, True)
    id = delivered({"a": "a"})
    os.symlink("/etc/passwd", folder_of(id) / "out")
    assert wait_export(api, id, send(api, id, destination(there, "ftp")), "error")["message"].startswith("Origen")
    assert not list(there.root.iterdir())


@pytest.mark.parametrize("server", ["pure-ftpd", "openssh"])
def test_a_full_disk_at_the_partner(server, api, partner, destination, delivered):
    kind, made = SERVERS[server]
    name, *arguments = made()

    class Small(name):
        def _small(self):
            owner = self.root.stat()
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size=4m,uid={owner.st_uid},gid={owner.st_gid},mode=755", "small", self.root], check=True)

        def __init__(self, *args):
            super().__init__(*args)
            self._small()

        def stop(self):
            subprocess.run(["umount", "--lazy", self.root], check=True)
            super().stop()

    there = partner(Small, *arguments)
    id = delivered({"a": "a", "large": 9_000_000})
    message = wait_export(api, id, send(api, id, destination(there, kind), kind), "error")["message"]
    assert message.startswith("Espacio"), message
    assert not (there.root / "large").exists() and not temporaries(there)


def test_a_worker_by_itself_connects_to_nothing_of_this_machine(machine):
    """Whatever tempoftpd and the broker let through."""
    order = b"type=ftp\0port=21\0host=partner.example\0username=u\0password=p\0path=/\0address=127.0.0.1\0"
    for kind in (b"ftp", b"sftp"):
        done = subprocess.run([BUILD / "src/export/tempoftp-export", "test"], input=order.replace(b"type=ftp", b"type=" + kind), stdout=subprocess.PIPE, timeout=60)
        assert done.returncode == 0 and done.stdout.startswith(b"cause=address\0")


# ---- interruptions --------------------------------------------------------------------------------------

RATE = 2_400_000  # bytes a second: slow enough to be met in the middle
LARGE = {"a/large": 24_000_000, "small": "s"}


THROTTLE = f"""import os, subprocess, sys, threading, time
server = subprocess.Popen(["/usr/lib/openssh/sftp-server"], stdin=subprocess.PIPE)
while data := os.read(0, 65536):
    server.stdin.write(data)
    server.stdin.flush()
    time.sleep(len(data) / {RATE})
server.stdin.close()
sys.exit(server.wait())
"""


class SlowSftp(Sftp):
    def __init__(self):
        super().__init__()
        (self.folder / "throttle.py").write_text(THROTTLE)
        self.subsystem = f"/usr/bin/python3 {self.folder}/throttle.py"


@pytest.fixture
def slow(partner):
    """slow() is a partner that takes RATE bytes a second."""
    return lambda kind="ftp": partner(SlowSftp) if kind == "sftp" else partner(Vsftpd, True, local_max_rate=str(RATE))


def connections(there):
    """Processes of a server's sessions."""
    return [int(pid) for pid in subprocess.run(["pgrep", "--parent", str(there.process.pid)], stdout=subprocess.PIPE, text=True).stdout.split()]


def kill_tree(pid):
    children = subprocess.run(["pgrep", "--parent", str(pid)], stdout=subprocess.PIPE, text=True).stdout.split()
    for child in children:
        kill_tree(int(child))
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 9)


@pytest.mark.parametrize("kind", ["ftp", "sftp"])
def test_a_connection_that_breaks_goes_on_where_it_was(kind, machine, api, slow, destination, delivered, folder_of):
    there = slow(kind)
    id = delivered(LARGE)
    n = send(api, id, destination(there, kind), kind)
    begun(there, 3_000_000)
    for pid in connections(there):
        kill_tree(pid)
    wait_export(api, id, n, "listo")
    says(machine, id, "a/large: going on after", "before try 2 of 4")
    assert_arrived(folder_of(id), there.root)


def test_a_pulled_cable_is_noticed_and_the_upload_goes_on(machine, api, slow, destination, delivered, folder_of):
    """Nothing comes back and nothing is refused: the machine's network is silent until the worker says, a minute later, that it tries again. The server does not
    know that its session is dead, and holds the file: so it is sent under another temporary name."""
    there = slow()
    id = delivered(LARGE)
    n = send(api, id, destination(there, "ftp"))
    begun(there, 3_000_000)
    machine.run(["ip", "link", "set", "lo", "down"])
    try:
        says(machine, id, "stalled; waiting 1 s before try 2 of 4")
    finally:
        machine.run(["ip", "link", "set", "lo", "up"])
    wait_until(lambda: export(api, id, n)["status"] == "listo", 2 * LONG, "it is all there", 0.2)
    says(machine, id, "a/large: going on after", "a/large: the server does not go on with what lies there, beginning anew")
    assert_arrived(folder_of(id), there.root)


def test_an_upload_sees_its_request_alone_and_says_how_far_it_is(machine, api, slow, destination, delivered, folder_of):
    there = slow()
    delivered({"of": "somebody else"})
    id = delivered(LARGE)
    n = send(api, id, destination(there, "ftp"))
    begun(there, 3_000_000)
    unit = f"tempoftp-export-{id}-{n}.service"
    wait_until(lambda: re.match(r"Uploading: \d+ %, \d+ of 24000001 bytes, \d+ B/s, ", machine.unit(unit, "StatusText")["StatusText"]), 60, "STATUS= says it")
    wait_until(lambda: 0 < (export(api, id, n)["progress"] or {"porcentaje": 0})["porcentaje"] < 100, 60, "the API says it")
    shown = machine.run(["tempoftp", "ver", id]).stdout
    assert re.search(rf"(?m)^Envío {n}: +ftp-{there.port} \(ftp\): subiendo +\[.*\] +\d+ %  \S+ MB de 24,0 MB", shown), shown
    pid = machine.unit(unit, "MainPID")["MainPID"]
    seen = machine.run(["nsenter", f"--target={pid}", "--mount", f"--root=/proc/{pid}/root", "--wd=/", "/usr/bin/find", "/data", "/etc/tempoftp", "/var", "-maxdepth", "2"],
                       check=False).stdout.split()
    account = folder_of(id).parent.name
    assert [path for path in seen if path.startswith("/data")] == ["/data", f"/data/{account}", f"/data/{account}/{id}"]
    assert not [path for path in seen if path.startswith("/etc/tempoftp") or path.startswith("/var/lib/tempoftp/")]
    shown = machine.run(["cat", f"/proc/{pid}/cmdline", f"/proc/{pid}/environ"]).stdout
    assert "password" not in shown and there.url.split("@")[0] not in shown
    wait_export(api, id, n, "listo")


@pytest.mark.parametrize("victim", ["tempoftp-export", "tempoftpd", "tempoftp-broker"])
def test_a_kill_loses_nothing(victim, machine, api, slow, destination, delivered, folder_of):
    there = slow()
    id = delivered(LARGE)
    n = send(api, id, destination(there, "ftp"))
    wait_until(lambda: [path for path in machine.file("/var/lib/tempoftp-export").glob(f"{id}.*") if path.stat().st_size == 16], LONG,
               "it is written down that the small file is there")
    begun(there, 3_000_000)
    machine.kill(victim)
    wait_export(api, id, n, "listo")
    assert_arrived(folder_of(id), there.root)
    if victim == "tempoftp-export":
        says(machine, id, "1 of 2 files are there already", "a/large: going on after")
    assert not list(machine.file("/var/lib/tempoftp-export").iterdir())


@pytest.fixture
def no_broker(machine):
    """with no_broker(): nobody answers for the broker, and nobody can start it."""
    @contextlib.contextmanager
    def within():
        machine.run(["systemctl", "mask", "--runtime", "--now", "tempoftp-broker.service"])
        try:
            yield
        finally:
            machine.run(["systemctl", "unmask", "--runtime", "tempoftp-broker.service"])
    return within


def moments(machine, since, text):
    """When tempoftpd said it, in seconds."""
    said = machine.run(["journalctl", "--no-pager", "--quiet", "--output=short-unix", f"--since={since}", "--unit=tempoftp"]).stdout
    return [float(line.split()[0]) for line in said.splitlines() if text in line]


def test_a_start_that_the_broker_does_not_confirm_is_looked_at_again_after_growing_pauses(machine, api, partner, destination, delivered, folder_of, no_broker):
    there, id = partner(Vsftpd, True), delivered({"a": "a"})
    to, since = destination(there, "ftp"), machine.journal_now()
    with no_broker():
        n = send(api, id, to)
        uncertain = lambda: moments(machine, since, f"The start of tempoftp-export-{id}-{n}.service is uncertain")
        wait_until(lambda: len(uncertain()) == 2, LONG, "it was looked at again", 0.2)
        assert export(api, id, n)["status"] == "subiendo", "nobody has given it up"
    wait_export(api, id, n, "listo")
    first, second, *_ = uncertain()
    third = moments(machine, since, f"Export {n} of {id} has no unit: starting it again")[1]
    assert second - first > 4.9 and third - second > 9.9, "5 s, then twice as long"
    assert_arrived(folder_of(id), there.root)


@pytest.fixture
def slow_start(machine):
    """Units of exports begin with something that lasts until it is ended."""
    with drop_in(machine, "tempoftp-export-.service", "[Service]\nExecStartPre=-/usr/bin/sleep infinity\n"):
        yield


def test_a_start_whose_confirmation_is_lost_is_not_made_twice(machine, api, partner, destination, delivered, folder_of, slow_start):
    """The broker is killed when systemd has the unit, and it has not yet said so."""
    there, id = partner(Vsftpd, True), delivered({"a": "a"})
    to, since = destination(there, "ftp"), machine.journal_now()
    n = send(api, id, to)
    unit = f"tempoftp-export-{id}-{n}.service"
    wait_until(lambda: machine.unit(unit, "SubState")["SubState"] == "start-pre", 40, "the unit starts")
    machine.kill("tempoftp-broker")
    wait_until(lambda: moments(machine, since, f"The start of {unit} is uncertain"), 40, "nobody has confirmed it")
    machine.run(["systemctl", "kill", "--kill-whom=control", unit])
    wait_export(api, id, n, "listo")
    assert machine.sqlite(f"SELECT e.run FROM exports e JOIN requests r ON r.life = e.life WHERE r.id = '{id}'") == [["1"]]
    assert_arrived(folder_of(id), there.root)


def test_a_reboot_goes_on_with_it(machine, api, slow, destination, delivered, folder_of):
    there = slow()
    id = delivered(LARGE)
    n = send(api, id, destination(there, "ftp"))
    begun(there, 3_000_000)
    machine.reboot()
    for pid in connections(there):
        kill_tree(pid)
    there.process.kill()
    there.process.wait(30)
    for made in ("etc", "empty"):
        shutil.rmtree(there.folder / made)
    there.start()
    wait_export(api, id, n, "listo")
    assert_arrived(folder_of(id), there.root)


def cancel(machine, api, id, n):
    assert api.delete(f"/api/jobs/{id}/exports/{n}").status in (200, 204)


def block(machine, api, id, n):
    assert api.post(f"/tmpftp/{id}/bloquear", {}).status == 200


def delete(machine, api, id, n):
    assert api.delete(f"/tmpftp/{id}").status == 200


def expire(machine, api, id, n):
    machine.stop_units("tempoftp.service")  # its memory of answers goes with it
    machine.sqlite(f"UPDATE requests SET expires = unixepoch() - 1 WHERE id = '{id}' AND state <> 'eliminado'")
    assert api.delete("/tmpftp/expired").status == 200


@pytest.mark.parametrize("how, kind", [(cancel, "ftp"), (cancel, "sftp"), (block, "ftp"), (delete, "sftp"), (expire, "ftp")],
                         ids=["cancelled-ftp", "cancelled-sftp", "blocked", "deleted", "expired"])
def test_an_upload_that_nobody_wants_any_more_leaves_nothing_behind(how, kind, machine, api, slow, destination, delivered):
    there = slow(kind)
    id = delivered(LARGE)
    n = send(api, id, destination(there, kind), kind)
    begun(there, 3_000_000)
    how(machine, api, id, n)
    wait_until(lambda: not machine.units(f"tempoftp-export-{id}-*"), LONG, "the unit is gone")
    wait_until(lambda: not temporaries(there), LONG, "the temporary file is gone")
    assert not (there.root / "a" / "large").exists()
    says(machine, id, "[FTP Upload] Stopped: nobody wants this upload any more")
    if how is not delete:
        assert export(api, id, n)["status"] == "cancelado"
    assert not list(machine.file("/var/lib/tempoftp-export").iterdir())


# ---- sizes and limits ---------------------------------------------------------------------------------

@pytest.mark.parametrize("server", ["pure-ftpd", "openssh"])
def test_five_thousand_files(server, api, partner, destination, delivered, folder_of):
    kind, made = SERVERS[server]
    there = partner(*made())
    id = delivered(count=5000, size=200)
    assert wait_export(api, id, send(api, id, destination(there, kind), kind), "listo")["files"] == 5000
    assert_arrived(folder_of(id), there.root)


@pytest.mark.parametrize("server", SERVERS)
def test_a_file_of_more_than_4_gib_goes_on_past_them(server, machine, api, partner, destination, delivered, folder_of):
    """Sparse here; at the partner's lies, from an earlier run, all of it but the last MiB."""
    kind, made = SERVERS[server]
    there = partner(*made())
    id = delivered({"a": "a"})
    size = (4 << 30) + (5 << 20)
    folder = folder_of(id)
    with open(folder / "huge", "wb") as huge:
        huge.truncate(size)
        huge.seek(size - 7)
        huge.write(b"the end")
    (folder / "huge").chmod(0o644)
    life = int(machine.sqlite(f"SELECT life FROM requests WHERE id = '{id}' ORDER BY life DESC LIMIT 1")[0][0])
    mark = id.encode() + b"\0" + struct.pack("=QQ", life, 1) + b"huge\0" + struct.pack("=Qq", size, (folder / "huge").stat().st_mtime_ns)
    name = f"tempoftp-{hashlib.sha256(mark).hexdigest()[:16]}.part"
    there.put(name, size=size - (1 << 20))
    shutil.chown(there.root / name, USER, "nogroup")

    n = send(api, id, destination(there, kind), kind)
    assert wait_export(api, id, n, "listo")["bytes"] == size + 1
    unsure = 2 << 20 if kind == "sftp" else 0  # what was in flight at the end
    says(machine, id, f"huge: going on after {size - (1 << 20) - unsure} bytes")
    assert (there.root / "huge").stat().st_size == size
    with open(there.root / "huge", "rb") as huge:
        huge.seek(size - (1 << 20) - 1)
        assert huge.read() == bytes((1 << 20) + 1 - 7) + b"the end"


def test_a_server_that_takes_fewer_connections_is_served_with_fewer(api, partner, destination, delivered, folder_of):
    class Few(Vsftpd):
        SETTINGS = {**Vsftpd.SETTINGS, "max_per_ip": "2"}

    there = partner(Few, True)
    id = delivered({f"f{n:02}": f"{n}" for n in range(40)})
    wait_export(api, id, send(api, id, destination(there, "ftp")), "listo")
    assert_arrived(folder_of(id), there.root)


# ---- tests of destinations ------------------------------------------------------------------------------

@pytest.mark.parametrize("server", SERVERS)
def test_a_test_writes_and_takes_away(server, api, partner, destination):
    kind, made = SERVERS[server]
    there = partner(*made())
    reply = api.post(f"/api/destinations/{destination(there, kind)}/test", {}, timeout=60)
    assert reply.status == 200 and reply.json["success"] is True, reply
    assert not list(there.root.iterdir())


def test_a_test_names_the_step_that_failed(api, partner, destination):
    ftp, sftp = partner(PureFtpd, True), partner(Sftp)
    (ftp.root / "closed").mkdir(mode=0o555)
    steps = {
        "Ingreso": destination(ftp, "ftp", name="paso-1", password="equivocada"),
        "Escritura": destination(ftp, "ftp", name="paso-2", path="/closed"),
        "Carpeta": destination(ftp, "ftp", name="paso-3", path="/closed/below"),
        "TLS": destination(ftp, "ftps", name="paso-4"),
        "Conexión": destination(sftp, "ftp", name="paso-5", port=1),
        "Clave del servidor": destination(sftp, "sftp", name="paso-6", host_key=None),
    }
    for step, id in steps.items():
        reply = api.post(f"/api/destinations/{id}/test", {}, timeout=60)
        assert reply.status == 200 and reply.json["success"] is False, (step, reply)
        assert reply.json["message"].startswith(step), (step, reply)
    assert sftp.fingerprint in reply.json["message"]


@pytest.mark.parametrize("kind, greeting", [("sftp", b""), ("ftp", b"220 Here\r\n"), ("ftps", b"220 Here\r\n"), ("sftp", b"SSH-2.0-Here\r\n")],
                         ids=["sftp", "ftp, after its greeting", "ftps, after its greeting", "sftp, after its greeting"])
def test_a_test_of_a_server_that_falls_silent_is_answered_in_time(kind, greeting, api, destination):
    """Ten seconds at most; the rest is a slow machine's. One that never says a word: test_destinations_service.py."""
    with socket.create_server(("127.0.0.1", 0)) as listener, contextlib.ExitStack() as taken:
        def answer():
            connection = taken.enter_context(listener.accept()[0])
            connection.sendall(greeting)

        server = threading.Thread(target=answer)
        server.start()
        there = types.SimpleNamespace(port=listener.getsockname()[1], root="/", fingerprint="SHA256:" + "k" * 43)
        id, began = destination(there, kind), time.monotonic()
        reply = api.post(f"/api/destinations/{id}/test", {}, timeout=60)
        took = time.monotonic() - began
        server.join()
    assert reply.status == 200 and reply.json["success"] is False, reply
    assert took < 13, (took, reply)


# ---- by itself ------------------------------------------------------------------------------------------

def test_from_post_to_the_partners_copy(api, partner, destination, source, submit, wait_for, unique, folder_of):
    there = partner(Sftp)
    destination(there, "sftp", group="socio.example")
    id = submit(source.make_tree(unique("tree"), TREE) + "/", usuario=f"{unique()}@socio.example")
    wait_for(id, "listo", LONG)
    last = wait_export(api, id, 1, "listo")
    assert last["automatic"] is True
    assert_arrived(folder_of(id), there.root)
    wait_until(lambda: api.get(f"/tmpftp/{id}").json["exportaciones"][0]["estado"] == "listo", 60, "GET tells it")
