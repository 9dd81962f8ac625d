"""What stands before every page: headers that keep strangers' things out, and no forms from other sites."""

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from service.web.front import Front
from service.web.guards import CONTENT_SECURITY_POLICY, is_allowed
from service.web.public import routes as public
from tests.rooms import make_client

HOST = "status.acme.example"


def answer(_request: Request) -> Response:
    return PlainTextResponse("done")


def own_policy(_request: Request) -> Response:
    return PlainTextResponse("done", headers={"content-security-policy": "sandbox"})


PATHS = ("/act", "/webhook/victorops", "/unsubscribe/token", "/webhook-like")
ROUTES = (
    *(Route(path, answer, methods=["GET", "POST", "DELETE"]) for path in PATHS),
    Route("/mail", own_policy),
)


@pytest.fixture
async def browser(front: Front) -> AsyncIterator[httpx2.AsyncClient]:
    """Give a browser."""
    async with make_client(front, ROUTES) as client:
        yield client


@pytest.mark.anyio
@pytest.mark.parametrize("path", ["/act", "/nowhere", "/static/replycast.css"])
async def test_every_answer_says_what_a_page_may_not_do(browser: httpx2.AsyncClient, path: str) -> None:
    headers = (await browser.get(path)).headers
    assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]


@pytest.mark.anyio
@pytest.mark.parametrize("path", ["/act", "/nowhere", "/static/replycast.css", "/"])
@pytest.mark.parametrize(
    ("url", "said"),
    [(f"https://{HOST}", "max-age=31536000"), (f"http://{HOST}", None)],
    ids=["https", "http"],
)
async def test_a_browser_comes_back_by_https_alone_where_the_site_has_it(
    front: Front, path: str, url: str, said: str | None
) -> None:
    config = front.house.config
    house = replace(front.house, config=replace(config, site=replace(config.site, url=url)))
    async with make_client(replace(front, house=house), (*ROUTES, *public.ROUTES)) as client:
        answer = await client.get(path)
    assert answer.headers.get("strict-transport-security") == said


@pytest.mark.anyio
async def test_a_page_may_set_a_policy_of_its_own(browser: httpx2.AsyncClient) -> None:
    assert (await browser.get("/mail")).headers["content-security-policy"] == "sandbox"


@pytest.mark.parametrize("allowed", ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"])
def test_the_policy_begins_with_nothing(allowed: str) -> None:
    assert allowed in CONTENT_SECURITY_POLICY


def test_the_policy_lets_no_inline_code_run() -> None:
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "*" not in CONTENT_SECURITY_POLICY


@pytest.mark.anyio
async def test_a_form_of_another_site_is_refused_with_a_sentence(browser: httpx2.AsyncClient) -> None:
    refused = await browser.post("/act", headers={"sec-fetch-site": "cross-site"})
    assert refused.status_code == 403
    assert "sent from another site" in refused.text
    assert refused.headers["content-security-policy"] == CONTENT_SECURITY_POLICY


@pytest.mark.anyio
async def test_our_own_form_is_taken(browser: httpx2.AsyncClient) -> None:
    taken = await browser.post("/act", headers={"sec-fetch-site": "same-origin"})
    assert (taken.status_code, taken.text) == (200, "done")


@pytest.mark.parametrize(
    ("headers", "is_taken"),
    [
        ({}, True),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": ""}, False),
        ({"sec-fetch-site": "cross-site", "origin": f"https://{HOST}"}, False),
        ({"sec-fetch-site": "same-origin", "origin": "https://proxy.example"}, True),
        ({"origin": f"https://{HOST}"}, True),
        ({"origin": f"https://{HOST}:444"}, False),
        ({"origin": "https://evil.example"}, False),
        ({"origin": f"https://{HOST}.evil.example"}, False),
        ({"origin": f"https://evil.example/{HOST}"}, False),
        ({"origin": f"https://{HOST}@evil.example"}, False),
        ({"origin": "null"}, False),
        ({"origin": ""}, False),
        ({"origin": "https://[broken"}, False),
    ],
    ids=str,
)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "post", "ANYTHING"])
def test_a_change_is_taken_from_our_own_pages_alone(
    method: str, headers: dict[str, str], *, is_taken: bool
) -> None:
    assert is_allowed(method, "/dashboard/incidents/1/publish", {"host": HOST, **headers}) is is_taken


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_looking_is_allowed_from_anywhere(method: str) -> None:
    assert is_allowed(method, "/dashboard", {"host": HOST, "sec-fetch-site": "cross-site"})


@pytest.mark.parametrize(
    ("path", "is_taken"),
    [
        ("/webhook/victorops", True),
        ("/unsubscribe/token", True),
        ("/unsubscribe", False),
        ("/webhooks/victorops", False),
        ("/dashboard/webhook/", False),
        ("/subscribe", False),
    ],
)
def test_machines_may_post_only_where_they_show_a_token(path: str, *, is_taken: bool) -> None:
    assert is_allowed("POST", path, {"host": HOST, "sec-fetch-site": "cross-site"}) is is_taken
