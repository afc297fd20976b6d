#!/usr/bin/python3
"""What a sshd starts that misbehaves once: awkward_sftp.py HABIT MARKER …; it makes MARKER when it has shown its habit, and is right from then on.

    cut      a SFTP subsystem (version 3) whose writes are carried out side by side, as pkg/sftp's are: cut off while piece 50 is on disk and piece 40 is not
    silent   a SFTP subsystem that takes what comes in the middle of a file, and says nothing any more
    login    an AuthorizedKeysCommand: the connection is cut while the sshd asks whose the key is. KEYS, the third argument, is the file with the answer
"""
import os
import pathlib
import struct
import sys

LATE, LAST = 40, 50
SILENT = 10
INIT, VERSION, OPEN, CLOSE, WRITE, FSTAT, REMOVE, MKDIR, STAT, RENAME, STATUS, HANDLE, ATTRIBUTES = 1, 2, 3, 4, 6, 8, 13, 14, 17, 18, 101, 102, 105
CREATE, TRUNCATE = 8, 16


def cut(marker):
    """The end of the sshd that serves this connection."""
    marker.touch()
    os.kill(os.getppid(), 9)


def log_in(marker, keys):
    if marker.exists():
        print(pathlib.Path(keys).read_text())
    else:
        cut(marker)


def serve(habit, marker):
    odd = None if marker.exists() else habit
    files, writes = {}, 0

    def send(kind, data):
        sys.stdout.buffer.write(struct.pack(">IB", len(data) + 1, kind) + data)
        sys.stdout.buffer.flush()

    def status(id, code):
        send(STATUS, struct.pack(">II", id, code) + struct.pack(">I", 1) + b"x" + struct.pack(">I", 0))

    def attributes(id, found):
        send(ATTRIBUTES, struct.pack(">IIQI", id, 5, found.st_size, found.st_mode))

    while len(head := sys.stdin.buffer.read(4)) == 4:
        packet = sys.stdin.buffer.read(struct.unpack(">I", head)[0])
        kind, rest = packet[0], packet[5:]
        if kind == INIT:
            send(VERSION, struct.pack(">I", 3))
            continue
        id = struct.unpack(">I", packet[1:5])[0]

        def take():
            nonlocal rest
            size = struct.unpack(">I", rest[:4])[0]
            value, rest = rest[4:4 + size], rest[4 + size:]
            return value

        try:
            if kind == OPEN:
                path, flags = take(), struct.unpack(">I", rest[:4])[0]
                fd = os.open(path, os.O_WRONLY | (os.O_CREAT if flags & CREATE else 0) | (os.O_TRUNC if flags & TRUNCATE else 0), 0o644)
                files[str(fd).encode()] = fd
                send(HANDLE, struct.pack(">II", id, len(str(fd))) + str(fd).encode())
            elif kind == CLOSE:
                os.close(files.pop(take()))
                status(id, 0)
            elif kind == WRITE:
                fd, offset = files[take()], struct.unpack(">Q", rest[:8])[0]
                rest = rest[8:]
                data = take()
                writes += 1
                if odd == "cut" and writes == LATE:
                    continue  # still with a slower worker
                os.pwrite(fd, data, offset)
                if odd == "cut" and writes == LAST:
                    cut(marker)
                    return
                if odd == "silent" and writes == SILENT:
                    marker.touch()
                    while sys.stdin.buffer.read(65536):
                        pass
                    return
                status(id, 0)
            elif kind == FSTAT:
                attributes(id, os.fstat(files[take()]))
            elif kind == STAT:
                attributes(id, os.stat(take()))
            elif kind == MKDIR:
                os.mkdir(take())
                status(id, 0)
            elif kind == REMOVE:
                os.unlink(take())
                status(id, 0)
            elif kind == RENAME:
                os.rename(take(), take())
                status(id, 0)
            else:
                status(id, 8)
        except FileNotFoundError:
            status(id, 2)
        except OSError:
            status(id, 4)


if __name__ == "__main__":
    _, habit, marker, *rest = sys.argv
    if habit == "login":
        log_in(pathlib.Path(marker), *rest)
    else:
        serve(habit, pathlib.Path(marker))
