"""Posts are stored in groups, and nobody hears that his is before it is."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import Connection, event
from structlog.testing import capture_logs

from service.errors import OutcomeUnknown, StoreUnavailable
from service.inbox import posts
from service.inbox.posts import PostIntake
from service.store import inbox_rows
from service.store.database import Store
from service.store.inbox_rows import Arrival, Door

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
Lock = Callable[[], AbstractContextManager[None]]


def a_post(text: str = "{}", at: datetime = NOW) -> Arrival:
    return Arrival(Door.WEBHOOK, at, text.encode(), provider="victorops")


def an_intake(store: Store) -> PostIntake:
    return PostIntake(store, stored=lambda: None)


def count(store: Store) -> int:
    with store.reading() as connection:
        return inbox_rows.count_pending(connection)


def commits_of(store: Store) -> list[str]:
    """Give a list that grows with every commit."""
    commits: list[str] = []
    event.listen(store.engine, "commit", lambda _: commits.append("commit"))
    return commits


def on_disk(folder: Path) -> list[str]:
    """Read, as another program would, the bodies that are committed."""
    with closing(sqlite3.connect(folder / "replycast.db")) as other:
        return [raw.decode() for (raw,) in other.execute("SELECT raw FROM inbox ORDER BY id")]


async def receive_all(intake: PostIntake, posts: list[Arrival]) -> list[int | BaseException]:
    return await asyncio.gather(*map(intake.receive, posts), return_exceptions=True)


async def test_posts_that_arrive_together_are_committed_together(store: Store) -> None:
    commits = commits_of(store)
    ids = await receive_all(an_intake(store), [a_post() for _ in range(posts.MOST_TOGETHER)])
    assert len(commits) == 1
    assert ids == list(range(1, posts.MOST_TOGETHER + 1))


async def test_more_than_fit_in_one_group_take_another(store: Store) -> None:
    commits = commits_of(store)
    await receive_all(an_intake(store), [a_post() for _ in range(posts.MOST_TOGETHER + 1)])
    assert len(commits) == 2


async def test_a_post_that_arrives_alone_is_committed_at_once(store: Store) -> None:
    commits = commits_of(store)
    intake = an_intake(store)
    assert [await intake.receive(a_post()) for _ in range(3)] == [1, 2, 3]
    assert len(commits) == 3


async def test_nobody_is_answered_before_the_row_is_on_disk(store: Store, tmp_path: Path) -> None:
    answered: list[str] = []
    seen_at_commit: list[list[str]] = []
    event.listen(store.engine, "commit", lambda _: seen_at_commit.append(list(answered)))
    intake = an_intake(store)

    async def post(text: str) -> None:
        await intake.receive(a_post(text))
        assert text in on_disk(tmp_path)
        answered.append(text)

    await asyncio.gather(*(post(str(number)) for number in range(20)))
    assert seen_at_commit == [[]]
    assert len(answered) == 20


async def test_each_is_told_the_number_of_its_own_row(store: Store) -> None:
    texts = [str(number) for number in range(50)]
    ids = await receive_all(an_intake(store), [a_post(text) for text in texts])
    with store.reading() as connection:
        rows = [inbox_rows.get(connection, inbox_id) for inbox_id in ids if isinstance(inbox_id, int)]
    assert [row.raw.decode() for row in rows if row is not None] == texts


async def test_the_deciding_is_woken_after_each_group(store: Store) -> None:
    woken: list[int] = []

    def wake() -> None:
        with store.reading() as connection:
            woken.append(inbox_rows.count_pending(connection))

    await receive_all(PostIntake(store, stored=wake), [a_post(), a_post()])
    assert woken == [2]


async def test_one_that_comes_alone_may_be_taken_in_by_another_who_leaves_nothing_to_do(store: Store) -> None:
    asked, woken = list[Arrival](), list[bool]()
    intake = PostIntake(store, stored=lambda: woken.append(True))

    def take(arrival: Arrival) -> int:
        asked.append(arrival)
        return 4711

    intake.take_alone = take
    assert await intake.receive(a_post("alone")) == 4711
    assert (asked, woken, count(store)) == ([a_post("alone")], [], 0)


async def test_one_that_another_does_not_take_in_is_stored_like_all_others(store: Store) -> None:
    woken = list[bool]()
    intake = PostIntake(store, stored=lambda: woken.append(True))
    intake.take_alone = lambda _arrival: None
    assert await intake.receive(a_post("alone")) == 1
    assert (woken, count(store)) == ([True], 1)


async def test_those_that_come_together_or_fast_are_stored_without_asking(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posts, "RUSH", 3)
    monkeypatch.setattr(posts, "RUSH_LASTS", 60)
    intake, asked = an_intake(store), list[Arrival]()
    intake.take_alone = asked.append
    await receive_all(intake, [a_post(), a_post()])
    assert asked == []
    for text in "third", "fourth":
        await intake.receive(a_post(text))
    assert asked == []
    assert count(store) == 4


async def test_one_that_comes_while_others_are_stored_is_not_alone(store: Store) -> None:
    intake, asked = an_intake(store), list[str]()
    loop = asyncio.get_running_loop()

    def take(arrival: Arrival) -> None:
        asked.append(arrival.raw.decode())
        later = asyncio.run_coroutine_threadsafe(arrive_later(), loop)
        later.result(5)

    async def arrive_later() -> None:
        meanwhile.append(asyncio.create_task(intake.receive(a_post("meanwhile"))))
        await asyncio.sleep(0)

    meanwhile = list[asyncio.Task[int]]()
    intake.take_alone = take
    assert [await intake.receive(a_post("first")), *await asyncio.gather(*meanwhile)] == [1, 2]
    assert asked == ["first"]


async def test_one_that_was_given_up_meanwhile_is_not_stored(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    intake, told = an_intake(store), Event()

    def take(_arrival: Arrival) -> None:
        assert told.wait(5)

    intake.take_alone = take
    with monkeypatch.context() as patched:
        patched.setattr(posts, "PATIENCE", 0.01)
        with pytest.raises(StoreUnavailable):
            await intake.receive(a_post("lost"))
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
        self.goes_on = Event()

    @contextmanager
    def transaction(
        self, *, durable: bool = True, alone: bool = True, impatient: bool = False
    ) -> Iterator[Connection]:
        """Wait for the database, then give a transaction like any other."""
        self.goes_on.wait()
        with super().transaction(durable=durable, alone=alone, impatient=impatient) as connection:
            yield connection


async def test_a_database_that_stands_still_holds_up_no_answer(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posts, "MOST_TOGETHER", 1)
    monkeypatch.setattr(posts, "PATIENCE", 0.01)
    stored = asyncio.Event()
    still = StandsStill(store)
    intake = PostIntake(still, stored=stored.set)
    try:
        refused = await receive_all(intake, [a_post("given"), a_post("not given"), a_post("nor this")])
    finally:
        still.goes_on.set()
    told = "the database did not answer for 0.01 seconds; try again"
    assert [(type(answer), str(answer)) for answer in refused] == [(StoreUnavailable, told)] * 3
    await stored.wait()
    monkeypatch.setattr(posts, "PATIENCE", 60.0)
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
    monkeypatch.setattr(posts, "PATIENCE", 0.01)
    still = StandsStill(store)
    stored = asyncio.Event()
    intake = PostIntake(still, stored=stored.set)
    numbered = Arrival(Door.WEBHOOK, NOW, b"{}", provider="pagerduty", content_key="1")
    try:
        with pytest.raises(StoreUnavailable):
            await intake.receive(numbered)
    finally:
        still.goes_on.set()
    await stored.wait()
    monkeypatch.setattr(posts, "PATIENCE", 60.0)
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


async def test_it_is_a_rush_where_many_came_within_a_moment(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = [0.0]
    monkeypatch.setattr(posts, "_now", lambda: times[0])
    intake, rushes = an_intake(store), list[bool]()
    await receive_all(intake, [a_post() for _ in range(posts.RUSH - 1)])
    rushes.append(intake.is_rushed)
    await intake.receive(a_post())
    rushes.append(intake.is_rushed)
    times[0] = posts.RUSH_LASTS
    rushes.append(intake.is_rushed)
    # each of them later than the moment before
    for _ in range(posts.RUSH):
        times[0] += posts.RUSH_LASTS
        await intake.receive(a_post())
    assert [*rushes, intake.is_rushed] == [False, True, False, False]


async def flooded(store: Store) -> PostIntake:
    """Give an intake in which many posts came while one group of them was stored."""
    intake = an_intake(store)
    await receive_all(intake, [a_post() for _ in range(posts.FLOOD)])
    return intake


async def test_in_a_flood_a_group_waits_until_it_is_full(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posts, "LINGER", 3_600)
    monkeypatch.setattr(posts, "FLOOD_LASTS", 3_600)
    intake = await flooded(store)
    commits = commits_of(store)
    first = asyncio.create_task(intake.receive(a_post("the first of the next group")))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not commits
    await receive_all(intake, [a_post() for _ in range(posts.FULL - 1)])
    await first
    assert len(commits) == 1


async def test_in_a_flood_a_group_that_does_not_fill_waits_for_a_moment_only(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posts, "FLOOD_LASTS", 3_600)
    intake = await flooded(store)
    assert await intake.receive(a_post("the only one")) == posts.FLOOD + 1


async def test_once_the_flood_is_over_nobody_waits_for_others(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posts, "LINGER", 3_600)
    monkeypatch.setattr(posts, "FLOOD_LASTS", 0)
    intake = await flooded(store)
    assert await intake.receive(a_post()) == posts.FLOOD + 1


async def test_one_that_waits_longer_than_others_is_given_up_by_itself(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The timer of the first is the only one; it goes on for those that came later."""
    intake, may_go_on, began = an_intake(store), Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def stand_still(_store: Store, arrivals: list[Arrival]) -> list[int]:
        loop.call_soon_threadsafe(began.set)
        assert may_go_on.wait(10)
        return list(range(len(arrivals)))

    monkeypatch.setattr(posts, "_add", stand_still)
    monkeypatch.setattr(posts, "PATIENCE", 0.02)
    first = asyncio.create_task(intake.receive(a_post("ana")))
    await began.wait()
    monkeypatch.setattr(posts, "PATIENCE", 0.04)
    second = asyncio.create_task(intake.receive(a_post("ben")))
    done = await asyncio.gather(first, second, return_exceptions=True)
    may_go_on.set()
    assert [str(one) for one in done] == [
        "the database did not answer for 0.04 seconds; try again",
        "the database did not answer for 0.04 seconds; try again",
    ]


async def test_one_that_is_stuck_after_others_were_stored_is_given_up_too(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posts, "PATIENCE", 0.02)
    intake, may_go_on = an_intake(store), Event()
    await intake.receive(a_post("stored"))

    def stand_still(_store: Store, _arrivals: list[Arrival]) -> list[int]:
        assert may_go_on.wait(10)
        return [1]

    monkeypatch.setattr(posts, "_add", stand_still)
    [stuck] = await receive_all(intake, [a_post("stuck")])
    may_go_on.set()
    assert str(stuck) == "the database did not answer for 0.02 seconds; try again"
