"""VictorOps (Splunk On-Call): a post of one of its outgoing webhooks → the alert that it carries.

It says what the post says and never whether that matters: matching a monitor and its switches come later.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from service.errors import PostUnreadable
from service.model import Alert, AlertState
from service.providers.lenient import read_properties
from service.providers.pasted import Scalar, Wanted, fold_key
from service.providers.post import RawPost

NAME = "victorops"
MAX_NAME_LENGTH = 500
"""Characters; a longer monitorName is a payload gone wrong."""

_MONITOR_NAME = Wanted("monitorName", ("monitorname", "alert.monitorname", "incident.monitorname"))
_STATE = Wanted("state", ("state", "entitystate", "alert.entitystate"), is_word=True)
_PHASE = ("phase", "state.currentalertphase", "incident.currentphase")
_ENTITY_ID = ("entityid", "alert.entityid")
_MESSAGE = ("message", "statemessage", "alert.statemessage", "alert.entitydisplayname")
_TIMESTAMP = ("timestamp", "alert.timestamp", "alert.voalertrcvtime")

_WORDS: Mapping[AlertState, tuple[str, ...]] = {
    AlertState.FIRING: (
        "critical", "warning", "problem", "down", "unreachable", "error", "alert", "triggered", "unacked",
    ),
    AlertState.RECOVERED: ("ok", "recovery", "recovered", "resolved", "up", "closed", "clear", "normal"),
    AlertState.ACKNOWLEDGED: ("acknowledgement", "acknowledged", "acked", "ack"),
}  # fmt: skip
_MEANINGS = {word: state for state, words in _WORDS.items() for word in words}

_SHOWN: Mapping[int, str | None] = (
    {code: " " if chr(code).isspace() else None for code in (*range(0x20), *range(0x7F, 0xA0))}
    | dict.fromkeys((0x2028, 0x2029), " ")
    | dict.fromkeys((0x200B, 0xFEFF, *range(0x202A, 0x202F), *range(0x2066, 0x206A)), None)
)
"""Control characters, line and paragraph separators, zero-width spaces and bidirectional overrides."""
_SHOWN_WITH_BREAKS = {code: shown for code, shown in _SHOWN.items() if code != ord("\n")}

_SECONDS_END = 10**11
"""Epoch numbers from here on are milliseconds: as seconds they would lie beyond the year 5138."""
_EPOCH_DIGITS = 9
"""Shorter digits are a date such as 20261114."""


def read(post: RawPost) -> tuple[Alert, ...]:
    """Read the one alert that a post carries.

    The URL's `event`, then the alert phase, then the state decide, because a resolve can carry a stale
    CRITICAL; words that mean nothing are passed over, and if none is left the alert is information only.
    Raises PostUnreadable if the body cannot be read or names no monitor. Properties are named
    as in the vendor's guide to custom outbound webhooks.
    """
    fields = read_properties(post.body, post.content_type, (_MONITOR_NAME, _STATE))
    folded = {fold_key(key): value for key, value in fields.items()}
    raw_state = _text(folded, _STATE.spellings)
    words = (post.query.get("event", ""), _expanded(folded, _PHASE), raw_state)
    meanings = (_MEANINGS.get(word.strip().casefold()) for word in words)
    return (
        Alert(
            provider=NAME,
            monitor_name=_monitor_name(folded),
            state=next((meaning for meaning in meanings if meaning), AlertState.INFO),
            entity_id=_cleaned(_expanded(folded, _ENTITY_ID)) or None,
            raw_state=raw_state,
            message=_cleaned(_expanded(folded, _MESSAGE), _SHOWN_WITH_BREAKS),
            sent_at=_instant(_expanded(folded, _TIMESTAMP)),
            fields=MappingProxyType(fields),
        ),
    )


def _monitor_name(folded: Mapping[str, Scalar]) -> str:
    name = _cleaned(_text(folded, _MONITOR_NAME.spellings))
    if not name:
        raise PostUnreadable("monitorName is missing")
    if len(name) > MAX_NAME_LENGTH:
        raise PostUnreadable(f"monitorName has {len(name)} characters: at most {MAX_NAME_LENGTH} are allowed")
    return name


def _text(folded: Mapping[str, Scalar], spellings: tuple[str, ...]) -> str:
    """Give the first of several properties that is not empty, as a text."""
    texts = (str(value) for value in map(folded.get, spellings) if value is not None)
    return next((text for text in texts if text.strip()), "")


def _expanded(folded: Mapping[str, Scalar], spellings: tuple[str, ...]) -> str:
    """Give the first that is neither empty nor a variable the vendor left as it stood: `${{ALERT.x}}`."""
    texts = (_text(folded, (spelling,)) for spelling in spellings)
    return next((text for text in texts if text and not _is_variable(text.strip())), "")


def _is_variable(text: str) -> bool:
    return text.startswith("${{") and text.endswith("}}")


def _cleaned(text: str, table: Mapping[int, str | None] = _SHOWN) -> str:
    """Turn breaks and tabs into spaces and drop what is invisible, so that no mail's subject breaks on it."""
    return text.replace("\r\n", "\n").translate(table).strip()


def _instant(text: str) -> datetime | None:
    """Read ISO 8601 (without an offset: UTC), epoch seconds or milliseconds; None if it is none of these."""
    text = text.strip()
    try:
        digits = text.partition(".")[0]
        if digits.isdecimal() and len(digits) >= _EPOCH_DIGITS:
            epoch = float(text)
            return datetime.fromtimestamp(epoch if epoch < _SECONDS_END else epoch / 1000, tz=UTC)
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
