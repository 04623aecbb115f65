"""A request whose grant has ended gets no other, whatever its record says."""

from typing import Any

from grant_broker.domain.lifecycle import Status
from tests.support.scene import InProcessStack


def _restored(scene: InProcessStack, **more: Any) -> str:
    """A request that was taken up and released, its record as it was before the take-up."""
    request_id = scene.approved(**more)
    before = scene.item(request_id)
    assert scene.take_up(request_id).status == 201
    scene.release(request_id)
    scene.expire(2)
    assert scene.status(request_id) == Status.RELEASED
    scene.put(scene.deployment.request_table, before)
    return request_id


def test_a_restored_record_is_not_taken_up_again(scene: InProcessStack) -> None:
    """409, and no grant."""
    request_id = _restored(scene)
    answer = scene.take_up(request_id)
    assert (answer.status, answer.body["code"]) == (409, "conflict")
    assert "had its grant" in answer.body["detail"]
    assert (scene.status(request_id), scene.grants()) == (Status.APPROVED, [])


def test_used_while_it_is_taken_up(scene: InProcessStack) -> None:
    """The transaction that stores the intent checks it, too: what was read before may be old."""
    request_id = scene.approved()
    use = {"pk": {"S": f"used#{request_id}"}, "sk": {"S": "used"}}
    with scene.meanwhile("TransactWriteItems", lambda: scene.put(scene.deployment.approval_table, use)):
        answer = scene.take_up(request_id)
    assert answer.status == 409
    assert "had its grant" in answer.body["detail"]
    assert (scene.status(request_id), scene.grants()) == (Status.APPROVED, [])


def test_a_repeated_submission_with_its_record_lost(scene: InProcessStack) -> None:
    """The same Idempotency-Key leads to the same id, which a standing approval covers once only."""
    assert scene.approve_ahead().status == 201
    first = scene.submit(once="load-1")
    assert first.body["status"] == "active"
    scene.release(first.body["id"])
    scene.expire(2)
    for item in scene.stored():
        scene.tables.delete_item(
            TableName=scene.deployment.request_table, Key={"pk": item["pk"], "sk": item["sk"]}
        )
    assert scene.submit(once="load-1").status == 409
    assert scene.grants() == []
    assert scene.submit(once="load-2").body["status"] == "active"
