"""What employees type about an incident: form fields → its words, type and components, or what to mend about each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from service.actions.opening import AFFECTED
from service.config.settings import Config
from service.model import DEFAULT_TYPE, KNOWN_TYPES, ComponentState, Incident

LONGEST_SUBJECT: Final = 500
LONGEST_TEXT: Final = 20_000
"""Characters, as in config.yaml."""
PREFIX: Final = "component:"


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed, and by field what is wrong with it."""

    subject: str = ""
    message: str = ""
    type: str = DEFAULT_TYPE
    components: Mapping[str, ComponentState] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Choices:
    """What an incident may be, and do to what."""

    types: tuple[str, ...]
    components: tuple[str, ...]
    """Their names."""
    states: Mapping[str, ComponentState]
    """By their values."""


def choices_of(config: Config, incident: Incident | None = None) -> Choices:
    """Give what config.yaml lets employees choose, and what an incident is and does already."""
    now_type, now = ((incident.type,), incident.components) if incident else ((), {})
    types = (*KNOWN_TYPES, *(one.type for one in config.monitors), *now_type)
    names = (*(one.name for one in config.components), *now)
    states = {state.value: state for state in (*AFFECTED, *now.values())}
    return Choices(tuple(dict.fromkeys(types)), tuple(dict.fromkeys(names)), states)


def read_words(form: Mapping[str, str]) -> Typed:
    """Read a subject and a message."""
    subject, message = " ".join(form.get("subject", "").split()), form.get("message", "").strip()
    problems: dict[str, str] = {}
    if not subject:
        problems["subject"] = "Say in a few words what is wrong."
    elif len(subject) > LONGEST_SUBJECT:
        problems["subject"] = f"This has {len(subject):,} characters; at most {LONGEST_SUBJECT} fit."
    if not message:
        problems["message"] = "Write what subscribers shall read."
    elif len(message) > LONGEST_TEXT:
        problems["message"] = (
            f"This text has {len(message):,} characters; at most {LONGEST_TEXT:,} can be sent."
        )
    return Typed(subject, message, problems=problems)


def read_opening(form: Mapping[str, str], config: Config) -> Typed:
    """Read the form that opens an incident."""
    return _read(form, choices_of(config), DEFAULT_TYPE, {})


def read_edit(form: Mapping[str, str], config: Config, incident: Incident) -> Typed:
    """Read the form that edits an incident; what it has no field for stays as it is."""
    return _read(form, choices_of(config, incident), incident.type, incident.components)


def _read(form: Mapping[str, str], choices: Choices, kind: str, given: Mapping[str, ComponentState]) -> Typed:
    words, asked = read_words(form), form.get("type", "").strip()
    components: dict[str, ComponentState] = {}
    for name in choices.components:
        chosen = form.get(PREFIX + name)
        state = None if chosen == "" else choices.states.get(chosen or "", given.get(name))
        if state is not None:
            components[name] = state
    kind = asked if asked in choices.types else kind
    return Typed(words.subject, words.message, kind, components, words.problems)
