"""Jinja templates in config.yaml: faults at the line where they stand."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import pytest

from service.actions.texts import closing_variables, opening_variables
from service.config.template_check import ONLY_CLOSING, VARIABLES
from service.model import Alert, AlertState, Incident, Phase
from tests.config.sample import SAMPLE, changed, faults_of, marked, read

MESSAGE = "message: We are looking into it."


def attributes(variables: Mapping[str, Iterable[str]]) -> set[tuple[str, str]]:
    return {(name, part) for name, parts in variables.items() for part in parts}


@pytest.mark.parametrize(
    ("written", "fragment"),
    [
        ('message: "{{ ¦alrt.x }}"', "the template uses `alrt`, which does not exist, did you mean `alert`?"),
        ("message: ¦'{{ alert. }}'", "this template is faulty: expected name or number"),
        ("message: ¦a {{ b", "this template is faulty: "),
        ("message: ¦'{{ alert.x|nope }}'", "this template is faulty: no filter named 'nope'"),
        ("message: |\n      alrt\n      {{ alert.state }} {{ ¦alrt }}\n      end", "uses `alrt`"),
        ("message: |\n      first\n\n      ¦{% if %}\n      end", "this template is faulty"),
        ("message: >-\n      folded\n      lines {{ ¦foo }}\n      end", "uses `foo`"),
        ("message: a plain text\n      over two lines {{ ¦foo }}", "uses `foo`"),
        ('message: "quoted\n      twice {{ ¦foo }}"', "uses `foo`"),
        ("message: |\n      ¦{% include 'x' %}", "cannot include, import or extend"),
        ("message: ¦'{% autoescape false %}{{ alert }}{% endautoescape %}'", "cannot set autoescape"),
        ("message: ¦'{{ " + "(" * 500 + "1" + ")" * 500 + " }}'", "nested too deeply"),
        ("message: ¦'{{ " + "9" * 5000 + " }}'", "too large a number"),
        ("message: ¦" + "x" * 20_001, "20000 characters are the most"),
        ('message: ¦"{{ alert[\\"state\\"] + foo }}"', "uses `foo`"),
    ],
    ids=lambda value: value[:30],
)
def test_a_faulty_template_is_shown_where_it_stands(written: str, fragment: str) -> None:
    text, line, column = marked(changed(MESSAGE, written))
    (fault,) = faults_of(text)
    assert fragment in fault.text
    assert (fault.line, fault.column) == (line, column)


NEVER_THERE = [
    ("since {{ incident.¦starts_at }}", "uses `incident.starts_at`, which does not exist, did you mean `started_at`?"),
    ("{{ alert.¦monitorname }}", "uses `alert.monitorname`, which does not exist, did you mean `monitor_name`?"),
    ("{{ site.¦nam }}", "uses `site.nam`, which does not exist, did you mean `name`?"),
    ("{{ monitor.¦foo }}", "`monitor.foo`, which does not exist (known: `alert_name`, `type`, `affected_components`)"),
    ("{{ alert.¦host }}", "uses `alert.host`, which does not exist (known: `monitor_name`, `state`, `message`,"),
    ('{{ site [ "¦nam" ] }}', "uses `site.nam`"),
    ("{{ alert.¦fieldss.host }}", "did you mean `fields`?"),
    ("{{ alert.¦stat|upper if true else site.name }}", "did you mean `state`?"),
    ("{% if alert.¦stat is defined %}x{% endif %}", "did you mean `state`?"),
    ("{% for one in alert.¦field.items() %}{{ one.name }}{% endfor %}", "did you mean `fields`?"),
    ("{% set stat = alert.¦stat %}{{ stat }}", "did you mean `state`?"),
    ("first\n      {{ alert.state }} {{ alert.¦stat }} {{ alert.stat }}", "did you mean `state`?"),
    ("{{ incident.¦duration }}", "uses `incident.duration`, which only a `closing_comment` has: leave it out"),
    ("{{ incident.¦subjects }}", "(known: `id`, `tag`, `started_at`)"),
]  # fmt: skip


@pytest.mark.parametrize(("template", "fragment"), NEVER_THERE, ids=[row[0] for row in NEVER_THERE])
def test_what_no_alert_or_incident_ever_has_is_shown_where_it_stands(template: str, fragment: str) -> None:
    text, line, column = marked(changed(MESSAGE, f"message: |\n      {template}"))
    (fault,) = faults_of(text)
    assert fragment in fault.text
    assert (fault.line, fault.column) == (line, column)


@pytest.mark.parametrize("key", ["subject: Email is down", "closing_comment: It works again."])
def test_what_there_never_is_is_looked_for_in_the_other_templates_too(key: str) -> None:
    (fault,) = faults_of(changed(key, f'{key.partition(":")[0]}: "{{{{ site.nam }}}}"'))
    assert "uses `site.nam`" in fault.text


def test_a_subject_cannot_name_what_only_a_closing_comment_has() -> None:
    (fault,) = faults_of(changed("subject: Email is down", 'subject: "{{ incident.ended_at }}"'))
    assert "which only a `closing_comment` has" in fault.text


def test_a_closing_comment_may_name_what_only_it_has() -> None:
    template = "{{ incident.subject }} took {{ incident.duration }}, until {{ incident.ended_at }}"
    text = changed("It works again.", f'"{template}"')
    assert read(text).monitors[0].closing_comment == template


def test_what_a_template_may_name_is_just_what_it_is_given() -> None:
    config = read(SAMPLE)
    monitor, now = config.monitors[0], datetime(2026, 11, 24, 12, tzinfo=UTC)
    alert = Alert("victorops", "Email Server", AlertState.FIRING)
    opening = opening_variables(monitor, alert, config.site, incident_id=1, started_at=now)
    incident = Incident(
        id=1,
        monitor_key=monitor.key,
        phase=Phase.PUBLISHED,
        subject="Email is down",
        message="We are looking into it.",
        type=monitor.type,
        components=monitor.affected_components,
        started_at=now,
        due_at=None,
        version=1,
    )
    closing = closing_variables(monitor, incident, alert, config.site, now=now)
    assert attributes(VARIABLES) == attributes(closing)
    assert attributes(VARIABLES) - ONLY_CLOSING == attributes(opening)


@pytest.mark.parametrize("key", ["subject: Email is down", "closing_comment: It works again."])
def test_the_other_templates_are_looked_at_too(key: str) -> None:
    (fault,) = faults_of(changed(key, f'{key.partition(":")[0]}: "{{{{ foo }}}}"'))
    assert "uses `foo`" in fault.text


def test_a_subject_of_two_lines_is_refused() -> None:
    (fault,) = faults_of(changed("subject: Email is down", "subject: |\n      one\n      two"))
    assert "must stand on one line" in fault.text


@pytest.mark.parametrize(
    "template",
    [
        "{{ alert.fields.x }} {{ incident.started_at }} {{ site.name }} {{ monitor.type }}",
        "{% for name in monitor.affected_components %}{{ loop.index }} {{ name }}{% endfor %}",
        "{% set minutes = 5 %}{{ minutes }} {{ range(3) | join }}",
        "{{ alert.fields.host }} {{ alert['fields']['labels.instance'] }} {{ alert.fields.anything.at.all }}",
        "{{ incident.started_at.strftime('%H:%M') }} {{ alert.message.upper() }} {{ alert['state'] }}",
        "{% for name, value in alert.items() %}{{ name }}={{ value }}{% endfor %}",
        "{% for alert in [site] %}{{ alert.host }}{% endfor %}",
        "{% set incident = {'starts_at': 1} %}{{ incident.starts_at }}",
        "{% macro site() %}{% endmacro %}{{ site.catch_kwargs }}",
        "{% macro of(monitor) %}{{ monitor.host }}{% endmacro %}{{ of(alert.fields) }}",
        "{% set ns = namespace(alert=1) %}{{ ns.alert }} {{ ns.site.nam }}",
        "{% if incident.ended_at is defined %}It took {{ incident.duration }}.{% endif %}",
        "{{ incident.duration|default('Some time') }}",
        "{{ 'x' * 10**10 }}",
        "{{ 'x' | center(10**10) }}",
        "{% raw %}{{ foo }}{% endraw %} {# foo #}",
    ],
)
def test_a_template_is_kept_as_it_is_and_never_computed(template: str) -> None:
    assert read(changed(MESSAGE, f"message: |\n      {template}")).monitors[0].message == template + "\n"
