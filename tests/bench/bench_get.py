"""GET /tmpftp/{id} with 100,000 requests in the database, against libh2o answering a constant of the same size (bench-bare-h2o.c).

The simulator runs the same server, database and answers as the service. Four kinds of rounds, one after the other: the bare server; ours, ids at random;
the same while somebody submits and extends requests, WRITES a second; and ours just started, every id asked for once, so that no answer is kept yet.
"""
import contextlib
import itertools
import socket
import subprocess
import threading

import figure
import load
import seed
from machine import wait_until
from ports import free_port
from simulator import Simulator

REQUESTS = 100_000
CONNECTIONS = 32
ROUND_SECONDS = 5
FRESH_SECONDS = 1  # less than all ids last
WRITES = 20
GOAL = 0.7

_numbers = itertools.count()


def _connects(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def bare_server(build, size):
    port = free_port()
    process = subprocess.Popen([build / "tests/bench/bench-bare-h2o", str(port), str(size)])
    try:
        wait_until(lambda: _connects(port), 10, "the bare server listens")
        yield process.pid, f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def writes(api):
    """Every second one is a new request, the others alter one of those that are asked for."""
    stop = threading.Event()
    written = []

    def write():
        while not stop.wait(1 / WRITES):
            n = next(_numbers)
            reply = api.submit(f"written-{n}") if n % 2 else api.post(f"/tmpftp/{seed.request_id(n * 7919 % REQUESTS)}/extender", {"dias": 1})
            written.append(reply.status)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        stop.set()
        writer.join()
    if set(written) - {200, 202}:
        raise RuntimeError(f"a write during GETs was answered with {set(written) - {200, 202}}")


def run(build, rounds):
    api = Simulator(build, {"TEMPOFTP_SIM_DELAY_MS": 3600_000, "TEMPOFTP_SIM_DATA_FREE_BYTES": 10**15})
    try:
        api.start().stop()
        figure.say(f"get: {REQUESTS} requests into the database")
        seed.fill(api.state_file, REQUESTS, api.key)
        api.state_file.chmod(0o666)
        api.start()
        sample = api.get(f"/tmpftp/{seed.request_id(REQUESTS // 2)}")
        if sample.status != 200 or sample.json["status"] != "listo":
            raise RuntimeError(f"a seeded request is answered with {sample}")
        with bare_server(build, len(sample.body)) as (bare_pid, bare_url):
            return measure(api, bare_pid, bare_url, rounds)
    finally:
        api.remove()


def measure(api, bare_pid, bare_url, rounds):
    ours_url = f"http://127.0.0.1:{api.port}"
    bare, ours, written, fresh = [], [], [], []

    load.wrk(api.process.pid, ours_url, "get.lua", CONNECTIONS, ROUND_SECONDS, REQUESTS)  # warm
    for n in range(rounds):
        bare.append(load.wrk(bare_pid, bare_url, "get.lua", CONNECTIONS, ROUND_SECONDS, REQUESTS))
        ours.append(load.wrk(api.process.pid, ours_url, "get.lua", CONNECTIONS, ROUND_SECONDS, REQUESTS))
        with writes(api):
            written.append(load.wrk(api.process.pid, ours_url, "get.lua", CONNECTIONS, ROUND_SECONDS, REQUESTS))
        api.restart()
        fresh.append(load.wrk(api.process.pid, ours_url, "get.lua", CONNECTIONS, FRESH_SECONDS, REQUESTS, "once"))
        load.wrk(api.process.pid, ours_url, "get.lua", CONNECTIONS, ROUND_SECONDS, REQUESTS)  # warm again
        figure.say(f"get: round {n + 1}: " + "; ".join(
            f"{name} {l.rate:.0f}/s {l.cpu_us:.1f} us busy {l.busy:.0%}"
            for name, l in (("bare", bare[-1]), ("ours", ours[-1]), ("written", written[-1]), ("fresh", fresh[-1]))))
    peer = load.middle(bare)
    return [line for loads, words, goal in ((ours, "", GOAL), (written, f", {WRITES} writes a second", None),
                                             (fresh, ", each for the first time", None))
            for line in rows(loads, peer, bare, words, goal)]


def rows(loads, peer, bare, words, goal):
    mine = load.middle(loads)
    rate = figure.median([a.rate / b.rate for a, b in zip(loads, bare)])
    yield figure.Figure(f"GET of one in {REQUESTS}{words}", f"{mine.rate:.0f}/s", f"{peer.rate:.0f}/s", f"{rate:.2f}",
                        f">= {goal}" if goal else "", rate >= goal if goal else None)
    cpu = figure.median([b.cpu_us / a.cpu_us for a, b in zip(loads, bare)])
    yield figure.Figure("  the server's CPU for each", f"{mine.cpu_us:.1f} us", f"{peer.cpu_us:.1f} us", f"{cpu:.2f}", "", None)
