"""How long each page takes over years of incidents, mails and subscribers, beside the same pages of few rows.

Run it as `python -m bench.dashboard [--incidents 100000 --deliveries 1000000] [--rounds 9]`. It asks the built
application without a network, as an admin who is logged in and as a program with a token. Pages that are rendered
before anybody asks are measured by their renderers too, which is what a change of the public view costs.
"""

import asyncio
import gc
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median

import click
import httpx2

from service.actions.api_tokens import Scope
from service.actions.house import House
from service.actions.recording_states import record_at_start
from service.model import Phase
from service.store import incidents, maintenances
from service.web import api, machine_checks
from service.web.cookies import cookie_name
from service.web.dashboard import routes as dashboard
from service.web.login import routes as login
from service.web.login.letting_in import SESSION_COOKIE
from service.web.public import routes as public
from service.web.public.renderers import RENDERERS
from tests.rooms import Clock, make_client, make_front, make_house
from tests.web.api.programs import make_secret
from tests.web.employees import start_session
from tests.web.every_page import ELSEWHERE, ENDLESS, SEARCHES, WHOLE_LISTS, Known, asked_at, paths_of
from tests.web.years import CONFIG, SPAN, Size, fill

CALLS_A_MINUTE = 1_000_000
BY_TOKEN = frozenset({"/login/{token}", "/subscribe/confirm/{token}", "/unsubscribe/{token}"})
"""What a token in a mail opens reads a few rows by its hash."""
NOT_ASKED = ENDLESS | ELSEWHERE | BY_TOKEN | WHOLE_LISTS
FEW = Size(incidents=100, deliveries=1_000, subscribers=100)

Figures = dict[str, list[float]]
"""By page: milliseconds of each round."""


def known_in(house: House, size: Size) -> Known:
    """Name rows that are there, the newest of each kind; of the incidents one that goes on in public."""
    with house.store.reading() as connection:
        [incident] = incidents.listed(connection, phases=[Phase.PUBLISHED], limit=1)
        [maintenance] = maintenances.listed(connection, limit=1)
    return Known(house.config, incident.id, maintenance.id, 2 * size.incidents, size.subscribers, {})


async def ask(client: httpx2.AsyncClient, pages: Mapping[str, str], rounds: int, figures: Figures) -> None:
    """Ask for each address in turns; the first round is not counted, for templates are compiled in it."""
    for number in range(rounds + 1):
        for page, address in pages.items():
            began = time.perf_counter()
            answer = await client.get(address)
            took = (time.perf_counter() - began) * 1000
            if answer.is_error:
                raise click.ClickException(f"{address} answers {answer.status_code}")
            if number:
                figures.setdefault(page, []).append(took)


def measure_renderers(house: House, clock: Clock, rounds: int, figures: Figures) -> None:
    """Measure what a change of the public view costs, by each renderer."""
    front = make_front(house, clock)
    for number in range(rounds + 1):
        for render in RENDERERS:
            with house.store.reading() as connection:
                began = time.perf_counter()
                render(connection, front, clock())
                took = (time.perf_counter() - began) * 1000
            if number:
                figures.setdefault(f"renders {render.__module__.rpartition('.')[2]}", []).append(took)


def measure(folder: Path, size: Size, rounds: int) -> Figures:
    """Fill a house and ask for everything in it."""
    clock, house = Clock(), make_house(folder, CONFIG)
    with house.store.transaction() as connection:
        record_at_start(connection, house.config, clock() - SPAN)
    began = time.perf_counter()
    fill(folder / "replycast.db", size, clock())
    click.echo(f"{size.incidents:,} incidents were written in {time.perf_counter() - began:.0f} s", err=True)
    front, figures = make_front(house, clock), Figures()
    shown = (*public.ROUTES, *machine_checks.routes, *login.ROUTES, *dashboard.ROUTES)
    routes = [*shown, *api.routes(CALLS_A_MINUTE)]
    known = known_in(house, size)
    gc.collect()
    gc.freeze()  # as the service does at its start
    pages = {
        path + search: address + search
        for path in paths_of(routes)
        if path not in NOT_ASKED
        for address in [asked_at(path, known)]
        for search in ("", *SEARCHES.get(path, ()))
    }
    secret, session = make_secret(house, clock(), *Scope), start_session(house, clock, "jordan")

    async def ask_all() -> None:
        async with make_client(front, routes) as client:
            client.cookies.set(cookie_name(front, SESSION_COOKIE), session)
            client.headers["authorization"] = f"Bearer {secret}"
            await ask(client, pages, rounds, figures)

    asyncio.run(ask_all())
    measure_renderers(house, clock, rounds, figures)
    house.store.close()
    return figures


@click.command()
@click.option("--incidents", "incidents_", default=100_000, show_default=True)
@click.option("--deliveries", default=1_000_000, show_default=True)
@click.option("--subscribers", default=100_000, show_default=True)
@click.option("--rounds", default=9, show_default=True)
@click.option("--above", default=0.0, show_default=True, help="Leave out what took fewer milliseconds.")
def main(incidents_: int, deliveries: int, subscribers: int, rounds: int, above: float) -> None:
    """Measure, and print the median and the worst in milliseconds, and how the median stands to that of few rows."""
    with tempfile.TemporaryDirectory() as folder:
        few = measure(Path(folder) / "few", FEW, rounds)
        many = measure(Path(folder) / "many", Size(incidents_, deliveries, subscribers), rounds)
    click.echo(f"{'':58} {'median':>8} {'worst':>8} {'few rows':>8} {'ratio':>6}")
    for page, figures in sorted(many.items(), key=lambda entry: -median(entry[1])):
        typical, peer = median(figures), median(few[page])
        if typical >= above:
            click.echo(f"{page:58} {typical:8.1f} {max(figures):8.1f} {peer:8.1f} {typical / peer:6.1f}")


if __name__ == "__main__":
    main()
