"""A client of HTTP/2 that shows what a library would hide: frames, one by one (RFC 9113), over any connected socket."""
import struct

DATA, HEADERS, SETTINGS, GOAWAY = 0, 1, 4, 7
END_STREAM, END_HEADERS, ACK = 1, 4, 1


class Http2:
    def __init__(self, connection):
        self.connection = connection
        self._read = b""
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + self._frame(SETTINGS, 0, 0))

    @staticmethod
    def _frame(kind, flags, stream, payload=b""):
        return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload

    def get(self, stream, path, headers=()):
        """Sends a request; HPACK without compression but for the names that every request has (RFC 7541, appendix A)."""
        text = lambda value: bytes([len(value)]) + value
        block = b"\x82\x87\x04" + text(path.encode()) + b"\x01" + text(b"localhost")
        block += b"".join(b"\x00" + text(name.encode()) + text(value.encode()) for name, value in headers)
        self.connection.sendall(self._frame(HEADERS, END_STREAM | END_HEADERS, stream, block))

    def _receive(self, size):
        while len(self._read) < size:
            piece = self.connection.recv(65536)
            if not piece:
                return None
            self._read += piece
        piece, self._read = self._read[:size], self._read[size:]
        return piece

    def frame(self):
        """The next frame: (kind, flags, stream, payload); None: the connection was closed."""
        head = self._receive(9)
        if head is None:
            return None
        payload = self._receive(int.from_bytes(head[:3], "big"))
        if head[3] == SETTINGS and not head[4] & ACK:
            self.connection.sendall(self._frame(SETTINGS, ACK, 0))
        return head[3], head[4], int.from_bytes(head[5:9], "big"), payload

    def frames_until(self, end):
        """Frames up to the one that end(kind, flags, stream, payload) is true of; it must come."""
        frames = []
        while frame := self.frame():
            frames.append(frame)
            if end(*frame):
                return frames
        raise AssertionError(f"closed after {frames}")

    def body(self, stream):
        """The rest of an answer."""
        frames = self.frames_until(lambda kind, flags, of, _: of == stream and kind in (DATA, HEADERS) and flags & END_STREAM)
        return b"".join(payload for kind, _, of, payload in frames if (kind, of) == (DATA, stream))


def goaway(payload):
    """What a GOAWAY says: (last stream, error code)."""
    return struct.unpack(">II", payload[:8])
