"""Whatever comes, reading a bounce ends, raises nothing and never takes a person's mail for one."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.errors import MailUnreadable
from service.mail import bounce_text
from service.mail.bounces import BounceKind, bounce_address, read_bounce
from service.mail.headers import one_line
from service.mail.plain_text import without_invisible
from service.mail.replies import read_reply
from tests.effort import ENDS
from tests.thoroughness import examples

HERE = Path(__file__).parent
BOUNCES = sorted((HERE / "bounces").glob("*.eml"))
REPLIES = sorted((HERE / "eml").glob("*.eml"))
EXPECTED = json.loads((HERE / "eml" / "expected.json").read_text(encoding="utf-8"))
KEY = b"k" * 32
VERP = bounce_address("status@acme.example", "0123456789abcdef" * 2, KEY)
FROM_A_MACHINE = (
    f"Return-Path: <>\nFrom: mailer-daemon@x.example\nTo: {VERP}\nSubject: Undelivered\n".encode()
)
FAILED = {BounceKind.HARD, BounceKind.SOFT, BounceKind.UNKNOWN}


def is_automatic(raw: bytes) -> bool:
    try:
        return read_reply(raw, own_address="status@acme.example", instance_id="acme-1").automatic
    except MailUnreadable:
        return False


def check(raw: bytes) -> None:
    bounce = read_bounce(raw, key=KEY)
    if bounce is not None:
        assert is_automatic(raw)
        assert len(bounce.diagnostic) <= 300
        assert bounce.diagnostic == one_line(without_invisible(bounce.diagnostic), 300)
        assert bounce.recipient is None or bounce.recipient.count("@") == 1


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.stem)
def test_only_what_is_expected_to_be_a_bounce_is_one(path: Path) -> None:
    bounce = read_bounce(path.read_bytes(), key=KEY)
    is_failure = bounce is not None and bounce.kind in FAILED
    assert is_failure is EXPECTED[path.stem]["bounce"]
    assert bounce is None or is_automatic(path.read_bytes())


PERSON = "From: Jordan <jordan@corp.example>\nSubject: Re: [INC-12] Email\n"
COMPLAINT = (
    "From: a@x.example\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n"
    "--b\n\nspam\n--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\n--b--"
)
RECEIPT = (
    "From: a@x.example\nSubject: Read: [INC-12]\n"
    "Content-Type: multipart/report; report-type=disposition-notification; boundary=b\n\n"
    "--b\n\nYour mail was read.\n--b\nContent-Type: message/disposition-notification\n\n"
    "Disposition: manual-action/MDN-sent-manually; displayed\n--b--"
)
OUT_OF_OFFICE = "I am away. Write to Sam, sam@corp.example, instead. 550 5.1.1 user unknown"


@pytest.mark.parametrize(
    "mail",
    [
        f"{PERSON}To: status@acme.example\n\npublish\n\n550 5.1.1 user unknown, a@x.example,",
        f"{PERSON}To: {VERP}\n\npublish",
        f"{PERSON}To: {VERP}\nReturn-Path: <>\nAuto-Submitted: auto-replied\n\n{OUT_OF_OFFICE}",
        f"From: jordan@corp.example\nReturn-Path: <>\nTo: {VERP}\nSubject: Automatic reply: x\n\n{OUT_OF_OFFICE}",
        f"From: mailer-daemon@corp.example\nTo: {VERP}\nSubject: Out of office: x\n\n{OUT_OF_OFFICE}",
        "From: postmaster@corp.example\nSubject: Re: [INC-12] Email\n\npublish, a@x.example, now",
        "From: mailer-daemon@corp.example\nSubject: Your quarantine digest\n\nNothing for you today.",
        "From: jordan@corp.example\nSubject: Undelivered parcels\n\n550 5.1.1 user unknown",
        COMPLAINT,
        RECEIPT,
    ],
)
def test_other_mail_is_no_bounce(mail: str) -> None:
    assert read_bounce(mail.encode(), key=KEY) is None


def test_a_bounce_that_a_person_passes_on_is_not_their_bounce() -> None:
    bounce = (HERE / "bounces" / "postfix-user-unknown.eml").read_bytes()
    header = b"From: jordan@corp.example\nSubject: Fwd: Undelivered Mail\n"
    raw = (
        header
        + b"Content-Type: multipart/mixed; boundary=fw\n\n--fw\n\nLook at this.\n--fw\nContent-Type: message/rfc822\n\n"
        + bounce
        + b"\n--fw--\n"
    )
    assert read_bounce(raw, key=KEY) is None
    assert not read_reply(raw, own_address="status@acme.example", instance_id="acme-1").bounce


def test_a_report_in_the_returned_mail_is_not_the_report() -> None:
    inner = "Content-Type: message/delivery-status\n\nFinal-Recipient: rfc822; evil@x.example\nAction: failed"
    raw = (
        "From: mailer-daemon@x.example\nSubject: Undelivered\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
        "--b\n\nuser unknown: a@x.example\n--b\nContent-Type: message/rfc822\n\nSubject: x\n"
        + inner
        + "\n--b--\n"
    )
    bounce = read_bounce(raw.encode(), key=KEY)
    assert bounce is not None
    assert bounce.recipient == "a@x.example"


@settings(deadline=None)
@given(st.binary())
def test_any_bytes_are_read(raw: bytes) -> None:
    check(raw)


@settings(deadline=None)
@given(st.binary())
def test_any_body_of_a_machine_is_read(body: bytes) -> None:
    check(FROM_A_MACHINE + b"\n" + body)
    check(FROM_A_MACHINE + b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\n" + body)
    check(FROM_A_MACHINE + b"Content-Type: message/delivery-status\n\n" + body)


@settings(deadline=None, max_examples=examples(300))
@given(st.data())
def test_a_damaged_bounce_is_read(data: st.DataObject) -> None:
    raw = data.draw(st.sampled_from(BOUNCES)).read_bytes()
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(raw)))
        end = data.draw(st.integers(start, min(len(raw), start + 60)))
        damage = st.one_of(
            st.binary(max_size=20),
            st.sampled_from(
                [b"\n\n", b'"', b"(", b"<[", b"*0*=", b";", b"=\n", b"\r", b"--B0UND\n", b"=?utf-8?q?"]
            ),
        )
        raw = raw[:start] + data.draw(damage) + raw[end:]
    check(raw)


@pytest.mark.parametrize("path", BOUNCES, ids=lambda path: path.stem)
def test_a_bounce_cut_anywhere_is_read(path: Path) -> None:
    raw = path.read_bytes()
    for end in range(0, len(raw), 61):
        check(raw[:end])


@settings(deadline=None, max_examples=examples(200))
@given(st.data())
def test_a_damaged_reply_of_a_person_is_no_bounce(data: st.DataObject) -> None:
    people = [path for path in REPLIES if not EXPECTED[path.stem]["automatic"]]
    raw = data.draw(st.sampled_from(people)).read_bytes()
    start = data.draw(st.integers(0, len(raw)))
    assert read_bounce(raw[:start] + data.draw(st.binary(max_size=20)) + raw[start:], key=KEY) is None


@pytest.mark.parametrize("fault", [IndexError(), UnicodeDecodeError("ascii", b"", 0, 1, ""), TypeError()])
def test_what_breaks_flufl_bounce_is_still_a_bounce(
    monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    def break_down(_: object) -> object:
        raise fault

    monkeypatch.setattr(bounce_text, "all_failures", break_down)
    bounce = read_bounce(FROM_A_MACHINE + b"\n<a@x.example>: 550 5.1.1 user unknown\n", key=KEY)
    assert bounce is not None
    assert (bounce.kind, bounce.recipient) == (BounceKind.HARD, "a@x.example")


def test_flufl_bounce_is_seen_to_break_without_a_sender() -> None:
    raw = b"From:\nReturn-Path: <>\nSubject: Undelivered\n\nx\n\x80 <a@x.example>: 550 5.1.1 user unknown\n"
    bounce = read_bounce(raw, key=KEY)
    assert bounce is not None
    assert bounce.recipient == "a@x.example"


SLOW = (
    b"<",
    b"a@",
    b"a@b.",
    b"mailbox ",
    b"account a.b",
    b"host domain ",
    b"does not have a ",
    b"- ",
    b" ",
    b"5.1.1.",
    b" 550-5.1.1",
    b"Message-ID: <",
    b"(",
)


@ENDS
@pytest.mark.parametrize("unit", SLOW, ids=range(len(SLOW)))
@pytest.mark.parametrize("width", [10, 290, 250_000])
def test_hostile_text_ends(unit: bytes, width: int) -> None:
    opening = b"This Message was undeliverable due to the following reason:\n"
    line = unit * max(width // len(unit), 1) + b"\n"
    raw = FROM_A_MACHINE + b"\n" + opening + line * (250_000 // len(line))
    check(raw)
    assert read_bounce(raw, key=KEY) is not None


@ENDS
@pytest.mark.parametrize(
    "content",
    [b"Action: failed\n\n" * 10_000, b"a:" * 100_000, b"Action: x\n" + b" a\n" * 60_000, b"\x00" * 99_999],
)
def test_a_hostile_report_ends(content: bytes) -> None:
    header = b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
    check(header + b"--b\nContent-Type: message/delivery-status\n\n" + content)
