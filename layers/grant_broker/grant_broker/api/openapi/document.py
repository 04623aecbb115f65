"""OpenAPI 3.1, put together from the routes and the models."""

import json
import re
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any

from grant_broker.api.openapi.examples import EXAMPLES
from grant_broker.api.openapi.parameters import IDEMPOTENCY_KEY, IF_MATCH, PATH, QUERY
from grant_broker.api.openapi.routes import OPERATIONS, SECURITY_TEAM, Operation
from grant_broker.api.openapi.schemas import Shape, components, fields_of, reference
from grant_broker.api.problems import ANSWERS
from grant_broker.api.shapes.accounts import NamedAccount
from grant_broker.api.shapes.approvals import Approval
from grant_broker.api.shapes.keys import ChangedKey, Key, KeyChecks, Votes
from grant_broker.api.shapes.requests import RequestSeen, RequestWithTrail
from grant_broker.api.shapes.revocations import MassRevocation, MassRevocationMade
from grant_broker.api.shapes.third_parties import Problem, Request, RequestShown

PROBLEM = "application/problem+json"
_REFUSED = {
    400: "What was sent is not valid; `errors` names every fault.",
    403: "The caller may not do this, the signature is not valid, or there is no such route.",
    404: "There is no such thing, or it is another account's.",
    409: "The present state does not allow this.",
    412: "It has changed since the caller read it (If-Match).",
    413: "The body is larger than 64 KiB.",
    429: "Too many calls, or too many open requests.",
    503: "AWS did not answer, or the outcome is not known yet. The same call again is safe.",
}
_CODES = {status: code for status, code, _ in ANSWERS.values()}
_SECONDS = {"type": "integer", "minimum": 1}
_LOCATION = "The path of what was made, stage and base path included, as in the URL that was called."
_NEWS = "Seconds after which to ask again, where something is not final yet and changes without the caller."
_NOT_FINAL = (
    Request,
    RequestSeen,
    RequestShown,
    RequestWithTrail,
    Approval,
    Votes,
    KeyChecks,
    MassRevocationMade,
    MassRevocation,
)
_SIGNED = {
    "type": "apiKey",
    "name": "Authorization",
    "in": "header",
    "x-amazon-apigateway-authtype": "awsSigv4",
    "description": "AWS Signature Version 4, service `execute-api`.",
}


def text(operations: Sequence[Operation] = OPERATIONS) -> str:
    """The document as the repository keeps it."""
    return json.dumps(document(operations), indent=1, ensure_ascii=True) + "\n"


def document(operations: Sequence[Operation] = OPERATIONS) -> dict[str, Any]:
    """The document."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _described(operation)
    shapes = [*_shapes(operations), Problem]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "KMS grant broker",
            "version": "1",
            "description": "KMS grants for third parties: on request, after approval, for a limited time.",
        },
        "security": [{"sigv4": []}],
        "tags": [{"name": "third parties"}, {"name": "security team"}],
        "paths": paths,
        "components": {
            "schemas": dict(
                sorted({name: part for each in shapes for name, part in components(each).items()}.items())
            ),
            "responses": {str(status): _refusal(status) for status in _REFUSED},
            "securitySchemes": {"sigv4": _SIGNED},
        },
    }


def _shapes(operations: Sequence[Operation]) -> Iterator[Shape]:
    for operation in operations:
        yield from (shape for shape in operation.answers.values() if shape)
        if operation.body:
            yield operation.body


def _described(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "tags": ["security team" if operation in SECURITY_TEAM else "third parties"],
        "summary": operation.summary,
        "parameters": list(_parameters(operation)),
        "responses": {
            **{str(status): _answer(operation, status) for status in sorted(operation.answers)},
            **{str(status): {"$ref": f"#/components/responses/{status}"} for status in operation.refusals},
        },
    }
    if operation.body:
        content = {"schema": reference(operation.body), "example": EXAMPLES[operation.body]}
        described["requestBody"] = {"required": True, "content": {"application/json": content}}
    return described


def _parameters(operation: Operation) -> Iterator[dict[str, Any]]:
    for name in re.findall(r"\{(\w+)\}", operation.path):
        yield {"name": name, "in": "path", "required": True, "schema": PATH[name]}
    for name in operation.query:
        yield {
            "name": name,
            "in": "query",
            "required": False,
            "schema": QUERY.get(f"{operation.name}.{name}") or QUERY[name],
        }
    if operation.repeatable:
        yield IDEMPOTENCY_KEY
    if operation.conditional:
        yield IF_MATCH


def _answer(operation: Operation, status: int) -> dict[str, Any]:
    shape = operation.answers[status]
    answer: dict[str, Any] = {"description": HTTPStatus(status).phrase}
    if shape:
        answer["content"] = {"application/json": {"schema": reference(shape)}}
    headers = {}
    if status == HTTPStatus.CREATED or shape is MassRevocationMade:
        headers["Location"] = _header(_LOCATION, {"type": "string"})
    if shape in _NOT_FINAL:
        headers["Retry-After"] = {
            **_header(_NEWS, _SECONDS),
            "required": status == HTTPStatus.ACCEPTED and shape in {Votes, KeyChecks, MassRevocationMade},
        }
    if shape in {Key, ChangedKey, NamedAccount}:
        headers["ETag"] = _header("The present version, for If-Match.", {"type": "string"})
    if headers:
        answer["headers"] = headers
    if operation.follow and shape and {"id", "key_arn"} & fields_of(shape):
        answer["links"] = {name: _link(name) for name in operation.follow}
    return answer


def _link(name: str) -> dict[str, Any]:
    path = next(operation.path for operation in OPERATIONS if operation.name == name)
    [parameter] = re.findall(r"\{(\w+)\}", path)
    known = "$request.path.key_id" if parameter == "key_id" else "$response.body#/id"
    return {"operationId": name, "parameters": {parameter: known}}


def _refusal(status: int) -> dict[str, Any]:
    exactly = {"properties": {"status": {"const": status}, "code": {"const": _CODES[status]}}}
    schema = {"allOf": [reference(Problem), exactly]}
    refusal: dict[str, Any] = {"description": _REFUSED[status], "content": {PROBLEM: {"schema": schema}}}
    if status in {429, 503}:
        refusal["headers"] = {"Retry-After": _header("Seconds after which to try again.", _SECONDS)}
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        words = "Where the request is found whose outcome is not known yet."
        refusal["headers"]["Location"] = {**_header(words, {"type": "string"}), "required": False}
    return refusal


def _header(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "required": True, "schema": schema}
