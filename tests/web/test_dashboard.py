"""The incidents as employees see them: what is shown, what can be ordered, and by whom."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta
from functools import partial

import httpx2
import pytest

from service.actions import deciding, subscribing
from service.actions.alerts import take_alerts
from service.actions.fan_out import queue_next_chunk
from service.actions.house import House
from service.errors import IncidentChangedMeanwhile
from service.mail.compose import link_token
from service.model import Alert, AlertState, DeliveryKind, Incident, Phase, UpdateStatus
from service.store import deliveries, inbox_rows, incidents, subscribers
from service.store.credentials import Purpose
from service.store.inbox_rows import Arrival, Door, InboxState
from service.store.schema import deliveries as delivery_rows
from service.web.dashboard import ENDED_SHOWN, LONGEST_TEXT
from service.web.front import Front
from service.web.inbox_page import RAW_SHOWN, ROWS_SHOWN
from tests.rooms import Clock
from tests.web.employees import ROUTES_FOR_EMPLOYEES, employee_at
from tests.web.outages import ECHO, Outages

pytestmark = pytest.mark.anyio

Enter = Callable[[str | None], AbstractAsyncContextManager[httpx2.AsyncClient]]


@pytest.fixture
def enter(front: Front, clock: Clock) -> Enter:
    """Give a way to enter as an employee."""
    return partial(employee_at, front, clock)


@pytest.fixture
async def sam(enter: Enter) -> AsyncIterator[httpx2.AsyncClient]:
    """Give the browser of Sam, who may publish."""
    async with enter("sam") as client:
        yield client


def phase_of(house: House, incident: Incident) -> Phase:
    """Read where an incident stands."""
    with house.store.reading() as connection:
        found = incidents.get(connection, incident.id)
    assert found is not None
    return found.phase


def subscribe(house: House, clock: Clock, *emails: str) -> None:
    """Let readers sign up and confirm."""
    for email in emails:
        subscribing.subscribe(house, email, clock())
        with house.store.reading() as connection:
            found = subscribers.find_by_email(connection, email)
        assert found is not None
        mail_id = f"{int(found.public_id, 16) + 1:032x}"  # the house gives its ids in this order
        subscribing.confirm(house, link_token(house.key, mail_id, Purpose.CONFIRM), clock())


def page_of(incident: Incident, order: str = "") -> str:
    """Give the path of an incident's page, or of an order about it."""
    return f"/dashboard/incidents/{incident.id}{order and '/'}{order}"


# Who may come in


@pytest.mark.parametrize("route", ROUTES_FOR_EMPLOYEES, ids=lambda route: route.path)
async def test_who_is_not_logged_in_gets_no_further_than_the_login(
    route: object, enter: Enter, house: House, outages: Outages
) -> None:
    incident = outages.fire()
    path, methods = route.path.replace("{id}", "1"), route.methods or set()  # type: ignore[attr-defined]  # a Route
    async with enter(None) as stranger:
        for method in methods:
            answer = await stranger.request(method, path)
            assert answer.status_code == 303
            assert answer.headers["location"].startswith("/login?next=/dashboard")
            assert incident.subject not in answer.text
    assert phase_of(house, incident) is Phase.WAITING


ORDERS = [route for route in ROUTES_FOR_EMPLOYEES if "POST" in (route.methods or set())]


@pytest.mark.parametrize("route", ORDERS, ids=lambda route: route.path)
@pytest.mark.parametrize("phase", ["waiting", "published", "closed"])
@pytest.mark.parametrize("form", [{}, {"text": "Hi", "status": "identified", "comment": "x" * 30_000}])
async def test_a_viewer_orders_nothing(
    route: object, phase: str, form: dict[str, str], enter: Enter, house: House, outages: Outages
) -> None:
    incident = outages.fire()
    if phase != "waiting":
        outages.publish(incident)
    if phase == "closed":
        outages.close(incident)
    async with enter("vera") as vera:
        answer = await vera.post(route.path.replace("{id}", "1"), data=form)  # type: ignore[attr-defined]  # a Route
        assert answer.status_code == 403
        assert "Vera Moss may look, but not publish" in answer.text
        page = await vera.get(page_of(incident))
    assert phase_of(house, incident) == phase
    assert page.text.count("<form") == 1  # that to log out
    assert "Hi" not in page.text


@pytest.mark.parametrize("path", ["/dashboard", "/dashboard/inbox", "/dashboard/incidents/1"])
async def test_a_viewer_sees_everything_and_no_browser_keeps_it(
    path: str, enter: Enter, outages: Outages
) -> None:
    outages.fire()
    async with enter("vera") as vera:
        answer = await vera.get(path)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"


async def test_who_is_no_longer_an_employee_is_out(
    front: Front, enter: Enter, clock: Clock, house: House
) -> None:
    async with enter("sam") as sam:
        key = sam.cookies["replycast_session"]
    left = {name: one for name, one in house.config.employees.items() if name != "sam"}
    without = replace(house, config=replace(house.config, employees=left))
    async with employee_at(replace(front, house=without), clock, None) as client:
        client.cookies.set("replycast_session", key)
        assert (await client.get("/dashboard")).status_code == 303


async def test_another_site_cannot_publish_with_an_employees_browser(
    sam: httpx2.AsyncClient, house: House, outages: Outages
) -> None:
    incident = outages.fire()
    forged = {"sec-fetch-site": "cross-site"}
    assert (await sam.post(page_of(incident, "publish"), headers=forged)).status_code == 403
    assert phase_of(house, incident) is Phase.WAITING


@pytest.mark.parametrize(
    "path", ["/dashboard/incidents/", "/dashboard/inbox/"], ids=["an incident", "an arrival"]
)
@pytest.mark.parametrize("number", ["7", "x", "-1", "9" * 18, "9" * 30, "9" * 5000, "%C2%B2"])
async def test_what_is_not_there_is_not_found(path: str, number: str, sam: httpx2.AsyncClient) -> None:
    assert (await sam.get(path + number)).status_code == 404


async def test_an_order_about_what_is_not_there_is_not_found(sam: httpx2.AsyncClient) -> None:
    assert (await sam.post("/dashboard/incidents/7/publish")).status_code == 404


# The list


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
    text = " ".join((await sam.get("/dashboard")).text.split())
    assert "employees are asked in <strong>3 min</strong> unless it recovers" in text


async def test_ended_incidents_come_page_by_page(sam: httpx2.AsyncClient, outages: Outages) -> None:
    ended = []
    for _ in range(ENDED_SHOWN + 2):
        ended.append(outages.fire())
        outages.recover()
    first = (await sam.get("/dashboard")).text
    oldest_shown = ended[2]
    assert f"/dashboard?before={oldest_shown.id}" in first
    assert f'href="{page_of(ended[1])}"' not in first
    second = (await sam.get(f"/dashboard?before={oldest_shown.id}")).text
    assert f'href="{page_of(ended[1])}"' in second
    assert "Show older" not in second


@pytest.mark.parametrize("before", ["x", "-1", "9" * 40, "", "1; DROP TABLE incidents", "²"])
@pytest.mark.parametrize("path", ["/dashboard", "/dashboard/inbox"])
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


# One incident


async def test_the_page_shows_what_would_be_read_and_by_how_many(
    sam: httpx2.AsyncClient, outages: Outages, house: House, clock: Clock
) -> None:
    subscribe(house, clock, "a@x.example", "b@x.example")
    incident = outages.fire()
    text = (await sam.get(page_of(incident))).text
    assert "We are looking into <strong>Email Server</strong>." in text
    assert "<strong>2 subscribers</strong>" in text
    assert "Publish to 2 subscribers" in text


async def test_later_subscribers_are_not_counted_for_updates(
    sam: httpx2.AsyncClient, outages: Outages, house: House, clock: Clock
) -> None:
    subscribe(house, clock, "a@x.example")
    incident = outages.published()
    queue_next_chunk(house, clock())
    subscribe(house, clock, "b@x.example", "c@x.example")
    assert "What 1 subscriber and the status page get to read" in (await sam.get(page_of(incident))).text


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
    assert "1 mail sent" in text
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


# Orders


async def test_publishing_says_what_came_of_it_and_mails_at_once(
    front: Front, clock: Clock, house: House, outages: Outages
) -> None:
    woken: list[bool] = []
    incident = outages.fire()
    async with employee_at(replace(front, wake=lambda: woken.append(True)), clock, "sam") as client:
        answer = await client.post(page_of(incident, "publish"))
        assert answer.status_code == 303
        shown = await client.get(answer.headers["location"])
    assert woken == [True]
    assert "INC-1 is published: it is on the status page" in shown.text
    assert phase_of(house, incident) is Phase.PUBLISHED


async def test_publishing_a_second_time_tells_who_was_first(
    sam: httpx2.AsyncClient, outages: Outages, clock: Clock
) -> None:
    incident = outages.fire()
    clock.move(timedelta(minutes=2))
    outages.publish(incident, by="jordan")
    clock.move(timedelta(minutes=2))
    answer = await sam.post(page_of(incident, "publish"))
    shown = (await sam.get(answer.headers["location"])).text
    assert "INC-1 was already published by Jordan Ray at 13:02 CET." in shown


async def test_discarding_ends_it(sam: httpx2.AsyncClient, house: House, outages: Outages) -> None:
    incident = outages.fire()
    answer = await sam.post(page_of(incident, "discard"))
    assert "nothing was sent to subscribers" in (await sam.get(answer.headers["location"])).text
    assert phase_of(house, incident) is Phase.DISCARDED


async def test_what_recovered_meanwhile_cannot_be_published(
    sam: httpx2.AsyncClient, house: House, outages: Outages
) -> None:
    incident = outages.fire()
    outages.recover()
    answer = await sam.post(page_of(incident, "publish"))
    shown = (await sam.get(answer.headers["location"])).text
    assert "INC-1 recovered at 13:00 CET before it was published; nothing was sent." in shown
    assert phase_of(house, incident) is Phase.DISCARDED


async def test_an_update_is_posted_with_its_line_ends_mended(
    sam: httpx2.AsyncClient, outages: Outages
) -> None:
    incident = outages.published()
    form = {"status": "monitoring", "text": " First line\r\n\r\nSecond **line** "}
    answer = await sam.post(page_of(incident, "update"), data=form)
    shown = (await sam.get(answer.headers["location"])).text
    assert "The update of INC-1 is posted" in shown
    assert "<p>First line</p>\n<p>Second <strong>line</strong></p>" in shown
    assert '<option value="monitoring" selected>' in shown


@pytest.mark.parametrize(
    ("form", "complaint"),
    [
        ({"status": "monitoring", "text": " \r\n "}, "Write what subscribers shall read; nothing was sent."),
        ({"status": "monitoring"}, "Write what subscribers shall read"),
        ({"status": "over", "text": "kept <words>"}, "Choose one of the statuses"),
        ({"status": "monitoring", "text": "kept <words>" + "x" * LONGEST_TEXT}, "at most 20,000"),
    ],
)
async def test_an_update_that_cannot_be_posted_says_why_and_keeps_what_was_typed(
    form: dict[str, str], complaint: str, sam: httpx2.AsyncClient, outages: Outages, house: House
) -> None:
    incident = outages.published()
    answer = await sam.post(page_of(incident, "update"), data=form)
    assert answer.status_code == 422
    assert complaint in answer.text
    assert ("kept &lt;words&gt;" in answer.text) == ("kept" in form.get("text", ""))
    assert "An update was posted" not in (await sam.get(page_of(incident))).text


async def test_a_chosen_status_is_kept_with_an_empty_text(sam: httpx2.AsyncClient, outages: Outages) -> None:
    incident = outages.published()
    answer = await sam.post(page_of(incident, "update"), data={"status": "monitoring", "text": ""})
    assert '<option value="monitoring" selected>' in answer.text


@pytest.mark.parametrize(
    ("comment", "told"),
    [("", "Email works again."), ("  ", "Email works again."), ("All fine.", "All fine.")],
)
async def test_closing_tells_the_comment_or_the_monitors(
    comment: str, told: str, sam: httpx2.AsyncClient, house: House, outages: Outages
) -> None:
    incident = outages.published()
    assert 'placeholder="Email works again."' in (await sam.get(page_of(incident))).text
    answer = await sam.post(page_of(incident, "close"), data={"comment": comment})
    shown = (await sam.get(answer.headers["location"])).text
    assert "INC-1 is closed" in shown
    assert f"<p>{told}</p>" in shown
    assert phase_of(house, incident) is Phase.CLOSED


async def test_a_comment_that_is_too_long_is_kept(sam: httpx2.AsyncClient, outages: Outages) -> None:
    incident = outages.published()
    answer = await sam.post(page_of(incident, "close"), data={"comment": "w" * (LONGEST_TEXT + 1)})
    assert answer.status_code == 422
    assert "w" * (LONGEST_TEXT + 1) in answer.text


async def test_a_closed_incident_can_be_corrected_and_stays_closed(
    sam: httpx2.AsyncClient, house: House, outages: Outages
) -> None:
    incident = outages.published()
    outages.close(incident)
    form = {"status": "resolved", "text": "It was the disk."}
    assert "Post a correction" in (await sam.get(page_of(incident))).text
    answer = await sam.post(page_of(incident, "update"), data=form)
    assert "It was the disk." in (await sam.get(answer.headers["location"])).text
    assert phase_of(house, incident) is Phase.CLOSED


@pytest.mark.parametrize("order", ["update", "close"])
async def test_what_is_not_published_is_neither_updated_nor_closed(
    order: str, sam: httpx2.AsyncClient, outages: Outages
) -> None:
    incident = outages.fire()
    answer = await sam.post(page_of(incident, order), data={"status": "identified", "text": "x"})
    shown = (await sam.get(answer.headers["location"])).text
    assert "INC-1 is not published yet: publish it first." in shown


async def test_somebody_elses_change_at_the_same_moment_is_told(
    sam: httpx2.AsyncClient, outages: Outages, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(*_: object) -> None:
        raise IncidentChangedMeanwhile("INC-1 was changed by somebody else; decide again")

    incident = outages.fire()
    monkeypatch.setattr(deciding, "publish", lose)
    answer = await sam.post(page_of(incident, "publish"))
    assert "Somebody else changed this incident" in (await sam.get(answer.headers["location"])).text


@pytest.mark.parametrize(
    "said",
    ["published", "discarded", "closed", "refused_already_published", "<script>", "opened", "Call+0800"],
)
async def test_a_made_up_link_makes_the_page_say_nothing_untrue(
    said: str, sam: httpx2.AsyncClient, outages: Outages
) -> None:
    incident = outages.fire()
    text = (await sam.get(f"{page_of(incident)}?said={said}")).text
    assert 'role="status"' not in text
    assert "<script>" not in text


async def test_a_form_of_endless_fields_is_refused(sam: httpx2.AsyncClient, outages: Outages) -> None:
    incident = outages.published()
    form = {f"field{number}": "x" for number in range(1000)}
    assert (await sam.post(page_of(incident, "update"), data=form)).status_code == 400


# The inbox


def receive(house: House, clock: Clock, raw: bytes, door: Door = Door.WEBHOOK) -> int:
    """Store something as it arrives, worked off as refused."""
    provider = "victorops" if door is Door.WEBHOOK else ""
    why = "no monitor is configured for `<b>`"
    arrival = Arrival(
        door, clock(), raw, provider, state=InboxState.REFUSED, reason="no_monitor", explanation=why
    )
    with house.store.transaction() as connection:
        return inbox_rows.add_many(connection, [arrival])[0]


async def test_the_inbox_shows_what_arrived_newest_first_and_why(
    sam: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    ids = [receive(house, clock, b"{}") for _ in range(ROWS_SHOWN + 1)]
    text = (await sam.get("/dashboard/inbox")).text
    assert text.index(f">#{ids[-1]}<") < text.index(f">#{ids[1]}<")
    assert f">#{ids[0]}<" not in text
    assert "no monitor is configured for `&lt;b&gt;`" in text
    older = (await sam.get(f"/dashboard/inbox?before={ids[1]}")).text
    assert f">#{ids[0]}<" in older


async def test_an_arrival_is_shown_as_text_up_to_a_bound(
    sam: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    number = receive(house, clock, b"<script>\xff</script>" + b"z" * 2 * RAW_SHOWN)
    text = (await sam.get(f"/dashboard/inbox/{number}")).text
    assert "&lt;script&gt;\ufffd&lt;/script&gt;" in text
    assert "The first 64.0 KiB of 128.0 KiB." in text
    assert RAW_SHOWN - 100 < text.count("z") < RAW_SHOWN + 100


async def test_an_arrival_leads_to_the_incidents_that_it_concerned(
    sam: httpx2.AsyncClient, outages: Outages
) -> None:
    incident = outages.fire()
    assert f'href="{page_of(incident)}"' in (await sam.get("/dashboard/inbox/1")).text


async def test_only_who_may_publish_reads_mails_whole(enter: Enter, house: House, clock: Clock) -> None:
    number = receive(house, clock, b"To: status+token@acme.example\r\n\r\npublish", Door.MAIL)
    async with enter("sam") as sam:
        assert "status+token@acme.example" in (await sam.get(f"/dashboard/inbox/{number}")).text
    async with enter("vera") as vera:
        shown = (await vera.get(f"/dashboard/inbox/{number}")).text
    assert "token@" not in shown
    assert "Only those who may publish" in shown


async def test_an_unread_arrival_is_pending(sam: httpx2.AsyncClient, house: House, clock: Clock) -> None:
    with house.store.transaction() as connection:
        inbox_rows.add_many(connection, [Arrival(Door.MAIL, clock(), b"x", about={"folder": "INBOX"})])
    assert "1 not worked off yet" in (await sam.get("/dashboard/inbox")).text
    assert "INBOX" in (await sam.get("/dashboard/inbox/1")).text
