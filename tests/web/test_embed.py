"""What other sites may put into a frame, and what the banner's script never does with what it is told."""

import httpx2
import pytest

from service.web.front import STATIC


@pytest.mark.anyio
async def test_no_page_but_this_may_stand_in_a_frame(reader: httpx2.AsyncClient) -> None:
    policies = {path: (await reader.get(path)).headers["content-security-policy"] for path in ("/embed", "/")}
    assert policies["/embed"].endswith("frame-ancestors *")
    assert policies["/"].endswith("frame-ancestors 'none'")
    assert policies["/embed"].replace("*", "'none'") == policies["/"]


def test_the_script_makes_no_markup_of_what_it_is_told() -> None:
    script = (STATIC / "widget.js").read_text()
    assert not any(
        word in script for word in ("innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(")
    )
