"""Who may enter where: one line for each route of the house. A route that has none fails `test_doors`.

An employee's role opens what a lesser one does; a token's scope opens nothing but its own.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from starlette.routing import BaseRoute, Mount, Route

from service.actions.api_tokens import Scope
from service.model import Role


class Open(StrEnum):
    """What is open to whoever is no employee and has no token of the API."""

    ANYBODY = "anybody"
    """It shows what is public, and takes what anybody may ask for."""
    MACHINE = "machine"
    """A machine shows a secret, or asks whether the service lives."""
    HOLDER = "holder"
    """Whoever holds the token of a mail that is a part of the address."""
    SANDBOX = "sandbox"
    """Whoever is on this machine while no mail server is configured."""


Way = Open | Role | Scope
VIEWER, PUBLISHER, ADMIN = Role.VIEWER, Role.PUBLISHER, Role.ADMIN

_ANYBODY: Final = (
    "GET /",
    "GET /incidents/{number}",
    "GET /maintenance/{number}",
    "GET /history",
    "GET /events",
    "GET /feed.atom",
    "GET /feed.rss",
    "GET /feeds/{name}",
    "GET /calendar.ics",
    "GET /badge.svg",
    "GET /badge/{name}",
    "GET /api/v2/{name}.json",
    "GET /api/v2/incidents/{name}.json",
    "GET /api/v2/scheduled-maintenances/{name}.json",
    "GET /api/v1/openapi.json",
    "GET /embed",
    "GET /static/brand-{name}",
    "GET /widget.js",
    "GET /subscribe",
    "POST /subscribe",
    "GET /login",
    "POST /login",
    "GET /login/oidc",
    "GET /login/oidc/callback",
    "POST /logout",
)
_HOLDER: Final = (
    "GET /subscribe/confirm/{token}",
    "POST /subscribe/confirm/{token}",
    "POST /subscription/{token}",
    "GET /unsubscribe/{token}",
    "POST /unsubscribe/{token}",
    "GET /act/{token}",
    "POST /act/{token}",
    "GET /login/{token}",
    "POST /login/{token}",
)
_MACHINE: Final = (
    "POST /webhook/{provider}",
    "POST /webhook/{provider}/{secret:path}",
    "GET /healthz",
    "GET /readyz",
    "GET /-/healthy",
    "GET /-/ready",
    "GET /metrics",
)
_SANDBOX: Final = (
    "GET /sandbox",
    "GET /sandbox/{number}",
    "GET /sandbox/{number}/html",
    "POST /sandbox/{number}/reply",
)
_DASHBOARD: Final[Mapping[Role, Sequence[str]]] = {
    VIEWER: (
        "GET /dashboard",
        "GET /dashboard/events",
        "GET /dashboard/incidents",
        "GET /dashboard/incidents/{id}",
        "GET /dashboard/inbox",
        "GET /dashboard/inbox/{id}",
        "POST /dashboard/inbox/{id}/dry",
        "GET /dashboard/monitors",
        "GET /dashboard/monitors/{slug}",
        "POST /dashboard/monitors/{slug}/simulate",
        "GET /dashboard/simulate",
        "POST /dashboard/simulate/day",
        "GET /dashboard/monitors/{slug}/preview",
        "GET /dashboard/monitors/{slug}/preview/page",
        "GET /dashboard/monitors/{slug}/preview/{reader}",
        "GET /dashboard/components",
        "GET /dashboard/components/{component}",
        "GET /dashboard/deliveries",
        "GET /dashboard/settings",
        "GET /dashboard/maintenance",
        "GET /dashboard/maintenance/{id}",
        "GET /dashboard/sessions",
        "POST /dashboard/sessions/others/revoke",
        "POST /dashboard/sessions/{name}/revoke",
    ),
    PUBLISHER: (
        "POST /dashboard/incidents/{id}/publish",
        "POST /dashboard/incidents/{id}/discard",
        "POST /dashboard/incidents/{id}/hold",
        "POST /dashboard/incidents/{id}/update",
        "POST /dashboard/incidents/{id}/updates/{update}/correct",
        "POST /dashboard/incidents/{id}/close",
        "POST /dashboard/incidents/{id}/post-mortem",
        "GET /dashboard/incidents/{id}/words",
        "POST /dashboard/incidents/{id}/edit",
        "GET /dashboard/open",
        "POST /dashboard/open/now",
        "GET /dashboard/maintenance/plan",
        "POST /dashboard/maintenance/plan",
        "POST /dashboard/maintenance/{id}/start",
        "POST /dashboard/maintenance/{id}/end",
        "POST /dashboard/maintenance/{id}/extend",
        "POST /dashboard/maintenance/{id}/move",
        "POST /dashboard/maintenance/{id}/update",
        "POST /dashboard/maintenance/{id}/cancel",
    ),
    ADMIN: (
        "GET /dashboard/subscribers",
        "GET /dashboard/subscribers/export",
        "POST /dashboard/subscribers/import",
        "GET /dashboard/subscribers/add",
        "POST /dashboard/subscribers/add",
        "GET /dashboard/subscribers/{id}",
        "POST /dashboard/subscribers/{id}/choices",
        "POST /dashboard/subscribers/{id}/reinstate",
        "POST /dashboard/subscribers/{id}/remove",
        "POST /dashboard/deliveries/{id}/again",
        "POST /dashboard/deliveries/{id}/give-up",
        "POST /dashboard/inbox/{id}/replay",
        "GET /dashboard/audit",
        "GET /dashboard/tokens",
        "POST /dashboard/tokens",
        "POST /dashboard/tokens/{id}/revoke",
    ),
}
_API: Final[Mapping[Scope, Sequence[str]]] = {
    Scope.INCIDENTS_READ: ("GET /incidents", "GET /incidents/{id}", "GET /incidents/{id}/updates"),
    Scope.INCIDENTS_WRITE: (
        "POST /incidents",
        "POST /incidents/{id}/publish",
        "POST /incidents/{id}/discard",
        "POST /incidents/{id}/hold",
        "POST /incidents/{id}/edit",
        "POST /incidents/{id}/updates",
        "POST /incidents/{id}/updates/{update}/correct",
        "POST /incidents/{id}/close",
        "POST /incidents/{id}/postmortem",
    ),
    Scope.MAINTENANCE_READ: ("GET /maintenance", "GET /maintenance/{id}"),
    Scope.MAINTENANCE_WRITE: (
        "POST /maintenance",
        "POST /maintenance/{id}/start",
        "POST /maintenance/{id}/end",
        "POST /maintenance/{id}/extend",
        "POST /maintenance/{id}/updates",
        "POST /maintenance/{id}/cancel",
    ),
    Scope.SUBSCRIBERS_READ: ("GET /subscribers", "GET /subscribers/export", "GET /subscribers/{id}"),
    Scope.SUBSCRIBERS_WRITE: (
        "POST /subscribers",
        "POST /subscribers/import",
        "POST /subscribers/webhooks",
        "PATCH /subscribers/{id}",
        "DELETE /subscribers/{id}",
        "GET /subscribers/{id}/signing-key",
        "POST /subscribers/{id}/reinstate",
    ),
    Scope.MONITORS_READ: ("GET /monitors", "POST /monitors/simulate"),
    Scope.INBOX_READ: ("GET /inbox", "GET /inbox/{id}", "POST /inbox/simulate"),
    Scope.INBOX_WRITE: ("POST /inbox/{id}/replay", "POST /inbox/{id}/simulate"),
}


def _classed() -> Iterator[tuple[str, Way]]:
    by_way: Mapping[Open, Sequence[str]] = {
        Open.ANYBODY: _ANYBODY,
        Open.HOLDER: _HOLDER,
        Open.MACHINE: _MACHINE,
        Open.SANDBOX: _SANDBOX,
    }
    for open_to, doors in by_way.items():
        yield from ((door, open_to) for door in doors)
    for role, doors in _DASHBOARD.items():
        yield from ((door, role) for door in doors)
    for scope, doors in _API.items():
        yield from ((door.replace(" ", " /api/v1", 1), scope) for door in doors)
    yield "POST /-/reload", Scope.CONFIG_RELOAD


CLASSED: Final[Mapping[str, Way]] = dict(_classed())
"""By `METHOD /path`, as `doors_of` gives them."""

_FILLED_IN: Final[Mapping[str, str]] = {
    "{id}": "1",
    "{update}": "1",
    "{number}": "1",
    "{reader}": "employees",
    "{component}": "email",
    "{provider}": "victorops",
    "{secret:path}": "wrong",
    "{token}": "x" * 43,
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for a route, with something in the place of each name in its path."""

    method: str
    path: str
    way: Way


def doors_of(routes: Sequence[BaseRoute], prefix: str = "") -> Iterator[str]:
    """Give all that may be asked for, as `METHOD /path`; HEAD is with GET, and asked for by tests of its own."""
    for route in routes:
        if isinstance(route, Mount):
            # files that are the same for everybody have no routes
            yield from doors_of(route.routes, prefix + route.path)
        elif isinstance(route, Route):
            for method in sorted((route.methods or set()) - {"HEAD"}):
                yield f"{method} {prefix}{route.path}"


def asked_for(door: str, named: Mapping[str, str]) -> Asked:
    """Give a request for a route; `named` fills in what the house calls its things, as `{slug}`."""
    method, _, path = door.partition(" ")
    for name, text in {**_FILLED_IN, **named}.items():
        path = path.replace(name, text)
    return Asked(method, path, CLASSED[door])
