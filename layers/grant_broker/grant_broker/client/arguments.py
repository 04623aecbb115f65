"""What the commands take as arguments, each refused with the words of what would be right."""

import argparse
import re

# Of any partition: that the broker serves only one is said in words.
_KEY_ARN = re.compile(r"arn:(?P<partition>aws[a-z-]*):kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]{1,64}", re.ASCII)
_ROLE_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):iam::\d{12}:role/(?:[\w+=,.@-]+/)*[\w+=,.@-]{1,64}", re.ASCII
)
_SERVED = "aws"


def key_arn(text: str) -> str:
    """A key's ARN. ArgumentTypeError for anything else."""
    return _checked(text, fault_in_key_arn(text))


def role_arn(text: str) -> str:
    """A role's ARN. ArgumentTypeError for anything else."""
    return _checked(text, _fault(_ROLE_ARN, text, "give a role's ARN"))


def account(text: str) -> str:
    """An account's id. ArgumentTypeError for anything else."""
    return _checked(text, None if re.fullmatch(r"\d{12}", text, re.ASCII) else "give an account's 12 digits")


def fault_in_key_arn(text: str) -> str | None:
    """Why this is no ARN of a key that the broker can serve; None where it is one."""
    return _fault(_KEY_ARN, text, "give a key's ARN, no id and no alias")


def _fault(pattern: re.Pattern[str], text: str, wanted: str) -> str | None:
    match = pattern.fullmatch(text)
    if match is None:
        return f"{text!a}: {wanted}"
    if match["partition"] != _SERVED:
        return f"{text!a}: the broker serves the partition {_SERVED} only"
    return None


def _checked(text: str, fault: str | None) -> str:
    if fault:
        raise argparse.ArgumentTypeError(fault)
    return text
