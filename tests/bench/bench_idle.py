"""What an idle tempoftp costs, and how long the first caller after that waits: with an empty database and with 100,000 requests.

In a booted machine, sockets enabled, TEMPOFTP_IDLE_SECONDS=2. Each round waits until nothing of tempoftp runs, counts what is left, then asks once with
curl, in turns over TCP and over the Unix socket. The 100,000 requests have their folders too, so that what the service compares at its start is true.
"""
import os
import pathlib
import re

import figure
import seed
from booted import booted
from machine import wait_until

REQUESTS = 100_000
GOAL_MS = 150
IDLE_SECONDS = 2
IDLE_LIMIT_S = 90
STATE = "var/lib/tempoftp/state.db"
DOORS = {"TCP": ["http://127.0.0.1:9043"], "Unix socket": ["--unix-socket", "/run/tempoftp/api.sock", "http://localhost"]}


def run(build, rounds):
    with booted("idle", build, ["tempoftp.socket", "tempoftp-ftp.socket"], TEMPOFTP_IDLE_SECONDS=IDLE_SECONDS) as machine:
        ask(machine, DOORS["TCP"], "/", 200)  # makes the database
        rows = list(measure(machine, "empty database", "/tmpftp/none", 404, rounds))
        wait_until_nothing_runs(machine)
        figure.say(f"idle: {REQUESTS} requests into the database")
        fill(machine)
        ask(machine, DOORS["TCP"], f"/tmpftp/{seed.request_id(1)}", 200)
        return rows + list(measure(machine, f"{REQUESTS} requests", f"/tmpftp/{seed.request_id(REQUESTS // 2)}", 200, rounds))


def fill(machine):
    """The rows, and a folder for each as tempoftpd would have made it."""
    key = machine.file("/etc/tempoftp/encryption.key").read_text().strip()
    # Not through /proc/PID/root: SQLite resolves symbolic links, and that one leads back here.
    root = pathlib.Path(machine._testbed("path", machine.name).strip())
    pairs = seed.fill(root / STATE, REQUESTS, key)
    data, (uid, _) = machine.file("/data"), machine.uid("tempoftp")
    for account, id in pairs:
        for folder in (data / account, data / account / id):
            if not folder.exists():
                folder.mkdir()
                os.chown(folder, uid, 2001)
                folder.chmod(0o2750)


def measure(machine, title, path, status, rounds):
    took = {door: [] for door in DOORS}
    left = []
    for n in range(rounds):
        for door, arguments in DOORS.items():
            wait_until_nothing_runs(machine)
            left.append(resident_bytes(machine))
            took[door].append(ask(machine, arguments, path, status))
        figure.say(f"idle: {title}: round {n + 1}: " + ", ".join(f"{door} {times[-1]:.0f} ms" for door, times in took.items()))
    yield figure.Figure(f"idle, {title}", f"{max(left)} bytes", "", "", "0 bytes, no process", max(left) == 0)
    for door, times in took.items():
        middle = figure.median(times)
        yield figure.Figure(f"  first request, {door}", f"{middle:.0f} ms", "", "", f"< {GOAL_MS} ms", middle < GOAL_MS)


def ask(machine, arguments, path, status):
    """One GET by curl; milliseconds from its connect to the end of the answer."""
    shown = machine.run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code} %{time_total}", *arguments[:-1], arguments[-1] + path]).stdout
    code, seconds = shown.split()
    if int(code) != status:
        raise RuntimeError(f"GET {path} was answered with {code}")
    return float(seconds) * 1000


def own_cgroups(machine):
    """The control groups of tempoftp's units that exist now, templates and slices too."""
    top = pathlib.Path(machine.file("/sys/fs/cgroup"))
    return [folder for folder in top.rglob("*tempoftp*") if folder.is_dir()]


def processes(machine):
    """Process ids of what runs in tempoftp's units, and of whatever else bears the name."""
    inside = [pid for group in own_cgroups(machine) for pid in (group / "cgroup.procs").read_text().split()]
    return inside + machine.run(["pgrep", "tempoftp"], check=False).stdout.split()


def wait_until_nothing_runs(machine):
    wait_until(lambda: not processes(machine), IDLE_LIMIT_S, "no process of tempoftp runs", interval=0.1)


def resident_bytes(machine):
    """What systemd counts for every service of tempoftp's; a unit without processes has no MemoryCurrent."""
    shown = machine.run(["systemctl", "show", "--property=MemoryCurrent", "tempoftp*.service"]).stdout
    return sum(int(number) for number in re.findall(r"^MemoryCurrent=(\d+)$", shown, re.M) if int(number) < 2**64 - 1)
