"""Every payload names where its shape comes from, and the guide links the same pages."""

import json
import re
from fnmatch import fnmatch
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from service.providers.registry import PROVIDERS
from tests.providers.sources import MADE_UP, SOURCES, source_of

HERE = Path(__file__).parent
FILES = sorted(str(file.relative_to(HERE)) for end in ("json", "txt") for file in HERE.rglob(f"*.{end}"))
GUIDE = (HERE.parents[1] / "docs" / "providers.md").read_text()
MAKERS = {
    "docs.aws.amazon.com",
    "docs.datadoghq.com",
    "github.com",
    "grafana.com",
    "help.uptimerobot.com",
    "help.victorops.com",
    "prometheus.io",
    "support.atlassian.com",
    "www.pingdom.com",
}


@pytest.mark.parametrize("file", FILES)
def test_a_payload_names_its_makers_page_or_why_there_is_none(file: str) -> None:
    source = source_of(file)

    assert (urlsplit(source).scheme == "https" and urlsplit(source).hostname in MAKERS) or source.endswith(
        "."
    )
    assert source


@pytest.mark.parametrize("pattern", [*SOURCES, *MADE_UP])
def test_nothing_is_said_of_a_payload_that_there_is_not(pattern: str) -> None:
    assert [file for file in FILES if fnmatch(file, pattern)]


def test_a_payload_without_a_source_is_found() -> None:
    assert source_of("nagios/firing.json") == ""


@pytest.mark.parametrize("pattern", [one for one in SOURCES if one.endswith(("/*", "victorops_*"))])
def test_the_guide_links_the_page_of_each_product(pattern: str) -> None:
    assert f"({SOURCES[pattern]}) |" in GUIDE


def test_each_product_has_a_page() -> None:
    told = {pattern.partition("/")[0] for pattern in SOURCES} - {"payloads"}

    assert told | {"victorops", "generic", "email"} == set(PROVIDERS) | {"email"}


def test_a_transaction_check_of_pingdom_goes_from_success_to_failing_and_back() -> None:
    for name, states in (("failing", ["SUCCESS", "FAILING"]), ("works", ["FAILING", "SUCCESS"])):
        post = json.loads((HERE / "pingdom" / f"transaction_{name}.json").read_text())
        assert [post["previous_state"], post["current_state"]] == states


def test_no_payload_names_anybody_who_there_may_be() -> None:
    text = "\n".join((HERE / file).read_text() for file in FILES)
    named = set(re.findall(r"[\w.+-]+@([\w.-]+)", text))

    assert {host for host in named if not host.endswith(".example")} == set()
