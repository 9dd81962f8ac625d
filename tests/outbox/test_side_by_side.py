"""Several who send share an update: everybody gets it once, and what one had claimed who is gone the others send."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Barrier, Event

import pytest
from sqlalchemy import select

from service.actions.fan_out import queue_next_chunk
from service.actions.house import House
from service.config.settings import Limits
from service.outbox import Relay
from service.outbox.outcomes import LEASE
from service.outbox.relay import FIRST_RETRY
from service.store import deliveries, progress, schema
from service.store.fan_outs import Chunk
from service.store.senders import OnlyOne, Sender
from tests.outbox.relays import (
    answer_by_recipient,
    deliveries_to,
    fan_out_all,
    look_at,
    office_of,
    queue,
    recipients_heard,
    send_due,
    subscribe,
)
from tests.rooms import Clock
from tests.transport.scripted_relay import PIPELINING, ScriptedRelay, scripted_relay
from tests.web.outages import Outages

pytestmark = pytest.mark.anyio
MANY = tuple(f"r{number:02}" for number in range(60))
ADDRESSES = [f"{name}@reader.example" for name in MANY]
FIRST, SECOND = OnlyOne(number=1, among=2), OnlyOne(number=2, among=2)


@pytest.fixture
async def server() -> AsyncIterator[ScriptedRelay]:
    """Give a relay that takes everything, until it is told otherwise."""
    async with scripted_relay(PIPELINING) as running:
        yield running


@dataclass
class Wavering:
    """One who may find that others think it is dead."""

    number: int | None
    among: int = 2


class Together:
    """Hands out chunks, the first of each only once both ask for theirs."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._both = Barrier(2)
        self._began: set[int] = set()

    def __call__(
        self, now: datetime, *, chunk: int = 10, lease: timedelta | None = None, claimed_by: int = 0
    ) -> Chunk | None:
        """Queue the next few."""
        if claimed_by not in self._began:
            self._began.add(claimed_by)
            self._both.wait(60)
        return queue_next_chunk(self._house, now, chunk=min(chunk, 10), lease=lease, claimed_by=claimed_by)


async def test_two_share_an_update_and_everybody_gets_it_once(
    house: House, clock: Clock, server: ScriptedRelay
) -> None:
    subscribe(house, clock, *MANY)
    Outages(house, clock).published()
    next_chunk = Together(house)
    claimed = await asyncio.gather(
        *(
            fan_out_all(house, clock, Relay(server.smtp), claimant=one, next_chunk=next_chunk)
            for one in (FIRST, SECOND)
        )
    )
    assert min(claimed) >= 10
    assert sum(claimed) == len(MANY)
    assert sorted(recipients_heard(server)) == ADDRESSES
    with house.store.reading() as connection:
        found = progress.of_update(connection, 1)
        claimants = set(connection.execute(select(schema.deliveries.c.claimed_by)).scalars()) - {None}
    assert found is not None
    assert (found.queued, found.sent, found.waiting, found.to_queue) == (60, 60, 0, 0)
    assert {1, 2} <= claimants


async def test_what_one_claims_the_other_leaves_alone(
    house: House, clock: Clock, server: ScriptedRelay
) -> None:
    subscribe(house, clock, *MANY)
    Outages(house, clock).published()
    mine = queue_next_chunk(house, clock(), chunk=10, lease=LEASE, claimed_by=1)
    assert mine is not None
    assert await fan_out_all(house, clock, Relay(server.smtp), claimant=SECOND) == len(MANY) - 10
    assert sorted(recipients_heard(server)) == sorted(
        set(ADDRESSES) - {one.recipient for one in mine.claimed}
    )


async def test_what_a_dead_one_had_claimed_is_sent_once_somebody_takes_it_up(
    house: House, clock: Clock, server: ScriptedRelay
) -> None:
    subscribe(house, clock, *MANY)
    Outages(house, clock).published()
    queue_next_chunk(house, clock(), chunk=10, lease=LEASE, claimed_by=1)
    # whoever comes and finds nobody else takes up what was left, on either database
    successor = Sender(house.store)
    successor.look(clock())
    assert await fan_out_all(house, clock, Relay(server.smtp), claimant=successor) == len(MANY)
    successor.close()
    assert sorted(recipients_heard(server)) == ADDRESSES


async def test_who_learns_that_it_was_taken_for_dead_sends_nothing_more_and_undoes_no_claim(
    house: House, clock: Clock, server: ScriptedRelay
) -> None:
    subscribe(house, clock, *MANY)
    Outages(house, clock).published()
    one = Wavering(1)

    def taken_for_dead(line: str) -> None:
        if "<r10@" in line and one.number is not None:
            one.number = None
            with house.store.transaction(alone=False) as connection:
                deliveries.end_leases(connection, clock())
                lease = 2 * LEASE
                deliveries.claim_due(connection, clock(), urgent=False, lease=lease, limit=99, claimed_by=2)

    answer_by_recipient(server, taken_for_dead)
    relay = Relay(replace(server.smtp, limits=Limits(connections=1)))
    await fan_out_all(house, clock, relay, claimant=one)
    left = [found for name in MANY for found in deliveries_to(house, name) if found.sent_at is None]
    sent = len(MANY) - len(left)
    assert sent <= 11, "r10 at most, which was under way"
    assert len(recipients_heard(server)) <= sent + 1, "one more was announced, and no word of it sent"
    assert {found.due_at for found in left} == {clock() + 2 * LEASE}


@pytest.mark.parametrize("is_stopped", [True, False], ids=["told to stop", "taken for dead"])
async def test_who_waits_for_his_turn_meanwhile_sends_nothing_more(
    house: House, clock: Clock, server: ScriptedRelay, *, is_stopped: bool
) -> None:
    subscribe(house, clock, *MANY[:9])
    Outages(house, clock).published()
    one, stop = Wavering(1, among=1), Event()

    def end(_: str) -> None:
        if is_stopped:
            stop.set()
        else:
            one.number = None

    answer_by_recipient(server, end)
    relay = Relay(replace(server.smtp, limits=Limits(connections=4, rate=0.3)))
    await fan_out_all(house, clock, relay, claimant=one, stop=stop)
    assert len([line for line in server.heard if line.startswith("DATA")]) == 1
    left = [found for name in MANY[:9] for found in deliveries_to(house, name) if found.sent_at is None]
    assert len(left) == 8
    assert {(found.due_at, found.attempts) for found in left} == {(clock(), 0)}


async def test_who_must_not_send_claims_nothing(house: House, clock: Clock, server: ScriptedRelay) -> None:
    [ben] = queue(house, clock, "ben")
    subscribe(house, clock, "ana")
    Outages(house, clock).published()
    nobody, relay = Wavering(None), Relay(server.smtp)
    assert await fan_out_all(house, clock, relay, claimant=nobody) == 0
    assert await send_due(house.store, office_of(house), relay, clock, nobody) == 0
    assert look_at(house, ben).attempts == 0
    assert recipients_heard(server) == []


async def test_a_mail_that_is_put_off_is_nobodys(house: House, clock: Clock, server: ScriptedRelay) -> None:
    subscribe(house, clock, "ana")
    Outages(house, clock).published()
    answer_by_recipient(server, lambda _: "451 4.7.1 greylisted")
    await fan_out_all(house, clock, Relay(server.smtp), claimant=FIRST)
    with house.store.reading() as connection:
        assert connection.execute(select(schema.deliveries.c.claimed_by)).scalars().all()[-1] is None
    answer_by_recipient(server, lambda _: None)
    clock.move(FIRST_RETRY)
    assert await fan_out_all(house, clock, Relay(server.smtp), claimant=SECOND) == 1


async def test_a_refusal_that_comes_late_leaves_the_claim_of_another_alone(
    house: House, clock: Clock, server: ScriptedRelay
) -> None:
    [ben] = queue(house, clock, "ben")

    def claimed_by_another(line: str) -> str:
        assert "<ben@" in line
        with house.store.transaction(alone=False) as connection:
            deliveries.end_leases(connection, clock())
            deliveries.claim_due(connection, clock(), urgent=True, lease=2 * LEASE, limit=9, claimed_by=2)
        return "451 4.7.1 greylisted"

    answer_by_recipient(server, claimed_by_another)
    await send_due(house.store, office_of(house), Relay(server.smtp), clock, FIRST)
    assert look_at(house, ben).due_at == clock() + 2 * LEASE


async def test_urgent_mails_are_given_back_by_who_must_not_send_any_more(
    house: House, clock: Clock, server: ScriptedRelay
) -> None:
    ann, ben = queue(house, clock, "ann", "ben")
    one = Wavering(1)

    def lose(_: str) -> None:
        one.number = None

    answer_by_recipient(server, lose)
    await send_due(house.store, office_of(house), Relay(server.smtp), clock, one)
    assert look_at(house, ann).sent_at == clock()
    given_back = look_at(house, ben)
    assert (given_back.attempts, given_back.due_at) == (0, clock())


async def test_all_who_send_keep_to_one_rate(house: House, clock: Clock, server: ScriptedRelay) -> None:
    subscribe(house, clock, *MANY[:10])
    Outages(house, clock).published()
    relay = Relay(replace(server.smtp, limits=Limits(rate=100.0)))
    began = asyncio.get_running_loop().time()
    await fan_out_all(house, clock, relay, claimant=OnlyOne(number=1, among=4))
    assert asyncio.get_running_loop().time() - began >= 9 * 4 / 100
