"""What must fit together in `webhooks`: which keys are for which provider, and which go together.

Looks at the raw tree, not at the filled form, so that a fault of shape in one place hides none elsewhere.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from service.config.document import Document, Keys, find, texts
from service.config.webhook_form import DEFAULT_PROVIDER, GENERIC, PROVIDERS
from service.config.wording import quote, suggest
from service.errors import Fault

_STATE_LISTS: Final = ("firing", "recovered", "acknowledged")
_ONLY_FOR: Final[Mapping[str, tuple[str, ...]]] = {
    "monitor_name": tuple(one for one in PROVIDERS if one != DEFAULT_PROVIDER),
    "signing_secret": ("grafana", "pagerduty"),
    "signing_secret_file": ("grafana", "pagerduty"),
    "topics": ("sns",),
    **dict.fromkeys(("each", "state", "entity_id", "message", *_STATE_LISTS), (GENERIC,)),
}
_NEEDED: Final = ("monitor_name", "state")
"""Without these the generic provider can read nothing."""
_TOPIC: Final = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w-]{1,256}(\.fifo)?", re.ASCII)


def check_webhooks(document: Document) -> list[Fault]:
    """Report providers that do not exist, keys that mean nothing for theirs, and what the generic one lacks."""
    faults: list[Fault] = []
    for keys, section in find(document.tree, "webhooks", "*"):
        name = str(keys[-1])
        if name not in PROVIDERS:
            text = f"unknown provider {quote(name)}{suggest(name, PROVIDERS)}"
            faults.append(document.fault(keys, text, at_key=True))
        elif isinstance(section, dict):
            faults.extend(_of_section(document, keys, name, section))
    faults.extend(_no_mapping(document))
    return faults


def _of_section(document: Document, keys: Keys, name: str, section: dict[str, Any]) -> Iterator[Fault]:
    for key in section:
        providers = _ONLY_FOR.get(key)
        # a secret that was read from a file stands in the tree as well, and has no place in the document
        if providers and name not in providers and (*keys, key) in document.places:
            text = f"{quote(key)} means nothing for {quote(name)}: leave it out"
            yield document.fault((*keys, key), text, at_key=True)
    if name == GENERIC:
        for key in _NEEDED:
            if key not in section:
                yield document.fault(keys, f"{quote(key)} is missing in `generic`: add it", at_key=True)
    yield from _words_twice(document, keys, section)
    for inner, topic in texts(section, "topics", "*"):
        if not _TOPIC.fullmatch(topic.strip()):
            where = (*keys, *inner)
            text = f"{document.quoted(where)} is no ARN of a topic, such as arn:aws:sns:eu-west-1:123456789012:alarms"
            yield document.fault(where, text)


def _words_twice(document: Document, keys: Keys, section: dict[str, Any]) -> Iterator[Fault]:
    seen: dict[str, str] = {}
    for name in _STATE_LISTS:
        for pattern in ((name,), (name, "*")):
            for inner, word in texts(section, *pattern):
                folded = word.strip().casefold()
                if folded in seen:
                    where = (*keys, *inner)
                    text = f"{document.quoted(where)} stands in {quote(seen[folded])} already: one word, one state"
                    yield document.fault(where, text)
                seen.setdefault(folded, name)


def _no_mapping(document: Document) -> Iterator[Fault]:
    """Report a monitor of the generic provider where nothing says how its posts are read."""
    if next(find(document.tree, "webhooks", GENERIC), None) is not None:
        return
    for keys, provider in texts(document.tree, "monitors", "*", "provider"):
        if provider == GENERIC:
            text = "`generic` needs `webhooks: generic:` with `monitor_name` and `state`, which say how to read it"
            yield document.fault(keys, text)
