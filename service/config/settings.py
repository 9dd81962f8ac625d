"""What config.yaml says, once it is right: frozen, whole, every reference resolved."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from zoneinfo import ZoneInfo

from service.errors import Fault
from service.model import Component, Employee, Monitor


class Secret:
    """A text that prints as `***` everywhere; only `reveal` gives it away."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Give the text itself, for the one place that needs it."""
        return self._text

    def __repr__(self) -> str:
        """Hide it."""
        return "***"

    __str__ = __repr__

    def __bool__(self) -> bool:
        """Whether there is one at all."""
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        """Compare two secrets of config.yaml (not for checking what a stranger sent)."""
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        """Hash as the text does."""
        return hash(self._text)


class Security(StrEnum):
    """How a connection to a mail server is protected."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of the company's own, which was looked at and may be shown."""

    digest: str
    """The beginning of the SHA-256 of its bytes, in hexadecimal digits."""
    media_type: str
    ending: str
    """Of its file's name: `png`, `jpg`, `webp` or `svg`."""
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Site:
    """The status page as a whole."""

    name: str
    url: str
    """Without a slash at its end; all links in mails begin with it."""
    timezone: ZoneInfo
    hide_authors: bool = False
    export_to: Path | None = None
    """The folder that the page is written into at each change, as files."""
    logo: Picture | None = None
    favicon: Picture | None = None
    brand: str = ""
    """The colour of links and buttons on light pages, as `#rrggbb`, which can be read there; empty: our own."""
    brand_dark: str = ""
    """The same for dark pages; never empty where there is a `brand`."""


class Auth(StrEnum):
    """How we log in to a mail server."""

    PASSWORD = "password"  # noqa: S105  the name of a method
    GOOGLE = "google"
    MICROSOFT365 = "microsoft365"


@dataclass(frozen=True, slots=True)
class OAuth:
    """Credentials for XOAUTH2: with a refresh token in its user's name, without one in the application's."""

    token_url: str
    client_id: str
    client_secret: Secret
    refresh_token: Secret
    scope: str
    refresh_token_file: Path | None = None
    """Where the refresh token was read from, and where the one that replaces it is written to."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the relay allows a sender of many mails; mails to employees have as many of their own, and no rate."""

    connections: int = 4
    """Sessions at once."""
    mails_per_connection: int = 1_000
    rate: float | None = None
    """Mails per second, over all sessions; None: as fast as it goes."""


@dataclass(frozen=True, slots=True)
class Smtp:
    """The relay that takes our outgoing mail."""

    host: str
    port: int
    security: Security
    username: str = ""
    password: Secret = field(default_factory=lambda: Secret(""))
    auth: Auth = Auth.PASSWORD
    oauth: OAuth | None = None
    """Given where `auth` is not PASSWORD."""
    limits: Limits = field(default_factory=Limits)
    own_name: str = field(default="localhost", compare=False)
    """What we greet it as (RFC 5321, 4.1.1.1); no setting of its own, see `mail_build.own_name`."""


@dataclass(frozen=True, slots=True)
class Imap:
    """The mailbox that replies come back to."""

    host: str
    port: int
    security: Security
    username: str
    password: Secret
    folder: str = "INBOX"
    processed_folder: str = "Processed"
    auth: Auth = Auth.PASSWORD
    oauth: OAuth | None = None


class Policy(StrEnum):
    """What makes a reply's sender believable."""

    REQUIRE = "require"
    """DMARC by our own mail server, or an aligned DKIM signature that verifies here."""
    TOKEN_ONLY = "token_only"  # noqa: S105  the name of a policy
    """The token alone: for an internal mail system that strips or refuses outside From addresses."""


class Profile(StrEnum):
    """Which mail system writes our Authentication-Results."""

    GENERIC = "generic"
    GOOGLE = "google"
    MICROSOFT365 = "microsoft365"
    OPENDMARC = "opendmarc"
    RSPAMD = "rspamd"
    FASTMAIL = "fastmail"


@dataclass(frozen=True, slots=True)
class Authenticity:
    """How we tell whether a reply really comes from its sender."""

    policy: Policy = Policy.TOKEN_ONLY
    authserv_id: str = ""
    """The name by which our own mail server signs its Authentication-Results (RFC 8601)."""
    profile: Profile = Profile.GENERIC


class Protocol(StrEnum):
    """What a mail server speaks to hand us replies."""

    LMTP = "lmtp"
    SMTP = "smtp"


@dataclass(frozen=True, slots=True)
class Door:
    """Where a mail server hands replies over without a mailbox."""

    protocol: Protocol
    host: str
    port: int
    certificate: Path | None = None
    """A PEM file with certificate and chain; with `key` it turns STARTTLS on."""
    key: Path | None = None


@dataclass(frozen=True, slots=True)
class Mail:
    """How mails leave and come back. `imap` is None where no replies are read."""

    sender_name: str
    sender_address: str
    smtp: Smtp
    imap: Imap | None
    door: Door | None = None
    authenticity: Authenticity = field(default_factory=Authenticity)
    verp: bool = True
    """Whether each mail has an envelope sender of its own, by which its bounce is known."""


@dataclass(frozen=True, slots=True)
class Replies:
    """How employees' answers are read."""

    token_lifetime: timedelta = timedelta(hours=72)
    """How long a notification mail can be answered."""
    languages: tuple[str, ...] = ("en",)
    """Whose command words count."""
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By command: words of the company's own."""
    any_reply_publishes: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """Where in a payload things stand; each is a Jinja expression over one alert of it, see `expressions`.

    All but `monitor_name` are for the generic provider alone.
    """

    monitor_name: str = ""
    """Empty: what the provider's own file takes."""
    each: str = ""
    """Gives the list of alerts of a payload; empty: it is one alert."""
    state: str = ""
    entity_id: str = ""
    message: str = ""
    firing: tuple[str, ...] = ()
    """Values of `state` that mean it, as are the next two; none at all: the usual words of monitoring products."""
    recovered: tuple[str, ...] = ()
    acknowledged: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proof:
    """By what a provider's posts are known to be its own."""

    signing_secret: Secret = field(default_factory=lambda: Secret(""))
    """With which it signs each post; empty: signatures are not looked at."""
    topics: tuple[str, ...] = ()
    """ARNs of the Amazon SNS topics whose messages are taken; none: all of them."""


@dataclass(frozen=True, slots=True)
class MailPattern:
    """Which mails are alerts of one monitoring product."""

    senders: tuple[str, ...]
    """Globs of addresses."""
    subject: str
    """A regular expression with the groups `monitor`, `state` and, where there is one, `entity`."""
    firing: tuple[str, ...] = ()
    """Values of `state` that mean it, as are the next two; none at all: the usual words of monitoring products."""
    recovered: tuple[str, ...] = ()
    acknowledged: tuple[str, ...] = ()
    authentic: bool = True
    """Whether only a sender that is proven is believed; else one that is not disproven."""


@dataclass(frozen=True, slots=True)
class Window:
    """A maintenance as config.yaml plans it; times in UTC."""

    subject: str
    message: str
    components: tuple[str, ...]
    starts_at: datetime
    ends_at: datetime
    remind: timedelta | None = None
    """How long before it begins subscribers are reminded."""
    closing_comment: str = ""
    audience: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Oidc:
    """An OpenID Connect provider that tells us who somebody is."""

    name: str
    """What its button says."""
    issuer: str
    """As its discovery document and its ID tokens name it."""
    client_id: str
    client_secret: Secret
    """Empty for a public client, which PKCE alone protects."""
    scopes: tuple[str, ...]
    trust_unverified_email: bool = False


@dataclass(frozen=True, slots=True)
class Login:
    """How employees prove who they are."""

    mail_link: bool = True
    oidc: Oidc | None = None


@dataclass(frozen=True, slots=True)
class Retention:
    """How long what is not needed any more is kept."""

    audit: timedelta = timedelta(days=730)
    """What people did that no incident's timeline tells."""
    inbox: timedelta = timedelta(days=730)
    """The bodies of posts and mails that were worked off."""
    alerts: timedelta = timedelta(days=1095)
    """Posts and the alerts in them, each in its line."""
    deliveries: timedelta = timedelta(days=400)
    """Mails and calls, each with its recipient and what came of it."""


@dataclass(frozen=True, slots=True)
class Watchdog:
    """After how long the watchdog speaks up; a span of nothing: never."""

    no_webhook_for: timedelta = timedelta(days=7)
    """Without a post of any provider."""
    mailbox_unread_for: timedelta = timedelta(minutes=10)
    outbox_older_than: timedelta = timedelta(minutes=5)
    """Of the oldest delivery that waits."""


@dataclass(frozen=True, slots=True)
class Config:
    """config.yaml, validated whole. `mail` is None where the embedded sandbox stands in."""

    path: Path
    site: Site
    database: str
    """An SQLAlchemy URL, with its password; relative SQLite paths are relative to the working directory."""
    webhooks: Mapping[str, Secret]
    """By provider that may post; an empty secret asks for none."""
    mail: Mail | None
    employees: Mapping[str, Employee]
    """By id, in the order of the file."""
    components: tuple[Component, ...]
    monitors: tuple[Monitor, ...]
    maintenance: tuple[Window, ...]
    """In the order of the file, those of the past as well."""
    replies: Replies
    secret_key: Secret
    """Derives reply tokens and signs links; empty: a key file beside the database, else beside this file."""
    readings: Mapping[str, Reading] = field(default_factory=dict)
    """By provider; one that is not named is read as its own file has it."""
    proofs: Mapping[str, Proof] = field(default_factory=dict)
    """By provider."""
    mail_alerts: tuple[MailPattern, ...] = ()
    """Which mails are alerts; the first that fits counts."""
    private_webhooks: bool = False
    """Whether subscribers' webhooks may be at addresses of our own network."""
    login: Login = field(default_factory=Login)
    retention: Retention = field(default_factory=Retention)
    watchdog: Watchdog = field(default_factory=Watchdog)
    metrics_token: Secret = field(default_factory=lambda: Secret(""))
    """What asks for /metrics from another machine offers; empty: only this machine may ask."""
    warnings: tuple[Fault, ...] = ()
    """What works, but probably not as it is meant; in the order of the file."""

    def monitor_for(self, key: str) -> Monitor | None:
        """Find the monitor that `Monitor.key` names, if it is still configured."""
        return next((monitor for monitor in self.monitors if monitor.key == key), None)

    def employee_by_email(self, email: str) -> Employee | None:
        """Find the employee of this address, compared without case."""
        folded = email.casefold()
        return next((one for one in self.employees.values() if one.email.casefold() == folded), None)
