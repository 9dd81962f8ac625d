"""Employees with a browser each: logged in by the links that the service mails, as in life."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx2
from sqlalchemy import select

from service.actions import logging_in
from service.actions.house import House
from service.mail.compose import link_token
from service.mail.tokens import make_token
from service.model import DeliveryKind, Incident, Phase
from service.store import incidents
from service.store.credentials import Purpose
from service.store.schema import deliveries
from service.web.cookies import cookie_name
from service.web.dashboard import monitors
from service.web.dashboard import routes as dashboard
from service.web.front import Front
from service.web.login import routes as login
from service.web.login.letting_in import SESSION_COOKIE
from tests.rooms import Clock, make_client

ROUTES_FOR_EMPLOYEES = tuple(one for one in dashboard.ROUTES if one not in monitors.routes)
"""Those of the monitors order nothing; they have tests of their own."""
ALL_ROUTES = (*login.ROUTES, *dashboard.ROUTES)
SEEN = {"version": "1"}
"""What the form that publishes says of the text that its page showed."""

Enter = Callable[[str | None], AbstractAsyncContextManager[httpx2.AsyncClient]]


def login_links(house: House) -> list[str]:
    """Give the paths of all log-in links that were ever queued for mailing, oldest first."""
    mails = _mailed(house, DeliveryKind.LOGIN_LINK)
    return [f"/login/{link_token(house.key, one, Purpose.LOGIN)}" for one in mails]


def act_links(house: House, employee_id: str = "jordan") -> list[str]:
    """Give the paths of all links by which an employee was asked to decide, oldest first."""
    mails = _mailed(house, DeliveryKind.APPROVAL, employee_id=employee_id)
    return [f"/act/{make_token(house.key, one)}" for one in mails]


def confirm_links(house: House) -> list[str]:
    """Give the paths of all links that confirm a subscription, oldest first."""
    mails = _mailed(house, DeliveryKind.SUBSCRIBER_CONFIRM)
    return [f"/subscribe/confirm/{link_token(house.key, one, Purpose.CONFIRM)}" for one in mails]


def _mailed(house: House, kind: DeliveryKind, **named: str) -> Sequence[str]:
    query = select(deliveries.c.public_id).filter_by(kind=kind, **named).order_by(deliveries.c.id)
    with house.store.reading() as connection:
        return connection.execute(query).scalars().all()


def start_session(house: House, clock: Clock, employee_id: str) -> str:
    """Log an employee in and give the key of the session."""
    email, key = house.config.employees[employee_id].email, f"session-of-{employee_id}"
    arriving = logging_in.Arriving(session_key=key, browser="Firefox")
    logging_in.request_link(house, email, browser="b", now=clock())
    token = login_links(house)[-1].rpartition("/")[2]
    logging_in.log_in(house, token, arriving, browser="b", now=clock())
    return key


@asynccontextmanager
async def employee_at(
    front: Front, clock: Clock, employee_id: str | None
) -> AsyncIterator[httpx2.AsyncClient]:
    """Give the browser of an employee who is logged in; None: of somebody who is not."""
    async with make_client(front, ALL_ROUTES) as client:
        if employee_id is not None:
            client.cookies.set(
                cookie_name(front, SESSION_COOKIE), start_session(front.house, clock, employee_id)
            )
        yield client


def page_of(incident: Incident, order: str = "") -> str:
    """Give the path of an incident's page, or of an order about it."""
    return f"/dashboard/incidents/{incident.id}{order and '/'}{order}"


def phase_of(house: House, incident: Incident) -> Phase:
    """Read where an incident stands."""
    with house.store.reading() as connection:
        found = incidents.get(connection, incident.id)
    assert found is not None
    return found.phase
