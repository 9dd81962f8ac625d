"""Posts are stored in groups, and nobody hears that his is before it is."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import event

from service.inbox import posts
from service.inbox.posts import PostIntake
from service.store import inbox_rows
from service.store.database import Store
from service.store.inbox_rows import Arrival
from tests.inbox.posting import a_post, an_intake, commits_of, count, on_disk, receive_all

pytestmark = pytest.mark.anyio


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
