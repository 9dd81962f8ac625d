"""The API's bearer tokens: made and taken back by admins, and what each of them lets a program do.

Nobody (`by=None`) is whoever has a shell on the machine: the command line.
"""

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from service.actions.house import BY_PROGRAM, House
from service.errors import NotAllowed, NotFound, PermanentFault
from service.model import Employee, Role
from service.store import api_tokens, audit
from service.store.api_tokens import ApiToken

LONGEST_NAME: Final = 40
"""Characters; the timeline has room for the name and its mark."""
NOTED_EVERY: Final = timedelta(minutes=1)
"""How exactly is known when a token was used last: a write for each call would cost more than the call."""

_PREFIX: Final = "rc_"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*( [A-Za-z0-9._-]+)*", re.ASCII)
_SECRET: Final = re.compile(r"rc_[A-Za-z0-9_-]{43}", re.ASCII)


class Scope(StrEnum):
    """What a token may be used for; to write does not include to read."""

    INCIDENTS_READ = "incidents:read"
    INCIDENTS_WRITE = "incidents:write"
    SUBSCRIBERS_READ = "subscribers:read"
    SUBSCRIBERS_WRITE = "subscribers:write"
    MAINTENANCE_READ = "maintenance:read"
    MAINTENANCE_WRITE = "maintenance:write"
    MONITORS_READ = "monitors:read"
    INBOX_READ = "inbox:read"
    INBOX_WRITE = "inbox:write"
    CONFIG_RELOAD = "config:reload"


_FOR_ADMINS: Final = frozenset(
    {Scope.SUBSCRIBERS_READ, Scope.SUBSCRIBERS_WRITE, Scope.INBOX_WRITE, Scope.CONFIG_RELOAD}
)


class TokenUnusable(PermanentFault):
    """A token cannot be made as it is wanted; the text says what to mend."""


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token just made, and its secret, which is told this once."""

    token: ApiToken
    secret: str


def create(
    house: House,
    name: str,
    scopes: Sequence[Scope],
    by: Employee | None,
    now: datetime,
    *,
    expires_at: datetime | None = None,
) -> NewToken:
    """Make a token; only the hash of its secret is kept. Raises TokenUnusable and NotAllowed."""
    _refuse_others(by)
    if not is_name(name):
        raise TokenUnusable(
            f"a token's name has at most {LONGEST_NAME} letters, digits, `.`, `_`, `-` and single spaces between"
        )
    if not scopes:
        raise TokenUnusable("a token without a scope opens nothing: name one")
    if expires_at is not None and expires_at <= now:
        raise TokenUnusable("a token must expire in the future")
    secret = _PREFIX + secrets.token_urlsafe(32)
    with house.store.transaction() as connection:
        if api_tokens.find_alive(connection, name, now) is not None:
            raise TokenUnusable(f"there is a token `{name}` already: revoke that one, or take another name")
        token = api_tokens.add(
            connection,
            token_hash=_hash_of(secret),
            name=name,
            scopes=list(dict.fromkeys(scopes)),
            now=now,
            by=_who(by),
            expires_at=expires_at,
        )
        audit.note(connection, now, _who(by), "token_created", name, ", ".join(token.scopes))
    return NewToken(token, secret)


def is_name(name: str) -> bool:
    """Tell whether a token may be called so."""
    return len(name) <= LONGEST_NAME and _NAME.fullmatch(name) is not None


def find_new(house: House, secret: str, by: Employee, now: datetime) -> ApiToken | None:
    """Find the token of a secret for whoever made it, as long as nobody has used it."""
    if _SECRET.fullmatch(secret) is None:
        return None
    with house.store.reading() as connection:
        found = api_tokens.find(connection, _hash_of(secret))
    is_new = found is not None and found.created_by == by.id and found.used_at is None and found.is_alive(now)
    return found if is_new else None


def list_all(house: House, by: Employee | None) -> tuple[ApiToken, ...]:
    """Give all tokens, the newest first, those that open nothing any more too. Raises NotAllowed."""
    _refuse_others(by)
    with house.store.reading() as connection:
        return api_tokens.listed(connection)


def revoke(house: House, name: str, by: Employee | None, now: datetime) -> ApiToken:
    """Let a token open nothing from now on. Raises NotFound where none of that name does, and NotAllowed."""
    _refuse_others(by)
    with house.store.transaction() as connection:
        found = api_tokens.find_alive(connection, name, now)
        if found is None:
            raise NotFound(f"there is no token `{name}` that opens anything")
        api_tokens.revoke(connection, found.id, now)
        audit.note(connection, now, _who(by), "token_revoked", name)
        return found


def find_token(house: House, secret: str, now: datetime) -> ApiToken | None:
    """Find the token of a secret if it opens something, and note that it was used.

    It is looked up by its hash, so that how long that takes tells nothing of any secret.
    """
    if _SECRET.fullmatch(secret) is None:
        return None
    with house.store.reading() as connection:
        token = api_tokens.find(connection, _hash_of(secret))
    if token is None or not token.is_alive(now):
        return None
    if token.used_at is None or now - token.used_at >= NOTED_EVERY:
        with house.store.transaction(durable=False) as connection:
            api_tokens.note_use(connection, token.id, now)
    return token


def acting_by(token: ApiToken, scope: Scope) -> Employee:
    """Give who acts by a token: nobody of the company, with the role that what the scope allows asks for."""
    role = Role.ADMIN if scope in _FOR_ADMINS else Role.PUBLISHER
    return Employee(f"{BY_PROGRAM}{token.name}", f"token {token.name}", "", role)


def _hash_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _who(by: Employee | None) -> str:
    return by.id if by else audit.COMMAND_LINE


def _refuse_others(by: Employee | None) -> None:
    if by is not None and by.role is not Role.ADMIN:
        raise NotAllowed(f"{by.name} may not make or revoke tokens: that is for admins")
