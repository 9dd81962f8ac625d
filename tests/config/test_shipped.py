"""The shipped config.yaml: it runs as it is, and explains every key there is."""

import re
from datetime import timedelta

import pytest

from service.config import load
from service.config.form import (
    ComponentForm,
    EmployeeForm,
    Form,
    ImapForm,
    MailForm,
    MonitorForm,
    RepliesForm,
    SiteForm,
    SmtpForm,
    WebhookForm,
    keys_of,
)
from service.model import ComponentState, Role
from tests.config.sample import SHIPPED, read

FORMS = (
    Form, SiteForm, WebhookForm, MailForm, SmtpForm, ImapForm, EmployeeForm, ComponentForm, MonitorForm, RepliesForm,
)  # fmt: skip


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


def test_a_list_of_components_means_a_partial_outage() -> None:
    assert load(SHIPPED, {}).monitors[2].affected_components == {"API": ComponentState.PARTIAL_OUTAGE}


def test_its_webhook_secret_comes_from_the_environment() -> None:
    assert load(SHIPPED, {"VICTOROPS_SECRET": "abc"}).webhooks["victorops"].reveal() == "abc"


def test_its_mail_section_works_once_the_comment_signs_are_removed() -> None:
    lines = SHIPPED.read_text().splitlines()
    start = lines.index("# mail:")
    end = lines.index("", start)
    active = [line.removeprefix("# ") if start <= at < end else line for at, line in enumerate(lines)]
    text = "\n".join(active).replace("password_file: smtp.password", "password: x")
    mail = read(text, {"IMAP_PASSWORD": "x"}).mail
    assert mail is not None
    assert mail.imap is not None
    assert (mail.sender_name, mail.smtp.port, mail.imap.folder) == ("Acme Status", 587, "INBOX")


@pytest.mark.parametrize("key", sorted({key for form in FORMS for key in keys_of(form)}))
def test_every_key_of_the_form_is_explained(key: str) -> None:
    assert re.search(rf"(?<!\w){key}:", SHIPPED.read_text())
