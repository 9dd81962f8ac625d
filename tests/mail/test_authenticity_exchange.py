"""Mail within one Microsoft 365 company is believed by the stamp of Exchange, unless anything speaks against it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.config.settings import Authenticity, Policy, Profile
from service.mail.authenticity import Verdict, judge

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
ALICE, OWN = "alice@acme.example", "status@acme.example"
SAMPLES = Path(__file__).parent / "authenticity"
MICROSOFT = Authenticity(Policy.REQUIRE, profile=Profile.MICROSOFT365)
PLAIN = (SAMPLES / "microsoft365_within_one_company.eml").read_bytes()
BY_OUTLOOK = (SAMPLES / "microsoft365_within_one_company_by_outlook.eml").read_bytes()
FORGED = (SAMPLES / "microsoft365_forged_stamp_that_a_connector_kept.eml").read_bytes()
STAMP = b"X-MS-Exchange-Organization-AuthAs: Internal\n"
BELIEVED = (Verdict.YES, "stamped Internal by Exchange Online")


def verdict(
    raw: bytes, *, authenticity: Authenticity = MICROSOFT, sender: str = ALICE, own_address: str = OWN
) -> tuple[Verdict, str]:
    judgement = judge(raw, sender, authenticity, lambda _: None, now=NOW, own_address=own_address)
    return judgement.verdict, judgement.evidence


@pytest.mark.parametrize("raw", [PLAIN, BY_OUTLOOK])
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_what_an_employee_sends_within_the_company_is_believed(raw: bytes, line_end: bytes) -> None:
    assert verdict(raw.replace(b"\n", line_end)) == BELIEVED


@pytest.mark.parametrize("profile", [one for one in Profile if one is not Profile.MICROSOFT365])
def test_no_other_mail_system_is_believed_by_that_stamp(profile: Profile) -> None:
    assert (
        verdict(BY_OUTLOOK, authenticity=Authenticity(Policy.REQUIRE, profile=profile))[0] is Verdict.UNKNOWN
    )


@pytest.mark.parametrize(
    ("sender", "own_address"),
    [
        (ALICE, "status@other.example"),
        (ALICE, "status@mail.acme.example"),
        (ALICE, "status@example"),
        (ALICE, ""),
        (ALICE, "status"),
        ("alice@other.example", OWN),
        ("alice@mail.acme.example", OWN),
        ("alice@acme.example.evil.example", OWN),
    ],
)
def test_only_the_domain_of_our_own_address_is_ours(sender: str, own_address: str) -> None:
    raw = BY_OUTLOOK.replace(ALICE.encode(), sender.encode())
    assert verdict(raw, sender=sender, own_address=own_address)[0] is Verdict.UNKNOWN


def test_our_domain_is_compared_without_case_and_in_ascii() -> None:
    raw = BY_OUTLOOK.replace(b"acme.example>", b"xn--bcher-kva.example>")
    sender = "alice@xn--bcher-kva.example"
    assert verdict(raw, sender=sender, own_address="Status@BÜCHER.example.") == BELIEVED


@pytest.mark.parametrize(
    ("old", "new", "flaw"),
    [
        (STAMP, b"", "no Authentication-Results of Microsoft 365"),
        (STAMP, STAMP + STAMP, "Exchange's stamp stands in it more than once"),
        (STAMP, STAMP + STAMP.upper(), "Exchange's stamp stands in it more than once"),
        (STAMP, STAMP + STAMP.replace(b"Internal", b"Anonymous"), "more than once"),
        (b"AuthAs: Internal", b"AuthAs: Anonymous", "its x-ms-exchange-organization-authas is Anonymous"),
        (b"AuthAs: Internal", b"AuthAs: Internal74", "its x-ms-exchange-organization-authas is Internal74"),
        (b"AuthAs: Internal", b"AuthAs: Internal (really)", "its x-ms-exchange-organization-authas is Int"),
        (b"AuthAs: Internal", b"AuthAs: internal", "its x-ms-exchange-organization-authas is internal"),
        (b"AuthAs: Internal", b"AuthAs:", "its x-ms-exchange-organization-authas is"),
        (b"AuthAs: Internal", b"AuthAs: Anonymous\n Internal", "its x-ms-exchange-organization-authas is"),
        (b"Tenant-AuthAs: Internal", b"Tenant-AuthAs: Anonymous", "its x-ms-exchange-crosstenant-authas is"),
        (b"Originating", b"Incoming", "its x-ms-exchange-organization-messagedirectionality is Incoming"),
        (b"dmarc=none", b"compauth=fail reason=001;dmarc=none", "a server found its sender forged"),
        (b"dmarc=none", b"dmarc=fail", "a server found its sender forged"),
        (b"From: ", b"Sender: Bob <bob@acme.example>\nFrom: ", "somebody else sent it on behalf"),
        (b"From: ", b"From: bob@acme.example\nFrom: ", "the mail has 2 From fields"),
        (b"From: ", b"Received-SPF: Pass\nFrom: ", "it came in from outside"),
        (b"From: ", b"Authentication-Results: spf=pass; dmarc=none\nFrom: ", "dmarc=none by Microsoft 365"),
        (b" with mapi id", b" with ESMTP id", "it did not stay within Exchange Online"),
        (b"with mapi id", b"with mapi via Frontend Transport id", "it did not stay within Exchange Online"),
        (b"B1234.eurprd04.prod.outlook.com\n", b"B1234.evil.example\n", "it did not stay within"),
        (b".prod.outlook.com (2603", b".prod.outlook.com.evil.example (2603", "it did not stay within"),
        (b".prod.outlook.com (2603", b".evilprod.outlook.com (2603", "it did not stay within Exchange"),
        (b"Received: ", b"Received:\nReceived: ", "it did not stay within Exchange Online"),
        (b"MIME-Version", b"Received: by mx.evil.example with SMTP\nMIME-Version", "it did not stay within"),
        (b"MIME-Version", b"X-Long: " + b"x" * 66_000 + b"\nMIME-Version", "topmost field is not by"),
    ],
)
def test_whatever_speaks_against_the_stamp_makes_it_worthless(old: bytes, new: bytes, flaw: str) -> None:
    assert old in BY_OUTLOOK
    found, said = verdict(BY_OUTLOOK.replace(old, new, 1))
    assert found is Verdict.UNKNOWN
    assert flaw in said


@pytest.mark.parametrize(
    "above",
    [
        b"Return-Path: <alice@acme.example>\nDelivered-To: status+x@acme.example\n",
        b"Received: from mail.evil.example (203.0.113.66) by mx.acme.example with ESMTP; today\n",
        b"X-Gateway: passed\n",
        b"From alice@acme.example Mon Nov 23 13:01:12 2026\nX-Mbox: yes\n",
    ],
)
def test_whoever_took_the_mail_in_after_exchange_undoes_its_stamp(above: bytes) -> None:
    """Another mail server, or our own door, takes from outsiders whatever fields they write."""
    assert verdict(above + BY_OUTLOOK)[0] is Verdict.UNKNOWN


def test_a_forged_stamp_that_a_connector_lets_in_is_betrayed_by_its_way() -> None:
    found, said = verdict(FORGED)
    assert found is Verdict.UNKNOWN
    assert "it did not stay within Exchange Online" in said


def test_a_stamp_in_the_body_or_in_an_attached_mail_is_none() -> None:
    head, _, body = BY_OUTLOOK.partition(b"\n\n")
    attached = head.replace(STAMP, b"") + b"\n\n" + STAMP + b"\n" + BY_OUTLOOK
    assert body
    assert verdict(attached)[0] is Verdict.UNKNOWN


def test_a_fail_of_our_own_server_is_still_a_forgery() -> None:
    raw = BY_OUTLOOK.replace(b"From: ", b"Authentication-Results: dmarc=fail\nFrom: ", 1)
    assert verdict(raw) == (Verdict.NO, "dmarc=fail by Microsoft 365")


OUTSIDE = st.sampled_from(
    [
        STAMP,
        b"X-MS-Exchange-Organization-AuthAs: Anonymous\n",
        b"Received: from mx.evil.example (203.0.113.66) by mx.acme.example with ESMTP id 1; today\n",
        b"Received-SPF: Fail\n",
        b"From: Mallory <mallory@evil.example>\n",
        b"Sender: mallory@evil.example\n",
        b"Authentication-Results: spf=fail; dmarc=fail\n",
    ]
)


@given(st.data(), OUTSIDE)
def test_a_trace_of_an_outsider_spoils_it_wherever_it_stands(data: st.DataObject, field: bytes) -> None:
    fields = BY_OUTLOOK.partition(b"\n\n")[0].replace(b"\n ", b"\0 ").split(b"\n")
    at = data.draw(st.integers(0, len(fields)))
    lines = [*fields[:at], field.rstrip(), *fields[at:]]
    raw = b"\n".join(lines).replace(b"\0", b"\n") + b"\n\npublish\n"
    assert verdict(raw)[0] is not Verdict.YES


@given(st.binary(max_size=60), st.text(max_size=20))
def test_nothing_makes_it_raise(junk: bytes, text: str) -> None:
    verdict(BY_OUTLOOK.replace(b"Internal", junk, 1), sender=text, own_address=text)
    verdict(junk + BY_OUTLOOK, sender=f"{text}@acme.example")
    verdict(b"Received:" + junk + b"\n" + BY_OUTLOOK)
