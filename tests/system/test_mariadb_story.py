"""The story of one dataset on a real MariaDB and a real Pure-FTPd, from POST to purge, read as its people read it: in GET, `tempoftp`, `systemctl status`
and `journalctl`."""
import ftplib
import json
import time

import pytest

import fleet as fleets
from client import checksums, decrypt, fetch, ftp_login
from ftp_service import change_database
from machine import wait_until

SLOW = 90
FILES = {"LÉEME.txt": "Datos de muestra\n", "2024-03-01/notas, del día.txt": "10.3\n", "2024-03-02/grande.bin": 3_000_000}
SIZE = 3_000_000 + len("Datos de muestra\n") + len("10.3\n")


@pytest.fixture(autouse=True)
def deployment(machine, fleet):
    """What README, "Accounts in MariaDB", has an operator do."""
    with machine.settings(**fleets.SETTINGS):
        machine.run(["systemctl", "start", "tempoftp-xferlog.path"])
        yield
        machine.run(["systemctl", "stop", "tempoftp-xferlog.path", "tempoftp-xferlog.timer", "tempoftp-xferlog.service"])


def download(machine, answer, to):
    """All of it, as a person does, with the credentials of the answer."""
    with ftp_login(machine, answer, timeout=SLOW) as ftp:
        for name in FILES:
            target = to / answer["id"] / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(fetch(ftp, f"/{answer['id']}/{name}"))


def status_line(machine, unit):
    """`systemctl status` of a unit, what an operator sees first."""
    return machine.run(["systemctl", "status", "--no-pager", "--lines=0", unit], check=False).stdout


def story(machine, id, since):
    """What `journalctl TEMPOFTP_ID=…` tells of a request."""
    machine.run(["journalctl", "--sync"])
    shown = machine.run(["journalctl", "--quiet", "--no-pager", "-o", "json", "--output-fields=MESSAGE", f"--since={since}", f"TEMPOFTP_ID={id}"]).stdout
    return [json.loads(entry)["MESSAGE"] for entry in shown.splitlines()]


def assert_in_order(lines, expected):
    rest = iter(lines)
    for text in expected:
        assert any(text in line for line in rest), f"{text!r} is not where it should be in:\n" + "\n".join(lines)


def refused(machine, answer, password):
    try:
        with ftplib.FTP(timeout=SLOW) as ftp:
            ftp.connect("127.0.0.1", 21)
            ftp.login(answer["ftpuser"], password)
    except ftplib.error_perm as error:
        return str(error).startswith("530")
    return False


def test_from_post_to_purge(machine, fleet, api, source, unique, submit, wait_for, tmp_path):
    since = machine.journal_now()
    tree, person = unique("tree"), f"{unique('ana')}@example.org"
    route = source.make_tree(tree, FILES)
    account_before = fleet.sql("SELECT COUNT(*) FROM users")

    # asked for, copied, ready
    one = submit(f"{route}/", usuario=person)
    answer = wait_for(one, "listo")
    password = decrypt(machine, answer["password"])
    assert answer["descargas"] == {"total_descargas": 0, "ultima_descarga": None, "bytes": 0}
    row = fleet.row(answer["ftpuser"])
    assert (row["Dir"], row["Status"], row["Uid"], row["Gid"]) == (f"/data/{answer['ftpuser']}", "1", "2001", "2001")
    assert password not in row["Password"] and row["Expires"] != "NULL"
    assert api.get("/health").json["database"] == "ok" and api.get("/health").json["ftpd"] == "up"

    # handed out, and counted
    download(machine, answer, tmp_path)
    assert checksums(tmp_path / one) == checksums(machine.file(f"/srv/{tree}"))
    counted = lambda: api.get(f"/tmpftp/{one}").json["descargas"]
    wait_until(lambda: counted()["bytes"] == SIZE, SLOW, "the download is counted")
    assert counted()["total_descargas"] == 1
    shown = machine.run(["tempoftp", "ver", one]).stdout
    assert password in shown and "Descargas:     1 (3,0 MB), la última" in shown
    assert "Following /var/log/pure-ftpd/transfer.log" in status_line(machine, "tempoftp-xferlog.service")

    # blocked with a session open, given back, prolonged
    other = wait_for(submit(f"{route}/", usuario=person), "listo")
    assert other["ftpuser"] == answer["ftpuser"] and decrypt(machine, other["password"]) == password
    with ftp_login(machine, answer, timeout=SLOW) as ftp:
        ftp.cwd(f"/{one}")
        reply = api.post(f"/tmpftp/{one}/bloquear", {"razon": "por revisar"}).json
        assert (reply["status"], reply["en_mysql"]) == ("bloqueado", True)
        with pytest.raises((EOFError, ConnectionError, ftplib.error_temp)):
            for _ in range(200):  # two seconds, and the machine may be busy
                ftp.voidcmd("NOOP")
                time.sleep(0.05)
    with ftp_login(machine, other, timeout=SLOW) as ftp:
        assert {*ftp.nlst()} - {".", ".."} == {other["id"]}
    assert api.post(f"/tmpftp/{one}/desbloquear").json["status"] == "listo"
    assert api.post(f"/tmpftp/{one}/extender", {"dias": 2}).json["vigencia"] == answer["vigencia"] + 2
    assert api.delete(f"/tmpftp/{other['id']}").json["status"] == "deleted"
    download(machine, answer, tmp_path)
    wait_until(lambda: counted()["bytes"] == 2 * SIZE, SLOW, "the second download is counted")
    assert counted()["total_descargas"] == 1, "the same address on the same day"

    # the days are over
    change_database(machine, f"UPDATE requests SET expires = {int(time.time()) + 1} WHERE id = '{one}'")
    wait_until(lambda: api.get(f"/tmpftp/{one}").json["status"] == "expirado" or machine.run(["tempoftp", "expirar"]) and False, SLOW, "the end")
    assert api.get(f"/tmpftp/{one}").json["mensaje"] == "La vigencia terminó."
    wait_until(lambda: refused(machine, answer, password), SLOW, "530 for who knows the password")
    wait_until(lambda: fleet.row(answer["ftpuser"]) is None, SLOW, "the row is gone")
    wait_until(lambda: not machine.file(f"/data/{answer['ftpuser']}").exists(), SLOW, "the home is gone")
    wait_until(lambda: not list(machine.file("/data/.purge").glob(f"{one}.*")), SLOW, "the data is gone")
    assert fleet.sql("SELECT COUNT(*) FROM users") == account_before

    # and what the journal says of it all
    wait_until(lambda: {f"The data is removed [{one}]", f"listo → expirado [{one}]"} <= {*story(machine, one, since)}, SLOW, "the end in the journal")
    assert_in_order(story(machine, one, since), [
        "recibido: ", "recibido → preparando", "preparando → traslado", "Copied", "traslado → listo", f"{answer['ftpuser']}: {SIZE} bytes in 3 downloads from 127.0.0.1",
        "listo → bloqueado: por revisar", "bloqueado → listo", "Prolonged to 7 days, until ", f"{answer['ftpuser']}: {SIZE} bytes in 3 downloads from 127.0.0.1",
        "listo → expirado",
    ])
    said = machine.run(["journalctl", "--quiet", "--no-pager", f"--since={since}", "--priority=err", "-u", "tempoftp*"]).stdout
    assert said == "", said
    everything = machine.journal(since=since)
    assert password not in everything and row["Password"] not in everything
