"""Finding what arrived by its door, state, reason and words: some thousands at a time, and never in a raw body."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Connection, exists, func, or_, select

from service.store.inbox_headlines import Headline, headline_columns, headline_of
from service.store.inbox_rows import Door, InboxState
from service.store.looking_through import Found, look_through
from service.store.schema import alerts, inbox

SEARCHED: Final = 5_000
"""Arrivals at a time; a body may be a hundred kilobytes, and stands before what is compared."""
REASONS_OF: Final = 1_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to find; an empty field leaves nothing out."""

    door: Door | None = None
    state: InboxState | None = None
    reason: str = ""
    text: str = ""
    """Part of a monitor's name as a post had it, or of a reason or explanation, compared without case."""
    is_by_sender: bool = False
    """Whether the text is looked for in the senders of mails too."""

    def __bool__(self) -> bool:
        """Whether anything is left out."""
        return bool(self.door or self.state or self.reason or self.text)


def search(
    connection: Connection, wanted: Wanted, *, before_id: int | None = None, limit: int
) -> Found[Headline]:
    """Read what is found among the newest arrivals below a number, newest first."""
    filters = _conditions(wanted)
    found = look_through(
        connection, headline_columns(), [()], filters, before=before_id, most=SEARCHED, limit=limit
    )
    return Found(tuple(map(headline_of, found.rows)), found.next_before, found.is_cut)


def reasons(connection: Connection) -> tuple[str, ...]:
    """Read which reasons the newest arrivals have, in the order of the alphabet."""
    newest = select(func.max(inbox.c.id)).scalar_subquery()
    query = select(inbox.c.reason).distinct().where(inbox.c.id > newest - REASONS_OF, inbox.c.reason != "")
    return tuple(connection.execute(query.order_by(inbox.c.reason)).scalars())


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.door:
        conditions.append(inbox.c.door == wanted.door)
    if wanted.state:
        conditions.append(inbox.c.state == wanted.state)
    if wanted.reason:
        conditions.append(inbox.c.reason == wanted.reason)
    if wanted.text:
        text = wanted.text
        named = exists().where(
            alerts.c.inbox_id == inbox.c.id, alerts.c.monitor_name.icontains(text, autoescape=True)
        )
        told = (column.icontains(text, autoescape=True) for column in (inbox.c.reason, inbox.c.explanation))
        sender = inbox.c.about["sender"].as_string().icontains(text, autoescape=True)
        conditions.append(or_(*told, named, *([sender] if wanted.is_by_sender else ())))
    return conditions
