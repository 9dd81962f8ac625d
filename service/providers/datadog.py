"""Datadog: a post of its webhooks integration → the alert that it is about.

Its payload is what the admin writes there: that of docs/providers.md, or else Datadog's own, whose title alone tells.
"""

import re
from typing import Final

from service.config.settings import Reading
from service.model import Alert, AlertState
from service.providers.payload import Tree, first, make_alert, meaning, read_object, text_at
from service.providers.post import RawPost
from service.providers.wording import instant, one_line

NAME = "datadog"

_STATES = {
    "triggered": AlertState.FIRING,
    "re-triggered": AlertState.FIRING,
    "no data": AlertState.FIRING,
    "re-no data": AlertState.FIRING,
    "warn": AlertState.FIRING,
    "re-warn": AlertState.FIRING,
    "renotify": AlertState.FIRING,
    "recovered": AlertState.RECOVERED,
    "ok": AlertState.RECOVERED,
    "test": AlertState.INFO,
}
"""By `$ALERT_TRANSITION`, which the title has in brackets before it too."""
_WARNINGS = frozenset({"warn", "re-warn"})

_MARK: Final = re.compile(r"\[([^\[\]]{1,200})\]\s*")
_VARIABLE: Final = re.compile(r"\$[A-Z_]+(?:\[.*\])?")
_PRIORITY: Final = re.compile(r"P[1-5]")


def read(post: RawPost, reading: Reading) -> tuple[Alert, ...]:
    """Read the one alert of a post; `alert_title` names the monitor, or else `title`. Raises PostUnreadable.

    The marks before a title, such as `[Triggered on {host:web-1}]`, are no part of the name. What has the mark TEST
    is information only. A warning's state is kept as `warning`, so that a monitor's `warning_fires` counts for it.
    """
    tree = read_object(post)
    title = first(_expanded(tree, one) for one in ("alert_title", "title", "event_title"))
    name, marks = _split(one_line(title))
    is_test = "test" in marks
    raw_state = first((_expanded(tree, "alert_transition"), *(mark for mark in marks if mark in _STATES)))
    state = AlertState.INFO if is_test else meaning(raw_state, _STATES, "alert_transition")
    cycle, alert_id = _expanded(tree, "alert_cycle_key"), _expanded(tree, "alert_id")
    scope = _expanded(tree, "alert_scope")
    return (
        make_alert(
            NAME,
            tree,
            reading,
            state=state,
            raw_state="test" if is_test else _shown(raw_state),
            name=first((name, "Datadog test" if is_test else "")),
            label="alert_title",
            entity_id=first(
                (cycle, f"{alert_id}/{scope}" if alert_id else "", _expanded(tree, "aggreg_key"))
            ),
            message=first(_expanded(tree, one) for one in ("text_only_msg", "event_msg", "body")),
            sent_at=instant(first(_expanded(tree, one) for one in ("date", "last_updated"))),
        ),
    )


def _expanded(tree: Tree, name: str) -> str:
    """Give a property, unless Datadog left a variable in it as it stood: `$ALERT_CYCLE_KEY`."""
    text = text_at(tree, name)
    return "" if _VARIABLE.fullmatch(text.strip()) else text


def _split(title: str) -> tuple[str, list[str]]:
    """Split a title into the name and the words of the marks before it, lower-case; other brackets stay."""
    marks: list[str] = []
    at = 0
    while found := _MARK.match(title, at):
        word = found[1].partition(" on ")[0].strip().casefold()
        if word not in _STATES and not _PRIORITY.fullmatch(found[1].strip()):
            break
        marks.append(word)
        at = found.end()
    return title[at:].strip(), marks


def _shown(raw_state: str) -> str:
    return "warning" if raw_state.strip().casefold() in _WARNINGS else raw_state
