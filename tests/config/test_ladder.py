"""The ladder, approvals, and what becomes of an unpublished incident that recovered."""

from datetime import timedelta

import pytest

from service.model import IfRecovered, LastResort, Monitor, Rung
from tests.config.sample import SAMPLE, changed, faults_of, marked, read

ANA = "  - {id: ana, name: Ana, email: ana@acme.example}\ncomponents:"
LAST = "    closing_comment: It works again.\n"


def with_lines(*lines: str) -> str:
    """Give the sample with another publisher and further lines in its monitor."""
    return changed(
        LAST, LAST + "".join(f"    {line}\n" for line in lines), changed("components:", ANA, SAMPLE)
    )


def monitor_of(*lines: str) -> Monitor:
    return read(with_lines(*lines)).monitors[0]


def test_a_ladder_tells_others_reminds_and_ends() -> None:
    written = "escalate: [{after: 10m, notify: [ana]}, {after: 20m}, {after: 1h, then: discard}]"
    assert monitor_of(written).escalate == (
        Rung(timedelta(minutes=10), ("ana",)),
        Rung(timedelta(minutes=20)),
        Rung(timedelta(hours=1), then=LastResort.DISCARD),
    )


def test_a_ladder_may_be_empty() -> None:
    assert monitor_of("escalate: []").escalate == ()


def test_those_who_were_asked_may_be_reminded() -> None:
    assert monitor_of("remind_every: 10m").remind_every == timedelta(minutes=10)


@pytest.mark.parametrize("written", ["2", '"${APPROVALS:-2}"'])
def test_two_may_have_to_say_publish(written: str) -> None:
    assert monitor_of(f"approvals: {written}", "escalate: [{after: 5m, notify: [ana]}]").approvals == 2


@pytest.mark.parametrize("written", IfRecovered)
def test_a_recovered_incident_may_be_kept_or_published(written: IfRecovered) -> None:
    assert monitor_of(f"if_recovered_unpublished: {written}").if_recovered_unpublished is written


@pytest.mark.parametrize(
    ("lines", "fragment"),
    [
        # rungs
        (["escalate: ¦10m"], "`escalate` must be a list"),
        (["escalate: [¦10m]"], "this entry of `escalate` must consist of"),
        (["escalate: [¦{notify: [ana]}]"], "`after` is missing in this entry of `escalate`"),
        (["escalate: [{after: ¦10}]"], "has no unit"),
        (["escalate: [{after: ¦0}]"], "`0` leaves nobody time to decide"),
        (["escalate: [{after: 10m}, {after: ¦5m}]"], "`5m` is no later than the step before it"),
        (["escalate: [{after: 10m}, {after: ¦600s}]"], "`600s` is no later than the step before it"),
        (["escalate: [{after: 9m}, {after: ¦x}, {after: 10m}]"], "is not a span of time"),
        (["escalate: [{after: 9m, then: ¦publsh}]"], "not one of publish, discard, leave, did you mean"),
        (["escalate: [{after: 9m, ¦then: leave}, {after: 10m}]"], "nothing comes after `then`"),
        (["escalate: [{after: 9m, notify: [ana], ¦then: leave}]"], "has `notify` or `then`, not both"),
        (["escalate: [{after: 9m, notify: ¦[]}]"], "`notify` is an empty list: name at least one"),
        (["escalate: [{after: 9m, notify: ¦ana}]"], "`notify` must be a list"),
        (["escalate: [{after: 9m, notify: [¦anna]}]"], "unknown employee `anna`, did you mean `ana`?"),
        (["escalate: [{after: 9m, notify: [ana, ¦ana]}]"], "the employee `ana` stands here a second time"),
        (["escalate: [{after: 9m, notify: ¦[vic]}]"], "all are viewers"),
        (["escalate: [{after: 9m, ¦whom: [ana]}]"], "unknown key `whom` in this entry of `escalate`"),
        # reminders
        (["remind_every: ¦59s"], "is too short to answer a mail in: 1m is the least"),
        (["remind_every: ¦0"], "is too short"),
        (["remind_every: ¦10"], "has no unit"),
        # approvals
        (["approvals: ¦0"], "`0` is not a number of people: write one from 1 to 99"),
        (["approvals: ¦100"], "is not a number of people"),
        (["approvals: ¦true"], "is not a number of people"),
        (["approvals: ¦1.5"], "is not a number of people"),
        (["approvals: ¦two"], "is not a number of people"),
        (["approvals: ¦2"], "of those who are asked, 1 may publish; ask more of them"),
        (["approvals: ¦2", "escalate: [{after: 9m, notify: [jordan, vic]}]"], "1 may publish"),
        (["approvals: ¦3", "escalate: [{after: 9m, notify: [ana]}]"], "2 may publish"),
        # what evades them
        (
            ["approvals: 2", "escalate: [{after: 9m, notify: [ana]}, {after: 10m, ¦then: publish}]"],
            "would publish without the second approval",
        ),
        (
            [
                "approvals: 2",
                "escalate: [{after: 9m, notify: [ana]}]",
                "wait_time: 1m",
                "¦auto_publish: true",
            ],
            "would publish without the second approval",
        ),
        (
            [
                "approvals: 2",
                "escalate: [{after: 9m, notify: [ana]}]",
                "¦if_recovered_unpublished: publish_resolved",
            ],
            "would publish without the second approval",
        ),
        (["if_recovered_unpublished: ¦publish"], "did you mean `publish_resolved`?"),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, list) else None,
)
def test_a_faulty_ladder_is_one_fault_at_its_place(lines: list[str], fragment: str) -> None:
    text, line, column = marked(with_lines(*lines))
    (fault,) = faults_of(text)
    assert fragment in fault.text
    assert (fault.line, fault.column) == (line, column)


def test_the_last_step_may_publish_where_one_approval_is_enough() -> None:
    assert monitor_of("escalate: [{after: 9m, then: publish}]").escalate[-1].then is LastResort.PUBLISH
