"""Reviews that the security team owes: what was done must be looked at by somebody else, who signs it off."""

from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from grant_broker.domain.errors import Conflict
from grant_broker.domain.records import ChangeOf, Record
from grant_broker.domain.request import GrantRequest
from grant_broker.domain.stored import Table, listed_at
from grant_broker.domain.texts import Comment
from grant_broker.domain.times import Time
from grant_broker.domain.versions import revise

ReviewKind: TypeAlias = Literal["break-glass"]
BREAK_GLASS: ReviewKind = "break-glass"


def review_subject(kind: str, name: str) -> str:
    """The partition of a review, in both tables."""
    return f"review#{kind}#{name}"


class Look(BaseModel):
    """What is sent to sign something off: what was found."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    comment: Annotated[Comment, Field(min_length=1)]


class Owed(Record):
    """A review that is owed since a moment: of what, on which key, by whom it was done.

    In the request table, where it only lists what is owed: whether it was signed off the approval table says.
    """

    TABLE: ClassVar = Table.REQUESTS
    SORT_KEY: ClassVar = "owed"

    review: ReviewKind
    id: str
    key_arn: str
    account: str
    by: str
    about: str
    since: Time

    @property
    def subject(self) -> str:
        """The review's partition, in both tables."""
        return review_subject(self.review, self.id)

    @property
    def indexed(self) -> dict[str, object]:
        """What it is listed under, and its place in the list."""
        return {"kind": "review", "listed_at": listed_at(self.since, f"{self.review}#{self.id}")}

    def recorded(self) -> "ChangeOf[Owed]":
        """Owed from now on: the event is that of what it is about."""
        return revise(self, {})


def owed_for(request: GrantRequest) -> Owed:
    """What is owed for a request that was granted by break-glass; Conflict where it was not."""
    glass = request.broken_glass
    if glass is None:
        raise Conflict("the request was not granted by break-glass: no review of it is owed")
    return Owed(
        review=BREAK_GLASS,
        id=request.id,
        key_arn=request.key_arn,
        account=request.account,
        by=glass.by,
        about=glass.reason,
        since=glass.at,
    )


class SignOff(Record):
    """That somebody looked: in the approval table, where whoever is reviewed cannot write."""

    TABLE: ClassVar = Table.APPROVALS
    SORT_KEY: ClassVar = "sign-off"

    review: ReviewKind
    id: str
    by: str
    person: str
    comment: str
    at: Time
    idempotency: str | None = None

    @property
    def subject(self) -> str:
        """The review's partition, in both tables."""
        return review_subject(self.review, self.id)

    def made(self) -> "ChangeOf[SignOff]":
        """Signed off: the event is that of what it is about."""
        return revise(self, {})
