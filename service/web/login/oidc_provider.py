"""An OpenID Connect provider, as we ask it who somebody is: its addresses and keys, the way there, and its answer.

Authlib speaks the protocol (authorization code with PKCE), joserfc checks signatures. Whether the somebody is an
employee is for `actions` to tell. No token is kept or shown. Imported only where config.yaml names a provider: these
libraries cost megabytes of memory.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import anyio
import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey

from service.actions.signing_on import Asking
from service.config.settings import Oidc
from service.web.bounded_json import AnswerUnusable, read_object
from service.web.login.oidc_faults import IdentityRefused, ProviderUnavailable

PATIENCE: Final = 10.0
"""Seconds for one connection or piece of an answer."""
WHOLE_PATIENCE: Final = 25.0
"""Seconds for all of a step: a person waits."""
KEPT: Final = timedelta(hours=1)
"""How long the provider's addresses and keys are believed."""
KEYS_AGAIN: Final = timedelta(minutes=1)
"""How soon keys are fetched again for a token that none of them signed: providers change keys at will."""
FAILED_FOR: Final = timedelta(seconds=30)
"""How long a provider that does not answer is not asked again: whoever waits behind another would wait twice."""
LEEWAY: Final = 60
"""Seconds that the provider's clock may differ from ours."""
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""Signatures that only the provider can make: no `none`, and none made with a secret that is shared."""
MOST_KEYS: Final = 50
LONGEST_TOKEN: Final = 32 * 1024

_WELL_KNOWN: Final = "/.well-known/openid-configuration"
_KINDS: Final[Mapping[str, type[RSAKey] | type[ECKey]]] = {"RSA": RSAKey, "EC": ECKey}


@dataclass(frozen=True, slots=True)
class _Known:
    """What the provider told of itself."""

    issuer: str
    places: Mapping[str, Any]
    read_at: datetime


class Provider:
    """The provider of config.yaml, what it told of itself, and its keys, both kept for a while."""

    def __init__(self, oidc: Oidc, site_url: str, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        self.name = oidc.name
        self._oidc = oidc
        self._back = f"{site_url}/login/oidc/callback"
        self._transport = transport
        self._known: _Known | None = None
        self._failed_until: datetime | None = None
        self._keys: KeySet | None = None
        self._keys_read_at: datetime | None = None
        self._lock = anyio.Lock()

    async def address(self, asking: Asking, now: datetime) -> str:
        """Give where a browser goes to log in. Raises ProviderUnavailable."""
        async with self._connected() as client:
            known = await self._knowledge(client, now)
            place = _place(known, "authorization_endpoint")
            url, _ = client.create_authorization_url(
                place, state=asking.state, nonce=asking.nonce, code_verifier=asking.verifier
            )
            return str(url)

    async def email_of(self, code: str, issuer: str, asking: Asking, now: datetime) -> str:
        """Redeem the code that came back, and give the e-mail address that it proves.

        `issuer` is what the answer says of its sender (RFC 9207); "" where it says nothing. The ID token is checked
        as OpenID Connect Core 1.0 section 3.1.3.7 asks for. Raises IdentityRefused and ProviderUnavailable.
        """
        async with self._connected() as client:
            known = await self._knowledge(client, now)
            if issuer and issuer != known.issuer:
                raise IdentityRefused("the answer came from another provider; begin again")
            answer = await self._redeem(client, known, code, asking)
            claims = await self._claims(client, known, answer, asking, now)
            if not isinstance(claims.get("email"), str):
                claims = await self._asked_for(client, known, answer, claims)
        return self._proven(claims)

    def _connected(self) -> "_Client":
        return _Client(self._oidc, self._back, self._transport)

    async def _knowledge(self, client: "_Client", now: datetime) -> _Known:
        async with self._lock:
            if self._known is not None and now - self._known.read_at < KEPT:
                return self._known
            wanted = self._oidc.issuer.rstrip("/")
            if self._failed_until is not None and now < self._failed_until:
                raise ProviderUnavailable(f"{wanted} did not answer a moment ago")
            self._failed_until = now + FAILED_FOR
            found = await client.read(wanted + _WELL_KNOWN)
            self._failed_until = None
            issuer = found.get("issuer")
            # section 4.3 of OpenID Connect Discovery 1.0, save that people forget the slash at the end
            if not isinstance(issuer, str) or issuer.rstrip("/") != wanted:
                raise ProviderUnavailable(f"{wanted} says that its issuer is {str(issuer)[:200]!r}")
            self._known = _Known(issuer, found, now)
            return self._known

    async def _keys_of(self, client: "_Client", known: _Known, now: datetime, *, anew: bool) -> KeySet:
        async with self._lock:
            age = None if self._keys_read_at is None else now - self._keys_read_at
            if self._keys is not None and age is not None and age < (KEYS_AGAIN if anew else KEPT):
                return self._keys
            found = await client.read(_place(known, "jwks_uri"))
            self._keys, self._keys_read_at = _usable_keys(found.get("keys")), now
            return self._keys

    async def _redeem(self, client: "_Client", known: _Known, code: str, asking: Asking) -> Mapping[str, Any]:
        offered = known.places.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        if self._oidc.client_secret and "client_secret_basic" not in offered:
            client.token_endpoint_auth_method = "client_secret_post"  # noqa: S105  the name of a method
        place = _place(known, "token_endpoint")
        try:
            with anyio.fail_after(WHOLE_PATIENCE):
                answer = await client.fetch_token(
                    place, grant_type="authorization_code", code=code, code_verifier=asking.verifier
                )
        except OAuthError as error:
            if error.error == "invalid_grant":
                raise IdentityRefused("the provider no longer takes this log-in; begin again") from None
            raise ProviderUnavailable(f"{place} refused us: {error.error}") from None
        except (httpx2.HTTPError, OSError, ValueError, TypeError) as error:
            raise ProviderUnavailable(f"{place} gave no token: {type(error).__name__}") from None
        return dict(answer)

    async def _claims(
        self, client: "_Client", known: _Known, answer: Mapping[str, Any], asking: Asking, now: datetime
    ) -> Mapping[str, Any]:
        raw = answer.get("id_token")
        if not isinstance(raw, str) or len(raw) > LONGEST_TOKEN:
            raise ProviderUnavailable("the provider gave no ID token: is `openid` among its scopes?")
        try:
            token = _checked(raw, await self._keys_of(client, known, now, anew=False))
        except (JoseError, ValueError):
            # signed with a key that is new, perhaps
            keys = await self._keys_of(client, known, now, anew=True)
            try:
                token = _checked(raw, keys)
            except (JoseError, ValueError) as error:
                raise IdentityRefused(f"the ID token is not signed as it must be ({_named(error)})") from None
        ours = self._oidc.client_id
        wanted = {
            "iss": {"essential": True, "value": known.issuer},
            "aud": {"essential": True, "value": ours},
        }
        given = {"nonce": asking.nonce, "client_id": ours, "access_token": answer.get("access_token")}
        claims = CodeIDToken(token.claims, token.header, wanted, given)
        try:
            claims.validate(now=int(now.timestamp()), leeway=LEEWAY)
        except (JoseError, ValueError, TypeError) as error:
            raise IdentityRefused(f"the ID token is not for this log-in ({_named(error)})") from None
        return dict(claims)

    async def _asked_for(
        self, client: "_Client", known: _Known, answer: Mapping[str, Any], claims: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Ask for what the ID token does not say (section 5.3), which must be of the same person (5.3.2)."""
        if not known.places.get("userinfo_endpoint") or not isinstance(answer.get("access_token"), str):
            return claims
        place = _place(known, "userinfo_endpoint")
        found = await client.read(place, {"authorization": f"Bearer {answer['access_token']}"})
        if found.get("sub") != claims.get("sub"):
            raise IdentityRefused("the provider tells of two people at once; begin again")
        return found

    def _proven(self, claims: Mapping[str, Any]) -> str:
        email = claims.get("email")
        if not isinstance(email, str) or "@" not in email:
            raise IdentityRefused(
                f"{self.name} does not tell your e-mail address; is `email` among `scopes`?"
            )
        # as text, some providers say it (Amazon Cognito, Apple)
        said = claims.get("email_verified")
        is_verified = said is True or said == "true"
        if not is_verified and not self._oidc.trust_unverified_email:
            raise IdentityRefused(f"{self.name} does not say that it has verified {email[:320]}")
        return email


class _Client(AsyncOAuth2Client):  # type: ignore[misc]  # Authlib has no types
    """One conversation with the provider, without redirects and without cookies."""

    def __init__(self, oidc: Oidc, back: str, transport: httpx2.AsyncBaseTransport | None) -> None:
        super().__init__(
            client_id=oidc.client_id,
            client_secret=oidc.client_secret.reveal() or None,
            scope=" ".join(oidc.scopes),
            redirect_uri=back,
            code_challenge_method="S256",
            transport=transport,
            timeout=PATIENCE,
            follow_redirects=False,
        )

    async def read(self, url: str, headers: Mapping[str, str] | None = None) -> Mapping[str, Any]:
        """Read a JSON object, within bounds of time and size."""
        try:
            with anyio.fail_after(WHOLE_PATIENCE):
                async with self.stream("GET", url, withhold_token=True, headers=headers) as answer:
                    return await read_object(answer)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, AnswerUnusable) as error:
            raise ProviderUnavailable(f"{url} cannot be read: {_named(error)}") from None


def _place(known: _Known, name: str) -> str:
    """Give an address of the provider: over TLS as its issuer is, for it gets codes and secrets."""
    found = known.places.get(name)
    if isinstance(found, str):
        try:
            scheme = urlsplit(found).scheme
        except ValueError:
            scheme = ""
        if scheme == "https" or (scheme == "http" and known.issuer.startswith("http://")):
            return found
    raise ProviderUnavailable(f"{known.issuer} names no usable {name}")


def _usable_keys(found: object) -> KeySet:
    keys: list[RSAKey | ECKey] = []
    for one in found[:MOST_KEYS] if isinstance(found, list) else ():
        kind = _KINDS.get(str(one.get("kty"))) if isinstance(one, dict) else None
        if kind is None or one.get("use", "sig") != "sig":
            continue
        try:
            keys.append(kind.import_key(one))
        except (JoseError, ValueError, TypeError):
            continue  # a key that we cannot read signs nothing for us
    if not keys:
        raise ProviderUnavailable("the provider has no keys that it could sign with")
    return KeySet(list(keys))


def _checked(raw: str, keys: KeySet) -> jwt.Token:
    registry = jws.JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)
    return jwt.decode(raw, keys, registry=registry)


def _named(error: Exception) -> str:
    return str(error)[:200] or type(error).__name__
