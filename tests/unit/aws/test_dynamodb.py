"""DynamoDB: what each answer means, and what is tried again."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ParamValidationError, ReadTimeoutError

from grant_broker.aws.dynamodb import DynamoDb, Query
from grant_broker.domain.errors import BrokerError, DatabaseRefused, Stale, Unavailable
from tests.support.scripted_client import Script, cancelled, refusal

CHECK: Any = {"ConditionCheck": {"TableName": "t"}}
Call = Callable[[DynamoDb], object]


def database(*answers: Any) -> tuple[DynamoDb, Script, list[float]]:
    """A database that answers so, its client and its pauses."""
    script, pauses = Script(*answers), list[float]()
    return DynamoDb(script, sleep=pauses.append), script, pauses  # type: ignore[arg-type]


def within(pauses: list[float], *wholes: float) -> bool:
    """Whether each pause lies between half of its whole and all of it."""
    return all(whole / 2 <= pause <= whole for pause, whole in zip(pauses, wholes, strict=True))


def test_get() -> None:
    """An item is read consistently; numbers are whole; none is None."""
    reads, script, _ = database({"Item": {"pk": {"S": "a"}, "n": {"N": "5"}, "l": {"L": [{"N": "1"}]}}}, {})
    assert reads.get("t", "a", "b") == {"pk": "a", "n": 5, "l": [1]}
    assert type((reads.get("t", "a", "b") or {"n": 5})["n"]) is int
    key = {"pk": {"S": "a"}, "sk": {"S": "b"}}
    assert script.calls[0] == ("get_item", {"TableName": "t", "Key": key, "ConsistentRead": True})
    assert reads.get("t", "a", "b") is None


def test_pages() -> None:
    """A query goes on where the page before it ended; what is None is not asked."""
    last = {"pk": {"S": "a"}}
    reads, script, _ = database(
        {"Items": [{"pk": {"S": "a"}}], "LastEvaluatedKey": last},
        {"Items": []},
        {"Items": [{"pk": {"S": "b"}}]},
    )
    items = reads.query(Query(table="t", condition="pk = :pk", values={":pk": "a"}))
    assert list(items) == [{"pk": "a"}]
    assert [call[1].get("ExclusiveStartKey") for call in script.calls] == [None, last]
    assert "Limit" not in script.calls[0][1]
    assert script.calls[0][1]["ExpressionAttributeValues"] == {":pk": {"S": "a"}}
    page = reads.rows(Query(table="t", condition="pk = :pk", values={":pk": "b"}))
    assert (page.items, page.last) == ([{"pk": "b"}], None)


def test_conflict() -> None:
    """A conflict with another transaction had no effect: it is tried again, after a pause."""
    writes, script, pauses = database(
        cancelled("None", "TransactionConflict"), refusal("TransactionConflictException"), {}
    )
    writes.transact([CHECK])
    assert [call[0] for call in script.calls] == ["transact_write_items"] * 3
    assert len(pauses) == 2
    assert within(pauses, 0.02, 0.04)


def test_update_in_conflict() -> None:
    """An update that meets a transaction is tried again as well."""
    writes, _, pauses = database(refusal("TransactionConflictException"), {"Attributes": {"n": {"N": "1"}}})
    found = writes.update("t", "a", "b", values={":n": 1}, expression="ADD n :n")
    assert (found, len(pauses)) == ({"n": 1}, 1)


def test_conflict_after_conflict() -> None:
    """What stays held is unavailable, not stale: nothing was written, and the caller may try again."""
    writings: list[Call] = [
        lambda it: it.transact([CHECK]),
        lambda it: it.update("t", "a", "b", expression="ADD n :n", values={}),
    ]
    for write in writings:
        writes, script, pauses = database(refusal("TransactionConflictException"))
        with pytest.raises(Unavailable, match="another change"):
            write(writes)
        assert (len(script.calls), len(pauses)) == (6, 6)


@pytest.mark.parametrize(
    "reasons", [("ConditionalCheckFailed",), ("TransactionConflict", "ConditionalCheckFailed")]
)
def test_stale(reasons: tuple[str, ...]) -> None:
    """A condition that failed is stale at once, whatever else failed beside it."""
    writes, script, _ = database(cancelled(*reasons))
    with pytest.raises(Stale):
        writes.transact([CHECK])
    assert len(script.calls) == 1
    writes, _, _ = database(refusal("ConditionalCheckFailedException"))
    with pytest.raises(Stale):
        writes.update("t", "a", "b", expression="ADD n :n", values={})


@pytest.mark.parametrize(
    "error",
    [
        cancelled("ThrottlingError"), cancelled("ProvisionedThroughputExceeded"), cancelled(),
        refusal("TransactionCanceledException"), refusal("ThrottlingException"),
        refusal("RequestLimitExceeded"),
        refusal("ProvisionedThroughputExceededException"), refusal("InternalServerError", 500),
        refusal("Whatever", 503), refusal("TransactionInProgressException"), refusal("ExpiredTokenException"),
        ReadTimeoutError(endpoint_url="https://dynamodb"),
    ],
)  # fmt: skip
def test_nobody_knows(error: Exception) -> None:
    """A throttle, a server's error and a lost answer are unavailable: the outcome is not known."""
    calls: list[Call] = [lambda it: it.transact([CHECK]), lambda it: it.get("t", "a", "b")]
    for call in calls:
        asked, script, _ = database(error)
        with pytest.raises(Unavailable):
            call(asked)
        assert len(script.calls) == 1


@pytest.mark.parametrize(
    "error",
    [
        cancelled("None", "ValidationError"),
        refusal("ValidationException"),
        refusal("AccessDeniedException"),
        ParamValidationError(report="x"),
    ],
)
def test_defect(error: Exception) -> None:
    """What is wrong with the call itself is no error that a caller is answered, and keeps its cause."""
    asked, _, _ = database(error)
    with pytest.raises(DatabaseRefused) as raised:
        asked.transact([CHECK])
    assert raised.value.__cause__ is error
    assert not isinstance(raised.value, BrokerError)


def test_batches() -> None:
    """What DynamoDB left unread is asked for again; what stays unread is unavailable."""
    left = {"t": {"Keys": [{"pk": {"S": "b"}}]}}
    reads, script, pauses = database(
        {"Responses": {"t": [{"pk": {"S": "a"}}]}, "UnprocessedKeys": left},
        {"Responses": {"t": [{"pk": {"S": "b"}}]}},
    )
    assert reads.get_many("t", [("a", "x"), ("b", "x")]) == [{"pk": "a"}, {"pk": "b"}]
    assert script.calls[1][1]["RequestItems"] == left
    assert within(pauses, 0.02)
    reads, _, pauses = database({"Responses": {}, "UnprocessedKeys": left})
    with pytest.raises(Unavailable, match="busy"):
        reads.get_many("t", [("a", "x")])
    assert within(pauses, 0.02, 0.04, 0.08, 0.16, 0.32, 0.4)
