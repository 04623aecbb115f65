"""The gateway's own refusals."""

import json
from typing import Any

import pytest

from grant_broker.domain.errors import InvalidRequest, NotPermitted, TooLarge, TooManyRequests, Unavailable
from grant_broker.problems import problem
from tests.local_stack.template import Template

OWN = {
    "400": InvalidRequest(), "403": NotPermitted(""), "413": TooLarge(""),
    "429": TooManyRequests("", retry_after=2), "503": Unavailable("", retry_after=2),
}  # fmt: skip


def _responses() -> dict[str, Any]:
    template = Template.read(
        {"TrustedAccounts": ["444455556666"], "ApproverRoleIds": ["AROAAPPROVER00000"]},
        account="111122223333", region="eu-central-1", stack="grant-broker",
    )  # fmt: skip
    found: dict[str, Any] = template.properties("Api")["GatewayResponses"]
    return found


@pytest.mark.parametrize("response", [pytest.param(it, id=kind) for kind, it in _responses().items()])
def test_shape(response: dict[str, Any]) -> None:
    """A refusal of the gateway looks like one of a function: only the words of its detail differ."""
    own = problem(OWN[response["StatusCode"]])
    body = json.loads(response["ResponseTemplates"]["application/json"])
    assert set(body) == set(own.body)
    assert {**body, "detail": ""} == {**own.body, "detail": ""}
    headers = {name: value.strip("'") for name, value in response["ResponseParameters"]["Headers"].items()}
    assert headers == {"Content-Type": own.content_type, "Cache-Control": "no-store", **own.headers}


def test_every_refusal() -> None:
    """A caller who may not, and a call that is not there, are told 403."""
    status = {kind: response["StatusCode"] for kind, response in _responses().items()}
    assert {"DEFAULT_4XX", "DEFAULT_5XX"} <= set(status)
    for kind in (
        "ACCESS_DENIED",
        "EXPIRED_TOKEN",
        "INVALID_SIGNATURE",
        "MISSING_AUTHENTICATION_TOKEN",
        "UNAUTHORIZED",
    ):
        assert status[kind] == "403"
