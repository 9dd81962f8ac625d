"""The double opt-in as strangers, scanners and mail programs go through it."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

import httpx2
import pytest
from starlette.requests import Request

from service.actions.house import House
from service.mail.compose import PostOffice, compose, unsubscribe_token
from service.model import Subscriber, SubscriberState
from service.store import deliveries, subscribers
from service.web.application import build
from service.web.front import Front
from service.web.guards import TRUSTED
from service.web.public.routes import ROUTES as PUBLIC_ROUTES
from service.web.rates import SIGN_UPS_AN_HOUR, client_of
from tests.rooms import Clock, make_client

pytestmark = pytest.mark.anyio

ADDRESS = "ada@example.org"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@dataclass(slots=True)
class Wakings:
    """Counts how often the outbox was woken."""

    count: int = 0

    def __call__(self) -> None:
        """Count."""
        self.count += 1


@dataclass(frozen=True, slots=True)
class Stranger:
    """Somebody with a browser and a mailbox."""

    browser: httpx2.AsyncClient
    house: House
    clock: Clock
    wakings: Wakings = field(default_factory=Wakings)

    async def ask(self, email: str = ADDRESS) -> httpx2.Response:
        """Send the form."""
        return await self.browser.post("/subscribe", data={"email": email})

    def mails(self) -> list[str]:
        """Take the mails that are due, as they would be sent."""
        office = PostOffice(
            self.house.config.site, "Acme Status", self.house.own_address, "test", self.house.key
        )
        with self.house.store.transaction() as connection:
            due = deliveries.claim_due(
                connection, self.clock(), urgent=True, lease=timedelta(hours=9), limit=99
            )
        return [compose(one, office).message.decode().replace("=\r\n", "") for one in due]

    def link(self) -> str:
        """Take the path of the confirmation link from the only mail that is due."""
        (mail,) = self.mails()
        found = re.search(r"http://status\.acme\.example(/subscribe/confirm/[\w-]+)", mail)
        assert found is not None
        return found[1]

    async def subscribe(self) -> str:
        """Subscribe whole; gives the path of the unsubscribe link."""
        await self.ask()
        await self.browser.post(self.link())
        token = unsubscribe_token(self.house.key, self.known().public_id)
        return f"/unsubscribe/{token}"

    def known(self) -> Subscriber:
        """Read the subscriber."""
        with self.house.store.reading() as connection:
            found = subscribers.find_by_address(connection, ADDRESS)
        assert found is not None
        return found

    @property
    def state(self) -> SubscriberState:
        """What the house thinks of the address."""
        return self.known().state


@pytest.fixture
async def stranger(front: Front) -> AsyncIterator[Stranger]:
    """Give a stranger."""
    wakings = Wakings()
    async with make_client(replace(front, wake=wakings), PUBLIC_ROUTES) as browser:
        clock = front.clock
        assert isinstance(clock, Clock)
        yield Stranger(browser, front.house, clock, wakings)


def count_of_subscribers(house: House) -> int:
    with house.store.reading() as connection:
        return len(subscribers.listed(connection, limit=99))


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


async def test_what_is_chosen_on_the_form_is_heard_of_and_can_be_changed_later(stranger: Stranger) -> None:
    wanted = {"email": ADDRESS, "hear_of": "some", "component": ["API", "Email"]}
    await stranger.browser.post("/subscribe", data=wanted)
    link = stranger.link()
    assert "as far as they affect API, Email" in (await stranger.browser.get(link)).text
    confirmed = await stranger.browser.post(link)
    assert re.findall(r'value="(\w+)" checked', confirmed.text) == ["some", "Email", "API"]
    token = unsubscribe_token(stranger.house.key, stranger.known().public_id)
    changed = {"hear_of": "some", "component": "Calendar"}
    saved = await stranger.browser.post(f"/subscription/{token}", data=changed)
    assert "Your choice is saved" in saved.text
    assert stranger.known().components == ("Calendar",)
    await stranger.browser.post(f"/subscription/{token}", data={"hear_of": "all", "component": "Calendar"})
    assert stranger.known().components is None


async def test_a_choice_needs_the_link_of_a_mail(stranger: Stranger) -> None:
    await stranger.subscribe()
    answer = await stranger.browser.post(f"/subscription/{'a' * 26}", data={"hear_of": "all"})
    assert answer.status_code == 410


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
