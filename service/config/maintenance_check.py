"""What must fit together in a planned maintenance: a beginning before an end, components that there are.

Looks at the raw tree, as `checks` does. A window that lies in the past is no fault: it stays in the file.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from service.config.document import Document, Keys, find, texts
from service.config.moments import parse_moment
from service.config.spans import read_span
from service.config.values import parse_timezone
from service.config.wording import suggest
from service.errors import Fault


def check_maintenance(document: Document) -> list[Fault]:
    """Report windows without a length, moments that do not exist, and names that refer to nothing."""
    zone = _zone(document)
    return [
        *_unknown_components(document),
        *(
            fault
            for keys, window in find(document.tree, "maintenance", "*")
            if isinstance(window, dict)
            for fault in (*_lengths(document, keys, window), *_moments(document, keys, window, zone))
        ),
        *_twice(document, zone),
    ]


def _zone(document: Document) -> ZoneInfo:
    for _, name in texts(document.tree, "site", "timezone"):
        try:
            return parse_timezone(name.strip())
        except ValueError:
            pass  # it is reported where it stands
    return ZoneInfo("UTC")


def _unknown_components(document: Document) -> Iterator[Fault]:
    names = [one.strip() for _, one in texts(document.tree, "components", "*", "name")]
    for keys, name in texts(document.tree, "maintenance", "*", "components", "*"):
        if name.strip() not in names:
            yield document.fault(keys, f"unknown component {document.quoted(keys)}{suggest(name, names)}")


def _lengths(document: Document, keys: Keys, window: Mapping[str, Any]) -> Iterator[Fault]:
    if "ends_at" in window and "duration" in window:
        text = "a maintenance has `ends_at` or `duration`, not both: leave one out"
        yield document.fault((*keys, "duration"), text, at_key=True)
    elif "ends_at" not in window and "duration" not in window:
        text = "its end is missing: add `duration`, such as 2h, or `ends_at`"
        yield document.fault((*keys, "starts_at"), text, at_key=True)
    for name in ("duration", "remind"):
        if name in window and _span(window[name]) == timedelta(0):
            least = "leave it out" if name == "remind" else "write for example 2h"
            yield document.fault(
                (*keys, name), f"{document.quoted((*keys, name))} is no time at all: {least}"
            )


def _moments(document: Document, keys: Keys, window: Mapping[str, Any], zone: ZoneInfo) -> Iterator[Fault]:
    found: dict[str, datetime] = {}
    for name in ("starts_at", "ends_at"):
        if isinstance(window.get(name), str):
            where = (*keys, name)
            try:
                found[name] = parse_moment(window[name], zone)
            except ValueError as error:
                yield document.fault(where, f"{document.quoted(where)} {error}")
    if len(found) > 1 and found["ends_at"] <= found["starts_at"]:
        where = (*keys, "ends_at")
        yield document.fault(where, f"{document.quoted(where)} is not after `starts_at`: write a later time")


def _twice(document: Document, zone: ZoneInfo) -> Iterator[Fault]:
    """Report a subject that two windows of the same beginning have: nobody could tell which one was changed."""
    first: dict[tuple[str, datetime], int] = {}
    for keys, window in find(document.tree, "maintenance", "*"):
        if not isinstance(window, dict) or not isinstance(window.get("subject"), str):
            continue
        try:
            starts_at = parse_moment(str(window.get("starts_at", "")), zone).astimezone(UTC)
        except ValueError:
            continue
        name = (" ".join(window["subject"].split()), starts_at)
        where = (*keys, "subject")
        if name in first:
            text = (
                f"{document.quoted(where)} is planned for this time already (line {first[name]}): change one"
            )
            yield document.fault(where, text)
        first.setdefault(name, document.place(where).line)


def _span(value: object) -> timedelta | None:
    try:
        return read_span(value)
    except ValueError:
        return None
