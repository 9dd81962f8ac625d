"""Alerts that come to nothing, each of which may have been an outage: what became of them, and what to mend."""

import json
from pathlib import Path

import pytest

from service.model import Phase
from tests.rooms import CONFIG, Clock
from tests.stories.world import World, make_world

pytestmark = pytest.mark.anyio

GENERIC = """\
webhooks:
  generic: {secret: s, each: post.checks, monitor_name: name, state: is, acknowledged: [seen]}
"""
CHECKS = """\
  - provider: generic
    alert_name: [Webmail, Calendar]
    authored_by: jordan
    type: performance
    affected_components: []
    subject: "It is slow"
    message: "We are looking into it."
    notify_employees: [jordan]
"""


@pytest.mark.parametrize("state", ["HIGH", "PURPLE", "NOT OK"])
async def test_a_state_that_nobody_knows_is_refused_with_what_to_send_in_its_place(
    world: World, state: str
) -> None:
    await world.fire(state=state)
    assert world.incidents() == ()
    [row] = world.inbox()
    assert (row.state, row.reason) == ("refused", "unknown_state")
    assert f"`{state}` is no state that is known" in row.explanation
    assert "let the webhook send CRITICAL or OK, or add `phase`" in row.explanation


@pytest.mark.parametrize("state", ["FATAL", "SEVERE", "FAILED", "DISASTER", "MAJOR"])
async def test_a_state_that_plainly_means_an_outage_opens_an_incident(world: World, state: str) -> None:
    await world.fire(state=state)
    assert world.phases() == [Phase.WAITING]


async def test_a_warning_that_its_monitor_ignores_is_said_to_be_one(tmp_path: Path, clock: Clock) -> None:
    ignores = CONFIG.replace("    wait_time:", "    warning_fires: false\n    wait_time:", 1)
    async with make_world(tmp_path, clock, ignores) as world:
        await world.fire(state="WARNING")
        [row] = world.inbox()
    assert (row.state, row.reason) == ("done", "state_without_effect")
    said = "the state `WARNING` does not fire for `Email Server` (`warning_fires: false`)"
    assert row.explanation == said


async def test_an_alert_without_a_name_is_refused_and_asks_for_no_monitor_of_that_name(world: World) -> None:
    await world.fire("${{ALERT.monitor_name}}")
    [row] = world.inbox()
    assert (row.state, row.reason) == ("refused", "no_monitor")
    assert row.explanation == (
        "VictorOps had no monitor_name for this alert (it was raised by hand or by mail); "
        "`*` takes such alerts"
    )


async def test_a_name_that_another_providers_monitor_has_is_told_with_the_line_to_write(
    tmp_path: Path, clock: Clock
) -> None:
    async with make_world(tmp_path, clock, CONFIG + GENERIC) as world:
        await world.post('{"checks": [{"name": "Email Server", "is": "down"}]}', "/webhook/generic/s")
        await world.service.settle()
        [row] = world.inbox()
    assert (row.state, row.reason) == ("refused", "no_monitor")
    assert row.explanation == (
        "`Email Server` is a monitor of victorops, and this came from generic: "
        "set `provider: generic` in a monitor of that name"
    )


@pytest.mark.parametrize(
    ("checks", "state", "reason", "told"),
    [
        ([("Webmail", "down"), ("Calendar", "up")], "done", "opened_and_asked", ["INC-1", "`Calendar` was firing"]),
        ([("Toaster", "down"), ("Calendar", "seen")], "refused", "no_monitor", ["`Toaster`", "`seen` opens"]),
        ([("Toaster", "down"), ("Webmail", "down")], "refused", "no_monitor", ["`Toaster`", "INC-1: opened"]),
        ([("Webmail", "down"), ("x", "??")], "refused", "unreadable", ["alert 2 cannot be read", "INC-1: opened"]),
        ([("Toaster", "down"), ("x", "??")], "refused", "no_monitor", ["`Toaster`", "alert 2 cannot be read"]),
        ([("Calendar", "up"), ("Webmail", "seen")], "done", "nothing_open", ["was firing", "`seen` opens"]),
    ],
)  # fmt: skip
async def test_a_post_of_several_alerts_has_the_reason_of_the_worst_and_says_it_first(
    tmp_path: Path,
    clock: Clock,
    checks: list[tuple[str, str]],
    state: str,
    reason: str,
    told: list[str],
) -> None:
    async with make_world(tmp_path, clock, CONFIG + CHECKS + GENERIC) as world:
        body = {"checks": [{"name": name, "is": is_so} for name, is_so in checks]}
        await world.post(json.dumps(body), "/webhook/generic/s")
        await world.service.settle()
        [row] = world.inbox()
    assert (row.state, row.reason) == (state, reason)
    places = [row.explanation.index(part) for part in told]
    assert places == sorted(places)
