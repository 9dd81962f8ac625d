"""All that is open to the public in one list."""

from typing import Final

from starlette.routing import Route

from service.web.public import badge, calendar, feed, status_page, subscribing, summary, widget

ROUTES: Final[tuple[Route, ...]] = (
    *status_page.routes,
    *feed.routes,
    *calendar.routes,
    *badge.routes,
    *summary.routes,
    *widget.routes,
    *subscribing.routes,
)
