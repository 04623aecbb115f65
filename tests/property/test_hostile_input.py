"""Whatever is sent: a documented answer, nothing written where it is refused, nothing dangerous sent back.

By default some hundred bodies; `pytest --hypothesis-profile=soak` sends 100,000, and 20,000 other calls.
"""

import copy
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from moto.dynamodb.models import dynamodb_backends
from moto.moto_api._internal.models import moto_api_backend

from grant_broker.api.openapi.examples import EXAMPLES
from grant_broker.api.openapi.schemas import name_of
from grant_broker.domain.texts import fault_in
from tests.local_aws.answers import Response
from tests.local_aws.cloud import AwsCall, Cloud
from tests.local_stack.brokers import Answer, Brokers
from tests.local_stack.deployment import Deployment
from tests.support import contract, hostile
from tests.support.limits import limits

NOW = datetime(2030, 1, 1, tzinfo=UTC)
# Hypothesis remembers every example of a run: long looks are many runs, each of its own.
SOAKING = settings.get_current_profile_name() == "soak"
RUNS, CALL_RUNS, MOST = (100, 20, 1_000) if SOAKING else (1, 1, 300)
_READING = frozenset({"GetItem", "Query", "BatchGetItem", "DescribeKey", "GetKeyPolicy", "ListGrants"})


class RestoredStack:
    """A deployment that is put back after every call that changed it, and what each call wrote."""

    def __init__(self) -> None:
        many = {"SubmissionsPerMinute": "1000000000"}
        self.deployment = Deployment.create(Cloud(lambda: NOW), parameters=many)
        self.brokers = Brokers(self.deployment, lambda: NOW, lambda _seconds: None)
        self.writes: list[AwsCall] = []
        self.answers: dict[tuple[str, str, str], Response] = {}
        self.key = self.deployment.keys["partner_data"].rpartition("/")[2]
        self.ids = {"key_id": self.key, **self._made()}
        backend = dynamodb_backends[self.deployment.cloud.home][self.deployment.cloud.region]
        self.tables = [
            backend.tables[name] for name in (self.deployment.request_table, self.deployment.approval_table)
        ]
        self.kept = [copy.deepcopy(table.items) for table in self.tables]
        self.deployment.cloud.intercept = self._watch

    def _made(self) -> dict[str, str]:
        assert (
            self.send("PUT", f"/security/keys/{self.key}", json.dumps(self.good("KeyLimits"))).status == 201
        )
        request = self.send("POST", "/requests", json.dumps(self.good("Submission")))
        approval = {**self.good("StandingApproval"), "encryption_context": {"another": "one"}}
        standing = self.send("POST", "/security/approvals", json.dumps(approval))
        assert (request.status, standing.status) == (201, 201)
        made = {"request_id": request.body["id"], "approval_id": standing.body["id"]}
        looked_at = {"kind": "approval", "review_id": standing.body["id"]}
        return {**made, **looked_at, "account": "444455556666", "revocation_id": "0" * 32}

    def _watch(self, call: AwsCall, run: Callable[[], Response]) -> Response | None:
        counts = call.operation == "UpdateItem" and call.parameters["Key"]["pk"]["S"].startswith("limit#")
        if call.operation not in _READING and not counts:
            self.writes.append(call)
        if self.writes:
            return None
        # Until a call writes, every table and key is as it was at the start: so is every answer.
        asked = (call.principal, call.operation, json.dumps(call.parameters, sort_keys=True))
        if asked not in self.answers:
            self.answers[asked] = run()
        return self.answers[asked]

    def good(self, schema: str) -> dict[str, Any]:
        """A body that would be taken; what is not written here is as the document's example."""
        scope = {"operations": ["Encrypt"], "encryption_context": {"data set": "ordersé"}}
        bodies: dict[str, dict[str, Any]] = {
            "Submission": {
                "key": "partner_data", "grantee": self.deployment.people["partner"].grantee, **scope,
                "context_match": "subset", "duration": "PT2H", "starts_at": "2030-01-02T00:00:00Z",
                "reason": "nightly export", "ticket": "SEC-1",
            },
            "KeyLimits": limits(operations=["Encrypt"], accounts=["444455556666"]),
            "KeyPatch": {"max_duration": "PT9H", "max_continuous": None, "required_context": {"a": "b"}},
            "StandingApproval": {
                "key": "partner_data", "account": "444455556666", **scope, "max_duration": "PT2H",
                "valid_until": "2030-06-01T00:00:00Z", "reason": "nightly export", "grantee": None,
                "windows": [{"days": ["sat"], "from": "22:00", "to": "06:00", "time_zone": "Europe/Berlin"}],
            },
            "Extension": {"duration": "PT2H", "reason": "more to export"},
            "Decision": {"verdict": "approve", "comment": "fine", "duration": "PT1H"},
            "Revocation": {"reason": "leaked"},
            "Question": {"action": "kms:Encrypt", "context": {"tenant": "a"}},
        }  # fmt: skip
        return bodies.get(schema) or next(
            copy.deepcopy(example) for model, example in EXAMPLES.items() if name_of(model) == schema
        )

    def send(self, method: str, path: str, body: str | None, **more: Any) -> Answer:
        """One call by somebody who may make it; `Brokers.call` holds the answer to the document."""
        who = "alice" if path.startswith("/security") else "partner"
        return self.brokers.call(self.deployment.people[who].credentials, method, path, body, **more)

    def tried(self, method: str, path: str, body: str | None, **more: Any) -> Answer:
        """One call; whatever it wrote is noted, then undone."""
        self.writes.clear()
        answer = self.send(method, path, body, **more)
        if self.writes:
            for table, items in zip(self.tables, self.kept, strict=True):
                table.items = copy.deepcopy(items)
                if table.stream_shard:
                    # moto copies it too, with all that was ever streamed, for every transaction.
                    table.stream_shard.items.clear()
        return answer


@pytest.fixture(scope="module")
def world() -> Iterator[RestoredStack]:
    """One for the module."""
    yield RestoredStack()
    moto_api_backend.reset()


def operations() -> list[tuple[str, str, str | None]]:
    """Method, path and the name of the body's schema, of every operation."""
    found = []
    for path, methods in contract.document()["paths"].items():
        for method, described in methods.items():
            content = described.get("requestBody", {}).get("content", {}).get("application/json", {})
            schema = content.get("schema", {}).get("$ref", "").rpartition("/")[2] or None
            found.append((method.upper(), path, schema))
    return found


WITH_BODY = [operation for operation in operations() if operation[2]]


def assert_harmless(world: RestoredStack, answer: Answer) -> None:
    """No failure; a refusal wrote nothing, and says nothing that hides, reorders or breaks a line."""
    assert answer.status < 500, answer.body
    event(f"answered {answer.status}")
    if answer.status >= 400:
        assert not world.writes
        assert fault_in(json.dumps(answer.body, ensure_ascii=False)) is None
        assert len(json.dumps(answer.body)) < 65_536


@pytest.mark.parametrize("_run", range(RUNS))
@given(data=st.data(), operation=st.sampled_from(WITH_BODY))
@settings(max_examples=MOST)
def test_hostile_bodies_get_documented_answers(
    world: RestoredStack, data: st.DataObject, operation: tuple[str, str, str], _run: int
) -> None:
    """Any body: a documented answer; what is taken is valid by the document, a refusal writes nothing."""
    method, path, schema = operation
    text = data.draw(hostile.raw(world.good(schema)))
    place = path.format(**world.ids)
    answer = world.tried(method, place, text)
    assert_harmless(world, answer)
    if answer.status < 400:
        faults = [
            error.message
            for error in contract.validator(f"/components/schemas/{schema}").iter_errors(json.loads(text))
        ]
        assert not faults


@pytest.mark.parametrize("_run", range(CALL_RUNS))
@given(data=st.data(), operation=st.sampled_from(operations()))
@settings(max_examples=MOST)
def test_hostile_paths_queries_and_headers_get_documented_answers(
    world: RestoredStack, data: st.DataObject, operation: tuple[str, str, str | None], _run: int
) -> None:
    """Any id, parameter, cursor, header or idempotency key: a documented answer, and never a failure."""
    method, path, schema = operation
    ids = {name: data.draw(st.just(good) | hostile.segments) for name, good in world.ids.items()}
    query = data.draw(hostile.queries)
    headers = data.draw(hostile.headers)
    body = json.dumps(world.good(schema)) if schema else data.draw(st.none() | hostile.texts)
    answer = world.tried(method, path.format(**ids), body, query=query, headers=headers)
    assert_harmless(world, answer)
