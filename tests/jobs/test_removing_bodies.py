"""Bodies of what arrived are removed when they were kept long enough; what became of each is not."""

from datetime import timedelta

import pytest

from service import inbox, jobs
from service.actions import replaying
from service.actions.house import House
from service.errors import NotFound
from service.mail.imap import FetchedMail
from service.store import credentials, inbox_bodies, inbox_rows, inbox_search, recorded
from service.store.inbox_rows import Arrival, Door, InboxRow, InboxState
from service.store.inbox_search import Wanted
from tests.rooms import Clock

KEPT = timedelta(days=730)
MOMENT = timedelta(seconds=1)
FIRING = b'{"monitorName": "Email Server", "state": "CRITICAL"}'
RECOVERED = b'{"monitorName": "Email Server", "state": "RECOVERY"}'
MAIL = b"From: a@stranger.example\r\nMessage-ID: <1@stranger.example>\r\nSubject: hello\r\n\r\nhello\r\n"


def post(house: House, clock: Clock, body: bytes, state: InboxState = InboxState.PENDING) -> int:
    with house.store.transaction() as connection:
        arrival = Arrival(Door.WEBHOOK, clock(), body, provider="victorops", state=state, content_key=None)
        return inbox_rows.add_many(connection, [arrival])[0]


def keep_house(house: House, clock: Clock) -> None:
    jobs.keep_house(house, clock())


def work_off(house: House, clock: Clock) -> None:
    while jobs.decide_what_is_due(house, clock()):
        pass


def leave_as_earlier_versions_did(house: House, clock: Clock) -> dict[str, str | int]:
    """Store two mails, of which one has had its turn and lost its body alone; gives what stands around it."""
    about: dict[str, str | int] = {"sender": "a@stranger.example", "size": 9, "removed_at": "2026-11-24"}
    kept = {"sender": "b@stranger.example"}
    done = InboxState.DONE
    with house.store.transaction() as connection:
        mails = [
            Arrival(Door.MAIL, clock(), b"", about=about, state=done),
            Arrival(Door.MAIL, clock(), MAIL, about=kept, state=done),
        ]
        numbers = inbox_rows.add_many(connection, mails)
        credentials.instance_value(connection, "inbox_bodies_seen", str(numbers[-1]))
    return about


def row(house: House, number: int) -> InboxRow:
    with house.store.reading() as connection:
        found = inbox_rows.get(connection, number)
    assert found is not None
    return found


def bodies(house: House) -> list[bytes]:
    with house.store.reading() as connection:
        return [one.raw for one in inbox_rows.listed(connection, limit=99)][::-1]


@pytest.mark.parametrize("state", [InboxState.DONE, InboxState.REFUSED])
def test_a_body_is_removed_when_it_was_kept_long_enough(
    state: InboxState, house: House, clock: Clock
) -> None:
    number = post(house, clock, FIRING, state)
    clock.move(KEPT)
    keep_house(house, clock)
    assert row(house, number).raw == FIRING
    clock.move(MOMENT)
    keep_house(house, clock)
    left = row(house, number)
    assert (left.raw, left.state, left.size) == (b"", state, len(FIRING))
    assert left.about[inbox_rows.REMOVED_AT] == clock().isoformat()


def test_a_list_tells_how_long_a_removed_body_was(house: House, clock: Clock) -> None:
    post(house, clock, FIRING, InboxState.DONE)
    post(house, clock, b"", InboxState.DONE)
    clock.move(KEPT + MOMENT)
    keep_house(house, clock)
    post(house, clock, RECOVERED, InboxState.DONE)
    with house.store.reading() as connection:
        sizes = [one.size for one in inbox_search.search(connection, Wanted(), limit=9).rows]
    assert sizes == [len(RECOVERED), 0, len(FIRING)]


def test_what_is_quarantined_is_kept(house: House, clock: Clock) -> None:
    number = post(house, clock, FIRING, InboxState.QUARANTINED)
    after = post(house, clock, FIRING, InboxState.DONE)
    clock.move(KEPT + MOMENT)
    keep_house(house, clock)
    assert (row(house, number).raw, row(house, after).raw) == (FIRING, b"")


def test_what_is_pending_is_kept_until_it_was_worked_off(house: House, clock: Clock) -> None:
    post(house, clock, b"first", InboxState.DONE)
    number = post(house, clock, b"second")
    clock.move(KEPT + MOMENT)
    keep_house(house, clock)
    assert bodies(house) == [b"", b"second"]
    with house.store.transaction() as connection:
        inbox_rows.finish(connection, number, InboxState.REFUSED, reason="unreadable")
    keep_house(house, clock)
    assert bodies(house) == [b"", b""]


def test_what_an_open_incident_is_made_of_is_kept(house: House, clock: Clock) -> None:
    ended = post(house, clock, FIRING), post(house, clock, RECOVERED)
    work_off(house, clock)
    opened = post(house, clock, FIRING)
    work_off(house, clock)
    clock.move(KEPT + MOMENT)
    keep_house(house, clock)
    assert [row(house, one).raw for one in (*ended, opened)] == [b"", b"", FIRING]


def test_a_mail_whose_body_was_removed_is_not_taken_in_once_more(house: House, clock: Clock) -> None:
    mail = FetchedMail("a@acme.example", "INBOX", 1, 1, MAIL, len(MAIL), truncated=False)
    assert inbox.receive_mails(house.store, [mail], now=clock()) == 1
    work_off(house, clock)
    clock.move(KEPT + MOMENT)
    keep_house(house, clock)
    assert bodies(house) == [b""]
    assert inbox.receive_mails(house.store, [mail], now=clock()) == 0
    assert not inbox.receive_handed(house.store, MAIL, size=len(MAIL), now=clock())


def test_a_post_without_its_body_is_not_replayed_and_is_in_no_recorded_day(
    house: House, clock: Clock
) -> None:
    number = post(house, clock, FIRING, InboxState.DONE)
    began = clock()
    clock.move(KEPT + MOMENT)
    keep_house(house, clock)
    with pytest.raises(NotFound, match="was removed"):
        replaying.replay(house, number, house.config.employees["jordan"], clock())
    with house.store.reading() as connection:
        assert recorded.count_posts(connection, began, clock()) == 0
        assert recorded.posts(connection, began, clock(), limit=9) == ()


@pytest.mark.parametrize(("most", "left"), [(2, 1), (1, 3)])
def test_they_are_removed_in_steps_and_what_is_left_is_for_the_next_time(
    most: int, left: int, house: House, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "FORGOTTEN_AT_ONCE", 2)
    monkeypatch.setattr(jobs, "MOST_BATCHES", most)
    for _ in range(5):
        post(house, clock, FIRING, InboxState.DONE)
    clock.move(KEPT + MOMENT)
    keep_house(house, clock)
    assert bodies(house).count(FIRING) == left
    for _ in range(2):
        keep_house(house, clock)
    assert bodies(house) == [b""] * 5


def test_each_is_gone_through_once(house: House, clock: Clock) -> None:
    number = post(house, clock, FIRING, InboxState.DONE)
    clock.move(KEPT + MOMENT)
    keep_house(house, clock)
    removed = row(house, number)
    clock.move(timedelta(days=1))
    with house.store.transaction() as connection:
        assert inbox_bodies.remove(connection, clock() - KEPT, clock(), limit=9) == 0
    assert row(house, number) == removed


def test_a_sender_that_an_earlier_version_left_is_found_by_nobody_and_removed(
    house: House, clock: Clock
) -> None:
    about = leave_as_earlier_versions_did(house, clock)
    by_sender = Wanted(text="stranger.example", is_by_sender=True)
    with house.store.reading() as connection:
        assert [one.id for one in inbox_search.search(connection, by_sender, limit=9).rows] == [2]
    clock.move(KEPT + MOMENT)
    keep_house(house, clock)
    assert row(house, 1).about == {name: value for name, value in about.items() if name != "sender"}


def test_a_body_that_was_kept_at_its_turn_by_an_earlier_version_is_kept_for_good(
    house: House, clock: Clock
) -> None:
    leave_as_earlier_versions_did(house, clock)
    later = post(house, clock, FIRING, InboxState.DONE)
    clock.move(KEPT + MOMENT)
    keep_house(house, clock)
    assert [row(house, number).raw for number in (2, later)] == [MAIL, b""]
