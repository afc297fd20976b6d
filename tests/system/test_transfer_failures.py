"""A copy that can't be made ends in `error`, with a cause that a person can do something about; one that breaks off is
tried again, and goes on where it was."""
import re

import pytest

from client import checksums, unix_api
from machine import Source, wait_until
from transfers import (assert_failed, break_connections, has_account, resolver, slow,  # noqa: F401 (fixtures)
                       source_users, wait_staged)

HOST_KEY = "La llave del servidor de origen falta en /etc/tempoftp/known_hosts o cambió"
NO_KEY = "La llave ssh del servidor de entrega falta o no se puede leer"
NO_LOGIN = "El servidor de origen no aceptó nuestra llave ssh"
NO_READ = "El usuario del origen no puede leer todos los datos de la ruta"
NO_PATH = "La ruta no existe en el servidor de origen"
NO_RSYNC = "El servidor de origen no ejecuta rsync"
NO_HOST = "El nombre del servidor de origen no se encontró en el DNS"
NO_DNS = "El DNS del servidor de entrega no contesta"
UNREACHABLE = "No se pudo conectar con el servidor de origen"
LOST = "Se perdió la conexión con el servidor de origen y no se recuperó"


# ---- what is tried five times takes 75 s: all of these begin first, the tests that look at them stand last ----------

PATIENT = {
    # what: (source, its data, the cause, a word of the detail)
    "a-host-that-is-down": ("apagado", {"a": "a"}, UNREACHABLE, "Connection refused"),
    "a-line-that-breaks-each-time": ("cortado@localhost", {"a": 20_000_000}, LOST, "closed"),
    "a-resolver-that-is-away": ("ausente.example", {"a": "a"}, NO_DNS, "ausente.example"),
}


@pytest.fixture(scope="module", autouse=True)
def patient(machine, source_users, resolver):  # noqa: F811
    """They are under way, in three of the four places; gives the journal's time when they began."""
    api, source, began = unix_api(machine), Source(machine), machine.journal_now()
    resolver.away.add("ausente.example")
    for what, (host, data, _, _) in PATIENT.items():
        route = source.make_tree(f"patient-{what}", data).replace("source:", f"{host}:")
        reply = api.post("/tmpftp", {"usuario": f"{what}@example.org", "id": what, "ruta": f"{route}/"})
        assert reply.status == 202, reply
    for what in PATIENT:
        wait_until(lambda: "before try 2 of 5" in machine.journal(f"TEMPOFTP_ID={what}", since=began), 60, f"{what} waits")
    yield began
    for what in PATIENT:
        assert api.delete(f"/tmpftp/{what}").status == 200
    source.remove_trees()


# ---- causes that only a person can remove: told at once ---------------------------------------------------------------

def tree_with(mode, path):
    """What makes a tree on the source in which `path` has `mode`."""
    def prepare(machine, route):
        folder = machine.file(route.partition(":")[2])
        (folder / path).chmod(mode)
        return route
    return prepare


def through(host):
    return lambda machine, route: route.replace("source:", f"{host}:")


def below(path):
    return lambda machine, route: f"{route}/{path}"


def owned_by_root(machine, route):
    folder = machine.file(route.partition(":")[2])
    folder.chmod(0o700)
    machine.run(["chown", "root:root", route.partition(":")[2]])
    return route


AT_ONCE = {
    # what: (how its route is made from that of a good tree, the cause, a text of the detail)
    "unknown-host-key": (through("desconocido"), HOST_KEY, "host key is known for desconocido"),
    "changed-host-key": (through("cambiado"), HOST_KEY, "Host key for cambiado has changed"),
    "user-that-the-source-does-not-have": (through("nadie-aqui@source"), NO_LOGIN, "Permission denied (publickey"),
    "folder-that-may-not-be-read": (tree_with(0o000, "folder"), NO_READ, "folder"),
    "file-that-may-not-be-read": (tree_with(0o000, "folder/b"), NO_READ, "folder/b"),
    "top-folder-of-somebody-else": (owned_by_root, NO_READ, "Permission denied"),
    "path-that-is-not-there": (below("No Such Folder"), NO_PATH, "No Such Folder"),
    "path-through-a-file": (below("a/x"), NO_PATH, "Not a directory"),
    "name-that-does-not-resolve": (through("no-existe.example"), NO_HOST, "no-existe.example"),
    "source-without-rsync": (through("sin-rsync@source"), NO_RSYNC, "no-rsync-here"),
    "shell-that-talks": (through("hablador@source"), NO_RSYNC, "is your shell clean?"),
}


@pytest.mark.parametrize("what", AT_ONCE)
@pytest.mark.parametrize("slash", ["/", ""], ids=["content", "folder"])
def test_told_at_once(what, slash, machine, api, source, unique, submit):
    prepare, cause, detail = AT_ONCE[what]
    began = machine.journal_now()
    route = prepare(machine, source.make_tree(unique("tree"), {"a": "a", "folder/b": "b", "folder/c": "c"}))
    email = f"{unique()}@example.org"
    id = submit(route + slash, usuario=email)
    message = assert_failed(machine, api, id, cause, detail, since=began)

    assert message.startswith(cause)
    assert not has_account(machine, email)
    assert "before try" not in machine.journal(f"TEMPOFTP_ID={id}", since=began), "trying again can't help"
    states = [event["estado"] for event in api.get(f"/tmpftp/{id}/eventos").json["eventos"]]
    assert "traslado" not in states or what == "file-that-may-not-be-read"


def test_a_key_that_the_source_does_not_know(machine, api, source, unique, submit):
    key = machine.file("/etc/tempoftp/id_ed25519")
    good = key.read_bytes()
    machine.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/etc/tempoftp/new_key"])
    try:
        key.write_bytes(machine.file("/etc/tempoftp/new_key").read_bytes())
        id = submit(source.make_tree(unique("tree"), {"a": "a"}))
        assert_failed(machine, api, id, NO_LOGIN, "authorized_keys", "Permission denied (publickey")
    finally:
        key.write_bytes(good)
        machine.run(["rm", "/etc/tempoftp/new_key", "/etc/tempoftp/new_key.pub"])


@pytest.mark.parametrize("content, detail", [(None, "/etc/tempoftp/id_ed25519 is missing or empty"), ("no key\n", "Load key")], ids=["missing", "garbage"])
def test_no_key_of_ours(machine, api, source, unique, submit, content, detail):
    machine.run(["mv", "/etc/tempoftp/id_ed25519", "/etc/tempoftp/away"])
    try:
        if content:
            machine.write_file("/etc/tempoftp/id_ed25519", content, 0o600)
        id = submit(source.make_tree(unique("tree"), {"a": "a"}))
        assert_failed(machine, api, id, NO_KEY, "/etc/tempoftp/id_ed25519", detail)
    finally:
        machine.run(["mv", "/etc/tempoftp/away", "/etc/tempoftp/id_ed25519"])


def test_an_error_takes_nothing_from_the_persons_other_request(machine, api, source, unique, submit, wait_for):
    email = f"{unique()}@example.org"
    good = submit(source.make_tree(unique("tree"), {"a": "a"}), usuario=email)
    before = wait_for(good, "listo")
    bad = submit("source:/srv/no-such-tree", usuario=email)
    assert_failed(machine, api, bad, NO_PATH)
    assert wait_for(good, "listo") == before
    assert has_account(machine, email)
    assert machine.file(f"/data/{before['ftpuser']}/{good}").is_dir()


def test_the_id_is_free_again_after_a_delete_and_the_copy_succeeds(machine, api, source, unique, submit, wait_for):
    name = unique("tree")
    id = submit(f"source:/srv/{name}/")
    assert_failed(machine, api, id, NO_PATH)
    refused = api.post("/tmpftp", {"usuario": "a@example.org", "id": id, "ruta": f"source:/srv/{name}/"})
    assert refused.status == 400 and "Estado actual: error" in refused.json["detail"]["mensaje"]
    assert api.delete(f"/tmpftp/{id}").status == 200
    source.make_tree(name, {"a": "a"})
    submit(f"source:/srv/{name}/", id=id)
    assert wait_for(id, "listo")["archivos"] == 1


def test_the_journal_finds_errors_by_message_id(machine, api, unique, submit):
    began = machine.journal_now()
    id = submit("source:/srv/no-such-tree")
    assert_failed(machine, api, id, NO_PATH)
    moves = {"preparando": "1b8af2e4d65c4e1bb2e6d3e3d7f46c21", "error": "60350799ba2749600731289a2c49b176"}
    for state, message_id in moves.items():
        told = machine.journal(f"MESSAGE_ID={message_id}", f"TEMPOFTP_ID={id}", since=began)
        assert f"→ {state}" in told


# ---- lines that break, hosts that come back ---------------------------------------------------------------------------

def sent_over_the_line(machine):
    """Bytes through the machine's loopback interface so far."""
    return int(machine.file("/sys/class/net/lo/statistics/tx_bytes").read_text())


def test_a_broken_line_is_tried_again_and_goes_on_where_it_was(machine, api, source, slow, unique, submit, wait_for):  # noqa: F811
    name = unique("tree")
    route = source.make_tree(name, {"small": "first", "big.bin": 24_000_000}).replace("source:", "lento@source:")
    slow(5000)
    began = machine.journal_now()
    id = submit(f"{route}/")
    wait_staged(machine, id, 12_000_000)
    break_connections(machine, "lento")
    slow(0)  # the next try may hurry
    before = sent_over_the_line(machine)

    status = wait_until(lambda: re.search(r"Waiting 5 s before try 2 of 5: connection lost",
                                          machine.unit(f"tempoftp-transfer-{id}.service", "StatusText")["StatusText"]), 30)
    assert status
    waiting = api.get(f"/tmpftp/{id}")
    assert (waiting.status, waiting.json["status"]) == (202, "traslado")
    answer = wait_for(id, "listo")

    assert sent_over_the_line(machine) - before < 13_500_000, "what was there was sent again"
    assert checksums(machine.file(f"/data/{answer['ftpuser']}/{id}")) == checksums(machine.file(f"/srv/{name}"))
    assert (answer["archivos"], answer["bytes"]) == (2, 24_000_005)
    assert machine.journal(f"TEMPOFTP_ID={id}", since=began).count("before try") == 1
    assert not list(machine.file(f"/data/{answer['ftpuser']}/{id}").glob(".*")), "a temporary file was delivered"


def test_progress_does_not_begin_anew_with_the_next_try(machine, api, source, slow, unique, submit, wait_for):  # noqa: F811
    route = source.make_tree(unique("tree"), {"big.bin": 16_000_000}).replace("source:", "lento@source:")
    slow(4000)
    id = submit(f"{route}/")
    wait_staged(machine, id, 10_000_000)
    break_connections(machine, "lento")

    def status():
        return machine.unit(f"tempoftp-transfer-{id}.service", "StatusText").get("StatusText", "")

    wait_until(lambda: status().startswith("Waiting"), 30)
    shown = [api.get(f"/tmpftp/{id}").json["progreso"]["bytes"]]
    while (reply := api.get(f"/tmpftp/{id}")).status == 202:
        shown.append(reply.json["progreso"]["bytes"])
        told = re.match(r"Copying: \d+ %, (\d+) of 16000000 bytes", status())
        assert not told or int(told[1]) >= 9_900_000
    assert shown == sorted(shown)
    assert reply.json["status"] == "listo"


def test_a_host_that_comes_back_in_time_is_copied(machine, source, source_users, unique, submit, wait_for):  # noqa: F811
    route = source.make_tree(unique("tree"), {"a": "a"}).replace("source:", "regresa:")
    began = machine.journal_now()
    id = submit(f"{route}/")
    wait_until(lambda: "unreachable" in machine.journal(f"TEMPOFTP_ID={id}", since=began), 60, "the first try failed")
    config = machine.file("/etc/source-host/sshd_config").read_text().replace("127.0.0.1", "127.0.0.3")
    machine.write_file("/etc/source-host/regresa_config", config)
    machine.run(["systemd-run", "--quiet", "--unit=regresa", "/usr/sbin/sshd", "-D", "-f", "/etc/source-host/regresa_config"])
    try:
        wait_for(id, "listo")
    finally:
        machine.run(["systemctl", "stop", "regresa.service"])


def test_a_resolver_that_comes_back_in_time_is_asked_again(machine, source, resolver, unique, submit, wait_for):  # noqa: F811
    resolver.away.add("vuelve.example")
    route = source.make_tree(unique("tree"), {"a": "a"}).replace("source:", "vuelve.example:")
    began = machine.journal_now()
    id = submit(f"{route}/")
    wait_until(lambda: "before try 2 of 5" in machine.journal(f"TEMPOFTP_ID={id}", since=began), 60)
    resolver.known["vuelve.example"] = "127.0.0.1"
    wait_for(id, "listo")


# ---- after five tries ---------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("what", PATIENT)
def test_given_up_after_five_tries(what, machine, api, patient):
    _, _, cause, detail = PATIENT[what]
    message = assert_failed(machine, api, what, cause, detail, since=patient, timeout=150)
    assert message.startswith(cause)
    told = machine.journal(f"TEMPOFTP_ID={what}", since=patient)
    assert re.findall(r"waiting (\d+) s before try (\d) of 5", told) == [("5", "2"), ("10", "3"), ("20", "4"), ("40", "5")]
    assert not has_account(machine, f"{what}@example.org")
