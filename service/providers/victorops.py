"""VictorOps (Splunk On-Call): a post of one of its outgoing webhooks → the alert that it carries.

It says what the post says and never whether that matters: matching a monitor and its switches come later.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType

import orjson

from service.model import Alert, AlertState
from service.providers.lenient import MAX_PROPERTIES, read_properties
from service.providers.pasted import Scalar, Wanted, fold_key
from service.providers.post import RawPost
from service.providers.wording import (
    MAX_ENTITY_LENGTH,
    MAX_MESSAGE_LENGTH,
    MAX_NAME_LENGTH,
    instant,
    lines,
    name_of_monitor,
    one_line,
)

NAME = "victorops"

_MONITOR_NAME = Wanted("monitorName", ("monitorname", "alert.monitorname", "incident.monitorname"))
_FOLDED_NAME = fold_key(_MONITOR_NAME.label)
_STATE = Wanted("state", ("state", "entitystate", "alert.entitystate"), is_word=True)
_PHASE = ("phase", "state.currentalertphase", "incident.currentphase")
_ENTITY_ID = ("entityid", "alert.entityid")
_MESSAGE = ("message", "statemessage", "alert.statemessage", "alert.entitydisplayname")
_TIMESTAMP = ("timestamp", "alert.timestamp", "alert.voalertrcvtime")

_WORDS: Mapping[AlertState, tuple[str, ...]] = {
    AlertState.FIRING: (
        "critical", "warning", "problem", "down", "unreachable", "error", "alert", "triggered", "unacked",
        "failed", "failure", "failing", "fatal", "disaster", "severe", "major", "emergency", "alarm", "firing",
    ),
    AlertState.RECOVERED: ("ok", "recovery", "recovered", "resolved", "up", "closed", "clear", "normal"),
    AlertState.ACKNOWLEDGED: ("acknowledgement", "acknowledged", "acked", "ack"),
}  # fmt: skip
MEANINGS: Mapping[str, AlertState] = {word: state for state, words in _WORDS.items() for word in words}
"""The words of monitoring products for their states, lower-case."""
_NEWS = frozenset({"info", "information", "informational", "notice", "test"})
"""States that are known to tell of nothing that fires or recovers."""
_VARIABLE = re.compile(r"\$\{\{\s*(?:[A-Z]+\.)?([^{}]*?)\s*\}\}")


def meanings_of(
    firing: Sequence[str], recovered: Sequence[str], acknowledged: Sequence[str]
) -> Mapping[str, AlertState]:
    """Give the words of config.yaml for each state, lower-case; a list that is empty stands for the usual words."""
    given = {
        AlertState.FIRING: firing,
        AlertState.RECOVERED: recovered,
        AlertState.ACKNOWLEDGED: acknowledged,
    }
    usual = {word: state for word, state in MEANINGS.items() if not given[state]}
    return usual | {word.strip().casefold(): state for state, words in given.items() for word in words}


def read(post: RawPost) -> tuple[Alert, ...]:
    """Read the one alert that a post carries.

    The URL's `event`, then the alert phase, then the state decide, because a resolve can carry a stale
    CRITICAL; words that mean nothing are passed over, and if none is left the alert is information only. It says of a
    state that is neither left out nor known to mean just that, that nobody knows it.
    Raises PostUnreadable if the body cannot be read or names no monitor. Properties are named
    as in the vendor's guide to custom outbound webhooks.
    """
    fields = read_properties(post.body, post.content_type, (_MONITOR_NAME, _STATE))
    folded = {fold_key(key): value for key, value in fields.items()}
    raw_state = _text(folded, _STATE.spellings)
    words = (post.query.get("event", ""), _expanded(folded, _PHASE), raw_state)
    meanings = (MEANINGS.get(word.strip().casefold()) for word in words)
    state = next((meaning for meaning in meanings if meaning), None)
    return (
        Alert(
            provider=NAME,
            monitor_name=name_of_monitor(_text(folded, _MONITOR_NAME.spellings), _MONITOR_NAME.label),
            state=state or AlertState.INFO,
            entity_id=one_line(_expanded(folded, _ENTITY_ID))[:MAX_ENTITY_LENGTH] or None,
            raw_state=raw_state,
            is_state_known=state is not None
            or not is_given(raw_state)
            or raw_state.strip().casefold() in _NEWS,
            message=lines(_expanded(folded, _MESSAGE))[:MAX_MESSAGE_LENGTH],
            sent_at=instant(_expanded(folded, _TIMESTAMP)),
            fields=MappingProxyType(fields),
        ),
    )


def variable_in(text: str) -> str:
    """Give the name of the variable that VictorOps left as it stood, `x` of `${{ALERT.x}}`; empty: it is a text."""
    found = _VARIABLE.fullmatch(text.strip())
    return (found[1] or text.strip()) if found else ""


def is_given(raw_state: str) -> bool:
    """Tell whether there is a state: it is neither left out nor a variable that VictorOps left as it stood."""
    return bool(raw_state.strip()) and not variable_in(raw_state)


def is_plain(body: bytes) -> bool:
    """Tell whether a post is certain to be read: JSON as in the vendor's guide, whose monitor has a plain name.

    It costs a fifth of reading it. False says nothing: such a post has to be read.
    """
    try:
        tree = orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    name = tree.get(_MONITOR_NAME.label) if isinstance(tree, dict) and len(tree) <= MAX_PROPERTIES else None
    return (
        isinstance(name, str)
        and name.isascii()
        and name.isprintable()
        and not name.isspace()
        and 0 < len(name) <= MAX_NAME_LENGTH
        and _is_named_once(tuple(tree))
    )


@lru_cache(maxsize=64)
def _is_named_once(keys: tuple[str, ...]) -> bool:
    """Tell whether one property alone names the monitor: of two spellings either might be the one that counts."""
    return [fold_key(key) for key in keys].count(_FOLDED_NAME) == 1


def _text(folded: Mapping[str, Scalar], spellings: tuple[str, ...]) -> str:
    """Give the first of several properties that is not empty, as a text."""
    for spelling in spellings:
        value = folded.get(spelling)
        if value is not None:
            text = str(value)
            if text.strip():
                return text
    return ""


def _expanded(folded: Mapping[str, Scalar], spellings: tuple[str, ...]) -> str:
    """Give the first that is neither empty nor a variable the vendor left as it stood: `${{ALERT.x}}`."""
    for spelling in spellings:
        value = folded.get(spelling)
        if value is not None:
            text = str(value)
            if (bare := text.strip()) and not (bare.startswith("${{") and bare.endswith("}}")):
                return text
    return ""
