"""The words in which employees read how planned work stands, and what came of their orders about it."""

from collections.abc import Mapping
from typing import Final

from service.model import Maintenance, MaintenancePhase
from service.workflow.maintenance import MaintenanceReason as Reason

PHASE_WORDS: Final[Mapping[MaintenancePhase, str]] = {
    MaintenancePhase.PLANNED: "planned",
    MaintenancePhase.ON: "going on",
    MaintenancePhase.DONE: "done",
    MaintenancePhase.CANCELLED: "called off",
}
STATES: Final[Mapping[MaintenancePhase, str]] = {
    MaintenancePhase.PLANNED: "scheduled",
    MaintenancePhase.ON: "in_progress",
    MaintenancePhase.DONE: "completed",
    MaintenancePhase.CANCELLED: "",
}
"""As the stylesheet names them."""
_SENTENCES: Final[Mapping[Reason, str]] = {
    Reason.PLANNED: "It is planned, and subscribers are being told.",
    Reason.PLANNED_AND_STARTED: "It is on from now, and subscribers are being told.",
    Reason.STARTED: "It has begun, and those who heard of it are being told.",
    Reason.ENDED: "It is over, and those who heard of it are being told.",
    Reason.CANCELLED: "It is called off, and those who heard of it are being told.",
    Reason.EXTENDED: "Its end was moved, and those who heard of it are being told.",
    Reason.RESCHEDULED: "It was moved, and those who heard of it are being told.",
    Reason.UPDATE_POSTED: "The update is posted, and those who heard of it are being told.",
    Reason.REFUSED_IN_THE_PAST: "That time is past; nothing was changed.",
    Reason.REFUSED_ENDS_BEFORE_IT_STARTS: "It must end after it begins; nothing was changed.",
    Reason.REFUSED_NOT_ON: "It has not begun; nothing was changed.",
    Reason.REFUSED_ON: "It is going on already; nothing was changed.",
    Reason.REFUSED_DONE: "It is over already; nothing was changed.",
    Reason.REFUSED_CANCELLED: "It was called off; nothing was changed.",
    Reason.REFUSED_THE_SAME: "That is how it is planned already; nothing was changed.",
}


def sentence(reason: Reason, maintenance: Maintenance) -> str:
    """Say what came of an order; where it was carried out before, of which maintenance that is so."""
    match reason:
        case Reason.REFUSED_TEXT_THE_SAME:
            return f"#{maintenance.id} says just that already; nothing was changed."
        case Reason.REFUSED_PLANNED_ALREADY:
            stands = PHASE_WORDS[maintenance.phase]
            return f"#{maintenance.id} is the same maintenance: it is {stands} already; nothing was changed."
        case _:
            return _SENTENCES[reason]
