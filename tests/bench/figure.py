"""What a benchmark hands back: figures that are ratios of one run, and the table they are printed in.

It knows nothing of tempoftp. CPU time is read from the kernel: it is steadier than the clock on a machine where others work too.
"""
import dataclasses
import os
import statistics
import sys

TICKS = os.sysconf("SC_CLK_TCK")


@dataclasses.dataclass
class Figure:
    """One row. ours, peer: as texts with their units; ratio, goal: as texts; reached: True, False, or None where nothing was promised."""

    name: str
    ours: str
    peer: str
    ratio: str
    goal: str
    reached: bool | None


def median(values):
    return statistics.median(values)


def spread(values):
    """"lowest to highest" of the rounds: what a median alone hides."""
    return f"{min(values):.3g} to {max(values):.3g}"


def cpu_seconds(pid):
    """What a process has used so far, all threads, user and system."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def busy_share(function):
    """Runs function(); returns its result and the share of all CPUs' time that was in use meanwhile."""
    def totals():
        with open("/proc/stat", encoding="ascii") as stat:
            numbers = [int(field) for field in stat.readline().split()[1:]]
        return sum(numbers[:8]), numbers[3] + numbers[4]

    before, idle_before = totals()
    result = function()
    after, idle_after = totals()
    return result, 1 - (idle_after - idle_before) / max(1, after - before)


def say(text):
    """Progress, for whoever waits; the table alone goes to stdout."""
    print(text, file=sys.stderr, flush=True)


def print_table(figures):
    rows = [("figure", "ours", "peer", "ratio", "goal", "reached")]
    words = {True: "yes", False: "NO", None: ""}
    rows += [(f.name, f.ours, f.peer, f.ratio, f.goal, words[f.reached]) for f in figures]
    widths = [max(len(row[i]) for row in rows) for i in range(6)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def print_machine(load_before):
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        model = next((line.split(":", 1)[1].strip() for line in info if line.startswith("model name")), os.uname().machine)
    print(f"\n{os.cpu_count()} x {model}, Linux {os.uname().release}; load average {load_before[0]:.2f} before, "
          f"{os.getloadavg()[0]:.2f} at the end")
