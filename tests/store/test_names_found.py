"""The upgrade gives each joined alert its name where the alerts received leave no doubt, and none elsewhere."""

from contextlib import closing

import pytest
from alembic import command
from sqlalchemy import Connection, select

from service.model import Alert, AlertState, JoinedAlert
from service.store import narrative
from service.store.database import Store, open_store
from service.store.migrating import alembic_config
from service.store.schema import joined_alerts
from tests.store.rows import NOW, add_incident

E1, API_1, NOTHING = "e1", "api-1", None
FIRED, RECOVERED = AlertState.FIRING, AlertState.RECOVERED


def after_upgrade(
    store: Store, url: str, key: str | None, *received: tuple[str, str | None, AlertState]
) -> str:
    """Upgrade a database with an incident of one alert, and what was received of it; gives the alert's name."""
    with store.transaction() as connection:
        incident = add_incident(connection, alerts=(JoinedAlert(key, NOW),))
        other = add_incident(connection, alerts=(JoinedAlert("other", NOW),))
        for name, entity_id, state in received:
            alert = Alert("victorops", name, state, entity_id)
            _add(connection, alert, incident.id)
        _add(connection, Alert("victorops", "Of Another", AlertState.FIRING, key), other.id)
        command.downgrade(alembic_config(connection), "0003")
    with closing(open_store(url)) as upgraded, upgraded.reading() as connection:
        found = select(joined_alerts.c.name).where(joined_alerts.c.incident_id == incident.id)
        return str(connection.execute(found).scalar_one())


def _add(connection: Connection, alert: Alert, incident_id: int) -> None:
    narrative.add_alert(connection, alert, inbox_id=None, incident_id=incident_id, reason="opened", now=NOW)


@pytest.mark.parametrize(
    ("key", "received", "name"),
    [
        (E1, [("API  Straße", E1, FIRED)], "api strasse"),
        (E1, [("API-1", E1, FIRED), ("api-1", E1, FIRED)], "api-1"),
        (API_1, [("API-1", None, FIRED)], "api-1"),
        (NOTHING, [("API-1", None, FIRED)], "api-1"),
        (NOTHING, [("API-1", None, FIRED), ("api-2", E1, FIRED)], "api-1"),
        (E1, [("api-1", E1, FIRED), ("api-2", E1, FIRED)], ""),
        (NOTHING, [("api-1", None, FIRED), ("api-2", None, FIRED)], ""),
        (API_1, [("API-1", None, FIRED), ("web", API_1, FIRED)], ""),
        (E1, [("api-1", E1, RECOVERED)], ""),
        (E1, [("api-1", "e2", FIRED)], ""),
        (E1, [("api-1", None, FIRED)], ""),
        (NOTHING, [], ""),
    ],
)
def test_an_alert_has_the_name_that_alone_it_was_received_under(
    store: Store, url: str, key: str | None, received: list[tuple[str, str | None, AlertState]], name: str
) -> None:
    assert after_upgrade(store, url, key, *received) == name
