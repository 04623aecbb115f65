"""CreateGrant fails: what was refused for certain, what nobody knows, and how it goes on."""

from datetime import timedelta
from typing import Any

import pytest

from grant_broker.domain.failures import reason_of
from grant_broker.domain.lifecycle import Action, Status
from grant_broker.domain.records import Stamp
from grant_broker.domain.transitions import activated, ending
from grant_broker.domain.versions import revise
from tests.support.faults import Act, Plan, before, conflict, lost, refused
from tests.support.scene import START, InProcessStack

UNCERTAIN = {
    "throttled": refused("ThrottlingException"),
    "internal error": refused("KMSInternalException", 500),
    "dependency": refused("DependencyTimeoutException", 500),
    "lost answer": lost,
}


@pytest.mark.parametrize(
    "code", ["AccessDeniedException", "LimitExceededException", "DisabledException", "InvalidArnException"]
)
def test_refused(scene: InProcessStack, code: str) -> None:
    """A definite refusal: failed, 409 with KMS's code, looked for once more, alarmed; nothing is repeated."""
    request_id = scene.approved()
    with scene.faults({"CreateGrant": refused(code)}) as calls:
        answer = scene.take_up(request_id)
    detail = f"the request is failed: KMS refused the grant ({code})"
    assert (answer.status, answer.body["detail"], len(calls)) == (409, detail, 1)
    stored = scene.request(request_id)
    assert (stored.status, stored.end_reason) == (Status.FAILED, f"KMS refused: {code}")
    assert (stored.action, stored.due) == (Action.CONFIRM, int((START + timedelta(minutes=5)).timestamp()))
    assert scene.measured("IssueFailures") == scene.measured(f"IssueFailures{reason_of(code)}") == [1]
    assert scene.take_up(request_id).body["detail"] == "the request is failed"


@pytest.mark.parametrize("fault", UNCERTAIN.values(), ids=UNCERTAIN)
def test_nobody_knows(scene: InProcessStack, fault: Any) -> None:
    """Three attempts, then 503 with Retry-After and Location; the request stays issuing."""
    request_id = scene.approved()
    with scene.faults({"CreateGrant": fault}) as calls:
        answer = scene.take_up(request_id)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert answer.headers["Location"] == f"/live/requests/{request_id}"
    assert (scene.status(request_id), len(calls)) == (Status.ISSUING, 3)
    assert len({str(sorted(call.parameters.items(), key=str)) for call in calls}) == 1
    assert len(scene.grants()) == (1 if fault is lost else 0)


@pytest.mark.parametrize("fault", UNCERTAIN.values(), ids=UNCERTAIN)
def test_the_next_attempt_succeeds(scene: InProcessStack, fault: Any) -> None:
    """The same parameters and name: one grant, whatever became of the first attempt."""
    request_id = scene.approved()
    with scene.faults({"CreateGrant": [fault, None]}):
        assert scene.take_up(request_id).status == 201
    [grant] = scene.grants()
    assert scene.request(request_id).grant_id == grant["GrantId"]


@pytest.mark.parametrize(("seconds", "status"), [(0, 503), (3.8, 503), (5, 201), (18, 201), (19.9, 503)])
def test_the_same_call_resumes(scene: InProcessStack, seconds: float, status: int) -> None:
    """Once the first call cannot be waiting for KMS any more, and within 20 s of the intent; not after."""
    request_id = scene.approved()
    with scene.faults({"CreateGrant": lost}):
        assert scene.take_up(request_id).status == 503
    left = scene.request(request_id).intent_at
    assert left is not None
    scene.clock.now = left + timedelta(seconds=seconds + 0.1)
    answer = scene.take_up(request_id)
    assert answer.status == status
    assert len(scene.grants()) == 1
    if status == 201:
        assert answer.body["grant"]["grant_token"]


def test_a_refusal_after_a_lost_answer(scene: InProcessStack) -> None:
    """It does not say what became of the first attempt: nothing is called failed, settle finds the grant."""
    request_id = scene.approved()
    with scene.faults({"CreateGrant": [lost, refused("AccessDeniedException")]}):
        assert scene.take_up(request_id).status == 503
    assert (scene.status(request_id), len(scene.grants())) == (Status.ISSUING, 1)
    scene.clock.sleep(5)
    with scene.faults({"CreateGrant": refused("AccessDeniedException")}):
        assert scene.take_up(request_id).status == 503
    scene.later(60)
    assert scene.status(request_id) == Status.ACTIVE


def test_no_attempt_after_20_s(scene: InProcessStack) -> None:
    """KMS takes its time: what would come too late is not tried at all."""
    request_id = scene.approved()

    def slow(_run: Any) -> Any:
        scene.clock.sleep(11)
        return refused("ThrottlingException")(_run)

    with scene.faults({"CreateGrant": slow}) as calls:
        assert scene.take_up(request_id).status == 503
    assert len(calls) == 2


def test_no_attempt_after_the_expiry(scene: InProcessStack) -> None:
    """Nor is a grant made that would have to end at once."""
    request_id = scene.approved(duration="PT5S")

    def slow(_run: Any) -> Any:
        scene.clock.sleep(6)
        return refused("ThrottlingException")(_run)

    with scene.faults({"CreateGrant": slow}) as calls:
        assert scene.take_up(request_id).status == 503
    assert len(calls) == 1


def test_settled_between_two_attempts(scene: InProcessStack) -> None:
    """The record is read again before each repeat: one that was settled meanwhile is answered as it is."""
    request_id = scene.approved()

    def settled(go_on: Any) -> Any:
        go_on()
        scene.alter(request_id, due={"N": str(int(scene.clock.now.timestamp()))})
        scene.expire(0.5)
        return refused("ThrottlingException")(go_on)

    with scene.faults({"CreateGrant": Act(settled)}):
        answer = scene.take_up(request_id)
    assert (answer.status, answer.body["status"]) == (200, "active")
    assert len(scene.grants()) == 1


@pytest.mark.parametrize("status", ["active", "issuing"])
def test_somebody_wrote_before_the_outcome(scene: InProcessStack, status: str) -> None:
    """Settled while KMS answered: the same grant, 200. Merely claimed: 503, and the grant is found later."""
    request_id = scene.approved()

    def other() -> None:
        store, record = scene.brokers.broker("expiry").store, scene.request(request_id)
        if status == "issuing":
            store.commit(revise(record, {}))
            return
        [grant] = scene.grants()
        stamp = Stamp(scene.clock.now, "expiry", "e" * 32)
        store.commit(activated(record, stamp, grant_id=grant["GrantId"]))

    with scene.meanwhile("TransactWriteItems", other, nth=2):
        answer = scene.take_up(request_id)
    assert answer.status == (200 if status == "active" else 503)
    assert (scene.status(request_id), len(scene.grants())) == (status, 1)
    scene.later(60)
    assert scene.status(request_id) == Status.ACTIVE


def test_the_outcome_moves_on_twice(scene: InProcessStack) -> None:
    """Whoever notes an unwanted grant gives way to a third writer: the grant's name leads to it."""
    request_id = scene.approved()
    store = scene.brokers.broker("expiry").store

    def ended() -> None:
        record, now = scene.request(request_id), scene.clock.now
        store.commit(ending(record, Stamp(now, "x", "e" * 32), Status.EXPIRED, "expired"))

    def touched() -> None:
        store.commit(revise(scene.request(request_id), {}))

    # The commit of the outcome is stale, and so is the note about it.
    plan: Plan = {
        "CreateGrant": [before(ended), None],
        "TransactWriteItems": [None, None, before(touched), None],
    }
    with scene.faults(plan):
        answer = scene.take_up(request_id)
    assert (answer.status, answer.body["detail"]) == (409, "the request is ending")
    assert scene.request(request_id).grant_id is None
    scene.expire(1)
    assert (scene.status(request_id), scene.grants()) == (Status.EXPIRED, [])


WRITES = {
    "throttled": refused("ThrottlingException"),
    "internal error": refused("InternalServerError", 500),
    "conflict": conflict,
}


@pytest.mark.parametrize("fault", WRITES.values(), ids=WRITES)
@pytest.mark.parametrize("nth", [1, 2], ids=["intent", "outcome"])
def test_the_table_does_not_answer(scene: InProcessStack, nth: int, fault: Any) -> None:
    """503 with Location; the intent not stored: nothing at KMS, the outcome not stored: resumed later."""
    request_id = scene.approved()
    with scene.faults({"TransactWriteItems": [*[None] * (nth - 1), fault]}):
        answer = scene.take_up(request_id)
    assert (answer.status, answer.headers["Location"]) == (503, f"/live/requests/{request_id}")
    assert scene.status(request_id) == (Status.APPROVED if nth == 1 else Status.ISSUING)
    assert len(scene.grants()) == nth - 1
    scene.clock.sleep(5)
    assert scene.take_up(request_id).status == 201
    assert len(scene.grants()) == 1


@pytest.mark.parametrize("nth", [1, 2], ids=["intent", "outcome"])
@pytest.mark.parametrize("fault", [conflict, lost], ids=["conflict", "lost answer"])
def test_the_table_s_next_answer(scene: InProcessStack, nth: int, fault: Any) -> None:
    """A conflict is tried again, a write whose answer was lost is recognised: 201, one event each."""
    request_id = scene.approved()
    with scene.faults({"TransactWriteItems": [*[None] * (nth - 1), fault, None]}):
        assert scene.take_up(request_id).status == 201
    assert scene.trail(request_id) == ["submitted", "approved", "issuing", "active"]
    assert len(scene.grants()) == 1
