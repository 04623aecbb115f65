"""`grant-broker key-policy`: what a key's policy must say for the broker, as a change of it."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError

from grant_broker.client.arguments import key_arn
from grant_broker.client.commands.access import kms_of
from grant_broker.client.printing import printable
from grant_broker.domain.arns import account_of
from grant_broker.domain.errors import BrokerError
from grant_broker.domain.key_policy import Roles, advice
from grant_broker.domain.scope import ENCRYPT_SIDE

_BAD_INPUT = 2


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--key-arn", type=key_arn, required=True, help="the key, of this or another account")
    parser.add_argument("--stack", required=True, help="the broker's stack, which its roles are named after")
    parser.add_argument("--account", help="the account of the stack, where it is not the key's")
    parser.add_argument(
        "--operations",
        default=",".join(ENCRYPT_SIDE),
        help="the stack's GrantableOperations (default: %(default)s)",
    )
    parser.add_argument("--policy", type=Path, metavar="FILE", help="the present policy; else KMS is asked")
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="write everything as one JSON object")
    shape.add_argument("--merged", action="store_true", help="write only the policy to put, as JSON")


def run(options: argparse.Namespace) -> int:
    """Print what is needed; 1 where --merged has no present policy to merge into, 2 where it is none."""
    arn = options.key_arn
    roles = Roles.of_stack(options.stack, options.account or account_of(arn))
    try:
        found = advice(roles, options.operations.split(","), arn, _present(options))
    except (OSError, ValueError) as error:
        print(f"grant-broker key-policy: {options.policy}: {printable(str(error))}", file=sys.stderr)
        return _BAD_INPUT
    if options.merged:
        return _print_merged(found)
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        _print_in_words(found)
    return 0


def _present(options: argparse.Namespace) -> str | None:
    if options.policy:
        return str(options.policy.read_text("utf-8"))
    try:
        return kms_of(options.key_arn).get_key_policy(options.key_arn)
    except (BrokerError, BotoCoreError) as error:
        print(f"the present policy is not known: {printable(str(error))}", file=sys.stderr)
        return None


def _print_merged(found: dict[str, Any]) -> int:
    if found["policy"] is None:
        return 1
    print(json.dumps(found["policy"], indent=2))
    return 0


def _print_in_words(found: dict[str, Any]) -> None:
    if found["diff"] is None:
        print("The key's policy needs these statements:")
        print(json.dumps(found["statements"], indent=2))
    elif found["diff"]:
        print("\n".join(printable(line) for line in found["diff"].splitlines()))
    else:
        print("The key's policy says all that the broker needs.")
    for role, policy in found["role_policies"].items():
        print(f"\nThe key is of another account, so {role} needs this IAM policy besides:")
        print(json.dumps(policy, indent=2))
