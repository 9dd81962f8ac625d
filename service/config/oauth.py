"""Logging in with OAuth 2: what an `oauth` section must hold for each provider, and what stands in for the rest.

Google: https://developers.google.com/workspace/gmail/imap/xoauth2-protocol; Microsoft 365:
https://learn.microsoft.com/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from service.config.document import Document, Keys
from service.config.mail_form import OAuthForm
from service.config.settings import Auth, OAuth
from service.errors import Fault

PROVIDERS: Final = (Auth.GOOGLE, Auth.MICROSOFT365)
"""Those of whom a token is asked; the other way to log in is a password."""

_GOOGLE_TOKENS: Final = "https://oauth2.googleapis.com/token"
_GOOGLE_SCOPE: Final = "https://mail.google.com/"
_MICROSOFT_TOKENS: Final = "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"
_MICROSOFT_SCOPE: Final = "https://outlook.office365.com/.default"
_MICROSOFT_USER_SCOPE: Final = (
    "https://outlook.office.com/IMAP.AccessAsUser.All https://outlook.office.com/SMTP.Send offline_access"
)
_NO_TENANTS: Final = frozenset({"common", "organizations", "consumers"})
"""They stand for whoever logs in, which an application does only in one tenant."""
_PRIVATE_KEY: Final = "PRIVATE KEY-----"


def build_oauth(form: OAuthForm, auth: Auth, folder: Path) -> OAuth:
    """Fill in the provider's address and scope where they are left out; files are relative to `folder`."""
    if auth is Auth.GOOGLE:
        token_url, scope = _GOOGLE_TOKENS, _GOOGLE_SCOPE
    else:
        token_url = _MICROSOFT_TOKENS.format(tenant=form.tenant)
        scope = _MICROSOFT_USER_SCOPE if form.refresh_token else _MICROSOFT_SCOPE
    return OAuth(
        token_url=form.token_url or token_url,
        client_id=form.client_id,
        client_secret=form.client_secret,
        refresh_token=form.refresh_token,
        scope=form.scope or scope,
        refresh_token_file=folder / form.refresh_token_file if form.refresh_token_file else None,
    )


def check_oauth(document: Document, keys: Keys, oauth: Mapping[str, Any], auth: Auth) -> Iterator[Fault]:
    """Report what the provider would refuse; `oauth` is the raw section at `keys`, its secret files read."""
    is_google, in_users_name = auth == Auth.GOOGLE, bool(oauth.get("refresh_token"))
    secret = oauth.get("client_secret")
    if not secret and (is_google or not in_users_name):
        text = "`client_secret` is missing in `oauth`: add it, or `client_secret_file`"
        yield document.fault(keys, text, at_key=True)
    if is_google:
        if "tenant" in oauth:
            text = "`tenant` is for `auth: microsoft365` alone: remove it"
            yield document.fault((*keys, "tenant"), text, at_key=True)
        is_user_secret = isinstance(secret, str) and secret and _PRIVATE_KEY not in secret
        if is_user_secret and not in_users_name and "token_url" not in oauth:
            text = (
                "Google gives no token for these: add a `refresh_token`, or make `client_secret_file` the private"
                " key of a service account"
            )
            yield document.fault(keys, text, at_key=True)
    elif "token_url" not in oauth:
        yield from _tenant_faults(document, keys, oauth, in_users_name=in_users_name)


def _tenant_faults(
    document: Document, keys: Keys, oauth: Mapping[str, Any], *, in_users_name: bool
) -> Iterator[Fault]:
    tenant = oauth.get("tenant")
    if "tenant" not in oauth:
        text = "`tenant` is missing in `oauth`: add the directory id of your company, or its domain"
        yield document.fault(keys, text, at_key=True)
    elif isinstance(tenant, str) and tenant.strip().lower() in _NO_TENANTS and not in_users_name:
        where = (*keys, "tenant")
        text = (
            f"{document.quoted(where)} is no tenant that an application can log in to: write the directory id"
        )
        yield document.fault(where, text)
