"""Subscribers over the API: listed, imported, exported, added, changed, reached again, forgotten."""

from typing import Any

import httpx2
import pytest

from service.actions import subscriber_admin
from service.actions.house import House
from service.store import subscribers
from service.web.api.routes import ROOT
from tests.rooms import Clock

pytestmark = pytest.mark.anyio

ALL = f"{ROOT}/subscribers"
CSV = {"content-type": "text/csv"}
LIST = b"Email,Components,Groups\nana@acme.example,Email,Partners\nben@acme.example,,\n"


async def addresses(program: httpx2.AsyncClient, **query: str) -> list[str]:
    """Give the addresses that a search finds."""
    answer = await program.get(ALL, params=query)
    assert answer.status_code == 200, answer.text
    return [one["address"] for one in answer.json()["items"]]


async def imported(program: httpx2.AsyncClient, raw: bytes = LIST, **query: str) -> httpx2.Response:
    """Import a list."""
    return await program.post(f"{ALL}/import", content=raw, headers=CSV, params=query)


async def test_a_list_is_imported_searched_and_exported(program: httpx2.AsyncClient) -> None:
    done = await imported(program, have_agreed="true")
    assert done.json() == {"added": 2, "changed": 0, "kept_out": [], "unheard_groups": ["Partners"]}
    assert await addresses(program) == ["ben@acme.example", "ana@acme.example"]
    assert await addresses(program, q="ANA") == ["ana@acme.example"]
    assert await addresses(program, state="pending") == []
    answer = await program.get(f"{ALL}/export")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.text.splitlines()[1] == "ana@acme.example,,Email,Partners,,"
    assert (await imported(program, answer.content)).json()["changed"] == 2


async def test_who_has_not_agreed_is_asked(program: httpx2.AsyncClient) -> None:
    await imported(program)
    assert len(await addresses(program, state="pending")) == 2


async def test_of_a_list_with_a_bad_line_nothing_is_taken(program: httpx2.AsyncClient) -> None:
    answer = await imported(program, LIST + b"nobody,,\n,Nothing,\n")
    assert answer.status_code == 422
    assert [one["detail"][:6] for one in answer.json()["errors"]] == ["line 4", "line 5", "line 5"]
    assert await addresses(program) == []


async def test_a_list_too_long_to_ask_all_of_it_is_refused(
    program: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriber_admin, "ASKED_AT_ONCE", 1)
    answer = await imported(program)
    assert answer.status_code == 422
    assert "say that they have agreed" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("raw", "headers", "status"),
    [
        (LIST, {"content-type": "application/json"}, 415),
        (b"", CSV, 422),
        (b"x" * (8 * 1024**2 + 1), CSV, 413),
    ],
)
async def test_what_is_no_list_is_not_taken(
    raw: bytes, headers: dict[str, str], status: int, program: httpx2.AsyncClient
) -> None:
    answer = await program.post(f"{ALL}/import", content=raw, headers=headers)
    assert answer.status_code == status


async def test_a_list_is_imported_once_for_one_key(program: httpx2.AsyncClient) -> None:
    headers = CSV | {"idempotency-key": "list-1"}
    answers = [await program.post(f"{ALL}/import", content=LIST, headers=headers) for _ in range(2)]
    assert [one.json()["added"] for one in answers] == [2, 2]


async def test_a_webhook_is_added_and_its_key_read(program: httpx2.AsyncClient) -> None:
    body = {"url": "https://hooks.slack.com/services/x", "components": ["Email"], "groups": ["Partners"]}
    added = (await program.post(f"{ALL}/webhooks", json=body)).json()
    assert (added["channel"], added["state"]) == ("slack", "confirmed")
    assert (added["components"], added["groups"]) == (["Email"], ["Partners"])
    assert (await program.get(f"{ALL}/{added['id']}")).json() == added
    key = (await program.get(f"{ALL}/{added['id']}/signing-key")).json()["signing_key"]
    assert key.startswith("whsec_")


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"url": "ftp://x.example"}, "/url"),
        ({"url": "https://user:pass@x.example"}, "/url"),
        ({"url": "http://127.0.0.1/x"}, "/url"),
        ({"url": ""}, "/url"),
        ({"components": ["Nothing"]}, "/components/0"),
        ({"channel": "email"}, "/channel"),
    ],
)
async def test_what_cannot_be_called_is_not_added(
    changed: dict[str, Any], pointer: str, program: httpx2.AsyncClient
) -> None:
    answer = await program.post(f"{ALL}/webhooks", json={"url": "https://x.example"} | changed)
    assert answer.status_code == 422
    assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]
    assert await addresses(program) == []


async def test_who_was_not_reached_is_reached_again(
    program: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    await imported(program, have_agreed="true")
    with house.store.transaction() as connection:
        subscribers.suppress(connection, 1, clock(), "the mailbox is gone")
    (lost,) = (await program.get(ALL, params={"state": "suppressed"})).json()["items"]
    assert lost["suppressed_because"] == "the mailbox is gone"
    answer = await program.post(f"{ALL}/1/reinstate")
    assert answer.json()["suppressed_at"] is None


async def test_who_is_forgotten_is_gone(program: httpx2.AsyncClient) -> None:
    await imported(program)
    answer = await program.delete(f"{ALL}/1")
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await program.delete(f"{ALL}/1")).status_code == 404
    assert (await program.get(f"{ALL}/1")).status_code == 404
    assert await addresses(program) == ["ben@acme.example"]


async def test_for_an_address_nothing_is_signed(program: httpx2.AsyncClient) -> None:
    await imported(program)
    assert (await program.get(f"{ALL}/1/signing-key")).status_code == 404


async def test_one_is_added_as_the_list_would_have_it(program: httpx2.AsyncClient) -> None:
    body = {"address": "ana@reader.example", "components": ["Email"], "groups": ["Partners"]}
    answer = await program.post(ALL, json=body | {"have_agreed": True})
    assert answer.status_code == 201
    added = answer.json()
    assert (added["state"], added["components"], added["groups"]) == ("confirmed", ["Email"], ["Partners"])
    assert (await program.get(f"{ALL}/{added['id']}")).json() == added
    asked = (await program.post(ALL, json={"address": "ben@reader.example"})).json()
    assert (asked["state"], asked["components"]) == ("pending", None)
    hook = (
        await program.post(ALL, json={"address": "https://ops.acme.example/x", "channel": "teams"})
    ).json()
    assert (hook["state"], hook["channel"]) == ("confirmed", "teams")


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"address": "ana"}, "/address"),
        ({"address": " "}, "/address"),
        ({"address": "ftp://x.example"}, "/address"),
        ({"components": ["Email", "Nothing"]}, "/components/1"),
        ({"channel": "email"}, "/channel"),
        ({"have_agreed": "yes"}, "/have_agreed"),
    ],
)
async def test_what_cannot_be_written_to_is_not_added(
    changed: dict[str, Any], pointer: str, program: httpx2.AsyncClient
) -> None:
    answer = await program.post(ALL, json={"address": "ana@reader.example"} | changed)
    assert answer.status_code == 422
    assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]
    assert await addresses(program) == []


async def test_whoever_is_known_is_not_added_again_and_the_reason_is_named(
    program: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    await imported(program, have_agreed="true")
    with house.store.transaction() as connection:
        subscribers.suppress(connection, 2, clock(), "the mailbox is gone")
        before = subscribers.listed(connection, limit=9)
    for address, reason in (("ANA@acme.example", "already_subscribed"), ("ben@acme.example", "not_reached")):
        answer = await program.post(ALL, json={"address": address, "have_agreed": True})
        assert (answer.status_code, answer.json()["reason"]) == (409, reason)
    with house.store.reading() as connection:
        assert subscribers.listed(connection, limit=9) == before


async def test_an_address_is_added_once_for_one_key(program: httpx2.AsyncClient) -> None:
    headers = {"idempotency-key": "ana-1"}
    body = {"address": "ana@reader.example"}
    answers = [await program.post(ALL, json=body, headers=headers) for _ in range(2)]
    assert [one.status_code for one in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()


@pytest.mark.parametrize(
    ("said", "components", "groups"),
    [
        ({"components": ["API", "Email"]}, ["API", "Email"], ["Partners"]),
        ({"components": None}, None, ["Partners"]),
        ({"components": []}, None, ["Partners"]),
        ({"groups": ["Gold"]}, ["Email"], ["Gold"]),
        ({"groups": [], "components": ["API"]}, ["API"], []),
        ({}, ["Email"], ["Partners"]),
    ],
)
async def test_what_one_hears_of_is_changed_and_what_is_left_out_stays(
    said: dict[str, Any], components: list[str] | None, groups: list[str], program: httpx2.AsyncClient
) -> None:
    await imported(program, have_agreed="true")
    answer = await program.patch(f"{ALL}/1", json=said)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["components"], answer.json()["groups"]) == (components, groups)
    assert (await program.get(f"{ALL}/1")).json() == answer.json()


async def test_a_component_that_config_yaml_lost_may_stay_and_no_other_may_come(
    program: httpx2.AsyncClient, house: House
) -> None:
    await imported(program, have_agreed="true")
    with house.store.transaction() as connection:
        subscribers.choose(connection, 1, components=["Telex"], groups=[])
    kept = await program.patch(f"{ALL}/1", json={"components": ["Telex", "API"]})
    assert kept.json()["components"] == ["API", "Telex"]
    refused = await program.patch(f"{ALL}/2", json={"components": ["Telex"]})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/components/0")
    assert (await program.patch(f"{ALL}/9", json={})).status_code == 404


async def test_a_patch_is_read_like_any_body(program: httpx2.AsyncClient) -> None:
    await imported(program, have_agreed="true")
    for body, headers, status in (
        (b"{", {"content-type": "application/json"}, 400),
        (b"{}", {"content-type": "text/csv"}, 415),
        (b'{"state": "confirmed"}', {"content-type": "application/json"}, 422),
        (b" " * (256 * 1024 + 1), {"content-type": "application/json"}, 413),
    ):
        answer = await program.patch(f"{ALL}/1", content=body, headers=headers)
        assert answer.status_code == status
