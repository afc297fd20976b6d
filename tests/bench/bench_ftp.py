"""The FTP server against Debian's Pure-FTPd, vsftpd and ProFTPD: same data, same client, in turns; server CPU time first.

Each row is one load of bench-ftp-load.c on one server at a time. "limit" is what the work costs without FTP (bench-ftp-limits.c): sendfile to the same
client; reading a folder; a port, a connection and a file for each RETR; accept, fork, Argon2id, landlock and seccomp for each login. BENCH_FTP_ROWS=login,list measures these kinds of load only.
"""
import dataclasses
import functools
import os
import pathlib
import shutil
import subprocess
import tempfile

import figure
import ftp_servers
from fair import touch_memory, turned
from ftp_servers import PASSWORD, PORT, UID, USER, Server

GIB = 1 << 30
RETRIEVALS = 5  # in a run: single ones of the same server take from 0.15 to 0.5 s of CPU
LISTED = 50_000
SMALL = 2_000
LOGINS = 1_200
TLS_LOGINS = 240
CLIENTS = 16
IDLE_SESSIONS = 100
LOAD_LIMIT_S = 300


@dataclasses.dataclass
class Row:
    """One line of the table. cost: a run's CPU seconds or rate as a number; unit: how it is shown; goal: factor, of which peer's median."""

    title: str
    kind: str
    count: int
    argument: str
    unit: str
    scale: float        # CPU seconds for each count → unit; 0: count a second instead
    factor: float
    against: str        # a server's name, or "best"
    tls: bool = False
    needs: str = ""
    without: tuple = ()  # servers that can't


ROWS = [
    Row("RETR 1 GiB", "retr", RETRIEVALS, "big", "s/GiB", 1, 1.00, "vsftpd"),
    Row("STOR 1 GiB", "stor", 1, "up", "s/GiB", 1, 1.00, "vsftpd", needs="write", without=("pyftpdlib",)),
    Row("1 KiB files, one session", "files", SMALL, "small", "us/file", 1e6, 0.65, "pure-ftpd"),
    Row(f"LIST of {LISTED:,} files", "list", 1, "many", "s", 1, 0.50, "pure-ftpd"),
    Row(f"MLSD of {LISTED:,} files", "mlsd", 1, "many", "s", 1, 0.60, "pure-ftpd", without=("vsftpd",)),
    Row(f"login, {CLIENTS} clients", "login", LOGINS, str(CLIENTS), "ms", 1e3, 0.30, "best"),
    Row("logins/s", "login", LOGINS, str(CLIENTS), "/s", 0, 4, "pure-ftpd"),
    Row("idle session, PSS", "hold", IDLE_SESSIONS, "", "KiB", 1, 0.40, "vsftpd"),
    Row("RETR 1 GiB, TLS", "retr", RETRIEVALS, "big", "s/GiB", 1, 0.70, "pure-ftpd", tls=True, needs="tls"),
    Row("login, TLS", "login", TLS_LOGINS, str(CLIENTS), "ms", 1e3, 0.60, "pure-ftpd", tls=True, needs="tls"),
]


def run(build, rounds):
    place = pathlib.Path(tempfile.mkdtemp(prefix="tempoftp-bench-ftp-", dir="/dev/shm"))
    try:
        return measure(build, place, rounds)
    finally:
        shutil.rmtree(place)


def make_data(place):
    place.chmod(0o755)
    home = place / "home"
    for name in ("small", "many", "buzon"):
        (home / name).mkdir(parents=True)
    with open(home / "big", "wb") as big:
        for _ in range(GIB >> 20):
            big.write(b"tempoftp" * (1 << 17))
    for n in range(SMALL):
        (home / "small" / str(n)).write_bytes(b"x" * 1024)
    for n in range(LISTED):
        (home / "many" / f"file-{n:06}.dat").touch()
    for folder, _, files in os.walk(home):
        os.chown(folder, UID, UID)
        for name in files:
            os.chown(os.path.join(folder, name), UID, UID)


def servers_of(build):
    command, can_write, can_tls = ftp_servers.tempoftp(build)
    usr = ftp_servers.unpack_peers()
    peers = {"pure-ftpd": ftp_servers.pure_ftpd, "vsftpd": ftp_servers.vsftpd, "proftpd": ftp_servers.proftpd, "pyftpdlib": ftp_servers.pyftpdlib}
    makers = {"tempoftp": command} | {name: functools.partial(make, usr) for name, make in peers.items()}
    makers["limit"] = functools.partial(ftp_servers.limit, build)
    return makers, {"": True, "write": can_write, "tls": can_tls}


def measure(build, place, rounds):
    figure.say("ftp: making 1 GiB, and folders with 2,000 and 50,000 files, in /dev/shm")
    make_data(place)
    ftp_servers.prepare(place)
    makers, can = servers_of(build)
    chosen = os.environ.get("BENCH_FTP_ROWS")
    rows = [row for row in ROWS if not chosen or row.kind in chosen.split(",")]
    load = build / "tests" / "bench" / "bench-ftp-load"
    results = {}
    for row in rows:
        for n in range(rounds):
            for name, make in turned(list(makers.items()), n):
                if name == "limit" and (row.kind not in ftp_servers.LIMITS or row.tls or row.scale == 0):
                    continue
                if name == "limit":
                    make = functools.partial(make, row.kind)
                if name in row.without or (name == "tempoftp" and not can[row.needs]) or (name == "pyftpdlib" and row.tls):
                    continue
                server = Server(name, make, row.tls)
                try:
                    server.start(place)
                    value = one_run(server, load, row)
                    results.setdefault((row.title, name), []).append(value)
                except (RuntimeError, subprocess.SubprocessError) as e:
                    figure.say(f"ftp: {row.title}: {name}: {e}")
                finally:
                    server.stop()
                    (place / "home" / "up").unlink(missing_ok=True)
            figure.say(f"ftp: {row.title}: round {n + 1}: " + ", ".join(
                f"{name} {results[row.title, name][-1]:.4g}" for name in makers if (row.title, name) in results) + f" {row.unit}")
    return [figure_of(row, results) for row in rows]


def one_run(server, load, row):
    command = [load, row.kind, PORT, USER, PASSWORD, row.count, row.argument] + (["tls"] if row.tls else [])
    if row.kind == "hold":
        return memory_of(server, command, row.count)
    raw = server.name == "limit" and row.kind != "files"
    if raw:
        command[1] = "raw"
    # What is only done once; and what start() began is over.
    server.inside([load, "raw" if raw else "login", PORT, USER, PASSWORD, 1, 1] + command[7:], timeout=LOAD_LIMIT_S)
    if row.kind == "stor":
        touch_memory(server.place, GIB)
    before = server.cpu()
    seconds, count, size = server.inside(command, timeout=LOAD_LIMIT_S).stdout.split()
    used = server.cpu() - before
    if row.kind in ("retr", "stor") and int(size) != int(count) * GIB:
        raise RuntimeError(f"{size} bytes of {count} GiB came over")
    return used / int(count) * row.scale if row.scale else int(count) / float(seconds)


def memory_of(server, command, sessions):
    with subprocess.Popen([*server.enter(), *map(str, command)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        try:
            if holder.stdout.readline() != "ready\n":
                raise RuntimeError("not all sessions could log in")
            return server.pss_kib() / sessions
        finally:
            holder.stdin.close()


def figure_of(row, results):
    medians = {name: figure.median(values) for (title, name), values in results.items() if title == row.title}
    ours = medians.pop("tempoftp", None)
    all_peers = ", ".join(f"{name} {value:.4g}" for name, value in medians.items())
    for shown in ("pyftpdlib", "limit"):  # one process for all sessions, and no server: not competed with
        medians.pop(shown, None)
    more = row.scale == 0
    against = row.against if row.against in medians else (max if more else min)(medians, key=medians.get, default=None)
    if ours is None or against is None:
        return figure.Figure(row.title, "-", all_peers, "", "", None)
    ratio = ours / medians[against]
    return figure.Figure(row.title, f"{ours:.4g} {row.unit}", all_peers, f"{ratio:.2f}", f"{'>=' if more else '<='} {row.factor:.2f} x {against}",
                         ratio >= row.factor if more else ratio <= row.factor)
