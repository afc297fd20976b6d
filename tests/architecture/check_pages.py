"""What is written about the programs names all that they have: check_pages.py TEMPOFTP EXAMPLE SETTINGS-PAGE REPOSITORY

    man/tempoftp.1       every verb, option and exit code of `tempoftp --help`, and no verb or option that is not there
    example, env page    every row of the table in model/settings.c, and nothing else
"""
import pathlib
import re
import subprocess
import sys


def plain(troff):
    """A manual page's words, without fonts and escapes."""
    text = re.sub(r"\\f(\[[^]]*\]|.)", "", troff).replace("\\-", "-").replace("\\(aq", "'").replace("\\&", "")
    return re.sub(r"^\.[A-Za-z]+ ?", "", text, flags=re.M)


def check_client_page(help_text, page):
    words = plain(page)
    verbs = re.search(r"\nVerbos:\n(.*?)\n\n", help_text, re.S)[1]
    verbs = re.findall(r"^  ([a-z-]+)", verbs, re.M)
    options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", help_text))
    codes = re.findall(r"^  (\d)  ", help_text.split("Códigos de salida:")[1], re.M)
    if len(verbs) < 10 or len(options) < 10 or len(codes) < 5:
        yield "tempoftp --help: its lists are not where this test looks for them"

    documented = set(re.findall(r"^\.B ([a-z-]+)(?: |$)", page.split(".SH VERBS")[1].split(".SH OPTIONS")[0], re.M)) & set(
        re.findall(r"^\.TP\n\.B ([a-z-]+)", page, re.M))
    for verb in sorted(set(verbs) ^ documented):
        yield f"verb {verb}: only in {'--help' if verb in verbs else 'tempoftp.1'}"
    for option in sorted(options ^ set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", words))):
        yield f"option {option}: only in {'--help' if option in options else 'tempoftp.1'}"
    status = page.split(".SH EXIT STATUS")[1].split(".SH")[0]
    if re.findall(r"^\.B (\d)$", status, re.M) != codes:
        yield "exit codes: --help and tempoftp.1 differ"


def check_settings(source, example, page):
    table = source.split("table[] = {")[1].split("\n};")[0]
    names = set(re.findall(r'\{\s*"([A-Z][A-Z0-9_]+)"', table))
    if len(names) < 15:
        yield "model/settings.c: its table is not where this test looks for it"
    in_example = re.findall(r"^#([A-Z][A-Z0-9_]*)=", example, re.M)
    in_page = re.findall(r"^\.B ([A-Z][A-Z0-9_]*)=", page, re.M)
    for where, found in (("tempoftp.env.example", in_example), ("tempoftp.env.5", in_page)):
        for name in sorted(names ^ set(found)):
            yield f"{name}: {'missing in ' + where if name in names else 'in ' + where + ' only'}"
        if len(found) != len(set(found)):
            yield f"{where}: a setting twice"


def main():
    program, example, page, root = sys.argv[1:]
    root = pathlib.Path(root)
    read = lambda path: pathlib.Path(path).read_text(encoding="utf-8")
    help_text = subprocess.run([program, "--help"], check=True, capture_output=True, text=True, timeout=30).stdout
    faults = [
        *check_client_page(help_text, read(root / "man/tempoftp.1")),
        *check_settings(read(root / "src/model/settings.c"), read(example), read(page)),
    ]
    for fault in faults:
        print(fault)
    print(f"{len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
