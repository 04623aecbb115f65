"""A key may name its own approvers: everybody of the security team sees it, they alone decide."""

from typing import Any

import pytest

from grant_broker.domain.key_document import KeyDocument
from grant_broker.domain.votes import Quorum
from tests.local_stack.people import APPROVER_ROLE, DUTY_ROLE, IMPOSTOR_ROLE, REVIEW_ROLE
from tests.support.limits import limits
from tests.support.scene import InProcessStack

REFUSED = "the key names its own approvers, and your role is none of them: ask one of them to decide"


def _ids(scene: InProcessStack, *roles: str) -> list[str]:
    """The unique ids of roles of the home account, in the order in which a key keeps them."""
    found = scene.cloud.directory.principals.values()
    return sorted(each.unique_id for each in found if each.arn.rpartition("/")[2] in roles)


def _reserve(scene: InProcessStack, *roles: str, **changes: Any) -> None:
    """Give the key its own approvers."""
    answer = scene.limit(approvers=_ids(scene, *roles), **changes)
    assert answer.status == 200, answer.body


def _seen(scene: InProcessStack, who: str, path: str) -> dict[str, Any]:
    answer = scene.call(who, "GET", f"/security/{path}")
    assert answer.status == 200
    body: dict[str, Any] = answer.body
    return body


def test_who_decides_on_a_request(scene: InProcessStack) -> None:
    """Whoever is none of the key's approvers sees the request and neither approves nor denies it."""
    _reserve(scene, DUTY_ROLE)
    request_id = scene.pending()
    for verdict in ("approve", "deny"):
        answer = scene.decide(request_id, "alice", verdict, comment="no")
        assert (answer.status, answer.body["detail"]) == (403, REFUSED)
    seen = {who: _seen(scene, who, f"requests/{request_id}")["may_decide"] for who in ("alice", "duty")}
    assert seen == {"alice": False, "duty": True}
    listed = scene.call("alice", "GET", "/security/requests").body["items"]
    assert [each["may_decide"] for each in listed] == [False]
    answer = scene.decide(request_id, "duty")
    assert (answer.body["status"], answer.body["may_decide"]) == ("approved", True)
    assert scene.take_up(request_id).status == 201


def test_nobody_may_decide_on_their_own(scene: InProcessStack) -> None:
    """An approver of the key who asked, or who would hold the grant, may not."""
    scene.limit(accounts=["111122223333"])
    request_id = scene.pending(who="alice", grantee=scene.grantee("data_reader"))
    assert _seen(scene, "alice", f"requests/{request_id}")["may_decide"] is False
    assert _seen(scene, "bob", f"requests/{request_id}")["may_decide"] is True


def test_standing_approvals(scene: InProcessStack) -> None:
    """Only the key's approvers make one, or vote on one; everybody may withdraw it."""
    _reserve(scene, APPROVER_ROLE, quorum=2)
    assert scene.approve_ahead("duty").body["detail"] == REFUSED
    made = scene.approve_ahead("alice")
    assert (made.body["status"], made.body["may_decide"]) == ("pending", True)
    path = f"approvals/{made.body['id']}"
    assert _seen(scene, "duty", path)["may_decide"] is False
    vote = {"verdict": "approve"}
    assert scene.call("duty", "POST", f"/security/{path}/decision", vote).status == 403
    assert scene.call("bob", "POST", f"/security/{path}/decision", vote).body["status"] == "active"
    assert [each["may_decide"] for each in _seen(scene, "duty", "approvals")["items"]] == [False]
    assert scene.submit().body["status"] == "active"
    assert scene.call("duty", "DELETE", f"/security/{path}").status == 204


def test_what_covers_later_is_by_the_approvers_of_then(scene: InProcessStack) -> None:
    """A standing approval by who is none of them any more covers nothing, until others have voted for it."""
    made = scene.approve_ahead("duty").body
    assert made["status"] == "active"
    _reserve(scene, APPROVER_ROLE)
    assert _seen(scene, "alice", f"approvals/{made['id']}")["status"] == "pending"
    assert scene.submit().body["status"] == "pending"
    path = f"/security/approvals/{made['id']}/decision"
    assert scene.call("alice", "POST", path, {"verdict": "approve"}).body["status"] == "active"
    assert scene.submit().body["status"] == "active"


def test_votes_given_before(scene: InProcessStack) -> None:
    """An approved request is not taken up once its voter is none of the key's approvers."""
    request_id = scene.pending()
    assert scene.decide(request_id, "duty").body["status"] == "approved"
    _reserve(scene, APPROVER_ROLE)
    answer = scene.take_up(request_id)
    assert (answer.status, scene.grants()) == (409, [])
    assert "0 of 1 votes" in answer.body["detail"]


def test_a_quorum_among_them(scene: InProcessStack) -> None:
    """A vote through a role that is not listed is refused; two listed persons make two."""
    _reserve(scene, REVIEW_ROLE, APPROVER_ROLE, quorum=2)
    request_id = scene.pending()
    assert scene.decide(request_id, "duty").status == 403
    assert scene.decide(request_id, "alice_in_review").body["votes"] == {"given": 1, "needed": 2}
    assert scene.decide(request_id, "alice").status == 409
    assert scene.decide(request_id, "bob").body["status"] == "approved"


def test_a_mixed_list(scene: InProcessStack) -> None:
    """Where the key's list mixes both kinds, above one vote only Identity Center's persons count."""
    _reserve(scene, DUTY_ROLE, REVIEW_ROLE, quorum=2)
    request_id = scene.pending()
    assert scene.decide(request_id, "duty").body["votes"]["given"] == 0
    assert scene.decide(request_id, "alice_in_review").body["votes"]["given"] == 1


@pytest.mark.parametrize(
    ("roles", "quorum", "status"),
    [((DUTY_ROLE,), 1, 200), ((DUTY_ROLE,), 2, 400), ((DUTY_ROLE, REVIEW_ROLE), 10, 200)],
    ids=["one role", "two of one role", "ten of Identity Center"],
)
def test_no_more_than_there_can_be(
    scene: InProcessStack, roles: tuple[str, ...], quorum: int, status: int
) -> None:
    """400 for a quorum that the key's approvers could never reach."""
    answer = scene.limit(approvers=_ids(scene, *roles), quorum=quorum)
    assert answer.status == status
    if status == 400:
        assert [each["field"] for each in answer.body["errors"]] == ["quorum"]
        assert "approvers of the key" in answer.body["detail"]


@pytest.mark.parametrize("approvers", [["AROA0123456789ABCDEF"], [], ["key-duty"], "all"])
def test_no_approvers(scene: InProcessStack, approvers: object) -> None:
    """400 for a role that is not on the stack's list, and for what is no list of roles."""
    answer = scene.limit(approvers=approvers)
    assert (answer.status, {each["field"] for each in answer.body["errors"]}) == (400, {"approvers"})


def test_a_name_is_no_id(scene: InProcessStack) -> None:
    """Who bears the name of an approver's role is no approver: the list holds unique ids."""
    answer = scene.limit(approvers=_ids(scene, IMPOSTOR_ROLE))
    assert [each["field"] for each in answer.body["errors"]] == ["approvers"]


def test_the_keys_document(scene: InProcessStack) -> None:
    """The key's approvers alone change its limits, open or closed; everybody may close it."""
    _reserve(scene, DUTY_ROLE)
    path = f"keys/{scene.key_id}"
    assert _seen(scene, "alice", path)["may_decide"] is False
    assert [each["may_decide"] for each in _seen(scene, "duty", "keys")["items"]] == [True]
    for narrower in ({"max_duration": "PT1H"}, {"approvers": None}):
        answer = scene.limit("alice", **narrower)
        assert (answer.status, answer.body["detail"]) == (403, REFUSED)
        assert scene.call("alice", "PATCH", f"/security/{path}", narrower).status == 403
    shown = _seen(scene, "duty", path)
    again = scene.call("duty", "PUT", f"/security/{path}", {**shown, "max_duration": "PT1H"})
    assert (again.status, again.body["narrowed"], again.body["may_decide"]) == (
        200,
        ["max_duration", "max_continuous"],
        True,
    )
    assert scene.call("alice", "DELETE", f"/security/{path}").status == 204
    assert (scene.limit("alice").status, scene.limit("duty").status) == (403, 201)


def test_widening_them_is_a_vote(scene: InProcessStack) -> None:
    """More approvers, or more requesters, wait for as many votes as anything that widens."""
    _reserve(scene, APPROVER_ROLE, quorum=2, requesters=[scene.grantee("partner")])
    wider: dict[str, Any] = {"approvers": None, "requesters": None, "quorum": 2}
    first = scene.limit("alice", **wider)
    assert (first.status, first.body["widened"]) == (202, ["requesters", "approvers"])
    (waiting,) = scene.call("duty", "GET", f"/security/keys/{scene.key_id}/proposals").body["items"]
    assert (waiting["votes"], waiting["quorum"]) == (1, 2)
    assert scene.limit("duty", **wider).status == 403
    changed = scene.limit("bob", **wider)
    assert (changed.status, changed.body["widened"]) == (200, ["requesters", "approvers"])
    assert scene.submit("partner_colleague", grantee=scene.grantee("partner")).status == 201


def test_approvers_who_are_gone(scene: InProcessStack) -> None:
    """Where too few of a key's approvers are left on the stack's list, the stack's list mends the key.

    It decides on nothing else: the unique id of a deleted role never comes back.
    """
    settings = scene.brokers.broker("approvals").settings
    gone = settings.model_copy(update={"approver_role_ids": tuple(_ids(scene, DUTY_ROLE, REVIEW_ROLE))})
    document = {"key_arn": scene.key_arn, **limits(approvers=_ids(scene, APPROVER_ROLE))}
    key = KeyDocument.model_validate(document)
    assert settings.writers(key).role_ids == set(_ids(scene, APPROVER_ROLE))
    assert gone.writers(key) == gone.team
    assert gone.quorum(key) == Quorum(1, role_ids=frozenset(_ids(scene, APPROVER_ROLE)))
