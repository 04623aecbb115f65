"""Who can use a key and by what, and what its policy must say."""

from typing import Annotated, Any, Literal, NotRequired, TypedDict

from grant_broker.api.shapes.usage import KeyLastUsed, SeenUse
from grant_broker.api.vocabulary import (
    Account,
    Id,
    Keywords,
    Time,
)


class Through(TypedDict):
    """What gives the access; only what is known is there."""

    kind: Annotated[
        Literal["key_policy", "iam", "grant"],
        Keywords(
            description="`iam`: the key policy leaves it to the IAM policies of the principal's account."
        ),
    ]
    sid: NotRequired[Annotated[str, Keywords(description="Of the key policy's statement, or its number.")]]
    account: NotRequired[
        Annotated[Account, Keywords(description="Of `iam`: whose IAM policies say who has the access.")]
    ]
    policy: NotRequired[
        Annotated[str, Keywords(description="Of `iam`: the IAM policy, where the command line read IAM.")]
    ]
    pointer: NotRequired[Annotated[str, Keywords(description="Of `iam`: in words, where to look further.")]]
    grant_id: NotRequired[str]
    request_id: NotRequired[Annotated[Id, Keywords(description="The broker's request that the grant is of.")]]
    issued_by: NotRequired[Annotated[str, Keywords(description="The account that created the grant.")]]
    service: NotRequired[
        Annotated[str, Keywords(description="The AWS service that has the grant for its own work.")]
    ]


class AccessEntry(TypedDict):
    """One principal's access by one statement or grant."""

    principal: str
    actions: list[str]
    through: Through
    constraint: Annotated[
        dict[str, Any] | None,
        Keywords(
            description="A grant's `Constraints`; of a statement its `Condition` and `NotPrincipal`, and "
            "under `Unless` the Denies that hold under conditions."
        ),
    ]
    until: Time | None
    usage: SeenUse
    findings: Annotated[list[str], Keywords(description="Codes of the findings about this grant.")]


class AccessFinding(TypedDict):
    """Something that a person should look at."""

    code: str
    detail: str
    principal: NotRequired[str]


class AccessReport(TypedDict):
    """Who can use or manage a key, and by what.

    Findings and counts over all grants come with the first answer; where these are too many to be read in a
    second, with the second one. The first has the findings so far then, and no counts.
    """

    items: Annotated[
        list[AccessEntry],
        Keywords(description="All access by the key policy in the first answer; then `limit` grants a page."),
    ]
    findings: Annotated[
        list[AccessFinding],
        Keywords(description="What to look at; `not_all_read` comes first where the next answer has it all."),
    ]
    counts: Annotated[
        dict[str, Any],
        Keywords(description="Over the key policy and all grants; empty in an answer that has not all."),
    ]
    last_used: Annotated[KeyLastUsed, Keywords(description="In the first answer; null in the others.")]
    cursor: Annotated[str | None, Keywords(description="Where the next grants start; null at the end.")]


class KeyPolicyAdvice(TypedDict):
    """What must be said so that the broker can work on a key."""

    statements: Annotated[list[dict[str, Any]], Keywords(description="For the key's policy.")]
    role_policies: Annotated[
        dict[str, dict[str, Any]],
        Keywords(
            description="For a key of another account: the IAM policy that each of these roles needs as well."
        ),
    ]
    policy: Annotated[
        dict[str, Any] | None,
        Keywords(
            description="The present policy with the statements; null where KMS does not show that one, "
            "or would not take this one."
        ),
    ]
    diff: Annotated[str | None, Keywords(description="Unified; empty where nothing is missing.")]
    denied: Annotated[list[str], Keywords(description="In words, what other statements take away.")]
    notes: Annotated[
        list[str], Keywords(description="In words, what `policy` leaves out, or KMS objects to.")
    ]
