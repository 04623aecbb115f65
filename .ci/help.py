#!/usr/bin/env python3
"""docs/commands.md shows the command line's present help between its markers: help.py [write]."""

import difflib
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from grant_broker.client.api_command import ApiCommand
from grant_broker.client.main import root

BEGIN, END = "<!-- help -->\n", "<!-- /help -->"
PAGE = Path(__file__).parents[1] / ".github" / "docs" / "commands.md"
WIDTH = 100


def pages(command: click.Command, words: str, parent: click.Context | None = None) -> Iterator[str]:
    """The help of a command and, in their order, of its subcommands."""
    context = context_of(command, words, parent)
    more = "\n\nBesides them the options of all commands that call the broker." if calls(command) else ""
    shown = f"```\n{command.get_help(context)}\n```{more}"
    yield f"## {context.command_path}\n\n{shown}" if parent else shown
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found is not None:
                yield from pages(found, name, context)


def context_of(command: click.Command, words: str, parent: click.Context | None = None) -> click.Context:
    """A context as wide as the page, whatever the terminal is."""
    return click.Context(
        command, info_name=words, parent=parent, terminal_width=WIDTH, max_content_width=WIDTH
    )


def calls(command: click.Command) -> bool:
    """Whether it calls the broker, and has the options for that."""
    return isinstance(command, ApiCommand)


def common() -> str:
    """The options of all commands that call the broker."""
    formatter = click.HelpFormatter(width=WIDTH)
    bare = ApiCommand("grant-broker COMMAND", callback=lambda: None, add_help_option=False)
    bare.format_options(context_of(bare, "grant-broker"), formatter)
    return f"## Options of all commands that call the broker\n\n```\n{formatter.getvalue().strip()}\n```"


def printed() -> str:
    """The whole part between the markers."""
    options = common()
    # What is said once is not said with each.
    ApiCommand.get_params = click.Command.get_params  # type: ignore[method-assign]
    first, *others = pages(root, "grant-broker")
    return "\n".join(["", first, "", "\n\n".join([options, *others]), "", ""])


def main() -> None:
    """Compare, or write; the difference is an error."""
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    shown, marker, after = rest.partition(END)
    if not marker:
        sys.exit(f"{PAGE.name} lacks the markers {BEGIN}{END}")
    wanted = printed()
    if "write" in sys.argv[1:]:
        PAGE.write_text(f"{before}{BEGIN}{wanted}{END}{after}", "utf-8")
    elif shown != wanted:
        old, new = shown.splitlines(keepends=True), wanted.splitlines(keepends=True)
        difference = "".join(difflib.unified_diff(old, new, PAGE.name, "--help"))
        sys.exit(f"{difference}write it with: .venv/bin/python .ci/help.py write\n")


if __name__ == "__main__":
    main()
