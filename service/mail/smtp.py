"""Sends finished mails to the relay, one session for many mails.

It says of each failure whether the mail, for now or for good, or the relay is to blame. It never changes an
address or a mail beyond what SMTP itself asks for, and never decides about trying again.
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Final

import aiosmtplib

from service.config.settings import Smtp
from service.errors import RecipientRefused, RelayUnavailable
from service.mail.oauth import AccessTokens
from service.mail.smtp_answers import FAULTS, fault_of, is_go_on, is_refusal, is_taken, plain, relay_faults
from service.mail.smtp_login import COMMAND_TIMEOUT, connected

DATA_TIMEOUT: Final = 300.0
"""Seconds for the answer to a whole mail. Giving up sooner than the relay sends the mail twice, which is why
RFC 5321 section 4.5.3.2.6 asks for minutes here."""
QUIT_TIMEOUT: Final = 3.0

_ADDRESS: Final = re.compile(r"[^\s\x00-\x1f\x7f<>(),:;\\\"@]+@[^\s\x00-\x1f\x7f<>(),:;\\\"@]+")
_ADDRESS_LIMIT: Final = 254
_LINE_END: Final = re.compile(rb"\r\n?|\n")


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
        mail may be sent; and RelayUnavailable, after which the session is over, and of those RelayWantsLogin.
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
                if is_taken(code):
                    code, text = await self._command(b"RCPT", f"TO:<{recipient}>".encode())
                if is_taken(code):
                    code, text = await self._data(message)
                if is_refusal(code):
                    await self._reset()
            in_step = is_taken(code) or is_refusal(code)
        finally:
            if not in_step:  # cancelled or broken half-way: the next answer would be taken for another's
                self._client.close()
        answer = f"{code} {plain(text)}".strip()
        if is_taken(code):
            return answer
        raise fault_of(self._smtp, code, answer)

    async def _command(self, *words: bytes) -> tuple[int, str]:
        answer = await self._client.execute_command(*words)
        return answer.code, answer.message

    async def _data(self, message: bytes) -> tuple[int, str]:
        """Send the text. aiosmtplib's own way takes 250 alone for a success, and would take one to DATA for it too."""
        code, text = await self._command(b"DATA")
        if is_taken(code):
            return 0, f"{code} {text} to DATA"
        if not is_go_on(code):
            return code, text
        protocol = self._client.protocol
        if protocol is None:
            raise aiosmtplib.SMTPServerDisconnected("Connection lost")
        protocol.write(dotted(_LINE_END.sub(b"\r\n", message)))
        answer = await protocol.read_response(self._data_timeout)
        return answer.code, answer.message

    async def _reset(self) -> None:
        """Make the relay forget the refused mail; where that fails, only the session ends."""
        try:
            code, _ = await self._command(b"RSET")
        except FAULTS:
            code = 0
        if not is_taken(code):
            self._client.close()


@asynccontextmanager
async def open_session(
    smtp: Smtp,
    *,
    tokens: AccessTokens | None = None,
    now: datetime | None = None,
    command_timeout: float = COMMAND_TIMEOUT,
    data_timeout: float = DATA_TIMEOUT,
) -> AsyncIterator[Session]:
    """Open a session as `connected` does, whose errors it raises; close it at the end."""
    async with connected(smtp, tokens=tokens, now=now, command_timeout=command_timeout) as client:
        yield Session(client, smtp, data_timeout=data_timeout)
        if client.is_connected:
            with suppress(*FAULTS):
                await client.quit(timeout=QUIT_TIMEOUT)


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


def dotted(message: bytes) -> bytes:
    """Double the dots that begin lines, which end in CRLF, and end the text (RFC 5321 section 4.5.2)."""
    text = message.replace(b"\n.", b"\n..")
    if text.startswith(b"."):
        text = b"." + text
    return text + (b".\r\n" if text.endswith(b"\r\n") else b"\r\n.\r\n")


def check_address(address: str) -> None:
    """Refuse (RecipientRefused) what is no address, and whatever could end a command early."""
    if len(address) > _ADDRESS_LIMIT or not _ADDRESS.fullmatch(address) or not address.isprintable():
        raise RecipientRefused(f"not an e-mail address that can be sent to: {address[:80]!r}")
