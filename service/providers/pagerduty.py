"""PagerDuty: an event of a generic webhook (version 3) → the alert that it carries.

The events are those of PagerDuty's "Webhooks overview"; one about an incident that neither opens nor resolves it is
information only.
"""

from service.config.settings import Reading
from service.errors import PostUnreadable
from service.model import Alert, AlertState
from service.providers.payload import Tree, at, first, make_alert, read_object, text_at
from service.providers.post import RawPost
from service.providers.wording import instant

NAME = "pagerduty"

_STATES = {
    "incident.triggered": AlertState.FIRING,
    "incident.reopened": AlertState.FIRING,
    "incident.unacknowledged": AlertState.FIRING,
    "incident.acknowledged": AlertState.ACKNOWLEDGED,
    "incident.resolved": AlertState.RECOVERED,
}
_OF_NO_EFFECT = ("incident.", "service.", "pagey.")


def read(post: RawPost, reading: Reading) -> tuple[Alert, ...]:
    """Read the one event of a post; its service names the monitor, or else its title. Raises PostUnreadable.

    The id of PagerDuty's incident pairs a recovery with what fired.
    """
    tree = read_object(post)
    event = at(tree, "event")
    if not isinstance(event, dict):
        raise PostUnreadable("event is missing: choose a generic webhook of version 3 in PagerDuty")
    kind = text_at(event, "event_type")
    state = _STATES.get(kind)
    if state is None:
        if not kind.startswith(_OF_NO_EFFECT):
            said = f"event.event_type is `{kind[:80]}`" if kind else "event.event_type is missing"
            raise PostUnreadable(f"{said}: incident.triggered or incident.resolved is expected")
        state = AlertState.INFO
    about = at(event, "data")
    names = (text_at(about, "service", "summary"), text_at(about, "title"), text_at(about, "summary"))
    return (
        make_alert(
            NAME,
            tree,
            reading,
            state=state,
            raw_state=kind,
            name=first((*names, f"PagerDuty {kind}" if state is AlertState.INFO else "")),
            label="event.data.service.summary",
            entity_id=_entity_of(about),
            message=first((text_at(about, "title"), text_at(about, "message"), text_at(about, "content"))),
            sent_at=instant(text_at(event, "occurred_at")),
        ),
    )


def _entity_of(about: Tree | None) -> str:
    """Give the incident's id: of the incident itself, or of what an event such as a note is about."""
    return first((text_at(about, "incident", "id"), text_at(about, "id")))


def delivery_of(post: RawPost) -> str:
    """Give the id of an event, which PagerDuty repeats where it delivers one again; empty: it has none."""
    try:
        return text_at(read_object(post), "event", "id")
    except PostUnreadable:
        return ""
