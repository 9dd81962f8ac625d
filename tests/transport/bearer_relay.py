"""A mail relay that takes mails only from who logs in by a good access token (XOAUTH2)."""

import asyncio
import binascii
import json
from base64 import b64decode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult

from service.config.settings import Auth, OAuth, Secret, Security, Smtp


class BearerRelay:
    """A running relay; `bearer_relay` makes it."""

    def __init__(self, lets_in: Callable[[str, str], bool]) -> None:
        self.port = 0
        self.logins: list[str] = []
        """The tokens by which somebody came, in order."""
        self.answers_to_refusals: list[bytes] = []
        self.taken: list[bytes] = []
        """The mails."""
        self._lets_in = lets_in

    def smtp(self, username: str, oauth: OAuth) -> Smtp:
        """Give the settings to send through it."""
        return Smtp("127.0.0.1", self.port, Security.NONE, username, Secret(""), Auth.MICROSOFT365, oauth)

    async def auth_XOAUTH2(self, server: Any, args: list[str]) -> AuthResult:  # noqa: ANN401, N802 # aiosmtpd's form
        """Check the token, and refuse it as Microsoft 365 and Gmail do."""
        try:
            said = b64decode(args[1], validate=True).decode()
        except binascii.Error:
            return AuthResult(success=False, handled=False)
        user, _, rest = said.removeprefix("user=").partition("\x01auth=Bearer ")
        token = rest.removesuffix("\x01\x01")
        self.logins.append(token)
        if rest.endswith("\x01\x01") and self._lets_in(user, token):
            return AuthResult(success=True, handled=False, auth_data=user)
        challenge = json.dumps({"status": "401", "schemes": "bearer", "scope": "mail"})
        self.answers_to_refusals.append(await server.challenge_auth(challenge))
        return AuthResult(success=False, handled=False)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: ANN401, N802 # as above
        """Keep a mail."""
        self.taken.append(envelope.content)
        return "250 2.0.0 kept"


class _Door(SMTP):
    """A client's session, which can be waited for to end."""

    def __init__(self, relay: BearerRelay, open_doors: "list[_Door]") -> None:
        # the library warns of a login without TLS by a line in its log
        super().__init__(
            relay, hostname="relay.example", auth_require_tls=False, auth_exclude_mechanism=["LOGIN", "PLAIN"]
        )
        self.is_closed = asyncio.Event()
        open_doors.append(self)

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self.is_closed.set()

    async def close(self) -> None:
        if self.transport is not None:
            self.transport.close()
            await self.is_closed.wait()


@asynccontextmanager
async def bearer_relay(lets_in: Callable[[str, str], bool]) -> AsyncIterator[BearerRelay]:
    """Run a relay; `lets_in` says whether user and token go together."""
    relay = BearerRelay(lets_in)
    doors: list[_Door] = []
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Door(relay, doors), "127.0.0.1", 0)
    relay.port = server.sockets[0].getsockname()[1]
    try:
        yield relay
    finally:
        server.close()
        await asyncio.gather(*(door.close() for door in doors))
