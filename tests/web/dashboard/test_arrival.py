"""One arrival: what it is read as, what to paste where no monitor takes it, and replaying it, dry or for real."""

import html
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import func, select

from service.actions.foretelling import foretell_post
from service.actions.house import House
from service.config import parse
from service.jobs import decide_what_is_due, keep_house
from service.providers.post import RawPost
from service.store import audit, inbox_rows
from service.store.columns import metadata
from service.store.inbox_rows import Arrival, Door, InboxState
from tests.rooms import CONFIG, Clock, make_front, make_house
from tests.web.employees import Enter, employee_at

pytestmark = pytest.mark.anyio

FIRES = b'{monitorName: "Email Server", state: "CRITICAL", entityId: "e1"}'
GENERIC = """\
webhooks:
  generic: {secret: s, each: post.checks, monitor_name: check.name, state: is}
"""
UNKNOWN = b'{monitorName: "Emial Server", state: "CRITICAL"}'


def receive(
    house: House, clock: Clock, raw: bytes, door: Door = Door.WEBHOOK, provider: str = "victorops"
) -> str:
    """Store something as it arrives, and work it off; gives its page."""
    provider = provider if door is Door.WEBHOOK else ""
    with house.store.transaction() as connection:
        [number] = inbox_rows.add_many(connection, [Arrival(door, clock(), raw, provider)])
    decide_what_is_due(house, clock())
    return f"/dashboard/inbox/{number}"


def count_of_everything(house: House) -> list[int]:
    """Count the rows of each table, save when somebody was seen."""
    with house.store.reading() as connection:
        counts = (select(func.count()).select_from(table) for table in metadata.sorted_tables)
        return [connection.execute(count).scalar_one() for count in counts]


async def test_a_post_is_shown_with_what_it_is_read_as(
    sam: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    text = (await sam.get(receive(house, clock, FIRES))).text
    assert "matches the monitor <code>Email Server</code>: joins its open incident, or opens one" in text
    assert "e1</a>: firing" in text
    assert "paste" not in text


async def test_a_post_that_cannot_be_read_says_what_to_mend(
    sam: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    assert "It cannot be read: " in (await sam.get(receive(house, clock, b"{}"))).text


async def test_for_a_name_that_no_monitor_takes_there_is_one_to_paste(
    sam: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    text = (await sam.get(receive(house, clock, UNKNOWN))).text
    said = "no monitor is configured for <code>Emial Server</code>, did you mean <code>Email Server</code>?"
    assert f"As config.yaml is now, it is recorded without effect: {said}</p>" in text
    assert "in config.yaml, which is taken over as soon as it is saved" in text
    block = html.unescape(text.partition('aria-labelledby="paste-1">')[2].partition("</pre>")[0])
    [*_, pasted] = parse(CONFIG + block, house.config.path, {}).monitors
    assert pasted.alert_names == ("Emial Server",)
    assert pasted.authored_by == "sam"


async def test_an_alert_without_a_name_is_explained_and_no_monitor_is_there_to_paste(
    sam: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    nameless = UNKNOWN.replace(b"Emial Server", b"${{ALERT.monitor_name}}")
    text = (await sam.get(receive(house, clock, nameless))).text
    said = "VictorOps had no monitor_name for this alert (it was raised by hand or by mail); <code>*</code> takes"
    assert text.count(said) == 2, "what became of it, and what would become of it now"
    assert "paste" not in text


@pytest.mark.parametrize("state", ["WARNING", "ACKED", "INFO", "HIGH", ""])
async def test_what_became_of_a_post_and_what_it_would_come_to_is_the_same_sentence(
    sam: httpx2.AsyncClient, tmp_path: Path, clock: Clock, state: str
) -> None:
    house = make_house(tmp_path, CONFIG.replace("    wait_time:", "    warning_fires: false\n    wait_time:"))
    body = FIRES.replace(b"CRITICAL", state.encode())
    receive(house, clock, body)
    with house.store.reading() as connection:
        row = inbox_rows.get(connection, 1)
    [foretold] = foretell_post(house.config, "victorops", RawPost(body)).alerts
    house.store.close()
    assert row is not None
    matches = "matches the monitor `Email Server`, but is recorded without effect"
    assert foretold.said == f"{matches}: {row.explanation}"


async def test_what_cannot_be_read_of_a_list_is_told_beside_its_alerts_and_is_no_name(
    tmp_path: Path, clock: Clock
) -> None:
    house = make_house(tmp_path, CONFIG + GENERIC)
    checks = (
        b'{"checks": [{"check": {"name": "Webmail"}, "is": "down"}, {"check": {"name": "b"}, "is": "?"}]}'
    )
    page = receive(house, clock, checks, provider="generic")
    async with employee_at(make_front(house, clock), clock, "sam") as browser:
        text = html.unescape((await browser.get(page)).text)
    house.store.close()
    assert (
        "A part of it cannot be read: alert 2 cannot be read: what <code>state: is</code> looks for" in text
    )
    assert text.count("alert_name: ") == 1
    assert 'alert_name: "Webmail"' in text


async def test_a_dry_replay_shows_what_would_happen_and_does_nothing(
    sam: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    page = receive(house, clock, FIRES)
    before = count_of_everything(house)
    text = (await sam.post(f"{page}/dry")).text
    assert "What would happen" in text
    assert "Mail to jordan@acme.example" in text
    assert count_of_everything(house) == before


async def test_a_real_replay_is_a_post_that_comes_now(enter: Enter, house: House, clock: Clock) -> None:
    page = receive(house, clock, FIRES)
    async with enter("jordan") as jordan:
        again = await jordan.post(f"{page}/replay")
        assert again.headers["location"] == "/dashboard/inbox/2"
        with house.store.reading() as connection:
            row = inbox_rows.get(connection, 2)
            [noted] = audit.listed(connection, act="post_replayed", limit=9)
        assert row is not None
        assert (row.raw, row.provider, row.about, row.state) == (
            FIRES,
            "victorops",
            {"replay_of": 1},
            InboxState.PENDING,
        )
        assert (noted.by, noted.about, noted.note) == ("jordan", "#1", "as #2")
        decide_what_is_due(house, clock())
        assert "A replay of" in (await jordan.get("/dashboard/inbox/2")).text


@pytest.mark.parametrize("other", ["sam", "vera"])
async def test_only_admins_replay_for_real(enter: Enter, house: House, clock: Clock, other: str) -> None:
    page = receive(house, clock, FIRES)
    async with enter(other) as client:
        assert "Replay for real" not in (await client.get(page)).text
        assert (await client.post(f"{page}/replay")).status_code == 403
    with house.store.reading() as connection:
        assert inbox_rows.get(connection, 2) is None


async def test_a_mail_is_read_for_admins_and_never_replayed(enter: Enter, house: House, clock: Clock) -> None:
    raw = b"From: sam@acme.example\r\nTo: status@acme.example\r\nSubject: Re: x\r\n\r\npublish\r\n"
    page = receive(house, clock, raw, Door.MAIL)
    async with enter("jordan") as jordan:
        text = (await jordan.get(page)).text
        assert "<dd>publish</dd>" in text
        assert "no token" in text
        refused = await jordan.post(f"{page}/replay")
        assert (refused.status_code, "its token is used up" in refused.text) == (403, True)
        assert "Judged now" not in text
        dry = (await jordan.post(f"{page}/dry")).text
        assert "<dt>Judged now</dt><dd>yes: " in dry  # the policy is token_only
    async with enter("sam") as sam:
        assert "<dd>publish</dd>" not in (await sam.get(page)).text
        assert "Judged now" not in (await sam.post(f"{page}/dry")).text
    with house.store.reading() as connection:
        assert inbox_rows.get(connection, 2) is None


async def test_what_is_not_there_is_not_replayed(enter: Enter) -> None:
    async with enter("jordan") as jordan:
        for order in ("dry", "replay"):
            assert (await jordan.post(f"/dashboard/inbox/99/{order}")).status_code == 404


@pytest.mark.parametrize("door", Door)
async def test_of_what_was_kept_long_enough_it_is_said_that_its_body_was_removed(
    door: Door, enter: Enter, house: House, clock: Clock
) -> None:
    page = receive(
        house, clock, b"{}" if door is Door.WEBHOOK else b"From: x@y.example\r\n\r\nhello\r\n", door
    )
    clock.move(house.config.retention.inbox + timedelta(seconds=1))
    keep_house(house, clock())
    async with enter("jordan") as jordan:
        text = (await jordan.get(page)).text
        assert "Its body was removed: bodies are kept for 730d" in text
        assert "Read as" not in text
        assert "Replay" not in text
        assert (await jordan.post(f"{page}/replay")).status_code == (404 if door is Door.WEBHOOK else 403)


async def test_an_incident_says_that_a_body_of_its_alerts_was_removed(
    enter: Enter, house: House, clock: Clock
) -> None:
    receive(house, clock, FIRES)
    receive(house, clock, FIRES.replace(b"CRITICAL", b"RECOVERY"))
    async with enter("sam") as sam:
        assert "Its body was removed" not in (await sam.get("/dashboard/incidents/1")).text
    clock.move(house.config.retention.inbox + timedelta(seconds=1))
    keep_house(house, clock())
    async with enter("sam") as sam:
        assert (await sam.get("/dashboard/incidents/1")).text.count("Its body was removed") == 2
