"""Who can use or manage a key, and by what: read from its policies and its grants, without a call."""

from grant_broker.access_report.actions import KEY_ACTIONS, OTHER_ACTIONS
from grant_broker.access_report.entries import AccessEntry, AccessFinding, Through
from grant_broker.access_report.identities import Identity, IdentityPolicy
from grant_broker.access_report.policies import KeyPolicies
from grant_broker.access_report.report import AccessReport, AccessTally

__all__ = [
    "KEY_ACTIONS",
    "OTHER_ACTIONS",
    "AccessEntry",
    "AccessFinding",
    "AccessReport",
    "AccessTally",
    "Identity",
    "IdentityPolicy",
    "KeyPolicies",
    "Through",
]
