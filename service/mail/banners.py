"""External-mail banners: what gateways put above a person's first line, in any of the languages that ship.

At most one is ever passed over, with a tip beside it. Never decides what the line below means.
"""

import re
from collections.abc import Sequence
from typing import Final

from service.mail.lines import clean_line, is_wide
from service.mail.words import WORDS, Command

LONG_ENOUGH_TO_WRAP: Final = 50
TOO_LONG_TO_WRAP: Final = 100
"""Characters: a line shorter or longer than these was not broken by a client that wraps at 72 or so."""
_MOST_BANNER_LINES: Final = 8
_LONGEST_SMALL_WORD: Final = 3

# What warns: the first word or two of a banner, or the whole of it. Nothing is given back of what stands between
# words, or a line of marks alone takes time that grows with the square of its length.
_WARNING: Final = (
    r"(?:caution|warning|attention|notice|important|alert|achtung|vorsicht|hinweis|warnung|avertissement"
    r"|precaución|atención|advertencia|aviso|cuidado|atenção|attenzione|avviso|let op|waarschuwing|uwaga"
    r"|varning|obs|advarsel|huomio|varoitus|внимание|осторожно|предупреждение|注意|警告|重要"
    r"|ext|extern[eoa]?s?|externí|external|внешнее|外部|zewnętrzn[ya])"
    r"(?: ?(?:e-?mail|mail|message|sender|absender|nachricht|courriel|correo|mensaje|mensagem|afzender|avsändare"
    r"|afsender|avsender|письмо|отправитель|メール|邮件|郵件))?(?!\w)"
)
_LEAD: Final = rf"\W*+{_WARNING}(?:\W*+{_WARNING})?\W*+"
_TAG: Final = re.compile(
    rf"(?=.*(?:ext|外部|внешн|zewn)){_LEAD}"
    r"|\W*+this (?:message|e-?mail) is from an (?:external|untrusted|unknown|unverified) (?:sender|source)\W*+"
)
_FIRST_CONTACT: Final = (
    r"(?:you|some people who received this message) don['\u2019]t often get e-?mail from ",
    r"sie erhalten nicht (?:oft|häufig) eine e-?mail von ",
    r"vous (?:n['\u2019]obtenez|ne recevez) pas souvent d['\u2019]e-?mails? ",
    r"no suele recibir correo electrónico de ",
    r"você não costuma receber e-?mails de ",
    r"non si ricevono spesso messaggi di posta elettronica da ",
    r"u ontvangt niet vaak e-?mail van ",
    r"nie otrzymujesz często wiadomości e-?mail z ",
    r"du (?:får|modtager) (?:inte|ikke) ofte (?:e-?post|mails?|e-?mails?) (?:från|fra) ",
    r"et saa usein sähköpostia osoitteesta ",
    r"вы нечасто получаете (?:письма|почту|сообщения) ",
    r".{0,60}からメールを受け取る(?:頻度|こと)は",
    r"你(?:通常)?不(?:会|會|常|经常|經常).{0,10}收到来自 ",
)
"""Microsoft's tip, which stands above or below a company's own banner."""
_SENTENCES: Final = (
    r"this (?:e-?mail|message|mail) (?:was|is|has|originate[ds]|came|comes)\b.{0,40}\b(?:outside|external(?:ly)?)\b",
    r"be careful with this message\b.{0,60}\b(?:outside|external)\b",
    r"think before you click\b.{0,40}\bexternal\b",
    r"diese (?:e-?mail|nachricht|mail) .{0,60}(?:außerhalb|extern)",
    r"ce(?:t|tte)? (?:courriel|message|mail|e-?mail) .{0,60}(?:extérieur|externe)",
    r"est[ea] (?:correo|mensaje|e-?mail|mensagem) .{0,60}(?:fuera de|extern|fora da|de fora)",
    r"quest[ao] (?:e-?mail|messaggio) .{0,60}(?:estern|al di fuori|fuori)",
    r"dez[e] (?:e-?mail|mail) .{0,60}(?:buiten|extern)|dit bericht .{0,60}(?:buiten|extern)",
    r"(?:ta|niniejsza) wiadomość .{0,60}(?:spoza|zewnętrzn)",
    r"(?:detta|det här|denne|denna|dette) (?:e-?post|e-?mail|meddelande|mail|besked|melding)\w* .{0,60}ut[ae]nf[öo]r",
    r"(?:detta|det här|denne|denna|dette) (?:e-?post|e-?mail|meddelande|mail|besked|melding)\w* .{0,60}e[xk]s?tern",
    r"denne (?:e-?mail|mail|besked) .{0,60}(?:udefra|uden for)",
    r"tämä (?:viesti|sähköposti) .{0,60}(?:ulkopuol|ulkois)",
    r"это (?:письмо|сообщение) .{0,60}(?:извне|внешн|из-за пределов)",
    r"この(?:メール|メッセージ)は.{0,40}(?:外部|社外|組織外)",
    r"[此本该該这這](?:封|个|個)?(?:邮件|郵件|电子邮件|電子郵件).{0,30}(?:外部|组织外|組織外)",
)
_SENTENCE: Final = re.compile(rf"(?:{_LEAD}|\W*+)(?:{'|'.join(_SENTENCES)})")
_TIP: Final = re.compile(rf"(?:{_LEAD}|\W*+)(?:{'|'.join(_FIRST_CONTACT)})")
_OBJECTS: Final = (
    r"\blinks?\b|\battachment|\bsender|suspicious|phishing|malicious|content is safe|verknüpfung|\banhäng|\banhang"
    r"|absender|verdächtig|\bliens?\b|pièces? jointes?|expéditeur|enlace|vínculo|adjunto|remitente|\banexo|remetente"
    r"|\ballegat|collegament|mittente|koppeling|bijlage|afzender|\błącz|załącznik|nadawc|\blänk|bifoga|\bbilag|avsändar"
    r"|vedhæft|afsender|\blenke|vedlegg|avsender|linkk|\bliit|lähettäj|ссыл|вложен|отправител"
    r"|リンク|添付|送信者|差出人|链接|連結|鏈接|附件|发件人|寄件者"
)
"""What a gateway's advice is about. Without one it may be a condition of whoever writes: `Don't open this yet.`"""
_ADVICE: Final = (
    r"this (?:e-?mail|message) (?:was|has|came|comes|originate[ds]|may|might|could|appears|seems|contains)\b"
    r"|(?:please )?(?:do not|don['\u2019]t|never) (?:click|open|reply|respond|follow)"
    r"|unless you (?:recogni[sz]e|know|trust|expect|are expecting|were expecting|verif|can verify|have verified)"
    r"|(?:please )?(?:exercise|use) (?:extreme )?caution|be (?:careful|cautious)"
    r"|if you (?:suspect|believe|do not|don['\u2019]t|are (?:not sure|unsure|uncertain|in doubt|suspicious))"
    r"|you have not previously"
    r"|klicken sie|öffnen sie|n['\u2019]ouvrez|ne cliquez|no (?:haga clic|abra)|não (?:clique|abra)"
    r"|non (?:fare clic|aprire|cliccare)|klik niet|open geen|nie (?:klikaj|otwieraj)|klicka inte|öppna inte"
    r"|klik ikke|klikk ikke|älä (?:napsauta|avaa)|не (?:переходите|открывайте|нажимайте)|リンク|请勿|請勿"
)
_WHY: Final = (
    r"learn why|erfahren sie|pourquoi c['\u2019]est|découvrez pourquoi|por qué esto es|saiba por que"
    r"|informazioni sul perché|meer informatie over waarom|dowiedz się, dlaczego|läs (?:om|mer om) varför"
    r"|få mere at vide|finn ut hvorfor|lisätietoja|узнайте, почему|これが|了解(?:这|這|为|為)"
)
_IMPORTANT: Final = (
    r"(?:important|wichtig|importante|belangrijk|ważne|viktigt?|vigtigt?|tärkeää|важно|重要)(?:e| is| ist)?"
)
_ADVISES: Final = (
    rf"(?:(?=.{{0,80}}(?:{_OBJECTS}))(?:{_ADVICE})|(?:{_WHY}).{{0,40}}{_IMPORTANT}|{_SENTENCES[0]}"
    r"|(?:please )?(?:be (?:careful|cautious)|(?:exercise|use) (?:extreme )?caution)\W*$)"
)
_MORE: Final = re.compile(rf"\W*+{_ADVISES}")
_TAG_WITH_ADVICE: Final = re.compile(rf"(?=.{{0,40}}(?:ext|外部|внешн|zewn)){_LEAD}{_ADVISES}")
_ACTING: Final = frozenset(
    word
    for table in WORDS.values()
    for command, words in table.items()
    if command not in {Command.STATUS, Command.HELP}
    for word in words
    if len(word) > _LONGEST_SMALL_WORD or (is_wide(word[0]) and len(word) > 1)
)
_ORDER: Final = re.compile(
    rf"\b(?:{'|'.join(word for word in _ACTING if not is_wide(word[0]))})\b"
    rf"|{'|'.join(word for word in _ACTING if is_wide(word[0]))}"
)
"""What no gateway writes: an order of any language; `no`, `si` and `ja` stand in advice too."""
_END: Final = re.compile(
    r"(?:[.!?:\]>*\u3002]|this is important|wichtig ist|important|importante|belangrijk is|ważne|viktigt|vigtigt"
    r"|viktig|tärkeää|важно|重要)$"
)
_RULE: Final = re.compile(r"[-=*_~#\u2500\u2014]{3,}")
_PROOFPOINT_START, _PROOFPOINT_END = "zjqcmqryfpfptbannerstart", "zjqcmqryfpfptbannerend"


def banner_length(lines: Sequence[str]) -> int:
    """Count the leading lines that hold an external-mail banner, blank lines before it included.

    A tip about a first contact counts as none: one may stand above or below the banner.
    """
    length, is_tip = _one_banner(lines)
    if not length:
        return 0
    more, is_second_tip = _one_banner(lines[length:])
    return length + more if is_tip is not is_second_tip else length


def _one_banner(lines: Sequence[str]) -> tuple[int, bool]:
    """Count the leading lines of one banner, and tell whether it is the tip."""
    start = next_written(lines, 0)
    if start < len(lines) and _RULE.fullmatch(lines[start].strip()):
        start = next_written(lines, start + 1)
    if start >= len(lines):
        return 0, False
    head = clean_line(lines[start]).lower()
    if head.startswith(_PROOFPOINT_START):
        ends = (number for number, line in enumerate(lines) if _PROOFPOINT_END in line.lower())
        return next(ends, -1) + 1, False
    if not _begins_banner(head) or (_says_more(head) and not _TAG.fullmatch(head)):
        return 0, False
    return _end_of_banner(lines, start), _TIP.match(head) is not None


def _end_of_banner(lines: Sequence[str], start: int) -> int:
    """Give the number of the line behind a banner that begins at `start`; 0 if a person goes on in its sentence."""
    end = start + 1
    while end < min(len(lines), start + _MOST_BANNER_LINES):
        line, previous = clean_line(lines[end]).lower(), clean_line(lines[end - 1]).lower()
        may_wrap = LONG_ENOUGH_TO_WRAP <= len(previous) <= TOO_LONG_TO_WRAP
        if line and may_wrap and not _END.search(previous):
            if _says_more(line):
                return 0
        elif not line:
            below = next_written(lines, end)
            further = clean_line(lines[below]).lower() if below < len(lines) else ""
            if not _advises(further) or _begins_banner(further):
                break
            end = below
        elif not (_advises(line) or _RULE.fullmatch(line)):
            break
        end += 1
    return end


def _advises(line: str) -> bool:
    return _MORE.match(line) is not None and not _says_more(line)


def _says_more(line: str) -> bool:
    """Tell whether a line asks, orders or leads on to the one below: it is a person's, whatever else it says."""
    return line.rstrip("*_\"') ").endswith((":", "?")) or _ORDER.search(line) is not None


def _begins_banner(line: str) -> bool:
    return any((_TIP.match(line), _SENTENCE.match(line), _TAG.fullmatch(line), _TAG_WITH_ADVICE.match(line)))


def next_written(lines: Sequence[str], start: int) -> int:
    """Give the number of the first line from `start` on that is not blank; behind the last if all are."""
    return next((number for number in range(start, len(lines)) if clean_line(lines[number])), len(lines))
