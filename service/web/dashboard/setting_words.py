"""The configuration that runs, in words and by sections. Pure; of a secret it tells only whether there is one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy.engine import make_url

from service.config.settings import Auth, Config, Imap, Policy, Secret, Smtp
from service.config.spans import format_span
from service.model import Role

MASK: Final = "•••"
"""Stands for a secret."""
_POLICIES: Final = {
    Policy.REQUIRE: "believed where DMARC or DKIM vouches for the sender, else asked back",
    Policy.TOKEN_ONLY: "believed by the token of the mail alone",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting in words."""

    name: str
    words: str
    key: str = ""
    """Its key as `line_numbers` names it; empty where it stands in no line of its own."""
    is_address: bool = False
    """Whether it is to be copied, letter for letter."""


@dataclass(frozen=True, slots=True)
class SettingsSection:
    """Some settings under a heading."""

    title: str
    key: str
    settings: Sequence[Setting]


def sections_for(config: Config, *, is_admin: bool, has_sandbox: bool) -> tuple[SettingsSection, ...]:
    """Say what runs: to admins all of it, to others what concerns them."""
    everybody = [
        SettingsSection("Site", "site", tuple(_site(config))),
        SettingsSection("Employees", "employees", tuple(_employees(config, is_admin=is_admin))),
        SettingsSection("Components", "components", tuple(_components(config))),
        SettingsSection("Replies", "replies", tuple(_replies(config))),
        SettingsSection("Log-in", "login", tuple(_login(config))),
    ]
    if not is_admin:
        return tuple(everybody)
    return (
        *everybody,
        SettingsSection("Webhooks of providers", "webhooks", tuple(_webhooks(config))),
        SettingsSection("Mail", "mail", tuple(_mail(config, has_sandbox=has_sandbox))),
        SettingsSection("Database and secrets", "database", tuple(_database(config))),
        SettingsSection("Subscribers, retention and watchdog", "retention", tuple(_keeping(config))),
    )


def _site(config: Config) -> Iterator[Setting]:
    site = config.site
    yield Setting("Name", site.name, "site.name")
    yield Setting("Address", site.url, "site.url", is_address=True)
    yield Setting("Time zone", str(site.timezone), "site.timezone")
    hidden = "not shown to the public" if site.hide_authors else "shown to the public"
    yield Setting("Authors", hidden, "site.hide_authors")
    if site.export_to is not None:
        yield Setting("Written as files to", str(site.export_to), "site.export_to")


def _employees(config: Config, *, is_admin: bool) -> Iterator[Setting]:
    may = {
        Role.VIEWER: "looks",
        Role.PUBLISHER: "decides and publishes",
        Role.ADMIN: "decides, publishes and administers",
    }
    for one in config.employees.values():
        address = f", {one.email}" if is_admin else ""
        yield Setting(one.name, f"{one.role}: {may[one.role]}{address}", f"employees[{one.id}]")


def _components(config: Config) -> Iterator[Setting]:
    groups: dict[str, list[str]] = {}
    for one in config.components:
        groups.setdefault(one.group or "Without a group", []).append(one.name)
    for group, names in groups.items():
        yield Setting(group, ", ".join(names), f"components[{names[0]}]")


def _replies(config: Config) -> Iterator[Setting]:
    replies = config.replies
    yield Setting("A mail can be answered for", format_span(replies.token_lifetime), "replies.token_lifetime")
    yield Setting("Languages of the command words", ", ".join(replies.languages), "replies.languages")
    for command, words in replies.words.items():
        yield Setting(f"Also means {command}", ", ".join(words), f"replies.words.{command}")
    unsure = "publishes" if replies.any_reply_publishes else "is asked back"
    yield Setting("A reply without a command", unsure, "replies.any_reply_publishes")


def _login(config: Config) -> Iterator[Setting]:
    yield Setting(
        "By a link in a mail", "offered" if config.login.mail_link else "not offered", "login.mail_link"
    )
    if (oidc := config.login.oidc) is not None:
        yield Setting("By a provider", f"{oidc.name} at {oidc.issuer}", "login.oidc")


def _webhooks(config: Config) -> Iterator[Setting]:
    for provider, secret in config.webhooks.items():
        address = f"{config.site.url}/webhook/{provider}{f'/{MASK}' if secret else ''}"
        key = f"webhooks.{provider}"
        yield Setting(f"{provider} posts to", address, key, is_address=True)
        said = (
            f"{MASK} stands for the secret, which this page does not show" if secret else "none is asked for"
        )
        yield Setting(f"Secret of {provider}", said, key)


def _mail(config: Config, *, has_sandbox: bool) -> Iterator[Setting]:
    mail = config.mail
    if mail is None or has_sandbox:
        yield Setting("Mail server", "none: the sandbox takes every mail, and none leaves this machine")
        return
    yield Setting("From", f"{mail.sender_name} <{mail.sender_address}>", "mail.from")
    yield Setting("Relay", _server(mail.smtp), "mail.smtp")
    limits = mail.smtp.limits
    rate = f", {limits.rate:g} mails a second" if limits.rate else ""
    yield Setting("At most to the relay", f"{limits.connections} sessions{rate}", "mail.smtp.limits")
    if mail.imap is not None:
        read = f"{_server(mail.imap)}, folder {mail.imap.folder}"
        yield Setting("Mailbox for replies", read, "mail.imap")
    if mail.door is not None:
        door = f"{mail.door.protocol} at {mail.door.host}:{mail.door.port}"
        yield Setting("Replies are handed over by", door, "mail.receive")
    if mail.imap is None and mail.door is None:
        yield Setting("Replies", "not read: employees publish on the dashboard alone")
    yield Setting("A reply is", _POLICIES[mail.authenticity.policy], "mail.authenticity")


def _server(server: Smtp | Imap) -> str:
    token = f" by a token of {server.auth}" if server.auth is not Auth.PASSWORD else ""
    login = f", as {server.username}{token}" if server.username else ", without a log-in"
    return f"{server.host}:{server.port}, {_protected(server)}{login}"


def _protected(server: Smtp | Imap) -> str:
    return "not encrypted" if server.security == "none" else str(server.security).upper()


def _database(config: Config) -> Iterator[Setting]:
    shown = make_url(config.database).render_as_string(hide_password=True)
    yield Setting("Database", shown, "database", is_address=True)
    yield Setting("Secret key", _told(config.secret_key, "a key file beside the database"), "secret_key")
    yield Setting(
        "Token for /metrics", _told(config.metrics_token, "none: only this machine may ask"), "metrics"
    )


def _told(secret: Secret, otherwise: str) -> str:
    return f"set ({MASK})" if secret else otherwise


def _keeping(config: Config) -> Iterator[Setting]:
    private = "may be within our own network" if config.private_webhooks else "must be on the Internet"
    yield Setting("Webhooks of subscribers", private, "subscribers.private_webhooks")
    yield Setting("The audit is kept for", format_span(config.retention.audit), "retention.audit")
    yield Setting(
        "Bodies of posts and mails are kept for", format_span(config.retention.inbox), "retention.inbox"
    )
    yield Setting("Posts and alerts are listed for", format_span(config.retention.alerts), "retention.alerts")
    yield Setting(
        "Deliveries are listed for", format_span(config.retention.deliveries), "retention.deliveries"
    )
    dog = config.watchdog
    yield Setting("Speaks up without a webhook for", _span(dog.no_webhook_for), "watchdog.no_webhook_for")
    unread, waiting = _span(dog.mailbox_unread_for), _span(dog.outbox_older_than)
    yield Setting("… with the mailbox unread for", unread, "watchdog.mailbox_unread_for")
    yield Setting("… with a delivery waiting for", waiting, "watchdog.outbox_older_than")


def _span(span: timedelta) -> str:
    return format_span(span) if span else "off"
