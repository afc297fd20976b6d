"""Access control on a real system: the sockets, who is an operator on the Unix socket, what installation makes, and sessions over an idle exit."""
import json
import re

import pytest

import client
from machine import wait_until
from people import PASSWORD


@pytest.fixture(scope="module", autouse=True)
def required(machine):
    with machine.settings(TEMPOFTP_AUTH=None, TEMPOFTP_ONETIME_TOKEN_EXPIRE_SECONDS=600, TEMPOFTP_IDLE_SECONDS=2):
        yield
        machine.sqlite("DELETE FROM onetime_tokens; DELETE FROM users")


CALL = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--unix-socket", "/run/tempoftp/api.sock", "http://localhost/tmpftp"]


def status_as(machine, *become):
    return machine.run(["setpriv", *become, "--", *CALL], check=False)


@pytest.fixture(scope="module")
def ana(machine, required):
    """An active user's token; calls over TCP."""
    def tempoftp(*words, input=None):
        return machine.run(["tempoftp", *words], input=input)

    tempoftp("usuarios", "crear", "ana@example.org", "Ana", input=f"{PASSWORD}\n")
    tempoftp("--url", "http://127.0.0.1:9043", "login", "ana@example.org", input=f"{PASSWORD}\n")
    session = json.loads(machine.file("/root/.local/state/tempoftp/session.json").read_text())
    tempoftp("--url", "http://127.0.0.1:9043", "lista")
    yield {"Authorization": f"Bearer {session['token']}"}
    tempoftp("--url", "http://127.0.0.1:9043", "logout")


def test_nobody_on_the_network_can_do_anything(machine, http):
    for method, path in (("GET", "/tmpftp"), ("POST", "/tmpftp"), ("DELETE", "/tmpftp/expired"), ("GET", "/api/usuarios"), ("GET", "/sesiones")):
        assert http(method, path, {} if method == "POST" else None).status == 401
    assert http.get("/").status == 200


def test_the_api_listens_on_all_addresses(machine):
    assert re.search(r"(\*|\[::\]):9043 ", machine.run(["ss", "-Hltn", "sport = :9043"]).stdout)
    machine.run(["ip", "addr", "add", "192.0.2.77/32", "dev", "lo"])
    try:
        for host in ("192.0.2.77", "::1"):
            assert client.tcp_api((host, 9043)).get("/").status == 200
    finally:
        machine.run(["ip", "addr", "del", "192.0.2.77/32", "dev", "lo"])


def test_installation_made_a_key_that_only_root_reads(machine):
    key = machine.file("/etc/tempoftp/jwt.key")
    assert (key.stat().st_mode & 0o7777, key.stat().st_uid) == (0o600, 0) and len(key.read_text().strip()) == 44
    assert key.read_text() != machine.file("/etc/tempoftp/encryption.key").read_text()


def test_operators_on_the_unix_socket_by_their_groups(machine):
    group = machine.run(["getent", "group", "tempoftp-admin"]).stdout.split(":")[2]
    nobody = ["--reuid=65534", "--regid=65534"]
    assert status_as(machine, "--reuid=0", "--regid=65534", "--clear-groups").stdout == "200", "root"
    assert status_as(machine, *nobody, f"--groups={group}").stdout == "200", "by a supplementary group"
    assert status_as(machine, "--reuid=65534", f"--regid={group}", "--clear-groups").stdout == "200", "by the primary group"
    assert status_as(machine, *nobody, f"--groups={','.join(map(str, range(70000, 70200)))},{group}").stdout == "200", "one of many groups"
    assert status_as(machine, *nobody, "--clear-groups").returncode == 7, "others can't connect"


def test_a_widened_socket_makes_nobody_an_operator(machine):
    socket = machine.file(client.API_SOCKET)
    socket.chmod(0o666)
    try:
        for groups in (["--clear-groups"], ["--groups=70000"], [f"--groups={','.join(map(str, range(70000, 70200)))}"]):
            assert status_as(machine, "--reuid=65534", "--regid=65534", *groups).stdout == "401"
    finally:
        socket.chmod(0o660)


def test_sessions_and_one_time_tokens_outlive_an_idle_exit(machine, http, ana):
    token = http.post("/token/create", headers=ana).json
    wait_until(lambda: not machine.processes("tempoftpd"), 60, "the service leaves")
    assert http.get("/tmpftp", headers=ana).status == 200
    assert http.post("/token/validate", token, headers=ana).json == {"message": "Token válido y ahora consumido"}
    assert http.post("/token/validate", token, headers=ana).status == 401


def test_the_journal_says_who_did_what(machine, http, ana):
    assert http.get("/api/usuarios", headers={**ana, "X-Request-ID": "journal-403"}).status == 403
    machine.run(["journalctl", "--sync"])
    shown = machine.run(["journalctl", "-o", "json", "TEMPOFTP_REQUEST_ID=journal-403"]).stdout.splitlines()
    line = json.loads(shown[-1])
    assert line["TEMPOFTP_ACTOR"] == "user:ana@example.org" and line["TEMPOFTP_PEER"] == "127.0.0.1"
    assert line["MESSAGE_ID"] == "d94f1b7c2e6a40538b0c7e13f5a2d864" and "403" in line["MESSAGE"]


def test_no_password_or_token_is_in_the_journal(machine, ana):
    machine.run(["journalctl", "--sync"])
    journal = machine.run(["journalctl", "-o", "export", "-u", "tempoftp"]).stdout
    assert "user:ana@example.org" in journal
    assert PASSWORD not in journal and ana["Authorization"].split()[1] not in journal
