"""What is learned of monitors from what they did."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from service.actions.alerts import take_alerts
from service.actions.house import House
from service.actions.monitor_health import (
    LEARNED_FROM,
    Health,
    MonitorHealth,
    examine,
    examine_one,
)
from service.model import Alert, AlertState
from service.store import inbox_rows
from service.store.inbox_rows import Arrival, Door
from service.store.monitor_history import Counts
from tests.rooms import CONFIG, Clock, make_house
from tests.web.outages import ECHO, ECHO_MONITOR, EMAIL_SERVER, Outages

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Give a house with two monitors."""
    made = make_house(tmp_path, CONFIG + ECHO_MONITOR)
    yield made
    made.store.close()


@pytest.fixture
def outages(house: House, clock: Clock) -> Outages:
    """Give what may go wrong."""
    return Outages(house, clock)


def health_of(outages: Outages) -> Health:
    """Examine the house now."""
    with outages.house.store.reading() as connection:
        return examine(connection, outages.house.config, outages.clock())


def email_of(outages: Outages) -> MonitorHealth:
    """Examine the mail server's monitor; the whole and the single examination must agree."""
    (found,) = [one for one in health_of(outages).monitors if EMAIL_SERVER in one.monitor.alert_names]
    with outages.house.store.reading() as connection:
        alone = examine_one(connection, outages.house.config, found.monitor, outages.clock())
    assert alone == found
    return found


def receive(outages: Outages, name: str, provider: str = "victorops") -> None:
    """Let an alert of any name fire."""
    take(outages, Alert(provider, name, AlertState.FIRING))


def take(outages: Outages, alert: Alert) -> None:
    """Let an alert come by itself."""
    now = outages.clock()
    with outages.house.store.transaction() as connection:
        arrival = Arrival(Door.WEBHOOK, now, b"{}", provider=alert.provider)
        inbox_id = inbox_rows.add_many(connection, [arrival])[0]
    take_alerts(outages.house, inbox_id, [alert], now)


def unknown(name: str, raw_state: str) -> Alert:
    """Give an alert in a state that nobody knows."""
    return Alert("victorops", name, AlertState.INFO, raw_state=raw_state, is_state_known=False)


def test_a_monitor_that_did_nothing_has_nothing_wrong(outages: Outages) -> None:
    email = email_of(outages)
    assert (email.counts, email.last_alert, email.time_to_act, email.problems) == (Counts(), None, None, ())
    assert email.advice.outages == 0


def test_what_it_did_in_thirty_days_is_counted(outages: Outages) -> None:
    outages.fire()
    outages.recover()  # within its wait time
    outages.clock.move(31 * DAY)
    outages.fire()
    outages.recover()
    outages.published()
    outages.recover()
    outages.published(ECHO, subject="x", message="y")
    assert email_of(outages).counts == Counts(fired=2, resolved=2, published=1)
    assert health_of(outages).monitors[1].counts == Counts(fired=1, resolved=0, published=1)


def test_its_last_alert_is_told_under_whatever_spelling_it_came(outages: Outages) -> None:
    outages.fire()
    outages.clock.move(MINUTE)
    receive(outages, "EMAIL  server")
    last = email_of(outages).last_alert
    assert last is not None
    assert (last.monitor_name, last.received_at) == ("EMAIL  server", outages.clock())
    assert email_of(outages).names == ("EMAIL  server", "Email Server")


@pytest.mark.parametrize(("delays", "median"), [([4], 4), ([2, 4, 60], 4), ([2, 4], 3)])
def test_how_long_people_took_is_the_median_from_the_mail_that_asked(
    outages: Outages, delays: list[int], median: int
) -> None:
    for at, delay in enumerate(delays):
        incident = outages.fire()
        outages.wait(incident)
        outages.clock.move(delay * MINUTE)
        (outages.publish if at % 2 else outages.discard)(incident)
        outages.recover()
    assert email_of(outages).time_to_act == median * MINUTE


def test_what_ended_by_itself_is_nobodys_doing(outages: Outages) -> None:
    outages.wait(outages.fire())
    outages.recover()
    assert email_of(outages).time_to_act is None


def test_a_monitor_that_fires_and_never_recovers_lacks_its_second_webhook(outages: Outages) -> None:
    outages.fire()
    outages.clock.move(DAY - MINUTE)
    assert email_of(outages).problems == ()
    outages.clock.move(MINUTE)
    (problem,) = email_of(outages).problems
    assert problem.startswith("It fired once and never recovered: is the second webhook")
    outages.recover()
    assert email_of(outages).problems == ()


def test_one_recovery_among_many_is_enough(outages: Outages) -> None:
    for _ in range(3):
        outages.discard(outages.fire())
        outages.clock.move(DAY)
    assert "3 times" in email_of(outages).problems[0]
    outages.fire()
    outages.recover()
    assert email_of(outages).problems == ()


def test_a_name_that_no_monitor_takes_is_told_with_what_may_be_meant(outages: Outages) -> None:
    receive(outages, "Email Sever")
    outages.clock.move(MINUTE)
    receive(outages, "Something else")
    health = health_of(outages)
    assert [(name.name, name.near) for name in health.unmatched] == [
        ("Something else", ()),
        ("Email Sever", ("Email Server",)),
    ]
    said = "`Email Sever` was received from victorops, and no monitor takes it: did you mean `Email Server`?"
    assert [one.problems for one in health.monitors] == [(said,), ()]


def test_a_name_of_another_providers_monitor_is_no_monitors_and_a_problem_of_that_one(
    outages: Outages,
) -> None:
    outages.fire()
    outages.clock.move(MINUTE)
    receive(outages, EMAIL_SERVER, "uptimekuma")
    said = (
        "`Email Server` is a monitor of victorops, and this came from uptimekuma: "
        "set `provider: uptimekuma` in a monitor of that name."
    )
    assert [(one.name, one.provider, one.in_words) for one in health_of(outages).unmatched] == [
        (EMAIL_SERVER, "uptimekuma", said)
    ]
    email = email_of(outages)
    assert email.problems == (said,)
    assert email.last_alert is not None
    assert email.last_alert.received_at == outages.clock() - MINUTE, "what is its own is still its last"


def test_what_came_without_a_name_asks_for_no_monitor_of_it(outages: Outages) -> None:
    receive(outages, "${{ALERT.monitor_name}}")
    health = health_of(outages)
    assert (health.unmatched, [one.problems for one in health.monitors]) == ((), [(), ()])
    [nameless] = health.nameless
    assert nameless.in_words == (
        "VictorOps had no monitor_name for this alert (it was raised by hand or by mail); "
        "`*` takes such alerts."
    )


def test_a_state_that_nobody_knows_is_a_problem_of_its_monitor_with_how_often_it_came(
    outages: Outages,
) -> None:
    for name in (EMAIL_SERVER, EMAIL_SERVER, EMAIL_SERVER.upper()):
        take(outages, unknown(name, "HIGH"))
    take(outages, unknown(EMAIL_SERVER, "PURPLE"))
    mend = "let the webhook send CRITICAL or OK, or add `phase` to its payload, which comes first."
    assert email_of(outages).problems == (
        f"`HIGH` was received 3 times and is no state that is known: {mend}",
        f"`PURPLE` was received once and is no state that is known: {mend}",
    )
    assert health_of(outages).monitors[1].problems == ()
    outages.clock.move(31 * DAY)
    assert email_of(outages).problems == ()


def test_a_state_that_is_known_to_tell_nothing_is_no_problem(outages: Outages) -> None:
    take(outages, Alert("victorops", EMAIL_SERVER, AlertState.INFO, raw_state="INFO"))
    take(outages, Alert("victorops", EMAIL_SERVER, AlertState.ACKNOWLEDGED, raw_state="ACKED"))
    assert email_of(outages).problems == ()


def test_a_name_that_no_monitor_takes_is_told_whatever_its_state_may_mean(outages: Outages) -> None:
    take(outages, unknown("Toaster", "HIGH"))
    assert [one.name for one in health_of(outages).unmatched] == ["Toaster"]


def test_a_name_that_was_not_received_lately_is_forgotten(outages: Outages) -> None:
    receive(outages, "Email Sever")
    outages.clock.move(31 * DAY)
    assert health_of(outages).unmatched == ()


def test_a_name_that_a_monitor_takes_by_now_is_unmatched_no_longer(outages: Outages) -> None:
    receive(outages, "Web")
    config = outages.house.config
    wider = replace(config, monitors=(*config.monitors, replace(config.monitors[0], alert_names=("W*",))))
    with outages.house.store.reading() as connection:
        health = examine(connection, wider, outages.clock())
    assert health.unmatched == ()
    assert health.monitors[-1].names == ("Web",)


def test_the_advice_rests_on_the_last_incidents(outages: Outages) -> None:
    for _ in range(LEARNED_FROM + 3):
        outages.fire()
        outages.clock.move(3 * MINUTE)
        outages.recover()
    advice = email_of(outages).advice
    assert (advice.outages, advice.present.spared) == (LEARNED_FROM, LEARNED_FROM)
