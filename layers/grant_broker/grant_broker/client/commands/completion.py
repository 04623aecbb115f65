"""`grant-broker completion`: what a shell must be told."""

import click
from click.shell_completion import BashComplete, FishComplete, ZshComplete

from grant_broker.client.main import root

_SHELLS = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}


@click.command("completion")
@click.argument("shell", type=click.Choice(list(_SHELLS)))
def command(shell: str) -> int:
    """Print what makes a shell complete these commands.

    \b
    For bash, in ~/.bashrc:
      eval "$(grant-broker completion bash)"
    """
    print(_SHELLS[shell](root, {}, "grant-broker", "_GRANT_BROKER_COMPLETE").source())
    return 0
