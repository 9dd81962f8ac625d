"""What a faultless config.yaml is read as: defaults, forms that mean the same, mail."""

from datetime import timedelta
from pathlib import Path

import pytest

from service.config import Mail, Secret, Security, load
from service.errors import ConfigFaulty
from service.model import ComponentState, IfRecovered, Role
from tests.config.sample import MAIL, SAMPLE, changed, faults_of, marked, read


def mail_of(text: str) -> Mail:
    mail = read(text).mail
    assert mail is not None
    return mail


def test_what_is_left_out_takes_the_documented_default() -> None:
    config = read('site: {name: A, url: "http://a.example"}')
    assert (config.site.timezone.key, config.site.hide_authors) == ("UTC", False)
    assert config.database == "sqlite:///var/replycast.db"
    assert (config.mail, config.monitors, config.replies.token_lifetime) == (None, (), timedelta(hours=72))
    assert not config.secret_key
    assert config.webhooks == {"victorops": Secret("")}


def test_a_monitor_takes_the_vendor_s_defaults() -> None:
    monitor = read(SAMPLE).monitors[0]
    assert (monitor.provider, monitor.wait_time) == ("victorops", timedelta(0))
    assert (monitor.combine_alerts, monitor.auto_publish, monitor.auto_close) == (True, False, True)
    assert (monitor.recovery_grace, monitor.warning_fires) == (timedelta(0), True)


def test_a_monitor_has_no_ladder_unless_it_is_given_one() -> None:
    monitor = read(SAMPLE).monitors[0]
    assert (monitor.escalate, monitor.remind_every, monitor.approvals) == ((), None, 1)
    assert monitor.if_recovered_unpublished is IfRecovered.DISCARD


def test_an_employee_publishes_unless_said_otherwise() -> None:
    assert read(changed(", role: admin", "")).employees["jordan"].role is Role.PUBLISHER


@pytest.mark.parametrize(
    ("written", "host"),
    [
        ("mail_relay", "mail_relay"),
        ("mail.müller.example.", "mail.müller.example."),
        ("'::1'", "::1"),
        ("'[::1]'", "::1"),
    ],
)
def test_a_server_is_named_as_networks_name_it(written: str, host: str) -> None:
    assert mail_of(changed("smtp: {host: mx.acme.example", f"smtp: {{host: {written}")).smtp.host == host


def test_alert_names_may_be_a_list() -> None:
    text = changed("alert_name: Email Server", 'alert_name: [Email, "mail-*"]')
    assert read(text).monitors[0].alert_names == ("Email", "mail-*")


def test_components_may_be_a_mapping_or_a_list() -> None:
    listed = changed("affected_components: {Email: major_outage}", "affected_components: [Email]")
    assert read(SAMPLE).monitors[0].affected_components == {"Email": ComponentState.MAJOR_OUTAGE}
    assert read(listed).monitors[0].affected_components == {"Email": ComponentState.PARTIAL_OUTAGE}


def test_a_type_may_be_a_word_of_ones_own() -> None:
    assert read(changed("type: informational", "type: Planned work")).monitors[0].type == "Planned work"


@pytest.mark.parametrize(
    ("url", "left_out"),
    [("https://status.acme.example/status", "/status"), ("http://127.0.0.1:8080/a/b//", "/a/b")],
)
def test_the_site_is_at_the_root_of_a_host_name(url: str, left_out: str) -> None:
    text, line, column = marked(changed('"https://status.acme.example"', f"¦{url}"))
    (fault,) = faults_of(text)
    assert (fault.line, fault.column) == (line, column)
    assert fault.text == (
        f"`url` must lead to the root of a host name, where readers reach the page: leave `{left_out}` out"
    )


def test_the_site_url_loses_the_slash_at_its_end() -> None:
    assert read(changed("acme.example", "acme.example//")).site.url == "https://status.acme.example"


@pytest.mark.parametrize(
    ("written", "name", "address"),
    [
        ("Acme Status <status@acme.example>", "Acme Status", "status@acme.example"),
        ("'\"Acme, Inc.\" <status@acme.example>'", "Acme, Inc.", "status@acme.example"),
        ("status@ACME.example", "Acme", "status@acme.example"),
        ("<status@acme.test>", "Acme", "status@acme.test"),
    ],
)
def test_the_sender_is_a_name_with_an_address_or_takes_the_name_of_the_site(
    written: str, name: str, address: str
) -> None:
    mail = mail_of(changed("Acme Status <status@acme.example>", written))
    assert (mail.sender_name, mail.sender_address) == (name, address)


@pytest.mark.parametrize(("security", "port"), [("none", 25), ("starttls", 587), ("tls", 465)])
def test_the_relay_s_port_follows_its_security(security: str, port: int) -> None:
    mail = mail_of(changed("port: 25, security: none", f"security: {security}"))
    assert (mail.smtp.security, mail.smtp.port) == (Security(security), port)


def test_the_mailbox_is_the_inbox_over_tls_unless_said_otherwise() -> None:
    imap = mail_of(SAMPLE + MAIL).imap
    assert imap is not None
    assert (imap.port, imap.security, imap.folder, imap.processed_folder) == (
        993,
        Security.TLS,
        "INBOX",
        "Processed",
    )


def test_mail_can_leave_without_a_mailbox_for_replies() -> None:
    assert mail_of(SAMPLE + MAIL[: MAIL.index("  imap")]).imap is None


def test_the_values_of_yaml_1_1_stay_texts() -> None:
    text = changed("name: Jordan Ray", "name: No").replace("group: Office", "group: 2026-11-24")
    config = read(text)
    assert (config.employees["jordan"].name, config.components[0].group) == ("No", "2026-11-24")


def test_an_alias_repeats_what_it_names() -> None:
    text = changed("subject: Email is down", "subject: &text Email is down").replace(
        "We are looking into it.", "*text"
    )
    assert read(text).monitors[0].message == "Email is down"


def test_a_byte_order_mark_and_windows_line_ends_change_nothing() -> None:
    assert read("\ufeff" + SAMPLE.replace("\n", "\r\n")) == read(SAMPLE)


def test_a_byte_order_mark_does_not_shift_the_column() -> None:
    assert [(one.line, one.column) for one in faults_of("\ufeffsit: x\n" + SAMPLE)] == [(1, 1)]


@pytest.mark.parametrize(
    ("content", "fragment"),
    [
        (None, "no such file: `replycast init` writes one"),
        (b"name: \xff\n", "not UTF-8 text (line 1)"),
        (b"#" * (1024 * 1024 + 1), "over 1 MiB"),
        (b"", "is empty"),
        (b"# only a comment\n", "is empty"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_fault_at_its_top(
    tmp_path: Path, content: bytes | None, fragment: str
) -> None:
    path = tmp_path / "config.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigFaulty) as caught:
        load(path, {})
    (fault,) = caught.value.faults
    assert (fault.file, fault.line, fault.column) == (str(path), 1, 1)
    assert fragment in fault.text


def test_a_directory_is_one_fault_at_its_top(tmp_path: Path) -> None:
    with pytest.raises(ConfigFaulty, match=r":1:1: this is a directory"):
        load(tmp_path, {})


def test_a_path_that_no_system_takes_is_a_fault() -> None:
    with pytest.raises(ConfigFaulty, match="cannot be read"):
        load(Path("a\0b"), {})
