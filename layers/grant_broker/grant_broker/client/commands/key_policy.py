"""`grant-broker key-policy`: what a key's policy must say for the broker, as a change of it."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict, Unpack

import click

from grant_broker.api.views.access import advice_view
from grant_broker.client.arguments import key_arn_argument
from grant_broker.client.aws_session import clients, get_profile
from grant_broker.client.commands.access import kms_of
from grant_broker.client.failures import AWS_FAILURES, NOT_DONE, report_failure
from grant_broker.client.printing import printable
from grant_broker.client.stack import read_facts, stack_options
from grant_broker.domain.arns import account_of
from grant_broker.domain.key_policy import Roles, text_of
from grant_broker.domain.scope import ENCRYPT_SIDE
from grant_broker.keys.key_policy import KeyPolicyAdvice, advise

_ROLES = ("requests_role", "approvals_role", "expiry_role", "reconcile_role")


class _Options(TypedDict):
    """What the command was given."""

    key_arn: str
    stack: str | None
    requests_role: str | None
    approvals_role: str | None
    expiry_role: str | None
    reconcile_role: str | None
    operations: str | None
    policy: Path | None
    as_json: bool
    merged: bool
    check: bool


@click.command("key-policy")
@key_arn_argument
@stack_options(*_ROLES, "operations")
@click.option(
    "--policy", type=click.Path(path_type=Path), help="A file with the present policy; else KMS is asked."
)
@click.option("--json", "as_json", is_flag=True, help="Write everything as one JSON object.")
@click.option("--merged", is_flag=True, help="Write only the policy to put, as JSON.")
@click.option("--check", is_flag=True, help="Tell by the exit code whether anything is missing.")
def command(**options: Unpack[_Options]) -> int:
    """Print what a key's policy must say for the broker, as a change of its present policy.

    The key is of this or another account, and need not be registered.

    \b
    Exit codes:
      0  done; with --check, nothing is missing
      1  with --check, something is missing; with --merged, there is no policy to put
      2  what was given cannot be used; with --check, the present policy is not known
    """
    if options["as_json"] + options["merged"] + options["check"] > 1:
        raise click.UsageError("give one of --json, --merged and --check")
    policy = options["policy"]
    try:
        facts = _facts(options)
        present = _present(options["key_arn"], policy)
        advice = advise(_roles(facts), facts["operations"].split(","), options["key_arn"], present)
    except AWS_FAILURES as error:
        return report_failure("key-policy", error)
    except (OSError, ValueError) as error:
        place = f"{policy}: " if policy and not isinstance(error, OSError) else ""
        print(f"grant-broker key-policy: {place}{printable(str(error))}", file=sys.stderr)
        return NOT_DONE
    for note in (*advice.denied, *advice.notes):
        print(f"grant-broker key-policy: {printable(note)}", file=sys.stderr)
    if options["merged"]:
        return _print_merged(advice)
    if options["as_json"]:
        print(json.dumps(advice_view(advice), indent=2))
    else:
        _print_in_words(advice)
    return _checked(advice) if options["check"] else 0


def _facts(options: _Options) -> dict[str, str]:
    """Roles and operations; without a stack the operations are those that a stack has by default."""
    operations = options["operations"] or (None if options["stack"] else ",".join(ENCRYPT_SIDE))
    given = {
        "requests_role": options["requests_role"],
        "approvals_role": options["approvals_role"],
        "expiry_role": options["expiry_role"],
        "reconcile_role": options["reconcile_role"],
        "operations": operations,
    }
    return read_facts(options["stack"], given, clients)


def _roles(facts: Mapping[str, str]) -> Roles:
    """The broker's roles. ValueError where they are of several accounts."""
    roles = Roles(*(facts[name] for name in _ROLES))
    if len(homes := {account_of(arn) for arn in roles.every}) > 1:
        raise ValueError(f"the broker's roles are of one account, not of {', '.join(sorted(homes))}")
    return roles


def _present(key_arn: str, policy: Path | None) -> str | None:
    if policy:
        return policy.read_text("utf-8")
    try:
        return kms_of(key_arn, get_profile()).get_key_policy(key_arn)
    except AWS_FAILURES as error:
        print(f"the present policy is not known: {printable(str(error))}", file=sys.stderr)
        return None


def _print_merged(advice: KeyPolicyAdvice) -> int:
    text = text_of(advice.policy) if advice.policy else None
    if text is None:
        return 1
    print(text)
    return 0


def _print_in_words(advice: KeyPolicyAdvice) -> None:
    if advice.diff is None:
        print("The key's policy needs these statements:")
        print(json.dumps(advice.statements, indent=2))
    elif advice.diff:
        print("\n".join(printable(line) for line in advice.diff.splitlines()))
    elif not advice.denied:
        print("The key's policy says all that the broker needs.")
    for role, policy in advice.role_policies.items():
        print(f"\nThe key is of another account, so {role} needs this IAM policy as well:")
        print(json.dumps(policy, indent=2))


def _checked(advice: KeyPolicyAdvice) -> int:
    if advice.complete is None:
        return NOT_DONE
    return 0 if advice.complete else 1
