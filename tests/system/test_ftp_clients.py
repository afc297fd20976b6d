"""Clients get what is there, whatever its name and size. What every client must be able to do stands in test_ftp_programs.py."""
import ftplib
import hashlib
import os
import random
import subprocess

import pytest

from client import checksums
from ftp_standalone import ACCOUNT, PASSWORD, ftpd  # noqa: F401 (a fixture)

NAMES = ["simple.txt", "con espacios.txt", "ñandú/Σίσυφος.nc", "日本/データ.csv", "&%#'$(x)", "-guion", ".oculto", "a;b=c", "  al borde",
         "profunda/" * 20 + "hoja"]


@pytest.fixture
def tree(ftpd):  # noqa: F811
    for name in NAMES:
        ftpd.put(name, f"contenido de {name}\n")
    ftpd.put("medio.bin", random.Random(1).randbytes(5_000_000))
    ftpd.put("vacío", "")
    return ftpd


def run(*command):
    done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=60)
    assert done.returncode == 0, done.stdout.decode(errors="replace")
    return done.stdout


def lftp(server, script):
    return run("lftp", "-c", f"set ftp:ssl-allow no; set net:max-retries 1; open -u {ACCOUNT},{PASSWORD} "
               f"ftp://127.0.0.1:{server.port}; {script}")


@pytest.mark.parametrize("listing", ["set ftp:use-mlsd yes", "set ftp:use-mlsd no"])
def test_lftp_mirrors_a_tree(tree, tmp_path, listing):
    lftp(tree, f"{listing}; mirror --parallel=4 / {tmp_path}")
    assert checksums(tmp_path) == checksums(tree.root)
    assert len(checksums(tmp_path)) == len(NAMES) + 2


@pytest.mark.parametrize("passive", [["--disable-epsv"], []], ids=["PASV", "EPSV"])
def test_curl_downloads_lists_and_resumes(tree, tmp_path, passive):
    whole = (tree.root / "medio.bin").read_bytes()
    assert run("curl", "-sS", *passive, f"{tree.url}/medio.bin") == whole
    (tmp_path / "part").write_bytes(whole[:777])
    run("curl", "-sS", *passive, "-C", "-", "-o", tmp_path / "part", f"{tree.url}/medio.bin")
    assert (tmp_path / "part").read_bytes() == whole
    assert run("curl", "-sS", *passive, "-r", "100-199", f"{tree.url}/medio.bin") == whole[100:200]
    listed = run("curl", "-sS", *passive, "--list-only", f"{tree.url}/").decode().splitlines()
    assert sorted(listed) == sorted(os.listdir(tree.root))
    assert b"con espacios.txt" in run("curl", "-sS", *passive, f"{tree.url}/")
    assert run("curl", "-sS", *passive, f"{tree.url}/%C3%B1and%C3%BA/%CE%A3%CE%AF%CF%83%CF%85%CF%86%CE%BF%CF%82.nc").decode() \
        == "contenido de ñandú/Σίσυφος.nc\n"


def test_curl_keeps_the_time_of_a_file(tree, tmp_path):
    os.utime(tree.root / "simple.txt", (1_500_000_000, 1_500_000_000))
    run("curl", "-sS", "-R", "-o", tmp_path / "simple.txt", f"{tree.url}/simple.txt")
    assert (tmp_path / "simple.txt").stat().st_mtime == 1_500_000_000


def test_python_gets_every_name(tree):
    with tree.login() as ftp:
        for name in NAMES:
            pieces = []
            ftp.retrbinary(f"RETR {name}", pieces.append)
            assert b"".join(pieces).decode() == f"contenido de {name}\n"


def test_names_that_are_not_utf8_are_served_as_they_are(ftpd):  # noqa: F811
    ftpd.put(b"latin-\xf1-\xff", "latino\n")
    with ftplib.FTP(encoding="latin-1", timeout=20) as latin:
        latin.connect(*ftpd.address)
        latin.login(ACCOUNT, PASSWORD)
        assert latin.nlst() == ["latin-\xf1-\xff"]
        for name in ("latin-\xf1-\xff\xff", "latin-\xf1-\xff"):  # Telnet doubles 255, most clients don't
            pieces = []
            latin.retrbinary(f"RETR {name}", pieces.append)
            assert pieces == [b"latino\n"]


def test_names_with_line_ends_are_not_listed(ftpd):  # noqa: F811
    ftpd.put("normal", "")
    ftpd.put("dos\nlíneas", "")
    ftpd.put("retorno\r", "")
    with ftpd.login() as ftp:
        assert ftp.nlst() == ["normal"]
        assert [name for name, _ in ftp.mlsd()] == ["normal"]


def test_files_over_4_gib(ftpd):  # noqa: F811
    size = 5 * 2**30
    ftpd.put("enorme", "principio", size=size)
    with open(ftpd.root / "enorme", "r+b") as file:
        file.seek(size - 5)
        file.write(b"final")
    with ftpd.login() as ftp:
        ftp.voidcmd("TYPE I")
        assert ftp.size("enorme") == size
        assert dict(ftp.mlsd())["enorme"]["size"] == str(size)
        lines = []
        ftp.dir(lines.append)
        assert f" {size} " in lines[0]
        pieces = []
        ftp.retrbinary("RETR enorme", pieces.append, rest=size - 10)
        assert b"".join(pieces) == b"\0" * 5 + b"final"
    tail = run("curl", "-sS", "-r", f"{size - 5}-", f"{ftpd.url}/enorme")
    assert tail == b"final"


def test_a_whole_file_over_4_gib_arrives(ftpd):  # noqa: F811
    size = 2**32 + 12345
    ftpd.put("enorme", "principio", size=size)
    digest = hashlib.blake2b()
    got = 0
    with ftpd.login() as ftp:
        data = ftp.transfercmd("RETR enorme")
        first = data.recv(9, 0x100)  # MSG_WAITALL
        got += len(first)
        while piece := data.recv(1 << 20):
            got += len(piece)
            digest.update(piece[-1:])
        data.close()
        assert ftp.voidresp().startswith("226")
    assert (first, got) == (b"principio", size)


def test_symbolic_links_lead_within_the_home_only(ftpd):  # noqa: F811
    ftpd.put("set1/real.txt", "datos\n")
    os.symlink("real.txt", ftpd.root / "set1" / "enlace")
    os.symlink("../set1", ftpd.root / "set1" / "vuelta")
    os.symlink("../../outside", ftpd.root / "set1" / "fuera")
    os.symlink("/etc/passwd", ftpd.root / "set1" / "absoluto")
    os.symlink("/proc/self/root/etc/passwd", ftpd.root / "set1" / "mágico")
    with ftpd.talk(login=True) as talk:
        assert talk.get("RETR set1/enlace")[0] == b"datos\n"
        assert talk.get("RETR set1/vuelta/real.txt")[0] == b"datos\n"
        for name in ("fuera", "absoluto", "mágico", "vuelta/../../outside"):
            assert talk.ask(f"RETR set1/{name}").startswith("550")
            assert talk.ask(f"SIZE set1/{name}").startswith("550")
            assert talk.ask(f"MDTM set1/{name}").startswith("550")
            assert talk.ask(f"CWD set1/{name}").startswith("550")
    with ftpd.login() as ftp:
        types = {name: facts["type"] for name, facts in ftp.mlsd("set1")}
        assert types == {"real.txt": "file", "enlace": "file", "vuelta": "OS.unix=symlink", "fuera": "OS.unix=symlink",
                         "absoluto": "OS.unix=symlink", "mágico": "OS.unix=symlink"}


def test_a_folder_of_fifty_thousand_files_is_listed_completely(ftpd):  # noqa: F811
    names = [f"archivo-{number:05d}.nc" for number in range(50_000)]
    folder = ftpd.root / "muchos"
    folder.mkdir()
    fd = os.open(folder, os.O_RDONLY)
    for name in names:
        os.close(os.open(name, os.O_CREAT | os.O_WRONLY, 0o644, dir_fd=fd))
    os.close(fd)
    with ftpd.login() as ftp:
        assert sorted(ftp.nlst("muchos")) == [f"muchos/{name}" for name in names]
        assert sorted(name for name, _ in ftp.mlsd("muchos")) == names
        lines = []
        ftp.dir("muchos", lines.append)
        assert sorted(line.split()[-1] for line in lines) == names
