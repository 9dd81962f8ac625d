"""A post that comes alone is stored and has its effect in one transaction, or neither."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event
from structlog.testing import capture_logs

from service import inbox
from service.errors import OutcomeUnknown, StoreUnavailable
from service.inbox import Effect
from service.store import postgresql
from service.store.database import Store, open_store
from service.store.inbox_rows import Arrival, Door, InboxRow, InboxState
from tests.inbox.posting import NOW, Lock, a_post
from tests.inbox.test_at_once import WatchedStore
from tests.inbox.test_mails import fetched
from tests.inbox.test_with_effect import be_changed, be_locked, fail
from tests.inbox.test_working_off import finish, receive, rows
from tests.store.databases import fresh_database, needs_postgresql


@pytest.fixture
def on_postgresql(tmp_path: Path) -> Iterator[Store]:
    """Give a store over a fresh database of PostgreSQL."""
    with fresh_database("postgresql", tmp_path) as url:
        opened = open_store(url)
        yield opened
        opened.close()


def bring(store: Store, effect: Effect) -> tuple[int, bool] | None:
    return inbox.receive_post_with_effect(store, a_post("{}"), lambda _post: effect)


def test_one_commit_and_one_wait_for_the_disk_do_for_both(store: Store) -> None:
    watched = WatchedStore(store)
    assert bring(watched, finish) == (1, True)
    assert watched.waits == [True]
    assert [(row.state, row.raw, row.attempts) for row in rows(store)] == [(InboxState.DONE, b"{}", 1)]


@pytest.mark.parametrize("effect", [fail, be_changed])
def test_what_has_no_effect_is_left_to_be_stored_first(store: Store, effect: Effect) -> None:
    assert bring(store, effect) is None
    assert rows(store) == []


def test_what_cannot_be_read_ahead_is_left_to_be_stored_first(store: Store) -> None:
    def read(_post: Arrival) -> Effect:
        raise ValueError("nobody thought of this")

    assert inbox.receive_post_with_effect(store, a_post("{}"), read) is None
    assert inbox.receive_post_with_effect(store, a_post("{}"), lambda _post: None) is None
    assert rows(store) == []


def test_only_what_nobody_foresaw_is_a_fault_in_the_log(store: Store) -> None:
    with capture_logs() as logs:
        for effect in (be_changed, fail):
            bring(store, effect)
    assert [one["event"] for one in logs] == ["inbox: a post failed before it was stored"]


def test_whether_it_was_stored_is_not_known_where_the_database_ended_in_between(store: Store) -> None:
    def end(_within: Store, _row: InboxRow) -> None:
        raise OutcomeUnknown("the server ended as this was to be stored")

    with pytest.raises(OutcomeUnknown):
        bring(store, end)


def test_it_waits_behind_the_posts_that_came_before(store: Store) -> None:
    receive(store, "before")
    assert bring(store, fail) == (2, False)
    assert [(row.state, row.attempts) for row in rows(store)] == [(InboxState.PENDING, 0)] * 2


def test_it_waits_behind_a_mail(store: Store) -> None:
    inbox.receive_mails(store, [fetched("INBOX", 1, 1)], now=NOW)
    assert bring(store, fail) == (2, False)
    assert [(row.door, row.state) for row in rows(store)] == [
        (Door.MAIL, InboxState.PENDING),
        (Door.WEBHOOK, InboxState.PENDING),
    ]


def test_where_the_database_is_locked_nobody_waits_for_it_once_more(store: Store, locked: Lock) -> None:
    with locked(), pytest.raises(StoreUnavailable):
        bring(store, finish)
    with pytest.raises(StoreUnavailable):
        bring(store, be_locked)
    assert rows(store) == []


@needs_postgresql
def test_on_postgresql_it_does_not_wait_long_for_another_one_who_is_alone(on_postgresql: Store) -> None:
    said: list[str] = []
    event.listen(on_postgresql.engine, "before_cursor_execute", lambda *given: said.append(str(given[2])))
    with on_postgresql.transaction():
        assert bring(on_postgresql, finish) is None
    assert rows(on_postgresql) == []
    assert any(f"lock_timeout = {postgresql.IMPATIENCE}; SELECT pg_advisory_xact_lock" in one for one in said)
    assert bring(on_postgresql, finish) == (1, True)


@needs_postgresql
def test_other_instances_hear_of_it(on_postgresql: Store) -> None:
    said: list[str] = []
    event.listen(on_postgresql.engine, "before_cursor_execute", lambda *given: said.append(str(given[2])))
    bring(on_postgresql, finish)
    assert any(one.startswith("NOTIFY") for one in said)
