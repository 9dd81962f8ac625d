"""The state machine: the only place where an incident's fate is decided.

Pure: standard library only, no I/O, no clock of its own, and every step has a named reason. It says what
shall happen (effects); `actions` makes it happen. Its table of phases stands in docs/architecture.md.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from service.model import (
    AUTOMATIC,
    ComponentState,
    DeliveryKind,
    Incident,
    JoinedAlert,
    Phase,
    UpdateStatus,
)


class Reason(StrEnum):
    """Why a decision is as it is: the same word in log, timeline, page and mail."""

    OPENED = "opened"
    OPENED_AND_ASKED = "opened_and_asked"
    OPENED_AND_PUBLISHED = "opened_and_published"
    ALERT_JOINED = "alert_joined"
    ALERT_REPEATED = "alert_repeated"
    ALERT_RECOVERED = "alert_recovered"
    FIRED_AGAIN = "fired_again"
    RECOVERED_WITHIN_WAIT = "recovered_within_wait"
    RECOVERED_UNPUBLISHED = "recovered_unpublished"
    RECOVERED_IN_GRACE = "recovered_in_grace"
    RECOVERED_LEFT_OPEN = "recovered_left_open"
    WAIT_ELAPSED = "wait_elapsed"
    AUTO_PUBLISHED = "auto_published"
    AUTO_CLOSED = "auto_closed"
    GRACE_ELAPSED = "grace_elapsed"
    PUBLISHED = "published"
    DISCARDED = "discarded"
    UPDATE_POSTED = "update_posted"
    CORRECTION_POSTED = "correction_posted"
    CLOSED = "closed"
    NOTHING_DUE = "nothing_due"
    NOTHING_TO_RECOVER = "nothing_to_recover"
    ALREADY_ENDED = "already_ended"
    REFUSED_ALREADY_PUBLISHED = "refused_already_published"
    REFUSED_NOT_PUBLISHED = "refused_not_published"
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


@dataclass(frozen=True, slots=True)
class AlertFired:
    """A monitor's alert says that something is wrong."""

    entity_id: str | None = None


@dataclass(frozen=True, slots=True)
class AlertRecovered:
    """A monitor's alert says that it is right again."""

    entity_ids: frozenset[str | None] | None = None
    """Which of the incident's alerts are meant; None: all. A member None: those that came without an id."""


@dataclass(frozen=True, slots=True)
class TimerElapsed:
    """The incident's `due_at` may have come; `now` decides, so that a late or double tick is safe."""


@dataclass(frozen=True, slots=True)
class Publish:
    """An employee orders to make it public."""

    by: str


@dataclass(frozen=True, slots=True)
class Discard:
    """An employee orders to let it go without a word."""

    by: str


@dataclass(frozen=True, slots=True)
class PostUpdate:
    """An employee tells the public more."""

    by: str
    status: UpdateStatus
    body: str


@dataclass(frozen=True, slots=True)
class Close:
    """An employee declares it over; an empty comment means the monitor's closing comment."""

    by: str
    comment: str = ""


Event = AlertFired | AlertRecovered | TimerElapsed | Publish | Discard | PostUpdate | Close


class Text(StrEnum):
    """A text of the monitor's that an update shall carry, rendered when it is posted."""

    MESSAGE = "message"
    CLOSING_COMMENT = "closing_comment"


@dataclass(frozen=True, slots=True)
class TellSubscribers:
    """Effect: one update row, which the status page shows and every concerned subscriber gets."""

    status: UpdateStatus
    body: Text | str


@dataclass(frozen=True, slots=True)
class TellEmployees:
    """Effect: a mail of this kind to each of the monitor's employees, save the one who did it."""

    kind: DeliveryKind


Effect = TellSubscribers | TellEmployees


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of the incident, what else shall happen, why, and who is answerable."""

    incident: Incident
    reason: Reason
    effects: tuple[Effect, ...] = ()
    by: str = AUTOMATIC


def open_incident(draft: Draft, policy: Policy, now: datetime) -> Decision:
    """Open an incident for a first firing alert: it waits or, without a wait time, is decided at once."""
    incident = Incident(
        id=draft.id,
        monitor_key=draft.monitor_key,
        phase=Phase.WAITING,
        due_at=now + policy.wait,
        version=1,
        subject=draft.subject,
        message=draft.message,
        type=draft.type,
        components=draft.components,
        started_at=now,
        alerts=(JoinedAlert(draft.entity_id, fired_at=now),),
        authored_by=draft.authored_by,
        notify_employees=draft.notify_employees,
    )
    if policy.wait > timedelta(0):
        return Decision(incident, Reason.OPENED)
    elapsed = _wait_elapsed(incident, policy, now)
    reason = Reason.OPENED_AND_PUBLISHED if policy.auto_publish else Reason.OPENED_AND_ASKED
    return replace(elapsed, incident=replace(elapsed.incident, version=1), reason=reason)


def decide(incident: Incident, event: Event, policy: Policy, now: datetime) -> Decision:
    """Decide what an event does to an incident; the same event a second time has no second effect."""
    match event:
        case AlertFired():
            return _fired(incident, event, now)
        case AlertRecovered():
            return _recovered(incident, event, policy, now)
        case TimerElapsed():
            return _timer(incident, policy, now)
        case Publish(by):
            return _publish(incident, by, now)
        case Discard(by):
            return _discard(incident, by, now)
        case PostUpdate(by, UpdateStatus.RESOLVED, body) if incident.phase is not Phase.CLOSED:
            return _close(incident, by, body, now)
        case PostUpdate():
            return _post_update(incident, event)
        case Close(by, comment):
            return _close(incident, by, comment, now)


def _changed(incident: Incident, **changes: object) -> Incident:
    return replace(incident, version=incident.version + 1, **changes)  # type: ignore[arg-type]


def _fired(incident: Incident, event: AlertFired, now: datetime) -> Decision:
    if not incident.phase.is_open:
        return Decision(incident, Reason.ALREADY_ENDED)
    known = [alert for alert in incident.alerts if alert.entity_id == event.entity_id]
    if any(alert.recovered_at is None for alert in known):
        alerts = _each(incident, event.entity_id, _fire_again)
        return Decision(_changed(incident, alerts=alerts), Reason.ALERT_REPEATED)
    if known:
        alerts = _each(incident, event.entity_id, _fire_again)
    else:
        alerts = (*incident.alerts, JoinedAlert(event.entity_id, fired_at=now))
    if incident.phase is Phase.RECOVERED:
        # silently: the page never said that it had recovered, so there is nothing to take back
        back = _changed(incident, alerts=alerts, phase=Phase.PUBLISHED, due_at=None)
        return Decision(back, Reason.FIRED_AGAIN)
    return Decision(_changed(incident, alerts=alerts), Reason.ALERT_JOINED)


def _fire_again(alert: JoinedAlert) -> JoinedAlert:
    return replace(alert, recovered_at=None, times_fired=alert.times_fired + 1)


def _each(
    incident: Incident, entity_id: str | None, change: Callable[[JoinedAlert], JoinedAlert]
) -> tuple[JoinedAlert, ...]:
    return tuple(change(alert) if alert.entity_id == entity_id else alert for alert in incident.alerts)


def _recovered(incident: Incident, event: AlertRecovered, policy: Policy, now: datetime) -> Decision:
    if not incident.phase.is_open:
        return Decision(incident, Reason.ALREADY_ENDED)

    def is_meant(alert: JoinedAlert) -> bool:
        meant = event.entity_ids is None or alert.entity_id in event.entity_ids
        return meant and alert.recovered_at is None

    if not any(map(is_meant, incident.alerts)):
        return Decision(incident, Reason.NOTHING_TO_RECOVER)
    alerts = tuple(
        replace(alert, recovered_at=now) if is_meant(alert) else alert for alert in incident.alerts
    )
    recovered = _changed(incident, alerts=alerts)
    if not recovered.has_recovered:
        return Decision(recovered, Reason.ALERT_RECOVERED)
    match incident.phase:
        case Phase.WAITING:
            return Decision(_ended(recovered, Phase.DISCARDED, AUTOMATIC, now), Reason.RECOVERED_WITHIN_WAIT)
        case Phase.UNPUBLISHED:
            return Decision(
                _ended(recovered, Phase.DISCARDED, AUTOMATIC, now),
                Reason.RECOVERED_UNPUBLISHED,
                (TellEmployees(DeliveryKind.DISCARDED),),
            )
        case _:
            return _published_recovered(recovered, policy, now)


def _published_recovered(recovered: Incident, policy: Policy, now: datetime) -> Decision:
    if not policy.auto_close:
        left_open = replace(recovered, phase=Phase.RECOVERED, due_at=None)
        tell = TellEmployees(DeliveryKind.RECOVERED)
        return Decision(left_open, Reason.RECOVERED_LEFT_OPEN, (tell,))
    if policy.recovery_grace > timedelta(0):
        in_grace = replace(recovered, phase=Phase.RECOVERED, due_at=now + policy.recovery_grace)
        return Decision(in_grace, Reason.RECOVERED_IN_GRACE)
    return _closed(recovered, Reason.AUTO_CLOSED, Text.CLOSING_COMMENT, AUTOMATIC, now)


def _timer(incident: Incident, policy: Policy, now: datetime) -> Decision:
    if incident.due_at is None or incident.due_at > now:
        return Decision(incident, Reason.NOTHING_DUE)
    if incident.phase is Phase.WAITING:
        return _wait_elapsed(incident, policy, now)
    if incident.phase is Phase.RECOVERED:
        return _closed(_changed(incident), Reason.GRACE_ELAPSED, Text.CLOSING_COMMENT, AUTOMATIC, now)
    return Decision(incident, Reason.NOTHING_DUE)


def _wait_elapsed(incident: Incident, policy: Policy, now: datetime) -> Decision:
    if policy.auto_publish:
        return _published(_changed(incident), Reason.AUTO_PUBLISHED, AUTOMATIC, now)
    unpublished = _changed(incident, phase=Phase.UNPUBLISHED, due_at=None, notified_at=now)
    return Decision(unpublished, Reason.WAIT_ELAPSED, (TellEmployees(DeliveryKind.APPROVAL),))


def _publish(incident: Incident, by: str, now: datetime) -> Decision:
    match incident.phase:
        case Phase.WAITING | Phase.UNPUBLISHED:
            return _published(_changed(incident), Reason.PUBLISHED, by, now)
        case Phase.PUBLISHED | Phase.RECOVERED:
            return Decision(incident, Reason.REFUSED_ALREADY_PUBLISHED, by=by)
        case _:
            return Decision(incident, _refused_as_ended(incident), by=by)


def _published(changed: Incident, reason: Reason, by: str, now: datetime) -> Decision:
    published = replace(
        changed,
        phase=Phase.PUBLISHED,
        due_at=None,
        published_at=now,
        published_by=by,
        notified_at=changed.notified_at or now,
    )
    effects = (
        TellSubscribers(UpdateStatus.INVESTIGATING, Text.MESSAGE),
        TellEmployees(DeliveryKind.PUBLISHED),
    )
    return Decision(published, reason, effects, by)


def _discard(incident: Incident, by: str, now: datetime) -> Decision:
    match incident.phase:
        case Phase.WAITING | Phase.UNPUBLISHED:
            ended = _ended(_changed(incident), Phase.DISCARDED, by, now)
            # employees who never heard of it need not hear that it is gone
            tell = (TellEmployees(DeliveryKind.DISCARDED),) if incident.notified_at else ()
            return Decision(ended, Reason.DISCARDED, tell, by)
        case Phase.PUBLISHED | Phase.RECOVERED:
            return Decision(incident, Reason.REFUSED_ALREADY_PUBLISHED, by=by)
        case _:
            return Decision(incident, _refused_as_ended(incident), by=by)


def _post_update(incident: Incident, event: PostUpdate) -> Decision:
    tell = (TellSubscribers(event.status, event.body),)
    match incident.phase:
        case Phase.PUBLISHED | Phase.RECOVERED:
            return Decision(_changed(incident), Reason.UPDATE_POSTED, tell, event.by)
        case Phase.CLOSED:
            # what is closed stays closed: a later word about it reads as resolved, whatever was asked for
            tell = (TellSubscribers(UpdateStatus.RESOLVED, event.body),)
            return Decision(_changed(incident), Reason.CORRECTION_POSTED, tell, event.by)
        case Phase.WAITING | Phase.UNPUBLISHED:
            return Decision(incident, Reason.REFUSED_NOT_PUBLISHED, by=event.by)
        case _:
            return Decision(incident, Reason.REFUSED_DISCARDED, by=event.by)


def _close(incident: Incident, by: str, comment: str, now: datetime) -> Decision:
    match incident.phase:
        case Phase.PUBLISHED | Phase.RECOVERED:
            text = comment or Text.CLOSING_COMMENT
            return _closed(_changed(incident), Reason.CLOSED, text, by, now)
        case Phase.WAITING | Phase.UNPUBLISHED:
            return Decision(incident, Reason.REFUSED_NOT_PUBLISHED, by=by)
        case _:
            return Decision(incident, _refused_as_ended(incident), by=by)


def _closed(changed: Incident, reason: Reason, text: Text | str, by: str, now: datetime) -> Decision:
    effects = (TellSubscribers(UpdateStatus.RESOLVED, text), TellEmployees(DeliveryKind.CLOSED))
    return Decision(_ended(changed, Phase.CLOSED, by, now), reason, effects, by)


def _ended(changed: Incident, phase: Phase, by: str, now: datetime) -> Incident:
    return replace(changed, phase=phase, due_at=None, ended_at=now, ended_by=by)


def _refused_as_ended(incident: Incident) -> Reason:
    return Reason.REFUSED_CLOSED if incident.phase is Phase.CLOSED else Reason.REFUSED_DISCARDED
