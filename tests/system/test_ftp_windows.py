"""Seed 003 as its page tells it: Windows' ftp.exe against the stand-alone server, `ls`, `get`, `put`, `delete`, `quit`; several at once; nobody gets out of the folder.

ftp.exe itself does not run here: WindowsFtp sends what it sends, byte for byte. Two clients of its family, GNU inetutils' and BSD's, are the real programs.
"""
import concurrent.futures
import os
import re
import shutil
import socket
import subprocess

import pytest

from ftp_standalone import ACCOUNT, PASSWORD, Talk, ftpd  # noqa: F401 (a fixture)

WRITABLE = {"options": ["--write"]}
CLIENTS = 12


class WindowsFtp:
    """ftp.exe: OPTS UTF8 ON before anything, active mode only (PORT before every transfer), no TYPE until `ascii` or `binary`."""

    def __init__(self, address):
        self.talk = Talk(address, timeout=60)
        assert self.talk.greeting.startswith("220")
        assert self.talk.ask("OPTS UTF8 ON").startswith("200")
        assert self.talk.ask(f"USER {ACCOUNT}").startswith("331")
        assert self.talk.ask(f"PASS {PASSWORD}").startswith("230")

    def _transfer(self, command, content=None):
        """Bytes that came (or `content` goes); the replies' codes."""
        host = self.talk.socket.getsockname()[0]
        with socket.socket() as listening:
            listening.settimeout(60)
            listening.bind((host, 0))
            listening.listen(1)
            port = listening.getsockname()[1]
            assert self.talk.ask(f"PORT {host.replace('.', ',')},{port >> 8},{port & 255}").startswith("200")
            first = self.talk.ask(command)
            if first[0] != "1":
                return b"", [first[:3]]
            data, peer = listening.accept()
        assert peer[0] == host
        data.settimeout(60)
        came = b""
        with data:
            if content is None:
                came = b"".join(iter(lambda: data.recv(1 << 16), b""))
            else:
                data.sendall(content)
        return came, [first[:3], self.talk.reply()[:3]]

    def ls(self):
        came, codes = self._transfer("NLST")
        assert codes == ["150", "226"]
        return came.decode().split("\r\n")[:-1]

    def dir(self):
        came, codes = self._transfer("LIST")
        assert codes == ["150", "226"]
        return came.decode().split("\r\n")[:-1]

    def get(self, name):
        return self._transfer(f"RETR {name}")

    def put(self, name, content):
        return self._transfer(f"STOR {name}", content)[1]

    def ask(self, command):
        return self.talk.ask(command)[:3]

    def quit(self):
        assert self.talk.ask("QUIT").startswith("221")
        assert self.talk.reply() == ""
        self.talk.close()


@pytest.mark.parametrize("ftpd", [WRITABLE], indirect=True)
def test_the_page_of_the_seed_step_by_step(ftpd):  # noqa: F811
    ftpd.put("notas.txt", "uno\ndos\n")
    ftpd.put("sub/dentro.txt", "tres\n")
    client = WindowsFtp(ftpd.address)
    assert client.ls() == ["notas.txt", "sub"]
    assert [line.split()[-1] for line in client.dir()] == ["notas.txt", "sub"]
    assert client.get("notas.txt") == (b"uno\ndos\n", ["150", "226"])  # no TYPE was asked for: data are not to be harmed by who forgets `binary`
    assert client.put("archivo.txt", "de Windows\r\ncon eñe\r\n".encode()) == ["150", "226"]
    assert (ftpd.root / "archivo.txt").read_bytes() == "de Windows\r\ncon eñe\r\n".encode()
    picture = os.urandom(100000) + b"\r\n\n\r"
    assert client.put("foto grande.jpg", picture) == ["150", "226"]
    assert client.get("foto grande.jpg") == (picture, ["150", "226"])
    assert client.ask("TYPE I") == "200"  # `binary`
    assert client.get("foto grande.jpg") == (picture, ["150", "226"])
    assert client.ls() == ["archivo.txt", "foto grande.jpg", "notas.txt", "sub"]
    assert client.ask("DELE archivo.txt") == "250"
    assert client.ask("DELE archivo.txt") == "550"
    assert client.ask("CWD sub") == "250"
    assert client.talk.ask("XPWD").startswith('257 "/sub"')  # what its `pwd` sends
    assert client.ls() == ["dentro.txt"]
    assert client.get("nada") == (b"", ["550"])
    client.quit()
    assert sorted(path.name for path in ftpd.root.iterdir()) == ["foto grande.jpg", "notas.txt", "sub"]


def test_without_write_it_reads_only(ftpd):  # noqa: F811
    ftpd.put("notas.txt", "uno\n")
    client = WindowsFtp(ftpd.address)
    assert client.put("archivo.txt", b"x") == ["550"]
    assert client.ask("DELE notas.txt") == "550"
    assert client.get("notas.txt") == (b"uno\n", ["150", "226"])
    client.quit()
    assert [path.name for path in ftpd.root.iterdir()] == ["notas.txt"]


@pytest.mark.parametrize("ftpd", [WRITABLE], indirect=True)
def test_many_clients_work_at_once_and_do_not_mix(ftpd):  # noqa: F811
    ftpd.put("notas.txt", "uno\n" * 10000)

    def work(number):
        content = bytes([number]) * 500000
        client = WindowsFtp(ftpd.address)
        client.ask("TYPE I")
        for _ in range(5):
            assert client.put(f"de-{number}", content) == ["150", "226"]
            assert client.get(f"de-{number}") == (content, ["150", "226"])
            assert client.get("notas.txt")[0] == b"uno\n" * 10000
            assert f"de-{number}" in client.ls()
            assert client.ask(f"DELE de-{number}") == "250"
        client.quit()
        return number

    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        assert sorted(pool.map(work, range(CLIENTS))) == list(range(CLIENTS))
    assert [path.name for path in ftpd.root.iterdir()] == ["notas.txt"]


@pytest.mark.parametrize("ftpd", [WRITABLE], indirect=True)
def test_nobody_gets_out_of_the_folder(ftpd):  # noqa: F811
    """The folder above holds `outside`; a link in the served one leads there."""
    ftpd.put("notas.txt", "uno\n")
    (ftpd.root / "puente").symlink_to(ftpd.folder)
    (ftpd.root / "enlace").symlink_to(ftpd.folder / "outside")
    (ftpd.root / "subido").symlink_to("..")
    client = WindowsFtp(ftpd.address)
    outside = ftpd.folder / "outside"
    around = sorted(ftpd.folder.iterdir())
    tried = [f"{way}/outside" for way in ("..", "../..", "/..", "./..", "puente", "subido", "sub/../..", str(ftpd.folder), "//../..")]
    tried += ["..\\outside", "enlace", "/etc/passwd", "../../../../../../etc/passwd", "....//outside", "%2e%2e/outside", "~/outside", "/proc/self/environ"]
    for path in tried:
        assert client.get(path) == (b"", ["550"]), path
        assert client.ask(f"SIZE {path}") == "550", path
        assert client.ask(f"RNFR {path}") in ("550", "350"), path  # a link itself may be renamed
        assert client.ask(f"RNTO /nada/{path}") in ("550", "503"), path
        assert client._transfer(f"LIST {path}")[0] == b"" or path == "enlace", path
    for path in ("puente/nuevo", "subido/nuevo", "enlace"):
        assert client.put(path, b"x")[0] in ("550", "553"), path
        assert client.ask(f"MKD {path}/carpeta") == "550", path
    assert client.ask("CWD puente") == "550"
    assert client.put("../../nuevo", b"x") == ["150", "226"]  # ".." ends at the folder, as in a root
    assert (ftpd.root / "nuevo").read_bytes() == b"x"
    assert client.ask("DELE ../outside") == "550"
    client.quit()
    assert outside.read_text() == "not for clients\n"
    assert sorted(ftpd.folder.iterdir()) == around


PROGRAMS = [("inetutils-ftp", []), ("tnftp", ["-A"])]


@pytest.mark.parametrize("ftpd", [WRITABLE], indirect=True)
@pytest.mark.parametrize("program, arguments", PROGRAMS, ids=[program for program, _ in PROGRAMS])
def test_its_family_does_the_same_in_active_mode(ftpd, tmp_path, program, arguments):  # noqa: F811
    assert shutil.which(program), f"tools/install-packages installs {program}"
    ftpd.put("notas.txt", "uno\ndos\n")
    ftpd.put("borrar.txt", "x")
    (tmp_path / "archivo.txt").write_text("de aquí\n")
    script = f"open 127.0.0.1 {ftpd.port}\nuser {ACCOUNT} {PASSWORD}\nnlist\nls\nbinary\nget notas.txt\nput archivo.txt\ndelete borrar.txt\nquit\n"
    done = subprocess.run([program, "-n", "-v", "-d", *arguments], input=script, text=True, cwd=tmp_path, capture_output=True, timeout=120,
                          env={**os.environ, "HOME": str(tmp_path)})
    said = done.stdout + done.stderr
    assert re.search(r"---> (PORT|EPRT) ", said) and not re.search(r"---> (PASV|EPSV)", said), said
    assert (tmp_path / "notas.txt").read_text() == "uno\ndos\n"
    assert (ftpd.root / "archivo.txt").read_text() == "de aquí\n"
    assert sorted(path.name for path in ftpd.root.iterdir()) == ["archivo.txt", "notas.txt"]
    assert re.search(r"^notas\.txt\r?$", said, re.M)
    assert "221" in said
