"""/widget.js and /embed: what other sites show of the status, by a script or in a frame."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from sqlalchemy import Connection
from starlette.routing import Route

from service.store import incidents, maintenances
from service.web.cross_origin import FROM_ANYWHERE
from service.web.front import STATIC, Front, render
from service.web.guards import CONTENT_SECURITY_POLICY
from service.web.public.component_states import overall
from service.web.public.incidents import shown
from service.web.public.maintenances import shown_maintenances
from service.web.public.prepared import Rendering
from service.web.public.showing import show_prepared

MOST_SHOWN: Final = 3
IN_ANY_FRAME: Final[Mapping[str, str]] = MappingProxyType(
    {
        **FROM_ANYWHERE,
        "content-security-policy": CONTENT_SECURITY_POLICY.replace(
            "frame-ancestors 'none'", "frame-ancestors *"
        ),
    }
)
"""It has no form and no session, so that nobody can be led to press something in it."""
SCRIPT_HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {**FROM_ANYWHERE, "cache-control": "public, max-age=300, stale-if-error=86400"}
)


def render_widget(connection: Connection, front: Front, now: datetime) -> dict[str, Rendering]:
    """Render the frame's page, and give the script as it is."""
    del now
    current, on = incidents.current_public(connection), maintenances.on_now(connection)
    text = render(
        front,
        "public/embed.html",
        overall=overall(current, on),
        incidents=shown(connection, front.house, current[:MOST_SHOWN]),
        maintenances=shown_maintenances(connection, front.house, on[:MOST_SHOWN]),
    )
    script = (STATIC / "widget.js").read_bytes()
    return {
        "/embed": Rendering(text.encode(), headers=IN_ANY_FRAME),
        "/widget.js": Rendering(script, "text/javascript; charset=utf-8", headers=SCRIPT_HEADERS),
    }


routes = [Route("/embed", show_prepared), Route("/widget.js", show_prepared)]
