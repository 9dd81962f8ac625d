"""Spans of time."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.config.spans import LONGEST, format_span, parse_span


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("0", 0), ("0s", 0), ("90s", 90), ("5m", 300), ("1h30m", 5400), ("72h", 259_200),
        ("2d", 172_800), ("1d2h3m4s", 93_784), (" 5M ", 300), ("31d", 2_678_400),
    ],
)  # fmt: skip
def test_a_span_is_read(written: str, seconds: int) -> None:
    assert parse_span(written) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("written", "fragment"),
    [
        ("5", "write for example 5m or 300s"),
        ("1.5", "has no unit"),
        ("-5m", "is negative"),
        ("32d", "31d is the most"),
        ("999999999d", "31d is the most"),
        ("9999999999999s", "is not a span"),
        ("", "is not a span"),
        ("5 min", "is not a span"),
        ("1.5h", "is not a span"),
        ("30m1h", "is not a span"),
        ("5m5m", "is not a span"),
        ("\N{ARABIC-INDIC DIGIT FIVE}m", "is not a span"),
    ],
)
def test_what_is_no_span_is_refused_with_a_hint(written: str, fragment: str) -> None:
    with pytest.raises(ValueError, match=fragment):
        parse_span(written)


@given(st.integers(min_value=0, max_value=int(LONGEST.total_seconds())))
def test_what_is_written_is_read_back(seconds: int) -> None:
    assert parse_span(format_span(timedelta(seconds=seconds))) == timedelta(seconds=seconds)


@given(st.text())
def test_any_text_is_a_span_within_bounds_or_refused(text: str) -> None:
    try:
        span = parse_span(text)
    except ValueError:
        return
    assert timedelta(0) <= span <= LONGEST
