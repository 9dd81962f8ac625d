"""Renders the mails of mail_templates/: one folder a kind, with the parts that they share.

Facts are only ever values: no text of an alert, an incident or a person is compiled as a template, and in
HTML everything is escaped that did not come out of `markdown.to_html`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup

from service.errors import TemplateFaulty
from service.mail.fact_forms import MailSurroundings
from service.mail.headers import one_line
from service.mail.inlining import Inliner
from service.mail.markdown import to_html
from service.model import DeliveryKind

HTML_LIMIT: Final = 100_000
"""Bytes of the HTML part: Gmail hides what comes after 102 KB."""

_LINE_LIMIT: Final = 500
_TEXTS: Final = frozenset({"message", "body", "update_body"})
"""Facts that may have several lines; all others are one line."""
_LIMITS: Final = ((20_000, 100), (6_000, 50), (1_500, 20), (300, 8))
"""Characters of a text and length of a list that are shown, less and less until HTML_LIMIT is kept."""
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NOT_SHOWN: Final = re.compile(
    # only from where spaces begin: a long run of them would be gone through from each of its places
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]|(?<![^\S\n])[^\S\n]+$",
    re.MULTILINE,
)
_INLINER: Final = Inliner()
_ANSWER_MARK: Final = re.compile(r"(?:\s*(?:re|aw|sv|antw)\s*:)+\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Texts:
    """A mail's three texts; `text` and `html` say the same."""

    subject: str
    text: str
    html: str


def render(
    kind: DeliveryKind, facts: Mapping[str, Any], surroundings: MailSurroundings, timezone: ZoneInfo
) -> Texts:
    """Render a mail with its times in `timezone`; raises TemplateFaulty, which names the file and the line.

    Of overlong texts and lists only as much is shown as keeps the HTML within HTML_LIMIT.
    """
    known = {**_readable(facts), **surroundings, "timezone": timezone}
    for text_limit, list_limit in _LIMITS:
        variables = {**known, "text_limit": text_limit, "list_limit": list_limit}
        html = _INLINER.inline(_rendered(f"{kind.value}/body.html", variables))
        if len(html.encode()) <= HTML_LIMIT:
            break
    text = _rendered(f"{kind.value}/body.txt", variables)
    return Texts(
        subject=_rendered(f"{kind.value}/subject.txt", variables),
        text=re.sub(r"\n{3,}", "\n\n", text).strip() + "\n",
        html=html,
    )


def templates_folder() -> Path:
    """Find mail_templates: within the package when installed, beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    within = package / "mail_templates"
    return within if within.is_dir() else package.parent / "mail_templates"


def local_time(iso: str, timezone: ZoneInfo) -> str:
    """Give a time as `24 Nov 2026, 14:02 CET`; a zone without a short name as `UTC-03`."""
    at = datetime.fromisoformat(iso).astimezone(timezone)
    zone = at.tzname() or ""
    name = zone if zone[:1].isalpha() else f"UTC{zone}"
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year}, {at:%H:%M} {name}"


@cache
def environment() -> SandboxedEnvironment:
    """Load the templates once; a changed file counts from the next start on."""
    environment = SandboxedEnvironment(
        loader=FileSystemLoader(templates_folder()),
        undefined=StrictUndefined,
        autoescape=lambda name: name is not None and name.endswith(".html"),
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= FILTERS
    return environment


def _rendered(name: str, variables: Mapping[str, Any]) -> str:
    try:
        return environment().get_template(name).render(variables)
    except TemplateSyntaxError as fault:
        raise TemplateFaulty(f"mail_templates/{fault.name or name}, line {fault.lineno}: {fault}") from fault
    except (TemplateError, TypeError, ValueError) as fault:
        raise TemplateFaulty(f"mail_templates/{name} cannot be rendered: {fault!r}") from fault


def _readable(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Take out of every text what no mail may hold, and the line breaks of what is one line."""
    return {name: _readable_value(name, value) for name, value in facts.items()}


def _readable_value(name: str, value: object) -> object:
    if isinstance(value, str) and name in _TEXTS:
        return _NOT_SHOWN.sub("", "\n".join(value.splitlines())).strip("\n")
    if isinstance(value, str):
        return one_line(value, _LINE_LIMIT)
    if isinstance(value, Mapping):
        return _readable(value)
    if isinstance(value, (list, tuple)):
        return [_readable_value("", item) for item in value]
    return value


def _barred(text: str) -> str:
    """Put a bar before each line, so that none is a command to whoever reads our mail as a reply."""
    return "\n".join(f"| {line}".rstrip() for line in text.strip().split("\n"))


def _markdown(source: str) -> Markup:
    """Give the HTML of Markdown, cleaned of all that a mail may not hold."""
    return Markup(to_html(source))  # noqa: S704 # cleaned by nh3


def _without_answer_mark(subject: str) -> str:
    """Take the `Re:` from the beginning of a subject."""
    return _ANSWER_MARK.sub("", subject, count=1)


def _shorten(text: str, limit: int) -> str:
    """Cut an overlong text at a space or line break near `limit` characters."""
    if len(text) <= limit:
        return text
    kept = text[:limit]
    at = max(kept.rfind(" "), kept.rfind("\n"))
    return f"{kept[: at if at > limit // 2 else limit].rstrip()} …"


FILTERS: Final[Mapping[str, Callable[..., str]]] = {
    "local": local_time,
    "markdown": _markdown,
    "shorten": _shorten,
    "barred": _barred,
    "without_answer_mark": _without_answer_mark,
}
"""What templates have besides Jinja's own filters."""
