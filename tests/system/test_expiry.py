"""The days of a request are over: access ends at the second, data and account go, whichever of the means is left alive.

DESIGN names five: the clock in every login, the end that each session carries, the timer of the request, the sweep timer, and the
look around when tempoftpd starts. Each test silences the others. tempoftpd stays up throughout (TEMPOFTP_IDLE_SECONDS=0), so that no start of
it helps unseen.
"""
import contextlib
import ftplib
import json
import time

import pytest

from client import decrypt, fetch, ftp_login
from machine import wait_until

MANAGER = ["busctl", "--system", "--json=short", "call", "org.tempoftp.Manager1", "/org/tempoftp/Manager1", "org.tempoftp.Manager1"]
SWEEP = "tempoftp-sweep.timer"
SWEEP_STAMP = "/var/lib/systemd/timers/stamp-tempoftp-sweep.timer"
BIG = 64 << 20  # more than the sockets of both sides hold


@pytest.fixture(scope="module", autouse=True)
def awake(machine):
    with machine.settings(TEMPOFTP_IDLE_SECONDS=0):
        yield


@pytest.fixture(autouse=True)
def without_sweep(machine):
    machine.run(["systemctl", "stop", SWEEP])
    yield
    machine.run(["systemctl", "start", SWEEP])


@pytest.fixture
def deliver(source, submit, wait_for, unique):
    """deliver() takes a small tree to `listo` and returns the answer; with the same `usuario` into the same account."""
    def deliver(files=None, **fields):
        route = source.make_tree(unique("tree"), files or {"a.txt": "hola\n", "b/c.txt": "más\n"})
        return wait_for(submit(f"{route}/", **fields), "listo")
    return deliver


def move_end(machine, answer, seconds):
    """The request ends `seconds` from now, as if its days had begun earlier; returns that moment (UTC seconds). Its timer is armed."""
    wait_until(lambda: timer_of(answer) in machine.units(), what="the timer of the request")
    machine.stop_units("tempoftp.service", timer_of(answer))
    end = int(time.time()) + seconds
    machine.sqlite(f"UPDATE requests SET expires = {end} WHERE id = '{answer['id']}' AND state <> 'eliminado'")
    machine.run(["systemctl", "start", "tempoftp.service"])
    wait_until(lambda: timer_of(answer) in machine.units(), what="the timer for the new end")
    assert time.time() < end, "too slow to see anything"
    return end


def timer_of(answer):
    return f"tempoftp-expire-{answer['id']}.timer"


def stop_timer(machine, answer):
    """A transient timer that is stopped is gone."""
    machine.run(["systemctl", "stop", timer_of(answer)])


def let_days_pass(machine, answer):
    """The request is due, and nothing has told tempoftpd."""
    end = move_end(machine, answer, 4)
    stop_timer(machine, answer)
    wait_until(lambda: time.time() >= end, what="the end")
    assert state(machine, answer) in ("listo", "bloqueado")


def started(machine):
    """Changes when tempoftpd is started anew."""
    return machine.unit("tempoftp.service", "ExecMainStartTimestampMonotonic")


def state(machine, answer):
    return machine.sqlite(f"SELECT state FROM requests WHERE id = '{answer['id']}' ORDER BY life DESC LIMIT 1")[0][0]


def authenticate(machine, answer, password):
    """What the FTP server is told about a login: (ok, reason)."""
    said = machine.run([*MANAGER, "Authenticate", "sss", answer["ftpuser"], password, "192.0.2.1"]).stdout
    ok, reason, *_ = json.loads(said)["data"]
    return ok, reason


def expire_due(machine):
    return json.loads(machine.run([*MANAGER, "ExpireDue"]).stdout)["data"][0]


def assert_expired(machine, api, answer, last_of_account=True):
    """Nothing of the request is left but its row; and nothing of the account when it was its last."""
    id, home = answer["id"], machine.file(f"/data/{answer['ftpuser']}")
    wait_until(lambda: state(machine, answer) == "expirado", 60, "the request to be expired")
    assert api.get(f"/tmpftp/{id}").json == {"id": id, "status": "expirado", "mensaje": "La vigencia terminó."}
    wait_until(lambda: not (home / id).exists(), 60, "its folder to leave the home")
    wait_until(lambda: not list(machine.file("/data/.purge").glob(f"{id}.*")), 60, "its data to be removed")
    wait_until(lambda: not [unit for unit in machine.units() if f"-{id}." in unit], 60, "its units to be gone")
    if last_of_account:
        wait_until(lambda: not home.exists(), 60, "the home to be removed")
        assert machine.sqlite(f"SELECT hash, token FROM accounts WHERE name = '{answer['ftpuser']}'") == [["", ""]]
        with pytest.raises(ftplib.error_perm, match="530"):
            ftp_login(machine, answer)


def assert_cut(ftp):
    """The server has ended the session: a 421 and the end of the connection, or only that."""
    with pytest.raises((ftplib.error_temp, EOFError, ConnectionError)):
        ftp.getresp()


# ---- access ---------------------------------------------------------------------------------------------

def test_the_clock_alone_refuses_logins_from_the_second_on(machine, api, deliver):
    answer = deliver()
    password = decrypt(machine, answer["password"])
    end = move_end(machine, answer, 6)
    stop_timer(machine, answer)
    accepted = refused = None
    while refused is None:
        before = time.time()
        ok, reason = authenticate(machine, answer, password)
        if ok:
            accepted = before
            assert before < end, "a login was let in after the end"
        else:
            refused = time.time()
            assert reason == "expired"
    assert accepted and refused >= end, "a login was refused before the end"
    # and tempoftpd, having seen what everything else missed, makes up for it
    assert_expired(machine, api, answer)


def test_a_session_ends_itself_with_everything_else_dead(machine, deliver):
    """No tempoftpd, no timers, and a listener that is frozen: each session knows its end."""
    answer = deliver({"grande.bin": BIG})
    end = move_end(machine, answer, 8)
    stop_timer(machine, answer)
    idle, busy = ftp_login(machine, answer), ftp_login(machine, answer)
    data = busy.transfercmd(f"RETR /{answer['id']}/grande.bin")
    data.recv(1000)
    listener = machine.unit("tempoftp-ftp.service", "MainPID")["MainPID"]
    try:
        machine.run(["systemctl", "mask", "--runtime", "--now", "tempoftp.service"])
        machine.run(["kill", "-STOP", listener])
        assert idle.pwd() == "/"
        assert time.time() < end, "too slow to see anything"

        assert_cut(idle)
        assert end <= time.time() < end + 20
        with contextlib.suppress(ConnectionResetError):
            while data.recv(1 << 20):
                pass
        assert_cut(busy)
        assert state(machine, answer) == "listo", "something else was alive"
    finally:
        machine.run(["kill", "-CONT", listener])
        machine.run(["systemctl", "unmask", "--runtime", "tempoftp.service"])
        for connection in (idle, busy, data):
            connection.close()


# ---- removal --------------------------------------------------------------------------------------------

def test_the_timer_of_the_request_alone_removes_all(machine, api, deliver):
    answer = deliver()
    end, start = move_end(machine, answer, 4), started(machine)
    assert state(machine, answer) == "listo"

    wait_until(lambda: state(machine, answer) == "expirado", 60)
    assert time.time() >= end
    assert started(machine) == start, "a start of tempoftpd helped"
    assert_expired(machine, api, answer)


def test_the_timer_brings_back_a_tempoftpd_that_is_not_running(machine, api, deliver):
    answer = deliver()
    end = move_end(machine, answer, 5)
    machine.stop_units("tempoftp.service")
    assert time.time() < end
    wait_until(lambda: state(machine, answer) == "expirado", 60)
    assert_expired(machine, api, answer)


def test_the_sweep_timer_alone_removes_all(machine, api, deliver):
    answer = deliver()
    session = ftp_login(machine, answer)
    let_days_pass(machine, answer)
    start = started(machine)
    late = api.post(f"/tmpftp/{answer['id']}/extender", {"dias": 2})
    assert (late.status, late.json["detail"]) == (400, "No se puede extender (estado actual: 'expirado')"), "extending never revives"

    # It runs every ten minutes, and makes up for a run that it missed.
    machine.run(["touch", "--date=1 hour ago", SWEEP_STAMP])
    machine.run(["systemctl", "start", SWEEP])
    assert_expired(machine, api, answer)
    assert_cut(session)
    session.close()
    assert started(machine) == start, "a start of tempoftpd helped"
    shown = machine.unit(SWEEP, "TimersCalendar", "Persistent")
    assert "*:00/10" in shown["TimersCalendar"] and shown["Persistent"] == "yes"


def test_the_look_around_at_start_alone_removes_all(machine, api, deliver):
    answer = deliver()
    session = ftp_login(machine, answer)
    end = move_end(machine, answer, 5)
    machine.stop_units("tempoftp.service", timer_of(answer))
    wait_until(lambda: time.time() > end, what="the end")
    assert state(machine, answer) == "listo"
    assert api.get("/").json == {"status": "active"}
    assert_expired(machine, api, answer)
    assert_cut(session)
    session.close()


# ---- what is taken, what stays --------------------------------------------------------------------------

def test_a_blocked_request_expires_too(machine, api, deliver):
    answer = deliver()
    assert api.post(f"/tmpftp/{answer['id']}/bloquear").status == 200
    let_days_pass(machine, answer)
    assert expire_due(machine) == 1
    assert_expired(machine, api, answer)
    assert not list(machine.file("/data/.blocked").glob(f"{answer['id']}.*"))
    refused = api.post(f"/tmpftp/{answer['id']}/desbloquear")
    assert (refused.status, refused.json["detail"]) == (400, "La solicitud no está bloqueada (estado actual: 'expirado')")


def test_the_persons_other_request_lives_on_until_its_own_end(machine, api, deliver, unique):
    person = f"{unique()}@example.org"
    first, second = deliver(usuario=person), deliver(usuario=person)
    assert first["ftpuser"] == second["ftpuser"]
    elsewhere, inside = ftp_login(machine, first), ftp_login(machine, first)
    elsewhere.cwd(f"/{second['id']}")
    inside.cwd(f"/{first['id']}")

    let_days_pass(machine, first)
    assert expire_due(machine) == 1
    assert_expired(machine, api, first, last_of_account=False)
    assert_cut(inside)
    assert fetch(elsewhere, "a.txt") == b"hola\n"
    with ftp_login(machine, second) as ftp:
        assert ftp.nlst("/") in ([second["id"]], [f"/{second['id']}"])
    assert api.get(f"/tmpftp/{second['id']}").json["password"] == second["password"]

    let_days_pass(machine, second)
    assert expire_due(machine) == 1
    assert_expired(machine, api, second)
    assert_cut(elsewhere)
    for ftp in (inside, elsewhere):
        ftp.close()


def test_an_extended_request_does_not_end_at_its_old_end(machine, api, deliver):
    answer = deliver()
    end = move_end(machine, answer, 5)
    extended = api.post(f"/tmpftp/{answer['id']}/extender", {"dias": 2})
    assert extended.status == 200 and time.time() < end

    wait_until(lambda: time.time() > end + 2, what="the old end to pass")
    assert expire_due(machine) == 0
    assert state(machine, answer) == "listo"
    assert (machine.file(f"/data/{answer['ftpuser']}") / answer["id"] / "a.txt").exists()
    with ftp_login(machine, answer) as ftp:
        assert fetch(ftp, f"/{answer['id']}/a.txt") == b"hola\n"
    assert f"@{end + 2 * 86400}" in machine.run(["systemctl", "cat", timer_of(answer)]).stdout


# ---- removal that is interrupted or fails ---------------------------------------------------------------

def fill_folder(machine, folder, count):
    """Many files beside the delivered ones, as a worker would have written them."""
    machine.run(["/usr/bin/python3", "-c", f"import os; os.chdir({folder!r}); os.mkdir('many')\n"
                 f"for n in range({count}): open(f'many/{{n}}', 'w').close()"])
    machine.run(["chown", "-R", "tempoftp-transfer:2001", f"{folder}/many"])


def test_a_removal_that_is_killed_is_done_again(machine, api, deliver):
    answer = deliver()
    fill_folder(machine, f"/data/{answer['ftpuser']}/{answer['id']}", 40_000)
    began = machine.journal_now()
    let_days_pass(machine, answer)
    assert expire_due(machine) == 1
    machine.shell("until pkill -KILL -x rm; do :; done", timeout=60)
    assert list(machine.file("/data/.purge").glob(f"{answer['id']}.*")), "it was too late"
    assert_expired(machine, api, answer)
    assert "The removal of the data failed (signal: killed/KILL), will be tried again" in machine.journal("-u", "tempoftp", since=began)


def test_a_removal_that_fails_is_loud_and_is_tried_again_with_growing_pauses(machine, api, deliver):
    answer = deliver()
    id = answer["id"]
    locked = machine.file(f"/data/{answer['ftpuser']}/{id}/locked")
    locked.mkdir(mode=0o700)  # root's: the purge unit may not look into it
    (locked / "file").touch()
    began = machine.journal_now()
    let_days_pass(machine, answer)
    assert expire_due(machine) == 1

    def pause():
        """(number of failures, seconds to wait) as written down after the latest failure."""
        rows = machine.sqlite(f"SELECT tries, not_before - strftime('%s') FROM tasks JOIN requests USING (life) WHERE id = '{id}' AND kind = 'purge'")
        return rows and int(rows[0][0]), rows and int(rows[0][1])

    wait_until(lambda: pause()[0] == 2, 60, "the second failure")
    assert pause()[1] > 5, "the second pause is longer than the first"
    told = machine.journal("PRIORITY=3", f"TEMPOFTP_ID={id}", since=began)
    assert told.count("The removal of the data failed (exit-code: exited/1), will be tried again") == 2
    health = api.get("/health")
    assert health.status == 503 and (health.json["status"], health.json["limpieza"]) == ("degraded", "error")
    with pytest.raises(ftplib.error_perm, match="530"):
        ftp_login(machine, answer)

    machine.run(["chown", "-R", "tempoftp-transfer:2001", f"/data/.purge/{next(machine.file('/data/.purge').glob(f'{id}.*')).name}/locked"])
    assert_expired(machine, api, answer)
    wait_until(lambda: pause() == ([], []), 60, "the task to be done")
    health = api.get("/health")
    assert health.status == 200 and "limpieza" not in health.json


# ---- many ends ------------------------------------------------------------------------------------------

def test_only_the_500_nearest_ends_have_a_timer(machine, api, deliver):
    answer = deliver(vigencia=90)
    account, email = answer["ftpuser"], answer["email"]
    machine.stop_units("tempoftp.service")
    now = int(time.time())
    machine.sqlite("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600) "
                   "INSERT INTO requests (state, id, email, account, ruta, vigencia, created, ready, expires) "
                   f"SELECT 'listo', 'many-' || i, '{email}', '{account}', 'source:/srv/x', 5, {now}, {now}, {now} + 86400 + i FROM n;"
                   "INSERT INTO events (life, n, at, state, actor) SELECT life, 1, created, 'listo', 'test' FROM requests WHERE id LIKE 'many-%'")
    try:
        assert api.get("/").status == 200

        def timers():
            return {name.removeprefix("tempoftp-expire-").removesuffix(".timer") for name in machine.units("tempoftp-expire-*.timer")}

        nearest = {f"many-{i}" for i in range(1, 501)}
        wait_until(lambda: not timers() ^ nearest, 60, "the 500 nearest ends to be armed and no other")
        # one more comes to `listo`, with an end far away
        other = deliver(vigencia=90)
        wait_until(lambda: api.get(f"/tmpftp/{other['id']}/eventos").json["eventos"][-1]["estado"] == "listo")
        assert timers() == nearest
    finally:
        assert api.delete(f"/tmpftp/user/{account}", timeout=120).status == 200
    wait_until(lambda: not machine.units("tempoftp-expire-*.timer"), 60, "the timers to be gone")
