"""Votes on one request."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from grant_broker.domain.lifecycle import Status
from tests.support.scene import START, InProcessStack, time


def test_approve(scene: InProcessStack) -> None:
    """One vote at quorum 1: approved until take_up_by, with the decision shown to both sides."""
    request_id = scene.pending()
    answer = scene.decide(request_id, comment="as agreed in SEC-1")
    assert (answer.status, answer.body["status"]) == (200, "approved")
    assert answer.body["take_up_by"] == time(START + timedelta(days=1))
    expected = {
        "by": scene.credentials("alice").arn, "verdict": "approve", "comment": "as agreed in SEC-1",
        "duration": None, "at": time(START),
    }  # fmt: skip
    assert scene.call("partner", "GET", f"/requests/{request_id}").body["decisions"] == [expected]
    event = scene.call("alice", "GET", f"/security/requests/{request_id}").body["trail"][-1]
    assert (event["type"], event["detail"]["digest"]) == ("approved", scene.request(request_id).digest)


def test_deny(scene: InProcessStack) -> None:
    """One denial is final, says why, and takes the request off the agenda."""
    request_id = scene.pending()
    unreasoned = scene.decide(request_id, verdict="deny")
    assert (unreasoned.status, unreasoned.body["errors"][0]["field"]) == (400, "comment")
    answer = scene.decide(request_id, verdict="deny", comment="not this table")
    assert (answer.status, answer.body["status"], answer.body["end_reason"]) == (200, "denied", "denied")
    assert answer.body["ended_at"] == time(START)
    assert scene.request(request_id).due is None
    assert scene.decide(request_id, "bob").body["detail"] == "the request is denied"


@pytest.mark.parametrize("duration", ["PT2H1S", "PT0.5S", "PT0S"])
def test_a_vote_may_not_lengthen(scene: InProcessStack, duration: str) -> None:
    """Longer than asked, or no duration at all: 400 naming the field, and no vote."""
    request_id = scene.pending()
    answer = scene.decide(request_id, duration=duration)
    assert (answer.status, answer.body["errors"][0]["field"]) == (400, "duration")
    assert scene.status(request_id) == Status.PENDING
    assert scene.decide(request_id, duration="PT2H").status == 200


def test_a_vote_may_shorten(scene: InProcessStack) -> None:
    """The grant ends by the shortened duration."""
    request_id = scene.pending()
    assert scene.decide(request_id, duration="PT30M").body["duration"] == "PT30M"
    assert scene.take_up(request_id).body["expires_at"] == time(START + timedelta(minutes=30))


def test_a_vote_below_the_smallest_duration(scene: InProcessStack) -> None:
    """No shorter than the stack grants at all."""
    request_id = scene.pending()
    broker = scene.brokers.broker("approvals")
    settings = broker.settings.model_copy(update={"smallest_duration": 300})
    changed = replace(broker, settings=settings)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(scene.brokers._made, "approvals", changed)  # noqa: SLF001
        assert scene.decide(request_id, duration="PT299S").status == 400
        assert scene.decide(request_id, duration="PT5M").status == 200


@pytest.mark.parametrize(
    ("state", "detail"),
    [
        ("approved", "the request is approved"),
        ("active", "the request is active"),
    ],
)
def test_decided_already(scene: InProcessStack, state: str, detail: str) -> None:
    """409 that names the present status, for whoever comes later."""
    request_id = getattr(scene, state)()
    answer = scene.decide(request_id, "bob")
    assert (answer.status, answer.body["detail"]) == (409, detail)


def test_a_vote_is_cast_once(scene: InProcessStack) -> None:
    """A second vote of the same person is 409; with the same key and body it is the first one again."""
    scene.limit(quorum=2)
    request_id = scene.pending()
    first = scene.decide(request_id, once="v")
    again = scene.decide(request_id, once="v")
    assert (first.status, again.status) == (200, 200)
    assert again.body == first.body
    assert len(again.body["decisions"]) == 1
    other = scene.decide(request_id, once="v", comment="other body")
    assert (other.status, other.body["detail"]) == (409, "you have voted already; the request is pending")
    assert scene.decide(request_id).status == scene.decide(request_id, once="w").status == 409
    assert scene.decide(request_id, "bob", once="v").body["status"] == "approved"
    assert scene.decide(request_id, once="v").body["status"] == "approved"


def test_the_same_vote_twice_at_the_same_time(scene: InProcessStack) -> None:
    """Both are answered 200, and there is one vote."""
    request_id = scene.pending()
    with scene.meanwhile("TransactWriteItems", lambda: scene.decide(request_id, once="v")) as others:
        mine = scene.decide(request_id, once="v")
    assert (mine.status, others[0].status) == (200, 200)
    assert len(scene.request(request_id).decisions) == 1


@pytest.mark.parametrize(
    ("requester", "decider"),
    [
        ("duty", "duty"),
        ("duty", "duty_again"),
        ("alice", "alice"),
        ("alice", "alice_in_review"),
    ],
    ids=["oneself", "another session name", "Identity Center", "another permission set"],
)
def test_one_s_own_request(scene: InProcessStack, requester: str, decider: str) -> None:
    """403 for the requester's person, by whatever way they come; anybody else of the team decides."""
    scene.limit(accounts=["111122223333"])
    answer = scene.submit(requester, grantee=scene.grantee("data_reader"))
    request_id = answer.body["id"]
    for verdict in ("approve", "deny"):
        refused = scene.decide(request_id, decider, verdict, comment="mine")
        assert (refused.status, refused.body["code"]) == (403, "not_permitted")
    assert scene.status(request_id) == Status.PENDING
    assert scene.decide(request_id, "bob").status == 200


def test_perhaps_one_s_own_request(scene: InProcessStack) -> None:
    """Who has the requester's session name, of a role that but looks like Identity Center's, may deny."""
    scene.limit(accounts=["111122223333"])
    first, second = (
        scene.submit("impostor", grantee=scene.grantee("data_reader")).body["id"] for _ in range(2)
    )
    refused = scene.decide(first, "alice")
    assert (refused.status, refused.body["code"]) == (403, "not_permitted")
    assert "you may deny it" in refused.body["detail"]
    assert scene.decide(first, "bob").body["status"] == "approved"
    assert scene.decide(second, "alice", "deny", comment="not me").body["status"] == "denied"


def test_perhaps_granted_to_oneself(scene: InProcessStack) -> None:
    """Nobody can tell who holds an unlisted Identity Center role: all may deny, none approve."""
    scene.limit(accounts=["111122223333"])
    request_id = scene.submit("key_admin", grantee=scene.grantee("impostor")).body["id"]
    assert [scene.decide(request_id, who).status for who in ("alice", "bob", "duty")] == [403] * 3
    assert scene.decide(request_id, "bob", "deny", comment="whose is it?").body["status"] == "denied"


@pytest.mark.parametrize(
    ("grantee", "decider"),
    [
        ("arn:aws:iam::111122223333:role/key-duty", "duty"),
        ("arn:aws:sts::111122223333:assumed-role/key-duty/monday", "duty"),
        (
            "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_KeyReview_0123456789abcdef/alice",
            "alice_in_review",
        ),
        ("arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_KeyReview_0123456789abcdef/alice", "alice"),
    ],
)
def test_for_oneself(scene: InProcessStack, grantee: str, decider: str) -> None:
    """403 for the grantee, as role, as session, and under another permission set's name."""
    scene.limit(accounts=["111122223333"])
    request_id = scene.submit("key_admin", grantee=grantee).body["id"]
    assert scene.decide(request_id, decider).status == 403
    assert scene.decide(request_id, "bob").status == 200


@pytest.mark.parametrize("who", ["partner", "key_admin", "impostor", "data_reader", "outsider"])
def test_who_is_no_approver(scene: InProcessStack, who: str) -> None:
    """Only sessions of the listed roles decide, told by the role's id and never by its name."""
    request_id = scene.pending()
    assert scene.decide(request_id, who).status == 403
    assert scene.status(request_id) == Status.PENDING


def test_unknown_requests(scene: InProcessStack) -> None:
    """404, for the decision and for the revocation."""
    assert scene.decide("0" * 32).status == scene.revoke("0" * 32).status == 404


def test_the_key_s_register_is_lost(scene: InProcessStack) -> None:
    """Without the key's limits nobody knows the quorum: 409 with the status."""
    request_id = scene.pending()
    key = {"pk": {"S": f"key#{scene.key_arn}"}, "sk": {"S": "key"}}
    scene.tables.delete_item(TableName=scene.deployment.approval_table, Key=key)
    answer = scene.decide(request_id)
    assert answer.body["detail"] == "the request is pending, but its key is not managed any more"


@pytest.mark.parametrize(
    ("state", "status", "shown"), [("active", 202, "ending"), ("approved", 202, "revoked")]
)
def test_revoke(scene: InProcessStack, state: str, status: int, shown: str) -> None:
    """202: an active grant is ending, an approved request is revoked; the reason is kept."""
    request_id = getattr(scene, state)()
    answer = scene.revoke(request_id)
    assert (answer.status, answer.body["status"], answer.body["end_reason"]) == (status, shown, "incident 7")
    scene.clock.sleep(1)
    scene.expire()
    assert (scene.status(request_id), scene.grants()) == (Status.REVOKED, [])
    assert scene.request(request_id).end_reason == "incident 7"


@pytest.mark.parametrize(
    ("state", "instead"),
    [
        ("pending", ": deny it instead"),
        ("ending", ": it ends already, and nothing more is needed"),
        ("revoked", ""),
    ],
)
def test_revoke_what_cannot_be(scene: InProcessStack, state: str, instead: str) -> None:
    """409 that names the status and says what to do; `ending` cannot be undone or doubled."""
    request_id = scene.pending() if state == "pending" else scene.active()
    if state != "pending":
        scene.revoke(request_id)
    if state == "revoked":
        scene.clock.sleep(1)
        scene.expire()
    answer = scene.revoke(request_id)
    assert (answer.status, answer.body["detail"]) == (409, f"the request is {state}{instead}")


def test_revoke_says_why(scene: InProcessStack) -> None:
    """400 without a reason."""
    request_id = scene.active()
    answer = scene.call("alice", "DELETE", f"/security/requests/{request_id}/grant", {})
    assert (answer.status, answer.body["errors"][0]["field"]) == (400, "reason")
    assert scene.status(request_id) == Status.ACTIVE


@pytest.mark.parametrize(
    ("first", "second", "statuses", "end"),
    [
        ("approve", "deny", (200, 409), Status.APPROVED),
        ("deny", "approve", (200, 409), Status.DENIED),
    ],
)
def test_two_decide_at_the_same_time(
    scene: InProcessStack, first: str, second: str, statuses: tuple[int, int], end: Status
) -> None:
    """At quorum 1 one wins; the other is told the status that it left."""
    request_id = scene.pending()

    def other() -> Any:
        return scene.decide(request_id, "bob", first, comment="bob")

    with scene.meanwhile("TransactWriteItems", other) as others:
        mine = scene.decide(request_id, "alice", second, comment="alice")
    assert (others[0].status, mine.status) == statuses
    assert mine.body["detail"] == f"the request is {end}"
    assert scene.status(request_id) == end
