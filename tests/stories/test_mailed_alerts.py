"""Alerts that come as mails: whose are believed, what they open and close, and which mails are none."""

from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

from service.actions.maintaining import plan
from service.jobs import decide_what_is_due
from service.model import Incident
from service.store import inbox_rows, open_incidents
from service.store.inbox_rows import Arrival, Door, InboxRow, InboxState
from service.workflow.maintenance_words import Plan
from tests.rooms import CONFIG, Clock, make_front, make_house
from tests.web.employees import employee_at

pytestmark = pytest.mark.anyio

OURS = "mx.acme.example"
PASS = f"{OURS}; dmarc=pass header.from=nagios.acme.example"
FAIL = f"{OURS}; dmarc=fail header.from=nagios.acme.example"
NAGIOS = "Nagios <root@nagios.acme.example>"
MAIL = f"""\
mail:
  from: Acme Status <status@acme.example>
  smtp: {{host: mx.acme.example, port: 25, security: none}}
  imap: {{host: mx.acme.example, username: status, password: hush}}
  authenticity: {{authserv_id: {OURS}, policy: token_only}}
"""
SECTION = """\
mail_alerts:
  - sender: "*@nagios.acme.example"
    subject: '(?P<state>PROBLEM|RECOVERY|NONSENSE): (?P<monitor>.+) is'
    firing: problem
    authentic: {authentic}
"""
MONITOR = """\
  - provider: email
    alert_name: Email Server
    authored_by: jordan
    type: informational
    affected_components: {Email: major_outage}
    subject: "Email is unavailable"
    message: "{{ alert.message }}"
    notify_employees: [jordan, sam]
    auto_publish: true
    closing_comment: It works again.
"""
TEXT = "4,102 mails are queued.\n"
DOWN = "** PROBLEM: Email Server is DOWN **"
UP = "** RECOVERY: Email Server is UP **"


class Mailbox:
    """A house to which mails come."""

    def __init__(self, folder: Path, clock: Clock, *, authentic: bool = True) -> None:
        section = SECTION.format(authentic=str(authentic).lower())
        self.house = make_house(folder, MAIL + section + CONFIG + MONITOR)
        self.clock = clock

    def receive(
        self, subject: str, *, proof: str = PASS, sender: str = NAGIOS, text: str = TEXT, **fields: str
    ) -> InboxRow:
        """Let a mail come and be worked off."""
        mail = EmailMessage()
        if proof:
            mail["Authentication-Results"] = proof
        mail["From"], mail["To"], mail["Subject"] = sender, self.house.own_address, subject
        mail.set_content(text)
        for name, value in fields.items():
            del mail[name.replace("_", "-")]
            mail[name.replace("_", "-")] = value
        house = self.house
        with house.store.transaction() as connection:
            [number] = inbox_rows.add_many(connection, [Arrival(Door.MAIL, self.clock(), mail.as_bytes())])
        decide_what_is_due(house, self.clock())
        with house.store.reading() as connection:
            row = inbox_rows.get(connection, number)
        assert row is not None
        return row

    @property
    def open(self) -> tuple[Incident, ...]:
        """What is open of the monitor."""
        with self.house.store.reading() as connection:
            return open_incidents.open_of_monitor(connection, "email:Email Server")


@pytest.fixture
def mailbox(tmp_path: Path, clock: Clock) -> Iterator[Mailbox]:
    """Give a mailbox to which Nagios writes."""
    made = Mailbox(tmp_path, clock)
    yield made
    made.house.store.close()


def test_a_mail_opens_and_another_closes_although_both_are_automatic(mailbox: Mailbox) -> None:
    row = mailbox.receive(DOWN, Auto_Submitted="auto-generated", Precedence="bulk")
    (incident,) = mailbox.open
    assert (row.provider, row.state, incident.message) == (
        "email",
        InboxState.DONE,
        "4,102 mails are queued.",
    )
    mailbox.receive(DOWN)
    assert len(mailbox.open) == 1
    mailbox.receive(UP)
    assert not mailbox.open


@pytest.mark.parametrize("proof", [FAIL, "", "mx.evil.example; dmarc=pass header.from=nagios.acme.example"])
def test_a_sender_that_is_not_proven_opens_nothing_even_where_replies_need_a_token_alone(
    mailbox: Mailbox, proof: str
) -> None:
    row = mailbox.receive(DOWN, proof=proof)
    assert not mailbox.open
    assert (row.state, row.reason) == (InboxState.REFUSED, "not_authentic")
    assert row.explanation


@pytest.mark.parametrize(("proof", "opened"), [("", 1), (FAIL, 0)])
def test_where_config_yaml_says_so_a_sender_is_believed_that_is_not_disproven(
    tmp_path: Path, clock: Clock, proof: str, opened: int
) -> None:
    mailbox = Mailbox(tmp_path, clock, authentic=False)
    mailbox.receive(DOWN, proof=proof)
    assert len(mailbox.open) == opened
    mailbox.house.store.close()


def test_a_state_that_means_nothing_is_kept_with_what_to_mend(mailbox: Mailbox) -> None:
    row = mailbox.receive("NONSENSE: Email Server is DOWN")
    assert (row.state, row.reason) == (InboxState.REFUSED, "unreadable")
    assert "the state in the subject is `NONSENSE`" in row.explanation


@pytest.mark.parametrize(
    ("subject", "sender", "fields", "reason"),
    [
        ("Lunch?", NAGIOS, {}, "unknown_sender"),
        (DOWN, "Eve <eve@evil.example>", {}, "unknown_sender"),
        (DOWN, "Jordan <jordan@acme.example>", {}, "token_unknown"),
        (DOWN, "Acme <status@acme.example>", {}, "automatic"),
        (DOWN, NAGIOS, {"Content_Type": "multipart/report; report-type=delivery-status"}, "bounce_unknown"),
    ],
    ids=["another subject", "a stranger", "an employee", "ourselves", "a bounce"],
)
def test_other_mails_are_none(
    mailbox: Mailbox, subject: str, sender: str, fields: dict[str, str], reason: str
) -> None:
    row = mailbox.receive(subject, sender=sender, **fields)
    assert not mailbox.open
    assert (row.provider, row.reason) == ("", reason)


def test_a_mail_that_ends_a_subscription_is_no_alert_whoever_sent_it(mailbox: Mailbox) -> None:
    row = mailbox.receive("unsubscribe", proof="", text="unsubscribe\n")
    assert row.reason == "unknown_sender"


async def test_its_page_says_what_it_is(mailbox: Mailbox, clock: Clock) -> None:
    row = mailbox.receive(DOWN)
    async with employee_at(make_front(mailbox.house, clock), clock, "jordan") as browser:
        text = (await browser.get(f"/dashboard/inbox/{row.id}")).text
    assert "It is an alert, as <code>mail_alerts</code> in config.yaml has it." in text


def test_what_fires_during_a_maintenance_counts_at_its_end(mailbox: Mailbox, clock: Clock) -> None:
    until = clock() + timedelta(hours=1)
    wanted = Plan("Upgrade", "We upgrade.", components=("Email",), starts_at=clock(), ends_at=until)
    plan(mailbox.house, wanted, mailbox.house.config.employees["jordan"], clock())
    decide_what_is_due(mailbox.house, clock())
    assert mailbox.receive(DOWN).reason == "suppressed_by_maintenance"
    assert not mailbox.open
    clock.move(timedelta(hours=2))
    decide_what_is_due(mailbox.house, clock())
    assert [opened.message for opened in mailbox.open] == ["4,102 mails are queued."]
