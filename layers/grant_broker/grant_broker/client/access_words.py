"""An access report's lines in words."""

from typing import TYPE_CHECKING

from grant_broker.access_report import KEY_ACTIONS

if TYPE_CHECKING:
    from grant_broker.api.shapes.access import AccessEntry, Through
    from grant_broker.api.shapes.usage import KeyUse

_MANY = 6


def accessor(item: "AccessEntry") -> str:
    """Who has the access: a principal, or whoever IAM lets in of an account."""
    through = item["through"]
    whole = through["kind"] == "iam" and "policy" not in through and item["principal"].endswith(":root")
    return f"IAM of account {through['account']}" if whole else item["principal"]


def actions_in_words(actions: list[str]) -> str:
    """The actions by name; of many how many they are."""
    names = [name.removeprefix("kms:") for name in actions]
    return ",".join(names) if len(names) <= _MANY else f"{len(names)} of {len(KEY_ACTIONS)} actions"


def through_in_words(through: "Through") -> str:
    """The statement or the grant that gives the access."""
    if through["kind"] == "key_policy":
        return f"key policy, {through['sid']}"
    if through["kind"] == "iam":
        by = f"{through['policy']}; " if "policy" in through else ""
        return f"{by}left to IAM by {through['sid']}"
    if "request_id" in through:
        return f"grant {through['grant_id']} of request {through['request_id']}"
    return f"grant {through['grant_id']} by {through.get('service') or through.get('issued_by', 'unknown')}"


def last_use_in_words(use: "KeyUse | None") -> str:
    """When a key was last used, by whomever; what KMS did not see may have happened before it looked."""
    if use is None:
        return "KMS does not tell when it was last used"
    if use["at"] is None:
        return f"no use since {use['since']}, when KMS began to look"
    return f"last used {use['at']} by {use['operation']} (CloudTrail event {use['event_id']})"
