"""An order that is refused on the dashboard says why, and what was typed for it is not lost."""

import re
from datetime import timedelta

import httpx2
import pytest

from service.actions import deciding
from service.actions.house import House
from service.errors import IncidentChangedMeanwhile
from service.store import incidents, narrative
from tests.rooms import Clock
from tests.web.employees import page_of
from tests.web.outages import Outages

pytestmark = pytest.mark.anyio


def field(html: str, field_id: str) -> str:
    """Give what a text area of a page holds; empty where it holds nothing or there is none."""
    found = re.search(rf'<textarea id="{field_id}"[^>]*>\n?(.*?)</textarea>', html, re.DOTALL)
    return found[1] if found else ""


def bodies(house: House) -> list[str]:
    """Give all that the public was told about the first incident."""
    with house.store.reading() as connection:
        return [one.body for one in narrative.updates_of(connection, [1])[1]]


def words(house: House) -> tuple[str, str]:
    """Give the subject and message of the first incident."""
    with house.store.reading() as connection:
        found = incidents.get(connection, 1)
    assert found is not None
    return found.subject, found.message


def lose(*_: object, **__: object) -> None:
    """Be the second of two who change the same incident at the same moment."""
    raise IncidentChangedMeanwhile("INC-1 was changed by somebody else; decide again")


@pytest.mark.parametrize(
    ("order", "action", "box"),
    [
        ("update", "post_update", "text"),
        ("close", "close", "comment"),
        ("updates/1/correct", "correct", "right-1"),
    ],
)
async def test_whoever_comes_second_finds_the_text_in_the_form_that_sent_it(
    order: str,
    action: str,
    box: str,
    sam: httpx2.AsyncClient,
    outages: Outages,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    incident = outages.published()
    monkeypatch.setattr(deciding, action, lose)
    form = {"status": "monitoring", "text": "kept <words>", "comment": "kept <words>"}
    answer = await sam.post(page_of(incident, order), data=form)
    assert answer.status_code == 409
    assert "Somebody else changed this incident" in answer.text
    kept = [one for one in ("text", "comment", "right-1") if "kept &lt;words&gt;" in field(answer.text, one)]
    assert kept == [box]
    assert "data-kept" in answer.text


async def test_a_status_that_was_chosen_is_kept_as_well(
    sam: httpx2.AsyncClient, outages: Outages, monkeypatch: pytest.MonkeyPatch
) -> None:
    incident = outages.published()
    monkeypatch.setattr(deciding, "post_update", lose)
    answer = await sam.post(page_of(incident, "update"), data={"status": "monitoring", "text": "x"})
    assert '<option value="monitoring" selected>' in answer.text


async def test_a_post_mortem_that_comes_too_early_is_kept(
    sam: httpx2.AsyncClient, outages: Outages, house: House
) -> None:
    incident = outages.published()
    told = bodies(house)
    answer = await sam.post(page_of(incident, "post-mortem"), data={"text": "A disk."})
    assert answer.status_code == 409
    assert "INC-1 is still going on: close it first" in answer.text
    assert field(answer.text, "typed") == "A disk."
    assert bodies(house) == told


async def test_a_closing_comment_that_comes_second_is_kept_for_a_correction(
    sam: httpx2.AsyncClient, outages: Outages, house: House
) -> None:
    incident = outages.published()
    outages.close(incident, by="jordan")
    told = bodies(house)
    answer = await sam.post(page_of(incident, "close"), data={"comment": "All fine."})
    assert answer.status_code == 409
    assert "INC-1 was closed by Jordan Ray at 13:00 CET" in answer.text
    assert field(answer.text, "text") == "All fine."
    assert bodies(house) == told


@pytest.mark.parametrize("seen", [{"seen": "open"}, {}, {"seen": "nonsense"}])
async def test_an_update_to_what_somebody_closed_meanwhile_is_refused_and_told_who_closed_it(
    seen: dict[str, str], sam: httpx2.AsyncClient, outages: Outages, house: House, clock: Clock
) -> None:
    incident = outages.published()
    assert '<input type="hidden" name="seen" value="open">' in (await sam.get(page_of(incident))).text
    clock.move(timedelta(minutes=7))
    outages.close(incident, by="jordan")
    clock.move(timedelta(minutes=1))
    told = bodies(house)
    form = {"status": "investigating", "text": "We still <investigate>.", **seen}
    answer = await sam.post(page_of(incident, "update"), data=form)
    assert answer.status_code == 409
    assert "INC-1 was closed by Jordan Ray at 13:07 CET, so nothing was sent now." in answer.text
    assert "You can still post a correction or a post-mortem." in answer.text
    assert "Posted from here it is a correction, which reads as resolved" in answer.text
    assert field(answer.text, "text") == "We still &lt;investigate&gt;."
    assert field(answer.text, "why") == ""
    assert bodies(house) == told
    assert "Refused: it was closed already" in answer.text


async def test_an_update_to_what_closed_by_itself_meanwhile_is_refused(
    sam: httpx2.AsyncClient, outages: Outages, house: House
) -> None:
    incident = outages.published()
    outages.recover()
    told = bodies(house)
    form = {"status": "monitoring", "text": "Soon.", "seen": "open"}
    answer = await sam.post(page_of(incident, "update"), data=form)
    assert "INC-1 was closed automatically at 13:00 CET, so nothing was sent now." in answer.text
    assert bodies(house) == told


async def test_what_was_kept_can_be_posted_as_a_correction(
    sam: httpx2.AsyncClient, outages: Outages, house: House
) -> None:
    incident = outages.published()
    outages.close(incident, by="jordan")
    form = {"status": "monitoring", "text": "It was a disk.", "seen": "open"}
    refused = await sam.post(page_of(incident, "update"), data=form)
    shown = dict(re.findall(r'<input type="hidden" name="(\w+)" value="(\w+)">', refused.text))
    again = shown | {"text": field(refused.text, "text")}
    assert (await sam.post(page_of(incident, "update"), data=again)).status_code == 303
    assert bodies(house)[-1] == "It was a disk."


@pytest.mark.parametrize(
    ("order", "form"),
    [("update", {"status": "monitoring", "text": "Twice."}), ("close", {"comment": "Twice."})],
)
async def test_what_was_sent_by_the_first_of_two_presses_is_not_called_lost(
    order: str, form: dict[str, str], sam: httpx2.AsyncClient, outages: Outages, house: House
) -> None:
    incident = outages.published()
    assert (await sam.post(page_of(incident, order), data=form)).status_code == 303
    again = await sam.post(page_of(incident, order), data=form)
    assert again.status_code == 409
    assert "It was not sent" not in again.text
    assert bodies(house).count("Twice.") == 1


async def test_of_two_who_edit_the_second_sees_both_texts_and_may_then_save(
    sam: httpx2.AsyncClient, outages: Outages, house: House
) -> None:
    incident = outages.fire()
    first = {"subject": "First", "message": "One **disk**.", "version": "1"}
    second = {"subject": "Second", "message": "Two <disks>.", "version": "1"}
    assert (await sam.post(page_of(incident, "edit"), data=first)).status_code == 303
    refused = await sam.post(page_of(incident, "edit"), data=second)
    assert refused.status_code == 409
    assert "was changed since you opened this page, so yours was not saved" in refused.text
    assert "<h3>First</h3>" in refused.text
    assert "One <strong>disk</strong>." in refused.text
    assert field(refused.text, "message") == "Two &lt;disks&gt;."
    assert 'value="Second"' in refused.text
    assert words(house) == ("First", "One **disk**.")
    assert '<input type="hidden" name="version" value="2">' in refused.text
    assert (await sam.post(page_of(incident, "edit"), data=second | {"version": "2"})).status_code == 303
    assert words(house) == ("Second", "Two <disks>.")


async def test_a_form_with_a_mistake_is_still_about_the_text_that_it_showed(
    sam: httpx2.AsyncClient, outages: Outages
) -> None:
    incident = outages.fire()
    await sam.post(page_of(incident, "edit"), data={"subject": "First", "message": "M", "version": "1"})
    answer = await sam.post(
        page_of(incident, "edit"), data={"subject": "", "message": "Mine", "version": "1"}
    )
    assert answer.status_code == 422
    assert '<input type="hidden" name="version" value="1">' in answer.text


async def test_an_edit_of_what_is_published_meanwhile_is_kept_and_not_offered_again(
    sam: httpx2.AsyncClient, outages: Outages, house: House
) -> None:
    incident = outages.fire()
    outages.publish(incident, by="jordan")
    before = words(house)
    typed = {"subject": "Other", "message": "Other text.", "version": "1"}
    answer = await sam.post(page_of(incident, "edit"), data=typed)
    assert answer.status_code == 409
    assert "INC-1 was already published by Jordan Ray at 13:00 CET." in answer.text
    assert field(answer.text, "message") == "Other text."
    assert "Save this version" not in answer.text
    assert words(house) == before


async def test_an_edit_that_meets_another_change_is_kept(
    sam: httpx2.AsyncClient, outages: Outages, monkeypatch: pytest.MonkeyPatch
) -> None:
    incident = outages.fire()
    monkeypatch.setattr(deciding, "edit", lose)
    typed = {"subject": "Mine", "message": "My text.", "version": "1"}
    answer = await sam.post(page_of(incident, "edit"), data=typed)
    assert answer.status_code == 409
    assert "Somebody else changed this incident" in answer.text
    assert field(answer.text, "message") == "My text."


@pytest.mark.parametrize(
    ("order", "page"),
    [("update", "/dashboard/incidents/1"), ("updates/1/correct", "/dashboard/incidents/1")],
)
async def test_whoever_loads_the_page_of_a_refused_order_anew_is_led_to_its_incident(
    order: str, page: str, sam: httpx2.AsyncClient, outages: Outages
) -> None:
    outages.published()
    answer = await sam.get(f"/dashboard/incidents/1/{order}")
    assert (answer.status_code, answer.headers["location"]) == (303, page)
    assert (await sam.head(f"/dashboard/incidents/1/{order}")).status_code == 405
