"""What clients, gateways and people of fifteen languages put around a command, and what of it is passed over."""

# ruff: noqa: RUF001 - letters and punctuation of other writings are what is tested
import pytest

from service.mail.quotes import find_new_text
from service.mail.words import WORDS, vocabulary

EVERYTHING = vocabulary(list(WORDS), {})
ADDRESS = "status+mfrggzdfmztwq2lknnwg23tpob@acme.example"

ATTRIBUTIONS = [
    f"On Mon, Nov 2, 2026 at 10:00 AM Acme Status <{ADDRESS}> wrote:",
    f"On 2 Nov 2026, at 10:00, Acme Status <{ADDRESS}> wrote:",
    f"On Monday, 2 November 2026 at 10:00, Acme Status <\n{ADDRESS}> wrote:",
    "On 02/11/2026 10:00, Acme Status wrote:",
    f"Acme Status <{ADDRESS}> writes:\n",
    f"Am Mo., 2. Nov. 2026 um 10:00 Uhr schrieb Acme Status <{ADDRESS}>:",
    f"Am Mo., 2. Nov. 2026 um 10:00 Uhr schrieb Acme Status <\n{ADDRESS}>:",
    "Am 02.11.26 um 10:00 schrieb Acme Status:",
    f"Acme Status <{ADDRESS}> schrieb am Mo., 2. Nov. 2026, 10:00:",
    f"Le lun. 2 nov. 2026 à 10:00, Acme Status <{ADDRESS}> a écrit :",
    "Le 02/11/2026 à 10:00, Acme Status a écrit\u202f:",
    f"El lun, 2 nov 2026 a las 10:00, Acme Status (<{ADDRESS}>) escribió:",
    f"Em seg., 2 de nov. de 2026 às 10:00, Acme Status <{ADDRESS}> escreveu:",
    f"Il giorno lun 2 nov 2026 alle ore 10:00 Acme Status <{ADDRESS}> ha scritto:",
    f"Il giorno lun 2 nov 2026 alle ore 10:00 Acme Status <\n{ADDRESS}> ha\nscritto:",
    f"Op ma 2 nov 2026 om 10:00 schreef Acme Status <{ADDRESS}>:",
    f"pon., 2 lis 2026 o 10:00 Acme Status <{ADDRESS}> napisał(a):",
    f"pon., 2 lis 2026 o 10:00 Acme Status <\n{ADDRESS}> napisał(a):",
    "W dniu 2.11.2026 o 10:00, Acme Status pisze:",
    f"Den mån 2 nov. 2026 kl 10:00 skrev Acme Status <{ADDRESS}>:",
    f"Den man. 2. nov. 2026 kl. 10.00 skrev Acme Status <{ADDRESS}>:",
    f"man. 2. nov. 2026 kl. 10:00 skrev Acme Status <\n{ADDRESS}>:",
    f"ma 2. marrask. 2026 klo 10.00 Acme Status ({ADDRESS}) kirjoitti:",
    "Acme Status kirjoitti 2.11.2026 klo 10.00:",
    f"пн, 2 нояб. 2026 г. в 10:00, Acme Status <{ADDRESS}>:",
    f"пн, 2 нояб. 2026 г. в 10:00, Acme Status <\n{ADDRESS}>:",
    "02.11.2026 10:00, Acme Status пишет:",
    f"2 нояб. 2026 г., в 10:00, Acme Status <{ADDRESS}> написал(а):",
    f"2026年11月2日(月) 10:00 Acme Status <{ADDRESS}>:",
    f"2026/11/02 10:00、Acme Status <{ADDRESS}>のメール:",
    f"Acme Status <{ADDRESS}> 于2026年11月2日周一 10:00写道：",
    f"Acme Status <\n{ADDRESS}> 于2026年11月2日周一 10:00写道：",
    f"2026年11月2日 10:00，Acme Status <{ADDRESS}> 写道：",
    f"Acme Status <{ADDRESS}> 於 2026年11月2日 週一 上午10:00寫道：",
]


@pytest.mark.parametrize("attribution", ATTRIBUTIONS)
def test_an_attribution_above_a_quote_is_none_of_the_text(attribution: str) -> None:
    quoted = ["> Email is unavailable", "> publish"]
    above = find_new_text(["message: one", "", "two", "", *attribution.split("\n"), "", *quoted], EVERYTHING)
    assert (above.first_line, above.text) == ("message: one", "message: one\n\ntwo")
    below = find_new_text([*attribution.split("\n"), *quoted, "", "discard"], EVERYTHING)
    assert (below.first_line, below.is_among_quotes) == ("discard", False)


@pytest.mark.parametrize("attribution", ATTRIBUTIONS)
def test_what_stands_unmarked_below_an_attribution_is_a_quote(attribution: str) -> None:
    lines = [*attribution.split("\n"), "", "Email is unavailable", "publish"]
    assert find_new_text(lines, EVERYTHING).first_line == ""
    assert find_new_text(["discard", "", *lines], EVERYTHING).text == "discard"


HEADER_BLOCKS = [
    "From: Acme Status\nSent: Monday, November 2, 2026 10:00\nTo: Jordan\nSubject: [INC-12] Email",
    "Von: Acme Status\nGesendet: Montag, 2. November 2026 10:00\nAn: Jordan\nBetreff: [INC-12] Email",
    "De : Acme Status\nEnvoyé : lundi 2 novembre 2026 10:00\nÀ : Jordan\nObjet : [INC-12] Email",
    "De: Acme Status\nEnviado el: lunes, 2 de noviembre de 2026 10:00\nPara: Jordan\nAsunto: [INC-12] Email",
    "De: Acme Status\nEnviado: segunda-feira, 2 de novembro de 2026\nPara: Jordan\nAssunto: [INC-12] Email",
    "Da: Acme Status\nInviato: lunedì 2 novembre 2026 10:00\nA: Jordan\nOggetto: [INC-12] Email",
    "Van: Acme Status\nVerzonden: maandag 2 november 2026 10:00\nAan: Jordan\nOnderwerp: [INC-12] Email",
    "Od: Acme Status\nWysłano: poniedziałek, 2 listopada 2026\nDo: Jordan\nTemat: [INC-12] Email",
    "Från: Acme Status\nSkickat: den 2 november 2026 10:00\nTill: Jordan\nÄmne: [INC-12] Email",
    "Fra: Acme Status\nSendt: 2. november 2026 10:00\nTil: Jordan\nEmne: [INC-12] Email",
    "Lähettäjä: Acme Status\nLähetetty: maanantai 2. marraskuuta 2026\nVastaanottaja: Jordan\nAihe: Email",
    "От: Acme Status\nОтправлено: 2 ноября 2026 г. 10:00\nКому: Jordan\nТема: [INC-12] Email",
    "差出人: Acme Status\n送信日時: 2026年11月2日 10:00\n宛先: Jordan\n件名: [INC-12] Email",
    "发件人: Acme Status\n发送时间: 2026年11月2日 10:00\n收件人: Jordan\n主题: [INC-12] Email",
    "寄件者： Acme Status\n寄件日期： 2026年11月2日\n收件者： Jordan\n主旨： [INC-12] Email",
    "-----Ursprüngliche Nachricht-----",
    "-------- Исходное сообщение --------",
    "------------------ 原始邮件 ------------------",
    "-----元のメッセージ-----",
    "________________________________",
    "Anfang der weitergeleiteten Nachricht:",
    "Inicio del mensaje reenviado:",
    "下面是被转发的邮件：",
]


@pytest.mark.parametrize("block", HEADER_BLOCKS)
def test_all_below_a_copied_header_is_a_quote(block: str) -> None:
    lines = [*block.split("\n"), "", "Email is unavailable", "publish"]
    assert find_new_text(lines, EVERYTHING).first_line == ""
    assert find_new_text(["message: one", "", *lines], EVERYTHING).text == "message: one"


SIGNATURES = [
    "-- ",
    "—",
    "Sent from my iPhone",
    "Get Outlook for iOS<https://aka.ms/o0ukef>",
    "Von meinem iPhone gesendet",
    "Von meinem Samsung Galaxy Smartphone gesendet.",
    "Holen Sie sich Outlook für iOS",
    "Envoyé de mon iPhone",
    "Télécharger Outlook pour Android",
    "Enviado desde mi iPhone",
    "Enviado do meu iPhone",
    "Inviato da iPhone",
    "Ottieni Outlook per iOS",
    "Verstuurd vanaf mijn iPhone",
    "Wysłane z iPhone'a",
    "Skickat från min iPhone",
    "Hämta Outlook för iOS",
    "Sendt fra min iPhone",
    "Lähetetty iPhonesta",
    "Отправлено с iPhone",
    "iPhoneから送信",
    "发自我的 iPhone",
    "從我的 iPhone 傳送",
]


@pytest.mark.parametrize("signature", SIGNATURES)
def test_the_text_ends_at_the_signature(signature: str) -> None:
    assert find_new_text(["message: one", "", signature, "Jordan"], EVERYTHING).text == "message: one"
    assert find_new_text([signature, "publish"], EVERYTHING).first_line == ""


def test_the_end_of_a_wrapped_sentence_is_no_signature() -> None:
    lines = [
        "update A disk was full, so that mails which were in the meantime",
        "sent from our servers wait.",
    ]
    assert find_new_text(lines).text == "\n".join(lines)


BANNERS = [
    "CAUTION: This email originated from outside of the organization.",
    "[EXTERNAL]",
    "ACHTUNG: Diese E-Mail stammt von einem externen Absender.",
    "Sie erhalten nicht oft eine E-Mail von sam@acme.example. Erfahren Sie, warum dies wichtig ist",
    "ATTENTION : ce courriel provient de l\u2019extérieur de l\u2019organisation.",
    "Vous ne recevez pas souvent d\u2019e-mails de sam@acme.example. Pourquoi c\u2019est important",
    "PRECAUCIÓN: Este correo electrónico se originó fuera de la organización.",
    "CUIDADO: Este e-mail foi enviado de fora da organização.",
    "ATTENZIONE: questa e-mail proviene dall\u2019esterno.",
    "LET OP: Deze e-mail is afkomstig van buiten de organisatie.",
    "UWAGA: Ta wiadomość pochodzi spoza organizacji.",
    "VARNING: Detta e-postmeddelande kommer från en extern avsändare.",
    "ADVARSEL: Denne e-mail kommer udefra.",
    "ADVARSEL: Denne e-posten kommer fra utenfor organisasjonen.",
    "HUOMIO: Tämä viesti on lähetetty organisaation ulkopuolelta.",
    "ВНИМАНИЕ: Это письмо отправлено извне организации.",
    "【注意】このメールは外部から送信されました。",
    "注意：此邮件来自组织外部。",
    "EXTERNAL EMAIL: Do not click any links or open any attachments unless you trust the sender.",
    "EXTERNAL: Do not click links.",
    "External e-mail - be careful!",
    "** This message originated externally **",
    "Be careful with this message. The sender is outside your organization.",
    "This Message Is From an Untrusted Sender",
]
TIP = "You don\u2019t often get email from sam@acme.example. Learn why this is important"


@pytest.mark.parametrize("banner", BANNERS)
def test_one_banner_is_passed_over_in_any_language(banner: str) -> None:
    assert find_new_text([banner, "", "publish"], EVERYTHING).first_line == "publish"
    assert find_new_text([banner, "", banner, "", "publish"], EVERYTHING).first_line != "publish"


def test_microsoft_s_tip_may_stand_beside_a_banner() -> None:
    for lines in ([TIP, "", BANNERS[0]], [BANNERS[0], TIP]):
        assert find_new_text([*lines, "", "publish"], EVERYTHING).first_line == "publish"
    assert find_new_text([TIP, "", TIP, "", "publish"], EVERYTHING).first_line != "publish"


def test_a_tag_may_stand_right_above_its_sentence() -> None:
    lines = ["This Message Is From an External Sender", "This message came from outside your organization."]
    assert find_new_text([*lines, "", "publish"], EVERYTHING).first_line == "publish"


def test_a_banner_may_have_paragraphs() -> None:
    lines = [BANNERS[0], "", "Do not click links unless you recognize the sender.", "", "publish"]
    assert find_new_text(lines, EVERYTHING).first_line == "publish"


@pytest.mark.parametrize("between", ["\n", "\n\n", " "])
@pytest.mark.parametrize(
    "advice",
    [
        "Do not click links or open attachments unless you recognize the sender.",
        "Please exercise caution.",
        "Please do not reply if the sender is unknown to you.",
        "Unless you recognize the sender, do not click links.",
        "If you suspect phishing, report it.",
        "Klicken Sie nicht auf Links und öffnen Sie keine Anhänge.",
        "N\u2019ouvrez pas les pièces jointes et ne cliquez pas sur les liens.",
        "No haga clic en los enlaces si no conoce al remitente.",
        "Não clique em links nem abra anexos.",
        "Non cliccare sui link, non aprire gli allegati.",
        "Klik niet op koppelingen en open geen bijlagen.",
        "Nie klikaj łączy i nie otwieraj załączników.",
        "Klicka inte på länkar.",
        "Klik ikke på links.",
        "Klikk ikke på lenker.",
        "Älä avaa liitteitä.",
        "Не переходите по ссылкам.",
        "リンクや添付ファイルを開かないでください。",
        "请勿点击链接或打开附件。",
        "Learn why this is important",
    ],
)
def test_advice_about_links_and_senders_belongs_to_the_banner_above_it(advice: str, between: str) -> None:
    for tag in ("[EXTERNAL]", "CAUTION: External email."):
        lines = [*f"{tag}{between}{advice}".split("\n"), "", "publish"]
        assert find_new_text(lines, EVERYTHING).first_line == "publish"


@pytest.mark.parametrize("between", ["\n", "\n\n", " "])
@pytest.mark.parametrize(
    "condition",
    [
        "Unless you hear from me by noon:",
        "Unless you know better:",
        "If you are sure:",
        "If you are sure of the sender:",
        "If you believe it is real",
        "Don't open this to the public.",
        "Do not follow this up.",
        "Please do not respond to customers yet.",
        "Be careful with the wording.",
        "Use caution and wait for me.",
        "This message needs Tom's approval first.",
        "This e-mail is not for the public.",
        "Do not open attachments, update the page",
        "Do you know the sender?",
        "Do not reply to the sender before I close it",
        "No abra esto todavía.",
        "Lisätietoja odotetaan.",
        "请勿发布",
        "请勿发布附件",
    ],
)
def test_a_condition_under_a_banner_is_not_its_advice(condition: str, between: str) -> None:
    # what a whole sentence goes on with is not looked at: each company words its own
    sentences = () if between == " " else (BANNERS[0],)
    for head in ("[EXTERNAL]", "CAUTION: External email.", *sentences):
        lines = [*f"{head}{between}{condition}".split("\n"), "publish"]
        assert find_new_text(lines, EVERYTHING).first_line != "publish"


@pytest.mark.parametrize(
    "lines",
    [
        ["This message was sent from outside the company, do not", "publish"],
        ["This message comes from an external tester, so please do not", "publish it before", "ok"],
        ["CAUTION: This email originated from outside of the organization and", "if that is right:", "ok"],
        ["This message is for external readers:", "publish"],
        ["This message came from outside, update", "publish"],
    ],
)
def test_a_sentence_that_goes_on_to_an_order_is_no_banner(lines: list[str]) -> None:
    assert find_new_text(lines, EVERYTHING).first_line == lines[0]


@pytest.mark.parametrize(
    "line",
    [
        "Unsere externe Schnittstelle ist gestört.",
        "Notre messagerie externe est en panne.",
        "Is this from an external sender?",
        "外部のメールが届きません。",
        "邮件服务外部无法访问。",
    ],
)
def test_a_sentence_about_the_outside_is_no_banner(line: str) -> None:
    assert find_new_text([line, "publish"], EVERYTHING).first_line != "publish"


@pytest.mark.parametrize("subject", ["subject: Mail is slow", "Betreff: Langsam"])
def test_a_line_that_edits_is_no_copied_header(subject: str) -> None:
    block = ["From: Acme Status", "Sent: Monday", "To: Jordan", "Subject: [INC-12] Email"]
    assert (
        find_new_text([subject, "message: late", "", *block], EVERYTHING).text == f"{subject}\nmessage: late"
    )


def test_a_text_is_taken_out_of_its_cleartext_signature() -> None:
    head = ["-----BEGIN PGP SIGNED MESSAGE-----", "Hash: SHA256", ""]
    tail = ["-----BEGIN PGP SIGNATURE-----", "", "iQEzBAEBCAAd", "-----END PGP SIGNATURE-----"]
    found = find_new_text([*head, "publish", "", "- -- ", "Jordan", *tail])
    assert (found.first_line, found.text) == ("publish", "publish")
