"""A hostile mail is handled or quarantined within 256 MiB, and the mail behind it goes on."""

import resource

import pytest

from bench.reply_parsing import HOSTILE_STRUCTURE, HOSTILE_TEXT
from service.inbox import receive_mails
from service.mail.imap import FetchedMail
from service.model import Phase
from tests.stories.world import JORDAN, World

pytestmark = pytest.mark.anyio

HOSTILE = {
    **HOSTILE_TEXT,
    **HOSTILE_STRUCTURE,
    "a Message-ID that breaks the standard library": b"Message-ID: <[a\nFrom: a@b.example\n\npublish",
    "an unknown charset": b"From: a@b.example\nContent-Type: text/plain; charset=klingon\n\npublish",
    "no header at all": b"publish",
    "nothing": b"",
    "bytes of all kinds": bytes(range(256)) * 1_000,
}
MOST_BYTES = 256 * 1024 * 1024


@pytest.mark.parametrize("name", HOSTILE)
async def test_the_mail_behind_a_hostile_one_goes_on(world: World, name: str) -> None:
    await world.fire()
    await world.after(minutes=5)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    raw = HOSTILE[name][: 256 * 1024]
    hostile = FetchedMail(
        "x", "INBOX", 1, 1, raw, len(HOSTILE[name]), truncated=len(raw) < len(HOSTILE[name])
    )
    receive_mails(world.service.house.store, [hostile], now=world.clock())
    await world.service.settle()
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < MOST_BYTES
    assert world.phases() == [Phase.UNPUBLISHED]
    assert world.inbox()[-1].state in {"done", "quarantined"}
    await world.answer(world.mails(JORDAN)[0], "publish")
    assert world.phases() == [Phase.PUBLISHED]
