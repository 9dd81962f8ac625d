"""Incidents opened by hand, and words changed before anybody outside reads them."""

from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from service.actions.house import House
from service.model import ComponentState, Incident, Phase
from service.store import deliveries, incidents
from tests.rooms import CONFIG, Clock, make_front, make_house
from tests.web.dashboard.test_subscribers import FILE, send
from tests.web.employees import SEEN, Enter, employee_at, page_of
from tests.web.outages import ECHO_MONITOR, Outages

pytestmark = pytest.mark.anyio
HERE = "/dashboard/open"
BLANK = {"subject": "Phones are dead", "message": "We are *on* it.", "component:API": "major_outage"}


def newest(house: House) -> Incident:
    with house.store.reading() as connection:
        return incidents.listed(connection, limit=1)[0]


def asked(house: House, incident: Incident) -> list[str]:
    """Give who was mailed about it."""
    with house.store.reading() as connection:
        return [mail.recipient for mail in deliveries.of_incident_to_employees(connection, incident.id)]


async def test_a_blank_incident_is_opened_seen_whole_and_published(
    enter: Enter, sam: httpx2.AsyncClient, house: House
) -> None:
    async with enter("jordan") as jordan:
        await send(jordan, FILE)
    page = await sam.post(f"{HERE}/now", data=BLANK, follow_redirects=True)
    incident = newest(house)
    assert (incident.phase, incident.monitor_key) == (Phase.UNPUBLISHED, "")
    assert incident.components == {"API": ComponentState.MAJOR_OUTAGE}
    assert "It was opened by hand" in page.text
    assert "exactly\n    <strong>2 subscribers by mail" in page.text
    assert asked(house, incident) == [], "who writes it need not be asked"
    await sam.post(page_of(incident, "publish"), data=SEEN)
    assert newest(house).phase is Phase.PUBLISHED


async def test_a_blank_one_promises_nothing_of_a_monitor(sam: httpx2.AsyncClient) -> None:
    page = (await sam.post(f"{HERE}/now", data=BLANK, follow_redirects=True)).text
    assert "<dt>Monitor</dt><dd>none: it was opened by hand</dd>" in page
    assert "None: it was opened by hand, and no monitor joins its alerts to it." in page
    assert "Whoever opened it is not asked about it." in page
    assert "It stays so until somebody publishes or discards it.\n" in page
    for untrue in ("no longer in config.yaml", "Without an id", "firing", "until it recovers"):
        assert untrue not in page


async def test_one_of_a_monitor_counts_as_firing_until_a_recovery_comes(
    sam: httpx2.AsyncClient, house: House, outages: Outages
) -> None:
    fields = {**BLANK, "monitor": "victorops:Email Server"}
    page = (await sam.post(f"{HERE}/now", data=fields, follow_redirects=True)).text
    alerts = page.partition('id="alerts"')[2].partition("</section>")[0]
    assert "<strong>Opened by hand</strong>" in alerts
    assert ">counts as firing</span>" in alerts
    assert "or until it recovers" in page
    outages.fire()
    again = (await sam.get(page_of(newest(house)))).text.partition('id="alerts"')[2]
    assert ">still firing</span>" in again


async def test_one_that_waits_says_why_nobody_was_mailed(sam: httpx2.AsyncClient, outages: Outages) -> None:
    mails = (
        (await sam.get(page_of(outages.fire()))).text.partition('id="mails"')[2].partition("</section>")[0]
    )
    assert "None yet: nobody is asked before its wait time is over." in mails
    assert "Whoever opened it" not in mails


async def test_one_whose_monitor_is_gone_is_not_said_to_recover(
    house: House, outages: Outages, clock: Clock
) -> None:
    incident = outages.fire()
    outages.wait(incident)
    without = replace(house, config=replace(house.config, monitors=()))
    async with employee_at(make_front(without, clock), clock, "sam") as sam:
        page = (await sam.get(page_of(incident))).text
    assert "(no longer in config.yaml)" in page
    assert "until it recovers" not in page
    assert "Whoever opened it" not in page


async def test_a_monitors_template_fills_the_form_and_its_alerts_join(
    enter: Enter, house: House, outages: Outages
) -> None:
    async with enter("sam") as sam:
        form = (await sam.get(HERE, params={"monitor": "victorops:Email Server"})).text
        assert 'value="Email is unavailable"' in form
        assert '<option value="major_outage" selected>' in form
        fields = {**BLANK, "monitor": "victorops:Email Server", "subject": "Email is unavailable"}
        await sam.post(f"{HERE}/now", data=fields)
    incident = newest(house)
    assert incident.monitor_key == "victorops:Email Server"
    assert asked(house, incident) == ["jordan@acme.example"]
    assert outages.fire().id == incident.id, "its next alert joins it"


async def test_the_form_shows_no_number_of_an_incident_that_has_none_yet(
    tmp_path: Path, clock: Clock
) -> None:
    text = CONFIG.replace(
        'subject: "Email is unavailable"', 'subject: "{{ incident.tag }} Email is down {{ incident.id }}"'
    )
    house = make_house(tmp_path / "numbered", text)
    async with employee_at(make_front(house, clock), clock, "sam") as sam:
        form = (await sam.get(HERE, params={"monitor": "victorops:Email Server"})).text
    house.store.close()
    assert 'value="Email is down"' in form
    assert "INC-0" not in form


async def test_what_is_missing_is_said_and_what_was_typed_is_kept(
    sam: httpx2.AsyncClient, house: House
) -> None:
    answer = await sam.post(f"{HERE}/now", data={"subject": " ", "message": "Typed <b>.", "type": "nonsense"})
    assert answer.status_code == 422
    assert "Say in a few words what is wrong" in answer.text
    assert "Typed &lt;b&gt;." in answer.text
    with house.store.reading() as connection:
        assert incidents.listed(connection, limit=9) == ()


async def test_the_words_are_changed_and_approved_anew(
    sam: httpx2.AsyncClient, house: House, outages: Outages
) -> None:
    incident = outages.fire()
    outages.wait(incident)
    assert incident.subject in (await sam.get(page_of(incident, "words"))).text
    words = {"subject": "Mail is slow", "message": "Only slow.", "version": "1"}
    page = await sam.post(page_of(incident, "edit"), data=words, follow_redirects=True)
    assert "Mail is slow" in page.text
    assert (newest(house).subject, newest(house).text_version) == ("Mail is slow", 2)
    refused = await sam.post(page_of(incident, "publish"), data={"version": "1"}, follow_redirects=True)
    assert "was changed since" in refused.text
    assert newest(house).phase is Phase.UNPUBLISHED


async def test_two_who_edit_at_once_do_not_overwrite_each_other(
    sam: httpx2.AsyncClient, house: House, outages: Outages
) -> None:
    incident = outages.fire()
    for subject in ("First", "Second"):
        words = {"subject": subject, "message": "Same.", "version": "1"}
        page = await sam.post(page_of(incident, "edit"), data=words, follow_redirects=True)
    assert newest(house).subject == "First"
    assert "was changed since" in page.text


async def test_published_words_are_followed_and_not_changed(
    sam: httpx2.AsyncClient, house: House, outages: Outages
) -> None:
    incident = outages.published()
    words = {"subject": "Other", "message": "Other.", "version": "1"}
    await sam.post(page_of(incident, "edit"), data=words)
    assert newest(house).subject == incident.subject
    asked_to_edit = await sam.get(page_of(incident, "words"))
    assert (asked_to_edit.status_code, asked_to_edit.headers["location"]) == (303, page_of(incident))


@pytest.mark.parametrize("path", [HERE, "/dashboard/incidents/1/words"])
async def test_a_viewer_gets_no_form(enter: Enter, outages: Outages, clock: Clock, path: str) -> None:
    outages.fire()
    async with enter("vera") as vera:
        assert (await vera.get(path)).status_code == 403, clock()


async def test_a_blank_one_gets_round_no_two_person_rule(tmp_path: Path, clock: Clock) -> None:
    house = make_house(tmp_path, CONFIG.replace("wait_time: 5m", "wait_time: 5m\n    approvals: 2"))
    async with employee_at(make_front(house, clock), clock, "sam") as sam:
        for component, phase in (("Email", Phase.UNPUBLISHED), ("API", Phase.PUBLISHED)):
            words = {"subject": "Down", "message": "Down.", f"component:{component}": "major_outage"}
            await sam.post(f"{HERE}/now", data=words)
            await sam.post(page_of(newest(house), "publish"), data=SEEN)
            assert newest(house).phase is phase
    house.store.close()


async def test_type_and_components_are_edited_and_the_timeline_says_from_what_to_what(
    sam: httpx2.AsyncClient, house: House, outages: Outages
) -> None:
    incident = outages.fire()
    outages.wait(incident)
    form = (await sam.get(page_of(incident, "words"))).text
    assert '<option value="service_unavailable" selected>' in form
    assert '<option value="major_outage" selected>' in form
    typed = {"subject": incident.subject, "message": incident.message, "version": "1", "type": "performance"}
    components = {"component:Email": "", "component:API": "partial_outage"}
    page = await sam.post(page_of(incident, "edit"), data=typed | components, follow_redirects=True)
    assert "INC-1 has a new version, which nobody has approved yet." in page.text
    after = newest(house)
    assert (after.type, after.components) == ("performance", {"API": ComponentState.PARTIAL_OUTAGE})
    assert (after.text_version, after.subject) == (2, incident.subject)
    for line in (
        "Type: service unavailable → performance",
        "Email: major outage → not affected",
        "API: not affected → partial outage",
    ):
        assert f'<p class="small">{line}</p>' in page.text
    with house.store.reading() as connection:
        mails = deliveries.of_incident_to_employees(connection, incident.id)
    shown = mails[-1].facts["incident"]
    assert ([one["name"] for one in shown["components"]], shown["type"]) == (["API"], "performance")


async def test_what_a_form_has_no_field_for_stays_as_it_is(
    sam: httpx2.AsyncClient, house: House, outages: Outages
) -> None:
    incident = outages.fire()
    typed = {"subject": "Other", "message": "Other.", "version": "1", "component:Email": "nonsense"}
    await sam.post(page_of(incident, "edit"), data=typed)
    assert (newest(house).subject, newest(house).type) == ("Other", incident.type)
    assert newest(house).components == incident.components


async def test_a_component_that_config_yaml_has_no_more_can_be_kept_or_taken_away(
    house: House, outages: Outages, clock: Clock
) -> None:
    incident = outages.fire()
    without = replace(house, config=replace(house.config, components=()))
    async with employee_at(make_front(without, clock), clock, "sam") as sam:
        assert 'name="component:Email"' in (await sam.get(page_of(incident, "words"))).text
        typed = {"subject": "Other", "message": "Other.", "version": "1", "component:Email": ""}
        await sam.post(page_of(incident, "edit"), data=typed)
    assert newest(house).components == {}


async def test_of_two_who_edit_components_the_second_sees_what_the_first_chose(
    sam: httpx2.AsyncClient, house: House, outages: Outages
) -> None:
    incident = outages.fire()
    typed = {"subject": incident.subject, "message": incident.message, "version": "1"}
    await sam.post(page_of(incident, "edit"), data=typed | {"component:Email": "degraded_performance"})
    refused = await sam.post(page_of(incident, "edit"), data=typed | {"component:Email": "partial_outage"})
    assert refused.status_code == 409
    assert "Email: degraded performance</span>" in refused.text
    assert '<option value="partial_outage" selected>' in refused.text
    assert newest(house).components == {"Email": ComponentState.DEGRADED_PERFORMANCE}


async def test_a_component_added_by_an_edit_brings_its_two_person_rule_along(
    tmp_path: Path, clock: Clock
) -> None:
    text = CONFIG.replace("wait_time: 5m", "wait_time: 5m\n    approvals: 2") + ECHO_MONITOR
    house = make_house(tmp_path, text)
    incident = Outages(house, clock).fire("Echo", subject="Slow", message="Slow.")
    typed = {"subject": "Slow", "message": "Slow.", "version": "1", "component:Email": "partial_outage"}
    async with employee_at(make_front(house, clock), clock, "sam") as sam:
        await sam.post(page_of(incident, "edit"), data=typed)
        await sam.post(page_of(incident, "publish"), data={"version": "2"})
        assert newest(house).phase is Phase.UNPUBLISHED
        assert newest(house).approved_by == ("sam",)
    house.store.close()
