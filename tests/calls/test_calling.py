"""Calling a webhook: what counts as taken, what is tried again, and what is never called."""

import asyncio
import socket
import ssl
from threading import Event

import httpcore2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.calls import calling
from service.calls.calling import Caller, UrlUnusable, check_url, is_public, open_caller
from service.errors import AnswerLost, MachineExhausted, RecipientRefused, RecipientRefusedForNow
from tests.calls.receiver import Receiver, receiving
from tests.descriptors import nothing_can_be_opened

pytestmark = pytest.mark.anyio

MANY = 40
"""Names: more than the threads in which an event loop looks them up by itself, which are 32 at most."""


async def call(receiver: Receiver, body: bytes = b"{}") -> None:
    """Call the receiver, which is on loopback."""
    async with open_caller(may_be_private=True) as caller:
        await caller.call(receiver.url, body, {"webhook-id": "d1"})


@pytest.mark.parametrize("status", [200, 202, 204])
async def test_a_call_that_is_answered_with_2xx_is_done(status: int) -> None:
    async with receiving() as receiver:
        receiver.status = status
        await call(receiver, b'{"type":"x"}')
    [got] = receiver.calls
    assert (got.path, got.body) == ("/hook", b'{"type":"x"}')
    assert got.headers["content-type"] == "application/json"
    assert got.headers["webhook-id"] == "d1"


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 429, 500, 503])
async def test_any_other_answer_is_tried_again_and_no_redirect_is_followed(status: int) -> None:
    async with receiving() as receiver:
        receiver.status, receiver.text = status, b"no\r\nway"
        receiver.extra = b"Location: /elsewhere\r\n"
        with pytest.raises(RecipientRefusedForNow, match=f"it answered {status} no way"):
            await call(receiver)
    assert len(receiver.calls) == 1


async def test_gone_is_for_good() -> None:
    async with receiving() as receiver:
        receiver.status = 410
        with pytest.raises(RecipientRefused, match="410"):
            await call(receiver)


async def test_no_answer_is_waited_for_no_longer_than_the_time_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "TIMEOUT", 0.05)
    async with receiving() as receiver:
        receiver.status = None
        with pytest.raises(RecipientRefusedForNow, match="no answer within"):
            await call(receiver)


async def test_what_went_out_whole_and_was_not_answered_may_have_arrived(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(calling, "TIMEOUT", 0.5)
    async with receiving() as receiver:
        receiver.status = None
        with pytest.raises(AnswerLost, match="no answer within"):
            await call(receiver)
        monkeypatch.undo()
        receiver.held.set()  # it hangs up at once
        with pytest.raises(AnswerLost, match="cannot be called"):
            await call(receiver)
    assert len(receiver.calls) == 2


@pytest.mark.parametrize("status", [502, 504])
async def test_what_a_gateway_passed_on_may_have_arrived(status: int) -> None:
    async with receiving() as receiver:
        receiver.status, receiver.text = status, b"no answer"
        with pytest.raises(AnswerLost, match=f"it answered {status} no answer"):
            await call(receiver)


async def test_what_was_answered_is_in_no_doubt_though_the_answer_does_not_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"{}")
        writer.write(b"HTTP/1.1 500 No\r\nContent-Length: 9\r\n\r\nno")
        await reader.read()
        writer.close()

    monkeypatch.setattr(calling, "TIMEOUT", 0.5)
    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with server, open_caller(may_be_private=True) as caller:
        with pytest.raises(RecipientRefusedForNow, match="no answer within") as refused:
            await caller.call(url, b"{}", {})
    assert not isinstance(refused.value, AnswerLost)


async def test_what_cannot_be_connected_to_is_in_no_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(*_: object, **__: object) -> object:
        return await asyncio.Event().wait()

    monkeypatch.setattr(calling, "TIMEOUT", 0.05)
    monkeypatch.setattr(httpcore2.AnyIOBackend, "connect_tcp", hang)
    async with open_caller(may_be_private=True) as caller:
        with pytest.raises(RecipientRefusedForNow, match="no answer within") as refused:
            await caller.call("http://127.0.0.1:9/", b"{}", {})
    assert not isinstance(refused.value, AnswerLost)


async def test_an_endless_refusal_is_read_to_its_bound_only() -> None:
    async with receiving() as receiver:
        receiver.status, receiver.text = 500, b"x" * 5_000_000
        with pytest.raises(RecipientRefusedForNow) as refused:
            await call(receiver)
    assert len(str(refused.value)) < 400


async def test_that_there_is_nothing_left_to_connect_with_is_no_fault_of_the_webhook() -> None:
    async with receiving() as receiver, open_caller(may_be_private=True) as caller:
        await caller.call(receiver.url, b"{}", {})
        with nothing_can_be_opened(), pytest.raises(MachineExhausted, match="no file descriptor left"):
            await caller.call(receiver.url, b"{}", {})
        await caller.call(receiver.url, b"{}", {})
    assert len(receiver.calls) == 2


async def test_nobody_there_is_tried_again() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        async with open_caller(may_be_private=True) as caller:
            with pytest.raises(RecipientRefusedForNow, match="cannot be called") as refused:
                await caller.call(url, b"", {})
    assert not isinstance(refused.value, AnswerLost), "it cannot have arrived"


@pytest.mark.parametrize(
    ("number", "said", "told"),
    [
        (
            socket.EAI_NONAME,
            "Name or service not known",
            "the name hooks.example cannot be found in the DNS (Name or service not known)",
        ),
        (
            socket.EAI_AGAIN,
            "Temporary failure in name resolution",
            "the name hooks.example cannot be looked up in the DNS for now (Temporary failure in name resolution)",
        ),
    ],
)
async def test_a_name_that_is_not_found_is_said_in_words(
    monkeypatch: pytest.MonkeyPatch, number: int, said: str, told: str
) -> None:
    def resolve(*_: object, **__: object) -> list[object]:
        raise socket.gaierror(number, said)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    async with open_caller(may_be_private=False) as caller:
        with pytest.raises(RecipientRefusedForNow) as refused:
            await caller.call("https://hooks.example/a", b"{}", {})
    assert str(refused.value) == told


async def test_an_answer_commands_no_terminal() -> None:
    async with receiving() as receiver:
        receiver.status, receiver.text = 500, b"\x1b]0;owned\x07 oh no\xe2\x80\xae"
        with pytest.raises(RecipientRefusedForNow) as refused:
            await call(receiver)
    assert str(refused.value) == "it answered 500 ]0;owned oh no"


async def test_where_the_first_address_does_not_answer_the_next_is_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def resolve(_: str, port: int, **__: object) -> list[object]:
        return [(socket.AF_INET, 0, 0, "", (host, port)) for host in ("127.0.0.2", "127.0.0.1")]

    monkeypatch.setattr(calling, "is_public", lambda _: True)
    async with receiving() as receiver:
        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        async with open_caller(may_be_private=False) as caller:
            await caller.call(receiver.url.replace("127.0.0.1", "ops.acme.example"), b"{}", {})
        monkeypatch.undo()
    assert len(receiver.calls) == 1


@pytest.mark.parametrize("may_be_private", [True, False])
async def test_names_that_hang_in_the_dns_hold_up_no_other_call(
    monkeypatch: pytest.MonkeyPatch, *, may_be_private: bool
) -> None:
    all_hang, answers, hanging = asyncio.Event(), Event(), list[str]()
    loop = asyncio.get_running_loop()

    def resolve(host: str, port: int, **_: object) -> list[object]:
        if host.startswith("dead"):
            hanging.append(host)
            if len(hanging) == MANY:
                loop.call_soon_threadsafe(all_hang.set)
            answers.wait(60)
            raise socket.gaierror(-3, "Temporary failure in name resolution")
        return [(socket.AF_INET, 0, 0, "", ("127.0.0.1", port))]

    monkeypatch.setattr(calling, "is_public", lambda _: True)
    async with receiving() as receiver, open_caller(may_be_private=may_be_private) as caller:
        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        calls = [
            asyncio.create_task(caller.call(f"http://dead{number}.example/", b"", {}))
            for number in range(MANY)
        ]
        try:
            await asyncio.wait_for(all_hang.wait(), 60)
            await caller.call(receiver.url.replace("127.0.0.1", "ops.acme.example"), b"{}", {})
        finally:
            answers.set()
        found = await asyncio.gather(*calls, return_exceptions=True)
        monkeypatch.undo()
    assert len(receiver.calls) == 1
    assert {type(one) for one in found} == {RecipientRefusedForNow}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "10.0.0.1"])
async def test_an_address_of_our_own_network_is_never_called(host: str) -> None:
    async with open_caller(may_be_private=False) as caller:
        with pytest.raises(RecipientRefused, match="our own network"):
            await caller.call(f"http://{host}:9/", b"", {})


async def test_a_name_that_changes_its_mind_after_the_check_gains_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def resolve(host: str, port: int, **_: object) -> list[object]:
        asked.append(host)
        address = "127.0.0.1" if len(asked) > 1 else "93.184.216.34"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    connected: list[str] = []

    async def connect(_self: object, host: str, *_rest: object) -> None:
        connected.append(host)
        raise OSError("not from here")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr("httpcore2.AnyIOBackend.connect_tcp", connect)
    async with open_caller(may_be_private=False) as caller:
        with pytest.raises(RecipientRefusedForNow):
            await caller.call("http://hooks.example/", b"", {})
    assert (asked, connected) == (["hooks.example"], ["93.184.216.34"])


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("224.0.0.1", False),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:93.184.216.34", True),
        ("2002:7f00:1::", False),
        ("64:ff9b::a00:1", False),
        ("64:ff9b::5db8:d822", True),
        ("64:ff9b:1::a00:1", False),
        ("::127.0.0.1", False),
        ("::ffff:0:10.0.0.1", False),
        ("fec0::1", False),
    ],
)
def test_which_addresses_are_public(address: str, *, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://hooks.example/", "https"),
        ("hooks.example", "https"),
        ("https://", "host"),
        ("https://ana:pw@hooks.example/", "password"),
        ("https://hooks.example:99999/", "URL"),
        ("https://hooks.example:0/", "port"),
        ("https://[bad/", "URL"),
        ("https://hooks.example/a b", "spaces"),
        ("https://hooks.example/" + "a" * 2_000, "2000"),
    ],
)
def test_what_is_no_url_to_call_is_refused_with_a_reason(url: str, why: str) -> None:
    with pytest.raises(UrlUnusable, match=why):
        check_url(url)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "10.0.0.7:8080", "192.168.1.1", "169.254.169.254",
     "[::1]", "[fe80::1%25eth0]", "[fd00::1]", "[::ffff:10.0.0.7]", "localhost", "LOCALHOST.", "hooks.localhost:99"],
)  # fmt: skip
def test_a_url_that_says_itself_that_it_is_of_our_own_network_is_refused_unless_config_lets_it(
    host: str,
) -> None:
    url = f"http://{host}/hook"
    with pytest.raises(UrlUnusable, match=r"own network.*`subscribers\.private_webhooks`"):
        check_url(url)
    assert check_url(url, may_be_private=True) == url


@pytest.mark.parametrize(
    "host", ["8.8.8.8", "[2606:4700::1111]", "intranet", "localhost.example", "10.example"]
)
def test_a_url_of_a_public_address_or_of_a_name_is_taken(host: str) -> None:
    assert check_url(f"https://{host}/hook") == f"https://{host}/hook"


def test_a_url_is_taken_as_it_is() -> None:
    assert (
        check_url(" https://hooks.slack.com/services/T0/B0/x ") == "https://hooks.slack.com/services/T0/B0/x"
    )


@given(st.text(max_size=60))
def test_no_text_makes_the_check_fail(text: str) -> None:
    try:
        assert check_url(text).startswith("http")
    except UrlUnusable:
        return


async def test_a_caller_outlives_a_failed_call() -> None:
    async with receiving() as receiver, open_caller(may_be_private=True) as caller:
        assert isinstance(caller, Caller)
        receiver.status = 500
        with pytest.raises(RecipientRefusedForNow):
            await caller.call(receiver.url, b"", {})
        receiver.status = 200
        await caller.call(receiver.url, b"", {})
    assert len(receiver.calls) == 2


async def test_whose_certificates_are_trusted_is_read_at_the_first_call_and_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[ssl.SSLContext] = []

    def trust() -> ssl.SSLContext:
        read.append(ssl.create_default_context())
        return read[-1]

    monkeypatch.setattr(calling, "_trust", trust)
    async with receiving() as receiver, open_caller(may_be_private=True) as caller:
        assert read == []
        await asyncio.gather(*(caller.call(receiver.url, b"", {}) for _ in range(3)))
    assert len(read) == 1
    assert len(receiver.calls) == 3
