"""Whose partitions are whose: what decides over a role is written where that role cannot write."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.moto_api._internal.models import moto_api_backend

from tests.infrastructure.stack import NOW, ROLES, call, decided, deployed
from tests.local_aws.cloud import Cloud
from tests.local_stack.deployment import Deployment

SAID = ("request#1", "approval#1", "key#arn", "key_id#1", "name#a", "block#all", "Used#1", "used")
# Table and partition: the roles that write there. What is not here, any role writes that writes the table.
OWNERS: dict[tuple[str, str], set[str]] = {
    # How fast grants may end, and which run may end them.
    ("requests", "rate#retire#1893456000"): {"expiry"},
    ("requests", "rate#lease"): {"expiry"},
    ("requests", "rate#lease#eu-west-1"): {"expiry"},
    # Where reconcile goes on.
    ("requests", "reconcile#place"): {"reconcile"},
    ("requests", "reconcile#grants#eu-west-1"): {"reconcile"},
    ("requests", "limit#444455556666#31556736"): {"requests"},
    ("requests", "check#requests#arn:aws:kms:eu-central-1:111122223333:key/1"): {"requests", "approvals"},
    ("requests", "check#expiry#arn:aws:kms:eu-central-1:111122223333:key/1"): {"expiry", "approvals"},
    ("requests", "request#1"): {"requests", "approvals", "expiry", "reconcile"},
    # That a request's grant has ended, so that nothing covers another one.
    ("approvals", "used#1"): {"expiry"},
    # Votes, standing approvals, limits and what else the security team says.
    **{("approvals", name): {"approvals"} for name in SAID},
}
# What a transaction of a role holds besides, in the same table: under a reading of AWS by which each item is
# decided by all keys of its table, it must still go through.
_BESIDES = {"requests": ["request#1"], "approvals": []}


@pytest.fixture(scope="module")
def stack() -> Iterator[Deployment]:
    """The deployed template with its tables."""
    deployed()  # only one stack at a time has tables
    yield Deployment.create(Cloud(lambda: NOW))
    moto_api_backend.reset()


def _writers(writes: Any, table: str, partition: str) -> set[str]:
    found, name = set(), deployed().template.reference(f"{table[:-1].title()}Table", None)
    for role in ROLES:
        try:
            writes(role, name, {"pk": {"S": partition}, "sk": {"S": "x"}})
        except ClientError as error:
            assert error.response["Error"]["Code"] == "AccessDeniedException"  # noqa: PT017 - others are none
        else:
            found.add(role)
    return found


@pytest.mark.parametrize(("table", "partition"), OWNERS)
def test_only_its_owners_write_a_partition(stack: Deployment, table: str, partition: str) -> None:
    """By a PutItem and by a transaction: with the credentials of each function's role, as if taken over."""
    clients = {role: stack.cloud.session(stack.credentials(role)).client("dynamodb") for role in ROLES}

    def put(role: str, name: str, item: dict[str, Any]) -> None:
        clients[role].put_item(TableName=name, Item=item)

    def transact(role: str, name: str, item: dict[str, Any]) -> None:
        clients[role].transact_write_items(TransactItems=[{"Put": {"TableName": name, "Item": item}}])

    assert _writers(put, table, partition) == OWNERS[table, partition]
    assert _writers(transact, table, partition) == OWNERS[table, partition]


@pytest.mark.parametrize(("table", "partition"), OWNERS)
@pytest.mark.parametrize("action", ["PutItem", "UpdateItem"])
def test_in_either_reading_of_a_transaction(table: str, partition: str, action: str) -> None:
    """Whether AWS decides an item by its own key or by all keys that the transaction has in its table."""
    arn = deployed().template.reference(f"{table[:-1].title()}Table", "Arn")
    for keys in ([partition], [partition, *_BESIDES[table]]):
        for role in ROLES:
            asked = call(role, f"dynamodb:{action}", arn, **{"dynamodb:LeadingKeys": keys})
            may = role in OWNERS[table, partition] and (action == "PutItem" or _updates(role, partition))
            if action == "UpdateItem" and role == "requests" and keys != [partition]:
                may = False  # counters are no part of any transaction
            assert decided(asked, role).allowed is may, (role, keys)


def _updates(role: str, partition: str) -> bool:
    """Whether a role updates items there in place."""
    own = {"expiry": ("request#", "rate#", "check#"), "requests": ("limit#",)}
    return partition.startswith(own.get(role, ("no role",)))


def test_a_call_that_tells_no_partition_counts_nothing() -> None:
    """A leave for some partitions must not become one for all where AWS tells none."""
    arn = deployed().template.reference("RequestTable", "Arn")
    assert not decided(call("requests", "dynamodb:UpdateItem", arn), "requests").allowed
