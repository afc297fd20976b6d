"""The machine reboots in the middle of a copy: nobody has to do anything, the copy goes on where it was, and everything else is as before."""
import json
import time

import pytest

from client import checksums, fetch, ftp_login
from machine import wait_until

BIG = 256 << 20
ENOUGH = 64 << 20  # is there when the reboot comes


@pytest.fixture(autouse=True)
def one_at_a_time(machine):
    with machine.settings(TEMPOFTP_MAX_TRASLADOS=1):
        yield


def row(machine, id):
    names = ("state", "life", "run", "expires", "account")
    return dict(zip(names, machine.sqlite(f"SELECT {', '.join(names)} FROM requests WHERE id = '{id}' AND state <> 'eliminado'")[0]))


def copied_so_far(machine, id, life):
    staging = machine.file(f"/data/.staging/{id}.{life}")
    return sum(path.stat().st_size for path in staging.rglob("*") if path.is_file())


def freeze_copy(machine, id):
    """Stops the source's rsync once a part of the copy has arrived; returns how many bytes that is."""
    wait_until(lambda: row(machine, id)["state"] == "traslado", 60, interval=0)
    life = row(machine, id)["life"]
    wait_until(lambda: copied_so_far(machine, id, life) >= ENOUGH, 60, "a part of the copy", interval=0)
    machine.run(["pkill", "-STOP", "--full", "^rsync --server --sender"])
    arrived = copied_so_far(machine, id, life)
    assert arrived < BIG * 3 / 4, "it was too late"
    return arrived


def received_since_boot(machine):
    """Bytes through the loop-back interface, over which source and copy speak; its counters begin with the boot."""
    return int(machine.run(["cat", "/sys/class/net/lo/statistics/rx_bytes"]).stdout)


def order_of_copies(machine):
    """Ids in the order in which copying began, since the boot."""
    lines = machine.run(["journalctl", "--boot", "--unit=tempoftp", "--output=json", "--output-fields=MESSAGE,TEMPOFTP_ID"]).stdout.splitlines()
    return [entry["TEMPOFTP_ID"] for entry in map(json.loads, lines) if entry["MESSAGE"].startswith("preparando → traslado ")]


def assert_shutdown_was_orderly(machine, since):
    """systemd had to kill nothing of ours, and found nothing failed."""
    said = machine.journal("--boot=-1", "--identifier=systemd", since=since)
    assert "Stopped tempoftp.service" in said
    assert not [line for line in said.splitlines() if "tempoftp" in line and ("timed out" in line or "Failed with result" in line)]


def test_a_restart_of_the_bus_is_survived(machine, api, source, unique, submit, wait_for):
    """Both services that need it to do anything end and come back, in the middle of a copy."""
    big, small = source.make_tree(unique("big"), {"big.bin": BIG}), source.make_tree(unique("small"), {"a.txt": "hola\n"})
    cut = submit(f"{big}/")
    freeze_copy(machine, cut)
    before = machine.processes("tempoftpd") + machine.processes("tempoftp-broker")
    machine.run(["systemctl", "restart", "dbus.service"])
    machine.run(["pkill", "-CONT", "--full", "^rsync --server --sender"])
    wait_until(lambda: not set(before) & {*machine.processes("tempoftpd"), *machine.processes("tempoftp-broker")}, 60, "the services to end")
    wait_for(cut, "listo", timeout=120)
    answer = wait_for(submit(f"{small}/"), "listo")
    with ftp_login(machine, answer) as ftp:
        assert fetch(ftp, f"/{answer['id']}/a.txt") == b"hola\n"


@pytest.mark.parametrize("hard", [False, True], ids=["reboot", "power cut"])
def test_a_reboot_in_the_middle_of_a_copy(machine, api, source, unique, submit, wait_for, hard):
    name, person = unique("big"), f"{unique()}@example.org"
    small, big = source.make_tree(unique("small"), {"a.txt": "hola\n"}), source.make_tree(name, {"big.bin": BIG, "c.txt": "después\n"})
    ready, blocked = wait_for(submit(f"{small}/", usuario=person), "listo"), wait_for(submit(f"{small}/", usuario=person), "listo")
    assert api.post(f"/tmpftp/{blocked['id']}/bloquear").status == 200
    cut = submit(f"{big}/")
    arrived = freeze_copy(machine, cut)
    queue = [submit(f"{small}/") for _ in range(3)]
    before = {id: row(machine, id) for id in (ready["id"], blocked["id"], cut, *queue)}
    assert [before[id]["state"] for id in (cut, *queue)] == ["traslado"] + ["recibido"] * 3
    session, down = ftp_login(machine, ready), machine.journal_now()
    machine.reboot(hard=hard)
    session.close()
    if not hard:
        assert_shutdown_was_orderly(machine, down)

    # without a call from anybody
    wait_until(lambda: row(machine, queue[-1])["state"] == "listo", 120, "the copy and the queue behind it", interval=0.2)
    traffic = received_since_boot(machine)
    assert traffic < BIG - arrived / 2, f"{arrived} bytes were there, all the same {traffic} came again"
    assert order_of_copies(machine) == [cut, *queue]

    after = {id: row(machine, id) for id in before}
    assert {id: after[id]["life"] for id in after} == {id: before[id]["life"] for id in before}
    assert after[cut]["state"] == "listo" and int(after[cut]["run"]) > int(before[cut]["run"])
    for id in (ready["id"], blocked["id"]):
        assert after[id] == before[id]
    answer = api.get(f"/tmpftp/{cut}").json
    assert checksums(machine.file(f"/data/{answer['ftpuser']}/{cut}")) == checksums(machine.file(f"/srv/{name}"))
    assert not list(machine.file("/data/.staging").iterdir())

    # accounts, and the timers of all ends
    assert api.get(f"/tmpftp/{ready['id']}").json["password"] == ready["password"]
    with ftp_login(machine, ready) as ftp:
        assert fetch(ftp, f"/{ready['id']}/a.txt") == b"hola\n"
        assert ftp.nlst("/") in ([ready["id"]], [f"/{ready['id']}"]), "the blocked one stays away"
    for id in after:
        timer = f"tempoftp-expire-{id}.timer"
        wait_until(lambda: timer in machine.units(), 30, timer)
        assert f"@{after[id]['expires']}" in machine.run(["systemctl", "cat", timer]).stdout
    assert api.get("/health").status == 200


def test_what_became_due_while_the_machine_was_off_goes_at_once(machine, source, unique, submit, wait_for):
    answer = wait_for(submit(f"{source.make_tree(unique('tree'), {'a.txt': 'a'})}/"), "listo")
    machine.stop_units("tempoftp.service")
    machine.sqlite(f"UPDATE requests SET expires = {int(time.time()) - 60} WHERE id = '{answer['id']}'")
    machine.reboot(hard=True)
    wait_until(lambda: row(machine, answer["id"])["state"] == "expirado", 60)
    wait_until(lambda: not machine.file(f"/data/{answer['ftpuser']}").exists(), 60, "the home to be gone")
    wait_until(lambda: not list(machine.file("/data/.purge").iterdir()), 60, "the data to be removed")
