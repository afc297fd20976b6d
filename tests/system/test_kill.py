"""kill -9 of every program of the service, fifty times at random moments, while requests are submitted, copied, blocked and deleted: nothing that was
answered is lost, and nothing is left behind.

The moments come from a seed, which a failure shows; TEMPOFTP_TEST_SEED=… takes one again.
"""
import http.client
import itertools
import os
import random
import threading
import time

import pytest

from client import checksums, ftp_login, unix_api
from machine import wait_until

# As the kernel names them: 15 characters.
VICTIMS = {"tempoftpd": 20, "tempoftp-broker": 12, "tempoftp-transf": 8, "rsync": 6, "ssh": 4}
PERSONS = ["ana@example.org", "luis@example.org", "eva@example.org"]
NOT_THERE = "source:/srv/not-there"


class Client(threading.Thread):
    """Somebody who uses the API at random and writes down what every answer promised: {id: "listo", "error", "bloqueado" or "gone"}."""

    MOST_ALIVE = 8

    def __init__(self, machine, name, routes, seed):
        super().__init__(name=name, daemon=True)
        self.api = unix_api(machine)
        self.routes = routes
        self.random = random.Random(f"{seed} {name}")
        self.numbers = itertools.count(1)
        self.promised = {}
        self.source = {}
        self.answers = 0
        self.enough = threading.Event()
        self.failure = None

    def run(self):
        actions = [self.submit] * 5 + [self.delete] * 2 + [self.block, self.unblock]
        try:
            while not self.enough.is_set():
                self.random.choice(actions)()
                self.enough.wait(self.random.uniform(0, 0.2))
        except Exception as error:  # shown by the test
            self.failure = error

    def insist(self, *call):
        """Asks until there is an answer: a call whose server was killed has none, and may have been carried out."""
        deadline = time.monotonic() + 60
        while True:
            try:
                reply = self.api(*call)
                if reply.status < 500:
                    self.answers += 1
                    return reply
                last = reply
            except (OSError, http.client.HTTPException) as error:
                last = error
            if time.monotonic() > deadline:
                raise AssertionError(f"{call}: no answer in 60 s; last: {last!r}")
            time.sleep(0.1)

    def pick(self, *states):
        ids = [id for id, state in self.promised.items() if state in states]
        return self.random.choice(ids) if ids else None

    def submit(self):
        if sum(state != "gone" for state in self.promised.values()) >= self.MOST_ALIVE:
            return
        id = self.pick("gone") if self.random.random() < 0.3 else None  # a life after another
        id = id or f"{self.name}-{next(self.numbers)}"
        route = self.random.choice(self.routes)
        reply = self.insist("POST", "/tmpftp", {"usuario": self.random.choice(PERSONS), "id": id, "ruta": route, "vigencia": 5})
        assert reply.status == 202 or reply.json["detail"]["mensaje"].startswith("Ya existe"), reply
        self.source[id] = route
        self.promised[id] = "error" if route == NOT_THERE else "listo"

    def delete(self):
        id = self.pick("listo", "error", "bloqueado")
        if id:
            reply = self.insist("DELETE", f"/tmpftp/{id}")
            assert reply.status in (200, 404), reply
            self.promised[id] = "gone"
            assert self.insist("GET", f"/tmpftp/{id}").status == 404

    def block(self):
        id = self.pick("listo")
        if id:
            reply = self.insist("POST", f"/tmpftp/{id}/bloquear", {"razon": "prueba"})
            if reply.status == 200:
                self.promised[id] = "bloqueado"
            else:
                assert reply.json["detail"] == "La solicitud no tiene usuario FTP asociado", reply

    def unblock(self):
        id = self.pick("bloqueado")
        if id:
            reply = self.insist("POST", f"/tmpftp/{id}/desbloquear")
            assert reply.status == 200 or "estado actual: 'listo'" in reply.text, reply
            self.promised[id] = "listo"


def kill_one(machine, program):
    """Whether one process of that name was there and got its SIGKILL."""
    return machine.shell(f"pgrep --exact {program} | shuf -n 1 | xargs --no-run-if-empty kill -KILL && ! (( ${{PIPESTATUS[0]}} ))",
                         check=False).returncode == 0


def rows(machine, *states):
    """{id: (account, life)} of the requests in these states."""
    wanted = ",".join(f"'{state}'" for state in states)
    return {id: (account, life) for id, account, life in
            machine.sqlite(f"SELECT id, account, life FROM requests WHERE state IN ({wanted})")}


def names(machine, folder):
    return {path.name for path in machine.file(folder).iterdir()}


def assert_nothing_orphaned(machine):
    """Database, folders, units, timers and accounts tell the same story."""
    ready, blocked = rows(machine, "listo"), rows(machine, "bloqueado")
    under_way = rows(machine, "recibido", "preparando", "traslado")
    assert not under_way
    alive = {**ready, **blocked}
    used = {account for account, _ in alive.values()}

    assert names(machine, "/data/.staging") == set()
    assert names(machine, "/data/.purge") == set()
    assert names(machine, "/data/.blocked") == {f"{id}.{life}" for id, (_, life) in blocked.items()}
    homes = names(machine, "/data") - {".staging", ".purge", ".blocked"}
    assert homes <= used and {account for account, _ in ready.values()} <= homes
    for home in homes:
        assert names(machine, f"/data/{home}") == {id for id, (account, _) in ready.items() if account == home}

    assert {name for name, in machine.sqlite("SELECT name FROM accounts WHERE hash IS NOT NULL OR token IS NOT NULL")} == used
    assert machine.sqlite("SELECT life, kind FROM tasks") == []
    timers = set(machine.units("tempoftp-expire-*"))
    assert timers == {f"tempoftp-expire-{id}.{kind}" for id in alive for kind in ("timer", "service")} & timers
    assert {name for name in timers if name.endswith(".timer")} == {f"tempoftp-expire-{id}.timer" for id in alive}
    for pattern in ("tempoftp-transfer-*.service", "tempoftp-purge-*", "tempoftp-done@*", "tempoftp-failed@*"):
        assert machine.units(pattern) == []
    assert not machine.processes("rsync") and not machine.processes("ssh")
    assert machine.run(["systemctl", "--failed", "--plain", "--no-legend"]).stdout == ""


@pytest.fixture
def seed():
    value = os.environ.get("TEMPOFTP_TEST_SEED") or str(random.SystemRandom().randrange(1 << 32))
    print(f"seed: TEMPOFTP_TEST_SEED={value}")
    return value


@pytest.fixture
def clients(machine, source, seed):
    trees = [source.make_tree("kill-small", {"a.txt": "hola\n", "b/ñandú.txt": "pampa\n"}),
             source.make_tree("kill-many", count=300, size=5_000),
             source.make_tree("kill-big", {"big.bin": 24 << 20, "after.txt": "x"})]
    made = [Client(machine, f"client{n}", [f"{tree}/" for tree in trees] * 2 + [NOT_THERE], seed) for n in range(2)]
    yield made
    for client in made:
        client.enough.set()
    for client in made:
        client.join(90)
    for person in PERSONS:
        made[0].insist("DELETE", f"/tmpftp/user/{person}")


def test_fifty_kills_lose_nothing_that_was_answered_and_leave_nothing_behind(machine, api, clients, seed):
    random_moments = random.Random(seed)
    victims = [program for program, times in VICTIMS.items() for _ in range(times)]
    random_moments.shuffle(victims)
    assert len(victims) == 50
    for client in clients:
        client.start()

    for program in victims:
        time.sleep(random_moments.uniform(0, 0.6))
        wait_until(lambda: kill_one(machine, program) or any(client.failure for client in clients), 90, f"a {program} to kill", interval=0)
    for client in clients:
        client.enough.set()
    for client in clients:
        client.join(90)
        assert not client.is_alive() and client.failure is None, client.failure
    promised = {id: state for client in clients for id, state in client.promised.items()}
    routes = {id: route for client in clients for id, route in client.source.items()}
    assert sum(client.answers for client in clients) > 100 and {"listo", "gone"} <= set(promised.values())

    # every promise is kept
    for id, state in promised.items():
        def arrived():
            reply = api.get(f"/tmpftp/{id}")
            now = "gone" if reply.status == 404 else reply.json["status"]
            assert now == state or now in ("recibido", "preparando", "traslado"), f"{id}: {state} was promised, it is {reply}"
            return now == state
        wait_until(arrived, 180, f"{id} in state {state}", interval=0.2)

    # with the right data, and for those in error with the true cause
    sums = {route: checksums(machine.file(route.removeprefix("source:"))) for route in set(routes.values()) - {NOT_THERE}}
    for id, state in promised.items():
        answer = api.get(f"/tmpftp/{id}")
        if state == "listo":
            assert checksums(machine.file(f"/data/{answer.json['ftpuser']}/{id}")) == sums[routes[id]], id
        elif state == "bloqueado":
            life = rows(machine, "bloqueado")[id][1]
            assert checksums(machine.file(f"/data/.blocked/{id}.{life}")) == sums[routes[id]], id
        elif state == "error":
            assert "/srv/not-there" in answer.json["mensaje"], answer
    for person in PERSONS:
        listo = next((id for id, state in promised.items()
                      if state == "listo" and api.get(f"/tmpftp/{id}").json["email"] == person), None)
        if listo:
            with ftp_login(machine, api.get(f"/tmpftp/{listo}").json) as ftp:
                assert ftp.nlst(f"/{listo}")

    def whole():
        assert_nothing_orphaned(machine)
        return True

    wait_until(whole, 120, "no orphan", interval=0.3)
    for person in PERSONS:
        assert api.delete(f"/tmpftp/user/{person}").status in (200, 404)
    wait_until(whole, 120, "no orphan after the deletion of everything", interval=0.3)
    assert rows(machine, "listo", "bloqueado", "error", "expirado") == {}
