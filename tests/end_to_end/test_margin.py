"""When access is certain to begin and to be over: margins, and what a request says, over signed HTTP."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from grant_broker.domain.times import parse_time
from tests.end_to_end.conftest import Running
from tests.support.limits import limits

NAME = "early"


@pytest.fixture
def key_arn(stack: Running) -> Iterator[str]:
    """A key whose grants are ended three seconds before they expire; closed after the test."""
    admin = stack.aws("key_admin", "kms")
    policy = admin.get_key_policy(KeyId=stack.key, PolicyName="default")["Policy"]
    arn = str(admin.create_key(Policy=policy)["KeyMetadata"]["Arn"])
    path = f"/security/keys/{arn.rpartition('/')[2]}"
    assert stack.call("alice", "PUT", path, limits(name=NAME, margin="PT3S")).status == 201
    yield arn
    assert stack.call("alice", "DELETE", path).status == 204


def test_over_before_it_expires(stack: Running, key_arn: str) -> None:
    """Its token works at once; it says from when on it works without, and from when on it surely does not."""
    request = stack.granted(key=NAME, duration="PT5S")
    grant, kms = request["grant"], stack.aws("partner", "kms")
    given = {"KeyId": key_arn, "Plaintext": b"x", "EncryptionContext": request["encryption_context"]}
    assert kms.encrypt(**given, GrantTokens=[grant["grant_token"]])
    issued, expires = parse_time(grant["issued_at"]), parse_time(grant["expires_at"])
    assert parse_time(grant["spread_by"]) == issued + timedelta(minutes=5)
    assert parse_time(grant["ends_at"]) == expires - timedelta(seconds=3)
    over = stack.until("expired", request)
    ended = parse_time(over["ended_at"])
    assert expires - timedelta(seconds=3) <= ended < expires
    assert parse_time(over["safe_after"]) == ended + timedelta(minutes=5)
    with pytest.raises(ClientError, match="AccessDenied"):
        kms.encrypt(**given)
