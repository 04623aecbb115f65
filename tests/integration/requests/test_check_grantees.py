"""Whom the check of `requests` names: who would really be granted, else somebody who does not exist."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.local_aws.cloud import AwsCall
from tests.support.scene import InProcessStack

PARTNER = "444455556666"
BY_PATH = {"StringLike": {"kms:GranteePrincipal": f"arn:aws:iam::{PARTNER}:role/app/*"}}
WRITER = f"arn:aws:iam::{PARTNER}:role/app/writer"


@pytest.fixture
def scene(unregistered: InProcessStack) -> InProcessStack:
    """The founding scenario, its key registered, and a role under a path."""
    unregistered.cloud.create_role("writer", [], account=PARTNER, path="/app/")
    unregistered.limit()
    return unregistered


@pytest.fixture
def tried(scene: InProcessStack) -> Iterator[list[AwsCall]]:
    """The dry runs of CreateGrant."""
    with scene.faults(
        {"CreateGrant": [None]}, when=lambda call: bool(call.parameters.get("DryRun"))
    ) as calls:
        yield calls


def named(tried: list[AwsCall]) -> list[str]:
    """Their grantees."""
    return [call.parameters["GranteePrincipal"] for call in tried]


def narrow(scene: InProcessStack, conditions: dict[str, Any], sid: str = "Issue") -> None:
    """Put the founding policy with more conditions on one of the broker's statements."""
    policy = scene.key_policy()
    statements = [
        {**each, "Condition": {**each.get("Condition", {}), **conditions}} if each["Sid"] == sid else each
        for each in policy["Statement"]
    ]
    scene.cloud.put_key_policy(scene.key_arn, {**policy, "Statement": statements})


def result(scene: InProcessStack, function: str = "requests") -> str | None:
    """How the next check of a function comes out."""
    scene.clock.advance(hours=1)
    found: dict[str, Any] = {each["function"]: each for each in scene.check()["checks"]}[function]
    outcome: str | None = found["result"]
    return outcome


def test_nobody_is_known_yet(scene: InProcessStack, tried: list[AwsCall]) -> None:
    """Then a role that does not exist is named: where the policy allows the rest, all is in order."""
    assert result(scene) == "passed"
    assert named(tried) == [f"arn:aws:iam::{PARTNER}:role/grant-broker-check"]


def test_no_role_of_the_stack_is_named(scene: InProcessStack, tried: list[AwsCall]) -> None:
    """Neither before anybody asked nor after: nothing is ever granted to the broker's own roles."""
    result(scene)
    scene.take_up(scene.approved())
    result(scene)
    roles = scene.brokers.broker("requests").settings.stack_roles
    assert len(tried) > 2
    assert not set(named(tried)) & set(roles)


def test_a_policy_narrower_than_ours(scene: InProcessStack) -> None:
    """Grantees under a path, as AWS advises: it fails no check, and refuses nobody who is under it."""
    narrow(scene, BY_PATH)
    assert result(scene) is None
    assert scene.security("GET", "/check").body["grantable"] is None
    assert scene.take_up(scene.approved(grantee=WRITER)).body["status"] == "active"
    assert result(scene) == "passed"
    assert scene.submit().status == 201
    assert result(scene) == "passed"


def test_a_policy_that_left_its_last_grantee_behind(scene: InProcessStack) -> None:
    """Narrowed after somebody was granted, it leaves nothing certain: whoever fits may still ask."""
    assert scene.take_up(scene.approved()).body["status"] == "active"
    narrow(scene, BY_PATH)
    assert result(scene) is None
    assert scene.take_up(scene.approved(grantee=WRITER)).body["status"] == "active"
    assert result(scene) == "passed"


def test_a_policy_for_fewer_operations(scene: InProcessStack) -> None:
    """What nobody asks for may be refused: what was granted is tried as it was granted."""
    narrow(scene, {"ForAllValues:StringEquals": {"kms:GrantOperations": ["Encrypt"]}})
    assert result(scene) is None
    assert scene.take_up(scene.approved()).body["status"] == "active"
    assert result(scene) == "passed"


def test_a_condition_that_nobody_here_can_judge(scene: InProcessStack) -> None:
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
def test_a_policy_that_lets_no_grant_of_ours_through(
    scene: InProcessStack, conditions: dict[str, Any]
) -> None:
    """What is certain of every grant of ours fails the check, whoever the grantee is."""
    narrow(scene, conditions)
    assert result(scene) == "failed"
    assert scene.submit().status == 409


def test_from_failed_to_unknown(scene: InProcessStack) -> None:
    """A key that fails no more is told, even where it is not known to pass."""
    scene.put_policy_without("Issue")
    assert result(scene) == "failed"
    narrow(scene, BY_PATH)
    assert result(scene) is None
    trail = scene.brokers.broker("approvals").store.get_trail(f"check#requests#{scene.key_arn}")
    assert [event.type for event in trail] == ["check_failed", "check_unknown"]
    assert scene.submit(grantee=WRITER).status == 201


def test_a_grantee_that_was_deleted(scene: InProcessStack, tried: list[AwsCall]) -> None:
    """KMS's objection to the grantee alone says nothing of the key."""
    assert scene.take_up(scene.approved(grantee=WRITER)).body["status"] == "active"
    scene.cloud.delete_role(WRITER)
    assert result(scene) == "passed"
    assert named(tried)[-1] == WRITER


def test_who_asked_for_another_key(scene: InProcessStack, tried: list[AwsCall]) -> None:
    """Where nobody asked for this one, a grantee of its accounts' other requests is named."""
    scene.take_up(scene.approved(grantee=WRITER))
    scene.key_arn = scene.cloud.create_key(scene.key_policy())
    scene.limit(name="another", required_context={"tenant": "${account}"})
    tried.clear()
    assert result(scene) == "passed"
    assert named(tried)[-1] == WRITER


def test_a_record_that_cannot_be_read(scene: InProcessStack, tried: list[AwsCall]) -> None:
    """It is left out, and the check goes on with what can be read."""
    scene.take_up(scene.approved())
    lost = scene.take_up(scene.approved(grantee=WRITER)).body["id"]
    tables = scene.cloud.session(scene.cloud.root()).client("dynamodb")
    tables.update_item(
        TableName=scene.deployment.request_table,
        Key={"pk": {"S": f"request#{lost}"}, "sk": {"S": "request"}},
        UpdateExpression="SET #scope = :none",
        ExpressionAttributeNames={"#scope": "scope"},
        ExpressionAttributeValues={":none": {"N": "1"}},
    )
    tried.clear()
    assert result(scene) == "passed"
    assert WRITER not in named(tried)


def test_a_record_that_names_a_role_of_the_stack(scene: InProcessStack, tried: list[AwsCall]) -> None:
    """One from before the rule, or forged by `requests` taken over: the check does not name it."""
    forged = scene.take_up(scene.approved(grantee=WRITER)).body["id"]
    own = scene.brokers.broker("requests").settings.requests_role
    tables = scene.cloud.session(scene.cloud.root()).client("dynamodb")
    tables.update_item(
        TableName=scene.deployment.request_table,
        Key={"pk": {"S": f"request#{forged}"}, "sk": {"S": "request"}},
        UpdateExpression="SET grantee = :own",
        ExpressionAttributeValues={":own": {"S": own}},
    )
    tried.clear()
    assert result(scene) == "passed"
    assert named(tried) == [f"arn:aws:iam::{PARTNER}:role/grant-broker-check"]


def test_a_key_for_accounts_that_nobody_trusts_any_more(
    scene: InProcessStack, tried: list[AwsCall], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody of theirs can be granted anything, so the home account is asked about."""
    broker = scene.brokers.broker("requests")
    untrusting = broker.settings.model_copy(update={"trusted_accounts": ()})
    handler = scene.brokers.handler("requests")
    monkeypatch.setattr(handler, "broker", lambda: replace(broker, settings=untrusting))
    assert result(scene) == "passed"
    assert named(tried)[-1] == "arn:aws:iam::111122223333:role/grant-broker-check"
