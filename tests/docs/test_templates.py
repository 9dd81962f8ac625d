"""docs/templates.md names every variable of a template and no other, and each example is what comes out."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from service.actions.carrying_out import RESOLVED_TEXT
from service.actions.texts import Rendered, closing_variables, opening_variables, render
from service.config import parse
from service.config.template_check import VARIABLES
from service.model import Alert, AlertState, Incident, Phase
from tests.docs.blocks import DOCS
from tests.rooms import CONFIG

_TEXT: Final = (DOCS / "templates.md").read_text()
_CONFIG: Final = parse(CONFIG, Path("config.yaml"), {})
_STARTED_AT: Final = datetime(2026, 11, 24, 12, tzinfo=UTC)
_ALERT: Final = Alert(
    "victorops",
    "Email Server",
    AlertState.FIRING,
    entity_id="mx1",
    raw_state="CRITICAL",
    message="queue is long",
    sent_at=_STARTED_AT - timedelta(minutes=1),
    fields={"host": "mx1"},
)
_MONITOR: Final = _CONFIG.monitors[0]
_OPENING: Final = opening_variables(_MONITOR, _ALERT, _CONFIG.site, incident_id=12, started_at=_STARTED_AT)
_INCIDENT: Final = Incident(
    id=12,
    monitor_key=_MONITOR.key,
    phase=Phase.PUBLISHED,
    subject="Email is unavailable",
    message="We are looking into it.",
    type=_MONITOR.type,
    components=_MONITOR.affected_components,
    authored_by="jordan",
    notify_employees=(),
    started_at=_STARTED_AT,
    due_at=None,
    version=1,
)
_CLOSING: Final = closing_variables(
    _MONITOR, _INCIDENT, _ALERT, _CONFIG.site, now=_STARTED_AT + timedelta(minutes=72)
)


def rows(heading: str) -> list[list[str]]:
    """Give the cells of the table under a heading, without its first two lines."""
    section = _TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [
        [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in lines[2:]
    ]


def names(variables: Mapping[str, Any]) -> Iterator[str]:
    """Give what a template may name, in dotted form."""
    for thing, parts in variables.items():
        yield from (f"{thing}.{part}" for part in parts)


TOLD: Final = rows("Variables")


def test_every_variable_is_told_of_and_no_other() -> None:
    told = {name.strip("`"): where for name, where, _, _ in TOLD}
    assert {name for name, where in told.items() if where == "all"} == set(names(_OPENING))
    assert {name for name, where in told.items() if where == "closing comment"} == set(names(_CLOSING)) - set(
        names(_OPENING)
    )
    assert set(told) == set(names(_CLOSING))
    assert {name.partition(".")[0] for name in told} == set(VARIABLES)


@pytest.mark.parametrize(("name", "example"), [(row[0], row[3]) for row in TOLD])
def test_the_example_of_a_variable_is_what_comes_out(name: str, example: str) -> None:
    assert render("{{ " + name.strip("`") + " }}", _CLOSING, otherwise="") == Rendered(example.strip("`"))


@pytest.mark.parametrize(("template", "result"), rows("What can be done with them"))
def test_each_template_comes_out_as_is_told(template: str, result: str) -> None:
    assert render(template.strip("`"), _OPENING, otherwise="") == Rendered(result.strip("`"))


def test_what_stands_in_for_an_empty_closing_comment_is_told_as_it_is() -> None:
    assert f'"{RESOLVED_TEXT}"' in _TEXT
