"""What is known of a submission before anybody decides on it: of the grantee, the key and the broker."""

from enum import StrEnum
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from grant_broker.domain.times import Time


class Known(StrEnum):
    """Whether something is so, as far as could be found out."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Finding(BaseModel):
    """An answer with its reason."""

    model_config = ConfigDict(frozen=True)

    answer: Known
    reason: str


class Preflight(BaseModel):
    """The answers that an approver sees beside a request."""

    model_config = ConfigDict(frozen=True)

    at: Time
    has_access: Finding
    grantee_accepted: Finding
    key_usable: Finding
    can_create: Finding
    can_end: Finding


Outcome = Literal["grant", "wait_for_approval", "refuse"]


class Forecast(NamedTuple):
    """What submitting something now would lead to, and why."""

    outcome: Outcome
    reasons: tuple[str, ...]
