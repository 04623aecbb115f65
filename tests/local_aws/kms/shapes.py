"""KMS's own API model, applied to what is sent: types, required members, lengths, ranges, patterns, enums."""

import base64
import binascii
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ServiceModel, Shape

from tests.local_aws.answers import AwsError, broken, invalid, missing

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "blob": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "timestamp": (int, float),
    "list": (list,),
    "map": (dict,),
    "structure": (dict,),
}


@cache
def model() -> ServiceModel:
    """KMS's API model as the installed botocore has it."""
    return botocore.session.get_session().get_service_model("kms")


def check(operation: str, parameters: Any) -> None:
    """Raises AwsError where the parameters are not of the operation's shape.

    AWS leaves out members that it does not know. Here they are refused: a newer one might widen.
    """
    if operation not in model().operation_names:
        raise AwsError("UnknownOperationException", "No such operation")
    shape = model().operation_model(operation).input_shape
    if faults := list(_faults("", shape, parameters)):
        raise invalid(*faults)


def _faults(path: str, shape: Shape | None, value: Any) -> Iterator[str]:
    """What is missing or breaks a constraint. Raises AwsError where a value has another type."""
    if shape is None:
        return
    kind = shape.type_name
    if not _is(kind, value):
        raise AwsError("SerializationException", f"{path or 'The request'} is not a {kind}")
    if kind == "structure":
        yield from _structure_faults(path, shape, value)
    elif kind == "map":
        for key, each in value.items():
            yield from _faults(f"{path}.{key}", shape.value, each)  # type: ignore[attr-defined]
    elif kind == "list":
        yield from _size_faults(path, shape, len(value), value)
        for number, each in enumerate(value, start=1):
            yield from _faults(f"{path}.{number}.member", shape.member, each)  # type: ignore[attr-defined]
    else:
        yield from _scalar_faults(path, shape, value)


def _is(kind: str, value: object) -> bool:
    return isinstance(value, _TYPES[kind]) and isinstance(value, bool) == (kind == "boolean")


def _structure_faults(path: str, shape: Shape, value: dict[str, Any]) -> Iterator[str]:
    members: dict[str, Shape] = shape.members  # type: ignore[attr-defined]
    for name in value:
        if name not in members:
            raise AwsError("ValidationException", f"Unknown member {_wire(path, name)}")
    for name in shape.required_members:
        if value.get(name) is None:
            yield missing(_wire(path, name))
    for name, each in value.items():
        if each is not None:
            yield from _faults(_wire(path, name), members[name], each)


def _scalar_faults(path: str, shape: Shape, value: Any) -> Iterator[str]:
    if isinstance(value, int | float):
        yield from _size_faults(path, shape, value, value)
        return
    if shape.type_name == "blob":
        yield from _size_faults(path, shape, len(_decoded(path, value)), None)
        return
    yield from _size_faults(path, shape, len(value), value)
    allowed = shape.enum  # type: ignore[attr-defined]
    if allowed and value not in allowed:
        yield broken(path, value, f"Member must satisfy enum value set: [{', '.join(allowed)}]")
    pattern = shape.metadata.get("pattern")
    if pattern and not re.fullmatch(pattern, value, re.ASCII):
        yield broken(path, value, f"Member must satisfy regular expression pattern: {pattern}")


def _size_faults(path: str, shape: Shape, size: float, value: object) -> Iterator[str]:
    """`value` is what AWS quotes, None for what it does not show: blobs."""
    what = "value" if isinstance(value, int | float) else "length"
    smallest, largest = shape.metadata.get("min"), shape.metadata.get("max")
    if smallest is not None and size < smallest:
        yield broken(path, value, f"Member must have {what} greater than or equal to {smallest}")
    if largest is not None and size > largest:
        yield broken(path, value, f"Member must have {what} less than or equal to {largest}")


def _decoded(path: str, text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise AwsError("SerializationException", f"{path} is not base64") from error


def _wire(path: str, name: str) -> str:
    return f"{path}.{name[:1].lower()}{name[1:]}".lstrip(".")
