"""What must be true of a service after any fault, once it is over: DESIGN's promises, looked for in the database.

It only reads, and says each thing that is wrong in one sentence.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from service.model import AlertState, Phase, UpdateStatus
from service.store.database import Store
from service.store.schema import alerts, deliveries, inbox, incidents, joined_alerts, timeline, updates
from tests.faults.load import FIRING, Load

P = Phase
POSSIBLE: Final[dict[Phase | None, set[Phase]]] = {
    None: {P.WAITING, P.UNPUBLISHED, P.PUBLISHED},
    P.WAITING: {P.WAITING, P.UNPUBLISHED, P.PUBLISHED, P.DISCARDED},
    P.UNPUBLISHED: {P.UNPUBLISHED, P.PUBLISHED, P.DISCARDED},
    P.PUBLISHED: {P.PUBLISHED, P.RECOVERED, P.CLOSED},
    P.RECOVERED: {P.RECOVERED, P.PUBLISHED, P.CLOSED},
    P.CLOSED: {P.CLOSED},
    P.DISCARDED: {P.DISCARDED},
}
"""From which phase to which: the picture in docs/architecture.md."""


def broken_promises(store: Store, load: Load, mails: Sequence[tuple[str, str]]) -> list[str]:
    """Say what is wrong after all posts of a load recovered and nothing is left to be done.

    `mails` are recipient and Message-ID of each one that the relay took.
    """
    with store.reading() as connection:
        return [
            *_effects(connection, load),
            *_phases(connection),
            *_audiences(connection),
            *_mails(connection, mails),
        ]


def _effects(connection: Connection, load: Load) -> Iterator[str]:
    """Every accepted webhook has its effect once."""
    yield from (f"two answers named the post {inbox_id}" for inbox_id in load.named_twice)
    states = {row.id: row.state for row in connection.execute(select(inbox.c.id, inbox.c.state))}
    noted: dict[int | None, list[Row[Any]]] = defaultdict(list)
    for alert in connection.execute(select(alerts)):
        noted[alert.inbox_id].append(alert)
    for inbox_id, post in load.accepted.items():
        if states.get(inbox_id) != "done":
            yield f"the accepted post {inbox_id} ({post}) is {states.get(inbox_id, 'gone')}"
        if not noted[inbox_id]:
            yield f"the accepted post {inbox_id} ({post}) has no effect"
        if any(one.entity_id != post.entity_id or one.raw_state != post.state for one in noted[inbox_id]):
            yield f"the post {inbox_id} ({post}) has the effect of another"
        if post.state == FIRING and any(one.incident_id is None for one in noted[inbox_id]):
            yield f"the accepted post {inbox_id} ({post}) fired and belongs to no incident"
    for noted_id, found in noted.items():
        times = Counter(one.incident_id for one in found)
        is_firing = found and found[0].state == AlertState.FIRING
        if any(number > 1 for number in times.values()) or (is_firing and len(times) > 1):
            yield f"the post {noted_id} has its effect more than once: {dict(times)}"
    yield from _firings(connection)


def _firings(connection: Connection) -> Iterator[str]:
    fired: Counter[tuple[int, str | None]] = Counter()
    for alert in connection.execute(select(alerts).where(alerts.c.state == AlertState.FIRING)):
        fired[alert.incident_id, alert.entity_id] += 1
    remembered: Counter[tuple[int, str | None]] = Counter()
    for one in connection.execute(select(joined_alerts)):
        remembered[one.incident_id, one.entity_id] += one.times_fired
    if fired != remembered:
        different = {key for key in fired | remembered if fired[key] != remembered[key]}
        yield f"incidents remember other firings than there were: {sorted(different)[:5]}"


def _phases(connection: Connection) -> Iterator[str]:
    """No incident is in an impossible phase, and each tells how it came there."""
    steps: dict[int, list[Row[Any]]] = defaultdict(list)
    for step in connection.execute(select(timeline).order_by(timeline.c.id)):
        steps[step.incident_id].append(step)
    for incident in connection.execute(select(incidents)):
        name, own = f"INC-{incident.id}", steps[incident.id]
        if incident.phase not in {P.CLOSED, P.DISCARDED} or incident.due_at is not None:
            yield f"{name} is {incident.phase} and due at {incident.due_at}, though all of it recovered"
        if not own or own[0].from_phase is not None or own[-1].to_phase != incident.phase:
            yield f"the timeline of {name} does not lead from nothing to {incident.phase}"
        if any(before.to_phase != after.from_phase for before, after in pairwise(own)):
            yield f"the timeline of {name} has a gap"
        for step in own:
            before = None if step.from_phase is None else Phase(step.from_phase)
            if Phase(step.to_phase) not in POSSIBLE[before]:
                yield f"{name} went from {step.from_phase} to {step.to_phase}"


def _audiences(connection: Connection) -> Iterator[str]:
    """Whoever got "open" gets "closed", nobody else does, and nobody hears of what was never published.

    Nobody hears of what was over before it could be told to anybody.
    """
    told = (
        select(updates.c.incident_id, updates.c.status, deliveries.c.recipient, deliveries.c.sent_at)
        .join(deliveries, deliveries.c.update_id == updates.c.id)
        .where(updates.c.incident_id.is_not(None))
    )
    heard: dict[tuple[int, str], Counter[str]] = defaultdict(Counter)
    for row in connection.execute(told):
        heard[row.incident_id, row.status][row.recipient] += row.sent_at is not None
    for incident in connection.execute(select(incidents)):
        opened = +heard[incident.id, UpdateStatus.INVESTIGATING]
        ended = +heard[incident.id, UpdateStatus.RESOLVED]
        if opened != ended:
            yield f"of INC-{incident.id} {dict(opened)} heard that it opened and {dict(ended)} that it closed"
        if opened and incident.phase == P.DISCARDED:
            yield f"INC-{incident.id} was never published, and {dict(opened)} heard of it"
        if any(times > 1 for times in opened.values()):
            yield f"that INC-{incident.id} opened was told more than once: {dict(opened)}"
    if not any(heard.values()):
        yield "nobody was told of any incident, so nothing was tried"


def _mails(connection: Connection, mails: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Nobody gets the same delivery twice, save as the same mail, and nobody gets what is no delivery."""
    arrived: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for recipient, message_id in mails:
        arrived[message_id.partition("@")[0].rpartition(".")[2].strip("<")].add((recipient, message_id))
    for delivery in connection.execute(select(deliveries)):
        found = arrived.pop(delivery.public_id, set())
        if len(found) > 1:
            yield f"one delivery came as several mails: {sorted(found)}"
        if any(recipient != delivery.recipient for recipient, _ in found):
            yield f"a mail to {delivery.recipient} went to {sorted(found)}"
        if bool(found) != (delivery.sent_at is not None):
            yield f"{delivery.kind} to {delivery.recipient}: sent {delivery.sent_at}, arrived {sorted(found)}"
        if delivery.due_at is not None or delivery.failed_at is not None:
            yield f"{delivery.kind} to {delivery.recipient} was not sent: {delivery.last_error}"
    yield from (f"a mail that is no delivery came: {sorted(found)}" for found in arrived.values())
