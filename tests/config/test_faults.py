"""A table of faults: what is changed in a faultless file, where the fault must point (¦), what it must say."""

import pytest

from tests.config.sample import MAIL, SAMPLE, changed, faults_of, marked, read

TABLE = [
    # shape
    ("site: {", "¦sit: {x: y}\nsite: {", "unknown key `sit` in the file, did you mean `site`?"),
    ("notify_employees: [jordan]", "notify_employees: [jordan]\n    ¦wait-time: 5m", "mean `wait_time`?"),
    ("notify_employees: [jordan]", "notify_employees: [jordan]\n    ¦escalat: []", "mean `escalate`?"),
    ("security: none}", "security: none, ¦auht: google}", "unknown key `auht` in `smtp`, did you mean"),
    ("{id: vic, ", "¦{", "`id` is missing in this entry of `employees`: add it"),
    ("site: {name: Acme, ", "¦site: {", "`name` is missing in `site`: add it"),
    ("name: Acme", "name: ¦42", "`42` is read as a number, not as a text: put it in quotes"),
    ("name: Jordan Ray", "name: ¦true", "`true` is read as true or false, not as a text"),
    ("name: Jordan Ray", "name: ¦[a]", "`name` must be one text"),
    ("name: Jordan Ray", 'name: ¦" "', "`name` is empty: write a text"),
    ("name: Jordan Ray", "name: ¦" + "x" * 201, "`name` is too long: 200 characters are the most"),
    ("name: Jordan Ray", "¦name: ", "`name` has no value: give it one, or remove the line"),
    ("notify_employees: [jordan]", "notify_employees: ¦jordan", "`notify_employees` must be a list"),
    ("alert_name: Email Server", "alert_name: ¦[]", "`alert_name` is an empty list: name at least one"),
    ("smtp: {host", "smtp: ¦nowhere\n  # {host", "`smtp` must consist of `name: value` lines"),
    ("components:\n", "components:\n  - ¦Email\n", "this entry of `components` must consist of"),
    ("id: vic", "id: ¦vic tor", "may hold only letters, digits"),
    ("id: vic", "id: ¦automatic", "take another id"),
    # single values
    ("role: admin", "role: ¦admim", "not one of viewer, publisher, admin, did you mean `admin`?"),
    ("security: none", "security: ¦ssl", "not one of none, starttls, tls"),
    ("major_outage", "¦major_outge", "did you mean `major_outage`?"),
    ("closing_comment", "wait_time: ¦5\n    closing_comment", "write for example 5m or 300s"),
    ("closing_comment", "wait_time: ¦1.5\n    closing_comment", "has no unit"),
    ("closing_comment", "wait_time: ¦5 min\n    closing_comment", "is not a span of time"),
    ("closing_comment", "wait_time: ¦-5m\n    closing_comment", "is negative"),
    ("closing_comment", "wait_time: ¦999d\n    closing_comment", "is too long: 31d is the most"),
    ("closing_comment", "wait_time: ¦[5m]\n    closing_comment", "is not a span of time"),
    ("closing_comment", "wait_time: ¦true\n    closing_comment", "is not a span of time"),
    ("closing_comment", "combine_alerts: ¦yes\n    closing_comment", "is neither true nor false"),
    ("closing_comment", "combine_alerts: ¦1\n    closing_comment", "is neither true nor false"),
    ("closing_comment", "auto_publish: ¦[true]\n    closing_comment", "is neither true nor false"),
    ("webhooks:", "replies: {token_lifetime: ¦0}\nwebhooks:", "1m is the least"),
    ("vic@acme.example", "¦vic@@acme", "`vic@@acme` is not an e-mail address: "),
    ("vic@acme.example", "¦vic", "must have an @-sign"),
    ("Acme Status <status@acme.example>", "¦Acme Status <status>", "is not an e-mail address"),
    ("Acme Status <status@acme.example>", "¦" + "s" * 38 + "@acme.example", "37 characters are the most"),
    ('"https://status.acme.example"', "¦ftp://status", "must be an address such as"),
    ('"https://status.acme.example"', "¦https://a.example:99999", "must be an address such as"),
    ('"https://status.acme.example"', "¦https://a.example/?x", "without a user name, `?` or `#`"),
    ('"https://status.acme.example"', "¦https://", "must be an address such as"),
    ("name: Acme", "name: Acme, timezone: ¦Europe/Berln", "did you mean `Europe/Berlin`?"),
    ("name: Acme", "name: Acme, timezone: ¦../etc/passwd", "is not a time zone"),
    ("port: 25", "port: ¦0", "`0` is not a port: write a number from 1 to 65535"),
    ("port: 25", "port: ¦65536", "is not a port"),
    ("port: 25", "port: ¦true", "is not a port"),
    ("port: 25", "port: ¦25.0", "is not a port"),
    ("port: 25", "port: ¦smtp", "is not a port"),
    ("smtp: {host: mx.acme.example", "smtp: {host: ¦smtp://mail.acme.example", "is not a server's name or IP address"),
    ("smtp: {host: mx.acme.example", "smtp: {host: ¦mail acme", "write it alone, such as mail.example.com"),
    ("smtp: {host: mx.acme.example", "smtp: {host: ¦mail.acme.example:587", "write mail.acme.example alone, and `port"),
    ("smtp: {host: mx.acme.example", "smtp: {host: ¦'[::1]:25'", "write ::1 alone, and `port: 25` beside it"),
    ("webhooks:", "database: ¦mysql://a@b/c\nwebhooks:", "write sqlite:///… or postgresql://…"),
    ("webhooks:", "database: ¦var/replycast.db\nwebhooks:", "write sqlite:///… or postgresql://…"),
    ("webhooks:", "database: ¦postgresql://a@b\nwebhooks:", "names no database"),
    ("webhooks:", "database: ¦postgresql://a@b:c/d\nwebhooks:", "cannot be read: write postgresql://"),
    ("webhooks:", "database: ¦postgresql://a@b/c?sslmode=on\nwebhooks:", "unknown `sslmode`"),
    ("webhooks:", "¦database_password: x\nwebhooks:", "SQLite has no password"),
    ("webhooks:", "database: postgresql://a:x@b/c\n¦database_password: x\nwebhooks:", "not both"),
    ("webhooks:", "database: ¦sqlite://var/replycast.db\nwebhooks:", "needs a third slash"),
    ("webhooks:", "database: ¦sqlite:nonsense\nwebhooks:", "cannot be read"),
    ("webhooks:", 'database: ¦"sqlite:///:memory:"\nwebhooks:', "a database in memory forgets"),
    ("webhooks:", "database: ¦sqlite://\nwebhooks:", "a database in memory forgets"),
    # what must fit together
    ("authored_by: jordan", "authored_by: ¦jordn", "unknown employee `jordn`, did you mean `jordan`?"),
    ("authored_by: jordan", "authored_by: ¦Jordan Ray", "did you mean `jordan`?"),
    ("notify_employees: [jordan]", "notify_employees: [jordan, ¦ana]", "unknown employee `ana`"),
    ("notify_employees: [jordan]", "notify_employees: [jordan, ¦jordan]", "stands here a second time"),
    ("{Email: major", "{¦Emial: major", "unknown component `Emial`, did you mean `Email`?"),
    ("{Email: major_outage}", "[Email, ¦Mail]", "unknown component `Mail`, did you mean `Email`?"),
    ("authored_by", "provider: ¦victorop\n    authored_by", "unknown provider `victorop`, did you mean"),
    ("webhooks:\n", "webhooks:\n  ¦nagios: {secret: x}\n", "unknown provider `nagios` (known: `victorops`, `alertm"),
    ("id: vic", "id: ¦jordan", "the employee id `jordan` stands here a second time (first in line 5)"),
    ("vic@acme.example", "¦Jordan@ACME.example", "the e-mail address `Jordan@ACME.example` stands here"),
    ("group: Office}", "group: Office}\n  - name: ¦Email", "the component `Email` stands here a second time"),
    ("alert_name: Email Server", "alert_name: [a, ¦a]", "the alert name `a` stands here a second time"),
    ("notify_employees: [jordan]", "notify_employees: ¦[vic]", "all of these are viewers"),
    ("notify_employees: [jordan]", "¦notify_employees: []", "nobody could publish it: name somebody"),
    ("password: PaSs-words", "¦password_file: none.txt, password: x", "give `password` or `password_file`"),
    ("password: PaSs-words", "password_file: ¦none.txt", "the file `none.txt` does not exist"),
    ("password: PaSs-words", "password_file: ¦.", "the file `.` is not a file"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "fragment"), TABLE, ids=[row[1].strip()[:40] for row in TABLE])
def test_a_fault_points_at_its_place_and_says_what_to_mend(old: str, new: str, fragment: str) -> None:
    text, line, column = marked(changed(old, new))
    (fault,) = faults_of(text)
    assert fragment in fault.text
    assert (fault.line, fault.column) == (line, column)


@pytest.mark.parametrize(
    ("line", "fragment"),
    [
        ("    subject: Email is down\n", "`subject` is missing in this entry of `monitors`: add it"),
        ("    notify_employees: [jordan]\n", "nobody could publish it: name somebody in `notify_employees`"),
    ],
)
def test_what_a_monitor_lacks_is_said_where_it_begins(line: str, fragment: str) -> None:
    (fault,) = faults_of(changed(line, ""))
    assert fragment in fault.text
    assert (fault.line, fault.column) == (10, 5)


WITHOUT_EMPLOYEES = SAMPLE[: SAMPLE.index("employees:")] + SAMPLE[SAMPLE.index("components:") :]


@pytest.mark.parametrize(
    ("employees", "fragment"),
    [
        ("", "`employees` is missing: add those who are told and decide, each with `id`, `name` and `email`"),
        ("¦employees: []\n", "`employees` is an empty list: add those who are told and decide"),
        ("¦employees:\n", "`employees` has no value: give it one, or remove the line"),
        ("employees: ¦{}\n", "`employees` must be a list"),
        ("employees: [¦jordan]\n", "this entry of `employees` must consist of"),
        ("employees:\n  - ¦{name: Jordan, email: jordan@acme.example}\n", "`id` is missing in this entry"),
    ],
)
def test_where_nobody_is_known_it_is_said_once_and_not_of_everybody_named(
    employees: str, fragment: str
) -> None:
    text, line, column = marked(changed("components:", f"{employees}components:", WITHOUT_EMPLOYEES))
    (fault,) = faults_of(text)
    assert fragment in fault.text
    assert (fault.line, fault.column) == ((line, column) if employees else (1, 1))


def test_no_employees_are_needed_where_no_monitor_names_any() -> None:
    assert read(SAMPLE[: SAMPLE.index("webhooks:")]).employees == {}


def test_the_sample_that_the_table_changes_is_right() -> None:
    assert read(SAMPLE + MAIL).warnings == ()


def test_lines_and_columns_are_counted_from_one() -> None:
    (fault,) = faults_of("sit: 1\n" + SAMPLE)
    assert str(fault).startswith("config.yaml:1:1: unknown key `sit`")


SECOND_MONITOR = """\
  - alert_name: {name}
    authored_by: jordan
    type: performance
    subject: Another
    message: Text.
    notify_employees: [jordan]
"""


@pytest.mark.parametrize("name", ["Email Server", "'*'"])
def test_an_alert_name_belongs_to_one_monitor(name: str) -> None:
    second = SECOND_MONITOR.replace("{name}", name)
    (fault,) = faults_of(changed("Email Server", name, SAMPLE) + second)
    assert (
        f"the alert name `{name.strip(chr(39))}` stands here a second time (first in line 10)" in fault.text
    )


def test_every_fault_is_reported_at_once_in_the_order_of_the_file() -> None:
    text = (
        SAMPLE.replace("name: Acme", "nam: Acme")
        .replace("id: vic", "id: jordan")
        .replace("role: admin", "role: boss")
        .replace("authored_by: jordan", "authored_by: jordn")
        .replace("Email is down", '"{{ alrt }}"')
        .replace("We are looking into it.", "${NOWHERE}")
    )
    faults = faults_of(text + "wait: 5\n" + "site: again\n")
    assert [(one.line, one.column) for one in faults] == [
        (1, 1), (1, 8), (5, 70), (6, 10), (11, 18), (14, 18), (15, 14), (18, 1), (19, 1),
    ]  # fmt: skip


def test_a_value_with_a_fault_of_its_own_has_no_second_one() -> None:
    (fault,) = faults_of(changed("role: admin", 'role: "${ROLE}"'))
    assert "`ROLE` is not set" in fault.text


def test_no_auto_publish_is_needed_to_tell_viewers_only() -> None:
    text = changed(
        "notify_employees: [jordan]", "notify_employees: [vic]\n    auto_publish: true\n    wait_time: 1m"
    )
    assert read(text).monitors[0].notify_employees == ("vic",)
