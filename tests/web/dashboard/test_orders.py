"""What employees order on the dashboard, what comes of it, and what they are told."""

from dataclasses import replace
from datetime import timedelta

import httpx2
import pytest

from service.actions import deciding
from service.actions.house import House
from service.errors import IncidentChangedMeanwhile
from service.model import IfRecovered, Phase
from service.store import deliveries
from service.web.dashboard.incident_page import LONGEST_TEXT
from service.web.front import Front
from tests.rooms import Clock
from tests.web.employees import SEEN, employee_at, page_of, phase_of
from tests.web.outages import Outages

pytestmark = pytest.mark.anyio


async def test_publishing_says_what_came_of_it_and_mails_at_once(
    front: Front, clock: Clock, house: House, outages: Outages
) -> None:
    woken: list[bool] = []
    incident = outages.fire()
    async with employee_at(replace(front, wake=lambda: woken.append(True)), clock, "sam") as client:
        answer = await client.post(page_of(incident, "publish"), data=SEEN)
        assert answer.status_code == 303
        shown = await client.get(answer.headers["location"])
    assert woken == [True]
    assert "INC-1 is published: it is on the status page; nobody has subscribed to it" in shown.text
    assert phase_of(house, incident) is Phase.PUBLISHED


async def test_publishing_a_second_time_tells_who_was_first(
    sam: httpx2.AsyncClient, outages: Outages, clock: Clock
) -> None:
    incident = outages.fire()
    clock.move(timedelta(minutes=2))
    outages.publish(incident, by="jordan")
    clock.move(timedelta(minutes=2))
    answer = await sam.post(page_of(incident, "publish"), data=SEEN)
    shown = (await sam.get(answer.headers["location"])).text
    assert "INC-1 was already published by Jordan Ray at 13:02 CET." in shown


@pytest.mark.parametrize("form", [{}, {"version": "2"}, {"version": "x"}, {"version": "9" * 99}])
async def test_only_the_text_that_the_page_showed_is_published(
    form: dict[str, str], sam: httpx2.AsyncClient, house: House, outages: Outages
) -> None:
    incident = outages.fire()
    assert '<input type="hidden" name="version" value="1">' in (await sam.get(page_of(incident))).text
    answer = await sam.post(page_of(incident, "publish"), data=form)
    shown = (await sam.get(answer.headers["location"])).text
    assert "INC-1 was changed since you opened this page" in shown
    assert phase_of(house, incident) is Phase.WAITING


async def test_of_two_who_must_approve_the_second_publishes(
    front: Front, clock: Clock, house: House, outages: Outages
) -> None:
    incident = outages.fire()
    [first, *others] = house.config.monitors
    monitors = (replace(first, approvals=2), *others)
    strict = replace(front, house=replace(house, config=replace(house.config, monitors=monitors)))
    async with employee_at(strict, clock, "sam") as sam:
        assert "2 employees have to approve it." in (await sam.get(page_of(incident))).text
        answer = await sam.post(page_of(incident, "publish"), data=SEEN)
        shown = (await sam.get(answer.headers["location"])).text
        assert "Your approval of INC-1 is noted; 1 more is needed" in shown
        assert "Approved by Sam Lee" in " ".join(shown.split())
        assert page_of(incident, "publish") not in shown
        again = await sam.post(page_of(incident, "publish"), data=SEEN)
        assert "You approved INC-1 before" in (await sam.get(again.headers["location"])).text
    async with employee_at(strict, clock, "jordan") as jordan:
        asked = await jordan.get(f"{page_of(incident)}?said=approved")
        assert "Your approval" not in asked.text
        await jordan.post(page_of(incident, "publish"), data=SEEN)
    assert phase_of(house, incident) is Phase.PUBLISHED


async def test_what_was_kept_after_it_recovered_is_shown_as_it_would_be_published(
    front: Front, clock: Clock, house: House, outages: Outages
) -> None:
    [first, *others] = house.config.monitors
    monitors = (replace(first, if_recovered_unpublished=IfRecovered.KEEP), *others)
    keeping = replace(house, config=replace(house.config, monitors=monitors))
    kept = Outages(keeping, clock)
    incident = kept.fire()
    kept.wait(incident)
    kept.recover()
    async with employee_at(replace(front, house=keeping), clock, "sam") as client:
        before = (await client.get(page_of(incident))).text
        answer = await client.post(page_of(incident, "publish"), data={"version": "2"})
        after = (await client.get(answer.headers["location"])).text
    text = "<p>We are looking into <strong>Email Server</strong>.</p>\n<p>Email works again.</p>"
    assert "it would be published as resolved" in before
    assert text in before
    assert "INC-1 had recovered, so it is published as resolved, in one update." in after
    assert text in after


async def test_holding_lets_nothing_happen_by_itself(sam: httpx2.AsyncClient, outages: Outages) -> None:
    incident = outages.fire()
    outages.wait(incident)
    assert 'role="status"' not in (await sam.get(f"{page_of(incident)}?said=held")).text
    answer = await sam.post(page_of(incident, "hold"), data={"span": "2 hours"})
    shown = (await sam.get(answer.headers["location"])).text
    assert "INC-1 is held until 15:05 CET" in shown
    assert "Held until" in shown


async def test_a_span_that_is_not_offered_is_the_shortest(sam: httpx2.AsyncClient, outages: Outages) -> None:
    incident = outages.fire()
    outages.wait(incident)
    answer = await sam.post(page_of(incident, "hold"), data={"span": "forever"})
    assert "held until 13:35 CET" in (await sam.get(answer.headers["location"])).text


async def test_a_mail_that_came_back_is_shown_as_such(
    sam: httpx2.AsyncClient, outages: Outages, house: House, clock: Clock
) -> None:
    incident = outages.fire()
    outages.wait(incident)
    with house.store.transaction() as connection:
        mail = deliveries.of_incident_to_employees(connection, incident.id)[0]
        deliveries.mark_sent(connection, mail.id, clock())
        deliveries.mark_bounced(connection, mail.id, clock(), "550 no such user")
    text = (await sam.get(page_of(incident))).text
    assert "came back" in text
    assert "550 no such user" in text


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
    answer = await sam.post(page_of(incident, "publish"), data=SEEN)
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
    form = {"status": "resolved", "seen": "closed", "text": "It was the disk."}
    before = (await sam.get(page_of(incident))).text
    assert "Post a correction" in before
    assert '<input type="hidden" name="seen" value="closed">' in before
    answer = await sam.post(page_of(incident, "update"), data=form)
    shown = (await sam.get(answer.headers["location"])).text
    assert "It was the disk." in shown
    assert "INC-1 is closed, so this is posted as a correction, under Resolved" in shown
    assert phase_of(house, incident) is Phase.CLOSED


@pytest.mark.parametrize("order", ["update", "close"])
async def test_what_is_not_published_is_neither_updated_nor_closed(
    order: str, sam: httpx2.AsyncClient, outages: Outages
) -> None:
    incident = outages.fire()
    form = {"status": "identified", "text": "kept <words>", "comment": "kept <words>"}
    answer = await sam.post(page_of(incident, order), data=form)
    assert answer.status_code == 409
    assert "INC-1 is not published yet: publish it first." in answer.text
    assert "kept &lt;words&gt;" in answer.text


async def test_somebody_elses_change_at_the_same_moment_is_told(
    sam: httpx2.AsyncClient, outages: Outages, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(*_: object, **__: object) -> None:
        raise IncidentChangedMeanwhile("INC-1 was changed by somebody else; decide again")

    incident = outages.fire()
    monkeypatch.setattr(deciding, "publish", lose)
    answer = await sam.post(page_of(incident, "publish"), data=SEEN)
    assert "Somebody else changed this incident" in (await sam.get(answer.headers["location"])).text


@pytest.mark.parametrize(
    "said",
    ["published", "approved", "discarded", "closed", "refused_already_published", "<script>", "opened"],
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


async def test_a_post_mortem_is_posted_on_a_closed_incident_alone(
    sam: httpx2.AsyncClient, outages: Outages
) -> None:
    incident = outages.published()
    assert "Post a post-mortem" not in (await sam.get(page_of(incident))).text
    outages.close(incident)
    before = (await sam.get(page_of(incident))).text
    assert '<input type="checkbox" name="is_sent" value="yes" checked>' in before
    answer = await sam.post(page_of(incident, "post-mortem"), data={"text": "A **disk** was full."})
    after = (await sam.get(answer.headers["location"])).text
    assert "The post-mortem of INC-1 is posted on the status page." in after
    assert "A <strong>disk</strong> was full." in after
    assert "no subscriber was told" in after
    assert "Post a further post-mortem" in after


async def test_a_post_mortem_without_a_word_is_not_posted(sam: httpx2.AsyncClient, outages: Outages) -> None:
    incident = outages.published()
    outages.close(incident)
    answer = await sam.post(page_of(incident, "post-mortem"), data={"text": " "})
    assert answer.status_code == 422
    assert "nothing was posted" in answer.text
