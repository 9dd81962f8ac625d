"""Simulating what was recorded, over the API: what posts would have come to under the present configuration."""

from datetime import datetime, timedelta

from pydantic import Field

from service.actions.api_tokens import Scope
from service.actions.recorded_day import MOST_POSTS, Outcome, read_posts, simulate_recorded
from service.config.spans import parse_span
from service.model import Phase
from service.web.api.forms import Body, Moment, Span, example
from service.web.api.operations import Call, Operation
from service.web.api.shown import Shown
from service.web.rates import SIMULATIONS_A_MINUTE


class RecordedBody(Body):
    """Which posts, and what else happens."""

    model_config = example(since="2026-11-23T00:00:00+01:00", until="2026-11-24T00:00:00+01:00")
    since: Moment
    until: Moment = Field(description=f"31 days later at most; at most {MOST_POSTS} posts are taken.")
    publish_after: Span | None = Field(
        default=None, description="How long after being asked somebody publishes; null: nobody answers."
    )


class WouldBeIncident(Shown):
    """An incident as it would have been at the end."""

    tag: str
    monitor_key: str
    subject: str
    phase: Phase
    started_at: datetime
    published_at: datetime | None
    ended_at: datetime | None
    mails_to_employees: int
    mails_to_each_subscriber: int


class RecordedShown(Shown):
    """What would have come of what was recorded, with nothing open before."""

    since: datetime
    until: datetime
    posts: int
    unreadable: int = Field(description="Posts that cannot be read.")
    partly_unreadable: int = Field(description="Posts some of whose alerts cannot be read.")
    unmatched: tuple[str, ...] = Field(description="Names that no monitor takes.")
    is_cut: bool = Field(description="Whether it was stopped because it went on too long.")
    incidents: tuple[WouldBeIncident, ...]


def simulate_inbox(call: Call) -> RecordedShown:
    """Let posts of the inbox arrive once more on a virtual clock, and show what would have come of them."""
    said, config = call.said(RecordedBody), call.house.config
    with call.house.store.reading() as connection:
        posts = read_posts(connection, said.since, said.until, most=MOST_POSTS)
    after: timedelta | None = parse_span(said.publish_after) if said.publish_after is not None else None
    run = simulate_recorded(config, posts, said.since, said.until, publish_after=after)
    return RecordedShown(
        since=run.since,
        until=run.until,
        posts=run.posts,
        unreadable=run.unreadable,
        partly_unreadable=run.partly_unreadable,
        unmatched=tuple(dict.fromkeys(one.name for one in run.unmatched)),
        is_cut=run.simulation.is_cut,
        incidents=tuple(map(_incident, run.outcomes)),
    )


def _incident(one: Outcome) -> WouldBeIncident:
    incident = one.incident
    return WouldBeIncident(
        tag=incident.tag,
        monitor_key=incident.monitor_key,
        subject=incident.subject,
        phase=incident.phase,
        started_at=incident.started_at,
        published_at=incident.published_at,
        ended_at=incident.ended_at,
        mails_to_employees=one.to_employees,
        mails_to_each_subscriber=one.to_subscribers,
    )


OPERATIONS = (
    Operation(
        "POST",
        "/inbox/simulate",
        Scope.INBOX_READ,
        simulate_inbox,
        "Simulate what was recorded",
        RecordedShown,
        RecordedBody,
        changes=False,
        most_a_minute=SIMULATIONS_A_MINUTE,
    ),
)
