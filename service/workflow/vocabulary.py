"""The words of the state machine: what may happen, what shall happen, and why. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, StrEnum

from service.model import (
    AUTOMATIC,
    ComponentState,
    DeliveryKind,
    IfRecovered,
    Incident,
    Rung,
    UpdateStatus,
)


class Reason(StrEnum):
    """Why a decision is as it is: the same word in log, timeline, page and mail."""

    OPENED = "opened"
    OPENED_AND_ASKED = "opened_and_asked"
    OPENED_AND_PUBLISHED = "opened_and_published"
    OPENED_BY_HAND = "opened_by_hand"
    ALERT_JOINED = "alert_joined"
    ALERT_REPEATED = "alert_repeated"
    ALERT_RECOVERED = "alert_recovered"
    FIRED_AGAIN = "fired_again"
    FIRED_AGAIN_UNPUBLISHED = "fired_again_unpublished"
    RECOVERED_WITHIN_WAIT = "recovered_within_wait"
    RECOVERED_UNPUBLISHED = "recovered_unpublished"
    RECOVERED_KEPT = "recovered_kept"
    RECOVERED_AND_PUBLISHED = "recovered_and_published"
    RECOVERED_IN_GRACE = "recovered_in_grace"
    RECOVERED_LEFT_OPEN = "recovered_left_open"
    WAIT_ELAPSED = "wait_elapsed"
    AUTO_PUBLISHED = "auto_published"
    AUTO_CLOSED = "auto_closed"
    GRACE_ELAPSED = "grace_elapsed"
    HOLD_ENDED = "hold_ended"
    REMINDED = "reminded"
    REMINDED_TO_UPDATE = "reminded_to_update"
    ESCALATED = "escalated"
    LADDER_PUBLISHED = "ladder_published"
    LADDER_DISCARDED = "ladder_discarded"
    LADDER_LEFT = "ladder_left"
    PUBLISHED = "published"
    PUBLISHED_AS_RESOLVED = "published_as_resolved"
    APPROVED = "approved"
    EDITED = "edited"
    HELD = "held"
    DISCARDED = "discarded"
    UPDATE_POSTED = "update_posted"
    CORRECTION_POSTED = "correction_posted"
    UPDATE_CORRECTED = "update_corrected"
    POSTMORTEM_POSTED = "postmortem_posted"
    CLOSED = "closed"
    NOTHING_DUE = "nothing_due"
    NOTHING_TO_RECOVER = "nothing_to_recover"
    ALREADY_ENDED = "already_ended"
    REFUSED_ALREADY_PUBLISHED = "refused_already_published"
    REFUSED_NOT_PUBLISHED = "refused_not_published"
    REFUSED_TEXT_CHANGED = "refused_text_changed"
    REFUSED_TEXT_THE_SAME = "refused_text_the_same"
    REFUSED_APPROVED_BEFORE = "refused_approved_before"
    REFUSED_STILL_OPEN = "refused_still_open"
    REFUSED_CLOSED = "refused_closed"
    REFUSED_DISCARDED = "refused_discarded"

    @property
    def is_refusal(self) -> bool:
        """Whether an employee ordered something that was not done."""
        return self.value.startswith("refused_")

    @property
    def is_silent(self) -> bool:
        """Whether there is nothing to tell: such a step leaves no row in the timeline."""
        return self in {
            Reason.ALERT_REPEATED,
            Reason.NOTHING_DUE,
            Reason.NOTHING_TO_RECOVER,
            Reason.ALREADY_ENDED,
        }


@dataclass(frozen=True, slots=True)
class Policy:
    """What a monitor wants to happen by itself."""

    wait: timedelta = timedelta(0)
    auto_publish: bool = False
    auto_close: bool = True
    recovery_grace: timedelta = timedelta(0)
    ladder: tuple[Rung, ...] = ()
    remind_every: timedelta | None = None
    """How often to ask for a decision and, once it is published, for news; None: never."""
    approvals: int = 1
    if_recovered: IfRecovered = IfRecovered.DISCARD


@dataclass(frozen=True, slots=True)
class Draft:
    """An incident that is about to be opened: its texts are rendered, its fate is not decided."""

    id: int
    monitor_key: str
    subject: str
    message: str
    type: str
    components: Mapping[str, ComponentState]
    authored_by: str
    notify_employees: tuple[str, ...]
    entity_id: str | None
    audience: tuple[str, ...] = ()
    """Groups of subscribers, as the monitor names them; none: everybody."""
    alert_name: str = ""
    """Of the alert that opens it, as names are compared."""


@dataclass(frozen=True, slots=True)
class AlertFired:
    """A monitor's alert says that something is wrong."""

    entity_id: str | None = None
    """By which it is told from others (`KnownAs.key`)."""
    name: str = ""
    """As names are compared."""


@dataclass(frozen=True, slots=True)
class AlertRecovered:
    """A monitor's alert says that it is right again."""

    entity_ids: frozenset[str | None] = frozenset({None})
    """Which of the incident's alerts are meant (`KnownAs.key`); None among them: those that are known by nothing."""


@dataclass(frozen=True, slots=True)
class TimerElapsed:
    """The incident's `due_at` may have come; `now` decides, so that a late or double tick is safe."""


@dataclass(frozen=True, slots=True)
class Publish:
    """An employee orders to make it public, having seen a version of its text (None: the present one)."""

    by: str
    text_version: int | None = None


@dataclass(frozen=True, slots=True)
class Discard:
    """An employee orders to let it go without a word."""

    by: str


@dataclass(frozen=True, slots=True)
class Hold:
    """An employee wants to be asked again after a while, and nothing to happen by itself before."""

    by: str
    span: timedelta


@dataclass(frozen=True, slots=True)
class Edit:
    """An employee gives an unpublished incident another subject, message, type or components (None: as it was)."""

    by: str
    subject: str | None = None
    message: str | None = None
    text_version: int | None = None
    type: str | None = None
    components: Mapping[str, ComponentState] | None = None
    """All of them, each with its state; one that is left out is not affected."""


@dataclass(frozen=True, slots=True)
class PostUpdate:
    """An employee tells the public more."""

    by: str
    status: UpdateStatus
    body: str
    said_last: tuple[UpdateStatus, str] | None = None
    """What the public read last, where that may be the very same: a form that was sent twice."""
    seen_open: bool = False
    """Whether it was written about an incident that was seen going on: then it is no word about a closed one."""


@dataclass(frozen=True, slots=True)
class Correct:
    """An employee puts right what an update of the incident said, for those who were sent it."""

    by: str
    update_id: int
    status: UpdateStatus
    """How the incident stands for the public: a correction changes nothing of that."""
    body: str
    stands: str = ""
    """What the public reads of it now, the last correction of it included."""


@dataclass(frozen=True, slots=True)
class PostMortem:
    """An employee tells why an incident happened that is over."""

    by: str
    body: str
    is_sent: bool = True
    """Whether those who heard of the incident are sent it; the status page shows it either way."""
    stands: str | None = None
    """The last one that was posted about it, as it reads now."""


@dataclass(frozen=True, slots=True)
class Close:
    """An employee declares it over; an empty comment means the monitor's closing comment."""

    by: str
    comment: str = ""


Event = (
    AlertFired
    | AlertRecovered
    | TimerElapsed
    | Publish
    | Discard
    | Hold
    | Edit
    | PostUpdate
    | Correct
    | PostMortem
    | Close
)


class Text(Enum):
    """A text of the monitor's that an update shall carry, rendered when it is posted; no words of anybody's are one."""

    MESSAGE = "message"
    CLOSING_COMMENT = "closing_comment"
    MESSAGE_AND_CLOSING_COMMENT = "message_and_closing_comment"
    """For those who hear of it only when it is over."""


@dataclass(frozen=True, slots=True)
class TellSubscribers:
    """Effect: one update row, which the status page shows and every concerned subscriber gets."""

    status: UpdateStatus
    body: Text | str
    corrects_id: int | None = None
    """The update that it puts right: then exactly those who were sent that one get it."""
    is_sent: bool = True
    """Whether anybody is sent it; the status page shows it either way."""


@dataclass(frozen=True, slots=True)
class TellEmployees:
    """Effect: a mail of this kind to each of the incident's employees, save the one who did it."""

    kind: DeliveryKind
    to: tuple[str, ...] | None = None
    """Only to these."""
    also_who_did_it: bool = False


Effect = TellSubscribers | TellEmployees


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of the incident, what else shall happen, why, and who is answerable."""

    incident: Incident
    reason: Reason
    effects: tuple[Effect, ...] = ()
    by: str = AUTOMATIC
