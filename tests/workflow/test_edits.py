"""Editing what is not published: which version comes of it, and what is said of the difference."""

from dataclasses import replace
from typing import Any

import pytest

from service.model import ComponentState, Phase
from service.workflow import Edit, Policy, Publish, Reason, decide, differences
from tests.workflow.test_phases import T0, WAITING

LATE = ComponentState.DEGRADED_PERFORMANCE
GONE = ComponentState.MAJOR_OUTAGE
BEFORE = replace(
    WAITING,
    phase=Phase.UNPUBLISHED,
    subject="No mail",
    message="We look into it.",
    type="service_unavailable",
    components={"Email": GONE, "API": LATE},
    approved_by=("sam",),
)


@pytest.mark.parametrize(
    "edit", [{"type": "performance"}, {"components": {"Email": LATE}}, {"components": {}}, {"subject": "S"}]
)
def test_whatever_is_edited_makes_a_version_that_nobody_has_approved(edit: dict[str, Any]) -> None:
    after = decide(BEFORE, Edit("jordan", **edit), Policy(), T0).incident
    assert (after.text_version, after.approved_by) == (BEFORE.text_version + 1, ())
    assert replace(after, version=1, text_version=1, approved_by=()) == replace(
        BEFORE, version=1, text_version=1, approved_by=(), **edit
    )
    answer = decide(after, Publish("sam", text_version=BEFORE.text_version), Policy(), T0)
    assert answer.reason is Reason.REFUSED_TEXT_CHANGED


def test_whoever_edits_what_is_asked_about_hears_of_it_from_then_on_as_those_who_were_asked() -> None:
    asked = replace(BEFORE, notified_at=T0, notify_employees=("jordan",))
    edits = {by: decide(asked, Edit(by, subject="S"), Policy(), T0).incident for by in ("sam", "jordan")}
    assert edits["sam"].notify_employees == ("jordan", "sam")
    assert edits["jordan"].notify_employees == ("jordan",)
    before = decide(replace(asked, notified_at=None), Edit("sam", subject="S"), Policy(), T0).incident
    assert before.notify_employees == ("jordan",), "who is not asked hears nothing"


def test_the_same_type_and_components_in_another_order_are_no_edit() -> None:
    same = Edit("jordan", type=BEFORE.type, components={"API": LATE, "Email": GONE})
    assert decide(BEFORE, same, Policy(), T0).reason is Reason.REFUSED_TEXT_THE_SAME


def test_each_thing_that_was_changed_is_told_with_what_it_was() -> None:
    after = replace(
        BEFORE,
        subject="Slow mail",
        message="It is slow.",
        type="performance",
        components={"Email": LATE, "Calendar": GONE},
    )
    assert differences(BEFORE, after).splitlines() == [
        "Subject: “No mail” → “Slow mail”",
        "Text: “We look into it.” → “It is slow.”",
        "Type: service unavailable → performance",
        "Email: major outage → degraded performance",
        "API: degraded performance → not affected",
        "Calendar: not affected → major outage",
    ]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("a b c d e f g h i", "a b c d X f g h i", "“… b c d e f g h …” → “… b c d X f g h …”"),
        ("a b c d e", "a b c d e f", "“… c d e” → “… c d e f”"),
        ("a b", "x a b", "“a b” → “x a b”"),
        ("a a", "a a a", "“a a” → “a a a”"),
        ("a\nb", "a\n\nb", "only its spaces and line breaks were changed"),
        ("a", "b" * 400, f"“a” → “{'b' * 300}…”"),
    ],
)
def test_of_a_long_text_the_part_that_differs_is_told(old: str, new: str, told: str) -> None:
    said = differences(replace(BEFORE, message=old), replace(BEFORE, message=new))
    assert said == f"Text: {told}"
