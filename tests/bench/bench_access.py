"""What access control costs: GET /tmpftp/{id} with a token, of an operator and of the request's owner, against TEMPOFTP_AUTH=off; and how long a GET takes
while 64 people log in at the same time, against a quiet service.

Each is a ratio within one process: the service without access control has the same database and answers.
"""
import concurrent.futures
import contextlib
import subprocess
import sys
import threading

import client
import figure
import load
import seed
from machine import wait_until
from people import PASSWORD, World

REQUESTS = 10  # all of one address, see seed.py
OWNER = "user0@example.org"
CONNECTIONS = 32
ROUND_SECONDS = 5
GETS_PER_SECOND = 200
LOGINS = 64
CPU_GOAL, STORM_GOAL = 1.15, 5


def filled(build, **settings):
    world = World(build, TEMPOFTP_ACCESS_TOKEN_EXPIRE_MINUTES=600, **settings)
    world.start().stop()
    seed.fill(world.state_file, REQUESTS, world.key)
    world.state_file.chmod(0o666)
    return world.start()


def run(build, rounds):
    with contextlib.ExitStack() as stack:
        worlds = {}
        for name, auth in (("open", "off"), ("closed", "required")):
            worlds[name] = filled(build, TEMPOFTP_AUTH=auth)
            stack.callback(worlds[name].remove)
        return [*cpu(worlds["open"], worlds["closed"], rounds), *storm(worlds["closed"], rounds)]


# ---- CPU ------------------------------------------------------------------------------------------------

def cpu(open_world, world, rounds):
    tokens = {"an operator's": world.user("operator", "operador").token, "its owner's": world.user("user0").token}
    costs = {who: [] for who in ("open", *tokens)}
    for n in range(rounds + 1):  # the first is to warm up
        for who in costs:
            one = open_world if who == "open" else world
            arguments = [REQUESTS, "random", tokens[who]] if who in tokens else [REQUESTS]
            cost = load.wrk(one.process.pid, f"http://127.0.0.1:{one.port}", "get.lua", CONNECTIONS, ROUND_SECONDS, *arguments).cpu_us
            costs[who] += [cost] if n else []
        if n:
            figure.say(f"access: round {n}: " + "; ".join(f"{who} {cost[-1]:.1f} us" for who, cost in costs.items()))
    for who in tokens:
        ratio = figure.median([mine / base for mine, base in zip(costs[who], costs["open"])])
        yield figure.Figure(f"CPU of a GET with {who} token", f"{figure.median(costs[who]):.1f} us", f"{figure.median(costs['open']):.1f} us", f"{ratio:.2f}",
                            f"<= {CPU_GOAL}", ratio <= CPU_GOAL)


# ---- logins ---------------------------------------------------------------------------------------------

def percentile_99(world, token):
    """In milliseconds."""
    paths = [f"/tmpftp/{seed.request_id(n)}" for n in range(REQUESTS)]
    command = [sys.executable, load.HERE / "steady.py", world.port, token, GETS_PER_SECOND, ROUND_SECONDS, *paths]
    return float(subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, text=True, check=True).stdout)


@contextlib.contextmanager
def logins(world):
    """LOGINS people who log in again and again, half of them with a wrong password; over the Unix socket, where nobody counts how often."""
    stop = threading.Event()
    done = []

    def one(n):
        api = client.Api(lambda timeout: client.UnixConnection(str(world.socket), timeout))
        while not stop.is_set():
            done.append(api.post("/auth/login", {"correo": OWNER, "password": PASSWORD if n % 2 else "no es la clave"}, timeout=120).status)

    with concurrent.futures.ThreadPoolExecutor(LOGINS) as pool:
        everybody = [pool.submit(one, n) for n in range(LOGINS)]
        try:
            yield done
        finally:
            stop.set()
            for each in everybody:
                each.result()


def storm(world, rounds):
    token = world.login(OWNER).token
    quiet, busy, answered = [], [], []
    for n in range(rounds):
        quiet.append(percentile_99(world, token))
        with logins(world) as done:
            wait_until(lambda: done, what="logins to be under way")  # noqa: B023
            before = len(done)
            busy.append(percentile_99(world, token))
            answered.append((len(done) - before) / ROUND_SECONDS)
        if not set(done) <= {200, 401, 503}:
            raise RuntimeError(f"logins were answered with {set(done)}")
        figure.say(f"access: round {n + 1}: 99 % of GETs within {quiet[-1]:.3f} ms, during {LOGINS} logins {busy[-1]:.3f} ms, {answered[-1]:.0f} logins a second")
    ratio = figure.median([mine / base for mine, base in zip(busy, quiet)])
    yield figure.Figure(f"99th percentile of GET during {LOGINS} logins", f"{figure.median(busy):.3f} ms", f"{figure.median(quiet):.3f} ms", f"{ratio:.1f}",
                        f"<= {STORM_GOAL}", ratio <= STORM_GOAL)
    yield figure.Figure("  logins answered a second", f"{figure.median(answered):.0f}", "", "", "", None)
