"""Subscribers over the API. What becomes of an order `actions.subscriber_admin` decides."""

from typing import Any

from starlette.responses import StreamingResponse

from service.actions import subscriber_admin
from service.actions.api_tokens import Scope
from service.calls.signing import signing_key
from service.errors import NotAllowed, NotFound
from service.model import Channel, Subscriber
from service.store import subscriber_lists, subscribers
from service.web.api.forms import ImportQuery, Nothing, SubscribersQuery, WebhookBody
from service.web.api.operations import CSV, NO_CONTENT, Call, Operation
from service.web.api.problems import Problem, problem_of
from service.web.api.shown import ImportedShown, SigningKey, SubscriberPage, SubscriberShown, page_of
from service.web.api.subscribers_by_hand import refuse_unknown


def list_subscribers(call: Call) -> dict[str, Any]:
    """List or search subscribers."""
    query = call.asked(SubscribersQuery)
    with call.house.store.reading() as connection:
        found = subscriber_lists.search(
            connection,
            text=query.q.strip(),
            state=query.state or "",
            before_id=query.before,
            limit=query.limit + 1,
        )
    return page_of(SubscriberShown, found, query.limit)


def get_subscriber(call: Call) -> SubscriberShown:
    """Read one."""
    return SubscriberShown.model_validate(_found(call))


def get_signing_key(call: Call) -> SigningKey:
    """Read the key that signs the calls of a webhook."""
    found = _found(call)
    if found.channel is Channel.EMAIL:
        raise NotFound(f"subscriber {found.id} is no webhook, and nothing is signed for it")
    return SigningKey(signing_key=signing_key(call.house.key, found.public_id))


def add_webhook(call: Call) -> SubscriberShown | Problem:
    """Let a webhook hear of incidents."""
    said = call.said(WebhookBody)
    refuse_unknown(said.components, {one.name for one in call.house.config.components})
    added = subscriber_admin.add_webhook(
        call.house,
        said.url,
        call.by,
        call.now,
        channel=said.channel,
        components=said.components or None,
        groups=said.groups,
    )
    return SubscriberShown.model_validate(added)


def import_subscribers(call: Call) -> ImportedShown | Problem:
    """Take a CSV file: all of it or, where a line is bad, none of it."""
    have_agreed = call.asked(ImportQuery).have_agreed
    try:
        done = subscriber_admin.import_file(
            call.house, call.raw, call.by, call.now, have_agreed=have_agreed, note=call.note
        )
    except NotAllowed as error:
        # the token may; the list is too long to ask all of it
        return problem_of(422, str(error))
    return ImportedShown.model_validate(done)


def export_subscribers(call: Call) -> StreamingResponse:
    """Write all who have confirmed; what it writes can be imported."""
    headers = {"content-disposition": 'attachment; filename="subscribers.csv"'}
    lines = subscriber_admin.export_lines(call.house, call.by, call.now)
    return StreamingResponse(lines, media_type=f"{CSV}; charset=utf-8", headers=headers)


def reinstate_subscriber(call: Call) -> SubscriberShown:
    """Send to a suppressed subscriber again."""
    subscriber_admin.reinstate(call.house, call.ids["id"], call.by, call.now)
    return SubscriberShown.model_validate(_found(call))


def delete_subscriber(call: Call) -> None:
    """Forget a subscriber; what was sent stays in the records."""
    subscriber_admin.remove(call.house, call.ids["id"], call.by, call.now)


def _found(call: Call) -> Subscriber:
    with call.house.store.reading() as connection:
        found = subscribers.get(connection, call.ids["id"])
    if found is None:
        raise NotFound(f"there is no subscriber {call.ids['id']}")
    return found


_READ, _WRITE = Scope.SUBSCRIBERS_READ, Scope.SUBSCRIBERS_WRITE
_ALL, _ONE = "/subscribers", "/subscribers/{id}"

OPERATIONS = (
    Operation(
        "GET",
        _ALL,
        _READ,
        list_subscribers,
        "List or search subscribers",
        SubscriberPage,
        query=SubscribersQuery,
    ),
    Operation(
        "GET",
        f"{_ALL}/export",
        _READ,
        export_subscribers,
        "Export a CSV file",
        answer_type=CSV,
        is_noted=True,
    ),
    Operation(
        "POST",
        f"{_ALL}/import",
        _WRITE,
        import_subscribers,
        "Import a CSV file",
        ImportedShown,
        query=ImportQuery,
        body_type=CSV,
        in_steps=True,
    ),
    Operation(
        "POST", f"{_ALL}/webhooks", _WRITE, add_webhook, "Subscribe a webhook", SubscriberShown, WebhookBody
    ),
    Operation("GET", _ONE, _READ, get_subscriber, "Read a subscriber", SubscriberShown),
    Operation("DELETE", _ONE, _WRITE, delete_subscriber, "Forget a subscriber", status=NO_CONTENT),
    Operation(
        "GET", f"{_ONE}/signing-key", _WRITE, get_signing_key, "Read the key of a webhook's calls", SigningKey
    ),
    Operation(
        "POST",
        f"{_ONE}/reinstate",
        _WRITE,
        reinstate_subscriber,
        "Send to it again",
        SubscriberShown,
        Nothing,
    ),
)
