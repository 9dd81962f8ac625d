"""What webhooks are told."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.calls.payloads import News, Subject, payload
from service.model import Channel, ComponentState, UpdateStatus

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
OUTAGE = Subject(
    id=12,
    name="Email is unavailable",
    components=(("Email", ComponentState.MAJOR_OUTAGE),),
    starts_at=AT,
    ends_at=None,
    url="https://status.acme.example/incidents/12",
)
NEWS = News(OUTAGE, UpdateStatus.INVESTIGATING, "We are *looking* into it.", AT, is_first=True)
WORK = News(
    replace(OUTAGE, ends_at=AT.replace(hour=14), is_maintenance=True),
    UpdateStatus.SCHEDULED,
    "New disks.",
    AT,
    is_first=True,
)


def said(channel: Channel, news: News = NEWS) -> dict[str, object]:
    """Give what a webhook reads."""
    body: dict[str, object] = orjson.loads(
        payload(channel, news, site_name="Acme <Status>", site_url="https://status.acme.example")
    )
    return body


def test_our_own_form_says_what_happened_to_what() -> None:
    assert said(Channel.WEBHOOK) == {
        "type": "incident.published",
        "timestamp": "2026-11-24T12:00:00+00:00",
        "page": {"name": "Acme <Status>", "url": "https://status.acme.example"},
        "incident": {
            "id": 12,
            "name": "Email is unavailable",
            "status": "investigating",
            "components": [{"name": "Email", "state": "major_outage"}],
            "started_at": "2026-11-24T12:00:00+00:00",
            "resolved_at": None,
            "url": "https://status.acme.example/incidents/12",
        },
        "update": {
            "status": "investigating",
            "body": "We are *looking* into it.",
            "posted_at": "2026-11-24T12:00:00+00:00",
        },
    }


def test_a_maintenance_is_told_as_one() -> None:
    body = said(Channel.WEBHOOK, WORK)
    assert body["type"] == "maintenance.scheduled"
    assert "incident" not in body
    assert body["maintenance"]["ends_at"] == "2026-11-24T14:00:00+00:00"  # type: ignore[index]  # a JSON object


@pytest.mark.parametrize(
    ("news", "kind"),
    [
        (NEWS, "incident.published"),
        (replace(NEWS, is_first=False), "incident.updated"),
        (replace(NEWS, status=UpdateStatus.RESOLVED), "incident.resolved"),
        (replace(NEWS, status=UpdateStatus.POSTMORTEM), "incident.postmortem"),
        (replace(NEWS, is_correction=True), "incident.corrected"),
        (replace(WORK, status=UpdateStatus.IN_PROGRESS), "maintenance.started"),
        (replace(WORK, status=UpdateStatus.COMPLETED), "maintenance.completed"),
        (replace(WORK, is_correction=True), "maintenance.corrected"),
    ],
)
def test_each_happening_has_its_name(news: News, kind: str) -> None:
    assert news.kind == kind


def test_slack_gets_a_message_with_a_text_for_notifications() -> None:
    body = said(Channel.SLACK)
    assert body["text"] == "[Acme &lt;Status&gt;] Investigating: Email is unavailable"
    assert [block["type"] for block in body["blocks"]] == ["header", "section", "section", "context"]  # type: ignore[attr-defined]  # a JSON array


def test_teams_gets_an_adaptive_card_with_a_link() -> None:
    attachments: Any = said(Channel.TEAMS)["attachments"]
    [attached] = attachments
    assert attached["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert attached["content"]["actions"][0]["url"] == OUTAGE.url
    headline, body, affected, site = attached["content"]["body"]
    assert headline["inlines"][0]["text"] == "Investigating: Email is unavailable"
    assert (body["type"], body["text"]) == ("TextBlock", NEWS.body)
    assert affected["inlines"][0]["text"] == "Email: major outage"
    assert site["inlines"][0]["text"] == "Acme <Status>"


def test_teams_takes_no_name_for_markdown() -> None:
    marked = replace(
        NEWS, body="", subject=replace(OUTAGE, name="mail_in and [mail_out](https://evil.example)")
    )
    attachments: Any = said(Channel.TEAMS, marked)["attachments"]
    assert {block["type"] for block in attachments[0]["content"]["body"]} == {"RichTextBlock"}


@given(st.sampled_from(Channel), st.text(max_size=4_000), st.text(max_size=300))
def test_no_text_breaks_a_payload_or_the_bounds_of_slack(channel: Channel, body: str, name: str) -> None:
    clean = body.encode("utf-8", "ignore").decode(), name.encode("utf-8", "ignore").decode()
    news = replace(NEWS, body=clean[0], subject=replace(OUTAGE, name=clean[1]))
    told = said(channel, news)
    if channel is Channel.SLACK:
        texts = [(block["type"], block.get("text", {}).get("text", "x")) for block in told["blocks"]]  # type: ignore[attr-defined]  # a JSON array
        assert all(1 <= len(text) <= (150 if kind == "header" else 3_000) for kind, text in texts)
