"""Letting a post count once more, as if it came now: for admins, once config.yaml knows better what to do with it."""

from datetime import datetime
from typing import Final

from service.actions.house import House
from service.errors import NotAllowed, NotFound
from service.model import Employee, Role
from service.providers.post import RawPost
from service.store import audit, inbox_rows
from service.store.inbox_rows import Arrival, Door, InboxRow

REPLAY_OF: Final = "replay_of"
"""What a replayed arrival's `about` calls the number of the one that it repeats."""


def post_of(row: InboxRow) -> RawPost:
    """Give a post that arrived as its provider reads it. Raises NotFound where its body was removed."""
    if row.is_removed:
        raise NotFound(f"The body of #{row.id} was kept long enough (`retention.inbox`), and was removed.")
    return RawPost(row.raw, str(row.about.get("content_type", "")), row.about.get("query", {}))


def replay(house: House, inbox_id: int, by: Employee, now: datetime) -> int:
    """Store a post once more, to be worked off like any arrival, and give its number.

    Raises NotFound, and NotAllowed for who is no admin and for a mail, which has used its token up.
    """
    if by.role is not Role.ADMIN:
        raise NotAllowed(f"{by.name} may look, but not replay: that is for admins")
    with house.store.transaction() as connection:
        row = inbox_rows.get(connection, inbox_id)
        if row is None:
            raise NotFound(f"Nothing in the inbox has the number {inbox_id}.")
        if row.door is not Door.WEBHOOK:
            raise NotAllowed("A mail cannot be replayed: its token is used up. Answer the notification anew.")
        about = {**row.about, REPLAY_OF: inbox_id}
        again = Arrival(Door.WEBHOOK, now, post_of(row).body, provider=row.provider, about=about)
        [number] = inbox_rows.add_many(connection, [again])
        audit.note(connection, now, by.id, "post_replayed", f"#{inbox_id}", f"as #{number}")
        return number
