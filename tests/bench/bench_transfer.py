"""From POST to `listo`, against plain `rsync -a` of the same data from the same source host to the same file system.

In a booted machine, over ssh to its own sshd. Ours: the call over the API's Unix socket, then the request's event stream, whose `listo` event stops the
clock. The peer: rsync with ssh's defaults, the same key, run by an ordinary user into a folder of the data path's file system. Everything lies in memory
(the machine's disk is a tmpfs), so what is compared is programs, not disks.
"""
import dataclasses
import os
import resource
import time

import client
import figure
from booted import booted
from machine import Source, wait_until

LIMIT_S = 300
PEER_FOLDER = "/data/rsync-peer"


@dataclasses.dataclass
class Tree:
    name: str
    title: str
    count: int
    size: int
    goal: str

    def allowed(self, peer):
        """The time that ours may take."""
        return 0.75 * peer if self.count == 1 else 1.1 * peer + 0.3


TREES = [Tree("small", "5,000 files of 20 KB", 5000, 20_000, "<= 1.10 x + 0.3 s"), Tree("large", "one file of 1 GiB", 1, 1 << 30, "<= 0.75 x")]


def run(build, rounds):
    with booted("transfer", build) as machine:
        source = Source(machine)
        source.start()
        prepare_peer(machine)
        return [row for tree in TREES for row in measure(machine, source, tree, rounds)]


def prepare_peer(machine):
    """The source's own user fetches with tempoftp's key; ssh finds everything in its usual places."""
    machine.shell("install -d -o lanotadm -g lanotadm -m 0700 /home/lanotadm/.ssh && cd /home/lanotadm/.ssh && "
                  "install -o lanotadm -m 0600 /etc/tempoftp/id_ed25519 id_ed25519 && "
                  "install -o lanotadm -m 0644 /etc/tempoftp/known_hosts known_hosts")


def measure(machine, source, tree, rounds):
    figure.say(f"transfer: making {tree.title}")
    ruta = source.make_tree(tree.name, count=tree.count, size=tree.size)
    api = client.unix_api(machine)
    ours, peer = [], []
    for n in range(rounds):
        peer.append(by_rsync(machine, ruta))
        ours.append(by_tempoftp(machine, api, ruta, tree, f"{tree.name}-{n}"))
        figure.say(f"transfer: {tree.title}: round {n + 1}: rsync {peer[-1][0]:.2f} s, CPU {peer[-1][1]:.2f} s; "
                   f"tempoftp {ours[-1][0]:.2f} s, CPU {ours[-1][1]:.2f} s")
    source.remove_trees()
    mine, theirs = (figure.median([t for t, _ in times]) for times in (ours, peer))
    yield figure.Figure(tree.title, f"{mine:.2f} s", f"{theirs:.2f} s", f"{mine / theirs:.2f}",
                        f"{tree.goal}: {tree.allowed(theirs):.2f} s", mine <= tree.allowed(theirs))
    mine, theirs = (figure.median([cpu for _, cpu in times]) for times in (ours, peer))
    yield figure.Figure("  CPU, both ends", f"{mine:.2f} s", f"{theirs:.2f} s", f"{mine / theirs:.2f}", "", None)


def cpu_used(machine):
    """CPU seconds so far of everything in the machine, its sshd too, and of what was started from here (that is not in its cgroup)."""
    stat = machine.file("/sys/fs/cgroup/cpu.stat").read_text()
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return int(stat.split()[1]) / 1e6 + children.ru_utime + children.ru_stime


def by_rsync(machine, ruta):
    machine.run(["install", "-d", "-o", "lanotadm", PEER_FOLDER])
    before = cpu_used(machine)
    # Group 2001 only because nobody else may enter the data path.
    shown = machine.run(["setpriv", "--reuid=lanotadm", "--regid=2001", "--clear-groups", "env", "HOME=/home/lanotadm",
                         "bash", "-c", 'TIMEFORMAT=%3R; time rsync -a "$0/" "$1/"', ruta, PEER_FOLDER], timeout=LIMIT_S)
    used = cpu_used(machine) - before
    machine.run(["rm", "-rf", PEER_FOLDER])
    return float(shown.stderr), used


def by_tempoftp(machine, api, ruta, tree, id):
    before = cpu_used(machine)
    start = time.monotonic()
    reply = api.post("/tmpftp", {"usuario": "bench@example.org", "id": id, "ruta": ruta + "/", "vigencia": 1})
    if reply.status != 202:
        raise RuntimeError(f"POST was answered with {reply}")
    state = last_state(api, id)
    took = time.monotonic() - start
    used = cpu_used(machine) - before
    answer = api.get(f"/tmpftp/{id}").json
    if state != "listo" or answer["archivos"] != tree.count or answer["bytes"] != tree.count * tree.size:
        raise RuntimeError(f"{id} ended as {answer}")
    api.delete(f"/tmpftp/{id}")
    wait_until(lambda: not os.listdir(machine.file("/data/.purge")), LIMIT_S, "the copy is purged")
    return took, used


def last_state(api, id):
    """The state that the event stream ends with."""
    state = None
    with api.open("GET", f"/tmpftp/{id}/eventos", headers={"Accept": "text/event-stream"}, timeout=LIMIT_S) as stream:
        event = None
        for line in stream:
            name, _, value = line.decode().strip().partition(": ")
            if name == "event":
                event = value
            elif name == "data" and event == "estado":
                state = client.json_module.loads(value)["estado"]
                if state in ("listo", "error", "expirado"):
                    return state
    return state
