"""The roles and users of the caller's account with all their policies, read from IAM."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from grant_broker.access_report import Identity, IdentityPolicy

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_iam.type_defs import (
        AttachedPolicyTypeDef,
        GetAccountAuthorizationDetailsResponseTypeDef,
        GroupDetailTypeDef,
        ManagedPolicyDetailTypeDef,
        PolicyDetailTypeDef,
        PolicyDocumentTypeDef,
        RoleDetailTypeDef,
        UserDetailTypeDef,
    )

_PAGE = 1_000
_UNKNOWN = '{"Statement": [{}]}'
"""In place of a policy that IAM did not show: the report tells that it could not be read."""


def read_identities(iam: "IAMClient") -> list[Identity]:
    """Read every role and user of the account (GetAccountAuthorizationDetails), page after page."""
    pages = list(
        iam.get_paginator("get_account_authorization_details").paginate(PaginationConfig={"PageSize": _PAGE})
    )
    managed = {
        detail["Arn"]: _text(_default_version(detail)) for page in pages for detail in page["Policies"]
    }
    groups = {group["GroupName"]: group for page in pages for group in page["GroupDetailList"]}
    return [each for page in pages for each in _identities(page, groups, managed)]


def _identities(
    page: "GetAccountAuthorizationDetailsResponseTypeDef",
    groups: Mapping[str, "GroupDetailTypeDef"],
    managed: Mapping[str, str],
) -> Iterator[Identity]:
    for role in page["RoleDetailList"]:
        own = _policies(role.get("RolePolicyList", []), role.get("AttachedManagedPolicies", []), managed)
        yield Identity(role["Arn"], tuple(own), _boundary(role, managed))
    for user in page["UserDetailList"]:
        own = _policies(user.get("UserPolicyList", []), user.get("AttachedManagedPolicies", []), managed)
        of_groups = [
            policy
            for name in user.get("GroupList", [])
            for policy in _policies(
                groups[name].get("GroupPolicyList", []),
                groups[name].get("AttachedManagedPolicies", []),
                managed,
            )
        ]
        yield Identity(user["Arn"], (*own, *of_groups), _boundary(user, managed))


def _policies(
    inline: Iterable["PolicyDetailTypeDef"],
    attached: Iterable["AttachedPolicyTypeDef"],
    managed: Mapping[str, str],
) -> Iterator[IdentityPolicy]:
    for policy in inline:
        yield IdentityPolicy(policy["PolicyName"], _text(policy["PolicyDocument"]))
    for each in attached:
        yield IdentityPolicy(each["PolicyArn"], managed.get(each["PolicyArn"], _UNKNOWN))


def _boundary(
    detail: "RoleDetailTypeDef | UserDetailTypeDef", managed: Mapping[str, str]
) -> IdentityPolicy | None:
    arn = detail.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    return IdentityPolicy(arn, managed.get(arn, _UNKNOWN)) if arn else None


def _default_version(detail: "ManagedPolicyDetailTypeDef") -> "PolicyDocumentTypeDef":
    return next(each["Document"] for each in detail["PolicyVersionList"] if each["IsDefaultVersion"])


def _text(document: "PolicyDocumentTypeDef") -> str:
    # botocore takes the document out of its URL encoding.
    return document if isinstance(document, str) else json.dumps(document)
