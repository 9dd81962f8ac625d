"""The door for monitoring products: secrets, sizes, honest answers, and nothing lost that was accepted."""

import base64
import errno
import hmac
import json
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.types import Message
from structlog.testing import capture_logs

from service.actions.house import House
from service.errors import StoreUnavailable
from service.providers.registry import PROVIDERS, Provider
from service.store import inbox_rows
from service.store.inbox_rows import Arrival, InboxRow
from service.web import machine_checks, webhooks
from service.web.application import build
from service.web.front import Front
from tests.rooms import CONFIG, make_client, make_house
from tests.store.databases import migrated_sqlite
from tests.thoroughness import examples

pytestmark = pytest.mark.anyio

SECRET = "s3crét/with slash+plus"
FIRING = '{\nmonitorName: "Email Server",\nstate: "CRITICAL"\n}'
DOOR = "/webhook/victorops"
LARGEST_BODY = PROVIDERS["victorops"].largest


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Give a house that asks for a secret."""
    (tmp_path / "replycast.db").write_bytes(migrated_sqlite())
    made = make_house(tmp_path, f"webhooks: {{victorops: {{secret: '{SECRET}'}}}}\n{CONFIG}")
    yield made
    made.store.close()


@pytest.fixture
async def victorops(front: Front) -> AsyncIterator[httpx2.AsyncClient]:
    """Give a monitoring product that can reach the house."""
    async with make_client(front, webhooks.routes) as client:
        yield client


@pytest.fixture
async def trusted(front: Front) -> AsyncIterator[httpx2.AsyncClient]:
    """Give one that knows the secret."""
    async with make_client(front, webhooks.routes) as client:
        client.headers = httpx2.Headers([(b"x-replycast-secret", SECRET.encode())])
        yield client


def stored(house: House) -> list[InboxRow]:
    with house.store.reading() as connection:
        return list(inbox_rows.listed(connection, limit=99))[::-1]


def basic(user: str, password: str) -> dict[bytes, bytes]:
    return {b"authorization": b"Basic " + base64.b64encode(f"{user}:{password}".encode())}


Offer = tuple[dict[bytes, bytes], dict[str, str], str]
OFFERED: dict[str, Callable[[str], Offer]] = {
    "path": lambda secret: ({}, {}, secret),
    "query": lambda secret: ({}, {"secret": secret}, ""),
    "header": lambda secret: ({b"x-replycast-secret": secret.encode()}, {}, ""),
    "bearer": lambda secret: ({b"authorization": b"Bearer " + secret.encode()}, {}, ""),
    "basic": lambda secret: (basic("victorops", secret), {}, ""),
    "basic without a user": lambda secret: (basic("", secret), {}, ""),
}


async def post_with(client: httpx2.AsyncClient, place: str, secret: str) -> httpx2.Response:
    headers, params, in_path = OFFERED[place](secret)
    path = f"{DOOR}/{quote(in_path, safe='')}" if in_path else DOOR
    return await client.post(path, content=FIRING, headers=headers, params=params)


@pytest.mark.parametrize("place", OFFERED)
async def test_the_right_secret_opens(victorops: httpx2.AsyncClient, house: House, place: str) -> None:
    answer = await post_with(victorops, place, SECRET)
    assert answer.status_code == 202
    assert [row.id for row in stored(house)] == [answer.json()["id"]]


@pytest.mark.parametrize(("offered", "status"), [((SECRET, "x"), 202), (("x", SECRET), 401)])
async def test_of_two_secrets_in_one_field_the_first_counts(
    victorops: httpx2.AsyncClient, offered: tuple[str, str], status: int
) -> None:
    fields = [(b"x-replycast-secret", one.encode()) for one in offered]
    answer = await victorops.post(DOOR, content=FIRING, headers=fields)
    assert answer.status_code == status


@pytest.mark.parametrize("place", OFFERED)
@pytest.mark.parametrize("secret", [SECRET[:-1], SECRET + "x", SECRET.upper(), "x"])
async def test_a_wrong_secret_does_not(
    victorops: httpx2.AsyncClient, house: House, place: str, secret: str
) -> None:
    answer = await post_with(victorops, place, secret)
    assert answer.status_code == 401
    assert answer.json() == {"error": "the secret is missing or wrong: see `webhooks` in config.yaml"}
    assert "www-authenticate" in answer.headers
    assert stored(house) == []


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-replycast-secret": ""},
        {"authorization": "Bearer"},
        {"authorization": "Bearer "},
        {"authorization": "Basic"},
        {"authorization": "Basic !!!!"},
        {"authorization": "Basic w6k"},
        {"authorization": "Digest x"},
        {b"authorization": b"Basic \xff\xfe"},
        {"cookie": f"secret={SECRET.encode().hex()}"},
    ],
    ids=str,
)
async def test_no_secret_or_half_a_one_is_a_wrong_one(
    victorops: httpx2.AsyncClient, house: House, headers: dict[str, str]
) -> None:
    answer = await victorops.post(DOOR, content=FIRING, headers=headers)
    assert answer.status_code == 401
    assert stored(house) == []


@pytest.mark.parametrize("name", ["VictorOps", "VICTOROPS", "victorop\N{LATIN SMALL LETTER LONG S}"])
async def test_another_spelling_of_the_provider_asks_for_the_same_secret(
    victorops: httpx2.AsyncClient, house: House, name: str
) -> None:
    assert (await victorops.post(f"/webhook/{name}", content=FIRING)).status_code == 401
    answer = await victorops.post(f"/webhook/{name}", content=FIRING, params={"secret": SECRET})
    assert answer.status_code == 202
    assert [row.provider for row in stored(house)] == ["victorops"]


async def test_where_no_secret_is_configured_none_is_asked_for(tmp_path: Path, front: Front) -> None:
    open_house = make_house(tmp_path / "open")
    async with make_client(replace(front, house=open_house), webhooks.routes) as client:
        assert (await client.post(DOOR, content=FIRING)).status_code == 202
    open_house.store.close()


async def test_secrets_are_compared_in_constant_time(
    victorops: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return False

    monkeypatch.setattr(hmac, "compare_digest", compare)
    assert (await post_with(victorops, "query", SECRET)).status_code == 401
    assert compared == [(SECRET.encode(), SECRET.encode())]


async def test_the_secret_is_neither_stored_nor_logged(
    victorops: httpx2.AsyncClient, house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with capture_logs() as said:
        for place in OFFERED:
            await post_with(victorops, place, SECRET)
            await post_with(victorops, place, "hunter2-wrong")
    assert [one["event"] for one in said] == ["webhook refused: wrong secret"] * 6
    kept = [json.dumps(dict(row.about)) + row.explanation + repr(row.raw) for row in stored(house)]
    assert len(kept) == 6
    for text in (
        *kept,
        repr(said),
        *(record.getMessage() for record in caplog.records if "http" not in record.name),
    ):
        assert "s3cr" not in text
        assert "hunter2" not in text


@pytest.mark.parametrize("path", ["/webhook/nagios", "/webhook/nagios/s3cret", "/webhook/%00"])
async def test_an_unknown_provider_is_told_which_are_known(
    victorops: httpx2.AsyncClient, house: House, path: str
) -> None:
    answer = await victorops.post(path, content=FIRING)
    assert answer.status_code == 404
    assert answer.json()["error"].endswith("uptimerobot, victorops")
    assert stored(house) == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
async def test_only_a_post_is_taken(trusted: httpx2.AsyncClient, house: House, method: str) -> None:
    answer = await trusted.request(method, DOOR)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert stored(house) == []


async def in_chunks(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 10_000):
        yield body[start : start + 10_000]


@pytest.mark.parametrize("size", [LARGEST_BODY + 1, 2 * 1024 * 1024], ids=["64 KiB + 1", "2 MiB"])
@pytest.mark.parametrize("is_chunked", [False, True], ids=["with its length", "in chunks"])
async def test_a_body_that_is_too_large_is_refused(
    trusted: httpx2.AsyncClient, house: House, size: int, *, is_chunked: bool
) -> None:
    body = b" " * size
    with capture_logs() as logged:
        answer = await trusted.post(DOOR, content=in_chunks(body) if is_chunked else body)
    assert answer.status_code == 413
    assert answer.json() == {"error": "the body is over 64 KiB"}
    assert [(one["event"], one["provider"]) for one in logged] == [
        ("webhook refused: too large", "victorops")
    ]
    assert stored(house) == []


async def test_a_body_of_exactly_the_limit_is_taken(trusted: httpx2.AsyncClient, house: House) -> None:
    body = FIRING.encode().ljust(LARGEST_BODY)
    assert (await trusted.post(DOOR, content=in_chunks(body))).status_code == 202
    assert [row.raw for row in stored(house)] == [body]


async def test_what_is_accepted_is_on_disk_with_what_stood_around_it(
    trusted: httpx2.AsyncClient, house: House, front: Front
) -> None:
    answer = await trusted.post(
        DOOR, content=FIRING, params={"event": "resolved"}, headers={"content-type": "application/json"}
    )
    assert (answer.status_code, answer.json()) == (202, {"id": 1})
    assert answer.text.endswith("}\n"), "it is read in terminals"
    [row] = stored(house)
    assert (row.state, row.reason, row.raw, row.provider) == ("pending", "", FIRING.encode(), "victorops")
    assert row.about == {"content_type": "application/json", "query": {"event": "resolved"}}
    assert row.received_at == front.clock()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", ""),
        (b"not at all", ""),
        (b'{"state": "CRITICAL"}', "monitorName is missing"),
        (b'{"monitorName": "", "state": "CRITICAL"}', "monitorName is missing"),
        (b"\x00\xff\xfe", ""),
    ],
)
async def test_what_cannot_be_read_is_refused_with_a_sentence_and_kept(
    trusted: httpx2.AsyncClient, house: House, body: bytes, said: str
) -> None:
    answer = await trusted.post(DOOR, content=body)
    assert answer.status_code == 400
    [row] = stored(house)
    assert answer.json() == {"error": row.explanation, "id": row.id}
    assert (row.state, row.reason, row.raw) == ("refused", "unreadable", body)
    assert said in row.explanation
    assert row.explanation.strip()


@settings(
    max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    body=st.binary(max_size=200)
    | st.text(max_size=60).map(lambda text: FIRING.replace("Email", text).encode())
)
async def test_any_body_is_kept_as_it_came(trusted: httpx2.AsyncClient, house: House, body: bytes) -> None:
    answer = await trusted.post(DOOR, content=body)
    assert answer.status_code in {202, 400}
    with house.store.reading() as connection:
        row = inbox_rows.get(connection, answer.json()["id"])
    assert row is not None
    assert row.raw == body


async def test_what_cannot_be_stored_is_to_be_sent_again(front: Front) -> None:
    async def refuse(_arrival: Arrival) -> int:
        raise StoreUnavailable("database is locked")

    async with make_client(replace(front, receive=refuse), webhooks.routes) as client:
        with capture_logs() as said:
            answer = await client.post(DOOR, content=FIRING, params={"secret": SECRET})
    assert answer.status_code == 503
    assert answer.json() == {"error": "this post could not be stored; send it again"}
    assert answer.headers["retry-after"] == "5"
    assert said[0]["event"] == "webhook not stored"


async def test_what_cannot_be_read_as_nothing_can_be_opened_is_to_be_sent_again(
    trusted: httpx2.AsyncClient, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look_for_words(*_: object) -> str:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE), "encodings/cp1252.py")

    strange = FIRING.encode("utf-16")
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(Provider, "read", look_for_words)
        answer = await trusted.post(DOOR, content=strange)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert stored(house) == []
    assert (await trusted.post(DOOR, content=strange)).status_code == 202


async def test_a_post_that_is_cut_short_is_not_taken_for_a_whole_one(front: Front, house: House) -> None:
    coming: list[Message] = [
        {"type": "http.request", "body": FIRING[:20].encode(), "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[Message] = []

    async def receive() -> Message:
        return coming.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": DOOR,
        "query_string": b"",
        "headers": [(b"x-replycast-secret", SECRET.encode())],
    }
    await build(front, webhooks.routes)(scope, receive, send)
    assert sent[0]["status"] == 400
    assert stored(house) == []


@pytest.mark.parametrize("path", ["/webhook/victorops", "/webhook/nobody", "/webhook/victorops/wrong"])
async def test_answers_to_posts_are_as_guarded_as_pages(victorops: httpx2.AsyncClient, path: str) -> None:
    answer = await victorops.post(path, content=FIRING)
    other = await victorops.get("/webhook/victorops")
    guards = {"content-security-policy", "x-content-type-options", "referrer-policy", "permissions-policy"}
    assert other.status_code == 405
    assert {name: answer.headers[name] for name in guards} == {name: other.headers[name] for name in guards}


async def test_without_a_provider_there_is_no_door(victorops: httpx2.AsyncClient) -> None:
    assert [(await victorops.post(path)).status_code for path in ("/webhook/", "/webhook")] == [404, 404]


async def test_an_application_without_webhooks_takes_no_posts(front: Front) -> None:
    async with make_client(front, machine_checks.routes) as client:
        assert (await client.post(DOOR, content=FIRING)).status_code == 404


async def test_a_post_goes_past_what_only_pages_need(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_given: object) -> None:
        pytest.fail("it went through the routing")

    application = build(front, webhooks.routes)
    monkeypatch.setattr(Starlette, "__call__", never)
    transport = httpx2.ASGITransport(app=application)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        assert (await client.post(DOOR, content=FIRING, params={"secret": SECRET})).status_code == 202
