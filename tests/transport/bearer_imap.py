"""A door before an IMAP server that opens to access tokens only, as Google's and Microsoft's do (XOAUTH2).

It checks the token itself, then logs in behind with the password and passes everything on.
"""

import binascii
import json
import socket
import threading
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import IO

from service.config.settings import Auth, Imap, OAuth, Secret

CHALLENGE = b64encode(json.dumps({"status": "400", "schemes": "Bearer", "scope": "mail"}).encode())
BYE = b"* BYE Session expired, please login again.\r\n"
NO = b" NO [UNAVAILABLE] Session invalidated - AccessTokenExpired\r\n"


class BearerDoor:
    """A running door; `bearer_door` makes it."""

    def __init__(self, listener: socket.socket, behind: Imap, lets_in: Callable[[str, str], bool]) -> None:
        self.port: int = listener.getsockname()[1]
        self.logins: list[str] = []
        """The tokens by which somebody came, in order."""
        self.answers_to_refusals: list[bytes] = []
        """What clients said to the challenge that refused them."""
        self.offers = b"IMAP4rev1 SASL-IR AUTH=XOAUTH2"
        self.refusal = b" NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)\r\n"
        self.says_bye = True
        """What becomes of a session whose token has ended: BYE, or NO to each command."""
        self._listener = listener
        self._behind = behind
        self._lets_in = lets_in
        self._open: list[socket.socket] = []

    def imap(self, oauth: OAuth) -> Imap:
        """Give the settings to come in through this door."""
        return replace(self._behind, port=self.port, auth=Auth.GOOGLE, oauth=oauth, password=Secret(""))

    def accept(self) -> None:
        """Let clients knock until the listener is closed."""
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def close(self) -> None:
        """End everything."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._open:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError, ValueError), client, client.makefile("rb") as lines:
            client.sendall(b"* OK the door\r\n")
            while line := lines.readline():
                tag, verb, *rest = line.split()
                match verb.upper(), [word.upper() for word in rest]:
                    case b"CAPABILITY", _:
                        client.sendall(b"* CAPABILITY " + self.offers + b"\r\n" + tag + b" OK done\r\n")
                    case b"AUTHENTICATE", [b"XOAUTH2"]:
                        who = self._authenticate(client, lines, tag)
                        if who is not None:
                            self._let_in(client, lines, tag, who)
                            return
                    case _:
                        client.sendall(
                            tag + b" NO [AUTHENTICATIONFAILED] basic authentication is disabled\r\n"
                        )

    def _authenticate(self, client: socket.socket, lines: IO[bytes], tag: bytes) -> tuple[str, str] | None:
        client.sendall(b"+ \r\n")
        try:
            said = b64decode(lines.readline().strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            client.sendall(tag + b" BAD not base64\r\n")
            return None
        user, _, rest = said.removeprefix("user=").partition("\x01auth=Bearer ")
        token, _, end = rest.partition("\x01")
        self.logins.append(token)
        if said.startswith("user=") and end == "\x01" and self._lets_in(user, token):
            return user, token
        client.sendall(b"+ " + CHALLENGE + b"\r\n")
        self.answers_to_refusals.append(lines.readline())
        client.sendall(tag + self.refusal)
        return None

    def _let_in(self, client: socket.socket, lines: IO[bytes], tag: bytes, who: tuple[str, str]) -> None:
        with socket.create_connection(("127.0.0.1", self._behind.port)) as server:
            self._open.append(server)
            with server.makefile("rb") as answers:
                answers.readline()
                server.sendall(b"door AUTHENTICATE PLAIN\r\n")
                answers.readline()
                secret = f"\0{self._behind.username}\0{self._behind.password.reveal()}"
                server.sendall(b64encode(secret.encode()) + b"\r\n")
                while not (answer := answers.readline()).startswith(b"door "):
                    assert answer
                assert answer.startswith(b"door OK"), answer
                client.sendall(tag + b" OK welcome\r\n")
                pump = threading.Thread(target=_pass_on, args=(answers, client), daemon=True)
                pump.start()
                self._pass_while_good(client, lines, server, who)
                for sock in (server, client):
                    with suppress(OSError):
                        sock.shutdown(socket.SHUT_RDWR)
                pump.join(2.0)

    def _pass_while_good(
        self, client: socket.socket, lines: IO[bytes], server: socket.socket, who: tuple[str, str]
    ) -> None:
        while line := lines.readline():
            if self._lets_in(*who) or line == b"DONE\r\n":
                server.sendall(line)
            elif self.says_bye:
                client.sendall(BYE)
                return
            else:
                client.sendall(line.split()[0] + NO)


def _pass_on(answers: IO[bytes], client: socket.socket) -> None:
    with suppress(OSError, ValueError):
        while line := answers.readline():
            client.sendall(line)


@contextmanager
def bearer_door(behind: Imap, lets_in: Callable[[str, str], bool]) -> Iterator[BearerDoor]:
    """Stand before the server of these settings; `lets_in` says whether user and token go together."""
    listener = socket.create_server(("127.0.0.1", 0))
    door = BearerDoor(listener, behind, lets_in)
    thread = threading.Thread(target=door.accept, daemon=True)
    thread.start()
    try:
        yield door
    finally:
        door.close()
        thread.join(2.0)
