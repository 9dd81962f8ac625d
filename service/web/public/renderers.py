"""Which rooms have pages that are rendered before anybody asks for them: add a renderer here, and a route."""

from typing import Final

from service.web.public import badge, calendar, feed, status_page, widget
from service.web.public import summary as public_api
from service.web.public.pages import Renderer

RENDERERS: Final[tuple[Renderer, ...]] = (
    status_page.render_public,
    feed.render_feeds,
    calendar.render_calendar,
    badge.render_badges,
    public_api.render_api,
    widget.render_widget,
)
