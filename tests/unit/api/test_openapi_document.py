"""The OpenAPI document: whole, current, and neither narrower nor wider than the template's routes."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from grant_broker.api.openapi.document import document, text
from grant_broker.api.openapi.routes import OPERATIONS
from grant_broker.api.problems import ANSWERS
from grant_broker.client.main import main
from tests.local_stack.template import Template
from tests.local_stack.triggers import gateway_responses, routes
from tests.support import contract


@pytest.fixture(scope="module")
def template() -> Template:
    """The template with its defaults."""
    given = {"TrustedAccounts": ["444455556666"], "ApproverRoleIds": ["AROAAPPROVER00000"]}
    return Template.read(given, account="111122223333", region="eu-central-1", stack="grant-broker")


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and description of every operation."""
    for path, methods in document()["paths"].items():
        for method, described in methods.items():
            yield method.upper(), path, described


def test_the_kept_document_is_what_the_models_say() -> None:
    """`openapi.json` is current: `grant-broker openapi` makes it anew."""
    assert contract.PATH.read_text("utf-8") == text()


def test_the_command_line_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    """`grant-broker openapi` prints the document and nothing else."""
    assert main(["openapi"]) == 0
    assert capsys.readouterr().out == text()


def test_it_describes_the_templates_routes_and_no_other(template: Template) -> None:
    """Each route of the template is documented once, and each documented one is deployed."""
    deployed = sorted((route.method, route.path) for route in routes(template))
    assert sorted((method, path) for method, path, _ in operations()) == deployed


def test_each_operation_has_a_name_of_its_own() -> None:
    """Operation ids are distinct, and links lead to operations that exist."""
    names = [described["operationId"] for _, _, described in operations()]
    assert len(set(names)) == len(names) == len(OPERATIONS)
    for _, _, described in operations():
        for answer in described["responses"].values():
            assert set(answer.get("links", {})) <= set(names)


def test_path_parameters_are_those_of_the_path() -> None:
    """What stands in braces is described, and nothing else is in the path."""
    for _, path, described in operations():
        named = [parameter["name"] for parameter in described["parameters"] if parameter["in"] == "path"]
        assert named == re.findall(r"\{(\w+)\}", path)


def test_schemas_are_valid_and_all_references_lead_somewhere() -> None:
    """Every component is JSON Schema 2020-12; every `$ref` names a part of the document."""
    for schema in document()["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    for pointer in re.findall(r'"\$ref": "#([^"]+)"', text()):
        assert contract.at(pointer)


def test_every_body_has_an_example_that_fits() -> None:
    """What a client is shown to begin with is valid by the schema beside it."""
    for method, path, described in operations():
        if "requestBody" in described:
            content = described["requestBody"]["content"]["application/json"]
            schema = contract.validator(content["schema"]["$ref"].removeprefix("#"))
            assert schema.is_valid(content["example"]), (method, path)


def test_every_refusal_is_a_problem_of_its_own_code() -> None:
    """A status has one code, that of the table of answers; the gateway's own refusals are problems too."""
    codes = {status: code for status, code, _ in ANSWERS.values()}
    assert {int(status) for status in document()["components"]["responses"]} == set(codes)
    for status, code in codes.items():
        schema = contract.validator(
            f"/components/responses/{status}/content/application~1problem+json/schema"
        )
        problem = {"type": "about:blank", "title": "x", "status": status, "detail": "x", "code": code}
        problem["errors"] = []
        assert schema.is_valid(problem)
        assert not schema.is_valid({**problem, "code": "other"})
        assert not schema.is_valid({**problem, "status": 418})


def test_the_gateways_own_refusals_are_as_documented(template: Template) -> None:
    """What API Gateway answers by itself, such as 429 on any route, is a documented problem too."""
    for response in gateway_responses(template).values():
        body = json.loads(response["ResponseTemplates"]["application/json"])
        headers = {name: text.strip("'") for name, text in response["ResponseParameters"]["Headers"].items()}
        contract.check("DELETE", "/security/requests/{request_id}/grant", body["status"], headers, body)
        assert int(response["StatusCode"]) == body["status"]


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (200, {"Content-Type": "application/json"}, {}),
        (418, {"Content-Type": "application/problem+json"}, {}),
        (400, {"Content-Type": "application/json"}, {}),
        (400, {"Content-Type": "application/problem+json"}, {"detail": "x"}),
        (429, {"Content-Type": "application/problem+json"}, "429"),
        (429, {"Content-Type": "application/problem+json", "Retry-After": "0"}, "429"),
    ],
)
def test_an_undocumented_answer_is_told(status: int, headers: dict[str, str], body: Any) -> None:
    """Another status, media type, body or header than documented does not pass for a good answer."""
    if body == "429":
        body = {"type": "x", "title": "x", "status": 429, "detail": "x", "code": "too_many_requests"}
    with pytest.raises(contract.UndocumentedError):
        contract.check("POST", "/requests", status, headers, body)


def test_an_unknown_outcome_may_have_a_location() -> None:
    """503 says when to try again, and may say where the request is found whose outcome is not known."""
    headers = contract.at("/components/responses/503/headers")
    assert {name: header["required"] for name, header in headers.items()} == {
        "Retry-After": True,
        "Location": False,
    }


def test_a_body_where_none_is_documented_is_told() -> None:
    """204 has no body."""
    contract.check("DELETE", "/security/keys/{key_id}", 204, {}, None)
    with pytest.raises(contract.UndocumentedError):
        contract.check("DELETE", "/security/keys/{key_id}", 204, {}, {})


def test_no_answer_but_the_parties_own_may_hold_a_token() -> None:
    """The document itself forbids a grant token in lists and under /security."""
    grant = {
        "grant_id": "x",
        "grant_token": "secret",
        "issued_at": None,
        "expires_at": None,
        "ends_at": None,
        "spread_by": None,
    }
    assert contract.validator("/components/schemas/Grant").is_valid(grant)
    assert not contract.validator("/components/schemas/GrantShown").is_valid(grant)
    for method, path, described in operations():
        for status, answer in described["responses"].items():
            content = answer.get("content", {}).get("application/json", {})
            if content.get("schema") == {"$ref": "#/components/schemas/Request"}:
                assert (method, path, status) in {
                    ("POST", "/requests", "201"), ("GET", "/requests/{request_id}", "200"),
                    ("POST", "/requests/{request_id}/extension", "201"),
                    ("POST", "/requests/{request_id}/break-glass", "201"),
                    ("POST", "/requests/{request_id}/grant", "200"),
                    ("POST", "/requests/{request_id}/grant", "201"),
                }  # fmt: skip
