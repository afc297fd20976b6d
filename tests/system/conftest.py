"""What the stories stand on: one booted machine for each pytest worker, with tempoftp installed from build/.

Run as root, after `meson compile -C build`, by tools/check or by hand:

    /usr/bin/python3 -m pytest tests/system -n 2            all of it
    /usr/bin/python3 -m pytest tests/system -k front_door   one story

Fixtures: machine, source, api, http, submit, wait_for; fleet for MariaDB and Pure-FTPd; simulator for what needs no machine. A test that fails shows the
machine's journal of its time.
"""
import itertools
import os
import pathlib
import re

import pytest

import client
import fleet as fleets
from machine import REPOSITORY, SETTINGS, Machine, Source, wait_until
from simulator import Simulator

BUILD = pathlib.Path(os.environ.get("TEMPOFTP_BUILD", REPOSITORY / "build")).resolve()
# Tests ask more often in an hour than a portal does; test_rate_limit sets its own.
TEST_SETTINGS = {"TEMPOFTP_RATE_LIMIT_POST": "1000/second",
                 "TEMPOFTP_AUTH": "off",  # the original's open contract; test_access and its siblings set their own
                 "TEMPOFTP_FTP_BAN_AFTER": "0"}  # every test comes from the same address


def pytest_configure(config):
    if os.geteuid() != 0:
        pytest.exit("the system tests boot a machine: run them as root (sudo tools/check system)", returncode=2)
    if not (BUILD / "build.ninja").exists():
        pytest.exit(f"there is no build in {BUILD}: meson setup build && meson compile -C build", returncode=2)


@pytest.fixture(scope="session")
def machine():
    """The machine (machine.Machine): booted, installed, sockets enabled, source host running. This process and its
    children live in its network: 127.0.0.1:9043 is its API, 127.0.0.1:21 its FTP."""
    machine = Machine(f"test-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}-{os.getpid()}")
    machine.boot()
    try:
        machine.install(BUILD)
        Source(machine).start()
        with open(machine.file(SETTINGS), "a", encoding="utf-8") as settings:
            settings.writelines(f"{name}={value}\n" for name, value in TEST_SETTINGS.items())
        machine.run(["systemctl", "enable", "--now", "tempoftp.socket", "tempoftp-ftp.socket"])
        yield machine
    finally:
        machine.stop()


@pytest.fixture
def api(machine):
    """The API as an operator: over the Unix socket, without token and limits. See client.Api."""
    return client.unix_api(machine)


@pytest.fixture
def http(machine):
    """The API over TCP, as portals use it."""
    return client.tcp_api()


@pytest.fixture
def source(machine):
    """The source host (machine.Source). Trees made through it are removed after the test."""
    source = Source(machine)
    yield source
    source.remove_trees()


@pytest.fixture(scope="session")
def _fleet(machine):
    """Made once for a machine, at its first story that wants it: a boot without them is quick."""
    fleet = fleets.Fleet(machine)
    fleet.make()
    return fleet


@pytest.fixture(scope="module")
def fleet(_fleet):
    """MariaDB and Pure-FTPd (fleet.Fleet) on port 21 in place of tempoftp's own FTP server, with an empty table `ours`, for the
    stories of one file. tempoftpd is told of them by `accounts_in_mariadb`, or machine.settings(**fleet.SETTINGS)."""
    _fleet.start()
    yield _fleet
    _fleet.stop()


@pytest.fixture(scope="module")
def accounts_in_mariadb(machine, fleet):
    """tempoftpd keeps its accounts there for the stories of one file."""
    with machine.settings(**fleets.SETTINGS):
        yield


_numbers = itertools.count(1)


@pytest.fixture
def unique(request):
    """unique("x") gives a name no other test uses: for ids, addresses, trees."""
    story = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())[:30].strip("-")
    return lambda prefix="": f"{prefix}{'-' if prefix else ''}{story}-{next(_numbers)}"


@pytest.fixture
def submit(api, unique):
    """submit(ruta, vigencia=5, id=…, usuario=…) asks for a request, expects the 202 and returns its id. After the test
    it is deleted, and its data has to go."""
    made = []

    def submit(ruta, **fields):
        wanted = {"usuario": f"{unique()}@example.org", "id": unique(), "ruta": ruta, "vigencia": 5, **fields}
        made.append(wanted["id"])
        reply = api.post("/tmpftp", wanted)
        assert reply.status == 202, reply
        return wanted["id"]

    yield submit
    for id in made:
        reply = api.delete(f"/tmpftp/{id}")
        assert reply.status in (200, 404), reply


@pytest.fixture
def wait_for(api):
    """wait_for(id, "listo", timeout=60): waits for a state and returns the answer; see client.wait_for."""
    return lambda id, state, timeout=60: client.wait_for(api, id, state, timeout)


@pytest.fixture
def simulator():
    """simulator(SETTING=value…) starts a simulator of its own as user nobody (simulator.Simulator, which is an Api);
    with started=False it is only made ready."""
    made = []

    def simulator(started=True, **settings):
        made.append(Simulator(BUILD, settings))
        return made[-1].start() if started else made[-1]

    yield simulator
    for one in made:
        one.remove()


# ---- reports: the journal of a failed test ----------------------------------------------------------

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item):
    machine = item.funcargs.get("machine")
    if machine:
        item.journal_from = machine.journal_now()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    machine = getattr(item, "funcargs", {}).get("machine")
    if report.failed and machine:
        try:
            text = machine.journal("--lines=200", since=getattr(item, "journal_from", None))
        except Exception as error:  # the report must come out whatever state the machine is in
            text = f"(no journal: {error})"
        report.sections.append((f"journal of {machine.name}", text))
