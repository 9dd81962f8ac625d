"""What our mails say, in both parts, and what can never get into them."""

import re
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from service.mail import markdown
from service.mail.commands import read_command
from service.mail.markdown import to_html
from service.mail.rendering import HTML_LIMIT, local_time
from service.mail.words import ENGLISH
from service.model import MAIL_KINDS, ComponentState, DeliveryKind, Incident
from tests.mail.compose_samples import (
    ABOUT_AN_INCIDENT,
    INCIDENT,
    OFFICE,
    SITE,
    TO_REPLY_TO,
    TO_SUBSCRIBERS,
    facts_of,
    mail,
    minimal_facts,
    text_of,
)
from tests.thoroughness import examples

NASTY = "<script>alert(1)</script><img src=x onerror=y> {{ 7 * 7 }} {% raw %} & <b>bold</b>"
COMMAND_LINES = [*ENGLISH.words, "*publish*", "\u201cPublish INC-12\u201d", "publish.", "OK!"]
LINES = st.lists(st.sampled_from(COMMAND_LINES) | st.text(max_size=20), min_size=1, max_size=6).map("\n".join)


def _both(kind: DeliveryKind, facts: dict[str, Any] | None = None) -> tuple[str, str]:
    """Give the text part and what a reader sees of the HTML part."""
    parsed = mail(kind, facts)
    return text_of(parsed), _seen(text_of(parsed, "html"))


def _seen(html: str) -> str:
    tree = LexborHTMLParser(html)
    tree.strip_tags(["style", "title"])
    assert tree.body is not None
    return " ".join(tree.body.text(separator=" ").split())


def _filled(kind: DeliveryKind, text: str) -> dict[str, Any]:
    """Put a text wherever a mail takes one from outside."""
    facts = facts_of(kind, replace(INCIDENT, subject=text, message=text, type=text, components={}))
    if "alert" in facts:
        facts["alert"] = dict.fromkeys(facts["alert"], text)
    names = ("employee_name", "by", "update_body", "first_line", "valid_line", "subject")
    facts |= {name: text for name in names if name in facts}
    if "sentences" in facts:
        facts["sentences"] = [text] * 4
    return facts


@pytest.mark.parametrize("kind", TO_REPLY_TO)
def test_the_first_line_of_a_mail_to_answer_says_where_to_write(kind: DeliveryKind) -> None:
    text, seen = _both(kind)
    assert text.startswith("-- Reply above this line --\n")
    assert seen.startswith("-- Reply above this line --")


@pytest.mark.parametrize("kind", [kind for kind in MAIL_KINDS if kind not in TO_REPLY_TO])
def test_no_other_mail_asks_for_a_reply(kind: DeliveryKind) -> None:
    assert all("Reply above" not in part for part in _both(kind))


@settings(max_examples=examples(25))
@given(LINES)
@pytest.mark.parametrize("kind", TO_REPLY_TO)
def test_no_line_of_a_mail_to_answer_is_a_command(kind: DeliveryKind, lines: str) -> None:
    text = text_of(mail(kind, _filled(kind, lines)))
    assert [line for line in text.split("\n") if read_command(line)] == []


@pytest.mark.parametrize("kind", ABOUT_AN_INCIDENT)
def test_both_parts_tell_an_employee_the_same_facts(kind: DeliveryKind) -> None:
    facts = ["INC-12", "Email is unavailable", "Email Server", "CRITICAL", "host-mx1", "Queue is full."]
    facts += ["24 Nov 2026, 14:02 CET", "2 alerts, fired 4 times", "Jordan Ray"]
    for part in _both(kind):
        assert [fact for fact in facts if fact not in part] == []


@pytest.mark.parametrize("part", [0, 1])
def test_the_approval_mail_says_what_would_happen_and_how_to_decide(part: int) -> None:
    said = _both(DeliveryKind.APPROVAL)[part].replace('"', "")
    assert "1,204 subscribers by mail and 31 webhooks would read" in said
    assert "reply to this mail with the word publish on the first line" in said
    assert "reply with the word discard on the first line instead" in said
    assert "[Acme Status] Email is unavailable" in said


@pytest.mark.parametrize(
    ("mails", "webhooks", "said"),
    [
        (0, 0, "no subscriber is concerned"),
        (1, 0, "what 1 subscriber by mail would"),
        (2, 0, "what 2 subscribers by mail would"),
        (0, 1, "what 1 webhook would"),
        (2, 31, "what 2 subscribers by mail and 31 webhooks would"),
    ],
)
def test_the_approval_mail_counts_subscribers(mails: int, webhooks: int, said: str) -> None:
    facts = facts_of(DeliveryKind.APPROVAL, recipients=mails, webhooks=webhooks)
    for part in _both(DeliveryKind.APPROVAL, facts):
        assert said in part.lower()


def _notice(kind: DeliveryKind, facts: dict[str, Any]) -> str:
    """Cut out of the HTML what stands between the status and the end of its table of facts."""
    html = text_of(mail(kind, facts), "html")
    match = re.search(r'<span class="pill.*?</table>', html, re.DOTALL)
    assert match
    return match[0]


@pytest.mark.parametrize("message", [INCIDENT.message, "", "- a\n- b\n\n> c", NASTY])
def test_the_approval_mail_shows_exactly_what_subscribers_get(message: str) -> None:
    incident = replace(INCIDENT, message=message)
    shown = {"status": "investigating", "status_words": "investigating", "body": message}
    sent = facts_of(DeliveryKind.SUBSCRIBER_UPDATE, incident)
    sent["update"] |= shown
    approval = facts_of(DeliveryKind.APPROVAL, incident)
    assert _notice(DeliveryKind.APPROVAL, approval) == _notice(DeliveryKind.SUBSCRIBER_UPDATE, sent)
    barred = [
        line[2:] for line in text_of(mail(DeliveryKind.APPROVAL, approval)).split("\n") if line[:1] == "|"
    ]
    start = barred.index("Investigating: Email is unavailable")
    text = text_of(mail(DeliveryKind.SUBSCRIBER_UPDATE, sent))
    assert text.startswith("\n".join(barred[start:]))


@pytest.mark.parametrize(
    ("kind", "reason", "by", "said"),
    [
        (
            DeliveryKind.APPROVAL,
            "wait_elapsed",
            "automatically",
            "It has not recovered within its wait time.",
        ),
        (
            DeliveryKind.PUBLISHED,
            "published",
            "Ana Müller",
            "published by Ana Müller on 24 Nov 2026, 14:07 CET",
        ),
        (DeliveryKind.PUBLISHED, "auto_published", "automatically", "published automatically on 24 Nov"),
        (DeliveryKind.CLOSED, "closed", "Ana Müller", "closed by Ana Müller on 24 Nov 2026, 14:45 CET"),
        (DeliveryKind.CLOSED, "auto_closed", "automatically", "as everything about it has recovered"),
        (DeliveryKind.CLOSED, "grace_elapsed", "automatically", "as it has recovered and stayed so"),
        (
            DeliveryKind.DISCARDED,
            "discarded",
            "Ana Müller",
            "discarded by Ana Müller on 24 Nov 2026, 14:45 CET",
        ),
        (DeliveryKind.DISCARDED, "recovered_unpublished", "automatically", "before anybody published it"),
        (DeliveryKind.DISCARDED, "discarded", "Ana Müller", "no subscriber was told"),
        (DeliveryKind.RECOVERED, "recovered_left_open", "automatically", "has recovered"),
    ],
)
def test_both_parts_say_why_and_by_whom(kind: DeliveryKind, reason: str, by: str, said: str) -> None:
    for part in _both(kind, facts_of(kind, reason=reason, by=by)):
        assert said in part


def test_without_an_alert_the_monitor_is_named() -> None:
    empty = dict.fromkeys(("monitor_name", "raw_state", "message", "entity_id"), "")
    for alert in (None, empty):
        text, seen = _both(DeliveryKind.APPROVAL, facts_of(DeliveryKind.APPROVAL, alert=alert))
        assert "Monitor: Mail-Monitor\nSince:" in text
        assert "Monitor Mail-Monitor Since" in seen


@pytest.mark.parametrize("hide_authors", [True, False])
def test_subscribers_never_read_of_employees_alerts_or_monitors(*, hide_authors: bool) -> None:
    office = replace(OFFICE, site=replace(SITE, hide_authors=hide_authors))
    facts = facts_of(DeliveryKind.SUBSCRIBER_UPDATE) | {"alert": facts_of(DeliveryKind.APPROVAL)["alert"]}
    parsed = mail(DeliveryKind.SUBSCRIBER_UPDATE, facts, office)
    whole = parsed.as_string() + text_of(parsed) + text_of(parsed, "html")
    for internal in ("Jordan Ray", "Ana", "Email Server", "CRITICAL", "host-mx1", "Mail-Monitor", "INC-12"):
        assert internal not in whole


def test_subscribers_read_the_update_in_both_parts() -> None:
    for part in _both(DeliveryKind.SUBSCRIBER_UPDATE):
        for fact in ("Identified", "Email is unavailable", "A disk was full.", "Calendar: partial outage"):
            assert fact in part.replace(" : ", ": ")
        assert "24 Nov 2026, 14:11 CET" in part


def test_a_resolved_mail_does_not_say_that_components_are_down() -> None:
    facts = facts_of(DeliveryKind.SUBSCRIBER_UPDATE)
    facts["update"] |= {"status": "resolved", "status_words": "resolved"}
    for part in _both(DeliveryKind.SUBSCRIBER_UPDATE, facts):
        assert "outage" not in part
        assert "Was affected" in part


def test_an_answer_says_what_was_read_what_came_of_it_and_what_works() -> None:
    for part in _both(DeliveryKind.ANSWER):
        for fact in ("publish?", "Nothing was published.", "It still waits for a decision.", "INC-12"):
            assert fact in part
        assert re.search(r"reply to this mail with \W ?publish ?\W as the first line", part)


@pytest.mark.parametrize("kind", MAIL_KINDS)
@pytest.mark.parametrize("url", ["https://status.acme.example", "https://acme.example/status/"])
def test_all_links_lead_to_the_site(kind: DeliveryKind, url: str) -> None:
    office = replace(OFFICE, site=replace(SITE, url=url))
    for facts in (facts_of(kind), minimal_facts(kind)):
        parsed = mail(kind, facts, office)
        links = re.findall(r'\w+://[^\s"<]+', text_of(parsed) + text_of(parsed, "html"))
        assert links
        assert all(link.startswith(url.rstrip("/")) for link in links)
        assert not [link for link in links if "//" in link.partition("://")[2]]


@settings(max_examples=examples(25))
@given(st.text(st.characters(exclude_characters="[<"), max_size=80))
@pytest.mark.parametrize("kind", MAIL_KINDS)
def test_no_text_becomes_a_link_by_itself(kind: DeliveryKind, text: str) -> None:
    facts = _filled(kind, f"{text} https://evil.example www.evil.example")
    html = LexborHTMLParser(text_of(mail(kind, facts), "html"))
    links = [str(node.attributes.get("href")) for node in html.css("a")]
    assert [link for link in links if not link.startswith(SITE.url)] == []


@pytest.mark.parametrize("kind", MAIL_KINDS)
def test_html_and_templates_in_a_text_come_out_as_text(kind: DeliveryKind) -> None:
    html = text_of(mail(kind, _filled(kind, NASTY)), "html")
    body = html[html.index("<body") :]
    assert not re.search(r"<script|<img|onerror=[^y]|<b>", body)
    assert "49" not in _seen(html)


def test_an_alerts_markdown_is_shown_as_it_came() -> None:
    alert = {"monitor_name": "*x*", "raw_state": "", "message": "[a](https://evil.example)", "entity_id": ""}
    html = text_of(mail(DeliveryKind.APPROVAL, facts_of(DeliveryKind.APPROVAL, alert=alert)), "html")
    assert "[a](https://evil.example)" in html
    assert 'href="https://evil.example' not in html


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("**b** _i_", "<p><strong>b</strong> <em>i</em></p>\n"),
        (
            "[a](https://x.example)",
            '<p><a href="https://x.example" rel="noopener noreferrer nofollow">a</a></p>\n',
        ),
        ("[a](javascript:x)", "<p>[a](javascript:x)</p>\n"),
        ("<b>x</b>", "<p>&lt;b&gt;x&lt;/b&gt;</p>\n"),
        ("one\ntwo", "<p>one<br>\ntwo</p>\n"),
        ("http://x.example", "<p>http://x.example</p>\n"),
    ],
)
def test_markdown_becomes_plain_structure(source: str, html: str) -> None:
    assert to_html(source) == html


def test_markdown_loads_no_images() -> None:
    assert "<img" not in to_html("![a](https://x.example/a.png)")


@pytest.mark.parametrize("kind", MAIL_KINDS)
def test_html_loads_nothing_and_knows_dark_mode(kind: DeliveryKind) -> None:
    html = text_of(mail(kind), "html")
    assert not re.search(r"<(img|link|script|iframe)|url\(|@import|@font-face", html)
    assert "@media (prefers-color-scheme: dark)" in html
    assert '<meta name="color-scheme" content="light dark">' in html


@pytest.mark.parametrize(
    "piece", ["&", "- a\n", "|a\n|-\n", "[a](https://x.example)\n", "漢", "> a\n\n", "**b"]
)
@pytest.mark.parametrize("kind", [DeliveryKind.APPROVAL, *TO_SUBSCRIBERS])
def test_an_overlong_text_is_cut_and_leads_to_the_whole(kind: DeliveryKind, piece: str) -> None:
    many = {f"{piece * 80} {number}": ComponentState.PARTIAL_OUTAGE for number in range(300)}
    facts = facts_of(kind, _overlong(piece, many))
    if "update" in facts:
        facts["update"]["body"] = piece * 60_000
    parsed = mail(kind, facts)
    assert len(text_of(parsed, "html").encode()) <= HTML_LIMIT
    assert "The text goes on: https://status.acme.example/" in text_of(parsed)
    assert "more" in text_of(parsed)


@pytest.mark.parametrize("space", [" ", "\t", "\u3000"])
def test_a_long_run_of_spaces_is_gone_through_once(space: str) -> None:
    # once from each of its places would be a matter of hours
    facts = facts_of(DeliveryKind.APPROVAL)
    facts["alert"]["message"] = f"a{space * 1_000_000}b{space * 1_000_000}\nc"
    facts["incident"]["message"] = f"{space * 1_000_000}a"
    assert "waits for your decision" in text_of(mail(DeliveryKind.APPROVAL, facts))


def _overlong(piece: str, components: dict[str, ComponentState]) -> Incident:
    return replace(INCIDENT, subject=piece * 400, message=piece * 60_000, components=components)


@given(st.text(max_size=200))
@pytest.mark.parametrize("subtype", ["plain", "html"])
def test_any_update_comes_back_readable(subtype: str, body: str) -> None:
    facts = facts_of(DeliveryKind.SUBSCRIBER_UPDATE)
    facts["update"]["body"] = body
    parsed = mail(DeliveryKind.SUBSCRIBER_UPDATE, facts)
    said = text_of(parsed, subtype)
    assert "\ufffd" not in said.replace(body, "")
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", said)


@pytest.mark.parametrize(
    "body", ["Grüße, 漢字 und 👩‍💻", "plain", "漢字漢字漢字" * 50, "a = b\n.\nFrom me\n\ttab"]
)
def test_text_goes_through_every_transfer_encoding(body: str) -> None:
    facts = facts_of(DeliveryKind.SUBSCRIBER_UPDATE)
    facts["update"]["body"] = body
    assert body in text_of(mail(DeliveryKind.SUBSCRIBER_UPDATE, facts))


@pytest.mark.parametrize(
    ("iso", "zone", "shown"),
    [
        ("2026-11-24T13:02:00+00:00", "Europe/Berlin", "24 Nov 2026, 14:02 CET"),
        ("2026-07-01T22:30:00+00:00", "Europe/Berlin", "2 Jul 2026, 00:30 CEST"),
        ("2026-07-01T22:30:00+00:00", "UTC", "1 Jul 2026, 22:30 UTC"),
        ("2026-01-09T12:00:00+00:00", "America/Sao_Paulo", "9 Jan 2026, 09:00 UTC-03"),
    ],
)
def test_times_are_those_of_the_site(iso: str, zone: str, shown: str) -> None:
    assert local_time(iso, ZoneInfo(zone)) == shown


def test_html_is_kept_of_short_texts_alone() -> None:
    short, long = "It is **slow**.", f"{'long ' * 1_000}1"
    assert markdown.to_html(short) is markdown.to_html(short)
    assert markdown.to_html(long) is not markdown.to_html(long)
