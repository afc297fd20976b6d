"""Python's ftplib as a program: ftplib_program.py HOST PORT USER PASSWORD CERTIFICATE|"" tree|resume|upload|complete FOLDER"""
import ftplib
import os
import ssl
import sys


class ResumingFtpTls(ftplib.FTP_TLS):
    """ftplib opens data connections with new TLS sessions; servers that want to know who comes ask for the control connection's."""

    def ntransfercmd(self, cmd, rest=None):
        connection, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        if self._prot_p:
            connection = self.context.wrap_socket(connection, server_hostname=self.host, session=self.sock.session)
        return connection, size


def tree(ftp, folder, remote="/"):
    os.makedirs(folder, exist_ok=True)
    ftp.cwd(remote)
    for name, facts in list(ftp.mlsd()):
        if facts["type"] == "dir":
            tree(ftp, os.path.join(folder, name), f"{remote.rstrip('/')}/{name}")
            ftp.cwd(remote)
        elif facts["type"] == "file":
            with open(os.path.join(folder, name), "wb") as file:
                ftp.retrbinary(f"RETR {name}", file.write)


def resume(ftp, folder):
    with open(os.path.join(folder, "medio.bin"), "ab") as file:
        ftp.retrbinary("RETR medio.bin", file.write, rest=file.tell())


def upload(ftp, folder, remote="/subida"):
    ftp.mkd(remote)
    for entry in os.scandir(folder):
        if entry.is_dir():
            upload(ftp, entry.path, f"{remote}/{entry.name}")
        else:
            with open(entry.path, "rb") as file:
                ftp.storbinary(f"STOR {remote}/{entry.name}", file)


def complete(ftp, folder):
    """What the server lacks of a file."""
    ftp.voidcmd("TYPE I")
    with open(os.path.join(folder, "medio.bin"), "rb") as file:
        file.seek(ftp.size("corte/medio.bin"))
        ftp.storbinary("STOR corte/medio.bin", file, rest=file.tell())


def main(host, port, user, password, certificate, verb, folder):
    if certificate:
        ftp = ResumingFtpTls(context=ssl.create_default_context(cafile=certificate), timeout=60, encoding="utf-8")
    else:
        ftp = ftplib.FTP(timeout=60, encoding="utf-8")
    with ftp:
        ftp.connect(host, int(port))
        ftp.login(user, password)
        if certificate:
            ftp.prot_p()
        {"tree": tree, "resume": resume, "upload": upload, "complete": complete}[verb](ftp, folder)


main(*sys.argv[1:])
