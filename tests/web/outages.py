"""Lets incidents happen to a house through its real actions, the way webhooks, timers and employees do."""

from dataclasses import dataclass
from datetime import timedelta

from service.actions.alerts import fire_timer, take_alerts
from service.actions.deciding import close, discard, post_update, publish
from service.actions.house import House
from service.model import Alert, AlertState, Employee, Incident, UpdateStatus
from service.store import inbox_rows, incidents
from service.store.inbox_rows import Arrival, Door
from tests.rooms import Clock

EMAIL_SERVER = "Email Server"
ECHO = "Echo"
"""A monitor whose incident says what the alert's fields `subject` and `message` say."""

ECHO_MONITOR = """\
  - provider: victorops
    alert_name: Echo
    authored_by: jordan
    type: performance
    affected_components: {Calendar: degraded_performance}
    subject: "{{ alert.fields.subject }}"
    message: "{{ alert.fields.message }}"
    notify_employees: [jordan]
    combine_alerts: false
    auto_close: false
"""
BOTH = "Both"
"""As `ECHO`, but two employees have to approve."""
BOTH_MONITOR = ECHO_MONITOR.replace("alert_name: Echo", "alert_name: Both\n    approvals: 2").replace(
    "notify_employees: [jordan]", "notify_employees: [jordan, sam]"
)


@dataclass(frozen=True, slots=True)
class Outages:
    """What goes wrong in a house, and what its employees do about it."""

    house: House
    clock: Clock

    def fire(self, name: str = EMAIL_SERVER, *, entity_id: str | None = None, **fields: str) -> Incident:
        """Let an alert fire; gives the newest incident."""
        self._take(name, AlertState.FIRING, fields, entity_id)
        with self.house.store.reading() as connection:
            return incidents.listed(connection, limit=1)[0]

    def recover(self, name: str = EMAIL_SERVER) -> None:
        """Let a monitor recover."""
        self._take(name, AlertState.RECOVERED, {})

    def _take(
        self, name: str, state: AlertState, fields: dict[str, str], entity_id: str | None = None
    ) -> None:
        now = self.clock()
        with self.house.store.transaction() as connection:
            arrival = Arrival(Door.WEBHOOK, now, b"{}", provider="victorops")
            inbox_id = inbox_rows.add_many(connection, [arrival])[0]
        take_alerts(self.house, inbox_id, [Alert("victorops", name, state, entity_id, fields=fields)], now)

    def wait(self, incident: Incident, span: timedelta = timedelta(minutes=5)) -> None:
        """Let the wait time elapse, so that the employees are asked."""
        self.clock.move(span)
        fire_timer(self.house, incident.id, self.clock())

    def publish(self, incident: Incident, by: str = "sam") -> None:
        """Let an employee publish."""
        publish(self.house, incident.id, self._employee(by), self.clock())

    def discard(self, incident: Incident, by: str = "sam") -> None:
        """Let an employee discard."""
        discard(self.house, incident.id, self._employee(by), self.clock())

    def tell(
        self,
        incident: Incident,
        body: str,
        status: UpdateStatus = UpdateStatus.IDENTIFIED,
        by: str = "sam",
    ) -> None:
        """Let an employee post an update."""
        post_update(self.house, incident.id, self._employee(by), status, body, self.clock())

    def close(self, incident: Incident, comment: str = "", by: str = "sam") -> None:
        """Let an employee close."""
        close(self.house, incident.id, self._employee(by), comment, self.clock())

    def published(self, name: str = EMAIL_SERVER, **fields: str) -> Incident:
        """Let an alert fire and an employee publish it at once."""
        incident = self.fire(name, **fields)
        self.publish(incident)
        return incident

    def _employee(self, employee_id: str) -> Employee:
        return self.house.config.employees[employee_id]
