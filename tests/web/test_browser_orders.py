"""Every order that a person can give is given in a real Chromium, on each screen, by one of its tests."""

from importlib import import_module
from pathlib import Path

from tests.web.ordered import BY_PEOPLE, orders_of


def test_no_order_of_a_person_is_without_a_test_in_a_real_browser() -> None:
    modules = [
        import_module(f"tests.web.{one.stem}") for one in Path(__file__).parent.glob("test_browser_*.py")
    ]
    ordered = {order for module in modules for orders in orders_of(module) for order in orders}
    assert ordered == BY_PEOPLE
