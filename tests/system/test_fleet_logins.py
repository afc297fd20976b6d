"""Pure-FTPd asks MariaDB at each login: who may come in is what the table says, by the database's own clock."""
import ctypes
import ftplib

import pytest

import fleet as fleets
from machine import wait_until

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


@pytest.mark.parametrize("table", fleets.TABLES)
def test_every_table_serves(fleet, table):
    try:
        fleet.use_table(table)
        assert fleet.sql("SELECT COUNT(*) FROM users") == [["0"]]
        assert (fleet.sql("SHOW COLUMNS FROM users LIKE 'Expires'") != []) == (table == "ours")
        assert_refused(fleet, "nobody-at-all")
    finally:
        fleet.use_table("ours")
