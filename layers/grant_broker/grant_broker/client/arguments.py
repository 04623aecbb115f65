"""What the commands take as arguments, each refused with the words of what would be right."""

import argparse
import re

from grant_broker.domain import arns


def key_arn(text: str) -> str:
    """A key's ARN. ArgumentTypeError for anything else."""
    return _checked(text, fault_in_key_arn(text))


def role_arn(text: str) -> str:
    """A role's ARN. ArgumentTypeError for anything else."""
    return _checked(text, _fault(arns.ROLE, text, "give a role's ARN"))


def account(text: str) -> str:
    """An account's id. ArgumentTypeError for anything else."""
    return _checked(text, None if re.fullmatch(r"\d{12}", text, re.ASCII) else "give an account's 12 digits")


def fault_in_key_arn(text: str) -> str | None:
    """Why this is no ARN of a key that the broker can serve; None where it is one."""
    return _fault(arns.KEY, text, "give a key's ARN, no id and no alias")


def _fault(pattern: re.Pattern[str], text: str, wanted: str) -> str | None:
    try:
        arns.refuse_other_partition(text)
    except ValueError as error:
        return f"{text!a}: {error}"
    return None if pattern.fullmatch(text) else f"{text!a}: {wanted}"


def _checked(text: str, fault: str | None) -> str:
    if fault:
        raise argparse.ArgumentTypeError(fault)
    return text
