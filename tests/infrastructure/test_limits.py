"""The template's part in the abuse limits: parameters, the counters' fence, what expires."""

from typing import Any

import pytest

from grant_broker.policy_engine import Call, decide
from tests.infrastructure.stack import role_arn
from tests.local_stack.template import Template

ROLE = role_arn("requests")


@pytest.fixture(scope="module")
def template() -> Template:
    """The template with its defaults."""
    given = {"TrustedAccounts": ["444455556666"], "ApproverRoleIds": ["AROAAPPROVER00000"]}
    return Template.read(given, account="111122223333", region="eu-central-1", stack="grant-broker")


def allowed(template: Template, action: str, leading_key: str) -> bool:
    """Whether the role of `requests` may make a DynamoDB call on a partition of the request table."""
    policies: list[Any] = [
        policy["PolicyDocument"] for policy in template.properties("RequestsRole")["Policies"]
    ]
    table = template.reference("RequestTable", "Arn")
    call = Call(ROLE, action, table, {"aws:PrincipalArn": ROLE, "dynamodb:LeadingKeys": [leading_key]})
    return decide(call, identity_policies=policies).allowed


def test_the_role_updates_counters_and_no_record(template: Template) -> None:
    """UpdateItem reaches the counters' partitions only: no record can be changed in part, past its checks."""
    assert allowed(template, "dynamodb:UpdateItem", "limit#444455556666#31556736")
    for partition in ("request#0123", "limit", "pace", "LIMIT#444455556666#1"):
        assert not allowed(template, "dynamodb:UpdateItem", partition)
    assert not allowed(template, "dynamodb:DeleteItem", "limit#444455556666#31556736")


@pytest.mark.parametrize(
    ("parameter", "variable", "default"),
    [
        ("SubmissionsPerMinute", "SUBMISSIONS_PER_MINUTE", 300),
        ("StoredBytesPerHour", "STORED_BYTES_PER_HOUR", 100_000_000),
        ("OpenPerAccount", "OPEN_PER_ACCOUNT", 1000),
        ("OpenPerGrantee", "OPEN_PER_GRANTEE", 500),
        ("PendingPerAccount", "PENDING_PER_ACCOUNT", 500),
    ],
)
def test_each_limit_is_a_parameter(template: Template, parameter: str, variable: str, default: int) -> None:
    """The operator sets each limit; what nobody sets has its default."""
    assert template.document["Parameters"][parameter]["Default"] == default
    assert int(template.functions()["requests"].environment[variable]) == default


def test_open_requests_are_counted_in_a_narrow_index(template: Template) -> None:
    """The index of open requests holds what the count needs: no text of a requester is read for it."""
    indexes = {
        index["IndexName"]: index for index in template.properties("RequestTable")["GlobalSecondaryIndexes"]
    }
    projected = indexes["open"]["Projection"]
    assert projected == {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["grantee", "status", "due"]}
