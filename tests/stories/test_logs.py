"""What the log says of a whole story: every decision and mail by its number, and nobody's address."""

import json
import logging
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest

from service.model import DeliveryKind
from tests.stories.world import ANA, JORDAN, SAM, World

pytestmark = pytest.mark.anyio


@pytest.fixture
def log(write_log: Callable[[StringIO], None]) -> StringIO:
    """Let the log be written to where a test can read it."""
    out = StringIO()
    write_log(out)
    return out


def lines(log: StringIO, event: str = "") -> list[dict[str, Any]]:
    """Give what the log says, or its lines of one kind."""
    said = [json.loads(line) for line in log.getvalue().splitlines()]
    return [one for one in said if not event or one["event"] == event]


async def test_the_log_tells_a_whole_outage_by_numbers_and_names_no_address(
    log: StringIO, world: World
) -> None:
    await world.subscribe(ANA)
    await world.fire()
    await world.after(minutes=6)
    await world.answer(world.mails(JORDAN)[-1], "publish")
    await world.answer(world.mails(SAM)[-1], "update: we are on it")
    await world.send_mail(
        b"From: x@stranger.example\r\nSubject: hello\r\n\r\nhello\r\n", sender="x@stranger.example"
    )
    await world.recover()
    await world.after(days=8)
    world.service.watch()
    await world.service.settle()
    decided = [(one["incident"], one["reason"]) for one in lines(log, "decided")]
    assert decided[:3] == [("INC-1", "opened"), ("INC-1", "wait_elapsed"), ("INC-1", "published")]
    approvals = [one for one in lines(log, "delivery") if one["kind"] == DeliveryKind.APPROVAL]
    assert [(one["incident"], one["outcome"], len(one["delivery"])) for one in approvals] == [
        ("INC-1", "sent", 32)
    ] * 2
    said = log.getvalue()
    assert [address for address in (JORDAN, SAM, ANA, "x@stranger.example") if address in said] == []
    assert len(lines(log)) > 15


async def test_no_address_is_logged_where_something_fails(
    log: StringIO, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.subscribe(ANA)

    def fail(*_: object) -> None:
        raise ValueError(ANA)

    monkeypatch.setattr("service.jobs.take_alerts", fail)
    for _ in range(3):
        await world.fire()
    logging.getLogger("some.library").error("it failed for %s", JORDAN)
    said = log.getvalue()
    assert "an arrival failed" in said
    assert [address for address in (JORDAN, SAM, ANA) if address in said] == []
