"""What an FTP client says and hears: lines in, lines out."""
import ftplib
import hashlib
import re

import pytest

from ftp_standalone import ACCOUNT, PASSWORD, ftpd  # noqa: F401 (a fixture)

# (before login, after login): the code that answers.
CODES = [
    ("NOOP", "200", "200"),
    ("noop", "200", "200"),
    ("SYST", "215", "215"),
    ("FEAT", "211", "211"),
    ("HELP", "214", "214"),
    ("HELP RETR", "214", "214"),
    ("HELP XYZ", "502", "502"),
    ("CLNT x", "200", "200"),
    ("OPTS UTF8 ON", "200", "200"),
    ("OPTS utf8 on", "200", "200"),
    ("OPTS MLST type;size;", "530", "200"),
    ("OPTS HASH", "530", "200"),
    ("OPTS HASH SHA-256", "530", "200"),
    ("OPTS HASH MD5", "530", "501"),
    ("OPTS NADA", "530", "501"),
    ("HASH a.txt", "530", "213"),
    ("HASH set1", "530", "550"),
    ("HASH nada", "530", "550"),
    ("HASH", "530", "501"),
    ("OPTS", "501", "501"),
    ("USER", "501", "501"),
    ("USER otro", "331", "503"),
    ("PASS x", "503", "503"),
    ("ACCT x", "530", "202"),
    ("ALLO 5", "530", "202"),
    ("ALLO 5 R 80", "530", "202"),
    ("ALLO x", "530", "501"),
    ("ALLO", "530", "501"),
    ("PWD", "530", "257"),
    ("XPWD", "530", "257"),
    ("CWD set1", "530", "250"),
    ("CWD nada", "530", "550"),
    ("CWD a.txt", "530", "550"),
    ("CWD", "530", "501"),
    ("XCWD set1", "530", "250"),
    ("CDUP", "530", "250"),
    ("XCUP", "530", "250"),
    ("SIZE a.txt", "530", "213"),
    ("SIZE set1", "530", "550"),
    ("SIZE nada", "530", "550"),
    ("MDTM a.txt", "530", "213"),
    ("MDTM nada", "530", "550"),
    ("MLST", "530", "250"),
    ("MLST a.txt", "530", "250"),
    ("MLST nada", "530", "550"),
    ("TYPE I", "530", "200"),
    ("TYPE A", "530", "200"),
    ("TYPE A N", "530", "200"),
    ("TYPE L 8", "530", "200"),
    ("TYPE E", "530", "504"),
    ("MODE S", "530", "200"),
    ("MODE Z", "530", "504"),
    ("STRU F", "530", "200"),
    ("STRU R", "530", "504"),
    ("REST 0", "530", "350"),
    ("REST -1", "530", "501"),
    ("REST 99999999999999999999", "530", "501"),
    ("RETR a.txt", "530", "425"),
    ("RETR nada", "530", "550"),
    ("RETR set1", "530", "550"),
    ("RETR", "530", "501"),
    ("LIST", "530", "425"),
    ("LIST nada", "530", "550"),
    ("NLST", "530", "425"),
    ("MLSD", "530", "425"),
    ("MLSD a.txt", "530", "501"),
    ("PASV", "530", "227"),
    ("EPSV", "530", "229"),
    ("EPSV 1", "530", "229"),
    ("EPSV 2", "530", "522"),
    ("PORT 127,0,0,1,4,1", "530", "200"),
    ("PORT 127,0,0,1,3,255", "530", "501"),  # below 1024
    ("PORT 127,0,0,2,4,1", "530", "501"),  # somebody else
    ("PORT 127,0,0,1,4", "530", "501"),
    ("PORT 127,0,0,1,4,256", "530", "501"),
    ("PORT", "530", "501"),
    ("EPRT |1|127.0.0.1|1025|", "530", "200"),
    ("EPRT !1!127.0.0.1!1025!", "530", "200"),
    ("EPRT |1|127.0.0.1|1023|", "530", "501"),
    ("EPRT |1|127.0.0.2|1025|", "530", "501"),
    ("EPRT |1|127.0.0.1|65536|", "530", "501"),
    ("EPRT |1|localhost|1025|", "530", "501"),
    ("EPRT |2|::1|1025|", "530", "522"),
    ("EPRT |3|x|1025|", "530", "522"),
    ("ABOR", "530", "226"),
    ("AUTH TLS", "502", "502"),
    ("PBSZ 0", "502", "502"),
    ("PROT P", "502", "502"),
    ("REIN", "220", "220"),
    ("SITE CHMOD 777 a.txt", "530", "502"),
    ("STAT", "530", "211"),
    ("STAT set1", "530", "213"),
    ("STAT -la set1", "530", "213"),
    ("STAT a.txt", "530", "213"),
    ("STAT nada", "530", "550"),
    ("XYZZY", "500", "500"),
    ("", "500", "500"),
    ("GET / HTTP/1.1", "500", "500"),
    # what would change something
    ("STOR x", "530", "550"),
    ("STOU", "530", "550"),
    ("APPE a.txt", "530", "550"),
    ("DELE a.txt", "530", "550"),
    ("MKD x", "530", "550"),
    ("XMKD x", "530", "550"),
    ("RMD set1", "530", "550"),
    ("XRMD set1", "530", "550"),
    ("RNFR a.txt", "530", "550"),
    ("RNTO b.txt", "530", "550"),
    ("MFMT 20200101000000 a.txt", "530", "550"),
    # what must not pass as a name
    (b"RETR a\rb", "501", "501"),
    (b"RETR a\0b", "501", "501"),
    (b"RETR " + b"x" * 5000, "500", "500"),
]


@pytest.fixture
def tree(ftpd):  # noqa: F811
    ftpd.put("a.txt", "hola\n")
    ftpd.put("set1/b.txt", "adiós\n")
    return ftpd


@pytest.mark.parametrize("moment", ["before login", "after login"])
def test_every_command_gets_its_code(tree, moment):
    wrong = []
    for command, before, after in CODES:
        with tree.talk(login=moment == "after login") as talk:
            expected = before if moment == "before login" else after
            reply = talk.ask(command)
            # One command, one reply: what follows is the answer to what follows.
            next_reply = talk.ask("NOOP")
            if reply[:3] != expected or next_reply[:3] != "200":
                wrong.append((command, expected, reply, next_reply))
    assert not wrong


def test_nothing_was_changed_by_what_was_refused(tree):
    before = sorted(path.name for path in tree.root.rglob("*"))
    with tree.talk(login=True) as talk:
        for command in ("DELE a.txt", "RMD set1", "MKD new", "RNFR a.txt", "RNTO c", "STOR d", "APPE a.txt"):
            assert talk.ask(command).startswith("550")
    assert sorted(path.name for path in tree.root.rglob("*")) == before
    assert (tree.root / "a.txt").read_text() == "hola\n"


def test_rein_takes_the_client_to_another_login(tree):
    with tree.talk(login=True) as talk:
        assert talk.ask("CWD set1").startswith("250")
        for _ in range(3):
            assert talk.ask("REIN").startswith("220")
            assert talk.ask("PWD").startswith("530")
            assert talk.ask("USER nobody").startswith("331")
            assert talk.ask("PASS wrong").startswith("530")
            assert talk.ask(f"USER {ACCOUNT}").startswith("331")
            assert talk.ask(f"PASS {PASSWORD}").startswith("230")
            assert talk.ask("PWD").startswith('257 "/"')
        talk.send(b"REIN\r\nNOOP\r\n")
        assert [talk.reply()[:3], talk.reply()[:3]] == ["503", "200"]  # what came along would be lost with the session
        assert talk.ask("QUIT").startswith("221")
        assert talk.reply() == ""


def test_pipelined_commands_are_answered_in_order_across_the_login(tree):
    with tree.talk() as talk:
        talk.send(f"USER {ACCOUNT}\r\nPASS {PASSWORD}\r\nCWD set1\r\nPWD\r\nSIZE b.txt\r\nQUIT\r\n")
        assert [talk.reply()[:3] for _ in range(6)] == ["331", "230", "250", "257", "213", "221"]
        assert talk.reply() == ""


def test_commands_may_arrive_byte_by_byte(tree):
    with tree.talk() as talk:
        for byte in f"USER {ACCOUNT}\r\nPASS {PASSWORD}\r\nPWD\r\n".encode():
            talk.send(bytes([byte]))
        assert [talk.reply()[:3] for _ in range(3)] == ["331", "230", "257"]


def test_telnet_sequences_are_no_part_of_commands(tree):
    with tree.talk(login=True) as talk:
        talk.send(b"\xff\xfb\x01PW\xff\xf1D\r\n")
        assert talk.reply() == '257 "/" es la carpeta actual.'


def test_the_working_folder_never_leaves_the_root(tree):
    with tree.talk(login=True) as talk:
        for folder, at in (("..", "/"), ("../../..", "/"), ("set1/../..", "/"), ("/../set1", "/set1"), ("./../set1/.", "/set1"), ("//", "/")):
            assert talk.ask(f"CWD {folder}").startswith("250")
            assert talk.ask("PWD") == f'257 "{at}" es la carpeta actual.'


def test_quotes_in_folder_names_are_doubled(ftpd):  # noqa: F811
    ftpd.put('con "comillas"/x', "")
    with ftpd.talk(login=True) as talk:
        assert talk.ask('CWD con "comillas"').startswith("250")
        assert talk.ask("PWD") == '257 "/con ""comillas""" es la carpeta actual.'
    with ftpd.login() as ftp:
        ftp.cwd('con "comillas"')
        assert ftp.pwd() == '/con "comillas"'


def test_feat_lists_what_is_there(tree):
    with tree.talk(login=True) as talk:
        features = talk.ask("FEAT").split("\n")[1:-1]
        assert set(features) == {" EPRT", " EPSV", " HASH SHA-256*", " MDTM", " MFMT", " PASV", " REST STREAM", " SIZE", " TVFS", " UTF8",
                                 " MLST type*;size*;modify*;perm*;UNIX.mode;"}
        assert talk.ask("OPTS MLST size;nada;UNIX.mode;") == "200 MLST OPTS size;UNIX.mode;"
        assert " MLST type;size*;modify;perm;UNIX.mode*;" in talk.ask("FEAT").split("\n")
        (tree.root / "a.txt").chmod(0o640)
        assert talk.ask("MLST a.txt").split("\n")[1] == " size=5;UNIX.mode=0640; /a.txt"


def test_help_names_every_command_that_works(tree):
    with tree.talk(login=True) as talk:
        named = talk.ask("HELP").split("\n")[1:-1]
        for verb in " ".join(named).split():
            assert talk.ask(f"HELP {verb}").startswith(f"214 {verb}")
            assert "no disponible" not in talk.ask(f"HELP {verb}")
        assert "STOR" not in " ".join(named)


def test_rest_counts_for_one_retr_only(tree):
    with tree.talk(login=True) as talk:
        assert talk.ask("REST 2").startswith("350")
        assert talk.get("RETR a.txt") == (b"la\n", "226 Transferencia completa.")
        assert talk.get("RETR a.txt")[0] == b"hola\n"
        talk.ask("REST 2")
        assert talk.ask("RETR nada").startswith("550")
        assert talk.get("RETR a.txt")[0] == b"hola\n"
        talk.ask("REST 5")
        assert talk.get("RETR a.txt") == (b"", "226 Transferencia completa.")
        talk.ask("REST 6")
        assert talk.get("RETR a.txt")[1].startswith("554")


def test_abor_cuts_a_transfer_and_the_session_goes_on(ftpd):  # noqa: F811
    ftpd.put("grande", size=1 << 32)
    with ftpd.talk(login=True) as talk, talk.data() as data:
        assert talk.ask("RETR grande").startswith("150")
        data.recv(1000)
        talk.send(b"\xff\xf4\xff\xf2ABOR\r\n")
        assert talk.reply().startswith("426")
        assert talk.reply().startswith("226")
        assert talk.ask("PWD").startswith("257")
        with pytest.raises(ConnectionResetError):  # a cut file must not look like a whole one
            while data.recv(1 << 20):
                pass


def test_abor_as_python_sends_it_with_urgent_data(ftpd):  # noqa: F811
    ftpd.put("grande", size=1 << 32)
    with ftpd.login() as ftp:
        data = ftp.transfercmd("RETR grande")
        data.recv(1000)
        assert ftp.abort().startswith("426")
        assert ftp.getresp().startswith("226")
        data.close()
        assert ftp.voidcmd("NOOP").startswith("200")


def test_a_client_that_drops_the_data_connection_is_told_so(ftpd):  # noqa: F811
    ftpd.put("grande", size=1 << 32)
    with ftpd.talk(login=True) as talk:
        with talk.data() as data:
            assert talk.ask("RETR grande").startswith("150")
            data.recv(1000)
        assert talk.reply().startswith("426")
        assert talk.ask("NOOP").startswith("200")


def test_listings_take_flags_patterns_and_paths(tree):
    tree.put("set1/c.nc", "123")
    tree.put(".oculto", "")
    with tree.login() as ftp:
        assert ftp.nlst() == [".oculto", "a.txt", "set1"]
        assert ftp.nlst("-la") == [".oculto", "a.txt", "set1"]
        assert ftp.nlst("set1") == ["set1/b.txt", "set1/c.nc"]
        assert ftp.nlst("set1/*.nc") == ["set1/c.nc"]
        assert ftp.nlst("a.txt") == ["a.txt"]
        assert ftp.nlst("*.nc") == []
        lines = []
        ftp.dir("-la set1", lines.append)
        assert [re.sub(r" +", " ", line).split(" ")[4::4] for line in lines] == [["7", "b.txt"], ["3", "c.nc"]]
        ftp.cwd("set1")
        assert ftp.nlst("../*.txt") == ["../a.txt"]
        assert {name: facts["size"] for name, facts in ftp.mlsd()} == {"b.txt": "7", "c.nc": "3"}
        tree.put("set1/-la", "")
        assert ftp.nlst("-a -- -la") == ["-la"]


def test_a_tree_is_listed_with_what_every_folder_holds(tree):
    tree.put("set1/hondo/con espacios", "12")
    (tree.root / "set1/arriba").symlink_to("..")
    tree.put("set2/d.nc", "1")
    with tree.talk(login=True) as talk:
        for command, heading in (("LIST -R", "."), ("LIST -l -aR /", ""), ("LIST -R .", ".")):
            text, end = talk.get(command)
            folders = dict(part.split(":\r\n", 1) for part in text.decode().split("\r\n\r\n"))
            assert end.startswith("226")
            assert list(folders) == [heading or "/", f"{heading}/set1", f"{heading}/set1/hondo", f"{heading}/set2"]
            names = {folder: [re.split(r" +", line, maxsplit=8)[8] for line in lines.splitlines()] for folder, lines in folders.items()}
            assert names[f"{heading}/set1"] == ["arriba -> ..", "b.txt", "hondo"]
            assert names[f"{heading}/set1/hondo"] == ["con espacios"]
        assert talk.get("LIST -R set1/hondo/")[0].decode().startswith("set1/hondo:\r\n-")
        assert talk.get("LIST -R set1/*.txt")[0].count(b"\n") == 1
        assert talk.get("NLST -R")[0] == b"a.txt\r\nset1\r\nset2\r\n"


def test_a_tree_that_is_too_deep_is_no_whole_list(tree):
    tree.put("/".join("d" * 33) + "/x", "")
    with tree.talk(login=True) as talk, talk.data() as data:
        assert talk.ask("LIST -R").startswith("150")
        assert talk.reply().startswith("451")
        with pytest.raises(ConnectionResetError):
            while data.recv(1 << 16):
                pass
        assert len(talk.get("LIST -R d")[0].split(b"\r\n\r\n")) == 33


def test_abor_ends_the_list_of_a_tree(ftpd):  # noqa: F811
    deep = ftpd.root.joinpath(*["d" * 250] * 13)
    for n in range(3000):  # 10 MB of headings: more than the kernel takes for a client that reads nothing
        (deep / str(n)).mkdir(parents=True)
    with ftpd.talk(login=True) as talk, talk.data():
        assert talk.ask("LIST -R").startswith("150")
        talk.send("ABOR\r\n")
        assert [talk.reply()[:3], talk.reply()[:3]] == ["426", "226"]
        assert talk.ask("PWD").startswith("257")


def test_a_small_file_and_its_end_are_told_at_once(tree):
    with tree.talk(login=True) as talk, talk.data() as data:
        talk.send("RETR a.txt\r\n")
        assert data.recv(100) == b"hola\n"
        assert data.recv(100) == b""
        assert talk.socket.recv(1000).count(b"\r\n") == 2


def test_epsv_all_refuses_pasv(tree):
    with tree.talk(login=True) as talk:
        assert talk.ask("EPSV ALL").startswith("200")
        assert talk.ask("PASV").startswith("501")
        assert talk.get("RETR a.txt")[0] == b"hola\n"


def test_ipv6_clients_use_epsv(tree):
    with tree.login(host="::1") as ftp:
        assert ftp.nlst("set1") == ["set1/b.txt"]
        with pytest.raises(ftplib.error_perm, match="522"):
            ftp.sendcmd("PASV")
    with tree.talk(host="::1", login=True) as talk:
        assert talk.ask("EPSV 1").startswith("522")
        assert talk.ask("EPSV 2").startswith("229")


@pytest.mark.parametrize("ftpd", [{"TEMPOFTP_FTP_PASV_ADDRESS": "203.0.113.9", "TEMPOFTP_FTP_PASV_PORTS": "29000-29003"}], indirect=True)
def test_passive_address_and_ports_are_the_settings(ftpd):  # noqa: F811
    ports = set()
    with ftpd.talk(login=True) as talk:
        for _ in range(100):
            numbers = re.search(r"\(([\d,]+)\)", talk.ask("PASV"))[1].split(",")
            assert numbers[:4] == ["203", "0", "113", "9"]
            ports.add(int(numbers[4]) * 256 + int(numbers[5]))
    assert ports == {29000, 29001, 29002, 29003}


@pytest.mark.parametrize("ftpd", [{"TEMPOFTP_FTP_PASV_PORTS": "29010-29010"}], indirect=True)
def test_no_free_passive_port_is_a_clear_answer(ftpd):  # noqa: F811
    with ftpd.talk(login=True) as first, ftpd.talk(login=True) as second:
        assert first.ask("EPSV").startswith("229")
        assert second.ask("EPSV").startswith("425")
        assert first.ask("ABOR").startswith("226")
        assert second.ask("EPSV").startswith("229")


def test_text_has_the_line_ends_of_type_a(ftpd):  # noqa: F811
    ftpd.put("unix.txt", b"uno\ndos\n\ntres")
    ftpd.put("dos.txt", b"uno\r\ndos\r\n")
    ftpd.put("long.txt", b"0123456789\n" * 300_000)
    with ftpd.talk(login=True) as talk:
        assert talk.get("RETR unix.txt")[0] == b"uno\ndos\n\ntres"  # TYPE was not said
        assert talk.ask("TYPE A").startswith("200")
        assert talk.get("RETR unix.txt") == (b"uno\r\ndos\r\n\r\ntres", "226 Transferencia completa.")
        assert talk.get("RETR dos.txt")[0] == b"uno\r\ndos\r\n"
        assert talk.get("RETR long.txt")[0] == b"0123456789\r\n" * 300_000
        assert talk.ask("SIZE unix.txt").startswith("550")
        assert talk.ask("REST 3").startswith("501")
        assert talk.ask("REST 0").startswith("350")
        assert talk.ask("TYPE I").startswith("200")
        assert talk.get("RETR unix.txt")[0] == b"uno\ndos\n\ntres"
        assert talk.ask("SIZE unix.txt") == "213 13"
        assert talk.ask("REST 4").startswith("350")
        talk.ask("TYPE A")
        assert talk.get("RETR unix.txt")[1].startswith("554")
        assert talk.get("RETR unix.txt")[0] == b"uno\r\ndos\r\n\r\ntres"


def test_hash_is_that_of_the_file(ftpd):  # noqa: F811
    content = bytes(range(256)) * 9000
    ftpd.put("con espacio", content)
    ftpd.put("empty")
    with ftpd.talk(login=True) as talk:
        assert talk.ask("HASH con espacio") == f"213 SHA-256 0-{len(content) - 1} {hashlib.sha256(content).hexdigest()} con espacio"
        assert talk.ask("HASH /empty") == f"213 SHA-256 0-0 {hashlib.sha256().hexdigest()} /empty"


def test_abor_ends_a_hash(ftpd):  # noqa: F811
    ftpd.put("grande", size=1 << 36)
    with ftpd.talk(login=True) as talk:
        talk.send("HASH grande\r\nABOR\r\n")
        assert talk.reply().startswith("450")
        assert talk.reply().startswith("226")
        assert talk.ask("NOOP").startswith("200")


def test_abor_is_found_behind_other_commands(ftpd):  # noqa: F811
    ftpd.put("grande", size=1 << 32)
    with ftpd.talk(login=True) as talk, talk.data() as data:
        assert talk.ask("RETR grande").startswith("150")
        data.recv(1000)
        talk.send("NOOP\r\nABOR\r\n")
        assert [talk.reply()[:3] for _ in range(3)] == ["426", "200", "226"]


def test_stat_tells_the_session_and_lists_without_data_connection(tree):
    with tree.talk(login=True) as talk:
        talk.ask("CWD set1")
        talk.ask("TYPE A")
        assert {" Carpeta: /set1", " TYPE A; STRU F; MODE S", " Solo lectura"} <= set(talk.ask("STAT").split("\n"))
        assert [line.split()[-1] for line in talk.ask("STAT /").split("\n")[1:-1]] == ["a.txt", "set1"]


def test_names_that_are_no_utf8_and_names_with_line_ends(ftpd):  # noqa: F811
    ftpd.put(b"latin-\xe1\xff", "x")
    ftpd.put("line\nend", "secret")
    ftpd.put("return\rend", "secret")
    with ftpd.talk(login=True) as talk:
        assert talk.get("NLST")[0] == b"latin-\xe1\xff\r\n"
        assert talk.get("MLSD")[0].count(b"\r\n") == 1
        # Telnet: byte 255 is doubled on the control connection, both ways.
        assert talk.get(b"RETR latin-\xe1\xff\xff")[0] == b"x"
        talk.send(b"STAT latin-\xe1\xff\xff\r\n")
        assert talk.reply().encode(errors="surrogateescape").split(b"\n")[1].endswith(b" latin-\xe1\xff\xff")


def test_patterns_have_sets(ftpd):  # noqa: F811
    for name in ("a1", "a2", "b1", "[x]"):
        ftpd.put(name, "")
    with ftpd.login() as ftp:
        assert ftp.nlst("[ab]1") == ["a1", "b1"]
        assert ftp.nlst("a[!1]") == ["a2"]
        assert ftp.nlst("[x]") == ["[x]"]
        assert ftp.nlst("?[0-9]") == ["a1", "a2", "b1"]
