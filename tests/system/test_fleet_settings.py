"""tempoftp and MariaDB as their settings say: what sql/ ships (the fleet is made of it) is all it takes, TLS is checked, and what
cannot work stops the start with a text."""
import ftplib

import pytest

import fleet as fleets
from client import ftp_login
from machine import wait_until

SOCKET = "/run/mysqld/mysqld.sock"
PASSWORD_FILE = "/etc/tempoftp/ftp_db_pass"


@pytest.fixture
def reloaded(machine):
    """reloaded() after a change of PUREFTPD_MYSQL_CONF, as for every file that tempoftp-generator hands over."""
    def reload():
        machine.run(["systemctl", "daemon-reload"])
        machine.restart()
    yield reload
    reload()


def health(api):
    return api.get("/health").json


def assert_logs_in(machine, answer):
    with ftp_login(machine, answer) as ftp:
        assert answer["id"] in ftp.nlst()


def assert_refused(machine, answer):
    with pytest.raises(ftplib.error_perm, match="530"):
        ftp_login(machine, answer)


def refused_start(machine, api):
    """What the journal says when the service does not start; callers are answered 503."""
    since = machine.journal_now()
    assert api.get("/").status == 503
    wait_until(lambda: machine.unit("tempoftp.service", "ActiveState")["ActiveState"] == "failed", 30, "tempoftp has given up")
    assert machine.unit("tempoftp.service", "ExecMainStatus")["ExecMainStatus"] == "78"
    return machine.journal("--unit=tempoftp.service", since=since)


def test_what_is_shipped_is_all_it_takes(machine, api, fleet, reloaded, source, submit, wait_for):
    """Without a password: tempoftp logs in as the system user of that name."""
    with machine.settings(FTP_DB_HOST=SOCKET, PUREFTPD_MYSQL_CONF=fleets.CONFIGURATION):
        reloaded()
        assert health(api)["database"] == "ok"
        answer = wait_for(submit(source.make_tree("shipped", {"a.txt": "hola\n"})), "listo")
        row = fleet.row(answer["ftpuser"])
        assert row["Dir"] == f"/data/{answer['ftpuser']}" and row["Status"] == "1"
        assert row["Expires"] == answer["expira"].replace("T", " ").rstrip("Z")
        assert_logs_in(machine, answer)
        for near in (answer["ftpuser"].upper(), f"{answer['ftpuser']} "):
            assert_refused(machine, {**answer, "ftpuser": near})
        assert api.post(f"/tmpftp/{answer['id']}/bloquear", {}).json["en_mysql"] is True
        assert_refused(machine, answer)
        assert api.post(f"/tmpftp/{answer['id']}/desbloquear", {}).json["en_mysql"] is True
        assert_logs_in(machine, answer)
        machine.stop_units("tempoftp.service")
        fleet.sql(f"UPDATE users SET Expires = UTC_TIMESTAMP() WHERE User = '{answer['ftpuser']}'")
        assert_refused(machine, answer)  # by the database's clock alone
        assert api.delete(f"/tmpftp/{answer['id']}").status == 200
        assert fleet.row(answer["ftpuser"]) is None


def test_the_password_comes_from_its_file(machine, api, fleet):
    machine.write_file(PASSWORD_FILE, "tempoftp-password\n", mode=0o600)
    try:
        with machine.settings(**{**fleets.SETTINGS, "FTP_DB_PASS": None}):
            assert health(api)["database"] == "ok"
            machine.write_file(PASSWORD_FILE, "another\n", mode=0o600)
            machine.restart()
            assert health(api)["database"] == "error"
    finally:
        machine.run(["rm", PASSWORD_FILE])


@pytest.mark.parametrize("host, ca, database", [
    ("127.0.0.1", f"{fleets.CERTIFICATES}/ca.pem", "ok"),
    ("127.0.0.1", None, "error"),
    ("127.0.0.1", f"{fleets.CERTIFICATES}/server.pem", "error"),
], ids=["its-ca", "no-ca", "another-ca"])
def test_tls_is_checked(machine, api, fleet, host, ca, database):
    fleet.sql("ALTER USER tempoftp@127.0.0.1 REQUIRE SSL", bare=True)
    try:
        with machine.settings(**fleets.SETTINGS, FTP_DB_TLS="required", FTP_DB_TLS_CA=ca):
            assert health(api)["database"] == database
        with machine.settings(**fleets.SETTINGS):
            assert health(api)["database"] == "error"
    finally:
        fleet.sql("ALTER USER tempoftp@127.0.0.1 REQUIRE NONE", bare=True)


def test_another_mysqlcrypt_stops_the_start(machine, api, fleet, reloaded):
    with machine.settings(**fleets.SETTINGS, FTP_PASSWORD_FORMAT="crypt", PUREFTPD_MYSQL_CONF=fleets.CONFIGURATION):
        reloaded()
        assert f"FTP_PASSWORD_FORMAT=crypt, but MYSQLCrypt is argon2 in {fleets.CONFIGURATION}" in refused_start(machine, api)
        fleet.configure(crypt="crypt")
        try:
            reloaded()
            assert health(api)["database"] == "ok"
        finally:
            fleet.configure(crypt="argon2")


@pytest.mark.parametrize("format", ["md5", "cleartext"])
def test_weak_formats_are_refused_unless_named(machine, api, fleet, format):
    with machine.settings(**fleets.SETTINGS, FTP_PASSWORD_FORMAT=format):
        said = refused_start(machine, api)
        assert f"FTP_PASSWORD_FORMAT={format}: " in said and f"FTP_PASSWORD_ALLOW={format}" in said
    with machine.settings(**fleets.SETTINGS, FTP_PASSWORD_FORMAT=format, FTP_PASSWORD_ALLOW=format):
        assert health(api)["database"] == "ok"
