"""Roles and users with their policies, as IAM shows them."""

import json
from copy import deepcopy
from typing import Any
from urllib.parse import quote

import boto3
import pytest
from botocore.stub import Stubber

from grant_broker.access_report import Identity, IdentityPolicy
from grant_broker.client.identities import read_identities

HOME = "111122223333"
DOCUMENT = {"Statement": {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}}
MANAGED, EDGE, UNSHOWN = (f"arn:aws:iam::{HOME}:policy/{name}" for name in ("managed", "edge", "unshown"))
BASE = {"Path": "/", "CreateDate": "2026-01-01T00:00:00Z"}


def version(document: dict[str, Any], *, default: bool) -> dict[str, Any]:
    """A version of a managed policy."""
    return {"Document": quote(json.dumps(document)), "IsDefaultVersion": default, "VersionId": "v1"}


def attached(*arns: str) -> list[dict[str, str]]:
    """Attached policies."""
    return [{"PolicyArn": arn, "PolicyName": arn.rpartition("/")[2]} for arn in arns]


def inline(name: str) -> list[dict[str, str]]:
    """An inline policy."""
    return [{"PolicyName": name, "PolicyDocument": quote(json.dumps(DOCUMENT))}]


USER = {
    **BASE,
    "UserName": "amy",
    "UserId": "A" * 21,
    "Arn": f"arn:aws:iam::{HOME}:user/amy",
    "UserPolicyList": inline("own"),
    "GroupList": ["team"],
    "AttachedManagedPolicies": attached(UNSHOWN),
}
ROLE = {
    **BASE,
    "RoleName": "app",
    "RoleId": "A" * 21,
    "Arn": f"arn:aws:iam::{HOME}:role/path/app",
    "AttachedManagedPolicies": attached(MANAGED),
    "PermissionsBoundary": {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": EDGE},
}
GROUP = {
    **BASE,
    "GroupName": "team",
    "GroupId": "A" * 21,
    "Arn": f"arn:aws:iam::{HOME}:group/team",
    "GroupPolicyList": inline("of the group"),
    "AttachedManagedPolicies": attached(MANAGED),
}
OTHER: dict[str, Any] = {"Statement": []}
PAGES = [
    {"UserDetailList": [USER], "RoleDetailList": [ROLE], "IsTruncated": True, "Marker": "more"},
    {
        "GroupDetailList": [GROUP],
        "Policies": [
            {
                "Arn": MANAGED,
                "PolicyVersionList": [version(OTHER, default=False), version(DOCUMENT, default=True)],
            },
            {"Arn": EDGE, "PolicyVersionList": [version(OTHER, default=True)]},
        ],
        "IsTruncated": False,
    },
]


@pytest.fixture
def identities() -> list[Identity]:
    """What is read from two pages, of which the second has what the first refers to."""
    client = boto3.client("iam", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    empty: dict[str, Any] = {
        name: [] for name in ("UserDetailList", "RoleDetailList", "GroupDetailList", "Policies")
    }
    with Stubber(client) as stub:
        for page, marker in zip(deepcopy(PAGES), ({}, {"Marker": "more"}), strict=True):
            stub.add_response(
                "get_account_authorization_details", {**empty, **page}, {"MaxItems": 1000, **marker}
            )
        return read_identities(client)


def test_a_role(identities: list[Identity]) -> None:
    """A role has its own policies and those attached, in the default version, within its boundary."""
    role = identities[0]
    assert role.arn == ROLE["Arn"]
    assert [(each.name, json.loads(each.text)) for each in role.policies] == [(MANAGED, DOCUMENT)]
    assert role.boundary == IdentityPolicy(EDGE, json.dumps(OTHER))


def test_a_user(identities: list[Identity]) -> None:
    """A user has its groups' policies besides its own; what IAM does not show is no policy."""
    user = identities[1]
    assert [each.name for each in user.policies] == ["own", UNSHOWN, "of the group", MANAGED]
    assert json.loads(user.policies[1].text) == {"Statement": [{}]}
    assert (len(identities), user.boundary) == (2, None)
