"""A connection to the machine's system bus that is open before it is needed: a call goes out within microseconds, which no busctl does.

As little of D-Bus as that takes: calls with texts as arguments, and whether the answer is one. D-Bus Specification, "Message Protocol".
"""
import itertools
import socket
import struct

_METHOD_CALL, _ERROR = 1, 3
_ERROR_NAME, _REPLY_SERIAL = 4, 5


class BusError(Exception):
    """The answer was an error; says which."""


def _pad(data, to):
    return data + bytes(-len(data) % to)


def _text(text):
    return struct.pack("<I", len(text.encode())) + text.encode() + b"\0"


class Bus:
    """root's connection. call(destination, path, interface, member, *texts) returns when the answer is there."""

    def __init__(self, machine, timeout=60):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout)
        self._socket.connect(str(machine.file("/run/dbus/system_bus_socket")))
        self._socket.sendall(b"\0AUTH EXTERNAL 30\r\n")
        assert self._socket.recv(1000).startswith(b"OK "), "the bus doesn't take root's connection"
        self._socket.sendall(b"BEGIN\r\n")
        self._serials = itertools.count(1)
        self.call("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello")

    def close(self):
        self._socket.close()

    def call(self, destination, path, interface, member, *texts):
        serial = next(self._serials)
        self._socket.sendall(self._message(serial, destination, path, interface, member, texts))
        while True:
            kind, fields = self._receive()
            if fields.get(_REPLY_SERIAL) == serial:
                if kind == _ERROR:
                    raise BusError(fields[_ERROR_NAME])
                return

    @staticmethod
    def _message(serial, destination, path, interface, member, texts):
        body = b""
        for text in texts:
            body = _pad(body, 4) + _text(text)
        fields = b""
        for code, signature, text in ((1, "o", path), (2, "s", interface), (3, "s", member), (6, "s", destination)):
            fields = _pad(fields, 8) + bytes([code, 1]) + signature.encode() + b"\0" + _text(text)
        if texts:  # of type "g": a length of one byte
            fields = _pad(fields, 8) + bytes([8, 1]) + b"g\0" + bytes([len(texts)]) + b"s" * len(texts) + b"\0"
        head = struct.pack("<cBBBIII", b"l", _METHOD_CALL, 0, 1, len(body), serial, len(fields)) + fields
        return _pad(head, 8) + body

    def _read(self, size):
        data = b""
        while len(data) < size:
            piece = self._socket.recv(size - len(data))
            assert piece, "the bus has closed the connection"
            data += piece
        return data

    def _receive(self):
        """(kind, {code: value}) of the next message, with the two header fields that matter; its body is skipped."""
        order, kind, _, _, body, _, size = struct.unpack("<cBBBIII", self._read(16))
        assert order == b"l"
        fields = self._read(size + -size % 8)[:size]
        self._read(body)
        found, at = {}, 0
        while at < size:
            at += -at % 8
            code, signature = fields[at], fields[at + 2:at + 3]
            at += 4
            if signature == b"g":
                at += 1 + fields[at] + 1
                continue
            (number,) = struct.unpack_from("<I", fields, at)
            at += 4
            if signature == b"u":
                found[code] = number
            else:
                found[code] = fields[at:at + number].decode()
                at += number + 1
        return kind, found
