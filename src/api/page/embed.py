"""Makes the table of the page's files (docs.h, DocsFile), embedded as they are and compressed: embed.py OUT.c FOLDER-FOR-COPIES NAME=FILE...

The C file names its data with their digests, so that it changes, and is compiled again, whenever they do.
"""
import gzip
import hashlib
import pathlib
import sys

TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".png": "image/png"}
PLAIN = "text/plain; charset=utf-8"

SECTION = """__asm__(".pushsection .rodata\\n"
        ".hidden {symbol}\\n.hidden {symbol}_end\\n.globl {symbol}\\n.globl {symbol}_end\\n"
        "{symbol}:\\n.incbin \\"{path}\\"\\n{symbol}_end:\\n.byte 0\\n"
        ".popsection\\n");
extern const char {symbol}[], {symbol}_end[];
"""


def etag(data):
    return '"\\"' + hashlib.sha256(data).hexdigest()[:32] + '\\""'


def main():
    out, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    data_of = {name: pathlib.Path(path).read_bytes() for name, _, path in (word.partition("=") for word in sys.argv[3:])}
    parts, rows = ["/* Made by src/api/page/embed.py. */\n#include \"api/docs.h\"\n\n"], []
    for n, (name, data) in enumerate(data_of.items()):
        row = {"name": f'"{name}"', "type": f'"{TYPES.get(pathlib.Path(name).suffix, PLAIN)}"'}
        for kind, content in (("data", data), ("gzip", gzip.compress(data, 9, mtime=0))):
            symbol, copy = f"docs_{kind}_{n}", folder / f"{n}.{kind}"
            copy.write_bytes(content)
            parts.append(SECTION.format(symbol=symbol, path=copy))
            row |= {kind: symbol, f"{kind}_end": f"{symbol}_end", "etag" if kind == "data" else "gzip_etag": etag(content)}
        rows.append("    { " + ", ".join(f".{key} = {value}" for key, value in row.items()) + " },\n")
    out.write_text("".join([*parts, "\nconst DocsFile docs_files[] = {\n", *rows, "    { .name = 0 },\n};\n"]), encoding="utf-8")


if __name__ == "__main__":
    main()
