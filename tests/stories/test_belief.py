"""Whether a reply is believed: forged, unknown, confirmed; and mails that come back."""

from collections.abc import AsyncIterator
from dataclasses import replace
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

import pytest

from service.config.settings import Authenticity, Policy, Profile
from service.mail.words import vocabulary
from service.model import Phase
from tests.rooms import CONFIG, Clock
from tests.stories.world import ANA, JORDAN, SAM, Received, World, make_world

pytestmark = pytest.mark.anyio

OURS = "mx.acme.example"
PASS = f"{OURS}; dmarc=pass header.from=acme.example"
FAIL = f"{OURS}; dmarc=fail header.from=acme.example"
REQUIRE = Authenticity(Policy.REQUIRE, OURS, Profile.GENERIC)


@pytest.fixture
async def strict(tmp_path: Path, clock: Clock) -> AsyncIterator[World]:
    """Give a world whose replies need proof, and in which nobody can look up a DKIM key."""
    async with make_world(tmp_path, clock, CONFIG) as world:
        assert world.config.mail is not None
        world.config = replace(world.config, mail=replace(world.config.mail, authenticity=REQUIRE))
        await world.restart()
        world.service.house = replace(world.service.house, look_up=lambda _: None)
        yield world


def in_german(world: World) -> None:
    """Let German words count as well."""
    world.service.house = replace(world.service.house, vocabulary=vocabulary(("en", "de"), {}))


async def reply(world: World, mail: Received, text: str, proof: str = "") -> None:
    """Let Jordan's answer arrive as our mail server delivers it, with its Authentication-Results."""
    raw = EmailMessage()
    if proof:
        raw["Authentication-Results"] = proof
    raw["From"], raw["To"], raw["Subject"] = JORDAN, mail.header("Reply-To"), "Re: x"
    raw["Date"], raw["Message-ID"] = format_datetime(world.clock()), f"<{len(world.inbox())}@acme.example>"
    raw.set_content(f"{text}\n")
    await world.send_mail(raw.as_bytes(), sender=JORDAN, to=mail.header("Reply-To"))


async def asked(world: World) -> Received:
    """Let employees be asked, and give the mail that asks Jordan."""
    await world.subscribe(ANA)
    await world.fire()
    await world.after(minutes=5)
    return world.mails(JORDAN)[0]


async def test_a_reply_that_our_mail_server_vouches_for_acts(strict: World) -> None:
    await reply(strict, await asked(strict), "publish", PASS)
    assert strict.phases() == [Phase.PUBLISHED]


async def test_a_forged_reply_does_nothing_and_is_not_answered(strict: World) -> None:
    mail = await asked(strict)
    await reply(strict, mail, "publish", FAIL)
    assert strict.phases() == [Phase.UNPUBLISHED]
    assert strict.inbox()[-1].reason == "not_authentic"
    assert len(strict.mails(JORDAN)) == 1


async def test_a_reply_that_nobody_vouches_for_is_asked_about_at_the_registered_address(
    strict: World,
) -> None:
    mail = await asked(strict)
    await reply(strict, mail, "publish")
    assert strict.phases() == [Phase.UNPUBLISHED]
    question = strict.mails(JORDAN)[-1]
    assert "whether that mail really came from you" in question.text
    await reply(strict, question, "yes")
    assert strict.phases() == [Phase.PUBLISHED]
    assert len(strict.mails(ANA)) == 2


async def test_a_confirmation_does_what_was_ordered_and_not_what_yes_means(strict: World) -> None:
    mail = await asked(strict)
    await reply(strict, mail, "discard")
    await reply(strict, strict.mails(JORDAN)[-1], "yes")
    assert strict.phases() == [Phase.DISCARDED]


async def test_no_to_the_question_does_nothing_and_ends_it(strict: World) -> None:
    mail = await asked(strict)
    await reply(strict, mail, "publish")
    question = strict.mails(JORDAN)[-1]
    await reply(strict, question, "no")
    assert strict.phases() == [Phase.UNPUBLISHED]
    assert "tell your administrator" in strict.mails(JORDAN)[-1].text
    await reply(strict, question, "yes")
    assert strict.phases() == [Phase.UNPUBLISHED]


@pytest.mark.parametrize("said", ["no", "No!", "no INC-1", "nein"])
async def test_no_to_the_question_about_a_discard_discards_nothing(strict: World, said: str) -> None:
    in_german(strict)
    mail = await asked(strict)
    await reply(strict, mail, "discard")
    await reply(strict, strict.mails(JORDAN)[-1], said)
    assert strict.phases() == [Phase.UNPUBLISHED]
    assert "tell your administrator" in strict.mails(JORDAN)[-1].text


@pytest.mark.parametrize(
    "said", ["publish", "veröffentlichen", "freigeben", "hold 30m", "close Done.", "That wasn't me"]
)
async def test_nothing_but_yes_confirms(strict: World, said: str) -> None:
    in_german(strict)
    mail = await asked(strict)
    await reply(strict, mail, "discard")
    await reply(strict, strict.mails(JORDAN)[-1], said)
    assert strict.phases() == [Phase.UNPUBLISHED]


@pytest.mark.parametrize("said", ["yes", "Ja.", "ok INC-1", "discard"])
async def test_yes_in_whatever_language_and_the_order_itself_confirm(strict: World, said: str) -> None:
    in_german(strict)
    mail = await asked(strict)
    await reply(strict, mail, "discard")
    await reply(strict, strict.mails(JORDAN)[-1], said)
    assert strict.phases() == [Phase.DISCARDED]


async def test_the_question_offers_no_page_that_has_no_button_for_it(strict: World) -> None:
    mail = await asked(strict)
    await reply(strict, mail, "hold 2h")
    question = strict.mails(JORDAN)[-1]
    assert "on the first line." in " ".join(question.text.split())
    assert "/act/" not in question.text
    await reply(strict, mail, "publish")
    assert "/act/" in strict.mails(JORDAN)[-1].text


async def test_a_notification_that_is_too_old_gets_no_fresh_token_by_asking(strict: World) -> None:
    mail = await asked(strict)
    await strict.after(hours=73)
    await reply(strict, mail, "publish")
    assert strict.inbox()[-1].reason == "token_expired"


async def test_a_question_that_is_not_asked_again_is_said_so(strict: World) -> None:
    mail = await asked(strict)
    for _ in range(4):
        await reply(strict, mail, "publish")
    assert [row.reason for row in strict.inbox()][-2:] == ["confirmation_asked", "not_asked_again"]
    assert "dashboard" in strict.mails(JORDAN)[-1].text


async def test_help_needs_no_proof(strict: World) -> None:
    mail = await asked(strict)
    await reply(strict, mail, "help")
    assert "discard tells nobody" in strict.mails(JORDAN)[-1].text


def bounce(mail: Received, status: str) -> bytes:
    """Return a mail as a mail server does, with its own text in it."""
    verp = mail.kept.sender
    return f"""\
From: MAILER-DAEMON@acme.example
To: {verp}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

I'm sorry.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.acme.example

Final-Recipient: rfc822; {mail.kept.recipient}
Action: failed
Status: {status}
Diagnostic-Code: smtp; 550 {status} no such user

--b
Content-Type: text/plain

publish
--b--
""".replace("\n", "\r\n").encode()


async def test_a_bounced_employee_raises_an_alarm_with_the_admins(world: World) -> None:
    await asked(world)
    sams = world.mails(SAM)[0]
    await world.send_mail(bounce(sams, "5.1.1"), sender="", to=sams.kept.sender)
    assert world.phases() == [Phase.UNPUBLISHED], "what stands in a bounce never acts"
    alarm = world.mails(JORDAN)[-1]
    assert "Sam Lee cannot be reached by mail" in alarm.subject
    assert "INC-1 still waits for a decision" in alarm.text
    await world.send_mail(bounce(sams, "5.1.1") + b"again", sender="", to=sams.kept.sender)
    assert world.mails(JORDAN)[-1].subject == alarm.subject
    assert len(world.mails(JORDAN)) == 2


async def test_an_employee_whose_mails_all_bounce_is_one_alarm_an_hour(world: World) -> None:
    await world.answer(await asked(world), "publish")
    await world.recover()
    sams, before = world.mails(SAM), len(world.mails(JORDAN))
    assert len(sams) == 3, "asked, told that it is published, told that it is closed"
    for mail in sams[:2]:
        await world.send_mail(bounce(mail, "5.1.1"), sender="", to=mail.kept.sender)
    assert [mail.subject for mail in world.mails(JORDAN)[before:]] == [
        "Acme Status: Sam Lee cannot be reached by mail"
    ]
    await world.after(hours=1)
    await world.send_mail(bounce(sams[2], "5.1.1"), sender="", to=sams[2].kept.sender)
    assert len(world.mails(JORDAN)) == before + 2
    assert "3 mails to Sam Lee (sam@acme.example) could not be delivered" in world.mails(JORDAN)[-1].text


async def test_a_subscriber_whose_address_is_gone_gets_nothing_more(world: World) -> None:
    await world.answer(await asked(world), "publish")
    opened = world.mails(ANA)[-1]
    await world.send_mail(bounce(opened, "5.1.1"), sender="", to=opened.kept.sender)
    await world.recover()
    assert world.phases() == [Phase.CLOSED]
    assert world.mails(ANA)[-1].subject == opened.subject
    assert len(world.mails(ANA)) == 2


async def test_a_full_mailbox_is_only_counted(world: World) -> None:
    await world.answer(await asked(world), "publish")
    opened = world.mails(ANA)[-1]
    await world.send_mail(bounce(opened, "4.2.2"), sender="", to=opened.kept.sender)
    await world.recover()
    assert len(world.mails(ANA)) == 3


async def test_a_subscriber_who_was_suppressed_may_come_back(world: World) -> None:
    await world.answer(await asked(world), "publish")
    opened = world.mails(ANA)[-1]
    await world.send_mail(bounce(opened, "5.1.1"), sender="", to=opened.kept.sender)
    await world.after(hours=2)
    await world.subscribe(ANA)
    await world.recover()
    assert "Email works again." in world.mails(ANA)[-1].text
