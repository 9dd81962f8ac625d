"""A mail that comes alone has its effect at once, with one wait for the disk, and waits its turn like any other."""

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection

from service import inbox
from service.errors import IncidentChangedMeanwhile, StoreUnavailable
from service.mail.imap import FetchedMail
from service.store.database import Store
from service.store.inbox_rows import InboxRow, InboxState
from tests.inbox.posting import NOW
from tests.inbox.test_mails import MAIL, fetched
from tests.inbox.test_working_off import explode, finish, receive, rows


class WatchedStore(Store):
    """Notes of each commit whether it waited for the disk: it was to, and there was something to write."""

    def __init__(self, store: Store) -> None:
        super().__init__(store.engine)
        self.waits: list[bool] = []

    def _log_size(self) -> int:
        return Path(f"{self.engine.url.database}-wal").stat().st_size

    @contextmanager
    def transaction(
        self, *, durable: bool = True, alone: bool = False, impatient: bool = False
    ) -> Iterator[Connection]:
        """Give the connection, and note its commit."""
        before = self._log_size()
        with super().transaction(durable=durable, alone=alone, impatient=impatient) as connection:
            yield connection
        self.waits.append(durable and self._log_size() > before)


def bring(store: Store, work: Callable[[InboxRow], None], uid: int = 1, raw: bytes = MAIL) -> FetchedMail:
    mail = fetched("INBOX", 1, uid, raw)
    inbox.receive_and_work_off(store, mail, work, now=NOW)
    return mail


def locked(_row: InboxRow) -> None:
    raise StoreUnavailable("the database is locked")


def changed(_row: InboxRow) -> None:
    raise IncidentChangedMeanwhile("INC-1 changed meanwhile")


def exhausted(_row: InboxRow) -> None:
    raise OSError(errno.EMFILE, "Too many open files")


def test_a_mail_has_its_effect_before_it_is_moved_on_the_server(store: Store) -> None:
    bring(store, lambda row: finish(store, row))
    assert [(row.state, row.raw, row.received_at) for row in rows(store)] == [(InboxState.DONE, MAIL, NOW)]


def test_one_wait_for_the_disk_does_for_the_mail_and_its_effect(store: Store) -> None:
    watched = WatchedStore(store)
    bring(watched, lambda row: finish(watched, row))
    assert watched.waits == [False, True]


@pytest.mark.parametrize("work", [explode, locked, changed, exhausted])
def test_a_mail_without_an_effect_is_on_disk_all_the_same(
    store: Store, work: Callable[[InboxRow], None]
) -> None:
    watched = WatchedStore(store)
    bring(watched, work)
    assert watched.waits[-1]
    assert [row.state for row in rows(store)] == [InboxState.PENDING]


@pytest.mark.parametrize(("work", "attempts"), [(explode, 1), (locked, 0), (changed, 0), (exhausted, 0)])
def test_only_its_own_fault_is_a_strike(
    store: Store, work: Callable[[InboxRow], None], attempts: int
) -> None:
    bring(store, work)
    assert [row.attempts for row in rows(store)] == [attempts]


def test_what_fails_at_once_and_twice_later_steps_aside(store: Store) -> None:
    bring(store, explode)
    assert [inbox.work_off(store, explode) for _ in range(3)] == [True, True, False]
    assert [(row.state, row.attempts) for row in rows(store)] == [(InboxState.QUARANTINED, inbox.STRIKES)]


def test_a_mail_waits_behind_those_that_came_before(store: Store) -> None:
    bring(store, locked)
    seen: list[int] = []
    bring(store, lambda row: seen.append(row.id), 2, MAIL.replace(b"<1@", b"<2@"))
    assert seen == []
    assert [row.state for row in rows(store)] == [InboxState.PENDING] * 2


def test_a_mail_goes_before_the_posts_that_wait(store: Store) -> None:
    receive(store, "a post")
    bring(store, lambda row: finish(store, row))
    assert [row.state for row in rows(store)] == [InboxState.PENDING, InboxState.DONE]


def test_a_mail_that_is_brought_again_has_no_second_effect(store: Store) -> None:
    bring(store, lambda row: finish(store, row))
    bring(store, explode)
    assert [(row.state, row.attempts) for row in rows(store)] == [(InboxState.DONE, 1)]
