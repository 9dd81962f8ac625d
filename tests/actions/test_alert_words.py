"""Why an alert comes to nothing, in words."""

import pytest

from service.actions.alert_words import Unmatched, unknown_in_words, why_no_monitor
from service.model import Alert, AlertState
from service.providers.wording import LONGEST_SHOWN

LONG = "x" * (LONGEST_SHOWN + 1)
CUT = f"{LONG[: LONGEST_SHOWN - 1]}…"


@pytest.mark.parametrize(
    ("near", "why", "in_words"),
    [
        ((), "", "."),
        (("Mail",), ", did you mean `Mail`?", ": did you mean `Mail`?"),
        (("Mail", "Mial"), ", did you mean `Mail` or `Mial`?", ": did you mean `Mail` or `Mial`?"),
    ],
)
def test_what_a_name_may_have_been_meant_to_be_is_asked(
    near: tuple[str, ...], why: str, in_words: str
) -> None:
    found = Unmatched("Mali", "grafana", near, ())
    assert found.why == f"no monitor is configured for `Mali`{why}"
    assert found.in_words == f"`Mali` was received from grafana, and no monitor takes it{in_words}"


def test_a_long_state_is_cut_wherever_it_is_quoted() -> None:
    news = Alert("grafana", "Mail", AlertState.INFO, entity_id=None, raw_state=LONG, message="")
    assert why_no_monitor(news, ()) == f"`Mail` is no monitor, and `{CUT}` opens and closes nothing"
    assert unknown_in_words(LONG, 1).startswith(f"`{CUT}` was received once and is no state")
