"""The sections `webhooks` and `mail_alerts`: who may post or write, and how what they say is read."""

from pathlib import Path

import pytest

from service.config.settings import MailPattern, Proof, Reading, Secret
from tests.config.sample import SAMPLE, WHERE, faults_of, marked, read

POSTS = "webhooks:\n"
"""Where the sample's own section begins."""


def with_section(section: str) -> str:
    """Put a provider's section into the sample."""
    return SAMPLE.replace(POSTS, f"{POSTS}  {section}\n", 1)


def test_only_who_is_named_may_post_and_a_monitor_names_its_provider_too() -> None:
    monitored = SAMPLE.replace("  - alert_name", "  - provider: pingdom\n    alert_name", 1)
    config = read(monitored.replace(POSTS, f"{POSTS}  grafana: {{secret: abc}}\n", 1))
    assert {name: secret.reveal() for name, secret in config.webhooks.items()} == {
        "victorops": "wOrDs-of-seCRet",
        "grafana": "abc",
        "pingdom": "",
    }


def test_how_posts_are_read_is_told_by_provider() -> None:
    config = read(with_section("alertmanager: {monitor_name: labels.service}"))
    assert config.readings["alertmanager"] == Reading(monitor_name="labels.service")


def test_the_generic_provider_is_read_as_it_is_told() -> None:
    section = (
        "generic: {each: post.checks, monitor_name: name, state: status, entity_id: id, message: text,"
        " firing: [down, critical], recovered: up}"
    )
    assert read(with_section(section)).readings["generic"] == Reading(
        monitor_name="name",
        each="post.checks",
        state="status",
        entity_id="id",
        message="text",
        firing=("down", "critical"),
        recovered=("up",),
    )


def test_a_signing_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "pd.secret").write_text("whsec\n")
    text = with_section("pagerduty: {signing_secret_file: pd.secret}")
    config = read(text, path=tmp_path / WHERE.name)
    assert config.proofs["pagerduty"] == Proof(signing_secret=Secret("whsec"))


def test_a_provider_that_signs_or_whose_topics_are_named_needs_no_secret() -> None:
    topic = "arn:aws:sns:eu-west-1:123456789012:alarms"
    section = f"pagerduty: {{signing_secret: abc}}\n  sns: {{topics: ['{topic}']}}\n  pingdom: {{}}"
    (warning,) = read(with_section(section)).warnings
    assert "the webhook of `pingdom`" in warning.text


TABLE = [
    ("¦nagios: {secret: x}", "unknown provider `nagios`"),
    ("victorops2: {}", "unknown provider `victorops2`, did you mean `victorops`?"),
    ("pingdom: {¦signing_secret: x}", "`signing_secret` means nothing for `pingdom`: leave it out"),
    ("grafana: {¦topics: []}", "`topics` means nothing for `grafana`"),
    ("grafana: {¦each: x}", "`each` means nothing for `grafana`"),
    ("grafana: {¦monitor: x}", "unknown key `monitor`"),
    ("grafana: {monitor_name: ¦'labels.'}", "`labels.` is no expression: expected name or number"),
    ("grafana: {monitor_name: ¦'{{ labels.x }}'}", "is no expression"),
    ("grafana: {monitor_name: ¦'x | nothing'}", "is no expression: no filter named 'nothing'"),
    ("grafana: {monitor_name: ¦7}", "`7` is read as a number, not as a text"),
    ("¦generic: {monitor_name: x}", "`state` is missing in `generic`: add it"),
    ("generic: {monitor_name: x, state: y, firing: [down], recovered: [up, ¦Down]}", "stands in `firing` already"),
    ("generic: {monitor_name: x, state: y, ¦topics: []}", "`topics` means nothing for `generic`"),
    ("sns: {topics: [¦alarms]}", "`alarms` is no ARN of a topic, such as arn:aws:sns:"),
]  # fmt: skip


@pytest.mark.parametrize(("section", "fragment"), TABLE, ids=[row[0][:50] for row in TABLE])
def test_a_fault_points_at_its_place_and_says_what_to_mend(section: str, fragment: str) -> None:
    text, line, column = marked(with_section(section if "¦" in section else f"¦{section}"))
    (fault,) = faults_of(text)
    assert fragment in fault.text
    assert (fault.line, fault.column) == (line, column)


def test_an_expression_that_computes_too_much_costs_nothing_to_check() -> None:
    config = read(with_section("grafana: {monitor_name: \"'x' * 10 ** 12\"}"))
    assert config.readings["grafana"].monitor_name == "'x' * 10 ** 12"


def test_a_monitor_of_the_generic_provider_needs_its_section() -> None:
    text, line, column = marked(SAMPLE.replace("  - alert_name", "  - provider: ¦generic\n    alert_name", 1))
    (fault,) = faults_of(text)
    assert (fault.line, fault.column) == (line, column)
    assert "`generic` needs `webhooks: generic:`" in fault.text


def test_no_signing_secret_is_shown() -> None:
    config = read(with_section("grafana: {signing_secret: hunter2}"))
    assert "hunter2" not in f"{config!r} {config.proofs}"
    (fault,) = faults_of(with_section("grafana: {signing_secret: [hunter2]}"))
    assert "hunter2" not in str(fault)


MAILED = """\
mail_alerts:
  - sender: "*@nagios.acme.example"
    subject: '(?P<state>PROBLEM|RECOVERY): (?P<monitor>.+) is'
    recovered: recovery
"""


def test_which_mails_are_alerts_is_told_by_sender_and_subject() -> None:
    (pattern,) = read(MAILED + SAMPLE).mail_alerts
    assert pattern == MailPattern(
        senders=("*@nagios.acme.example",),
        subject="(?P<state>PROBLEM|RECOVERY): (?P<monitor>.+) is",
        recovered=("recovery",),
    )
    assert pattern.authentic


@pytest.mark.parametrize(
    ("subject", "fragment"),
    [
        ("'(?P<state>x'", "is no regular expression: missing )"),
        ("'(?P<state>x)'", "does not say what is the monitor: put (?P<monitor>…) around it"),
        ("'(?P<monitor>x)'", "does not say what is the state"),
        ("'(?P<monitor>x)(?P<state>y)(?P<host>z)'", "has a group `host`: only monitor, state and entity"),
        ("7", "is read as a number"),
    ],
)
def test_a_subject_without_what_is_needed_is_a_fault(subject: str, fragment: str) -> None:
    section = f"mail_alerts:\n  - sender: '*@a.example'\n    subject: ¦{subject}\n"
    text, line, column = marked(section + SAMPLE)
    (fault,) = faults_of(text)
    assert fragment in fault.text
    assert (fault.line, fault.column) == (line, column)


def test_a_monitor_whose_alerts_come_by_mail_needs_a_mail_that_is_one() -> None:
    monitored = SAMPLE.replace("  - alert_name", "  - provider: ¦email\n    alert_name", 1)
    text, line, column = marked(monitored)
    (fault,) = faults_of(text)
    assert (fault.line, fault.column) == (line, column)
    assert "`email` needs `mail_alerts`" in fault.text
    config = read(MAILED + text)
    assert config.monitors[0].provider == "email"
    assert "email" not in config.webhooks


def test_nothing_is_posted_as_a_mail() -> None:
    (fault,) = faults_of(with_section("email: {}"))
    assert "unknown provider `email`" in fault.text


def test_a_sender_that_need_not_be_proven_is_warned_about() -> None:
    text, line, _ = marked(MAILED + "    authentic: ¦false\n" + SAMPLE)
    (warning,) = read(text).warnings
    assert "whoever makes up such a sender can raise alerts" in warning.text
    assert warning.line == line
