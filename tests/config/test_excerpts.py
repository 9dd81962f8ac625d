"""Where each monitor stands in the file."""

from pathlib import Path

import pytest

from service.config import parse
from service.config.excerpts import LONGEST, monitor_excerpts
from tests.rooms import CONFIG

TWO = """\
site: {name: x}
monitors:
  # the first
  - alert_name: [A, "b-*"]
    subject: x

  # the second
  - {alert_name: B, provider: other}

# what comes next
replies:
  languages: [en]
"""


def test_each_monitor_is_cut_out_with_its_lines() -> None:
    first, second = monitor_excerpts(TWO)
    assert (first.key, first.first_line, first.last_line) == ("victorops:A", 4, 5)
    assert first.text == '  - alert_name: [A, "b-*"]\n    subject: x'
    assert (second.key, second.first_line, second.text) == (
        "other:B",
        8,
        "  - {alert_name: B, provider: other}",
    )
    assert [first.holds(line) for line in (3, 4, 5, 6)] == [False, True, True, False]


@pytest.mark.parametrize(
    "text", ["", "- x", "monitors: 7", "monitors: {}", "a: [", "\x00", "monitors: []", "x: 1"]
)
def test_what_has_no_monitors_gives_none(text: str) -> None:
    assert monitor_excerpts(text) == ()


@pytest.mark.parametrize("entry", ["7", "[]", "{}", "{alert_name: []}", "{alert_name: {}}", "text"])
def test_a_monitor_that_is_none_is_shown_as_it_stands(entry: str) -> None:
    (only,) = monitor_excerpts(f"monitors:\n  - {entry}\n")
    assert (only.first_line, only.text) == (2, f"  - {entry}")


def test_what_is_endless_is_cut() -> None:
    lines = "\n".join(f"    k{number}: 1" for number in range(2 * LONGEST))
    (only,) = monitor_excerpts(f"monitors:\n  - alert_name: A\n{lines}\n")
    assert len(only.text.splitlines()) == LONGEST


def test_the_order_and_keys_are_those_of_the_monitors() -> None:
    (monitor,) = parse(CONFIG, Path("config.yaml"), {}).monitors
    assert [one.key for one in monitor_excerpts(CONFIG)] == [monitor.key]
