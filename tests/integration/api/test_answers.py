"""Every documented answer of every route is given, and is as documented (`Brokers.call` holds each to it)."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from _pytest.mark.structures import ParameterSet
from moto.moto_api._internal.models import moto_api_backend

from grant_broker.api.openapi.examples import EXAMPLES
from grant_broker.api.openapi.schemas import KeyPatch
from grant_broker.domain.accounts import AccountDocument
from grant_broker.domain.break_glass import Emergency
from grant_broker.domain.decisions import Decision, Revocation
from grant_broker.domain.key_document import KeyDocument
from grant_broker.domain.mass_revocations import MassRevocationAsked
from grant_broker.domain.question import Question
from grant_broker.domain.reviews import Look
from grant_broker.domain.standing_approval import StandingApproval
from grant_broker.domain.submission import Extension, Submission
from tests.local_aws.answers import AwsError
from tests.local_aws.cloud import Cloud
from tests.local_stack.brokers import Answer, Brokers
from tests.local_stack.deployment import Deployment
from tests.local_stack.proxy import matched
from tests.local_stack.triggers import routes
from tests.support import contract
from tests.support.limits import limits

NOBODY = "0" * 32
PARTNER = "444455556666"
START = datetime(2030, 1, 1, tzinfo=UTC)


class World:
    """A deployment whose every answer is noted: method, route and status."""

    def __init__(self, parameters: dict[str, Any]) -> None:
        self.now = START
        self.deployment = Deployment.create(Cloud(lambda: self.now), parameters=parameters)
        self.brokers = Brokers(self.deployment, lambda: self.now, lambda _seconds: None)
        self.key = self.deployment.keys["partner_data"].rpartition("/")[2]
        self.seen: set[tuple[str, str, int]] = set()
        # Routes on which the document's own example was sent, and succeeded.
        self.examples: set[tuple[str, str]] = set()

    def call(self, who: str, method: str, path: str, body: Any = None, **more: Any) -> Answer:
        """One call, noted."""
        found = matched(routes(self.deployment.template), method, path)
        assert found
        answer = self.brokers.call(self.deployment.people[who].credentials, method, path, body, **more)
        self.seen.add((method, found[0].path, answer.status))
        if body is not None and body == example_of(method, found[0].path) and answer.status < 400:
            self.examples.add((method, found[0].path))
        return answer

    def limits(self, **changes: Any) -> dict[str, Any]:
        """A key's document."""
        return limits(accounts=["111122223333", "444455556666"], **changes)

    def submission(self, who: str = "partner", **changes: Any) -> dict[str, Any]:
        """The document's example, for its grantee."""
        grantee = self.deployment.people[who].grantee
        return {**EXAMPLES[Submission], "grantee": grantee, **changes}

    def approval(self, **changes: Any) -> dict[str, Any]:
        """The document's example."""
        return {**EXAMPLES[StandingApproval], **changes}

    def another_key(self) -> str:
        """The id of a key that nobody has registered."""
        policy = self.deployment.template.properties("PartnerDataKey")["KeyPolicy"]
        return self.deployment.cloud.create_key(policy).rpartition("/")[2]

    def submitted(self, **changes: Any) -> str:
        """The id of a request that waits."""
        made = self.call("partner", "POST", "/requests", self.submission(**changes))
        assert made.status == 201
        return str(made.body["id"])

    def active(self) -> str:
        """The id of a request with its grant."""
        found = self.submitted()
        path = f"/security/requests/{found}/decision"
        assert self.call("alice", "POST", path, EXAMPLES[Decision]).status == 200
        assert self.call("partner", "POST", f"/requests/{found}/grant").status == 201
        return found


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """One deployment for the module: its tests note what they saw, the last one adds it up."""
    made = World({"SubmissionsPerMinute": "1000"})
    assert made.call("alice", "PUT", f"/security/keys/{made.key}", made.limits()).status == 201
    yield made
    moto_api_backend.reset()


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and description of every documented operation."""
    for path, methods in contract.document()["paths"].items():
        for method, described in methods.items():
            yield method.upper(), path, described


def example_of(method: str, path: str) -> Any:
    """The document's body for a route, None where it takes none."""
    described = contract.document()["paths"][path][method.lower()]
    return described.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")


def operations_with(status: str | None = None) -> list[ParameterSet]:
    """The documented operations that may give a status, or all."""
    return [
        pytest.param(method, path, described, id=described["operationId"])
        for method, path, described in operations()
        if status is None or status in described["responses"]
    ]


ALL = operations_with()


def concrete(world: World, path: str) -> str:
    """The path with ids that nothing has, and the key's own."""
    return (
        path.replace("{key_id}", world.key)
        .replace("{request_id}", NOBODY)
        .replace("{approval_id}", NOBODY)
        .replace("{revocation_id}", NOBODY)
        .replace("{kind}/{review_id}", f"break-glass/{NOBODY}")
        .replace("{account}", PARTNER)
    )


def body_for(world: World, described: dict[str, Any]) -> Any:
    """A good body for an operation that takes one; of a key's limits the whole, as of a registered key."""
    if "requestBody" not in described:
        return None
    content = described["requestBody"]["content"]["application/json"]
    return world.limits() if content["schema"]["$ref"].endswith("/KeyLimits") else content["example"]


def caller_of(path: str) -> str:
    """Somebody who may make a call."""
    return "alice" if path.startswith("/security") else "partner"


@pytest.mark.parametrize(("method", "path", "described"), ALL)
def test_an_unknown_parameter_is_refused(
    world: World, method: str, path: str, described: dict[str, Any]
) -> None:
    """400 on every route, naming the parameter."""
    body = body_for(world, described)
    answer = world.call(caller_of(path), method, concrete(world, path), body, query={"no_such": "1"})
    assert answer.status == 400
    assert answer.body["errors"] == [{"field": "no_such", "message": "no such parameter"}]


@pytest.mark.parametrize(("method", "path", "described"), ALL)
def test_who_may_not_call_is_refused(world: World, method: str, path: str, described: dict[str, Any]) -> None:
    """403 on every route for an account that is not trusted, on the security team's for all but approvers.

    Even past the gateway.
    """
    body = body_for(world, described)
    others = ["outsider", *(("partner", "key_admin") if path.startswith("/security") else ())]
    for who in others:
        assert world.call(who, method, concrete(world, path), body).status == 403, who


@pytest.mark.parametrize(("method", "path", "described"), operations_with("413"))
def test_a_large_body_is_refused(world: World, method: str, path: str, described: dict[str, Any]) -> None:
    """413 on every route that reads a body."""
    body = {**body_for(world, described), "more": "x" * 65_536}
    assert world.call(caller_of(path), method, concrete(world, path), body).status == 413


@pytest.mark.parametrize(("method", "path", "described"), operations_with("404"))
def test_what_does_not_exist_is_not_found(
    world: World, method: str, path: str, described: dict[str, Any]
) -> None:
    """404 on every route that names something; a key that a PUT names need not exist, but must be a name."""
    place = concrete(world, path).replace(world.key, "no-such-key" if method != "PUT" else 'no"key')
    place = place.replace(PARTNER, "444455556667" if method != "PUT" else "acme")
    assert world.call(caller_of(path), method, place, body_for(world, described)).status == 404


@pytest.mark.parametrize(("method", "path", "described"), ALL)
def test_a_database_that_does_not_answer_is_unavailable(
    world: World, method: str, path: str, described: dict[str, Any]
) -> None:
    """503 with Retry-After on every route that asks DynamoDB, when it does not answer."""
    # Of the errors whose outcome is not known, one that botocore does not wait and repeat for.
    lost = AwsError("UnrecognizedClientException", "The security token is invalid.").response()
    world.deployment.cloud.intercept = lambda call, _run: lost if call.service == "dynamodb" else None
    try:
        answer = world.call(caller_of(path), method, concrete(world, path), body_for(world, described))
    finally:
        world.deployment.cloud.intercept = None
    assert answer.status == (200 if path == "/openapi.json" else 503)


def test_every_success_is_given_as_documented(world: World) -> None:
    """Whole lives of requests, approvals and keys see each success of each route, and send each example."""
    lives_of_requests(world)
    life_of_an_approval(world)
    life_of_an_account(world)
    life_of_a_review(world)
    successes = {
        (method, path, int(status))
        for method, path, described in operations()
        for status in described["responses"]
        if int(status) < 400
    }
    assert successes <= world.seen
    shown = {(method, path) for method, path, described in operations() if "requestBody" in described}
    assert shown <= world.examples


def lives_of_requests(world: World) -> None:
    """Submitting, listing, reading, withdrawing, taking up, releasing, revoking."""
    tried = world.call("partner", "POST", "/requests", world.submission(), query={"dry_run": "true"})
    assert (tried.status, tried.body["outcome"]) == (200, "wait_for_approval")
    first = world.submitted()
    assert world.call("partner", "GET", "/requests", query={"limit": "1"}).body["items"]
    assert world.call("partner", "GET", f"/requests/{first}").body["status"] == "pending"
    assert world.call("partner", "GET", "/keys").body["items"]
    assert "/security/keys" in world.call("alice", "GET", "/openapi.json").body["paths"]
    assert world.call("partner", "DELETE", f"/requests/{first}").body["status"] == "withdrawn"
    assert world.call("partner", "DELETE", f"/requests/{first}").status == 409
    assert world.call("partner", "POST", f"/requests/{first}/grant").status == 409
    assert world.call("partner", "DELETE", f"/requests/{first}/grant").status == 409
    second = world.active()
    assert world.call("partner", "POST", f"/requests/{second}/grant").status == 200
    assert world.call("partner", "GET", f"/requests/{second}").body["grant"]["grant_token"]
    seen = world.call("alice", "GET", f"/security/requests/{second}")
    assert [event["type"] for event in seen.body["trail"]] == ["submitted", "approved", "issuing", "active"]
    assert world.call("alice", "GET", "/security/requests", query={"status": "active"}).body["items"]
    question = EXAMPLES[Question]
    for who, path in (("partner", f"/requests/{second}/why"), ("alice", f"/security/requests/{second}/why")):
        assert world.call(who, "POST", path, question).body["verdict"] == "allowed"
    longer = EXAMPLES[Extension]
    assert world.call("partner", "POST", f"/requests/{second}/extension", longer).body["extends"] == second
    assert world.call("partner", "DELETE", f"/requests/{second}/grant").status == 202
    assert world.call("partner", "POST", f"/requests/{second}/extension", longer).status == 409
    third, leaked = world.active(), EXAMPLES[Revocation]
    assert world.call("alice", "DELETE", f"/security/requests/{third}/grant", leaked).status == 202
    fourth = world.active()
    path = f"/security/requests/{fourth}/revocation"
    assert world.call("alice", "POST", path, leaked).body["status"] == "ending"
    again = world.call("alice", "DELETE", f"/security/requests/{first}/grant", {"reason": "x"})
    assert again.status == 409
    decided = world.call("alice", "POST", f"/security/requests/{first}/decision", {"verdict": "approve"})
    assert decided.status == 409
    assert world.call("alice", "GET", "/security/events", query={"limit": "1"}).body["cursor"]
    assert world.call("alice", "GET", "/security/debt").body["end_rate"] == 40


def test_an_idempotency_key_for_another_body(world: World) -> None:
    """409 where a key was used for another body."""
    headers = {"Idempotency-Key": "one"}
    assert world.call("partner", "POST", "/requests", world.submission(), headers=headers).status == 201
    other = world.submission(reason="y")
    assert world.call("partner", "POST", "/requests", other, headers=headers).status == 409
    assert world.call("alice", "POST", "/security/approvals", world.approval(), headers=headers).status == 201
    changed = world.approval(reason="y")
    assert world.call("alice", "POST", "/security/approvals", changed, headers=headers).status == 409


def life_of_an_approval(world: World) -> None:
    """Making, listing, reading, voting on and withdrawing, on a key whose limits change."""
    two = limits(name="two", accounts=["444455556666"], quorum=2)
    key = world.another_key()
    assert world.call("alice", "PUT", f"/security/keys/{key}", two).status == 201
    made = world.call("alice", "POST", "/security/approvals", world.approval(key="two"))
    assert (made.status, made.body["status"]) == (201, "pending")
    path = f"/security/approvals/{made.body['id']}"
    assert made.headers["Location"] == f"/live{path}"
    assert world.call("alice", "GET", path).status == 200
    assert world.call("alice", "GET", "/security/approvals").body["items"]
    vote = EXAMPLES[Decision]
    assert world.call("bob", "POST", f"{path}/decision", vote).body["status"] == "active"
    assert world.call("bob", "POST", f"{path}/decision", vote).status == 409
    assert world.call("alice", "DELETE", path, query={"revoke_active": "true"}).status == 204
    widened = world.call("alice", "PUT", f"/security/keys/{key}", {**two, "max_duration": "PT9H"})
    assert (widened.status, widened.body["widened"]) == (202, ["max_duration", "max_continuous"])
    assert world.call("bob", "GET", f"/security/keys/{key}/proposals").body["items"][0]["votes"] == 1
    patched = world.call("alice", "PATCH", f"/security/keys/{key}", {"name": "other"})
    assert (patched.status, patched.body["widened"]) == (202, [])
    etag = world.call("alice", "GET", f"/security/keys/{world.key}").headers["ETag"]
    changed = world.call("alice", "PATCH", f"/security/keys/{world.key}", EXAMPLES[KeyPatch])
    assert (changed.status, changed.headers["ETag"] == etag) == (200, False)
    for method in ("PUT", "PATCH"):
        stale = world.call(
            "alice", method, f"/security/keys/{world.key}", world.limits(), headers={"If-Match": etag}
        )
        assert (stale.status, stale.body["code"]) == (412, "precondition_failed")
    assert world.call("alice", "GET", f"/security/keys/{key}").body["max_duration"] == "PT8H"
    assert world.call("alice", "GET", "/security/keys").body["items"]
    assert world.call("alice", "GET", f"/security/keys/{key}/access").body["items"]
    assert world.call("alice", "GET", f"/security/keys/{key}/policy").body["statements"]
    assert world.call("alice", "POST", f"/security/keys/{key}/check").status == 202
    assert world.call("alice", "GET", f"/security/keys/{key}/check").body["grantable"] is None
    assert world.call("alice", "PUT", f"/security/keys/{world.key}", world.limits()).status == 200
    assert world.call("alice", "DELETE", f"/security/keys/{key}").status == 204
    killed = world.call("alice", "POST", "/security/revocations", EXAMPLES[MassRevocationAsked])
    assert killed.status == 202
    path = f"/security/revocations/{killed.body['id']}"
    assert killed.headers["Location"] == f"/live{path}"
    assert world.call("alice", "GET", path).body["matched"] == killed.body["matched"]
    assert world.call("alice", "GET", "/security/revocations").body["items"]
    assert world.call("alice", "DELETE", path).status == 204
    assert (
        world.call("alice", "PUT", f"/security/keys/{world.another_key()}", EXAMPLES[KeyDocument]).status
        == 201
    )
    ahead = world.call("alice", "POST", "/security/approvals", EXAMPLES[StandingApproval]).body["id"]
    assert world.call("alice", "DELETE", f"/security/approvals/{ahead}").status == 204


def life_of_a_review(world: World) -> None:
    """Breaking the glass, and signing that off."""
    partner = world.deployment.people["partner"].grantee
    rules = {"principals": [partner], "max_duration": "PT15M", "per_day": 1}
    for given in (rules, None):
        patch = {"break_glass": given}
        assert world.call("alice", "PATCH", f"/security/keys/{world.key}", patch).status == 200
        broken = f"/requests/{world.submitted()}"
        answer = world.call("partner", "POST", f"{broken}/break-glass", EXAMPLES[Emergency])
        assert answer.status == (201 if given else 403)
    (owed,) = world.call("alice", "GET", "/security/reviews").body["items"]
    path = f"/security/reviews/break-glass/{owed['id']}"
    assert world.call("alice", "POST", path, EXAMPLES[Look]).status == 200
    assert world.call("alice", "POST", path, EXAMPLES[Look]).status == 409


def life_of_an_account(world: World) -> None:
    """Naming, listing, reading, changing and forgetting."""
    path = f"/security/accounts/{PARTNER}"
    assert world.call("alice", "PUT", path, EXAMPLES[AccountDocument]).status == 201
    assert world.call("alice", "PUT", path, {"name": "acme", "contact": "night desk"}).status == 200
    assert world.call("alice", "GET", path).body["contact"] == "night desk"
    assert world.call("alice", "GET", "/security/accounts").body["items"]
    assert world.call("alice", "DELETE", path).status == 204
    assert world.call("alice", "DELETE", path).status == 404
