"""Lets readers and caches keep public pages for a moment, and answers 304 where they have the newest (RFC 9110)."""

from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import sha256

from starlette.requests import Request
from starlette.responses import Response

FOR_A_MOMENT = "public, max-age=5"
"""Short enough that nobody misses an incident, long enough to shield us from a crowd behind one cache."""

# not `no-referrer`: with it a browser sends `Origin: null` with the form, and over plain http that is all that
# tells our own form from another site's
FOR_THE_HOLDER = {
    "cache-control": "no-store",
    "referrer-policy": "strict-origin",
    "x-robots-tag": "noindex, nofollow",
}
"""Headers of pages whose address holds a token: kept by nobody, and the token goes to nobody."""


def fresh(request: Request, answer: Response, *, modified_at: datetime | None = None) -> Response:
    """Mark an answer for caches; give 304 instead where the reader has it already."""
    tag = f'"{sha256(answer.body).hexdigest()[:32]}"'
    headers = {"etag": tag, "cache-control": FOR_A_MOMENT}
    if modified_at is not None:
        headers["last-modified"] = format_datetime(modified_at.astimezone(UTC), usegmt=True)
    if _has_it(request, tag, modified_at):
        return Response(status_code=304, headers=headers)
    answer.headers.update(headers)
    return answer


def _has_it(request: Request, tag: str, modified_at: datetime | None) -> bool:
    named = request.headers.get("if-none-match")
    if named is not None:
        # a proxy that compresses makes our tags weak
        tags = {one.strip().removeprefix("W/") for one in named.split(",")}
        return tag in tags or named.strip() == "*"
    since = request.headers.get("if-modified-since")
    if since is None or modified_at is None:
        return False
    try:
        known_at = parsedate_to_datetime(since)
    except ValueError:
        return False
    if known_at.tzinfo is None:
        return False
    return modified_at.replace(microsecond=0) <= known_at
