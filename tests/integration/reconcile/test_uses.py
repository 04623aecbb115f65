"""Live grants of requests that were used: drift, but for what KMS shows for some minutes after its end."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from grant_broker.domain.lifecycle import Action, Status
from grant_broker.domain.uses import Use
from tests.support.records import (
    ID,
    NOW,
    Scene,
    agenda,
    before_intent,
    grant,
    key,
    request,
    standing,
    votes,
)  # fmt: skip


def _use(scene: Scene, at: datetime, *grant_ids: str) -> None:
    scene.store.database.transact(
        [scene.store.uses.mark(Use(request_id=ID, at=at, grant_ids=grant_ids or ("g1",)))]
    )


@pytest.mark.parametrize("covered", [votes(request()), standing()])
def test_granted_anew_and_forged_to_active(scene: Scene, covered: Any) -> None:
    """Whoever can write records and create grants gets a released request's grant for one run at most."""
    forged = request(grant_id="g2", approval="standing-1" if covered.id == "standing-1" else None)
    scene.put(key(), forged, covered)
    _use(scene, NOW - timedelta(minutes=1))
    assert scene.run(grant(grant_id="g2")).drift == 1
    assert scene.request().status == Status.ENDING
    assert "was used" in str(scene.request().end_reason)


@pytest.mark.parametrize("status", [Status.PENDING, Status.APPROVED])
def test_granted_anew_under_a_restored_record(scene: Scene, status: Status) -> None:
    """It ends apart from the record, which waits on."""
    record = before_intent(status)
    scene.put(key(), record, votes(record))
    _use(scene, NOW - timedelta(hours=1))
    scene.run(grant(grant_id="g2"))
    assert scene.request() == record
    assert scene.request(grant(grant_id="g2").derived_id).status == Status.ENDING


def test_granted_anew_without_a_record(scene: Scene) -> None:
    """An empty request table brings nothing back either."""
    scene.put(key(), votes(request()))
    _use(scene, NOW - timedelta(hours=1))
    scene.run(grant(grant_id="g2"))
    assert scene.request().status == Status.ENDING


@pytest.mark.parametrize("status", [None, Status.APPROVED, Status.ACTIVE, Status.EXPIRED])
def test_shown_for_some_minutes_after_its_end(scene: Scene, status: Status | None) -> None:
    """KMS forgets within minutes: until then that is no drift, nor a reason to adopt or to catch up."""
    ended = {"ended_at": NOW - timedelta(minutes=4, seconds=59), "action": None, "due": None}
    record = request(status=status, **(ended if status == Status.EXPIRED else {})) if status else None
    if status == Status.APPROVED:
        record = before_intent(status)
    scene.put(key(), votes(request()), *([record] if record else []))
    _use(scene, NOW - timedelta(minutes=4, seconds=59))
    assert scene.run(grant()).drift == 0
    assert scene.store.find_request(ID) == record
    scene.now += timedelta(seconds=1)
    assert scene.run(grant()).drift == 1


def test_a_late_duplicate_is_left_to_the_last_look(scene: Scene) -> None:
    """Another grant of the same name is ended by the look that is on the agenda."""
    closed = request(
        status=Status.EXPIRED, ended_at=NOW, **agenda(Action.CONFIRM, NOW + timedelta(minutes=5))
    )
    scene.put(key(), votes(request()), closed.model_copy(update={"grant_id": None}))
    _use(scene, NOW)
    assert scene.run(grant(grant_id="g2", created_at=NOW - timedelta(minutes=1))).drift == 0


def test_a_mark_that_cannot_be_read(scene: Scene) -> None:
    """That it is there says enough."""
    scene.put(key(), request(), votes(request()))
    mark = {"pk": {"S": f"used#{ID}"}, "sk": {"S": "used"}, "at": {"S": "when?"}}
    scene.client.put_item(TableName="approvals", Item=mark)
    scene.run(grant())
    assert scene.request().status == Status.ENDING


def test_a_forged_end_hides_nothing(scene: Scene) -> None:
    """Whoever writes again and again that a grant is about to end has not made it end: it is drift."""
    forged = request(status=Status.ENDING, **agenda(Action.END, NOW + timedelta(minutes=4)))
    scene.put(key(), forged)
    for _ in range(2):
        assert scene.run(grant()).drift == 1
    scene.put(votes(request()))
    assert scene.run(grant()).drift == 0


@pytest.mark.parametrize(
    ("made", "used", "drift"),
    [
        (timedelta(minutes=30), None, 1),
        (timedelta(minutes=30), timedelta(minutes=6), 1),
        (timedelta(minutes=30), timedelta(minutes=4), 1),
        (timedelta(minutes=11), None, 0),
    ],
)
def test_a_record_that_says_that_it_has_just_ended(
    scene: Scene, made: timedelta, used: timedelta | None, drift: int
) -> None:
    """It is believed of a young grant alone, which may have been made late: of others a mark has the ids."""
    forged = request(
        status=Status.EXPIRED, ended_at=NOW, **agenda(Action.CONFIRM, NOW + timedelta(minutes=4))
    )
    scene.put(key(), forged, votes(request()))
    if used:
        _use(scene, NOW - used, "g0")
    assert scene.run(grant(created_at=NOW - made)).drift == drift
    assert scene.request().due == int((NOW if drift else NOW + timedelta(minutes=4)).timestamp())


def test_what_ends_with_its_approval_is_no_drift(scene: Scene) -> None:
    """A standing approval that was withdrawn to end its grants is somebody's word, also while they end."""
    ending = request(status=Status.ENDING, approval="standing-1", **agenda(Action.END, NOW))
    scene.put(key(), ending, standing(withdrawn_at=NOW, revoke_active=True))
    assert scene.run(grant()).drift == 0


def test_ended_apart_and_shown_still(scene: Scene) -> None:
    """Of a grant that had a record apart the mark stands under that record's id."""
    shown = grant(name="backup")
    ended = request(id=shown.derived_id, kms_name="backup", status=Status.REVOKED, ended_at=NOW)
    scene.put(key(), ended)
    assert scene.run(shown).drift == 1
    mark = Use(request_id=ended.id, at=NOW, key_arn=shown.key_arn, grant_ids=(shown.grant_id,))
    scene.store.database.transact([scene.store.uses.mark(mark)])
    assert scene.run(shown).drift == 0


def test_an_approval_of_something_else_hides_nothing(scene: Scene) -> None:
    """Whoever writes into a record that its approval was withdrawn has to name one that covered the grant."""
    other = standing(withdrawn_at=NOW, revoke_active=True, account="666677778888")
    ending = request(status=Status.ENDING, approval="standing-1", **agenda(Action.END, NOW))
    scene.put(key(), ending, other)
    assert scene.run(grant()).drift == 1
