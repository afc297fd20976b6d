"""Drop folders: an operator lets a person write into one folder of the account, and everything put there goes with the account's last request.

Sessions and their jail are test_ftp_*.py's; here is who gives a drop, what the FTP server may write with it, and how what strangers made is removed.
"""
import ftplib
import io
import json
import subprocess
import time

import pytest

import client
from client import decrypt, ftp_login
from ftp_service import delivered, kill_listener, list_sessions, main_pid, opened, without_tempoftpd  # noqa: F401
from machine import wait_until

SMALL = {"a.txt": "hola\n"}
REMOVED = "What was put into the drop folder is removed"
MANAGER = ["busctl", "--system", "--json=short", "call", "org.tempoftp.Manager1", "/org/tempoftp/Manager1", "org.tempoftp.Manager1"]
FTP_USER = ["setpriv", "--reuid=2001", "--regid=2001", "--clear-groups"]


def drop_of(machine, answer):
    return machine.file(f"/data/{answer['ftpuser']}/_buzon")


def authenticate(machine, answer):
    """ok, reason, home, expira, drop, quota."""
    password = decrypt(machine, answer["password"])
    return json.loads(machine.run([*MANAGER, "Authenticate", "sss", answer["ftpuser"], password, "192.0.2.1"]).stdout)["data"]


def as_ftp_user(machine, script, **options):
    """What the FTP server's user can do in a shell, outside all jails."""
    return machine.run([*FTP_USER, "bash", "-euc", script], **options)


def wait_purged(machine, timeout=60):
    """Nothing is left in .purge, no unit is at it, no task waits."""
    wait_until(lambda: not list(machine.file("/data/.purge").iterdir()), timeout, "the purge")
    wait_until(lambda: not machine.units("tempoftp-drop-*"), timeout, "the unit has gone")
    wait_until(lambda: machine.sqlite("SELECT count(*) FROM tasks") == [["0"]], timeout, "the task is done")


def wait_told(machine, id, since, text):
    """The journal tells it of that request; a moment may pass until it does. Returns all that it tells."""
    def told():
        lines = machine.journal(f"TEMPOFTP_ID={id}", since=since)
        return lines if text in lines else None
    return wait_until(told, 30, f"the journal tells: {text}")


# ---- given, shown, taken ------------------------------------------------------------------------------

def test_an_operator_gives_a_drop_and_takes_it_away(machine, api, delivered):  # noqa: F811
    answer = delivered(files=SMALL)
    id, account = answer["id"], answer["ftpuser"]
    since = machine.journal_now()
    assert "buzon" not in answer
    assert authenticate(machine, answer)[4:] == ["", 0]

    said = machine.run(["tempoftp", "buzon", id, "--bytes", "5M"]).stdout
    assert "/_buzon" in said and "5,0 MB" in said
    folder = drop_of(machine, answer).stat()
    assert (folder.st_uid, folder.st_gid, folder.st_mode & 0o7777) == (machine.uid("tempoftp")[0], 2001, 0o2770)
    assert authenticate(machine, answer)[4:] == ["_buzon", 5000000]
    assert api.get(f"/tmpftp/{id}").json["buzon"] == {"carpeta": "_buzon", "bytes": 5000000, "usados": 0}
    as_ftp_user(machine, f"umask 027; mkdir /data/{account}/_buzon/x; head -c 1234 /dev/zero >/data/{account}/_buzon/x/file")
    assert api.get(f"/tmpftp/{id}").json["buzon"]["usados"] == 1234
    assert "1,2 kB de 5,0 MB" in machine.run(["tempoftp", "ver", id]).stdout

    reply = api("PUT", f"/tmpftp/{id}/buzon", {"bytes": 7})  # again: what lies there stays
    assert (reply.status, reply.json["buzon"]) == (200, {"carpeta": "_buzon", "bytes": 7})
    assert api.get(f"/tmpftp/{id}").json["buzon"] == {"carpeta": "_buzon", "bytes": 7, "usados": 1234}

    assert machine.run(["tempoftp", "buzon", id, "--quitar"]).returncode == 0
    assert not drop_of(machine, answer).exists()
    assert "buzon" not in api.get(f"/tmpftp/{id}").json
    assert authenticate(machine, answer)[4:] == ["", 0]
    wait_purged(machine)
    assert api.delete(f"/tmpftp/{id}/buzon").status == 404
    events = [event["mensaje"] for event in api.get(f"/tmpftp/{id}/eventos").json["eventos"] if event["mensaje"]]
    assert events[-3:] == ["buzón de 5000000 bytes", "buzón de 7 bytes", "buzón retirado"]
    for text in (f"The drop folder of {account} is open, for 5000000 bytes", f"The drop folder of {account} is closed", REMOVED):
        wait_told(machine, id, since, text)
    # file, its folder, the drop
    wait_until(lambda: "3 files and folders" in machine.journal("--identifier=tempoftp-purge", since=since), 30, "the unit tells what it removed")


@pytest.mark.parametrize("body, status, text", [
    ({"bytes": 0}, 422, "mayor o igual a 1"), ({"bytes": "10G"}, 422, "entero"), ({"bytes": 10**15 + 1}, 422, "menor o igual"), ([], 422, ""),
], ids=["nothing", "a text", "too much", "no object"])
def test_a_wrong_number_of_bytes_is_refused(api, delivered, body, status, text):  # noqa: F811
    answer = delivered(files=SMALL)
    reply = api("PUT", f"/tmpftp/{answer['id']}/buzon", body)
    assert reply.status == status and text in reply.text
    assert "buzon" not in api.get(f"/tmpftp/{answer['id']}").json


def test_only_operators_give_drops(http, api, delivered):  # noqa: F811
    answer = delivered(files=SMALL)
    assert http("PUT", f"/tmpftp/{answer['id']}/buzon", {}).status == 401
    assert "buzon" not in api.get(f"/tmpftp/{answer['id']}").json
    assert api("PUT", f"/tmpftp/{answer['id']}/buzon", {}).status == 200
    assert http.delete(f"/tmpftp/{answer['id']}/buzon").status == 401
    assert http.get(f"/tmpftp/{answer['id']}").json["buzon"]["bytes"] == 10**10


def test_what_has_no_account_gets_no_drop(machine, api, submit, unique, wait_for):
    assert api("PUT", f"/tmpftp/{unique()}/buzon", {}).status == 404
    assert api.delete(f"/tmpftp/{unique()}/buzon").status == 404
    id = submit("source:/srv/there-is-no-such-folder")
    wait_for(id, "error")
    reply = api("PUT", f"/tmpftp/{id}/buzon", {})
    assert (reply.status, reply.json["detail"]) == (400, "No se puede abrir un buzón (estado actual: 'error')")
    assert api("POST", f"/tmpftp/{id}/buzon", {}).headers["allow"] == "PUT, DELETE, OPTIONS"
    failed = machine.run(["tempoftp", "buzon", id, "--bytes", "diez"], check=False)
    assert failed.returncode == 2 and "diez" in failed.stderr


# ---- what the FTP server may write with it ------------------------------------------------------------

def test_the_server_writes_in_drops_and_nowhere_else(machine, api, delivered, opened):  # noqa: F811
    """What a listener that was taken over could do: its user, its mounts, no session's jail."""
    answer = delivered(files=SMALL)
    assert api("PUT", f"/tmpftp/{answer['id']}/buzon", {}).status == 200
    opened(answer)
    home, id = f"/data/{answer['ftpuser']}", answer["id"]
    inside = ["nsenter", f"--target={main_pid(machine)}", "--mount", "--", *FTP_USER]

    def refused(*command):
        return machine.run([*inside, *command], check=False).returncode != 0

    assert not refused("cp", "/usr/bin/true", f"{home}/_buzon/true")
    assert not refused("chmod", "755", f"{home}/_buzon/true")
    assert refused(f"{home}/_buzon/true"), "what was put there can be run"
    for path in ("/data/x", "/data/.staging/x", "/data/.purge/x", "/data/.blocked/x", f"{home}/x", f"{home}/{id}/x"):
        assert refused("touch", path), path
    for path in ("/data/.staging", "/data/.purge", "/data/.blocked"):
        assert refused("ls", path), path
    assert refused("truncate", "-s", "0", f"{home}/{id}/a.txt") and refused("rm", f"{home}/{id}/a.txt")
    assert refused("chmod", "777", f"{home}/_buzon") and refused("mv", f"{home}/_buzon", f"{home}/other")


def test_drops_work_in_another_data_path(machine, api, delivered):  # noqa: F811
    """tempoftp-generator shows that one to the server, and hides what is tempoftpd's own there too."""
    machine.run(["install", "-d", "-o", "tempoftp", "-g", "2001", "-m", "2750", "/srv/otros"])
    try:
        with machine.settings(TEMPOFTP_DATA_PATH="/srv/otros"):
            machine.run(["systemctl", "daemon-reload"])
            answer = delivered(files=SMALL)
            assert api("PUT", f"/tmpftp/{answer['id']}/buzon", {}).status == 200
            with ftp_login(machine, answer) as ftp:
                ftp.storbinary("STOR /_buzon/file", io.BytesIO(b"x"))
                inside = ["nsenter", f"--target={main_pid(machine)}", "--mount", "--", *FTP_USER]
                for folder in (".staging", ".purge", ".blocked"):
                    assert machine.run([*inside, "ls", f"/srv/otros/{folder}"], check=False).returncode != 0
            assert api.delete(f"/tmpftp/{answer['id']}").status == 200
            wait_until(lambda: not list(machine.file("/srv/otros/.purge").iterdir()), 60, "the purge")
    finally:
        machine.run(["systemctl", "daemon-reload"])
        machine.run(["rm", "-r", "/srv/otros"])


def test_without_a_drop_a_session_writes_nothing(machine, delivered, opened):  # noqa: F811
    """Nor into the drop of an account that was given one after the login."""
    answer = delivered(files=SMALL)
    early = opened(answer)
    machine.run(["tempoftp", "buzon", answer["id"]])
    late = opened(answer)
    late.storbinary("STOR /_buzon/new.txt", io.BytesIO(b"late"))
    for path in ("/_buzon/early.txt", "/early.txt", f"/{answer['id']}/a.txt"):
        with pytest.raises(ftplib.error_perm):
            early.storbinary(f"STOR {path}", io.BytesIO(b"early"))
    for path in ("/late.txt", f"/{answer['id']}/a.txt"):
        with pytest.raises(ftplib.error_perm):
            late.storbinary(f"STOR {path}", io.BytesIO(b"late"))
    assert [path.name for path in drop_of(machine, answer).iterdir()] == ["new.txt"]


def test_a_drop_that_is_taken_ends_the_sessions(machine, delivered, opened):  # noqa: F811
    answer = delivered(files=SMALL)
    machine.run(["tempoftp", "buzon", answer["id"]])
    ftp = opened(answer)
    ftp.storbinary("STOR /_buzon/file", io.BytesIO(b"x"))
    machine.run(["tempoftp", "buzon", answer["id"], "--quitar"])
    assert not list_sessions(machine, answer["ftpuser"])
    with pytest.raises((ftplib.error_temp, EOFError, ConnectionError)):
        ftp.pwd()
        ftp.pwd()
    wait_purged(machine)


def test_a_server_that_sees_tempoftpds_folders_grants_no_drop(machine, api, delivered):  # noqa: F811
    """They were made after it was started, so that its unit could not hide them."""
    drop_in = "/run/systemd/system/tempoftp-ftp.service.d/90-seen.conf"
    answer = delivered(files=SMALL)
    assert api("PUT", f"/tmpftp/{answer['id']}/buzon", {}).status == 200
    machine.write_file(drop_in, "[Service]\nInaccessiblePaths=\n")
    since = machine.journal_now()
    try:
        machine.run(["systemctl", "daemon-reload"])
        machine.restart()
        with ftp_login(machine, answer) as ftp, pytest.raises(ftplib.error_perm):
            ftp.storbinary("STOR /_buzon/file", io.BytesIO(b"x"))
        assert "Drop folders stay read-only" in machine.journal("-u", "tempoftp-ftp", since=since)
    finally:
        machine.run(["rm", drop_in])
        machine.run(["systemctl", "daemon-reload"])
        machine.restart()


# ---- the end ------------------------------------------------------------------------------------------

def test_a_drop_stays_as_long_as_its_account(machine, api, delivered, unique):  # noqa: F811
    person = f"{unique()}@example.org"
    first, second = delivered(files=SMALL, usuario=person), delivered(files=SMALL, usuario=person)
    assert api("PUT", f"/tmpftp/{first['id']}/buzon", {"bytes": 1000}).status == 200
    as_ftp_user(machine, f"echo hola >/data/{first['ftpuser']}/_buzon/file")
    assert api.delete(f"/tmpftp/{first['id']}").status == 200
    assert (drop_of(machine, first) / "file").read_text() == "hola\n"
    assert api.get(f"/tmpftp/{second['id']}").json["buzon"]["bytes"] == 1000
    assert api.post(f"/tmpftp/{second['id']}/bloquear", {}).status == 200
    assert drop_of(machine, first).exists()

    assert api.delete(f"/tmpftp/{second['id']}").status == 200
    assert not machine.file(f"/data/{first['ftpuser']}").exists()
    wait_purged(machine)
    third = delivered(files=SMALL, usuario=person)
    assert "buzon" not in third and authenticate(machine, third)[4:] == ["", 0]


def test_what_nobody_may_enter_is_purged_too(machine, api, delivered):  # noqa: F811
    """A session that was taken over may have made anything its user can: no modes, no end of depth, any name."""
    answer = delivered(files=SMALL)
    assert api("PUT", f"/tmpftp/{answer['id']}/buzon", {}).status == 200
    as_ftp_user(machine, rf"""
        cd /data/{answer['ftpuser']}/_buzon
        mkdir -p a/b/c; echo x >a/b/c/file; ln -s / a/root; mkfifo a/b/pipe
        mkdir "$(printf 'two\nlines')" -- '-rf' ' '; : >"$(printf '\xff')"
        chmod 0 a/b/c/file a/b/c a/b a
    """)
    assert as_ftp_user(machine, f"rm -rf /data/{answer['ftpuser']}/_buzon/a", check=False).returncode != 0
    assert api.get(f"/tmpftp/{answer['id']}").json["buzon"]["usados"] == 0  # what it can't see it doesn't count
    as_ftp_user(machine, rf"""
        cd /data/{answer['ftpuser']}/_buzon
        /usr/bin/python3 -c 'for depth in range(3000): import os; os.mkdir("deep"); os.chdir("deep"); open("file", "w").close()'
    """)
    assert api.get(f"/tmpftp/{answer['id']}").json["buzon"]["usados"] is None  # deeper than it can count
    since = machine.journal_now()
    assert api.delete(f"/tmpftp/{answer['id']}").status == 200
    wait_purged(machine)
    told = wait_told(machine, answer["id"], since, REMOVED)
    assert "not all" not in told and "failed" not in told


def test_the_purge_runs_as_the_owner_in_a_sandbox(machine, api, delivered):  # noqa: F811
    answer = delivered(files=SMALL)
    unit = f"tempoftp-drop-{answer['id']}.service"
    hold = f"/run/systemd/system/{unit}.d/90-hold.conf"
    assert api("PUT", f"/tmpftp/{answer['id']}/buzon", {}).status == 200
    machine.write_file(hold, "[Service]\nExecStartPre=/bin/sleep 3600\nType=simple\n")
    try:
        machine.run(["systemctl", "daemon-reload"])
        assert api.delete(f"/tmpftp/{answer['id']}").status == 200
        wait_until(lambda: unit in machine.units("tempoftp-drop-*"), 30)
        shown = machine.unit(unit, "User", "Group", "Slice", "PrivateNetwork", "PrivateUsers", "NoNewPrivileges", "CapabilityBoundingSet", "ExecStart")
        assert (shown["User"], shown["Group"], shown["Slice"]) == ("2001", "2001", "tempoftp-transfers.slice")
        assert shown["PrivateNetwork"] == shown["PrivateUsers"] == shown["NoNewPrivileges"] == "yes" and not shown["CapabilityBoundingSet"]
        assert "/data/.purge/_buzon." in shown["ExecStart"]
    finally:
        machine.run(["rm", "-r", f"/run/systemd/system/{unit}.d"])
        machine.run(["systemctl", "daemon-reload"])
        machine.run(["systemctl", "kill", "--signal=KILL", unit], check=False)
    wait_purged(machine)  # it was killed: its task starts it again


# ---- interrupted --------------------------------------------------------------------------------------

def interrupted_after_commit(machine, answer):
    """tempoftpd is killed between the commit that closes a drop and the folder's move."""
    with without_tempoftpd(machine):
        machine.sqlite(f"UPDATE accounts SET drop_bytes = 0 WHERE name = '{answer['ftpuser']}';"
                       f"INSERT INTO tasks SELECT life, 'drop', 0, 0 FROM requests WHERE id = '{answer['id']}' AND state <> 'eliminado'")


def interrupted_before_commit(machine, answer):
    """… between the making of a drop folder and its commit."""
    with without_tempoftpd(machine):
        machine.sqlite(f"UPDATE accounts SET drop_bytes = 0 WHERE name = '{answer['ftpuser']}'; UPDATE notes SET value = '' WHERE key = 'rested'")


def interrupted_after_move(machine, answer):
    """… between the folder's move and the start of the unit."""
    with without_tempoftpd(machine):
        machine.sqlite(f"UPDATE accounts SET drop_bytes = 0 WHERE name = '{answer['ftpuser']}';"
                       f"INSERT INTO tasks SELECT life, 'drop', 0, 0 FROM requests WHERE id = '{answer['id']}' AND state <> 'eliminado'")
        life, = machine.sqlite(f"SELECT life FROM requests WHERE id = '{answer['id']}' AND state <> 'eliminado'")[0]
        machine.shell(f"cd /data; mv {answer['ftpuser']}/_buzon .purge/_buzon.{answer['id']}.{life}")


@pytest.mark.parametrize("interrupt", [interrupted_after_commit, interrupted_before_commit, interrupted_after_move],
                         ids=["after the commit", "before the commit", "after the move"])
def test_an_interrupted_end_is_done_at_the_next_start(machine, api, delivered, interrupt):  # noqa: F811
    answer = delivered(files=SMALL)
    assert api("PUT", f"/tmpftp/{answer['id']}/buzon", {}).status == 200
    as_ftp_user(machine, f"echo x >/data/{answer['ftpuser']}/_buzon/file")
    interrupt(machine, answer)
    assert "buzon" not in api.get(f"/tmpftp/{answer['id']}").json  # wakes it
    wait_until(lambda: not drop_of(machine, answer).exists(), 60, "the drop is taken away")
    wait_purged(machine)
    assert (drop_of(machine, answer).parent / answer["id"] / "a.txt").exists()


def test_a_killed_tempoftpd_leaves_no_drop_half_closed(machine, api, delivered):  # noqa: F811
    """kill -9 at different moments after the call; whatever was committed comes true."""
    answer = delivered(files=SMALL)
    for moment in range(12):
        assert api("PUT", f"/tmpftp/{answer['id']}/buzon", {"bytes": 1000 + moment}).status == 200
        as_ftp_user(machine, f"echo x >/data/{answer['ftpuser']}/_buzon/file")
        call = subprocess.Popen(machine.command(["curl", "-s", "-X", "DELETE", "--unix-socket", client.API_SOCKET,
                                                 f"http://localhost/tmpftp/{answer['id']}/buzon"]), stdout=subprocess.DEVNULL)
        time.sleep(moment * 0.004)
        machine.kill("tempoftpd")
        call.wait(60)
        shown = wait_until(lambda: api.get(f"/tmpftp/{answer['id']}"), 60, "it is back")
        if "buzon" in shown.json:
            assert (drop_of(machine, answer) / "file").exists(), "not closed, and yet its file is gone"
            assert api.delete(f"/tmpftp/{answer['id']}/buzon").status == 200
        wait_until(lambda: not drop_of(machine, answer).exists(), 60, "the drop is taken away")
        wait_purged(machine)


def test_a_drop_given_again_inherits_nothing(machine, api, delivered):  # noqa: F811
    """Whatever an earlier one left in the home is no longer there, and is removed."""
    answer = delivered(files=SMALL)
    assert api("PUT", f"/tmpftp/{answer['id']}/buzon", {}).status == 200
    as_ftp_user(machine, f"echo x >/data/{answer['ftpuser']}/_buzon/old")
    with without_tempoftpd(machine):
        machine.sqlite(f"UPDATE accounts SET drop_bytes = 0 WHERE name = '{answer['ftpuser']}'")
    assert api("PUT", f"/tmpftp/{answer['id']}/buzon", {}).status == 200
    assert list(drop_of(machine, answer).iterdir()) == []
    wait_purged(machine)
    for _ in range(3):  # given and taken faster than anything is purged
        as_ftp_user(machine, f"echo x >/data/{answer['ftpuser']}/_buzon/old")
        assert api.delete(f"/tmpftp/{answer['id']}/buzon").status == 200
        assert api("PUT", f"/tmpftp/{answer['id']}/buzon", {}).status == 200
        assert list(drop_of(machine, answer).iterdir()) == []
    wait_purged(machine)
    assert drop_of(machine, answer).exists()


def test_a_drop_that_was_removed_by_hand_is_there_at_the_next_login(machine, api, delivered):  # noqa: F811
    answer = delivered(files=SMALL)
    assert api("PUT", f"/tmpftp/{answer['id']}/buzon", {}).status == 200
    machine.run(["rmdir", f"/data/{answer['ftpuser']}/_buzon"])
    with ftp_login(machine, answer) as ftp:
        ftp.storbinary("STOR /_buzon/file", io.BytesIO(b"x"))
    assert (drop_of(machine, answer) / "file").read_bytes() == b"x"


def test_a_quota_outlives_the_listener(machine, api, delivered, opened):  # noqa: F811
    """Sessions go on that have room from a listener that was killed; the next one lends nobody what they may still use."""
    answer = delivered(files=SMALL)
    assert api("PUT", f"/tmpftp/{answer['id']}/buzon", {"bytes": 1_000_000}).status == 200
    first, second = opened(answer), opened(answer)
    one = first.transfercmd("STOR /_buzon/one")
    one.sendall(b"1" * 400_000)
    wait_until(lambda: (drop_of(machine, answer) / "one").stat().st_size == 400_000, 60, "the bytes to arrive")
    for turn in range(2):
        kill_listener(machine)
        two = second.transfercmd("APPE /_buzon/two")
        two.sendall(b"2" * 200_000)
        two.close()
        assert second.voidresp().startswith("226")
        one.sendall(b"1" * 50_000)
        wait_until(lambda: (drop_of(machine, answer) / "one").stat().st_size == 450_000 + 50_000 * turn, 60, "the bytes to arrive")  # noqa: B023
    with pytest.raises(ftplib.error_perm, match="552"):
        second.sendcmd("ALLO 100001")
    assert second.sendcmd("ALLO 100000").startswith("202")
    try:
        one.sendall(b"1" * 100_001)
        one.close()
    except ConnectionError:
        pass
    with pytest.raises(ftplib.error_perm, match="552"):
        first.voidresp()
    assert sum(path.stat().st_size for path in drop_of(machine, answer).iterdir()) == 1_000_000


# ---- the whole story ----------------------------------------------------------------------------------

def test_the_story_of_a_drop(machine, api, delivered, tmp_path):  # noqa: F811
    """An operator gives 2 MB, a person uploads with curl and runs into the limit, the operator reads the file, the days end, nothing is left."""
    answer = delivered(files=SMALL)
    id, account = answer["id"], answer["ftpuser"]
    since = machine.journal_now()
    machine.run(["tempoftp", "buzon", id, "--bytes", "2M"])
    small, large = tmp_path / "resultado.bin", tmp_path / "grande.bin"
    small.write_bytes(bytes(range(256)) * 4096)
    large.write_bytes(bytes(3 << 20))
    login = f"{account}:{decrypt(machine, answer['password'])}"

    def curl(path, to):
        return subprocess.run(["curl", "-sS", "--user", login, "-T", str(path), f"ftp://127.0.0.1/_buzon/{to}"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=120)

    done = curl(small, "resultado.bin")
    assert done.returncode == 0, done.stderr
    failed = curl(large, "grande.bin")
    assert failed.returncode != 0 and ("552" in failed.stderr or failed.returncode in (25, 55, 70)), failed
    uploaded = drop_of(machine, answer) / "resultado.bin"
    assert uploaded.read_bytes() == small.read_bytes()
    assert uploaded.stat().st_uid == 2001
    assert 1 << 20 <= api.get(f"/tmpftp/{id}").json["buzon"]["usados"] <= 2000000

    with without_tempoftpd(machine):
        machine.sqlite(f"UPDATE requests SET expires = 1 WHERE id = '{id}' AND state <> 'eliminado'")
    machine.run(["tempoftp", "expirar"])
    client.wait_for(api, id, "expirado")
    wait_purged(machine)
    assert not machine.file(f"/data/{account}").exists()
    for text in ("is open, for 2000000 bytes", "is closed", "listo → expirado", REMOVED):
        wait_told(machine, id, since, text)
