"""What is told of a post that holds several alerts."""

import pytest

from service.actions.outcomes import AlertReason, Outcome, outcome_of_post
from service.store.inbox_rows import InboxState
from service.store.suppression import SUPPRESSED
from service.workflow import Reason

WORST_FIRST = (
    AlertReason.NO_MONITOR,
    AlertReason.UNREADABLE,
    AlertReason.UNKNOWN_STATE,
    Reason.OPENED,
    SUPPRESSED,
    AlertReason.NOTHING_OPEN,
    AlertReason.NO_EFFECT,
)
LOST = WORST_FIRST[:3]


def told(*reasons: str) -> tuple[InboxState, str, str]:
    """Give what is told of a post whose alerts had these reasons."""
    found = outcome_of_post([Outcome(reason, f"said of {reason}") for reason in reasons])
    return found.state, found.reason, found.explanation


@pytest.mark.parametrize("worse", WORST_FIRST[:-1])
def test_the_worst_alert_gives_the_post_its_reason_and_is_told_first(worse: str) -> None:
    state = InboxState.REFUSED if worse in LOST else InboxState.DONE
    for better in WORST_FIRST[WORST_FIRST.index(worse) + 1 :]:
        expected = state, worse, f"said of {worse}; said of {better}"
        assert told(worse, better) == told(better, worse) == expected


def test_of_several_effects_the_last_one_counts_and_all_are_told_in_their_order() -> None:
    said = f"said of {Reason.OPENED}; said of {Reason.ALERT_JOINED}"
    assert told(Reason.OPENED, Reason.ALERT_JOINED) == (InboxState.DONE, Reason.ALERT_JOINED, said)


def test_what_is_to_be_said_of_several_alerts_is_said_once() -> None:
    assert told(AlertReason.NO_EFFECT, AlertReason.NO_EFFECT)[2] == f"said of {AlertReason.NO_EFFECT}"


def test_a_post_without_alerts_is_done() -> None:
    assert told() == (InboxState.DONE, AlertReason.NO_ALERTS, "the post holds no alert")
