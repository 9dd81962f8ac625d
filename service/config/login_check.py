"""What must fit together in a log-in to a mail server: a password or a token, and what either needs.

Looks at the raw tree, as `checks` does, and only at the two log-ins.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from service.config.document import SPOILED, Document, Keys, find
from service.config.oauth import PROVIDERS, check_oauth
from service.config.settings import Auth
from service.errors import Fault

_LOGINS: Final = ("smtp", "imap")
_PASSWORDS: Final = ("password_file", "password")


def check_logins(document: Document) -> list[Fault]:
    """Report half a log-in, and what belongs to the other kind of log-in."""
    return [
        fault
        for section in _LOGINS
        for keys, login in find(document.tree, "mail", section)
        if isinstance(login, dict)
        for fault in _faults(document, keys, login)
    ]


def _faults(document: Document, keys: Keys, login: Mapping[str, Any]) -> Iterator[Fault]:
    auth = login.get("auth", Auth.PASSWORD)
    password = next((name for name in _PASSWORDS if name in login), "")
    if auth in PROVIDERS:
        yield from _token_faults(document, keys, login, Auth(auth), password)
    elif auth == Auth.PASSWORD:
        yield from _password_faults(document, keys, login, password)


def _password_faults(
    document: Document, keys: Keys, login: Mapping[str, Any], password: str
) -> Iterator[Fault]:
    username = login.get("username", "")
    if "oauth" in login:
        text = "`oauth` needs `auth: google` or `auth: microsoft365` beside it"
        yield document.fault((*keys, "oauth"), text, at_key=True)
    elif username and username is not SPOILED and not password:
        text = "`username` needs a `password` or `password_file` beside it"
        yield document.fault((*keys, "username"), text, at_key=True)
    if password and login.get("password") and "username" not in login and keys[-1] == "smtp":
        yield document.fault((*keys, password), "a password needs a `username` beside it", at_key=True)


def _token_faults(
    document: Document, keys: Keys, login: Mapping[str, Any], auth: Auth, password: str
) -> Iterator[Fault]:
    if password:
        text = f"`auth: {auth}` logs in without a password: remove this, or write `auth: password`"
        yield document.fault((*keys, password), text, at_key=True)
    if not login.get("username") and keys[-1] == "smtp":
        text = f"`auth: {auth}` needs a `username` beside it: the address of the mailbox"
        yield document.fault((*keys, "auth"), text, at_key=True)
    if "oauth" not in login:
        text = f"`auth: {auth}` needs `oauth` beside it, with `client_id`, `client_secret` and what else it takes"
        yield document.fault((*keys, "auth"), text, at_key=True)
    elif isinstance(login["oauth"], dict):
        yield from check_oauth(document, (*keys, "oauth"), login["oauth"], auth)
