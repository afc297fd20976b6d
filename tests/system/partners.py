"""Partners' servers for exports: real ones, each on a port and a folder of its own in the machine's network. Pure-FTPd and vsftpd come from ftp_peers; here is
OpenSSH's sftp-server behind a sshd, and what a destination's body has to say of each."""
import os
import shutil
import socket
import subprocess
import threading

from ftp_peers import SLOW, PureFtpd, Vsftpd, _hash, _owner
from ftp_standalone import ACCOUNT, PASSWORD, ServedFolder
from machine import wait_until


class Sftp(ServedFolder):
    """A sshd that serves SFTP alone, to one account with a password and a key, in a mount namespace where the user database knows that account alone."""

    subsystem = "/usr/lib/openssh/sftp-server"
    settings = ""  # lines of sshd_config(5), which takes the first it finds

    def __init__(self):
        super().__init__()
        self.key_file = self.folder / "client_key"
        self.make_host_key()
        subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", self.key_file], check=True)

    def make_host_key(self):
        """Another one than before."""
        for old in self.folder.glob("host_key*"):
            old.unlink()
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.folder / "host_key"], check=True)

    @property
    def fingerprint(self):
        """SHA256:…, as an operator compares it."""
        return subprocess.run(["ssh-keygen", "-l", "-f", self.folder / "host_key.pub"], check=True, stdout=subprocess.PIPE, text=True).stdout.split()[1]

    def start(self):
        etc, configuration = self.folder / "etc", self.folder / "sshd_config"
        etc.mkdir(exist_ok=True)
        owner = _owner(self.root)
        (etc / "passwd").write_text(f"root:x:0:0::/root:/bin/sh\nsshd:x:100:65534::/run/sshd:/usr/sbin/nologin\n{ACCOUNT}:x:{owner}::{self.root}:/bin/sh\n")
        (etc / "shadow").write_text(f"{ACCOUNT}:{_hash(PASSWORD)}:19000:0:99999:7:::\n")
        (etc / "shadow").chmod(0o600)
        keys = self.folder / "authorized_keys"
        shutil.copy(f"{self.key_file}.pub", keys)
        keys.chmod(0o644)
        configuration.write_text(f"{self.settings}Port {self.port}\nListenAddress 127.0.0.1\nHostKey {self.folder}/host_key\nAuthorizedKeysFile {keys}\nPidFile none\nUsePAM no\n"
                                 f"StrictModes no\nPasswordAuthentication yes\nMaxStartups 200\nLogLevel ERROR\nSubsystem sftp {self.subsystem}\n")
        mounts = " && ".join(f"mount --bind {etc}/{name} /etc/{name}" for name in ("passwd", "shadow"))
        self.launch("unshare", "--mount", "--", "sh", "-c", f"mkdir -p /run/sshd && {mounts} && exec \"$@\"", "sh", "/usr/sbin/sshd", "-D", "-e", "-f",
                    str(configuration))
        wait_until(self._listens, SLOW, f"sshd to answer:\n{self.said()}")

    def _listens(self):
        assert self.process.poll() is None, self.said()
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                return connection.recv(4) == b"SSH-"
        except OSError:
            return False


def address(partner, kind, **fields):
    """The body of POST /api/destinations for a partner; `fields` change it."""
    body = {"name": f"{kind}-{partner.port}", "type": kind, "host": "127.0.0.1", "port": partner.port, "username": ACCOUNT, "password": PASSWORD, "path": "/",
            **fields}
    return {key: value for key, value in body.items() if value is not None}


def remote_path(partner, kind):
    """What path a destination has to have to lead into the partner's folder: FTP accounts are locked into it, SFTP's is not."""
    return str(partner.root) if kind == "sftp" else "/"


def run_worker(program, tree, state, connections, retries, limit_s, ftp_s=30, sftp_s=60, answer_s=120, **order):
    """tempoftp-export as its unit starts it, without the unit: `order` on standard input, its list in the folder `state`. The lines it says up to its end."""
    order = {"token": "0" * 32, "username": ACCOUNT, "password": PASSWORD, "address": "127.0.0.1", **order}
    # No bus: it would wait for tempoftpd to hear of it, and is ended here.
    worker = subprocess.Popen([program, "upload", "--id", "alone", "--life", "1", "--number", "1", "--folder", tree, "--connections", str(connections),
                               "--retries", str(retries), "--retry-seconds", "1", "--ftp-seconds", str(ftp_s), "--sftp-seconds", str(sftp_s), "--answer-seconds", str(answer_s),
                               "--internal"], stdin=subprocess.PIPE, stderr=subprocess.PIPE,
                              env={"STATE_DIRECTORY": str(state), "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={state}/none"})
    watch = threading.Timer(limit_s, worker.kill)
    watch.start()
    try:
        worker.stdin.write(b"".join(f"{key}={value}".encode() + b"\0" for key, value in order.items()))
        worker.stdin.close()
        said = []
        for line in worker.stderr:
            said.append(line.decode())
            if said[-1].startswith("tempoftp-export: error:") or "files are at" in said[-1]:
                break
    finally:
        watch.cancel()
        worker.kill()
        worker.wait()
        worker.stderr.close()
    return said
