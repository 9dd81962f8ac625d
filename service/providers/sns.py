"""Amazon SNS: a message of a topic → the alert in it: a CloudWatch alarm, by itself or as EventBridge tells of it.

The envelope and its kinds are those of the SNS Developer Guide, "HTTP/HTTPS notification JSON format"; whether it is
Amazon's is asked elsewhere, in `sns_signature`.
"""

from typing import Final

import orjson

from service.config.settings import Reading
from service.errors import PostUnreadable
from service.model import Alert, AlertState
from service.providers.payload import Tree, at, first, make_alert, meaning, read_object, text_at
from service.providers.post import RawPost
from service.providers.wording import instant

NAME = "sns"

NOTIFICATION: Final = "Notification"
SUBSCRIPTION: Final = "SubscriptionConfirmation"
UNSUBSCRIPTION: Final = "UnsubscribeConfirmation"

_STATES = {"alarm": AlertState.FIRING, "ok": AlertState.RECOVERED, "insufficient_data": AlertState.INFO}
_NEWS = {
    SUBSCRIPTION: "Amazon SNS asks to confirm the subscription of",
    UNSUBSCRIPTION: "Amazon SNS tells of the end of the subscription of",
}


def read(post: RawPost, reading: Reading) -> tuple[Alert, ...]:
    """Read the one alert of a message; the alarm's name names the monitor, its ARN pairs. Raises PostUnreadable.

    A message that is no alarm is information only, and so is what SNS says of the subscription.
    """
    tree = read_object(post)
    kind = text_at(tree, "Type")
    if kind in _NEWS:
        topic = topic_name(text_at(tree, "TopicArn"))
        return (_news(tree, kind, f"{_NEWS[kind]} {topic}", text_at(tree, "Message")),)
    if kind and kind != NOTIFICATION:
        raise PostUnreadable(f"Type is `{kind[:80]}`: Notification is expected")
    # without a Type it was sent as raw message: the body is the message itself
    message = _inner(text_at(tree, "Message")) if kind else tree
    if alarm := _alarm(message):
        return (_read_alarm(tree, message, alarm, reading),)
    if not kind:
        raise PostUnreadable("AlarmName is missing, and Type as well: a message of Amazon SNS is expected")
    subject = first((text_at(tree, "Subject"), topic_name(text_at(tree, "TopicArn"))))
    return (_news(tree, "message", subject, text_at(tree, "Message")),)


def topic_name(arn: str) -> str:
    """Give the last part of a topic's ARN."""
    return arn.rpartition(":")[2]


def _inner(message: str) -> Tree:
    try:
        tree = orjson.loads(message.encode("utf-8", "replace"))
    except orjson.JSONDecodeError:
        return {}
    return tree if isinstance(tree, dict) else {}


def _alarm(message: Tree) -> Tree:
    """Give an alarm's name, state, ARN, reason and time under CloudWatch's own names, wherever they stand."""
    if "AlarmName" in message or "NewStateValue" in message:
        return message
    detail = at(message, "detail")
    if not isinstance(detail, dict) or "alarmName" not in detail:
        return {}
    arns = message.get("resources")
    return {
        "AlarmName": detail["alarmName"],
        "AlarmArn": arns[0] if isinstance(arns, list) and arns else "",
        "NewStateValue": at(detail, "state", "value"),
        "NewStateReason": at(detail, "state", "reason"),
        "AlarmDescription": at(detail, "configuration", "description"),
        "StateChangeTime": at(detail, "state", "timestamp"),
    }


def _read_alarm(tree: Tree, message: Tree, alarm: Tree, reading: Reading) -> Alert:
    raw_state = text_at(alarm, "NewStateValue")
    return make_alert(
        NAME,
        message,
        reading,
        post=tree,
        state=meaning(raw_state, _STATES, "NewStateValue"),
        raw_state=raw_state,
        name=text_at(alarm, "AlarmName"),
        label="AlarmName",
        entity_id=first((text_at(alarm, "AlarmArn"), text_at(alarm, "AlarmName"))),
        message=first((text_at(alarm, "NewStateReason"), text_at(alarm, "AlarmDescription"))),
        sent_at=instant(first((text_at(alarm, "StateChangeTime"), text_at(tree, "Timestamp")))),
    )


def _news(tree: Tree, raw_state: str, name: str, message: str) -> Alert:
    return make_alert(
        NAME,
        tree,
        Reading(),
        state=AlertState.INFO,
        raw_state=raw_state,
        name=name,
        label="Subject",
        message=message,
        sent_at=instant(text_at(tree, "Timestamp")),
    )


def delivery_of(post: RawPost) -> str:
    """Give the id of a message, which SNS repeats where it delivers one again; empty: it has none."""
    try:
        return text_at(read_object(post), "MessageId")
    except PostUnreadable:
        return ""
