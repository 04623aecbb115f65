"""KMS's own API model, applied to what is sent: types, required members, lengths, ranges, patterns, enums."""

import base64
import binascii
import re
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ServiceModel, Shape

from tests.local_aws.answers import AwsError

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "blob": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
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
    _check("", shape, parameters)


def _check(path: str, shape: Shape | None, value: Any) -> None:
    if shape is None:
        return
    kind = shape.type_name
    if not _is(kind, value):
        raise AwsError("SerializationException", f"{path or 'The request'} is not a {kind}")
    if kind == "structure":
        _check_structure(path, shape, value)
    elif kind == "map":
        for key, each in value.items():
            _check(f"{path}.{key}", shape.value, each)  # type: ignore[attr-defined]
    elif kind == "list":
        _check_size(path, shape, len(value), "length")
        for number, each in enumerate(value, start=1):
            _check(f"{path}.{number}.member", shape.member, each)  # type: ignore[attr-defined]
    else:
        _check_scalar(path, shape, value)


def _is(kind: str, value: object) -> bool:
    return isinstance(value, _TYPES[kind]) and isinstance(value, bool) == (kind == "boolean")


def _check_structure(path: str, shape: Shape, value: dict[str, Any]) -> None:
    members: dict[str, Shape] = shape.members  # type: ignore[attr-defined]
    for name in shape.required_members:
        if value.get(name) is None:
            raise invalid(_wire(path, name), "null", "Member must not be null")
    for name, each in value.items():
        if name not in members:
            raise AwsError("ValidationException", f"Unknown member {_wire(path, name)}")
        if each is not None:
            _check(_wire(path, name), members[name], each)


def _check_scalar(path: str, shape: Shape, value: Any) -> None:
    if isinstance(value, int):
        _check_size(path, shape, value, "value")
        return
    if shape.type_name == "blob":
        _check_size(path, shape, len(_decoded(path, value)), "length")
        return
    _check_size(path, shape, len(value), "length")
    allowed = shape.enum  # type: ignore[attr-defined]
    if allowed and value not in allowed:
        raise invalid(path, value, f"Member must satisfy enum value set: [{', '.join(allowed)}]")
    pattern = shape.metadata.get("pattern")
    if pattern and not re.fullmatch(pattern, value, re.ASCII):
        raise invalid(path, value, f"Member must satisfy regular expression pattern: {pattern}")


def _check_size(path: str, shape: Shape, size: int, what: str) -> None:
    smallest, largest = shape.metadata.get("min"), shape.metadata.get("max")
    if smallest is not None and size < smallest:
        raise invalid(path, "", f"Member must have {what} greater than or equal to {smallest}")
    if largest is not None and size > largest:
        raise invalid(path, "", f"Member must have {what} less than or equal to {largest}")


def _decoded(path: str, text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise AwsError("SerializationException", f"{path} is not base64") from error


def _wire(path: str, name: str) -> str:
    return f"{path}.{name[:1].lower()}{name[1:]}".lstrip(".")


def invalid(path: str, value: object, constraint: str) -> AwsError:
    """AWS's words for a member that breaks a constraint."""
    shown = f"Value {value}" if value == "null" else f"Value '{value}'"
    words = f"1 validation error detected: {shown} at '{path}' failed to satisfy constraint: {constraint}"
    return AwsError("ValidationException", words)
