"""/dashboard/events: whoever is logged in hears of each change that employees see, whoever made it, and of no other."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import httpx2
import pytest

from service.actions import logging_in, maintaining
from service.actions.house import House
from service.actions.logging_in import hash_key
from service.actions.watchdog import Seen
from service.store import audit, deliveries, inbox_rows
from service.store.database import Store, open_store
from service.store.employee_stamp import MOST_NAMED, Stamp, employee_stamp, incidents_since
from service.store.inbox_rows import Arrival, Door, InboxState
from service.web.application import build
from service.web.cookies import cookie_name
from service.web.dashboard import changes
from service.web.dashboard.changes import ALL, OVER, REST, Changes, Told, names_of
from service.web.dashboard.pulse import Mark, pulse_of
from service.web.front import Front
from service.web.login.letting_in import SESSION_COOKIE
from service.workflow.maintenance import Plan
from tests.rooms import CONFIG, Clock
from tests.store.databases import choosing, databases
from tests.store.rows import a_mail, queued
from tests.web.employees import ALL_ROUTES, start_session
from tests.web.outages import ECHO, Outages
from tests.web.serving import served

pytestmark = pytest.mark.anyio

PATIENCE = 10.0
SILENCE = 0.3


@pytest.fixture(params=databases(), autouse=True)
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """Let each test run on each database that the service runs on."""
    with choosing(request.param) as name:
        yield name


@pytest.fixture
def session(house: House, clock: Clock) -> str:
    """Give the hash of Sam's session."""
    return hash_key(start_session(house, clock, "sam"))


@pytest.fixture
def watched(house: House, clock: Clock) -> Changes:
    """Give what notices changes, apart from any application."""
    return Changes(house.store, clock)


def stamp_of(store: Store) -> Stamp:
    with store.reading() as connection:
        return employee_stamp(connection)


async def hear(stream: AsyncGenerator[Told]) -> set[str]:
    """Give the names that are told next; none at a sign of life."""
    told = await asyncio.wait_for(anext(stream), PATIENCE)
    return set(told.names)


async def hear_all(stream: AsyncGenerator[Told], *wanted: str) -> set[str]:
    """Give what is told until all of these names were."""
    names: set[str] = set()
    async with asyncio.timeout(PATIENCE):
        while not names.issuperset(wanted):
            names |= await hear(stream)
    return names


@asynccontextmanager
async def listening(
    watched: Changes, house: House, session: str, *, heartbeat: float = PATIENCE
) -> AsyncIterator[AsyncGenerator[Told]]:
    """Give a stream that has heard all until now."""
    async with aclosing(watched.watch(session, Mark(stamp_of(house.store)), heartbeat=heartbeat)) as stream:
        assert await hear(stream) == set()
        yield stream


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


async def test_silence_is_broken_by_a_sign_of_life(watched: Changes, house: House, session: str) -> None:
    async with listening(watched, house, session, heartbeat=0.01) as stream:
        assert await hear(stream) == set()


async def test_a_stream_ends_with_its_session(
    watched: Changes, house: House, session: str, clock: Clock
) -> None:
    async with listening(watched, house, session) as stream:
        logging_in.log_out(house, "session-of-sam", clock())
        assert await hear(stream) == {OVER}
        with pytest.raises(StopAsyncIteration):
            await hear(stream)
    assert watched.watching == 0


async def test_a_stream_ends_when_its_session_has_expired(
    watched: Changes, house: House, session: str, clock: Clock
) -> None:
    async with listening(watched, house, session) as stream:
        clock.move(logging_in.IDLE_END)
        assert await hear(stream) == {OVER}


async def test_a_stream_does_not_lengthen_its_session(
    watched: Changes, house: House, session: str, clock: Clock
) -> None:
    clock.move(logging_in.IDLE_END - timedelta(seconds=1))
    async with listening(watched, house, session, heartbeat=SILENCE) as stream:
        assert await hear(stream) == set()
        clock.move(timedelta(seconds=1))
        assert await hear_all(stream, OVER) == {OVER}


async def test_of_too_many_streams_of_a_session_the_oldest_rests(
    watched: Changes, house: House, session: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "MOST_OF_A_SESSION", 1)
    jordan = hash_key(start_session(house, clock, "jordan"))
    async with (
        listening(watched, house, jordan, heartbeat=SILENCE) as hers,
        listening(watched, house, session) as first,
        listening(watched, house, session, heartbeat=SILENCE) as second,
    ):
        assert await hear(first) == {REST}
        assert await hear(second) == set()
        assert await hear(hers) == set()


async def test_the_close_ends_all(watched: Changes, house: House, session: str) -> None:
    async with listening(watched, house, session) as stream:
        watched.close()
        assert [told async for told in stream if told.names] == []
    assert watched.watching == 0


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


@asynccontextmanager
async def browsing(front: Front, key: str) -> AsyncIterator[tuple[httpx2.AsyncClient, Changes]]:
    """Serve the dashboard on a real port, since a stream is no single answer."""
    application = build(front, ALL_ROUTES)
    found: Changes = application.state.changes
    with served(application) as port:
        cookies = {cookie_name(front, SESSION_COOKIE): key}
        url = f"http://127.0.0.1:{port}"
        async with httpx2.AsyncClient(base_url=url, timeout=PATIENCE, cookies=cookies) as client:
            yield client, found
        found.close()
        application.state.public_pages.close()


async def test_events_come_as_a_browser_wants_them(front: Front, session: str, outages: Outages) -> None:
    incident = outages.fire()
    since = {"last-event-id": str(stamp_of(front.house.store))}
    async with (
        browsing(front, "session-of-sam") as (client, _),
        client.stream("GET", "/dashboard/events", headers=since) as answer,
    ):
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert answer.headers["cache-control"] == "no-store"
        lines = answer.aiter_lines()
        assert [await anext(lines) for _ in range(4)] == ["retry: 2000", "", ": still here", ""]
        outages.discard(incident)
        mark = Mark(stamp_of(front.house.store), pulse_of(front))
        told = [await anext(lines) for _ in range(4)]
        assert told == [f"event: incident-{incident.id}", f"id: {mark}", "data: 1", ""]


async def test_the_server_stops_while_employees_watch(front: Front, session: str) -> None:
    async with (
        browsing(front, "session-of-sam") as (client, found),
        client.stream("GET", "/dashboard/events") as answer,
    ):
        lines = answer.aiter_lines()
        await anext(lines)
        found.close()
        assert [line async for line in lines][-1] == ""


async def test_only_so_many_may_watch(front: Front, session: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "MOST_STREAMS", 1)
    async with (
        browsing(front, "session-of-sam") as (client, _),
        client.stream("GET", "/dashboard/events") as answer,
    ):
        lines = answer.aiter_lines()
        assert [await anext(lines) for _ in range(3)][-1] == "event: all"
        refused = await client.get("/dashboard/events")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "30")
        assert (await client.get("/dashboard")).status_code == 200


async def test_nobody_who_is_not_logged_in_hears_anything(front: Front) -> None:
    async with browsing(front, "made-up") as (client, found):
        answer = await client.get("/dashboard/events")
        assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/dashboard/events")
        assert found.watching == 0


async def test_a_head_does_not_wait_for_events(front: Front, session: str) -> None:
    async with browsing(front, "session-of-sam") as (client, found):
        assert (await client.head("/dashboard/events")).status_code == 200
        assert found.watching == 0
