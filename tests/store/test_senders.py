"""Those who send side by side: each has a number, and what one claimed falls due once it is gone, and not before."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import cast

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from service.errors import StoreUnavailable
from service.model import Delivery
from service.store import deliveries, senders
from service.store.database import Store, open_store
from service.store.deliveries import ALONE
from service.store.schema import instance
from service.store.senders import Sender, looking
from tests.store.databases import fresh_database, needs_postgresql
from tests.store.postgres import server
from tests.store.rows import MINUTE, NOW, a_mail, claim, delivery_again, queued

PATIENT = 3600.0
CLAIMS = """
import sys
from datetime import datetime, timedelta
from service.store import deliveries
from service.store.database import open_store
from service.store.senders import Sender
store, now = open_store(sys.argv[1]), datetime.fromisoformat(sys.argv[2])
sender = Sender(store)
sender.look(now)
with store.transaction(alone=False) as connection:
    lease = timedelta(minutes=10)
    claimed = deliveries.claim_due(connection, now, urgent=True, lease=lease, limit=2, claimed_by=sender.number)
print(len(claimed), flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody lose sight of itself on a busy machine."""
    monkeypatch.setattr(senders, "SURE_FOR", PATIENT)


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    with fresh_database("postgresql", tmp_path) as url:
        yield url


@pytest.fixture
def pair(address: str) -> Iterator[tuple[Store, Store]]:
    with closing(open_store(address)) as one, closing(open_store(address)) as other:
        yield one, other


def test_a_look_that_fails_as_nobody_foresaw_is_logged_and_the_next_one_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    again = Event()

    class Failing:
        is_alone, looks = False, 0

        def look(self, now: datetime) -> None:
            self.looks += 1
            if self.looks == 1:
                raise RuntimeError(f"nobody foresaw it at {now}")
            again.set()

    monkeypatch.setattr(senders, "EACH", 0.0)
    with capture_logs() as said, looking(cast("Sender", Failing()), lambda: NOW):
        assert again.wait(60)
    assert [one["event"] for one in said] == ["background: it failed"]


@pytest.fixture
def both(pair: tuple[Store, Store]) -> Iterator[tuple[Sender, Sender]]:
    """Give two who send."""
    first, second = Sender(pair[0]), Sender(pair[1])
    first.look(NOW)
    second.look(NOW)
    yield first, second
    first.close()
    second.close()


def mails(store: Store, *names: str) -> list[Delivery]:
    with store.transaction() as connection:
        return queued(connection, *map(a_mail, names))


def number_of(sender: Sender) -> int | None:
    return sender.number


def claim_as(store: Store, sender: Sender, limit: int) -> list[int]:
    number = sender.number
    assert number is not None
    with store.transaction(alone=False) as connection:
        found = deliveries.claim_due(
            connection, NOW, urgent=True, lease=10 * MINUTE, limit=limit, claimed_by=number
        )
    return [one.id for one in found]


def end_connections(address: str) -> None:
    server().end_connections(address.partition("?")[0].rpartition("/")[2])


def look_until(sender: Sender, is_so: Callable[[], bool]) -> None:
    """Let a sender look until something is so that another process brings about."""
    for _ in range(10_000):
        sender.look(NOW)
        if is_so():
            return
    pytest.fail("it never came about")


def test_on_sqlite_there_is_one_and_what_was_left_falls_due_once(sqlite: Store) -> None:
    left, ours = mails(sqlite, "left", "ours")
    with sqlite.transaction() as connection:
        assert claim(connection, limit=1) == [left.id]
    sender = Sender(sqlite)
    assert number_of(sender) is None, "nothing is claimed before that"
    sender.look(NOW)
    assert (number_of(sender), sender.among) == (ALONE, 1)
    assert claim_as(sqlite, sender, 9) == [left.id, ours.id]
    sender.look(NOW)
    assert claim_as(sqlite, sender, 9) == []


@needs_postgresql
def test_each_has_a_number_of_its_own_and_knows_how_many_they_are(both: tuple[Sender, Sender]) -> None:
    first, second = both
    assert None not in {first.number, second.number}
    assert first.number != second.number
    first.look(NOW)
    assert (first.among, second.among) == (2, 2)
    second.close()
    first.look(NOW)
    assert (first.among, second.number) == (1, None)


@needs_postgresql
def test_who_comes_first_takes_up_all_that_waits_and_who_comes_later_nothing(
    pair: tuple[Store, Store],
) -> None:
    left, later = mails(pair[0], "left", "later")
    with pair[0].transaction() as connection:
        claim(connection, limit=1)
        deliveries.postpone(connection, later.id, NOW + MINUTE, "451 later")
    with closing(Sender(pair[0])) as first, closing(Sender(pair[1])) as second:
        first.look(NOW)
        assert claim_as(pair[0], first, 9) == [left.id, later.id]
        second.look(NOW)
        assert claim_as(pair[1], second, 9) == []


@needs_postgresql
def test_what_a_killed_one_had_claimed_falls_due_and_nothing_else(
    pair: tuple[Store, Store], address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(senders, "GONE_AFTER", PATIENT)
    theirs, theirs_too, ours, later = mails(pair[0], "theirs", "theirs too", "ours", "later")
    with closing(Sender(pair[0])) as survivor:
        survivor.look(NOW)
        with subprocess.Popen(
            [sys.executable, "-c", CLAIMS, address, NOW.isoformat()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as other:
            assert other.stdout is not None
            assert other.stdout.readline() == b"2\n"
            assert claim_as(pair[0], survivor, 1) == [ours.id]
            with pair[0].transaction() as connection:
                deliveries.postpone(connection, later.id, NOW + MINUTE, "451 later")
            survivor.look(NOW)
            assert survivor.among == 2
            other.kill()
        look_until(survivor, lambda: survivor.among == 1)
        assert claim_as(pair[0], survivor, 9) == [], "it may come back"
        monkeypatch.setattr(senders, "GONE_AFTER", 0.0)
        survivor.look(NOW)
        assert claim_as(pair[0], survivor, 9) == [theirs.id, theirs_too.id]
        with pair[0].reading() as connection:
            names = connection.execute(select(instance.c.name)).scalars().all()
            found = [delivery_again(connection, one) for one in (theirs, theirs_too, ours, later)]
        assert [one for one in names if one.startswith("sender:")] == [f"sender:{survivor.number}"]
        assert [one.may_have_arrived_at for one in found] == [NOW, NOW, None, None]


@needs_postgresql
def test_who_lost_its_connection_comes_back_as_somebody_else_and_its_claims_end_in_a_while(
    pair: tuple[Store, Store],
    both: tuple[Sender, Sender],
    address: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = both
    before = first.number
    [mail] = mails(pair[0], "ours")
    assert claim_as(pair[0], first, 9) == [mail.id]
    end_connections(address)
    second.look(NOW)
    first.look(NOW)
    assert first.number not in {None, before}
    assert claim_as(pair[0], first, 9) == [], "it may still be on its way"
    monkeypatch.setattr(senders, "GONE_AFTER", 0.0)
    first.look(NOW)
    assert claim_as(pair[0], first, 9) == [mail.id]
    assert first.among == 2


@needs_postgresql
def test_who_was_taken_for_dead_is_somebody_else_from_then_on(
    pair: tuple[Store, Store],
    both: tuple[Sender, Sender],
    address: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(senders, "GONE_AFTER", 0.0)
    first, second = both
    before = first.number
    [mail] = mails(pair[0], "ours")
    assert claim_as(pair[0], first, 9) == [mail.id]
    end_connections(address)
    second.look(NOW)
    assert claim_as(pair[1], second, 9) == [mail.id]
    # it finds its number gone, and then takes another
    first.look(NOW)
    first.look(NOW)
    assert first.number not in {None, before}
    with pair[0].reading() as connection:
        now_claimed = delivery_again(connection, mail)
    assert now_claimed.due_at == NOW + 10 * MINUTE, "the claim of the other stands"


@needs_postgresql
def test_who_could_not_make_sure_that_it_is_seen_must_not_send(
    pair: tuple[Store, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(senders, "SURE_FOR", 0.0)
    with closing(Sender(pair[0])) as sender:
        sender.look(NOW)
        assert number_of(sender) is None
        monkeypatch.setattr(senders, "SURE_FOR", PATIENT)
        sender.look(NOW)
        assert number_of(sender) is not None


@needs_postgresql
def test_while_the_database_is_away_nothing_fails_and_nothing_is_sent(
    pair: tuple[Store, Store], monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    with closing(Sender(pair[0])) as sender:
        sender.look(NOW)
        monkeypatch.setattr(senders, "SURE_FOR", 0.0)
        monkeypatch.setattr(pair[0].engine, "raw_connection", _away)
        end_connections(address)
        sender.look(NOW)
        sender.look(NOW)
        assert not sender._lock.is_held  # noqa: SLF001  what it does then is asked above
        monkeypatch.undo()
        sender.look(NOW)
        assert sender.number is not None


def _away() -> None:
    raise StoreUnavailable("the database cannot be used just now")
