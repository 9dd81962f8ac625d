"""In whose name a command orders something, and how it is kept that it was ordered at the command line."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final, TypeVar

import click

from service.actions.house import House
from service.cli.options import FAULTY, fail
from service.model import Employee, Role
from service.store import audit
from service.store.one_transaction import OneTransaction

T = TypeVar("T")

COMMAND_LINE: Final = Employee(audit.COMMAND_LINE, "the command line", "", Role.ADMIN)
"""Whoever has a shell on this machine and does not say who; no employee can have this id."""

as_option = click.option(
    "--as",
    "as_id",
    metavar="EMPLOYEE",
    default="",
    help="The id of the employee in whose name it is done; left out: the command line's.",
)


def actor(house: House, as_id: str) -> Employee:
    """Find who acts; exits where config.yaml has nobody of this id."""
    if not as_id:
        return COMMAND_LINE
    employee = house.employee(as_id)
    if employee is None:
        known = ", ".join(house.config.employees) or "none"
        fail(f"config.yaml has no employee `{as_id}`; there are: {known}", FAULTY)
    return employee


def noted(
    house: House,
    by: Employee,
    now: datetime,
    act: str,
    about: str,
    order: Callable[[House], T],
    *,
    is_told: bool = True,
) -> T:
    """Do something, and in the same transaction write down that it was done from here in somebody's name.

    `is_told`: that the command line did it in nobody's name is told elsewhere, as in an incident's timeline.
    """
    with house.store.transaction() as connection:
        came_of_it = order(replace(house, store=OneTransaction(connection)))
        if by is not COMMAND_LINE or not is_told:
            note = "" if by is COMMAND_LINE else f"as {by.id}"
            audit.note(connection, now, audit.COMMAND_LINE, act, about, note)
    return came_of_it
