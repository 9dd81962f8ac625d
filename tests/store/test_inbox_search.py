"""What arrived is found by the time at which it was received and by entity, exactly, page by page."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Connection

from service.model import Alert, AlertState
from service.store import inbox_rows, inbox_search, narrative
from service.store.database import Store
from service.store.inbox_firsts import FirstAlert, first_alerts
from service.store.inbox_rows import Arrival, Door, InboxState
from service.store.inbox_search import Wanted, search
from tests.store.rows import MINUTE, NOW

SECOND = timedelta(seconds=1)


@pytest.fixture
def connection(store: Store) -> Iterator[Connection]:
    """Give a transaction."""
    with store.transaction() as opened:
        yield opened


def arrive(connection: Connection, *after: timedelta, reason: str = "opened") -> list[int]:
    """Store posts that were received so long after NOW, in the order given; gives their numbers."""
    done = InboxState.DONE
    posts = [Arrival(Door.WEBHOOK, NOW + one, b"{}", "victorops", state=done, reason=reason) for one in after]
    return inbox_rows.add_many(connection, posts)


def note(connection: Connection, inbox_id: int, *entities: str | None) -> None:
    """Note an alert of each entity in a post."""
    for one in entities:
        alert = Alert("victorops", "Email Server", AlertState.FIRING, entity_id=one, raw_state="", message="")
        narrative.add_alert(
            connection, alert, inbox_id=inbox_id, incident_id=None, reason="no_monitor", now=NOW
        )


def found(connection: Connection, wanted: Wanted, before: int | None = None, limit: int = 9) -> list[int]:
    return [one.id for one in search(connection, wanted, before_id=before, limit=limit).rows]


def test_a_span_begins_with_its_first_moment_and_ends_before_its_last(connection: Connection) -> None:
    arrive(connection, *(number * MINUTE for number in range(5)))
    assert found(connection, Wanted(since=NOW + MINUTE, until=NOW + 3 * MINUTE)) == [3, 2]
    assert found(connection, Wanted(since=NOW + MINUTE + SECOND)) == [5, 4, 3]
    assert found(connection, Wanted(until=NOW + MINUTE)) == [1]
    assert found(connection, Wanted(since=NOW + 9 * MINUTE)) == []
    assert found(connection, Wanted(until=NOW)) == []


def test_what_was_stored_out_of_order_is_found_where_it_was_received(connection: Connection) -> None:
    arrive(connection, 2 * SECOND, SECOND, 4 * SECOND, 3 * SECOND, 5 * SECOND)
    assert found(connection, Wanted(since=NOW + SECOND, until=NOW + 3 * SECOND)) == [2, 1]
    assert found(connection, Wanted(since=NOW + 4 * SECOND)) == [5, 3]


def test_an_entity_is_found_exactly_and_a_post_with_several_of_its_alerts_once(
    connection: Connection,
) -> None:
    first, second, third, fourth = arrive(connection, *(number * MINUTE for number in range(4)))
    note(connection, first, "disk-1", "disk-1", "disk-2")
    note(connection, second, "disk-1%", "DISK-1", None)
    note(connection, third, "disk-1")
    note(connection, fourth)
    note(connection, first, "disk-1")  # as what counts at the end of a maintenance
    assert found(connection, Wanted(entity_id="disk-1")) == [third, first]
    assert found(connection, Wanted(entity_id="disk-1"), limit=1) == [third]
    assert found(connection, Wanted(entity_id="disk-1"), before=third) == [first]
    assert found(connection, Wanted(entity_id="disk-1", until=NOW + MINUTE)) == [first]
    assert found(connection, Wanted(entity_id="disk-1", since=NOW + MINUTE, text="email")) == [third]
    assert found(connection, Wanted(entity_id="disk")) == []


def test_however_many_are_newer_a_span_is_looked_through_and_goes_on_page_by_page(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox_search, "SEARCHED", 3)
    old = arrive(connection, *[SECOND] * 2, reason="unreadable")
    arrive(connection, *[2 * SECOND] * 4)
    new = arrive(connection, *(number * MINUTE for number in range(5, 15)))
    for one in (*old, *new):
        note(connection, one, "disk-1")
    for wanted in (
        Wanted(until=NOW + MINUTE, reason="unreadable"),
        Wanted(until=NOW + MINUTE, reason="unreadable", entity_id="disk-1"),
    ):
        numbers, before = list[int](), None
        for _ in range(9):
            page = search(connection, wanted, before_id=before, limit=2)
            numbers += [one.id for one in page.rows]
            before = page.next_before
            if before is None:
                break
        assert numbers == old[::-1]


def test_what_the_evidence_says_is_found(connection: Connection) -> None:
    [number] = inbox_rows.add_many(connection, [Arrival(Door.MAIL, NOW, b"x")])
    done, said = InboxState.DONE, "dmarc=fail by mx.acme.example"
    inbox_rows.finish(connection, number, done, reason="not_authentic", authentic="no", evidence=said)
    assert found(connection, Wanted(text="DMARC=fail")) == [number]


def test_of_each_arrival_the_first_alert_is_given_and_each_other_counted_once(connection: Connection) -> None:
    one, two, empty = arrive(connection, SECOND, SECOND, SECOND)
    note(connection, one, "a", "b", "b", None)
    note(connection, two, "a")
    firsts = first_alerts(connection, [one, two, empty], named="no such name")
    assert firsts == {
        one: FirstAlert("Email Server", "firing", 2),
        two: FirstAlert("Email Server", "firing", 0),
    }
    assert first_alerts(connection, []) == {}
