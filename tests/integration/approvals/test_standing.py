"""Standing approvals: made, voted on, used and withdrawn."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from grant_broker.approvals.mass_revocations import run
from grant_broker.approvals.standing_approvals import withdraw
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.people import Caller
from tests.local_aws.answers import Response
from tests.local_aws.cloud import AwsCall
from tests.support.scene import START, InProcessStack, time


def test_made(scene: InProcessStack) -> None:
    """201 with the maker's vote, active at quorum 1, shown by its id and in the list."""
    answer = scene.approve_ahead()
    assert answer.status == 201
    assert answer.headers["Location"] == f"/live/security/approvals/{answer.body['id']}"
    expected = {
        "status": "active", "key": scene.key_arn, "account": "444455556666", "grantee": None,
        "operations": ["Encrypt"], "encryption_context": {"tenant": "a"}, "context_match": "equals",
        "max_duration": "PT4H", "valid_from": time(START), "valid_until": time(START + timedelta(days=1)),
        "reason": "nightly loads", "created_at": time(START),
    }  # fmt: skip
    assert {name: answer.body[name] for name in expected} == expected
    assert [vote["verdict"] for vote in answer.body["decisions"]] == ["approve"]
    assert scene.call("bob", "GET", f"/security/approvals/{answer.body['id']}").body == answer.body
    assert scene.call("bob", "GET", "/security/approvals").body == {"items": [answer.body], "cursor": None}


def test_expired(scene: InProcessStack) -> None:
    """It covers until valid_until, and no longer."""
    made = scene.approve_ahead(valid_until=time(START + timedelta(minutes=1))).body
    scene.clock.sleep(60)
    assert scene.submit().body["status"] == "pending"
    path = f"/security/approvals/{made['id']}"
    assert scene.call("alice", "GET", path).body["status"] == "expired"
    vote = scene.call("bob", "POST", f"{path}/decision", {"verdict": "approve"})
    assert (vote.status, vote.body["detail"]) == (409, "the approval is expired")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"operations": ["Decrypt"]}, "operations"),
        ({"max_duration": "PT9H"}, "max_duration"),
        ({"key": "nothing"}, "key"),
        ({"account": "777788889999"}, "key"),
        ({"valid_until": time(START)}, "valid_until"),
        ({"valid_until": time(START + timedelta(days=367))}, "valid_until"),
        ({"valid_from": time(START + timedelta(days=2))}, "valid_until"),
        ({"grantee": "arn:aws:iam::666677778888:role/x"}, "grantee"),
        ({"grantee": "arn:aws:iam::444455556666:root"}, "grantee"),
    ],
)
def test_outside_the_limits(scene: InProcessStack, changes: dict[str, Any], field: str) -> None:
    """400 naming the field, and nothing stored."""
    answer = scene.approve_ahead(**changes)
    assert (answer.status, answer.body["errors"][0]["field"]) == (400, field), answer.body
    assert scene.call("alice", "GET", "/security/approvals").body["items"] == []


def test_not_for_oneself(scene: InProcessStack) -> None:
    """403 for whoever would be its grantee, when making it and when voting on it."""
    scene.limit(accounts=["111122223333"], quorum=2)
    mine = {"account": "111122223333", "grantee": scene.grantee("duty")}
    assert scene.approve_ahead("duty", **mine).status == 403
    made = scene.approve_ahead("alice", **mine).body["id"]
    path = f"/security/approvals/{made}/decision"
    assert scene.call("duty_again", "POST", path, {"verdict": "approve"}).status == 403
    assert scene.call("bob", "POST", path, {"verdict": "approve"}).body["status"] == "active"


def test_repeated(scene: InProcessStack) -> None:
    """The same person, key and body: one approval, as it is now; another body: 409."""
    first = scene.approve_ahead(once="k")
    again = scene.approve_ahead(once="k")
    assert (again.status, again.body) == (201, first.body)
    scene.call("alice", "DELETE", f"/security/approvals/{first.body['id']}")
    assert scene.approve_ahead(once="k").body["status"] == "withdrawn"
    assert scene.approve_ahead(once="k", reason="other").status == 409
    assert scene.approve_ahead("alice_in_review", once="k").body["id"] == first.body["id"]
    assert scene.approve_ahead("bob", once="k").body["id"] != first.body["id"]


def test_the_same_twice_at_the_same_time(scene: InProcessStack) -> None:
    """Both are answered 201 with the one approval."""
    with scene.meanwhile("TransactWriteItems", lambda: scene.approve_ahead(once="k")) as others:
        mine = scene.approve_ahead(once="k")
    assert (mine.status, others[0].status, mine.body) == (201, 201, others[0].body)


def test_limits_that_narrow_at_the_same_time(scene: InProcessStack) -> None:
    """It is judged by the limits it is stored under."""
    with scene.meanwhile("TransactWriteItems", lambda: scene.limit(max_duration="PT1H")):
        answer = scene.approve_ahead()
    assert (answer.status, answer.body["errors"][0]["field"]) == (400, "max_duration")


def test_votes(scene: InProcessStack) -> None:
    """A vote may shorten, never lengthen; repeated it is one vote; a denial withdraws it."""
    scene.limit(quorum=3)
    path = f"/security/approvals/{scene.approve_ahead().body['id']}/decision"
    longer = scene.call("bob", "POST", path, {"verdict": "approve", "duration": "PT5H"})
    assert (longer.status, longer.body["errors"][0]["field"]) == (400, "duration")
    vote = {"verdict": "approve", "duration": "PT1H"}
    first = scene.call("bob", "POST", path, vote, once="v")
    assert scene.call("bob", "POST", path, vote, once="v").body == first.body
    assert len(first.body["decisions"]) == 2
    assert scene.call("carol", "POST", path, {"verdict": "approve"}).body["status"] == "active"
    assert scene.submit(duration="PT61M").body["status"] == "pending"
    assert scene.submit(duration="PT60M").body["status"] == "active"


def test_denied(scene: InProcessStack) -> None:
    """One denial while it is pending, and it never covers."""
    scene.limit(quorum=2)
    made = scene.approve_ahead().body["id"]
    path = f"/security/approvals/{made}/decision"
    denied = scene.call("bob", "POST", path, {"verdict": "deny", "comment": "too wide"})
    assert (denied.status, denied.body["status"]) == (200, "withdrawn")
    late = scene.call("duty", "POST", path, {"verdict": "approve"})
    assert (late.status, late.body["detail"]) == (409, "the approval is withdrawn")


def test_withdrawn(scene: InProcessStack) -> None:
    """204, repeated 204; it covers nothing new, and live grants run to their time."""
    made = scene.approve_ahead().body["id"]
    living = scene.submit().body["id"]
    path = f"/security/approvals/{made}"
    assert [scene.call("bob", "DELETE", path).status for _ in range(2)] == [204, 204]
    assert scene.call("bob", "GET", path).body["status"] == "withdrawn"
    assert scene.submit().body["status"] == "pending"
    assert scene.status(living) == Status.ACTIVE


def test_withdrawn_with_what_it_let_through(scene: InProcessStack) -> None:
    """revoke_active=true ends its live grants in the same call; grants by other approvals live on."""
    made, other = scene.approve_ahead().body["id"], scene.approve_ahead(max_duration="PT8H").body["id"]
    voted = scene.active(encryption_context={"tenant": "b"})
    by_other = scene.submit(duration="PT5H").body
    mine = scene.submit().body
    assert by_other["approval"] == other
    path = f"/security/approvals/{mine['approval']}"
    assert {made, other} >= {mine["approval"]}
    assert scene.call("bob", "DELETE", path, query={"revoke_active": "true"}).status == 204
    ended = scene.request(mine["id"])
    assert (ended.status, ended.end_as) == (Status.ENDING, Status.REVOKED)
    assert ended.end_reason == f"its standing approval {mine['approval']} was withdrawn"
    assert scene.status(voted) == Status.ACTIVE
    scene.clock.sleep(1)
    scene.expire()
    assert scene.status(mine["id"]) == Status.REVOKED


def test_revoke_active_later(scene: InProcessStack) -> None:
    """Withdrawn first, its grants ended by a second call; a third finds nothing more: 204 each time."""
    made = scene.approve_ahead().body["id"]
    living = scene.submit().body["id"]
    path = f"/security/approvals/{made}"
    assert scene.call("bob", "DELETE", path).status == 204
    assert scene.status(living) == Status.ACTIVE
    assert [scene.call("bob", "DELETE", path, query={"revoke_active": "true"}).status for _ in range(2)] == [
        204,
        204,
    ]
    assert scene.status(living) == Status.ENDING
    stored = scene.brokers.broker("approvals").store.find_approval(made)
    assert stored is not None
    assert stored.revoke_active


def test_revoke_active_while_one_is_made(scene: InProcessStack) -> None:
    """A grant on its way at KMS ends too: its maker finds the request ending and says so."""
    made = scene.approve_ahead().body["id"]

    def withdrawn() -> Any:
        return scene.call("bob", "DELETE", f"/security/approvals/{made}", query={"revoke_active": "true"})

    with scene.meanwhile("CreateGrant", withdrawn) as others:
        answer = scene.submit(once="k")
    assert others[0].status == 204
    assert (answer.status, answer.body["detail"]) == (409, "the request is ending")
    assert len(scene.grants()) == 1
    scene.clock.sleep(1)
    scene.expire()
    assert scene.grants() == []
    assert scene.submit(once="k").body["status"] == "revoked"


def test_revoke_active_with_more_than_one_call_has_time_for(
    scene: InProcessStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call ends what it can within its time and answers; the minute's run has the rest."""
    monkeypatch.setattr("grant_broker.approvals.sweep._TOGETHER", 1)
    made = scene.approve_ahead().body["id"]
    ids = [scene.submit().body["id"] for _ in range(3)]
    broker, calls = scene.brokers.broker("approvals"), []

    def slow() -> Any:
        calls.append(1)
        return START + timedelta(seconds=3 * len(calls))

    late = replace(broker, clock=slow)
    caller = _alice(scene)
    withdraw(late, caller, made, revoke_active=True)
    statuses = [scene.status(request_id) for request_id in ids]
    assert 1 <= statuses.count(Status.ACTIVE) < 3
    run(broker, timedelta(seconds=15))
    assert {scene.status(request_id) for request_id in ids} == {Status.ENDING}


def test_what_the_index_shows_too_late(scene: InProcessStack) -> None:
    """A grant that ended between the index and the record is left alone."""
    made = scene.approve_ahead().body["id"]
    living = scene.submit().body["id"]
    with scene.meanwhile("TransactWriteItems", lambda: scene.release(living), nth=2):
        path = f"/security/approvals/{made}"
        assert scene.call("bob", "DELETE", path, query={"revoke_active": "true"}).status == 204
    assert scene.request(living).end_as == Status.RELEASED


def test_unknown(scene: InProcessStack) -> None:
    """404 for each call on an approval that does not exist; 400 for what is neither true nor false."""
    path = f"/security/approvals/{'0' * 32}"
    assert scene.call("alice", "GET", path).status == scene.call("alice", "DELETE", path).status == 404
    assert scene.call("alice", "POST", f"{path}/decision", {"verdict": "approve"}).status == 404
    assert scene.call("alice", "DELETE", path, query={"revoke_active": "yes"}).status == 400


def _alice(scene: InProcessStack) -> Caller:
    who = scene.credentials("alice")
    return Caller(who.arn, who.account, "AROAALICE", "alice")


def test_revoke_active_of_a_request_that_is_lost_meanwhile(scene: InProcessStack) -> None:
    """What the index shows and the table holds no more stops nobody: the others end."""
    made = scene.approve_ahead().body["id"]
    first, second = (str(scene.submit(encryption_context={"tenant": "a"}).body["id"]) for _ in range(2))

    def lose(go_on: Callable[[], Response]) -> Response:
        scene.lose(first)
        return go_on()

    def first_read(call: AwsCall) -> bool:
        return f"request#{first}" in str(call.parameters)

    with scene.faults({"BatchGetItem": lose}, when=first_read) as reads:
        path = f"/security/approvals/{made}"
        assert scene.call("bob", "DELETE", path, query={"revoke_active": "true"}).status == 204
    assert (len(reads), scene.status(second)) == (1, Status.ENDING)
