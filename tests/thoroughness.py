"""How many examples a property is tried with: in CI as many as it says, at the desk a part, so that nobody waits."""

import os

IN_CI = os.environ.get("CI") == "true"
FEWEST = 20
"""Examples at the desk, at least."""
_PART = 4


def examples(number: int) -> int:
    """Give how many examples to try here of the number that CI tries."""
    return number if IN_CI else min(number, max(FEWEST, number // _PART))
