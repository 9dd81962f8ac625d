"""Tokens: made, hidden, written into addresses and Message-IDs, and found again."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.mail.tokens import find_tokens, hash_token, make_token, message_id, reply_address

OWN = "status@acme.example"
ONE = "mfrggzdfmztwq2lknnwg23tpob"
TWO = "abcdefghijklmnopqrstuvwxyz"
THREE = "zzzzzzzzzzzzzzzzzzzzzzzzzz"
PUBLIC_ID = "0123456789abcdef0123456789abcdef"


@given(st.binary(min_size=1), st.text(alphabet="0123456789abcdef", min_size=32, max_size=32))
def test_a_made_token_comes_back_from_every_place(key: bytes, public_id: str) -> None:
    token = make_token(key, public_id)
    assert re.fullmatch("[a-z2-7]{26}", token)
    assert find_tokens([("to", f"Acme <{reply_address(OWN, token)}>")]) == (token,)
    assert find_tokens([("in-reply-to", message_id(public_id, "acme.example", token))]) == (token,)


def test_a_token_is_bound_to_key_and_delivery() -> None:
    assert len({make_token(b"a", "1"), make_token(b"a", "2"), make_token(b"b", "1")}) == 3


def test_a_token_is_the_same_in_any_case() -> None:
    assert hash_token(f" {ONE.upper()} ") == hash_token(ONE) != hash_token(TWO)


def test_a_message_id_has_its_fixed_form() -> None:
    assert message_id(PUBLIC_ID, "acme.example", ONE) == f"<{ONE}.{PUBLIC_ID}@acme.example>"
    assert message_id(PUBLIC_ID, "acme.example") == f"<{PUBLIC_ID}@acme.example>"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, f"status+{ONE}@acme.example") for name in ("delivered-to", "x-original-to", "envelope-to")),
        ("x-gm-original-to", f"<STATUS+{ONE.upper()}@ACME.EXAMPLE>"),
        ("delivered-to", f"mailbox+{ONE}@host.acme.example"),
        ("to", f"Sam <sam@acme.example>, Acme <status+{ONE}@acme.example>"),
        ("to", f"status+{ONE}@rewritten.example"),
        ("cc", f"Status+{ONE.upper()}@Acme.example"),
        ("in-reply-to", f"<{ONE}.{PUBLIC_ID}@acme.example>"),
        ("references", f"<a@x.example>,<{ONE.upper()}.{PUBLIC_ID.upper()}@acme.example>"),
        ("references", f"<a@x.example> \t <{ONE}.{PUBLIC_ID}@acme.example>  <b@x.example>"),
    ],
)
def test_a_token_is_found(name: str, value: str) -> None:
    assert find_tokens([(name, value)]) == (ONE,)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("to", f"status+{ONE[:-1]}@acme.example"),
        ("to", f"status+{ONE}a@acme.example"),
        ("to", f"status+{ONE[:-1]}1@acme.example"),
        ("references", f"<{PUBLIC_ID}@acme.example>"),
        ("references", f"<{ONE}@acme.example>"),
        ("subject", f"status+{ONE}@acme.example"),
        ("references", f"<{ONE}.{PUBLIC_ID}@acme.example> " + "<a@x.example> " * 20),
    ],
)
def test_no_token_is_found(name: str, value: str) -> None:
    assert find_tokens([(name, value)]) == ()


def test_tokens_come_in_the_order_of_trust_and_once() -> None:
    fields = [
        ("references", f"<{ONE}.{PUBLIC_ID}@a.example> <{THREE}.{PUBLIC_ID}@a.example>"),
        ("in-reply-to", f"<{ONE}.{PUBLIC_ID}@a.example>"),
        ("to", f"status+{ONE}@acme.example"),
        ("delivered-to", f"status+{TWO}@acme.example"),
    ]
    assert find_tokens(fields) == (TWO, ONE, THREE)


def test_a_plus_in_our_own_address_stays() -> None:
    address = reply_address("ops+status@acme.example", ONE)
    assert address == f"ops+status+{ONE}@acme.example"
    assert find_tokens([("to", address)]) == (ONE,)
