"""Header fields of our own mails, whatever text they are made of."""

import re
from dataclasses import replace
from email.headerregistry import Address, AddressHeader
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import AddressInvalid
from service.mail.compose import compose, link_token, unsubscribe_token
from service.mail.headers import (
    NAME_LIMIT,
    SUBJECT_LIMIT,
    address_header,
    checked_address,
    one_line,
    text_header,
)
from service.mail.tokens import make_token
from service.model import MAIL_KINDS, Delivery, DeliveryKind
from tests.mail.compose_samples import (
    ABOUT_AN_INCIDENT,
    AT,
    INCIDENT,
    OFFICE,
    PUBLIC_ID,
    SITE,
    TO_SUBSCRIBERS,
    facts_of,
    mail,
    raw_mail,
)

ANY_TEXT = st.text(max_size=300) | st.text(st.characters(codec="ascii"), max_size=300)
HOSTILE = (
    "a\r\nBcc: all@acme.example",
    "a\nContent-Type: text/html\n\n<b>",
    "\0\x1b[31m red \x7f",
    "=?utf-8?q?publish?= =?utf-8?b?AAAA?=",
    "\u202epublish\u2066",
    'Ana "the\\boss" <evil@x.example>, b@x.example',
    "ж" * 500,
    "word" * 200,
    "👩\u200d👩\u200d👧 " * 60,
    "\ud800 lone surrogate",
    "",
)


@given(ANY_TEXT, ANY_TEXT, ANY_TEXT)
def test_any_text_makes_headers_without_defects(subject: str, name: str, site_name: str) -> None:
    facts = facts_of(DeliveryKind.APPROVAL, replace(INCIDENT, subject=subject), employee_name=name)
    office = replace(OFFICE, site=replace(SITE, name=site_name), sender_name=site_name)
    _check_sound(raw_mail(DeliveryKind.APPROVAL, facts, office))
    parsed = mail(DeliveryKind.APPROVAL, facts, office)
    assert not parsed.defects
    assert [header for header, value in parsed.items() if value.defects] == []
    assert parsed["Subject"] == one_line(f"[INC-12] {one_line(subject, 500)}", SUBJECT_LIMIT).rstrip()
    assert _addresses(parsed["To"]) == [(_packed(one_line(name, NAME_LIMIT)), "jordan@acme.example")]
    assert _addresses(parsed["From"]) == [(_packed(one_line(site_name, NAME_LIMIT)), "status@acme.example")]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("kind", MAIL_KINDS)
def test_hostile_text_adds_no_header(kind: DeliveryKind, text: str) -> None:
    facts = facts_of(kind, replace(INCIDENT, subject=text))
    facts |= {name: text for name in ("employee_name", "subject", "first_line", "by") if name in facts}
    office = replace(OFFICE, site=replace(SITE, name=text), sender_name=text)
    _check_sound(raw_mail(kind, facts, office))
    assert set(mail(kind, facts, office).keys()) == set(mail(kind).keys())


@given(ANY_TEXT)
def test_a_text_header_reads_as_the_text_on_one_line(text: str) -> None:
    parsed = mail(DeliveryKind.LOGIN_LINK, office=replace(OFFICE, instance_id=text))
    assert parsed["X-Replycast-Instance"] == one_line(text, SUBJECT_LIMIT)


@pytest.mark.parametrize(
    "text", ["Störung der E-Mail " * 9, "メールが使えません " * 15, "Email is unavailable " * 8]
)
def test_long_headers_are_folded_at_76(text: str) -> None:
    lines = text_header("Subject", text).split("\r\n")
    assert len(lines) > 1
    assert max(map(len, lines)) <= 76


def test_mostly_ascii_subjects_stay_readable_in_the_source() -> None:
    assert text_header("Subject", "Störung der Mails") == "Subject: =?utf-8?q?St=C3=B6rung_der_Mails?="


def test_a_display_name_is_quoted_or_encoded() -> None:
    assert address_header("From", "Acme, Inc.", "a@x.example") == 'From: "Acme, Inc." <a@x.example>'
    assert (
        address_header("From", "Müller", "a@x.example") == "From: =?utf-8?b?TcO8bGxlcg==?=\r\n <a@x.example>"
    )
    assert address_header("From", "", "a@x.example") == "From: a@x.example"


@pytest.mark.parametrize("kind", MAIL_KINDS)
def test_every_mail_says_that_a_machine_wrote_it(kind: DeliveryKind) -> None:
    parsed = mail(kind)
    said = "auto-replied" if kind is DeliveryKind.ANSWER else "auto-generated"
    assert parsed["Auto-Submitted"] == said
    assert parsed["X-Auto-Response-Suppress"] == "All"
    assert parsed["X-Replycast-Instance"] == "instance-1"
    assert parsed["Precedence"] is None


@pytest.mark.parametrize("kind", MAIL_KINDS)
def test_the_date_is_that_of_the_delivery(kind: DeliveryKind) -> None:
    assert parsedate_to_datetime(mail(kind)["Date"]) == AT


@pytest.mark.parametrize("kind", MAIL_KINDS)
def test_the_same_delivery_gives_the_same_bytes(kind: DeliveryKind) -> None:
    assert raw_mail(kind) == raw_mail(kind)


@pytest.mark.parametrize("kind", MAIL_KINDS)
def test_text_comes_before_html(kind: DeliveryKind) -> None:
    parsed = mail(kind)
    types = [part.get_content_type() for part in parsed.iter_parts()]
    assert (parsed["MIME-Version"], parsed.get_content_type()) == ("1.0", "multipart/alternative")
    assert types == ["text/plain", "text/html"]


@pytest.mark.parametrize("kind", TO_SUBSCRIBERS)
def test_subscribers_can_leave_with_one_click_as_rfc_8058_asks(kind: DeliveryKind) -> None:
    parsed = mail(kind)
    token = unsubscribe_token(OFFICE.key, "f" * 32)
    page, by_mail = parsed["List-Unsubscribe"].split(", ")
    assert page == f"<https://status.acme.example/unsubscribe/{token}>"
    assert by_mail == f"<mailto:status+unsubscribe-{token}@acme.example?subject=unsubscribe>"
    assert parsed["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert parsed["List-Id"] == '"Acme Status" <updates.status.acme.example>'


@pytest.mark.parametrize("kind", [kind for kind in MAIL_KINDS if kind not in TO_SUBSCRIBERS])
def test_only_mails_to_subscribers_are_of_a_list(kind: DeliveryKind) -> None:
    assert not [name for name in mail(kind) if name.startswith("List-")]


def test_tokens_are_26_characters_and_differ_by_purpose_key_and_id() -> None:
    tokens = [
        make_token(b"k", "a"),
        link_token(b"k", "a", "login"),
        link_token(b"k", "a", "confirm"),
        link_token(b"k", "b", "login"),
        link_token(b"l", "a", "login"),
        unsubscribe_token(b"k", "a"),
    ]
    assert len(set(tokens)) == len(tokens)
    assert all(re.fullmatch("[a-z2-7]{26}", token) for token in tokens)


@pytest.mark.parametrize(
    "address", ["", "nobody", "a\r\nb@x.example", "a@x.example, b@x.example", "ä@x.example"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    delivery = Delivery(
        1, PUBLIC_ID, DeliveryKind.LOGIN_LINK, address, AT, AT, facts=facts_of(DeliveryKind.LOGIN_LINK)
    )
    with pytest.raises(AddressInvalid, match="not an e-mail address"):
        compose(delivery, OFFICE)


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("jordan@acme.example", "jordan@acme.example"),
        ("Jordan+Status@mail.local", "Jordan+Status@mail.local"),
        ("root@localhost", "root@localhost"),
        ("jordan@bücher.example", "jordan@xn--bcher-kva.example"),
    ],
)
def test_addresses_are_written_in_ascii(address: str, written: str) -> None:
    assert checked_address(address) == written


@pytest.mark.parametrize("kind", ABOUT_AN_INCIDENT)
def test_the_subject_is_the_same_in_all_mails_about_an_incident(kind: DeliveryKind) -> None:
    assert mail(kind)["Subject"] == "[INC-12] Email is unavailable"


@pytest.mark.parametrize(
    ("subject", "answered"),
    [("AW: Re: hello", "Re: hello"), ("hello", "Re: hello"), ("", "Re: your mail"), ("Re:", "Re: your mail")],
)
def test_an_answer_about_no_incident_keeps_the_subject_it_answers(subject: str, answered: str) -> None:
    facts = facts_of(DeliveryKind.ANSWER, subject=subject) | {"incident": None}
    assert mail(DeliveryKind.ANSWER, facts)["Subject"] == answered


def _check_sound(raw: bytes) -> None:
    """7 bits, CRLF everywhere, no line over 998, no empty header line before the body."""
    head, _, _ = raw.partition(b"\r\n\r\n")
    assert raw.isascii()
    assert b"\0" not in raw
    assert re.search(rb"(?<!\r)\n|\r(?!\n)", raw) is None
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert all(re.match(rb"[A-Za-z-]+: \S|[ ]\S", line) for line in head.split(b"\r\n"))


def _addresses(header: AddressHeader) -> list[tuple[str, str]]:
    addresses: tuple[Address, ...] = header.addresses
    return [(_packed(address.display_name), address.addr_spec) for address in addresses]


def _packed(name: str) -> str:
    """Leave out blanks: Python 3.11 keeps those between the encoded words of a phrase (RFC 2047 drops them)."""
    return "".join(name.split())
