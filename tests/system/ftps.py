"""Explicit FTPS in tests: certificates, servers that have one, clients that resume (or don't), and a control connection of raw TLS."""
import ctypes
import ctypes.util
import ftplib
import os
import shutil
import ssl
import subprocess

from ftp_standalone import ACCOUNT, GROUP, PASSWORD, USER, FtpServer, Talk

KEY_KINDS = {"ecdsa": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"], "rsa": ["-newkey", "rsa:2048"]}


def make_certificate(folder, name="localhost", kind="ecdsa"):
    """A self-signed certificate and its key, as texts; folder: where the files are made."""
    key, certificate = folder / f"{name}.key", folder / f"{name}.crt"
    subprocess.run(["openssl", "req", "-x509", *KEY_KINDS[kind], "-nodes", "-subj", f"/CN={name}", "-days", "30", "-addext",
                    "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", certificate], check=True, stderr=subprocess.DEVNULL)
    return certificate.read_text(), key.read_text()


def client_context(version=None):
    """A client that accepts any certificate and, if told, speaks this version only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if version:
        context.minimum_version = context.maximum_version = version
    return context


class FtpsServer(FtpServer):
    """tempoftp-ftpd with a certificate; cert_path and key_path are its files."""

    def __init__(self, build, options=(), kind="ecdsa", **settings):
        super().__init__(build, **settings)
        self.cert_path, self.key_path = self.folder / "ftp.crt", self.folder / "ftp.key"
        self.install(*make_certificate(self.folder, kind=kind))
        self.options = ["--tls-cert", self.cert_path, "--tls-key", self.key_path, *options]

    def install(self, certificate, key):
        """Each file is replaced as a whole, as tools that renew certificates do."""
        for path, text in ((self.key_path, key), (self.cert_path, certificate)):
            new = path.with_suffix(".new")
            new.write_text(text)
            new.chmod(0o600)
            shutil.chown(new, USER, GROUP)
            os.replace(new, path)

    def login_tls(self, protect=True, reuse=True, version=None, timeout=30, heard=None):
        """heard: called with each message of TLS's own, as ssl.SSLContext._msg_callback."""
        context = client_context(version)
        context._msg_callback = heard
        ftp = FtpTls(reuse=reuse, context=context, timeout=timeout, encoding="utf-8")
        ftp.connect("127.0.0.1", self.port)
        ftp.login(ACCOUNT, PASSWORD)
        if protect:
            ftp.prot_p()
        return ftp

    def talk_tls(self, version=None):
        """A control connection after AUTH TLS, before USER."""
        talk = Talk(self.address, timeout=30)
        assert talk.ask("AUTH TLS").startswith("234")
        begin_tls(talk, version)
        return talk


def begin_tls(talk, version=None):
    talk._file.close()
    talk.socket = client_context(version).wrap_socket(talk.socket, suppress_ragged_eofs=False)
    talk._file = talk.socket.makefile("rb")


def key_updates(talk, count):
    """After AUTH TLS: shakes hands and returns so many messages of TLS's own (1.3), to be sent as they are."""
    lib = ctypes.CDLL(ctypes.util.find_library("ssl"))
    crypto = ctypes.CDLL(ctypes.util.find_library("crypto"))
    for function in (lib.TLS_client_method, lib.SSL_CTX_new, lib.SSL_new, crypto.BIO_s_mem, crypto.BIO_new):
        function.restype = ctypes.c_void_p
    pointer = ctypes.c_void_p
    context = pointer(lib.SSL_CTX_new(pointer(lib.TLS_client_method())))
    connection = pointer(lib.SSL_new(context))
    talk.socket.settimeout(None)  # for OpenSSL it must block
    lib.SSL_set_fd(connection, talk.socket.fileno())
    assert lib.SSL_connect(connection) == 1
    made = pointer(crypto.BIO_new(pointer(crypto.BIO_s_mem())))
    lib.SSL_set0_wbio(connection, made)
    for _ in range(count):
        lib.SSL_key_update(connection, 0)
        assert lib.SSL_do_handshake(connection) == 1
    records = ctypes.create_string_buffer(64 * count)
    size = crypto.BIO_read(made, records, len(records))
    lib.SSL_free(connection)
    lib.SSL_CTX_free(context)
    assert size > 0
    talk.socket.settimeout(60)
    return records.raw[:size]


class FtpTls(ftplib.FTP_TLS):
    """ftplib's data connections begin sessions of their own; these resume the control connection's, or the one in `session`."""

    def __init__(self, reuse=True, **options):
        super().__init__(**options)
        self.reuse, self.session = reuse, None

    def ntransfercmd(self, command, rest=None):
        connection, size = ftplib.FTP.ntransfercmd(self, command, rest)
        if self._prot_p:
            session = self.session or (self.sock.session if self.reuse else None)
            try:
                connection = self.context.wrap_socket(connection, session=session, suppress_ragged_eofs=False)
            except (ssl.SSLError, OSError):
                connection.close()
                raise
        return connection, size
