"""What `replycast init` has to know: from its options, and on a terminal by asking, until each answer can be used."""

import os
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

import click

from service.cli.first_config import IMAP_PASSWORD_FILE, SMTP_PASSWORD_FILE, Answers, MailAnswers
from service.cli.machine_zone import UNKNOWN, machine_zone
from service.cli.options import FAULTY, fail
from service.config import Security
from service.config.mail_build import IMAP_PORTS, SMTP_PORTS
from service.config.sandbox_check import is_for_others
from service.config.values import parse_email, parse_host, parse_sender, parse_site_url, parse_timezone
from service.config.wording import quote
from service.providers.matching import is_pattern

_Check: TypeAlias = Callable[[str], object]
"""Raises ValueError, whose text goes on behind the answer, where it cannot be used."""


_HERE: Final = "http://127.0.0.1:8080"
_YES_OR_NO: Final = {"y", "yes", "n", "no"}
"""None of them is a server's, and all of them are typed where a question looks as if it could be answered so."""


def _anything(_: str) -> object:
    return None


def _host_or_nothing(typed: str) -> object:
    if typed.lower() in _YES_OR_NO:
        raise ValueError("is no server: write its name, or nothing where there is none")
    return parse_host(typed) if typed else None


def _on_this_machine(typed: str) -> object:
    if is_for_others(typed):
        raise ValueError("leads here from other machines: write one such as http://127.0.0.1:8080")
    return parse_site_url(typed)


_ASKED: Final[Mapping[str, tuple[str, str, str | None, _Check]]] = {
    "site_name": ("--site-name", "What is the status page called?", "Acme Status", _anything),
    "url": ("--url", "At which address will readers reach it?", _HERE, parse_site_url),
    "timezone": ("--timezone", "In which time zone are times shown?", UNKNOWN, parse_timezone),
    "admin_name": ("--admin-name", "Who is the first admin (name)?", None, _anything),
    "admin_email": ("--admin-email", "The admin's e-mail address?", None, parse_email),
    "monitor": ("--monitor", "What is the first monitor called in VictorOps?", "Email Server", _anything),
}


def answers_of(given: Mapping[str, Any], *, is_asking: bool) -> tuple[Answers, dict[str, str]]:
    """Give what config.yaml is made of, and the passwords that were typed, by the files that are to hold them.

    Exits where something is missing and nobody can be asked.
    """
    said: dict[str, Any] = dict(given)
    if not is_asking:
        said["timezone"] = said["timezone"] or UNKNOWN
        _refuse_missing(said)
        _refuse_unfit(said)
    for name, (_, question, usual, check) in _ASKED.items():
        default = machine_zone(os.environ) if name == "timezone" else usual
        said[name] = said[name] or _prompt(question, default, check)
    if is_pattern(said["monitor"]) and not said["component"]:
        said["component"] = _prompt("Which component is it about, as the page shows it?", None)
    passwords: dict[str, str] = {}
    if is_asking and not said["smtp_host"] and not said["sandbox"]:
        said["smtp_host"] = _prompt(
            "Which SMTP relay takes your mail? Nothing: the mail sandbox", "", _host_or_nothing
        )
        if said["smtp_host"]:
            _ask_about_mail(said, passwords)
    mail = _mail(said) if said["smtp_host"] and not said["sandbox"] else None
    if mail is None and is_for_others(said["url"].strip()):
        said["url"] = _ask_for_one_here(said["url"])
    names = ("site_name", "url", "timezone", "admin_name", "admin_email", "monitor")
    component = (said["component"] or said["monitor"]).strip()
    return Answers(
        **{name: str(said[name]).strip() for name in names}, component=component, mail=mail
    ), passwords


def _refuse_missing(said: Mapping[str, Any]) -> None:
    missing = [option for name, (option, *_) in _ASKED.items() if not said[name]]
    if not said["smtp_host"] and not said["sandbox"]:
        missing.append("--smtp-host, or --sandbox")
    if said["smtp_host"] and not said["sender"]:
        missing.append("--from")
    if said["imap_host"] and not said["imap_username"]:
        missing.append("--imap-username")
    if missing:
        fail(f"there is no terminal to ask on: give {', '.join(missing)}", FAULTY)


def _refuse_unfit(said: Mapping[str, Any]) -> None:
    """Refuse what could be asked about on a terminal."""
    if is_pattern(said["monitor"]) and not said["component"]:
        fail(f"{quote(said['monitor'])} is a pattern: name with --component what readers are shown", FAULTY)
    if said["sandbox"] and is_for_others(said["url"]):
        text = f"let --url be {_HERE}, or name a mail server with --from and --smtp-host instead"
        fail(f"--sandbox is for this machine only, since it shows every mail: {text}", FAULTY)


def _ask_for_one_here(url: str) -> str:
    click.echo(
        f"The mail sandbox shows every mail, so it is for this machine only, and {url} is not.", err=True
    )
    return _prompt("At which address of this machine will you try it?", _HERE, _on_this_machine)


def _prompt(question: str, usual: str | None, check: _Check = _anything) -> str:
    """Ask until the answer can be used; `usual` stands for an empty one, and None lets none be empty."""

    def usable(typed: str) -> str:
        try:
            check(typed.strip())
        except ValueError as error:
            raise click.UsageError(f"`{typed}` {error}") from None
        return typed

    answer = click.prompt(question, default=usual, show_default=bool(usual), value_proc=usable, err=True)
    return str(answer)


def _ask_about_mail(said: dict[str, Any], passwords: dict[str, str]) -> None:
    """Ask for what belongs to the mail servers; each question that an option answers is left out."""

    def ask(name: str, question: str, usual: str = "", check: _Check = _anything) -> str:
        said[name] = said[name] or _prompt(question, usual, check)
        return str(said[name])

    def ask_password(file: str, question: str) -> None:
        typed = click.prompt(question, default="", show_default=False, hide_input=True, err=True)
        if typed:
            passwords[file] = typed

    domain = said["admin_email"].strip().rpartition("@")[2]
    ask("sender", "What do mails come from?", f"{said['site_name']} <status@{domain}>", parse_sender)
    if ask("smtp_username", "User name at the relay? Nothing: no login"):
        ask_password(SMTP_PASSWORD_FILE, f"Its password (kept in {SMTP_PASSWORD_FILE})")
    if ask(
        "imap_host",
        "Which IMAP server holds the mailbox of replies? Nothing: none yet",
        check=_host_or_nothing,
    ):
        ask("imap_username", "User name at the mailbox?", said["smtp_username"])
        ask_password(IMAP_PASSWORD_FILE, f"Its password (kept in {IMAP_PASSWORD_FILE})")


def _mail(said: Mapping[str, Any]) -> MailAnswers:
    to_relay, to_mailbox = Security(said["smtp_security"]), Security(said["imap_security"])
    return MailAnswers(
        sender=said["sender"],
        smtp_host=said["smtp_host"],
        smtp_port=said["smtp_port"] or SMTP_PORTS[to_relay],
        smtp_security=to_relay.value,
        smtp_username=said["smtp_username"] or "",
        imap_host=said["imap_host"] or "",
        imap_port=said["imap_port"] or IMAP_PORTS[to_mailbox],
        imap_security=to_mailbox.value,
        imap_username=said["imap_username"] or "",
    )
