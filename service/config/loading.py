"""The way from config.yaml to `Config`, one step after the other, collecting every fault on it.

Reads that file, the secret files, the certificate and the pictures that it names, and nothing else; the environment is
an argument.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from service.config.advice import advise
from service.config.brand_check import check_brand
from service.config.build import build
from service.config.certificate import check_certificate
from service.config.checks import check_references
from service.config.database_url import check_database
from service.config.expansion import expand_document
from service.config.ladder_check import check_ladders
from service.config.login_check import check_logins
from service.config.login_form import check_login
from service.config.mail_alerts import check_mail_alerts
from service.config.maintenance_check import check_maintenance
from service.config.sandbox_check import check_sandbox
from service.config.secret_files import read_secret_files
from service.config.settings import Config
from service.config.shape import fill_form
from service.config.template_check import check_templates
from service.config.webhook_check import check_webhooks
from service.config.yaml_text import read_document
from service.errors import ConfigFaulty, Fault, exhaustion_named

LARGEST: Final = 1024 * 1024
"""Bytes; a configuration is far below it, and a log file given by mistake is above."""


@exhaustion_named()
def load(path: Path, environ: Mapping[str, str], *, is_to_serve: bool = False) -> Config:
    """Read config.yaml. Raises ConfigFaulty with every fault at once, in the order of the file.

    `is_to_serve`: what `serve` refuses is a fault too; whoever only looks, simulates or explains goes on with it.
    A file that cannot be read as a whole (missing, a directory, not UTF-8, over 1 MiB) is one fault at 1:1. Raises
    MachineExhausted where it, or one that it names, cannot be opened just now, which is no fault of theirs.
    """
    try:
        with path.open("rb") as opened:
            raw = opened.read(LARGEST + 1)
    except FileNotFoundError:
        text = "there is no such file: `replycast init` writes one, or name another with --config"
        raise _unusable(path, text) from None
    except IsADirectoryError:
        raise _unusable(path, "this is a directory: name the file in it") from None
    except (OSError, ValueError) as error:
        raise _unusable(
            path, f"this file cannot be read: {getattr(error, 'strerror', None) or error}"
        ) from error
    if len(raw) > LARGEST:
        raise _unusable(path, "this file is over 1 MiB: it is hardly a config.yaml")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _unusable(path, f"this file is not UTF-8 text (line {line}): save it as UTF-8") from None
    return parse(text, path, environ, is_to_serve=is_to_serve)


def parse(text: str, path: Path, environ: Mapping[str, str], *, is_to_serve: bool = False) -> Config:
    """Understand the text of config.yaml; `path` names it in faults, and its folder holds the files it names.

    `is_to_serve` is as for `load`. Raises ConfigFaulty with every fault at once, in the order of the file.
    """
    document, broken = read_document(text, str(path))
    document, unfilled = expand_document(document, environ)
    document, unread = read_secret_files(document, path.parent)
    form, misshapen = fill_form(document)
    faults = [
        *broken,
        *unfilled,
        *unread,
        *misshapen,
        *check_references(document),
        *check_webhooks(document),
        *check_mail_alerts(document),
        *check_ladders(document),
        *check_database(document),
        *check_logins(document),
        *check_login(document),
        *check_certificate(document, path.parent),
        *check_templates(document),
        *check_brand(document, path.parent),
        *check_maintenance(document),
        *(check_sandbox(document) if is_to_serve else ()),
    ]
    if faults or form is None:
        raise ConfigFaulty(tuple(sorted(dict.fromkeys(faults), key=_order)))
    config = build(form, path)
    return replace(config, warnings=advise(config, document))


def _order(fault: Fault) -> tuple[int, int]:
    return fault.line, fault.column


def _unusable(path: Path, text: str) -> ConfigFaulty:
    return ConfigFaulty((Fault(str(path), 1, 1, text),))
