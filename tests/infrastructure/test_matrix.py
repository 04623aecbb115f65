"""Every principal of the founding scenario and every action of KMS on its key, cell by cell."""

import pytest

from grant_broker.access_report import KEY_ACTIONS
from grant_broker.policy_engine import Verdict
from tests.infrastructure.matrix import columns, decision, markdown
from tests.infrastructure.stack import ROLES
from tests.support.documents import marked

_MANAGING = """
CancelKeyDeletion CreateAlias DeleteAlias DescribeKey DisableKey DisableKeyRotation EnableKey
EnableKeyRotation GetKeyLastUsage GetKeyPolicy GetKeyRotationStatus ListGrants ListKeyPolicies
ListKeyRotations ListResourceTags PutKeyPolicy RevokeGrant RotateKeyOnDemand ScheduleKeyDeletion TagResource
UntagResource UpdateAlias UpdateKeyDescription
"""
# Column: the actions that it may call; all others are refused, to the functions by a Deny.
MAY = {
    "root user": " ".join(name.removeprefix("kms:") for name in KEY_ACTIONS),
    # RetireGrant is for the account that created a grant, and its IAM gives it to administrators.
    "key admin": f"{_MANAGING} RetireGrant",
    "security team": "",
    "data reader": "Decrypt",
    "partner": "",
    "partner, granted": "Encrypt",
    "its colleague": "",
    "outsider": "",
    "`requests`": "CreateGrant GetKeyPolicy",
    "`approvals`": "DescribeKey GetKeyLastUsage GetKeyPolicy ListGrants ListKeyPolicies",
    "`expiry`": "GetKeyPolicy ListGrants RetireGrant RevokeGrant",
    "`reconcile`": "ListGrants",
    "`events`": "",
}


@pytest.mark.parametrize("column", columns())
def test_every_cell(column: str) -> None:
    """Who may is allowed, a function that may not is denied, and nobody else is let through."""
    refused = Verdict.EXPLICITLY_DENIED if column.strip("`") in ROLES else Verdict.IMPLICITLY_DENIED
    expected = {
        name: Verdict.ALLOWED if name.removeprefix("kms:") in MAY[column].split() else refused
        for name in KEY_ACTIONS
    }
    assert {name: decision(column, name).verdict for name in KEY_ACTIONS} == expected


def test_the_table_knows_only_principals_and_actions_that_there_are() -> None:
    """A misspelt name in the table would say nothing."""
    assert set(MAY) == set(columns())
    named = {f"kms:{name}" for actions in MAY.values() for name in actions.split()}
    assert named <= set(KEY_ACTIONS)


def test_the_documents_show_the_matrix() -> None:
    """A page holds the table that the engine gives: `python -m tests.infrastructure.matrix` prints it."""
    assert marked("matrix") == "\n".join(markdown())
