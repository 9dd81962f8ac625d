"""UptimeRobot: a post of a webhook alert contact, as JSON, as a form or in the URL → the alert about one monitor."""

from service.config.settings import Reading
from service.errors import PostUnreadable
from service.model import Alert, AlertState
from service.providers.payload import Tree, first, make_alert, read_object, text_at
from service.providers.post import RawPost
from service.providers.wording import instant

NAME = "uptimerobot"

_STATES = {
    "1": AlertState.FIRING,
    "down": AlertState.FIRING,
    "2": AlertState.RECOVERED,
    "up": AlertState.RECOVERED,
    # a certificate or a domain expires soon: nothing is down
    "3": AlertState.INFO,
    "4": AlertState.INFO,
}
"""By `alertType` and, where that is missing, `alertTypeFriendlyName`."""


def read(post: RawPost, reading: Reading) -> tuple[Alert, ...]:
    """Read the one alert of a post; `monitorFriendlyName` names the monitor. Raises PostUnreadable.

    A variable that UptimeRobot left as it stood, such as `*alertType*`, counts as missing.
    """
    tree: Tree = {**post.query} if not post.body.strip() and post.query else read_object(post)
    kind, word = _expanded(tree, "alertType"), _expanded(tree, "alertTypeFriendlyName")
    state = next((_STATES[one] for one in (kind.casefold(), word.casefold()) if one in _STATES), None)
    if state is None:
        said = f"alertType is `{kind[:80]}`" if kind else "alertType is missing"
        raise PostUnreadable(f"{said}: 1 (down), 2 (up) or 3 (expiry) is expected")
    return (
        make_alert(
            NAME,
            tree,
            reading,
            state=state,
            raw_state=first((word, kind)),
            name=_expanded(tree, "monitorFriendlyName"),
            label="monitorFriendlyName",
            entity_id=_expanded(tree, "monitorID"),
            message=_expanded(tree, "alertDetails"),
            sent_at=instant(_expanded(tree, "alertDateTime")),
        ),
    )


def _expanded(tree: Tree, name: str) -> str:
    value = text_at(tree, name).strip()
    return "" if value == f"*{name}*" else value
