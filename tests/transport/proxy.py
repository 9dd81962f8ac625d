"""A TCP proxy that spoils a connection on purpose: changes answers, cuts, falls silent, splits a line."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Alter = Callable[[bytes], bytes]


class Proxy:
    """Passes bytes between clients and a server on the loopback interface; `proxied` makes it."""

    def __init__(self, listener: socket.socket, port: int, alter: Alter, alter_line: Alter) -> None:
        self.port: int = listener.getsockname()[1]
        self.connections = 0
        self.lines: list[bytes] = []
        """What clients said, in the order of arrival."""
        self.split_at: bytes | None = None
        """Where this is pushed while the client idles, half of it is passed on, the rest once it speaks again."""
        self.was_split = threading.Event()
        self.is_idling = threading.Event()
        """Set while the server has asked the client to go on and the client has said nothing more."""
        self._listener = listener
        self._target = port
        self._alter = alter
        self._alter_line = alter_line
        self._links: list[_Link] = []

    @property
    def commands(self) -> list[str]:
        """The commands of the clients (`UID SEARCH` counts as SEARCH), without their arguments."""
        words = (line.decode("ascii", "replace").split() for line in self.lines)
        return [found[2 if found[1] == "UID" else 1] for found in words if len(found) > 1]

    def cut(self) -> None:
        """Close all connections, as a mail server does that is restarted."""
        for link in self._links:
            link.end()

    def fall_silent(self) -> None:
        """Pass nothing more on in the open connections, without closing them: a firewall forgot about them."""
        for link in self._links:
            link.is_silent = True

    def say(self, text: bytes) -> None:
        """Say something to all clients as if the server did."""
        for link in self._links:
            with suppress(OSError):
                link.send(text)

    def accept(self) -> None:
        """Let clients in until the listener is closed; where the server is away they are sent away."""
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            try:
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                client.close()
                continue
            link = _Link(client, server)
            self._links.append(link)
            for pump in (self._pass_questions, self._pass_answers):
                threading.Thread(target=pump, args=(link,), daemon=True).start()

    def close(self) -> None:
        """End everything."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for link in self._links:
            link.close()

    def _pass_questions(self, link: "_Link") -> None:
        with suppress(OSError), link.client.makefile("rb") as lines:
            while line := lines.readline():
                self.is_idling.clear()
                self.lines.append(line.rstrip())
                if not link.is_silent:
                    link.release()
                    link.server.sendall(self._alter_line(line))
        link.end()

    def _pass_answers(self, link: "_Link") -> None:
        with suppress(OSError):
            while chunk := link.server.recv(65536):
                if link.is_silent:
                    continue
                if self.split_at and self.split_at in chunk and self.is_idling.is_set():
                    link.send_and_hold(chunk, chunk.index(self.split_at) + len(self.split_at) // 2)
                    self.was_split.set()
                    continue
                link.send(self._alter(chunk))
                if chunk.startswith(b"+ "):
                    self.is_idling.set()
        link.end()


class _Link:
    """A client with its connection to the server; a part of what the client is to get can be held back."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client = client
        self.server = server
        self.is_silent = False
        self._held: bytes | None = None
        self._lock = threading.Lock()

    def send(self, answer: bytes) -> None:
        with self._lock:
            if self._held is None:
                self.client.sendall(answer)
            else:
                self._held += answer

    def send_and_hold(self, answer: bytes, length: int) -> None:
        with self._lock:
            self.client.sendall(answer[:length])
            self._held = answer[length:]

    def release(self) -> None:
        with self._lock:
            if self._held is not None:
                self.client.sendall(self._held)
                self._held = None

    def end(self) -> None:
        for sock in (self.client, self.server):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.client.close()
        self.server.close()


@contextmanager
def proxied(port: int, alter: Alter = bytes, *, alter_line: Alter = bytes) -> Iterator[Proxy]:
    """Stand between clients and the server on this loopback port.

    `alter` changes what the server says, as it arrives, and `alter_line` what clients say, line by line.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    proxy = Proxy(listener, port, alter, alter_line)
    thread = threading.Thread(target=proxy.accept, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join(2.0)
