"""Rows of tokens, sessions and of what this installation is called. Only hashes are kept."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from service.store.access_schema import sessions, tokens
from service.store.inserting import insert_into
from service.store.schema import instance
from service.store.statements import Statement
from service.store.together import write


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


_ADD = Statement(insert(tokens))


def issue(connection: Connection, *new: Token) -> None:
    """Make some tokens valid."""
    for token in new:
        write(
            connection,
            _ADD,
            tokens.name,
            hash=token.hash,
            purpose=token.purpose,
            created_at=token.created_at,
            expires_at=token.expires_at,
            incident_id=token.incident_id,
            employee_id=token.employee_id,
            subscriber_id=token.subscriber_id,
            browser=token.browser,
            text_version=token.text_version,
            confirms=token.confirms,
        )


_FIND = Statement(
    select(tokens).where(
        tokens.c.hash == bindparam("token_hash"), tokens.c.purpose == bindparam("for_purpose")
    )
)


def find(connection: Connection, token_hash: str, purpose: Purpose) -> Token | None:
    """Find a token, used or expired ones too."""
    found = _FIND.rows(connection, token_hash=token_hash, for_purpose=purpose)
    if not found:
        return None
    row = found[0]
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


_USE = Statement(update(tokens).where(tokens.c.hash == bindparam("token_hash"), tokens.c.used_at.is_(None)))


def use(connection: Connection, token_hash: str, now: datetime) -> bool:
    """Use a token up; False where it was used before."""
    return _USE.run(connection, token_hash=token_hash, used_at=now) == 1


@dataclass(frozen=True, slots=True)
class Session:
    """A browser in which an employee is logged in."""

    hash: str
    employee_id: str
    created_at: datetime
    expires_at: datetime
    public_id: str = ""
    """What it is called in the list of sessions; opens nothing."""
    way: str = "mail"
    """How the employee proved who it is: `mail` or `oidc`."""
    browser: str = ""
    """What the browser calls itself."""
    seen_at: datetime | None = None


def start_session(connection: Connection, session: Session) -> None:
    """Log a browser in."""
    connection.execute(
        insert(sessions).values(
            hash=session.hash,
            public_id=session.public_id or session.hash[:32],
            employee_id=session.employee_id,
            way=session.way,
            browser=session.browser,
            created_at=session.created_at,
            seen_at=session.seen_at or session.created_at,
            expires_at=session.expires_at,
        )
    )


def find_session(connection: Connection, session_hash: str, now: datetime) -> Session | None:
    """Find a session that has not ended."""
    query = select(sessions).where(sessions.c.hash == session_hash, sessions.c.expires_at > now)
    row = connection.execute(query).one_or_none()
    return None if row is None else _session(row)


def _session(row: Row[Any]) -> Session:
    return Session(
        row.hash,
        row.employee_id,
        row.created_at,
        row.expires_at,
        row.public_id,
        row.way,
        row.browser,
        row.seen_at,
    )


def touch_session(
    connection: Connection, session_hash: str, *, seen_at: datetime, expires_at: datetime
) -> None:
    """Note that a session is in use, which moves its end."""
    changed = update(sessions).where(sessions.c.hash == session_hash)
    connection.execute(changed.values(seen_at=seen_at, expires_at=expires_at))


def sessions_of(
    connection: Connection, employee_id: str | None, now: datetime, *, limit: int
) -> tuple[Session, ...]:
    """Read the sessions of one employee or, with None, of all, that have not ended; last seen first."""
    query = select(sessions).where(sessions.c.expires_at > now)
    if employee_id is not None:
        query = query.where(sessions.c.employee_id == employee_id)
    rows = connection.execute(query.order_by(sessions.c.seen_at.desc(), sessions.c.hash).limit(limit))
    return tuple(map(_session, rows))


def find_named_session(connection: Connection, public_id: str) -> Session | None:
    """Find a session by what it is called in the list."""
    row = connection.execute(select(sessions).where(sessions.c.public_id == public_id)).one_or_none()
    return None if row is None else _session(row)


def end_session(connection: Connection, session_hash: str) -> Session | None:
    """Log a browser out; None where it was not logged in."""
    gone = delete(sessions).where(sessions.c.hash == session_hash).returning(sessions)
    row = connection.execute(gone).one_or_none()
    return None if row is None else _session(row)


def end_other_sessions(connection: Connection, employee_id: str, session_hash: str) -> int:
    """Log an employee out of all browsers but one, and count them."""
    others = sessions.c.employee_id == employee_id, sessions.c.hash != session_hash
    return connection.execute(delete(sessions).where(*others)).rowcount


def sweep(connection: Connection, *, sessions_before: datetime, tokens_before: datetime) -> None:
    """Forget sessions and tokens that ended before these times."""
    connection.execute(delete(sessions).where(sessions.c.expires_at < sessions_before))
    connection.execute(delete(tokens).where(tokens.c.expires_at < tokens_before))


def instance_value(connection: Connection, name: str, otherwise: str) -> str:
    """Read what this installation is called under a name; set it where it is not, and no other process does."""
    found = known_instance_value(connection, name)
    if found is None:
        setting = insert_into(instance, connection.dialect).values(name=name, value=otherwise)
        connection.execute(setting.on_conflict_do_nothing())
        found = known_instance_value(connection, name)
    return otherwise if found is None else found


def known_instance_value(connection: Connection, name: str) -> str | None:
    """Read what this installation is called under a name; None: nothing so far."""
    query = select(instance.c.value).where(instance.c.name == name)
    found = connection.execute(query).scalar_one_or_none()
    return None if found is None else str(found)


def put_instance_value(connection: Connection, name: str, value: str) -> None:
    """Let what this installation is called under a name, and was called before, be something else."""
    connection.execute(update(instance).where(instance.c.name == name).values(value=value))
