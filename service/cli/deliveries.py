"""`replycast deliveries`: how far updates are on their way to subscribers. It only looks."""

import sys
import time
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console
from rich.live import Live
from rich.table import Table

from service.actions.house import House
from service.app import wall_clock
from service.cli.house import house_of
from service.cli.options import config_option, json_option, load_or_exit, print_json
from service.store import progress
from service.store.progress import LateUpdate

SHOWN: Final = 20
LOOK_AGAIN: Final = 0.5
"""Seconds between two looks of `--watch`."""


@click.command()
@config_option
@json_option
@click.option("--watch", is_flag=True, help="Look again and again, until all are sent; on a terminal only.")
def deliveries(config_path: Path, *, watch: bool, as_json: bool) -> None:
    """Show how far the latest updates are on their way to subscribers: sent, waiting, failed, rate, time left.

    Not sent are those that were called off, as where an incident was over before they left.

    \b
    Example:
      replycast deliveries --watch
    """  # noqa: D301  click's mark for lines that it must not wrap
    with house_of(load_or_exit(config_path, is_beside_service=True)) as house:
        if as_json:
            print_json([_facts(one, wall_clock()) for one in _latest(house)])
        elif watch and sys.stdout.isatty():
            _watch(house)
        else:
            Console().print(_table(_latest(house), wall_clock()))


def _latest(house: House) -> tuple[LateUpdate, ...]:
    with house.store.reading() as connection:
        return progress.latest(connection, limit=SHOWN)


def _watch(house: House) -> None:
    with Live(refresh_per_second=4) as live:
        while True:
            latest = _latest(house)
            live.update(_table(latest, wall_clock()))
            if not any(one.progress.waiting or one.progress.to_queue for one in latest):
                return
            time.sleep(LOOK_AGAIN)


def _table(latest: tuple[LateUpdate, ...], now: datetime) -> Table:
    heads = "update", "about", "sent", "waiting", "failed", "not sent", "per second", "time left"
    table = Table(*heads, box=None)
    for one in latest:
        done = one.progress
        waiting = done.waiting + done.to_queue
        table.add_row(
            f"{one.update_id} {one.status.replace('_', ' ')}",
            one.about,
            f"{done.sent:,}",
            f"{waiting:,}",
            f"{done.failed:,}",
            f"{done.cancelled:,}",
            f"{done.rate(now):,.0f}" if done.sent else "",
            _left(done.time_left(now)) if waiting else "",
        )
    return table


def _left(span: timedelta | None) -> str:
    return "unknown" if span is None else str(timedelta(seconds=round(span.total_seconds())))


def _facts(one: LateUpdate, now: datetime) -> dict[str, Any]:
    left = one.progress.time_left(now)
    return {
        "update_id": one.update_id,
        "about": one.about,
        "status": one.status,
        **asdict(one.progress),
        "waiting": one.progress.waiting,
        "to_queue": one.progress.to_queue,
        "mails_per_second": round(one.progress.rate(now), 1),
        "seconds_left": None if left is None else round(left.total_seconds()),
    }
