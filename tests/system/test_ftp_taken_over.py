"""An FTP process that was taken over: before login it can do nothing at all, after login it reads its own account's files and nothing else.

The intruder (intruder.py) makes system calls of these stories' choice inside the real jails, of the service and of the server by itself. SECURITY.md has
the list of what remains possible, with these stories' names.
"""
import errno
import itertools
import os
import re
import select
import signal
import socket
import struct
import time

import pytest

import client
from conftest import BUILD
from ftp_service import change_database, end_sessions, kill_listener
from ftp_standalone import ACCOUNT, PASSWORD, Talk, zygotes_of
from intruder import AT_FDCWD, CONTROL, HOME, KILLED, WIRE, Intruder, Keeper, Out, call_name, call_number, memory_of, takeover_build
from intruder_worlds import CONTENT, Service, Standalone, StandaloneTls
from machine import wait_until
from wire import TYPES, header, message

HIDDEN = (-errno.ENOENT, -errno.EACCES, -errno.EXDEV, -errno.EROFS)  # there is no such file, or none for it: both will do

# linux/*.h
MAP_SHARED, MAP_PRIVATE, MAP_FIXED, MAP_ANONYMOUS, MAP_GROWSDOWN, MAP_NORESERVE = 1, 2, 0x10, 0x20, 0x100, 0x4000
PROT_READ, PROT_WRITE, PROT_EXEC = 1, 2, 4
STREAM = socket.SOCK_STREAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK


# ---- where it happens -----------------------------------------------------------------------------------

def running(world):
    world.start()
    yield world
    world.stop()


@pytest.fixture(scope="module", params=["standalone", "service"])
def world(request, machine):
    yield from running(Service(machine) if request.param == "service" else Standalone())


@pytest.fixture(scope="module")
def alone(machine):  # the stories live in its network
    """A server by itself, whatever the other worlds are."""
    yield from running(Standalone())


@pytest.fixture(scope="module")
def writers(machine):  # the stories live in its network
    """A server whose accounts may write."""
    yield from running(Standalone(write=True))


@pytest.fixture(scope="module")
def tls(machine):  # the stories live in its network
    """A server with TLS."""
    yield from running(StandaloneTls())


def take_over(world, kind):
    """kind: prelogin, session; tls-prelogin, tls-session, and relay, which goes between those and their client; keeper, of the TLS key."""
    if kind == "keeper":
        return Keeper(world.address, world.listener)
    account = world.account if kind in ("session", "writer", "tls-session", "relay") else None
    return Intruder(world.address, world.listener, account, tls=kind.startswith("tls") or kind == "relay", relay=kind == "relay")


@pytest.fixture
def untouched(world):
    """After the story: the same listener, another person's session that was there before goes on, nothing has changed on disk."""
    listener, kept = world.listener, world.kept()
    with Talk(world.address, timeout=60) as bystander:
        assert bystander.ask(f"USER {world.other[0]}").startswith("331")
        assert bystander.ask(f"PASS {world.other[1]}").startswith("230")
        yield bystander
        assert bystander.ask("NOOP").startswith("200")
        assert bystander.get("NLST")[1].startswith("226")
    assert world.listener == listener
    assert world.kept() == kept


# ---- what it tries --------------------------------------------------------------------------------------

def wrong_outcomes(world, kind, attempts):
    """{attempt: outcome} of those whose outcome is not what it should be. attempts: {name: (function of an Intruder, outcomes that are right)}. A process
    that was killed is followed by another one."""
    wrong, intruder = {}, None
    try:
        for name, (attempt, right) in attempts.items():
            if not intruder or not intruder.pid:
                intruder = take_over(world, kind)
            outcome = attempt(intruder)
            if outcome not in right:
                wrong[name] = outcome if not isinstance(outcome, int) or outcome >= 0 else errno.errorcode[-outcome]
    finally:
        if intruder and intruder.pid:
            intruder.close()
    return wrong


KINDS = ["prelogin", "session"]
COMMON = {"sendto", "recvfrom", "poll", "ppoll", "clock_gettime", "gettimeofday", "restart_syscall", "rt_sigreturn", "exit", "exit_group"}
LOCKS = {"chroot", "capset", "landlock_restrict_self"}  # test_what_its_birth_has_left_open_is_of_no_use
SESSION = COMMON | {"openat2", "close", "pread64", "newfstatat", "fstat", "statx", "getdents64", "readlinkat", "sendfile", "socket", "bind", "listen", "accept4",
                    "setsockopt", "recvmsg", "fcntl", "setitimer", "getrandom", "sysinfo", "mmap", "munmap", "brk"} | LOCKS
WRITER = SESSION | {"pwrite64", "ftruncate", "unlinkat", "mkdirat", "renameat2", "utimensat"}
CALLS = [number for number in range(0, 480) if call_name(number)]


RELAY = COMMON | {"getpid", "getrandom", "mmap", "munmap", "brk"}
EACH = {"prelogin": COMMON, "session": SESSION, "writer": WRITER, "relay": RELAY, "tls-prelogin": COMMON, "tls-session": SESSION | {"getpid"},
        "keeper": RELAY | {"recvmsg", "close"}}


@pytest.mark.parametrize("kind, allowed", EACH.items(), ids=EACH)
def test_every_other_system_call_is_deadly(request, kind, allowed):
    """All that the kernel has, each made once: whatever is not on the list kills the process, and what is there for one purpose only when made for another."""
    world = request.getfixturevalue({"prelogin": "alone", "session": "alone", "writer": "writers"}.get(kind, "tls"))
    others = [number for number in CALLS if call_name(number) not in allowed]
    assert len(others) > 280
    assert {name for name in allowed if call_number(name) not in CALLS} == set()
    attempts = {call_name(number): (lambda i, n=number: i.call(n), [KILLED]) for number in others}
    attempts["getpid of x32"] = (lambda i: i.call(0x40000000 + call_number("getpid")), [KILLED])
    assert wrong_outcomes(world, kind, attempts) == {}


@pytest.mark.parametrize("kind", KINDS)
def test_it_cannot_reach_other_files(world, untouched, kind):
    attempts = {}
    for path in [*world.secrets, "/", "..", "/proc/self/mem", "/proc/self/maps", "/proc/self/environ", "/proc/self/fd/3", "/proc/self/root", "/proc/1/environ",
                 f"/proc/{world.inside(world.listener)}/mem", "/proc/net/tcp", "/dev", "/dev/null", "/dev/shm", "/dev/mem", "/sys", "/sys/kernel",
                 "/sys/fs/cgroup"]:
        right = [KILLED] if kind == "prelogin" else HIDDEN
        if path not in ("/", ".."):  # they lead to its own folder
            for flags, how in ((os.O_RDONLY, "read"), (os.O_PATH, "hold"), (os.O_WRONLY, "write"), (os.O_RDWR | os.O_CREAT, "make")):
                # nothing is made in any of its folders either, for it has no right to
                attempts[f"{how} {path}"] = (lambda i, p=path, f=flags: i.openat2(p, f, HOME, 0o600 if f & os.O_CREAT else 0), right)
            attempts[f"see {path}"] = (lambda i, p=path: i.call("newfstatat", AT_FDCWD, p, Out(144), 0), right)
            attempts[f"statx {path}"] = (lambda i, p=path: i.call("statx", HOME, p, 0, 0x7ff, Out(256)), right)
            attempts[f"link {path}"] = (lambda i, p=path: i.call("readlinkat", HOME, p, Out(256), 256), right)
    assert wrong_outcomes(world, kind, attempts) == {}


def test_the_way_up_leads_to_its_own_folder(world, untouched):
    with take_over(world, "session") as intruder:
        inodes = set()
        for path in (".", "/", "..", "/../..", "../../../.."):
            stat = Out(144)
            assert intruder.call("newfstatat", HOME, path, stat, 0) == 0
            inodes.add(bytes(stat[:16]))
        assert len(inodes) == 1


def test_it_reads_its_own_files_and_cannot_change_them(world, untouched):
    with take_over(world, "session") as intruder:
        file = intruder.openat2(world.own_file, folder=HOME)
        assert file >= 6
        read = Out(64)
        assert intruder.call("pread64", file, read, 64, 0) == len(CONTENT)
        assert read[:len(CONTENT)].decode() == CONTENT
        folder = intruder.openat2(world.own_folder, os.O_RDONLY | os.O_DIRECTORY, HOME)
        names = Out(1024)
        assert intruder.call("getdents64", folder, names, 1024) > 0
        assert b".txt" in names
        for flags in (os.O_WRONLY, os.O_RDWR, os.O_RDONLY | os.O_TRUNC, os.O_WRONLY | os.O_APPEND, os.O_WRONLY | os.O_CREAT):
            assert intruder.openat2(world.own_file, flags, HOME, 0o600 if flags & os.O_CREAT else 0) in (-errno.EACCES, -errno.EROFS, -errno.EPERM), flags
        assert intruder.openat2("nuevo", os.O_WRONLY | os.O_CREAT, HOME, 0o600) in (-errno.EACCES, -errno.EROFS)
        assert intruder.openat2(".", os.O_RDWR | os.O_TMPFILE, HOME, 0o600) in (-errno.EACCES, -errno.EROFS)


def with_fd(open_one, use):
    """An attempt that needs an fd first; a process that is killed for opening it gets no further."""
    def attempt(intruder):
        fd = open_one(intruder)
        return use(intruder, fd) if fd != KILLED else KILLED
    return attempt


def with_socket(call, *arguments):
    return with_fd(lambda i: i.call("socket", socket.AF_INET, STREAM, 0), lambda i, fd: i.call(call, fd, *arguments))


def sockaddr(host, port):
    return struct.pack("=H", socket.AF_INET) + struct.pack("!H", port) + socket.inet_aton(host) + bytes(8)


@pytest.mark.parametrize("kind", KINDS)
def test_it_cannot_reach_anybody(world, untouched, kind):
    families = {"unix": (socket.AF_UNIX, socket.SOCK_STREAM), "unix packets": (socket.AF_UNIX, socket.SOCK_DGRAM), "udp": (socket.AF_INET, socket.SOCK_DGRAM),
                "udp6": (socket.AF_INET6, socket.SOCK_DGRAM), "raw": (socket.AF_INET, socket.SOCK_RAW), "netlink": (socket.AF_NETLINK, socket.SOCK_RAW),
                "packet": (socket.AF_PACKET, socket.SOCK_RAW), "vsock": (socket.AF_VSOCK, socket.SOCK_STREAM), "alg": (socket.AF_ALG, socket.SOCK_SEQPACKET),
                "blocking tcp": (socket.AF_INET, socket.SOCK_STREAM)}
    attempts = {name: (lambda i, f=family, t=type: i.call("socket", f, t, 0), [KILLED]) for name, (family, type) in families.items()}
    attempts["mptcp"] = (lambda i: i.call("socket", socket.AF_INET, STREAM, 262), [KILLED])
    for host, port in (world.strange, ("169.254.169.254", 80), ("127.0.0.1", 22), ("192.0.2.1", 80)):
        address = sockaddr(host, port)
        attempts[f"connect to {host}:{port}"] = (with_socket("connect", address, 16), [KILLED])
        attempts[f"send to {host}:{port}"] = (lambda i, a=address: i.call("sendto", CONTROL, b"x", 1, socket.MSG_NOSIGNAL, a, 16), [KILLED])
    attempts |= {
        "connect by fast open": (lambda i: i.call("sendto", CONTROL, b"x", 1, socket.MSG_NOSIGNAL | 0x20000000, 0, 0), [KILLED]),
        "connect its control connection elsewhere": (lambda i: i.call("connect", CONTROL, sockaddr(*world.strange), 16), [KILLED]),
        "pass an fd to the listener": (lambda i: i.call("sendmsg", WIRE, bytes(56), 0), [KILLED]),
        "be passed an fd by its client": (lambda i: i.call("recvmsg", CONTROL, bytes(56), socket.MSG_DONTWAIT), [KILLED]),
    }
    if kind == "session":
        attempts |= {
            "a privileged port": (with_socket("bind", sockaddr("0.0.0.0", 80), 16), [-errno.EACCES]),
            "the listener's port": (with_socket("bind", sockaddr("127.0.0.1", world.address[1]), 16), [-errno.EADDRINUSE, -errno.EACCES]),
            "a strange socket option": (lambda i: i.call("setsockopt", CONTROL, socket.SOL_SOCKET, 50, b"x" * 16, 16), [KILLED]),
        }
    assert wrong_outcomes(world, kind, attempts) == {}


@pytest.mark.parametrize("kind", KINDS)
def test_it_cannot_touch_other_processes(world, untouched, kind):
    listener = world.inside(world.listener)
    zygote = world.inside(zygotes_of(world.listener)[0])
    calls = [("kill", pid, number) for pid in (listener, zygote, 1, -1, 0) for number in (0, 9)]
    calls += [("tgkill", listener, listener, 9), ("rt_sigqueueinfo", listener, 9, bytes(128)), ("ptrace", 16, listener, 0, 0), ("pidfd_open", listener, 0),
              ("process_vm_readv", listener, bytes(16), 1, bytes(16), 1, 0), ("process_vm_writev", listener, bytes(16), 1, bytes(16), 1, 0),
              ("pidfd_getfd", 3, 0, 0), ("kcmp", listener, listener, 0, 0, 0), ("setpriority", 0, listener, 19), ("prlimit64", listener, 7, bytes(16), 0),
              ("fork",), ("vfork",), ("clone", 17, 0, 0, 0, 0), ("clone3", bytes(88), 88), ("execve", "/bin/sh", 0, 0), ("execveat", HOME, "a.txt", 0, 0, 0),
              ("setuid", 0), ("setresuid", 0, 0, 0), ("setgroups", 0, 0), ("unshare", 0x10000000), ("setns", HOME, 0),
              ("mount", "/", "/", 0, 4096, 0), ("umount2", "/", 0), ("pivot_root", "/", "/"), ("chdir", "/"), ("fchdir", CONTROL),
              ("bpf", 0, bytes(64), 64), ("perf_event_open", bytes(128), 0, -1, -1, 0), ("io_uring_setup", 4, bytes(120)), ("userfaultfd", 0),
              ("keyctl", 0, -3, 0), ("add_key", "user", "x", b"x", 1, -3), ("prctl", 4, 1), ("prctl", 38, 0), ("seccomp", 0, 0, 0),
              ("open_by_handle_at", HOME, bytes(24), 0), ("memfd_create", "x", 0), ("shmget", 1, 4096, 0o1600), ("inotify_init1", 0)]
    attempts = {f"{' '.join(map(str, (name, *arguments)))}": (lambda i, n=name, a=arguments: i.call(n, *a), [KILLED]) for name, *arguments in calls}
    assert wrong_outcomes(world, kind, attempts) == {}


CLONE = 0x01000000 | signal.SIGCHLD  # JAIL_CLONE_FLAGS in src/ftpd/jail.h
ZYGOTE_FDS = 24  # two of them, see there
RLIMIT_NPROC = 6


def capabilities(bits):
    """capget(2)'s two structures, version 3."""
    return struct.pack("II", 0x20080522, 0), struct.pack("6I", bits, bits, 0, 0, 0, 0)


def narrower_landlock(intruder):
    """A domain of its own making that would allow writing; what it can write then."""
    ruleset = intruder.call("landlock_create_ruleset", struct.pack("Q", 0b110), 8, 0)
    assert ruleset >= 6
    assert intruder.call("landlock_add_rule", ruleset, 1, struct.pack("=Qi", 0b110, HOME), 0) == 0
    assert intruder.call("landlock_restrict_self", ruleset, 0) == 0
    return intruder.openat2("nuevo", os.O_WRONLY | os.O_CREAT, HOME, 0o600)


def way_up(intruder):
    """Its home as its working folder: what lies above it."""
    stats = Out(144), Out(144)
    assert intruder.call("fchdir", HOME) == 0
    assert intruder.call("newfstatat", AT_FDCWD, "..", stats[0], 0) == 0 and intruder.call("newfstatat", HOME, ".", stats[1], 0) == 0
    return stats[0][:16] == stats[1][:16]


@pytest.mark.parametrize("kind", KINDS)
def test_what_its_birth_has_left_open_is_of_no_use(world, untouched, kind):
    """Its filter is its zygote's, which forks, and locks homes: of what that takes it has nothing any more."""
    attempts = {
        "fork as its zygote does": (lambda i: i.call("clone", CLONE, 0, 0, 0, 0), [-errno.EAGAIN]),
        "fork, sharing memory": (lambda i: i.call("clone", CLONE | 0x100, 0, 0, 0, 0), [KILLED]),
        "be allowed to": (lambda i: i.call("prlimit64", 0, RLIMIT_NPROC, struct.pack("QQ", 10, 10), 0), [-errno.EPERM]),
        "fork after all": (lambda i: i.call("clone", CLONE, 0, 0, 0, 0), [-errno.EAGAIN]),
        "another limit": (lambda i: i.call("prlimit64", 0, 7, struct.pack("QQ", 10, 10), 0), [KILLED]),
        "another's limit": (lambda i: i.call("prlimit64", 1, RLIMIT_NPROC, struct.pack("QQ", 10, 10), 0), [KILLED]),
        "read the limit": (lambda i: i.call("prlimit64", 0, RLIMIT_NPROC, 0, Out(16)), [KILLED]),
        "take another's wire": (lambda i: i.call("recvmsg", ZYGOTE_FDS + 1, bytes(56), socket.MSG_DONTWAIT), [-errno.EBADF]),
        "ask for children": (lambda i: i.call("sendto", ZYGOTE_FDS, b"x", 1, socket.MSG_NOSIGNAL, 0, 0), [-errno.EBADF]),
        "close what is not there": (lambda i: i.call("close_range", ZYGOTE_FDS, 0xffffffff, 0), [0]),
        "unshare what is there": (lambda i: i.call("close_range", ZYGOTE_FDS, 0xffffffff, 2), [KILLED]),
    }
    if kind == "session":
        attempts |= {
            "another root": (lambda i: i.call("chroot", "/"), [-errno.EPERM]),
            "the capability for it": (lambda i: i.call("capset", *capabilities(1 << 18)), [-errno.EPERM]),
            "no capability": (lambda i: i.call("capset", *capabilities(0)), [0]),
            "more by landlock": (narrower_landlock, HIDDEN),
            "landlock's future": (lambda i: i.call("landlock_create_ruleset", bytes(24), 24, 0), [KILLED]),
            "the folder above": (way_up, [True]),
            "its own file's size": (lambda i: i.call("prlimit64", 0, 1, struct.pack("QQ", 10, 10), 0), [KILLED]),
        }
    assert wrong_outcomes(world, kind, attempts) == {}


@pytest.mark.parametrize("kind", KINDS)
def test_no_memory_of_it_becomes_code(world, untouched, kind):
    def mapped(protection, flags, fd=-1, size=4096):
        return lambda i: i.call("mmap", 0, size, protection, flags, fd, 0)
    anonymous = MAP_PRIVATE | MAP_ANONYMOUS
    attempts = {
        "executable": (mapped(PROT_READ | PROT_WRITE | PROT_EXEC, anonymous), [KILLED]),
        "executable only": (mapped(PROT_EXEC, anonymous), [KILLED]),
        "mprotect": (lambda i: i.call("mprotect", i.memory & ~4095, 4096, PROT_READ | PROT_EXEC), [KILLED]),
        "pkey_mprotect": (lambda i: i.call("pkey_mprotect", i.memory & ~4095, 4096, PROT_READ | PROT_EXEC, -1), [KILLED]),
        "mremap": (lambda i: i.call("mremap", i.memory & ~4095, 4096, 8192, 1), [KILLED]),
        "shared memory, which no limit counts": (mapped(PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS), [KILLED]),
        "a growing stack, which no limit counts": (mapped(PROT_READ | PROT_WRITE, anonymous | MAP_GROWSDOWN), [KILLED]),
        "huge pages": (mapped(PROT_READ | PROT_WRITE, anonymous | 0x40000), [KILLED]),
        "locked": (mapped(PROT_READ | PROT_WRITE, anonymous | 0x2000), [KILLED]),
        "a file's pages": (with_fd(lambda i: i.openat2(world.own_file, folder=HOME), lambda i, fd: i.call("mmap", 0, 4096, PROT_READ, MAP_SHARED, fd, 0)),
                           [KILLED]),
    }
    assert wrong_outcomes(world, kind, attempts) == {}


def test_who_may_write_changes_nothing_outside(writers):
    """Landlock's walls are the same for those who may write, and modes, owners, links and devices are out of reach as ever."""
    outside, kept = writers.server.folder / "outside", writers.server.folder.stat().st_mtime_ns
    with take_over(writers, "writer") as intruder:
        file = intruder.openat2("nuevo", os.O_WRONLY | os.O_CREAT, HOME, 0o6777)
        assert file >= 6 and intruder.call("pwrite64", file, b"hola", 4, 0) == 4
        assert (writers.server.root / "nuevo").read_bytes() == b"hola"
        # the one right that it could give away: see "What remains" in SECURITY.md
        assert (writers.server.root / "nuevo").stat().st_mode & 0o777 == 0o750
        assert intruder.call("renameat2", HOME, "nuevo", HOME, "../nuevo", 0) in (0, *HIDDEN)  # "..": its own folder
        for path in (str(outside), "/tmp/nuevo", "/etc/nuevo"):
            for flags in (os.O_WRONLY, os.O_WRONLY | os.O_CREAT, os.O_RDONLY | os.O_TRUNC):
                assert intruder.openat2(path, flags, HOME, 0o600 if flags & os.O_CREAT else 0) in HIDDEN
        assert intruder.openat2("../outside", os.O_WRONLY | os.O_CREAT, HOME, 0o600) >= 6  # one of its own of that name
        assert intruder.call("unlinkat", HOME, str(outside), 0) in HIDDEN
        assert intruder.call("mkdirat", HOME, "/tmp/nuevo", 0o777) in HIDDEN
        assert intruder.call("pwrite64", CONTROL, b"x", 1, 0) == KILLED
    assert outside.read_text() == "not for clients\n" and writers.server.folder.stat().st_mtime_ns == kept and not os.path.exists("/tmp/nuevo")


# ---- what it finds in itself ----------------------------------------------------------------------------

@pytest.mark.parametrize("kind", KINDS)
def test_it_holds_no_fds_of_others(world, untouched, kind):
    with take_over(world, kind) as intruder:
        held = {int(fd): os.readlink(f"/proc/{intruder.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{intruder.pid}/fd")}
        assert set(held) == {0, 1, 2, CONTROL, WIRE} | ({HOME} if kind == "session" else set())
        assert {held[fd] for fd in (0, 1, 2)} == {"/dev/null"}
        assert held[CONTROL].startswith("socket:") and held[WIRE].startswith("socket:")
        if kind == "session":
            found = [fd for fd in range(1024) if intruder.call("fstat", fd, intruder.memory) != -errno.EBADF]
            assert found == [0, 1, 2, WIRE, CONTROL, HOME]


@pytest.mark.parametrize("call", [("close", WIRE), ("close", (1 << 32) + WIRE), ("close", HOME), ("close", CONTROL), ("dup2", CONTROL, WIRE), ("dup3", 0, WIRE, 0),
                                  ("shutdown", WIRE, 2), ("fcntl", WIRE, 0, 10), ("fcntl", WIRE, 8, 1), ("close_range", 3, 9, 0), ("close_range", WIRE, 0xffffffff, 0)],
                         ids=lambda call: "-".join(map(str, call)))
def test_it_cannot_hide_from_the_listener(world, untouched, call):
    """The listener sees the end of the wire when the process is dead, and only then."""
    assert wrong_outcomes(world, "session", {str(call): (lambda i: i.call(*call), [KILLED])}) == {}


def assert_not_in_memory(pid, markers):
    memory = memory_of(pid)
    assert any("stack" in name for name in memory)
    found = {(name, marker) for name, content in memory.items() for marker in markers if marker.encode() in content}
    assert found == set()


@pytest.mark.parametrize("kind", KINDS)
def test_its_memory_tells_nothing_of_others(world, kind):
    """Another person has logged in and looked around, a third one has tried to, before and while it was born."""
    third = "tercera-c51b", "clave-de-la-tercera-77aa"
    with socket.create_connection(world.address, source_address=("127.0.0.77", 0)) as one, Talk(world.address, timeout=60) as other:
        assert other.ask(f"USER {world.other[0]}").startswith("331") and other.ask(f"PASS {world.other[1]}").startswith("230")
        assert other.get("LIST")[1].startswith("226")
        with Talk(world.address, timeout=60) as stranger:
            assert stranger.ask(f"USER {third[0]}").startswith("331")
            stranger.send(f"PASS {third[1]}\r\n")
            with take_over(world, kind) as intruder:
                markers = [*world.other, *third, "127.0.0.77", "$argon2id$", "TEMPOFTP_ENCRYPTION_KEY=", "LISTEN_FDNAMES=", "NOTIFY_SOCKET="]
                assert_not_in_memory(intruder.pid, markers)
                # the proof that the search finds what is there
                intruder.put(0, b"aguja-en-el-pajar")
                with pytest.raises(AssertionError):
                    assert_not_in_memory(intruder.pid, ["aguja-en-el-pajar"])
            assert stranger.reply().startswith("530")
        del one


def test_its_memory_tells_nothing_of_sessions_before_the_listener(world):
    """The next listener gets other sessions' names from systemd."""
    if not isinstance(world, Service):
        return  # nothing outlives the listener there
    with Talk(world.address, timeout=60) as other:
        assert other.ask(f"USER {world.other[0]}").startswith("331") and other.ask(f"PASS {world.other[1]}").startswith("230")
        kill_listener(world.machine)
        for kind in KINDS:
            with take_over(world, kind) as intruder:
                assert_not_in_memory(intruder.pid, [world.other[0], "session/"])
        assert other.ask("NOOP").startswith("200")


@pytest.mark.parametrize("kind", ["tls-prelogin", "tls-session", "relay"])
def test_with_tls_no_process_of_a_client_has_the_key(tls, kind):
    """Nor anything of others; the relay forgets what went through it."""
    with take_over(tls, "tls-session") as other, take_over(tls, kind) as intruder:
        assert other.talk.ask("NOOP").startswith("200")
        markers = [tls.key, tls.key[::-1], (tls.server.folder / "key.pem").read_bytes().splitlines()[1], *(text.encode() for text in tls.other),
                   PASSWORD.encode() + b"\r", b"$argon2id$"]
        memory = memory_of(intruder.pid)
        assert {(name, marker) for name, content in memory.items() for marker in markers if marker in content} == set()
        intruder.put(0, tls.key)
        assert any(tls.key in content for content in memory_of(intruder.pid).values())  # the search finds what is there


def test_a_relay_gets_one_signature_and_no_more(tls):
    """What it tells the keeper of the key, of whatever length, ends that way at most: others' handshakes go on."""
    for size in (0, 1, 4, 64, 4096, 60000):
        with take_over(tls, "relay") as intruder:
            intruder.call("sendto", HOME, intruder.memory, size, socket.MSG_NOSIGNAL, 0, 0)
            answer = Out(1024)
            assert intruder.call("recvfrom", HOME, answer, 1024, 0x40, 0, 0) in (0, -errno.EAGAIN, -errno.ECONNRESET)
            assert bytes(answer) == bytes(1024)
        take_over(tls, "tls-session").close()


def test_the_keeper_of_the_key_reaches_nothing(tls):
    """It has the key and a way to those who ask for signatures. Nothing else comes in and nothing goes out: no file, no connection, no fd but from its zygote."""
    address = sockaddr("127.0.0.1", tls.server.port)
    kept = tls.kept()
    attempts = {f"{how} {path}": (lambda i, p=path, f=flags: i.openat2(p, f, mode=0o600 if f & os.O_CREAT else 0), [KILLED])
                for path in (*tls.secrets, str(tls.server.folder / "key.pem"), "nuevo")
                for how, flags in (("read", os.O_RDONLY), ("hold", os.O_PATH), ("make", os.O_WRONLY | os.O_CREAT))}
    attempts |= {
        "open as libc does": (lambda i: i.call("openat", AT_FDCWD, "/etc/passwd", os.O_RDONLY, 0), [KILLED]),
        "see": (lambda i: i.call("newfstatat", AT_FDCWD, "/etc/passwd", Out(144), 0), [KILLED]),
        "write to what is open": (lambda i: i.call("write", 1, b"x", 1), [KILLED]),
        "read from what is open": (lambda i: i.call("read", WIRE, Out(16), 16), [KILLED]),
        "another socket": (lambda i: i.call("socket", socket.AF_INET, STREAM, 0), [KILLED]),
        "a pair of them": (lambda i: i.call("socketpair", socket.AF_UNIX, socket.SOCK_STREAM, 0, Out(8)), [KILLED]),
        "connect what it has": (lambda i: i.call("connect", WIRE, address, 16), [KILLED]),
        "send to an address": (lambda i: i.call("sendto", WIRE, b"x", 1, socket.MSG_NOSIGNAL, address, 16), [KILLED]),
        "connect by fast open": (lambda i: i.call("sendto", WIRE, b"x", 1, socket.MSG_NOSIGNAL | 0x20000000, 0, 0), [KILLED]),
        "pass an fd on": (lambda i: i.call("sendmsg", WIRE, bytes(56), 0), [KILLED]),
        "take an fd from who asks": (lambda i: i.call("recvmsg", WIRE + 1, bytes(56), socket.MSG_DONTWAIT), [KILLED]),
        "… by a trick with numbers": (lambda i: i.call("recvmsg", (1 << 32) + WIRE + 1, bytes(56), socket.MSG_DONTWAIT), [KILLED, -errno.EBADF]),
        "code of its own": (lambda i: i.call("mmap", 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), [KILLED]),
        "another process": (lambda i: i.call("clone", signal.SIGCHLD, 0, 0, 0, 0), [KILLED]),
        "its listener": (lambda i: i.call("kill", tls.listener, 0), [KILLED]),
    }
    assert wrong_outcomes(tls, "keeper", attempts) == {}
    with take_over(tls, "keeper") as keeper:
        held = {int(fd): os.readlink(f"/proc/{keeper.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{keeper.pid}/fd")}
        assert {held[fd] for fd in (0, 1, 2)} == {"/dev/null"}
        assert set(held) - {0, 1, 2} >= {WIRE} and all(held[fd].startswith("socket:") for fd in set(held) - {0, 1, 2})
        with open(f"/proc/{keeper.pid}/limits", encoding="ascii") as limits:
            shown = {line[:26].strip(): line[26:47].strip() for line in limits}
        assert (shown["Max core file size"], shown["Max file size"], shown["Max locked memory"], shown["Max msgqueue size"]) == ("0",) * 4
        mapped = itertools.takewhile(lambda at: at > 0, (keeper.call("mmap", 0, 8 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                                                         for _ in range(100)))
        assert len(list(mapped)) <= 8
    assert tls.kept() == kept


def test_a_keeper_that_dies_is_followed_by_another(tls):
    """Who has a session keeps it; the handshakes after the next one go on."""
    with take_over(tls, "tls-session") as other:
        with take_over(tls, "keeper") as keeper:
            assert keeper.call("openat", AT_FDCWD, "/etc/passwd", os.O_RDONLY, 0) == KILLED
        take_over(tls, "keeper").close()  # there is one, and it is killed too
        wait_until(lambda: greets(tls), 60, what="a handshake")
        assert other.talk.ask("NOOP").startswith("200")
    assert "The process that keeps the TLS key has died, starting another one" in tls.said()


def greets(world):
    try:
        take_over(world, "tls-prelogin").close()
        return True
    except OSError:  # ssl.SSLError too
        return False


# ---- what it can grow -----------------------------------------------------------------------------------

def test_its_memory_fds_and_files_have_limits(world, untouched):
    with take_over(world, "session") as intruder:
        size, mapped = 8 << 20, 0
        while intruder.call("mmap", 0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) > 0:
            mapped += size
            assert mapped <= 64 << 20
        assert mapped > 0
        assert intruder.call("mmap", 0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == -errno.ENOMEM
        top = intruder.call("brk", 0)
        assert intruder.call("brk", top + (64 << 20)) == top
        opened = list(itertools.takewhile(lambda fd: fd >= 0, (intruder.openat2(world.own_file, folder=HOME) for _ in range(100))))
        assert max(opened) < 24
        assert intruder.openat2(world.own_file, folder=HOME) == -errno.EMFILE
        assert intruder.call("socket", socket.AF_INET, STREAM, 0) == -errno.EMFILE
        with open(f"/proc/{intruder.pid}/limits", encoding="ascii") as limits:
            shown = {line[:26].strip(): line[26:47].strip() for line in limits}
        assert (shown["Max core file size"], shown["Max file size"], shown["Max locked memory"], shown["Max msgqueue size"]) == ("0",) * 4
        assert shown["Max stack size"] == str(2 << 20)


# ---- lies -----------------------------------------------------------------------------------------------



@pytest.mark.parametrize("kind", KINDS)
def test_a_forged_message_ends_it(world, untouched, kind):
    """Whoever breaks the rules between processes is killed, and nobody else notices."""
    foreign = message("WireTransfer", TYPES["WIRE_TRANSFER"]) if kind == "prelogin" else message("WireLogin", TYPES["WIRE_LOGIN"])
    forged = {
        "short": b"\1\0", "nothing known": header(0) + bytes(400), "past the last": header(TYPES["_WIRE_TYPE_MAX"]) + bytes(400),
        "huge number": header(0xffffffff) + bytes(400), "the listener's own": header(TYPES["WIRE_GO"]), "another's": foreign,
        "a later end of its access": message("WireUntil", TYPES["WIRE_UNTIL"], expira=1 << 40),
        "too long": header(TYPES["WIRE_LOGIN"]) + bytes(4000),
        "no end of text": message("WireLogin", TYPES["WIRE_LOGIN"], user=b"x" * 65, password=b"x" * 257),
        "no end of a reason": header(TYPES["WIRE_BYE"]) + b"x" * 64,
    }
    for name, forgery in forged.items():
        with take_over(world, kind) as intruder:
            pid, before = world.inside(intruder.pid), world.said().count("broke the rules")
            intruder.start("sendto", WIRE, forgery, len(forgery), socket.MSG_NOSIGNAL, 0, 0)
            assert intruder.death() == 9, name
            wait_until(lambda: world.said().count("broke the rules") > before, 30, what=f"a line about {name}")  # noqa: B023
            assert f"Process {pid} of a client" in world.said()


def connect_to(port, more=b""):
    return message("WireConnect", TYPES["WIRE_CONNECT"], port=port) + more


@pytest.mark.parametrize("forgery", [connect_to(0), connect_to(22), connect_to(80), connect_to(1023), connect_to(65536 + 2121), connect_to(0xffffffff),
                                     connect_to(2121, socket.inet_aton("192.0.2.1")), connect_to(2121, socket.inet_aton("10.0.0.1") + bytes(12)),
                                     connect_to(2121)[:-1]],
                         ids=["port-0", "port-22", "port-80", "port-1023", "port-65536-and-more", "port-of-32-bits", "an-address", "an-address-of-16-bytes", "half-a-port"])
def test_no_service_and_no_other_machine_is_called_for_it(world, untouched, forgery):
    """Active mode: it can name a port from 1024 up, and nothing else. Asking for more is its end, and the journal says so."""
    with take_over(world, "session") as intruder:
        pid, before = world.inside(intruder.pid), world.said().count("broke the rules")
        intruder.start("sendto", WIRE, forgery, len(forgery), socket.MSG_NOSIGNAL, 0, 0)
        assert intruder.death() == 9
        wait_until(lambda: world.said().count("broke the rules") > before, 30, what="a line in the journal")
        assert f"Process {pid} of a client from 127.0.0.1 broke the rules between processes, killing it" in world.said()


def test_what_it_has_called_is_its_own_client(world, untouched):
    """The worst that it can ask for: any port from 1024 up of the machine that its client came from, as often as it likes."""
    with take_over(world, "session") as intruder, socket.create_server(("127.0.0.1", 0)) as own, socket.create_server(("127.0.0.2", 0)) as other:
        own.settimeout(60)
        for server in (own, other):
            asks = connect_to(server.getsockname()[1])
            assert intruder.tell(asks) == len(asks)
        called, peer = own.accept()
        with called:
            assert peer[0] == "127.0.0.1"
        assert not select.select([other], [], [], 1)[0]


def test_before_login_it_cannot_ask_twice_at_once(world, untouched):
    """Nor skip the wait after a wrong password: the listener keeps it."""
    login = message("WireLogin", TYPES["WIRE_LOGIN"], user=b"nadie", password=b"x")
    with take_over(world, "prelogin") as intruder:
        assert intruder.tell(login) == len(login)
        intruder.start("sendto", WIRE, login, len(login), socket.MSG_NOSIGNAL, 0, 0)
        assert intruder.death() == 9


def test_before_login_it_cannot_ask_on_after_the_last_word(world, untouched):
    """Three wrong passwords, one after the other as any client's, and then no more."""
    login = message("WireLogin", TYPES["WIRE_LOGIN"], user=b"nadie", password=b"x")
    with take_over(world, "prelogin") as intruder:
        for word in ("WIRE_DENIED", "WIRE_DENIED", "WIRE_CLOSE"):
            answer = Out(8)
            assert intruder.tell(login) == len(login)
            assert intruder.call("recvfrom", WIRE, answer, len(answer), 0, 0, 0) == len(answer)
            assert bytes(answer) == header(TYPES[word])
        intruder.start("sendto", WIRE, login, len(login), socket.MSG_NOSIGNAL, 0, 0)
        assert intruder.death() == 9


def transfer(path, size):
    """Cut after the path's NUL, as it goes over the wire."""
    whole = message("WireTransfer", TYPES["WIRE_TRANSFER"], path=path.encode(), bytes=size, ms=1, whole=1)
    return whole[:whole.index(path.encode()) + len(path.encode()) + 1]


def test_it_can_tell_lies_about_itself_only(world, untouched):
    """A session's word counts for its own account; what it claims about another's request is not believed."""
    if not isinstance(world, Service):
        return  # nobody counts there
    mine, others = world.answers[:2]
    counted = [world.api.get(f"/tmpftp/{answer['id']}").json["descargas"] for answer in (mine, others)]
    with take_over(world, "session") as intruder:
        claim = transfer(f"/{others['id']}/a.txt", 1 << 40)
        assert intruder.tell(claim) == len(claim)
        claim = transfer(f"/{mine['id']}/a.txt", 77)
        assert intruder.tell(claim) == len(claim)
        wait_until(lambda: world.api.get(f"/tmpftp/{mine['id']}").json["descargas"]["bytes"] >= counted[0]["bytes"] + 77, 60, what="its own lie, counted")
        claim = transfer(f"/{mine['id']}/a.txt", (1 << 64) - 1)
        assert intruder.tell(claim) == len(claim)
        assert intruder.call("clock_gettime", 0, Out(16)) == 0
    assert world.api.get(f"/tmpftp/{others['id']}").json["descargas"] == counted[1]
    wait_until(lambda: world.api.get("/health").status == 200, 60, what="a tempoftpd that can count")
    assert untouched.get(f"RETR /{others['id']}/a.txt")[1].startswith("226")
    wait_until(lambda: world.api.get(f"/tmpftp/{others['id']}").json["descargas"]["bytes"] == counted[1]["bytes"] + len(CONTENT), 30,
               what="what the other person fetched after that, counted")


FLOOD = 20000


@pytest.mark.parametrize("what", ["WIRE_STAYS", "WIRE_TRANSFER"])
def test_a_flood_delays_nobody(world, untouched, what):
    """Messages as fast as the kernel takes them: others are answered all the same, and the journal still has their lines."""
    words = header(TYPES[what], 12345) if what == "WIRE_STAYS" else transfer(f"/{world.own_file}", 1)
    lines = world.said().count(f"{world.other[0]} logged in")
    with take_over(world, "session") as intruder:
        intruder.start("sendto", WIRE, words, len(words), socket.MSG_NOSIGNAL, 0, 0, times=FLOOD)
        latencies, over = [], False
        while not over:
            over = bool(select.select([intruder.talk.socket], [], [], 0.05)[0])
            began = time.monotonic()
            with Talk(world.address, timeout=60) as visitor:
                assert visitor.ask(f"USER {world.other[0]}").startswith("331")
                assert visitor.ask(f"PASS {world.other[1]}").startswith("230")
                assert visitor.ask("QUIT").startswith("221")
            latencies.append(time.monotonic() - began)
        assert intruder.finish() == len(words)
        assert max(latencies) < 3, latencies
    wait_until(lambda: world.said().count(f"{world.other[0]} logged in") > lines + len(latencies) - 1, 60, what="their lines")


# ---- its end --------------------------------------------------------------------------------------------

def hang(intruder):
    """It listens to nobody any more."""
    intruder.start("ppoll", 0, 0, 0, 0, 8)
    wait_until(lambda: asleep(intruder.pid), what="a process that sleeps")


def asleep(pid):
    with open(f"/proc/{pid}/syscall", encoding="ascii") as file:
        return file.read().split()[0] == str(call_number("ppoll"))


def test_revocation_ends_it_within_a_second(world, untouched):
    if not isinstance(world, Service):
        return  # nobody revokes there
    with take_over(world, "session") as intruder:
        hang(intruder)
        began = time.monotonic()
        assert end_sessions(world.machine, world.account[0]) == 1
        assert intruder.death() == 9
        assert time.monotonic() - began < 2  # 1 s, and busctl's own start


def test_the_next_listener_ends_it_too(world):
    if not isinstance(world, Service):
        return  # no listener comes after the first
    with take_over(world, "session") as intruder:
        hang(intruder)
        kill_listener(world.machine)
        assert end_sessions(world.machine, world.account[0]) == 1
        assert intruder.death() == 9


def test_it_does_not_outlive_the_service(world):
    """Who listens says goodbye, who doesn't is killed; after a restart sessions go on, whatever they do."""
    with take_over(world, "session") as intruder, Talk(world.address, timeout=60) as other:
        assert other.ask(f"USER {world.other[0]}").startswith("331") and other.ask(f"PASS {world.other[1]}").startswith("230")
        hang(intruder)
        if isinstance(world, Service):
            world.machine.run(["systemctl", "restart", "tempoftp-ftp.service"])
            assert asleep(intruder.pid)
            assert other.ask("NOOP").startswith("200")
            world.machine.run(["systemctl", "stop", "tempoftp-ftp.service"])
        else:
            os.kill(world.listener, signal.SIGTERM)
        assert other.reply().startswith("421")
        assert intruder.death() == 9
    if isinstance(world, Standalone):
        world.server.process.wait(timeout=30)
        world.server.start()


def test_its_end_of_access_ends_it(world):
    """It has not ended itself: the listener does."""
    if not isinstance(world, Service):
        return
    end, answer = int(time.time()) + 15, world.deliver("breve")
    change_database(world.machine, f"UPDATE requests SET expires = {end} WHERE id = '{answer['id']}'")
    with Intruder(world.address, world.listener, world.account_of(answer)) as intruder:
        hang(intruder)
        assert intruder.death() == 9
        assert end <= time.time() < end + 20


def test_a_hung_process_is_not_waited_for_before_login(world, untouched):
    """It doesn't answer its client's end; the listener has a patience of its own."""
    with take_over(world, "prelogin") as intruder:
        hang(intruder)
        with take_over(world, "session") as another:
            assert another.call("clock_gettime", 0, Out(16)) == 0


# ---- the build ------------------------------------------------------------------------------------------

def test_no_other_build_obeys():
    marks = {"tempoftp-ftpd": (b"XSYS", b"takeover_call", b"takeover build"), "tempoftp-ftp-child": (b"XSYS", b"takeover_call")}
    for program, mark in ((program, mark) for program, own in marks.items() for mark in own):
        real, obeying = [(folder / "src/ftpd" / program).read_bytes() for folder in (BUILD, takeover_build(BUILD))]
        assert mark not in real
        assert mark in obeying


def test_such_a_build_says_so(writers):
    assert "THIS SERVER MUST NOT BE USED" in writers.said()


# ---- machines that lack a wall --------------------------------------------------------------------------

def test_without_user_namespaces_it_serves_and_says_what_is_missing(machine, unique):
    """Landlock and seccomp are still there."""
    unit, folder, port = unique("ftpd"), f"/srv/{unique('served')}", 2199
    machine.shell(f"mkdir {folder} && echo hola >{folder}/a.txt && chmod 755 {folder}")
    machine.run(["systemd-run", f"--unit={unit}", "--uid=nobody", "--property=RestrictNamespaces=yes", "tempoftp-ftpd", "--listen", f"127.0.0.1:{port}",
                 "--root", folder, "--user", f"{ACCOUNT}:{PASSWORD}"])
    try:
        wait_until(lambda: "Serving" in machine.journal("-u", unit), 60, what="a server")
        with Talk(("127.0.0.1", port), timeout=60) as talk:
            assert talk.ask(f"USER {ACCOUNT}").startswith("331") and talk.ask(f"PASS {PASSWORD}").startswith("230")
            assert talk.get("RETR a.txt")[0] == b"hola\n"
            assert talk.ask("SIZE /etc/passwd").startswith("550")
        assert "No user namespace here" in machine.journal("-u", unit)
    finally:
        machine.run(["systemctl", "stop", unit])
        machine.run(["rm", "-r", folder])
