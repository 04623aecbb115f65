"""The rehearsed deployment: it goes through, and what AWS would refuse is refused there too."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from moto.moto_api._internal.models import moto_api_backend

from tests.infrastructure.making import Account, RefusedError
from tests.infrastructure.rehearsal import ONE, ONE_MORE, Stack, failed_creation, main, rehearse
from tests.infrastructure.stack import NOW
from tests.infrastructure.transformed import Plan, part
from tests.local_aws.cloud import Cloud

REMAINING = {
    *("RequestTable", "ApprovalTable", "ExpiryRole", "PartnerDataKey", "FailedEvents"),
    *(f"{name}Logs" for name in ("Requests", "Approvals", "Expiry", "Reconcile", "Events")),
}


@pytest.fixture
def account() -> Iterator[Account]:
    """An account in which nothing stands."""
    moto_api_backend.reset()
    yield Account(Cloud(lambda: NOW))
    moto_api_backend.reset()


@pytest.fixture
def stack(account: Account) -> Stack:
    """A stack that stands whole."""
    made = Stack(account, Plan.of(**ONE))
    list(made.create_all())
    return made


def without(change: Any, **parameters: str) -> Plan:
    """The plan after a change to its resources."""
    plan = Plan.of(**parameters)
    plan.resources.update(deepcopy(plan.resources))
    change(plan.resources)
    return plan


def test_a_whole_life(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    """Created, updated, deleted, recreated with the old tables, and failed without leaving anything."""
    del account
    assert main() == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == list(rehearse_again())
    assert lines[0] == f"Created, {len(Plan.of(**ONE).resources)} resources"
    assert lines[-1] == "  0 resources"


def rehearse_again() -> Iterator[str]:
    """The same rehearsal in an account where nothing stands."""
    moto_api_backend.reset()
    yield from rehearse()


def test_each_resource_is_refused_before_its_wave(account: Account) -> None:
    """Nothing stands a wave before what it lives by."""
    stack = Stack(account, Plan.of(**ONE))
    waves = stack.plan.waves()
    assert [refused for _, refused in stack.create_all()] == [*map(len, waves[1:]), 0]


def test_one_trusted_account_more_replaces_nothing_that_holds_records(stack: Stack) -> None:
    """The API is deployed again; two policies and two environments change; tables, roles and keys stay."""
    changed = stack.update(Plan.of(**ONE_MORE))
    deployments = {name for name in changed if name.startswith("ApiDeployment")}
    assert {changed.pop(name) for name in deployments} == {"made", "deleted"}
    assert changed == {
        "Api": "Body",
        "ApiliveStage": "DeploymentId",
        "GranteeFences": "PolicyDocument",
        "PartnerBuses": "PolicyDocument",
        "RequestsFunction": "Environment",
        "ApprovalsFunction": "Environment",
    }


def test_what_a_deleted_stack_leaves(stack: Stack) -> None:
    """Records, logs, lost events, the key, and the role that old grants name; nothing else."""
    names = {made.name: name for name, made in stack.made.items()}
    assert {names[made.name] for made in stack.delete_all()} == REMAINING
    assert {names[name] for name in stack.account.standing} == REMAINING


def test_a_failed_creation_leaves_nothing(account: Account) -> None:
    """With default answers; with the tables' protection the rollback itself would fail."""
    assert failed_creation(account) == []
    assert account.standing == {}
    with pytest.raises(RefusedError, match="DeletionProtectionEnabled is set to True"):
        failed_creation(account, DeletionProtection="yes")


def test_a_function_without_its_right_to_write_traces_is_refused(account: Account) -> None:
    """Lambda looks at the role's rights when it makes the function."""

    def drop_traces(resources: dict[str, Any]) -> None:
        for policy in resources["ExpiryRole"]["Properties"]["Policies"]:
            statements = policy["PolicyDocument"]["Statement"]
            statements[:] = [each for each in statements if each.get("Sid") != "Trace"]

    with pytest.raises(RefusedError, match="may not xray:PutTraceSegments"):
        list(Stack(account, without(drop_traces)).create_all())


def test_a_source_that_its_function_may_not_read_is_refused(account: Account) -> None:
    """Lambda looks at the role's rights when it connects a stream or a queue."""

    def drop_queue(resources: dict[str, Any]) -> None:
        for policy in resources["EventsRole"]["Properties"]["Policies"]:
            statements = policy["PolicyDocument"]["Statement"]
            statements[:] = [each for each in statements if each.get("Sid") != "GatherMails"]

    with pytest.raises(RefusedError, match="may not sqs:ReceiveMessage"):
        list(Stack(account, without(drop_queue)).create_all())


def test_a_name_that_is_taken_is_refused(stack: Stack) -> None:
    """What an earlier stack left under a name of its own stops the next one."""
    stack.delete_all()
    with pytest.raises(RefusedError, match="already exists"):
        list(Stack(stack.account, Plan.of(**ONE)).create_all())


def test_the_tables_can_be_imported_alone() -> None:
    """A change set of type IMPORT takes what refers to nothing else."""
    document = part(["RequestTable", "ApprovalTable"])
    assert set(document["Resources"]) == {"RequestTable", "ApprovalTable"}
    assert all("DeletionPolicy" in resource for resource in document["Resources"].values())
    with pytest.raises(ValueError, match="RequestsFunction cannot stand alone: "):
        part(["RequestsFunction"])
