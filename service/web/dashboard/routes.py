"""All rooms of the dashboard in one list, so that none is forgotten where they are opened or tested."""

from typing import Final

from starlette.routing import Route

from service.web.dashboard import (
    audit,
    events,
    inbox,
    incidents,
    maintenance,
    monitors,
    opening,
    recorded_days,
    sessions,
    subscribers,
    tokens,
)

ROUTES: Final[tuple[Route, ...]] = (
    *incidents.routes,
    *opening.routes,
    *inbox.routes,
    *monitors.routes,
    *recorded_days.routes,
    *subscribers.routes,
    *maintenance.routes,
    *sessions.routes,
    *tokens.routes,
    *audit.routes,
    *events.routes,
)
