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


@asynccontextmanager
async def bearer_relay(lets_in: Callable[[str, str], bool]) -> AsyncIterator[BearerRelay]:
    """Run a relay; `lets_in` says whether user and token go together."""
    relay = BearerRelay(lets_in)
    loop = asyncio.get_running_loop()

    def session() -> SMTP:
        # the library says that a login without TLS is unwise by a warning, which is an error in these tests
        return SMTP(
            relay,
            hostname="relay.example",
            auth_require_tls=False,
            auth_exclude_mechanism=["LOGIN", "PLAIN"],
            loop=loop,
        )

    server = await loop.create_server(session, "127.0.0.1", 0)
    relay.port = server.sockets[0].getsockname()[1]
    try:
        yield relay
    finally:
        server.close()
