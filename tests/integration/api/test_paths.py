"""The API under its stage, under any base path of a custom domain, and at a domain's root."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.local_stack.client import Client
from tests.local_stack.gateway import Gateway
from tests.support.clock import now
from tests.support.context import Context
from tests.support.limits import break_glass, limits
from tests.support.scene import InProcessStack

Call = Callable[..., tuple[int, Any, dict[str, str]]]


@pytest.fixture
def call(scene: InProcessStack) -> Call:
    """Signs and sends one call to a URL's path, through the gateway to the handlers."""
    scene.clock.now = now()  # signatures are made by the machine's own clock

    def invoke(function: str, event: dict[str, Any]) -> Any:
        return scene.brokers.handler(function).api.resolve(event, Context())

    def send(who: str, base: str | None, method: str, path: str, body: Any = None) -> Any:
        gateway = replace(Gateway.of(scene.deployment, invoke), base_path=base)
        region, data = scene.deployment.cloud.region, b"" if body is None else json.dumps(body).encode()
        client, url = Client("", region, scene.credentials(who)), f"http://api.test{path}"
        headers = client.signed(method, url, data, {"host": "api.test"})
        status, given, text = gateway.handle(method, path, list(headers.items()), data)
        return status, json.loads(text) if text else None, dict(given)

    return send


@pytest.mark.parametrize(
    ("base", "prefix"),
    [(None, "/live"), ("grants", "/grants"), ("kms/v1", "/kms/v1"), ("requests", "/requests"), ("", "")],
)
def test_location_is_followed(scene: InProcessStack, call: Call, base: str | None, prefix: str) -> None:
    """What was made is found under the Location that its maker was told, whatever path that was."""
    status, made, headers = call("partner", base, "POST", f"{prefix}/requests", scene.submission())
    assert (status, headers["Location"]) == (201, f"{prefix}/requests/{made['id']}")
    status, found, _ = call("partner", base, "GET", headers["Location"])
    assert (status, found) == (200, made)
    ahead = scene.approval()
    status, made, headers = call("alice", base, "POST", f"{prefix}/security/approvals", ahead)
    assert urlsplit(headers["Location"]).path == f"{prefix}/security/approvals/{made['id']}"
    assert call("alice", base, "GET", headers["Location"])[:2] == (200, made)


def test_everything_made_has_a_location(scene: InProcessStack) -> None:
    """Each 201 names where what was made is found: a grant by its request, a key or account by its path."""
    rules = break_glass(scene.grantee("partner"))
    assert scene.limit(break_glass=rules).status == 200
    approved, pending = scene.approved(), scene.pending()
    policy = scene.deployment.template.properties("PartnerDataKey")["KeyPolicy"]
    key = scene.deployment.cloud.create_key(policy).rpartition("/")[2]
    account = {"name": "partner", "contact": "ops", "event_bus": None}
    for who, method, path, body, found in (
        ("partner", "POST", f"/requests/{approved}/grant", None, f"/requests/{approved}"),
        ("partner", "POST", f"/requests/{pending}/break-glass", {"reason": "x"}, f"/requests/{pending}"),
        ("alice", "PUT", f"/security/keys/{key}", limits(name="k"), f"/security/keys/{key}"),
        ("alice", "PUT", "/security/accounts/444455556666", account, "/security/accounts/444455556666"),
    ):
        made = scene.call(who, method, path, body)
        assert (made.status, made.headers["Location"]) == (201, f"/live{found}")
        assert scene.call(who, "GET", found).status == 200


def test_a_list_goes_on_under_any_path(scene: InProcessStack, call: Call) -> None:
    """A cursor is bound to the list, not to the domain that it was asked under."""
    for _ in range(2):
        scene.pending()
    page = call("partner", None, "GET", "/live/requests?limit=1")[1]
    rest = call("partner", "grants", "GET", f"/grants/requests?cursor={page['cursor']}&limit=1")[1]
    assert {each["id"] for each in (*page["items"], *rest["items"])} == {
        each["id"] for each in scene.call("partner", "GET", "/requests").body["items"]
    }


def test_what_waits_says_when_to_ask_again(scene: InProcessStack) -> None:
    """Pending, issuing and ending requests, pending approvals and votes carry Retry-After; others do not."""
    waiting = scene.submit()
    assert waiting.headers["Retry-After"] == "30"
    request_id = str(waiting.body["id"])
    assert "Retry-After" not in scene.decide(request_id).headers
    assert "Retry-After" not in scene.take_up(request_id).headers
    assert scene.release(request_id).headers["Retry-After"] == "2"
    assert scene.call("partner", "GET", f"/requests/{request_id}").headers["Retry-After"] == "2"
    assert scene.call("alice", "GET", f"/security/requests/{request_id}").headers["Retry-After"] == "2"
    assert scene.call("alice", "POST", f"/security/keys/{scene.key_id}/check").headers["Retry-After"] == "60"
    assert "Retry-After" not in scene.approve_ahead().headers
    assert scene.limit(quorum=2).status == 200
    ahead = scene.approve_ahead(reason="another")
    assert (ahead.body["status"], ahead.headers["Retry-After"]) == ("pending", "30")
    assert scene.limit(quorum=1).headers["Retry-After"] == "30"
