"""The API as the template declares it: who gets to a function at all, and what the gateway says itself."""

import json
import re
from typing import Any

import pytest

from grant_broker.api.problems import ANSWERS
from grant_broker.policy_engine import Call, decide
from tests.infrastructure.stack import NOW, deployed, template
from tests.local_stack.brokers import Brokers
from tests.local_stack.gateway import Gateway
from tests.local_stack.triggers import gateway_responses, routes

# Whom the gateway lets through to which half of the API. The home account's own IAM decides for its people;
# the function then asks whether they are approvers.
PASSES = {
    "partner": "third_party",
    "partner_colleague": "third_party",
    "other_partner": "third_party",
    "outsider": "",
    "alice": "third_party security",
    "bob": "third_party security",
    "key_admin": "third_party security",
    "data_reader": "",
}
# Of a code with several titles the general one, which stands first.
_DEFINITIONS = {code: (status, title) for status, code, title in reversed(ANSWERS.values())}


def _half(path: str) -> str:
    return "security" if path.startswith("/security/") else "third_party"


@pytest.mark.parametrize("name", PASSES)
def test_who_gets_through_the_gateway(name: str) -> None:
    """Every route and every person: resource policy and the person's own IAM together."""
    gateway = Gateway.of(deployed(), lambda _function, _event: None)
    person = deployed().people[name].credentials
    for route in routes(template()):
        path = re.sub(r"\{\w+\}", "0123456789abcdef", route.path)
        assert gateway.permits(person, route.method, path) is (_half(path) in PASSES[name]), route


def test_nothing_but_the_routes_is_open_to_third_parties() -> None:
    """A trusted account gets to no other method, no other path, and nothing under /security."""
    gateway = Gateway.of(deployed(), lambda _function, _event: None)
    partner = deployed().people["partner"].credentials
    for method, path in (
        ("PUT", "/requests/1"),
        ("PATCH", "/requests"),
        ("DELETE", "/requests"),
        ("POST", "/keys"),
        ("GET", "/"),
        ("GET", "/security"),
        ("GET", "/security/requests"),
        ("POST", "/security/requests/1/decision"),
        ("GET", "/keys/1"),
    ):
        assert not gateway.permits(partner, method, path), (method, path)
    policy = gateway.policy["Statement"]
    assert {statement["Effect"] for statement in policy} == {"Allow", "Deny"}
    assert not any(statement["Principal"] == "*" for statement in policy if statement["Effect"] == "Allow")


def test_every_route_is_signed_and_none_runs_with_the_caller_s_credentials() -> None:
    """AWS_IAM for all; InvokeRole NONE, since with the caller's credentials calls across accounts fail."""
    api = template().document["Resources"]["Api"]["Properties"]
    assert api["Auth"]["DefaultAuthorizer"] == "AWS_IAM"
    assert api["Auth"]["InvokeRole"] == "NONE"
    assert "DefinitionBody" not in api
    for _, name, event in template().events("Api"):
        assert set(event) == {"RestApiId", "Method", "Path"}, name


@pytest.mark.parametrize("function", ["requests", "approvals"])
def test_the_handler_answers_exactly_the_declared_routes(function: str) -> None:
    """Neither a route without a handler, nor a handler that the gateway never calls."""
    app = Brokers(deployed(), lambda: NOW, lambda _: None).handler(function).api._resolver  # noqa: SLF001
    known = [*app._static_routes, *app._dynamic_routes]  # noqa: SLF001 - Powertools lists them nowhere else
    answered = {
        (method, re.sub(r"<(\w+)>", r"{\1}", str(route.path)))
        for route in known
        for method in _methods(route)
    }
    declared = {(route.method, route.path) for route in routes(template()) if route.function == function}
    assert answered == declared


def _methods(route: Any) -> list[str]:
    return [route.method] if isinstance(route.method, str) else list(route.method)


def test_functions_answer_before_the_gateway_gives_up() -> None:
    """The gateway waits 29 s: the caller must hear from the function."""
    behind = {route.function for route in routes(template())}
    assert behind == {"requests", "approvals"}
    assert all(template().functions()[name].timeout < 29 for name in behind)


@pytest.mark.parametrize("kind", sorted(gateway_responses(template())))
def test_the_gateway_refuses_in_the_functions_words(kind: str) -> None:
    """A problem document of the functions' own type, code and title, with Retry-After where they have it."""
    response = gateway_responses(template())[kind]
    body = json.loads(response["ResponseTemplates"]["application/json"])
    status, title = _DEFINITIONS[body["code"]]
    assert set(body) == {"type", "title", "status", "detail", "code", "errors"}
    assert body["errors"] == []
    assert (body["type"], body["status"]) == (f"urn:grant-broker:{body['code']}", status)
    assert response["StatusCode"] == str(status)
    headers = response["ResponseParameters"]["Headers"]
    assert headers["Content-Type"] == "'application/problem+json'"
    assert headers["Cache-Control"] == "'no-store'"
    assert ("Retry-After" in headers) is (status in {429, 503})
    if body["code"] != "unavailable":
        assert body["title"] == title


def test_no_refusal_of_the_gateway_is_left_to_its_own_words() -> None:
    """Both defaults are set, and each type whose status differs from its default's."""
    codes = {name: response["StatusCode"] for name, response in gateway_responses(template()).items()}
    assert codes["DEFAULT_4XX"] == "403"
    assert codes["DEFAULT_5XX"] == "503"
    wanted = {
        "BAD_REQUEST_BODY": "400", "BAD_REQUEST_PARAMETERS": "400", "UNSUPPORTED_MEDIA_TYPE": "400",
        "REQUEST_TOO_LARGE": "413", "THROTTLED": "429", "QUOTA_EXCEEDED": "429",
    }  # fmt: skip
    assert wanted.items() <= codes.items()
    others = set(codes) - set(wanted) - {"DEFAULT_4XX", "DEFAULT_5XX"}
    assert {codes[name] for name in others} == {"403", "503"}


def test_metrics_of_each_method_are_the_operator_s_to_buy() -> None:
    """CloudWatch bills them; the alarms use those of the whole stage."""
    for wanted in ("yes", "no"):
        settings = template(ApiMetrics=wanted).properties("Api")["MethodSettings"]
        assert {setting["MetricsEnabled"] for setting in settings} == {wanted == "yes"}


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({}, "https://localstack.execute-api.eu-central-1.amazonaws.com/live"),
        ({"DomainName": "grants.example.com"}, "https://grants.example.com"),
        (
            {"DomainName": "grants.example.com", "DomainBasePath": "broker"},
            "https://grants.example.com/broker",
        ),
    ],
)
def test_a_domain_of_one_s_own(given: dict[str, str], url: str) -> None:
    """The API is where the output says, under the base path that the mapping has."""
    made = template(**given)
    assert made.outputs()["ApiUrl"] == url
    mapped = [made.properties(name) for name in made.named("AWS::ApiGateway::BasePathMapping")]
    assert [mapping.get("BasePath") for mapping in mapped] == [given.get("DomainBasePath")] * bool(given)
    assert all(mapping["Stage"] == "live" for mapping in mapped)


@pytest.mark.parametrize(("domain", "asked", "closed"), [("", "yes", False), ("a.example.com", "yes", True)])
def test_the_endpoint_of_aws_s_own_is_closed_where_there_is_another(
    domain: str, asked: str, *, closed: bool
) -> None:
    """Without a domain the API would answer nowhere."""
    given = template(DomainName=domain, DisableExecuteApiEndpoint=asked).properties("Api")
    assert given["DisableExecuteApiEndpoint"] is closed


def test_each_method_is_throttled() -> None:
    """A limit for all methods, and a lower one for submissions; no body is ever logged."""
    settings = template().properties("Api")["MethodSettings"]
    limits = {(s["HttpMethod"], s["ResourcePath"]): s["ThrottlingRateLimit"] for s in settings}
    assert limits["POST", "/~1requests"] < limits["*", "/*"]
    assert all(s["ThrottlingBurstLimit"] > 0 and s["DataTraceEnabled"] is False for s in settings)


def test_the_invoke_policies_that_the_stack_hands_out_cover_their_half_of_the_api() -> None:
    """With the output's policy alone a role reaches its half of the API, the contract, and no other route."""
    for output, half, account in (
        ("ThirdPartyInvokePolicy", "third_party", "444455556666"),
        ("SecurityInvokePolicy", "security", "111122223333"),
    ):
        policy = json.loads(template().outputs()[output])
        principal = f"arn:aws:iam::{account}:role/caller"
        context = {"aws:PrincipalArn": principal, "aws:PrincipalAccount": account}
        gateway = Gateway.of(deployed(), lambda _function, _event: None)
        for route in routes(template()):
            place = (
                f"arn:aws:execute-api:eu-central-1:111122223333:localstack/live/{route.method}{route.path}"
            )
            call = Call(principal, "execute-api:Invoke", place, context)
            found = decide(call, identity_policies=[policy], resource_policy=gateway.policy)
            wanted = _half(route.path) == half or route.path == "/openapi.json"
            assert found.allowed is wanted, (output, route)
