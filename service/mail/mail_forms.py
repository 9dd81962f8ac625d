"""The facts of each mail: every variable that its templates in mail_templates/ may use, and what it means.

Besides these they have only what `compose` and `rendering` add (`RenderingFacts`). The sentences under the variables
are what docs/mail-variables.md is made of.
"""

from collections.abc import Mapping
from typing import Final, TypedDict

from service.mail.fact_forms import AlertFacts, IncidentFacts, MaintenanceFacts, ShownFacts, UpdateFacts
from service.model import DeliveryKind


class EmployeeFacts(TypedDict):
    """Mails about an incident to an employee: published, recovered, closed, discarded."""

    employee_name: str
    """Whom the mail is for."""
    incident: IncidentFacts
    """What it is about."""
    alert: AlertFacts | None
    """What led to it; for employees' eyes only."""
    reason: str
    """Why it is sent: the word that the timeline has as well."""
    by: str
    """Who brought it about: a name, or `automatically`."""
    recipients: int
    """How many subscribers have heard or would hear of it by mail."""
    webhooks: int
    """And how many by webhook."""
    update_body: str
    """Markdown: the text published with this step, or the closing comment; may be empty."""


class ApprovalFacts(EmployeeFacts):
    """The mail that asks for a decision."""

    shown: ShownFacts
    """What would be published."""
    approved_by: list[str]
    """Names of those who said publish already."""
    approvals_missing: int
    """How many more have to say it."""


class ReminderFacts(EmployeeFacts):
    """The reminder of a published incident about which nothing was told for a while."""

    update: UpdateFacts | None
    """What was told last."""


class ConfirmReplyFacts(TypedDict):
    """The question whether a reply was really the employee's."""

    employee_name: str
    """Whom the mail is for."""
    first_line: str
    """What the reply orders."""
    evidence: str
    """Why it cannot be told whether it was theirs."""
    has_button: bool
    """Whether the page behind the link has a button for it: to publish, or to discard."""
    incident: IncidentFacts
    """What it is about."""


class AlarmFacts(TypedDict):
    """What keeps the service from doing its work, to an admin."""

    employee_name: str
    """Whom the mail is for."""
    title: str
    """What is wrong, in a few words."""
    sentences: list[str]
    """What is wrong, and what to do about it."""
    incident: IncidentFacts | None
    """Where it is about one."""


class AnswerFacts(TypedDict):
    """The answer to an employee's reply."""

    employee_name: str
    """Whom the mail is for."""
    first_line: str
    """What was read, at most 80 characters; may be empty."""
    outcome: str
    """A short code that names what became of the reply."""
    sentences: list[str]
    """What happened, for a person."""
    valid_line: str
    """The one line to send instead; empty where nothing is to be sent."""
    incident: IncidentFacts | None
    """Where the reply was about one."""
    subject: str
    """Of the mail that is answered."""
    in_reply_to: str | None
    """The Message-ID of the mail that is answered."""
    references: list[str]
    """Its `References`, so that the answer stands in its thread."""


class SubscriberUpdateFacts(TypedDict):
    """An update to a subscriber; it never names an employee, an alert or a monitor."""

    incident: IncidentFacts
    """What it is about."""
    update: UpdateFacts
    """What the public is told."""
    subscriber_public_id: str
    """Whom the link that unsubscribes is for."""
    is_first: bool
    """Whether this is the first mail about the incident."""
    corrected_at: str | None
    """When the update was posted that this one puts right; None: it puts none right."""


class MaintenanceUpdateFacts(TypedDict):
    """An update of a maintenance to a subscriber; it never names an employee."""

    maintenance: MaintenanceFacts
    """What it is about."""
    update: UpdateFacts
    """What the public is told; `status_words` may be `cancelled` as well."""
    subscriber_public_id: str
    """Whom the link that unsubscribes is for."""
    is_first: bool
    """Whether this is the first mail about the maintenance."""


class SubscriberConfirmFacts(TypedDict):
    """The question to a new address whether it wants our mails."""

    path: str
    """Where the link leads: `/subscribe/confirm/`."""
    is_known: bool
    """Whether the address has confirmed before: then the link shows its subscription."""


class LoginLinkFacts(TypedDict):
    """The link that lets an employee in."""

    employee_name: str
    """Whom the mail is for."""
    minutes: int
    """How long the link can be used."""


FACTS: Final[Mapping[DeliveryKind, type[object]]] = {
    DeliveryKind.APPROVAL: ApprovalFacts,
    DeliveryKind.PUBLISHED: EmployeeFacts,
    DeliveryKind.RECOVERED: EmployeeFacts,
    DeliveryKind.REMINDER: ReminderFacts,
    DeliveryKind.CLOSED: EmployeeFacts,
    DeliveryKind.DISCARDED: EmployeeFacts,
    DeliveryKind.ANSWER: AnswerFacts,
    DeliveryKind.CONFIRM_REPLY: ConfirmReplyFacts,
    DeliveryKind.ALARM: AlarmFacts,
    DeliveryKind.LOGIN_LINK: LoginLinkFacts,
    DeliveryKind.SUBSCRIBER_UPDATE: SubscriberUpdateFacts,
    DeliveryKind.SUBSCRIBER_POSTMORTEM: SubscriberUpdateFacts,
    DeliveryKind.MAINTENANCE_UPDATE: MaintenanceUpdateFacts,
    DeliveryKind.SUBSCRIBER_CONFIRM: SubscriberConfirmFacts,
}
"""What each mail is made of."""
