"""/dashboard/events: when a stream says something, how it ends, and who has one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx2
import pytest

from service.actions import logging_in
from service.actions.house import House
from service.actions.logging_in import hash_key
from service.web.application import build
from service.web.cookies import cookie_name
from service.web.dashboard import changes
from service.web.dashboard.changes import OVER, REST, Changes
from service.web.dashboard.pulse import Mark, pulse_of
from service.web.front import Front
from service.web.login.letting_in import SESSION_COOKIE
from tests.rooms import Clock
from tests.web.dashboard.events.hearing import PATIENCE, SILENCE, hear, hear_all, listening, stamp_of
from tests.web.employees import ALL_ROUTES, start_session
from tests.web.outages import Outages
from tests.web.serving import served

pytestmark = pytest.mark.anyio


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
