"""What a browser calls itself (User-Agent, RFC 9110 section 10.1.5) → its name and system, as people say them. Pure."""

from typing import Final

UNNAMED: Final = "A browser that does not say its name"
_LONGEST: Final = 60
# in this order: each that stands below is named by those above it as well
_BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS: Final = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS X", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def browser_in_words(agent: str) -> str:
    """Say `Firefox on Linux`; what is not known is given as it is, cut short."""
    browser = next((name for mark, name in _BROWSERS if mark in agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    if not browser:
        return agent if len(agent) <= _LONGEST else f"{agent[: _LONGEST - 1]}…"
    return f"{browser} on {system}" if system else browser
