"""GET /metrics: what Prometheus is told, who may ask, what becomes of counters when the service leaves or is killed, and that being asked keeps nobody awake."""
import re
import socket
import subprocess

import pytest

from conftest import BUILD
from client import tcp_api, unix_api
from machine import wait_until
from people import PASSWORD, World

CALLS = "tempoftp_http_requests_total"


def samples(reply):
    """{name{labels}: value}."""
    assert reply.status == 200 and reply.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8", reply
    return {key: float(value) for key, value in (line.rsplit(" ", 1) for line in reply.text.splitlines() if not line.startswith("#"))}


@pytest.fixture
def world():
    world = World(BUILD, TEMPOFTP_SIM_REMOTE_SIZE_BYTES=1000)
    yield world.start()
    world.remove()


def look(world):
    return samples(world.operator.get("/metrics"))


def calls(page, method, route, code):
    return page.get(f'{CALLS}{{method="{method}",route="{route}",code="{code}"}}', 0)


# ---- what it says ---------------------------------------------------------------------------------------

def some_of_everything(world):
    ana = world.user("ana")
    assert world.post("/auth/login", {"correo": "ana@example.org", "password": "no es ésta"}).status == 401
    assert world.post("/auth/login", {"correo": "nobody@example.org", "password": PASSWORD}).status == 401
    assert world.post("/auth/register", {"nombre": "Eva", "correo": "eva@example.org", "password": PASSWORD}).status == 200
    assert world.post("/auth/login", {"correo": "eva@example.org", "password": PASSWORD}).status == 403
    assert world.get("/tmpftp").status == 401
    assert ana.get("/api/usuarios").status == 403
    assert ana.post("/tmpftp", {}).status == 422
    for id in ("a", "b", "c"):
        assert ana.post("/tmpftp", world.fresh_request(id)).status == 200
    assert world.operator.post("/tmpftp/b/bloquear").status == 200
    assert world.operator.delete("/tmpftp/c").status == 200
    assert ana.get("/tmpftp/a").status == 200
    assert world.get("/nothing/here").status == 404
    return ana


def test_promtool_is_content(world):
    some_of_everything(world)
    page = world.operator.get("/metrics").body
    done = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    bad = subprocess.run(["promtool", "check", "metrics"], input=page.replace(b"# HELP tempoftp_requests Requests", b"# HELP nothing Requests"),
                         capture_output=True, timeout=120)
    assert bad.returncode != 0, "it does look"


def test_it_counts_what_happened(world):
    some_of_everything(world)
    page = look(world)
    for state, n in (("recibido", 0), ("preparando", 0), ("traslado", 0), ("listo", 1), ("bloqueado", 1), ("eliminado", 1), ("error", 0), ("expirado", 0)):
        assert page[f'tempoftp_requests{{state="{state}"}}'] == n, state
    assert page["tempoftp_requests_received_total"] == 3
    assert page['tempoftp_transfers_total{result="listo"}'] == 3 and page['tempoftp_transfers_total{result="error"}'] == 0
    assert page["tempoftp_copied_bytes_total"] == 3000
    for result, n in (("ok", 1), ("wrong", 2), ("inactive", 1), ("busy", 0), ("failed", 0)):
        assert page[f'tempoftp_logins_total{{service="api",result="{result}"}}'] == n, result
    assert calls(page, "POST", "/tmpftp", 200) == 3 and calls(page, "POST", "/tmpftp", 422) == 1
    assert calls(page, "GET", "/tmpftp/{}", 200) == 1 and calls(page, "any", "none", 404) == 1
    for reason, n in (("credentials", 3), ("permission", 2), ("malformed", 1), ("rate", 0), ("busy", 0)):
        assert page[f'tempoftp_refusals_total{{reason="{reason}"}}'] == n, reason
    assert page["tempoftp_data_free_bytes"] == page["tempoftp_data_size_bytes"] == 1e9
    assert page["tempoftp_http_connections"] == 1 and page["tempoftp_audit_unwritten_total"] == 0
    again = look(world)
    assert calls(again, "GET", "/metrics", 200) == calls(page, "GET", "/metrics", 200) + 1


def test_failed_transfers_and_queues(world):
    world.restart(TEMPOFTP_SIM_FORCE="fail", TEMPOFTP_SIM_DELAY_MS=1)
    assert world.operator.post("/tmpftp", world.fresh_request("bad")).status == 202
    wait_until(lambda: look(world)['tempoftp_transfers_total{result="error"}'] == 1, 60)
    world.restart(TEMPOFTP_SIM_FORCE="ok", TEMPOFTP_SIM_DELAY_MS=3600000, TEMPOFTP_MAX_TRASLADOS=2)
    for n in range(5):
        assert world.operator.post("/tmpftp", world.fresh_request(f"r{n}")).status == 202
    page = wait_until(lambda: (page := look(world))["tempoftp_transfers_running"] == 2 and page, 60)
    assert page['tempoftp_queue_length{queue="transfers"}'] == 3 and page["tempoftp_transfers_max"] == 2
    assert page['tempoftp_queue_length{queue="passwords"}'] == page['tempoftp_queue_length{queue="jobs"}'] == 0


def test_histograms_add_up(world):
    some_of_everything(world)
    page = look(world)
    name = "tempoftp_http_request_duration_seconds"
    counts = {key: value for key, value in page.items() if key.startswith(f"{name}_count")}
    assert len(counts) > 5
    for key, count in counts.items():
        labels = key[len(f"{name}_count{{"):-1]
        buckets = [value for other, value in page.items() if other.startswith(f"{name}_bucket{{{labels},le=")]
        assert len(buckets) == 13 and buckets == sorted(buckets) and buckets[-1] == count > 0
        assert page[f"{name}_sum{{{labels}}}"] >= 0
        route = re.fullmatch(r'method="(\w+)",route="([^"]+)"', labels)
        assert count == sum(value for other, value in page.items() if other.startswith(f'{CALLS}{{method="{route[1]}",route="{route[2]}",'))
    assert counts[f'{name}_count{{method="POST",route="/auth/login"}}'] == 4, "of Ana's good one too"


def test_strangers_make_no_labels(world):
    def flood(n):
        for method, path in (("GET", f"/x{n}"), ("GET", f"/tmpftp/id-{n}"), (f"M{n}", "/tmpftp"), ("DELETE", f"/api/usuarios/{n}"), ("GET", f"/tmpftp?{n}=1")):
            world(method, path, headers={"X-Request-ID": f"r{n}", "User-Agent": f"agent {n}", "Host": f"host{n}.example"})
        with socket.create_connection(("127.0.0.1", world.port), timeout=60) as raw:
            raw.sendall(b"nonsense %d\r\n\r\n" % n)
            raw.recv(100)

    flood(0)
    look(world)
    before = look(world)
    for n in range(1, 60):
        flood(n)
    after = look(world)
    assert set(after) == set(before) and len(after) < 1000


def test_what_is_not_written_into_the_trail_is_counted(world):
    for _ in range(100):
        assert world.get("/tmpftp").status == 401
    assert look(world)["tempoftp_audit_unwritten_total"] == 40


# ---- who may --------------------------------------------------------------------------------------------

def test_operators_and_named_addresses_only(world):
    ana, eva = world.user("ana"), world.user("eva", "operador")
    assert [who.get("/metrics").status for who in (world, ana, eva, world.operator)] == [401, 403, 200, 200]
    world.restart(TEMPOFTP_AUTH="off")
    assert [who.get("/metrics").status for who in (world, world.operator)] == [401, 200], "not even then"
    world.restart(TEMPOFTP_AUTH="required", TEMPOFTP_METRICS_FROM="192.0.2.0/24,127.0.0.0/8")
    assert world.get("/metrics").status == 200
    assert world.get("/tmpftp").status == world.get("/api/usuarios").status == 401, "and nothing else"
    world.restart(TEMPOFTP_METRICS_FROM="127.0.0.2,::1")
    assert world.get("/metrics").status == 401


def test_nobody_lends_an_address(world):
    def through(*chain):
        return world.get("/metrics", headers={"X-Forwarded-For": ", ".join(chain)} if chain else {}).status

    world.restart(TEMPOFTP_METRICS_FROM="192.0.2.9")
    assert through("192.0.2.9") == 401, "who is no proxy says nothing about others"
    world.restart(TEMPOFTP_METRICS_FROM="192.0.2.9", TEMPOFTP_PROXIES="127.0.0.1")
    assert [through("192.0.2.9"), through("192.0.2.10"), through("192.0.2.9", "192.0.2.10"), through()] == [200, 401, 401, 401]
    world.restart(TEMPOFTP_METRICS_FROM="127.0.0.1", TEMPOFTP_PROXIES="127.0.0.1")
    assert through("192.0.2.10") == 401, "the proxy's own address is not its clients'"


# ---- counters over ends ---------------------------------------------------------------------------------

LIST = ("GET", "/tmpftp", 401)


def test_counters_go_on_after_a_clean_end(world):
    for _ in range(3):
        world.get("/tmpftp")
    before = look(world)
    for _ in range(3):
        world.restart()
        world.get("/tmpftp")
    after = look(world)
    assert calls(after, *LIST) == calls(before, *LIST) + 3
    assert after["tempoftp_counters_start_time_seconds"] == before["tempoftp_counters_start_time_seconds"]
    assert all(after.get(key, 0) >= value for key, value in before.items() if "_total" in key or "_count" in key)


def test_after_a_kill_they_begin_anew_and_never_a_little_below(world):
    """Prometheus takes any step down for a new beginning at 0: it must be one."""
    for _ in range(9):
        world.get("/tmpftp")
    world.restart()
    seen = calls(look(world), *LIST)
    assert seen == 9
    world.get("/tmpftp")
    world.kill()
    world.start()
    assert calls(look(world), *LIST) == 0
    world.get("/tmpftp")
    world.restart()
    assert calls(look(world), *LIST) == 1


def test_a_kill_before_anybody_looked_loses_only_what_nobody_saw(world):
    for _ in range(5):
        world.get("/tmpftp")
    seen = look(world)
    world.restart()
    world.get("/tmpftp")
    world.kill()
    world.start()
    after = look(world)
    assert calls(after, *LIST) == 5 and after["tempoftp_counters_start_time_seconds"] == seen["tempoftp_counters_start_time_seconds"]


def test_sums_of_the_database_outlast_a_kill(world):
    for id in ("a", "b"):
        assert world.operator.post("/tmpftp", world.fresh_request(id)).status == 200
    world.kill()
    world.start()
    page = look(world)
    assert page["tempoftp_requests_received_total"] == page['tempoftp_transfers_total{result="listo"}'] == page['tempoftp_requests{state="listo"}'] == 2


@pytest.mark.parametrize("kept", ["rubbish", "", "0 1:2", "{layout} 1:zz", "{layout} ffffffff:1", "{layout} 1", "{layout} 1:2x"])
def test_counters_that_make_no_sense_are_none(world, kept):
    world.get("/tmpftp")
    world.stop()
    layout = world.sqlite("SELECT value FROM notes WHERE key = 'metrics'")[0][0].split()[0]
    world.sqlite(f"UPDATE notes SET value = '{kept.format(layout=layout)}' WHERE key = 'metrics'")
    world.start()
    assert calls(look(world), *LIST) == 0


# ---- on a real machine ----------------------------------------------------------------------------------

def test_who_scrapes_all_the_time_keeps_nobody_awake(machine, api):
    """The service leaves between two scrapes, the next one wakes it, and its counters know nothing of it."""
    with machine.settings(TEMPOFTP_IDLE_SECONDS=2, TEMPOFTP_METRICS_FROM="127.0.0.1"):
        http, starts, counts = tcp_api(), set(), []

        def scrape():
            page = samples(http.get("/metrics"))
            starts.add(page["process_start_time_seconds"])
            counts.append(calls(page, "GET", "/metrics", 200))
            return len(starts) >= 3

        wait_until(scrape, 120, "three processes have answered")
        steps = [after - before for before, after in zip(counts, counts[1:])]
        assert set(steps) == {1}, f"each scrape saw the one before: {counts}"
    assert api.get("/metrics").status == 200


def test_the_real_space_and_ftp_logins(machine, api, http):
    before = samples(api.get("/metrics"))
    assert 0 < before["tempoftp_data_free_bytes"] <= before["tempoftp_data_size_bytes"]
    connection = socket.create_connection(("127.0.0.1", 21), timeout=60)
    with connection, connection.makefile("rwb") as ftp:
        ftp.readline()
        for line in (b"USER ftp_nobody_abcd\r\n", b"PASS x\r\n"):
            ftp.write(line)
            ftp.flush()
            reply = ftp.readline()
    assert reply.startswith(b"530")
    wrong = 'tempoftp_logins_total{service="ftp",result="wrong"}'
    assert samples(unix_api(machine).get("/metrics"))[wrong] == before[wrong] + 1
