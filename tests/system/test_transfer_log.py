"""Downloads through Pure-FTPd are counted out of its transfer log: `descargas` says the same as for our own FTP server, whatever becomes of the log and of
those who read it."""
import datetime
import ftplib
import io
import itertools
import json

import pytest

from fleet import PURE_FTPD, TRANSFER_LOG
from ftp_service import change_database, without_tempoftpd
from machine import wait_until
from test_fleet_logins import PASSWORD, argon2

READER, WAITER = "tempoftp-xferlog.service", "tempoftp-xferlog.path"
PROCESS = "tempoftp-xferlo"  # as the kernel cuts it
SLOW = 90
_addresses = itertools.count(1)


@pytest.fixture(scope="module", autouse=True)
def reader(machine, fleet):
    """tempoftp-xferlog.path waits for the log, as README has it."""
    machine.run(["systemctl", "start", WAITER])
    yield
    machine.run(["systemctl", "stop", WAITER, "tempoftp-xferlog.timer", READER])


@pytest.fixture
def handed_out(machine, fleet, source, submit, wait_for, unique):
    """handed_out(files={…}) is a request that is `listo`, whose account has a row in Pure-FTPd's table with PASSWORD."""
    accounts = []

    def hand_out(files=None, **fields):
        route = source.make_tree(unique("tree"), files or {"a.txt": 1000, "b.txt": 500})
        answer = wait_for(submit(f"{route}/", **fields), "listo")
        name = answer["ftpuser"]
        if name not in accounts:
            accounts.append(name)
            fleet.sql(f"INSERT INTO users (User, Password, Uid, Gid, Dir) VALUES ('{name}', '{argon2(PASSWORD)}', 2001, 2001, '/data/{name}')")
        return answer
    yield hand_out
    for name in accounts:
        fleet.sql(f"DELETE FROM users WHERE User = '{name}'")


def opened(answer, address="127.0.0.1"):
    """A session of the request's account with Pure-FTPd, from an address of this machine."""
    ftp = ftplib.FTP(timeout=SLOW, encoding="utf-8", source_address=(address, 0))
    ftp.connect("127.0.0.1", 21)
    ftp.login(answer["ftpuser"], PASSWORD)
    return ftp


def fetch(ftp, path, **options):
    """How many bytes came."""
    pieces = []
    ftp.retrbinary(f"RETR {path}", pieces.append, **options)
    return sum(map(len, pieces))


def downloads(api, answer):
    return api.get(f"/tmpftp/{answer['id']}").json["descargas"]


def wait_for_downloads(api, answer, total, size):
    """Until the request has just these, and then a little: no more come."""
    wait_until(lambda: downloads(api, answer)["bytes"] >= size, SLOW, f"{size} bytes of {answer['id']} counted; now {downloads(api, answer)}")
    found = downloads(api, answer)
    assert (found["total_descargas"], found["bytes"]) == (total, size), found
    return found


# ---- lines as Pure-FTPd writes them -------------------------------------------------------------------

def line(answer, size, when=None, address=None, file="a.txt", account=None, method="sent"):
    when = when or datetime.datetime.now(datetime.timezone.utc)
    n = next(_addresses)
    address = address or f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}"
    account = account or answer["ftpuser"]
    return f"{when:%Y-%m-%d %H:%M:%S} {address} []{method} /data/{answer['ftpuser']}/{answer['id']}/{file} 226 {account} {size}\n"


def append(machine, *lines):
    """As Pure-FTPd, in one write."""
    with open(machine.file(TRANSFER_LOG), "ab") as log:
        log.write("".join(lines).encode())


def settle(machine):
    """The reader has gone, and with it whatever it had read and not told."""
    machine.run(["systemctl", "stop", READER])


# ---- with the real server -----------------------------------------------------------------------------

NAMES = {"con espacio.nc": 300, "ñandú [1].txt": 200, "per%20cent+'\".txt": 100, "sub/deep.bin": 5000, "vacío": 0}


def test_what_pure_ftpd_hands_out_is_counted_for_its_request(machine, api, handed_out):
    person = "ana.descargas@example.org"
    one, other = handed_out(files=NAMES, usuario=person), handed_out(usuario=person)
    before = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    with opened(one) as ftp:
        for name, size in NAMES.items():
            assert fetch(ftp, f"/{one['id']}/{name}") == size
        assert fetch(ftp, f"/{one['id']}/sub/deep.bin", rest=4000) == 1000  # REST: what went out
        with pytest.raises(ftplib.error_perm):
            fetch(ftp, f"/{one['id']}/nothing")
    found = wait_for_downloads(api, one, 1, sum(NAMES.values()) + 1000)
    last = datetime.datetime.fromisoformat(found["ultima_descarga"].replace("Z", "+00:00"))
    assert before <= last <= datetime.datetime.now(datetime.timezone.utc)
    with opened(one, "127.0.0.2") as ftp:
        fetch(ftp, f"/{other['id']}/a.txt")
        fetch(ftp, f"/{one['id']}/sub/deep.bin")
    wait_for_downloads(api, other, 1, 1000)
    wait_for_downloads(api, one, 2, sum(NAMES.values()) + 6000)
    shown = machine.run(["tempoftp", "ver", one["id"]]).stdout
    assert "Descargas:     2 (11,6 kB), la última" in shown
    told = machine.journal(f"TEMPOFTP_ID={one['id']}", "-u", "tempoftp")
    assert "in 1 downloads from 127.0.0.2" in told


def test_addresses_are_counted_by_day(machine, api, handed_out):
    answer = handed_out()
    change_database(machine, f"UPDATE requests SET ready = ready - {3 * 86400} WHERE id = '{answer['id']}'")
    now = datetime.datetime.now(datetime.timezone.utc)
    days = [now - datetime.timedelta(days=n) for n in (2, 1, 0)]
    append(machine, *(line(answer, 10, when=day, address=address) for day in days for address in ("10.2.0.1", "10.2.0.2", "10.2.0.1")))
    wait_for_downloads(api, answer, 6, 90)


def test_a_cut_download_counts_what_went_out(machine, api, handed_out):
    answer = handed_out(files={"grande.bin": 64 << 20})
    with opened(answer) as ftp:
        ftp.voidcmd("TYPE I")
        data = ftp.transfercmd(f"RETR /{answer['id']}/grande.bin")
        assert data.recv(1000)
        data.close()
        ftp.getmultiline()
    found = wait_until(lambda: downloads(api, answer)["total_descargas"] and downloads(api, answer), SLOW, "the cut one")
    assert 1000 <= found["bytes"] < 64 << 20


def test_uploads_and_other_accounts_are_passed_over(machine, fleet, api, handed_out):
    answer = handed_out()
    machine.run(["install", "-d", "-o", "2001", "-g", "2001", f"/data/{answer['ftpuser']}/{answer['id']}/mine"])
    fleet.sql(f"INSERT INTO users (User, Password, Uid, Gid, Dir) VALUES ('boss', '{argon2(PASSWORD)}', 2001, 2001, '/data')")
    try:
        with fleet.login("boss", PASSWORD) as ftp:
            fetch(ftp, f"/{answer['ftpuser']}/{answer['id']}/a.txt")
        with opened(answer) as ftp:
            ftp.storbinary(f"STOR /{answer['id']}/mine/up.txt", io.BytesIO(b"x" * 777))
            fetch(ftp, f"/{answer['id']}/b.txt")
        wait_for_downloads(api, answer, 1, 500)
        log = machine.file(TRANSFER_LOG).read_text()
        assert " 226 boss 1000\n" in log and "[]created" in log
    finally:
        fleet.sql("DELETE FROM users WHERE User = 'boss'")
        machine.run(["rm", "-r", f"/data/{answer['ftpuser']}/{answer['id']}/mine"])  # not tempoftp's to remove


def test_rotation_by_rename_in_the_middle_of_a_session(machine, api, handed_out):
    """Pure-FTPd goes on writing into the old file until it is restarted, and its sessions do so after that."""
    answer = handed_out()
    with opened(answer) as ftp:
        fetch(ftp, f"/{answer['id']}/a.txt")
        machine.shell(f"mv {TRANSFER_LOG} {TRANSFER_LOG}.1; touch {TRANSFER_LOG}")
        fetch(ftp, f"/{answer['id']}/a.txt")
    wait_for_downloads(api, answer, 1, 2000)
    assert machine.file(TRANSFER_LOG).stat().st_size == 0
    machine.run(["systemctl", "restart", PURE_FTPD])
    with opened(answer, "127.0.0.3") as ftp:
        fetch(ftp, f"/{answer['id']}/b.txt")
    wait_for_downloads(api, answer, 2, 2500)
    machine.run(["gzip", f"{TRANSFER_LOG}.1"])
    append(machine, line(answer, 7))
    wait_for_downloads(api, answer, 3, 2507)
    machine.run(["rm", f"{TRANSFER_LOG}.1.gz"])


def test_rotation_by_copy_and_truncation_in_the_middle_of_a_session(machine, api, handed_out):
    answer = handed_out()
    with opened(answer) as ftp:
        fetch(ftp, f"/{answer['id']}/a.txt")
        machine.shell(f"cp -p {TRANSFER_LOG} {TRANSFER_LOG}.1; : >{TRANSFER_LOG}")
        fetch(ftp, f"/{answer['id']}/b.txt")
    wait_for_downloads(api, answer, 1, 1500)
    machine.run(["systemctl", "restart", READER])
    append(machine, line(answer, 7))
    wait_for_downloads(api, answer, 2, 1507)
    machine.run(["rm", f"{TRANSFER_LOG}.1"])


# ---- whatever is killed -------------------------------------------------------------------------------

def test_a_killed_reader_and_a_killed_tempoftpd_count_everything_once(machine, api, handed_out):
    answer = handed_out()
    lines = 60_000
    first = machine.journal_now()
    append(machine, *(line(answer, 1, address=f"10.9.{n // 250 % 8}.{n % 250}") for n in range(lines)))
    kills = 0
    for n in range(60):
        if downloads(api, answer)["bytes"] >= lines:
            break
        victim = (PROCESS, "tempoftpd")[n % 2]
        kills += machine.kill(victim)
    assert kills >= 4
    wait_for_downloads(api, answer, 2000, lines)
    assert f"{READER}: Main process exited, code=killed" in machine.journal("-u", READER, since=first)


def test_a_long_log_takes_little_memory(machine, api, handed_out):
    answer, lines = handed_out(), 300_000
    settle(machine)
    written = (line(answer, 3, file=f"una%20carpeta/archivo-{n:06}.nc", address=f"10.8.0.{n % 250}") for n in range(lines))
    append(machine, *written)
    wait_for_downloads(api, answer, 250, 3 * lines)
    status = machine.run(["cat", f"/proc/{machine.processes(PROCESS)[0]}/status"]).stdout
    peak = next(int(row.split()[1]) for row in status.splitlines() if row.startswith("VmHWM:"))
    assert peak < 16 << 10, f"{peak} KiB"


def test_what_comes_while_tempoftpd_is_away_waits_in_the_log(machine, api, handed_out):
    answer = handed_out()
    append(machine, line(answer, 5))
    wait_for_downloads(api, answer, 1, 5)
    since = machine.journal_now()
    with without_tempoftpd(machine):
        append(machine, line(answer, 7), line(answer, 9))
        wait_until(lambda: "trying again: tempoftpd does not answer" in machine.journal("-u", READER, since=since), SLOW, "the complaint")
        assert "trying again" in machine.unit(READER, "StatusText")["StatusText"]
        assert machine.kill(PROCESS)
        append(machine, line(answer, 11))
    wait_for_downloads(api, answer, 4, 32)


def test_nobody_waits_and_nothing_is_lost(machine, api, handed_out):
    """The reader and its path unit are stopped, the log goes on and is rotated twice."""
    answer = handed_out()
    append(machine, line(answer, 1))
    wait_for_downloads(api, answer, 1, 1)
    machine.run(["systemctl", "stop", WAITER, "tempoftp-xferlog.timer", READER])
    for n in (2, 1):
        append(machine, line(answer, 10), line(answer, 100))
        machine.shell(f"mv {TRANSFER_LOG} {TRANSFER_LOG}.{n}; touch {TRANSFER_LOG}; sleep 1.1")  # Pure-FTPd's times have whole seconds
    append(machine, line(answer, 1000), line(answer, 10000)[:-20])  # and a line that isn't whole yet
    machine.run(["systemctl", "start", WAITER])
    wait_for_downloads(api, answer, 6, 1221)
    machine.run(["systemctl", "restart", READER])
    machine.shell(f"rm {TRANSFER_LOG}.*; systemctl restart {PURE_FTPD}")
    with opened(answer) as ftp:
        fetch(ftp, f"/{answer['id']}/a.txt")  # becomes one line with what was not whole
        fetch(ftp, f"/{answer['id']}/b.txt")
    wait_for_downloads(api, answer, 7, 1721)


def test_a_reboot_loses_nothing(machine, fleet, api, handed_out):
    answer = handed_out()
    machine.run(["systemctl", "enable", WAITER])
    append(machine, line(answer, 3))
    wait_for_downloads(api, answer, 1, 3)
    machine.run(["systemctl", "stop", WAITER, "tempoftp-xferlog.timer", READER])
    append(machine, line(answer, 4))
    machine.reboot()
    wait_for_downloads(api, answer, 2, 7)
    machine.run(["systemctl", "disable", WAITER])
    fleet.start()


# ---- coming and going ---------------------------------------------------------------------------------

def test_the_reader_leaves_when_it_is_quiet_and_comes_back(machine, api, handed_out):
    answer = handed_out()
    with machine.settings(TEMPOFTP_IDLE_SECONDS="1"):
        machine.run(["systemctl", "restart", READER])
        for n in range(1, 4):
            wait_until(lambda: not machine.processes(PROCESS), SLOW, "nobody there")
            append(machine, line(answer, 1))
            wait_for_downloads(api, answer, n, n)


def test_an_id_that_is_used_again_inherits_nothing(machine, api, handed_out, wait_for, submit, source, unique):
    answer = handed_out()
    machine.run(["systemctl", "stop", WAITER, "tempoftp-xferlog.timer", READER])
    append(machine, line(answer, 100), line(answer, 200))
    assert api.delete(f"/tmpftp/{answer['id']}").status == 200
    machine.shell("sleep 1.1")  # times in the log have whole seconds
    again = handed_out(id=answer["id"], usuario=answer["email"])
    assert again["ftpuser"] == answer["ftpuser"]
    append(machine, line(again, 7))
    machine.run(["systemctl", "start", WAITER])
    wait_for_downloads(api, again, 1, 7)


def test_lines_in_another_format_are_reported(machine, api, handed_out):
    answer = handed_out()
    since = machine.journal_now()
    settle(machine)
    append(machine, f'127.0.0.1 - {answer["ftpuser"]} [21/Nov/2026:16:02:39 -0500] "GET /data/{answer["ftpuser"]}/{answer["id"]}/a.txt" 200 1000\n',
           "\0\xff nonsense\n", "x" * 200_000 + "\n", line(answer, 5))
    wait_for_downloads(api, answer, 1, 5)
    said = machine.journal("-u", READER, since=since)
    assert f"AltLog must be w3c:{TRANSFER_LOG}" in said
    assert said.count("AltLog") == 1


def test_another_path_needs_the_one_setting(machine, api, handed_out):
    answer, elsewhere = handed_out(), "/srv/logs/a.log"
    machine.write_file(elsewhere, "", mode=0o600)
    with machine.settings(PUREFTPD_TRANSFER_LOG=elsewhere):
        machine.run(["systemctl", "stop", WAITER, READER])
        machine.run(["systemctl", "daemon-reload"])
        machine.run(["systemctl", "start", WAITER])
        wait_until(lambda: machine.unit(READER, "ActiveState")["ActiveState"] != "activating", SLOW)
        machine.run(["systemctl", "restart", READER])
        with open(machine.file(elsewhere), "a", encoding="utf-8") as log:
            log.write(line(answer, 12))
        wait_for_downloads(api, answer, 1, 12)
    machine.run(["systemctl", "stop", WAITER, READER])
    machine.run(["systemctl", "daemon-reload"])
    machine.run(["systemctl", "start", WAITER])


# ---- borders ------------------------------------------------------------------------------------------

CALL = ["busctl", "--system", "--json=short", "call", "org.tempoftp.Manager1", "/org/tempoftp/Manager1", "org.tempoftp.Manager1"]


@pytest.mark.parametrize("member", ["TransferLogPositions", "TransfersLogged"])
def test_only_the_reader_and_root_may_tell(machine, member):
    for user in ("tempoftp-ftp", "tempoftp-transfer", "lanotadm"):
        done = machine.run([*CALL, member], user=user, check=False)
        assert done.returncode != 0 and "denied" in done.stderr.lower(), done


def test_the_reader_may_tell_nothing_else(machine):
    for member in ("ExpireDue", "Authenticate", "Downloads", "UnitEnded"):
        done = machine.run([*CALL, member], user="tempoftp-xferlog", check=False)
        assert done.returncode != 0 and "denied" in done.stderr.lower(), done
    assert json.loads(machine.run([*CALL, "TransferLogPositions"], user="tempoftp-xferlog").stdout)["type"] == "a(tttts)"


def test_a_position_moves_only_from_where_it_stands(machine, api, handed_out):
    answer = handed_out()
    digest = "0" * 64
    rows = ["a(sssttt)", "1", answer["ftpuser"], answer["id"], "10.1.1.1", "5", "1", str(int(datetime.datetime.now().timestamp()))]

    def move(before, after, check=True):
        call = [*CALL, "TransfersLogged", f"(tttts)(tttts){rows[0]}", *map(str, before), *map(str, after), *rows[1:]]
        return machine.run(call, check=check)
    move([0, 0, 0, 0, ""], [9, 9, 10, 1, digest])
    wait_for_downloads(api, answer, 1, 5)
    for before, error in (([0, 0, 0, 0, ""], "Stale"), ([9, 9, 11, 1, digest], "Stale"), ([9, 9, 10, 1, "0" * 63 + "1"], "Stale"), ([9, 9, 10, 1, "x"], "Invalid")):
        done = move(before, [9, 9, 20, 1, digest], check=False)
        assert done.returncode != 0, (before, done)
    assert downloads(api, answer)["bytes"] == 5
    move([9, 9, 10, 1, digest], [9, 9, 20, 1, digest])
    wait_for_downloads(api, answer, 1, 10)
