"""The door of Amazon SNS: whose messages are taken, which certificate is fetched, and what is confirmed."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from structlog.testing import capture_logs

from service.actions.house import House
from service.errors import RecipientRefusedForNow
from service.jobs import decide_what_is_due
from service.store import open_incidents
from service.store.inbox_rows import InboxState
from service.web import sns_door, webhooks
from service.web.application import build
from service.web.sns_door import MOST_FETCHED, SnsDoor
from tests.providers.amazon import CERTIFICATE_URL, TOPIC, message_of, signer
from tests.rooms import CONFIG, Clock, make_front, make_house
from tests.web.test_provider_doors import payload, stored

pytestmark = pytest.mark.anyio

WEBHOOKS = f'webhooks: {{sns: {{topics: ["{TOPIC}"]}}}}\n'
MONITOR = """\
  - provider: sns
    alert_name: mail-queue-too-long
    authored_by: jordan
    type: informational
    affected_components: {Email: major_outage}
    subject: Email is unavailable
    message: We look into it.
    notify_employees: [jordan, sam]
    closing_comment: It works again.
"""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Give a house to which one topic posts."""
    made = make_house(tmp_path, WEBHOOKS + CONFIG + MONITOR)
    yield made
    made.store.close()


class Amazon:
    """What SNS has on the web, and what was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.failures = 0

    async def fetch(self, url: str, most: int) -> bytes:
        """Give a certificate, or confirm."""
        assert most >= len(signer().pem)
        self.asked.append(url)
        if self.failures:
            self.failures -= 1
            raise RecipientRefusedForNow("it answered 500")
        return signer().pem


@asynccontextmanager
async def sns_posting(house: House, clock: Clock, amazon: Amazon) -> AsyncIterator[httpx2.AsyncClient]:
    """Give SNS, whose certificates are fetched from the test."""
    application = build(make_front(house, clock), webhooks.routes)
    application.state.sns_door = SnsDoor(amazon.fetch)
    transport = httpx2.ASGITransport(app=application)
    async with httpx2.AsyncClient(transport=transport, base_url="http://status.acme.example") as client:
        yield client


def signed(file: str, **changed: str) -> bytes:
    """Give a message with its signature; what is changed is changed before it is signed."""
    return json.dumps(signer().sign(message_of(file) | changed)).encode()


async def test_a_message_of_amazon_s_is_taken_and_its_certificate_fetched_once(
    house: House, clock: Clock
) -> None:
    amazon = Amazon()
    async with sns_posting(house, clock, amazon) as sns:
        for number in range(2):
            answer = await sns.post("/webhook/sns", content=signed("firing", MessageId=str(number)))
            assert answer.status_code == 202
    decide_what_is_due(house, clock())
    assert amazon.asked == [CERTIFICATE_URL]
    with house.store.reading() as connection:
        assert len(open_incidents.open_of_monitor(connection, "sns:mail-queue-too-long")) == 1


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (json.dumps(message_of("firing")).encode(), "the signature of the message is wrong"),
        (signed("firing", TopicArn=TOPIC.replace("1234", "6666")), "the topic of this message is not among"),
        (signed("firing").replace(b"sns.eu-west-1", b"evil.example"), "does not lead to Amazon SNS"),
        (json.dumps(message_of("raw_delivery")).encode(), "not signed by Amazon SNS"),
        (b"\xef\xbb\xbf" + signed("firing"), "not signed by Amazon SNS"),
        (b"{Type: 'Notification'}", "not signed by Amazon SNS"),
        (b"", "not signed by Amazon SNS"),
    ],
    ids=["signature", "topic", "host", "raw", "bom", "json5", "empty"],
)
async def test_what_is_not_amazon_s_is_refused_and_nothing_is_stored(
    house: House, clock: Clock, body: bytes, complaint: str
) -> None:
    async with sns_posting(house, clock, Amazon()) as sns:
        answer = await sns.post("/webhook/sns", content=body)
    assert answer.status_code == 401
    assert complaint in answer.json()["error"]
    assert stored(house) == []


async def test_without_the_certificate_a_message_is_to_be_sent_again(house: House, clock: Clock) -> None:
    amazon = Amazon()
    amazon.failures = 1
    async with sns_posting(house, clock, amazon) as sns:
        refused = await sns.post("/webhook/sns", content=signed("firing"))
        taken = await sns.post("/webhook/sns", content=signed("firing"))
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "30")
    assert taken.status_code == 202


async def test_strangers_cannot_let_us_fetch_without_end(house: House, clock: Clock) -> None:
    amazon = Amazon()
    amazon.failures = 10_000
    async with sns_posting(house, clock, amazon) as sns:
        for number in range(MOST_FETCHED + 5):
            body = signed("firing").replace(b"0123456789abcdef0123456789abcdef", f"{number:032x}".encode())
            assert (await sns.post("/webhook/sns", content=body)).status_code == 503
        assert len(amazon.asked) == MOST_FETCHED
        clock.move(timedelta(minutes=2))
        amazon.failures = 0
        assert (await sns.post("/webhook/sns", content=signed("firing"))).status_code == 202


async def test_a_subscription_to_a_named_topic_is_confirmed_once_it_was_stored(
    house: House, clock: Clock
) -> None:
    amazon = Amazon()
    async with sns_posting(house, clock, amazon) as sns:
        answer = await sns.post("/webhook/sns", content=signed("subscription"))
    assert answer.status_code == 202
    assert amazon.asked == [CERTIFICATE_URL, message_of("subscription")["SubscribeURL"]]
    (row,) = stored(house)
    assert row.state is InboxState.PENDING


async def test_a_confirmation_that_fails_is_tried_again(
    house: House, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sns_door, "PAUSES", (0.0, 0.0))
    amazon = Amazon()
    async with sns_posting(house, clock, amazon) as sns:
        await sns.post("/webhook/sns", content=signed("firing"))
        amazon.failures = 2
        await sns.post("/webhook/sns", content=signed("subscription"))
    assert amazon.asked[1:] == [message_of("subscription")["SubscribeURL"]] * 3


@pytest.mark.parametrize(
    ("section", "path", "confirms"),
    [("{}", "/webhook/sns", False), ("{secret: abc}", "/webhook/sns/abc", True)],
    ids=["nobody vouches", "the secret vouches"],
)
async def test_a_subscription_that_nobody_asked_for_is_not_confirmed(
    tmp_path: Path, clock: Clock, section: str, path: str, *, confirms: bool
) -> None:
    house, amazon = make_house(tmp_path, f"webhooks: {{sns: {section}}}\n{CONFIG}"), Amazon()
    async with sns_posting(house, clock, amazon) as sns:
        with capture_logs() as logs:
            answer = await sns.post(path, content=signed("subscription"))
        raw = await sns.post(path, content=payload("sns", "raw_delivery"))
    house.store.close()
    assert answer.status_code == 202
    assert (len(amazon.asked) == 2) is confirms
    assert raw.status_code == (202 if confirms else 401)
    assert any("not confirmed: set `secret`" in one["event"] for one in logs) is not confirms


async def test_a_subscription_is_never_confirmed_elsewhere(house: House, clock: Clock) -> None:
    amazon = Amazon()
    async with sns_posting(house, clock, amazon) as sns:
        body = signed("subscription", SubscribeURL="https://169.254.169.254/latest/meta-data")
        assert (await sns.post("/webhook/sns", content=body)).status_code == 202
    assert amazon.asked == [CERTIFICATE_URL]
