"""Values that VictorOps pasted into the payload without escaping them, and bodies sent to do harm."""

import faulthandler
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.errors import PostUnreadable
from service.model import Alert
from service.providers.post import RawPost
from service.providers.victorops import read
from service.providers.wording import MAX_NAME_LENGTH
from tests.providers.reading import TEMPLATE, alert_of, named

SIZE = 60_000
VISIBLE = st.characters(
    exclude_categories=["Cc", "Cs", "Zl", "Zp"],
    exclude_characters="\u200b\ufeff\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
)


@pytest.mark.parametrize(
    "name",
    [
        'the "big" one',
        '"',
        'Screen 24"',
        '"quoted"',
        'a}b{c"}',
        'x"} {"y',
        'first", "second',
        'He said: "no", and left',
        '{"error": "disk full", "code": 5}',
        "C:\\temp\\new",
        "C:\\",
        "DOMAIN\\server",
        "\\\\server\\share",
        "\\\\server",
        'a\\"b" \\',
        "C:\\users",
        "it's // not a comment /* at all",
        "50% of [prod] & <x>; a=b",
        "${{ALERT.monitor_name}}",
    ],
)
def test_a_name_is_read_as_it_was_pasted(name: str) -> None:
    assert named(name) == name


@pytest.mark.parametrize(
    ("pasted", "name"),
    [
        (r"say \"hi\"", 'say "hi"'),
        (r"C:\\temp", "C:\\temp"),
        (r"caf\u00e9", "café"),
        ("two\nlines", "two lines"),
        ("two\r\nlines }", "two lines }"),
        (r"\\\\server\\share", r"\\server\share"),
    ],
)
def test_a_name_that_was_escaped_or_broken_is_set_right(pasted: str, name: str) -> None:
    assert named(pasted) == name


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (
            '{"monitorName": "a "b" c", "state": "OK", "host": "srv", "count": 3, "none": null}',
            {"monitorName": 'a "b" c', "state": "OK", "host": "srv", "count": 3, "none": None},
        ),
        (
            '{monitorName: "A", state: "OK", message: "{"state": "bad", "x": "y"}"}',
            {"monitorName": "A", "state": "OK", "message": '{"state": "bad", "x": "y"}'},
        ),
        (
            '{"monitorName": "A", "state": "OK", "message": "{"error": "bad", "x": "y"}"}',
            {"monitorName": "A", "state": "OK"},
        ),
        (
            "{state: 'OK', monitorName: 'It's down', incident: ${{STATE.INCIDENT_NAME}}, n: ,}",
            {"monitorName": "It's down", "state": "OK", "incident": "${{STATE.INCIDENT_NAME}}", "n": ""},
        ),
        (
            '{monitorName: "a"b", details: {"x": "y", z: 1}, state: "OK"}',
            {"monitorName": 'a"b', "state": "OK"},
        ),
        (
            '{monitorName: "Screen 24" lost", host: "srv", state: "OK"}',
            {"monitorName": 'Screen 24" lost', "host": "srv", "state": "OK"},
        ),
        (
            '{“monitorName”: “Say "hi"”,\n“state”: “OK”}',
            {"monitorName": 'Say "hi"', "state": "OK"},
        ),
    ],
)
def test_the_other_properties_come_along_where_they_can_be_told(body: str, fields: dict[str, object]) -> None:
    assert alert_of(body).fields == fields


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (
            '{\nmonitorName: "Queue "a", b: "c"",\nstate: "OK"}',
            "line 2: it cannot be told where the value of m",
        ),
        (
            '{monitorName: "a"b",\nstate: "x",\nstate: "y"}',
            "line 3: state stands here again, it is at line 2 too",
        ),
        ('{monitorName: "a",\nstate: "O"K"}', "line 2: it cannot be told where the value of state ends"),
        ('{monitorName: "a"b", state: {x: "y"}}', "line 1: it cannot be told where the value of state ends"),
        (
            '{monitorName: "a"b"}',
            "line 1: unexpected 'b'; state is missing, or cannot be told from the text around",
        ),
        ('{monitorName: "a"b", "state": "OK"}', "line 1: unexpected 'b'; state is missing"),
        (
            '{monitorName: "a"b", state: "OK", x: y z}',
            "line 1: unexpected 'b'; it cannot be told where the value of x ends",
        ),
    ],
)
def test_where_there_is_doubt_nothing_is_guessed(body: str, complaint: str) -> None:
    with pytest.raises(PostUnreadable) as caught:
        alert_of(body)
    assert str(caught.value).startswith(complaint)


@given(
    st.text(VISIBLE, max_size=MAX_NAME_LENGTH).filter(
        lambda name: name.strip() and not set('"\\') & set(name)
    )
)
def test_any_name_without_quotes_and_backslashes_goes_through_the_template(name: str) -> None:
    assert named(name) == name.strip()


@given(st.text(st.sampled_from("ab\"'{}[],.-#$ ") | VISIBLE).filter(lambda name: not set(":/\\") & set(name)))
@example('",')
@example('","')
@example('"}')
def test_any_name_with_quotes_goes_through_too_unless_it_looks_like_a_property(name: str) -> None:
    assert named(f"a{name}b") == f"a{name}b"


@given(st.text(st.sampled_from('CD:\\tnrbfu0123x "')).filter(lambda name: '"' not in name))
def test_a_path_keeps_its_backslashes(name: str) -> None:
    assert named(f"\\q{name}") == f"\\q{name}".strip()


def outcome_of(body: bytes, content_type: str = "") -> tuple[Alert, ...] | str:
    try:
        return read(RawPost(body, content_type))
    except PostUnreadable as complaint:
        return str(complaint)


FRAGMENTS = st.sampled_from(
    [
        *"{}[]\"':,\\/=&%-.\n “”«\u2019\ufeff\0",
        *("//", "/*", "*/", "${{", "}}", "0x", "e9", "null", "NaN", "\\u0041", "\\ud800"),
        *("monitorName", "state", '"monitorName": "x"', 'state: "OK"'),
    ]
)


@given(st.binary(), st.sampled_from(["", "application/json", "application/x-www-form-urlencoded"]))
def test_arbitrary_bytes_are_read_or_refused_with_a_sentence(body: bytes, content_type: str) -> None:
    assert outcome_of(body, content_type)


@given(st.lists(FRAGMENTS).map("".join), st.sampled_from(["{", "{monitorName: ", "", "["]))
def test_fragments_in_any_order_are_read_or_refused_with_a_sentence(tail: str, head: str) -> None:
    assert outcome_of((head + tail).encode())


@pytest.fixture
def _bounded() -> Iterator[None]:
    """End the whole run with a traceback if a body takes what no linear work can take."""
    faulthandler.dump_traceback_later(30, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


ONES = list(" \"'{}[]\\:,\n\0&=%“\u2019")
MANY = [
    "a:",
    "/*",
    "//",
    "*/",
    "{a:",
    '"a":{',
    'a: "',
    '",a:"',
    ",a:1",
    '":"',
    '"\\',
    '\\"',
    ': "',
    '", ',
    "“:",
]
LINES = [', a: "\n', 'state: "OK"\n', "a=&", "%7B", "0x1", "\\u0041", "${{", "}}"]
HEADS = ["", '{monitorName: "', "{“monitorName”: “", '{"monitorName": ', "{x: 'y', a: "]


@pytest.mark.usefixtures("_bounded")
@pytest.mark.parametrize("tail", ["", '",\nstate: "OK"}'])
@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("unit", [*ONES, *MANY, *LINES])
def test_a_hostile_body_ends_soon(head: str, unit: str, tail: str) -> None:
    assert outcome_of((head + unit * (SIZE // len(unit)) + tail).encode())


def test_nesting_beyond_every_limit_is_no_recursion_error() -> None:
    body = TEMPLATE % ("x", "OK")
    assert outcome_of(('{"a":' * 10_000 + "1" + "}" * 10_000).encode())
    assert outcome_of((body[:-1] + ",z:" + "[" * 10_000 + "]" * 10_000 + "}").encode())
