"""Uploads to partners' servers against the programs that people use for it, on the same pair, one after the other in turns.

Ours is tempoftp-export as its unit starts it, without the unit: its order on standard input, its end read from what it says. All data lies in memory.
"""
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

import figure
from fair import touch_memory, turned
from ftp_standalone import ACCOUNT, PASSWORD
from partners import PureFtpd, Sftp, Vsftpd, remote_path, run_worker

MEMORY = "/dev/shm"
MANY, SMALL, LARGE = 5000, 10_000, 2_000_000_000
LIMIT_S = 900
SERVERS = {"ftp, vsftpd": ("ftp", lambda: Vsftpd(True)), "ftp, Pure-FTPd": ("ftp", lambda: PureFtpd(True)), "sftp, OpenSSH": ("sftp", Sftp)}
SSH = "ssh -a -x -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"


class Pair:
    """A tree here, a server there."""

    def __init__(self, build, kind, there, tree):
        self.program, self.kind, self.there, self.tree = build / "src" / "export" / "tempoftp-export", kind, there, tree
        self.path = remote_path(there, kind).rstrip("/")
        self.url = f"{kind}://127.0.0.1:{there.port}"
        self.size = sum(path.stat().st_size for path in pathlib.Path(tree).rglob("*") if path.is_file())

    def ours(self):
        key = {"host_key": self.there.fingerprint} if self.kind == "sftp" else {}
        with tempfile.TemporaryDirectory() as state:
            said = "".join(run_worker(self.program, self.tree, state, 4, 0, LIMIT_S, type=self.kind, host="127.0.0.1", port=self.there.port, path=f"{self.path}/to", **key))
        if "files are at" not in said:
            raise RuntimeError(said)

    def lftp(self):
        self._run(["lftp", "-c", f"set sftp:auto-confirm yes; set sftp:connect-program \"{SSH}\"; open -u {ACCOUNT},{PASSWORD} {self.url}; "
                   f"mirror -R -P4 {self.tree} {self.path}/to"])

    def rclone(self):
        obscured = subprocess.run(["rclone", "obscure", PASSWORD], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
        self._run(["rclone", "copy", "--no-update-modtime", self.tree,
                   f":{self.kind},host=127.0.0.1,port={self.there.port},user={ACCOUNT},pass={obscured}:{self.path}/to", "--config", "/dev/null"])

    def curl(self):
        for file in sorted(pathlib.Path(self.tree).iterdir()):
            self._run(["curl", "-sS", "--insecure", "--ftp-create-dirs", "-u", f"{ACCOUNT}:{PASSWORD}", "-T", file, f"{self.url}{self.path}/to/{file.name}"])

    @staticmethod
    def _run(command):
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=LIMIT_S)
        if done.returncode != 0:
            raise RuntimeError(f"{command[0]}: {done.stdout[-2000:]}")

    def seconds(self, how):
        touch_memory(MEMORY, self.size)
        start = time.monotonic()
        how()
        took = time.monotonic() - start
        arrived = sum(path.stat().st_size for path in (self.there.root / "to").rglob("*") if path.is_file())
        if arrived != self.size:
            raise RuntimeError(f"{how.__name__}: {arrived} bytes arrived")
        shutil.rmtree(self.there.root / "to")
        return took


def make_tree(folder, count, size):
    for n in range(count):
        path = pathlib.Path(folder) / (f"folder{n % 10}" if count > 1 else "") / f"file{n:05}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "wb") as file:
            for at in range(0, size, 1 << 20):
                file.write(os.urandom(min(1 << 20, size - at)))


def compare(pair, title, peers, goal, allowed, rounds):
    ways = {"tempoftp": pair.ours, **{way.__name__: way for way in peers}}
    times = {name: [] for name in ways}
    for n in range(rounds):
        for name in turned(list(ways), n):
            times[name].append(pair.seconds(ways[name]))
        figure.say(f"export: {title}: round {n + 1}: " + ", ".join(f"{name} {taken[-1]:.2f} s" for name, taken in times.items()))
    mine = figure.median(times["tempoftp"])
    for name in list(ways)[1:]:
        theirs = figure.median(times[name])
        yield figure.Figure(f"{title}, {name}", f"{mine:.2f} s", f"{theirs:.2f} s", f"{mine / theirs:.2f}", goal, mine <= allowed * theirs)


def run(build, rounds):
    figures = []
    tempfile.tempdir = MEMORY
    with tempfile.TemporaryDirectory() as many, tempfile.TemporaryDirectory() as large:
        make_tree(many, MANY, SMALL)
        make_tree(large, 1, LARGE)
        for title, (kind, make) in SERVERS.items():
            there = make()
            try:
                there.start()
                pair = Pair(build, kind, there, many)
                figures += compare(pair, f"5,000 files, {title}", [pair.lftp, pair.rclone], "≤ 1.00", 1.0, rounds)
                pair = Pair(build, kind, there, large)
                figures += compare(pair, f"2 GB, {title}", [pair.curl], "≤ 1.05", 1 / 0.95, rounds)
            finally:
                there.stop()
    return figures
