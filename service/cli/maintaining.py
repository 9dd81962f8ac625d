"""`replycast maintenance`: list, plan, cancel. One transaction on the database; a running service does the rest.

It sends nothing itself: the service finds what was written at its next look, a second later.
"""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import click

from service.actions import maintaining
from service.app import wall_clock
from service.cli.acting import actor, noted
from service.cli.house import house_of
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
from service.config import Config
from service.config.moments import parse_moment
from service.mail.rendering import local_time
from service.model import Maintenance
from service.store import maintenances
from service.web.dashboard.maintenance_form import LONGEST_SUBJECT, LONGEST_TEXT
from service.web.public.maintenance_words import PHASE_WORDS, sentence
from service.workflow.maintenance import MaintenanceDecision, Plan

SHOWN: Final = 1_000

by_option = click.option(
    "--as",
    "--by",
    "by_id",
    metavar="EMPLOYEE",
    default="",
    help="The id of the employee in whose name it is done; left out: the command line's.",
)


@click.group()
def maintenance() -> None:
    """List, plan and cancel maintenance.

    Works on the database of config.yaml, whether the service runs or not. A running service announces what was
    planned or cancelled here within a second or two; one that does not run does so when it is started.
    """


@maintenance.command("list")
@config_option
@json_option
def list_command(config_path: Path, *, as_json: bool) -> None:
    """Show every maintenance, the last planned first.

    \b
    Example:
      replycast maintenance list
    """  # noqa: D301  click's mark for lines that it must not wrap
    config = load_or_exit(config_path, is_beside_service=True)
    with house_of(config) as house, house.store.reading() as connection:
        found = maintenances.listed(connection, limit=SHOWN)
    if as_json:
        print_json([_facts(one) for one in found])
        return
    for one in found:
        click.echo(_line(one, config))
    if not found:
        click.echo("nothing is planned")


@maintenance.command("plan")
@config_option
@json_option
@by_option
@click.option("--subject", required=True, help="What is done, in a few words.")
@click.option("--message", required=True, help="What subscribers read; Markdown.")
@click.option(
    "--component", "components", multiple=True, help="One that is worked on; may be given several times."
)
@click.option(
    "--starts-at", required=True, help="As 2026-12-01 22:00, in the site's time zone or with an offset."
)
@click.option("--ends-at", default="", help="Likewise; or give --duration.")
@click.option("--duration", type=Span(), help="As 2h or 90m, instead of --ends-at.")
@click.option("--remind", type=Span(), help="Remind subscribers so long before, as 24h.")
@click.option("--closing-comment", default="", help="What subscribers read at its end; Markdown.")
@click.option("--audience", multiple=True, help="A group of subscribers who hear of it; left out: everybody.")
def plan_command(
    config_path: Path,
    by_id: str,
    subject: str,
    message: str,
    components: tuple[str, ...],
    starts_at: str,
    ends_at: str,
    duration: timedelta | None,
    remind: timedelta | None,
    closing_comment: str,
    audience: tuple[str, ...],
    *,
    as_json: bool,
) -> None:
    """Plan a maintenance and announce it to subscribers.

    \b
    Example:
      replycast maintenance plan --subject "Database upgrade" --message "Mail may be slow." \\
        --component Email --starts-at "2026-12-01 22:00" --duration 2h --remind 24h
    """  # noqa: D301  click's mark for lines that it must not wrap
    config = load_or_exit(config_path, is_beside_service=True)
    if bool(ends_at) == bool(duration):
        fail("give --ends-at or --duration, and not both", FAULTY)
    begins = _moment(starts_at, "--starts-at", config)
    wanted = Plan(
        subject=" ".join(subject.split()),
        message=message.strip(),
        components=tuple(dict.fromkeys(components)),
        starts_at=begins,
        ends_at=begins + duration if duration else _moment(ends_at, "--ends-at", config),
        remind_at=begins - remind if remind else None,
        closing_comment=closing_comment.strip(),
        audience=tuple(dict.fromkeys(audience)),
    )
    if not wanted.subject or not wanted.message:
        fail("--subject and --message cannot be empty: subscribers read them", FAULTY)
    if (
        len(wanted.subject) > LONGEST_SUBJECT
        or max(len(wanted.message), len(wanted.closing_comment)) > LONGEST_TEXT
    ):
        fail(f"a subject has at most {LONGEST_SUBJECT} characters, a text {LONGEST_TEXT:,}", FAULTY)
    with house_of(config) as house:
        by, now = actor(house, by_id), wall_clock()
        decision = noted(
            house, by, now, "ordered_maintenance", wanted.subject,
            lambda inside: maintaining.plan(inside, wanted, by, now),
            is_told=False,
        )  # fmt: skip
    _tell(decision, config, as_json=as_json)


@maintenance.command("cancel")
@click.argument("number", type=Whole(1))
@config_option
@json_option
@by_option
@click.option("--comment", default="", help="What subscribers read; left out: that it does not take place.")
def cancel_command(number: int, config_path: Path, by_id: str, comment: str, *, as_json: bool) -> None:
    """Call a maintenance off that has not begun, and tell those who heard of it.

    \b
    Example:
      replycast maintenance cancel 3 --comment "It is put off."
    """  # noqa: D301  click's mark for lines that it must not wrap
    config = load_or_exit(config_path, is_beside_service=True)
    with house_of(config) as house:
        by, now = actor(house, by_id), wall_clock()
        decision = noted(
            house, by, now, "ordered_cancellation", f"#{number}",
            lambda inside: maintaining.cancel(inside, number, by, now, comment=comment.strip()),
            is_told=False,
        )  # fmt: skip
    _tell(decision, config, as_json=as_json)


def _moment(text: str, option: str, config: Config) -> datetime:
    try:
        return parse_moment(text, config.site.timezone)
    except ValueError as error:
        fail(f"{option}: `{text}` {error}", FAULTY)


def _tell(decision: MaintenanceDecision, config: Config, *, as_json: bool) -> None:
    if decision.reason.is_refusal:
        said = sentence(decision.reason, decision.maintenance)
        fail(f"{said[:1].lower()}{said[1:]}")
    if as_json:
        print_json(_facts(decision.maintenance) | {"reason": decision.reason})
    else:
        click.echo(_line(decision.maintenance, config))


def _line(one: Maintenance, config: Config) -> str:
    zone = config.site.timezone
    begins, ends = (local_time(at.isoformat(), zone) for at in (one.starts_at, one.ends_at))
    components = ", ".join(one.components) or "no component"
    return f"#{one.id} {PHASE_WORDS[one.phase]}: {one.subject} ({components}), {begins} to {ends}"


def _facts(one: Maintenance) -> dict[str, Any]:
    return {
        "id": one.id,
        "phase": one.phase,
        "subject": one.subject,
        "message": one.message,
        "components": one.components,
        "starts_at": one.starts_at,
        "ends_at": one.ends_at,
        "remind_at": one.remind_at,
        "started_at": one.started_at,
        "ended_at": one.ended_at,
        "closing_comment": one.closing_comment,
        "audience": one.audience,
        "planned_at": one.planned_at,
        "planned_by": one.planned_by,
        "is_from_config": one.config_key is not None,
    }
