"""The second way in for replies: a mail server hands them over by LMTP or SMTP, and no mailbox is needed.

A 250 means that the mail is on disk. It takes mail for our own address and its plus forms alone, and relays none. It
keeps no mail server waiting for a database that stands still.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session

from service.config.settings import Door, Protocol
from service.errors import StoreUnavailable
from service.mail.imap_batches import FETCH_LIMIT
from service.mail.smtp_server import Lines, LmtpLine, SmtpLine, stop_serving

SIZE_LIMIT: Final = 25 * 1024 * 1024
"""Bytes of a mail that are accepted; what is stored is cut as that of the mailbox is."""
MOST_RECIPIENTS: Final = 100
MOST_CONNECTIONS: Final = 50
TIMEOUT: Final = 60.0
PATIENCE: Final = 5.0
"""Seconds that a mail waits to be stored: as long as a post. A mail server waits ten minutes (RFC 5321, 4.5.3.2.6)."""
_NULL_SENDER: Final = "<>"
_PUT_OFF: Final = "451 4.3.0 it cannot be stored just now, try again"
"""The sending server keeps the mail and tries again for days; after a 5xx it would bounce it at once."""

_log = structlog.get_logger()

Take = Callable[[bytes, int], Awaitable[None]]
"""Stores a mail, given what is kept of it and the bytes of the whole; raises StoreUnavailable.

Where it is cancelled it may have stored the mail, or may do so yet: the same mail, once more, must change nothing.
"""


@asynccontextmanager
async def open_door(door: Door, own_address: str, take: Take) -> AsyncIterator[int]:
    """Listen until the block ends, and give the port. Raises OSError where it is taken or a file is unusable."""
    tls = _tls(door)
    lines: Lines = set()
    loop = asyncio.get_running_loop()
    line = LmtpLine if door.protocol is Protocol.LMTP else SmtpLine

    def connected() -> SMTP:
        return line(
            lines,
            MOST_CONNECTIONS,
            _Hooks(own_address, take),
            data_size_limit=SIZE_LIMIT,
            enable_SMTPUTF8=True,
            hostname="replycast",
            ident="Replycast",
            timeout=TIMEOUT,
            tls_context=tls,
            auth_exclude_mechanism=["LOGIN", "PLAIN"],
            loop=loop,
        )

    server = await loop.create_server(connected, door.host, door.port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        await stop_serving(server, lines)


def _tls(door: Door) -> ssl.SSLContext | None:
    if door.certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(door.certificate, door.key)
    return context


def is_ours(recipient: str, own_address: str) -> bool:
    """Tell whether a recipient is our address, or one of its plus forms (RFC 5233)."""
    local, _, domain = recipient.casefold().rpartition("@")
    own_local, _, own_domain = own_address.casefold().rpartition("@")
    return domain == own_domain and (local == own_local or local.startswith(f"{own_local}+"))


class _Hooks:
    """What aiosmtpd calls while a mail comes in."""

    def __init__(self, own_address: str, take: Take) -> None:
        self._own_address = own_address
        self._take = take

    async def handle_MAIL(  # noqa: N802  aiosmtpd finds it by this name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address or _NULL_SENDER  # aiosmtpd takes "" for a MAIL that never came
        envelope.mail_options.extend(options)
        return "250 2.1.0 Ok"

    async def handle_RCPT(  # noqa: N802  as above
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not is_ours(address, self._own_address):
            return "550 5.1.1 there is no such mailbox here"
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return "452 4.5.3 too many recipients"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 Ok"

    async def handle_DATA(  # noqa: N802  as above
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        content = envelope.original_content or b""
        sender = "" if envelope.mail_from in {None, _NULL_SENDER} else str(envelope.mail_from)
        # of several recipients the one with a tag may hold a token
        recipient = max(envelope.rcpt_tos, key=lambda one: "+" in one)
        trace = f"Return-Path: <{sender}>\r\nDelivered-To: {recipient}\r\n".encode("utf-8", "surrogateescape")
        try:
            await self._take_soon((trace + content)[:FETCH_LIMIT], len(content))
        except StoreUnavailable as error:
            _log.warning("door: a mail is put off", reason=str(error))
            return _PUT_OFF
        except Exception:  # noqa: BLE001  the outermost loop of one mail: aiosmtpd would refuse it for good
            _log.exception("door: a mail could not be stored")
            return _PUT_OFF
        return "250 2.0.0 Ok: it is on disk"

    async def _take_soon(self, raw: bytes, size: int) -> None:
        try:
            async with asyncio.timeout(PATIENCE) as waiting:
                await self._take(raw, size)
        except TimeoutError as error:
            if not waiting.expired():
                raise
            raise StoreUnavailable(f"it could not be stored within {PATIENCE:g} seconds") from error
