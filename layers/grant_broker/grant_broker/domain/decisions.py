"""What an approver sends: a vote, or why a grant is taken back."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from grant_broker.domain.approvals import Verdict
from grant_broker.domain.texts import Comment, Reason
from grant_broker.domain.times import Duration


class Decision(BaseModel):
    """A vote as sent. A denial says why; an approval may shorten."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    verdict: Verdict
    comment: Annotated[Comment, Field(validate_default=True)] = ""
    duration: Duration | None = None

    @field_validator("comment")
    @classmethod
    def _denial_says_why(cls, comment: str, info: ValidationInfo) -> str:
        if info.data.get("verdict") == Verdict.DENY and not comment.strip():
            raise ValueError("a denial says why")
        return comment


class Revocation(BaseModel):
    """Why a grant is taken back."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: Reason
