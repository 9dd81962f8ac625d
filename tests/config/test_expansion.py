"""`${NAME}` in config.yaml."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.config.expansion import expand
from tests.config.sample import SAMPLE, changed, faults_of, read

ENVIRON = {"NAME": "value", "EMPTY": "", "TRICKY": "${NAME}"}


@pytest.mark.parametrize(
    ("written", "filled"),
    [
        ("${NAME}", "value"),
        ("a ${NAME} b ${NAME}", "a value b value"),
        ("${NONE:-default}", "default"),
        ("${NONE:-}", ""),
        ("${EMPTY:-default}", "default"),
        ("${EMPTY}", ""),
        ("$${NAME}", "${NAME}"),
        ("${TRICKY}", "${NAME}"),
        ("$NAME", "$NAME"),
        ("5 $ {NAME}", "5 $ {NAME}"),
        ("{{ alert.x }}", "{{ alert.x }}"),
        ("costs ${{ alert.x }}", "costs ${{ alert.x }}"),
        ("{% if alert %}$5{% endif %}", "{% if alert %}$5{% endif %}"),
    ],
)
def test_a_reference_is_filled_in_and_nothing_else_is_touched(written: str, filled: str) -> None:
    assert expand(written, ENVIRON) == filled


@pytest.mark.parametrize(
    ("written", "fragment"),
    [
        ("${NONE}", "the environment variable `NONE` is not set: set it, or write ${NONE:-default}"),
        ("${NAME", "write ${NAME}"),
        ("${}", "write ${NAME}"),
        ("${9}", "write ${NAME}"),
        ("${NAME:default}", "write ${NAME}"),
        ("${NAME?}", "write ${NAME}"),
    ],
)
def test_a_reference_that_cannot_be_filled_is_refused(written: str, fragment: str) -> None:
    with pytest.raises(ValueError, match=r"environment|write") as caught:
        expand(written, ENVIRON)
    assert fragment in str(caught.value)


@given(st.text().filter(lambda text: "${" not in text))
def test_a_text_without_references_stays_as_it_is(text: str) -> None:
    assert expand(text, {}) == text


@given(st.text())
def test_what_is_filled_in_is_not_read_again(value: str) -> None:
    assert expand("${NAME}", {"NAME": value}) == value


def test_a_missing_variable_is_a_fault_at_its_place() -> None:
    (fault,) = faults_of(changed("role: admin", 'role: "${NONE}"'))
    assert (fault.line, fault.column) == (5, 70)


@pytest.mark.parametrize(("environ", "port"), [({}, 25), ({"SMTP_PORT": "2525"}, 2525)])
def test_a_number_may_come_from_the_environment(environ: dict[str, str], port: int) -> None:
    mail = read(changed("port: 25", 'port: "${SMTP_PORT:-25}"'), environ).mail
    assert mail is not None
    assert mail.smtp.port == port


def test_a_switch_and_a_span_may_come_from_the_environment() -> None:
    added = '    auto_publish: "${PUBLISH}"\n    wait_time: "${WAIT:-0}"\n'
    monitor = read(SAMPLE + added, {"PUBLISH": "true", "WAIT": "90s"}).monitors[0]
    assert (monitor.auto_publish, monitor.wait_time.total_seconds()) == (True, 90)


def test_a_value_from_the_environment_is_not_read_as_yaml() -> None:
    name = "{a: b} # 'x"
    assert read(changed("name: Acme", 'name: "${NAME}"'), {"NAME": name}).site.name == name


def test_a_name_that_is_no_unicode_is_refused() -> None:
    (fault,) = faults_of(changed("name: Acme", 'name: "${NAME}"'), {"NAME": "\udcff"})
    assert "holds a control character" in fault.text
