"""Where any reply publishes: what still keeps one from it. A refusal, a question, a doubt; never the other way round.

Looks at the first paragraph, in every configured language, and for a refused publication below it. Thanks and
plain acknowledgements are replies like any other: the vendor's "simply replying" publishes with them.
"""

import re
from typing import Final

from service.mail.commands import begins_like
from service.mail.lines import clean_line, fold_line, is_wide, negates, words_of
from service.mail.quotes import NewText
from service.mail.words import Command, Vocabulary

_SENTENCE_END: Final = re.compile(r"[.!\u3002;:\u2026]+")
_QUESTION_MARK: Final = re.compile(r"[?\u061f\u037e]")
_REACTION: Final = re.compile(r"\breacted (?:via|to)\b|^(?:liked|loved|laughed at|disliked) \W")
"""What stands in a mail that a click on a face makes."""
_LONGEST: Final = 2_000
"""Characters of a first paragraph."""
_MOST_IN_PHRASE: Final = 3
_LONGER_THAN: Final = 3


def asks(new: NewText, vocabulary: Vocabulary) -> bool:
    """Tell whether the first paragraph asks, or a line below it ends as a question."""
    paragraph = _paragraph(new)[:_LONGEST]
    if _QUESTION_MARK.search(paragraph):
        return True
    if any(clean_line(line).rstrip("\"'*_.! )").endswith("?") for line in new.text.split("\n")):
        return True
    folded = fold_line(paragraph)
    sentences = [sentence.strip() for sentence in _SENTENCE_END.split(folded)]
    if any(_starts(sentence) & vocabulary.questions for sentence in sentences):
        return True
    ends = vocabulary.question_ends
    return bool(ends) and any(sentence.endswith(ends) for sentence in sentences if sentence)


def refuses(new: NewText, vocabulary: Vocabulary) -> bool:
    """Tell whether the first paragraph refuses, puts off or is near another command, or a line below refuses.

    A paragraph that is too long to be the answer of somebody in a hurry counts as a refusal.
    """
    paragraph = fold_line(_paragraph(new))
    if len(paragraph) > _LONGEST or _holds_refusal(paragraph, vocabulary) or _REACTION.search(paragraph):
        return True
    if begins_like(new.first_line, vocabulary.words) not in {None, Command.PUBLISH}:
        return True
    publish = [word for word, command in vocabulary.words.items() if command is Command.PUBLISH]
    telling = tuple(word for word in publish if len(word) > _LONGER_THAN or is_wide(word[0]))
    if any(word.endswith(telling) and word not in telling for word in words_of(paragraph)):
        return True
    lines = (fold_line(clean_line(line)) for line in new.text.split("\n"))
    return any(any(word in line for word in telling) and _holds_refusal(line, vocabulary) for line in lines)


def _paragraph(new: NewText) -> str:
    lines = [new.first_line]
    for line in new.following:
        if not (text := clean_line(line)):
            break
        lines.append(text)
    return " ".join(lines)


def _holds_refusal(text: str, vocabulary: Vocabulary) -> bool:
    words = words_of(text)
    if any(map(negates, words)) or any(part in text for part in vocabulary.refusals_within):
        return True
    phrases = {
        " ".join(words[start : start + count])
        for count in range(1, _MOST_IN_PHRASE + 1)
        for start in range(len(words) - count + 1)
    }
    return bool(phrases & vocabulary.refusals)


def _starts(sentence: str) -> set[str]:
    words = words_of(sentence)
    return {" ".join(words[:count]) for count in range(1, _MOST_IN_PHRASE + 1)}
