"""Whom the check of `requests` names: who would really be granted, else somebody who does not exist."""

from typing import Any

import pytest

from tests.local_aws.cloud import AwsCall
from tests.support.unregistered import Scene

PARTNER = "444455556666"
BY_PATH = {"StringLike": {"kms:GranteePrincipal": f"arn:aws:iam::{PARTNER}:role/app/*"}}
WRITER = f"arn:aws:iam::{PARTNER}:role/app/writer"


@pytest.fixture
def scene(unregistered: Scene) -> Scene:
    """The founding scenario, its key registered, and a role under a path."""
    unregistered.cloud.create_role("writer", [], account=PARTNER, path="/app/")
    unregistered.register()
    return unregistered


@pytest.fixture
def named(scene: Scene) -> list[str]:
    """The grantees of every dry run."""
    found: list[str] = []

    def note(call: AwsCall, _run: Any) -> None:
        if call.operation == "CreateGrant" and call.parameters.get("DryRun"):
            found.append(call.parameters["GranteePrincipal"])

    scene.cloud.intercept = note
    return found


def narrow(scene: Scene, conditions: dict[str, Any], sid: str = "Issue") -> None:
    """Put the founding policy with more conditions on one of the broker's statements."""
    policy = scene.policy()
    statements = [
        {**each, "Condition": {**each.get("Condition", {}), **conditions}} if each["Sid"] == sid else each
        for each in policy["Statement"]
    ]
    scene.cloud.put_key_policy(scene.key, {**policy, "Statement": statements})


def result(scene: Scene, function: str = "requests") -> str | None:
    """How the next check of a function comes out."""
    scene.pass_time(hours=1)
    found: dict[str, Any] = {each["function"]: each for each in scene.check()["checks"]}[function]
    outcome: str | None = found["result"]
    return outcome


def test_nobody_is_known_yet(scene: Scene, named: list[str]) -> None:
    """Then a role that does not exist is named: where the policy allows the rest, all is in order."""
    assert result(scene) == "passed"
    assert named == [f"arn:aws:iam::{PARTNER}:role/grant-broker-check"]


def test_no_role_of_the_stack_is_named(scene: Scene, named: list[str]) -> None:
    """Neither before anybody asked nor after: nothing is ever granted to the broker's own roles."""
    result(scene)
    scene.grant()
    result(scene)
    roles = scene.brokers.broker("requests").settings.stack_roles
    assert len(named) > 2
    assert not set(named) & set(roles)


def test_a_policy_narrower_than_ours(scene: Scene) -> None:
    """Grantees under a path, as AWS advises: it fails no check, and refuses nobody who is under it."""
    narrow(scene, BY_PATH)
    assert result(scene) is None
    assert scene.security("GET", "/check").body["grantable"] is None
    assert scene.grant(grantee=WRITER).body["status"] == "active"
    assert result(scene) == "passed"
    assert scene.submit().status == 201
    assert result(scene) == "passed"


def test_a_policy_that_left_its_last_grantee_behind(scene: Scene) -> None:
    """Narrowed after somebody was granted, it leaves nothing certain: whoever fits may still ask."""
    assert scene.grant().body["status"] == "active"
    narrow(scene, BY_PATH)
    assert result(scene) is None
    assert scene.grant(grantee=WRITER).body["status"] == "active"
    assert result(scene) == "passed"


def test_a_policy_for_fewer_operations(scene: Scene) -> None:
    """What nobody asks for may be refused: what was granted is tried as it was granted."""
    narrow(scene, {"ForAllValues:StringEquals": {"kms:GrantOperations": ["Encrypt"]}})
    assert result(scene) is None
    assert scene.grant().body["status"] == "active"
    assert result(scene) == "passed"


def test_a_condition_that_nobody_here_can_judge(scene: Scene) -> None:
    """An organisation's id, say: it is no reason to fail, for either function."""
    organisation = {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}
    narrow(scene, organisation, "End")
    assert result(scene, "expiry") is None
    narrow(scene, organisation)
    assert result(scene) is None


@pytest.mark.parametrize(
    "conditions",
    [
        {"StringEquals": {"kms:RetiringPrincipal": "arn:aws:iam::111122223333:role/another-expiry"}},
        {"StringEquals": {"kms:ViaService": "ec2.eu-central-1.amazonaws.com"}},
        {"Bool": {"kms:GrantIsForAWSResource": "true"}},
    ],
    ids=["another stack's", "for a service", "for a resource of AWS"],
)
def test_a_policy_that_lets_no_grant_of_ours_through(scene: Scene, conditions: dict[str, Any]) -> None:
    """What is certain of every grant of ours fails the check, whoever the grantee is."""
    narrow(scene, conditions)
    assert result(scene) == "failed"
    assert scene.submit().status == 409


def test_from_failed_to_unknown(scene: Scene) -> None:
    """A key that fails no more is told, even where it is not known to pass."""
    scene.put_policy_without("Issue")
    assert result(scene) == "failed"
    narrow(scene, BY_PATH)
    assert result(scene) is None
    trail = scene.brokers.broker("approvals").store.get_trail(f"check#requests#{scene.key}")
    assert [event.type for event in trail] == ["check_failed", "check_unknown"]
    assert scene.submit(grantee=WRITER).status == 201


def test_a_grantee_that_was_deleted(scene: Scene, named: list[str]) -> None:
    """KMS's objection to the grantee alone says nothing of the key."""
    assert scene.grant(grantee=WRITER).body["status"] == "active"
    scene.cloud.delete_role(WRITER)
    assert result(scene) == "passed"
    assert named[-1] == WRITER


def test_who_asked_for_another_key(scene: Scene, named: list[str]) -> None:
    """Where nobody asked for this one, a grantee of its accounts' other requests is named."""
    scene.grant(grantee=WRITER)
    scene.key = scene.cloud.create_key(scene.policy())
    scene.key_id = scene.key.rpartition("/")[2]
    scene.register(name="another", required_context={"tenant": "${account}"})
    named.clear()
    assert result(scene) == "passed"
    assert named[-1] == WRITER


def test_a_record_that_cannot_be_read(scene: Scene, named: list[str]) -> None:
    """It is left out, and the check goes on with what can be read."""
    scene.grant()
    lost = scene.grant(grantee=WRITER).body["id"]
    tables = scene.cloud.session(scene.cloud.root()).client("dynamodb")
    tables.update_item(
        TableName=scene.deployment.request_table,
        Key={"pk": {"S": f"request#{lost}"}, "sk": {"S": "request"}},
        UpdateExpression="SET #scope = :none",
        ExpressionAttributeNames={"#scope": "scope"},
        ExpressionAttributeValues={":none": {"N": "1"}},
    )
    named.clear()
    assert result(scene) == "passed"
    assert WRITER not in named


def test_a_record_that_names_a_role_of_the_stack(scene: Scene, named: list[str]) -> None:
    """One from before the rule, or forged by `requests` taken over: the check does not name it."""
    forged = scene.grant(grantee=WRITER).body["id"]
    own = scene.brokers.broker("requests").settings.requests_role
    tables = scene.cloud.session(scene.cloud.root()).client("dynamodb")
    tables.update_item(
        TableName=scene.deployment.request_table,
        Key={"pk": {"S": f"request#{forged}"}, "sk": {"S": "request"}},
        UpdateExpression="SET grantee = :own",
        ExpressionAttributeValues={":own": {"S": own}},
    )
    named.clear()
    assert result(scene) == "passed"
    assert named == [f"arn:aws:iam::{PARTNER}:role/grant-broker-check"]


def test_a_key_for_accounts_that_nobody_trusts_any_more(scene_of: Any) -> None:
    """Nobody of theirs can be granted anything, so the home account is asked about."""
    scene = scene_of()
    scene.register()
    broker = scene.brokers.broker("requests")
    untrusting = broker.settings.model_copy(update={"trusted_accounts": ()})
    object.__setattr__(broker, "settings", untrusting)
    seen: list[str] = []

    def note(call: AwsCall, _run: Any) -> None:
        if call.operation == "CreateGrant":
            seen.append(call.parameters["GranteePrincipal"])

    scene.cloud.intercept = note
    assert result(scene) == "passed"
    assert seen[-1] == "arn:aws:iam::111122223333:role/grant-broker-check"
