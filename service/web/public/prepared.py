"""An answer that is ready before anybody asks: its bytes, plain and compressed, and its headers, once and for all.

Pure: it is handed a request's headers and gives the two ASGI messages to send (RFC 9110 sections 8.8 and 13).
"""

import gzip
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any

HTML = "text/html; charset=utf-8"
CACHE_CONTROL = "public, max-age=5, stale-if-error=86400"
"""Short enough that nobody misses an incident, long enough to shield us from a crowd behind one cache; and while
we do not answer at all, a cache may go on showing what it has (RFC 5861)."""
SMALL = 512
"""Bytes that are not worth compressing."""

RawHeaders = list[tuple[bytes, bytes]]
Started = dict[str, Any]
"""The ASGI message that begins a response; made once, and changed by nobody."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """What stands at a public path. The tags, the compression and the other headers are made from it."""

    body: bytes
    content_type: str = HTML
    modified_at: datetime | None = None
    """Left out: when the bytes last changed."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """More headers, such as who may read it from another site."""
    version: str = ""
    """A short word for what it shows, told by /events when it is another; only the status page has one."""


@dataclass(frozen=True, slots=True)
class Form:
    """One of the two forms of an answer: as it is, or compressed."""

    tag: bytes
    body: bytes
    whole: Started
    unchanged: Started
    """The beginning of a 304."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A rendering with everything that a request may want of it."""

    rendering: Rendering
    digest: str
    modified_at: datetime
    """In whole seconds, as HTTP tells it."""
    plain: Form
    zipped: Form | None

    def answer(self, method: str, headers: Iterable[tuple[bytes, bytes]]) -> tuple[Started, bytes]:
        """Give the start of the response to a GET or HEAD, and its body."""
        known = since = None
        form = self.plain
        for name, value in headers:
            if name == b"if-none-match":
                known = value
            elif name == b"if-modified-since":
                since = value
            elif name == b"accept-encoding" and self.zipped is not None and _takes_gzip(value):
                form = self.zipped
        if (known is not None or since is not None) and self._has_it(known, since):
            return form.unchanged, b""
        return form.whole, form.body if method == "GET" else b""

    def _has_it(self, known: bytes | None, since: bytes | None) -> bool:
        if known is not None:
            # compared weakly, as RFC 9110 section 13.1.2 wants it; a proxy that compresses makes tags weak
            tags = {one.strip().removeprefix(b"W/") for one in known.split(b",")}
            ours = {self.plain.tag} if self.zipped is None else {self.plain.tag, self.zipped.tag}
            return not tags.isdisjoint(ours) or known.strip() == b"*"
        if since is None:
            return False
        try:
            known_at = parsedate_to_datetime(since.decode("latin-1"))
        except (ValueError, OverflowError, IndexError):
            return False
        return known_at.tzinfo is not None and self.modified_at <= known_at


def prepare(
    rendering: Rendering, now: datetime, guards: Mapping[str, str], before: Prepared | None = None
) -> Prepared:
    """Make an answer ready; where it is the same as before, that one is kept with its times."""
    digest = _digest(rendering)
    if before is not None and before.digest == digest:
        return before
    modified_at = (rendering.modified_at or now).astimezone(UTC).replace(microsecond=0)
    if rendering.modified_at is None and before is not None:
        # two changes within one second must not look like one to whoever asks by time alone
        modified_at = max(modified_at, before.modified_at + timedelta(seconds=1))
    plain = _form(rendering, f'"{digest}"', rendering.body, modified_at, guards)
    zipped = None
    if len(rendering.body) >= SMALL:
        body = gzip.compress(rendering.body, 6, mtime=0)
        zipped = _form(rendering, f'"{digest}-gzip"', body, modified_at, guards, encoding="gzip")
    return Prepared(rendering, digest, modified_at, plain, zipped)


def _digest(rendering: Rendering) -> str:
    content = (rendering.content_type, sorted(rendering.headers.items()), rendering.modified_at)
    return sha256(rendering.body + repr(content).encode()).hexdigest()[:32]


def _form(
    rendering: Rendering,
    tag: str,
    body: bytes,
    modified_at: datetime,
    guards: Mapping[str, str],
    *,
    encoding: str = "",
) -> Form:
    always = {
        "etag": tag,
        "cache-control": CACHE_CONTROL,
        "vary": "accept-encoding",
        "last-modified": format_datetime(modified_at, usegmt=True),
        **rendering.headers,
    }
    whole = {
        "content-type": rendering.content_type,
        "content-length": str(len(body)),
        **({"content-encoding": encoding} if encoding else {}),
        **guards,
        **always,  # a page that may stand in a frame says so itself
    }
    return Form(tag.encode(), body, _started(200, whole), _started(304, always))


def _started(status: int, headers: Mapping[str, str]) -> Started:
    raw: RawHeaders = [
        (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()
    ]
    return {"type": "http.response.start", "status": status, "headers": raw}


@lru_cache(maxsize=128)  # browsers say it in a few ways
def _takes_gzip(accepted: bytes) -> bool:
    if b"gzip" not in accepted:
        return False
    for one in accepted.split(b","):
        coding, _, weight = one.replace(b" ", b"").partition(b";q=")
        if coding == b"gzip":
            return weight.strip(b"0.") != b"" if weight else True
    return False
