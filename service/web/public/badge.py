"""/badge.svg and one for each component: a small picture of how it is, for a README or an intranet page.

It needs no font and no other file, and says in words what it shows in colour and shape.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from sqlalchemy import Connection
from starlette.routing import Route

from service.model import ComponentState
from service.store import incidents, maintenances
from service.web.cross_origin import FROM_ANYWHERE
from service.web.front import Front
from service.web.public.component_slugs import slugs
from service.web.public.component_states import overall
from service.web.public.prepared import Rendering
from service.web.public.showing import show_prepared
from service.web.public.xml_text import only_xml
from service.workflow.components import affected

MEDIA_TYPE: Final = "image/svg+xml; charset=utf-8"
LONGEST: Final = 40
"""Characters of a name."""
_NARROW, _WIDE = frozenset(" .,:;!'|()[]ijlIftr"), frozenset("mwMW@%")

_CROSS: Final = "M1.6.5 4 2.9 6.4.5 7.5 1.6 5.1 4 7.5 6.4 6.4 7.5 4 5.1 1.6 7.5.5 6.4 2.9 4 .5 1.6z"


@dataclass(frozen=True, slots=True)
class Look:
    """How a state looks: the colours of the page, and the shape that its badges have there."""

    mark: str
    ground: str
    ink: str
    shape: str
    """An SVG path within eight by eight."""


LOOKS: Final[Mapping[ComponentState, Look]] = MappingProxyType(
    {
        ComponentState.OPERATIONAL: Look(
            "#1d8757", "#e3f3ea", "#135d3b", "M4 0a4 4 0 1 1 0 8a4 4 0 1 1 0-8z"
        ),
        ComponentState.UNDER_MAINTENANCE: Look(
            "#386cd0", "#e5edfb", "#224898", "M0 1h8v2.2h-8zM0 4.8h8v2.2h-8z"
        ),
        ComponentState.DEGRADED_PERFORMANCE: Look("#a37500", "#faf0d0", "#684a00", "M4 .3l4 7.2h-8z"),
        ComponentState.PARTIAL_OUTAGE: Look("#cf5f0b", "#fde9d9", "#853a05", "M4 0l4 4l-4 4l-4-4z"),
        ComponentState.MAJOR_OUTAGE: Look("#c52f38", "#fbe5e5", "#941e28", _CROSS),
    }
)
"""The colours of static/replycast.css in the light; a test compares them."""


def render_badges(connection: Connection, front: Front, now: datetime) -> dict[str, Rendering]:
    """Render the badge of the whole and those of the components."""
    del now  # it shows no time
    config = front.house.config
    current, on = incidents.current_public(connection), maintenances.on_now(connection)
    whole, states = overall(current, on), affected(current, on)
    made = {"/badge.svg": _badge(front, config.site.name, whole.state, whole.sentence)}
    for name, slug in slugs(config.components).items():
        state = states.get(name, ComponentState.OPERATIONAL)
        made[f"/badge/{slug}.svg"] = _badge(front, name, state, _words(state))
    return made


def _badge(front: Front, name: str, state: ComponentState, sentence: str) -> Rendering:
    short = name if len(name) <= LONGEST else f"{name[: LONGEST - 1].rstrip()}…"
    text = front.pages.get_template("public/badge.svg").render(
        name=short,
        name_width=width(short),
        said=_words(state),
        said_width=width(_words(state)),
        title=f"{name}: {sentence}",
        look=LOOKS[state],
    )
    return Rendering(only_xml(text), MEDIA_TYPE, headers=FROM_ANYWHERE)


def _words(state: ComponentState) -> str:
    return state.replace("_", " ").capitalize()


def width(text: str) -> int:
    """Estimate how wide a text is in 11 pixels of a usual font; the picture makes it exactly so."""
    return round(sum(_width(one) for one in text)) or 1


def _width(character: str) -> float:
    if unicodedata.combining(character):
        return 0
    if unicodedata.east_asian_width(character) in "WF":
        return 11.5
    if character in _NARROW:
        return 3.8
    if character in _WIDE:
        return 9.6
    return 7.6 if character.isupper() else 6.4


routes = [Route("/badge.svg", show_prepared), Route("/badge/{name}", show_prepared)]
