"""What a requester is told of a scope that gives less than it seems."""

from typing import Any

import pytest

from grant_broker.domain.scope import Scope
from grant_broker.domain.warnings import warnings

SMALL, UNSIGNED = "Encrypt takes at most 4,096 bytes", "the AWS Encryption SDK's default algorithm suite adds"


def scope(*operations: str, **changes: Any) -> Scope:
    """A scope."""
    return Scope.model_validate({"operations": operations, "encryption_context": {"a": "b"}, **changes})


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (scope("Encrypt"), [SMALL]),
        (scope("Encrypt", "ReEncryptTo", context_match="subset"), [SMALL]),
        (scope("Encrypt", "GenerateDataKey"), [UNSIGNED]),
        (scope("GenerateDataKeyWithoutPlaintext"), [UNSIGNED]),
        (scope("Encrypt", "GenerateDataKey", context_match="subset"), []),
        (scope("GenerateDataKey", encryption_context={"aws-crypto-public-key": "x"}), []),
        (scope("DescribeKey"), []),
        (scope("Decrypt"), []),
    ],
)
def test_by_scope(asked: Scope, told: list[str]) -> None:
    """Encrypt alone is for small data; equals refuses what the Encryption SDK adds by itself."""
    found = warnings(asked, None)
    assert len(found) == len(told)
    assert all(text.startswith(words) for text, words in zip(found, told, strict=True))
