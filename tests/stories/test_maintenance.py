"""Planned work from its announcement to its end, and what monitors say meanwhile."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from service.actions import maintaining
from service.config import parse
from service.model import Maintenance, MaintenancePhase, Phase
from service.store import maintenances, subscribers
from service.store.suppression import alerts_since
from service.workflow.maintenance import Plan
from tests.rooms import CONFIG, Clock
from tests.stories.world import ANA, World

pytestmark = pytest.mark.anyio

NOW = Clock().now
BEN = "ben@partner.example"
START, END = NOW + timedelta(hours=24), NOW + timedelta(hours=26)
PLAN = Plan(
    subject="Database upgrade",
    message="We move to **faster disks**.",
    components=("Email", "Calendar"),
    starts_at=START,
    ends_at=END,
    remind_at=START - timedelta(hours=2),
    closing_comment="The databases are upgraded.",
)
WINDOW = """
maintenance:
  - subject: Database upgrade
    message: We move to faster disks.
    components: [Email]
    starts_at: 2026-11-25 13:00
    duration: 2h
"""


async def plan(world: World, wanted: Plan = PLAN) -> int:
    """Let Jordan plan it, and the service settle."""
    house = world.service.house
    decision = maintaining.plan(house, wanted, house.config.employees["jordan"], world.clock())
    await world.service.settle()
    return decision.maintenance.id


def put_into_group(world: World, address: str, group: str) -> None:
    """Let an admin put a subscriber into a group."""
    with world.service.house.store.transaction() as connection:
        subscriber = subscribers.find_by_address(connection, address)
        assert subscriber
        subscribers.choose(connection, subscriber.id, components=None, groups=(group,))


def known(world: World) -> list[Maintenance]:
    with world.service.house.store.reading() as connection:
        return list(maintenances.listed(connection, limit=100))[::-1]


def subjects(world: World, to: str = ANA) -> list[str]:
    """Give the first lines of somebody's mails about maintenance: what happened."""
    mails = [mail for mail in world.mails(to) if "Maintenance" in mail.subject]
    return [mail.text.splitlines()[0].partition(":")[0] for mail in mails]


def reasons(world: World) -> list[str]:
    with world.service.house.store.reading() as connection:
        return [alert.reason for alert in alerts_since(connection, NOW)]


async def test_it_is_announced_reminded_of_begun_and_ended(world: World) -> None:
    await world.subscribe(ANA)
    number = await plan(world)
    assert subjects(world) == ["Scheduled"]
    announced = world.mails(ANA)[-1]
    assert announced.subject == "[Acme Status] Maintenance: Database upgrade"
    assert "We move to **faster disks**." in announced.text
    assert "Planned from: 25 Nov 2026, 13:00 CET" in announced.text
    assert f"http://status.acme.example/maintenance/{number}" in announced.text

    await world.after(hours=22)
    assert subjects(world) == ["Scheduled", "Scheduled"]
    assert "A reminder: this maintenance begins on 25 Nov 2026, 13:00 CET." in world.mails(ANA)[-1].text
    await world.after(hours=2)
    assert subjects(world)[2:] == ["In progress"]
    assert "Under maintenance: Email and Calendar" in await world.page()
    await world.after(hours=2)
    assert subjects(world)[3:] == ["Completed"]
    assert "The databases are upgraded." in world.mails(ANA)[-1].text
    assert "All systems operational" in await world.page()
    threads = {mail.header("In-Reply-To") for mail in world.mails(ANA) if "Maintenance" in mail.subject}
    assert len(threads) == 1


async def test_a_form_that_is_sent_twice_is_told_of_once(world: World) -> None:
    await world.subscribe(ANA)
    numbers = [await plan(world) for _ in range(2)]
    assert (numbers, len(known(world)), subjects(world)) == ([1, 1], 1, ["Scheduled"])
    house = world.service.house
    jordan = house.config.employees["jordan"]
    for text in ("We begin soon.", "We begin soon.", "Nearly.", "We begin soon."):
        maintaining.post_update(house, 1, jordan, text, world.clock())
        await world.service.settle()
    texts = [mail.text for mail in world.mails(ANA)[-3:]]
    assert ["We begin soon." in text for text in texts] == [True, False, True]
    assert len(subjects(world)) == 4


async def test_what_was_called_off_may_be_planned_again(world: World) -> None:
    number, house = await plan(world), world.service.house
    maintaining.cancel(house, number, house.config.employees["jordan"], world.clock())
    assert await plan(world) == number + 1


async def test_whoever_subscribes_after_the_announcement_hears_nothing_of_it(world: World) -> None:
    await plan(world)
    await world.subscribe(ANA)
    await world.after(hours=24)
    await world.after(hours=2)
    assert subjects(world) == []


async def test_an_alert_is_kept_back_and_counts_at_the_end_if_it_still_fires(world: World) -> None:
    number = await plan(world)
    await world.after(hours=24)
    await world.fire()
    assert (world.phases(), reasons(world)) == ([], ["suppressed_by_maintenance"])
    assert "Database upgrade" in world.inbox()[-1].explanation

    house = world.service.house
    jordan = house.config.employees["jordan"]
    world.clock.move(timedelta(minutes=30))
    maintaining.end_now(house, number, jordan, "All went well.", world.clock())
    await world.service.settle()
    (incident,) = world.incidents()
    assert (incident.phase, incident.started_at) == (Phase.WAITING, world.clock())
    assert incident.message == "We are looking into **Email Server**."
    await world.after(minutes=5)
    assert world.phases() == [Phase.UNPUBLISHED]


async def test_an_alert_that_recovered_meanwhile_is_forgotten(world: World) -> None:
    await plan(world)
    await world.after(hours=24)
    await world.fire()
    await world.recover()
    await world.after(hours=2)
    await world.after(hours=1)
    assert world.phases() == []
    assert reasons(world) == ["suppressed_by_maintenance", "nothing_open"]


async def test_each_thing_counts_once_and_only_what_still_fires(world: World) -> None:
    await plan(world)
    await world.after(hours=24)
    for entity in ("mx1", "mx2", "mx1", "mx3"):
        await world.fire(entityId=entity)
    await world.recover(entityId="mx2")
    await world.after(hours=2)
    (incident,) = world.incidents()
    assert [alert.entity_id for alert in incident.alerts] == ["mx1", "mx3"]


async def test_a_recovery_closes_what_was_open_before(world: World) -> None:
    await plan(world)
    await world.after(hours=23, minutes=58)
    await world.fire()
    await world.after(minutes=3)
    await world.fire()
    assert world.phases() == [Phase.WAITING]
    await world.recover()
    assert world.phases() == [Phase.DISCARDED]
    await world.after(hours=2)
    assert world.phases() == [Phase.DISCARDED]


async def test_only_its_components_monitors_are_kept_back(world: World) -> None:
    await plan(world, replace(PLAN, components=("API",)))
    await world.after(hours=24)
    await world.fire()
    assert world.phases() == [Phase.WAITING]


async def test_what_another_maintenance_still_covers_waits_for_its_end(world: World) -> None:
    await plan(world)
    await plan(
        world,
        replace(PLAN, subject="Cables", starts_at=END - timedelta(hours=1), ends_at=END + timedelta(hours=1)),
    )
    await world.after(hours=24)
    await world.fire()
    await world.after(hours=1)
    await world.after(hours=1)
    assert world.phases() == []
    await world.after(hours=1)
    assert world.phases() == [Phase.WAITING]
    await world.after(minutes=1)
    assert len(world.incidents()) == 1


async def test_one_that_is_called_off_is_told_to_those_who_expected_it(world: World) -> None:
    await world.subscribe(ANA)
    number = await plan(world)
    house = world.service.house
    maintaining.cancel(house, number, house.config.employees["jordan"], world.clock())
    await world.service.settle()
    assert subjects(world) == ["Scheduled", "Cancelled"]
    await world.after(hours=24)
    await world.fire()
    assert len(subjects(world)) == 2
    assert world.phases() == [Phase.WAITING]


async def test_one_that_passed_while_the_service_was_down_is_told_of_once(world: World) -> None:
    await world.subscribe(ANA)
    await plan(world)
    await world.stop()
    world.clock.move(timedelta(hours=30))
    await world.start()
    await world.service.settle()
    assert subjects(world) == ["Scheduled", "Completed"]
    assert [one.phase for one in known(world)] == [MaintenancePhase.DONE]


async def test_an_alert_that_waited_while_we_were_down_is_kept_back_too(world: World) -> None:
    await plan(world)
    world.clock.move(timedelta(hours=25))
    await world.fire()
    assert (world.phases(), reasons(world)) == ([], ["suppressed_by_maintenance"])


async def test_only_its_groups_hear_of_it(world: World) -> None:
    await world.subscribe(ANA)
    await world.subscribe(BEN)
    put_into_group(world, BEN, "Partners")
    await plan(world, replace(PLAN, audience=("Partners",)))
    assert (subjects(world), subjects(world, BEN)) == ([], ["Scheduled"])


async def restarted_with(world: World, windows: str) -> None:
    """Restart the service with other windows in its config.yaml."""
    anew = parse(CONFIG + windows, world.folder / "config.yaml", {})
    world.config = replace(world.config, maintenance=anew.maintenance)
    await world.restart()
    await world.service.settle()


async def test_a_window_of_the_file_is_planned_once(world: World) -> None:
    await world.subscribe(ANA)
    await restarted_with(world, WINDOW)
    await restarted_with(world, WINDOW)
    assert subjects(world) == ["Scheduled"]
    (window,) = known(world)
    assert (window.starts_at, window.planned_by) == (datetime(2026, 11, 25, 12, tzinfo=UTC), "automatic")
    await world.after(hours=24)
    assert subjects(world) == ["Scheduled", "In progress"]


@pytest.mark.parametrize(
    ("old", "new"),
    [("13:00", "15:00"), ("2h", "3h"), ("Database upgrade", "An upgrade"), ("[Email]", "[API]")],
)
async def test_one_that_was_changed_in_the_file_stays_the_same_one(world: World, old: str, new: str) -> None:
    await world.subscribe(ANA)
    await restarted_with(world, WINDOW)
    await restarted_with(world, WINDOW.replace(old, new))
    await restarted_with(world, WINDOW.replace(old, new))
    assert subjects(world) == ["Scheduled", "Scheduled"]
    assert len(known(world)) == 1


async def test_a_window_of_the_file_is_not_planned_a_second_time_by_hand(world: World) -> None:
    await world.subscribe(ANA)
    await restarted_with(world, WINDOW)
    assert await plan(world, maintaining.plan_of(known(world)[0])) == known(world)[0].id
    assert (len(known(world)), subjects(world)) == (1, ["Scheduled"])


async def test_one_that_was_taken_out_of_the_file_is_called_off_unless_it_has_begun(world: World) -> None:
    await world.subscribe(ANA)
    await restarted_with(world, WINDOW)
    await restarted_with(world, "")
    assert subjects(world) == ["Scheduled", "Cancelled"]
    await restarted_with(world, WINDOW.replace("13:00", "14:00"))
    await world.after(hours=25)
    await restarted_with(world, "")
    assert [one.phase for one in known(world)] == [MaintenancePhase.CANCELLED, MaintenancePhase.ON]


async def test_one_that_came_back_into_the_file_is_planned_anew(world: World) -> None:
    await world.subscribe(ANA)
    for windows in (WINDOW, "", WINDOW):
        await restarted_with(world, windows)
    assert subjects(world) == ["Scheduled", "Cancelled", "Scheduled"]


async def test_what_an_employee_decided_stays_until_the_file_changes(world: World) -> None:
    await restarted_with(world, WINDOW)
    house = world.service.house
    maintaining.cancel(house, known(world)[0].id, house.config.employees["sam"], world.clock())
    await restarted_with(world, WINDOW)
    assert [one.phase for one in known(world)] == [MaintenancePhase.CANCELLED]


async def test_a_window_of_the_past_is_not_announced(world: World) -> None:
    await world.subscribe(ANA)
    await restarted_with(world, WINDOW.replace("2026-11-25", "2026-11-20"))
    assert (subjects(world), known(world)) == ([], [])


async def test_a_window_that_is_read_in_its_midst_is_on_at_once(world: World) -> None:
    await world.subscribe(ANA)
    await restarted_with(world, WINDOW.replace("2026-11-25 13:00", "2026-11-24 12:30"))
    assert subjects(world) == ["In progress"]
    await world.fire()
    assert world.phases() == []
