"""The monitor that is suggested for a name that none takes: valid as it is, and it takes that name."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.config.suggestion import suggest_monitor
from service.providers.matching import match_monitor
from tests.config.sample import SAMPLE, read

PLAIN = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), min_size=1, max_size=400)


def pasted(name: str, components: tuple[str, ...] = ("Email",)) -> str:
    return SAMPLE + suggest_monitor(name, "victorops", authored_by="jordan", components=components)


@given(PLAIN.filter(lambda name: name.strip() and name.strip() != "*"))
@example('a "quoted" \\ name: # {{ 7 * 7 }} ${HOME} $${x} ${{ y }}')
@example("[prod] Datenbank größer 90 %")
@example("null")
@example("- {a: b}")
@example("x" * 400)
@example("🔥 down")
def test_it_takes_the_name_and_is_valid_as_it_is(name: str) -> None:
    config = read(pasted(name))
    assert match_monitor(name, "victorops", config.monitors) is config.monitors[-1]


@pytest.mark.parametrize("components", [(), ("Email",)])
def test_it_affects_a_component_where_there_is_one(components: tuple[str, ...]) -> None:
    monitor = read(pasted("Disk", components)).monitors[-1]
    assert tuple(monitor.affected_components) == components
    assert read(pasted("Disk", components)).warnings == ()
