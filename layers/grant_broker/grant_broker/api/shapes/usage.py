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


class Usage(TypedDict):
    """What CloudTrail's events, delivered by best effort, showed of a grant's use.

    They prove use, never that there was none.
    """

    seen: bool
    certain: Annotated[
        bool,
        Keywords(
            description="Whether at least one use was the grantee's for certain, and fits no other request; "
            "else each could be another's: somebody of the same account, or under another grant."
        ),
    ]
    first_seen_at: Time | None
    last_seen_at: Annotated[Time | None, Keywords(description="To the minute: more often it is not written.")]
    count_at_least: int


SeenUse = Annotated[
    Usage | None,
    Keywords(description="null without a grant, or where the stack does not look (`UsageEvidence`)."),
]
