"""Whoever leaves while a fan-out is on gets nothing more: what is ready is looked at again before its text goes out."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from service.actions.house import House
from service.config.settings import Limits
from service.outbox import Relay, supply
from service.store import deliveries, progress, subscribers
from tests.outbox.relays import deliveries_to, fan_out_all, subscribe
from tests.rooms import Clock
from tests.transport.scripted_relay import PIPELINING, ScriptedRelay, scripted_relay
from tests.web.outages import Outages

pytestmark = pytest.mark.anyio
MANY = tuple(f"r{number}" for number in range(9))


@pytest.fixture(params=[{}, PIPELINING], ids=["plain", "pipelining"])
async def server(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[ScriptedRelay]:
    """Give a relay so slow that a second passes with each mail."""
    monkeypatch.setattr(supply, "LOOK_EACH", 0.0)
    async with scripted_relay(request.param) as running:
        yield running


@pytest.mark.parametrize("rate", [None, 100.0], ids=["as fast as it goes", "at a rate"])
@pytest.mark.parametrize("gone", [("r1",), ("r2",), ("r8",), ("r1", "r2"), MANY[1:]], ids=str)
async def test_whoever_leaves_before_his_mail_begins_gets_none(
    house: House, clock: Clock, server: ScriptedRelay, gone: tuple[str, ...], rate: float | None
) -> None:
    subscribe(house, clock, *MANY)
    Outages(house, clock).published()
    taken: list[str] = []

    async def before(verb: str, recipient: str) -> None:
        if verb == ".":
            taken.append(recipient.partition("@")[0])
            if len(taken) == 1:
                leave(house, *gone)

    server.before = before
    relay = Relay(replace(server.smtp, limits=Limits(connections=1, rate=rate)))
    await fan_out_all(house, clock, relay)
    assert taken == [name for name in MANY if name not in gone]
    assert {one.last_error for name in gone for one in deliveries_to(house, name)} == {"unsubscribed"}
    with house.store.reading() as connection:
        found = progress.of_update(connection, 1)
    assert found is not None
    assert (found.sent, found.cancelled, found.waiting) == (len(taken), len(gone), 0)
    assert relay.failures == 0


def leave(house: House, *names: str) -> None:
    """Let subscribers leave, as their links do."""
    with house.store.transaction() as connection:
        for name in names:
            found = subscribers.find_by_address(connection, f"{name}@reader.example")
            assert found is not None
            deliveries.cancel_of_subscriber(connection, found.id, "unsubscribed")


async def test_a_fan_out_that_is_fast_asks_nobody(
    house: House, clock: Clock, server: ScriptedRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supply, "LOOK_EACH", 60.0)
    asked: list[int] = []
    monkeypatch.setattr(deliveries, "ended_claims", lambda _, claimed: asked.append(len(claimed)))
    subscribe(house, clock, *MANY)
    Outages(house, clock).published()
    assert await fan_out_all(house, clock, Relay(server.smtp)) == len(MANY)
    assert asked == []
