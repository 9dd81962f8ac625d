"""Every order that a person can give is given in a real Chromium, on each screen, with the keys alone."""

from importlib import import_module
from pathlib import Path

from tests.web.ordered import BY_PEOPLE, orders_of


def test_each_order_of_a_person_is_given_with_the_keys_alone_in_a_real_browser() -> None:
    modules = [
        import_module(f"tests.web.{one.stem}") for one in Path(__file__).parent.glob("test_browser_*.py")
    ]
    ordered = {order for module in modules for orders in orders_of(module) for order in orders}
    assert ordered == BY_PEOPLE
