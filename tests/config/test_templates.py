"""Jinja templates in config.yaml: faults at the line where they stand."""

import pytest

from tests.config.sample import changed, faults_of, marked, read

MESSAGE = "message: We are looking into it."


@pytest.mark.parametrize(
    ("written", "fragment"),
    [
        ('message: "{{ ¦alrt.x }}"', "the template uses `alrt`, which does not exist, did you mean `alert`?"),
        ("message: ¦'{{ alert. }}'", "this template is faulty: expected name or number"),
        ("message: ¦a {{ b", "this template is faulty: "),
        ("message: ¦'{{ alert.x|nope }}'", "this template is faulty: no filter named 'nope'"),
        ("message: |\n      alrt\n      {{ alert.x }} {{ ¦alrt }}\n      end", "uses `alrt`"),
        ("message: |\n      first\n\n      ¦{% if %}\n      end", "this template is faulty"),
        ("message: >-\n      folded\n      lines {{ ¦foo }}\n      end", "uses `foo`"),
        ("message: a plain text\n      over two lines {{ ¦foo }}", "uses `foo`"),
        ('message: "quoted\n      twice {{ ¦foo }}"', "uses `foo`"),
        ("message: |\n      ¦{% include 'x' %}", "cannot include, import or extend"),
        ("message: ¦'{% autoescape false %}{{ alert }}{% endautoescape %}'", "cannot set autoescape"),
        ("message: ¦'{{ " + "(" * 500 + "1" + ")" * 500 + " }}'", "nested too deeply"),
        ("message: ¦'{{ " + "9" * 5000 + " }}'", "too large a number"),
        ("message: ¦" + "x" * 20_001, "20000 characters are the most"),
        ('message: ¦"{{ alert[\\"x\\"] + foo }}"', "uses `foo`"),
    ],
    ids=lambda value: value[:30],
)
def test_a_faulty_template_is_shown_where_it_stands(written: str, fragment: str) -> None:
    text, line, column = marked(changed(MESSAGE, written))
    (fault,) = faults_of(text)
    assert fragment in fault.text
    assert (fault.line, fault.column) == (line, column)


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
        "{% for name in incident.components %}{{ loop.index }} {{ name }}{% endfor %}",
        "{% set minutes = 5 %}{{ minutes }} {{ range(3) | join }}",
        "{{ 'x' * 10**10 }}",
        "{{ 'x' | center(10**10) }}",
        "{% raw %}{{ foo }}{% endraw %} {# foo #}",
    ],
)
def test_a_template_is_kept_as_it_is_and_never_computed(template: str) -> None:
    assert read(changed(MESSAGE, f"message: |\n      {template}")).monitors[0].message == template + "\n"
