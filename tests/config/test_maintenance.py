"""Planned windows of config.yaml, and groups of subscribers."""

from datetime import UTC, datetime, timedelta

import pytest

from service.config.settings import Window
from tests.config.sample import SAMPLE, changed, faults_of, marked, read

LAST = "    closing_comment: It works again.\n"
LEAST = ["subject: Upgrade", "message: We upgrade.", "starts_at: 2026-12-01 22:00", "duration: 2h"]


def with_window(*lines: str, site: str = "site: {name: Acme, timezone: Europe/Berlin, ") -> str:
    """Give the sample with a window of these lines."""
    window = "\n    ".join(lines)
    return changed("site: {name: Acme, ", site, SAMPLE) + f"maintenance:\n  - {window}\n"


def window_of(*lines: str) -> Window:
    return read(with_window(*lines)).maintenance[0]


def test_the_least_is_a_subject_a_message_and_when() -> None:
    assert window_of(*LEAST) == Window(
        subject="Upgrade",
        message="We upgrade.",
        components=(),
        starts_at=datetime(2026, 12, 1, 21, tzinfo=UTC),
        ends_at=datetime(2026, 12, 1, 23, tzinfo=UTC),
    )


def test_all_of_it() -> None:
    more = ["components: [Email]", "remind: 24h", "closing_comment: Done.", "audience: [Partners, Partners]"]
    window = window_of(*LEAST, *more)
    assert (window.components, window.remind) == (("Email",), timedelta(hours=24))
    assert (window.closing_comment, window.audience) == ("Done.", ("Partners",))


@pytest.mark.parametrize(
    ("written", "hour"),
    [
        ("2026-12-01 22:00", 21),
        ("2026-12-01T22:00", 21),
        ("2026-12-01 22:00:00", 21),
        ('"2026-12-01 22:00+02:00"', 20),
        ("2026-12-01T22:00Z", 22),
        ("2026-07-01 22:00", 20),
    ],
)
def test_a_moment_is_of_the_sites_time_zone_unless_it_has_an_offset(written: str, hour: int) -> None:
    window = window_of("subject: U", "message: M", f"starts_at: {written}", "duration: 1h")
    assert window.starts_at.hour == hour


def test_it_may_end_at_a_moment() -> None:
    window = window_of("subject: U", "message: M", "starts_at: 2026-12-01 22:00", "ends_at: 2026-12-02 01:00")
    assert window.ends_at - window.starts_at == timedelta(hours=3)


def test_one_of_the_past_may_stay_in_the_file() -> None:
    window = window_of("subject: U", "message: M", "starts_at: 2001-12-01 22:00", "duration: 1h")
    assert window.starts_at.year == 2001


def test_the_hour_that_comes_twice_needs_its_offset() -> None:
    lines = ("subject: U", "message: M", "starts_at: 2026-10-25 02:30+01:00", "duration: 1h")
    assert window_of(*lines).starts_at == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("lines", "fragment"),
    [
        ([*LEAST[:2], "starts_at: ¦tomorrow", "duration: 2h"], "`tomorrow` is not a date and time"),
        ([*LEAST[:2], "starts_at: ¦2026-02-30 10:00", "duration: 2h"], "is no day or time that exists"),
        ([*LEAST[:2], "starts_at: ¦2027-03-28 02:30", "duration: 2h"], "does not exist in Europe/Berlin"),
        ([*LEAST[:2], "starts_at: ¦2026-10-25 02:30", "duration: 2h"], "comes twice in Europe/Berlin"),
        ([*LEAST[:2], "starts_at: ¦2026-12-01", "duration: 2h"], "is not a date and time"),
        ([*LEAST[:2], "¦starts_at: 2026-12-01 22:00"], "its end is missing"),
        ([*LEAST, "ends_at: ¦2026-12-01 21:00"], "is not after `starts_at`"),
        ([*LEAST[:3], "¦duration: 2h", "ends_at: 2026-12-01 23:00"], "`ends_at` or `duration`, not both"),
        ([*LEAST[:3], "duration: ¦0"], "`0` is no time at all"),
        ([*LEAST, "remind: ¦0"], "`0` is no time at all: leave it out"),
        ([*LEAST, "remind: ¦24"], "has no unit"),
        ([*LEAST, "components: [¦Emial]"], "unknown component `Emial`, did you mean `Email`?"),
        ([*LEAST, "components: ¦Email"], "`components` must be a list"),
        ([*LEAST, "audience: ¦Partners"], "`audience` must be a list"),
        ([*LEAST, "¦closing: x"], "unknown key `closing`"),
        (["¦subject: U", *LEAST[2:]], "`message` is missing"),
    ],
)
def test_a_faulty_window_is_named_with_its_place(lines: list[str], fragment: str) -> None:
    text, line, column = marked(with_window(*lines))
    found = [(one.line, one.column, one.text) for one in faults_of(text) if fragment in one.text]
    assert [(at_line, at_column) for at_line, at_column, _ in found] == [(line, column)]


def test_two_windows_of_one_name_and_beginning_cannot_be_told_apart() -> None:
    text = (
        with_window(*LEAST)
        + "  - {subject: Upgrade, message: M, starts_at: 2026-12-01T21:00Z, duration: 1h}\n"
    )
    (fault,) = faults_of(text)
    assert "is planned for this time already (line" in fault.text


def test_without_a_time_zone_moments_are_in_utc() -> None:
    text = with_window(*LEAST, site="site: {name: Acme, ")
    assert read(text).maintenance[0].starts_at == datetime(2026, 12, 1, 22, tzinfo=UTC)


def test_a_monitor_may_name_groups_of_subscribers() -> None:
    text = changed(LAST, f"{LAST}    audience: [Partners, Staff, Partners]\n", SAMPLE)
    assert read(text).monitors[0].audience == ("Partners", "Staff")
    assert read(SAMPLE).monitors[0].audience == ()
