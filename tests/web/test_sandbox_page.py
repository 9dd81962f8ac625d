"""The mail sandbox: mails shown as they look, answered as a person would, and only on this machine."""

from collections.abc import AsyncIterator
from dataclasses import replace
from imaplib import IMAP4

import httpx2
import pytest
from anyio import to_thread
from selectolax.lexbor import LexborHTMLParser
from starlette.types import Receive, Scope, Send

from service.actions.house import House
from service.config.settings import Imap
from service.errors import RelayUnavailable
from service.mail.compose import PostOffice, compose
from service.mail.sandbox import Sandbox, SandboxMail
from service.model import MAIL_KINDS, DeliveryKind
from service.store import deliveries
from service.store.deliveries import NewDelivery
from service.web import sandbox_page
from service.web.application import build
from service.web.front import Front
from service.web.sandbox_page import LONGEST_REPLY, MAILS_SHOWN, framed, read_mail
from tests.mail.compose_samples import AT, facts_of
from tests.rooms import OWN_ADDRESS, Clock, make_client, make_front
from tests.web.outages import Outages

pytestmark = pytest.mark.anyio

LETTER = b"""\
From: Acme Status <status@acme.example>
To: =?utf-8?q?J=C3=B6rdan?= <jordan@acme.example>
Subject: =?utf-8?q?Ausfall_=3Cb=3E?=
Reply-To: status+token@acme.example
Date: Tue, 24 Nov 2026 12:05:00 +0000
Content-Type: multipart/alternative; boundary=b

--b
Content-Type: text/plain; charset=utf-8

Plain <b>text</b>
--b
Content-Type: text/html; charset=utf-8

<!doctype html><html><head lang="en"><style>p{color:red}</style></head><body><a href="/x">Open</a></body></html>
--b--
"""


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """Start the embedded mail server."""
    started = await Sandbox.start(own_address=OWN_ADDRESS)
    yield started
    await started.stop()


@pytest.fixture
def front(house: House, clock: Clock, sandbox: Sandbox) -> Front:
    """Give the web's view of a house with a sandbox."""
    return make_front(house, clock, sandbox)


@pytest.fixture
async def local(front: Front) -> AsyncIterator[httpx2.AsyncClient]:
    """Give a browser on this machine."""
    async with make_client(front, sandbox_page.routes) as client:
        yield client


async def put(sandbox: Sandbox, raw: bytes = LETTER, recipient: str = "jordan@acme.example") -> None:
    """Let a mail go out."""
    await sandbox.put("status@acme.example", recipient, raw)


async def test_mails_are_listed_newest_first_page_by_page(
    local: httpx2.AsyncClient, sandbox: Sandbox
) -> None:
    for _ in range(MAILS_SHOWN + 1):
        await put(sandbox)
    first = (await local.get("/sandbox")).text
    assert first.index('href="/sandbox/51"') < first.index('href="/sandbox/2"')
    assert 'href="/sandbox/1"' not in first
    assert "Ausfall &lt;b&gt;" in first
    assert "Mail sandbox: no mail leaves this machine." in first
    assert 'href="/sandbox/1"' in (await local.get("/sandbox?before=2")).text


async def test_a_mail_is_shown_as_its_recipient_sees_it(local: httpx2.AsyncClient, sandbox: Sandbox) -> None:
    await put(sandbox)
    text = (await local.get("/sandbox/1")).text
    assert "<dd>Jördan &lt;jordan@acme.example&gt;</dd>" in text
    assert "<dd>Acme Status &lt;status@acme.example&gt;</dd>" in text
    assert "24 Nov 2026, 13:05 CET" in text
    assert "Plain &lt;b&gt;text&lt;/b&gt;" in text
    assert "reply-to: status+token@acme.example" in text
    assert 'src="/sandbox/1/html" sandbox="' in text


async def test_the_html_of_a_mail_runs_and_loads_nothing_but_its_links_open(
    local: httpx2.AsyncClient, sandbox: Sandbox
) -> None:
    await put(sandbox)
    answer = await local.get("/sandbox/1/html")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; sandbox ")
    assert "frame-ancestors 'self'" in policy
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert '<head lang="en"><base target="_top">' in answer.text


@pytest.mark.parametrize(
    ("html", "shown"),
    [
        ("<p>x", '<!doctype html><base target="_top"><p>x'),
        ("<header>x</header>", '<!doctype html><base target="_top"><header>x</header>'),
        ("<HEAD></HEAD>", '<HEAD><base target="_top"></HEAD>'),
    ],
)
def test_links_leave_the_frame_whatever_the_html(html: str, shown: str) -> None:
    assert framed(html) == shown


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\xff",
        b"Subject: =?utf-8?q?" + b"=C3" * 3000,
        b"Date: never\r\nFrom: \r\n\r\nx",
        b"Date: Tue, 24 Nov 2026 12:05:00 -0000\r\n\r\nx",
        b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\nContent-Type: text/plain\n\n" * 70,
        b"Content-Type: text/html; charset=nonesuch\n\n<p>\xff",
        b"Message-ID: <[a\nReferences: <\n\nx",
    ],
)
async def test_a_broken_mail_breaks_no_page(raw: bytes, local: httpx2.AsyncClient, sandbox: Sandbox) -> None:
    await put(sandbox, raw)
    assert (await local.get("/sandbox")).status_code == 200
    assert (await local.get("/sandbox/1")).status_code == 200
    assert "jordan@acme.example" in read_mail(sandbox.mails[0]).recipient


async def test_a_mail_without_html_has_no_frame(local: httpx2.AsyncClient, sandbox: Sandbox) -> None:
    await put(sandbox, b"Subject: x\r\n\r\nonly text")
    text = (await local.get("/sandbox/1")).text
    assert "<iframe" not in text
    assert "<details open>" in text
    assert (await local.get("/sandbox/1/html")).status_code == 404


async def test_a_reply_comes_back_to_the_service_as_from_a_mail_program(
    local: httpx2.AsyncClient, sandbox: Sandbox, house: House, outages: Outages
) -> None:
    outages.wait(outages.fire())
    await post_all(house, sandbox)
    answer = await local.post("/sandbox/1/reply", data={"text": "publish"})
    assert answer.status_code == 303
    assert (
        "Sent. The service reads its mailbox within a second."
        in (await local.get(answer.headers["location"])).text
    )
    [reply] = await to_thread.run_sync(read_mailbox, sandbox.imap)
    assert b"\r\n\r\npublish\r\n" in reply
    assert b"From: Jordan Ray <jordan@acme.example>" in reply


async def post_all(house: House, sandbox: Sandbox) -> None:
    """Let every mail about the first incident to its employees go out."""
    office = PostOffice(house.config.site, "Acme Status", OWN_ADDRESS, house.instance_id, house.key)
    with house.store.reading() as connection:
        queued = deliveries.of_incident_to_employees(connection, 1)
    for envelope in (compose(one, office) for one in queued):
        await sandbox.put(envelope.sender, envelope.recipient, envelope.message)


OFFERED = {
    DeliveryKind.APPROVAL: ["Reply “publish”", "Reply “discard”"],
    DeliveryKind.PUBLISHED: ["Reply “close”", "Reply “update …”"],
    DeliveryKind.REMINDER: ["Reply “close”", "Reply “update …”"],
    DeliveryKind.RECOVERED: ["Reply “close”", "Reply “update …”"],
}


@pytest.mark.parametrize("kind", MAIL_KINDS)
async def test_a_mail_offers_the_replies_that_make_sense(
    kind: DeliveryKind, local: httpx2.AsyncClient, sandbox: Sandbox, house: House
) -> None:
    with house.store.transaction() as connection:
        new = NewDelivery("0" * 32, "once", kind, "jordan@acme.example", facts_of(kind))
        deliveries.queue(connection, [new], AT)
        delivery = deliveries.get_by_public_id(connection, new.public_id)
    assert delivery is not None
    office = PostOffice(house.config.site, "Acme Status", OWN_ADDRESS, house.instance_id, house.key)
    await put(sandbox, compose(delivery, office).message)
    assert offers_in((await local.get("/sandbox/1")).text) == OFFERED.get(kind, [])


async def test_what_asks_for_a_reply_but_is_none_of_our_mails_offers_none(
    local: httpx2.AsyncClient, sandbox: Sandbox
) -> None:
    await put(sandbox, LETTER.replace(b"Date:", b"Message-ID: <" + b"0" * 32 + b"@acme.example>\nDate:"))
    assert offers_in((await local.get("/sandbox/1")).text) == []


def offers_in(page: str) -> list[str]:
    """Give what stands on the buttons of a mail's page that write a reply themselves."""
    return [button.text() for button in LexborHTMLParser(page).css("button") if "“" in button.text()]


async def test_an_update_is_offered_with_room_for_its_words(
    local: httpx2.AsyncClient, sandbox: Sandbox
) -> None:
    await put(sandbox)
    form = {"text": "update", "words": " We know the cause "}
    assert (await local.post("/sandbox/1/reply", data=form)).status_code == 303
    [reply] = await to_thread.run_sync(read_mailbox, sandbox.imap)
    assert b"\r\n\r\nupdate We know the cause\r\n" in reply


def read_mailbox(imap: Imap) -> list[bytes]:
    """Read the mailbox that replies come back to."""
    with IMAP4(imap.host, imap.port, timeout=10) as connection:
        connection.login(imap.username, imap.password.reveal())
        connection.select(imap.folder, readonly=True)
        _, found = connection.fetch("1:*", "(BODY.PEEK[])")
    return [part[1] for part in found if isinstance(part, tuple)]


@pytest.mark.parametrize("text", ["", " \n ", "x" * (LONGEST_REPLY + 1)])
async def test_a_reply_that_says_nothing_or_too_much_is_not_sent(
    text: str, local: httpx2.AsyncClient, sandbox: Sandbox
) -> None:
    await put(sandbox)
    answer = await local.post("/sandbox/1/reply", data={"text": text})
    assert answer.status_code == 422
    assert "Write something to send" in answer.text


async def test_a_mail_that_names_nobody_to_answer_keeps_what_was_typed(
    local: httpx2.AsyncClient, sandbox: Sandbox
) -> None:
    await put(sandbox, b"Subject: x\r\n\r\nx")
    answer = await local.post("/sandbox/1/reply", data={"text": "publish <now>"})
    assert answer.status_code == 422
    assert "The reply was not sent: the mail names nobody to answer" in answer.text
    assert "publish &lt;now&gt;" in answer.text


async def test_a_sandbox_that_is_stopping_says_that_nothing_was_sent(
    local: httpx2.AsyncClient, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise RelayUnavailable("the relay cannot be reached")

    await put(sandbox)
    monkeypatch.setattr(sandbox, "send_reply", refuse)
    answer = await local.post("/sandbox/1/reply", data={"text": "publish"})
    assert "The reply was not sent: the relay cannot be reached." in answer.text


PATHS = ["/sandbox", "/sandbox/1", "/sandbox/1/html"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("address", ["192.0.2.7", "2001:db8::1", "testclient", "", "::ffff:192.0.2.7"])
async def test_nobody_elsewhere_sees_the_sandbox(
    path: str, address: str, front: Front, sandbox: Sandbox
) -> None:
    await put(sandbox)
    assert (await ask(front, path, address)).status_code == 404


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
async def test_this_machine_sees_the_sandbox(path: str, address: str, front: Front, sandbox: Sandbox) -> None:
    await put(sandbox)
    assert (await ask(front, path, address)).status_code == 200


@pytest.mark.parametrize(
    ("name", "status"),
    [("localhost:8080", 200), ("[::1]:8080", 200), ("evil.example", 404), ("127.0.0.1.evil.example", 404)],
)
async def test_a_strangers_name_for_this_machine_opens_nothing(
    name: str, status: int, front: Front, sandbox: Sandbox
) -> None:
    assert (await ask(front, "/sandbox", "127.0.0.1", name)).status_code == status


@pytest.mark.parametrize("name", ["[bad", "", "a b", "evil.example/..@localhost"])
async def test_a_broken_name_breaks_no_page(name: str, front: Front) -> None:
    assert (await ask(front, "/sandbox", "127.0.0.1", name)).status_code < 500


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "name",
    [
        *("Forwarded", "Via", "X-Real-IP", "X-Client-IP", "True-Client-IP", "X-Forwarded"),
        *(
            "X-Forwarded-For",
            "X-Forwarded-Proto",
            "X-Forwarded-Host",
            "X-Forwarded-Port",
            "X-Forwarded-Server",
        ),
        *("X-Original-Host", "X-Original-URL", "X-Envoy-External-Address", "X-Envoy-Expected-Rq-Timeout-Ms"),
        *("CF-Connecting-IP", "CF-Ray", "CF-Visitor", "Tailscale-User-Login"),
    ],
)
async def test_what_a_proxy_passes_on_sees_no_sandbox(
    path: str, name: str, local: httpx2.AsyncClient, sandbox: Sandbox
) -> None:
    await put(sandbox)
    assert (await local.get(path, headers={name: "x"})).status_code == 404


async def test_what_comes_as_nginx_speaks_to_what_is_behind_it_sees_no_sandbox(
    front: Front, sandbox: Sandbox
) -> None:
    await put(sandbox)
    page = build(front, sandbox_page.routes)

    async def as_of_old(scope: Scope, receive: Receive, send: Send) -> None:
        await page({**scope, "http_version": "1.0"}, receive, send)

    transport = httpx2.ASGITransport(app=as_of_old, client=("127.0.0.1", 4000))
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
        assert (await client.get("/sandbox")).status_code == 404


@pytest.mark.parametrize("name", ["Accept-Language", "Sec-Fetch-Site", "Origin-Trial", "X-Requested-With"])
async def test_what_browsers_say_is_no_sign_of_a_proxy(
    name: str, local: httpx2.AsyncClient, sandbox: Sandbox
) -> None:
    await put(sandbox)
    assert (await local.get("/sandbox/1", headers={name: "x"})).status_code == 200


async def ask(front: Front, path: str, address: str, name: str = "localhost") -> httpx2.Response:
    """Open a page from an address, under a name of this machine."""
    transport = httpx2.ASGITransport(app=build(front, sandbox_page.routes), client=(address, 4000))
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
        return await client.get(path, headers={"host": name})


async def test_where_mail_goes_out_there_is_no_sandbox(front: Front) -> None:
    async with make_client(replace(front, sandbox=None), sandbox_page.routes) as client:
        answer = await client.get("/sandbox")
    assert answer.status_code == 404
    assert "There is no mail sandbox" in answer.text


@pytest.mark.parametrize("number", ["2", "x", "0", "9" * 30, "-1"])
async def test_a_mail_that_is_not_there_is_not_found(
    number: str, local: httpx2.AsyncClient, sandbox: Sandbox
) -> None:
    await put(sandbox)
    assert (await local.get(f"/sandbox/{number}")).status_code == 404
    assert (await local.post(f"/sandbox/{number}/reply", data={"text": "x"})).status_code == 404


async def test_another_site_cannot_answer_a_mail(local: httpx2.AsyncClient, sandbox: Sandbox) -> None:
    await put(sandbox)
    forged = {"sec-fetch-site": "cross-site"}
    answer = await local.post("/sandbox/1/reply", data={"text": "publish"}, headers=forged)
    assert answer.status_code == 403


def test_a_mail_of_the_envelope_alone_is_shown_by_it() -> None:
    shown = read_mail(SandboxMail(1, "a@x.example", "b@x.example", b"\r\nhi"))
    assert (shown.sender, shown.recipient, shown.subject) == ("a@x.example", "b@x.example", "(no subject)")
