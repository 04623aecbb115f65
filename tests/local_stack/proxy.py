"""API Gateway's proxy event: what a function is given for one signed call."""

import uuid
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

from tests.local_aws.identities import Credentials, Directory
from tests.local_stack.template import API_ID, Route


def matched(routes: Sequence[Route], method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """The route that answers a method and path (without the stage), and its path parameters."""
    parts = path.split("/")
    found = (
        (route, parameters)
        for route in routes
        if route.method == method and (parameters := _parameters(route.path.split("/"), parts)) is not None
    )
    # As API Gateway does, a literal segment goes before a parameter.
    return min(found, key=lambda pair: len(pair[1]), default=None)


def _parameters(pattern: list[str], parts: list[str]) -> dict[str, str] | None:
    if len(pattern) != len(parts):
        return None
    named = {}
    for name, part in zip(pattern, parts, strict=True):
        if name.startswith("{") and part:
            named[name.strip("{}")] = unquote(part)
        elif name != part:
            return None
    return named


def proxy_event(
    directory: Directory,
    caller: Credentials,
    route: Route,
    path: str,
    *,
    parameters: dict[str, str] | None = None,
    query: Sequence[tuple[str, str]] = (),
    headers: Sequence[tuple[str, str]] = (),
    body: str | None = None,
    stage: str = "live",
    base: str = "/live",
) -> dict[str, Any]:
    """The event of a call that the gateway let through; the identity is the signature's, never a header's.

    `base` stands before `path` in the URL. The stage is left out of the event's own path, a custom domain's
    base path is not.
    """
    listed: dict[str, list[str]] = {}
    asked: dict[str, list[str]] = {}
    for name, value in headers:
        listed.setdefault(name, []).append(value)
    for name, value in query:
        asked.setdefault(name, []).append(value)
    unique_id = directory.resolve(caller.arn)
    identity = {
        "accessKey": caller.access_key_id, "accountId": caller.account, "caller": unique_id,
        "user": unique_id, "userArn": caller.arn, "principalOrgId": None, "sourceIp": "127.0.0.1",
        "userAgent": "", "apiKey": None, "cognitoIdentityId": None, "cognitoIdentityPoolId": None,
    }  # fmt: skip
    return {
        "resource": route.path, "httpMethod": route.method,
        "path": path if base == f"/{stage}" else f"{base}{path}",
        "headers": {name: values[-1] for name, values in listed.items()} or None,
        "multiValueHeaders": listed or None,
        "queryStringParameters": {name: values[-1] for name, values in asked.items()} or None,
        "multiValueQueryStringParameters": asked or None,
        "pathParameters": parameters or None, "stageVariables": None,
        "requestContext": {
            "accountId": "", "apiId": API_ID, "stage": stage, "httpMethod": route.method,
            "resourcePath": route.path, "path": f"{base}{path}", "requestId": str(uuid.uuid4()),
            "identity": identity, "protocol": "HTTP/1.1",
        },
        "body": body, "isBase64Encoded": False,
    }  # fmt: skip
