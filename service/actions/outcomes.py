"""What comes of alerts, and what of that is told of a post that holds several. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from service.store.inbox_rows import InboxState
from service.store.suppression import SUPPRESSED


class AlertReason(StrEnum):
    """Why an alert had no effect on any incident, or a post."""

    NO_MONITOR = "no_monitor"
    UNREADABLE = "unreadable"
    """Of a post, once for all of its alerts that cannot be read; others of it can."""
    UNKNOWN_STATE = "unknown_state"
    NO_EFFECT = "state_without_effect"
    NOTHING_OPEN = "nothing_open"
    NO_ALERTS = "no_alerts"
    """Of a post."""


TO_MEND: Final = (AlertReason.NO_MONITOR, AlertReason.UNREADABLE, AlertReason.UNKNOWN_STATE)
"""An alert was lost, which may have been an outage, and somebody has to mend something; the worst first."""
_TOLD_AFTER_EFFECTS: Final = (
    SUPPRESSED,
    AlertReason.NOTHING_OPEN,
    AlertReason.NO_EFFECT,
    AlertReason.NO_ALERTS,
)
_RANKS: Final[Mapping[str, int]] = {
    **{reason: rank for rank, reason in enumerate(TO_MEND)},
    **{reason: len(TO_MEND) + rank for rank, reason in enumerate(_TOLD_AFTER_EFFECTS, start=1)},
}
"""What is told first: what was lost, then every effect on an incident, then what was rightly without any."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one alert, or of all that cannot be read of a post."""

    reason: str
    """Of several incidents that it concerned, that of the last."""
    explanation: str
    """Of all of them."""
    incident_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class PostOutcome:
    """What came of a post: the state and the reason of the worst of its alerts, and what is to be said of all."""

    state: InboxState
    reason: str
    explanation: str


def outcome_of_post(outcomes: Sequence[Outcome]) -> PostOutcome:
    """Say what came of a post by what came of its alerts; of several effects on incidents the last one counts.

    It is refused where anything of it is to be mended, whatever the rest of it did: else nobody would look.
    """
    if not outcomes:
        return PostOutcome(InboxState.DONE, AlertReason.NO_ALERTS, "the post holds no alert")
    worst = min(reversed(outcomes), key=_rank)
    said = dict.fromkeys(outcome.explanation for outcome in sorted(outcomes, key=_rank))
    state = InboxState.REFUSED if worst.reason in TO_MEND else InboxState.DONE
    return PostOutcome(state, worst.reason, "; ".join(said))


def _rank(outcome: Outcome) -> int:
    return _RANKS.get(outcome.reason, len(TO_MEND))
