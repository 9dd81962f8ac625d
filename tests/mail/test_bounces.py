"""Bounces and delivery reports of real systems, each returning our own mail, with what they must be read as."""

from pathlib import Path
from typing import NamedTuple

import pytest

from service.mail.bounces import Bounce, BounceKind, read_bounce
from service.mail.replies import read_reply

MAILS = Path(__file__).parent / "bounces"
KEY = b"k" * 32
PUBLIC_ID = "0123456789abcdef0123456789abcdef"
JORDAN = "jordan@corp.example"
HARD, SOFT, DELAYED = BounceKind.HARD, BounceKind.SOFT, BounceKind.DELAYED


class Row(NamedTuple):
    """What a mail must be read as; mostly it is about Jordan's delivery."""

    kind: BounceKind
    status: str
    words: str
    """Somewhere in the diagnostic."""
    recipient: str | None = JORDAN
    public_id: str | None = PUBLIC_ID


TABLE = {
    "damaged-structure": Row(HARD, "5.1.1", "550 5.1.1 user unknown"),
    "dovecot-quota": Row(SOFT, "", "Quota exceeded (mailbox for user is full)"),
    "exchange2003-german": Row(HARD, "5.1.1", "<mail.corp.example #5.1.1>"),
    "exchange55-text": Row(HARD, "", "Unknown Recipient"),
    "exim-delay-warning": Row(DELAYED, "", "Delay reason: Connection timed out"),
    "exim-report": Row(HARD, "5.1.1", "550 5.1.1 The email account does not exist"),
    "exim-report-gave-up-on-450": Row(SOFT, "4.3.2", "450 4.3.2 try later"),
    "exim-text-full": Row(SOFT, "", "mailbox is full: retry timeout exceeded"),
    "exim-text-remote": Row(HARD, "5.1.1", "Recipient address rejected: User unknown"),
    "exim-text-retry-timeout": Row(SOFT, "", "Connection timed out: retry timeout exceeded"),
    "exim-text-unrouteable": Row(HARD, "", "Unrouteable address"),
    "forged-check": Row(HARD, "5.1.1", "550 5.1.1 user unknown", public_id=None),
    "forwarded-then-refused": Row(HARD, "5.1.1", 'unknown user: "j.ray"', recipient="j.ray@home.example"),
    "global-delivery-status": Row(HARD, "5.1.1", "unbekannt", recipient="jürgen@büro.example"),
    "gmail-delay": Row(DELAYED, "4.4.1", "did not accept our requests to connect"),
    "gmail-disabled": Row(
        HARD, "5.2.1", "550 5.2.1 The email account that you tried to reach is inactive. https://"
    ),
    "gmail-full": Row(SOFT, "5.2.2", "out of storage space and inactive. Please direct the recipient to"),
    "gmail-not-found": Row(HARD, "5.1.1", "does not exist. Please try double-checking"),
    "gmail-old-text": Row(HARD, "5.1.1", "550 550 5.1.1 <jordan@corp.example>"),
    "gmail-unauthenticated": Row(SOFT, "5.7.26", "not accepted due to domain's DMARC policy."),
    "groupwise": Row(HARD, "", "jordan@corp.example (user not found)"),
    "headers-only": Row(HARD, "5.1.1", "550 5.1.1 user unknown"),
    "headers-only-quoted-printable": Row(HARD, "5.1.1", "550 5.1.1 user unknown"),
    "icloud-unknown-alias": Row(HARD, "5.1.1", "unknown or illegal alias"),
    "intermail-text": Row(HARD, "", "553 sorry, no such mailbox"),
    "kundenserver-german": Row(SOFT, "", "Das Postfach des Empfängers ist voll"),
    "m365-access-denied": Row(HARD, "5.4.1", "Recipient address rejected: Access denied."),
    "m365-delayed": Row(DELAYED, "4.4.7", "450 4.4.7 message delayed"),
    "m365-expired": Row(SOFT, "5.4.300", "550 5.4.300 Message expired -> 451 4.4.0"),
    "m365-german": Row(HARD, "5.1.10", "RESOLVER.ADR.RecipientNotFound"),
    "m365-mailbox-full": Row(SOFT, "5.2.2", "554 5.2.2 mailbox full"),
    "m365-not-found": Row(HARD, "5.1.10", "RESOLVER.ADR.RecipientNotFound"),
    "m365-our-daily-limit": Row(SOFT, "5.1.90", "your daily limit"),
    "m365-restricted": Row(SOFT, "5.7.133", "Delivery restriction check failed"),
    "notes-not-listed": Row(HARD, "5.1.1", "not listed in Domino Directory"),
    "notes-text": Row(SOFT, "", "quota exceeded"),
    "nothing-returned-at-all": Row(HARD, "5.1.1", "user unknown", public_id=None),
    "nothing-returned-but-references": Row(HARD, "5.1.1", "user unknown"),
    "outlook-com-block-list": Row(SOFT, "5.7.1", "block list (S3150)"),
    "outlook-com-unavailable": Row(HARD, "5.5.0", "mailbox unavailable"),
    "postfix-delayed": Row(DELAYED, "4.4.1", "Connection timed out"),
    "postfix-gave-up": Row(SOFT, "4.4.1", "Connection refused"),
    "postfix-greylisted-too-long": Row(SOFT, "4.2.0", "Greylisted"),
    "postfix-host-not-found": Row(HARD, "5.4.4", "Host not found"),
    "postfix-loop": Row(SOFT, "5.4.6", "loops back to myself"),
    "postfix-lost-plus-address": Row(HARD, "5.1.1", "User unknown"),
    "postfix-mailbox-full": Row(SOFT, "5.2.2", "552 5.2.2 <jordan@corp.example>: Mailbox full"),
    "postfix-over-quota-as-unknown-code": Row(SOFT, "5.0.0", "Quota exceeded"),
    "postfix-plus-address-in-envelope-only": Row(HARD, "5.1.1", "User unknown"),
    "postfix-relayed": Row(BounceKind.DELIVERED, "2.1.5", "250 2.1.5 Ok"),
    "postfix-spam": Row(SOFT, "5.7.1", "blocked using zen.spamhaus.example"),
    "postfix-too-large": Row(SOFT, "5.3.4", "Message size exceeds fixed limit"),
    "postfix-user-unknown": Row(HARD, "5.1.1", "User unknown in virtual mailbox table"),
    "proofpoint-user-unknown-under-policy-code": Row(HARD, "5.7.1", "user unknown"),
    "qmail-full": Row(SOFT, "5.2.2", "The user jordan is over quota."),
    "qmail-lost-plus-address": Row(HARD, "", "550 No such user here"),
    "qmail-no-mailbox": Row(HARD, "5.1.1", "Sorry, no mailbox here by that name. (#5.1.1)"),
    "qmail-timeout": Row(SOFT, "4.4.3", "CNAME lookup failed temporarily. (#4.4.3)"),
    "qq-html": Row(HARD, "", "550 Mailbox not found."),
    "sender-refused": Row(SOFT, "5.1.0", "sender rejected"),
    "sendmail-delay-warning": Row(DELAYED, "4.4.1", "Deferred: Connection timed out"),
    "sendmail-old-text": Row(HARD, "5.1.1", "550 5.1.1 <jordan@corp.example>... User unknown"),
    "sendmail-user-unknown": Row(HARD, "5.1.1", "550 5.1.1 <jordan@corp.example>... User unknown"),
    "ses-content-rejected": Row(SOFT, "5.6.1", "Message content rejected"),
    "ses-suppressed": Row(HARD, "5.1.1", "Amazon SES has suppressed sending to this address"),
    "ses-user-unknown": Row(HARD, "5.1.1", "550 5.1.1 user unknown"),
    "several-recipients": Row(HARD, "5.1.1", "550 5.1.1 no such user"),
    "status-in-base64": Row(HARD, "5.2.1", "mailbox disabled"),
    "unknown-words": Row(BounceKind.UNKNOWN, "", "Alas! The parcel came back.", recipient=None),
    "yahoo-deferred-too-long": Row(SOFT, "4.7.0", "[TSS04]"),
    "yahoo-no-account": Row(HARD, "5.0.0", "doesn't have a yahoo.com account"),
    "yahoo-old-text": Row(HARD, "5.1.1", "554 5.1.1 <jordan@corp.example>"),
    "yandex-russian": Row(HARD, "", "550 Invalid recipient jordan@corp.example"),
}


def raw(name: str) -> bytes:
    return (MAILS / f"{name}.eml").read_bytes()


def read(name: str) -> Bounce:
    bounce = read_bounce(raw(name), key=KEY)
    assert bounce is not None
    return bounce


def test_every_bounce_is_in_the_table() -> None:
    assert {path.stem for path in MAILS.glob("*.eml")} == set(TABLE)


@pytest.mark.parametrize("name", TABLE)
def test_a_bounce_is_read_as_what_it_is(name: str) -> None:
    wanted, bounce = TABLE[name], read(name)
    assert bounce.kind is wanted.kind
    assert (bounce.status, bounce.recipient) == (wanted.status, wanted.recipient)
    assert bounce.public_id == wanted.public_id
    assert wanted.words in bounce.diagnostic


@pytest.mark.parametrize("name", TABLE)
def test_a_bounce_reads_the_same_with_the_line_ends_of_smtp(name: str) -> None:
    assert read_bounce(raw(name).replace(b"\n", b"\r\n"), key=KEY) == read(name)


@pytest.mark.parametrize("name", TABLE)
def test_the_publish_in_a_bounce_never_acts(name: str) -> None:
    reply = read_reply(raw(name), own_address="status@acme.example", instance_id="acme-1")
    assert (reply.automatic, reply.command) == (True, None)


@pytest.mark.parametrize("name", sorted(set(TABLE) - {"unknown-words"}))
def test_a_reply_is_called_a_bounce_where_delivery_failed(name: str) -> None:
    reply = read_reply(raw(name), own_address="status@acme.example", instance_id="acme-1")
    assert reply.bounce is (TABLE[name].kind in {HARD, SOFT})


@pytest.mark.parametrize("name", TABLE)
def test_of_the_returned_mail_nothing_is_said(name: str) -> None:
    assert "Reply above this line" not in read(name).diagnostic


def report(*blocks: str, text: str = "") -> Bounce:
    status = "\n\n".join(("Reporting-MTA: dns; mx.example", *blocks))
    body = (
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
        f"--b\n\n{text}\n--b\nContent-Type: message/delivery-status\n\n{status}\n\n--b--\n"
    )
    bounce = read_bounce(body.encode(), key=KEY)
    assert bounce is not None
    return bounce


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("failed", HARD),
        ("FAILED (permanent)", HARD),
        ("delayed", DELAYED),
        ("Delayed (still trying)", DELAYED),
        ("delivered", BounceKind.DELIVERED),
        ("relayed", BounceKind.DELIVERED),
        ("expanded", BounceKind.DELIVERED),
        ("exploded", HARD),
        ("", HARD),
    ],
)
def test_the_action_decides_before_the_status(action: str, kind: BounceKind) -> None:
    assert report(f"Final-Recipient: rfc822; {JORDAN}\nAction: {action}\nStatus: 5.1.1").kind is kind


def test_a_report_without_action_and_status_is_read_by_its_text() -> None:
    bounce = report(f"Final-Recipient: rfc822; {JORDAN}", text=f"{JORDAN}: mailbox is full")
    assert (bounce.kind, bounce.diagnostic) == (SOFT, f"{JORDAN}: mailbox is full")


def test_a_report_that_says_nothing_is_unknown() -> None:
    assert report("Action: failed") == Bounce(None, None, BounceKind.UNKNOWN, "", "")


@pytest.mark.parametrize(
    ("fields", "recipient"),
    [
        ("Final-Recipient: rfc822; <a@x.example>", "a@x.example"),
        ("Final-Recipient: a@x.example", "a@x.example"),
        ("Final-Recipient:\n rfc822;\n a@x.example", "a@x.example"),
        ("Final-Recipient: rfc822; Ray, J\nOriginal-Recipient: rfc822; b@x.example", "b@x.example"),
        ("Final-Recipient: x400; /C=DE/\nX-Actual-Recipient: rfc822; c@x.example", "c@x.example"),
        ("Final-Recipient: rfc822; a@x.example b@x.example", None),
    ],
)
def test_the_recipient_is_one_address_or_none(fields: str, recipient: str | None) -> None:
    assert report(f"{fields}\nAction: failed").recipient == recipient


def test_a_diagnostic_is_one_short_line_without_control_characters() -> None:
    bounce = report("Action: failed\nDiagnostic-Code: smtp; \x1b[31m550\x07 \u202eno\n " + "word " * 400)
    assert bounce.diagnostic == f"[31m550 no {'word ' * 58}"[:299].rstrip() + "…"
