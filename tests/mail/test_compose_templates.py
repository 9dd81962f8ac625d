"""Every mail has its templates, and they name only what facts.py promises."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args, get_type_hints, is_typeddict

import pytest
from jinja2 import nodes
from jinja2.meta import find_undeclared_variables

from service.errors import TemplateFaulty
from service.mail.fact_forms import MailSurroundings, RenderingFacts
from service.mail.mail_forms import FACTS
from service.mail.rendering import environment, templates_folder
from service.model import MAIL_KINDS, DeliveryKind
from tests.mail.compose_samples import facts_of, mail, minimal_facts, text_of

FILES = ("subject.txt", "body.txt", "body.html")
ADDED = set(RenderingFacts.__annotations__) | {"tone"}
"""What is there besides the facts; `tone` is set by each mail for its frame."""
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
    assert _names(f"{kind.value}/{file}") <= set(FACTS[kind].__annotations__) | ADDED


@pytest.mark.parametrize("kind", MAIL_KINDS)
def test_the_samples_hold_exactly_the_promised_facts(kind: DeliveryKind) -> None:
    assert set(facts_of(kind)) == set(FACTS[kind].__annotations__)


@pytest.mark.parametrize("kind", MAIL_KINDS)
def test_what_stands_within_the_facts_is_what_is_promised(kind: DeliveryKind) -> None:
    assert [
        fault
        for name, form in get_type_hints(FACTS[kind]).items()
        for fault in _faults(facts_of(kind)[name], form)
    ] == []


def test_a_fact_that_nobody_promised_is_found() -> None:
    site = {"name": "Acme", "url": "", "brand": "", "brand_dark": "", "lets_choose": True, "colour": ""}

    assert list(_faults({"site": site, "links": {}}, MailSurroundings)) == ["SiteFacts: {'colour'}"]


@pytest.mark.parametrize("kind", MAIL_KINDS)
def test_every_mail_can_be_made_of_the_least_facts(kind: DeliveryKind) -> None:
    assert mail(kind, minimal_facts(kind))["Subject"]


@pytest.mark.parametrize("template", TEMPLATES)
def test_html_takes_no_parts_from_text_where_nothing_is_escaped(template: str) -> None:
    suffix = Path(template).suffix
    assert {Path(name).suffix for name in _referenced(template)} <= {suffix}


@pytest.mark.parametrize("kind", MAIL_KINDS)
def test_each_cell_and_headline_says_its_font_from_which_all_else_inherits_it(kind: DeliveryKind) -> None:
    html = text_of(mail(kind, facts_of(kind)), "html")
    outermost = re.findall(r"<(?:td|h[1-3])\b[^>]*>", html)
    assert len(outermost) > 3
    assert [one for one in outermost if "font-family: -apple-system" not in one] == []


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


def _faults(value: object, form: object) -> Iterator[str]:
    """Say where a value differs from the form that is promised for it, or for what is in it."""
    for one in (form, *get_args(form)):
        if isinstance(value, list):
            for item in value:
                yield from _faults(item, one) if is_typeddict(one) else ()
        elif isinstance(value, dict) and isinstance(one, type) and is_typeddict(one):
            hints = get_type_hints(one)
            needed: frozenset[str] = one.__required_keys__  # type: ignore[attr-defined]  # as every TypedDict
            if strange := (set(value) - set(hints)) | (needed - set(value)):
                yield f"{one.__name__}: {strange}"
            for name in set(value) & set(hints):
                yield from _faults(value[name], hints[name])


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
