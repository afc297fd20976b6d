"""A service with nothing to do goes away and costs nothing; whoever calls gets it back, and a call that meets it on its way out is not lost.

Two ways to meet it: aimed, at random moments of the few hundredths of a second in which it decides to leave and leaves; and, told by the bus, right
after it has given its name back.
"""
import collections
import contextlib
import ftplib
import random
import subprocess
import threading
import time

import pytest

from bus import Bus
from client import API_ADDRESS, FTP_ADDRESS, fetch, ftp_login, tcp_api, unix_api
from machine import SERVICES, wait_until

MANAGER = ["org.tempoftp.Manager1", "/org/tempoftp/Manager1", "org.tempoftp.Manager1"]
BROKER = ["org.tempoftp.Broker1", "/org/tempoftp/Broker1", "org.tempoftp.Broker1"]
SOCKETS = ["tempoftp.socket", "tempoftp-api.socket", "tempoftp-ftp.socket"]
IDLE_SECONDS = 1


@pytest.fixture(scope="module", autouse=True)
def impatient(machine):
    with machine.settings(TEMPOFTP_IDLE_SECONDS=IDLE_SECONDS):
        yield


def active(machine, *units):
    return {unit for unit in units if machine.unit(unit, "ActiveState")["ActiveState"] != "inactive"}


def wait_until_gone(machine, *services):
    wait_until(lambda: not active(machine, *(services or SERVICES)), 60, "the services to exit")


def assert_sockets_listen(machine):
    assert {machine.unit(socket, "SubState")["SubState"] for socket in SOCKETS} <= {"listening", "running"}
    assert machine.run(["systemctl", "--failed", "--plain", "--no-legend"]).stdout == ""


def busctl(machine, *call):
    return machine.run(["busctl", "--system", "call", *call], check=False)


# ---- gone and back --------------------------------------------------------------------------------------

@pytest.fixture
def no_sweep(machine):
    """The sweep timer, which comes after the boot and every ten minutes, wakes nobody in the middle of a look."""
    machine.run(["systemctl", "stop", "tempoftp-sweep.timer", "tempoftp-sweep.service"])
    yield
    machine.run(["systemctl", "start", "tempoftp-sweep.timer"])


def test_idle_services_exit_and_nothing_stays_resident(machine, no_sweep, api, source, unique, submit, wait_for):
    answer = wait_for(submit(f"{source.make_tree(unique('tree'), {'a.txt': 'a'})}/"), "listo")
    with ftp_login(machine, answer) as ftp:
        assert fetch(ftp, f"/{answer['id']}/a.txt") == b"a"

    def nothing_is_resident():
        """All at the same time: a unit that has the copy's end to report may call a service once more."""
        users = ",".join(map(str, {machine.uid("tempoftp")[0], machine.uid("tempoftp-transfer")[0], 2001}))
        assert machine.run(["ps", "-o", "pid,rss,args", "-u", users, "--no-headers"], check=False).stdout == ""
        assert machine.run(["pgrep", "--full", "/tempoftp"], check=False).stdout == ""
        for service in SERVICES:
            shown = machine.unit(service, "ActiveState", "MainPID", "MemoryCurrent", "Result")
            assert shown == {"ActiveState": "inactive", "MainPID": "0", "MemoryCurrent": "[not set]", "Result": "success"}
        return True

    wait_until(nothing_is_resident, 60, "nothing is resident")
    assert_sockets_listen(machine)


def _by_ftp(machine, answer):
    with ftp_login(machine, answer) as ftp:
        return fetch(ftp, f"/{answer['id']}/a.txt") == b"a"


def _by_timer(machine, answer):
    """The sweep timer makes up for a run that it missed."""
    machine.run(["systemctl", "stop", "tempoftp-sweep.timer"])
    machine.run(["touch", "--date=1 hour ago", "/var/lib/systemd/timers/stamp-tempoftp-sweep.timer"])
    machine.run(["systemctl", "start", "tempoftp-sweep.timer"])
    return wait_until(lambda: active(machine, "tempoftp.service"), 30, "tempoftpd")


@pytest.mark.parametrize("call, comes", [
    (lambda machine, answer: unix_api(machine).get("/").json == {"status": "active"}, {"tempoftp.service"}),
    (lambda machine, answer: tcp_api().get("/").json == {"status": "active"}, {"tempoftp.service"}),
    (lambda machine, answer: tcp_api(("::1", API_ADDRESS[1])).get("/").json == {"status": "active"}, {"tempoftp.service"}),
    (lambda machine, answer: busctl(machine, *MANAGER, "ExpireDue").stdout == "u 0\n", {"tempoftp.service"}),
    (lambda machine, answer: busctl(machine, *BROKER, "DisarmExpiry", "s", "nobody").returncode == 0, {"tempoftp-broker.service"}),
    (_by_timer, {"tempoftp.service"}),
    (_by_ftp, {"tempoftp-ftp.service", "tempoftp.service"}),
], ids=["unix socket", "tcp", "tcp over IPv6", "D-Bus", "D-Bus to the broker", "timer", "ftp"])
def test_each_kind_of_call_brings_back_what_it_needs(machine, source, unique, submit, wait_for, call, comes):
    answer = wait_for(submit(f"{source.make_tree(unique('tree'), {'a.txt': 'a'})}/"), "listo")
    wait_until_gone(machine)
    assert call(machine, answer)
    assert comes <= active(machine, *SERVICES)


# ---- meeting it on its way out --------------------------------------------------------------------------

def ask_greeting():
    with ftplib.FTP(timeout=30) as ftp:
        return ftp.connect(*FTP_ADDRESS).startswith("220")


@pytest.fixture
def callers(machine):
    """callers(): [(name, call)], 24 at once; a call returns whether it was answered as it should be."""
    unix, tcp, buses = unix_api(machine), tcp_api(), []

    def bus_call(*call):
        bus = Bus(machine)
        buses.append(bus)
        return lambda: bus.call(*call) is None

    kinds = [
        ("tcp", 8, lambda: lambda: tcp.get("/").json == {"status": "active"}),
        ("unix socket", 5, lambda: lambda: unix.get("/tmpftp?limite=1").status == 200),
        ("D-Bus", 5, lambda: bus_call(*MANAGER, "ExpireDue")),
        ("D-Bus to the broker", 3, lambda: bus_call(*BROKER, "DisarmExpiry", "nobody")),
        ("ftp", 3, lambda: ask_greeting),
    ]
    yield lambda *wanted: [(name, make()) for name, times, make in kinds for _ in range(times) if not wanted or name in wanted]
    for bus in buses:
        bus.close()


def call_all(calls):
    """Makes all calls at the same moment; returns [(name, what went wrong)]."""
    failures, together = [], threading.Barrier(len(calls))

    def make(name, call):
        together.wait()
        try:
            if not call():
                failures.append((name, "a wrong answer"))
        except Exception as error:
            failures.append((name, repr(error)))

    threads = [threading.Thread(target=make, args=pair) for pair in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


@contextlib.contextmanager
def names_given_back(machine, name):
    """Yields wait(): returns at the moment at which the owner of a bus name gives it back."""
    match = f"type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='{name}'"
    monitor = subprocess.Popen(machine.command(["dbus-monitor", "--system", match]), stdout=subprocess.PIPE, text=True)

    def wait():
        """NameOwnerChanged(name, old owner, new owner): none is new."""
        texts = []
        while len(texts) < 3 or texts[-3] != name or texts[-1] != "":
            line = monitor.stdout.readline()
            assert line, "dbus-monitor ended"
            if line.startswith("   string "):
                texts.append(line.split('"')[1])

    try:
        yield wait
    finally:
        # nsenter's child in the machine ends with its pipe; nsenter with it
        monitor.terminate()
        monitor.wait()
        monitor.stdout.close()


@pytest.mark.parametrize("service, name, kinds, beat", [
    ("tempoftp.service", "org.tempoftp.Manager1", ["tcp", "unix socket", "D-Bus"], None),
    # sd-event lets its timer of one second's accuracy fire at the same moment of every second
    ("tempoftp-broker.service", "org.tempoftp.Broker1", ["D-Bus to the broker"], 1),
    ("tempoftp-ftp.service", "org.tempoftp.Ftp1", ["ftp"], None),
], ids=["tempoftpd", "broker", "ftpd"])
def test_no_call_is_lost_that_comes_when_the_idle_time_ends(machine, callers, service, name, kinds, beat):
    calls, failures, exits, rounds = callers(*kinds), [], 0, 0

    def leave():
        """Lets it go; (moment of the last answer, moment at which it went)."""
        assert not call_all(calls)
        answered = time.monotonic()
        wait_until_given_back()
        return answered, time.monotonic()

    with names_given_back(machine, name) as wait_until_given_back:
        seen = sorted((leave() for _ in range(3)), key=lambda moments: moments[1] - moments[0])[1]
    while rounds < (5 if beat else 8) or (not exits and rounds < 30):  # a loaded machine meets the moment less often
        rounds += 1
        failures += call_all(calls)
        answered, process = time.monotonic(), machine.unit(service, "InvocationID")
        if beat:
            moment = answered + IDLE_SECONDS + (seen[1] - answered - IDLE_SECONDS) % beat
        else:
            moment = answered + seen[1] - seen[0]
        time.sleep(max(0, moment + random.uniform(-0.03, 0.01) - time.monotonic()))
        failures += call_all(calls)
        exits += machine.unit(service, "InvocationID") != process
    assert not failures, collections.Counter(failures)
    assert exits, "it never left: the moment was not met"
    assert_sockets_listen(machine)


@pytest.mark.parametrize("name", ["org.tempoftp.Manager1", "org.tempoftp.Broker1", "org.tempoftp.Ftp1"])
def test_no_call_is_lost_that_comes_while_a_service_leaves(machine, callers, name):
    calls, moments, failures = callers(), random.Random(), []
    with names_given_back(machine, name) as wait_until_given_back:
        for _ in range(4):
            failures += call_all(calls)
            wait_until_given_back()
            time.sleep(moments.uniform(0, 0.03))
            failures += call_all(calls)
    assert not failures, collections.Counter(failures)
    assert_sockets_listen(machine)


def test_a_request_that_is_submitted_while_services_leave_is_copied(machine, source, unique, submit, wait_for):
    route = source.make_tree(unique("tree"), {"a.txt": "a"})
    with names_given_back(machine, "org.tempoftp.Manager1") as wait_until_given_back:
        for _ in range(3):
            unix_api(machine).get("/")
            wait_until_given_back()
            wait_for(submit(f"{route}/"), "listo")


# ---- kills ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("program, call", [
    ("tempoftpd", lambda machine: tcp_api().get("/").status == 200),
    ("tempoftpd", lambda machine: busctl(machine, *MANAGER, "ExpireDue").stdout == "u 0\n"),
    ("tempoftp-broker", lambda machine: busctl(machine, *BROKER, "DisarmExpiry", "s", "nobody").returncode == 0),
    ("tempoftp-ftpd", lambda machine: ask_greeting()),
], ids=["tempoftpd by its socket", "tempoftpd by D-Bus", "broker", "ftpd"])
def test_many_kills_in_a_row_leave_nothing_failed_for_good(machine, program, call):
    """More often than systemd's usual limits allow: 5 starts in 10 s, 20 activations of a socket in 2 s."""
    assert call(machine)
    for _ in range(7):
        wait_until(lambda: machine.kill(program), 30, f"a {program} to kill", interval=0)
    assert call(machine)
    assert_sockets_listen(machine)
