"""Block, unblock, extend and delete in every state: what is answered, and what is left of sessions, units, folders, timers."""
import concurrent.futures
import contextlib
import ftplib
import json

import pytest

from client import decrypt, ftp_login
from machine import wait_until

BIG = 64 << 20  # more than the sockets of both sides hold
STATES = ["recibido", "preparando", "traslado", "listo", "bloqueado", "error", "expirado"]


class Stage:
    """Brings requests into a state and keeps them there."""

    def __init__(self, machine, api, source, submit, wait_for, unique):
        self.machine, self.api, self.source, self.submit, self.wait_for, self.unique = machine, api, source, submit, wait_for, unique

    def copying(self, **fields):
        """A copy that has begun and stands still."""
        id = self.submit(self.source.make_tree(self.unique("tree"), {"big.bin": 400 << 20}), **fields)
        staged = lambda: [path for path in self.machine.file("/data/.staging").glob(f"{id}.*/**/*") if path.is_file()]
        wait_until(staged, 60, f"the first bytes of {id}")
        self.machine.kill("rsync", "STOP")
        assert self.api.get(f"/tmpftp/{id}").json["status"] == "traslado"
        return id

    def recibido(self):
        """Queued behind as many as may run."""
        for _ in range(4):
            self.preparando()
        return self.submit(self.source.make_tree(self.unique("tree"), {"a": "a"}))

    def preparando(self):
        """The source host is silent, so its size is not known."""
        self.machine.run(["pkill", "-STOP", "--exact", "--parent", "1", "sshd"])
        id = self.submit(self.source.make_tree(self.unique("tree"), {"a": "a"}))
        wait_until(lambda: self.machine.unit(f"tempoftp-transfer-{id}", "StatusText").get("StatusText", "").startswith("Connecting"), 60, "it connects")
        return id

    def traslado(self):
        return self.copying()

    def listo(self, **fields):
        id = self.submit(self.source.make_tree(self.unique("tree"), {"a.txt": "hola\n", "big.bin": BIG}) + "/", **fields)
        self.wait_for(id, "listo")
        return id

    def bloqueado(self):
        id = self.listo()
        assert self.api.post(f"/tmpftp/{id}/bloquear", {"razon": "prueba"}).status == 200
        return id

    def error(self):
        id = self.submit("source:/srv/there-is-nothing")
        self.wait_for(id, "error")
        return id

    def expirado(self):
        id = self.listo()
        self.end(id)
        return id

    def end(self, id):
        self.due(id)
        self.api.delete("/tmpftp/expired")
        assert self.api.get(f"/tmpftp/{id}").json["status"] == "expirado"

    def due(self, id):
        """Its time has come, and nobody has noticed yet."""
        self.machine.stop_units("tempoftp.service")  # its memory of answers goes with it
        self.machine.sqlite(f"UPDATE requests SET expires = unixepoch() - 1 WHERE id = '{id}' AND state <> 'eliminado'")

    def wake(self):
        self.machine.run(["pkill", "-CONT", "--exact", "sshd"], check=False)
        self.machine.kill("rsync", "CONT")


@pytest.fixture
def stage(machine, api, source, submit, wait_for, unique):
    stage = Stage(machine, api, source, submit, wait_for, unique)
    yield stage
    stage.wake()


def traces(machine, id):
    """Whatever carries the request's name: units, timers, processes, folders."""
    found = [unit for unit in machine.units() if f"-{id}." in unit]
    found += [line for line in machine.run(["ps", "-eww", "-o", "args="]).stdout.splitlines() if f"--id {id} " in line or f"/{id}." in line]
    for pattern in (f".staging/{id}.*", f".blocked/{id}.*", f".purge/{id}.*", f"ftp_*/{id}"):
        found += map(str, machine.file("/data").glob(pattern))
    return found


def gone(machine, id):
    wait_until(lambda: not traces(machine, id), 60, f"nothing is left of {id}: {traces(machine, id)}")
    return True


def refused(machine, answer):
    with pytest.raises(ftplib.error_perm, match="^530"):
        ftp_login(machine, answer)
    return True


# ---- the table ----------------------------------------------------------------------------------------

NO_ACCOUNT = "La solicitud no tiene usuario FTP asociado"
TABLE = {  # state: what block, unblock and extend say (None: they succeed)
    state: (None if state in ("listo", "bloqueado") else NO_ACCOUNT,
            None if state == "bloqueado" else f"La solicitud no está bloqueada (estado actual: '{state}')",
            None if state in ("listo", "bloqueado") else f"No se puede extender (estado actual: '{state}')")
    for state in STATES
}


@pytest.mark.parametrize("state", STATES)
def test_every_action_in_every_state(machine, api, stage, state):
    id = getattr(stage, state)()
    block, unblock, extend = TABLE[state]
    before = api.get(f"/tmpftp/{id}").json

    reply = api.post(f"/tmpftp/{id}/extender", {"dias": 2})
    assert (reply.status, reply.json.get("detail")) == ((400, extend) if extend else (200, None))
    if not extend:
        assert reply.json["status"] == state and reply.json["vigencia"] == 7
    reply = api.post(f"/tmpftp/{id}/desbloquear")
    assert (reply.status, reply.json.get("detail")) == ((400, unblock) if unblock else (200, None))
    reply = api.post(f"/tmpftp/{id}/bloquear", {"razon": "otra"})
    assert (reply.status, reply.json.get("detail")) == ((400, block) if block else (200, None))
    if block:
        assert api.get(f"/tmpftp/{id}").json["status"] == before["status"] == state, "refused actions change nothing"
    else:
        assert api.get(f"/tmpftp/{id}").json["mensaje"] == "Acceso bloqueado: otra"

    reply = api.delete(f"/tmpftp/{id}")
    assert (reply.status, reply.json["status"], reply.json["id"]) == (200, "deleted", id)
    assert api.get(f"/tmpftp/{id}").status == 404
    assert gone(machine, id)
    for method, action in (("DELETE", ""), ("POST", "/bloquear"), ("POST", "/desbloquear"), ("POST", "/extender")):
        reply = api(method, f"/tmpftp/{id}{action}", json={"dias": 1} if action == "/extender" else None)
        assert (reply.status, reply.json) == (404, {"detail": "Solicitud no encontrada"})
    events = machine.sqlite(f"SELECT e.state FROM events AS e JOIN requests AS r USING (life) WHERE r.id = '{id}' ORDER BY n")
    assert events[-1] == ["eliminado"], "the row and its trail stay for the audit"


# ---- block --------------------------------------------------------------------------------------------

def test_a_block_closes_everything_and_an_unblock_gives_the_same_back(machine, api, stage):
    id = stage.listo()
    answer = api.get(f"/tmpftp/{id}").json
    session = ftp_login(machine, answer)
    data = session.transfercmd(f"RETR /{id}/big.bin")
    assert data.recv(1000)

    assert api.post(f"/tmpftp/{id}/bloquear", {"razon": "revisión"}).json == {
        "status": "bloqueado", "id": id, "usuario": answer["ftpuser"], "razon": "revisión", "en_mysql": False}
    received = 1000
    with contextlib.suppress(ConnectionResetError):
        while piece := data.recv(1 << 20):
            received += len(piece)
    assert received < BIG, "the download was cut"
    with pytest.raises((*ftplib.all_errors, AssertionError)):
        session.getresp()
        session.voidcmd("NOOP")
    session.close()
    assert refused(machine, answer)
    assert set(api.get(f"/tmpftp/{id}").json) == {"id", "status", "mensaje"}
    assert not machine.file(f"/data/{answer['ftpuser']}/{id}").exists()
    assert len(list(machine.file("/data/.blocked").glob(f"{id}.*"))) == 1
    assert f"tempoftp-expire-{id}.timer" in machine.units("tempoftp-expire-*"), "a blocked request still expires"

    assert api.post(f"/tmpftp/{id}/bloquear", {"razon": "otra"}).json["razon"] == "otra"
    assert api.post(f"/tmpftp/{id}/desbloquear").json == {"status": "listo", "id": id, "usuario": answer["ftpuser"], "en_mysql": False}
    again = api.get(f"/tmpftp/{id}").json
    assert again["expira"] == answer["expira"] and decrypt(machine, again["password"]) == decrypt(machine, answer["password"])
    with ftp_login(machine, answer) as ftp:
        assert ftp.size(f"/{id}/big.bin") == BIG
    assert list(machine.file("/data/.blocked").glob(f"{id}.*")) == []


def test_a_blocked_request_expires_and_unblocking_past_its_end_is_too_late(machine, api, stage):
    id = stage.bloqueado()
    stage.due(id)
    reply = api.post(f"/tmpftp/{id}/desbloquear")
    assert (reply.status, reply.json) == (400, {"detail": "La solicitud no está bloqueada (estado actual: 'expirado')"})
    assert api.get(f"/tmpftp/{id}").json == {"id": id, "status": "expirado", "mensaje": "La vigencia terminó."}
    assert gone(machine, id)


def test_extending_what_is_due_revives_nothing(machine, api, stage):
    id = stage.listo()
    stage.due(id)
    reply = api.post(f"/tmpftp/{id}/extender", {"dias": 5})
    assert (reply.status, reply.json) == (400, {"detail": "No se puede extender (estado actual: 'expirado')"})
    wait_until(lambda: api.get(f"/tmpftp/{id}").json["status"] == "expirado", 60)
    assert gone(machine, id)


def test_extending_moves_the_timer(machine, api, stage):
    id = stage.listo()

    def fires():
        return machine.run(["systemctl", "show", f"tempoftp-expire-{id}.timer", "--property=TimersCalendar", "--value"]).stdout
    before = wait_until(fires, 30)
    assert api.post(f"/tmpftp/{id}/extender", {"dias": 2}).json["vigencia"] == 7
    wait_until(lambda: fires() not in ("", "\n", before), 30, "the timer's new time")


# ---- delete -------------------------------------------------------------------------------------------

def test_a_delete_in_mid_copy_stops_the_unit_and_leaves_nothing(machine, api, stage):
    id = stage.copying()
    assert machine.processes("rsync")
    began = machine.journal_now()
    assert api.delete(f"/tmpftp/{id}").status == 200
    # The answer means: stopped and dead. (A stopped rsync could not have ended by itself.)
    assert not [line for line in machine.run(["ps", "-eww", "-o", "args="]).stdout.splitlines() if f"/{id}." in line]
    assert gone(machine, id)
    assert api.get(f"/tmpftp/{id}").status == 404
    assert f"tempoftp-purge-{id}.service" in machine.journal("-u", f"tempoftp-purge-{id}", since=began)


def test_an_id_is_free_at_once_and_inherits_nothing(machine, api, stage, wait_for):
    for _ in range(3):
        id = stage.copying(id="again-and-again", usuario="again@example.org")
        assert api.delete(f"/tmpftp/{id}").status == 200
    new = stage.source.make_tree(stage.unique("tree"), {"new.txt": "new\n"})
    stage.submit(f"{new}/", id="again-and-again", usuario="other@example.org")
    answer = wait_for("again-and-again", "listo")
    assert answer["email"] == "other@example.org" and answer["archivos"] == 1
    with ftp_login(machine, answer) as ftp:
        assert ftp.nlst("/again-and-again") in (["new.txt"], ["/again-and-again/new.txt"])
    assert [row["estado"] for row in api.get("/tmpftp/again-and-again/eventos").json["eventos"]][0] == "recibido"
    wait_until(lambda: not list(machine.file("/data/.purge").iterdir()), 60, "the older lives' data is purged")


@pytest.mark.parametrize("state", ["traslado", "listo", "bloqueado"])
def test_many_deletes_at_once_delete_once(machine, api, stage, state):
    id = getattr(stage, state)()
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        replies = list(pool.map(lambda _: api.delete(f"/tmpftp/{id}"), range(12)))
    assert sorted(reply.status for reply in replies) == [200] + [404] * 11
    assert gone(machine, id)
    events = machine.sqlite(f"SELECT count(*) FROM events AS e JOIN requests AS r USING (life) WHERE r.id = '{id}' AND e.state = 'eliminado'")
    assert events == [["1"]]


def test_actions_at_once_leave_one_true_state(machine, api, stage):
    """Block, unblock, extend and delete race: whatever wins, folder, access and answer agree."""
    actions = ["bloquear", "desbloquear", "extender"] * 4
    for last in (False, True):
        id = stage.listo()
        answer = api.get(f"/tmpftp/{id}").json
        with concurrent.futures.ThreadPoolExecutor(13) as pool:
            calls = [pool.submit(api.post, f"/tmpftp/{id}/{action}", {"dias": 1} if action == "extender" else {}) for action in actions]
            calls += [pool.submit(api.delete, f"/tmpftp/{id}")] if last else []
            replies = [call.result() for call in calls]
        assert {reply.status for reply in replies} <= {200, 400, 404}
        if last:
            assert replies[-1].status == 200 and gone(machine, id)
            continue
        now = api.get(f"/tmpftp/{id}").json
        assert now["status"] in ("listo", "bloqueado")
        assert machine.file(f"/data/{answer['ftpuser']}/{id}").exists() == (now["status"] == "listo")
        if now["status"] == "listo":
            ftp_login(machine, now).close()
        else:
            assert refused(machine, answer)


def test_deleting_one_leaves_the_copy_of_another_alone(machine, api, stage, wait_for):
    one = stage.copying()
    other = stage.copying()
    assert api.delete(f"/tmpftp/{one}").status == 200
    stage.wake()
    assert wait_for(other, "listo", 120)["bytes"] == 400 << 20
    assert gone(machine, one)


def test_deletes_survive_the_death_of_the_service(machine, api, stage):
    """Killed right behind the answer: what was promised is done by the next start."""
    id = stage.copying()
    assert api.delete(f"/tmpftp/{id}").status == 200
    machine.kill("tempoftpd")
    assert api.get(f"/tmpftp/{id}").status == 404
    assert gone(machine, id)


def test_what_is_deleted_stays_in_the_audit_trail_with_its_caller(machine, api, stage):
    id = stage.listo()
    assert api.delete(f"/tmpftp/{id}", headers={"X-Request-ID": "auditoria-1"}).headers["X-Request-ID"] == "auditoria-1"
    trail = machine.sqlite(f"SELECT e.state, e.request_id FROM events AS e JOIN requests AS r USING (life) WHERE r.id = '{id}' ORDER BY n")
    assert [state for state, _ in trail] == ["recibido", "preparando", "traslado", "listo", "eliminado"]
    assert trail[-1][1] == "auditoria-1"
    assert json.dumps(trail).count("auditoria-1") == 1
