"""How mails that somebody waits for are carried: sessions are kept, opened where there is need, and well ended."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from service.actions.house import House
from service.config.settings import Limits
from service.mail.compose import Envelope, PostOffice
from service.model import Delivery
from service.outbox import Courier, Relay, composing, sending
from service.outbox.outcomes import LEASE
from service.outbox.relay import FIRST_RETRY
from service.store.database import Store
from service.store.sent_marks import SeenMarks
from tests.outbox.relays import answer_by_recipient, look_at, office_of, queue, recipients_heard
from tests.rooms import Clock
from tests.transport.scripted_relay import CLOSE, PIPELINING, SILENCE, ScriptedRelay, scripted_relay

pytestmark = pytest.mark.anyio
MANY = tuple(f"e{number:02}" for number in range(25))


@pytest.fixture(params=[{}, PIPELINING], ids=["plain", "pipelining"])
async def server(request: pytest.FixtureRequest) -> AsyncIterator[ScriptedRelay]:
    """Give a relay that takes everything until it is told otherwise."""
    async with scripted_relay(request.param) as running:
        yield running


def courier_of(house: House, clock: Clock, relay: Relay) -> Courier:
    return Courier(house.store, office_of(house), relay, clock)


async def test_the_next_mail_goes_through_the_same_session(
    house: House, clock: Clock, server: ScriptedRelay
) -> None:
    async with courier_of(house, clock, Relay(server.smtp)) as courier:
        queue(house, clock, "ana")
        assert await courier.send_due() == 1
        assert "QUIT" not in server.heard
        queue(house, clock, "ben")
        assert await courier.send_due() == 1
    assert recipients_heard(server) == ["ana@reader.example", "ben@reader.example"]
    assert [server.heard.count(word) for word in ("EHLO localhost", "QUIT")] == [1, 1]


async def test_a_session_that_nobody_needs_for_some_seconds_is_ended(
    house: House, clock: Clock, server: ScriptedRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue(house, clock, "ana")
    async with courier_of(house, clock, Relay(server.smtp)) as courier:
        await courier.send_due()
        assert await courier.send_due() == 0
        assert "QUIT" not in server.heard
        monkeypatch.setattr(sending, "KEPT_FOR", 0.0)
        assert await courier.send_due() == 0
        assert server.heard.count("QUIT") == 1


@pytest.mark.parametrize("said", [CLOSE, "421 4.4.2 you were silent for too long"])
async def test_that_a_kept_session_was_ended_by_the_relay_is_no_fault_of_anybody(
    house: House, clock: Clock, server: ScriptedRelay, said: str
) -> None:
    relay = Relay(server.smtp)
    async with courier_of(house, clock, relay) as courier:
        queue(house, clock, "ana")
        await courier.send_due()
        [ben] = queue(house, clock, "ben")
        ends = iter([said])
        answer_by_recipient(server, lambda _: next(ends, None))
        await courier.send_due()
        assert (look_at(house, ben).sent_at, look_at(house, ben).attempts) == (clock(), 1)
        assert (relay.failures, relay.paused_until) == (0, None)


async def test_a_session_is_kept_for_no_more_mails_than_the_relay_allows(
    house: House, clock: Clock, server: ScriptedRelay
) -> None:
    relay = Relay(replace(server.smtp, limits=Limits(mails_per_connection=2)))
    async with courier_of(house, clock, relay) as courier:
        for name in ("ana", "ben", "cem"):
            queue(house, clock, name)
            await courier.send_due()
    assert server.heard.count("EHLO localhost") == 2


async def test_many_mails_go_through_several_sessions(
    house: House, clock: Clock, server: ScriptedRelay
) -> None:
    mails = queue(house, clock, *MANY)
    relay = Relay(replace(server.smtp, limits=Limits(connections=3)))
    async with courier_of(house, clock, relay) as courier:
        assert await courier.send_due() == 25
        assert {look_at(house, mail).sent_at for mail in mails} == {clock()}
    assert sorted(recipients_heard(server)) == [f"{name}@reader.example" for name in MANY]
    assert server.heard.count("EHLO localhost") == 3


async def test_mails_are_composed_one_at_a_time_and_in_turn_with_others(
    house: House, clock: Clock, server: ScriptedRelay
) -> None:
    mails = queue(house, clock, *MANY)
    begun, within = 0, 0

    @contextmanager
    def turn() -> Iterator[None]:
        nonlocal begun, within
        begun, within = begun + 1, within + 1
        assert within == 1
        yield
        within -= 1

    relay = Relay(server.smtp)
    async with Courier(house.store, office_of(house), relay, clock, turn=turn) as courier:
        assert await courier.send_due() == 25
    assert {look_at(house, mail).sent_at for mail in mails} == {clock()}
    assert begun > len(MANY), "to claim them takes a turn too"


async def test_what_the_relay_says_to_others_goes_before_the_next_mail_is_composed(
    house: House, clock: Clock, server: ScriptedRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mail takes a millisecond to be composed, in which all sessions would stand still."""
    queue(house, clock, *MANY)
    compose, went_round, at = composing.compose_one, 0, list[int]()

    def go_round(loop: asyncio.AbstractEventLoop) -> None:
        nonlocal went_round
        went_round += 1
        if len(at) < len(MANY):
            loop.call_soon(go_round, loop)

    def note_composed(store: Store, office: PostOffice, delivery: Delivery) -> Envelope:
        if not at:
            go_round(asyncio.get_running_loop())
        at.append(went_round)
        return compose(store, office, delivery)

    monkeypatch.setattr(sending, "compose_one", note_composed)
    async with courier_of(house, clock, Relay(server.smtp)) as courier:
        await courier.send_due()
    assert len(at) == len(MANY)
    # the first two are composed before there is any other session
    assert min(later - before for before, later in pairwise(at[1:])) >= 3


async def test_a_few_more_mails_are_worth_another_session(
    house: House, clock: Clock, server: ScriptedRelay
) -> None:
    queue(house, clock, *MANY[:12])
    relay = Relay(replace(server.smtp, limits=Limits(connections=9)))
    async with courier_of(house, clock, relay) as courier:
        assert await courier.send_due() == 12
    assert server.heard.count("EHLO localhost") == 3


async def test_who_leaves_waits_for_no_answer_and_loses_nothing(
    house: House, clock: Clock, server: ScriptedRelay
) -> None:
    server.answers["."] = SILENCE
    ana, ben = queue(house, clock, "ana", "ben")
    async with courier_of(house, clock, Relay(server.smtp)) as courier:
        under_way = asyncio.create_task(courier.send_due())
        await server.is_silent.wait()
    assert await under_way == 2
    doubtful, untouched = look_at(house, ana), look_at(house, ben)
    assert doubtful.due_at is not None
    assert clock() < doubtful.due_at <= clock() + FIRST_RETRY < clock() + LEASE, "the relay may have taken it"
    assert (untouched.due_at, untouched.attempts) == (clock(), 0)
    clock.move(timedelta(minutes=1))
    server.answers["."] = "250 2.0.0 queued"
    async with courier_of(house, clock, Relay(server.smtp)) as courier:
        assert await courier.send_due() == 2


async def test_what_was_claimed_before_a_fault_that_nobody_foresaw_is_sent_without_waiting_for_its_lease(
    house: House, clock: Clock, server: ScriptedRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana, ben = queue(house, clock, "ana", "ben")
    relay = Relay(replace(server.smtp, limits=Limits(connections=1)))

    def fail(*_: object) -> None:
        raise RuntimeError("nobody foresaw it")

    async with courier_of(house, clock, relay) as courier:
        with monkeypatch.context() as patched:
            patched.setattr(SeenMarks, "mark", fail)
            with pytest.raises(RuntimeError, match="nobody foresaw it"):
                await courier.send_due()
        assert await courier.send_due() == 1
    assert [look_at(house, one).sent_at for one in (ana, ben)] == [clock(), clock()]
    assert recipients_heard(server).count("ana@reader.example") == 1
