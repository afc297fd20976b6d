"""The simulator over TLS: a port of its own, a certificate that can be renewed, and connections to it."""
import http.client
import shutil
import socket
import ssl

from certificates import make_pair
from client import Api
from ports import free_port
from simulator import GROUP, USER


class Https:
    """`service` is the simulator (not started yet), which also answers in plain HTTP; call it like an Api over TLS: https.api.get("/")."""

    def __init__(self, service):
        self.service = service
        self.port = free_port()
        self.certificate, self.key = service.folder / "https.crt", service.folder / "https.key"
        service.settings.update(TEMPOFTP_HTTPS_CERT=self.certificate, TEMPOFTP_HTTPS_KEY=self.key, TEMPOFTP_LOG_LEVEL="debug")
        service.arguments = ["--listen", f"https://127.0.0.1:{self.port}"]
        self.api = Api(lambda timeout: http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout, context=any_certificate()))

    def install(self, certificate, key):
        """Each file as a whole; None: there is none."""
        for path, text in ((self.certificate, certificate), (self.key, key)):
            path.unlink(missing_ok=True)
            if text is not None:
                path.write_text(text)
                path.chmod(0o600)
                shutil.chown(path, USER, GROUP)

    def renew(self, name, **dates):
        """Another good pair; returns its certificate."""
        certificate, key = make_pair(name, **dates)
        self.install(certificate, key)
        return certificate

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def connect_tls(self, *protocols):
        """A connection after its handshake, with these for ALPN."""
        return any_certificate(*protocols).wrap_socket(self.connect(), server_hostname="localhost", suppress_ragged_eofs=False)

    def shown(self):
        """The certificate that clients see now."""
        return shown_at(self.port)


def any_certificate(*protocols):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if protocols:
        context.set_alpn_protocols(protocols)
    return context


def shown_at(port):
    with socket.create_connection(("127.0.0.1", port), timeout=60) as plain, any_certificate().wrap_socket(plain) as connection:
        return ssl.DER_cert_to_PEM_cert(connection.getpeercert(binary_form=True)).strip()
