"""Deliveries are found page by page, by indexes, and counted up to a bound."""

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from service.model import DeliveryKind
from service.store import deliveries as outbox
from service.store import delivery_lists, redelivery
from service.store.database import Store
from service.store.delivery_lists import Audience, Figures, Mark, Search, Stands
from tests.store.rows import MINUTE, NOW, a_mail, add_incident, add_subscriber, add_update, queued
from tests.store.test_plans import plan_of

LATER = NOW + MINUTE
SEARCHES = {
    "all": Search(),
    **{f"state {stands}": Search(stands=stands) for stands in Stands},
    **{f"waiting {to}": Search(stands=Stands.DUE, to=to) for to in Audience},
    "kind": Search(kind=DeliveryKind.ALARM),
    "incident": Search(incident_id=1),
    "lost of an incident": Search(incident_id=1, stands=Stands.LOST),
    "subscriber": Search(subscriber_id=1),
    "recipient": Search(recipient="jordan@acme.example"),
}


def ids(connection: Connection, search: Search, **asked: Mark) -> list[int]:
    found = delivery_lists.listed(connection, search, LATER, after=asked.get("after"), limit=50)
    return [one.id for one in found.deliveries]


def pages(connection: Connection, search: Search, limit: int) -> Iterator[int]:
    """Give the ids of all pages, one after the other."""
    after = None
    while True:
        found = delivery_lists.listed(connection, search, LATER, after=after, limit=limit)
        yield from (one.id for one in found.deliveries)
        after = found.next
        if after is None:
            return


def of_each(connection: Connection) -> dict[Stands, int]:
    """Queue a delivery of each standing; gives their ids."""
    names = ("due", "later", "lost", "sent", "cancelled")
    mails = queued(connection, *(a_mail(name, kind=DeliveryKind.ALARM) for name in names))
    made = dict(zip(Stands, (one.id for one in mails), strict=True))
    outbox.postpone(connection, made[Stands.LATER], LATER + MINUTE, "450 busy")
    outbox.mark_failed(connection, made[Stands.LOST], NOW, "550 no such user")
    outbox.mark_sent(connection, made[Stands.SENT], NOW)
    cancelled = redelivery.get(connection, made[Stands.CANCELLED])
    assert cancelled is not None
    assert redelivery.give_up(connection, cancelled, "given up")
    return made


@pytest.mark.parametrize("name", SEARCHES)
def test_a_page_goes_by_an_index_and_sorts_nothing(sqlite: Store, name: str) -> None:
    search = SEARCHES[name]
    with sqlite.transaction() as connection:
        add_update(connection, add_incident(connection))
        steps = plan_of(connection, lambda c: delivery_lists.listed(c, search, NOW, after=None, limit=50))
    assert not [step for step in steps if re.search(r"SCAN (?!CONSTANT|\(subquery)|TEMP B-TREE", step)]


def test_figures_go_by_indexes(sqlite: Store) -> None:
    with sqlite.transaction() as connection:
        steps = plan_of(connection, lambda c: delivery_lists.figures(c, NOW))
    assert not [step for step in steps if re.search(r"SCAN (?!anon_)|TEMP B-TREE", step)]
    assert "ix_deliveries_lost" in " ".join(steps)


def test_each_state_finds_its_own(store: Store) -> None:
    with store.transaction() as connection:
        made = of_each(connection)
        for stands, number in made.items():
            assert ids(connection, Search(stands=stands)) == [number]
            one = delivery_lists.get(connection, number)
            assert one is not None
            assert one.stands(LATER) is stands
        assert ids(connection, Search()) == sorted(made.values(), reverse=True)


def test_what_came_back_is_lost(store: Store) -> None:
    with store.transaction() as connection:
        (mail,) = queued(connection, a_mail("x"))
        outbox.mark_sent(connection, mail.id, NOW)
        outbox.mark_bounced(connection, mail.id, NOW, "550 unknown")
        assert ids(connection, Search(stands=Stands.LOST)) == [mail.id]
        assert ids(connection, Search(stands=Stands.SENT)) == []


def test_figures_count_what_waits_and_since_when(store: Store) -> None:
    with store.transaction() as connection:
        of_each(connection)
        assert delivery_lists.figures(connection, LATER) == Figures(1, 1, 1, NOW)


def test_figures_stop_counting(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery_lists, "MOST_COUNTED", 2)
    with store.transaction() as connection:
        queued(connection, *(a_mail(str(number)) for number in range(5)))
        assert delivery_lists.figures(connection, LATER).due == 3


@pytest.mark.parametrize("search", [Search(), Search(stands=Stands.DUE), Search(kind=DeliveryKind.ALARM)])
def test_pages_together_give_each_once(store: Store, search: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery_lists, "LOOKED_THROUGH", 3)
    with store.transaction() as connection:
        kinds = (DeliveryKind.ALARM, DeliveryKind.LOGIN_LINK)
        queued(connection, *(a_mail(str(number), kind=kinds[number % 2]) for number in range(17)))
        found = list(pages(connection, search, 4))
    assert len(found) == len(set(found)) == (9 if search.kind else 17)


def test_an_incident_has_its_mails_to_employees_and_those_of_each_update(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery_lists, "LOOKED_THROUGH", 2)
    with store.transaction() as connection:
        incident, other = add_incident(connection), add_incident(connection)
        first, second = add_update(connection, incident), add_update(connection, incident)
        kind, of_it = DeliveryKind.SUBSCRIBER_UPDATE, incident.id
        mails = [a_mail(f"a{number}", incident_id=of_it, employee_id="sam") for number in range(4)]
        for update_id in (first, second):
            many = range(5)
            mails += [
                a_mail(f"{update_id}-{n}", incident_id=of_it, update_id=update_id, kind=kind) for n in many
            ]
        wanted = {one.id for one in queued(connection, *mails)}
        queued(connection, a_mail("other", incident_id=other.id))
        assert set(pages(connection, Search(incident_id=of_it), 3)) == wanted
        subscribers_alone = set(pages(connection, Search(incident_id=of_it, kind=kind), 3))
    assert len(subscribers_alone) == 10
    assert subscribers_alone < wanted


def test_one_subscriber_is_found(store: Store) -> None:
    with store.transaction() as connection:
        ana, ben = add_subscriber(connection, "ana"), add_subscriber(connection, "ben")
        mails = queued(connection, a_mail("a", subscriber_id=ana.id), a_mail("b", subscriber_id=ben.id))
        assert ids(connection, Search(subscriber_id=ana.id)) == [mails[0].id]
        assert ids(connection, Search(subscriber_id=ana.id, stands=Stands.SENT)) == []
