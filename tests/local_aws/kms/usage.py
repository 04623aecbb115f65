"""Which successful cryptographic operations a key has seen: its last one, and who is told of each."""

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.local_aws.answers import Response, ok
from tests.local_aws.identities import Credentials
from tests.local_aws.kms.access import Access, Asked, KmsCall
from tests.local_aws.kms.keys import Key, LastUse

OPERATIONS = frozenset(
    {
        *("Decrypt", "DeriveSharedSecret", "Encrypt", "GenerateDataKey", "GenerateDataKeyPair"),
        *("GenerateDataKeyPairWithoutPlaintext", "GenerateDataKeyWithoutPlaintext", "GenerateMac"),
        *("ReEncrypt", "Sign", "Verify", "VerifyMac"),
    }
)
"""What KMS counts as a cryptographic operation (GetKeyLastUsage, `Operation`) and this one has."""


@dataclass(frozen=True)
class Use:
    """One successful cryptographic operation, on one key, or on the two of a ReEncrypt, source first."""

    keys: tuple[Key, ...]
    operation: str
    parameters: Mapping[str, Any]
    caller: Credentials
    at: datetime
    event_id: str
    request_id: str


@dataclass
class Usage:
    """Remembers each key's last use, and tells of every use whoever listens."""

    access: Access
    clock: Callable[[], datetime]
    listeners: list[Callable[[Use], None]] = field(default_factory=list)

    def note(self, call: KmsCall, answer: Response) -> None:
        """Take note of a call that succeeded, if it used a key."""
        if call.operation not in OPERATIONS:
            return
        body = json.loads(answer[2])
        arns = [body[name] for name in ("SourceKeyId", "KeyId") if name in body]
        keys = tuple(self.access.keys.by_arn[arn] for arn in dict.fromkeys(arns))
        ids = str(uuid.uuid4()), str(uuid.uuid4())
        use = Use(keys, call.operation, call.parameters, call.caller, self.clock(), *ids)
        for key in keys:
            key.last_use = LastUse(use.operation, use.at, use.event_id, use.request_id)
        for listener in self.listeners:
            listener(use)

    def last_usage(self, call: KmsCall) -> Response:
        """GetKeyLastUsage, within the key's own account only.

        https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyLastUsage.html. Tracking began here with
        the key.
        """
        key = self.access.key(call)
        self.access.require(call, key, Asked(call.operation))
        used = key.last_use
        last = (
            {
                "Operation": used.operation,
                "Timestamp": used.at.timestamp(),
                "CloudTrailEventId": used.event_id,
                "KmsRequestId": used.request_id,
            }
            if used
            else {}
        )
        created = key.created.timestamp()
        return ok(
            {
                "KeyId": key.key_id,
                "KeyLastUsage": last,
                "TrackingStartDate": created,
                "KeyCreationDate": created,
            }
        )
