"""Accounts as people know them: a name, whom to ask, and where the events of their requests go."""

import re
from datetime import datetime
from typing import Annotated, ClassVar, TypedDict

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

from grant_broker.domain import arns
from grant_broker.domain.errors import Fault
from grant_broker.domain.recertification import Looks, Reviewable
from grant_broker.domain.records import ChangeOf, Stamp
from grant_broker.domain.stored import Table, listed_at
from grant_broker.domain.texts import CLEAN, AccountId, Form, Name, clean
from grant_broker.domain.times import Time
from grant_broker.domain.versions import record_event

EVENT_BUS = re.compile(r"arn:aws:events:[a-z0-9-]{1,32}:[0-9]{12}:event-bus/[A-Za-z0-9._/-]{1,256}")
Contact = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(clean), CLEAN]
EventBusArn = Annotated[
    str,
    AfterValidator(arns.refuse_other_partition),
    Form(EVENT_BUS, "give the ARN of an event bus, or null"),
]


class AccountDocument(BaseModel):
    """What the security team says of an account. What is left out is null: a PUT is the whole document."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    account: AccountId
    name: Name
    contact: Contact | None = None
    event_bus: EventBusArn | None = None

    def bus_faults(self, *, home_account: str, region: str) -> list[Fault]:
        """Why events cannot go to this bus: it must be the account's own, in the stack's Region."""
        if self.event_bus is None:
            return []
        if self.account == home_account:
            return [Fault("event_bus", "give null: this account's default bus has every event already")]
        if arns.account_of(self.event_bus) != self.account:
            return [Fault("event_bus", f"give a bus of the account {self.account} itself")]
        if arns.region_of(self.event_bus) != region:
            return [Fault("event_bus", f"give a bus in {region}: a rule of the account can send events on")]
        return []


class AccountChanges(TypedDict, total=False):
    """What a change of an account may set."""

    document: AccountDocument
    documented_by: str | None
    withdrawn_at: datetime | None
    reviewed_at: datetime
    review_due: datetime | None
    unreviewed_after: datetime | None


class Account(Reviewable):
    """An account that the security team has named. It narrows and widens nothing that may be asked for."""

    TABLE: ClassVar = Table.APPROVALS
    SORT_KEY: ClassVar = "account"

    document: AccountDocument
    created_at: Time
    documented_by: str | None = None
    """The person who wrote it; None in what an earlier release stored."""
    withdrawn_at: Time | None = None

    @property
    def subject(self) -> str:
        """The account's partition."""
        return f"account#{self.document.account}"

    @property
    def indexed(self) -> dict[str, object]:
        """What it is listed under, and its place in the list."""
        return {"kind": "account", "listed_at": listed_at(self.created_at, self.document.account)}

    @property
    def known(self) -> bool:
        """Whether its document holds: it was not taken away since."""
        return self.withdrawn_at is None

    def documented(
        self, document: AccountDocument, stamp: Stamp, *, person: str | None, looks: Looks
    ) -> "ChangeOf[Account]":
        """Named, or named otherwise; the event tells the whole document, and which fields are others."""
        before = self.document.model_dump() if self.version and self.known else {}
        content = document.model_dump(mode="json")
        changed = [name for name, value in content.items() if before.get(name) != value]
        # A change is no look: the next one stays due when it was.
        due: dict[str, object] = {} if before and self.review_due else {**looks}
        changes = {"document": document, "documented_by": person, "withdrawn_at": None, **due}
        event_type = "account_changed" if before else "account_registered"
        return record_event(self, event_type, stamp, {**content, "changed": changed}, changes)

    def is_in_effect(self, at: datetime) -> bool:  # noqa: ARG002 - of others it depends on the time
        """Whether it is named."""
        return self.known

    def withdrawn(self, stamp: Stamp) -> "ChangeOf[Account]":
        """Known by its id alone again; none of its events go to its bus any more."""
        detail = {"account": self.document.account, "name": self.document.name}
        return record_event(self, "account_withdrawn", stamp, detail, AccountChanges(withdrawn_at=stamp.at))
