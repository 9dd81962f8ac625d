"""What employees type about an incident: form fields → its words and components, or what to mend about each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from service.actions.opening import AFFECTED, DEFAULT_TYPE, TYPES
from service.config.settings import Config
from service.model import ComponentState

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
    words = read_words(form)
    asked = form.get("type", DEFAULT_TYPE).strip()
    known = {*TYPES, *(monitor.type for monitor in config.monitors)}
    states = {state.value: state for state in AFFECTED}
    components = {
        one.name: states[form[PREFIX + one.name]]
        for one in config.components
        if form.get(PREFIX + one.name) in states
    }
    kind = asked if asked in known else DEFAULT_TYPE
    return Typed(words.subject, words.message, kind, components, words.problems)
