"""The watchdog: what keeps the service from its work is on the dashboard, in /readyz and in the admins' mailboxes."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from service.config.settings import Smtp
from service.web.cookies import cookie_name
from service.web.login.letting_in import SESSION_COOKIE
from tests.rooms import CONFIG, Clock
from tests.stories.world import JORDAN, SAM, Received, World, make_world
from tests.web.employees import start_session

pytestmark = pytest.mark.anyio


def alarms(world: World, to: str = JORDAN) -> list[Received]:
    """Give the mails of the watchdog."""
    return [one for one in world.mails(to) if "INC-" not in one.subject]


async def warnings(world: World) -> list[str]:
    """Ask what /readyz warns of."""
    answer = await world.client.get("/readyz")
    assert answer.status_code == 200
    found: list[dict[str, Any]] = answer.json()["warnings"]
    return [one["name"] for one in found]


async def look(world: World, **after: float) -> None:
    """Let time pass in which the service works, and the watchdog look."""
    await world.after(**after)
    world.service.watch()
    await world.service.settle()


async def test_a_week_without_a_webhook_is_told_once_and_so_is_its_end(world: World) -> None:
    await look(world, days=6)
    assert (alarms(world), await warnings(world)) == ([], [])
    for _ in range(4):
        await look(world, days=1)
    assert await warnings(world) == ["no_webhook"]
    (began,) = alarms(world)
    assert began.subject == "Acme Status: No webhook comes in"
    assert "since 24 Nov 2026, 13:00 CET" in began.text
    await world.fire()
    await look(world)
    assert await warnings(world) == []
    assert [one.subject for one in alarms(world)[1:]] == ["Acme Status: Webhooks come in again"]


async def test_only_admins_are_told(world: World) -> None:
    await look(world, days=8)
    assert len(alarms(world)) == 1
    assert alarms(world, SAM) == []


async def test_a_restart_tells_nobody_twice(world: World) -> None:
    await look(world, days=8)
    await world.restart()
    await look(world)
    assert len(alarms(world)) == 1
    assert await warnings(world) == ["no_webhook"]


async def test_an_unread_mailbox_is_told_and_its_end_too(world: World) -> None:
    await look(world)
    world.clock.move(timedelta(minutes=11))
    await world.service.decide_next()
    world.service.watch()
    assert await warnings(world) == ["mailbox_unread"]
    await world.service.settle()
    world.service.watch()
    await world.service.settle()
    assert [one.subject for one in alarms(world)] == [
        "Acme Status: The mailbox of replies is not read",
        "Acme Status: The mailbox of replies is read again",
    ]


async def test_a_restart_is_no_end_of_what_was_not_tried_again(world: World) -> None:
    await look(world)
    world.clock.move(timedelta(minutes=11))
    await world.service.decide_next()
    world.service.watch()
    await world.restart()
    world.service.watch()
    while await world.service.send_next():
        pass
    assert [one.subject for one in alarms(world)] == ["Acme Status: The mailbox of replies is not read"]
    await look(world)
    await look(world)
    assert [one.subject for one in alarms(world)][1:] == ["Acme Status: The mailbox of replies is read again"]


async def test_mails_that_wait_for_the_relay_are_seen_before_any_mail_can_tell(world: World) -> None:
    relay = world.service.relay
    reachable, relay.smtp = relay.smtp, nobody_listens(relay.smtp)
    await world.fire()
    await world.after(minutes=5)
    for _ in range(6):
        await look(world, minutes=1)
    assert await warnings(world) == ["outbox_old"]
    assert world.mails(JORDAN) == []
    relay.smtp = reachable
    await look(world, minutes=2)
    await look(world)
    assert await warnings(world) == []
    assert [one.subject for one in alarms(world)] == [
        "Acme Status: Mails wait in the outbox",
        "Acme Status: Mails leave the outbox again",
    ]


def nobody_listens(smtp: Smtp) -> Smtp:
    """Give a relay that cannot be reached."""
    return replace(smtp, port=1)


async def test_what_is_turned_off_is_not_told(tmp_path: Path, clock: Clock) -> None:
    async with make_world(tmp_path, clock, f"{CONFIG}watchdog: {{no_webhook_for: off}}\n") as world:
        await look(world, days=30)
        assert (alarms(world), await warnings(world)) == ([], [])


async def test_all_employees_see_it_on_each_page_of_the_dashboard(world: World) -> None:
    await look(world, days=8)
    service = world.service
    for employee_id in ("jordan", "vera"):
        key = start_session(service.house, world.clock, employee_id)
        world.client.cookies.set(cookie_name(service.web.state.front, SESSION_COOKIE), key)
        for path in ("/dashboard", "/dashboard/monitors"):
            assert "<strong>No webhook comes in</strong> since" in await world.page(path)
    assert "No webhook comes in" not in await world.page("/")


async def test_a_faulty_config_yaml_is_told_to_the_admins_and_so_is_that_it_is_mended(world: World) -> None:
    reloads = world.service.instruments.reloads
    reloads.failed_at, reloads.why = world.clock(), "config.yaml:20:16: `soon` is not a span of time"
    await look(world, minutes=2)
    assert await warnings(world) == ["config_refused"]
    assert [one.subject for one in alarms(world)] == ["Acme Status: The changed config.yaml is not in force"]
    assert reloads.why in " ".join(alarms(world)[0].text.split())
    reloads.failed_at = None
    await look(world, minutes=1)
    assert await warnings(world) == []
    assert [one.subject for one in alarms(world)][1:] == ["Acme Status: config.yaml is in force again"]
