"""Mails are known again, whichever way they come, and never taken for one another."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.inbox import content_key, last_uid, receive_mails, uid_prefix
from service.mail.imap import FetchedMail
from service.store import inbox_rows
from service.store.database import Store
from service.store.inbox_rows import Arrival, Door
from tests.inbox.posting import NOW
from tests.thoroughness import examples

MAIL = b"""Received: from mx1.acme.example by mail.acme.example; Tue, 24 Nov 2026 12:00:01 +0000
Delivered-To: status+abc@acme.example
From: "Jordan Ray of the mail team"
 <jordan@acme.example>
To: status@acme.example
Subject: Re: [INC-1] Email is unavailable
Message-ID: <1@acme.example>
Date: Tue, 24 Nov 2026 12:00:00 +0000

publish

On Tuesday somebody wrote:
> Message-ID: <quoted@acme.example>
"""


@pytest.mark.parametrize(
    ("was", "now"),
    [
        (b"mx1.acme.example", b"mx2.acme.example"),
        (b"Delivered-To: status+abc@acme.example\n", b""),
        (b"Received:", b"X-Spam-Status: No, score=-1.9\n tests=[NONE]\nReceived:"),
        (b"\n", b"\r\n"),
        (b'team"\n <jordan', b'team"\n\t<jordan'),
        (b"To: status@acme.example\n", b"To: status@acme.example, sam@acme.example\n"),
    ],
    ids=["another server", "no trace", "a filter's marks", "line ends", "another fold", "a copy for others"],
)
def test_two_copies_of_one_mail_have_one_key(was: bytes, now: bytes) -> None:
    assert was in MAIL
    assert content_key(MAIL.replace(was, now)) == content_key(MAIL)


@pytest.mark.parametrize(
    ("was", "now"),
    [
        (b"publish\n", b"publish!\n"),
        (b"publish\n", b"discard\n"),
        (b"> Message-ID: <quoted@acme.example>\n", b""),
        (b"<1@acme.example>", b"<2@acme.example>"),
        (b"<jordan@acme.example>", b"<sam@acme.example>"),
        (b"Jordan Ray", b"Jordan Roy"),
        (b"12:00:00 +0000", b"12:00:02 +0000"),
        (b"[INC-1]", b"[INC-2]"),
    ],
)
def test_a_mail_that_says_something_else_has_another_key(was: bytes, now: bytes) -> None:
    assert was in MAIL
    assert content_key(MAIL.replace(was, now)) != content_key(MAIL)


@given(raw=st.binary(max_size=300))
def test_any_bytes_have_a_key(raw: bytes) -> None:
    assert len(content_key(raw)) == 64


def fetched(folder: str, uidvalidity: int, uid: int, raw: bytes = MAIL) -> FetchedMail:
    return FetchedMail(
        account="status@acme.example",
        folder=folder,
        uidvalidity=uidvalidity,
        uid=uid,
        raw=raw,
        size=len(raw),
        truncated=False,
    )


def test_a_mail_is_stored_once_however_often_it_is_fetched(store: Store) -> None:
    first = fetched("INBOX", 1, 7)
    assert receive_mails(store, [first, fetched("INBOX", 1, 8, raw=b"another")], now=NOW) == 2
    assert receive_mails(store, [first], now=NOW) == 0
    assert receive_mails(store, [fetched("INBOX", 2, 1)], now=NOW) == 0, "UIDVALIDITY was reset"
    assert receive_mails(store, [fetched("Archive", 1, 1)], now=NOW) == 0, "the same under another label"
    assert last_uid(store, "status@acme.example", "INBOX", 1) == 8


names = st.sampled_from(["a", "a/1", "a/1/2", "b", "INBOX", "INBOX/1", "Größe 100%", "a%2F1", ""])
validities = st.integers(0, 30) | st.integers(0, 2**32 - 1)
places = st.tuples(names, names, validities)
uids = st.integers(1, 100) | st.integers(1, 2**32 - 1)


@settings(
    max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(stored=st.dictionaries(st.tuples(places, uids), st.none(), max_size=12), asked=places)
def test_the_last_uid_is_the_greatest_of_that_mailbox_generation_alone(
    store: Store, stored: dict[tuple[tuple[str, str, int], int], None], asked: tuple[str, str, int]
) -> None:
    arrivals = [
        Arrival(Door.MAIL, NOW, b"", uid_key=f"{uid_prefix(*place)}{uid:010}") for place, uid in stored
    ]
    with store.transaction() as connection, connection.begin_nested() as example:
        assert inbox_rows.add_mails(connection, arrivals) == len(stored)
        found = {place: inbox_rows.last_uid(connection, uid_prefix(*place)) for place, _ in stored}
        of_asked = inbox_rows.last_uid(connection, uid_prefix(*asked))
        example.rollback()
    for place, last in found.items():
        assert last == max(uid for other, uid in stored if other == place)
    assert of_asked == found.get(asked, 0)
