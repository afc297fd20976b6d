"""FTPS as a delivery sees it: the service's certificate, its renewal, sessions that outlive their listener, revocation in the middle of it."""
import ftplib
import ssl

import pytest

from client import FTP_ADDRESS, decrypt, fetch
from ftp_service import (BIG, delivered, end_sessions, kill_listener, list_sessions, main_pid, read_rest,  # noqa: F401 (fixtures)
                         wait_for_listener)
from ftps import FtpTls, client_context, make_certificate
from machine import wait_until

CERTIFICATE, KEY = "/etc/tempoftp/ftp.crt", "/etc/tempoftp/ftp.key"


@pytest.fixture
def certificate(machine, tmp_path):
    """The service demands TLS and has a certificate; install() gives it another one."""
    def install(name):
        text, key = make_certificate(tmp_path, name)
        machine.write_file(KEY, key, mode=0o600)
        machine.write_file(CERTIFICATE, text)
        return text
    install("first")
    with machine.settings(TEMPOFTP_FTP_TLS="required"):
        yield install
    machine.run(["rm", "-f", CERTIFICATE, KEY])
    machine.restart()


def login(machine, answer):
    ftp = FtpTls(context=client_context(), timeout=60, encoding="utf-8")
    ftp.connect(*FTP_ADDRESS)
    ftp.login(answer["ftpuser"], decrypt(machine, answer["password"]))
    ftp.prot_p()
    return ftp


def begin(ftp, path):
    """A transfer under way: the client has read 1,000 bytes, and waits."""
    data, got = ftp.transfercmd(f"RETR {path}"), 0
    while got < 1000:
        got += len(data.recv(1000 - got))
    return data


def shown():
    """The certificate that a client sees now."""
    with FtpTls(context=client_context(), timeout=60) as ftp:
        ftp.connect(*FTP_ADDRESS)
        ftp.auth()
        return ssl.DER_cert_to_PEM_cert(ftp.sock.getpeercert(binary_form=True)).split()


def test_a_delivery_goes_out_over_tls(machine, delivered, certificate):  # noqa: F811
    answer = delivered(files={"a.txt": "hola\n"})
    with ftplib.FTP(timeout=60) as plain:
        plain.connect(*FTP_ADDRESS)
        with pytest.raises(ftplib.error_perm, match="530.*TLS"):
            plain.login(answer["ftpuser"], decrypt(machine, answer["password"]))
    with login(machine, answer) as ftp:
        assert fetch(ftp, f"/{answer['id']}/a.txt") == b"hola\n"
        assert [row["peer"] for row in list_sessions(machine, answer["ftpuser"])] == ["127.0.0.1"]


def test_sessions_outlive_the_listener_and_its_certificate(machine, delivered, certificate):  # noqa: F811
    answer = delivered()
    with login(machine, answer) as ftp:
        data = begin(ftp, f"/{answer['id']}/grande.bin")
        kill_listener(machine)
        before = main_pid(machine)
        renewed = certificate("second")
        wait_for_listener(machine, before)  # tempoftp-ftp-cert.path saw it
        wait_until(lambda: shown() == renewed.split(), 60, what="the renewed certificate")
        assert read_rest(data) == BIG - 1000
        assert ftp.voidresp().startswith("226")
        assert ftp.nlst() == [answer["id"]]
        # and the listener of now can end it, in the middle of a transfer
        data = begin(ftp, f"/{answer['id']}/grande.bin")
        assert end_sessions(machine, answer["ftpuser"]) == 1
        with pytest.raises((ssl.SSLError, ConnectionError)):
            read_rest(data)
        with pytest.raises(ftplib.error_temp, match="421"):
            while ftp.getresp():
                pass


def test_without_a_certificate_it_says_what_is_missing(machine, delivered):  # noqa: F811
    since = machine.journal_now()
    with machine.settings(TEMPOFTP_FTP_TLS="optional"):
        with pytest.raises(ftplib.error_temp, match="421"):
            ftplib.FTP(timeout=60).connect(*FTP_ADDRESS)
        wait_until(lambda: machine.unit("tempoftp-ftp.service", "ActiveState")["ActiveState"] == "failed", 60, what="a failed service")
        said = machine.journal("-u", "tempoftp-ftp", since=since)
        assert f"{CERTIFICATE}" in said and "there is no certificate file" in said
        machine.run(["systemctl", "reset-failed", "tempoftp-ftp.service"])
