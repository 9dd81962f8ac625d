"""/metrics: who may read it, in which form, and what the store is asked for it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text
from sqlalchemy import event

from service.actions.watchdog import Seen
from service.config.settings import Secret
from service.store import inbox_rows, observing
from service.store.inbox_rows import Arrival, Door
from service.web import machine_checks
from service.web.application import build
from service.web.front import Front
from service.web.gauges import read_gauges
from tests.rooms import Clock
from tests.web.outages import Outages
from tests.web.test_machine_checks import damage

pytestmark = pytest.mark.anyio

HERE, ELSEWHERE = "127.0.0.1", "192.0.2.7"
LOCAL_URL = "http://localhost:8080"
HOLD_NOTHING_ELSE = (
    " ix_deliveries_urgent_since",
    " ix_subscribers_reached",
    " ix_subscribers_suppressed",
    " ix_updates_to_fan_out",
)
"""Indexes of just those rows that are asked for; those that may be many are read up to a bound."""
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def with_token(front: Front, token: str) -> Front:
    """Let config.yaml ask for a token."""
    config = replace(front.house.config, metrics_token=Secret(token))
    return replace(front, house=replace(front.house, config=config))


@asynccontextmanager
async def asking(
    front: Front, *, peer: str = HERE, url: str = LOCAL_URL
) -> AsyncIterator[httpx2.AsyncClient]:
    """Give a client whose requests come from an address."""
    transport = httpx2.ASGITransport(app=build(front, machine_checks.routes), client=(peer, 50_000))
    async with httpx2.AsyncClient(transport=transport, base_url=url) as client:
        yield client


@pytest.mark.parametrize(
    ("peer", "url", "headers", "status"),
    [
        (HERE, LOCAL_URL, {}, 200),
        (HERE, "http://127.0.0.1:8080", {}, 200),
        ("::1", "http://[::1]:8080", {}, 200),
        ("::ffff:127.0.0.1", LOCAL_URL, {}, 200),
        (ELSEWHERE, LOCAL_URL, {}, 403),
        (ELSEWHERE, "http://status.acme.example", {}, 403),
        (HERE, "http://status.acme.example", {}, 403),
        (HERE, LOCAL_URL, {"x-forwarded-for": ELSEWHERE}, 403),
        (HERE, LOCAL_URL, {"x-forwarded-for": HERE}, 403),
        (HERE, LOCAL_URL, {"forwarded": "for=192.0.2.7"}, 403),
        (HERE, LOCAL_URL, {"via": "1.1 proxy"}, 403),
        (HERE, LOCAL_URL, {"x-real-ip": ELSEWHERE}, 403),
        (ELSEWHERE, LOCAL_URL, {"authorization": "Bearer anything"}, 403),
        (ELSEWHERE, LOCAL_URL, {"authorization": "Bearer "}, 403),
    ],
)
async def test_without_a_token_only_this_machine_reads_them(
    front: Front, peer: str, url: str, headers: dict[str, str], status: int
) -> None:
    async with asking(front, peer=peer, url=url) as client:
        answer = await client.get("/metrics", headers=headers)
    assert answer.status_code == status
    assert ("replycast_" in answer.text) == (status == 200)


@pytest.mark.parametrize("peer", [HERE, ELSEWHERE])
@pytest.mark.parametrize(
    ("offered", "status"),
    [
        ("Bearer sesame", 200),
        ("bearer  sesame ", 200),
        ("Bearer sesam", 401),
        ("Bearer sesame2", 401),
        ("Basic sesame", 401),
        ("sesame", 401),
        ("", 401),
    ],
)
async def test_with_a_token_whoever_offers_it_reads_them_and_nobody_else(
    front: Front, peer: str, offered: str, status: int
) -> None:
    async with asking(with_token(front, "sesame"), peer=peer) as client:
        answer = await client.get("/metrics", headers={"authorization": offered})
    assert answer.status_code == status
    assert ("www-authenticate" in answer.headers) == (status == 401)


async def test_a_token_may_be_any_text(front: Front) -> None:
    async with asking(with_token(front, "Gürtel"), peer=ELSEWHERE) as client:
        answer = await client.get("/metrics", headers={b"authorization": "Bearer Gürtel".encode()})
    assert answer.status_code == 200


async def test_prometheus_gets_the_form_that_it_asks_for(front: Front) -> None:
    async with asking(front) as client:
        text = await client.get("/metrics")
        openmetrics = await client.get("/metrics", headers={"accept": OPENMETRICS})
    assert text.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert openmetrics.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    names = {family.name for family in read_text(text.text)}
    assert names == {family.name for family in read_openmetrics(openmetrics.text)}  # type: ignore[no-untyped-call]  # of the library
    assert "replycast_open_incidents" in names


def values(front: Front, name: str) -> dict[str, float]:
    """Give a gauge's values by their only label."""
    (family,) = [one for one in read_gauges(front.house, Seen(), front.clock()) if one.name == name]
    return {"".join(sample.labels.values()): sample.value for sample in family.samples}


def test_the_gauges_tell_what_waits_and_since_when(front: Front, outages: Outages, clock: Clock) -> None:
    outages.published()
    arrivals = [Arrival(Door.WEBHOOK, clock(), b"{}", provider="victorops")] * 2
    with front.house.store.transaction() as connection:
        inbox_rows.add_many(connection, arrivals)
    posted_at = clock().timestamp()
    clock.move(timedelta(minutes=3))
    assert values(front, "replycast_open_incidents")["published"] == 1
    assert values(front, "replycast_inbox_pending") == {"webhook": 2, "mail": 0}
    assert values(front, "replycast_inbox_oldest_age_seconds") == {"webhook": 180, "mail": 0}
    assert values(front, "replycast_outbox_waiting")["employees"] > 0
    assert values(front, "replycast_outbox_overdue_seconds")["employees"] == 180
    assert values(front, "replycast_outbox_oldest_age_seconds") == {"": 180}
    assert values(front, "replycast_last_webhook_timestamp_seconds") == {"victorops": posted_at}
    assert values(front, "replycast_open_fan_outs") == {"": 1}


async def test_without_its_database_it_tells_that_and_what_it_counted_itself(front: Front) -> None:
    damage(front.house)
    async with asking(front) as client:
        answer = await client.get("/metrics")
    assert answer.status_code == 200
    assert "replycast_database_usable 0.0" in answer.text
    assert "replycast_active 1.0" in answer.text


def test_what_may_be_very_many_is_counted_up_to_a_bound(
    front: Front, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observing, "MOST_COUNTED", 3)
    with front.house.store.transaction() as connection:
        inbox_rows.add_many(connection, [Arrival(Door.WEBHOOK, clock(), b"{}")] * 5)
    assert values(front, "replycast_inbox_pending")["webhook"] == 3


def test_no_question_of_a_scrape_looks_through_a_table_or_sorts_one(
    front: Front, outages: Outages, clock: Clock
) -> None:
    outages.published()
    with front.house.store.transaction() as connection:
        inbox_rows.add_many(
            connection, [Arrival(Door.MAIL, clock(), b""), Arrival(Door.WEBHOOK, clock(), b"{}")]
        )
    asked: list[tuple[str, Any]] = []

    def hear(_connection: object, _cursor: object, text: str, given: object, *_: object) -> None:
        asked.append((text, given))

    event.listen(front.house.store.engine, "before_cursor_execute", hear)
    read_gauges(front.house, Seen(), front.clock())
    questions = [(text, given) for text, given in asked if text.startswith("SELECT")]
    with front.house.store.reading() as connection:
        faults = [
            f"{step.detail} | {' '.join(text.split())}"
            for text, given in questions
            for step in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", given)
            if "TEMP B-TREE" in step.detail or ("SCAN" in step.detail and not may_scan(step.detail))
        ]
    assert len(questions) > 20
    assert faults == []


def may_scan(step: str) -> bool:
    """Tell whether a step goes through what was found before, or through an index that holds nothing else."""
    found_before = step.startswith(("SCAN anon_", "SCAN pragma_", "SCAN CONSTANT"))
    return found_before or step.endswith(HOLD_NOTHING_ELSE)
