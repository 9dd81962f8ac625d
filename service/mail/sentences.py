"""What stands behind `update` or `close` without a colon: a text for the public, or the rest of a sentence.

`close not yet` only begins like an order, and so does `update Tom please`. What may be either is taken for a sentence:
its writer is asked back, and a colon settles it.
"""

import re
from typing import Final

from service.mail.lines import fold_line, is_wide, negates, words_of
from service.mail.refusal_words import AFTER, DONE, DONE_WHOLE, GOES_ON, HARMED, PLEAS, TELLERS
from service.mail.words import Vocabulary

_NO_VERB: Final = r"(?! (?:is|are|was|were|has|had|will|may|affects?|affected|happened)\b)"
_IT: Final = re.compile(
    r"(?:it|this|that)(?:[.!:; \u2013\u2014-]*$|,| (?:about|after|all|already|also|and|anyway|as|at|because|before|but"
    r"|by|during|first|for|from|here|if|in|instead|into|later|maybe|never|no|not|noon|now|off|on|once|only|or|out|over"
    r"|please|perhaps|quick|since|so|soon|straight|then|there|till|to|today|together|tomorrow|tonight|too|unless|until|up"
    r"|via|when|whenever|while|with|within|without|yet|yourself|myself|asap|(?:mon|tues|wednes|thurs|fri|satur|sun)day"
    r"|[a-z]+ly|[0-9]\S*|an?|the|my|our|your|their|his|i|we|he|she|they|you|every[a-z]+|some[a-z]+|nobody)\b"
    # `this page with the new text`
    r"|(?: (?:alert|case|component|entry|incident|issue|message|one|page|post|status|text|thread|ticket|title))+\b"
    rf"{_NO_VERB})|incident\b{_NO_VERB}",
)
"""What is to be done with it (`it after lunch`); what is said of it is a text (`it was a cable`)."""
_THE: Final = re.compile(
    r"the [a-z]+(?: page)?(?:,? (?:now|please|soon|later|today|tomorrow|asap|again"
    r"|(?:to|with|when|if|once|after|until|before|unless) .*))*[.!]*",
    re.DOTALL,
)
_TELLS: Final = re.compile(
    r"(?:as (?:of|from)|again (?:down|slow|broken|offline|unavailable|up|available)"
    r"|first (?:analys[ie]s|checks?|findings?|reports?|results?|signs?|tests?))\b"
)
"""News that begin as a sentence may go on."""
_NAMED: Final = re.compile(r"[\w.'-]+,")
_SENTENCE_END: Final = re.compile(r"[.!?;\u3002\uff01\uff1f]")
_DASHES: Final = re.compile(r"[-\u2013\u2014, ]+")
_FEWEST_WORDS: Final = 3
_LOOKED_AT: Final = 3
"""Words at the beginning: further on in a text a `not` says something of what happened."""
_FEWEST_WIDE: Final = 12
"""Letters of a text in a writing without spaces, where a shorter one may refuse."""


def is_sentence(rest: str, vocabulary: Vocabulary) -> bool:
    """Tell whether what stands behind the command's word, without a colon, may go on with a sentence instead."""
    text = rest[found.end() :] if (found := _DASHES.match(rest)) else rest
    words = next(filter(None, map(words_of, _SENTENCE_END.split(fold_line(text)))), [])
    if not words:
        return False
    if is_wide(text[0]):
        return len(text) < _FEWEST_WIDE and any(part in text for part in vocabulary.refusals_within)
    if _IT.match(fold_line(text)):
        return True
    if _tells_what_is_spared(words, text, vocabulary):
        return False
    if len(words_of(text)) < _FEWEST_WORDS:
        return text[0].islower() or not _is_done(words, vocabulary)
    if text[0].islower():
        return _goes_on(text, words, vocabulary)
    return words[0] not in TELLERS and _is_for_us(text, words, vocabulary)


def _is_done(words: list[str], vocabulary: Vocabulary) -> bool:
    """Tell whether a word or two say that it is over; of others nobody knows whether they name a person."""
    says_so = words[-1] in DONE or " ".join(words) in DONE_WHOLE
    return says_so and not _refuses(words, vocabulary) and not _doubts(words, vocabulary)


def _tells_what_is_spared(words: list[str], text: str, vocabulary: Vocabulary) -> bool:
    """Tell whether a text begins with a refusal, and yet is news: `no mails are lost`, `only chat is affected`."""
    first, behind = words[:1], words[1:]
    return (
        (_refuses(first, vocabulary) or _doubts(first, vocabulary))
        and not HARMED.isdisjoint(behind)
        and TELLERS.isdisjoint(behind[:1])
        and not _NAMED.match(text)
        and not _refuses(behind, vocabulary)
        and not _doubts(behind, vocabulary)
    )


def _goes_on(text: str, words: list[str], vocabulary: Vocabulary) -> bool:
    """Judge what begins with a small letter."""
    if _TELLS.match(text):
        return False
    doubtful = words[1:2] if words[0] in TELLERS else words[:_LOOKED_AT]
    return (
        words[0] in GOES_ON
        or _THE.fullmatch(text) is not None
        or not PLEAS.isdisjoint(words)
        or _refuses(words[:_LOOKED_AT], vocabulary)
        or _doubts(doubtful, vocabulary)
    )


def _is_for_us(text: str, words: list[str], vocabulary: Vocabulary) -> bool:
    """Judge what begins with a capital letter, as a sentence of its own does and the name of a person."""
    told = words[: _LOOKED_AT + 1] if _NAMED.match(text) else [words[0], words[-1]]
    return (
        not PLEAS.isdisjoint(words) or _refuses(told, vocabulary) or _doubts(words[:_LOOKED_AT], vocabulary)
    )


def _refuses(words: list[str], vocabulary: Vocabulary) -> bool:
    return not vocabulary.refusals.isdisjoint(words) or any(map(negates, words))


def _doubts(words: list[str], vocabulary: Vocabulary) -> bool:
    return any(
        word in vocabulary.doubts and not (word in AFTER and before in DONE)
        for before, word in zip(["", *words], words, strict=False)
    )
