"""The function itself: its answers as Lambda gives them, its metrics, and its log."""

import json
import os
from dataclasses import replace
from typing import Any
from unittest import mock

import pytest

from tests.local_stack.proxy import matched, proxy_event
from tests.local_stack.triggers import routes
from tests.support.context import Context
from tests.support.scene import InProcessStack


def _invoke(scene: InProcessStack, who: str, method: str, path: str, body: Any = None) -> dict[str, Any]:
    found = matched(routes(scene.deployment.template), method, path)
    assert found is not None
    route, parameters = found
    event = proxy_event(
        scene.deployment.cloud.directory, scene.credentials(who), route, path, parameters=parameters,
        body=None if body is None else json.dumps(body),
    )  # fmt: skip
    answer: dict[str, Any] = scene.brokers.handler(route.function).lambda_handler(event, Context())
    return answer


def test_a_grant_is_measured(scene: InProcessStack, capsys: pytest.CaptureFixture[str]) -> None:
    """GrantsIssued is published with the call that made it; a call that measures nothing stays silent."""
    request_id = scene.approved()
    handler, broker = scene.brokers.handler("requests"), scene.brokers.broker("requests")
    measured = replace(broker, measure=handler.measure)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(scene.brokers._made, "requests", measured)  # noqa: SLF001
        assert _invoke(scene, "partner", "POST", f"/requests/{request_id}/grant")["statusCode"] == 201
        assert _invoke(scene, "partner", "GET", f"/requests/{request_id}")["statusCode"] == 200
    [metrics] = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    assert (metrics["service"], metrics["GrantsIssued"]) == ("requests", [1.0])


def test_no_token_in_any_log(
    scene: InProcessStack, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """From submission to the end: the token is in the parties' answers alone."""
    caplog.set_level("DEBUG", logger="grant_broker")
    scene.approve_ahead()
    body = json.loads(_invoke(scene, "partner", "POST", "/requests", scene.submission())["body"])
    token = body["grant"]["grant_token"]
    assert token
    paths = [
        ("partner", "GET", f"/requests/{body['id']}"), ("partner", "GET", "/requests"),
        ("alice", "GET", f"/security/requests/{body['id']}"), ("alice", "GET", "/security/requests"),
        ("alice", "GET", "/security/events"), ("partner", "DELETE", f"/requests/{body['id']}/grant"),
    ]  # fmt: skip
    answers = [_invoke(scene, who, method, path)["body"] for who, method, path in paths]
    scene.later(2)
    out, err = capfd.readouterr()
    assert token in answers[0]
    assert all(token not in text for text in [*answers[1:], caplog.text, out, err])
    events = [item for item in scene.stored() if item["sk"]["S"].startswith("event#")]
    assert token not in json.dumps(events)


def test_answers_are_not_cached(scene: InProcessStack) -> None:
    """No cache on the way may keep an answer, which may hold a token."""
    answer = _invoke(scene, "partner", "GET", "/requests")
    assert answer["multiValueHeaders"]["Cache-Control"] == ["no-store"]


@pytest.mark.parametrize("function", ["requests", "approvals", "expiry", "reconcile"])
def test_a_broker_is_made_from_the_environment(scene: InProcessStack, function: str) -> None:
    """Once a process, from what the template says."""
    made = scene.brokers.broker(function).settings
    with mock.patch.dict(os.environ, scene.deployment.environment(function), clear=True):
        module = scene.brokers.fresh(function)
        assert module.broker().settings == made
        assert module.broker() is module.broker()
