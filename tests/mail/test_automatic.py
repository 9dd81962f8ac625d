"""A machine's mail is told from a person's, and a bounce from both."""

import unicodedata
from collections.abc import Mapping

import pytest

from service.mail.automatic import find_automatic_sign, is_bounce
from service.mail.automatic_words import BOUNCED, CALENDAR_REPLIES, OUT_OF_OFFICE, READ_RECEIPTS
from service.mail.parsing import parse_mail
from service.mail.sender import read_sender

PERSON = "From: Jordan <jordan@acme.example>\nSubject: Re: [INC-12] Email\n"


def sign_of(header: str) -> str:
    parsed = parse_mail(f"{header}\n\npublish\n".encode())
    sender, _ = read_sender(parsed)
    return find_automatic_sign(parsed, sender, own_address="status@acme.example", instance_id="acme-1")


def bounces(header: str) -> bool:
    parsed = parse_mail(f"{header}\n\npublish\n".encode())
    return is_bounce(parsed, read_sender(parsed)[0])


@pytest.mark.parametrize(
    ("field", "sign"),
    [
        ("Auto-Submitted: auto-generated", "Auto-Submitted"),
        ("Auto-Submitted: auto-replied (vacation)", "Auto-Submitted"),
        ("Auto-Submitted: auto-notified; owner-email=x", "Auto-Submitted"),
        ("auto-submitted: AUTO-REPLIED", "Auto-Submitted"),
        ("Auto-Submitted: no\nAuto-Submitted: auto-replied", "Auto-Submitted"),
        ("Auto-Submitted:", "Auto-Submitted"),
        *((f"Precedence: {word}", "Precedence") for word in ("bulk", "junk", "list", "auto_reply", "Bulk")),
        ("X-Autoreply: yes", "X-Autoreply"),
        ("X-Autorespond: Re", "X-Autorespond"),
        ("X-Auto-Reply-From: a@x.example", "X-Auto-Reply-From"),
        ("X-MS-Exchange-Inbox-Rules-Loop: a@x.example", "X-MS-Exchange-Inbox-Rules-Loop"),
        ("X-Apple-Mail-Auto: 1", "x-apple-mail-auto"),
        ("X-Apple-Vacation: 1", "x-apple-vacation"),
        ("List-Id: Ops <ops.acme.example>", "List-Id"),
        ("List-Unsubscribe: <mailto:x@acme.example>", "List-Unsubscribe"),
        ("Return-Path: <>", "Return-Path"),
        ("Return-Path:", "Return-Path"),
        ("Return-Path: < >", "Return-Path"),
        ("Return-Path: <MAILER-DAEMON>", "Return-Path"),
        ("Return-Path: <MAILER-DAEMON@mx.acme.example>", "Return-Path"),
        ("Preference: auto_reply", "Preference"),
        ("Delivered-To: Autoresponder", "Delivered-To"),
        ("X-POST-MessageClass: 9; Autoresponder", "X-POST-MessageClass"),
        ("X-Auto-Response: 1", "X-Auto-Response"),
        ("X-Amazon-Auto-Reply: true", "X-Amazon-Auto-Reply"),
        (
            "X-MS-Exchange-Generated-Message-Source: Mailbox Rules Agent",
            "X-MS-Exchange-Generated-Message-Source",
        ),
        ("X-MS-Exchange-Organization-AutoForwarded: true", "X-MS-Exchange-Organization-AutoForwarded"),
        ("X-OTRS-Loop: yes", "X-OTRS-Loop"),
        ("X-RT-Loop-Prevention: acme.example", "X-RT-Loop-Prevention"),
        ("X-JIRA-FingerPrint: 0123", "X-JIRA-FingerPrint"),
        ("X-Loop: yes", "X-Loop"),
        ("Content-Class: urn:content-classes:calendarmessage", "Content-Class"),
        ("Content-Class: urn:content-classes:mdn", "Content-Class"),
        ("Content-Type: text/calendar; method=REPLY", "text/calendar"),
        ("Content-Type: message/disposition-notification", "message/disposition-notification"),
        ("Content-Type: multipart/report; boundary=x", "multipart/report"),
        ("X-Replycast-Instance: acme-1", "X-Replycast-Instance"),
        ("X-Replycast-Instance: elsewhere", "X-Replycast-Instance of another instance"),
    ],
)
def test_a_field_gives_a_machine_away(field: str, sign: str) -> None:
    assert sign_of(PERSON + field) == sign


@pytest.mark.parametrize(
    "field",
    [
        "",
        "Auto-Submitted: no",
        "Auto-Submitted: No (really)",
        "X-Auto-Response-Suppress: All",
        "X-Auto-Response-Suppress: DR, RN, NRN, OOF, AutoReply",
        "X-Loop: jordan@acme.example",
        "X-MS-Exchange-Organization-AutoForwarded: false",
        "Content-Class: urn:content-classes:message",
        "Delivered-To: status@acme.example",
        "X-Zendesk-Priority-Mail: none",
        "Precedence: normal",
        "Return-Path: <jordan@acme.example>",
        "X-Apple-Auto-Saved: 1",
        "X-Apple-Mail-Remote-Attachments: YES",
        "X-Mailer: automatic reply",
        "Reply-To: no-reply@acme.example",
    ],
)
def test_a_persons_mail_bears_no_sign(field: str) -> None:
    assert sign_of(PERSON + field) == ""


@pytest.mark.parametrize(
    "address",
    [
        "MAILER-DAEMON@mx.example",
        "mailer-daemon",
        "postmaster@acme.example",
        "no-reply@x.example",
        "noreply@x.example",
        "no_reply@x.example",
        "do-not-reply@x.example",
        "bounces+123=x@lists.example",
        "noreply+tag@x.example",
        "calendar-noreply@x.example",
        "no-reply-aws@x.example",
        "MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@x.example",
        "auto.reply@x.example",
        "keine-antwort@x.example",
        "bitte-nicht-antworten@x.example",
        "ne-pas-repondre@x.example",
        "nepasrepondre@x.example",
        "no-responder@x.example",
        "nao-responda@x.example",
        "non.rispondere@x.example",
        "niet-beantwoorden@x.example",
        "nie-odpowiadaj@x.example",
        "svar-ikke@x.example",
        "ala-vastaa@x.example",
    ],
)
def test_a_machines_address_gives_it_away(address: str) -> None:
    assert sign_of(f"From: Desk <{address}>") == "From"


@pytest.mark.parametrize(
    "address", ["norepley@x.example", "noreplycast@x.example", "bouncer@x.example", "noresponderz@x.example"]
)
def test_an_address_that_only_looks_alike_is_a_persons(address: str) -> None:
    assert sign_of(f"From: {address}") == ""


@pytest.mark.parametrize(
    "address",
    ["status@acme.example", "STATUS@ACME.EXAMPLE", "status+abc@acme.example", "<status@acme.example"],
)
def test_our_own_address_is_a_machines(address: str) -> None:
    assert sign_of(f"From: {address}") == "From is our own address"


@pytest.mark.parametrize(
    "address", ["xstatus@acme.example", "status@acme.example.org", "status@acmexexample"]
)
def test_a_neighbour_of_our_own_address_is_a_person(address: str) -> None:
    assert sign_of(f"From: {address}") == ""


@pytest.mark.parametrize(
    "subject",
    [
        "Automatic reply: [INC-12] Email",
        "OUT OF OFFICE: away",
        "Automatische Antwort: x",
        "Abwesenheitsnotiz: x",
        "=?utf-8?q?R=C3=A9ponse_automatique_=3A_x?=",
        "=?iso-8859-1?q?R=E9ponse_automatique=A0=3A_x?=",
        "Respuesta autom\u00e1tica: x",
        "Risposta automatica: x",
        "Resposta automa\u0301tica: x",
        "Automatisch antwoord: x",
        "Autosvar: x",
        "Fr\u00e5nvaro: x",
        "Automaattinen vastaus: x",
        "Odpowied\u017a automatyczna: x",
        "Automatick\u00e1 odpov\u011b\u010f: x",
        "Automatikus v\u00e1lasz: x",
        "R\u0103spuns automat: x",
        "\u0410\u0432\u0442\u043e\u043e\u0442\u0432\u0435\u0442: x",
        "\u0391\u03c5\u03c4\u03cc\u03bc\u03b1\u03c4\u03b7 \u03b1\u03c0\u03ac\u03bd\u03c4\u03b7\u03c3\u03b7: x",
        "Otomatik yan\u0131t: x",
        "\u81ea\u52a8\u7b54\u590d: x",
        "\u81ea\u52d5\u8fd4\u4fe1: x",
        "\uc790\ub3d9 \ud68c\uc2e0: x",
    ],
)
def test_an_out_of_office_subject_gives_a_machine_away(subject: str) -> None:
    assert sign_of(f"From: Jordan <jordan@acme.example>\nSubject: {subject}") == "Subject"


def phrases(*tables: Mapping[str, tuple[str, ...]]) -> list[str]:
    return sorted({phrase for table in tables for words in table.values() for phrase in words})


@pytest.mark.parametrize("phrase", phrases(OUT_OF_OFFICE, CALENDAR_REPLIES, READ_RECEIPTS))
def test_every_phrase_of_the_tables_gives_a_machine_away(phrase: str) -> None:
    for form in (
        phrase,
        phrase.capitalize(),
        unicodedata.normalize("NFD", phrase),
        phrase.replace(":", " :"),
    ):
        assert sign_of(f"From: jordan@acme.example\nSubject: {form} x") == "Subject"


@pytest.mark.parametrize("phrase", phrases(BOUNCED))
def test_every_phrase_of_bounces_tells_one_from_a_mail_system(phrase: str) -> None:
    assert bounces(f"From: mailer-daemon@acme.example\nSubject: {phrase} [INC-12] x")
    assert not bounces(f"From: jordan@acme.example\nSubject: {phrase} [INC-12] x")


def test_out_of_office_is_known_in_more_than_twenty_languages() -> None:
    assert len(OUT_OF_OFFICE) > 20


@pytest.mark.parametrize("tag", ["[EXTERNAL] ", "[Ext]: ", "[SPAM?] ", "***SPAM*** "])
def test_a_gateways_tag_does_not_hide_the_phrase(tag: str) -> None:
    assert sign_of(f"From: jordan@acme.example\nSubject: {tag}Automatic reply: x") == "Subject"


@pytest.mark.parametrize(
    "subject",
    ["Re: out of office", "[INC-12] Automatic reply", "Auto parts are down", "Re: Accepted: x", "Read only"],
)
def test_such_words_further_on_do_not(subject: str) -> None:
    assert sign_of(f"From: Jordan <jordan@acme.example>\nSubject: {subject}") == ""


@pytest.mark.parametrize(
    "header",
    [
        "From: mailer-daemon@x.example\nSubject: Undelivered Mail Returned to Sender",
        "From: postmaster@x.example\nSubject: Undeliverable: [INC-12]",
        "From: x@x.example\nReturn-Path: <>\nSubject: Mail delivery failed: returning message to sender",
        "From: x@x.example\nX-Failed-Recipients: jordan@acme.example",
        "Content-Type: multipart/report; report-type=Delivery-Status; boundary=b",
        "From: mailer-daemon@x.example\nSubject: Undeliverable: [INC-12] Mails are delayed",
        "From: x@x.example\nReturn-Path: <MAILER-DAEMON>\nSubject: Unzustellbar: [INC-12]",
    ],
)
def test_a_bounce_is_told(header: str) -> None:
    assert bounces(header)


@pytest.mark.parametrize(
    "header",
    [
        f"{PERSON}",
        "From: jordan@acme.example\nSubject: Undeliverable parcels page is down",
        "From: postmaster@acme.example\nSubject: Re: [INC-12]",
        "Content-Type: multipart/report; report-type=disposition-notification; boundary=b",
        "From: mailer-daemon@x.example\nSubject: Warning: message 1tFabc-0001Xy-3Q delayed 24 hours",
        "From: mailer-daemon@x.example\nSubject: Mail delivery delayed: [INC-12]",
        "From: jordan@acme.example\nReturn-Path: <>\nSubject: Automatic reply: Undeliverable: x",
    ],
)
def test_other_mail_is_no_bounce(header: str) -> None:
    assert not bounces(header)


@pytest.mark.parametrize(
    ("action", "is_failure"),
    [
        ("failed", True),
        ("Failed", True),
        ("delayed", False),
        ("relayed", False),
        ("delayed (will be tried for 5 days)", False),
    ],
)
def test_only_a_failed_delivery_is_a_bounce(action: str, *, is_failure: bool) -> None:
    status = f"Reporting-MTA: dns; x\n\nFinal-Recipient: rfc822; a@x.example\nAction: {action}\n"
    raw = (
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
        f"--b\nContent-Type: message/delivery-status\n\n{status}\n--b--\n"
    )
    assert is_bounce(parse_mail(raw.encode()), None) is is_failure
