"""Plain values as DynamoDB's typed JSON, and back: what boto3's serializer does, without loading boto3."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

Item = dict[str, Any]
"""An item's attributes as plain values, of any kind until a record is read from them."""
Attributes = dict[str, Any]
"""An item, or a part of one, in DynamoDB's typed JSON."""


def serialized(attributes: Mapping[str, object]) -> Attributes:
    """Attributes in DynamoDB's typed JSON; absent where None."""
    return {name: _typed(value) for name, value in attributes.items() if value is not None}


def plain(item: Attributes) -> Item:
    """The plain attributes of a DynamoDB item."""
    return {name: _plain(value) for name, value in item.items()}


def _typed(value: object) -> Attributes:
    """One value. TypeError for what DynamoDB has no type for, and for fractions: the broker stores none."""
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": value}
        case int():
            return {"N": str(value)}
        case Mapping():
            return {"M": {name: _typed(each) for name, each in value.items()}}
        case list() | tuple():
            return {"L": [_typed(each) for each in value]}
    raise TypeError(f"DynamoDB takes no {type(value).__name__}")


def _plain(typed: Attributes) -> object:
    [(kind, value)] = typed.items()
    return _READ[kind](value)


def _whole(number: str) -> int:
    # Every number that the broker stores is whole: an int, where boto3 would give a Decimal. Whoever else
    # wrote a fraction must not keep the items around it from being read.
    return int(Decimal(number))


_READ: Mapping[str, Callable[[Any], object]] = {
    "S": str,
    "N": _whole,
    "BOOL": bool,
    "NULL": lambda _: None,
    "M": plain,
    "L": lambda values: [_plain(each) for each in values],
    # Below, what the broker never stores. Bytes are no bytes then, which a model would take for a text.
    "B": memoryview,
    "SS": set,
    "NS": lambda values: {_whole(each) for each in values},
    "BS": lambda values: {memoryview(each) for each in values},
}
"""How each of DynamoDB's types is read."""
