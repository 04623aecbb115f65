"""What KMS lists of a grant, as the rules read it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from grant_broker.domain.listed_grant import ListedGrant
from grant_broker.domain.scope import ContextMatch

MADE = datetime(2026, 1, 1, tzinfo=UTC)
ID = "0123456789abcdef" * 2
GRANT = ListedGrant(
    grant_id="g1",
    key_arn="arn:aws:kms:eu-central-1:111122223333:key/0d0e",
    name=f"grant-broker/{ID}/1767268800",
    grantee="arn:aws:iam::444455556666:role/partner",
    retiring_principal="arn:aws:iam::111122223333:role/broker-expiry",
    operations=("Encrypt",),
    constraints={"EncryptionContextSubset": {"tenant": "a"}},
    created_at=MADE,
)


def test_scope() -> None:
    """Operations and one constraint are a scope."""
    assert GRANT.scope is not None
    assert (GRANT.scope.operations, GRANT.scope.encryption_context) == (("Encrypt",), {"tenant": "a"})
    assert GRANT.scope.context_match == ContextMatch.SUBSET


@pytest.mark.parametrize(
    "changes",
    [
        {"constraints": {}},
        {"constraints": {"SourceArn": "arn:aws:rds:eu-central-1:111122223333:db:x"}},
        {"constraints": {"EncryptionContextEquals": {}}},
        {"constraints": {"EncryptionContextEquals": {"a": "b"}, "EncryptionContextSubset": {"a": "b"}}},
        {"operations": ("CreateGrant",)},
        {"operations": ()},
    ],
)
def test_no_scope(changes: dict[str, Any]) -> None:
    """What the broker grants to nobody is no scope."""
    assert replace(GRANT, **changes).scope is None


def test_name() -> None:
    """The name tells request and expiry, and whether it is one of the broker's."""
    assert (GRANT.request_id, GRANT.expiry, GRANT.named_as_ours) == (ID, MADE + timedelta(hours=12), True)
    for name, ours in (("grant-broker/x", True), ("backup", False), ("", False)):
        other = replace(GRANT, name=name)
        assert (other.request_id, other.expiry, other.named_as_ours) == (None, None, ours)


def test_end() -> None:
    """It ends by its name, and no later than the key allows; without a name by what the key allows."""
    assert GRANT.end(24 * 3600) == MADE + timedelta(hours=12)
    assert GRANT.end(3600) == replace(GRANT, name="x").end(3600) == MADE + timedelta(hours=1)


def test_account() -> None:
    """A grantee that was deleted, and a service, have no account."""
    assert GRANT.account == "444455556666"
    assert replace(GRANT, grantee="AROAEXAMPLEEXAMPLE123").account is None
    assert replace(GRANT, grantee="rds.amazonaws.com").account is None
