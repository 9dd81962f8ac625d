"""`replycast inbox` and `replycast replay`: what arrived, and letting a post count once more. One transaction each."""

import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import click

from service.actions import replaying
from service.actions.house import House
from service.actions.simulating import simulate
from service.actions.simulation import GivenPost
from service.actions.simulation_posts import long_enough
from service.app import wall_clock
from service.cli.acting import actor, as_option, noted
from service.cli.house import house_of
from service.cli.logs import redacted
from service.cli.options import (
    FAULTY,
    Span,
    Whole,
    config_option,
    fail,
    json_option,
    load_or_exit,
    print_json,
)
from service.cli.orders import yes_option
from service.cli.simulating import story_facts, story_lines
from service.cli.times import in_zone
from service.config import Config
from service.errors import NotFound
from service.outbox.composing import compose_one
from service.providers.wording import shown
from service.store import inbox_rows, inbox_search
from service.store.inbox_headlines import Headline
from service.store.inbox_rows import Door, InboxRow, InboxState
from service.store.inbox_search import SEARCHED, Wanted
from service.web.dashboard.incident_view import raw_text

SHOWN: Final = 50
RAW_SHOWN: Final = 64 * 1024

number_argument = click.argument("number", type=Whole(1), metavar="ID")


@click.group()
def inbox() -> None:
    """List what arrived, and show one arrival as it was received.

    Reads the database of config.yaml, whether the service runs or not.
    """


@inbox.command("list")
@config_option
@json_option
@click.option("--search", default="", help="Only where a name, reason or explanation holds this text.")
@click.option("--door", type=click.Choice([one.value for one in Door]), help="Only what came in this way.")
@click.option("--state", type=click.Choice([one.value for one in InboxState]), help="Only what stands so.")
@click.option("--reason", default="", help="Only what was decided for this reason, as `no_monitor`.")
@click.option("--limit", type=Whole(1, SEARCHED), default=SHOWN, show_default=True, help="How many at most.")
def list_command(
    config_path: Path,
    search: str,
    door: str | None,
    state: str | None,
    reason: str,
    limit: int,
    *,
    as_json: bool,
) -> None:
    """Show what arrived, the newest first; where something is looked for, among the newest 5,000.

    \b
    Example:
      replycast inbox list --door webhook --state refused
    """  # noqa: D301  click's mark for lines that it must not wrap
    wanted = Wanted(
        door=Door(door) if door else None,
        state=InboxState(state) if state else None,
        reason=reason.strip(),
        text=search.strip(),
        is_by_sender=True,
    )
    config = load_or_exit(config_path, is_beside_service=True)
    with house_of(config) as house, house.store.reading() as connection:
        found = inbox_search.search(connection, wanted, limit=limit)
    if as_json:
        print_json([_facts(one) for one in found.rows])
        return
    for one in found.rows:
        click.echo(_line(one, config.site.timezone))
    if not found.rows:
        where = f"is among the newest {SEARCHED:,} arrivals" if found.is_cut else "has arrived"
        click.echo(f"nothing of this kind {where}")


@inbox.command("show")
@number_argument
@config_option
@json_option
@click.option("--raw", is_flag=True, help="Write the body alone, byte by byte, as it was received.")
def show_command(number: int, config_path: Path, *, raw: bool, as_json: bool) -> None:
    """Show one arrival: what became of it and why, and its body.

    \b
    Example:
      replycast inbox show 17 --raw > payload.txt
    """  # noqa: D301  as above
    config = load_or_exit(config_path, is_beside_service=True)
    with house_of(config) as house:
        row = _found(house, number)
    if raw:
        sys.stdout.buffer.write(row.raw)
        sys.stdout.buffer.flush()
        return
    if as_json:
        print_json(_facts(row) | {"about": dict(row.about), "raw": row.raw.decode("utf-8", "replace")})
        return
    click.echo(_line(row, config.site.timezone))
    if row.authentic:
        click.echo(f"  its sender's: {row.authentic}: {shown(row.evidence)}")
    for name, value in row.about.items():
        click.echo(f"  {name}: {shown(str(value))}")
    body = "its body was removed (`retention.inbox`)" if row.is_removed else raw_text(row.raw, RAW_SHOWN)
    click.echo(f"\n{body}")


@click.command()
@click.argument("numbers", type=Whole(1), nargs=-1, metavar="[ID]...")
@config_option
@json_option
@as_option
@yes_option
@click.option("--since", type=Span(), help="In place of numbers: every post of the last so long, as 2h.")
@click.option("--dry", is_flag=True, help="Only show what would come of it; nothing is stored or sent.")
def replay(
    numbers: tuple[int, ...],
    config_path: Path,
    as_id: str,
    since: timedelta | None,
    *,
    yes: bool,
    dry: bool,
    as_json: bool,
) -> None:
    """Let posts of the inbox count once more, as if they came now: all of them or, where one cannot, none.

    ID is the number that `replycast inbox list` shows. What is replayed can open incidents and write to people; what
    was a replay itself is left out of a span. So it asks, unless --yes is given. With --dry they arrive on a virtual
    clock, as far apart as they did.

    \b
    Examples:
      replycast replay 17 18 --dry
      replycast replay --since 2h
    """  # noqa: D301  as above
    if bool(numbers) == bool(since):
        fail("give either numbers or --since", FAULTY)
    config, now = load_or_exit(config_path, is_beside_service=True), wall_clock()
    with house_of(config) as house:
        by = actor(house, as_id)
        rows = _since(house, now - since) if since else [_found(house, one) for one in dict.fromkeys(numbers)]
        if dry:
            _play(config, rows, now, as_json=as_json)
            return
        if rows and not yes:
            many = "1 post" if len(rows) == 1 else f"{len(rows)} posts"
            click.confirm(f"Replay {many} for real?", abort=True, err=True)
        about = ", ".join(f"#{row.id}" for row in rows)

        def again(inside: House) -> list[int]:
            return [replaying.replay(inside, row.id, by, now) for row in rows]

        replayed = noted(house, by, now, "ordered_replay", about, again) if rows else []
    if as_json:
        print_json([{"id": row.id, "replayed_as": one} for row, one in zip(rows, replayed, strict=True)])
        return
    for row, one in zip(rows, replayed, strict=True):
        click.echo(f"#{row.id} counts once more as #{one}")
    if not rows:
        click.echo("no post arrived in that time")


def _found(house: House, number: int) -> InboxRow:
    with house.store.reading() as connection:
        row = inbox_rows.get(connection, number)
    if row is None:
        raise NotFound(f"nothing in the inbox has the number {number}")
    return row


def _since(house: House, start: datetime) -> list[InboxRow]:
    with house.store.reading() as connection:
        posts = inbox_search.search(connection, Wanted(door=Door.WEBHOOK), limit=SEARCHED)
        lately = [one.id for one in posts.rows if one.received_at >= start]
        if posts.next_before is not None and len(lately) == len(posts.rows):
            fail(f"more than {SEARCHED:,} posts and mails arrived in that time: take a shorter one", FAULTY)
        rows = [inbox_rows.get(connection, number) for number in reversed(lately)]
    return [row for row in rows if row is not None and replaying.REPLAY_OF not in row.about]


def _play(config: Config, rows: Sequence[InboxRow], now: datetime, *, as_json: bool) -> None:
    if any(row.door is not Door.WEBHOOK for row in rows):
        fail("a mail cannot be replayed: its token is used up")
    ordered = sorted(rows, key=lambda row: row.received_at)
    given = [
        GivenPost(row.received_at - ordered[0].received_at, replaying.post_of(row), row.provider)
        for row in ordered
    ]
    simulated = simulate(config, given, long_enough(config, given), start=now, compose=compose_one)
    if as_json:
        print_json(story_facts(simulated))
    else:
        click.echo("\n".join(story_lines(simulated)))


def _line(one: Headline | InboxRow, zone: ZoneInfo) -> str:
    whence = one.provider or one.door
    why = f" ({one.reason})" if one.reason else ""
    told = f": {shown(redacted(one.explanation))}" if one.explanation else ""
    return f"#{one.id}  {in_zone(one.received_at, zone, seconds=True)}  {whence}  {one.state}{why}{told}"


def _facts(one: Headline | InboxRow) -> dict[str, Any]:
    return {
        "id": one.id,
        "door": one.door,
        "provider": one.provider,
        "received_at": one.received_at,
        "size": one.size,
        "state": one.state,
        "attempts": one.attempts,
        "reason": one.reason,
        "explanation": one.explanation,
        "authentic": one.authentic,
        "evidence": one.evidence,
    }
