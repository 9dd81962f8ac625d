"""Stores posts that came together, also where another instance stores the same one at this moment."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy.exc import DBAPIError

from service.errors import StoreUnavailable
from service.store import inbox_rows
from service.store.database import Store
from service.store.inbox_rows import Arrival

_RACED: Final = frozenset({"23505", "40P01"})
"""Somebody else stored a post of the same key first, or each of two waited for the other (PostgreSQL, Appendix A)."""


def add_posts(store: Store, arrivals: Sequence[Arrival]) -> list[int]:
    """Store posts in the order given, in one transaction beside others, and give their ids in that order.

    Where another instance stores one of the same content key meanwhile, they are stored once more, and that one is
    known as a repetition then. Raises StoreUnavailable.
    """
    # each time one of them at least is known
    races = len({arrival.content_key for arrival in arrivals if arrival.content_key})
    while True:
        try:
            with store.transaction(alone=False) as connection:
                return inbox_rows.add_many(connection, arrivals)
        except (DBAPIError, StoreUnavailable) as fault:
            if not races or not _was_raced(fault):
                raise
            races -= 1


def _was_raced(fault: Exception) -> bool:
    told = fault if isinstance(fault, DBAPIError) else fault.__cause__
    return getattr(getattr(told, "orig", None), "sqlstate", None) in _RACED
