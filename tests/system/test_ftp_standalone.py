"""tempoftp-ftpd as an ordinary user starts it: without systemd, with accounts and a folder of its own (seed 003)."""
import contextlib
import ftplib
import io
import os
import pathlib
import pty
import re
import shutil
import signal
import socket
import ssl
import subprocess
import termios

import pytest

from ftp_standalone import ACCOUNT, GROUP, PASSWORD, USER, FtpServer, children_of, ftpd  # noqa: F401 (a fixture)
from machine import wait_until

# "12345", made with a cost that nobody may impose on the listener: 64 MiB, 4 passes.
DEAR_HASH = "$argon2id$v=19$m=65536,t=4,p=1$8bgc+I8dWairlMe7M7XZiQ$K9teiAPqEdtCzNMDJ8B8Ug2IMIphA8Xms9kB8l466mI"


@pytest.fixture
def server():
    """A server that is not running yet."""
    from conftest import BUILD
    server = FtpServer(BUILD)
    try:
        yield server
    finally:
        server.stop()


def hash_of(server, password):
    answer = subprocess.run([server.program, "--hash-password"], input=password + "\n", text=True, capture_output=True, check=True)
    return answer.stdout.strip()


def write_users(server, *lines):
    path = server.folder / "users"
    path.write_text("\n".join(lines) + "\n")
    path.chmod(0o600)
    os.chown(path, server.folder.stat().st_uid, server.folder.stat().st_gid)
    return path


def start_with_users(server, *lines, options=()):
    path = write_users(server, *lines)
    server.launch("--listen", f"127.0.0.1:{server.port}", "--root", server.root, "--users-file", path, *options)
    wait_until(lambda: "Serving" in server.said() or server.process.poll() is not None, what="the FTP server to listen")
    return path


def logs_in(server, user, password):
    try:
        server.login(user=user, password=password).close()
    except ftplib.error_perm:
        return False
    return True


# ---- how it starts, and how it says that it doesn't ----

@pytest.mark.parametrize("arguments, code, text", [
    ([], 78, "no built-in password. Type for example:"),
    (["--listen", "127.0.0.1:0"], 78, "--user user:12345"),
    (["--write"], 78, "--user user:12345"),
    (["--user", "nopassword"], 78, "expected NAME:PASSWORD"),
    (["--user", "a:"], 78, "expected NAME:PASSWORD"),
    (["--user", ":b"], 78, "expected NAME:PASSWORD"),
    (["--user", "a:b", "--user", "a:c"], 78, "number 2: this name was given before"),
    (["--user", "a:b", "--root", "/nowhere"], 1, "Cannot serve /nowhere: there is no such folder: mkdir it"),
    (["--user", "a:b", "--root", "/etc/passwd"], 1, "Cannot serve /etc/passwd: that is no folder"),
    (["--user", "a:b", "--root", "/root"], 1, "Cannot serve /root: this user may not read and enter it: chmod it"),
    (["--user", "a:b", "--root", "/etc", "--write"], 1, "Cannot write in /etc, but --write was given: chmod it"),
    (["--user", "a:b", "--listen", "nonsense"], 78, "Cannot listen on nonsense: expected ADDRESS:PORT"),
    (["--user", "a:b", "--listen", "203.0.113.1:2121"], 1, "Cannot listen on 203.0.113.1:2121: this machine has no such address"),
    (["--user", "a:b", "--pasv-ports", "9-1"], 78, "--pasv-ports: TEMPOFTP_FTP_PASV_PORTS: '9-1' is not allowed"),
    (["--user", "a:b", "--pasv-address", "example.org"], 78, "--pasv-address: TEMPOFTP_FTP_PASV_ADDRESS"),
    (["--user", "a:b", "--rate", "fast"], 78, "--rate: TEMPOFTP_FTP_RATE"),
    (["--user", "a:b", "--users-file", "missing"], 1, "Cannot read the users file missing"),
    (["--user", "a:b", "--users-file", "/dev/null"], 78, "no ordinary file"),
    (["--user", "a:b"] * 65, 64, "at most 64 times --user"),
    (["--listen", "127.0.0.1:0"] * 9, 64, "at most 8 times --listen"),
    (["--user"], 64, "requires an argument"),
    (["--pasv-ports", ""], 64, "--pasv-ports needs a value"),
    (["--nonsense"], 64, "nonsense"),
    (["word"], 64, "unexpected argument"),
], ids=lambda value: " ".join(value[:4]) if isinstance(value, list) else None)
def test_what_keeps_it_from_starting_is_said_with_what_to_do(server, arguments, code, text):
    server.launch(*arguments)
    assert server.process.wait(timeout=20) == code
    assert text in server.said()
    assert "nopassword" not in server.said()


def test_it_does_not_run_as_root(server):
    server.launch("--user", "a:bbbbb", user=None)
    assert server.process.wait(timeout=20) == 78
    assert "never runs as root: start it as an ordinary user" in server.said()


def test_a_port_in_use_is_named_with_another_one_to_take(server):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        server.launch("--user", "a:b", "--listen", f"127.0.0.1:{port}")
        assert server.process.wait(timeout=20) == 1
        assert f"Cannot listen on 127.0.0.1:{port}: another program has that port; choose another one" in server.said()


def test_with_a_user_and_nothing_else_it_is_what_the_page_of_the_seed_says(server):
    """127.0.0.1:2121 and ./ftp_server_files, which it makes: in a network of its own, where that port is free."""
    with open(server.folder / "log", "wb") as log:
        server.process = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec setpriv --reuid "$0" --regid "$1" --clear-groups "$2" --user user:12345',
             USER, GROUP, server.program], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=server.folder, env={"PATH": os.environ["PATH"]})
    wait_until(lambda: "Serving" in server.said() or server.process.poll() is not None, what="the FTP server to listen")
    assert "Listening on 127.0.0.1:2121" in server.said()
    folder = server.folder / "ftp_server_files"
    assert folder.is_dir() and folder.owner() == USER
    (folder / "hola.txt").write_text("hola\n")

    def curl(*arguments):
        return subprocess.run(["nsenter", "-t", str(server.process.pid), "-n", "curl", "-sS", "--max-time", "20", *arguments],
                              capture_output=True, text=True)

    assert curl("ftp://user:12345@127.0.0.1:2121/hola.txt").stdout == "hola\n"
    assert "530" in curl("ftp://user:54321@127.0.0.1:2121/hola.txt").stderr


def test_help_names_every_option_and_the_manual_page_too(server):
    said = subprocess.run([server.program, "--help"], capture_output=True, text=True, check=True).stdout
    options = set(re.findall(r"^  --([a-z-]+)", said, re.M))
    assert {"user", "users-file", "hash-password", "write", "listen", "root", "pasv-ports", "pasv-address", "help"} <= options
    assert max(len(line) for line in said.splitlines()) <= 120
    page = (pathlib.Path(__file__).parents[2] / "man" / "tempoftp-ftpd.8").read_text().replace("\\-", "-")
    assert not [option for option in options if f"--{option}" not in page]
    assert "-h" not in subprocess.run([server.program, "-h"], capture_output=True, text=True, check=True).stderr


def test_options_are_stronger_than_the_environment_and_that_than_a_file(server):
    (server.folder / "env").write_text("TEMPOFTP_FTP_PASV_ADDRESS=203.0.113.1\nTEMPOFTP_FTP_PASV_PORTS=29020-29021\nTEMPOFTP_FTP_MAX_PER_ADDRESS=1\n")
    server.settings = {"TEMPOFTP_FTP_PASV_ADDRESS": "203.0.113.2", "TEMPOFTP_FTP_PASV_PORTS": "29022-29023"}
    server.options = ["--env-file", server.folder / "env", "--pasv-ports", "29024-29024"]
    server.start()
    with server.talk(login=True) as talk:
        assert "(203,0,113,2,113,96)" in talk.ask("PASV")  # 113 * 256 + 96 is 29024
        assert server.talk().greeting.startswith("421")


# ---- accounts ----

INSTALLED_CHILD = "/usr/libexec/tempoftp/tempoftp-ftp-child"


def programs_of(server):
    programs = set()
    for pid in server.children():
        with contextlib.suppress(FileNotFoundError):  # it has just ended
            programs.add(os.path.basename(os.readlink(f"/proc/{pid}/exe")))
    return programs


@pytest.mark.parametrize("form", ["both programs", "one program", "with TLS"])
def test_who_serves_clients(server, form):
    """A small program of its own where there is no TLS; tempoftp-ftpd does its work where that is missing (a build with sanitizers has none)."""
    if form == "one program":
        server.child_program.unlink(missing_ok=True)
    small = "tempoftp-ftp-child" if server.child_program.exists() or os.path.exists(INSTALLED_CHILD) else "tempoftp-ftpd"
    server.launch("--listen", f"127.0.0.1:{server.port}", "--root", server.root, "--user", f"{ACCOUNT}:{PASSWORD}",
                  *(make_certificate(server.folder) if form == "with TLS" else []))
    wait_until(lambda: "Serving" in server.said(), what="the FTP server to listen")
    with server.talk(), server.talk(login=True):
        wait_until(lambda: programs_of(server) == {small, "tempoftp-ftpd" if form == "with TLS" else small}, what="who it is")


def make_certificate(folder):
    """Options that name a certificate in that folder."""
    files = {"--tls-key": folder / "ftp.key", "--tls-cert": folder / "ftp.crt"}
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-keyout", files["--tls-key"], "-out", files["--tls-cert"]], check=True, capture_output=True)
    for file in files.values():
        shutil.chown(file, USER, GROUP)
    return [word for option in files.items() for word in option]


@pytest.mark.parametrize("form", ["two words", "one word", "with TLS"])
def test_passwords_leave_no_trace_in_the_process_list(server, form):
    given = ["--user=ana:s3creto-uno"] if form == "one word" else ["--user", "ana:s3creto-uno"]
    if form == "with TLS":
        given += make_certificate(server.folder)
    server.launch("--listen", f"127.0.0.1:{server.port}", "--root", server.root, *given, "--user", "ben:s3creto-dos")
    wait_until(lambda: "Serving" in server.said(), what="the FTP server to listen")
    assert "--user is for trials" in server.said()
    with server.talk():
        for pid in [server.process.pid, *children_of(server.process.pid), *server.children()]:
            arguments = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
            assert b"tempoftp-ftpd" in arguments
            assert b"s3creto" not in arguments and b"ana" not in arguments
    assert "s3creto" not in server.said()
    assert logs_in(server, "ana", "s3creto-uno") and logs_in(server, "ben", "s3creto-dos")
    assert not logs_in(server, "ana", "s3creto-dos")


def test_a_users_file_lets_in_those_it_names_with_their_rights(server):
    start_with_users(server, "# three", "ana:" + hash_of(server, "uno"), "ben:" + hash_of(server, "d:o s") + ":rw",
                     "caro:" + hash_of(server, "tres") + ":rw:1000", options=["--user", f"{ACCOUNT}:{PASSWORD}"])
    assert "4 accounts, some read-write" in server.said()
    for user, password, result in (("ana", "uno", True), ("ben", "d:o s", True), ("caro", "tres", True), (ACCOUNT, PASSWORD, True),
                                   ("ana", "tres", False), ("dora", "uno", False), ("ANA", "uno", False)):
        assert logs_in(server, user, password) is result


def test_rights_in_the_users_file_are_what_sessions_may_do(server):
    start_with_users(server, "ana:" + hash_of(server, "uno"), "ben:" + hash_of(server, "dos") + ":rw",
                     "caro:" + hash_of(server, "tres") + ":rw:1000", options=["--user", f"{ACCOUNT}:{PASSWORD}"])

    def send(user, password):
        with server.login(user=user, password=password) as ftp:
            try:
                ftp.storbinary(f"STOR de-{user}", io.BytesIO(b"x" * 900))
            except ftplib.error_perm as error:
                return str(error)[:3]
        return "stored"

    assert send("ana", "uno") == "550"
    assert send(ACCOUNT, PASSWORD) == "550"
    assert send("caro", "tres") == "stored"
    assert send("ben", "dos") == "stored"
    (server.root / "de-caro").unlink()
    assert send("caro", "tres") == "552"  # the folder is everybody's: what others put there counts
    assert sorted(path.name for path in server.root.iterdir() if path.stat().st_size == 900) == ["de-ben"]


@pytest.mark.parametrize("line, text", [
    ("ana:12345", "line 2: the second field is no Argon2id hash"),
    (f"ana:{DEAR_HASH}", "line 2: this hash is too dear, 65536 KiB × 4 passes; at most 4096. Make one with --hash-password"),
    ("ana", "line 2: expected NAME:HASH"),
    ("HASH:xx", "line 2: the third field is 'ro' or 'rw'"),
    ("HASH:rw:10G", "line 2: the fourth field is a number of bytes"),
    (f"{ACCOUNT}HASH", "line 2: this name was given before"),
    ("x" * 5000, "line 2: the line is too long"),
], ids=["clear text", "dear hash", "no hash", "rights", "quota", "name given twice", "long line"])
def test_a_fault_in_the_users_file_is_named_with_its_line(server, line, text):
    good = hash_of(server, "x")
    line = f"{ACCOUNT}:{good}" if line == f"{ACCOUNT}HASH" else line.replace("HASH", f"ana:{good}")
    start_with_users(server, "# accounts", line, options=["--user", f"{ACCOUNT}:{PASSWORD}"])
    assert server.process.wait(timeout=20) == 78
    assert f"{server.folder}/users, {text}" in server.said()
    assert "12345" not in server.said() and "$argon2id" not in server.said()


def test_a_users_file_that_names_nobody_or_is_huge_is_refused(server):
    start_with_users(server, "# nobody")
    assert server.process.wait(timeout=20) == 78
    assert "names no account" in server.said()
    start_with_users(server, *["#" * 1000] * 600)
    assert server.process.wait(timeout=20) != 0
    assert "larger than 512 KiB" in server.said()


def test_a_users_file_in_the_served_folder_is_refused(server):
    path = server.root / "users"
    path.write_text("ana:" + hash_of(server, "uno") + "\n")
    path.chmod(0o644)
    server.launch("--listen", f"127.0.0.1:{server.port}", "--root", server.root, "--users-file", path)
    assert server.process.wait(timeout=20) == 78
    assert "lies in the folder that is served, where clients could read it" in server.said()


def test_a_tls_key_in_the_served_folder_is_refused(server):
    server.launch("--listen", f"127.0.0.1:{server.port}", "--root", server.root, "--user", "a:b", *make_certificate(server.root))
    assert server.process.wait(timeout=20) == 78
    assert f"--tls-key {server.root}/ftp.key lies in the folder that is served" in server.said()


def test_a_tls_key_in_the_served_folder_is_refused_wherever_it_was_named(server):
    _, key, _, certificate = map(str, make_certificate(server.root))
    server.settings = {"TEMPOFTP_FTP_TLS": "optional", "TEMPOFTP_FTP_TLS_CERT": certificate, "TEMPOFTP_FTP_TLS_KEY": key}
    server.launch("--listen", f"127.0.0.1:{server.port}", "--root", server.root, "--user", "a:b")
    assert server.process.wait(timeout=20) == 78
    assert f"TEMPOFTP_FTP_TLS_KEY {server.root}/ftp.key lies in the folder that is served" in server.said()


def test_a_child_program_of_another_build_is_named_at_the_start(server):
    """As in the middle of an upgrade: not when the first client comes."""
    if not server.child_program.exists():
        pytest.skip("this build has none")
    program = server.child_program.read_bytes()
    version = subprocess.run([server.program, "--version"], stdout=subprocess.PIPE, check=True).stdout.split()[1]
    assert program.count(version) == 1
    server.child_program.write_bytes(program.replace(version, b"?" * len(version)))
    server.launch("--listen", f"127.0.0.1:{server.port}", "--root", server.root, "--user", "a:b")
    assert server.process.wait(timeout=20) == 1
    assert f"{server.child_program} does not answer as it should: it must be of the same build" in server.said()


def test_a_users_file_that_others_may_read_is_warned_of(server):
    path = write_users(server, "ana:" + hash_of(server, "uno"))
    path.chmod(0o644)
    server.launch("--listen", f"127.0.0.1:{server.port}", "--root", server.root, "--users-file", path)
    wait_until(lambda: "Serving" in server.said(), what="the FTP server to listen")
    assert f"chmod 600 {path}" in server.said()


def test_write_says_nothing_about_accounts_of_a_file(server):
    start_with_users(server, "ana:" + hash_of(server, "uno"), options=["--write"])
    assert "--write is about --user, and there is none" in server.said()
    assert "1 account, read-only" in server.said()


def test_sighup_reads_the_users_again_and_drops_nobody(server):
    path = start_with_users(server, "ana:" + hash_of(server, "uno"))
    with server.login(user="ana", password="uno") as ftp:
        write_users(server, "ben:" + hash_of(server, "dos"), "caro:" + hash_of(server, "tres"))
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: f"Read {path} again: 2 accounts" in server.said(), what="the accounts to be read again")
        assert ftp.pwd() == "/"
        assert logs_in(server, "ben", "dos") and not logs_in(server, "ana", "uno")
        write_users(server, "dora:" + hash_of(server, "cuatro"), "nonsense")
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "The accounts stay as they were" in server.said(), what="the fault to be named")
        assert f"{path}, line 2: expected NAME:HASH" in server.said()
        assert logs_in(server, "caro", "tres") and not logs_in(server, "dora", "cuatro")
        assert ftp.pwd() == "/"


def test_hash_password_reads_one_line_and_prints_one(server):
    first, second = hash_of(server, "12345"), hash_of(server, "12345")
    assert re.fullmatch(r"\$argon2id\$v=19\$m=512,t=1,p=1\$[\w+/]+\$[\w+/]+", first)
    assert first != second
    for wrong in ("", "\n", "x" * 257 + "\n", "a\0b\n", "a\rb\n"):
        answer = subprocess.run([server.program, "--hash-password"], input=wrong.encode(), capture_output=True)
        assert answer.returncode == 78
        assert answer.stdout == b""
        assert b"A password is one line of 1 to 256 bytes" in answer.stderr


class Terminal:
    """--hash-password on a terminal of its own."""

    def __init__(self, server):
        self.master, self.slave = pty.openpty()
        self.process = subprocess.Popen([server.program, "--hash-password"], stdin=self.slave, stdout=self.slave, stderr=self.slave)
        self.seen = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)

    def echoes(self):
        return bool(termios.tcgetattr(self.slave)[3] & termios.ECHO)

    def expect(self, text):
        while text not in self.seen:
            self.seen += os.read(self.master, 1000).decode()

    def answer(self, question, line):
        self.expect(question)
        assert not self.echoes()
        os.write(self.master, line.encode() + b"\n")


def test_hash_password_asks_twice_without_echo(server):
    with Terminal(server) as terminal:
        terminal.answer("Password: ", "s3creto")
        terminal.answer("The same again: ", "s3creto")
        terminal.expect("$argon2id$")
        assert terminal.process.wait(timeout=20) == 0
        assert terminal.echoes() and "s3creto" not in terminal.seen and "512 KiB" in terminal.seen
    with Terminal(server) as terminal:
        terminal.answer("Password: ", "s3creto")
        terminal.answer("The same again: ", "otra")
        terminal.expect("two different passwords")
        assert terminal.process.wait(timeout=20) == 1
        assert terminal.echoes() and "$argon2id" not in terminal.seen


def test_echo_comes_back_when_hash_password_is_interrupted(server):
    with Terminal(server) as terminal:
        terminal.expect("Password: ")
        assert not terminal.echoes()
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.process.wait(timeout=20) != 0
        assert terminal.echoes()


# ---- how it ends ----

@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=["Ctrl-C", "SIGTERM", "terminal closed"])
def test_it_ends_cleanly_says_so_and_takes_leave_of_its_clients(ftpd, how):  # noqa: F811
    ftpd.put("grande", size=1 << 32)
    with ftpd.talk() as waiting, ftpd.talk(login=True) as idle, ftpd.talk(login=True) as busy, busy.data() as data:
        assert busy.ask("RETR grande").startswith("150")
        data.recv(1000)
        wait_until(lambda: len(ftpd.children()) == 3, what="the pre-login children of the two to end")
        children = ftpd.children()
        for pid in [*children, ftpd.process.pid] if how != signal.SIGTERM else [ftpd.process.pid]:
            os.kill(pid, how)  # a terminal tells all of them
        assert ftpd.process.wait(timeout=20) == 0
        assert waiting.reply().startswith("421") and waiting.reply() == ""
        assert idle.reply().startswith("421") and idle.reply() == ""
        assert busy.reply().startswith("421") and busy.reply() == ""
        with pytest.raises(ConnectionResetError):  # a cut file must not look like a whole one
            while data.recv(1 << 20):
                pass
    assert ftpd.said().endswith("Ended\n")
    assert ftpd.said().count("ended: listener stopped") == 2
    wait_until(lambda: not [pid for pid in children if pathlib.Path(f"/proc/{pid}").exists()], what="all children to end")


def test_who_waits_for_the_answer_to_a_password_is_told_too(ftpd):  # noqa: F811
    """A refusal is held back for a second; the server ends meanwhile."""
    with ftpd.talk() as talk:
        assert talk.ask(f"USER {ACCOUNT}").startswith("331")
        talk.send("PASS wrong\r\n")
        wait_until(lambda: "refused: password" in ftpd.said(), what="the password to be refused")
        ftpd.process.terminate()
        assert ftpd.process.wait(timeout=20) == 0
        assert talk.reply().startswith("421") and talk.reply() == ""


def test_clients_with_tls_are_told_too(server):
    server.options = make_certificate(server.folder)
    server.start()
    context = ssl.create_default_context(cafile=server.folder / "ftp.crt")
    with ftplib.FTP_TLS(context=context, timeout=20) as waiting, ftplib.FTP_TLS(context=context, timeout=20) as idle:
        for client in (waiting, idle):
            client.connect("localhost", server.port)
            client.auth()
        idle.login(ACCOUNT, PASSWORD)
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(timeout=20) == 0
        for client in (waiting, idle):
            with pytest.raises(ftplib.error_temp, match="421 El servidor se detiene"):
                client.getresp()
    assert server.said().endswith("Ended\n")


def test_its_port_is_free_at_once_for_the_next_start(server):
    for _ in range(3):
        server.launch("--user", f"{ACCOUNT}:{PASSWORD}", "--root", server.root, "--listen", f"127.0.0.1:{server.port}")
        wait_until(lambda: "Serving" in server.said(), what="the FTP server to listen")
        with server.login() as ftp:
            assert ftp.nlst() == []
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(timeout=20) == 0
