"""What must fit together across config.yaml: names that refer to something, names that may stand only once.

Looks at the raw tree, not at the filled form, so that a fault of shape in one place hides none elsewhere.
"""

from collections.abc import Callable, Iterator
from typing import Any

from service.config.document import Document, Keys, find, texts
from service.config.form import BY_MAIL, COMMANDS, DEFAULT_PROVIDER, PROVIDERS
from service.config.kinds import fold_word
from service.config.wording import quote, suggest
from service.errors import Fault
from service.model import Role


def check_references(document: Document) -> list[Fault]:
    """Report every name that refers to nothing, stands twice, or leaves nobody to decide."""
    return [
        *_unknown_providers(document),
        *_unknown_employees(document),
        *_unknown_components(document),
        *_twice(document, "employee id", str, "employees", "*", "id"),
        *_twice(document, "e-mail address", str.casefold, "employees", "*", "email"),
        *_twice(document, "component", str, "components", "*", "name"),
        *_alert_names_twice(document),
        *_notified_twice(document),
        *_nobody_to_publish(document),
        *_words_twice(document),
        *_words_of_another_command(document),
    ]


def viewers_in(document: Document) -> set[str]:
    """Give the ids of the employees who may not publish."""
    roles = {
        one["id"].strip(): one.get("role")
        for _, one in reversed([*find(document.tree, "employees", "*")])
        if isinstance(one, dict) and isinstance(one.get("id"), str)
    }
    return {name for name, role in roles.items() if role == Role.VIEWER}


def _unknown_providers(document: Document) -> Iterator[Fault]:
    for keys, provider in texts(document.tree, "monitors", "*", "provider"):
        known = (*PROVIDERS, BY_MAIL)
        if provider not in known:
            yield document.fault(keys, f"unknown provider {document.quoted(keys)}{suggest(provider, known)}")


def _unknown_employees(document: Document) -> Iterator[Fault]:
    """Report each id that is nobody's; where there are no ids at all, that alone, and once."""
    ids = [one.strip() for _, one in texts(document.tree, "employees", "*", "id")]
    ids_by_name = {
        str(one.get("name", "")).casefold(): str(one["id"])
        for _, one in find(document.tree, "employees", "*")
        if isinstance(one, dict) and "id" in one
    }
    patterns = (("authored_by",), ("notify_employees", "*"), ("escalate", "*", "notify", "*"))
    named = [one for pattern in patterns for one in texts(document.tree, "monitors", "*", *pattern)]
    if not ids:
        yield from _no_employees(document) if named else ()
        return
    for keys, name in named:
        if name.strip() not in ids:
            meant = ids_by_name.get(name.strip().casefold(), name)
            yield document.fault(keys, f"unknown employee {document.quoted(keys)}{suggest(meant, ids)}")


def _no_employees(document: Document) -> Iterator[Fault]:
    """Report that there are none; what is wrong with those that there are is reported where they stand."""
    written = [employees for _, employees in find(document.tree, "employees")]
    if written in ([], [[]]):
        how, place = ("an empty list", ("employees",)) if written else ("missing", ())
        text = f"`employees` is {how}: add those who are told and decide, each with `id`, `name` and `email`"
        yield document.fault(place, text, at_key=True)


def _unknown_components(document: Document) -> Iterator[Fault]:
    names = [one.strip() for _, one in texts(document.tree, "components", "*", "name")]
    for keys, affected in find(document.tree, "monitors", "*", "affected_components"):
        if isinstance(affected, dict):
            for name in affected:
                if name.strip() not in names:
                    text = f"unknown component {quote(name)}{suggest(name, names)}"
                    yield document.fault((*keys, name), text, at_key=True)
        for inner, name in texts(affected, "*") if isinstance(affected, list) else ():
            if name.strip() not in names:
                where = (*keys, *inner)
                yield document.fault(
                    where, f"unknown component {document.quoted(where)}{suggest(name, names)}"
                )


def _twice(document: Document, what: str, fold: Callable[[str], str], *pattern: str) -> Iterator[Fault]:
    return _repeated(
        document, what, ((keys, fold(text.strip())) for keys, text in texts(document.tree, *pattern))
    )


def _alert_names_twice(document: Document) -> Iterator[Fault]:
    """Report an alert name, or the fallback `*`, that two monitors of one provider claim."""

    def named() -> Iterator[tuple[Keys, tuple[str, str]]]:
        for keys, monitor in find(document.tree, "monitors", "*"):
            if isinstance(monitor, dict):
                provider = str(monitor.get("provider", DEFAULT_PROVIDER))
                for pattern in (("alert_name",), ("alert_name", "*")):
                    for inner, name in texts(monitor, *pattern):
                        yield (*keys, *inner), (provider, name.strip())

    return _repeated(document, "alert name", named())


def _notified_twice(document: Document) -> Iterator[Fault]:
    for pattern in (("notify_employees",), ("escalate", "*", "notify")):
        for keys, notified in find(document.tree, "monitors", "*", *pattern):
            names = (((*keys, *inner), name.strip()) for inner, name in texts(notified, "*"))
            yield from _repeated(document, "employee", names)


def _repeated(document: Document, what: str, named: Iterator[tuple[Keys, Any]]) -> Iterator[Fault]:
    first: dict[Any, int] = {}
    for keys, name in named:
        if name in first:
            text = (
                f"the {what} {document.quoted(keys)} stands here a second time (first in line {first[name]})"
            )
            yield document.fault(keys, text)
        first.setdefault(name, document.place(keys).line)


def _nobody_to_publish(document: Document) -> Iterator[Fault]:
    """Report a monitor without auto-publish whose notified employees may not publish."""
    viewers = viewers_in(document)
    for keys, monitor in find(document.tree, "monitors", "*"):
        if not isinstance(monitor, dict) or monitor.get("auto_publish", False) not in (False, "false"):
            continue
        notified = monitor.get("notify_employees", [])
        if notified == []:
            text = "nobody could publish it: name somebody in `notify_employees`, or set `auto_publish: true`"
            yield document.fault((*keys, "notify_employees"), text, at_key=True)
        elif isinstance(notified, list) and all(str(one).strip() in viewers for one in notified):
            text = "nobody could publish it: all of these are viewers; name a publisher or an admin"
            yield document.fault((*keys, "notify_employees"), text)


def _words(document: Document) -> Iterator[tuple[Keys, str]]:
    for inside in (("*",), ("*", "*")):
        for keys, word in texts(document.tree, "replies", "words", *inside):
            yield keys, fold_word(word)


def _words_twice(document: Document) -> Iterator[Fault]:
    """Report a word that two commands claim, or one twice. Those of the languages are compared by `mail`."""
    yield from _repeated(document, "word", _words(document))


def _words_of_another_command(document: Document) -> Iterator[Fault]:
    for keys, word in _words(document):
        if word in COMMANDS and word != keys[2]:
            text = f"{document.quoted(keys)} is a command of its own: take another word"
            yield document.fault(keys, text)
