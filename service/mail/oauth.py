"""Access tokens for logging in to Google's and Microsoft 365's mail servers (XOAUTH2).

With a refresh token they are in its user's name; without one in the application's: by client credentials, or,
where the client secret is a private key, as a Google service account. A refresh token that is replaced is kept
in the file it came from. No token or secret is ever shown.
"""

import binascii
import json
import re
import threading
from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote, quote_plus, urlsplit

import httpx2
import structlog

from service.config.secret_files import read_secret_file, write_secret_file
from service.config.settings import OAuth
from service.errors import PermanentFault, TemporaryFault
from service.mail.token_exchange import exchange

SPARE: Final = timedelta(seconds=60)
"""How long before its end a token is no longer used, for a login must still reach the mail server with it."""
USUAL_LIFETIME: Final = 3600
"""Seconds that are assumed where the answer does not say (RFC 6749 section 5.1 leaves that to us)."""
ASSERTION_LIFETIME: Final = 3600
"""Seconds; the longest that Google's guide "Using OAuth 2.0 for Server to Server Applications" allows."""

_TOKEN: Final = re.compile(r"[!-~]+")
"""RFC 6749 appendix A.12, without the space that no mail server takes."""
_REFRESH_TOKEN: Final = re.compile(r"[ -~]+")
"""RFC 6749 appendix A.17."""
_JWT_BEARER: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_PRIVATE_KEY: Final = "PRIVATE KEY-----"
_LATER: Final = frozenset({"temporarily_unavailable", "server_error", "slow_down"})
_OK, _TOO_MANY, _SERVER_FAULT = 200, 429, 500
_NO_ANSWER: Final = "without a token: is token_url right?"

Sign = Callable[[Mapping[str, object], str], str]
"""Signs claims with a private key; raises ValueError."""

_log = structlog.get_logger()


class TokenRefused(PermanentFault):
    """The OAuth server will not give a token for these credentials; asking again quickly changes nothing."""


class TokenUnavailable(TemporaryFault):
    """The OAuth server cannot be reached or is out of order just now."""


class AccessTokens:
    """The access token of one login, kept until shortly before its end; may be used from any thread.

    `username` is the mailbox's, in whose name a Google service account acts.
    """

    def __init__(self, oauth: OAuth, *, username: str) -> None:
        self._oauth = oauth
        self._username = username
        self._refresh_token = oauth.refresh_token.reveal()
        self._in_file = self._refresh_token
        """What the file held when we last looked, or wrote."""
        self._has_warned = False
        self._token = ""
        self._usable_until: datetime | None = None
        self._lock = threading.Lock()
        is_service_account = not self._refresh_token and _PRIVATE_KEY in oauth.client_secret.reveal()
        self._sign = _signing() if is_service_account else None

    def current(self, now: datetime) -> str:
        """Give the token, asking the OAuth server for one where there is none or it is about to end.

        Raises TokenRefused and TokenUnavailable.
        """
        with self._lock:
            if self._usable_until is not None and now < self._usable_until:
                return self._token
            return self._ask(now)

    def renew(self, now: datetime) -> str:
        """Ask for another token although the last one should still be good. Raises as `current` does."""
        with self._lock:
            return self._ask(now)

    def _ask(self, now: datetime) -> str:
        self._usable_until = None
        self._take_up_file()
        try:
            answer = self._post(self._form(now))
        except TokenRefused:
            # whoever else logs in with this file may have exchanged its token at this very moment
            if not self._take_up_file():
                raise
            answer = self._post(self._form(now))
        token = answer.get("access_token")
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            raise TokenUnavailable(f"the OAuth server {self._host} answered {_NO_ANSWER}")
        lifetime = _lifetime(answer.get("expires_in"))
        self._token = token
        self._usable_until = now + max(lifetime - SPARE, lifetime / 2)
        rotated = answer.get("refresh_token")
        if self._refresh_token and isinstance(rotated, str) and _REFRESH_TOKEN.fullmatch(rotated):
            self._refresh_token = rotated
        self._keep_refresh_token()
        return token

    def _keep_refresh_token(self) -> None:
        """Keep a new one beyond a restart (RFC 6749 section 6); where that is not possible, try again the next time.

        Microsoft gives another one each time, and ends each after 90 days ("Refresh tokens in the Microsoft
        identity platform").
        """
        if self._refresh_token == self._in_file:
            return
        path = self._oauth.refresh_token_file
        if path is None:
            self._warn_once("put it into a file, and name that as `refresh_token_file` in config.yaml")
            return
        try:
            write_secret_file(path, self._refresh_token)
        except OSError as error:
            reason = (error.strerror or type(error).__name__).lower()
            self._warn_once(f"let the service write {path} and its folder ({reason})")
        else:
            self._in_file = self._refresh_token

    def _take_up_file(self) -> bool:
        """Use the refresh token in the file, if another was put there since: by a person, or by another login."""
        path = self._oauth.refresh_token_file
        if path is None or not self._refresh_token:
            return False
        try:
            found = read_secret_file(path)
        except (ValueError, OSError):
            return False
        if found == self._in_file:
            return False
        self._in_file = self._refresh_token = found
        return True

    def _warn_once(self, remedy: str) -> None:
        if not self._has_warned:
            self._has_warned = True
            _log.warning(
                "a new refresh token is lost at the next restart, and the configured one ends some day",
                server=self._host,
                login=self._username,
                remedy=remedy,
            )

    def _form(self, now: datetime) -> dict[str, str]:
        oauth, secret = self._oauth, self._oauth.client_secret.reveal()
        if self._sign is not None:
            return {"grant_type": _JWT_BEARER, "assertion": self._assertion(self._sign, secret, now)}
        form = {"client_id": oauth.client_id} | ({"client_secret": secret} if secret else {})
        if self._refresh_token:  # RFC 6749 section 6
            form |= {"grant_type": "refresh_token", "refresh_token": self._refresh_token}
        else:  # section 4.4
            form |= {"grant_type": "client_credentials"}
        return form | ({"scope": oauth.scope} if oauth.scope else {})

    def _assertion(self, sign: Sign, private_key: str, now: datetime) -> str:
        """Sign what we claim to be (RFC 7523 section 2.1)."""
        at = int(now.timestamp())
        claims: dict[str, object] = {
            "iss": self._oauth.client_id,
            "sub": self._username,
            "aud": self._oauth.token_url,
            "scope": self._oauth.scope,
            "iat": at,
            "exp": at + ASSERTION_LIFETIME,
        }
        try:
            return sign(claims, private_key)
        except ValueError:
            raise TokenRefused(
                "the client secret is no private key that can sign: put the service account's in whole"
            ) from None

    def _post(self, form: Mapping[str, str]) -> Mapping[str, object]:
        status, body = self._exchange(form)
        answer = _json_object(body)
        if status == _OK and answer is not None:
            return answer
        error = self._plain(str((answer or {}).get("error", "")))
        if status >= _SERVER_FAULT or status == _TOO_MANY or error in _LATER:
            raise TokenUnavailable(f"the OAuth server {self._host} is out of order: {status} {error}".strip())
        if not error:
            raise TokenUnavailable(f"the OAuth server {self._host} answered {status} {_NO_ANSWER}")
        told = self._plain(str((answer or {}).get("error_description", "")))
        raise TokenRefused(f"{self._advice(error)} ({error}{': ' if told else ''}{told})")

    def _exchange(self, form: Mapping[str, str]) -> tuple[int, bytes]:
        try:
            return exchange(self._oauth.token_url, form)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as fault:
            reason = self._plain(str(fault)) or type(fault).__name__
            raise TokenUnavailable(f"the OAuth server {self._host} cannot be reached: {reason}") from None

    def _advice(self, error: str) -> str:
        if error == "invalid_grant":
            if self._refresh_token:
                return (
                    f"the OAuth server {self._host} no longer takes the refresh token: sign in again and "
                    f"put the new one into {self._oauth.refresh_token_file or 'config.yaml'}"
                )
            return (
                f"the OAuth server {self._host} does not let {self._oauth.client_id} act for {self._username}"
            )
        if error in {"invalid_client", "unauthorized_client"}:
            return (
                f"the OAuth server {self._host} does not take this client_id and client_secret: they are "
                "wrong, expired or lack the permission"
            )
        return f"the OAuth server {self._host} gives no token"

    @property
    def _host(self) -> str:
        try:
            return urlsplit(self._oauth.token_url).hostname or "(no host in token_url)"
        except ValueError:
            return "(token_url is no URL)"

    def _plain(self, text: str) -> str:
        secrets = (
            self._oauth.client_secret.reveal(),
            self._oauth.refresh_token.reveal(),
            self._refresh_token,
            self._in_file,
        )
        return plain_line(text, *secrets, self._token)[:200]


def _signing() -> Sign:
    # before it is needed, so that no upgrade under a running process comes between
    from service.mail.signed_claims import sign  # noqa: PLC0415  it says why

    return sign


def sasl_xoauth2(username: str, token: str) -> str:
    """Give what XOAUTH2 sends, before base64, as Google's and Microsoft's guides to IMAP and SMTP define it."""
    return f"user={username}\x01auth=Bearer {token}\x01\x01"


def refusal_status(challenge: bytes) -> str:
    """Read the status out of the challenge by which a server refuses a token; "" where there is none.

    `challenge` is JSON, in base64 or not: `{"status":"400","schemes":"Bearer","scope":"https://…"}`.
    """
    try:
        answer = _json_object(challenge) or _json_object(b64decode(challenge, validate=True))
    except binascii.Error:
        return ""
    status = plain_line(str((answer or {}).get("status", "")))[:20]
    return f"status {status}" if status else ""


def plain_line(text: str, *secrets: str) -> str:
    """Make text of a server one printable line without any of the secrets, nor as a form or a URL holds them."""
    for secret in filter(None, secrets):
        text = text.replace(secret, "***")
        for quoted in (quote_plus(secret, errors="replace"), quote(secret, safe="", errors="replace")):
            text = re.sub(re.escape(quoted), "***", text, flags=re.IGNORECASE)
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _json_object(body: bytes) -> Mapping[str, object] | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _lifetime(said: object) -> timedelta:
    """Read `expires_in`, which some servers give as text, and some as a fraction."""
    try:
        seconds = int(float(str(said)))
    except (ValueError, OverflowError):  # the latter of what is infinite
        seconds = USUAL_LIFETIME
    return timedelta(seconds=min(max(seconds, 0), 86_400))
