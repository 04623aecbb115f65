"""More than one person: distinct, and neither the requester nor the grantee."""

from datetime import timedelta

import pytest

from grant_broker.domain.lifecycle import Status
from tests.support.scene import START, InProcessStack, time


def test_two_persons(scene: InProcessStack) -> None:
    """Pending after the first vote, approved with the second; the event counts them."""
    scene.limit(quorum=2)
    request_id = scene.pending()
    assert scene.decide(request_id).body["status"] == "pending"
    assert scene.take_up(request_id).status == 409
    assert scene.decide(request_id, "bob").body["status"] == "approved"
    assert scene.trail(request_id) == ["submitted", "voted", "approved"]
    assert scene.take_up(request_id).status == 201


@pytest.mark.parametrize(
    ("one", "same"), [("alice", "alice_in_review"), ("duty", "duty_again")], ids=["Identity Center", "role"]
)
def test_one_person_counts_once(scene: InProcessStack, one: str, same: str) -> None:
    """Through a second permission set, or under another session name, it is the same person."""
    scene.limit(quorum=2)
    request_id = scene.pending()
    assert scene.decide(request_id, one).status == 200
    answer = scene.decide(request_id, same)
    assert (answer.status, answer.body["detail"]) == (409, "you have voted already; the request is pending")
    assert scene.decide(request_id, "bob").body["status"] == ("pending" if one == "duty" else "approved")


def test_two_kinds_of_role_are_no_two_persons(scene: InProcessStack) -> None:
    """On a mixed list one human may come twice: above one vote only Identity Center's persons count."""
    assert scene.decide(scene.pending(), "duty").body["status"] == "approved"
    scene.limit(quorum=2)
    request_id = scene.pending()
    for who in ("duty", "alice"):
        assert scene.decide(request_id, who).body["status"] == "pending"
    assert scene.decide(request_id, "bob").body["status"] == "approved"
    assert scene.take_up(request_id).status == 201


def test_two_vote_at_the_same_time(scene: InProcessStack) -> None:
    """Both votes count: nobody has to vote again for having been second."""
    scene.limit(quorum=2)
    request_id = scene.pending()
    with scene.meanwhile("TransactWriteItems", lambda: scene.decide(request_id, "bob")) as others:
        mine = scene.decide(request_id)
    assert (others[0].body["status"], mine.body["status"]) == ("pending", "approved")
    assert [vote.by.rpartition("/")[2] for vote in scene.request(request_id).decisions] == ["bob", "alice"]


def test_the_shortest_duration_wins(scene: InProcessStack) -> None:
    """Of several votes the shortest duration holds, in whatever order they come."""
    scene.limit(quorum=3)
    request_id = scene.pending()
    scene.decide(request_id, "alice", duration="PT90M")
    scene.decide(request_id, "bob", duration="PT1H")
    assert scene.decide(request_id, "carol").body["duration"] == "PT1H"
    assert scene.take_up(request_id).body["expires_at"] == time(START + timedelta(hours=1))


def test_a_denial_is_final_whatever_the_quorum(scene: InProcessStack) -> None:
    """One no among many."""
    scene.limit(quorum=3)
    request_id = scene.pending()
    scene.decide(request_id)
    assert scene.decide(request_id, "bob", "deny", comment="no").body["status"] == "denied"
    assert scene.decide(request_id, "carol").status == 409


def test_a_quorum_raised_after_the_first_vote(scene: InProcessStack) -> None:
    """It is the present quorum that a vote meets."""
    scene.limit(quorum=2)
    request_id = scene.pending()
    scene.decide(request_id)
    for who in ("alice", "bob"):
        scene.limit(who, quorum=3)
    assert scene.decide(request_id, "bob").body["status"] == "pending"
    assert scene.decide(request_id, "carol").body["status"] == "approved"


def test_a_quorum_lowered_after_the_first_vote(scene: InProcessStack) -> None:
    """The votes so far approve nothing by themselves: the next one does."""
    scene.limit(quorum=2)
    request_id = scene.pending()
    scene.decide(request_id)
    for who in ("alice", "bob"):
        scene.limit(who, quorum=1)
    assert scene.status(request_id) == Status.PENDING
    assert scene.decide(request_id, "bob").body["status"] == "approved"


def test_a_quorum_raised_between_vote_and_count(scene: InProcessStack) -> None:
    """A vote is counted by the limits it is stored with, never by older ones."""
    request_id = scene.pending()
    with scene.meanwhile("TransactWriteItems", lambda: scene.limit(quorum=2)):
        assert scene.decide(request_id).body["status"] == "pending"
    assert scene.decide(request_id, "bob").body["status"] == "approved"


def test_a_standing_approval_needs_the_quorum_too(scene: InProcessStack) -> None:
    """Pending and covering nothing until enough have voted; then it covers."""
    scene.limit(quorum=2)
    made = scene.approve_ahead().body
    assert (made["status"], len(made["decisions"])) == ("pending", 1)
    assert scene.submit().body["status"] == "pending"
    path = f"/security/approvals/{made['id']}/decision"
    again = scene.call("alice", "POST", path, {"verdict": "approve"})
    assert (again.status, again.body["detail"]) == (409, "you have voted already; the approval is pending")
    assert scene.call("bob", "POST", path, {"verdict": "approve"}).body["status"] == "active"
    assert scene.submit().body["status"] == "active"


def test_the_requester_s_own_vote_ahead_does_not_count(scene: InProcessStack) -> None:
    """Who made a standing approval cannot use it: their request waits for somebody else."""
    scene.limit(accounts=["111122223333"])
    mine = {"account": "111122223333", "grantee": scene.grantee("data_reader")}
    assert scene.approve_ahead("duty", **mine).body["status"] == "active"
    asked = {"grantee": scene.grantee("data_reader")}
    assert scene.submit("duty_again", **asked).body["status"] == "pending"
    assert scene.submit("key_admin", **asked).body["status"] == "active"


def test_the_grantee_s_own_vote_ahead_does_not_count(scene: InProcessStack) -> None:
    """Nor does the vote of whom the grant would be for, where the approval names no grantee."""
    scene.limit(accounts=["111122223333"])
    scene.approve_ahead("duty", account="111122223333")
    own = scene.submit("key_admin", grantee=scene.grantee("duty"))
    assert own.body["status"] == "pending"
    assert scene.submit("key_admin", grantee=scene.grantee("data_reader")).body["status"] == "active"
