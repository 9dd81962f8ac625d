"""Words that order nothing: thanks, refusals, doubts, questions, and what tells news from them.

Tables. Those by language are chosen from by `words`; the others hold all languages, for they mean the same in each.
"""

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
        "en": _listed(
            "yet, only, nothing, nobody, none, neither, sorry, please, yourself, myself, me, him, about, via, better"
            ", when, whenever, if, once, after, before, till, maybe, perhaps, possibly, almost, nearly, half, soon"
            ", today, tonight, noon, monday, tuesday, wednesday, thursday, friday, saturday, sunday, asap, slack"
        ),
        "de": _listed(
            "noch, erst, nur, niemand, bitte, selbst, mir, mich, uns, wenn, falls, sobald, sofern, bevor, nachdem"
            ", bis, nach, vielleicht, fast, beinahe, halb, bald, gleich, heute, montag, dienstag, mittwoch"
            ", donnerstag, freitag, samstag, sonntag"
        ),
        "fr": _listed(
            "encore, seulement, personne, plus, tard, svp, moi, quand, lorsque, si, dès, après, avant, jusqu'à"
            ", peut-être, presque, bientôt, aujourd'hui, lundi, mardi, mercredi, jeudi, vendredi, samedi, dimanche"
        ),
        "es": _listed(
            "todavía, aún, solo, sólo, nadie, primero, cuando, si, antes, hasta, quizás, casi, pronto, hoy, lunes"
            ", martes, miércoles, jueves, viernes, sábado, domingo"
        ),
        "pt": _listed(
            "ainda, só, apenas, ninguém, primeiro, quando, se, antes, após, até, talvez, quase, logo, hoje, segunda"
            ", terça, quarta, quinta, sexta, sábado, domingo"
        ),
        "it": _listed(
            "ancora, solo, nessuno, prima, quando, se, appena, fino, forse, quasi, presto, oggi, stasera, lunedì"
            ", martedì, mercoledì, giovedì, venerdì, sabato, domenica"
        ),
        "nl": _listed(
            "nog, pas, alleen, niemand, eerst, als, wanneer, zodra, nadat, voordat, totdat, misschien, bijna, straks"
            ", vandaag, vanavond, maandag, dinsdag, woensdag, donderdag, vrijdag, zaterdag, zondag"
        ),
        "pl": _listed(
            "jeszcze, dopiero, tylko, nikt, najpierw, gdy, kiedy, jeśli, jeżeli, jak, zanim, aż, może, prawie"
            ", wkrótce, dziś, dzisiaj, poniedziałek, wtorek, środa, czwartek, piątek, sobota, niedziela"
        ),
        "sv": _listed(
            "än, ännu, först, bara, när, efter, innan, tills, kanske, nästan, snart, idag, ikväll, måndag, tisdag"
            ", onsdag, torsdag, fredag, lördag, söndag"
        ),
        "da": _listed(
            "endnu, først, kun, bare, når, hvis, efter, inden, indtil, måske, næsten, snart, mandag, tirsdag, onsdag"
            ", torsdag, fredag, lørdag, søndag"
        ),
        "no": _listed(
            "ennå, enda, først, kun, bare, når, hvis, etter, innen, inntil, kanskje, nesten, snart, mandag, tirsdag"
            ", onsdag, torsdag, fredag, lørdag, søndag"
        ),
        "fi": _listed(
            "vielä, vasta, vain, ensin, tarpeen, kun, jos, kunnes, ennen, jälkeen, ehkä, melkein, pian, tänään"
            ", maanantai, tiistai, keskiviikko, torstai, perjantai, lauantai, sunnuntai"
        ),
        "ru": _listed(
            "ещё, еще, пока, только, сначала, потом, когда, если, после, до, как, может, почти, скоро, сегодня"
            ", понедельник, вторник, среда, четверг, пятница, суббота, воскресенье"
        ),
        "ja": (),
        "zh": (),
    }
)
"""With these an order is put off, narrowed or left to others: `close only after lunch`."""

GOES_ON: Final = frozenset(
    _listed(
        "us, you, her, them, everyone, everybody, anyone, anybody, to, on, off, by, in, at, up, out, from, as, is"
        ", are, was, will, can, must, should, follows, coming, enough, call, now, later, first, again, but, folgt"
        ", kommt, suit, sigue, segue, luego, volgt, komt, graag, följer, kommer, følger, seuraa, следует"
    )
)
"""With what a sentence goes on that only begins like an order: `close to the limit`. Written small, and first."""

PLEAS: Final = frozenset(
    _listed("please, pls, bitte, svp, plaît, favor, favore, alstublieft, graag, proszę, snälla, пожалуйста")
)
"""Words that ask somebody, wherever they stand."""

TELLERS: Final = frozenset(
    _listed("i, we, they, there, it, this, that, ich, wir, es, nous, il, nosotros, nós, noi, wij, vi, мы")
)
"""Who tells: what follows is a sentence of its own, which may doubt what it likes."""

DONE: Final = frozenset(
    _listed(
        "fixed, solved, resolved, recovered, restored, repaired, replaced, restarted, rebooted, deployed, found"
        ", identified, works, worked, broken, delayed, down, behoben, gelöst, repariert, ersetzt, gefunden"
        ", wiederhergestellt, verzögert, résolu, réparé, corrigé, rétabli, resuelto, solucionado, reparado, corregido"
        ", resolvido, corrigido, restabelecido, risolto, riparato, corretto, ripristinato, opgelost, hersteld"
        ", verholpen, rozwiązane, rozwiązany, naprawione, naprawiony, usunięte, löst, åtgärdat, fixat, løst, fikset"
        ", rettet, utbedret, udbedret, korjattu, ratkaistu, исправлено, решено, устранено, восстановлено"
    )
)
"""Words that end a short text about what is so: `Problem solved`."""

DONE_WHOLE: Final = frozenset(
    _listed(
        "done, finished, over, it's over, works again, working again, up again, all good, all well, erledigt, vorbei"
        ", geht wieder, läuft wieder, terminé, terminado, concluído, completato, afgerond, gotowe, klart, færdig"
        ", ferdig, valmis, готово"
    )
)
"""Such texts, of words that elsewhere may say anything."""

AFTER: Final = frozenset(
    _listed("after, nach, après, después, após, depois, dopo, na, po, efter, etter, jälkeen, после")
)
"""Doubts that are none behind what is done: `Fixed after a restart`."""

HARMED: Final = frozenset(
    _listed(
        "affected, concerned, lost, betroffen, verloren, touché, touchés, perdu, perdus, afectado, afectados, perdido"
        ", perdidos, afetado, afetados, coinvolto, coinvolti, perso, persi, getroffen, verdwenen, dotknięte, utracone"
        ", drabbad, drabbade, berørt, berørte, затронуты, потеряны"
    )
)
"""What a text denies or narrows that begins with a refusal or a doubt: `no mails are lost`."""

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
