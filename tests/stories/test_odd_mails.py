"""Mails of employees that cannot be obeyed as they are: who is told why, and where."""

from email.utils import parseaddr

import pytest

from service.model import Phase
from tests.stories.world import JORDAN, Received, World

pytestmark = pytest.mark.anyio


async def asked(world: World) -> Received:
    await world.fire()
    await world.after(minutes=5)
    return world.mails(JORDAN)[-1]


async def send(world: World, mail: Received, sender: str, kind: str, body: str) -> None:
    to = parseaddr(mail.header("Reply-To"))[1]
    raw = f"From: {sender}\r\nTo: {to}\r\nSubject: Re: x\r\nContent-Type: {kind}\r\n\r\n{body}\r\n"
    await world.send_mail(raw.encode(), sender=JORDAN, to=to)


async def test_a_name_that_is_oddly_written_publishes(world: World) -> None:
    await send(world, await asked(world), f"Jordan Ray, Ph.D. <{JORDAN}>", "text/plain", "publish")
    assert world.phases() == [Phase.PUBLISHED]


async def test_a_sender_that_is_unclear_hears_nothing_and_the_inbox_says_why(world: World) -> None:
    mail = await asked(world)
    await send(world, mail, f"sam@acme.example <{JORDAN}>", "text/plain", "publish")
    assert world.phases() == [Phase.UNPUBLISHED]
    assert world.mails(JORDAN)[-1].subject == mail.subject, "who wrote it may be anybody"
    row = world.inbox()[-1]
    assert row.reason == "sender_unclear"
    assert row.explanation.startswith("It answers a notification to Jordan Ray, but From is malformed: ")
    assert row.explanation.endswith("nobody was answered: it cannot be told who wrote it.")


async def test_a_sender_that_is_unclear_and_knows_no_token_is_not_said_to_answer(world: World) -> None:
    await world.send_mail(
        b"From: a@b.example, c@d.example\r\nTo: status@acme.example\r\n\r\nx\r\n", sender="a@b.c"
    )
    assert world.inbox()[-1].explanation.startswith("From names 2 addresses or a group")


async def test_who_sends_winmail_dat_is_told_to_send_text(world: World) -> None:
    await send(world, await asked(world), JORDAN, "application/ms-tnef; name=winmail.dat", "AAAA")
    assert world.phases() == [Phase.UNPUBLISHED]
    told = " ".join(world.mails(JORDAN)[-1].text.split())
    assert "Your mail program sent its text as winmail.dat" in told
    assert "send it as plain text or HTML" in told
