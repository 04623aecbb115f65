"""A KMS that knows grants and quotas alone: so many calls of each operation a second, then it throttles."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.support.scripted_client import refusal

_PAGE = 100


@dataclass
class QuotaKms:
    """`grants` by id, as KMS lists them. `calls` counts by operation and second, throttled ones too."""

    clock: Callable[[], datetime]
    quota: int
    grants: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: Counter[tuple[str, int]] = field(default_factory=Counter)
    ended: dict[str, datetime] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    """By operation the error that each call of it gets."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def retire_grant(self, *, KeyId: str, GrantId: str) -> dict[str, Any]:  # noqa: N803 - boto3's
        """RetireGrant."""
        return self._end("RetireGrant", KeyId, GrantId)

    def revoke_grant(self, *, KeyId: str, GrantId: str) -> dict[str, Any]:  # noqa: N803 - boto3's
        """RevokeGrant."""
        return self._end("RevokeGrant", KeyId, GrantId)

    def list_grants(self, *, KeyId: str, Limit: int = 50, **more: Any) -> dict[str, Any]:  # noqa: N803 - boto3's
        """ListGrants, by id or by page."""
        self._count("ListGrants", 2 * self.quota)
        found = [each for each in self.grants.values() if each["KeyId"] == KeyId]
        if wanted := more.get("GrantId"):
            found = [each for each in found if each["GrantId"] == wanted]
        ids = sorted(each["GrantId"] for each in found if each["GrantId"] > more.get("Marker", ""))
        page = [self.grants[grant_id] for grant_id in ids[: min(Limit, _PAGE)]]
        is_cut = len(ids) > len(page)
        return {
            "Grants": page,
            "Truncated": is_cut,
            **({"NextMarker": page[-1]["GrantId"]} if is_cut else {}),
        }

    def total(self, *operations: str) -> int:
        """Calls of these operations, of all of them where none is named."""
        return sum(count for (name, _), count in self.calls.items() if not operations or name in operations)

    def busiest(self, operation: str) -> int:
        """The most calls of an operation in one second."""
        return max((count for (name, _), count in self.calls.items() if name == operation), default=0)

    def _end(self, operation: str, key_id: str, grant_id: str) -> dict[str, Any]:
        self._count(operation, self.quota)
        with self._lock:
            if self.grants.get(grant_id, {}).get("KeyId") != key_id:
                raise refusal("NotFoundException", operation=operation)
            del self.grants[grant_id]
            self.ended[grant_id] = self.clock()
        return {}

    def _count(self, operation: str, quota: int) -> None:
        with self._lock:
            second = operation, int(self.clock().timestamp())
            self.calls[second] += 1
            if self.calls[second] > quota:
                raise refusal("ThrottlingException", operation=operation)
        if code := self.refused.get(operation):
            raise refusal(code, operation=operation)
