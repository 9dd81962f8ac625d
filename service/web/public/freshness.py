"""Lets readers and caches keep public pages for a moment, and answers 304 where they have the newest (RFC 9110).

It also keeps what was rendered until there is news, so that a crowd of readers costs little during an outage.
"""

from collections.abc import Callable
from email.utils import parsedate_to_datetime
from hashlib import sha256

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from service.store.public_stamp import public_stamp
from service.web.front import front_of

MOMENT = 5
"""Seconds: short enough that nobody misses an incident, long enough to shield us from a crowd behind one cache."""
MOST_KEPT = 256
"""Rendered pages kept at a time."""

# not `no-referrer`: with it a browser sends `Origin: null` with the form, and over plain http that is all that
# tells our own form from another site's
FOR_THE_HOLDER = {
    "cache-control": "no-store",
    "referrer-policy": "strict-origin",
    "x-robots-tag": "noindex, nofollow",
}
"""Headers of pages whose address holds a token: kept by nobody, and the token goes to nobody."""


def kept(request: Request, connection: Connection, key: str, make: Callable[[], Response]) -> Response:
    """Give what was made under this key before; made anew once the public has news, and each few seconds."""
    moment = int(front_of(request).clock().timestamp()) // MOMENT
    stamp = (public_stamp(connection), moment)
    state = request.app.state
    pages: dict[str, tuple[object, Response]] = getattr(state, "kept_pages", {})
    before = pages.get(key)
    if before is not None and before[0] == stamp:
        return before[1]
    answer = make()
    others = pages if len(pages) < MOST_KEPT else {}
    state.kept_pages = {**others, key: (stamp, answer)}  # replaced whole: other threads are reading it
    return answer


def fresh(request: Request, answer: Response) -> Response:
    """Mark an answer for caches; give 304 instead where the reader has it already."""
    tag = f'"{sha256(answer.body).hexdigest()[:32]}"'
    headers = {"etag": tag, "cache-control": f"public, max-age={MOMENT}"}
    modified = answer.headers.get("last-modified")
    if modified is not None:
        headers["last-modified"] = modified
    if _has_it(request, tag, modified):
        return Response(status_code=304, headers=headers)
    return Response(answer.body, media_type=answer.media_type, headers=headers)


def _has_it(request: Request, tag: str, modified: str | None) -> bool:
    named = request.headers.get("if-none-match")
    if named is not None:
        # a proxy that compresses makes our tags weak
        tags = {one.strip().removeprefix("W/") for one in named.split(",")}
        return tag in tags or named.strip() == "*"
    since = request.headers.get("if-modified-since")
    if since is None or modified is None:
        return False
    try:
        known_at = parsedate_to_datetime(since)
    except ValueError:
        return False
    return known_at.tzinfo is not None and parsedate_to_datetime(modified) <= known_at
