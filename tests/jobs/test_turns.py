"""Whose turn it is: a flood of posts holds up no reply, no timer and no alarm."""

import json
from datetime import datetime, timedelta
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.actions.house import House
from service.jobs import ARRIVALS_AT_ONCE, TIMER_PATIENCE, decide_what_is_due, timers_until
from service.mail.tokens import make_token, reply_address
from service.model import Delivery, DeliveryKind, Incident, Phase
from service.store import deliveries, inbox_rows, incidents
from service.store.inbox_rows import Arrival, Door, InboxRow, InboxState
from tests.rooms import Clock

FLOOD = 1_000
SECOND = timedelta(seconds=1)


def arrive(
    house: House, at: datetime, *, name: str = "Disk", state: str = "CRITICAL", times: int = 1
) -> None:
    """Let posts come in, and nothing be done about them."""
    body = json.dumps({"monitorName": name, "state": state}).encode()
    with house.store.transaction() as connection:
        inbox_rows.add_many(connection, [Arrival(Door.WEBHOOK, at, body, provider="victorops")] * times)


def reply(house: House, at: datetime, asked: Delivery, text: str) -> None:
    """Let an employee's answer to a mail come in."""
    raw = EmailMessage()
    raw["From"], raw["Subject"], raw["Message-ID"] = asked.recipient, "Re: x", "<1@acme.example>"
    raw["To"] = reply_address(house.own_address, make_token(house.key, asked.public_id))
    raw.set_content(f"{text}\n")
    with house.store.transaction() as connection:
        inbox_rows.add_mails(connection, [Arrival(Door.MAIL, at, raw.as_bytes(), content_key="1")])


def settle(house: House, now: datetime) -> None:
    """Let everything have its turn until nothing is left."""
    turns = 0
    while decide_what_is_due(house, now):
        turns += 1
        assert turns <= FLOOD, "there is no end to it"


def pending(house: House) -> int:
    """Count what is not worked off."""
    with house.store.reading() as connection:
        return inbox_rows.count_pending(connection)


def outage(house: House) -> Incident:
    """Read the one incident."""
    with house.store.reading() as connection:
        [incident] = incidents.listed(connection, limit=9)
    return incident


def mails(house: House) -> list[Delivery]:
    """Read the mails to employees about the one incident, oldest first."""
    with house.store.reading() as connection:
        return list(deliveries.of_incident_to_employees(connection, outage(house).id))


@pytest.fixture
def waiting(house: House, clock: Clock) -> Incident:
    """Give an incident whose wait time ends in five minutes."""
    arrive(house, clock(), name="Email Server")
    settle(house, clock())
    return outage(house)


@pytest.fixture
def asked(house: House, clock: Clock, waiting: Incident) -> Delivery:
    """Give the mail that asks Jordan about an incident which is published if nobody answers in ten minutes."""
    clock.move(timedelta(minutes=5))
    settle(house, clock())
    assert outage(house).phase is Phase.UNPUBLISHED, waiting.due_at
    return mails(house)[0]


def test_a_timer_fires_before_posts_that_came_after_it(house: House, clock: Clock, waiting: Incident) -> None:
    clock.move(timedelta(minutes=5, seconds=1))
    arrive(house, clock(), times=FLOOD)
    decide_what_is_due(house, clock())
    assert waiting.phase is Phase.WAITING
    assert outage(house).phase is Phase.UNPUBLISHED
    assert pending(house) == FLOOD - ARRIVALS_AT_ONCE


@pytest.mark.usefixtures("waiting")
def test_a_timer_waits_a_second_and_no_longer_for_posts_that_came_before_it(
    house: House, clock: Clock
) -> None:
    clock.move(timedelta(minutes=5))
    arrive(house, clock() - SECOND, times=FLOOD)
    decide_what_is_due(house, clock())
    assert outage(house).phase is Phase.WAITING
    clock.move(SECOND)
    decide_what_is_due(house, clock())
    assert outage(house).phase is Phase.UNPUBLISHED
    assert pending(house) == FLOOD - 2 * ARRIVALS_AT_ONCE


@pytest.mark.usefixtures("waiting")
def test_a_recovery_that_came_in_time_is_worked_off_before_the_timer(house: House, clock: Clock) -> None:
    clock.move(timedelta(minutes=5))
    arrive(house, clock() - SECOND, times=5 * ARRIVALS_AT_ONCE)
    arrive(house, clock() - SECOND, name="Email Server", state="UP")
    settle(house, clock())
    assert outage(house).phase is Phase.DISCARDED
    assert mails(house) == []


def test_a_reply_overtakes_posts_and_timers(house: House, clock: Clock, asked: Delivery) -> None:
    clock.move(timedelta(minutes=10))
    arrive(house, clock(), times=FLOOD)
    reply(house, clock(), asked, "discard")
    decide_what_is_due(house, clock())
    assert outage(house).phase is Phase.DISCARDED
    assert outage(house).ended_by == "jordan"
    assert pending(house) == FLOOD + 1 - ARRIVALS_AT_ONCE


@pytest.mark.usefixtures("asked")
def test_without_a_reply_the_timer_publishes_in_the_midst_of_posts(house: House, clock: Clock) -> None:
    clock.move(timedelta(minutes=11))
    arrive(house, clock(), times=FLOOD)
    decide_what_is_due(house, clock())
    assert outage(house).phase is Phase.PUBLISHED
    assert pending(house) == FLOOD - ARRIVALS_AT_ONCE


def test_an_alarm_is_raised_in_the_midst_of_posts(house: House, clock: Clock, asked: Delivery) -> None:
    with house.store.transaction() as connection:
        deliveries.mark_failed(connection, mails(house)[1].id, clock(), "550 no such user")
    arrive(house, clock(), times=FLOOD)
    decide_what_is_due(house, clock())
    assert pending(house) == FLOOD - ARRIVALS_AT_ONCE
    with house.store.transaction() as connection:
        queued = deliveries.claim_due(connection, clock(), urgent=True, lease=SECOND, limit=9)
    assert [mail.recipient for mail in queued if mail.kind is DeliveryKind.ALARM] == [asked.recipient]


def next_row(door: Door, received_at: datetime) -> InboxRow:
    """Give an arrival that is next to be worked off."""
    return InboxRow(1, door, "", received_at, b"", {}, InboxState.PENDING, 0, "", "")


@given(since=st.timedeltas(-timedelta(days=400), timedelta(days=400)))
def test_timers_wait_for_every_mail_and_for_earlier_posts_a_second(since: timedelta) -> None:
    now = Clock().now
    assert timers_until(next_row(Door.MAIL, now - since), now) is None
    until = timers_until(next_row(Door.WEBHOOK, now - since), now)
    assert until is not None
    assert now - TIMER_PATIENCE <= until <= now
    assert until < now - since or until == now - TIMER_PATIENCE


@pytest.mark.parametrize(
    ("posts", "did", "may_go_on"),
    [
        (0, False, False),
        (1, True, False),
        (ARRIVALS_AT_ONCE - 1, True, False),
        (ARRIVALS_AT_ONCE, True, True),
        (ARRIVALS_AT_ONCE + 1, True, True),
    ],
)
def test_a_turn_tells_whether_it_did_anything_and_whether_there_may_be_more(
    house: House, clock: Clock, posts: int, *, did: bool, may_go_on: bool
) -> None:
    arrive(house, clock(), times=posts)
    turn = decide_what_is_due(house, clock())
    assert (turn.did, turn.may_go_on, bool(turn)) == (did, may_go_on, may_go_on)


def test_after_a_timer_there_may_be_another_that_is_due(house: House, clock: Clock) -> None:
    arrive(house, clock(), name="Email Server")
    settle(house, clock())
    clock.move(timedelta(minutes=5))
    assert decide_what_is_due(house, clock())
    assert not decide_what_is_due(house, clock()).did
