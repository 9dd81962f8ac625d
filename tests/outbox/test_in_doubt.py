"""Whoever may have got the beginning hears the end, whatever the relay or the receiver says at later attempts."""

from collections.abc import Mapping
from datetime import timedelta

import orjson
import pytest
from sqlalchemy import select

from service.actions.deciding import correct
from service.actions.fan_out import CALLED_OFF, queue_next_chunk
from service.actions.house import House
from service.actions.redelivering import give_up, try_again
from service.actions.subscriber_admin import add_webhook
from service.calls.calling import Caller
from service.errors import AnswerLost, RecipientRefused, RecipientRefusedForNow, ReplycastError
from service.model import Delivery, Incident, UpdateStatus
from service.outbox import Relay
from service.outbox.calling import call_due
from service.outbox.outcomes import LEASE, SUSPICIOUS_AFTER, record
from service.store import deliveries, narrative, schema
from tests.outbox.relays import answer_by_recipient, deliveries_to, fan_out_all, recipients_heard, subscribe
from tests.rooms import Clock
from tests.transport.scripted_relay import CLOSE, PIPELINING, ScriptedRelay, scripted_relay
from tests.web.outages import Outages

pytestmark = pytest.mark.anyio
ANA, HOOK = "ana@reader.example", "https://hook.example/"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
FOR_NOW, FOR_GOOD = RecipientRefusedForNow("451 later"), RecipientRefused("550 5.7.1 not from you")


async def send_all(house: House, clock: Clock, relay: Relay) -> None:
    """Send what is left to be sent, whenever it falls due."""
    for _ in range(4):
        await fan_out_all(house, clock, relay)
        clock.move(HOUR)


def queue_all(house: House, clock: Clock) -> None:
    while queue_next_chunk(house, clock()):
        pass


def published_to(house: House, clock: Clock, *names: str) -> tuple[Outages, Incident]:
    """Publish an incident, and queue the mails that tell these subscribers of it."""
    subscribe(house, clock, *names)
    outages = Outages(house, clock)
    incident = outages.published()
    queue_all(house, clock)
    return outages, incident


def claim(house: House, clock: Clock) -> list[Delivery]:
    with house.store.transaction() as connection:
        return list(deliveries.claim_due(connection, clock(), urgent=False, lease=LEASE, limit=99))


def answer(house: House, clock: Clock, error: ReplycastError | None) -> list[int | None]:
    """Let all that is due be answered so; gives which updates were tried."""
    claimed = claim(house, clock)
    with house.store.transaction() as connection:
        for one in claimed:
            record(connection, one, error, clock())
    clock.move(HOUR)
    return [one.update_id for one in claimed]


def reached(house: House, clock: Clock) -> list[int]:
    """Let everybody take all that is to be sent from now on; gives which updates that were, in order."""
    queue_all(house, clock)
    told: list[int] = []
    while tried := answer(house, clock, None):
        told += [one for one in tried if one is not None]
        queue_all(house, clock)
    return told


def put_right(house: House, incident: Incident, update_id: int, clock: Clock, text: str = "A disk.") -> None:
    correct(house, incident.id, update_id, house.config.employees["sam"], text, clock())


async def test_who_got_it_before_the_relay_went_away_hears_the_end(house: House, clock: Clock) -> None:
    subscribe(house, clock, "ana")
    outages = Outages(house, clock)
    incident = outages.published()
    async with scripted_relay({**PIPELINING, ".": CLOSE}) as server:
        relay = Relay(server.smtp)
        await fan_out_all(house, clock, relay)
        [doubted] = deliveries_to(house, "ana")
        assert (doubted.may_have_arrived_at, doubted.sent_at) == (clock(), None)
        server.answers |= {".": "250 ok", "greeting": "421 4.3.2 going down"}
        for _ in range(SUSPICIOUS_AFTER):
            clock.move(MINUTE)
            await fan_out_all(house, clock, relay)
        outages.close(incident)
        await fan_out_all(house, clock, relay)
        server.answers["greeting"] = "220 relay"
        server.heard.clear()
        await send_all(house, clock, relay)
        assert recipients_heard(server) == [ANA, ANA]
    opened, closed = deliveries_to(house, "ana")
    assert opened.sent_at is not None
    assert closed.sent_at is not None
    assert opened.may_have_arrived_at is None


async def lose_at_last(house: House, clock: Clock, server: ScriptedRelay) -> Delivery:
    """Let the relay hang up on a mail to Ana until it steps back; the last time it went out whole."""
    relay = Relay(server.smtp)
    for attempt in range(1, SUSPICIOUS_AFTER + 1):
        is_last = attempt == SUSPICIOUS_AFTER
        server.answers |= {"RCPT": "250 ok" if is_last else CLOSE, ".": CLOSE}
        await fan_out_all(house, clock, relay)
        clock.move(HOUR)
    [doubted, *_] = deliveries_to(house, "ana")
    return doubted


async def test_what_steps_back_in_doubt_may_still_have_arrived(house: House, clock: Clock) -> None:
    subscribe(house, clock, "ana")
    outages = Outages(house, clock)
    incident = outages.published()
    with house.store.transaction() as connection:
        connection.execute(schema.deliveries.delete())  # employees are told elsewhere
    async with scripted_relay(PIPELINING) as server:
        doubted = await lose_at_last(house, clock, server)
        assert doubted.attempts == SUSPICIOUS_AFTER
        outages.close(incident)
        server.answers["."] = "250 ok"
        server.heard.clear()
        await send_all(house, clock, Relay(server.smtp))
        assert recipients_heard(server) == [ANA, ANA]


@pytest.mark.parametrize("end", ["restart", "lease"])
def test_what_somebody_had_in_hand_who_died_may_have_arrived(house: House, clock: Clock, end: str) -> None:
    outages, incident = published_to(house, clock, "ana")
    claim(house, clock)
    if end == "restart":
        with house.store.transaction() as connection:
            deliveries.end_leases(connection, clock())
    else:
        clock.move(LEASE)
    answer(house, clock, FOR_NOW)
    outages.close(incident)
    assert reached(house, clock) == [1, 2]


def test_what_was_given_back_cannot_have_arrived(house: House, clock: Clock) -> None:
    outages, incident = published_to(house, clock, "ana")
    answer(house, clock, FOR_NOW)
    with house.store.transaction() as connection:
        deliveries.give_back(connection, [one.id for one in deliveries_to(house, "ana")], clock(), "")
    outages.close(incident)
    assert reached(house, clock) == []


@pytest.mark.parametrize("is_over", [False, True])
def test_who_may_have_got_the_beginning_hears_the_end_though_it_failed_for_good_then(
    house: House, clock: Clock, *, is_over: bool
) -> None:
    outages, incident = published_to(house, clock, "ana")
    answer(house, clock, AnswerLost("the relay closed the connection"))
    if is_over:
        outages.close(incident)
        queue_all(house, clock)
    assert answer(house, clock, FOR_GOOD) == [1]
    if not is_over:
        outages.close(incident)
    assert reached(house, clock) == [2]


def test_what_was_tried_again_by_hand_may_be_cancelled(house: House, clock: Clock) -> None:
    outages, incident = published_to(house, clock, "ana")
    answer(house, clock, FOR_GOOD)
    [failed] = deliveries_to(house, "ana")
    try_again(house, failed.id, house.config.employees["jordan"], clock())
    outages.close(incident)
    assert reached(house, clock) == []


def test_the_end_is_not_heard_alone_where_the_beginning_comes_back_while_it_goes_out(
    house: House, clock: Clock
) -> None:
    outages, incident = published_to(house, clock, "ana", "ben")
    in_hand = claim(house, clock)
    outages.close(incident)
    for _ in range(2):
        queue_next_chunk(house, clock(), chunk=1)
    assert len(deliveries_to(house, "ana")) == 2, "the end is on its way to her"
    with house.store.transaction() as connection:
        for one in in_hand:
            record(connection, one, FOR_NOW, clock())
    clock.move(HOUR)
    assert reached(house, clock) == [1, 1, 2, 2]


def test_where_the_beginning_is_called_off_nothing_that_followed_slips_out_meanwhile(
    house: House, clock: Clock
) -> None:
    outages, incident = published_to(house, clock, "ana", "ben")
    answer(house, clock, FOR_NOW)
    outages.tell(incident, "We found it.")
    queue_all(house, clock)
    put_right(house, incident, 2, clock)
    queue_all(house, clock)
    outages.close(incident)
    queue_next_chunk(house, clock(), chunk=1)
    [begins] = claim(house, clock)
    assert begins.update_id == 1
    [called_off] = {"ana@reader.example", "ben@reader.example"} - {begins.recipient}
    stand = deliveries_to(house, called_off.partition("@")[0])
    assert [one.last_error for one in stand] == [CALLED_OFF] * 3


@pytest.mark.parametrize("is_taken", [False, True])
async def test_a_correction_goes_to_no_mail_reader_who_was_not_sent_what_it_corrects(
    house: House, clock: Clock, *, is_taken: bool
) -> None:
    subscribe(house, clock, "ana")
    outages = Outages(house, clock)
    incident = outages.published()
    async with scripted_relay(PIPELINING) as server:
        relay = Relay(server.smtp)
        answer_by_recipient(server, lambda _: None if is_taken else "451 4.4.1 try later")
        await fan_out_all(house, clock, relay)
        answer_by_recipient(server, lambda _: "451 4.4.1 try later")
        put_right(house, incident, 1, clock)
        await fan_out_all(house, clock, relay)
        put_right(house, incident, 2, clock, "A fan.")
        await fan_out_all(house, clock, relay)
        outages.close(incident)
        await fan_out_all(house, clock, relay)
        answer_by_recipient(server, lambda _: None)
        server.heard.clear()
        await send_all(house, clock, relay)
        assert recipients_heard(server) == ([ANA] * 3 if is_taken else [])


def test_a_correction_of_what_failed_goes_to_nobody(house: House, clock: Clock) -> None:
    outages, incident = published_to(house, clock, "ana")
    answer(house, clock, None)
    outages.tell(incident, "We found it.")
    put_right(house, incident, 2, clock)
    put_right(house, incident, 3, clock, "A fan.")
    queue_all(house, clock)
    assert answer(house, clock, FOR_GOOD) == [2]
    outages.close(incident)
    assert reached(house, clock) == [5]


def test_a_correction_of_what_was_given_up_by_hand_goes_to_nobody(house: House, clock: Clock) -> None:
    outages, incident = published_to(house, clock, "ana")
    answer(house, clock, None)
    outages.tell(incident, "We found it.")
    put_right(house, incident, 2, clock)
    queue_all(house, clock)
    waiting = deliveries_to(house, "ana")[1]
    give_up(house, waiting.id, house.config.employees["jordan"], clock())
    assert reached(house, clock) == []


class Answering(Caller):
    """Calls nobody, notes which updates it was to tell, and answers as it is told."""

    def __init__(self) -> None:
        self.told: list[bytes] = []
        self.error: ReplycastError | None = None

    async def call(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Note it."""
        del url, headers
        self.told.append(body)
        if self.error is not None:
            raise self.error


async def call_all(house: House, clock: Clock, caller: Answering) -> int:
    """Call whoever is to be called, and let an hour pass; gives how many calls that were."""
    queue_all(house, clock)
    before = len(caller.told)
    await call_due(house.store, house.config.site, house.key, caller, clock)
    clock.move(HOUR)
    return len(caller.told) - before


async def test_a_webhook_that_took_a_call_and_answered_too_late_hears_the_end(
    house: House, clock: Clock
) -> None:
    add_webhook(house, HOOK, None, clock())
    outages, caller = Outages(house, clock), Answering()
    incident = outages.published()
    caller.error = AnswerLost("no answer within 10 seconds")
    await call_all(house, clock, caller)
    caller.error = FOR_NOW
    await call_all(house, clock, caller)
    outages.close(incident)
    caller.error = None
    for _ in range(3):
        await call_all(house, clock, caller)
    types = [orjson.loads(one)["type"] for one in caller.told]
    assert types == ["incident.published"] * 3 + ["incident.resolved"]


async def test_a_webhook_is_told_no_correction_of_what_it_did_not_take(house: House, clock: Clock) -> None:
    add_webhook(house, HOOK, None, clock())
    outages, caller = Outages(house, clock), Answering()
    incident = outages.published()
    caller.error = FOR_NOW
    await call_all(house, clock, caller)
    put_right(house, incident, 1, clock)
    await call_all(house, clock, caller)
    outages.close(incident)
    caller.error = None
    assert [await call_all(house, clock, caller) for _ in range(2)] == [0, 0]


def test_all_that_was_called_off_is_counted(house: House, clock: Clock) -> None:
    subscribe(house, clock, *"abc")
    outages = Outages(house, clock)
    incident = outages.published()
    queue_all(house, clock)
    answer(house, clock, FOR_NOW)
    outages.tell(incident, "We found it.")
    put_right(house, incident, 1, clock)
    queue_all(house, clock)
    outages.close(incident)
    while queue_next_chunk(house, clock(), chunk=2):
        pass
    with house.store.reading() as connection:
        told = narrative.updates_of(connection, [incident.id])[incident.id]
        counted = connection.execute(select(schema.updates.c.cancelled).order_by(schema.updates.c.id))
        assert list(counted.scalars()) == [3, 3, 3, 0]
    assert told[-1].status is UpdateStatus.RESOLVED
