"""What a start looks at: everything after a kill or a boot, and at the sweeps; not all folders again when the service only comes back from its idle exit.

The mark is a staging folder that belongs to no request: whoever looks through the folders removes it.
"""

import pytest

from machine import wait_until


@pytest.fixture(scope="module", autouse=True)
def impatient(machine):
    machine.run(["systemctl", "stop", "tempoftp-sweep.timer"])  # sweeps come when the story wants them
    with machine.settings(TEMPOFTP_IDLE_SECONDS=1):
        yield
    machine.run(["systemctl", "start", "tempoftp-sweep.timer"])


def wait_until_gone(machine):
    wait_until(lambda: machine.unit("tempoftp.service", "ActiveState")["ActiveState"] == "inactive", 60, "the service to exit")


@pytest.fixture
def at_rest(machine, api):
    """The service has looked through the folders in this boot and left idle."""
    machine.run(["systemctl", "start", "tempoftp-sweep.service"])
    wait_until_gone(machine)


def put_orphan(machine, name):
    machine.run(["install", "-d", "-o", "tempoftp", "-g", "2001", "-m", "2770", f"/data/.staging/{name}"])
    return machine.file(f"/data/.staging/{name}")


def test_an_idle_service_that_is_called_does_not_look_through_all_folders(machine, api, at_rest, unique):
    orphan = put_orphan(machine, f"{unique('mark')}.999999")
    assert api.get("/").status == 200
    wait_until_gone(machine)  # it stays until everything that a start sets going is done
    assert orphan.exists()
    machine.run(["systemctl", "start", "tempoftp-sweep.service"])
    wait_until(lambda: not orphan.exists(), 60, "the sweep removes what belongs to nobody")


def test_after_a_kill_the_next_start_looks_through_all_folders(machine, api, at_rest, unique):
    assert api.get("/").status == 200
    machine.kill("tempoftpd")
    orphan = put_orphan(machine, f"{unique('mark')}.999999")
    wait_until(lambda: api.get("/").status == 200, 60, "the service is back")
    wait_until(lambda: not orphan.exists(), 60, "the start removes what belongs to nobody")


def test_tokens_are_checked_again_when_the_key_changes(machine, api, at_rest):
    """10,000 of them take longer than a start may: they are checked once for each list of keys."""
    def checked():
        return machine.run(["sqlite3", "-readonly", "/var/lib/tempoftp/state.db", "SELECT value FROM notes WHERE key = 'keys checked'"]).stdout

    before = checked()
    assert len(before.strip()) == 64
    key = machine.file("/etc/tempoftp/encryption.key")
    old = key.read_text().strip()
    new = machine.run(["tempoftp", "clave"]).stdout.strip()
    key.write_text(f"{new},{old}\n")
    try:
        assert api.get("/").status == 200
        assert checked() != before
        wait_until_gone(machine)
    finally:
        key.write_text(f"{old},{new}\n")
    assert api.get("/").status == 200  # everything is encrypted with the old one again
    wait_until_gone(machine)
    key.write_text(f"{old}\n")
    assert api.get("/").status == 200
    assert checked() == before
