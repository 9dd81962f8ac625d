"""Values of JSON columns come back as they were, whoever wrote them."""

import json
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.store import json_text

NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
LEAVES = st.none() | st.booleans() | NUMBERS | st.text(st.characters(codec=None))
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
)


class Word(StrEnum):
    """A word, as many columns hold."""

    HELD = "held"


@given(value=VALUES)
def test_what_is_written_is_read(value: object) -> None:
    assert json_text.read(json_text.write(value)) == value


@given(value=VALUES)
def test_what_python_wrote_is_read_and_the_other_way_round(value: object) -> None:
    assert json_text.read(json.dumps(value)) == value
    assert json.loads(json_text.write(value)) == value


def test_words_and_tuples_are_written_as_python_writes_them() -> None:
    assert json_text.write({"word": Word.HELD, "all": (1, "é")}) == '{"word":"held","all":[1,"é"]}'


@pytest.mark.parametrize("value", [object(), {1, 2}, b"raw"])
def test_what_json_does_not_know_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        json_text.write(value)


@pytest.mark.parametrize("text", ["", "{", "nul", b"\xff"])
def test_what_is_no_json_is_refused(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        json_text.read(text)
