"""Plays one outage to its end in a house that is thrown away, so that the first reply after a start is no slower.

What is put together at its first use (statements, templates, patterns) is put together by it. Nothing is sent, nothing
is kept.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from service.actions.house import House
from service.actions.simulating import simulate
from service.actions.simulation import Simulation, named_post
from service.config.form import DEFAULT_PROVIDER
from service.outbox.composing import compose_one
from service.web.dashboard.monitor_words import example_name

_ASKED: Final = timedelta(minutes=1)
_SOLVED: Final = timedelta(minutes=5)
_REPLY: Final = (
    b"From: Employee <employee@company.example>\r\nTo: status@company.example\r\nSubject: Re: [INC-1] It is down\r\n"
    b"Message-ID: <1@company.example>\r\n\r\npublish\r\n\r\nOn Tuesday somebody wrote:\r\n> It is down\r\n"
)


def rehearse(house: House, now: datetime) -> Simulation | None:
    """Let a monitor fire, an employee publish it by a reply, and the monitor recover; give what came of it.

    None where there is no monitor. It takes some tenths of a second.
    """
    house.read_reply(_REPLY)
    for monitor in house.config.monitors[:1]:
        asked = replace(monitor, wait_time=timedelta(0), auto_publish=False, provider=DEFAULT_PROVIDER)
        name = example_name(monitor)
        posts = [
            named_post(timedelta(0), name, "CRITICAL"),
            named_post(_SOLVED, name, "RECOVERY"),
        ]
        config = replace(house.config, monitors=(asked,))
        return simulate(config, posts, 2 * _SOLVED, start=now, compose=compose_one, publish_after=_ASKED)
    return None
