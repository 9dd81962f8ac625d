"""The filled form → `Config`: ports by their security, names by their id, nothing left to decide."""

from pathlib import Path
from types import MappingProxyType
from typing import Final

from service.config.form import PROVIDERS, Form, ImapForm, MailForm, MonitorForm, SmtpForm
from service.config.settings import Config, Imap, Mail, Replies, Secret, Security, Site, Smtp
from service.model import Component, Employee, Monitor

_SMTP_PORTS: Final = {Security.NONE: 25, Security.STARTTLS: 587, Security.TLS: 465}
"""RFC 5321 (25), RFC 6409 (587) and RFC 8314 (465)."""
_IMAP_PORTS: Final = {Security.NONE: 143, Security.STARTTLS: 143, Security.TLS: 993}
"""RFC 9051 (143) and RFC 8314 (993)."""


def build(form: Form, path: Path) -> Config:
    """Turn a form without faults into the settings that the rest of the service reads."""
    employees = (Employee(one.id, one.name, one.email, one.role) for one in form.employees)
    return Config(
        path=path,
        site=Site(form.site.name, form.site.url, form.site.timezone, form.site.hide_authors),
        database=form.database,
        webhooks=MappingProxyType(
            {one: form.webhooks[one].secret if one in form.webhooks else Secret("") for one in PROVIDERS}
        ),
        mail=_mail(form.mail, form.site.name) if form.mail else None,
        employees=MappingProxyType({one.id: one for one in employees}),
        components=tuple(Component(one.name, one.group, one.description) for one in form.components),
        monitors=tuple(map(_monitor, form.monitors)),
        replies=Replies(token_lifetime=form.replies.token_lifetime),
        secret_key=form.secret_key,
    )


def _mail(form: MailForm, site_name: str) -> Mail:
    return Mail(
        sender_name=form.sender.name or site_name,
        sender_address=form.sender.address,
        smtp=_smtp(form.smtp),
        imap=_imap(form.imap) if form.imap else None,
    )


def _smtp(form: SmtpForm) -> Smtp:
    port = form.port or _SMTP_PORTS[form.security]
    return Smtp(form.host, port, form.security, form.username, form.password)


def _imap(form: ImapForm) -> Imap:
    port = form.port or _IMAP_PORTS[form.security]
    login = (form.username, form.password)
    return Imap(form.host, port, form.security, *login, form.folder, form.processed_folder)


def _monitor(form: MonitorForm) -> Monitor:
    return Monitor(
        provider=form.provider,
        alert_names=tuple(form.alert_name),
        authored_by=form.authored_by,
        type=form.type,
        affected_components=MappingProxyType(form.affected_components),
        subject=form.subject,
        message=form.message,
        notify_employees=tuple(form.notify_employees),
        wait_time=form.wait_time,
        combine_alerts=form.combine_alerts,
        auto_publish=form.auto_publish,
        auto_close=form.auto_close,
        closing_comment=form.closing_comment,
        recovery_grace=form.recovery_grace,
        warning_fires=form.warning_fires,
    )
