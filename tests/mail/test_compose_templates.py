"""Every mail has its templates, and they name only what facts.py promises."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jinja2 import nodes
from jinja2.meta import find_undeclared_variables

from service.errors import TemplateFaulty
from service.mail import facts
from service.mail.rendering import environment, templates_folder
from service.model import MAIL_KINDS, DeliveryKind
from tests.mail.compose_samples import ABOUT_AN_INCIDENT, facts_of, mail, minimal_facts

FILES = ("subject.txt", "body.txt", "body.html")
PROMISED: dict[DeliveryKind, type[Any]] = {
    **dict.fromkeys(ABOUT_AN_INCIDENT, facts.EmployeeFacts),
    DeliveryKind.APPROVAL: facts.ApprovalFacts,
    DeliveryKind.REMINDER: facts.ReminderFacts,
    DeliveryKind.ANSWER: facts.AnswerFacts,
    DeliveryKind.CONFIRM_REPLY: facts.ConfirmReplyFacts,
    DeliveryKind.ALARM: facts.AlarmFacts,
    DeliveryKind.SUBSCRIBER_UPDATE: facts.SubscriberUpdateFacts,
    DeliveryKind.SUBSCRIBER_POSTMORTEM: facts.SubscriberUpdateFacts,
    DeliveryKind.MAINTENANCE_UPDATE: facts.MaintenanceUpdateFacts,
    DeliveryKind.SUBSCRIBER_CONFIRM: facts.SubscriberConfirmFacts,
    DeliveryKind.LOGIN_LINK: facts.LoginLinkFacts,
}
ADDED = {"site", "links", "timezone", "text_limit", "list_limit", "tone"}
"""What rendering adds; `tone` is set by each mail for its frame."""
TEMPLATES = sorted(str(path.relative_to(templates_folder())) for path in templates_folder().rglob("*.*"))


def test_every_kind_has_its_folder_and_every_folder_its_kind() -> None:
    folders = {path.name for path in templates_folder().iterdir()}
    assert folders == {kind.value for kind in MAIL_KINDS} | {"shared"}


@pytest.mark.parametrize("kind", MAIL_KINDS)
def test_every_folder_has_its_three_files(kind: DeliveryKind) -> None:
    assert sorted(path.name for path in (templates_folder() / kind.value).iterdir()) == sorted(FILES)


@pytest.mark.parametrize("kind", MAIL_KINDS)
@pytest.mark.parametrize("file", FILES)
def test_a_template_names_only_promised_facts(kind: DeliveryKind, file: str) -> None:
    assert _names(f"{kind.value}/{file}") <= set(PROMISED[kind].__annotations__) | ADDED


@pytest.mark.parametrize("kind", MAIL_KINDS)
def test_the_samples_hold_exactly_the_promised_facts(kind: DeliveryKind) -> None:
    assert set(facts_of(kind)) == set(PROMISED[kind].__annotations__)


@pytest.mark.parametrize("kind", MAIL_KINDS)
def test_every_mail_can_be_made_of_the_least_facts(kind: DeliveryKind) -> None:
    assert mail(kind, minimal_facts(kind))["Subject"]


@pytest.mark.parametrize("template", TEMPLATES)
def test_html_takes_no_parts_from_text_where_nothing_is_escaped(template: str) -> None:
    suffix = Path(template).suffix
    assert {Path(name).suffix for name in _referenced(template)} <= {suffix}


def test_missing_facts_are_reported_with_the_file() -> None:
    with pytest.raises(TemplateFaulty, match=r"mail_templates/login_link/body\.html.*minutes"):
        mail(DeliveryKind.LOGIN_LINK, {"employee_name": "Jordan Ray"})


def test_facts_of_the_wrong_kind_are_reported_with_the_file() -> None:
    with pytest.raises(TemplateFaulty, match=r"mail_templates/approval/body\.html"):
        mail(DeliveryKind.APPROVAL, facts_of(DeliveryKind.APPROVAL, recipients="many"))


def test_an_incident_without_its_number_is_reported() -> None:
    incident = {"public_path": "/incidents/12", "dashboard_path": "/dashboard/incidents/12"}
    with pytest.raises(TemplateFaulty):
        mail(DeliveryKind.DISCARDED, facts_of(DeliveryKind.DISCARDED) | {"incident": incident})


def test_a_subscriber_mail_without_a_subscriber_is_reported() -> None:
    known = facts_of(DeliveryKind.SUBSCRIBER_UPDATE)
    del known["subscriber_public_id"]
    with pytest.raises(TemplateFaulty, match="lack subscriber_public_id"):
        mail(DeliveryKind.SUBSCRIBER_UPDATE, known)


def _names(template: str) -> set[str]:
    """Find every variable that a template and the frames it extends ask for."""
    tree = _tree(template)
    frames = [str(node.template.as_const()) for node in tree.find_all(nodes.Extends)]
    imported = {str(name) for node in tree.find_all(nodes.FromImport) for name in node.names}
    return (find_undeclared_variables(tree) - imported).union(*map(_names, frames))


def _referenced(template: str) -> Iterator[str]:
    for node in _tree(template).find_all((nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport)):
        yield str(node.template.as_const())  # type: ignore[attr-defined] # all four have one


def _tree(template: str) -> nodes.Template:
    return environment().parse((templates_folder() / template).read_text(encoding="utf-8"))
