"""An old mail of an employee, sent on unchanged by somebody who knows a token, publishes nothing."""

from collections.abc import AsyncIterator
from dataclasses import replace
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from pathlib import Path

import pytest

from service.config.settings import Authenticity, Policy
from service.model import Phase
from tests.mail.authenticity.signing import PRIVATE, RECORD, served, sign
from tests.rooms import Clock
from tests.stories.world import JORDAN, Received, World, make_world

pytestmark = pytest.mark.anyio

SIGNED = b"from:to:subject:date:message-id:in-reply-to:from"
PASS = b"Authentication-Results: mx.acme.example; dmarc=pass header.from=acme.example\r\n"
KEY = served(RECORD, b"s1._domainkey.acme.example.")


@pytest.fixture
async def strict(tmp_path: Path, clock: Clock) -> AsyncIterator[World]:
    """Give a world whose replies need proof; Jordan's company signs its mails."""
    async with make_world(tmp_path, clock) as world:
        assert world.config.mail is not None
        proof = Authenticity(Policy.REQUIRE, "mx.acme.example")
        world.config = replace(world.config, mail=replace(world.config.mail, authenticity=proof))
        await world.restart()
        world.service.house = replace(world.service.house, look_up=KEY)
        await world.fire()
        await world.after(minutes=5)
        yield world


def by_jordan(world: World, to: str, answers: str, text: str = "ok") -> bytes:
    """Write a mail of Jordan's, signed by the company's mail server."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = f"Jordan Ray <{JORDAN}>", to, "Re: lunch at noon"
    mail["Date"], mail["Message-ID"] = format_datetime(world.clock()), "<a1@acme.example>"
    mail["In-Reply-To"] = answers
    mail.set_content(f"{text}\n")
    return sign(mail.as_bytes().replace(b"\n", b"\r\n"), PRIVATE, d=b"acme.example", h=SIGNED)


def address_of(mail: Received) -> str:
    return parseaddr(mail.header("Reply-To"))[1]


async def test_a_signed_answer_to_the_notification_publishes(strict: World) -> None:
    mail = strict.mails(JORDAN)[-1]
    raw = by_jordan(strict, address_of(mail), mail.header("Message-ID"))
    await strict.send_mail(raw, sender=JORDAN, to=address_of(mail))
    assert strict.phases() == [Phase.PUBLISHED]
    assert strict.inbox()[-1].authentic == "yes"


@pytest.mark.parametrize("proof", [b"", PASS], ids=["signed", "vouched for by our server"])
async def test_an_ok_to_somebody_else_is_asked_about_and_publishes_nothing(
    strict: World, proof: bytes
) -> None:
    mail = strict.mails(JORDAN)[-1]
    old = by_jordan(strict, "Mallory <mallory@evil.example>", "<m1@evil.example>")
    await strict.send_mail(proof + old, sender="mallory@evil.example", to=address_of(mail))
    assert strict.phases() == [Phase.UNPUBLISHED]
    row = strict.inbox()[-1]
    assert (row.reason, row.authentic) == ("confirmation_asked", "unknown")
    assert "but it is neither addressed to us nor an answer to the notification" in row.evidence
    asked = " ".join(strict.mails(JORDAN)[-1].text.split())
    assert "but it is neither addressed to us nor an answer to the notification" in asked


@pytest.mark.parametrize("proof", [b"", PASS], ids=["signed", "vouched for by our server"])
async def test_an_ok_to_us_from_long_ago_is_asked_about_too(strict: World, proof: bytes) -> None:
    old = by_jordan(strict, "status@acme.example", "<m1@evil.example>")
    await strict.after(hours=40)
    await strict.recover()
    await strict.fire()
    await strict.after(minutes=5)
    mail = strict.mails(JORDAN)[-1]
    await strict.send_mail(proof + old, sender="mallory@evil.example", to=address_of(mail))
    assert Phase.PUBLISHED not in strict.phases()
    row = strict.inbox()[-1]
    assert (row.reason, row.authentic) == ("confirmation_asked", "unknown")
    assert "but it was written on 2026-11-24, before the notification" in row.evidence


async def test_who_confirms_it_publishes(strict: World) -> None:
    mail = strict.mails(JORDAN)[-1]
    untied = by_jordan(strict, "lee@acme.example", "<m1@acme.example>", "publish")
    await strict.send_mail(untied, sender=JORDAN, to=address_of(mail))
    assert strict.phases() == [Phase.UNPUBLISHED]
    await strict.answer(strict.mails(JORDAN)[-1], "yes")
    assert strict.phases() == [Phase.PUBLISHED]
