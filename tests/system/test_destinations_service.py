"""Destinations on a machine with everything real: tests of them are units that tempoftpd does not wait for, names that lead back are refused, secrets are seen
nowhere, and what is to be sent outlives tempoftpd, its kill and its leaving. What uploads do is in test_exports.py."""
import concurrent.futures
import contextlib
import re
import signal
import socket
import time

import pytest

from client import checksums
from ftp_standalone import ACCOUNT, PASSWORD
from machine import wait_until
from partners import Sftp, address, remote_path

LONG = 300  # seconds; the machine may be slow


@pytest.fixture(scope="module", autouse=True)
def inner_destinations(machine):
    """The partners listen on the machine's own loopback."""
    with machine.settings(TEMPOFTP_EXPORT_INTERNAL="1", TEMPOFTP_IDLE_SECONDS="1"):
        yield


@pytest.fixture
def partner():
    partner = Sftp()
    partner.start()
    yield partner
    with contextlib.suppress(ProcessLookupError):
        partner.process.send_signal(signal.SIGCONT)
    partner.stop()


@pytest.fixture
def destination(api):
    """destination(partner, …) makes one and returns its id."""
    made = []

    def make(partner, **fields):
        reply = api.post("/api/destinations", address(partner, "sftp", **{"path": remote_path(partner, "sftp"), **fields}))
        assert reply.status == 201, reply
        made.append(reply.json["id"])
        return made[-1]

    yield make
    for id in made:
        assert api.delete(f"/api/destinations/{id}").status in (204, 404)


def exports(api, id):
    return api.get(f"/api/jobs/{id}/exports").json["exports"]


def wait_export(api, id, state):
    wait_until(lambda: [e["status"] for e in exports(api, id)] == [state], LONG, f"the export of {id} to be {state}")
    return exports(api, id)[0]


# ---- tests ------------------------------------------------------------------------------------------

def test_a_host_key_is_shown_accepted_and_no_other_is_taken(api, machine, partner, destination):
    id = destination(partner)
    first = api.post(f"/api/destinations/{id}/test").json
    assert not first["success"] and first["host_key_seen"] == partner.fingerprint and partner.fingerprint in first["message"]
    assert ACCOUNT not in partner.said(), "nobody has tried to log in"
    assert machine.run(["tempoftp", "destinos", "aceptar", str(id)]).returncode == 0
    assert api.get(f"/api/destinations/{id}").json["host_key"] == partner.fingerprint
    good = api.post(f"/api/destinations/{id}/test").json
    assert good == {"success": True, "message": "Conexión SFTP correcta", "host_key_seen": partner.fingerprint}
    assert list(partner.root.iterdir()) == [], "what it wrote is gone"

    before = partner.fingerprint
    partner.process.terminate()
    partner.process.wait(timeout=60)
    partner.make_host_key()
    partner.start()
    changed = api.post(f"/api/destinations/{id}/test").json
    assert not changed["success"] and "cambió" in changed["message"] and partner.fingerprint in changed["message"]
    assert api.get(f"/api/destinations/{id}").json["host_key"] == before != partner.fingerprint, "only an operator accepts another"


def test_a_server_that_says_nothing_is_given_up_and_nobody_waits_for_it(api):
    with socket.create_server(("127.0.0.1", 0)) as silent, concurrent.futures.ThreadPoolExecutor() as pool:
        silent.settimeout(LONG)
        id = api.post("/api/destinations", {"name": "mudo", "type": "ftp", "host": "127.0.0.1", "port": silent.getsockname()[1], "username": "u",
                                            "password": "p"}).json["id"]
        try:
            began = time.monotonic()
            tried = pool.submit(api.post, f"/api/destinations/{id}/test", timeout=LONG)
            connection, _ = silent.accept()  # the worker is there, and waits for a greeting
            with connection:
                assert api.post(f"/api/destinations/{id}/test").json == {"detail": "Ya hay una prueba de este destino en curso"}
                assert api.get("/").status == 200, "others are answered meanwhile"
                answer = tried.result(timeout=LONG).json
            assert not answer["success"] and answer["message"]
            assert time.monotonic() - began < 60, "10 s are the rule"
        finally:
            api.delete(f"/api/destinations/{id}")


def test_a_name_that_leads_back_to_this_machine_is_refused(api, machine, partner, destination, submit, wait_for, source, unique):
    """As it resolves at the moment of connecting, whatever it was when the destination was made."""
    id = destination(partner, host="socio.example", host_key=partner.fingerprint)
    hosts = machine.file("/etc/hosts").read_text()
    with machine.settings(TEMPOFTP_EXPORT_INTERNAL="0"):
        request = submit(source.make_tree(unique("tree"), {"a": "a"}) + "/")
        wait_for(request, "listo")
        try:
            machine.write_file("/etc/hosts", f"{hosts}\n127.0.0.1 socio.example\n")
            tried = api.post(f"/api/destinations/{id}/test").json
            assert not tried["success"] and tried["message"].startswith("Dirección: ") and "127.0.0.1" in tried["message"], tried
            assert api.post(f"/api/jobs/{request}/export/sftp", {"destination_id": id}).status == 202
            assert wait_export(api, request, "error")["message"].startswith("Dirección: ")
        finally:
            machine.write_file("/etc/hosts", hosts)
    assert api.get(f"/tmpftp/{request}").json["status"] == "listo"


# ---- secrets ----------------------------------------------------------------------------------------

def test_the_secret_is_nowhere_to_be_seen_while_it_is_used(api, machine, partner, destination, submit, wait_for, source, unique):
    """Not in arguments or environments of any process, in a unit's properties, in the journal or the database."""
    since = machine.journal_now()
    id = destination(partner, host_key=partner.fingerprint)
    request = submit(source.make_tree(unique("tree"), {"a": "a"}) + "/")
    wait_for(request, "listo")
    partner.process.send_signal(signal.SIGSTOP)  # its worker waits for a greeting
    assert api.post(f"/api/jobs/{request}/export/sftp", {"destination_id": id}).status == 202
    unit = f"tempoftp-export-{request}-1.service"
    wait_until(lambda: machine.unit(unit, "ActiveState")["ActiveState"] == "active" and machine.processes("tempoftp-export"), LONG, "the upload to begin")
    seen = machine.run(["sh", "-c", f"cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null; systemctl show {unit}; true"]).stdout
    assert unit in seen and PASSWORD not in seen
    partner.process.send_signal(signal.SIGCONT)
    wait_export(api, request, "listo")
    assert PASSWORD not in machine.journal(since=since)
    assert "[FTP Upload] upload 1 to" in machine.journal(f"TEMPOFTP_ID={request}", "TEMPOFTP_EXPORT=1", since=since)
    kept = b"".join(path.read_bytes() for path in machine.file("/var/lib/tempoftp").iterdir())
    assert request.encode() in kept and PASSWORD.encode() not in kept


# ---- what lasts -------------------------------------------------------------------------------------

def test_tempoftpd_leaves_during_an_upload_and_hears_of_its_end(api, machine, partner, destination, submit, wait_for, source, unique):
    id = destination(partner, host_key=partner.fingerprint)
    request = submit(source.make_tree(unique("tree"), {"a": "a", "b/c": "c"}) + "/")
    wait_for(request, "listo")
    partner.process.send_signal(signal.SIGSTOP)
    assert api.post(f"/api/jobs/{request}/export/sftp", {"destination_id": id}).status == 202
    wait_until(lambda: machine.sqlite("SELECT state FROM exports WHERE state = 'subiendo'"), LONG)
    wait_until(lambda: not machine.processes("tempoftpd"), LONG, "tempoftpd to leave")
    partner.process.send_signal(signal.SIGCONT)
    wait_until(lambda: machine.sqlite(f"SELECT e.state FROM exports e JOIN requests r ON r.life = e.life WHERE r.id = '{request}'") == [["listo"]], LONG)
    assert (partner.root / "b/c").read_text() == "c"


def test_what_is_ready_is_sent_whenever_tempoftpd_is_killed(api, machine, partner, destination, submit, source, unique):
    """Killed at the moment in which the database says `listo`: the upload was written down with it."""
    destination(partner, host_key=partner.fingerprint, group="lanot-kill")
    request = submit(source.make_tree(unique("tree"), {"a": "a"}) + "/", grupo="lanot-kill")
    wait_until(lambda: machine.sqlite(f"SELECT 1 FROM requests WHERE id = '{request}' AND state = 'listo'"), LONG, interval=0)
    machine.kill("tempoftpd")
    assert wait_export(api, request, "listo")["automatic"]
    assert (partner.root / "a").read_text() == "a"


def test_every_kill_of_tempoftpd_is_survived(api, machine, partner, destination, submit, source, unique):
    destination(partner, host_key=partner.fingerprint, group="lanot-kills")
    request = submit(source.make_tree(unique("tree"), count=200, size=2000) + "/", grupo="lanot-kills")
    for _ in range(8):
        machine.kill("tempoftpd")
        api.get(f"/tmpftp/{request}", timeout=LONG)  # it is back
    wait_export(api, request, "listo")
    folder = next(iter(machine.file("/data").glob(f"ftp_*/{request}")))
    assert checksums(folder) == checksums(partner.root)


# ---- who may ----------------------------------------------------------------------------------------

def test_nobody_else_gives_the_broker_orders(machine):
    done = machine.run(["busctl", "--system", "call", "org.tempoftp.Broker1", "/org/tempoftp/Broker1", "org.tempoftp.Broker1", "StopExport", "su", "x", "1"],
                       check=False, user="tempoftp-transfer")
    assert done.returncode != 0 and re.search("denied|not permitted", done.stderr, re.I), done.stderr


def test_a_report_without_a_token_is_nobodys(machine):
    done = machine.run(["busctl", "--system", "call", "org.tempoftp.Manager1", "/org/tempoftp/Manager1", "org.tempoftp.Manager1", "ExportDone", "stt",
                        "00112233445566778899aabbccddeeff", "424242", "1"], check=False)
    assert done.returncode != 0 and done.stderr, done.stdout
    assert machine.sqlite("SELECT count(*) FROM exports WHERE bytes = 424242") == [["0"]]
