"""A key's limits as the security team writes them, and what a change of them opens or closes."""

import re
from collections.abc import Callable, Collection, Iterator
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from grant_broker.domain import arns
from grant_broker.domain.approvers import MOST_VOTES, Approvers
from grant_broker.domain.errors import Fault
from grant_broker.domain.notify import Notify
from grant_broker.domain.scope import CHARACTERS, ENCRYPT_SIDE, ContextMatch, Operations, RequiredContext
from grant_broker.domain.texts import AccountId, Form, Name, visible
from grant_broker.domain.times import Duration, Span, format_duration
from grant_broker.domain.trail import digest

# KMS writes key ids in lower case: an id in capitals is the same key.
KeyArn = Annotated[
    str,
    AfterValidator(arns.refuse_other_partition),
    Form(arns.KEY, "give the ARN of a key, not of an alias"),
    AfterValidator(str.lower),
]
KeyReference = Annotated[
    str,
    AfterValidator(arns.refuse_other_partition),
    Form(
        re.compile(rf"{arns.KEY.pattern}|[a-z0-9_-]{{1,64}}"),
        "give the ARN of a key, or the name it is registered by",
    ),
    AfterValidator(str.lower),
]
RequesterArn = Annotated[
    str,
    AfterValidator(arns.refuse_other_partition),
    Form(
        re.compile(rf"(?:{arns.ROLE.pattern})|(?:{arns.USER.pattern})"),
        "give the ARN of one IAM role or IAM user, without wildcards",
    ),
]
RoleId = Annotated[
    str,
    Form(re.compile(r"AROA[A-Z0-9]{12,124}"), "give the unique id of a role (RoleId of aws iam get-role)"),
]
HookArn = Annotated[
    str,
    AfterValidator(arns.refuse_other_partition),
    Form(
        re.compile(
            r"arn:aws:lambda:[a-z0-9-]{1,32}:[0-9]{12}:function:[A-Za-z0-9_-]{1,64}(?::[A-Za-z0-9_-]{1,128})?"
        ),
        "give the ARN of a Lambda function, or null",
    ),
]
ACCOUNT_PLACEHOLDER = "${account}"
"""In a required context value: the grantee's account."""
# Fields that came later: a document without them means the same, and so does its digest.
_LATER = {
    "requesters": None,
    "approvers": None,
    "margin": "PT0S",
    "break_glass": None,
    "review_every": None,
    "notify": "exceptions",
    "ticket_hook": None,
    "end_unused_after": None,
}


def _fits_filled_in(context: dict[str, str]) -> dict[str, str]:
    # Otherwise no submission could ever hold the value.
    if any(len(value.replace(ACCOUNT_PLACEHOLDER, "0" * 12)) > CHARACTERS for value in context.values()):
        raise ValueError(f"a value has at most {CHARACTERS} characters, the account filled in")
    return context


def _distinct(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(set(texts)))


class BreakGlass(BaseModel):
    """Who may take a short grant at once: roles and users, for how many seconds at most, how often a day."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    principals: Annotated[
        tuple[RequesterArn, ...], Field(min_length=1, max_length=20), AfterValidator(_distinct)
    ]
    max_duration: Duration
    per_day: Annotated[int, Field(ge=1, le=100, strict=True)]

    def names(self, principal: str) -> bool:
        """Whether it names a caller or a grantee: a session counts as its role, paths do not count."""
        return arns.name_of_principal(principal) in set(map(arns.name_of_principal, self.principals))

    def allows_all_of(self, other: "BreakGlass | None") -> bool:
        """Whether it allows whatever another one does, or none."""
        if other is None:
            return True
        bounds = self.max_duration >= other.max_duration and self.per_day >= other.per_day
        return bounds and all(map(self.names, other.principals))


def _in_days(seconds: int) -> int:
    if seconds % 86_400:
        raise ValueError("give whole days, such as P90D")
    return seconds


class KeyDocument(BaseModel):
    """A key's limits. Durations are in seconds.

    `max_continuous` None: as `max_duration`. `requesters` None: anybody of the accounts. `approvers` None:
    all of the stack's list. `break_glass` None: nobody may. The fields whose type is one value take that
    alone until what they are for is built.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key_arn: KeyArn
    name: Name
    operations: Operations = ENCRYPT_SIDE
    max_duration: Duration = 8 * 3600
    max_continuous: Duration | None = None
    required_context: Annotated[RequiredContext, AfterValidator(_fits_filled_in)] = {}
    context_match: ContextMatch = ContextMatch.EQUALS
    accounts: Annotated[tuple[AccountId, ...], Field(min_length=1, max_length=100), AfterValidator(_distinct)]
    requesters: (
        Annotated[tuple[RequesterArn, ...], Field(min_length=1, max_length=100), AfterValidator(_distinct)]
        | None
    ) = None
    approvers: (
        Annotated[tuple[RoleId, ...], Field(min_length=1, max_length=20), AfterValidator(_distinct)] | None
    ) = None
    quorum: Annotated[int, Field(ge=1, le=MOST_VOTES, strict=True)] = 1
    margin: Span = 0
    break_glass: BreakGlass | None = None
    review_every: Annotated[Duration, AfterValidator(_in_days)] | None = None
    notify: Notify = "exceptions"
    ticket_hook: HookArn | None = None
    end_unused_after: None = None

    @model_validator(mode="before")
    @classmethod
    def _without_may_decide(cls, sent: object) -> object:
        # What GET answers may be sent back: that it says of its caller is no limit of the key.
        if not isinstance(sent, dict):
            return sent
        return {name: value for name, value in sent.items() if name != "may_decide"}

    @property
    def digest(self) -> str:
        """What a vote for exactly this document is a vote for."""
        content = self.model_dump(mode="json")
        return digest({name: value for name, value in content.items() if _LATER.get(name, ...) != value})

    @property
    def longest_held(self) -> int:
        """How long one grantee may hold access without a break, in seconds."""
        return self.max_duration if self.max_continuous is None else self.max_continuous

    def margin_of(self, duration: int, *, smallest: int) -> int:
        """How many seconds before its expiry a grant is ended: what is left is never under the smallest."""
        return min(self.margin, max(0, duration - smallest))

    @property
    def left_out(self) -> list[str]:
        """The fields that whoever wrote it did not name."""
        return [name for name in type(self).model_fields if name not in self.model_fields_set]

    def faults(self, *, grantable: Collection[str], team: Approvers, smallest: int = 1) -> Iterator[Fault]:
        """What cannot be: beyond the stack's own operations or people, or what nobody could ever reach.

        `smallest` is the stack's smallest duration, in seconds.
        """
        if extra := [name for name in self.operations if name not in grantable]:
            yield Fault("operations", f"this stack does not grant {', '.join(extra)}")
        if self.longest_held < self.max_duration:
            yield Fault("max_continuous", "give at least max_duration, or null")
        if self.margin >= self.max_duration:
            yield Fault("margin", "give less than max_duration")
        if strangers := self._strangers(self.requesters or ()):
            yield Fault("requesters", f"of none of the key's accounts: {', '.join(strangers)}")
        if others := [role for role in self.approvers or () if role not in team.role_ids]:
            yield Fault("approvers", f"not on the stack's list of approvers: {', '.join(others)}")
        approvers = team if self.approvers is None else Approvers.of(self.approvers, team.identity_center)
        if self.quorum > approvers.most_votes:
            whose = "approve on this stack" if self.approvers is None else "be approvers of the key"
            yield Fault("quorum", f"give at most {approvers.most_votes}: no more persons may {whose}")
        if self.break_glass:
            yield from self._break_glass_faults(self.break_glass, smallest)
        for text in (text for pair in self.required_context.items() for text in pair):
            try:
                visible(text)
            except ValueError as error:
                yield Fault("required_context", f"in one of its entries: {error}")
                return

    def _break_glass_faults(self, asked: BreakGlass, smallest: int) -> Iterator[Fault]:
        if strangers := self._strangers(asked.principals):
            yield Fault("break_glass", f"of none of the key's accounts: {', '.join(strangers)}")
        if not smallest <= asked.max_duration <= self.max_duration:
            bounds = f"{format_duration(smallest)} to {format_duration(self.max_duration)}"
            yield Fault("break_glass", f"give a max_duration of {bounds}, the key's own")

    def _strangers(self, principals: Collection[str]) -> list[str]:
        return [arn for arn in principals if arns.find_account(arn) not in self.accounts]


def lets_ask(requesters: Collection[str] | None, principal: str) -> bool:
    """Whether a caller of a key's accounts may ask: a session counts as its role, paths do not count."""
    names = _names(requesters)
    return names is None or arns.name_of_principal(principal) in names


class Comparison(NamedTuple):
    """The fields by which one document allows more than another, and those by which it allows less."""

    widened: tuple[str, ...] = ()
    narrowed: tuple[str, ...] = ()


def compare(before: KeyDocument, after: KeyDocument) -> Comparison:
    """What a change opens and closes. A field may do both: a list that has one entry for another."""
    wider = tuple(name for name, allows_all in _ALLOWS_ALL.items() if not allows_all(before, after))
    narrower = tuple(name for name, allows_all in _ALLOWS_ALL.items() if not allows_all(after, before))
    return Comparison(wider, narrower)


def _allows_all_of(one: Collection[str] | None, other: Collection[str] | None) -> bool:
    return one is None or (other is not None and set(one) >= set(other))


def _names(requesters: Collection[str] | None) -> set[str] | None:
    return None if requesters is None else set(map(arns.name_of_principal, requesters))


def _order(context_match: ContextMatch) -> int:
    return list(ContextMatch).index(context_match)


# By field whether the first document allows all that the second one does.
_ALLOWS_ALL: dict[str, Callable[[KeyDocument, KeyDocument], bool]] = {
    "operations": lambda one, other: set(one.operations) >= set(other.operations),
    "max_duration": lambda one, other: one.max_duration >= other.max_duration,
    "max_continuous": lambda one, other: one.longest_held >= other.longest_held,
    "required_context": lambda one, other: one.required_context.items() <= other.required_context.items(),
    "context_match": lambda one, other: _order(one.context_match) >= _order(other.context_match),
    "accounts": lambda one, other: set(one.accounts) >= set(other.accounts),
    "requesters": lambda one, other: _allows_all_of(_names(one.requesters), _names(other.requesters)),
    "approvers": lambda one, other: _allows_all_of(one.approvers, other.approvers),
    "quorum": lambda one, other: one.quorum <= other.quorum,
    "margin": lambda one, other: one.margin <= other.margin,
    "ticket_hook": lambda one, other: one.ticket_hook in {None, other.ticket_hook},
    "review_every": lambda one, other: (
        not one.review_every or (other.review_every is not None and one.review_every >= other.review_every)
    ),
    "break_glass": lambda one, other: (
        one.break_glass.allows_all_of(other.break_glass) if one.break_glass else other.break_glass is None
    ),
}
