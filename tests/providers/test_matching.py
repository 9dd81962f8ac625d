"""Which monitor a name means."""

import faulthandler

import pytest

from service.errors import ProviderUnknown
from service.model import Monitor
from service.providers.matching import match_monitor, near_names, providers_of
from service.providers.post import RawPost
from service.providers.registry import PROVIDERS, provider_named


def monitor(*alert_names: str, provider: str = "victorops") -> Monitor:
    return Monitor(
        provider=provider,
        alert_names=alert_names,
        authored_by="jordan",
        type="performance",
        affected_components={},
        subject="",
        message="",
    )


MONITORS = (
    monitor("*"),
    monitor("Email*"),
    monitor("Email Server", "Mail Server"),
    monitor("email server"),
    monitor("Email Server *"),
    monitor("Database ?"),
    monitor("[prod] *"),
    monitor("[prod] Cache"),
    monitor("What is up?"),
    monitor("* (db)"),
    monitor("Elsewhere", provider="other"),
)


@pytest.mark.parametrize(
    ("name", "alert_name"),
    [
        ("Email Server", "Email Server"),
        ("Mail Server", "Email Server"),
        ("email server", "email server"),
        ("  EMAIL   server ", "Email Server"),
        ("Email Server 2", "Email Server *"),
        ("email serverless", "Email*"),
        ("Email", "Email*"),
        ("Database 7", "Database ?"),
        ("Database 12", "*"),
        ("[prod] Cache", "[prod] Cache"),
        ("[PROD] queue", "[prod] *"),
        ("p queue", "*"),
        ("What is up?", "What is up?"),
        ("What is up!", "What is up?"),
        ("Mail (DB)", "* (db)"),
        ("Elsewhere", "*"),
        ("two\nlines (db)", "* (db)"),
        ("", "*"),
    ],
)
def test_the_closest_monitor_takes_the_alert(name: str, alert_name: str) -> None:
    found = match_monitor(name, "victorops", MONITORS)
    assert found is not None
    assert found.alert_names[0] == alert_name


def test_a_name_that_no_monitor_takes_has_none() -> None:
    assert match_monitor("Elsewhere", "victorops", MONITORS[1:]) is None
    assert match_monitor("x", "victorops", ()) is None


def test_of_equal_patterns_the_first_takes_it() -> None:
    assert match_monitor("ab", "victorops", twins := (monitor("a*"), monitor("*b"))) is twins[0]


def test_a_lone_star_comes_after_a_pattern_of_question_marks() -> None:
    assert match_monitor("ab", "victorops", both := (monitor("*"), monitor("??"))) is both[1]


def test_a_pattern_full_of_stars_ends_soon() -> None:
    faulthandler.dump_traceback_later(30, exit=True)
    assert match_monitor("a" * 500, "victorops", [monitor("*a" * 100 + "b")]) is None
    faulthandler.cancel_dump_traceback_later()


def test_a_misspelt_name_is_answered_with_those_it_resembles() -> None:
    assert near_names("Emial Server", "victorops", MONITORS)[0] in {"Email Server", "email server"}
    assert near_names("CACHE", "victorops", [monitor("Cache"), monitor("*")]) == ("Cache",)
    assert near_names("zzz", "victorops", MONITORS) == ()


def test_no_other_providers_names_are_near() -> None:
    assert near_names("Elsewhere", "victorops", MONITORS) == ()
    assert near_names("Elsewere", "other", MONITORS) == ("Elsewhere",)


def test_which_providers_have_a_monitor_of_a_name_is_known_but_no_pattern_has_one() -> None:
    assert providers_of(" elsewhere ", MONITORS) == ("other",)
    assert providers_of("Email Server", MONITORS) == ("victorops",)
    assert providers_of("Email*", MONITORS) == ()


def test_a_provider_is_found_in_any_case_and_reads() -> None:
    assert provider_named("VictorOps") is PROVIDERS["victorops"]
    (alert,) = PROVIDERS["victorops"].read(RawPost(b"{monitorName: 'x', state: 'OK'}")).alerts
    assert alert.provider == "victorops"


def test_an_unknown_provider_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ProviderUnknown, match=r"'nagios'; known is: alertmanager, .*, victorops"):
        provider_named("nagios")
