"""Webhooks that do not answer hold up nobody else, however many they are."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import pytest

from service.actions.fan_out import queue_next_chunk
from service.actions.house import House
from service.actions.subscriber_admin import add_webhook
from service.calls.calling import TIMEOUT, Caller
from service.errors import RecipientRefusedForNow
from service.model import Delivery, DeliveryKind
from service.outbox import calling
from service.outbox.calling import ASKED_AGAIN_AFTER, call_due
from service.outbox.outcomes import LEASE
from service.outbox.turns import (
    AT_ONCE,
    FAILING_AT_ONCE,
    FAILING_WAITING,
    HOST_FAILS_AFTER,
    OF_A_HOST,
    WAITING,
    Turns,
)
from service.store import deliveries, subscribers
from tests.rooms import Clock
from tests.web.outages import Outages

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
DEAD, SOME, LIVE = 150, 60, 5
LONGEST_CALL = timedelta(seconds=TIMEOUT)


def calls(*hosts: str, first_id: int = 1) -> list[Delivery]:
    """Give a call for each host, by subscribers of the same numbers."""
    return [
        Delivery(
            number,
            f"p{number}",
            DeliveryKind.WEBHOOK_CALL,
            f"https://{host}/",
            NOW,
            NOW,
            subscriber_id=number,
        )
        for number, host in enumerate(hosts, first_id)
    ]


def spread(count: int, first_id: int = 1) -> list[Delivery]:
    """Give calls to as many hosts."""
    return calls(*(f"h{number}.example" for number in range(first_id, first_id + count)), first_id=first_id)


def test_so_many_are_called_at_once_and_the_next_when_one_is_over() -> None:
    turns = Turns()
    turns.add(spread(AT_ONCE + 2), failing=[])
    begun = turns.begin()
    assert len(begun) == AT_ONCE
    assert not turns.has_room
    turns.end(begun[0], is_taken=True)
    assert [one.id for one in turns.begin()] == [AT_ONCE + 1]


def test_those_that_fail_leave_room_for_the_others() -> None:
    turns, dead = Turns(), spread(AT_ONCE)
    turns.add(dead, failing=[one.id for one in dead])
    assert len(turns.begin()) == FAILING_AT_ONCE
    assert turns.has_room
    turns.add(spread(9, first_id=1_000), failing=[])
    assert [one.id for one in turns.begin()] == list(range(1_000, 1_009))


def test_of_those_that_fail_few_wait_and_the_rest_is_given_back() -> None:
    turns, dead = Turns(), spread(AT_ONCE)
    turns.add(dead, failing=[one.id for one in dead])
    turns.begin()
    gone = turns.too_many()
    assert len(gone) == AT_ONCE - FAILING_AT_ONCE - FAILING_WAITING
    assert turns.too_many() == []
    assert [one.id for one in turns.leave()] == [one.id for one in dead[FAILING_AT_ONCE:][:FAILING_WAITING]]


def test_one_host_takes_only_its_part() -> None:
    turns = Turns()
    turns.add(calls(*["shared.example"] * (OF_A_HOST + 1), "other.example"), failing=[])
    assert [one.id for one in turns.begin()] == [*range(1, OF_A_HOST + 1), OF_A_HOST + 2]


def test_what_waits_for_a_host_that_is_busy_leaves_room_for_the_calls_of_others() -> None:
    turns, rounds = Turns(), 0
    while turns.has_room:
        turns.add(calls(*["slow.example"] * 100, first_id=1 + 100 * rounds), failing=[])
        assert len(turns.begin()) == (0 if rounds else OF_A_HOST)
        rounds += 1
    assert WAITING <= 100 * rounds <= WAITING + 2 * 100, "not without end: each is claimed for ten minutes"
    assert WAITING / OF_A_HOST * LONGEST_CALL < LEASE


def test_what_waits_for_several_busy_hosts_is_enough() -> None:
    turns = Turns()
    hosts = [f"h{number}.example" for number in range(AT_ONCE // OF_A_HOST)]
    turns.add(calls(*hosts * (OF_A_HOST + 1)), failing=[])
    assert len(turns.begin()) == AT_ONCE
    assert not turns.has_room


@pytest.mark.parametrize(("is_taken", "begun"), [(False, FAILING_AT_ONCE - 1), (True, OF_A_HOST)])
def test_a_host_of_which_no_call_is_taken_is_one_that_fails(begun: int, *, is_taken: bool) -> None:
    turns = Turns()
    turns.add(calls(*["down.example"] * HOST_FAILS_AFTER), failing=[])
    for one in turns.begin():
        turns.end(one, is_taken=is_taken)
    other = calls("gone.example", first_id=50)
    turns.add(other, failing=[50])
    turns.begin()
    turns.add(calls(*["down.example"] * 40, first_id=100), failing=[])
    assert len(turns.begin()) == begun


class Stuck(Caller):
    """Answers for those that live; those that are dead hang until they are let go."""

    def __init__(self) -> None:
        self.called: list[str] = []
        self.let_go = asyncio.Event()
        self.most_at_once, self._at_once = 0, 0
        self._came = asyncio.Condition()

    async def call(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Note it, and hang where nobody answers."""
        del body, headers
        async with self._came:
            self.called.append(url)
            self._came.notify_all()
        if "dead" not in url:
            return
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        await self.let_go.wait()
        self._at_once -= 1
        raise RecipientRefusedForNow("no answer within 10 seconds")

    async def until(self, is_so: Callable[[list[str]], bool]) -> None:
        """Wait until those that were called are as is wanted."""
        async with self._came, asyncio.timeout(20):
            await self._came.wait_for(lambda: is_so(self.called))


def live(called: list[str]) -> int:
    return sum("live" in url for url in called)


def hooks(house: House, clock: Clock, kind: str, count: int, *, are_failing: bool = False) -> None:
    for number in range(count):
        added = add_webhook(house, f"https://{kind}{number}.hook.example/", None, clock())
        if are_failing:
            with house.store.transaction() as connection:
                subscribers.note_call(connection, added.id, clock(), is_taken=False)


def queue_all(house: House, clock: Clock) -> None:
    while queue_next_chunk(house, clock()):
        pass


async def test_a_hundred_dead_webhooks_hold_up_none_that_answers_nor_what_falls_due_meanwhile(
    house: House, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calling, "LOOK_AGAIN", 0.01)
    hooks(house, clock, "dead", DEAD, are_failing=True)
    hooks(house, clock, "live", LIVE)
    caller, outages = Stuck(), Outages(house, clock)
    incident = outages.published()
    queue_all(house, clock)
    given = house.store, house.config.site, house.key, caller, clock
    calling_all = asyncio.create_task(call_due(*given))
    await caller.until(lambda called: live(called) == LIVE)
    outages.tell(incident, "We found it.")
    queue_all(house, clock)
    await caller.until(lambda called: live(called) == 2 * LIVE)
    assert not calling_all.done(), "the dead ones still hang"
    assert caller.most_at_once <= FAILING_AT_ONCE
    caller.let_go.set()
    assert await calling_all >= DEAD + 2 * LIVE
    assert caller.most_at_once <= FAILING_AT_ONCE


async def test_what_waits_behind_them_is_asked_for_again_until_each_had_its_turn(
    house: House, clock: Clock
) -> None:
    hooks(house, clock, "dead", SOME, are_failing=True)
    caller = Stuck()
    caller.let_go.set()
    Outages(house, clock).published()
    queue_all(house, clock)
    given = house.store, house.config.site, house.key, caller, clock
    await call_due(*given)
    assert len(caller.called) == FAILING_AT_ONCE + FAILING_WAITING
    with house.store.reading() as connection:
        due_at = deliveries.next_call_due_at(connection)
    assert due_at is not None
    assert due_at <= clock() + ASKED_AGAIN_AFTER
    for _ in range(SOME):
        clock.move(timedelta(minutes=1))
        if len(set(caller.called)) == SOME:
            break
        await call_due(*given)
    assert len(set(caller.called)) == SOME, "each has its turn"


async def test_when_the_service_stops_what_waits_is_left_for_the_next_start(
    house: House, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calling, "LOOK_AGAIN", 0.01)
    hooks(house, clock, "dead", DEAD, are_failing=True)
    caller, stopping = Stuck(), asyncio.Event()
    Outages(house, clock).published()
    queue_all(house, clock)
    given = house.store, house.config.site, house.key, caller, clock
    calling_all = asyncio.create_task(call_due(*given, stopping.is_set))
    await caller.until(lambda called: len(called) == FAILING_AT_ONCE)
    stopping.set()
    caller.let_go.set()
    await calling_all
    assert len(caller.called) < DEAD
    with house.store.reading() as connection:
        assert deliveries.next_call_due_at(connection) == clock()
