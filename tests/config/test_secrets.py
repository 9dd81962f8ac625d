"""Secrets: read from the environment and from files, and shown nowhere."""

from pathlib import Path

import pytest

from service.config import Config
from tests.config.sample import MAIL, SAMPLE, changed, faults_of, read

SECRETS = ("wOrDs-of-seCRet", "PaSs-words", "key-KEY-key")
WITH_SECRETS = SAMPLE + MAIL + "secret_key: key-KEY-key-key-KEY-key-key-KEY-key\n"


def with_file(tmp_path: Path, content: bytes) -> tuple[str, Path]:
    (tmp_path / "imap.password").write_bytes(content)
    return changed("password: PaSs-words", "password_file: imap.password"), tmp_path / "config.yaml"


def password_of(config: Config) -> str:
    assert config.mail is not None
    assert config.mail.imap is not None
    return config.mail.imap.password.reveal()


def test_a_config_prints_no_secret() -> None:
    config = read(WITH_SECRETS)
    shown = f"{config!r} {config} {config.secret_key} {config.webhooks} {config.mail}"
    assert not [secret for secret in SECRETS if secret in shown]
    assert "***" in shown


def test_a_config_prints_no_secret_of_oauth() -> None:
    oauth = "auth: google, oauth: {client_id: me, client_secret: PaSs-words, refresh_token: key-KEY-key}"
    config = read(changed("password: PaSs-words", oauth))
    shown = f"{config!r} {config} {config.mail}"
    assert not [secret for secret in SECRETS if secret in shown]
    assert "***" in shown


def test_its_secrets_are_there_all_the_same() -> None:
    config = read(WITH_SECRETS)
    assert config.webhooks["victorops"].reveal() == SECRETS[0]
    assert password_of(config) == SECRETS[1]
    assert config.secret_key.reveal().startswith(SECRETS[2])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{secret: wOrDs-of-seCRet}", "{secret: [wOrDs-of-seCRet]}"),
        ("{secret: wOrDs-of-seCRet}", "{secret: {wOrDs-of-seCRet: x}}"),
        ("{secret: wOrDs-of-seCRet}", "wOrDs-of-seCRet"),
        ("{secret: wOrDs-of-seCRet}", "{sekret: wOrDs-of-seCRet}"),
        ("{secret: wOrDs-of-seCRet}", '{secret: "wOrDs-of-seCRet\\a"}'),
        ("{secret: wOrDs-of-seCRet}", "{secret: *wOrDs-of-seCRet}"),
        ("{secret: wOrDs-of-seCRet}", "{secret: !wOrDs-of-seCRet x}"),
        ("{secret: wOrDs-of-seCRet}", "{secret: !wOrDs-of-seCRet!x x}"),
        ("{secret: wOrDs-of-seCRet}", '{secret: "wOrDs-of-seCRet${"}'),
        ("{secret: wOrDs-of-seCRet}", "{secret: wOrDs-of-seCRet, secret: wOrDs-of-seCRet}"),
        ("{secret: wOrDs-of-seCRet}", "{secret: wOrDs-of-seCRet, secret_file: x}"),
        ("{secret: wOrDs-of-seCRet}", '{secret: "wOrDs-of-seCRet}'),
        ("https://status", "https://u:PaSs-words@status"),
        ("webhooks:", "database: postgresql://u:PaSs-words@db\nwebhooks:"),
        ("password: PaSs-words", "auth: google, oauth: PaSs-words"),
        ("password: PaSs-words", "auth: google, oauth: {client_secret: [PaSs-words]}"),
        ("password: PaSs-words", "auth: google, oauth: {client_secret: {PaSs-words: x}}"),
        ("password: PaSs-words", "auth: google, oauth: {refresh_token: 7, client_secret: PaSs-words}"),
        ("password: PaSs-words", "auth: google, oauth: {token_url: PaSs-words, client_secret: PaSs-words}"),
        ("webhooks:", "database: sqlite://u:PaSs-words@db/x\nwebhooks:"),
        ("webhooks:", "database: [sqlite://u:PaSs-words@db/x]\nwebhooks:"),
    ],
)
def test_a_fault_quotes_no_secret(old: str, new: str) -> None:
    shown = "\n".join(map(str, faults_of(changed(old, new))))
    assert shown
    assert not [secret for secret in SECRETS if secret in shown]


@pytest.mark.parametrize("place", ["role: admin", "port: 25", "major_outage", "authored_by: jordan"])
def test_a_fault_quotes_the_reference_and_not_what_the_environment_holds(place: str) -> None:
    key = place.partition(": ")[0] + ": " if ": " in place else ""
    text = changed(place, f'{key}"${{LEAK}}"')
    (fault,) = faults_of(text, {"LEAK": "PaSs-words"})
    assert "`${LEAK}`" in fault.text
    assert "PaSs-words" not in fault.text


def test_a_fault_of_a_template_quotes_nothing_from_the_environment() -> None:
    text = changed("We are looking into it.", '"{{ ${LEAK} }}"')
    (fault,) = faults_of(text, {"LEAK": "PaSsWords"})
    assert fault.text == "this template is faulty once its ${…} are filled in"


@pytest.mark.parametrize("content", [b"PaSs-words", b"PaSs-words\n", b"PaSs-words\r\n"])
def test_a_password_file_loses_the_line_end_that_editors_add(tmp_path: Path, content: bytes) -> None:
    text, path = with_file(tmp_path, content)
    assert password_of(read(text, path=path)) == "PaSs-words"


def test_a_password_file_loses_nothing_else(tmp_path: Path) -> None:
    text, path = with_file(tmp_path, b" ${A} \n\n")
    assert password_of(read(text, path=path)) == " ${A} \n"


@pytest.mark.parametrize(
    ("content", "fragment"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"PaSs-words\xff", "is not UTF-8 text"),
        (b"PaSs-words" * 7000, "is larger than 64 KiB"),
    ],
)
def test_a_password_file_of_the_wrong_kind_is_a_fault(tmp_path: Path, content: bytes, fragment: str) -> None:
    text, path = with_file(tmp_path, content)
    (fault,) = faults_of(text, path=path)
    assert f"the file `imap.password` {fragment}" in fault.text
    assert "PaSs-words" not in str(fault)


def test_the_other_secrets_may_stand_in_files_too(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("K" * 40 + "\n")
    (tmp_path / "hook").write_text("H\n")
    text = changed("secret: wOrDs-of-seCRet", "secret_file: hook") + "secret_key_file: key\n"
    config = read(text, path=tmp_path / "config.yaml")
    assert (config.secret_key.reveal(), config.webhooks["victorops"].reveal()) == ("K" * 40, "H")


def test_an_absolute_path_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "hook").write_text("H")
    text = changed("secret: wOrDs-of-seCRet", f"secret_file: {tmp_path / 'hook'}")
    assert read(text).webhooks["victorops"].reveal() == "H"
