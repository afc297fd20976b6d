"""Who may say what on the bus, and what a lie is worth: strangers, tempoftpd itself gone bad, a worker that was taken over."""
import re

import pytest

from client import fetch, ftp_login
from machine import wait_until

MANAGER, BROKER, FTP = "Manager1", "Broker1", "Ftp1"
BY_THE_BUS = "org.freedesktop.DBus.Error.AccessDenied"
NO_SUCH = "org.freedesktop.DBus.Error.UnknownMethod"
WRONG_TYPE = "org.freedesktop.DBus.Error.InvalidArgs"
INVALID, DENIED, STALE, NO_SPACE = (f"org.tempoftp.Error.{name}" for name in ("Invalid", "Denied", "Stale", "NoSpace"))
OK = ""

NOBODY, FTP_SERVER, WORKER, SERVICE, ROOT = "nobody", "2001", "tempoftp-transfer", "tempoftp", "root"
GROUPS = {NOBODY: "nogroup", FTP_SERVER: "2001", WORKER: "2001", SERVICE: "tempoftp", ROOT: "root"}

# Method and well-formed arguments, as dbus-send(1) takes them.
CALLS = {
    MANAGER: {
        "Authenticate": ["string:ftp_x_aaaa", "string:wrong", "string:192.0.2.1"], "Downloads": None, "ExpireDue": [],
        "TransferSized": ["string:" + "0" * 32, "uint64:1", "uint64:1", "uint64:1"], "TransferDone": ["string:" + "0" * 32, "uint64:1", "uint64:1"],
        "TransferFailed": ["string:" + "0" * 32, "string:internal", "string:x"], "UnitEnded": ["string:success", "string:exited", "string:0"],
    },
    BROKER: {
        "StartTransfer": ["string:intruder", "uint64:999999", "uint32:1", "string:source:/srv", "array:string:127.0.0.1", "string:" + "0" * 32],
        "StartPurge": ["string:intruder", "uint64:999999", "uint32:1"], "StartDropPurge": ["string:intruder", "uint64:999999", "uint32:1"], "StopUnit": ["string:transfer", "string:intruder"],
        "ArmExpiry": ["string:intruder", "uint64:999999", "uint64:4102444800"], "DisarmExpiry": ["string:intruder"],
    },
}
# What each may get an answer of its own for; all else ends at the bus. docs/INTERNALS.md, "D-Bus".
MAY = {
    NOBODY: {}, FTP_SERVER: {"Authenticate": OK}, SERVICE: {"UnitEnded": DENIED, "ExpireDue": OK},
    WORKER: {"TransferSized": STALE, "TransferDone": STALE, "TransferFailed": STALE},
}


def call(machine, user, service, method, arguments, interface=None):
    """The error's name, or OK."""
    done = machine.run(["setpriv", f"--reuid={user}", f"--regid={GROUPS[user]}", "--clear-groups", "dbus-send", "--system", "--print-reply", "--reply-timeout=60000",
                        f"--dest=org.tempoftp.{service}", f"/org/tempoftp/{service}", f"{interface or 'org.tempoftp.' + service}.{method}", *arguments], check=False)
    if done.returncode == 0:
        return OK
    return re.match(r"Error ([\w.]+)", done.stderr)[1]


def units(machine):
    """What the broker can make: workers and timers (each timer has a service of its name beside it)."""
    return {unit for unit in machine.units() if unit.startswith(("tempoftp-transfer-", "tempoftp-purge-", "tempoftp-drop-")) or unit.endswith(".timer")} - {"tempoftp-sweep.timer"}


@pytest.fixture
def delivered(source, submit, wait_for, unique):
    return wait_for(submit(source.make_tree(unique("tree"), {"a.txt": "hola\n"}) + "/"), "listo")


@pytest.fixture
def copying(machine, api, source, submit, unique):
    """copying() makes a request whose copy has begun and stands still."""
    def begin():
        id = submit(source.make_tree(unique("tree"), {"big.bin": 100 << 20}))
        wait_until(lambda: any(path.is_file() for path in machine.file("/data/.staging").glob(f"{id}.*/**/*")), 60, f"the first bytes of {id}")
        machine.kill("rsync", "STOP")
        assert state(api, id) == "traslado"
        return id
    yield begin
    machine.kill("rsync", "CONT")


def state(api, id):
    return api.get(f"/tmpftp/{id}").json["status"]


def token(machine, id):
    return machine.sqlite(f"SELECT '=' || coalesce(token, '') FROM requests WHERE id = '{id}'")[0][0][1:]


# ---- who may call -------------------------------------------------------------------------------------

@pytest.mark.parametrize("user", MAY)
def test_everyone_may_ask_only_what_is_theirs(machine, api, delivered, user):
    wait_until(lambda: units(machine) == {f"tempoftp-expire-{delivered['id']}.timer"}, 30, "only its timer")
    for service, methods in CALLS.items():
        for method, arguments in methods.items():
            if arguments is None or (user == SERVICE and service == BROKER):
                continue
            assert call(machine, user, service, method, arguments) == MAY[user].get(method, BY_THE_BUS), (user, method)
        if user not in (SERVICE,):
            assert call(machine, user, service, "GetAll", ["string:"], "org.freedesktop.DBus.Properties") == BY_THE_BUS
    assert units(machine) == {f"tempoftp-expire-{delivered['id']}.timer"}
    assert api.get(f"/tmpftp/{delivered['id']}").json == delivered


def test_nobody_can_take_the_names(machine):
    for user in (NOBODY, WORKER, FTP_SERVER, SERVICE):
        for service in {MANAGER, BROKER, FTP} - ({MANAGER} if user == SERVICE else {FTP} if user == FTP_SERVER else set()):
            done = machine.run(["setpriv", f"--reuid={user}", f"--regid={GROUPS[user]}", "--clear-groups", "dbus-send", "--system", "--print-reply",
                                "--dest=org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus.RequestName", f"string:org.tempoftp.{service}", "uint32:4"], check=False)
            assert "AccessDenied" in done.stderr, (user, service)


def test_not_even_root_reports_the_end_of_a_unit_from_elsewhere(machine, api, copying):
    """Whom a report is about is read from the caller's own unit."""
    id = copying()
    for result in ("success", "exit-code", ""):
        assert call(machine, ROOT, MANAGER, "UnitEnded", [f"string:{result}", "string:exited", "string:1"]) == DENIED
    assert state(api, id) == "traslado"


# ---- the broker judges for itself ---------------------------------------------------------------------

BAD_IDS = ["", ".", "..", "../x", "a/b", "/etc", "-rf", "a b", "a;b", "%i", "a\nb", "a\\x2fb", "a..b", "user", "expired", "año", "x" * 65, "x" * 100_000]
LIFE, RUN, ROUTE, HERE = "uint64:999999", "uint32:1", "string:source:/srv", "array:string:127.0.0.1"
TOKEN = "string:" + "0" * 32
BAD_FACTS = [
    *[(method, [f"string:{id}", *rest], INVALID) for id in BAD_IDS for method, rest in [
        ("StartTransfer", [LIFE, RUN, ROUTE, HERE, TOKEN]), ("StartPurge", [LIFE, RUN]), ("StartDropPurge", [LIFE, RUN]), ("ArmExpiry", [LIFE, "uint64:4102444800"]), ("DisarmExpiry", [])]],
    *[("StopUnit", ["string:transfer", f"string:{id}"], INVALID) for id in BAD_IDS],
    *[("StopUnit", [f"string:{kind}", "string:x"], INVALID) for kind in ("", "expire", "service", "sshd", "../transfer", "transfer-x", "TRANSFER", "*", "k" * 100_000)],
    *[("StartTransfer", ["string:x", LIFE, RUN, f"string:{route}", HERE, TOKEN], INVALID) for route in (
        "", "source", "source:srv", "source:/../etc", "-oProxyCommand=x:/srv", "source:/srv;touch /tmp/pwned", "source:/$HOME", "source::module", "a@b@source:/x",
        "source:/srv\nExecStart=/bin/sh", "source:/" + "a" * 100_000)],
    *[("StartTransfer", ["string:x", LIFE, RUN, ROUTE, f"array:string:{addresses}", TOKEN], INVALID) for addresses in (
        "", "evil.example.org", "any", "127.0.0.1/8", "0.0.0.0/0", "::/0", "127.0.0.1 0.0.0.0", "127.1", "$HOME", "-x", ",".join(["127.0.0.1"] * 50))],
    *[(method, ["string:x", "uint64:0", *rest], INVALID) for method, rest in (("StartTransfer", [RUN, ROUTE, HERE, TOKEN]), ("StartPurge", [RUN]), ("StartDropPurge", [RUN]), ("ArmExpiry", ["uint64:1"]))],
    *[("StartTransfer", ["string:x", LIFE, RUN, ROUTE, HERE, f"string:{token}"], INVALID) for token in ("", "0" * 31, "0" * 33, "g" * 32, "0" * 31 + "\n", "0" * 100_000)],
    ("StartPurge", ["string:x", f"uint64:{2**64 - 1}", RUN], INVALID), ("ArmExpiry", ["string:x", LIFE, f"uint64:{2**64 - 1}"], INVALID),
    # other types, other numbers of arguments, other names
    ("StartPurge", ["string:x", "string:1", RUN], WRONG_TYPE), ("StartPurge", ["string:x", "int64:1", RUN], WRONG_TYPE), ("StartPurge", ["string:x"], WRONG_TYPE),
    ("StartPurge", ["string:x", LIFE, RUN, "string:more"], WRONG_TYPE), ("StartPurge", ["objpath:/x", LIFE, RUN], WRONG_TYPE), ("StopUnit", ["variant:string:x"], WRONG_TYPE),
    ("StartTransfer", ["string:x", LIFE, RUN, ROUTE, "string:127.0.0.1", TOKEN], WRONG_TYPE), ("DisarmExpiry", ["array:string:x"], WRONG_TYPE),
    ("StartTransientUnit", ["string:x"], NO_SUCH), ("Execute", ["string:/bin/sh"], NO_SUCH),
]


def test_wrong_facts_start_nothing(machine, delivered):
    wait_until(lambda: units(machine) == {f"tempoftp-expire-{delivered['id']}.timer"}, 30, "only its timer")
    wrong = []
    for method, arguments, expected in BAD_FACTS:
        told = call(machine, SERVICE, BROKER, method, arguments)
        if told != expected:
            wrong.append((method, [argument[:100] for argument in arguments], told))
    assert wrong == []
    assert units(machine) == {f"tempoftp-expire-{delivered['id']}.timer"}
    assert not machine.file("/tmp/pwned").exists()


def test_a_host_that_is_not_listed_is_refused_whatever_tempoftpd_says(machine):
    """The list is read by the broker itself, from settings that only root writes."""
    with machine.settings(TEMPOFTP_ORIGENES="other.example.org"):
        assert call(machine, SERVICE, BROKER, "StartTransfer", ["string:x", LIFE, RUN, ROUTE, HERE, TOKEN]) == INVALID
    assert not machine.units("tempoftp-transfer-*")


def test_a_life_that_nobody_knows_copies_and_removes_nothing(machine, api, delivered):
    """The broker can't know lives. What a unit made for an unknown one reports is nobody's; a purge finds nothing at its place."""
    before = sorted(str(path) for path in machine.file("/data").rglob("*"))
    assert call(machine, SERVICE, BROKER, "StartTransfer", CALLS[BROKER]["StartTransfer"]) == OK
    assert call(machine, SERVICE, BROKER, "StartPurge", CALLS[BROKER]["StartPurge"]) == OK
    life = machine.sqlite(f"SELECT life FROM requests WHERE id = '{delivered['id']}'")[0][0]
    assert call(machine, SERVICE, BROKER, "StartPurge", [f"string:{delivered['id']}", f"uint64:{life}", RUN]) == OK, "of a live request"
    wait_until(lambda: not machine.units("tempoftp-purge-*") + machine.units("tempoftp-transfer-*"), 60, "they have ended")
    assert sorted(str(path) for path in machine.file("/data").rglob("*")) == before
    assert "status=3/" in machine.journal("-u", "tempoftp-transfer-intruder"), "unwanted: tempoftp-transfer(8)"
    assert api.get(f"/tmpftp/{delivered['id']}").json == delivered


def test_a_purge_follows_no_link(machine, delivered):
    home = f"/data/{delivered['ftpuser']}"
    machine.run(["ln", "-s", home, "/data/.purge/intruder.1"])
    machine.run(["install", "-d", "-o", WORKER, "-g", "2001", "-m", "2770", "/data/.purge/intruder.2"])
    machine.run(["ln", "-s", home, "/data/.purge/intruder.2/inside"])
    for life in (1, 2):
        assert call(machine, SERVICE, BROKER, "StartPurge", ["string:intruder", f"uint64:{life}", RUN]) == OK
        wait_until(lambda: not machine.units("tempoftp-purge-*"), 60, "it has ended")
    with ftp_login(machine, delivered) as ftp:
        assert fetch(ftp, f"/{delivered['id']}/a.txt") == b"hola\n"
    machine.run(["rm", "-rf", "/data/.purge/intruder.1", "/data/.purge/intruder.2"])


def test_stopping_reaches_no_unit_but_its_own(machine, api, copying):
    id = copying()
    for kind in ("purge", "drop"):
        assert call(machine, SERVICE, BROKER, "StopUnit", [f"string:{kind}", f"string:{id}"]) == OK, "there is none: fine"
    assert machine.unit(f"tempoftp-transfer-{id}", "ActiveState")["ActiveState"] == "active"
    assert state(api, id) == "traslado"


# ---- reports ------------------------------------------------------------------------------------------

def test_reports_with_other_tokens_change_nothing(machine, api, copying, delivered):
    id = copying()
    real = token(machine, id)
    assert re.fullmatch("[0-9a-f]{32}", real)
    assert token(machine, delivered["id"]) == "", "a finished request has none"
    lies = ["", "x", "0" * 32, real[:-1], real + "0", real.upper() if real.upper() != real else "A" * 32, f" {real}", f"{real}\n", "%", "' OR 1=1 --", id, "f" * 100_000]
    for lie in lies:
        assert call(machine, WORKER, MANAGER, "TransferSized", [f"string:{lie}", "uint64:1", "uint64:1", "uint64:1"]) == STALE
        assert call(machine, WORKER, MANAGER, "TransferDone", [f"string:{lie}", "uint64:1", "uint64:1"]) == STALE
        assert call(machine, WORKER, MANAGER, "TransferFailed", [f"string:{lie}", "string:internal", "string:x"]) == STALE
    assert state(api, id) == "traslado" and token(machine, id) == real
    assert api.get(f"/tmpftp/{delivered['id']}").json == delivered


def test_a_token_speaks_for_its_own_request_only(machine, api, copying, wait_for):
    mine, other = copying(), copying()
    assert call(machine, WORKER, MANAGER, "TransferFailed", [f"string:{token(machine, mine)}", "string:made-up", "string:x"]) == INVALID
    assert state(api, mine) == "traslado"
    said = "a\x1b[2J\n" + "x" * 50_000
    assert call(machine, WORKER, MANAGER, "TransferFailed", [f"string:{token(machine, mine)}", "string:internal", f"string:{said}"]) == OK
    told = wait_for(mine, "error")["mensaje"]
    assert len(told) < 5_000 and told.isprintable()
    assert state(api, other) == "traslado"
    machine.kill("rsync", "CONT")
    assert wait_for(other, "listo", 120)["bytes"] == 100 << 20


HUGE = f"uint64:{2**64 - 1}"


def test_absurd_numbers_in_reports_hurt_their_own_request_only(machine, api, copying, delivered, wait_for):
    id, other = copying(), copying()
    machine.sqlite(f"UPDATE requests SET state = 'preparando', sized = 0 WHERE id = '{id}'")  # as before its own report
    for numbers in ((HUGE, "uint64:1", "uint64:1"), ("uint64:1", HUGE, "uint64:1"), ("uint64:1", "uint64:1", HUGE)):
        assert call(machine, WORKER, MANAGER, "TransferSized", [f"string:{token(machine, id)}", *numbers]) == INVALID
    most = f"uint64:{2**63 - 1}"
    assert call(machine, WORKER, MANAGER, "TransferSized", [f"string:{token(machine, id)}", most, most, most]) == NO_SPACE
    assert "Espacio insuficiente" in wait_for(id, "error")["mensaje"]
    assert call(machine, WORKER, MANAGER, "TransferDone", [f"string:{token(machine, other)}", HUGE, HUGE]) == INVALID
    assert state(api, other) == "traslado"
    assert call(machine, FTP_SERVER, MANAGER, "Downloads", []) == WRONG_TYPE
    rows = machine.run(["setpriv", "--reuid=2001", "--regid=2001", "--clear-groups", "busctl", "call", "org.tempoftp.Manager1", "/org/tempoftp/Manager1", "org.tempoftp.Manager1", "Downloads",
                        "a(sssttt)", "3", delivered["ftpuser"], delivered["id"], "192.0.2.1", str(2**64 - 1), str(2**64 - 1), str(2**64 - 1),
                        delivered["ftpuser"], delivered["id"], "192.0.2.2", str(2**63 - 1), "1", "1", delivered["ftpuser"], id, "192.0.2.1", "1", "1", "1"], check=False)
    assert "No such" not in rows.stderr
    answer = api.get(f"/tmpftp/{delivered['id']}").json
    assert answer["status"] == "listo" and answer["password"] == delivered["password"]
    assert api.get("/health").json["database"] == "ok"
    assert machine.processes("tempoftpd")


# ---- a worker that was taken over ---------------------------------------------------------------------

# Stands where rsync is, so it runs with all that a stranger's rsync server could get: same user, unit, jail.
INTRUDER = r"""#!/bin/bash
exec 2>/dev/null
here=${@: -1}
try() { local name=$1; shift; if timeout 10 bash -c "$*" >/dev/null 2>&1 </dev/null; then echo "$name: yes"; else echo "$name: no"; fi; }
{
    try "write its own folder" "echo x >$here/mark"
    try "read its own key" 'cat "$CREDENTIALS_DIRECTORY"/ssh-key || cat /run/credentials/*/ssh-key'
    try "read its own run token" 'cat /proc/self/fd/* /proc/$PPID/fd/* | grep -E "^[0-9a-f]{32}"'
    try "read another's credentials" 'cat /run/credentials/tempoftp-transfer-OTHER.service/* || cat /run/credentials/tempoftp.service/* || ls /proc/OTHERPID/fd/'
    try "read the state database" 'head -c1 /var/lib/tempoftp/state.db'
    try "read the encryption key" 'head -c1 /etc/tempoftp/encryption.key'
    try "read the ssh key's file" 'head -c1 /etc/tempoftp/id_ed25519'
    try "read shadow" 'head -c1 /etc/shadow'
    try "reach the API's socket" 'curl -sf --unix-socket /run/tempoftp/api.sock http://x/'
    try "list another's copy" 'ls /data/.staging/OTHER.*/'
    try "write into another's copy" 'for f in /data/.staging/OTHER.*/; do touch $f/mark; done; ls /data/.staging/OTHER.*/mark'
    try "list the homes" 'ls /data/ftp_*/'
    try "make a folder of its own" 'mkdir /data/.staging/intruder.1 || mkdir /data/.purge/intruder.1 || mkdir /data/intruder'
    try "write /tmp, /etc, /usr, /var/tmp" 'touch /tmp/pwned || touch /etc/pwned || touch /usr/pwned || touch /var/tmp/pwned || touch /dev/shm/pwned'
    try "see another's process" 'grep -alq -- "--id OTHER" /proc/[0-9]*/cmdline || tr "\0" " " </proc/OTHERPID/cmdline | grep -q .'
    try "read another's environment" 'head -c1 /proc/OTHERPID/environ'
    try "enter another's root" 'ls /proc/OTHERPID/root/'
    try "signal another's process" 'kill -0 OTHERPID'
    try "read its parent's memory" 'head -c1 /proc/$PPID/mem || head -c1 /proc/1/environ'
    try "ask the broker" 'busctl --system call org.tempoftp.Broker1 /org/tempoftp/Broker1 org.tempoftp.Broker1 StopUnit ss transfer OTHER'
    try "ask systemd for a unit" 'busctl --system call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager StopUnit ss tempoftp.service replace'
    try "report without a token" 'busctl --system call org.tempoftp.Manager1 /org/tempoftp/Manager1 org.tempoftp.Manager1 TransferDone stt 00000000000000000000000000000000 1 1'
    try "log somebody in" 'busctl --system call org.tempoftp.Manager1 /org/tempoftp/Manager1 org.tempoftp.Manager1 Authenticate sss ftp_x_aaaa x 192.0.2.1'
    try "report an end" 'busctl --system call org.tempoftp.Manager1 /org/tempoftp/Manager1 org.tempoftp.Manager1 UnitEnded sss success exited 0'
    try "become another user" 'setpriv --reuid=0 true || su -c true || unshare -r true || chroot / true'
    try "trace" 'strace -p OTHERPID -e none || gdb -p OTHERPID -batch'
    echo done
} >$here/report.new
mv $here/report.new $here/report
exec sleep 300
"""


# Workers have one uid, so one can see that another runs and can end it, which is started again (SECURITY.md). Nothing can be read through it.
KNOWN = {"see another's process", "signal another's process"}


def test_a_worker_that_was_taken_over_gets_nothing(machine, api, source, submit, copying, unique):
    other = copying()
    pid = machine.unit(f"tempoftp-transfer-{other}", "MainPID")["MainPID"]
    machine.write_file("/usr/local/lib/intruder", INTRUDER.replace("OTHERPID", pid).replace("OTHER", other), 0o755)
    machine.write_file("/etc/systemd/system/tempoftp-transfer-.service.d/99-intruder.conf", "[Service]\nBindReadOnlyPaths=/usr/local/lib/intruder:/usr/bin/rsync\n")
    machine.run(["systemctl", "daemon-reload"])
    try:
        id = submit(source.make_tree(unique("tree"), {"a": "a"}))
        report = wait_until(lambda: list(machine.file("/data/.staging").glob(f"{id}.*/report")), 120, "the intruder's report")[0].read_text()
    finally:
        machine.run(["rm", "/etc/systemd/system/tempoftp-transfer-.service.d/99-intruder.conf", "/usr/local/lib/intruder"])
        machine.run(["systemctl", "daemon-reload"])
    attempts = dict(line.split(": ") for line in report.splitlines() if ": " in line)
    assert report.endswith("done\n") and len(attempts) == INTRUDER.count('    try "')
    assert {name for name, outcome in attempts.items() if outcome == "yes"} == {"write its own folder", *KNOWN}
    assert state(api, other) == "traslado"
    assert not list(machine.file("/data/.staging").glob(f"{other}.*/mark"))
