"""`grant-broker`: assembles the commands. Each is a module of `commands` whose `command` click runs."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import cast

import click
from click.shell_completion import CompletionItem

from grant_broker.client.exit_codes import CLOSED_PIPE, IN_WORDS, INTERRUPTED

# Only the command that was asked for is imported: most need boto3, which takes longer than they do.
# So what `--help` says of each stands here, in the first words of its own help.
SECTIONS = {
    "Third parties": {
        "keys": "List the keys that you may ask for; the security team sees and changes their limits.",
        "request": "Ask for a grant.",
        "status": "Show one request, or list those of your account, newest first.",
        "wait": "Wait until a request is decided, and taken up if so asked.",
        "take-up": "Take an approved request up: its time starts now.",
        "encrypt": "Encrypt at most 4,096 bytes of FILE, or of the standard input, under a grant.",
        "why": "Explain why KMS allows or refuses a call under a request's grant.",
        "extend": "Ask to go on with an active grant, without a gap.",
        "break-glass": "Be granted a pending request at once, in an emergency.",
        "release": "Release a grant before its time, or withdraw a request that has none yet.",
    },
    "Security team": {
        "queue": "List what waits for a decision, the one that lapses first at the head.",
        "show": "Show a request with what was found out about it, and its trail.",
        "approve": "Vote for a request, as it is or shortened.",
        "deny": "Deny a request, which is final whatever the quorum.",
        "revoke": "Take a grant back now, or what was approved and not taken up.",
        "revocations": "The kill switch: end and block all that a key, an account or a grantee holds.",
        "approvals": "List, make and withdraw standing approvals.",
        "accounts": "Name the partners' accounts, whom to ask, and where their events go.",
        "reviews": "List what is owed a look by somebody else, and sign it off.",
        "access": "Report who can use or manage a key, and by what.",
        "debt": "Show what falls due, and how late it would come at the present rate.",
        "apply": "Make keys, standing approvals and accounts as YAML files say.",
    },
    "Operators": {
        "audit": "Find requests, list events, export the trail, verify its chains, or make evidence of it.",
        "census": "List all keys and grants of your account, who made each, and what to look at.",
        "cost": "Estimate what a stack costs a month.",
        "doctor": "Examine a deployed stack from outside: one line a finding, with the next step.",
        "key-policy": "Print what a key's policy must say for the broker, as a change of its present policy.",
        "openapi": "Print the OpenAPI document of the HTTP API.",
        "outputs": "Print the outputs of the broker's stack, or the value of one of them.",
        "replay": "Publish audit events to EventBridge again, after a failure or for a new consumer.",
        "simulate": "Decide KMS calls by the policies and grants given with each, without AWS.",
        "uninstall": "Block everything, end every grant, wait until none is left; then say what to delete.",
    },
    "Everybody": {
        "call": "Call anything of the API: GET /requests?limit=1.",
        "console": "Open the broker's pages in your browser, signed with your own AWS profile.",
        "completion": "Print what makes a shell complete these commands.",
    },
}
SUMMARIES = {name: summary for section in SECTIONS.values() for name, summary in section.items()}


class _ClosedPipeError(Exception):
    """Nobody reads the output any more. Click would take the OSError, and exit with 1."""


class _LazyGroup(click.Group):
    """Commands that are imported when they are called, and not to be listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(SUMMARIES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in SUMMARIES:
            return None
        module = import_module(f"grant_broker.client.commands.{cmd_name.replace('-', '_')}")
        return cast("click.Command", module.command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl(list(commands.items()))

    def invoke(self, ctx: click.Context) -> int:
        try:
            code = super().invoke(ctx)
            # What is still buffered would meet a closed pipe when nobody can handle it any more.
            sys.stdout.flush()
        except BrokenPipeError as error:
            raise _ClosedPipeError from error
        return cast("int", code)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        names = [name for name in SUMMARIES if name.startswith(incomplete)]
        options = super().shell_complete(ctx, incomplete) if incomplete.startswith("-") else []
        return [*(CompletionItem(name, help=SUMMARIES[name]) for name in names), *options]


@click.command(
    cls=_LazyGroup, no_args_is_help=False, epilog=IN_WORDS, context_settings={"max_content_width": 100}
)
@click.version_option(package_name="grant-broker", prog_name="grant-broker")
def root() -> None:
    """Time-boxed AWS KMS grants."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code. What is wrong with the arguments is told, with exit code 2."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = root.main(words, prog_name="grant-broker", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except _ClosedPipeError:
        # Whoever read has enough. Python flushes again when it ends: into nothing.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLOSED_PIPE
    return cast("int", code)
