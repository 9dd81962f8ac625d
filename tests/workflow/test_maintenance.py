"""A maintenance's fate, row by row, and whatever may happen to it in any order."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.model import AUTOMATIC, Maintenance, MaintenancePhase, UpdateStatus
from service.workflow.maintenance import (
    CancelMaintenance,
    EndNow,
    Extend,
    MaintenanceEvent,
    Plan,
    Planned,
    PostUpdate,
    Reschedule,
    Said,
    StartNow,
    TimerElapsed,
    Wording,
    decide_maintenance,
    draft_of,
)
from service.workflow.maintenance import MaintenanceReason as Reason

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
START, END = NOW + 24 * HOUR, NOW + 26 * HOUR
PLAN = Plan(
    "Upgrade", "We **upgrade**.", ("Email",), START, END, remind_at=START - HOUR, closing_comment="Done."
)
SCHEDULED, IN_PROGRESS, COMPLETED = (
    UpdateStatus.SCHEDULED,
    UpdateStatus.IN_PROGRESS,
    UpdateStatus.COMPLETED,
)


def planned(plan: Plan = PLAN, now: datetime = NOW) -> Maintenance:
    return decide_maintenance(draft_of(plan, by="jordan", now=now), Planned("jordan"), now).maintenance


def at(phase: MaintenancePhase) -> Maintenance:
    """Give one that is in a phase."""
    ahead = planned()
    on = decide_maintenance(ahead, StartNow("jordan"), NOW + HOUR).maintenance
    return {
        MaintenancePhase.PLANNED: ahead,
        MaintenancePhase.ON: on,
        MaintenancePhase.DONE: decide_maintenance(on, EndNow("jordan"), NOW + 2 * HOUR).maintenance,
        MaintenancePhase.CANCELLED: decide_maintenance(ahead, CancelMaintenance("jordan"), NOW).maintenance,
    }[phase]


def test_what_is_planned_is_announced_and_waits_for_its_reminder() -> None:
    decision = decide_maintenance(draft_of(PLAN, by="jordan", now=NOW), Planned("jordan"), NOW)
    assert (decision.reason, decision.by) == (Reason.PLANNED, "jordan")
    assert decision.updates == (Said(SCHEDULED, Wording.MESSAGE),)
    assert (decision.maintenance.phase, decision.maintenance.due_at) == (
        MaintenancePhase.PLANNED,
        START - HOUR,
    )


def test_a_whole_life_by_its_timer() -> None:
    told, maintenance, now = [], planned(), NOW
    while maintenance.due_at is not None:
        now = maintenance.due_at
        decision = decide_maintenance(maintenance, TimerElapsed(), now)
        maintenance = decision.maintenance
        told += [(now, decision.reason, said) for said in decision.updates]
        assert decision.by == AUTOMATIC
    assert told == [
        (START - HOUR, Reason.REMINDED, Said(SCHEDULED, Wording.REMINDER)),
        (START, Reason.STARTED, Said(IN_PROGRESS, Wording.BEGUN)),
        (END, Reason.ENDED, Said(COMPLETED, Wording.CLOSING_COMMENT)),
    ]
    assert (maintenance.started_at, maintenance.ended_at) == (START, END)


@pytest.mark.parametrize("remind_at", [None, NOW - HOUR, NOW, START, START + HOUR])
def test_a_reminder_that_would_not_come_between_is_left_out(remind_at: datetime | None) -> None:
    maintenance = planned(replace(PLAN, remind_at=remind_at))
    assert (maintenance.remind_at, maintenance.due_at) == (None, START)


@pytest.mark.parametrize(
    ("woke_at", "reason", "status"),
    [
        (START - timedelta(minutes=5), Reason.REMINDED, SCHEDULED),
        (START + HOUR, Reason.STARTED, IN_PROGRESS),
        (END, Reason.PASSED, COMPLETED),
        (END + 100 * HOUR, Reason.PASSED, COMPLETED),
    ],
)
def test_who_was_away_tells_what_is_true_now_in_one_update(
    woke_at: datetime, reason: Reason, status: UpdateStatus
) -> None:
    decision = decide_maintenance(planned(), TimerElapsed(), woke_at)
    assert (decision.reason, [said.status for said in decision.updates]) == (reason, [status])
    again = decide_maintenance(decision.maintenance, TimerElapsed(), woke_at)
    assert (again.reason, again.updates) == (Reason.NOTHING_DUE, ())


def test_one_that_passed_unattended_has_its_planned_hours() -> None:
    passed = decide_maintenance(planned(), TimerElapsed(), END + HOUR).maintenance
    assert (passed.started_at, passed.ended_at) == (START, END)


def test_who_was_away_from_its_midst_on_tells_of_its_end_alone() -> None:
    on = decide_maintenance(planned(), TimerElapsed(), START).maintenance
    decision = decide_maintenance(on, TimerElapsed(), END + HOUR)
    assert (decision.reason, decision.maintenance.ended_at) == (Reason.ENDED, END)
    assert decision.updates == (Said(COMPLETED, Wording.CLOSING_COMMENT),)


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "reason"),
    [
        (NOW - 3 * HOUR, NOW - HOUR, Reason.REFUSED_IN_THE_PAST),
        (NOW - HOUR, NOW + HOUR, Reason.REFUSED_IN_THE_PAST),
        (NOW - timedelta(seconds=30), NOW, Reason.REFUSED_IN_THE_PAST),
        (START, START, Reason.REFUSED_ENDS_BEFORE_IT_STARTS),
        (END, START, Reason.REFUSED_ENDS_BEFORE_IT_STARTS),
    ],
)
def test_a_window_that_cannot_be_is_refused(starts_at: datetime, ends_at: datetime, reason: Reason) -> None:
    plan = replace(PLAN, starts_at=starts_at, ends_at=ends_at)
    draft = draft_of(plan, by="jordan", now=NOW)
    for event, one in ((Planned("jordan"), draft), (Reschedule("jordan", plan), planned())):
        decision = decide_maintenance(one, event, NOW)
        assert (decision.reason, decision.maintenance, decision.updates) == (reason, one, ())


def test_what_begins_this_minute_begins_with_its_announcement() -> None:
    plan = replace(PLAN, starts_at=NOW - timedelta(seconds=40))
    decision = decide_maintenance(draft_of(plan, by="jordan", now=NOW), Planned("jordan"), NOW)
    assert (decision.reason, decision.maintenance.phase) == (Reason.PLANNED_AND_STARTED, MaintenancePhase.ON)
    assert decision.updates == (Said(IN_PROGRESS, Wording.MESSAGE),)


def test_a_window_of_the_file_may_have_begun_but_not_be_over() -> None:
    event = Planned(AUTOMATIC, may_have_begun=True)
    draft = draft_of(replace(PLAN, starts_at=NOW - HOUR), by=AUTOMATIC, now=NOW)
    assert decide_maintenance(draft, event, NOW).reason is Reason.PLANNED_AND_STARTED
    assert decide_maintenance(draft, event, END).reason is Reason.REFUSED_IN_THE_PAST


ORDERS: dict[str, MaintenanceEvent] = {
    "start": StartNow("sam"),
    "end": EndNow("sam", "Over."),
    "extend": Extend("sam", END + HOUR),
    "move": Reschedule("sam", replace(PLAN, starts_at=START + HOUR, ends_at=END + HOUR)),
    "tell": PostUpdate("sam", "Half done."),
    "cancel": CancelMaintenance("sam"),
}


@pytest.mark.parametrize(
    ("phase", "order", "reason", "said"),
    [
        (MaintenancePhase.PLANNED, "start", Reason.STARTED, Said(IN_PROGRESS, Wording.BEGUN)),
        (MaintenancePhase.PLANNED, "end", Reason.REFUSED_NOT_ON, None),
        (MaintenancePhase.PLANNED, "extend", Reason.REFUSED_NOT_ON, None),
        (MaintenancePhase.PLANNED, "move", Reason.RESCHEDULED, Said(SCHEDULED, Wording.MOVED)),
        (MaintenancePhase.PLANNED, "tell", Reason.UPDATE_POSTED, Said(SCHEDULED, "Half done.")),
        (MaintenancePhase.PLANNED, "cancel", Reason.CANCELLED, Said(COMPLETED, Wording.CALLED_OFF)),
        (MaintenancePhase.ON, "start", Reason.REFUSED_ON, None),
        (MaintenancePhase.ON, "end", Reason.ENDED, Said(COMPLETED, "Over.")),
        (MaintenancePhase.ON, "extend", Reason.EXTENDED, Said(IN_PROGRESS, Wording.EXTENDED)),
        (MaintenancePhase.ON, "move", Reason.REFUSED_ON, None),
        (MaintenancePhase.ON, "tell", Reason.UPDATE_POSTED, Said(IN_PROGRESS, "Half done.")),
        (MaintenancePhase.ON, "cancel", Reason.REFUSED_ON, None),
        (MaintenancePhase.DONE, "tell", Reason.UPDATE_POSTED, Said(COMPLETED, "Half done.")),
        *(
            (MaintenancePhase.DONE, name, Reason.REFUSED_DONE, None)
            for name in ("start", "end", "extend", "move", "cancel")
        ),
        *((MaintenancePhase.CANCELLED, name, Reason.REFUSED_CANCELLED, None) for name in ORDERS),
    ],
)
def test_what_an_order_does_in_each_phase(
    phase: MaintenancePhase, order: str, reason: Reason, said: Said | None
) -> None:
    before = at(phase)
    decision = decide_maintenance(before, ORDERS[order], NOW + 3 * HOUR)
    assert (decision.reason, decision.by) == (reason, "sam")
    assert decision.updates == ((said,) if said else ())
    assert (decision.maintenance is before) is reason.is_refusal


@pytest.mark.parametrize("order", ["move", "cancel"])
@pytest.mark.parametrize("now", [START, END + HOUR])
def test_once_its_hour_has_come_it_is_on_though_its_timer_has_not_fired(order: str, now: datetime) -> None:
    assert decide_maintenance(planned(), ORDERS[order], now).reason is Reason.REFUSED_ON


def test_one_that_begins_before_its_time_may_end_before_it() -> None:
    on = decide_maintenance(planned(), StartNow("sam"), NOW).maintenance
    assert (on.starts_at, on.started_at, on.due_at) == (NOW, NOW, END)
    shorter = decide_maintenance(on, Extend("sam", NOW + HOUR), NOW).maintenance
    assert (shorter.starts_at, shorter.due_at) == (NOW, NOW + HOUR)


def test_an_end_without_a_comment_says_its_own() -> None:
    decision = decide_maintenance(at(MaintenancePhase.ON), EndNow("sam"), NOW + 2 * HOUR)
    assert decision.updates == (Said(COMPLETED, Wording.CLOSING_COMMENT),)
    assert decision.maintenance.ended_at == NOW + 2 * HOUR


@pytest.mark.parametrize(
    ("ends_at", "reason"),
    [
        (END, Reason.REFUSED_THE_SAME),
        (NOW + 2 * HOUR, Reason.REFUSED_IN_THE_PAST),
        (NOW, Reason.REFUSED_ENDS_BEFORE_IT_STARTS),
        (NOW + 4 * HOUR, Reason.EXTENDED),
    ],
)
def test_what_is_on_may_end_at_any_time_ahead(ends_at: datetime, reason: Reason) -> None:
    decision = decide_maintenance(at(MaintenancePhase.ON), Extend("sam", ends_at), NOW + 3 * HOUR)
    assert decision.reason is reason
    if reason is Reason.EXTENDED:
        assert decision.maintenance.due_at == ends_at


def test_one_that_is_moved_is_reminded_of_anew() -> None:
    reminded = decide_maintenance(planned(), TimerElapsed(), START - HOUR).maintenance
    later = replace(PLAN, starts_at=START + 24 * HOUR, ends_at=END + 24 * HOUR, remind_at=START + 23 * HOUR)
    moved = decide_maintenance(reminded, Reschedule("sam", later), START - HOUR).maintenance
    assert moved.due_at == START + 23 * HOUR


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"message": "We *upgrade*."}, (Said(SCHEDULED, Wording.MESSAGE),)),
        ({"subject": "An upgrade"}, (Said(SCHEDULED, Wording.MESSAGE),)),
        ({"components": ("Calendar",)}, (Said(SCHEDULED, Wording.MESSAGE),)),
        ({"closing_comment": "Ready."}, ()),
        ({"audience": ("Partners",)}, ()),
    ],
)
def test_other_words_are_told_where_subscribers_read_them(
    change: dict[str, object], told: tuple[Said, ...]
) -> None:
    anew = replace(PLAN, **change)  # type: ignore[arg-type] # its own fields
    decision = decide_maintenance(planned(), Reschedule("sam", anew), NOW)
    assert (decision.reason, decision.updates) == (Reason.REWORDED, told)


def test_planning_the_same_again_changes_nothing() -> None:
    assert decide_maintenance(planned(), Reschedule("sam", PLAN), NOW).reason is Reason.REFUSED_THE_SAME
    assert decide_maintenance(planned(), Planned("sam"), NOW).reason is Reason.REFUSED_THE_SAME


@pytest.mark.parametrize("phase", [MaintenancePhase.PLANNED, MaintenancePhase.ON, MaintenancePhase.DONE])
def test_the_same_text_twice_in_a_row_is_told_once(phase: MaintenancePhase) -> None:
    before = at(phase)
    first = decide_maintenance(before, PostUpdate("sam", "We begin soon."), NOW)
    (said,) = first.updates
    assert isinstance(said.body, str)
    again = PostUpdate("sam", "We begin soon.", (said.status, said.body))
    decision = decide_maintenance(first.maintenance, again, NOW)
    assert (decision.reason, decision.updates) == (Reason.REFUSED_TEXT_THE_SAME, ())
    assert decision.maintenance is first.maintenance
    assert decide_maintenance(before, replace(again, body="Now."), NOW).reason is Reason.UPDATE_POSTED


def test_the_same_text_is_news_where_it_is_said_of_what_has_begun_since() -> None:
    event = PostUpdate("sam", "As planned.", (SCHEDULED, "As planned."))
    assert decide_maintenance(at(MaintenancePhase.ON), event, NOW).reason is Reason.UPDATE_POSTED


def test_what_was_called_off_says_so_whatever_was_said_last() -> None:
    event = PostUpdate("sam", "No.", (COMPLETED, "No."))
    assert decide_maintenance(at(MaintenancePhase.CANCELLED), event, NOW).reason is Reason.REFUSED_CANCELLED


@pytest.mark.parametrize("now", [NOW, START + HOUR])
def test_a_second_one_that_is_the_same_is_refused_with_the_first(now: datetime) -> None:
    first = replace(planned(replace(PLAN, components=("Email", "Calendar"))), id=7)
    anew = replace(PLAN, components=("Calendar", "Email"), remind_at=None)
    event = Planned("sam", beside=(replace(first, id=6, subject="Cables"), first))
    decision = decide_maintenance(draft_of(anew, by="sam", now=now), event, now)
    assert (decision.reason, decision.by) == (Reason.REFUSED_PLANNED_ALREADY, "sam")
    assert (decision.maintenance, decision.updates) == (first, ())


@pytest.mark.parametrize(
    "change",
    [
        {"subject": "Cables"},
        {"message": "We change cables."},
        {"components": ("Email", "Calendar")},
        {"audience": ("Partners",)},
        {"starts_at": START + HOUR},
        {"ends_at": END + HOUR},
    ],
)
def test_one_that_differs_in_what_or_which_readers_see_is_another(change: dict[str, object]) -> None:
    anew = replace(PLAN, **change)  # type: ignore[arg-type] # its own fields
    event = Planned("sam", beside=(planned(),))
    assert decide_maintenance(draft_of(anew, by="sam", now=NOW), event, NOW).reason is Reason.PLANNED


SPANS = st.integers(-30, 60).map(lambda hours: hours * HOUR)
EVENTS: st.SearchStrategy[MaintenanceEvent] = st.one_of(
    st.just(TimerElapsed()),
    st.just(StartNow("sam")),
    st.builds(EndNow, st.just("sam"), st.sampled_from(["", "Over."])),
    st.builds(lambda span: Extend("sam", NOW + span), SPANS),
    st.builds(
        lambda start, length: Reschedule(
            "sam", replace(PLAN, starts_at=NOW + start, ends_at=NOW + start + length)
        ),
        SPANS,
        SPANS,
    ),
    st.just(PostUpdate("sam", "More.")),
    st.just(CancelMaintenance("sam")),
)
HAPPENINGS = st.lists(st.tuples(st.integers(0, 8).map(lambda hours: hours * HOUR), EVENTS), max_size=12)
ORDER = [MaintenancePhase.PLANNED, MaintenancePhase.ON, MaintenancePhase.DONE]


@given(HAPPENINGS)
def test_whatever_happens_it_goes_forward_and_has_a_timer_until_it_is_over(
    happenings: list[tuple[timedelta, MaintenanceEvent]],
) -> None:
    maintenance, now, told = planned(), NOW, [SCHEDULED]
    for passed, event in happenings:
        now += passed
        before = maintenance
        decision = decide_maintenance(before, event, now)
        maintenance = decision.maintenance
        told += [said.status for said in decision.updates]
        assert len(decision.updates) <= 1
        assert maintenance.version == before.version + (maintenance is not before)
        assert (maintenance.due_at is None) is maintenance.phase.is_over
        assert maintenance.starts_at < maintenance.ends_at
        if maintenance.phase is not MaintenancePhase.CANCELLED:
            assert ORDER.index(before.phase) <= ORDER.index(maintenance.phase)
        if before.phase.is_over:
            assert maintenance.phase is before.phase
        if decision.reason.is_refusal:
            assert maintenance is before
    assert told == sorted(told, key=[SCHEDULED, IN_PROGRESS, COMPLETED].index)


@given(HAPPENINGS)
def test_a_timer_fires_once(happenings: list[tuple[timedelta, MaintenanceEvent]]) -> None:
    maintenance, now = planned(), NOW
    for passed, event in happenings:
        now += passed
        maintenance = decide_maintenance(maintenance, event, now).maintenance
        fired = decide_maintenance(maintenance, TimerElapsed(), now).maintenance
        assert fired.due_at is None or fired.due_at > now
        maintenance = fired
