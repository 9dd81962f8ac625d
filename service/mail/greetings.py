"""Greetings: what many write above their first line, in any of the languages that ship.

At most one is ever passed over. Never decides what the line below means.
"""

import re
from typing import Final

from service.mail.lines import clean_line, fold_line
from service.mail.refusal_words import DOUBTS, QUESTIONS
from service.mail.words import ENGLISH, Vocabulary

_GREETINGS: Final = (
    *("hi", "hello", "hey", "dear", "greetings", "good (?:morning|afternoon|evening|day)"),
    *("hallo", "guten (?:morgen|tag|abend)", "moin(?: moin)?", "servus", "grüezi", "grüß gott", "liebe[rs]?"),
    "sehr geehrte[rs]?",
    *("bonjour", "bonsoir", "salut", "chère?s?", "coucou"),
    *("hola", "buenos días", "buenas(?: tardes| noches)?", "buen día", "estimad[oa]s?", "querid[oa]s?"),
    *("olá", "oi", "bom dia", "boa (?:tarde|noite)", "prezad[oa]s?", "car[oaie]", "ciao", "buongiorno"),
    *("buonasera", "salve", "gentil[ei]", "hoi", "dag", "goede ?(?:morgen|middag|avond|dag)", "beste"),
    *(
        "geachte",
        "cześć",
        "witam(?:y)?",
        "dzień dobry",
        "dobry wieczór",
        "szanown[yai]",
        "hej(?:san)?(?: på (?:er|dig|dej))?",
        "tjena",
    ),
    *("god(?:morgon| morgon|dag| dag| kväll|morgen| morgen|aften| aften| kveld)", "bästa", "kære", "kjære"),
    *("hei", "moi", "moikka", "terve", "hyvää (?:huomenta|päivää|iltaa)", "huomenta", "hyvä"),
    *("здравствуйте", "здравствуй", "привет", "добр(?:ый|ое|ой) (?:день|утро|вечер)", "уважаем(?:ый|ая|ые)"),  # noqa: RUF001  Russian is written in Cyrillic
    *(
        "こんにちは",
        "こんばんは",
        "おはようございます",
        "お疲れ様です",
        "お疲れさまです",
        "お世話になっております",
    ),
    *("各位", "你好", "您好", "大家好", "早上好", "下午好", "晚上好", "早安", "嗨"),
)
_NAME: Final = r"[^\W\d_][\w.'\u2019-]{0,30}"
_GREETING: Final = re.compile(
    rf"(?:{'|'.join(_GREETINGS)})(?P<names>(?:,? {_NAME}){{0,3}})\s?[,!.:;\u3002\u3001]{{0,2}}", re.IGNORECASE
)
_KNOWN_SMALL: Final = frozenset(
    (
        "all", "team", "everyone", "everybody", "folks", "there", "both", "guys", "and", "or", "to", "the", "my",
        "dear", "colleagues", "friend", "friends", "ops", "support", "mr", "mrs", "ms", "dr", "sir", "madam",
        "zusammen", "alle", "allerseits", "und", "kollegen", "kolleginnen", "liebe", "lieber", "liebes", "herr", "frau",
        "à", "tous", "toutes", "et", "collègues", "l'équipe", "cher", "chère", "madame", "monsieur",
        "a", "todos", "todas", "y", "e", "equipo", "equipe", "colegas", "tutti", "ragazzi", "colleghi", "señor",
        "señora", "senhor", "senhora", "signor", "signora", "de", "van", "der", "von", "heer", "mevrouw",
        "allemaal", "allen", "iedereen", "en", "collega's", "wszystkim", "wszyscy", "i", "państwo", "pan", "pani",
        "alla", "allihop", "allihopa", "och", "kollegor", "og", "kolleger", "kollegaer",
        "kaikki", "kaikille", "tiimi", "ja", "все", "всем", "коллеги", "и", "команда",
    )
)  # fmt: skip
"""What greets beside names, or stands between them: written small behind a comma and yet no sentence."""
_GOES_ON: Final = frozenset(
    (
        "let", "lets", "let's", "will", "must", "might", "need", "needs", "want", "wants", "before", "after", "once",
        "till", "if", "while", "because", "but", "though", "refuse", "ask", "tell", "check", "see", "think", "guess",
        "leave", "keep", "make", "get", "go", "put", "send", "call", "try", "read", "look", "be", "been", "am", "i'm",
        "we", "you", "they", "he", "she", "this", "that", "that's", "it's", "maybe", "perhaps", "rather", "instead",
        "lass", "lasst", "lassen", "wird", "werden", "sollte", "sollten", "würde", "könnte", "muss", "müssen", "darf",
        "wollen", "bevor", "ehe", "nachdem", "bis", "falls", "wenn", "sobald", "solange", "aber", "ob", "frag",
        "fragt", "prüf", "prüfe", "wir", "ich", "vielleicht", "laisse", "laissez", "laissons", "faut", "doit",
        "devons", "peut", "pouvons", "va", "avant", "après", "si", "sauf", "mais", "lorsque", "refusez", "demande",
        "demandez", "est", "sont", "je", "deja", "dejen", "debe", "deben", "puede", "pueden", "antes", "hasta",
        "cuando", "pero", "rechaza", "pregunta", "es", "está", "quizá", "deixa", "deixe", "deve", "devem", "pode",
        "podem", "vai", "vamos", "até", "se", "mas", "recuse", "pergunte", "talvez", "lascia", "lasciate", "devono",
        "può", "possono", "finché", "rifiuta", "chiedi", "forse", "laat", "laten", "zal", "zullen", "zou", "mag",
        "mogen", "wil", "willen", "voordat", "totdat", "tot", "nadat", "als", "tenzij", "maar", "weiger", "vraag",
        "ik", "wij", "misschien", "niech", "będzie", "będą", "powinien", "powinno", "może", "mogą", "musi", "muszą",
        "zanim", "dopóki", "aż", "jeśli", "jeżeli", "gdy", "ale", "odmów", "zapytaj", "sprawdź", "låt", "kommer",
        "skulle", "borde", "måste", "får", "vill", "innan", "tills", "efter", "om", "vägra", "fråga", "jag", "vi",
        "kanske", "lad", "burde", "må", "vil", "før", "indtil", "hvis", "afslå", "spørg", "jeg", "måske", "innen",
        "inntil", "etter", "nekt", "spør", "kanskje", "antakaa", "annetaan", "pitää", "pitäisi", "täytyy", "voivat",
        "saa", "ennen", "kunnes", "jos", "kun", "mutta", "kysy", "kieltäydy", "ehkä", "пусть", "будет", "должен",
        "должны", "может", "могут", "надо", "до", "после", "если", "но", "откажи", "спроси", "спросите", "проверь",
        "мы", "это",
        *(word for words in (*DOUBTS.values(), *QUESTIONS.values()) for word in words),
    )
)  # fmt: skip
"""Verbs, conjunctions, pronouns and doubts: with one of them a greeting goes on as a sentence (`Hi let Tom`)."""
_CONTRACTED: Final = ("n't", "'ll", "'re", "'ve", "'d", "'m")
_GREETING_BEHIND: Final = re.compile(r"[^\W\d_]{1,15} ?(?:さん|様|さま|殿|先生)[,!.:\u3002\u3001]?")


def is_greeting(line: str, vocabulary: Vocabulary = ENGLISH) -> bool:
    """Tell whether a line only greets; one with a command or a refusal in it does more than that."""
    text = clean_line(line)
    if _GREETING_BEHIND.fullmatch(text):
        return True
    match = _GREETING.fullmatch(text)
    return match is not None and _are_names(match["names"], vocabulary)


def _are_names(text: str, vocabulary: Vocabulary) -> bool:
    """Tell whether what follows a greeting is whom it greets, and not the beginning of a sentence."""
    names = fold_line(text).replace(",", " ").split()
    # `de acuerdo` publishes, and yet many are called `de Vries`
    if not vocabulary.never_names.isdisjoint(name for name in names if name != "de"):
        return False
    if any(part in name for name in names for part in vocabulary.refusals_within):
        return False
    # Will and May are called so, and greeted by that alone
    is_one_name = len(names) == 1 and text[:1] == " " and text[1:2].isupper()
    if not is_one_name and any(name in _GOES_ON or name.endswith(_CONTRACTED) for name in names):
        return False
    # behind a comma a sentence may begin with any verb: there names are known by their capitals, unless one is alone
    return all(map(_are_surely_names, text.split(",")[1:]))


def _are_surely_names(text: str) -> bool:
    names = text.split()
    return len(names) == 1 or all(not name[0].islower() or fold_line(name) in _KNOWN_SMALL for name in names)
