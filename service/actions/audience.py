"""Who hears of an incident's or a maintenance's updates. It only asks."""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from service.actions.house import House
from service.actions.lost_choices import component_names
from service.config.settings import Config
from service.model import Incident, Update
from service.store import audience, incidents, maintenances, narrative
from service.store.audience import Audience, Reach
from service.store.together import read_once

ESTIMATE_LASTS = timedelta(hours=1)
MOST_COUNTED = 100


def audience_of(connection: Connection, house: House, update: Update) -> Audience:
    """Give who shall hear of an update.

    The first one goes to everybody who wants to hear of such things, each further one to those who were sent the
    first: whoever heard "open" hears "resolved", and nobody else. A correction goes to exactly those who were
    sent what it corrects.
    """
    if update.corrects_id is not None:
        return Audience(heard_update_id=update.corrects_id)
    first_id = narrative.first_update_id(connection, update.incident_id, update.maintenance_id)
    if first_id is not None and first_id != update.id:
        return Audience(heard_update_id=first_id)
    if update.maintenance_id is not None:
        maintenance = maintenances.get(connection, update.maintenance_id)
        if maintenance is None:
            return Audience()
        return _of_those(house.config, maintenance.components, maintenance.audience)
    incident = incidents.get(connection, update.incident_id or 0)
    return _of_new(house, incident) if incident else Audience()


def count_audience(connection: Connection, house: House, incident: Incident) -> Reach:
    """Count who would hear of the incident's next update, or of its first one."""
    first_id = narrative.first_update_id(connection, incident.id)
    if first_id is None:
        return count_new_audience(connection, house, incident)
    return audience.count(connection, Audience(heard_update_id=first_id))


def count_new_audience(connection: Connection, house: House, incident: Incident) -> Reach:
    """Count who hears of an incident when it is published."""
    return audience.count(connection, _of_new(house, incident))


def estimate_new_audience(connection: Connection, house: House, incident: Incident, now: datetime) -> Reach:
    """Tell who hears of an incident when it is published, in no time for any number of subscribers.

    What was MANY when it was last counted is told again for ESTIMATE_LASTS: a transaction that publishes must
    not let others wait until a million are counted.
    """
    wanted = _of_new(house, incident)
    reach, counted_at = house.counted.get(wanted, (Reach(), now))
    if reach.total >= audience.MANY and now - counted_at < ESTIMATE_LASTS:
        return reach
    return read_once(connection, wanted, lambda: _counted(connection, house, wanted, now))


def counted_last(house: House, incident: Incident) -> Reach | None:
    """Tell who hears of an incident when it is published as it was last counted; None where nobody counted."""
    found = house.counted.get(_of_new(house, incident))
    return found[0] if found else None


def count_ahead(house: House, now: datetime) -> None:
    """Count whom each monitor's incidents reach, outside of any transaction that publishes, before one has to."""
    wanted = {
        _of_those(house.config, tuple(one.affected_components), one.audience) for one in house.config.monitors
    }
    for one in wanted:
        with house.store.reading() as connection:
            _counted(connection, house, one, now)


def _counted(connection: Connection, house: House, wanted: Audience, now: datetime) -> Reach:
    reach = audience.count(connection, wanted)
    if len(house.counted) >= MOST_COUNTED:
        house.counted.clear()
    house.counted[wanted] = reach, now
    return reach


def _of_new(house: House, incident: Incident) -> Audience:
    return _of_those(house.config, tuple(incident.components), incident.audience)


def _of_those(config: Config, components: tuple[str, ...], groups: tuple[str, ...]) -> Audience:
    return Audience(components=components, known=component_names(config) if components else (), groups=groups)
