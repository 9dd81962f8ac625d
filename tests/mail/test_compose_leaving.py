"""The address by which a subscriber leaves, as our mails offer it."""

from dataclasses import replace
from urllib.parse import unquote, urlsplit

import pytest

from service.mail.compose import PostOffice, unsubscribe_token
from service.mail.tokens import find_tokens, find_unsubscribe_tokens, reply_address, unsubscribe_address
from service.model import DeliveryKind
from tests.mail.compose_samples import OFFICE, mail

TOKEN = unsubscribe_token(OFFICE.key, "f" * 32)
PAGE = f"<https://status.acme.example/unsubscribe/{TOKEN}>"


def offered(office: PostOffice) -> list[str]:
    """Give the ways to leave that a subscriber's mail offers."""
    ways: str = mail(DeliveryKind.SUBSCRIBER_UPDATE, office=office)["List-Unsubscribe"]
    return ways.split(", ")


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
