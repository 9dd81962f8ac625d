"""What was judged about a mail when it was decided about stands in its row and on its page, without a replay."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event

from service.config.settings import Authenticity, Policy, Profile
from service.jobs import keep_house
from service.store.inbox_rows import InboxState
from tests.rooms import Clock
from tests.stories.test_belief import FAIL, OURS, PASS, REQUIRE, asked, reply
from tests.stories.test_leaving import address_to_leave, send
from tests.stories.test_mailed_alerts import DOWN, Mailbox
from tests.stories.world import ANA, JORDAN, SAM, World, make_world
from tests.web.employees import employee_at

pytestmark = pytest.mark.anyio

NOBODY_KNOWS = f"no Authentication-Results of {OURS}, and no DKIM signature of acme.example"


async def make_strict(world: World, authenticity: Authenticity = REQUIRE) -> World:
    """Let replies need proof, where nobody can look up a DKIM key."""
    assert world.config.mail is not None
    world.config = replace(world.config, mail=replace(world.config.mail, authenticity=authenticity))
    await world.restart()
    world.service.house = replace(world.service.house, look_up=lambda _: None)
    return world


@pytest.fixture
async def strict(tmp_path: Path, clock: Clock) -> AsyncIterator[World]:
    """Give such a world."""
    async with make_world(tmp_path, clock) as world:
        yield await make_strict(world)


async def shown_to(world: World, employee: str) -> str:
    """Give the page of the last arrival."""
    number = world.inbox()[-1].id
    async with employee_at(world.service.web.state.front, world.clock, employee) as browser:
        return (await browser.get(f"/dashboard/inbox/{number}")).text


@pytest.mark.parametrize(
    ("proof", "verdict", "evidence"),
    [
        (PASS, "yes", f"dmarc=pass by {OURS}; its token was mailed to Jordan Ray with INC-1"),
        (FAIL, "no", f"dmarc=fail by {OURS}"),
        (
            "",
            "unknown",
            f"{NOBODY_KNOWS}; its token was mailed to Jordan Ray with INC-1",
        ),
    ],
)
async def test_each_reply_keeps_its_verdict_and_what_it_rests_on(
    proof: str, verdict: str, evidence: str, strict: World
) -> None:
    await reply(strict, await asked(strict), "publish", proof)
    row = strict.inbox()[-1]
    assert (row.authentic, row.evidence) == (verdict, evidence)
    for whoever in ("jordan", "vera"):
        page = await shown_to(strict, whoever)
        assert f">{verdict}</span> {evidence}</dd>" in page


async def test_under_the_policy_of_tokens_alone_a_token_proves_it_and_nothing_else_does(
    tmp_path: Path, clock: Clock
) -> None:
    async with make_world(tmp_path, clock) as world:
        await make_strict(world, Authenticity(Policy.TOKEN_ONLY, OURS, Profile.GENERIC))
        await world.answer(await asked(world), "publish")
        row, policy = world.inbox()[-1], "the token alone is asked for (policy token_only)"
        assert row.authentic == "yes"
        assert row.evidence == f"{policy}; its token was mailed to Jordan Ray with INC-1"
        await send(world, "publish", sender=JORDAN)
        row = world.inbox()[-1]
        assert (row.authentic, row.evidence) == ("unknown", f"{policy}; it has no token")


async def test_a_confirmation_says_what_it_confirmed(strict: World) -> None:
    await reply(strict, await asked(strict), "publish")
    await reply(strict, strict.mails(JORDAN)[-1], "yes", PASS)
    *_, first, second = strict.inbox()
    assert second.evidence.endswith(f"its token was mailed to Jordan Ray with the question about #{first.id}")


async def test_what_is_wrong_with_a_token_is_said(strict: World) -> None:
    await asked(strict)
    ways = {
        "it has no token": "status@acme.example",
        "no token of it is known": f"status+{'a' * 26}@acme.example",
        "its token was made for somebody else": strict.mails(SAM)[0].header("Reply-To"),
    }
    for said, to in ways.items():
        fields = f"Authentication-Results: {PASS}\r\nFrom: {JORDAN}\r\nTo: {to}\r\nSubject: Re: x"
        await strict.send_mail(f"{fields}\r\n\r\npublish\r\n".encode(), sender=JORDAN)
        assert strict.inbox()[-1].evidence == f"dmarc=pass by {OURS}; {said}"


@pytest.mark.parametrize(
    ("fields", "evidence"),
    [
        ({"sender": "eve@evil.example"}, "not judged: its sender is no employee"),
        ({"sender": JORDAN, "auto_submitted": "auto-replied"}, "not judged: a machine wrote it"),
        ({}, f"no Authentication-Results of {OURS}, and no DKIM signature of reader.example"),
        (
            {"authentication_results": f"{OURS}; dmarc=pass header.from=reader.example"},
            f"dmarc=pass by {OURS}",
        ),
    ],
    ids=["a stranger", "a machine", "a subscriber unproven", "a subscriber"],
)
async def test_what_was_not_judged_says_why_and_who_leaves_is(
    fields: dict[str, str], evidence: str, strict: World
) -> None:
    await strict.subscribe(ANA)
    await send(strict, "unsubscribe", **fields)
    assert strict.inbox()[-1].evidence == evidence


async def test_whoever_left_by_a_token_was_not_judged(strict: World) -> None:
    await reply(strict, await asked(strict), "publish", PASS)
    await send(strict, "x", to=address_to_leave(strict))
    row = strict.inbox()[-1]
    assert (row.reason, row.authentic) == ("unsubscribed", "unknown")
    assert row.evidence == "not judged: whoever has the token of a subscription may end it"


@pytest.mark.parametrize(
    ("subject", "reason"), [(DOWN, "alert"), ("NONSENSE: Email Server is DOWN", "unreadable")]
)
def test_an_alert_by_mail_keeps_its_verdict_too(
    subject: str, reason: str, tmp_path: Path, clock: Clock
) -> None:
    mailbox = Mailbox(tmp_path, clock)
    row = mailbox.receive(subject)
    assert (row.authentic, row.evidence) == ("yes", f"dmarc=pass by {OURS}")
    assert (row.state is InboxState.REFUSED) == (reason == "unreadable")
    mailbox.house.store.close()


async def test_what_a_post_says_is_not_judged(strict: World) -> None:
    await strict.fire()
    row = strict.inbox()[-1]
    assert (row.authentic, row.evidence) == (None, "")
    assert "Authentic" not in await shown_to(strict, "jordan")


async def test_the_verdict_costs_the_reply_no_statement_of_its_own(strict: World) -> None:
    mail = await asked(strict)
    told: list[str] = []
    engine = strict.service.house.store.engine
    event.listen(engine, "before_cursor_execute", lambda *given: told.append(str(given[2])))
    await reply(strict, mail, "publish", PASS)
    finishing = [text for text in told if text.startswith("UPDATE inbox") and "authentic" in text]
    assert len(finishing) == 1
    assert "reason" in finishing[0]


async def test_the_verdict_outlives_the_body(strict: World) -> None:
    await reply(strict, await asked(strict), "publish", PASS)
    strict.clock.move(strict.config.retention.inbox + timedelta(days=1))
    keep_house(strict.service.house, strict.clock())
    row = strict.inbox()[-1]
    assert (row.is_removed, row.authentic) == (True, "yes")
