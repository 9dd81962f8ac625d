"""What alerts do to incidents: waiting, combining, several at once, recovering."""

from pathlib import Path

import pytest

from service.model import Phase
from tests.rooms import CONFIG, Clock
from tests.stories.world import ANA, JORDAN, World, make_world

pytestmark = pytest.mark.anyio

APART = CONFIG.replace("combine_alerts: true", "combine_alerts: false")
AUTO = CONFIG.replace("auto_publish: false", "auto_publish: true")
BY_HAND = CONFIG.replace("auto_close: true", "auto_close: false")


async def test_a_flapping_alert_tells_nobody(world: World) -> None:
    await world.subscribe(ANA)
    for _ in range(5):
        await world.fire()
        await world.after(minutes=4)
        await world.recover()
    await world.after(hours=1)
    assert world.phases() == [Phase.DISCARDED] * 5
    assert world.mails(JORDAN) == []
    assert len(world.mails(ANA)) == 1, "only the mail that asked to confirm"


async def test_with_combine_many_alerts_are_one_incident(world: World) -> None:
    for entity in ("disk", "net", "cpu"):
        await world.fire(entityId=entity)
    await world.after(minutes=5)
    assert world.phases() == [Phase.UNPUBLISHED]
    assert len(world.mails(JORDAN)) == 1
    for entity in ("disk", "net"):
        await world.recover(entityId=entity)
    assert world.phases() == [Phase.UNPUBLISHED], "one of them still fires"
    await world.recover(entityId="cpu")
    assert world.phases() == [Phase.DISCARDED]


async def test_without_combine_each_alert_is_an_incident(tmp_path: Path, clock: Clock) -> None:
    async with make_world(tmp_path, clock, APART) as world:
        await world.fire(entityId="disk")
        await world.fire(entityId="net")
        await world.fire(entityId="net")
        assert world.phases() == [Phase.WAITING, Phase.WAITING]
        await world.after(minutes=5)
        assert [mail.subject[:7] for mail in world.mails(JORDAN)] == ["[INC-1]", "[INC-2]"]
        await world.answer(world.mails(JORDAN)[1], "publish")
        assert world.phases() == [Phase.UNPUBLISHED, Phase.PUBLISHED]
        await world.recover(entityId="disk")
        assert world.phases() == [Phase.DISCARDED, Phase.PUBLISHED]


async def test_a_recovery_without_an_id_recovers_all_incidents_of_the_monitor(
    tmp_path: Path, clock: Clock
) -> None:
    async with make_world(tmp_path, clock, APART) as world:
        await world.fire()
        await world.fire()
        await world.recover()
        assert world.phases() == [Phase.DISCARDED, Phase.DISCARDED]


async def test_auto_publish_publishes_after_the_wait_and_tells_employees_too(
    tmp_path: Path, clock: Clock
) -> None:
    async with make_world(tmp_path, clock, AUTO) as world:
        await world.subscribe(ANA)
        await world.fire()
        assert "Email is unavailable" not in await world.page()
        await world.after(minutes=5)
        assert world.phases() == [Phase.PUBLISHED]
        assert "Email is unavailable" in await world.page()
        assert len(world.mails(ANA)) == 2
        [told] = world.mails(JORDAN)
        assert "automatically" in told.text
        await world.answer(told, "publish")
        assert "already published automatically" in world.mails(JORDAN)[-1].text
        assert len(world.mails(ANA)) == 2


async def test_auto_publish_spares_what_recovers_within_the_wait(tmp_path: Path, clock: Clock) -> None:
    async with make_world(tmp_path, clock, AUTO) as world:
        await world.fire()
        await world.recover()
        await world.after(hours=1)
        assert world.phases() == [Phase.DISCARDED]
        assert world.mails(JORDAN) == []


async def test_without_a_wait_time_employees_are_asked_at_once(tmp_path: Path, clock: Clock) -> None:
    async with make_world(tmp_path, clock, CONFIG.replace("wait_time: 5m", "wait_time: 0")) as world:
        await world.fire()
        assert world.phases() == [Phase.UNPUBLISHED]
        [asked] = world.mails(JORDAN)
        assert "Email Server" in asked.text


async def test_without_auto_close_a_recovery_asks_the_employees(tmp_path: Path, clock: Clock) -> None:
    async with make_world(tmp_path, clock, BY_HAND) as world:
        await world.subscribe(ANA)
        await world.fire()
        await world.after(minutes=5)
        await world.answer(world.mails(JORDAN)[0], "publish")
        await world.recover()
        assert world.phases() == [Phase.RECOVERED]
        assert "recovered" in world.mails(JORDAN)[-1].text
        assert len(world.mails(ANA)) == 2, "subscribers hear nothing before somebody closes it"
        assert "Email is unavailable" in await world.page()
        await world.fire()
        assert world.phases() == [Phase.PUBLISHED]


async def test_with_a_recovery_grace_a_flap_is_not_a_close(tmp_path: Path, clock: Clock) -> None:
    grace = CONFIG.replace("auto_close: true", "auto_close: true\n    recovery_grace: 10m")
    async with make_world(tmp_path, clock, grace) as world:
        await world.subscribe(ANA)
        await world.fire()
        await world.after(minutes=5)
        await world.answer(world.mails(JORDAN)[0], "publish")
        await world.recover()
        await world.after(minutes=9)
        await world.fire()
        await world.after(hours=1)
        assert world.phases() == [Phase.PUBLISHED]
        await world.recover()
        await world.after(minutes=10)
        assert world.phases() == [Phase.CLOSED]
        assert len(world.mails(ANA)) == 3


async def test_an_unpublished_incident_that_recovers_is_discarded_on_the_thread(world: World) -> None:
    await world.subscribe(ANA)
    await world.fire()
    await world.after(minutes=6)
    await world.recover()
    assert world.phases() == [Phase.DISCARDED]
    asked, told = world.mails(JORDAN)
    assert told.subject == asked.subject
    assert "recovered" in told.text
    await world.answer(asked, "publish")
    assert world.phases() == [Phase.DISCARDED]
    assert "INC-1 recovered at 13:06 CET before it was published" in world.mails(JORDAN)[-1].text
    assert len(world.mails(ANA)) == 1, "only the mail that asked to confirm"


async def test_an_alert_after_the_close_opens_a_new_incident(world: World) -> None:
    await world.fire()
    await world.after(minutes=5)
    await world.answer(world.mails(JORDAN)[0], "publish")
    await world.recover()
    await world.fire()
    assert world.phases() == [Phase.CLOSED, Phase.WAITING]


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("ACKNOWLEDGEMENT", "the state `ACKNOWLEDGEMENT` opens and closes nothing"),
        ("INFO", "the state `INFO` opens and closes nothing"),
        ("", "it has no state, and so opens and closes nothing: let the webhook send one"),
        ("${{ALERT.entity_state}}", "it has no state, and so opens and closes nothing"),
    ],
)
async def test_a_state_without_meaning_opens_nothing_and_is_kept(world: World, state: str, said: str) -> None:
    await world.fire(state=state)
    assert world.incidents() == ()
    assert world.inbox()[-1].reason == "state_without_effect"
    assert said in world.inbox()[-1].explanation


async def test_an_unknown_monitor_is_kept_with_a_hint(world: World) -> None:
    await world.fire("Email Sever")
    assert world.incidents() == ()
    [row] = world.inbox()
    assert (row.state, row.reason) == ("refused", "no_monitor")
    assert "did you mean `Email Server`?" in row.explanation


async def test_a_template_that_names_what_is_not_there_loses_no_incident(
    tmp_path: Path, clock: Clock
) -> None:
    faulty = CONFIG.replace("{{ alert.monitor_name }}", "{{ alert.fields.host }}")
    async with make_world(tmp_path, clock, faulty) as world:
        await world.fire()
        assert world.phases() == [Phase.WAITING]
        assert "host" in world.timeline(1)[0].note
