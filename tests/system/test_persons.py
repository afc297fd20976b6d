"""Who shares an account and who never does: one address is one account with one password, whatever becomes of its single requests."""
import base64
import ftplib
import hashlib
import itertools
import re

import pytest

from client import decrypt, fetch, ftp_login
from machine import wait_until

SMALL = {"a.txt": "hola\n"}


@pytest.fixture
def deliver(source, submit, wait_for, unique):
    """deliver(address) has a small dataset delivered to a person and returns the answer."""
    def deliver(address, **fields):
        return wait_for(submit(source.make_tree(unique("tree"), SMALL) + "/", usuario=address, **fields), "listo")
    return deliver


@pytest.fixture
def person(unique):
    """An address that no other test uses."""
    return f"{unique('ana')}@example.org"


def folders(machine, answer):
    """What the person sees after login."""
    with ftp_login(machine, answer) as ftp:
        return set(ftp.nlst())


def refused(machine, answer):
    with pytest.raises(ftplib.error_perm, match="^530"):
        ftp_login(machine, answer)
    return True


def let_it_end(machine, api, id):
    """The days of one request are over."""
    machine.stop_units("tempoftp.service")  # its memory of answers goes with it
    machine.sqlite(f"UPDATE requests SET expires = unixepoch() - 1 WHERE id = '{id}' AND state IN ('listo', 'bloqueado')")
    assert api.delete("/tmpftp/expired").json["status"] == "ok"  # its start may have noticed already
    assert api.get(f"/tmpftp/{id}").json["status"] == "expirado"


ENDS = {
    "deleted": lambda machine, api, id: api.delete(f"/tmpftp/{id}"),
    "blocked": lambda machine, api, id: api.post(f"/tmpftp/{id}/bloquear"),
    "expired": let_it_end,
}


# ---- one person ---------------------------------------------------------------------------------------

def test_two_requests_of_one_person_share_account_password_and_home(machine, deliver, person):
    first, second = deliver(person), deliver(person.upper())
    assert first["ftpuser"] == second["ftpuser"]
    assert decrypt(machine, first["password"]) == decrypt(machine, second["password"])
    with ftp_login(machine, first) as ftp:
        assert set(ftp.nlst()) == {first["id"], second["id"]}
        assert fetch(ftp, f"/{first['id']}/a.txt") == fetch(ftp, f"/{second['id']}/a.txt") == b"hola\n"
    home = machine.file(f"/data/{first['ftpuser']}")
    assert {path.name for path in home.iterdir()} == {first["id"], second["id"]}


@pytest.mark.parametrize("which", [0, 1], ids=["the first", "the second"])
@pytest.mark.parametrize("how", ENDS)
def test_one_ends_and_the_other_lives_on(machine, api, deliver, person, how, which):
    answers = [deliver(person), deliver(person)]
    ended, alive = answers[which], answers[1 - which]
    open_session = ftp_login(machine, alive)
    open_session.cwd(f"/{alive['id']}")

    ENDS[how](machine, api, ended["id"])
    with open_session as ftp:
        assert ftp.nlst() == ["a.txt"], "a session in the other request goes on"
    assert folders(machine, alive) == {alive["id"]}
    again = api.get(f"/tmpftp/{alive['id']}").json
    assert again["status"] == "listo" and decrypt(machine, again["password"]) == decrypt(machine, alive["password"])
    if how != "blocked":
        assert ENDS["deleted"](machine, api, alive["id"]).status == 200
        assert refused(machine, alive)
        wait_until(lambda: not machine.file(f"/data/{alive['ftpuser']}").exists(), 30, "the home goes with the last request")


def test_only_blocked_requests_let_nobody_in_and_keep_the_password(machine, api, deliver, person):
    first, second = deliver(person), deliver(person)
    for answer in (first, second):
        assert api.post(f"/tmpftp/{answer['id']}/bloquear").status == 200
    assert refused(machine, first)
    assert api.post(f"/tmpftp/{second['id']}/desbloquear").status == 200
    assert folders(machine, first) == {second["id"]}, "the password of before"
    assert api.post(f"/tmpftp/{first['id']}/desbloquear").status == 200
    assert folders(machine, second) == {first["id"], second["id"]}


def test_the_account_ends_with_its_latest_request(machine, api, deliver, person):
    early, late = deliver(person, vigencia=1), deliver(person, vigencia=9)
    let_it_end(machine, api, early["id"])
    assert folders(machine, late) == {late["id"]}
    let_it_end(machine, api, late["id"])
    assert refused(machine, late)


def test_gone_and_back_is_the_same_name_with_a_new_password(machine, api, deliver, person):
    before = deliver(person)
    api.delete(f"/tmpftp/{before['id']}")
    after = deliver(person)
    assert after["ftpuser"] == before["ftpuser"]
    assert decrypt(machine, after["password"]) != decrypt(machine, before["password"])
    assert refused(machine, before)
    assert folders(machine, after) == {after["id"]}


@pytest.fixture
def replaced(machine, api):
    """replaced() lists the accounts whose password gave way to another one while it was in use: what nobody can see who asks too late."""
    api.get("/")  # there is a database
    machine.sqlite("CREATE TABLE test_replaced (name TEXT); CREATE TRIGGER test_replaced AFTER UPDATE OF hash ON accounts "
                   "WHEN OLD.hash IS NOT NULL AND NEW.hash IS NOT OLD.hash AND NEW.hash IS NOT NULL BEGIN INSERT INTO test_replaced VALUES (OLD.name); END;")
    yield lambda: machine.sqlite("SELECT name FROM test_replaced")
    machine.sqlite("DROP TRIGGER test_replaced; DROP TABLE test_replaced;")


@pytest.mark.parametrize("known", [False, True], ids=["a new person", "a person who comes back"])
def test_requests_that_become_ready_at_the_same_moment_get_one_password(machine, api, source, submit, wait_for, deliver, person, unique, replaced, known):
    """Whoever is ready first tells the password: nobody may replace it a moment later. Three whole copies wait because a file is where
    the home belongs; when it has gone, the next start of tempoftpd finishes all three at once."""
    if known:
        api.delete(f"/tmpftp/{deliver(person)['id']}")
    name = f"ftp_{re.sub('[^a-z0-9]', '', person.split('@')[0])[:32]}_{suffix(person, 4)}"
    in_the_way = machine.file(f"/data/{name}")
    wait_until(lambda: not in_the_way.exists(), 30, "the home of before is gone")
    in_the_way.touch()
    route = source.make_tree(unique("tree"), SMALL)
    ids = [submit(f"{route}/", usuario=person) for _ in range(3)]
    wait_until(lambda: machine.sqlite(f"SELECT count(*) FROM requests WHERE email = '{person}' AND state = 'traslado' AND copied") == [["3"]], 60, "all copies are whole")
    assert {api.get(f"/tmpftp/{id}").json["status"] for id in ids} == {"traslado"}
    machine.kill("tempoftpd")
    in_the_way.unlink()

    answers = [wait_for(id, "listo") for id in ids]
    assert replaced() == []
    assert {answer["ftpuser"] for answer in answers} == {name}
    assert len({decrypt(machine, answer["password"]) for answer in answers}) == 1
    assert folders(machine, answers[0]) == set(ids)


def test_deleting_a_person_takes_all_requests_of_that_person(machine, api, deliver, person, unique):
    mine, other = [deliver(person), deliver(person)], deliver(f"{unique('otra')}@example.org")
    reply = api.delete(f"/tmpftp/user/{mine[0]['ftpuser']}")
    assert (reply.status, reply.json["status"], reply.json["usuario"]) == (200, "deleted", person)
    assert [api.get(f"/tmpftp/{answer['id']}").status for answer in mine] == [404, 404]
    assert refused(machine, mine[0])
    assert folders(machine, other) == {other["id"]}
    assert api.delete(f"/tmpftp/user/{person}").json == {"detail": "Usuario no encontrado"}


# ---- two persons --------------------------------------------------------------------------------------

def strangers(n):
    """Addresses that look alike: the same letters and digits in front, other dots, tags, domains, one letter's shape."""
    return [f"m.perez{n}@example.org", f"mperez{n}@example.org", f"m-perez{n}@example.org", f"mperez{n}+x@example.org", f"mperez{n}x@example.org",
            f"mperez{n}@example.com", f"mperez{n}@sub.example.org", f"mperez{n}@example.org.evil", f"rnperez{n}@example.org", f"m_perez{n}@example.org"]


def suffix(address, length):
    return base64.b32encode(hashlib.sha256(address.encode()).digest()).decode().lower()[:length]


def colliding(local, length):
    """Two addresses with one local part, so that their accounts' names are the same up to `length` characters of the digest."""
    seen = {}
    for n in itertools.count():
        address = f"{local}@d{n}.example.org"
        other = seen.setdefault(suffix(address, length), address)
        if other != address:
            return other, address


def one_account_each(machine, answers):
    names, passwords = {answer["ftpuser"] for answer in answers}, {decrypt(machine, answer["password"]) for answer in answers}
    assert len(names) == len(passwords) == len(answers)
    for answer in answers:
        assert folders(machine, answer) == {answer["id"]}
        stranger = next(other for other in answers if other is not answer)
        with pytest.raises(ftplib.error_perm, match="^530"):
            ftp_login(machine, {"ftpuser": stranger["ftpuser"], "password": answer["password"]})


def test_look_alikes_are_different_persons(machine, source, submit, wait_for, unique):
    route = source.make_tree(unique("tree"), SMALL)
    ids = [submit(f"{route}/", usuario=address) for address in strangers(unique()[-3:].strip("-"))]
    one_account_each(machine, [wait_for(id, "listo", 120) for id in ids])


@pytest.mark.parametrize("length", [4, 5])
def test_accounts_whose_short_names_collide_get_longer_ones(machine, api, deliver, unique, length):
    local = unique("c").replace("-", "")[:20]
    one, other = colliding(local, length)
    assert suffix(one, length) == suffix(other, length) and suffix(one, 12) != suffix(other, 12)
    first, second = deliver(one), deliver(other)
    assert first["ftpuser"] == f"ftp_{local}_{suffix(one, 4)}"
    assert second["ftpuser"] == f"ftp_{local}_{suffix(other, 5)}", "four characters are taken"
    one_account_each(machine, [first, second])
    # Names are kept for ever: also when the first has gone.
    api.delete(f"/tmpftp/{first['id']}")
    assert folders(machine, second) == {second["id"]}
    third = deliver(other)
    assert third["ftpuser"] == second["ftpuser"]
    assert deliver(one)["ftpuser"] == first["ftpuser"]


def test_colliding_accounts_made_at_the_same_moment(machine, source, submit, wait_for, unique):
    local = unique("s").replace("-", "")[:20]
    route = source.make_tree(unique("tree"), SMALL)
    ids = [submit(f"{route}/", usuario=address) for address in colliding(local, 4)]
    answers = [wait_for(id, "listo") for id in ids]
    assert sorted(len(answer["ftpuser"]) for answer in answers) == [len(f"ftp_{local}_") + 4, len(f"ftp_{local}_") + 5]
    one_account_each(machine, answers)


def test_names_have_the_contracts_form_whatever_the_address(machine, deliver, unique):
    for local in ("$" + unique(), "A" * 60, "-" * 60, "0"):
        answer = deliver(f"{local}@{unique('d')}.org")
        assert re.fullmatch(r"ftp_[a-z0-9]{1,32}_[a-z2-7]{4}", answer["ftpuser"])
        assert folders(machine, answer) == {answer["id"]}
