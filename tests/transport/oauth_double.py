"""An OAuth server on a loopback port that gives access tokens only to who shows the right credentials.

Its time stands still until a test lets it pass; the mail servers of the tests ask it whether a token is good.
"""

import itertools
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import parse_qs, parse_qsl, urlsplit

from joserfc import jwk, jwt
from joserfc.errors import JoseError

from service.config.settings import OAuth, Secret

SCOPE = "https://mail.example/.default"
CLIENT_SECRET = "client~secret+/="
REFRESH_TOKEN = "refresh/token+="
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"

Answer = tuple[int, bytes]


class OAuthDouble:
    """What the OAuth server knows; `oauth_double` runs it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.owner = "status@acme.example"
        """Whose mailbox its tokens open."""
        self.lifetime: object = 3600
        """Seconds, as `expires_in` says them; None leaves it out."""
        self.answer_instead: Answer | None = None
        """Given to every request where it is set."""
        self.refresh_token = REFRESH_TOKEN
        self.rotates = False
        """Whether each answer brings another refresh token and ends the last one."""
        self.extra: Mapping[str, object] = {}
        """What each answer brings besides, or instead."""
        self.account_key: jwk.RSAKey | None = None
        """The service account's public key."""
        self.asked: list[Mapping[str, str]] = []
        """The forms that were posted."""
        self.given: list[str] = []
        """The tokens that were given."""
        self._ends: dict[str, float] = {}
        self._passed = 0.0
        self._numbers = itertools.count(1)

    @property
    def token_url(self) -> str:
        """Where tokens are asked for."""
        return f"http://127.0.0.1:{self.port}/token"

    def oauth(self, *, refresh_token: str = REFRESH_TOKEN, client_secret: str = CLIENT_SECRET) -> OAuth:
        """Give the settings that get a token, in the user's name or ("") in the application's."""
        return OAuth(self.token_url, "client-7", Secret(client_secret), Secret(refresh_token), SCOPE)

    def let_pass(self, seconds: float) -> None:
        """Let time pass for the tokens that were given."""
        self._passed += seconds

    def is_good(self, token: str) -> bool:
        """Whether this token was given here and has not ended."""
        return self._ends.get(token, 0.0) > self._passed

    def lets_in(self, username: str, token: str) -> bool:
        """Whether a mail server may open this user's mailbox to who holds the token."""
        return username == self.owner and self.is_good(token)

    def answer(self, form: Mapping[str, str]) -> Answer:
        """Answer a request for a token (RFC 6749 sections 4.4, 5 and 6; RFC 7523 section 2.1)."""
        self.asked.append(form)
        if self.answer_instead is not None:
            return self.answer_instead
        match form.get("grant_type"):
            case "refresh_token" | "client_credentials" as grant:
                if (form.get("client_id"), form.get("client_secret")) != ("client-7", CLIENT_SECRET):
                    return _refusal(401, "invalid_client")
                if form.get("scope") != SCOPE:
                    return _refusal(400, "invalid_scope")
                if grant == "refresh_token" and form.get("refresh_token") != self.refresh_token:
                    return _refusal(400, "invalid_grant")
            case grant if grant == JWT_BEARER:
                if not self._vouches_for(form.get("assertion", "")):
                    return _refusal(400, "invalid_grant")
            case _:
                return _refusal(400, "unsupported_grant_type")
        return 200, json.dumps(self._give()).encode()

    def _give(self) -> dict[str, object]:
        number = next(self._numbers)
        token = f"access.token-{number}"
        self.given.append(token)
        seconds = float(str(self.lifetime)) if self.lifetime is not None else 3600.0
        self._ends[token] = self._passed + seconds
        told: dict[str, object] = {"token_type": "Bearer", "access_token": token}
        if self.lifetime is not None:
            told["expires_in"] = self.lifetime
        if self.rotates:
            self.refresh_token = told["refresh_token"] = f"{REFRESH_TOKEN}{number}"
        return {**told, **self.extra}

    def _vouches_for(self, assertion: str) -> bool:
        assert self.account_key is not None
        try:
            claims = jwt.decode(assertion, self.account_key, algorithms=["RS256"]).claims
        except (JoseError, ValueError):
            return False
        about = tuple(claims.get(name) for name in ("iss", "sub", "aud", "scope"))
        return (
            about == ("client-7", self.owner, self.token_url, SCOPE) and claims["exp"] - claims["iat"] <= 3600
        )


def _refusal(status: int, error: str) -> Answer:
    return status, json.dumps({"error": error, "error_description": f"{error}, says the double"}).encode()


class _Requests(BaseHTTPRequestHandler):
    double: ClassVar[OAuthDouble]

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        form = dict(parse_qsl(self.rfile.read(length).decode(), keep_blank_values=True))
        self._say(*self.double.answer(form))

    def do_GET(self) -> None:
        """Tell a mail server about a token (Dovecot asks so)."""
        token = parse_qs(urlsplit(self.path).query).get("access_token", [""])[0]
        active = self.double.is_good(token)
        about = {"active": active, **({"email": self.double.owner} if active else {})}
        self._say(200 if active else 401, json.dumps(about).encode())

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def oauth_double(port: int = 0) -> Iterator[OAuthDouble]:
    """Run it; 0 takes a free port."""

    class Requests(_Requests):
        """Those of this server."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Requests)
    Requests.double = OAuthDouble(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield Requests.double
    finally:
        server.shutdown()
        server.server_close()
        thread.join(2.0)
