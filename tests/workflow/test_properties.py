"""A machine that lets anything happen to an incident, against what never bends."""

from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from service.model import (
    ComponentState,
    DeliveryKind,
    IfRecovered,
    Incident,
    LastResort,
    Phase,
    Rung,
    UpdateStatus,
)
from service.workflow import (
    AlertFired,
    AlertRecovered,
    Close,
    Decision,
    Discard,
    Draft,
    Edit,
    Event,
    Hold,
    Policy,
    PostMortem,
    PostUpdate,
    Publish,
    Reason,
    TellEmployees,
    TellSubscribers,
    TimerElapsed,
    decide,
    open_incident,
)
from tests.thoroughness import examples

ALLOWED = {
    Phase.WAITING: {Phase.WAITING, Phase.UNPUBLISHED, Phase.PUBLISHED, Phase.DISCARDED},
    # the last two: what recovered before it was published, and was kept or is published as resolved
    Phase.UNPUBLISHED: {
        Phase.UNPUBLISHED,
        Phase.PUBLISHED,
        Phase.DISCARDED,
        Phase.RECOVERED,
        Phase.CLOSED,
    },
    Phase.PUBLISHED: {Phase.PUBLISHED, Phase.RECOVERED, Phase.CLOSED},
    Phase.RECOVERED: {Phase.RECOVERED, Phase.PUBLISHED, Phase.CLOSED},
    Phase.CLOSED: {Phase.CLOSED},
    Phase.DISCARDED: {Phase.DISCARDED},
}
HAVE_TIMERS = {Phase.WAITING, Phase.UNPUBLISHED, Phase.PUBLISHED, Phase.RECOVERED}
ASKED_OFTEN = {DeliveryKind.RECOVERED, DeliveryKind.APPROVAL, DeliveryKind.REMINDER}
spans = st.sampled_from([timedelta(0), timedelta(minutes=1), timedelta(hours=1)])
ENTITIES: list[str | None] = [None, "disk", "net"]
entities = st.sampled_from(ENTITIES)
people = st.sampled_from(["jordan", "sam"])
ladders = st.sampled_from(
    [
        (),
        (Rung(timedelta(minutes=10), notify=("ana",)), Rung(timedelta(minutes=20))),
        (Rung(timedelta(minutes=10)), Rung(timedelta(minutes=30), then=LastResort.PUBLISH)),
        (Rung(timedelta(minutes=10), then=LastResort.DISCARD),),
        (Rung(timedelta(minutes=10), then=LastResort.LEAVE),),
    ]
)
policies = st.builds(
    Policy,
    wait=spans,
    auto_publish=st.booleans(),
    auto_close=st.booleans(),
    recovery_grace=spans,
    ladder=ladders,
    remind_every=st.sampled_from([None, timedelta(minutes=5)]),
    approvals=st.sampled_from([1, 2]),
    if_recovered=st.sampled_from(IfRecovered),
)


class AnythingHappens(RuleBasedStateMachine):
    """Lets alerts, timers and employees act in any order on one incident, and watches it."""

    def __init__(self) -> None:
        super().__init__()
        self.now = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
        self.policy = Policy()
        self.incident: Incident | None = None
        self.told_subscribers: list[UpdateStatus] = []
        self.told_employees: list[DeliveryKind] = []
        self.quiet_since = self.now

    @initialize(policy=policies, entity=entities)
    def opened(self, policy: Policy, entity: str | None) -> None:
        """Begin with a monitor of any policy."""
        self.policy = policy
        draft = Draft(1, "victorops:x", "s", "m", "t", {}, "jordan", ("jordan", "sam"), entity)
        self.learn(open_incident(draft, self.policy, self.now))

    def learn(self, decision: Decision) -> None:
        """Take over what was decided."""
        for effect in decision.effects:
            if isinstance(effect, TellSubscribers):
                self.told_subscribers.append(effect.status)
            else:
                self.told_employees.append(effect.kind)
        self.watch_reminders(decision)
        self.incident = decision.incident

    def watch_reminders(self, decision: Decision) -> None:
        """A reminder comes while it is public and fires, and never sooner than so long after anything was told."""
        if TellEmployees(DeliveryKind.REMINDER) in decision.effects:
            assert self.incident is not None
            assert self.incident.phase is decision.incident.phase is Phase.PUBLISHED
            assert self.policy.remind_every is not None
            assert self.now - self.quiet_since >= self.policy.remind_every
        if decision.effects or decision.reason is Reason.FIRED_AGAIN:
            self.quiet_since = self.now

    def happens(self, event: Event, *, repeats: bool = False) -> None:
        """Let an event happen twice: the second time must change nothing but a repeated alert's count."""
        before = self.incident
        assert before is not None
        decision = decide(before, event, self.policy, self.now)
        assert decision.incident.phase in ALLOWED[before.phase]
        if not decision.reason.is_silent and not decision.reason.is_refusal:
            assert decision.incident.version == before.version + 1
        if decision.reason.is_refusal:
            assert decision.incident == before
            assert decision.effects == ()
        self.learn(decision)
        if not repeats:
            again = decide(decision.incident, event, self.policy, self.now)
            assert again.effects == ()
            assert again.incident.phase is decision.incident.phase

    @rule(entity=entities)
    def fires(self, entity: str | None) -> None:
        """An alert fires."""
        self.happens(AlertFired(entity))

    @rule(entity=entities, everything=st.booleans())
    def recovers(self, *, entity: str | None, everything: bool) -> None:
        """An alert recovers, or all do."""
        self.happens(AlertRecovered(frozenset(ENTITIES if everything else [entity])))

    @rule()
    def ticks(self) -> None:
        """The clock of the service ticks."""
        # several rungs may be due at once: each tick climbs one
        self.happens(TimerElapsed(), repeats=True)

    @rule(by=people)
    def is_published(self, by: str) -> None:
        """An employee publishes."""
        self.happens(Publish(by))

    @rule(by=people)
    def is_discarded(self, by: str) -> None:
        """An employee discards."""
        self.happens(Discard(by))

    @rule(by=people, span=spans)
    def is_held(self, by: str, span: timedelta) -> None:
        """An employee holds."""
        self.happens(Hold(by, span), repeats=True)

    @rule(by=people, subject=st.sampled_from(["s", "t"]), state=st.sampled_from(list(ComponentState)[1:3]))
    def is_edited(self, by: str, subject: str, state: ComponentState) -> None:
        """An employee edits."""
        before = self.incident
        self.happens(Edit(by, subject=subject, components={"Email": state}))
        assert self.incident is not None
        assert before is not None
        was, now = ((one.subject, one.components) for one in (before, self.incident))
        assert (self.incident.text_version > before.text_version) == (was != now)

    @rule(by=people, comment=st.sampled_from(["", "Fine."]))
    def is_closed(self, by: str, comment: str) -> None:
        """An employee closes."""
        self.happens(Close(by, comment))

    @rule(by=people, status=st.sampled_from(UpdateStatus))
    def is_updated(self, by: str, status: UpdateStatus) -> None:
        """An employee posts an update."""
        self.happens(PostUpdate(by, status, "More."), repeats=True)
        self.happens(PostMortem(by, "A disk was full."), repeats=True)

    @rule(span=spans)
    def time_passes(self, span: timedelta) -> None:
        """Let time pass."""
        self.now += span

    @invariant()
    def subscribers_hear_of_it_exactly_while_it_is_public(self) -> None:
        """First the opening, nothing of an unpublished one, and one closing at most before corrections."""
        if self.incident is None:
            return
        assert bool(self.told_subscribers) == self.incident.phase.is_public
        assert self.told_subscribers[:1] in ([], [UpdateStatus.INVESTIGATING], [UpdateStatus.RESOLVED])
        if self.incident.phase is Phase.CLOSED:
            assert UpdateStatus.RESOLVED in self.told_subscribers
        else:
            assert UpdateStatus.RESOLVED not in self.told_subscribers

    @invariant()
    def times_and_phase_agree(self) -> None:
        """What the row says of its times is what its phase says."""
        incident = self.incident
        if incident is None:
            return
        assert (incident.published_at is not None) == incident.phase.is_public
        assert (incident.ended_at is None) == incident.phase.is_open
        assert incident.due_at is None or incident.phase in HAVE_TIMERS
        if incident.phase is Phase.WAITING:
            assert incident.due_at is not None
        if incident.phase is Phase.PUBLISHED:
            every = self.policy.remind_every
            assert incident.due_at == (self.quiet_since + every if every else None)

    @invariant()
    def employees_hear_of_each_transition_once(self) -> None:
        """No kind of mail comes twice, save reminders, and a published incident that recovers again."""
        once = [kind for kind in self.told_employees if kind not in ASKED_OFTEN]
        assert len(once) == len(set(once))

    @invariant()
    def nobody_publishes_alone_where_two_must_agree(self) -> None:
        """An employee who published had all the approvals that the monitor wants, of this very text."""
        incident = self.incident
        if incident is not None and incident.published_by in {"jordan", "sam"}:
            assert len(set(incident.approved_by)) >= self.policy.approvals

    @invariant()
    def nobody_is_told_of_what_recovers_within_the_wait(self) -> None:
        """An incident that ended without employees having been told told nobody at all."""
        if self.incident is not None and self.incident.notified_at is None:
            assert self.told_employees == []
            assert self.told_subscribers == []


AnythingHappens.TestCase.settings = settings(
    max_examples=examples(500), stateful_step_count=30, deadline=None
)
TestAnythingHappens = AnythingHappens.TestCase
