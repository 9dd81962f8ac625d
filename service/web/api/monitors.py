"""Monitors and the inbox over the API: what is configured, and what arrived. It changes nothing."""

from base64 import b64encode
from typing import Any

from service.actions.api_tokens import Scope
from service.errors import NotFound
from service.store import inbox_headlines, inbox_rows, narrative
from service.store.inbox_rows import Door
from service.web.api.forms import PageQuery
from service.web.api.operations import Call, Operation
from service.web.api.shown import (
    ArrivalShown,
    HeadlineShown,
    InboxPage,
    MonitorList,
    monitor_shown,
    page_of,
)


def list_monitors(call: Call) -> MonitorList:
    """Give all monitors as config.yaml has them."""
    return MonitorList(items=tuple(map(monitor_shown, call.house.config.monitors)))


def list_inbox(call: Call) -> dict[str, Any]:
    """List what arrived, posts and mails."""
    query = call.asked(PageQuery)
    with call.house.store.reading() as connection:
        found = inbox_headlines.headlines(connection, before_id=query.before, limit=query.limit + 1)
    return page_of(HeadlineShown, found, query.limit)


def get_arrival(call: Call) -> ArrivalShown:
    """Read one as it came."""
    number = call.ids["id"]
    with call.house.store.reading() as connection:
        row = inbox_rows.get(connection, number)
        incident_ids = narrative.incident_ids_of_arrival(connection, number)
    if row is None:
        raise NotFound(f"nothing in the inbox has the number {number}")
    own = {name: getattr(row, name) for name in HeadlineShown.model_fields if name != "size"}
    # a mail quotes the token by which one publishes, in the name of the employee whom it was sent to
    is_post = row.door is Door.WEBHOOK
    # subscribers write mails too, and their addresses are not for whoever may look at the inbox
    may_know_sender = is_post or Scope.SUBSCRIBERS_READ in call.scopes
    return ArrivalShown(
        arrival=HeadlineShown(**own, size=row.size),
        about={name: value for name, value in row.about.items() if may_know_sender or name != "sender"},
        incident_ids=incident_ids,
        raw=b64encode(row.raw).decode("ascii") if is_post and not row.is_removed else None,
    )


OPERATIONS = (
    Operation("GET", "/monitors", Scope.MONITORS_READ, list_monitors, "List monitors", MonitorList),
    Operation("GET", "/inbox", Scope.INBOX_READ, list_inbox, "List what arrived", InboxPage, query=PageQuery),
    Operation("GET", "/inbox/{id}", Scope.INBOX_READ, get_arrival, "Read what arrived", ArrivalShown),
)
