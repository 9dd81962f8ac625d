"""Relay down, mailbox down, the service restarted, the database gone: nothing is lost and nothing comes twice."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from service.config import Security, Smtp
from service.errors import MailboxUnavailable
from service.inbox import STRIKES
from service.model import Phase
from tests.stories.world import ANA, JORDAN, SAM, World

pytestmark = pytest.mark.anyio

NOBODY_LISTENS = Smtp("127.0.0.1", 9, Security.NONE)


async def test_mails_wait_while_the_relay_is_down_and_go_out_in_order(world: World) -> None:
    await world.subscribe(ANA)
    relay = world.service.relay
    works, relay.smtp = relay.smtp, NOBODY_LISTENS
    await world.fire()
    await world.after(minutes=5)
    await world.recover()
    await world.after(hours=2)
    assert world.mails(JORDAN) == []
    relay.smtp = works
    await world.after(minutes=2)
    assert [mail.subject for mail in world.mails(JORDAN)] == ["[INC-1] Email is unavailable"] * 2
    asked, told = world.mails(JORDAN)
    assert "publish" in asked.text
    assert "recovered" in told.text
    assert len(world.mails(SAM)) == 2


async def test_replies_wait_while_the_mailbox_is_down(world: World) -> None:
    await world.fire()
    await world.after(minutes=5)
    mailbox = world.service.mailbox
    assert mailbox is not None
    world.service.mailbox = None
    await world.answer(world.mails(JORDAN)[0], "publish")
    assert world.phases() == [Phase.UNPUBLISHED]
    world.service.mailbox = mailbox
    await world.service.settle()
    assert world.phases() == [Phase.PUBLISHED]


async def test_a_mailbox_that_cannot_be_reached_is_named(world: World) -> None:
    mailbox = world.service.mailbox
    assert mailbox is not None
    mailbox.close()
    await world.sandbox.stop()
    with pytest.raises(MailboxUnavailable):
        mailbox.poll_once()


async def test_a_restart_at_any_moment_continues_where_it_was(world: World) -> None:
    await world.subscribe(ANA)
    await world.post('{monitorName: "Email Server", state: "CRITICAL"}')
    await world.restart()
    await world.service.settle()
    assert world.phases() == [Phase.WAITING]
    await world.restart()
    await world.after(minutes=5)
    assert world.phases() == [Phase.UNPUBLISHED]
    await world.restart()
    await world.answer(world.mails(JORDAN)[0], "publish")
    await world.restart()
    await world.recover()
    await world.restart()
    await world.after(hours=100)
    assert world.phases() == [Phase.CLOSED]
    assert len(world.mails(ANA)) == 3
    assert len(world.mails(JORDAN)) == 3


async def test_a_timer_that_fell_due_while_the_service_was_down_fires_once(world: World) -> None:
    await world.fire()
    await world.stop()
    world.clock.now = world.clock.now.replace(hour=23)
    await world.start()
    await world.service.settle()
    await world.restart()
    await world.service.settle()
    assert len(world.mails(JORDAN)) == 1


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_second_process_on_the_same_database_is_refused(world: World) -> None:
    other = World(world.folder, world.config, world.clock, world.sandbox)
    with pytest.raises(Exception, match="another replycast runs on"):
        await other.start()


async def test_a_post_that_cannot_be_stored_is_not_accepted(world: World) -> None:
    with world.service.house.store.transaction() as connection:
        connection.execute(text("ALTER TABLE inbox RENAME TO gone"))
    answer = await world.post('{monitorName: "Email Server", state: "CRITICAL"}')
    assert answer.status_code == 503
    assert "error" in answer.json()
    with world.service.house.store.transaction() as connection:
        connection.execute(text("ALTER TABLE gone RENAME TO inbox"))
    await world.fire()
    assert world.phases() == [Phase.WAITING]


async def test_what_makes_the_work_fail_three_times_is_quarantined_and_the_next_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*_: object) -> None:
        raise ZeroDivisionError

    await world.post('{monitorName: "Email Server", state: "CRITICAL"}')
    with monkeypatch.context() as broken:
        broken.setattr("service.jobs.take_alerts", explode)
        for _ in range(STRIKES):
            await world.service.decide_next()
    await world.fire()
    assert [row.state for row in world.inbox()] == ["quarantined", "done"]
    assert world.inbox()[0].attempts == STRIKES


async def test_a_monitor_that_was_removed_leaves_its_open_incident_to_the_employees(world: World) -> None:
    await world.fire()
    await world.after(minutes=5)
    world.config = replace(world.config, monitors=())
    await world.restart()
    await world.recover()
    await world.answer(world.mails(JORDAN)[0], "publish")
    assert world.phases() == [Phase.PUBLISHED]
