"""What config.yaml may say of `limits`, and where a fault in them must point (¦)."""

import pytest

from service.config.settings import Limits
from tests.config.sample import MAIL, SAMPLE, changed, faults_of, marked, read

IN_SMTP = "security: none}"
NO_CONNECTIONS = "is not a number of connections: write one from 1 to 50"
NO_MAILS = "is not a number of mails: write one from 1 to 1000000"
NO_RATE = "is not a number of mails per second: write one from 0.1 to 100000"


def with_limits(limits: str) -> str:
    """Give the faultless file with limits, on a line of their own."""
    return changed(IN_SMTP, f"security: none,\n    limits: {limits}}}")


@pytest.mark.parametrize(
    ("limits", "fragment"),
    [
        *[(f"{{connections: ¦{value}}}", NO_CONNECTIONS)
          for value in ("0", "-1", "51", "4.0", "true", "four", "[4]", '"٤"', "999999999999999999999")],
        *[(f"{{mails_per_connection: ¦{value}}}", NO_MAILS)
          for value in ("0", "-1", "1000001", "1.5", "false", "many", '"1e3"', "{a: 1}")],
        *[(f"{{rate: ¦{value}}}", NO_RATE)
          for value in ("0", "0.09", "-5", "100001", ".nan", ".inf", "-.inf", "true", "50/s", "[50]", "1" + 400 * "0")],
        ("{¦conections: 4}", "unknown key `conections` in `limits`, did you mean `connections`?"),
        ("{¦rates: 4}", "did you mean `rate`?"),
        ("¦4", "`limits` must consist of `name: value` lines"),
        ("¦[connections]", "`limits` must consist of `name: value` lines"),
    ],
)  # fmt: skip
def test_a_fault_in_the_limits_points_at_its_place(limits: str, fragment: str) -> None:
    text, line, column = marked(with_limits(limits))
    (fault,) = faults_of(text)
    assert fragment in fault.text
    assert (fault.line, fault.column) == (line, column)


def test_all_faults_in_the_limits_are_told_at_once() -> None:
    faults = faults_of(with_limits("{connections: 0, mails_per_connection: 0, rate: 0}"))
    assert ["connections" in faults[0].text, "mails" in faults[1].text, "second" in faults[2].text] == [
        True
    ] * 3


@pytest.mark.parametrize(
    ("limits", "meant"),
    [
        ("{connections: 50, mails_per_connection: 1, rate: 0.1}", Limits(50, 1, 0.1)),
        ("{connections: 1, mails_per_connection: 1000000, rate: 100000}", Limits(1, 1_000_000, 100_000.0)),
        ("{rate: 12}", Limits(rate=12.0)),
        ('{connections: "8", rate: "2.5"}', Limits(8, rate=2.5)),
        ('{connections: "${SESSIONS}", rate: "${RATE:-50}"}', Limits(16, rate=50.0)),
    ],
)
def test_limits_are_read(limits: str, meant: Limits) -> None:
    mail = read(with_limits(limits), {"SESSIONS": "16"}).mail
    assert mail is not None
    assert mail.smtp.limits == meant


def test_left_out_there_are_four_sessions_and_no_rate() -> None:
    mail = read(SAMPLE + MAIL).mail
    assert mail is not None
    assert mail.smtp.limits == Limits(connections=4, mails_per_connection=1_000, rate=None)
