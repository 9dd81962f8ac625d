"""Posts that came together are stored together, also where another instance stores one of them at this moment."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Thread

import psycopg
import pytest

from service.store import inbox_rows
from service.store.adding_posts import add_posts
from service.store.database import Store, open_store
from service.store.inbox_rows import REPEATED, Arrival, Door, InboxState
from tests.store.databases import fresh_database, needs_postgresql
from tests.store.rows import NOW

pytestmark = needs_postgresql


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with fresh_database("postgresql", tmp_path) as url, closing(open_store(url)) as opened:
        yield opened


@pytest.fixture
def another(store: Store) -> Iterator[psycopg.Connection]:
    """Give another instance in the middle of a transaction."""
    url = store.engine.url
    place = f"host={url.query['host']} port={url.query['port']} user=postgres"
    with psycopg.connect(place, dbname=url.database) as opened:
        yield opened


def post(raw: str, key: str | None = None) -> Arrival:
    return Arrival(Door.WEBHOOK, NOW, raw.encode(), provider="pagerduty", content_key=key)


def store_there(another: psycopg.Connection, key: str) -> None:
    another.execute(
        "INSERT INTO inbox (door, provider, received_at, raw, about, content_key, state)"
        " VALUES ('webhook', 'pagerduty', now(), 'there', '{}', %s, 'pending')",
        [key],
    )


def until_one_waits(another: psycopg.Connection) -> None:
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    while another.execute(waiting).fetchone() == (0,):
        pass


def states(store: Store, ids: list[int]) -> list[tuple[bytes, InboxState, str]]:
    with store.reading() as connection:
        rows = [inbox_rows.get(connection, one) for one in ids]
    return [(row.raw, row.state, row.reason) for row in rows if row is not None]


def test_a_delivery_that_another_instance_stores_just_now_refuses_nobody(
    store: Store, another: psycopg.Connection
) -> None:
    store_there(another, "one")
    together = [post("hers"), post("repeated", "one"), post("new", "two"), post("his")]
    with ThreadPoolExecutor(1) as pool:
        adding = pool.submit(add_posts, store, together)
        until_one_waits(another)
        another.commit()
        ids = adding.result(timeout=10)
    assert ids == sorted(ids)
    assert states(store, ids) == [
        (b"hers", InboxState.PENDING, ""),
        (b"repeated", InboxState.DONE, REPEATED),
        (b"new", InboxState.PENDING, ""),
        (b"his", InboxState.PENDING, ""),
    ]


def test_two_instances_that_wait_for_each_other_both_store_theirs(
    store: Store, another: psycopg.Connection
) -> None:
    another.execute("SET deadlock_timeout = '60s'")  # so that it is we whom the server refuses
    store_there(another, "two")
    with ThreadPoolExecutor(1) as pool:
        adding = pool.submit(add_posts, store, [post("first", "one"), post("second", "two")])
        until_one_waits(another)
        crossing = Thread(target=store_there, args=(another, "one"))
        crossing.start()
        crossing.join(timeout=10)
        another.commit()
        ids = adding.result(timeout=10)
    assert [state for _, state, _ in states(store, ids)] == [InboxState.DONE, InboxState.DONE]
    with store.reading() as connection:
        assert inbox_rows.count_pending(connection) == 2


def test_what_cannot_be_stored_at_all_is_not_tried_for_ever(store: Store) -> None:
    with pytest.raises(Exception, match="violates"):
        add_posts(store, [post("one", "one")._replace(door=None)])  # type: ignore[arg-type]  # no door: that is the fault
