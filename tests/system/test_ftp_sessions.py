"""Sessions of delivered datasets: what outlives a restart, what ends at once, what is seen and counted."""
import ftplib
import io
import json
import select
import threading
import time

import pytest

from client import FTP_ADDRESS, decrypt, fetch, ftp_login
from ftp_service import (BIG, FTP1, assert_ended, begin, change_database, delivered, end_sessions, kill_listener,  # noqa: F401 (fixtures)
                         list_sessions, main_pid, opened, read_rest, settings, slow_hash, wait_for_listener, without_tempoftpd)
from machine import SETTINGS, wait_until


# ---- what outlives the listener -----------------------------------------------------------------------

def another_listener(machine, how):
    if how == "kill -9":
        kill_listener(machine)
    else:
        before = main_pid(machine)
        machine.run(["systemctl", "restart", "tempoftp-ftp.service"])
        wait_for_listener(machine, before)


@pytest.mark.parametrize("how", ["kill -9", "systemctl restart"])
def test_sessions_and_transfers_outlive_the_listener(machine, delivered, opened, how):  # noqa: F811
    answer = delivered()
    idle, busy = opened(answer), opened(answer)
    data = begin(busy, f"/{answer['id']}/grande.bin")
    before = {row["pid"] for row in list_sessions(machine, answer["ftpuser"])}
    another_listener(machine, how)

    rows = list_sessions(machine, answer["ftpuser"])
    assert {row["pid"] for row in rows} == before and len(before) == 2
    assert {row["file"] for row in rows} == {"", f"/{answer['id']}/grande.bin"}
    assert {row["peer"] for row in rows} == {"127.0.0.1"}
    assert idle.pwd() == "/"
    assert read_rest(data) == BIG - 1000
    assert busy.voidresp().startswith("226")

    # and the next listener can end them
    assert end_sessions(machine, answer["ftpuser"]) == 2
    assert_ended(idle)
    assert_ended(busy)
    assert list_sessions(machine, answer["ftpuser"]) == []


def test_a_session_is_safe_from_the_moment_it_is_welcomed(machine, delivered):  # noqa: F811
    answer = delivered(files={"a.txt": "hola\n"})
    password = decrypt(machine, answer["password"])
    for _ in range(5):
        with ftplib.FTP(timeout=60) as ftp:
            ftp.connect(*FTP_ADDRESS)
            ftp.login(answer["ftpuser"], password)
            kill_listener(machine)
            assert ftp.nlst() == [answer["id"]]
            assert len(list_sessions(machine, answer["ftpuser"])) == 1
        wait_until(lambda: not list_sessions(machine, answer["ftpuser"]), 60, what="the session to end")


def test_sessions_outlive_a_setting_that_no_listener_can_start_with(machine, delivered, opened):  # noqa: F811
    """A slip of the operator's pen and a restart: nobody is let in until it is mended, and nobody's download is cut."""
    answer = delivered()
    idle, busy = opened(answer), opened(answer)
    data = begin(busy, f"/{answer['id']}/grande.bin")
    before = {row["pid"] for row in list_sessions(machine, answer["ftpuser"])}
    file, since = machine.file(SETTINGS), machine.journal_now()
    right = file.read_text()
    file.write_text(f"{right}TEMPOFTP_FTP_MAX_CONNECTIONS=muchas\n")
    try:
        assert machine.run(["systemctl", "restart", "tempoftp-ftp.service"], check=False).returncode != 0
        wait_until(lambda: machine.journal("-u", "tempoftp-ftp", since=since).count("'muchas' is not allowed") >= 2, 60, what="it is tried again")
        with pytest.raises(ftplib.error_temp, match="421"):
            ftp_login(machine, answer)
        assert idle.pwd() == "/"
    finally:
        file.write_text(right)
    wait_for_listener(machine, 0)
    assert {row["pid"] for row in list_sessions(machine, answer["ftpuser"])} == before and len(before) == 2
    assert read_rest(data) == BIG - 1000
    assert busy.voidresp().startswith("226")
    # and with nobody there a wrong setting is tried once
    idle.quit()
    busy.quit()
    wait_until(lambda: not list_sessions(machine, answer["ftpuser"]), 60, what="the sessions to end")
    with settings(machine, TEMPOFTP_FTP_MAX_CONNECTIONS="muchas"):
        assert machine.run(["systemctl", "start", "tempoftp-ftp.service"], check=False).returncode != 0
        assert machine.unit("tempoftp-ftp.service", "ActiveState")["ActiveState"] == "failed"
        machine.run(["systemctl", "reset-failed", "tempoftp-ftp.service"])


def test_a_session_that_is_being_born_while_its_end_moves_is_known_to_the_next_listener(machine, api, delivered, opened):  # noqa: F811
    """Processes for sessions are slow to come; meanwhile the request is extended, then the listener is killed."""
    answer = delivered(files={"a.txt": "hola\n"})
    account, password, logins = answer["ftpuser"], decrypt(machine, answer["password"]), []
    opened(answer)  # and so there are some who wait for clients: those are used up first
    zygotes = machine.shell(f"ps --no-headers -o pid,args --ppid {main_pid(machine)} | awk '/: session/ {{ print $1 }}'").stdout.split()
    assert len(zygotes) >= 2
    machine.run(["kill", "-STOP", *zygotes])
    try:
        for turn in range(9):
            ftp = ftplib.FTP(timeout=60)
            logins.append(ftp)
            ftp.connect(*FTP_ADDRESS)
            assert ftp.sendcmd(f"USER {account}").startswith("331")
            ftp.putcmd(f"PASS {password}")
            let_in = f"SELECT count(*) = {turn + 2} FROM audit WHERE action = 'FTP LOGIN' AND target = '{account}'"
            wait_until(lambda: machine.sqlite(let_in) == [["1"]], 60, what="tempoftpd lets it in")  # noqa: B023
            if not select.select([ftp.sock], [], [], 1)[0]:
                break
        else:
            raise AssertionError("every session had a process")
        assert api.post(f"/tmpftp/{answer['id']}/extender", {"dias": 1}).status == 200
    finally:
        machine.run(["kill", "-CONT", *zygotes])
    for ftp in logins:
        assert ftp.getresp().startswith("230")
    before = {row["pid"] for row in list_sessions(machine, account)}
    kill_listener(machine)
    assert {row["pid"] for row in list_sessions(machine, account)} == before and len(before) == len(logins) + 1
    for ftp in logins:
        ftp.close()


def test_active_transfers_outlive_the_listener_that_connects_for_them(machine, delivered, opened):  # noqa: F811
    """The next listener knows the client's address by the name of the session's wire."""
    answer = delivered(files={"a.txt": "hola\n"})
    ftp = opened(answer)
    ftp.set_pasv(False)
    for _ in range(2):
        lines = []
        ftp.retrlines(f"RETR {answer['id']}/a.txt", lines.append)
        assert lines == ["hola"]
        listener = main_pid(machine)
        machine.run(["systemctl", "restart", "tempoftp-ftp.service"])
        wait_for_listener(machine, listener)
    assert ftp.nlst() == [answer["id"]]


def test_stopping_the_service_ends_every_session(machine, delivered, opened):  # noqa: F811
    answer = delivered()
    idle, busy = opened(answer), opened(answer)
    data = begin(busy, f"/{answer['id']}/grande.bin")
    machine.run(["systemctl", "stop", "tempoftp-ftp.service"])
    assert_ended(idle)
    assert_ended(busy)
    data.close()
    wait_until(lambda: not machine.processes("tempoftp-ftpd"), 60, what="all processes to end")
    with ftp_login(machine, answer) as ftp:  # the socket is still there
        assert ftp.nlst() == [answer["id"]]


# ---- what ends at once: when the API has answered, the sessions are gone --------------------------------

def test_blocking_ends_the_sessions_of_that_request_only(machine, api, delivered, opened):  # noqa: F811
    first = delivered()
    second = delivered(usuario=first["email"])
    assert first["ftpuser"] == second["ftpuser"]
    busy, inside, elsewhere, at_top = opened(first), opened(first), opened(first), opened(first)
    data = begin(busy, f"/{first['id']}/grande.bin")
    inside.cwd(first["id"])
    elsewhere.cwd(second["id"])

    assert api.post(f"/tmpftp/{first['id']}/bloquear", {"razon": "prueba"}).status == 200
    assert {row["folder"] for row in list_sessions(machine, first["ftpuser"])} == {"/", f"/{second['id']}"}
    assert_ended(busy)
    assert_ended(inside)
    with pytest.raises(ConnectionResetError):  # a cut file must not look like a whole one
        read_rest(data)
    assert fetch(elsewhere, "a.txt") == b"hola\n"
    assert at_top.nlst() == [second["id"]]


def test_blocking_the_only_request_closes_the_account(machine, api, delivered, opened):  # noqa: F811
    answer = delivered()
    at_top, busy = opened(answer), opened(answer)
    data = begin(busy, f"/{answer['id']}/grande.bin")
    assert api.post(f"/tmpftp/{answer['id']}/bloquear", {}).status == 200
    assert list_sessions(machine, answer["ftpuser"]) == []
    assert_ended(at_top)
    assert_ended(busy)
    data.close()
    with pytest.raises(ftplib.error_perm, match="530"):
        ftp_login(machine, answer)
    assert api.post(f"/tmpftp/{answer['id']}/desbloquear").status == 200
    assert fetch(opened(answer), f"/{answer['id']}/a.txt") == b"hola\n"


@pytest.mark.parametrize("call", ["block", "delete"])
def test_no_login_slips_through_while_access_is_closed(machine, api, delivered, call):  # noqa: F811
    """The block comes between the password's arrival and its check's end."""
    answer = delivered(files={"a.txt": "hola\n"})
    account, password = answer["ftpuser"], decrypt(machine, answer["password"])
    ftp_login(machine, answer).close()
    change_database(machine, f"UPDATE accounts SET hash = '{slow_hash(password, 40)}' WHERE name = '{account}'")
    assert api.get("/health").json["database"] == "ok"  # it runs
    with ftplib.FTP(timeout=60) as ftp:
        ftp.connect(*FTP_ADDRESS)
        assert ftp.sendcmd(f"USER {account}").startswith("331")
        ftp.putcmd(f"PASS {password}")
        assert not select.select([ftp.sock], [], [], 0.5)[0], f"too quick to see anything: {ftp.getresp()}"
        if call == "block":
            assert api.post(f"/tmpftp/{answer['id']}/bloquear", {}).status == 200
        else:
            assert api.delete(f"/tmpftp/{answer['id']}").status == 200
        assert not select.select([ftp.sock], [], [], 0)[0], "the check was too quick to see anything"
        with pytest.raises(ftplib.error_perm, match="530"):
            ftp.getresp()
    assert list_sessions(machine, account) == []


@pytest.mark.parametrize("call", ["block", "delete"])
def test_sessions_without_a_listener_end_all_the_same(machine, api, delivered, opened, call):  # noqa: F811
    """The listener was killed; the next one comes after three seconds, takes the sessions over and ends them: the answer waits for it."""
    answer = delivered()
    idle, busy = opened(answer), opened(answer)
    data = begin(busy, f"/{answer['id']}/grande.bin")
    slow = "/run/systemd/system/tempoftp-ftp.service.d/slow.conf"
    machine.write_file(slow, "[Service]\nRestartSec=3\n")
    machine.run(["systemctl", "daemon-reload"])
    try:
        before = main_pid(machine)
        machine.run(["kill", "-KILL", str(before)])
        wait_until(lambda: main_pid(machine) == 0, what="no listener")
        if call == "block":
            assert api.post(f"/tmpftp/{answer['id']}/bloquear", {}).status == 200
        else:
            assert api.delete(f"/tmpftp/{answer['id']}").status == 200
        assert main_pid(machine) not in (0, before)
        assert list_sessions(machine, answer["ftpuser"]) == []
        assert_ended(idle)
        assert_ended(busy)
        with pytest.raises(ConnectionResetError):
            read_rest(data)
    finally:
        machine.file(slow).unlink()
        machine.run(["systemctl", "daemon-reload"])


@pytest.mark.parametrize("shared", [False, True], ids=["an account of its own", "a shared account"])
def test_sessions_that_a_killed_tempoftpd_left_end_when_it_is_back(machine, api, delivered, opened, shared):  # noqa: F811
    """It was killed after the block was on disk and before anybody had told the sessions."""
    answer = delivered()
    other = delivered(usuario=answer["email"]) if shared else None
    busy, at_top = opened(answer), opened(answer)
    data = begin(busy, f"/{answer['id']}/grande.bin")
    change_database(machine, f"UPDATE requests SET state = 'bloqueado' WHERE id = '{answer['id']}'")
    assert len(list_sessions(machine, answer["ftpuser"])) == 2
    assert api.get(f"/tmpftp/{answer['id']}").json["status"] == "bloqueado"  # it is back
    assert_ended(busy)
    with pytest.raises(ConnectionResetError):
        read_rest(data)
    if shared:
        assert fetch(at_top, f"/{other['id']}/a.txt") == b"hola\n"
    else:
        assert_ended(at_top)


def test_without_ftp_server_nothing_waits_for_sessions(machine, api, delivered):  # noqa: F811
    answer = delivered(files={"a.txt": "hola\n"})
    machine.run(["systemctl", "stop", "tempoftp-ftp.service"])
    asked = time.monotonic()
    assert api.post(f"/tmpftp/{answer['id']}/bloquear", {}).status == 200
    assert time.monotonic() - asked < 10
    assert machine.unit("tempoftp-ftp.service", "ActiveState")["ActiveState"] == "inactive"


@pytest.mark.parametrize("what", ["the request", "the account"])
def test_deleting_ends_every_session(machine, api, delivered, opened, what):  # noqa: F811
    answer = delivered()
    idle, busy = opened(answer), opened(answer)
    data = begin(busy, f"/{answer['id']}/grande.bin")
    idle.cwd(answer["id"])
    path = f"/tmpftp/{answer['id']}" if what == "the request" else f"/tmpftp/user/{answer['email']}"
    assert api.delete(path).status == 200
    assert list_sessions(machine, answer["ftpuser"]) == []
    assert_ended(idle)
    assert_ended(busy)
    with pytest.raises(ConnectionResetError):
        read_rest(data)
    with pytest.raises(ftplib.error_perm, match="530"):
        ftp_login(machine, answer)


def test_a_session_that_does_not_answer_is_killed(machine, delivered, opened):  # noqa: F811
    answer = delivered()
    ftp = opened(answer)
    session, = list_sessions(machine, answer["ftpuser"])
    machine.run(["kill", "-STOP", str(session["pid"])])
    shown, = list_sessions(machine, answer["ftpuser"])
    assert (shown["pid"], shown["folder"]) == (session["pid"], "")
    assert end_sessions(machine, answer["ftpuser"]) == 1
    with pytest.raises((EOFError, ConnectionError)):
        ftp.voidcmd("NOOP")


def test_whoever_lists_sessions_delays_no_revocation(machine, api, delivered, opened):  # noqa: F811
    """Another person's session does not answer, so each list takes its time; as many as can be are asked for all the time."""
    answer, other = delivered(files={"a.txt": "hola\n"}), delivered(files={"a.txt": "hola\n"})
    ftp, deaf = opened(answer), opened(other)
    session, = list_sessions(machine, other["ftpuser"])
    machine.run(["kill", "-STOP", str(session["pid"])])
    over, refused = threading.Event(), threading.Event()

    def look():
        while not over.is_set():
            if api.get("/sesiones").status == 503:
                refused.set()
    lookers = [threading.Thread(target=look) for _ in range(60)]
    for looker in lookers:
        looker.start()
    try:
        assert refused.wait(60), "too few to fill the server's list of questions"
        asked = time.monotonic()
        assert api.post(f"/tmpftp/{answer['id']}/bloquear", {}).status == 200
        took = time.monotonic() - asked
        assert_ended(ftp)
    finally:
        over.set()
        for looker in lookers:
            looker.join()
        machine.run(["kill", "-CONT", str(session["pid"])])
    assert took < 2, f"it took {took:.1f} s"
    assert deaf.pwd() == "/"


def test_a_session_ends_by_itself_when_access_ends(machine, delivered, opened):  # noqa: F811
    """Idle, and in the middle of a transfer, with nobody there who could have told it."""
    answer = delivered()
    account = answer["ftpuser"]
    end = int(time.time()) + 10
    change_database(machine, f"UPDATE requests SET expires = {end} WHERE id = '{answer['id']}'")
    idle, busy = opened(answer), opened(answer)
    data = begin(busy, f"/{answer['id']}/grande.bin")
    with without_tempoftpd(machine):
        assert time.time() < end and len(list_sessions(machine, account)) == 2, "too slow to see anything"
        assert_ended(idle, text="421 La vigencia terminó")
        assert int(time.time()) >= end
        assert_ended(busy, text="421 La vigencia terminó")
        with pytest.raises(ConnectionResetError):
            read_rest(data)
        assert list_sessions(machine, account) == []
        wait_until(lambda: machine.journal(f"TEMPOFTP_ACCOUNT={account}").count("ended: expired") == 2, what="both in the journal")
        assert not machine.processes("tempoftpd")


def short(machine, *answers, seconds):
    """Their days end so soon; when."""
    end = int(time.time()) + seconds
    change_database(machine, "".join(f"UPDATE requests SET expires = {end} WHERE id = '{answer['id']}';" for answer in answers))
    return end


def pass_by(end):
    wait_until(lambda: time.time() > end + 2, 60, what="the end that was told at the login")


@pytest.mark.parametrize("how", ["at once", "by the next listener", "by a tempoftpd that was killed before it could"])
def test_an_extended_session_goes_on(machine, api, delivered, opened, how):  # noqa: F811
    """Idle, and in the middle of a transfer; also when whoever should have heard or said it was killed."""
    answer = delivered()
    end = short(machine, answer, seconds=20)
    idle, busy = opened(answer), opened(answer)
    data = begin(busy, f"/{answer['id']}/grande.bin")
    if how == "by a tempoftpd that was killed before it could":
        change_database(machine, f"UPDATE requests SET expires = {end + 86400} WHERE id = '{answer['id']}'")
        assert api.get(f"/tmpftp/{answer['id']}").json["status"] == "listo"  # it is back, and looks around
    else:
        assert api.post(f"/tmpftp/{answer['id']}/extender", {"dias": 1}).status == 200
        assert time.time() < end, "too slow to see anything"
    if how == "by the next listener":
        kill_listener(machine)
    pass_by(end)
    assert idle.pwd() == "/"
    assert read_rest(data) == BIG - 1000
    assert busy.voidresp().startswith("226")
    assert len(list_sessions(machine, answer["ftpuser"])) == 2
    # and it is the listener's end too, which kills whoever is deaf after its end
    assert end_sessions(machine, answer["ftpuser"]) == 2


def test_a_session_ends_sooner_when_what_lasted_longer_is_closed(machine, api, delivered, opened):  # noqa: F811
    """It began when another request of the account had days left; nobody is there to end it."""
    soon = delivered()
    late = delivered(usuario=soon["email"])
    end = short(machine, soon, seconds=20)
    ftp = opened(soon)
    assert api.post(f"/tmpftp/{late['id']}/bloquear", {}).status == 200
    with without_tempoftpd(machine):
        assert time.time() < end and ftp.pwd() == "/", "too slow to see anything"
        assert_ended(ftp, text="421 La vigencia terminó")
        assert end <= time.time()


def test_only_root_and_tempoftp_may_end_and_list_sessions(machine, delivered, opened):  # noqa: F811
    opened(delivered(files={"a.txt": "hola\n"}))
    for call in (["EndSessions", "ss", "ftp_x_abcd", ""], ["SetEnd", "st", "ftp_x_abcd", "1"], ["ListSessions"]):
        refused = machine.run(["runuser", "-u", "nobody", "--", *FTP1, *call], check=False)
        assert refused.returncode != 0 and "denied" in refused.stderr.lower(), refused.stderr
        assert machine.run(["runuser", "-u", "tempoftp", "--", *FTP1, *call]).returncode == 0


# ---- what is seen and counted -------------------------------------------------------------------------

def test_progress_shows_in_the_list(machine, delivered, opened):  # noqa: F811
    answer = delivered()
    ftp = opened(answer)
    path = f"/{answer['id']}/grande.bin"
    ftp.cwd(answer["id"])
    data = begin(ftp, "grande.bin")
    row, = list_sessions(machine, answer["ftpuser"])
    assert (row["folder"], row["file"], row["size"], row["peer"]) == (f"/{answer['id']}", path, BIG, "127.0.0.1")
    assert 1000 <= row["sent"] < BIG
    assert abs(row["since"] - time.time()) < 120
    read_rest(data)
    assert ftp.voidresp().startswith("226")
    row, = list_sessions(machine, answer["ftpuser"])
    assert (row["file"], row["sent"], row["size"]) == ("", 0, 0)


def counted(api, answer):
    return api.get(f"/tmpftp/{answer['id']}").json["descargas"]


def test_downloads_are_counted_whole_and_cut(api, delivered, opened):  # noqa: F811
    answer = delivered()
    ftp = opened(answer)
    fetch(ftp, f"/{answer['id']}/a.txt")
    fetch(ftp, f"/{answer['id']}/a.txt")
    wait_until(lambda: counted(api, answer)["bytes"] == 10, 60, what="two downloads counted")
    assert counted(api, answer)["ultima_descarga"] is not None
    begin(ftp, f"/{answer['id']}/grande.bin").close()
    with pytest.raises(ftplib.error_temp, match="426"):
        ftp.voidresp()
    wait_until(lambda: counted(api, answer)["bytes"] >= 1010, 60, what="the cut one counted by its bytes")
    assert counted(api, answer)["bytes"] < BIG
    assert counted(api, answer)["total_descargas"] == 1  # one address, on one day


def test_downloads_are_counted_when_tempoftpd_comes_back(machine, api, delivered, opened):  # noqa: F811
    answer = delivered(files={"a.txt": "hola\n"})
    ftp = opened(answer)
    with without_tempoftpd(machine):
        for _ in range(3):
            fetch(ftp, f"/{answer['id']}/a.txt")
        wait_until(lambda: "trying again" in machine.journal("-u", "tempoftp-ftp"), 60, what="a try in vain")
    wait_until(lambda: counted(api, answer)["bytes"] == 15, 60, what="the downloads counted")


@pytest.mark.parametrize("how", ["kill -9", "systemctl restart"])
def test_downloads_that_a_listener_had_not_told_yet_are_counted(machine, api, delivered, opened, how):  # noqa: F811
    """It ends within half a second of a download, or while nobody is there to be told; the next one tells it, once."""
    answer, size, n = delivered(files={"a.txt": "x" * 1000}), 1000, 0
    ftp, since = opened(answer), machine.journal_now()

    def count():
        return api.get(f"/tmpftp/{answer['id']}").json["descargas"]["bytes"]

    for _ in range(3):
        fetch(ftp, f"/{answer['id']}/a.txt")
        n += 1
        another_listener(machine, how)
        wait_until(lambda: count() >= n * size, 30, what=f"{n} downloads are counted")  # noqa: B023
    with without_tempoftpd(machine):
        for _ in range(2):
            fetch(ftp, f"/{answer['id']}/a.txt")
            n += 1
            wait_until(lambda: "Cannot tell tempoftpd about 1 downloads" in machine.journal("-u", "tempoftp-ftp", since=since), 30, "nobody hears it")
            another_listener(machine, how)
    wait_until(lambda: count() >= n * size, 30, what="what nobody heard is counted")
    assert count() == n * size
    assert "Cannot count" not in machine.journal("-u", "tempoftp-ftp", since=since)


def test_downloads_are_counted_while_the_clock_is_behind(machine, api, delivered, opened):  # noqa: F811
    """The machine has booted with a clock two hours ahead, and it was put right: until that time has come requests are dated by it."""
    ahead = int(time.time()) + 7200
    assert api.get("/health").json["database"] == "ok"  # there is one
    change_database(machine, f"INSERT OR REPLACE INTO notes (key, value) VALUES ('clock', 'another-boot {ahead} {ahead} 0 0')")
    try:
        answer = delivered(files={"a.txt": "hola\n"})
        assert int(machine.sqlite(f"SELECT ready FROM requests WHERE id = '{answer['id']}'")[0][0]) >= ahead
        ftp = opened(answer)
        for n in (1, 2):
            assert fetch(ftp, f"/{answer['id']}/a.txt") == b"hola\n"
            wait_until(lambda: counted(api, answer)["bytes"] == 5 * n, 30, what="the download counted")  # noqa: B023
    finally:
        change_database(machine, "DELETE FROM notes WHERE key = 'clock'")


def test_uploads_are_in_the_journal_and_not_among_the_downloads(machine, api, delivered, opened):  # noqa: F811
    answer = delivered(files={"a.txt": "hola\n"})
    since = machine.journal_now()
    machine.run(["tempoftp", "buzon", answer["id"], "--bytes", "1M"])
    ftp = opened(answer)
    ftp.storbinary("STOR /_buzon/informe.txt", io.BytesIO(b"x" * 70000))
    fetch(ftp, f"/{answer['id']}/a.txt")
    wait_until(lambda: counted(api, answer)["bytes"] == 5, 60, what="the download counted, and nothing but that")
    assert fetch(ftp, "/_buzon/informe.txt") == b"x" * 70000
    told = machine.journal("MESSAGE_ID=4f0b7e92d35c4a1b8d6e2f71a9c05b38", f"TEMPOFTP_ACCOUNT={answer['ftpuser']}", since=since)
    assert f"{answer['ftpuser']}: 70000 bytes into /_buzon/informe.txt from byte 0 in " in told
    assert "informe.txt" not in machine.journal(f"TEMPOFTP_ID={answer['id']}", since=since)
    assert "informe.txt" not in machine.journal("TEMPOFTP_ID=_buzon", since=since)  # that is no request


def test_the_journal_tells_who_got_what(machine, delivered, opened):  # noqa: F811
    answer = delivered()
    account, id = answer["ftpuser"], answer["id"]
    ftp = opened(answer)
    fetch(ftp, f"/{id}/a.txt")
    ftp.quit()
    with pytest.raises(ftplib.error_perm, match="530"), ftplib.FTP(timeout=60) as wrong:
        wrong.connect(*FTP_ADDRESS)
        wrong.login(account, "a-secret-6f1c")

    def entries():
        shown = machine.run(["journalctl", "--quiet", "-o", "json", "-u", "tempoftp-ftp", f"TEMPOFTP_ACCOUNT={account}"]).stdout
        return [json.loads(line) for line in shown.splitlines()]
    wait_until(lambda: len(entries()) >= 4, 60, what="four lines")
    results = [(entry["TEMPOFTP_RESULT"], entry["TEMPOFTP_PEER"]) for entry in entries()]
    assert results == [("ok", "127.0.0.1"), ("whole", "127.0.0.1"), ("quit", "127.0.0.1"), ("password", "127.0.0.1")]
    transfer = entries()[1]
    assert (transfer["TEMPOFTP_ID"], transfer["TEMPOFTP_FILE"], transfer["TEMPOFTP_BYTES"]) == (id, f"/{id}/a.txt", "5")
    assert "a-secret-6f1c" not in machine.journal()


def lines_of(machine, since, *matches):
    """Lines of the FTP server with all their fields."""
    shown = machine.run(["journalctl", "--quiet", "-o", "json", "-u", "tempoftp-ftp", f"--since={since}", *matches]).stdout
    return [json.loads(line) for line in shown.splitlines()]


def refused(name, password, code):
    with pytest.raises(ftplib.Error, match=code), ftplib.FTP(timeout=60) as ftp:
        ftp.connect(*FTP_ADDRESS)
        ftp.login(name, password)


def test_every_refusal_is_in_the_journal_with_its_reason(machine, api, delivered, opened):  # noqa: F811
    """The client hears the same each time."""
    answer, blocked, due = delivered(files={"a.txt": "x"}), delivered(files={"a.txt": "x"}), delivered(files={"a.txt": "x"})
    passwords = {row["ftpuser"]: decrypt(machine, row["password"]) for row in (answer, blocked, due)}
    assert api.post(f"/tmpftp/{blocked['id']}/bloquear", {}).status == 200
    change_database(machine, f"UPDATE requests SET expires = {int(time.time()) - 1} WHERE id = '{due['id']}'")
    since = machine.journal_now()
    refused("nadie", "x", "530")
    refused(answer["ftpuser"], "wrong", "530")
    for row in (blocked, due):
        refused(row["ftpuser"], passwords[row["ftpuser"]], "530")
    with settings(machine, TEMPOFTP_FTP_MAX_PER_ACCOUNT=1):
        opened(answer)
        refused(answer["ftpuser"], passwords[answer["ftpuser"]], "421")
    login, limit = "MESSAGE_ID=7c5d3e9f1b2a4c68908d6e4f2a1b3c5d", "MESSAGE_ID=5b0f8e2d7c914a63b1e7d94f3a6c2085"
    wait_until(lambda: len(lines_of(machine, since, login)) == 5 and lines_of(machine, since, limit), 60, what="a line for each")
    told = [(line["TEMPOFTP_ACCOUNT"], line["TEMPOFTP_RESULT"]) for line in lines_of(machine, since, login)]
    gone = told.pop(3)  # unknown, when it was taken away before it was asked about
    assert gone[0] == due["ftpuser"] and gone[1] in ("expired", "unknown")
    assert told == [("nadie", "unknown"), (answer["ftpuser"], "password"), (blocked["ftpuser"], "blocked"), (answer["ftpuser"], "ok")]
    line, = lines_of(machine, since, limit)
    assert (line["TEMPOFTP_ACCOUNT"], line["TEMPOFTP_LIMIT"], line["TEMPOFTP_PEER"]) == (answer["ftpuser"], "account", "127.0.0.1")


def test_every_transfer_is_in_the_journal_and_in_the_requests_downloads(machine, api, delivered):  # noqa: F811
    """Whole, from the middle, cut by the client, by ABOR, by standing still, by its end of access: with bytes and seconds."""
    answer = delivered()
    path, since = f"/{answer['id']}/grande.bin", machine.journal_now()
    with settings(machine, TEMPOFTP_FTP_STALL_SECONDS=2), ftp_login(machine, answer, timeout=60) as ftp:
        assert fetch(ftp, f"/{answer['id']}/a.txt") == b"hola\n"
        ftp.retrbinary(f"RETR {path}", lambda data: None, rest=BIG - 7)
        begin(ftp, path).close()
        with pytest.raises(ftplib.error_temp, match="426"):
            ftp.voidresp()
        data = begin(ftp, path)
        ftp.putcmd("ABOR")
        with pytest.raises(ftplib.error_temp, match="426"):
            ftp.voidresp()
        assert ftp.voidresp().startswith("226")
        data.close()
        data = begin(ftp, path)
        with pytest.raises(ftplib.error_temp, match="426 La conexión de datos se detuvo demasiado tiempo"):
            ftp.voidresp()
        data.close()
        data = begin(ftp, path)
        assert end_sessions(machine, answer["ftpuser"]) == 1
        data.close()
        assert_ended(ftp)
        ftp.close()

        def transfers():
            return [line for line in lines_of(machine, since, f"TEMPOFTP_ACCOUNT={answer['ftpuser']}") if "TEMPOFTP_FILE" in line]
        wait_until(lambda: len(transfers()) == 6, 60, what="a line for each")
        assert [line["TEMPOFTP_RESULT"] for line in transfers()] == ["whole", "whole", "cut", "cut", "stalled", "cut"]
        assert {line["TEMPOFTP_ID"] for line in transfers()} == {answer["id"]}
        assert [line["TEMPOFTP_FILE"] for line in transfers()] == [f"/{answer['id']}/a.txt"] + [path] * 5
        assert len({line["MESSAGE_ID"] for line in transfers()}) == 1
        bytes_of, seconds_of = ([float(line[f"TEMPOFTP_{field}"]) for line in transfers()] for field in ("BYTES", "SECONDS"))
        assert bytes_of[:2] == [5, 7] and all(1000 <= n < BIG for n in bytes_of[2:])
        assert 2 <= seconds_of[4] < 60 and all(0 <= n < 60 for n in seconds_of)
        wait_until(lambda: counted(api, answer)["bytes"] == sum(bytes_of), 60, what="all of them counted")
        ended, = lines_of(machine, since, f"TEMPOFTP_ACCOUNT={answer['ftpuser']}", "TEMPOFTP_RESULT=revoked")
        assert int(ended["TEMPOFTP_SECONDS"]) >= 2 and "MESSAGE_ID" in ended


# ---- what operators see and end -----------------------------------------------------------------------

def sesiones(machine, *words, code=0):
    done = machine.run(["tempoftp", "sesiones", *words], check=False)
    assert done.returncode == code, f"{done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def test_operators_see_sessions_and_end_them(machine, delivered, opened):  # noqa: F811
    answer = delivered()
    account, path = answer["ftpuser"], f"/{answer['id']}/grande.bin"
    idle, inside, busy = opened(answer), opened(answer), opened(answer)
    inside.cwd(answer["id"])
    data = begin(busy, path)
    rows = {line.split()[0]: line for line in sesiones(machine).splitlines() if account in line}
    assert len(rows) == 3
    shown = next(line for line in rows.values() if line.endswith(path))
    assert "127.0.0.1" in shown and " % de 33,5 MB " in shown and " UTC " in shown
    assert sorted(line.split()[-1] for line in rows.values()) == ["/", f"/{answer['id']}", path]
    assert sum(line.split()[-2] == "-" for line in rows.values()) == 2

    asked = time.monotonic()
    assert sesiones(machine, "--terminar", shown.split()[0]) == "1 sesión terminada\n"
    assert time.monotonic() - asked < 3
    assert_ended(busy)
    with pytest.raises(ConnectionResetError):
        read_rest(data)
    assert idle.pwd() == "/"
    assert sesiones(machine, "--terminar", account) == "2 sesiones terminadas\n"
    assert_ended(idle)
    assert_ended(inside)
    assert "Sesión no encontrada" in sesiones(machine, "--terminar", account, code=3)
    assert "Sesión no encontrada" in sesiones(machine, "--terminar", "1", code=3)  # nobody else's process
    wait_until(lambda: f"2 FTP sessions ({account}) were ended by unix:root" in machine.journal("-u", "tempoftp"), what="the journal's line")


def test_what_the_api_tells_of_sessions(api, http, delivered, opened):  # noqa: F811
    answer = delivered()
    ftp = opened(answer)
    path = f"/{answer['id']}/grande.bin"
    data = ftp.transfercmd(f"RETR {path}", rest=BIG - (24 << 20))
    assert data.recv(1000, 0x100)
    row, = [row for row in api.get("/sesiones").json["sesiones"] if row["cuenta"] == answer["ftpuser"]]
    assert set(row) == {"pid", "cuenta", "direccion", "carpeta", "archivo", "bytes", "total", "desde"}
    assert (row["direccion"], row["carpeta"], row["archivo"], row["total"]) == ("127.0.0.1", "/", path, BIG)
    assert BIG - (24 << 20) <= row["bytes"] < BIG  # what the client had already counts
    assert http.get("/sesiones").status == 401
    assert http.delete(f"/sesiones/{row['pid']}").status == 401
    assert api.delete(f"/sesiones/{row['pid']}").json == {"status": "ok", "terminadas": 1}
    assert_ended(ftp)
    data.close()
    assert api.delete(f"/sesiones/{row['pid']}").status == 404
    assert api.delete("/sesiones/ftp_nadie_aaaa").status == 404


def test_asking_for_sessions_does_not_start_the_server(machine, api):
    machine.run(["systemctl", "stop", "tempoftp-ftp.service"])
    assert sesiones(machine) == "tempoftp: Nadie está conectado al servidor FTP\n"
    assert api.get("/sesiones").json == {"sesiones": [], "total": 0}
    assert api.delete("/sesiones/1").status == 404
    assert machine.unit("tempoftp-ftp.service", "ActiveState")["ActiveState"] == "inactive"


# ---- with a rate --------------------------------------------------------------------------------------

RATE = 4_000_000


@pytest.fixture
def paced(machine):
    """The FTP server lets an account have RATE bytes a second."""
    with settings(machine, TEMPOFTP_FTP_ACCOUNT_RATE=RATE):
        yield


def test_a_paced_download_lives_through_a_restart_and_is_cut_within_a_second(machine, api, delivered, opened, paced):  # noqa: F811
    """The next listener knows who is busy: a second session gets half."""
    answer = delivered()
    path = f"/{answer['id']}/grande.bin"
    busy, second = opened(answer), opened(answer)
    started = time.monotonic()
    data = busy.transfercmd(f"RETR {path}")
    listener, got = main_pid(machine), 0
    while got < RATE:
        got += len(data.recv(1 << 16))
    machine.run(["systemctl", "restart", "tempoftp-ftp.service"])
    wait_for_listener(machine, listener)
    while got < 2 * RATE:
        piece = data.recv(1 << 16)
        assert piece
        got += len(piece)
    assert abs(got / (time.monotonic() - started) - RATE) < 0.15 * RATE

    other = second.transfercmd(f"RETR {path}")
    counts, until = {data: 0, other: 0}, time.monotonic() + 3
    since = None
    while time.monotonic() < until:
        for ready in select.select([data, other], [], [], 1)[0]:
            counts[ready] += len(ready.recv(1 << 16))
        if since is None and time.monotonic() > until - 2.5:
            since, counts = time.monotonic(), {data: 0, other: 0}
    took = time.monotonic() - since
    assert all(abs(n / took - RATE / 2) < 0.2 * RATE / 2 for n in counts.values()), (counts, took)

    asked = time.monotonic()
    assert api.post(f"/tmpftp/{answer['id']}/bloquear", {}).status == 200
    took = time.monotonic() - asked
    for connection in (data, other):
        with pytest.raises(ConnectionResetError):  # at most what was on its way
            read_rest(connection)
    cut = time.monotonic() - asked
    print(f"revoked in the middle of a paced transfer: answered after {took:.3f} s, both connections cut after {cut:.3f} s")
    assert took < 1 and cut < 1.5, (took, cut)
    assert_ended(busy)
    assert_ended(second)


# ---- idle ---------------------------------------------------------------------------------------------

def test_a_ban_outlives_idleness_and_then_the_server_leaves(machine):
    """The list of bans lies in the listener: it stays as long as the last of them, and no longer."""
    with settings(machine, TEMPOFTP_IDLE_SECONDS=1, TEMPOFTP_FTP_BAN_AFTER=1, TEMPOFTP_FTP_BAN_SECONDS=15), ftplib.FTP(timeout=60) as ftp:
        ftp.connect(*FTP_ADDRESS)
        with pytest.raises(ftplib.error_temp, match="421 Demasiados intentos"):
            ftp.login("ftp_nadie_aaaa", "wrong-password")
        ftp.close()
        listener, begin = main_pid(machine), time.monotonic()
        while time.monotonic() < begin + 4:  # four times the idle time, in which nobody is connected
            assert main_pid(machine) == listener
            time.sleep(0.2)
        with pytest.raises(ftplib.error_temp, match="421 Demasiados intentos fallidos"):
            ftp.connect(*FTP_ADDRESS)
        wait_until(lambda: machine.unit("tempoftp-ftp.service", "ActiveState")["ActiveState"] == "inactive", 60, what="the server to leave")
        ftp.connect(*FTP_ADDRESS)
        assert ftp.getwelcome().startswith("220")
