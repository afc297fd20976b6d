"""Durable POSTs from 64 clients, against single rows that SQLite commits one after the other with synchronous=FULL on the same disk.

The simulator takes the POSTs: the same server, the same transaction as the service. Its copies are made to last an hour, so that what is measured is
the insert alone, end to end over HTTP. The peers are the smallest durable insert there is, without HTTP: a bare connection of SQLite's, one table
with one index besides its key, one row a commit; once with the journal that SQLite uses by itself, once with a write-ahead log like ours.
"""
import pathlib
import shutil
import sqlite3
import tempfile
import time

import figure
import load
from simulator import Simulator

CLIENTS = 64
ROUND_SECONDS = 4
GOAL = 5
JOURNALS = {"DELETE": "SQLite as it comes", "WAL": "SQLite with a write-ahead log"}


def run(build, rounds):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tempoftp-single-"))
    api = Simulator(build, {"TEMPOFTP_SIM_DELAY_MS": 3600_000, "TEMPOFTP_SIM_DATA_FREE_BYTES": 10**15,
                            "TEMPOFTP_RATE_LIMIT_POST": "1000000/second"})
    try:
        api.start()
        return list(measure(api, {mode: single_commits(folder / f"{mode}.db", mode) for mode in JOURNALS}, rounds))
    finally:
        api.remove()
        shutil.rmtree(folder)


def measure(api, peers, rounds):
    ours, single = [], {mode: [] for mode in peers}
    for n in range(rounds):
        for mode, peer in peers.items():
            single[mode].append(next(peer))
        ours.append(load.wrk(api.process.pid, f"http://127.0.0.1:{api.port}", "post.lua", CLIENTS, ROUND_SECONDS, n))
        figure.say(f"post: round {n + 1}: single commits " + ", ".join(f"{mode} {rates[-1]:.0f}/s" for mode, rates in single.items()) +
                   f"; {CLIENTS} clients {ours[-1].rate:.0f}/s, CPU {ours[-1].cpu_us:.0f} us each, busy {ours[-1].busy:.0%}")
    promised = sum(l.answers for l in ours)
    api.kill()  # what has been answered must be there after that
    kept = int(api.sqlite("SELECT count(*) FROM requests")[0][0])
    if kept < promised:
        raise RuntimeError(f"{promised} requests were promised, {kept} are there")
    mine = load.middle(ours)
    for mode, rates in single.items():
        ratio = figure.median([a.rate / b for a, b in zip(ours, rates)])
        yield figure.Figure(f"POST, {CLIENTS} clients, against {JOURNALS[mode]}", f"{mine.rate:.0f}/s", f"{figure.median(rates):.0f}/s",
                            f"{ratio:.1f}", f">= {GOAL}", ratio >= GOAL)
    yield figure.Figure("  the server's CPU for each", f"{mine.cpu_us:.0f} us", "", "", "", None)


def single_commits(path, journal):
    """Yields commits a second, one round each time it is asked; the table grows from round to round as ours does."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute(f"PRAGMA journal_mode={journal}")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("CREATE TABLE requests (life INTEGER PRIMARY KEY, id TEXT UNIQUE, email TEXT, ruta TEXT, vigencia INTEGER, created INTEGER, "
               "state TEXT)")
    n = 0
    while True:
        before, start = n, time.monotonic()
        while time.monotonic() < start + ROUND_SECONDS:
            n += 1
            mixed = n * 2654435761 % 2**32
            db.execute("INSERT INTO requests (id, email, ruta, vigencia, created, state) VALUES (?, ?, 'source:/data/set', 5, 1700000000, "
                       "'recibido')", (f"set-{mixed:08x}-{n}", f"user{mixed % 5000}@example.org"))
        yield (n - before) / (time.monotonic() - start)
