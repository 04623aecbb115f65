"""A key's limits as they are sent: whole, as a registered key's must be."""

from typing import Any

WHOLE: dict[str, Any] = {
    "name": "partner_data",
    "operations": [
        "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "ReEncryptTo", "DescribeKey",
    ],
    "max_duration": "PT8H", "max_continuous": None, "required_context": {}, "context_match": "subset",
    "accounts": ["444455556666", "666677778888"], "requesters": None, "approvers": None, "quorum": 1,
    "margin": "PT0S", "break_glass": None, "review_every": None, "notify": "exceptions", "ticket_hook": None,
    "end_unused_after": None,
}  # fmt: skip
"""The founding key's: the defaults, but for both context matches."""


def limits(**changes: Any) -> dict[str, Any]:
    """The founding key's limits, but for the changes."""
    return {**WHOLE, **changes}


def break_glass(*principals: str, **changes: Any) -> dict[str, Any]:
    """A key's break-glass for these principals: fifteen minutes, twice a day, but for the changes."""
    return {"principals": list(principals), "max_duration": "PT15M", "per_day": 2, **changes}
