"""Rows of tokens, sessions and of what this installation is called. Only hashes are kept."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from service.store.schema import instance, sessions, tokens


class Purpose(StrEnum):
    """What a token opens; a token of one purpose is worth nothing for another."""

    REPLY = "reply"
    LOGIN = "login"
    CONFIRM = "confirm"


@dataclass(frozen=True, slots=True)
class Token:
    """What a token is bound to."""

    hash: str
    purpose: Purpose
    created_at: datetime
    expires_at: datetime
    incident_id: int | None = None
    employee_id: str | None = None
    subscriber_id: int | None = None
    browser: str = ""
    """For a log-in link: the hash of a cookie of the browser that asked for it."""
    text_version: int | None = None
    """For a notification: the version of the incident's text that it showed."""
    confirms: int | None = None
    """For a mail that asks whether a reply was really the employee's: the inbox id of that reply."""
    used_at: datetime | None = None


# what is asked for each reply is put together once, for that takes longer than the asking
_ADD = insert(tokens)


def issue(connection: Connection, *new: Token) -> None:
    """Make some tokens valid."""
    rows = [
        {
            "hash": token.hash,
            "purpose": token.purpose,
            "created_at": token.created_at,
            "expires_at": token.expires_at,
            "incident_id": token.incident_id,
            "employee_id": token.employee_id,
            "subscriber_id": token.subscriber_id,
            "browser": token.browser,
            "text_version": token.text_version,
            "confirms": token.confirms,
        }
        for token in new
    ]
    if rows:
        connection.execute(_ADD, rows)


_FIND = select(tokens).where(
    tokens.c.hash == bindparam("token_hash"), tokens.c.purpose == bindparam("for_purpose")
)


def find(connection: Connection, token_hash: str, purpose: Purpose) -> Token | None:
    """Find a token, used or expired ones too."""
    row = connection.execute(_FIND, {"token_hash": token_hash, "for_purpose": purpose}).one_or_none()
    if row is None:
        return None
    return Token(
        hash=row.hash,
        purpose=Purpose(row.purpose),
        created_at=row.created_at,
        expires_at=row.expires_at,
        incident_id=row.incident_id,
        employee_id=row.employee_id,
        subscriber_id=row.subscriber_id,
        browser=row.browser,
        text_version=row.text_version,
        confirms=row.confirms,
        used_at=row.used_at,
    )


_USE = update(tokens).where(tokens.c.hash == bindparam("token_hash"), tokens.c.used_at.is_(None))


def use(connection: Connection, token_hash: str, now: datetime) -> bool:
    """Use a token up; False where it was used before."""
    return connection.execute(_USE, {"token_hash": token_hash, "used_at": now}).rowcount == 1


@dataclass(frozen=True, slots=True)
class Session:
    """A browser in which an employee is logged in."""

    hash: str
    employee_id: str
    created_at: datetime
    expires_at: datetime


def start_session(connection: Connection, session: Session) -> None:
    """Log a browser in."""
    connection.execute(
        insert(sessions).values(
            hash=session.hash,
            employee_id=session.employee_id,
            created_at=session.created_at,
            expires_at=session.expires_at,
        )
    )


def find_session(connection: Connection, session_hash: str, now: datetime) -> Session | None:
    """Find a session that has not ended."""
    query = select(sessions).where(sessions.c.hash == session_hash, sessions.c.expires_at > now)
    row = connection.execute(query).one_or_none()
    return None if row is None else Session(row.hash, row.employee_id, row.created_at, row.expires_at)


def end_session(connection: Connection, session_hash: str) -> None:
    """Log a browser out."""
    connection.execute(delete(sessions).where(sessions.c.hash == session_hash))


def sweep(connection: Connection, *, sessions_before: datetime, tokens_before: datetime) -> None:
    """Forget sessions and tokens that ended before these times."""
    connection.execute(delete(sessions).where(sessions.c.expires_at < sessions_before))
    connection.execute(delete(tokens).where(tokens.c.expires_at < tokens_before))


def instance_value(connection: Connection, name: str, otherwise: str) -> str:
    """Read what this installation is called under a name; set it where it is not."""
    query = select(instance.c.value).where(instance.c.name == name)
    found = connection.execute(query).scalar_one_or_none()
    if found is None:
        connection.execute(insert(instance).values(name=name, value=otherwise))
        return otherwise
    return str(found)
