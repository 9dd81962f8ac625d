"""Simulations: they tell what would happen, exactly as it then does, and leave nothing behind."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.actions.alerts import fire_timer
from service.actions.house import House
from service.actions.simulating import READER, USUAL, simulate
from service.actions.simulation import Cause, GivenPost, Simulation, named_post
from service.actions.simulation_posts import LONGEST, long_enough, with_recoveries
from service.config import parse
from service.model import DeliveryKind, Phase, UpdateStatus
from service.outbox.composing import compose_one
from service.providers.post import RawPost
from service.store import incidents, narrative
from tests.effort import counting
from tests.rooms import CONFIG, Clock, make_house
from tests.web.outages import EMAIL_SERVER, Outages

START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
AT_ONCE = timedelta(0)


def run(
    *posts: GivenPost,
    config: str = CONFIG,
    until: timedelta | None = None,
    publish_after: timedelta | None = None,
) -> Simulation:
    """Simulate posts under a configuration."""
    read = parse(config, Path("config.yaml"), {})
    end = until or long_enough(read, posts)
    return simulate(read, posts, end, start=START, compose=compose_one, publish_after=publish_after)


def fires(after: timedelta = AT_ONCE, state: str = "CRITICAL", name: str = EMAIL_SERVER) -> GivenPost:
    """Give a post that says that the mail server is in a state."""
    return named_post(after, name, state)


def told(simulation: Simulation) -> list[tuple[int, str]]:
    """Give the minutes and reasons of a simulation's steps."""
    return [(step.after // MINUTE, step.reason) for step in simulation.steps]


def test_the_main_story_is_told_step_by_step() -> None:
    simulation = run(fires(), fires(30 * MINUTE, "OK"), publish_after=3 * MINUTE)
    assert told(simulation) == [(0, "opened"), (5, "wait_elapsed"), (8, "published"), (30, "auto_closed")]
    assert [step.cause for step in simulation.steps] == [Cause.POST, Cause.TIMER, Cause.REPLY, Cause.POST]
    assert [step.phases["INC-1"] for step in simulation.steps] == [
        Phase.WAITING,
        Phase.UNPUBLISHED,
        Phase.PUBLISHED,
        Phase.CLOSED,
    ]
    assert simulation.steps[1].at == START + 5 * MINUTE


def test_every_mail_is_shown_in_order_as_it_would_read() -> None:
    mails = run(fires(), fires(30 * MINUTE, "OK"), publish_after=3 * MINUTE).mails
    assert [(mail.kind, mail.to.partition("@")[0]) for mail in mails] == [
        (DeliveryKind.APPROVAL, "jordan"),
        (DeliveryKind.APPROVAL, "sam"),
        (DeliveryKind.PUBLISHED, "sam"),
        (DeliveryKind.ANSWER, "jordan"),
        (DeliveryKind.SUBSCRIBER_UPDATE, "subscriber"),
        (DeliveryKind.CLOSED, "jordan"),
        (DeliveryKind.CLOSED, "sam"),
        (DeliveryKind.SUBSCRIBER_UPDATE, "subscriber"),
    ]
    assert mails[0].subject == "[INC-1] Email is unavailable"
    assert "This is what 1 subscriber by mail would read:" in mails[0].text
    assert "We are looking into" in mails[4].text
    assert "Email works again." in mails[-1].text
    assert mails[-1].to == READER


def test_the_page_is_told_as_it_would_be() -> None:
    steps = run(fires(), fires(30 * MINUTE, "OK"), publish_after=3 * MINUTE).steps
    assert [len(step.page) for step in steps] == [0, 0, 1, 1]
    (going_on,), (over,) = steps[2].page, steps[3].page
    assert (going_on.status, going_on.is_current) == (UpdateStatus.INVESTIGATING, True)
    assert (over.status, over.is_current, over.text) == (UpdateStatus.RESOLVED, False, "Email works again.")


def test_what_recovers_within_its_wait_tells_nobody() -> None:
    simulation = run(*with_recoveries([fires()], 4 * MINUTE))
    assert told(simulation) == [(0, "opened"), (4, "recovered_within_wait")]
    assert not simulation.mails


def test_a_recovery_at_the_very_end_of_the_wait_comes_first() -> None:
    assert told(run(*with_recoveries([fires()], 5 * MINUTE)))[-1] == (5, "recovered_within_wait")


def test_a_name_without_a_monitor_is_said_to_match_none() -> None:
    (step,) = run(fires(name="Email Sever")).steps
    assert [match.monitor_key for match in step.matches] == [None]
    assert "did you mean `Email Server`?" in step.explanation
    assert step.reason == "no_monitor"


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b'{"state": "CRITICAL"}', b"[" * 10_000])
def test_a_payload_that_cannot_be_read_is_complained_of(body: bytes) -> None:
    (step,) = run(GivenPost(AT_ONCE, RawPost(body, "application/json"))).steps
    assert step.complaint
    assert (step.reason, step.matches, step.incidents) == ("unreadable", (), ())


def test_an_unknown_provider_is_complained_of() -> None:
    post = GivenPost(AT_ONCE, fires().post, provider="nagios")
    assert "known is: alertmanager" in run(*with_recoveries([post], MINUTE)).steps[0].complaint


def test_a_monitor_that_publishes_by_itself_needs_no_answer() -> None:
    config = CONFIG.replace("auto_publish: false", "auto_publish: true")
    simulation = run(fires(), config=config, publish_after=MINUTE)
    assert told(simulation) == [(0, "opened"), (5, "auto_published")]
    assert DeliveryKind.SUBSCRIBER_UPDATE in {mail.kind for mail in simulation.mails}


def test_as_many_answer_as_must_approve() -> None:
    config = CONFIG.replace("combine_alerts", "approvals: 2\n    combine_alerts")
    assert told(run(fires(), config=config, publish_after=MINUTE))[2:] == [(6, "approved"), (6, "published")]


def test_who_may_only_look_does_not_answer() -> None:
    config = CONFIG.replace("notify_employees: [jordan, sam]", "notify_employees: [vera, sam]")
    assert run(fires(), config=config, publish_after=MINUTE).steps[-1].given == "Sam Lee answers `publish`"


def test_an_answer_that_comes_too_late_is_told_so() -> None:
    simulation = run(*with_recoveries([fires()], 6 * MINUTE), publish_after=3 * MINUTE)
    assert told(simulation)[-1] == (8, "refused_discarded")
    assert simulation.mails[-1].kind is DeliveryKind.ANSWER


def test_the_ladder_is_climbed() -> None:
    ladder = "escalate: [{after: 10m, notify: [sam]}, {after: 30m, then: discard}]"
    config = CONFIG.replace("notify_employees: [jordan, sam]", f"notify_employees: [jordan]\n    {ladder}")
    assert told(run(fires(), config=config)) == [
        (0, "opened"),
        (5, "wait_elapsed"),
        (15, "escalated"),
        (35, "ladder_discarded"),
    ]


def test_an_audience_hears_of_it_in_the_person_of_the_example() -> None:
    config = CONFIG.replace("combine_alerts", "audience: [Partners]\n    combine_alerts")
    assert READER in {mail.to for mail in run(fires(), config=config, publish_after=MINUTE).mails}


def test_alerts_that_are_not_combined_are_each_asked_about_and_answered() -> None:
    config = CONFIG.replace("combine_alerts: true", "combine_alerts: false")
    simulation = run(fires(), fires(MINUTE), config=config, publish_after=10 * MINUTE)
    assert told(simulation)[-2:] == [(15, "published"), (16, "published")]


def test_what_goes_on_for_ever_is_cut() -> None:
    config = CONFIG.replace("combine_alerts", "remind_every: 1m\n    combine_alerts")
    simulation = run(fires(), config=config, until=LONGEST)
    assert simulation.is_cut
    assert len(simulation.steps) <= USUAL.steps
    assert USUAL.mails <= len(simulation.mails) < USUAL.mails + 10


def test_a_monitor_whose_texts_fail_says_so_and_goes_on() -> None:
    config = CONFIG.replace("{{ alert.monitor_name }}", "{{ 1 / 0 }}")
    assert told(run(fires(), config=config, publish_after=MINUTE))[-1] == (6, "published")


def test_nothing_but_the_given_time_counts() -> None:
    posts = with_recoveries([fires()], 30 * MINUTE)
    assert run(*posts, publish_after=MINUTE) == run(*posts, publish_after=MINUTE)
    assert told(run(*posts, until=4 * MINUTE)) == [(0, "opened")]


def test_it_is_little_work() -> None:
    run(fires())
    with counting() as effort:
        run(*with_recoveries([fires()], 30 * MINUTE), publish_after=MINUTE)
    assert effort.calls < 500_000


def steps_of(house: House) -> list[tuple[timedelta, str, str]]:
    """Give what the timelines of a house's incidents say, in order."""
    with house.store.reading() as connection:
        entries = [
            entry
            for incident in incidents.listed(connection, limit=99)
            for entry in narrative.timeline_of(connection, incident.id)
        ]
    return sorted((entry.at - START, str(entry.reason), str(entry.to_phase)) for entry in entries)


@given(st.lists(st.tuples(st.integers(0, 20), st.sampled_from(["CRITICAL", "OK"])), min_size=1, max_size=6))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_simulated_is_what_happens(
    tmp_path_factory: pytest.TempPathFactory, given_posts: list[tuple[int, str]]
) -> None:
    config = CONFIG.replace("auto_close: true", "auto_close: true\n    recovery_grace: 3m")
    posts = sorted((fires(after * MINUTE, state) for after, state in given_posts), key=lambda one: one.after)
    simulated = run(*posts, config=config, until=timedelta(hours=1))
    house = make_house(tmp_path_factory.mktemp("real"), config)
    live_through(house, posts)
    happened = steps_of(house)
    house.store.close()
    noted = {
        (step.after, step.reason, str(phase))
        for step in simulated.steps
        for phase in step.phases.values()
        if step.reason != "alert_repeated"
    }
    assert noted == set(happened)


def live_through(house: House, posts: list[GivenPost]) -> None:
    """Let posts arrive at a real house, minute by minute, as its jobs would take them."""
    clock = Clock(START)
    outages = Outages(house, clock)
    for minute in range(61):
        clock.now = START + minute * MINUTE
        for post in posts:
            if post.after == minute * MINUTE:
                (outages.recover if b'"OK"' in post.post.body else outages.fire)()
        with house.store.reading() as connection:
            due = incidents.due_ids(connection, clock.now, limit=9)
        for incident_id in due:
            fire_timer(house, incident_id, clock.now)
