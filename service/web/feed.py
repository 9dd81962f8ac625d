"""/feed.atom: published incidents with all their updates, as Atom 1.0 (RFC 4287)."""

import re
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import urlsplit

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.config.settings import Site
from service.store import incidents
from service.web.freshness import fresh, kept
from service.web.front import front_of
from service.web.public_incidents import shown

ENTRIES = 50
NOTHING_YET = datetime(1970, 1, 1, tzinfo=UTC)
"""When a feed without entries was updated: RFC 4287 wants a time, and it may not change by itself."""

_NOT_XML = re.compile(r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")
"""Characters that XML 1.0 cannot hold, not even escaped: one of them would make the whole feed unreadable."""


def show_feed(request: Request) -> Response:
    """Give the newest incidents and all current ones, the last updated first."""
    house = front_of(request).house
    with house.store.reading() as connection:
        answer = kept(request, connection, "/feed.atom", lambda: _feed(request, connection))
    return fresh(request, answer)


def _feed(request: Request, connection: Connection) -> Response:
    front = front_of(request)
    house = front.house
    newest = incidents.recent_public(connection, limit=ENTRIES)
    known = {incident.id for incident in newest}
    older = [one for one in incidents.current_public(connection)[:ENTRIES] if one.id not in known]
    entries = shown(connection, house, [*newest, *older])
    updated_at = max((entry.updated_at for entry in entries), default=NOTHING_YET)
    text = front.pages.get_template("public/feed.atom").render(
        entries=sorted(entries, key=lambda entry: (entry.updated_at, entry.id), reverse=True),
        updated_at=updated_at,
        id_prefix=id_prefix(house.config.site),
    )
    headers = {"last-modified": format_datetime(updated_at, usegmt=True)}
    return Response(_NOT_XML.sub("", text), media_type="application/atom+xml", headers=headers)


def id_prefix(site: Site) -> str:
    """Begin every id of the feed: a tag URI (RFC 4151), which survives a change from http to https."""
    host = (urlsplit(site.url).hostname or "localhost").replace(":", "-")
    return f"tag:{host},2026:replycast"


routes = [Route("/feed.atom", show_feed)]
