"""Which browsers are logged in, and logging them out from afar: one's own, and for admins everybody's."""

from datetime import datetime
from typing import Final

from service.actions.house import House
from service.actions.logging_in import hash_key
from service.errors import NotFound
from service.model import Employee, Role
from service.store import audit, credentials
from service.store.credentials import Session

MOST_SHOWN: Final = 200


def list_sessions(house: House, by: Employee, now: datetime, *, of_all: bool) -> tuple[Session, ...]:
    """Give the employee's sessions, last seen first; an admin may ask for everybody's."""
    whose = None if of_all and by.role is Role.ADMIN else by.id
    with house.store.reading() as connection:
        return credentials.sessions_of(connection, whose, now, limit=MOST_SHOWN)


def revoke(house: House, public_id: str, by: Employee, now: datetime) -> Session:
    """End a session. Raises NotFound where there is none of this name, or it is not for this employee to end."""
    with house.store.transaction() as connection:
        found = credentials.find_named_session(connection, public_id)
        if found is None or not (found.employee_id == by.id or by.role is Role.ADMIN):
            raise NotFound("This session has ended already.")
        credentials.end_session(connection, found.hash)
        audit.note(connection, now, by.id, "session_revoked", found.employee_id, found.browser)
        return found


def revoke_others(house: House, session_key: str, by: Employee, now: datetime) -> int:
    """End all sessions of the employee but this one, and count them."""
    with house.store.transaction() as connection:
        count = credentials.end_other_sessions(connection, by.id, hash_key(session_key))
        if count:
            audit.note(connection, now, by.id, "sessions_revoked", by.id, f"{count} others")
        return count
