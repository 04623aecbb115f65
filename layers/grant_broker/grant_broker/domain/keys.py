"""Managed keys: what may be asked for on each, and what a submission outside of it is told."""

import json
import re
from datetime import datetime
from typing import Annotated, TypedDict

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    model_validator,
)

from grant_broker.domain import arns
from grant_broker.domain.errors import Fault
from grant_broker.domain.records import ChangeOf, Record, Stamp
from grant_broker.domain.scope import (
    CHARACTERS,
    ENCRYPT_SIDE,
    ContextMatch,
    Operations,
    RequiredContext,
    Scope,
    contains,
)
from grant_broker.domain.texts import AccountId, Form, Name
from grant_broker.domain.times import LONGEST, Duration, Time, format_duration, is_duration
from grant_broker.domain.trail import digest
from grant_broker.domain.versions import record_event, revise

KeyArn = Annotated[
    str,
    AfterValidator(arns.refuse_other_partition),
    Form(arns.KEY, "give the ARN of a key, not of an alias"),
]
KeyReference = Annotated[
    str,
    AfterValidator(arns.refuse_other_partition),
    Form(
        re.compile(rf"{arns.KEY.pattern}|[a-z0-9_-]{{1,64}}"),
        "give the ARN of a key, or the name it is registered by",
    ),
]
ACCOUNT = "${account}"
"""In a required context value: the grantee's account."""


def _fits_filled_in(context: dict[str, str]) -> dict[str, str]:
    # Otherwise no submission could ever hold the value.
    if any(len(value.replace(ACCOUNT, "0" * 12)) > CHARACTERS for value in context.values()):
        raise ValueError(f"a value has at most {CHARACTERS} characters, the account filled in")
    return context


def _distinct(accounts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(set(accounts)))


class KeyDocument(BaseModel):
    """A key's limits as the security team writes them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key_arn: KeyArn
    name: Name
    operations: Operations = ENCRYPT_SIDE
    max_duration: Duration = 8 * 3600
    max_continuous: Duration = Field(default=0, validate_default=False)
    required_context: Annotated[RequiredContext, AfterValidator(_fits_filled_in)] = {}
    context_match: ContextMatch = ContextMatch.SUBSET
    accounts: Annotated[tuple[AccountId, ...], Field(min_length=1, max_length=100), AfterValidator(_distinct)]
    quorum: Annotated[int, Field(ge=1, le=10, strict=True)] = 1

    @model_validator(mode="before")
    @classmethod
    def _max_continuous_default(cls, data: object) -> object:
        if isinstance(data, dict) and "max_continuous" not in data:
            given = data.get("max_duration", "PT8H")
            # A fault of one field is not told as another's.
            return {**data, "max_continuous": given if is_duration(given) else format_duration(LONGEST)}
        return data

    @property
    def digest(self) -> str:
        """What a vote for exactly this document is a vote for."""
        return digest(self.model_dump(mode="json"))


class KeyChanges(TypedDict, total=False):
    """What a change of a key may set."""

    document: KeyDocument
    withdrawn_at: datetime | None
    limits_version: int


class Key(Record):
    """A key that the broker may issue grants on."""

    document: KeyDocument
    created_at: Time
    withdrawn_at: Time | None = None
    limits_version: int = 0
    """Of its versions the last that changed its limits, opened or closed it: votes only note themselves."""

    @property
    def subject(self) -> str:
        """The key's partition."""
        return f"key#{self.document.key_arn}"

    @property
    def open(self) -> bool:
        """Whether new grants may be asked for."""
        return self.withdrawn_at is None

    def documented(self, document: KeyDocument, stamp: Stamp) -> "ChangeOf[Key]":
        """Registered, or its limits changed; a closed key is opened again by it."""
        changes = KeyChanges(document=document, withdrawn_at=None, limits_version=self.version + 1)
        event_type = "key_changed" if self.version else "key_registered"
        return record_event(self, event_type, stamp, document.model_dump(mode="json"), changes)

    def closed(self, stamp: Stamp) -> "ChangeOf[Key]":
        """Closed to new grants; live ones run to their time."""
        changes = KeyChanges(withdrawn_at=stamp.at, limits_version=self.version + 1)
        return record_event(self, "key_withdrawn", stamp, {}, changes)

    def voted(self, document: KeyDocument, votes: int, stamp: Stamp) -> "ChangeOf[Key]":
        """One more vote for a document, and still not enough: the limits stay."""
        return record_event(self, "key_voted", stamp, {"document": document.digest, "votes": votes}, {})

    def open_to(self, account: str) -> bool:
        """Whether this account may ask for grants."""
        return self.open and account in self.document.accounts

    def required_context(self, account: str) -> dict[str, str]:
        """The pairs that a grantee of this account must name, `${account}` filled in."""
        pairs = self.document.required_context.items()
        return {name: value.replace(ACCOUNT, account) for name, value in pairs}

    def faults(
        self, scope: Scope, *, duration: int, account: str, duration_field: str = "duration"
    ) -> list[Fault]:
        """Where a scope and a duration (seconds) leave the key's limits; empty when they are within."""
        limits, found = self.document, []
        if extra := [name for name in scope.operations if name not in limits.operations]:
            found.append(Fault("operations", f"not offered on this key: {', '.join(extra)}"))
        if duration > limits.max_duration:
            found.append(Fault(duration_field, f"at most {format_duration(limits.max_duration)} on this key"))
        if not contains(scope.encryption_context, required := self.required_context(account)):
            found.append(
                Fault("encryption_context", f"this key requires {json.dumps(required, ensure_ascii=False)}")
            )
        if scope.context_match == ContextMatch.SUBSET and limits.context_match == ContextMatch.EQUALS:
            found.append(Fault("context_match", "this key allows equals only"))
        return found


class ProposalChanges(TypedDict, total=False):
    """What a vote for a document sets."""

    base_version: int
    voters: tuple[str, ...]
    proposed_at: datetime


class Proposal(Record):
    """Votes for exactly one document of a key whose quorum is above 1."""

    document: KeyDocument
    base_version: int
    voters: tuple[str, ...] = ()
    proposed_at: Time

    @property
    def subject(self) -> str:
        """The key's partition; the sort key tells proposals apart by their digest."""
        return f"key#{self.document.key_arn}"

    def counts_for(self, key: Key, now: datetime) -> bool:
        """Whether its votes still count: the key has not changed since, and the first is not a week old."""
        return self.base_version == key.limits_version and (now - self.proposed_at).days < 7  # noqa: PLR2004

    def voted(self, person: str, key: Key, now: datetime) -> "ChangeOf[Proposal]":
        """One more person's vote; votes that do not count any more are begun anew with it."""
        if self.counts_for(key, now):
            return revise(self, ProposalChanges(voters=(*self.voters, person)))
        fresh = ProposalChanges(base_version=key.limits_version, voters=(person,), proposed_at=now)
        return revise(self, fresh)
