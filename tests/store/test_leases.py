"""A part that one instance plays: nobody else while it lives, somebody else soon after it died."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from service.store import leases
from service.store.database import Store, open_store
from service.store.leases import Lease
from tests.store.databases import fresh_database, needs_postgresql
from tests.store.postgres import server

BEATING = """
import sys
from service.store import leases
from service.store.database import open_store
from service.store.leases import Lease, beating
leases.BEAT, leases.LOOK_AGAIN = 0.05, 0.0
lease = Lease(open_store(sys.argv[1]), "decide")
with beating(lease):
    print(lease.is_held(), flush=True)
    sys.stdin.readline()
    print(lease.is_held(), flush=True)
"""
SOON = 5.0
HOLDER = """
import sys
from service.store.database import open_store
from service.store.leases import Lease
lease = Lease(open_store(sys.argv[1]), "decide")
print(lease.is_held(), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    with fresh_database("postgresql", tmp_path) as url:
        yield url


@pytest.fixture
def pair(address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Store, Store]]:
    monkeypatch.setattr(leases, "LOOK_AGAIN", 0.0)
    with closing(open_store(address)) as one, closing(open_store(address)) as other:
        yield one, other


def end_connections(address: str) -> None:
    name = address.partition("?")[0].rpartition("/")[2]
    server().end_connections(name)


def becomes_true(look: Callable[[], bool]) -> bool:
    until = time.monotonic() + SOON
    while not (is_so := look()) and time.monotonic() < until:
        time.sleep(0.02)
    return is_so


def test_on_sqlite_whoever_runs_holds_everything(sqlite: Store) -> None:
    assert Lease(sqlite, "decide").is_held()


@needs_postgresql
def test_one_holds_it_and_the_other_takes_it_when_it_is_given_back(pair: tuple[Store, Store]) -> None:
    first, second = (Lease(store, "decide") for store in pair)
    assert (first.is_held(), second.is_held(), first.is_held()) == (True, False, True)
    first.close()
    assert second.is_held()
    assert not first.is_held()
    second.close()


@needs_postgresql
def test_parts_of_other_names_are_others(pair: tuple[Store, Store]) -> None:
    first, second = Lease(pair[0], "decide"), Lease(pair[1], "sweep")
    assert (first.is_held(), second.is_held()) == (True, True)
    first.close()
    second.close()


@needs_postgresql
def test_who_lost_its_connection_notices(pair: tuple[Store, Store], address: str) -> None:
    first, second = (Lease(store, "decide") for store in pair)
    assert first.is_held()
    end_connections(address)
    assert second.is_held()
    assert not first.is_held()
    second.close()


@needs_postgresql
def test_it_falls_to_another_soon_after_its_holder_was_killed(address: str) -> None:
    with closing(open_store(address)) as store:
        lease = Lease(store, "decide")
        with subprocess.Popen(
            [sys.executable, "-c", HOLDER, address], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"True\n"
            assert not lease.is_held()
            holder.kill()
        assert becomes_true(lease.is_held)
        lease.close()


@needs_postgresql
def test_it_falls_to_another_where_its_holder_stands_still_and_not_before(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "LOOK_AGAIN", 0.0)
    monkeypatch.setattr(leases, "SILENT_FOR", 0.5)
    with closing(open_store(address)) as store, closing(Lease(store, "decide")) as lease:
        started = [sys.executable, "-c", BEATING, address]
        with subprocess.Popen(started, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
            assert holder.stdout is not None
            assert holder.stdin is not None
            assert holder.stdout.readline() == b"True\n"
            for _ in range(30):
                assert not lease.is_held(), "its holder lives"
                time.sleep(0.1)  # twice as long as it is silent
            holder.send_signal(signal.SIGSTOP)
            try:
                assert becomes_true(lease.is_held)
            finally:
                holder.send_signal(signal.SIGCONT)
            holder.stdin.write(b"\n")
            holder.stdin.flush()
            assert holder.stdout.readline() == b"False\n", "it notices that it lost it"
