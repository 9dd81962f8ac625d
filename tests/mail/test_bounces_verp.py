"""The envelope sender that bounces come back to, and how a bounce names its delivery."""

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from service.mail.bounces import bounce_address, find_bounced
from service.mail.compose import compose
from service.mail.tokens import find_tokens
from service.model import MAIL_KINDS, Delivery, DeliveryKind
from tests.mail.compose_samples import AT, OFFICE, PUBLIC_ID, facts_of

KEY = OFFICE.key
OTHER = "f" * 32
ADDRESS = bounce_address("status@acme.example", PUBLIC_ID, KEY)
NOTHING = b"Subject: x\n\nbody"


def found(*fields: tuple[str, str], raw: bytes = NOTHING) -> str | None:
    return find_bounced(fields, raw, key=KEY)


def test_the_address_stays_what_it_is() -> None:
    assert ADDRESS == "status+b-aerukz4jvpg66ajdivtytk6n55xyncuw@acme.example"


public_ids = st.text("0123456789abcdef", min_size=32, max_size=32)


@given(public_ids, st.binary(min_size=1))
def test_an_address_brings_its_own_delivery_back(public_id: str, key: bytes) -> None:
    address = bounce_address("status@acme.example", public_id, key)
    assert find_bounced([("delivered-to", address.upper())], NOTHING, key=key) == public_id


@given(public_ids)
def test_an_address_of_another_key_gives_nothing(public_id: str) -> None:
    assert found(("to", bounce_address("status@acme.example", public_id, b"another key"))) is None


@given(public_ids, st.integers(-32, -1), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_an_address_with_another_letter_gives_nothing(public_id: str, place: int, letter: str) -> None:
    local = bounce_address("status@acme.example", public_id, KEY).partition("@")[0]
    forged = local[: len(local) + place] + letter + local[len(local) + place + 1 :]
    assume(forged != local)
    assert found(("to", f"{forged}@acme.example")) is None


@pytest.mark.parametrize("length", [1, 29])
def test_a_local_part_of_up_to_29_octets_has_room(length: int) -> None:
    address = bounce_address(f"{'s' * length}@acme.example", PUBLIC_ID, KEY)
    assert len(address.partition("@")[0]) == length + 35
    assert found(("to", address)) == PUBLIC_ID


@pytest.mark.parametrize("own", [f"{'s' * 30}@acme.example", f"status@{'sub.' * 52}example"])
def test_where_there_is_no_room_bounces_come_to_our_own_address(own: str) -> None:
    assert bounce_address(own, PUBLIC_ID, KEY) == own


@pytest.mark.parametrize("public_id", ["", "7", "g" * 32, "A" * 32])
def test_an_id_of_another_form_is_not_marked(public_id: str) -> None:
    assert bounce_address("status@acme.example", public_id, KEY) == "status@acme.example"


def test_a_bounce_address_holds_no_reply_token() -> None:
    assert find_tokens([("to", ADDRESS)]) == ()


@pytest.mark.parametrize(
    "field", ["delivered-to", "x-delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "to"]
)
def test_the_address_is_looked_up_where_servers_write_it(field: str) -> None:
    assert found((field, f"Acme Status <{ADDRESS}>")) == PUBLIC_ID


@pytest.mark.parametrize(
    "address",
    [
        ADDRESS.replace("acme.example", "mailbox.example"),
        f"prvs=1234567890={ADDRESS}",
        f"SRS0=HHH=TT=acme.example={ADDRESS.replace('acme', 'relay')}",
    ],
)
def test_an_address_that_was_rewritten_on_its_way_still_tells(address: str) -> None:
    assert found(("to", address)) == PUBLIC_ID


@pytest.mark.parametrize("field", ["cc", "from", "subject", "x-failed-recipients"])
def test_the_address_counts_nowhere_else(field: str) -> None:
    assert found((field, ADDRESS)) is None


def test_a_wrong_check_does_not_hide_a_right_one() -> None:
    wrong = bounce_address("status@acme.example", OTHER, b"another key")
    assert found(("delivered-to", wrong), ("to", ADDRESS)) == PUBLIC_ID


@pytest.mark.parametrize(
    "returned",
    [
        f"Message-ID: <{PUBLIC_ID}@acme.example>",
        f"message-id:\n <{'a' * 26}.{PUBLIC_ID}@acme.example>",
        f"> Message-Id: <{PUBLIC_ID.upper()}@acme.example>",
        f"Message-ID: &lt;{PUBLIC_ID}@acme.example&gt;",
        f"X-Original-Message-ID: <{PUBLIC_ID}@acme.example>",
        f"Message-ID: <{PUBLIC_ID[:9]}=\n{PUBLIC_ID[9:]}@acme.example>",
    ],
)
def test_the_returned_mail_tells_by_its_message_id(returned: str) -> None:
    assert found(raw=f"Subject: x\n\nIt came back:\n\n{returned}\n".encode()) == PUBLIC_ID


@pytest.mark.parametrize(
    "returned",
    [
        f"In-Reply-To: <{PUBLIC_ID}@acme.example>",
        f"He wrote Message-ID: <{PUBLIC_ID}@acme.example>",
        f"Message-ID: <{PUBLIC_ID}0@acme.example>",
        f"Message-ID: <x.{PUBLIC_ID}@acme.example>",
    ],
)
def test_what_is_no_message_id_of_ours_does_not(returned: str) -> None:
    assert found(raw=f"Subject: x\n\n{returned}\n".encode()) is None


def test_a_bounces_own_message_id_does_not_count() -> None:
    assert found(raw=f"Message-ID: <{PUBLIC_ID}@mx.example>\n\nbody".encode()) is None


def test_the_last_reference_is_the_mail_itself() -> None:
    assert found(("references", f"<{OTHER}@acme.example>,<{PUBLIC_ID}@acme.example>")) == PUBLIC_ID


def test_the_surest_place_comes_first() -> None:
    raw = f"Subject: x\n\nMessage-ID: <{'1' * 32}@acme.example>\n".encode()
    answered, references = ("in-reply-to", f"<{'2' * 32}@a.b>"), ("references", f"<{'3' * 32}@a.b>")
    assert found(references, answered, ("to", ADDRESS), raw=raw) == PUBLIC_ID
    assert found(references, answered, raw=raw) == "1" * 32
    assert found(references, answered) == "2" * 32
    assert found(references) == "3" * 32


@pytest.mark.parametrize("kind", MAIL_KINDS)
def test_every_mail_goes_out_with_a_bounce_address_of_its_own(kind: DeliveryKind) -> None:
    delivery = Delivery(1, PUBLIC_ID, kind, "jordan@acme.example", AT, AT, facts=facts_of(kind))
    assert compose(delivery, OFFICE).sender == ADDRESS
    assert b"From: " in compose(delivery, OFFICE).message
    assert ADDRESS.encode() not in compose(delivery, OFFICE).message


def test_a_relay_that_knows_one_sender_only_gets_that_one() -> None:
    kind = DeliveryKind.APPROVAL
    delivery = Delivery(1, PUBLIC_ID, kind, "jordan@acme.example", AT, AT, facts=facts_of(kind))
    assert compose(delivery, replace(OFFICE, verp=False)).sender == "status@acme.example"
