"""The filled `mail` section → `Mail`: ports by their security, addresses and scopes by their provider."""

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from service.config.form import SiteForm
from service.config.mail_form import AuthenticityForm, ImapForm, MailForm, OAuthForm, ReceiveForm, SmtpForm
from service.config.oauth import build_oauth
from service.config.settings import (
    Auth,
    Authenticity,
    Door,
    Imap,
    Mail,
    OAuth,
    Policy,
    Profile,
    Security,
    Smtp,
)
from service.config.values import is_loopback_host

SMTP_PORTS: Final = {Security.NONE: 25, Security.STARTTLS: 587, Security.TLS: 465}
"""RFC 5321 (25), RFC 6409 (587) and RFC 8314 (465)."""
IMAP_PORTS: Final = {Security.NONE: 143, Security.STARTTLS: 143, Security.TLS: 993}
"""RFC 9051 (143) and RFC 8314 (993)."""

NAMED_BY_PROFILE: Final = frozenset({Profile.GOOGLE, Profile.MICROSOFT365, Profile.FASTMAIL})
"""Mail systems whose Authentication-Results are known without an authserv-id."""
_QUALIFIED: Final = re.compile(r"(?!.{254})(?:(?!-)[a-z0-9-]{1,63}(?<!-)\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])")
"""A name of the DNS with a domain (RFC 1123, 2.1), which no IP address is."""


def build_mail(form: MailForm, site: SiteForm, folder: Path) -> Mail:
    """Turn a section without faults into settings; the files that it names are relative to `folder`."""
    return Mail(
        sender_name=form.sender.name or site.name,
        sender_address=form.sender.address,
        smtp=_smtp(form.smtp, folder, own_name(site.url, form.sender.address)),
        imap=_imap(form.imap, folder) if form.imap else None,
        door=_door(form.receive, folder) if form.receive else None,
        authenticity=_authenticity(form.authenticity),
        verp=form.verp,
    )


def own_name(site_url: str, sender_address: str) -> str:
    """Give the name that we greet relays as (RFC 5321, 4.1.1.1): the status page's, else the domain of our mails.

    Where neither is a qualified name, it is the page's IP address (4.1.3), and `localhost` where that is this machine's
    alone: relays on the Internet refuse those, so they come last.
    """
    host = (urlsplit(site_url).hostname or "").removesuffix(".")
    for name in (host, sender_address.rpartition("@")[2].lower()):
        if _QUALIFIED.fullmatch(name) and not is_loopback_host(name):
            return name
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return "localhost"
    if is_loopback_host(str(address)):
        return "localhost"
    return f"[{address}]" if address.version == 4 else f"[IPv6:{address}]"  # noqa: PLR2004  as it is called


def _smtp(form: SmtpForm, folder: Path, name: str) -> Smtp:
    return Smtp(
        host=form.host,
        port=form.port or SMTP_PORTS[form.security],
        security=form.security,
        username=form.username,
        password=form.password,
        auth=form.auth,
        oauth=_oauth(form.oauth, form.auth, folder),
        limits=form.limits.build(),
        own_name=name,
    )


def _imap(form: ImapForm, folder: Path) -> Imap:
    return Imap(
        host=form.host,
        port=form.port or IMAP_PORTS[form.security],
        security=form.security,
        username=form.username,
        password=form.password,
        folder=form.folder,
        processed_folder=form.processed_folder,
        auth=form.auth,
        oauth=_oauth(form.oauth, form.auth, folder),
    )


def _oauth(form: OAuthForm | None, auth: Auth, folder: Path) -> OAuth | None:
    return build_oauth(form, auth, folder) if form else None


def _door(form: ReceiveForm, folder: Path) -> Door:
    return Door(
        protocol=form.protocol,
        host=form.host,
        port=form.port,
        certificate=folder / form.certificate if form.certificate else None,
        key=folder / form.key if form.key else None,
    )


def _authenticity(form: AuthenticityForm) -> Authenticity:
    """Require what can be had: where nobody's word is taken, asking for it would ask back at every reply."""
    can_be_told = form.authserv_id or form.profile in NAMED_BY_PROFILE
    default = Policy.REQUIRE if can_be_told else Policy.TOKEN_ONLY
    return Authenticity(
        policy=form.policy or default, authserv_id=form.authserv_id or "", profile=form.profile
    )
