"""The words that are commands, by language, and those that never are. A table; how a line is compared is `commands`'.

A word that means one thing in one configured language and another in a second one is dropped, for nobody can
tell which was meant; `conflicts` names them for `replycast check`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Command(StrEnum):
    """What an employee orders by answering a mail."""

    PUBLISH = "publish"
    DISCARD = "discard"
    HOLD = "hold"
    UPDATE = "update"
    CLOSE = "close"
    STATUS = "status"
    HELP = "help"
    EDIT = "edit"
    """By `subject:` and `message:` lines, not by a word."""


P, D, HO, U, C, S, HE = (
    Command.PUBLISH,
    Command.DISCARD,
    Command.HOLD,
    Command.UPDATE,
    Command.CLOSE,
    Command.STATUS,
    Command.HELP,
)
_Table = Mapping[Command, tuple[str, ...]]

WORDS: Final[Mapping[str, _Table]] = MappingProxyType(
    {
        "en": {
            P: ("publish", "yes", "ok", "okay", "approve", "approved"),
            D: ("discard", "ignore", "no", "false alarm"),
            HO: ("hold",),
            U: ("update",),
            C: ("close",),
            S: ("status",),
            HE: ("help",),
        },
        "de": {
            P: ("veröffentlichen", "ja", "freigeben", "publizieren"),
            D: ("verwerfen", "ignorieren", "nein", "fehlalarm"),
            HO: ("zurückstellen", "halten"),
            U: ("aktualisieren", "neuigkeit"),
            C: ("schließen", "schliessen"),
            S: ("stand",),
            HE: ("hilfe",),
        },
        "fr": {
            P: ("publier", "oui", "approuver", "d'accord"),
            D: ("ignorer", "rejeter", "non", "fausse alerte"),
            HO: ("différer",),
            U: ("mettre à jour", "mise à jour"),
            C: ("fermer", "clore", "clôturer"),
            S: ("statut", "état"),
            HE: ("aide",),
        },
        "es": {
            P: ("publicar", "sí", "si", "aprobar"),
            D: ("descartar", "ignorar", "no", "falsa alarma"),
            HO: ("aplazar",),
            U: ("actualizar",),
            C: ("cerrar",),
            S: ("estado",),
            HE: ("ayuda",),
        },
        "pt": {
            P: ("publicar", "sim", "aprovar"),
            D: ("descartar", "ignorar", "não", "alarme falso"),
            HO: ("adiar",),
            U: ("atualizar",),
            C: ("fechar", "encerrar"),
            S: ("estado",),
            HE: ("ajuda",),
        },
        "it": {
            P: ("pubblica", "pubblicare", "sì", "approva"),
            D: ("scarta", "ignora", "no", "falso allarme"),
            HO: ("rimanda",),
            U: ("aggiorna",),
            C: ("chiudi",),
            S: ("stato",),
            HE: ("aiuto",),
        },
        "nl": {
            P: ("publiceren", "publiceer", "ja", "goedkeuren"),
            D: ("negeren", "verwerpen", "nee", "vals alarm"),
            HO: ("uitstellen",),
            U: ("bijwerken",),
            C: ("sluiten", "afsluiten"),
            S: ("stand",),
            HE: ("hulp",),
        },
        "pl": {
            P: ("publikuj", "opublikuj", "tak", "zatwierdź"),
            D: ("odrzuć", "ignoruj", "nie", "fałszywy alarm"),
            HO: ("wstrzymaj",),
            U: ("aktualizuj",),
            C: ("zamknij",),
            S: ("stan",),
            HE: ("pomoc",),
        },
        "sv": {
            P: ("publicera", "ja", "godkänn"),
            D: ("ignorera", "förkasta", "nej", "falskt larm"),
            HO: ("vänta med",),
            U: ("uppdatera",),
            C: ("stäng",),
            S: ("läge",),
            HE: ("hjälp",),
        },
        "da": {
            P: ("offentliggør", "udgiv", "ja", "godkend"),
            D: ("ignorer", "kassér", "nej", "falsk alarm"),
            HO: ("udskyd",),
            U: ("opdater",),
            C: ("luk",),
            S: ("tilstand",),
            HE: ("hjælp",),
        },
        "no": {
            P: ("publiser", "ja", "godkjenn"),
            D: ("ignorer", "forkast", "nei", "falsk alarm"),
            HO: ("utsett",),
            U: ("oppdater",),
            C: ("lukk",),
            S: ("tilstand",),
            HE: ("hjelp",),
        },
        "fi": {
            P: ("julkaise", "kyllä", "hyväksy"),
            D: ("hylkää", "ohita", "ei", "väärä hälytys"),
            HO: ("lykkää",),
            U: ("päivitä",),
            C: ("sulje",),
            S: ("tila",),
            HE: ("apua", "ohje"),
        },
        "ru": {
            P: ("опубликовать", "да", "одобрить"),
            D: ("отклонить", "игнорировать", "нет", "ложная тревога"),
            HO: ("отложить",),
            U: ("обновить",),
            C: ("закрыть",),
            S: ("статус",),
            HE: ("помощь",),
        },
        "ja": {
            P: ("公開", "公開する", "はい", "承認"),
            D: ("破棄", "無視", "いいえ", "誤報"),
            HO: ("保留",),
            U: ("更新",),
            C: ("終了", "クローズ"),
            S: ("状況",),
            HE: ("ヘルプ",),
        },
        "zh": {
            P: ("发布", "發布", "是", "批准"),
            D: ("丢弃", "忽略", "否", "误报", "誤報"),
            HO: ("暂缓", "暫緩"),
            U: ("更新",),
            C: ("关闭", "關閉"),
            S: ("状态", "狀態"),
            HE: ("帮助", "幫助"),
        },
    }
)
"""By language (ISO 639-1); lower-case, single spaces."""

REFUSALS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "en": (
            "no",
            "not",
            "don't",
            "dont",
            "do not",
            "never",
            "stop",
            "wait",
            "hold",
            "false",
            "cancel",
            "later",
        ),
        "de": ("nein", "nicht", "kein", "keine", "stopp", "halt", "warte", "warten", "später", "fehlalarm"),
        "fr": ("non", "ne", "pas", "stop", "attends", "attendez", "attendre", "fausse", "plus tard"),
        "es": ("no", "nunca", "alto", "espera", "espere", "falsa", "después"),
        "pt": ("não", "nunca", "pare", "espera", "espere", "falso", "depois"),
        "it": ("no", "non", "mai", "ferma", "aspetta", "falso", "dopo"),
        "nl": ("nee", "niet", "geen", "stop", "wacht", "vals", "later"),
        "pl": ("nie", "stop", "czekaj", "poczekaj", "fałszywy", "później"),
        "sv": ("nej", "inte", "stopp", "vänta", "falskt", "senare"),
        "da": ("nej", "ikke", "stop", "vent", "falsk", "senere"),
        "no": ("nei", "ikke", "stopp", "vent", "falsk", "senere"),
        "fi": ("ei", "älä", "seis", "odota", "väärä", "myöhemmin"),
        "ru": ("нет", "не", "стоп", "подожди", "подождите", "ложная", "позже"),
        "ja": ("いいえ", "しないで", "待って", "待て", "誤報", "後で"),
        "zh": ("不", "别", "別", "等", "误报", "誤報", "稍后"),
    }
)
"""Words that keep a reply from publishing where any reply would."""

THANKS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "en": ("thanks", "thank you", "noted"),
        "de": ("danke",),
        "fr": ("merci",),
        "es": ("gracias",),
        "pt": ("obrigado", "obrigada"),
        "it": ("grazie",),
        "nl": ("bedankt", "dank"),
        "pl": ("dziękuję", "dzięki"),
        "sv": ("tack",),
        "da": ("tak",),
        "no": ("takk",),
        "fi": ("kiitos",),
        "ru": ("спасибо",),
        "ja": ("ありがとう",),
        "zh": ("谢谢", "謝謝"),
    }
)
"""Words that order nothing, and that may mean something else one border further (Danish and Polish `tak`)."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words of the configured languages; English ones always count."""

    words: Mapping[str, Command]
    refusals: frozenset[str]
    cjk_refusals: tuple[str, ...] = ()
    """Those of languages that write no spaces: they count wherever they stand."""


def vocabulary(languages: Sequence[str], own: Mapping[str, Sequence[str]]) -> Vocabulary:
    """Put the words of some languages and a company's own together, without those that conflict."""
    meanings = _meanings(languages, own)
    chosen = tuple(dict.fromkeys(("en", *languages)))
    refusals = [word for language in chosen for word in REFUSALS.get(language, ())]
    return Vocabulary(
        words=MappingProxyType(
            {
                word: command
                for word, found in meanings.items()
                for command in found
                if command is not None and len(found) == 1
            }
        ),
        refusals=frozenset(refusals),
        cjk_refusals=tuple(
            word for language in ("ja", "zh") if language in chosen for word in REFUSALS[language]
        ),
    )


def conflicts(languages: Sequence[str], own: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Name the words that mean two things in the configured languages, and so count as neither."""
    return tuple(
        f"`{word}` means {' and '.join(sorted(found.values()))}: it orders nothing"
        for word, found in _meanings(languages, own).items()
        if len(found) > 1
    )


_Meanings = dict[Command | None, str]


def _meanings(languages: Sequence[str], own: Mapping[str, Sequence[str]]) -> dict[str, _Meanings]:
    meanings: dict[str, _Meanings] = {}
    for language in dict.fromkeys(("en", *languages)):
        for command, words in WORDS.get(language, {}).items():
            for word in words:
                meanings.setdefault(word, {}).setdefault(command, f"{command} in {language}")
        for word in THANKS.get(language, ()):
            meanings.setdefault(word, {}).setdefault(None, f"thanks in {language}")
    for name, theirs in own.items():
        for word in theirs:
            folded = " ".join(word.lower().split())
            meanings.setdefault(folded, {}).setdefault(Command(name), f"{name} in config.yaml")
    return meanings


ENGLISH: Final = vocabulary(("en",), {})
