"""Where a person's text ends and the signature begins: marks, device lines, sign-offs, the writer's own name.

Knows them in the languages that ship. A text that goes to the public must not carry a signature along, so in
doubt a line is taken for one.
"""

import re
from collections.abc import Set as AbstractSet
from typing import Final

from service.mail.lines import STRAIGHT, clean_line, fold_line

_MARK: Final = re.compile(r"--|\u2014|\u2013\u2013?|_{2,9}")
_LONGEST_DEVICE_LINE: Final = 100
_DEVICE: Final = re.compile(
    r"(?:sent (?:from|via|with|by|using) |this (?:message|e-?mail) was sent from my |get outlook for "
    r"|gesendet (?:von|mit|über) |von (?:meinem|meiner|unterwegs) .{0,40}\bgesendet|diese nachricht wurde von meinem "
    r"|envoyé (?:de|depuis|à partir|avec) |enviad[oa] (?:desde|do|de|com|con|a partir) "
    r"|inviato (?:da|con) |verzonden (?:vanaf|met|via) |verstuurd (?:vanaf|met) "
    r"|skickat (?:från|med) |skickades från |sendt (?:fra|med|via) |wysłan[eo] (?:z|za) |lähetetty .{0,40}"
    r"|отправлено (?:с|из) |.{0,20}(?:iphone|ipad|android|galaxy|スマートフォン).{0,10}から送信"  # noqa: RUF001  Russian is written in Cyrillic
    r"|[发發]自我的|[從从]我的.{0,20}[傳传发發]送|来自我的)",
    re.IGNORECASE,
)
_OUTLOOK: Final = re.compile(
    r"(?=.*\boutlook)(?=.*(?:\bios\b|\bandroid\b|\bmobile\b|for mac)).{8,60}", re.IGNORECASE
)

_LEAVES: Final = (
    r"(?:(?:best|kind|warm|many|with) )*(?:regards|wishes|greetings)|all the best|best|cheers|br|kr|rgds|sincerely"
    r"|yours(?: (?:sincerely|truly|faithfully))?|ciao|bye"
    r"|mfg|lg|vg|bg|(?:mit )?(?:freundliche[nr]?|beste[nr]?|viele[nr]?|liebe[nr]?|herzliche[nr]?|schöne[nr]?)"
    r" gr(?:u|ü|ue)(?:ß|ss)e?n?|gr(?:u|ü|ue)(?:ß|ss)e?(?: aus .{2,20})?"
    r"|(?:bien )?cordialement|cdlt|bien à (?:vous|toi)|salutations|bonne (?:journée|soirée)|à bientôt"
    r"|(?:un )?saludos?(?: cordial(?:es)?)?|atentamente|cordialmente|un abrazo"
    r"|(?:um )?abraços?|(?:com os melhores )?cumprimentos|atenciosamente|att"
    r"|(?:(?:cordiali|distinti|un) )?saluti?"
    r"|(?:met )?(?:vriendelijke|hartelijke) groet(?:en)?|groet(?:en|jes)?|mvg"
    r"|(?:z )?pozdrawiam(?:y)?|pozdrowienia|z poważaniem"
    r"|mvh|(?:med )?vänlig(?:a)? hälsning(?:ar)?|hälsningar|hälsn"
    r"|(?:(?:med )?ve[nd]n?lig |bedste |beste )?hilsen(?:er)?|vh"
    r"|(?:ystävällisin )?terveisin|t(?:er)?v\.?"
    r"|с уважением|(?:с )?(?:наилучшими )?пожеланиями"  # noqa: RUF001  Russian is written in Cyrillic
    r"|以上|敬具|此致|敬礼|祝好|顺颂商祺"
)
_THANKS: Final = (
    r"(?:many )?thanks(?: (?:again|all|a lot|and regards|& regards|in advance))?|thank you|thx"
    r"|danke(?: und gruß)?|vielen dank|(?:un grand )?merci(?: beaucoup| d'avance)?|(?:muchas )?gracias"
    r"|(?:muito )?obrigad[oa]|(?:mille )?grazie(?: mille)?|bedankt|(?:hartelijk )?dank(?: je| u)?|dziękuję|dzięki"
    r"|(?:många )?tack(?: så mycket)?|(?:mange |tusen )?takk?|kiitos|kiitoksia"
    r"|спасибо|благодарю|よろしくお願い(?:(?:いた|致)?します|申し上げます)|ありがとうございます|谢谢|謝謝"
)
_BEHIND: Final = r"[ ,.!\u3002\u3001-]*"
_LEAVE: Final = re.compile(rf"(?:{_LEAVES}){_BEHIND}", re.IGNORECASE)
_SIGN_OFF: Final = re.compile(rf"(?:{_LEAVES}|{_THANKS}){_BEHIND}", re.IGNORECASE)
_MOST_NAMES: Final = 4
_BESIDE_NAMES: Final = " -\u2013\u2014~*_/,."


def is_signature_mark(text: str) -> bool:
    """Tell whether a cleaned line is what parts text and signature (`-- `, RFC 3676 section 4.3)."""
    return _MARK.fullmatch(text) is not None


def is_device_line(text: str) -> bool:
    """Tell whether a cleaned line is what a client adds by itself: `Sent from my iPhone`."""
    return len(text) <= _LONGEST_DEVICE_LINE and bool(_DEVICE.match(text) or _OUTLOOK.fullmatch(text))


def is_sign_off(line: str, signers: AbstractSet[str] = frozenset()) -> bool:
    """Tell whether a line takes leave (`Best regards,`), thanks, or is nothing but the writer's name.

    `signers` are the folded words of the writer's name and address.
    """
    text = clean_line(line).translate(STRAIGHT)
    return _SIGN_OFF.fullmatch(text) is not None or _is_name(text, signers)


def is_only_signature(line: str, signers: AbstractSet[str]) -> bool:
    """Tell whether a first line says nothing at all: it takes leave or is the writer's name. Thanks say something."""
    text = clean_line(line).translate(STRAIGHT)
    return _LEAVE.fullmatch(text) is not None or _is_name(text, signers)


def _is_name(text: str, signers: AbstractSet[str]) -> bool:
    names = fold_line(text).strip(_BESIDE_NAMES).split()
    return 0 < len(names) <= _MOST_NAMES and all(name.strip(_BESIDE_NAMES) in signers for name in names)
