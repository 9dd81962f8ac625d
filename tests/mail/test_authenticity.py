"""A reply's sender is believed when our own mail server vouches for the domain, and never on a stranger's word."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.config.settings import Authenticity, Policy, Profile
from service.mail.authenticity import Verdict, ascii_domain, judge, trusts_a_server

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
ALICE = "alice@corp.example"
MX = "mx.acme.example"
SAMPLES = Path(__file__).parent / "authenticity"
GENERIC = Authenticity(Policy.REQUIRE, MX)
GOOGLE = Authenticity(Policy.REQUIRE, profile=Profile.GOOGLE)
MICROSOFT = Authenticity(Policy.REQUIRE, profile=Profile.MICROSOFT365)
FASTMAIL = Authenticity(Policy.REQUIRE, profile=Profile.FASTMAIL)
OPENDMARC = Authenticity(Policy.REQUIRE, MX, Profile.OPENDMARC)
RSPAMD = Authenticity(Policy.REQUIRE, MX, Profile.RSPAMD)
DKIM_ONLY = Authenticity(Policy.REQUIRE)
TOKEN_ONLY = Authenticity(Policy.TOKEN_ONLY)


def no_keys(_name: bytes) -> bytes | None:
    return None


def verdict(raw: bytes, authenticity: Authenticity = GENERIC, sender: str = ALICE) -> tuple[Verdict, str]:
    judgement = judge(raw, sender, authenticity, no_keys, now=NOW)
    return judgement.verdict, judgement.evidence


SIGNATURE = "DKIM-Signature: v=1; d=Corp.Example; s=s1\r\n"


def mail(
    *results: str, sender: str = "Alice <alice@corp.example>", below: str = "", signature: str = SIGNATURE
) -> bytes:
    """Write a mail whose topmost fields are these Authentication-Results."""
    fields = "".join(f"Authentication-Results: {one}\r\n" for one in results)
    return f"{fields}{below}{signature}From: {sender}\r\nSubject: Re: x\r\n\r\npublish\r\n".encode()


def ours(results: str) -> str:
    return f"{MX}; {results}"


PASS = ours("dmarc=pass header.from=corp.example")


@pytest.mark.parametrize(
    ("sample", "authenticity", "expected", "evidence"),
    [
        ("gmail_dmarc_pass", GOOGLE, Verdict.YES, "dmarc=pass by mx.google.com"),
        ("gmail_forwarded_by_a_list", GOOGLE, Verdict.NO, "dmarc=fail by mx.google.com"),
        ("microsoft365_dmarc_pass", MICROSOFT, Verdict.YES, "dmarc=pass by Microsoft 365"),
        (
            "microsoft365_names_of_recipients_between",
            MICROSOFT,
            Verdict.YES,
            "dmarc=pass by Microsoft 365",
        ),
        ("microsoft365_bestguesspass", MICROSOFT, Verdict.UNKNOWN, "dmarc=bestguesspass by Microsoft 365"),
        ("microsoft365_dmarc_fail", MICROSOFT, Verdict.NO, "dmarc=fail by Microsoft 365"),
        ("opendkim_opendmarc", OPENDMARC, Verdict.YES, "dmarc=pass by mx.acme.example"),
        ("rspamd", RSPAMD, Verdict.YES, "dmarc=pass by mx.acme.example"),
        ("rspamd_dmarc_fail", RSPAMD, Verdict.NO, "dmarc=fail by mx.acme.example"),
        ("fastmail", FASTMAIL, Verdict.YES, "dmarc=pass by messagingengine.com"),
        ("gmail_dmarc_pass", GENERIC, Verdict.UNKNOWN, "no Authentication-Results of mx.acme.example"),
        ("microsoft365_dmarc_pass", GENERIC, Verdict.UNKNOWN, "no Authentication-Results of mx.acme.example"),
        ("microsoft365_dmarc_pass", GOOGLE, Verdict.UNKNOWN, "no Authentication-Results of mx.google.com"),
        ("fastmail", MICROSOFT, Verdict.UNKNOWN, "no Authentication-Results of Microsoft 365"),
        ("rspamd", DKIM_ONLY, Verdict.UNKNOWN, "no authserv_id is configured"),
    ],
)
def test_what_mail_systems_write_is_understood(
    sample: str, authenticity: Authenticity, expected: Verdict, evidence: str
) -> None:
    found, said = verdict((SAMPLES / f"{sample}.eml").read_bytes(), authenticity)
    assert (found, said.partition(", and ")[0]) == (expected, evidence)


def test_a_mail_within_one_microsoft_365_company_bears_no_proof() -> None:
    raw = (SAMPLES / "microsoft365_within_one_company.eml").read_bytes()
    expected = (
        Verdict.UNKNOWN,
        "no Authentication-Results of Microsoft 365, and no DKIM signature of acme.example",
    )
    assert verdict(raw, MICROSOFT, "alice@acme.example") == expected


@pytest.mark.parametrize("sample", sorted(path.name for path in SAMPLES.glob("*.eml")))
def test_line_ends_change_nothing(sample: str) -> None:
    raw = (SAMPLES / sample).read_bytes()
    for authenticity in (GENERIC, GOOGLE, MICROSOFT, FASTMAIL):
        assert verdict(raw.replace(b"\n", b"\r\n"), authenticity) == verdict(raw, authenticity)


@pytest.mark.parametrize(
    ("results", "expected", "evidence"),
    [
        ("dmarc=pass header.from=corp.example", Verdict.YES, "dmarc=pass by mx.acme.example"),
        ("DMARC=Pass HEADER.FROM=Corp.Example.", Verdict.YES, "dmarc=pass by mx.acme.example"),
        ("dmarc=fail header.from=corp.example", Verdict.NO, "dmarc=fail by mx.acme.example"),
        ("dmarc=fail", Verdict.NO, "dmarc=fail by mx.acme.example"),
        ("dkim=pass header.d=corp.example; dmarc=fail", Verdict.NO, "dmarc=fail by mx.acme.example"),
        ("dkim=pass header.d=corp.example", Verdict.YES, "dkim=pass of corp.example by mx.acme.example"),
        ("dkim=pass header.i=@corp.example", Verdict.YES, "dkim=pass of corp.example by mx.acme.example"),
        ("dkim=pass header.i=a@corp.example", Verdict.YES, "dkim=pass of corp.example by mx.acme.example"),
        (
            "dkim=pass header.d=corp.example; dmarc=none",
            Verdict.YES,
            "dkim=pass of corp.example by mx.acme.example",
        ),
        (
            "dkim=fail header.d=list.example; dkim=pass header.d=corp.example; dmarc=temperror",
            Verdict.YES,
            "dkim=pass of corp.example by mx.acme.example",
        ),
        ("dkim=pass header.d=evil.example", Verdict.UNKNOWN, "no DMARC by mx.acme.example"),
        ("dkim=pass", Verdict.UNKNOWN, "no DMARC by mx.acme.example"),
        ("dkim=pass header.d=corp.example header.d=evil.example", Verdict.UNKNOWN, "no DMARC by"),
        ("dkim=pass header.i=@corp.example header.d=evil.example", Verdict.UNKNOWN, "no DMARC by"),
        ("dkim=pass header.d=notcorp.example", Verdict.UNKNOWN, "no DMARC by"),
        ("dkim=pass header.d=mail.corp.example", Verdict.UNKNOWN, "no DMARC by"),
        ("dkim=pass header.d=example", Verdict.UNKNOWN, "no DMARC by"),
        ("dkim=pass header.d=corp.example; dkim=fail header.d=corp.example", Verdict.UNKNOWN, "no DMARC by"),
        ("dkim=pass header.d=corp.example; dkim=fail", Verdict.UNKNOWN, "no DMARC by mx.acme.example"),
        ("spf=pass smtp.mailfrom=corp.example", Verdict.UNKNOWN, "no DMARC by mx.acme.example"),
        ("arc=pass (i=1 dmarc=pass)", Verdict.UNKNOWN, "no DMARC by mx.acme.example"),
        ("x-google-dkim=pass header.d=corp.example", Verdict.UNKNOWN, "no DMARC by mx.acme.example"),
        ("dmarc=none", Verdict.UNKNOWN, "dmarc=none by mx.acme.example"),
        ("dmarc=permerror header.from=corp.example", Verdict.UNKNOWN, "dmarc=permerror by mx.acme.example"),
        ("dmarc=bestguesspass header.from=corp.example", Verdict.UNKNOWN, "dmarc=bestguesspass by"),
        ("compauth=pass reason=100", Verdict.UNKNOWN, "no DMARC by mx.acme.example"),
        (
            "dmarc=pass header.from=corp.example; compauth=fail reason=001",
            Verdict.UNKNOWN,
            "compauth=fail by",
        ),
        ("none", Verdict.UNKNOWN, "no DMARC by mx.acme.example"),
    ],
)
def test_the_word_of_our_own_server_decides(results: str, expected: Verdict, evidence: str) -> None:
    found, said = verdict(mail(ours(results)))
    assert found is expected
    assert said.startswith(evidence)


@pytest.mark.parametrize(
    ("results", "evidence"),
    [
        ("dmarc=pass header.from=evil.example", "is for evil.example and not for corp.example"),
        ("dmarc=pass header.from=c0rp.example", "is for c0rp.example and not for corp.example"),
        ("dmarc=pass header.from=corp.example.evil.example", "is for corp.example.evil.example"),
        ("dmarc=pass header.from=corp.example header.from=evil.example", "is for evil.example"),
        ("dmarc=pass", "is for no domain and not for corp.example"),
        ("dmarc=pass (header.from=corp.example)", "is for no domain"),
        (
            "dmarc=pass header.from=corp.example; dmarc=pass header.from=evil.example",
            "is for evil.example and not",
        ),
        ("dmarc=pass header.from=corp.example; dmarc=pass", "is for no domain"),
        ("dmarc=pass header.from=corp.example; dmarc=none", "contradictory results of DMARC"),
        ("dmarc=pass header.from=corp.example (dmarc=fail)", "contradictory results of DMARC"),
        ("spf=none (a dmarc=fail b); dmarc=pass header.from=corp.example", "contradictory results of DMARC"),
        ("spf=pass dmarc=fail; dmarc=pass header.from=corp.example", "contradictory results of DMARC"),
        ("dmarc=pass header.from=corp.example (", "are malformed"),
        ("spf=none (x)) ; dmarc=pass header.from=corp.example ((; dmarc=fail", "are malformed"),
        ('dmarc=pass header.from=corp.example; spf=none smtp.mailfrom="x', "are malformed"),
        ("dmarc=pass header.from=corp.example " + "(" * 10_000, "are malformed"),
        ("dmarc=pass header.from=corp.example " + "x" * 60_000, "are malformed"),
    ],
)
def test_a_pass_that_is_not_plainly_for_the_sender_proves_nothing(results: str, evidence: str) -> None:
    found, said = verdict(mail(ours(results)))
    assert found is Verdict.UNKNOWN
    assert evidence in said


@pytest.mark.parametrize(
    "results",
    [
        "dmarc=fail (dmarc=pass header.from=corp.example)",
        'dmarc=fail reason="dmarc=pass header.from=corp.example"',
        "dmarc=pass header.from=corp.example; dmarc=fail header.from=corp.example",
        "dmarc=fail header.from=corp.example; dmarc=pass header.from=corp.example",
        "dmarc=fail; dkim=pass header.d=corp.example; spf=pass smtp.mailfrom=corp.example; arc=pass",
    ],
)
def test_any_fail_wins_over_every_pass(results: str) -> None:
    assert verdict(mail(ours(results))) == (Verdict.NO, "dmarc=fail by mx.acme.example")


def test_the_fields_of_several_filters_count_together() -> None:
    several = mail(ours("spf=none"), ours("dkim=none"), PASS)
    assert verdict(several, OPENDMARC)[0] is Verdict.YES
    assert verdict(mail(PASS, ours("dmarc=fail")), OPENDMARC)[0] is Verdict.NO


def test_of_unknown_filters_only_the_topmost_may_vouch_but_any_may_object() -> None:
    assert verdict(mail(ours("spf=none"), PASS))[1].startswith("no DMARC by mx.acme.example")
    assert verdict(mail(ours("spf=none"), ours("dkim=pass header.d=corp.example")))[0] is Verdict.UNKNOWN
    assert verdict(mail(PASS, ours("spf=none")))[0] is Verdict.YES
    assert verdict(mail(PASS, ours("dmarc=fail")))[0] is Verdict.NO


def test_of_google_only_the_topmost_may_vouch_but_any_may_object() -> None:
    def google(results: str) -> str:
        return f"mx.google.com; {results}"

    passed = google("dmarc=pass header.from=corp.example")
    assert verdict(mail(google("spf=pass"), passed), GOOGLE)[1].startswith("no DMARC by mx.google.com")
    assert verdict(mail(google("spf=pass"), google("dkim=pass header.d=corp.example")), GOOGLE)[0] is (
        Verdict.UNKNOWN
    )
    assert verdict(mail(passed, google("spf=pass")), GOOGLE)[0] is Verdict.YES
    assert verdict(mail(passed, google("dmarc=fail")), GOOGLE)[0] is Verdict.NO


@pytest.mark.parametrize("authenticity", [GENERIC, OPENDMARC])
@pytest.mark.parametrize(
    "genuine", ["dmarc=none", "dmarc=temperror", "dmarc=fail", "dmarc=pass header.from=x.y"]
)
def test_a_forged_field_right_below_the_genuine_one_does_not_help(
    genuine: str, authenticity: Authenticity
) -> None:
    assert verdict(mail(ours(genuine), PASS), authenticity)[0] is not Verdict.YES


@pytest.mark.parametrize("between", ["Received: from evil\r\n", "X-Spam: no\r\n", "DKIM-Signature: v=1\r\n"])
def test_a_forged_field_further_down_is_not_even_read(between: str) -> None:
    forged = f"{between}Authentication-Results: {PASS}\r\n"
    assert verdict(mail(ours("spf=none"), below=forged))[1].startswith("no DMARC by mx.acme.example")
    assert verdict(mail("mx.new.example; spf=none", below=forged))[1].startswith(
        "no Authentication-Results of"
    )


def test_a_forged_field_without_a_name_below_microsofts_is_not_read() -> None:
    genuine = (
        "spf=fail smtp.mailfrom=evil.example; dkim=none header.d=none;dmarc=none header.from=corp.example"
    )
    forged = "dmarc=pass action=none header.from=corp.example"
    assert verdict(mail(genuine, forged), MICROSOFT)[1].startswith("dmarc=none by Microsoft 365")


@pytest.mark.parametrize(
    "name", ["mx.acme.example.evil.example", "evil.mx.acme.example", "", "mx_acme_example"]
)
def test_a_name_that_looks_like_our_server_is_not_ours(name: str) -> None:
    raw = mail(f"{name}; dmarc=pass header.from=corp.example")
    assert verdict(raw)[1].startswith("no Authentication-Results of mx.acme.example")


@pytest.mark.parametrize(
    "name", ["messagingengine.com", "mx1.messagingengine.com.evil.example", "evilmessagingengine.com"]
)
def test_a_name_that_looks_like_fastmail_is_not_fastmail(name: str) -> None:
    raw = mail(f"{name}; dmarc=pass header.from=corp.example")
    assert verdict(raw, FASTMAIL)[0] is Verdict.UNKNOWN


def test_what_follows_under_another_name_of_fastmail_is_not_by_the_same_server() -> None:
    genuine = "phl-mx-06.messagingengine.com; x-csa=none"
    raw = mail(genuine, "mx1.messagingengine.com; dmarc=pass header.from=corp.example")
    assert verdict(raw, FASTMAIL)[1].startswith("no DMARC by messagingengine.com")


def test_a_forged_field_where_our_server_writes_and_removes_none_cannot_be_told_from_a_genuine_one() -> None:
    """What protects is the server: RFC 8601, section 5, has it remove fields that claim its name."""
    below_its_received = b"Received: from evil by mx.acme.example\r\n" + mail(PASS)
    assert verdict(below_its_received)[0] is Verdict.YES
    below_what_authors_write = (
        b"From: alice@corp.example\r\nAuthentication-Results: " + PASS.encode() + b"\r\n\r\n"
    )
    assert verdict(below_what_authors_write)[0] is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("raw", "evidence"),
    [
        (mail(PASS, below="From: mallory@evil.example\r\n"), "the mail has 2 From fields"),
        (mail(PASS, sender="alice@c0rp.example"), "From is not the address of the sender"),
        (mail(PASS, sender=""), "From is not the address of the sender"),
        (mail(PASS, below="X: y\rFrom: alice@corp.example\r\n"), "the header holds bare carriage returns"),
        (PASS.encode(), "the mail has 0 From fields"),
        (b"", "the mail has 0 From fields"),
    ],
)
def test_a_from_that_readers_may_take_for_another_proves_nothing(raw: bytes, evidence: str) -> None:
    found, said = verdict(raw)
    assert found is Verdict.UNKNOWN
    assert said.startswith(evidence)


@pytest.mark.parametrize("sender", ["", "alice", "alice@", "@corp.example", "a@\udc80", "a@" + "ü" * 300])
def test_a_sender_that_is_no_address_is_never_proven(sender: str) -> None:
    assert verdict(mail(PASS, sender="x"), sender=sender)[0] is Verdict.UNKNOWN


def test_an_international_domain_is_compared_in_ascii() -> None:
    raw = mail(ours("dmarc=pass header.from=xn--bcher-kva.example"), sender="a@bücher.example")
    assert verdict(raw, sender="a@bücher.example")[0] is Verdict.YES
    assert verdict(raw, sender="a@bucher.example")[0] is Verdict.UNKNOWN


def test_a_homoglyph_of_the_domain_is_another_domain() -> None:
    assert ascii_domain("corр.example").startswith("xn--")  # noqa: RUF001 - the Cyrillic er is the point


@pytest.mark.parametrize(
    "signature", ["", "DKIM-Signature: d=evil.example\r\n", "DKIM-Signature: \xe4;;=\r\n"]
)
def test_a_passed_signature_that_is_not_in_the_mail_proves_nothing(signature: str) -> None:
    """A server that repeats an envelope sender unquoted lets a stranger write results among its own."""
    raw = mail(ours("dkim=pass header.d=corp.example; dmarc=none"), signature=signature)
    assert verdict(raw)[1].startswith("dmarc=none by mx.acme.example")


def test_the_parent_domain_may_speak_for_the_sender() -> None:
    raw = mail(ours("dkim=pass header.d=corp.example"), sender="a@mail.corp.example")
    assert verdict(raw, sender="a@mail.corp.example")[0] is Verdict.YES


def test_an_authserv_id_of_ones_own_replaces_that_of_the_profile() -> None:
    named = Authenticity(Policy.REQUIRE, "MX.Acme.Example.", Profile.GOOGLE)
    assert verdict(mail(PASS), named)[0] is Verdict.YES
    assert verdict((SAMPLES / "gmail_dmarc_pass.eml").read_bytes(), named)[0] is Verdict.UNKNOWN


@pytest.mark.parametrize("raw", [b"", mail(), mail(PASS), mail("mx.evil.example; dmarc=fail")])
def test_token_only_asks_for_nothing_more(raw: bytes) -> None:
    assert verdict(raw, TOKEN_ONLY) == (Verdict.YES, "the token alone is asked for (policy token_only)")


def test_token_only_still_heeds_a_fail_of_our_own_server() -> None:
    named = Authenticity(Policy.TOKEN_ONLY, MX)
    assert verdict(mail(ours("dmarc=fail")), named) == (Verdict.NO, "dmarc=fail by mx.acme.example")
    assert verdict(mail("mx.evil.example; dmarc=fail"), named)[0] is Verdict.YES


@pytest.mark.parametrize(
    ("authenticity", "is_known"),
    [
        (TOKEN_ONLY, False),
        (Authenticity(Policy.TOKEN_ONLY, MX), True),
        (DKIM_ONLY, False),
        (Authenticity(Policy.REQUIRE, profile=Profile.RSPAMD), False),
        (GENERIC, True),
        (GOOGLE, True),
        (MICROSOFT, True),
        (FASTMAIL, True),
    ],
)
def test_it_is_known_whose_word_is_taken(authenticity: Authenticity, *, is_known: bool) -> None:
    assert trusts_a_server(authenticity) is is_known
