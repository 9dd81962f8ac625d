"""Sets up connections to PostgreSQL. Imported only where the database is one: its driver costs ten megabytes of memory.

Only plain statements are sent, so that it also works through PgBouncer in its mode of sessions.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, Self

import psycopg
from psycopg.abc import Buffer, Params, Query
from psycopg.types.string import StrDumperUnknown
from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.exc import InvalidatePoolError

from service.store import json_text
from service.store.patience import PATIENCE, Haste
from service.store.patient_connections import PatientConnection, Silence

POOL: Final = 10
"""Connections that are kept."""
MORE: Final = 30
"""Connections beyond those in a rush: as many threads of ours may ask at once."""
SLOWEST_STATEMENT: Final = 60
"""Seconds; a migration may take as long as it likes."""
LONGEST_PAUSE: Final = 60
"""Seconds that a transaction of a process may lie idle which hangs, or is cut off, while others wait for it."""
REPLACEMENT: Final = "\ufffd"
"""Stands for what PostgreSQL takes in no text: U+0000, and half a pair of surrogates."""

CUT_OFF: Final = 4
"""Seconds after which each side takes the other one for gone whose machine or network no longer answers.

However long a statement takes, the machine of the server answers meanwhile.
"""

AT_CONNECT: Final = (
    "SET TIME ZONE 'UTC'",
    # what an admin chose for people, our statements and the driver do not understand
    "SET datestyle = 'ISO'",
    "SET standard_conforming_strings = on",
    "SET default_transaction_isolation = 'read committed'",
    # else what a machine held that is gone, such as the turn to decide, would be held for hours
    "SET tcp_keepalives_idle = 2",
    "SET tcp_keepalives_interval = 1",
    "SET tcp_keepalives_count = 2",
    # of what was sent to it and never arrived
    f"SET tcp_user_timeout = '{CUT_OFF}s'",
    f"SET lock_timeout = '{PATIENCE:g}s'",
    f"SET statement_timeout = '{SLOWEST_STATEMENT}s'",
    f"SET idle_in_transaction_session_timeout = '{LONGEST_PAUSE}s'",
)


ONLY_READS: Final = b"SHOW transaction_read_only"
"""What libpq asks too: on where the server is a standby, or is set to read alone."""
TO_WRITE: Final = {"target_session_attrs": "read-write"}
"""With which servers we connect, where the address does not say otherwise (libpq)."""


def make_engine(url: URL, haste: Haste | None = None) -> Engine:
    """Make what connects to a PostgreSQL server; it does not connect yet."""
    made = create_engine(
        url,
        # what stands in a row (addresses, tokens in mails) is for no log
        hide_parameters=True,
        # transactions begin by words of our own, which go to the server together with the lock
        isolation_level="AUTOCOMMIT",
        pool_size=POOL,
        max_overflow=MORE,
        pool_timeout=PATIENCE,
        pool_use_lifo=True,
        json_serializer=_json,
        json_deserializer=json_text.read,
        connect_args={
            "connect_timeout": int(PATIENCE),
            "application_name": "replycast",
            "keepalives_idle": 2,
            "keepalives_interval": 1,
            "keepalives_count": 2,
            "tcp_user_timeout": 1000 * CUT_OFF,
            # whatever the database or the role is set to
            "client_encoding": "utf8",
            **{name: value for name, value in TO_WRITE.items() if name not in url.query},
        },
    )
    silence = Silence(haste)

    def connect(
        _dialect: object, _record: object, given: list[Any], named: dict[str, Any]
    ) -> PatientConnection:
        return PatientConnection.open(silence, *given, **named)

    event.listen(made, "do_connect", connect)
    event.listen(made, "connect", _prepare)
    event.listen(made, "checkout", _look_at)
    return made


def _prepare(connection: psycopg.Connection[Any], _record: object) -> None:
    connection.adapters.register_dumper(str, _TextDumper)
    connection.cursor_factory = _DiscreetCursor
    connection.execute("; ".join(AT_CONNECT))


def _look_at(connection: PatientConnection, _record: object, _lent: object) -> None:
    """Connect anew before a connection is lent again that is gone, as after a restart, or only reads by now.

    Raises InvalidatePoolError, by which all that lie in the pool are taken for such.
    """
    if not connection.was_lent:
        connection.was_lent = True
        return
    try:
        only_reads = connection.execute(ONLY_READS).fetchone()
    except psycopg.Error as error:
        raise InvalidatePoolError from error
    if only_reads != ("off",):
        raise InvalidatePoolError


class _TextDumper(StrDumperUnknown):
    """Sends a text without what hostile mails and posts contain; their raw bytes are kept as they came."""

    def dump(self, obj: str) -> Buffer | None:
        return super().dump(_acceptable(obj))


class _DiscreetCursor(psycopg.Cursor[Any]):
    """Keeps values out of a fault's text: PostgreSQL's own says which key was there already."""

    def execute(
        self,
        query: Any,  # noqa: ANN401  psycopg's own overloads tell apart what is no difference here
        params: Params | None = None,
        *,
        prepare: bool | None = None,
        binary: bool | None = None,
    ) -> Self:
        with _discreet():
            return super().execute(query, params, prepare=prepare, binary=binary)

    def executemany(self, query: Query, params_seq: Iterable[Params], *, returning: bool = False) -> None:
        with _discreet():
            super().executemany(query, params_seq, returning=returning)


@contextmanager
def _discreet() -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        if error.diag.message_primary:
            error.args = (error.diag.message_primary,)
        raise


def _json(value: object) -> str:
    written = json_text.write(value)
    is_strange = "\\u0000" in written or "\\ud" in written
    return json_text.write(_all_acceptable(value)) if is_strange else written


def _all_acceptable(value: object) -> object:
    if isinstance(value, str):
        return _acceptable(value)
    if isinstance(value, Mapping):
        return {_all_acceptable(key): _all_acceptable(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_all_acceptable(one) for one in value]
    return value


def _acceptable(text: str) -> str:
    if text.isascii() and "\0" not in text:
        return text
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return whole.replace("\0", REPLACEMENT)
