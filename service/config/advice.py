"""What in a faultless config.yaml is probably not meant so; advises and never refuses."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Final
from urllib.parse import urlsplit

from service.config.database_url import is_read_underway
from service.config.document import Document, Keys
from service.config.mail_build import IMAP_PORTS, NAMED_BY_PROFILE, SMTP_PORTS
from service.config.settings import Config, Mail, Policy, Proof, Security
from service.config.values import is_loopback_host
from service.config.wording import quote
from service.errors import Fault
from service.model import KNOWN_TYPES, LastResort, Role

_SHORTEST_KEY: Final = 32
_LONGEST_LOCAL_PART: Final = 29
"""Octets before the @ of our own address to which a bounce's mark of 35 (`mail.bounces`) can be added: RFC 5321
section 4.5.3.1.1 allows 64."""
_NEARLY: Final = 0.85
"""How like a known type another is that hardly is a word of the company's own."""


def advise(config: Config, document: Document) -> tuple[Fault, ...]:
    """Give the warnings of a configuration, each at its place in the document that it was built from."""
    found = [document.fault(keys, text, at_key=True) for keys, text in _warnings(config)]
    return tuple(sorted(found, key=lambda one: (one.line, one.column)))


def _warnings(config: Config) -> Iterator[tuple[Keys, str]]:
    yield from _about_alerts(config)
    yield from _about_names(config)
    yield from _about_types(config)
    yield from _about_employees(config)
    if config.employees and not any(one.role is Role.ADMIN for one in config.employees.values()):
        text = (
            "nobody is an admin: on the dashboard nobody can manage subscribers and tokens or read the audit, and"
            " nobody is told when the service is kept from its work; give somebody `role: admin`"
        )
        yield ("employees",), text
    if is_read_underway(config.database):
        text = "where the server offers no TLS, all goes over the network in the clear: add `?sslmode=verify-full`"
        yield ("database",), text
    if config.secret_key and len(config.secret_key.reveal()) < _SHORTEST_KEY:
        text = f"`secret_key` is short enough to guess: take {_SHORTEST_KEY} random characters or more"
        yield ("secret_key",), text
    for at, monitor in enumerate(config.monitors):
        if monitor.auto_close and not monitor.closing_comment.strip():
            text = "incidents close by themselves without a word: add a `closing_comment`"
            yield ("monitors", at, "auto_close"), text
        if monitor.auto_publish and not monitor.wait_time:
            text = "every short flap is published at once: give a `wait_time` such as 2m"
            yield ("monitors", at, "auto_publish"), text
        if monitor.escalate and monitor.escalate[-1].then is LastResort.PUBLISH:
            text = "what nobody decided about is published to everybody: `leave` or `discard` is more careful"
            yield ("monitors", at, "escalate", len(monitor.escalate) - 1, "then"), text
    yield from _about_mail(config)


def _about_alerts(config: Config) -> Iterator[tuple[Keys, str]]:
    """Warn where a stranger can raise alerts."""
    if not is_loopback(config.site.url):
        for provider, secret in config.webhooks.items():
            proof = config.proofs.get(provider, Proof())
            if not (secret or proof.signing_secret or proof.topics):
                place, remedy = _let_in_by(config, provider)
                yield place, f"anybody who finds the webhook of `{provider}` can post to it: {remedy}"
    for at, pattern in enumerate(config.mail_alerts):
        if not pattern.authentic:
            text = "whoever makes up such a sender can raise alerts: sign its mails with DKIM, and leave this out"
            yield ("mail_alerts", at, "authentic"), text


def _let_in_by(config: Config, provider: str) -> tuple[Keys, str]:
    """Say what lets a provider in, `webhooks` or else the first monitor that names it, and how it gets a secret."""
    monitored = [at for at, monitor in enumerate(config.monitors) if monitor.provider == provider]
    if monitored and provider not in config.readings:
        return ("monitors", monitored[0], "provider"), "add it to `webhooks`, with a secret"
    return ("webhooks", provider, "secret"), "give it a secret"


def _about_names(config: Config) -> Iterator[tuple[Keys, str]]:
    """Warn where exact spelling alone tells the names of two monitors of a provider apart, see `providers.matching`."""
    first: dict[tuple[str, str], tuple[int, str]] = {}
    for at, monitor in enumerate(config.monitors):
        for place, name in enumerate(monitor.alert_names):
            before, other = first.setdefault((monitor.provider, _folded(name)), (at, name))
            if before != at:
                text = (
                    f"{quote(name)} differs from {quote(other)} of an earlier monitor in case or white space only:"
                    " what is spelled like neither goes to the earlier one; put both into one monitor, or rename one"
                )
                yield ("monitors", at, "alert_name", place), text


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())


def _about_types(config: Config) -> Iterator[tuple[Keys, str]]:
    """Warn where a type is nearly a known one: readers are shown it as it stands."""
    for at, monitor in enumerate(config.monitors):
        near = get_close_matches(monitor.type.casefold(), KNOWN_TYPES, n=1, cutoff=_NEARLY)
        if near and monitor.type not in KNOWN_TYPES:
            text = f"{quote(monitor.type)} is a word of your own: did you mean {quote(near[0])}?"
            yield ("monitors", at, "type"), text


def _about_employees(config: Config) -> Iterator[tuple[Keys, str]]:
    """Warn where what an employee is sent comes back to us."""
    own = config.mail.sender_address.casefold() if config.mail else ""
    for at, one in enumerate(config.employees.values()):
        if one.email.casefold() == own:
            text = (
                f"mails to {quote(one.name)} go to the address that they come from (`mail.from`), where replies"
                " arrive: give this employee an address of his own"
            )
            yield ("employees", at, "email"), text


def _about_ports(mail: Mail) -> Iterator[tuple[Keys, str]]:
    """Warn of ports at which servers usually expect another beginning than `security` says."""
    for name, port, security, usual in (
        ("smtp", mail.smtp.port, mail.smtp.security, SMTP_PORTS),
        *([("imap", mail.imap.port, mail.imap.security, IMAP_PORTS)] if mail.imap else []),
    ):
        meant_by = [one for one, usually in usual.items() if usually == port]
        if meant_by and (security is Security.TLS) is not (Security.TLS in meant_by):
            begins = "with TLS" if Security.TLS in meant_by else "without TLS"
            meant = Security.TLS if Security.TLS in meant_by else Security.STARTTLS
            text = (
                f"at port {port} mail servers begin {begins}, and not as `security: {security}` does: write"
                f" `security: {meant}`, or leave `port` out, which is {usual[security]} then"
            )
            yield ("mail", name, "port"), text


def _about_mail(config: Config) -> Iterator[tuple[Keys, str]]:
    """Warn where replies are not read, or where nothing but the token stands between a stranger and the page."""
    mail = config.mail
    if mail is None:
        return
    yield from _about_ports(mail)
    if mail.imap is None and mail.door is None:
        text = "replies cannot be read, so that employees publish on the dashboard alone: add `imap` or `receive`"
        yield ("mail",), text
        return
    octets = len(mail.sender_address.rpartition("@")[0].encode())
    if mail.verp and octets > _LONGEST_LOCAL_PART:
        text = (
            f"bounces are matched less surely: before the @ there are {octets} octets, and only up to"
            f" {_LONGEST_LOCAL_PART} leave room for the mark that tells a bounce; take a shorter address"
        )
        yield ("mail", "from"), text
    if mail.door is not None and not is_loopback_host(mail.door.host):
        text = (
            "whoever reaches this port can hand in a mail with made-up Authentication-Results: let your mail"
            " server alone reach it, or listen on 127.0.0.1"
        )
        yield ("mail", "receive", "host"), text
    authenticity = mail.authenticity
    has_server = authenticity.authserv_id or authenticity.profile in NAMED_BY_PROFILE
    if authenticity.policy is Policy.TOKEN_ONLY:
        text = (
            "nothing protects the sender: anyone who gets hold of a notification's token can publish by forging"
            f" From; {'write `policy: require`' if has_server else 'set `authserv_id` in `mail.authenticity`'}"
        )
        yield ("mail", "authenticity", "policy"), text
        if config.replies.any_reply_publishes:
            text = "any reply publishes, and nothing protects its sender: set `mail.authenticity`, or switch this off"
            yield ("replies", "any_reply_publishes"), text
    elif not has_server:
        text = (
            "only DKIM signatures protect, and a reply without one must be confirmed: name the `authserv_id` of"
            " your mail server"
        )
        yield ("mail", "authenticity", "policy"), text


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this machine alone."""
    return is_loopback_host(urlsplit(url).hostname or "")
