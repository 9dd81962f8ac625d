"""Any product that posts JSON, read as config.yaml has it."""

from pathlib import Path

import pytest

from service.config.settings import Reading
from service.errors import PostUnreadable
from service.model import AlertState
from service.providers.generic import read
from service.providers.post import RawPost

HERE = Path(__file__).parent / "generic"
LIST = Reading(
    each="post.checks",
    monitor_name="check.name",
    state="status",
    entity_id="check.id",
    message="text",
    acknowledged=("seen",),
)


def body_of(file: str) -> RawPost:
    """Give a payload of the folder."""
    return RawPost((HERE / f"{file}.json").read_bytes(), "application/json")


def test_each_item_of_a_list_is_an_alert() -> None:
    alerts = read(body_of("list"), LIST).alerts
    assert [(one.monitor_name, one.state, one.entity_id, one.message) for one in alerts] == [
        ("Webmail", AlertState.FIRING, "17", "503"),
        ("Calendar", AlertState.RECOVERED, "18", ""),
        ("API", AlertState.ACKNOWLEDGED, "19", ""),
    ]
    assert alerts[0].fields["check.name"] == "Webmail"


def test_without_each_the_whole_post_is_one_alert_and_state_may_be_computed() -> None:
    state = "'ok' if resolved else 'down' if severity >= 4 else 'note'"
    reading = Reading(monitor_name="service", state=state, entity_id="key", message="items | join")
    (alert,) = read(body_of("one"), reading).alerts
    assert (alert.monitor_name, alert.state, alert.entity_id, alert.message) == (
        "Webmail",
        AlertState.FIRING,
        "webmail/503",
        "a",
    )


def test_a_list_may_be_the_whole_post() -> None:
    post = RawPost(b'[{"n": "a", "s": 0}, {"n": "b", "s": 1}]')
    reading = Reading(each="post", monitor_name="n", state="s", firing=("1",), recovered=("0",))
    assert [one.state for one in read(post, reading).alerts] == [AlertState.RECOVERED, AlertState.FIRING]


def test_words_of_ones_own_take_the_place_of_the_usual_ones_of_their_state_alone() -> None:
    reading = Reading(monitor_name="n", state="s", firing=("Kaputt",))
    assert read(RawPost(b'{"n": "x", "s": "KAPUTT "}'), reading).alerts[0].state is AlertState.FIRING
    assert read(RawPost(b'{"n": "x", "s": "ok"}'), reading).alerts[0].state is AlertState.RECOVERED
    with pytest.raises(PostUnreadable, match=r"what `state: s` looks for is `down`: one of .*kaputt"):
        read(RawPost(b'{"n": "x", "s": "down"}'), reading)


def test_a_property_of_the_payload_comes_before_what_python_calls_so() -> None:
    reading = Reading(monitor_name="post.items.keys", state="post.values")
    (alert,) = read(RawPost(b'{"items": {"keys": "Webmail"}, "values": "up"}'), reading).alerts
    assert alert.monitor_name == "Webmail"


@pytest.mark.parametrize(
    ("body", "reading", "complaint"),
    [
        (b"{}", Reading(), "`webhooks: generic:` in config.yaml must say what is `monitor_name` and what `state`"),
        (b"[]", Reading(monitor_name="n", state="s"), "the body is no object {…}: of a list, say `each: post`"),
        (b"{}", Reading(monitor_name="n", state="s", each="alerts"), "`each: alerts` gives no list"),
        (b'{"s": "up"}', Reading(monitor_name="n", state="s"), "what `monitor_name: n` looks for is missing"),
        (b'{"n": "x"}', Reading(monitor_name="n", state="s"), "what `state: s` looks for is missing: one of"),
        (b'{"n": "x", "s": {}}', Reading(monitor_name="n", state="s"), "`state` must give a text, but of `s` it is"),
        (b'{"n": "x", "s": 0}', Reading(monitor_name="n", state="1 / s"), "`state`: `1 / s` cannot be computed"),
        (b"{n: 'x'", Reading(monitor_name="n", state="s"), "line 1: what begins here has no end"),
        (b" ", Reading(monitor_name="n", state="s"), "the body is empty"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_answered_with_what_to_mend(
    body: bytes, reading: Reading, complaint: str
) -> None:
    with pytest.raises(PostUnreadable) as caught:
        read(RawPost(body), reading)
    assert str(caught.value).startswith(complaint)


@pytest.mark.parametrize(
    "expression", ["().__class__.__mro__", "n.format.__globals__", "cycler.__init__.__globals__"]
)
def test_an_expression_stays_in_its_sandbox(expression: str) -> None:
    with pytest.raises(PostUnreadable):
        read(RawPost(b'{"n": "x", "s": "up"}'), Reading(monitor_name=expression, state="s"))


@pytest.mark.parametrize("file", ["hostile_shape", "hostile_name"])
def test_another_shape_than_expected_is_a_complaint(file: str) -> None:
    with pytest.raises(PostUnreadable):
        read(body_of(file), LIST)
