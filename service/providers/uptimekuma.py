"""Uptime Kuma: a post of its webhook notification → the alert about one monitor.

It is the preset body, JSON; a post without a heartbeat is a test or news such as of a certificate.
"""

from service.config.settings import Reading
from service.errors import PostUnreadable
from service.model import Alert, AlertState
from service.providers.payload import at, first, make_alert, meaning, read_object, text_at
from service.providers.post import RawPost
from service.providers.wording import instant

NAME = "uptimekuma"

_STATES = {
    "0": AlertState.FIRING,
    "1": AlertState.RECOVERED,
    "2": AlertState.INFO,
    "3": AlertState.INFO,
}
_WORDS = {"0": "DOWN", "1": "UP", "2": "PENDING", "3": "MAINTENANCE"}


def read(post: RawPost, reading: Reading) -> tuple[Alert, ...]:
    """Read the one alert of a post; `monitor.name` names the monitor, `monitor.id` pairs. Raises PostUnreadable."""
    if post.content_type.casefold().startswith("multipart/"):
        raise PostUnreadable("the body is form-data: choose the preset application/json in Uptime Kuma")
    tree = read_object(post)
    name, said = text_at(tree, "monitor", "name"), text_at(tree, "msg")
    if at(tree, "heartbeat") is None:
        if not said.strip():
            raise PostUnreadable("heartbeat is missing: choose the preset application/json in Uptime Kuma")
        title = first((name, "Uptime Kuma"))
        return (_alert(tree, reading, AlertState.INFO, "notice", title),)
    status = text_at(tree, "heartbeat", "status")
    state = meaning(status, _STATES, "heartbeat.status")
    return (_alert(tree, reading, state, _WORDS[status.strip()], name),)


def _alert(tree: dict[str, object], reading: Reading, state: AlertState, raw_state: str, name: str) -> Alert:
    return make_alert(
        NAME,
        tree,
        reading,
        state=state,
        raw_state=raw_state,
        name=name,
        label="monitor.name",
        entity_id=first((text_at(tree, "monitor", "id"), text_at(tree, "heartbeat", "monitorID"))),
        message=first((text_at(tree, "heartbeat", "msg"), text_at(tree, "msg"))),
        sent_at=instant(text_at(tree, "heartbeat", "time")),
    )
