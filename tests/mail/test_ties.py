"""A mail that is proven to be of its sender counts only if its author wrote it as an answer to the notification."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.config.settings import Authenticity, Policy
from service.mail.authentication_results import read_header
from service.mail.authenticity import Judgement, Verdict, judge
from service.mail.dkim_check import find_claimed_lack
from service.mail.ties import Notification, read_tie
from tests.mail.authenticity.signing import NOW, PRIVATE, RECORD, served, sign

TOKEN = "abcdefghijklmnopqrstuvwx23"
OTHER = "z" * 26
OURS = "status@acme.example"
PLUS = f"status+{TOKEN}@acme.example"
ID = f"<{TOKEN}.{'0' * 32}@acme.example>"
NOTIFICATION = Notification(OURS, frozenset({TOKEN}), 12, NOW - timedelta(minutes=5))
BY_SERVER = Authenticity(Policy.REQUIRE, "mx.acme.example")
BY_DKIM = Authenticity(Policy.REQUIRE)
PASS = b"Authentication-Results: mx.acme.example; dmarc=pass header.from=corp.example\r\n"
ALL = b"from:to:cc:subject:date:in-reply-to:references"
AS_MICROSOFT = b"From:Date:Subject:Message-ID:Content-Type:MIME-Version"
"""What Exchange Online signs."""
NOTHING_ANSWERED = "covers nothing that says what the mail answers"
NEITHER = "it is neither addressed to us nor an answer to the notification"
DATE = "Tue, 24 Nov 2026 08:59:00 +0000"


def written(subject: str = "Re: lunch at noon", date: str = DATE, **fields: str) -> bytes:
    """Write what Alice wrote."""
    said = {"From": "Alice <alice@corp.example>", "Subject": subject, "Date": date}
    said |= {name.replace("_", "-"): value for name, value in fields.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in said.items() if value)
    return f"{head}Content-Type: text/plain\r\n\r\nok\r\n".encode()


def sent_on(mail: bytes) -> bytes:
    """Deliver a mail to the address of the token, whomever it was written to."""
    return f"Delivered-To: {PLUS}\r\n".encode() + mail


def by_server(mail: bytes, notification: Notification | None = NOTIFICATION) -> Judgement:
    raw = PASS + sent_on(mail)
    return judge(raw, "alice@corp.example", BY_SERVER, served(RECORD), now=NOW, notification=notification)


def by_dkim(mail: bytes, signed: bytes = ALL, notification: Notification | None = NOTIFICATION) -> Judgement:
    raw = sent_on(sign(mail, PRIVATE, h=signed))
    return judge(raw, "alice@corp.example", BY_DKIM, served(RECORD), now=NOW, notification=notification)


TYING = [
    {"To": OURS},
    {"To": "Status@ACME.example"},
    {"To": f"Acme Status <{OURS}>"},
    {"To": f'"Status, Acme" <{OURS}>, Lee <lee@other.example>'},
    {"To": f"Lee <lee@other.example>, {PLUS}"},
    {"To": f"Team: lee@other.example, {PLUS};"},
    {"To": f"status+{TOKEN.upper()}@acme.onmicrosoft.com"},
    {"To": "lee@other.example", "Cc": f"<{PLUS}>"},
    {"To": "lee@other.example", "In_Reply_To": ID},
    {"To": "lee@other.example", "References": f"<a@b.example>,{ID} <c@d.example>"},
]


@pytest.mark.parametrize("fields", TYING)
def test_an_answer_to_the_notification_is_believed(fields: dict[str, str]) -> None:
    assert by_server(written(**fields)) == Judgement(Verdict.YES, "dmarc=pass by mx.acme.example")
    assert by_dkim(written(**fields)).verdict is Verdict.YES


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"To": "Mallory <mallory@evil.example>", "In_Reply_To": "<m1@evil.example>"},
        {"To": f'"{OURS}" <mallory@evil.example>'},
        {"To": f"{OURS} <mallory@evil.example>"},
        {"To": f"'{PLUS}' <mallory@evil.example>"},
        {"To": f'"x, {OURS}, y" <mallory@evil.example>'},
        {"To": f"mallory@evil.example (, {OURS} ,)"},
        {"To": f'"x \\", {OURS}, \\" y" <mallory@evil.example>'},
        {"To": f'mallory@evil.example, "x, {OURS}, y'},
        {"To": f"=?utf-8?q?{OURS.replace('@', '=40')}=2C?= <mallory@evil.example>"},
        {"To": f"evil{OURS}"},
        {"To": f"{OURS}.evil.example"},
        {"To": f"status+{OTHER}@acme.example"},
        {"Reply_To": PLUS, "Bcc": PLUS, "Sender": PLUS, "X_Original_To": PLUS},
        {"In_Reply_To": f"<{OTHER}.{'0' * 32}@acme.example>"},
        {"References": "<INC-12@acme.example>"},
        {"To": "x" * 5000 + f", {OURS}"},
    ],
)
def test_a_mail_to_somebody_else_that_is_sent_on_to_the_token_is_asked_about(fields: dict[str, str]) -> None:
    mail = written(subject="Re: [INC-12] Email", **fields)
    assert by_server(mail) == Judgement(Verdict.UNKNOWN, f"dmarc=pass by mx.acme.example, but {NEITHER}")
    assert by_dkim(mail) == Judgement(
        Verdict.UNKNOWN, f"DKIM signature of corp.example verifies, but {NEITHER}"
    )


@pytest.mark.parametrize("name", ["To", "Cc", "In-Reply-To", "References", "Date"])
def test_a_field_that_stands_there_twice_ties_nothing(name: str) -> None:
    fields = {"To": PLUS, "Cc": PLUS, "In-Reply-To": ID, "References": ID, "Date": DATE}
    only = {name: fields[name], "Date": DATE}
    head = "".join(f"{field}: {value}\r\n" for field, value in only.items())
    raw = f"{name}: {fields[name]}\r\n{head}From: alice@corp.example\r\nTo-Day: x\r\n\r\nok\r\n".encode()
    if name == "Date":
        raw = f"To: {PLUS}\r\n".encode() + raw
    assert by_server(raw).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("date", "gap"),
    [
        ("Tue, 24 Nov 2026 08:59:00 +0000", ""),
        ("24 Nov 2026 09:59 +0100 (CET)", ""),
        ("Mon, 23 Nov 2026 08:55:00 +0000", ""),
        ("Mon, 23 Nov 2026 08:55:00 -0000", ""),
        ("Wed, 25 Nov 2026 09:00:00 +0000", ""),
        ("Mon, 23 Nov 2026 08:54:59 +0000", "it was written on 2026-11-23, before the notification"),
        ("Mon, 02 Jun 2025 10:00:00 +0000", "it was written on 2025-06-02, before the notification"),
        ("Tue, 24 Nov 2026 08:59:00 +9999", "it does not say when it was written (Date)"),
        ("Fri, 31 Dec 9999 23:00:00 -1400", "it does not say when it was written (Date)"),
        ("today", "it does not say when it was written (Date)"),
        ("", "it does not say when it was written (Date)"),
    ],
)
def test_an_answer_is_not_older_than_its_notification(date: str, gap: str) -> None:
    for judged in (by_server(written(date=date, To=PLUS)), by_dkim(written(date=date, To=PLUS))):
        assert judged.verdict is (Verdict.UNKNOWN if gap else Verdict.YES)
        assert judged.evidence.partition(", but ")[2] == gap


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001  as it asks
    st.integers(-100_000, 100_000) | st.integers(-86_402, -86_398),
)
def test_a_clock_may_be_a_day_slow_and_no_more(issued_at: datetime, seconds: int) -> None:
    issued_at = issued_at.replace(microsecond=0)
    date = format_datetime(issued_at + timedelta(seconds=seconds))
    tie = read_tie(read_header(written(date=date, To=PLUS)), replace(NOTIFICATION, issued_at=issued_at))
    assert (not tie.gap) is (seconds >= -24 * 60 * 60)


@pytest.mark.parametrize(
    ("signed", "lack"),
    [
        (b"from:subject:to:date", ""),
        (b"From : Subject : To : Date", ""),
        (b"from:subject:to", "does not cover Date"),
        (b"from:subject:date", "covers nothing that says what the mail answers"),
        (b"from:subject:date:cc:in-reply-to", "covers nothing that says what the mail answers"),
    ],
)
def test_what_ties_is_signed_too_for_anybody_can_add_a_field(signed: bytes, lack: str) -> None:
    expected = Verdict.UNKNOWN if lack else Verdict.YES
    mail = written(To=PLUS)
    found = by_dkim(mail, signed)
    assert found.verdict is expected
    assert found.evidence.endswith(lack or "verifies")
    vouched = by_server(sign(mail, PRIVATE, h=signed))
    assert vouched.verdict is expected
    assert vouched.evidence.endswith(f"but its DKIM signature {lack}" if lack else "mx.acme.example")


def test_each_signature_is_asked_for_what_ties() -> None:
    narrow = sign(written(To=PLUS), PRIVATE, h=b"from:subject")
    both = sent_on(sign(narrow, PRIVATE, h=ALL))
    judged = judge(both, "alice@corp.example", BY_DKIM, served(RECORD), now=NOW, notification=NOTIFICATION)
    assert judged.verdict is Verdict.YES, "one that covers it suffices where we verify it ourselves"
    assert by_server(both).verdict is Verdict.UNKNOWN, "nobody knows which one the server verified"


def test_a_server_may_have_verified_a_signature_of_a_domain_below() -> None:
    mail = sign(written(To=PLUS), PRIVATE, h=b"from:subject", d=b"mail.corp.example")
    assert by_server(mail).verdict is Verdict.UNKNOWN
    of_another = sign(written(To=PLUS), PRIVATE, h=b"from:subject", d=b"list.example")
    assert by_server(of_another).verdict is Verdict.YES


@pytest.mark.parametrize(
    ("sender", "domain", "counts"),
    [
        ("news.corp.example", "mail.corp.example", True),
        ("a.news.corp.example", "b.mail.corp.example", True),
        ("news.corp.example", "corp.example.", True),
        ("news.corp.example", "mail.corp.test", False),
        ("corp.example", "notcorp.example", False),
        ("corp.example", "example", False),
    ],
)
def test_a_server_may_have_verified_a_signature_of_a_sister_domain(
    sender: str,
    domain: str,
    counts: bool,  # noqa: FBT001 - a column of the table
) -> None:
    head = f"DKIM-Signature: v=1; a=rsa-sha256; b=x; bh=x; s=s; h=from:subject; d={domain}\r\n\r\n"
    lack = find_claimed_lack(read_header(head.encode()), sender, lambda fields: f"lacks {sorted(fields)}")
    assert lack == ("its DKIM signature lacks ['from', 'subject']" if counts else "")


@pytest.mark.parametrize(
    ("padding", "lack"),
    [
        (b" " * 5000, NOTHING_ANSWERED),
        (b"\t" * 5000, NOTHING_ANSWERED),
        ((b"\r\n" + b" " * 900) * 5, NOTHING_ANSWERED),
        (b"\x0b ", "does not cover Date"),
        (b" x=1; x=2;", "does not cover Date"),
        (b" n=" + b"x" * 5000 + b";", "does not cover Date"),
    ],
    ids=range(6),
)
def test_no_padding_hides_what_a_signature_lacks(padding: bytes, lack: str) -> None:
    mail = sign(written(), PRIVATE, h=AS_MICROSOFT)
    end = mail.index(b";", mail.index(b"DKIM-Signature")) + 1
    forged = f"In-Reply-To: {ID}\r\n".encode() + mail[:end] + padding + mail[end:]
    judged = by_server(forged)
    assert judged.verdict is Verdict.UNKNOWN
    assert judged.evidence.endswith(f"but its DKIM signature {lack}")


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("Re: [INC-12] Email is unavailable", Verdict.YES),
        ("AW: =?utf-8?q?=5BINC-12=5D_St=C3=B6rung?=", Verdict.YES),
        ("Re: [INC-13] Calendar is unavailable", Verdict.UNKNOWN),
        ("Re: lunch at noon", Verdict.UNKNOWN),
    ],
)
def test_of_what_microsoft_signs_the_subject_names_the_incident(subject: str, expected: Verdict) -> None:
    mail = written(subject, To=PLUS, In_Reply_To=ID)
    assert by_dkim(mail, AS_MICROSOFT).verdict is expected
    assert by_server(sign(mail, PRIVATE, h=AS_MICROSOFT)).verdict is expected


def test_where_the_incident_is_not_known_any_tag_will_do() -> None:
    unknown = replace(NOTIFICATION, incident_id=None, issued_at=None)
    mail = written("Re: [INC-99] Email", "Mon, 02 Jun 2025 10:00:00 +0000", To=PLUS)
    assert by_dkim(mail, AS_MICROSOFT, unknown).verdict is Verdict.YES


def test_what_bears_no_token_is_tied_to_nothing() -> None:
    mail = written(To="lee@other.example", date="")
    assert by_server(mail, None).verdict is Verdict.YES
    assert by_dkim(mail, b"from:subject", None).verdict is Verdict.YES


def test_the_token_alone_and_a_forgery_stay_what_they_were() -> None:
    def verdict(raw: bytes, policy: Policy) -> Verdict:
        authenticity = Authenticity(policy, "mx.acme.example")
        return judge(
            raw, "alice@corp.example", authenticity, served(RECORD), now=NOW, notification=NOTIFICATION
        ).verdict

    untied = written(To="lee@other.example")
    assert verdict(untied, Policy.TOKEN_ONLY) is Verdict.YES
    assert verdict(PASS.replace(b"pass", b"fail") + written(To=PLUS), Policy.REQUIRE) is Verdict.NO


@given(
    st.lists(
        st.sampled_from(
            ['"', "(", ")", "\\", "<", ">", ",", ";", ":", " ", OURS, PLUS, "evil@x.example", "a"]
        ),
        max_size=30,
    ).map("".join),
    st.text(max_size=40),
)
def test_reading_never_raises_and_nothing_within_quotes_ties(pieces: str, date: str) -> None:
    quoted = pieces.replace('"', "").replace("\\", "")
    raw = f'To: "{quoted}" <evil@x.example>\r\nDate: {date}\r\n\r\n'.encode("utf-8", "replace")
    assert not read_tie(read_header(raw), NOTIFICATION).fields
    as_it_is = f"To: {pieces}\r\nDate: {date}\r\n\r\n".encode("utf-8", "replace")
    assert isinstance(read_tie(read_header(as_it_is), NOTIFICATION).gap, str)


def test_hostile_fields_are_read_at_once() -> None:
    begun = datetime.now(UTC)
    for hostile in ('\\"' * 30_000, "(" * 60_000, '"' * 60_001, "<" * 60_000, ", " * 30_000, "\\(" * 30_000):
        for name in ("To", "References", "Subject", "Date"):
            read_tie(read_header(f"{name}: {hostile}\r\nCc: {OURS}\r\n\r\n".encode()), NOTIFICATION)
    assert datetime.now(UTC) - begun < timedelta(seconds=5)
