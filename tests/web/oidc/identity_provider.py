"""An identity provider for tests, which keeps to OpenID Connect until a test has it do otherwise."""

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.rooms import Clock

ISSUER = "https://login.acme.example"
CLIENT_ID, CLIENT_SECRET = "replycast", "s3cret"
OIDC = f"""\
login:
  oidc: {{name: Acme SSO, issuer: "{ISSUER}", client_id: {CLIENT_ID}, client_secret: {CLIENT_SECRET}}}
"""
Browse = Callable[[], httpx2.AsyncClient]
KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
OTHER_KEY = RSAKey.generate_key(2048, {"kid": "two", "use": "sig"})


def unsigned(claims: Mapping[str, Any]) -> str:
    """Give a token with the algorithm `none` (RFC 7519 section 6)."""
    parts = ({"alg": "none"}, claims)
    return ".".join(urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=") for one in parts) + "."


@dataclass(slots=True)
class IdentityProvider:
    """Lets one person log in; what it says and signs a test may change."""

    clock: Clock
    claims: dict[str, Any] = field(default_factory=dict)
    """What it says otherwise of the person; None: not at all."""
    sign: Callable[[dict[str, Any]], str] = field(
        default=lambda claims: jwt.encode({"alg": "RS256", "kid": "one"}, claims, KEY)
    )
    keys: list[RSAKey] = field(default_factory=lambda: [KEY])
    places: dict[str, Any] = field(default_factory=dict)
    """What its discovery document says otherwise."""
    userinfo: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    """The paths that were asked for."""
    given: dict[str, dict[str, str]] = field(default_factory=dict)
    """By code: what was asked for with it."""

    def log_in(self, address: str) -> dict[str, str]:
        """Do what a browser and a person do at the provider; gives the parameters of the answer."""
        parts = urlsplit(address)
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{ISSUER}/authorize"
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = f"code-{len(self.given)}"
        self.given[code] = asked
        return {"code": code, "state": asked["state"], "iss": ISSUER}

    def transport(self) -> httpx2.AsyncBaseTransport:
        """Give the way to it without a network."""
        routes = [
            Route("/.well-known/openid-configuration", self._discovery),
            Route("/token", self._token, methods=["POST"]),
            Route("/keys", self._keys),
            Route("/userinfo", self._userinfo),
        ]
        return httpx2.ASGITransport(app=Starlette(routes=routes))

    async def _discovery(self, request: Request) -> Response:
        self.asked.append(request.url.path)
        names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        places = {
            name: f"{ISSUER}/{path}" for name, path in (names | {"userinfo_endpoint": "userinfo"}).items()
        }
        return JSONResponse({"issuer": ISSUER, **places, **self.places})

    async def _keys(self, request: Request) -> Response:
        self.asked.append(request.url.path)
        return JSONResponse({"keys": [key.as_dict(private=False) for key in self.keys]})

    async def _userinfo(self, request: Request) -> Response:
        self.asked.append(request.url.path)
        assert request.headers["authorization"] == "Bearer at"
        return JSONResponse(self.userinfo)

    async def _token(self, request: Request) -> Response:
        self.asked.append(request.url.path)
        form = parse_qs((await request.body()).decode())
        asked = self.given.pop(form["code"][0], None)
        if asked is None:
            return JSONResponse({"error": "invalid_grant"}, 400)
        digest = hashlib.sha256(form["code_verifier"][0].encode()).digest()
        assert asked["code_challenge"] == urlsafe_b64encode(digest).decode().rstrip("=")
        assert form["redirect_uri"][0] == asked["redirect_uri"]
        now = int(self.clock().timestamp())
        said = {
            "iss": ISSUER,
            "sub": "4711",
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + timedelta(minutes=5).seconds,
            "nonce": asked["nonce"],
            "email": "Sam@acme.example",
            "email_verified": True,
            **self.claims,
        }
        claims = {name: value for name, value in said.items() if value is not None}
        return JSONResponse({"access_token": "at", "token_type": "Bearer", "id_token": self.sign(claims)})


def answer_to(parameters: Mapping[str, str]) -> str:
    """Give the path by which a browser comes back."""
    return f"/login/oidc/callback?{urlencode(parameters)}"


async def enter(
    browser: httpx2.AsyncClient, provider: IdentityProvider, wanted: str = "", **changed: str
) -> httpx2.Response:
    """Log in; `changed` are parameters of the answer that are not as the provider gave them."""
    begun = await browser.get(f"/login/oidc?next={wanted}")
    return await browser.get(answer_to(provider.log_in(begun.headers["location"]) | changed))
