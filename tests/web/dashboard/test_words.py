"""Every word that the service keeps has a sentence that employees can read."""

from datetime import UTC, datetime, timedelta

import pytest
from markupsafe import Markup

from service.model import Incident, Phase
from service.web.dashboard.incident_view import raw_text
from service.web.dashboard.words import PHASE_WORDS, REASON_WORDS, reason_still_true, reason_words, span_words
from service.web.front import with_code
from service.workflow import Reason


def test_every_reason_and_every_phase_is_said_in_words_of_its_own() -> None:
    assert set(REASON_WORDS) == set(Reason)
    assert len(set(REASON_WORDS.values())) == len(Reason)
    assert set(PHASE_WORDS) == set(Phase)


def test_a_reason_of_another_version_is_shown_as_it_stands() -> None:
    assert reason_words("struck_by_lightning") == "struck by lightning"


@pytest.mark.parametrize("phase", [Phase.PUBLISHED, Phase.RECOVERED, Phase.CLOSED])
@pytest.mark.parametrize("reason", [Reason.UPDATE_CORRECTED, Reason.REFUSED_TEXT_THE_SAME])
def test_whoever_corrects_reads_what_came_of_it(phase: Phase, reason: Reason) -> None:
    at = datetime(2026, 11, 24, tzinfo=UTC)
    corrected = Incident(1, "victorops:x", phase, None, 1, "x", "x", "performance", {}, at)
    assert reason_still_true(reason, corrected, "sam") is reason


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(seconds=-3), "any moment"),
        (timedelta(0), "any moment"),
        (timedelta(seconds=1), "1 min"),
        (timedelta(seconds=61), "2 min"),
        (timedelta(hours=1), "1 h"),
        (timedelta(hours=25, minutes=1), "1 d 1 h"),
        (timedelta(days=2, minutes=5), "2 d 5 min"),
    ],
)
def test_a_span_to_come_is_rounded_up(span: timedelta, words: str) -> None:
    assert span_words(span) == words


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"a\r\nb\tc", "a\nb\tc"),
        (b"a\rb\x1b[31m\x7f", "a\u240db\u241b[31m\u2421"),
        ("\u202egnp.exe\u2066".encode(), "[U+202E]gnp.exe[U+2066]"),
        ("ünïcode".encode(), "ünïcode"),
        ("ü".encode()[:1], "\ufffd"),
        (b"123456789", "12345678"),
    ],
)
def test_raw_text_hides_nothing(raw: bytes, text: str) -> None:
    assert raw_text(raw, 8 if raw.isdigit() else 100) == text


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("`wait_time` is 5, not `5m`", "<code>wait_time</code> is 5, not <code>5m</code>"),
        ("no monitor takes `<b>x</b>`", "no monitor takes <code>&lt;b&gt;x&lt;/b&gt;</code>"),
        ("<i>`a`</i>", "&lt;i&gt;<code>a</code>&lt;/i&gt;"),
        ("`a`<script>`b`", "<code>a</code>&lt;script&gt;<code>b</code>"),
        ("`</code><script>`", "<code>&lt;/code&gt;&lt;script&gt;</code>"),
        ("`{0} {x}` & {}", "<code>{0} {x}</code> &amp; {}"),
        ("one ` alone", "one ` alone"),
        ("`` holds nothing", "`` holds nothing"),
        ("`over\ntwo lines`", "`over\ntwo lines`"),
        (Markup("<b>`a`</b>"), "&lt;b&gt;<code>a</code>&lt;/b&gt;"),
        ("", ""),
    ],
)
def test_what_stands_between_backticks_is_code_and_all_is_escaped(text: str, html: str) -> None:
    assert with_code(text) == html
