"""What AWS limits in size, with all the trusted accounts that the parameter takes and a long name."""

import json
import re
from functools import cache
from typing import Any

import pytest

from tests.infrastructure.stack import ROLES
from tests.infrastructure.transformed import Plan
from tests.local_stack.people import HOME
from tests.local_stack.template import Template
from tests.local_stack.triggers import api_policy

MOST = 100


def _accounts(count: int) -> str:
    return ",".join(f"{number:012}" for number in range(count))


@cache
def _full() -> Template:
    given = {
        "TrustedAccounts": _accounts(MOST),
        "ApproverRoleIds": ",".join(f"AROA{number:017}" for number in range(10)),
        "IdentityCenterRoleIds": ",".join(f"AROA{number:017}" for number in range(10)),
        "FoundingScenario": "yes",
        "DataKeyArn": f"arn:aws:kms:eu-central-1:{HOME}:key/0d0d0d0d-0000-0000-0000-000000000000",
    }
    made = Template.read(given, account=HOME, region="ap-southeast-1", stack="s" * 40)
    made.physical["PartnerDataKey", "Arn"] = given["DataKeyArn"]
    return made


def _characters(document: Any) -> int:
    # IAM counts no white space.
    return len(json.dumps(document, separators=(",", ":")))


def test_as_many_accounts_as_are_promised_and_no_more() -> None:
    """The parameter itself refuses more, before anything is made."""
    pattern = re.compile(_full().document["Parameters"]["TrustedAccounts"]["AllowedPattern"], re.ASCII)
    assert pattern.fullmatch("")
    assert pattern.fullmatch(_accounts(MOST))
    assert not pattern.fullmatch(_accounts(MOST + 1))
    assert not pattern.fullmatch("444455556666, 666677778888")


@pytest.mark.parametrize("role", ROLES)
def test_a_role_s_own_policies_fit(role: str) -> None:
    """All inline policies of a role together have 10,240 characters at most."""
    policies = _full().properties(f"{role.title()}Role")["Policies"]
    assert sum(_characters(policy["PolicyDocument"]) for policy in policies) <= 10_240


def test_managed_policies_fit() -> None:
    """6,144 characters each."""
    for name in _full().named("AWS::IAM::ManagedPolicy"):
        assert _characters(_full().properties(name)["PolicyDocument"]) <= 6_144, name


@pytest.mark.parametrize("role", ROLES)
def test_a_function_s_environment_fits(role: str) -> None:
    """4,096 bytes, names and values together."""
    environment = _full().functions()[role].environment
    assert sum(len(name) + len(value) for name, value in environment.items()) <= 4_096


def test_a_function_s_own_policy_fits() -> None:
    """20,480 bytes: API Gateway's permission for each route stands in it."""
    plan = Plan.of()
    for function in plan.named("AWS::Lambda::Function"):
        permissions = [n for n in plan.named("AWS::Lambda::Permission") if function in plan.needs[n]]
        # A statement with Sid, function, action and source, whose ARNs have about 100 characters each.
        assert len(permissions) * 500 <= 20_480, function


def test_what_iam_and_lambda_describe_is_in_their_alphabet() -> None:
    """They take Latin-1 at most; other services' descriptions and the template itself are plain too."""
    assert json.dumps(_full().document, ensure_ascii=False).isascii()


def test_the_api_s_resource_policy_fits() -> None:
    """8,192 bytes."""
    assert _characters(api_policy(_full())) <= 8_192
