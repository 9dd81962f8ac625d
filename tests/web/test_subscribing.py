"""The double opt-in as strangers, scanners and mail programs go through it."""

from datetime import timedelta

import httpx2
import pytest
from starlette.requests import Request

from service.mail.compose import unsubscribe_token
from service.model import SubscriberState
from service.web.application import build
from service.web.front import Front
from service.web.guards import TRUSTED
from service.web.public.routes import ROUTES as PUBLIC_ROUTES
from service.web.rates import SIGN_UPS_AN_HOUR, client_of
from tests.web.strangers import ADDRESS, Stranger, count_of_subscribers

pytestmark = pytest.mark.anyio

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


async def test_a_double_opt_in_goes_by_mail_link_and_button(stranger: Stranger) -> None:
    asked = await stranger.ask()
    assert (asked.status_code, stranger.state) == (200, SubscriberState.PENDING)
    assert "A mail is on its way" in asked.text
    assert stranger.wakings.count == 1
    link = stranger.link()
    shown = await stranger.browser.get(link)
    assert (shown.status_code, stranger.state) == (200, SubscriberState.PENDING)
    assert ADDRESS in shown.text
    assert '<form method="post">' in shown.text
    confirmed = await stranger.browser.post(link)
    assert "You are subscribed" in confirmed.text
    assert stranger.state is SubscriberState.CONFIRMED


async def test_a_known_address_gets_the_very_same_answer(stranger: Stranger) -> None:
    new = await stranger.ask()
    pending = await stranger.ask()
    await stranger.browser.post(stranger.link())
    confirmed = await stranger.ask(ADDRESS.upper())
    assert new.text == pending.text == confirmed.text
    assert new.headers == pending.headers == confirmed.headers
    (told,) = stranger.mails()
    assert "You are subscribed already" in told


async def test_scanners_that_open_every_link_change_nothing(stranger: Stranger) -> None:
    await stranger.ask()
    link = stranger.link()
    for method in ("GET", "HEAD", "GET"):
        assert (await stranger.browser.request(method, link)).status_code == 200
        assert stranger.state is SubscriberState.PENDING
    await stranger.browser.post(link)
    leave = f"/unsubscribe/{unsubscribe_token(stranger.house.key, stranger.known().public_id)}"
    for method in ("GET", "HEAD", "GET"):
        assert (await stranger.browser.request(method, leave)).status_code == 200
        assert stranger.state is SubscriberState.CONFIRMED


async def test_confirming_twice_is_confirming_once(stranger: Stranger) -> None:
    await stranger.ask()
    link = stranger.link()
    await stranger.browser.post(link)
    assert "You are subscribed" in (await stranger.browser.post(link)).text
    assert "Yes, subscribe me" not in (await stranger.browser.get(link)).text


async def test_one_client_cannot_make_us_write_to_everybody(stranger: Stranger) -> None:
    answers = [await stranger.ask(f"reader{number}@example.org") for number in range(SIGN_UPS_AN_HOUR + 1)]
    assert [one.status_code for one in answers] == [200] * SIGN_UPS_AN_HOUR + [429]
    assert "try again in an hour" in answers[-1].text


@pytest.mark.parametrize(
    ("peer", "believed", "last"),
    [
        ("127.0.0.1", None, 200),
        ("192.0.2.1", None, 429),
        ("192.0.2.1", "192.0.2.1,192.0.2.2", 200),
        ("127.0.0.1", "192.0.2.1", 429),
    ],
)
async def test_a_proxy_that_is_believed_says_who_signs_up(
    front: Front, monkeypatch: pytest.MonkeyPatch, peer: str, believed: str | None, last: int
) -> None:
    monkeypatch.delenv(TRUSTED, raising=False)
    if believed is not None:
        monkeypatch.setenv(TRUSTED, believed)
    transport = httpx2.ASGITransport(app=build(front, PUBLIC_ROUTES), client=(peer, 9))
    async with httpx2.AsyncClient(transport=transport, base_url=front.house.config.site.url) as proxy:
        codes = [
            await proxy.post(
                "/subscribe",
                data={"email": f"reader{number}@example.org"},
                headers={"x-forwarded-for": f"198.51.100.{number}"},
            )
            for number in range(SIGN_UPS_AN_HOUR + 1)
        ]
    assert [one.status_code for one in codes] == [200] * SIGN_UPS_AN_HOUR + [last]


@pytest.mark.parametrize(
    ("host", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("testclient", "testclient"),
    ],
)
def test_a_client_is_an_address_or_a_network(host: str, client: str) -> None:
    assert client_of(Request({"type": "http", "client": (host, 9)})) == client


async def test_a_mail_program_unsubscribes_by_one_click(stranger: Stranger) -> None:
    leave = await stranger.subscribe()
    headers = {"origin": "https://mail.example", "sec-fetch-site": "cross-site"}
    answer = await stranger.browser.post(leave, data=ONE_CLICK, headers=headers)
    assert (answer.status_code, answer.text) == (200, "You are unsubscribed.\n")
    assert answer.headers["content-type"].startswith("text/plain")
    assert stranger.state is SubscriberState.UNSUBSCRIBED


async def test_one_click_may_come_as_multipart(stranger: Stranger) -> None:
    leave = await stranger.subscribe()
    files = {"List-Unsubscribe": (None, b"One-Click")}
    assert (await stranger.browser.post(leave, files=files)).text == "You are unsubscribed.\n"
    assert stranger.state is SubscriberState.UNSUBSCRIBED


async def test_our_own_button_unsubscribes_too(stranger: Stranger) -> None:
    leave = await stranger.subscribe()
    assert f'<form method="post" action="{leave}">' in (await stranger.browser.get(leave)).text
    assert "You are unsubscribed" in (await stranger.browser.post(leave)).text
    assert stranger.state is SubscriberState.UNSUBSCRIBED
    assert "<form" not in (await stranger.browser.get(leave)).text


@pytest.mark.parametrize(
    ("content_type", "body"),
    [("multipart/form-data", b"x"), ("multipart/form-data; boundary=a", b"--b"), ("application/json", b"{")],
)
async def test_a_body_that_cannot_be_read_keeps_nobody_on_the_list(
    content_type: str, body: bytes, stranger: Stranger
) -> None:
    leave = await stranger.subscribe()
    answer = await stranger.browser.post(leave, content=body, headers={"content-type": content_type})
    assert (answer.status_code, stranger.state) == (200, SubscriberState.UNSUBSCRIBED)


async def test_unsubscribing_twice_is_well(stranger: Stranger) -> None:
    leave = await stranger.subscribe()
    assert [(await stranger.browser.post(leave)).status_code for _ in range(2)] == [200, 200]


async def test_whoever_left_may_come_back(stranger: Stranger) -> None:
    await stranger.browser.post(await stranger.subscribe())
    stranger.clock.move(timedelta(hours=1))
    await stranger.ask()
    await stranger.browser.post(stranger.link())
    assert stranger.state is SubscriberState.CONFIRMED


async def test_a_link_goes_stale(stranger: Stranger) -> None:
    await stranger.ask()
    link = stranger.link()
    stranger.clock.move(timedelta(days=3))
    for answer in (await stranger.browser.get(link), await stranger.browser.post(link)):
        assert answer.status_code == 410
        assert "too old" in answer.text
    assert stranger.state is SubscriberState.PENDING


@pytest.mark.parametrize("path", ["/subscribe/confirm/", "/unsubscribe/"])
@pytest.mark.parametrize("token", ["nonsense", "%00", "a" * 3000, "%F0%9F%92%A9", "'--", "%2e%2e"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_token_that_is_none_is_told_so(
    path: str, token: str, method: str, stranger: Stranger
) -> None:
    answer = await stranger.browser.request(method, f"{path}{token}")
    assert answer.status_code == 410
    assert "This link does not work" in answer.text
    assert "<p>This link is not one of ours" in answer.text
    assert '<a href="/subscribe">Get a new link by mail</a>' in answer.text


async def test_a_confirmation_link_unsubscribes_nobody(stranger: Stranger) -> None:
    await stranger.ask()
    token = stranger.link().rpartition("/")[2]
    assert (await stranger.browser.post(f"/unsubscribe/{token}")).status_code == 410


@pytest.mark.parametrize(
    "typed",
    ["", " ", "ada", "ada@", "@example.org", "ada@example..org", "a b@example.org", "a@b@example.org",
     "ada@example.org\r\nBcc: eve@example.org", "ada@example.org\x00", "ada@example.org, eve@example.org",
     "<ada@example.org>", "a" * 250 + "@example.org", "a@" + "b" * 100_000 + ".org"],
)  # fmt: skip
async def test_what_is_no_address_comes_back_with_what_is_wrong(typed: str, stranger: Stranger) -> None:
    answer = await stranger.ask(typed)
    assert answer.status_code == 422
    assert 'role="alert">This is not an e-mail address: ' in answer.text
    assert len(answer.text) < 10_000
    assert count_of_subscribers(stranger.house) == 0
    assert stranger.wakings.count == 0


async def test_an_address_that_no_mail_can_be_written_to_is_refused_with_what_to_do(
    stranger: Stranger,
) -> None:
    answer = await stranger.ask("tést@exämple.org")
    assert answer.status_code == 422
    assert (
        'role="alert">We cannot write to this address: before the @ only letters from a to z' in answer.text
    )
    assert 'value="tést@exämple.org"' in answer.text
    assert (await stranger.ask("test@exämple.org")).status_code == 200
    [mail] = stranger.mails()
    assert "To: test@xn--exmple-cua.org" in mail


async def test_what_was_typed_stands_in_the_form_again_and_is_no_markup(stranger: Stranger) -> None:
    answer = await stranger.ask('"><script>alert(1)</script>')
    assert 'value="&#34;&gt;&lt;script&gt;' in answer.text
    assert "<script>" not in answer.text


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b'{"email": "ada@example.org"}'),
        ("text/plain", b"email=ada@example.org"),
        ("application/x-www-form-urlencoded", b"%ff=%fe&&=&email"),
        ("application/x-www-form-urlencoded", b"email=%ff%fe"),
        (
            "multipart/form-data; boundary=x",
            b'--x\nContent-Disposition: form-data; name="email"; filename="a"\n\nada@x.org\n--x--\n'.replace(
                b"\n", b"\r\n"
            ),
        ),
    ],
)
async def test_a_body_that_is_not_our_form_subscribes_nobody(
    content_type: str, body: bytes, stranger: Stranger
) -> None:
    headers = {"content-type": content_type}
    answer = await stranger.browser.post("/subscribe", content=body, headers=headers)
    assert (answer.status_code, count_of_subscribers(stranger.house)) == (422, 0)


async def test_a_form_of_too_many_fields_is_refused(stranger: Stranger) -> None:
    answer = await stranger.browser.post("/subscribe", data={f"f{number}": "" for number in range(2000)})
    assert (answer.status_code, count_of_subscribers(stranger.house)) == (400, 0)


async def test_a_machine_that_fills_the_hidden_field_is_told_what_people_are_told(stranger: Stranger) -> None:
    person = await stranger.ask()
    form = {"email": "bot@example.org", "leave_this_empty": "http://spam.example"}
    machine = await stranger.browser.post("/subscribe", data=form)
    assert (machine.status_code, machine.text) == (person.status_code, person.text)
    assert count_of_subscribers(stranger.house) == 1


async def test_a_hundred_clicks_are_one_mail(stranger: Stranger) -> None:
    for _ in range(100):
        await stranger.ask()
    assert len(stranger.mails()) == 1


async def test_another_site_cannot_subscribe_its_visitors(stranger: Stranger) -> None:
    headers = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    answer = await stranger.browser.post("/subscribe", data={"email": ADDRESS}, headers=headers)
    assert (answer.status_code, count_of_subscribers(stranger.house)) == (403, 0)


async def test_pages_of_a_token_are_kept_by_nobody_and_tell_nobody(stranger: Stranger) -> None:
    await stranger.ask()
    link = stranger.link()
    leave = f"/unsubscribe/{unsubscribe_token(stranger.house.key, stranger.known().public_id)}"
    answers = [
        await stranger.browser.request(method, path, data=data)
        for path in (link, leave)
        for method, data in (("GET", None), ("POST", {}), ("POST", ONE_CLICK))
    ]
    for answer in answers:
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "strict-origin"
        assert "noindex" in answer.headers["x-robots-tag"]
        assert "default-src 'none'" in answer.headers["content-security-policy"]
