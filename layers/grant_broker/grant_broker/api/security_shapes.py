"""What the API answers to the security team, as types, like `shapes` for third parties."""

from typing import Annotated, Any, Literal, NotRequired, TypedDict

from grant_broker.api.shapes import RequestShown, Vote
from grant_broker.api.vocabulary import (
    Account,
    CheckResult,
    ContextMatch,
    Duration,
    Function,
    Hash,
    Id,
    KeyArn,
    Keywords,
    Known,
    LocalTime,
    OwnWords,
    Time,
    Weekday,
)
from grant_broker.domain.lifecycle import Status


class Event(TypedDict):
    """One audit event."""

    id: str
    at: Time
    type: str
    request_id: Id | None
    by: str
    detail: dict[str, Any]
    hash: Hash


class Finding(TypedDict):
    """An answer that was found out, and how."""

    answer: Known
    reason: str


class Preflight(TypedDict):
    """What was found out when the request was submitted."""

    at: Time
    has_access: Annotated[
        Finding, Keywords(description="Whether the key policy gives the grantee this already.")
    ]
    grantee_accepted: Annotated[Finding, Keywords(description="Whether KMS accepts the grantee.")]
    key_usable: Annotated[Finding, Keywords(description="Whether the key's state allows the grant.")]
    can_create: Annotated[Finding, Keywords(description="Whether the broker may create it.")]
    can_end: Annotated[
        Finding, Keywords(description="Whether the broker may end it, other than by retiring.")
    ]


class VoteCount(TypedDict):
    """How many votes there are that count, and how many it takes."""

    given: int
    needed: Annotated[int | None, Keywords(description="null where the key is not registered.")]


class OtherGrant(TypedDict):
    """Another live grant of the same grantee on the same key, by the id of its request."""

    id: Id
    status: Status
    operations: list[str]
    encryption_context: dict[str, str]
    context_match: ContextMatch
    expires_at: Time


MayDecide = Annotated[
    bool,
    Keywords(description="Whether the caller may decide: an approver of the key, and no party to it."),
]


class BrokenGlass(TypedDict):
    """That a request was granted by break-glass."""

    by: str
    reason: Annotated[str, OwnWords]
    at: Time


class RequestSeen(RequestShown):
    """A request as approvers see it."""

    preflight: Preflight | None
    votes: VoteCount
    others: Annotated[list[OtherGrant], Keywords(description="At most 50, those that last longest first.")]
    may_decide: MayDecide
    broken_glass: BrokenGlass | None


class RequestWithTrail(RequestSeen):
    """A request as approvers see it, with its audit events, in order."""

    trail: list[Event]


class BreakGlassLimits(TypedDict):
    """Who may take a short grant at once, for how long, and how often a day (UTC)."""

    principals: list[str]
    max_duration: Duration
    per_day: int


class Limits(TypedDict):
    """A key's limits. A field that has one value only does nothing yet."""

    key_arn: KeyArn
    name: str
    operations: list[str]
    max_duration: Duration
    max_continuous: Annotated[Duration | None, Keywords(description="null: as `max_duration`.")]
    required_context: dict[str, str]
    context_match: ContextMatch
    accounts: list[Account]
    requesters: Annotated[
        list[str] | None, Keywords(description="Roles and users; null: anybody of the accounts.")
    ]
    approvers: Annotated[
        list[str] | None, Keywords(description="Unique ids of roles; null: the stack's list.")
    ]
    quorum: Annotated[int, Keywords(minimum=1, maximum=10)]
    margin: Annotated[
        Duration,
        Keywords(description="How long before their `expires_at` its grants are ended; `PT0S`: not."),
    ]
    break_glass: Annotated[BreakGlassLimits | None, Keywords(description="null: nobody may.")]
    review_every: Annotated[
        Duration | None, Keywords(description="How often somebody must sign it off, in days; null: never.")
    ]
    notify: Literal["exceptions", "all"]
    ticket_hook: Annotated[
        str | None, Keywords(description="ARN of the Lambda function that is asked whether a ticket stands.")
    ]
    end_unused_after: None


class Key(Limits):
    """A key's limits as they are. What GET answers may be sent back by PUT, which reads no `may_decide`."""

    may_decide: MayDecide


class MassRevocationMade(TypedDict):
    """That a mass revocation was stored, and how many live grants and open requests it is known to match."""

    id: Id
    matched: int


class MassRevocation(TypedDict):
    """A mass revocation: what it selects, how far it is, and what it blocks. All selectors must match."""

    id: Id
    key: KeyArn | None
    account: Account | None
    grantee: str | None
    all: Annotated[bool, Keywords(description="Whether it is about everything.")]
    approval: Annotated[
        Id | None,
        Keywords(description="The standing approval whose withdrawal it is part of: then it blocks nothing."),
    ]
    reason: str
    by: str
    created_at: Time
    matched: Annotated[int, Keywords(description="Live grants, and requests pending or approved.")]
    ended: Annotated[int, Keywords(description="Cancelled requests included.")]
    left: Annotated[int, Keywords(description="What a second look after a minute finds is not counted.")]
    finished_at: Annotated[Time | None, Keywords(description="When the second look was over.")]
    blocked_until: Annotated[Time | None, Keywords(description="null: until it is lifted.")]
    lifted_at: Time | None


Fields = Annotated[list[str], Keywords(description="Names of fields; one may both widen and narrow.")]


class ChangedKey(Key):
    """A key's limits after a change, with the fields by which it allows more and less than before."""

    widened: Fields
    narrowed: Fields


class Votes(TypedDict):
    """The votes for exactly this document that count so far, how many it takes, and what it would change."""

    votes: Annotated[int, Keywords(minimum=0)]
    quorum: Annotated[int, Keywords(minimum=1)]
    widened: Fields
    narrowed: Fields


class Proposal(Votes):
    """A document that some have voted for. To vote for it, PUT it."""

    document: Limits
    proposed_at: Time
    lapses_at: Annotated[Time, Keywords(description="From then on its votes do not count any more.")]


WindowShown = TypedDict(
    "WindowShown",
    {
        "days": Annotated[list[Weekday], Keywords(description="Those on which it begins.")],
        "from": LocalTime,
        "to": Annotated[LocalTime, Keywords(description="On the next day where it is no later than `from`.")],
        "time_zone": Annotated[str, Keywords(description="Of the IANA database.")],
    },
)
WindowShown.__doc__ = "Hours of some days, by the clocks of a time zone; a grant starts and ends within them."


class Approval(TypedDict):
    """A standing approval as it is."""

    id: Id
    status: Annotated[str, Keywords(enum=("pending", "active", "withdrawn", "expired"))]
    key: KeyArn
    account: Account
    grantee: str | None
    operations: list[str]
    encryption_context: dict[str, str]
    context_match: ContextMatch
    max_duration: Duration
    valid_from: Time
    valid_until: Time
    windows: Annotated[list[WindowShown] | None, Keywords(description="null: at any time.")]
    reason: str
    decisions: list[Vote]
    created_at: Time
    may_decide: MayDecide


class NamedAccount(TypedDict):
    """What the security team says of an account."""

    account: Account
    name: str
    contact: Annotated[str | None, Keywords(description="Whom to ask.")]
    event_bus: Annotated[
        str | None, Keywords(description="ARN of the account's bus that its own requests' events go to.")
    ]


class SignOff(TypedDict):
    """Who looked, and what was found."""

    by: str
    comment: Annotated[str, OwnWords]
    at: Time


class Review(TypedDict):
    """A review that is owed, or was signed off."""

    kind: Annotated[str, Keywords(enum=("break-glass", "key", "approval", "account"))]
    id: Annotated[str, Keywords(description="Of a break-glass its request's.")]
    key: KeyArn | None
    account: Account | None
    by: Annotated[str, Keywords(description="Who did what is to be looked at.")]
    about: Annotated[str, OwnWords]
    since: Time
    may_decide: Annotated[bool, Keywords(description="Whether the caller may sign it off.")]
    signed_off: SignOff | None


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
    cursor: Annotated[str | None, Keywords(description="Where the next grants start; null at the end.")]


class KeyPolicyAdvice(TypedDict):
    """What must be said so that the broker can work on a key."""

    statements: Annotated[list[dict[str, Any]], Keywords(description="For the key's policy.")]
    role_policies: Annotated[
        dict[str, dict[str, Any]],
        Keywords(
            description="For a key of another account: the IAM policy that each of these roles needs besides."
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
    notes: Annotated[list[str], Keywords(description="In words, what `policy` leaves out or KMS minds.")]


class KeyCheck(TypedDict):
    """What one function found when it last checked its own right on the key."""

    function: Function
    result: Annotated[CheckResult | None, Keywords(description="null: never checked, or nothing certain.")]
    at: Time | None
    missing: Annotated[list[str], Keywords(description="In words, what it lacks.")]
    next_at: Annotated[Time | None, Keywords(description="When it checks next; null on a closed key.")]


class KeyChecks(TypedDict):
    """Whether the broker could create and end grants on a key when it last tried."""

    grantable: Annotated[
        bool | None,
        Keywords(
            description="false: submissions are refused with 409. null: not known, and no reason to refuse."
        ),
    ]
    checks: list[KeyCheck]


class Due(TypedDict):
    """How many grants fall due in the minute or the hour that begins then."""

    at: Time
    due: int


class Debt(TypedDict):
    """What falls due: per minute for an hour, per hour for a day, from the present minute on."""

    at: Time
    end_rate: Annotated[int, Keywords(description="Grants that are ended a second, at most.")]
    debt_seconds: Annotated[
        int,
        Keywords(description="The longest that any of them will wait for its end, at that rate; 0: none."),
    ]
    overdue: Annotated[int, Keywords(description="Whose time is over, and that are not ended yet.")]
    believed: Annotated[
        bool,
        Keywords(
            description="false: no live grants stand behind many of these, so nobody is refused for them."
        ),
    ]
    minutes: list[Due]
    hours: list[Due]
