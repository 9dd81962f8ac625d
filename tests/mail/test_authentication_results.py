"""Authentication-Results are read as mail servers write them, and a stranger's tricks in them lead nowhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.mail.authentication_results import (
    MOST_CHARACTERS,
    MOST_FIELDS,
    MethodResult,
    find_topmost,
    read_header,
    read_results,
)
from tests.effort import ENDS

OURS = "mx.acme.example"
PASS = MethodResult("dmarc", "pass", (("header.from", "corp.example"),))


def topmost(raw: bytes) -> list[str]:
    return [
        result.result for field in find_topmost(read_header(raw), OURS.__eq__) for result in field.results
    ]


@pytest.mark.parametrize(
    "value",
    [
        b" mx.acme.example; dmarc=pass header.from=corp.example",
        b"mx.acme.example;dmarc=pass header.from=corp.example;",
        b" MX.Acme.Example. 1; DMARC=PASS Header.From=corp.example",
        b" mx.acme.example 1 ; dmarc/1 = pass header.from = corp.example",
        b" mx.acme.example (by (our) filter) 1;\r\n\tdmarc=pass\r\n\t(p=none; dis=none)\r\n\theader.from=corp.example",
        b' "mx.acme.example"; dmarc="pass" header.from="corp.example"',
        b' mx.acme.example;\n dmarc (\\) = fail) = (x) pass (a "b) header.from=corp.example',
        b" mx.acme.example; ; corp.example; dmarc=pass header.from=corp.example; nonsense; =; ;",
        b' mx.acme.example; dmarc=pass header.from=corp.exa"mple"',
    ],
    ids=range(9),
)
def test_one_result_is_read_however_it_is_written(value: bytes) -> None:
    read = read_results(value)
    assert (read.authserv_id, read.results, read.is_sound) == (OURS, (PASS,), True)


def test_reasons_and_unknown_properties_are_kept_by_their_names() -> None:
    (read,) = read_results(b'mx; dmarc=fail reason="No valid SPF; (none)" policy.x=y header.from=a.b').results
    assert read.values("reason") == ("No valid SPF; (none)",)
    assert read.values("header.from") == ("a.b",)


def test_a_property_that_stands_twice_has_both_values() -> None:
    (read,) = read_results(b"mx; dmarc=pass header.from=a.b header.from=c.d").results
    assert read.values("header.from") == ("a.b", "c.d")


@pytest.mark.parametrize("value", [b" mx.acme.example; none", b" mx.acme.example", b"mx.acme.example 1;"])
def test_a_server_that_found_nothing_says_nothing(value: bytes) -> None:
    assert (read_results(value).authserv_id, read_results(value).results) == (OURS, ())


def test_without_an_authserv_id_the_first_segment_is_a_result() -> None:
    read = read_results(b" spf=pass (sender IP is 192.0.2.1)\r\n smtp.mailfrom=a.b;dkim=none header.d=none")
    assert (read.authserv_id, [result.method for result in read.results]) == ("", ["spf", "dkim"])


@pytest.mark.parametrize(
    ("value", "results"),
    [
        (b"mx; dmarc=fail (dmarc=pass)", ["fail"]),
        (b"mx; dmarc=fail (\\) dmarc=pass", ["fail"]),
        (b"mx; spf=pass (dmarc=pass); dmarc=none", ["pass", "none"]),
        (b'mx; spf=none smtp.mailfrom="a; dmarc=pass header.from=b"@c', ["none"]),
        (b'mx; spf=none smtp.mailfrom="a\\"; dmarc=pass header.from=b"@c', ["none"]),
        (b"mx; spf=none dmarc=pass", ["none"]),
        (b"mx; dmarc", []),
        (b"mx; dmarc=", []),
        (b"mx; = dmarc=pass", []),
        (b"mx; x = = dmarc=pass", []),
        (b"mx; dm(c)arc=pass", []),
        (b"mx; (dmarc=pass", []),
        ("mx; dmarc=pass\u00a0header.from=a".encode(), ["pass\u00a0header.from"]),
    ],
)
def test_what_stands_in_comments_and_quotes_is_no_result(value: bytes, results: list[str]) -> None:
    assert [result.result for result in read_results(value).results] == results


@pytest.mark.parametrize(
    "value",
    [
        b"mx; dmarc=pass (",
        b"mx; dmarc=pass )",
        b'mx; dmarc=pass "',
        b"mx; dmarc=pass \\",
        b"mx; dmarc=pass (\\)",
        b"mx; dmarc=pass " + b"(" * 10_000 + b")" * 10_000,
        b"mx; dmarc=pass " + b"(" * 1_000 + b")" * 999,
        b"mx; dmarc=pass " + b"x" * 65_536,
        b"mx; dmarc=pass " + b" " * 65_536 + b"; dmarc=fail",
    ],
    ids=range(9),
)
def test_a_field_that_does_not_close_or_is_too_long_is_not_sound(value: bytes) -> None:
    assert read_results(value).is_sound is False


def test_comments_may_nest_as_deep_as_the_field_is_long() -> None:
    depth = MOST_CHARACTERS // 2 - 20
    assert read_results(b"mx; dmarc=pass " + b"(" * depth + b")" * depth).is_sound


@pytest.mark.parametrize(
    "value",
    [
        b"(" * 65_536,
        b'"\\' * 32_768,
        b"(\\" * 32_768,
        b" " * 65_536,
        b"a=" * 32_768,
        b'a"' * 32_768,
        b";" * 65_536,
        b"dmarc" * 13_000,
        b"dmarc/" + b"1" * 65_000,
        b"dmarc=" * 11_000,
        b"\xff" * 65_536,
    ],
    ids=range(11),
)
@ENDS
def test_a_hostile_field_is_read_to_its_end_and_proves_nothing(value: bytes) -> None:
    found = read_results(value)
    assert not any(result.result == "pass" for result in found.results)


@given(st.binary(max_size=400) | st.text('mx;=()"\\ \r\n\tdarcps.', max_size=200).map(str.encode))
def test_reading_never_raises(value: bytes) -> None:
    assert all(result.method and result.result is not None for result in read_results(value).results)


@given(st.binary(max_size=600))
def test_a_header_is_read_from_any_bytes(raw: bytes) -> None:
    assert all(name and name == name.lower() for name, _ in read_header(raw).fields)


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_header_ends_at_its_first_blank_line(end: bytes) -> None:
    header = read_header(end.join((b"From alice Mon", b"A: 1", b"\t2", b"b : 3", b"", b"C: 4")))
    assert header.fields == (("a", b" 1\r\n\t2"), ("b", b" 3"))


def test_a_header_ends_at_a_line_that_is_no_field() -> None:
    assert read_header(b"A: 1\nnonsense\nB: 2\n\n").fields == (("a", b" 1"),)


def test_a_bare_carriage_return_ends_no_field_and_is_noticed() -> None:
    header = read_header(b"A: 1\rFrom: x@y\r\nB: 2\r\n\r\n")
    assert (header.values("from"), header.has_bare_cr) == ((), True)
    assert read_header(b"A: 1\r\nB: 2\r\n\r\n\r").has_bare_cr is False


def test_a_header_of_over_64_kib_is_not_whole_and_its_cut_field_is_left_out() -> None:
    header = read_header(b"A: 1\r\nB: " + b"x" * 70_000 + b"\r\n\r\n")
    assert (header.fields, header.is_whole) == ((("a", b" 1"),), False)


A_R = b"Authentication-Results: mx.acme.example; dmarc="
FOREIGN = b"Authentication-Results: mx.evil.example; dmarc=foreign\n"


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (A_R + b"a\n\n", ["a"]),
        (b"Received: by mx\n" + A_R + b"a\nReceived: by y\n" + A_R + b"b\n\n", ["a"]),
        (A_R + b"a\n" + A_R + b"b\nReceived: by y\n\n", ["a", "b"]),
        (A_R + b"a\nDKIM-Filter: x\n" + A_R + b"b\nX-Spam: y\n" + A_R + b"c\n\n", ["a", "b"]),
        (A_R + b"a\n" + FOREIGN + A_R + b"b\n\n", ["a"]),
        (FOREIGN + A_R + b"a\n\n", []),
        (b"From: x@y\n" + A_R + b"a\n\n", []),
        (b"Subject: x\n" + A_R + b"a\n\n", []),
        (b"ARC-Authentication-Results: i=1; mx.acme.example; dmarc=a\n\n", []),
        (b"Authentication-Results-Original: mx.acme.example; dmarc=a\n\n", []),
        (b"X: y\n\n" + A_R + b"a\n", []),
        (b"aUTHENTICATION-rESULTS : mx.acme.example; dmarc=a\n\n", ["a"]),
        (A_R + b"a\n" + (A_R + b"b\n") * 100, ["a"] + ["b"] * (MOST_FIELDS - 1)),
    ],
    ids=range(13),
)
def test_only_the_topmost_fields_of_our_own_server_count(raw: bytes, found: list[str]) -> None:
    assert topmost(raw) == found
