"""What subscribers read by mail about planned work."""

from dataclasses import replace
from datetime import timedelta

import pytest

from service.mail.facts import maintenance_facts, maintenance_update_facts
from service.model import DeliveryKind, MaintenancePhase, UpdateStatus
from tests.mail.compose_samples import ANNOUNCED, AT, facts_of, mail, maintenance_like, text_of

KIND = DeliveryKind.MAINTENANCE_UPDATE
PLANNED = maintenance_like()
BEGAN = AT + timedelta(hours=25)
ON = replace(PLANNED, phase=MaintenancePhase.ON, started_at=BEGAN)
DONE = replace(ON, phase=MaintenancePhase.DONE, ended_at=BEGAN + timedelta(minutes=20))
CALLED_OFF = replace(PLANNED, phase=MaintenancePhase.CANCELLED, ended_at=BEGAN)


@pytest.mark.parametrize("subtype", ["plain", "html"])
@pytest.mark.parametrize(
    ("maintenance", "status", "said", "not_said"),
    [
        (PLANNED, UpdateStatus.SCHEDULED, ["Scheduled", "25 Nov 2026, 14:02 CET", "16:02 CET"], ["Began"]),
        (
            ON,
            UpdateStatus.IN_PROGRESS,
            ["In progress", "Began", "15:02 CET", "Planned until"],
            ["14:02 CET, "],
        ),
        (DONE, UpdateStatus.COMPLETED, ["Completed", "Was affected", "Ended", "15:22 CET"], ["Planned"]),
        (CALLED_OFF, UpdateStatus.COMPLETED, ["Cancelled", "Planned from"], ["Completed", "Ended", "Began"]),
    ],
)
def test_a_mail_says_when_it_is_and_how_it_stands(
    maintenance: object, status: UpdateStatus, said: list[str], not_said: list[str], subtype: str
) -> None:
    assert isinstance(maintenance, type(PLANNED))
    update = replace(ANNOUNCED, status=status)
    facts = {
        "maintenance": maintenance_facts(maintenance),
        "update": maintenance_update_facts(update, maintenance),
    }
    text = text_of(mail(KIND, facts_of(KIND) | facts), subtype)
    assert [words for words in [*said, "Email", "Calendar"] if words not in text] == []
    assert [words for words in not_said if words in text] == []


def test_its_subject_says_that_it_is_maintenance() -> None:
    assert mail(KIND)["Subject"] == "[Acme Status] Maintenance: Email is unavailable"


def test_no_employee_is_named() -> None:
    parsed = mail(KIND)
    whole = parsed.as_string() + text_of(parsed) + text_of(parsed, "html")
    assert "ana" not in whole.lower().replace("an alert", "")


def test_only_further_mails_say_that_they_follow() -> None:
    follows = "This follows our earlier mails"
    assert follows not in text_of(mail(KIND))
    assert follows in text_of(mail(KIND, facts_of(KIND) | {"is_first": False}))
