"""A TCP proxy that spoils a connection on purpose: changes answers, cuts, falls silent, splits a line."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


class Proxy:
    """Passes bytes between a client and a server on the loopback interface; `proxied` makes it."""

    def __init__(self, listener: socket.socket, port: int, alter: Callable[[bytes], bytes]) -> None:
        self.port: int = listener.getsockname()[1]
        self.connections = 0
        self.is_silent = False
        self.split_at: bytes | None = None
        """Where this is pushed while the client idles, half of it is passed on, the rest once it speaks again."""
        self.was_split = threading.Event()
        self.is_idling = threading.Event()
        """Set while the server has asked the client to go on and the client has said nothing more."""
        self._listener = listener
        self._target = port
        self._alter = alter
        self._open: list[socket.socket] = []

    def cut(self) -> None:
        """Close all connections, as a mail server does that is restarted."""
        for sock in self._open:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def accept(self) -> None:
        """Let clients in until the listener is closed."""
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            server = socket.create_connection(("127.0.0.1", self._target))
            self._open += [client, server]
            answers = _Answers(client)
            for pump in (self._pass_questions, self._pass_answers):
                threading.Thread(target=pump, args=(client, server, answers), daemon=True).start()

    def close(self) -> None:
        """End everything."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for sock in self._open:
            sock.close()

    def _pass_questions(self, client: socket.socket, server: socket.socket, answers: "_Answers") -> None:
        with suppress(OSError):
            while chunk := client.recv(65536):
                self.is_idling.clear()
                if not self.is_silent:
                    answers.release()
                    server.sendall(chunk)
        self._end(client, server)

    def _pass_answers(self, client: socket.socket, server: socket.socket, answers: "_Answers") -> None:
        with suppress(OSError):
            while chunk := server.recv(65536):
                if self.is_silent:
                    continue
                if self.split_at and self.split_at in chunk and self.is_idling.is_set():
                    answers.send_and_hold(chunk, chunk.index(self.split_at) + len(self.split_at) // 2)
                    self.was_split.set()
                    continue
                answers.send(self._alter(chunk))
                if chunk.startswith(b"+ "):
                    self.is_idling.set()
        self._end(client, server)

    def _end(self, *socks: socket.socket) -> None:
        for sock in socks:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


class _Answers:
    """What goes to the client, in order, with the possibility to hold a part back."""

    def __init__(self, client: socket.socket) -> None:
        self._client = client
        self._held: bytes | None = None
        self._lock = threading.Lock()

    def send(self, answer: bytes) -> None:
        with self._lock:
            if self._held is None:
                self._client.sendall(answer)
            else:
                self._held += answer

    def send_and_hold(self, answer: bytes, length: int) -> None:
        with self._lock:
            self._client.sendall(answer[:length])
            self._held = answer[length:]

    def release(self) -> None:
        with self._lock:
            if self._held is not None:
                self._client.sendall(self._held)
                self._held = None


@contextmanager
def proxied(port: int, alter: Callable[[bytes], bytes] = bytes) -> Iterator[Proxy]:
    """Stand between clients and the server on this loopback port; `alter` changes what the server says."""
    listener = socket.create_server(("127.0.0.1", 0))
    proxy = Proxy(listener, port, alter)
    thread = threading.Thread(target=proxy.accept, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join(2.0)
