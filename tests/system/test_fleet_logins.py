"""Pure-FTPd asks MariaDB at each login: who may come in is what the table says, by the database's own clock."""
import contextlib
import ctypes
import ftplib
import re

import pytest

import fleet as fleets
from client import decrypt, fetch, ftp_login
from machine import CommandFailed, wait_until

PASSWORD = "correct horse battery staple"


def argon2(password):
    sodium, text = ctypes.CDLL("libsodium.so.23"), ctypes.create_string_buffer(128)
    assert sodium.sodium_init() >= 0
    assert sodium.crypto_pwhash_str(text, password.encode(), ctypes.c_ulonglong(len(password)), ctypes.c_ulonglong(1),
                                    ctypes.c_size_t(8 << 20)) == 0
    return text.value.decode()


@pytest.fixture
def account(machine, fleet, unique):
    """account(column=SQL…) puts a row with an Argon2id hash of PASSWORD into the table, makes its home and returns its name."""
    made = []

    def account(**columns):
        name = unique("ftp").replace("-", "_")[:48]
        made.append(name)
        machine.run(["install", "-d", "-o", "2001", "-g", "2001", f"/data/{name}"])
        columns = {"User": f"'{name}'", "Password": f"'{argon2(PASSWORD)}'", "Uid": "2001", "Gid": "2001", "Dir": f"'/data/{name}'", **columns}
        fleet.sql(f"INSERT INTO users ({', '.join(columns)}) VALUES ({', '.join(columns.values())})")
        return name

    yield account
    for name in made:
        fleet.sql(f"DELETE FROM users WHERE User = '{name}'")
        machine.run(["rm", "-rf", f"/data/{name}"])


def assert_refused(fleet, name, password=PASSWORD):
    with pytest.raises(ftplib.error_perm, match="530"):
        fleet.login(name, password)


def test_a_row_of_the_table_logs_in_to_its_home(machine, fleet, account):
    name = account()
    machine.write_file(f"/data/{name}/a.txt", "hola\n")
    with fleet.login(name, PASSWORD) as ftp:
        assert "a.txt" in ftp.nlst()
        assert ftp.pwd() == "/"
    assert_refused(fleet, name, "wrong")
    assert fleet.row(name)["Dir"] == f"/data/{name}"


@pytest.mark.parametrize("name", ["ours", "deployed"])
def test_another_spelling_of_a_name_is_refused(machine, fleet, account, name):
    """To the columns of most tables `NAME`, `name` and `name ` are the same; the queries in sql/ know better."""
    fleet.use_table(name)
    try:
        user = account()
        for near in (user.upper(), user.capitalize(), f"{user} "):
            assert_refused(fleet, near)
        fleet.login(user, PASSWORD).close()
        if name == "deployed":
            fleet.configure(re.sub(r" AND BINARY User = '.L'", "", machine.file(fleets.CONFIGURATION).read_text()))
            fleet.login(user.upper(), PASSWORD).close()  # without them
    finally:
        fleet.use_table("ours")


@pytest.mark.parametrize("column, value", [("Uid", "0"), ("Gid", "0"), ("Uid", "NULL"), ("Gid", "NULL"), ("Dir", "NULL"), ("Dir", "'data'")],
                         ids=["uid-0", "gid-0", "uid-null", "gid-null", "dir-null", "dir-relative"])
def test_rows_of_root_or_without_a_home_are_refused(fleet, account, column, value):
    with pytest.raises(CommandFailed, match="CONSTRAINT|cannot be null"):
        account(**{column: value})  # by our table itself
    fleet.use_table("deployed")
    try:
        fleet.sql("ALTER TABLE users MODIFY Uid INT NULL, MODIFY Gid INT NULL, MODIFY Dir VARCHAR(255) NULL")
        with pytest.raises(ftplib.Error, match="^530|^421 Home directory not available"):
            fleet.login(account(**{column: value}), PASSWORD)
        fleet.login(account(), PASSWORD).close()
    finally:
        fleet.use_table("ours")


def test_status_0_is_refused(fleet, account):
    assert_refused(fleet, account(Status="'0'"))


def test_an_end_is_compared_with_the_databases_clock(fleet, account):
    assert_refused(fleet, account(Expires="UTC_TIMESTAMP() - INTERVAL 1 SECOND"))
    name = account(Expires="UTC_TIMESTAMP() + INTERVAL 1 HOUR")
    fleet.login(name, PASSWORD).close()
    fleet.sql(f"UPDATE users SET Expires = UTC_TIMESTAMP() + INTERVAL 2 SECOND WHERE User = '{name}'")

    def refused():
        try:
            fleet.login(name, PASSWORD).close()
        except ftplib.error_perm as error:
            return str(error).startswith("530")
    wait_until(refused, 60, "the end", interval=0.3)


@pytest.mark.parametrize("how", ["stop", "kill", "freeze"])
def test_without_mariadb_nobody_logs_in_and_then_again(fleet, account, how):
    name = account()
    with fleet.server_away(how):
        with pytest.raises((ftplib.Error, EOFError, OSError)):
            fleet.login(name, PASSWORD, timeout=5)
    fleet.login(name, PASSWORD).close()


# ---- what tempoftp puts there ---------------------------------------------------------------------------

@pytest.fixture
def delivered(source, submit, wait_for, unique):
    """delivered() takes a small tree to `listo`, for a person of its own unless told with `usuario`, and returns the answer."""
    def deliver(**fields):
        route = source.make_tree(unique("tree"), {"a.txt": "hola\n", "datos/b.bin": 100_000})
        return wait_for(submit(f"{route}/", **fields), "listo", timeout=120)
    return deliver


@pytest.fixture
def table(machine, fleet):
    """table("minimal", crypt="crypt", FTP_PASSWORD_FORMAT="crypt") is what Pure-FTPd and tempoftp work with until the test is over."""
    with contextlib.ExitStack() as stack:
        stack.callback(fleet.use_table, "ours")

        def table(name, crypt="argon2", **settings):
            fleet.use_table(name)
            fleet.configure(crypt=crypt)
            stack.enter_context(machine.settings(**{**fleets.SETTINGS, **settings}))
            stack.callback(fleet.rest)
        yield table


def refused(fleet, answer, password):
    try:
        fleet.login(answer["ftpuser"], password).close()
    except ftplib.error_perm as error:
        return str(error).startswith("530")


# Every table that is out there with every hash that fits it.
FITTING = [("ours", "argon2"), ("ours", "crypt"), ("deployed", "argon2"), ("deployed", "crypt"), ("minimal", "crypt")]


@pytest.mark.parametrize("name,crypt", FITTING, ids=["-".join(pair) for pair in FITTING])
def test_a_delivery_is_fetched_with_the_password_that_the_api_gives(machine, api, fleet, table, delivered, name, crypt):
    table(name, crypt, FTP_PASSWORD_FORMAT=crypt)
    answer = delivered()
    row = fleet.row(answer["ftpuser"])
    assert row["Password"].startswith({"argon2": "$argon2id$", "crypt": "$2"}[crypt])
    assert (row["Uid"], row["Gid"], row["Dir"], row["Status"]) == ("2001", "2001", f"/data/{answer['ftpuser']}", "1")
    with ftp_login(machine, answer) as ftp:
        assert fetch(ftp, f"{answer['id']}/a.txt") == b"hola\n"
        assert len(fetch(ftp, f"{answer['id']}/datos/b.bin")) == 100_000
    password = decrypt(machine, answer["password"])
    assert api.post(f"/tmpftp/{answer['id']}/bloquear", {}).json["en_mysql"] is True
    assert refused(fleet, answer, password)
    assert api.post(f"/tmpftp/{answer['id']}/desbloquear").json["en_mysql"] is True
    fleet.login(answer["ftpuser"], password).close()
    assert api.delete(f"/tmpftp/{answer['id']}").status == 200
    assert refused(fleet, answer, password)
    wait_until(lambda: fleet.row(answer["ftpuser"]) is None, 60, "its row goes")
    fleet.rest()
    assert not machine.file(f"/data/{answer['ftpuser']}/{answer['id']}").exists()


@pytest.mark.parametrize("mode", ["", "STRICT_TRANS_TABLES"], ids=["lenient", "strict"])
def test_a_hash_that_does_not_fit_is_refused_and_not_truncated(machine, api, fleet, table, source, submit, wait_for, unique, mode):
    table("minimal")
    fleet.sql(f"SET GLOBAL sql_mode = '{mode}'")
    try:
        id = submit(source.make_tree(unique("tree"), {"a.txt": "hola\n"}) + "/")
        wait_until(lambda: "ALTER TABLE" in machine.journal("-u", "tempoftp.service"), 120, "the journal says what to do")
        wait_until(lambda: api.get(f"/tmpftp/{id}").json["status"] == "traslado", 60, "the copy is there")
        wait_until(lambda: api.get("/health").status == 503, 60, "it has been tried")
        assert fleet.sql("SELECT COUNT(*) FROM users") == [["0"]]
        fleet.sql("ALTER TABLE users MODIFY COLUMN Password VARCHAR(255) NOT NULL")
        answer = wait_for(id, "listo", timeout=120)
        ftp_login(machine, answer).close()
    finally:
        fleet.sql("SET GLOBAL sql_mode = DEFAULT")


def test_the_end_holds_with_tempoftp_stopped(machine, api, fleet, table, delivered):
    table("ours")
    answer = delivered()
    password = decrypt(machine, answer["password"])
    assert fleet.row(answer["ftpuser"])["Expires"] == answer["expira"].replace("T", " ").rstrip("Z")
    fleet.login(answer["ftpuser"], password).close()
    machine.run(["systemctl", "mask", "--runtime", "tempoftp.service"])
    try:
        machine.stop_units("tempoftp.service")
        fleet.sql(f"UPDATE users SET Expires = UTC_TIMESTAMP() + INTERVAL 2 SECOND WHERE User = '{answer['ftpuser']}'")
        wait_until(lambda: refused(fleet, answer, password), 60, "the database's clock", interval=0.2)
    finally:
        machine.run(["systemctl", "unmask", "--runtime", "tempoftp.service"])
        machine.run(["systemctl", "start", "tempoftp.socket", "tempoftp-api.socket"])


def test_a_second_ftp_server_reads_the_same_table(machine, api, fleet, table, delivered):
    table("ours")
    with fleet.second_node(2122):
        answer = delivered()
        password = decrypt(machine, answer["password"])
        for port in (21, 2122):
            with fleet.login(answer["ftpuser"], password, port=port) as ftp:
                assert fetch(ftp, f"{answer['id']}/a.txt") == b"hola\n"
        assert api.post(f"/tmpftp/{answer['id']}/bloquear", {}).status == 200
        for port in (21, 2122):
            with pytest.raises(ftplib.error_perm, match="530"):
                fleet.login(answer["ftpuser"], password, port=port)


def test_two_requests_of_a_person_share_the_account(machine, api, fleet, table, delivered, unique):
    table("ours")
    person = f"{unique()}@example.org"
    one, two = delivered(usuario=person, vigencia=3), delivered(usuario=person, vigencia=7)
    assert one["ftpuser"] == two["ftpuser"] and decrypt(machine, one["password"]) == decrypt(machine, two["password"])
    assert fleet.sql("SELECT COUNT(*) FROM users") == [["1"]]
    assert fleet.row(two["ftpuser"])["Expires"] == two["expira"].replace("T", " ").rstrip("Z")
    assert api.delete(f"/tmpftp/{two['id']}").status == 200
    wait_until(lambda: fleet.row(one["ftpuser"])["Expires"] == one["expira"].replace("T", " ").rstrip("Z"), 60, "the end of the one that is left")
    with ftp_login(machine, one) as ftp:
        assert fetch(ftp, f"{one['id']}/a.txt") == b"hola\n"
        assert two["id"] not in ftp.nlst()
    assert api.delete(f"/tmpftp/{one['id']}").status == 200
    wait_until(lambda: fleet.row(one["ftpuser"]) is None, 60, "its row goes")


def test_health_looks_at_pure_ftpds_port(machine, api, fleet, table):
    table("ours")
    assert (api.get("/health").status, api.get("/health").json["ftpd"]) == (200, "up")
    machine.run(["systemctl", "stop", fleets.PURE_FTPD])
    try:
        reply = api.get("/health")
        assert (reply.status, reply.json["ftpd"], reply.json["status"]) == (503, "down", "degraded")
    finally:
        machine.run(["systemctl", "start", fleets.PURE_FTPD])
    with machine.settings(**fleets.SETTINGS, PUREFTPD_PROGRAM="/dev/null", TEMPOFTP_FTP_HOST="localhost", TEMPOFTP_FTP_PORT="2122"):
        assert api.get("/health").json["ftpd"] == "down"
        with fleet.second_node(2122):
            assert api.get("/health").json["ftpd"] == "up"


def test_tempoftps_own_server_lets_nobody_in(machine, api, fleet, table, delivered):
    table("ours")
    answer = delivered()
    said = machine.run(["busctl", "call", "org.tempoftp.Manager1", "/org/tempoftp/Manager1", "org.tempoftp.Manager1", "Authenticate", "sss",
                        answer["ftpuser"], decrypt(machine, answer["password"]), "192.0.2.1"]).stdout
    assert said.startswith('bsstst false "elsewhere"')
