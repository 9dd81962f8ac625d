"""How long things are kept, and which ids no employee may have because the record of acts uses them itself."""

from datetime import timedelta

import pytest

from tests.config.sample import SAMPLE, changed, faults_of, marked, read


def test_what_people_did_is_kept_two_years_where_nothing_is_said() -> None:
    assert read(SAMPLE).retention.audit == timedelta(days=730)


def test_it_is_kept_as_long_as_is_said() -> None:
    assert read(f"{SAMPLE}retention: {{audit: 90d}}\n").retention.audit == timedelta(days=90)


def test_bodies_are_kept_two_years_or_as_long_as_is_said() -> None:
    assert read(SAMPLE).retention.inbox == timedelta(days=730)
    assert read(f"{SAMPLE}retention: {{inbox: 30d}}\n").retention.inbox == timedelta(days=30)


def test_posts_and_deliveries_are_listed_for_a_time_or_as_long_as_is_said() -> None:
    assert read(SAMPLE).retention.alerts == timedelta(days=1095)
    assert read(SAMPLE).retention.deliveries == timedelta(days=400)
    shorter = read(f"{SAMPLE}retention: {{alerts: 30d, deliveries: 14d}}\n").retention
    assert (shorter.alerts, shorter.deliveries) == (timedelta(days=30), timedelta(days=14))


@pytest.mark.parametrize(
    ("said", "fragment"),
    [
        ("{audit: ¦23h}", "is too short for anybody to look: 1d is the least"),
        ("{audit: ¦0}", "1d is the least"),
        ("{inbox: ¦1h}", "1d is the least"),
        ("{alerts: ¦1h}", "1d is the least"),
        ("{deliveries: ¦1h}", "1d is the least"),
        ("{audit: ¦3651d}", "is too long: 3650d is the most"),
        ("{audit: ¦for ever}", "is not a span of time"),
        ("{¦audits: 90d}", "did you mean `audit`?"),
    ],
)
def test_a_fault_points_at_its_place(said: str, fragment: str) -> None:
    text, line, column = marked(f"{SAMPLE}retention: {said}\n")
    (fault,) = faults_of(text)
    assert fragment in fault.text
    assert (fault.line, fault.column) == (line, column)


@pytest.mark.parametrize("taken", ["automatic", "cli", "CLI", "nobody", "token"])
def test_no_employee_may_be_taken_for_a_program(taken: str) -> None:
    text, line, column = marked(changed("id: vic", f"id: ¦{taken}", SAMPLE))
    (fault,) = faults_of(text)
    assert "take another id" in fault.text
    assert (fault.line, fault.column) == (line, column)
