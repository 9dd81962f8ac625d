"""`replycast COMMAND`: where each command stands. Nothing else is imported before one is typed."""

from collections.abc import Mapping
from typing import Final

import click

from service.cli.lazily import LazyGroup, Place

_PLACES: Final[Mapping[str, Place]] = {
    "accept-key": Place(
        "accepting_key",
        "Let the database belong to another secret key than the one that it knows.",
    ),
    "advise": Place(
        "simulating",
        "Say what the recorded alerts teach: better wait times, monitors that never recover, names without a monitor.",
    ),
    "backup": Place(
        "backing_up",
        "Write database, key and config.yaml into FILE, a .tar.gz that its owner alone can read.",
    ),
    "check": Place(
        "checking",
        "Say whether config.yaml is right: exit 0, or 2 and every fault as FILE:LINE:COLUMN: text.",
    ),
    "close": Place("orders", "Close a published incident, and tell those who heard of it."),
    "deliveries": Place(
        "deliveries",
        "Show how far the latest updates are on their way to subscribers: sent, waiting, failed, rate, time left.",
    ),
    "demo": Place(
        "demo",
        "Play the whole story against a service of its own, narrating; exit 0 only if it came out right.",
    ),
    "discard": Place("orders", "Discard an incident that is not published; subscribers never hear of it."),
    "doctor": Place("doctoring", "Examine what the service depends on: exit 1 if something is broken."),
    "explain-reply": Place(
        "explain",
        "Say what a mail would be taken for; no database is needed and nothing is stored.",
    ),
    "explain-webhook": Place("explain", "Say what a webhook's body would be taken for; nothing is stored."),
    "export-page": Place(
        "exporting",
        "Write the status page into DIR as static files, for a bucket or Pages.",
    ),
    "hold": Place("orders", "Let nothing happen by itself for SPAN, 30m where it is left out."),
    "inbox": Place("inbox", "List what arrived, and show one arrival as it was received."),
    "incidents": Place("incidents", "List incidents, or show one with its timeline."),
    "init": Place(
        "setting_up",
        "Write a first config.yaml, and print the two webhooks to paste into VictorOps.",
    ),
    "maintenance": Place("maintaining", "List, plan and cancel maintenance."),
    "move-database": Place(
        "moving",
        "Copy the database that config.yaml names, a file of SQLite, into an empty one of PostgreSQL.",
    ),
    "publish": Place("orders", "Publish an incident, or approve it as one of several employees."),
    "replay": Place(
        "inbox",
        "Let posts of the inbox count once more, as if they came now: all of them or, where one cannot, none.",
    ),
    "restore": Place(
        "restoring",
        "Bring database, key and config.yaml back from FILE, which `replycast backup` wrote.",
    ),
    "schema": Place(
        "checking",
        "Print the JSON Schema of config.yaml, by which editors complete and check it.",
    ),
    "send-test": Place("trying", "Send a test mail or a test webhook, by the way that real ones go."),
    "serve": Place("serving", "Run the service until SIGTERM or Ctrl-C."),
    "simulate": Place(
        "simulating",
        "Show what would happen on a virtual clock, with every mail as it would read.",
    ),
    "subscribers": Place("subscribers", "List, add, import and export subscribers."),
    "token": Place("tokens", "Create, list and revoke tokens for programs that use the API."),
    "update": Place("orders", "Tell those who heard of a published incident more; TEXT is Markdown."),
}


@click.group(
    cls=LazyGroup,
    places=_PLACES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="replycast")
def main() -> None:
    """Turn monitoring webhooks into incidents that an employee publishes by answering an e-mail.

    \b
    To begin, with a mail sandbox and no mail server:
      replycast init --sandbox    # asks for what it needs, and writes config.yaml
      replycast serve

    \b
    From then on:
      replycast check --strict    # is config.yaml right?
      replycast doctor            # is what it depends on in order?
      replycast incidents list
      replycast publish INC-12

    Exit code: 0 done; 1 it failed or was refused; 2 a wrong argument, or faults in config.yaml.
    """  # noqa: D301  click's mark for lines that it must not wrap
    # by now a command is typed; what it prints may be for a script to read, so that the log stands elsewhere
    from service.cli.logs import set_up_logs  # noqa: PLC0415  as above

    set_up_logs()
