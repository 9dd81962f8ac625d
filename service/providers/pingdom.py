"""Pingdom: a post of a webhook integration → the alert about one check, as Pingdom's "Webhooks" has it."""

from service.config.settings import Reading
from service.model import Alert, AlertState
from service.providers.payload import first, make_alert, meaning, read_object, text_at
from service.providers.post import RawPost
from service.providers.wording import instant

NAME = "pingdom"

_STATES = {
    "down": AlertState.FIRING,
    "up": AlertState.RECOVERED,
    # of a transaction check
    "failing": AlertState.FIRING,
    "success": AlertState.RECOVERED,
    "unknown": AlertState.INFO,
    "paused": AlertState.INFO,
}


def read(post: RawPost, reading: Reading) -> tuple[Alert, ...]:
    """Read the one alert of a post; `check_name` names the monitor, `check_id` pairs. Raises PostUnreadable."""
    tree = read_object(post)
    raw_state = text_at(tree, "current_state")
    return (
        make_alert(
            NAME,
            tree,
            reading,
            state=meaning(raw_state, _STATES, "current_state"),
            raw_state=raw_state,
            name=text_at(tree, "check_name"),
            label="check_name",
            entity_id=text_at(tree, "check_id"),
            message=first(
                text_at(tree, one) for one in ("custom_message", "long_description", "description")
            ),
            sent_at=instant(
                first((text_at(tree, "state_changed_timestamp"), text_at(tree, "state_changed_utc_time")))
            ),
        ),
    )
