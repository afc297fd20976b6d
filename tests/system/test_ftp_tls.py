"""Explicit FTPS: what is encrypted, who may resume, what a stranger can't inject or cut, certificates that are renewed."""
import contextlib
import ftplib
import io
import os
import random
import signal
import socket
import ssl
import subprocess
import time

import pytest

from ftp_standalone import ACCOUNT, PASSWORD, Talk, children_of, clients_of, keepers_of, zygotes_of
from ftps import FtpsServer, begin_tls, client_context, make_certificate, key_updates
from machine import wait_until

CONTENT = random.Random(3).randbytes(3_000_001)
VERSIONS = [pytest.param(ssl.TLSVersion.TLSv1_2, id="TLS 1.2"), pytest.param(ssl.TLSVersion.TLSv1_3, id="TLS 1.3")]


@pytest.fixture
def ftps(request):
    """A running FtpsServer; parameters: dictionaries of its arguments."""
    from conftest import BUILD
    server = FtpsServer(BUILD, **getattr(request, "param", {}))
    try:
        server.start()
        server.put("a.bin", CONTENT)
        yield server
    finally:
        server.stop()


def serve(**options):
    return pytest.mark.parametrize("ftps", [options], indirect=True, ids=[" ".join(str(o) for o in options.values()) or "default"])


WRITING = serve(options=["--write"])
REQUIRED = serve(TEMPOFTP_FTP_TLS="required")
ANY_SESSION = serve(options=["--tls-reuse", "off"])


def read_to_end(connection):
    """What still comes, however it ends."""
    got = b""
    try:
        while piece := connection.recv(1 << 20):
            got += piece
    except ConnectionError:
        pass
    return got


def get(ftp, name):
    content = io.BytesIO()
    ftp.retrbinary(f"RETR {name}", content.write)
    return content.getvalue()


# ---- what is offered ----------------------------------------------------------------------------------

@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("ftps", [{"kind": "ecdsa"}, {"kind": "rsa"}], indirect=True, ids=["ECDSA", "RSA"])
def test_a_whole_session_is_encrypted(ftps, version):
    with ftps.login_tls(version=version) as ftp:
        assert ftp.sock.version() == ("TLSv1.2" if version == ssl.TLSVersion.TLSv1_2 else "TLSv1.3")
        assert ftp.nlst() == ["a.bin"]
        assert get(ftp, "a.bin") == CONTENT
        with ftp.transfercmd("RETR a.bin", rest=3_000_000) as data:
            assert data.session_reused and data.recv(10) == CONTENT[-1:]
            assert data.recv(10) == b""  # close_notify: anything else is an exception here
        assert ftp.voidresp().startswith("226")
    wait_until(lambda: "3000001 bytes of /a.bin from byte 0" in ftps.said(), what="the journal to count the file's bytes, not those of TLS")


def test_a_ticket_for_each_data_connection_and_no_more(ftps):
    """Clients use one of TLS 1.3 once: there is always one that is new, and none is made for nothing."""
    given = []  # (the client's port, the ticket)

    def heard(connection, direction, version, content, message, data):
        if direction == "read" and message == ssl._TLSMessageType.NEWSESSION_TICKET:
            given.append((connection.getsockname()[1], data))

    def count():
        return sum(port == own for port, _ in given)

    with ftps.login_tls(version=ssl.TLSVersion.TLSv1_3, heard=heard) as ftp:
        own = ftp.sock.getsockname()[1]
        for command in ("NOOP", "TYPE I", "PASV"):
            ftp.sendcmd(command)
            assert count() == 1, command  # the handshake's is unused
        for n in range(3):
            assert get(ftp, "a.bin") == CONTENT
            assert count() == 2 + n  # for the next one
        with pytest.raises(ftplib.error_perm):
            get(ftp, "b.bin")  # clients may have begun the handshake by now
        for command in ("TYPE I", "EPSV", "TYPE I"):
            ftp.sendcmd(command)
            assert count() == 5, command
        ftp.quit()
        assert count() == 5 and len(set(given)) == len(given)


def test_features_are_told_before_and_after(ftps):
    with Talk(ftps.address) as talk:
        assert {" AUTH TLS", " PBSZ", " PROT"} <= set(talk.ask("FEAT").splitlines())
    with ftps.talk_tls() as talk:
        assert {" AUTH TLS", " PBSZ", " PROT"} <= set(talk.ask("FEAT").splitlines())


@pytest.mark.parametrize("line, code", [("AUTH", "501"), ("AUTH SSL", "504"), ("AUTH KERBEROS_V4", "504"), ("PBSZ 0", "503"), ("PROT P", "503")])
def test_before_tls(ftps, line, code):
    with Talk(ftps.address) as talk:
        assert talk.ask(line)[:3] == code


def test_order_of_pbsz_and_prot(ftps):
    with ftps.talk_tls() as talk:
        assert talk.ask("AUTH TLS").startswith("503")
        assert talk.ask("PROT P").startswith("503")
        assert talk.ask("PBSZ").startswith("501")
        assert talk.ask("PBSZ 0") == "200 PBSZ=0"
        assert talk.ask("PROT S").startswith("536")
        assert talk.ask("PROT X").startswith("504")
        assert talk.ask("PROT P").startswith("200")
        assert talk.ask(f"USER {ACCOUNT}").startswith("331")
        assert talk.ask(f"PASS {PASSWORD}").startswith("230")
        assert talk.ask("AUTH TLS").startswith("503")
        # PROT P of before the login holds
        with talk.data() as data:
            assert talk.ask("RETR a.bin").startswith("150")
            with talk.socket.context.wrap_socket(data, session=talk.socket.session) as secure:
                assert read_to_end(secure) == CONTENT
        assert talk.reply().startswith("226")


def test_plain_sessions_are_served_beside(ftps):
    with ftps.login() as ftp:
        assert get(ftp, "a.bin") == CONTENT


def test_prot_c_sends_data_in_clear(ftps):
    with ftps.login_tls() as ftp:
        ftp.prot_c()
        assert get(ftp, "a.bin") == CONTENT


def test_no_reinitialization_leads_back_to_clear_text(ftps):
    with ftps.talk_tls() as talk:
        assert talk.ask("REIN").startswith("502")
        assert talk.ask(f"USER {ACCOUNT}").startswith("331")
        assert talk.ask(f"PASS {PASSWORD}").startswith("230")
        assert talk.ask("REIN").startswith("502")
        assert talk.ask("PWD").startswith('257 "/"')  # the session goes on, over TLS


def test_old_versions_are_refused(ftps):
    context = client_context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with Talk(ftps.address) as talk:
        assert talk.ask("AUTH TLS").startswith("234")
        with pytest.raises(ssl.SSLError, match="(?i)protocol.version"):
            context.wrap_socket(talk.socket)


# ---- required -----------------------------------------------------------------------------------------

@REQUIRED
def test_required_means_no_password_in_clear(ftps):
    with Talk(ftps.address) as talk:
        assert talk.ask(f"USER {ACCOUNT}").startswith("530") and "TLS" in talk.ask(f"USER {ACCOUNT}")
        assert talk.ask(f"PASS {PASSWORD}").startswith("503")


@REQUIRED
def test_required_means_no_data_in_clear(ftps):
    with ftps.login_tls(protect=False) as ftp:
        with pytest.raises(ftplib.error_perm, match="521"):
            ftp.nlst()
        ftp.voidcmd("PBSZ 0")
        with pytest.raises(ftplib.error_perm, match="534"):
            ftp.voidcmd("PROT C")
        ftp.prot_p()
        assert ftp.nlst() == ["a.bin"]


# ---- nothing gets in from outside ---------------------------------------------------------------------

def test_commands_sent_before_the_handshake_are_never_run(ftps):
    with Talk(ftps.address) as talk:
        talk.send("AUTH TLS\r\nUSER stranger\r\nPASS x\r\n")
        assert talk.reply().startswith("234")
        with pytest.raises((ssl.SSLError, ConnectionError, AssertionError)):
            begin_tls(talk)
            assert talk.ask("NOOP").startswith("200")
    assert "stranger" not in ftps.said()


def test_a_login_begun_in_clear_does_not_go_on_under_tls(ftps):
    with Talk(ftps.address) as talk:
        assert talk.ask(f"USER {ACCOUNT}").startswith("331")
        assert talk.ask("AUTH TLS").startswith("234")
        begin_tls(talk)
        assert talk.ask(f"PASS {PASSWORD}").startswith("503")


def test_what_is_no_tls_ends_the_connection(ftps):
    with Talk(ftps.address) as talk:
        assert talk.ask("AUTH TLS").startswith("234")
        talk.send(b"GET / HTTP/1.0\r\n\r\n" * 10)
        assert len(read_to_end(talk.socket)) < 100  # an alert at most


# ---- who is silent ------------------------------------------------------------------------------------

@serve(TEMPOFTP_FTP_LOGIN_SECONDS="2")
def test_who_does_not_shake_hands_or_log_in_is_sent_away(ftps):
    with Talk(ftps.address) as mute, ftps.talk_tls() as slow:
        assert mute.ask("AUTH TLS").startswith("234")
        assert slow.reply() == "421 Tiempo agotado para identificarse."
        assert slow.reply() == ""
        assert mute.socket.recv(100) == b""  # nothing that it could read
    wait_until(lambda: ftps.said().count("it did not log in in time") == 2, what="both in the journal")
    wait_until(lambda: not relays_of(ftps), what="their relays to end")


@serve(TEMPOFTP_FTP_STALL_SECONDS="1", TEMPOFTP_FTP_IDLE_SECONDS="3")
def test_what_stands_still_under_tls_ends_with_a_clear_word(ftps):
    ftps.put("big.bin", size=1 << 32)
    with contextlib.closing(ftps.login_tls()) as ftp:
        port = int(ftp.sendcmd("EPSV").split("|||")[1].split("|")[0])
        with socket.create_connection(("127.0.0.1", port)):  # and no handshake
            assert ftp.sendcmd("RETR a.bin").startswith("150")
            with pytest.raises(ftplib.error_temp, match="425 No fue posible cifrar la conexión de datos"):
                ftp.voidresp()
        with ftp.transfercmd("RETR big.bin") as data:
            assert data.recv(10)
            with pytest.raises(ftplib.error_temp, match="426 La conexión de datos se detuvo demasiado tiempo"):
                ftp.voidresp()
        with pytest.raises(ftplib.error_temp, match="421 Demasiado tiempo sin actividad"):
            ftp.voidresp()


# ---- whose session is resumed -------------------------------------------------------------------------

@pytest.mark.parametrize("version", VERSIONS)
def test_data_must_resume_the_session(ftps, version):
    with ftps.login_tls(reuse=False, version=version) as ftp:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            ftp.nlst()
        with pytest.raises(ftplib.error_perm, match="522"):
            ftp.voidresp()
        ftp.reuse = True
        assert get(ftp, "a.bin") == CONTENT


@pytest.mark.parametrize("version", VERSIONS)
def test_another_clients_ticket_is_refused(ftps, version):
    with ftps.login_tls(version=version) as other, ftps.login_tls(version=version) as ftp:
        assert other.nlst() == ftp.nlst() == ["a.bin"]
        context = ftp.context = other.context  # OpenSSL's client resumes within one context only
        assert context is other.sock.context
        ftp.session = other.sock.session
        with pytest.raises((ssl.SSLError, ConnectionError)):
            ftp.nlst()
        with pytest.raises(ftplib.error_perm, match="522"):
            ftp.voidresp()


def test_a_plain_data_connection_gets_nothing_where_prot_p_holds(ftps):
    with ftps.login_tls() as ftp:
        ftp._prot_p = False  # only on our side
        with ftp.transfercmd("RETR a.bin") as data:
            data.sendall(b"x" * 100)
            assert len(read_to_end(data)) < 100
        with pytest.raises(ftplib.Error, match="522|425"):
            ftp.voidresp()


@ANY_SESSION
def test_sessions_of_their_own_are_taken_where_reuse_is_off(ftps):
    with ftps.login_tls(reuse=False) as ftp:
        assert get(ftp, "a.bin") == CONTENT
        with ftp.transfercmd("RETR a.bin") as data:
            assert not data.session_reused and read_to_end(data) == CONTENT
        assert ftp.voidresp().startswith("226")
    assert "TEMPOFTP_FTP_TLS_REUSE=off" in ftps.said()


# ---- what is cut is noticed ---------------------------------------------------------------------------

@WRITING
def test_an_upload_is_whole_when_the_client_says_so(ftps):
    with ftps.login_tls() as ftp:
        ftp.storbinary("STOR up", io.BytesIO(CONTENT))
    assert (ftps.root / "up").read_bytes() == CONTENT


@WRITING
def test_an_upload_that_is_cut_is_no_whole_one(ftps):
    with ftps.login_tls() as ftp:
        data = ftp.transfercmd("STOR up")
        data.sendall(CONTENT[:100_000])
        with socket.socket(fileno=data.detach()) as bare:  # a TCP end without close_notify, as anybody on the way can make one
            bare.shutdown(socket.SHUT_WR)
            with pytest.raises(ftplib.error_temp, match="426"):
                ftp.voidresp()
        assert ftp.voidcmd("NOOP").startswith("200")
    wait_until(lambda: "cut" in ftps.said(), what="the journal to call it cut")


def test_the_server_says_where_the_control_connection_ends(ftps):
    with ftps.talk_tls() as talk:
        assert talk.ask("QUIT").startswith("221")
        assert talk.reply() == ""  # close_notify; without it: ssl.SSLEOFError


def test_a_command_that_was_cut_is_not_run(ftps):
    talk = ftps.talk_tls()
    talk.send("USER strang")
    talk.close()
    wait_until(lambda: not relays_of(ftps), what="the relay to end")
    assert "strang" not in ftps.said()


def test_a_cut_download_is_reported_as_cut(ftps):
    ftps.put("big.bin", size=64 << 20)
    with ftps.login_tls() as ftp:
        data = ftp.transfercmd("RETR big.bin")
        assert data.recv(1000)
        ftp.sock.sendall(b"ABOR\r\n")
        with pytest.raises(ftplib.error_temp, match="426"):
            ftp.voidresp()
        with pytest.raises((ssl.SSLError, ConnectionError)):  # no close_notify: the client knows
            while data.recv(1 << 20):
                pass
        assert ftp.voidresp().startswith("226")


# ---- processes ----------------------------------------------------------------------------------------

def processes_below(pid):
    """All of them, with what the kernel calls their seccomp filters."""
    return [p for child in children_of(pid) for p in (child, *processes_below(child))]


def relays_of(server):
    return clients_of(server.process.pid, "relay")


@serve(TEMPOFTP_FTP_LOGIN_SECONDS="2")
def test_messages_of_tls_itself_keep_no_relay_past_the_end(ftps):
    """OpenSSL reads updates of keys for as long as there are any, and a client may send them without end."""
    with Talk(ftps.address) as talk:
        assert talk.ask("AUTH TLS").startswith("234")
        updates = key_updates(talk, 1000)
        relay, = clients_of(ftps.process.pid, "relay")
        os.kill(relay, signal.SIGSTOP)  # so that they all lie there when the time to log in is over
        talk.socket.sendall(updates)
        wait_until(lambda: "did not log in in time" in ftps.said(), what="its time to be over")
        os.kill(relay, signal.SIGCONT)
        with pytest.raises(ConnectionResetError):  # they were not read; otherwise it would be an end as any other
            while talk.socket.recv(1 << 16):
                pass
        wait_until(lambda: not clients_of(ftps.process.pid), what="its relay to end")


def test_a_long_row_of_commands_is_answered_to_its_end(ftps):
    """Commands and replies are each more than the ways between client and session hold: neither waits for the other."""
    count, sent, got = 60_000, 0, 0
    commands = b"NOOP\r\n" * count
    with ftps.login_tls() as ftp:
        connection = ftp.sock
        connection.setblocking(False)

        def some_more():
            nonlocal sent, got
            with contextlib.suppress(ssl.SSLWantWriteError):
                sent += connection.send(commands[sent:sent + 16384]) if sent < len(commands) else 0
            with contextlib.suppress(ssl.SSLWantReadError):
                piece = connection.recv(1 << 16)
                if not piece:
                    raise ConnectionError(f"the server hung up after {got} replies")
                got += piece.count(b"\n")
            return got == count
        wait_until(some_more, 120, interval=0, what="a reply to each command")
        connection.setblocking(True)


def test_a_relay_ends_with_its_session(ftps):
    with ftps.login_tls() as ftp:
        assert len(relays_of(ftps)) == 1
        ftp.quit()
    wait_until(lambda: not relays_of(ftps), what="the relay to end after QUIT")
    ftp = ftps.login_tls()
    wait_until(lambda: len(ftps.children()) == 2, what="the pre-login child to end")
    assert len(relays_of(ftps)) == 1
    ftp.sock.unwrap().close()
    ftp.file.close()
    wait_until(lambda: not relays_of(ftps), what="the relay to end with its client")
    wait_until(lambda: not ftps.children(), what="the session to end too")


def memory_of(pid):
    """Everything a process could read of itself."""
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in maps:
            area, rights = line.split()[:2]
            if rights[0] != "r" or "[v" in line:
                continue
            begin, end = (int(x, 16) for x in area.split("-"))
            mem.seek(begin)
            try:
                yield mem.read(end - begin)
            except OSError:
                pass


def secret_of(key_path):
    """The private number of an ECDSA key, as it is written and as a little-endian machine holds it."""
    text = subprocess.run(["openssl", "ec", "-in", key_path, "-noout", "-text"], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    number = bytes.fromhex(text.split("priv:")[1].split("pub:")[0].replace(":", "").replace("\n", "").replace(" ", ""))[-32:]
    return number, number[::-1]


def test_the_private_key_is_in_the_keeper_and_nowhere_else(ftps):
    forms = secret_of(ftps.key_path)
    with ftps.login_tls() as ftp, ftps.talk_tls() as waiting:
        assert get(ftp, "a.bin") == CONTENT and waiting.ask("NOOP").startswith("200")
        everybody = [ftps.process.pid, *processes_below(ftps.process.pid)]
        assert len(everybody) >= 10  # listener, keeper, 4 zygotes, 2 relays, a pre-login child, a session
        holders = [pid for pid in everybody if any(form in area for area in memory_of(pid) for form in forms)]
        assert len(holders) == 1 and holders[0] in children_of(ftps.process.pid) and holders[0] not in zygotes_of(ftps.process.pid)


# ---- certificates -------------------------------------------------------------------------------------

def shown_certificate(server):
    with server.talk_tls() as talk:
        return ssl.DER_cert_to_PEM_cert(talk.socket.getpeercert(binary_form=True)).split()


def test_a_renewed_certificate_is_shown_and_sessions_go_on(ftps, tmp_path):
    old = shown_certificate(ftps)
    with ftps.login_tls() as ftp:
        data = ftp.transfercmd("RETR a.bin")
        ftps.install(*make_certificate(tmp_path, "renewed"))
        assert shown_certificate(ftps) == ftps.cert_path.read_text().split() != old
        assert "A renewed TLS certificate is in use" in ftps.said()
        assert b"".join(iter(lambda: data.recv(1 << 20), b"")) == CONTENT
        data.close()
        assert ftp.voidresp().startswith("226")
        assert get(ftp, "a.bin") == CONTENT


def test_a_handshake_that_was_begun_ends_well_after_a_renewal(ftps, tmp_path):
    with Talk(ftps.address) as early:
        assert early.ask("AUTH TLS").startswith("234")
        wait_until(lambda: clients_of(ftps.process.pid, "relay"), what="its relay")
        ftps.install(*make_certificate(tmp_path, "renewed"))
        with ftps.talk_tls() as late:
            assert late.ask("NOOP").startswith("200")
        assert "A renewed TLS certificate is in use" in ftps.said()
        begin_tls(early)
        assert early.ask("NOOP").startswith("200")
    wait_until(lambda: len(keepers_of(ftps.process.pid)) == 1, what="the process that kept the old key to end")


def test_without_a_key_handshakes_fail_at_once_and_each_is_said_once(ftps):
    """The keeper was killed and the key is away: the log says so for each client, and the next client after it is back is served."""
    away = ftps.key_path.with_suffix(".away")
    os.rename(ftps.key_path, away)
    keeper, = keepers_of(ftps.process.pid)
    os.kill(keeper, signal.SIGKILL)
    wait_until(lambda: not keepers_of(ftps.process.pid), what="the keeper to be gone")
    for _ in range(3):
        with Talk(ftps.address) as talk:
            assert talk.ask("AUTH TLS").startswith("234")
            with pytest.raises((ssl.SSLError, ConnectionError)):
                begin_tls(talk)
    wait_until(lambda: not clients_of(ftps.process.pid), what="their processes to end")
    assert ftps.said().count("The process that keeps the TLS key has died") == 3
    os.rename(away, ftps.key_path)
    with ftps.talk_tls() as talk:
        assert talk.ask("NOOP").startswith("200")


def test_half_a_renewal_changes_nothing(ftps, tmp_path):
    old, old_key = shown_certificate(ftps), ftps.key_path.read_text()
    certificate, key = make_certificate(tmp_path, "renewed")
    ftps.install(certificate, old_key)
    assert shown_certificate(ftps) == old
    assert "do not belong together" in ftps.said()
    ftps.install(certificate, key)
    assert shown_certificate(ftps) == certificate.split()


def no_file(server):
    server.cert_path.unlink()


def no_key(server):
    server.key_path.unlink()


def others_key(server):
    server.install(server.cert_path.read_text(), make_certificate(server.folder, "other")[1])


def no_pem(server):
    server.key_path.write_text("secret\n")


def unreadable(server):
    os.chown(server.key_path, 0, 0)


@pytest.mark.parametrize("spoil, text", [(no_file, "there is no certificate file"), (no_key, "there is no key file"), (others_key, "do not belong together"),
                                         (no_pem, "holds no private key in PEM form"), (unreadable, "this user may not read the key file")],
                         ids=["no certificate", "no key", "another's key", "no PEM", "not readable"])
def test_files_that_do_not_serve_are_named(spoil, text):
    from conftest import BUILD
    server = FtpsServer(BUILD)
    try:
        spoil(server)
        server.launch("--user", "a:b", "--listen", f"127.0.0.1:{server.port}", "--root", server.root, *server.options)
        assert server.process.wait(timeout=20) == 78
        assert text in server.said() and str(server.cert_path) in server.said() and str(server.key_path) in server.said()
    finally:
        server.stop()


# ---- real clients -------------------------------------------------------------------------------------

def run(*command):
    done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    assert done.returncode == 0, done.stdout.decode(errors="replace")
    return done.stdout


@WRITING
def test_curl(ftps, tmp_path):
    url = f"ftp://{ACCOUNT}:{PASSWORD}@localhost:{ftps.port}"
    secure = ["curl", "-sS4", "--ssl-reqd", "--cacert", ftps.cert_path]
    run(*secure, f"{url}/a.bin", "-o", tmp_path / "a.bin")
    assert (tmp_path / "a.bin").read_bytes() == CONTENT
    run(*secure, "-T", tmp_path / "a.bin", f"{url}/up.bin")
    assert (ftps.root / "up.bin").read_bytes() == CONTENT
    assert b"up.bin" in run(*secure, f"{url}/")


@WRITING
def test_active_mode(ftps):
    """The server opens the connection, and is TLS's server all the same. (Not with curl: its 7.88 forgets TLS on connections that it accepted.)"""
    with ftps.login_tls() as ftp:
        ftp.set_pasv(False)
        assert get(ftp, "a.bin") == CONTENT
        ftp.storbinary("STOR up", io.BytesIO(CONTENT))
    assert (ftps.root / "up").read_bytes() == CONTENT


def test_text_listings_and_hashes(ftps):
    for n in range(3000):
        ftps.put(f"many/{n}", "")
    ftps.put("text", "uno\ndos\n")
    with ftps.login_tls() as ftp:
        lines = []
        ftp.retrlines("RETR text", lines.append)
        assert lines == ["uno", "dos"]
        assert len(ftp.nlst("many")) == len(list(ftp.mlsd("many"))) == 3000
        assert ftp.sendcmd("HASH a.bin").startswith("213")


@serve(options=["--rate", "2000000"])
def test_rates_hold_under_tls(ftps):
    with ftps.login_tls() as ftp:
        began = time.monotonic()
        assert get(ftp, "a.bin") == CONTENT
        assert time.monotonic() - began > 1.2  # 3 MB at 2 MB/s, the first slice at once
    assert "over TLS" in ftps.said()


@WRITING
def test_lftp(ftps, tmp_path):
    script = (f"set ftp:ssl-force yes; set ftp:ssl-protect-data yes; set ssl:ca-file {ftps.cert_path}; set net:max-retries 1; "
              f"open -u {ACCOUNT},{PASSWORD} ftp://localhost:{ftps.port}; ")
    for n in range(5):
        ftps.put(f"tree/{n}", CONTENT[:1000 * n])
    run("lftp", "-c", script + f"mirror --parallel=2 / {tmp_path}/got; mirror -R {tmp_path}/got/tree /up")
    assert (tmp_path / "got" / "a.bin").read_bytes() == CONTENT
    assert all((ftps.root / "up" / str(n)).read_bytes() == CONTENT[:1000 * n] for n in range(5))
