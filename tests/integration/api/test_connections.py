"""What the functions that answer callers do in the init phase: connect, and fail nobody."""

import pytest

from grant_broker.api.connections import connect
from tests.support.faults import refused
from tests.support.scene import InProcessStack

ON_LAMBDA = {"AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand"}


@pytest.mark.parametrize("function", ["requests", "approvals"])
def test_both_connections_stand(scene: InProcessStack, function: str) -> None:
    """On Lambda both DynamoDB and KMS have been read before the first call."""
    broker = scene.brokers.handler(function).broker()
    with scene.faults({"dynamodb": [None], "kms": [None]}) as calls:
        connect(broker, ON_LAMBDA)
    assert [(call.service, call.operation) for call in calls] == [
        ("dynamodb", "Query"), ("kms", "GetKeyPolicy"),
    ]  # fmt: skip


@pytest.mark.parametrize(("service", "asked"), [("dynamodb", ["dynamodb"]), ("kms", ["dynamodb", "kms"])])
def test_no_answer_fails_nobody(scene: InProcessStack, service: str, asked: list[str]) -> None:
    """Where a service refuses, the function starts all the same."""
    with scene.faults(
        {"dynamodb": [None], "kms": [None], service: refused("AccessDeniedException")}
    ) as calls:
        connect(scene.brokers.broker("requests"), ON_LAMBDA)
    assert [call.service for call in calls] == asked


def test_a_record_that_nobody_can_read_fails_nobody(scene: InProcessStack) -> None:
    """A poisoned key of the register keeps no function from starting."""
    key = {"pk": {"S": f"key#{scene.key_arn}"}, "sk": {"S": "key"}}
    table = scene.deployment.approval_table
    item = scene.tables.get_item(TableName=table, Key=key)["Item"]
    scene.put(table, item | {"version": {"S": "none"}})
    with scene.faults({"kms": [None]}) as calls:
        connect(scene.brokers.broker("requests"), ON_LAMBDA)
    assert calls == []


def test_elsewhere_nothing_is_called(scene: InProcessStack) -> None:
    """Where no Lambda is being initialised, loading a handler calls nobody."""
    with scene.faults({"dynamodb": [None], "kms": [None]}) as calls:
        connect(scene.brokers.broker("requests"), {})
    assert calls == []
