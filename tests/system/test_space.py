"""A disk with little room: what does not fit is refused before it is copied, no two copies count on the same bytes, and a
disk that gets full all the same ends one request, not more."""
import ftplib
import io
import os
import subprocess

import pytest

from client import checksums, ftp_login
from machine import wait_until
from transfers import (SMALL, assert_failed, break_connections, free, has_account, slow, small_disk,  # noqa: F401
                       source_users, staged_bytes, wait_staged)

MB = 1_000_000
DISK_FULL = "El disco se llenó durante la copia: libere espacio en el servidor de entrega"


def no_room(size):
    return f"Espacio insuficiente en {SMALL}: se requieren {size} bytes"


@pytest.fixture(autouse=True)
def empty(machine, small_disk):  # noqa: F811
    """Every story finds the whole disk free."""
    wait_until(lambda: free(small_disk) > 32 * MB, 60, "the last story's data is gone")


@pytest.fixture
def tree(source, unique):
    """tree(size, user="") makes a tree with one file of that size and returns the route of its content."""
    def tree(size, user=""):
        return source.make_tree(unique("tree"), {"data.bin": size}).replace("source:", f"{user}source:") + "/"
    return tree


def state(api, id):
    return api.get(f"/tmpftp/{id}").json["status"]


def ends(api, ids):
    """{id: state} once all of them have come to an end."""
    return wait_until(lambda: (states := {id: state(api, id) for id in ids}) and
                      all(s in ("listo", "error") for s in states.values()) and states, 60, "all have ended")


def test_what_is_larger_than_the_disk_is_refused_before_anything_is_copied(machine, api, small_disk, tree, unique,  # noqa: F811
                                                                           submit):
    email, began = f"{unique()}@example.org", machine.journal_now()
    id = submit(tree(40 * MB), usuario=email)
    assert assert_failed(machine, api, id, since=began) == no_room(40 * MB)
    assert "traslado" not in [event["estado"] for event in api.get(f"/tmpftp/{id}/eventos").json["eventos"]]
    assert not has_account(machine, email)
    assert free(small_disk) > 32 * MB


def test_what_just_fits_is_copied(small_disk, tree, submit, wait_for):  # noqa: F811
    room = free(small_disk)
    id = submit(tree(room - 100_000))
    assert wait_for(id, "listo")["bytes"] == room - 100_000


def test_of_two_that_fit_only_one_at_a_time_never_both_pass(machine, api, tree, slow, submit, wait_for):  # noqa: F811
    slow(8000)
    routes = [tree(20 * MB, "lento@"), tree(20 * MB, "lento@")]
    ids = [submit(route) for route in routes]
    assert sorted(ends(api, ids).values()) == ["error", "listo"]

    refused = [id for id in ids if state(api, id) == "error"][0]
    winner = [id for id in ids if id != refused][0]
    assert assert_failed(machine, api, refused) == no_room(20 * MB)
    assert wait_for(winner, "listo")["bytes"] == 20 * MB

    # The reservation has become data; once that is deleted, there is room again.
    third = submit(routes[0])
    assert_failed(machine, api, third, no_room(20 * MB))
    assert api.delete(f"/tmpftp/{winner}").status == 200
    wait_until(lambda: not list(machine.file(f"{SMALL}/.purge").iterdir()), 60, "the purge is done")
    slow(0)
    wait_for(submit(routes[1]), "listo")


def test_four_at_once_get_no_more_than_there_is(machine, api, small_disk, tree, slow, submit):  # noqa: F811
    slow(4000)
    routes = [tree(10 * MB, "lento@") for _ in range(4)]
    ids = [submit(route) for route in routes]
    states = ends(api, ids)
    assert sorted(states.values()) == ["error", "listo", "listo", "listo"]
    assert free(small_disk) < 4 * MB
    assert_failed(machine, api, [id for id in ids if states[id] == "error"][0], no_room(10 * MB))


def test_a_copy_that_is_deleted_on_its_way_gives_its_room_back(machine, api, tree, slow, submit, wait_for):  # noqa: F811
    slow(2000)
    first = submit(tree(20 * MB, "lento@"))
    wait_staged(machine, first, 2 * MB, SMALL)
    refused = submit(tree(20 * MB))
    assert_failed(machine, api, refused, no_room(20 * MB))
    assert api.delete(f"/tmpftp/{first}").status == 200
    wait_until(lambda: not list(machine.file(f"{SMALL}/.purge").iterdir()), 60, "the purge is done")
    wait_for(submit(tree(20 * MB)), "listo")


def test_what_a_copy_has_written_counts_once(machine, api, tree, slow, submit, wait_for):  # noqa: F811
    """Of 33 MB, 20 are promised; when 14 of them are written, 6 are still promised and 13 free for others."""
    slow(4000)
    first = submit(tree(20 * MB, "lento@"))
    wait_staged(machine, first, 14 * MB, SMALL)
    second = submit(tree(8 * MB))
    wait_for(second, "listo")
    wait_for(first, "listo")


@pytest.mark.parametrize("how", ["restart", "kill"])
def test_a_reservation_survives_the_service(how, machine, api, tree, slow, submit, wait_for):  # noqa: F811
    slow(3000)
    first = submit(tree(20 * MB, "lento@"))
    wait_staged(machine, first, 2 * MB, SMALL)
    if how == "kill":
        assert machine.kill("tempoftpd")
    else:
        machine.restart()
    refused = submit(tree(18 * MB))
    assert_failed(machine, api, refused, no_room(18 * MB))
    wait_for(first, "listo")


def test_a_resumed_file_needs_only_the_rest_of_its_room(machine, api, source, slow, unique, submit, wait_for):  # noqa: F811
    name = unique("tree")
    route = source.make_tree(name, {"data.bin": 24 * MB}).replace("source:", "lento@source:")
    slow(8000)
    id = submit(f"{route}/")
    wait_staged(machine, id, 16 * MB, SMALL)
    break_connections(machine, "lento")
    slow(0)
    answer = wait_for(id, "listo")
    assert checksums(machine.file(f"{SMALL}/{answer['ftpuser']}/{id}")) == checksums(machine.file(f"/srv/{name}"))


def test_a_disk_that_somebody_else_fills_during_the_copy_is_an_error(machine, api, small_disk, tree, slow, unique,  # noqa: F811
                                                                     submit, wait_for):
    slow(4000)
    email, began = f"{unique()}@example.org", machine.journal_now()
    id = submit(tree(20 * MB, "lento@"), usuario=email)
    wait_staged(machine, id, 4 * MB, SMALL)
    try:
        subprocess.run(["dd", "if=/dev/zero", f"of={small_disk}/others", "bs=64k"], stdin=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, check=False)
        message = assert_failed(machine, api, id, DISK_FULL, "No space left on device", since=began)
        assert message.startswith(DISK_FULL)
        assert not has_account(machine, email)
        assert "before try" not in machine.journal(f"TEMPOFTP_ID={id}", since=began), "trying again can't help"
        assert machine.file(f"{SMALL}/others").stat().st_size > 20 * MB, "only its own part was taken away"
        # A full disk refuses the next one before it copies, and says so.
        assert_failed(machine, api, submit(tree(12 * MB)), no_room(12 * MB))
    finally:
        (small_disk / "others").unlink()
    wait_for(submit(tree(12 * MB)), "listo")


def test_one_that_fails_leaves_the_others_room_alone(machine, api, tree, slow, submit, wait_for):  # noqa: F811
    slow(4000)
    first = submit(tree(16 * MB, "lento@"))
    wait_staged(machine, first, 2 * MB, SMALL)
    for _ in range(3):
        assert_failed(machine, api, submit(tree(28 * MB)), no_room(28 * MB))
    assert wait_for(first, "listo")["bytes"] == 16 * MB
    assert staged_bytes(machine, first, SMALL) == 0


def test_a_drop_that_has_filled_the_disk_can_be_taken_away(machine, api, small_disk, tree, submit, wait_for):  # noqa: F811
    """Not one more file or folder can be made: what strangers put there is removed all the same."""
    answer = wait_for(submit(tree(1000)), "listo")
    assert api("PUT", f"/tmpftp/{answer['id']}/buzon", {"bytes": MB}).status == 200
    disk, since = os.statvfs(small_disk), machine.journal_now()
    machine.run(["mount", "-o", f"remount,nr_inodes={disk.f_files - disk.f_ffree + 20}", SMALL])
    try:
        with ftp_login(machine, answer) as ftp:
            with pytest.raises(ftplib.error_temp, match="452"):
                for n in range(100):
                    ftp.storbinary(f"STOR /_buzon/{n}", io.BytesIO(b"x"))
        assert os.statvfs(small_disk).f_ffree == 0
        assert api.delete(f"/tmpftp/{answer['id']}/buzon").status == 200
        assert not (small_disk / answer["ftpuser"] / "_buzon").exists()
        wait_until(lambda: os.statvfs(small_disk).f_ffree >= 20, 60, "what was put there is removed")
        assert "will be tried again" not in machine.journal("-u", "tempoftp", since=since)
    finally:
        machine.run(["mount", "-o", f"remount,nr_inodes={disk.f_files}", SMALL])
