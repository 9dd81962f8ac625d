"""A maintenance's fate: announced, reminded of, begun, ended or called off. Pure, as the state machine is.

`now` decides what is due, so that a late or double tick is safe: a window that passed while nobody was there to
tell of it is told of once, as completed, and not as begun and ended in one breath.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from service.model import AUTOMATIC, Maintenance, MaintenancePhase, UpdateStatus
from service.workflow.maintenance_words import (
    CancelMaintenance,
    EndNow,
    Extend,
    MaintenanceDecision,
    MaintenanceEvent,
    MaintenanceReason,
    Plan,
    Planned,
    PostUpdate,
    Reschedule,
    Said,
    StartNow,
    TimerElapsed,
    Wording,
)

__all__ = [
    "CancelMaintenance",
    "EndNow",
    "Extend",
    "MaintenanceDecision",
    "MaintenanceEvent",
    "MaintenanceReason",
    "Plan",
    "Planned",
    "PostUpdate",
    "Reschedule",
    "Said",
    "StartNow",
    "TimerElapsed",
    "Wording",
    "decide_maintenance",
    "draft_of",
]

HARDLY_PAST = timedelta(minutes=1)
"""Forms know minutes: what begins within this one begins now."""


def draft_of(plan: Plan, *, by: str, now: datetime, config_key: str | None = None) -> Maintenance:
    """Make of a plan what `Planned` announces; its number is given by whoever stores it."""
    return Maintenance(
        id=0,
        phase=MaintenancePhase.PLANNED,
        due_at=None,
        version=0,
        subject=plan.subject,
        message=plan.message,
        components=plan.components,
        starts_at=plan.starts_at,
        ends_at=plan.ends_at,
        planned_at=now,
        planned_by=by,
        closing_comment=plan.closing_comment,
        audience=plan.audience,
        remind_at=plan.remind_at,
        config_key=config_key,
    )


def decide_maintenance(
    maintenance: Maintenance, event: MaintenanceEvent, now: datetime
) -> MaintenanceDecision:
    """Decide what an event does to a maintenance; the same event a second time has no second effect.

    One that is planned a second time is refused with the one that is there already, in place of its draft.
    """
    match event:
        case Planned():
            return _planned(maintenance, event, now)
        case TimerElapsed():
            return _timer_elapsed(maintenance, now)
        case StartNow():
            return _start_now(maintenance, event.by, now)
        case EndNow():
            return _end_now(maintenance, event, now)
        case Extend():
            return _extend(maintenance, event, now)
        case Reschedule():
            return _reschedule(maintenance, event, now)
        case PostUpdate():
            return _post_update(maintenance, event)
        case CancelMaintenance():
            return _cancel(maintenance, event, now)


def _planned(draft: Maintenance, event: Planned, now: datetime) -> MaintenanceDecision:
    if draft.version:
        return MaintenanceDecision(draft, MaintenanceReason.REFUSED_THE_SAME, by=event.by)
    same = next((one for one in event.beside if _announced(one) == _announced(draft)), None)
    if same is not None:
        return MaintenanceDecision(same, MaintenanceReason.REFUSED_PLANNED_ALREADY, by=event.by)
    earliest = draft.starts_at if event.may_have_begun else now - HARDLY_PAST
    if refusal := _refused_window(draft.starts_at, draft.ends_at, earliest, now):
        return MaintenanceDecision(draft, refusal, by=event.by)
    if draft.starts_at <= now:
        on = _changed(draft, phase=MaintenancePhase.ON, started_at=draft.starts_at)
        said = Said(UpdateStatus.IN_PROGRESS, Wording.MESSAGE)
        return MaintenanceDecision(on, MaintenanceReason.PLANNED_AND_STARTED, (said,), event.by)
    said = Said(UpdateStatus.SCHEDULED, Wording.MESSAGE)
    announced = _changed(draft, remind_at=_ahead(draft.remind_at, draft.starts_at, now))
    return MaintenanceDecision(announced, MaintenanceReason.PLANNED, (said,), event.by)


def _timer_elapsed(maintenance: Maintenance, now: datetime) -> MaintenanceDecision:
    if maintenance.due_at is None or maintenance.due_at > now:
        return MaintenanceDecision(maintenance, MaintenanceReason.NOTHING_DUE)
    if maintenance.phase is MaintenancePhase.ON:
        return _over(maintenance, MaintenanceReason.ENDED, maintenance.ends_at)
    if now >= maintenance.ends_at:
        missed = replace(maintenance, started_at=maintenance.starts_at)
        return _over(missed, MaintenanceReason.PASSED, maintenance.ends_at)
    if now >= maintenance.starts_at:
        return _begun(maintenance, maintenance.starts_at)
    said = Said(UpdateStatus.SCHEDULED, Wording.REMINDER)
    return MaintenanceDecision(_changed(maintenance, remind_at=None), MaintenanceReason.REMINDED, (said,))


def _start_now(maintenance: Maintenance, by: str, now: datetime) -> MaintenanceDecision:
    if refusal := _refused_phase(maintenance, {MaintenancePhase.PLANNED}):
        return MaintenanceDecision(maintenance, refusal, by=by)
    if now >= maintenance.ends_at:
        return MaintenanceDecision(maintenance, MaintenanceReason.REFUSED_IN_THE_PAST, by=by)
    return _begun(maintenance, now, by)


def _end_now(maintenance: Maintenance, event: EndNow, now: datetime) -> MaintenanceDecision:
    if refusal := _refused_phase(maintenance, {MaintenancePhase.ON}):
        return MaintenanceDecision(maintenance, refusal, by=event.by)
    ended_at = max(now, maintenance.started_at or now)
    return _over(maintenance, MaintenanceReason.ENDED, ended_at, event.by, event.comment)


def _extend(maintenance: Maintenance, event: Extend, now: datetime) -> MaintenanceDecision:
    refusal = _refused_phase(maintenance, {MaintenancePhase.ON})
    if refusal is None and event.ends_at == maintenance.ends_at:
        refusal = MaintenanceReason.REFUSED_THE_SAME
    started_at = maintenance.started_at or maintenance.starts_at
    refusal = refusal or _refused_window(started_at, event.ends_at, started_at, now)
    if refusal:
        return MaintenanceDecision(maintenance, refusal, by=event.by)
    said = Said(UpdateStatus.IN_PROGRESS, Wording.EXTENDED)
    after = _changed(maintenance, ends_at=event.ends_at)
    return MaintenanceDecision(after, MaintenanceReason.EXTENDED, (said,), event.by)


def _reschedule(maintenance: Maintenance, event: Reschedule, now: datetime) -> MaintenanceDecision:
    plan = event.plan
    refusal = _refused_as_begun(maintenance, now)
    earliest = plan.starts_at if event.may_have_begun else now - HARDLY_PAST
    refusal = refusal or _refused_window(plan.starts_at, plan.ends_at, earliest, now)
    if refusal:
        return MaintenanceDecision(maintenance, refusal, by=event.by)
    after = replace(
        maintenance,
        subject=plan.subject,
        message=plan.message,
        components=plan.components,
        audience=plan.audience,
        closing_comment=plan.closing_comment,
        starts_at=plan.starts_at,
        ends_at=plan.ends_at,
        remind_at=_ahead(plan.remind_at, plan.starts_at, now),
    )
    if after == maintenance:
        return MaintenanceDecision(maintenance, MaintenanceReason.REFUSED_THE_SAME, by=event.by)
    # its timer is set anew; what is to begin this very minute begins at the next tick
    after = _changed(after)
    if (plan.starts_at, plan.ends_at) != (maintenance.starts_at, maintenance.ends_at):
        said: tuple[Said, ...] = (Said(UpdateStatus.SCHEDULED, Wording.MOVED),)
        return MaintenanceDecision(after, MaintenanceReason.RESCHEDULED, said, event.by)
    shown = (plan.subject, plan.message, plan.components)
    is_news = shown != (maintenance.subject, maintenance.message, maintenance.components)
    said = (Said(UpdateStatus.SCHEDULED, Wording.MESSAGE),) if is_news else ()
    return MaintenanceDecision(after, MaintenanceReason.REWORDED, said, event.by)


_STATUSES = {
    MaintenancePhase.PLANNED: UpdateStatus.SCHEDULED,
    MaintenancePhase.ON: UpdateStatus.IN_PROGRESS,
    MaintenancePhase.DONE: UpdateStatus.COMPLETED,
}


def _post_update(maintenance: Maintenance, event: PostUpdate) -> MaintenanceDecision:
    """Tell more at any time, also when it is done, but not of what was called off; nor the same twice in a row."""
    if refusal := _refused_phase(maintenance, {*_STATUSES}):
        return MaintenanceDecision(maintenance, refusal, by=event.by)
    said = Said(_STATUSES[maintenance.phase], event.body)
    if event.said_last == (said.status, said.body):
        return MaintenanceDecision(maintenance, MaintenanceReason.REFUSED_TEXT_THE_SAME, by=event.by)
    return MaintenanceDecision(_changed(maintenance), MaintenanceReason.UPDATE_POSTED, (said,), event.by)


def _cancel(maintenance: Maintenance, event: CancelMaintenance, now: datetime) -> MaintenanceDecision:
    if refusal := _refused_as_begun(maintenance, now):
        return MaintenanceDecision(maintenance, refusal, by=event.by)
    off = _changed(maintenance, phase=MaintenancePhase.CANCELLED, ended_at=now, remind_at=None)
    said = Said(UpdateStatus.COMPLETED, event.comment or Wording.CALLED_OFF)
    return MaintenanceDecision(off, MaintenanceReason.CANCELLED, (said,), event.by)


def _begun(maintenance: Maintenance, at: datetime, by: str = AUTOMATIC) -> MaintenanceDecision:
    # begun before its time, its window begins then: whatever its end is moved to, it is after that
    starts_at = min(maintenance.starts_at, at)
    on = _changed(maintenance, phase=MaintenancePhase.ON, started_at=at, starts_at=starts_at, remind_at=None)
    said = Said(UpdateStatus.IN_PROGRESS, Wording.BEGUN)
    return MaintenanceDecision(on, MaintenanceReason.STARTED, (said,), by)


def _over(
    maintenance: Maintenance, reason: MaintenanceReason, at: datetime, by: str = AUTOMATIC, comment: str = ""
) -> MaintenanceDecision:
    done = _changed(maintenance, phase=MaintenancePhase.DONE, ended_at=at, remind_at=None)
    said = Said(UpdateStatus.COMPLETED, comment or Wording.CLOSING_COMMENT)
    return MaintenanceDecision(done, reason, (said,), by)


def _announced(one: Maintenance) -> tuple[object, ...]:
    """Give that by which readers know one from another."""
    who, what = frozenset(one.audience), frozenset(one.components)
    return one.subject, one.message, what, who, one.starts_at, one.ends_at


def _changed(maintenance: Maintenance, **values: object) -> Maintenance:
    """Give its next version, with the timer that its new state wants."""
    after = replace(maintenance, version=maintenance.version + 1, **values)  # type: ignore[arg-type] # its own fields
    match after.phase:
        case MaintenancePhase.PLANNED:
            due_at: datetime | None = after.remind_at or after.starts_at
        case MaintenancePhase.ON:
            due_at = after.ends_at
        case _:
            due_at = None
    return replace(after, due_at=due_at)


def _ahead(remind_at: datetime | None, starts_at: datetime, now: datetime) -> datetime | None:
    """Keep a reminder that is still to come; where its time has passed, the announcement itself reminds."""
    return remind_at if remind_at is not None and now < remind_at < starts_at else None


def _refused_window(
    starts_at: datetime, ends_at: datetime, earliest: datetime, now: datetime
) -> MaintenanceReason | None:
    if ends_at <= starts_at:
        return MaintenanceReason.REFUSED_ENDS_BEFORE_IT_STARTS
    if ends_at <= now or starts_at < earliest:
        return MaintenanceReason.REFUSED_IN_THE_PAST
    return None


def _refused_as_begun(maintenance: Maintenance, now: datetime) -> MaintenanceReason | None:
    # once its hour has come alerts are kept back, though its timer may not have fired: they are taken up at its end
    if maintenance.phase is MaintenancePhase.PLANNED and now >= maintenance.starts_at:
        return MaintenanceReason.REFUSED_ON
    return _refused_phase(maintenance, {MaintenancePhase.PLANNED})


def _refused_phase(maintenance: Maintenance, wanted: set[MaintenancePhase]) -> MaintenanceReason | None:
    if maintenance.phase in wanted:
        return None
    return {
        MaintenancePhase.PLANNED: MaintenanceReason.REFUSED_NOT_ON,
        MaintenancePhase.ON: MaintenanceReason.REFUSED_ON,
        MaintenancePhase.DONE: MaintenanceReason.REFUSED_DONE,
        MaintenancePhase.CANCELLED: MaintenanceReason.REFUSED_CANCELLED,
    }[maintenance.phase]
