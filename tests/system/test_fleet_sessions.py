"""Sessions of Pure-FTPd: who loses access loses the open session too, within two seconds, and nobody else does."""
import ftplib
import json
import re
import time

import pytest

import fleet as fleets
from client import decrypt, ftp_login
from ftp_service import BIG, begin, delivered, opened, read_rest  # noqa: F401
from machine import wait_until

WITHIN = 2.0
PROGRAM = "/usr/sbin/pure-ftpd-mysql"


@pytest.fixture(scope="module", autouse=True)
def rested(accounts_in_mariadb, fleet):
    yield
    fleet.rest()


def sessions(api, answer):
    return [s for s in api.get("/sesiones").json["sesiones"] if s["cuenta"] == answer["ftpuser"]]


def lives(ftp):
    return ftp.voidcmd("NOOP").startswith("200")


def assert_cut(ftp, data):
    """The transfer did not come to its end, and the control connection is closed."""
    try:
        assert read_rest(data) < BIG - 1000
    except ConnectionResetError:
        pass
    with pytest.raises((EOFError, ConnectionError)):
        ftp.voidcmd("NOOP")


def alive(machine, pids):
    return [pid for pid in pids if machine.file(f"/proc/{pid}/exe").exists()]


ENDS = {
    "block": lambda api, id: api.post(f"/tmpftp/{id}/bloquear", {}),
    "delete": lambda api, id: api.delete(f"/tmpftp/{id}"),
}


@pytest.mark.parametrize("how", ENDS)
def test_revocation_ends_all_sessions_of_the_account_and_no_other(machine, api, fleet, delivered, opened, how):
    answer, other = delivered(), delivered()
    ftp, idle, others = opened(answer), opened(answer), opened(other)
    data, others_data = begin(ftp, f"{answer['id']}/grande.bin"), begin(others, f"{other['id']}/grande.bin")
    pids = [s["pid"] for s in sessions(api, answer)]
    assert len(pids) == 2
    began = time.monotonic()
    assert ENDS[how](api, answer["id"]).status == 200
    assert time.monotonic() - began < WITHIN
    assert alive(machine, pids) == [] and sessions(api, answer) == []
    assert_cut(ftp, data)
    with pytest.raises((EOFError, ConnectionError)):
        idle.voidcmd("NOOP")
    assert read_rest(others_data) > 0
    assert others.voidresp().startswith("226") and lives(others)


def test_the_end_of_the_days_ends_its_sessions(machine, api, fleet, delivered, opened):
    answer = delivered()
    ftp = opened(answer)
    data = begin(ftp, f"{answer['id']}/grande.bin")
    machine.stop_units("tempoftp.service")
    machine.sqlite(f"UPDATE requests SET expires = unixepoch() + 4 WHERE id = '{answer['id']}'")
    wait_until(lambda: api.delete("/tmpftp/expired").json["expiradas"] > 0, 60, "the end of its days", interval=0.2)
    wait_until(lambda: sessions(api, answer) == [], WITHIN + 5)
    assert_cut(ftp, data)


def test_many_ends_at_once_take_few_units(machine, api, source, submit, wait_for, unique, delivered, opened):
    answer = delivered()
    ids = [submit(source.make_tree(unique("tree"), {"a.txt": "hola\n"}) + "/") for _ in range(24)]
    for id in ids:
        wait_for(id, "listo", timeout=120)
    ftp = opened(answer)
    data = begin(ftp, f"{answer['id']}/grande.bin")
    machine.stop_units("tempoftp.service")
    machine.sqlite("UPDATE requests SET expires = unixepoch() + 4 WHERE state = 'listo'")
    since = machine.journal_now()
    wait_until(lambda: api.delete("/tmpftp/expired").json["expiradas"] > 0, 60, "the end of their days", interval=0.2)
    wait_until(lambda: api.get(f"/tmpftp/{answer['id']}").json["status"] == "expirado", 60)
    assert_cut(ftp, data)
    units = machine.journal("-u", "tempoftp-sessions-end.service", since=since).count("Finished ")
    assert 0 < units < len(ids) / 2


def test_sessions_end_in_time_while_mariadb_hangs(machine, api, fleet, delivered, opened):
    answer = delivered()
    ftp = opened(answer)
    data = begin(ftp, f"{answer['id']}/grande.bin")
    with fleet.server_away("freeze"):
        began = time.monotonic()
        assert api.post(f"/tmpftp/{answer['id']}/bloquear", {}).json["en_mysql"] is False
        assert time.monotonic() - began < WITHIN
        assert_cut(ftp, data)
    wait_until(lambda: fleet.row(answer["ftpuser"])["Status"] == "0", 60, "the row is told when MariaDB is back")


def test_a_login_that_the_database_let_in_just_before_ends_too(machine, api, fleet, delivered):
    """The last query of the login is slow: it has read the row before the block, and answers after it."""
    answer = delivered()
    password = decrypt(machine, answer["password"])
    text = machine.file(fleets.CONFIGURATION).read_text()
    slow = re.sub(r"(?m)^(MYSQLGetDir\s+SELECT) Dir FROM users WHERE", r"\1 Dir FROM users WHERE SLEEP(0.5) = 0 AND", text)
    fleet.configure(slow)
    ftp = ftplib.FTP(timeout=60)
    try:
        ftp.connect("127.0.0.1", 21)
        ftp.putcmd(f"USER {answer['ftpuser']}")
        ftp.getline()
        ftp.putcmd(f"PASS {password}")
        wait_until(lambda: fleet.sql("SELECT info FROM information_schema.processlist WHERE info LIKE 'SELECT Dir%'"), 30, "the slow query", interval=0)
        assert api.post(f"/tmpftp/{answer['id']}/bloquear", {}).status == 200
        assert sessions(api, answer) == []
        with pytest.raises((EOFError, ConnectionError, ftplib.Error)):
            ftp.getresp()  # let in or not
            ftp.voidcmd("NOOP")
    finally:
        ftp.close()
        fleet.configure(text)


def test_without_chroot_and_after_an_upgrade_it_is_still_a_session(machine, api, fleet, delivered, opened):
    """Pure-FTPd's file is another one than when the session began, and its root is the machine's."""
    answer = delivered()
    option, program = machine.file("/etc/pure-ftpd/conf/ChrootEveryone"), machine.file(PROGRAM)
    option.write_text("no\n")
    machine.run(["systemctl", "restart", fleets.PURE_FTPD])
    try:
        ftp = opened(answer)
        data = begin(ftp, f"{answer['id']}/grande.bin")
        assert len(sessions(api, answer)) == 1
        copy = program.read_bytes()
        program.unlink()
        program.write_bytes(copy)
        program.chmod(0o755)
        assert api.delete(f"/tmpftp/{answer['id']}").status == 200
        assert_cut(ftp, data)
    finally:
        option.write_text("yes\n")
        machine.run(["systemctl", "restart", fleets.PURE_FTPD])


def test_of_two_requests_only_sessions_in_the_ended_one_end(api, delivered, opened, unique):
    person = f"{unique()}@example.org"
    one, two = delivered(usuario=person), delivered(usuario=person)
    assert one["ftpuser"] == two["ftpuser"]
    reads, stands, elsewhere = opened(one), opened(one), opened(two)
    data = begin(reads, f"{one['id']}/grande.bin")
    stands.cwd(one["id"])
    elsewhere.cwd(two["id"])
    assert api.delete(f"/tmpftp/{one['id']}").status == 200
    assert_cut(reads, data)
    with pytest.raises((EOFError, ConnectionError)):
        stands.voidcmd("NOOP")
    assert lives(elsewhere)
    opened(two)


def test_what_only_looks_like_a_session_lives_on(machine, api, delivered, opened):
    """The same name and title in the same folder, but another program; and the program itself in another folder."""
    answer = delivered()
    opened(answer)
    script = f"cd /data/{answer['ftpuser']} && exec -a 'pure-ftpd (DOWNLOAD)' setpriv --reuid=2001 --regid=2001 --clear-groups sleep 300"
    machine.run(["systemd-run", "--quiet", "--unit=looks-like-one", "bash", "-c", script])
    machine.run(["systemd-run", "--quiet", "--unit=another-node", PROGRAM, "-S", "127.0.0.1,2199", "-E", "-l", f"mysql:{fleets.CONFIGURATION}"])
    try:
        wait_until(lambda: machine.unit("looks-like-one", "MainPID")["MainPID"] in machine.run(["pgrep", "-x", "sleep"], check=False).stdout.split(), 30)
        assert api.delete(f"/tmpftp/{answer['id']}").status == 200
        assert sessions(api, answer) == []
        for unit in ("looks-like-one", "another-node"):
            assert machine.unit(unit, "ActiveState")["ActiveState"] == "active", unit
    finally:
        machine.run(["systemctl", "stop", "looks-like-one", "another-node"], check=False)


def test_operators_see_and_end_sessions(machine, api, delivered, opened):
    answer = delivered()
    ftp, other = opened(answer), opened(answer)
    data = begin(ftp, f"{answer['id']}/grande.bin")
    listed = sessions(api, answer)
    reading = [s for s in listed if s["archivo"]]
    assert len(listed) == 2 and len(reading) == 1
    assert reading[0]["archivo"] == f"/{answer['id']}/grande.bin" and reading[0]["total"] == BIG and 0 < reading[0]["bytes"] <= BIG
    assert reading[0]["direccion"] == "127.0.0.1" and reading[0]["carpeta"] == "/"
    assert answer["ftpuser"] in machine.run(["tempoftp", "sesiones"]).stdout
    assert api.delete(f"/sesiones/{reading[0]['pid']}").json == {"status": "ok", "terminadas": 1}
    assert_cut(ftp, data)
    assert lives(other)
    assert api.delete(f"/sesiones/{answer['ftpuser']}").json == {"status": "ok", "terminadas": 1}
    assert api.delete(f"/sesiones/{answer['ftpuser']}").status == 404
    assert api.delete("/sesiones/1").status == 404


def test_pure_ftpd_on_other_machines_only(machine, api, fleet, source, submit, wait_for, unique):
    fleet.rest()
    with machine.settings(**fleets.SETTINGS, PUREFTPD_PROGRAM="/dev/null", TEMPOFTP_FTP_HOST="localhost"):
        answer = wait_for(submit(source.make_tree(unique("tree"), {"a.txt": "hola\n"}) + "/"), "listo", timeout=120)
        with ftp_login(machine, answer):
            assert api.get("/sesiones").json == {"sesiones": [], "total": 0}
        assert api.delete(f"/tmpftp/{answer['id']}").status == 200
        fleet.rest()


def test_a_program_that_is_not_there_is_said(machine, api, fleet):
    fleet.rest()
    with machine.settings(**fleets.SETTINGS, PUREFTPD_PROGRAM="/usr/sbin/no-such-program"):
        since = machine.journal_now()
        def said():
            assert api.get("/sesiones", timeout=60).status == 503
            return "PUREFTPD_PROGRAM: cannot find /usr/sbin/no-such-program" in machine.journal("-u", "tempoftp-sessions-*", since=since)
        wait_until(said, 120, "the journal says what is wrong", interval=0.5)


def test_sessions_that_a_killed_tempoftpd_left_end_when_it_is_back(machine, api, delivered, opened):
    answer = delivered()
    ftp = opened(answer)
    data = begin(ftp, f"{answer['id']}/grande.bin")
    machine.stop_units("tempoftp.service")
    machine.sqlite(f"UPDATE requests SET state = 'bloqueado' WHERE id = '{answer['id']}'")
    assert api.get("/").status == 200
    wait_until(lambda: sessions(api, answer) == [], 60, "nobody is left")
    assert_cut(ftp, data)


def test_a_unit_that_cannot_do_it_is_loud_and_tried_again(machine, api, delivered, opened):
    answer = delivered()
    ftp = opened(answer)
    data = begin(ftp, f"{answer['id']}/grande.bin")
    since = machine.journal_now()
    drop_in = "/run/systemd/system/tempoftp-sessions-.service.d/90-broken.conf"
    machine.write_file(drop_in, "[Service]\nCapabilityBoundingSet=\nCapabilityBoundingSet=CAP_KILL\n")
    machine.run(["systemctl", "daemon-reload"])
    try:
        assert api.delete(f"/tmpftp/{answer['id']}", timeout=120).status == 200
        loud = [json.loads(line) for line in machine.journal("MESSAGE_ID=d8a14c7f02e94b63a5f1c09e7b3d6284", "-o", "json", since=since).splitlines()]
        assert loud and loud[0]["PRIORITY"] == "3" and loud[0]["TEMPOFTP_ACCOUNT"] == answer["ftpuser"]
        assert "CAP_SYS_PTRACE" in machine.journal("-u", "tempoftp-sessions-*", since=since)
    finally:
        machine.file(drop_in).unlink()
        machine.run(["systemctl", "daemon-reload"])
    wait_until(lambda: sessions(api, answer) == [], 90, "it was tried again")
    assert_cut(ftp, data)
