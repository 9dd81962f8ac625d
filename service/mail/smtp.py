"""Sends finished mails to the relay, one session for many mails.

It says of each failure whether the mail, for now or for good, or the relay is to blame. It never changes an
address or a mail beyond what SMTP itself asks for, and never decides about trying again.
"""

import asyncio
import re
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import datetime
from typing import Final, cast

import aiosmtplib
from anyio import to_thread

from service.config.settings import Security, Smtp
from service.errors import RecipientRefused, RecipientRefusedForNow, RelayUnavailable
from service.mail.oauth import AccessTokens, TokenRefused, TokenUnavailable, refusal_status, sasl_xoauth2

CONNECT_TIMEOUT: Final = 10.0
"""Seconds for the connection, and again for the greeting."""
COMMAND_TIMEOUT: Final = 60.0
DATA_TIMEOUT: Final = 300.0
"""Seconds for the answer to a whole mail. Giving up sooner than the relay sends the mail twice, which is why
RFC 5321 section 4.5.3.2.6 asks for minutes here."""
QUIT_TIMEOUT: Final = 3.0
ANSWER_LIMIT: Final = 500
"""Characters of the relay's answer that are kept."""

TAKEN: Final = frozenset({250, 251})
_FOR_NOW, FOR_GOOD, _NO_CODE, _GOING_AWAY = 400, 500, 600, 421
"""RFC 5321 sections 4.2.1 and 3.8: 4xx is a refusal for now, 5xx for good, 421 the end of the connection."""
_LOGIN_ASKED: Final = frozenset({530, 534, 535, 538})
"""RFC 4954: the relay wants us to log in, so no mail is to blame."""
_ADDRESS: Final = re.compile(r"[^\s\x00-\x1f\x7f<>(),:;\\\"@]+@[^\s\x00-\x1f\x7f<>(),:;\\\"@]+")
_ADDRESS_LIMIT: Final = 254
_WELCOME, _CHALLENGE = 235, 334
"""RFC 4954 section 6: the login succeeded; go on with it."""
_FAULTS: Final = (aiosmtplib.SMTPException, OSError, ValueError)
"""What aiosmtplib raises (TLS and time-outs are OSErrors; a name that is none is a ValueError)."""


class RelayLoginRefused(RelayUnavailable):
    """The relay or the OAuth server refused our login: trying again quickly would lock the account."""


class Session:
    """An open connection to the relay. It sends one mail at a time; `open_session` makes and ends it."""

    def __init__(self, client: aiosmtplib.SMTP, smtp: Smtp, *, data_timeout: float) -> None:
        self._client = client
        self._smtp = smtp
        self._data_timeout = data_timeout

    @property
    def is_open(self) -> bool:
        """Whether another mail may be sent; after RelayUnavailable it is False."""
        return self._client.is_connected

    async def send(self, *, sender: str, recipient: str, message: bytes) -> str:
        """Hand over one mail (lines ending in CRLF or LF) and give the relay's answer, `250 Ok: queued …`.

        `sender` is the envelope's, "" for the null sender. Raises RecipientRefused (5xx, or an address or a
        mail that cannot be put to this relay), RecipientRefusedForNow (4xx), after both of which the next
        mail may be sent; and RelayUnavailable, after which the session is over.
        """
        if sender:
            check_address(sender)
        check_address(recipient)
        if not self.is_open:
            raise RelayUnavailable("the relay has ended this session")
        options = mail_options(self._client, sender, recipient, message)
        in_step = False
        try:
            with relay_faults(self._smtp):
                code, text = await self._command(b"MAIL", f"FROM:<{sender}>".encode(), *options)
                if code in TAKEN:
                    code, text = await self._command(b"RCPT", f"TO:<{recipient}>".encode())
                if code in TAKEN:
                    code, text = await self._data(message)
                if is_refusal(code):
                    await self._reset()
            in_step = code in TAKEN or is_refusal(code)
        finally:
            if not in_step:  # cancelled or broken half-way: the next answer would be taken for another's
                self._client.close()
        answer = f"{code} {plain(text)}".strip()
        if code in TAKEN:
            return answer
        if not is_refusal(code):
            raise RelayUnavailable(f"the relay answered {answer}")
        raise (RecipientRefusedForNow if code < FOR_GOOD else RecipientRefused)(answer)

    async def _command(self, *words: bytes) -> tuple[int, str]:
        answer = await self._client.execute_command(*words)
        return answer.code, answer.message

    async def _data(self, message: bytes) -> tuple[int, str]:
        try:
            answer = await self._client.data(message, timeout=self._data_timeout)
        except aiosmtplib.SMTPDataError as refusal:
            return refusal.code, refusal.message
        return answer.code, answer.message

    async def _reset(self) -> None:
        """Make the relay forget the refused mail; where that fails, only the session ends."""
        try:
            await self._client.rset()
        except _FAULTS:
            self._client.close()


@asynccontextmanager
async def open_session(
    smtp: Smtp,
    *,
    tokens: AccessTokens | None = None,
    now: datetime | None = None,
    hostname: str = "localhost",
    command_timeout: float = COMMAND_TIMEOUT,
    data_timeout: float = DATA_TIMEOUT,
) -> AsyncIterator[Session]:
    """Open a session as `connected` does, whose errors it raises; close it at the end."""
    opened = connected(smtp, tokens=tokens, now=now, hostname=hostname, command_timeout=command_timeout)
    async with opened as client:
        yield Session(client, smtp, data_timeout=data_timeout)
        if client.is_connected:
            with suppress(*_FAULTS):
                await client.quit(timeout=QUIT_TIMEOUT)


@asynccontextmanager
async def connected(
    smtp: Smtp,
    *,
    tokens: AccessTokens | None = None,
    now: datetime | None = None,
    hostname: str = "localhost",
    command_timeout: float = COMMAND_TIMEOUT,
) -> AsyncIterator[aiosmtplib.SMTP]:
    """Connect to the relay, protect the connection and log in as config.yaml says; hang up at the end.

    `tokens` and `now` are needed where `smtp.oauth` is given; a token that the relay refuses is renewed once.
    `hostname` is how we call ourselves in EHLO. Raises RelayUnavailable where any of this fails, and of those
    RelayLoginRefused for a refused login, with the reason but never a password or token.
    """
    by_password = bool(smtp.username) and smtp.oauth is None
    with relay_faults(smtp):
        client = aiosmtplib.SMTP(
            hostname=smtp.host,
            port=smtp.port,
            username=smtp.username if by_password else None,
            password=smtp.password.reveal() if by_password else None,
            local_hostname=hostname,
            timeout=command_timeout,
            use_tls=smtp.security is Security.TLS,
            start_tls=smtp.security is Security.STARTTLS,
        )
    transport: asyncio.BaseTransport | None = None
    try:
        if smtp.oauth is None:
            await _connect(client, smtp)
        elif tokens is None or now is None:
            raise TypeError("a login by XOAUTH2 needs its tokens and the time")
        else:
            await _connect_by_token(client, smtp, tokens, now)
        transport = client.transport  # quit() forgets it
        yield client
    finally:
        _hang_up(client, transport)


def _hang_up(client: aiosmtplib.SMTP, transport: asyncio.BaseTransport | None) -> None:
    """End the connection now: TLS would wait for the relay's farewell, half a minute from one that is gone."""
    client.close()
    if transport is not None:
        cast("asyncio.WriteTransport", transport).abort()  # uvloop's transports are of no class of asyncio


async def _connect(client: aiosmtplib.SMTP, smtp: Smtp) -> None:
    with relay_faults(smtp):
        await client.connect(timeout=CONNECT_TIMEOUT)
        if client.is_ehlo_or_helo_needed:
            await _greet(client)


async def _connect_by_token(client: aiosmtplib.SMTP, smtp: Smtp, tokens: AccessTokens, now: datetime) -> None:
    try:
        token = await to_thread.run_sync(tokens.current, now)
        await _connect(client, smtp)
        try:
            await _introduce(client, smtp, token)
        except RelayLoginRefused:
            _hang_up(client, client.transport)
            token = await to_thread.run_sync(tokens.renew, now)
            await _connect(client, smtp)
            await _introduce(client, smtp, token)
    except TokenRefused as refusal:
        raise RelayLoginRefused(f"no login to the relay {smtp.host}: {refusal}") from None
    except TokenUnavailable as fault:
        raise RelayUnavailable(f"no login to the relay {smtp.host}: {fault}") from None


async def _introduce(client: aiosmtplib.SMTP, smtp: Smtp, token: str) -> None:
    """Log in by XOAUTH2; the challenge that refuses a token wants an empty line before the relay's answer."""
    if "xoauth2" not in client.server_auth_methods:
        raise RelayUnavailable(
            f"the relay {smtp.host} offers no login by XOAUTH2: check host, port and security"
        )
    status = ""
    said = b64encode(sasl_xoauth2(smtp.username, token).encode())
    hidden = (token, said.decode())
    with relay_faults(smtp, *hidden):
        answer = await client.execute_command(b"AUTH", b"XOAUTH2", said)
        if answer.code == _CHALLENGE:
            status = f" ({refusal_status(answer.message.encode()) or 'no status'})"
            answer = await client.execute_command(b"")
    if answer.code == _WELCOME:
        return
    reason = f"{answer.code} {plain(answer.message, *hidden)}{status}"
    kind = RelayLoginRefused if answer.code >= FOR_GOOD else RelayUnavailable
    raise kind(f"the relay {smtp.host} refused the access token for {smtp.username}: {reason}")


async def _greet(client: aiosmtplib.SMTP) -> None:
    try:
        await client.ehlo()
    except aiosmtplib.SMTPHeloError:
        await client.helo()


def mail_options(client: aiosmtplib.SMTP, sender: str, recipient: str, message: bytes) -> list[bytes]:
    """Choose the parameters of MAIL; raises RecipientRefused where this relay does not offer what is needed."""
    options: list[bytes] = []
    if not message.isascii():
        if not _takes_8bit(client):
            raise RecipientRefused("the relay takes no 8-bit mail (8BITMIME) and this one has 8-bit lines")
        options.append(b"BODY=8BITMIME")
    if not (sender.isascii() and recipient.isascii()):
        if not client.supports_extension("smtputf8"):
            raise RecipientRefused("the relay takes no addresses outside ASCII (SMTPUTF8)")
        options.append(b"SMTPUTF8")
    return options


def _takes_8bit(client: aiosmtplib.SMTP) -> bool:
    return client.supports_extension("8bitmime")


@contextmanager
def relay_faults(smtp: Smtp, *secrets: str) -> Iterator[None]:
    """Turn whatever goes wrong with the connection into RelayUnavailable, without password and secrets."""
    hidden = (smtp.password.reveal(), *secrets)
    try:
        yield
    except aiosmtplib.SMTPAuthenticationError as fault:
        reason = plain(fault.message, *hidden)
        kind = RelayLoginRefused if fault.code >= FOR_GOOD else RelayUnavailable
        raise kind(f"the relay refused the user name or password: {reason}") from None
    except aiosmtplib.SMTPResponseException as fault:
        raise RelayUnavailable(f"the relay answered {fault.code} {plain(fault.message, *hidden)}") from None
    except _FAULTS as fault:
        reason = plain(str(fault), *hidden) or type(fault).__name__
        raise RelayUnavailable(f"the relay {smtp.host}:{smtp.port} cannot be used: {reason}") from None


def is_refusal(code: int) -> bool:
    """Whether this answer is about the mail and not about the relay or our login."""
    return _FOR_NOW <= code < _NO_CODE and code != _GOING_AWAY and code not in _LOGIN_ASKED


def check_address(address: str) -> None:
    """Refuse (RecipientRefused) what is no address, and whatever could end a command early."""
    if len(address) > _ADDRESS_LIMIT or not _ADDRESS.fullmatch(address) or not address.isprintable():
        raise RecipientRefused(f"not an e-mail address that can be sent to: {address[:80]!r}")


def plain(text: str, *hidden: str) -> str:
    """Give an answer as one printable line without what is to be hidden."""
    readable = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    for secret in filter(None, hidden):
        readable = readable.replace(secret, "***")
    line = " ".join(readable.split())
    if line.isprintable():
        return line[:ANSWER_LIMIT]
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in line)[
        :ANSWER_LIMIT
    ]
