"""The program `grant-broker`: the command line, or what to install where it is missing."""

import sys

# What the extra `client` brings: the Python client alone needs none of it.
_OF_THE_EXTRA = {"click", "pydantic", "rich", "yaml"}


def main() -> int:
    """Run the command line; its exit code, 2 where it is not installed."""
    try:
        from grant_broker.client.main import main as run  # noqa: PLC0415 - it may not be there

        return run()
    except ModuleNotFoundError as error:
        if error.name not in _OF_THE_EXTRA:
            raise
        words = f"the command line is not installed ({error.name} is missing): pip install '.[client]'"
        print(f"grant-broker: {words}", file=sys.stderr)
        return 2
