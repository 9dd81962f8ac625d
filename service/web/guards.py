"""What stands before every page: security headers, the refusal of other sites' forms, an end to waiting."""

import os
from collections.abc import Mapping
from functools import cache

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from service.store.patience import waiting_at_most

RawField = tuple[bytes, bytes]
"""A header field as ASGI has it: its name, in lower case, and its value."""

TRUSTED = "FORWARDED_ALLOW_IPS"
"""Names the proxies that are believed, as uvicorn has it; where it does not, those of this machine are."""
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS: Mapping[str, str] = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
_HTTPS_HEADERS: Mapping[str, str] = {
    "cross-origin-opener-policy": "same-origin",
    # RFC 6797: a year. Not for subdomains and no preload list: we know of no name but our own
    "strict-transport-security": "max-age=31536000",
}
"""Means nothing on plain http: browsers complain about the first there, and must ignore the second."""
_CHANGES_NOTHING = {"GET", "HEAD", "OPTIONS"}
_FROM_ANYWHERE = ("/webhook/", "/unsubscribe/")
"""Paths that authenticate by what they carry and that other machines post to (RFC 8058 for the second)."""


def guard_headers(*, is_https: bool) -> dict[str, str]:
    """Give the headers that every page has."""
    return {**_HEADERS, **(_HTTPS_HEADERS if is_https else {})}


@cache
def raw_guard_headers(*, is_https: bool) -> tuple[RawField, ...]:
    """Give the same as ASGI has them."""
    return tuple((name.encode(), value.encode()) for name, value in guard_headers(is_https=is_https).items())


def behind_proxy(app: ASGIApp) -> ASGIApp:
    """Give an application that knows its clients also where proxies speak for them that are believed."""
    return ProxyHeadersMiddleware(app, trusted_hosts=os.environ.get(TRUSTED, "127.0.0.1"))  # type: ignore[arg-type, return-value]  # uvicorn has types of its own for the same


class SecurityHeaders:
    """Adds the headers that keep a page from running or showing what is not ours."""

    def __init__(self, app: ASGIApp, *, is_https: bool) -> None:
        self._app = app
        self._headers = guard_headers(is_https=is_https)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and the answer back with its headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                if scope["path"].startswith("/static/"):
                    # asked for again each time, answered by 304: an upgrade shows at once
                    headers.setdefault("cache-control", "no-cache")
            await send(message)

        await self._app(scope, receive, send_guarded)


class SameOriginOnly:
    """Refuses state-changing requests that a browser sends on behalf of another site.

    By Sec-Fetch-Site, which every current browser sends, else by Origin; a request with neither is no browser's
    and carries no one's cookie by accident.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on if it is ours."""
        if scope["type"] == "http" and not is_allowed(scope["method"], scope["path"], Headers(scope=scope)):
            answer = PlainTextResponse("This form was sent from another site; open ours and try again.", 403)
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)


class BoundedWaits:
    """Lets nobody wait for long for a database that says nothing; a post, whose intake sees to that, aside."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http" or scope["path"].startswith("/webhook/"):
            await self._app(scope, receive, send)
            return
        with waiting_at_most():
            await self._app(scope, receive, send)


def is_allowed(method: str, path: str, headers: Mapping[str, str]) -> bool:
    """Tell whether a request may change something, by where its browser says it comes from."""
    if method in _CHANGES_NOTHING or path.startswith(_FROM_ANYWHERE):
        return True
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = headers.get("origin")
    if origin is None:
        return True
    # compared as text (RFC 6454 section 6.2: scheme, host and port): whatever else it holds is not our page's
    host = origin.partition("://")[2]
    return host != "" and host == headers.get("host")
