"""The simulator, as people try the API out with it: its settings, its restarts, and what a 202 is worth."""
import concurrent.futures
import http.client
import os
import pwd
import random
import signal
import socket
import threading
import time

import cryptography.fernet
import pytest

from machine import wait_until

NO_SPACE = "Espacio insuficiente"


def everything(service):
    """All that a client can read of all requests, passwords included."""
    ids = [row["id"] for row in service.get("/tmpftp?limite=1000").json["solicitudes"]]
    return {id: (service.get(f"/tmpftp/{id}").json, service.get(f"/tmpftp/{id}/eventos").json) for id in ids}


# ---- its settings -----------------------------------------------------------------------------------

def test_what_does_not_fit_is_refused_at_once_and_leaves_no_row(simulator):
    service = simulator(TEMPOFTP_SIM_REMOTE_SIZE_BYTES=1001, TEMPOFTP_SIM_DATA_FREE_BYTES=1000)
    reply = service.submit("pedido")
    assert (reply.status, reply.json["detail"]) == (400, {"id": "pedido", "status": "error", "mensaje": NO_SPACE})
    assert service.sqlite("SELECT count(*) FROM requests") == [["0"]]


def test_what_just_fits_is_accepted_for_ever_since_free_space_is_constant(simulator):
    service = simulator(TEMPOFTP_SIM_REMOTE_SIZE_BYTES=1000, TEMPOFTP_SIM_DATA_FREE_BYTES=1000)
    assert [service.submit(f"p{n}").status for n in range(5)] == [200] * 5


def test_copies_in_flight_reserve_their_space(simulator):
    service = simulator(TEMPOFTP_SIM_REMOTE_SIZE_BYTES=600, TEMPOFTP_SIM_DATA_FREE_BYTES=1000, TEMPOFTP_SIM_DELAY_MS=700)
    assert service.submit("primera").status == 202
    wait_until(lambda: service.state_of("primera") == "traslado")
    assert service.submit("segunda").json["detail"]["mensaje"] == NO_SPACE
    wait_until(lambda: service.state_of("primera") == "listo")
    assert service.submit("segunda").status == 202, "a finished copy reserves nothing"


def test_two_accepted_requests_that_fit_one_at_a_time_end_in_listo_and_error(simulator):
    """Both pass at POST, before either is sized; the second to be sized finds the space taken."""
    service = simulator(TEMPOFTP_SIM_REMOTE_SIZE_BYTES=600, TEMPOFTP_SIM_DATA_FREE_BYTES=1000, TEMPOFTP_SIM_DELAY_MS=300)
    assert [service.submit(f"p{n}").status for n in range(2)] == [202, 202]
    wait_until(lambda: sorted(service.state_of(f"p{n}") for n in range(2)) == ["error", "listo"])
    failed = next(f"p{n}" for n in range(2) if service.state_of(f"p{n}") == "error")
    assert NO_SPACE in service.get(f"/tmpftp/{failed}").json["mensaje"]


def test_sim_force_fail_refuses_at_once_or_fails_later(simulator):
    service = simulator(TEMPOFTP_SIM_FORCE="fail")
    reply = service.submit("pedido")
    assert reply.status == 400 and reply.json["detail"]["status"] == "error" and reply.json["detail"]["mensaje"]
    assert service.sqlite("SELECT count(*) FROM requests") == [["0"]]

    service.restart(TEMPOFTP_SIM_DELAY_MS=20)
    assert service.submit("pedido").status == 202
    wait_until(lambda: service.state_of("pedido") == "error")
    assert service.get("/tmpftp/pedido").json["mensaje"]


def test_sim_delay_ms_paces_every_state(simulator):
    service = simulator(TEMPOFTP_SIM_DELAY_MS=300)
    began = time.monotonic()
    service.submit("pedido")
    seen = []

    def look():
        state = service.state_of("pedido")
        if not seen or seen[-1] != state:
            seen.append(state)
        return state == "listo"

    wait_until(look, 60)
    assert [state for state in seen if state != "recibido"] == ["preparando", "traslado", "listo"]
    assert 0.5 < time.monotonic() - began < 5


def test_the_queue_is_first_come_first_served(simulator):
    service = simulator(TEMPOFTP_SIM_DELAY_MS=30, TEMPOFTP_MAX_TRASLADOS=2)
    ids = [f"p{n}" for n in range(10)]
    for id in ids:
        service.submit(id)
    wait_until(lambda: all(service.state_of(id) == "listo" for id in ids), 30)
    started = service.said().splitlines()
    started = [line.split("[")[1].strip(" ]") for line in started if "recibido → preparando" in line]
    assert started == ids


def test_it_runs_as_an_ordinary_user_and_keeps_its_state_private(simulator):
    service = simulator()
    service.submit("pedido")
    status = open(f"/proc/{service.process.pid}/status", encoding="ascii").read()
    uid = pwd.getpwnam("nobody").pw_uid
    assert f"Uid:\t{uid}\t{uid}\t{uid}\t{uid}" in status
    assert os.stat(service.state_folder).st_mode & 0o777 == 0o700
    for file in service.state_folder.iterdir():
        assert file.stat().st_mode & 0o777 == 0o600, file


def test_nothing_secret_is_logged_or_stored_in_the_clear(simulator):
    service = simulator(TEMPOFTP_LOG_LEVEL="debug")
    service.submit("pedido")
    token = service.get("/tmpftp/pedido").json["password"]
    password = cryptography.fernet.Fernet(service.key).decrypt(token.encode())
    service.stop()
    stored = b"".join(file.read_bytes() for file in service.state_folder.iterdir())
    for place in (service.said().encode(), stored):
        assert password not in place and service.key.encode() not in place
    assert token not in service.said()


# ---- stops and starts -------------------------------------------------------------------------------

@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_sigterm_and_ctrl_c_end_it_cleanly(simulator, sent):
    service = simulator()
    service.submit("pedido")
    assert service.end(sent) == 0
    assert sorted(file.name for file in service.state_folder.iterdir()) == ["state.db"], "no log of SQLite's is left over"


def test_sigterm_is_quick_even_with_copies_under_way_and_connections_open(simulator):
    service = simulator(TEMPOFTP_SIM_DELAY_MS=600_000)
    for n in range(10):
        service.submit(f"p{n}")
    idle = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(20)]
    kept = http.client.HTTPConnection("127.0.0.1", service.port)
    kept.request("GET", "/")
    kept.getresponse().read()
    began = time.monotonic()
    assert service.end(timeout=30) == 0
    assert time.monotonic() - began < 15, "who has connected and not asked is waited for, for five seconds"
    for connection in idle:
        connection.close()


def test_a_restart_keeps_everything(simulator):
    service = simulator()
    for n in range(20):
        service.submit(f"p{n}", usuario=f"u{n % 7}@example.org", vigencia=n + 1)
    service.post("/tmpftp/p3/bloquear", {"razon": "auditoría"})
    service.post("/tmpftp/p4/extender", {"dias": 4})
    service.delete("/tmpftp/p5")
    before = everything(service)
    service.restart()
    assert everything(service) == before
    assert len(before) == 19


def test_a_restart_goes_on_with_what_was_under_way(simulator):
    service = simulator(TEMPOFTP_SIM_DELAY_MS=600_000, TEMPOFTP_MAX_TRASLADOS=2)
    for n in range(5):
        service.submit(f"p{n}")
    wait_until(lambda: [service.state_of(f"p{n}") for n in range(5)] == ["preparando"] * 2 + ["recibido"] * 3)
    lives = service.sqlite("SELECT id, life FROM requests")
    service.restart(TEMPOFTP_SIM_DELAY_MS=5)
    wait_until(lambda: [service.state_of(f"p{n}") for n in range(5)] == ["listo"] * 5)
    assert service.sqlite("SELECT id, life FROM requests") == lives, "same life"


def test_two_on_one_state_folder_is_refused(simulator):
    first = simulator()
    second = simulator(started=False)
    second.state_folder = first.state_folder
    code, said = second.refuses_to_start()
    assert code not in (0, None) and code > 0
    assert "state.db" in said
    assert first.get("/").status == 200


def test_a_port_in_use_is_a_clear_error(simulator):
    first = simulator()
    second = simulator(started=False)
    second.port = first.port
    code, said = second.refuses_to_start()
    assert code > 0 and f"127.0.0.1:{first.port}" in said and "Address already in use" in said


@pytest.mark.parametrize("name, value", [("TEMPOFTP_VIGENCIA_MAX", "muchos"), ("TEMPOFTP_RATE_LIMIT_POST", "10/fortnight"),
                                         ("TEMPOFTP_SIM_FORCE", "perhaps"), ("TEMPOFTP_MAX_TRASLADOS", "0"),
                                         ("TEMPOFTP_FTP_PASV_PORTS", "9-1"), ("TEMPOFTP_SIM_DELAY_MS", "-1"),
                                         ("TEMPOFTP_SIMULACRO", "maybe"), ("TEMPOFTP_AUTH", "sometimes"), ("TEMPOFTP_REGISTRO", "siempre")])
def test_a_wrong_setting_stops_the_start_and_is_named(simulator, name, value):
    service = simulator(started=False, **{name: value})
    code, said = service.refuses_to_start()
    assert code > 0
    assert name in said and value in said


@pytest.mark.parametrize("name", ["SKIP_CHOWN", "DATA_OWNER_USER", "DATA_OWNER_GROUP", "TEMPOFTP_REUSE_PASSWORD"])
def test_an_obsolete_setting_only_warns(simulator, name):
    assert f"{name} is obsolete" in simulator(**{name: "1"}).said()


def test_a_name_that_is_no_setting_only_warns(simulator):
    assert "TEMPOFTP_ORIGENE is no setting" in simulator(TEMPOFTP_ORIGENE="10.0.0.1").said()


def test_without_access_control_it_warns_at_every_start(simulator):
    service = simulator()
    assert "TEMPOFTP_AUTH=off" in service.said()
    service.restart()
    assert "TEMPOFTP_AUTH=off" in service.said()


# ---- what a 202 is worth ----------------------------------------------------------------------------

def test_after_kill_nine_every_accepted_request_is_there(simulator):
    """Killed right after an answer, thirty times: each answer holds, and the database is whole."""
    service = simulator(TEMPOFTP_SIM_DELAY_MS=5)
    accepted = []
    for n in range(30):
        reply = service.submit(f"p{n}", usuario=f"u{n}@example.org")
        service.kill()
        assert reply.status == 202, reply
        accepted.append(f"p{n}")
        service.start()
        assert service.get(f"/tmpftp/p{n}").status in (200, 202)
    assert sorted(row["id"] for row in service.get("/tmpftp?limite=1000").json["solicitudes"]) == sorted(accepted)
    wait_until(lambda: all(service.state_of(id) == "listo" for id in accepted), 60)
    assert service.sqlite("PRAGMA integrity_check") == [["ok"]]


def test_kill_nine_under_a_storm_of_requests_loses_no_answered_one(simulator):
    seed = random.randrange(2 ** 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    service = simulator(TEMPOFTP_SIM_DELAY_MS=2)
    answered, number, lock, over = set(), iter(range(1_000_000)), threading.Lock(), threading.Event()

    def client():
        while not over.is_set():
            with lock:
                id = f"p{next(number)}"
            try:
                if service.submit(id, usuario=f"{id}@example.org").status == 202:
                    answered.add(id)
            except (OSError, http.client.HTTPException):
                time.sleep(0.01)

    with concurrent.futures.ThreadPoolExecutor(8) as clients:
        for _ in range(8):
            clients.submit(client)
        try:
            for _ in range(8):
                time.sleep(chance.uniform(0.05, 0.4))
                service.kill()
                service.start()
            time.sleep(0.3)
        finally:
            over.set()
    service.kill()
    rows = {row[0] for row in service.sqlite("SELECT id FROM requests")}
    assert len(answered) > 50 and answered <= rows, f"lost: {sorted(answered - rows)[:5]}"
