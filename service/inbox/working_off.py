"""Hands arrivals on in order, and quarantines what makes the work fail three times, so that the next one goes on."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import accumulate

import structlog

from service.errors import StoreUnavailable, TemporaryFault, exhaustion_named
from service.inbox.uncounted import uncounted_of
from service.store import inbox_rows
from service.store.database import Store
from service.store.inbox_rows import InboxRow, InboxState
from service.store.one_transaction import OneTransaction
from service.store.together import together

Effect = Callable[[Store, InboxRow], None]
"""What an arrival does, with a store whose every change is a part of one transaction."""

Beginning = Callable[[Store, Sequence[InboxRow]], None]
"""Prepares what several arrivals do together, with such a store."""

STRIKES = 3
FEWEST_TOGETHER = 2
FULL_TURN = 8
"""Posts that are worked off together even while somebody waits to write: each transaction has its price."""
LONGEST_TURN = 0.02
"""Seconds after which there are fewer of them then: one post may hold a thousand alerts."""
MOST_BYTES = 256 * 1024
"""Of the posts that are worked off together."""

_log = structlog.get_logger()
_now = time.monotonic


def work_off(store: Store, work: Callable[[InboxRow], None]) -> bool:
    """Let the oldest pending arrival have its effect; False where none is pending.

    The attempt is counted before it is made, so that one which kills the process is given up as well; the count need
    not outlive a power cut, which is nobody's fault.
    Raises StoreUnavailable and MachineExhausted, which are nobody's fault and no strikes.
    """
    uncounted_of(store).settle(store)
    with store.reading() as connection:
        row = inbox_rows.next_pending(connection)
    if row is None:
        return False
    _work_off_one(store, row, work)
    return True


def _work_off_one(store: Store, row: InboxRow, work: Callable[[InboxRow], None]) -> None:
    if row.attempts >= STRIKES:
        _quarantine(store, row, "it made the service fail three times")
        return
    with _not_counted_if_unavailable(store, [row]), store.transaction(durable=False) as connection:
        inbox_rows.count_attempt(connection, row.id)
    try_to_work_off(store, row, work)


def _prepare_nothing(_within: Store, _rows: Sequence[InboxRow]) -> None:
    pass


def work_off_posts(
    store: Store,
    work: Effect,
    most: int,
    *,
    begin: Beginning = _prepare_nothing,
    alone: Callable[[InboxRow], None] | None = None,
) -> int:
    """Let the next posts have their effect in one transaction, and count them: one wait for the disk does for all.

    None where a mail waits, or where the next one was tried before. Where there is but one, it is worked off `alone`,
    if that is given, as `work_off` would. Where one fails, no other has had an effect either: the failure is counted,
    and they are worked off again, it alone, by `work_off`; where what they wrote together is refused, each of them
    alone. They are fewer where somebody waits to write meanwhile, as who takes in the next posts does. `work` gets the
    store whose every change is a part of that transaction; `begin` gets it and all posts before the first one is.
    Raises StoreUnavailable and MachineExhausted, and then none of them had any effect.
    """
    uncounted_of(store).settle(store)
    with store.reading() as connection:
        rows = inbox_rows.untried_posts(connection, most)
    rows = _that_are_small(rows)
    if len(rows) == 1 and alone is not None:
        _work_off_one(store, rows[0], alone)
        return 1
    if len(rows) < FEWEST_TOGETHER:
        return 0
    with _not_counted_if_unavailable(store, rows), store.transaction(durable=False) as connection:
        inbox_rows.count_attempts(connection, rows)
    done, shared, began = 0, None, _now()
    try:
        with exhaustion_named(), store.transaction() as connection, together(connection) as sharing:
            within = OneTransaction(connection)
            begin(within, rows)
            shared = sharing
            for row in rows:
                work(within, row)
                done += 1
                if store.is_wanted and (done >= FULL_TURN or _now() - began > LONGEST_TURN):
                    break
            inbox_rows.uncount_attempts(connection, rows[done:])
    except TemporaryFault:
        _take_back_if_possible(store, rows)
        raise
    except Exception:  # noqa: BLE001  as in `try_to_work_off`: it is tried again by itself
        if shared is None or shared.is_writing or done == len(rows):
            # whose fault it was is not known: each is tried once more by itself, and this one counts for all
            _log.exception("inbox: arrivals failed together", first=rows[0].id, last=rows[-1].id)
            return 0
        failed = rows[done]
        _log.exception("inbox: an arrival failed", inbox_id=failed.id, attempt=failed.attempts + 1)
        _take_back(store, [*rows[:done], *rows[done + 1 :]])
        return 0
    return done


def _that_are_small(rows: list[InboxRow]) -> list[InboxRow]:
    """Give as many of them as are quickly read, and one at least: all are, while nobody else may write."""
    sizes = accumulate(len(row.raw) for row in rows)
    return rows[: max(1, sum(size <= MOST_BYTES for size in sizes))]


def _take_back(store: Store, rows: Sequence[InboxRow]) -> None:
    """Take back what was counted. Raises StoreUnavailable, and then it is remembered."""
    uncounted_of(store).keep(rows)
    uncounted_of(store).settle(store)


def _take_back_if_possible(store: Store, rows: Sequence[InboxRow]) -> None:
    with suppress(StoreUnavailable):
        _take_back(store, rows)


@contextmanager
def _not_counted_if_unavailable(store: Store, rows: Sequence[InboxRow]) -> Iterator[None]:
    """Take back in time what was counted by a commit of which nothing was heard."""
    try:
        yield
    except StoreUnavailable:
        uncounted_of(store).keep(rows)
        raise


def try_to_work_off(store: Store, row: InboxRow, work: Callable[[InboxRow], None]) -> bool:
    """Let an arrival have its effect, whose attempt is counted already; False where it failed through its own fault.

    Raises a TemporaryFault where it failed through none of its own: that attempt is taken back.
    """
    try:
        with exhaustion_named():
            work(row)
    except TemporaryFault:
        _take_back_if_possible(store, [row])
        raise
    except Exception as error:  # noqa: BLE001  the outermost loop of one arrival: the next one must go on
        _log.exception("inbox: an arrival failed", inbox_id=row.id, attempt=row.attempts + 1)
        if row.attempts + 1 >= STRIKES:
            _quarantine(store, row, f"it failed three times, last with {type(error).__name__}")
        return False
    return True


def _quarantine(store: Store, row: InboxRow, why: str) -> None:
    with store.transaction() as connection:
        inbox_rows.finish(connection, row.id, InboxState.QUARANTINED, reason="failed", explanation=why)
