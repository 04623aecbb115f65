"""`expiry`'s role deleted and recreated: no record says that a grant ended which lives."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from grant_broker.domain.lifecycle import Status
from grant_broker.reconcile.run import Report, reconcile
from tests.support.scene import InProcessStack


@pytest.fixture
def scene(deploy: Callable[..., InProcessStack]) -> InProcessStack:
    """A deployment of its own: a role that is recreated is another one for ever."""
    return deploy()


def recreate(scene: InProcessStack) -> None:
    """Delete the role and create it again with its policies, as who redeploys it by hand."""
    arn = scene.deployment.template.reference("ExpiryRole", "Arn")
    policies = scene.cloud.directory.principals[arn].policies
    scene.cloud.delete_role(arn)
    scene.cloud.create_role(arn.rpartition("/")[2], policies)
    scene.brokers.renew("expiry")


def mend(scene: InProcessStack) -> None:
    """Put the key policy again, so that it names the new role."""
    scene.cloud.put_key_policy(scene.key_arn, scene.key_policy())


def run(scene: InProcessStack) -> Report:
    """Five minutes pass, then reconcile and expiry run."""
    scene.clock.now += timedelta(minutes=5)
    report = reconcile(scene.brokers.broker("reconcile"), lambda: 240.0)
    scene.expire(1)
    return report


def test_nothing_is_closed_while_it_lives(scene: InProcessStack) -> None:
    """It runs to its time; its end fails aloud until the key policy is mended: only then it is closed."""
    request_id = scene.active(duration="PT1H")
    recreate(scene)
    for _ in range(16):
        run(scene)
        assert len(scene.grants()) == 1
        assert not scene.status(request_id).final
    assert scene.measured("GrantsOutOfSight")[-1] == scene.measured("EndFailuresNotPermitted")[-1] == 1
    mend(scene)
    run(scene)
    assert (scene.grants(), scene.status(request_id)) == ([], Status.EXPIRED)


def test_ended_outside(scene: InProcessStack) -> None:
    """A grant that somebody else ended is found gone by its id, and its record is closed."""
    request_id = scene.active(duration="PT4H")
    scene.kms.revoke_grant(KeyId=scene.key_arn, GrantId=scene.grants()[0]["GrantId"])
    assert [run(scene).drift for _ in range(3)] == [0, 0, 1]
    assert scene.status(request_id) == Status.REVOKED
    assert scene.trail(request_id)[-2:] == ["ending", "revoked"]
