"""What CloudFormation makes after what, by the transformed template: what it lives by comes first."""

from typing import Any

import pytest

from tests.infrastructure.transformed import Plan, transformed

DATA_KEY = "arn:aws:kms:eu-central-1:111122223333:key/0d0d0d0d-0000-0000-0000-000000000000"
PLANS = {
    "defaults": Plan.of(),
    "everything": Plan.of(
        Archive="yes",
        TrustedAccounts="444455556666,666677778888",
        DataKeyArn=DATA_KEY,
        FoundingScenario="yes",
        DomainName="grants.example.com",
        DomainCertificateArn="arn:aws:acm:eu-central-1:111122223333:certificate/0d0d",
        DomainBasePath="broker",
        ApiMetrics="yes",
        SecurityMail="team@example.com",
        ApiAccessLogs="yes",
        DeletionProtection="yes",
    ),
}
_POLICIES = ("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::IAM::RolePolicy")
# A role that one of these was made of is known all over IAM: Lambda assumed it, or CloudFormation waited.
_PROOF_OF_A_ROLE = ("AWS::Lambda::Function", "AWS::IAM::InstanceProfile")


@pytest.fixture(params=list(PLANS.values()), ids=list(PLANS))
def plan(request: pytest.FixtureRequest) -> Plan:
    """The template with default answers, and with every option taken."""
    found: Plan = request.param
    return found


def _role_of(plan: Plan, function: str) -> str:
    return str(plan.resources[function]["Properties"]["Role"]["Fn::GetAtt"][0])


def test_there_is_an_order(plan: Plan) -> None:
    """No resource waits for itself, and none for one that its parameters leave out."""
    assert sum(map(len, plan.waves())) == len(plan.resources)


def test_a_function_has_all_its_rights_when_it_is_made(plan: Plan) -> None:
    """Every policy that is attached to a function's role stands before the function."""
    attached = {name: _attached(plan, name) for name in plan.named(*_POLICIES)}
    assert any("RequestsRole" in roles for roles in attached.values())
    for function in plan.named("AWS::Lambda::Function"):
        policies = {name for name, roles in attached.items() if _role_of(plan, function) in roles}
        assert policies <= plan.before(function), function


def _attached(plan: Plan, policy: str) -> set[str]:
    given = plan.resources[policy]["Properties"]
    roles = given.get("Roles", [given.get("RoleName")])
    return {role["Ref"] for role in roles}


@pytest.mark.parametrize("action", ["xray:PutTraceSegments", "logs:PutLogEvents"])
def test_what_lambda_asks_of_a_role_is_in_the_role_itself(plan: Plan, action: str) -> None:
    """Lambda refuses a function whose role may not write traces, and looks when it makes the function."""
    for function in plan.named("AWS::Lambda::Function"):
        assert action in _own_actions(plan, _role_of(plan, function))


def test_the_operator_s_key_is_used_by_each_role_itself() -> None:
    """With a key for the tables each role may use it from the beginning."""
    for function in PLANS["everything"].named("AWS::Lambda::Function"):
        assert "kms:Decrypt" in _own_actions(PLANS["everything"], _role_of(PLANS["everything"], function))


def _own_actions(plan: Plan, role: str) -> set[str]:
    policies: list[dict[str, Any]] = plan.template.properties(role)["Policies"]
    statements = [s for policy in policies for s in policy["PolicyDocument"]["Statement"]]
    allowed = [s["Action"] for s in statements if s["Effect"] == "Allow"]
    return {action for given in allowed for action in ([given] if isinstance(given, str) else given)}


def test_a_key_comes_long_after_the_roles_that_its_policy_names(plan: Plan) -> None:
    """KMS refuses a policy with a role that IAM has not spread: something slow was made of each before."""
    assert (plan.named("AWS::KMS::Key") == []) is (plan is PLANS["defaults"])
    for key in plan.named("AWS::KMS::Key"):
        roles = {name for name in plan.needs[key] if plan.resources[name]["Type"] == "AWS::IAM::Role"}
        assert roles
        proofs = [name for name in plan.before(key) if plan.resources[name]["Type"] in _PROOF_OF_A_ROLE]
        proven = {name for proof in proofs for name in plan.before(proof)}
        assert roles <= proven


def test_what_tells_of_changes_is_made_after_what_it_would_tell_of(plan: Plan) -> None:
    """CloudTrail tells of roles and tables up to minutes after they were made: no mail on the first day."""
    slow = {
        name for name in plan.resources if plan.resources[name]["Type"] == "AWS::Lambda::EventSourceMapping"
    }
    assert len(slow) == 3
    for rule in ("TableChanged", "RoleChanged"):
        assert len(slow & plan.before(rule)) >= 2


def test_nothing_that_stays_has_a_name_of_its_own(plan: Plan) -> None:
    """What an earlier stack left must not be in the way of the next one."""
    kept = [name for name, resource in plan.resources.items() if "DeletionPolicy" in resource]
    assert len(kept) >= 9
    for name in kept:
        given = plan.resources[name].get("Properties", {})
        kind = plan.resources[name]["Type"].rpartition("::")[2]
        assert {"Name", f"{kind}Name", "RoleName", "LogGroupName"}.isdisjoint(given), name


def test_other_trusted_accounts_are_another_deployment_of_the_api() -> None:
    """API Gateway serves a resource policy once it is deployed, and deploys once for each logical id."""
    ids = {
        name
        for accounts in ("", "444455556666", "444455556666,666677778888")
        for name, resource in transformed(TrustedAccounts=accounts)["Resources"].items()
        if resource["Type"] == "AWS::ApiGateway::Deployment"
    }
    assert len(ids) == 3


def test_a_closed_endpoint_is_another_deployment_of_the_api() -> None:
    """It answers there until it is deployed again."""
    ids = {
        Plan.of(DisableExecuteApiEndpoint=closed).named("AWS::ApiGateway::Deployment")[0]
        for closed in ("yes", "no")
    }
    assert len(ids) == 2
