"""Hostile ids, addresses, routes and bodies: each is refused in the contract's words or taken literally, and whatever was
asked, nothing is created, run or deleted outside of the request's own folder.

Each test sends its whole table at one door (POST, path, command line) between two looks at the machine: see `unharmed`.
"""
import json
import re
import subprocess

import pytest

import client
from client import fetch, ftp_login
from machine import Source, wait_until

CANARY = "/tmp/pwned"  # what every payload tries to make
RUN = f"touch {CANARY}"

# ---- the table ----------------------------------------------------------------------------------------

BAD_ID = "ID inválido: use de 1 a 64 letras, dígitos, '.', '_' o '-'"
BAD_EMAIL = "Correo inválido"
ROUTE = "Ruta remota inválida"
FORM, NO_HOST, NO_SLASH, USER_HOST, CHARACTERS = (
    f"{ROUTE}, use 'host:/ruta' o 'usuario@host:/ruta'", f"{ROUTE}: falta host antes de ':'", f"{ROUTE}: la ruta debe iniciar con '/'",
    f"{ROUTE}: formato de usuario@host incorrecto", f"{ROUTE}: caracteres no permitidos")

REFUSED_IDS = [
    # empty, folders, absolute paths
    "", " ", ".", "..", "...", "../x", "../../etc/passwd", "a/b", "a/../../b", "a/..", "/etc/passwd", "/", "a//b", "a..b", "..a", ".hidden", "a/.",
    ".staging", ".purge/x.1",
    # options
    "-", "-rf", "--delete", "--no-preserve-root", "-oProxyCommand=x", "-e", "_a",
    # the shell
    f"a;{RUN}", f"$({RUN})", f"`{RUN}`", f"a|{RUN}", f"a&{RUN}", f"a\n{RUN}", "a>b", "a<b", "a*", "?", "[a]", "{a,b}", "~", "~root", "!!", "$HOME", "a'b", 'a"b',
    "a\\b", "#a", "a b", "a\tb", "(a)",
    # systemd: specifiers, escapes, templates, separators of properties
    "%i", "%n", "a%i", "%h", "%%", "a\\x2db", "a\\x2f..\\x2fb", "a@b", "a@.service", "a:b", "a=b", "a,b", "a+b", "a\nExecStart=/bin/sh",
    # lines and terminals
    "a\r\nX-Evil: 1", "a\nb", "a\r", "\x1b[2J", "\x07", "\x7f", "a\x85b",
    # Unicode: look-alikes, invisible, direction, width, combining
    "año", "\u0430dmin", "\uff41", "\u0661", "a\u200b", "\u202egpj.exe", "\u2066a\u2069", "a\u0301", "\ufeffa", "a\u2028b", "a\u2024\u2024b", "\u2215etc",
    # SQL
    "a' OR '1'='1", "a';--", "%", "a%", "*",
    # words of the API itself; too long
    "expired", "user", "a" * 65, "a" * 5000, "../" * 500,
]

REFUSED_EMAILS = [
    "", " ", "@", "a", "a@", "@b", "a@b@c", "a@@b", "a b@c", "a@b c", "a@b/c", "a@../b", "a@b..c", "a..b@c", ".a@b", "a.@b", "a@.b", "a@b.", "a@-b", "a@b-",
    f'"{RUN}"@b', f"a@b;{RUN}", f"a@$({RUN})", f"a@`{RUN}`", f"a;{RUN}@b", "a@b\n", "a\n@b", "a@b\r\nBcc: c@d", "a@b\x1b[2J", "a@b\x7f", "a\\b@c", "a@b\\c",
    "a,b@c", "<a@b>", "A <a@b>", "a@[127.0.0.1]", "a@[::1]", "a@b:c", "a@b%i", "a@%h", "(c)a@b", "mailto:a@b",
    "ana@\u0435xample.org", "\u0430na@example.org", "josé@example.org", "ana@exämple.org", "a\u202e@b", "a\u200b@b", "a@b\u0301", "a\uff20b", "a@b\u3002org",
    f"{'a' * 250}@b.org", f"a@{'b' * 5000}", "a@b' OR '1'='1", "a@*", "a@b_c",
]

REFUSED_ROUTES = [
    # no host, no path, no form
    ("", FORM), (" ", FORM), ("source", FORM), ("/srv", FORM), ("//source/srv", FORM), ("../source", FORM), ("[::1]", FORM), ("[::1]/srv", FORM),
    (":", NO_HOST), (":/srv", NO_HOST), ("::/srv", NO_HOST), ("source:", NO_SLASH), ("source:srv", NO_SLASH), ("source:~/srv", NO_SLASH),
    ("source: /srv", NO_SLASH), ("source:-rf", NO_SLASH), ("source:../srv", NO_SLASH),
    # rsync's daemon, in all its spellings
    ("source::module", NO_SLASH), ("source::module/srv", NO_SLASH), ("source::/srv", NO_SLASH), ("ana@source::module", NO_SLASH), ("[::1]::module", NO_SLASH),
    ("rsync:rsync://source/module", NO_SLASH),
    # users and hosts
    ("@source:/srv", USER_HOST), ("ana@:/srv", USER_HOST), ("@:/srv", USER_HOST), ("a@b@source:/srv", USER_HOST), ("a@@source:/srv", USER_HOST),
    ("-oProxyCommand=x:/srv", CHARACTERS), (f"-oProxyCommand={RUN}:/srv", CHARACTERS), ("-lroot:/srv", CHARACTERS), ("-F/tmp/x:/srv", CHARACTERS), ("--:/srv", CHARACTERS),
    ("ana@-oProxyCommand=x:/srv", CHARACTERS), ("-oUser=root@source:/srv", CHARACTERS), ("-l@source:/srv", CHARACTERS), ("source -oX:/srv", CHARACTERS),
    (" source:/srv", CHARACTERS), ("source :/srv", CHARACTERS), ("sour\nce:/srv", CHARACTERS), ("source\x1b:/srv", CHARACTERS), ("a/b:/srv", CHARACTERS),
    ("../b:/srv", CHARACTERS), ("%h:/srv", CHARACTERS), ("%i@source:/srv", CHARACTERS), ("$HOME:/srv", CHARACTERS), (f"$({RUN}):/srv", CHARACTERS),
    (f"`{RUN}`@source:/srv", CHARACTERS), ("sourc\u0435:/srv", CHARACTERS), ("ａ:/srv", CHARACTERS), ("a,b:/srv", CHARACTERS), ("*:/srv", CHARACTERS), ("!source:/srv", CHARACTERS),
    ("so\\urce:/srv", CHARACTERS), ("a;b:/srv", CHARACTERS),
    # brackets
    ("[]:/srv", CHARACTERS), ("[::1%lo]:/srv", CHARACTERS), ("[source]:/srv", CHARACTERS), ("[127.0.0.1]:/srv", CHARACTERS), ("[-oX]:/srv", CHARACTERS),
    ("[[::1]]:/srv", FORM), ("[::1:/srv", NO_SLASH), ("[::1]x:/srv", FORM), ("x[::1]:/srv", NO_SLASH), ("::1:/srv", NO_HOST), ("fe80::1:/srv", NO_SLASH),
    # paths: climbing, the shell, wildcards, quotes, lines, directions
    ("source:/..", CHARACTERS), ("source:/../etc", CHARACTERS), ("source:/srv/../../etc", CHARACTERS), ("source:/srv/..", CHARACTERS), ("source:/srv/../", CHARACTERS),
    (f"source:/srv;{RUN}", CHARACTERS), (f"source:/srv/$({RUN})", CHARACTERS), (f"source:/srv/`{RUN}`", CHARACTERS), (f"source:/srv|{RUN}", CHARACTERS),
    (f"source:/srv&&{RUN}", CHARACTERS), (f"source:/srv\n{RUN}", CHARACTERS), ("source:/srv\r", CHARACTERS), ("source:/srv\t", CHARACTERS), ("source:/srv/$HOME", CHARACTERS),
    ("source:/srv/${IFS}", CHARACTERS), ("source:/srv/*", CHARACTERS), ("source:/srv/?", CHARACTERS), ("source:/srv/[a-z]", CHARACTERS), ("source:/srv/{a,b}", CHARACTERS),
    ("source:/srv/a'b", CHARACTERS), ('source:/srv/a"b', CHARACTERS), ("source:/srv/a\\b", CHARACTERS), ("source:/srv/\\x2e\\x2e", CHARACTERS), ("source:/srv/a<b", CHARACTERS),
    ("source:/srv/#", CHARACTERS), ("source:/srv/!x", CHARACTERS), ("source:/srv/(a)", CHARACTERS), ("source:/srv/a^b", CHARACTERS),
    ("source:/srv/\x1b[2J", CHARACTERS), ("source:/srv/\x7f", CHARACTERS), ("source:/srv/\x9b2J", CHARACTERS),
    ("source:/srv/\u202egpj", CHARACTERS), ("source:/srv/\u2066a\u2069", CHARACTERS), ("source:/srv/a\u200bb", CHARACTERS), ("source:/srv/\u2215..\u2215etc", CHARACTERS),
    ("source:/srv/\ufeff", CHARACTERS), ("source:/srv/\u2028", CHARACTERS), ("source:/srv/\uff0e\uff0e/etc", CHARACTERS), ("source:/srv/\ue000", CHARACTERS),
    ("source:/srv/a\u00a0b", CHARACTERS), ("source:/srv/\U0001f4a3", CHARACTERS),
    (f"source:/{'a' * 5_000}", FORM),
]

GOOD = {"usuario": "ana@example.org", "id": "hostile-body", "ruta": "source:/srv/canary", "vigencia": 5}


def good(**fields):
    return json.dumps({**GOOD, **fields}).encode()


# Bodies that are no request at all: each is 422.
REFUSED_BODIES = {
    "nothing": b"", "space": b" ", "text": b"id", "number": b"1", "null": b"null", "list": b"[]", "list-of-one": b"[" + good() + b"]", "string": b'"x"',
    "cut": good()[:-1], "more": good() + b"x", "two": good() + good(), "comment": b"/**/" + good(), "single-quotes": good().replace(b'"', b"'"),
    "nul-byte": good().replace(b"hostile", b"host\0ile"), "nul-escaped": good(id="host\0ile"), "nul-in-a-route": good(ruta="source:/srv\0/etc"),
    "nul-in-an-address": good(usuario="ana@example.org\0"), "nul-behind": good() + b"\0",
    "overlong-dots": good().replace(b"/srv/canary", b"/srv/\xc0\xae\xc0\xae/etc"), "overlong-slash": good().replace(b"hostile-body", b"a\xc0\xafb"),
    "overlong-3": good().replace(b"hostile-body", b"a\xe0\x80\xafb"), "latin-1": good().replace(b"canary", b"a\xf1o"), "surrogate": good().replace(b"canary", b"\xed\xa0\x80"),
    "lone-surrogate": good().replace(b"canary", b"\\ud800"), "beyond-unicode": good().replace(b"canary", b"\xf4\x90\x80\x80"), "utf-16": json.dumps(GOOD).encode("utf-16"),
    "bom": b"\xef\xbb\xbf" + good(), "duplicate": good()[:-1] + b', "id": "other"}', "duplicate-escaped": good()[:-1] + b', "\\u0069d": "other"}',
    "deep": b'{"id":' + b"[" * 3_000 + b"]" * 3_000 + b"}", "huge-number": good().replace(b"5}", b"1" * 400 + b"}"), "huge-exponent": good().replace(b"5}", b"1e999999}"),
    "nan": good().replace(b"5}", b"NaN}"), "hex": good().replace(b"5}", b"0x5}"), "octal": good().replace(b"5}", b"05}"),
    **{f"id-is-{name}": good(id=value) for name, value in {"null": None, "number": 1, "list": ["a"], "object": {"a": 1}, "true": True}.items()},
    **{f"usuario-is-{name}": good(usuario=value) for name, value in {"null": None, "number": 1, "list": ["a@b"], "object": {"$ne": ""}}.items()},
    **{f"ruta-is-{name}": good(ruta=value) for name, value in {"null": None, "number": 1, "list": ["source:/srv"], "object": {"host": "source"}}.items()},
    **{f"vigencia-is-{name}": good(vigencia=value) for name, value in {"null": None, "text": "5", "half": 5.5, "true": True, "list": [5], "object": {}}.items()},
    "grupo-is-a-list": good(grupo=[]),
}

# What the rules let through: it has to be taken letter for letter.
LITERAL_IDS = ["a.service", "a.timer", "a.d", "b.", "tempoftp", "x.slice", "EXPIRED", "User", "0", "1e9", "null", "transfer-1-1-x", "1-2-3", "c" * 64, "health",
               "d.1", "d.1.1", "a-.service.d", "orphan-0", "con"]
LITERAL_EMAILS = ["%i@example.org", "$HOME@example.org", "`id`@example.org", "-rf@example.org", "--delete@example.org", "/etc/passwd@example.org", "*@example.org",
                  "?@example.org", "~root@example.org", "{a,b}@example.org".replace(",", "|"), "a'b@example.org", "#@example.org", "!!@example.org", "a&b@example.org",
                  "$PATH|x@example.org", "a=b@example.org", "%00@example.org", "%2e%2e/x@example.org", "-oproxycommand=x@example.org", "a/b@example.org"]
LITERAL_FOLDERS = ["%i %n %h %%", "-rf", "--delete", "-oProxyCommand=x", "~", "~root", " leading", "trailing ", "a:b", "::module", "user@host:", "a=b,c+d", "...",
                   "%2e%2e", "שלום עולם", "مرحبا", "e\u0301", ".hidden", "z" * 255, "--"]


# ---- the machine before and after ---------------------------------------------------------------------

# What comes and goes by itself: logs, systemd's notes and private folders, the state database.
PASSING = re.compile(r"/var/log/|/var/lib/systemd/|/systemd-private-|/state\.db|^/(upper/)?run/(?!tempoftp)|^/run/tempoftp/?$")
# Services that come and go by themselves.
OURS = ("/usr/bin/tempoftpd", "/usr/bin/tempoftp-ftpd", "/usr/libexec/tempoftp/tempoftp-broker", "/usr/bin/busctl")


def files(machine):
    """Every file that was written, changed or deleted, wherever. Folders have no times: a request's own folder comes and goes in them."""
    listed = set()
    for top in machine.written():
        shown = subprocess.run(["find", str(top), "-type", "d", "-printf", "%P %y %m %U:%G\\0", "-o", "-printf", "%P %y %m %U:%G %s %T@ %l\\0"],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode(errors="surrogateescape")
        listed |= {line for line in (f"/{top.name}/{line}" for line in shown.split("\0")) if not PASSING.search(line)}
    assert any("/etc/passwd" in line for line in listed)
    return listed


def units(machine):
    """Loaded units but for what the installed files name, and the mounts that systemd makes for their credentials."""
    installed = {path.name for path in machine.file("/usr/lib/systemd/system").iterdir() if path.name.startswith("tempoftp")}
    return {unit for unit in set(machine.units("*")) - installed if not unit.startswith(("system-tempoftp", "run-credentials-tempoftp"))}  # slices of templates stay


def processes(machine):
    shown = machine.run(["ps", "-eww", "-o", "user:32=,args="]).stdout.splitlines()
    return {line for line in shown if not any(program in line for program in (*OURS, "ps -eww"))}


def difference(before, after):
    return {"gone": sorted(before - after), "new": sorted(after - before)}


@pytest.fixture(scope="module")
def canary(machine):
    """A delivered dataset that has to live through all of it, and files on the source host that nobody asks for."""
    api, source, id = client.unix_api(machine), Source(machine), "canary"
    source.make_tree("canary", {"canary.txt": "alive\n"})
    reply = api.post("/tmpftp", {"usuario": "canary@example.org", "id": id, "ruta": "source:/srv/canary/", "vigencia": 5})
    assert reply.status == 202, reply
    answer = client.wait_for(api, id, "listo")
    wait_until(lambda: not machine.units("tempoftp-transfer-*"), 30, "the canary's unit is collected")
    with ftp_login(machine, answer) as ftp:  # from here on the FTP server holds the children that it keeps ready
        assert fetch(ftp, "/canary/canary.txt") == b"alive\n"
    yield answer
    assert api.delete(f"/tmpftp/{id}").status == 200
    source.remove_trees()


@pytest.fixture
def unharmed(machine, api, canary):
    """Before and after the test the machine is the same: files, units, processes, users (/etc), requests, and the canary."""
    def look():
        return files(machine), units(machine), processes(machine), {row["id"] for row in api.get("/tmpftp?limite=1000").json["solicitudes"]}

    def unchanged():
        changes = [difference(*pair) for pair in zip(before, look())]
        assert not any(any(change.values()) for change in changes), changes
        return True

    wait_until(lambda: not machine.units("tempoftp-purge-*"), 30, "the data of the test before is gone")
    before = look()
    yield canary
    wait_until(unchanged, 30, "the machine is as it was", interval=0.3)
    assert not machine.file(CANARY).exists()
    assert api.get("/tmpftp/canary").json["status"] == "listo"
    with ftp_login(machine, canary) as ftp:
        assert fetch(ftp, "/canary/canary.txt") == b"alive\n"


def deviations(table, ask, accepts):
    """Every row's answer is looked at, and all that deviate are shown together."""
    wrong = []
    for row in table:
        answer = ask(row)
        if not accepts(row, answer):
            wrong.append((row if len(repr(row)) < 200 else repr(row)[:200], answer))
    return wrong


def test_the_table_is_as_long_as_was_asked_for():
    rows = [REFUSED_IDS, REFUSED_EMAILS, [route for route, _ in REFUSED_ROUTES], list(REFUSED_BODIES), LITERAL_IDS, LITERAL_EMAILS, LITERAL_FOLDERS]
    assert all(len(set(table)) == len(table) for table in rows), "a row stands twice"
    assert sum(map(len, rows)) >= 300


# ---- POST ---------------------------------------------------------------------------------------------

def refused(row, reply):
    fields, message = row
    return reply.status == 400 and reply.json == {"detail": {"id": fields["id"][:64], "status": "error", "mensaje": message}}


def test_hostile_ids_are_refused_by_post(unharmed, api):
    table = [({**GOOD, "id": id}, BAD_ID) for id in REFUSED_IDS]
    assert deviations(table, lambda row: api.post("/tmpftp", row[0]), refused) == []


def test_hostile_addresses_are_refused_by_post(unharmed, api):
    table = [({**GOOD, "usuario": email}, BAD_EMAIL) for email in REFUSED_EMAILS]
    assert deviations(table, lambda row: api.post("/tmpftp", row[0]), refused) == []


def test_hostile_routes_are_refused_by_post(unharmed, api):
    table = [({**GOOD, "ruta": route}, message) for route, message in REFUSED_ROUTES]
    assert deviations(table, lambda row: api.post("/tmpftp", row[0]), refused) == []


def test_hostile_groups_are_refused_by_post(unharmed, api):
    groups = [id for id in REFUSED_IDS if id not in ("expired", "user", "a..b")]
    wrong = deviations(groups, lambda group: api.post("/tmpftp", {**GOOD, "grupo": group}), lambda _, reply: reply.status == 400)
    assert wrong == []


def test_bodies_that_are_no_request_are_422(unharmed, http):
    def ask(name):
        return http.post("/tmpftp", body=REFUSED_BODIES[name], headers={"Content-Type": "application/json"})

    def accepts(_, reply):
        return reply.status == 422 and all(set(row) == {"loc", "msg", "type"} and row["loc"][0] == "body" for row in reply.json["detail"])
    assert deviations(REFUSED_BODIES, ask, accepts) == []


def test_only_listed_origins_pass_however_they_are_spelled(api, machine):
    spellings = ["localhost", "127.0.0.1", "127.1", "2130706433", "0x7f000001", "source.", "source.evil.org", "evil.org", "sourc", "xsource", "ana@localhost"]
    with machine.settings(TEMPOFTP_ORIGENES="source,other"):
        wrong = deviations(spellings, lambda host: api.post("/tmpftp", {**GOOD, "ruta": f"{host}:/srv/canary"}),
                           lambda host, reply: reply.status == 400 and
                           reply.json["detail"]["mensaje"] == f"Origen no permitido: {host.split('@')[-1]}")
        brackets = api.post("/tmpftp", {**GOOD, "ruta": "[::ffff:127.0.0.1]:/srv/canary"})
    assert wrong == []
    assert api.get("/tmpftp/hostile-body").status == 404
    assert brackets.json["detail"]["mensaje"] == "Origen no permitido: ::ffff:127.0.0.1"


# ---- paths --------------------------------------------------------------------------------------------

DOORS = [("GET", ""), ("GET", "/eventos"), ("DELETE", ""), ("POST", "/bloquear"), ("POST", "/desbloquear"), ("POST", "/extender")]
NOT_FOUND = ("No encontrado", "Solicitud no encontrada")
URL_MAX = 8100  # bytes, of 8192, for what stands behind /tmpftp/


def in_path(text):
    """Every byte percent-encoded, dots and letters too: nobody on the way can tidy it up, and no word is the API's own."""
    return "".join(f"%{byte:02X}" for byte in text.encode())


def is_nobodys(text, reply, details):
    """Not found; or, what is longer than any URL may be, not looked for."""
    if len(in_path(text)) > URL_MAX:
        return reply.status == 414
    return reply.status == 404 and reply.json["detail"] in details


def test_hostile_ids_in_paths_are_nobodys(unharmed, api):
    table = [id for id in REFUSED_IDS if id] + ["a\0b", "x\0", "canary\0", "canary/", "../tmpftp/canary", "canary'--", "CANARY", "canary%00"]
    for method, action in DOORS:
        body = {"dias": 1} if action == "/extender" else None
        wrong = deviations(table, lambda id: api(method, f"/tmpftp/{in_path(id)}{action}", json=body),
                           lambda id, reply: is_nobodys(id, reply, NOT_FOUND))
        assert wrong == [], (method, action)


def test_hostile_names_delete_nobodys_account(unharmed, api):
    table = [name for name in REFUSED_EMAILS + REFUSED_IDS if name] + [f"{unharmed['ftpuser']}\0", f"{unharmed['ftpuser']}/",
                                                                       unharmed["ftpuser"].upper(), unharmed["ftpuser"][:-1], "ftp_%", "ftp_*", "root", "ftp_x_", "%@%", "_@_"]
    wrong = deviations(table, lambda name: api.delete(f"/tmpftp/user/{in_path(name)}"),
                       lambda name, reply: is_nobodys(name, reply, ("Usuario no encontrado", "No encontrado")))
    assert wrong == []


def test_broken_paths_lead_nowhere(unharmed, api):
    id = "canary"
    paths = ["/tmpftp/../tmpftp", f"/tmpftp/./../{id}", "/tmpftp/..", "/tmpftp/../../etc/passwd", "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/tmpftp/%", "/tmpftp/%zz",
             "/tmpftp/%0", "/tmpftp/%c0%ae", "/tmpftp/%ff", f"//tmpftp/{id}", f"/tmpftp//{id}", f"/tmpftp/{id}/", f"/tmpftp/{id}/eventos/x", f"/TMPFTP/{id}", f"/tmpftp/{id};x",
             f"/tmpftp/{id}%20", f"/tmpftp/%20{id}", "/tmpftp/" + "a" * 4000, "/tmpftp/" + "%2e" * 1000]
    for method in ("GET", "DELETE"):
        wrong = deviations(paths, lambda path: api(method, path), lambda _, reply: reply.status in (404, 405))
        assert wrong == [], method


def test_hostile_questions_are_refused_or_change_nothing(unharmed, api):
    for parameter in ("estado", "limite", "despues"):
        wrong = deviations([id for id in REFUSED_IDS if len(id) < 1000], lambda id: api.get(f"/tmpftp?{parameter}={in_path(id)}"),
                           lambda _, reply: reply.status == 422 and reply.json["detail"][0]["loc"] == ["query", parameter])
        assert wrong == [], parameter


# ---- the command line ---------------------------------------------------------------------------------

DONE, REFUSED, USAGE, MISSING = 0, 1, 2, 3


def printable(text):
    return all(character == "\n" or character.isprintable() for character in text)


def in_argv(table):
    return [text for text in table if "\0" not in text and len(text) < 100_000]


@pytest.mark.parametrize("verb", ["ver", "eliminar", "bloquear", "desbloquear", "eventos"])
def test_hostile_ids_on_the_command_line_name_nobody(unharmed, machine, verb):
    def tell(id):
        done = machine.run(["tempoftp", verb, "--", id], check=False)
        return done.returncode, done.stdout, done.stderr

    wrong = deviations(in_argv(REFUSED_IDS)[::3], tell, lambda _, told: told[0] in (MISSING, USAGE) and told[1] == "" and told[2] and printable(told[2]))
    assert wrong == []


@pytest.mark.parametrize("field", ["id", "usuario", "ruta"])
def test_hostile_words_of_crear_are_refused(unharmed, machine, field):
    tables = {"id": REFUSED_IDS, "usuario": REFUSED_EMAILS, "ruta": [route for route, _ in REFUSED_ROUTES]}

    def tell(text):
        words = {**GOOD, field: text}
        done = machine.run(["tempoftp", "crear", "--", words["usuario"], words["id"], words["ruta"], "5"], check=False)
        return done.returncode, done.stdout, done.stderr

    wrong = deviations(in_argv(tables[field])[::2], tell, lambda _, told: told[0] in (REFUSED, USAGE) and told[1] == "" and told[2] and printable(told[2]))
    assert wrong == []


def test_words_that_look_like_options_are_options_or_errors(unharmed, machine):
    """Without `--`: what is no option of the client is a usage error, never an id."""
    options = [text for text in REFUSED_IDS + REFUSED_EMAILS if text.startswith("-") and text not in ("-", "-e")] + ["--url=file:///etc/passwd", "--url", "--json=/etc/shadow"]
    wrong = deviations(options, lambda text: machine.run(["tempoftp", "ver", text], check=False), lambda _, done: done.returncode not in (DONE, -11, -6))
    assert wrong == []


# ---- what the rules let through is taken letter for letter ----------------------------------------------

def test_odd_but_allowed_names_are_taken_literally(unharmed, machine, api, source, unique, submit, wait_for):
    top = unique("odd")
    source.make_tree(top, {f"{folder}/{n}.txt": f"{n}\n" for n, folder in enumerate(LITERAL_FOLDERS)})
    rows = list(zip(LITERAL_IDS, LITERAL_EMAILS, LITERAL_FOLDERS, strict=True))
    for id, email, folder in rows:
        submit(f"source:/srv/{top}/{folder}", id=id, usuario=email)
    machine.run(["systemctl", "daemon-reload"])  # systemd reads what it wrote of the transient units: no specifier may be expanded then
    for n, (id, email, folder) in enumerate(rows):
        answer = wait_for(id, "listo", 120)
        assert answer["email"] == email.lower()
        home = machine.file(f"/data/{answer['ftpuser']}")
        assert [path.name for path in home.iterdir()] == [id]
        assert [str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()] == [f"{id}/{folder}/{n}.txt"]
        with ftp_login(machine, answer) as ftp:
            assert fetch(ftp, f"/{id}/{folder}/{n}.txt") == f"{n}\n".encode()
    wanted = {f"tempoftp-expire-{id}.timer" for id in LITERAL_IDS}
    wait_until(lambda: wanted <= set(machine.units("tempoftp-expire-*.timer")), 30, "a timer for each")
    for id in LITERAL_IDS:
        assert api.delete(f"/tmpftp/{id}").status == 200


@pytest.fixture
def also_named(machine):
    """also_named(names) gives this machine more names, as a DNS might."""
    machine.run(["cp", "-p", "/etc/hosts", "/etc/hosts.before"])
    yield lambda names: machine.shell("cat >>/etc/hosts", input=f"127.0.0.1 {' '.join(names)}\n")
    machine.run(["mv", "/etc/hosts.before", "/etc/hosts"])


def test_odd_but_allowed_hosts_are_only_hosts(unharmed, api, submit, wait_for, also_named):
    """A URL's scheme, an address in another spelling, an odd name: each is the name of a machine whose key nobody knows, and nothing else. So nothing is
    fetched from it, even when it is found."""
    also_named(["rsync", "ssh", "file", "_", "a.b.c.d", "source.local"])
    routes = ["rsync://source/etc", "ssh://source:/srv", "file:///etc/passwd", "_:/srv/canary", "a.b.c.d:/srv/canary", "source.local:/srv/canary",
              "2130706433:/srv/canary", "127.1:/srv/canary", "0x7f.1:/srv/canary", "0177.0.0.1:/srv/canary"]
    for n, route in enumerate(routes):
        answer = wait_for(submit(route, id=f"odd-host-{n}"), "error", 120)
        assert "known_hosts" in answer["mensaje"] and "ftpuser" not in answer, (route, answer)
        assert api.delete(f"/tmpftp/odd-host-{n}").status == 200


def test_odd_but_allowed_users_are_only_users(unharmed, api, submit, wait_for):
    for n, user in enumerate(["nobody.there", "_", ".", "..", "0", "a-oProxyCommand", "Root"]):
        answer = wait_for(submit(f"{user}@source:/srv/canary", id=f"odd-user-{n}"), "error", 120)
        assert "no aceptó nuestra llave" in answer["mensaje"], (user, answer)
        assert api.delete(f"/tmpftp/odd-user-{n}").status == 200


def test_hostile_reasons_of_a_block_are_only_text(unharmed, machine, api):
    """The reason comes back as it was written, and the journal's line stays one line of ours."""
    id = "canary"
    for reason in (f"$({RUN})", "a\nMESSAGE_ID=x\nPRIORITY=0", "\u202egpj", "%i %n %s %d", "'; DROP TABLE requests; --", "\x1b[2J", "</script>", "á" * 200):
        began = machine.journal_now()
        reply = api.post(f"/tmpftp/{id}/bloquear", {"razon": reason})
        assert (reply.status, reply.json["razon"]) == (200, reason)
        assert api.get(f"/tmpftp/{id}").json["mensaje"] == f"Acceso bloqueado: {reason}"
        assert machine.journal("PRIORITY=0", since=began) == ""
    assert api.post(f"/tmpftp/{id}/desbloquear").status == 200
