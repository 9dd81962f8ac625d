"""Text that is no YAML, or YAML of a kind that has no place in config.yaml."""

import pytest

from service.config.yaml_text import read_document
from service.errors import ConfigFaulty
from tests.config.sample import SAMPLE, changed, faults_of, marked


@pytest.mark.parametrize(
    ("value", "fragment"),
    [
        ("¦*b", "must stand in quotes"),
        ("¦* b", "begins with * or & must stand in quotes"),
        ("¦@b", "must stand in quotes"),
        ("¦%b", "must stand in quotes"),
        ("{{ x }} ¦down", "a text that begins with {{ must stand in quotes"),
        ("{b: $¦{A}}", "a text with ${ } must stand in quotes"),
        ("b¦: c", "no `:` can stand here"),
        ("¦'b", "this quotation mark is never closed"),
        ("¦[b", "this bracket is never closed"),
        ('"\\¦d"', "a backslash in double quotes must be doubled"),
        ("¦\x07", "the character U+0007 cannot stand in YAML"),
    ],
)
def test_a_syntax_fault_is_one_fault_with_its_place_and_a_hint(value: str, fragment: str) -> None:
    text, line, column = marked(f"site: x\na: {value}")
    (fault,) = faults_of(text)
    assert fragment in fault.text
    assert (fault.line, fault.column) == (line, column)


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ("a:\n¦\tb: c\n", "a tab stands here: indent with spaces"),
        ("a: b\n¦---\nc: d\n", "a second document begins here"),
        ("a: b\n¦- c\n", "this does not fit what stands above"),
        ("a: b\nc\n¦d: e\n", "a `:` with a space after it is missing"),
        ("¦- a\n- b\n", "the file must consist of `name: value` lines"),
        ("¦just words", "the file must consist of `name: value` lines"),
        ("a: " + "[" * 19 + "¦[]", "nested too deeply"),
    ],
)
def test_a_text_of_the_wrong_build_is_one_fault(text: str, fragment: str) -> None:
    text, line, column = marked(text)
    (fault,) = faults_of(text)
    assert fragment in fault.text
    assert (fault.line, fault.column) == (line, column)


@pytest.mark.parametrize(
    ("old", "new", "fragment"),
    [
        (
            "type: informational",
            "type: x\n    ¦type: y",
            "`type` stands here a second time (first in line 12)",
        ),
        (
            "subject: Email is down",
            "subject: ¦{{ alert.x }}",
            "a text that begins with {{ must stand in quotes",
        ),
        ("type: informational", "type: ¦!!python/name:os.system x", "must stand in quotes"),
        ("type: informational", "type: ¦!secret x", "must stand in quotes"),
        (
            "notify_employees: [jordan]",
            "notify_employees: [jordan, ¦~]",
            "this entry of the list has no value",
        ),
        ("type: informational", "type: x\n    ¦<<: {a: b}", "merge keys (`<<`) are not YAML 1.2"),
        ("type: informational", 'type: ¦"a\\u0007b"', "holds a control character"),
        ("type: informational", 'type: ¦"\\ud800"', "holds a control character"),
        ("type: informational", 'type: x\n    ¦"a\\e": y', "this key holds a control character"),
    ],
)
def test_what_yaml_allows_and_config_yaml_does_not(old: str, new: str, fragment: str) -> None:
    text, line, column = marked(changed(old, new))
    (fault,) = faults_of(text)
    assert fragment in fault.text
    assert (fault.line, fault.column) == (line, column)


def test_every_duplicate_key_is_reported() -> None:
    faults = faults_of(SAMPLE + "components: []\nmonitors: []\n")
    assert [one.line for one in faults] == [18, 19]


LAUGHS = "a: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{f'*a{n - 1}, ' * 9}]\n" for n in range(1, 9))


@pytest.mark.parametrize(
    "text",
    ["a: &a [*a, *a]", LAUGHS, "[" * 100_000, "a: " + "{b: " * 1_000],
    ids=["endless", "multiplying", "deep lists", "deep mappings"],
)
def test_a_bomb_is_refused(text: str) -> None:
    with pytest.raises(ConfigFaulty, match=r"endless|nested too deeply"):
        read_document(text, "config.yaml")


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("0x1F", 31), ("0o17", 15), ("010", 10), ("-3", -3), ("1.5", 1.5), ("1e3", 1000.0),
        ("1_000", "1_000"), ("1:30", "1:30"), (".inf", ".inf"), ("9" * 5000, "9" * 5000),
        ("true", True), ("FALSE", False), ("on", "on"), ("2026-11-24", "2026-11-24"), ("'7'", "7"), ("!!str 7", "7"),
    ],
)  # fmt: skip
def test_a_scalar_is_what_yaml_1_2_says(written: str, value: object) -> None:
    document, faults = read_document(f"a: {written}", "config.yaml")
    assert (document.tree, faults) == ({"a": value}, [])


def test_the_yaml_1_1_directive_does_not_bring_back_its_booleans() -> None:
    document, _ = read_document("%YAML 1.1\n---\na: no\nb: 1:30\n", "config.yaml")
    assert document.tree == {"a": "no", "b": "1:30"}
