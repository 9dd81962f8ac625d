"""Each second, and when another instance did something, whoever has something to send is woken, and nobody else."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from anyio import to_thread

from service.app.building import build_on
from service.app.ground import open_ground
from service.app.roles import ServeRole
from service.app.service import Service
from service.errors import StoreUnavailable
from service.outbox import Courier, unrecorded_of
from service.store.tidings import ToSend
from tests.rooms import Clock, config_in
from tests.store.databases import new_database
from tests.store.rows import a_mail, queued

pytestmark = pytest.mark.anyio


@pytest.fixture
async def service(tmp_path: Path, clock: Clock) -> AsyncIterator[Service]:
    """Give a service that is built, does not work yet, and hears of no commit of its own."""
    config = replace(config_in(tmp_path), database=new_database(tmp_path))
    async with open_ground(config, clock, ServeRole.ALL) as ground, build_on(ground, config, clock) as built:
        built.house.store.queued = lambda _what: None
        yield built


async def woken(service: Service) -> set[ToSend]:
    """Look, and tell who was woken by it."""
    senders = {ToSend.MAILS: service.send, ToSend.UPDATES: service.fan_out, ToSend.CALLS: service.call}
    for due in senders.values():
        due.clear()
    await to_thread.run_sync(service.look_what_to_send)
    await asyncio.sleep(0)  # in which the loop does what the thread asked of it
    return {what for what, due in senders.items() if due.is_set()}


async def test_nobody_is_woken_where_there_is_nothing_to_send(service: Service) -> None:
    assert await woken(service) == set()


async def test_a_mail_that_is_due_wakes_its_sender(service: Service, clock: Clock) -> None:
    with service.house.store.transaction() as connection:
        queued(connection, a_mail("asked"), at=clock())
    assert await woken(service) == {ToSend.MAILS}


async def test_a_session_that_is_kept_too_long_wakes_who_ends_it(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Courier, "keeps_too_long", True)
    assert await woken(service) == {ToSend.MAILS}


async def test_what_could_not_be_written_down_wakes_everybody(service: Service, clock: Clock) -> None:
    with service.house.store.transaction() as connection:
        mails = queued(connection, a_mail("asked"), at=clock())
    unrecorded_of(service.house.store).keep_claims(mails)
    assert await woken(service) == set(ToSend)


async def test_another_instances_news_wake_who_has_something_to_do(service: Service, clock: Clock) -> None:
    for due in (service.decide, service.send, service.fan_out):
        due.clear()
    with service.house.store.transaction() as connection:
        queued(connection, a_mail("asked"), at=clock())
    await to_thread.run_sync(service.hear)
    await asyncio.sleep(0)
    assert [due.is_set() for due in (service.decide, service.send, service.fan_out)] == [True, True, False]


async def test_news_are_a_hint_that_may_be_lost(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_service: Service) -> None:
        raise StoreUnavailable("the database is away")

    monkeypatch.setattr(Service, "look_what_to_send", fail)
    service.decide.clear()
    await to_thread.run_sync(service.hear)
    await asyncio.sleep(0)
    assert service.decide.is_set()


@pytest.mark.parametrize("what", ToSend)
async def test_each_sender_is_woken_for_its_own(service: Service, what: ToSend) -> None:
    senders = {ToSend.MAILS: service.send, ToSend.UPDATES: service.fan_out, ToSend.CALLS: service.call}
    for due in senders.values():
        due.clear()
    await to_thread.run_sync(service.wake_sender, what)
    await asyncio.sleep(0)
    assert [one for one, due in senders.items() if due.is_set()] == [what]


async def test_who_commits_as_the_loop_ends_is_not_bothered(service: Service) -> None:
    ended = asyncio.new_event_loop()
    ended.close()
    service.loop = ended
    service.wake_sender(ToSend.MAILS)
    service.wake_decider()
