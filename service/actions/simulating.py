"""What would happen: posts and answers go through the real actions on a virtual clock, in a house that is thrown away.

Nothing is sent, nothing is kept, and no network is used. One example subscriber stands for all; planned maintenance
is left out, so that no alert is kept back.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Final

from service.actions.alerts import fire_timer, take_alerts
from service.actions.house import House
from service.actions.recording_states import record_at_start
from service.actions.replying import act_on_reply
from service.actions.simulated_sending import Compose, read_page, send_all
from service.actions.simulation import Cause, GivenPost, Match, SimulatedMail, Simulation, Step
from service.config.settings import Config
from service.errors import PostUnreadable, ProviderUnknown
from service.mail.authenticity import Judgement, Verdict
from service.mail.tokens import hash_token, make_token, reply_address
from service.mail.words import vocabulary
from service.model import Alert, Delivery, DeliveryKind, Employee, Incident, Phase, SubscriberState
from service.providers.matching import match_monitor, state_for
from service.providers.registry import read_post
from service.store import inbox_rows, incidents, subscribers
from service.store.database import Store
from service.store.inbox_rows import Arrival, Door, InboxState
from service.store.throwaway import throwaway_store
from service.workflow import Reason

LOOKED_AT: Final = 60
"""The newest incidents, which each step may have changed; of older ones those that are still open."""
READER: Final = "subscriber@reader.example"
"""The example subscriber; the domain exists nowhere (RFC 2606)."""
UNREADABLE: Final = "unreadable"

_OWN_ADDRESS: Final = "status@replycast.example"
_KEY: Final = bytes(32)
_JUDGED: Final = Judgement(Verdict.YES, "it is simulated")

RenderPage = Callable[[House], str]


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where a simulation ends that would go on for days; a mail takes some hundredths of a second to compose."""

    steps: int = 60
    mails: int = 60


USUAL: Final = Bounds()


def simulate(
    config: Config,
    posts: Sequence[GivenPost],
    until: timedelta,
    *,
    start: datetime,
    compose: Compose | None,
    publish_after: timedelta | None = None,
    render_page: RenderPage | None = None,
    bounds: Bounds = USUAL,
) -> Simulation:
    """Let posts arrive at a service with this configuration and nothing open, and say all that would come of it.

    `until` counts from the start, as the posts' times do. With `publish_after` those who are asked about an incident
    answer `publish` so long after they were, as many as must approve. `compose` makes a mail of a delivery (None:
    mails have no texts), and `render_page` what readers of the status page would see.
    """
    with throwaway_store() as store:
        run = _Run(_house(config, store, start), start, compose, render_page, publish_after)
        waiting = sorted((one for one in posts if one.after <= until), key=lambda given: given.after)
        while len(run.steps) < bounds.steps and run.mails < bounds.mails:
            # a post that comes at the very time of a timer is taken first, as in life
            if waiting and not run.acts_by_itself(waiting[0].after - timedelta.resolution):
                run.take(waiting.pop(0))
            elif not waiting and not run.acts_by_itself(until):
                return Simulation(start, until, tuple(run.steps))
        return Simulation(start, until, tuple(run.steps), is_cut=True)


def _house(config: Config, store: Store, start: datetime) -> House:
    """Build a house with its own address and key, and move the example subscriber in."""
    numbers = count(1)
    house = House(
        store=store,
        config=config,
        key=_KEY,
        own_address=config.mail.sender_address if config.mail else _OWN_ADDRESS,
        instance_id="simulation",
        new_id=lambda: f"{next(numbers):032x}",
        look_up=lambda _: None,
        vocabulary=vocabulary(config.replies.languages, config.replies.words),
    )
    groups = [group for monitor in config.monitors for group in monitor.audience]
    with store.transaction() as connection:
        record_at_start(connection, config, start)
        reader = subscribers.add(
            connection,
            public_id=house.new_id(),
            address=READER,
            unsubscribe_hash=hash_token(READER),
            now=start,
        )
        subscribers.set_state(connection, reader.id, SubscriberState.CONFIRMED, confirmed_at=start)
        subscribers.choose(connection, reader.id, components=None, groups=list(dict.fromkeys(groups)))
    return house


@dataclass(frozen=True, slots=True)
class _Answer:
    """An employee's, about an incident, at a time of the virtual clock."""

    after: timedelta
    incident_id: int


class _Run:
    """The house that is thrown away, and what has happened in it so far."""

    def __init__(
        self,
        house: House,
        start: datetime,
        compose: Compose | None,
        render_page: RenderPage | None,
        publish_after: timedelta | None,
    ) -> None:
        self.steps: list[Step] = []
        self.mails = 0
        self._house = house
        self._start = start
        self._compose = compose
        self._render_page = render_page
        self._publish_after = publish_after
        self._answers: list[_Answer] = []
        self._answered: set[int] = set()
        self._asked: dict[tuple[int | None, str | None], Delivery] = {}
        """By incident and employee: the last mail that asked."""
        self._versions: dict[int, int] = {}
        self._open: set[int] = set()
        """Those that may still change, when it was looked last."""

    def take(self, given: GivenPost) -> None:
        """Let a post arrive and be worked off."""
        house, now = self._house, self._start + given.after
        blank = Step(given.after, now, Cause.POST, "a post that cannot be read", UNREADABLE)
        inbox_id = self._received(Arrival(Door.WEBHOOK, now, given.post.body, provider=given.provider))
        try:
            content = read_post(given.provider, given.post, house.config.readings)
        except (PostUnreadable, ProviderUnknown) as error:
            with house.store.transaction() as connection:
                inbox_rows.finish(connection, inbox_id, InboxState.REFUSED, reason=UNREADABLE)
            self._note(replace(blank, complaint=str(error)))
            return
        alerts = content.alerts
        take_alerts(house, inbox_id, alerts, now, complaint=content.complaint)
        said = "; ".join(f"{alert.monitor_name}: {alert.raw_state or alert.state}" for alert in alerts)
        reason, explanation = self._outcome(inbox_id)
        matches = tuple(self._match(alert) for alert in alerts)
        step = replace(blank, given=said, reason=reason, explanation=explanation, matches=matches)
        self._note(replace(step, lost=content.complaint))

    def acts_by_itself(self, until: timedelta) -> bool:
        """Let what comes next without a post happen, a timer or an answer; False: nothing does until a time."""
        with self._house.store.reading() as connection:
            due = incidents.due_ids(connection, self._start + until, limit=1)
            timed = incidents.get(connection, due[0]) if due else None
        timer = timed.due_at - self._start if timed is not None and timed.due_at is not None else None
        answer = min(self._answers, key=lambda one: one.after, default=None)
        if answer is not None and answer.after <= min(until, until if timer is None else timer):
            self._answers.remove(answer)
            self._answer(answer)
            return True
        if timed is None or timer is None:
            return False
        # one that was set into the past is fired at the time of the step that set it
        after = max(timer, self.steps[-1].after) if self.steps else timer
        reason = fire_timer(self._house, timed.id, self._start + after) or Reason.NOTHING_DUE
        said = f"the time of {timed.tag} has come"
        self._note(Step(after, self._start + after, Cause.TIMER, said, reason))
        return True

    def _answer(self, answer: _Answer) -> None:
        """Let those who were asked answer, one after the other, as long as more of them must approve."""
        now = self._start + answer.after
        for employee in self._house.config.employees.values():
            asked = self._asked.get((answer.incident_id, employee.id))
            if asked is None or not employee.may_publish:
                continue
            reason, explanation = self._reply(answer, employee, asked)
            said = f"{employee.name} answers `publish`"
            self._note(Step(answer.after, now, Cause.REPLY, said, reason, explanation))
            if reason != Reason.APPROVED:
                return

    def _reply(self, answer: _Answer, employee: Employee, asked: Delivery) -> tuple[str, str]:
        """Answer a mail as its recipient would."""
        house, now = self._house, self._start + answer.after
        to = reply_address(house.own_address, make_token(house.key, asked.public_id))
        head = f"From: {employee.email}\r\nTo: {to}\r\nSubject: Re: INC-{answer.incident_id}\r\n"
        raw = f"{head}Content-Type: text/plain; charset=utf-8\r\n\r\npublish\r\n".encode()
        inbox_id = self._received(Arrival(Door.MAIL, now, raw))
        reason = act_on_reply(house, inbox_id, house.read_reply(raw), _JUDGED, now)
        return reason, self._outcome(inbox_id)[1]

    def _received(self, arrival: Arrival) -> int:
        with self._house.store.transaction() as connection:
            return inbox_rows.add_many(connection, [arrival])[0]

    def _outcome(self, inbox_id: int) -> tuple[str, str]:
        with self._house.store.reading() as connection:
            row = inbox_rows.get(connection, inbox_id)
        return (row.reason, row.explanation) if row else ("", "")

    def _match(self, alert: Alert) -> Match:
        monitor = match_monitor(alert.monitor_name, alert.provider, self._house.config.monitors)
        state = state_for(alert, monitor) if monitor else alert.state
        return Match(alert, state, monitor.key if monitor else None)

    def _note(self, step: Step) -> None:
        """Send what is due, see what changed, let an answer be planned, and keep the step."""
        changed, mails = self._changed(), tuple(self._sent(step.at))
        for incident in changed:
            is_undecided = incident.phase is Phase.UNPUBLISHED and incident.id not in self._answered
            if self._publish_after is not None and is_undecided:
                self._answered.add(incident.id)
                self._answers.append(_Answer(step.after + self._publish_after, incident.id))
        self.mails += len(mails)
        page = read_page(self._house)
        html = self._render_page(self._house) if self._render_page and page else ""
        self.steps.append(replace(step, incidents=changed, mails=mails, page=page, page_html=html))

    def _changed(self) -> tuple[Incident, ...]:
        with self._house.store.reading() as connection:
            found = {one.id: one for one in incidents.listed(connection, limit=LOOKED_AT)}
            older = (incidents.get(connection, number) for number in self._open - found.keys())
            found |= {one.id: one for one in older if one is not None}
        changed = tuple(one for _, one in sorted(found.items()) if self._versions.get(one.id) != one.version)
        self._open = {one.id for one in found.values() if one.phase.is_open}
        self._versions |= {one.id: one.version for one in changed}
        return changed

    def _sent(self, now: datetime) -> Iterator[SimulatedMail]:
        for delivery, mail in send_all(self._house, self._compose, now):
            if delivery.kind is DeliveryKind.APPROVAL:
                self._asked[delivery.incident_id, delivery.employee_id] = delivery
            yield mail
