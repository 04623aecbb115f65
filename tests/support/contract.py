"""Holds answers to the OpenAPI document: status, media type, body and headers, each exactly."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tests.local_stack.template import ROOT

PATH = ROOT / "layers" / "grant_broker" / "grant_broker" / "api" / "openapi" / "openapi.json"
_URI = "urn:grant-broker:openapi"


class UndocumentedError(AssertionError):
    """An answer that the document does not know."""


@dataclass(frozen=True)
class Operation:
    """One method of one path of the document."""

    name: str
    method: str
    path: str
    takes_body: bool

    def __str__(self) -> str:
        return self.name


@cache
def document() -> dict[str, Any]:
    """The document that the repository holds."""
    found: dict[str, Any] = json.loads(PATH.read_text("utf-8"))
    return found


def operations() -> list[Operation]:
    """Every operation that is documented."""
    return [
        Operation(described["operationId"], method.upper(), path, "requestBody" in described)
        for path, methods in document()["paths"].items()
        for method, described in methods.items()
    ]


def at(pointer: str) -> Any:
    """The part of the document that a JSON pointer names."""
    part: Any = document()
    for name in pointer.strip("/").split("/"):
        part = part[name.replace("~1", "/").replace("~0", "~")]
    return part


@cache
def validator(pointer: str) -> Draft202012Validator:
    """Validates against the schema that a JSON pointer names."""
    resource = Resource(contents=document(), specification=DRAFT202012)
    registry: Any = Registry().with_resource(_URI, resource)
    return Draft202012Validator({"$ref": f"{_URI}#{pointer}"}, registry=registry)


def check(method: str, path: str, status: int, headers: Mapping[str, str], body: Any) -> None:
    """UndocumentedError where this route (`path` as the template writes it) may not answer exactly this.

    `body` is read JSON, None where there was none.
    """
    if method.lower() not in document()["paths"].get(path, {}):
        # That every route is documented is a test of its own.
        return
    operation = f"/paths/{path.replace('/', '~1')}/{method.lower()}"
    responses = at(f"{operation}/responses")
    if str(status) not in responses:
        raise UndocumentedError(
            f"{method} {path} answered {status}, documented are {', '.join(responses)}: {body}"
        )
    response = responses[str(status)]
    pointer = f"{operation}/responses/{status}"
    if "$ref" in response:
        pointer = response["$ref"].removeprefix("#")
        response = at(pointer)
    given = {name.lower(): value for name, value in headers.items()}
    _check_body(f"{method} {path} {status}", pointer, response, given, body)
    for name, header in response.get("headers", {}).items():
        value: Any = given.get(name.lower())
        if value is None and not header["required"]:
            continue
        number = header["schema"]["type"] == "integer" and str(value).isdigit()
        if value is None or not Draft202012Validator(header["schema"]).is_valid(
            int(value) if number else value
        ):
            raise UndocumentedError(f"{method} {path} {status}: header {name} is {value!r}")


def _check_body(
    what: str, pointer: str, response: dict[str, Any], headers: Mapping[str, str], body: Any
) -> None:
    if "content" not in response:
        if body is not None:
            raise UndocumentedError(f"{what}: no body is documented, this came: {body}")
        return
    [media_type] = response["content"]
    if headers.get("content-type", "").split(";")[0] != media_type:
        raise UndocumentedError(f"{what}: {headers.get('content-type')}, documented is {media_type}")
    schema = f"{pointer}/content/{media_type.replace('/', '~1')}/schema"
    faults = [f"{error.json_path}: {error.message}" for error in validator(schema).iter_errors(body)]
    if faults:
        raise UndocumentedError(f"{what}: {'; '.join(faults)[:2000]}")
