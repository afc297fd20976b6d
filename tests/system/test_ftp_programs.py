"""Real FTP clients, in plain and over TLS: each downloads a tree and compares it, resumes what was cut, uploads the tree where it can.

A client is a row of PROGRAMS: how it is called for each of these. What is special about one of them stands in test_ftp_clients.py.
"""
import dataclasses
import os
import pathlib
import random
import shutil
import subprocess
import urllib.parse

import pytest

from client import checksums
from conftest import BUILD
from ftp_standalone import ACCOUNT, GROUP, PASSWORD, USER, FtpServer, ftpd, make_certificate  # noqa: F401 (a fixture)
from machine import TESTBED, wait_until

HERE = pathlib.Path(__file__).parent / "ftp_programs"
WHOLE = random.Random(1).randbytes(5_000_000)
CUT = 1_234_567
FILES = {
    "simple.txt": b"hola\n",
    "con espacios.txt": b"dos palabras\n",
    "vacío": b"",
    "medio.bin": WHOLE,
    "a/b/c/hondo.txt": b"hondo\n",
    "a/año nuevo/lunes y martes.txt": b"lunes\n",
    "ñandú/Σίσυφος.txt": "Σίσυφος\n".encode(),
}
FOLDERS = sorted({str(parent) for name in FILES for parent in pathlib.PurePath(name).parents} - {"."})


@dataclasses.dataclass
class Task:
    """What a client is asked for: a server, a local folder, and for TLS the certificate that it has to trust."""
    port: int
    folder: pathlib.Path
    certificate: str = ""
    host: str = "127.0.0.1"

    def url(self, path="", scheme="ftp"):
        return f"{scheme}://{ACCOUNT}:{PASSWORD}@{self.host}:{self.port}/{urllib.parse.quote(path)}"


@dataclasses.dataclass
class Program:
    """tree(task) downloads everything into task.folder; resume(task) completes medio.bin there; upload(task) takes the folder to /subida;
    complete(task) sends what /corte/medio.bin lacks of medio.bin.

    Each returns a command, or a command and what it reads. None: it can't. tls: it speaks FTPS, with a certificate of one's own.
    """
    name: str
    tree: object
    resume: object
    upload: object = None
    complete: object = None
    tls: bool = False
    resume_prints: bool = False  # the missing part, instead of completing the file
    cuts_empty: bool = False     # over TLS it may close the data connection of an empty upload in the middle of the handshake


# ---- curl: one file a URL, options on standard input ----

def curl(task, entries):
    tls = ["--ssl-reqd", "--cacert", task.certificate] if task.certificate else []
    config = "\n".join(f'url = "{task.url(path)}"\n{option} = "{local}"' for path, option, local in entries)
    return ["curl", "-sS", "--fail", "--fail-early", "--create-dirs", "--ftp-create-dirs", *tls, "-K", "-"], config


def curl_tree(task):
    return curl(task, [(name, "output", task.folder / name) for name in FILES])


def curl_resume(task):
    command, config = curl(task, [("medio.bin", "output", task.folder / "medio.bin")])
    return [*command, "-C", "-"], config


def curl_upload(task):
    return curl(task, [(f"subida/{name}", "upload-file", task.folder / name) for name in FILES])


def curl_complete(task):
    command, config = curl(task, [("corte/medio.bin", "upload-file", task.folder / "medio.bin")])
    return [*command, "-C", "-"], config


# ---- lftp ----

def lftp(task, script):
    tls = f"set ftp:ssl-force yes; set ftp:ssl-protect-data yes; set ssl:ca-file {task.certificate}" if task.certificate \
        else "set ftp:ssl-allow no"
    return ["lftp", "-c", f"{tls}; set net:max-retries 1; set cmd:fail-exit yes; open -u {ACCOUNT},{PASSWORD} ftp://{task.host}:{task.port}; {script}"]


# ---- wget: recursion by listings; it can't upload ----

def wget(task, *options, path=""):
    tls = [f"--ca-certificate={task.certificate}"] if task.certificate else []
    return ["wget", "-nv", "-nH", "--tries=1", "--restrict-file-names=nocontrol", *tls, "-P", task.folder, *options,
            task.url(path, "ftps" if task.certificate else "ftp")]


# ---- the line-by-line clients ----

def by_lines(task, lines):
    return "".join(f"{line}\n" for line in [f"open {task.host} {task.port}", f"user {ACCOUNT} {PASSWORD}", "binary", *lines, "quit"])


def lines_tree(task):
    for folder in FOLDERS:
        (task.folder / folder).mkdir(parents=True, exist_ok=True)
    return by_lines(task, [f'get "{name}" "{task.folder / name}"' for name in FILES])


def lines_resume(task):
    return by_lines(task, [f'lcd "{task.folder}"', "reget medio.bin"])


def lines_upload(task):
    return by_lines(task, ["mkdir subida", *[f'mkdir "subida/{folder}"' for folder in FOLDERS],
                           *[f'put "{task.folder / name}" "subida/{name}"' for name in FILES]])


def line_client(name, *command):
    return Program(name, *[lambda task, script=script: (list(command), script(task)) for script in (lines_tree, lines_resume, lines_upload)])


# ---- ncftp (ncftpput -z of 3.2.6 says REST and sends the whole file all the same) ----

def ncftp(task, program, *options):
    return [program, "-V", "-u", ACCOUNT, "-p", PASSWORD, "-P", task.port, *options]


# ---- rclone: it starts files anew; the part from an offset is what it can fetch. Its connections share what they know of TLS sessions, and a session
# of one control connection is not good for another's data: one connection it is. ----

def rclone(task, *arguments):
    hidden = subprocess.run(["rclone", "obscure", "-"], input=PASSWORD, text=True, stdout=subprocess.PIPE, timeout=60, check=True).stdout.strip()
    tls = ",explicit_tls=true,no_check_certificate=true,concurrency=1:" if task.certificate else ":"
    remote = f":ftp,host={task.host},port={task.port},user={ACCOUNT},pass={hidden}{tls}"
    return ["rclone", "--config", "/dev/null", "--retries", "1", "--checkers", "1", "--transfers", "1", "--check-first", *[str(argument).replace("REMOTE:", remote) for argument in arguments]]


# ---- libraries, as programs of ours ----

def library(name, *command):
    def call(verb):
        return lambda task: [*command, task.host, task.port, ACCOUNT, PASSWORD, task.certificate, verb, task.folder]
    return Program(name, call("tree"), call("resume"), call("upload"), call("complete"), tls=True)


PROGRAMS = [
    Program("curl", curl_tree, curl_resume, curl_upload, curl_complete, tls=True),
    Program("lftp mirror", lambda task: lftp(task, f"mirror --parallel=3 / '{task.folder}'"),
            lambda task: lftp(task, f"get -c medio.bin -o '{task.folder}/medio.bin'"),
            lambda task: lftp(task, f"mirror -R '{task.folder}' /subida"),
            lambda task: lftp(task, f"put -c '{task.folder}/medio.bin' -o /corte/medio.bin"), tls=True),
    Program("lftp pget", lambda task: lftp(task, f"mirror --use-pget-n=4 / '{task.folder}'"),
            lambda task: lftp(task, f"pget -n 1 -c medio.bin -o '{task.folder}/medio.bin'"), tls=True),
    Program("wget", lambda task: wget(task, "-r", "-l", "inf"), lambda task: wget(task, "-c", path="medio.bin"), tls=True),
    line_client("tnftp", "tnftp", "-n", "-i", "-p"),
    line_client("tnftp active", "tnftp", "-n", "-i", "-A"),
    line_client("GNU inetutils ftp", "inetutils-ftp", "-n", "-i", "-p"),
    line_client("GNU inetutils ftp active", "inetutils-ftp", "-n", "-i", "-A"),
    Program("ncftp", lambda task: ncftp(task, "ncftpget", "-R", "-T", task.host, task.folder, *[f"/{name.split('/')[0]}" for name in FILES]),
            lambda task: ncftp(task, "ncftpget", "-z", task.host, task.folder, "/medio.bin"),
            lambda task: ncftp(task, "ncftpput", "-R", "-m", task.host, "/subida", *sorted(task.folder.iterdir()))),
    Program("rclone", lambda task: rclone(task, "copy", "REMOTE:", task.folder),
            lambda task: rclone(task, "cat", "--offset", CUT, "REMOTE:medio.bin"),
            lambda task: rclone(task, "copy", task.folder, "REMOTE:subida"), tls=True, resume_prints=True),
    library("Python ftplib", "/usr/bin/python3", HERE / "ftplib_program.py"),
    library("Perl Net::FTP", "perl", HERE / "net-ftp.pl"),
    dataclasses.replace(library("Node basic-ftp", "node", HERE / "basic-ftp.cjs"), cuts_empty=True),
]


def run(call, task):
    """Runs the client and returns what it printed; a client's own idea of success counts as far as it has one."""
    command, script = call if isinstance(call, tuple) else (call, "")
    environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": str(task.folder.parent)}
    if command[0] == "node":
        environment["NODE_PATH"] = basic_ftp()
    done = subprocess.run([str(part) for part in command], input=script.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
                          cwd=task.folder, timeout=120)
    assert done.returncode == 0, (done.stdout[-3000:] + done.stderr[-3000:]).decode(errors="replace")
    return done.stdout


def basic_ftp():
    done = subprocess.run([TESTBED / "basic-ftp"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, timeout=300)
    if done.returncode == 3:
        pytest.skip("the npm registry, where basic-ftp comes from, cannot be reached")
    assert done.returncode == 0
    return done.stdout.strip()


@pytest.fixture(scope="module")
def served():
    """served(secure, writable) is a running server with the tree, shared by the tests; over TLS or not at all."""
    running = {}

    def serve(secure, writable=False):
        if (secure, writable) not in running:
            server = running[secure, writable] = FtpServer(BUILD, options=["--write"] if writable else [])
            for name, content in FILES.items():
                server.put(name, content)
            if secure:
                make_certificate(server.folder)
                server.options = [*server.options, "--tls", "required", "--tls-cert", server.folder / "cert.pem", "--tls-key", server.folder / "key.pem"]
            server.start()
        return running[secure, writable]
    yield serve
    for server in running.values():
        server.stop()


@pytest.fixture
def give(tmp_path):
    """give(server, secure) is a task with an empty local folder."""
    def make(server, secure):
        folder = tmp_path / "local"
        folder.mkdir()
        return Task(server.port, folder, str(server.folder / "cert.pem") if secure else "")
    return make


def each(*, where=lambda program: True):
    rows = [pytest.param(program, secure, id=f"{program.name}, {'TLS' if secure else 'plain'}")
            for program in PROGRAMS for secure in (False, True) if where(program) and (program.tls or not secure)]
    return pytest.mark.parametrize("program, secure", rows)


def make_tree(folder):
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


@each()
def test_a_tree_arrives_whole(served, give, secure, program):
    server = served(secure)
    task = give(server, secure)
    run(program.tree(task), task)
    assert checksums(task.folder) == checksums(server.root)
    assert len(checksums(task.folder)) == len(FILES)


@each()
def test_what_was_cut_is_continued(served, give, secure, program):
    server = served(secure)
    task = give(server, secure)
    (task.folder / "medio.bin").write_bytes(WHOLE[:CUT])
    before = server.said().count(f"from byte {CUT} ")
    printed = run(program.resume(task), task)
    if program.resume_prints:
        with open(task.folder / "medio.bin", "ab") as file:
            file.write(printed)
    assert (task.folder / "medio.bin").read_bytes() == WHOLE
    wait_until(lambda: server.said().count(f"from byte {CUT} ") > before, what="the server to say that it went on from there")


@each(where=lambda program: program.upload)
def test_a_tree_is_uploaded_whole(served, give, secure, program):
    server = served(secure, writable=True)
    task = give(server, secure)
    shutil.rmtree(server.root / "subida", ignore_errors=True)
    make_tree(task.folder)
    for name in [name for name, content in FILES.items() if not content and secure and program.cuts_empty]:
        (task.folder / name).unlink()
    run(program.upload(task), task)
    assert checksums(server.root / "subida") == checksums(task.folder)


@each(where=lambda program: program.complete)
def test_an_upload_that_was_cut_is_continued(served, give, secure, program):
    server = served(secure, writable=True)
    task = give(server, secure)
    (task.folder / "medio.bin").write_bytes(WHOLE)
    server.put("corte/medio.bin", WHOLE[:CUT])
    for path in (server.root / "corte", server.root / "corte" / "medio.bin"):
        shutil.chown(path, USER, GROUP)
    line = f"{len(WHOLE) - CUT} bytes into /corte/medio.bin "
    before = server.said().count(line)
    run(program.complete(task), task)
    assert (server.root / "corte" / "medio.bin").read_bytes() == WHOLE
    wait_until(lambda: server.said().count(line) > before, what="the server to say that it took the rest only")


@pytest.mark.parametrize("ftpd", [{"options": ["--rate", "2000000"]}], ids=["slowly"], indirect=True)
def test_segments_are_fetched_side_by_side(ftpd, give):  # noqa: F811
    ftpd.put("medio.bin", WHOLE)
    task = give(ftpd, False)
    run(lftp(task, "pget -n 4 medio.bin"), task)
    assert (task.folder / "medio.bin").read_bytes() == WHOLE
    for start in (0, 1_250_000, 2_500_000, 3_750_000):
        wait_until(lambda: f"/medio.bin from byte {start} " in ftpd.said(), what=f"the segment from byte {start}")


def test_ncftp_lists(served, tmp_path):
    task = Task(served(False).port, tmp_path)
    listed = run(["ncftpls", "-1", task.url()], task).decode().splitlines()
    assert sorted(listed) == sorted({name.split("/")[0] for name in FILES})
