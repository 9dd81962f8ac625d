"""What is said of one thing is heard in its order, and what follows an end cuts nothing off."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from service.actions import maintaining
from service.actions.fan_out import queue_next_chunk
from service.actions.house import House
from service.errors import RecipientRefusedForNow
from service.model import Delivery, UpdateStatus
from service.outbox.outcomes import LEASE, record
from service.store import deliveries
from service.workflow.maintenance import Plan
from tests.outbox.relays import deliveries_to, subscribe
from tests.rooms import CONFIG, Clock, make_house
from tests.web.outages import Outages

HOUR = timedelta(hours=1)


def plan(house: House, clock: Clock, subject: str = "New disks") -> int:
    """Announce a maintenance."""
    starts_at = clock() + HOUR
    wanted = Plan(subject, "We change disks.", ("Email",), starts_at, starts_at + HOUR)
    return maintaining.plan(house, wanted, house.config.employees["jordan"], clock()).maintenance.id


def queue_all(house: House, clock: Clock, *, lease: timedelta | None = None) -> list[Delivery]:
    """Queue for everybody; gives what was claimed with it."""
    claimed: list[Delivery] = []
    while chunk := queue_next_chunk(house, clock(), lease=lease):
        claimed += chunk.claimed
    return claimed


def claim(house: House, clock: Clock) -> Sequence[Delivery]:
    with house.store.transaction() as connection:
        return deliveries.claim_due(connection, clock(), urgent=False, lease=LEASE, limit=9)


def settle(house: House, clock: Clock, mail: Delivery, error: RecipientRefusedForNow | None = None) -> None:
    with house.store.transaction() as connection:
        record(connection, mail, error, clock())


def test_of_one_maintenance_a_later_mail_waits_for_the_earlier(house: House, clock: Clock) -> None:
    subscribe(house, clock, "ana", "ben")
    number = plan(house, clock)
    ana, ben = queue_all(house, clock, lease=LEASE)
    settle(house, clock, ana, RecipientRefusedForNow("451 try again later"))
    settle(house, clock, ben)
    jordan = house.config.employees["jordan"]
    maintaining.post_update(house, number, jordan, "It takes an hour longer.", clock())
    assert [mail.recipient for mail in queue_all(house, clock, lease=LEASE)] == [ben.recipient]
    assert claim(house, clock) == ()
    clock.move(HOUR)
    [first] = [mail for mail in claim(house, clock) if mail.recipient == ana.recipient]
    assert first.public_id == ana.public_id
    settle(house, clock, first)
    [second] = claim(house, clock)
    assert (second.recipient, second.update_id) == (ana.recipient, (ana.update_id or 0) + 1)


def test_two_maintenances_do_not_wait_for_each_other(house: House, clock: Clock) -> None:
    subscribe(house, clock, "ana")
    plan(house, clock)
    [first] = queue_all(house, clock, lease=LEASE)
    settle(house, clock, first, RecipientRefusedForNow("451 try again later"))
    plan(house, clock, "New cables")
    assert len(queue_all(house, clock, lease=LEASE)) == 1


def test_a_word_after_the_end_does_not_keep_the_end_from_anybody(house: House, clock: Clock) -> None:
    subscribe(house, clock, "ana", "ben")
    outages = Outages(house, clock)
    incident = outages.published()
    for mail in queue_all(house, clock, lease=LEASE):
        settle(house, clock, mail)
    outages.close(incident, "It is over.")
    queue_next_chunk(house, clock(), chunk=1)
    outages.tell(incident, "It was the disk.", UpdateStatus.RESOLVED)
    queue_all(house, clock)
    for name in ("ana", "ben"):
        _, end, word = deliveries_to(house, name)
        assert None not in {end.due_at, word.due_at}, "neither is called off"


def test_a_word_after_a_publication_as_resolved_keeps_it_from_nobody(tmp_path: Path, clock: Clock) -> None:
    house = make_house(tmp_path, f"{CONFIG}    if_recovered_unpublished: publish_resolved\n")
    subscribe(house, clock, "ana", "ben")
    outages = Outages(house, clock)
    incident = outages.fire()
    outages.wait(incident)
    outages.recover()
    queue_next_chunk(house, clock(), chunk=1)
    outages.tell(incident, "It was the disk.", UpdateStatus.RESOLVED)
    queue_all(house, clock)
    assert [len(deliveries_to(house, name)) for name in ("ana", "ben")] == [2, 2]
    house.store.close()
