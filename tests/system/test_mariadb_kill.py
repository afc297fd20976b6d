"""kill -9 of tempoftpd, and of MariaDB, between any two steps on an account's way into the table and out of it: one row, one password, and no row that
nobody takes away.

A trigger that sleeps holds a statement while the test looks what has been written down so far. Random moments come from a seed, which a failure shows;
TEMPOFTP_TEST_SEED=… takes one again.
"""
import contextlib
import os
import random
import subprocess
import time

import pytest

from client import decrypt
from machine import wait_until

STATE = "/var/lib/tempoftp/state.db"
HELD = 4  # seconds; tempoftpd waits for a statement a little longer
SOON = 90
pytestmark = pytest.mark.usefixtures("accounts_in_mariadb")


@pytest.fixture
def tree(source, unique):
    return f"{source.make_tree(unique('tree'), {'a.txt': 'hola'})}/"


class Held:
    """held() waits until a statement is held; held.now(): one is."""

    def __init__(self, fleet):
        self.fleet = fleet

    def now(self):
        return self.fleet.sql("SELECT 1 FROM information_schema.processlist WHERE STATE = 'User sleep'")

    def __call__(self):
        wait_until(self.now, 60, "the statement is held")


@pytest.fixture
def hold(fleet):
    """hold("INSERT") is a context in which every such statement on the table takes HELD seconds."""
    @contextlib.contextmanager
    def hold(statement):
        fleet.sql(f"CREATE TRIGGER hold BEFORE {statement} ON users FOR EACH ROW DO SLEEP({HELD})")
        try:
            yield Held(fleet)
        finally:
            fleet.sql("DROP TRIGGER IF EXISTS hold")
    return hold


@contextlib.contextmanager
def nothing_is_written(machine):
    """The state database is locked against tempoftpd, as by an operator's own sqlite3."""
    with subprocess.Popen(machine.command(["sqlite3", "-cmd", ".timeout 30000", STATE]), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as database:
        try:
            database.stdin.write("BEGIN IMMEDIATE;\n.print locked\n")
            database.stdin.flush()
            assert database.stdout.readline() == "locked\n"
            yield
        finally:
            database.stdin.write("ROLLBACK;\n")
            database.stdin.close()


def written(machine, email):
    """What the state database knows: (name, hash, token) of that address's account."""
    rows = machine.sqlite(f"SELECT name, coalesce(hash, ''), coalesce(token, '') FROM accounts WHERE email = '{email}'")
    return rows[0] if rows else None


def rows_of(fleet, name):
    return fleet.sql(f"SELECT Password FROM users WHERE User = '{name}'")


def told(machine):
    return machine.sqlite("SELECT count(*) FROM access_tasks") == [["0"]]


def assert_delivered(machine, fleet, ready):
    """One row, with the password that the answer has."""
    assert len(rows_of(fleet, ready["ftpuser"])) == 1
    fleet.login(ready["ftpuser"], decrypt(machine, ready["password"])).close()
    wait_until(lambda: told(machine), SOON, "nothing is left to be told")


def killed(who, machine, fleet):
    """Kills tempoftpd, or MariaDB and starts it again."""
    if who == "tempoftpd":
        assert machine.kill("tempoftpd")
    else:
        fleet.kill_server()
        fleet.start_server()


@pytest.mark.parametrize("who", ["tempoftpd", "mariadbd"])
def test_killed_while_the_row_is_made(machine, fleet, hold, tree, submit, wait_for, unique, who):
    email = f"{unique()}@example.org"
    with hold("INSERT") as is_held:
        id = submit(tree, usuario=email)
        is_held()
        name, hash, token = written(machine, email)
        assert hash and token, "written down before the row is made"
        killed(who, machine, fleet)
    ready = wait_for(id, "listo", SOON)
    assert ready["ftpuser"] == name
    assert written(machine, email)[1:] == [hash, token], "no second password"
    assert rows_of(fleet, name) == [[hash]]
    assert_delivered(machine, fleet, ready)


def test_killed_after_the_row_is_made(machine, fleet, hold, tree, submit, wait_for, unique):
    email = f"{unique()}@example.org"
    with hold("INSERT") as is_held:
        id = submit(tree, usuario=email)
        is_held()
        name, hash, token = written(machine, email)
        with nothing_is_written(machine):
            wait_until(lambda: rows_of(fleet, name) == [[hash]], 60, "the row is there")
            assert machine.kill("tempoftpd")
            assert machine.sqlite(f"SELECT state FROM requests WHERE id = '{id}'") == [["traslado"]], "killed in between"
    ready = wait_for(id, "listo", SOON)
    assert written(machine, email)[1:] == [hash, token]
    assert rows_of(fleet, name) == [[hash]]
    assert_delivered(machine, fleet, ready)


def test_deleted_while_the_row_is_made(machine, fleet, api, hold, tree, submit, unique):
    email = f"{unique()}@example.org"
    with hold("INSERT") as is_held:
        id = submit(tree, usuario=email)
        is_held()
        assert api.delete(f"/tmpftp/{id}").status == 200
        name, hash, _ = written(machine, email)
    wait_until(lambda: told(machine), SOON, "what was made is taken away")
    assert rows_of(fleet, name) == []
    assert written(machine, email)[2] == "", "and nobody has its password"


def test_deleted_and_killed_while_the_row_is_made(machine, fleet, api, hold, tree, submit, unique):
    email = f"{unique()}@example.org"
    with hold("INSERT") as is_held:
        id = submit(tree, usuario=email)
        is_held()
        assert api.delete(f"/tmpftp/{id}").status == 200
        machine.kill("tempoftpd")
        name = written(machine, email)[0]
        assert api.get("/").status == 200
        wait_until(lambda: not is_held.now(), 60, "the statement, whose client is gone, ends")
    wait_until(lambda: told(machine) and rows_of(fleet, name) == [], SOON, "what was made is taken away")


CHANGES = {"bloquear": "UPDATE", "desbloquear": "UPDATE", "extender": "UPDATE", "eliminar": "DELETE", "expirar": "DELETE"}


@pytest.mark.parametrize("who", ["tempoftpd", "mariadbd"])
@pytest.mark.parametrize("call", CHANGES)
def test_killed_while_the_row_is_changed(machine, fleet, api, hold, tree, submit, wait_for, call, who):
    ready = wait_for(submit(tree), "listo")
    id, name = ready["id"], ready["ftpuser"]
    if call == "desbloquear":
        assert api.post(f"/tmpftp/{id}/bloquear", {}).status == 200
        wait_until(lambda: told(machine), SOON, "it is told of the block")
    if call == "expirar":
        machine.stop_units("tempoftp.service", f"tempoftp-expire-{id}.timer")
        machine.sqlite(f"UPDATE requests SET expires = {int(time.time()) - 1} WHERE id = '{id}'")
    with hold(CHANGES[call]) as is_held:
        if call == "expirar":
            assert api.delete("/tmpftp/expired").status == 200
            wait_until(lambda: api.get(f"/tmpftp/{id}").json["status"] == "expirado", 60, "expired without waiting for the row")
        else:
            reply = api.delete(f"/tmpftp/{id}") if call == "eliminar" else api.post(f"/tmpftp/{id}/{call}", {"dias": 2} if call == "extender" else {})
            assert reply.status == 200, "answered without waiting for the row"
            assert reply.json.get("en_mysql", False) is False, "it is not told yet"
        is_held()
        assert not told(machine)
        killed(who, machine, fleet)
    assert api.get("/").status == 200
    wait_until(lambda: told(machine), SOON, "it is told")
    row = fleet.row(name)
    if CHANGES[call] == "DELETE":
        assert row is None
        return
    assert row["Status"] == ("0" if call == "bloquear" else "1")
    if call == "extender":
        end = api.get(f"/tmpftp/{id}").json["expira"]
        assert end > ready["expira"] and row["Expires"] == end.replace("T", " ").rstrip("Z")


def test_what_cannot_be_written_down_is_told_again(machine, fleet, api, hold, tree, submit, wait_for):
    """The row knows, the state database could not be written: nobody is told twice anything else, and soon both agree."""
    ready = wait_for(submit(tree), "listo")
    since = machine.journal_now()
    with hold("UPDATE") as is_held:
        assert api.post(f"/tmpftp/{ready['id']}/bloquear", {}).status == 200
        is_held()
        with nothing_is_written(machine):
            wait_until(lambda: "Cannot write down that the account back end knows" in machine.journal("-u", "tempoftp", since=since), 60, "it could not be written")
            assert fleet.row(ready["ftpuser"])["Status"] == "0"
            assert not told(machine)
    wait_until(lambda: told(machine), SOON, "both agree")
    assert fleet.row(ready["ftpuser"])["Status"] == "0"


def test_a_later_change_is_not_overtaken(machine, fleet, api, hold, tree, submit, wait_for):
    """While the first is under way others come: the row ends as the last one says."""
    ready = wait_for(submit(tree), "listo")
    id, name = ready["id"], ready["ftpuser"]
    with hold("UPDATE"):
        for call in ("bloquear", "desbloquear", "bloquear", "desbloquear"):
            assert api.post(f"/tmpftp/{id}/{call}", {}).status == 200
    wait_until(lambda: told(machine), SOON, "all is told")
    assert fleet.row(name)["Status"] == "1"
    assert_delivered(machine, fleet, api.get(f"/tmpftp/{id}").json)


def test_killed_at_any_moment(machine, fleet, api, tree, submit, wait_for, unique):
    seed = os.environ.get("TEMPOFTP_TEST_SEED") or str(random.randrange(10**6))
    print(f"TEMPOFTP_TEST_SEED={seed}")
    moments = random.Random(seed)
    persons = [f"{unique()}@example.org" for _ in range(2)]
    ids = []
    for n in range(8):
        ids.append(submit(tree, usuario=persons[n % 2]))
        time.sleep(moments.uniform(0, 1.2))  # the moment is the test
        machine.kill("tempoftpd")
    ready = [wait_for(id, "listo", SOON) for id in ids]
    for person in persons:
        name = written(machine, person)[0]
        assert rows_of(fleet, name) == [[written(machine, person)[1]]]
        assert len({decrypt(machine, one["password"]) for one in ready if one["email"] == person}) == 1
    assert_delivered(machine, fleet, ready[0])
    assert_delivered(machine, fleet, ready[1])
    for id in ids:
        assert api.delete(f"/tmpftp/{id}").status == 200
        time.sleep(moments.uniform(0, 0.3))
        machine.kill("tempoftpd")
    assert api.get("/").status == 200
    wait_until(lambda: told(machine), SOON, "all is told")
    assert [rows_of(fleet, written(machine, person)[0]) for person in persons] == [[], []]
