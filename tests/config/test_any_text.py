"""Whatever stands in config.yaml: a Config or ConfigFaulty, and each fault at a place that exists."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.config import parse
from service.errors import ConfigFaulty, Fault
from tests.config.sample import MAIL, SAMPLE, WHERE
from tests.thoroughness import examples

PIECES = st.sampled_from([
    "*", "&a ", "*a", "!", "!!int ", "!<x> ", "? ", "|", ">-", "- ", "{", "}", "[", "]", "${", "${A}", "}}", "{{", "{%",
    "\t", '"', "'", '"\\U', "<<: ", ": ", ":", "#", "%YAML 1.1\n---\n", "\ud800", "\x85", "\u2028", "\x00", "1:30",
    "0x", "~", "---\n", "...\n", "\r", "\n", "9" * 50, "-1", "null", "true", "[[]]", "\ufeff",
])  # fmt: skip

LADDER = """\
    escalate: [{after: 10m, notify: [jordan]}, {after: 1h, then: leave}]
    remind_every: 10m
    approvals: 1
replies: {languages: [en, de], words: {publish: [go], close: done}, any_reply_publishes: false}
"""
ALL = SAMPLE + LADDER + MAIL + "  receive: {protocol: lmtp, certificate: none.crt, key: none.key}\n"
OAUTH = "auth: microsoft365, oauth: {client_id: me, client_secret: s, tenant: acme.example}"


@st.composite
def mutated(draw: st.DrawFn) -> str:
    text = ALL.replace("password: PaSs-words", OAUTH)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 12)))
        text = text[:start] + draw(PIECES | st.text(max_size=3)) + text[end:]
    return text


def faults_of_any(text: str) -> tuple[Fault, ...]:
    try:
        parse(text, WHERE, {"A": "x"})
    except ConfigFaulty as error:
        return error.faults
    return ()


def judge(text: str) -> None:
    lines = text.removeprefix("\ufeff").split("\n")
    faults = faults_of_any(text)
    assert list(faults) == sorted(faults, key=lambda one: (one.line, one.column))
    for fault in faults:
        assert 1 <= fault.line <= len(lines)
        assert 1 <= fault.column <= len(lines[fault.line - 1]) + 1
        assert str(fault).isprintable()


@given(mutated())
@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_broken_file_is_read_or_faulty(text: str) -> None:
    judge(text)


@given(st.text() | st.lists(PIECES).map("".join))
@settings(max_examples=examples(150), deadline=None)
def test_any_text_is_read_or_faulty(text: str) -> None:
    judge(text)


@given(st.binary(max_size=200))
@settings(max_examples=examples(50), deadline=None)
def test_any_file_is_read_or_faulty(raw: bytes) -> None:
    judge(raw.decode("utf-8", "surrogateescape"))
