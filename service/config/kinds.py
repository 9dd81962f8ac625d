"""The kinds of values that config.yaml is made of: what each takes, and what it says of anything else.

One value at a time. The text of each ValueError is a predicate ("is not …"), as in `values`.
"""

import unicodedata
from datetime import timedelta
from functools import partial
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from service.config import values
from service.config.colours import parse_colour
from service.config.database_url import parse_database
from service.config.languages import parse_language
from service.config.moments import parse_moment
from service.config.settings import Secret
from service.config.spans import LONGEST_KEPT, read_span
from service.model import AUTOMATIC, ComponentState

_LONGEST_WORD: Final = 60
_TAKEN_IDS: Final = {
    AUTOMATIC: "what happens by itself",
    "config.yaml": "whoever changed this file, in the record of what people did",
    "cli": "the command line in the record of what people did",
    "nobody": "those who were not let in, in the record of what people did",
    "token": "programs that use the API",
}
"""By what they stand for where others stand for employees; no employee may be taken for one."""


class Section(BaseModel):
    """A mapping that offers its own keys and no others."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, arbitrary_types_allowed=True
    )


def fold_word(text: str) -> str:
    """Give a command word as replies are compared with it: NFKC, lower-case, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).lower().split())


def _one_line(text: str) -> str:
    if "\n" in text or "\t" in text:
        raise ValueError("must stand on one line, without tabs")
    return text


def _identifier(text: str) -> str:
    if not (text.isascii() and text.replace("-", "").replace("_", "").replace(".", "").isalnum()):
        raise ValueError("may hold only letters, digits, `-`, `_` and `.`")
    if (stands_for := _TAKEN_IDS.get(text.lower())) is not None:
        raise ValueError(f"stands for {stands_for}: take another id")
    return text


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a text: put it in quotes")  # noqa: TRY004 — pydantic collects ValueError
    return value


def _answerable(span: timedelta) -> timedelta:
    if span < timedelta(minutes=1):
        raise ValueError("is too short to answer a mail in: 1m is the least")
    return span


def _watched(value: object) -> timedelta:
    """Take `off` too, and what YAML 1.1 makes of it; what is looked at once a minute cannot be late by seconds."""
    span = timedelta(0) if value is False or value in {"off", "Off", "OFF"} else read_span(value)
    if timedelta(0) < span < timedelta(minutes=2):
        raise ValueError("is too short to be told from a short pause: 2m is the least, or off")
    return span


def _kept(span: timedelta) -> timedelta:
    if span < timedelta(days=1):
        raise ValueError("is too short for anybody to look: 1d is the least")
    return span


def _word(text: str) -> str:
    """Take what can be the first line of a reply; a mark before or behind it is never part of a command."""
    word = fold_word(text)
    kinds = [unicodedata.category(one)[0] for one in word]
    letters_and_such = all(kind in "LMN" or one in " -'\u2019" for kind, one in zip(kinds, word, strict=True))
    if not letters_and_such or kinds[:1] != ["L"]:
        raise ValueError(
            "is no command word: begin with a letter; letters, digits, spaces, - and ' may follow"
        )
    if len(word) > _LONGEST_WORD:
        raise ValueError(f"is too long to be typed on a phone: {_LONGEST_WORD} characters are the most")
    return word


def _moment(text: str) -> str:
    parse_moment(text, ZoneInfo("UTC"))  # `maintenance_check` looks again, in the site's time zone
    return text


def _secret(value: object) -> Secret:
    return Secret(_text(value))


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _components(value: object) -> object:
    """Take a list of names too: each of them has a partial outage."""
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return dict.fromkeys(value, ComponentState.PARTIAL_OUTAGE)
    return value


_Trimmed = StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=200)
Line = Annotated[str, _Trimmed, AfterValidator(_one_line)]
Identifier = Annotated[
    str,
    # as long as the columns are in which it is kept
    StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=64),
    AfterValidator(_identifier),
]
Optional = Annotated[str, StringConstraints(strict=True, strip_whitespace=True, max_length=2000)]
Prose = Annotated[str, StringConstraints(strict=True, max_length=20_000)]
RequiredProse = Annotated[Prose, StringConstraints(min_length=1)]
Email = Annotated[Line, AfterValidator(values.parse_email)]
Truth = Annotated[bool, BeforeValidator(values.parse_truth)]
Host = Annotated[Line, AfterValidator(values.parse_host)]
Port = Annotated[int, BeforeValidator(values.parse_port)]
People = Annotated[int, BeforeValidator(values.parse_people)]
Span = Annotated[timedelta, BeforeValidator(read_span)]
Moment = Annotated[Line, AfterValidator(_moment)]
RetentionSpan = Annotated[
    timedelta, BeforeValidator(partial(read_span, longest=LONGEST_KEPT)), AfterValidator(_kept)
]
WatchedSpan = Annotated[timedelta, BeforeValidator(_watched)]
AnswerableSpan = Annotated[Span, AfterValidator(_answerable)]
SecretText = Annotated[Secret, BeforeValidator(_secret)]
SiteUrl = Annotated[Line, AfterValidator(values.parse_site_url)]
TokenUrl = Annotated[Line, AfterValidator(values.parse_token_url)]
Tenant = Annotated[Line, AfterValidator(values.parse_tenant)]
AuthservId = Annotated[Line, AfterValidator(values.parse_authserv_id)]
DatabaseUrl = Annotated[Line, AfterValidator(parse_database)]
Colour = Annotated[Line, AfterValidator(parse_colour)]
Timezone = Annotated[ZoneInfo, BeforeValidator(lambda value: values.parse_timezone(_text(value)))]
From = Annotated[values.Sender, BeforeValidator(lambda value: values.parse_sender(_one_line(_text(value))))]
States = Annotated[dict[Line, ComponentState], BeforeValidator(_components)]
Names = Annotated[list[Line], Field(min_length=1)]
OneOrMoreNames = Annotated[Names, BeforeValidator(_listed)]
Languages = Annotated[
    list[Annotated[Line, AfterValidator(parse_language)]], Field(min_length=1), BeforeValidator(_listed)
]
Words = Annotated[list[Annotated[Line, AfterValidator(_word)]], BeforeValidator(_listed)]
