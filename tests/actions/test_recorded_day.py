"""A recorded day under the present configuration: what would have been opened, mailed and published."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from service.actions.house import House
from service.actions.recorded_day import (
    RecordedRun,
    SpanUnusable,
    TooManyPosts,
    day_end,
    day_start,
    read_posts,
    simulate_recorded,
)
from service.actions.simulation_posts import LONGEST
from service.config.settings import Reading
from service.model import Phase
from service.store import inbox_rows, incidents
from service.store.inbox_rows import Arrival, Door

BERLIN = ZoneInfo("Europe/Berlin")
DAY = date(2026, 11, 23)
SINCE, UNTIL = day_start(DAY, BERLIN), day_end(DAY, BERLIN)
MINUTE = timedelta(minutes=1)


def arrives(house: House, minutes: int, body: bytes, provider: str = "victorops", **about: object) -> None:
    """Let a post have been received so many minutes into the day."""
    arrival = Arrival(Door.WEBHOOK, SINCE + minutes * MINUTE, body, provider, about=about)
    with house.store.transaction() as connection:
        inbox_rows.add_many(connection, [arrival])


def says(state: str, name: str = "Email Server") -> bytes:
    return json.dumps({"monitorName": name, "state": state}).encode()


def run(house: House, *, publish_after: timedelta | None = None) -> RecordedRun:
    with house.store.reading() as connection:
        posts = read_posts(connection, SINCE, UNTIL, most=10)
    return simulate_recorded(house.config, posts, SINCE, UNTIL, publish_after=publish_after)


def test_a_day_begins_and_ends_by_the_sites_clock() -> None:
    assert datetime(2026, 11, 22, 23, tzinfo=UTC) == SINCE
    assert day_end(date(2026, 10, 25), BERLIN) - day_start(date(2026, 10, 25), BERLIN) == timedelta(hours=25)


def test_what_would_have_been_opened_mailed_and_published_is_told(house: House) -> None:
    arrives(house, 10, says("CRITICAL"))
    arrives(house, 70, says("OK"))
    arrives(house, 600, says("CRITICAL"))
    told = run(house, publish_after=3 * MINUTE)
    first, second = told.outcomes
    assert (first.incident.phase, second.incident.phase) == (Phase.CLOSED, Phase.PUBLISHED)
    assert first.incident.started_at == SINCE + 10 * MINUTE
    assert first.incident.published_at == SINCE + 18 * MINUTE
    assert first.incident.ended_at == SINCE + 70 * MINUTE
    assert (first.to_subscribers, second.to_subscribers) == (2, 1)
    assert first.to_employees == 6, "both are asked, told that it is published, and told that it is over"
    assert (told.posts, told.unreadable, told.unmatched) == (3, 0, ())


def test_another_configuration_would_have_come_to_something_else(house: House) -> None:
    arrives(house, 10, says("CRITICAL"))
    arrives(house, 12, says("OK"))
    assert [one.incident.phase for one in run(house).outcomes] == [Phase.DISCARDED]
    [monitor] = house.config.monitors
    at_once = replace(monitor, wait_time=timedelta(0), auto_publish=True)
    hasty = replace(house, config=replace(house.config, monitors=(at_once,)))
    assert [one.incident.phase for one in run(hasty).outcomes] == [Phase.CLOSED]


def test_other_days_mails_and_replays_are_left_out(house: House) -> None:
    arrives(house, -1, says("CRITICAL"))
    arrives(house, 24 * 60, says("CRITICAL"))
    arrives(house, 20, says("CRITICAL"), replay_of=1)
    with house.store.transaction() as connection:
        inbox_rows.add_many(connection, [Arrival(Door.MAIL, SINCE, b"publish")])
    assert (run(house).posts, run(house).outcomes) == (0, ())


def test_what_cannot_be_read_and_what_no_monitor_takes_is_told(house: House) -> None:
    arrives(house, 1, b"{")
    arrives(house, 2, says("CRITICAL", "Mail Server 9"))
    told = run(house)
    assert (told.unreadable, told.partly_unreadable, told.outcomes) == (1, 0, ())
    assert [(one.name, one.provider) for one in told.unmatched] == [("Mail Server 9", "victorops")]


def test_a_test_that_no_monitor_takes_is_not_missed(house: House) -> None:
    arrives(house, 1, says("INFO", "Toaster"))
    assert run(house).unmatched == ()


def test_what_cannot_be_read_of_a_list_is_counted_and_is_no_name(house: House) -> None:
    reading = Reading(each="post.checks", monitor_name="name", state="is")
    generic = replace(house, config=replace(house.config, readings={"generic": reading}))
    body = b'{"checks": [{"name": "Webmail", "is": "down"}, {"name": "b", "is": "??"}]}'
    arrives(house, 1, body, provider="generic")
    told = run(generic)
    assert (told.unreadable, told.partly_unreadable) == (0, 1)
    assert [(one.name, one.provider) for one in told.unmatched] == [("Webmail", "generic")]


def test_nothing_of_it_is_done(house: House) -> None:
    arrives(house, 1, says("CRITICAL"))
    run(house, publish_after=MINUTE)
    with house.store.reading() as connection:
        assert incidents.listed(connection, limit=9) == ()


def test_more_incidents_than_are_looked_at_are_all_followed_to_their_end(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.actions.simulating.LOOKED_AT", 1)
    [monitor] = house.config.monitors
    each = replace(house, config=replace(house.config, monitors=(replace(monitor, combine_alerts=False),)))
    for minutes in (1, 2, 3):
        arrives(house, minutes, says("CRITICAL"))
    arrives(house, 4, says("OK"))
    assert [one.incident.phase for one in run(each).outcomes] == [Phase.DISCARDED] * 3


def test_too_many_posts_are_refused_with_the_way_out(house: House) -> None:
    for minutes in range(11):
        arrives(house, minutes, says("CRITICAL"))
    with pytest.raises(TooManyPosts, match=r"11 posts were received then, and at most 10 .* shorter span"):
        run(house)


@pytest.mark.parametrize("span", [timedelta(0), -MINUTE, LONGEST + MINUTE])
def test_a_span_of_no_use_is_refused(house: House, span: timedelta) -> None:
    with house.store.reading() as connection, pytest.raises(SpanUnusable):
        read_posts(connection, SINCE, SINCE + span, most=1)
