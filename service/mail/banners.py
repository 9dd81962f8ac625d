"""What stands above a person's first line without being theirs to answer with: external-mail banners and greetings.

At most one banner and one greeting are ever passed over, in any of the languages that ship. Never decides what
the line below means.
"""

import re
from collections.abc import Sequence
from typing import Final

from service.mail.lines import clean_line, fold_line
from service.mail.words import ENGLISH, Vocabulary

LONG_ENOUGH_TO_WRAP: Final = 50
TOO_LONG_TO_WRAP: Final = 100
"""Characters: a line shorter or longer than these was not broken by a client that wraps at 72 or so."""
_MOST_BANNER_LINES: Final = 8

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
        "hej(?:san)?",
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
_ALL_OF_THEM: Final = frozenset(
    (
        "all", "team", "everyone", "everybody", "folks", "there", "both", "guys", "and", "colleagues", "friends", "ops",
        "zusammen", "alle", "allerseits", "und", "kollegen", "kolleginnen",
        "à", "tous", "toutes", "et", "collègues", "l'équipe",
        "a", "todos", "todas", "y", "e", "equipo", "equipe", "colegas", "tutti", "ragazzi", "colleghi",
        "allemaal", "allen", "iedereen", "en", "collega's", "wszystkim", "wszyscy", "i", "państwo",
        "alla", "allihop", "allihopa", "och", "kollegor", "og", "kolleger", "kollegaer",
        "kaikki", "kaikille", "tiimi", "ja", "все", "всем", "коллеги", "и", "команда",
    )
)  # fmt: skip
"""Who is greeted without a name, and what stands between names: written small and yet no sentence."""
_GREETING_BEHIND: Final = re.compile(r"[^\W\d_]{1,15} ?(?:さん|様|さま|殿|先生)[,!.:\u3002\u3001]?")

# What warns: the first word or two of a banner, or the whole of it.
_LEAD: Final = (
    r"\W*(?:(?:caution|warning|attention|notice|important|alert|achtung|vorsicht|hinweis|warnung|avertissement"
    r"|precaución|atención|advertencia|aviso|cuidado|atenção|attenzione|avviso|let op|waarschuwing|uwaga"
    r"|varning|obs|advarsel|huomio|varoitus|внимание|осторожно|предупреждение|注意|警告|重要"
    r"|ext|extern[eoa]?s?|externí|external|внешнее|外部|zewnętrzn[ya])"
    r"(?: ?(?:e-?mail|mail|message|sender|absender|nachricht|courriel|correo|mensaje|mensagem|afzender|avsändare"
    r"|afsender|avsender|письмо|отправитель|メール|邮件|郵件))?(?!\w)\W*)"
)
_TAG: Final = re.compile(
    rf"(?=.*(?:ext|外部|внешн|zewn)){_LEAD}{{1,2}}"
    r"|\W*this (?:message|e-?mail) is from an (?:external|untrusted|unknown|unverified) (?:sender|source)\W*"
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
_SENTENCE: Final = re.compile(rf"(?:{_LEAD}{{1,2}}|\W*)(?:{'|'.join(_SENTENCES)})")
_TIP: Final = re.compile(rf"(?:{_LEAD}{{1,2}}|\W*)(?:{'|'.join(_FIRST_CONTACT)})")
_ADVICE: Final = (
    r"\W*(?:this (?:e-?mail|message) |(?:please )?(?:do not|don['\u2019]t|never) (?:click|open|reply|respond|follow)"
    r"|learn why|unless you|(?:please )?(?:exercise|use) caution|be (?:careful|cautious)|if you (?:are|suspect|believe)"
    r"|you have not previously"
    r"|klicken sie|öffnen sie|erfahren sie|n['\u2019]ouvrez|ne cliquez|pourquoi c['\u2019]est|découvrez pourquoi"
    r"|no (?:haga clic|abra)|por qué esto es|não (?:clique|abra)|saiba por que|non (?:fare clic|aprire|cliccare)"
    r"|informazioni sul perché|klik niet|open geen|meer informatie over waarom|nie (?:klikaj|otwieraj)"
    r"|dowiedz się, dlaczego|klicka inte|öppna inte|läs (?:om|mer om) varför|klik ikke|få mere at vide|klikk ikke"
    r"|finn ut hvorfor|älä (?:napsauta|avaa)|lisätietoja|не (?:переходите|открывайте|нажимайте)|узнайте, почему"
    r"|リンク|これが重要|请勿|請勿|了解(?:这|這|为|為))"
)
_MORE: Final = re.compile(_ADVICE)
_TAG_WITH_ADVICE: Final = re.compile(rf"(?=.{{0,40}}(?:ext|外部|внешн|zewn)){_LEAD}{{1,2}}{_ADVICE}")
_END: Final = re.compile(
    r"(?:[.!?:\]>*\u3002]|this is important|wichtig ist|important|importante|belangrijk is|ważne|viktigt|vigtigt"
    r"|viktig|tärkeää|важно|重要)$"
)
_RULE: Final = re.compile(r"[-=*_~#\u2500\u2014]{3,}")
_PROOFPOINT_START, _PROOFPOINT_END = "zjqcmqryfpfptbannerstart", "zjqcmqryfpfptbannerend"


def is_greeting(line: str, vocabulary: Vocabulary = ENGLISH) -> bool:
    """Tell whether a line only greets; one with a command or a refusal in it does more than that."""
    text = clean_line(line)
    if _GREETING_BEHIND.fullmatch(text):
        return True
    match = _GREETING.fullmatch(text)
    if match is None:
        return False
    written = match["names"].replace(",", " ").split()
    names = {fold_line(name) for name in written}
    if names & vocabulary.never_names or any(name.endswith("n't") for name in names):
        return False
    # a sentence goes on with what is written small: `Hi, let Tom`; on a phone `hi sam` is a greeting all the same
    small = [name for name in written if name[0].islower() and fold_line(name) not in _ALL_OF_THEM]
    return not small or (len(written) == 1 and "," not in match["names"])


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
    if not _begins_banner(head) or head.endswith("?"):
        return 0, False
    end = start + 1
    while end < min(len(lines), start + _MOST_BANNER_LINES):
        line, previous = clean_line(lines[end]).lower(), clean_line(lines[end - 1]).lower()
        may_wrap = LONG_ENOUGH_TO_WRAP <= len(previous) <= TOO_LONG_TO_WRAP
        is_wrapped = may_wrap and not _END.search(previous)
        if not line:
            below = next_written(lines, end)
            further = clean_line(lines[below]).lower() if below < len(lines) else ""
            if not _MORE.match(further) or _begins_banner(further):
                break
            end = below
        elif not (is_wrapped or _MORE.match(line) or _RULE.fullmatch(line)):
            break
        end += 1
    return end, _TIP.match(head) is not None


def _begins_banner(line: str) -> bool:
    return any((_TIP.match(line), _SENTENCE.match(line), _TAG.fullmatch(line), _TAG_WITH_ADVICE.match(line)))


def next_written(lines: Sequence[str], start: int) -> int:
    """Give the number of the first line from `start` on that is not blank; behind the last if all are."""
    return next((number for number in range(start, len(lines)) if clean_line(lines[number])), len(lines))
