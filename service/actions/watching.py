"""Looks for what keeps the service from its work, and tells the admins by mail when that begins and ends."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection

from service.actions.house import House
from service.actions.watchdog import (
    TOLD_BY_ALL,
    Facts,
    Problem,
    ProblemName,
    Seen,
    Told,
    ended_title,
    find_problems,
    next_standing,
    not_known_yet,
)
from service.model import DeliveryKind, Role
from service.store import deliveries, observing, standing_problems
from service.store.deliveries import NewDelivery
from service.store.standing_problems import Standing


def problems_seen(connection: Connection, house: House, seen: Seen, now: datetime) -> tuple[Problem, ...]:
    """Give the problems that there are at this moment."""
    return find_problems(_facts(connection, house, seen), house.config.watchdog, now)


def watch(house: House, seen: Seen, now: datetime) -> tuple[Problem, ...]:
    """Look for problems, and tell the admins of what began or ended; gives them.

    Where nothing is new, or another instance tells, it only reads. Of what all can tell the first one does. Raises
    StoreUnavailable.
    """
    with house.store.reading() as connection:
        facts = _facts(connection, house, seen)
        found = find_problems(facts, house.config.watchdog, now)
        unknown = not_known_yet(facts, house.config.watchdog, now)
        told_of = found
        if seen.is_standby:
            told_of = tuple(one for one in found if one.name in TOLD_BY_ALL)
            unknown |= frozenset(ProblemName) - TOLD_BY_ALL
        if not _changes(standing_problems.read_all(connection), told_of, unknown, now):
            return found
    with house.store.transaction() as connection:
        stood = standing_problems.read_all(connection)
        for name, standing, told in _changes(stood, told_of, unknown, now):
            standing_problems.write(connection, name, standing)
            if told is not None:
                detail = seen.config_fault if name is ProblemName.CONFIG_REFUSED else ""
                deliveries.queue(connection, _mails(house, name, standing, told, now, detail), now)
    return found


def _facts(connection: Connection, house: House, seen: Seen) -> Facts:
    posts = observing.last_posts(connection, house.config.webhooks)
    return Facts(
        seen=seen,
        expects_posts=bool(house.config.monitors),
        watched_since=observing.watched_since(connection),
        last_post_at=max(posts.values(), default=None),
        employees_wait_since=observing.employees_wait_since(connection),
        arrivals_wait_since=observing.arrivals_wait_since(connection),
        first_due=observing.first_due(connection),
    )


def _changes(
    stood: Mapping[str, Standing],
    found: tuple[Problem, ...],
    unknown: frozenset[ProblemName],
    now: datetime,
) -> list[tuple[ProblemName, Standing, Told | None]]:
    """Give each problem that stands otherwise than before, and what is to be told of it."""
    by_name = {one.name: one for one in found}
    changes = []
    for name in ProblemName:
        before, problem = stood.get(name), by_name.get(name)
        if problem is None and name in unknown:
            continue
        after, told = next_standing(before, problem, now)
        if after is not None and after != before:
            changes.append((name, after, told))
    return changes


def _mails(
    house: House, name: ProblemName, standing: Standing, told: Told, now: datetime, detail: str
) -> list[NewDelivery]:
    zone = house.config.site.timezone
    since = standing.since.astimezone(zone).strftime("%d %b %Y, %H:%M %Z")
    if told is Told.BEGAN:
        problem = Problem(name, standing.since)
        title, sentences = (
            problem.title,
            [f"This is so since {since}.", *filter(None, [detail]), problem.advice],
        )
        sentences.append("You are told once when it ends, and at most once a day that it began.")
    else:
        until = now.astimezone(zone).strftime("%d %b %Y, %H:%M %Z")
        title, sentences = ended_title(name), [f"It lasted from {since} to {until}."]
    return [
        NewDelivery(
            public_id=house.new_id(),
            occasion=f"watchdog:{name}:{standing.told_at:%Y-%m-%dT%H:%M:%S}:{told}:{admin.id}",
            kind=DeliveryKind.ALARM,
            recipient=admin.email,
            facts={"employee_name": admin.name, "title": title, "sentences": sentences, "incident": None},
            employee_id=admin.id,
        )
        for admin in house.config.employees.values()
        if admin.role is Role.ADMIN
    ]
