"""Replicas of one multi-Region key: kept apart, though KMS gives them one id and one material."""

import json

import pytest
from botocore.exceptions import ClientError

from grant_broker.domain.lifecycle import Status
from tests.local_aws.cloud import ELSEWHERE
from tests.support.scene import InProcessStack

CONTEXT = {"tenant": "a"}


@pytest.fixture
def both(scene: InProcessStack) -> tuple[str, str]:
    """The ARNs of a multi-Region key and of its replica, both registered: `ours` and `ours_there`."""
    policy = scene.key_policy()
    primary = scene.cloud.create_key(policy, MultiRegion=True)
    given = {"KeyId": primary, "ReplicaRegion": ELSEWHERE, "Policy": json.dumps(policy)}
    made = scene.kms.replicate_key(**given)["ReplicaKeyMetadata"]
    key_id = primary.rpartition("/")[2]
    assert scene.limit(key_id=key_id, name="ours").status == 201
    assert scene.limit(key_id=f"{ELSEWHERE}:{key_id}", name="ours_there").status == 201
    return primary, str(made["Arn"])


def encrypts(scene: InProcessStack, key_arn: str) -> bool:
    """Whether the partner may encrypt with it."""
    session = scene.cloud.session(scene.credentials("partner"))
    kms = session.client("kms", region_name=key_arn.split(":")[3])
    try:
        kms.encrypt(KeyId=key_arn, Plaintext=b"data", EncryptionContext=CONTEXT)
    except ClientError:
        return False
    return True


def test_each_is_found_by_its_own_id(scene: InProcessStack, both: tuple[str, str]) -> None:
    """The id alone is the first one's; a Region before it tells them apart, also once both are registered."""
    primary, replica = both
    key_id = primary.rpartition("/")[2]
    paths = {key_id: primary, f"eu-central-1:{key_id}": primary, f"{ELSEWHERE}:{key_id}": replica}
    found = {path: scene.call("bob", "GET", f"/security/keys/{path}").body["key_arn"] for path in paths}
    assert found == paths
    assert scene.call("bob", "DELETE", f"/security/keys/{ELSEWHERE}:{key_id}").status == 204
    assert scene.call("bob", "GET", f"/security/keys/{key_id}").status == 200


def test_a_grant_on_one_is_none_on_the_other(scene: InProcessStack, both: tuple[str, str]) -> None:
    """Asked for, granted and ended for itself, each on its own key."""
    primary, replica = both
    first = scene.active(key="ours")
    assert (encrypts(scene, primary), encrypts(scene, replica)) == (True, False)
    second = scene.active(key="ours_there")
    assert (encrypts(scene, primary), encrypts(scene, replica)) == (True, True)
    scene.release(first)
    scene.expire()
    assert (scene.status(first), scene.status(second)) == (Status.RELEASED, Status.ACTIVE)
    assert (encrypts(scene, primary), encrypts(scene, replica)) == (False, True)
    scene.later(7200)
    assert (scene.status(second), encrypts(scene, replica)) == (Status.EXPIRED, False)
