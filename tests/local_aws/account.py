"""What an account has around a stack, as far as a command asks: quotas, trails, costs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.local_aws.answers import AwsError, Response, ok
from tests.local_aws.authority import Authority
from tests.local_aws.identities import Credentials

# A second, as AWS gives them to every account at first.
_KMS_QUOTAS = {
    "CreateGrant request rate": 50.0,
    "ListGrants request rate": 100.0,
    "RetireGrant request rate": 50.0,
    "RevokeGrant request rate": 50.0,
}
_WRITES = {"ReadWriteType": "All", "IncludeManagementEvents": True, "ExcludeManagementEventSources": []}


@dataclass
class TrailHere:
    """A CloudTrail trail; `selectors` is what GetEventSelectors answers."""

    name: str = "management-events"
    is_logging: bool = True
    selectors: dict[str, Any] = field(default_factory=lambda: {"EventSelectors": [_WRITES]})


class AccountServices:
    """Service Quotas, CloudTrail and Cost Explorer. Tests set what they answer."""

    def __init__(self, authority: Authority, region: str) -> None:
        self._authority, self._region = authority, region
        self.kms_quotas = dict(_KMS_QUOTAS)
        self.trails: list[TrailHere] = []
        self.dollars_a_day = 0.0
        self._operations: dict[str, Callable[[Credentials, dict[str, Any]], dict[str, Any]]] = {
            "servicequotas:ListServiceQuotas": self._list_quotas,
            "cloudtrail:DescribeTrails": self._list_trails,
            "cloudtrail:GetTrailStatus": lambda _, given: {
                "IsLogging": self._trail(given["Name"]).is_logging
            },
            "cloudtrail:GetEventSelectors": lambda _, given: self._trail(given["TrailName"]).selectors,
            "ce:GetCostAndUsage": self._cost,
        }
        self.services = frozenset(name.partition(":")[0] for name in self._operations)

    def handle(self, caller: Credentials, service: str, operation: str, given: dict[str, Any]) -> Response:
        """The answer to a call. Raises AwsError."""
        action = f"{service}:{operation}"
        if action not in self._operations:
            raise AwsError("UnknownOperationException", f"There is no {action} here")
        self._authority.require(caller, action, "*")
        return ok(self._operations[action](caller, given))

    def _list_quotas(self, _: Credentials, given: dict[str, Any]) -> dict[str, Any]:
        quotas = self.kms_quotas if given["ServiceCode"] == "kms" else {}
        return {"Quotas": [{"QuotaName": name, "Value": value} for name, value in quotas.items()]}

    def _list_trails(self, caller: Credentials, _: dict[str, Any]) -> dict[str, Any]:
        prefix = f"arn:aws:cloudtrail:{self._region}:{caller.account}:trail"
        return {
            "trailList": [{"Name": each.name, "TrailARN": f"{prefix}/{each.name}"} for each in self.trails]
        }

    def _trail(self, arn: str) -> TrailHere:
        return next(each for each in self.trails if arn.endswith(f"/{each.name}"))

    def _cost(self, _: Credentials, given: dict[str, Any]) -> dict[str, Any]:
        cost = {"UnblendedCost": {"Amount": str(self.dollars_a_day), "Unit": "USD"}}
        return {"ResultsByTime": [{"TimePeriod": given["TimePeriod"], "Total": cost, "Estimated": True}]}
