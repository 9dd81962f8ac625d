"""Admins import, export, add, reinstate and remove subscribers; nobody else does."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection

from service.actions.house import House
from service.actions.subscriber_admin import (
    Imported,
    add_webhook,
    export_lines,
    import_file,
    reinstate,
    remove,
)
from service.actions.subscriber_file import SubscriberFileFaulty
from service.actions.subscribing import find_subscription, subscribe, unsubscribe
from service.errors import NotAllowed, NotFound, StoreUnavailable, TokenInvalid
from service.mail.compose import unsubscribe_token
from service.model import Channel, DeliveryKind, Employee, Subscriber, SubscriberState
from service.store import deliveries, subscriber_lists, subscribers
from service.store.subscriber_lists import Standing, Tally, Wish
from tests.rooms import CONFIG, Clock, make_house

FILE = b"Email,Components,Webhook URL,Groups\nana@reader.example,API,https://ops.acme.example/hook,Staff\n"


def jordan(house: House) -> Employee:
    return house.config.employees["jordan"]


def take(house: House, clock: Clock, raw: bytes = FILE, *, have_agreed: bool = True) -> Imported:
    return import_file(house, raw, jordan(house), clock(), have_agreed=have_agreed)


def everyone(house: House) -> list[Subscriber]:
    with house.store.reading() as connection:
        return list(subscriber_lists.search(connection, limit=99))


def tally(house: House) -> Tally:
    with house.store.reading() as connection:
        return subscriber_lists.tally(connection)


def asked(house: House, clock: Clock) -> list[str]:
    """Give whom a confirmation is mailed to."""
    with house.store.transaction() as connection:
        mails = deliveries.claim_due(connection, clock(), urgent=True, lease=timedelta(days=1), limit=999)
    return [mail.recipient for mail in mails if mail.kind is DeliveryKind.SUBSCRIBER_CONFIRM]


def test_a_file_of_people_who_agreed_makes_subscribers(house: House, clock: Clock) -> None:
    imported = take(house, clock)
    assert (imported.added, imported.changed, imported.kept_out) == (2, 0, ())
    hook, ana = everyone(house)
    assert (ana.state, ana.components, ana.groups) == (SubscriberState.CONFIRMED, ("API",), ("Staff",))
    assert (hook.channel, hook.state) == (Channel.WEBHOOK, SubscriberState.CONFIRMED)
    assert find_subscription(house, unsubscribe_token(house.key, ana.public_id)).id == ana.id


def test_the_others_are_asked_first(house: House, clock: Clock) -> None:
    take(house, clock, have_agreed=False)
    assert tally(house) == Tally(confirmed=1, pending=1)
    assert asked(house, clock) == ["ana@reader.example"]


def test_a_bad_line_keeps_all_others_out(house: House, clock: Clock) -> None:
    with pytest.raises(SubscriberFileFaulty):
        take(house, clock, FILE + b"nonsense,,,\n")
    assert everyone(house) == []


def test_importing_again_changes_choices_and_doubles_nobody(house: House, clock: Clock) -> None:
    take(house, clock)
    again = take(house, clock, b"Email,Groups\nANA@reader.example,Board\n")
    assert (again.added, again.changed, again.unheard_groups) == (0, 1, ("Board",))
    ana = everyone(house)[1]
    assert (ana.groups, ana.address) == (("Board",), "ana@reader.example")
    assert ana.components == ("API",), "the file does not speak of components"
    take(house, clock, b"Email,Components\nana@reader.example,\n")
    ana = everyone(house)[1]
    assert (ana.components, ana.groups) == (None, ("Board",)), "it says that it is all of them"


def test_a_group_that_only_a_maintenance_names_is_no_slip(tmp_path: Path, clock: Clock) -> None:
    window = 'subject: Move, message: Soon., starts_at: "2026-12-01 22:00", duration: 2h, audience: [Board]'
    house = make_house(tmp_path / "other", f"{CONFIG}maintenance:\n  - {{{window}}}\n")
    assert take(house, clock, b"Email,Groups\nana@reader.example,Board; Bord\n").unheard_groups == ("Bord",)
    house.store.close()


def test_who_was_asked_before_and_has_agreed_elsewhere_hears(house: House, clock: Clock) -> None:
    subscribe(house, "ana@reader.example", clock())
    assert take(house, clock, b"Email\nana@reader.example\n", have_agreed=False).changed == 1
    assert tally(house) == Tally(pending=1)
    take(house, clock, b"Email\nana@reader.example\n")
    assert tally(house) == Tally(confirmed=1)
    assert everyone(house)[0].confirmed_at == clock()


def test_whoever_takes_long_over_the_export_keeps_no_view_of_the_database_open(
    house: House, clock: Clock
) -> None:
    take(house, clock)
    lines = export_lines(house, jordan(house), clock())
    assert "ana" in next(lines) + next(lines)
    take(house, clock, b"Email\nben@reader.example\n")
    assert house.store.engine.pool.status().count("Current Checked out connections: 0") == 1
    lines.close()  # type: ignore[attr-defined]  # of a generator


def test_an_import_brings_nobody_back_who_left_or_is_not_reached(house: House, clock: Clock) -> None:
    take(house, clock, b"Email\nana@reader.example\nben@reader.example\ncem@reader.example\n")
    cem, ben, _ = everyone(house)
    unsubscribe(house, unsubscribe_token(house.key, ben.public_id))
    with house.store.transaction() as connection:
        subscribers.suppress(connection, cem.id, clock(), "550 no such user")
    again = take(house, clock, b"Email\nana@reader.example\nben@reader.example\ncem@reader.example\n")
    assert again.kept_out == ("ben@reader.example", "cem@reader.example")
    assert tally(house) == Tally(confirmed=1, unsubscribed=1, suppressed=1)


def test_an_import_that_the_database_does_not_take_to_its_end_leaves_nobody(
    house: House, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StoreUnavailable("the disk is full")

    monkeypatch.setattr(subscriber_lists, "confirm_all", full)
    with pytest.raises(StoreUnavailable):
        take(house, clock)
    assert everyone(house) == []


def test_of_an_import_that_was_killed_nobody_hears_and_the_same_file_completes_it(
    house: House, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(subscriber_lists, "confirm_all", killed)
    with pytest.raises(KeyboardInterrupt):
        take(house, clock)
    monkeypatch.undo()
    assert tally(house).confirmed == 0
    take(house, clock)
    assert tally(house) == Tally(confirmed=2)
    assert everyone(house)[1].components == ("API",)


def test_others_write_while_a_long_file_is_taken(
    house: House, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, add = [], subscriber_lists.add_pending

    def add_slowly(connection: Connection, some: Sequence[Wish], now: datetime) -> dict[str, int]:
        written.append(len(some))
        return add(connection, some, now)

    monkeypatch.setattr(subscriber_lists, "add_pending", add_slowly)
    many = "Email\n" + "".join(f"reader{number}@reader.example\n" for number in range(1_200))
    assert take(house, clock, many.encode()).added == 1_200
    assert max(written) <= subscriber_lists.AT_ONCE < 1_200
    assert tally(house) == Tally(confirmed=1_200)


def test_who_signs_up_while_a_file_is_taken_is_no_fault(
    house: House, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = subscriber_lists.standings

    def look_and_sign_up(connection: Connection, addresses: Sequence[str]) -> dict[str, Standing]:
        found = look(connection, addresses)
        subscribe(house, "ana@reader.example", clock())
        return found

    monkeypatch.setattr(subscriber_lists, "standings", look_and_sign_up)
    assert take(house, clock).added == 1, "the webhook"
    assert tally(house) == Tally(confirmed=2)
    assert everyone(house)[-1].components == ("API",)


def test_too_many_are_not_asked_at_once(house: House, clock: Clock) -> None:
    many = "Email\n" + "".join(f"reader{number}@reader.example\n" for number in range(501))
    with pytest.raises(NotAllowed, match="501 new addresses"):
        take(house, clock, many.encode(), have_agreed=False)
    assert everyone(house) == []
    assert take(house, clock, many.encode()).added == 501


def test_the_export_is_the_list_of_those_who_hear(house: House, clock: Clock) -> None:
    take(house, clock)
    subscribe(house, "ben@reader.example", clock())
    assert "".join(export_lines(house, jordan(house), clock())).splitlines() == [
        "Email,Phone,Components,Groups,Webhook URL,Tags",
        "ana@reader.example,,API,Staff,,",
        ",,API,Staff,https://ops.acme.example/hook,",
    ]


def test_a_suppressed_one_is_sent_to_again_when_an_admin_says_so(house: House, clock: Clock) -> None:
    hook = add_webhook(
        house, "https://hooks.slack.com/services/x", jordan(house), clock(), components=["API"]
    )
    assert (hook.channel, hook.components) == (Channel.SLACK, ("API",))
    with house.store.transaction() as connection:
        subscribers.suppress(connection, hook.id, clock(), "it answered 500 for three days")
    reinstate(house, hook.id, jordan(house), clock())
    assert tally(house) == Tally(confirmed=1)


def test_who_is_removed_is_forgotten(house: House, clock: Clock) -> None:
    take(house, clock)
    ana = everyone(house)[1]
    remove(house, ana.id, jordan(house), clock())
    assert [one.address for one in everyone(house)] == ["https://ops.acme.example/hook"]
    with pytest.raises(TokenInvalid):
        find_subscription(house, unsubscribe_token(house.key, ana.public_id))
    with pytest.raises(NotFound):
        remove(house, ana.id, jordan(house), clock())


@pytest.mark.parametrize(
    "act",
    [
        lambda house, by, now: import_file(house, FILE, by, now, have_agreed=True),
        export_lines,
        lambda house, by, now: add_webhook(house, "https://ops.acme.example/", by, now),
        lambda house, by, now: reinstate(house, 1, by, now),
        lambda house, by, now: remove(house, 1, by, now),
    ],
)
@pytest.mark.parametrize("who", ["sam", "vera"])
def test_it_is_for_admins_alone(
    house: House, clock: Clock, who: str, act: Callable[[House, Employee, object], object]
) -> None:
    with pytest.raises(NotAllowed, match="for admins"):
        act(house, house.config.employees[who], clock())
