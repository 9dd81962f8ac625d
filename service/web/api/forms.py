"""What programs send to the API: bodies and parameters, each exactly as the OpenAPI document has it, and no more."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from service.actions.opening import AFFECTED
from service.config.spans import parse_span
from service.model import INCIDENT_STATUSES, Channel, ComponentState, Phase, UpdateStatus

LONGEST_TEXT: Final = 20_000
LONGEST_LINE: Final = 500
MOST_ROWS: Final = 200
MOST_NAMES: Final = 200
LONGEST_HOLD: Final = timedelta(days=7)

_YEARS: Final = range(2000, 9000)
_TYPES: Final = "`service_unavailable`, `performance`, `informational`, or one of config.yaml."
_NUMBER: Final = re.compile(r"[0-9]{1,18}", re.ASCII)
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""What no database, mail or page takes."""


def _within_reason(moment: datetime) -> datetime:
    if moment.year not in _YEARS:
        raise PydanticCustomError("moment", "the year must be between 2000 and 8999")
    return moment.astimezone(UTC)


def _whole_number(value: object) -> object:
    if isinstance(value, str) and _NUMBER.fullmatch(value) is None:
        raise PydanticCustomError("whole_number", "write digits alone, 18 at most")
    return value


def _yes_or_no(value: object) -> object:
    if isinstance(value, str) and value not in {"true", "false"}:
        raise PydanticCustomError("yes_or_no", "write true or false")
    return value


def _span(text: str) -> str:
    try:
        parse_span(text)
    except ValueError as error:
        raise PydanticCustomError("span", "{said}", {"said": str(error)}) from error
    return text


def _hold(text: str) -> str:
    if not timedelta(0) < parse_span(text) <= LONGEST_HOLD:
        raise PydanticCustomError("hold", "hold for something, and for seven days at most")
    return text


def _of_an_incident(status: UpdateStatus) -> UpdateStatus:
    if status.is_of_maintenance:
        raise PydanticCustomError("status", "this is said of maintenance alone")
    return status


def _is_outage(state: ComponentState) -> ComponentState:
    if state not in AFFECTED:
        raise PydanticCustomError("affected", "an incident makes a component work worse or not at all")
    return state


def _of_a_webhook(channel: Channel) -> Channel:
    if channel is Channel.EMAIL:
        raise PydanticCustomError("channel", "a webhook is told as webhook, slack or teams")
    return channel


def _printable(text: str) -> str:
    if _CONTROLS.search(text):
        raise PydanticCustomError("controls", "it holds control characters")
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def _something(text: str) -> str:
    if not text:
        raise PydanticCustomError("empty", "write something besides spaces")
    return text


MaybeText = Annotated[str, Field(max_length=LONGEST_TEXT), AfterValidator(_printable)]
"""Markdown, or nothing."""
Text = Annotated[
    str, Field(min_length=1, max_length=LONGEST_TEXT), AfterValidator(_printable), AfterValidator(_something)
]
"""Markdown."""
Line = Annotated[
    str,
    Field(min_length=1, max_length=LONGEST_LINE),
    AfterValidator(lambda line: " ".join(_printable(line).split())),
    AfterValidator(_something),
]
Names = Annotated[
    tuple[Line, ...], Field(max_length=MOST_NAMES), AfterValidator(lambda all_: tuple(dict.fromkeys(all_)))
]
Moment = Annotated[AwareDatetime, AfterValidator(_within_reason)]
"""RFC 3339, with an offset; years from 2000 to 8999."""
Status = Annotated[
    UpdateStatus,
    AfterValidator(_of_an_incident),
    Field(json_schema_extra={"enum": [one.value for one in INCIDENT_STATUSES]}),
]
Called = Annotated[
    Channel,
    AfterValidator(_of_a_webhook),
    Field(json_schema_extra={"enum": [one.value for one in Channel if one is not Channel.EMAIL]}),
]
Affected = Annotated[
    ComponentState,
    AfterValidator(_is_outage),
    Field(json_schema_extra={"enum": [one.value for one in AFFECTED]}),
]
Components = Annotated[dict[Line, Affected], Field(max_length=MOST_NAMES)]
Span = Annotated[str, Field(pattern=r"^([0-9]{1,9}[dhms]){1,4}$", max_length=40), AfterValidator(_span)]
"""As config.yaml has them; 31 days at most."""
Version = Annotated[int, Field(ge=1, le=2**31 - 1)]
Number = Annotated[int, Field(ge=1, le=10**18 - 1), BeforeValidator(_whole_number)]
Limit = Annotated[int, Field(ge=1, le=MOST_ROWS), BeforeValidator(_whole_number)]
YesOrNo = Annotated[bool, BeforeValidator(_yes_or_no)]
Search = Annotated[str, Field(max_length=320), AfterValidator(_printable)]


class Body(BaseModel):
    """What a request carries as JSON; nothing is taken for anything else than it is."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Nothing(Body):
    """The order is the whole of it: an empty object, or no body."""


class Query(BaseModel):
    """What stands behind the question mark."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NoQuery(Query):
    """Nothing may be asked for."""


class PageQuery(Query):
    """A page of a list, newest first."""

    before: Number | None = Field(default=None, description="Only what is older than the one of this number.")
    limit: Limit = Field(default=50, description="How many at most.")


class IncidentsQuery(PageQuery):
    """Which incidents."""

    phase: tuple[Phase, ...] = Field(
        default=(), description="Only those of this phase; may be given several times."
    )
    q: Search = Field(
        default="",
        description="Only those each word of which is part of the subject, or of the name of an alert or monitor; or "
        "the one of this tag, whose number alone comes first.",
    )
    component: Line | None = Field(default=None, description="Only those that affect it.")
    since: Moment | None = Field(default=None, description="Only those that started then or later.")
    until: Moment | None = Field(default=None, description="Only those that started before.")


class SubscribersQuery(PageQuery):
    """Which subscribers."""

    q: Search = Field(default="", description="Only those whose address holds this text.")
    state: Annotated[str, Field(pattern="^(confirmed|pending|unsubscribed|suppressed)$")] | None = Field(
        default=None, description="Only those who stand so; suppressed: nothing arrives there."
    )


class ImportQuery(Query):
    """How to take a list."""

    have_agreed: YesOrNo = Field(
        default=False, description="All of them agreed to get these mails: nobody is asked to confirm."
    )


def example(**values: Any) -> ConfigDict:  # noqa: ANN401  what JSON holds
    """Show in the OpenAPI document how a body may look."""
    return ConfigDict(json_schema_extra={"examples": [values]})


class OpenBody(Body):
    """An incident to open by hand."""

    model_config = example(
        subject="Mail is slow",
        message="Mails arrive late.",
        components={"Email": "degraded_performance"},
        notify_employees=["jordan"],
    )
    monitor: Line | None = Field(
        default=None,
        description="A monitor's key: its alerts join, its employees are asked, and what is left out here is "
        "taken from its template; null: a blank one.",
    )
    subject: Line | None = Field(default=None, description="Needed where there is no monitor.")
    message: Text | None = Field(default=None, description="Markdown. Needed where there is no monitor.")
    type: Line | None = Field(default=None, description=_TYPES)
    components: Components | None = Field(
        default=None, description="What it does to which components, as config.yaml names them."
    )
    notify_employees: Names = Field(
        default=(), description="Ids of employees who are asked besides those of the monitor."
    )


class PublishBody(Body):
    """Publish the text that was read."""

    model_config = example(text_version=1)
    text_version: Version = Field(description="The incident's `text_version` when its text was read.")


class HoldBody(Body):
    """Let nothing happen by itself for a while."""

    model_config = example(span="30m")
    span: Annotated[Span, AfterValidator(_hold)] = Field(
        description="As `30m`, `2h` or `1h30m`; seven days at most."
    )


class EditBody(Body):
    """Edit an unpublished incident: what is left out stays as it is."""

    model_config = example(
        subject="Mail is slow", components={"Email": "degraded_performance"}, text_version=1
    )
    subject: Line | None = None
    message: Text | None = Field(default=None, description="Markdown.")
    type: Line | None = Field(default=None, description=_TYPES)
    components: Components | None = Field(
        default=None,
        description="All that are affected; one that is left out is not. Names as in config.yaml.",
    )
    text_version: Version = Field(description="The incident's `text_version` when its text was read.")


class UpdateBody(Body):
    """Tell the public more."""

    model_config = example(status="identified", body="A disk is full; we are making room.")
    status: Status = Field(description="`resolved` closes the incident.")
    body: Text = Field(description="Markdown.")


class TextBody(Body):
    """What subscribers shall read."""

    model_config = example(body="It is the calendar, not the mail.")
    body: Text = Field(description="Markdown.")


class PostMortemBody(Body):
    """Why an incident happened that is over."""

    model_config = example(body="A disk was full, and nobody watched it. Now it is watched.", is_sent=True)
    body: Text = Field(description="Markdown.")
    is_sent: bool = Field(default=True, description="Whether those who heard of the incident are sent it.")


class CommentBody(Body):
    """What subscribers shall read at the end."""

    model_config = example(comment="It works again.")
    comment: MaybeText = Field(
        default="", description="Markdown; empty: the closing comment that is planned."
    )


class PlanBody(Body):
    """Planned work to announce."""

    model_config = example(
        subject="Database upgrade",
        message="Mail may be slow.",
        components=["Email"],
        starts_at="2026-12-01T22:00:00+01:00",
        ends_at="2026-12-02T00:00:00+01:00",
        remind_at="2026-11-30T22:00:00+01:00",
    )
    subject: Line
    message: Text = Field(description="Markdown.")
    components: Names = Field(default=(), description="As config.yaml names them.")
    starts_at: Moment
    ends_at: Moment
    remind_at: Moment | None = Field(default=None, description="When subscribers are reminded; null: never.")
    closing_comment: MaybeText = Field(default="", description="What subscribers read at its end; Markdown.")
    audience: Names = Field(default=(), description="Groups of subscribers who hear of it; none: everybody.")


class ExtendBody(Body):
    """Another end."""

    model_config = example(ends_at="2026-12-02T02:00:00+01:00")
    ends_at: Moment


class WebhookBody(Body):
    """A webhook that shall hear of incidents."""

    model_config = example(url="https://hooks.acme.example/status", components=["Email"])
    url: Annotated[str, Field(min_length=1, max_length=2_000)]
    channel: Called | None = Field(
        default=None, description="In which form it is told; null: its host tells."
    )
    components: Names | None = Field(default=None, description="It hears of these; null: of all.")
    groups: Names = ()
