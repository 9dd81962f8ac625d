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
_PASSES: Final = frozenset({"25006", "42501", "25P03", "25P04"})
"""Refusals that an admin mends: a standby that only reads, and rights that are missing; and the end of a transaction in
which we were silent for too long, as where our machine stood still (PostgreSQL, Appendix A)."""
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


def is_refusal(error: BaseException | None) -> bool:
    """Whether a fault is the database's, though its class blames the statement."""
    code = getattr(error, "sqlstate", None) or ""
    return code in _PASSES or code.startswith(_OF_THE_SERVER)


def _say(connection: Connection, words: Sequence[str]) -> None:
    # together they are one way to the server and back
    tell(connection, "; ".join(words))
