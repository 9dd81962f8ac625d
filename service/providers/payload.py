"""A payload as the tree that it is: looking things up in it, and making an alert of what was found.

What is not there is an empty text. It knows no provider, and raises nothing but PostUnreadable.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from service.config.expressions import evaluate
from service.config.settings import Reading
from service.errors import PostUnreadable
from service.model import Alert, AlertState
from service.providers.lenient import flat, read_tree
from service.providers.post import PostContent, RawPost
from service.providers.wording import (
    MAX_ENTITY_LENGTH,
    MAX_MESSAGE_LENGTH,
    MAX_NAME_LENGTH,
    lines,
    name_of_monitor,
    one_line,
)

MAX_ALERTS: Final = 1000
"""In one post; each may open an incident."""
Tree = dict[str, Any]


def read_object(post: RawPost) -> Tree:
    """Read a body that is one object. Raises PostUnreadable."""
    tree = read_tree(post.body, post.content_type)
    if not isinstance(tree, dict):
        raise PostUnreadable("the body is no object: braces {…} with properties in them are expected")
    return tree


def at(tree: object, *path: str) -> Any:  # noqa: ANN401  whatever JSON holds
    """Give what stands at a path of properties, or None."""
    for name in path:
        if not isinstance(tree, dict):
            return None
        tree = tree.get(name)
    return tree


def text_at(tree: object, *path: str) -> str:
    """Give the text, number or truth that stands at a path of properties, as a text; empty: there is none."""
    value = at(tree, *path)
    return "" if isinstance(value, dict | list) else text_of(value)


def text_of(value: object) -> str:
    """Give a plain value as a text; whole numbers have no fraction. Raises PostUnreadable for lists and objects."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        value = int(value)
    if isinstance(value, int | float):
        try:
            return str(value)
        except ValueError as error:  # Python prints no number of more than 4300 digits
            raise PostUnreadable("a number is too large") from error
    raise PostUnreadable(f"it is a {'list' if isinstance(value, list | tuple) else 'group of properties'}")


def computed(expression: str, label: str, item: object, post: object) -> str:
    """Give what an expression of config.yaml finds, as a text. Raises PostUnreadable."""
    try:
        return text_of(evaluate(expression, item, post))
    except ValueError as error:
        raise PostUnreadable(f"{label}: {error}") from error
    except PostUnreadable as error:
        raise PostUnreadable(f"{label} must give a text, but of `{expression}` {error}") from error


def meaning(word: str, meanings: Mapping[str, AlertState], label: str) -> AlertState:
    """Give what a word for a state means, in any case. Raises PostUnreadable, which names those that are known."""
    known = meanings.get(word.strip().casefold())
    if known is None:
        said = f"{label} is `{one_line(word)[:80]}`" if word.strip() else f"{label} is missing"
        raise PostUnreadable(f"{said}: one of {', '.join(meanings)} is expected")
    return known


def make_alert(
    provider: str,
    item: Tree,
    reading: Reading,
    *,
    state: AlertState,
    raw_state: str,
    name: str,
    label: str,
    post: object = None,
    entity_id: str = "",
    message: str = "",
    sent_at: datetime | None = None,
    more: Mapping[str, object] = MappingProxyType({}),
) -> Alert:
    """Make an alert of one item of a payload; the monitor is named by config.yaml, or else by `name`.

    `label` says where `name` stands. What is information only is named by `name` where there is one, for it may be of
    another shape. Raises PostUnreadable where an alert has no name.
    """
    if reading.monitor_name and (state is not AlertState.INFO or not name.strip()):
        name = computed(reading.monitor_name, "`monitor_name`", item, item if post is None else post)
        label = f"what `monitor_name: {reading.monitor_name}` looks for"
    return Alert(
        provider=provider,
        monitor_name=name_of_monitor(name, label),
        state=state,
        entity_id=one_line(entity_id)[:MAX_ENTITY_LENGTH] or None,
        raw_state=one_line(raw_state)[:MAX_NAME_LENGTH],
        message=lines(message)[:MAX_MESSAGE_LENGTH],
        sent_at=sent_at,
        fields=MappingProxyType(flat({**more, **item})),
    )


def read_each(items: object, read_one: Callable[[Tree], Alert]) -> PostContent:
    """Read a list of alerts. One that cannot be read takes none of the others with it: it is complained of.

    Raises PostUnreadable where none of them can be read.
    """
    if not isinstance(items, list):
        raise PostUnreadable("a list of alerts is expected, and there is none")
    if len(items) > MAX_ALERTS:
        raise PostUnreadable(
            f"the post holds {len(items):,} alerts: at most {MAX_ALERTS:,} are taken at once"
        )
    alerts, complaints = [], []
    for number, item in enumerate(items, start=1):
        try:
            if not isinstance(item, dict):
                raise PostUnreadable("an object in braces {…} is expected")  # noqa: TRY301  as if it were read
            alerts.append(read_one(item))
        except PostUnreadable as error:
            complaints.append(f"alert {number} cannot be read: {error}")
    complaint = _summed_up(complaints) if complaints else ""
    if complaint and not alerts:
        raise PostUnreadable(complaint)
    return PostContent(tuple(alerts), complaint)


def _summed_up(complaints: list[str]) -> str:
    others = len(complaints) - 1
    return one_line(complaints[0]) + (f" (and {others} more)" if others else "")


def first(texts: Iterable[str]) -> str:
    """Give the first text that is not blank."""
    return next((text for text in texts if text.strip()), "")
