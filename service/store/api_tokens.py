"""Rows of the API's bearer tokens, of which only hashes are kept. It does not tell what a token allows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, or_, select, update

from service.store.access_schema import api_tokens
from service.store.statements import Statement


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token, without the secret that opens."""

    id: int
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    created_by: str
    """An employee's id, or `cli` for whoever has a shell on the machine."""
    expires_at: datetime | None = None
    """None: never."""
    used_at: datetime | None = None
    """When it was used last, to the minute."""
    revoked_at: datetime | None = None

    def is_alive(self, now: datetime) -> bool:
        """Whether it opens anything."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def add(
    connection: Connection,
    *,
    token_hash: str,
    name: str,
    scopes: Sequence[str],
    now: datetime,
    by: str,
    expires_at: datetime | None,
) -> ApiToken:
    """Make a token valid."""
    values = {
        "hash": token_hash,
        "name": name,
        "scopes": list(scopes),
        "created_at": now,
        "created_by": by,
        "expires_at": expires_at,
    }
    return _token(connection.execute(insert(api_tokens).values(values).returning(api_tokens)).one())


_FIND = Statement(select(api_tokens).where(api_tokens.c.hash == bindparam("token_hash")))


def find(connection: Connection, token_hash: str) -> ApiToken | None:
    """Find a token by its hash, those that open nothing any more too."""
    found = _FIND.rows(connection, token_hash=token_hash)
    return _token(found[0]) if found else None


def find_alive(connection: Connection, name: str, now: datetime) -> ApiToken | None:
    """Find the token of a name that opens something."""
    not_over = or_(api_tokens.c.expires_at.is_(None), api_tokens.c.expires_at > now)
    query = select(api_tokens).where(api_tokens.c.name == name, api_tokens.c.revoked_at.is_(None), not_over)
    row = connection.execute(query).one_or_none()
    return None if row is None else _token(row)


def listed(connection: Connection) -> tuple[ApiToken, ...]:
    """Read all tokens, the newest first."""
    return tuple(map(_token, connection.execute(select(api_tokens).order_by(api_tokens.c.id.desc()))))


def revoke(connection: Connection, token_id: int, now: datetime) -> None:
    """Let a token open nothing from now on."""
    connection.execute(update(api_tokens).where(api_tokens.c.id == token_id).values(revoked_at=now))


def note_use(connection: Connection, token_id: int, now: datetime) -> None:
    """Remember that it was used."""
    connection.execute(update(api_tokens).where(api_tokens.c.id == token_id).values(used_at=now))


def _token(row: Row[Any]) -> ApiToken:
    return ApiToken(
        id=row.id,
        name=row.name,
        scopes=tuple(row.scopes),
        created_at=row.created_at,
        created_by=row.created_by,
        expires_at=row.expires_at,
        used_at=row.used_at,
        revoked_at=row.revoked_at,
    )
