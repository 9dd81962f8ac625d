"""An answer that is made once: what a request gets of it, by RFC 9110."""

import gzip
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.web.public.prepared import SMALL, Prepared, Rendering, prepare

NOW = datetime(2026, 11, 24, 12, 0, 0, 700_000, tzinfo=UTC)
LARGE = Rendering(b"<p>All systems operational</p>" * 40)
GUARDS = {"x-content-type-options": "nosniff"}
STATED = prepare(replace(LARGE, modified_at=NOW), NOW, GUARDS)


def ask(prepared: Prepared, method: str = "GET", **headers: str) -> tuple[int, Mapping[str, str], bytes]:
    raw = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    start, body = prepared.answer(method, raw)
    told: dict[str, Any] = {name.decode(): value.decode() for name, value in start["headers"]}
    return start["status"], told, body


def test_everything_that_a_cache_needs_is_told() -> None:
    status, headers, body = ask(STATED)
    assert (status, body) == (200, LARGE.body)
    assert headers["cache-control"] == "public, max-age=5, stale-if-error=86400"
    assert headers["last-modified"] == "Tue, 24 Nov 2026 12:00:00 GMT"
    assert headers["vary"] == "accept-encoding"
    assert headers["content-length"] == str(len(LARGE.body))
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert headers["x-content-type-options"] == "nosniff"


def test_head_tells_the_same_without_a_body() -> None:
    assert ask(STATED, "HEAD") == (*ask(STATED)[:2], b"")


@pytest.mark.parametrize("accepted", ["gzip", "br, gzip;q=0.5", "deflate, gzip, zstd", "gzip; q=1.0"])
def test_whoever_takes_gzip_gets_it_under_a_tag_of_its_own(accepted: str) -> None:
    _, headers, body = ask(STATED, accept_encoding=accepted)
    assert headers["content-encoding"] == "gzip"
    assert headers["etag"] != ask(STATED)[1]["etag"]
    assert headers["content-length"] == str(len(body))
    assert gzip.decompress(body) == LARGE.body


@pytest.mark.parametrize("accepted", ["", "br", "gzip;q=0", "gzip; q=0.0", "x-gzipped", "identity"])
def test_whoever_does_not_take_gzip_does_not_get_it(accepted: str) -> None:
    assert "content-encoding" not in ask(STATED, accept_encoding=accepted)[1]


def test_what_is_small_is_not_compressed() -> None:
    small = prepare(Rendering(b"x" * (SMALL - 1)), NOW, GUARDS)
    assert "content-encoding" not in ask(small, accept_encoding="gzip")[1]


@pytest.mark.parametrize("accepted", ["", "gzip"])
@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', '"other",W/{} , "more"', "*"])
def test_whoever_has_either_form_gets_304(form: str, accepted: str) -> None:
    for encoding in ("", "gzip"):
        tag = ask(STATED, accept_encoding=encoding)[1]["etag"]
        status, headers, body = ask(STATED, if_none_match=form.format(tag), accept_encoding=accepted)
        assert (status, body) == (304, b"")
        assert set(headers) == {"etag", "cache-control", "vary", "last-modified"}


@pytest.mark.parametrize("known", ['"other"', "", "W/", '"' + "0" * 32 + '"'])
def test_whoever_has_another_version_gets_the_page(known: str) -> None:
    assert ask(STATED, if_none_match=known)[0] == 200


@pytest.mark.parametrize(
    ("since", "status"),
    [
        ("Tue, 24 Nov 2026 12:00:00 GMT", 304),
        ("Tue, 24 Nov 2026 12:00:01 GMT", 304),
        ("Tue, 24 Nov 2026 11:59:59 GMT", 200),
        ("yesterday", 200),
        ("Tue, 24 Nov 99999999999 12:00:00 GMT", 200),
        ("Tue, 24 Nov 2026 12:00:00", 200),
    ],
)
def test_the_time_counts_where_no_tag_is_named(since: str, status: int) -> None:
    assert ask(STATED, if_modified_since=since)[0] == status


def test_a_tag_counts_more_than_a_time() -> None:
    asked = ask(STATED, if_none_match='"other"', if_modified_since="Tue, 24 Nov 2026 12:00:00 GMT")
    assert asked[0] == 200


@given(
    st.sampled_from(["if_none_match", "if_modified_since", "accept_encoding"]),
    st.text(st.characters(max_codepoint=255)),
)
def test_no_header_is_too_strange(name: str, value: str) -> None:
    assert ask(STATED, **{name: value})[0] in {200, 304}


def test_what_did_not_change_keeps_its_tag_and_time() -> None:
    first = prepare(LARGE, NOW, GUARDS)
    assert prepare(LARGE, NOW + timedelta(hours=1), GUARDS, first) is first


def test_two_changes_in_one_second_have_two_times() -> None:
    first = prepare(LARGE, NOW, GUARDS)
    second = prepare(Rendering(LARGE.body + b"!"), NOW, GUARDS, first)
    assert second.modified_at == first.modified_at + timedelta(seconds=1)
    assert ask(second, if_modified_since=ask(first)[1]["last-modified"])[0] == 200


@pytest.mark.parametrize(
    "other",
    [
        replace(LARGE, content_type="text/plain"),
        replace(LARGE, headers={"access-control-allow-origin": "*"}),
        replace(LARGE, body=LARGE.body + b"!"),
    ],
)
def test_another_content_has_another_tag(other: Rendering) -> None:
    first = prepare(LARGE, NOW, GUARDS)
    assert ask(prepare(other, NOW, GUARDS, first))[1]["etag"] != ask(first)[1]["etag"]
