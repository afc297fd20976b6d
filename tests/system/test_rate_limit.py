"""How many requests one caller may submit: what counts, what does not, and that nothing short of the hour's end resets it."""
import time

import pytest

import client
from machine import wait_until

TOO_MANY = {"detail": "Demasiadas solicitudes"}


def refused_after(service, calls):
    """Asserts that `calls` more requests are let through and the next is not; returns that answer."""
    for n in range(calls):
        reply = service.post("/tmpftp", {})  # refused input: quick to make, and it counts
        assert reply.status == 422, f"call {n + 1} of {calls}: {reply}"
    reply = service.post("/tmpftp", {})
    assert (reply.status, reply.json) == (429, TOO_MANY)
    return reply


def test_by_default_ten_requests_an_hour_are_let_through(simulator):
    service = simulator(TEMPOFTP_RATE_LIMIT_POST=None)
    assert [service.submit(f"p{n}").status for n in range(10)] == [200] * 10
    reply = service.submit("p10")
    assert (reply.status, reply.json) == (429, TOO_MANY)
    assert 3590 <= int(reply.headers["Retry-After"]) <= 3600
    assert reply.headers["X-Request-ID"]
    assert service.state_of("p10") == "gone", "a 429 leaves no row"


def test_refused_input_counts(simulator):
    service = simulator(TEMPOFTP_RATE_LIMIT_POST="4/hour")
    assert service.post("/tmpftp", {}).status == 422
    assert service.post("/tmpftp", body=b"x", headers={"Content-Type": "text/plain"}).status == 415
    assert service.submit("-").status == 400
    assert service.submit("pedido").status == 200
    assert service.submit("pedido").status == 429


def test_a_429_does_not_count_and_the_window_opens_with_the_first_call(simulator):
    service = simulator(TEMPOFTP_RATE_LIMIT_POST="3/second")
    opened = time.monotonic()
    refused_after(service, 3)
    while time.monotonic() - opened < 0.8:
        assert service.post("/tmpftp", {}).status == 429
        time.sleep(0.05)
    wait_until(lambda: time.monotonic() - opened > 1.05)
    refused_after(service, 3)  # all three again, whatever was refused meanwhile


def test_retry_after_says_when_the_window_closes(simulator):
    service = simulator(TEMPOFTP_RATE_LIMIT_POST="1/minute")
    assert 55 <= int(refused_after(service, 1).headers["Retry-After"]) <= 60
    service = simulator(TEMPOFTP_RATE_LIMIT_POST="1/day")
    assert 86_395 <= int(refused_after(service, 1).headers["Retry-After"]) <= 86_400


def test_only_submitting_is_limited(simulator):
    service = simulator(TEMPOFTP_RATE_LIMIT_POST="1/hour")
    service.submit("pedido")
    for _ in range(30):
        assert service.get("/tmpftp/pedido").status == 200
        assert service.get("/tmpftp").status == 200
        assert service.post("/tmpftp/pedido/bloquear").status == 200
    assert service.delete("/tmpftp/pedido").status == 200


@pytest.mark.parametrize("way", ["a clean restart", "a kill"])
def test_the_count_survives_a_restart(simulator, way):
    service = simulator(TEMPOFTP_RATE_LIMIT_POST="5/hour")
    refused_after(service, 5)
    if way == "a kill":
        service.restart()  # what was counted since the last clean end may be forgotten by a kill, not more
        service.kill()
        service.start()
    else:
        service.restart()
    assert service.post("/tmpftp", {}).status == 429


def test_other_addresses_have_a_count_of_their_own(simulator):
    service = simulator(TEMPOFTP_RATE_LIMIT_POST="2/hour")
    refused_after(service, 2)
    other = client.Api(lambda timeout: client.http.client.HTTPConnection("127.0.0.1", service.port, timeout=timeout,
                                                                         source_address=("127.0.0.2", 0)))
    refused_after(other, 2)


# ---- the real service -------------------------------------------------------------------------------

def test_operators_on_the_unix_socket_are_free(machine, api):
    with machine.settings(TEMPOFTP_RATE_LIMIT_POST="1/hour"):
        assert [api.post("/tmpftp", {}).status for _ in range(20)] == [422] * 20


def test_the_count_survives_an_idle_exit(machine, http):
    with machine.settings(TEMPOFTP_RATE_LIMIT_POST="3/day", TEMPOFTP_IDLE_SECONDS="1"):
        machine.stop_units("tempoftp.service")
        machine.sqlite("DELETE FROM rates")  # other stories have called from this address today
        refused_after(http, 3)
        wait_until(lambda: not machine.processes("tempoftpd"), 60, "tempoftpd leaves when idle")
        assert http.get("/").status == 200
        wait_until(lambda: not machine.processes("tempoftpd"), 60, "once more, and nobody has submitted anything meanwhile")
        assert http.post("/tmpftp", {}).status == 429
        machine.stop_units("tempoftp.service")
        machine.sqlite("DELETE FROM rates")


def test_the_journal_and_the_audit_trail_name_the_client_behind_a_proxy(machine, http, api, unique):
    id = unique("call")
    with machine.settings(TEMPOFTP_PROXIES="127.0.0.1"):
        assert http.post("/auth/login", {}, headers={"X-Forwarded-For": "8.8.8.8, 198.51.100.77", "X-Request-ID": id}).status == 422
        rows = wait_until(lambda: api.get(f"/api/auditoria?request_id={id}").json["registros"], 30, "the trail is written")
        assert [row["direccion"] for row in rows] == ["198.51.100.77"]
        assert machine.journal(f"TEMPOFTP_REQUEST_ID={id}", "TEMPOFTP_PEER=198.51.100.77")
        assert not machine.journal(f"TEMPOFTP_REQUEST_ID={id}", "TEMPOFTP_PEER=127.0.0.1")
