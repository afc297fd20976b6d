"""An FTP server that misbehaves at one chosen moment and is right in everything else: what real ones do once in a thousand uploads, at every run."""
import contextlib
import os
import pathlib
import socket
import threading
import time


class AwkwardFtp:
    """with AwkwardFtp(root, habit) as there: there.port, there.said (lines of all connections), there.happened (it has shown its habit).

    Habits: "rename" carries out the first RNTO and hangs up; "one" lets in one connection, others hear 530 (or, "one, 421", 421) when two files have come; "cut" hangs up once in the
    middle of a file, "cut, appe 502", "cut, appe 421" (once), "cut, ascii" (SIZE in TYPE I only) and "cut, gone" (the file goes after SIZE) do more after that;
    "552" says so when the data is there; "mute" says nothing then, once; "short" keeps a byte less, always.
    """

    CUT = 5 << 20

    def __init__(self, root, habit):
        self.root, self.said, self.happened = pathlib.Path(root), [], threading.Event()
        self._habits = set(habit.split(", "))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads, self._open, self._once = [], contextlib.ExitStack(), set()

    def __enter__(self):
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._listener.close()
        self._open.close()

    def once(self, what):
        """True the first time."""
        before = what in self._once
        self._once.add(what)
        return not before

    def has(self, habit):
        return habit in self._habits

    def _listen(self):
        number = 0
        with contextlib.suppress(OSError):
            while True:
                connection = self._open.enter_context(self._listener.accept()[0])
                number += 1
                threading.Thread(target=self._serve, args=(connection, number), daemon=True).start()

    def _serve(self, connection, number):
        with contextlib.suppress(OSError, ValueError):
            Conversation(self, connection, number).run()


class Conversation:
    def __init__(self, server, connection, number):
        self.server, self.connection, self.number = server, connection, number
        self.type, self.data, self.renamed = "A", None, None

    def run(self):
        self.reply("220 Here")
        for line in self.connection.makefile("rb"):
            verb, _, argument = line.decode().rstrip("\r\n").partition(" ")
            self.server.said.append(verb)
            handler = getattr(self, f"on_{verb.lower()}", None)
            if handler:
                handler(argument)
            else:
                self.reply("502 Not here")

    def reply(self, text):
        self.connection.sendall(f"{text}\r\n".encode())

    def hang_up(self):
        self.server.happened.set()
        self.connection.shutdown(socket.SHUT_RDWR)
        self.connection.close()
        raise ConnectionError

    def path(self, argument):
        return self.server.root / argument.lstrip("/")

    def tried(self, call, fine):
        try:
            call()
            self.reply(fine)
        except OSError:
            self.reply("550 No")

    def on_user(self, _):
        self.reply("331 And?")

    def on_pass(self, _):
        if not self.server.has("one") or self.number == 1:
            self.reply("230 In")
            return
        self.server.happened.set()
        # The one that was let in has nothing left to do when this one is told.
        while len([path for path in self.server.root.rglob("*") if path.is_file() and path.suffix != ".part"]) < 2:
            time.sleep(0.01)
        time.sleep(0.3)
        self.reply("421 Too many" if self.server.has("421") else "530 Too many")
        if self.server.has("421"):
            self.hang_up()

    def on_pwd(self, _):
        self.reply('257 "/"')

    def on_type(self, argument):
        self.type = argument
        self.reply("200 So be it")

    def on_cwd(self, argument):
        self.reply("250 There" if self.path(argument).is_dir() else "550 No")

    def on_mkd(self, argument):
        self.tried(self.path(argument).mkdir, "257 Made")

    def on_size(self, argument):
        if self.server.has("ascii") and self.type != "I":
            self.reply("550 SIZE not allowed in ASCII mode")
            return
        try:
            self.reply(f"213 {self.path(argument).stat().st_size}")
        except OSError:
            self.reply("550 No")
            return
        if self.server.has("gone") and self.server.happened.is_set() and self.server.once("gone"):
            self.path(argument).unlink()

    def on_epsv(self, _):
        self.data = socket.create_server(("127.0.0.1", 0))
        self.reply(f"229 Come (|||{self.data.getsockname()[1]}|)")

    def on_appe(self, argument):
        if self.server.has("appe 502"):
            self.reply("502 Not implemented")
        elif self.server.has("appe 421") and self.server.once("appe"):
            self.reply("421 Too busy")
            self.hang_up()
        else:
            self.receive(argument, "ab")

    def on_stor(self, argument):
        self.receive(argument, "wb")

    def receive(self, argument, mode):
        self.reply("150 Go on")
        with self.data, self.data.accept()[0] as taken, open(self.path(argument), mode) as file:
            count = 0
            while data := taken.recv(65536):
                file.write(data)
                count += len(data)
                if self.server.has("cut") and count > self.server.CUT and self.server.once("cut"):
                    file.flush()
                    self.hang_up()
            if self.server.has("short"):
                file.truncate(file.tell() - 1)
        if self.server.has("mute") and self.server.once("mute"):
            self.server.happened.set()
            return
        self.reply("552 Exceeded storage allocation" if self.server.has("552") else "226 Done")

    def on_rnfr(self, argument):
        self.renamed = self.path(argument)
        self.reply("350 To?" if self.renamed.exists() else "550 No such file")

    def on_rnto(self, argument):
        os.rename(self.renamed, self.path(argument))
        if self.server.has("rename") and self.server.once("rename"):
            self.hang_up()
        self.reply("250 Renamed")

    def on_dele(self, argument):
        self.tried(self.path(argument).unlink, "250 Gone")

