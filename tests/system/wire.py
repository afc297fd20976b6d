"""The messages between the FTP server's processes, built from src/ftpd/wire.h itself: a story that forges one need not know how it is laid out.
"""
import ctypes
import re
import struct

from machine import REPOSITORY

_TEXT = "".join((REPOSITORY / "src/ftpd" / name).read_text(encoding="utf-8") for name in ("path.h", "wire.h"))
_SIZES = {name: int(value) for name, value in re.findall(r"^#define (\w+) (\d+)\b", _TEXT, re.M)}
_CTYPES = {"uint16_t": ctypes.c_uint16, "uint32_t": ctypes.c_uint32, "int32_t": ctypes.c_int32, "uint64_t": ctypes.c_uint64, "int64_t": ctypes.c_int64}

TYPES = {name: number for number, name in
         enumerate(re.findall(r"^    (_?WIRE_\w+)\b", re.search(r"enum WireType \{(.*?)\}", _TEXT, re.S)[1], re.M), start=1)}


def header(number, serial=0):
    return struct.pack("=II", number, serial)


def message(name, number, **values):
    """A whole struct of wire.h with these members, the others 0."""
    members = re.search(rf"struct {name} \{{(.*?)\}}", _TEXT, re.S)[1]
    fields = [("type", ctypes.c_uint32), ("serial", ctypes.c_uint32)]
    for kind, names, size in re.findall(r"^    (\w+) ([\w, ]+)(?:\[(\w+)\])?;", members, re.M):
        for member in names.split(", "):
            if kind == "char":
                fields.append((member, ctypes.c_char * _SIZES[size]))
            elif kind != "WireHeader":
                fields.append((member, _CTYPES[kind]))
    return bytes(type(name, (ctypes.Structure,), {"_fields_": fields})(type=number, **values))
