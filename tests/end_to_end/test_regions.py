"""A key of another Region, over signed HTTP: granted, used and ended there, and nowhere else."""

from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from tests.end_to_end.conftest import Running
from tests.local_aws.cloud import ELSEWHERE
from tests.support.limits import limits

CONTEXT = {"dataset": "elsewhere"}


@pytest.fixture
def key(stack: Running) -> Iterator[str]:
    """A key of the other Region under the founding key's policy, registered, and closed in the end."""
    policy = stack.aws("root", "kms").get_key_policy(KeyId=stack.key)["Policy"]
    arn = str(stack.aws("root", "kms", ELSEWHERE).create_key(Policy=policy)["KeyMetadata"]["Arn"])
    path = f"/security/keys/{arn.rpartition('/')[2]}"
    nowhere = limits(key_arn=arn.replace(ELSEWHERE, "us-east-1"), name="far")
    answer = stack.call("alice", "PUT", path, nowhere)
    assert (answer.status, answer.body["errors"][0]["field"]) == (400, "key_arn")
    assert stack.call("alice", "PUT", path, limits(key_arn=arn, name="far")).status == 201
    yield arn
    assert stack.call("alice", "DELETE", path).status == 204


def encrypts(stack: Running, key: str, **changes: object) -> bool:
    """Whether the partner may encrypt with it, in its Region."""
    given = {"KeyId": key, "Plaintext": b"order", "EncryptionContext": CONTEXT, **changes}
    try:
        stack.aws("partner", "kms", key.split(":")[3]).encrypt(**given)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDeniedException":
            raise
        return False
    return True


def test_a_key_of_another_region(stack: Running, key: str) -> None:
    """Refused before and after, allowed meanwhile with the agreed context; it ends in time by itself."""
    assert not encrypts(stack, key)
    made = stack.granted(key="far", encryption_context=CONTEXT, duration="PT3S")
    assert made["key"] == key
    assert encrypts(stack, key)
    assert not encrypts(stack, key, EncryptionContext={"dataset": "other"})
    assert not encrypts(stack, stack.key)
    stack.until("expired", made)
    assert not encrypts(stack, key)
    assert stack.aws("root", "kms", ELSEWHERE).list_grants(KeyId=key)["Grants"] == []
