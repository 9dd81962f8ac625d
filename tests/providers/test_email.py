"""A mail is an alert where its sender and subject fit a pattern of config.yaml."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.config.settings import MailPattern, Reading
from service.errors import PostUnreadable
from service.model import AlertState
from service.providers.email import AlertMail, patterns_of, read, read_mail
from service.providers.post import RawPost

NAGIOS = MailPattern(
    senders=("nagios@*.acme.example",),
    subject=r"\*\* (?P<state>\w+) Host Alert: (?P<monitor>\S+)",
    firing=("Problem",),
)
CRON = MailPattern(
    senders=("*@cron.example", "root@acme.example"),
    subject=r"\[(?P<monitor>[^\]]+)\] is (?P<state>\w+)(?: #(?P<entity>\d+))?",
)
SENDER = "nagios@mon.acme.example"


@pytest.mark.parametrize(
    ("subject", "name", "state"),
    [
        ("** PROBLEM Host Alert: mx1 is DOWN **", "mx1", AlertState.FIRING),
        ("Fwd: ** problem host alert: mx1", "mx1", AlertState.FIRING),
        ("** RECOVERY Host Alert: mx1 is UP **", "mx1", AlertState.RECOVERED),
        ("** ACKNOWLEDGEMENT Host Alert: mx1", "mx1", AlertState.ACKNOWLEDGED),
        ("** PROBLEM Host\r\n Alert: mx1", None, None),
        ("hello", None, None),
    ],
)
def test_a_subject_tells_monitor_and_state(subject: str, name: str | None, state: AlertState | None) -> None:
    alert = read_mail(AlertMail(SENDER, subject, "said"), (NAGIOS,))
    assert (alert and alert.monitor_name, alert and alert.state) == (name, state)
    assert alert is None or alert.message == "said"


def test_the_first_pattern_that_fits_counts_and_an_entity_pairs() -> None:
    alert = read_mail(AlertMail("root@acme.example", "[Webmail] is down #17"), (NAGIOS, CRON))
    assert alert is not None
    assert (alert.provider, alert.monitor_name, alert.entity_id) == ("email", "Webmail", "17")
    assert alert.fields["subject"] == "[Webmail] is down #17"


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        (SENDER, (NAGIOS,)),
        ("Nagios@MON.acme.example", (NAGIOS,)),
        ("root@acme.example", (CRON,)),
        ("nagios@mon.acme.example.evil.example", ()),
        ("nagios@acme.example", ()),
    ],
)
def test_a_sender_fits_a_glob_as_a_whole(sender: str, expected: tuple[MailPattern, ...]) -> None:
    assert patterns_of(sender, (NAGIOS, CRON)) == expected


@pytest.mark.parametrize(
    ("subject", "complaint"),
    [
        ("** DOWN Host Alert: mx1", "the state in the subject is `DOWN`: one of "),
        ("** EXPLODED Host Alert: mx1", "the state in the subject is `EXPLODED`: one of "),
    ],
)
def test_a_state_that_means_nothing_is_a_complaint(subject: str, complaint: str) -> None:
    with pytest.raises(PostUnreadable) as caught:
        read_mail(AlertMail(SENDER, subject), (NAGIOS,))
    assert str(caught.value).startswith(complaint)


def test_nothing_can_be_posted_as_a_mail() -> None:
    with pytest.raises(PostUnreadable, match="come as mails to the mailbox"):
        read(RawPost(b"{}"), Reading())


@given(subject=st.text(max_size=600), text=st.text(max_size=50))
def test_any_subject_is_an_alert_or_none_or_a_complaint(subject: str, text: str) -> None:
    loose = MailPattern(("*",), r"(?P<monitor>.*?)\s(?P<state>.*)")
    try:
        alert = read_mail(AlertMail(SENDER, subject, text), (loose,))
    except PostUnreadable:
        alert = None
    assert alert is None or alert.monitor_name
