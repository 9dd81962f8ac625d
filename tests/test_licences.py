"""Every package that is locked, tools of development too, has a licence that this project may be given away with."""

import re
from collections.abc import Mapping
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Final

import pytest
from packaging.requirements import Requirement

ROOT: Final = Path(__file__).parents[1]
ALLOWED: Final = frozenset(
    {
        "Apache-2.0",
        "BSD",  # which of its forms is not said; all are as free
        "BSD-2-Clause",
        "BSD-3-Clause",
        "ISC",
        "LGPL-3.0-only",  # psycopg, which anybody may put another version in the place of
        "MIT",
        "MIT-0",
        "MPL-2.0",  # binds whoever changes the package's own files, which we do not
        "PSF-2.0",
        "Unlicense",
        "Zlib",
    }
)
"""By their names in SPDX. GPL and AGPL are not among them: what is made with them must be given away as they are."""
SPELT_OTHERWISE: Final = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD 2-Clause License": "BSD-2-Clause",
    "BSD License": "BSD",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
}
READ_BY_US: Final = {
    "axe-playwright-python": ("MIT", "Permission is hereby granted, free of charge, to any person"),
    "dkimpy": ("Zlib", "The origin of this software must not be misrepresented"),
    "imapclient": ("BSD-3-Clause", "Neither the name of Menno Smits nor the names of its"),
}
"""What does not say its licence in a form that a program can read, and a sentence of the text that it comes with."""


def locked() -> dict[str, str]:
    """Give what is locked for this machine: the version by name."""
    lines = re.findall(r"^([a-z0-9].*?) *\\?$", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    wanted = [one for one in map(Requirement, lines) if one.marker is None or one.marker.evaluate()]
    return {one.name: str(one.specifier).removeprefix("==") for one in wanted}


def stated(package: Distribution) -> dict[str, list[str]]:
    """Give the fields in which packages state their licence; a field may be there several times."""
    fields = ("License-Expression", "Classifier", "License")
    return {name: package.metadata.get_all(name, []) for name in fields}


def licences(fields: Mapping[str, list[str]]) -> set[str]:
    """Give the licences that are stated, by whichever of three ways; of several all count."""
    if fields["License-Expression"]:
        return set(re.split(r" (?:AND|OR|WITH) |[()]", fields["License-Expression"][0])) - {""}
    classes = [one.rpartition(" :: ")[2] for one in fields["Classifier"] if one.startswith("License ::")]
    said = [one for one in classes if one not in {"OSI Approved", "DFSG approved"}]
    said = said or [one for text in fields["License"] for one in re.split(r" (?:AND|OR) ", text)]
    return {SPELT_OTHERWISE.get(one, one) for one in said}


@pytest.mark.parametrize("name", locked())
def test_its_licence_is_one_of_those_allowed(name: str) -> None:
    package = distribution(name)
    assert package.version == locked()[name], "what is installed is not what is locked: run `make test`"
    found = {READ_BY_US[name][0]} if name in READ_BY_US else licences(stated(package))
    assert found, "it states none: read its text, and name it in READ_BY_US"
    assert found <= ALLOWED


@pytest.mark.parametrize("name", READ_BY_US)
def test_what_we_read_ourselves_still_says_so_and_says_it_nowhere_else(name: str) -> None:
    package = distribution(name)
    texts = [one.read_text() for one in package.files or [] if one.name in {"LICENSE", "COPYING"}]
    assert any(READ_BY_US[name][1] in " ".join(text.split()) for text in texts)
    assert not licences(stated(package)) & ALLOWED


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("License-Expression", "GPL-3.0-only"),
        ("License-Expression", "MIT AND (AGPL-3.0-or-later)"),
        ("Classifier", "License :: OSI Approved :: GNU General Public License v3 (GPLv3)"),
        ("License", "Proprietary"),
    ],
)
def test_a_licence_that_binds_more_is_seen_however_it_is_stated(name: str, said: str) -> None:
    fields: dict[str, list[str]] = {"License-Expression": [], "Classifier": [], "License": []}
    assert not licences({**fields, name: [said]}) <= ALLOWED
