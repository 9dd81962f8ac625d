"""Which refusals of PostgreSQL are its own fault: what was wanted is tried again, and nothing is given up."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from service.errors import StoreUnavailable
from service.store.database import Store, open_store
from tests.store.databases import fresh_database, needs_postgresql

pytestmark = needs_postgresql


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with fresh_database("postgresql", tmp_path) as url, closing(open_store(url)) as opened:
        yield opened


def refuse(store: Store, code: str) -> None:
    """Let the server refuse something."""
    with store.transaction() as connection:
        connection.execute(text(f"DO $$ BEGIN RAISE EXCEPTION 'it is so' USING ERRCODE = '{code}'; END $$"))


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("25006", id="a standby that only reads"),
        pytest.param("42501", id="rights that are missing"),
        pytest.param("25P03", id="we were silent in a transaction, as where our machine stood still"),
        pytest.param("25P04", id="the transaction took too long"),
        pytest.param("53100", id="a full disk"),
        pytest.param("57P01", id="the server is stopped"),
        pytest.param("XX000", id="a fault of the server's own"),
        pytest.param("XX001", id="a damaged file"),
    ],
)
def test_a_fault_of_the_database_is_no_fault_of_what_was_wanted(store: Store, code: str) -> None:
    with pytest.raises(StoreUnavailable, match="the database cannot be used just now: it is so"):
        refuse(store, code)
    with store.reading() as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1


@pytest.mark.parametrize("code", ["22001", "23505", "42601", "25P02"])
def test_a_fault_of_ours_is_called_one(store: Store, code: str) -> None:
    with pytest.raises(DBAPIError, match="it is so"):
        refuse(store, code)
