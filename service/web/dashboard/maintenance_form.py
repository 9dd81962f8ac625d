"""What employees type about planned work: form fields → a plan, or what to mend about each. It changes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from service.config.moments import parse_moment
from service.config.settings import Config
from service.config.spans import parse_span
from service.workflow.maintenance import Plan

LONGEST_SUBJECT: Final = 500
LONGEST_TEXT: Final = 20_000
"""Characters, as in config.yaml."""
REMINDERS: Final[Mapping[str, str]] = {
    "": "No reminder",
    "1h": "1 hour before",
    "4h": "4 hours before",
    "24h": "a day before",
    "3d": "three days before",
    "7d": "a week before",
}
_OF_TWO: Final[Mapping[str, Literal[0, 1]]] = {"starts_at": 0, "ends_at": 1}
"""Where clocks are put back, which of two like hours a field means: the longer window, for it can take no offset."""


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed: a plan, or by field what is wrong with it."""

    plan: Plan | None
    problems: Mapping[str, str]


def read_plan(form: Mapping[str, str], config: Config) -> Typed:
    """Read the form that plans a maintenance; moments are of the site's time zone."""
    problems: dict[str, str] = {}
    subject = " ".join(form.get("subject", "").split())
    message, closing = form.get("message", "").strip(), form.get("closing_comment", "").strip()
    if not subject:
        problems["subject"] = "Say in a few words what is done."
    elif len(subject) > LONGEST_SUBJECT:
        problems["subject"] = f"This has {len(subject):,} characters; at most {LONGEST_SUBJECT} fit."
    if not message:
        problems["message"] = "Write what subscribers shall read."
    for name, text in (("message", message), ("closing_comment", closing)):
        if len(text) > LONGEST_TEXT:
            problems[name] = f"This text has {len(text):,} characters; at most {LONGEST_TEXT:,} can be sent."
    starts_at = read_moment(form, "starts_at", config.site.timezone, problems)
    ends_at = read_moment(form, "ends_at", config.site.timezone, problems)
    if starts_at and ends_at and ends_at <= starts_at:
        problems["ends_at"] = "It must end after it begins."
    if problems or starts_at is None or ends_at is None:
        return Typed(None, problems)
    remind = _span(form.get("remind", ""))
    plan = Plan(
        subject=subject,
        message=message,
        components=tuple(one.name for one in config.components if f"component:{one.name}" in form),
        starts_at=starts_at,
        ends_at=ends_at,
        remind_at=starts_at - remind if remind else None,
        closing_comment=closing,
        audience=tuple(
            dict.fromkeys(name.strip() for name in form.get("audience", "").split(",") if name.strip())
        ),
    )
    return Typed(plan, {})


def read_moment(
    form: Mapping[str, str],
    name: str,
    zone: ZoneInfo,
    problems: dict[str, str],
    former: datetime | None = None,
) -> datetime | None:
    """Read one field as a moment; where it is none, say so in `problems` and give None.

    `former` is what the field showed: left as it was, it is that very moment, also in an hour that comes twice.
    """
    typed = form.get(name, "").strip()
    if not typed:
        problems[name] = "Choose a day and a time."
        return None
    if former is not None and typed == field_value(former, zone):
        return former
    try:
        return parse_moment(typed, zone, fold=_OF_TWO[name])
    except ValueError as error:
        problems[name] = f"This {error}."
        return None


def field_value(at: datetime, zone: ZoneInfo) -> str:
    """Give a moment as the value of a datetime-local field (HTML, section 2.3.5.4)."""
    return at.astimezone(zone).strftime("%Y-%m-%dT%H:%M")


def which_of_two(at: datetime, zone: ZoneInfo) -> str:
    """Say which one a moment is where its hour comes twice, as clocks are put back; empty for every other."""
    local = at.astimezone(zone)
    if local.utcoffset() == local.replace(fold=1 - local.fold).utcoffset():
        return ""
    place = "second" if local.fold else "first"
    offset = local.isoformat(timespec="minutes")[-len("+01:00") :]
    return f"{local:%H:%M} comes twice that day: this is the {place}, {offset}."


def _span(text: str) -> timedelta:
    return parse_span(text) if text in REMINDERS and text else timedelta(0)
