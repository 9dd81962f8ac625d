"""Subscribers who leave by mail, and what others send in their name."""

from collections.abc import AsyncIterator
from dataclasses import replace
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

import pytest

from service.config.settings import Authenticity, Policy, Profile
from service.model import SubscriberState
from service.store import subscribers
from tests.rooms import OWN_ADDRESS, Clock
from tests.stories.world import ANA, JORDAN, World, make_world

pytestmark = pytest.mark.anyio

BEN = "ben@reader.example"
OURS = "mx.acme.example"
PASS = f"{OURS}; dmarc=pass header.from=reader.example"
FAIL = f"{OURS}; dmarc=fail header.from=reader.example"


@pytest.fixture(params=[Policy.REQUIRE, Policy.TOKEN_ONLY])
async def told(tmp_path: Path, clock: Clock, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """Give a world in which Ana and Ben were told of an incident, under either policy for employees' replies."""
    async with make_world(tmp_path, clock) as world:
        assert world.config.mail is not None
        authenticity = Authenticity(request.param, OURS, Profile.GENERIC)
        world.config = replace(world.config, mail=replace(world.config.mail, authenticity=authenticity))
        await world.restart()
        world.service.house = replace(world.service.house, look_up=lambda _: None)
        await world.subscribe(ANA)
        await world.subscribe(BEN)
        await world.fire()
        await world.after(minutes=5)
        world_mail = world.mails(JORDAN)[0]
        raw = EmailMessage()
        raw["Authentication-Results"] = f"{OURS}; dmarc=pass header.from=acme.example"
        raw["From"], raw["To"], raw["Subject"] = JORDAN, world_mail.header("Reply-To"), "Re: x"
        raw["Date"] = format_datetime(clock())
        raw.set_content("publish\n")
        await world.send_mail(raw.as_bytes(), sender=JORDAN, to=world_mail.header("Reply-To"))
        assert len(world.mails(ANA)) == 2
        yield world


def state_of(world: World, address: str) -> SubscriberState | None:
    """Look up how an address stands."""
    with world.service.house.store.reading() as connection:
        found = subscribers.find_by_address(connection, address)
    return found.state if found else None


def address_to_leave(world: World, of: str = ANA) -> str:
    """Give the address of a subscriber's List-Unsubscribe."""
    ways = world.mails(of)[-1].header("List-Unsubscribe").split(",")
    return ways[1].strip(" <>").removeprefix("mailto:").partition("?")[0]


async def send(world: World, text: str, *, to: str = OWN_ADDRESS, sender: str = ANA, **fields: str) -> None:
    """Send a mail to us, with more header fields (`auto_submitted="auto-replied"`)."""
    raw = EmailMessage()
    for name, value in fields.items():
        raw[name.replace("_", "-")] = value
    raw["From"], raw["To"], raw["Subject"] = sender, to, "unsubscribe"
    raw["Message-ID"] = f"<{len(world.inbox())}@reader.example>"
    raw.set_content(f"{text}\n")
    await world.send_mail(raw.as_bytes(), sender=sender, to=to)


async def test_a_mail_to_the_address_unsubscribes_and_is_not_answered(told: World) -> None:
    await send(told, "", to=address_to_leave(told))
    assert told.inbox()[-1].reason == "unsubscribed"
    assert (state_of(told, ANA), state_of(told, BEN)) == (
        SubscriberState.UNSUBSCRIBED,
        SubscriberState.CONFIRMED,
    )
    await told.recover()
    assert (len(told.mails(ANA)), len(told.mails(BEN))) == (2, 3)


async def test_whatever_it_says_and_whichever_address_it_comes_from(told: World) -> None:
    await send(told, "publish", to=address_to_leave(told), sender="ana.private@home.example")
    assert state_of(told, ANA) is SubscriberState.UNSUBSCRIBED
    assert told.mails("ana.private@home.example") == []


async def test_the_same_mail_a_second_time_does_not_end_a_new_subscription(told: World) -> None:
    raw = EmailMessage()
    raw["From"], raw["To"], raw["Message-ID"] = ANA, address_to_leave(told), "<1@reader.example>"
    await told.send_mail(raw.as_bytes(), sender=ANA, to=str(raw["To"]))
    assert state_of(told, ANA) is SubscriberState.UNSUBSCRIBED
    await told.after(hours=2)
    await told.subscribe(ANA)
    await told.send_mail(raw.as_bytes(), sender=ANA, to=str(raw["To"]))
    assert state_of(told, ANA) is SubscriberState.CONFIRMED


async def test_an_automatic_mail_to_the_address_does_nothing(told: World) -> None:
    await send(told, "unsubscribe", to=address_to_leave(told), auto_submitted="auto-replied")
    assert told.inbox()[-1].reason == "automatic"
    assert state_of(told, ANA) is SubscriberState.CONFIRMED


async def test_a_made_up_token_does_nothing(told: World) -> None:
    await send(told, "unsubscribe", to=f"status+unsubscribe-{'a' * 26}@acme.example")
    assert told.inbox()[-1].reason == "unsubscribe_token_unknown"
    assert (state_of(told, ANA), len(told.mails(ANA))) == (SubscriberState.CONFIRMED, 2)


async def test_an_employee_who_subscribed_leaves_as_anybody_does(told: World) -> None:
    await told.subscribe(JORDAN)
    before = len(told.mails(JORDAN))
    proof = f"{OURS}; dmarc=pass header.from=acme.example"
    await send(told, "unsubscribe", sender=JORDAN, authentication_results=proof)
    assert (state_of(told, JORDAN), len(told.mails(JORDAN))) == (SubscriberState.UNSUBSCRIBED, before)


@pytest.mark.parametrize("text", ["unsubscribe", "Abmelden", "Please unsubscribe me."])
async def test_a_subscriber_may_simply_answer_an_update(told: World, text: str) -> None:
    await send(told, f"{text}\n\n> {told.mails(ANA)[-1].text}", authentication_results=PASS)
    assert told.inbox()[-1].reason == "unsubscribed"
    assert (state_of(told, ANA), len(told.mails(ANA))) == (SubscriberState.UNSUBSCRIBED, 2)


@pytest.mark.parametrize(
    "proof", [FAIL, f"{OURS}; dmarc=none header.from=reader.example", "mx.evil.example; dmarc=pass"]
)
async def test_nobody_is_unsubscribed_by_a_forged_answer(told: World, proof: str) -> None:
    await send(told, "unsubscribe", authentication_results=proof)
    assert told.inbox()[-1].reason == "unknown_sender"
    assert (state_of(told, ANA), len(told.mails(ANA))) == (SubscriberState.CONFIRMED, 2)


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("How do I unsubscribe?", {}),
        ("unsubscribe", {"auto_submitted": "auto-replied"}),
        ("unsubscribe", {"precedence": "bulk"}),
    ],
)
async def test_other_answers_to_an_update_do_nothing(told: World, text: str, fields: dict[str, str]) -> None:
    await send(told, text, authentication_results=PASS, **fields)
    assert (state_of(told, ANA), len(told.mails(ANA))) == (SubscriberState.CONFIRMED, 2)


async def test_a_stranger_who_says_unsubscribe_stays_a_stranger(told: World) -> None:
    await send(told, "unsubscribe", sender="eve@reader.example", authentication_results=PASS)
    assert told.inbox()[-1].reason == "unknown_sender"
    assert told.mails("eve@reader.example") == []
