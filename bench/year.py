"""A year of 150 alerts a minute on SQLite: whether rows, file, deciding and pages grow from quarter to quarter.

Run it as `python -m bench.year [--alerts 150] [--kept-days 1]`. A year is 78.8 million alerts, of which it lives five
hours by the real decisions, mails and removing: one to begin with, and one at the end of each quarter. The days before
that hour for which rows are kept are copies of the first, whole, and removed by the real sweeps in the next quarter. Of
the days before those only what stays is written: incidents, timelines, updates. All ratios are to the first quarter, in
processor time, which a busy machine changes less than the clock on the wall.
"""

import asyncio
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import click
import httpx2

from service.store import incidents
from service.web.cookies import cookie_name
from service.web.dashboard import routes as dashboard
from service.web.login.letting_in import SESSION_COOKIE
from service.web.public import routes as public
from service.web.public.renderers import RENDERERS
from tests.long_life import GOES, LongLife
from tests.rooms import make_client, make_front
from tests.web.employees import start_session

QUARTERS = 4
DAYS = 91
HOURS_A_DAY = 24
MINUTES = 3
"""For so long one incident gets all alerts: 480 of them are made in a day."""
PAGES = (
    "/dashboard",
    "/dashboard/incidents/{incident}",
    "/dashboard/inbox",
    "/dashboard/deliveries",
    "/dashboard/deliveries?state=lost",
    "/dashboard/monitors",
    "/history",
)


@dataclass(slots=True)
class Quarter:
    """What was found at the end of a quarter."""

    rows: dict[str, int]
    megabytes: float
    figures: dict[str, float] = field(default_factory=dict)
    """Milliseconds of processor time by what took them."""


def live_a_quarter(life: LongLife, kept_days: int, rounds: int) -> Quarter:
    """Let a quarter pass, and measure at its end."""
    life.copy_hours(HOURS_A_DAY * (DAYS - kept_days), whole=False)
    removed, _ = life.keep_house()
    click.echo(f"  {removed:,} rows of the quarter before were removed", err=True)
    life.copy_hours(HOURS_A_DAY * kept_days, whole=True)
    life.keep_house()
    began, deciding = time.process_time(), 0.0

    def turn(decide: Callable[[], bool]) -> bool:
        nonlocal deciding
        begun = time.process_time()
        is_more = decide()
        deciding += time.process_time() - begun
        return is_more

    life.live_an_hour(turn)
    whole = time.process_time() - began
    removed, seconds = _timed(life.keep_house)
    figures = {
        "a decision": 1_000 * deciding / life.alerts,
        "an alert, with its share of mails": 1_000 * whole / life.alerts,
        "to remove 1,000 rows": 1_000_000 * seconds / max(removed, 1),
    }
    asyncio.run(_ask(life, rounds, figures))
    _render(life, rounds, figures)
    return Quarter(dict(life.rows()), _megabytes(life), figures)


def _timed(remove: Callable[[], tuple[int, float]]) -> tuple[int, float]:
    began = time.process_time()
    removed, _ = remove()
    return removed, time.process_time() - began


async def _ask(life: LongLife, rounds: int, figures: dict[str, float]) -> None:
    front = make_front(life.house, life.clock)
    with life.house.store.reading() as connection:
        newest = incidents.listed(connection, limit=1)[0].id
    routes = [*public.ROUTES, *dashboard.ROUTES]
    async with make_client(front, routes) as client:
        client.cookies.set(
            cookie_name(front, SESSION_COOKIE), start_session(life.house, life.clock, "jordan")
        )
        for page in PAGES:
            took = [await _one(client, page.format(incident=newest)) for _ in range(rounds + 1)]
            figures[page] = median(took[1:])  # templates are compiled in the first


async def _one(client: httpx2.AsyncClient, address: str) -> float:
    began = time.process_time()
    answer = await client.get(address)
    if answer.is_error:
        raise click.ClickException(f"{address} answers {answer.status_code}")
    return (time.process_time() - began) * 1_000


def _render(life: LongLife, rounds: int, figures: dict[str, float]) -> None:
    """Render the pages that lie ready for the public."""
    front, took = make_front(life.house, life.clock), []
    for _ in range(rounds + 1):
        began = time.process_time()
        for render in RENDERERS:
            with life.house.store.reading() as connection:
                render(connection, front, life.clock())
        took.append((time.process_time() - began) * 1_000)
    figures["all that the public reads, rendered"] = median(took[1:])


def _megabytes(life: LongLife) -> float:
    """Give how long the file is in use: pages that are free are written to again."""
    with life.house.store.reading() as connection:
        size, count, free = (
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("page_size", "page_count", "freelist_count")
        )
    return float(size * (count - free) / 1e6)


@click.command()
@click.option("--alerts", default=150, show_default=True, help="A minute.")
@click.option("--kept-days", default=1, show_default=True, help="All of `retention`, in days.")
@click.option("--readers", default=20, show_default=True)
@click.option("--rounds", default=9, show_default=True)
def main(alerts: int, kept_days: int, readers: int, rounds: int) -> None:
    """Measure, and print what there is at the end of each quarter, and how it stands to the first."""
    began, found = time.perf_counter(), []
    with tempfile.TemporaryDirectory() as folder:
        given = {
            "kept_days": kept_days,
            "alerts": alerts * 60,
            "episode": alerts * MINUTES,
            "readers": readers,
        }
        life = LongLife.begin(Path(folder), **given)
        for number in range(QUARTERS):
            click.echo(f"quarter {number + 1}, after {time.perf_counter() - began:.0f} s", err=True)
            found.append(live_a_quarter(life, kept_days, rounds))
        life.close()
    _print(found)


def _print(found: list[Quarter]) -> None:
    click.echo(f"{'':62}" + "".join(f"{f'quarter {number + 1}':>14}" for number in range(QUARTERS)))
    for name in found[0].rows:
        kind = "goes" if name in GOES else "stays"
        click.echo(f"{f'rows of {name} ({kind})':62}" + "".join(f"{one.rows[name]:>14,}" for one in found))
    click.echo(f"{'MB of the file in use':62}" + "".join(f"{one.megabytes:>14,.0f}" for one in found))
    for name, first in found[0].figures.items():
        ratios = "".join(f"{one.figures[name] / first:>14.2f}" for one in found[1:])
        click.echo(f"{f'{name}, ms, then times that':62}{first:>14.2f}{ratios}")


if __name__ == "__main__":
    main()
