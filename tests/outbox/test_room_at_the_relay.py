"""A relay that allows no more sessions than a fan-out has: it gives one up for mails that somebody waits for."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from service.actions.house import House
from service.config.settings import Limits
from service.errors import RelayUnavailable
from service.mail.smtp_answers import RelayLoginRefused
from service.outbox import Courier, Relay
from service.outbox import relay as relays
from service.outbox.relay import ROOM_FOR
from tests.outbox.relays import (
    NOBODY_LISTENS,
    deliveries_to,
    fan_out_all,
    look_at,
    office_of,
    queue,
    subscribe,
)
from tests.rooms import Clock
from tests.transport.scripted_relay import PIPELINING, ScriptedRelay, scripted_relay
from tests.web.outages import Outages

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
TOO_MANY = RelayUnavailable("the relay answered 421 too many connections")
MANY = tuple(f"r{number:02}" for number in range(40))


@pytest.fixture
async def server() -> AsyncIterator[ScriptedRelay]:
    """Give a relay that takes commands ahead."""
    async with scripted_relay(PIPELINING) as running:
        yield running


@pytest.fixture
def monotonic(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Give the monotonic clock of relays, as a list of one number that a test may change."""
    now = [500.0]
    monkeypatch.setattr(relays, "monotonic", lambda: now[0])
    return now


def relay_with(held: int, allowed: int = 4) -> Relay:
    relay = Relay(replace(NOBODY_LISTENS, limits=Limits(connections=allowed)))
    relay.held_by_updates = held
    return relay


def test_who_is_refused_a_session_is_given_one_after_the_other_for_a_while(monotonic: list[float]) -> None:
    relay = relay_with(held=3)
    assert relay.most_for_updates == 4
    relay.ask_for_room(because=TOO_MANY)
    assert relay.most_for_updates == 2
    relay.held_by_updates = 2
    relay.ask_for_room(because=TOO_MANY)
    assert relay.most_for_updates == 1
    monotonic[0] += ROOM_FOR
    assert relay.most_for_updates == 4


def test_without_a_fan_out_or_with_a_login_that_is_refused_there_is_nothing_to_give_up() -> None:
    idle, refused = relay_with(held=0), relay_with(held=2)
    idle.ask_for_room(because=TOO_MANY)
    refused.ask_for_room(because=RelayLoginRefused("535"))
    assert (idle.most_for_updates, refused.most_for_updates) == (4, 4)


def test_that_a_fan_out_goes_on_ends_no_pause_of_who_was_refused(monotonic: list[float]) -> None:
    relay = relay_with(held=2)
    relay.ask_for_room(because=TOO_MANY)
    relay.pause(NOW, because=TOO_MANY)
    relay.works(for_updates=True)
    assert relay.is_paused(NOW)
    relay.works()
    assert not relay.is_paused(NOW)
    relay.pause(NOW, because=TOO_MANY)
    monotonic[0] += ROOM_FOR
    relay.works(for_updates=True)
    assert not relay.is_paused(NOW)


@pytest.mark.anyio
@pytest.mark.parametrize("allowed", [1, 2, 3])
async def test_an_employee_does_not_wait_until_a_fan_out_is_over(
    house: House, clock: Clock, server: ScriptedRelay, monotonic: list[float], allowed: int
) -> None:
    server.most_conversations = allowed
    subscribe(house, clock, *MANY)
    Outages(house, clock).published()
    taken, may_go_on = list[str](), asyncio.Semaphore(0)
    all_wait = asyncio.Event()

    async def before(verb: str, recipient: str) -> None:
        if verb != ".":
            return
        taken.append(recipient.partition("@")[0])
        if recipient.startswith("r"):
            if len(taken) == allowed:
                all_wait.set()
            await may_go_on.acquire()

    server.before = before
    relay = Relay(replace(server.smtp, limits=Limits(connections=allowed)))
    fanning_out = asyncio.create_task(fan_out_all(house, clock, relay))
    await all_wait.wait()
    [boss] = queue(house, clock, "boss")
    async with Courier(house.store, office_of(house), relay, clock) as courier:
        await courier.send_due()
        assert relay.is_paused(clock())
        may_go_on.release()
        async with asyncio.timeout(20):
            while server.conversations >= allowed:  # noqa: ASYNC110  its own loop tells nobody
                await asyncio.sleep(0)
        clock.now = relay.paused_until or clock.now
        await courier.send_due()
        assert look_at(house, boss).sent_at == clock()
        assert len(taken) < len(MANY), "the fan-out is not over"
    for _ in MANY:
        may_go_on.release()
    await fanning_out
    monotonic[0] += ROOM_FOR
    await fan_out_all(house, clock, relay)
    assert sorted(name for name in taken if name.startswith("r")) == list(MANY), "each gets one"
    assert all(one.sent_at for name in MANY for one in deliveries_to(house, name))
