"""Reading the alerts that came since a time, whatever lies before."""

from datetime import UTC, datetime, timedelta

import pytest

from service.model import Alert, AlertState
from service.store import narrative
from service.store.database import Store
from service.store.suppression import alerts_since

SINCE = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("later", [0, 1, 499, 500, 501, 1_003])
def test_all_that_came_since_are_read_oldest_first_and_none_before(store: Store, later: int) -> None:
    with store.transaction() as connection:
        for number in range(-3, later):
            alert = Alert("victorops", f"m{number}", AlertState.FIRING, entity_id="e", raw_state="CRITICAL")
            at = SINCE + timedelta(seconds=number)
            narrative.add_alert(connection, alert, inbox_id=None, incident_id=None, reason="r", now=at)
    with store.reading() as connection:
        found = alerts_since(connection, SINCE)
    assert [one.monitor_name for one in found] == [f"m{number}" for number in range(later)]
    assert {(one.provider, one.entity_id, one.raw_state, one.reason) for one in found} <= {
        ("", "e", "CRITICAL", "r")
    }
