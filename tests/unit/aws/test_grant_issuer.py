"""CreateGrant: parameters as the API wants them, and what a refusal, a lost answer and a dry run say."""

from typing import Any

import pytest

from grant_broker.aws.grant_issuer import GrantIssuer
from grant_broker.domain.errors import KmsRefused, KmsUncertain
from grant_broker.domain.scope import ContextMatch, Scope
from tests.support.one_kms import one_kms
from tests.support.scripted_client import Script, refusal

KEY = "arn:aws:kms:eu-central-1:111122223333:key/0d0e"
ROLE = "arn:aws:iam::444455556666:role/writer"
GONE = refusal("NotFoundException")


def issuer(*answers: Any) -> tuple[GrantIssuer, Script]:
    """The right to create grants, with KMS answering so, and its client."""
    script = Script(*answers)
    return GrantIssuer(one_kms(script)), script


@pytest.mark.parametrize(
    ("match", "kind"), [("equals", "EncryptionContextEquals"), ("subset", "EncryptionContextSubset")]
)
def test_create(match: str, kind: str) -> None:
    """CreateGrant is asked for exactly the scope, with its name and its retiring principal."""
    calls, script = issuer({"GrantId": "g1", "GrantToken": "token"})
    scope = Scope(
        operations=("Encrypt", "DescribeKey"),
        encryption_context={"a": "b"},
        context_match=ContextMatch(match),
    )
    assert calls.create_grant(key_arn=KEY, grantee=ROLE, retiring_principal="r", scope=scope, name="n") == (
        "g1",
        "token",
    )
    assert script.calls == [
        (
            "create_grant",
            {
                "KeyId": KEY, "GranteePrincipal": ROLE, "RetiringPrincipal": "r", "Name": "n",
                "Operations": ["Encrypt", "DescribeKey"], "Constraints": {kind: {"a": "b"}},
            },
        )
    ]  # fmt: skip


def test_create_on_nothing() -> None:
    """A key that is not there is a refusal of CreateGrant."""
    scope = Scope(operations=("Encrypt",), encryption_context={"a": "b"})
    with pytest.raises(KmsRefused):
        issuer(GONE)[0].create_grant(key_arn=KEY, grantee=ROLE, retiring_principal="r", scope=scope, name="n")


def test_try() -> None:
    """A dry run ends well in one error only; no answer, another refusal and a real grant are told apart."""
    scope = Scope(operations=("Encrypt",), encryption_context={"a": "b"})

    def tried(answer: Any) -> Script:
        calls, script = issuer(answer)
        calls.try_create_grant(key_arn=KEY, grantee=ROLE, retiring_principal="r", scope=scope)
        return script

    assert tried(refusal("DryRunOperationException")).calls[0][1]["DryRun"] is True
    for answer, kind in (
        (refusal("AccessDeniedException"), KmsRefused),
        (refusal("Throttling"), KmsUncertain),
    ):
        with pytest.raises(kind):
            tried(answer)
    with pytest.raises(KmsUncertain):
        tried({"GrantId": "g1", "GrantToken": "t"})
