"""What is counted of a whole outage, and that guide, alerts and dashboard speak of nothing but what there is."""

import json
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import Metric

from service.app.meters import Meters
from service.web.gauges import read_gauges
from tests.effort import counting
from tests.rooms import CONFIG, Clock
from tests.stories.world import ANA, JORDAN, World, make_world

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy/prometheus/replycast.rules.yml"
DASHBOARD = ROOT / "deploy/grafana/replycast.json"
GUIDE = ROOT / "docs/metrics.md"
UNITS = ("_seconds", "_bytes", "_total")
WITH_TOKEN = f"{CONFIG}metrics: {{token: sesame}}\n"
needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="Debian's prometheus brings promtool"
)


@pytest.fixture
async def world(tmp_path: Path, clock: Clock) -> AsyncIterator[World]:
    """Give a running service whose metrics a token opens."""
    async with make_world(tmp_path, clock, WITH_TOKEN) as made:
        yield made


async def whole_outage(world: World) -> None:
    """Let somebody subscribe, a monitor fire, an employee publish by a reply, and the monitor recover."""
    await world.subscribe(ANA)
    await world.fire()
    await world.after(minutes=6)
    await world.answer(world.mails(JORDAN)[-1], "publish")
    await world.recover()
    await world.fire("Nobody knows it")


def metrics_of(world: World) -> list[Metric]:
    """Give all metrics of a service."""
    service = world.service
    return [
        *service.instruments.meters.collect(),
        *read_gauges(service.house, service.seen(), world.clock()),
    ]


def name_of(metric: Metric) -> str:
    """Give the name by which a metric is asked for; OpenMetrics has that of a counter without its end."""
    return f"{metric.name}_total" if metric.type == "counter" else str(metric.name)


async def scraped(world: World) -> dict[str, float]:
    """Scrape as Prometheus does."""
    answer = await world.client.get("/metrics", headers={"authorization": "Bearer sesame"})
    assert answer.status_code == 200
    lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


@pytest.mark.anyio
async def test_a_whole_outage_is_counted_from_webhook_to_delivery(world: World) -> None:
    await whole_outage(world)
    found = await scraped(world)
    expected = {
        'replycast_webhooks_total{code="202",provider="victorops"}': 3,
        "replycast_webhook_duration_seconds_count": 3,
        'replycast_alerts_total{provider="victorops",reason="opened"}': 1,
        'replycast_alerts_total{provider="victorops",reason="no_monitor"}': 1,
        'replycast_decisions_total{phase="waiting",reason="opened"}': 1,
        'replycast_decisions_total{phase="published",reason="published"}': 1,
        'replycast_received_mails_total{reason="published"}': 1,
        'replycast_arrival_wait_seconds_count{door="webhook"}': 3,
        'replycast_arrival_wait_seconds_count{door="mail"}': 1,
        'replycast_deliveries_total{kind="approval",outcome="sent"}': 2,
        'replycast_deliveries_total{kind="subscriber_update",outcome="sent"}': 2,
        'replycast_subscribers{state="confirmed"}': 1,
        'replycast_loop_failures_total{loop="decide"}': 0,
        "replycast_config_last_reload_successful": 1,
    }
    assert {name: found.get(name) for name in expected} == expected
    assert found["replycast_decide_duration_seconds_count"] > 0


@pytest.mark.anyio
async def test_what_alerts_watch_of_a_provider_is_there_before_it_happens(world: World) -> None:
    await world.fire()
    found = await scraped(world)
    expected = {
        'replycast_alerts_total{provider="victorops",reason="no_monitor"}': 0,
        'replycast_alerts_total{provider="victorops",reason="unknown_state"}': 0,
        'replycast_alerts_total{provider="victorops",reason="unreadable"}': 0,
        'replycast_webhooks_total{code="401",provider="victorops"}': 0,
        'replycast_webhooks_total{code="202",provider="victorops"}': 1,
    }
    assert {name: found.get(name) for name in expected} == expected


@pytest.mark.anyio
async def test_a_stranger_makes_no_counts_of_his_own(world: World) -> None:
    for number in range(5):
        assert (await world.post("{}", f"/webhook/made-up-{number}")).status_code == 404
    found = await scraped(world)
    assert found['replycast_webhooks_total{code="404",provider="unknown"}'] == 5
    assert not any("made-up" in name for name in found)


@pytest.mark.anyio
async def test_two_services_in_one_process_count_by_themselves(world: World, tmp_path: Path) -> None:
    await world.fire()
    (tmp_path / "other").mkdir()
    async with make_world(tmp_path / "other", world.clock, WITH_TOKEN) as other:
        found = await scraped(other)
    assert 'replycast_webhooks_total{code="202",provider="victorops"}' not in found


@pytest.mark.anyio
async def test_the_guide_tells_of_each_metric_what_it_says_itself_and_of_no_other(world: World) -> None:
    await whole_outage(world)
    rows = re.findall(
        r"^\| `([a-z_]+)` \| (counter|gauge|histogram) \| (.*?)\s*\| (.*) \|$",
        GUIDE.read_text(),
        re.MULTILINE,
    )
    told = {name: (kind, set(re.findall(r"`(\w+)`", labels)), said) for name, kind, labels, said in rows}
    there = {
        name_of(metric): (
            metric.type,
            {label for sample in metric.samples for label in sample.labels} - {"le"},
            metric.documentation,
        )
        for metric in metrics_of(world)
    }
    assert told == there


@pytest.mark.anyio
async def test_names_and_units_are_as_prometheus_wants_them(world: World) -> None:
    await whole_outage(world)
    for metric in metrics_of(world):
        name = name_of(metric)
        assert re.fullmatch(r"(replycast|process)_[a-z]+(_[a-z]+)*", name)
        assert name.endswith("_total") == (metric.type == "counter")
        assert not any(f"{unit}_" in name and not name.endswith(UNITS) for unit in UNITS)


def expressions_of_dashboard() -> list[str]:
    """Give what the panels ask."""
    dashboard: dict[str, Any] = json.loads(DASHBOARD.read_text())
    return [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]


@pytest.mark.anyio
async def test_alerts_and_dashboard_ask_for_nothing_that_is_not_there(world: World) -> None:
    await whole_outage(world)
    ends = {"histogram": ("_bucket", "_count", "_sum")}
    there = {name_of(one) + end for one in metrics_of(world) for end in ends.get(one.type, ("",))}
    asked = set(
        re.findall(
            r"\b(?:replycast|process)_\w+", " ".join([*expressions_of_dashboard(), *expressions_of_rules()])
        )
    )
    assert len(asked) > 20
    assert asked <= there


def expressions_of_rules() -> list[str]:
    """Give what the alert rules ask."""
    return re.findall(r"expr:(?: >-\n\s+)? (.*)", RULES.read_text().replace(">-\n", ">-\n "))


def test_each_alert_says_what_to_do() -> None:
    rules = RULES.read_text().split("- alert:")[1:]
    assert len(rules) > 10
    for rule in rules:
        assert "severity: " in rule
        assert "summary: " in rule
        assert "runbook: " in rule


def test_no_panel_lies_on_another() -> None:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    taken = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24


@needs_promtool
@pytest.mark.parametrize(
    "arguments", [("check", "rules", RULES.name), ("test", "rules", "replycast.rules.test.yml")], ids=" ".join
)
def test_prometheus_takes_the_alert_rules(arguments: tuple[str, ...]) -> None:
    done = subprocess.run(
        ["promtool", *arguments], cwd=RULES.parent, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
@pytest.mark.anyio
async def test_prometheus_finds_no_fault_in_what_it_reads(world: World) -> None:
    await whole_outage(world)
    answer = await world.client.get("/metrics", headers={"authorization": "Bearer sesame"})
    check = partial(subprocess.run, check=False, capture_output=True, text=True)
    done = check(["promtool", "check", "metrics"], input=answer.text)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_what_is_counted_costs_the_hot_paths_next_to_nothing() -> None:
    meters = Meters()
    notes = meters.notes
    with counting() as effort:
        for _ in range(100):
            notes.took_alert("victorops", "alert_repeated")
            notes.waited("webhook", timedelta(milliseconds=3))
            meters.answered("victorops", 202, 0.002)
    assert effort.calls < 10_000


def test_answers_are_counted_from_zero_on_and_their_seconds_are_summed() -> None:
    meters = Meters()
    for provider, code, took in (("victorops", 202, 0.0025), ("victorops", 401, 0.5), ("", 404, 7.0)):
        meters.answered(provider, code, took)
    told = {
        (one.name, *one.labels.values()): one.value for metric in meters.collect() for one in metric.samples
    }
    counts = {labels[1:]: value for labels, value in told.items() if labels[0] == "replycast_webhooks_total"}
    assert len(counts) == 2 * 6
    assert {labels for labels, value in counts.items() if value == 1} == {
        ("victorops", "202"),
        ("victorops", "401"),
        ("unknown", "404"),
    }
    name = "replycast_webhook_duration_seconds"
    assert told[f"{name}_sum",] == pytest.approx(7.5025)
    ends = ("0.001", "0.0025", "0.5", "5.0", "+Inf")
    assert [told[f"{name}_bucket", end] for end in ends] == [0, 1, 2, 2, 3]
