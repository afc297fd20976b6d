"""The database of accounts is away, hangs or refuses: copies wait for their accounts, changes of access wait in the state database, callers are answered
at once, and all of it is done by itself when the server is back. Nothing is lost, nothing is done twice."""
import datetime
import re
import threading
import time

import pytest

from client import decrypt
from machine import wait_until

AWAY = "La copia está completa; la base de datos de cuentas no responde, se reintenta."
REFUSED = "La copia está completa; la base de datos de cuentas no acepta la cuenta y un operador debe intervenir: "
TROUBLE, WAITS = "MESSAGE_ID=f525606f25cfd92922d25dfe7827cd6f", "MESSAGE_ID=7ccb0487ce4053d75914df8f711e0b2e"
BACK = 90  # seconds: the longest pause between two tries is 30
US = "tempoftp@localhost, tempoftp@127.0.0.1"
HOWS = ["stop", "kill", "freeze"]
pytestmark = pytest.mark.usefixtures("accounts_in_mariadb")


@pytest.fixture
def tree(source, unique):
    return lambda: f"{source.make_tree(unique('tree'), {'a.txt': 'hola'})}/"


@pytest.fixture
def deliver(tree, submit, wait_for):
    return lambda **fields: wait_for(submit(tree(), **fields), "listo")


def waiting(api, id, message=AWAY):
    """Until the copy is whole and says that it waits; the answer."""
    def says():
        now = api.get(f"/tmpftp/{id}").json
        assert now["status"] in ("recibido", "preparando", "traslado"), now
        return now if now.get("mensaje", "").startswith(message) else None
    return wait_until(says, 60, f"{id} waits")


def health(api):
    reply = api.get("/health")
    return reply.status, reply.json


def status_text(machine):
    return machine.unit("tempoftp.service", "StatusText")["StatusText"]


def seconds(text):
    return datetime.datetime.fromisoformat(text).timestamp()


def expires_of(fleet, account):
    return fleet.sql(f"SELECT UNIX_TIMESTAMP(CONVERT_TZ(Expires, '+00:00', @@session.time_zone)) FROM users WHERE User = '{account}'")[0][0].partition(".")[0]


def assert_row(fleet, account, enabled):
    """Within BACK seconds the account's row is open (True), closed (False) or gone (None)."""
    def right():
        row = fleet.row(account)
        return (None if row is None else row["Status"] == "1") is enabled
    wait_until(right, BACK, f"{account} is {enabled}", interval=0.2)


def nothing_waits(machine, api):
    wait_until(lambda: machine.sqlite("SELECT count(*) FROM access_tasks") == [["0"]], BACK, "no access task")

    def is_well():
        said = health(api)[1]
        return said["database"] == "ok" and "limpieza" not in said
    wait_until(is_well, BACK, "well again", interval=0.2)


@pytest.mark.parametrize("how", HOWS)
def test_a_copy_waits_for_its_account_and_becomes_ready_by_itself(machine, fleet, api, tree, submit, wait_for, how):
    since = machine.journal_now()
    with fleet.server_away(how):
        id = submit(tree())
        now = waiting(api, id)
        assert now["status"] == "traslado" and now["progreso"]["porcentaje"] == 100
        status, said = health(api)
        assert status == 503 and said["database"] == "down" and said["status"] == "degraded"
        assert re.search(r"Base de datos: +down\n", machine.run(["tempoftp", "salud"], check=False).stdout)
        assert AWAY in machine.run(["tempoftp", "ver", id]).stdout
        wait_until(lambda: len(machine.journal(TROUBLE, since=since).splitlines()) >= 1, what="the journal says so")
        wait_until(lambda: status_text(machine).startswith("0 copies under way, 1 whole and waiting for their accounts, "), 60, "systemctl status says so")
        assert status_text(machine).endswith("; the account back end is away")
        back = time.time()
    ready = wait_for(id, "listo", BACK)
    assert seconds(ready["expira"]) >= int(back) + 5 * 86400, "its days begin when it is ready"
    fleet.login(ready["ftpuser"], decrypt(machine, ready["password"])).close()
    events = [event["mensaje"] for event in api.get(f"/tmpftp/{id}/eventos").json["eventos"]]
    assert events.count(AWAY) == 1, "once, not at each try"
    assert "Copia" not in ready["mensaje"]
    nothing_waits(machine, api)


def test_waiting_copies_hold_no_place(machine, fleet, api, tree, submit, wait_for):
    with machine.settings(TEMPOFTP_MAX_TRASLADOS=1), fleet.server_away():
        ids = [submit(tree()) for _ in range(3)]
        for id in ids:
            waiting(api, id)
    for id in ids:
        wait_for(id, "listo", BACK)


def test_tempoftpd_does_not_leave_while_something_waits(machine, fleet, api, tree, submit, wait_for):
    since = machine.journal_now()
    with machine.settings(TEMPOFTP_IDLE_SECONDS=1):
        with fleet.server_away():
            id = submit(tree())
            waiting(api, id)
            pid = machine.unit("tempoftp.service", "MainPID")
            wait_until(lambda: "still is away" in machine.journal(TROUBLE, since=since), 60, "it is said again, with what waits", interval=0.5)
            assert machine.unit("tempoftp.service", "MainPID") == pid and pid["MainPID"] != "0"
        wait_until(lambda: machine.sqlite(f"SELECT state FROM requests WHERE id = '{id}'")[0][0] == "listo", BACK, "ready without being asked")
    wait_for(id, "listo")


def test_a_copy_that_waited_survives_a_kill(machine, fleet, api, tree, submit, wait_for):
    with fleet.server_away():
        id = submit(tree())
        waiting(api, id)
        machine.kill("tempoftpd")
        waiting(api, id)
    ready = wait_for(id, "listo", BACK)
    fleet.login(ready["ftpuser"], decrypt(machine, ready["password"])).close()
    assert [event["mensaje"] for event in api.get(f"/tmpftp/{id}/eventos").json["eventos"]].count(AWAY) == 1


def test_a_copy_that_waits_can_be_deleted(machine, fleet, api, tree, submit):
    with fleet.server_away():
        id = submit(tree())
        waiting(api, id)
        assert api.delete(f"/tmpftp/{id}").status == 200
        assert api.get(f"/tmpftp/{id}").status == 404
    nothing_waits(machine, api)


@pytest.mark.parametrize("right", ["INSERT", "SELECT"])
def test_a_right_that_is_lacking_is_named_and_waited_for(machine, fleet, api, tree, submit, wait_for, right):
    since = machine.journal_now()
    fleet.sql(f"REVOKE {right} ON pureftpd.users FROM {US}")
    try:
        machine.restart()
        id = submit(tree())
        assert "sql/grants.sql" in waiting(api, id, REFUSED)["mensaje"]
        status, said = health(api)
        assert (status, said["database"]) == (503, "error")
    finally:
        fleet.sql(f"GRANT {right} ON pureftpd.users TO {US}")
    wait_for(id, "listo", BACK)
    nothing_waits(machine, api)
    assert len(machine.journal(TROUBLE, since=since).splitlines()) <= 4, "said when it begins and when it ends, not at each try"


def test_a_password_column_that_is_too_short_names_the_alter_table(machine, fleet, api, tree, submit, wait_for):
    column = fleet.sql("SELECT COLUMN_TYPE FROM information_schema.columns WHERE TABLE_SCHEMA = 'pureftpd' AND TABLE_NAME = 'users' AND COLUMN_NAME = 'Password'")[0][0]
    fleet.sql("DELETE FROM users; ALTER TABLE users MODIFY Password VARCHAR(20) NOT NULL")
    try:
        machine.restart()
        id = submit(tree())
        assert "ALTER TABLE" in waiting(api, id, REFUSED)["mensaje"]
        assert health(api)[0] == 503
    finally:
        fleet.sql(f"ALTER TABLE users MODIFY Password {column} NOT NULL")
    wait_for(id, "listo", BACK)


# ---- changes of access --------------------------------------------------------------------------

def tell(api, id, call):
    """True is promised within a second only: a busy machine may need a second try, which changes nothing more."""
    wait_until(lambda: api.post(f"/tmpftp/{id}/{call}", {}).json["en_mysql"] is True, 60, f"the row is told: {call}")


def test_en_mysql_is_true_only_when_a_row_was_found_and_told(machine, fleet, api, deliver):
    ready = deliver()
    id, account = ready["id"], ready["ftpuser"]
    for call in ("bloquear", "bloquear", "desbloquear"):
        tell(api, id, call)
    for call, how in (("bloquear", "stop"), ("desbloquear", "kill"), ("bloquear", "freeze")):
        with fleet.server_away(how):
            began = time.monotonic()
            reply = api.post(f"/tmpftp/{id}/{call}", {})
            assert reply.status == 200 and reply.json["en_mysql"] is False, (call, how)
            assert time.monotonic() - began < 8, "answered without waiting for the server"
        nothing_waits(machine, api)
    assert_row(fleet, account, False)
    fleet.sql(f"DELETE FROM users WHERE User = '{account}'")
    assert api.post(f"/tmpftp/{id}/desbloquear", {}).json["en_mysql"] is False, "there was none to be found"
    assert_row(fleet, account, True)
    tell(api, id, "bloquear")


@pytest.mark.parametrize("how", HOWS)
def test_changes_while_away_reach_the_row_in_the_end(machine, fleet, api, deliver, how):
    blocked, unblocked, extended, deleted, last = (deliver() for _ in range(5))
    tell(api, unblocked["id"], "bloquear")
    since = machine.journal_now()
    with fleet.server_away(how):
        assert api.post(f"/tmpftp/{blocked['id']}/bloquear", {}).json["status"] == "bloqueado"
        assert api.post(f"/tmpftp/{unblocked['id']}/desbloquear", {}).json["status"] == "listo"
        assert api.post(f"/tmpftp/{extended['id']}/extender", {"dias": 3}).json["vigencia"] == 8
        assert api.delete(f"/tmpftp/{deleted['id']}").status == 200
        for call in ("bloquear", "desbloquear", "bloquear"):  # only the last counts, whichever is told
            assert api.post(f"/tmpftp/{last['id']}/{call}", {}).status == 200
        assert api.get(f"/tmpftp/{deleted['id']}").status == 404
        assert api.get(f"/tmpftp/{blocked['id']}").json["status"] == "bloqueado"
        status, said = health(api)
        assert (status, said["database"], said["limpieza"]) == (503, "down", "error")
        assert re.search(r"Limpieza: +error\n", machine.run(["tempoftp", "salud"], check=False).stdout)
        assert len(machine.journal(WAITS, since=since).splitlines()) >= 1
    assert_row(fleet, blocked["ftpuser"], False)
    assert_row(fleet, unblocked["ftpuser"], True)
    assert_row(fleet, deleted["ftpuser"], None)
    assert_row(fleet, last["ftpuser"], False)
    end = seconds(api.get(f"/tmpftp/{extended['id']}").json["expira"])
    wait_until(lambda: int(expires_of(fleet, extended["ftpuser"])) == int(end), BACK, "the row's end is the request's", interval=0.2)
    nothing_waits(machine, api)


@pytest.mark.parametrize("how", HOWS)
def test_an_expiry_due_while_away_is_done_when_it_is_back(machine, fleet, api, deliver, how):
    ready = deliver()
    since = machine.journal_now()
    with fleet.server_away(how):
        machine.stop_units("tempoftp.service", f"tempoftp-expire-{ready['id']}.timer")
        machine.sqlite(f"UPDATE requests SET expires = {int(time.time()) - 1} WHERE id = '{ready['id']}'")
        wait_until(lambda: api.get(f"/tmpftp/{ready['id']}").json["status"] == "expirado", 60, "expired all the same")
        wait_until(lambda: not machine.file(f"/data/{ready['ftpuser']}/{ready['id']}").exists(), 60, "its folder is out of the home")
        assert fleet_row_is_told(machine, ready["ftpuser"]) is False
        assert health(api)[1]["database"] == "down"
        wait_until(lambda: ready["ftpuser"] in machine.journal(WAITS, since=since), 60, "loud in the journal")
    assert_row(fleet, ready["ftpuser"], None)
    nothing_waits(machine, api)
    assert api.get(f"/tmpftp/{ready['id']}").json["status"] == "expirado"


def fleet_row_is_told(machine, account):
    return int(machine.sqlite(f"SELECT count(*) FROM access_tasks WHERE account = '{account}'")[0][0]) == 0


def test_tasks_survive_a_kill_and_a_hard_reboot_of_tempoftpd(machine, fleet, api, deliver):
    blocked, deleted = deliver(), deliver()
    with fleet.server_away():
        api.post(f"/tmpftp/{blocked['id']}/bloquear", {})
        api.delete(f"/tmpftp/{deleted['id']}")
        machine.kill("tempoftpd")
        assert not fleet_row_is_told(machine, deleted["ftpuser"])
    machine.run(["systemctl", "start", "tempoftp-sweep.service"], check=False)  # what a reboot does 5 s after it
    assert_row(fleet, blocked["ftpuser"], False)
    assert_row(fleet, deleted["ftpuser"], None)


def test_gone_and_back_while_away_has_the_same_name_and_a_new_password(machine, fleet, api, deliver, tree, submit, wait_for):
    ready = deliver(usuario="vuelve@example.org")
    before = decrypt(machine, ready["password"])
    with fleet.server_away():
        assert api.delete(f"/tmpftp/{ready['id']}").status == 200
        id = submit(tree(), usuario="vuelve@example.org")
        waiting(api, id)
    back = wait_for(id, "listo", BACK)
    assert back["ftpuser"] == ready["ftpuser"]
    after = decrypt(machine, back["password"])
    assert after != before and not after.startswith("$"), "a new password, not somebody else's hash"
    fleet.login(back["ftpuser"], after).close()
    nothing_waits(machine, api)


def test_a_server_that_hangs_delays_nobody(machine, fleet, api, deliver, tree, submit, wait_for):
    """GETs, a new request, FTP's questions: what a frozen server holds up is its own lane."""
    ready = deliver()
    slowest, enough = [0.0], threading.Event()

    def ask():
        while not enough.is_set():
            began = time.monotonic()
            for path in ("/", f"/tmpftp/{ready['id']}", "/tmpftp?limite=10"):
                assert api.get(path).status == 200
            slowest[0] = max(slowest[0], time.monotonic() - began)

    with fleet.server_away("freeze"):
        asking = threading.Thread(target=ask)
        asking.start()
        try:
            ids = [submit(tree()) for _ in range(3)]
            for call in ("bloquear", "desbloquear"):
                api.post(f"/tmpftp/{ready['id']}/{call}", {})
            began = time.monotonic()
            assert health(api)[1]["database"] == "down"
            assert time.monotonic() - began < 8
            for id in ids:
                waiting(api, id)
        finally:
            enough.set()
            asking.join()
    assert slowest[0] < 2, f"three GETs took {slowest[0]:.2f} s"
    for id in ids:
        wait_for(id, "listo", BACK)
    nothing_waits(machine, api)


def test_it_stops_in_order_while_the_server_hangs(machine, fleet, api, deliver, tree, submit, wait_for):
    ready = deliver()
    with fleet.server_away("freeze"):
        id = submit(tree())
        waiting(api, id)
        assert api.post(f"/tmpftp/{ready['id']}/bloquear", {}).json["en_mysql"] is False
        machine.stop_units("tempoftp.service")
        assert machine.unit("tempoftp.service", "Result")["Result"] == "success", "not killed"
    assert api.get("/").status == 200
    wait_for(id, "listo", BACK)
    assert_row(fleet, ready["ftpuser"], False)
    nothing_waits(machine, api)
