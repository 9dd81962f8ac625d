"""What webhooks are told."""

import re
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


def sections(news: News) -> list[dict[str, Any]]:
    """Give the text objects of the sections that Slack is sent."""
    blocks: Any = said(Channel.SLACK, news)["blocks"]
    return [block["text"] for block in blocks if block["type"] == "section"]


def in_slack(body: str) -> str:
    """Give the text of an update as Slack is sent it."""
    first = sections(replace(NEWS, body=body))[0]
    assert first["type"] == "mrkdwn"
    assert first["verbatim"] is True, "or Slack would look for names to mention"
    return str(first["text"])


def in_teams(news: News) -> list[str]:
    """Give the texts of a card, one after the other."""
    attachments: Any = said(Channel.TEAMS, news)["attachments"]
    blocks = attachments[0]["content"]["body"]
    return [
        block["text"] if block["type"] == "TextBlock" else block["inlines"][0]["text"] for block in blocks
    ]


DONE = replace(
    NEWS, status=UpdateStatus.RESOLVED, subject=replace(OUTAGE, ends_at=AT.replace(hour=13)), is_first=False
)


@pytest.mark.parametrize(
    "news",
    [
        DONE,
        replace(DONE, status=UpdateStatus.POSTMORTEM),
        replace(DONE, is_correction=True),
        replace(WORK, status=UpdateStatus.COMPLETED),
    ],
)
def test_what_is_over_leaves_no_component_out(news: News) -> None:
    body: Any = said(Channel.WEBHOOK, news)
    about = body["maintenance" if news.subject.is_maintenance else "incident"]
    assert about["components"] == [{"name": "Email", "state": "operational"}]
    assert sections(news)[-1] == {"type": "plain_text", "text": "Was affected: Email"}
    assert in_teams(news)[-2] == "Was affected: Email"


def test_work_that_is_announced_changes_no_component_yet() -> None:
    body: Any = said(Channel.WEBHOOK, WORK)
    assert body["maintenance"]["components"] == [{"name": "Email", "state": "operational"}]
    assert (sections(WORK)[-1]["text"], in_teams(WORK)[-2]) == ("Affected: Email", "Affected: Email")


def test_work_that_goes_on_says_what_its_components_are_in() -> None:
    subject = replace(WORK.subject, components=(("Email", ComponentState.UNDER_MAINTENANCE),))
    going_on = replace(WORK, status=UpdateStatus.IN_PROGRESS, subject=subject)
    body: Any = said(Channel.WEBHOOK, going_on)
    assert body["maintenance"]["components"] == [{"name": "Email", "state": "under_maintenance"}]
    assert sections(going_on)[-1]["text"] == "Email: under maintenance"


def test_work_that_was_called_off_is_not_said_to_be_completed() -> None:
    off = replace(WORK, status=UpdateStatus.COMPLETED, subject=replace(WORK.subject, is_called_off=True))
    assert in_teams(off)[0] == "Cancelled: Email is unavailable"
    assert said(Channel.SLACK, off)["text"] == "[Acme &lt;Status&gt;] Cancelled: Email is unavailable"


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("We **look** into *it*, ~~not~~ `a<b>`.", "We *look* into _it_, ~not~ `a&lt;b&gt;`."),
        ("See [the doc](https://x.example/?a=1&b=2).", "See <https://x.example/?a=1&amp;b=2|the doc>."),
        ("<https://x.example>", "<https://x.example|https://x.example>"),
        ("# What **we** know\n\nNothing.", "*What we know*\n\nNothing."),
        ("- one\n- two\n  1. first\n\n     more", "• one\n• two\n    1. first\n        more"),
        ("```\nx < y\n```", "```\nx &lt; y\n```"),
        ("> quoted\n> again", "> quoted\n> again"),
        ("**two\nlines**", "*two*\n*lines*"),
        ("un**believ**able, 重要**です**ね", "un\u200b*believ*\u200bable, 重要\u200b*です*\u200bね"),
        ("| a | b |\n|---|---|\n| 1 | **2** |", "a | b\n1 | *2*"),
        ("Tom & Jerry\n2 < 3", "Tom &amp; Jerry\n2 &lt; 3"),
        # what is copied is what was written, though Slack takes some of it for marks
        ("\\*.example, snake_case, \\_so\\_, ~1 h~", "*.example, snake_case, _so_, ~1 h~"),
    ],
)
def test_slack_reads_the_markdown_of_a_text_in_its_own_marks(body: str, shown: str) -> None:
    assert in_slack(body) == shown


@pytest.mark.parametrize(
    "body",
    [
        "<!channel> <!here|here> <@U0123> <#C0123> <!subteam^S1>",
        "`<!channel>` **<!here>**",
        "[all](!channel) [you](@U0123)",
        "[all](https://x.example/><!channel>)",
        "[<!channel>](https://x.example/)",
        "<https://x.example/|<!channel>>",
        "    <!channel>",
    ],
)
def test_no_text_calls_anybody_in_slack(body: str) -> None:
    assert not re.search(r"<[!@#]", in_slack(body))


@given(st.text(alphabet="<>!@#|[]()*_~`&\\ \nah:/p", max_size=60))
def test_whatever_a_text_holds_slack_is_given_no_tag_but_links(body: str) -> None:
    told = sections(replace(NEWS, body=body, subject=replace(OUTAGE, components=())))
    for text in (one["text"] for one in told):
        # a quote begins a line with the one sign that is not escaped besides
        tags = re.sub(r"^(?:> ?| {4}|• |[0-9]+\. )+", "", text, flags=re.MULTILINE)
        assert not re.search(r"[<>]", re.sub(r"<(?:https?|mailto):[^<>|]*(?:\|[^<>|]*)?>", "", tags))


def test_a_text_that_its_escapes_make_too_long_for_slack_is_cut_further() -> None:
    shown = in_slack("&<" * 1_400 + " the end")
    assert 2_500 < len(shown) <= 3_000
    assert shown.endswith("…")


def test_a_text_of_which_nothing_is_to_be_seen_makes_no_empty_section() -> None:
    assert [one["text"] for one in sections(replace(NEWS, body="[a]: https://x.example"))] == [
        "Email: major outage"
    ]


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("We **look** into *it*, ~~not~~ `a`.", "We **look** into _it_, not a."),
        ("# Known\n\nNothing.", "**Known**\n\nNothing."),
        ("one\ntwo", "one\n\ntwo"),
        ("- one\n- [two](https://x.example/a)", "- one\n- [two](https://x.example/a)"),
        ("mail_in, \\*so\\* \\[a](https://x.example)", "mail_in, \\*so\\* \\[a\\](https://x.example)"),
        ("![pixel](https://x.example/p.png)", "!\u200b[pixel](https://x.example/p.png)"),
    ],
)
def test_teams_gets_of_markdown_what_its_cards_know(body: str, shown: str) -> None:
    assert in_teams(replace(NEWS, body=body))[1] == shown


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
    assert (body["type"], body["text"]) == ("TextBlock", "We are _looking_ into it.")
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
