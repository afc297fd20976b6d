"""What a login costs where tempoftp runs as a service: not the FTP server's CPU time alone, also that of those it asks and tells.

In a booted machine, an account with one delivery, the client of the FTP figures (bench-ftp-load.c). CPU time is what the kernel counted for each unit's control
group: tempoftp-ftp (listener and children), tempoftpd (checks the password), dbus-daemon (carries the question), systemd (keeps sessions' wires) and
journald (two lines a session). There is no peer: none of the three asks a service.
"""
import re
import subprocess

import client
import figure
from booted import booted
from machine import Source

LOGINS = 600
CLIENTS = 16
LOAD_LIMIT_S = 300
GROUPS = {"tempoftp-ftp": "system.slice/tempoftp-ftp.service", "tempoftpd": "system.slice/tempoftp.service", "dbus-daemon": "system.slice/dbus.service",
          "systemd": "init.scope", "journald": "system.slice/systemd-journald.service"}


def run(build, rounds):
    with booted("service", build, ["tempoftp.socket", "tempoftp-ftp.socket"], TEMPOFTP_FTP_MAX_PER_ACCOUNT=512, TEMPOFTP_FTP_MAX_PER_ADDRESS=512) as machine:
        source = Source(machine)
        source.start()
        return measure(machine, build / "tests" / "bench" / "bench-ftp-load", account(machine, source), rounds)


def account(machine, source):
    """Name and password of somebody with a delivery."""
    api, ruta = client.unix_api(machine), source.make_tree("bench-service", {"a.txt": "hola\n"})
    reply = api.post("/tmpftp", {"usuario": "bench@example.org", "id": "bench-service", "ruta": f"{ruta}/", "vigencia": 1})
    if reply.status != 202:
        raise RuntimeError(f"POST was answered with {reply}")
    answer = client.wait_for(api, "bench-service", "listo", timeout=LOAD_LIMIT_S)
    return answer["ftpuser"], client.decrypt(machine, answer["password"])


def cpu(machine):
    """Seconds so far, of each."""
    stats = {name: machine.file(f"/sys/fs/cgroup/{group}/cpu.stat").read_text() for name, group in GROUPS.items()}
    return {name: int(re.search(r"^usage_usec (\d+)", stat, re.M)[1]) / 1e6 for name, stat in stats.items()}


def log_in(load, account, count):
    """Seconds that it took. This program is in the machine's network."""
    return float(subprocess.run([load, "login", str(client.FTP_ADDRESS[1]), *account, str(count), str(CLIENTS)], check=True, stdout=subprocess.PIPE, text=True,
                                timeout=LOAD_LIMIT_S).stdout.split()[0])


def measure(machine, load, account, rounds):
    used, rates = {name: [] for name in GROUPS}, []
    log_in(load, account, CLIENTS)  # starts what was idle
    for n in range(rounds):
        before = cpu(machine)
        rates.append(LOGINS / log_in(load, account, LOGINS))
        after = cpu(machine)
        for name in GROUPS:
            used[name].append((after[name] - before[name]) / LOGINS * 1e3)
        figure.say(f"service: round {n + 1}: {rates[-1]:.0f} logins/s, ms each: " + ", ".join(f"{name} {values[-1]:.3f}" for name, values in used.items()))
    total = figure.median([sum(each) for each in zip(*used.values())])
    rows = [figure.Figure(f"login as a service, {CLIENTS} clients", f"{total:.3g} ms", "", "", "", None)]
    rows += [figure.Figure(f"  of that, {name}", f"{figure.median(values):.3g} ms", "", "", "", None) for name, values in used.items()]
    return rows + [figure.Figure("logins/s as a service", f"{figure.median(rates):.0f} /s", "", "", "", None)]
