"""The languages whose command words ship with us; which words those are, only `mail` knows."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

LANGUAGES: Final[Mapping[str, str]] = MappingProxyType({
    "en": "English", "de": "German", "fr": "French", "es": "Spanish", "pt": "Portuguese", "it": "Italian",
    "nl": "Dutch", "pl": "Polish", "sv": "Swedish", "da": "Danish", "no": "Norwegian", "fi": "Finnish",
    "ru": "Russian", "ja": "Japanese", "zh": "Chinese",
})  # fmt: skip
"""By code (ISO 639-1), the name in English."""

_OTHER_CODES: Final = {
    **{name.casefold(): code for code, name in LANGUAGES.items()},
    "nb": "no",
    "nn": "no",
    "jp": "ja",
    "cn": "zh",
    "dk": "da",
    "se": "sv",
    "br": "pt",
    "gb": "en",
}
"""What is often written for a language: its name, its country, Norwegian as a whole."""


def parse_language(text: str) -> str:
    """Read the code of a language that ships. Raises ValueError with what was probably meant."""
    folded = text.casefold()
    if folded in LANGUAGES:
        return folded
    first = folded.replace("_", "-").partition("-")[0]
    meant = _OTHER_CODES.get(first, first)
    if meant in LANGUAGES:
        raise ValueError(f"is no code of a language here, did you mean `{meant}`?")
    raise ValueError(f"is not one of {', '.join(LANGUAGES)}; `words` takes the words of any language")
