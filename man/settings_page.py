"""tempoftp.env(5) from the example settings file, which tempoftpd prints from its table: settings_page.py EXAMPLE VERSION"""
import pathlib
import re
import sys

HEAD = r""".\" Made by man/settings_page.py from `tempoftpd --print-settings`.
.TH TEMPOFTP.ENV 5 "" "tempoftp {version}" "File formats"
.SH NAME
tempoftp.env \- settings of tempoftp
.SH DESCRIPTION
The programs of tempoftp read their settings from the environment, which systemd fills from
.I /etc/default/tempoftp
or
.IR /etc/sysconfig/tempoftp ;
by hand,
.B tempoftpd \-\-env\-file
.I FILE
does the same, weaker than the environment. The format is that of EnvironmentFile= in
.BR systemd.exec (5):
NAME=value lines, "#" begins a comment. "NAME=" leaves a setting at its default. A value that is not allowed stops the start with an error that names the
setting; a name that is none only warns. Changes count from the next start: services that are idle have exited and read them when they come back; else
.BR "systemctl restart tempoftp tempoftp-broker tempoftp-ftp" .
.PP
The key is better kept in
.IR /etc/tempoftp/encryption.key ,
which systemd hands to the service as a credential; it beats the environment. So is FTP_DB_PASS in
.IR /etc/tempoftp/ftp_db_pass .
.SH SETTINGS
"""
TAIL = r""".SH FILES
.TP
.I {docdir}/tempoftp.env.example
The same as a file to copy.
.SH SEE ALSO
.BR tempoftpd (8),
.BR tempoftp\-ftpd (8),
.BR tempoftp (1),
.BR systemd.exec (5)
"""


def troff(text):
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "\\(ga").replace("'", "\\(aq")
    return "\\&" + text if text[:1] in ".'" else text


def settings(example):
    """(name, default, help lines) of each block of comment lines that ends in #NAME=default."""
    comment = []
    for line in example.splitlines():
        setting = re.fullmatch(r"#([A-Z][A-Z0-9_]*)=(.*)", line)
        if setting:
            yield setting[1], setting[2], comment
            comment = []
        elif line.startswith("# "):
            comment.append(line[2:])
        else:
            comment = []


def main():
    example, version, docdir = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"), sys.argv[2], sys.argv[3]
    print(HEAD.format(version=version), end="")
    for name, default, comment in settings(example):
        print(f".TP\n.B {troff(name)}={troff(default)}")
        print("\n.br\n".join(troff(line) for line in comment))
    print(TAIL.format(docdir=troff(docdir)), end="")


if __name__ == "__main__":
    main()
