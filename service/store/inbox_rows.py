"""Rows of what arrived: raw webhook bodies and raw mails, with what became of each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import takewhile
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Row, bindparam, func, insert, literal_column, select, update

from service.store import tidings
from service.store.inserting import insert_into
from service.store.schema import inbox
from service.store.statements import Statement
from service.store.together import write


class Door(StrEnum):
    """Which way it came in."""

    WEBHOOK = "webhook"
    MAIL = "mail"


class InboxState(StrEnum):
    """Whether it was worked off, and how it ended."""

    PENDING = "pending"
    DONE = "done"
    REFUSED = "refused"
    """Unreadable or of no effect, it or a part of it, for a reason that somebody should mend; kept and shown."""
    QUARANTINED = "quarantined"
    """It made the service fail three times; kept and shown, and the next one goes on."""


class Arrival(NamedTuple):
    """Something about to be stored."""

    door: Door
    received_at: datetime
    raw: bytes
    provider: str = ""
    about: Mapping[str, Any] = MappingProxyType({})
    """What stood around the body: content type, URL parameters; for a mail its folder and size."""
    content_key: str | None = None
    """Equal for two copies of one mail, and for a post and its repetition."""
    uid_key: str | None = None
    state: InboxState = InboxState.PENDING
    reason: str = ""
    explanation: str = ""


@dataclass(frozen=True, slots=True)
class InboxRow:
    """Something that was stored."""

    id: int
    door: Door
    provider: str
    received_at: datetime
    raw: bytes
    about: Mapping[str, Any]
    state: InboxState
    attempts: int
    reason: str
    explanation: str
    authentic: str | None = None
    """Whether a mail was believed to be its sender's when it was decided about: yes, no, unknown; None: not asked."""
    evidence: str = ""
    """What that rested on."""

    @property
    def is_removed(self) -> bool:
        """Whether its body was kept long enough and is there no longer."""
        return REMOVED_AT in self.about

    @property
    def size(self) -> int:
        """Bytes that its body has, or had."""
        return int(self.about.get(SIZE, 0)) if self.is_removed else len(self.raw)


REMOVED_AT: Final = "removed_at"
"""What `about` calls the time at which a body was removed."""
SIZE: Final = "size"
"""What `about` calls the bytes that it had."""
SENDER: Final = "sender"
"""What `about` calls what the From of a mail says."""
REPEATED: Final = "repeated"
"""Why a post had no effect that its provider delivered before."""

# what is asked for each reply and alert is put together once, for that takes longer than the asking
_ADD = insert(inbox).returning(inbox.c.id, sort_by_parameter_order=True)
_ADD_MANY = Statement(insert(inbox))


def add_many(connection: Connection, arrivals: Sequence[Arrival]) -> list[int]:
    """Store some arrivals in the order given and return their ids in that order.

    A post whose content key is there already repeats another: it is stored as done, and never has an effect.
    """
    if any(arrival.content_key for arrival in arrivals):
        arrivals = [*_marked_if_repeated(connection, arrivals)]
    if connection.dialect.name == "sqlite":
        return _ADD_MANY.insert_many(connection, [_columns(arrival) for arrival in arrivals])
    tidings.mark(connection)
    return list(connection.execute(_ADD, [_columns(arrival) for arrival in arrivals]).scalars())


def _marked_if_repeated(connection: Connection, arrivals: Sequence[Arrival]) -> Iterator[Arrival]:
    keys = [arrival.content_key for arrival in arrivals if arrival.content_key]
    seen = set(connection.execute(select(inbox.c.content_key).where(inbox.c.content_key.in_(keys))).scalars())
    for arrival in arrivals:
        if arrival.content_key is None:
            yield arrival
        elif arrival.content_key not in seen:
            seen.add(arrival.content_key)
            yield arrival
        else:
            told = "its provider delivered it before, under the same id"
            yield arrival._replace(content_key=None, state=InboxState.DONE, reason=REPEATED, explanation=told)


_ADD_NEW = Statement(lambda dialect: insert_into(inbox, dialect).on_conflict_do_nothing())


def add_mails(connection: Connection, arrivals: Sequence[Arrival]) -> int:
    """Store those mails that are not there already, each once, and count them."""
    tidings.mark(connection)
    return sum(_ADD_NEW.run(connection, **_columns(one)) for one in arrivals)


_ADD_TRIED = Statement(
    lambda dialect: insert_into(inbox, dialect).on_conflict_do_nothing().returning(inbox.c.id)
)


def add_mail_to_try(connection: Connection, mail: Arrival) -> InboxRow | None:
    """Store a mail as one that is being worked off for the first time, and give it.

    None where it is there already, and where another one waits, behind which it is stored.
    """
    if _PENDING.rows(connection, of_door=Door.MAIL):
        add_mails(connection, [mail])
        return None
    for added in _ADD_TRIED.rows(connection, **_columns(mail), attempts=1):
        return _to_try(mail, added.id)
    return None


_ADD_POST_TRIED = Statement(
    lambda dialect: insert(inbox) if dialect.name == "sqlite" else insert(inbox).returning(inbox.c.id)
)


def add_post_to_try(connection: Connection, post: Arrival) -> tuple[int, InboxRow | None]:
    """Store a post as one that is being worked off for the first time; give its id, and it.

    None in its place where another arrival waits, behind which it is stored. It is to have no content key, by which it
    might be known.
    """
    if next_pending(connection) is not None:
        return add_many(connection, [post])[0], None
    tidings.mark(connection)
    inbox_id = _ADD_POST_TRIED.insert_one(connection, **_columns(post), attempts=1)
    return inbox_id, _to_try(post, inbox_id)


def _to_try(arrival: Arrival, inbox_id: int) -> InboxRow:
    return InboxRow(
        id=inbox_id,
        door=arrival.door,
        provider=arrival.provider,
        received_at=arrival.received_at,
        raw=arrival.raw,
        about=arrival.about,
        state=arrival.state,
        attempts=0,
        reason=arrival.reason,
        explanation=arrival.explanation,
    )


_TOUCH = Statement(
    update(inbox)
    .where(inbox.c.id == select(func.max(inbox.c.id)).scalar_subquery())
    .values(attempts=inbox.c.attempts + bindparam("by"))
)


def touch_newest(connection: Connection) -> None:
    """Write the newest arrival once more as it is: a commit that waits for the disk needs something to commit.

    SQLite writes no page into which nothing but the same was put, and waits for nothing then; so it is changed first.
    """
    for by in (1, -1):
        _TOUCH.run(connection, by=by)


_LAST_UID = (
    select(inbox.c.uid_key)
    .where(inbox.c.uid_key > bindparam("prefix"), inbox.c.uid_key < bindparam("past_the_last"))
    .order_by(inbox.c.uid_key.desc())
    .limit(1)
)


def last_uid(connection: Connection, prefix: str) -> int:
    """Find the highest IMAP UID among the mails stored under `account/folder/uidvalidity/`; 0: none."""
    past_the_last = prefix[:-1] + chr(ord(prefix[-1]) + 1)
    # UIDs are zero-padded in the key, so that the greatest text is the greatest number
    key = connection.execute(
        _LAST_UID, {"prefix": prefix, "past_the_last": past_the_last}
    ).scalar_one_or_none()
    return int(key.rpartition("/")[2]) if key else 0


is_pending = inbox.c.state == literal_column(f"'{InboxState.PENDING}'")
_PENDING = Statement(
    select(inbox).where(is_pending, inbox.c.door == bindparam("of_door")).order_by(inbox.c.id).limit(1)
)


def next_pending(connection: Connection, *, first: Door = Door.MAIL) -> InboxRow | None:
    """Find the oldest arrival that is not worked off; one of the door `first` before any other."""
    # asked of each door by itself, so that the first entry of the index tells, however many are waiting
    for door in (first, *(door for door in Door if door is not first)):
        for row in _PENDING.rows(connection, of_door=door):
            return _row(row)
    return None


_PENDING_FEW = Statement(
    select(inbox)
    .where(is_pending, inbox.c.door == bindparam("of_door"))
    .order_by(inbox.c.id)
    .limit(bindparam("most"))
)


def untried_posts(connection: Connection, most: int) -> list[InboxRow]:
    """Find the posts that are next and were never tried, up to one that was; none while a mail waits."""
    if _PENDING.rows(connection, of_door=Door.MAIL):
        return []
    found = _PENDING_FEW.rows(connection, of_door=Door.WEBHOOK, most=most)
    return [_row(row) for row in takewhile(lambda row: row.attempts == 0, found)]


_OF_ID = update(inbox).where(inbox.c.id == bindparam("inbox_id"))
_COUNT = Statement(_OF_ID.values(attempts=inbox.c.attempts + bindparam("by")))
_FINISH = Statement(_OF_ID.where(is_pending))
_FINISH_JUDGED = Statement(_OF_ID.where(is_pending))
_NAME = Statement(_OF_ID)


def count_attempt(connection: Connection, inbox_id: int) -> None:
    """Count that working it off is about to be tried, before it can kill us."""
    _COUNT.run(connection, inbox_id=inbox_id, by=1)


_OF_POSTS = update(inbox).where(
    is_pending,
    inbox.c.door == literal_column(f"'{Door.WEBHOOK}'"),
    inbox.c.id >= bindparam("first_id"),
    inbox.c.id <= bindparam("last_id"),
)
_COUNT_POSTS = Statement(_OF_POSTS.values(attempts=inbox.c.attempts + bindparam("by")))


def count_attempts(connection: Connection, posts: Sequence[InboxRow]) -> None:
    """Count the same for posts of `untried_posts`, between which none is pending that is not one of them."""
    _COUNT_POSTS.run(connection, first_id=posts[0].id, last_id=posts[-1].id, by=1)


def uncount_attempts(connection: Connection, posts: Sequence[InboxRow]) -> None:
    """Take back for some of them in a row what was counted; none is fine too."""
    if posts:
        _COUNT_POSTS.run(connection, first_id=posts[0].id, last_id=posts[-1].id, by=-1)


_TAKE_BACK = Statement(
    _OF_ID.where(is_pending, inbox.c.attempts > bindparam("before")).values(attempts=inbox.c.attempts - 1)
)


def take_back_attempts(connection: Connection, arrivals: Sequence[InboxRow]) -> None:
    """Take one attempt back of each, where any was counted since it was read: they failed through no fault of theirs.

    Done twice, as after a commit of which nothing was heard, it takes nothing more.
    """
    for one in arrivals:
        _TAKE_BACK.run(connection, inbox_id=one.id, before=one.attempts)


def finish(
    connection: Connection,
    inbox_id: int,
    state: InboxState,
    *,
    reason: str,
    explanation: str = "",
    authentic: str | None = None,
    evidence: str = "",
) -> None:
    """Remember what became of it and, where it was judged, whether it was believed, in the transaction of its effect.

    Raises IncidentChangedMeanwhile where somebody else finished it: then there must be no second effect.
    """
    told = {"state": state, "reason": reason, "explanation": explanation}
    finishing = _FINISH
    if authentic is not None:
        finishing, told = _FINISH_JUDGED, {**told, "authentic": authentic, "evidence": evidence}
    meanwhile = f"arrival {inbox_id} was worked off by somebody else meanwhile"
    write(connection, finishing, inbox.name, row=inbox_id, unless=meanwhile, inbox_id=inbox_id, **told)


def name_provider(
    connection: Connection, inbox_id: int, provider: str, *, authentic: str, evidence: str
) -> None:
    """Remember whose alert a mail is, which it does not tell by the way that it came, and why it was believed."""
    _NAME.run(connection, inbox_id=inbox_id, provider=provider, authentic=authentic, evidence=evidence)


_GET = select(inbox).where(inbox.c.id == bindparam("inbox_id"))


def get(connection: Connection, inbox_id: int) -> InboxRow | None:
    """Read one arrival."""
    row = connection.execute(_GET, {"inbox_id": inbox_id}).one_or_none()
    return None if row is None else _row(row)


def listed(connection: Connection, *, before_id: int | None = None, limit: int) -> tuple[InboxRow, ...]:
    """Read what arrived, newest first."""
    query = select(inbox)
    if before_id is not None:
        query = query.where(inbox.c.id < before_id)
    return tuple(map(_row, connection.execute(query.order_by(inbox.c.id.desc()).limit(limit))))


def count_pending(connection: Connection) -> int:
    """Count what is not worked off."""
    query = select(func.count()).select_from(inbox).where(is_pending)
    return connection.execute(query).scalar_one()


def _columns(arrival: Arrival) -> dict[str, object]:
    return {
        "door": arrival.door,
        "provider": arrival.provider,
        "received_at": arrival.received_at,
        "raw": arrival.raw,
        "about": dict(arrival.about),
        "content_key": arrival.content_key,
        "uid_key": arrival.uid_key,
        "state": arrival.state,
        "reason": arrival.reason,
        "explanation": arrival.explanation,
    }


def _row(row: Row[Any]) -> InboxRow:
    return InboxRow(
        id=row.id,
        door=Door(row.door),
        provider=row.provider,
        received_at=row.received_at,
        raw=row.raw,
        about=row.about,
        state=InboxState(row.state),
        attempts=row.attempts,
        reason=row.reason,
        explanation=row.explanation,
        authentic=row.authentic,
        evidence=row.evidence,
    )
