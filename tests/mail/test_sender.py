"""A name in From may be as odd as mail programs write it, as long as no reader sees another address in it."""

import re
import unicodedata
from contextlib import suppress
from email import policy
from email.errors import HeaderParseError
from email.header import decode_header
from email.utils import getaddresses, parseaddr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.mail.parsing import PARSER_FAULTS, decode_words, parse_mail
from service.mail.sender import read_named, read_sender

JORDAN = "jordan@acme.example"


def sender_of(value: str) -> tuple[str | None, str]:
    return read_sender(parse_mail(f"From: {value}\r\n\r\npublish\r\n".encode()))


@pytest.mark.parametrize(
    "value",
    [
        f'"=?utf-8?B?Sm9yZGFuIFLDpHk=?=" <{JORDAN}>',
        f"=?utf-8?B?Sm9yZGFuIFLDpHk=?=<{JORDAN}>",
        f"=?utf-8*en?Q?J=C3=B6rdan?=<{JORDAN}>",
        f"=?UTF-8?B?Sm9yZGFuIFLDpHk?= <{JORDAN}>",
        f"Jordan [Ops] <{JORDAN}>",
        f"Jordan Ray, Ph.D. <{JORDAN}>",
        f"Ray, Jordan <{JORDAN}>",
        f"Ray; Jordan <{JORDAN}>",
        f"Ops: Jordan <{JORDAN}>",
        f'"Jordan" (on call), Ops <{JORDAN}>',
        f"{JORDAN} <{JORDAN}>",
        f"Jordan@ACME.example <{JORDAN}>",
        f"=?utf-8?Q?jordan=40acme.example?=<{JORDAN}>",
        f"Jordan [Ops] <{JORDAN.replace('acme', 'Acme')}>",
    ],
)
def test_what_is_wrong_with_the_name_alone_is_let_pass(value: str) -> None:
    assert sender_of(value) == (JORDAN, "")


@pytest.mark.parametrize(
    "value",
    [
        "alice@corp.example <evil@x.example>",
        "alice@corp.example, <evil@x.example>",
        f"alice@corp.example, Jordan <{JORDAN}>",
        f"alice@corp.example; Jordan <{JORDAN}>",
        f"{JORDAN}, Jordan <{JORDAN}>",
        f"Team: alice@corp.example, Jordan <{JORDAN}>",
        f"[alice@corp.example] <{JORDAN}>",
        f"alice@ <{JORDAN}>",
        f"Jordan @ Acme <{JORDAN}>",
        f"'{JORDAN}' <{JORDAN}>",
        f"x.{JORDAN} <{JORDAN}>",
        f"{JORDAN}.evil.example <{JORDAN}>",
        f'"alice@corp.example", Ph.D. <{JORDAN}>',
        f"Jordan [Ops] (alice@corp.example) <{JORDAN}>",
        f"=?utf-8?Q?alice=40corp.example?=<{JORDAN}>",
        f"=?utf-8?B?YWxpY2VAY29ycC5leGFtcGxl?=<{JORDAN}>",
        f"=?utf-8?Q?a_=3Calice?=<{JORDAN}>",
        f"=?utf-7?Q?alice+AEA-corp.example?=<{JORDAN}>",
        f"=?x-unknown?Q?alice?=<{JORDAN}>",
        f"=?utf-8?Q?alice [x] <{JORDAN}>",
        f"alice\uff20corp.example [x] <{JORDAN}>",
        f"Jordan [Ops] \uff1calice <{JORDAN}>",
        f"Jordan [Ops <x>] <{JORDAN}>",
        f"Jordan [Ops] <{JORDAN}> <{JORDAN}>",
        f"Jordan [Ops] <{JORDAN}>, Alice",
        f"Jordan [Ops] <<{JORDAN}>>",
        f"Jordan [Ops] <@relay.example:{JORDAN}>",
        f"Jordan [Ops] <{JORDAN} (x)>",
        f"Jordan [Ops] <alice@corp.example@{JORDAN}>",
        f'Jordan [Ops] <"jordan"@{JORDAN}>',
        "Jordan [Ops] <jordan@[192.0.2.1]>",
        f'Jordan [Ops] " <{JORDAN}>',
        f"Jordan [Ops] ( <{JORDAN}>",
        f"Jordan [Ops] \\ <{JORDAN}>",
        f"Jordan [Ops] \x00 <{JORDAN}>",
        f"Jordan [Ops] \u202e <{JORDAN}>",
        "Jordan [Ops] <jordan>",
        "Jordan [Ops]",
    ],
)
def test_where_another_reader_might_see_another_address_it_stays_unclear(value: str) -> None:
    found, why = sender_of(value)
    assert found is None
    assert why.startswith("From ")


PIECES = st.sampled_from(
    [
        *('"', "(", ")", "\\", "<", ">", ",", ";", ":", " ", "[", "]", ".", "=?", "?=", "@", "\uff20", "\t"),
        *("=?utf-8?q?", "=?utf-8?b?", "=40", "=3C", "=?utf-8?q?a=40b?=", "=?utf-7?q?a+AEA-b?=", "Jordan"),
        *(JORDAN, f"<{JORDAN}>", "alice@corp.example", "<evil@x.example>", "\r\n ", "ä"),
    ]
)
FROM_FIELDS = st.lists(PIECES, max_size=10).map(lambda pieces: "".join(pieces) + f"<{JORDAN}>") | st.lists(
    PIECES, max_size=12
).map("".join)


def addresses_by_other_readers(value: str) -> set[str]:
    """Read a field as several parsers do, and as one would that decodes before it parses."""
    decoded = decode_words(value)
    texts = {value, decoded, unicodedata.normalize("NFKC", decoded)}
    with suppress(HeaderParseError):
        pieces = decode_header(value)
        texts.add("".join(one if isinstance(one, str) else one.decode("latin-1") for one, _ in pieces))
    found = [address for text in texts for _, address in getaddresses([text])]
    found += [parseaddr(text)[1] for text in texts]
    with suppress(*PARSER_FAULTS):
        found += [one.addr_spec for one in policy.default.header_factory("From", value).addresses]
    found += [
        match for text in texts for match in re.findall(r'[^\s<>()",;:\[\]\\]*@[^\s<>()",;:\[\]\\]*', text)
    ]
    return {address.casefold() for address in found if "@" in address}


@given(FROM_FIELDS)
def test_whatever_is_let_pass_has_one_address_wherever_an_at_sign_stands(value: str) -> None:
    named = read_named(value)
    assert named is None or addresses_by_other_readers(value) == {named.casefold()}
