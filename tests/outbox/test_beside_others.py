"""What another instance does between two statements of ours changes nothing of who hears what."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Event

import pytest
from sqlalchemy import text

from service.actions.fan_out import queue_next_chunk
from service.actions.house import House
from service.outbox.outcomes import LEASE
from service.store import deliveries, narrative, progress
from service.store.database import Store, open_store
from tests.outbox.relays import deliveries_to, subscribe
from tests.rooms import Clock
from tests.store.databases import needs_postgresql
from tests.web.outages import Outages

WAITS = (
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
)


def queue_all(house: House, clock: Clock) -> None:
    while queue_next_chunk(house, clock()):
        pass


def somebody_waits(store: Store) -> None:
    """Look, as often as it takes, until somebody waits for what another one has written."""
    while True:
        with store.reading() as connection:
            if connection.execute(text(WAITS)).scalar_one():
                return


@needs_postgresql  # SQLite has one writer
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_mail_that_another_claims_while_it_is_to_be_cancelled_is_sent_and_its_reader_hears_the_end(
    house: House, clock: Clock
) -> None:
    subscribe(house, clock, "ana")
    outages = Outages(house, clock)
    incident = outages.published()
    queue_all(house, clock)
    outages.close(incident)
    claimed, may_commit = Event(), Event()

    def claim(other: Store) -> None:
        with other.transaction(alone=False) as connection:
            found = deliveries.claim_due(
                connection, clock(), urgent=False, lease=LEASE, limit=9, claimed_by=2
            )
            assert len(found) == 1
            claimed.set()
            assert may_commit.wait(60)

    address = house.store.engine.url.render_as_string(hide_password=False)
    with closing(open_store(address)) as other, ThreadPoolExecutor(2) as threads:
        claiming = threads.submit(claim, other)
        assert claimed.wait(60)
        cancelling = threads.submit(queue_next_chunk, house, clock())
        somebody_waits(house.store)
        may_commit.set()
        claiming.result(60)
        cancelling.result(60)
    queue_all(house, clock)
    opened, ended = deliveries_to(house, "ana")
    assert opened.attempts == 1
    assert opened.due_at is not None
    assert ended.due_at is not None


def test_where_another_ends_an_update_meanwhile_the_next_is_counted_by_itself(
    house: House, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscribe(house, clock, *"abcde")
    outages = Outages(house, clock)
    outages.tell(outages.published(), "We found it.")
    queue_next_chunk(house, clock(), chunk=3)
    read = narrative.next_fan_out
    monkeypatch.setattr(narrative, "next_fan_out", meanwhile(house, clock, read, monkeypatch))
    queue_all(house, clock)
    with house.store.reading() as connection:
        both = [progress.of_update(connection, number) for number in (1, 2)]
    assert [(one.recipients, one.queued) for one in both if one] == [(5, 5)] * 2


def meanwhile(
    house: House, clock: Clock, read: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., object]:
    """Give what reads the next update; as soon as it has, another instance ends that one."""

    def read_and_be_late(*given: object) -> object:
        found = read(*given)
        monkeypatch.setattr(narrative, "next_fan_out", read)
        queue_next_chunk(house, clock())
        return found

    return read_and_be_late
