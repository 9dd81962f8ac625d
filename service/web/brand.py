"""The company's own look, as files that never change under their names: its pictures, and a stylesheet of its colours.

They lie beside our own static files, so that pages and the exported site name them alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.config.colours import stronger
from service.config.settings import Picture, Site
from service.errors import NotFound

IMMUTABLE: Final = "public, max-age=31536000, immutable"
"""RFC 8246: who has it need not ask again, for other bytes would have another name."""
NOTHING_MORE: Final = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox"
"""For a picture that somebody opens by itself: an SVG runs nothing and fetches nothing."""
_OUR_ICON: Final = "/static/icon.svg"


@dataclass(frozen=True, slots=True)
class BrandFile:
    """A file of the company's own look."""

    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Brand:
    """Where pages find what makes them the company's; empty: our own looks."""

    logo: str
    icon: str
    icon_type: str
    stylesheet: str
    files: Mapping[str, BrandFile]
    """By name, as below /static/."""
    has_logo: bool = False


@lru_cache(maxsize=4)
def brand_of(site: Site) -> Brand:
    """Make the files of a site's look, once."""
    files: dict[str, BrandFile] = {}
    logo = _added(files, site.logo)
    icon = _added(files, site.favicon or site.logo)
    shown_as_icon = site.favicon or site.logo
    css = _stylesheet(site) if site.brand else ""
    stylesheet = ""
    if css:
        name = f"brand-{sha256(css.encode()).hexdigest()[:20]}.css"
        files[name] = BrandFile("text/css; charset=utf-8", css.encode())
        stylesheet = f"/static/{name}"
    return Brand(
        logo=logo or _OUR_ICON,
        icon=icon or _OUR_ICON,
        icon_type=shown_as_icon.media_type if shown_as_icon else "image/svg+xml",
        stylesheet=stylesheet,
        files=files,
        has_logo=bool(logo),
    )


def _added(files: dict[str, BrandFile], picture: Picture | None) -> str:
    if picture is None:
        return ""
    name = f"brand-{picture.digest}.{picture.ending}"
    files[name] = BrandFile(picture.media_type, picture.content)
    return f"/static/{name}"


def _stylesheet(site: Site) -> str:
    light, dark = _properties(site.brand, is_dark=False), _properties(site.brand_dark, is_dark=True)
    return f":root {{ {light} }}\n@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"


def _properties(colour: str, *, is_dark: bool) -> str:
    on_accent = "#11182e" if is_dark else "#ffffff"
    return (
        f"--accent: {colour}; --accent-strong: {stronger(colour, is_dark=is_dark)}; "
        f"--on-accent: {on_accent}; --focus: {colour};"
    )


def give(request: Request) -> Response:
    """Give a file of the look; whoever has it already is told so (RFC 9110 section 13.1.2)."""
    brand: Brand = request.app.state.front.pages.globals["brand"]
    name = f"brand-{request.path_params['name']}"
    file = brand.files.get(name)
    if file is None:
        raise NotFound("There is no such file; the site may have got another look.")
    tag = f'"{name}"'
    headers = {"cache-control": IMMUTABLE, "etag": tag, "content-security-policy": NOTHING_MORE}
    known = {one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")}
    if tag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(file.content, media_type=file.media_type, headers=headers)


routes = [Route("/static/brand-{name}", give)]
