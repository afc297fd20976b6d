"""More requests than places: they wait in line, first come first served, and nobody is forgotten."""
import contextlib
import json
import subprocess
import threading
import time

import pytest

from machine import drop_in, wait_until
from transfers import slow, source_users, staging, wait_staged  # noqa: F401 (fixtures)

PREPARANDO = "1b8af2e4d65c4e1bb2e6d3e3d7f46c21"  # MESSAGE_ID= of a request that leaves the line


class Watch(threading.Thread):
    """Looks at the transfer units, again and again: `most` is how many it saw running at once, `looks` how often it
    looked."""

    def __init__(self, machine):
        super().__init__(daemon=True)
        self._command = machine.command(["systemctl", "list-units", "--plain", "--no-legend",
                                         "--state=activating,active,deactivating,reloading", "tempoftp-transfer-*.service"])
        self._ended = threading.Event()
        self.most = self.looks = 0

    def run(self):
        while not self._ended.wait(0.02):
            shown = subprocess.run(self._command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True).stdout
            self.most = max(self.most, len(shown.splitlines()))
            self.looks += 1

    def stop(self):
        self._ended.set()
        self.join()


@contextlib.contextmanager
def watched(machine):
    """A Watch for the length of a `with`."""
    watch = Watch(machine)
    watch.start()
    try:
        yield watch
    finally:
        watch.stop()


def started(machine, since):
    """The ids that left the line since then, in their order."""
    lines = machine.journal("-o", "json", f"MESSAGE_ID={PREPARANDO}", since=since).splitlines()
    return [json.loads(line)["TEMPOFTP_ID"] for line in lines]


def assert_first_come_first_served(ids, order, places):
    """Nobody was overtaken. Those that find places at the same moment may set off in any order among themselves, so a
    request leaves at most `places` - 1 steps before its turn."""
    assert sorted(order) == sorted(ids)
    for turn, id in enumerate(order):
        assert turn > ids.index(id) - places, (order, ids)


@pytest.fixture
def tree(source, unique):
    """tree(size) makes a tree with one file of that size; its route, through the slow user."""
    return lambda size: source.make_tree(unique("tree"), {"data.bin": size}).replace("source:", "lento@source:") + "/"


@pytest.fixture
def first(machine, tree, slow, submit):  # noqa: F811
    """One place, and a copy that keeps it until the test lets it hurry or deletes it: its id."""
    with machine.settings(TEMPOFTP_MAX_TRASLADOS=1):
        slow(200)
        id = submit(tree(40_000_000))
        wait_staged(machine, id, 100_000)
        slow(0)
        yield id


def state(api, id):
    reply = api.get(f"/tmpftp/{id}")
    return "gone" if reply.status == 404 else reply.json["status"]


def test_twenty_at_once_go_through_four_places_in_their_order(machine, api, tree, slow, submit, wait_for):  # noqa: F811
    slow(500)
    route, began = tree(400_000), machine.journal_now()
    with watched(machine) as watch:
        ids = [submit(route) for _ in range(20)]
        for id in ids:
            wait_for(id, "listo", timeout=120)
    assert watch.looks > 20
    assert watch.most == 4
    assert_first_come_first_served(ids, started(machine, began), 4)
    for id in ids:
        answer = wait_for(id, "listo")
        assert (machine.file(f"/data/{answer['ftpuser']}/{id}/data.bin").stat().st_size, answer["archivos"]) == (400_000, 1)
        told = [event["estado"] for event in api.get(f"/tmpftp/{id}/eventos").json["eventos"]]
        assert told[0] == "recibido" and told[-1] == "listo" and "error" not in told


def test_those_in_line_are_told_so(api, first, tree, submit):
    waiting = submit(tree(1000))
    reply = api.get(f"/tmpftp/{waiting}")
    assert (reply.status, reply.headers["Retry-After"]) == (202, "5")
    assert reply.json == {"id": waiting, "status": "recibido", "mensaje": "Solicitud en cola.", "progreso": None}
    assert state(api, first) == "traslado"


@pytest.mark.parametrize("places", [1, 2])
def test_the_setting_says_how_many(places, machine, tree, slow, submit, wait_for):  # noqa: F811
    with machine.settings(TEMPOFTP_MAX_TRASLADOS=places):
        slow(500)
        route, began = tree(200_000), machine.journal_now()
        with watched(machine) as watch:
            ids = [submit(route) for _ in range(6)]
            for id in ids:
                wait_for(id, "listo", timeout=120)
        assert watch.most == places
        assert_first_come_first_served(ids, started(machine, began), places)


def test_more_places_are_used_as_soon_as_the_service_knows_of_them(machine, api, first, tree, slow, submit, wait_for):  # noqa: F811
    waiting = [submit(tree(1000)) for _ in range(3)]
    assert [state(api, id) for id in waiting] == ["recibido"] * 3
    with machine.settings(TEMPOFTP_MAX_TRASLADOS=2):
        for id in waiting:
            wait_for(id, "listo")
        assert state(api, first) == "traslado"


def test_fewer_places_stop_nobody_who_has_one(machine, api, tree, slow, submit, wait_for):  # noqa: F811
    slow(1000)
    running = [submit(tree(4_000_000)) for _ in range(3)]
    for id in running:
        wait_staged(machine, id, 100_000)
    with machine.settings(TEMPOFTP_MAX_TRASLADOS=1):
        late = submit(tree(1000))
        while "traslado" in (states := [state(api, id) for id in running]):
            # asked before: the late one may start the moment the last one ends
            assert state(api, late) == "recibido" or "traslado" not in [state(api, id) for id in running], states
            time.sleep(0.05)
        assert states == ["listo"] * 3
        wait_for(late, "listo")


def test_one_that_is_deleted_in_line_never_runs(machine, api, first, tree, submit, wait_for):
    began = machine.journal_now()
    deleted, after = submit(tree(1000)), submit(tree(1000))
    assert state(api, deleted) == "recibido"
    assert api.delete(f"/tmpftp/{deleted}").json["status"] == "deleted"
    assert api.delete(f"/tmpftp/{first}").status == 200  # gives its place away
    wait_for(after, "listo")

    assert started(machine, began) == [after]
    assert not staging(machine, deleted)
    assert machine.journal(f"--unit=tempoftp-transfer-{deleted}", since=began) == ""
    assert "Started tempoftp" in machine.journal(f"--unit=tempoftp-transfer-{after}", since=began)
    assert state(api, deleted) == "gone"


def test_the_same_id_asked_for_again_goes_to_the_end_of_the_line(machine, api, first, tree, submit, wait_for):
    began = machine.journal_now()
    again, other = submit(tree(1000)), submit(tree(1000))
    assert api.delete(f"/tmpftp/{again}").status == 200
    submit(tree(1000), id=again)
    assert api.delete(f"/tmpftp/{first}").status == 200
    for id in (again, other):
        wait_for(id, "listo")
    assert started(machine, began) == [other, again]


def test_one_that_fails_gives_its_place_to_the_next(machine, api, first, tree, submit, wait_for):
    bad, good = submit("source:/srv/no-such-tree"), submit(tree(1000))
    assert api.delete(f"/tmpftp/{first}").status == 200
    assert wait_for(bad, "error")["mensaje"].startswith("La ruta no existe")
    wait_for(good, "listo")


@pytest.mark.parametrize("how", ["restart", "kill"])
def test_the_line_keeps_its_order_when_the_service_is_gone_for_a_moment(how, machine, api, first, tree, submit, wait_for):
    began = machine.journal_now()
    waiting = [submit(tree(1000)) for _ in range(4)]
    if how == "kill":
        assert machine.kill("tempoftpd")
    else:
        machine.restart()
    assert state(api, first) == "traslado"
    assert [state(api, id) for id in waiting] == ["recibido"] * 4
    assert api.delete(f"/tmpftp/{first}").status == 200
    for id in waiting:
        wait_for(id, "listo")
    assert started(machine, began) == waiting


@pytest.fixture
def slow_stop(machine):
    """Transfer units take two seconds to stop."""
    with drop_in(machine, "tempoftp-transfer-.service", "[Service]\nExecStopPost=/bin/sleep 2\n"):
        yield


def test_a_copy_under_way_that_is_deleted_is_purged_however_long_its_unit_takes_to_stop(machine, api, first, slow_stop):
    """Its removal is on the list of things to do before the unit has stopped; looking at the list then must not end in
    "nothing to remove"."""
    deletion = threading.Thread(target=lambda: api.delete(f"/tmpftp/{first}"))
    deletion.start()
    while deletion.is_alive():
        machine.run(["busctl", "--system", "call", "org.tempoftp.Manager1", "/org/tempoftp/Manager1", "org.tempoftp.Manager1",
                     "ExpireDue"])
    deletion.join()
    wait_until(lambda: not list(machine.file("/data/.purge").glob(f"{first}.*")), 20, "its data is removed")
    assert not staging(machine, first)


def test_all_who_stop_the_same_unit_are_answered(machine, first, slow_stop):
    """systemd gives them one and the same job."""
    stop = machine.command(["busctl", "--system", "--timeout=20", "call", "org.tempoftp.Broker1", "/org/tempoftp/Broker1",
                            "org.tempoftp.Broker1", "StopUnit", "ss", "transfer", first])
    callers = [subprocess.Popen(stop, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    assert [(caller.communicate(timeout=60)[1], caller.returncode) for caller in callers] == [("", 0)] * 3
