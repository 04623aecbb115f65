"""An auditor's policy, as the stack puts it out: enough for the auditor's commands, and nothing else."""

import json
import re
import shlex
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from string import Template
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.moto_api._internal.models import moto_api_backend

from grant_broker.aws.clients import Clients
from grant_broker.client.commands import access, audit, audit_search
from grant_broker.client.main import main
from grant_broker.policy_engine import Call, decide, decide_kms
from tests.infrastructure.stack import actions, deployed, key_policy, template
from tests.infrastructure.test_roles import resources
from tests.local_stack.deployment import STACK
from tests.support.documents import page
from tests.support.scene import InProcessStack

READS = {
    "key": "GetKeyLastUsage GetKeyPolicy ListGrants ListKeyPolicies",
    "requests": "Query",
    "requests/index/by_kind": "Query",
    "approvals": "Query",
    "approvals/index/by_kind": "Query",
    "stack": "DescribeStacks",
}
_ATTRIBUTES = ["Condition", "ForAllValues:StringEquals", "dynamodb:Attributes"]
# What a query that names attributes tells of itself.
_NAMING = {"dynamodb:Select": "SPECIFIC_ATTRIBUTES", "dynamodb:Attributes": ["pk", "sk", "hash"]}
Run = Callable[[dict[str, Any]], list[tuple[int, str]]]


@pytest.fixture(scope="module")
def scene() -> Iterator[InProcessStack]:
    """A stack with trails of a request, a key, a check and a standing approval."""
    deployed()  # first, since it empties moto's tables
    made = InProcessStack.deploy()
    made.reset()
    made.active()
    assert made.approve_ahead().status == 201
    yield made
    moto_api_backend.reset()


@pytest.fixture
def run(scene: InProcessStack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Exit code and output of each of an auditor's commands for a role with this policy and no other."""
    cloud, names = scene.deployment.cloud, iter(range(1_000))

    def ran(policy: dict[str, Any]) -> list[tuple[int, str]]:
        arn = cloud.create_role(f"auditor-{next(names)}", [policy])
        aws = Clients(cloud.session(cloud.session_for(arn, "auditor")).client)
        monkeypatch.setattr(audit, "clients", lambda: aws)
        monkeypatch.setattr(audit_search, "clients", lambda: aws)
        monkeypatch.setattr(access, "Clients", lambda _: aws)
        commands = (
            ["audit", "export", "--stack", STACK],
            ["audit", "verify", "--stack", STACK],
            ["audit", "search", "--stack", STACK],
            ["access", scene.key_arn, "--from-kms", "--stack", STACK],
        )
        return [(main(command), capsys.readouterr().out) for command in commands]

    return ran


def _policy(scene: InProcessStack) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(scene.deployment.template.outputs()["AuditorPolicy"])
    return found


def _without_each_part(policy: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The policy without one statement, and without one action, resource or attribute of a statement."""
    for place, statement in enumerate(policy["Statement"]):
        less = deepcopy(policy)
        del less["Statement"][place]
        yield statement["Sid"], less
        for path in (["Action"], ["Resource"], _ATTRIBUTES):
            for one in _part(statement, path):
                less = deepcopy(policy)
                _part(less["Statement"][place], path).remove(one)
                yield f"{statement['Sid']} {one}", less


def _part(statement: dict[str, Any], path: list[str]) -> list[str]:
    """A list in a statement; empty where there is one value or none."""
    found: Any = statement
    for name in path:
        found = found.get(name, {})
    return found if isinstance(found, list) else []


def test_it_suffices(scene: InProcessStack, run: Run) -> None:
    """With it an auditor exports and verifies every trail with its head, and reads who can use a key."""
    exported, verified, found, access_report = run(_policy(scene))
    assert [code for code, _ in (exported, verified, found, access_report)] == [0, 0, 0, 0]
    assert json.loads(found[1])["status"] == "active"
    lines = [json.loads(line) for line in exported[1].splitlines()]
    heads = {line["subject"].partition("#")[0] for line in lines if "head" in line}
    assert {"request", "key", "approval"} <= heads
    assert " 0 broken" in verified[1]
    assert "DataReaderRole" in access_report[1]
    assert "partner-application" in access_report[1]
    assert "unreadable" not in access_report[1]


def test_the_page_s_lines(
    scene: InProcessStack,
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What the auditors' page tells them to say works with that policy alone."""
    run(_policy(scene))  # from here on the commands' clients are that auditor's
    monkeypatch.chdir(tmp_path)
    [block] = re.findall(r"^```bash\n(.*?)^```", page("auditor"), re.MULTILINE | re.DOTALL)
    for line in Template(block).substitute(STACK=STACK, KEY=scene.key_arn).splitlines():
        words, _, file = line.partition(" > ")
        assert main(shlex.split(words)[1:]) == 0
        said = capsys.readouterr().out
        Path(file or "said").write_text(said)
    assert " 0 broken" in Path("said").read_text()
    assert json.loads(Path("access.json").read_text())["items"]


def test_each_part_of_it_is_needed(scene: InProcessStack, run: Run) -> None:
    """Without any statement, or any action of one, a command fails or tells less."""
    whole = run(_policy(scene))
    less = {name: run(policy) for name, policy in _without_each_part(_policy(scene))}
    assert len(less) == 11 + 33
    assert [name for name, told in less.items() if told == whole] == []
    # Never told as a breach, which is exit code 1 of `verify`.
    assert {code for told in less.values() for code, _ in told[:3]} == {0, 2}


def test_it_reads_no_token(scene: InProcessStack) -> None:
    """A live grant's token lies beside the trail: not by its item, nor by a query of any kind."""
    [request] = [item for item in scene.stored() if "grant_token" in item]
    cloud, table = scene.deployment.cloud, scene.deployment.request_table
    arn = cloud.create_role("auditor-and-no-more", [_policy(scene)])
    dynamodb = cloud.session(cloud.session_for(arn, "auditor")).client("dynamodb")
    key, tables = {"pk": request["pk"], "sk": request["sk"]}, {"TableName": table}
    subject: dict[str, Any] = {
        **tables, "KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": request["pk"]},
    }  # fmt: skip
    of_kind: dict[str, Any] = {
        **tables, "IndexName": "by_kind", "KeyConditionExpression": "kind = :kind",
        "ExpressionAttributeValues": {":kind": {"S": "request"}},
    }  # fmt: skip
    seen = dynamodb.query(**subject, ProjectionExpression="pk, last_hash")["Items"]
    assert {"pk": request["pk"], "last_hash": request["last_hash"]} in seen
    renamed = {"ProjectionExpression": "pk, #t", "ExpressionAttributeNames": {"#t": "grant_token"}}
    guess = {**subject["ExpressionAttributeValues"], ":begin": {"S": "g"}}
    guessed = {"ExpressionAttributeValues": guess, "FilterExpression": "begins_with(grant_token, :begin)"}
    refused: list[tuple[str, dict[str, Any]]] = [
        ("get_item", {**tables, "Key": key}),
        ("get_item", {**tables, "Key": key, "ProjectionExpression": "grant_token"}),
        ("batch_get_item", {"RequestItems": {table: {"Keys": [key]}}}),
        ("transact_get_items", {"TransactItems": [{"Get": {**tables, "Key": key}}]}),
        ("scan", tables),
        ("query", subject),
        ("query", {**subject, "ProjectionExpression": "pk, grant_token"}),
        ("query", {**subject, **renamed}),
        ("query", {**subject, "Select": "ALL_ATTRIBUTES"}),
        ("query", {**subject, "ProjectionExpression": "pk", **guessed}),
        ("query", of_kind),
        ("query", {**of_kind, "ProjectionExpression": "grant_token"}),
    ]
    for operation, parameters in refused:
        with pytest.raises(ClientError, match="AccessDeniedException"):
            getattr(dynamodb, operation)(**parameters)


def test_it_allows_reads_alone() -> None:
    """Of every action on everything in the stack it allows the reads that the commands need."""
    policy = json.loads(deployed().template.outputs()["AuditorPolicy"])
    # IAM's one call for all roles and users is of no resource.
    identities = {name for name in resources() if name == "everything" or name.startswith("role ")}
    assert _allowed([policy]) == {**READS, **dict.fromkeys(identities, "GetAccountAuthorizationDetails")}


def test_an_operator_s_key_is_read_through_dynamodb_alone() -> None:
    """Where the tables have a key of the operator's, it decrypts for DynamoDB's reads and nothing else."""
    key = "arn:aws:kms:eu-central-1:111122223333:key/0d0d0d0d-0000-0000-0000-000000000000"
    keyed, plain = template(DataKeyArn=key), template()
    added = json.loads(keyed.outputs()["AuditorPolicy"])["Statement"]
    statements = json.loads(plain.outputs()["AuditorPolicy"])["Statement"]
    assert added[: len(statements)] == statements
    assert added[len(statements) :] == [
        {
            "Sid": "ReadEncrypted", "Effect": "Allow", "Action": "kms:Decrypt", "Resource": key,
            "Condition": {"StringEquals": {"kms:ViaService": "dynamodb.eu-central-1.amazonaws.com"}},
        }
    ]  # fmt: skip


def test_both_tables_are_outputs() -> None:
    """The commands are told the tables' names."""
    outputs = template().outputs()
    for name in ("Request", "Approval"):
        assert outputs[f"{name}TableName"] == template().reference(f"{name}Table", None)


def _allowed(policies: list[dict[str, Any]]) -> dict[str, str]:
    found = {}
    for name, (arn, services) in resources().items():
        names = [action.partition(":")[2] for action in actions(*services) if _may(action, arn, policies)]
        if names:
            found[name] = " ".join(sorted(names))
    return found


def _may(action: str, arn: str, policies: list[dict[str, Any]]) -> bool:
    role = "arn:aws:iam::111122223333:role/auditor"
    context = {"aws:PrincipalArn": role, **(_NAMING if action == "dynamodb:Query" else {})}
    call = Call("arn:aws:sts::111122223333:assumed-role/auditor/a", action, arn, context)
    if ":key/" in arn:
        return decide_kms(call, key_policy=key_policy(), identity_policies=policies, grants=[]).allowed
    return decide(call, identity_policies=policies).allowed
