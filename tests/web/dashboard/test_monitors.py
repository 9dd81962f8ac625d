"""The monitors as employees see them: settings, history, problems, previews and simulations."""

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from service.actions.house import House
from service.actions.simulating import simulate
from service.actions.simulation import Simulation
from service.jobs import decide_what_is_due
from service.model import LastResort, Monitor, Phase, Rung
from service.store import inbox_rows
from service.store.inbox_rows import Arrival, Door
from service.web.dashboard import monitors as dashboard_monitors
from service.web.dashboard.monitor_previews import MOST_KEPT, Previews
from service.web.dashboard.monitor_words import example_name, settings_in_words, slug_of, span_in_words
from service.web.dashboard.monitors import LARGEST_PAYLOAD
from service.web.front import Front
from tests.rooms import CONFIG, Clock, make_house
from tests.web.employees import Enter, phase_of
from tests.web.outages import ECHO_MONITOR, Outages

pytestmark = pytest.mark.anyio

TEXT = CONFIG + ECHO_MONITOR
LIST = "/dashboard/monitors"
FIRING = '{monitorName: "Echo", state: "CRITICAL", subject: "From <b>", message: "a payload"}'


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Give a house whose config.yaml lies where it says."""
    made = make_house(tmp_path, TEXT)
    made.config.path.write_text(TEXT)
    yield made
    made.store.close()


@pytest.fixture
def monitor(house: House) -> str:
    """Give the address of the mail server's monitor."""
    return f"{LIST}/{slug_of(house.config.monitors[0])}"


def change(house: House, old: str, new: str) -> None:
    """Change config.yaml on disk while the service runs."""
    path = house.config.path
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    later = path.stat().st_mtime + 5  # two changes within a tick of the file system's clock
    os.utime(path, (later, later))


def receive(house: House, clock: Clock, *posts: tuple[str, bytes]) -> None:
    """Let posts of some providers arrive, and work them off."""
    arrivals = [Arrival(Door.WEBHOOK, clock(), body, provider) for provider, body in posts]
    with house.store.transaction() as connection:
        inbox_rows.add_many(connection, arrivals)
    decide_what_is_due(house, clock())


async def test_the_list_tells_what_was_lost_and_why(
    sam: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    receive(
        house,
        clock,
        ("victorops", FIRING.replace("CRITICAL", "HIGH").encode()),
        ("victorops", b'{monitorName: "${{ALERT.monitor_name}}", state: "CRITICAL"}'),
        ("victorops", b'{monitorName: "Toaster", state: "CRITICAL"}'),
        ("uptimekuma", b'{"monitor": {"name": "Email Server"}, "heartbeat": {"status": 0}}'),
    )
    text = (await sam.get(LIST)).text
    assert "<code>HIGH</code> was received once and is no state that is known" in text
    unmatched = text.partition('id="part-unmatched"')[2]
    assert "VictorOps had no monitor_name for this alert" in unmatched
    assert "${{ALERT" not in unmatched
    assert "Toaster</a>" in unmatched
    assert '<span class="muted small">victorops, <time' in unmatched
    assert "this came from uptimekuma: set <code>provider: uptimekuma</code> in a monitor" in unmatched


async def test_the_list_shows_each_monitor_with_its_line_and_what_it_did(
    sam: httpx2.AsyncClient, monitor: str, outages: Outages
) -> None:
    outages.published()
    text = (await sam.get(LIST)).text
    assert f'href="{monitor}"' in text
    for said in ("line 11", "wait 5m", "fired 1", "resolved 0", "published 1", "last alert", "no problem"):
        assert said in text
    assert 'aria-current="page">Monitors' in text


async def test_a_monitor_is_shown_as_it_is_set_and_as_the_file_has_it(
    sam: httpx2.AsyncClient, monitor: str
) -> None:
    text = (await sam.get(monitor)).text
    for said in ("5m; what recovers within it tells nobody", "Jordan Ray, Sam Lee", "by an employee"):
        assert said in text
    assert "In config.yaml, from line 11" in text
    assert "    wait_time: 5m\n" in text
    assert "Nothing has fired yet" in text


async def test_its_last_alerts_lead_to_incidents_and_to_the_inbox(
    sam: httpx2.AsyncClient, monitor: str, outages: Outages
) -> None:
    incident = outages.fire()
    outages.recover()
    text = (await sam.get(monitor)).text
    assert text.count(f'href="/dashboard/incidents/{incident.id}"') == 2
    assert 'href="/dashboard/inbox/2"' in text
    assert "recovered within its wait time" in text


async def test_problems_of_the_file_and_of_the_past_are_named(
    sam: httpx2.AsyncClient, monitor: str, outages: Outages, house: House
) -> None:
    outages.fire()
    outages.clock.move(timedelta(days=2))
    change(house, '"Email works again."', '""')
    for path in (LIST, monitor):
        text = (await sam.get(path)).text
        assert "add a <code>closing_comment</code>" in text
        assert "is the second webhook, for Incident-Resolved, missing there?" in text


async def test_a_file_as_it_runs_needs_no_notice(sam: httpx2.AsyncClient, monitor: str) -> None:
    for path in (LIST, monitor):
        assert "on disk" not in (await sam.get(path)).text


async def test_a_newer_file_is_told_and_what_runs_is_shown(
    sam: httpx2.AsyncClient, monitor: str, house: House
) -> None:
    change(house, "wait_time: 5m", "wait_time: 9m")
    for path in (LIST, monitor):
        text = (await sam.get(path)).text
        assert "is newer than what runs: monitors differs" in text
    assert "5m; what recovers within it" in text
    assert "wait_time: 9m" in text  # as the file has it now
    change(house, "wait_time: 9m", "wait_time: 5m")
    assert "on disk" not in (await sam.get(monitor)).text


async def test_a_faulty_file_is_told_with_its_lines_and_the_older_one_goes_on(
    sam: httpx2.AsyncClient, monitor: str, house: House
) -> None:
    change(house, "wait_time: 5m", "wait_time: 5")
    text = (await sam.get(monitor)).text
    assert "has a fault, and would not start" in text
    assert text.count("line 19: ") == 2  # above, and among the monitor's problems
    assert "5m; what recovers within it" in text


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"a: [", b"x" * 2_000_000, None])
async def test_a_file_that_cannot_be_read_at_all_keeps_no_page_from_showing(
    content: bytes | None, sam: httpx2.AsyncClient, monitor: str, house: House
) -> None:
    if content is None:
        house.config.path.unlink()
    else:
        house.config.path.write_bytes(content)
    for path in (LIST, monitor):
        answer = await sam.get(path)
        assert answer.status_code == 200
        assert "has a fault, and would not start" in answer.text


async def test_a_monitor_that_is_not_there_is_not_found(sam: httpx2.AsyncClient, monitor: str) -> None:
    for path in (f"{LIST}/x", f"{monitor}0", f"{monitor}/preview/x", f"{LIST}/%00"):
        assert (await sam.get(path)).status_code == 404
    assert (await sam.post(f"{LIST}/x/simulate")).status_code == 404


@pytest.mark.parametrize("route", dashboard_monitors.routes, ids=lambda route: route.path)
async def test_who_is_not_logged_in_gets_no_further_than_the_login(
    route: object, enter: Enter, monitor: str
) -> None:
    path = route.path.replace(f"{LIST}/{{slug}}", monitor).replace("{reader}", "employees")  # type: ignore[attr-defined]  # a Route
    async with enter(None) as stranger:
        for method in route.methods or ():  # type: ignore[attr-defined]  # as above
            answer = await stranger.request(method, path)
            assert answer.status_code == 303
            assert answer.headers["location"].startswith("/login?next=/dashboard/monitors")


async def test_a_simulation_shows_the_timeline_and_every_mail_and_changes_nothing(
    enter: Enter, monitor: str, outages: Outages, house: House
) -> None:
    incident = outages.fire()
    form = {"name": "Email Server", "state": "CRITICAL", "recovered_after": "30m", "publish_after": "3m"}
    async with enter("vera") as viewer:
        answer = await viewer.post(f"{monitor}/simulate", data=form)
    assert answer.status_code == 200
    for said in ("After 5m", "After 8m", "Jordan Ray answers", "After 30m", "subscriber@reader.example"):
        assert said in answer.text
    assert "Email works again." in answer.text
    assert 'value="30m"' in answer.text
    assert phase_of(house, incident) is Phase.WAITING


async def test_a_payload_is_simulated_whichever_monitor_takes_it(
    sam: httpx2.AsyncClient, monitor: str
) -> None:
    text = (await sam.post(f"{monitor}/simulate", data={"payload": FIRING, "publish_after": "1m"})).text
    assert "is taken by the monitor victorops:Echo." in text
    assert "From &lt;b&gt;" in text
    assert "From <b>" not in text
    unreadable = (await sam.post(f"{monitor}/simulate", data={"payload": "{"})).text
    assert "It cannot be read" in unreadable
    assert "Nobody would get a mail." in unreadable


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({}, "Give a name, or a payload."),
        ({"name": "x", "recovered_after": "7"}, "has no unit"),
        ({"name": "x", "publish_after": "<b>"}, "is not a span of time"),
        ({"payload": "x" * (LARGEST_PAYLOAD + 1)}, "This payload is too long"),
    ],
)
async def test_what_cannot_be_simulated_is_said_and_what_was_typed_is_kept(
    form: dict[str, str], said: str, sam: httpx2.AsyncClient, monitor: str
) -> None:
    answer = await sam.post(f"{monitor}/simulate", data=form)
    assert answer.status_code == 422
    assert said in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert "<b>" not in answer.text
    assert f'value="{form.get("name", "")}"' in answer.text


async def test_the_preview_shows_both_mails_and_the_page(sam: httpx2.AsyncClient, monitor: str) -> None:
    text = (await sam.get(f"{monitor}/preview")).text
    assert "[INC-1] Email is unavailable" in text
    assert "[Acme Status] Email is unavailable" in text
    for part, said in {
        "employees": "INC-1 waits for your decision",
        "subscribers": "Choose components or unsubscribe",
        "page": "We are looking into <strong>Email Server</strong>",
    }.items():
        assert f'src="{monitor}/preview/{part}"' in text
        framed = await sam.get(f"{monitor}/preview/{part}")
        assert said in framed.text
        policy = framed.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src" not in policy
        assert "frame-ancestors 'self'" in policy


async def test_a_preview_and_its_frames_are_one_simulation_for_a_minute(
    sam: httpx2.AsyncClient, monitor: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []

    def count(*given: object, **more: object) -> Simulation:
        ran.append("once more")
        return simulate(*given, **more)  # type: ignore[arg-type]  # as it was called

    monkeypatch.setattr("service.web.dashboard.monitor_previews.simulate", count)
    parts = ("", "/employees", "/subscribers", "/page")
    for part in parts:
        await sam.get(f"{monitor}/preview{part}")
    assert len(ran) == 1
    clock.move(timedelta(minutes=1))
    for part in parts[1:]:
        await sam.get(f"{monitor}/preview{part}")
    assert len(ran) == 2
    await sam.get(f"{monitor}/preview")
    assert len(ran) == 3


def test_no_more_previews_are_kept_than_are_looked_at(front: Front) -> None:
    previews, monitor = Previews(), front.house.config.monitors[0]
    named = [replace(monitor, alert_names=(f"Monitor {number}",)) for number in range(MOST_KEPT + 1)]
    shown = [previews.anew(front, one) for one in named]
    assert previews.kept(front, named[-1]) is shown[-1]
    assert previews.kept(front, named[0]) is not shown[0]


def test_an_address_stays_the_same_and_tells_monitors_apart(house: House) -> None:
    email = house.config.monitors[0]
    others = [
        replace(email, alert_names=names)
        for names in (("*",), ("email server",), ("Email Server!",), ("x" * 500,), ("ä", "Email Server"))
    ]
    slugs = [slug_of(one) for one in (email, *others)]
    assert len(set(slugs)) == len(slugs)
    assert slug_of(replace(email, wait_time=timedelta(0), provider=email.provider)) == slugs[0]
    assert all(len(slug) < 60 and slug.replace("-", "").isalnum() and slug.isascii() for slug in slugs)
    assert slugs[0].startswith("email-server-")


@pytest.mark.parametrize(
    ("names", "example"),
    [
        (("A", "b-*"), "A"),
        (("b-*", "A"), "A"),
        (("api-*",), "api-Example"),
        (("*",), "Example"),
        (("a?",), "ax"),
    ],
)
def test_an_example_is_a_name_that_the_monitor_takes(
    names: tuple[str, ...], example: str, house: House
) -> None:
    assert example_name(replace(house.config.monitors[0], alert_names=names)) == example


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "under a minute"), (59, "under a minute"), (240, "4 min"), (7_500, "2 h 5 min"), (259_200, "3 d")],
)
def test_a_span_that_has_passed_is_said_roughly(seconds: int, words: str) -> None:
    assert span_in_words(timedelta(seconds=seconds)) == words


def words_of(monitor: Monitor) -> dict[str, str]:
    """Give a monitor's settings by their heading."""
    return dict(settings_in_words(monitor, str.capitalize))


def test_every_setting_is_said_in_words(house: House) -> None:
    email = house.config.monitors[0]
    plain = words_of(email)
    assert plain["Closing"] == "by itself, once it recovered"
    assert plain["Audience"] == "all subscribers of these components"
    assert "While nobody decides" not in plain
    rich = words_of(
        replace(
            email,
            wait_time=timedelta(0),
            auto_publish=True,
            auto_close=False,
            combine_alerts=False,
            warning_fires=False,
            closing_comment="",
            affected_components={},
            audience=("Partners",),
            remind_every=timedelta(minutes=15),
            escalate=(
                Rung(timedelta(minutes=5)),
                Rung(timedelta(minutes=10), ("ana",)),
                Rung(timedelta(hours=4), then=LastResort.LEAVE),
            ),
        )
    )
    assert rich == plain | {
        "Affects": "no component",
        "Wait time": "none",
        "Further alerts": "open an incident each",
        "Publishing": "by itself, at once",
        "Reminds": "every 15m until somebody decides, or tells more",
        "While nobody decides": (
            "after 5m all are reminded; after 10m Ana too; after 4h it is left as it is, without further mails"
        ),
        "Closing": "by an employee",
        "Closing comment": "none",
        "Audience": "Partners",
        "WARNING": "is recorded, and does nothing",
    }
    assert words_of(replace(email, approvals=2))["Publishing"] == "by 2 employees together"
    assert words_of(replace(email, recovery_grace=timedelta(minutes=2)))["Closing"] == (
        "by itself, 2m after it recovered"
    )
