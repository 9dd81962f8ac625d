"""Subscribers of whom there are many."""

import secrets
from datetime import timedelta
from itertools import islice

from sqlalchemy import insert

from service.model import SubscriberState
from service.store.database import Store
from service.store.schema import subscribers
from tests.rooms import Clock

AT_ONCE = 10_000


def subscribe(store: Store, count: int) -> None:
    """Fill a database with confirmed ones."""
    long_ago = Clock().now - timedelta(days=365)
    rows = (
        {
            "public_id": secrets.token_hex(16),
            "address": f"reader{number}@acme.example",
            "address_key": f"reader{number}@acme.example",
            "state": SubscriberState.CONFIRMED,
            "created_at": long_ago,
            "confirmed_at": long_ago,
            "unsubscribe_hash": secrets.token_hex(32),
        }
        for number in range(count)
    )
    with store.transaction() as connection:
        while some := list(islice(rows, AT_ONCE)):
            connection.execute(insert(subscribers), some)
