"""How our mails hang together in a reader's mailbox, and how an answer finds its way back."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.mail.facts import incident_facts
from service.mail.tokens import find_tokens, make_token
from service.model import MAIL_KINDS, DeliveryKind
from tests.mail.compose_samples import (
    ABOUT_AN_INCIDENT,
    INCIDENT,
    OFFICE,
    PUBLIC_ID,
    TO_REPLY_TO,
    TO_SUBSCRIBERS,
    facts_of,
    mail,
)

TOKEN = make_token(OFFICE.key, PUBLIC_ID)
WITHOUT_TOKEN = sorted(set(MAIL_KINDS) - set(TO_REPLY_TO))


def _root(kind: DeliveryKind, number: int = 12) -> str:
    facts = facts_of(kind, replace(INCIDENT, id=number))
    return str(mail(kind, facts)["References"]).split()[-1]


def _answer(**changes: object) -> list[str]:
    return str(mail(DeliveryKind.ANSWER, facts_of(DeliveryKind.ANSWER, **changes))["References"]).split()


@pytest.mark.parametrize("kind", TO_REPLY_TO)
def test_the_token_stands_in_three_places(kind: DeliveryKind) -> None:
    parsed = mail(kind)
    assert parsed["Reply-To"] == f"status+{TOKEN}@acme.example"
    assert parsed["Message-ID"] == f"<{TOKEN}.{PUBLIC_ID}@acme.example>"
    assert re.fullmatch(rf"<{TOKEN}\.[0-9a-f]{{32}}@acme\.example>", str(parsed["References"]).split()[0])


@pytest.mark.parametrize("kind", WITHOUT_TOKEN)
def test_nobody_else_gets_a_token(kind: DeliveryKind) -> None:
    parsed = mail(kind)
    assert TOKEN not in parsed.as_string()
    assert parsed["Reply-To"] is None
    assert parsed["Message-ID"] == f"<{PUBLIC_ID}@acme.example>"


def test_an_answer_about_no_incident_has_no_token() -> None:
    parsed = mail(DeliveryKind.ANSWER, facts_of(DeliveryKind.ANSWER) | {"incident": None})
    assert TOKEN not in parsed.as_string()


@pytest.mark.parametrize("kind", ABOUT_AN_INCIDENT)
def test_mails_about_an_incident_hang_on_its_root(kind: DeliveryKind) -> None:
    parsed, root = mail(kind), _root(DeliveryKind.APPROVAL)
    assert parsed["In-Reply-To"] == root
    assert str(parsed["References"]).split() == [root.replace("<", f"<{TOKEN}."), root]


def test_incidents_maintenances_installations_and_subscribers_have_threads_of_their_own() -> None:
    elsewhere = mail(DeliveryKind.APPROVAL, office=replace(OFFICE, instance_id="instance-2"))
    roots = {
        _root(DeliveryKind.APPROVAL),
        _root(DeliveryKind.APPROVAL, 13),
        _root(DeliveryKind.SUBSCRIBER_UPDATE),
        _root(DeliveryKind.SUBSCRIBER_UPDATE, 13),
        _root(DeliveryKind.MAINTENANCE_UPDATE),
        _root(DeliveryKind.MAINTENANCE_UPDATE, 13),
        str(elsewhere["In-Reply-To"]),
    }
    assert len(roots) == 7


@pytest.mark.parametrize("kind", TO_SUBSCRIBERS)
def test_subscribers_mails_hang_on_their_root(kind: DeliveryKind) -> None:
    parsed = mail(kind)
    assert parsed["In-Reply-To"] == parsed["References"] == _root(kind)


def test_an_answer_hangs_on_the_mail_that_it_answers() -> None:
    root = _root(DeliveryKind.APPROVAL)
    parsed = mail(DeliveryKind.ANSWER)
    assert parsed["In-Reply-To"] == "<question@mail.example>"
    assert _answer() == [
        root.replace("<", f"<{TOKEN}."),
        root,
        "<first@mail.example>",
        "<question@mail.example>",
    ]


def test_of_a_long_thread_the_newest_references_are_kept() -> None:
    theirs = [f"<{number}@mail.example>" for number in range(50)]
    references = _answer(references=theirs)
    assert len(references) == 20
    assert references[2:] == [*theirs[-17:], "<question@mail.example>"]


def test_what_an_answer_names_twice_stands_once() -> None:
    root = _root(DeliveryKind.APPROVAL)
    assert _answer(references=[root, "<question@mail.example>"])[1:] == [root, "<question@mail.example>"]


@given(st.lists(st.text(max_size=40), max_size=30), st.text(max_size=40))
def test_only_message_ids_are_taken_from_a_stranger(references: list[str], in_reply_to: str) -> None:
    parsed = mail(
        DeliveryKind.ANSWER, facts_of(DeliveryKind.ANSWER, references=references, in_reply_to=in_reply_to)
    )
    written = f"{parsed['In-Reply-To']} {parsed['References']}".split()
    assert all(re.fullmatch(r"<[!-~]+>", one) for one in written)
    assert not parsed["References"].defects


@pytest.mark.parametrize("domain", ["acme.example", f"{'very-' * 11}long.{'sub.' * 20}example"])
def test_long_message_ids_are_never_broken_or_encoded(domain: str) -> None:
    parsed = mail(DeliveryKind.APPROVAL, office=replace(OFFICE, sender_address=f"status@{domain}"))
    assert parsed["Message-ID"] == f"<{TOKEN}.{PUBLIC_ID}@{domain}>"
    assert all(one.endswith(f"@{domain}>") for one in str(parsed["References"]).split())


def test_an_answer_to_our_mail_brings_the_token_back_from_each_place() -> None:
    parsed = mail(DeliveryKind.APPROVAL)
    for field in ("to", "in-reply-to", "references"):
        source = {"to": "Reply-To", "in-reply-to": "Message-ID", "references": "References"}[field]
        assert find_tokens([(field, str(parsed[source]))]) == (TOKEN,)


def test_the_thread_stays_when_the_subject_is_changed() -> None:
    changed = incident_facts(replace(INCIDENT, subject="Email and calendar are down"), names={})
    parsed = mail(DeliveryKind.CLOSED, facts_of(DeliveryKind.CLOSED) | {"incident": changed})
    assert parsed["In-Reply-To"] == _root(DeliveryKind.APPROVAL)
