"""Each rule of check.py, shown a small house that breaks it, and one that breaks none."""
import pathlib
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import check  # noqa: E402

GOOD = {
    "README.md": "src/\n  basic/   a\n  model/   b\n  cli/     c\n  api/     d\n",
    "README.es.md": "src/\n  basic/   a\n  model/   b\n  cli/     c\n  api/     d\n",
    "src/basic/b.h": "/* b */\n#pragma once\n",
    "src/model/m.h": '#pragma once\n#include "basic/b.h"\n',
    "src/cli/client.c": '/* client */\n#include "model/m.h"\n#include <curl/curl.h>\n#include <stdio.h>\n',
    "src/api/a.h": "#pragma once\n#include <h2o.h>\n",
}
BAD = [
    ({"src/basic/b.h": '#pragma once\n#include "model/m.h"\n'}, "basic may not include model"),
    ({"src/cli/x.c": '/* x */\n#include "api/a.h"\n'}, "cli may not include api"),
    ({"src/cli/x.c": "/* x */\n#include <curl/curl.h>\n"}, "curl/curl.h belongs to"),
    ({"src/cli/x.c": "/* x */\n# include <sqlite3.h>\n"}, "sqlite3.h belongs to store/"),
    ({"src/model/x.c": "/* x */\n#include <openssl/evp.h>\n"}, "openssl/evp.h belongs to"),
    ({"src/model/x.c": "/* x */\n#include <mysql/mysql.h>\n"}, "mysql/mysql.h belongs to"),
    ({"src/model/x.c": '/* x */\n#include "m.h"\n'}, "is no file below src/"),
    ({"src/model/x.c": "#include <stdio.h>\n"}, "no opening comment"),
    ({"src/model/x.h": "/* x */\n"}, "no #pragma once"),
    ({"src/model/x.c": "/* x */\n" + "\n" * 600}, "601 lines"),
    ({"src/attic/x.c": "/* x */\n"}, "no room of the house"),
    ({"src/store/s.h": "#pragma once\n"}, "README.es.md: its map does not name store/"),
    ({"README.es.md": GOOD["README.es.md"] + "## more\n"}, "differ in their headings"),
    ({"README.md": GOOD["README.md"] + "| a |\n|---|\n| b |\n"}, "differ in their tables"),
    ({"README.md": GOOD["README.md"] + "`TEMPOFTP_AUTH`\n"}, "differ in their names"),
    ({"units/tempoftp-copy-.service.d/50-sandbox.conf": "", "README.md": GOOD["README.md"] + "systemctl status tempoftp-copy-ID"},
     "README.md: its diagram does not have tempoftp-copy-"),
    ({"README.md": "basic cli model api"}, "README.md: its map does not name cli/"),
]


def faults(files):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        return [line for is_fault, line in check.check_tree(root) if is_fault]


def main():
    failed = 0
    if faults(GOOD):
        failed += 1
        print("faults in a house without any:", faults(GOOD))
    for change, expected in BAD:
        found = faults({**GOOD, **change})
        if not any(expected in line for line in found):
            failed += 1
            print(f"not found: {expected}; but: {found}")
    print(f"{len(BAD) + 1} houses, {failed} judged wrongly")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
