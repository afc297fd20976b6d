"""The FTP servers that are compared, each started the same way: in a control group, a network and a mount namespace of its own.

So CPU time is what the kernel counted for all of a server's processes, dead ones too; TIME_WAIT sockets of one don't slow another; and the account
that vsftpd and PAM want exists in no file of the host. Data lies in /dev/shm. Every password is stored with the cheapest hash its server takes.
"""
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

USER, PASSWORD, UID = "bench", "bench-secret-118", 2099
PORT = 2121
DES_CRYPT = "ab"  # salt; traditional crypt(3) is the cheapest hash of all three peers
CERTIFICATE_DAYS = "7"
REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


def unpack_peers():
    """Where the peers' programs are."""
    return pathlib.Path(subprocess.run([REPOSITORY / "tests" / "testbed" / "ftp-peers"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip(), "usr")


class Server:
    """One server; start() returns when it answers. make(place, tls) writes its files and returns its command."""

    def __init__(self, name, make, tls=False):
        self.name, self.make, self.tls = name, make, tls
        self.process = self.group = self.place = None

    def start(self, place):
        self.place = place
        self.group = cgroup_of(self.name + ("-tls" if self.tls else ""))
        command = self.make(place, self.tls)
        inside = ["unshare", "--mount", "--net", "--", "bash", "-c", SETUP, "bash", str(place), *map(str, command)]
        log = open(place / f"{self.name}.log", "ab")
        self.process = subprocess.Popen(inside, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                                        preexec_fn=lambda: (self.group / "cgroup.procs").write_text(str(os.getpid())))
        log.close()
        for _ in range(200):
            if self.process.poll() is None and os.readlink(f"/proc/{self.process.pid}/ns/net") == os.readlink("/proc/self/ns/net"):
                time.sleep(0.05)  # it has yet to leave this network, where others may listen on that port
                continue
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} ended: {(place / f'{self.name}.log').read_text()[-2000:]}")
            if self.inside(["bash", "-c", f": 2>/dev/null </dev/tcp/127.0.0.1/{PORT}"], check=False).returncode == 0:
                return self
            time.sleep(0.05)
        raise RuntimeError(f"{self.name} does not listen")

    def stop(self):
        if not self.process:
            return
        while self.processes():
            for pid in self.processes():
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            time.sleep(0.05)
        self.process.wait()
        self.process = None
        self.group.rmdir()

    def processes(self):
        return [int(pid) for pid in (self.group / "cgroup.procs").read_text().split()]

    def cpu(self):
        """Seconds that all its processes have used so far."""
        return int(re.search(r"^usage_usec (\d+)", (self.group / "cpu.stat").read_text(), re.M)[1]) / 1e6

    def pss_kib(self):
        total = 0
        for pid in self.processes():
            try:
                total += int(re.search(r"^Pss:\s+(\d+)", pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)[1])
            except (FileNotFoundError, ProcessLookupError, TypeError):
                pass
        return total

    def enter(self):
        """What a command begins with that talks to this server."""
        return ["nsenter", f"--net=/proc/{self.process.pid}/ns/net", "--"]

    def inside(self, command, **options):
        return subprocess.run([*self.enter(), *map(str, command)], stdout=subprocess.PIPE, text=True, **{"check": True, **options})


# $1: the folder with passwd, group, shadow and pam; the rest: the server.
SETUP = """set -e
mount --make-rprivate /
for f in passwd group shadow; do mount --bind "$1/$f" /etc/$f; done
mount --bind "$1/pam" /etc/pam.d
ip link set lo up
echo 4096 >/proc/sys/net/ipv4/tcp_max_tw_buckets
echo 512 >/proc/sys/net/unix/max_dgram_qlen # as systemd sets it at boot
shift
exec "$@"
"""


def cgroup_of(name):
    with open("/proc/mounts", encoding="utf-8") as mounts:
        top = next(line.split()[1] for line in mounts if line.split()[2] == "cgroup2")
    group = pathlib.Path(top) / f"tempoftp-bench-{os.getpid()}-{name}"
    group.mkdir()
    return group


def prepare(place):
    """The account, as each kind of server wants to read it."""
    home = place / "home"
    hashed = crypt_des(PASSWORD)
    for name, line in {"passwd": f"{USER}:x:{UID}:{UID}::{home}:/bin/sh\n", "group": f"{USER}:x:{UID}:\n", "shadow": f"{USER}:{hashed}:19000:0:99999:7:::\n"}.items():
        text = pathlib.Path("/etc", name).read_text() + line
        (place / name).write_text(text)
        (place / name).chmod(0o640 if name == "shadow" else 0o644)
    (place / "pam").mkdir()
    for service in ("vsftpd", "other"):
        (place / "pam" / service).write_text("auth required pam_unix.so\naccount required pam_unix.so\nsession required pam_permit.so\n")
    (place / "empty").mkdir()
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", CERTIFICATE_DAYS,
                    "-keyout", place / "key.pem", "-out", place / "cert.pem"], check=True, stderr=subprocess.DEVNULL)
    (place / "both.pem").write_text((place / "key.pem").read_text() + (place / "cert.pem").read_text())
    for name in ("key.pem", "cert.pem"):
        os.chown(place / name, UID, UID)
        (place / name).chmod(0o600)
    (place / "both.pem").chmod(0o600)


def crypt_des(password):
    import ctypes
    library = ctypes.CDLL("libcrypt.so.1")
    library.crypt.restype = ctypes.c_char_p
    return library.crypt(password.encode(), DES_CRYPT.encode()).decode()


def pure_ftpd(usr, place, tls):
    (place / "pure.passwd").write_text(f"{USER}:{crypt_des(PASSWORD)}:{UID}:{UID}::{place}/home/./::::::::::::\n")
    subprocess.run([usr / "bin" / "pure-pw", "mkdb", place / "pure.pdb", "-f", place / "pure.passwd"], check=True)
    command = [usr / "sbin" / "pure-ftpd", "-S", f"127.0.0.1,{PORT}", "-l", f"puredb:{place}/pure.pdb", "-E", "-H", "-c", "1000", "-L", "200000:5", "-u", "1",
               "-g", place / "pure.pid"]
    return command + (["-Y", "1", "-2", place / "both.pem"] if tls else ["-Y", "0"])


def vsftpd(usr, place, tls):
    lines = ["listen=YES", f"listen_port={PORT}", "background=NO", "anonymous_enable=NO", "local_enable=YES", "write_enable=YES",
             "seccomp_sandbox=NO", "chroot_local_user=YES", "allow_writeable_chroot=YES", "max_clients=0", "max_per_ip=0",
             f"secure_chroot_dir={place}/empty", "pam_service_name=vsftpd", f"vsftpd_log_file={place}/vsftpd.xferlog", "xferlog_enable=YES"]
    if tls:
        lines += ["ssl_enable=YES", f"rsa_cert_file={place}/cert.pem", f"rsa_private_key_file={place}/key.pem", "ssl_ciphers=HIGH",
                  "require_ssl_reuse=YES", "force_local_data_ssl=YES", "force_local_logins_ssl=YES"]
    (place / "vsftpd.conf").write_text("\n".join(lines) + "\n")
    return [usr / "sbin" / "vsftpd", place / "vsftpd.conf"]


def proftpd(usr, place, tls):
    (place / "proftpd.passwd").write_text(f"{USER}:{crypt_des(PASSWORD)}:{UID}:{UID}::{place}/home:/bin/sh\n")
    (place / "proftpd.passwd").chmod(0o600)
    lines = ["ServerType standalone", "ServerName bench", "UseIPv6 off", f"Port {PORT}", "User nobody", "Group nogroup", "MaxInstances none", "UseReverseDNS off",
             f"AuthUserFile {place}/proftpd.passwd", "AuthOrder mod_auth_file.c", "RequireValidShell off", "DefaultRoot ~", "AllowOverwrite on",
             "WtmpLog off", f"SystemLog {place}/proftpd.log", f"TransferLog {place}/proftpd.xferlog", f"PidFile {place}/proftpd.pid",
             f"ScoreboardFile {place}/proftpd.scoreboard", f"DelayTable {place}/proftpd.delay", "DelayEngine off"]
    if tls:
        lines += [f"ModulePath {usr}/lib/proftpd", "LoadModule mod_tls.c", "TLSEngine on", "TLSRequired on", f"TLSRSACertificateFile {place}/cert.pem",
                  f"TLSRSACertificateKeyFile {place}/key.pem"]
    (place / "proftpd.conf").write_text("\n".join(lines) + "\n")
    return [usr / "sbin" / "proftpd", "--nodaemon", "-q", "-c", place / "proftpd.conf"]


PYFTPDLIB = """
import sys
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer
import logging
logging.basicConfig(level=logging.WARNING)
authorizer = DummyAuthorizer()
authorizer.add_user(sys.argv[2], sys.argv[3], sys.argv[4])
FTPHandler.authorizer = authorizer
server = FTPServer(("127.0.0.1", int(sys.argv[1])), FTPHandler)
server.max_cons = 1024
server.serve_forever()
"""


def pyftpdlib(usr, place, tls):
    return ["env", f"PYTHONPATH={usr}/lib/python3/dist-packages", sys.executable, "-c", PYFTPDLIB, PORT, USER, PASSWORD, f"{place}/home"]


LIMITS = {"retr": ("send", "big"), "list": ("list", "many"), "mlsd": ("list", "many"), "files": ("files", ""), "login": ("login", "")}


def limit(build, kind, place, tls):
    """What a load costs at least; the client is `raw`, but for `files`."""
    work, path = LIMITS[kind]
    return [build / "tests" / "bench" / "bench-ftp-limits", work, PORT, place / "home" / path]


def tempoftp(build):
    program = build / "src" / "ftpd" / "tempoftp-ftpd"
    help_text = subprocess.run([program, "--help"], check=True, stdout=subprocess.PIPE, text=True).stdout

    def command(place, tls):
        arguments = ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups", program, "--listen", f"127.0.0.1:{PORT}", "--root", place / "home",
                     "--user", f"{USER}:{PASSWORD}", "--max-per-account", "512", "--max-per-address", "512"]
        if "--write" in help_text:
            arguments.append("--write")
        if tls:
            arguments += ["--tls-cert", place / "cert.pem", "--tls-key", place / "key.pem"]
        return arguments

    return command, "--write" in help_text, "--tls-cert" in help_text
