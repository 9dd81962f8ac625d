"""docs/cli.md: every command, option and exit code, as click knows them."""

from collections.abc import Iterator
from inspect import cleandoc
from typing import Final

import click

from service.cli.exits import CODES, every_command, in_words
from service.cli.main import main
from service.cli.reference.tables import cell

_HEAD: Final = """\
# Commands

Made from the commands themselves by `make docs`; `replycast COMMAND --help` says the same.

`--config FILE` or `$REPLYCAST_CONFIG` names the configuration. `python -m service` is the same command. What is
ordered here acts on the database of config.yaml, whether the service runs or not; a running service notices within a
second or two. Where a script reads, give `--json`: it is printed on standard output, and everything else on standard
error. Colours and progress are shown on a terminal alone.

Completion of commands and options by the shell is click's own. For Bash, then for Zsh and Fish:

```sh
eval "$(_REPLYCAST_COMPLETE=bash_source replycast)"            # in ~/.bashrc
```

```sh not-run: these are other shells
eval "$(_REPLYCAST_COMPLETE=zsh_source replycast)"             # in ~/.zshrc
_REPLYCAST_COMPLETE=fish_source replycast | source             # in ~/.config/fish/completions/replycast.fish
```

Exit codes: 0 done, 1 it failed or was refused, 2 a wrong argument or faults in config.yaml; what differs stands below.

| command | what for | exit code |
|---|---|---|
"""


def commands() -> str:
    """Write it."""
    found = list(every_command(main))
    rows = "".join(_row(words, command) for words, command in found)
    return _HEAD + rows + "".join(_section(words, command) for words, command in found)


def _row(words: str, command: click.Command) -> str:
    anchor = f"replycast-{words.replace(' ', '-')}"
    return f"| [`{words}`](#{anchor}) | {cell(_about(command)[0])} | {cell(CODES[words])} |\n"


def _section(words: str, command: click.Command) -> str:
    top = click.Context(main, info_name="replycast", **main.context_settings)
    context = click.Context(command, info_name=words, parent=top)
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    text = "\n\n".join(_about(command))
    options = "".join(_options(command, context))
    table = f"| option | what for |\n|---|---|\n{options}\n" if options else ""
    return (
        f"\n## replycast {words}\n\n```text\n{usage}\n```\n\n{text}\n\n{table}Exit code: {in_words(words)}.\n"
    )


def _about(command: click.Command) -> list[str]:
    """Give the paragraphs of a command's help; those of which click keeps the lines become code."""
    paragraphs = cleandoc(command.help or "").split("\n\n")
    return [
        "\n".join(("```sh", *(line.removeprefix("  ") for line in one.splitlines()[2:]), "```"))
        if one.startswith("\b")
        else " ".join(one.split())
        for one in paragraphs
    ]


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    for parameter in command.params:
        record = parameter.get_help_record(context)
        if record is not None and record[1]:
            names, about = record
            yield f"| `{cell(names)}` | {cell(about)} |\n"
