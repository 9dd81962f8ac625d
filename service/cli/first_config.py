"""The first config.yaml of a new site, as text, and the two webhooks that VictorOps is to be given. Pure."""

import json
import re
import unicodedata
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from service.config.form import DEFAULT_PROVIDER

SECRET_FILE: Final = "victorops.secret"  # noqa: S105  the name of a file
SMTP_PASSWORD_FILE: Final = "smtp.password"  # noqa: S105  as above
IMAP_PASSWORD_FILE: Final = "imap.password"  # noqa: S105  as above
PAYLOAD: Final = '{\nmonitorName: "${{ALERT.monitor_name}}",\nstate: "${{ALERT.entity_state}}"\n}'
"""As the vendor's guide has it; its keys stand without quotes."""
EVENTS: Final = (("Incident-Triggered", "triggered"), ("Incident-Resolved", "resolved"))
_NO_IDS: Final = frozenset({"", "automatic", "cli", "nobody", "token"})


@dataclass(frozen=True, slots=True)
class MailAnswers:
    """The mail servers of a company; a user name of "" needs no password."""

    sender: str
    smtp_host: str
    smtp_port: int
    smtp_security: str
    smtp_username: str
    imap_host: str
    imap_port: int
    imap_security: str
    imap_username: str


@dataclass(frozen=True, slots=True)
class Answers:
    """What a first config.yaml is made of; `mail` is None where the sandbox is to stand in."""

    site_name: str
    url: str
    timezone: str
    admin_name: str
    admin_email: str
    monitor: str
    component: str
    mail: MailAnswers | None = None


@dataclass(frozen=True, slots=True)
class Webhook:
    """One outgoing webhook, field by field as VictorOps asks for it."""

    event: str
    url: str
    method: str = "POST"
    content_type: str = "application/json"
    payload: str = PAYLOAD


def webhooks_to_paste(url: str, secret: str) -> tuple[Webhook, ...]:
    """Give both webhooks: the second one is what closes incidents again.

    Each names its event in the URL, since a resolve can carry the state that the alert fired with.
    """
    at = f"{url.rstrip('/')}/webhook/{DEFAULT_PROVIDER}?secret={quote(secret, safe='')}"
    return tuple(Webhook(event, f"{at}&event={word}") for event, word in EVENTS)


def employee_id(name: str) -> str:
    """Make an id of a person's first name, in ASCII."""
    first = (name.split() or [""])[0]
    plain = unicodedata.normalize("NFKD", first).encode("ascii", "ignore").decode().lower()
    made = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    return "admin" if made in _NO_IDS else made


def write_config(answers: Answers, *, schema: str) -> str:
    """Write config.yaml; `schema` is where an editor finds the JSON Schema of it."""
    who = employee_id(answers.admin_name)
    quoted = {
        name: _quoted(getattr(answers, name))
        for name in ("site_name", "url", "timezone", "admin_name", "admin_email", "monitor", "component")
    }
    subject = _quoted(f"{_plain(answers.component)} is unavailable")
    closing = _quoted(f"{_plain(answers.component)} works again.")
    text = _CONFIG.format(
        schema=schema, who=who, subject=subject, closing=closing, secret=SECRET_FILE, **quoted
    )
    return text.replace(_MAIL_HERE, _mail(answers.mail) if answers.mail else _SANDBOX)


def _mail(mail: MailAnswers) -> str:
    login = (
        f"\n    username: {_quoted(mail.smtp_username)}\n    password_file: {SMTP_PASSWORD_FILE}"
        if mail.smtp_username
        else ""
    )
    imap = (
        _IMAP.format(
            host=_quoted(mail.imap_host),
            port=mail.imap_port,
            security=mail.imap_security,
            username=_quoted(mail.imap_username),
            password_file=IMAP_PASSWORD_FILE,
        )
        if mail.imap_host
        else _NO_IMAP
    )
    return _MAIL.format(
        sender=_quoted(mail.sender),
        host=_quoted(mail.smtp_host),
        port=mail.smtp_port,
        security=mail.smtp_security,
        login=login,
        imap=imap,
    )


def _quoted(text: str) -> str:
    """Write a text so that YAML, and what fills in the environment, leave it as it is."""
    return json.dumps(text, ensure_ascii=False).replace("${", "$${")


def _plain(text: str) -> str:
    """Keep what somebody typed from being read as a template."""
    return re.sub(r"[{}%#]", "", text).strip() or "It"


_MAIL_HERE: Final = "# MAIL\n"
_CONFIG: Final = """\
# yaml-language-server: $schema={schema}
# The configuration of Replycast. `replycast check` names every fault in it, with line and column; what else may
# stand here, the schema says key by key (`replycast schema`), and the source's config.yaml line by line.

site:
  name: {site_name}
  url: {url}   # every link in a mail begins with it
  timezone: {timezone}

database: sqlite:///var/replycast.db   # relative to the directory that the service is started in

webhooks:
  victorops:
    secret_file: {secret}   # what VictorOps proves itself with, in the URL

# MAIL
employees:
  - id: {who}
    name: {admin_name}
    email: {admin_email}   # gets the mails that ask; replies count only from here
    role: admin   # viewer: looks; publisher: decides; admin: everything

components:   # what the status page shows
  - name: {component}

monitors:
  - provider: victorops
    alert_name: {monitor}   # its name in VictorOps: exact, a list, or a pattern such as "mail-*"
    authored_by: {who}
    type: service_unavailable
    affected_components: [{component}]   # partly out while it lasts; {{Name: major_outage}} says more
    subject: {subject}
    message: "We are looking into it."   # Markdown; what subscribers read
    notify_employees: [{who}]
    wait_time: 5m          # recovered within it: nobody is told
    combine_alerts: true   # further alerts join the open incident
    auto_publish: false    # an employee publishes, by answering the mail with the word publish
    auto_close: true       # closed once every alert has recovered
    closing_comment: {closing}
"""
_SANDBOX: Final = """\
# Without a `mail` section the mail sandbox takes every mail and shows it at /sandbox; nothing leaves this machine.

"""
_MAIL: Final = """\
mail:
  from: {sender}   # replies come back to its plus-address: status+TOKEN@…
  smtp:
    host: {host}
    port: {port}
    security: {security}{login}
{imap}
  # authenticity:   # lets your mail server vouch for the sender of a reply
  #   authserv_id: mx.example.com   # the name that begins its Authentication-Results

"""
_IMAP: Final = """\
  imap:   # where replies arrive
    host: {host}
    port: {port}
    security: {security}
    username: {username}
    password_file: {password_file}"""
_NO_IMAP: Final = "  # imap: …   # without a mailbox no reply is read, and employees publish on the dashboard"
