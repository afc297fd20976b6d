"""What an FTP client may change where it may write, and what it may not."""
import contextlib
import fcntl
import ftplib
import io
import os
import shutil
import signal
import socket
import subprocess
import time

import pytest

from ftp_standalone import ACCOUNT, GROUP, PASSWORD, USER, FtpServer, wait_until


@pytest.fixture
def ftpd():
    from conftest import BUILD
    server = FtpServer(BUILD, options=["--write"])
    try:
        server.start()
        yield server
    finally:
        server.stop()


def put(talk, command, content):
    """Sends content for a command; (first reply, last reply)."""
    with talk.data() as data:
        first = talk.ask(command)
        if first[0] != "1":
            return first, first
        with contextlib.suppress(ConnectionError):  # a server that has said no takes no more
            data.sendall(content)
    return first, talk.reply()


def test_a_file_put_is_the_file_got(ftpd):
    content = os.urandom(3_000_001)
    with ftpd.login() as ftp:
        assert ftp.storbinary("STOR con espacio ñ.bin", io.BytesIO(content)).startswith("226")
        assert ftp.size("con espacio ñ.bin") == len(content)
        got = bytearray()
        ftp.retrbinary("RETR con espacio ñ.bin", got.extend)
        assert got == content
    path = ftpd.root / "con espacio ñ.bin"
    assert path.stat().st_mode & 0o7777 == 0o640
    wait_until(lambda: "user: 3000001 bytes into /con espacio ñ.bin from byte 0" in ftpd.said(), what="the upload in the journal")


def test_a_shorter_file_replaces_a_longer_one_whole(ftpd):
    ftpd.put("a.txt", "0123456789")
    (ftpd.root / "a.txt").chmod(0o666)
    with ftpd.talk(login=True) as talk:
        assert put(talk, "STOR a.txt", b"abc")[1].startswith("226")
    assert (ftpd.root / "a.txt").read_text() == "abc"


def test_a_file_keeps_its_bytes_until_the_data_connection_stands(ftpd):
    ftpd.put("a.txt", "0123456789")
    (ftpd.root / "a.txt").chmod(0o666)
    with ftpd.talk(login=True) as talk:
        assert talk.ask("STOR a.txt").startswith("425")
        assert talk.ask("STOR new").startswith("425")
        assert talk.ask("STOU").startswith("425")
    assert [path.name for path in ftpd.root.iterdir()] == ["a.txt"]
    assert (ftpd.root / "a.txt").read_text() == "0123456789"


def test_appe_adds_and_makes(ftpd):
    with ftpd.talk(login=True) as talk:
        assert put(talk, "APPE new", b"uno ")[1].startswith("226")
        assert put(talk, "APPE new", b"dos")[1].startswith("226")
    assert (ftpd.root / "new").read_text() == "uno dos"


def test_an_upload_that_was_cut_keeps_its_bytes_and_goes_on(ftpd):
    content = os.urandom(2_000_000)
    with ftpd.talk(login=True) as talk:
        data = talk.data()
        assert talk.ask("STOR big").startswith("150")
        data.sendall(content[:1_200_000])
        wait_until(lambda: (ftpd.root / "big").stat().st_size == 1_200_000, what="what was sent to be there")
        # A reset instead of an end: the client's machine is gone.
        data.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        data.close()
        assert talk.reply().startswith("426")
        assert talk.ask("SIZE big") == "213 1200000"
        assert talk.ask("REST 1200000").startswith("350")
        assert put(talk, "STOR big", content[1_200_000:])[1].startswith("226")
        assert talk.ask("REST 5000000").startswith("350")
        assert put(talk, "STOR big", b"")[1].startswith("554")
    assert (ftpd.root / "big").read_bytes() == content


def test_abor_cuts_an_upload(ftpd):
    with ftpd.talk(login=True) as talk, talk.data() as data:
        assert talk.ask("STOR big").startswith("150")
        data.sendall(b"x" * 1000)
        wait_until(lambda: (ftpd.root / "big").stat().st_size == 1000, what="what was sent to be there")
        talk.send(b"\xff\xf4\xff\xf2ABOR\r\n")
        assert talk.reply().startswith("426")
        assert talk.reply().startswith("226")
        assert talk.ask("SIZE big") == "213 1000"


def test_an_upload_that_stands_still_is_ended():
    from conftest import BUILD
    server = FtpServer(BUILD, options=["--write", "--stall-seconds", "1"])
    try:
        server.start()
        with server.talk(login=True) as talk, talk.data() as data:
            assert talk.ask("STOR slow").startswith("150")
            data.sendall(b"x" * 10)
            assert talk.reply() == "426 La conexión de datos se detuvo demasiado tiempo."
            assert talk.ask("SIZE slow") == "213 10"
    finally:
        server.stop()


def test_stou_invents_a_name_and_tells_it(ftpd):
    with ftpd.talk(login=True) as talk:
        names = set()
        for command in ("STOU", "STOU", "STOU informe"):
            first, last = put(talk, command, b"x")
            assert first.startswith("150 FILE: /") and last.startswith("226")
            names.add(first.removeprefix("150 FILE: /"))
        assert len(names) == 3 and sum(name.startswith("informe") for name in names) == 1
        assert sorted(names) == sorted(path.name for path in ftpd.root.iterdir())


def test_folders_are_made_renamed_and_removed(ftpd):
    with ftpd.talk(login=True) as talk:
        assert talk.ask('MKD con "comillas"') == '257 "/con ""comillas""" creada.'
        assert talk.ask('MKD con "comillas"').startswith("550")
        assert talk.ask('RNFR con "comillas"').startswith("350")
        assert talk.ask("RNTO dos").startswith("250")
        assert talk.ask("RNTO tres").startswith("503")
        assert put(talk, "STOR dos/f", b"x")[1].startswith("226")
        assert talk.ask("RNFR dos").startswith("350")
        assert talk.ask("RNTO dos/dentro").startswith("553")
        assert talk.ask("RMD dos").startswith("550")
        assert talk.ask("DELE dos").startswith("550")
        assert talk.ask("RMD dos/f").startswith("550")
        assert talk.ask("MKD otra").startswith("257")
        assert talk.ask("RNFR dos/f").startswith("350")
        assert talk.ask("RNTO otra/g").startswith("250")
        assert talk.ask("RMD dos").startswith("250")
        assert talk.ask("DELE otra/g").startswith("250")
        assert talk.ask("RMD otra").startswith("250")
        assert talk.ask("RMD /").startswith("550")
        assert talk.ask("RNFR nada").startswith("550")
        assert talk.ask("DELE nada").startswith("550")
    assert list(ftpd.root.iterdir()) == []


def test_times_are_set_and_shown(ftpd):
    with ftpd.talk(login=True) as talk:
        put(talk, "STOR a.txt", b"x")
        assert talk.ask("MFMT 20190203040506 a.txt") == "213 Modify=20190203040506; /a.txt"
        assert talk.ask("MDTM a.txt") == "213 20190203040506"
        assert b"Feb  3  2019 a.txt" in talk.get("LIST")[0]
        for wrong in ("20190203040506", "20190230000000 a.txt", "2019 a.txt", "x a.txt"):
            assert talk.ask(f"MFMT {wrong}").startswith("501")
        assert talk.ask("MFMT 20190203040506 nada").startswith("550")


def test_times_before_1970_are_what_they_are(ftpd):
    ftpd.put("old", b"x")
    os.utime(ftpd.root / "old", (-1, -1))
    with ftpd.talk(login=True) as talk:
        assert talk.ask("MDTM old") == "213 19691231235959"
        assert "modify=19691231235959;" in talk.ask("MLST old")
        assert b"Dec 31  1969 old" in talk.get("LIST")[0]
        put(talk, "STOR a.txt", b"x")
        assert talk.ask("MFMT 19520229010203 a.txt") == "213 Modify=19520229010203; /a.txt"
        assert talk.ask("MDTM a.txt") == "213 19520229010203"


def test_the_time_that_is_told_is_the_one_that_was_set(ftpd):
    """No second has parts here, and file systems do not hold every year."""
    with ftpd.talk(login=True) as talk:
        put(talk, "STOR a.txt", b"x")
        assert talk.ask("MFMT 20190203040506.75 a.txt") == "213 Modify=20190203040506; /a.txt"
        for asked in ("20161231235960", "99991231235959", "00010101000000"):
            told, holds = talk.ask(f"MFMT {asked} a.txt"), talk.ask("MDTM a.txt")
            print(f"MFMT {asked}: {told}; MDTM: {holds}")
            assert told == f"213 Modify={holds[4:]}; /a.txt"


def test_an_upload_that_cannot_go_on_makes_no_file(ftpd):
    with ftpd.talk(login=True) as talk:
        talk.ask("REST 5")
        assert put(talk, "STOR nada", b"x")[1] == "550 No existe."
        assert not (ftpd.root / "nada").exists()
        talk.ask("REST 5")  # APPE knows its place by itself
        assert put(talk, "APPE nada", b"x")[1].startswith("226")
    assert (ftpd.root / "nada").read_bytes() == b"x"


def test_a_file_that_another_program_keeps_is_answered_at_once(ftpd):
    """File servers such as Samba lease files: to open one takes until they give it back."""
    ftpd.put("leased", b"x")
    shutil.chown(ftpd.root / "leased", USER)
    signal.signal(signal.SIGIO, signal.SIG_IGN)  # how the kernel asks for it
    try:
        with open(ftpd.root / "leased", "r+b") as file, ftpd.talk(login=True) as talk:
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
            for command in ("HASH leased", "STOR leased"):
                asked = time.monotonic()
                reply = talk.ask(command)
                print(f"{command}: {reply} after {time.monotonic() - asked:.3f} s")
                assert reply.startswith("451") and time.monotonic() - asked < 5
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
            assert talk.ask("HASH leased").startswith("213")
    finally:
        signal.signal(signal.SIGIO, signal.SIG_DFL)


def test_text_loses_the_line_ends_of_type_a(ftpd):
    with ftpd.talk(login=True) as talk:
        assert put(talk, "STOR as-is", b"a\r\nb\r")[1].startswith("226")
        talk.ask("TYPE A")
        assert put(talk, "STOR text", b"uno\r\ndos\r\n\r\ntres\r")[1].startswith("226")
        assert put(talk, "APPE text", b"\nx\r\n")[1].startswith("226")
        with talk.data() as data:
            assert talk.ask("STOR pieces").startswith("150")
            for byte in b"uno\r\ndos\r\n":
                data.send(bytes([byte]))
        assert talk.reply().startswith("226")
    assert (ftpd.root / "as-is").read_bytes() == b"a\r\nb\r"
    assert (ftpd.root / "text").read_bytes() == b"uno\ndos\n\ntres\r\nx\n"
    assert (ftpd.root / "pieces").read_bytes() == b"uno\ndos\n"


def test_links_lead_nowhere_outside(ftpd):
    (ftpd.root / "out").symlink_to(ftpd.folder)
    (ftpd.root / "file").symlink_to(ftpd.folder / "outside")
    with ftpd.talk(login=True) as talk:
        for command in ("STOR out/new", "STOR file", "APPE file", "DELE out/outside", "MKD out/new", "RMD out/root", "RNFR out/outside",
                        "MFMT 20190203040506 file", "MFMT 20190203040506 out/outside"):
            assert talk.ask(command).startswith("550"), command
        assert put(talk, "STOR a", b"x")[1].startswith("226")
        assert talk.ask("RNFR a").startswith("350")
        assert talk.ask("RNTO out/a").startswith("550")
        # The link itself may go.
        assert talk.ask("DELE file").startswith("250")
    assert (ftpd.folder / "outside").read_text() == "not for clients\n"
    assert sorted(path.name for path in ftpd.root.iterdir()) == ["a", "out"]


def test_facts_and_help_say_what_may_be_written(ftpd):
    with ftpd.talk(login=True) as talk:
        talk.ask("MKD d")
        put(talk, "STOR f", b"x")
        assert "perm=adfrw;" in talk.ask("MLST f")
        assert "perm=cdeflmp;" in talk.ask("MLST d")
        assert "perm=celmp;" in talk.ask("MLST /")
        assert b"perm=adfrw; f\r\n" in talk.get("MLSD")[0]
        assert "STOR" in talk.ask("HELP")


def test_a_full_disk_is_said_and_what_arrived_stays():
    from conftest import BUILD
    server = FtpServer(BUILD, options=["--write"])
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=0777", "tmpfs", server.root], check=True)
    try:
        server.start()
        with server.talk(login=True) as talk:
            first, last = put(talk, "STOR big", b"x" * (2 << 20))
            assert first.startswith("150") and last.startswith("452")
            assert 0 < (server.root / "big").stat().st_size <= 1 << 20
            assert talk.ask("DELE big").startswith("250")
            assert put(talk, "STOR small", b"x")[1].startswith("226")
    finally:
        subprocess.run(["umount", "--lazy", server.root], check=True)
        server.stop()


def test_without_write_nothing_of_this_works():
    from conftest import BUILD
    server = FtpServer(BUILD)
    try:
        server.start()
        with server.login() as ftp, pytest.raises(ftplib.error_perm, match="550"):
            ftp.storbinary("STOR a", io.BytesIO(b"x"))
    finally:
        server.stop()
