"""Lines in, replies out: the same dialogues with our server, Pure-FTPd and vsftpd; every difference stands here with its reason."""
import os
import re
import shutil

import pytest

from conftest import BUILD
from ftp_dialogue import READER, SECURABLE, STRANGER, WRITER, Dialogue, Play, begin, cut, finish, get, handshake, put, say, send, synch
from ftp_peers import PEERS
from ftp_standalone import ACCOUNT, GROUP, PASSWORD, USER, FtpServer, make_certificate

GRANDE = 64 << 20  # more than the sockets of both sides hold

STAT, HASH = r"211-[^\n]*\n([^\n]*\n)*211 ", "213 SHA-256 0-4 133ee989293f92736301280c6f14c89d521200c17dcdcecca30cd20705332d44 "

TREE = {
    "a.txt": "hola\n",
    "líneas.txt": "uno\ndos\n",
    "con espacios.txt": "espacios\n",
    'con "comillas"/x.txt': "x\n",
    "set1/b.txt": "adiós\n",
    "set1/c.nc": "123",
    "set1/hondo/d.txt": "d\n",
    b"latin-\xf1": "latino\n",
    ".oculto": "",
}
IMAGE = say("TYPE I", "200")
USER_LINE, PASS_LINE = f"USER {ACCOUNT}", f"PASS {PASSWORD}"

def names(*expected):
    """A listing by names in any order."""
    alternatives = "".join(f"(?=(.*\\r\\n)?{re.escape(name)}\\r\\n)" for name in expected)
    return re.compile(f"(?s){alternatives}([^\\n]*\\r\\n){{{len(expected)}}}".encode())


def nothing_outside(server):
    """A name with ".." stays below the root: here or refused, but never there."""
    assert not (server.root.parent / "evadido").exists() and not (server.root.parent.parent / "evadido").exists()


# Reasons that hold more than once.
NO_REST_BEFORE_LOGIN = "vsftpd answers every command but FEAT, OPTS, QUIT, USER and PASS with 530 before login"
NO_MLST = "vsftpd knows no MLST, MLSD and MFMT of RFC 3659"
NO_UTF8_OPTION = "Pure-FTPd, built without iconv, takes any bytes for names and knows no OPTS but MLST"
NO_HASH = "neither has draft-bryan-ftp-hash's HASH"
MISSING_AS_WRONG = "without a name it looks for a file with an empty one"
SYNTAX_AS_500 = "RFC 959 has 501 for arguments; vsftpd says 500 for PORT, EPRT and TYPE"
NO_REIN = "neither of them has REIN"
SAYS_530 = "RFC 959 has 503 for a bad sequence; it takes 530 for all that is about logins"
EMPTY_LIST = "a name that matches nothing is an empty list for it; a client cannot tell a typing error from an empty folder"
PURE_R = "its own form of ls -lR: no heading for the first folder, empty lines around the others"
DOTS = "its listings hold . and .. as soon as they show names with a dot"
EPSV_FAMILY = "it ignores which family EPSV asks for"
NO_PERMISSIONS = "Pure-FTPd has no read-only accounts: here the file system refuses, with its code for uploads"
FEW_ARGUMENTS = "vsftpd has 504 for an empty argument as for an unknown one"
RELATIVE = "RFC 959, appendix II: the reply holds a path for a later CWD; Pure-FTPd repeats the argument, quotes not doubled"
NO_TLS_AS_550 = "vsftpd knows the command, and takes having no TLS for lacking rights"
URGENT = "vsftpd heeds ABOR in a transfer when urgent data announces it"
DEAF = "while a client takes no data, Pure-FTPd may hear no command either"
AUTH_AS_500 = "RFC 2228 has 504 and 501 for mechanisms; Pure-FTPd says 500 to all but TLS"
NO_NUMBER = "no number is 0 for it: the client that hoped to continue gets the whole file and appends it"
NOT_A_CUT = "it ends the data connection of an aborted transfer in order: a client that missed the 426 takes the file for whole"

DIALOGUES = [
    # ---- the login sequence ----
    Dialogue("a login", STRANGER, [say(USER_LINE, "331"), say(PASS_LINE, "230"), say("PWD", '257 "/"')]),
    Dialogue("verbs in small letters", STRANGER, [say(f"user {ACCOUNT}", "331"), say(f"pass {PASSWORD}", "230"), say("pwd", '257 "/"')]),
    Dialogue("PASS without USER", STRANGER, [say(PASS_LINE, "503", pure=("530", SAYS_530))]),
    Dialogue("a wrong password, then the right one", STRANGER, [
        say(USER_LINE, "331"), say("PASS wrong", "530"), say(USER_LINE, "331"), say(PASS_LINE, "230")]),
    Dialogue("a password without its USER after a refusal", STRANGER, [
        say(USER_LINE, "331"), say("PASS wrong", "530"),
        say(PASS_LINE, "503", pure=("230", "Pure-FTPd keeps the name after a wrong password"))]),
    Dialogue("an unknown account", STRANGER, [say("USER nadie", "331"), say("PASS x", "530")]),
    Dialogue("USER twice before PASS: the last one counts", STRANGER, [
        say("USER nadie", "331"), say(USER_LINE, "331"), say(PASS_LINE, "230")]),
    Dialogue("USER without a name", STRANGER, [
        say("USER", "501", pure=(("530", ""), "no name is anonymous, and anonymous is off"),
            vsftpd=("331", "it asks for the password of the account without a name"))]),
    Dialogue("an empty password", STRANGER, [say(USER_LINE, "331"), say("PASS", "530")]),
    Dialogue("files before login", STRANGER, [
        say("PWD", "530"), say("CWD set1", "530"), say("RETR a.txt", "530"), say("LIST", "530"), say("PASV", "530"),
        say("EPSV", "530"), say("PORT 127,0,0,1,4,1", "530"), say("SIZE a.txt", "530"), say("REST 1", "530"),
        say("TYPE I", "530", pure=("200", "Pure-FTPd lets strangers choose a type"))]),
    Dialogue("writing before login", STRANGER, [say("STOR x", "530"), say("DELE a.txt", "530"), say("MKD x", "530"), say("RNTO x", "530")]),
    Dialogue("what a stranger may ask", STRANGER, [
        say("NOOP", "200", vsftpd=("530", NO_REST_BEFORE_LOGIN)), say("SYST", "215 UNIX Type: L8", vsftpd=("530", NO_REST_BEFORE_LOGIN)),
        say("FEAT", "211-"), say("HELP", "214", vsftpd=("530", NO_REST_BEFORE_LOGIN)),
        say("OPTS UTF8 ON", "200", pure=("504", NO_UTF8_OPTION))]),
    Dialogue("an unknown command before login", STRANGER, [
        say("XYZZY", "500", peers=("530", "they tell strangers nothing about which commands exist"))]),
    Dialogue("an HTTP request", STRANGER, [
        say("GET / HTTP/1.1", "500", pure=(("500", ""), "Pure-FTPd hangs up on what looks like HTTP"),
            vsftpd=("530", NO_REST_BEFORE_LOGIN))]),
    Dialogue("QUIT before login", STRANGER, [say("QUIT", "221"), send(b"", "")]),
    Dialogue("QUIT after USER", STRANGER, [say(USER_LINE, "331"), say("QUIT", "221"), send(b"", "")]),
    Dialogue("USER in a session", READER, [say("USER otro", "503", peers=("530", SAYS_530))]),
    Dialogue("PASS in a session", READER, [
        say("PASS x", "503", pure=("530", SAYS_530), vsftpd=("230", "vsftpd congratulates whoever is in already"))]),
    Dialogue("REIN", READER, [
        say("REIN", "220", pure=("500", NO_REIN), vsftpd=("502", NO_REIN)),
        say("PWD", "530", peers=("257", NO_REIN))]),
    Dialogue("REIN before login", STRANGER, [
        say(USER_LINE, "331"),
        say("REIN", "220", pure=("530", NO_REIN), vsftpd=("530", NO_REIN)),
        say("PASS x", "503", peers=("530", NO_REIN))]),
    Dialogue("ACCT", READER, [say("ACCT x", "202", vsftpd=("502", "vsftpd has no accounting, and says so instead of going on"))]),

    # ---- what a server says about itself ----
    Dialogue("SYST", READER, [say("SYST", "215 UNIX Type: L8")]),
    Dialogue("FEAT", READER, [say("FEAT", r"211-[^\n]*\n( [ -~]+\n)+211 ")]),
    Dialogue("FEAT names what RFC 3659 brought", READER, [
        say("FEAT", r"(?s)(?=.*\n MDTM)(?=.*\n SIZE)(?=.*\n REST STREAM)(?=.*\n MLST type)(?=.*\n TVFS)(?=.*\n UTF8)",
            vsftpd=(r"(?s)(?=.*\n MDTM)(?=.*\n SIZE)(?=.*\n REST STREAM)(?!.*MLST)(?!.*UTF8)", NO_MLST))]),
    Dialogue("OPTS UTF8", READER, [
        say("OPTS UTF8 ON", "200", pure=("504", NO_UTF8_OPTION)), say("OPTS utf8 on", "200", pure=("504", NO_UTF8_OPTION))]),
    Dialogue("OPTS MLST chooses facts", READER, [
        say("OPTS MLST type;size;", "200 MLST OPTS type;size;$",
            pure=("200  MLST OPTS type;size;sizd;", "Pure-FTPd shows all its facts whatever was chosen"), vsftpd=("501", NO_MLST)),
        say("MLST a.txt", r"250-[^\n]*\n type=file;size=5; /?a\.txt\n250 ",
            pure=(r"250-[^\n]*\n type=file;size=5;modify=\S* a\.txt\n250 ", "Pure-FTPd shows all its facts whatever was chosen"),
            vsftpd=("500", NO_MLST))]),
    Dialogue("OPTS of something unknown", READER, [say("OPTS NADA ON", "501", pure=("504", NO_UTF8_OPTION))]),
    Dialogue("OPTS without an option", READER, [say("OPTS", "501", pure=("504", NO_UTF8_OPTION))]),
    Dialogue("HELP", READER, [say("HELP", "214-")]),
    Dialogue("HELP of one command", READER, [
        say("HELP RETR", "214 ", pure=("214-", "its HELP is about SITE alone"), vsftpd=("214-", "its HELP is one list of names"))]),
    Dialogue("NOOP", READER, [say("NOOP", "200"), say("noop", "200"), say("NOOP with words", "200")]),
    Dialogue("ALLO", READER, [say("ALLO 5", "202", pure=("200", "RFC 959 has 202 for what is superfluous here; it jokes with 200"))]),
    Dialogue("CLNT", READER, [
        say("CLNT programa 1.0", "200", peers=("500", "nobody standardized CLNT; clients that send it live with a 500"))]),
    Dialogue("STAT of the server", READER, [
        say("STAT", STAT, pure=("211 https://", "Pure-FTPd tells nothing but its address"))]),
    Dialogue("STAT of a folder lists it on the control connection", READER, [say("STAT set1", r"(?s)213-.*b\.txt\n.*213 ")]),
    Dialogue("STAT of something missing", READER, [say("STAT nada", "550", peers=(r"213-[^\n]*\n213 ", EMPTY_LIST))]),
    Dialogue("SITE of something unknown", READER, [say("SITE NADA", "50[024]")]),
    Dialogue("SITE CHMOD", READER, [say("SITE CHMOD 777 a.txt", "50[024]|550")]),

    Dialogue("TLS where there is no certificate", READER, [
        say("AUTH TLS", "50[02]"), say("PBSZ 0", "50[023]", vsftpd=("550", NO_TLS_AS_550)),
        say("PROT P", "50[023]", vsftpd=("550", NO_TLS_AS_550))]),
    Dialogue("TLS before login where there is no certificate", STRANGER, [say("AUTH TLS", "50[02]", vsftpd=("530", SAYS_530))]),
    Dialogue("commands that only others have", READER, [
        say("SMNT x", "50[02]"), say("LANG es", "50[02]"), say("XCRC a.txt", "50[02]"),
        say("MDTM", "501", vsftpd=("550", MISSING_AS_WRONG)), say("MFCT 20200101000000 a.txt", "50[02]")]),

    # ---- syntax ----
    Dialogue("an unknown command", READER, [say("XYZZY", "500")]),
    Dialogue("an empty line", READER, [send(b"\r\nNOOP\r\n", ("500", "200"), peers=("200", "they give no answer to an empty line"))]),
    Dialogue("a verb of 200 letters", READER, [say("X" * 200, "500")]),
    Dialogue("a line too long", READER, [
        send(b"CWD " + b"x" * 9000 + b"\r\nNOOP\r\n", ("500", "200"), pure=(("421", ""), "the end of the session"),
             vsftpd=(("500", ""), "the end of the session"))]),
    Dialogue("a path longer than the file system's", READER, [say("CWD " + "x/" * 2040, "5[05]0")]),
    Dialogue("several commands in one packet", READER, [send(b"PWD\r\nSYST\r\nNOOP\r\n", ('257 "/"', "215", "200"))]),
    Dialogue("a login and more in one packet", STRANGER, [
        send(f"{USER_LINE}\r\n{PASS_LINE}\r\nCWD set1\r\nPWD\r\n".encode(), ("331", "230", "250", '257 "/set1"'))]),
    Dialogue("a line in three pieces", READER, [send(b"PW", ()), send(b"D", ()), send(b"\r\n", '257 "/"')]),
    Dialogue("lines that end in LF alone", READER, [send(b"PWD\nNOOP\n", ('257 "/"', "200"))]),
    Dialogue("Telnet negotiation is no part of a command", READER, [
        send(b"\xff\xfb\x01PW\xff\xf1D\r\nNOOP\r\n", ('257 "/"', "200"), pure=("200", "a line with Telnet bytes is ignored"),
             vsftpd=(("500", "200"), "Telnet bytes are part of the verb"))]),
    Dialogue("a NUL within a name", READER, [
        say(b"CWD se\0t1", "501", peers=("550", "a control character becomes _ or a line end within the name"))]),
    Dialogue("a carriage return within a name", READER, [
        say(b"CWD se\rt1", "501", peers=("550", "a carriage return becomes _ or another character of the name"))]),
    Dialogue("spaces after a verb's name", READER, [say("CWD set1 ", "550")]),

    # ---- folders ----
    Dialogue("PWD and XPWD", READER, [say("PWD", '257 "/" '), say("XPWD", '257 "/" ')]),
    Dialogue("CWD, CDUP and their X forms", READER, [
        say("CWD set1", "250"), say("PWD", '257 "/set1"'), say("CWD hondo", "250"), say("CDUP", "250"), say("PWD", '257 "/set1"'),
        say("XCWD /set1/hondo", "250"), say("XCUP", "250"), say("XPWD", '257 "/set1"')]),
    Dialogue("above the root is the root", READER, [
        say("CWD ../../..", "250"), say("PWD", '257 "/"'), say("CDUP", "250"), say("PWD", '257 "/"')]),
    Dialogue("a path with dots and slashes", READER, [say("CWD /./set1//hondo/..", "250"), say("PWD", '257 "/set1"')]),
    Dialogue("CWD to something missing", READER, [say("CWD nada", "550"), say("PWD", '257 "/"')]),
    Dialogue("CWD to a file", READER, [say("CWD a.txt", "550")]),
    Dialogue("CWD with a slash at the end", READER, [say("CWD set1/", "250"), say("PWD", '257 "/set1"')]),
    Dialogue("CWD to a pattern", READER, [say("CWD set*", "550")]),
    Dialogue("CWD without a folder", READER, [
        say("CWD", "501", pure=("250", "no folder is the root, as in a shell"), vsftpd=("550", MISSING_AS_WRONG))]),
    Dialogue("CWD ~", READER, [
        say("CWD ~", "550", peers=("250", "~ is the home for it, as in a shell; for us it is a name like another"))]),
    Dialogue("quotes in a folder's name are doubled", READER, [
        say('CWD con "comillas"', "250"),
        say("PWD", '257 "/con ""comillas""" ',
            pure=('257 "/con "comillas"" ', "RFC 959, appendix II: quotes are doubled; Pure-FTPd forgets"))]),
    Dialogue("names beyond ASCII", READER, [say("CWD vacía", "250"), say("PWD", '257 "/vacía" ')]),
    Dialogue("spaces within a name", READER, [say("SIZE con espacios.txt", "213 9")]),

    # ---- about files ----
    Dialogue("SIZE of a file", READER, [IMAGE, say("SIZE a.txt", "213 5$")]),
    Dialogue("SIZE of a folder", READER, [IMAGE, say("SIZE set1", "550")]),
    Dialogue("SIZE of something missing", READER, [say("SIZE nada", "550")]),
    Dialogue("SIZE without a name", READER, [say("SIZE", "501", vsftpd=("550", MISSING_AS_WRONG))]),
    Dialogue("SIZE in ASCII type", READER, [
        say("TYPE A", "200"),
        say("SIZE líneas.txt", "550",
            peers=("213 8", "RFC 3659, 4: SIZE is what RETR would send; this is wrong by the added carriage returns"))]),
    Dialogue("MDTM of a file", READER, [say("MDTM a.txt", "213 20200102030405$")]),
    Dialogue("MDTM of something missing", READER, [say("MDTM nada", "550")]),
    Dialogue("MDTM of a folder", READER, [
        say("MDTM set1", r"213 \d{14}$",
            peers=("550", "they refuse; RFC 3659 leaves folders to the server, and LIST says the same time anyway"))]),
    Dialogue("MLST of a file", READER, [
        say("MLST a.txt", r"250-[^\n]*\n (?=\S*type=file;)(?=\S*size=5;)(?=\S*modify=20200102030405;)\S+ \S*a\.txt\n250 ",
            vsftpd=("500", NO_MLST))]),
    Dialogue("MLST of a folder", READER, [say("MLST set1", r"250-[^\n]*\n (?=\S*type=dir;)\S+ \S*set1\n250 ", vsftpd=("500", NO_MLST))]),
    Dialogue("MLST of the folder we are in", READER, [
        say("MLST", r"250-[^\n]*\n (?=\S*type=c?dir;)\S+ \S+\n250 ", vsftpd=("500", NO_MLST))]),
    Dialogue("MLST of something missing", READER, [say("MLST nada", "550", vsftpd=("500", NO_MLST))]),
    Dialogue("HASH of a file", READER, [say("HASH a.txt", HASH, peers=("500", NO_HASH))]),

    # ---- how things are sent ----
    Dialogue("types", READER, [
        say("TYPE I", "200"), say("TYPE A", "200"), say("TYPE A N", "200"), say("TYPE L 8", "200"), say("type i", "200")]),
    Dialogue("types that nobody has", READER, [
        say("TYPE E", "504", vsftpd=("500", SYNTAX_AS_500)), say("TYPE X", "504", vsftpd=("500", SYNTAX_AS_500))]),
    Dialogue("TYPE without a type", READER, [say("TYPE", "501", vsftpd=("500", SYNTAX_AS_500))]),
    Dialogue("modes", READER, [
        say("MODE S", "200"), say("MODE B", "504"), say("MODE C", "504"), say("MODE X", "504"),
        say("MODE", "501", vsftpd=("504", FEW_ARGUMENTS))]),
    Dialogue("structures", READER, [
        say("STRU F", "200"), say("STRU R", "504"), say("STRU P", "504"), say("STRU", "501", vsftpd=("504", FEW_ARGUMENTS))]),

    # ---- data connections ----
    Dialogue("PASV", READER, [say("PASV", r"227 .*\(127,0,0,1,\d+,\d+\)"), IMAGE, get("RETR a.txt", "226", b"hola\n", how="PASV")]),
    Dialogue("EPSV", READER, [say("EPSV", r"229 .*\(\|\|\|\d+\|\)"), say("EPSV 1", "229"), IMAGE, get("RETR a.txt", "226", b"hola\n")]),
    Dialogue("EPSV of another family", READER, [
        say("EPSV 2", "522", pure=("229", EPSV_FAMILY)), say("EPSV 9", "522", pure=("229", EPSV_FAMILY))]),
    Dialogue("after EPSV ALL nothing else", READER, [
        say("EPSV ALL", "200", pure=("220", "the right meaning with the greeting's code")),
        say("PASV", "50[13]", pure=("227", "it forbids active mode alone"),
            vsftpd=("550", "the code for lacking rights instead of 501 or 503")),
        say("PORT 127,0,0,1,200,10", "50[13]", vsftpd=("550", "the code for lacking rights instead of 501 or 503")),
        say("EPRT |1|127.0.0.1|51210|", "50[13]", vsftpd=("200", "RFC 2428, 4, wants a refusal here")), IMAGE,
        get("RETR a.txt", "226", b"hola\n")]),
    Dialogue("PORT", READER, [IMAGE, get("RETR a.txt", "226", b"hola\n", how="PORT")]),
    Dialogue("EPRT", READER, [IMAGE, get("RETR a.txt", "226", b"hola\n", how="EPRT")]),
    Dialogue("PORT to somebody else", READER, [say("PORT 127,0,0,2,200,10", "50[01]")]),
    Dialogue("EPRT to somebody else", READER, [say("EPRT |1|127.0.0.2|51210|", "50[01]")]),
    Dialogue("PORT to a port of the system", READER, [say("PORT 127,0,0,1,0,25", "50[01]")]),
    Dialogue("EPRT to a port of the system", READER, [say("EPRT |1|127.0.0.1|25|", "50[01]")]),
    Dialogue("PORT that is none", READER, [
        say("PORT", "501", vsftpd=("500", SYNTAX_AS_500)), say("PORT nada", "501", vsftpd=("500", SYNTAX_AS_500)),
        say("PORT 127,0,0,1,200", "501", vsftpd=("500", SYNTAX_AS_500)),
        say("PORT 127,0,0,1,200,10,3", "501", pure=("200", "Pure-FTPd reads no further than the sixth number"),
            vsftpd=("500", SYNTAX_AS_500)), say("PORT 127,0,0,1,256,10", "501", vsftpd=("500", SYNTAX_AS_500)),
        say("PORT 127,0,0,1,-1,10", "501", vsftpd=("500", SYNTAX_AS_500))]),
    Dialogue("EPRT that is none", READER, [
        say("EPRT", "501", vsftpd=("500", SYNTAX_AS_500)), say("EPRT nada", "501", vsftpd=("500", SYNTAX_AS_500)),
        say("EPRT |1|127.0.0.1|", "501", vsftpd=("500", SYNTAX_AS_500)),
        say("EPRT |1|127.0.0.1|70000|", "501", vsftpd=("500", SYNTAX_AS_500)),
        say("EPRT |1|localhost|51210|", "501", vsftpd=("500", SYNTAX_AS_500))]),
    Dialogue("EPRT of an unknown family", READER, [say("EPRT |9|127.0.0.1|51210|", "522", vsftpd=("500", SYNTAX_AS_500))]),
    Dialogue("EPRT of IPv6 over IPv4", READER, [say("EPRT |2|::1|51210|", "50[01]|522")]),
    Dialogue("RETR without a data connection", READER, [say("RETR a.txt", "425")]),
    Dialogue("LIST without a data connection", READER, [say("LIST", "425")]),

    # ---- downloads ----
    Dialogue("RETR", READER, [IMAGE, get("RETR a.txt", "226", b"hola\n"), get("RETR /set1/b.txt", "226", "adiós\n".encode())]),
    Dialogue("RETR of names with spaces and quotes", READER, [
        IMAGE, get("RETR con espacios.txt", "226", b"espacios\n"), get('RETR con "comillas"/x.txt', "226", b"x\n")]),
    Dialogue("RETR of a name that is not UTF-8", READER, [IMAGE, get(b"RETR latin-\xf1", "226", b"latino\n")]),
    Dialogue("RETR of an empty file", READER, [get("RETR .oculto", "226", b"")]),
    Dialogue("RETR of something missing", READER, [get("RETR nada", "550")]),
    Dialogue("RETR of a folder", READER, [get("RETR set1", "550")]),
    Dialogue("RETR without a name", READER, [get("RETR", "501", vsftpd=("550", MISSING_AS_WRONG))]),
    Dialogue("RETR of a file with a slash at the end", READER, [
        get("RETR a.txt/", "226",
            peers=("550", "we read a path's names and drop the slash; they hand it to the file system, which wants a folder"))]),
    Dialogue("RETR of a pattern", READER, [get("RETR *.txt", "550")]),
    Dialogue("RETR of a file below a file", READER, [get("RETR a.txt/x", "550")]),
    Dialogue("RETR of what is outside", READER, [get("RETR ../outside", "550"), get("RETR /../outside", "550")]),
    Dialogue("ASCII type ends lines with CRLF", READER, [say("TYPE A", "200"), get("RETR líneas.txt", "226", b"uno\r\ndos\r\n")]),
    Dialogue("image type leaves bytes alone", READER, [IMAGE, get("RETR líneas.txt", "226", b"uno\ndos\n")]),
    Dialogue("REST continues a file, once", READER, [
        IMAGE, say("REST 2", "350"), get("RETR a.txt", "226", b"la\n"), get("RETR a.txt", "226", b"hola\n")]),
    Dialogue("REST to the very end", READER, [IMAGE, say("REST 5", "350"), get("RETR a.txt", "226", b"")]),
    Dialogue("REST past the end", READER, [
        IMAGE, say("REST 6", "350"), get("RETR a.txt", "55[04]", vsftpd=("226", "it sends nothing and calls that whole", b""))]),
    Dialogue("REST of no number", READER, [
        say("REST", "501", vsftpd=("350 .*0", NO_NUMBER)), *[
            say(f"REST {text}", "501", pure=("554", "RFC 3659 has 501 for arguments"), vsftpd=("350 .*0", NO_NUMBER))
            for text in ("nada", "-1", "99999999999999999999")]]),
    Dialogue("REST in ASCII type", READER, [say("TYPE A", "200"), say("REST 2", "350|50[014]")]),

    # ---- listings ----
    Dialogue("LIST says mode, size, date and name", READER, [
        get("LIST a.txt", "226", re.compile(rb"-rw-r--r-- +1 \S+ +\S+ +5 Jan +0?2 +2020 a\.txt\r\n"))]),
    Dialogue("LIST of a folder", READER, [
        get("LIST set1", "226", re.compile(rb"(?s)(?=.* b\.txt\r\n)(?=.* c\.nc\r\n)(?=.*d.* hondo\r\n)(-|d).*"))]),
    Dialogue("LIST with ls flags", READER, [
        get("LIST -la set1", "226", re.compile(rb"(?s).* b\.txt\r\n.*")), get("LIST -a", "226", re.compile(rb"(?s).* \.oculto\r\n.*"))]),
    Dialogue("LIST of all below", READER, [
        get(command, "226", re.compile(rb"(?s)\.:\r\n.* set1\r\n.*\r\n\r\n\./set1:\r\n.* b\.txt\r\n.*\r\n\r\n\./set1/hondo:\r\n.*"),
            pure=("226", PURE_R, re.compile(rb"(?s)[-d].* set1\r\n.*\r\n\r\n\./set1:\r\n\r\n.* b\.txt\r\n.*\r\n\r\n\./set1/hondo:\r\n\r\n.*")))
        for command in ("LIST -R", "LIST -lR", "LIST -aR .")]),
    Dialogue("LIST of all below a folder", READER, [
        get("LIST -R set1", "226", re.compile(rb"(?s)set1:\r\n.* b\.txt\r\n.*\r\n\r\nset1/hondo:\r\n.*"),
            pure=("226", PURE_R, re.compile(rb"(?s)d.* b\.txt\r\n.*\r\n\r\nset1/hondo:\r\n\r\n.*")))]),
    Dialogue("LIST of all below a file", READER, [
        get("LIST -R a.txt", "226", re.compile(rb"-[^\n]* a\.txt\r\n"),
            vsftpd=("226", "a heading for a file too", re.compile(rb"\.:\r\n-[^\n]* a\.txt\r\n")))]),
    Dialogue("LIST of a folder with a slash at the end", READER, [get("LIST set1/", "226", re.compile(rb"(?s).* b\.txt\r\n.*"))]),
    Dialogue("LIST of names with brackets", READER, [
        get("LIST [ab].txt", "226", re.compile(rb"-[^\n]* a\.txt\r\n"), vsftpd=("226", "vsftpd knows * ? and {} but no sets", b""))]),
    Dialogue("LIST of names of one unknown letter", READER, [get("LIST ?.txt", "226", re.compile(rb"-[^\n]* a\.txt\r\n"))]),
    Dialogue("LIST in the folder we are in", READER, [
        say("CWD set1", "250"), get("LIST", "226", re.compile(rb"(?s).* c\.nc\r\n.*")),
        get("LIST .", "226", re.compile(rb"(?s).* c\.nc\r\n.*")), get("LIST ..", "226", re.compile(rb"(?s).* a\.txt\r\n.*"))]),
    Dialogue("LIST over PASV and in active mode", READER, [
        get("LIST set1", "226", re.compile(rb"(?s).* b\.txt\r\n.*"), how=how) for how in ("PASV", "PORT", "EPRT")]),
    Dialogue("LIST of what is outside", READER, [get("LIST /../..", "226", re.compile(rb"(?s)(?=.* a\.txt\r\n)(?!.* outside\r\n).*"))]),
    Dialogue("LIST of a pattern", READER, [get("LIST set1/*.nc", "226", re.compile(rb"-[^\n]* (set1/)?c\.nc\r\n"))]),
    Dialogue("LIST of an empty folder", READER, [
        get("LIST vacía", "226", b"", pure=("226", DOTS, re.compile(rb"d\S+ [^\n]* \.\r\nd\S+ [^\n]* \.\.\r\n")))]),
    Dialogue("LIST of something missing", READER, [get("LIST nada", "550", peers=("226", EMPTY_LIST, b""))]),
    Dialogue("NLST", READER, [get("NLST", "226", re.compile(rb"(?s)(?=.*\r\na\.txt\r\n)(?=.*\r\nset1\r\n).*"))]),
    Dialogue("NLST of a folder", READER, [
        get("NLST set1", "226", names("set1/b.txt", "set1/c.nc", "set1/hondo"),
            pure=("226", DOTS, names("set1/.", "set1/..", "set1/b.txt", "set1/c.nc", "set1/hondo")))]),
    Dialogue("NLST of an empty folder", READER, [get("NLST vacía", "226", b"", pure=("226", DOTS, names("vacía/.", "vacía/..")))]),
    Dialogue("NLST of a pattern", READER, [
        get("NLST *.txt", "226", names("a.txt", "con espacios.txt", "líneas.txt"), pure=("550", "patterns are for its LIST alone", None))]),
    Dialogue("NLST of a pattern that fits nothing", READER, [
        get("NLST *.zip", "226", b"", pure=("550", "patterns are for its LIST alone", None))]),
    Dialogue("NLST of something missing", READER, [get("NLST nada", "550", vsftpd=("226", EMPTY_LIST, b""))]),
    Dialogue("MLSD", READER, [
        get("MLSD set1", "226", re.compile(rb"(?s)(?=.*type=file;\S* b\.txt\r\n)(?=.*type=dir;\S* hondo\r\n).*"),
            vsftpd=("500", NO_MLST, None))]),
    Dialogue("MLSD of a file", READER, [
        get("MLSD a.txt", "501", pure=("550", "RFC 3659, 7.2.1, has 501 for a file"), vsftpd=("500", NO_MLST))]),
    Dialogue("MLSD of something missing", READER, [get("MLSD nada", "550", vsftpd=("500", NO_MLST))]),

    # ---- in the middle of a transfer ----
    Dialogue("ABOR with nothing to stop", READER, [
        say("ABOR", "226", vsftpd=("225", "RFC 959 allows both: 225 says that a data connection stays open, and there is none"))]),
    Dialogue("ABOR in a transfer", READER, [
        IMAGE, begin("RETR grande", "150"), send(b"ABOR\r\n", ("426", "226"), pure=((), DEAF), vsftpd=((), URGENT)),
        finish((), b"cut", pure=(("426", "226"), NOT_A_CUT, b"ended"), vsftpd=(("226", "225"), URGENT, b"ended"))]),
    Dialogue("ABOR with Telnet's Synch", READER, [
        IMAGE, begin("RETR grande", "150"), synch(("426", "226"), pure=((), DEAF)),
        finish((), b"cut", pure=(("426", "226"), NOT_A_CUT, b"ended"), vsftpd=((), NOT_A_CUT, b"ended"))]),
    Dialogue("QUIT in a transfer waits for its end", READER, [
        IMAGE, begin("RETR grande", "150"), send(b"QUIT\r\n", ()),
        finish(("226", "221", ""), b"ended",
            pure=(("426", "226"), "RFC 959: QUIT waits for the transfer; Pure-FTPd takes it for ABOR", b"ended"))]),
    Dialogue("a command in a transfer is answered after it", READER, [
        IMAGE, begin("RETR grande", "150"), send(b"PWD\r\n", ()),
        finish(("226", "257"), b"ended", pure=(("500", "226"), "Pure-FTPd knows nothing but ABOR and QUIT in a transfer", b"ended"))]),
    Dialogue("a client that cuts the data connection", READER, [
        IMAGE, begin("RETR grande", "150"), cut("426", pure=("150", "Pure-FTPd says 150 at the end too"))]),
    Dialogue("QUIT", READER, [say("QUIT", "221"), send(b"", "")]),

    # ---- RFC 4217 ----
    Dialogue("FEAT names TLS", SECURABLE, [say("FEAT", r"(?s)(?=.*\n AUTH TLS)(?=.*\n PBSZ)(?=.*\n PROT)")]),
    Dialogue("a login over TLS, then data in plain", SECURABLE, [
        say("AUTH TLS", "234"), handshake(), say("PBSZ 0", "200"), say("PROT P", "200"), say(USER_LINE, "331"), say(PASS_LINE, "230"),
        say("PWD", '257 "/"'), say("PROT C", "200"), IMAGE, get("RETR a.txt", "226", b"hola\n")]),
    Dialogue("AUTH of something unknown", SECURABLE, [say("AUTH KERBEROS_V4", "504", pure=("500", AUTH_AS_500))]),
    Dialogue("AUTH without a mechanism", SECURABLE, [say("AUTH", "501", pure=("500", AUTH_AS_500), vsftpd=("504", FEW_ARGUMENTS))]),
    Dialogue("PBSZ and PROT without TLS", SECURABLE, [say("PBSZ 0", "503"), say("PROT P", "503")]),
    Dialogue("AUTH twice", SECURABLE, [
        say("AUTH TLS", "234"), handshake(),
        say("AUTH TLS", "503", pure=("234", "it says yes, and does not begin a second handshake"), vsftpd=("530", SAYS_530))]),
    Dialogue("PROT before PBSZ", SECURABLE, [
        say("AUTH TLS", "234"), handshake(), say("PROT P", "503", peers=("200", "RFC 4217, 9, wants PBSZ before; they do without"))]),
    Dialogue("levels that TLS has not", SECURABLE, [
        say("AUTH TLS", "234"), handshake(), say("PBSZ 0", "200"),
        say("PROT S", "536", pure=("200", "whatever it does not know is P for it")),
        say("PROT E", "536", pure=("200", "whatever it does not know is P for it")),
        say("PROT X", "504", pure=("534", "the text says that C holds from here on")),
        say("PROT", "501", pure=("503", "a missing argument is a bad sequence for it"), vsftpd=("504", FEW_ARGUMENTS))]),
    Dialogue("PBSZ of more than nothing", SECURABLE, [
        say("AUTH TLS", "234"), handshake(),
        say("PBSZ 100", "200 PBSZ=0", vsftpd=("200 PBSZ set to 0", "RFC 4217, 8, wants PBSZ=0 in the text"))]),
    Dialogue("PBSZ of no number", SECURABLE, [
        say("AUTH TLS", "234"), handshake(), say("PBSZ x", "501", peers=("200", "they read no argument"))]),
    Dialogue("CCC", SECURABLE, [say("AUTH TLS", "234"), handshake(), say("CCC", "53[34]|50[02]", vsftpd=("530", SAYS_530))]),
    Dialogue("AUTH TLS after USER forgets the name", SECURABLE, [
        say(USER_LINE, "331"), say("AUTH TLS", "234"), handshake(),
        say(PASS_LINE, "503", peers=("230", "RFC 4217, 4: AUTH begins the login anew; what came in plain must not count"))]),
    Dialogue("a plain login where TLS is optional", SECURABLE, [say(USER_LINE, "331"), say(PASS_LINE, "230"), say("PWD", '257 "/"')]),
    Dialogue("AUTH TLS after a plain login", SECURABLE, [
        say(USER_LINE, "331"), say(PASS_LINE, "230"), say("AUTH TLS", "503", peers=("500", "they know AUTH before login only"))]),

    # ---- writing where nobody may ----
    Dialogue("uploads", READER, [
        *[put(line, b"x", "550", pure=("553", NO_PERMISSIONS)) for line in ("STOR nuevo", "STOR a.txt", "APPE a.txt", "STOU")]]),
    Dialogue("removing", READER, [say("DELE a.txt", "550"), say("RMD vacía", "550"), say("XRMD vacía", "550"), say("DELE nada", "550")]),
    Dialogue("making folders", READER, [say("MKD nueva", "550"), say("XMKD nueva", "550")]),
    Dialogue("renaming", READER, [
        say("RNFR a.txt", "550", pure=("350", NO_PERMISSIONS)), say("RNTO b.txt", "550", pure=("451", NO_PERMISSIONS))]),
    Dialogue("setting times", READER, [say("MFMT 20200101000000 a.txt", "550", vsftpd=("500", NO_MLST))]),

    # ---- writing where one may ----
    Dialogue("STOR and RETR of the same", WRITER, [
        IMAGE, put("STOR nuevo.bin", b"\0\r\n\xff" * 1000, "226"), say("SIZE nuevo.bin", "213 4000"),
        get("RETR nuevo.bin", "226", b"\0\r\n\xff" * 1000)]),
    Dialogue("STOR over a longer file", WRITER, [IMAGE, put("STOR set1/b.txt", b"x", "226"), get("RETR set1/b.txt", "226", b"x")]),
    Dialogue("STOR in ASCII type", WRITER, [
        say("TYPE A", "200"), put("STOR texto.txt", b"uno\r\ndos\r\n", "226"), IMAGE, get("RETR texto.txt", "226", b"uno\ndos\n")]),
    Dialogue("STOR in active mode", WRITER, [put("STOR activo", b"x", "226", how="PORT"), put("STOR activo2", b"x", "226", how="EPRT")]),
    Dialogue("STOR to a folder that is missing", WRITER, [put("STOR nada/x", b"x", "55[03]")]),
    Dialogue("STOR over a folder", WRITER, [put("STOR set1", b"x", "55[03]")]),
    Dialogue("STOR outside", WRITER, [put("STOR ../../evadido", b"x", "226|55[03]")], after=nothing_outside),
    Dialogue("STOR without a name", WRITER, [put("STOR", b"x", "501", vsftpd=("553", MISSING_AS_WRONG))]),
    Dialogue("REST and STOR continue an upload", WRITER, [
        IMAGE, put("STOR parte", b"0123456789", "226"), say("REST 5", "350"), put("STOR parte", b"abc", "226"), 
        get("RETR parte", "226", b"01234abc", vsftpd=("226", "vsftpd leaves what lies behind the new end", b"01234abc89"))]),
    Dialogue("APPE", WRITER, [
        IMAGE, put("APPE a.txt", b"mundo\n", "226"), get("RETR a.txt", "226", b"hola\nmundo\n"), put("APPE otro", b"x", "226"),
        get("RETR otro", "226", b"x")]),
    Dialogue("STOU", WRITER, [put("STOU", b"x", "226|250")]),
    Dialogue("DELE", WRITER, [
        say("DELE a.txt", "250"), say("SIZE a.txt", "550"), say("DELE a.txt", "550"), say("DELE set1", "550"),
        say("DELE", "501", vsftpd=("550", MISSING_AS_WRONG))]),
    Dialogue("MKD and RMD", WRITER, [
        say("MKD nueva", '257 "/nueva"', pure=('257 "nueva" ', RELATIVE)), say("MKD nueva", "550|521"), say("CWD nueva", "250"),
        say("MKD más", '257 "/nueva/más"', pure=('257 "más" ', RELATIVE)), say("CDUP", "250"), say("RMD nueva", "550"),
        say("RMD nueva/más", "250"), say("RMD nueva", "250"), say("RMD nueva", "550"), say("RMD a.txt", "550")]),
    Dialogue("MKD of a name with quotes", WRITER, [say('MKD di "hola"', '257 "/di ""hola"""', pure=('257 "di "hola"" ', RELATIVE))]),
    Dialogue("XMKD and XRMD", WRITER, [say("XMKD nueva", "257"), say("XRMD nueva", "250")]),
    Dialogue("MKD and RMD without a name", WRITER, [
        say("MKD", "501", vsftpd=("550", MISSING_AS_WRONG)), say("RMD", "501", peers=("550", MISSING_AS_WRONG))]),
    Dialogue("renaming", WRITER, [
        say("RNFR a.txt", "350"), say("RNTO set1/z.txt", "250"), say("SIZE a.txt", "550"), say("SIZE set1/z.txt", "213 5"),
        say("RNFR set1", "350"), say("RNTO set2", "250"), say("SIZE set2/z.txt", "213 5")]),
    Dialogue("renaming over a file", WRITER, [
        say("RNFR a.txt", "350"), say("RNTO con espacios.txt", "250"), say("SIZE con espacios.txt", "213 5")]),
    Dialogue("renaming into itself", WRITER, [
        say("RNFR set1", "350"),
        say("RNTO set1/hondo/set1", "55[03]", pure=("451", "all that goes wrong in its RNTO is 451, even what never can go right"))]),
    Dialogue("renaming out of the root", WRITER, [
        say("RNFR a.txt", "350"), say("RNTO ../../evadido", "250|55[03]")], after=nothing_outside),
    Dialogue("removing the root", WRITER, [say("RMD /", "550"), say("RMD .", "550"), say("PWD", '257 "/"')]),
    Dialogue("removing the folder we are in", WRITER, [
        say("CWD vacía", "250"), say("RMD /vacía", "250"), say("CDUP", "250"), say("PWD", '257 "/"')]),
    Dialogue("two uploads one after the other over one session", WRITER, [
        IMAGE, put("STOR uno", b"1", "226"), put("STOR dos", b"22", "226"), say("SIZE uno", "213 1"), say("SIZE dos", "213 2")]),
    Dialogue("an empty upload", WRITER, [IMAGE, put("STOR nada", b"", "226"), say("SIZE nada", "213 0")]),
    Dialogue("REST past the end and STOR", WRITER, [IMAGE, say("REST 100", "350"), put("STOR a.txt", b"x", "226|55[04]")]),
    Dialogue("writing without a data connection", WRITER, [say("STOR x", "425"), say("APPE x", "425"), say("STOU", "425")]),
    Dialogue("names beyond ASCII and beyond UTF-8", WRITER, [
        IMAGE, put("STOR ñandú", b"x", "226"), say("SIZE ñandú", "213 1"), put(b"STOR \xf1and\xfa", b"xy", "226"),
        say(b"SIZE \xf1and\xfa", "213 2"), say(b"DELE \xf1and\xfa", "250")]),
    Dialogue("renaming out of turn", WRITER, [
        say("RNTO x", "503"), say("RNFR nada", "550"), say("RNTO x", "503"), say("RNFR a.txt", "350"), say("NOOP", "200"),
        say("RNTO x", "250")]),
    Dialogue("MFMT", WRITER, [
        say("MFMT 20200101000000 a.txt", "213 Modify=20200101000000; /?a.txt",
            pure=("213 UTIME", "without the facts that the draft asks for"), vsftpd=("500", NO_MLST)),
        say("MDTM a.txt", "213 20200101000000", vsftpd=("213 20200102030405", NO_MLST))]),
    Dialogue("MFMT that is none", WRITER, [
        say("MFMT nada a.txt", "501", vsftpd=("500", NO_MLST)),
        say("MFMT 20201301000000 a.txt", "501", pure=("213", "month 13 is the next year's first for it"), vsftpd=("500", NO_MLST)),
        say("MFMT 20200101000000 nada", "550", vsftpd=("500", NO_MLST))]),
    Dialogue("an upload that is aborted stays for resuming", WRITER, [
        IMAGE, put("STOR parte", b"x" * 1000, "226"), say("SIZE parte", "213 1000")]),
]


def make_tree(server, writable):
    """The same files for everybody, as they were before the last dialogue."""
    for path in server.root.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for name, content in TREE.items():
        server.put(name, content)
    server.put("grande", size=GRANDE)
    (server.root / "vacía").mkdir()
    os.utime(server.root / "a.txt", (1577934245, 1577934245))  # 2020-01-02 03:04:05 UTC
    for path in server.root.rglob("*"):
        if writable:
            shutil.chown(path, USER, GROUP)
        path.chmod(0o755 if path.is_dir() else 0o644)


def make_server(name, writable, secure):
    if name in PEERS:
        return PEERS[name](writable, secure)
    server = FtpServer(BUILD, options=["--write"] if writable else [])
    if secure:
        make_certificate(server.folder)
        server.options = [*server.options, "--tls-cert", server.folder / "cert.pem", "--tls-key", server.folder / "key.pem"]
    return server


@pytest.fixture(scope="module")
def served():
    """served("vsftpd", WRITER) is that server, running, with the tree as it should be."""
    running = {}

    def serve(name, session):
        writable, secure = session == WRITER, session == SECURABLE
        if (name, writable, secure) not in running:
            server = running[name, writable, secure] = make_server(name, writable, secure)
            server.start()
            make_tree(server, writable)
        elif writable:
            make_tree(running[name, writable, secure], writable)
        return running[name, writable, secure]
    yield serve
    for server in running.values():
        server.stop()


@pytest.mark.parametrize("server", ["tempoftp", *PEERS])
@pytest.mark.parametrize("dialogue", DIALOGUES, ids=lambda dialogue: f"{dialogue.session}: {dialogue.name}")
def test_dialogue(served, server, dialogue):
    running = served(server, dialogue.session)
    assert not Play(dialogue, running, server).run()
    if dialogue.after:
        dialogue.after(running)


def test_every_difference_has_a_reason_and_there_are_enough_exchanges():
    steps = [step for dialogue in DIALOGUES for step in dialogue.steps]
    assert len(steps) >= 80
    names = [(dialogue.session, dialogue.name) for dialogue in DIALOGUES]
    assert len(set(names)) == len(names)
    for step in steps:
        for _, why in step.differences.values():
            assert len(why) > 10, step.shown
