"""A reply that a mail server hands over by LMTP publishes, without any mailbox."""

import smtplib
from dataclasses import replace

import pytest
from anyio import to_thread

from service.config.settings import Door, Protocol
from service.mail.sandbox_client import reply_to
from service.model import Phase
from tests.stories.world import ANA, JORDAN, World

pytestmark = pytest.mark.anyio


async def test_a_reply_handed_over_publishes_once(world: World) -> None:
    assert world.config.mail is not None
    door = Door(Protocol.LMTP, "127.0.0.1", 0)
    world.config = replace(world.config, mail=replace(world.config.mail, imap=None, door=door))
    await world.restart()
    await world.subscribe(ANA)
    await world.fire()
    await world.after(minutes=5)
    asked = world.mails(JORDAN)[0]
    raw = reply_to(asked.kept, "publish", now=world.clock())

    def hand_over() -> None:
        port = world.service.door_port
        assert port is not None
        with smtplib.LMTP("127.0.0.1", port, local_hostname="mx") as line:
            for _ in range(2):
                line.sendmail(JORDAN, [asked.header("Reply-To")], raw)

    await to_thread.run_sync(hand_over)
    await world.service.settle()
    assert world.phases() == [Phase.PUBLISHED]
    assert len(world.mails(ANA)) == 2
    assert len([row for row in world.inbox() if row.door == "mail"]) == 1
