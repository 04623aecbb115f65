"""What the security team's lists are searched by."""

import re
from collections.abc import Callable

from grant_broker.api.query import Query, matching, one_of, time_of
from grant_broker.domain import arns
from grant_broker.domain.errors import Fault, InvalidRequest
from grant_broker.domain.keys import Key
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.searches import EventSearch, RequestSearch
from grant_broker.domain.times import parse_time

REQUESTS = ("status", "key", "account", "grantee", "requester", "since", "order")
EVENTS = ("since", "until", "key", "account", "type", "by", "order")
_KEY_NAME = re.compile(r"[a-z0-9_-]{1,64}", re.ASCII)
# Who is noted in events: a caller, or one of the broker's functions.
BY = re.compile(rf"[a-z-]{{1,32}}|{arns.PRINCIPAL.pattern}", re.ASCII)
TYPE = re.compile(r"[a-z_]{1,64}", re.ASCII)
FindKey = Callable[[str], Key | None]


def request_search(query: Query, find_key_named: FindKey) -> RequestSearch:
    """The requests that a query asks for; InvalidRequest."""
    by_answer = one_of(query, "order", ("newest", "answer_by")) == "answer_by"
    status = one_of(query, "status", Status)
    if by_answer and status not in {None, Status.PENDING}:
        raise InvalidRequest(Fault("order", "answer_by is for pending requests alone"))
    return RequestSearch(
        status=str(Status.PENDING) if by_answer else status,
        key_arn=_key_arn(query, find_key_named),
        account=matching(query, "account", arns.ACCOUNT.fullmatch),
        grantee=matching(query, "grantee", arns.PRINCIPAL.fullmatch),
        requester=matching(query, "requester", arns.PRINCIPAL.fullmatch),
        since=time_of(query, "since", parse_time),
        answer_by_first=by_answer,
    )


def event_search(query: Query, find_key_named: FindKey) -> EventSearch:
    """The events that a query asks for; InvalidRequest."""
    return EventSearch(
        since=time_of(query, "since", parse_time),
        until=time_of(query, "until", parse_time),
        key_arn=_key_arn(query, find_key_named),
        account=matching(query, "account", arns.ACCOUNT.fullmatch),
        event_type=matching(query, "type", TYPE.fullmatch),
        by=matching(query, "by", BY.fullmatch),
        newest_first=one_of(query, "order", ("oldest", "newest")) == "newest",
    )


def _key_arn(query: Query, find_key_named: FindKey) -> str | None:
    named = query.get("key")
    if named is None or arns.KEY.fullmatch(named):
        return named
    key = find_key_named(named) if _KEY_NAME.fullmatch(named) else None
    if key is None:
        raise InvalidRequest(Fault("key", "give a key's ARN, or the name that a key is registered by"))
    return key.document.key_arn
