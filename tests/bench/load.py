"""wrk against one server, and the CPU time which that server spent on it."""
import dataclasses
import pathlib
import re
import subprocess

import figure

HERE = pathlib.Path(__file__).parent
SERVER_IS_BUSY = 0.9  # of one core; below that wrk or the machine was the limit, not the server


@dataclasses.dataclass
class Load:
    rate: float     # answers a second
    cpu_us: float   # the server's CPU time for each
    busy: float     # the server's share of one core
    answers: int


def wrk(server_pid, url, script, connections, seconds, *arguments):
    """One run of wrk; every answer has to be a success."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(HERE / script), url, "--", *map(str, arguments)]
    before = figure.cpu_seconds(server_pid)
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    used = figure.cpu_seconds(server_pid) - before
    counted = re.search(r"^\s*(\d+) requests in ([\d.]+)(s|m)", done.stdout, re.M)
    if done.returncode != 0 or not counted or re.search(r"Non-2xx|Socket errors", done.stdout):
        raise RuntimeError(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout}")
    answers, wall = int(counted[1]), float(counted[2]) * (60 if counted[3] == "m" else 1)
    return Load(answers / wall, used / answers * 1e6, used / wall, answers)


def middle(loads):
    """The medians of several rounds."""
    return Load(*(figure.median([getattr(load, field.name) for load in loads]) for field in dataclasses.fields(Load)))
