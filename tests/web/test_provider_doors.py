"""The doors of the monitoring products: who may post, what is proven, what is confirmed, and what counts once."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from structlog.testing import capture_logs

from service.actions.house import House
from service.actions.monitor_health import examine
from service.errors import RecipientRefusedForNow
from service.jobs import decide_what_is_due
from service.model import Incident
from service.providers.registry import PROVIDERS
from service.store import inbox_rows, incidents
from service.store.inbox_rows import REPEATED, InboxRow, InboxState
from service.web import sns_door, webhooks
from service.web.application import build
from service.web.sns_door import MOST_FETCHED, SnsDoor
from tests.providers.amazon import CERTIFICATE_URL, TOPIC, message_of, signer
from tests.providers.test_payloads import HERE
from tests.rooms import CONFIG, Clock, make_client, make_front, make_house
from tests.web.employees import employee_at

pytestmark = pytest.mark.anyio

EMAIL = "Email Server"
KEY = "whsec"
WEBHOOKS = f"""\
webhooks:
  alertmanager: {{monitor_name: labels.service}}
  grafana: {{}}
  pagerduty: {{signing_secret: {KEY}}}
  sns: {{topics: ["{TOPIC}"]}}
"""
MONITORS = "".join(
    f"""\
  - provider: {provider}
    alert_name: {name}
    authored_by: jordan
    type: informational
    affected_components: {{Email: major_outage}}
    subject: "Email is unavailable"
    message: "{{{{ alert.message }}}}"
    notify_employees: [jordan, sam]
    auto_publish: true
    closing_comment: It works again.
"""
    for provider, name in {
        "alertmanager": "email",
        "grafana": EMAIL,
        "pagerduty": EMAIL,
        "sns": "mail-queue-too-long",
    }.items()
)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Give a house to which four products post."""
    made = make_house(tmp_path, WEBHOOKS + CONFIG + MONITORS)
    yield made
    made.store.close()


@pytest.fixture
async def product(house: House, clock: Clock) -> AsyncIterator[httpx2.AsyncClient]:
    """Give a monitoring product that can reach the house."""
    async with make_client(make_front(house, clock), webhooks.routes) as client:
        yield client


def payload(provider: str, file: str) -> bytes:
    """Give a body of the payloads."""
    return (HERE / provider / f"{file}.json").read_bytes()


def stored(house: House) -> list[InboxRow]:
    """Give what is in the inbox, oldest first."""
    with house.store.reading() as connection:
        return list(inbox_rows.listed(connection, limit=99))[::-1]


def open_incidents(house: House, monitor: str) -> tuple[Incident, ...]:
    """Give what is open of a monitor."""
    with house.store.reading() as connection:
        return incidents.open_of_monitor(connection, monitor)


async def post_signed(
    product: httpx2.AsyncClient, file: str, **changed: bytes
) -> tuple[int, dict[str, str | int]]:
    """Post an event of PagerDuty with its signature."""
    body = payload("pagerduty", file)
    signature = hmac.new(KEY.encode(), body, hashlib.sha256).hexdigest()
    headers = {"x-pagerduty-signature": f"v1={signature}"}
    answer = await product.post("/webhook/pagerduty", content=changed.get("body", body), headers=headers)
    return answer.status_code, answer.json()


async def test_a_product_that_config_yaml_does_not_name_is_not_let_in(
    product: httpx2.AsyncClient, house: House
) -> None:
    answer = await product.post("/webhook/pingdom", content=payload("pingdom", "firing"))
    assert (answer.status_code, answer.json()["error"]) == (
        404,
        "nothing is configured for pingdom: add it to `webhooks` in config.yaml",
    )
    assert stored(house) == []


async def test_a_recovery_recovers_exactly_its_alert(
    product: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    for file, left in (("firing", 1), ("partly_recovered", 1), ("recovered", 0)):
        answer = await product.post("/webhook/alertmanager", content=payload("alertmanager", file))
        assert answer.status_code == 202
        decide_what_is_due(house, clock())
        assert len(open_incidents(house, "alertmanager:email")) == left


async def test_an_alert_that_a_provider_cannot_tell_is_kept_with_what_to_mend(
    product: httpx2.AsyncClient, house: House
) -> None:
    answer = await product.post("/webhook/grafana", content=payload("grafana", "hostile_state"))
    assert answer.status_code == 400
    (row,) = stored(house)
    assert (row.state, row.reason) == (InboxState.REFUSED, "unreadable")
    assert row.explanation == answer.json()["error"]


async def test_a_large_group_of_alerts_is_taken_whole(product: httpx2.AsyncClient, house: House) -> None:
    tree = json.loads(payload("alertmanager", "firing"))
    tree["alerts"] *= 200
    body = json.dumps(tree).encode()
    assert len(body) > 64 * 1024
    assert (await product.post("/webhook/alertmanager", content=body)).status_code == 202
    too_large = await product.post("/webhook/alertmanager", content=body.ljust(1024 * 1024 + 1))
    assert (too_large.status_code, too_large.json()) == (413, {"error": "the body is over 1024 KiB"})
    assert len(stored(house)) == 1


async def test_what_is_signed_wrong_is_refused_and_nothing_is_stored(
    product: httpx2.AsyncClient, house: House
) -> None:
    assert await post_signed(product, "firing", body=payload("pagerduty", "recovered")) == (
        401,
        {"error": "the signature is missing or wrong: see `signing_secret` in config.yaml"},
    )
    assert stored(house) == []


async def test_an_event_that_is_delivered_again_has_no_second_effect(
    product: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    for file in ("firing", "recovered", "firing"):
        assert (await post_signed(product, file))[0] == 202
        decide_what_is_due(house, clock())
    assert open_incidents(house, f"pagerduty:{EMAIL}") == ()
    first, _, again = stored(house)
    assert (again.state, again.reason) == (InboxState.DONE, REPEATED)
    assert (first.state, first.raw) == (InboxState.DONE, again.raw)


async def test_two_copies_in_one_breath_count_once(house: House, clock: Clock) -> None:
    front = make_front(house, clock)
    arrival = inbox_rows.Arrival(inbox_rows.Door.WEBHOOK, clock(), b"{}", "pagerduty", content_key="k" * 64)
    with house.store.transaction() as connection:
        inbox_rows.add_many(connection, [arrival, arrival])
    await front.receive(arrival)
    assert [row.state for row in stored(house)] == [InboxState.PENDING, InboxState.DONE, InboxState.DONE]


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
    assert len(open_incidents(house, "sns:mail-queue-too-long")) == 1


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


@pytest.mark.parametrize(
    ("provider", "file"), [("grafana", "test"), ("pagerduty", "test"), ("sns", "subscription")]
)
async def test_a_test_is_recorded_and_shown_and_asks_for_no_monitor(
    house: House, clock: Clock, provider: str, file: str
) -> None:
    front = make_front(house, clock)
    await front.receive(
        inbox_rows.Arrival(inbox_rows.Door.WEBHOOK, clock(), payload(provider, file), provider)
    )
    decide_what_is_due(house, clock())
    (row,) = stored(house)
    assert (row.state, row.reason) == (InboxState.DONE, "state_without_effect")
    assert "is no monitor, and `" in row.explanation
    with house.store.reading() as connection:
        assert examine(connection, house.config, clock()).unmatched == ()


@pytest.mark.parametrize("provider", sorted({*PROVIDERS} - {"victorops", "generic"}))
async def test_what_arrived_is_shown_with_a_monitor_to_paste(
    house: House, clock: Clock, provider: str
) -> None:
    front = make_front(house, clock)
    body = payload(provider, "firing")
    number = await front.receive(inbox_rows.Arrival(inbox_rows.Door.WEBHOOK, clock(), body, provider))
    async with employee_at(front, clock, "jordan") as browser:
        shown = await browser.get(f"/dashboard/inbox/{number}")
        dry = await browser.post(f"/dashboard/inbox/{number}/dry")
    assert (shown.status_code, dry.status_code) == (200, 200)
    taken = provider in {"alertmanager", "grafana", "pagerduty", "sns"}
    assert ("matches the monitor" in shown.text) is taken
    assert (f"provider: &#34;{provider}&#34;" in shown.text) is not taken
