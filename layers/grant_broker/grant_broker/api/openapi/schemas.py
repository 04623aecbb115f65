"""JSON Schemas as components of the document: of the shapes answered and of the models read."""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from inspect import getdoc
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from pydantic import BaseModel

from grant_broker.api.vocabulary import Keywords
from grant_broker.domain.accounts import AccountDocument
from grant_broker.domain.key_document import KeyDocument

Schema = dict[str, Any]
Shape = type | Any
"""A TypedDict of `shapes`, or a page of one, or a model of a body; to mypy a page is no type."""
_PREFIX = "#/components/schemas/"
_NAMES: Mapping[Shape, str] = {KeyDocument: "KeyLimits", AccountDocument: "AccountEntry"}
_SIMPLE: Mapping[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    NoneType: {"type": "null"},
    Any: {},
}


class KeyPatch(KeyDocument):
    """Some of a key's limits: what it does not name stays as it is, null sets null."""


def name_of(shape: Shape) -> str:
    """The component's name; a page of something is named for it."""
    inner = "".join(part.__name__ for part in get_args(shape))
    whole = get_origin(shape) or shape
    return _NAMES.get(shape, inner + whole.__name__)


def reference(shape: Shape) -> Schema:
    """The schema that stands for a component."""
    return {"$ref": f"{_PREFIX}{name_of(shape)}"}


def fields_of(shape: Shape) -> frozenset[str]:
    """The names of a shape's fields."""
    return frozenset(get_type_hints(get_origin(shape) or shape))


def components(shape: Shape) -> dict[str, Schema]:
    """The component of a shape or a model and those that it refers to, by name."""
    if isinstance(shape, type) and issubclass(shape, BaseModel):
        return _components_of_model(shape)
    found: dict[str, Schema] = {}
    left = [shape]
    while left:
        part = left.pop()
        if name_of(part) not in found:
            found[name_of(part)] = _enumeration(part) if _is_enum(part) else _object(part)
            left += _parts(part)
    return found


def _object(shape: Shape) -> Schema:
    whole: Any = get_origin(shape) or shape
    fields = {name: _schema(hint) for name, hint in _hints(shape).items()}
    return {
        "additionalProperties": False,
        "description": getdoc(whole),
        "properties": fields,
        "required": [name for name in fields if name in whole.__required_keys__],
        "title": name_of(shape),
        "type": "object",
    }


def _enumeration(values: type[StrEnum]) -> Schema:
    return {
        "description": getdoc(values),
        "enum": [str(value) for value in values],
        "title": values.__name__,
        "type": "string",
    }


def _hints(shape: Shape) -> dict[str, Any]:
    """The fields' types, the parameter of a page filled in."""
    whole = get_origin(shape) or shape
    filled = dict(zip(getattr(whole, "__parameters__", ()), get_args(shape), strict=True))
    hints = get_type_hints(whole, include_extras=True)
    return {name: _filled(hint, filled) for name, hint in hints.items()}


def _filled(hint: Any, filled: Mapping[TypeVar, Any]) -> Any:  # noqa: ANN401 - any type
    parameters = getattr(hint, "__parameters__", ())
    return hint[tuple(filled[each] for each in parameters)] if parameters else hint


def _schema(hint: Any) -> Schema:  # noqa: ANN401 - any type
    if hint in _SIMPLE:
        return dict(_SIMPLE[hint])
    parts = get_args(hint)
    match get_origin(hint):
        case origin if origin is Annotated:
            found = {**_schema(parts[0]), **_keywords(parts[1:])}
        case origin if origin is NotRequired:
            found = _schema(parts[0])
        case origin if origin is Literal:
            found = {"type": "string", "enum": list(parts)}
        case origin if origin in {Union, UnionType}:
            found = {"anyOf": [_schema(part) for part in parts]}
        case origin if origin is list:
            found = {"type": "array", "items": _schema(parts[0])}
        case origin if origin is dict:
            found = {"type": "object", "additionalProperties": _schema(parts[1]) or True}
        case _:
            found = reference(hint)
    return found


def _keywords(metadata: Iterable[Keywords]) -> Schema:
    said = ((name, value) for each in metadata for name, value in vars(each).items() if value is not None)
    return {name: list(value) if isinstance(value, tuple) else value for name, value in said}


def _parts(hint: Any) -> Iterator[Shape]:  # noqa: ANN401 - any type
    """The components that a type refers to by itself."""
    for each in _hints(hint).values() if is_typeddict(get_origin(hint) or hint) else get_args(hint):
        if is_typeddict(each) or _is_enum(each):
            yield each
        elif get_args(each):
            yield from _parts(each)


def _is_enum(hint: Any) -> bool:  # noqa: ANN401 - any type
    return isinstance(hint, type) and issubclass(hint, StrEnum)


def _components_of_model(model: type[BaseModel]) -> dict[str, Schema]:
    schema = model.model_json_schema(ref_template=_PREFIX + "{model}")
    others = schema.pop("$defs", {})
    if model is KeyDocument:
        # The key is named by the path; named in the body too, it must be the same.
        schema["required"].remove("key_arn")
        schema["description"] = "A key's limits. Of a registered key, every field but `key_arn` is required."
    if model is AccountDocument:
        # So is the account.
        schema["required"].remove("account")
    if model is KeyPatch:
        del schema["required"]
        for part in schema["properties"].values():
            part.pop("default", None)
    named = {**others, name_of(model): {**schema, "title": name_of(model)}}
    return {name: cast("Schema", _exact(part)) for name, part in named.items()}


def _exact(schema: Any) -> Any:  # noqa: ANN401 - any JSON
    """Pydantic's schema, made exact where pydantic leaves a gap."""
    if isinstance(schema, list):
        return [_exact(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: _exact(part) for name, part in schema.items()}
    if "patternProperties" in found:
        # Pydantic writes the pattern of the keys so that it binds the others to nothing.
        [(pattern, value)] = found.pop("patternProperties").items()
        names = {**found.get("propertyNames", {}), "pattern": pattern}
        found = {**found, "propertyNames": names, "additionalProperties": value}
    if "properties" in found:
        found["properties"] = {name: _property(part) for name, part in found["properties"].items()}
    return found


def _property(schema: Schema) -> Schema:
    # A title that repeats the name says nothing; a default in seconds is not what is sent.
    left = {name: value for name, value in schema.items() if name != "title"}
    if left.get("type") == "string" and isinstance(left.get("default"), int):
        del left["default"]
    return left
