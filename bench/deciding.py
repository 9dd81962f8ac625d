"""How many alerts a second are decided about from a full inbox, by kind of alert.

Run it as `python -m bench.deciding [--alerts 5000] [--database postgresql]`. Each decision is on disk before the next
one. On a machine that is busy with other things the figures per second of processor time tell more; on PostgreSQL that
is this process's alone.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import click
import orjson

from bench.peers.databases import KINDS, TITLES, folder_on_disk, new_database, usable_kinds
from bench.peers.rows import open_incidents
from service.actions.house import House
from service.jobs import decide_what_is_due
from service.store import inbox_rows
from service.store.inbox_rows import Arrival, Door
from tests.rooms import CONFIG, house_over

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
AT_ONCE = 1_000
"""Posts that are stored together before the measuring."""


def repeated(number: int) -> dict[str, str]:
    """Give an alert of a hundred that fire again and again."""
    return {"monitorName": "Email Server", "state": "CRITICAL", "entityId": f"disk-{number % 100}"}


def unmatched(number: int) -> dict[str, str]:
    """Give an alert that no monitor takes."""
    return {"monitorName": f"Nobody knows {number % 100}", "state": "CRITICAL"}


def opening(number: int) -> dict[str, str]:
    """Give an alert that opens an incident, and then the one that ends it."""
    return {
        "monitorName": "Email Server",
        "state": ("CRITICAL", "OK")[number % 2],
        "entityId": str(number // 2),
    }


@dataclass(frozen=True, slots=True)
class Case:
    """A kind of alerts."""

    name: str
    make: Callable[[int], dict[str, str]]
    open_ones: int = 0
    """Incidents of the monitor that are open besides."""


CASES = (
    Case("repeated, one incident of 100 alerts", repeated),
    Case("the same beside 100,000 open ones of its monitor", repeated, open_ones=100_000),
    Case("opening and ending an incident each", opening),
    Case("of no monitor", unmatched),
)


def posts(make: Callable[[int], dict[str, str]], count: int) -> Iterator[list[Arrival]]:
    """Give the posts in portions."""
    for first in range(0, count, AT_ONCE):
        yield [
            Arrival(
                Door.WEBHOOK,
                NOW,
                orjson.dumps(make(number)),
                provider="victorops",
                about={"content_type": "application/json"},
            )
            for number in range(first, min(first + AT_ONCE, count))
        ]


def work_off(house: House, make: Callable[[int], dict[str, str]], count: int) -> tuple[float, float]:
    """Store the posts, then decide about them; gives seconds, and seconds of processor time."""
    for portion in posts(make, count):
        with house.store.transaction() as connection:
            inbox_rows.add_many(connection, portion)
    begun, busy = time.perf_counter(), time.process_time()
    while decide_what_is_due(house, NOW):
        house.store.checkpoint()
    return time.perf_counter() - begun, time.process_time() - busy


@click.command()
@click.option("--alerts", default=5_000, show_default=True)
@click.option("--database", "kind", type=click.Choice(KINDS), help="On this one alone, not on both.")
def main(alerts: int, kind: str | None) -> None:
    """Measure and print."""
    click.echo(f"{'alerts from a full inbox':62} {'per second':>11} {'per processor second':>21}")
    for one in [kind] if kind else usable_kinds():
        for case in CASES:
            with folder_on_disk() as folder, new_database(one, folder) as database:
                open_incidents(database, case.open_ones, NOW)
                house = house_over(database, folder, CONFIG)
                seconds, busy = work_off(house, case.make, alerts)
                house.store.close()
            click.echo(f"{f'{case.name}, {TITLES[one]}':62} {alerts / seconds:11,.0f} {alerts / busy:21,.0f}")


if __name__ == "__main__":
    main()
