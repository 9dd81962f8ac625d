"""Mails that come back: a full mailbox is no reason to give up, and a storm of them is one alarm."""

from datetime import timedelta
from itertools import count

import pytest
from sqlalchemy import select

from service.actions import subscriber_admin
from service.actions.bouncing import MOST_SOFT_BOUNCES, note_bounce, raise_alarms
from service.actions.house import House
from service.mail.bounces import Bounce, BounceKind
from service.model import Delivery, DeliveryKind, Subscriber, SubscriberState
from service.store import deliveries, inbox_rows, schema, subscribers
from service.store.deliveries import NewDelivery
from service.store.inbox_rows import Arrival, Door
from tests.rooms import CONFIG, Clock, make_house

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
NUMBERS = count(1)


@pytest.fixture
def ana(house: House, clock: Clock) -> int:
    """Give the id of a confirmed subscriber."""
    with house.store.transaction() as connection:
        added = subscribers.add(
            connection,
            public_id=house.new_id(),
            address="ana@reader.example",
            unsubscribe_hash="ana",
            now=clock(),
        )
        state = SubscriberState.CONFIRMED
        subscribers.set_state(connection, added.id, state, confirmed_at=clock())
    return added.id


def bounce_to(
    house: House, clock: Clock, subscriber_id: int, kind: BounceKind = BounceKind.SOFT, gone: str = ""
) -> None:
    """Let one more mail to a subscriber come back; `gone` is who is gone for good, where it is named."""
    with house.store.transaction() as connection:
        number, public_id = next(NUMBERS), house.new_id()
        mail = NewDelivery(
            public_id=public_id,
            occasion=f"update:{number}",
            kind=DeliveryKind.SUBSCRIBER_UPDATE,
            recipient="ana@reader.example",
            subscriber_id=subscriber_id,
        )
        deliveries.queue(connection, [mail], clock())
        [inbox_id] = inbox_rows.add_many(connection, [Arrival(Door.MAIL, clock(), b"")])
    came_back = Bounce(
        public_id, "ana@reader.example", kind, "4.2.2", "mailbox full", (gone,) if gone else ()
    )
    note_bounce(house, inbox_id, came_back, clock())


def subscriber(house: House, subscriber_id: int) -> Subscriber:
    with house.store.reading() as connection:
        found = subscribers.get(connection, subscriber_id)
    assert found is not None
    return found


def test_a_storm_of_soft_bounces_on_one_day_counts_once(house: House, clock: Clock, ana: int) -> None:
    for _ in range(3 * MOST_SOFT_BOUNCES):
        bounce_to(house, clock, ana)
        clock.move(timedelta(minutes=10))
    assert subscriber(house, ana).soft_bounces == 1
    assert subscriber(house, ana).suppressed_at is None


def test_soft_bounces_on_five_days_end_the_mails_and_say_why(house: House, clock: Clock, ana: int) -> None:
    for day in range(MOST_SOFT_BOUNCES):
        assert subscriber(house, ana).suppressed_at is None, day
        bounce_to(house, clock, ana)
        clock.move(DAY)
    assert subscriber(house, ana).suppressed_at == clock() - DAY
    assert "mailbox full" in subscriber(house, ana).suppressed_because


@pytest.mark.parametrize(("pause", "counted"), [(7 * DAY, 1), (7 * DAY - HOUR, 5)])
def test_a_week_without_a_bounce_forgets_them(
    house: House, clock: Clock, ana: int, pause: timedelta, counted: int
) -> None:
    for _ in range(MOST_SOFT_BOUNCES - 1):
        clock.move(DAY)
        bounce_to(house, clock, ana)
    clock.move(pause)
    bounce_to(house, clock, ana)
    assert subscriber(house, ana).soft_bounces == counted


def test_a_hard_bounce_ends_the_mails_at_once(house: House, clock: Clock, ana: int) -> None:
    bounce_to(house, clock, ana, BounceKind.HARD)
    assert subscriber(house, ana).suppressed_at == clock()


def test_one_who_is_gone_behind_an_alias_counts_as_a_soft_bounce(
    house: House, clock: Clock, ana: int
) -> None:
    for day in range(MOST_SOFT_BOUNCES):
        assert subscriber(house, ana).suppressed_at is None
        bounce_to(house, clock, ana, BounceKind.HARD, gone="carol@reader.example")
        assert subscriber(house, ana).soft_bounces == day + 1
        clock.move(DAY)
    assert subscriber(house, ana).suppressed_at is not None


def test_the_address_itself_may_be_written_in_another_way(house: House, clock: Clock, ana: int) -> None:
    bounce_to(house, clock, ana, BounceKind.HARD, gone="Ana@mx.reader.example")
    assert subscriber(house, ana).suppressed_at == clock()


@pytest.mark.parametrize("kind", [BounceKind.HARD, BounceKind.SOFT])
def test_the_first_bounce_of_an_old_mail_says_nothing_of_who_confirmed_since(
    house: House, clock: Clock, ana: int, kind: BounceKind
) -> None:
    with house.store.transaction() as connection:
        old = NewDelivery(house.new_id(), "old", DeliveryKind.SUBSCRIBER_UPDATE, "ana@reader.example",
                          subscriber_id=ana)  # fmt: skip
        deliveries.queue(connection, [old], clock())
        clock.move(DAY)
        subscribers.set_state(connection, ana, SubscriberState.CONFIRMED, confirmed_at=clock())
    clock.move(DAY)
    bounce_again(house, clock, "old", kind)
    assert subscriber(house, ana).suppressed_at is None
    assert subscriber(house, ana).soft_bounces == 0


def test_an_address_whose_confirmation_mail_comes_back_is_given_up(
    house: House, clock: Clock, ana: int
) -> None:
    with house.store.transaction() as connection:
        subscribers.set_state(connection, ana, SubscriberState.PENDING, confirmed_at=None)
    bounce_to(house, clock, ana, BounceKind.HARD)
    assert subscriber(house, ana).suppressed_at == clock()


def test_the_same_bounce_once_more_does_not_put_out_who_was_taken_in_again(
    house: House, clock: Clock, ana: int
) -> None:
    bounce_to(house, clock, ana, BounceKind.HARD)
    first = f"update:{next(NUMBERS) - 1}"
    clock.move(DAY)
    subscriber_admin.reinstate(house, ana, house.config.employees["jordan"], clock())
    bounce_again(house, clock, first)
    assert subscriber(house, ana).suppressed_at is None
    bounce_to(house, clock, ana, BounceKind.HARD)
    assert subscriber(house, ana).suppressed_at == clock()


def bounce_again(house: House, clock: Clock, occasion: str, kind: BounceKind = BounceKind.HARD) -> None:
    """Let a mail come back that was queued before."""
    with house.store.transaction() as connection:
        query = select(schema.deliveries.c.public_id).where(schema.deliveries.c.occasion == occasion)
        public_id = connection.execute(query).scalar_one()
        [inbox_id] = inbox_rows.add_many(connection, [Arrival(Door.MAIL, clock(), b"")])
    came_back = Bounce(public_id, "ana@reader.example", kind, "5.1.1", "no such user")
    note_bounce(house, inbox_id, came_back, clock())


def fail(
    house: House,
    clock: Clock,
    kind: DeliveryKind = DeliveryKind.PUBLISHED,
    *,
    to: str = "sam",
    bounced: bool = False,
) -> None:
    """Let a mail to an employee fail for good, or come back."""
    employee, public_id = house.config.employees[to], house.new_id()
    mail = NewDelivery(public_id, f"mail:{next(NUMBERS)}", kind, employee.email, employee_id=to)
    with house.store.transaction() as connection:
        deliveries.queue(connection, [mail], clock())
        queued = deliveries.get_by_public_id(connection, public_id)
        assert queued is not None
        if bounced:
            deliveries.mark_sent(connection, queued.id, clock())
            deliveries.mark_bounced(connection, queued.id, clock(), "550 no such user")
        else:
            deliveries.mark_failed(connection, queued.id, clock(), "550 no such user")


def alarms(house: House, clock: Clock) -> list[Delivery]:
    """Raise what alarms there are, and take them out of the outbox."""
    while raise_alarms(house, clock()):
        pass
    with house.store.transaction() as connection:
        mails = deliveries.claim_due(connection, clock(), urgent=True, lease=365 * DAY, limit=99)
    assert {mail.kind for mail in mails} <= {DeliveryKind.ALARM}
    return list(mails)


def text(alarm: Delivery) -> str:
    return " ".join((alarm.facts["title"], *alarm.facts["sentences"]))


def test_a_storm_of_bounces_is_one_mail_that_counts_them(house: House, clock: Clock) -> None:
    for _ in range(20):
        fail(house, clock, bounced=True)
    [alarm] = alarms(house, clock)
    assert alarm.recipient == "jordan@acme.example"
    assert "Sam Lee cannot be reached by mail" in text(alarm)
    assert "20 mails to Sam Lee (sam@acme.example) could not be delivered" in text(alarm)
    assert "550 no such user" in text(alarm)


def test_of_one_employee_an_admin_hears_once_an_hour(house: House, clock: Clock) -> None:
    told = []
    for _ in range(18):
        fail(house, clock)
        told += alarms(house, clock)
        clock.move(timedelta(minutes=10))
    assert len(told) == 3
    assert ["1 mail to Sam" in text(told[0]), "13 mails to Sam" in text(told[2])] == [True, True]


def test_an_hour_begins_with_the_last_mail_and_not_with_the_clock(house: House, clock: Clock) -> None:
    clock.now = clock.now.replace(minute=59)
    fail(house, clock)
    assert len(alarms(house, clock)) == 1
    for minutes, told in ((2, 0), (57, 0), (1, 1)):
        clock.move(timedelta(minutes=minutes))
        fail(house, clock)
        assert len(alarms(house, clock)) == told


def test_each_employee_who_is_not_reached_is_told_of(house: House, clock: Clock) -> None:
    for to in ("sam", "vera", "sam"):
        fail(house, clock, to=to)
    assert sorted(alarm.facts["title"][:3] for alarm in alarms(house, clock)) == ["Sam", "Ver"]


def test_every_admin_is_told_but_not_of_himself(clock: Clock, house: House) -> None:
    second = make_house(house.config.path.parent / "second", CONFIG.replace("role: publisher", "role: admin"))
    for to in ("sam", "vera"):
        fail(second, clock, to=to)
    told = [(alarm.facts["title"][:3], alarm.recipient[:3]) for alarm in alarms(second, clock)]
    assert sorted(told) == [("Sam", "jor"), ("Ver", "jor"), ("Ver", "sam")]
    second.store.close()


LET_GO = {DeliveryKind.LOGIN_LINK, DeliveryKind.ANSWER, DeliveryKind.ALARM}
TO_EMPLOYEES = [
    DeliveryKind.APPROVAL,
    DeliveryKind.PUBLISHED,
    DeliveryKind.RECOVERED,
    DeliveryKind.CLOSED,
    DeliveryKind.DISCARDED,
    DeliveryKind.REMINDER,
    DeliveryKind.CONFIRM_REPLY,
    *sorted(LET_GO),
]


@pytest.mark.parametrize("kind", TO_EMPLOYEES)
def test_what_never_left_is_an_alarm_if_it_asks_or_tells(
    house: House, clock: Clock, kind: DeliveryKind
) -> None:
    fail(house, clock, kind)
    assert len(alarms(house, clock)) == (kind not in LET_GO)


@pytest.mark.parametrize("kind", TO_EMPLOYEES)
def test_whatever_comes_back_is_an_alarm(house: House, clock: Clock, kind: DeliveryKind) -> None:
    fail(house, clock, kind, bounced=True)
    assert len(alarms(house, clock)) == 1


def test_what_is_no_alarm_is_not_counted_by_one(house: House, clock: Clock) -> None:
    for kind in (DeliveryKind.LOGIN_LINK, DeliveryKind.PUBLISHED, DeliveryKind.ANSWER):
        fail(house, clock, kind)
    assert "1 mail to Sam Lee" in text(alarms(house, clock)[0])


def test_there_is_nothing_to_tell_where_all_are_reached(house: House, clock: Clock) -> None:
    assert not raise_alarms(house, clock())
