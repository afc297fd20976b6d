"""tools/try, the first command a newcomer types, and what it stands on: nothing of a run is left behind."""
import os
import pathlib
import pty
import re
import signal
import subprocess

import pytest

from machine import REPOSITORY, TESTBED, wait_until

STATE = pathlib.Path("/run/tempoftp-testbed")
# A network of its own, so that the ports of a trial are free; and Ctrl-C counts, also where the tests themselves run in a background job.
ALONE = ["env", "--default-signal=INT", "unshare", "--net", "sh", "-c", 'ip link set lo up; exec "$@"', "sh"]
TRY = str(REPOSITORY / "tools" / "try")


class Trial:
    """A running tools/try on a terminal of its own; `said` collects what it prints."""

    def __init__(self, *arguments):
        self.terminal, end = pty.openpty()
        self.process = subprocess.Popen([*ALONE, TRY, *arguments], stdin=end, stdout=end, stderr=end,
                                        start_new_session=True)
        os.close(end)
        self.said = ""

    def read(self):
        """What it says next; b"" once it has ended."""
        try:
            piece = os.read(self.terminal, 65536)
        except OSError:  # Linux: EIO once nobody has the other end open
            piece = b""
        self.said += piece.decode(errors="replace")
        return piece

    def read_until(self, text):
        while text not in self.said:
            assert self.read(), f"it ended before it said {text!r}:\n{self.said}"

    def wait(self):
        """Reads on to its end; the exit code."""
        while self.read():
            pass
        os.close(self.terminal)
        return self.process.wait(timeout=60)

    def end(self, sent):
        os.killpg(self.process.pid, sent)
        return self.wait()

    @property
    def machine(self):
        return f"try-{self.process.pid}"


def nothing_left_of(name):
    """Asserts that there is no folder, mount, cgroup or process of a machine."""
    assert not (STATE / name).exists()
    assert f"/{name}/" not in pathlib.Path("/proc/self/mounts").read_text()
    assert not list(pathlib.Path("/sys/fs/cgroup").glob(f"**/tempoftp-testbed-{name}*"))
    assert subprocess.run(["pgrep", "--full", f"machine keep {name}( |$)|--machine={name}( |$)"],
                          stdout=subprocess.DEVNULL).returncode == 1
    return True


@pytest.mark.parametrize("arguments, titles", [
    ([], ()),
    (["--mariadb"], ("MariaDB and Pure-FTPd", "Its row in the table that Pure-FTPd reads")),
], ids=["own-server", "mariadb"])
def test_once_shows_the_whole_way_and_leaves_nothing(arguments, titles):
    subprocess.run([TESTBED / "ftp-fleet", "--fetch"], check=True, stdout=subprocess.DEVNULL)  # the trial's network leads nowhere
    trial = Trial("--once", *arguments)
    assert trial.wait() == 0, trial.said
    for title in ("Build", "A machine with systemd", *titles, "The credentials", "Download over FTP", "Every file compared", "The download in the request's answer"):
        assert title in trial.said
    assert "all equal" in trial.said
    assert re.search(r"Descargas: +1 \(", trial.said)
    assert nothing_left_of(trial.machine)


@pytest.mark.parametrize("moment", ["A machine with systemd", "Install tempoftp there", "The source host", "A request",
                                    "Download over FTP", "It stays up until Ctrl-C"])
def test_ctrl_c_at_any_moment_cleans_up(moment):
    trial = Trial()
    trial.read_until(moment)
    assert trial.end(signal.SIGINT) == 130
    assert nothing_left_of(trial.machine)


def test_a_killed_trial_cleans_up_too():
    trial = Trial()
    trial.read_until("It stays up until Ctrl-C")
    os.kill(trial.process.pid, signal.SIGKILL)
    trial.process.wait(timeout=10)
    wait_until(lambda: nothing_left_of(trial.machine), 30)
    os.close(trial.terminal)


def test_a_port_in_use_is_named(machine):
    # Here, in the machine's network, tempoftp itself listens on 9043.
    done = subprocess.run([TRY, "--once"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "port 9043 is in use" in done.stderr


@pytest.mark.parametrize("arguments, complaint", [
    (["--nonsense"], "tools/try"),
    (["no-route"], "the source is HOST:/PATH"),
    (["--key", "/nonexistent", "host:/data"], "no ssh key at /nonexistent"),
])
def test_wrong_arguments_are_explained(arguments, complaint):
    done = subprocess.run([TRY, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert complaint in done.stderr


# ---- packages -----------------------------------------------------------------------------------

@pytest.fixture
def tools_inside(machine):
    """tools/ copied into the machine, whose packages a test may miss."""
    for name in ("install-packages", "packages"):
        machine.write_file(f"/opt/front-door/{name}", (REPOSITORY / "tools" / name).read_bytes(), mode=0o755)
    yield "/opt/front-door/install-packages"
    machine.run(["rm", "-rf", "/opt/front-door"])


def test_nothing_is_installed_when_all_is_there(machine, tools_inside):
    assert machine.run([tools_inside]).stdout == ""


def test_another_distribution_is_told_what_to_install(machine, tools_inside):
    version = machine.file("/etc/debian_version")
    before = version.read_bytes()
    version.unlink()
    try:
        done = machine.run([tools_inside], check=False)
    finally:
        version.write_bytes(before)
    assert done.returncode == 1
    assert "libh2o-evloop-dev" in done.stdout and "not Debian" in done.stdout


def test_missing_packages_are_installed_and_start_nothing(machine, tools_inside):
    """apt-get is a stand-in that notes how it was called and which services the policy would have let start."""
    listed = machine.file("/opt/front-door/packages")
    listed.write_text(listed.read_text() + "no-such-package\n")
    machine.write_file("/usr/local/sbin/apt-get", '#!/bin/sh\n'
                       'echo "$@" >>/opt/front-door/calls\nsh /usr/sbin/policy-rc.d ssh start; echo policy $? >>/opt/front-door/calls\n',
                       mode=0o755)
    policy = machine.file("/usr/sbin/policy-rc.d")
    before = policy.read_bytes() if policy.exists() else None
    try:
        done = machine.run([tools_inside])
    finally:
        machine.file("/usr/local/sbin/apt-get").unlink()
    assert done.stdout == "Installing no-such-package\n"
    assert machine.file("/opt/front-door/calls").read_text().splitlines() == [
        "update -qq", "policy 101", "install -y -qq --no-install-recommends no-such-package", "policy 101"]
    assert (policy.read_bytes() if policy.exists() else None) == before


# ---- the throwaway machine -------------------------------------------------------------------------

def test_a_machine_goes_when_its_owner_is_killed(unique):
    name = unique("owner")[:40]
    owner = subprocess.Popen(["sleep", "1000"])
    subprocess.run([TESTBED / "machine", "boot", name, "--private-network", "--owner", str(owner.pid)], check=True)
    owner.kill()
    owner.wait()
    wait_until(lambda: nothing_left_of(name), 30)


def test_clean_removes_what_a_killed_keeper_left(unique):
    name = unique("keeper")[:40]
    subprocess.run([TESTBED / "machine", "boot", name, "--private-network"], check=True)
    os.kill(int((STATE / name / "keeper").read_text()), signal.SIGKILL)
    subprocess.run([TESTBED / "machine", "clean"], check=True)
    assert nothing_left_of(name)
