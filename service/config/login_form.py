"""The form of `login`: how employees prove who they are. What must fit together in it is looked at here too."""

from collections.abc import Iterator
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from service.config.document import Document, find
from service.config.kinds import Line, SecretText, Section, Truth
from service.config.settings import Login, Oidc, Secret
from service.config.values import parse_token_url
from service.errors import Fault

_SCOPES: Final = ("openid", "email", "profile")


def _issuer(text: str) -> str:
    """Check an issuer (OpenID Connect Core 1.0, section 2): a URL without `?` and `#`, over TLS."""
    try:
        parse_token_url(text)
    except ValueError as error:
        raise ValueError(str(error).replace("/oauth2/token", "")) from None
    if "?" in text:
        raise ValueError("must be an address without `?`")
    return text


def _scopes(scopes: list[str]) -> list[str]:
    if "openid" not in scopes:
        raise ValueError("need `openid` among them")
    if any(" " in scope for scope in scopes):
        raise ValueError("must be single words in a list")
    return scopes


class OidcForm(Section):
    """An OpenID Connect provider that knows our employees."""

    name: Line = "single sign-on"
    issuer: Annotated[Line, AfterValidator(_issuer)]
    client_id: Line
    client_secret: SecretText = Secret("")
    client_secret_file: Line | None = None
    scopes: Annotated[list[Line], AfterValidator(_scopes)] = Field(default_factory=lambda: list(_SCOPES))
    trust_unverified_email: Truth = False


class LoginForm(Section):
    """How employees log in."""

    mail_link: Truth = True
    oidc: OidcForm | None = None

    def build(self) -> Login:
        """Turn it into settings."""
        return Login(mail_link=self.mail_link, oidc=_oidc(self.oidc) if self.oidc else None)


def _oidc(form: OidcForm) -> Oidc:
    return Oidc(
        name=form.name,
        issuer=form.issuer,
        client_id=form.client_id,
        client_secret=form.client_secret,
        scopes=tuple(dict.fromkeys(form.scopes)),
        trust_unverified_email=form.trust_unverified_email,
    )


def check_login(document: Document) -> Iterator[Fault]:
    """Report a `login` section that lets nobody in."""
    for keys, login in find(document.tree, "login"):
        if isinstance(login, dict) and login.get("mail_link") in {False, "false"} and not login.get("oidc"):
            text = "nobody could log in: add `oidc`, or let `mail_link` be true"
            yield document.fault((*keys, "mail_link"), text, at_key=True)
