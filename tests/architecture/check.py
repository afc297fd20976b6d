"""The house's rules that a compiler doesn't check: who may include whom, and what every file must have.

    python3 tests/architecture/check.py [REPOSITORY]

Prints one line a fault and exits 1 when there is any. A file past 500 lines is named in a warning, past 600 it is a fault.
check_self.py beside this file shows that each rule finds what it is for.
"""
import pathlib
import re
import sys

# Which rooms a room may include, besides itself. Programs never include each other.
LIBRARIES = ["crypto", "store", "accounts", "units"]
PROGRAMS = ["api", "broker", "transfer", "purge", "pureftpd", "xferlog", "export", "ftpd", "cli"]
MAY_INCLUDE = {
    "basic": [],
    "model": ["basic"],
    "crypto": ["basic", "model"],
    "store": ["basic", "model"],
    "accounts": ["basic", "model", "crypto"],
    "units": ["basic", "model"],
    **{program: ["basic", "model", *LIBRARIES] for program in PROGRAMS},
    "cli": ["basic", "model", "crypto"],
}

# One outside library, one room: header (a pattern) -> the rooms or files below src/ that may include it.
OUTSIDE = [
    (r"sqlite3\.h", ["store/"]),
    (r"(mysql|mariadb)(/.*)?\.h", ["accounts/"]),
    (r"h2o(/.*)?\.h", ["api/"]),
    (r"sodium(/.*)?\.h", ["crypto/"]),
    (r"openssl/.*\.h", ["crypto/", "ftpd/tls.c", "ftpd/tls_key.c", "ftpd/tls_key.h"]),
    (r"crypt\.h", ["crypto/"]),
    (r"curl/.*\.h", ["export/ftp.c", "export/ftp_error.c", "export/ftp_error.h", "cli/client.c"]),
    (r"libssh/.*\.h", ["export/ssh.c"]),
    (r"seccomp\.h", ["ftpd/jail_filter.c", "transfer/"]),
]

LINES_WARN, LINES_MAX = 500, 600
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def sources(src):
    return sorted(path for pattern in ("*.c", "*.h") for path in src.rglob(pattern))


def check_file(src, path):
    """Yields (is_fault, line) for one file."""
    name = path.relative_to(src).as_posix()
    room = name.split("/")[0] if "/" in name else None
    text = path.read_text(encoding="utf-8")
    if room not in MAY_INCLUDE:
        yield True, f"src/{name}: no room of the house; see MAY_INCLUDE"
        return

    for bracket, header in INCLUDE.findall(text):
        if bracket == '"':
            target = header.split("/")[0]
            if not (src / header).is_file():
                yield True, f'src/{name}: "{header}" is no file below src/ (own headers are named from there)'
            elif target != room and target not in MAY_INCLUDE[room]:
                yield True, f"src/{name}: {room} may not include {target} ({header})"
        for pattern, allowed in OUTSIDE:
            if re.fullmatch(pattern, header) and not any(name == a or (a.endswith("/") and name.startswith(a)) for a in allowed):
                yield True, f"src/{name}: {header} belongs to {' and '.join(allowed)}"

    if path.suffix == ".c" and not text.startswith("/*"):
        yield True, f"src/{name}: no opening comment that says what this file does"
    if path.suffix == ".h" and "#pragma once" not in text:
        yield True, f"src/{name}: no #pragma once"
    lines = text.count("\n")
    if lines > LINES_WARN:
        yield lines > LINES_MAX, f"src/{name}: {lines} lines, asks to be split"


def check_map(root, src):
    """The READMEs' map names every folder of src/."""
    for readme in ("README.md", "README.es.md"):
        path = root / readme
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        for room in sorted(p.name for p in src.iterdir() if p.is_dir()):
            if not re.search(rf"^\s*{room}/\s", text, re.M):
                yield True, f"{readme}: its map does not name {room}/"


def check_diagram(root):
    """The READMEs' diagram has every kind of unit that the broker starts."""
    for readme in ("README.md", "README.es.md"):
        path = root / readme
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        for kind in sorted(p.name.removesuffix(".service.d") for p in (root / "units").glob("tempoftp-*-.service.d")):
            if not re.search(rf"^ *[├└]─ {kind}", text, re.M):
                yield True, f"{readme}: its diagram does not have {kind}"


def outline(markdown):
    """What two languages of one page share: levels of headings, lengths of tables, code blocks, names of settings and files."""
    text = re.sub(r"^```.*?^```", "CODE", markdown, flags=re.M | re.S)
    return {
        "headings": re.findall(r"^(#+) ", text, re.M),
        "tables": [len(table.splitlines()) for table in re.findall(r"(?:^\|.*\n)+", text, re.M)],
        "code blocks": text.count("CODE"),
        "numbered steps": re.findall(r"^(\d+)\. ", text, re.M),
        "names": sorted(set(re.findall(r"TEMPOFTP_[A-Z_]+|/(?:etc|var|run|data)[\w./-]*|tempoftp-[a-z-]+\.[a-z]+", markdown))),
    }


def check_twins(root):
    pages = [root / "README.md", root / "README.es.md"]
    if not all(page.exists() for page in pages):
        return
    english, spanish = (outline(page.read_text(encoding="utf-8")) for page in pages)
    for part in english:
        if english[part] != spanish[part]:
            yield True, f"README.md and README.es.md differ in their {part}: {english[part]} and {spanish[part]}"


def check_tree(root):
    src = root / "src"
    for path in sources(src):
        yield from check_file(src, path)
    yield from check_map(root, src)
    yield from check_diagram(root)
    yield from check_twins(root)


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2]).resolve()
    n = len(sources(root / "src"))
    faults = 0
    for is_fault, line in check_tree(root):
        faults += is_fault
        print(line if is_fault else f"warning: {line}")
    print(f"{n} files, {faults} faults")
    return 1 if faults or n == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
