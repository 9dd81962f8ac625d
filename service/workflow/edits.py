"""Editing what is not published yet, and saying in words what was changed from what to what. Pure."""

from collections.abc import Iterator, Mapping
from typing import Final

from service.model import AUTOMATIC, ComponentState, DeliveryKind, Incident
from service.workflow.endings import changed
from service.workflow.vocabulary import Decision, Edit, Reason, TellEmployees

_BESIDE: Final = 3
"""Words that are shown before and behind what was changed in a longer text."""
_LONGEST: Final = 300
"""Characters of a text before or after a change; the rest is left out."""
_EDITABLE: Final = ("subject", "message", "type", "components")


def edited(incident: Incident, event: Edit) -> Decision:
    """Give an undecided incident another version; what was approved before is not approved any more."""
    if event.text_version not in {None, incident.text_version}:
        return Decision(incident, Reason.REFUSED_TEXT_CHANGED, by=event.by)
    wanted = {name: getattr(event, name) for name in _EDITABLE}
    other = {
        name: value
        for name, value in wanted.items()
        if value is not None and value != getattr(incident, name)
    }
    if not other:
        return Decision(incident, Reason.REFUSED_TEXT_THE_SAME, by=event.by)
    if incident.notified_at and event.by != AUTOMATIC:
        # whoever is asked because he edited it hears what came of it too
        other["notify_employees"] = tuple(dict.fromkeys((*incident.notify_employees, event.by)))
    after = changed(incident, **other, text_version=incident.text_version + 1, approved_by=())
    # the new version goes to everybody, its author too: nothing is published that nobody has read whole
    show = TellEmployees(DeliveryKind.APPROVAL, also_who_did_it=True)
    return Decision(after, Reason.EDITED, (show,) if incident.notified_at else (), event.by)


def differences(before: Incident, after: Incident) -> str:
    """Say what an edit changed from what to what, a line for each thing; of a long text the part that differs."""
    return "\n".join(_differences(before, after))


def _differences(before: Incident, after: Incident) -> Iterator[str]:
    for name, old, new in (
        ("Subject", before.subject, after.subject),
        ("Text", before.message, after.message),
    ):
        if old != new:
            yield f"{name}: {_between(old, new)}"
    if before.type != after.type:
        yield f"Type: {_words(before.type)} → {_words(after.type)}"
    for name in dict.fromkeys((*before.components, *after.components)):
        was, now = _state(before.components, name), _state(after.components, name)
        if was != now:
            yield f"{name}: {was} → {now}"


def _between(old: str, new: str) -> str:
    was, now = old.split(), new.split()
    if was == now:
        return "only its spaces and line breaks were changed"
    shorter = min(len(was), len(now))
    same = next((at for at in range(shorter) if was[at] != now[at]), shorter)
    left = shorter - same
    behind = next((at for at in range(left) if was[-1 - at] != now[-1 - at]), left)
    return f"{_part(was, same, behind)} → {_part(now, same, behind)}"


def _part(words: list[str], same: int, behind: int) -> str:
    first, end = max(same - _BESIDE, 0), min(len(words) - behind + _BESIDE, len(words))
    text = " ".join(words[first:end])
    cut = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return f"“{'… ' if first else ''}{cut}{' …' if end < len(words) and cut is text else ''}”"


def _state(components: Mapping[str, ComponentState], name: str) -> str:
    return _words(components[name]) if name in components else "not affected"


def _words(value: str) -> str:
    return value.replace("_", " ")
