"""What of a source's tree is delivered, under which names, with which owner and mode; and what is not."""
import ftplib
import os
import socket
import stat

import pytest

from client import FTP_ADDRESS, checksums, decrypt, fetch, ftp_login
from transfers import break_connections, slow, source_users, wait_staged  # noqa: F401 (fixtures)

NAMES = [
    "con espacio.txt", " espacio delante", "espacio detrás ", "línea\npartida", "retorno\rpartido", "ñandú", "日本語", "e\u0301",
    "-rf", "--delete", "-e sh", "'comillas'", '"dobles"', "$(touch pwned)", "`id`", ";reboot", "&& reboot", "| cat", "*", "?", "[a]", "{a,b}",
    "\\barra", "\\n", "tab\tulador", "a:b", "host:/etc", "~root", "#almohadilla", "100 %", "%s%n", "...", "..a", ".oculto", ".a.aB3xYz",
    "\x1b[31mrojo", "\x7f", "x" * 255, os.fsdecode(b"latin1-\xf1"), os.fsdecode(b"\xff\xfe"),
]
FOLDERS = ["con espacio", "-rf", "$(reboot)", "línea\npartida", "*"]


def delivered(machine, answer):
    """The request's folder as the FTP server serves it."""
    return machine.file(f"/data/{answer['ftpuser']}/{answer['id']}")


@pytest.fixture
def made_by_hand(machine, source, unique):
    """(a folder on the source for what make_tree can't make, its route)"""
    name = unique("tree")
    return machine.file(f"/srv/{name}"), source.make_tree(name, {"a.txt": "a"})


def test_names_of_any_kind_travel_unharmed(machine, source, unique, submit, wait_for):
    name = unique("tree")
    tree = {n: n.encode(errors="surrogateescape") for n in NAMES}
    tree |= {f"{folder}/{n}": b"inside" for folder in FOLDERS for n in ("-rf", "$(touch pwned)", "a\nb")}
    # "-rf" and "*" can't be a file and a folder at once
    tree = {n: content for n, content in tree.items() if n not in FOLDERS}
    began = machine.journal_now()
    answer = wait_for(submit(source.make_tree(name, tree) + "/"), "listo")

    here = checksums(delivered(machine, answer))
    assert here == checksums(machine.file(f"/srv/{name}"))
    assert len(here) == len(tree) == answer["archivos"]
    assert "pwned" not in machine.run(["ls", "/", "/root", "/home/lanotadm", "/srv"]).stdout
    assert machine.journal(f"TEMPOFTP_ID={answer['id']}", since=began).count("→ listo") == 1

    # Over FTP: every name that fits into an FTP command, byte for byte
    with ftplib.FTP(timeout=30, encoding="latin-1") as ftp:
        ftp.connect(*FTP_ADDRESS)
        ftp.login(answer["ftpuser"], decrypt(machine, answer["password"]))
        for path, content in tree.items():
            raw = os.fsencode(path).decode("latin-1").replace("\xff", "\xff\xff")  # Telnet's escape, RFC 854
            if "\n" not in raw and "\r" not in raw:
                assert fetch(ftp, f"/{answer['id']}/{raw}") == content, path


ROUTES = {
    "spaces-and-commas": "a b, c/d ",
    "leading-dashes": "-rf/--delete",
    "tilde": "~root",
    "percent-at-equals-plus": "a%20b@c=d+e",
    "colon": "host:x",
    "accents": "Año/ñandú, µ",
    "dots": ".a/...",
    "a-temporary-files-name": ".a.aB3xYz",
}


@pytest.mark.parametrize("what", ROUTES)
def test_routes_with_odd_but_allowed_characters(what, machine, source, unique, submit, wait_for):
    name = unique("tree")
    source.make_tree(name, {f"{ROUTES[what]}/here": "yes", "elsewhere": "no"})
    last = ROUTES[what].split("/")[-1]
    for slash, folder in (("/", ""), ("", f"{last}/")):
        answer = wait_for(submit(f"source:/srv/{name}/{ROUTES[what]}{slash}"), "listo")
        assert list(checksums(delivered(machine, answer))) == [f"{folder}here"]
        with ftp_login(machine, answer) as ftp:
            assert fetch(ftp, f"/{answer['id']}/{folder}here") == b"yes"


def test_a_single_file_is_a_dataset_too(machine, source, unique, submit, wait_for):
    name = unique("tree")
    route = source.make_tree(name, {"sola ñ.nc": 100_000, "other": "no"})
    answer = wait_for(submit(f"{route}/sola ñ.nc"), "listo")
    assert (answer["archivos"], answer["bytes"]) == (1, 100_000)
    assert list(checksums(delivered(machine, answer))) == ["sola ñ.nc"]


def test_an_empty_folder_is_a_dataset_too(machine, source, unique, submit, wait_for):
    answer = wait_for(submit(source.make_tree(unique("tree"), {}) + "/"), "listo")
    assert (answer["archivos"], answer["bytes"]) == (0, 0)
    with ftp_login(machine, answer) as ftp:
        assert ftp.nlst(f"/{answer['id']}") == []


def test_owner_and_modes_are_those_of_the_house(machine, made_by_hand, submit, wait_for):
    folder, route = made_by_hand
    modes = {"a.txt": 0o777, "setuid": 0o4755, "setgid": 0o2755, "secret": 0o600, "read-only": 0o400}
    for name, mode in modes.items():
        (folder / name).write_text(name)
        (folder / name).chmod(mode)
        os.utime(folder / name, (1_000_000_000, 1_000_000_000))
    for name, mode in (("open", 0o777), ("sticky", 0o1777), ("closed", 0o700), ("read-only-folder", 0o500)):
        (folder / name).mkdir(mode=mode)
        (folder / name).chmod(mode)
        (folder / name / "inside").write_text("x")
    machine.run(["chown", "-R", "lanotadm:", route.partition(":")[2]])
    # chown takes set-uid and set-gid bits off
    for name in ("setuid", "setgid"):
        (folder / name).chmod(modes[name])
    answer = wait_for(submit(f"{route}/"), "listo")

    top = delivered(machine, answer)
    transfer, tempoftp = machine.uid("tempoftp-transfer")[0], machine.uid("tempoftp")[0]
    found = {str(path.relative_to(top)): path.lstat() for path in top.rglob("*")}
    assert len(found) == len(modes) + 2 * 4
    for name, st in found.items():
        expected = 0o2750 if stat.S_ISDIR(st.st_mode) else 0o640
        assert (name, oct(stat.S_IMODE(st.st_mode))) == (name, oct(expected))
        assert (name, st.st_uid, st.st_gid) == (name, transfer, 2001)
    assert {int(found[name].st_mtime) for name in modes} == {1_000_000_000}
    for folder in (top, top.parent):
        st = folder.stat()
        assert (oct(stat.S_IMODE(st.st_mode)), st.st_uid, st.st_gid) == (oct(0o2750), tempoftp, 2001)


def test_links_that_stay_inside_travel_and_those_that_leave_do_not(machine, made_by_hand, submit, wait_for):
    folder, route = made_by_hand
    (folder / "sub").mkdir()
    inside = {"link": "a.txt", "sub/up": "../a.txt", "folder-link": "sub", "sub/dangling": "not-there"}
    outside = {"absolute": "/etc/passwd", "up": "../../etc/passwd", "sub/far": "../../x", "root": "/", "self": f"{route.partition(':')[2]}/a.txt"}
    for name, target in {**inside, **outside}.items():
        (folder / name).symlink_to(target)
    answer = wait_for(submit(f"{route}/"), "listo")

    top = delivered(machine, answer)
    links = {str(path.relative_to(top)): os.readlink(path) for path in top.rglob("*") if path.is_symlink()}
    assert links == inside
    with ftp_login(machine, answer) as ftp:
        assert fetch(ftp, f"/{answer['id']}/sub/up") == b"a"
    assert answer["archivos"] == 1


def test_devices_pipes_and_sockets_stay_where_they_are(machine, made_by_hand, submit, wait_for):
    folder, route = made_by_hand
    os.mkfifo(folder / "pipe")
    os.mknod(folder / "null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    with socket.socket(socket.AF_UNIX) as listening:
        place = os.open(folder, os.O_RDONLY)
        listening.bind(f"/proc/self/fd/{place}/socket")  # its own path is too long for a socket's name
        os.close(place)
    assert len(list(folder.iterdir())) == 4
    answer = wait_for(submit(f"{route}/"), "listo")
    assert [path.name for path in delivered(machine, answer).rglob("*")] == ["a.txt"]


def test_hard_links_and_holes_arrive_as_plain_files(machine, made_by_hand, submit, wait_for):
    folder, route = made_by_hand
    os.link(folder / "a.txt", folder / "same.txt")
    with open(folder / "hole", "wb") as file:
        file.truncate(3_000_000)
    machine.run(["chown", "-R", "lanotadm:", route.partition(":")[2]])
    answer = wait_for(submit(f"{route}/"), "listo")
    assert checksums(delivered(machine, answer)) == checksums(folder)
    assert (answer["archivos"], answer["bytes"]) == (3, 3_000_002)


def test_files_that_vanish_while_they_are_copied_are_left_out(machine, source, slow, unique, submit, wait_for):  # noqa: F811
    name = unique("tree")
    route = source.make_tree(name, {f"{n:03}": 60_000 for n in range(100)}).replace("source:", "lento@source:")
    slow(2000)
    began = machine.journal_now()
    id = submit(f"{route}/")
    wait_staged(machine, id, 600_000)
    for n in range(80, 100):
        machine.file(f"/srv/{name}/{n:03}").unlink()
    answer = wait_for(id, "listo")

    assert checksums(delivered(machine, answer)) == checksums(machine.file(f"/srv/{name}"))
    assert (answer["archivos"], answer["bytes"]) == (80, 80 * 60_000), "the figures are those of what is there"
    told = machine.journal(f"TEMPOFTP_ID={id}", since=began)
    assert "The source changed while it was copied" in told and "has vanished" in told


def test_a_file_that_grows_while_it_is_copied_arrives_as_it_was_at_some_moment(machine, source, slow, unique, submit,  # noqa: F811
                                                                               wait_for):
    name = unique("tree")
    route = source.make_tree(name, {"log": 4_000_000, "other": 2_000_000}).replace("source:", "lento@source:")
    slow(3000)
    id = submit(f"{route}/")
    wait_staged(machine, id, 1_000_000)
    before = machine.file(f"/srv/{name}/log").read_bytes()
    with open(machine.file(f"/srv/{name}/log"), "ab") as log:
        log.write(b"more" * 1000)
    answer = wait_for(id, "listo")
    got = (delivered(machine, answer) / "log").read_bytes()
    assert got in (before, before + b"more" * 1000)
    assert answer["bytes"] == len(got) + 2_000_000


def test_what_an_older_try_left_and_the_source_no_longer_has_is_not_delivered(machine, source, slow, unique,  # noqa: F811
                                                                              submit, wait_for):
    name = unique("tree")
    route = source.make_tree(name, {"a": 1_000_000, "b": 6_000_000, "c": 1_000_000}).replace("source:", "lento@source:")
    slow(2500)
    id = submit(f"{route}/")
    wait_staged(machine, id, 3_000_000)
    break_connections(machine, "lento")
    for gone in ("a", "b"):
        machine.file(f"/srv/{name}/{gone}").unlink()
    slow(0)
    answer = wait_for(id, "listo")
    assert [path.name for path in delivered(machine, answer).iterdir()] == ["c"]
