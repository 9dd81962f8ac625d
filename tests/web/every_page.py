"""Every page and answer that a GET may ask for, read off the table of routes, so that a new one is never forgotten.

A route whose path names something is asked for what `Known` holds; one that it has nothing for is named.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from starlette.routing import BaseRoute, Mount, Route

from service.config.settings import Config
from service.web.dashboard.monitor_previews import EMPLOYEES
from service.web.dashboard.monitor_words import slug_of
from service.web.public.component_slugs import slugs

ENDLESS: Final = frozenset({"/events", "/dashboard/events"})
"""They never end; the first asks the database as the status page does."""
ELSEWHERE: Final = frozenset({"/login/oidc", "/login/oidc/callback", "/metrics", "/static/brand-{name}"})
"""They ask a provider of identities, and the database nothing that /login does not; the last has a test of its own."""
WHOLE_LISTS: Final = frozenset({"/dashboard/subscribers/export", "/api/v1/subscribers/export"})
"""They are the whole list, sent as it is read."""
FOR_PROGRAMS: Final = frozenset(
    {
        "/healthz",
        "/readyz",
        "/-/healthy",
        "/-/ready",
        "/feed.atom",
        "/feed.rss",
        "/feeds/{name}",
        "/calendar.ics",
        "/badge.svg",
        "/badge/{name}",
        "/widget.js",
    }
)
"""They answer with something else than a page."""
FRAMED: Final = frozenset(
    {
        "/embed",
        "/dashboard/monitors/{slug}/preview/page",
        "/dashboard/monitors/{slug}/preview/{reader}",
        "/sandbox/{number}/html",
    }
)
"""They are looked at within a page."""
SEARCHES: Final[Mapping[str, Sequence[str]]] = MappingProxyType(
    {
        "/dashboard/incidents": (
            "?before=1000000",
            "?phase=undecided&before=1000000",
            "?phase=ended",
            "?q=Monitor+7",
            "?q=nothing-says-this",
            "?q=77",
            "?component=Component+3",
            "?from=2026-10-01&to=2026-10-03",
            "?q=nothing-says-this&phase=ended&component=Component+3&to=2026-10-03",
        ),
        "/dashboard/inbox": (
            "?before=1000000",
            "?q=Monitor",
            "?door=webhook",
            "?state=refused",
            "?reason=opened",
            "?door=mail&q=nothing",
            "?from=2026-11-20",
            "?until=2026-11-20T10:00&zone=Asia/Tokyo",
            "?from=2026-11-01&until=2026-11-03&q=nothing",
            "?entity=entity-77",
            "?entity=entity-77&from=2026-01-01&state=refused",
            "?entity=nobody-has-this&before=1000000",
        ),
        "/dashboard/deliveries": (
            "?state=due",
            "?state=later&to=webhooks",
            "?state=lost",
            "?state=cancelled&after=1000000",
            "?kind=alarm",
            "?incident=7&state=lost",
            "?address=reader-77@reader.example",
        ),
        "/dashboard/audit": (
            "?by=jordan",
            "?by=nobody",
            "?act=token_created",
            "?by=sam&act=token_created&before=1000000",
        ),
        "/dashboard/subscribers": (
            "?q=reader-77",
            "?q=nobody-has-this",
            "?state=pending",
            "?state=suppressed",
            "?state=unsubscribed&before=1000000",
        ),
        "/dashboard/sessions": ("?all",),
        "/dashboard/components/{component}": ("?before=900",),
        "/history": ("?month=2026-11",),
        "/api/v1/incidents": (
            "?phase=closed",
            "?phase=unpublished&phase=waiting",
            "?before=1000000&limit=200",
            "?q=nothing-says-this&phase=closed&phase=discarded",
            "?component=Component+3&since=2026-10-01T00:00:00Z&until=2026-10-03T00:00:00Z",
        ),
        "/api/v1/inbox": (
            "?since=2026-11-01T00:00:00Z&until=2026-11-03T00:00:00Z",
            "?entity_id=entity-77&limit=200",
            "?q=nothing&door=webhook&before=1000000",
        ),
        "/api/v1/subscribers": ("?q=reader-77", "?state=suppressed"),
    }
)
"""What else is asked of some pages: their searches, filters and further pages."""


@dataclass(frozen=True, slots=True)
class Known:
    """Rows that are there, one of each kind."""

    config: Config
    incident: int
    """A published one."""
    maintenance: int
    arrival: int
    """A post."""
    subscriber: int
    tokens: Mapping[str, str]
    """By the path of the route: what opens it."""


def paths_of(routes: Iterable[BaseRoute], prefix: str = "") -> Iterator[str]:
    """Give the path of each route that a GET may ask for."""
    for route in routes:
        if isinstance(route, Mount):
            yield from paths_of(route.routes, prefix + route.path)
        elif isinstance(route, Route) and "GET" in (route.methods or ()):
            yield prefix + route.path


def asked_at(path: str, known: Known) -> str:
    """Give the address to ask at for a route; raises LookupError where nothing is known to fill its path with."""
    address = path.replace("{token}", known.tokens.get(path, "{token}"))
    for name, value in _values(path, known):
        address = address.replace(name, value)
    if "{" in address:
        raise LookupError(f"{path}: say in tests/web/every_page.py what to ask for there")
    return address


def _values(path: str, known: Known) -> Iterator[tuple[str, str]]:
    slug, component = slug_of(known.config.monitors[0]), next(iter(slugs(known.config.components).values()))
    yield from (("{slug}", slug), ("{reader}", EMPLOYEES), ("{component}", component))
    numbers = {
        "/incidents": known.incident,
        "/maintenance": known.maintenance,
        "/inbox": known.arrival,
        "/subscribers": known.subscriber,
    }
    for room, number in numbers.items():
        if f"{room}/" in path:
            yield from ((name, str(number)) for name in ("{id}", "{number}"))
    if path.startswith("/api/v2"):
        yield (
            "{name}",
            "unresolved" if "/incidents/" in path else "active" if "/scheduled" in path else "summary",
        )
    elif path.startswith("/badge"):
        yield "{name}", f"{component}.svg"
    elif path.startswith("/feeds"):
        yield "{name}", f"{component}.atom"
