"""Jinja expressions by which config.yaml says where in a provider's payload something stands: `labels.service`.

Computed in Jinja's sandbox over values that a stranger sent; what a payload does not have is nothing, not a fault.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

from jinja2 import ChainableUndefined, TemplateError, TemplateSyntaxError, Undefined
from jinja2.sandbox import SandboxedEnvironment

Expression = Callable[[Mapping[str, Any]], Any]

_FAULTS: Final = (
    TemplateError,
    ArithmeticError,
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    RecursionError,
    MemoryError,
)
"""What an expression can raise where a payload holds other things than it expects."""


class _Payloads(SandboxedEnvironment):
    """Jinja's sandbox in which `post.items` is the payload's own `items` before it is Python's."""

    def getattr(self, obj: Any, attribute: str) -> Any:  # noqa: ANN401  Jinja's own signature
        """Give a property of the payload, or else what Jinja gives."""
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


# not optimized: no constant is folded, so that `'x' * 10**10` costs nothing where it is only checked
_ENVIRONMENT: Final = _Payloads(undefined=ChainableUndefined, optimized=False, autoescape=False)


def check_expression(source: str) -> str:
    """Say what is wrong with an expression, as a predicate; empty: nothing is."""
    try:
        _compiled(source)
    except TemplateSyntaxError as error:
        message = (error.message or "it cannot be read").rstrip(".")
        return f"is no expression: {message[:1].lower()}{message[1:]}"
    except (RecursionError, MemoryError, SyntaxError, ValueError, OverflowError):
        return "is nested too deeply or holds too large a number: make it simpler"
    return ""


def evaluate(source: str, item: object, post: object) -> Any:  # noqa: ANN401  whatever JSON holds
    """Compute an expression over one item of a payload, whose properties are its variables; nothing gives None.

    `item` is that item and `post` the whole payload, unless the item has properties of these names. Raises ValueError,
    which says what went wrong, where the payload holds what the expression cannot be computed with.
    """
    variables = {"post": post, "item": item} | (item if isinstance(item, dict) else {})
    try:
        value = _compiled(source)(variables)
    except _FAULTS as error:
        raise ValueError(f"`{source}` cannot be computed: {str(error)[:200]}") from error
    return None if isinstance(value, Undefined) else value


@lru_cache(maxsize=256)
def _compiled(source: str) -> Expression:
    return _ENVIRONMENT.compile_expression(source)
