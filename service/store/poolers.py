"""Finds a pooler that lends its connections to PostgreSQL for one transaction: then no session there is ours.

It changes nothing in the database.
"""

from contextlib import closing
from typing import TYPE_CHECKING, Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from service.errors import StoreUnavailable
from service.store.database import DatabaseUnfit, Store
from service.store.patience import waiting_at_most

if TYPE_CHECKING:
    from sqlalchemy import PoolProxiedConnection

SHARES: Final = (
    "a pooler in transaction mode stands between, so that no lock and no setting of ours lasts: "
    "give it session mode (PgBouncer: `pool_mode = session`), or connect without it"
)


def demand_sessions(store: Store) -> None:
    """Raise DatabaseUnfit where another one may get what we lock, and StoreUnavailable; on SQLite none does."""
    if store.engine.dialect.name != "postgresql":
        return
    try:
        is_shared = shares_sessions(store.engine)
    except (SQLAlchemyError, store.engine.dialect.loaded_dbapi.Error) as fault:
        raise StoreUnavailable(f"the database cannot be used just now: {fault}") from fault
    if is_shared:
        raise DatabaseUnfit(f"the database cannot be used: {SHARES}")


def shares_sessions(engine: Engine) -> bool:
    """Tell whether two connections may have one session of the server. Raises what SQLAlchemy and the driver do.

    While the second one is in a transaction it keeps whatever session it got: the first one's, which lay idle and was
    used last, or the first one's next time is another.
    """
    with (
        waiting_at_most(),
        closing(engine.raw_connection()) as first,
        closing(engine.raw_connection()) as second,
    ):
        before = _session_of(first)
        cursor = second.cursor()
        cursor.execute("BEGIN")
        is_shared = _session_of(second) == before or _session_of(first) != before
        cursor.execute("COMMIT")
    return is_shared


def _session_of(connection: "PoolProxiedConnection") -> int:
    cursor = connection.cursor()
    cursor.execute("SELECT pg_backend_pid()")
    (process,) = cursor.fetchone() or (0,)
    return int(process)
