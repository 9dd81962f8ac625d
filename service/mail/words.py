"""The words that are commands, by language, and what of them counts where. How a line is compared is `commands`'.

Only the words of configured languages count, and English ones. A word that means one thing in one of them and
another in a second counts as neither, for nobody can tell which was meant; `conflicts` names them.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from service.mail.lines import clean_line, fold_line, unwrap
from service.mail.refusal_words import DOUBTS, QUESTIONS, REFUSALS, THANKS
from service.model import UpdateStatus


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


class EditedField(StrEnum):
    """What an edit may change."""

    SUBJECT = "subject"
    MESSAGE = "message"


_BY_WORD: Final = tuple(command for command in Command if command is not Command.EDIT)
_CLOSES: Final = {"resolved": UpdateStatus.RESOLVED}
_NAMED: Final = (UpdateStatus.INVESTIGATING, UpdateStatus.IDENTIFIED, UpdateStatus.MONITORING)


def _listed(words: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in words.split(","))


def _row(*columns: str) -> Mapping[Command, tuple[str, ...]]:
    """Give the words for publish, discard, hold, update, close, status and help, in this order."""
    return MappingProxyType(dict(zip(_BY_WORD, map(_listed, columns), strict=True)))


WORDS: Final[Mapping[str, Mapping[Command, tuple[str, ...]]]] = MappingProxyType(
    {
        "en": _row(
            "publish, yes, ok, okay, approve, approved",
            "discard, ignore, no, false alarm, dismiss, reject",
            "hold, snooze, postpone",
            "update",
            "close, resolve",
            "status",
            "help",
        ),
        "de": _row(
            "veröffentlichen, veroeffentlichen, veröffentliche, publizieren, ja, freigeben, genehmigt, einverstanden",
            "verwerfen, ignorieren, nein, fehlalarm, ablehnen",
            "halten, zurückstellen, zurueckstellen, verschieben, aufschieben",
            "aktualisieren, aktualisierung, neuigkeit",
            "schließen, schliessen, abschließen, abschliessen, beenden",
            "stand",
            "hilfe",
        ),
        "fr": _row(
            "publier, publie, publiez, oui, approuver, approuvé, valider, validé, d'accord",
            "ignorer, rejeter, abandonner, non, fausse alerte",
            "différer, reporter, suspendre",
            "mettre à jour, mise à jour, actualiser",
            "fermer, clore, clôturer, cloturer",
            "statut, état",
            "aide",
        ),
        "es": _row(
            "publicar, publica, publique, sí, si, aprobar, aprobado, de acuerdo",
            "descartar, ignorar, rechazar, no, falsa alarma",
            "aplazar, posponer",
            "actualizar, actualización, actualizacion",
            "cerrar",
            "estado",
            "ayuda",
        ),
        "pt": _row(
            "publicar, publique, sim, aprovar, aprovado, de acordo",
            "descartar, ignorar, rejeitar, não, nao, alarme falso, falso alarme",
            "adiar",
            "atualizar, actualizar, atualização, atualizacao",
            "fechar, encerrar",
            "estado, situação",
            "ajuda",
        ),
        "it": _row(
            "pubblica, pubblicare, pubblicate, sì, si, approva, approvare, approvato, d'accordo, va bene",
            "scarta, scartare, ignora, ignorare, no, falso allarme",
            "rimanda, rimandare, rinvia, rinviare",
            "aggiorna, aggiornare, aggiornamento",
            "chiudi, chiudere",
            "stato",
            "aiuto",
        ),
        "nl": _row(
            "publiceren, publiceer, ja, akkoord, goedkeuren, goedgekeurd",
            "negeren, negeer, verwerpen, verwerp, afwijzen, nee, vals alarm, loos alarm",
            "uitstellen, aanhouden",
            "bijwerken",
            "sluiten, afsluiten",
            "stand",
            "hulp",
        ),
        "pl": _row(
            "publikuj, opublikuj, opublikować, opublikowac, tak, zatwierdź, zatwierdz, zatwierdzam, zgoda",
            "odrzuć, odrzuc, ignoruj, zignoruj, nie, fałszywy alarm, falszywy alarm",
            "wstrzymaj, odłóż, odloz",
            "aktualizuj, zaktualizuj, aktualizacja",
            "zamknij",
            "stan",
            "pomoc",
        ),
        "sv": _row(
            "publicera, ja, godkänn, godkänd, godkänt",
            "ignorera, förkasta, avvisa, nej, falskt larm, falsklarm",
            "skjut upp, avvakta, vänta med",
            "uppdatera, uppdatering",
            "stäng, stänga, avsluta",
            "läge, läget",
            "hjälp",
        ),
        "da": _row(
            "offentliggør, udgiv, publicer, publicér, ja, godkend, godkendt",
            "ignorer, forkast, kassér, kasser, afvis, nej, falsk alarm",
            "udskyd",
            "opdater, opdatér, opdatering",
            "luk, afslut",
            "tilstand",
            "hjælp",
        ),
        "no": _row(
            "publiser, ja, godkjenn, godkjent",
            "ignorer, forkast, avvis, nei, falsk alarm",
            "utsett",
            "oppdater, oppdatering",
            "lukk, avslutt",
            "tilstand",
            "hjelp",
        ),
        "fi": _row(
            "julkaise, julkaistaan, kyllä, hyväksy, hyväksytty",
            "hylkää, ohita, ei, väärä hälytys",
            "lykkää",
            "päivitä, päivitys",
            "sulje",
            "tila, tilanne",
            "apua, ohje",
        ),
        "ru": _row(
            "опубликовать, опубликуй, опубликуйте, публикуй, публикуйте, да, одобрить, одобряю",
            "отклонить, игнорировать, нет, ложная тревога, ложное срабатывание",
            "отложить, отложи, отложите",
            "обновить, обновление",
            "закрыть, закрой, закройте",
            "статус, состояние",
            "помощь, справка",
        ),
        "ja": _row(
            "公開, 公開する, 公開して, 公開してください, はい, 承認, 承認します",
            "破棄, 無視, 却下, いいえ, 誤報",
            "保留, 延期",
            "更新",
            "終了, 閉じる, クローズ",
            "状況, ステータス",
            "ヘルプ",
        ),
        "zh": _row(
            "发布, 發布, 公布, 是, 是的, 同意, 批准",
            "丢弃, 丟棄, 忽略, 否, 不, 误报, 誤報",
            "暂缓, 暫緩, 推迟, 推遲",
            "更新",
            "关闭, 關閉",
            "状态, 狀態",
            "帮助, 幫助",
        ),
    }
)
"""By language (ISO 639-1): folded by `fold_line`, single spaces."""

FIELDS: Final[Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]] = MappingProxyType(
    {
        "en": (_listed("subject"), _listed("message")),
        "de": (_listed("betreff"), _listed("nachricht, text")),
        "fr": (_listed("objet, sujet"), _listed("message, texte")),
        "es": (_listed("asunto"), _listed("mensaje, texto")),
        "pt": (_listed("assunto"), _listed("mensagem, texto")),
        "it": (_listed("oggetto"), _listed("messaggio, testo")),
        "nl": (_listed("onderwerp"), _listed("bericht, tekst")),
        "pl": (_listed("temat"), _listed("wiadomość, wiadomosc, treść, tresc")),
        "sv": (_listed("ämne"), _listed("meddelande, text")),
        "da": (_listed("emne"), _listed("besked, tekst")),
        "no": (_listed("emne"), _listed("melding, tekst")),
        "fi": (_listed("aihe"), _listed("viesti, teksti")),
        "ru": (_listed("тема"), _listed("сообщение, текст")),
        "ja": (_listed("件名"), _listed("本文, メッセージ")),
        "zh": (_listed("主题, 主題"), _listed("正文, 内容, 內容")),
    }
)
"""What stands before the colon of a line that changes the subject or the message."""

ANY_FIELD: Final = frozenset(word for pair in FIELDS.values() for words in pair for word in words)
"""Those of all languages, configured or not: under `publish` they were meant for something."""

STATUSES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "en": ("investigating", "identified", "monitoring"),
        "de": ("untersuchung", "erkannt", "beobachtung"),
        "fr": ("investigation", "identifié", "surveillance"),
        "es": ("investigando", "identificado", "supervisando"),
        "pt": ("investigando", "identificado", "monitorando"),
        "it": ("indagine", "identificato", "monitoraggio"),
        "nl": ("onderzoek", "gevonden", "bewaking"),
        "pl": ("badanie", "zidentyfikowano", "monitorowanie"),
        "sv": ("undersöks", "identifierat", "övervakas"),
        "da": ("undersøges", "identificeret", "overvåges"),
        "no": ("undersøkes", "identifisert", "overvåkes"),
        "fi": ("selvitetään", "tunnistettu", "seurataan"),
        "ru": ("расследование", "выявлено", "наблюдение"),
        "ja": ("調査中", "原因特定", "監視中"),
        "zh": ("调查中", "已确认", "监控中"),
    }
)
"""Words for investigating, identified and monitoring, in this order; `resolved` is English alone: it closes."""

UNSPACED: Final = frozenset({"ja", "zh"})
"""Languages that write no space between words: a word of theirs counts within others."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What counts as a word in an installation: its languages', its own, and always the English ones; all folded."""

    words: Mapping[str, Command]
    fields: Mapping[str, EditedField]
    statuses: Mapping[str, UpdateStatus]
    refusals: frozenset[str]
    """Words and phrases that keep any reply from publishing; those that discard or hold are among them."""
    doubts: frozenset[str]
    """Words that put an order off, narrow it or leave it to others."""
    questions: frozenset[str]
    """Words with which a question begins."""
    refusals_within: tuple[str, ...]
    """As `refusals`, of languages without spaces."""
    question_ends: tuple[str, ...]
    never_names: frozenset[str]
    """What makes of a greeting more than one: `Hi, don't`."""


def vocabulary(languages: Sequence[str], own: Mapping[str, Sequence[str]]) -> Vocabulary:
    """Put the words of some languages and a company's own together, without those that conflict.

    `own` gives words by the name of their command. Raises ValueError for a name that is no command's.
    """
    words = {
        word: command
        for word, command in ((word, _settled(found)) for word, found in _meanings(languages, own).items())
        if command is not None
    }
    chosen = _chosen(languages)
    spaced = [language for language in chosen if language not in UNSPACED]
    unspaced = [language for language in chosen if language in UNSPACED]
    refusals = frozenset(_of(REFUSALS, spaced)) | {
        word for word, command in words.items() if command in {Command.DISCARD, Command.HOLD}
    }
    shown = refusals | {word for word, command in words.items() if command is Command.PUBLISH}
    return Vocabulary(
        words=MappingProxyType(words),
        fields=MappingProxyType({word: name for language in chosen for name, word in _fields(language)}),
        statuses=MappingProxyType(
            _CLOSES | {word: status for language in chosen for word, status in _statuses(language)}
        ),
        refusals=refusals,
        doubts=frozenset(_of(DOUBTS, spaced)),
        questions=frozenset(fold_line(word) for word in _of(QUESTIONS, spaced)),
        refusals_within=tuple(_of(REFUSALS, unspaced)),
        question_ends=tuple(_of(QUESTIONS, unspaced)),
        never_names=frozenset(part for phrase in shown for part in phrase.split()) | {"please", "do", "it"},
    )


def conflicts(languages: Sequence[str], own: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Name the words that mean two things in the configured languages, and so count as neither.

    Each is a sentence for `replycast check`. Giving the word to one of its meanings in config.yaml settles it.
    """
    return tuple(
        f"`{word}` means {' and '.join(sorted(found.all.values()))}: it orders nothing"
        for word, found in _meanings(languages, own).items()
        if len(found.all) > 1 and _settled(found) is None
    )


@dataclass(slots=True)
class _Found:
    """What a word means, and where: None stands for thanks and refusals, `own` for what config.yaml makes of it."""

    meanings: dict[Command | None, str] = field(default_factory=dict)
    own: dict[Command, str] = field(default_factory=dict)

    @property
    def all(self) -> dict[Command | None, str]:
        return self.meanings | dict(self.own.items())


def _settled(found: _Found) -> Command | None:
    """Give the one meaning of a word. config.yaml may choose among several, but adds none to them."""
    own = tuple(found.own)
    if len(own) == 1 and (own[0] in found.meanings or not found.meanings):
        return own[0]
    return next(iter(found.all)) if len(found.all) == 1 else None


def _meanings(languages: Sequence[str], own: Mapping[str, Sequence[str]]) -> dict[str, _Found]:
    known: dict[str, _Found] = defaultdict(_Found)
    for language in _chosen(languages):
        for command, words in WORDS[language].items():
            for word in words:
                known[fold_line(word)].meanings.setdefault(command, f"{command} in {language}")
        for word in THANKS[language]:
            known[fold_line(word)].meanings.setdefault(None, f"thanks in {language}")
    for name, theirs in own.items():
        command = Command(name)
        for word in map(_fold_own, theirs):
            known[word].own[command] = f"{command} in config.yaml"
            for language in _chosen(languages):
                if not known[word].meanings and command is Command.PUBLISH and word in REFUSALS[language]:
                    known[word].meanings[None] = f"a refusal in {language}"
    return dict(known)


def _fold_own(word: str) -> str:
    return fold_line(unwrap(clean_line(word)))


def _chosen(languages: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(("en", *(language for language in languages if language in WORDS))))


def _of(table: Mapping[str, tuple[str, ...]], languages: Iterable[str]) -> Iterator[str]:
    return (word for language in languages for word in table[language])


def _fields(language: str) -> Iterator[tuple[EditedField, str]]:
    named = zip(EditedField, FIELDS[language], strict=True)
    return ((name, fold_line(word)) for name, words in named for word in words)


def _statuses(language: str) -> Iterator[tuple[str, UpdateStatus]]:
    return zip(map(fold_line, STATUSES[language]), _NAMED, strict=True)


ENGLISH: Final = vocabulary((), {})
