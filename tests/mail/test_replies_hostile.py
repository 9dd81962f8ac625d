"""Hostile mail: bounded, never anything but MailUnreadable, and never an act that nobody ordered."""

import contextlib
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.errors import MailUnreadable
from service.mail.banners import banner_length
from service.mail.replies import Reply, read_reply
from service.mail.words import Command
from tests.effort import ENDS, counting
from tests.thoroughness import examples

HEADER = b"From: jordan@acme.example\r\nTo: status+mfrggzdfmztwq2lknnwg23tpob@acme.example\r\n"
EXAMPLES = sorted((Path(__file__).parent / "eml").glob("*.eml"))


def read(raw: bytes) -> Reply:
    return read_reply(raw, own_address="status@acme.example", instance_id="acme-1")


def nested(depth: int, rest: bytes = b"") -> bytes:
    levels = (b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(depth))
    return HEADER + b"".join(levels) + b"\n" + rest


@pytest.mark.parametrize(
    "fields",
    [
        b"Message-ID: <[a\r\n",
        b"Message-ID: <>\r\nIn-Reply-To: <[a\r\nReferences: <[a\r\n",
        b"To: " + b", ".join(b"a%d@x.example" % number for number in range(10_000)) + b"\r\n",
        b"X-Long: " + b"a" * 50_000 + b"\r\n",
        b"Subject:" + b" =?utf-8?q?a?=" * 15_000 + b"\r\n",
        b"Subject: =?utf-8?b?a?= =?x-unknown?q?=ff?= =?utf-8?q?\r\n",
        b"Content-Type: text/plain; charset=x-unknown\r\n",
        b"Content-Type: text/plain; charset*=x'y'%ff\r\n",
        b"Content-Type: text/plain; x=" + b'";' * 20_000 + b"\r\n",
        b"Content-Transfer-Encoding: x-nonsense\r\n",
        b"X: y\r\n" * 20_000,
    ],
    ids=range(11),
)
def test_hostile_fields_do_not_hide_the_command(fields: bytes) -> None:
    reply = read(HEADER + fields + b"\r\npublish\r\n\xe9\r\n")
    assert (reply.command, reply.sender) == (Command.PUBLISH, "jordan@acme.example")


def test_a_header_of_over_64_kib_is_cut_and_not_refused() -> None:
    raw = HEADER + b"X: y\r\n" * 20_000 + b"Auto-Submitted: auto-replied\r\n\r\npublish\r\n"
    assert (read(raw).command, read(raw).automatic) == (Command.PUBLISH, False)


@pytest.mark.parametrize(
    ("raw", "bound"),
    [
        (nested(1000), "more than 50 parts"),
        (nested(60, b"\n" * 1000), "more than 10 deep"),
        (nested(10, b"x"), "more than 10 deep"),
        (HEADER + b"Content-Type: message/rfc822\r\n\r\n" * 11, "more than 10 deep"),
        (
            HEADER + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 51,
            "50 parts",
        ),
        (HEADER + b"Content-Type: multipart/digest; boundary=b\r\n\r\n" + b"--b\r\n\r\n" * 9999, "50 parts"),
        (HEADER + b"Content-Type: multipart/mixed; boundary*=a; boundary*0=b\r\n\r\nx", "structure"),
    ],
    ids=["parts-declared", "deep", "one-too-deep", "mails-in-mails", "parts", "digest", "parameters"],
)
def test_a_mail_beyond_a_bound_is_unreadable(raw: bytes, bound: str) -> None:
    with pytest.raises(MailUnreadable, match=bound):
        read(raw)


def test_a_mail_at_the_bounds_is_read() -> None:
    assert read(nested(9, b"publish")).command is Command.PUBLISH
    parts = b"--b\r\n\r\npublish\r\n" * 49
    assert (
        read(HEADER + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + parts).command is Command.PUBLISH
    )


@pytest.mark.parametrize(
    "body",
    [
        b"<div>" * 50_000,
        b"<blockquote>" * 20_000,
        b"<div class=gmail_quote>" * 10_000,
        b"<p " + b"a=b " * 40_000 + b">",
        b"<p style='" + b"display:" * 20_000 + b"'>",
        b"<![CDATA[" * 20_000,
        b"&#x" * 50_000,
    ],
    ids=range(7),
)
def test_hostile_html_ends(body: bytes) -> None:
    assert read(HEADER + b"Content-Type: text/html\r\n\r\n" + body).command is None


@pytest.mark.parametrize(
    "body",
    [
        b"On \n" * 60_000,
        b"On " * 80_000,
        b"caution " * 30_000,
        b"this email is " * 15_000,
        b" " * 200_000,
        b"> a\nb\n" * 40_000,
        b"'*" * 50_000 + b"publish",
        b"-" * 200_000,
        b"- " * 100_000,
        b"hi " * 60_000,
    ],
    ids=range(10),
)
def test_hostile_text_ends(body: bytes) -> None:
    assert read(HEADER + b"\r\n" + body).command is None


def multipart(parts: list[bytes], level: int = 0) -> bytes:
    boundary = b"b%d" % level
    body = b"".join(b"--%b\n%b\n" % (boundary, part) for part in parts)
    return b"Content-Type: multipart/mixed; boundary=%b\n\n%b--%b--\n" % (boundary, body, boundary)


def test_parts_that_nest_or_repeat_take_no_more_work_than_one() -> None:
    """Eight levels of which each read its parts anew would be nine times the work."""
    deep = b"Content-Type: text/html\n\n<p hidden>x</p>" + b"<div>" * 2_000
    for level in range(8):
        deep = multipart([deep, b"Content-Type: text/plain\n\n \n"], level)
    with counting() as nested_ones:
        assert read(HEADER + deep).command is None
    with counting() as one:
        assert read(HEADER + b"Content-Type: text/html\n\n<p hidden>x</p>" + b"<div>" * 2_000).command is None
    assert nested_ones.calls < 3 * one.calls


@ENDS
@pytest.mark.parametrize("tag", [b"ext", b"ext ", b"[external] ext", b"external e-mail"])
@pytest.mark.parametrize("marks", [b"!" * 990, b"! " * 495, b"-*" * 495, b"!" * 960 + b"do not open x"])
def test_banners_of_nothing_but_marks_end(tag: bytes, marks: bytes) -> None:
    begun = time.process_time()
    for _ in range(50):
        banner_length([(tag + marks).decode()])
    assert time.process_time() - begun < 0.5, "a hundredth of it is the rule"


@settings(deadline=None)
@given(st.binary())
def test_any_bytes_are_read_or_unreadable(raw: bytes) -> None:
    with contextlib.suppress(MailUnreadable):
        assert read(raw).tokens == ()


@settings(deadline=None, max_examples=examples(300))
@given(st.data())
def test_a_damaged_example_is_read_or_unreadable(data: st.DataObject) -> None:
    raw = data.draw(st.sampled_from(EXAMPLES)).read_bytes()
    start = data.draw(st.integers(0, len(raw)))
    end = data.draw(st.integers(start, min(len(raw), start + 40)))
    piece = data.draw(
        st.one_of(st.binary(max_size=20), st.sampled_from([b"\n\n", b'"', b"(", b"<[", b"*0*=", b";"]))
    )
    with contextlib.suppress(MailUnreadable):
        assert len(read(raw[:start] + piece + raw[end:]).first_line) <= 80


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_cut_anywhere_is_still_read(path: Path) -> None:
    raw = path.read_bytes()
    for end in range(0, len(raw), 37):
        assert isinstance(read(raw[:end]), Reply)


LINES = st.sampled_from(
    [
        "",
        "Hi,",
        "[EXTERNAL]",
        "I am looking.",
        "> It is down",
        "> publish",
        ">publish",
        "> > yes",
        "  > ok",
        "On Mon, 2 Nov 2026 at 10:00, Acme Status <status@acme.example> wrote:",
        "> To put this on the status page, answer this mail with the word",
        "-- ",
        "Jordan",
        "-- Reply above this line --",
        "________________________________",
        "From: Acme Status",
        "Sent: Monday",
        "Sent from my iPhone",
    ]
)


@settings(deadline=None)
@given(
    st.lists(LINES, max_size=12), st.sampled_from([b"", b"; format=flowed", b"; format=flowed; delsp=yes"])
)
def test_a_quoted_publish_never_publishes(lines: list[str], parameters: bytes) -> None:
    kind = b"text/plain; charset=utf-8" + parameters
    body = "\r\n".join(lines).encode()
    assert read(HEADER + b"Content-Type: " + kind + b"\r\n\r\n" + body).command is None


@settings(deadline=None)
@given(st.lists(LINES, max_size=8))
def test_a_publish_below_our_own_mark_never_publishes(lines: list[str]) -> None:
    body = "\r\n".join([*lines, "-- Reply above this line --", "publish"]).encode()
    assert read(HEADER + b"\r\n" + body).command is None


PIECES = st.sampled_from(
    [
        "<p>I am looking.</p>",
        "<blockquote>publish</blockquote>",
        "<blockquote><div>It is down</div><p>publish</p></blockquote>",
        "<div class=gmail_quote>On Monday Sam wrote:<blockquote>publish</blockquote></div>",
        "<div class=moz-cite-prefix>publish</div>",
        "<p hidden>publish</p>",
        "<p style='display:none'>publish</p>",
        "<!-- publish -->",
        "<br>",
        "<div id=appendonsend></div>publish",
    ]
)


@settings(deadline=None)
@given(st.lists(PIECES, max_size=8))
def test_a_quoted_or_hidden_publish_in_html_never_publishes(pieces: list[str]) -> None:
    markup = "".join(pieces).encode()
    assert read(HEADER + b"Content-Type: text/html\r\n\r\n" + markup).command is None
