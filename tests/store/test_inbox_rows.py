"""What arrives is kept in its order, a mail once, and worked off oldest first."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from service.errors import IncidentChangedMeanwhile
from service.store import inbox_rows, inbox_search
from service.store.database import Store
from service.store.inbox_rows import Arrival, Door, InboxState
from service.store.inbox_search import Wanted
from tests.store.rows import NOW


def a_post(raw: bytes = b"{}", state: InboxState = InboxState.PENDING) -> Arrival:
    return Arrival(Door.WEBHOOK, NOW, raw, provider="victorops", about={"query": {}}, state=state)


def a_mail(content_key: str | None, uid_key: str | None) -> Arrival:
    return Arrival(Door.MAIL, NOW, b"publish", content_key=content_key, uid_key=uid_key)


def test_many_get_their_ids_in_the_order_given(store: Store) -> None:
    bodies = [str(number).encode() for number in range(300)]
    with store.transaction() as connection:
        ids = inbox_rows.add_many(connection, [a_post(body) for body in bodies])
        rows = [inbox_rows.get(connection, inbox_id) for inbox_id in ids]
    assert ids == sorted(ids)
    assert [row.raw for row in rows if row is not None] == bodies


@pytest.mark.parametrize(
    ("content_key", "uid_key", "is_new"),
    [
        ("mail", "INBOX/1/7", False),
        ("mail", "INBOX/2/1", False),
        ("another", "INBOX/1/7", False),
        ("mail", None, False),
        (None, "INBOX/1/7", False),
        ("another", "INBOX/1/8", True),
        ("another", None, True),
        (None, "INBOX/1/8", True),
        (None, None, True),
    ],
)
def test_a_mail_is_known_by_its_content_or_its_place(
    store: Store, content_key: str | None, uid_key: str | None, *, is_new: bool
) -> None:
    with store.transaction() as connection:
        inbox_rows.add_many(connection, [a_post()])
        assert inbox_rows.add_mails(connection, [a_mail("mail", "INBOX/1/7")]) == 1
        added = inbox_rows.add_mails(connection, [a_mail(content_key, uid_key)])
    assert added == int(is_new)


def test_of_mails_that_come_together_each_is_stored_once(store: Store) -> None:
    mails = [a_mail("a", "INBOX/1/7"), a_mail("b", "INBOX/1/8"), a_mail("a", "INBOX/1/9")]
    with store.transaction() as connection:
        assert inbox_rows.add_mails(connection, mails) == 2
        assert inbox_rows.add_mails(connection, []) == 0
        stored = inbox_rows.listed(connection, limit=9)
    assert [row.raw for row in stored] == [b"publish"] * 2


def test_of_a_mail_that_two_bring_at_once_one_is_stored(store: Store) -> None:
    def bring(number: int) -> int:
        with store.transaction() as connection:
            return inbox_rows.add_mails(connection, [a_mail(f"mail {number // 2}", f"INBOX/1/{number}")])

    with ThreadPoolExecutor(2) as threads:
        assert sum(threads.map(bring, range(40))) == 20


def test_the_oldest_pending_is_next_and_what_is_finished_is_not(store: Store) -> None:
    with store.transaction() as connection:
        _refused, first, second = inbox_rows.add_many(
            connection, [a_post(state=InboxState.REFUSED), a_post(b"first"), a_post(b"second")]
        )
        assert inbox_rows.count_pending(connection) == 2
        for expected in (first, second):
            row = inbox_rows.next_pending(connection)
            assert row is not None
            assert row.id == expected
            inbox_rows.finish(connection, row.id, InboxState.DONE, reason="opened", explanation="INC-1")
        assert inbox_rows.next_pending(connection) is None
        done = inbox_rows.get(connection, first)
    assert done is not None
    assert (done.state, done.reason, done.explanation) == ("done", "opened", "INC-1")


def test_what_somebody_else_finished_has_no_second_effect(store: Store) -> None:
    with store.transaction() as connection:
        [inbox_id] = inbox_rows.add_many(connection, [a_post()])
        inbox_rows.finish(connection, inbox_id, InboxState.DONE, reason="opened")

    def have_an_effect_again() -> None:
        with store.transaction() as connection:
            inbox_rows.add_many(connection, [a_post()])
            inbox_rows.finish(connection, inbox_id, InboxState.REFUSED, reason="no_alerts")

    with pytest.raises(IncidentChangedMeanwhile, match="by somebody else meanwhile"):
        have_an_effect_again()
    with store.reading() as connection:
        (row,) = inbox_rows.listed(connection, limit=9)
    assert (row.state, row.reason) == ("done", "opened")


def test_attempts_are_counted_and_taken_back(store: Store) -> None:
    with store.transaction() as connection:
        [inbox_id] = inbox_rows.add_many(connection, [a_post()])
        inbox_rows.count_attempt(connection, inbox_id)
        before = inbox_rows.get(connection, inbox_id)
        assert before is not None
        inbox_rows.count_attempt(connection, inbox_id)
        inbox_rows.take_back_attempts(connection, [before])
        after = inbox_rows.get(connection, inbox_id)
        # the commit may have been done of which nothing was heard
        inbox_rows.take_back_attempts(connection, [before])
        again = inbox_rows.get(connection, inbox_id)
    assert before == after == again
    assert before.attempts == 1


def test_a_list_is_read_page_by_page_newest_first(store: Store) -> None:
    with store.transaction() as connection:
        inbox_rows.add_many(connection, [a_post(b"x" * size) for size in range(5)])
        pages = (
            inbox_search.search(connection, Wanted(), limit=3).rows,
            inbox_search.search(connection, Wanted(), before_id=3, limit=3).rows,
        )
        rows = inbox_rows.listed(connection, before_id=3, limit=3)
    assert [[(one.id, one.size) for one in page] for page in pages] == [
        [(5, 4), (4, 3), (3, 2)],
        [(2, 1), (1, 0)],
    ]
    assert [row.id for row in rows] == [2, 1]
