"""Opsgenie: a post of its webhook integration → the alert that it is about.

The actions are those of Opsgenie's "Webhook integration"; what neither creates nor closes an alert is information only.
"""

from service.config.settings import Reading
from service.errors import PostUnreadable
from service.model import Alert, AlertState
from service.providers.payload import at, first, make_alert, read_object, text_at
from service.providers.post import RawPost
from service.providers.wording import instant

NAME = "opsgenie"

_STATES = {
    "create": AlertState.FIRING,
    "unacknowledge": AlertState.FIRING,
    "acknowledge": AlertState.ACKNOWLEDGED,
    "close": AlertState.RECOVERED,
    "delete": AlertState.RECOVERED,
}
_MILLISECOND_DIGITS = 13


def read(post: RawPost, reading: Reading) -> tuple[Alert, ...]:
    """Read the one alert of a post; its message names the monitor, or else its alias. Raises PostUnreadable."""
    tree = read_object(post)
    action, alert = text_at(tree, "action"), at(tree, "alert")
    if not action.strip():
        raise PostUnreadable("action is missing: Create or Close is expected")
    state = _STATES.get(action.strip().casefold(), AlertState.INFO)
    names = (text_at(alert, "message"), text_at(alert, "alias"))
    return (
        make_alert(
            NAME,
            tree,
            reading,
            state=state,
            raw_state=action,
            name=first((*names, f"Opsgenie {action}" if state is AlertState.INFO else "")),
            label="alert.message",
            entity_id=first((text_at(alert, "alertId"), text_at(alert, "alias"))),
            message=first((text_at(alert, "description"), text_at(alert, "message"))),
            # createdAt is in milliseconds, updatedAt in nanoseconds
            sent_at=instant(
                text_at(alert, "createdAt" if state is AlertState.FIRING else "updatedAt")[
                    :_MILLISECOND_DIGITS
                ]
            ),
        ),
    )
