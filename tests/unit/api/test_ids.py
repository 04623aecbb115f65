"""Ids out of a path: what can be nobody's never reaches a table."""

import pytest

from grant_broker.approvals import standing_approvals as standing
from grant_broker.approvals import votes as decisions
from grant_broker.aws.dynamodb import DynamoDb
from grant_broker.aws.kms import Kms
from grant_broker.aws.store import Store
from grant_broker.broker import Broker
from grant_broker.domain.errors import NotFound
from grant_broker.settings import Settings

BROKER = Broker(
    settings=Settings(request_table="r"), kms=Kms(None),  # type: ignore[arg-type]
    store=Store(DynamoDb(None), request_table="r", approval_table=""),  # type: ignore[arg-type]
)  # fmt: skip


@pytest.mark.parametrize("text", ["", "x" * 3000, "a/b", "a#b", "é", "\ufffd", chr(0xD800), "..", "a b"])
def test_nobody(text: str) -> None:
    """A request or an approval of such an id is not found, in the words for every other; no call is made."""
    with pytest.raises(NotFound, match=r"^there is no such request$"):
        decisions.found(BROKER, text)
    with pytest.raises(NotFound, match=r"^there is no such approval$"):
        standing.found(BROKER, text)
