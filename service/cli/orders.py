"""`replycast publish`, `discard`, `hold`, `update`, `close`: what employees order, ordered at the command line.

One transaction on the database each, by the same rules as by mail; a running service tells the rest of the world.
"""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import click

from service.actions import deciding, telling
from service.actions.audience import count_audience
from service.actions.carrying_out import shown_if_published, with_alert
from service.actions.house import House
from service.actions.obeying import DEFAULT_HOLD
from service.actions.policies import policy_for
from service.app import wall_clock
from service.cli.acting import COMMAND_LINE, actor, as_option, noted
from service.cli.house import house_of
from service.cli.options import (
    FAILED,
    FAULTY,
    LAST,
    Span,
    config_option,
    fail,
    json_option,
    load_or_exit,
    print_json,
)
from service.errors import NotFound
from service.model import INCIDENT_STATUSES, Employee, Incident, UpdateStatus
from service.store import incidents, narrative
from service.web.api.shown import IncidentShown
from service.web.dashboard.incident_page import LONGEST_TEXT
from service.workflow import Decision, Reason

_TAG: Final = re.compile(r"\s*#?(?:INC-)?([0-9]{1,19})\s*", re.IGNORECASE)

Order = Callable[[House, Incident, Employee, datetime], Decision]


class Tag(click.ParamType[int]):
    """An incident's name: INC-12, or its number alone."""

    name = "INC-NUMBER"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read its number."""
        found = _TAG.fullmatch(str(value))
        if found is None or not 0 < int(found[1]) <= LAST:
            self.fail(f"`{value}` names no incident: write it as INC-12", param, ctx)
        return int(found[1])


tag_argument = click.argument("number", type=Tag(), metavar="INC-NUMBER")
yes_option = click.option("--yes", is_flag=True, help="Do not ask before it is done.")


@click.command()
@tag_argument
@config_option
@json_option
@as_option
@yes_option
def publish(number: int, config_path: Path, as_id: str, *, yes: bool, as_json: bool) -> None:
    """Publish an incident, or approve it as one of several employees.

    Shows what subscribers would read and exactly how many they are, and asks, unless --yes is given.

    \b
    Example:
      replycast publish INC-12 --as jordan
    """  # noqa: D301  click's mark for lines that it must not wrap

    def order(house: House, incident: Incident, by: Employee, now: datetime) -> Decision:
        approvals = policy_for(house, incident).approvals
        is_to_decide = incident.phase.is_open and not incident.phase.is_public
        if approvals > 1 and by is COMMAND_LINE and is_to_decide:
            fail(f"{incident.tag} needs {approvals} employees to say publish: say who you are with --as")
        if not yes and is_to_decide:
            _show_and_ask(house, incident, now)
        # what was shown is published, or nothing is
        version = incident.text_version
        return _ordered(
            house, by, now, incident, "publish",
            lambda inside: deciding.publish(inside, incident.id, by, now, text_version=version),
        )  # fmt: skip

    _carry_out(config_path, number, as_id, order, as_json=as_json)


@click.command()
@tag_argument
@config_option
@json_option
@as_option
def discard(number: int, config_path: Path, as_id: str, *, as_json: bool) -> None:
    """Discard an incident that is not published; subscribers never hear of it.

    \b
    Example:
      replycast discard INC-8 --as jordan
    """  # noqa: D301  click's mark for lines that it must not wrap
    _carry_out(
        config_path,
        number,
        as_id,
        lambda house, incident, by, now: _ordered(
            house, by, now, incident, "discard", lambda inside: deciding.discard(inside, incident.id, by, now)
        ),
        as_json=as_json,
    )


@click.command()
@tag_argument
@click.argument("span", type=Span(), default=DEFAULT_HOLD, metavar="[SPAN]")
@config_option
@json_option
@as_option
def hold(number: int, span: timedelta, config_path: Path, as_id: str, *, as_json: bool) -> None:
    """Let nothing happen by itself for SPAN, 30m where it is left out.

    \b
    Example:
      replycast hold INC-12 2h
    """  # noqa: D301  as above
    if not span:
        fail("a hold of no time holds nothing: write for example 30m", FAULTY)
    _carry_out(
        config_path,
        number,
        as_id,
        lambda house, incident, by, now: _ordered(
            house, by, now, incident, "hold", lambda inside: deciding.hold(inside, incident.id, by, span, now)
        ),
        as_json=as_json,
    )


@click.command()
@tag_argument
@click.argument("text")
@config_option
@json_option
@as_option
@click.option(
    "--status",
    type=click.Choice([one.value for one in INCIDENT_STATUSES]),
    help="How it stands now; left out: as the last update said. `resolved` closes it.",
)
def update(
    number: int, text: str, config_path: Path, as_id: str, status: str | None, *, as_json: bool
) -> None:
    """Tell those who heard of a published incident more; TEXT is Markdown.

    \b
    Example:
      replycast update INC-12 "We found the cause." --status identified
    """  # noqa: D301  as above
    body = _text(text)

    def order(house: House, incident: Incident, by: Employee, now: datetime) -> Decision:
        stands = UpdateStatus(status) if status else _last_status(house, incident)
        return _ordered(
            house, by, now, incident, "update",
            lambda inside: deciding.post_update(inside, incident.id, by, stands, body, now),
        )  # fmt: skip

    _carry_out(config_path, number, as_id, order, as_json=as_json)


@click.command()
@tag_argument
@config_option
@json_option
@as_option
@click.option("--comment", help="What subscribers read; left out: the monitor's closing comment.")
def close(number: int, config_path: Path, as_id: str, comment: str | None, *, as_json: bool) -> None:
    """Close a published incident, and tell those who heard of it.

    \b
    Example:
      replycast close INC-7 --comment "Mail flows again."
    """  # noqa: D301  click's mark for lines that it must not wrap
    said = "" if comment is None else _text(comment)
    _carry_out(
        config_path,
        number,
        as_id,
        lambda house, incident, by, now: _ordered(
            house,
            by,
            now,
            incident,
            "close",
            lambda inside: deciding.close(inside, incident.id, by, said, now),
        ),
        as_json=as_json,
    )


ORDERS: Final = (publish, discard, hold, update, close)


def _ordered(
    house: House,
    by: Employee,
    now: datetime,
    incident: Incident,
    act: str,
    decide: Callable[[House], Decision],
) -> Decision:
    """Decide, and keep that it was ordered here."""
    return noted(house, by, now, f"ordered_{act}", incident.tag, decide)


def find_incident(house: House, number: int) -> Incident:
    """Read an incident; raises NotFound."""
    with house.store.reading() as connection:
        incident = incidents.get(connection, number)
    if incident is None:
        raise NotFound(f"there is no incident INC-{number}")
    return incident


def _carry_out(config_path: Path, number: int, as_id: str, order: Order, *, as_json: bool) -> None:
    config = load_or_exit(config_path, is_beside_service=True)
    with house_of(config) as house:
        by = actor(house, as_id)
        decision = order(house, find_incident(house, number), by, wall_clock())
        said = _sentence(house, decision)
    refused = decision.reason.is_refusal
    if as_json:
        shown = IncidentShown.model_validate(decision.incident).model_dump(mode="json")
        print_json({"reason": decision.reason, "is_refusal": refused, "said": said, "incident": shown})
    elif not refused:
        click.echo(said)
    if refused:
        fail(said, FAILED)


def _sentence(house: House, decision: Decision) -> str:
    if decision.reason is Reason.REFUSED_TEXT_CHANGED:
        return f"The text of {decision.incident.tag} was changed just now, so nothing was sent: look, and order anew."
    return telling.explain(house, decision)


def _show_and_ask(house: House, incident: Incident, now: datetime) -> None:
    with house.store.reading() as connection:
        reach = count_audience(connection, house, incident)
        cause = with_alert(connection, incident)
    status, body = shown_if_published(house, incident, now, cause)
    click.echo(f"{incident.tag} {incident.subject} ({status})\n\n{body.strip()}\n", err=True)
    click.confirm(
        f"Publish it to {reach.subscribers or 'nobody: no subscriber is concerned'}?", abort=True, err=True
    )


def _last_status(house: House, incident: Incident) -> UpdateStatus:
    with house.store.reading() as connection:
        posted = narrative.updates_of(connection, [incident.id])[incident.id]
    going_on = [one.status for one in posted if one.status in INCIDENT_STATUSES]
    return (
        going_on[-1] if going_on and going_on[-1] is not UpdateStatus.RESOLVED else UpdateStatus.INVESTIGATING
    )


def _text(text: str) -> str:
    body = text.strip()
    if not body:
        fail("the text is empty: subscribers read it", FAULTY)
    if len(body) > LONGEST_TEXT:
        fail(f"the text is too long: {LONGEST_TEXT:,} characters are the most", FAULTY)
    return body
