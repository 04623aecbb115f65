"""The answers about a key's access, as models: for the OpenAPI document alone."""

from typing import Annotated, Any, Literal

from pydantic import Field

from grant_broker.api.openapi.answers import Id, Shape, Time


class Through(Shape):
    """What gives the access; only what is known is there."""

    kind: Annotated[
        Literal["key_policy", "iam", "grant"],
        Field(description="`iam`: the key policy leaves it to the IAM policies of the principal's account."),
    ]
    sid: Annotated[str, Field(description="Of the key policy's statement, or its number.")] = ""
    grant_id: str = ""
    request_id: Annotated[Id, Field(description="The broker's request that the grant is of.")] = ""
    issued_by: Annotated[str, Field(description="The account that created the grant.")] = ""
    service: Annotated[str, Field(description="The AWS service that has the grant for its own work.")] = ""


class AccessEntry(Shape):
    """One principal's access by one statement or grant."""

    principal: str
    actions: list[str]
    through: Through
    constraint: Annotated[
        dict[str, Any] | None,
        Field(
            description="A grant's `Constraints`; of a statement its `Condition` and `NotPrincipal`, and "
            "under `Unless` the Denies that hold under conditions."
        ),
    ]
    until: Time | None
    findings: Annotated[list[str], Field(description="Codes of the findings about this grant.")]


class AccessFinding(Shape):
    """Something that a person should look at."""

    code: str
    detail: str
    principal: str = ""


class AccessReport(Shape):
    """Who can use or manage a key, and by what. Findings and counts come with the first answer."""

    items: Annotated[
        list[AccessEntry],
        Field(description="All access by the key policy in the first answer; then `limit` grants a page."),
    ]
    findings: list[AccessFinding]
    counts: Annotated[dict[str, Any], Field(description="Over the key policy and all grants.")]
    cursor: Annotated[str | None, Field(description="Where the next grants start; null at the end.")]


class KeyPolicyAdvice(Shape):
    """What must be said so that the broker can work on a key."""

    statements: Annotated[list[dict[str, Any]], Field(description="For the key's policy.")]
    role_policies: Annotated[
        dict[str, dict[str, Any]],
        Field(
            description="For a key of another account: the IAM policy that each of these roles needs besides."
        ),
    ]
    policy: Annotated[
        dict[str, Any] | None,
        Field(description="The present policy with the statements; null where KMS does not show it."),
    ]
    diff: Annotated[str | None, Field(description="Unified; empty where nothing is missing.")]


class KeyCheck(Shape):
    """What one function found when it last checked its own right on the key."""

    function: Annotated[
        Literal["requests", "expiry"], Field(description="`requests` creates grants, `expiry` ends them.")
    ]
    result: Annotated[
        Literal["passed", "failed"] | None, Field(description="null: never checked; grants may be made.")
    ]
    at: Time | None
    missing: Annotated[list[str], Field(description="In words, what it lacks.")]
    next_at: Annotated[Time | None, Field(description="When it checks next; null on a closed key.")]


class KeyChecks(Shape):
    """Whether the broker could create and end grants on a key when it last tried."""

    grantable: Annotated[bool, Field(description="false: submissions are refused with 409.")]
    checks: list[KeyCheck]
