"""A mail that was composed once for many is, byte for byte, the one that is composed for each."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.mail.bulk_mail import BulkMail, prepare
from service.mail.compose import Envelope, compose
from service.model import Delivery, DeliveryKind
from tests.mail.compose_samples import AT, OFFICE, TO_SUBSCRIBERS, facts_of

UPDATE = Delivery(1, "a" * 32, DeliveryKind.SUBSCRIBER_UPDATE, "ana@reader.example", AT, AT, update_id=1)
HEX = st.text("0123456789abcdef", min_size=32, max_size=32)
LOCAL_PARTS = st.from_regex(r"[A-Za-z0-9!#$%&'*+/=?^_{|}~-]{1,30}(\.[A-Za-z0-9+=]{1,20})?", fullmatch=True)
TIMES = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  as Hypothesis wants them
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


def of_update(
    body: str = "A disk was full.", kind: DeliveryKind = DeliveryKind.SUBSCRIBER_UPDATE
) -> Delivery:
    """Give a delivery with whole facts."""
    facts = facts_of(kind)
    facts["update"] = {**facts["update"], "body": body}
    return replace(UPDATE, kind=kind, facts=facts)


def prepared(delivery: Delivery) -> BulkMail:
    bulk = prepare(delivery, OFFICE)
    assert bulk is not None
    return bulk


def both_ways(bulk: BulkMail, whole: Delivery, theirs: Delivery) -> tuple[Envelope | None, Envelope]:
    """Give a subscriber's mail as it was prepared, and as it is composed alone."""
    return bulk.envelope_for(theirs), compose(
        replace(theirs, facts={**whole.facts, **theirs.facts}), bulk.office
    )


@given(body=TEXTS, public_id=HEX, subscriber=HEX, local_part=LOCAL_PARTS, at=TIMES)
def test_it_is_the_mail_that_is_composed_alone(
    body: str, public_id: str, subscriber: str, local_part: str, at: datetime
) -> None:
    whole = of_update(body)
    theirs = replace(
        whole,
        public_id=public_id,
        recipient=f"{local_part}@reader.example",
        created_at=at,
        facts={"subscriber_public_id": subscriber},
    )
    fast, slow = both_ways(prepared(whole), whole, theirs)
    assert fast == slow
    assert fast is not None
    assert not (fast.is_dotless and b"\r\n." in fast.message)


@pytest.mark.parametrize(
    ("body", "is_dotless"),
    [("Fine again.", True), ("メールが使えません。" * 40, True), ("One\n.two", False), ("One\n\n..", False)],
)
def test_only_a_mail_without_a_dot_at_the_start_of_a_line_is_told_to_be_dotless(
    body: str, *, is_dotless: bool
) -> None:
    envelope = prepared(of_update(body)).envelope_for(
        replace(UPDATE, facts={"subscriber_public_id": "b" * 32})
    )
    assert envelope is not None
    assert envelope.is_dotless is is_dotless
    assert is_dotless is not (b"\n." in envelope.message)


@pytest.mark.parametrize("kind", TO_SUBSCRIBERS)
@pytest.mark.parametrize(
    "body", ["Fine again.", "メールが使えません。" * 40, "Störung behoben. " * 30, ".\n..\n."]
)
@pytest.mark.parametrize("verp", [True, False])
def test_every_kind_and_encoding_can_be_prepared(kind: DeliveryKind, body: str, *, verp: bool) -> None:
    whole = of_update(body, kind)
    bulk = prepare(whole, replace(OFFICE, verp=verp))
    assert bulk is not None
    for number in range(5):
        facts = {"subscriber_public_id": f"{number:032x}"}
        fast, slow = both_ways(bulk, whole, replace(whole, public_id=f"{number:032x}", facts=facts))
        assert fast == slow


@pytest.mark.parametrize(
    "unlike",
    [
        {"recipient": "ana@bücher.example"},
        {"recipient": "jörg@reader.example"},
        {"recipient": '"a b"@reader.example'},
        {"recipient": "ana@reader.example\r\nBcc: eve@evil.example"},
        {"public_id": "short"},
        {"facts": {"subscriber_public_id": "b" * 32, "name": "Ana"}},
        {"facts": {}},
    ],
)
def test_what_is_unlike_the_others_is_left_to_be_composed_alone(unlike: dict[str, object]) -> None:
    alike = replace(UPDATE, facts={"subscriber_public_id": "b" * 32})
    bulk = prepared(of_update())
    assert bulk.envelope_for(alike) is not None
    assert bulk.envelope_for(replace(alike, **unlike)) is None  # type: ignore[arg-type]  # fields of a Delivery


def test_a_text_that_holds_what_is_a_subscribers_own_is_not_prepared() -> None:
    assert prepare(of_update("Write to b@trial.example for more."), OFFICE) is not None
    assert prepare(of_update("Write to a@trial.example for more."), OFFICE) is None
