"""Takes in raw posts and raw mails, and hands them on in order; it never looks at what they mean.

Posts that arrive together are committed together, since one sync to disk costs the same for one row or for many.
What makes the work fail three times is quarantined, so that the next one goes on.
"""

import asyncio
import hashlib
import re
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

import structlog
from anyio import to_thread

from service.errors import IncidentChangedMeanwhile, StoreUnavailable
from service.mail.imap import FetchedMail
from service.store import inbox_rows
from service.store.database import Store
from service.store.inbox_rows import Arrival, Door, InboxRow, InboxState
from service.store.one_transaction import OneTransaction
from service.store.together import together

Effect = Callable[[Store, InboxRow], None]
"""What an arrival does, with a store whose every change is a part of one transaction."""

Beginning = Callable[[Store, Sequence[InboxRow]], None]
"""Prepares what several arrivals do together, with such a store."""

MOST_TOGETHER = 256
MOST_WAITING = 10_000
PATIENCE = 5.0
"""Seconds that a post waits to be stored: as long as for any lock. VictorOps does not say how long it waits."""
RUSH = 8
"""Posts within RUSH_LASTS seconds that are a rush: hundreds a second."""
RUSH_LASTS = 0.02
FLOOD = 8
"""Posts that came while one group of them was stored: thousands a second."""
FLOOD_LASTS = 0.1
"""Seconds for which it is still a flood after such a group."""
FULL = 24
"""Posts of a flood with which a group is full enough to be stored at once."""
LINGER = 0.001
"""Seconds for which one that is not waits for more: a flood is stored in fewer groups, each of which has its price."""
STRIKES = 3
FEWEST_TOGETHER = 2
FULL_TURN = 8
"""Posts that are worked off together even while somebody waits to write: each transaction has its price."""

_log = structlog.get_logger()
_now = time.monotonic


@dataclass(eq=False, slots=True)
class _WaitingPost:
    arrival: Arrival
    stored: asyncio.Future[int]
    """Done with the inbox id, or with why there is none."""
    until: float
    """When it is given up, by the loop's clock."""


class PostIntake:
    """Stores posts in groups: each `receive` returns once its own row is on disk."""

    def __init__(self, store: Store, *, stored: Callable[[], None]) -> None:
        self._store = store
        self._stored = stored
        self._waiting: deque[_WaitingPost] = deque()
        self._writer: asyncio.Task[None] | None = None
        self._latest: deque[float] = deque(maxlen=RUSH)
        """When the latest ones came, by the loop's clock."""
        self._flooded_at = float("-inf")
        self._unanswered: deque[_WaitingPost] = deque()
        self._giving_up: asyncio.TimerHandle | None = None
        self._lingering: asyncio.Future[None] | None = None

    @property
    def is_rushed(self) -> bool:
        """Whether posts come so fast that whoever decides about them should make room for taking them in."""
        return len(self._latest) == RUSH and _now() - self._latest[0] < RUSH_LASTS

    async def receive(self, arrival: Arrival) -> int:
        """Store a post and return its inbox id.

        Raises StoreUnavailable, within PATIENCE seconds however long the database stands still. Nothing was accepted
        then, save where the database had the post already and comes back to it: that one is stored before all that
        arrive later, and its sender, who was told to, may send it again. A repetition has no effect where its product
        numbers its posts (the content key), nor as a recovery; it joins the alert of its entity id, or with *combine
        alerts* the open incident. Only without either does it open one of its own, as whatever is sent twice does.
        """
        if len(self._waiting) >= MOST_WAITING:
            raise StoreUnavailable("more posts arrive than the disk can take; try again")
        loop = asyncio.get_running_loop()
        waiting = _WaitingPost(arrival, loop.create_future(), loop.time() + PATIENCE)
        self._latest.append(_now())
        self._waiting.append(waiting)
        self._unanswered.append(waiting)
        if self._giving_up is None:
            self._giving_up = loop.call_at(waiting.until, self._give_up)
        if self._writer is None or self._writer.done():
            self._writer = loop.create_task(self._write())
        elif self._lingering is not None and len(self._waiting) >= FULL:
            _end(self._lingering)
        return await waiting.stored

    def _forget_answered(self) -> None:
        while self._unanswered and self._unanswered[0].stored.done():
            self._unanswered.popleft()

    def _give_up(self) -> None:
        """Answer for a database that does not, and take back what it was not given yet: it is sent again.

        One timer does for all: each of its own would cost a tenth of what taking a post in does.
        """
        loop, self._giving_up = asyncio.get_running_loop(), None
        overdue = [one for one in self._unanswered if one.until <= loop.time() and not one.stored.done()]
        for one in overdue:
            with suppress(ValueError):
                self._waiting.remove(one)
        _settle(overdue, StoreUnavailable(f"the database did not answer for {PATIENCE:g} seconds; try again"))
        self._forget_answered()
        if self._unanswered:
            self._giving_up = loop.call_at(self._unanswered[0].until, self._give_up)

    async def _write(self) -> None:
        while self._waiting:
            group: list[_WaitingPost] = []
            try:
                is_flood = _now() - self._flooded_at < FLOOD_LASTS
                if is_flood and len(self._waiting) < FULL:
                    await self._linger()
                group = self._next_group()
                ids = await to_thread.run_sync(_add, self._store, [one.arrival for one in group])
            except StoreUnavailable as error:
                _settle(group, error)
            except asyncio.CancelledError:
                _settle([*group, *self._waiting], StoreUnavailable("the service is stopping; try again"))
                self._waiting.clear()
                raise
            except Exception:  # noqa: BLE001  the outermost loop of all posts: the next group must go on
                _log.exception("inbox: posts could not be stored", posts=len(group))
                _settle(group, StoreUnavailable("the post could not be stored; try again"))
            else:
                for one, inbox_id in zip(group, ids, strict=True):
                    if not one.stored.done():
                        one.stored.set_result(inbox_id)
                self._stored()
            self._forget_answered()

    async def _linger(self) -> None:
        """Wait until there are enough for a group, but not for long."""
        loop = asyncio.get_running_loop()
        self._lingering = loop.create_future()
        timer = loop.call_later(LINGER, _end, self._lingering)
        try:
            await self._lingering
        finally:
            timer.cancel()
            self._lingering = None

    def _next_group(self) -> list[_WaitingPost]:
        """Take the next ones to be stored; none where all were given up meanwhile."""
        group = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_TOGETHER))]
        if len(group) >= FLOOD:
            self._flooded_at = _now()
        return group


def _add(store: Store, arrivals: list[Arrival]) -> list[int]:
    if not arrivals:
        return []
    with store.transaction(alone=False) as connection:
        return inbox_rows.add_many(connection, arrivals)


def _end(lingering: asyncio.Future[None]) -> None:
    if not lingering.done():
        lingering.set_result(None)


def _settle(group: Sequence[_WaitingPost], error: StoreUnavailable) -> None:
    for one in group:
        if not one.stored.done():
            one.stored.set_exception(error)


def uid_prefix(account: str, folder: str, uidvalidity: int) -> str:
    """Give what the keys of all mails of one mailbox generation begin with, and no others."""
    return f"{quote(account, safe='@')}/{quote(folder, safe='')}/{uidvalidity}/"


def last_uid(store: Store, account: str, folder: str, uidvalidity: int) -> int:
    """Tell up to which UID a mailbox is taken in (RFC 3501: UIDs only grow under one UIDVALIDITY)."""
    with store.reading() as connection:
        return inbox_rows.last_uid(connection, uid_prefix(account, folder, uidvalidity))


def receive_mails(store: Store, mails: Sequence[FetchedMail], *, now: datetime) -> int:
    """Store mails of the mailbox in one transaction, and count those that were not stored already.

    Raises StoreUnavailable, and then none of them is stored.
    """
    arrivals = [_mail_arrival(mail, now) for mail in mails]
    with store.transaction(alone=False) as connection:
        return inbox_rows.add_mails(connection, arrivals)


def _mail_arrival(mail: FetchedMail, now: datetime) -> Arrival:
    prefix = uid_prefix(mail.account, mail.folder, mail.uidvalidity)
    about = {"folder": mail.folder, "size": mail.size, "truncated": mail.truncated} | _sender_of(mail.raw)
    key = content_key(mail.raw)
    return Arrival(Door.MAIL, now, mail.raw, about=about, content_key=key, uid_key=f"{prefix}{mail.uid:010}")


def receive_handed(store: Store, raw: bytes, *, size: int, now: datetime) -> bool:
    """Store a mail that a mail server handed over; False where it is there already. Raises StoreUnavailable."""
    about = {"folder": "", "size": size, "truncated": len(raw) < size} | _sender_of(raw)
    arrival = Arrival(Door.MAIL, now, raw, about=about, content_key=content_key(raw))
    with store.transaction(alone=False) as connection:
        return inbox_rows.add_mails(connection, [arrival]) > 0


def _sender_of(raw: bytes) -> dict[str, str]:
    """Keep what From says, unread, to find a mail by; raw bodies are too long to be searched."""
    found = _FROM.search(raw[:_HEAD].replace(b"\r\n", b"\n").partition(b"\n\n")[0])
    said = "" if found is None else found[1].decode("utf-8", "replace")
    text = " ".join("".join(one if one.isprintable() else " " for one in said).split())
    return {"sender": text[:_LONGEST_SENDER]} if text else {}


def content_key(raw: bytes) -> str:
    """Give a key that two copies of one mail share, though each came another way and has other trace lines."""
    head, _, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    fields = _FOLD.sub(b" ", head).split(b"\n")
    has_id = any(field.lower().startswith(b"message-id:") for field in fields)
    names = _ORIGIN_FIELDS if has_id else _ORIGIN_FIELDS + _TRACE_FIELDS
    same = [field for field in fields if field.lower().startswith(names)]
    return hashlib.sha256(b"\n".join([*same, b"", body])).hexdigest()


_ORIGIN_FIELDS = (b"message-id:", b"from:", b"date:", b"subject:")
_FROM = re.compile(rb"^from:([^\n]*(?:\n[ \t][^\n]*)*)", re.IGNORECASE | re.MULTILINE)
_HEAD = 32 * 1024
_LONGEST_SENDER = 200
_TRACE_FIELDS = (b"to:", b"delivered-to:", b"received:")
"""What tells two mails apart that have no Message-ID: `hold 30m` now, and the same an hour later."""
_FOLD = re.compile(rb"\n[ \t]+")
"""Where a long header field goes on in the next line (RFC 5322 section 2.2.3)."""


def work_off(store: Store, work: Callable[[InboxRow], None]) -> bool:
    """Let the oldest pending arrival have its effect; False where none is pending.

    The attempt is counted before it is made, so that one which kills the process is given up as well; the count need
    not outlive a power cut, which is nobody's fault.
    Raises StoreUnavailable, which is nobody's fault and no strike.
    """
    with store.reading() as connection:
        row = inbox_rows.next_pending(connection)
    if row is None:
        return False
    if row.attempts >= STRIKES:
        _quarantine(store, row, "it made the service fail three times")
        return True
    with store.transaction(durable=False) as connection:
        inbox_rows.count_attempt(connection, row.id)
    _try(store, row, work)
    return True


def _no_more(_within: Store, _rows: Sequence[InboxRow]) -> None:
    pass


def work_off_posts(store: Store, work: Effect, most: int, *, begin: Beginning = _no_more) -> int:
    """Let the next posts have their effect in one transaction, and count them: one wait for the disk does for all.

    None where a mail waits, where there is but one, or where the next one was tried before. Where one fails, no other
    has had an effect either: the failure is counted, and they are worked off again, it alone, by `work_off`; where what
    they wrote together is refused, each of them alone. They are fewer where somebody waits to write meanwhile, as who
    takes in the next posts does. `work` gets the store whose every change is a part of that transaction, and `begin`,
    before the first one, that store and all of them.
    Raises StoreUnavailable, and then none of them had any effect.
    """
    with store.reading() as connection:
        rows = inbox_rows.untried_posts(connection, most)
    if len(rows) < FEWEST_TOGETHER:
        return 0
    with store.transaction(durable=False) as connection:
        inbox_rows.count_attempts(connection, rows)
    done, shared = 0, None
    try:
        with store.transaction() as connection, together(connection) as sharing:
            within = OneTransaction(connection)
            begin(within, rows)
            shared = sharing
            for row in rows:
                work(within, row)
                done += 1
                if done >= FULL_TURN and store.is_wanted:
                    break
            inbox_rows.uncount_attempts(connection, rows[done:])
    except (StoreUnavailable, IncidentChangedMeanwhile):
        with suppress(StoreUnavailable):
            _take_back_attempts(store, rows)
        raise
    except Exception:  # noqa: BLE001  as in `_try`: it is tried again by itself
        if shared is None or shared.is_writing or done == len(rows):
            # whose fault it was is not known: each is tried once more by itself, and this one counts for all
            _log.exception("inbox: arrivals failed together", first=rows[0].id, last=rows[-1].id)
            return 0
        failed = rows[done]
        _log.exception("inbox: an arrival failed", inbox_id=failed.id, attempt=failed.attempts + 1)
        _take_back_attempts(store, rows[:done], rows[done + 1 :])
        return 0
    return done


def _take_back_attempts(store: Store, *portions: Sequence[InboxRow]) -> None:
    with store.transaction(durable=False) as connection:
        for posts in portions:
            inbox_rows.uncount_attempts(connection, posts)


def receive_with_effect(
    store: Store, mail: FetchedMail, read: Callable[[bytes], Effect | None], *, now: datetime
) -> bool:
    """Store a mail of the mailbox and let it have its effect in one transaction, never before those that wait already.

    Only for one that cannot be what ended this process before: while it is tried, nothing but the mailbox has it.
    `read` is asked before the transaction for what is to be done. Where it gives None, or anything fails, False is
    returned and nothing was stored: `receive_and_work_off` does better. Raises StoreUnavailable likewise.
    """
    try:
        effect = read(mail.raw)
        if effect is None:
            return False
        arrival = _mail_arrival(mail, now)
        with store.transaction() as connection:
            row = inbox_rows.add_mail_to_try(connection, arrival)
            if row is not None:
                effect(OneTransaction(connection), row)
    except StoreUnavailable:
        raise
    except Exception:  # noqa: BLE001  the outermost loop of one arrival: once it is stored, it fails by itself
        _log.exception("inbox: a mail failed before it was stored", uid=mail.uid)
        return False
    return True


def receive_and_work_off(
    store: Store, mail: FetchedMail, work: Callable[[InboxRow], None], *, now: datetime
) -> None:
    """Store a mail of the mailbox and let it have its effect at once, but never before those that wait already.

    It is on disk when this returns: the commit of its effect takes it there, so that one wait for the disk does
    for both; where it had none, it is waited for here. Raises StoreUnavailable where it could not be stored.
    """
    with store.transaction(durable=False) as connection:
        row = inbox_rows.add_mail_to_try(connection, _mail_arrival(mail, now))
    is_on_disk = False
    with suppress(StoreUnavailable, IncidentChangedMeanwhile):  # it waits for the next `work_off`
        is_on_disk = row is not None and _try(store, row, work)
    if not is_on_disk:
        with store.transaction() as connection:
            inbox_rows.touch_newest(connection)


def _try(store: Store, row: InboxRow, work: Callable[[InboxRow], None]) -> bool:
    """Let an arrival have its effect, whose attempt is counted already; False where it failed through its own fault."""
    try:
        work(row)
    except (StoreUnavailable, IncidentChangedMeanwhile):
        with suppress(StoreUnavailable), store.transaction(durable=False) as connection:
            inbox_rows.uncount_attempt(connection, row.id)
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
