"""The filled form → `Config`: names by their id, files by their path, nothing left to decide."""

from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from zoneinfo import ZoneInfo

from service.config.colours import readable
from service.config.database_url import with_password
from service.config.form import Form, MaintenanceForm, MonitorForm, SiteForm
from service.config.mail_build import build_mail
from service.config.moments import parse_moment
from service.config.pictures import read_picture
from service.config.settings import Config, Picture, Replies, Retention, Site, Watchdog, Window
from service.config.webhook_form import secrets_of
from service.model import Component, Employee, Monitor, Rung


def build(form: Form, path: Path) -> Config:
    """Turn a form without faults into the settings that the rest of the service reads."""
    employees = (Employee(one.id, one.name, one.email, one.role) for one in form.employees)
    return Config(
        path=path,
        site=_site(form.site, path.parent),
        database=with_password(form.database, form.database_password),
        webhooks=secrets_of(form.webhooks, frozenset(one.provider for one in form.monitors)),
        readings=MappingProxyType({name: one.reading() for name, one in form.webhooks.items()}),
        proofs=MappingProxyType({name: one.proof() for name, one in form.webhooks.items()}),
        mail_alerts=tuple(one.build() for one in form.mail_alerts),
        mail=build_mail(form.mail, form.site, path.parent) if form.mail else None,
        employees=MappingProxyType({one.id: one for one in employees}),
        components=tuple(Component(one.name, one.group, one.description) for one in form.components),
        monitors=tuple(map(_monitor, form.monitors)),
        maintenance=tuple(_window(one, form.site.timezone) for one in form.maintenance),
        replies=Replies(
            token_lifetime=form.replies.token_lifetime,
            languages=tuple(dict.fromkeys(form.replies.languages)),
            words=MappingProxyType({name: tuple(words) for name, words in form.replies.words if words}),
            any_reply_publishes=form.replies.any_reply_publishes,
        ),
        private_webhooks=form.subscribers.private_webhooks,
        login=form.login.build(),
        retention=Retention(
            audit=form.retention.audit,
            inbox=form.retention.inbox,
            alerts=form.retention.alerts,
            deliveries=form.retention.deliveries,
        ),
        watchdog=Watchdog(
            no_webhook_for=form.watchdog.no_webhook_for,
            mailbox_unread_for=form.watchdog.mailbox_unread_for,
            outbox_older_than=form.watchdog.outbox_older_than,
        ),
        metrics_token=form.metrics.token,
        secret_key=form.secret_key,
    )


def _site(form: SiteForm, folder: Path) -> Site:
    export_to = folder / form.export_to if form.export_to else None
    brand, brand_dark = form.colours.brand or "", form.colours.brand_dark or ""
    return Site(
        form.name,
        form.url,
        form.timezone,
        form.hide_authors,
        export_to,
        logo=_picture(folder, form.logo),
        favicon=_picture(folder, form.favicon),
        brand=brand,
        brand_dark=brand_dark or (readable(brand, is_dark=True) if brand else ""),
    )


def _picture(folder: Path, name: str | None) -> Picture | None:
    """Read a picture that was found to be right; one that went away in this very moment is not shown."""
    if name is None:
        return None
    try:
        return read_picture(folder / name)
    except ValueError:
        return None


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
        escalate=tuple(Rung(one.after, tuple(one.notify or ()), one.then) for one in form.escalate),
        remind_every=form.remind_every,
        approvals=form.approvals,
        if_recovered_unpublished=form.if_recovered_unpublished,
        audience=tuple(dict.fromkeys(form.audience)),
    )


def _window(form: MaintenanceForm, zone: ZoneInfo) -> Window:
    starts_at = parse_moment(form.starts_at, zone)
    return Window(
        subject=form.subject,
        message=form.message,
        components=tuple(dict.fromkeys(form.components)),
        starts_at=starts_at,
        ends_at=parse_moment(form.ends_at, zone)
        if form.ends_at
        else starts_at + (form.duration or timedelta(0)),
        remind=form.remind,
        closing_comment=form.closing_comment,
        audience=tuple(dict.fromkeys(form.audience)),
    )
