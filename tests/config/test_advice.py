"""What is warned of in a faultless config.yaml."""

import pytest

from service.config.advice import is_loopback
from tests.config.sample import SAMPLE, changed, marked, read


@pytest.mark.parametrize(
    ("old", "new", "fragment"),
    [
        ("{secret: wOrDs-of-seCRet}", "{¦secret: ''}", "anybody who finds the webhook of `victorops`"),
        ("webhooks:\n  victorops: {secret: wOrDs-of-seCRet}\n", "", "anybody who finds the webhook"),
        ("    closing_comment: It works again.\n", "", "add a `closing_comment`"),
        ("closing_comment: It", "¦auto_close: true\n    closing_comment: '' # It", "add a `closing_comment`"),
        ("type: info", "¦auto_publish: true\n    type: info", "every short flap is published at once"),
        ("webhooks:", "¦secret_key: short\nwebhooks:", "`secret_key` is short enough to guess"),
    ],
)
def test_a_warning_points_at_its_place(old: str, new: str, fragment: str) -> None:
    text, line, column = marked(changed(old, new, SAMPLE))
    (warning,) = read(text).warnings
    assert fragment in warning.text
    if "¦" in new:
        assert (warning.line, warning.column) == (line, column)


def test_no_secret_is_needed_on_this_machine() -> None:
    text = changed("https://status.acme.example", "http://localhost:8080", SAMPLE)
    assert read(changed("secret: wOrDs-of-seCRet", "secret: ''", text)).warnings == ()


@pytest.mark.parametrize(
    ("url", "is_one"),
    [
        ("http://127.0.0.1:8080", True),
        ("http://127.9.9.9", True),
        ("http://[::1]:8080", True),
        ("http://localhost", True),
        ("http://status.localhost", True),
        ("http://0.0.0.0", False),
        ("https://localhost.example", False),
        ("https://status.acme.example", False),
    ],
)
def test_loopback_is_this_machine_alone(url: str, is_one: bool) -> None:  # noqa: FBT001 — a column of the table
    assert is_loopback(url) is is_one
