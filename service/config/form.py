"""The form of config.yaml: which keys there are, of which kind, and what holds where they are left out.

One value at a time: what must fit together is in `checks` and its siblings, what a template says in
`template_check`.
"""

from datetime import timedelta
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field, StringConstraints

from service.config.kinds import (
    AnswerableSpan,
    Colour,
    DatabaseUrl,
    Email,
    Identifier,
    Languages,
    Line,
    Moment,
    Names,
    OneOrMoreNames,
    Optional,
    People,
    Prose,
    RequiredProse,
    RetentionSpan,
    SecretText,
    Section,
    SiteUrl,
    Span,
    States,
    Timezone,
    Truth,
    WatchedSpan,
    Words,
)
from service.config.login_form import LoginForm
from service.config.mail_alerts import MailAlertsForm
from service.config.mail_form import MailForm
from service.config.settings import Secret
from service.config.webhook_form import BY_MAIL, DEFAULT_PROVIDER, PROVIDERS, WebhookForm
from service.model import IfRecovered, LastResort, Role

__all__ = ["BY_MAIL", "COMMANDS", "DEFAULT_PROVIDER", "PROVIDERS", "Form", "keys_of"]


class ColoursForm(Section):
    """The company's own colours."""

    brand: Colour | None = None
    brand_dark: Colour | None = None


class SiteForm(Section):
    """The status page as a whole."""

    name: Line
    url: SiteUrl
    timezone: Timezone = ZoneInfo("UTC")
    hide_authors: Truth = False
    export_to: Line | None = None
    logo: Line | None = None
    favicon: Line | None = None
    colours: ColoursForm = Field(default_factory=ColoursForm)


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


class RungForm(Section):
    """A step of a monitor's ladder."""

    after: Span
    notify: Names | None = None
    then: LastResort | None = None


class MonitorForm(Section):
    """The vendor's form, in its own words, and what we add to it."""

    provider: Line = DEFAULT_PROVIDER
    alert_name: OneOrMoreNames
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
    escalate: list[RungForm] = Field(default_factory=list)
    remind_every: AnswerableSpan | None = None
    approvals: People = 1
    if_recovered_unpublished: IfRecovered = IfRecovered.DISCARD
    audience: list[Line] = Field(default_factory=list)


class MaintenanceForm(Section):
    """A window of planned work."""

    subject: Annotated[Line, StringConstraints(max_length=500)]
    message: RequiredProse
    components: list[Line] = Field(default_factory=list)
    starts_at: Moment
    ends_at: Moment | None = None
    duration: Span | None = None
    remind: Span | None = None
    closing_comment: Prose = ""
    audience: list[Line] = Field(default_factory=list)


class WordsForm(Section):
    """Words of the company's own, by the command that they stand for."""

    publish: Words = Field(default_factory=list)
    discard: Words = Field(default_factory=list)
    hold: Words = Field(default_factory=list)
    update: Words = Field(default_factory=list)
    close: Words = Field(default_factory=list)
    status: Words = Field(default_factory=list)
    help: Words = Field(default_factory=list)


class RepliesForm(Section):
    """How notification mails may be answered."""

    token_lifetime: AnswerableSpan = timedelta(hours=72)
    languages: Languages = Field(default_factory=lambda: ["en"])
    words: WordsForm = Field(default_factory=WordsForm)
    any_reply_publishes: Truth = False


class SubscribersForm(Section):
    """What may be subscribed."""

    private_webhooks: Truth = False


class RetentionForm(Section):
    """How long what is not needed any more is kept."""

    audit: RetentionSpan = timedelta(days=730)
    inbox: RetentionSpan = timedelta(days=730)
    alerts: RetentionSpan = timedelta(days=1095)
    deliveries: RetentionSpan = timedelta(days=400)


class WatchdogForm(Section):
    """After how long the watchdog speaks up."""

    no_webhook_for: WatchedSpan = timedelta(days=7)
    mailbox_unread_for: WatchedSpan = timedelta(minutes=10)
    outbox_older_than: WatchedSpan = timedelta(minutes=5)


class MetricsForm(Section):
    """Who may read /metrics."""

    token: SecretText = Secret("")
    token_file: Line | None = None


class Form(Section):
    """The whole file."""

    site: SiteForm
    database: DatabaseUrl = "sqlite:///var/replycast.db"
    database_password: SecretText = Secret("")
    database_password_file: Line | None = None
    webhooks: dict[str, WebhookForm] = Field(default_factory=dict)
    mail: MailForm | None = None
    employees: list[EmployeeForm] = Field(default_factory=list)
    components: list[ComponentForm] = Field(default_factory=list)
    monitors: list[MonitorForm] = Field(default_factory=list)
    mail_alerts: MailAlertsForm
    maintenance: list[MaintenanceForm] = Field(default_factory=list)
    replies: RepliesForm = Field(default_factory=RepliesForm)
    subscribers: SubscribersForm = Field(default_factory=SubscribersForm)
    login: LoginForm = Field(default_factory=LoginForm)
    retention: RetentionForm = Field(default_factory=RetentionForm)
    watchdog: WatchdogForm = Field(default_factory=WatchdogForm)
    metrics: MetricsForm = Field(default_factory=MetricsForm)
    secret_key: SecretText = Secret("")
    secret_key_file: Line | None = None


COMMANDS: Final = tuple(WordsForm.model_fields)
"""What `replies.words` may give words for."""


def keys_of(form: type[BaseModel]) -> dict[str, Any]:
    """Give the keys that a section offers, each with the annotation of its value."""
    return {field.alias or name: field.annotation for name, field in form.model_fields.items()}
