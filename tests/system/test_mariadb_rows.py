"""The table of accounts against the state database, both ways: what is not tempoftp's is left alone and said once, what is tempoftp's and differs is set
right. tempoftpd compares them when it starts, and with each sweep."""
import ftplib
import re
import time

import pytest

import fleet as fleets
from client import decrypt
from machine import wait_until

ROWS = "MESSAGE_ID=daba5dc3559dbe1993ae7fce15d7916e"
MANY = 100_000
SOON = 60  # seconds
pytestmark = pytest.mark.usefixtures("accounts_in_mariadb")


@pytest.fixture
def deliver(source, submit, wait_for, unique):
    return lambda **fields: wait_for(submit(f"{source.make_tree(unique('tree'), {'a.txt': 'hola'})}/", **fields), "listo")


@pytest.fixture
def foreign(fleet, unique):
    """foreign(column=SQL…) puts somebody else's row into the table and returns its name."""
    made = []

    def foreign(**columns):
        name = columns.pop("User", None) or unique("ellos").replace("-", "_")[:48]
        made.append(name)
        values = {"User": f"'{name}'", "Password": "'$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$theirs'", "Uid": "4711", "Gid": "4712",
                  "Dir": "'/home/theirs'", **columns}
        fleet.sql(f"INSERT INTO users ({', '.join(values)}) VALUES ({', '.join(values.values())})")
        return name

    yield foreign
    for name in made:
        fleet.sql(f"DELETE FROM users WHERE User = '{name}'")


@pytest.fixture
def look_around(machine, fleet, api, deliver):
    """look_around() starts tempoftpd anew and returns when the table has been compared and mended (a row that the test took away for that is back); what
    it returns is the moment before, for said()."""
    canary = deliver()["ftpuser"]

    def look_around():
        since = machine.journal_now()
        machine.stop_units("tempoftp.service")
        fleet.sql(f"DELETE FROM users WHERE User = '{canary}'")
        assert api.get("/").status == 200
        wait_until(lambda: fleet.row(canary), SOON, "the table is compared")
        return since
    return look_around


def said(machine, since):
    return machine.journal(ROWS, since=since)


def password_works(fleet, machine, ready):
    try:
        fleet.login(ready["ftpuser"], decrypt(machine, ready["password"])).close()
        return True
    except ftplib.error_perm:
        return False


def test_a_row_that_vanished_comes_back_with_the_same_password(machine, fleet, api, deliver, look_around):
    ready = deliver()
    row = fleet.row(ready["ftpuser"])
    fleet.sql(f"DELETE FROM users WHERE User = '{ready['ftpuser']}'")
    since = look_around()
    wait_until(lambda: fleet.row(ready["ftpuser"]), SOON, "the row")
    back = fleet.row(ready["ftpuser"])
    for column in ("Password", "Dir", "Uid", "Gid", "Status", "Expires"):
        assert back[column] == row[column], column
    assert password_works(fleet, machine, ready)
    assert re.search(rf"{ready['ftpuser']} was gone", said(machine, since))


@pytest.mark.parametrize("change, column", [("Status = '1'", "Status"), ("Expires = NULL", "Expires"), ("Expires = '2099-01-01'", "Expires"),
                                            ("Dir = '/home/elsewhere'", "Dir"), ("Uid = 1000", "Uid"), ("Password = 'x'", "Password")],
                         ids=["enabled", "no-end", "later-end", "home", "uid", "password"])
def test_a_row_that_was_altered_is_set_right(machine, fleet, api, deliver, change, column, look_around):
    ready = deliver()
    if column == "Status":
        assert api.post(f"/tmpftp/{ready['id']}/bloquear", {}).json["en_mysql"] is True
    row = fleet.row(ready["ftpuser"])
    fleet.sql(f"UPDATE users SET {change} WHERE User = '{ready['ftpuser']}'")
    assert fleet.row(ready["ftpuser"])[column] != row[column]
    since = look_around()
    wait_until(lambda: fleet.row(ready["ftpuser"])[column] == row[column], SOON, "set right")
    assert re.search(rf"{ready['ftpuser']} was altered", said(machine, since))
    # and only that was done: a second look finds nothing
    since = look_around()
    assert ready["ftpuser"] not in said(machine, since)


def test_a_row_of_ours_without_a_live_request_is_revoked(machine, fleet, api, deliver, wait_for, look_around):
    """An older copy of the table came back."""
    ready = deliver()
    name = ready["ftpuser"]
    row = fleet.row(name)
    assert api.delete(f"/tmpftp/{ready['id']}").status == 200
    wait_until(lambda: fleet.row(name) is None, SOON)
    fleet.sql(f"INSERT INTO users (User, Password, Uid, Gid, Dir, Status) VALUES ('{name}', '{row['Password']}', {row['Uid']}, {row['Gid']}, '{row['Dir']}', '1')")
    since = look_around()
    wait_until(lambda: fleet.row(name) is None, SOON, "taken away")
    assert re.search(rf"{name} was still in the account back end", said(machine, since))


def test_rows_of_others_are_named_once_and_never_touched(machine, fleet, api, foreign, deliver, look_around):
    names = sorted(foreign() for _ in range(3))
    rows = [fleet.row(name) for name in names]
    since = look_around()
    wait_until(lambda: f"holds {len(names)} accounts that tempoftp did not make" in said(machine, since), SOON, "said")
    assert all(name in said(machine, since) for name in names)
    since = look_around()
    another = foreign()
    since_other = look_around()
    wait_until(lambda: f"holds {len(names) + 1} accounts" in said(machine, since_other), SOON, "others are said again")
    assert f"holds {len(names)} accounts" not in said(machine, since), "the same are not"
    assert another in said(machine, since_other)
    ready = deliver()
    api.delete(f"/tmpftp/{ready['id']}")
    assert [fleet.row(name) for name in names] == rows


def test_an_account_that_somebody_else_made_is_used_as_it_is(machine, fleet, api, deliver, foreign, look_around):
    """Its stored hash comes back encrypted; nothing of its row changes, and it outlives our requests."""
    first = deliver(usuario="ajena@example.org")
    name = first["ftpuser"]
    assert api.delete(f"/tmpftp/{first['id']}").status == 200
    wait_until(lambda: fleet.row(name) is None, SOON)
    foreign(User=name)
    row = fleet.row(name)
    ready = deliver(usuario="ajena@example.org")
    assert ready["ftpuser"] == name
    assert decrypt(machine, ready["password"]) == row["Password"]
    assert f"Account {name} was made by somebody else" in machine.journal(f"TEMPOFTP_ID={ready['id']}")
    for call in ("bloquear", "desbloquear"):
        assert api.post(f"/tmpftp/{ready['id']}/{call}", {}).json["en_mysql"] is False, call
    assert api.post(f"/tmpftp/{ready['id']}/extender", {"dias": 1}).status == 200
    assert fleet.row(name) == row
    look_around()
    assert api.delete(f"/tmpftp/{ready['id']}").status == 200
    look_around()
    assert fleet.row(name) == row
    assert machine.sqlite(f"SELECT count(*) FROM access_tasks WHERE account = '{name}'") == [["0"]]


def test_a_name_that_somebody_took_is_said_and_left_alone(machine, fleet, api, deliver, foreign, look_around):
    ready = deliver()
    name = ready["ftpuser"]
    fleet.sql(f"DELETE FROM users WHERE User = '{name}'")
    foreign(User=name)
    row = fleet.row(name)
    since = look_around()
    wait_until(lambda: f"Another account has the name {name}" in said(machine, since), SOON, "said")
    assert fleet.row(name) == row
    assert api.delete(f"/tmpftp/{ready['id']}").status == 200
    look_around()
    assert fleet.row(name) == row


def test_a_name_that_the_table_takes_for_another_is_waited_for(machine, fleet, api, deliver, foreign, source, submit, wait_for, unique):
    """Most tables compare names without case: our name is not free there, and the row that has it is not ours."""
    email = f"{unique()}@example.org"
    name = deliver(usuario=email)["ftpuser"]
    try:
        fleet.use_table("deployed")
        machine.restart()
        other = foreign(User=name.upper())
        row = fleet.row(other)
        id = submit(f"{source.make_tree(unique('tree'), {'a.txt': 'hola'})}/", usuario=email)
        waits = wait_until(lambda: (now := api.get(f"/tmpftp/{id}").json)["mensaje"].startswith("La copia está completa") and now, SOON)
        assert name in waits["mensaje"] and waits["status"] == "traslado"
        assert fleet.row(other) == row
        fleet.sql(f"DELETE FROM users WHERE User = BINARY '{other}'")
        ready = wait_for(id, "listo", SOON)
        assert ready["ftpuser"] == name
        assert fleet.row(name)["Dir"].endswith(name)
    finally:
        fleet.use_table("ours")
        machine.restart()


def test_requests_of_one_person_share_a_row_that_ends_with_the_last(machine, fleet, api, source, submit, wait_for, unique):
    """Asked for at once: one account, one password; the row's end is the latest of those that are ready."""
    tree = f"{source.make_tree(unique('tree'), {'a.txt': 'hola'})}/"
    ids = [submit(tree, usuario="comparte@example.org", vigencia=days) for days in (9, 3, 6)]
    ready = [wait_for(id, "listo") for id in ids]
    name = ready[0]["ftpuser"]
    assert {one["ftpuser"] for one in ready} == {name}
    assert len({decrypt(machine, one["password"]) for one in ready}) == 1
    assert fleet.sql(f"SELECT count(*) FROM users WHERE User = '{name}'") == [["1"]]

    def end():
        return fleet.sql(f"SELECT DATE_FORMAT(Expires, '%Y-%m-%dT%H:%i:%sZ') FROM users WHERE User = '{name}'")[0][0]
    assert end() == ready[0]["expira"]
    assert api.post(f"/tmpftp/{ids[0]}/bloquear", {}).json["en_mysql"] is True
    assert end() == ready[2]["expira"], "a blocked one gives nobody longer access"
    assert fleet.row(name)["Status"] == "1"
    assert api.delete(f"/tmpftp/{ids[2]}").status == 200
    assert end() == ready[1]["expira"]
    assert api.post(f"/tmpftp/{ids[1]}/extender", {"dias": 20}).status == 200
    assert end() == api.get(f"/tmpftp/{ids[1]}").json["expira"]
    assert api.post(f"/tmpftp/{ids[1]}/bloquear", {}).json["en_mysql"] is True
    assert fleet.row(name)["Status"] == "0"
    assert api.post(f"/tmpftp/{ids[0]}/desbloquear", {}).json["en_mysql"] is True
    assert (fleet.row(name)["Status"], end()) == ("1", ready[0]["expira"])
    for id in ids[:2]:
        assert api.delete(f"/tmpftp/{id}").status == 200
    wait_until(lambda: fleet.row(name) is None, SOON)


def test_accounts_move_into_the_table_when_it_is_switched_on(machine, fleet, api, deliver):
    """And back: the same password all the while."""
    with machine.settings(**{name: None for name in fleets.SETTINGS}):
        ready = deliver()
        assert fleet.row(ready["ftpuser"]) is None
        machine.run(["tempoftp", "buzon", ready["id"], "--bytes", "5M"])
        since = machine.journal_now()
    assert api.get("/").status == 200
    wait_until(lambda: f"{ready['ftpuser']}/_buzon was opened for tempoftp's own FTP server" in machine.journal("-u", "tempoftp", since=since), SOON, "said")
    wait_until(lambda: fleet.row(ready["ftpuser"]), SOON, "a row for the account")
    assert password_works(fleet, machine, ready)
    with machine.settings(**{name: None for name in fleets.SETTINGS}):
        now = api.get(f"/tmpftp/{ready['id']}").json
        assert (now["status"], now["password"]) == ("listo", ready["password"])
        assert api.post(f"/tmpftp/{ready['id']}/bloquear", {}).json["en_mysql"] is False
    assert api.get("/").status == 200
    wait_until(lambda: fleet.row(ready["ftpuser"])["Status"] == "0", SOON, "the row knows what happened meanwhile")


def test_another_password_format_keeps_the_passwords(machine, fleet, api, deliver):
    """Into the smallest table and back, and once to tempoftp's own server, whose hashes are argon2."""
    ready = deliver()
    name, password = ready["ftpuser"], decrypt(machine, ready["password"])
    hash = fleet.row(name)["Password"]
    try:
        with machine.settings(**{**fleets.SETTINGS, "FTP_PASSWORD_FORMAT": "crypt"}):
            fleet.configure(crypt="crypt")
            assert api.get("/").status == 200
            wait_until(lambda: fleet.row(name)["Password"].startswith("$2b$"), SOON, "a hash that Pure-FTPd can compare")
            assert password_works(fleet, machine, ready)
            assert api.get(f"/tmpftp/{ready['id']}").json["password"] == ready["password"]
        with machine.settings(**{one: None for one in fleets.SETTINGS}):
            assert api.get("/").status == 200
            said = machine.run(["busctl", "call", "org.tempoftp.Manager1", "/org/tempoftp/Manager1", "org.tempoftp.Manager1", "Authenticate", "sss", name, password,
                                "192.0.2.1"]).stdout
            assert said.startswith("bsstst true"), said
    finally:
        fleet.configure(crypt="argon2")
    assert api.get("/").status == 200
    wait_until(lambda: fleet.row(name)["Password"].startswith("$argon2id$"), SOON, "and back")
    assert fleet.row(name)["Password"] != hash and password_works(fleet, machine, ready)


def test_nobody_gets_a_drop_folder(machine, api, deliver):
    """Pure-FTPd would let them write into it, and keeps no limit."""
    ready = deliver()
    refused = machine.run(["tempoftp", "buzon", ready["id"], "--bytes", "5M"], check=False)
    assert refused.returncode == 1 and "Con las cuentas en MariaDB no hay buzones" in refused.stderr
    assert not machine.file(f"/data/{ready['ftpuser']}/_buzon").exists()
    assert "buzon" not in api.get(f"/tmpftp/{ready['id']}").json


def test_an_account_ends_with_all_its_requests(machine, fleet, api, deliver, unique):
    email = f"{unique()}@example.org"
    ready = [deliver(usuario=email) for _ in range(2)]
    name = ready[0]["ftpuser"]
    assert api.delete(f"/tmpftp/user/{name}").json["status"] == "deleted"
    wait_until(lambda: fleet.row(name) is None, SOON, "its row goes")
    assert [api.get(f"/tmpftp/{one['id']}").status for one in ready] == [404, 404]
    assert not password_works(fleet, machine, ready[0])


def test_a_large_table_is_walked_without_holding_anybody_up(machine, fleet, api, deliver):
    ready = deliver()
    fleet.sql(f"INSERT INTO users (User, Password, Uid, Gid, Dir) SELECT CONCAT('muchos_', seq), 'x', 4711, 4712, '/home/x' FROM seq_1_to_{MANY}")
    fleet.sql(f"DELETE FROM users WHERE User = '{ready['ftpuser']}'")
    try:
        since = machine.journal_now()
        machine.restart()
        slowest = 0

        def found():
            nonlocal slowest
            began = time.monotonic()
            assert api.get("/tmpftp?limite=5").status == 200
            slowest = max(slowest, time.monotonic() - began)
            return f"holds {MANY} accounts" in said(machine, since) and fleet.row(ready["ftpuser"])
        wait_until(found, 120, "the table is compared")
        assert slowest < 3, "the first call starts the service, no other waits"
        assert len(said(machine, since).splitlines()) < 30, "not all of them are named"
        rss = int(re.search(r"VmHWM:\s+(\d+) kB", machine.run(["cat", f"/proc/{machine.unit('tempoftp.service', 'MainPID')['MainPID']}/status"]).stdout)[1])
        assert rss < 64_000, f"{rss} kB"
    finally:
        fleet.sql("DELETE FROM users WHERE User LIKE 'muchos\\_%'")
