"""What real FTP clients get of a delivery, through the jail as it is in service: any name, any size, any number, resumed where it was cut."""
import os
import subprocess

import pytest

from client import FTP_ADDRESS, checksums, decrypt, fetch
from ftp_service import delivered, end_sessions, list_sessions, opened  # noqa: F401 (fixtures)
from machine import wait_until

HOST = f"{FTP_ADDRESS[0]}:{FTP_ADDRESS[1]}"
NAMES = ["simple.txt", "con espacios.txt", "ñandú/Σίσυφος.nc", "日本/データ.csv", "n\u0303 descompuesta", "🛰 órbita.txt", "&%#'$(x)", "-guion",
         ".oculto", "a;b=c", "  al borde", "comillas \"dobles\".txt", "100%25", "a+b=c~d@e", "x" * 255, "profunda/" * 20 + "hoja"]
SIZE = 5 * 2**30
TAIL = b"final de un archivo grande"


@pytest.fixture
def curl(machine, tmp_path):
    """curl(answer, path, *options) starts curl on a file of the delivery; returns the Popen. The password is in a file, as in a .netrc."""
    def start(answer, path, *options):
        config = tmp_path / "curlrc"
        config.write_text(f'user = "{answer["ftpuser"]}:{decrypt(machine, answer["password"])}"\n')
        url = f"ftp://{HOST}/{answer['id']}/{path}"
        return subprocess.Popen(["curl", "-sS", "-K", str(config), *map(str, options), url], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return start


@pytest.fixture
def lftp(machine, tmp_path):
    """lftp(answer, script) starts lftp logged in to the account; returns the Popen."""
    def start(answer, script):
        commands = tmp_path / "lftp.commands"
        commands.write_text(f"set ftp:ssl-allow no\nset net:reconnect-interval-base 1\nset net:timeout 60\n"
                            f"open -u {answer['ftpuser']},{decrypt(machine, answer['password'])} ftp://{HOST}\n{script}\n")
        return subprocess.Popen(["lftp", "-f", str(commands)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return start


def finish(process, code=0):
    out, errors = process.communicate(timeout=300)
    assert process.returncode == code, (out, errors)
    return out


def wait_for_part(path, size):
    wait_until(lambda: path.exists() and path.stat().st_size >= size, 120, what=f"{size} bytes of {path.name}")


# ---- names --------------------------------------------------------------------------------------------

@pytest.mark.parametrize("listing", ["MLSD", "LIST"])
def test_lftp_mirrors_every_name(machine, source, delivered, lftp, tmp_path, listing):  # noqa: F811
    answer = delivered(files={name: f"contenido de {name[:40]}\n" for name in NAMES})
    finish(lftp(answer, f"set ftp:use-mlsd {'yes' if listing == 'MLSD' else 'no'}\nmirror --parallel=4 /{answer['id']} {tmp_path}/copy"))
    assert checksums(tmp_path / "copy") == checksums(machine.file(f"/srv/{source.made[0]}"))
    assert len(checksums(tmp_path / "copy")) == len(NAMES)


def test_python_and_curl_get_every_name(delivered, opened, curl):  # noqa: F811
    answer = delivered(files={name: f"contenido de {name[:40]}\n" for name in NAMES})
    ftp = opened(answer)
    assert "UTF8" in ftp.sendcmd("FEAT")
    assert sorted(ftp.nlst(answer["id"])) == sorted({f"{answer['id']}/{name.split('/')[0]}" for name in NAMES})
    for name in NAMES:
        expected = f"contenido de {name[:40]}\n".encode()
        assert fetch(ftp, f"/{answer['id']}/{name}") == expected
        quoted = "".join(chr(byte) if chr(byte).isalnum() and byte < 128 or byte == ord("/") else f"%{byte:02X}" for byte in name.encode())
        assert finish(curl(answer, quoted)) == expected


# ---- resume -------------------------------------------------------------------------------------------

def test_curl_resumes_a_download_that_the_server_cut(machine, delivered, curl, tmp_path):  # noqa: F811
    answer = delivered(files={"datos.bin": 24 << 20})
    part = tmp_path / "datos.bin"
    slow = curl(answer, "datos.bin", "--limit-rate", "4M", "-o", part)
    wait_for_part(part, 1 << 20)
    session, = list_sessions(machine, answer["ftpuser"])
    machine.run(["kill", "-KILL", str(session["pid"])])
    _, errors = slow.communicate(timeout=120)
    assert slow.returncode in (18, 56), errors  # "partial file", "failure in receiving": never taken for a whole one
    assert part.stat().st_size < 24 << 20

    finish(curl(answer, "datos.bin", "-C", "-", "-o", part))
    whole = checksums(machine.file(f"/data/{answer['ftpuser']}/{answer['id']}"))
    assert checksums(tmp_path)["datos.bin"] == whole["datos.bin"]


def test_lftp_goes_on_by_itself_when_its_session_is_ended(machine, delivered, lftp, tmp_path):  # noqa: F811
    answer = delivered(files={"datos.bin": 24 << 20})
    part = tmp_path / "datos.bin"
    running = lftp(answer, f"set net:limit-rate 4M\nget -c /{answer['id']}/datos.bin -o {part}")
    wait_for_part(part, 1 << 20)
    assert end_sessions(machine, answer["ftpuser"]) == 1
    finish(running)
    assert checksums(tmp_path)["datos.bin"] == checksums(machine.file(f"/data/{answer['ftpuser']}/{answer['id']}"))["datos.bin"]
    wait_until(lambda: machine.journal(f"TEMPOFTP_ID={answer['id']}", "-u", "tempoftp-ftp").count("datos.bin from byte") == 2, 60)


def test_lftp_resumes_what_an_earlier_lftp_left(machine, delivered, lftp, tmp_path):  # noqa: F811
    answer = delivered(files={"datos.bin": 24 << 20})
    part = tmp_path / "datos.bin"
    killed = lftp(answer, f"set net:limit-rate 4M\nget /{answer['id']}/datos.bin -o {part}")
    wait_for_part(part, 1 << 20)
    killed.kill()
    killed.communicate()
    left = part.stat().st_size
    assert 0 < left < 24 << 20
    finish(lftp(answer, f"get -c /{answer['id']}/datos.bin -o {part}"))
    assert checksums(tmp_path)["datos.bin"] == checksums(machine.file(f"/data/{answer['ftpuser']}/{answer['id']}"))["datos.bin"]
    wait_until(lambda: f"datos.bin from byte {left} in" in machine.journal(f"TEMPOFTP_ID={answer['id']}", "-u", "tempoftp-ftp"), 60)


# ---- sizes --------------------------------------------------------------------------------------------

@pytest.fixture
def huge(machine, delivered):  # noqa: F811
    """The answer of a delivery with a sparse file of 5 GiB in it, put beside what rsync brought: /data would have to hold all its zeros."""
    answer = delivered(files={"a.txt": "hola\n"})
    path = f"/data/{answer['ftpuser']}/{answer['id']}/enorme.nc"
    with open(machine.file(path), "wb") as file:
        file.truncate(SIZE)
        file.seek(SIZE - len(TAIL))
        file.write(TAIL)
    machine.run(["chown", "tempoftp-transfer:2001", path])
    machine.run(["chmod", "0640", path])
    return answer


def test_a_file_over_4_gib_is_seen_and_fetched_from_its_end(huge, opened, curl):  # noqa: F811
    ftp, path = opened(huge), f"/{huge['id']}/enorme.nc"
    ftp.voidcmd("TYPE I")
    assert ftp.size(path) == SIZE
    assert dict(ftp.mlsd(huge["id"]))["enorme.nc"]["size"] == str(SIZE)
    lines = []
    ftp.dir(huge["id"], lines.append)
    assert [line for line in lines if line.split()[4] == str(SIZE) and line.endswith(" enorme.nc")]
    pieces = []
    ftp.retrbinary(f"RETR {path}", pieces.append, rest=SIZE - len(TAIL) - 3)
    assert b"".join(pieces) == b"\0\0\0" + TAIL
    pieces.clear()
    ftp.retrbinary(f"RETR {path}", pieces.append, rest=SIZE)
    assert pieces == []
    assert finish(curl(huge, "enorme.nc", "-r", f"{SIZE - len(TAIL)}-")) == TAIL
    assert finish(curl(huge, "enorme.nc", "-r", f"{2**32}-{2**32 + 9}")) == b"\0" * 10


def test_lftp_and_curl_resume_past_4_gib(machine, huge, lftp, curl, tmp_path):  # noqa: F811
    for name, resume in (("lftp", lambda part: lftp(huge, f"get -c /{huge['id']}/enorme.nc -o {part}")),
                         ("curl", lambda part: curl(huge, "enorme.nc", "-C", "-", "-o", part))):
        part = tmp_path / name
        part.touch()
        os.truncate(part, SIZE - 1_000_000)
        finish(resume(part))
        assert part.stat().st_size == SIZE
        with open(part, "rb") as file:
            file.seek(SIZE - len(TAIL))
            assert file.read() == TAIL
        part.unlink()
    wait_until(lambda: machine.journal(f"TEMPOFTP_ID={huge['id']}", "-u", "tempoftp-ftp").count(f": 1000000 bytes of /{huge['id']}/enorme.nc "
                                                                                             f"from byte {SIZE - 1_000_000} in") == 2, 60)


# ---- numbers ------------------------------------------------------------------------------------------

def test_long_listings_come_whole_from_inside_the_jail(delivered, opened):  # noqa: F811
    """400 names are sorted (glibc's qsort asks the kernel how much memory there is), 20,000 are more than a session keeps in memory."""
    several = [f"serie de mediciones número {number:03d} - {'ñ' * 30}.nc" for number in range(400)]
    many = [f"archivo-{number:05d}-{'nombre-largo-' * 12}.nc" for number in range(20_000)]
    answer = delivered(files={**{f"varios/{name}": "" for name in several}, **{f"muchos/{name}": "" for name in many}})
    ftp = opened(answer)
    for folder, names, listed in (("varios", several, list), ("muchos", many, sorted)):
        path, lines = f"/{answer['id']}/{folder}", []
        ftp.cwd(path)
        assert listed(ftp.nlst()) == names
        assert listed(name for name, _ in ftp.mlsd()) == names
        ftp.dir(lines.append)
        assert listed(line.split(maxsplit=8)[8] for line in lines) == names
    assert sorted(ftp.nlst("archivo-1999?-*")) == many[-10:]


def test_lftp_mirrors_thousands_of_files_over_eight_connections(machine, source, delivered, lftp, tmp_path):  # noqa: F811
    answer = delivered(files={f"día {n % 40:02d}/medición {n:05d}.nc": 2000 + n for n in range(4000)})
    finish(lftp(answer, f"mirror --parallel=8 /{answer['id']} {tmp_path}/copy"))
    got = checksums(tmp_path / "copy")
    assert len(got) == 4000
    assert got == checksums(machine.file(f"/srv/{source.made[0]}"))
