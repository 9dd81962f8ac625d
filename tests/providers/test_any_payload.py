"""Whatever is posted, a provider gives alerts that can be stored and shown, or one sentence that says what to mend."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.config.settings import Reading, Secret
from service.errors import PostUnreadable, SecretWrong
from service.model import Alert
from service.providers.post import RawPost
from service.providers.registry import PROVIDERS
from service.providers.signatures import check_signature
from service.providers.wording import MAX_NAME_LENGTH
from tests.providers.test_payloads import HERE

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
GENERIC = Reading(each="post.alerts or [post]", monitor_name="labels.alertname or name", state="status")
PAYLOADS = sorted(path for path in HERE.glob("*/*.json") if path.parent.name != "payloads")
LEAVES = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | st.text(max_size=8)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def read_whatever(provider: str, body: bytes, content_type: str = "application/json") -> tuple[Alert, ...]:
    """Read a body, and see that what comes of it is fit to be stored and shown."""
    reading = GENERIC if provider == "generic" else Reading()
    complaint, alerts = "none", tuple[Alert, ...]()
    try:
        content = PROVIDERS[provider].read(RawPost(body, content_type), reading)
        alerts, complaint = content.alerts, content.complaint or complaint
    except PostUnreadable as error:
        complaint = str(error)
    assert complaint.splitlines() == [complaint]
    complaint.encode()
    for alert in alerts:
        assert 0 < len(alert.monitor_name) <= MAX_NAME_LENGTH
        for text in (alert.monitor_name, alert.entity_id or "", alert.message, alert.raw_state):
            text.encode()
            assert "\0" not in text
    return alerts


@pytest.mark.parametrize("provider", sorted(PROVIDERS))
@given(body=st.binary(max_size=200), content_type=st.sampled_from(["", "application/json", "text/plain"]))
def test_any_bytes_are_alerts_or_a_complaint(provider: str, body: bytes, content_type: str) -> None:
    read_whatever(provider, body, content_type)


@given(tree=VALUES)
def test_any_json_is_alerts_or_a_complaint(tree: object) -> None:
    body = orjson.dumps(tree, option=orjson.OPT_NON_STR_KEYS)
    for provider in PROVIDERS:
        read_whatever(provider, body)


@given(data=st.data())
def test_a_payload_of_which_any_part_is_another_is_alerts_or_a_complaint(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(PAYLOADS))
    tree = orjson.loads(path.read_bytes())
    spot: Any = tree
    while isinstance(spot, dict | list) and spot:
        key = data.draw(st.sampled_from(sorted(spot) if isinstance(spot, dict) else range(len(spot))))
        if not isinstance(spot[key], dict | list) or data.draw(st.booleans()):
            spot[key] = data.draw(VALUES)
            break
        spot = spot[key]
    read_whatever(path.parent.name, orjson.dumps(tree))


@pytest.mark.parametrize("provider", sorted(PROVIDERS))
@pytest.mark.parametrize(
    "body",
    [
        b"[" * 60_000,
        b'{"a":' * 10_000,
        b'{"alerts":' * 900 + b"1" + b"}" * 900,
        b'{"alerts":[' + b"{}," * 20_000 + b"{}]}",
        b'{"event": {"data": ' + b"[" * 500 + b"]" * 500 + b"}}",
        b'{"Type": "Notification", "Message": "' + b"[" * 50_000 + b'"}',
        b'{"title": "' + b"[Triggered]" * 5_000 + b'"}',
        b'{"alertType": ' + b"9" * 5_000 + b"}",
        b'{"monitorFriendlyName": "\\ud800", "alertType": 1, "monitorID": "\\udfff"}',
    ],
    ids=["lists", "objects", "deep", "many", "event", "message", "marks", "digits", "surrogates"],
)
def test_what_is_built_to_do_harm_is_bounded(provider: str, body: bytes) -> None:
    alerts = read_whatever(provider, body)
    assert all(len(alert.fields) <= 1000 for alert in alerts)


@given(
    body=st.binary(max_size=50),
    said=st.text(st.characters(max_codepoint=255), max_size=80),
    at=st.none() | st.text(st.characters(max_codepoint=255), max_size=30),
)
@pytest.mark.parametrize("provider", ["pagerduty", "grafana"])
def test_no_made_up_signature_is_right(provider: str, body: bytes, said: str, at: str | None) -> None:
    headers = dict.fromkeys(("x-pagerduty-signature", "x-grafana-alerting-signature"), said)
    headers |= {} if at is None else {"x-grafana-alerting-timestamp": at}
    with pytest.raises(SecretWrong):
        check_signature(provider, body, headers, Secret("s3cret"), NOW)


KEYS = st.sampled_from(["monitorName", "monitor_name", "MONITORNAME", "alert.monitorName", "state", "a"])
NAMES = st.sampled_from(["Email Server", "", " ", "\t", "\0", "é", "x" * 500, "x" * 501, "\u200b"]) | VALUES


@given(tree=st.dictionaries(KEYS, NAMES, max_size=5) | VALUES, spaces=st.sampled_from(["", " ", "\n"]))
@example(tree={"monitorName": "a", "monitor_name": ""}, spaces="")
@example(tree={**dict.fromkeys(map(str, range(1000)), 1), "monitorName": "a"}, spaces="")
def test_what_is_told_at_a_glance_to_be_right_is_read(tree: object, spaces: str) -> None:
    try:
        body = spaces.encode() + orjson.dumps(tree)
    except orjson.JSONEncodeError:
        return
    for content_type in ("application/json", "application/x-www-form-urlencoded"):
        if PROVIDERS["victorops"].is_plain(body):
            assert PROVIDERS["victorops"].read(RawPost(body, content_type)).alerts


def test_the_vendors_own_example_is_told_at_a_glance_and_no_other_provider_claims_to() -> None:
    body = b'{"monitorName": "Email Server", "state": "CRITICAL", "entityId": "mail-1"}'
    assert [name for name, one in PROVIDERS.items() if one.is_plain(body)] == ["victorops"]
