"""A relay that takes its time with one mail holds up no other one that somebody waits for."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime

import pytest
from sqlalchemy import Connection

from service.actions.house import House
from service.errors import RelayUnavailable, StoreUnavailable
from service.mail.smtp_answers import RelayLoginRefused
from service.model import DeliveryKind
from service.outbox import Courier, Relay, dispatch, hands, patience
from service.outbox.hands import Hand
from service.outbox.patience import Patience
from service.store import deliveries
from tests.outbox.relays import answer_by_recipient, look_at, office_of, queue
from tests.rooms import Clock
from tests.transport.scripted_relay import LATER, PIPELINING, ScriptedRelay, scripted_relay
from tests.web.outages import Outages

pytestmark = pytest.mark.anyio
SLOW, SAM, ANA = "slow@reader.example", "sam@reader.example", "ana@reader.example"


class Slow:
    """Lets a relay answer one command of a mail to one recipient only once it is let go."""

    def __init__(self, relay: ScriptedRelay, verb: str) -> None:
        self.let_go = asyncio.Event()
        self.taken: list[str] = []
        self._verb = verb
        self._came = asyncio.Condition()
        relay.before = self._before

    async def _before(self, verb: str, recipient: str) -> None:
        if verb == self._verb and recipient == SLOW:
            await self._note(f"{SLOW} waits")
            await self.let_go.wait()
        if verb == ".":
            await self._note(recipient)

    async def _note(self, what: str) -> None:
        async with self._came:
            self.taken.append(what)
            self._came.notify_all()

    async def until(self, *what: str) -> None:
        """Wait until the relay was given all texts of these."""
        async with self._came, asyncio.timeout(20):
            await self._came.wait_for(lambda: set(what) <= set(self.taken))


@pytest.fixture(params=[{}, PIPELINING], ids=["plain", "pipelining"])
async def server(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[ScriptedRelay]:
    """Give a relay that is slow at once, and looked at often."""
    monkeypatch.setattr(hands, "SLOW_AFTER", 0.0)
    monkeypatch.setattr(dispatch, "LOOK_AGAIN", 0.01)
    monkeypatch.setattr(patience, "LONGEST_WAIT", 0.01)
    async with scripted_relay(request.param) as running:
        yield running


@pytest.mark.parametrize("verb", ["RCPT", "."], ids=["looks the recipient up", "reads the text"])
async def test_what_waits_behind_a_slow_mail_and_what_comes_meanwhile_goes_out_beside_it(
    house: House, clock: Clock, server: ScriptedRelay, verb: str
) -> None:
    slow = Slow(server, verb)
    mails = queue(house, clock, "slow", "sam")
    async with Courier(house.store, office_of(house), Relay(server.smtp), clock) as courier:
        sending = asyncio.create_task(courier.send_due())
        await slow.until(f"{SLOW} waits", SAM)
        mails += queue(house, clock, "ana")
        await slow.until(ANA)
        assert SLOW not in slow.taken
        slow.let_go.set()
        assert await sending == 3
    assert sorted(slow.taken) == sorted([f"{SLOW} waits", SLOW, SAM, ANA]), "each once"
    assert {look_at(house, mail).sent_at for mail in mails} == {clock()}


async def test_what_comes_after_a_session_broke_does_not_wait_for_a_slow_mail_either(
    house: House, clock: Clock, server: ScriptedRelay
) -> None:
    slow = Slow(server, ".")
    answer_by_recipient(server, lambda line: "421 4.7.0 enough" if "<ana@" in line else None)
    queue(house, clock, "ben", "ana", "slow")
    async with Courier(house.store, office_of(house), Relay(server.smtp), clock) as courier:
        sending = asyncio.create_task(courier.send_due())
        await slow.until(f"{SLOW} waits")
        queue(house, clock, "sam")
        await slow.until(SAM)
        assert SLOW not in slow.taken
        slow.let_go.set()
        await sending


async def test_who_is_refused_a_session_beside_a_slow_mail_has_one_once_there_is_room(
    house: House, clock: Clock, server: ScriptedRelay
) -> None:
    slow, refused, relay = Slow(server, "."), asyncio.Event(), Relay(server.smtp)
    server.most_conversations, loop = 1, asyncio.get_running_loop()
    queue(house, clock, "slow")

    def ask_for_room(_relay: Relay, *, because: RelayUnavailable) -> None:
        assert "421" in str(because)
        loop.call_soon_threadsafe(refused.set)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Relay, "ask_for_room", ask_for_room)
        async with Courier(house.store, office_of(house), relay, clock) as courier:
            sending = asyncio.create_task(courier.send_due())
            await slow.until(f"{SLOW} waits")
            queue(house, clock, "sam")
            await refused.wait()
            server.most_conversations = 9
            await slow.until(SAM)
            queue(house, clock, "ana")
            await slow.until(ANA)
            assert SLOW not in slow.taken
            slow.let_go.set()
            assert await sending == 3
    assert relay.paused_until is None


async def test_a_database_that_is_away_for_a_moment_meanwhile_is_asked_again(
    house: House, clock: Clock, server: ScriptedRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, looked_for = Slow(server, "."), deliveries.next_due_at
    queue(house, clock, "slow")
    async with Courier(house.store, office_of(house), Relay(server.smtp), clock) as courier:
        sending = asyncio.create_task(courier.send_due())
        await slow.until(f"{SLOW} waits")
        faults = [StoreUnavailable("away")]

        def next_due_at(connection: Connection, *, urgent: bool) -> datetime | None:
            if faults:
                raise faults.pop()
            return looked_for(connection, urgent=urgent)

        monkeypatch.setattr(deliveries, "next_due_at", next_due_at)
        queue(house, clock, "sam")
        await slow.until(SAM)
        assert not faults
        slow.let_go.set()
        assert await sending == 2


async def test_a_relay_that_greets_slowly_is_asked_for_no_more_sessions_than_mails_wait(
    house: House, clock: Clock, server: ScriptedRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, looks, loop = Slow(server, "."), asyncio.Semaphore(0), asyncio.get_running_loop()

    def sessions_wanted(waiting: int, slow: int, most: int) -> int:
        loop.call_soon_threadsafe(looks.release)
        return hands.sessions_wanted(waiting, slow, most)

    queue(house, clock, "slow")
    async with Courier(house.store, office_of(house), Relay(server.smtp), clock) as courier:
        sending = asyncio.create_task(courier.send_due())
        await slow.until(f"{SLOW} waits")
        server.answers["greeting"] = LATER
        queue(house, clock, "sam")
        await server.is_silent.wait()
        monkeypatch.setattr(dispatch, "sessions_wanted", sessions_wanted)
        for _ in range(10):
            await looks.acquire()
        server.is_free.set()
        await slow.until(SAM)
        slow.let_go.set()
        await sending
    assert server.heard_commands().count("EHLO") == 2


def test_after_a_fault_another_session_is_tried_less_and_less_often_and_never_after_a_refused_login() -> None:
    patient, fault, now, waits = Patience(), RelayUnavailable("421"), 100.0, list[float]()
    for _ in range(7):
        patient.note(fault, now)
        wait = next(wait for wait in (1.0, 2.0, 4.0, 8.0, 16.0, 30.0) if patient.may_try(now + wait))
        assert not patient.may_try(now + wait - 0.01)
        waits.append(wait)
        now += wait
    assert waits == [1, 2, 4, 8, 16, 30, 30]
    patient.sent(Hand(None, since=now - 100))
    assert patient.fault is fault, "a session of before tells nothing"
    patient.sent(Hand(None, since=now))
    assert patient.may_try(now), "there is room again"
    refused = RelayLoginRefused("535")
    patient.note(refused, now)
    patient.note(fault, now + 1)
    patient.sent(Hand(None, since=now + 2))
    assert (patient.fault, patient.may_try(now + 1_000)) == (refused, False)


async def test_of_one_incident_the_later_mail_waits_for_the_slow_one_all_the_same(
    house: House, clock: Clock, server: ScriptedRelay
) -> None:
    slow, incident = Slow(server, "."), Outages(house, clock).fire()
    confirm, manage = DeliveryKind.SUBSCRIBER_CONFIRM, DeliveryKind.LOGIN_LINK
    queue(house, clock, "slow", kind=confirm, incident_id=incident.id)
    async with Courier(house.store, office_of(house), Relay(server.smtp), clock) as courier:
        sending = asyncio.create_task(courier.send_due())
        await slow.until(f"{SLOW} waits")
        [later] = queue(house, clock, "slow", kind=manage, incident_id=incident.id)
        queue(house, clock, "sam", incident_id=incident.id)
        await slow.until(SAM)
        assert look_at(house, later).attempts == 0
        slow.let_go.set()
        await sending
        await courier.send_due()
    assert slow.taken == [f"{SLOW} waits", SAM, SLOW, f"{SLOW} waits", SLOW]
    assert look_at(house, later).sent_at == clock()


async def test_told_to_leave_meanwhile_it_claims_nothing_more(
    house: House, clock: Clock, server: ScriptedRelay
) -> None:
    slow = Slow(server, ".")
    [doubtful] = queue(house, clock, "slow")
    async with Courier(house.store, office_of(house), Relay(server.smtp), clock) as courier:
        sending = asyncio.create_task(courier.send_due())
        await slow.until(f"{SLOW} waits")
    assert await sending == 1
    [sam] = queue(house, clock, "sam")
    assert look_at(house, sam).attempts == 0
    assert look_at(house, doubtful).sent_at is None
