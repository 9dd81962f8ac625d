"""The `login` section: by mail, by OpenID Connect, or both, but never by nothing."""

import re
from pathlib import Path

import pytest

from service.config.settings import Login, Oidc, Secret
from tests.config.sample import SAMPLE, SHIPPED, faults_of, marked, read

OIDC = "login: {oidc: {issuer: https://login.acme.example, client_id: replycast}}\n"


def test_without_a_section_employees_log_in_by_mail() -> None:
    assert read(SAMPLE).login == Login(mail_link=True, oidc=None)


def test_a_provider_needs_no_more_than_its_issuer_and_what_we_are_called_there() -> None:
    assert read(SAMPLE + OIDC).login.oidc == Oidc(
        name="single sign-on",
        issuer="https://login.acme.example",
        client_id="replycast",
        client_secret=Secret(""),
        scopes=("openid", "email", "profile"),
    )


def test_its_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "oidc.secret").write_text("S3cret\n")
    text = SAMPLE + OIDC.replace("replycast}", "replycast, client_secret_file: oidc.secret}")
    oidc = read(text, path=tmp_path / "config.yaml").login.oidc
    assert oidc is not None
    assert oidc.client_secret.reveal() == "S3cret"
    assert "S3cret" not in repr(oidc)


def test_the_shipped_example_works_once_its_comment_signs_are_removed(tmp_path: Path) -> None:
    (tmp_path / "oidc.secret").write_text("s")
    shipped = SHIPPED.read_text()
    section = shipped[shipped.index("\nlogin:") : shipped.index("\nreplies:")]
    uncommented = re.sub(r"^  # ", "  ", section, flags=re.MULTILINE)
    login = read(SAMPLE + uncommented, path=tmp_path / "config.yaml").login
    assert login.mail_link
    assert login.oidc is not None
    assert (login.oidc.name, login.oidc.issuer) == ("Acme SSO", "https://login.acme.example")


@pytest.mark.parametrize("issuer", ["http://127.0.0.1:9400", "http://localhost:9400", "https://a.example/b/"])
def test_an_issuer_is_kept_as_it_is_written(issuer: str) -> None:
    oidc = read(SAMPLE + OIDC.replace("https://login.acme.example", f'"{issuer}"')).login.oidc
    assert oidc is not None
    assert oidc.issuer == issuer


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("login: {¦mail_link: false}", "nobody could log in: add `oidc`, or let `mail_link` be true"),
        (
            "login: {oidc: {issuer: ¦http://login.acme.example, client_id: r}}",
            "would send secrets in the clear",
        ),
        ("login: {oidc: {issuer: ¦acme, client_id: r}}", "such as https://login.example.com"),
        ("login: {oidc: {issuer: ¦https://acme.example?a=b, client_id: r}}", "an address without `?`"),
        ("login: {¦oidc: {client_id: r}}", "`issuer` is missing"),
        ("login: {oidc: {issuer: https://a.example, client_id: r, scopes: ¦[email]}}", "need `openid`"),
        (
            "login: {oidc: {issuer: https://a.example, client_id: r, scopes: ¦[openid email]}}",
            "need `openid`",
        ),
        ("login: {¦oicd: {}}", "did you mean `oidc`?"),
    ],
)
def test_what_lets_nobody_in_is_a_fault_where_it_stands(section: str, said: str) -> None:
    text, line, column = marked(SAMPLE + section)
    [fault] = faults_of(text)
    assert said in fault.text
    assert (fault.line, fault.column) == (line, column)
