"""What is set otherwise is named with both values, and no secret is told."""

from pathlib import Path

import pytest

from service.config import parse
from service.config.differences import differences
from tests.config.sample import MAIL
from tests.rooms import CONFIG

BASE = CONFIG + 'secret_key: "a-secret-that-is-long-enough-1234567890"\n'


def said_of(before: str, after: str, text: str = BASE) -> tuple[str, ...]:
    assert before in text
    path = Path("config.yaml")
    return differences(parse(text, path, {}), parse(text.replace(before, after, 1), path, {}))


def test_the_same_twice_differs_in_nothing() -> None:
    assert said_of("wait_time: 5m", "wait_time: 300s") == ()


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("wait_time: 5m", "wait_time: 10m", "monitors[Email Server].wait_time: 5m → 10m"),
        ("wait_time: 5m", "wait_time: 0", "monitors[Email Server].wait_time: 5m → 0"),
        ("auto_publish: false", "auto_publish: true", "monitors[Email Server].auto_publish: False → True"),
        (
            "notify_employees: [jordan, sam]",
            "notify_employees: [sam]",
            "monitors[Email Server].notify_employees: jordan, sam → sam",
        ),
    ],
)
def test_a_setting_is_named_with_both_its_values(before: str, after: str, said: str) -> None:
    assert said_of(before, after) == (said,)


def test_what_follows_from_a_setting_is_not_named_beside_it() -> None:
    text = f"{BASE}{MAIL}"
    before, after = "http://status.acme.example", "http://status.acme.test"
    assert said_of(before, after, text) == (f"site.url: {before} → {after}",)


def test_entries_are_added_and_removed() -> None:
    added = CONFIG.replace(
        "employees:\n", "employees:\n  - {id: ana, name: Ana, email: ana@acme.example, role: viewer}\n", 1
    )
    path = Path("config.yaml")
    old, new = parse(CONFIG, path, {}), parse(added, path, {})
    assert differences(old, new)[0] == "employees[ana]: added"
    assert differences(new, old)[0] == "employees[ana]: removed"


def test_a_secret_is_only_said_to_have_changed() -> None:
    assert said_of("a-secret-that", "b-secret-that") == ("secret_key: changed",)


def test_a_database_may_hold_a_password_and_is_not_shown() -> None:
    path = Path("config.yaml")
    one = parse(CONFIG, path, {})
    other = parse(f'database: "postgresql://me:hunter2@db.acme.example/x"\n{CONFIG}', path, {})
    assert differences(one, other) == ("database: changed",)


def test_a_long_text_is_cut_and_stays_in_one_line() -> None:
    [said] = said_of("We are looking", f"{99 * 'b'} We are looking")
    assert said.startswith(
        "monitors[Email Server].message: We are looking into **{{ alert.monitor_name }}**. → "
    )
    assert said.endswith("…")
    assert len(said) < 200
