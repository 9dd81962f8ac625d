"""Keeps a monitor's template from eating the machine: nothing is computed before it is rendered, nor without end.

Loops are bounded by Jinja's sandbox (its `MAX_RANGE`); attributes and calls are judged there too, never here.
"""

from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment

MOST_REPEATED = 64 * 1024
"""Characters or items that one multiplication may make."""
MOST_BITS = 4096
"""Of a whole number: more than anybody wants to read."""


@pass_context
def _unfolded(_context: Context, value: Any) -> Any:  # noqa: ANN401  Jinja's own signature
    """Make every output depend on a context, which keeps Jinja from computing constants while compiling."""
    return value


class BoundedEnvironment(SandboxedEnvironment):
    """Jinja's sandbox that folds no constants and refuses products and powers without measure."""

    intercepted_binops = frozenset({"*", "**"})

    def __init__(self, **options: Any) -> None:  # noqa: ANN401  whatever Jinja takes
        super().__init__(optimized=False, finalize=_unfolded, **options)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:  # noqa: ANN401  as above
        """Compute what is of a sensible size; raises OverflowError for the rest, as `range` does here."""
        if _is_out_of_measure(operator, left, right):
            raise OverflowError(f"the result of `{operator}` would be too large")
        return super().call_binop(context, operator, left, right)


def _is_out_of_measure(operator: str, left: object, right: object) -> bool:
    if isinstance(left, int) and isinstance(right, int):
        bits, others = left.bit_length(), right.bit_length()
        return (bits * max(right, 0) if operator == "**" else bits + others) > MOST_BITS
    for many, times in ((left, right), (right, left)):
        if isinstance(many, str | bytes | list | tuple) and isinstance(times, int):
            return len(many) * times > MOST_REPEATED
    return False
