"""Posts that wait are worked off together, and yet each as if it were alone."""

import errno

import pytest

from service import inbox
from service.errors import MachineExhausted, StoreUnavailable
from service.inbox import working_off
from service.inbox.working_off import FULL_TURN
from service.model import Alert, AlertState
from service.store import inbox_rows, narrative
from service.store.database import Store
from service.store.inbox_rows import InboxRow, InboxState
from service.store.one_transaction import OneTransaction
from tests.inbox.test_at_once import WatchedStore, bring
from tests.inbox.test_working_off import receive, rows
from tests.store.rows import NOW

MOST = 10


def finish(store: Store, row: InboxRow) -> None:
    with store.transaction() as connection:
        inbox_rows.finish(connection, row.id, InboxState.DONE, reason="opened")


def spoilt(store: Store, row: InboxRow) -> None:
    """Write something and fail on one post; finish all others."""
    finish(store, row)
    if row.raw == b"poison":
        raise ZeroDivisionError


def states(store: Store) -> list[tuple[InboxState, int]]:
    return [(row.state, row.attempts) for row in rows(store)]


def test_one_wait_for_the_disk_does_for_all(store: Store) -> None:
    receive(store, *"abc")
    watched = WatchedStore(store)
    assert inbox.work_off_posts(watched, finish, MOST) == 3
    assert watched.waits == [False, True]
    assert states(store) == [(InboxState.DONE, 1)] * 3


def test_no_more_than_is_wanted_are_worked_off_and_in_their_order(store: Store) -> None:
    receive(store, *"abcde")
    seen: list[bytes] = []

    def work(within: Store, row: InboxRow) -> None:
        seen.append(row.raw)
        finish(within, row)

    assert inbox.work_off_posts(store, work, 3) == 3
    assert seen == [b"a", b"b", b"c"]


def test_where_one_fails_no_other_had_an_effect_and_only_the_failure_is_counted(store: Store) -> None:
    receive(store, "good", "poison", "also good")
    assert inbox.work_off_posts(store, spoilt, MOST) == 0
    assert states(store) == [(InboxState.PENDING, 0), (InboxState.PENDING, 1), (InboxState.PENDING, 0)]


def dangling(store: Store, row: InboxRow) -> None:
    """Let one post write what the database refuses; nobody learns that before it is handed over with the others'."""
    finish(store, row)
    if row.raw == b"poison":
        alert = Alert("victorops", "Email", AlertState.FIRING, None, "CRITICAL", "")
        with store.transaction() as connection:
            narrative.add_alert(connection, alert, inbox_id=row.id, incident_id=999, reason="", now=NOW)


@pytest.mark.parametrize("posts", [("good", "poison", "also good"), ("good", "also good", "poison")])
def test_where_what_they_wrote_together_is_refused_each_is_tried_by_itself(
    store: Store, posts: tuple[str, ...]
) -> None:
    receive(store, *posts)
    assert inbox.work_off_posts(store, dangling, MOST) == 0
    assert states(store) == [(InboxState.PENDING, 1)] * 3
    while _turn(store, dangling):
        pass
    done, failed = (InboxState.DONE, 2), (InboxState.QUARANTINED, inbox.STRIKES)
    assert states(store) == [failed if post == "poison" else done for post in posts]


def test_what_failed_is_tried_alone_and_the_others_have_their_effect(store: Store) -> None:
    receive(store, "good", "poison", "good", "later", "later still")
    worked = [_turn(store) for _ in range(5)]
    assert worked == [1, 1, 1, 3, 0]
    done = (InboxState.DONE, 1)
    assert states(store) == [done, (InboxState.QUARANTINED, inbox.STRIKES), done, done, done]


def _turn(store: Store, work: inbox.Effect = spoilt) -> int:
    """Work some off as the decider does, and count them."""

    def alone(row: InboxRow) -> None:
        with store.transaction() as connection:
            work(OneTransaction(connection), row)

    return inbox.work_off_posts(store, work, MOST) or inbox.work_off(store, alone)


def test_a_store_that_cannot_be_used_is_nobodys_strike(store: Store) -> None:
    receive(store, *"abc")

    def disk_full(within: Store, row: InboxRow) -> None:
        finish(within, row)
        if row.raw == b"c":
            raise StoreUnavailable("database or disk is full")

    with pytest.raises(StoreUnavailable):
        inbox.work_off_posts(store, disk_full, MOST)
    assert states(store) == [(InboxState.PENDING, 0)] * 3


def test_a_machine_that_has_nothing_left_is_nobodys_strike(store: Store) -> None:
    receive(store, *"abc")

    def cannot_be_opened(within: Store, row: InboxRow) -> None:
        finish(within, row)
        if row.raw == b"b":
            raise OSError(errno.EMFILE, "Too many open files")

    for _ in range(inbox.STRIKES + 1):
        with pytest.raises(MachineExhausted, match="no file descriptor left"):
            inbox.work_off_posts(store, cannot_be_opened, MOST)
    assert states(store) == [(InboxState.PENDING, 0)] * 3
    assert inbox.work_off_posts(store, finish, MOST) == 3


def test_what_kills_the_process_strikes_out_no_other_post(store: Store) -> None:
    receive(store, "good", "poison", "also good")

    def die(_within: Store, row: InboxRow) -> None:
        if row.raw == b"poison":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        inbox.work_off_posts(store, die, MOST)
    assert inbox.work_off_posts(store, die, MOST) == 0
    for _ in range(inbox.STRIKES):
        _alone(store)
    for _ in range(3):
        _alone(store)
    found = rows(store)
    assert [row.state for row in found] == [InboxState.DONE, InboxState.QUARANTINED, InboxState.DONE]


def _alone(store: Store) -> None:
    def die(row: InboxRow) -> None:
        if row.raw == b"poison":
            raise KeyboardInterrupt
        finish(store, row)

    try:
        inbox.work_off(store, die)
    except KeyboardInterrupt:
        return


def test_fewer_than_two_are_left_for_the_way_of_one(store: Store) -> None:
    assert inbox.work_off_posts(store, finish, MOST) == 0
    receive(store, "only one")
    assert inbox.work_off_posts(store, finish, MOST) == 0


def test_one_that_is_by_itself_is_worked_off_at_once_where_its_way_is_given(store: Store) -> None:
    receive(store, "only one")
    assert inbox.work_off_posts(store, spoilt, MOST, alone=lambda row: finish(store, row)) == 1
    assert states(store) == [(InboxState.DONE, 1)]


def fail(_row: InboxRow) -> None:
    raise ZeroDivisionError


def test_one_that_is_by_itself_and_fails_is_tried_three_times_in_all(store: Store) -> None:
    receive(store, "poison")
    tried = [inbox.work_off_posts(store, finish, MOST, alone=fail) for _ in range(2)]
    tried += [inbox.work_off(store, fail) for _ in range(inbox.STRIKES)]
    assert tried == [1, 0, True, True, False]
    assert states(store) == [(InboxState.QUARANTINED, inbox.STRIKES)]


class WantedStore(Store):
    """Somebody waits to write into it all the time."""

    @property
    def is_wanted(self) -> bool:
        """Say so."""
        return True


def test_whoever_waits_to_write_does_not_wait_for_all_of_them(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(working_off, "_now", lambda: 0.0)
    receive(store, *"abcdefghij")
    assert inbox.work_off_posts(WantedStore(store.engine), finish, MOST) == FULL_TURN == 8
    assert states(store) == [(InboxState.DONE, 1)] * 8 + [(InboxState.PENDING, 0)] * 2


def test_whoever_waits_to_write_does_not_wait_for_posts_that_take_long(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter([number * working_off.LONGEST_TURN / 2 for number in range(9)])
    monkeypatch.setattr(working_off, "_now", lambda: next(times))
    receive(store, *"abcdefghij")
    assert inbox.work_off_posts(WantedStore(store.engine), finish, MOST) == 3


@pytest.mark.parametrize(("sizes", "together"), [([10, 20, 30], 3), ([40, 60, 1], 2), ([101, 1, 1], 1)])
def test_posts_that_are_large_are_not_worked_off_with_many_others(
    store: Store, monkeypatch: pytest.MonkeyPatch, sizes: list[int], together: int
) -> None:
    monkeypatch.setattr(working_off, "MOST_BYTES", 100)
    receive(store, *("x" * size for size in sizes))
    alone: list[int] = []
    done = inbox.work_off_posts(store, finish, MOST, alone=lambda row: alone.append(row.size))
    assert (done, alone) == (together, [] if together > 1 else [101])


def test_a_mail_goes_first(store: Store) -> None:
    receive(store, *"abc")
    bring(store, _locked)
    assert inbox.work_off_posts(store, finish, MOST) == 0


def _locked(_row: InboxRow) -> None:
    raise StoreUnavailable("the database is locked")
