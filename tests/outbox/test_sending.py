"""What becomes of a mail: taken, refused for good, tried again and given up, or not sent at all."""

from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import pairwise

import pytest

from service.actions.house import House
from service.model import Delivery, DeliveryKind
from service.outbox import Relay, outcomes, relay
from service.store import deliveries
from tests.outbox.relays import answer_by_recipient, look_at, office_of, queue, recipients_heard, send_due
from tests.rooms import Clock
from tests.transport.scripted_relay import ScriptedRelay, scripted_relay

pytestmark = pytest.mark.anyio


@pytest.fixture
async def server() -> AsyncIterator[ScriptedRelay]:
    """Give a relay that takes everything until it is told otherwise."""
    async with scripted_relay() as running:
        yield running


async def send(house: House, clock: Clock, server: ScriptedRelay) -> int:
    return await send_due(house.store, office_of(house), Relay(server.smtp), clock)


async def test_a_mail_is_sent_once(house: House, clock: Clock, server: ScriptedRelay) -> None:
    [ana] = queue(house, clock, "ana")
    assert await send(house, clock, server) == 1
    assert await send(house, clock, server) == 0
    sent = look_at(house, ana)
    assert (sent.sent_at, sent.due_at, sent.attempts) == (clock(), None, 1)
    assert recipients_heard(server) == ["ana@reader.example"]


async def test_where_nothing_is_due_the_relay_is_left_alone(
    house: House, clock: Clock, server: ScriptedRelay
) -> None:
    assert await send(house, clock, server) == 0
    assert server.heard == []


async def test_many_mails_go_through_one_session(house: House, clock: Clock, server: ScriptedRelay) -> None:
    queue(house, clock, "ana", "ben", "cem")
    assert await send(house, clock, server) == 3
    assert server.heard_commands().count("EHLO") == 1


async def test_a_refusal_for_good_is_shown_and_the_next_mail_goes(
    house: House, clock: Clock, server: ScriptedRelay
) -> None:
    answer_by_recipient(server, lambda line: "550 5.1.1 no such user" if "ana@" in line else None)
    ana, ben = queue(house, clock, "ana", "ben")
    await send(house, clock, server)
    failed = look_at(house, ana)
    assert (failed.failed_at, failed.due_at) == (clock(), None)
    assert failed.last_error == "550 5.1.1 no such user"
    assert look_at(house, ben).sent_at == clock()
    clock.move(timedelta(days=1))
    assert await send(house, clock, server) == 0


async def test_an_address_that_is_none_fails_for_good_and_the_next_mail_goes(
    house: House, clock: Clock, server: ScriptedRelay
) -> None:
    nobody, ben = queue(house, clock, "a@b@c", "ben")
    await send(house, clock, server)
    assert look_at(house, nobody).failed_at == clock()
    assert recipients_heard(server) == ["ben@reader.example"]
    assert look_at(house, ben).sent_at == clock()


async def try_until_it_ends(
    house: House, clock: Clock, server: ScriptedRelay, public_id: str
) -> list[Delivery]:
    """Send whenever the mail is due; gives how it stood after each attempt."""
    stood: list[Delivery] = []
    while not stood or stood[-1].due_at:
        await send(house, clock, server)
        stood.append(look_at(house, public_id))
        assert len(stood) < 1_000, "it is never given up"
        clock.now = stood[-1].due_at or clock.now
    return stood


async def test_a_refusal_for_now_is_tried_again_with_growing_pauses_and_given_up(
    house: House, clock: Clock, server: ScriptedRelay
) -> None:
    server.answers["RCPT"] = "451 4.7.1 greylisted"
    [ana] = queue(house, clock, "ana")
    queued_at = clock()
    *waiting, failed = await try_until_it_ends(house, clock, server, ana)
    due = [queued_at, *(one.due_at for one in waiting if one.due_at)]
    pauses = [later - earlier for earlier, later in pairwise(due)]
    for attempts, pause in enumerate(pauses[:7], start=1):
        longest = relay.FIRST_RETRY * 2 ** (attempts - 1)
        assert longest / 2 <= pause <= longest
    assert max(pauses) <= relay.LONGEST_RETRY
    assert failed.failed_at is not None
    assert timedelta(0) <= queued_at + outcomes.USEFUL_FOR - failed.failed_at <= relay.LONGEST_RETRY
    assert failed.last_error == "451 4.7.1 greylisted"
    assert failed.attempts == len(waiting) + 1


async def test_a_log_in_link_is_given_up_when_it_has_expired(
    house: House, clock: Clock, server: ScriptedRelay
) -> None:
    server.answers["RCPT"] = "451 4.7.1 greylisted"
    [link] = queue(house, clock, "jordan", kind=DeliveryKind.LOGIN_LINK)
    queued_at = clock()
    failed = (await try_until_it_ends(house, clock, server, link))[-1]
    assert failed.failed_at is not None
    assert failed.failed_at - queued_at < timedelta(minutes=15)


async def test_a_mail_that_was_refused_for_now_is_sent_when_the_relay_takes_it(
    house: House, clock: Clock, server: ScriptedRelay
) -> None:
    server.answers["RCPT"] = "451 4.7.1 greylisted"
    [ana] = queue(house, clock, "ana")
    await send(house, clock, server)
    server.answers["RCPT"] = "250 fine"
    assert await send(house, clock, server) == 0, "not before its time"
    clock.move(relay.FIRST_RETRY)
    assert await send(house, clock, server) == 1
    assert (look_at(house, ana).sent_at, look_at(house, ana).last_error) == (clock(), "")


async def test_what_a_dead_process_had_claimed_is_sent_after_the_lease(
    house: House, clock: Clock, server: ScriptedRelay
) -> None:
    [ana] = queue(house, clock, "ana")
    with house.store.transaction() as connection:
        deliveries.claim_due(connection, clock(), urgent=True, lease=outcomes.LEASE, limit=9)
    assert await send(house, clock, server) == 0
    clock.move(outcomes.LEASE)
    assert await send(house, clock, server) == 1
    assert look_at(house, ana).sent_at == clock()
