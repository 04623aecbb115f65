"""What a statement's Condition says without a call: whom it narrows to, and when it ends."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from grant_broker.domain.arns import OF_ACCOUNT
from grant_broker.policy_engine.values import date, number

Block = Mapping[str, Mapping[str, Any]]
"""A Condition element as the policy has it: operators, each with keys and values."""

PRINCIPAL_ARN = "aws:principalarn"
_ACCOUNT_KEYS = ("kms:calleraccount", "aws:principalaccount")
_NARROWING = frozenset({"stringequals", "arnequals", "arnlike", "stringlike"})
_ENDING = {"datelessthan": date, "datelessthanequals": date}
_ENDING_NUMBERS = {"numericlessthan": number, "numericlessthanequals": number}
_ENDS = {"aws:currenttime": _ENDING, "aws:epochtime": {**_ENDING, **_ENDING_NUMBERS}}
_NEVER = Decimal(int(datetime(2100, 1, 1, tzinfo=UTC).timestamp()))
"""Who writes the year 9999 means that it does not end."""
_IF_EXISTS = "ifexists"


def conditions_in(block: Block) -> Iterator[tuple[str, str, list[str]]]:
    """Operator, key and values, as written, of each condition."""
    for operator, keys in block.items():
        for key, values in keys.items():
            listed = values if isinstance(values, list) else [values]
            yield operator, key, [str(value) for value in listed]


def principals_in(block: Block) -> list[str] | None:
    """The principals that conditions on aws:PrincipalArn name exactly; None where none does."""
    named = [values for values in _narrowing(block, PRINCIPAL_ARN) if not any(map(_varies, values))]
    if not named:
        return None
    first, *others = named
    return [arn for arn in first if all(arn in values for values in others)]


def accounts_in(block: Block) -> set[str] | None:
    """The accounts that callers must be of; None where conditions let any account through."""
    sets = [
        set(values)
        for key in _ACCOUNT_KEYS
        for values in _narrowing(block, key)
        if not any(map(_varies, values))
    ]
    for values in _narrowing(block, PRINCIPAL_ARN):
        matches = [OF_ACCOUNT.fullmatch(value) for value in values]
        sets += [{match["account"] for match in matches if match}] if all(matches) else []
    return set.intersection(*sets) if sets else None


def through_service(block: Block) -> bool:
    """Whether callers get through by an AWS service alone (kms:ViaService)."""
    return any(True for _ in _narrowing(block, "kms:viaservice"))


def end_of(block: Block) -> datetime | None:
    """When the conditions end the access: the earliest of their ends; None where they name none.

    One condition holds while any of its values lets it, so until the latest of them. A value that cannot
    be read ends nothing: the access is told as longer rather than shorter than it is.
    """
    ends = [end for end in _ends(block) if end < _NEVER]
    return datetime.fromtimestamp(max(0, int(min(ends))), UTC) if ends else None


def _ends(block: Block) -> Iterator[Decimal]:
    for operator, key, values in conditions_in(block):
        # The time of a call is always there: IfExists changes nothing.
        reader = _ENDS.get(key.lower(), {}).get(operator.lower().removesuffix(_IF_EXISTS))
        if reader is None:
            continue
        readable = []
        for value in values:
            try:
                readable.append(reader(value))
            except (ValueError, OverflowError):
                continue
        if readable:
            yield max(readable)


def _narrowing(block: Block, wanted: str) -> Iterator[list[str]]:
    """The values of each condition that a call meets only by having one of them for this key."""
    for operator, key, values in conditions_in(block):
        if operator.lower() in _NARROWING and key.lower() == wanted:
            yield values


def _varies(value: str) -> bool:
    return any(character in value for character in "*?$")
