"""Log-ins to mail servers: a password, or a token of Google or Microsoft 365."""

from pathlib import Path

import pytest

from service.config.settings import Auth, OAuth, Secret
from tests.config.sample import MAIL, SAMPLE, changed, faults_of, marked, read

LOGIN = ", username: status, password: PaSs-words"
USER = ", username: status@acme.example"
TENANT = "tenant: acme.example"
USER_SCOPE = (
    "https://outlook.office.com/IMAP.AccessAsUser.All https://outlook.office.com/SMTP.Send offline_access"
)
KEY = '"-----BEGIN PRIVATE KEY-----"'


def oauth_of(login: str) -> OAuth:
    mail = read(changed(LOGIN, USER + login)).mail
    assert mail is not None
    assert mail.imap is not None
    assert mail.imap.oauth is not None
    return mail.imap.oauth


def google(oauth: str) -> str:
    return f", auth: google, oauth: {{client_id: me, {oauth}}}"


def microsoft(oauth: str) -> str:
    return f", auth: microsoft365, oauth: {{client_id: me, {oauth}}}"


@pytest.mark.parametrize(
    ("login", "token_url", "scope"),
    [
        (
            google("client_secret: s, refresh_token: r"),
            "https://oauth2.googleapis.com/token",
            "https://mail.google.com/",
        ),
        (
            google(f"client_secret: {KEY}"),
            "https://oauth2.googleapis.com/token",
            "https://mail.google.com/",
        ),
        (
            microsoft(f"client_secret: s, {TENANT}"),
            "https://login.microsoftonline.com/acme.example/oauth2/v2.0/token",
            "https://outlook.office365.com/.default",
        ),
        (
            microsoft(f"client_secret: s, refresh_token: r, {TENANT}"),
            "https://login.microsoftonline.com/acme.example/oauth2/v2.0/token",
            USER_SCOPE,
        ),
        (
            microsoft("refresh_token: r, tenant: common"),
            "https://login.microsoftonline.com/common/oauth2/v2.0/token",
            USER_SCOPE,
        ),
        (
            microsoft("client_secret: s, token_url: 'https://login.acme.example/token', scope: own"),
            "https://login.acme.example/token",
            "own",
        ),
        (
            google("client_secret: s, token_url: 'http://127.0.0.1:9/token'"),
            "http://127.0.0.1:9/token",
            "https://mail.google.com/",
        ),
    ],
)
def test_address_and_scope_are_the_provider_s_unless_given(login: str, token_url: str, scope: str) -> None:
    oauth = oauth_of(login)
    assert (oauth.token_url, oauth.scope, oauth.client_id) == (token_url, scope, "me")


def test_both_log_ins_may_use_one_oauth_section() -> None:
    oauth = google("client_secret: s, refresh_token: r").replace("oauth: {", "oauth: &oauth {")
    text = changed("security: none", f"security: tls{USER}{oauth}").replace(
        LOGIN, f"{USER}, auth: google, oauth: *oauth"
    )
    mail = read(text).mail
    assert mail is not None
    assert mail.imap is not None
    assert mail.smtp.auth is mail.imap.auth is Auth.GOOGLE
    assert (
        mail.smtp.oauth
        == mail.imap.oauth
        == OAuth(
            "https://oauth2.googleapis.com/token", "me", Secret("s"), Secret("r"), "https://mail.google.com/"
        )
    )


def test_a_password_is_the_usual_way() -> None:
    mail = read(SAMPLE + MAIL).mail
    assert mail is not None
    assert mail.imap is not None
    assert (mail.smtp.auth, mail.imap.auth, mail.imap.oauth) == (Auth.PASSWORD, Auth.PASSWORD, None)


@pytest.mark.parametrize(
    ("login", "fragment"),
    [
        (", ¦username: status", "`username` needs a `password` or `password_file` beside it"),
        (f"{USER}, auth: ¦gogle", "is not one of password, google, microsoft365, did you mean `google`?"),
        (f"{USER}, ¦auth: google", "`auth: google` needs `oauth` beside it"),
        (f"{USER}, ¦oauth: {{client_id: me}}", "`oauth` needs `auth: google` or `auth: microsoft365`"),
        (
            f"{USER}, ¦password: PaSs-words{google('client_secret: s, refresh_token: r')}",
            "`auth: google` logs in without a password: remove this",
        ),
        (f"{USER}, auth: google, oauth: ¦me", "`oauth` must consist of `name: value` lines"),
        (
            f"{USER}, auth: google, ¦oauth: {{client_secret: s, refresh_token: r}}",
            "`client_id` is missing in `oauth`: add it",
        ),
        (
            f"{USER}, auth: google, ¦oauth: {{client_id: me, refresh_token: r}}",
            "`client_secret` is missing in `oauth`: add it, or `client_secret_file`",
        ),
        (
            f"{USER}, auth: google, ¦oauth: {{client_id: me, client_secret: s}}",
            "Google gives no token for these: add a `refresh_token`",
        ),
        (
            f"{USER}{google('client_secret: s, refresh_token: r, ¦tenant: acme.example')}",
            "`tenant` is for `auth: microsoft365` alone",
        ),
        (
            f"{USER}, auth: microsoft365, ¦oauth: {{client_id: me, {TENANT}}}",
            "`client_secret` is missing in `oauth`",
        ),
        (
            f"{USER}, auth: microsoft365, ¦oauth: {{client_id: me, client_secret: s}}",
            "`tenant` is missing in `oauth`: add the directory id",
        ),
        (
            f"{USER}{microsoft('client_secret: s, tenant: ¦common')}",
            "no tenant that an application can log in",
        ),
        (f"{USER}{microsoft('client_secret: s, tenant: ¦a/b')}", "`a/b` is not a tenant"),
        (f"{USER}{microsoft('client_secret: s, token_url: ¦nowhere')}", "must be an address such as"),
        (
            f"{USER}{microsoft('client_secret: s, token_url: ¦http://login.acme.example/token')}",
            "would send secrets in the clear: write https://",
        ),
        (
            f"{USER}{microsoft('client_secret: s, token_url: ¦https://a:b@login.acme.example/token')}",
            "without a user name",
        ),
        (
            f"{USER}{microsoft('client_secret: s, tenant: x, ¦refresh_token_file: none, refresh_token: r')}",
            "give `refresh_token` or `refresh_token_file`, not both",
        ),
        (f"{USER}{microsoft('client_secret_file: ¦none, tenant: x')}", "the file `none` does not exist"),
        (f"{USER}{microsoft('client_secret: ¦[s], tenant: x')}", "`client_secret` must be a text"),
    ],
)
def test_a_faulty_log_in_is_one_fault_at_its_place(login: str, fragment: str) -> None:
    text, line, column = marked(changed(LOGIN, login))
    (fault,) = faults_of(text)
    assert fragment in fault.text
    assert (fault.line, fault.column) == (line, column)


@pytest.mark.parametrize(
    ("login", "fragment"),
    [
        (", ¦password: x", "a password needs a `username` beside it"),
        (
            f", ¦auth: google{google('client_secret: s, refresh_token: r')[14:]}",
            "needs a `username` beside it",
        ),
    ],
)
def test_the_relay_needs_a_user_name_to_log_in(login: str, fragment: str) -> None:
    text, line, column = marked(changed("security: none", f"security: none{login}"))
    (fault,) = faults_of(text)
    assert fragment in fault.text
    assert (fault.line, fault.column) == (line, column)


def test_a_password_file_without_a_user_name_is_a_fault_too(tmp_path: Path) -> None:
    (tmp_path / "smtp.password").write_text("PaSs-words")
    text, line, column = marked(changed("security: none", "security: none, ¦password_file: smtp.password"))
    (fault,) = faults_of(text, path=tmp_path / "config.yaml")
    assert "a password needs a `username` beside it" in fault.text
    assert (fault.line, fault.column) == (line, column)


@pytest.mark.parametrize("section", ["smtp", "imap"])
def test_the_secrets_of_oauth_may_stand_in_files(tmp_path: Path, section: str) -> None:
    (tmp_path / "secret").write_text("s\n")
    (tmp_path / "refresh").write_text("r\n")
    login = USER + google("client_secret_file: secret, refresh_token_file: refresh")
    old = LOGIN if section == "imap" else ", port: 25, security: none"
    mail = read(changed(old, login), path=tmp_path / "config.yaml").mail
    assert mail is not None
    assert mail.imap is not None
    oauth = mail.smtp.oauth if section == "smtp" else mail.imap.oauth
    assert oauth is not None
    assert (oauth.client_secret, oauth.refresh_token) == (Secret("s"), Secret("r"))
