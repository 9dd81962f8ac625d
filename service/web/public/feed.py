"""/feed.atom and /feed.rss, and both of each component: what was published and what is planned, with all updates.

Atom 1.0 (RFC 4287) and RSS 2.0. It gives texts that are public, and leaves out what a feed cannot hold.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import Connection
from starlette.routing import Route

from service.config.settings import Site
from service.mail.markdown import to_html
from service.model import UpdateStatus
from service.store import component_states, incidents, maintenances
from service.web.cross_origin import FROM_ANYWHERE
from service.web.front import Front
from service.web.public.component_slugs import slugs
from service.web.public.incidents import ShownIncident, ShownUpdate, shown
from service.web.public.maintenances import ShownMaintenance, shown_maintenances
from service.web.public.prepared import Rendering
from service.web.public.showing import show_prepared
from service.web.public.xml_text import only_xml

WHOLE: Final = "/feed"
ENTRIES: Final = 50
"""Entries of a feed."""
LOOKED_AT: Final = 100
"""The newest incidents and the newest maintenances that component feeds are taken from."""
MINTED_AT: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""From when on the ids of the feed are ours (RFC 4151 section 2.1): no feed of ours is older."""
MEDIA_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {"atom": "application/atom+xml; charset=utf-8", "rss": "application/rss+xml; charset=utf-8"}
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One incident or maintenance as feeds have it."""

    path: str
    """On the status page; behind the feed's own prefix it is the entry's id too, which never changes."""
    title: str
    category: str
    author: str
    components: tuple[str, ...]
    published_at: datetime
    updated_at: datetime
    content: str
    """HTML."""


def render_feeds(connection: Connection, front: Front, now: datetime) -> dict[str, Rendering]:
    """Render both feeds of the whole, and both of each component."""
    del now  # a feed is as old as its newest entry
    entries = sorted(
        (*_of_incidents(connection, front), *_of_maintenances(connection, front)),
        key=lambda one: (one.updated_at, one.path),
        reverse=True,
    )
    began_at = _began_at(connection)
    made = dict(_both(front, WHOLE, front.house.config.site.name, entries, began_at))
    for name, slug in slugs(front.house.config.components).items():
        title = f"{front.house.config.site.name}: {name}"
        theirs = [one for one in entries if name in one.components]
        made.update(_both(front, f"/feeds/{slug}", title, theirs, began_at))
    return made


def _both(
    front: Front, path: str, title: str, entries: list[Entry], began_at: datetime
) -> Iterator[tuple[str, Rendering]]:
    newest, prefix = entries[:ENTRIES], id_prefix(front.house.config.site)
    updated_at = newest[0].updated_at if newest else began_at
    for kind, media_type in MEDIA_TYPES.items():
        text = front.pages.get_template(f"public/feed.{kind}").render(
            path=f"{path}.{kind}",
            title=title,
            entries=newest,
            updated_at=updated_at,
            id_prefix=prefix,
            feed_id=prefix if path == WHOLE else prefix + path,
        )
        yield (
            f"{path}.{kind}",
            Rendering(only_xml(text), media_type, modified_at=updated_at, headers=FROM_ANYWHERE),
        )


def _of_incidents(connection: Connection, front: Front) -> Iterator[Entry]:
    newest = incidents.recent_public(connection, limit=LOOKED_AT)
    known = {incident.id for incident in newest}
    older = [one for one in incidents.current_public(connection)[:ENTRIES] if one.id not in known]
    for one in shown(connection, front.house, [*newest, *older]):
        about = [f"{name} ({state.replace('_', ' ')})" for name, state in one.components.items()]
        yield Entry(
            path=f"/incidents/{one.id}",
            title=one.subject,
            category=one.type,
            author=one.author,
            components=tuple(one.components),
            published_at=one.published_at,
            updated_at=one.updated_at,
            content=_content(front, one, about),
        )


def _of_maintenances(connection: Connection, front: Front) -> Iterator[Entry]:
    newest = maintenances.listed(connection, limit=LOOKED_AT)
    for one in shown_maintenances(connection, front.house, newest):
        yield Entry(
            path=f"/maintenance/{one.id}",
            title=one.subject,
            category="maintenance",
            author=one.author,
            components=one.components,
            published_at=one.planned_at,
            updated_at=one.updated_at,
            content=_content(front, one, one.components),
        )


def _content(front: Front, one: ShownIncident | ShownMaintenance, about: Iterable[str]) -> str:
    maintenance = None if isinstance(one, ShownIncident) else one
    updates = one.updates
    if maintenance is not None and not updates:
        announced = maintenance.message, maintenance.planned_at, maintenance.author
        updates = (ShownUpdate(UpdateStatus.SCHEDULED, *announced),)
    return front.pages.get_template("public/feed_entry.html").render(
        about=", ".join(about),
        updates=[(update, to_html(update.body)) for update in updates],
        maintenance=maintenance,
    )


def _began_at(connection: Connection) -> datetime:
    """Tell when this installation was first started: RFC 4287 section 4.2.15 wants a time of an empty feed too.

    It may not change by itself; the first record of a component's state is never overwritten.
    """
    recorded = component_states.lifetimes(connection).values()
    return min((one.first_at for one in recorded), default=MINTED_AT)


def id_prefix(site: Site) -> str:
    """Begin every id of the feed: a tag URI (RFC 4151), which survives a change from http to https."""
    host = (urlsplit(site.url).hostname or "localhost").replace(":", "-")
    return f"tag:{host},{MINTED_AT.year}:replycast"


routes = [
    Route("/feed.atom", show_prepared),
    Route("/feed.rss", show_prepared),
    Route("/feeds/{name}", show_prepared),
]
