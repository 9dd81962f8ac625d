"""Bodies that are JSON, nearly JSON, copied with curly quotes, or a form."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import PostUnreadable
from service.providers import lenient
from service.providers.pasted import Scalar
from tests.providers.reading import TEMPLATE, alert_of

FORM = "application/x-www-form-urlencoded"
NO_END = "line 2: what begins here has no end; it cannot be told where the value of state ends"
TOO_DEEP = "line 1: objects or lists are nested too deep; state is missing, or cannot be told from the text around it"


def properties_of(body: str | bytes, content_type: str = "") -> dict[str, Scalar]:
    return lenient.read_properties(body if isinstance(body, bytes) else body.encode(), content_type, ())


@pytest.mark.parametrize(
    "body",
    [
        '{"monitorName": "Email", "state": "OK"}',
        "{monitorName: 'Email', state: 'OK',}",
        '// copied from the guide\n{monitorName: "Email", /* the state */ state: "OK"}',
        '\ufeff{monitorName: "Email", state: "OK"}',
        '  \n\n[{monitorName: "Email", state: "OK"}]\n',
        "{“monitorName”: “Email”,\n“state”: “OK”}",
        "{ monitorName : „Email“ , state:«OK» }",
        "{\u2018monitorName\u2019: \u2018Email\u2019, \u2018state\u2019: \u2018OK\u2019}",
        '{"monitorName”: “Email", “state": "OK”}',
        "monitorName=Email&state=OK",
        "monitorName=%22Email%22&state=%22OK%22\n",
        '{monitorName: "Email"\nstate: "OK"}',
    ],
)
def test_every_way_of_writing_the_payload_says_the_same(body: str) -> None:
    assert alert_of(body).fields == {"monitorName": "Email", "state": "OK"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "windows-1252"])
def test_the_encoding_is_made_out(encoding: str) -> None:
    body = (TEMPLATE % ("Büro \u2013 Mail", "OK")).encode(encoding)
    assert alert_of(body).monitor_name == "Büro \u2013 Mail"


@pytest.mark.parametrize("name", ["It\u2019s down", "the “big” one", "a, \u2018b\u2019, c", "«x»: y"])
def test_a_curly_quote_within_a_value_stays_curly(name: str) -> None:
    assert alert_of(TEMPLATE % (name, "OK")).monitor_name == name


def test_a_curly_apostrophe_within_curly_quotes_stays_too() -> None:
    assert (
        alert_of("{monitorName: \u2018It\u2019s down\u2019, state: \u2018OK\u2019}").monitor_name
        == "It\u2019s down"
    )


def test_json_that_curl_labels_as_a_form_is_still_json() -> None:
    assert properties_of('{a: "b=c&d"}', FORM) == {"a": "b=c&d"}


def test_a_form_is_recognised_without_its_label() -> None:
    assert properties_of("ALERT.monitor_name=%22M%C3%BCll+%2F+x%22&a=&b=%22") == {
        "ALERT.monitor_name": "Müll / x",
        "a": "",
        "b": '"',
    }


def test_nested_properties_are_flattened_with_dots() -> None:
    assert properties_of('{a: {b: {c: 1}}, tags: ["x", {y: null}], e: {}}') == {
        "a.b.c": 1,
        "tags.0": "x",
        "tags.1.y": None,
    }


@pytest.mark.parametrize("body", ["{a: 1, a: 2}", '{"a": 1, "a": 2}', "a=%31&a=2"])
def test_of_duplicate_keys_the_last_wins(body: str) -> None:
    assert str(properties_of(body)["a"]) == "2"


@pytest.mark.parametrize("number", ["NaN ", "Infinity ", "-Infinity ", "0x" + "f" * 2000])
def test_a_number_that_json_cannot_carry_is_none(number: str) -> None:
    assert properties_of(f"{{a: {number}, b: 1}}") == {"a": None, "b": 1}


def test_no_nul_is_left_for_the_database() -> None:
    assert properties_of(r'{"a\u0000": "b\u0000c"}') == {"a": "bc"}


def test_an_enormous_tree_loses_what_lies_deepest_and_keeps_the_rest() -> None:
    deep = '{"x": ' * 900 + "1" + "}" * 900
    many = ",".join(f'"k{number}": 1' for number in range(3 * lenient.MAX_PROPERTIES))
    properties = properties_of(f'{{"monitorName": "x", "deep": {deep}, "many": {{{many}}}, "last": 2}}')
    assert (properties["monitorName"], properties["last"]) == ("x", 2)
    assert len(properties) == lenient.MAX_PROPERTIES
    assert max(map(len, properties)) <= lenient.MAX_KEY_LENGTH


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("", "the body is empty"),
        ("  \n\t ", "the body is empty"),
        ("\ufeff", "the body is empty"),
        ("hello", "line 1: an object in braces {…} is expected here"),
        ("\n\n<xml/>", "line 3: an object in braces {…} is expected here"),
        ('"monitorName": "x"', "line 1: an object in braces {…} is expected here"),
        ('"text"', "the body is no object: braces {…} with properties in them are expected"),
        ("[1]", "the body is no object: braces {…} with properties in them are expected"),
        ("[{}, {}]", "the body is a list of 2: post one object {…} at a time"),
        ('{"a": 1,\n"b" 2}', "line 2: unexpected '2'; it cannot be told where the value of a ends"),
        ('{monitorName: "x", a: ' + "[" * 200 + "]" * 200 + "}", TOO_DEEP),
        ("[" * 60000, "line 1: objects or lists are nested too deep"),
        ('{monitorName: "x",\n\nstate: "OK"', "line 3: the closing } is missing"),
        ('{monitorName: "x",\nstate: "OK}', NO_END),
        ("{monitorName: “a ”b”: c”,\nstate “OK”}", "smart quotes at line 1: put straight ones instead"),
        ("{\nmonitorName: “x”,\nstate “OK”}", "smart quotes at line 2: put straight ones instead"),
    ],
)
def test_a_complaint_says_what_to_mend_and_where(body: str, complaint: str) -> None:
    with pytest.raises(PostUnreadable) as caught:
        alert_of(body)
    assert str(caught.value) == complaint


def test_a_form_with_thousands_of_fields_is_refused() -> None:
    with pytest.raises(PostUnreadable, match="more than 1000 fields"):
        properties_of("&".join(["a=b"] * 1001), FORM)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab.", max_size=3), inner, max_size=3)
    ),
)


@given(st.dictionaries(st.text("abcxyz", min_size=1), JSON))
def test_strict_json_is_taken_at_its_word(tree: dict[str, object]) -> None:
    properties = properties_of(orjson.dumps(tree))
    strings = {key: value.replace("\0", "") for key, value in tree.items() if isinstance(value, str)}
    assert {key: properties[key] for key in strings} == strings
