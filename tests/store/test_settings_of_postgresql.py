"""What an admin set for a database or a role changes nothing for us, or is refused at the start with how to mend it."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from service.errors import StoreUnavailable
from service.store import inbox_rows
from service.store.database import DatabaseUnfit, demand_writable, open_store
from service.store.inbox_rows import Arrival, Door
from tests.store.databases import needs_postgresql
from tests.store.postgres import server

pytestmark = needs_postgresql

AT = datetime(2026, 11, 30, 13, 14, 15, 161718, UTC)
SAID = "Grüße, приве́т, 😀 \\' and \\\\"


@pytest.fixture
def address() -> Iterator[str]:
    with server().database() as made:
        yield made


def set_for(address: str, name: str, value: str) -> None:
    """Set something for whoever connects to a database from now on."""
    database = address.partition("?")[0].rpartition("/")[2]
    server().run(f"ALTER DATABASE {database} SET {name} = '{value}'")


@contextmanager
def database_like(options: str) -> Iterator[str]:
    """Make an empty database by options of CREATE DATABASE; gives its address."""
    server().run(f"CREATE DATABASE strange TEMPLATE template0 {options}")
    try:
        yield server().url("strange")
    finally:
        server().run("DROP DATABASE strange WITH (FORCE)")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("datestyle", "German, DMY"),
        ("datestyle", "SQL, DMY"),
        ("client_encoding", "LATIN1"),
        ("standard_conforming_strings", "off"),
        ("bytea_output", "escape"),
        ("timezone", "Asia/Kathmandu"),
        ("intervalstyle", "sql_standard"),
        ("default_transaction_isolation", "serializable"),
    ],
)
def test_what_is_kept_comes_back_as_it_was_whatever_is_set(address: str, name: str, value: str) -> None:
    set_for(address, name, value)
    with closing(open_store(address)) as store:
        with store.transaction() as connection:
            arrival = Arrival(Door.WEBHOOK, AT, SAID.encode(), about={"said": SAID}, explanation=SAID)
            [inbox_id] = inbox_rows.add_many(connection, [arrival])
        with store.reading() as connection:
            row = inbox_rows.get(connection, inbox_id)
    assert row is not None
    assert (row.received_at, row.raw, row.about, row.explanation) == (AT, SAID.encode(), {"said": SAID}, SAID)


def test_a_transaction_beside_others_is_never_refused_for_their_sake(address: str) -> None:
    set_for(address, "default_transaction_isolation", "serializable")
    with closing(open_store(address)) as store, closing(store.engine.raw_connection()) as kept:
        cursor = kept.cursor()
        cursor.execute("SHOW default_transaction_isolation")
        assert cursor.fetchone() == ("read committed",)


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_an_encoding_that_lacks_letters_is_refused_at_the_start(encoding: str) -> None:
    with (
        database_like(f"ENCODING '{encoding}' LOCALE 'C' LOCALE_PROVIDER libc") as address,
        pytest.raises(DatabaseUnfit, match=f"its encoding is {encoding}: create it with ENCODING 'UTF8'"),
    ):
        open_store(address)


def test_a_search_path_without_a_schema_is_refused_at_the_start(address: str) -> None:
    set_for(address, "search_path", "nowhere")
    with pytest.raises(DatabaseUnfit, match=r"its search_path \(nowhere\) names no schema that is there"):
        open_store(address)


def test_with_a_server_that_only_reads_there_is_no_connection(address: str) -> None:
    set_for(address, "default_transaction_read_only", "on")
    with pytest.raises(StoreUnavailable, match="session is read-only"):
        open_store(address)


def test_an_address_may_say_that_any_server_will_do(address: str) -> None:
    set_for(address, "default_transaction_read_only", "on")
    with (
        closing(open_store(f"{address}&target_session_attrs=any")) as store,
        store.reading() as connection,
        pytest.raises(
            StoreUnavailable, match="it is set to read alone: `default_transaction_read_only` is on"
        ),
    ):
        demand_writable(connection)


def test_a_connection_that_only_reads_by_now_is_not_lent_again(address: str) -> None:
    with closing(open_store(address)) as store:
        with closing(store.engine.raw_connection()) as lent:
            before: Any = lent.dbapi_connection
            # as if its server were a standby since
            before.execute("SET default_transaction_read_only = on")
        with store.transaction() as connection:
            demand_writable(connection)
            assert connection.execute(text("SELECT 1")).scalar_one() == 1
            assert connection.connection.dbapi_connection is not before
        assert before.closed


def test_a_database_that_is_as_it_should_be_is_writable(address: str) -> None:
    with closing(open_store(address)) as store, store.reading() as connection:
        demand_writable(connection)
