"""What we write as iCalendar, another program reads again as it was."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar, Event

from service.web.public.calendar_text import LONGEST_LINE, component, moment, text, texts

# what RFC 5545 has no way to write is taken out before
TEXTS = st.text(st.characters(exclude_categories=["Cc", "Cs"], include_characters="\n\t"), max_size=400)


@given(TEXTS, st.lists(TEXTS.filter(str.strip), min_size=1, max_size=4))
def test_texts_come_back_as_they_were(summary: str, categories: list[str]) -> None:
    told = (("UID", "1"), ("SUMMARY", text(summary)), ("CATEGORIES", texts(categories)))
    written = component("VCALENDAR", (("VERSION", "2.0"),), component("VEVENT", told))
    (event,) = Calendar.from_ical(written).walk("VEVENT")
    assert event["summary"] == summary
    assert isinstance(event, Event)
    assert event.categories == categories


@given(TEXTS)
def test_no_line_is_too_long_and_no_letter_is_cut_in_two(value: str) -> None:
    written = component("VEVENT", (("SUMMARY", text(value)),))
    lines = written.split(b"\r\n")
    assert lines.pop() == b""
    assert max(map(len, lines)) <= LONGEST_LINE
    assert all(line.decode() for line in lines)
    assert b"\n" not in b"".join(lines)


def test_a_time_is_in_utc() -> None:
    assert moment(datetime.fromisoformat("2026-11-24T13:00:00+01:00")) == "20261124T120000Z"
    assert moment(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) == "20260102T030405Z"
