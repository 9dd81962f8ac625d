"""A closing comment may name the alert, and then names the incident's last one, whoever closes and whoever looks."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from service.actions.alerts import fire_timer, take_alerts
from service.actions.deciding import close, publish
from service.actions.house import House
from service.model import Alert, AlertState
from service.store import deliveries, inbox_rows, narrative
from service.store.inbox_rows import Arrival, Door
from tests.rooms import CONFIG, Clock, make_house

KEPT = CONFIG.replace("Email works again.", "{{ alert.message }}: {{ alert.state }}").replace(
    "auto_close: true", "auto_close: true\n    if_recovered_unpublished: keep"
)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Give a house whose closing comment names the alert, and where what recovered waits for its publication."""
    made = make_house(tmp_path, KEPT)
    yield made
    made.store.close()


def say(house: House, clock: Clock, state: AlertState, message: str, raw_state: str) -> None:
    """Let the monitoring product say something about the mail server."""
    with house.store.transaction() as connection:
        arrival = Arrival(Door.WEBHOOK, clock(), b"{}", provider="victorops")
        [inbox_id] = inbox_rows.add_many(connection, [arrival])
    alert = Alert("victorops", "Email Server", state, raw_state=raw_state, message=message)
    take_alerts(house, inbox_id, [alert], clock())


def last_update(house: House) -> str:
    with house.store.reading() as connection:
        return narrative.updates_of(connection, [1])[1][-1].body


def last_preview(house: House) -> str:
    """Read what the newest mail that asks said that publishing would show."""
    with house.store.reading() as connection:
        asked = deliveries.of_incident_to_employees(connection, 1)
    shown = [mail.facts["shown"]["body"] for mail in asked if "shown" in mail.facts]
    return str(shown[-1])


def test_who_closes_by_hand_sends_the_words_of_the_last_alert(house: House, clock: Clock) -> None:
    jordan = house.config.employees["jordan"]
    say(house, clock, AlertState.FIRING, "The queue is long", "WARNING")
    publish(house, 1, jordan, clock())
    say(house, clock, AlertState.FIRING, "The queue is longer", "CRITICAL")
    close(house, 1, jordan, "", clock())
    assert last_update(house) == "The queue is longer: CRITICAL"


def test_what_was_kept_is_published_with_the_very_words_of_its_preview(house: House, clock: Clock) -> None:
    say(house, clock, AlertState.FIRING, "The queue is long", "CRITICAL")
    clock.move(timedelta(minutes=5))
    fire_timer(house, 1, clock())
    say(house, clock, AlertState.RECOVERED, "The queue is empty", "RECOVERY")
    publish(house, 1, house.config.employees["jordan"], clock())
    assert last_update(house).endswith("\n\nThe queue is empty: RECOVERY")
    assert last_update(house) == last_preview(house)


def test_an_incident_without_an_alert_on_record_closes_with_the_rest_of_the_words(
    house: House, clock: Clock
) -> None:
    jordan = house.config.employees["jordan"]
    say(house, clock, AlertState.FIRING, "The queue is long", "CRITICAL")
    publish(house, 1, jordan, clock())
    with house.store.transaction() as connection:
        connection.exec_driver_sql("DELETE FROM alerts")
    close(house, 1, jordan, "", clock())
    assert last_update(house) == ":"
