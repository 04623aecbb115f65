"""KMS in two Regions: what is in one is unknown in the other, and the signature says which is meant."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.local_aws.world import HOME, World, naming, policy, root, statement
from tests.local_aws.cloud import ELSEWHERE


@pytest.fixture
def there(world: World) -> str:
    """A key of the other Region with AWS's default policy."""
    return world.cloud.create_key(policy(naming(root(), "kms:*")), region=ELSEWHERE)


def kms_there(world: World, who: Any = None) -> Any:
    """KMS of the other Region, as the home account's root user unless said otherwise."""
    return world.cloud.session(who or world.cloud.root()).client("kms", region_name=ELSEWHERE)


def refusal(call: Any, **given: Any) -> str:
    """The code that a call is refused with."""
    with pytest.raises(ClientError) as refused:
        call(**given)
    return str(refused.value.response["Error"]["Code"])


def test_a_key_is_of_its_region(world: World, there: str) -> None:
    """Described and used in its own Region; by the other's endpoint neither its ARN nor its id is found."""
    assert there.split(":")[3] == ELSEWHERE
    assert kms_there(world).describe_key(KeyId=there)["KeyMetadata"]["Arn"] == there
    assert refusal(world.as_root().describe_key, KeyId=there) == "NotFoundException"
    assert refusal(kms_there(world).describe_key, KeyId=world.key) == "NotFoundException"
    assert [key["KeyArn"] for key in kms_there(world).list_keys()["Keys"]] == [there]


def test_grants_are_listed_where_they_are(world: World, there: str) -> None:
    """ListRetirableGrants shows a Region's own, and a grant is retired by its Region's endpoint alone."""
    at_home = world.grant()
    made = kms_there(world).create_grant(**world.wanted(KeyId=there))["GrantId"]
    for kms, grant_id in ((world.as_root(), at_home), (kms_there(world), made)):
        listed = kms.list_retirable_grants(RetiringPrincipal=world.expiry)["Grants"]
        assert [grant["GrantId"] for grant in listed] == [grant_id]
    assert refusal(world.as_root().revoke_grant, KeyId=there, GrantId=made) == "NotFoundException"
    kms_there(world).revoke_grant(KeyId=there, GrantId=made)
    assert world.cloud.grants(there) == []


def test_policies_may_ask_for_the_region(world: World, there: str) -> None:
    """aws:RequestedRegion is the endpoint's, and IAM's principals are the same in each Region."""
    only = {"StringEquals": {"aws:RequestedRegion": ELSEWHERE}}
    world.cloud.put_role_policies(world.app, [policy(statement("kms:DescribeKey", Condition=only))])
    who = world.cloud.session_for(world.app, "s")
    assert kms_there(world, who).describe_key(KeyId=there)["KeyMetadata"]["AWSAccountId"] == HOME
    assert refusal(world.client(who).describe_key, KeyId=world.key) == "AccessDeniedException"


def test_no_other_service_and_no_third_region(world: World) -> None:
    """A signature for a Region without the service is none: nothing is answered in another's name."""
    session = world.cloud.session(world.cloud.root())
    assert refusal(session.client("kms", region_name="us-east-1").list_keys) == "InvalidSignatureException"
    elsewhere = session.client("dynamodb", region_name=ELSEWHERE)
    assert refusal(elsewhere.list_tables) == "InvalidSignatureException"
