"""Managed keys: what may be asked for on each, and what a submission outside of it is told."""

import json
from datetime import datetime
from typing import ClassVar, TypedDict

from grant_broker.domain.errors import Fault
from grant_broker.domain.key_document import ACCOUNT_PLACEHOLDER, Comparison, KeyDocument, compare, lets_ask
from grant_broker.domain.recertification import Reviewable, Rhythm
from grant_broker.domain.records import ChangeOf, Stamp
from grant_broker.domain.scope import ContextMatch, Scope, contains
from grant_broker.domain.stored import Table, listed_at
from grant_broker.domain.times import Time, format_duration
from grant_broker.domain.trail import Json
from grant_broker.domain.versions import record_event


class KeyChanges(TypedDict, total=False):
    """What a change of a key may set."""

    document: KeyDocument
    documented_by: str | None
    withdrawn_at: datetime | None
    limits_version: int
    reviewed_at: datetime
    review_due: datetime | None
    unreviewed_after: datetime | None


class Key(Reviewable):
    """A key that the broker may issue grants on."""

    TABLE: ClassVar = Table.APPROVALS
    SORT_KEY: ClassVar = "key"

    document: KeyDocument
    created_at: Time
    withdrawn_at: Time | None = None
    documented_by: str | None = None
    """The person whose call made the document hold; None in what an earlier release stored."""
    limits_version: int = 0
    """Of its versions the last that changed its limits, opened or closed it: votes only note themselves."""

    @property
    def subject(self) -> str:
        """The key's partition."""
        return f"key#{self.document.key_arn}"

    @property
    def indexed(self) -> dict[str, object]:
        """What it is listed under, and its place in the list."""
        return {"kind": "key", "listed_at": listed_at(self.created_at, self.document.key_arn)}

    @property
    def open(self) -> bool:
        """Whether new grants may be asked for."""
        return self.withdrawn_at is None

    def documented(
        self,
        document: KeyDocument,
        stamp: Stamp,
        comparison: Comparison,
        *,
        person: str | None = None,
        grace: int = 0,
    ) -> "ChangeOf[Key]":
        """Registered, or its limits changed by a person; a closed key is opened again by it.

        A change is no look: the next one stays due when it was, by what the document says now. `grace` is in
        seconds.
        """
        looked = self.reviewed_at if self.version and self.open and self.reviewed_at else stamp.at
        rhythm = Rhythm(document.review_every, grace)
        changes = KeyChanges(
            document=document,
            documented_by=person,
            withdrawn_at=None,
            limits_version=self.version + 1,
            **rhythm.changed(self, stamp.at, last=looked),
        )
        detail = {**document.model_dump(mode="json"), **self._effect(comparison)}
        return record_event(self, "key_changed" if self.version else "key_registered", stamp, detail, changes)

    def is_in_effect(self, at: datetime) -> bool:  # noqa: ARG002 - of others it depends on the time
        """Whether it is open."""
        return self.open

    def closed(self, stamp: Stamp) -> "ChangeOf[Key]":
        """Closed to new grants; live ones run to their time."""
        changes = KeyChanges(withdrawn_at=stamp.at, limits_version=self.version + 1)
        return record_event(self, "key_withdrawn", stamp, {}, changes)

    def voted(self, document: KeyDocument, votes: int, stamp: Stamp) -> "ChangeOf[Key]":
        """One more vote for a document, and still not enough: the limits stay."""
        comparison = compare(self.document, document)
        content = document.model_dump(mode="json", include={*comparison.widened, *comparison.narrowed})
        detail = {
            "document": document.digest,
            "votes": votes,
            "proposed": content,
            **self._effect(comparison),
        }
        return record_event(self, "key_voted", stamp, detail, {})

    def _effect(self, comparison: Comparison) -> Json:
        """What a document opens and closes; `opens`: nobody could ask for grants on a key that was closed."""
        effect: Json = {"widened": list(comparison.widened), "narrowed": list(comparison.narrowed)}
        return effect if self.open else {**effect, "opens": True}

    def open_to(self, account: str) -> bool:
        """Whether this account may ask for grants."""
        return self.open and account in self.document.accounts

    def open_for(self, caller_arn: str, account: str) -> bool:
        """Whether this caller of an account may ask for grants."""
        return self.open_to(account) and lets_ask(self.document.requesters, caller_arn)

    def required_context(self, account: str) -> dict[str, str]:
        """The pairs that a grantee of this account must name, `${account}` filled in."""
        pairs = self.document.required_context.items()
        return {name: value.replace(ACCOUNT_PLACEHOLDER, account) for name, value in pairs}

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
