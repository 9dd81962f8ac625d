"""A relay that takes its time with one mail holds up no other one that somebody waits for."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from service.actions.house import House
from service.model import DeliveryKind
from service.outbox import Courier, Relay, dispatch, hands
from tests.outbox.relays import look_at, office_of, queue
from tests.rooms import Clock
from tests.transport.scripted_relay import PIPELINING, ScriptedRelay, scripted_relay
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
