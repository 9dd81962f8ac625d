"""Who is gone for good by a bounce: the address that we wrote to, or one of many that it stands for."""

import pytest

from service.mail.bounces import BounceKind, read_bounce
from tests.mail.test_bounces import HARD, JORDAN, KEY, TABLE, read, report

TEAM = "ops-team@corp.example"
GONE = "Action: failed\nStatus: 5.1.1"
BY_TEXT = f"""\
From: MAILER-DAEMON@mx.corp.example
Subject: Mail delivery failed: returning message to sender
{{field}}
A message that you sent could not be delivered.

  carol@corp.example
    (generated from {TEAM})
    Unrouteable address
"""
OF_ANOTHER = {"forwarded-then-refused", "global-delivery-status", "several-recipients"}
"""Of a forwarding, of somebody else, and one in which another recipient has the mail."""


@pytest.mark.parametrize(
    "fields",
    [
        "Final-Recipient: rfc822; carol@corp.example",
        f"Final-Recipient: rfc822; carol@corp.example\nOriginal-Recipient: rfc822;{TEAM}",
        f"Final-Recipient: RFC822; {TEAM}\nX-Actual-Recipient: RFC822; carol@mx.corp.example",
        "Final-Recipient: rfc822; carol",
        "Final-Recipient: LOCAL; carol",
    ],
)
def test_one_behind_an_alias_who_is_gone_is_no_end_of_the_alias(fields: str) -> None:
    bounce = report(f"{fields}\n{GONE}")
    assert bounce.kind is HARD
    assert not bounce.is_end_of(TEAM)


@pytest.mark.parametrize(
    "fields",
    [
        f"Final-Recipient: rfc822; {TEAM}",
        f"Final-Recipient: rfc822; {TEAM.upper()}",
        "Final-Recipient: rfc822; ops-team@mx.corp.example",
        "Final-Recipient: rfc822; ops-team",
        f"Final-Recipient: x400; /C=DE/S=Team/\nOriginal-Recipient: rfc822; {TEAM}",
        "Final-Recipient: x400; /C=DE/S=Team/",
        "Reporting: nobody",
    ],
)
def test_an_address_that_is_gone_itself_ends(fields: str) -> None:
    assert report(f"{fields}\n{GONE}").is_end_of(TEAM)


@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded (to multi-recipient alias)"])
def test_what_arrived_as_well_is_no_end(action: str) -> None:
    arrived = f"Final-Recipient: rfc822; {TEAM}\nAction: {action}\nStatus: 2.0.0"
    gone = f"Final-Recipient: rfc822; {TEAM}\n{GONE}"
    assert report(arrived, gone).kind is HARD
    assert not report(arrived, gone).is_end_of(TEAM)


def test_of_several_who_failed_our_own_must_have_failed_for_good() -> None:
    carol = f"Final-Recipient: rfc822; carol@corp.example\n{GONE}"
    full = f"Final-Recipient: rfc822; {TEAM}\nAction: failed\nStatus: 5.2.2"
    assert not report(carol, full).is_end_of(TEAM)
    assert report(carol, f"Final-Recipient: rfc822; {TEAM}\n{GONE}").is_end_of(TEAM)


@pytest.mark.parametrize(
    ("field", "is_end"),
    [
        ("X-Failed-Recipients: carol@corp.example\n", False),
        (f"X-Failed-Recipients: {TEAM}\n", True),
    ],
)
def test_in_a_bounce_without_a_report_the_field_of_who_failed_counts(field: str, *, is_end: bool) -> None:
    bounce = read_bounce(BY_TEXT.format(field=field).encode(), key=KEY)
    assert bounce is not None
    assert bounce.kind is HARD
    assert bounce.is_end_of(TEAM) is is_end


def test_what_is_full_is_no_end() -> None:
    assert not report(f"Final-Recipient: rfc822; {TEAM}\nAction: failed\nStatus: 5.2.2").is_end_of(TEAM)


@pytest.mark.parametrize("name", TABLE)
def test_real_systems_name_the_address_that_we_wrote_to(name: str) -> None:
    ends = TABLE[name].kind is BounceKind.HARD and name not in OF_ANOTHER
    assert read(name).is_end_of(JORDAN) is ends
