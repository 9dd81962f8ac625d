"""The words of a maintenance's fate: what may happen to it, what is told, and why. Values only."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum

from service.model import AUTOMATIC, Maintenance, UpdateStatus


class MaintenanceReason(StrEnum):
    """Why a decision about a maintenance is as it is; the dashboard says it in a sentence."""

    PLANNED = "maintenance_planned"
    PLANNED_AND_STARTED = "maintenance_planned_and_started"
    REMINDED = "maintenance_reminded"
    STARTED = "maintenance_started"
    ENDED = "maintenance_ended"
    PASSED = "maintenance_passed"
    CANCELLED = "maintenance_cancelled"
    EXTENDED = "maintenance_extended"
    RESCHEDULED = "maintenance_rescheduled"
    REWORDED = "maintenance_reworded"
    UPDATE_POSTED = "maintenance_update_posted"
    NOTHING_DUE = "nothing_due"
    REFUSED_IN_THE_PAST = "refused_in_the_past"
    REFUSED_ENDS_BEFORE_IT_STARTS = "refused_ends_before_it_starts"
    REFUSED_NOT_ON = "refused_maintenance_not_on"
    REFUSED_ON = "refused_maintenance_on"
    REFUSED_DONE = "refused_maintenance_done"
    REFUSED_CANCELLED = "refused_maintenance_cancelled"
    REFUSED_THE_SAME = "refused_the_same"
    REFUSED_TEXT_THE_SAME = "refused_text_the_same"
    REFUSED_PLANNED_ALREADY = "refused_maintenance_planned_already"

    @property
    def is_refusal(self) -> bool:
        """Whether something was ordered that was not done."""
        return self.value.startswith("refused_")


class Wording(Enum):
    """A text that an update shall carry, written when it is posted. No `str`: nobody can type one of these."""

    MESSAGE = 1
    REMINDER = 2
    BEGUN = 3
    CLOSING_COMMENT = 4
    CALLED_OFF = 5
    MOVED = 6
    EXTENDED = 7


@dataclass(frozen=True, slots=True)
class Plan:
    """What somebody wants to announce."""

    subject: str
    message: str
    """Markdown, as the closing comment is."""
    components: tuple[str, ...]
    starts_at: datetime
    ends_at: datetime
    remind_at: datetime | None = None
    closing_comment: str = ""
    audience: tuple[str, ...] = ()
    """Groups of subscribers; none: everybody."""


@dataclass(frozen=True, slots=True)
class Planned:
    """Somebody announces it."""

    by: str
    may_have_begun: bool = False
    """For a window of config.yaml, which may be read for the first time in the middle of it."""
    beside: tuple[Maintenance, ...] = ()
    """Those that are not over, one of which may be the very same: a form that was sent twice."""


@dataclass(frozen=True, slots=True)
class TimerElapsed:
    """Its `due_at` may have come."""


@dataclass(frozen=True, slots=True)
class StartNow:
    """It begins before its time."""

    by: str


@dataclass(frozen=True, slots=True)
class EndNow:
    """It is over; an empty comment means its own closing comment."""

    by: str
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Extend:
    """It takes longer, or less long, than was announced."""

    by: str
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Reschedule:
    """It is planned anew before it has begun."""

    by: str
    plan: Plan
    may_have_begun: bool = False
    """As for `Planned`."""


@dataclass(frozen=True, slots=True)
class PostUpdate:
    """Subscribers are told more."""

    by: str
    body: str
    said_last: tuple[UpdateStatus, str] | None = None
    """What they read last, where that may be the very same: a form that was sent twice."""


@dataclass(frozen=True, slots=True)
class CancelMaintenance:
    """It does not take place."""

    by: str
    comment: str = ""


MaintenanceEvent = (
    Planned | TimerElapsed | StartNow | EndNow | Extend | Reschedule | PostUpdate | CancelMaintenance
)


@dataclass(frozen=True, slots=True)
class Said:
    """One update to post."""

    status: UpdateStatus
    body: Wording | str


@dataclass(frozen=True, slots=True)
class MaintenanceDecision:
    """What becomes of it, what is told, why, and who is answerable."""

    maintenance: Maintenance
    reason: MaintenanceReason
    updates: tuple[Said, ...] = ()
    by: str = AUTOMATIC
