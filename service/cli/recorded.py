"""`replycast simulate --recorded DAY`: what recorded posts would have come to, for a person and for a script."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, NoReturn

import click

from service.actions.recorded_day import (
    MOST_POSTS_AT_LEISURE,
    Outcome,
    RecordedRun,
    SpanUnusable,
    TooManyPosts,
    day_end,
    day_start,
    read_posts,
    simulate_recorded,
)
from service.cli.house import house_of
from service.cli.options import FAULTY, fail
from service.config import Config
from service.model import Phase
from service.providers.wording import shown


def simulate_day(
    config: Config, day: str, span: timedelta | None, *, publish_after: timedelta | None
) -> RecordedRun:
    """Simulate what was recorded from the start of a day, for a span or to its end; exits where it cannot be."""
    zone = config.site.timezone
    try:
        since = day_start(date.fromisoformat(day), zone)
        until = since + span if span is not None else day_end(date.fromisoformat(day), zone)
    except (ValueError, OverflowError):
        _fail(f"`{day}` is no day: write it as 2026-11-23")
    with house_of(config) as house:
        try:
            with house.store.reading() as connection:
                posts = read_posts(connection, since, until, most=MOST_POSTS_AT_LEISURE)
        except (SpanUnusable, TooManyPosts) as error:
            _fail(str(error))
    return simulate_recorded(config, posts, since, until, publish_after=publish_after)


def _fail(said: str) -> NoReturn:
    fail(said, FAULTY)


def facts_of(run: RecordedRun) -> dict[str, Any]:
    """Give it for a script."""
    return {
        "since": run.since.isoformat(),
        "until": run.until.isoformat(),
        "posts": run.posts,
        "unreadable": run.unreadable,
        "partly_unreadable": run.partly_unreadable,
        "unmatched": list(dict.fromkeys(one.name for one in run.unmatched)),
        "is_cut": run.simulation.is_cut,
        "incidents": [_incident_facts(one) for one in run.outcomes],
    }


def _incident_facts(one: Outcome) -> dict[str, Any]:
    incident = one.incident
    return {
        "tag": incident.tag,
        "monitor": incident.monitor_key,
        "subject": incident.subject,
        "phase": incident.phase,
        "started_at": incident.started_at.isoformat(),
        "published_at": _iso(incident.published_at),
        "ended_at": _iso(incident.ended_at),
        "mails_to_employees": one.to_employees,
        "is_told_to_subscribers": one.to_subscribers > 0,
    }


def lines_of(run: RecordedRun, config: Config) -> Iterator[str]:
    """Say it to a person."""
    zone = config.site.timezone

    def at(moment: datetime) -> str:
        return f"{moment.astimezone(zone):%d %b, %H:%M}"

    were = "was" if run.posts == 1 else "were"
    yield f"{_posts(run.posts)} {were} received from {at(run.since)} until {at(run.until)}."
    yield "Had this config.yaml been in force then, and nothing open before:"
    for one in run.outcomes:
        incident = one.incident
        yield f"{at(incident.started_at)}  {incident.tag} {shown(incident.subject)}"
        published = f", published {at(incident.published_at)}" if incident.published_at else ""
        ended = f" {at(incident.ended_at)}" if incident.ended_at else ""
        # that it is published was just said
        phase = f", {incident.phase}{ended}" if incident.phase is not Phase.PUBLISHED else ""
        mails = f"{one.to_employees} mail{'' if one.to_employees == 1 else 's'} to employees"
        told = f", {one.to_subscribers} to each subscriber" if one.to_subscribers else ""
        yield f"{'':15}{incident.monitor_key}{published}{phase}; {mails}{told}"
    if not run.outcomes:
        yield "no incident would have been opened"
    for name in run.unmatched:
        yield f"! {name.in_words}"
    if run.unreadable:
        yield f"! {_posts(run.unreadable)} could not be read"
    if run.partly_unreadable:
        yield f"! of {_posts(run.partly_unreadable)} a part could not be read"
    if run.simulation.is_cut:
        yield "It would go on; the rest is left out."


def _posts(number: int) -> str:
    return "1 post" if number == 1 else f"{number:,} posts"


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def echo_lines(run: RecordedRun, config: Config) -> None:
    """Print it for a person."""
    click.echo("\n".join(lines_of(run, config)))
