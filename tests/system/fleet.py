"""The machine's MariaDB and Pure-FTPd (tests/testbed/ftp-fleet): the servers that accounts are for when FTP_DB_HOST is set.

A story takes them by the fixture `fleet` of conftest.py. They start, stop, hang and are killed by what is here; what
tempoftp answers meanwhile is client.py's business.
"""
import contextlib
import ftplib
import re

from machine import wait_until

SERVER, PURE_FTPD = "mariadb.service", "pure-ftpd-mysql.service"
TABLES = ["ours", "deployed", "minimal"]
FILES = "/usr/local/share/ftp-fleet"
CONFIGURATION = "/etc/pure-ftpd/db/mysql.conf"
TRANSFER_LOG = "/var/log/pure-ftpd/transfer.log"
CERTIFICATES = "/etc/mysql/tls"  # ca.pem has signed the server's certificate, for localhost and 127.0.0.1
# tempoftp's, for machine.settings(**SETTINGS)
SETTINGS = {"FTP_DB_HOST": "127.0.0.1", "FTP_DB_USER": "tempoftp", "FTP_DB_PASS": "tempoftp-password", "FTP_DB_NAME": "pureftpd"}
SQL_COLUMN, SQL_ROW = "\t", "\n"


class Fleet:
    """MariaDB, its table of accounts, and Pure-FTPd in a machine."""

    def __init__(self, machine):
        self.machine = machine
        self.table = None

    def make(self):
        """Once for a machine; afterwards both are stopped."""
        self.machine.run(["systemctl", "stop", "tempoftp-ftp.socket", "tempoftp-ftp.service"])
        self.machine._testbed("", self.machine.name, script="ftp-fleet")
        self.stop()

    def start(self):
        """Both run, with an empty table `ours`; Pure-FTPd has port 21."""
        self.machine.run(["systemctl", "stop", "tempoftp-ftp.socket", "tempoftp-ftp.service"])
        self.start_server()
        self.use_table("ours")

    def use_table(self, table):
        """Drops the table and makes that one, of TABLES; Pure-FTPd asks it from now on. Whoever looked at the columns before has to
        look again: machine.restart()."""
        self.sql("DROP DATABASE pureftpd", bare=True)
        self.sql(self.machine.file(f"{FILES}/{table}.sql").read_text(), bare=True)
        self.configure(self.machine.file(f"{FILES}/{table}.conf").read_text())
        self.table = table

    def stop(self):
        """Both are down, and tempoftp's own FTP server has its port back."""
        with contextlib.suppress(Exception):
            self.thaw_server()
        self.machine.run(["systemctl", "stop", PURE_FTPD, SERVER])
        self.machine.run(["systemctl", "start", "tempoftp-ftp.socket"])

    def rest(self):
        """What was deleted is gone. For those who restart tempoftpd next: in the middle of a purge's start it would leave the bus waiting."""
        wait_until(lambda: not list(self.machine.file("/data/.purge").iterdir()) and not self.machine.units("tempoftp-purge-*"), 120, "data is purged")

    # -- MariaDB ------------------------------------------------------------------------------------

    def sql(self, text, bare=False):
        """Runs SQL as root; rows as lists of texts (NULL is "NULL"). Of several statements all rows, in one list.
        bare: without `USE pureftpd`."""
        shown = self.machine.run(["mariadb", "--batch", "--skip-column-names"], input=f"{'' if bare else 'USE pureftpd;'}{text}").stdout
        return [row.split(SQL_COLUMN) for row in shown.split(SQL_ROW) if row]

    def row(self, user):
        """A row as a dictionary of texts, or None."""
        shown = self.machine.run(["mariadb", "--batch", "pureftpd"],
                                 input=f"SELECT * FROM users WHERE User = BINARY '{user}'").stdout.splitlines()
        return dict(zip(shown[0].split(SQL_COLUMN), shown[1].split(SQL_COLUMN))) if shown else None

    def stop_server(self):
        """In order: connections are told."""
        self.machine.run(["systemctl", "stop", SERVER])

    def start_server(self):
        self.machine.run(["systemctl", "reset-failed", SERVER], check=False)
        self.machine.run(["systemctl", "start", SERVER])

    def kill_server(self):
        """kill -9, and it stays away: Debian's unit would start it again after 5 s."""
        self.machine.write_file(f"/run/systemd/system/{SERVER}.d/away.conf", "[Service]\nRestart=no\n")
        self.machine.run(["systemctl", "daemon-reload"])
        self.machine.run(["systemctl", "kill", "--signal=KILL", SERVER])
        wait_until(lambda: self.machine.unit(SERVER, "ActiveState")["ActiveState"] in ("failed", "inactive"), 60, "MariaDB is dead")

    def freeze_server(self):
        """It hangs: connections are accepted by the kernel, nothing is answered. Not sooner than its last thread has stopped."""
        self.machine.run(["systemctl", "kill", "--signal=STOP", SERVER])
        threads = ["ps", "-L", "-C", "mariadbd", "-o", "state="]
        wait_until(lambda: set(self.machine.run(threads).stdout.split()) == {"T"}, 30, "MariaDB hangs")

    def thaw_server(self):
        self.machine.run(["systemctl", "kill", "--signal=CONT", SERVER])

    @contextlib.contextmanager
    def server_away(self, how="stop"):
        """Within the `with` the server is stopped, killed or frozen ("stop", "kill", "freeze")."""
        {"stop": self.stop_server, "kill": self.kill_server, "freeze": self.freeze_server}[how]()
        try:
            yield
        finally:
            {"freeze": self.thaw_server}.get(how, self.start_server)()

    # -- Pure-FTPd ----------------------------------------------------------------------------------

    def configure(self, text=None, crypt=None):
        """Pure-FTPd with another file about MariaDB, or another MYSQLCrypt in it, restarted."""
        file = self.machine.file(CONFIGURATION)
        text = text or file.read_text()
        if crypt:
            text = re.sub(r"(?m)^(MYSQLCrypt\s+).*$", rf"\g<1>{crypt}", text)
        file.write_text(text)
        self.machine.run(["systemctl", "restart", PURE_FTPD])

    @contextlib.contextmanager
    def second_node(self, port):
        """Another Pure-FTPd of the fleet: the same table and data, another port. Its passive data connections have ports of their own."""
        unit = f"second-node-{port}.service"
        self.machine.run(["systemd-run", "--quiet", f"--unit={unit}", "/usr/sbin/pure-ftpd-mysql", "-S", f"127.0.0.1,{port}", "-A", "-E", "-H",
                          "-p", "42000:42999", "-l", f"mysql:{CONFIGURATION}", "-g", f"/run/second-node-{port}.pid"])
        try:
            wait_until(lambda: self.machine.run(["ss", "-Hltn", f"sport = :{port}"]).stdout, 60, f"the node at port {port}")
            yield
        finally:
            self.machine.run(["systemctl", "stop", unit], check=False)

    def login(self, user, password, port=21, timeout=60):
        """A logged-in ftplib.FTP, or ftplib.error_perm "530 …". Close it, or use it in a `with`. See also client.ftp_login()."""
        ftp = ftplib.FTP(timeout=timeout, encoding="utf-8")
        ftp.connect("127.0.0.1", port)
        try:
            ftp.login(user, password)
        except Exception:
            ftp.close()
            raise
        return ftp

    def processes(self):
        """Pure-FTPd's process ids but that of its listener, as numbered inside."""
        unit = self.machine.unit(PURE_FTPD, "ControlGroup", "MainPID")
        listed = self.machine.run(["cat", f"/sys/fs/cgroup{unit['ControlGroup']}/cgroup.procs"]).stdout.split()
        return [int(pid) for pid in listed if pid != unit["MainPID"]]
