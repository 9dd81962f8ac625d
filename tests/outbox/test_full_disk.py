"""While nothing can be written, what was sent and claimed is remembered: no mail comes twice, none late by a lease."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import Connection
from structlog.testing import capture_logs

from service.actions.fan_out import queue_next_chunk
from service.actions.house import House
from service.actions.subscriber_admin import add_webhook
from service.calls.calling import Caller
from service.config.settings import Limits
from service.errors import RecipientRefused, StoreUnavailable
from service.model import Delivery
from service.outbox import Relay, call_due
from service.outbox.attempts import Outcome
from service.outbox.outcomes import LEASE, SUSPICIOUS_AFTER
from service.outbox.recording import Recorder
from service.outbox.relay import FIRST_RETRY
from service.outbox.turns import OF_A_HOST
from service.outbox.unrecorded import NOT_TRIED, Attempt, unrecorded_of
from service.store import deliveries, progress
from service.store.database import Store
from service.store.sent_marks import Marks, SentMarks
from tests.outbox.relays import (
    NOBODY_LISTENS,
    answer_by_recipient,
    deliveries_to,
    fan_out_all,
    look_at,
    office_of,
    queue,
    recipients_heard,
    send_due,
    subscribe,
)
from tests.rooms import Clock
from tests.transport.scripted_relay import CLOSE, PIPELINING, ScriptedRelay, scripted_relay
from tests.web.outages import Outages

pytestmark = pytest.mark.anyio
MANY = tuple(f"r{number:02}" for number in range(60))


class Disk(Store):
    """A store that takes nothing while its disk is full."""

    def __init__(self, store: Store) -> None:
        super().__init__(store.engine)
        self.room: int | None = None
        """So many transactions are still taken; None: there is no end to it."""

    @property
    def is_full(self) -> bool:
        """Whether the next one is refused."""
        return self.room is not None and self.room <= 0

    @contextmanager
    def transaction(
        self, *, durable: bool = True, alone: bool = True, impatient: bool = False
    ) -> Iterator[Connection]:
        """Refuse it, or take it."""
        if self.is_full:
            raise StoreUnavailable("database or disk is full")
        with super().transaction(durable=durable, alone=alone, impatient=impatient) as connection:
            yield connection
        if self.room is not None:
            self.room -= 1


@pytest.fixture
def disk(house: House, monkeypatch: pytest.MonkeyPatch) -> Disk:
    """Give a disk that has room, of which the marks of sent mails take some too."""
    disk, mark = Disk(house.store), SentMarks.mark

    def mark_if_there_is_room(marks: SentMarks, sent: Sequence[Delivery], now: datetime) -> None:
        if disk.is_full:
            raise StoreUnavailable("database or disk is full")
        mark(marks, sent, now)

    monkeypatch.setattr(SentMarks, "mark", mark_if_there_is_room)
    return disk


def fills_at(disk: Disk, name: str, said: str | None = None) -> Callable[[str], str | None]:
    """Let the disk be full once the relay was asked about somebody, of whom it says something."""

    def answer(line: str) -> str | None:
        if f"<{name}@" not in line:
            return None
        disk.room = 0
        return said

    return answer


def mails_heard(relay: ScriptedRelay) -> Counter[str]:
    """Count whose mail's text came to a relay."""
    return Counter(line.split()[-1].strip("<>") for line in relay.heard if line.startswith("To: "))


def once_each(*names: str) -> Counter[str]:
    return Counter(f"{name}@reader.example" for name in names)


async def test_what_was_sent_is_marked_and_what_was_claimed_is_sent_once_there_is_room(
    house: House, clock: Clock, disk: Disk
) -> None:
    mails = queue(house, clock, "ana", "ben", "cem")
    told: list[tuple[str, Outcome]] = []
    async with scripted_relay() as server:
        answer_by_recipient(server, fills_at(disk, "ben"))
        relay = Relay(server.smtp, noted=lambda one, outcome: told.append((one.recipient[:3], outcome)))
        for _ in range(3):
            with pytest.raises(StoreUnavailable):
                await send_due(disk, office_of(house), relay, clock)
        assert recipients_heard(server) == ["ana@reader.example", "ben@reader.example"]
        disk.room = None
        answer_by_recipient(server, lambda _: None)
        assert await send_due(disk, office_of(house), relay, clock) == 1
        assert await send_due(disk, office_of(house), relay, clock) == 0
    assert mails_heard(server) == once_each("ana", "ben", "cem")
    stand = [look_at(house, mail) for mail in mails]
    assert [(one.sent_at, one.due_at, one.attempts, one.last_error) for one in stand] == [
        (clock(), None, 1, "")
    ] * 3
    assert told == [("ana", Outcome.SENT), ("ben", Outcome.SENT), ("cem", Outcome.SENT)]


async def test_a_refusal_that_could_not_be_recorded_is_not_asked_for_again(
    house: House, clock: Clock, disk: Disk
) -> None:
    ana, ben = queue(house, clock, "ana", "ben")
    async with scripted_relay() as server:
        answer_by_recipient(server, fills_at(disk, "ana", "550 5.1.1 no such user"))
        with pytest.raises(StoreUnavailable):
            await send_due(disk, office_of(house), Relay(server.smtp), clock)
        disk.room = None
        assert await send_due(disk, office_of(house), Relay(server.smtp), clock) == 1
        assert recipients_heard(server) == ["ana@reader.example", "ben@reader.example"]
    assert look_at(house, ana).failed_at == clock()
    assert look_at(house, ben).sent_at == clock()


async def test_what_a_relay_that_is_down_left_is_sent_before_its_lease_ends(
    house: House, clock: Clock, disk: Disk
) -> None:
    mails, claimed_at = queue(house, clock, "ana", "ben"), clock()
    relay = Relay(NOBODY_LISTENS)
    disk.room = 1
    with pytest.raises(StoreUnavailable):
        await send_due(disk, office_of(house), relay, clock)
    disk.room = None
    clock.now = relay.paused_until or clock.now
    assert clock() < claimed_at + LEASE
    async with scripted_relay() as server:
        relay.smtp = server.smtp
        assert await send_due(disk, office_of(house), relay, clock) == 2
    assert [look_at(house, mail).attempts for mail in mails] == [1, 1], "what was not sent is no attempt"


async def test_a_mail_that_stepped_back_meanwhile_waits_as_it_would_have(
    house: House, clock: Clock, disk: Disk
) -> None:
    async with scripted_relay({"RCPT": CLOSE}) as server:
        relay = Relay(server.smtp)
        [killer] = queue(house, clock, "killer")
        for _ in range(SUSPICIOUS_AFTER - 1):
            await send_due(disk, office_of(house), relay, clock)
            clock.now = relay.paused_until or clock.now
        disk.room = 1
        with pytest.raises(StoreUnavailable):
            await send_due(disk, office_of(house), relay, clock)
        disk.room = None
        assert await send_due(disk, office_of(house), relay, clock) == 0
    stands = look_at(house, killer)
    assert stands.attempts == SUSPICIOUS_AFTER
    assert stands.due_at is not None
    assert clock() < stands.due_at < clock() + LEASE


async def test_what_another_instance_claimed_meanwhile_stays_its_own(
    house: House, clock: Clock, disk: Disk
) -> None:
    ana, ben = queue(house, clock, "ana", "ben")
    async with scripted_relay() as server:
        answer_by_recipient(server, fills_at(disk, "ana"))
        with pytest.raises(StoreUnavailable):
            await send_due(disk, office_of(house), Relay(server.smtp), clock)
        clock.move(LEASE / 2)
        with house.store.transaction() as connection:
            deliveries.end_leases(connection, clock())
            claimed = deliveries.claim_due(connection, clock(), urgent=True, lease=LEASE, limit=9)
        disk.room = None
        assert await send_due(disk, office_of(house), Relay(server.smtp), clock) == 0
    assert [one.public_id for one in claimed] == [ana, ben]
    assert look_at(house, ana).sent_at == clock() - LEASE / 2, "that it was sent is true all the same"
    assert look_at(house, ben).due_at == clock() + LEASE


async def test_a_refusal_is_remembered_though_the_mark_of_another_session_fails_before_it(
    house: House, clock: Clock, disk: Disk
) -> None:
    ana, ben = queue(house, clock, "ana", "ben")
    with house.store.transaction(alone=False) as connection:
        first, second = deliveries.claim_due(connection, clock(), urgent=True, lease=LEASE, limit=2)
    with closing(SentMarks(disk)) as marks:
        recorder = Recorder(disk, marks, clock)
        recorder.together = 2
        disk.room = 0
        noted = recorder.note(first, None), recorder.note(second, RecipientRefused("550 5.7.1 not from you"))
    with pytest.raises(StoreUnavailable):
        await noted[1]
    disk.room = None
    unrecorded_of(disk).settle(disk, clock())
    assert look_at(house, ana).sent_at == clock()
    assert look_at(house, ben).failed_at == clock()


class Broken(Marks):
    """Notes nothing, for a reason that nobody foresaw."""

    def mark(self, sent: Sequence[Delivery], now: datetime) -> None:
        """Fail."""
        raise RuntimeError(f"nobody foresaw it: {len(sent), now}")


async def test_where_marking_fails_as_nobody_foresaw_who_waits_hears_it_and_it_is_marked_later(
    house: House, clock: Clock
) -> None:
    ana, ben = queue(house, clock, "ana", "ben")
    with house.store.transaction(alone=False) as connection:
        first, second = deliveries.claim_due(connection, clock(), urgent=True, lease=LEASE, limit=2)
    recorder = Recorder(house.store, Broken(), clock)
    recorder.together = 3  # so that the timer commits, in whose callback nobody would hear of it
    noted = recorder.note(first, None), recorder.note(second, RecipientRefused("550 5.7.1 not from you"))
    for one in noted:
        with pytest.raises(RuntimeError, match="nobody foresaw it"):
            await one
    unrecorded_of(house.store).settle(house.store, clock())
    assert look_at(house, ana).sent_at == clock()
    assert look_at(house, ben).failed_at == clock()


@pytest.mark.parametrize("connections", [1, 4])
@pytest.mark.parametrize("said", [None, "550 5.7.1 not from you"])
async def test_an_update_reaches_everybody_once_though_the_disk_was_full_in_the_middle(
    house: House, clock: Clock, disk: Disk, *, connections: int, said: str | None
) -> None:
    subscribe(house, clock, *MANY)
    Outages(house, clock).published()
    on_disk = replace(house, store=disk)
    async with scripted_relay(PIPELINING) as server:
        relay = Relay(replace(server.smtp, limits=Limits(connections=connections)))
        answer_by_recipient(server, fills_at(disk, "r20", said))
        for _ in range(2):
            with pytest.raises(StoreUnavailable):
                await fan_out_all(on_disk, clock, relay)
        heard_while_full = mails_heard(server)
        disk.room = None
        answer_by_recipient(server, lambda line: said if "<r20@" in line else None)
        await fan_out_all(on_disk, clock, relay)
    refused = () if said is None else ("r20",)
    assert heard_while_full
    assert mails_heard(server) == once_each(*MANY) - once_each(*refused)
    stand = {name: deliveries_to(house, name)[0] for name in MANY}
    assert [name for name, one in stand.items() if one.sent_at is None] == [*refused]
    assert {one.attempts for one in stand.values()} == {1}
    with house.store.reading() as connection:
        found = progress.of_update(connection, 1)
    assert found is not None
    assert (found.sent, found.failed, found.waiting) == (60 - len(refused), len(refused), 0)


async def test_a_mail_in_doubt_is_tried_again_after_its_pause_and_not_after_a_lease(
    house: House, clock: Clock, disk: Disk
) -> None:
    subscribe(house, clock, "ana")
    Outages(house, clock).published()
    on_disk = replace(house, store=disk)
    async with scripted_relay({**PIPELINING, ".": CLOSE}) as server:
        relay = Relay(server.smtp)
        answer_by_recipient(server, fills_at(disk, "ana"))
        with pytest.raises(StoreUnavailable):
            await fan_out_all(on_disk, clock, relay)
        disk.room = None
        await fan_out_all(on_disk, clock, relay)
        assert mails_heard(server) == once_each("ana")
        [waits] = deliveries_to(house, "ana")
        assert waits.may_have_arrived_at == clock()
        answer_by_recipient(server, lambda _: None)
        server.answers["."] = "250 queued"
        clock.move(FIRST_RETRY)
        await fan_out_all(on_disk, clock, relay)
    assert [one.sent_at for one in deliveries_to(house, "ana")] == [clock()]


class Filling(Caller):
    """Calls nobody, notes whom it was to call, and fills the disk."""

    def __init__(self, disk: Disk) -> None:
        self.called: Counter[str] = Counter()
        self._disk = disk

    async def call(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Note it."""
        del body, headers
        if not self.called:
            self._disk.room = 0
        self.called[url] += 1


async def test_no_webhook_is_called_twice_and_those_that_waited_are_called_once_there_is_room(
    house: House, clock: Clock, disk: Disk
) -> None:
    urls = [f"https://hook.example/{number}" for number in range(OF_A_HOST + 5)]
    for url in urls:
        add_webhook(house, url, None, clock())
    Outages(house, clock).published()
    while queue_next_chunk(house, clock()):
        pass
    caller = Filling(disk)
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await call_due(disk, house.config.site, house.key, caller, clock)
    assert len(caller.called) == OF_A_HOST, "nobody is called any more whose call cannot be noted"
    disk.room = None
    await call_due(disk, house.config.site, house.key, caller, clock)
    assert caller.called == Counter(urls)
    with house.store.reading() as connection:
        assert deliveries.next_call_due_at(connection) is None


async def test_what_cannot_be_recorded_for_another_reason_is_left_to_its_lease(
    house: House, clock: Clock
) -> None:
    ana, ben = queue(house, clock, "ana", "ben")
    with house.store.transaction() as connection:
        first, second = deliveries.claim_due(connection, clock(), urgent=True, lease=LEASE, limit=2)

    def fail(_: Connection) -> None:
        raise RuntimeError("nobody foresaw it")

    unrecorded = unrecorded_of(house.store)
    unrecorded.keep([Attempt(first, fail)])
    unrecorded.keep_claims([second])
    with capture_logs() as said:
        unrecorded.settle(house.store, clock())
    assert [one["event"] for one in said] == ["outbox: an attempt could not be recorded"]
    assert len(unrecorded) == 0
    assert look_at(house, ana).due_at == clock() + LEASE
    given_back = look_at(house, ben)
    assert (given_back.due_at, given_back.attempts, given_back.last_error) == (clock(), 0, NOT_TRIED)
