"""Finding what arrived by time, entity, door, state, reason and words: some thousands at a time, never in a body."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, exists, func, or_, select

from service.store.inbox_headlines import Headline, headline_columns, headline_of, sender
from service.store.inbox_rows import Door, InboxState
from service.store.looking_through import Found, look_through
from service.store.schema import alerts, inbox

SEARCHED: Final = 5_000
"""Arrivals at a time; a body may be a hundred kilobytes, and stands before what is compared."""
REASONS_OF: Final = 1_000
_OUT_OF_ORDER: Final = timedelta(minutes=1)
"""An arrival is numbered when it is stored, which is seconds after the time at which it was received."""
_PAST_ALL: Final = 2**62


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to find; an empty field leaves nothing out."""

    door: Door | None = None
    state: InboxState | None = None
    reason: str = ""
    text: str = ""
    """Part of a monitor's name as a post had it, or of a reason, explanation or evidence, compared without case."""
    is_by_sender: bool = False
    """Whether the text is looked for in the senders of mails, as long as they are kept, and in what became of mails."""
    since: datetime | None = None
    """It was received then or later."""
    until: datetime | None = None
    """It was received before."""
    entity_id: str = ""
    """Of one of its alerts, exactly as it was read: what its provider calls the thing that alerts are about."""

    def __bool__(self) -> bool:
        """Whether anything is left out."""
        return bool(self.is_compared or self.since or self.until or self.entity_id)

    @property
    def is_compared(self) -> bool:
        """Whether arrivals are looked at one by one, some thousands at a time; else an index knows them."""
        return bool(self.door or self.state or self.reason or self.text)


def search(
    connection: Connection, wanted: Wanted, *, before_id: int | None = None, limit: int
) -> Found[Headline]:
    """Read what is found among the newest arrivals below a number, newest first."""
    columns = (alerts.c.inbox_id, *headline_columns()) if wanted.entity_id else headline_columns()
    found = look_through(
        connection,
        columns,
        [tuple(_source(wanted))],
        tuple(_filters(wanted)),
        before=before_id,
        most=SEARCHED,
        limit=limit,
    )
    return Found(tuple(map(headline_of, found.rows)), found.next_before, found.is_cut)


def reasons(connection: Connection) -> tuple[str, ...]:
    """Read which reasons the newest arrivals have, in the order of the alphabet."""
    newest = select(func.max(inbox.c.id)).scalar_subquery()
    query = select(inbox.c.reason).distinct().where(inbox.c.id > newest - REASONS_OF, inbox.c.reason != "")
    return tuple(connection.execute(query.order_by(inbox.c.reason)).scalars())


def _source(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    number: ColumnElement[int] = inbox.c.id
    if wanted.entity_id:
        number = alerts.c.inbox_id
        yield alerts.c.entity_id == wanted.entity_id
        yield number == inbox.c.id
        # a post may hold several alerts of an entity, and one of them may count twice
        later = alerts.alias("later")
        same = later.c.inbox_id == number, later.c.entity_id == alerts.c.entity_id
        yield ~exists().where(*same, later.c.id > alerts.c.id)
    # a span is one of numbers too: from behind whatever was stored before it began, to what was stored after its end
    if wanted.since:
        older = select(inbox.c.id).where(inbox.c.received_at < wanted.since - _OUT_OF_ORDER)
        last = older.order_by(inbox.c.received_at.desc()).limit(1).scalar_subquery()
        yield number > func.coalesce(last, 0)
    if wanted.until:
        newer = select(inbox.c.id).where(inbox.c.received_at >= wanted.until + _OUT_OF_ORDER)
        first = newer.order_by(inbox.c.received_at).limit(1).scalar_subquery()
        yield number < func.coalesce(first, _PAST_ALL)


def _filters(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    if wanted.since:
        yield inbox.c.received_at >= wanted.since
    if wanted.until:
        yield inbox.c.received_at < wanted.until
    if wanted.door:
        yield inbox.c.door == wanted.door
    if wanted.state:
        yield inbox.c.state == wanted.state
    if wanted.reason:
        yield inbox.c.reason == wanted.reason
    if wanted.text:
        text, of_it = wanted.text, alerts.alias("of_it")
        named = exists().where(
            of_it.c.inbox_id == inbox.c.id, of_it.c.monitor_name.icontains(text, autoescape=True)
        )
        reason, told, evidence, sent_by = (
            column.icontains(text, autoescape=True)
            for column in (inbox.c.reason, inbox.c.explanation, inbox.c.evidence, sender())
        )
        # what became of a mail may name whose it was
        by_whom = (told, sent_by) if wanted.is_by_sender else (and_(told, inbox.c.door == Door.WEBHOOK),)
        yield or_(reason, evidence, named, *by_whom)
