"""The words in which employees read phases, reasons, mails and spans; the public never reads them."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from service.model import DeliveryKind, Incident, Phase
from service.workflow import Reason

PHASE_WORDS: Final[Mapping[Phase, str]] = {
    Phase.WAITING: "in its wait time",
    Phase.UNPUBLISHED: "needs a decision",
    Phase.PUBLISHED: "published",
    Phase.RECOVERED: "published, recovered",
    Phase.CLOSED: "closed",
    Phase.DISCARDED: "discarded",
}
REASON_WORDS: Final[Mapping[Reason, str]] = {
    Reason.OPENED: "An alert fired, and the wait time began",
    Reason.OPENED_AND_ASKED: "An alert fired, and the employees were asked at once",
    Reason.OPENED_AND_PUBLISHED: "An alert fired, and it was published at once, as its monitor wants",
    Reason.REMINDED_TO_UPDATE: "Nothing had been told for a while, and the employees were reminded",
    Reason.UPDATE_CORRECTED: "An update was corrected, for those who had been sent it",
    Reason.OPENED_BY_HAND: "It was opened by hand",
    Reason.ALERT_JOINED: "A further alert joined",
    Reason.ALERT_REPEATED: "An alert repeated itself",
    Reason.ALERT_RECOVERED: "One alert recovered, others still fire",
    Reason.FIRED_AGAIN: "It fired again before it was closed",
    Reason.FIRED_AGAIN_UNPUBLISHED: "It had recovered and fires again, so the employees are asked anew",
    Reason.RECOVERED_WITHIN_WAIT: "It recovered within its wait time; nobody was told",
    Reason.RECOVERED_UNPUBLISHED: "It recovered before anybody published it; nothing was sent to subscribers",
    Reason.RECOVERED_KEPT: "It recovered before anybody published it, and still waits for a decision",
    Reason.RECOVERED_AND_PUBLISHED: "It recovered, and was published as resolved, as its monitor wants",
    Reason.RECOVERED_IN_GRACE: "It recovered, and closes soon unless it fires again",
    Reason.RECOVERED_LEFT_OPEN: "It recovered, and somebody has to close it",
    Reason.WAIT_ELAPSED: "The wait time passed without recovery, and the employees were asked",
    Reason.AUTO_PUBLISHED: "The wait time passed without recovery, and it was published, as its monitor wants",
    Reason.AUTO_CLOSED: "It recovered, and was closed, as its monitor wants",
    Reason.GRACE_ELAPSED: "It stayed recovered, and was closed",
    Reason.HOLD_ENDED: "The hold ended, and the employees were asked again",
    Reason.REMINDED: "Nobody had decided, and the employees were asked again",
    Reason.ESCALATED: "Nobody had decided, and further employees were asked",
    Reason.LADDER_PUBLISHED: "Nobody had decided, and it was published, as its monitor wants",
    Reason.LADDER_DISCARDED: "Nobody had decided, and it was discarded, as its monitor wants",
    Reason.LADDER_LEFT: "Nobody had decided, and it is left as it is, as its monitor wants",
    Reason.PUBLISHED: "It was published",
    Reason.PUBLISHED_AS_RESOLVED: "It had recovered, and was published as resolved",
    Reason.APPROVED: "It was approved, and more approvals are needed",
    Reason.EDITED: "It was edited",
    Reason.HELD: "It was held: nothing happens by itself for a while",
    Reason.DISCARDED: "It was discarded; nothing was sent to subscribers",
    Reason.UPDATE_POSTED: "An update was posted",
    Reason.CORRECTION_POSTED: "A correction was posted",
    Reason.POSTMORTEM_POSTED: "A post-mortem was posted",
    Reason.CLOSED: "It was closed",
    Reason.NOTHING_DUE: "Nothing was due",
    Reason.NOTHING_TO_RECOVER: "Nothing was left to recover",
    Reason.ALREADY_ENDED: "It had ended already",
    Reason.REFUSED_ALREADY_PUBLISHED: "Refused: it was published already",
    Reason.REFUSED_NOT_PUBLISHED: "Refused: it was not published",
    Reason.REFUSED_TEXT_CHANGED: "Refused: it had been edited",
    Reason.REFUSED_TEXT_THE_SAME: "Refused: it said just that already",
    Reason.REFUSED_APPROVED_BEFORE: "Refused: the same employee had approved it before",
    Reason.REFUSED_STILL_OPEN: "Refused: it was still going on",
    Reason.REFUSED_CLOSED: "Refused: it was closed already",
    Reason.REFUSED_DISCARDED: "Refused: it was discarded already",
}
MAIL_WORDS: Final[Mapping[DeliveryKind, str]] = {
    DeliveryKind.APPROVAL: "asked to decide",
    DeliveryKind.PUBLISHED: "told that it is published",
    DeliveryKind.REMINDER: "reminded that it is still open",
    DeliveryKind.RECOVERED: "told that it recovered and stays open",
    DeliveryKind.CLOSED: "told that it is closed",
    DeliveryKind.DISCARDED: "told that it ended unpublished",
    DeliveryKind.ANSWER: "told what came of a reply",
    DeliveryKind.CONFIRM_REPLY: "asked whether a reply was meant",
    DeliveryKind.ALARM: "told what keeps the service from its work",
}
_GOING_ON: Final = frozenset({Phase.PUBLISHED, Phase.RECOVERED})
_UNDECIDED: Final = frozenset({Phase.WAITING, Phase.UNPUBLISHED})
_TOLD: Final = _GOING_ON | {Phase.CLOSED}
_STILL_TRUE_IN: Final[Mapping[Reason, frozenset[Phase]]] = {
    Reason.PUBLISHED: _GOING_ON,
    Reason.PUBLISHED_AS_RESOLVED: frozenset({Phase.CLOSED}),
    Reason.APPROVED: _UNDECIDED,
    Reason.EDITED: _UNDECIDED,
    Reason.HELD: _UNDECIDED,
    Reason.DISCARDED: frozenset({Phase.DISCARDED}),
    Reason.CLOSED: frozenset({Phase.CLOSED}),
    Reason.UPDATE_POSTED: _GOING_ON,
    Reason.CORRECTION_POSTED: frozenset({Phase.CLOSED}),
    Reason.UPDATE_CORRECTED: _TOLD,
    Reason.POSTMORTEM_POSTED: frozenset({Phase.CLOSED}),
    Reason.REFUSED_STILL_OPEN: _GOING_ON,
    Reason.REFUSED_TEXT_THE_SAME: _TOLD,
    Reason.REFUSED_ALREADY_PUBLISHED: _GOING_ON,
    Reason.REFUSED_NOT_PUBLISHED: _UNDECIDED,
    Reason.REFUSED_TEXT_CHANGED: _UNDECIDED,
    Reason.REFUSED_APPROVED_BEFORE: _UNDECIDED,
    Reason.REFUSED_CLOSED: frozenset({Phase.CLOSED}),
    Reason.REFUSED_DISCARDED: frozenset({Phase.DISCARDED}),
}


def reason_words(reason: str) -> str:
    """Say a reason in words; one that an older version wrote is shown as it stands."""
    try:
        return REASON_WORDS[Reason(reason)]
    except ValueError:
        return reason.replace("_", " ")


def reason_still_true(word: str, incident: Incident, employee_id: str) -> Reason | None:
    """Read from a page's address what came of an order, unless the incident, as it is now, contradicts it.

    So nobody can be shown by a made-up link that something was published, approved or held which was not.
    """
    try:
        reason = Reason(word)
    except ValueError:
        return None
    match reason:
        case Reason.APPROVED | Reason.REFUSED_APPROVED_BEFORE:
            is_so = employee_id in incident.approved_by
        case Reason.HELD:
            is_so = incident.phase is Phase.WAITING or incident.held_until is not None
        case _:
            is_so = True
    return reason if is_so and incident.phase in _STILL_TRUE_IN.get(reason, frozenset()) else None


def span_words(span: timedelta) -> str:
    """Say a span that is still to come, rounded up to minutes."""
    minutes = -(-int(span.total_seconds()) // 60)
    if minutes <= 0:
        return "any moment"
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [f"{days} d" if days else "", f"{hours} h" if hours else "", f"{minutes} min" if minutes else ""]
    return " ".join([part for part in parts if part][:2])
