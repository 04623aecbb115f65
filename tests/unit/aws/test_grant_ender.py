"""RetireGrant and RevokeGrant: what their errors say about the grant."""

from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from grant_broker.aws.grant_ender import GrantEnder
from grant_broker.domain.errors import GrantNotFound, KmsRefused, KmsUncertain
from tests.support.one_kms import one_kms
from tests.support.scripted_client import Script, refusal

KEY = "arn:aws:kms:eu-central-1:111122223333:key/0d0e"
GONE = refusal("NotFoundException")


def ender(*answers: Any) -> tuple[GrantEnder, Script]:
    """The right to end grants, with KMS answering so, and its client."""
    script = Script(*answers)
    return GrantEnder(one_kms(script)), script


def test_end() -> None:
    """A grant is ended by its id on its key."""
    calls, script = ender({})
    calls.retire_grant(key_arn=KEY, grant_id="g1")
    calls.revoke_grant(key_arn=KEY, grant_id="g1")
    assert script.calls == [
        (name, {"KeyId": KEY, "GrantId": "g1"}) for name in ("retire_grant", "revoke_grant")
    ]


def test_end_by_token() -> None:
    """A token names grant and key; the key says in which Region."""
    calls, script = ender({})
    calls.retire_grant_by_token(key_arn=KEY, grant_token="t1")
    assert script.calls == [("retire_grant", {"GrantToken": "t1"})]


@pytest.mark.parametrize("name", ["retire_grant", "revoke_grant"])
def test_end_of_nothing(name: str) -> None:
    """A grant that KMS does not know is told apart from every other refusal."""
    with pytest.raises(GrantNotFound):
        getattr(ender(GONE)[0], name)(key_arn=KEY, grant_id="g1")
    with pytest.raises(KmsRefused) as refused:
        getattr(ender(refusal("AccessDeniedException"))[0], name)(key_arn=KEY, grant_id="g1")
    assert refused.value.code == "AccessDeniedException"
    for lost in (
        refusal("KMSInternalException", 500),
        refusal("ThrottlingException"),
        ReadTimeoutError(endpoint_url="x"),
    ):
        with pytest.raises(KmsUncertain):
            getattr(ender(lost)[0], name)(key_arn=KEY, grant_id="g1")
