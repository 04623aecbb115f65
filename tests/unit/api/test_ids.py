"""Ids out of a path: what can be nobody's never reaches a table."""

from typing import Any

import pytest

from grant_broker.approvals import standing_approvals as standing
from grant_broker.approvals.broker import ApprovalsBroker
from grant_broker.approvals.settings import ApprovalsSettings
from grant_broker.aws.dynamodb import DynamoDb
from grant_broker.aws.kms import KmsReader
from grant_broker.aws.store import Store
from grant_broker.domain.errors import NotFound
from tests.support.environments import environment
from tests.support.one_kms import one_kms

NOTHING: Any = None
BROKER = ApprovalsBroker(
    settings=ApprovalsSettings.from_environment(environment("approvals")),
    kms=KmsReader(one_kms(NOTHING)),
    store=Store(DynamoDb(NOTHING), request_table="r"),
)


@pytest.mark.parametrize("text", ["", "x" * 3000, "a/b", "a#b", "é", "\ufffd", chr(0xD800), "..", "a b"])
def test_nobody(text: str) -> None:
    """A request or an approval of such an id is not found, in the words for every other; no call is made."""
    with pytest.raises(NotFound, match=r"^there is no such request$"):
        BROKER.store.get_request(text)
    with pytest.raises(NotFound, match=r"^there is no such approval$"):
        standing.get_with_key(BROKER, text)
