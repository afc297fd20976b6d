"""The history of a request: as a list, and live as text/event-stream that resumes after a lost connection."""
import contextlib
import json
import threading
import time

import pytest

from machine import wait_until

STREAM = {"Accept": "text/event-stream"}
WAY = ["recibido", "preparando", "traslado", "listo"]


@pytest.fixture
def service(simulator):
    return simulator()


def states(service, id):
    return [event["estado"] for event in service.get(f"/tmpftp/{id}/eventos").json["eventos"]]


@contextlib.contextmanager
def soon(call, *arguments):
    """Calls while the `with` is under way, and is answered before it ends."""
    timer = threading.Timer(0.3, call, arguments)
    timer.start()
    try:
        yield
    finally:
        timer.join()


def events(response, until=None):
    """Reads a stream: [{event, id, data}]. To its end, or to an event that until(event) is true of."""
    read, fields = [], {}
    for line in response:
        line = line.decode().rstrip("\n")
        if line.startswith(":"):
            continue
        if line:
            name, _, value = line.partition(": ")
            fields[name] = json.loads(value) if name == "data" else value
        elif fields:
            if "data" in fields:
                read.append(fields)
                if until and until(fields):
                    return read
            fields = {}
    return read


def test_the_list_shows_who_moved_the_request_when_and_for_which_call(service):
    service.post("/tmpftp", service.fresh_request("pedido"), headers={"X-Request-ID": "portal-1"})
    service.post("/tmpftp/pedido/bloquear", {"razon": "auditoría"}, headers={"X-Request-ID": "portal-2"})
    service.post("/tmpftp/pedido/desbloquear")
    service.post("/tmpftp/pedido/extender", {"dias": 2})
    reply = service.get("/tmpftp/pedido/eventos")
    assert reply.status == 200 and list(reply.json) == ["id", "eventos"] and reply.json["id"] == "pedido"
    history = reply.json["eventos"]
    assert all(list(event) == ["n", "momento", "estado", "actor", "mensaje", "request_id"] for event in history)
    assert [event["n"] for event in history] == list(range(1, len(history) + 1))
    moves = [event["estado"] for n, event in enumerate(history) if n == 0 or event["estado"] != history[n - 1]["estado"]]
    assert moves == WAY + ["bloqueado", "listo"]
    assert (history[0]["actor"], history[0]["request_id"]) == ("api:127.0.0.1", "portal-1")
    assert (history[1]["actor"], history[1]["request_id"]) == ("tempoftpd", None)
    blocked = next(event for event in history if event["estado"] == "bloqueado")
    assert blocked["request_id"] == "portal-2" and "auditoría" in blocked["mensaje"]
    assert history[-1]["actor"] == "api:127.0.0.1", "an extension is in the trail, too"


def test_a_stream_brings_each_state_as_it_comes_and_ends_with_the_final_one(simulator):
    service = simulator(TEMPOFTP_SIM_DELAY_MS=200, TEMPOFTP_SIM_FORCE="fail")
    service.submit("pedido")
    with service.open("GET", "/tmpftp/pedido/eventos", headers=STREAM) as response:
        assert (response.status, response.headers["Content-Type"]) == (200, "text/event-stream")
        assert response.headers["X-Request-ID"]
        read = [event for event in events(response) if event["event"] == "estado"]  # comes back: the stream ends
    assert [event["data"]["estado"] for event in read] == ["recibido", "preparando", "traslado", "error"]
    assert [event["id"] for event in read] == ["1", "2", "3", "4"]
    assert [event["data"] for event in read] == service.get("/tmpftp/pedido/eventos").json["eventos"]


def test_a_stream_of_a_ready_request_stays_open_and_tells_of_its_end(service):
    service.submit("pedido")
    with service.open("GET", "/tmpftp/pedido/eventos", headers=STREAM) as response:
        assert [event["data"]["estado"] for event in events(response, lambda e: e["data"]["estado"] == "listo")] == WAY
        with soon(service.post, "/tmpftp/pedido/bloquear"):
            assert [event["data"]["estado"] for event in events(response, lambda e: True)] == ["bloqueado"]
        with soon(service.delete, "/tmpftp/pedido"):
            assert [event["data"]["estado"] for event in events(response)] == ["eliminado"]


@pytest.mark.parametrize("last, wanted", [("0", WAY), ("2", WAY[2:]), ("3", WAY[3:]), ("", WAY), ("x", WAY), ("-1", WAY),
                                          ("99999999999999999999", WAY)])
def test_last_event_id_resumes_after_it(service, last, wanted):
    service.submit("pedido")
    with service.open("GET", "/tmpftp/pedido/eventos", headers={**STREAM, "Last-Event-ID": last}) as response:
        read = events(response, lambda event: event["data"]["estado"] == "listo")
    assert [event["data"]["estado"] for event in read] == wanted


def test_a_stream_that_already_saw_the_final_state_ends_at_once(simulator):
    service = simulator(TEMPOFTP_SIM_DELAY_MS=1, TEMPOFTP_SIM_FORCE="fail")
    service.submit("pedido")
    wait_until(lambda: service.state_of("pedido") == "error")
    last = str(len(service.get("/tmpftp/pedido/eventos").json["eventos"]))
    asked = time.monotonic()
    with service.open("GET", "/tmpftp/pedido/eventos", headers={**STREAM, "Last-Event-ID": last}) as response:
        assert events(response) == []
    assert time.monotonic() - asked < 5


def test_a_stream_survives_a_restart_of_the_service_by_resuming(simulator):
    """What a browser's EventSource does: it comes back with the last id that it saw."""
    service = simulator(TEMPOFTP_SIM_DELAY_MS=400)
    service.submit("pedido")
    with service.open("GET", "/tmpftp/pedido/eventos", headers=STREAM) as response:
        seen = events(response, lambda event: event["event"] == "estado" and event["data"]["estado"] == "preparando")
    service.kill()
    service.start()
    with service.open("GET", "/tmpftp/pedido/eventos", headers={**STREAM, "Last-Event-ID": seen[-1]["id"]}) as response:
        seen += events(response, lambda event: event["event"] == "estado" and event["data"]["estado"] == "listo")
    ids = [int(event["id"]) for event in seen if event["event"] == "estado"]
    assert ids == list(range(1, len(ids) + 1)), "nothing twice, nothing lost"
    assert states(service, "pedido") == [event["data"]["estado"] for event in seen if event["event"] == "estado"]


def test_a_stream_ends_when_the_service_is_stopped(simulator):
    service = simulator(TEMPOFTP_SIM_DELAY_MS=600_000)
    service.submit("pedido")
    with service.open("GET", "/tmpftp/pedido/eventos", headers=STREAM, timeout=30) as response:
        events(response, lambda event: True)
        asked = time.monotonic()
        service.process.terminate()
        response.read()
        assert service.process.wait(timeout=30) == 0
    assert time.monotonic() - asked < 5, "an open stream must not hold up the stop"


def test_many_streams_at_once_all_hear_the_same(simulator):
    service = simulator(TEMPOFTP_SIM_DELAY_MS=300)
    service.submit("pedido")
    heard = [None] * 50

    def listen(n):
        with service.open("GET", "/tmpftp/pedido/eventos", headers=STREAM) as response:
            heard[n] = [event["data"]["estado"] for event in
                        events(response, lambda e: e["event"] == "estado" and e["data"]["estado"] == "listo") if event["event"] == "estado"]

    threads = [threading.Thread(target=listen, args=[n]) for n in range(len(heard))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert heard == [WAY] * len(heard)


def test_a_client_that_goes_away_in_the_middle_of_a_stream_hurts_nobody(simulator):
    service = simulator(TEMPOFTP_SIM_DELAY_MS=100)
    service.submit("pedido")
    for _ in range(20):
        with service.open("GET", "/tmpftp/pedido/eventos", headers=STREAM) as response:
            response.readline()
    wait_until(lambda: service.state_of("pedido") == "listo")
    service.delete("/tmpftp/pedido")
    assert service.get("/").status == 200
    service.stop()


def test_events_of_nobody_are_404_also_as_a_stream(service):
    reply = service.get("/tmpftp/nadie/eventos", headers=STREAM)
    assert (reply.status, reply.json) == (404, {"detail": "Solicitud no encontrada"})
