"""Pydantic's JSON Schemas as components of the document, made exact where pydantic leaves a gap."""

from typing import Any

from pydantic import BaseModel

from grant_broker.domain.keys import KeyDocument

_PREFIX = "#/components/schemas/"
_NAMES: dict[type[BaseModel], str] = {KeyDocument: "KeyLimits"}


def name_of(model: type[BaseModel]) -> str:
    """The component's name; a page of something is named for it."""
    parts = model.__pydantic_generic_metadata__["args"]
    return "".join(part.__name__ for part in parts) + "Page" if parts else _NAMES.get(model, model.__name__)


def reference(model: type[BaseModel]) -> dict[str, Any]:
    """The schema that stands for a model's component."""
    return {"$ref": f"{_PREFIX}{name_of(model)}"}


def component(model: type[BaseModel]) -> dict[str, Any]:
    """A model's component and those that it refers to, by name."""
    schema = model.model_json_schema(ref_template=_PREFIX + "{model}")
    others = schema.pop("$defs", {})
    if model is KeyDocument:
        # The key is named by the path; named in the body too, it must be the same.
        schema["required"].remove("key_arn")
    named = {**others, name_of(model): {**schema, "title": name_of(model)}}
    return {name: _exact(part) for name, part in named.items()}


def _exact(schema: Any) -> Any:  # noqa: ANN401 - any JSON
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


def _property(schema: dict[str, Any]) -> dict[str, Any]:
    # A title that repeats the name says nothing; a default in seconds is not what is sent.
    left = {name: value for name, value in schema.items() if name != "title"}
    if left.get("type") == "string" and isinstance(left.get("default"), int):
        del left["default"]
    return left
