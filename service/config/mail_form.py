"""The form of the `mail` section: how mails leave and come back, and when a sender is believed.

One value at a time: what must fit together is in `login_check`, `oauth` and `certificate`.
"""

from pydantic import Field

from service.config.kinds import (
    AuthservId,
    From,
    Host,
    Line,
    Optional,
    Port,
    SecretText,
    Section,
    Tenant,
    TokenUrl,
    Truth,
)
from service.config.limits import LimitsForm
from service.config.settings import Auth, Policy, Profile, Protocol, Secret, Security


class OAuthForm(Section):
    """Credentials for XOAUTH2."""

    client_id: Line
    client_secret: SecretText = Secret("")
    client_secret_file: Line | None = None
    refresh_token: SecretText = Secret("")
    refresh_token_file: Line | None = None
    tenant: Tenant | None = None
    token_url: TokenUrl | None = None
    scope: Line | None = None


class SmtpForm(Section):
    """The relay; without a port, the usual one of its security is taken."""

    host: Host
    port: Port | None = None
    security: Security = Security.STARTTLS
    username: Optional = ""
    password: SecretText = Secret("")
    password_file: Line | None = None
    auth: Auth = Auth.PASSWORD
    oauth: OAuthForm | None = None
    limits: LimitsForm = Field(default_factory=LimitsForm)


class ImapForm(Section):
    """The mailbox; without a port, the usual one of its security is taken."""

    host: Host
    port: Port | None = None
    security: Security = Security.TLS
    username: Line
    password: SecretText = Secret("")
    password_file: Line | None = None
    auth: Auth = Auth.PASSWORD
    oauth: OAuthForm | None = None
    folder: Line = "INBOX"
    processed_folder: Line = "Processed"


class ReceiveForm(Section):
    """The second door; certificate and key are files beside config.yaml."""

    protocol: Protocol = Protocol.LMTP
    host: Host = "127.0.0.1"
    port: Port = 2424
    certificate: Line | None = None
    key: Line | None = None


class AuthenticityForm(Section):
    """When a reply's sender is believed; which policy stands in for none depends on the rest."""

    policy: Policy | None = None
    authserv_id: AuthservId | None = None
    profile: Profile = Profile.GENERIC


class MailForm(Section):
    """How mails leave and come back."""

    sender: From = Field(alias="from")
    smtp: SmtpForm
    imap: ImapForm | None = None
    receive: ReceiveForm | None = None
    authenticity: AuthenticityForm = Field(default_factory=AuthenticityForm)
    verp: Truth = True
