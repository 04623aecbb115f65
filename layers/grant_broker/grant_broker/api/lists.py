"""The lists of the API: a page of records, and the cursor for the next one."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol, TypeVar

from grant_broker.api import cursors
from grant_broker.api.query import limit_of
from grant_broker.api.responses import Answer
from grant_broker.api.routing import Call
from grant_broker.aws.items import record_of
from grant_broker.aws.lists import Listing, Page, page
from grant_broker.broker import Broker
from grant_broker.domain.approvals import Approval
from grant_broker.domain.keys import Key
from grant_broker.domain.request import GrantRequest
from grant_broker.domain.trail import Event
from grant_broker.events import trail

T = TypeVar("T")
Found = tuple[list[T], str | None]
"""The records of a page, and the place after which the next page begins; None at the end."""


class Find(Protocol[T]):
    """Reads one page of at most `limit` records, after a place or from the start."""

    def __call__(self, *, limit: int, after: str | None) -> Found[T]:
        """The page."""


def answer_page(call: Call, find: Find[T], show: Callable[[T], object]) -> Answer:
    """The page that a call asks for, with the cursor of the next one; InvalidRequest (limit, cursor)."""
    bound = cursors.binding(call.caller, call.route, call.query)
    place = cursors.read(call.query.get("cursor"), bound)
    records, after = find(limit=limit_of(call.query), after=place)
    return Answer(200, {"items": [show(each) for each in records], "cursor": cursors.write(bound, after)})


def own_requests(
    broker: Broker, account: str, *, status: str | None, limit: int, after: str | None
) -> Found[GrantRequest]:
    """An account's requests, newest first."""
    listing = Listing(broker.store.request_table, "by_account", "account", account, "request#", "request")
    found = page(
        broker.store.database, listing, limit=limit, after=after,
        keep=lambda item: item["sk"] == "request" and status in {None, item["status"]},
    )  # fmt: skip
    return _requests(found)


def all_requests(
    broker: Broker, *, status: str | None, key: str | None, account: str | None, limit: int, after: str | None
) -> Found[GrantRequest]:
    """Every account's requests, newest first."""
    # An account's own partition first: however many requests another account makes, they are not read here.
    parts = (("account", account), ("status", status), ("kind", "request"))
    name, value = next((name, value) for name, value in parts if value)
    listing = Listing(broker.store.request_table, f"by_{name}", name, value, "request#", "request")
    found = page(
        broker.store.database, listing, limit=limit, after=after,
        keep=lambda item: (
            item["sk"] == "request" and key in {None, item["key_arn"]} and status in {None, item["status"]}
        ),
    )  # fmt: skip
    return _requests(found)


def keys(broker: Broker, *, account: str | None = None, limit: int, after: str | None) -> Found[Key]:
    """The open keys; with an account, those open to it."""

    def is_offered(item: dict[str, Any]) -> bool:
        return "withdrawn_at" not in item and (account is None or account in item["document"]["accounts"])

    listing = Listing(broker.store.approval_table, "by_kind", "kind", "key", "key#", "key")
    found = page(broker.store.database, listing, limit=limit, after=after, keep=is_offered)
    return [record_of(Key, item) for item in found.items], found.after


def standing_approvals(broker: Broker, *, limit: int, after: str | None) -> Found[Approval]:
    """Standing approvals, newest first."""
    table = broker.store.approval_table
    listing = Listing(table, "by_kind", "kind", "standing", "approval#", "approval")
    found = page(broker.store.database, listing, limit=limit, after=after, keep=lambda _item: True)
    return [record_of(Approval, item) for item in found.items], found.after


def _requests(found: Page) -> Found[GrantRequest]:
    return [record_of(GrantRequest, item) for item in found.items], found.after


def events(broker: Broker, *, since: datetime | None, limit: int, after: str | None) -> Found[Event]:
    """The audit trail, oldest first."""
    found = trail.events_since(broker, since=since, limit=limit, after=after)
    return found.events, found.after
