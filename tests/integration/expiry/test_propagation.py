"""Ends under a KMS that learns of grants and of their ends minutes late."""

from datetime import timedelta

import pytest

from grant_broker.domain.lifecycle import Status
from grant_broker.reconcile.run import reconcile
from tests.support.faults import lost
from tests.support.scene import InProcessStack

MINUTES = timedelta(minutes=4)


@pytest.fixture
def slow(scene: InProcessStack) -> InProcessStack:
    """The scene, with a KMS that takes four minutes."""
    scene.spread(MINUTES)
    return scene


def test_released_before_it_has_spread(slow: InProcessStack) -> None:
    """A grant that KMS does not find by its id yet is retired by its token: it is gone, and no duplicate."""
    request_id = slow.active()
    slow.release(request_id)
    with slow.faults({"RetireGrant": [None, None]}) as retired:
        slow.expire(1)
    assert [sorted(call.parameters) for call in retired] == [["GrantId", "KeyId"], ["GrantToken"]]
    assert (slow.status(request_id), slow.grants()) == (Status.RELEASED, [])
    slow.later(310)
    assert slow.measured("LateDuplicates") == []
    assert slow.request(request_id).absent_at == slow.clock.now - timedelta(seconds=1)


@pytest.mark.parametrize("token", [{"S": "forged"}, {"NULL": True}])
def test_no_token_of_kms(scene: InProcessStack, token: dict[str, object]) -> None:
    """A record whose token was forged, or taken out, is closed like any other once its grant is gone."""
    request_id = scene.active()
    scene.alter(request_id, grant_token=token)
    scene.kms.revoke_grant(KeyId=scene.key_arn, GrantId=scene.request(request_id).grant_id)
    scene.release(request_id)
    scene.expire(1)
    assert scene.status(request_id) == Status.RELEASED


def test_revoked_while_its_grant_is_unseen(slow: InProcessStack) -> None:
    """Revoked when CreateGrant's answer was lost and KMS does not list the grant: it ends once it is seen."""
    request_id = slow.approved()
    with slow.faults({"CreateGrant": lost}):
        assert slow.take_up(request_id).status == 503
    assert slow.revoke(request_id).status == 202
    slow.expire(20)
    assert (slow.status(request_id), len(slow.grants())) == (Status.ENDING, 1)
    slow.clock.sleep(MINUTES.total_seconds())
    slow.expire(10)
    assert (slow.status(request_id), slow.grants()) == (Status.REVOKED, [])
    assert slow.measured("EndFailures") == slow.measured("LateDuplicates") == []


def test_revoked_and_never_made(scene: InProcessStack) -> None:
    """Revoked when CreateGrant's answer was lost, and no grant comes to light: closed after five minutes."""
    request_id = scene.approved()
    with scene.faults({"CreateGrant": lost}):
        assert scene.take_up(request_id).status == 503
    scene.kms.revoke_grant(KeyId=scene.key_arn, GrantId=scene.grants()[0]["GrantId"])
    scene.revoke(request_id)
    scene.expire(20)
    assert scene.status(request_id) == Status.ENDING
    scene.clock.sleep(300)
    scene.expire(1)
    assert scene.status(request_id) == Status.REVOKED


def test_ends_that_spread_late(slow: InProcessStack) -> None:
    """Ended on time though KMS lists it for minutes; reconcile takes that for no drift."""
    request_id = slow.active(duration="PT10M")
    slow.clock.sleep(600)
    slow.expire(1)
    assert slow.status(request_id) == Status.EXPIRED
    assert slow.measured("EndLatenessSeconds") == [0.0]
    listed = slow.kms.list_grants(KeyId=slow.key_arn)["Grants"]
    assert len(listed) == 1
    slow.clock.sleep(60)
    reconcile(slow.brokers.broker("reconcile"), lambda: 240.0)
    assert slow.measured("DriftFound") == [0]
    slow.later(250)
    assert slow.request(request_id).absent_at is not None
    assert slow.measured("LateDuplicates") == []
