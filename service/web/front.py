"""What every page needs to know, and how a page finds it: handed in by `app`, once."""

import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from prometheus_client import Metric
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse

from service.actions.house import House
from service.actions.watchdog import Problem, Seen
from service.config.differences import Reloaded
from service.config.settings import Site
from service.mail.markdown import to_html
from service.store.inbox_rows import Arrival
from service.web.brand import brand_of

if TYPE_CHECKING:
    from service.mail.sandbox import Sandbox

STATIC = Path(__file__).parent / "static"
_TEMPLATES = Path(__file__).parent / "templates"
_CODE: Final = re.compile(r"`([^`\n]+)`")
_TAG: Final = re.compile(r"\bINC-([1-9][0-9]{0,17})\b")


async def keep_config() -> Reloaded:
    """Say that this process does not read config.yaml anew."""
    return Reloaded(faults=("this process keeps the config.yaml with which it began",))


@dataclass(frozen=True, slots=True)
class Front:
    """The doors of the house, as the web sees them."""

    house: House
    clock: Callable[[], datetime]
    receive: Callable[[Arrival], Awaitable[int]]
    """Stores a post; returns its inbox id once it is on disk."""
    wake: Callable[[], None]
    """Says that there is something to send or to decide, so that nobody waits for the next tick."""
    sandbox: "Sandbox | None"
    """Only where no mail server is configured."""
    pages: Environment
    seen: Callable[[], Seen] = Seen
    """Tells what only this process knows of its own work."""
    problems: Callable[[], tuple[Problem, ...]] = tuple
    """Tells what the watchdog found when it last looked."""
    counted: Callable[[], Iterable[Metric]] = tuple
    """Tells what this process counted, for /metrics."""
    answered: Callable[[str, int, float], None] = lambda _provider, _code, _seconds: None
    """Is told of each answer to a webhook post; the provider is empty where there is no such one."""
    reload: Callable[[], Awaitable[Reloaded]] = keep_config
    """Has config.yaml read anew and, if it is right, put in force; returns once that is done or refused."""

    @property
    def is_https(self) -> bool:
        """Whether people reach us by https, so that cookies may be marked secure."""
        return self.house.config.site.url.startswith("https://")


class JsonLine(JSONResponse):
    """JSON that ends with a line break, for who reads it in a terminal."""

    def render(self, content: object) -> bytes:
        """Write it."""
        return orjson.dumps(content, option=orjson.OPT_APPEND_NEWLINE)


def front_of(request: Request) -> Front:
    """Find the front that this request came in by."""
    front: Front = request.app.state.front
    return front


def make_pages(house: House) -> Environment:
    """Set up the pages' templates: autoescape on, and a name that is missing is an error."""
    return _pages_of(house.config.site)


@lru_cache(maxsize=4)
def _pages_of(site: Site) -> Environment:
    # kept, since to compile every template takes longer than to render a page
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    zone = site.timezone
    environment.globals["site"] = site
    environment.globals["brand"] = brand_of(site)
    environment.filters["markdown"] = to_html
    environment.filters["code"] = with_code
    environment.filters["tags"] = with_tags
    environment.filters["words"] = in_words
    environment.filters["local"] = lambda at: at.astimezone(zone).strftime("%d %b %Y, %H:%M %Z")
    environment.filters["clock_time"] = lambda at: at.astimezone(zone).strftime("%H:%M %Z")
    environment.filters["mail_date"] = lambda at: format_datetime(at, usegmt=True)
    environment.filters["iso"] = lambda at: at.isoformat(timespec="seconds")
    return environment


def in_words(name: str) -> str:
    """Give a name of the model as people write it; `postmortem` is so spelt where programs read it."""
    return str(name).replace("_", " ").replace("postmortem", "post-mortem")


def with_code(text: str) -> Markup:
    """Set what a plain text has between backticks as code; all of it is escaped, and a backtick alone stays one."""
    pieces = _CODE.split(str(text))
    # the pattern has one group, so that every second piece is what it found
    return Markup("").join(
        Markup("<code>{}</code>").format(one) if number % 2 else escape(one)
        for number, one in enumerate(pieces)
    )


def with_tags(text: str) -> Markup:
    """Let each tag of an incident in a text lead to its page; a text that is no Markup yet is escaped."""
    linked = _TAG.sub(r'<a href="/dashboard/incidents/\1">INC-\1</a>', str(escape(text)))
    return Markup(linked)  # noqa: S704 # escaped, and the number is one


def page(
    request: Request,
    name: str,
    *,
    status_code: int = 200,
    headers: dict[str, str] | None = None,
    **shown: object,
) -> HTMLResponse:
    """Render a page; templates also get `site` and whether the mail sandbox is on."""
    text = render(front_of(request), name, **shown)
    return HTMLResponse(text, status_code=status_code, headers=headers)


def render(front: Front, name: str, **shown: object) -> str:
    """Render a page that nobody has asked for yet."""
    template = front.pages.get_template(name)
    return template.render(
        sandbox_is_on=front.sandbox is not None, watchdog_problems=front.problems(), **shown
    )
