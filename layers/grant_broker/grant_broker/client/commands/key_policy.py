"""`grant-broker key-policy`: what a key's policy must say for the broker, as a change of it."""

import argparse
import json
import re
import sys
from pathlib import Path

from grant_broker.api.access_views import advice_view
from grant_broker.client.arguments import account, key_arn, role_arn
from grant_broker.client.commands.access import kms_of
from grant_broker.client.failures import AWS_FAILURES, NOT_DONE
from grant_broker.client.printing import printable
from grant_broker.domain.arns import account_of
from grant_broker.domain.key_policy import Roles, text_of
from grant_broker.domain.scope import ENCRYPT_SIDE, OPERATIONS
from grant_broker.keys.key_policy import KeyPolicyAdvice, advise

_ROLES = ("requests", "approvals", "expiry", "reconcile")
_CODES = """\
exit codes:
  0  done; with --check, nothing is missing
  1  with --check, something is missing; with --merged, there is no policy to put
  2  what was given cannot be used; with --check, the present policy is not known
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _CODES
    parser.add_argument("--key-arn", type=key_arn, required=True, help="the key, of this or another account")
    parser.add_argument("--stack", type=_stack, help="the broker's stack, which its roles are named after")
    parser.add_argument("--account", type=account, help="the account of the stack, where it is not the key's")
    for name in _ROLES:
        words = f"the role of {name}, where it is not named after the stack"
        parser.add_argument(f"--{name}-role", type=role_arn, metavar="ARN", help=words)
    parser.add_argument(
        "--operations",
        type=_operations,
        default=",".join(ENCRYPT_SIDE),
        help="the stack's GrantableOperations (default: %(default)s)",
    )
    parser.add_argument("--policy", type=Path, metavar="FILE", help="the present policy; else KMS is asked")
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="write everything as one JSON object")
    shape.add_argument("--merged", action="store_true", help="write only the policy to put, as JSON")
    shape.add_argument(
        "--check", action="store_true", help="tell by the exit code whether anything is missing"
    )


def run(options: argparse.Namespace) -> int:
    """Print what is needed; the exit code."""
    try:
        advice = advise(_roles(options), options.operations, options.key_arn, _present(options))
    except (OSError, ValueError) as error:
        place = f"{options.policy}: " if options.policy and not isinstance(error, OSError) else ""
        print(f"grant-broker key-policy: {place}{printable(str(error))}", file=sys.stderr)
        return NOT_DONE
    for note in (*advice.denied, *advice.notes):
        print(f"grant-broker key-policy: {printable(note)}", file=sys.stderr)
    if options.merged:
        return _print_merged(advice)
    if options.json:
        print(json.dumps(advice_view(advice), indent=2))
    else:
        _print_in_words(advice)
    return _checked(advice) if options.check else 0


def _roles(options: argparse.Namespace) -> Roles:
    """The broker's roles. ValueError where one is not known, or where they are of several accounts."""
    given = {name: getattr(options, f"{name}_role") for name in _ROLES}
    missing = [f"--{name}-role" for name in _ROLES if given[name] is None]
    if missing and not options.stack:
        raise ValueError(f"give --stack, or {' '.join(missing)} as well")
    homes = {options.account} if options.account else set()
    homes |= {account_of(arn) for arn in given.values() if arn}
    if len(homes) > 1:
        raise ValueError(f"the broker's roles are of one account, not of {', '.join(sorted(homes))}")
    home = homes.pop() if homes else account_of(options.key_arn)
    named = vars(Roles.of_stack(options.stack, home)) if options.stack else {}
    return Roles(**{name: given[name] or named[name] for name in _ROLES})


def _present(options: argparse.Namespace) -> str | None:
    if options.policy:
        return str(options.policy.read_text("utf-8"))
    try:
        return kms_of(options.key_arn).get_key_policy(options.key_arn)
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
        print(f"\nThe key is of another account, so {role} needs this IAM policy besides:")
        print(json.dumps(policy, indent=2))


def _checked(advice: KeyPolicyAdvice) -> int:
    if advice.complete is None:
        return NOT_DONE
    return 0 if advice.complete else 1


def _stack(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,127}", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{text!a}: give the name of a CloudFormation stack")
    return text


def _operations(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if unknown := [name for name in names if name not in OPERATIONS]:
        words = f"not grantable: {', '.join(map(ascii, unknown))}; known are {', '.join(OPERATIONS)}"
        raise argparse.ArgumentTypeError(words)
    return names
