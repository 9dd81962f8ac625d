"""Employees see how each component is, since when and by what."""

from datetime import timedelta

import pytest

from service.actions.house import House
from service.actions.recording_states import record_at_start
from service.model import ComponentState
from service.store import component_states
from service.store.component_states import StateChange
from tests.rooms import Clock
from tests.web.employees import Enter
from tests.web.outages import ECHO, Outages

pytestmark = pytest.mark.anyio
HERE = "/dashboard/components"


async def test_components_stand_in_their_groups_with_what_bears_on_them(
    enter: Enter, house: House, clock: Clock
) -> None:
    incident = Outages(house, clock).published(ECHO, subject="Calendars do not open", message="So.")
    async with enter("vera") as browser:
        page = (await browser.get(HERE)).text
        one = (await browser.get(f"{HERE}/calendar")).text
    assert page.index("Office") < page.index("Calendar") < page.index("Platform") < page.index("API")
    assert page.count(">degraded performance</span>") == 1
    assert incident.tag in page
    for said in (incident.tag, "Calendars do not open", "/dashboard/monitors/echo", "degraded performance"):
        assert said in one


async def test_who_may_not_publish_is_not_led_to_opening(enter: Enter) -> None:
    async with enter("vera") as viewer, enter("sam") as publisher:
        assert "/dashboard/open" not in (await viewer.get(HERE)).text
        assert "/dashboard/open" in (await publisher.get(HERE)).text


async def test_an_unpublished_incident_bears_on_it_and_changes_no_state(
    enter: Enter, house: House, clock: Clock
) -> None:
    Outages(house, clock).fire(ECHO, subject="Secret", message="So.")
    async with enter("sam") as browser:
        page = (await browser.get(HERE)).text
        one = (await browser.get(f"{HERE}/calendar")).text
    assert "degraded performance" not in page
    assert "Secret, needs a decision" in page
    assert "nobody reads yet" in one


async def test_its_changes_are_shown_page_by_page(enter: Enter, house: House, clock: Clock) -> None:
    with house.store.transaction() as connection:
        record_at_start(connection, house.config, clock() - timedelta(days=50))
        for day in range(40):
            at = clock() - timedelta(days=45 - day)
            state = ComponentState.PARTIAL_OUTAGE if day % 2 else ComponentState.OPERATIONAL
            component_states.append(connection, [StateChange("API", state, at)])
    async with enter("jordan") as browser:
        first = (await browser.get(f"{HERE}/api")).text
        address = first.partition('rel="next" href="')[2].partition('"')[0]
        second = (await browser.get(address)).text
        other = (await browser.get(f"{HERE}/email?{address.partition('?')[2]}")).text
    in_first, in_second = (
        page.partition('id="changes"')[2].count("<li data-state") for page in (first, second)
    )
    assert (in_first, in_second) == (30, 11)
    assert first.count("</time> so far") == 1
    assert 'data-moves="for">' in first.partition("</time> so far")[0].rpartition("<time ")[2]
    assert "so far" not in second
    assert "for 1 d" in second
    assert other.count("so far") == 1, "a mark of another component is no mark"


async def test_what_is_empty_says_what_would_fill_it(enter: Enter) -> None:
    async with enter("vera") as browser:
        page = (await browser.get(f"{HERE}/api")).text
    assert "what is published about it and maintenance change its state" in page
    assert "recorded from the moment at which a service that knows this component starts" in page


async def test_what_is_not_there_is_not_found(enter: Enter) -> None:
    async with enter("sam") as browser:
        assert (await browser.get(f"{HERE}/none")).status_code == 404


async def test_the_line_of_the_file_is_told(enter: Enter, house: House) -> None:
    house.config.path.write_text("site: {name: A, url: http://a.example}\ncomponents:\n  - name: API\n")
    async with enter("jordan") as browser:
        assert "line 3" in (await browser.get(HERE)).text
        assert "Line 3 of config.yaml" in (await browser.get(f"{HERE}/api")).text
