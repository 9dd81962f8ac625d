"""A DKIM signature proves the sender's domain only if it covers what is read."""

from datetime import UTC, datetime

import pytest

from service.config.settings import Authenticity, Policy
from service.mail.authenticity import Verdict, judge
from service.mail.dkim_check import Signed, is_aligned
from tests.mail.authenticity.signing import MAIL, NOW, PRIVATE, PROVEN, RECORD, SECONDS, check, served, sign


@pytest.mark.parametrize(
    "form", [b"relaxed/relaxed", b"relaxed/simple", b"simple/simple", b"simple", b"relaxed"]
)
def test_a_sound_signature_proves_the_domain(form: bytes) -> None:
    raw = sign(MAIL, PRIVATE, c=form)
    assert check(raw, served(RECORD)) == PROVEN
    assert check(raw.replace(b"\r\n", b"\n"), served(RECORD)) == PROVEN


def test_what_mail_servers_add_above_changes_nothing() -> None:
    raw = b"Received: by mx.acme.example\r\nX-Spam: no\r\n" + sign(MAIL, PRIVATE)
    assert check(raw, served(RECORD)) == PROVEN


def test_a_mail_that_no_server_vouches_for_is_proven_by_its_signature() -> None:
    authenticity = Authenticity(Policy.REQUIRE, "mx.acme.example")
    judgement = judge(sign(MAIL, PRIVATE), "alice@corp.example", authenticity, served(RECORD), now=NOW)
    assert (judgement.verdict, judgement.evidence) == (Verdict.YES, PROVEN.evidence)


def test_a_signature_for_another_from_than_the_senders_proves_nothing() -> None:
    raw = sign(MAIL, PRIVATE)
    judgement = judge(raw, "bob@corp.example", Authenticity(Policy.REQUIRE), served(RECORD), now=NOW)
    assert judgement.verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("sender_domain", "domain", "aligned"),
    [
        ("corp.example", "corp.example", True),
        ("mail.corp.example", "corp.example", True),
        ("corp.example", "mail.corp.example", False),
        ("corp.example", "example", False),
        ("notcorp.example", "corp.example", False),
        ("corp.example", "notcorp.example", False),
        ("localhost", "localhost", True),
        ("a.localhost", "localhost", False),
        ("", "", False),
        ("corp.example", "", False),
    ],
)
def test_only_the_same_domain_or_a_parent_is_aligned(
    sender_domain: str, domain: str, *, aligned: bool
) -> None:
    assert is_aligned(domain, sender_domain) is aligned


def test_the_parent_domain_may_sign_for_the_sender() -> None:
    assert check(sign(MAIL, PRIVATE), served(RECORD), "mail.corp.example") == PROVEN


def test_no_key_is_asked_for_outside_the_senders_domain() -> None:
    asked: list[bytes] = []
    raw = sign(sign(MAIL, PRIVATE, d=b"evil.example"), PRIVATE, d=b"mail.corp.example")
    assert check(raw, asked.append) == Signed(is_proven=False, evidence="no DKIM signature of corp.example")
    assert asked == []


def test_keys_are_looked_up_in_lower_case_with_the_final_dot() -> None:
    asked: list[bytes] = []
    check(sign(MAIL, PRIVATE, d=b"Corp.Example", s=b"S1.x"), asked.append)
    assert asked == [b"s1.x._domainkey.corp.example."]


@pytest.mark.parametrize(
    ("tags", "evidence"),
    [
        ({"l": b"9"}, "covers only a part of the body (l=)"),
        ({"l": b"0"}, "covers only a part of the body (l=)"),
        ({"l": b""}, "covers only a part of the body (l=)"),
        ({"h": b"to:subject"}, "does not cover From and Subject"),
        ({"h": b"from:to"}, "does not cover From and Subject"),
        ({"h": b"from:subject" + b":x" * 100}, "covers over 100 fields"),
        ({"a": b"rsa-sha1"}, "is not made with SHA-256"),
        ({"x": str(SECONDS).encode()}, "has expired (x=)"),
        ({"x": b"-1"}, "has expired (x=)"),
        ({"x": b"9" * 500}, "has expired (x=)"),
        ({"i": b"@evil.example"}, "is made in the name of another domain (i=)"),
        ({"i": b"@notcorp.example"}, "is made in the name of another domain (i=)"),
        ({"q": b"http"}, "has its key elsewhere than in the DNS"),
        ({"v": b"2"}, "lacks a tag that it must have"),
        ({"v": None}, "lacks a tag that it must have"),
        ({"s": None}, "lacks a tag that it must have"),
        ({"bh": None}, "lacks a tag that it must have"),
        ({"bh": b"!"}, "is not base64"),
        ({"s": b"s1/../x"}, "names no place where a key could be"),
        ({"s": b"s" * 64}, "names no place where a key could be"),
        ({"s": b".s1"}, "names no place where a key could be"),
        ({"bh": b"AAAA"}, "does not verify"),
    ],
)
def test_a_signature_that_is_not_fit_proves_nothing(tags: dict[str, bytes | None], evidence: str) -> None:
    expected = Signed(is_proven=False, evidence=f"DKIM signature of corp.example {evidence}")
    assert check(sign(MAIL, PRIVATE, **tags), served(RECORD)) == expected


@pytest.mark.parametrize(
    "tags",
    [
        {"x": str(SECONDS + 1).encode()},
        {"t": str(SECONDS).encode()},
        {"i": b"@corp.example"},
        {"i": b"alice@mail.corp.example"},
        {"q": b"dns/txt"},
        {"h": b"From : Subject:to:cc:from:from:subject:x-none"},
        {"z": b"From:nonsense"},
    ],
    ids=str,
)
def test_what_the_rfc_allows_is_accepted(tags: dict[str, bytes | None]) -> None:
    assert check(sign(MAIL, PRIVATE, **tags), served(RECORD)) == PROVEN


def test_the_clock_of_the_machine_plays_no_part() -> None:
    raw = sign(MAIL, PRIVATE, x=b"1000", t=b"900")
    assert check(raw, served(RECORD), now=datetime.fromtimestamp(999, UTC)).is_proven is True
    assert check(raw, served(RECORD), now=datetime.fromtimestamp(1000, UTC)).is_proven is False


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"publish\r\n", b"publish now\r\n"),
        (b"Thank  you \r\n", b"Thank you\r\nmore\r\n"),
        (b"Alice <alice", b"Bob <bob"),
        (b"INC-12", b"INC-13"),
        (b"h=from", b"h=to:from"),
    ],
)
def test_a_mail_that_was_changed_is_not_proven_and_not_called_forged(old: bytes, new: bytes) -> None:
    raw = sign(MAIL, PRIVATE)
    assert raw.count(old) == 1
    changed = raw.replace(old, new)
    assert check(changed, served(RECORD)).evidence == "DKIM signature of corp.example does not verify"
    sender = "bob@corp.example" if b"bob@" in changed else "alice@corp.example"
    judgement = judge(changed, sender, Authenticity(Policy.REQUIRE), served(RECORD), now=NOW)
    assert judgement.verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("name", [b"From", b"Subject", b"Content-Type", b"content-transfer-encoding", b"To"])
def test_a_second_field_above_the_signed_one_is_refused(name: bytes) -> None:
    twice = b"Content-Transfer-Encoding: 7bit\r\n" + MAIL
    raw = name + b": evil\r\n" + sign(twice, PRIVATE, h=b"from:subject")
    assert check(raw, served(RECORD)).evidence.startswith(f"the mail has two fields {name.decode().lower()}")


def test_each_signature_is_checked_against_the_mail_as_it_came() -> None:
    simple = sign(MAIL, PRIVATE, c=b"simple/simple")
    above = sign(MAIL, PRIVATE, bh=b"AAAA").removesuffix(MAIL)
    assert check(above + simple, served(RECORD)) == PROVEN


def test_one_sound_signature_among_bad_ones_suffices() -> None:
    raw = sign(sign(MAIL, PRIVATE), PRIVATE, l=b"1")
    assert check(b"DKIM-Signature: \xff;;=\r\n" + raw, served(RECORD)) == PROVEN


@pytest.mark.parametrize(("above", "is_proven"), [(4, True), (5, False)])
def test_only_the_first_five_signatures_are_looked_at(above: int, *, is_proven: bool) -> None:
    raw = b"DKIM-Signature: d=list.example\r\n" * above + sign(MAIL, PRIVATE)
    assert check(raw, served(RECORD)).is_proven is is_proven
