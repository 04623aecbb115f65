"""What became of an intent: found, never made, or made late; and the look for a late duplicate."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from grant_broker.domain.lifecycle import Action, Status
from grant_broker.domain.moves import move
from grant_broker.domain.records import Stamp
from grant_broker.domain.request import RequestChanges
from tests.local_aws.answers import AwsError, Response
from tests.support.faults import lost, refused
from tests.support.scene import START, InProcessStack


def _issuing(scene: InProcessStack, fault: Any, **changes: Any) -> str:
    """A request whose CreateGrant met a fault each time."""
    request_id = scene.approved(**changes)
    with scene.faults({"CreateGrant": fault}):
        assert scene.take_up(request_id).status == 503
    assert scene.status(request_id) == Status.ISSUING
    return request_id


def test_found(scene: InProcessStack) -> None:
    """60 s after the intent the grant is found by grantee and exact name: active, to end on time."""
    request_id = _issuing(scene, lost)
    scene.clock.now = START + timedelta(seconds=59)
    scene.expire(0.9)
    assert scene.status(request_id) == Status.ISSUING
    scene.expire(2)
    stored = scene.request(request_id)
    assert (stored.status, stored.action) == (Status.ACTIVE, Action.END)
    assert stored.grant_id == scene.grants()[0]["GrantId"]
    assert stored.due == int((START + timedelta(hours=2)).timestamp())
    shown = scene.take_up(request_id)
    assert (shown.status, shown.body["grant"]["grant_token"]) == (200, None)


def test_never_made(scene: InProcessStack) -> None:
    """Looked for each minute; absent for 5 minutes it has failed, and is looked for once more."""
    request_id = _issuing(scene, refused("ThrottlingException"))
    for _ in range(4):
        scene.later(60)
        assert scene.status(request_id) == Status.ISSUING
    scene.later(62)
    stored = scene.request(request_id)
    assert (stored.status, stored.end_reason) == (Status.FAILED, "KMS never made the grant")
    assert stored.action == Action.CONFIRM
    assert scene.take_up(request_id).body["detail"] == "the request is failed"
    scene.later(310)
    assert scene.request(request_id).action is None


def test_a_duration_shorter_than_the_wait(scene: InProcessStack) -> None:
    """It is settled at its expiry then, and ended in the same second."""
    request_id = _issuing(scene, lost, duration="PT5S")
    scene.expire(7)
    assert (scene.status(request_id), scene.grants()) == (Status.EXPIRED, [])
    assert max(scene.measured("EndLatenessSeconds")) < 2


def test_a_look_that_kms_refuses(scene: InProcessStack) -> None:
    """Nothing is concluded from it: it is tried again, for ever."""
    request_id = _issuing(scene, lost)
    scene.clock.sleep(60)
    with scene.faults({"ListGrants": refused("AccessDeniedException")}):
        for _ in range(9):
            scene.later(60)
    stored = scene.request(request_id)
    assert (stored.status, stored.action) == (Status.ISSUING, Action.SETTLE)
    scene.clock.sleep(300)
    scene.expire(2)
    assert scene.status(request_id) == Status.ACTIVE


def test_a_zombie(scene: InProcessStack) -> None:
    """A CreateGrant that takes effect minutes after its record was closed is ended and told."""
    request_id = _issuing(scene, refused("ThrottlingException"))
    scene.later(301)
    assert scene.status(request_id) == Status.FAILED
    _create_again(scene, request_id)
    scene.later(310)
    assert scene.grants() == []
    assert scene.measured("LateDuplicates") == [1]
    assert scene.trail(request_id)[-1] == "late_duplicate"
    # It is looked for again, since there may be more.
    scene.later(310)
    assert scene.request(request_id).action is None


def test_late_duplicates_of_an_ended_grant(scene: InProcessStack) -> None:
    """All of them, however many carry the name; the status stays what it was."""
    request_id = scene.active(duration="PT10S")
    scene.expire(12)
    assert scene.status(request_id) == Status.EXPIRED
    _create_again(scene, request_id)
    _create_again(scene, request_id, Operations=["DescribeKey"])
    scene.later(310)
    assert (scene.grants(), scene.status(request_id)) == ([], Status.EXPIRED)
    assert scene.measured("LateDuplicates") == [2]


def test_a_duplicate_that_cannot_be_ended(scene: InProcessStack) -> None:
    """It stays on the agenda until it can."""
    request_id = scene.active(duration="PT10S")
    scene.expire(12)
    _create_again(scene, request_id)
    scene.clock.sleep(300)
    with scene.faults({"RetireGrant": [refused("ThrottlingException"), None]}):
        scene.expire(1)
        assert len(scene.grants()) == 1
        scene.expire(5)
    assert scene.grants() == []


@pytest.mark.parametrize("visible", [True, False], ids=["listed at once", "listed late"])
def test_made_while_the_request_was_closed(scene: InProcessStack, *, visible: bool) -> None:
    """Its maker sees that nobody wants it any more: looked for at once, and again 5 minutes later."""
    request_id = scene.approved()

    def closed() -> None:
        store = scene.brokers.broker("expiry").store
        record, now = scene.request(request_id), scene.clock.now
        closed = RequestChanges(ended_at=now, end_reason="never made")
        store.commit(move(record, Status.FAILED, Stamp(now, "expiry", "e" * 32), {}, closed))

    with scene.meanwhile("CreateGrant", closed):
        answer = scene.take_up(request_id)
    assert (answer.status, answer.body["detail"]) == (409, "the request is failed")
    stored = scene.request(request_id)
    assert (stored.action, stored.due) == (Action.CONFIRM, int(START.timestamp()))
    if visible:
        scene.expire(1)
    else:
        with scene.faults({"ListGrants": lambda _run: (200, {}, b'{"Grants":[],"Truncated":false}')}):
            scene.expire(1)
        assert len(scene.grants()) == 1
        scene.later(310)
    assert scene.grants() == []
    assert scene.measured("LateDuplicates") == [1]


def test_ending_while_it_is_made(scene: InProcessStack) -> None:
    """A request that became `ending` before CreateGrant answered takes the grant's id along."""
    request_id = scene.approved()

    def ended() -> None:
        store = scene.brokers.broker("expiry").store
        record, now = scene.request(request_id), scene.clock.now
        later = RequestChanges(action=Action.END, due=int(now.timestamp()) + 60)
        store.commit(move(record, Status.ENDING, Stamp(now, "x", "e" * 32), {}, later))

    with scene.meanwhile("CreateGrant", ended):
        answer = scene.take_up(request_id)
    assert (answer.status, answer.body["detail"]) == (409, "the request is ending")
    stored = scene.request(request_id)
    assert (stored.grant_id, stored.due) == (scene.grants()[0]["GrantId"], int(START.timestamp()))
    scene.expire(1)
    assert (scene.status(request_id), scene.grants()) == (Status.EXPIRED, [])


def test_ending_before_kms_shows_it(scene: InProcessStack) -> None:
    """Without its id the grant is looked for by name, for 5 minutes; one seen later is a late duplicate."""
    request_id = scene.approved()
    with scene.faults({"CreateGrant": refused("ThrottlingException")}):
        scene.take_up(request_id)
    store, record = scene.brokers.broker("expiry").store, scene.request(request_id)
    now = scene.clock.now
    due = RequestChanges(action=Action.END, due=int(now.timestamp()))
    store.commit(move(record, Status.ENDING, Stamp(now, "x", "e" * 32), {}, due))
    scene.expire(1)
    assert scene.status(request_id) == Status.ENDING
    scene.later(300)
    assert scene.status(request_id) == Status.EXPIRED
    _create_again(scene, request_id)
    scene.later(310)
    assert scene.grants() == []


def _create_again(scene: InProcessStack, request_id: str, **changes: Any) -> None:
    """A CreateGrant of the broker's that takes effect only now."""
    record = scene.request(request_id)
    parameters: dict[str, Any] = {
        "KeyId": scene.key_arn, "GranteePrincipal": record.grantee, "Name": record.grant_name,
        "RetiringPrincipal": scene.brokers.broker("expiry").settings.retiring_principal,
        "Operations": list(record.scope.operations), "Constraints": record.scope.constraints,
    }  # fmt: skip
    scene.kms.create_grant(**parameters | changes)


def test_lost_before_it_is_put_off(scene: InProcessStack) -> None:
    """KMS fails, and the table loses the record meanwhile: there is nothing to put off, and no run fails."""
    request_id = scene.active(duration="PT10S")
    scene.clock.sleep(10)

    def lose(_go_on: Callable[[], Response]) -> Response:
        scene.lose(request_id)
        return AwsError("ThrottlingException", "injected").response()

    with scene.faults({"RetireGrant": lose}):
        assert scene.expire(0.5).failed == 1
    assert len(scene.grants()) == 1
