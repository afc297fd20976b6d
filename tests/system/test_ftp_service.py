"""The FTP server as a service: idle and back, under a storm of logins, told wrong things, in its sandbox."""
import concurrent.futures
import ftplib
import itertools
import re
import statistics
import threading
import time

import pytest

from client import FTP_ADDRESS, decrypt, fetch, ftp_login
from conftest import BUILD
from ftp_service import change_database, delivered, list_sessions, main_pid, opened, slow_hash  # noqa: F401 (fixtures)
from machine import wait_until

SMALL = {"a.txt": "hola\n"}


def in_threads(n, work):
    """Runs work() in n threads at once; returns what they raised."""
    problems = []

    def one():
        try:
            work()
        except Exception as error:  # reported by the test, not by the thread
            problems.append(error)
    threads = [threading.Thread(target=one) for _ in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return problems


# ---- coming and going ---------------------------------------------------------------------------------

def test_no_login_is_lost_while_the_server_goes_idle(machine, delivered):  # noqa: F811
    answer = delivered(files=SMALL)
    with machine.settings(TEMPOFTP_IDLE_SECONDS="1"):
        listeners, pauses = set(), itertools.cycle(0.95 + step * 0.02 for step in range(10))  # around the moment it leaves
        for pause in itertools.islice(pauses, 60):
            with ftp_login(machine, answer, timeout=60) as ftp:
                listeners.add(main_pid(machine))
                assert ftp.nlst() == [answer["id"]]
            if len(listeners) > 4:
                break
            time.sleep(pause)
        assert len(listeners) > 4
        wait_until(lambda: not machine.processes("tempoftp-ftpd"), 60, what="an idle machine")


def test_a_session_keeps_the_server_there(machine, delivered, opened):  # noqa: F811
    answer = delivered(files=SMALL)
    with machine.settings(TEMPOFTP_IDLE_SECONDS="1"):
        ftp = opened(answer)
        listener = main_pid(machine)
        wait_until(lambda: not machine.processes("tempoftpd"), 60, what="tempoftpd to leave")
        assert main_pid(machine) == listener
        assert "tempoftp sesiones" in machine.unit("tempoftp-ftp.service", "StatusText")["StatusText"]
        assert fetch(ftp, f"/{answer['id']}/a.txt") == b"hola\n"
        ftp.quit()
        wait_until(lambda: not machine.processes("tempoftp-ftpd"), 60, what="an idle machine")


# ---- many, and strangers ------------------------------------------------------------------------------

def test_many_people_log_in_at_once(machine, delivered):  # noqa: F811
    answer = delivered(files=SMALL)

    def visit():
        for _ in range(10):
            with ftp_login(machine, answer, timeout=60) as ftp:
                assert fetch(ftp, f"/{answer['id']}/a.txt") == b"hola\n"
    assert in_threads(20, visit) == []


def latencies(api, path, enough):
    """Seconds that GETs took, one after the other, until enough() says so."""
    took = []
    while not enough():
        began = time.monotonic()
        assert api.get(path).status == 200
        took.append(time.monotonic() - began)
        time.sleep(0.01)
    return took


def test_a_login_storm_does_not_delay_the_api(machine, api, delivered):  # noqa: F811
    """Passwords are checked beside the loop: forty strangers and clients keep every checker busy, and a GET is still answered. The password
    has a hash that is slow to check, as one that came from elsewhere may."""
    answer = delivered(files=SMALL)
    change_database(machine, f"UPDATE accounts SET hash = '{slow_hash(decrypt(machine, answer['password']), 4)}' "
                             f"WHERE name = '{answer['ftpuser']}'")
    until, logins = time.monotonic() + 8, []

    def guess():
        while time.monotonic() < until:
            with ftplib.FTP(timeout=60) as ftp:
                ftp.connect(*FTP_ADDRESS)
                with pytest.raises(ftplib.error_perm, match="530"):
                    ftp.login(answer["ftpuser"], "wrong-password")

    def visit():
        while time.monotonic() < until:
            ftp_login(machine, answer, timeout=60).close()
            logins.append(1)
    problems = []
    storm = [threading.Thread(target=lambda: problems.extend(in_threads(20, work))) for work in (guess, visit)]
    for thread in storm:
        thread.start()
    took = latencies(api, f"/tmpftp/{answer['id']}", lambda: time.monotonic() > until)
    for thread in storm:
        thread.join()
    assert problems == []
    assert len(logins) > 10 and len(took) > 10
    # checked on the loop, a GET would wait for the passwords of all who came before it: about eight seconds
    assert statistics.median(took) < 0.5 and max(took) < 4, sorted(took)[-10:]


def test_wrong_passwords_are_answered_late_and_three_times_only(machine, delivered):  # noqa: F811
    answer = delivered(files=SMALL)
    with ftplib.FTP(timeout=60) as ftp:
        ftp.connect(*FTP_ADDRESS)
        for wait, code in ((1, "530"), (2, "530"), (4, "421")):
            assert ftp.sendcmd(f"USER {answer['ftpuser']}").startswith("331")
            asked = time.monotonic()
            with pytest.raises(ftplib.Error, match=code):
                ftp.sendcmd("PASS wrong-password")
            assert time.monotonic() - asked >= wait
        with pytest.raises((EOFError, ConnectionError)):
            ftp.sendcmd("NOOP")
    with ftp_login(machine, answer) as ftp:  # nobody locks out the one who knows it
        assert ftp.nlst() == [answer["id"]]


def refusal(user, password):
    """All that a stranger hears."""
    with ftplib.FTP(timeout=60) as ftp:
        ftp.connect(*FTP_ADDRESS)
        asked = time.monotonic()
        heard = [ftp.sendcmd(f"USER {user}")]
        with pytest.raises(ftplib.error_perm) as error:
            ftp.sendcmd(f"PASS {password}")
        assert time.monotonic() - asked >= 1
        return [*heard, str(error.value)]


def test_unknown_blocked_and_known_accounts_sound_the_same(machine, api, delivered):  # noqa: F811
    answer, blocked = delivered(files=SMALL), delivered(files=SMALL)
    assert api.post(f"/tmpftp/{blocked['id']}/bloquear", {}).status == 200
    strangers = [(answer["ftpuser"], "wrong-password"), ("ftp_nadie_abcd", "wrong-password"), ("root", "x"), ("anonymous", "a@b"),
                 ("x" * 300, "x"), ("' OR 1=1 --", "x"), (answer["ftpuser"].upper(), "wrong-password"), (answer["ftpuser"], "y" * 900),
                 (blocked["ftpuser"], "wrong-password"), (blocked["ftpuser"], decrypt(machine, blocked["password"]))]
    with concurrent.futures.ThreadPoolExecutor(len(strangers)) as pool:
        heard = list(pool.map(lambda stranger: refusal(*stranger), strangers))
    assert heard == [heard[0]] * len(strangers)
    assert heard[0][1].startswith("530")


# ---- told wrong things --------------------------------------------------------------------------------

def test_a_setting_it_cannot_serve_is_answered_and_not_tried_for_ever(machine, delivered):  # noqa: F811
    answer = delivered(files=SMALL)
    with machine.settings(TEMPOFTP_FTP_TLS="required"):
        with pytest.raises(ftplib.error_temp, match="421"):
            ftp_login(machine, answer)
        wait_until(lambda: machine.unit("tempoftp-ftp.service", "ActiveState")["ActiveState"] == "failed", 60, what="a failed service")
        assert machine.unit("tempoftp-ftp.service", "ExecMainStatus")["ExecMainStatus"] == "78"
        assert "TEMPOFTP_FTP_TLS" in machine.journal("-u", "tempoftp-ftp")
        machine.run(["systemctl", "reset-failed", "tempoftp-ftp.service"])
    with ftp_login(machine, answer) as ftp:
        assert ftp.nlst() == [answer["id"]]


def test_it_listens_where_the_socket_says(machine, delivered):  # noqa: F811
    answer, change = delivered(files=SMALL), "/etc/systemd/system/tempoftp-ftp.socket.d/port.conf"

    def restart():
        machine.run(["systemctl", "stop", "tempoftp-ftp.service", "tempoftp-ftp.socket"])
        machine.run(["systemctl", "daemon-reload"])
        machine.run(["systemctl", "start", "tempoftp-ftp.socket"])
    machine.write_file(change, "[Socket]\nListenStream=\nListenStream=2121\n")
    try:
        restart()
        for address in ("127.0.0.1", "::1"):
            with ftp_login(machine, answer, address=(address, 2121)) as ftp:
                assert ftp.nlst() == [answer["id"]]
    finally:
        machine.run(["rm", "-r", change.rpartition("/")[0]])
        restart()


def test_it_serves_another_data_path(machine, delivered):  # noqa: F811
    """The sandbox shows the server the data path only, whichever it is."""
    machine.run(["install", "-d", "-o", "tempoftp", "-g", "2001", "-m", "2750", "/srv/datos"])
    try:
        with machine.settings(TEMPOFTP_DATA_PATH="/srv/datos"):
            machine.run(["systemctl", "daemon-reload"])
            answer = delivered(files=SMALL)
            assert machine.file(f"/srv/datos/{answer['ftpuser']}/{answer['id']}/a.txt").exists()
            with ftp_login(machine, answer) as ftp:
                assert fetch(ftp, f"/{answer['id']}/a.txt") == b"hola\n"
            assert machine.run(["tempoftp", "eliminar", answer["id"]]).returncode == 0
            wait_until(lambda: not list(machine.file("/srv/datos/.purge").iterdir()), 60, what="the purge")
    finally:
        machine.run(["systemctl", "daemon-reload"])
        machine.run(["rm", "-r", "/srv/datos"])


# ---- its sandbox --------------------------------------------------------------------------------------

def test_the_server_knows_no_secrets_and_sees_no_other_files(machine, delivered, opened):  # noqa: F811
    opened(delivered(files=SMALL))
    pid = main_pid(machine)
    environment = machine.file(f"/proc/{pid}/environ").read_bytes()
    assert b"TEMPOFTP_ENCRYPTION_KEY" not in environment
    root = f"/proc/{pid}/root"
    seen = set(machine.run(["ls", f"{root}/"]).stdout.split())
    assert seen - {"home", "root"} == {"data", "dev", "etc", "lib", "lib64", "proc", "run", "sys", "tmp", "usr", "var"}
    assert machine.run(["ls", f"{root}/etc"]).stdout.split() == ["ld.so.cache"]
    # credentials: the certificate and its key. This machine has none: they are empty.
    assert machine.run(["ls", f"{root}/run", f"{root}/run/systemd"]).stdout.split() == [
        f"{root}/run:", "credentials", "dbus", "systemd", f"{root}/run/systemd:", "incoming", "journal", "notify"]
    assert not machine.run(["sh", "-c", f"cat {root}/run/credentials/*/*"]).stdout.strip()
    for name in seen & {"home", "root"}:
        assert machine.run(["ls", f"{root}/{name}"]).stdout == ""
    for folder in ("usr", "etc", ""):  # data: test_drop.py
        assert "Read-only file system" in machine.run(["touch", f"{root}/{folder}/x"], check=False).stderr


def test_sessions_run_jailed_as_the_ftp_user(machine, delivered, opened):  # noqa: F811
    answer = delivered(files=SMALL)
    opened(answer)
    session, = list_sessions(machine, answer["ftpuser"])
    status = machine.file(f"/proc/{session['pid']}/status").read_text()
    facts = dict(re.split(r":\s*", line, maxsplit=1) for line in status.splitlines())
    assert facts["Uid"].split() == facts["Gid"].split() == ["2001"] * 4
    assert (facts["Seccomp"], facts["NoNewPrivs"]) == ("2", "1")
    assert {facts[name] for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {"0" * 16}
    assert machine.run(["readlink", f"/proc/{session['pid']}/root"]).stdout.strip() == f"/data/{answer['ftpuser']}"
    held = machine.run(["ls", f"/proc/{session['pid']}/fd"]).stdout.split()
    assert held == ["0", "1", "2", "3", "4", "5"]


@pytest.mark.parametrize("test", ["test-ftp-jail", "test-ftp-jail-work"], ids=["what an intruder tries", "what a session needs"])
def test_the_jail_holds_and_works_inside_the_unit(machine, test):
    """The unit tests of the jail, in a unit with the service's own user and filters."""
    unit = machine.file("/usr/lib/systemd/system/tempoftp-ftp.service").read_text()
    kept = ("User=", "Group=", "SystemCall", "Restrict", "NoNewPrivileges=", "PrivateUsers=", "PrivateTmp=", "MemoryDeny", "LockPersonality=",
            "CapabilityBoundingSet=", "AmbientCapabilities=", "Protect")
    # where the test's program lies is not where the service may look
    lines = [line for line in unit.splitlines() if line.startswith(kept) and not line.startswith(("ProtectHome=", "Restart"))]
    assert len(lines) > 15
    name, program = f"{test}.service", f"/usr/local/bin/{test}"
    machine.write_file(program, (BUILD / "tests/unit" / test).read_bytes(), mode=0o755)
    machine.write_file(f"/run/systemd/system/{name}", f"[Service]\nType=oneshot\nExecStart={program}\n" + "\n".join(lines) + "\n")
    try:
        machine.run(["systemctl", "daemon-reload"])
        started = machine.run(["systemctl", "start", name], check=False)
        said = machine.journal("-u", name)
        assert started.returncode == 0, said
        assert "PASSED" in said and "FAILED" not in said
        assert test != "test-ftp-jail" or "sessions' root is their home" in said
    finally:
        machine.run(["rm", program, f"/run/systemd/system/{name}"])
        machine.run(["systemctl", "reset-failed", name], check=False)
        machine.run(["systemctl", "daemon-reload"])
