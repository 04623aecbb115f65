"""Multi-Region keys: a replica has the id and the material of its primary key, and all else for itself."""

import json
from typing import Any

import pytest

from tests.integration.local_aws.test_regions import kms_there, refusal
from tests.integration.local_aws.world import PAIRS, World, naming, policy, root, statement
from tests.local_aws.cloud import ELSEWHERE


@pytest.fixture
def primary(world: World) -> str:
    """A multi-Region primary key with AWS's default policy."""
    return world.cloud.create_key(policy(naming(root(), "kms:*")), MultiRegion=True)


def replicated(world: World, primary: str, **given: Any) -> str:
    """A replica of it in the other Region, made by root."""
    answer = world.as_root().replicate_key(KeyId=primary, ReplicaRegion=ELSEWHERE, **given)
    return str(answer["ReplicaKeyMetadata"]["Arn"])


def test_the_same_material(world: World, primary: str) -> None:
    """What the one encrypts the other decrypts, also after a rotation, under an id that they share."""
    replica = replicated(world, primary)
    assert replica == primary.replace("eu-central-1", ELSEWHERE)
    world.as_root().rotate_key_on_demand(KeyId=primary)
    cipher = world.as_root().encrypt(KeyId=primary, Plaintext=b"data", EncryptionContext=PAIRS)
    read = kms_there(world).decrypt(CiphertextBlob=cipher["CiphertextBlob"], EncryptionContext=PAIRS)
    assert (read["Plaintext"], read["KeyId"]) == (b"data", replica)


def test_what_is_its_own(world: World, primary: str) -> None:
    """Policy, tags, description, state and grants: what is done to the one does not touch the other."""
    own = policy(naming(root(), ["kms:*"], Sid="Own"))
    tags = [{"TagKey": "team", "TagValue": "a"}]
    replica = replicated(world, primary, Policy=json.dumps(own), Tags=tags, Description="there")
    there = kms_there(world)
    assert json.loads(there.get_key_policy(KeyId=replica)["Policy"]) == own
    assert there.list_resource_tags(KeyId=replica)["Tags"] == tags
    made = there.create_grant(**world.wanted(KeyId=replica))["GrantId"]
    assert world.cloud.grants(primary) == []
    world.as_root().disable_key(KeyId=primary)
    assert there.describe_key(KeyId=replica)["KeyMetadata"]["Enabled"]
    assert [grant["GrantId"] for grant in world.cloud.grants(replica)] == [made]


def test_who_is_shown_as_what(world: World, primary: str) -> None:
    """DescribeKey of either names the primary key and all replicas."""
    replica = replicated(world, primary)
    shown = {
        "PrimaryKey": {"Arn": primary, "Region": "eu-central-1"},
        "ReplicaKeys": [{"Arn": replica, "Region": ELSEWHERE}],
    }
    for kms, arn, kind in ((world.as_root(), primary, "PRIMARY"), (kms_there(world), replica, "REPLICA")):
        described = kms.describe_key(KeyId=arn)["KeyMetadata"]["MultiRegionConfiguration"]
        assert described == {"MultiRegionKeyType": kind, **shown}


def test_refused(world: World, primary: str) -> None:
    """Twice in a Region, in its own, in one that is none, of a replica, and of a key of one Region."""
    replica = replicated(world, primary)
    replicate = world.as_root().replicate_key
    assert refusal(replicate, KeyId=primary, ReplicaRegion=ELSEWHERE) == "AlreadyExistsException"
    assert refusal(replicate, KeyId=primary, ReplicaRegion="eu-central-1") == "ValidationException"
    assert refusal(replicate, KeyId=primary, ReplicaRegion="us-east-1") == "ValidationException"
    again = kms_there(world).replicate_key
    assert refusal(again, KeyId=replica, ReplicaRegion="eu-central-1") == "UnsupportedOperationException"
    assert refusal(replicate, KeyId=world.key, ReplicaRegion=ELSEWHERE) == "UnsupportedOperationException"
    world.as_root().disable_key(KeyId=primary)
    assert refusal(replicate, KeyId=primary, ReplicaRegion=ELSEWHERE) == "DisabledException"


def test_both_rights_are_needed(world: World, primary: str) -> None:
    """ReplicateKey on the primary key, by its Region too, and CreateKey in the replica's Region."""
    into = {"StringEquals": {"kms:ReplicaRegion": ELSEWHERE}}
    there = {"StringEquals": {"aws:RequestedRegion": ELSEWHERE}}
    rights = [
        statement(["kms:ReplicateKey", "kms:PutKeyPolicy"], Condition=into),
        statement(["kms:CreateKey", "kms:PutKeyPolicy", "kms:TagResource"], Condition=there),
    ]
    who, tags = world.cloud.session_for(world.app, "s"), [{"TagKey": "team", "TagValue": "a"}]
    given: dict[str, Any] = {"KeyId": primary, "ReplicaRegion": ELSEWHERE, "Tags": tags}
    for some in (rights[:1], rights[1:]):
        world.cloud.put_role_policies(world.app, [policy(*some)])
        assert refusal(world.client(who).replicate_key, **given) == "AccessDeniedException"
    world.cloud.put_role_policies(world.app, [policy(*rights)])
    assert world.client(who).replicate_key(**given)["ReplicaTags"] == tags
