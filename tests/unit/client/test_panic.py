"""What a key's administrator is told to do beyond the broker."""

import json

import pytest

from grant_broker.client.panic import Panic

KEY = "arn:aws:kms:eu-central-1:111122223333:key/0d0e"
ROLE = "arn:aws:iam::444455556666:role/loads/nightly"


def test_accounts_and_principals() -> None:
    """By account, and by role and user whatever the path: no use, and no new grant."""
    found = Panic(KEY, ["444455556666"], [ROLE, "arn:aws:iam::111122223333:user/bob"]).statements
    assert [(each["Sid"], each["Action"], each["Condition"]) for each in found] == [
        (
            "GrantBrokerPanicNoUseByAccounts",
            "kms:*",
            {"StringEquals": {"aws:PrincipalAccount": ["444455556666"]}},
        ),
        (
            "GrantBrokerPanicNoUseByPrincipals",
            "kms:*",
            {
                "ArnLike": {
                    "aws:PrincipalArn": [
                        "arn:aws:iam::111122223333:user/bob",
                        "arn:aws:iam::111122223333:user/*/bob",
                        "arn:aws:iam::444455556666:role/nightly",
                        "arn:aws:iam::444455556666:role/*/nightly",
                    ]
                }
            },
        ),
        (
            "GrantBrokerPanicNoNewGrants",
            "kms:CreateGrant",
            {
                "ArnLike": {
                    "kms:GranteePrincipal": [
                        "arn:aws:iam::444455556666:*",
                        "arn:aws:sts::444455556666:*",
                        "arn:aws:iam::111122223333:user/bob",
                        "arn:aws:iam::111122223333:user/*/bob",
                        "arn:aws:iam::444455556666:role/nightly",
                        "arn:aws:iam::444455556666:role/*/nightly",
                        "arn:aws:sts::444455556666:assumed-role/nightly/*",
                    ]
                }
            },
        ),
    ]


def test_merged() -> None:
    """The present statements stay; Denies of an earlier call are replaced; what is no policy is refused."""
    kept = {"Sid": "Administration", "Effect": "Allow"}
    present = {"Version": "2012-10-17", "Statement": kept}
    first = Panic(KEY, ["444455556666"]).merged(json.dumps(present))
    second = json.loads(Panic(KEY, ["666677778888"]).merged(first))
    assert second["Statement"] == [kept, *Panic(KEY, ["666677778888"]).statements]
    for text in ("[]", "{}", "x"):
        with pytest.raises(ValueError, match=r"policy|Expecting"):
            Panic(KEY, ["444455556666"]).merged(text)
