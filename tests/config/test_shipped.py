"""The shipped config.yaml: it runs as it is, and explains every key there is."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest

from service.config import load
from service.config.form import COMMANDS, Form, keys_of
from service.config.kinds import Section
from service.config.languages import LANGUAGES
from service.config.settings import Auth, Door, OAuth, Policy, Protocol, Secret
from service.model import ComponentState, LastResort, Role
from tests.config.certificates import write_certificate
from tests.config.sample import SAMPLE, SHIPPED, read

ANY_COMMAND = set(COMMANDS)
TURNED_OFF = re.compile(r"^(?:# )?( +)# (?= *[a-z_]+:(?: |$))", re.MULTILINE)
"""A rarely needed key, commented out once more than its surroundings."""


def keys_within(form: type[Section]) -> set[str]:
    keys = set(keys_of(form))
    for annotation in keys_of(form).values():
        for section in (annotation, *get_args(annotation)):
            if isinstance(section, type) and issubclass(section, Section):
                keys |= keys_within(section)
    return keys


def mail_section() -> str:
    """Give the mail section of the shipped file, its comment signs removed."""
    lines = SHIPPED.read_text().splitlines()
    start = lines.index("# mail:")
    return "\n".join(line.removeprefix("# ") for line in lines[start : lines.index("", start)]) + "\n"


def test_it_is_right_and_nothing_about_it_is_warned_of() -> None:
    assert load(SHIPPED, {}).warnings == ()


def test_it_uses_the_sandbox() -> None:
    assert load(SHIPPED, {}).mail is None


def test_it_says_who_and_what_there_is() -> None:
    config = load(SHIPPED, {})
    assert {one.id: one.role for one in config.employees.values()} == {
        "jordan": Role.ADMIN,
        "sam": Role.PUBLISHER,
    }
    assert [one.name for one in config.components] == ["Email", "Calendar", "API", "Website"]
    assert {one.group for one in config.components} == {"Office", "Platform"}


def test_its_first_monitor_waits_for_an_employee() -> None:
    monitor = load(SHIPPED, {}).monitors[0]
    assert monitor.alert_names == ("Email Server",)
    assert (monitor.wait_time, monitor.auto_publish) == (timedelta(minutes=5), False)
    assert [(one.notify, one.then) for one in monitor.escalate] == [(("sam",), None), ((), LastResort.LEAVE)]


def test_a_list_of_components_means_a_partial_outage() -> None:
    assert load(SHIPPED, {}).monitors[2].affected_components == {"API": ComponentState.PARTIAL_OUTAGE}


def test_its_webhook_secret_comes_from_the_environment() -> None:
    assert load(SHIPPED, {"VICTOROPS_SECRET": "abc"}).webhooks["victorops"].reveal() == "abc"


def test_its_mail_section_works_once_the_comment_signs_are_removed() -> None:
    text = mail_section().replace("password_file: smtp.password", "password: x")
    config = read(SAMPLE + text, {"IMAP_PASSWORD": "x"})
    assert config.mail is not None
    assert config.mail.imap is not None
    assert (config.mail.sender_name, config.mail.smtp.port, config.mail.imap.folder) == (
        "Acme Status",
        587,
        "INBOX",
    )
    assert (config.mail.authenticity.policy, config.warnings) == (Policy.REQUIRE, ())


def test_what_is_rarely_needed_works_once_it_is_turned_on(tmp_path: Path) -> None:
    write_certificate(tmp_path / "receive.crt", tmp_path / "receive.key")
    (tmp_path / "oauth.secret").write_text("s")
    text = TURNED_OFF.sub(r"\1", mail_section()).replace("password_file: smtp.password", "password: x")
    text = text.replace('    password: "${IMAP_PASSWORD}"', '    # password: "${IMAP_PASSWORD}"')
    config = read(SAMPLE + text, {"REFRESH_TOKEN": "r"}, tmp_path / "config.yaml")
    assert config.mail is not None
    assert config.mail.imap is not None
    assert config.mail.imap.auth is Auth.MICROSOFT365
    assert config.mail.imap.oauth == OAuth(
        token_url="https://login.microsoftonline.com/acme.onmicrosoft.com/oauth2/v2.0/token",
        client_id="11111111-2222-3333-4444-555555555555",
        client_secret=Secret("s"),
        refresh_token=Secret("r"),
        scope="https://outlook.office365.com/.default",
    )
    assert config.mail.door == Door(
        Protocol.LMTP, "127.0.0.1", 2424, tmp_path / "receive.crt", tmp_path / "receive.key"
    )


def test_its_maintenance_works_once_the_comment_signs_are_removed() -> None:
    lines = SHIPPED.read_text().splitlines()
    start = lines.index("# maintenance:")
    section = "\n".join(line.removeprefix("# ") for line in lines[start : lines.index("", start)])
    window = read(SHIPPED.read_text() + section).maintenance[0]
    assert (window.subject, window.components) == ("Database upgrade", ("Email", "Calendar"))
    assert (window.starts_at, window.ends_at) == (
        datetime(2026, 12, 1, 21, tzinfo=UTC),
        datetime(2026, 12, 1, 23, tzinfo=UTC),
    )
    assert (window.remind, window.audience) == (timedelta(hours=24), ("Partners",))


def test_its_own_words_work_once_they_are_turned_on() -> None:
    shipped = SHIPPED.read_text()
    replies = TURNED_OFF.sub(r"\1", shipped[shipped.index("replies:") : shipped.index("\n# Signs links")])
    assert read(SAMPLE + replies).replies.words == {"publish": ("ship it", "raus damit")}


def test_every_language_and_command_is_named() -> None:
    replies = SHIPPED.read_text().partition("\nreplies:")[2]
    assert {*LANGUAGES, *COMMANDS} <= set(re.findall(r"\w+", replies))


@pytest.mark.parametrize("key", sorted(keys_within(Form) - ANY_COMMAND))
def test_every_key_of_the_form_is_explained(key: str) -> None:
    assert re.search(rf"(?<!\w){key}:", SHIPPED.read_text())
