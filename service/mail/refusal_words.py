"""Words that order nothing, by language: thanks, refusals, questions. Tables; `words` chooses from them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final


def _listed(words: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in words.split(","))


THANKS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "en": _listed("thanks, thank you, thx, noted, got it, acknowledged"),
        "de": _listed("danke, vielen dank, verstanden, zur kenntnis genommen"),
        "fr": _listed("merci, merci beaucoup, noté, bien reçu"),
        "es": _listed("gracias, muchas gracias, recibido, entendido"),
        "pt": _listed("obrigado, obrigada, recebido, entendido"),
        "it": _listed("grazie, ricevuto, capito"),
        "nl": _listed("bedankt, dank, dank je, begrepen"),
        # `no` is what Poles say for `well, yes`
        "pl": _listed("dziękuję, dziekuje, dzięki, przyjąłem, przyjęłam, no"),
        "sv": _listed("tack, tack så mycket, uppfattat"),
        "da": _listed("tak, mange tak, modtaget"),
        "no": _listed("takk, tusen takk, mottatt"),
        "fi": _listed("kiitos, kiitti, selvä"),
        "ru": _listed("спасибо, принято, понятно"),
        "ja": _listed("ありがとう, ありがとうございます, 了解, 了解です, 了解しました, 承知しました"),
        "zh": _listed("谢谢, 謝謝, 收到, 知道了, 好的"),
    }
)
"""What thanks or takes note and orders nothing; it may mean something else one border further (`tak`)."""

REFUSALS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "en": _listed(
            "no, nope, not, dont, cannot, never, stop, wait, hold, false, wrong, mistake, cancel, abort, undo, delay"
            ", later, tomorrow, until, unless"
        ),
        "de": _listed(
            "nein, nicht, nichts, kein, keine, keinen, nie, niemals, stop, stopp, halt, warte, wartet, warten, abwarten"
            ", falsch, irrtum, abbrechen, später, morgen"
        ),
        "fr": _listed(
            "non, ne, pas, jamais, rien, stop, arrêter, arrêtez, attends, attendez, attendre, fausse, faux"
            ", erreur, annuler, annulez, plus tard, demain"
        ),
        "es": _listed(
            "no, nunca, nada, alto, parar, espera, espere, esperar, esperen, falsa, falso, error, cancelar"
            ", después, luego, mañana"
        ),
        "pt": _listed(
            "não, nao, nunca, nada, pare, parar, espera, espere, esperar, aguarde, aguardar, falso, erro, cancelar"
            ", depois, amanhã"
        ),
        "it": _listed(
            "no, non, mai, niente, ferma, fermi, fermate, stop, aspetta, aspettate, attendi, attendere, falso, errore"
            ", annulla, dopo, domani"
        ),
        "nl": _listed(
            "nee, neen, niet, niets, geen, nooit, stop, stoppen, wacht, wachten, vals, loos, fout, vergissing, annuleer"
            ", annuleren, later, morgen"
        ),
        "pl": _listed(
            "nie, nigdy, nic, stop, stój, czekaj, poczekaj, czekajcie, zaczekaj, fałszywy, fałszywa, błąd, anuluj"
            ", później, jutro"
        ),
        "sv": _listed(
            "nej, inte, ej, aldrig, ingen, inget, stopp, stoppa, vänta, falskt, falsk, fel, avbryt, senare, imorgon"
        ),
        "da": _listed(
            "nej, ikke, aldrig, ingen, intet, stop, stands, vent, falsk, fejl, annuller, senere, i morgen"
        ),
        "no": _listed(
            "nei, ikke, ikkje, aldri, ingen, stopp, stans, vent, falsk, feil, avbryt, senere, i morgen"
        ),
        "fi": _listed(
            "ei, en, emme, eivät, älä, älkää, seis, odota, odottakaa, odotetaan, väärä, virhe, peru, peruuta"
            ", myöhemmin, huomenna"
        ),
        "ru": _listed(
            "нет, не, ни, нельзя, никогда, стоп, стой, подожди, подождите, погоди, погодите, ложная, ложное, ошибка"
            ", отмена, отмени, отмените, позже, завтра"
        ),
        "ja": _listed(
            "いいえ, ない, ません, しないで, やめ, 待, 中止, 停止, 取り消, 取消, 誤報, 誤り, 間違"
            ", 後で, あとで, まだ, 明日"
        ),
        "zh": _listed(
            "不, 别, 別, 没, 沒, 未, 勿, 等, 停, 慢, 误报, 誤報, 错, 錯, 取消, 撤, 稍后, 稍後, 明天, 暂, 暫"
        ),
    }
)
"""Words that keep a reply from publishing where any reply would, wherever they stand in it."""

DOUBTS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "en": _listed("yet, only, nothing, nobody, none, neither, sorry, yourself, myself, please"),
        "de": _listed("noch, erst, nur, niemand, bitte, selbst"),
        "fr": _listed("encore, seulement, personne, plus, tard, svp"),
        "es": _listed("todavía, aún, solo, sólo, nadie, primero"),
        "pt": _listed("ainda, só, apenas, ninguém, primeiro"),
        "it": _listed("ancora, solo, nessuno, prima"),
        "nl": _listed("nog, pas, alleen, niemand, eerst"),
        "pl": _listed("jeszcze, dopiero, tylko, nikt, najpierw"),
        "sv": _listed("än, ännu, först, bara"),
        "da": _listed("endnu, først, kun, bare"),
        "no": _listed("ennå, enda, først, kun, bare"),
        "fi": _listed("vielä, vasta, vain, ensin, tarpeen"),
        "ru": _listed("ещё, еще, пока, только, сначала, потом"),
        "ja": (),
        "zh": (),
    }
)
"""With these an order is put off, narrowed or left to others: `close only after lunch`."""

QUESTIONS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "en": _listed(
            "what, whats, why, who, which, how, when, where, should, shall, could, would, can, may, is, are, was, were"
            ", do, does, did, has, have, any"
        ),
        "de": _listed(
            "was, warum, wieso, weshalb, wer, welche, wie, wann, wo, soll, sollen, ist, sind, kann, können"
        ),
        "fr": _listed(
            "quoi, que, pourquoi, qui, quel, quelle, comment, quand, où, combien, est-ce, faut-il, dois-je"
        ),
        "es": _listed("qué, que, por qué, quién, cuál, cómo, cuándo, dónde, cuánto, debo, debemos, puedo"),
        "pt": _listed(
            "o que, que, por que, porque, quem, qual, como, quando, onde, quanto, devo, devemos, posso"
        ),
        "it": _listed("che, cosa, perché, chi, quale, come, quando, dove, quanto, devo, dobbiamo, posso"),
        "nl": _listed("wat, waarom, wie, welke, hoe, wanneer, waar, moet, moeten, is, zijn, kan, kunnen"),
        "pl": _listed("co, czemu, dlaczego, kto, który, która, jak, kiedy, gdzie, ile, czy, mam"),
        "sv": _listed("vad, varför, vem, vilken, vilka, hur, när, var, ska, skall, är, kan, har"),
        "da": _listed("hvad, hvorfor, hvem, hvilken, hvordan, hvornår, hvor, skal, er, kan, har"),
        "no": _listed("hva, hvorfor, hvem, hvilken, hvordan, når, hvor, skal, er, kan, har"),
        "fi": _listed(
            "mitä, mikä, miksi, kuka, miten, kuinka, milloin, missä, onko, pitäisikö, voiko, voinko"
        ),
        "ru": _listed("что, почему, зачем, кто, какой, какая, как, когда, где, сколько, можно, нужно"),
        "ja": _listed("か, かな, の"),
        "zh": _listed(
            "吗, 嗎, 呢, 什么, 什麼, 为什么, 為什麼, 谁, 誰, 哪, 怎么, 怎麼, 何时, 何時, 是否, 要不要"
        ),
    }
)
"""Words with which a question begins, in Japanese and Chinese also those with which it ends."""
