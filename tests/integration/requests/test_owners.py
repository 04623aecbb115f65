"""Whose a request is: the account reads it, its requester's person and its grantee act on it."""

from typing import Any

import pytest

from grant_broker.domain.lifecycle import Status
from tests.support.faults import refused
from tests.support.scene import InProcessStack

ACTIONS = [
    ("DELETE", "/requests/{}", "approved"),
    ("POST", "/requests/{}/grant", "approved"),
    ("DELETE", "/requests/{}/grant", "active"),
]


@pytest.mark.parametrize(("method", "path", "state"), ACTIONS)
def test_a_colleague(scene: InProcessStack, method: str, path: str, state: str) -> None:
    """Another role of the account reads it without the token, and may not touch it: 403."""
    request_id = getattr(scene, state)()
    answer = scene.call("partner_colleague", method, path.format(request_id))
    assert (answer.status, answer.body["code"]) == (403, "not_permitted")
    assert scene.status(request_id) == state


@pytest.mark.parametrize(("method", "path", "state"), [*ACTIONS, ("GET", "/requests/{}", "active")])
def test_another_account(scene: InProcessStack, method: str, path: str, state: str) -> None:
    """404 in the same words as an id that does not exist."""
    request_id = getattr(scene, state)()
    foreign = scene.call("other_partner", method, path.format(request_id))
    unknown = scene.call("other_partner", method, path.format("0" * 32))
    assert (foreign.status, foreign.body) == (404, unknown.body)
    assert scene.status(request_id) == state


@pytest.mark.parametrize(("method", "path", "state"), ACTIONS)
def test_the_grantee(scene: InProcessStack, method: str, path: str, state: str) -> None:
    """A request for another role of the account: that role may act on it too, and sees the token."""
    request_id = scene.approved(grantee=scene.grantee("partner_colleague"))
    if state == "active":
        taken = scene.take_up(request_id, "partner_colleague")
        assert (taken.status, bool(taken.body["grant"]["grant_token"])) == (201, True)
    assert scene.call("partner_colleague", method, path.format(request_id)).status in {200, 201, 202}


def test_another_session_of_the_requester_s_role(scene: InProcessStack) -> None:
    """All sessions of an ordinary role are one person: the session name is the caller's choice."""
    session = scene.deployment.cloud.session_for(scene.grantee("partner"), "tomorrow")
    request_id = scene.active()
    shown = scene.call(session, "GET", f"/requests/{request_id}")
    assert shown.body["grant"]["grant_token"]
    assert scene.release(request_id, session).status == 202


@pytest.mark.parametrize(
    ("who", "shown"), [("partner", True), ("partner_colleague", False)], ids=["requester", "colleague"]
)
def test_who_sees_the_token(scene: InProcessStack, who: str, *, shown: bool) -> None:
    """The token is for the parties alone, in the views of one request, while the grant lives."""
    request_id = scene.active()
    assert bool(_token(scene, request_id, who)) is shown
    listed = scene.call(who, "GET", "/requests").body["items"]
    assert [item["grant"]["grant_token"] for item in listed] == [None]
    released = scene.release(request_id)
    assert released.body["grant"]["grant_token"] is None
    scene.clock.sleep(1)
    scene.expire()
    assert scene.status(request_id) == Status.RELEASED
    assert _token(scene, request_id, who) is None
    assert scene.request(request_id).grant_token is None


def test_the_security_team_sees_no_token(scene: InProcessStack) -> None:
    """Not in any view under /security."""
    request_id = scene.active()
    one = scene.call("alice", "GET", f"/security/requests/{request_id}")
    [listed] = scene.call("alice", "GET", "/security/requests").body["items"]
    assert one.body["grant"]["grant_id"] == listed["grant"]["grant_id"]
    assert one.body["grant"]["grant_token"] is listed["grant"]["grant_token"] is None


@pytest.mark.parametrize("state", ["pending", "approved"])
def test_withdraw(scene: InProcessStack, state: str) -> None:
    """A request without a grant is withdrawn once; then its status is named."""
    request_id = getattr(scene, state)()
    answer = scene.call("partner", "DELETE", f"/requests/{request_id}")
    assert (answer.status, answer.body["status"], answer.body["end_reason"]) == (
        200,
        "withdrawn",
        "withdrawn",
    )
    again = scene.call("partner", "DELETE", f"/requests/{request_id}")
    assert (again.status, again.body["detail"]) == (409, "the request is withdrawn")
    assert scene.request(request_id).due is None


def test_withdraw_an_active_one(scene: InProcessStack) -> None:
    """A live grant is released, not withdrawn."""
    request_id = scene.active()
    answer = scene.call("partner", "DELETE", f"/requests/{request_id}")
    assert (answer.status, answer.body["detail"]) == (409, "the request is active")


def test_release(scene: InProcessStack) -> None:
    """202 while it ends, repeated too; then 409 with the status."""
    request_id = scene.active()
    assert [scene.release(request_id).status for _ in range(2)] == [202, 202]
    assert scene.release(request_id).body["status"] == "ending"
    scene.clock.sleep(1)
    scene.expire()
    answer = scene.release(request_id)
    assert (answer.status, answer.body["detail"]) == (409, "the request is released")
    assert scene.grants() == []


@pytest.mark.parametrize("state", ["pending", "approved"])
def test_release_without_a_grant(scene: InProcessStack, state: str) -> None:
    """There is nothing to release: 409 with the status."""
    answer = scene.release(getattr(scene, state)())
    assert (answer.status, answer.body["detail"]) == (409, f"the request is {state}")


def test_release_while_the_outcome_is_unknown(scene: InProcessStack) -> None:
    """409, since KMS may have the grant or not; and again once that is known."""
    request_id = scene.approved()
    with scene.faults({"CreateGrant": refused("ThrottlingException")}):
        scene.take_up(request_id)
    answer = scene.release(request_id)
    assert (answer.status, answer.body["detail"].partition(":")[0]) == (409, "the request is issuing")
    assert scene.status(request_id) == Status.ISSUING


@pytest.mark.parametrize(
    ("mine", "others", "detail"),
    [
        ("withdraw", "take_up", "the request is active"),
        ("take_up", "withdraw", "the request is withdrawn"),
    ],
)
def test_who_loses_a_race_is_told_the_status(
    scene: InProcessStack, mine: str, others: str, detail: str
) -> None:
    """Of calls that race one wins; the other's 409 names what is there now."""
    request_id = scene.approved()
    acts: dict[str, Any] = {
        "withdraw": lambda: scene.call("partner", "DELETE", f"/requests/{request_id}"),
        "take_up": lambda: scene.take_up(request_id),
    }
    with scene.meanwhile("TransactWriteItems", acts[others]) as results:
        answer = acts[mine]()
    assert results[0].status in {200, 201}
    assert (answer.status, answer.body["detail"]) == (409, detail)


def test_a_request_that_is_gone(scene: InProcessStack) -> None:
    """Where the table was emptied under a call it is told so, and nothing is issued."""
    request_id = scene.approved()

    def empty() -> None:
        for item in scene.stored():
            key = {"pk": item["pk"], "sk": item["sk"]}
            scene.tables.delete_item(TableName=scene.deployment.request_table, Key=key)

    with scene.meanwhile("TransactWriteItems", empty):
        assert scene.take_up(request_id).status == 404
    assert scene.grants() == []


def _token(scene: InProcessStack, request_id: str, who: str) -> Any:
    return scene.call(who, "GET", f"/requests/{request_id}").body["grant"]["grant_token"]
