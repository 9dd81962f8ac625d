"""A mail that comes while we wait for it is stored and has its effect in one transaction, or neither."""

import pytest

from service import inbox
from service.errors import IncidentChangedMeanwhile, StoreUnavailable
from service.inbox import Effect
from service.store.database import Store
from service.store.inbox_rows import InboxRow, InboxState
from tests.inbox.posting import NOW
from tests.inbox.test_at_once import WatchedStore
from tests.inbox.test_mails import MAIL, fetched
from tests.inbox.test_working_off import explode, finish, receive, rows


def bring(store: Store, effect: Effect | None, uid: int = 1, raw: bytes = MAIL) -> bool:
    return inbox.receive_with_effect(store, fetched("INBOX", 1, uid, raw), lambda _raw: effect, now=NOW)


def fail(_within: Store, row: InboxRow) -> None:
    explode(row)


def be_locked(within: Store, row: InboxRow) -> None:
    finish(within, row)
    raise StoreUnavailable("the database is locked")


def be_changed(within: Store, row: InboxRow) -> None:
    finish(within, row)
    raise IncidentChangedMeanwhile("INC-1 changed meanwhile")


def test_one_commit_and_one_wait_for_the_disk_do_for_both(store: Store) -> None:
    watched = WatchedStore(store)
    assert bring(watched, finish)
    assert watched.waits == [True]
    assert [(row.state, row.raw, row.received_at) for row in rows(store)] == [(InboxState.DONE, MAIL, NOW)]


@pytest.mark.parametrize("effect", [None, fail, be_changed])
def test_what_has_no_effect_is_left_to_be_stored_first(store: Store, effect: Effect | None) -> None:
    assert not bring(store, effect)
    assert rows(store) == []


def test_what_cannot_be_read_ahead_is_left_to_be_stored_first(store: Store) -> None:
    def read(_raw: bytes) -> Effect:
        raise ValueError("nobody thought of this")

    assert not inbox.receive_with_effect(store, fetched("INBOX", 1, 1), read, now=NOW)
    assert rows(store) == []


def test_where_the_store_is_unavailable_nothing_is_stored(store: Store) -> None:
    with pytest.raises(StoreUnavailable):
        bring(store, be_locked)
    assert rows(store) == []


def test_it_waits_behind_those_that_came_before(store: Store) -> None:
    inbox.receive_mails(store, [fetched("INBOX", 1, 1)], now=NOW)
    assert bring(store, fail, 2, MAIL.replace(b"<1@", b"<2@"))
    assert [(row.state, row.attempts) for row in rows(store)] == [(InboxState.PENDING, 0)] * 2


def test_it_goes_before_the_posts_that_wait(store: Store) -> None:
    receive(store, "a post")
    assert bring(store, finish)
    assert [row.state for row in rows(store)] == [InboxState.PENDING, InboxState.DONE]


def test_brought_again_it_has_no_second_effect(store: Store) -> None:
    assert bring(store, finish)
    assert bring(store, fail)
    assert [(row.state, row.attempts) for row in rows(store)] == [(InboxState.DONE, 1)]
