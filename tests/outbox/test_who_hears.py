"""Whoever hears that an incident began hears once that it is over, and nobody else does, whatever happens when."""

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Literal

from hypothesis import example, given, settings
from hypothesis import strategies as st

from service.actions.deciding import correct
from service.actions.fan_out import CALLED_OFF, queue_next_chunk
from service.errors import AnswerLost, RecipientRefused, RecipientRefusedForNow, ReplycastError
from service.model import Delivery, Incident, Update, UpdateStatus
from service.outbox.outcomes import LEASE, put_off, record
from service.store import deliveries, narrative, progress
from tests.outbox.relays import deliveries_to, subscribe
from tests.rooms import Clock, make_house
from tests.web.outages import Outages

NAMES = tuple("abcdefg")
Step = Literal["chunk", "retry", "send", "refuse", "block", "fail", "lose", "lose after all", "step back",
               "give back", "die", "lapse", "wait", "tell", "correct", "close"]  # fmt: skip
ANSWERS: dict[str, ReplycastError] = {
    "refuse": RecipientRefusedForNow("451 later"),
    "block": RecipientRefused("550 5.7.1 not from you"),
    "fail": RecipientRefused("550 5.1.1 no such user"),
    "step back": AnswerLost("the relay closed the connection"),
}


class Story:
    """A house whose fan-out is taken apart into its smallest steps, and a world that notes who heard what."""

    def __init__(self, folder: Path) -> None:
        self.house = make_house(folder)
        self.clock = Clock()
        subscribe(self.house, self.clock, *NAMES)
        self.outages = Outages(self.house, self.clock)
        self.incident: Incident = self.outages.published()
        self.in_flight: list[Delivery] = []
        self.heard: list[tuple[str, int, str]] = []
        """To whom, which update, and the public id of the mail."""
        self.refused: set[str] = set()
        """Whom a mail could not reach at all, or whose address the relay called unknown: no end need be heard there."""
        self.is_closed = False

    def take(self, step: Step) -> None:
        """Let something happen, where it can."""
        if step == "chunk":
            chunk = queue_next_chunk(self.house, self.clock(), chunk=2, lease=LEASE)
            self.in_flight += chunk.claimed if chunk else ()
        elif step == "retry":
            self._retry()
        elif step in {"die", "lapse"}:
            self._die(is_seen=step == "die")
        elif step == "wait":
            self.clock.move(timedelta(minutes=1))
        elif step in {"tell", "correct", "close"}:
            self._decide(step)
        elif self.in_flight:
            self._settle(self.in_flight.pop(0), step)

    def _decide(self, step: Step) -> None:
        if step == "correct":
            number, sam = self.updates()[0].id, self.house.config.employees["sam"]
            text = f"It is the disk, and was at {len(self.updates())}."
            correct(self.house, self.incident.id, number, sam, text, self.clock())
        elif self.is_closed:
            return
        elif step == "tell":
            self.outages.tell(self.incident, "We found it.")
        else:
            self.outages.close(self.incident)
            self.is_closed = True

    def _retry(self) -> None:
        with self.house.store.transaction() as connection:
            self.in_flight += deliveries.claim_due(
                connection, self.clock(), urgent=False, lease=LEASE, limit=2
            )

    def _die(self, *, is_seen: bool = True) -> None:
        """Kill the service; the mail on its way may have arrived. Where nobody sees it, its claims end by time."""
        if self.in_flight:
            self._note(self.in_flight[0])
        self.in_flight.clear()
        if not is_seen:
            self.clock.move(LEASE)
            return
        with self.house.store.transaction() as connection:
            deliveries.end_leases(connection, self.clock())

    def _settle(self, mail: Delivery, step: Step) -> None:
        has_arrived = any(mail.public_id == heard for *_, heard in self.heard)
        if step in {"send", "lose after all", "step back"}:
            self._note(mail)
        if step == "send":
            return self._record(mail, None)
        if step == "fail" or (step == "block" and not has_arrived):
            self.refused.add(mail.recipient)
        if step in ANSWERS:
            return self._record(mail, ANSWERS[step])
        with self.house.store.transaction() as connection:
            if step == "give back":
                deliveries.give_back(connection, [mail.id], self.clock(), "the relay is down")
            else:
                now = self.clock()
                put_off(connection, mail, now, "the relay closed the connection", doubted_at=now)
        return None

    def _record(self, mail: Delivery, error: ReplycastError | None) -> None:
        with self.house.store.transaction() as connection:
            record(connection, mail, error, self.clock())

    def _note(self, mail: Delivery) -> None:
        self.heard.append((mail.recipient, mail.update_id or 0, mail.public_id))

    def updates(self) -> tuple[Update, ...]:
        """Give what was told of the incident so far."""
        with self.house.store.reading() as connection:
            return narrative.updates_of(connection, [self.incident.id])[self.incident.id]

    def end(self) -> None:
        """Close it, and let everything be sent that is to be sent."""
        self.take("close")
        for _ in range(100):
            before = len(self.heard)
            for step in ("chunk", "retry"):
                self.take(step)
            while self.in_flight:
                self.take("send")
            if queue_next_chunk(self.house, self.clock(), chunk=2, lease=LEASE) is None:
                self.clock.move(timedelta(hours=1))
                if before == len(self.heard) and not self._waits():
                    return
            else:
                self._die()
        raise AssertionError("it never ends")

    def _waits(self) -> bool:
        return any(one.due_at for name in NAMES for one in deliveries_to(self.house, name))

    def who_heard(self, update_id: int) -> list[str]:
        """Give who heard an update, in alphabetical order, each as often as different mails came."""
        return sorted(to for to, _ in {(to, mail) for to, update, mail in self.heard if update == update_id})


@settings(max_examples=60)
@example(steps=["chunk", "close", "chunk", "chunk", "fail"])
@example(steps=["chunk", "lose after all", "close", "chunk", "chunk"])
@example(steps=["chunk", "die", "close", "chunk", "chunk", "chunk"])
@example(steps=["chunk", "send", "send", "close", "chunk", "chunk", "fail"])
@example(steps=["chunk", "lose after all", "lose", "retry", "refuse", "refuse", "close"])
@example(steps=["chunk", "lapse", "retry", "refuse", "refuse", "close"])
@example(steps=["chunk", "die", "retry", "refuse", "refuse", "close"])
@example(steps=["chunk", "step back", "close"])
@example(steps=["chunk", "lose after all", "retry", "retry", "block", "block", "close"])
@example(steps=["chunk", "close", "chunk", "chunk", "refuse", "refuse", "chunk"])
@example(steps=["chunk", "refuse", "correct", *["chunk"] * 8, "close"])
@example(steps=["chunk", "refuse", "correct", *["chunk"] * 8, "wait", "retry", "fail"])
@given(steps=st.lists(st.sampled_from(Step.__args__), max_size=40))  # type: ignore[attr-defined]  # of a Literal
def test_whoever_heard_the_beginning_hears_the_end_once_and_nobody_else(steps: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        story = Story(Path(folder))
        try:
            for step in steps:
                story.take(step)
            story.end()
            told = story.updates()
            with story.house.store.reading() as connection:
                counted = [progress.of_update(connection, number) for number in range(1, 60)]
        finally:
            story.house.store.close()
    updates = [number for number, one in enumerate(counted, start=1) if one is not None]
    [end] = [one.id for one in told if one.status is UpdateStatus.RESOLVED and one.corrects_id is None]
    opened, closed = story.who_heard(updates[0]), story.who_heard(end)
    for one in told:
        if one.corrects_id is not None:
            assert set(story.who_heard(one.id)) <= set(story.who_heard(one.corrects_id))
    assert set(closed) <= set(opened)
    assert set(opened) - story.refused <= set(closed)
    assert len(set(opened)) == len(opened)
    assert len(set(closed)) == len(closed)
    for name in set(closed):
        order = [update for to, update, _ in story.heard if to == name]
        assert order == sorted(order), "they hear it in its order"
    assert [one.waiting for one in counted if one is not None] == [0] * len(updates)


def test_once_it_is_over_what_has_not_left_is_called_off(tmp_path: Path) -> None:
    story = Story(tmp_path)
    for step in ("chunk", "chunk", "send", "refuse", "close"):
        story.take(step)
    story.end()
    assert story.who_heard(1) == story.who_heard(2) == [f"{name}@reader.example" for name in "acd"]
    [called_off] = deliveries_to(story.house, "b")
    assert (called_off.sent_at, called_off.last_error) == (None, CALLED_OFF)
    assert deliveries_to(story.house, "e") == []
    story.house.store.close()
