"""All rooms of the dashboard in one list, so that none is forgotten where they are opened or tested."""

from typing import Final

from starlette.routing import Route

from service.web.dashboard import (
    audit,
    inbox,
    incidents,
    maintenance,
    monitors,
    opening,
    sessions,
    subscribers,
)

ROUTES: Final[tuple[Route, ...]] = (
    *incidents.routes,
    *opening.routes,
    *inbox.routes,
    *monitors.routes,
    *subscribers.routes,
    *maintenance.routes,
    *sessions.routes,
    *audit.routes,
)
