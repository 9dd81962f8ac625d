"""Clocks that are set on or back, and mails that take long: nobody gets a second copy, and nothing waits for days."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from service.actions.house import House
from service.config.settings import Limits
from service.model import DeliveryKind
from service.outbox import Relay, supply
from service.outbox.claims import BEGUN_WITHIN
from service.outbox.outcomes import LEASE
from service.store import deliveries
from service.store.senders import OnlyOne
from tests.outbox.relays import (
    NOBODY_LISTENS,
    deliveries_to,
    fan_out_all,
    look_at,
    office_of,
    queue,
    send_due,
    subscribe,
)
from tests.rooms import Clock
from tests.transport.scripted_relay import PIPELINING, ScriptedRelay, scripted_relay
from tests.web.outages import Outages

pytestmark = pytest.mark.anyio
DAYS = timedelta(days=2)
LONG = BEGUN_WITHIN + timedelta(seconds=10)
MANY = tuple(f"r{number:02}" for number in range(30))


@pytest.fixture(params=[{}, PIPELINING], ids=["plain", "pipelining"])
async def server(request: pytest.FixtureRequest) -> AsyncIterator[ScriptedRelay]:
    """Give a relay that takes everything until it is told otherwise."""
    async with scripted_relay(request.param) as running:
        yield running


def limited(server: ScriptedRelay, connections: int) -> Relay:
    return Relay(replace(server.smtp, limits=Limits(connections=connections)))


def at_texts(server: ScriptedRelay, *happens: Callable[[], object]) -> list[str]:
    """Let something happen as the first text is taken, and another thing at the second; gives who gets whole texts."""
    taken, left = list[str](), list(happens)

    async def before(verb: str, recipient: str) -> None:
        if verb == ".":
            taken.append(recipient.partition("@")[0])
            if left:
                left.pop(0)()

    server.before = before
    return taken


@pytest.fixture
def passing(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Give what lets so much time pass, by every clock, that a claim is of no use for another mail."""
    seconds = [500.0]
    monkeypatch.setattr(supply, "monotonic", lambda: seconds[0])

    def pass_() -> None:
        clock.move(LONG)
        seconds[0] += LONG.total_seconds()

    return pass_


def test_a_pause_lasts_no_longer_because_the_clock_was_set_back(clock: Clock) -> None:
    relay = Relay(NOBODY_LISTENS)
    relay.pause(clock())
    assert relay.is_paused(clock())
    assert not relay.is_paused(clock() - DAYS)


async def test_what_was_put_off_by_a_fast_clock_is_sent_once_it_is_right(
    house: House, clock: Clock, server: ScriptedRelay
) -> None:
    relay = Relay(server.smtp)
    clock.move(DAYS)
    server.answers["greeting"] = "421 4.3.2 not yet"
    [mail] = queue(house, clock, "ana")
    await send_due(house.store, office_of(house), relay, clock)
    server.answers["greeting"] = "220 relay"
    clock.move(-DAYS)
    await send_due(house.store, office_of(house), relay, clock)
    assert look_at(house, mail).sent_at == clock()


async def test_what_has_to_wait_for_it_does_not_keep_it_ahead(
    house: House, clock: Clock, server: ScriptedRelay
) -> None:
    relay, incident = Relay(server.smtp), Outages(house, clock).fire()
    await send_due(house.store, office_of(house), relay, clock)
    clock.move(DAYS)
    server.answers["RCPT"] = "451 4.3.0 later"
    [first] = queue(house, clock, "ana", incident_id=incident.id)
    await send_due(house.store, office_of(house), relay, clock)
    server.answers["RCPT"] = "250 OK"
    clock.move(-DAYS)
    [later] = queue(house, clock, "ana", kind=DeliveryKind.LOGIN_LINK, incident_id=incident.id)
    for _ in range(2):
        await send_due(house.store, office_of(house), relay, clock)
    assert [look_at(house, mail).sent_at for mail in (first, later)] == [clock(), clock()]


async def test_a_clock_that_is_set_on_gives_nobody_a_second_copy_of_what_is_on_its_way(
    house: House, clock: Clock, server: ScriptedRelay
) -> None:
    subscribe(house, clock, *MANY)
    Outages(house, clock).published()
    taken, others = list[str](), asyncio.Event()

    async def before(verb: str, recipient: str) -> None:
        if verb != ".":
            return
        taken.append(recipient.partition("@")[0])
        if len(taken) == 1:
            clock.move(LEASE + timedelta(minutes=1))
            await others.wait()
        elif len(set(taken)) >= len(MANY) - 1:
            # all but the one that goes through the same session
            others.set()

    server.before = before
    await fan_out_all(house, clock, limited(server, 2))
    assert sorted(taken) == list(MANY)
    assert {one.sent_at for name in MANY for one in deliveries_to(house, name)} == {clock()}


async def test_a_mail_that_begins_late_is_claimed_anew_right_before(
    house: House, clock: Clock, server: ScriptedRelay, passing: Callable[[], None]
) -> None:
    subscribe(house, clock, "ana", "ben")
    Outages(house, clock).published()
    claimed_until: list[datetime | None] = []
    note = lambda: claimed_until.append(deliveries_to(house, "ben")[0].due_at)  # noqa: E731
    taken = at_texts(server, passing, note)
    await fan_out_all(house, clock, limited(server, 1))
    assert taken == ["ana", "ben"]
    assert claimed_until == [clock() + LEASE]
    assert {one.sent_at for name in ("ana", "ben") for one in deliveries_to(house, name)} == {clock()}


async def test_a_mail_that_begins_late_is_left_to_whoever_has_claimed_it_meanwhile(
    house: House, clock: Clock, server: ScriptedRelay, passing: Callable[[], None]
) -> None:
    subscribe(house, clock, "ana", "ben")
    Outages(house, clock).published()

    def claim() -> None:
        passing()
        with house.store.transaction(alone=False) as connection:
            deliveries.end_leases(connection, clock())
            lease = 2 * LEASE
            deliveries.claim_due(connection, clock(), urgent=False, lease=lease, limit=9, claimed_by=2)

    taken = at_texts(server, claim)
    await fan_out_all(house, clock, limited(server, 1), claimant=OnlyOne(number=1, among=2))
    assert taken == ["ana"]
    [left] = deliveries_to(house, "ben")
    assert (left.sent_at, left.due_at) == (None, clock() + 2 * LEASE)


async def test_what_is_late_and_was_not_begun_is_claimed_and_composed_anew(
    house: House, clock: Clock, server: ScriptedRelay, passing: Callable[[], None]
) -> None:
    subscribe(house, clock, *MANY)
    Outages(house, clock).published()
    taken = at_texts(server, *[passing] * 5)
    await fan_out_all(house, clock, limited(server, 1))
    assert taken == sorted(taken)
    assert taken == list(MANY)
    assert {one.attempts for name in MANY for one in deliveries_to(house, name)} == {1}
