"""Hostile signatures, headers and bodies prove nothing, raise nothing and are read to their end."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.effort import ENDS
from tests.mail.authenticity.signing import MAIL, PRIVATE, PROVEN, RECORD, check, served, sign

pytestmark = ENDS


def test_a_truncated_mail_cannot_be_proven() -> None:
    raw = sign(MAIL + b"x" * 70 + b"\r\n" + (b"y" * 70 + b"\r\n") * 3_700, PRIVATE)
    assert len(raw) > 256 * 1024
    assert "longer than 256 KiB" in check(raw, served(RECORD)).evidence
    assert "longer than 256 KiB" in check(raw[: 256 * 1024], served(RECORD)).evidence


def test_a_signature_of_over_4_kib_is_not_read() -> None:
    assert check(sign(MAIL, PRIVATE, z=b"x" * 3_000), served(RECORD)) == PROVEN
    raw = sign(MAIL, PRIVATE, z=b"x" * 4_000)
    assert check(raw, served(RECORD)).evidence == "no DKIM signature of corp.example"


@pytest.mark.parametrize("gap", [b" " * 4_000, b"\r\n " * 12_000])
def test_a_signature_of_over_4_kib_of_blanks_is_not_verified(gap: bytes) -> None:
    before, found, after = sign(MAIL, PRIVATE).partition(b"\r\nFrom:")
    refused = check(before + gap + b";" + found + after, served(RECORD))
    assert refused.evidence == "DKIM signature of corp.example is longer than 4 KiB"


def test_a_header_of_over_1000_fields_is_not_checked() -> None:
    raw = b"a: b\r\n" * 1_000 + sign(MAIL, PRIVATE)
    assert check(raw, served(RECORD)).evidence == "the mail's header is too long to check a signature"


@pytest.mark.parametrize("gap", [b" " * 3_000, b"\r\n " * 1_000, b"\t\r\n" * 1_000 + b" "], ids=range(3))
def test_a_signature_full_of_gaps_is_read(gap: bytes) -> None:
    before, found, after = sign(MAIL, PRIVATE).rpartition(b" b=")
    assert check(before + found + gap + after, served(RECORD)) == PROVEN


HOSTILE = [
    b"v=1; a=rsa-sha256; d=corp.example; s=s1; h=from:subject; bh=AAAA; b" + b" " * 60_000 + b"=AAAA",
    b"v=1; a=rsa-sha256; d=corp.example; s=s1; h=from:subject; bh=AAAA; b"
    + (b" " * 62 + b"\t\r\n\t") * 60
    + b"=A",
    b"v=1; a=rsa-sha256; d=corp.example; s=s1; bh=AAAA; b=AAAA; h=from:subject" + b":" * 3_900,
    b"v=1; a=rsa-sha256; d=corp.example; s=s1; bh=AAAA; h=from:subject; b=" + b"/" * 3_900,
    b"v=1; a=rsa-sha256; d=corp.example; s=s1; bh=====; h=from:subject; b====",
    b"v=1; a=rsa-sha256; d=corp.example; d=corp.example; s=s1; bh=A; h=from:subject; b=A",
    b"v=1; a=rsa-sha256; c=x/y/z; d=corp.example; s=s1; bh=AAAA; h=from:subject; b=AAAA",
    b"v=1; a=rsa-sha256; d=\xe4.corp.example; s=s1; bh=AAAA; h=from:subject; b=AAAA",
    b"v=1; a=rsa-sha256; d=; s=; bh=; h=; b=",
    b"d=corp.example",
    b"d",
    b"=;" * 2_000,
    b"",
]


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_signature_is_read_to_its_end_and_proves_nothing(value: bytes) -> None:
    raw = (b"DKIM-Signature: " + value + b"\r\n") * 10 + MAIL
    assert check(raw, served(RECORD)).is_proven is False


@pytest.mark.parametrize("form", [b"relaxed/relaxed", b"simple/simple"])
@pytest.mark.parametrize(
    "body", [b" " * 250_000, b"\r\n" * 125_000, b" \t" * 100_000 + b"\r\n", b"\n" * 250_000]
)
def test_a_hostile_body_is_read_to_its_end(form: bytes, body: bytes) -> None:
    head = MAIL.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    raw = b""
    for number in range(5):
        raw = sign(head, PRIVATE, c=form, s=b"s%d" % number).removesuffix(head) + raw
    assert check(raw + head + body + b"x", lambda _name: RECORD).is_proven is False


@pytest.mark.parametrize(
    "fields",
    [
        b"a: b\r\n" * 2_000,
        b"a:\r\n" + b" \r\n" * 15_000,
        b"a: " + b"b" * 70_000 + b"\r\n",
        b" a\r\n",
        b"a\r\n",
    ],
    ids=range(5),
)
def test_a_hostile_header_is_read_to_its_end(fields: bytes) -> None:
    raw = fields + sign(MAIL, PRIVATE)
    check(raw, served(RECORD))


@settings(deadline=None)
@given(data=st.data())
def test_no_signature_with_a_changed_letter_is_proven(data: st.DataObject) -> None:
    """The last letter of the signature's base64 is spared, since not all of its bits count."""
    raw = sign(MAIL.replace(b"Content-Type: text/plain\r\n", b""), PRIVATE, c=b"simple/simple")
    spared = raw.index(b"==\r\nFrom:") - 1
    places = [
        at for at in range(len(b"DKIM-Signature"), len(raw)) if raw[at : at + 1].isalnum() and at != spared
    ]
    at = data.draw(st.sampled_from(places))
    letter = data.draw(st.sampled_from(b"aZ05").filter(lambda letter: letter != raw[at]))
    changed = raw[:at] + bytes([letter]) + raw[at + 1 :]
    assert check(changed, served(RECORD)).is_proven is False


@settings(deadline=None)
@given(
    fields=st.lists(st.binary(max_size=60) | st.sampled_from(HOSTILE[4:]), max_size=6),
    record=st.none() | st.binary(max_size=60) | st.text("vkpths=;:y ", max_size=40).map(str.encode),
)
def test_checking_never_raises_and_proves_nothing_without_a_signature(
    fields: list[bytes], record: bytes | None
) -> None:
    raw = b"".join(b"DKIM-Signature: " + field + b"\r\n" for field in fields) + MAIL
    assert check(raw, lambda _name: record).is_proven is False
