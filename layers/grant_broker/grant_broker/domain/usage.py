"""That somebody used a grant, as far as it was seen: CloudTrail's events are delivered by best effort.

They prove use, and never that there was none. Nor does an event name the grant that allowed the call: it is
told of every request whose grant would have allowed it, and where that may not be the one, it says so. What
is known here is shown. It covers no grant, and lengthens none.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import ClassVar

from pydantic import ConfigDict

from grant_broker.domain.arns import USER, find_session_name, role_of
from grant_broker.domain.people import Caller, is_identity_center_person
from grant_broker.domain.request import SPREADS_WITHIN, GrantRequest
from grant_broker.domain.scope import ContextMatch, contains
from grant_broker.domain.stored import Stored, Table, listed_at
from grant_broker.domain.times import Time

WRITTEN_EVERY = timedelta(minutes=1)
"""However often a grant is used, what is known of its use is written no more often than this."""
# Clocks differ, and CloudTrail's times are whole seconds.
_SKEW = timedelta(seconds=10)
_ROLE_ID, _USER_ID = "AROA", "AIDA"


@dataclass(frozen=True)
class KeyCall:
    """A successful call on a key, as CloudTrail tells it.

    `principal` is the ARN of who called; None where the key's owner is told no more of another account's
    principal than its unique id, with a session's name after a colon: `principal_id`. `operation` is KMS's
    own name as grants have it.
    """

    event_id: str
    at: datetime
    account: str
    principal: str | None
    principal_id: str
    key_arn: str
    operation: str
    encryption_context: Mapping[str, str]


class Likeness(IntEnum):
    """Whether a call was made by a request's grantee, within what its grant allows."""

    NO = 0
    POSSIBLE = 1
    """Somebody of the grantee's account called, and who it was is not told."""
    SAME = 2


@dataclass(frozen=True)
class Sighting:
    """A use of one request's grant: when, and whether it can have been no other request's."""

    at: datetime
    certain: bool


class Usage(Stored):
    """What was seen of one grant's use. Never seen: `count` is 0 and there are no times.

    `count` is of those that were seen, at least. `certain`: at least one of them was the grantee's and within
    no other request of its; the rest may have been others'.
    """

    TABLE: ClassVar[Table] = Table.REQUESTS
    model_config = ConfigDict(frozen=True)

    request_id: str
    first_seen_at: Time | None = None
    last_seen_at: Time | None = None
    count: int = 0
    certain: bool = False
    written_at: Time | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Alone in a partition that the function `events` alone writes."""
        return f"usage#{self.request_id}", "usage"

    @property
    def indexed(self) -> dict[str, object]:
        """Among all usage in order of its first sighting."""
        if self.first_seen_at is None:
            return {}
        return {"kind": "usage", "listed_at": listed_at(self.first_seen_at, self.request_id)}

    def after(self, sightings: Sequence[Sighting], now: datetime) -> "Usage | None":
        """What is known after further sightings; None where it was written lately and this may wait.

        A sighting no later than the last one counts for nothing: SQS and EventBridge deliver some twice, and
        so `count` never says more than there was.
        """
        certain = self.certain or any(each.certain for each in sightings)
        lately = self.written_at is not None and now - self.written_at < WRITTEN_EVERY
        if not sightings or (lately and certain == self.certain):
            return None
        times = [each.at for each in sightings]
        new = [at for at in times if self.last_seen_at is None or at > self.last_seen_at]
        return self.model_copy(
            update={
                "first_seen_at": min([*times, *([self.first_seen_at] if self.first_seen_at else [])]),
                "last_seen_at": max([*times, *([self.last_seen_at] if self.last_seen_at else [])]),
                "count": self.count + len(new),
                "certain": certain,
                "written_at": now,
            }
        )


def attribute(calls: Iterable[KeyCall], requests: Sequence[GrantRequest]) -> dict[str, list[Sighting]]:
    """Tell whose use each call may have been, by the ids of the requests, each list in no order.

    A call that may have been several requests' is told of each, of none for certain.
    """
    found: dict[str, list[Sighting]] = {}
    for call in {(call.event_id, call.operation): call for call in calls}.values():
        alike = {request.id: likeness(request, call) for request in requests}
        fitting = {name: how for name, how in alike.items() if how}
        for name, how in fitting.items():
            certain = how == Likeness.SAME and len(fitting) == 1
            found.setdefault(name, []).append(Sighting(call.at, certain=certain))
    return found


def likeness(request: GrantRequest, call: KeyCall) -> Likeness:
    """Whether a request's grant would have allowed a call, to this caller, at that time."""
    if request.key_arn != call.key_arn or request.account != call.account:
        return Likeness.NO
    within = call.operation in request.scope.operations and _fits(request, call.encryption_context)
    return _who(request, call) if within and _lived(request, call.at) else Likeness.NO


def _fits(request: GrantRequest, context: Mapping[str, str]) -> bool:
    # KMS may ignore the case of a constraint's keys: what it may have allowed counts.
    asked, wanted = _without_case(context), _without_case(request.scope.encryption_context)
    if request.scope.context_match == ContextMatch.SUBSET:
        return contains(asked, wanted)
    return asked == wanted


def _without_case(context: Mapping[str, str]) -> dict[str, str]:
    return {key.casefold(): value for key, value in context.items()}


def _lived(request: GrantRequest, at: datetime) -> bool:
    """Whether the grant may have allowed anything then. KMS may serve a grant for minutes after its end."""
    begun = request.intent_at or request.issued_at
    if begun is None or at < begun - _SKEW:
        return False
    return request.ended_at is None or at <= request.ended_at + SPREADS_WITHIN + _SKEW


def _who(request: GrantRequest, call: KeyCall) -> Likeness:
    if call.principal is not None:
        caller = Caller(call.principal, call.account, "", find_session_name(call.principal))
        return Likeness.SAME if caller.is_grantee(request.grantee) else Likeness.NO
    unique_id, _, session = call.principal_id.partition(":")
    of_user = USER.fullmatch(request.grantee) is not None
    if unique_id.startswith(_ROLE_ID if of_user else _USER_ID):
        return Likeness.NO
    named = find_session_name(request.grantee)
    if named is not None and session != named:
        return Likeness.NO
    return _by_id(request, unique_id)


def _by_id(request: GrantRequest, unique_id: str) -> Likeness:
    """By the unique id of a requester that asked for itself, which the API was told; else nobody knows it."""
    itself = request.requester_arn == request.grantee or (
        role_of(request.requester_arn) is not None
        and role_of(request.requester_arn) == role_of(request.grantee)
    )
    if not itself or is_identity_center_person(request.requester_person):
        return Likeness.POSSIBLE
    same = request.requester_person == f"{request.account}:{unique_id}"
    return Likeness.SAME if same else Likeness.NO
