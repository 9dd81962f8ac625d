"""A monitor's template is rendered as far as it can be; what it cannot do never loses an incident."""

import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.actions.texts import LONGEST, Rendered, closing_variables, opening_variables, render
from service.config import parse
from service.model import Alert, AlertState, Incident, Phase
from tests.rooms import CONFIG

CONFIGURED = parse(CONFIG, Path("config.yaml"), {})
STARTED_AT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ALERT = Alert(
    "victorops",
    "Email Server",
    AlertState.FIRING,
    entity_id="mx1",
    raw_state="CRITICAL",
    message="queue > 1000 & rising",
    fields={"host": "mx1", "n": 7},
)


def rendered(template: str) -> Rendered:
    monitor = CONFIGURED.monitors[0]
    variables = opening_variables(monitor, ALERT, CONFIGURED.site, incident_id=12, started_at=STARTED_AT)
    return render(template, variables, otherwise="Something is wrong")


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ alert.monitor_name }} is {{ alert.state }}", "Email Server is CRITICAL"),
        ("{{ alert.fields.host }}: {{ alert.fields.n + 1 }}", "mx1: 8"),
        ("{{ alert.message }}", "queue > 1000 & rising"),
        ("{{ incident.tag }} since {{ incident.started_at.strftime('%H:%M') }}", "INC-12 since 13:00"),
        ("{{ monitor.affected_components|join(', ') }} of {{ site.name }}", "Email of Acme Status"),
        ("{% for n in range(3) %}{{ n }}{% endfor %}", "012"),
        ("{{ '=' * 5 }} {{ 2 ** 10 }} {{ 3 * 4 }}", "===== 1024 12"),
        ("{{ alert.fields.team or 'nobody' if alert.fields.team is defined else 'nobody' }}", "nobody"),
        ("  plain text \n", "plain text"),
    ],
)
def test_a_template_is_rendered(template: str, text: str) -> None:
    assert rendered(template) == Rendered(text)


def test_what_a_payload_holds_is_never_taken_for_a_template() -> None:
    cunning = replace(ALERT, message="{{ 7 * 7 }}{% raw %}")
    monitor = CONFIGURED.monitors[0]
    variables = opening_variables(monitor, cunning, CONFIGURED.site, incident_id=1, started_at=STARTED_AT)
    assert render("{{ alert.message }}", variables, otherwise="") == Rendered("{{ 7 * 7 }}{% raw %}")


@pytest.mark.parametrize("template", ["", "   ", "{{ alert.sent_at or '' }}", "{# nothing #}"])
def test_where_nothing_comes_out_the_other_text_stands_in(template: str) -> None:
    assert rendered(template) == Rendered("Something is wrong")


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("Mail of {{ alert.fields.team }} is down", "Mail of  is down"),
        ("{{ alert.fields.team.lead.name }} knows", "knows"),
        ("{{ alert.fields.team }}", "Something is wrong"),
    ],
)
def test_a_name_that_is_not_there_becomes_empty_and_is_reported(template: str, text: str) -> None:
    result = rendered(template)
    assert result.text == text
    assert result.fault.startswith("the template names what this alert does not have: ")
    assert "team" in result.fault


@pytest.mark.parametrize(
    "template",
    [
        "{{ 1 / 0 }}",
        "{{ alert.fields.n + 'x' }}",
        "{{ alert.monitor_name[99:].missing() }}",
        "{{ none.strip() }}",
        "{% include 'secrets' %}",
        "{{ alert.__class__.__mro__ }}",
        "{{ alert.fields.__init__.__globals__ }}",
        "{% for x in %}",
        "{{ alert.fields.n|nonsense }}",
        "{{ alert.fields.nothing.x + 1 / 0 }}",
        "{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}",
        "{{ " + "(" * 3_000 + ")" * 3_000 + " }}",
        "{{ 1" + "0" * 5_000 + " }}",
        "{% if 1 %}" * 150 + "{% endif %}" * 150,
    ],
)
def test_what_cannot_be_rendered_is_reported_and_the_other_text_stands_in(template: str) -> None:
    result = rendered(template)
    assert result.text == "Something is wrong"
    assert result.fault


@pytest.mark.parametrize(
    "template",
    [
        "{{ 'x' * 10**8 }}",
        "{{ 10**8 * 'x' }}",
        "{{ [0] * 10**8 }}",
        "{{ 10 ** (10 ** 10) }}",
        "{% for n in range(10**9) %}x{% endfor %}",
        "{% set n = namespace(of=10**1000) %}{% for _ in range(99) %}{% set n.of = n.of * n.of %}{% endfor %}",
    ],
)
def test_what_would_eat_the_machine_is_refused(template: str) -> None:
    result = rendered(template)
    assert result.text == "Something is wrong"
    assert "too large" in result.fault or "Range too big" in result.fault


@pytest.mark.parametrize(
    "costly", ["'x' * 10**7", "'x'|center(10**7)", "'%10000000d' % 1", "'x'.ljust(10**7)"]
)
@pytest.mark.parametrize(
    "place", ["{{% if false %}}{{{{ {} }}}}{{% endif %}}fine", "{{% set x = 1 or {} %}}fine"]
)
def test_nothing_is_computed_before_it_is_rendered(costly: str, place: str) -> None:
    template = place.format(costly)
    tracemalloc.start()
    try:
        assert rendered(template) == Rendered("fine")
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_a_text_without_end_is_cut() -> None:
    result = rendered("{% for n in range(99999) %}ab{% endfor %}")
    assert len(result.text) == LONGEST


SNIPPETS = st.sampled_from(
    [
        "{{",
        "}}",
        "{%",
        "%}",
        "{#",
        "alert",
        ".",
        "fields",
        "x",
        "if ",
        "for n in ",
        "range(9)",
        "endif",
        "'",
        "7",
        "* ",
    ]
)


@given(template=st.lists(SNIPPETS | st.text(max_size=5), max_size=12).map("".join))
@example("{% set alert = 1 %}{{ alert.fields }}")
def test_any_template_gives_a_text(template: str) -> None:
    assert render(template, {"alert": {"fields": {"x": 1}}}, otherwise="other").text


def test_a_closing_comment_may_name_the_end() -> None:
    monitor = CONFIGURED.monitors[0]
    incident = Incident(
        id=12,
        monitor_key=monitor.key,
        phase=Phase.PUBLISHED,
        due_at=None,
        version=1,
        subject="Email is unavailable",
        message="",
        type="",
        components={},
        started_at=STARTED_AT,
    )
    now = STARTED_AT + timedelta(minutes=90)
    variables = closing_variables(monitor, incident, None, CONFIGURED.site, now=now)
    template = "{{ incident.subject }}: {{ incident.duration }}, {{ incident.ended_at.strftime('%H:%M') }}"
    assert render(template, variables, otherwise="") == Rendered("Email is unavailable: 1 h 30 min, 14:30")
    assert render("{{ alert.monitor_name }}", variables, otherwise="") == Rendered("Email Server")
