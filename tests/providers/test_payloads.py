"""What the payloads of each monitoring product are taken for: those of tests/providers/NAME/*.json.

The payloads have the shape that each product documents, on the page that `sources` names; their contents are made up.
"""

from pathlib import Path

import pytest

from service.config.settings import Reading
from service.errors import PostUnreadable
from service.model import Alert, AlertState
from service.providers.post import PostContent, RawPost
from service.providers.registry import PROVIDERS

HERE = Path(__file__).parent
JSON = "application/json"
QUEUE, MX1, MX2 = "MailQueueTooLong", "6f3d2c0b9a81e574", "b02c77e19d4a5f36"
ALARM = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:mail-queue-too-long"
AS_IT_IS = Reading()

TABLE: list[tuple[str, str, list[tuple[str, str, str | None]]]] = [
    ("alertmanager", "firing", [(QUEUE, "firing", MX1), (QUEUE, "firing", MX2)]),
    ("alertmanager", "partly_recovered", [(QUEUE, "firing", MX1), (QUEUE, "recovered", MX2)]),
    ("alertmanager", "recovered", [(QUEUE, "recovered", MX1), (QUEUE, "recovered", MX2)]),
    ("alertmanager", "without_fingerprint", [(QUEUE, "firing", "bba48aa1be0cd4808704e53e2ab26a50")]),
    ("datadog", "brackets_of_its_own", [("[prod] Email Server", "firing", "15903572849182630000")]),
    ("datadog", "firing", [("Email Server", "firing", "15903572849182630000")]),
    ("datadog", "no_data", [("Email Server", "firing", "15903572849182630000")]),
    ("datadog", "own_payload", [("Email Server", "recovered", None)]),
    ("datadog", "recovered", [("Email Server", "recovered", "15903572849182630000")]),
    ("datadog", "still_firing", [("Email Server", "firing", "15903572849182630000")]),
    ("datadog", "test", [("Email Server", "info", "15903572849182630000")]),
    ("datadog", "warning", [("Email Server", "firing", "15903572849182630000")]),
    ("grafana", "firing", [("Email Server", "firing", "c6eadffa33fcdf37")]),
    ("grafana", "legacy_firing", [("Email Server", "firing", "17")]),
    ("grafana", "legacy_recovered", [("Email Server", "recovered", "17")]),
    ("grafana", "no_data", [("Email Server", "firing", "9e1d8c7b6a504f3e")]),
    ("grafana", "recovered", [("Email Server", "recovered", "c6eadffa33fcdf37")]),
    ("grafana", "test", [("TestAlert", "info", "57c6d9296de2ad39")]),
    ("opsgenie", "acknowledged", [("Email Server", "acknowledged", "052652ac-5d1c-464a-812a-7dd18bbfba8c")]),
    ("opsgenie", "deleted", [("Email Server", "recovered", "052652ac-5d1c-464a-812a-7dd18bbfba8c")]),
    ("opsgenie", "firing", [("Email Server", "firing", "052652ac-5d1c-464a-812a-7dd18bbfba8c")]),
    ("opsgenie", "note", [("Email Server", "info", "052652ac-5d1c-464a-812a-7dd18bbfba8c")]),
    ("opsgenie", "recovered", [("Email Server", "recovered", "052652ac-5d1c-464a-812a-7dd18bbfba8c")]),
    ("opsgenie", "test", [("Opsgenie Test", "info", None)]),
    ("opsgenie", "unacknowledged", [("Email Server", "firing", "052652ac-5d1c-464a-812a-7dd18bbfba8c")]),
    ("pagerduty", "acknowledged", [("Email Server", "acknowledged", "Q1F3MAILQUEUE0")]),
    ("pagerduty", "firing", [("Email Server", "firing", "Q1F3MAILQUEUE0")]),
    ("pagerduty", "note", [("PagerDuty incident.annotated", "info", "Q1F3MAILQUEUE0")]),
    ("pagerduty", "reassigned", [("Email Server", "info", "Q1F3MAILQUEUE0")]),
    ("pagerduty", "recovered", [("Email Server", "recovered", "Q1F3MAILQUEUE0")]),
    ("pagerduty", "reopened", [("Email Server", "firing", "Q1F3MAILQUEUE0")]),
    ("pagerduty", "test", [("PagerDuty pagey.ping", "info", None)]),
    ("pingdom", "firing", [("Webmail", "firing", "6543210")]),
    ("pingdom", "paused", [("Webmail", "info", "6543210")]),
    ("pingdom", "recovered", [("Webmail", "recovered", "6543210")]),
    ("pingdom", "transaction_failing", [("Webmail", "firing", "6543210")]),
    ("pingdom", "transaction_works", [("Webmail", "recovered", "6543210")]),
    ("sns", "eventbridge", [("mail-queue-too-long", "firing", ALARM)]),
    ("sns", "firing", [("mail-queue-too-long", "firing", ALARM)]),
    ("sns", "insufficient_data", [("mail-queue-too-long", "info", ALARM)]),
    ("sns", "raw_delivery", [("mail-queue-too-long", "firing", ALARM)]),
    ("sns", "recovered", [("mail-queue-too-long", "recovered", ALARM)]),
    ("sns", "subscription", [("Amazon SNS asks to confirm the subscription of alarms", "info", None)]),
    ("sns", "test", [("Trying it out", "info", None)]),
    ("uptimekuma", "certificate", [("Uptime Kuma", "info", None)]),
    ("uptimekuma", "firing", [("Webmail", "firing", "3")]),
    ("uptimekuma", "maintenance", [("Webmail", "info", "3")]),
    ("uptimekuma", "pending", [("Webmail", "info", "3")]),
    ("uptimekuma", "recovered", [("Webmail", "recovered", "3")]),
    ("uptimekuma", "test", [("Uptime Kuma", "info", None)]),
    ("uptimerobot", "certificate", [("Webmail", "info", "797123456")]),
    ("uptimerobot", "firing", [("Webmail", "firing", "797123456")]),
    ("uptimerobot", "number", [("Webmail", "firing", "797123456")]),
    ("uptimerobot", "recovered", [("Webmail", "recovered", "797123456")]),
    ("uptimerobot", "word_alone", [("Webmail", "recovered", "797123456")]),
]  # fmt: skip
"""Provider, file, and of each alert in it the monitor's name, the state and the entity id."""

COMPLAINTS = [
    ("alertmanager", "hostile_no_list", "a list of alerts is expected, and there is none"),
    ("alertmanager", "hostile_no_name", "alert 1 cannot be read: labels.alertname is missing"),
    ("datadog", "hostile_no_title", "alert_title is missing"),
    ("datadog", "hostile_transition", "alert_transition is missing: one of triggered, re-triggered, no data,"),
    ("grafana", "hostile_state", "alert 1 cannot be read: status is `pending`: one of firing, resolved is expected"),
    ("opsgenie", "hostile_alert", "alert.message is missing"),
    ("opsgenie", "hostile_no_action", "action is missing: Create or Close is expected"),
    ("pagerduty", "hostile_kind", "event.event_type is `meteor.struck`: incident.triggered or incident"),
    ("pagerduty", "hostile_no_name", "event.data.service.summary is missing"),
    ("pagerduty", "hostile_version_2", "event is missing: choose a generic webhook of version 3 in PagerDuty"),
    ("pingdom", "hostile_no_name", "check_name is missing"),
    ("pingdom", "hostile_state", "current_state is missing: one of down, up, failing, success"),
    ("sns", "hostile_nothing", "AlarmName is missing, and Type as well: a message of Amazon SNS is expected"),
    ("sns", "hostile_state", "NewStateValue is `EXPLODED`: one of alarm, ok, insufficient_data is expected"),
    ("sns", "hostile_type", "Type is `Surprise`: Notification is expected"),
    ("uptimekuma", "hostile_no_monitor", "monitor.name is missing"),
    ("uptimekuma", "hostile_own_body", "heartbeat is missing: choose the preset application/json in Uptime Kuma"),
    ("uptimekuma", "hostile_status", "heartbeat.status is `7`: one of 0, 1, 2, 3 is expected"),
    ("uptimerobot", "hostile_kind", "alertType is `99`: 1 (down), 2 (up) or 3 (expiry) is expected"),
    ("uptimerobot", "hostile_unexpanded", "monitorFriendlyName is missing"),
]  # fmt: skip


def alerts_of(provider: str, file: str, reading: Reading = AS_IT_IS) -> tuple[Alert, ...]:
    """Read a payload of this folder, of which nothing is unreadable."""
    found = content_of(provider, file, reading)
    assert not found.complaint
    return found.alerts


def content_of(provider: str, file: str, reading: Reading = AS_IT_IS) -> PostContent:
    """Read a payload of this folder."""
    body = (HERE / provider / f"{file}.json").read_bytes()
    return PROVIDERS[provider].read(RawPost(body, JSON), reading)


@pytest.mark.parametrize(("provider", "file", "expected"), TABLE, ids=[f"{row[0]}-{row[1]}" for row in TABLE])
def test_a_payload_is_taken_for_its_alerts(
    provider: str, file: str, expected: list[tuple[str, str, str | None]]
) -> None:
    alerts = alerts_of(provider, file)
    assert [(one.monitor_name, one.state.value, one.entity_id) for one in alerts] == expected
    assert {one.provider for one in alerts} == {provider}
    assert all(one.raw_state and one.fields for one in alerts)


@pytest.mark.parametrize(
    ("provider", "file", "complaint"), COMPLAINTS, ids=[f"{a}-{b}" for a, b, _ in COMPLAINTS]
)
def test_what_cannot_be_read_is_answered_with_what_to_mend(provider: str, file: str, complaint: str) -> None:
    with pytest.raises(PostUnreadable) as caught:
        alerts_of(provider, file)
    assert str(caught.value).startswith(complaint)


def test_every_payload_of_the_folders_stands_in_a_table() -> None:
    files = {(path.parent.name, path.stem) for path in HERE.glob("*/*.json")}
    told = {row[:2] for row in (*TABLE, *COMPLAINTS)} | {("alertmanager", "hostile_one_of_two")}
    assert {one for one in files if one[0] not in {"payloads", "generic"}} == told


@pytest.mark.parametrize("provider", sorted({*PROVIDERS} - {"victorops", "generic", "email"}))
def test_a_recovery_has_the_entity_id_of_what_fired(provider: str) -> None:
    fired, recovered = alerts_of(provider, "firing"), alerts_of(provider, "recovered")
    assert [one.state for one in fired] == [AlertState.FIRING] * len(fired)
    assert [one.state for one in recovered] == [AlertState.RECOVERED] * len(fired)
    assert [one.entity_id for one in fired] == [one.entity_id for one in recovered]
    assert None not in {one.entity_id for one in fired}


@pytest.mark.parametrize("provider", sorted({*PROVIDERS} - {"victorops", "generic", "email"}))
def test_when_it_happened_and_what_is_wrong_are_told(provider: str) -> None:
    for alert in (*alerts_of(provider, "firing"), *alerts_of(provider, "recovered")):
        assert alert.sent_at is not None
        assert alert.sent_at.year == 2026
        assert alert.message


def test_an_alert_that_cannot_be_read_takes_none_of_the_others_with_it() -> None:
    found = content_of("alertmanager", "hostile_one_of_two")
    assert [(one.monitor_name, one.state) for one in found.alerts] == [(QUEUE, AlertState.FIRING)]
    said = "alert 2 cannot be read: status is `exploded`: one of firing, resolved is expected"
    assert found.complaint == said


@pytest.mark.parametrize(
    ("provider", "expression", "name"),
    [
        ("alertmanager", "labels.service", "email"),
        ("alertmanager", "post.receiver ~ '/' ~ labels['job']", "replycast/postfix"),
        ("grafana", "labels.grafana_folder", "Office"),
        ("pagerduty", "event.data.title", "4,102 mails are queued on mx2"),
        ("opsgenie", "alert.tags | join(' ')", "office mail"),
        ("datadog", "(tags.split('service:') | last)", "email"),
        ("pingdom", "tags | first", "office"),
        ("uptimekuma", "monitor.tags[0].value", "office"),
        ("uptimerobot", "monitorURL", "https://mail.acme.example/login"),
        ("sns", "post.TopicArn.split(':') | last", "alarms"),
    ],
)
def test_config_yaml_may_say_what_names_the_monitor(provider: str, expression: str, name: str) -> None:
    assert alerts_of(provider, "firing", Reading(monitor_name=expression))[0].monitor_name == name


def test_an_alert_without_what_is_to_name_it_is_answered_with_what_was_looked_for() -> None:
    with pytest.raises(PostUnreadable, match=r"what `monitor_name: labels\.team` looks for is missing"):
        alerts_of("alertmanager", "firing", Reading(monitor_name="labels.team"))


@pytest.mark.parametrize("provider", ["grafana", "pagerduty", "opsgenie", "uptimekuma", "sns", "datadog"])
def test_a_test_is_shown_although_it_lacks_what_names_the_monitor(provider: str) -> None:
    (alert,) = alerts_of(provider, "test", Reading(monitor_name="labels.service"))
    assert alert.state is AlertState.INFO


def test_a_warning_of_datadog_is_one_that_a_monitor_may_ignore() -> None:
    assert alerts_of("datadog", "warning")[0].raw_state == "warning"


def test_without_a_fingerprint_the_labels_tell_one_alert_from_another() -> None:
    (first,) = alerts_of("alertmanager", "without_fingerprint")
    body = (HERE / "alertmanager" / "without_fingerprint.json").read_bytes()
    other = PROVIDERS["alertmanager"].read(RawPost(body.replace(b"mx1", b"mx2"), JSON)).alerts[0]
    resolved = RawPost(body.replace(b'"firing"', b'"resolved"'), JSON)
    again = PROVIDERS["alertmanager"].read(resolved).alerts[0]
    assert first.entity_id == again.entity_id != other.entity_id


def test_too_many_alerts_in_one_post_are_refused_with_their_number() -> None:
    body = b'{"alerts": [' + b"{}," * 1000 + b"{}]}"
    with pytest.raises(PostUnreadable, match="1,001 alerts: at most 1,000"):
        PROVIDERS["alertmanager"].read(RawPost(body, JSON))


def test_uptimerobot_may_say_it_in_the_url_or_as_a_form() -> None:
    said = {"monitorID": "7", "monitorFriendlyName": "Webmail", "alertType": "2"}
    form = b"monitorID=7&monitorFriendlyName=Webmail&alertType=2"
    for post in (RawPost(b"", "", said), RawPost(form, "application/x-www-form-urlencoded")):
        (alert,) = PROVIDERS["uptimerobot"].read(post).alerts
        assert (alert.monitor_name, alert.state, alert.entity_id) == ("Webmail", AlertState.RECOVERED, "7")


def test_form_data_of_uptime_kuma_is_answered_with_what_to_choose() -> None:
    with pytest.raises(PostUnreadable, match="choose the preset application/json"):
        PROVIDERS["uptimekuma"].read(RawPost(b"--x", "multipart/form-data; boundary=x"))


@pytest.mark.parametrize("provider", sorted(PROVIDERS))
def test_a_post_in_our_own_plain_form_is_read_for_any_provider(provider: str) -> None:
    body = b'{"monitorName": "Webmail", "state": "CRITICAL", "entityId": "7"}'
    (alert,) = PROVIDERS[provider].read(RawPost(body, JSON, is_plain=True)).alerts
    assert (alert.provider, alert.monitor_name, alert.entity_id) == (provider, "Webmail", "7")
