"""What is PostgreSQL's own in SQL: how transactions begin, which faults pass. `postgresql_engine` sets up connections.

Only plain statements are sent, so that it also works through PgBouncer in its mode of sessions.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection

from service.store.statements import tell

WRITERS: Final = 0x7265706C79  # "reply"
"""The number of the advisory lock for which writers who decide stand in line."""
MIGRATIONS: Final = WRITERS + 1
"""The number of the advisory lock for which instances stand in line that start at once."""
IMPATIENCE: Final = 50
"""Milliseconds that whoever has another way to go waits for a lock, as that of those who are alone."""
TABLE_WAIT: Final = 2_000
"""Milliseconds that a migration waits for a table that others use: pages wait meanwhile, for five seconds at most."""
STANDBY: Final = "a standby, which only reads: name the primary"
READS_BY_DEFAULT: Final = (
    "it is set to read alone: `default_transaction_read_only` is on for the role, the database or the server"
)
_PASSES: Final = frozenset({"25006", "42501", "25P03", "25P04"})
"""Refusals that an admin mends: a standby that only reads, and rights that are missing; and the end of a transaction in
which we were silent for too long, as where our machine stood still (PostgreSQL, Appendix A)."""
_IN_THE_WAY: Final = frozenset({"55P03", "40P01"})
"""A lock that did not come in time; and a deadlock, as with somebody who reads our tables in another order."""
_USERS: Final = """
    SELECT pid, COALESCE(NULLIF(application_name, ''), backend_type, 'a program') AS program,
        COALESCE(usename, 'the server') AS role, date_trunc('second', min(now() - xact_start)) AS since
    FROM pg_locks JOIN pg_stat_activity USING (pid) JOIN pg_class ON pg_class.oid = relation
    WHERE granted AND pid <> pg_backend_pid() AND relkind = 'r' AND relname <> 'alembic_version'
        AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    GROUP BY 1, 2, 3 ORDER BY since DESC NULLS LAST, pid LIMIT 5
"""
_OF_THE_SERVER: Final = "XX"
"""How the codes of the server's own faults begin, such as a damaged file."""


def begin(connection: Connection, *, is_durable: bool, is_alone: bool, is_impatient: bool = False) -> None:
    """Begin a transaction that writes.

    Alone, it waits for all others that are: whatever it reads stays so until it commits, as under SQLite's
    `BEGIN IMMEDIATE`. Each statement sees what was committed before it, and so all that those before it wrote.
    Impatient, it waits for any lock for IMPATIENCE only.
    """
    words = ["BEGIN ISOLATION LEVEL READ COMMITTED"]
    if not is_durable:
        words.append("SET LOCAL synchronous_commit = off")
    if is_impatient:
        words.append(f"SET LOCAL lock_timeout = {IMPATIENCE}")
    if is_alone:
        words.append(f"SELECT pg_advisory_xact_lock({WRITERS})")
    _say(connection, words)


def begin_reading(connection: Connection) -> None:
    """Begin a transaction that sees one state of the database, and writes nothing."""
    _say(connection, ["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"])


def stand_in_line_to_migrate(connection: Connection) -> None:
    """Wait, in a transaction, until no other instance migrates or decides; and let each statement take its time."""
    limits = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    _say(connection, [*(f"SET LOCAL {limit} = 0" for limit in limits),
                      f"SELECT pg_advisory_xact_lock({MIGRATIONS})",
                      f"SELECT pg_advisory_xact_lock({WRITERS})"])  # fmt: skip


def give_way_to_others(connection: Connection) -> None:
    """Wait from now on, in this transaction, for a table for TABLE_WAIT only: who wants to read it waits behind us."""
    _say(connection, [f"SET LOCAL lock_timeout = {TABLE_WAIT}"])


def is_in_the_way(error: BaseException | None) -> bool:
    """Whether a fault is that others hold what was to be locked."""
    return getattr(error, "sqlstate", None) in _IN_THE_WAY


def users_of_tables(connection: Connection) -> tuple[str, ...]:
    """Name the sessions that use our tables in a transaction, the longest first, and not what they ask or read."""
    return tuple(
        f"{row.program} of {row.role} (pid {row.pid}{'' if row.since is None else f', for {row.since}'})"
        for row in connection.exec_driver_sql(_USERS)
    )


def unfit(connection: Connection) -> str | None:
    """Say why a database cannot keep what we would give it, and how to mend that; None: it can."""
    encoding, schema, path = connection.exec_driver_sql(
        "SELECT current_setting('server_encoding'), current_schema(), current_setting('search_path')"
    ).one()
    return wrong_encoding(encoding) or (None if schema else no_schema(path))


def wrong_encoding(encoding: str) -> str | None:
    """Say so where a server's encoding does not take every letter."""
    return None if encoding == "UTF8" else f"its encoding is {encoding}: create it with ENCODING 'UTF8'"


def no_schema(path: str) -> str:
    """Say that there is no place for our tables."""
    return (
        f"its search_path ({path}) names no schema that is there: "
        "ALTER ROLE or ALTER DATABASE … SET search_path, or CREATE SCHEMA … AUTHORIZATION …"
    )


def only_reads(connection: Connection) -> str | None:
    """Say why nothing can be written; None: it can. The transaction may be one that reads."""
    is_standby, is_set_to = connection.exec_driver_sql(
        "SELECT pg_is_in_recovery(), current_setting('default_transaction_read_only')"
    ).one()
    if is_standby:
        return STANDBY
    return READS_BY_DEFAULT if is_set_to == "on" else None


def is_refusal(error: BaseException | None) -> bool:
    """Whether a fault is the database's, though its class blames the statement."""
    code = getattr(error, "sqlstate", None) or ""
    return code in _PASSES or code.startswith(_OF_THE_SERVER)


def _say(connection: Connection, words: Sequence[str]) -> None:
    # together they are one way to the server and back
    tell(connection, "; ".join(words))
