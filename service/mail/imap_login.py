"""Connects to an IMAP server, protects the connection, logs in by password or by an access token, and finds a folder.

It never tries a password twice, and a token once more only after asking for another.
"""

import socket
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError, LoginError

from service.config.settings import Imap, Security
from service.errors import MailboxLoginRefused, MailboxUnavailable
from service.mail.imap_faults import FAULTS, faults, plain
from service.mail.oauth import AccessTokens, TokenRefused, TokenUnavailable, refusal_status, sasl_xoauth2

CONNECT_TIMEOUT: Final = 10.0
READ_TIMEOUT: Final = 30.0

_KEEPALIVE: Final = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))
_NOT_THE_LOGIN: Final = ("[UNAVAILABLE]", "[INUSE]", "[LIMIT]", "[SERVERBUG]")
"""Answers to a login that speak of the server (RFC 5530 section 3; RFC 9051 section 7.1)."""


def log_in(imap: Imap, tokens: AccessTokens | None, now: datetime | None) -> Any:  # noqa: ANN401 # IMAPClient has no type information
    """Give an IMAPClient that is logged in.

    Where `imap` says XOAUTH2, a token that the server refuses is renewed once. Raises MailboxUnavailable and
    MailboxLoginRefused.
    """
    if imap.oauth is None:
        return _connect(imap, _by_password)
    if tokens is None or now is None:
        raise TypeError("a login by XOAUTH2 needs its tokens and the time")
    try:
        try:
            return _connect(imap, _Bearer(tokens.current(now)))
        except MailboxLoginRefused:
            return _connect(imap, _Bearer(tokens.renew(now)))
    except TokenRefused as refusal:
        raise MailboxLoginRefused(f"no login to the mailbox {imap.host}: {refusal}") from None
    except TokenUnavailable as fault:
        raise MailboxUnavailable(f"no login to the mailbox {imap.host}: {fault}") from None


def _connect(imap: Imap, introduce: Callable[[Any, Imap], None]) -> Any:  # noqa: ANN401 # as above
    with faults(imap):
        client = IMAPClient(
            imap.host,
            port=imap.port,
            ssl=imap.security is Security.TLS,
            timeout=SocketTimeout(connect=CONNECT_TIMEOUT, read=READ_TIMEOUT),
        )
    is_ready = False
    try:
        with faults(imap):
            _tune(client.socket())
            if imap.security is Security.STARTTLS:
                client.starttls()
            introduce(client, imap)
        is_ready = True
        return client
    finally:
        if not is_ready:
            with suppress(*FAULTS):
                client.shutdown()


def _by_password(client: Any, imap: Imap) -> None:  # noqa: ANN401 # as above
    if client.has_capability("LOGINDISABLED"):
        text = f"the mailbox {imap.host} takes no password unprotected: set security to starttls or tls"
        raise MailboxLoginRefused(text)
    try:
        if client.has_capability("AUTH=PLAIN"):  # any user name and password; LOGIN takes ASCII only
            client.plain_login(imap.username, imap.password.reveal())
        else:
            escaped = imap.username.replace("\\", "\\\\").replace('"', '\\"')
            client.login(f'"{escaped}"', imap.password.reveal())
    except LoginError as refusal:
        if isinstance(refusal.__context__, IMAPClientAbortError) or _is_the_servers_fault(refusal):
            raise
        text = f"the mailbox {imap.host} refused the login of {imap.username}: {plain(refusal, imap)}"
        raise MailboxLoginRefused(text) from None


class _Bearer:
    """Introduces us by an access token, and remembers why it was refused."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._was_sent = False
        self._status = ""

    def __call__(self, client: Any, imap: Imap) -> None:  # noqa: ANN401 # as above
        if not client.has_capability("AUTH=XOAUTH2"):
            text = f"the mailbox {imap.host} offers no login by XOAUTH2: check host, port and security"
            raise MailboxLoginRefused(text)
        said = sasl_xoauth2(imap.username, self._token)
        hidden = (self._token, b64encode(said.encode()).decode())
        with faults(imap, *hidden):
            try:
                client.sasl_login("XOAUTH2", lambda challenge: self._answer(challenge, said))
            except LoginError as refusal:
                if isinstance(refusal.__context__, IMAPClientAbortError) or _is_the_servers_fault(refusal):
                    raise
                reason = f"{plain(refusal, imap, *hidden)} {self._status}".strip()
                raise MailboxLoginRefused(
                    f"the mailbox {imap.host} refused the access token for {imap.username}: {reason}"
                ) from None

    def _answer(self, challenge: bytes, said: str) -> str:
        """Send the token first; the challenge that refuses it wants an empty line before the server's NO."""
        if not self._was_sent:
            self._was_sent = True
            return said
        if self._status:
            raise IMAPClientAbortError("the server does not end the login")
        self._status = f"({refusal_status(challenge) or 'no status'})"
        return ""


def _is_the_servers_fault(refusal: IMAPClientError) -> bool:
    return any(word in str(refusal) for word in _NOT_THE_LOGIN)


def _tune(sock: socket.socket) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # imaplib sends a command in several pieces
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE:
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def find_or_create(client: Any, name: str) -> str:  # noqa: ANN401 # as above
    """Give the folder's full name: servers may want `INBOX.` before it (RFC 2342)."""
    if client.has_capability("NAMESPACE"):
        personal = client.namespace().personal
        prefix = personal[0][0] if personal else ""
        if not name.startswith(prefix):
            name = prefix + name
    if not client.folder_exists(name):
        try:
            client.create_folder(name)
        except IMAPClientAbortError:
            raise
        except IMAPClientError:
            return name  # reading goes on without it; moving will say what is wrong
    return name
