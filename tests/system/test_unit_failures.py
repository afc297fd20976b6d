"""Units that fail before their program has started end in a clear answer, soon, and work again after the repair."""
import contextlib
import re

import pytest

from client import fetch, ftp_login
from machine import drop_in, wait_until


@pytest.fixture
def delivers(source, unique, submit, wait_for, machine):
    """delivers() says whether a new request reaches its person."""
    def deliver():
        answer = wait_for(submit(source.make_tree(unique("tree"), {"a.txt": "hola\n"}) + "/"), "listo")
        with ftp_login(machine, answer) as ftp:
            return fetch(ftp, f"/{answer['id']}/a.txt") == b"hola\n"
    return deliver


@contextlib.contextmanager
def moved_away(machine, path):
    machine.run(["mv", path, f"{path}.away"])
    try:
        yield
    finally:
        machine.run(["mv", f"{path}.away", path])


@contextlib.contextmanager
def without_user(machine, user):
    before = machine.file("/etc/passwd").read_text()
    machine.write_file("/etc/passwd", re.sub(rf"(?m)^{user}:.*\n", "", before))
    try:
        yield
    finally:
        machine.write_file("/etc/passwd", before)


TRANSFER = "tempoftp-transfer-.service"
BREAKS = {
    # how: (what is broken, what the person reads)
    "no user": (lambda machine: without_user(machine, "tempoftp-transfer"), "217/USER"),
    "another user": (lambda machine: drop_in(machine, TRANSFER, "[Service]\nUser=nobody-there\n"), "217/USER"),
    "no group": (lambda machine: drop_in(machine, TRANSFER, "[Service]\nGroup=nogroup-there\n"), "216/GROUP"),
    "a folder that is not there": (lambda machine: drop_in(machine, TRANSFER, "[Service]\nBindPaths=/nowhere\n"), "226/NAMESPACE"),
    "a root that is not there": (lambda machine: drop_in(machine, TRANSFER, "[Service]\nRootDirectory=/nowhere\n"), "200/CHDIR|226/NAMESPACE"),
    "no program": (lambda machine: moved_away(machine, "/usr/libexec/tempoftp/tempoftp-transfer"), "203/EXEC"),
    "a credential that is not there": (lambda machine: drop_in(machine, TRANSFER, "[Service]\nLoadCredential=more:/nowhere\n"), "243/CREDENTIALS"),
    "a condition before the start": (lambda machine: drop_in(machine, TRANSFER, "[Service]\nExecStartPre=/bin/false\n"), "exit-code"),
    "no program that may be run": (lambda machine: drop_in(machine, TRANSFER, "[Service]\nNoExecPaths=/\n"), "203/EXEC"),
    "no time to start": (lambda machine: drop_in(machine, TRANSFER, "[Service]\nExecStartPre=/bin/sleep 60\nTimeoutStartSec=1\n"), "timeout"),
    "no ssh key": (lambda machine: moved_away(machine, "/etc/tempoftp/id_ed25519"), "/etc/tempoftp/id_ed25519 is missing or empty"),
}


@pytest.mark.parametrize("how", BREAKS)
def test_a_broken_unit_is_an_error_soon_and_works_again_after_the_repair(machine, api, source, submit, wait_for, unique, delivers, how):
    broken, cause = BREAKS[how]
    began = machine.journal_now()
    with broken(machine):
        id = submit(source.make_tree(unique("tree"), {"a": "a"}))
        answer = wait_for(id, "error", 60)
    assert re.search(cause, answer["mensaje"]), answer
    assert re.search("administrador|llave", answer["mensaje"]), "says who can do something, or what"
    assert set(answer) == {"id", "status", "mensaje"}
    wait_until(lambda: machine.journal(f"TEMPOFTP_ID={id}", "MESSAGE_ID=60350799ba2749600731289a2c49b176", since=began), 60, "the journal tells it too")
    wait_until(lambda: not [unit for unit in machine.units() if f"-{id}." in unit], 60, "nothing of it keeps its name")
    wait_until(lambda: not list(machine.file("/data").glob(f".*/{id}.*")), 60, "its folder is gone")
    assert not machine.run(["systemctl", "list-units", "--failed", "--no-legend", "tempoftp*"]).stdout.strip()

    assert api.post("/tmpftp", {"usuario": "a@b", "id": id, "ruta": "source:/srv"}).status == 400, "the id is taken until it is deleted"
    assert api.delete(f"/tmpftp/{id}").status == 200
    assert delivers()


def test_many_failing_starts_block_nothing(machine, source, submit, wait_for, unique, delivers):
    """More than the limit of copies at once, and more than systemd's own limits of starts."""
    route = source.make_tree(unique("tree"), {"a": "a"})
    with drop_in(machine, TRANSFER, "[Service]\nBindPaths=/nowhere\n"):
        for id in [submit(route) for _ in range(12)]:
            assert "226/NAMESPACE" in wait_for(id, "error", 120)["mensaje"]
    assert delivers()


def test_a_removal_that_cannot_start_is_tried_again(machine, api, source, submit, wait_for, unique):
    id = submit(source.make_tree(unique("tree"), {"a": "a"}))
    answer = wait_for(id, "listo")
    began = machine.journal_now()
    with drop_in(machine, "tempoftp-purge-.service", "[Service]\nBindPaths=/nowhere\n"):
        assert api.delete(f"/tmpftp/{id}").status == 200
        wait_until(lambda: machine.journal("MESSAGE_ID=c1a0f2b9e6d84f7b8a53d9e0417c2f66", f"TEMPOFTP_ID={id}", since=began), 60, "the journal says so")
        assert not machine.file(f"/data/{answer['ftpuser']}").exists(), "access is closed all the same"
        assert list(machine.file("/data/.purge").glob(f"{id}.*"))
    wait_until(lambda: not list(machine.file("/data/.purge").glob(f"{id}.*")), 60, "the next try has removed it")


@pytest.mark.parametrize("template", ["tempoftp-done@.service", "tempoftp-failed@.service"])
def test_a_copy_is_finished_without_the_units_that_report_its_end(machine, delivers, template):
    with drop_in(machine, template, "[Service]\nUser=nobody-there\n"):
        assert delivers()
    machine.run(["systemctl", "reset-failed"])


def test_a_timer_that_cannot_run_leaves_the_sweep(machine, api, source, submit, wait_for, unique):
    id = submit(source.make_tree(unique("tree"), {"a": "a"}))
    wait_for(id, "listo")
    with drop_in(machine, "tempoftp-expire-.service", "[Service]\nUser=nobody-there\n"):
        machine.stop_units("tempoftp.service")
        machine.sqlite(f"UPDATE requests SET expires = unixepoch() - 1 WHERE id = '{id}'")
        machine.run(["systemctl", "start", f"tempoftp-expire-{id}.service"], check=False)
        machine.run(["systemctl", "start", "tempoftp-sweep.service"])
        assert machine.sqlite(f"SELECT state FROM requests WHERE id = '{id}'") == [["expirado"]]
    machine.run(["systemctl", "reset-failed"])


def test_without_a_broker_requests_wait_and_go_on(machine, api, source, submit, wait_for, unique, delivers):
    """No broker is no verdict on the request: it stays under way until there is one."""
    with moved_away(machine, "/usr/libexec/tempoftp/tempoftp-broker"):
        machine.stop_units("tempoftp-broker.service")
        began = machine.journal_now()
        id = submit(source.make_tree(unique("tree"), {"a": "a"}))
        wait_until(lambda: "uncertain" in machine.journal(f"TEMPOFTP_ID={id}", since=began), 60, "it was tried")
        assert api.get(f"/tmpftp/{id}").status == 202
    machine.run(["systemctl", "reset-failed", "tempoftp-broker.service"], check=False)
    wait_for(id, "listo", 120)
    assert delivers()


def test_a_data_path_that_is_not_ours_is_told(machine, delivers):
    machine.run(["chown", "root", "/data"])
    try:
        began = machine.journal_now()
        machine.restart()
        machine.run(["tempoftp", "estado"])
        assert "TEMPOFTP_DATA_PATH=/data may not be written (Permission denied)" in machine.journal("-u", "tempoftp", "-p", "err", since=began)
    finally:
        machine.run(["chown", "tempoftp", "/data"])
        machine.restart()
    assert delivers()
