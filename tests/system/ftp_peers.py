"""The FTP servers that people know, each on a port and a folder of its own, with the same account as ours: what ours is compared with.

They run as root, as they are meant to, out of the folder where tests/testbed/ftp-peers unpacked them; nothing of the host's is changed.
"""
import ctypes
import os
import shutil
import subprocess

from ftp_standalone import ACCOUNT, PASSWORD, USER, ServedFolder, make_certificate
from machine import TESTBED, wait_until

SLOW = 60


def peers_folder():
    done = subprocess.run([TESTBED / "ftp-peers"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, timeout=600, check=True)
    return done.stdout.strip()


def _hash(password):
    crypt = ctypes.CDLL("libcrypt.so.1").crypt
    crypt.restype = ctypes.c_char_p
    return crypt(password.encode(), b"$6$rounds=1000$tempoftp$").decode()


def _owner(folder):
    """UID:GID, as password files say it."""
    status = os.stat(folder)
    return f"{status.st_uid}:{status.st_gid}"


class Peer(ServedFolder):
    """writable: the account may change things; otherwise it gets what the peer has for read-only accounts. secure: it has a certificate."""

    def __init__(self, writable, secure=False):
        super().__init__()
        self.writable, self.secure = writable, secure
        if secure:
            make_certificate(self.folder)
            self.pem = self.folder / "both.pem"
            self.pem.write_text((self.folder / "key.pem").read_text() + (self.folder / "cert.pem").read_text())
            self.pem.chmod(0o600)
        self.programs = peers_folder()

    def start(self):
        self._start()
        wait_until(self._listens, SLOW, f"{self.folder} to be served:\n{self.said()}")

    def _listens(self):
        assert self.process.poll() is None, self.said()
        try:
            with self.talk() as talk:
                return talk.greeting.startswith("220")
        except OSError:
            return False


class PureFtpd(Peer):
    """Pure-FTPd with a user database of its own. It has no read-only accounts: the folder's permissions make one."""

    def _start(self):
        pure_pw = f"{self.programs}/usr/bin/pure-pw"
        accounts, database = self.folder / "accounts", self.folder / "accounts.pdb"
        # pure-pw's own hashes take a second each.
        accounts.write_text(f"{ACCOUNT}:{_hash(PASSWORD)}:{_owner(self.root)}::{self.root}/./::::::::::::\n")
        subprocess.run([pure_pw, "mkdb", database, "-f", accounts], stdout=subprocess.DEVNULL, timeout=SLOW, check=True)
        if not self.writable:
            shutil.chown(self.root, "root", "root")
        self.launch(f"{self.programs}/usr/sbin/pure-ftpd", "--bind", f"127.0.0.1,{self.port}", "--login", f"puredb:{database}",
                    "--noanonymous", "--chrooteveryone", "--dontresolve", "--minuid", "1", "--displaydotfiles", "--syslogfacility", "none",
                    "--maxclientsperip", "100", "--pidfile", self.folder / "pid",
                    *(["--tls", "1", "--certfile", self.pem] if self.secure else []))


class Vsftpd(Peer):
    """vsftpd with a local account, in a mount namespace of its own where PAM and the user database know that account alone."""

    SETTINGS = {
        "background": "NO",
        "listen": "YES",
        "listen_address": "127.0.0.1",
        "anonymous_enable": "NO",
        "local_enable": "YES",
        "chroot_local_user": "YES",
        "allow_writeable_chroot": "YES",
        "seccomp_sandbox": "NO",  # its filter kills LIST on Debian 12
        "delay_failed_login": "0",
        "delay_successful_login": "0",
        "mdtm_write": "YES",
        "ascii_download_enable": "YES",
        "ascii_upload_enable": "YES",
        "async_abor_enable": "YES",
        "xferlog_enable": "NO",
        "force_dot_files": "YES",
        "ls_recurse_enable": "YES",
    }

    def _start(self):
        self._write_etc()
        empty = self.folder / "empty"
        empty.mkdir()
        configuration = self.folder / "vsftpd.conf"
        settings = {**self.SETTINGS, "listen_port": self.port, "local_root": self.root, "secure_chroot_dir": empty,
                    "write_enable": "YES" if self.writable else "NO"}
        if self.secure:
            settings.update({"ssl_enable": "YES", "rsa_cert_file": self.pem, "force_local_logins_ssl": "NO", "force_local_data_ssl": "NO"})
        configuration.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        # unshare(1) makes the namespace private; mount(8) puts the files in place; the last command is the server.
        etc = self.folder / "etc"
        mounts = " && ".join(f"mount --bind {etc}/{name} /etc/{name}" for name in ("passwd", "shadow", "pam.d"))
        self.launch("unshare", "--mount", "--", "sh", "-c", f"{mounts} && exec \"$@\"", "sh",
                    f"{self.programs}/usr/sbin/vsftpd", str(configuration))

    def _write_etc(self):
        etc = self.folder / "etc"
        (etc / "pam.d").mkdir(parents=True)
        (etc / "pam.d" / "vsftpd").write_text("auth required pam_unix.so\naccount required pam_unix.so\nsession required pam_permit.so\n")
        (etc / "passwd").write_text(f"root:x:0:0::/root:/bin/sh\n{USER}:x:65534:65534::/:/usr/sbin/nologin\n"
                                    f"{ACCOUNT}:x:{_owner(self.root)}::{self.root}:/bin/sh\n")
        (etc / "shadow").write_text(f"{ACCOUNT}:{_hash(PASSWORD)}:19000:0:99999:7:::\n")
        (etc / "shadow").chmod(0o600)


PEERS = {"Pure-FTPd": PureFtpd, "vsftpd": Vsftpd}
