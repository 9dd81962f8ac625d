"""The doors of the monitoring products: who may post, what is proven, and what counts once."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import pytest

from service.actions.house import House
from service.actions.monitor_health import examine
from service.jobs import decide_what_is_due
from service.model import Incident
from service.providers.registry import PROVIDERS
from service.store import inbox_rows, open_incidents
from service.store.inbox_rows import REPEATED, InboxRow, InboxState
from service.web import webhooks
from tests.providers.amazon import TOPIC
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


def open_ones(house: House, monitor: str) -> tuple[Incident, ...]:
    """Give what is open of a monitor."""
    with house.store.reading() as connection:
        return open_incidents.open_of_monitor(connection, monitor)


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
        assert len(open_ones(house, "alertmanager:email")) == left


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
    assert open_ones(house, f"pagerduty:{EMAIL}") == ()
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


@pytest.mark.parametrize("provider", sorted({*PROVIDERS} - {"victorops", "generic", "email"}))
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
