"""Raw mail → whose subscription it ends: the unsubscribe address that it was sent to, or its plain first line.

Pure: ends nothing itself. Of a token it only says that it stands there; whether it is one of ours, and whether the
sender may be believed where there is none, is for others.
"""

from dataclasses import dataclass

from service.mail.lines import clean_line, fold_line, unwrap
from service.mail.parsing import parse_mail
from service.mail.replies import Reply
from service.mail.tokens import find_unsubscribe_tokens

REASON = "unsubscribe"
"""What such a mail is taken for."""

_WORDS = frozenset(
    """
    unsubscribe | please unsubscribe | unsubscribe me | please unsubscribe me | remove me | please remove me
    opt out | opt-out
    abmelden | bitte abmelden | abbestellen | bitte abbestellen | abmeldung | austragen | bitte austragen
    désabonner | me désabonner | se désabonner | désabonnement | désinscrire | me désinscrire | désinscription
    cancelar suscripción | darme de baja | darse de baja | dar de baja | baja
    cancelar inscrição | cancelar subscrição | cancelar assinatura | descadastrar
    annulla iscrizione | disiscrivimi | disiscriviti | disiscrizione | cancellami
    afmelden | uitschrijven | uitschrijving
    wypisz | wypisz mnie | anuluj subskrypcję
    avregistrera | avregistrera mig | avprenumerera | avsluta prenumeration
    afmeld | afmeld mig | frameld | avmeld | avmeld meg | avslutt abonnement
    peruuta tilaus | lopeta tilaus | peru tilaus
    отписаться | отписка | отпишите меня
    配信停止 | 登録解除 | 購読解除 | 退订 | 退訂 | 取消订阅 | 取消訂閱
    """.replace("\n", "|").split("|")
)
_LEAVES = frozenset(fold_line(clean_line(word)) for word in _WORDS if word.strip())


@dataclass(frozen=True, slots=True)
class Leaving:
    """A mail that ends a subscription."""

    tokens: tuple[str, ...]
    """Of the unsubscribe addresses that it was sent to. None: it is the sender's own wish, if it can be believed."""


def read_leaving(raw: bytes, reply: Reply) -> Leaving | None:
    """Tell whether a mail, which `reply` was read from, is to end a subscription.

    An automatic mail and a bounce never are, nor is an answer to a mail that asked for a decision. One to an
    unsubscribe address (RFC 2369 section 3.2) is, whatever it says and whoever sent it; another one is if its sender
    is clear and its first line is a word for it, in any language.
    """
    if reply.automatic or reply.tokens:
        return None
    if tokens := find_unsubscribe_tokens(parse_mail(raw).fields):
        return Leaving(tokens)
    return Leaving(()) if reply.sender and says_unsubscribe(reply.first_line) else None


def says_unsubscribe(line: str) -> bool:
    """Tell whether a line is exactly a word for unsubscribing."""
    return fold_line(unwrap(clean_line(line))) in _LEAVES
