"""The lists of the API: requests, keys, standing approvals."""

from collections.abc import Callable
from typing import Any

from grant_broker.aws.items import record_of
from grant_broker.aws.lists import Listing, Page, page
from grant_broker.broker import Broker
from grant_broker.domain.approvals import Approval
from grant_broker.domain.keys import Key
from grant_broker.domain.request import GrantRequest

Keep = Callable[[dict[str, Any]], bool]


def own_requests(
    broker: Broker, account: str, *, status: str | None, limit: int, after: str | None
) -> tuple[list[GrantRequest], str | None]:
    """An account's requests, newest first."""
    listing = Listing(broker.store.request_table, "by_account", "account", account, "request#", "request")
    found = page(
        broker.store.database, listing, limit=limit, after=after,
        keep=lambda item: item["sk"] == "request" and status in {None, item["status"]},
    )  # fmt: skip
    return _requests(found)


def all_requests(
    broker: Broker, *, status: str | None, key: str | None, account: str | None, limit: int, after: str | None
) -> tuple[list[GrantRequest], str | None]:
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


def keys(
    broker: Broker, *, account: str | None = None, limit: int, after: str | None
) -> tuple[list[Key], str | None]:
    """The open keys; with an account, those open to it."""
    table = broker.store.approval_table
    found = page(
        broker.store.database, Listing(table, "by_kind", "kind", "key", "key#", "key"), limit=limit,
        after=after,
        keep=lambda item: (
            "withdrawn_at" not in item and (account is None or account in item["document"]["accounts"])
        ),
    )  # fmt: skip
    return [record_of(Key, item) for item in found.items], found.after


def standing_approvals(broker: Broker, *, limit: int, after: str | None) -> tuple[list[Approval], str | None]:
    """Standing approvals, newest first."""
    table = broker.store.approval_table
    listing = Listing(table, "by_kind", "kind", "standing", "approval#", "approval")
    found = page(broker.store.database, listing, limit=limit, after=after, keep=lambda _item: True)
    return [record_of(Approval, item) for item in found.items], found.after


def _requests(found: Page) -> tuple[list[GrantRequest], str | None]:
    return [record_of(GrantRequest, item) for item in found.items], found.after
