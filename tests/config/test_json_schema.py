"""The JSON Schema of config.yaml: fresh, and of one mind with the loader about what is right."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_type_hints

import jsonschema_rs
import pytest
from pydantic import create_model
from ruamel.yaml import YAML

from service.config import parse
from service.config.descriptions import DESCRIPTIONS
from service.config.examples import EXAMPLES
from service.config.form import Form, keys_of
from service.config.json_schema import make_schema, shipped, written
from service.config.kinds import Section
from service.errors import ConfigFaulty
from tests.config.sample import SAMPLE, SHIPPED
from tests.rooms import CONFIG

FIRST_LINE = re.compile(r"# yaml-language-server: \$schema=(\S+)")


def faults(text: str) -> list[str]:
    """Hold a text against the schema as an editor does."""
    validator = jsonschema_rs.validator_for(make_schema())
    return [error.message for error in validator.iter_errors(YAML(typ="safe").load(text))]


def with_comment_signs_removed(section: str) -> str:
    """Give the shipped file with a section of it turned on."""
    lines = SHIPPED.read_text().splitlines()
    start = lines.index(f"# {section}:")
    end = lines.index("", start)
    lines[start:end] = [line.removeprefix("# ") for line in lines[start:end]]
    return "\n".join(lines)


def test_the_shipped_copy_is_fresh() -> None:
    assert shipped() == written(), "the forms have changed: run `make docs`"


def test_the_shipped_config_names_the_shipped_schema() -> None:
    named = FIRST_LINE.match(SHIPPED.read_text())
    assert named is not None
    assert (SHIPPED.parent / named[1]).read_bytes() == written()


@pytest.mark.parametrize(
    "text",
    [
        SHIPPED.read_text(),
        with_comment_signs_removed("mail"),
        with_comment_signs_removed("maintenance"),
        SAMPLE,
        CONFIG,
    ],
    ids=["shipped", "mail", "maintenance", "sample", "rooms"],
)
def test_every_example_validates(text: str) -> None:
    assert faults(text) == []


SAME_MIND = {
    "a span in units": ("wait_time: 5m", "wait_time: 1h30m", True),
    "no waiting": ("wait_time: 5m", "wait_time: 0", True),
    "a span of the environment": ("wait_time: 5m", 'wait_time: "${WAIT:-5m}"', True),
    "a span without a unit": ("wait_time: 5m", "wait_time: 5", False),
    "units in the wrong order": ("wait_time: 5m", "wait_time: 5m1h", False),
    "a truth in quotes": ("auto_publish: false", 'auto_publish: "false"', True),
    "a yes": ("auto_publish: false", 'auto_publish: "yes"', False),
    "several names": ("alert_name: Email Server", "alert_name: [Email Server, Mail]", True),
    "no name": ("alert_name: Email Server", "alert_name: []", False),
    "a list of components": ("{Email: major_outage}", "[Email, API]", True),
    "a state that there is not": ("{Email: major_outage}", "{Email: broken}", False),
    "a role that there is not": ("role: viewer", "role: boss", False),
    "a misspelt key": ("wait_time:", "wait_tme:", False),
    "a key that is missing": ("    subject: ", "    # subject: ", False),
    "a number for a name": ("name: Acme Status", "name: 42", False),
    "too many approvals": ("combine_alerts: true", "approvals: 100", False),
    "two approvals": ("combine_alerts: true", "approvals: 2", True),
}


@pytest.mark.parametrize(("old", "new", "is_right"), SAME_MIND.values(), ids=SAME_MIND)
def test_it_is_of_one_mind_with_the_loader(old: str, new: str, *, is_right: bool) -> None:
    assert old in CONFIG
    text = CONFIG.replace(old, new)
    assert (faults(text) == []) == is_right
    if is_right:
        assert parse(text, Path("config.yaml"), {}).monitors
    else:
        with pytest.raises(ConfigFaulty):
            parse(text, Path("config.yaml"), {})


def test_it_knows_every_key_of_the_file_and_no_other() -> None:
    assert set(make_schema()["properties"]) == set(keys_of(Form))


def forms(form: type[Section] = Form) -> Iterator[type[Section]]:
    """Give all forms that the file is made of, each as often as it is used."""
    yield form
    for inner in within(tuple(get_type_hints(form, include_extras=True).values())):
        yield from forms(inner)


def within(kinds: tuple[object, ...]) -> Iterator[type[Section]]:
    """Give the forms that are named somewhere in the kinds of values."""
    for kind in kinds:
        if isinstance(kind, type) and issubclass(kind, Section):
            yield kind
        else:
            yield from within(get_args(kind))


def test_every_key_of_every_form_is_described_and_nothing_else() -> None:
    described = {name: set(keys) for name, keys in DESCRIPTIONS.items()}
    assert described == {form.__name__: set(keys_of(form)) for form in forms()}
    assert sum(map(len, described.values())) > 150


EXAMPLE_OF_EACH = sorted(
    {
        (form.__name__, key): (form, key) for form in forms() for key in EXAMPLES.get(form.__name__, ())
    }.values(),
    key=lambda one: (one[0].__name__, one[1]),
)


@pytest.mark.parametrize(("form", "key"), EXAMPLE_OF_EACH, ids=lambda one: getattr(one, "__name__", one))
def test_every_example_is_taken_by_the_loader_and_by_the_schema(form: type[Section], key: str) -> None:
    value = YAML(typ="safe").load(EXAMPLES[form.__name__][key])
    kinds = get_type_hints(form, include_extras=True)
    names = {field.alias or name: name for name, field in form.model_fields.items()}
    section = schema_once()["$defs"].get(form.__name__, schema_once())
    alone = create_model("Alone", __base__=Section, value=(kinds[names[key]], ...))

    alone.model_validate({"value": value})  # raises where the loader would find a fault
    assert jsonschema_rs.is_valid(section["properties"][key], value)


@cache
def schema_once() -> dict[str, Any]:
    """Give the schema, which is made once for all examples."""
    return make_schema()


def test_every_description_is_a_sentence_of_its_own() -> None:
    for form, keys in DESCRIPTIONS.items():
        for key, text in keys.items():
            assert re.fullmatch(r"[A-Z`].{9,}\.", text), (form, key, text)


def test_an_editor_is_shown_a_description_of_every_key() -> None:
    schema = make_schema()
    for section in [schema, *schema["$defs"].values()]:
        for key, shown in section["properties"].items():
            assert shown["description"], key


def test_what_may_be_left_out_says_what_holds_then() -> None:
    monitor = make_schema()["$defs"]["MonitorForm"]
    assert "subject" in monitor["required"]
    assert "wait_time" not in monitor["required"]
    assert monitor["properties"]["wait_time"]["default"] == "0"
    assert monitor["properties"]["if_recovered_unpublished"]["default"] == "discard"
