"""The incidents as employees see them: the list, and everything about one."""

import re
from dataclasses import replace
from datetime import timedelta

import httpx2
import pytest

from service.actions import subscribing
from service.actions.alerts import take_alerts
from service.actions.fan_out import queue_next_chunk
from service.actions.house import House
from service.mail.compose import link_token
from service.model import Alert, AlertState, DeliveryKind, UpdateStatus
from service.store import deliveries, inbox_rows, subscribers
from service.store.credentials import Purpose
from service.store.inbox_rows import Arrival, Door
from service.store.schema import deliveries as delivery_rows
from service.web.dashboard import incident_list
from service.web.dashboard.incident_list import ENDED_SHOWN
from service.web.front import Front
from tests.rooms import Clock, make_front
from tests.web.employees import employee_at, page_of
from tests.web.outages import ECHO, Outages

pytestmark = pytest.mark.anyio


def subscribe(house: House, clock: Clock, *emails: str) -> None:
    """Let readers sign up and confirm."""
    for email in emails:
        subscribing.subscribe(house, email, clock())
        with house.store.reading() as connection:
            found = subscribers.find_by_address(connection, email)
        assert found is not None
        mail_id = f"{int(found.public_id, 16) + 1:032x}"  # the house gives its ids in this order
        subscribing.confirm(house, link_token(house.key, mail_id, Purpose.CONFIRM), clock())


async def test_what_waits_for_a_decision_stands_first(
    sam: httpx2.AsyncClient, outages: Outages, clock: Clock
) -> None:
    undecided = outages.fire()
    outages.wait(undecided)
    outages.published(ECHO, subject="Slow", message="m")
    text = (await sam.get("/dashboard")).text
    assert "(1) Incidents" in text
    assert text.index(undecided.subject) < text.index("Published and open") < text.index("Slow")


async def test_an_incident_in_its_wait_time_says_how_long_and_what_then(
    sam: httpx2.AsyncClient, outages: Outages, clock: Clock
) -> None:
    outages.fire()
    clock.move(timedelta(minutes=2, seconds=30))
    text = " ".join(re.sub(r"</?time[^>]*>", "", (await sam.get("/dashboard")).text).split())
    assert "employees are asked <strong>in 3 min</strong> unless it recovers" in text


async def test_ended_incidents_come_page_by_page(sam: httpx2.AsyncClient, outages: Outages) -> None:
    ended = []
    for _ in range(ENDED_SHOWN + 2):
        ended.append(outages.fire())
        outages.recover()
    first = (await sam.get("/dashboard")).text
    oldest_shown = ended[2]
    older = f"/dashboard/incidents?phase=ended&before={oldest_shown.id}"
    assert older.replace("&", "&amp;") in first
    assert f'href="{page_of(ended[1])}"' not in first
    second = (await sam.get(older)).text
    assert f'href="{page_of(ended[1])}"' in second
    assert "Show older" not in second


async def test_of_more_open_ones_than_are_shown_each_is_reached(
    sam: httpx2.AsyncClient, outages: Outages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incident_list, "OPEN_SHOWN", 2)
    monkeypatch.setattr(incident_list, "FOUND_SHOWN", 2)
    undecided = [outages.fire(ECHO, subject=f"S{number}", message="M") for number in range(7)]
    outages.publish(undecided[3])
    address, found = "/dashboard", []
    while address:
        text = (await sam.get(address)).text.partition('id="part-waiting"')[0]
        assert address != "/dashboard" or "(2+) Incidents" in text
        found += re.findall(r'line__tag">INC-([0-9]+)<', text)
        address = text.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert found == ["7", "6", "5", "3", "2", "1"]


@pytest.mark.parametrize("before", ["x", "-1", "9" * 40, "", "1; DROP TABLE incidents", "²"])
@pytest.mark.parametrize("path", ["/dashboard/incidents", "/dashboard/inbox"])
async def test_a_page_that_cannot_be_counted_to_is_the_first(
    before: str, path: str, sam: httpx2.AsyncClient
) -> None:
    assert (await sam.get(path, params={"before": before})).status_code == 200


async def test_an_incident_whose_monitor_was_removed_is_shown(
    front: Front, clock: Clock, outages: Outages, house: House
) -> None:
    incident = outages.published()
    without = replace(front, house=replace(house, config=replace(house.config, monitors=())))
    async with employee_at(without, clock, "sam") as client:
        assert (await client.get("/dashboard")).status_code == 200
        assert "no longer in config.yaml" in (await client.get(page_of(incident))).text


async def test_the_page_shows_what_would_be_read_and_by_how_many(
    sam: httpx2.AsyncClient, outages: Outages, house: House, clock: Clock
) -> None:
    subscribe(house, clock, "a@x.example", "b@x.example")
    incident = outages.fire()
    text = (await sam.get(page_of(incident))).text
    assert "We are looking into <strong>Email Server</strong>." in text
    assert "<strong>2 subscribers by mail</strong>" in text
    assert "Publish to 2 subscribers by mail" in text


async def test_later_subscribers_are_not_counted_for_updates(
    sam: httpx2.AsyncClient, outages: Outages, house: House, clock: Clock
) -> None:
    subscribe(house, clock, "a@x.example")
    incident = outages.published()
    queue_next_chunk(house, clock())
    subscribe(house, clock, "b@x.example", "c@x.example")
    assert (
        "What 1 subscriber by mail and the status page get to read" in (await sam.get(page_of(incident))).text
    )


async def test_an_update_says_how_far_its_mails_are(
    sam: httpx2.AsyncClient, outages: Outages, house: House, clock: Clock
) -> None:
    subscribe(house, clock, "a@x.example", "b@x.example", "c@x.example")
    incident = outages.published()
    assert "being queued" in (await sam.get(page_of(incident))).text
    queue_next_chunk(house, clock())
    with house.store.transaction() as connection:
        to_subscribers = delivery_rows.c.kind == DeliveryKind.SUBSCRIBER_UPDATE
        ids = connection.execute(delivery_rows.select().where(to_subscribers)).scalars().all()
        deliveries.mark_sent(connection, ids[0], clock())
        deliveries.mark_failed(connection, ids[1], clock(), "550 no such user")
    text = (await sam.get(page_of(incident))).text
    assert "1 sent" in text
    assert "1 waits" in text
    assert "1 failed" in text
    assert "being queued" not in text


async def test_a_mail_to_an_employee_that_failed_says_why(
    sam: httpx2.AsyncClient, outages: Outages, house: House, clock: Clock
) -> None:
    incident = outages.fire()
    outages.wait(incident)
    with house.store.transaction() as connection:
        mail = deliveries.of_incident_to_employees(connection, incident.id)[0]
        deliveries.mark_failed(connection, mail.id, clock(), "550 <mailbox> full")
    text = (await sam.get(page_of(incident))).text
    assert "550 &lt;mailbox&gt; full" in text
    assert "asked to decide" in text


async def test_an_incident_tells_its_whole_life(
    sam: httpx2.AsyncClient, outages: Outages, clock: Clock
) -> None:
    incident = outages.fire()
    outages.wait(incident)
    outages.publish(incident)
    outages.tell(incident, "The disk is **full**.", UpdateStatus.IDENTIFIED)
    outages.close(incident, "Over.")
    text = (await sam.get(page_of(incident))).text
    for said in (
        "An alert fired, and the wait time began",
        "The wait time passed without recovery, and the employees were asked",
        "waiting → unpublished",
        "It was published",
        "by Sam Lee",
        "An update was posted",
        "The disk is <strong>full</strong>.",
        "It was closed",
        "major outage",
        "24 Nov 2026, 13:05 CET",
    ):
        assert said in text


async def test_an_alert_is_shown_as_it_was_received_and_runs_nothing(
    sam: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    body = b'{"monitorName": "Email Server", "x": "<script>alert(1)</script>", "y": "\xff\x00\xe2\x80\xae"}'
    with house.store.transaction() as connection:
        arrival = Arrival(Door.WEBHOOK, clock(), body, provider="victorops")
        [inbox_id] = inbox_rows.add_many(connection, [arrival])
    alert = Alert("victorops", "Email Server", AlertState.FIRING, raw_state="<b>", message="<i>down</i>")
    take_alerts(house, inbox_id, [alert], clock())
    text = (await sam.get("/dashboard/incidents/1")).text
    assert "<script>" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "\ufffd\u2400[U+202E]" in text
    assert "<i>" not in text
    assert "<b>" not in text
    assert f'href="/dashboard/inbox/{inbox_id}"' in text


async def test_texts_of_alerts_are_escaped_everywhere(sam: httpx2.AsyncClient, outages: Outages) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    incident = outages.fire(ECHO, subject=hostile, message=hostile)
    pages = [(await sam.get(path)).text for path in ("/dashboard", page_of(incident))]
    outages.publish(incident)
    pages += [(await sam.get(path)).text for path in ("/dashboard", page_of(incident))]
    assert all(hostile not in text for text in pages)
    assert all("&lt;img src=x" in text for text in pages)


async def test_each_alert_is_called_by_its_name(house: House, clock: Clock) -> None:
    [first, *others] = house.config.monitors
    takes_any = replace(first, alert_names=("api-*",))
    several = replace(house, config=replace(house.config, monitors=(takes_any, *others)))
    outages = Outages(several, clock)
    outages.fire("api-7")
    incident = outages.fire("api-9", entity_id="e1")
    async with employee_at(make_front(several, clock), clock, "sam") as sam:
        page = (await sam.get(page_of(incident))).text
    card = page.partition('id="alerts"')[2].partition("<h3>")[0]
    assert re.findall(r"<strong>(.*?)</strong>", card) == ["api-7", "api-9"]
    assert re.findall(r'<span class="muted small">(.*?)</span>', card) == ["e1"]
