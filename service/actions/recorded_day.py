"""What recorded posts would have come to under the present configuration: read from the inbox, then simulated.

Nothing is sent or stored. A post that an admin replayed counts once, when it first came.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from service.actions.alert_words import Unmatched, is_news, unmatched
from service.actions.replaying import REPLAY_OF
from service.actions.simulating import Bounds, simulate
from service.actions.simulation import Cause, GivenPost, Simulation
from service.actions.simulation_posts import LONGEST, long_enough
from service.config.settings import Config
from service.errors import PermanentFault
from service.model import DeliveryKind, Incident
from service.providers.post import RawPost
from service.store import recorded
from service.store.recorded import RecordedPost

DAY: Final = timedelta(days=1)
MOST_POSTS: Final = 200
"""Of a simulation that somebody waits for at a page: each takes some hundredths of a second."""
MOST_POSTS_AT_LEISURE: Final = 5_000
"""At the command line."""
STEPS_A_POST: Final = 10
"""Steps and mails for each post, on average, after which it ends."""
TO_SUBSCRIBERS: Final = frozenset({DeliveryKind.SUBSCRIBER_UPDATE, DeliveryKind.SUBSCRIBER_POSTMORTEM})


class TooManyPosts(PermanentFault):
    """More posts were recorded than can be simulated at once; the text says how to ask for fewer."""


class SpanUnusable(PermanentFault):
    """A span to simulate is too long, or has no length at all."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """An incident as it would have been at the end, and how many mails would have gone out about it by then."""

    incident: Incident
    to_employees: int
    to_subscribers: int
    """To the one example subscriber who stands for all."""


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """What would have come of what was recorded."""

    since: datetime
    until: datetime
    posts: int
    unreadable: int
    partly_unreadable: int
    """Posts some of whose alerts cannot be read."""
    unmatched: tuple[Unmatched, ...]
    """Names that no monitor takes now, in the order in which they came."""
    outcomes: tuple[Outcome, ...]
    """By incident, the first to open first."""
    simulation: Simulation


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """Tell when a day begins by the site's clock."""
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def day_end(day: date, zone: ZoneInfo) -> datetime:
    """Tell when a day ends: it has 23 or 25 hours twice a year."""
    return day_start(day + DAY, zone)


def read_posts(
    connection: Connection, since: datetime, until: datetime, *, most: int
) -> tuple[RecordedPost, ...]:
    """Read what was recorded from a time until before another. Raises SpanUnusable and TooManyPosts."""
    if not timedelta(0) < until - since <= LONGEST:
        raise SpanUnusable(f"choose a span of up to {LONGEST.days} days that ends after it begins")
    number = recorded.count_posts(connection, since, until)
    if number > most:
        raise TooManyPosts(
            f"{number:,} posts were received then, and at most {most:,} can be simulated at once: "
            "choose a shorter span"
        )
    found = recorded.posts(connection, since, until, limit=most)
    return tuple(one for one in found if REPLAY_OF not in one.about)


def simulate_recorded(
    config: Config,
    posts: Sequence[RecordedPost],
    since: datetime,
    until: datetime,
    *,
    publish_after: timedelta | None = None,
) -> RecordedRun:
    """Let recorded posts arrive as they did, with nothing open before, and say what would have come of them.

    It looks on past the end, until what the last posts set off is over.
    """
    given = [_given(one, since) for one in posts]
    simulation = simulate(
        config,
        given,
        max(until - since, long_enough(config, given)),
        start=since,
        compose=None,
        publish_after=publish_after,
        bounds=Bounds(steps=STEPS_A_POST * (len(given) + 10), mails=STEPS_A_POST * (len(given) + 10)),
    )
    of_posts = [step for step in simulation.steps if step.cause is Cause.POST]
    names = dict.fromkeys(
        (match.alert.monitor_name, match.alert.provider)
        for step in of_posts
        for match in step.matches
        if not match.monitor_key and not is_news(match.alert)
    )
    return RecordedRun(
        since=since,
        until=until,
        posts=len(posts),
        unreadable=sum(bool(step.complaint) for step in of_posts),
        partly_unreadable=sum(bool(step.lost) for step in of_posts),
        unmatched=tuple(unmatched(name, provider, config.monitors) for name, provider in names),
        outcomes=_outcomes(simulation),
        simulation=simulation,
    )


def _given(post: RecordedPost, since: datetime) -> GivenPost:
    raw = RawPost(post.raw, str(post.about.get("content_type", "")), post.about.get("query", {}))
    return GivenPost(post.received_at - since, raw, post.provider)


def _outcomes(simulation: Simulation) -> tuple[Outcome, ...]:
    last = {incident.id: incident for step in simulation.steps for incident in step.incidents}
    mails = [(one.incident_id, one.kind in TO_SUBSCRIBERS) for one in simulation.mails]
    return tuple(
        Outcome(incident, mails.count((number, False)), mails.count((number, True)))
        for number, incident in sorted(last.items())
    )
