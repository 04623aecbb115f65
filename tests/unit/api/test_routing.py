"""One way in: routes, callers and the shape of every answer."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from grant_broker.api.responses import Answer
from grant_broker.api.routing import Api, Call, Routes
from grant_broker.domain.errors import NotPermitted
from grant_broker.domain.people import Caller
from grant_broker.domain.submission import Submission
from tests.support.context import Context
from tests.unit.api.test_bodies import GOOD
from tests.unit.api.test_calls import SESSION, call


def event(path: str = "/good", method: str = "GET", body: str | None = None, **given: Any) -> dict[str, Any]:
    """A proxy event of a call to the stage's own URL; `/broken/…` has a parameter."""
    is_broken = path.startswith("/broken/")
    return {
        "resource": "/broken/{name}" if is_broken else path, "path": path, "httpMethod": method, "body": body,
        "pathParameters": {"name": path.removeprefix("/broken/")} if is_broken else None, "headers": {},
        **call(path=f"/live{path}"), **given,
    }  # fmt: skip


def nobody(_caller: Caller) -> None:
    """A gate that lets nobody in."""
    raise NotPermitted("no")


def an_api(ensure_permitted: Callable[[Caller], None] = lambda _caller: None) -> Api:
    """An API with a route of each kind."""
    api = Api(ensure_permitted)

    @api.route("GET", "/good", parameters=("limit",))
    def _good(call: Call) -> Answer:
        told = {"route": call.route, "query": call.query, "by": call.caller.arn}
        return Answer(200, told, location="/x")

    @api.route("POST", "/silent")
    def _silent(_call: Call) -> Answer:
        return Answer(204)

    @api.route("POST", "/read", takes_body=True)
    def _read(call: Call) -> Answer:
        return Answer(200, [call.read(Submission).reason, *call.idempotency])

    @api.route("GET", "/bad")
    def _bad(_call: Call) -> Answer:
        raise NotPermitted("no")

    @api.route("GET", "/broken/<name>")
    def _broken(_call: Call, name: str) -> Answer:
        raise KeyError(name)

    return api


def answer(api: Api, asked: dict[str, Any]) -> tuple[int, Any, dict[str, str]]:
    """Status, body and headers of an answer."""
    told = api.resolve(asked, Context())
    headers = {name: values[0] for name, values in told["multiValueHeaders"].items()}
    return told["statusCode"], json.loads(told["body"]) if told["body"] else None, headers


def test_answers() -> None:
    """A route is given the verified caller and its query; no answer is to be kept by any cache."""
    asked = event(multiValueQueryStringParameters={"limit": ["5"]})
    status, told, headers = answer(an_api(), asked)
    assert (status, told) == (200, {"route": "GET /good", "query": {"limit": "5"}, "by": SESSION})
    assert headers == {"Content-Type": "application/json", "Cache-Control": "no-store", "Location": "/live/x"}
    for path, code in (
        ("/bad", 403),
        ("/broken/a", 503),
        ("/none", 404),
        ("/broken/\ufffd", 503),
        ("/broken/a/b", 503),
    ):
        status, told, headers = answer(an_api(), event(path))
        assert (status, told["status"]) == (code, code)
        assert headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/good"), ("POST", "/silent"), ("POST", "/read"), ("GET", "/broken/a")]
)
def test_every_route_is_guarded(method: str, path: str) -> None:
    """Who may call no route is refused on each, though none of them says so, before anything else is read."""
    asked = event(path, method, "{", multiValueQueryStringParameters={"a": ["1"]})
    assert answer(an_api(nobody), asked)[0] == 403
    identity: Any = {"identity": None, "stage": "live", "path": "/live"}
    assert answer(an_api(), {**asked, "requestContext": identity})[0] == 403


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        (event(body='{"status": "active"}'), "body"),
        (event("/silent", "POST", '{"a": 1}'), "body"),
        (event(multiValueQueryStringParameters={"cursor": ["1"]}), "cursor"),
        (event("/silent", "POST", multiValueQueryStringParameters={"limit": ["1"]}), "limit"),
        (event("/silent", "POST", multiValueHeaders={"Idempotency-Key": [""]}), "Idempotency-Key"),
        (event("/read", "POST", "[]"), "body"),
    ],
)
def test_nothing_is_ignored(asked: dict[str, Any], field: str) -> None:
    """What a route does not take is refused, and so is a malformed Idempotency-Key."""
    status, told, _ = answer(an_api(), asked)
    assert (status, [fault["field"] for fault in told["errors"]]) == (400, [field])


@pytest.mark.parametrize(
    ("used", "base"),
    [("/live", "/live"), ("", ""), ("/grants", "/grants"), ("/a/b", "/a/b"), ("/good", "/good")],
)
def test_base_path(used: str, base: str) -> None:
    """A call is routed and answered under any stage and base path; Location follows the caller's own URL."""
    context = call(path=f"{used}/good/")["requestContext"]
    _, told, headers = answer(an_api(), event(path=f"{used}/good", resource="/good", requestContext=context))
    assert (told["route"], headers["Location"]) == ("GET /good", f"{base}/x")


def test_retry_after() -> None:
    """What is not final yet says when to ask again."""
    api = an_api()

    @api.route("POST", "/wait")
    def _wait(_call: Call) -> Answer:
        return Answer(202, {}, retry_after=7)

    assert answer(api, event("/wait", "POST"))[2]["Retry-After"] == "7"


def test_routes_of_a_subject() -> None:
    """Included routes are given the broker of the call, and are checked like the function's own."""
    routes, brokers = Routes[str](), iter(["first", "second"])

    @routes.route("GET", "/broken/<name>", parameters=("limit",))
    def _told(broker: str, call: Call, name: str) -> Answer:
        return Answer(200, [broker, call.route, name])

    @routes.route("POST", "/good", takes_body=True)
    def _read(broker: str, call: Call) -> Answer:
        return Answer(200, [broker, call.read(Submission).reason])

    api = Api(lambda _caller: None)
    api.include(routes, lambda: next(brokers))
    assert answer(api, event("/broken/a"))[1] == ["first", "GET /broken/a", "a"]
    assert answer(api, event("/good", "POST", json.dumps(GOOD)))[1] == ["second", GOOD["reason"]]
    assert answer(api, event("/broken/a", body='{"a": 1}'))[0] == 400


@pytest.mark.parametrize("text", ["a/b", "%2F", "ü", "a b", "..", "?x=1", chr(0xD800)])
def test_path_parameters(text: str) -> None:
    """A route is given its parameters as API Gateway decoded them, whatever they hold."""
    api = Api(lambda _caller: None)

    @api.route("GET", "/broken/<name>")
    def _told(_call: Call, name: str) -> Answer:
        return Answer(200, name)

    assert answer(api, event(f"/broken/{text}"))[1] == text


def test_silent_routes() -> None:
    """A route that takes nothing answers a call that sends nothing, or an empty object."""
    for body in (None, "", "{}"):
        assert answer(an_api(), event("/silent", "POST", body))[0] == 204


def test_repeatable() -> None:
    """A repeat is told by its key and a digest of its body, whatever the body holds."""
    told = [
        answer(an_api(), event("/read", "POST", json.dumps({**GOOD, "reason": reason}), **given))[1]
        for reason, given in (("a", {}), ("b", {}), ("b", {"multiValueHeaders": {"Idempotency-Key": ["k"]}}))
    ]
    assert [(reason, key) for reason, key, _ in told] == [("a", None), ("b", None), ("b", "k")]
    assert told[0][2] != told[1][2] == told[2][2]
    first, other = (Call(Caller("", "", ""), {"body": body}, {}).idempotency for body in ("\ud800", "\ud801"))
    assert first.body_digest != other.body_digest
