"""What must fit together in a monitor's ladder and approvals: times that grow, people who may publish.

Looks at the raw tree, as `checks` does; that every id is an employee's is looked at there.
"""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import timedelta
from typing import Any

from service.config.checks import viewers_in
from service.config.document import Document, Keys, find
from service.config.spans import read_span
from service.config.values import parse_people
from service.errors import Fault
from service.model import IfRecovered, LastResort


def check_ladders(document: Document) -> list[Fault]:
    """Report rungs that could never be reached or would ask nobody, and approvals that could not be had."""
    viewers = viewers_in(document)
    return [
        fault
        for keys, monitor in find(document.tree, "monitors", "*")
        if isinstance(monitor, dict)
        for fault in (
            *_untimely_rungs(document, keys, monitor),
            *_pointless_rungs(document, keys, monitor, viewers),
            *_missing_approvals(document, keys, monitor, viewers),
            *_evaded_approvals(document, keys, monitor),
        )
    ]


def _rungs(keys: Keys, monitor: Mapping[str, Any]) -> list[tuple[Keys, Mapping[str, Any]]]:
    ladder = monitor.get("escalate")
    rungs = ladder if isinstance(ladder, list) else []
    return [((*keys, "escalate", at), rung) for at, rung in enumerate(rungs) if isinstance(rung, dict)]


def _untimely_rungs(document: Document, keys: Keys, monitor: Mapping[str, Any]) -> Iterator[Fault]:
    reached = timedelta(0)
    for where, rung in _rungs(keys, monitor):
        try:
            after = read_span(rung.get("after"))
        except ValueError:
            continue
        if after <= reached:
            text = "is no later than the step before it: each counts from when the employees were first asked"
            if not reached:
                text = "leaves nobody time to decide: write for example 10m"
            place = (*where, "after")
            yield document.fault(place, f"{document.quoted(place)} {text}")
        reached = max(reached, after)


def _pointless_rungs(
    document: Document, keys: Keys, monitor: Mapping[str, Any], viewers: AbstractSet[str]
) -> Iterator[Fault]:
    rungs = _rungs(keys, monitor)
    for where, rung in rungs:
        asked = rung.get("notify")
        if "then" in rung and "notify" in rung:
            text = "a step has `notify` or `then`, not both: make two steps of it"
            yield document.fault((*where, "then"), text, at_key=True)
        elif "then" in rung and where != rungs[-1][0]:
            text = "nothing comes after `then`: make this the last step"
            yield document.fault((*where, "then"), text, at_key=True)
        if isinstance(asked, list) and asked and set(_ids(asked)) <= viewers:
            text = "nobody of these could publish it: all are viewers; name a publisher or an admin"
            yield document.fault((*where, "notify"), text)


def _missing_approvals(
    document: Document, keys: Keys, monitor: Mapping[str, Any], viewers: AbstractSet[str]
) -> Iterator[Fault]:
    approvals = _approvals(monitor)
    notified = [monitor.get("notify_employees"), *(rung.get("notify") for _, rung in _rungs(keys, monitor))]
    asked = {one for ids in notified if isinstance(ids, list) for one in _ids(ids)}
    able = len(asked - viewers)
    if able < approvals > 1:
        text = (
            f"so many approvals cannot be had: of those who are asked, {able} may publish; ask more of them"
        )
        yield document.fault((*keys, "approvals"), text)


def _evaded_approvals(document: Document, keys: Keys, monitor: Mapping[str, Any]) -> Iterator[Fault]:
    """Report what publishes by itself where several people are to say so."""
    ways = [
        (keys, "auto_publish", monitor.get("auto_publish") in (True, "true")),
        (
            keys,
            "if_recovered_unpublished",
            monitor.get("if_recovered_unpublished") == IfRecovered.PUBLISH_RESOLVED,
        ),
        *((where, "then", rung.get("then") == LastResort.PUBLISH) for where, rung in _rungs(keys, monitor)),
    ]
    for where, name, publishes in ways:
        if publishes and _approvals(monitor) > 1:
            text = "this would publish without the second approval: change it, or leave `approvals` out"
            yield document.fault((*where, name), text, at_key=True)


def _approvals(monitor: Mapping[str, Any]) -> int:
    try:
        return parse_people(monitor.get("approvals", 1))
    except ValueError:
        return 1


def _ids(names: list[Any]) -> set[str]:
    return {str(one).strip() for one in names}
