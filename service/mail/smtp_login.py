"""Connects to the relay, greets it, protects the connection, and logs in by password or by an access token.

It never tries a password twice, and a token once more only after asking for another.
"""

import asyncio
import socket
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Final, cast

import aiosmtplib
from anyio import to_thread

from service.config.settings import Security, Smtp
from service.errors import RelayUnavailable, exhaustion_named
from service.mail.oauth import AccessTokens, TokenRefused, TokenUnavailable, refusal_status, sasl_xoauth2
from service.mail.smtp_answers import (
    FAULTS,
    RelayLoginRefused,
    is_for_good,
    is_go_on,
    is_taken,
    plain,
    relay_faults,
)

CONNECT_TIMEOUT: Final = 10.0
"""Seconds for the connection to each of the relay's addresses."""
GREETING_TIMEOUT: Final = 60.0
"""Seconds for its greeting, and for TLS before it. Relays let a new client wait on purpose, most for 5 to 30 seconds;
RFC 5321 section 4.5.3.2.1 has five minutes, but of one that hangs admins are to hear sooner."""
COMMAND_TIMEOUT: Final = 60.0

_LOGINS: Final = {
    "plain": aiosmtplib.SMTP.auth_plain,
    "login": aiosmtplib.SMTP.auth_login,
    "cram-md5": aiosmtplib.SMTP.auth_crammd5,
}
_IN_CLEAR: Final = ("cram-md5", "plain", "login")
_PROTECTED: Final = ("plain", "login", "cram-md5")
"""CRAM-MD5 last: servers that keep passwords as hashes offer it and refuse each one."""
_NOT_THE_LOGIN: Final = range(500, 505)
"""Answers to AUTH that speak of the command, and not of who we are (RFC 5321 section 4.2.3, RFC 4954 section 4)."""


@asynccontextmanager
async def connected(
    smtp: Smtp,
    *,
    tokens: AccessTokens | None = None,
    now: datetime | None = None,
    command_timeout: float = COMMAND_TIMEOUT,
) -> AsyncIterator[aiosmtplib.SMTP]:
    """Connect to the relay, protect the connection and log in as config.yaml says; hang up at the end.

    `tokens` and `now` are needed where `smtp.oauth` is given; a token that the relay refuses is renewed once.
    Raises RelayUnavailable where any of this fails, and of those RelayLoginRefused for a refused login, with the
    reason but never a password or token. Raises MachineExhausted where there is nothing left to connect with, which is
    no fault of the relay.
    """
    with relay_faults(smtp):
        client = aiosmtplib.SMTP(
            hostname=smtp.host,
            local_hostname=smtp.own_name,
            timeout=command_timeout,
            use_tls=smtp.security is Security.TLS,
            start_tls=False,  # once it has been greeted
        )
    transport: asyncio.BaseTransport | None = None
    try:
        if smtp.oauth is None:
            await _connect(client, smtp)
            if smtp.username:
                await _log_in(client, smtp)
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
    with relay_faults(smtp), exhaustion_named():
        reached = await _reach(smtp.host, smtp.port)
        try:
            await client.connect(sock=reached, timeout=GREETING_TIMEOUT)
        except aiosmtplib.SMTPConnectTimeoutError:
            raise TimeoutError(f"it did not greet us within {GREETING_TIMEOUT:.0f} s") from None
        except aiosmtplib.SMTPConnectResponseError:
            raise
        except aiosmtplib.SMTPConnectError as fault:
            raise OSError(str(fault.__cause__ or fault)) from None
        await _greet(client, smtp)
        if smtp.security is Security.STARTTLS:
            await client.starttls()
            await _greet(client, smtp)


async def _reach(host: str, port: int) -> socket.socket:
    """Connect to the first of its addresses that lets us in; raises OSError.

    aiosmtplib has one time-out for this and for the greeting, so it gets the connection from here.
    """
    loop = asyncio.get_running_loop()
    fault: OSError = OSError("the name has no address")
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT):
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except TimeoutError:
        raise TimeoutError(f"the name could not be looked up within {CONNECT_TIMEOUT:.0f} s") from None
    for family, kind, protocol, _, address in found:
        reached = socket.socket(family, kind, protocol)
        try:
            reached.setblocking(False)  # noqa: FBT003  the library's own form
            async with asyncio.timeout(CONNECT_TIMEOUT):
                await loop.sock_connect(reached, address)
        except TimeoutError:
            fault = TimeoutError(f"no connection within {CONNECT_TIMEOUT:.0f} s")
        except OSError as error:
            fault = error
        except BaseException:
            reached.close()
            raise
        else:
            return reached
        reached.close()
    raise fault


async def _greet(client: aiosmtplib.SMTP, smtp: Smtp) -> None:
    """Say EHLO, or HELO to a relay that does not know that (RFC 5321 section 3.2).

    Where the login or TLS is needed, which HELO does not bring, and where HELO is refused as well, it is the answer to
    EHLO that is told.
    """
    name = smtp.own_name.encode()
    answer = await client.execute_command(b"EHLO", name)
    if is_taken(answer.code):
        client.last_ehlo_response = answer
        return
    needs_more = bool(smtp.username) or smtp.security is Security.STARTTLS
    if is_for_good(answer.code) and not needs_more:
        with suppress(*FAULTS):
            second = await client.execute_command(b"HELO", name)
            if is_taken(second.code):
                client.last_helo_response = second
                return
    said = f"{answer.code} {plain(answer.message)}".strip()
    raise RelayUnavailable(f"the relay {smtp.host} answered `EHLO {smtp.own_name}` with {said}")


async def _log_in(client: aiosmtplib.SMTP, smtp: Smtp) -> None:
    """Log in by password. The same one by another mechanism would be a second failed login, which locks accounts."""
    order = _IN_CLEAR if smtp.security is Security.NONE else _PROTECTED
    offered = [one for one in order if one in client.server_auth_methods]
    if not offered:
        raise RelayUnavailable(
            f"the relay {smtp.host} offers no login by password: check host, port and security"
        )
    with relay_faults(smtp):
        for mechanism in offered:
            try:
                await _LOGINS[mechanism](client, smtp.username, smtp.password.reveal())
            except aiosmtplib.SMTPAuthenticationError as refusal:
                if is_taken(refusal.code):
                    return
                if refusal.code not in _NOT_THE_LOGIN or mechanism == offered[-1]:
                    raise
            else:
                return


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
        if is_go_on(answer.code):
            status = f" ({refusal_status(answer.message.encode()) or 'no status'})"
            answer = await client.execute_command(b"")
    if is_taken(answer.code):
        return
    reason = f"{answer.code} {plain(answer.message, *hidden)}{status}"
    kind = RelayLoginRefused if is_for_good(answer.code) else RelayUnavailable
    raise kind(f"the relay {smtp.host} refused the access token for {smtp.username}: {reason}")
