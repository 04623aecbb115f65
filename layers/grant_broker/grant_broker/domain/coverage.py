"""What an approval is asked to cover, and whether it does."""

from datetime import datetime
from typing import NamedTuple

from grant_broker.domain.parties import Requester
from grant_broker.domain.scope import Scope


class Asked(NamedTuple):
    """What a grant would be, as far as an approval must cover it. Durations are in seconds."""

    key_arn: str
    account: str
    grantee: str
    scope: Scope
    duration: int
    at: datetime
    life: tuple[datetime, datetime]
    """From when until when the grant would live, by which windows are judged."""
    requester: Requester
    digest: str


class Coverage(NamedTuple):
    """Whether an approval covers what is asked, with the reason that caller, log and event are given."""

    covered: bool
    reason: str
    out_of_hours: bool = False
    """Whether it is the approval's windows alone that it does not fit."""
