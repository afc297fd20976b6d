"""The machine under test: a throwaway systemd container (tests/testbed/machine) with tempoftp installed.

Stories use it through the fixtures in conftest.py. It knows systemd, files and the journal; what tempoftp answers
is client.py's business.
"""
import contextlib
import ctypes
import os
import pathlib
import re
import shlex
import subprocess
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
TESTBED = REPOSITORY / "tests" / "testbed"
SETTINGS = "/etc/default/tempoftp"
SERVICES = ["tempoftp.service", "tempoftp-ftp.service", "tempoftp-broker.service"]
REPORTERS = ["tempoftp-done@*", "tempoftp-failed@*", "tempoftp-expire-*.service", "tempoftp-sweep.service"]

CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def wait_until(condition, timeout=30, what=None, interval=0.02):
    """Calls condition() until it returns something true, and returns that. An AssertionError inside it counts as "not
    yet". Fails after `timeout` seconds with the last value or error: no test sleeps and hopes."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            last = condition()
            if last:
                return last
        except AssertionError as error:
            last = error
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {timeout} s: {what or condition}; last seen: {last!r}")
        time.sleep(interval)


class CommandFailed(AssertionError):
    """A command inside the machine ended with another code than 0; the message holds all it said."""


class Machine:
    """One booted machine.

    run(), journal(), sqlite(), unit() look inside; file(), write_file() reach its files from outside; settings() changes
    /etc/default/tempoftp for the length of a `with`; reboot() boots the same copy again.
    """

    def __init__(self, name):
        self.name = name
        self.leader = None
        self._own_network = os.open("/proc/self/ns/net", os.O_RDONLY)

    # -- its life -----------------------------------------------------------------------------------

    def boot(self):
        self._testbed("boot", self.name, "--private-network", "--owner", str(os.getpid()))
        self._enter()

    def reboot(self, hard=False):
        """Boots the same copy again; hard: killed like by a power cut, nothing is shut down."""
        self._testbed("reboot", self.name, *(["--hard"] if hard else []))
        self._enter()

    def install(self, build):
        """`meson install` of a build folder, as on a real host."""
        self._testbed("install", self.name, str(build))

    def stop(self):
        self._set_network(self._own_network)
        os.close(self._own_network)
        self._testbed("stop", self.name)

    def _testbed(self, verb, *arguments, script="machine"):
        command = [str(TESTBED / script), *([verb] if verb else []), *arguments]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True)
        if done.returncode != 0:
            raise CommandFailed(f"{shlex.join(command)}: exit code {done.returncode}\n{done.stdout}")
        return done.stdout

    def _enter(self):
        """From here on this process, its threads and its children live in the machine's network: 127.0.0.1 is the
        machine's, for Python's ftplib as for curl and lftp."""
        self.leader = int(self._testbed("leader", self.name))
        network = os.open(f"/proc/{self.leader}/ns/net", os.O_RDONLY)
        self._set_network(network)
        os.close(network)

    @staticmethod
    def _set_network(namespace):
        if _libc.setns(namespace, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")

    # -- commands -----------------------------------------------------------------------------------

    def command(self, command, user=None):
        """The argument list that runs `command` inside, for tests that start processes themselves (Popen)."""
        inside = ["env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root",
                  "LANG=C.UTF-8"]
        become = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"] if user else []
        return ["nsenter", f"--target={self.leader}", "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup",
                "--wdns=/", "--", *inside, *become, *map(str, command)]

    def run(self, command, check=True, input=None, user=None, timeout=120):
        """Runs a command inside, as root or as `user`; returns the CompletedProcess (text). With check, another exit code
        than 0 raises CommandFailed with all output."""
        done = subprocess.run(self.command(command, user), input=input, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              stdin=subprocess.DEVNULL if input is None else None, text=True, timeout=timeout)
        if check and done.returncode != 0:
            raise CommandFailed(f"{shlex.join(map(str, command))}: exit code {done.returncode}\n"
                                f"{done.stdout}{done.stderr}")
        return done

    def shell(self, script, **options):
        """run() of a bash script."""
        return self.run(["bash", "-euo", "pipefail", "-c", script], **options)

    # -- files --------------------------------------------------------------------------------------

    def file(self, path):
        """A path inside, as a pathlib.Path that this process can open (also below /run and /tmp)."""
        return pathlib.Path(f"/proc/{self.leader}/root") / str(path).lstrip("/")

    def write_file(self, path, content, mode=0o644):
        """Writes text or bytes, making the folders above; owner root."""
        target = self.file(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        target.chmod(mode)

    def written(self):
        """Folders seen from outside that hold whatever was written in the machine since it was made: the overlay's upper layers (what
        was deleted is a character device there), its /data, /tmp and /run."""
        disk = pathlib.Path(self._testbed("path", self.name).strip()).parent
        return [*sorted(disk.glob("upper*")), disk / "data", self.file("/tmp"), self.file("/run")]

    def uid(self, user):
        """The numbers (uid, gid) of a user of the machine."""
        entry = re.search(rf"^{re.escape(user)}:[^:]*:(\d+):(\d+):", self.file("/etc/passwd").read_text(), re.M)
        assert entry, f"there is no user {user} in the machine"
        return int(entry[1]), int(entry[2])

    # -- what systemd and tempoftp keep -------------------------------------------------------------

    def unit(self, name, *properties):
        """`systemctl show` of a unit as a dictionary."""
        wanted = [f"--property={','.join(properties)}"] if properties else []
        shown = self.run(["systemctl", "show", name, *wanted]).stdout
        return dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)

    def units(self, pattern="tempoftp-*"):
        """Names of the loaded units that match, e.g. units("tempoftp-transfer-*")."""
        listed = self.run(["systemctl", "list-units", "--all", "--plain", "--no-legend", pattern]).stdout
        return [line.split()[0] for line in listed.splitlines()]

    def processes(self, program):
        """Process ids, as numbered inside, of a program by its name (up to 15 characters), e.g. "tempoftpd", "rsync"."""
        return [int(pid) for pid in self.run(["pgrep", "--exact", program], check=False).stdout.split()]

    def kill(self, program, signal="KILL"):
        """Sends a signal to every process of a program; returns whether there was one. Those that KILL hits are gone when it
        returns: what is asked next is not asked of a process that dies before it answers."""
        hit = set(self.processes(program))
        if not hit or self.run(["kill", f"-{signal}", *map(str, hit)], check=False).returncode != 0:
            return False
        if signal == "KILL":
            wait_until(lambda: hit.isdisjoint(self.processes(program)), 30, f"{program} is dead", interval=0)
        return True

    def journal(self, *filters, since=None, lines=None):
        """Journal lines. filters: "-u", "tempoftp" or "TEMPOFTP_ID=x"…; since: from journal_now()."""
        limits = ([f"--since={since}"] if since else []) + ([f"--lines={lines}"] if lines else [])
        self.run(["journalctl", "--sync"])
        return self.run(["journalctl", "--no-pager", "--quiet", "-o", "short-precise", *limits, *filters]).stdout

    @staticmethod
    def journal_now():
        """The moment, for journal(since=…). (Not a cursor: with filters, v252's --after-cursor skips one line too many.)"""
        return f"@{time.time():.6f}"

    def sqlite(self, sql):
        """Runs SQL on the state database; rows as lists of texts (NULL is "")."""
        shown = self.run(["sqlite3", "-batch", "-cmd", ".timeout 5000", "-separator", "\x1f", "-newline", "\x1e",
                          "/var/lib/tempoftp/state.db", sql]).stdout
        return [row.split("\x1f") for row in shown.split("\x1e") if row]

    # -- settings -----------------------------------------------------------------------------------

    def stop_units(self, *units):
        """Stops services between two calls: a unit that reports an end starts tempoftpd, which cancels the stop; and a stop in the
        middle of such a start leaves dbus-daemon waiting for it, with all later calls, for 25 s."""
        wait_until(lambda: not self.run(["systemctl", "list-units", "--plain", "--no-legend", "--state=active,activating,deactivating",
                                         *REPORTERS]).stdout, 60, "nobody reports an end")
        wait_until(lambda: self.run(["systemctl", "stop", *units], check=False).returncode == 0, 60, "the services stop")

    def restart(self):
        """The services start anew at the next call; sockets stay."""
        self.stop_units(*SERVICES)

    @contextlib.contextmanager
    def settings(self, **values):
        """Within the `with`, these settings hold (None removes one); the file and the services return to what they were."""
        before = self.file(SETTINGS).read_text()
        kept = [line for line in before.splitlines() if line.partition("=")[0] not in values]
        added = [f"{name}={value}" for name, value in values.items() if value is not None]
        self.file(SETTINGS).write_text("\n".join(kept + added) + "\n")
        self.restart()
        try:
            yield
        finally:
            self.file(SETTINGS).write_text(before)
            self.restart()


class Source:
    """The source host: the machine's own sshd as "source:", its data below /srv."""

    def __init__(self, machine):
        self.machine = machine
        self.made = []

    def start(self):
        self.machine._testbed("", self.machine.name, script="source-host")

    def make_tree(self, name, files=None, count=0, size=0):
        """Makes /srv/NAME, owned by the source's user, and returns its route "source:/srv/NAME".

        files: {"a/b.txt": content}, content being text, bytes, or a whole number: that many random bytes. Or `count` files
        of `size` random bytes each, spread over ten folders.
        """
        top = self.machine.file(f"/srv/{name}")
        assert not top.exists(), f"/srv/{name} exists already"
        self.made.append(name)
        if files is None:
            files = {f"folder{n % 10}/file{n:05d}.bin": size for n in range(count)}
        top.mkdir(parents=True)
        for relative, content in files.items():
            target = top / relative
            target.parent.mkdir(parents=True, exist_ok=True)
            with open(target, "wb") as to:
                for piece in self._pieces(content):
                    to.write(piece)
        self.machine.run(["chown", "-R", "lanotadm:", f"/srv/{name}"])
        return f"source:/srv/{name}"

    @staticmethod
    def _pieces(content):
        if not isinstance(content, int):
            yield content.encode() if isinstance(content, str) else content
            return
        while content > 0:
            yield os.urandom(min(content, 1 << 20))
            content -= 1 << 20

    def remove_trees(self):
        for name in self.made:
            self.machine.run(["rm", "-rf", f"/srv/{name}"])
        self.made.clear()


@contextlib.contextmanager
def drop_in(machine, unit, text):
    """A unit is another one meanwhile."""
    path = f"/etc/systemd/system/{unit}.d/99-test.conf"
    machine.write_file(path, text)
    machine.run(["systemctl", "daemon-reload"])
    try:
        yield
    finally:
        machine.run(["rm", path])
        machine.run(["systemctl", "daemon-reload"])
