"""The power goes while MariaDB is away: what waited for it still waits after the boot, and is done without anybody asking."""
import pytest

import fleet as fleets
from client import decrypt
from machine import wait_until

SOON = 120
pytestmark = pytest.mark.usefixtures("accounts_in_mariadb")


def state(machine, id):
    return machine.sqlite(f"SELECT state FROM requests WHERE id = '{id}' ORDER BY life DESC LIMIT 1")[0][0]


def test_what_waits_for_mariadb_survives_a_power_cut(machine, fleet, api, source, submit, wait_for, unique):
    tree = f"{source.make_tree(unique('tree'), {'a.txt': 'hola'})}/"
    blocked, deleted = (wait_for(submit(tree), "listo") for _ in range(2))
    fleet.stop_server()
    assert api.post(f"/tmpftp/{blocked['id']}/bloquear", {}).json["status"] == "bloqueado"
    assert api.delete(f"/tmpftp/{deleted['id']}").status == 200
    waits = submit(tree)
    wait_until(lambda: api.get(f"/tmpftp/{waits}").json["mensaje"].startswith("La copia está completa"), 60, "it waits")
    machine.reboot(hard=True)
    fleet.start_server()
    machine.run(["systemctl", "stop", "tempoftp-ftp.socket", "tempoftp-ftp.service"])
    machine.run(["systemctl", "start", fleets.PURE_FTPD])
    # Nobody calls: the sweep timer alone wakes tempoftpd.
    wait_until(lambda: state(machine, waits) == "listo", SOON, "ready by itself", interval=0.2)
    wait_until(lambda: fleet.row(deleted["ftpuser"]) is None and fleet.row(blocked["ftpuser"])["Status"] == "0", SOON, "all rows know", interval=0.2)
    ready = wait_for(waits, "listo")
    fleet.login(ready["ftpuser"], decrypt(machine, ready["password"])).close()
    assert machine.sqlite("SELECT count(*) FROM access_tasks") == [["0"]]
