"""What is warned of in a faultless config.yaml."""

import pytest

from service.config.advice import is_loopback
from service.mail.bounces import bounce_address
from service.providers.matching import match_monitor
from tests.config.sample import SAMPLE, changed, marked, read


@pytest.mark.parametrize(
    ("old", "new", "fragment"),
    [
        ("{secret: wOrDs-of-seCRet}", "{¦secret: ''}", "anybody who finds the webhook of `victorops`"),
        ("webhooks:\n  victorops: {secret: wOrDs-of-seCRet}\n", "", "anybody who finds the webhook"),
        ("    closing_comment: It works again.\n", "", "add a `closing_comment`"),
        ("closing_comment: It", "¦auto_close: true\n    closing_comment: '' # It", "add a `closing_comment`"),
        ("type: info", "¦auto_publish: true\n    type: info", "every short flap is published at once"),
        ("webhooks:", "¦secret_key: short\nwebhooks:", "`secret_key` is short enough to guess"),
        (
            "  - alert_name",
            "  - ¦provider: grafana\n    alert_name",
            "finds the webhook of `grafana` can post to it: add it to `webhooks`, with a secret",
        ),
    ],
)
def test_a_warning_points_at_its_place(old: str, new: str, fragment: str) -> None:
    text, line, column = marked(changed(old, new, SAMPLE))
    (warning,) = read(text).warnings
    assert fragment in warning.text
    if "¦" in new:
        assert (warning.line, warning.column) == (line, column)


SECOND_MONITOR = """\
  - alert_name: {name}
    authored_by: jordan
    type: performance
    subject: Another
    message: Text.
    notify_employees: [jordan]
    closing_comment: Text.
"""


@pytest.mark.parametrize(
    "named",
    [
        "¦alert_name: email server",
        "¦alert_name: Email  Server",
        "¦alert_name: ' EMAIL server '",
        "alert_name: [Mail, ¦EMAIL SERVER]",
    ],
)
def test_names_that_only_their_spelling_tells_apart_are_warned_of(named: str) -> None:
    text, line, column = marked(SAMPLE + SECOND_MONITOR.replace("alert_name: {name}", named))
    config = read(text)
    (warning,) = config.warnings
    assert "differs from `Email Server` of an earlier monitor in case or white space only" in warning.text
    assert (warning.line, warning.column) == (line, column)
    first, second = config.monitors
    assert match_monitor(second.alert_names[-1], "victorops", config.monitors) is second
    assert match_monitor("eMAIL   sERVER", "victorops", config.monitors) is first


@pytest.mark.parametrize(
    "name", ["EmailServer", "Email Servers", "email *", "email server\n    provider: grafana"]
)
def test_other_names_and_those_of_another_provider_are_told_apart(name: str) -> None:
    text = changed("https://status.acme.example", "http://localhost", SAMPLE)
    assert read(text + SECOND_MONITOR.replace("{name}", name)).warnings == ()


def test_patterns_that_only_their_spelling_tells_apart_are_warned_of() -> None:
    text = changed("Email Server", "'api-*'", SAMPLE) + SECOND_MONITOR.replace("{name}", "'API-*'")
    (warning,) = read(text).warnings
    assert "`API-*` differs from `api-*` of an earlier monitor" in warning.text


def test_one_monitor_may_have_a_name_in_several_spellings() -> None:
    assert read(changed("Email Server", "[Email Server, email server]", SAMPLE)).warnings == ()


@pytest.mark.parametrize("role", ["", ", role: publisher", ", role: viewer"])
def test_a_company_without_an_admin_is_warned_of_it(role: str) -> None:
    published = changed("notify_employees: [jordan]", "notify_employees: [jordan, ana]", SAMPLE)
    ana = "  - {id: ana, name: Ana, email: ana@acme.example}\ncomponents:"
    (warning,) = read(changed(", role: admin", role, changed("components:", ana, published))).warnings
    assert warning.text.startswith(
        "nobody is an admin: on the dashboard nobody can manage subscribers and tokens"
    )
    assert (warning.line, warning.column) == (4, 1)


def test_where_there_are_no_employees_no_admin_is_missed() -> None:
    assert read('site: {name: A, url: "http://localhost"}').warnings == ()


def test_no_secret_is_needed_on_this_machine() -> None:
    text = changed("https://status.acme.example", "http://localhost:8080", SAMPLE)
    assert read(changed("secret: wOrDs-of-seCRet", "secret: ''", text)).warnings == ()


AUTHENTICITY = "authenticity: {authserv_id: mx.acme.example}"
IMAP = "  imap: {host: mx.acme.example, username: status, password: PaSs-words}\n"
LAST = "    closing_comment: It works again.\n"
FORGING = "can publish by forging From"


@pytest.mark.parametrize(
    ("old", "new", "fragments"),
    [
        (f"  {AUTHENTICITY}\n", "", [f"{FORGING}; set `authserv_id` in `mail.authenticity`"]),
        (AUTHENTICITY, "¦authenticity: {}", [f"{FORGING}; set `authserv_id`"]),
        (
            AUTHENTICITY,
            "authenticity: {profile: google, ¦policy: token_only}",
            [f"{FORGING}; write `policy:"],
        ),
        (AUTHENTICITY, "authenticity: {¦policy: require}", ["only DKIM signatures protect"]),
        (AUTHENTICITY, "authenticity: {¦policy: require, profile: rspamd}", ["only DKIM signatures protect"]),
        (AUTHENTICITY, "authenticity: {policy: require, profile: google}", []),
        (AUTHENTICITY, f"{AUTHENTICITY}\n  receive: {{host: 127.0.0.9}}", []),
        (AUTHENTICITY, f"{AUTHENTICITY}\n  receive: {{¦host: 0.0.0.0}}", ["made-up Authentication-Results"]),
        (IMAP, "", ["replies cannot be read, so that employees publish on the dashboard alone"]),
        (f"{IMAP}  {AUTHENTICITY}\n", "", ["replies cannot be read"]),
        (IMAP, "  receive: {}\n", []),
        ("from: Acme Status <status@", f"¦from: Acme Status <{'s' * 30}@", ["there are 30 octets"]),
        ("from: Acme Status <status@", f"from: Acme Status <{'s' * 29}@", []),
        ("from: Acme Status <status@", f"verp: false\n  from: Acme Status <{'s' * 30}@", []),
        (
            AUTHENTICITY,
            "authenticity: {}\nreplies: {¦any_reply_publishes: true}",
            [FORGING, "any reply publishes, and nothing protects its sender"],
        ),
        (AUTHENTICITY, f"{AUTHENTICITY}\nreplies: {{any_reply_publishes: true}}", []),
        (
            LAST,
            LAST + "    escalate: [{after: 5m}, {after: 10m, ¦then: publish}]\n",
            ["what nobody decided about is published to everybody"],
        ),
        (LAST, LAST + "    escalate: [{after: 5m, then: leave}]\n", []),
    ],
)
def test_weak_replies_and_rash_ladders_are_warned_of(old: str, new: str, fragments: list[str]) -> None:
    text, line, column = marked(changed(old, new))
    warnings = read(text).warnings
    assert [
        fragment for fragment, one in zip(fragments, warnings, strict=True) if fragment in one.text
    ] == fragments
    if "¦" in new:
        assert (warnings[-1].line, warnings[-1].column) == (line, column)


def test_without_replies_by_mail_nobody_can_forge_one() -> None:
    text = changed(IMAP, "", changed(f"  {AUTHENTICITY}\n", ""))
    assert [one.text for one in read(text).warnings if FORGING in one.text] == []


def test_the_sandbox_needs_no_protection() -> None:
    assert read(SAMPLE + "replies: {any_reply_publishes: true}\n").warnings == ()


@pytest.mark.parametrize(
    ("url", "is_one"),
    [
        ("http://127.0.0.1:8080", True),
        ("http://127.9.9.9", True),
        ("http://[::1]:8080", True),
        ("http://localhost", True),
        ("http://status.localhost", True),
        ("http://0.0.0.0", False),
        ("https://localhost.example", False),
        ("https://status.acme.example", False),
    ],
)
def test_loopback_is_this_machine_alone(url: str, is_one: bool) -> None:  # noqa: FBT001 — a column of the table
    assert is_loopback(url) is is_one


SMTP = "{host: mx.acme.example, port: 25, security: none}"
MAILBOX = "imap: {host: mx.acme.example,"


@pytest.mark.parametrize(
    ("old", "new", "remedy"),
    [
        (SMTP, "{host: mx, ¦port: 465}", "write `security: tls`, or leave `port` out, which is 587 then"),
        (SMTP, "{host: mx, ¦port: 465, security: none}", "write `security: tls`, or leave `port` out"),
        (SMTP, "{host: mx, ¦port: 587, security: tls}", "write `security: starttls`, or leave `port` out"),
        (SMTP, "{host: mx, ¦port: 25, security: tls}", "leave `port` out, which is 465 then"),
        (MAILBOX, f"{MAILBOX} ¦port: 143,", "write `security: starttls`, or leave `port` out"),
        (MAILBOX, f"{MAILBOX} ¦port: 993, security: none,", "leave `port` out, which is 143 then"),
        (MAILBOX, f"{MAILBOX} ¦port: 993, security: starttls,", "write `security: tls`"),
    ],
)
def test_a_mail_port_at_which_servers_begin_otherwise_is_warned_of(old: str, new: str, remedy: str) -> None:
    text, line, column = marked(changed(old, new))
    (warning,) = read(text).warnings
    assert remedy in warning.text
    assert (warning.line, warning.column) == (line, column)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (SMTP, "{host: mx, port: 465, security: tls}"),
        (SMTP, "{host: mx, port: 25}"),
        (SMTP, "{host: mx, port: 587, security: none}"),
        (SMTP, "{host: mx, port: 2525, security: tls}"),
        (MAILBOX, f"{MAILBOX} port: 143, security: none,"),
        (MAILBOX, f"{MAILBOX} port: 1143,"),
    ],
)
def test_a_mail_port_that_may_fit_is_not_warned_of(old: str, new: str) -> None:
    assert read(changed(old, new)).warnings == ()


def test_an_employee_at_the_address_that_mails_come_from_is_warned_of() -> None:
    text, line, column = marked(changed("email: jordan@acme.example", "¦email: Status@acme.example"))
    (warning,) = read(text).warnings
    assert warning.text.startswith("mails to `Jordan Ray` go to the address that they come from")
    assert (warning.line, warning.column) == (line, column)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("service_unavilble", "service_unavailable"),
        ("Service unavailable", "service_unavailable"),
        ("perfomance", "performance"),
        ("INFORMATIONAL", "informational"),
    ],
)
def test_a_type_that_is_nearly_a_known_one_is_warned_of(written: str, meant: str) -> None:
    text, line, column = marked(changed("type: informational", f"¦type: {written}"))
    (warning,) = read(text).warnings
    assert warning.text == f"`{written}` is a word of your own: did you mean `{meant}`?"
    assert (warning.line, warning.column) == (line, column)


@pytest.mark.parametrize("own", ["security", "degraded", "partial_outage", "service_degraded"])
def test_a_type_may_be_a_word_of_one_s_own(own: str) -> None:
    assert read(changed("type: informational", f"type: {own}")).warnings == ()


@pytest.mark.parametrize("octets", range(25, 35))
def test_an_own_address_is_warned_of_just_where_a_bounce_cannot_be_marked(octets: int) -> None:
    own = f"{'s' * octets}@acme.example"
    warnings = read(changed("status@acme.example", own)).warnings
    is_marked = bounce_address(own, "0" * 32, b"key") != own
    assert ("bounces are matched less surely" in str(warnings)) is not is_marked
