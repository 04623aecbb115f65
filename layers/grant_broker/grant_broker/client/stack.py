"""What a command must know of the broker: its stack's outputs, or options in their place."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import click

from grant_broker.aws.clients import Clients
from grant_broker.client.arguments import OPERATIONS, ROLE_ARN, STACK, Parsed
from grant_broker.client.aws_session import session_options
from grant_broker.client.failures import MissingOptionError

Command = TypeVar("Command", bound=Callable[..., object])


@dataclass(frozen=True)
class _Fact:
    """An output of the stack and the option that replaces it; `also` is an older name of the option."""

    output: str
    words: str
    read: Parsed[str] | None = None
    also: str | None = None
    optional: bool = False
    """Not every stack has it."""


_FACTS: Mapping[str, _Fact] = {
    "request_table": _Fact("RequestTableName", "The request table.", also="--table"),
    "approval_table": _Fact(
        "ApprovalTableName",
        "The approval table: with it the trails of keys and standing approvals are checked against "
        "their records.",
    ),
    "archive_bucket": _Fact(
        "ArchiveBucketName",
        "The archive's bucket, if closed requests are moved to one.",
        optional=True,
    ),
    "requests_role": _Fact("RequestsRoleArn", "The role of requests, which alone creates grants.", ROLE_ARN),
    "approvals_role": _Fact("ApprovalsRoleArn", "The role of approvals, which reads keys.", ROLE_ARN),
    "expiry_role": _Fact(
        "ExpiryRoleArn",
        "The role of expiry, which ends grants: the retiring principal.",
        ROLE_ARN,
        also="--retiring-principal",
    ),
    "reconcile_role": _Fact("ReconcileRoleArn", "The role of reconcile, which compares grants.", ROLE_ARN),
    "operations": _Fact("GrantableOperations", "What any grant of the stack may hold.", OPERATIONS),
}


def stack_options(*names: str, of_api: bool = False) -> Callable[[Command], Command]:
    """Declare `--stack`, and for each of these facts the option that says it without a stack.

    Beside them `--profile` and `--region`, but where the command calls the broker's API (`of_api`) and has
    those already.
    """

    def declare(command: Command) -> Command:
        for name in reversed(names):
            fact = _FACTS[name]
            flags = [_flag(name), *([fact.also] if fact.also else [])]
            command = click.option(*flags, name, type=fact.read, help=fact.words)(command)
        words = "The broker's CloudFormation stack."
        command = click.option("--stack", type=STACK, help=words)(command)
        return command if of_api else session_options(command)

    return declare


def read_facts(
    stack: str | None, given: Mapping[str, str | None], aws: Callable[[], Clients]
) -> dict[str, str]:
    """Each fact as given, else as the stack says it. The stack is asked only where something is missing.

    MissingOptionError where neither says it, unless not every stack has it: then it is left out. botocore's
    errors pass.
    """
    known = {name: value for name, value in given.items() if value is not None}
    missing = [name for name in given if name not in known]
    needed = [name for name in missing if not _FACTS[name].optional]
    if not missing or (stack is None and not needed):
        return known
    if stack is None:
        raise MissingOptionError(f"give --stack, or {' '.join(map(_flag, needed))} as well")
    outputs = read_outputs(stack, aws())
    if unknown := [_FACTS[name].output for name in needed if _FACTS[name].output not in outputs]:
        words = f"the stack {stack} has no output {', '.join(unknown)}: is it the broker's?"
        raise MissingOptionError(words)
    said = {name: outputs.get(_FACTS[name].output) for name in missing}
    return known | {name: value for name, value in said.items() if value}


def read_outputs(stack: str, aws: Clients) -> dict[str, str]:
    """All outputs of a stack by name (DescribeStacks). botocore's errors pass."""
    [found] = aws.cloudformation().describe_stacks(StackName=stack)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
