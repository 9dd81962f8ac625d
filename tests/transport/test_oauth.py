"""Access tokens from an OAuth server that checks who asks."""

import json
import socket
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwk

from service.config.settings import OAuth, Secret
from service.mail.oauth import (
    AccessTokens,
    TokenRefused,
    TokenUnavailable,
    plain_line,
    refusal_status,
    sasl_xoauth2,
)
from service.mail.token_exchange import ANSWER_LIMIT
from tests.transport.oauth_double import (
    CLIENT_SECRET,
    REFRESH_TOKEN,
    SCOPE,
    OAuthDouble,
    oauth_double,
)
from tests.transport.rows import NOW


@pytest.fixture
def double() -> Iterator[OAuthDouble]:
    with oauth_double() as running:
        yield running


def tokens_of(oauth: OAuth) -> AccessTokens:
    return AccessTokens(oauth, username="status@acme.example")


@pytest.mark.parametrize(
    ("refresh_token", "grant"), [(REFRESH_TOKEN, "refresh_token"), ("", "client_credentials")]
)
def test_a_token_is_asked_for_in_the_users_or_the_applications_name(
    double: OAuthDouble, refresh_token: str, grant: str
) -> None:
    token = tokens_of(double.oauth(refresh_token=refresh_token)).current(NOW)
    assert double.is_good(token)
    assert [form["grant_type"] for form in double.asked] == [grant]


@pytest.mark.parametrize(
    ("lifetime", "seconds", "times_asked"),
    [
        (3600, 3539, 1),
        (3600, 3541, 2),
        ("3600", 3541, 2),
        (10, 4, 1),
        (10, 6, 2),
        (299.5, 238, 1),
        (299.5, 240, 2),
        ("300.0", 239, 1),
        ("300.0", 241, 2),
        ("nan", 3539, 1),
        ("nan", 3541, 2),
        ("inf", 3541, 2),
        (float("inf"), 3541, 2),
        (True, 3539, 1),
        (None, 3539, 1),
        ("soon", 3541, 2),
        (-5, 0, 2),
        (10**30, 86_000, 1),
        (10**30, 86_400, 2),
    ],
)
def test_a_token_is_kept_until_shortly_before_its_end(
    double: OAuthDouble, lifetime: object, seconds: int, times_asked: int
) -> None:
    answer = {"access_token": "abc"} | ({} if lifetime is None else {"expires_in": lifetime})
    double.answer_instead = (200, json.dumps(answer).encode())
    tokens = tokens_of(double.oauth())
    for now in (NOW, NOW + timedelta(seconds=seconds)):
        tokens.current(now)
    assert len(double.asked) == times_asked


def test_a_renewed_token_replaces_the_last_one(double: OAuthDouble) -> None:
    tokens = tokens_of(double.oauth())
    assert [tokens.current(NOW), tokens.renew(NOW), tokens.current(NOW)] == [
        double.given[0],
        double.given[1],
        double.given[1],
    ]


def test_a_refresh_token_that_was_exchanged_is_not_used_again(double: OAuthDouble) -> None:
    double.rotates = True
    tokens = tokens_of(double.oauth())
    for _ in range(3):
        tokens.renew(NOW)
    assert len({form["refresh_token"] for form in double.asked}) == 3


def test_many_threads_ask_once_for_one_token(double: OAuthDouble) -> None:
    tokens = tokens_of(double.oauth())
    threads = [threading.Thread(target=tokens.current, args=(NOW,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(double.asked) == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"refresh_token": Secret("revoked refresh")}, "no longer takes the refresh token: sign in again"),
        ({"client_secret": Secret("expired secret")}, "does not take this client_id and client_secret"),
        ({"client_id": "client-8"}, "does not take this client_id and client_secret"),
        ({"scope": "calendar"}, "gives no token (invalid_scope: invalid_scope, says the double)"),
    ],
)
def test_refused_credentials_are_told_in_a_sentence_that_shows_none(
    double: OAuthDouble, change: dict[str, object], sentence: str
) -> None:
    oauth = replace(double.oauth(), **change)  # type: ignore[arg-type] # a table of fields
    with pytest.raises(TokenRefused) as refusal:
        tokens_of(oauth).current(NOW)
    said = str(refusal.value)
    assert said.startswith("the OAuth server 127.0.0.1 ")
    assert sentence in said
    assert not any(secret in said for secret in ("revoked refresh", "expired secret", CLIENT_SECRET))


def test_an_application_that_may_not_open_the_mailbox_is_told_so(double: OAuthDouble) -> None:
    double.answer_instead = (400, b'{"error": "invalid_grant"}')
    with pytest.raises(TokenRefused, match=r"does not let client-7 act for status@acme\.example"):
        tokens_of(double.oauth(refresh_token="")).current(NOW)


@pytest.mark.parametrize(
    "answer",
    [
        (500, b""),
        (503, b"<html>maintenance</html>"),
        (429, b'{"error": "slow down"}'),
        (400, b'{"error": "temporarily_unavailable"}'),
        (302, b""),
        (404, b"<html>no such page</html>"),
        (200, b"<html>a hotel's login page</html>"),
        (200, b"[]"),
        (200, b"{}"),
        (200, b'{"access_token": ""}'),
        (200, b'{"access_token": ["a"]}'),
        (200, '{"access_token": "größe"}'.encode()),
        (200, b'{"access_token": "a b"}'),
        (200, b'{"access_token": "a\\u0001b"}'),
        (200, b"[" * 20_000),
        (200, b'{"access_token": "abc", "x": "' + b"x" * ANSWER_LIMIT + b'"}'),
    ],
)
def test_an_answer_without_a_token_makes_the_server_unavailable(
    double: OAuthDouble, answer: tuple[int, bytes]
) -> None:
    double.answer_instead = answer
    with pytest.raises(TokenUnavailable, match=r"the OAuth server 127\.0\.0\.1 "):
        tokens_of(double.oauth()).current(NOW)


def test_after_a_fault_the_server_is_asked_anew(double: OAuthDouble) -> None:
    tokens = tokens_of(double.oauth())
    tokens.current(NOW)
    double.answer_instead = (503, b"")
    with pytest.raises(TokenUnavailable):
        tokens.renew(NOW)
    double.answer_instead = None
    assert tokens.current(NOW) == double.given[-1]
    assert len(double.asked) == 3


def test_what_a_server_says_about_our_secrets_is_not_repeated(double: OAuthDouble) -> None:
    echo = f"you sent {CLIENT_SECRET} and {REFRESH_TOKEN}\r\n\x1b[2J"
    double.answer_instead = (
        400,
        json.dumps({"error": "invalid_request", "error_description": echo}).encode(),
    )
    with pytest.raises(TokenRefused, match=r"you sent \*\*\* and \*\*\*") as refusal:
        tokens_of(double.oauth()).current(NOW)
    assert str(refusal.value).isprintable()


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:1/token", "http://oauth.invalid/", "http://[", "ftp://x/y", "no url", "http://a b/"],
)
def test_a_server_that_cannot_be_reached_is_unavailable(double: OAuthDouble, url: str) -> None:
    with pytest.raises(TokenUnavailable, match="cannot be reached"):
        tokens_of(replace(double.oauth(), token_url=url)).current(NOW)


def test_a_server_that_says_nothing_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.mail.token_exchange.TIMEOUT", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/token"
        oauth = OAuth(url, "client-7", Secret(CLIENT_SECRET), Secret(REFRESH_TOKEN), SCOPE)
        with pytest.raises(TokenUnavailable, match="timed out"):
            tokens_of(oauth).current(NOW)


DRIPPING = [
    b"HTTP/1.1 200 OK\r\nX-Waits: ",
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10000\r\n\r\n",
]


@contextmanager
def dripping(begins_with: bytes) -> Iterator[str]:
    """Run a server that gives one byte after the other, each well within the time for a piece, and give its URL."""
    is_over = threading.Event()

    def drip(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection, suppress(OSError):
            connection.sendall(begins_with)
            while not is_over.wait(0.02):
                connection.sendall(b" ")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=drip, args=(server,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/token"
        finally:
            is_over.set()
            thread.join(2.0)


@pytest.mark.parametrize("begins_with", DRIPPING, ids=["within the header", "within the body"])
def test_a_server_that_drips_does_not_hold_the_login_up_for_ever(
    begins_with: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.mail.token_exchange.WHOLE_PATIENCE", 0.3)
    with dripping(begins_with) as url:
        begun = time.monotonic()
        oauth = OAuth(url, "client-7", Secret(CLIENT_SECRET), Secret(REFRESH_TOKEN), SCOPE)
        with pytest.raises(TokenUnavailable, match="cannot be reached: timed out"):
            tokens_of(oauth).current(NOW)
        assert time.monotonic() - begun < 3


@pytest.mark.parametrize(
    "form", [quote_plus, partial(quote, safe=""), lambda secret: quote_plus(secret).lower()]
)
@pytest.mark.parametrize("secret", ["s3cr+t/x&y z", "ümläut~=", "a b"])
def test_a_secret_is_hidden_as_a_form_or_a_url_holds_it_too(secret: str, form: Callable[[str], str]) -> None:
    said = plain_line(f"the body was client_secret={form(secret)}&scope=x, and {secret}", secret)
    assert said == "the body was client_secret=***&scope=x, and ***"


def test_a_google_service_account_signs_what_it_asks_for(double: OAuthDouble) -> None:
    key = jwk.RSAKey.generate_key(2048)
    double.account_key = jwk.RSAKey.import_key(key.as_pem(private=False))
    oauth = double.oauth(refresh_token="", client_secret=key.as_pem(private=True).decode())
    assert double.is_good(tokens_of(oauth).current(NOW))
    with pytest.raises(TokenRefused, match=r"does not let client-7 act for lee@acme\.example"):
        AccessTokens(oauth, username="lee@acme.example").current(NOW)


def test_a_damaged_private_key_is_not_shown(double: OAuthDouble) -> None:
    damaged = "-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----\n"
    with pytest.raises(TokenRefused, match="no private key that can sign") as refusal:
        tokens_of(double.oauth(refresh_token="", client_secret=damaged)).current(NOW)
    assert "MIIEvQ" not in str(refusal.value)
    assert double.asked == []


def test_the_form_of_a_login_is_that_of_the_vendors_guides() -> None:
    # the example of Google's guide to XOAUTH2
    said = b64encode(
        sasl_xoauth2("someuser@example.com", "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg").encode()
    )
    assert said == (
        b"dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJoZG1semRH"
        b"RXVZMjl0Q2cBAQ=="
    )


@pytest.mark.parametrize(
    ("challenge", "status"),
    [
        (b'{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}', "status 400"),
        (b64encode(b'{"status": 401}'), "status 401"),
        (b'{"schemes":"Bearer"}', ""),
        (b"", ""),
        (b"\xff", ""),
        (b"not base64!", ""),
        (b'["status"]', ""),
    ],
)
def test_the_status_of_a_refusal_is_read(challenge: bytes, status: str) -> None:
    assert refusal_status(challenge) == status


@given(st.binary(max_size=200))
def test_any_challenge_gives_one_printable_line(challenge: bytes) -> None:
    assert refusal_status(challenge).isprintable()
