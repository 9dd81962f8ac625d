"""`replycast incidents`: list them, or show one with its timeline. It only looks."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import click

from service.actions.house import House
from service.actions.policies import with_approvals_that_count
from service.app import wall_clock
from service.cli.house import house_of
from service.cli.options import Whole, config_option, json_option, load_or_exit, print_json
from service.cli.orders import tag_argument
from service.cli.times import in_zone
from service.model import Incident, Phase
from service.providers.wording import shown
from service.store import audit
from service.store import incidents as stored
from service.web.api.shown import AlertShown, IncidentShown, IncidentWhole, StepShown, UpdateShown
from service.web.dashboard.incident_view import IncidentView, read_incident
from service.web.dashboard.words import PHASE_WORDS, reason_words

SHOWN: Final = 50
MOST_SHOWN: Final = 10_000


@click.group()
def incidents() -> None:
    """List incidents, or show one with its timeline.

    Reads the database of config.yaml, whether the service runs or not.
    """


@incidents.command("list")
@config_option
@json_option
@click.option(
    "--phase",
    "phases",
    type=click.Choice([one.value for one in Phase]),
    multiple=True,
    help="Only those in this phase; may be given several times.",
)
@click.option("--open", "is_open", is_flag=True, help="Only those that have not ended.")
@click.option(
    "--limit",
    type=Whole(1, MOST_SHOWN),
    default=SHOWN,
    show_default=True,
    help="How many at most.",
)
def list_command(
    config_path: Path, phases: tuple[str, ...], limit: int, *, is_open: bool, as_json: bool
) -> None:
    """Show incidents, the newest first.

    \b
    Example:
      replycast incidents list --phase unpublished
    """  # noqa: D301  click's mark for lines that it must not wrap
    config = load_or_exit(config_path, is_beside_service=True)
    wanted = [Phase(one) for one in phases] or [one for one in Phase if one.is_open or not is_open]
    with house_of(config) as house, house.store.reading() as connection:
        found = [
            with_approvals_that_count(house, one)
            for one in stored.listed(connection, phases=wanted, limit=limit)
        ]
    if as_json:
        print_json([IncidentShown.model_validate(one).model_dump(mode="json") for one in found])
        return
    for one in found:
        click.echo(_line(one, config.site.timezone))
    if not found:
        click.echo("there is no such incident")


@incidents.command("show")
@tag_argument
@config_option
@json_option
def show_command(number: int, config_path: Path, *, as_json: bool) -> None:
    """Show one incident: how it stands, what the public was told, what happened and by whom.

    \b
    Example:
      replycast incidents show INC-7
    """  # noqa: D301  click's mark for lines that it must not wrap
    config = load_or_exit(config_path, is_beside_service=True)
    with house_of(config) as house:
        view = read_incident(house, number, wall_clock())
        if as_json:
            print_json(_whole(view))
        else:
            click.echo("\n".join(_lines(house, view)))


def _whole(view: IncidentView) -> dict[str, Any]:
    return IncidentWhole(
        incident=IncidentShown.model_validate(view.incident),
        alerts=tuple(map(AlertShown.model_validate, view.received)),
        updates=tuple(map(UpdateShown.model_validate, view.updates)),
        timeline=tuple(map(StepShown.model_validate, view.timeline)),
    ).model_dump(mode="json")


def _line(one: Incident, zone: ZoneInfo) -> str:
    return f"{one.tag:8} {in_zone(one.started_at, zone)}  {PHASE_WORDS[one.phase]}  {shown(one.subject)}"


def _lines(house: House, view: IncidentView) -> Iterator[str]:
    zone, one = house.config.site.timezone, view.incident
    yield _line(one, zone)
    yield f"  monitor     {shown(one.monitor_key) or 'none: it was opened by hand'}"
    components = (f"{name} ({state.replace('_', ' ')})" for name, state in one.components.items())
    yield f"  components  {', '.join(components) or 'none'}"
    yield f"  subscribers {view.audience.subscribers or 'none'}"
    for label, ahead in zip(("next", "then"), view.steps, strict=False):
        newly = f" ({', '.join(map(house.name_of, ahead.newly))})" if ahead.newly else ""
        yield f"  {label:11} {ahead.words}{newly} at {in_zone(ahead.at, zone)}"
    yield "timeline"
    for step in view.timeline:
        who = "the command line" if step.by == audit.COMMAND_LINE else house.name_of(step.by)
        note = f"; {shown(step.note)}" if step.note else ""
        yield f"  {in_zone(step.at, zone)}  {reason_words(step.reason)} ({who}){note}"
    yield "what the public was told" if view.updates else "what the public would be told"
    for update in view.updates:
        yield f"  {in_zone(update.posted_at, zone)}  {update.status}"
        yield from (f"    | {shown(line)}".rstrip() for line in update.body.strip().splitlines())
    if not view.updates:
        yield from (f"    | {shown(line)}".rstrip() for line in view.first_text.strip().splitlines())
