"""What arrived is worked off in order; what fails three times steps aside; what nobody is to blame for does not."""

import errno
import os
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, suppress

import pytest

from service import inbox
from service.errors import MachineExhausted, StoreUnavailable, TemplateFaulty
from service.store import inbox_rows
from service.store.database import Store
from service.store.inbox_rows import Arrival, Door, InboxRow, InboxState
from tests.inbox.posting import NOW

Lock = Callable[[], AbstractContextManager[None]]


def receive(store: Store, *texts: str) -> None:
    with store.transaction() as connection:
        inbox_rows.add_many(connection, [Arrival(Door.WEBHOOK, NOW, text.encode()) for text in texts])


def rows(store: Store) -> list[InboxRow]:
    with store.reading() as connection:
        return list(inbox_rows.listed(connection, limit=99))[::-1]


def work_off_all(store: Store, work: Callable[[InboxRow], None]) -> None:
    rounds = [inbox.work_off(store, work) for _ in range(9)]
    assert not rounds[-1], "there is no end to it"


def finish(store: Store, row: InboxRow) -> None:
    with store.transaction() as connection:
        inbox_rows.finish(connection, row.id, InboxState.DONE, reason="opened")


def explode(_row: InboxRow) -> None:
    raise ZeroDivisionError


def test_nothing_pending_is_nothing_to_do(store: Store) -> None:
    assert not inbox.work_off(store, explode)


def test_arrivals_are_worked_off_one_by_one_in_order(store: Store) -> None:
    receive(store, "first", "second")
    seen: list[bytes] = []

    def work(row: InboxRow) -> None:
        seen.append(row.raw)
        finish(store, row)

    work_off_all(store, work)
    assert seen == [b"first", b"second"]


def test_what_fails_three_times_steps_aside_and_the_next_goes_on(store: Store) -> None:
    receive(store, "poison", "good")

    def work(row: InboxRow) -> None:
        if row.raw == b"poison":
            raise ZeroDivisionError
        finish(store, row)

    work_off_all(store, work)
    poison, good = rows(store)
    assert (poison.state, poison.attempts) == (InboxState.QUARANTINED, inbox.STRIKES)
    assert poison.explanation == "it failed three times, last with ZeroDivisionError"
    assert good.state is InboxState.DONE


def test_what_kills_the_process_three_times_is_not_tried_a_fourth(store: Store) -> None:
    receive(store, "poison")

    def die(_row: InboxRow) -> None:
        raise KeyboardInterrupt

    for _ in range(inbox.STRIKES):
        with pytest.raises(KeyboardInterrupt):
            inbox.work_off(store, die)
    assert inbox.work_off(store, die)
    [poison] = rows(store)
    assert poison.state is InboxState.QUARANTINED
    assert poison.explanation == "it made the service fail three times"


def test_a_store_that_cannot_be_used_is_no_strike(store: Store) -> None:
    receive(store, "good")

    def disk_full(_row: InboxRow) -> None:
        raise StoreUnavailable("database or disk is full")

    for _ in range(inbox.STRIKES + 1):
        with pytest.raises(StoreUnavailable):
            inbox.work_off(store, disk_full)
    assert [(row.state, row.attempts) for row in rows(store)] == [(InboxState.PENDING, 0)]


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EDQUOT])
def test_a_machine_that_has_nothing_left_is_no_strike_however_that_is_called(
    store: Store, number: int
) -> None:
    receive(store, "good")

    def is_refused(_row: InboxRow) -> None:
        raise OSError(number, os.strerror(number))

    def is_refused_within(_row: InboxRow) -> None:
        try:
            is_refused(_row)
        except OSError as error:
            raise TemplateFaulty("it cannot be rendered") from error

    def finds_no_library(_row: InboxRow) -> None:
        raise ImportError(f"libwords.so: cannot open shared object file: {os.strerror(number)}")

    for work in (is_refused, is_refused_within, finds_no_library, is_refused):
        with pytest.raises(MachineExhausted, match=r"no file descriptor left|no room left"):
            inbox.work_off(store, work)
    assert [(row.state, row.attempts) for row in rows(store)] == [(InboxState.PENDING, 0)]
    work_off_all(store, lambda row: finish(store, row))
    assert [(row.state, row.attempts) for row in rows(store)] == [(InboxState.DONE, 1)]


@pytest.mark.parametrize(
    ("fault", "attempts"),
    [
        (OSError(errno.EMFILE, "Too many open files"), 0),
        (OSError(errno.ENOENT, "No such file or directory"), 1),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), 1),
        (MemoryError(), 1),
    ],
)
def test_what_one_arrival_may_use_up_by_itself_is_its_own_fault(
    store: Store, fault: Exception, attempts: int
) -> None:
    receive(store, "bad")

    def fail(_row: InboxRow) -> None:
        raise fault

    with suppress(MachineExhausted):
        inbox.work_off(store, fail)
    assert [row.attempts for row in rows(store)] == [attempts]


def test_outages_that_outlast_the_attempt_are_no_strikes(store: Store, locked: Lock) -> None:
    receive(store, "good")
    for _ in range(inbox.STRIKES + 1):
        with ExitStack() as outage:

            def goes_away(_row: InboxRow, outage: ExitStack = outage) -> None:
                outage.enter_context(locked())
                raise StoreUnavailable("it is gone")

            with pytest.raises(StoreUnavailable):
                inbox.work_off(store, goes_away)
            with pytest.raises(StoreUnavailable):
                inbox.work_off(store, explode)
    work_off_all(store, lambda row: finish(store, row))
    assert [(row.state, row.attempts) for row in rows(store)] == [(InboxState.DONE, 1)]


def test_what_was_not_counted_is_not_taken_back(store: Store, locked: Lock) -> None:
    receive(store, "good")

    def explode_while_locked() -> None:
        with locked(), pytest.raises(StoreUnavailable):
            inbox.work_off(store, explode)

    explode_while_locked()
    inbox.work_off(store, explode)
    assert [row.attempts for row in rows(store)] == [1]


def test_a_locked_store_is_no_strike(store: Store, locked: Lock) -> None:
    receive(store, "good")
    with locked():
        for _ in range(inbox.STRIKES + 1):
            with pytest.raises(StoreUnavailable):
                inbox.work_off(store, explode)
    assert [(row.state, row.attempts) for row in rows(store)] == [(InboxState.PENDING, 0)]
