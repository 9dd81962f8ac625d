"""The address by which a subscriber leaves, as our mails offer it."""

from dataclasses import replace
from urllib.parse import unquote, urlsplit

import pytest

from service.mail.compose import PostOffice, unsubscribe_token
from service.mail.tokens import find_tokens, find_unsubscribe_tokens, reply_address, unsubscribe_address
from service.model import DeliveryKind
from tests.mail.compose_samples import OFFICE, mail, text_of

TOKEN = unsubscribe_token(OFFICE.key, "f" * 32)
PAGE = f"<https://status.acme.example/unsubscribe/{TOKEN}>"


def offered(office: PostOffice) -> list[str]:
    """Give the ways to leave that a subscriber's mail offers."""
    ways: str = mail(DeliveryKind.SUBSCRIBER_UPDATE, office=office)["List-Unsubscribe"]
    return ways.split(", ")


@pytest.mark.parametrize(
    "kind",
    [DeliveryKind.SUBSCRIBER_UPDATE, DeliveryKind.SUBSCRIBER_POSTMORTEM, DeliveryKind.MAINTENANCE_UPDATE],
)
@pytest.mark.parametrize(
    ("lets_choose", "words"), [(True, "Choose components or unsubscribe"), (False, "Unsubscribe")]
)
def test_the_link_says_that_its_reader_can_choose_where_there_is_a_choice(
    kind: DeliveryKind, words: str, *, lets_choose: bool
) -> None:
    sent = mail(kind, office=replace(OFFICE, lets_choose=lets_choose))
    text, html = text_of(sent, "plain"), text_of(sent, "html")
    assert f"\n{words}: {PAGE[1:-1]}" in text
    assert f">{words}</a>" in html


@pytest.mark.parametrize(
    "office",
    [replace(OFFICE, takes_mail=False), replace(OFFICE, sender_address=f"{'s' * 26}@acme.example")],
    ids=["mails to us are not read", "it would be too long (RFC 5321)"],
)
def test_an_address_that_does_not_work_is_not_offered(office: PostOffice) -> None:
    assert offered(office) == [PAGE]


def test_the_longest_address_that_works_is_offered() -> None:
    assert len(offered(replace(OFFICE, sender_address=f"{'s' * 25}@acme.example"))) == 2


@pytest.mark.parametrize("local", ["ops&it=50%", "a?b#c", "o'hara", "status+en"])
def test_an_odd_address_of_ours_stays_one_address_within_a_link(local: str) -> None:
    page, by_mail = offered(replace(OFFICE, sender_address=f"{local}@acme.example"))
    parts = urlsplit(by_mail.strip("<>"))
    assert page == PAGE
    assert unquote(parts.path) == f"{local}+unsubscribe-{TOKEN}@acme.example"
    assert (parts.scheme, parts.query, parts.fragment) == ("mailto", "subject=unsubscribe", "")


@pytest.mark.parametrize("name", ["delivered-to", "x-original-to", "envelope-to", "to", "cc"])
def test_its_token_is_found_wherever_the_address_survives(name: str) -> None:
    address = unsubscribe_address("status@acme.example", TOKEN)
    fields = [("to", "status@acme.example"), (name, f'"Status" <{address.upper()}>'), ("cc", address)]
    assert find_unsubscribe_tokens(fields) == (TOKEN,)


def test_a_token_to_reply_with_is_none_to_unsubscribe_with_nor_the_reverse() -> None:
    to_reply = [("to", reply_address("status@acme.example", TOKEN))]
    to_leave = [("to", unsubscribe_address("status@acme.example", TOKEN))]
    assert (find_tokens(to_reply), find_unsubscribe_tokens(to_reply)) == ((TOKEN,), ())
    assert (find_tokens(to_leave), find_unsubscribe_tokens(to_leave)) == ((), (TOKEN,))
