"""One request from POST to purge as systemd's own tools tell it, and the secrets that none of them ever tells."""
import ftplib
import json
import re

import pytest

from client import FTP_ADDRESS, decrypt, fetch, ftp_login
from machine import wait_until
from transfers import slow, source_users  # noqa: F401 (fixtures)

STATES = {  # of catalog/tempoftp.catalog
    "0a9be1f3c54d4f0aa1d7c2f2c6e35b10": "recibido", "1b8af2e4d65c4e1bb2e6d3e3d7f46c21": "preparando", "2c79c3d5e76b4d2cc3f5e4d4e8057d32": "traslado",
    "3d68d4c6f87a4c3dd404f5c5f9168e43": "listo", "4e57e5b709894b4ee51306b60a279f54": "bloqueado", "5f46f6a81a984a5ff62217a71b38a065": "expirado",
    "60350799ba2749600731289a2c49b176": "error", "7124189acb36487118403989bd5ac287": "eliminado",
}
LOGIN = "7c5d3e9f1b2a4c68908d6e4f2a1b3c5d"
SIZE = 300 << 20
KBYTES_A_SECOND = 50_000


def entries(machine, *filters, since):
    machine.run(["journalctl", "--sync"])
    shown = machine.run(["journalctl", "--quiet", "-o", "json", "--all", f"--since={since}", *filters]).stdout
    return [json.loads(line) for line in shown.splitlines()]


@pytest.fixture
def story(machine, api, source, submit, wait_for, unique, slow):  # noqa: F811
    """A request that lives its whole life: copied (with a pause in the middle), downloaded, blocked, given back, expired, purged, deleted. Returns what
    systemd's tools showed at each moment, and all secrets there were."""
    seen, secrets = {}, {}

    def look(moment):
        pids = machine.run(["bash", "-c", "cd /proc; for p in [0-9]*; do tr '\\0' ' ' <$p/cmdline; echo; done 2>/dev/null"]).stdout
        as_nobody = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
        environ = machine.run([*as_nobody, "bash", "-c", "cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'; true"]).stdout
        properties = machine.run([*as_nobody, "systemctl", "show", "--all", "*"], check=False).stdout
        properties += machine.run([*as_nobody, "bash", "-c", "systemctl cat 'tempoftp*' 2>/dev/null; cat /run/systemd/transient/* 2>/dev/null; true"]).stdout
        seen[moment] = {"cmdline": pids, "environ": environ, "properties": properties}

    began = machine.journal_now()
    secrets["key"] = machine.file("/etc/tempoftp/encryption.key").read_text().strip()
    secrets["ssh key"] = machine.file("/etc/tempoftp/id_ed25519").read_text().splitlines()[1]
    slow(KBYTES_A_SECOND)
    id = submit("lento@" + source.make_tree(unique("tree"), {"a.txt": "hola\n", "big.bin": SIZE}) + "/")
    unit = f"tempoftp-transfer-{id}.service"
    wait_until(lambda: re.search(r"Copying: \d+ %, [1-9]", machine.unit(unit, "StatusText").get("StatusText", "")), 60, "bytes are copied")
    machine.kill("rsync", "STOP")
    secrets["run token"] = machine.sqlite(f"SELECT token FROM requests WHERE id = '{id}'")[0][0]
    look("copying")
    seen["status"] = machine.run(["systemctl", "status", "--no-pager", "-l", unit]).stdout
    seen["cgls"] = machine.run(["systemd-cgls", "--no-pager", "-l"]).stdout
    machine.kill("rsync", "CONT")

    answer = wait_for(id, "listo", 120)
    secrets["password"], secrets["token"] = decrypt(machine, answer["password"]), answer["password"]
    with ftp_login(machine, answer) as ftp:
        assert fetch(ftp, f"/{id}/a.txt") == b"hola\n"
        look("downloading")
    wait_until(lambda: f"tempoftp-expire-{id}.timer" in machine.units("*.timer"), 30, "its timer")
    seen["timers"] = machine.run(["systemctl", "list-timers", "--all", "--no-pager"]).stdout
    assert api.post(f"/tmpftp/{id}/bloquear", {"razon": "revisión"}).status == 200
    assert api.post(f"/tmpftp/{id}/desbloquear").status == 200
    machine.run(["tempoftp", "ver", id])
    machine.stop_units("tempoftp.service")
    machine.sqlite(f"UPDATE requests SET expires = unixepoch() - 1 WHERE id = '{id}'")
    machine.run(["tempoftp", "expirar"])
    wait_until(lambda: machine.journal("-u", f"tempoftp-purge-{id}", "--grep=Deactivated", since=began), 60, "its data was purged")
    assert api.delete(f"/tmpftp/{id}", headers={"X-Request-ID": "de-prueba"}).status == 200
    look("afterwards")
    return {"id": id, "unit": unit, "answer": answer, "began": began, "seen": seen, "secrets": secrets}


def test_the_whole_story_of_one_request(machine, story):
    id, seen, began = story["id"], story["seen"], story["began"]
    account, unit = story["answer"]["ftpuser"], story["unit"]

    # journalctl TEMPOFTP_ID=…: every state in its order, with its place in the catalog
    mine = entries(machine, f"TEMPOFTP_ID={id}", since=began)
    assert [STATES[line["MESSAGE_ID"]] for line in mine if line.get("MESSAGE_ID") in STATES] == [
        "recibido", "preparando", "traslado", "listo", "bloqueado", "listo", "expirado", "eliminado"]
    accepted, deleted = mine[0], [line for line in mine if line.get("MESSAGE_ID") in STATES][-1]
    assert story["answer"]["email"] in accepted["MESSAGE"] and "source:/srv/" in accepted["MESSAGE"]
    assert {line["_SYSTEMD_UNIT"] for line in mine if line.get("_SYSTEMD_UNIT")} >= {"tempoftp.service", unit}, "service and worker"
    assert deleted["TEMPOFTP_REQUEST_ID"] == "de-prueba"
    texts = "\n".join(line["MESSAGE"] for line in mine)
    assert f"Copied {SIZE + 5} bytes in 2 files from source:/srv/" in texts
    for state in ("preparando → traslado", "traslado → listo", "listo → bloqueado: revisión", "bloqueado → listo", "listo → expirado", "expirado → eliminado"):
        assert state in texts

    # journalctl -u 'tempoftp*': what systemd did, who logged in, what was fetched
    everything = machine.journal("-u", "tempoftp*", since=began)
    for line in (f"Starting {unit}", f"{unit}: Deactivated successfully", f"Started tempoftp-expire-{id}.timer", f"Starting tempoftp-purge-{id}.service",
                 f"tempoftp-purge-{id}.service: Deactivated successfully"):
        assert line in everything
    for state in ("preparando → traslado", "traslado → listo"):
        assert f"{state} [{id}]" in everything, "whose line it is can be read among those of others"
    logins = entries(machine, f"MESSAGE_ID={LOGIN}", f"TEMPOFTP_ACCOUNT={account}", since=began)
    assert len(logins) == 1 and logins[0]["TEMPOFTP_PEER"] == "127.0.0.1"
    assert re.search(rf"(?m)tempoftp-ftpd.*{account}.*a\.txt|tempoftp-ftpd.*a\.txt.*{account}", everything), "the download"

    # While it ran
    assert re.search(r"Status: \"Copying: \d+ %, \d+ of 314572805 bytes, \d+ B/s, \d+ s left\"", seen["status"])
    assert f"{unit} - tempoftp: copy of lento@source:/srv/" in seen["status"] and f"for {id}" in seen["status"]
    tree = seen["cgls"]
    assert re.search(rf"tempoftp-transfers\.slice[\s\S]*{re.escape(unit)}[\s\S]*(rsync|tempoftp-transfer)", tree)
    timer = next(line for line in seen["timers"].splitlines() if f"tempoftp-expire-{id}.timer" in line)
    assert story["answer"]["expira"][:10] in timer and f"tempoftp-expire-{id}.service" in timer

    # journalctl -x explains each line from the catalog
    explained = machine.run(["journalctl", "-x", "--no-pager", "--quiet", f"--since={began}", f"TEMPOFTP_ID={id}"]).stdout
    for subject in (f"Request {id} was accepted and is queued", f"Request {id}: its transfer unit is being started", f"Request {id} is ready", f"Request {id} was blocked",
                    f"The days of request {id} are over", f"Request {id} was deleted"):
        assert f"Subject: {subject}" in explained

    # and no secret in any of it: nobody's journal, command lines, environments, unit properties
    whole = machine.run(["journalctl", "--quiet", "--no-pager", "-o", "export", "--all", f"--since={began}"]).stdout
    places = {"the journal": whole, **{f"{what} while {moment}": text for moment, texts in seen.items() if isinstance(texts, dict) for what, text in texts.items()},
              "systemctl status": seen["status"], "systemd-cgls": seen["cgls"]}
    assert "tempoftp-transfer" in places["cmdline while copying"] and "rsync" in places["cmdline while copying"]
    assert unit in places["properties while copying"]
    leaks = [(name, where) for name, secret in story["secrets"].items() for where, text in places.items() if secret in text]
    assert leaks == [] and all(len(secret) >= 20 for secret in story["secrets"].values())


def login(user, password):
    with ftplib.FTP(timeout=30) as ftp:
        ftp.connect(*FTP_ADDRESS)
        ftp.login(user, password)


def test_wrong_passwords_are_told_without_the_password(machine, api, source, submit, wait_for, unique):
    answer = wait_for(submit(source.make_tree(unique("tree"), {"a": "a"}) + "/"), "listo")
    began, mistake = machine.journal_now(), "almost-the-right-password"
    for user in (answer["ftpuser"], "ftp_nobody_aaaa"):
        with pytest.raises(ftplib.error_perm, match="^530"):
            login(user, mistake)
    lines = entries(machine, f"MESSAGE_ID={LOGIN}", since=began)
    assert [(line["TEMPOFTP_ACCOUNT"], line["TEMPOFTP_PEER"]) for line in lines] == [(answer["ftpuser"], "127.0.0.1"), ("ftp_nobody_aaaa", "127.0.0.1")]
    assert "password" in lines[0]["MESSAGE"] and "unknown" in lines[1]["MESSAGE"], "the operator is told why"
    whole = machine.run(["journalctl", "--quiet", "-o", "export", "--all", f"--since={began}"]).stdout
    assert answer["ftpuser"] in whole and mistake not in whole


def test_processes_that_hold_secrets_leave_no_core_and_cannot_be_read(machine, api, source, submit, wait_for, unique):
    """A crash writes no memory to disk, and no process of the same user can read it."""
    answer = wait_for(submit(source.make_tree(unique("tree"), {"a": "a"}) + "/"), "listo")
    with ftp_login(machine, answer):
        for program, user in (("tempoftpd", "tempoftp"), ("tempoftp-ftpd", "2001")):
            pids = machine.processes(program)
            assert pids
            for pid in pids:
                same_user = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]
                for file in ("environ", "mem", "maps", "auxv", "fd/0", "root/etc/hostname"):
                    done = machine.run([*same_user, "head", "-c1", f"/proc/{pid}/{file}"], check=False)
                    assert done.returncode != 0 and "ermission denied" in done.stderr, (program, file, done)
        began = machine.journal_now()
        before = machine.shell("find / -xdev -name 'core*' -newermt '-1 hour' -type f 2>/dev/null; ls /var/lib/systemd/coredump 2>/dev/null; true").stdout
        machine.kill("tempoftpd", "ABRT")
        wait_until(lambda: "status=6/ABRT" in machine.journal("-u", "tempoftp", since=began), 30, "it was killed")
        assert "code=dumped" not in machine.journal("-u", "tempoftp", since=began)
        assert machine.shell("find / -xdev -name 'core*' -newermt '-1 hour' -type f 2>/dev/null; ls /var/lib/systemd/coredump 2>/dev/null; true").stdout == before
    assert api.get(f"/tmpftp/{answer['id']}").json["status"] == "listo", "and it comes back"
