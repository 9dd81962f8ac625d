"""Monitors and the inbox over the API: what is configured, and what arrived. It changes nothing."""

from base64 import b64encode
from typing import Annotated, Any

from pydantic import Field

from service.actions.api_tokens import Scope
from service.errors import NotFound
from service.store import audit, inbox_rows, inbox_search, narrative
from service.store.inbox_headlines import Headline
from service.store.inbox_rows import Door, InboxRow, InboxState
from service.store.inbox_search import Wanted
from service.web.api.forms import Moment, PageQuery, Search
from service.web.api.operations import Call, Operation
from service.web.api.problems import FieldFault, refused_fields
from service.web.api.shown import (
    ArrivalShown,
    HeadlineShown,
    InboxPage,
    MonitorList,
    monitor_shown,
)


class InboxQuery(PageQuery):
    """Which arrivals."""

    door: Door | None = Field(default=None, description="Only what came in this way.")
    state: InboxState | None = Field(default=None, description="Only what stands so.")
    reason: Annotated[Search, Field(max_length=64)] = Field(
        default="", description="Only what was decided for this reason, as `no_monitor`."
    )
    q: Search = Field(
        default="",
        description="Only where this text is part of a monitor's name, a reason, what became of a post, or the "
        "evidence about a sender; with the scope `subscribers:read` also of a sender, or of what became of a mail.",
    )
    entity_id: Annotated[Search, Field(max_length=500)] = Field(
        default="", description="Only posts that hold an alert of exactly this entity."
    )
    since: Moment | None = Field(default=None, description="Only what was received then or later.")
    until: Moment | None = Field(default=None, description="Only what was received before.")


def list_monitors(call: Call) -> MonitorList:
    """Give all monitors as config.yaml has them."""
    return MonitorList(items=tuple(map(monitor_shown, call.house.config.monitors)))


def list_inbox(call: Call) -> dict[str, Any]:
    """List or search posts and mails. A search looks through 5,000 at a time: a page may be empty and not the last."""
    query = call.asked(InboxQuery)
    if query.since and query.until and query.until <= query.since:
        raise refused_fields([FieldFault(detail="this is not after `since`", parameter="until")])
    wanted = Wanted(
        door=query.door,
        state=query.state,
        reason=query.reason,
        text=query.q,
        is_by_sender=_may_read_addresses(call),
        since=query.since,
        until=query.until,
        entity_id=query.entity_id,
    )
    with call.house.store.reading() as connection:
        found = inbox_search.search(connection, wanted, before_id=query.before, limit=query.limit)
    items = [_headline(call, one) for one in found.rows]
    return {"items": items, "next_before": found.next_before}


def get_arrival(call: Call) -> ArrivalShown:
    """Read one as it came."""
    number = call.ids["id"]
    with call.house.store.reading() as connection:
        row = inbox_rows.get(connection, number)
        incident_ids = narrative.incident_ids_of_arrival(connection, number)
    if row is None:
        raise NotFound(f"nothing in the inbox has the number {number}")
    # a mail quotes the token by which one publishes, in the name of the employee whom it was sent to
    is_post = row.door is Door.WEBHOOK
    # subscribers write mails too, and their addresses are not for whoever may look at the inbox
    may_know_sender = is_post or _may_read_addresses(call)
    return ArrivalShown(
        arrival=_headline(call, row),
        about={name: value for name, value in row.about.items() if may_know_sender or name != "sender"},
        incident_ids=incident_ids,
        raw=b64encode(row.raw).decode("ascii") if is_post and not row.is_removed else None,
    )


def _headline(call: Call, row: Headline | InboxRow) -> HeadlineShown:
    shown = {name: getattr(row, name) for name in HeadlineShown.model_fields}
    if row.door is Door.MAIL and not _may_read_addresses(call):
        shown["explanation"] = audit.redacted_in(row.explanation)
    return HeadlineShown.model_validate(shown)


def _may_read_addresses(call: Call) -> bool:
    return Scope.SUBSCRIBERS_READ in call.scopes


OPERATIONS = (
    Operation("GET", "/monitors", Scope.MONITORS_READ, list_monitors, "List monitors", MonitorList),
    Operation(
        "GET",
        "/inbox",
        Scope.INBOX_READ,
        list_inbox,
        "List or search what arrived",
        InboxPage,
        query=InboxQuery,
    ),
    Operation("GET", "/inbox/{id}", Scope.INBOX_READ, get_arrival, "Read what arrived", ArrivalShown),
)
