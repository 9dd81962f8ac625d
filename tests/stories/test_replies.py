"""What replies do after the fact, twice, by the wrong person, or by a machine."""

from email.message import EmailMessage

import pytest

from service.model import Phase
from tests.stories.world import ANA, JORDAN, SAM, Received, World

pytestmark = pytest.mark.anyio

TYPED = ("discrad", "discardd", "hold on", "bananas", "pubilsh", "publishh")
"""What an employee may type in a hurry."""


async def asked(world: World, to: str = JORDAN) -> Received:
    """Let an incident come so far that employees are asked, and give the mail that asks."""
    await world.subscribe(ANA)
    await world.fire()
    await world.after(minutes=5)
    return world.mails(to)[0]


async def test_twice_the_same_reply_publishes_once(world: World) -> None:
    mail = await asked(world)
    await world.answer(mail, "publish")
    await world.after(minutes=1)
    await world.answer(mail, "publish")
    assert len(world.mails(ANA)) == 2
    assert "INC-1 was already published by Jordan Ray at 13:05 CET" in world.mails(JORDAN)[-1].text
    assert [entry.reason for entry in world.timeline(1)][2:] == ["published", "refused_already_published"]


async def test_a_second_employee_is_told_who_was_first(world: World) -> None:
    mail = await asked(world)
    sams = world.mails(SAM)[0]
    await world.answer(mail, "publish")
    await world.answer(sams, "Publish!")
    assert "already published by Jordan Ray" in world.mails(SAM)[-1].text
    assert len(world.mails(ANA)) == 2


async def test_a_reply_to_what_was_discarded_says_by_whom(world: World) -> None:
    mail = await asked(world)
    await world.answer(world.mails(SAM)[0], "discard")
    await world.answer(mail, "publish")
    assert world.phases() == [Phase.DISCARDED]
    assert "INC-1 was discarded by Sam Lee at 13:05 CET" in world.mails(JORDAN)[-1].text


async def test_a_reply_after_the_close_says_so(world: World) -> None:
    mail = await asked(world)
    await world.answer(mail, "publish")
    await world.recover()
    await world.answer(world.mails(SAM)[0], "publish")
    assert world.phases() == [Phase.CLOSED]
    assert "is closed since 13:05 CET" in world.mails(SAM)[-1].text


@pytest.mark.parametrize("text", ["publish?", "please don't publish", "publish tomorrow", "unpublish", ""])
async def test_what_is_not_exactly_a_command_is_asked_back(world: World, text: str) -> None:
    mail = await asked(world)
    await world.answer(mail, text)
    assert world.phases() == [Phase.UNPUBLISHED]
    assert "Nothing was done" in world.mails(JORDAN)[-1].text
    assert len(world.mails(ANA)) == 1


async def test_the_same_words_are_answered_once_a_day(world: World) -> None:
    mail = await asked(world)
    before = len(world.mails(JORDAN))
    for words in ("hm", "Hm", "hm"):
        await world.answer(mail, words)
    assert len(world.mails(JORDAN)) == before + 1
    assert len([row for row in world.inbox() if row.door == "mail"]) == 3
    await world.after(hours=24)
    await world.answer(mail, "hm")
    assert '"hm"' in world.mails(JORDAN)[-1].text


async def test_whoever_mistypes_again_is_answered_again_and_told_when_it_is_for_the_last_time(
    world: World,
) -> None:
    mail = await asked(world)
    answers = []
    for words in TYPED:
        await world.answer(mail, words)
        answers.append(world.mails(JORDAN)[-1].text)
    assert [f'"{words}"' in answer for words, answer in zip(TYPED, answers, strict=True)] == [True] * 5 + [
        False
    ]
    assert ["the next one may be left out" in answer for answer in answers] == [False] * 4 + [True] * 2
    await world.after(hours=2)
    await world.answer(mail, "publishhh")
    assert '"publishhh"' in world.mails(JORDAN)[-1].text


async def test_an_order_to_a_used_mail_is_answered_though_another_one_was(world: World) -> None:
    await world.answer(await asked(world), "publish")
    told = world.mails(JORDAN)[-1]
    for order in ("update We found it.", "update It goes on.", "close Mail works again."):
        await world.answer(told, order)
    assert ["was used before" in mail.text for mail in world.mails(JORDAN)[-2:]] == [True, True]
    assert world.phases() == [Phase.PUBLISHED]


@pytest.mark.parametrize(
    ("typed", "advised"),
    [
        ("discrad", "discard"),
        ("hold half an hour", "hold 30m"),
        ("hodl", "hold 30m"),
        ("publish?", "publish"),
        ("bananas", "publish"),
        ("close it", "publish"),
    ],
)
async def test_what_was_perhaps_meant_is_advised_if_it_works_there(
    world: World, typed: str, advised: str
) -> None:
    await world.answer(await asked(world), typed)
    said = world.mails(JORDAN)[-1].text
    assert f'reply to this mail with "{advised}" as the first line' in " ".join(said.split())
    assert 'Answer with "help" to read all that works' in " ".join(said.split())
    assert world.phases() == [Phase.UNPUBLISHED]


async def test_an_employee_cannot_answer_what_was_sent_to_another(world: World) -> None:
    mail = await asked(world)
    forwarded = Received(world.mails(SAM)[0].kept, mail.message)
    raw = EmailMessage()
    raw["From"], raw["To"], raw["Subject"] = SAM, forwarded.header("Reply-To"), "Re: x"
    raw["Message-ID"] = "<1@acme.example>"
    raw.set_content("publish\n")
    await world.send_mail(raw.as_bytes(), sender=SAM, to=forwarded.header("Reply-To"))
    assert world.phases() == [Phase.UNPUBLISHED]
    assert "only Jordan Ray can answer it" in world.mails(SAM)[-1].text


async def test_a_stranger_with_the_token_gets_no_answer(world: World) -> None:
    mail = await asked(world)
    raw = EmailMessage()
    raw["From"], raw["To"], raw["Subject"] = "eve@evil.example", mail.header("Reply-To"), "Re: x"
    raw.set_content("publish\n")
    await world.send_mail(raw.as_bytes(), sender="eve@evil.example", to=mail.header("Reply-To"))
    assert world.phases() == [Phase.UNPUBLISHED]
    assert world.mails("eve@evil.example") == []
    assert world.inbox()[-1].reason == "unknown_sender"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Auto-Submitted", "auto-replied"),
        ("Precedence", "bulk"),
        ("X-Autoreply", "yes"),
        ("List-Id", "<all.acme.example>"),
    ],
)
async def test_an_automatic_mail_never_acts_and_is_never_answered(
    world: World, name: str, value: str
) -> None:
    mail = await asked(world)
    before = len(world.mails(JORDAN))
    raw = EmailMessage()
    raw["From"], raw["To"], raw["Subject"] = JORDAN, mail.header("Reply-To"), "Re: x"
    raw[name] = value
    raw.set_content("publish\n")
    await world.send_mail(raw.as_bytes(), sender=JORDAN, to=mail.header("Reply-To"))
    assert world.phases() == [Phase.UNPUBLISHED]
    assert len(world.mails(JORDAN)) == before
    assert world.inbox()[-1].reason == "automatic"


@pytest.mark.parametrize("kept", ["Reply-To", "In-Reply-To", "References"])
async def test_any_one_of_the_three_places_of_the_token_is_enough(world: World, kept: str) -> None:
    mail = await asked(world)
    raw = EmailMessage()
    raw["From"], raw["Subject"], raw["Message-ID"] = JORDAN, "Re: x", "<1@acme.example>"
    raw["To"] = mail.header("Reply-To") if kept == "Reply-To" else "status@acme.example"
    if kept == "In-Reply-To":
        raw["In-Reply-To"] = mail.header("Message-ID")
    if kept == "References":
        raw["References"] = mail.header("References").split()[0]
    raw.set_content("publish\n")
    await world.send_mail(raw.as_bytes(), sender=JORDAN)
    assert world.phases() == [Phase.PUBLISHED]


async def test_without_any_token_the_employee_is_told_how_to_go_on(world: World) -> None:
    await asked(world)
    raw = EmailMessage()
    raw["From"], raw["To"], raw["Subject"] = JORDAN, "status@acme.example", "Re: [INC-1] Email is unavailable"
    raw.set_content("publish\n")
    await world.send_mail(raw.as_bytes(), sender=JORDAN)
    assert world.phases() == [Phase.UNPUBLISHED], "a subject never authorises"
    assert "cannot be matched" in world.mails(JORDAN)[-1].text


async def test_tokens_of_two_incidents_in_one_mail_do_nothing(world: World) -> None:
    mail = await asked(world)
    await world.recover()
    await world.fire()
    await world.after(minutes=5)
    second = world.mails(JORDAN)[-1]
    raw = EmailMessage()
    raw["From"], raw["To"], raw["Subject"] = JORDAN, second.header("Reply-To"), "Re: x"
    raw["References"] = mail.header("References")
    raw.set_content("publish\n")
    await world.send_mail(raw.as_bytes(), sender=JORDAN)
    assert world.phases() == [Phase.DISCARDED, Phase.UNPUBLISHED]
    assert "two incidents" in world.mails(JORDAN)[-1].text


async def test_naming_another_incident_than_the_one_answered_does_nothing(world: World) -> None:
    mail = await asked(world)
    await world.answer(mail, "publish INC-2")
    assert world.phases() == [Phase.UNPUBLISHED]
    await world.answer(mail, "publish INC-1")
    assert world.phases() == [Phase.PUBLISHED]


async def test_a_token_expires(world: World) -> None:
    mail = await asked(world)
    await world.after(hours=72)
    await world.answer(mail, "publish")
    assert world.phases() == [Phase.UNPUBLISHED]
    assert "too old" in world.mails(JORDAN)[-1].text


async def test_a_mail_that_cannot_be_read_does_not_stop_the_next(world: World) -> None:
    mail = await asked(world)
    head = b"From: jordan@acme.example\nContent-Type: multipart/mixed; boundary=b\n\n"
    await world.send_mail(head + b"--b\n\npublish\n" * 60 + b"--b--\n", sender=JORDAN)
    await world.answer(mail, "publish")
    assert world.phases() == [Phase.PUBLISHED]
    assert [row.state for row in world.inbox() if row.door == "mail"] == ["quarantined", "done"]


async def test_the_same_mail_delivered_twice_is_one_reply(world: World) -> None:
    mail = await asked(world)
    raw = EmailMessage()
    raw["From"], raw["To"], raw["Subject"] = JORDAN, mail.header("Reply-To"), "Re: x"
    raw["Message-ID"] = "<1@acme.example>"
    raw.set_content("help\n")
    for _ in range(2):
        await world.send_mail(raw.as_bytes(), sender=JORDAN, to=mail.header("Reply-To"))
    assert len([row for row in world.inbox() if row.door == "mail"]) == 1
