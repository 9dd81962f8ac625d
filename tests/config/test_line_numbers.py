"""Each key of config.yaml is found by its name, in a file with faults too."""

import pytest

from service.config.excerpts import line_numbers

TEXT = """\
site:
  name: Acme
  url: nonsense

employees:
  - {id: jordan, name: Jordan}
components:
  - name: Email
    group: Office
  - group: No name
monitors: 3
"""


def test_keys_and_entries_of_lists_have_their_lines() -> None:
    lines = line_numbers(TEXT)
    assert {
        name: lines[name] for name in ("site", "site.url", "employees[jordan]", "employees[jordan].name")
    } == {
        "site": 1,
        "site.url": 3,
        "employees[jordan]": 6,
        "employees[jordan].name": 6,
    }
    assert (lines["components[Email]"], lines["components[Email].group"], lines["components[1]"]) == (
        8,
        9,
        10,
    )


@pytest.mark.parametrize("text", ["", "a: [", "\x00", "- 1\n- {a: 1}\n", "just words"])
def test_what_is_no_configuration_has_no_site(text: str) -> None:
    assert "site" not in line_numbers(text)
