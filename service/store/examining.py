"""Looks at a database as an admin would: can it be used, does it keep what it was given? It changes nothing in it."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Final

from sqlalchemy import URL, Connection, Engine, create_engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from service.store import postgresql, postgresql_engine
from service.store.database import SchemaUnknown, is_migrated
from service.store.poolers import SHARES, shares_sessions

_OLDEST: Final = 130_000
"""PostgreSQL 13, which has gen_random_uuid() of its own."""
_SHARE_TO_TELL: Final = 0.25
"""Of a file of SQLite that is empty: from here on it is worth a word, for `VACUUM` halts the service."""
_LEAST_TO_TELL: Final = 16 * 1024 * 1024
"""Bytes below which nobody cares."""
_OWN_CONNECTIONS: Final = postgresql_engine.POOL + postgresql_engine.MORE + 4
"""Those of the pool, and one each of `leases`, `senders`, `sent_marks` and `hearing`."""


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing that was looked at; `is_bad` is what keeps the service from working, `is_doubtful` what it risks."""

    name: str
    text: str
    is_bad: bool = False
    is_doubtful: bool = False


def examine(address: str) -> Iterator[Remark]:
    """Look at a database, each remark as soon as it is there."""
    url = make_url(address)
    is_postgresql = url.get_backend_name() == "postgresql"
    if not is_postgresql and not Path(str(url.database)).is_file():
        yield Remark(
            "database", f"{url.database} is not there yet: the first start makes it", is_doubtful=True
        )
        return
    engine = _engine_of_postgresql(url) if is_postgresql else create_engine(url, hide_parameters=True)
    try:
        with engine.connect() as connection:
            yield Remark("database", url.render_as_string(hide_password=True))
            yield from _postgresql(connection, url) if is_postgresql else _sqlite(connection)
            yield _migrations(connection)
        if is_postgresql:
            yield _pooler(engine)
    except SQLAlchemyError as error:
        yield Remark("database", _said(error), is_bad=True)
    finally:
        engine.dispose()


def _engine_of_postgresql(url: URL) -> Engine:
    """Connect as the service does; where it finds no server that writes, with one that can say why."""
    made = postgresql_engine.make_engine(url)
    try:
        made.connect().close()
    except SQLAlchemyError:
        any_one = postgresql_engine.make_engine(url.update_query_dict({"target_session_attrs": "any"}))
        try:
            any_one.connect().close()
        except SQLAlchemyError:
            any_one.dispose()  # nothing was to be learned by it
        else:
            made.dispose()
            return any_one
    return made


def _pooler(engine: Engine) -> Remark:
    try:
        is_shared = shares_sessions(engine)
    except (SQLAlchemyError, engine.dialect.loaded_dbapi.Error) as error:
        return Remark("sessions", f"a second connection cannot be used: {_said(error)}", is_bad=True)
    return Remark("sessions", SHARES if is_shared else "each connection has its own", is_bad=is_shared)


def _said(error: Exception) -> str:
    return " ".join(str(getattr(error, "orig", None) or error).split())


def _migrations(connection: Connection) -> Remark:
    if is_migrated(connection):
        return Remark("tables", "as this version has them")
    try:
        import_module("service.store.migrating").known_revisions(connection)
    except SchemaUnknown as error:
        return Remark("tables", str(error), is_bad=True)
    return Remark(
        "tables", "not as this version has them: its next start brings them up to date", is_doubtful=True
    )


def _sqlite(connection: Connection) -> Iterator[Remark]:
    found = [str(row[0]) for row in connection.execute(text("PRAGMA quick_check(3)"))]
    is_whole = found == ["ok"]
    yield Remark("integrity", "whole" if is_whole else "; ".join(found), is_bad=not is_whole)
    if is_whole:
        asked = ("page_size", "page_count", "freelist_count")
        each, pages, free = (int(connection.execute(text(f"PRAGMA {one}")).scalar_one()) for one in asked)
        yield room(each * pages, each * free, str(connection.engine.url.database))


def room(size: int, free: int, path: str) -> Remark:
    """Say how much of a file of SQLite is empty, and how to give it back to the disk where that is much; in bytes."""
    said = f"{_megabytes(free)} of {_megabytes(size)} are free, and are used again"
    if free < _LEAST_TO_TELL or free < size * _SHARE_TO_TELL:
        return Remark("room", said)
    command = f"sqlite3 {shlex.quote(path)} 'VACUUM;'"
    advice = f"with the service stopped, `{command}` gives that back to the disk"
    needs = f"it needs up to {_megabytes(2 * (size - free))} more while it works"
    return Remark("room", f"{said}; {advice}, and {needs}", is_doubtful=True)


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:,.1f} MB"


def _postgresql(connection: Connection, url: URL) -> Iterator[Remark]:
    def shown(name: str) -> str:
        return str(connection.execute(text(f"SHOW {name}")).scalar_one())

    number = int(shown("server_version_num"))
    is_old = number < _OLDEST
    yield Remark(
        "version", shown("server_version") + (": 13 is the oldest that will do" if is_old else ""), is_old
    )
    reads_alone = postgresql.only_reads(connection)
    yield Remark("role", reads_alone or "the primary", is_bad=reads_alone is not None)
    encoding = shown("server_encoding")
    wrong = postgresql.wrong_encoding(encoding)
    yield Remark("encoding", wrong or encoding, is_bad=wrong is not None)
    yield _rights(connection)
    yield from _durability(shown("fsync"), shown("synchronous_commit"))
    ours = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
    is_encrypted = bool(connection.execute(text(ours)).scalar_one_or_none())
    is_local = url.host is None
    said = (
        "TLS"
        if is_encrypted
        else "a socket of this machine"
        if is_local
        else "in the clear: add `sslmode=require`"
    )
    yield Remark("transport", said, is_doubtful=not (is_encrypted or is_local))
    most = int(shown("max_connections"))
    said = f"{most} at most, of which an instance takes up to {_OWN_CONNECTIONS}"
    yield Remark("connections", said, is_doubtful=most < _OWN_CONNECTIONS)


def _rights(connection: Connection) -> Remark:
    schema, may_create, role, path = connection.execute(
        text(
            "SELECT quote_ident(current_schema()), has_schema_privilege(current_schema(), 'CREATE'),"
            " quote_ident(current_user), current_setting('search_path')"
        )
    ).one()
    if schema is None:
        return Remark("rights", postgresql.no_schema(path), is_bad=True)
    said = f"tables can be made in the schema {schema}"
    if not may_create:
        said = f"tables cannot be made: GRANT CREATE ON SCHEMA {schema} TO {role}"
    return Remark("rights", said, is_bad=not may_create)


def _durability(fsync: str, commit: str) -> Iterator[Remark]:
    if fsync == "on" and commit != "off":
        yield Remark("durability", f"a commit waits for the disk (synchronous_commit = {commit})")
        return
    said = f"fsync = {fsync}, synchronous_commit = {commit}: a post that was answered with 202 may be lost"
    yield Remark("durability", said, is_doubtful=True)
