"""All rooms of the dashboard in one list, so that none is forgotten where they are opened or tested."""

from typing import Final

from starlette.routing import Route

from service.web.dashboard import (
    audit,
    components,
    deliveries,
    events,
    inbox,
    incident_list,
    incidents,
    maintenance,
    monitors,
    opening,
    recorded_days,
    sessions,
    settings,
    subscribers,
    tokens,
)

ROUTES: Final[tuple[Route, ...]] = (
    *incident_list.routes,
    *incidents.routes,
    *opening.routes,
    *inbox.routes,
    *monitors.routes,
    *components.routes,
    *deliveries.routes,
    *recorded_days.routes,
    *subscribers.routes,
    *maintenance.routes,
    *sessions.routes,
    *tokens.routes,
    *audit.routes,
    *settings.routes,
    *events.routes,
)
