"""What stands behind `update` or `close` without a colon: a text for the public, or the rest of a sentence.

`close not yet` only begins like an order, and so does `update Tom please`. What may be either is taken for a sentence:
its writer is asked back, and a colon settles it. Never looks at a text behind a colon.
"""

import re
from typing import Final

from service.mail.lines import fold_line, is_wide
from service.mail.words import Vocabulary

_GOES_ON: Final = re.compile(
    r"(?:me|us|you|him|her|everyone|everybody|anyone|anybody|to|on|off|by|in|at|up|out|from|as|is|are|was|will|can|must"
    r"|should|follows|coming|enough|call|now|soon|later|today|tomorrow|asap|first|again|but|when|if|once|after|until|before|unless"
    r"|mir|uns|folgt|kommt|später|morgen|wenn|sobald|erst|moi|nous|demain|quand|cuando|si|por favor|mañana"
    r"|luego|quando|se|per favore|domani|als|zodra|graag|straks)\b.*"
    r"|the [a-z]+(?: page)?(?:,? (?:now|please|soon|later|today|tomorrow|asap|again"
    r"|(?:to|with|when|if|once|after|until|before|unless) .*))*[.!]*"
    # what is said of it is a text (`it was a cable`), what is to be done with it is none (`it after lunch`)
    r"|(?:it|this|that|them|incident)(?!['\u2019]s\b| (?:was|were|is|are|has|have|had|will|works?|worked|seems?|seemed"
    r"|turned|looks?|looked|took|happened)\b)\b.*",
    re.DOTALL,
)
"""How a sentence goes on that only begins like an order: `close to the limit`, `update me`. Lower-case alone."""
_WORD: Final = re.compile(r"[\w']+(?:-[\w']+)*")
_SENTENCE_END: Final = re.compile(r"[.!?;\u3002\uff01\uff1f]")
_DASHES: Final = re.compile(r"[-\u2013\u2014, ]+")
_FINAL: Final = (".", "!", "\u3002", "\uff01")
_FEWEST_WORDS: Final = 3
_LOOKED_AT: Final = 3
"""Words at the beginning: further on in a text a `not` says something of what happened."""
_FEWEST_WIDE: Final = 12
"""Letters of a text in a writing without spaces, where a shorter one may refuse."""


def is_sentence(rest: str, vocabulary: Vocabulary) -> bool:
    """Tell whether what stands behind the command's word, without a colon, may go on with a sentence instead."""
    text = rest[found.end() :] if (found := _DASHES.match(rest)) else rest
    if not _WORD.search(text):
        return False
    if is_wide(text[0]):
        return len(text) < _FEWEST_WIDE and any(part in text for part in vocabulary.refusals_within)
    words = _WORD.findall(fold_line(_SENTENCE_END.split(text, 1)[0]))
    if len(_WORD.findall(text)) < _FEWEST_WORDS:
        is_whole = text[0].isupper() and text.endswith(_FINAL)
        return not is_whole or _refuses(words, vocabulary) or _doubts(words, vocabulary)
    if not text[0].islower():
        # a sentence of its own, unless it begins with a refusal
        return _refuses(words[:1], vocabulary)
    beginning = words[:_LOOKED_AT]
    return (
        _GOES_ON.fullmatch(text) is not None
        or _refuses(beginning, vocabulary)
        or _doubts(beginning, vocabulary)
    )


def says_only_yes_or_no(rest: str, vocabulary: Vocabulary) -> bool:
    """Tell whether a text is in whole what answers a question: `update: no` has no news for anybody."""
    folded = fold_line(rest).strip(" .!\u3002")
    return folded in vocabulary.words or folded in vocabulary.refusals


def _refuses(words: list[str], vocabulary: Vocabulary) -> bool:
    return not vocabulary.refusals.isdisjoint(words) or any(word.endswith("n't") for word in words)


def _doubts(words: list[str], vocabulary: Vocabulary) -> bool:
    return not vocabulary.doubts.isdisjoint(words)
