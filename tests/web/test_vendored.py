"""What others wrote and we hand on is what they published, with its licence, and only employees' pages load it."""

import hashlib
import re

import httpx2
import pytest

from service.web.front import STATIC, Front
from tests.rooms import Clock
from tests.web.employees import employee_at

VENDOR = STATIC / "vendor"
NAMED = {
    name: (said, digest, licence)
    for name, said, digest, licence in re.findall(
        r"^\| (\S+\.js) \| (.+?) \| ([0-9a-f]{64}) \| (\S+) \|$",
        (VENDOR / "README.md").read_text(),
        re.MULTILINE,
    )
}


def test_every_file_is_named() -> None:
    assert {one.name for one in VENDOR.glob("*.js")} == NAMED.keys()


@pytest.mark.parametrize("name", NAMED)
def test_a_file_is_what_was_published_and_its_licence_lies_beside_it(name: str) -> None:
    said, digest, licence = NAMED[name]
    assert re.search(r" [0-9]+\.[0-9]+\.[0-9]+, ", said), "its version"
    assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest
    assert "Zero" in (VENDOR / licence).read_text()


@pytest.mark.anyio
async def test_employees_pages_load_it_with_nothing_switched_on_that_the_policy_forbids(
    front: Front, clock: Clock
) -> None:
    async with employee_at(front, clock, "sam") as client:
        text = (await client.get("/dashboard")).text
        for name in NAMED:
            assert f'<script src="/static/vendor/{name}" defer></script>' in text
            assert (await client.get(f"/static/vendor/{name}")).status_code == 200
    found = re.search(r"""<meta name="htmx-config" content='([^']*)'>""", text)
    assert found is not None
    for off in ("allowEval", "allowScriptTags", "historyEnabled", "includeIndicatorStyles"):
        assert f'"{off}": false' in found[1]
    assert '"selfRequestsOnly": true' in found[1]
    assert not re.search(r"<script(?![^>]* src=)|<style| style=| on[a-z]+=", text), "nothing inline"


@pytest.mark.anyio
@pytest.mark.parametrize("path", ["/", "/history", "/subscribe"])
async def test_public_pages_do_not(path: str, reader: httpx2.AsyncClient) -> None:
    assert "vendor" not in (await reader.get(path)).text
