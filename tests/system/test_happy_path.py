"""A dataset goes from a source host to an FTP client, and at the end nothing of it is left."""
import re
import subprocess
import time
from datetime import datetime, timezone

import pytest

from client import FTP_ADDRESS, checksums, decrypt, fetch, ftp_login
from machine import wait_until

DATASET = {
    "LÉEME.txt": "Datos de muestra\n",
    "vacío.log": b"",
    "2024-03-01/OR_ABI-L2-CMIPF_G16.nc": 300_000,
    "2024-03-01/notas, del día/canal 13 (µm).txt".replace("(", "").replace(")", ""): "10.3\n",
    "2024-03-02/grande.bin": 8_000_000,
    ".oculto": "also what begins with a dot\n",
}


def seconds(rfc3339):
    return datetime.strptime(rfc3339, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp()


@pytest.fixture
def dataset(source, unique):
    """A tree on the source host: (its name, its route)."""
    name = unique("tree")
    return name, source.make_tree(name, DATASET)


def test_a_dataset_reaches_an_ftp_client_unchanged(machine, api, dataset, submit, wait_for, tmp_path):
    name, route = dataset
    id = submit(f"{route}/")
    answer = wait_for(id, "listo")

    password = decrypt(machine, answer["password"])
    subprocess.run(["lftp", "-c", f"set ftp:ssl-allow no; open -u {answer['ftpuser']},{password} "
                    f"ftp://{FTP_ADDRESS[0]}:{FTP_ADDRESS[1]}; mirror / {tmp_path}"],
                   check=True, stdin=subprocess.DEVNULL, timeout=60)

    assert checksums(tmp_path / id) == checksums(machine.file(f"/srv/{name}"))
    assert len(checksums(tmp_path / id)) == len(DATASET)


def test_the_answers_along_the_way_are_the_contracts(api, dataset, unique, submit, wait_for):
    _, route = dataset
    id, email = unique(), "Ana.Pérez+datos@Example.ORG".replace("é", "e")
    asked = int(time.time())  # the wire has whole seconds
    reply = api.post("/tmpftp", {"usuario": email, "id": id, "ruta": f"{route}/", "vigencia": 5})
    assert (reply.status, reply.json) == (202, {"id": id, "status": "recibido"})
    assert reply.headers["Location"] == f"/tmpftp/{id}"
    assert reply.headers["Retry-After"] == "5"
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}", reply.headers["X-Request-ID"])

    answer = wait_for(id, "listo")
    assert answer["id"] == id
    assert answer["email"] == email.lower()
    assert answer["usuario"] == answer["ftpuser"]
    assert re.fullmatch(r"ftp_anaperezdatos_[a-z2-7]{4,}", answer["ftpuser"])
    assert answer["vigencia"] == 5
    assert answer["mensaje"] == "Listo, tiene 5 días para hacer la descarga."
    assert asked + 5 * 86400 <= seconds(answer["expira"]) <= time.time() + 5 * 86400 + 1
    assert answer["ftp"]["port"] == 21 and answer["ftp"]["tls"] == "off"
    assert answer["archivos"] == len(DATASET)
    assert answer["bytes"] >= 8_300_000
    assert answer["descargas"] == {"total_descargas": 0, "ultima_descarga": None, "bytes": 0}
    assert answer["exportaciones"] == []

    listed = [row for row in api.get("/tmpftp?limite=1000").json["solicitudes"] if row["id"] == id]
    assert [set(row) for row in listed] == [{"id", "email", "ruta", "estado", "created_at", "vigencia"}]

    assert api.delete(f"/tmpftp/{id}").json["status"] == "deleted"
    assert api.get(f"/tmpftp/{id}").json == {"detail": "No encontrado"}


def test_the_slash_at_the_end_decides_as_in_rsync(machine, dataset, submit, wait_for):
    name, route = dataset
    with_folder, without = submit(route), submit(f"{route}/")
    for id, folder in ((with_folder, f"{with_folder}/{name}"), (without, without)):
        with ftp_login(machine, wait_for(id, "listo")) as ftp:
            assert fetch(ftp, f"/{folder}/LÉEME.txt") == DATASET["LÉEME.txt"].encode()


def test_a_last_component_equal_to_the_id_adds_no_level(machine, source, unique, submit, wait_for):
    id = unique()
    route = source.make_tree(id, {"a.txt": "a"})
    submit(route, id=id)
    with ftp_login(machine, wait_for(id, "listo")) as ftp:
        assert fetch(ftp, f"/{id}/a.txt") == b"a"


def test_operators_see_the_request_in_systemds_own_tools(machine, dataset, submit, wait_for):
    _, route = dataset
    began = machine.journal_now()
    id = submit(route)
    wait_for(id, "listo")

    wait_until(lambda: f"tempoftp-expire-{id}.timer" in machine.run(["systemctl", "list-timers", "tempoftp-*"]).stdout, 60)
    told = machine.journal(f"TEMPOFTP_ID={id}", since=began)
    assert route in told and "listo" in told
    assert machine.journal("-u", f"tempoftp-transfer-{id}", since=began)
    wait_until(lambda: f"tempoftp-transfer-{id}.service" not in machine.units(), 60, "the transfer unit is collected")


def test_after_the_delete_nothing_of_it_is_left(machine, api, dataset, submit, wait_for):
    _, route = dataset
    id = submit(route)
    answer = wait_for(id, "listo")
    home = machine.file(f"/data/{answer['ftpuser']}")
    assert (home / id).is_dir()

    assert api.delete(f"/tmpftp/{id}").status == 200
    assert not (home / id).exists()
    with pytest.raises(Exception, match="530"):
        ftp_login(machine, answer)
    wait_until(lambda: not [unit for unit in machine.units() if f"-{id}." in unit], 30, "no unit of the request")
    wait_until(lambda: not list(machine.file("/data/.purge").iterdir()), 30, "the purge is done")
    assert not list(machine.file("/data/.staging").glob(f"{id}.*"))


def test_the_command_line_does_the_same(machine, dataset, unique, api):
    _, route = dataset
    id = unique()
    try:
        followed = machine.run(["tempoftp", "crear", "ana@example.org", id, f"{route}/", "3", "--seguir"])
        assert "listo" in followed.stdout.lower()
        answer = api.get(f"/tmpftp/{id}").json
        shown = machine.run(["tempoftp", "ver", id]).stdout
        assert answer["ftpuser"] in shown and decrypt(machine, answer["password"]) in shown
        assert id in machine.run(["tempoftp", "lista"]).stdout
    finally:
        machine.run(["tempoftp", "eliminar", id])
    assert api.get(f"/tmpftp/{id}").status == 404
