"""Tokens are derived faster than the standard library does it, and are the same."""

import hashlib
import hmac
from base64 import b32encode

from hypothesis import given
from hypothesis import strategies as st

from service.mail.tokens import base32, derived_token, keyed_digest


@given(value=st.binary(max_size=64))
def test_base32_is_that_of_the_standard_library_without_padding(value: bytes) -> None:
    assert base32(value) == b32encode(value).decode().rstrip("=").lower()


@given(key=st.binary(max_size=100), texts=st.lists(st.binary(max_size=200), min_size=1, max_size=4))
def test_a_keyed_digest_is_an_hmac_and_no_text_shows_in_the_next(key: bytes, texts: list[bytes]) -> None:
    expected = [hmac.digest(key, text, hashlib.sha256) for text in texts]
    assert [keyed_digest(key, text) for text in texts] == expected


@given(key=st.binary(min_size=32, max_size=32), text=st.text(st.characters(exclude_categories=["Cs"])))
def test_a_token_is_128_bits_in_26_letters(key: bytes, text: str) -> None:
    digest = hmac.digest(key, text.encode(), hashlib.sha256)[:16]
    assert derived_token(key, text) == b32encode(digest).decode().rstrip("=").lower()
    assert len(derived_token(key, text)) == 26
