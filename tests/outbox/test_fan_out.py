"""An update goes out to all its subscribers, once each, through a few sessions, whatever the relay says."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from threading import Event

import pytest
from sqlalchemy import update

from service.actions.fan_out import queue_next_chunk
from service.actions.house import House
from service.config.settings import Limits, Smtp
from service.model import Phase
from service.outbox import Relay, fanning_out
from service.outbox.outcomes import LEASE, SUSPICIOUS_AFTER
from service.outbox.relay import FIRST_PAUSE, FIRST_RETRY
from service.store import deliveries, progress, schema, subscribers
from tests.outbox.relays import (
    NOBODY_LISTENS,
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
from tests.transport.scripted_relay import CLOSE, PIPELINING, SILENCE, ScriptedRelay, scripted_relay
from tests.web.outages import Outages

pytestmark = pytest.mark.anyio
MANY = tuple(f"r{number:02}" for number in range(60))


@pytest.fixture
async def server() -> AsyncIterator[ScriptedRelay]:
    """Give a relay that takes everything, and commands ahead, until it is told otherwise."""
    async with scripted_relay(PIPELINING) as running:
        yield running


def limited(smtp: Smtp, **limits: int) -> Relay:
    return Relay(replace(smtp, limits=Limits(**limits)))


def addresses(*names: str) -> list[str]:
    return [f"{name}@reader.example" for name in names]


@pytest.mark.parametrize("connections", [1, 4])
async def test_everybody_gets_it_once(
    house: House, clock: Clock, server: ScriptedRelay, connections: int
) -> None:
    subscribe(house, clock, *MANY)
    Outages(house, clock).published()
    relay = limited(server.smtp, connections=connections)
    assert await fan_out_all(house, clock, relay) == len(MANY)
    assert sorted(recipients_heard(server)) == addresses(*MANY)
    assert server.heard_commands().count("EHLO") == connections
    assert await fan_out_all(house, clock, relay) == 0
    assert {one.sent_at for name in MANY for one in deliveries_to(house, name)} == {clock()}
    with house.store.reading() as connection:
        found = progress.of_update(connection, 1)
    assert found is not None
    assert (found.recipients, found.queued, found.sent, found.waiting, found.to_queue) == (60, 60, 60, 0, 0)


async def test_a_relay_without_pipelining_gets_the_same(house: House, clock: Clock) -> None:
    async with scripted_relay() as server:
        subscribe(house, clock, *MANY)
        Outages(house, clock).published()
        await fan_out_all(house, clock, Relay(server.smtp))
        assert sorted(recipients_heard(server)) == addresses(*MANY)


async def test_a_session_ends_after_as_many_mails_as_the_relay_allows(
    house: House, clock: Clock, server: ScriptedRelay
) -> None:
    subscribe(house, clock, *MANY)
    Outages(house, clock).published()
    await fan_out_all(house, clock, limited(server.smtp, connections=1, mails_per_connection=25))
    assert sorted(recipients_heard(server)) == addresses(*MANY)
    assert server.heard_commands().count("QUIT") == 3


async def test_refusals_stop_nobody_else(house: House, clock: Clock, server: ScriptedRelay) -> None:
    subscribe(house, clock, *MANY)
    Outages(house, clock).published()
    said = {"<r07@": "550 5.1.1 no such user", "<r20@": "451 4.7.1 greylisted"}
    answer_by_recipient(server, lambda line: next((said[one] for one in said if one in line), None))
    await fan_out_all(house, clock, Relay(server.smtp))
    [failed], [waits] = deliveries_to(house, "r07"), deliveries_to(house, "r20")
    assert (failed.failed_at, failed.last_error) == (clock(), "550 5.1.1 no such user")
    assert (waits.failed_at, waits.sent_at, waits.last_error) == (None, None, "451 4.7.1 greylisted")
    said.clear()
    clock.move(FIRST_RETRY)
    assert await fan_out_all(house, clock, Relay(server.smtp)) == 1
    assert look_at(house, waits.public_id).sent_at == clock()
    with house.store.reading() as connection:
        found = progress.of_update(connection, 1)
    assert found is not None
    assert (found.sent, found.failed, found.waiting) == (59, 1, 0)


@pytest.mark.parametrize(
    ("said", "is_given_up"),
    [("550 5.1.1 no such user", True), ("550 user unknown", True), ("554 5.7.1 relay access denied", False)],
)
async def test_whom_the_relay_does_not_know_is_written_to_no_more(
    house: House, clock: Clock, server: ScriptedRelay, said: str, *, is_given_up: bool
) -> None:
    subscribe(house, clock, "r01", "r02")
    outages = Outages(house, clock)
    first = outages.published()
    answer_by_recipient(server, lambda line: said if "<r01@" in line else None)
    await fan_out_all(house, clock, Relay(server.smtp))
    with house.store.reading() as connection:
        found = subscribers.find_by_address(connection, "r01@reader.example")
    assert found is not None
    assert (found.suppressed_at is not None) == is_given_up
    assert found.suppressed_because == (said if is_given_up else "")
    outages.close(first)
    outages.published()
    await fan_out_all(house, clock, Relay(server.smtp))
    assert len(deliveries_to(house, "r01")) == (1 if is_given_up else 2)


async def test_an_address_that_cannot_be_written_to_stops_nobody_else(
    house: House, clock: Clock, server: ScriptedRelay
) -> None:
    subscribe(house, clock, "r01", "r02", "jörg@reader.example", "ana@bücher.example", "r03")
    Outages(house, clock).published()
    await fan_out_all(house, clock, Relay(server.smtp))
    reached = [*addresses("r01", "r02", "r03"), "ana@xn--bcher-kva.example"]
    assert sorted(recipients_heard(server)) == sorted(reached)


async def test_a_relay_that_is_down_counts_no_attempt(house: House, clock: Clock) -> None:
    subscribe(house, clock, *MANY)
    Outages(house, clock).published()
    relay = Relay(NOBODY_LISTENS)
    for _ in range(5):
        clock.now = relay.paused_until or clock.now
        assert await fan_out_all(house, clock, relay)
    assert {one.attempts for name in MANY for one in deliveries_to(house, name)} == {0}
    async with scripted_relay(PIPELINING) as server:
        relay.smtp = server.smtp
        assert await fan_out_all(house, clock, relay) == 0, "it is left in peace until then"
        clock.now = relay.paused_until or clock.now
        await fan_out_all(house, clock, relay)
        assert sorted(recipients_heard(server)) == addresses(*MANY)


async def test_while_the_relay_is_left_in_peace_deliveries_are_queued_all_the_same(
    house: House, clock: Clock
) -> None:
    subscribe(house, clock, *MANY)
    Outages(house, clock).published()
    relay = Relay(NOBODY_LISTENS, paused_until=clock() + timedelta(minutes=1))
    assert await fan_out_all(house, clock, relay) == 0
    assert [one.due_at for one in deliveries_to(house, "r59")] == [clock()]


async def test_a_relay_that_allows_fewer_sessions_gets_all_mails_through_those(
    house: House, clock: Clock, server: ScriptedRelay
) -> None:
    server.most_conversations = 2
    subscribe(house, clock, *MANY)
    Outages(house, clock).published()
    relay = limited(server.smtp, connections=8)
    await fan_out_all(house, clock, relay)
    assert sorted(recipients_heard(server)) == addresses(*MANY)
    assert relay.paused_until is None


@pytest.mark.parametrize("offers", [{}, PIPELINING], ids=["one by one", "pipelining"])
async def test_a_mail_that_always_ends_the_connection_steps_back(
    house: House, clock: Clock, offers: dict[str, str]
) -> None:
    async with scripted_relay(offers) as server:
        subscribe(house, clock, *MANY)
        Outages(house, clock).published()
        answer_by_recipient(server, lambda line: CLOSE if "<r30@" in line else None)
        relay = Relay(server.smtp)
        for _ in range(SUSPICIOUS_AFTER + 2):
            await fan_out_all(house, clock, relay)
            clock.move(FIRST_PAUSE)
            clock.now = max(relay.paused_until or clock.now, clock.now)
    assert set(recipients_heard(server)) == set(addresses(*MANY))
    [stepped_back] = deliveries_to(house, "r30")
    assert stepped_back.due_at is not None
    assert stepped_back.attempts == SUSPICIOUS_AFTER
    if not offers:  # with commands sent ahead the mail before it may get no answer either
        assert recipients_heard(server).count("r30@reader.example") == SUSPICIOUS_AFTER
        assert all(one.attempts == 1 for one in deliveries_to(house, "r29")), "the others are not to blame"


async def test_a_subscriber_for_whom_alone_it_wants_a_login_stops_nobody_else(
    house: House, clock: Clock, server: ScriptedRelay
) -> None:
    subscribe(house, clock, *MANY)
    Outages(house, clock).published()
    answer_by_recipient(server, lambda line: "530 5.7.0 authenticate" if "<r00@" in line else None)
    relay = Relay(server.smtp)
    await fan_out_all(house, clock, relay)
    clock.now = relay.paused_until or clock.now
    await fan_out_all(house, clock, relay)
    assert all(one.sent_at for name in MANY[1:] for one in deliveries_to(house, name))
    [stepped_back] = deliveries_to(house, "r00")
    assert (stepped_back.attempts, relay.paused_until) == (1, None)
    assert stepped_back.due_at is not None
    assert stepped_back.due_at > clock()


async def test_a_mail_whose_fate_is_unknown_is_sent_again_as_the_same_mail(
    house: House, clock: Clock, server: ScriptedRelay
) -> None:
    subscribe(house, clock, "ana")
    Outages(house, clock).published()
    server.answers["."] = CLOSE
    await fan_out_all(house, clock, Relay(server.smtp))
    [doubtful] = deliveries_to(house, "ana")
    assert (doubtful.attempts, doubtful.may_have_arrived_at, doubtful.sent_at) == (1, clock(), None)
    assert "closed the connection" in doubtful.last_error
    server.answers["."] = "250 fine"
    clock.move(FIRST_RETRY)
    await fan_out_all(house, clock, Relay(server.smtp))
    message_ids = [line for line in server.heard if line.startswith("Message-ID:")]
    assert len(message_ids) == 2
    assert len(set(message_ids)) == 1
    assert look_at(house, doubtful.public_id).sent_at == clock()


async def test_told_to_stop_it_gives_back_what_it_claimed(
    house: House, clock: Clock, server: ScriptedRelay
) -> None:
    subscribe(house, clock, *MANY)
    Outages(house, clock).published()
    stop = Event()

    def stop_at_the_tenth(line: str) -> None:
        if "<r10@" in line:
            stop.set()

    answer_by_recipient(server, stop_at_the_tenth)
    await fan_out_all(house, clock, limited(server.smtp, connections=1), stop)
    heard = recipients_heard(server)
    assert len(heard) < len(MANY)
    left = [one for name in MANY for one in deliveries_to(house, name) if one.sent_at is None]
    assert len(left) == len(MANY) - len(heard)
    assert {(one.attempts, one.due_at) for one in left} == {(0, clock())}
    await fan_out_all(house, clock, Relay(server.smtp))
    assert sorted(recipients_heard(server)) == addresses(*MANY)


@pytest.mark.parametrize("verb", ["greeting", "."])
async def test_told_to_stop_it_does_not_wait_for_a_relay_that_says_nothing(
    house: House, clock: Clock, server: ScriptedRelay, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    monkeypatch.setattr(fanning_out, "LEAVES_AFTER", 0.0)
    server.answers[verb] = SILENCE
    subscribe(house, clock, "ana", "ben")
    Outages(house, clock).published()
    relay, stop = limited(server.smtp, connections=1), Event()
    sending = asyncio.create_task(fan_out_all(house, clock, relay, stop))
    await server.is_silent.wait()
    stop.set()
    await sending
    [ana], [ben] = deliveries_to(house, "ana"), deliveries_to(house, "ben")
    assert (ben.attempts, ben.due_at, ben.last_error) == (0, clock(), "")
    assert ana.sent_at is None
    assert ana.due_at is not None
    assert (ana.due_at == clock()) == (verb == "greeting"), "of one that went out whole nobody knows"
    assert relay.failures == 0


async def test_what_a_dead_process_had_claimed_is_sent_after_the_lease(
    house: House, clock: Clock, server: ScriptedRelay
) -> None:
    subscribe(house, clock, "ana")
    Outages(house, clock).published()
    chunk = queue_next_chunk(house, clock(), lease=LEASE)
    assert chunk is not None
    assert len(chunk.claimed) == 1
    assert await fan_out_all(house, clock, Relay(server.smtp)) == 0
    clock.move(LEASE)
    assert await fan_out_all(house, clock, Relay(server.smtp)) == 1
    assert recipients_heard(server) == addresses("ana")


async def test_urgent_mails_have_a_session_of_their_own(
    house: House, clock: Clock, server: ScriptedRelay
) -> None:
    subscribe(house, clock, "ana")
    Outages(house, clock).published()
    [ben] = queue(house, clock, "ben")
    relay = Relay(server.smtp)
    while await send_due(house.store, office_of(house), relay, clock):
        pass
    assert "ana@reader.example" not in recipients_heard(server)
    assert look_at(house, ben).sent_at == clock()
    await fan_out_all(house, clock, relay)
    assert recipients_heard(server)[-1] == "ana@reader.example"


async def test_an_update_of_an_incident_that_is_not_public_is_never_sent(
    house: House, clock: Clock, server: ScriptedRelay
) -> None:
    subscribe(house, clock, *MANY)
    incident = Outages(house, clock).published()
    with house.store.transaction() as connection:
        hidden = update(schema.incidents).where(schema.incidents.c.id == incident.id)
        connection.execute(hidden.values(phase=Phase.UNPUBLISHED))
    await fan_out_all(house, clock, Relay(server.smtp))
    [failed] = deliveries_to(house, "r00")
    assert failed.last_error == "the incident of this update is not public"
    assert failed.failed_at == clock()
    assert recipients_heard(server) == []


async def test_who_leaves_while_the_relay_hesitates_gets_nothing_more(
    house: House, clock: Clock, server: ScriptedRelay
) -> None:
    subscribe(house, clock, "ana")
    Outages(house, clock).published()

    def leave(_line: str) -> str:
        with house.store.transaction() as connection:
            found = subscribers.find_by_address(connection, "ana@reader.example")
            assert found is not None
            deliveries.cancel_of_subscriber(connection, found.id, "unsubscribed")
        return "451 4.7.1 greylisted"

    answer_by_recipient(server, leave)
    await fan_out_all(house, clock, Relay(server.smtp))
    [cancelled] = deliveries_to(house, "ana")
    assert (cancelled.due_at, cancelled.last_error) == (None, "unsubscribed")
    with house.store.reading() as connection:
        found = progress.of_update(connection, 1)
    assert found is not None
    assert (found.cancelled, found.waiting) == (1, 0)


async def test_a_rate_is_kept_to(house: House, clock: Clock, server: ScriptedRelay) -> None:
    subscribe(house, clock, *MANY[:20])
    Outages(house, clock).published()
    relay = Relay(replace(server.smtp, limits=Limits(rate=50.0)))
    began = time.monotonic()
    await fan_out_all(house, clock, relay)
    assert time.monotonic() - began >= 19 / 50
    assert len(recipients_heard(server)) == 20
