"""The pages that are made from the code: fresh, and complete."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, TypedDict

import pytest
from click.testing import CliRunner

from service.cli import main
from service.cli.exits import CODES, every_command
from service.cli.reference import FILLED, PAGES, write_pages
from service.cli.reference.mails import variables_of
from service.cli.reference.tables import in_words
from service.config.descriptions import DESCRIPTIONS
from service.config.examples import EXAMPLES
from service.config.json_schema import make_schema, section_in
from service.mail.fact_forms import RenderingFacts
from service.mail.mail_forms import FACTS
from service.mail.rendering import FILTERS
from service.model import DeliveryKind
from service.web.api.routes import OPERATIONS
from tests.cli.running import run

DOCS = Path(__file__).parents[2] / "docs"
COMMANDS = dict(every_command(main))
SCHEMA = make_schema()


@cache
def page(name: str) -> str:
    """Make a page, once for all tests."""
    return PAGES[name]()


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_fresh(name: str) -> None:
    assert (DOCS / name).read_text() == page(name), "what it is made from has changed: run `make docs`"


@pytest.mark.parametrize("name", FILLED)
def test_every_part_of_a_page_that_is_filled_in_is_fresh(name: str) -> None:
    text = (DOCS / name).read_text()

    assert text == FILLED[name](text), "what it is made from has changed: run `make docs`"
    with pytest.raises(ValueError, match="no place"):
        FILLED[name](text.replace("<!-- end -->", ""))


def test_every_page_that_says_that_it_is_made_is_made(tmp_path: Path) -> None:
    made = {file.name for file in DOCS.rglob("*.md") if "by `make docs`" in file.read_text()[:600]}

    write_pages(tmp_path)

    assert made == set(PAGES) == {file.name for file in tmp_path.iterdir()}


def paths(path: str, section: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Give the path, the form and the key of each setting that holds no section."""
    for key, schema in section["properties"].items():
        inner, form = f"{path}.{key}".removeprefix("."), section_in(schema)
        end = {"array": "[]", "object": ".NAME"}.get(schema.get("type", ""), "")
        if form is None:
            yield inner, path, key
        else:
            yield from paths(f"{inner}{end}", SCHEMA["$defs"][form])


SETTINGS = list(paths("", SCHEMA))


def test_every_setting_has_its_row_or_stands_in_a_section_that_is_told_of_elsewhere() -> None:
    told = set(re.findall(r"^\| `([^`]+)` \|", page("config.md"), re.MULTILINE))
    same = re.findall(r"^The same stands in (.*)\.$", page("config.md"), re.MULTILINE)
    elsewhere = {path for line in same for path in re.findall(r"`([^`]+)`", line)}

    missing = {path: section for path, section, _ in SETTINGS if path not in told}
    assert set(missing.values()) == elsewhere == {"mail.imap.oauth"}
    assert told == {path for path, _, _ in SETTINGS} - set(missing)
    assert len(told) > 130


def test_a_row_tells_type_default_meaning_and_an_example() -> None:
    rows = page("config.md").splitlines()
    assert (
        "| `monitors[].wait_time` | span | `0` | Recovered within it: nobody is told. 0: no waiting. "
        "| `wait_time: 5m` |"
    ) in rows
    assert next(row for row in rows if row.startswith("| `site.name` |")).split(" | ")[1:3] == [
        "text",
        "required",
    ]
    assert next(row for row in rows if row.startswith("| `watchdog.no_webhook_for` |")).split(" | ")[1:3] == [
        "span or `off`",
        "`7d`",
    ]


def test_every_setting_that_holds_no_section_has_an_example_and_no_other() -> None:
    forms = {"Form": SCHEMA, **SCHEMA["$defs"]}
    wanted = {
        form: {key for key, one in section["properties"].items() if section_in(one) is None}
        for form, section in forms.items()
    }
    assert {form: set(keys) for form, keys in EXAMPLES.items()} == {
        one: keys for one, keys in wanted.items() if keys
    }
    assert set(wanted) == set(DESCRIPTIONS)


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "text"),
        (
            {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
            "text or list of texts",
        ),
        ({"anyOf": [{"type": "boolean"}, {"enum": ["true", "false"]}]}, "`true` or `false`"),
        (
            {"type": "object", "additionalProperties": {"enum": ["up", "down"]}},
            "mapping of names to `up`, `down`",
        ),
        ({"type": "string", "enum": ["slack", "teams"]}, "`slack`, `teams`"),
        ({"type": "integer"}, "whole number"),
    ],
)
def test_what_a_schema_asks_for_is_said_in_words(schema: dict[str, Any], said: str) -> None:
    assert in_words(schema) == said


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.id)
def test_every_operation_of_the_api_has_its_row_and_its_fields(operation: Any) -> None:  # noqa: ANN401
    title = f"`{operation.method} {operation.path}`"
    section = page("api-operations.md").partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    fields = [
        *operation.names,
        *operation.query.model_fields,
        *(operation.body.model_fields if operation.body is not None else ()),
    ]

    assert f"| [{title}](" in page("api-operations.md")
    assert f"Scope: `{operation.scope}`." in section
    assert [name for name in fields if f"| `{name}` |" not in section] == []


@pytest.mark.parametrize("kind", FACTS)
def test_every_variable_of_a_mail_is_told_of(kind: DeliveryKind) -> None:
    section = page("mail-variables.md").partition(f"\n## `{kind}`\n")[2].partition("\n## ")[0]

    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == set(FACTS[kind].__annotations__)


def test_what_every_template_has_and_every_filter_is_told_of() -> None:
    for name in (*RenderingFacts.__annotations__, *FILTERS):
        assert f"\n| `{name}` |" in page("mail-variables.md")


def test_a_variable_that_does_not_say_what_it_is_is_found() -> None:
    class Facts(TypedDict):
        """Facts with a variable that has no sentence."""

        more: str

    with pytest.raises(KeyError, match="more does not say"):
        variables_of(Facts)


def test_the_exit_codes_of_every_command_are_written_down_and_of_no_other() -> None:
    assert set(CODES) == set(COMMANDS), "write them down in service/cli/exits.py"


@pytest.mark.parametrize("words", sorted(COMMANDS))
def test_every_command_tells_its_exit_codes_and_options(words: str) -> None:
    section = page("cli.md").partition(f"\n## replycast {words}\n")[2].partition("\n## ")[0]
    assert "\nExit code: 0" in section
    for parameter in COMMANDS[words].params:
        assert all(f"{name}" in section for name in parameter.opts if name.startswith("-"))
    assert " ".join(run(*words.split(), "--help").output.split()).find("Exit code: 0") > 0


def test_the_shell_completes_commands_and_their_options() -> None:
    words = {"COMP_WORDS": "replycast inci", "COMP_CWORD": "1", "_REPLYCAST_COMPLETE": "bash_complete"}
    assert completed(words) == ["plain,incidents"]
    words |= {"COMP_WORDS": "replycast publish --y", "COMP_CWORD": "2"}
    assert completed(words) == ["plain,--yes"]


def completed(environment: dict[str, str]) -> list[str]:
    """Ask click as the shell does."""
    result = CliRunner().invoke(main, [], env=environment, prog_name="replycast")
    return result.stdout.split()
