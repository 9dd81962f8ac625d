"""A post that cannot be stored is refused in time, and holds up no other."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest
from anyio import to_thread
from sqlalchemy import Connection
from structlog.testing import capture_logs

from service.errors import OutcomeUnknown, StoreUnavailable
from service.inbox import posts
from service.inbox.posts import PostIntake
from service.store import inbox_rows
from service.store.database import Store
from service.store.inbox_rows import Arrival, Door
from tests.inbox.posting import NOW, Lock, a_post, an_intake, count, on_disk, receive_all

pytestmark = pytest.mark.anyio

GIVEN_UP = f"the database did not answer for {posts.PATIENCE:g} seconds; try again"


def move_clock(seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the time of the loop pass, by which posts are given up."""
    loop = asyncio.get_running_loop()
    time = loop.time
    monkeypatch.setattr(loop, "time", lambda: time() + seconds)


async def patience_ends(began: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the patience of all who wait end once something has begun."""
    await to_thread.run_sync(began.wait)
    move_clock(posts.PATIENCE, monkeypatch)


async def test_one_that_was_given_up_meanwhile_is_not_stored(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    intake, began, told = an_intake(store), Event(), Event()

    def take(_arrival: Arrival) -> None:
        began.set()
        assert told.wait(5)

    intake.take_alone = take
    lost = asyncio.create_task(intake.receive(a_post("lost")))
    await patience_ends(began, monkeypatch)
    with pytest.raises(StoreUnavailable):
        await lost
    told.set()
    await intake.receive(a_post("kept"))
    assert count(store) == 1


async def test_what_another_one_fails_at_is_answered_and_the_next_is_stored(store: Store) -> None:
    intake = an_intake(store)

    def fail(_arrival: Arrival) -> int | None:
        raise OutcomeUnknown("the database ended as this was to be stored")

    intake.take_alone = fail
    with pytest.raises(OutcomeUnknown):
        await intake.receive(a_post())
    assert len(await receive_all(intake, [a_post(), a_post()])) == count(store) == 2


async def test_where_the_store_fails_the_whole_group_is_told_and_the_next_is_stored(
    store: Store, tmp_path: Path, locked: Lock
) -> None:
    intake = an_intake(store)
    with locked():
        refused = await receive_all(intake, [a_post("lost") for _ in range(3)])
    assert [type(answer) for answer in refused] == [StoreUnavailable] * 3
    assert on_disk(tmp_path) == []
    await receive_all(intake, [a_post("kept")])
    assert on_disk(tmp_path) == ["kept"]


async def test_a_fault_that_nobody_foresaw_leaves_nobody_waiting(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posts, "MOST_TOGETHER", 2)
    naive = a_post("bad", NOW.replace(tzinfo=None))
    with capture_logs() as said:
        answers = await receive_all(an_intake(store), [naive, a_post("beside"), a_post("behind")])
    assert [one["event"] for one in said] == ["inbox: posts could not be stored"]
    assert [type(answer) for answer in answers] == [StoreUnavailable, StoreUnavailable, int]
    assert on_disk(tmp_path) == ["behind"]


async def test_who_goes_away_takes_nobody_along(store: Store, tmp_path: Path) -> None:
    intake = an_intake(store)
    tasks = [asyncio.create_task(intake.receive(a_post(text))) for text in ("ana", "ben", "cem")]
    await asyncio.sleep(0)  # all three wait now, and nothing is stored yet
    tasks[1].cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(answer) for answer in answers] == [int, asyncio.CancelledError, int]
    assert on_disk(tmp_path) == ["ana", "ben", "cem"], "what was received is kept, whoever waits for it"


class StandsStill(Store):
    """A store whose writers hear nothing from the database until it goes on."""

    def __init__(self, store: Store) -> None:
        super().__init__(store.engine)
        self.began, self.goes_on = Event(), Event()

    @contextmanager
    def transaction(
        self, *, durable: bool = True, alone: bool = True, impatient: bool = False
    ) -> Iterator[Connection]:
        """Wait for the database, then give a transaction like any other."""
        self.began.set()
        self.goes_on.wait()
        with super().transaction(durable=durable, alone=alone, impatient=impatient) as connection:
            yield connection


async def test_a_database_that_stands_still_holds_up_no_answer(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posts, "MOST_TOGETHER", 1)
    stored = asyncio.Event()
    still = StandsStill(store)
    intake = PostIntake(still, stored=stored.set)
    sent = [a_post("given"), a_post("not given"), a_post("nor this")]
    try:
        refused, _ = await asyncio.gather(receive_all(intake, sent), patience_ends(still.began, monkeypatch))
    finally:
        still.goes_on.set()
    assert [(type(answer), str(answer)) for answer in refused] == [(StoreUnavailable, GIVEN_UP)] * 3
    await stored.wait()
    assert await receive_all(intake, [a_post("later")]) == [2]
    assert on_disk(tmp_path) == ["given", "later"], "only what it was given before is stored after all"


async def test_who_went_away_before_the_database_went_on_has_stored_what_he_sent(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posts, "MOST_TOGETHER", 1)
    still = StandsStill(store)
    intake = an_intake(still)
    tasks = [asyncio.create_task(intake.receive(a_post(text))) for text in ("ana", "ben")]
    await asyncio.sleep(0)  # both wait now
    try:
        tasks[1].cancel()
        await asyncio.gather(tasks[1], return_exceptions=True)
    finally:
        still.goes_on.set()
    assert await tasks[0] == 1
    assert await intake.receive(a_post("cem")) == 3
    assert on_disk(tmp_path) == ["ana", "ben", "cem"]


async def test_a_repeated_post_that_was_stored_after_its_refusal_has_no_second_effect(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    still = StandsStill(store)
    stored = asyncio.Event()
    intake = PostIntake(still, stored=stored.set)
    numbered = Arrival(Door.WEBHOOK, NOW, b"{}", provider="pagerduty", content_key="1")
    refused = asyncio.create_task(intake.receive(numbered))
    try:
        await patience_ends(still.began, monkeypatch)
        with pytest.raises(StoreUnavailable):
            await refused
    finally:
        still.goes_on.set()
    await stored.wait()
    again = await intake.receive(numbered)
    with store.reading() as connection:
        assert inbox_rows.count_pending(connection) == 1
        row = inbox_rows.get(connection, again)
    assert row is not None
    assert row.reason == inbox_rows.REPEATED


async def test_what_the_disk_cannot_take_is_refused_and_the_rest_is_stored(store: Store) -> None:
    post = a_post()
    answers = await receive_all(an_intake(store), [post] * (posts.MOST_WAITING + 1))
    refused = [answer for answer in answers if not isinstance(answer, int)]
    assert [str(error) for error in refused] == ["more posts arrive than the disk can take; try again"]
    assert isinstance(answers[-1], StoreUnavailable)
    with store.reading() as connection:
        assert inbox_rows.count_pending(connection) == posts.MOST_WAITING


async def test_stopping_leaves_nobody_waiting(
    store: Store, locked: Lock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posts, "MOST_TOGETHER", 1)
    intake = an_intake(store)
    with locked():
        tasks = [asyncio.create_task(intake.receive(a_post())) for _ in range(3)]
        await asyncio.sleep(0)
        [writer] = [task for task in asyncio.all_tasks() if "PostIntake._write" in repr(task)]
        await asyncio.sleep(0)  # it is at work on the first now
        writer.cancel()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(answer) for answer in answers] == [StoreUnavailable] * 3


async def test_one_that_came_later_is_given_up_later_though_one_timer_does_for_all(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    still = StandsStill(store)
    intake = an_intake(still)
    first = asyncio.create_task(intake.receive(a_post("ana")))
    await to_thread.run_sync(still.began.wait)
    move_clock(posts.PATIENCE / 2, monkeypatch)
    second = asyncio.create_task(intake.receive(a_post("ben")))
    await asyncio.sleep(0)
    try:
        for one, other in ((first, second), (second, None)):
            move_clock(posts.PATIENCE / 2, monkeypatch)
            with pytest.raises(StoreUnavailable, match=GIVEN_UP):
                await one
            assert other is None or not other.done()
    finally:
        still.goes_on.set()


async def test_one_that_is_stuck_after_others_were_stored_is_given_up_too(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    still = StandsStill(store)
    intake = an_intake(still)
    still.goes_on.set()
    await intake.receive(a_post("stored"))
    still.began.clear()
    still.goes_on.clear()
    stuck = asyncio.create_task(intake.receive(a_post("stuck")))
    try:
        await patience_ends(still.began, monkeypatch)
        with pytest.raises(StoreUnavailable, match=GIVEN_UP):
            await stuck
    finally:
        still.goes_on.set()
