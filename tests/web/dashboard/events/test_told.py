"""/dashboard/events: whoever is logged in hears of each change that employees see, whoever made it, and of no other."""

from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta

import pytest

from service.actions import maintaining
from service.actions.house import House
from service.actions.watchdog import Seen
from service.store import audit, deliveries, inbox_rows
from service.store.database import open_store
from service.store.employee_stamp import MOST_NAMED, Stamp, incidents_since
from service.store.inbox_rows import Arrival, Door, InboxState
from service.web.dashboard.changes import ALL, Changes, names_of
from service.web.dashboard.pulse import Mark, pulse_of
from service.web.front import Front
from service.workflow.maintenance import Plan
from tests.rooms import CONFIG, Clock
from tests.store.rows import a_mail, queued
from tests.web.dashboard.events.hearing import PATIENCE, SILENCE, hear, hear_all, listening, stamp_of
from tests.web.outages import ECHO, Outages

pytestmark = pytest.mark.anyio


async def test_every_step_of_an_unpublished_incident_is_told(
    watched: Changes, house: House, outages: Outages, session: str
) -> None:
    async with listening(watched, house, session) as stream:
        incident = outages.fire()
        mine = {"incidents", f"incident-{incident.id}"}
        assert await hear_all(stream, *mine, "inbox") == mine | {"inbox"}
        outages.wait(incident)
        assert await hear(stream) == mine | {"deliveries"}
        outages.fire()
        assert await hear_all(stream, *mine, "inbox") == mine | {"inbox"}, "an alert that only joined"
        outages.discard(incident)
        assert await hear(stream) == mine


async def test_an_alert_that_only_repeats_itself_is_told(
    watched: Changes, house: House, outages: Outages, session: str
) -> None:
    incident = outages.fire()
    async with listening(watched, house, session) as stream:
        outages.fire()
        assert "incidents" in await hear_all(stream, f"incident-{incident.id}")


async def test_what_the_public_reads_is_told_too(
    watched: Changes, house: House, outages: Outages, session: str
) -> None:
    incident, other = outages.fire(), outages.fire(ECHO, subject="s", message="m")
    async with listening(watched, house, session) as stream:
        outages.publish(incident)
        told = await hear(stream)
        assert f"incident-{incident.id}" in told
        assert f"incident-{other.id}" not in told
        outages.tell(incident, "News.")
        assert f"incident-{incident.id}" in await hear(stream)


async def test_what_arrives_and_what_becomes_of_it_is_told(
    watched: Changes, house: House, session: str, clock: Clock
) -> None:
    async with listening(watched, house, session) as stream:
        with house.store.transaction() as connection:
            [one] = inbox_rows.add_many(connection, [Arrival(Door.WEBHOOK, clock(), b"{}")])
        assert await hear(stream) == {"inbox"}
        with house.store.transaction() as connection:
            inbox_rows.finish(connection, one, InboxState.REFUSED, reason="unreadable")
        assert await hear(stream) == {"inbox"}


async def test_maintenance_is_told(watched: Changes, house: House, session: str, clock: Clock) -> None:
    soon = clock() + timedelta(hours=1)
    async with listening(watched, house, session) as stream:
        plan = Plan("Disks", "We work.", ("Email",), soon, soon + timedelta(hours=1))
        jordan = house.config.employees["jordan"]
        planned = maintaining.plan(house, plan, jordan, clock()).maintenance
        assert await hear(stream) == {"maintenance"}
        maintaining.start_now(house, planned.id, jordan, clock())
        assert "maintenance" in await hear(stream)


async def test_an_employee_who_could_not_be_reached_is_told(
    watched: Changes, house: House, outages: Outages, session: str, clock: Clock
) -> None:
    incident = outages.fire()
    outages.wait(incident)
    async with listening(watched, house, session) as stream:
        with house.store.transaction() as connection:
            mail = deliveries.of_incident_to_employees(connection, incident.id)[0]
            deliveries.mark_alarmed(connection, mail.id, clock())
        assert await hear(stream) == {"incidents", f"incident-{incident.id}"}


async def test_what_admins_do_is_told(watched: Changes, house: House, session: str, clock: Clock) -> None:
    async with listening(watched, house, session) as stream:
        with house.store.transaction() as connection:
            audit.note(connection, clock(), audit.CONFIG_FILE, "config_changed", note="site.name")
        assert await hear(stream) == {"audit"}


async def test_what_is_queued_for_one_person_and_what_becomes_of_it_is_told(
    watched: Changes, house: House, session: str, clock: Clock
) -> None:
    async with listening(watched, house, session) as stream:
        clock.move(timedelta(seconds=1))
        with house.store.transaction() as connection:
            [mail] = queued(connection, a_mail("sam", employee_id="sam"), at=clock())
        assert await hear(stream) == {"deliveries"}
        with house.store.transaction() as connection:
            deliveries.mark_failed(connection, mail.id, clock(), "550 unknown")
        assert await hear(stream) == {"deliveries"}


async def test_how_the_service_is_is_told_though_no_row_says_so(
    house: House, session: str, clock: Clock
) -> None:
    felt = [7]
    changes = Changes(house.store, clock, lambda: felt[-1])
    async with listening(changes, house, session) as stream:
        felt.append(8)
        assert await hear(stream) == {"service"}


async def test_what_changed_in_the_service_before_the_stream_was_there_is_told(
    house: House, session: str, clock: Clock
) -> None:
    changes = Changes(house.store, clock, lambda: 8)
    rendered = Mark(stamp_of(house.store), pulse=7)
    async with aclosing(changes.watch(session, rendered, heartbeat=SILENCE)) as stream:
        assert await hear(stream) == {"service"}
    async with aclosing(changes.watch(session, rendered._replace(pulse=8), heartbeat=SILENCE)) as stream:
        assert await hear(stream) == set()


def test_the_pulse_tells_of_the_file_and_of_the_parts_and_not_that_all_goes_on(
    front: Front, clock: Clock
) -> None:
    path = front.house.config.path
    path.write_text(CONFIG)
    before = pulse_of(replace(front, seen=lambda: Seen(decided_at=clock())))
    clock.move(timedelta(seconds=1))
    well = replace(front, seen=lambda: Seen(decided_at=clock()))
    assert pulse_of(well) == before
    assert (
        pulse_of(replace(front, seen=lambda: Seen(decided_at=clock(), relay_fails_since=clock()))) != before
    )
    path.write_text(CONFIG + "# changed\n")
    assert pulse_of(well) != before


async def test_what_another_process_does_is_told(
    watched: Changes, house: House, outages: Outages, session: str, clock: Clock
) -> None:
    incident = outages.fire()
    store = open_store(house.store.engine.url.render_as_string(hide_password=False))
    elsewhere = House(**{name: getattr(house, name) for name in House.__slots__} | {"store": store})
    before = house.store.commits
    async with listening(watched, house, session) as stream:
        Outages(elsewhere, clock).publish(incident)
        assert house.store.commits == before
        assert f"incident-{incident.id}" in await hear(stream)
    store.close()


async def test_what_happened_while_a_page_was_on_its_way_is_told_first(
    watched: Changes, house: House, outages: Outages, session: str
) -> None:
    rendered = Mark(stamp_of(house.store))
    incident = outages.fire()
    async with aclosing(watched.watch(session, rendered, heartbeat=PATIENCE)) as stream:
        assert f"incident-{incident.id}" in await hear(stream)


async def test_who_cannot_say_what_he_has_seen_is_told_that_all_may_have_changed(
    watched: Changes, session: str
) -> None:
    async with aclosing(watched.watch(session, None, heartbeat=PATIENCE)) as stream:
        assert await hear(stream) == {ALL}


def test_of_a_storm_it_is_only_said_that_much_changed(house: House, outages: Outages) -> None:
    before = stamp_of(house.store)
    for _ in range(MOST_NAMED + 1):
        outages.fire()
    after = stamp_of(house.store)
    with house.store.reading() as connection:
        found = incidents_since(connection, before, after)
    assert found is None
    assert names_of(before, after, found) == {ALL}


@pytest.mark.parametrize("text", ["", "1", "a-b", "-".join("1" * 12), "-" * 12, "9" * 300, "²-" * 12 + "²"])
def test_what_is_no_stamp_is_none(text: str) -> None:
    assert Stamp.read(text) is None


@pytest.mark.parametrize("pulse", ["", "a", "-1", "1~1", str(2**32), "9" * 11, "²"])
def test_what_is_no_pulse_makes_no_mark(pulse: str) -> None:
    rows = "-".join("1" * len(Stamp._fields))
    assert Mark.read(f"{rows}~1") is not None
    assert Mark.read(f"{rows}~{pulse}") is None


@pytest.mark.parametrize("pulse", [None, 0, 2**32 - 1])
def test_a_mark_is_read_as_it_was_written(house: House, outages: Outages, pulse: int | None) -> None:
    outages.wait(outages.fire())
    mark = Mark(stamp_of(house.store), pulse)
    assert Mark.read(str(mark)) == mark


async def test_a_stamp_from_the_future_brings_everything_anew(
    watched: Changes, house: House, outages: Outages, session: str
) -> None:
    outages.fire()
    made_up = Mark(Stamp(*(10**18 for _ in Stamp._fields)))
    async with aclosing(watched.watch(session, made_up, heartbeat=PATIENCE)) as stream:
        assert await hear(stream) == {ALL}
