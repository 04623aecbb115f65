"""`grant-broker outputs`: what the stack says of itself."""

import sys

import click

from grant_broker.client.arguments import STACK
from grant_broker.client.aws_session import clients, session_options
from grant_broker.client.failures import AWS_FAILURES, NOT_DONE, report_failure
from grant_broker.client.stack import read_outputs


@click.command("outputs")
@click.option("--stack", type=STACK, required=True, help="The broker's CloudFormation stack.")
@session_options
@click.argument("name", required=False)
def command(*, stack: str, name: str | None) -> int:
    """Print the outputs of the broker's stack, or the value of one of them.

    Exit code 2 where the stack cannot be read, or has no such output.
    """
    try:
        outputs = read_outputs(stack, clients())
    except AWS_FAILURES as error:
        return report_failure("outputs", error)
    if name is None:
        for each, value in sorted(outputs.items()):
            print(f"{each}={value}")
        return 0
    if name not in outputs:
        print(f"grant-broker outputs: the stack {stack} has no output {name!a}", file=sys.stderr)
        return NOT_DONE
    print(outputs[name])
    return 0
