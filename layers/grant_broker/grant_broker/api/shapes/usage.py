"""What is known of the use of keys and grants."""

from typing import Annotated, TypedDict

from grant_broker.api.vocabulary import Keywords, Time


class KeyUse(TypedDict):
    """When a key was last used, by whomever, as KMS tells it (GetKeyLastUsage)."""

    at: Annotated[Time | None, Keywords(description="null where KMS has seen none since it began to look.")]
    operation: str | None
    event_id: Annotated[str | None, Keywords(description="Of CloudTrail's event of it.")]
    since: Annotated[Time | None, Keywords(description="From when on KMS has kept it for this key.")]


KeyLastUsed = Annotated[
    KeyUse | None,
    Keywords(
        description="null where KMS does not tell: a key of another account, or without kms:GetKeyLastUsage."
    ),
]
