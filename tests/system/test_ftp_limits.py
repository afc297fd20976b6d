"""What strangers can't do to the FTP server: guess quickly, take all places, steal data connections, reach other files."""
import contextlib
import os
import pathlib
import re
import signal
import socket
import time

import pytest

from ftp_standalone import (ACCOUNT, CONTROL_FD, PASSWORD, FtpServer, Talk, children_of, clients_of, ftpd, has_client, socket_of,  # noqa: F401 (a fixture)
                            zygotes_of)
from machine import wait_until


def test_wrong_passwords_are_answered_late_and_three_times_only(ftpd):  # noqa: F811
    with ftpd.talk() as talk:
        for wait, code in ((1, "530"), (2, "530"), (4, "421")):
            assert talk.ask(f"USER {ACCOUNT}").startswith("331")
            asked = time.monotonic()
            assert talk.ask("PASS wrong").startswith(code)
            assert wait <= time.monotonic() - asked < wait + 1
        assert talk.reply() == ""
    assert ftpd.said().count("refused: password") == 3
    assert "wrong" not in ftpd.said()


def test_unknown_and_known_accounts_get_the_same_answer(ftpd):  # noqa: F811
    with ftpd.talk() as talk:
        known = [talk.ask(f"USER {ACCOUNT}"), talk.ask("PASS wrong")]
    with ftpd.talk() as talk:
        unknown = [talk.ask("USER nadie"), talk.ask("PASS wrong")]
    with ftpd.talk() as talk:
        too_long = [talk.ask("USER " + "x" * 1000), talk.ask("PASS " + "y" * 1000)]
    assert known == unknown == too_long


def test_a_wait_for_one_client_is_no_wait_for_another(ftpd):  # noqa: F811
    with ftpd.talk() as slow:
        slow.ask(f"USER {ACCOUNT}")
        slow.send("PASS wrong\r\n")
        asked = time.monotonic()
        with ftpd.login() as ftp:
            ftp.nlst()
        assert time.monotonic() - asked < 0.8


def test_one_address_gets_64_connections(ftpd):  # noqa: F811
    held = [ftpd.talk() for _ in range(64)]
    try:
        with ftpd.talk() as late:
            assert late.greeting.startswith("421")
            assert late.reply() == ""
        with ftpd.talk(host="::1") as elsewhere:
            assert elsewhere.greeting.startswith("220")
        held.pop().close()
        wait_until(lambda: _greeting(ftpd).startswith("220"), what="the place of one who left")
    finally:
        for talk in held:
            talk.close()
    assert "too many connections from there" in ftpd.said()


def _greeting(server):
    with server.talk() as talk:
        return talk.greeting


def test_endless_lines_and_chatter_before_login_end(ftpd):  # noqa: F811
    with ftpd.talk() as talk:
        talk.send(b"x" * 100_000 + b"\r\n")
        assert talk.reply().startswith("500")
        replies = [talk.ask("NOOP") for _ in range(98)]
        assert all(reply.startswith("200") for reply in replies)
        assert talk.ask("NOOP").startswith("200")
        assert talk.reply().startswith("421")
        assert talk.reply() == ""


def test_a_data_connection_from_elsewhere_is_not_served(ftpd):  # noqa: F811
    ftpd.put("secreto", "para uno solo\n")
    with ftpd.talk(login=True) as talk:
        port = int(talk.ask("EPSV").split("|||")[1].split("|")[0])
        with socket.socket() as stranger, socket.socket() as client:
            stranger.settimeout(5)
            stranger.bind(("127.0.0.9", 0))
            stranger.connect(("127.0.0.1", port))
            client.connect(("127.0.0.1", port))
            assert talk.ask("RETR secreto").startswith("150")
            assert client.makefile("rb").read() == b"para uno solo\n"
            assert talk.reply().startswith("226")
            try:
                assert stranger.recv(100) == b""
            except ConnectionResetError:
                pass
        # and nobody listens there any more
        with socket.socket() as late:
            with pytest.raises(ConnectionRefusedError):
                late.connect(("127.0.0.1", port))


def test_a_client_that_leaves_takes_its_processes_along(ftpd):  # noqa: F811
    ftpd.put("grande", size=1 << 32)
    talk = ftpd.talk(login=True)
    data = talk.data()
    assert talk.ask("RETR grande").startswith("150")
    waiting = ftpd.talk()
    wait_until(lambda: len(ftpd.children()) == 2, what="the pre-login child of the one to end")
    for connection in (talk, data, waiting):
        connection.close()
    wait_until(lambda: ftpd.children() == [], what="all children to end")


def test_children_end_with_the_listener(ftpd):  # noqa: F811
    ftpd.put("grande", size=1 << 32)
    with ftpd.talk(login=True) as idle, ftpd.talk(login=True) as busy, ftpd.talk() as waiting, busy.data() as data:
        assert busy.ask("RETR grande").startswith("150")
        data.recv(1)
        children = ftpd.children() + wait_until(ftpd.waiting, what="children in advance")
        assert len(children) > 3
        ftpd.process.send_signal(signal.SIGKILL)
        ftpd.process.wait()
        assert idle.reply().startswith("421")
        assert busy.reply().startswith("421")
        assert waiting.reply().startswith("421")
        wait_until(lambda: not any(_runs(pid) for pid in children), what="all children to end")


def _runs(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def status(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return dict(re.split(r":\s*", line.rstrip("\n"), maxsplit=1) for line in file)


def test_every_child_is_jailed_and_holds_nothing_of_others(ftpd):  # noqa: F811
    with ftpd.talk(login=True), ftpd.talk(login=True), ftpd.talk():
        wait_until(lambda: len(ftpd.children()) == 3, what="the pre-login children of the two to end")
        for pid in ftpd.children() + wait_until(ftpd.waiting, what="children in advance"):
            facts = status(pid)
            assert facts["Seccomp"] == "2" and facts["NoNewPrivs"] == "1"
            # who waits for a client has yet to lock itself into that client's folder: chroot(2), in a user namespace
            assert facts["CapEff"] == facts["CapPrm"] and facts["CapEff"] in (["0" * 16] if has_client(pid) else ["0" * 16, f"{1 << 18:016x}"])
            assert facts["Uid"].split() == [facts["Uid"].split()[0]] * 4 and facts["Uid"].split()[0] != "0"
            fds = sorted(int(fd) for fd in os.listdir(f"/proc/{pid}/fd"))
            assert fds in ([0, 1, 2, 3], [0, 1, 2, 3, 4], [0, 1, 2, 3, 4, 5])
            assert {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in (0, 1, 2)} == {"/dev/null"}
            # not dumpable: its memory is root's to read, not its user's
            assert os.stat(f"/proc/{pid}/mem").st_uid == 0


@pytest.mark.parametrize("setting, value", [("TEMPOFTP_FTP_TLS", "required"), ("TEMPOFTP_FTP_TLS", "optional"),
                                            ("TEMPOFTP_FTP_PASV_PORTS", "9-1"), ("TEMPOFTP_FTP_PASV_ADDRESS", "example.org")])
def test_settings_it_cannot_serve_stop_the_start_and_are_named(setting, value):
    from conftest import BUILD
    server = FtpServer(BUILD, **{setting: value})
    try:
        server.launch("--user", "a:b", "--listen", "127.0.0.1:0")
        assert server.process.wait(timeout=10) == 78
        assert setting in server.said()
    finally:
        server.stop()


def test_talk_is_served_while_many_others_wait(ftpd):  # noqa: F811
    held = [Talk(ftpd.address) for _ in range(60)]
    try:
        for talk in held:
            talk.send(f"USER {ACCOUNT}\r\nPASS {PASSWORD}\r\nPWD\r\n")
        for talk in held:
            assert [talk.reply()[:3] for _ in range(3)] == ["331", "230", "257"]
    finally:
        for talk in held:
            talk.close()


# ---- limits that an operator sets -----------------------------------------------------------------------

def limits(**settings):
    return pytest.mark.parametrize("ftpd", [{f"TEMPOFTP_FTP_{name}": str(value) for name, value in settings.items()}],
                                   indirect=True, ids=["-".join(settings).lower()])


@limits(MAX_CONNECTIONS=3)
def test_connections_in_all_have_a_limit(ftpd):  # noqa: F811
    with ftpd.talk(), ftpd.talk(login=True), ftpd.talk(host="::1"):
        with ftpd.talk() as late:
            assert late.greeting == "421 Demasiadas conexiones; intente más tarde."
            assert late.reply() == ""
    wait_until(lambda: _greeting(ftpd).startswith("220"), what="a free place")
    assert "Connection from 127.0.0.1 refused: too many connections [" in ftpd.said()


@limits(MAX_PER_ADDRESS=2)
def test_connections_of_one_address_have_a_limit(ftpd):  # noqa: F811
    with ftpd.talk(), ftpd.talk(login=True):
        with ftpd.talk() as late:
            assert late.greeting == "421 Demasiadas conexiones desde su dirección; intente más tarde."
        with ftpd.talk(host="::1", login=True) as elsewhere:
            assert elsewhere.ask("PWD").startswith("257")


@limits(MAX_PER_ACCOUNT=2)
def test_sessions_of_one_account_have_a_limit(ftpd):  # noqa: F811
    with ftpd.talk(login=True) as first, ftpd.talk(login=True), ftpd.talk() as late:
        assert late.ask(f"USER {ACCOUNT}").startswith("331")
        assert late.ask(f"PASS {PASSWORD}") == "421 Demasiadas sesiones de esta cuenta; cierre alguna o intente más tarde."
        assert late.reply() == ""
        assert first.ask("QUIT").startswith("221")
        wait_until(lambda: len(ftpd.children()) == 1, what="the first session to end")
        with ftpd.talk(login=True) as another:
            assert another.ask("PWD").startswith("257")
    assert "refused: too many sessions of that account" in ftpd.said()
    assert "refused: password" not in ftpd.said()


@pytest.mark.parametrize("ftpd", [{"fds": (40, 40)}], indirect=True)
def test_out_of_fds_new_clients_wait_and_nothing_spins(ftpd):  # noqa: F811
    """As many clients as the limit of open files lets in; who is there is served, and who waits is as soon as somebody leaves."""
    def spent():
        fields = pathlib.Path(f"/proc/{ftpd.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    with ftpd.talk(login=True) as kept:
        with contextlib.ExitStack() as crowd:
            for _ in range(40):
                crowd.enter_context(socket.create_connection(ftpd.address, timeout=20))
            wait_until(lambda: "Cannot accept a client, new ones wait" in ftpd.said(), what="the log to say what is missing")
            before = spent()
            for _ in range(20):
                assert kept.ask("NOOP").startswith("200")
                time.sleep(0.1)
            assert spent() - before < 0.5  # of two seconds
        with ftpd.talk(login=True) as late:
            assert late.ask("NOOP").startswith("200")
    assert ftpd.said().count("Cannot accept a client") == 1


@pytest.mark.parametrize("ftpd", [{"fds": (40, 400)}], indirect=True)
def test_it_takes_the_fds_that_it_may_have(ftpd):  # noqa: F811
    """A shell's 1024 would be too few for the 512 clients that it promises to serve."""
    with contextlib.ExitStack() as crowd:
        for _ in range(40):
            assert crowd.enter_context(ftpd.talk()).greeting.startswith("220")


@pytest.mark.parametrize("ftpd", [{"TEMPOFTP_FTP_BAN_AFTER": "1"}], indirect=True)
def test_who_reads_nothing_is_not_waited_for_when_turned_away(ftpd):  # noqa: F811
    """A client who has left no room for a word of the listener's, and comes back to it by REIN: others are served as ever."""
    with ftpd.talk(login=True) as deaf:
        session, = clients_of(ftpd.process.pid, "session")
        with ftpd.talk() as talk:
            assert talk.ask(f"USER {ACCOUNT}").startswith("331")
            assert talk.ask("PASS wrong").startswith("421")  # from here on its address is turned away
        with socket_of(session, CONTROL_FD) as control:
            full_since = time.monotonic()
            while time.monotonic() - full_since < 1:  # the client's kernel takes some more, for a while
                try:
                    control.send(b"x" * 4096, socket.MSG_DONTWAIT)
                    full_since = time.monotonic()
                except BlockingIOError:
                    time.sleep(0.01)
        deaf.send("REIN\r\n")
        wait_until(lambda: "ended: reinitialized" in ftpd.said(), what="its session to end")
        began = time.monotonic()
        with ftpd.talk(host="::1", login=True) as other:
            assert other.ask("NOOP").startswith("200")
        assert time.monotonic() - began < 5


def talk_in_vain(server, clients):
    """A client who finds no process ready for it; it and those before it stay connected as long as `clients`, an ExitStack."""
    while True:
        client = clients.enter_context(socket.create_connection(server.address, timeout=5))
        try:
            assert client.recv(100).startswith(b"220")
        except TimeoutError:
            return client


@contextlib.contextmanager
def no_new_processes(server):
    zygote, = zygotes_of(server.process.pid, "prelogin")
    os.kill(zygote, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(zygote, signal.SIGCONT)


@limits(LOGIN_SECONDS=1)
def test_the_time_to_log_in_begins_when_somebody_listens(ftpd):  # noqa: F811
    """Where processes are scarce clients wait for theirs, and then have as long as others."""
    with contextlib.ExitStack() as clients:
        with no_new_processes(ftpd):
            late = talk_in_vain(ftpd, clients)
            late.settimeout(8)  # longer than it may take to log in
            with pytest.raises(TimeoutError):
                late.recv(100)
        late.settimeout(20)
        with late.makefile("rb") as replies:
            assert [line[:3] for line in replies] == [b"220", b"421"]


def test_who_gets_no_process_is_told_so(ftpd):  # noqa: F811
    with contextlib.ExitStack() as clients:
        with no_new_processes(ftpd):
            late = talk_in_vain(ftpd, clients)
            late.settimeout(60)
            with late.makefile("rb") as replies:
                assert [line[:3] for line in replies] == [b"421"]
            assert "Cannot start a process for a client from 127.0.0.1" in ftpd.said()
        with ftpd.talk(login=True) as talk:
            assert talk.ask("NOOP").startswith("200")


@limits(LOGIN_SECONDS=1)
def test_who_does_not_log_in_is_sent_away(ftpd):  # noqa: F811
    with ftpd.talk(login=True) as quick, ftpd.talk() as slow:
        assert slow.ask("NOOP").startswith("200")
        assert slow.reply() == "421 Tiempo agotado para identificarse."
        assert slow.reply() == ""
        assert quick.ask("PWD").startswith("257")
    wait_until(lambda: "refused: it did not log in in time" in ftpd.said(), what="its line in the journal")


@limits(IDLE_SECONDS=2)
def test_a_session_without_commands_ends(ftpd):  # noqa: F811
    with ftpd.talk(login=True) as talk:
        for _ in range(3):
            time.sleep(1)
            assert talk.ask("NOOP").startswith("200")
        asked = time.monotonic()
        assert talk.reply() == "421 Demasiado tiempo sin actividad; conexión cerrada."
        assert time.monotonic() - asked >= 1.9
        assert talk.reply() == ""
    wait_until(lambda: "ended: idle" in ftpd.said(), what="its line in the journal")


STALLED = "426 La conexión de datos se detuvo demasiado tiempo."


@limits(STALL_SECONDS=1, IDLE_SECONDS=1)
def test_a_transfer_that_stands_still_is_cut(ftpd):  # noqa: F811
    ftpd.put("grande", size=1 << 32)
    with ftpd.talk(login=True) as talk, talk.data() as data:
        assert talk.ask("RETR grande").startswith("150")
        data.recv(1)
        assert talk.reply() == STALLED
        with pytest.raises(ConnectionResetError):  # cut, not ended
            while data.recv(1 << 20):
                pass
    wait_until(lambda: " of /grande from byte 0 in " in ftpd.said(), what="its line in the journal")
    assert ", stalled [" in ftpd.said()


@limits(STALL_SECONDS=1)
def test_a_listing_that_nobody_reads_is_cut(ftpd):  # noqa: F811
    for number in range(20_000):
        ftpd.put(f"muchos/{'x' * 200}{number}")
    with ftpd.talk(login=True) as talk:
        for command in ("LIST muchos", "MLSD muchos", "NLST muchos"):
            with talk.data() as data:
                data.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                assert talk.ask(command).startswith("150")
                assert talk.reply() == STALLED, command
        assert talk.ask("NOOP").startswith("200")


@limits(STALL_SECONDS=1)
def test_a_data_connection_that_never_comes_is_not_waited_for(ftpd):  # noqa: F811
    """Passive: nobody connects. Active: the client's backlog is full, so nobody answers."""
    ftpd.put("a.txt", "x")
    with ftpd.talk(login=True) as talk, socket.socket() as deaf, contextlib.ExitStack() as stack:
        assert talk.ask("EPSV").startswith("229")
        assert talk.ask("RETR a.txt") == "425 No se pudo abrir la conexión de datos."
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        for _ in range(3):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(deaf.getsockname())
        port = deaf.getsockname()[1]
        assert talk.ask(f"PORT 127,0,0,1,{port // 256},{port % 256}").startswith("200")
        assert talk.ask("RETR a.txt") == "425 No se pudo abrir la conexión de datos."
        assert talk.get("RETR a.txt")[0] == b"x"


def refuse_once(server, host="127.0.0.1"):
    """One refused login; returns what was said and after how many seconds."""
    with server.talk(host=host) as talk:
        if not talk.greeting.startswith("220"):
            return talk.greeting, 0
        assert talk.ask("USER nadie").startswith("331")
        asked = time.monotonic()
        return talk.ask("PASS wrong"), time.monotonic() - asked


@limits(BAN_AFTER=4, BAN_SECONDS=14)
def test_an_address_that_guesses_is_turned_away_for_a_while(ftpd):  # noqa: F811
    """New connections are no fresh start: each refusal of the address takes longer than the one before."""
    with ftpd.talk() as early, ftpd.talk(login=True) as inside:
        for wait, code in ((1, "530"), (2, "530"), (4, "530"), (8, "421")):
            said, took = refuse_once(ftpd)
            assert said.startswith(code) and wait - 0.01 <= took < wait + 1  # both clocks count whole milliseconds
        with ftpd.talk() as late:
            assert late.greeting == "421 Demasiados intentos fallidos desde su dirección; intente más tarde."
            assert late.reply() == ""
        assert early.ask(f"USER {ACCOUNT}").startswith("331")  # connected before: no way round it
        assert early.ask(f"PASS {PASSWORD}").startswith("421")
        assert inside.ask("PWD").startswith("257")  # who is in stays in
        with ftpd.talk(host="::1", login=True) as elsewhere:  # and others do not suffer
            assert elsewhere.ask("PWD").startswith("257")
        assert ftpd.said().count("127.0.0.1 is turned away for 14 s: 4 logins were refused") == 1
        wait_until(lambda: _greeting(ftpd).startswith("220"), timeout=30, what="the end of the ban")


@limits(BAN_AFTER=3)
def test_guessing_on_many_connections_at_once_ends_in_a_ban(ftpd):  # noqa: F811
    held = [ftpd.talk() for _ in range(20)]
    try:
        for talk in held:
            talk.send(f"USER {ACCOUNT}\r\nPASS wrong\r\n")
        said = [_last(talk) for talk in held]
        assert said.count("421") >= 18 and set(said) <= {"421", "530"}, said
    finally:
        for talk in held:
            talk.close()
    assert ftpd.said().count("refused: password") <= 20
    assert ftpd.said().count("is turned away") == 1


def _last(talk):
    """The code of the last reply before the server closes, or of the second one."""
    assert talk.reply().startswith("331")
    return talk.reply()[:3]


def test_a_setting_can_be_an_option():
    from conftest import BUILD
    server = FtpServer(BUILD)
    try:
        server.launch("--listen", f"127.0.0.1:{server.port}", "--root", server.root, "--user", f"{ACCOUNT}:{PASSWORD}",
                      "--max-connections", "1")
        wait_until(lambda: "Serving" in server.said(), what="the server to listen")
        with server.talk(), server.talk() as late:
            assert late.greeting.startswith("421")
    finally:
        server.stop()
