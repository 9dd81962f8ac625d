"""What an alert of VictorOps is taken for."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from service.errors import PostUnreadable
from service.model import AlertState, Monitor
from service.providers.matching import state_for
from service.providers.victorops import variable_in
from service.providers.wording import MAX_MESSAGE_LENGTH, MAX_NAME_LENGTH
from tests.providers.reading import PAYLOADS, TEMPLATE, alert_of

FIRING = (
    "CRITICAL", "WARNING", "PROBLEM", "DOWN", "UNREACHABLE", "ERROR", "ALERT", "TRIGGERED", "UNACKED",
    "FAILED", "FAILURE", "FAILING", "FATAL", "DISASTER", "SEVERE", "MAJOR", "EMERGENCY", "ALARM", "FIRING",
)  # fmt: skip
RECOVERED = ("OK", "RECOVERY", "RECOVERED", "RESOLVED", "UP", "CLOSED", "CLEAR", "NORMAL")
ACKNOWLEDGED = ("ACKNOWLEDGEMENT", "ACKNOWLEDGED", "ACKED", "ACK")
NEWS = ("INFO", "Informational", "NOTICE", "", "   ", "${{ALERT.entity_state}}")
UNKNOWN = ("PURPLE", "HIGH", "NOT OK", "OK?")
INFO = (*NEWS, *UNKNOWN)
AT = datetime(2026, 11, 16, 9, 2, 6, tzinfo=UTC)


def test_the_vendors_own_payload_fires() -> None:
    alert = alert_of(TEMPLATE % ("Email Server", "CRITICAL"))
    assert (alert.provider, alert.monitor_name, alert.state) == (
        "victorops",
        "Email Server",
        AlertState.FIRING,
    )
    assert alert.fields == {"monitorName": "Email Server", "state": "CRITICAL"}


@pytest.mark.parametrize(
    ("raw_state", "state"),
    [
        *((raw, AlertState.FIRING) for raw in FIRING),
        *((raw, AlertState.RECOVERED) for raw in RECOVERED),
        *((raw, AlertState.ACKNOWLEDGED) for raw in ACKNOWLEDGED),
        *((raw, AlertState.INFO) for raw in INFO),
    ],
)
def test_a_state_means_the_same_in_any_case_and_spacing(raw_state: str, state: AlertState) -> None:
    spellings = (raw_state, raw_state.lower(), raw_state.title(), f"  {raw_state}\t")
    assert {alert_of(f'{{"monitorName": "x", "state": "{one.strip()}  "}}').state for one in spellings} == {
        state
    }


@pytest.mark.parametrize("raw_state", [*FIRING, *RECOVERED, *ACKNOWLEDGED, *INFO])
def test_whether_anybody_knows_a_state_is_told_with_the_alert(raw_state: str) -> None:
    assert alert_of(TEMPLATE % ("x", raw_state)).is_state_known is (raw_state not in UNKNOWN)


def test_a_state_that_nobody_knows_does_not_matter_where_the_phase_says_what_it_is() -> None:
    alert = alert_of('{monitorName: "x", state: "HIGH", phase: "UNACKED"}')
    assert (alert.state, alert.is_state_known) == (AlertState.FIRING, True)


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("${{ALERT.monitor_name}}", "monitor_name"),
        (" ${{ STATE.CURRENT_ALERT_PHASE }} ", "CURRENT_ALERT_PHASE"),
        ("${{x}}", "x"),
        ("${{}}", "${{}}"),
        ("Disk ${{ALERT.host}}", ""),
        ("monitor_name", ""),
    ],
)
def test_a_variable_that_victorops_left_as_it_stood_is_no_name(name: str, variable: str) -> None:
    assert variable_in(name) == variable


def test_a_state_that_is_missing_is_information_only() -> None:
    assert alert_of("{monitorName: 'x'}").state is AlertState.INFO


def test_the_state_is_kept_as_it_was_written() -> None:
    assert alert_of(TEMPLATE % ("x", " Critical")).raw_state == " Critical"


@pytest.mark.parametrize(
    ("event", "phase", "raw_state", "state"),
    [
        ("", "RESOLVED", "CRITICAL", AlertState.RECOVERED),
        ("", "UNACKED", "UP", AlertState.FIRING),
        ("", "acked", "CRITICAL", AlertState.ACKNOWLEDGED),
        ("", "${{STATE.CURRENT_ALERT_PHASE}}", "UP", AlertState.RECOVERED),
        ("", "sleeping", "CRITICAL", AlertState.FIRING),
        ("resolved", "UNACKED", "CRITICAL", AlertState.RECOVERED),
        ("Triggered", "RESOLVED", "OK", AlertState.FIRING),
        ("acknowledged", "", "CRITICAL", AlertState.ACKNOWLEDGED),
        ("nonsense", "RESOLVED", "CRITICAL", AlertState.RECOVERED),
        ("nonsense", "", "CRITICAL", AlertState.FIRING),
    ],
)
def test_the_urls_event_decides_before_the_phase_and_the_phase_before_the_state(
    event: str, phase: str, raw_state: str, state: AlertState
) -> None:
    body = f'{{monitorName: "x", state: "{raw_state}", phase: "{phase}"}}'
    assert alert_of(body, event=event).state is state


@pytest.mark.parametrize(
    ("state", "event", "expected"),
    [
        ("WARNING", "", True),
        (" warning ", "triggered", True),
        ("WARNING", "resolved", False),
        ("CRITICAL", "", False),
    ],
)
def test_only_a_firing_warning_is_a_warning(state: str, event: str, *, expected: bool) -> None:
    alert = alert_of(TEMPLATE % ("x", state), event=event)
    quiet = Monitor("victorops", ("x",), "jordan", "t", {}, "s", "m", warning_fires=False)
    assert (state_for(alert, quiet) is AlertState.INFO) is expected
    assert state_for(alert, replace(quiet, warning_fires=True)) is alert.state


@pytest.mark.parametrize(
    "key",
    ["monitorName", "monitorname", "MONITORNAME", "monitor_name", "ALERT.monitor_name", "alert.monitorName"],
)
def test_the_monitors_name_is_found_under_each_of_its_spellings(key: str) -> None:
    assert alert_of(f'{{"{key}": "Email Server"}}').monitor_name == "Email Server"


def test_the_flat_default_payload_is_read_whole() -> None:
    alert = alert_of((PAYLOADS / "victorops_default_triggered.json").read_bytes())
    assert (alert.monitor_name, alert.state, alert.raw_state) == (
        "Email Server",
        AlertState.FIRING,
        "CRITICAL",
    )
    assert alert.entity_id == "mx2/smtp-queue"
    assert alert.message == '4,102 mails are queued\nsince "09:02" (limit: 500)'
    assert alert.sent_at == AT.replace(microsecond=398000)
    assert alert.fields["STATE.ALERT_COUNT"] == 1
    assert alert.fields["STATE.ACKED_BY"] is None
    assert alert.fields["INCIDENT.IS_MUTED"] is False
    assert len(alert.fields) > 60


def test_a_resolve_by_hand_recovers_the_same_entity() -> None:
    alert = alert_of((PAYLOADS / "victorops_default_resolved.json").read_bytes())
    assert (alert.state, alert.raw_state, alert.entity_id) == (AlertState.RECOVERED, "UP", "mx2/smtp-queue")


def test_an_escalation_webhook_is_a_form_whose_values_stand_in_quotes() -> None:
    body = (PAYLOADS / "victorops_escalation.txt").read_bytes()
    alert = alert_of(body, "application/x-www-form-urlencoded; charset=utf-8")
    assert (alert.monitor_name, alert.state, alert.entity_id) == (
        "Email Server",
        AlertState.FIRING,
        "mx2/smtp-queue",
    )
    assert alert.message == 'He said "no"'


@pytest.mark.parametrize("name", ["", "   ", "\\t\\n", "\\u0000"])
def test_an_empty_name_is_a_missing_name(name: str) -> None:
    with pytest.raises(PostUnreadable, match=r"^monitorName is missing$"):
        alert_of(f'{{"monitorName": "{name}", "state": "OK"}}')


@pytest.mark.parametrize(
    "body", ['{"state": "OK"}', '{"monitorName": null}', '{"monitorName": {"a": 1}}', "{}", "a=b"]
)
def test_a_post_without_a_name_is_refused(body: str) -> None:
    with pytest.raises(PostUnreadable, match=r"^monitorName is missing$"):
        alert_of(body)


def test_a_name_that_the_vendor_left_as_a_variable_is_kept() -> None:
    assert alert_of(TEMPLATE % ("${{ALERT.monitor_name}}", "OK")).monitor_name == "${{ALERT.monitor_name}}"


def test_an_overlong_name_is_refused_with_its_length() -> None:
    assert len(alert_of(TEMPLATE % ("x" * MAX_NAME_LENGTH, "OK")).monitor_name) == MAX_NAME_LENGTH
    with pytest.raises(PostUnreadable, match="monitorName has 501 characters: at most 500"):
        alert_of(TEMPLATE % ("x" * (MAX_NAME_LENGTH + 1), "OK"))


def test_a_name_is_one_visible_line() -> None:
    assert alert_of(r'{"monitorName": " a\r\nb\tc\u0000\u0007\u200b\u202ed "}').monitor_name == "a b cd"


def test_a_message_keeps_its_lines_and_nothing_else_that_is_invisible() -> None:
    assert (
        alert_of(r'{"monitorName": "x", "message": "a\r\nb\u0000\u001b[31mc\td "}').message == "a\nb[31mc d"
    )


def test_of_an_overlong_message_the_beginning_is_kept() -> None:
    message = alert_of(json.dumps({"monitorName": "x", "message": "a" * MAX_MESSAGE_LENGTH + "b"})).message
    assert message == "a" * MAX_MESSAGE_LENGTH


def test_optional_variables_that_were_left_unexpanded_count_as_absent() -> None:
    body = '{monitorName: "x", entityId: "${{ALERT.entity_id}}", message: "${{ALERT.y}}", timestamp: "${{ALERT.t}}"}'
    alert = alert_of(body)
    assert (alert.entity_id, alert.message, alert.sent_at) == (None, "", None)


def test_a_number_serves_as_entity_id_and_stays_a_number_in_the_fields() -> None:
    alert = alert_of("{monitorName: 'x', entityId: 12, incident: 4211}")
    assert (alert.entity_id, alert.fields["incident"]) == ("12", 4211)


@pytest.mark.parametrize(
    ("timestamp", "sent_at"),
    [
        ("1794819726", AT),
        ('"1794819726"', AT),
        ("1794819726000", AT),
        ("1794819726250", AT.replace(microsecond=250000)),
        ('"1794819726.25"', AT.replace(microsecond=250000)),
        ('"2026-11-16T09:02:06Z"', AT),
        ('"2026-11-16T10:02:06+01:00"', AT),
        ('" 2026-11-16 09:02:06 "', AT),
        ('"20261116"', datetime(2026, 11, 16, tzinfo=UTC)),
        ('"yesterday"', None),
        ('"0001-01-01T00:00:00+14:00"', None),
        ('"9999999999999999999999"', None),
        ("1e300", None),
        ("NaN ", None),
        ("-5", None),
        ("0", None),
        ("true", None),
        ("null", None),
        ("[1]", None),
    ],
)
def test_a_time_is_read_as_utc_or_not_at_all(timestamp: str, sent_at: datetime | None) -> None:
    assert alert_of(f'{{monitorName: "x", timestamp: {timestamp}}}').sent_at == sent_at


def test_the_fields_cannot_be_changed_by_those_who_read_them() -> None:
    with pytest.raises(TypeError):
        alert_of(TEMPLATE % ("x", "OK")).fields["monitorName"] = "y"  # type: ignore[index]  # it is the point
