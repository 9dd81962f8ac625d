"""The form of config.yaml: which keys there are, of which kind, and what holds where they are left out.

One value at a time: what must fit together is in `checks`, what a template says in `template_check`.
"""

from datetime import timedelta
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from service.config import values
from service.config.settings import Secret, Security
from service.config.spans import parse_span
from service.model import AUTOMATIC, ComponentState, Role

DEFAULT_PROVIDER: Final = "victorops"
PROVIDERS: Final = (DEFAULT_PROVIDER,)
"""The monitoring products that can post to us."""


def _one_line(text: str) -> str:
    if "\n" in text or "\t" in text:
        raise ValueError("must stand on one line, without tabs")
    return text


def _identifier(text: str) -> str:
    if not (text.isascii() and text.replace("-", "").replace("_", "").replace(".", "").isalnum()):
        raise ValueError("may hold only letters, digits, `-`, `_` and `.`")
    if text == AUTOMATIC:
        raise ValueError("stands for what happens by itself: take another id")
    return text


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a text: put it in quotes")  # noqa: TRY004 — pydantic collects ValueError
    return value


def _span(value: object) -> timedelta:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return parse_span(str(value))
    if isinstance(value, str):
        return parse_span(value)
    raise ValueError("is not a span of time: write for example 90s, 5m, 1h30m or 2d, or 0")


def _lasting(span: timedelta) -> timedelta:
    if span < timedelta(minutes=1):
        raise ValueError("is too short to answer a mail in: 1m is the least")
    return span


def _secret(value: object) -> Secret:
    return Secret(_text(value))


def _alert_names(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _components(value: object) -> object:
    """Take a list of names too: each of them has a partial outage."""
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return dict.fromkeys(value, ComponentState.PARTIAL_OUTAGE)
    return value


_Trimmed = StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=200)
Line = Annotated[str, _Trimmed, AfterValidator(_one_line)]
Identifier = Annotated[str, _Trimmed, AfterValidator(_identifier)]
Optional = Annotated[str, StringConstraints(strict=True, strip_whitespace=True, max_length=2000)]
Prose = Annotated[str, StringConstraints(strict=True, max_length=20_000)]
RequiredProse = Annotated[Prose, StringConstraints(min_length=1)]
Email = Annotated[Line, AfterValidator(values.parse_email)]
Truth = Annotated[bool, BeforeValidator(values.parse_truth)]
Port = Annotated[int, BeforeValidator(values.parse_port)]
Span = Annotated[timedelta, BeforeValidator(_span)]
SecretText = Annotated[Secret, BeforeValidator(_secret)]
SiteUrl = Annotated[Line, AfterValidator(values.parse_site_url)]
DatabaseUrl = Annotated[Line, AfterValidator(values.parse_database)]
Timezone = Annotated[ZoneInfo, BeforeValidator(lambda value: values.parse_timezone(_text(value)))]
From = Annotated[values.Sender, BeforeValidator(lambda value: values.parse_sender(_one_line(_text(value))))]
States = Annotated[dict[Line, ComponentState], BeforeValidator(_components)]
Names = Annotated[list[Line], Field(min_length=1), BeforeValidator(_alert_names)]


class Section(BaseModel):
    """A mapping that offers its own keys and no others."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, arbitrary_types_allowed=True
    )


class SiteForm(Section):
    """The status page as a whole."""

    name: Line
    url: SiteUrl
    timezone: Timezone = ZoneInfo("UTC")
    hide_authors: Truth = False


class WebhookForm(Section):
    """How one provider proves itself."""

    secret: SecretText = Secret("")
    secret_file: Line | None = None


class SmtpForm(Section):
    """The relay; without a port, the usual one of its security is taken."""

    host: Line
    port: Port | None = None
    security: Security = Security.STARTTLS
    username: Optional = ""
    password: SecretText = Secret("")
    password_file: Line | None = None


class ImapForm(Section):
    """The mailbox; without a port, the usual one of its security is taken."""

    host: Line
    port: Port | None = None
    security: Security = Security.TLS
    username: Line
    password: SecretText = Secret("")
    password_file: Line | None = None
    folder: Line = "INBOX"
    processed_folder: Line = "Processed"


class MailForm(Section):
    """How mails leave and come back."""

    sender: From = Field(alias="from")
    smtp: SmtpForm
    imap: ImapForm | None = None


class EmployeeForm(Section):
    """A person who is notified and may publish."""

    id: Identifier
    name: Line
    email: Email
    role: Role = Role.PUBLISHER


class ComponentForm(Section):
    """A part of the offering."""

    name: Line
    group: Optional = ""
    description: Optional = ""


class MonitorForm(Section):
    """The vendor's form, in its own words, and what we add to it."""

    provider: Line = DEFAULT_PROVIDER
    alert_name: Names
    authored_by: Line
    type: Line
    affected_components: States = Field(default_factory=dict)
    subject: Annotated[Line, StringConstraints(max_length=500)]
    message: RequiredProse
    notify_employees: list[Line] = Field(default_factory=list)
    wait_time: Span = timedelta(0)
    combine_alerts: Truth = True
    auto_publish: Truth = False
    auto_close: Truth = True
    closing_comment: Prose = ""
    recovery_grace: Span = timedelta(0)
    warning_fires: Truth = True


class RepliesForm(Section):
    """How notification mails may be answered."""

    token_lifetime: Annotated[Span, AfterValidator(_lasting)] = timedelta(hours=72)


class Form(Section):
    """The whole file."""

    site: SiteForm
    database: DatabaseUrl = "sqlite:///var/replycast.db"
    webhooks: dict[str, WebhookForm] = Field(default_factory=dict)
    mail: MailForm | None = None
    employees: list[EmployeeForm] = Field(default_factory=list)
    components: list[ComponentForm] = Field(default_factory=list)
    monitors: list[MonitorForm] = Field(default_factory=list)
    replies: RepliesForm = Field(default_factory=RepliesForm)
    secret_key: SecretText = Secret("")
    secret_key_file: Line | None = None


def keys_of(form: type[BaseModel]) -> dict[str, Any]:
    """Give the keys that a section offers, each with the annotation of its value."""
    return {field.alias or name: field.annotation for name, field in form.model_fields.items()}
