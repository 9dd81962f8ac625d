"""The address of the database: a file of SQLite, or a server of PostgreSQL. It connects to nothing."""

from collections.abc import Iterator
from typing import Final

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from service.config.document import Document, find, texts
from service.config.settings import Secret
from service.config.values import is_loopback_host
from service.errors import Fault

SSL_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
"""PostgreSQL, section 34.19.3."""
_ENCRYPTED: Final = SSL_MODES[3:]
_POSTGRESQL: Final = ("postgresql", "postgres", "postgresql+psycopg")
_NOTHING_FORGETS: Final = (
    "must name a file, as in sqlite:///var/replycast.db: a database in memory forgets everything"
)
_EXAMPLE: Final = "postgresql://replycast@db.example.com/replycast?sslmode=verify-full"


def parse_database(text: str) -> str:
    """Check a database address by its form (SQLAlchemy's), and give it as SQLAlchemy takes it.

    Raises ValueError, its text a predicate, as those of `values` do.
    """
    scheme = text.split(":", 1)[0]
    if scheme not in {"sqlite", *_POSTGRESQL}:
        raise ValueError("is of no kind that is supported: write sqlite:///… or postgresql://…")
    is_postgresql = scheme in _POSTGRESQL
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        example = _EXAMPLE if is_postgresql else "sqlite:///var/replycast.db"
        raise ValueError(f"cannot be read: write {example}") from error
    if is_postgresql:
        return _postgresql(url)
    if url.host or url.username or url.port:
        raise ValueError(
            "needs a third slash before a relative path and a fourth before an absolute one: sqlite:///…"
        )
    if not url.database or url.database == ":memory:" or "mode=memory" in text:
        raise ValueError(_NOTHING_FORGETS)
    return text


def _postgresql(url: URL) -> str:
    if not url.database:
        raise ValueError(f"names no database: write {_EXAMPLE}")
    mode = url.query.get("sslmode")
    if mode is not None and mode not in SSL_MODES:
        raise ValueError(f"has an unknown `sslmode`: write one of {', '.join(SSL_MODES)}")
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def with_password(address: str, password: Secret) -> str:
    """Put the password that stands apart into an address, which needs no escaping there."""
    if not password:
        return address
    return make_url(address).set(password=password.reveal()).render_as_string(hide_password=False)


def check_database(document: Document) -> Iterator[Fault]:
    """Report a password that stands apart, and that the address has no use for."""
    given = [
        keys
        for name in ("database_password_file", "database_password")
        for keys, _ in find(document.tree, name)
        if keys in document.places
    ]
    address = next((text for _, text in texts(document.tree, "database")), "sqlite://")
    scheme, _, rest = address.partition("://")
    if given and scheme == "sqlite":
        yield document.fault(given[0], "a file of SQLite has no password: remove this", at_key=True)
    elif given and ":" in rest.partition("/")[0].rpartition("@")[0]:
        name = given[0][0]
        text = f"give the password in `database` or as `{name}`, not both"
        yield document.fault(given[0], text, at_key=True)


def is_read_underway(address: str) -> bool:
    """Whether others on the network may read what goes to the database and comes from it."""
    url = make_url(address)
    socket = url.query.get("host", "")
    hosts = [url.host or "", *((socket,) if isinstance(socket, str) else socket)]
    is_far = any(host and not host.startswith(("/", "@")) and not is_loopback_host(host) for host in hosts)
    return is_far and url.query.get("sslmode") not in _ENCRYPTED
