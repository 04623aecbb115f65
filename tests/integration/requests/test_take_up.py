"""Taking an approved request up: who may, when, and under which approval and limits."""

from datetime import timedelta
from typing import Any

import pytest

from grant_broker.domain.lifecycle import Status
from grant_broker.domain.versions import revise
from tests.support.faults import before
from tests.support.scene import START, InProcessStack, time


def test_first_201_then_200_with_the_same_grant(scene: InProcessStack) -> None:
    """The time-box starts with the take-up; repeating it is safe, and shows the token to both parties."""
    request_id = scene.approved()
    scene.clock.sleep(3600)
    first = scene.take_up(request_id)
    again = scene.take_up(request_id)
    assert (first.status, again.status) == (201, 200)
    assert first.body["grant"] == again.body["grant"]
    assert first.body["grant"]["grant_token"]
    assert first.body["expires_at"] == time(START + timedelta(hours=3))
    assert len(scene.grants()) == 1
    assert scene.trail(request_id) == ["submitted", "approved", "issuing", "active"]
    assert scene.measured("GrantsIssued") == [1]


def test_a_grant_never_outlasts_what_was_approved(scene: InProcessStack) -> None:
    """Fractions of a second are cut: the grant ends on a whole second, no later than its duration says."""
    request_id = scene.approved(duration="PT1H")
    scene.clock.sleep(0.75)
    assert scene.take_up(request_id).body["expires_at"] == time(START + timedelta(hours=1))


def test_before_its_start(scene: InProcessStack) -> None:
    """409 until `starts_at`, then 201."""
    request_id = scene.approved(starts_at=time(START + timedelta(minutes=5)))
    scene.clock.sleep(299.9)
    early = scene.take_up(request_id)
    assert (early.status, "starts_at" in early.body["detail"]) == (409, True)
    scene.clock.sleep(0.1)
    assert scene.take_up(request_id).status == 201


def test_nobody_takes_it_up(scene: InProcessStack) -> None:
    """409 from take_up_by on, even before the agenda lapses it."""
    request_id = scene.approved()
    scene.clock.now = START + timedelta(days=1)
    late = scene.take_up(request_id)
    assert (late.status, late.body["detail"]) == (
        409,
        "the request is approved, but was not taken up in time",
    )
    scene.expire()
    assert scene.status(request_id) == Status.LAPSED
    assert scene.request(request_id).end_reason == "not taken up in time"


@pytest.mark.parametrize("status", ["pending", "denied", "withdrawn", "ending", "expired"])
def test_the_wrong_state_is_named(scene: InProcessStack, status: str) -> None:
    """409 whose detail names the present status."""
    request_id = scene.pending()
    if status == "denied":
        scene.decide(request_id, verdict="deny", comment="no")
    if status == "withdrawn":
        scene.call("partner", "DELETE", f"/requests/{request_id}")
    if status in {"ending", "expired"}:
        scene.decide(request_id)
        scene.take_up(request_id)
    if status == "ending":
        scene.release(request_id)
    if status == "expired":
        scene.clock.sleep(7200)
        scene.expire()
    answer = scene.take_up(request_id)
    assert (answer.status, answer.body["detail"]) == (409, f"the request is {status}")


def test_a_withdrawn_standing_approval(scene: InProcessStack) -> None:
    """What was withdrawn before the intent cannot be used after it."""
    approval = scene.approve_ahead().body["id"]
    request_id = scene.submit(starts_at=time(START + timedelta(minutes=1))).body["id"]
    scene.call("alice", "DELETE", f"/security/approvals/{approval}")
    scene.clock.sleep(60)
    answer = scene.take_up(request_id)
    assert (answer.status, "withdrawn" in answer.body["detail"]) == (409, True)
    assert scene.grants() == []


def test_votes_that_are_lost(scene: InProcessStack) -> None:
    """What the record says of its approval counts for nothing where there is none."""
    request_id = scene.approved()
    votes = {"pk": {"S": f"request#{request_id}"}, "sk": {"S": "approval"}}
    scene.tables.delete_item(TableName=scene.deployment.approval_table, Key=votes)
    answer = scene.take_up(request_id)
    assert (answer.status, "there is no approval" in answer.body["detail"]) == (409, True)
    assert scene.grants() == []


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"max_duration": "PT1H"}, "at most PT1H"),
        ({"operations": ["GenerateDataKey"]}, "not offered"),
        ({"required_context": {"more": "x"}}, "requires"),
        ({"accounts": ["666677778888"]}, "not open"),
        ({"quorum": 2}, "1 of 2 votes"),
    ],
)
def test_narrower_limits_apply_at_once(scene: InProcessStack, limits: dict[str, Any], words: str) -> None:
    """A request that was approved under wider limits, or by fewer votes, is not issued any more."""
    request_id = scene.approved()
    assert scene.limit(**limits).status == 200
    answer = scene.take_up(request_id)
    assert (answer.status, words in answer.body["detail"]) == (409, True), answer.body
    assert answer.body["detail"].startswith("the request is approved")
    assert scene.grants() == []


def test_wider_limits_widen_nothing_that_was_approved(scene: InProcessStack) -> None:
    """The grant is what was submitted and approved, whatever the key offers by now."""
    request_id = scene.approved(duration="PT2H")
    scene.limit(operations=["Encrypt", "GenerateDataKey", "DescribeKey"], max_duration="PT12H")
    assert scene.take_up(request_id).status == 201
    [grant] = scene.grants()
    assert (grant["Operations"], scene.request(request_id).duration) == (["Encrypt"], 7200)


def test_a_closed_key(scene: InProcessStack) -> None:
    """DELETE narrows at once; a grant that lives already runs to its time."""
    living, waiting = scene.active(), scene.approved()
    scene.call("alice", "DELETE", f"/security/keys/{scene.key_id}")
    assert scene.take_up(waiting).status == 409
    assert scene.take_up(living).status == 200


def _withdraw(scene: InProcessStack) -> Any:
    [approval] = scene.call("alice", "GET", "/security/approvals").body["items"]
    return scene.call("alice", "DELETE", f"/security/approvals/{approval['id']}")


@pytest.mark.parametrize(
    "act",
    [
        _withdraw,
        lambda scene: scene.limit(max_duration="PT1H"),
        lambda scene: scene.call("alice", "DELETE", f"/security/keys/{scene.key_id}"),
    ],
    ids=["approval withdrawn", "limits narrowed", "key closed"],
)
def test_what_changes_between_check_and_intent(scene: InProcessStack, act: Any) -> None:
    """The intent is conditional on the approval and the limits it was checked by: nothing is issued."""
    scene.approve_ahead()
    request_id = scene.submit(starts_at=time(START + timedelta(minutes=1))).body["id"]
    scene.clock.sleep(60)
    with scene.meanwhile("TransactWriteItems", lambda: act(scene)) as others:
        answer = scene.take_up(request_id)
    assert others[0].status in {200, 204}
    assert (answer.status, answer.body["detail"].startswith("the request is approved")) == (409, True)
    assert (scene.grants(), scene.status(request_id)) == ([], Status.APPROVED)


def test_limits_that_move_without_narrowing(scene: InProcessStack) -> None:
    """A change in between that still allows it costs nothing but a second look."""
    request_id = scene.approved()
    with scene.meanwhile("TransactWriteItems", lambda: scene.limit(max_duration="PT12H")):
        assert scene.take_up(request_id).status == 201


def test_two_at_the_same_time(scene: InProcessStack) -> None:
    """One makes the grant; the other gets the same grant, 200."""
    request_id = scene.approved()
    with scene.meanwhile("TransactWriteItems", lambda: scene.take_up(request_id)) as others:
        mine = scene.take_up(request_id)
    assert (others[0].status, mine.status) == (201, 200)
    assert mine.body["grant"] == others[0].body["grant"]
    assert len(scene.grants()) == 1


def test_a_second_while_the_first_is_at_work(scene: InProcessStack) -> None:
    """503 with Retry-After, and one grant."""
    request_id = scene.approved()
    with scene.meanwhile("CreateGrant", lambda: scene.take_up(request_id)) as others:
        assert scene.take_up(request_id).status == 201
    assert (others[0].status, others[0].headers["Retry-After"]) == (503, "5")
    assert others[0].headers["Location"] == f"/live/requests/{request_id}"
    assert len(scene.grants()) == 1


def test_others_keep_coming_first(scene: InProcessStack) -> None:
    """After some attempts the caller is asked to come again: 503, and nothing is issued."""
    request_id = scene.approved()
    broker = scene.brokers.broker("approvals")

    def touch() -> None:
        broker.store.commit(revise(scene.request(request_id), {}))

    with scene.faults({"TransactWriteItems": before(touch)}):
        answer = scene.take_up(request_id)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    assert scene.status(request_id) == Status.APPROVED
