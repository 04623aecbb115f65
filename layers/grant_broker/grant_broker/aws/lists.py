"""Lists over an index, eventually consistent: pages for the API, and what use cases look up."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import TypeVar

from grant_broker.aws.attributes import Item
from grant_broker.aws.dynamodb import Query, Rows
from grant_broker.aws.items import S, readable, record_of
from grant_broker.aws.pages import EventListing, Listing, Page, read_page
from grant_broker.aws.tables import Tables
from grant_broker.domain.accounts import Account
from grant_broker.domain.allowance import OpenRequest
from grant_broker.domain.approvals import Approval
from grant_broker.domain.continuity import Holding
from grant_broker.domain.key_document import lets_ask
from grant_broker.domain.keys import Key
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.people import Caller
from grant_broker.domain.request import GrantRequest, holder_of
from grant_broker.domain.scope import Scope
from grant_broker.domain.searches import EventSearch, RequestSearch
from grant_broker.domain.times import parse_time
from grant_broker.domain.trail import Event

_LOG = logging.getLogger(__name__)
_PAGE = 500  # items of an index that one Query evaluates

V = TypeVar("V", Key, Approval, Account)
_KINDS: dict[type, str] = {Key: "key", Approval: "standing", Account: "account"}


class Lists:
    """The lists of both tables. Pages are newest first unless said otherwise; `after` is where one begins."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def list_requests(self, search: RequestSearch, *, limit: int, after: str | None) -> Page[GrantRequest]:
        """List the requests that are looked for, in its order."""

        def is_wanted(item: Item) -> bool:
            return item["sk"] == "request" and search.accepts(
                account=item.get("account", ""),
                status=item.get("status", ""),
                key_arn=item.get("key_arn", ""),
                grantee=item.get("grantee", ""),
                requester=item.get("requester_arn", ""),
            )

        # An account's own partition first: however many requests another one makes, they are not read here.
        parts = (("account", search.only_account), ("status", search.status), ("kind", "request"))
        name, value = next((name, value) for name, value in parts if value)
        listing = Listing(
            self._tables.request_table,
            f"by_{name}",
            name,
            value,
            "request#",
            "request",
            since=search.since,
            oldest_first=search.answer_by_first,
        )
        return self._page(GrantRequest, listing, is_wanted, limit=limit, after=after)

    def list_events(
        self, search: EventSearch, *, is_about: Callable[[Item], bool], limit: int, after: str | None
    ) -> Page[Event]:
        """List the events that are looked for; `is_about` is asked last, since it may have to read."""

        def is_found(item: Item) -> bool:
            is_wanted = search.accepts(event_type=item.get("type", ""), by=item.get("by", ""))
            return is_wanted and is_about(item)

        listing = EventListing(
            self._tables.request_table,
            "by_kind",
            "kind",
            "event",
            since=search.since,
            until=search.until,
            oldest_first=not search.newest_first,
        )
        return self._page(Event, listing, is_found, limit=limit, after=after)

    def list_keys(self, *, caller: Caller | None = None, limit: int, after: str | None) -> Page[Key]:
        """List the open keys, those open to a caller where one is given."""

        def is_offered(item: Item) -> bool:
            limits = item["document"]
            is_open_for = caller is None or (
                caller.account in limits["accounts"] and lets_ask(limits.get("requesters"), caller.arn)
            )
            return is_open_for and "withdrawn_at" not in item

        listing = Listing(self._tables.approval_table, "by_kind", "kind", "key", "key#", "key")
        return self._page(Key, listing, is_offered, limit=limit, after=after)

    def list_accounts(self, *, limit: int, after: str | None) -> Page[Account]:
        """List the accounts that are named."""
        table = self._tables.approval_table
        listing = Listing(table, "by_kind", "kind", "account", "account#", "account")
        return self._page(Account, listing, lambda item: "withdrawn_at" not in item, limit=limit, after=after)

    def list_approvals(self, *, limit: int, after: str | None) -> Page[Approval]:
        """List standing approvals."""
        table = self._tables.approval_table
        listing = Listing(table, "by_kind", "kind", "standing", "approval#", "approval")
        return self._page(Approval, listing, lambda _item: True, limit=limit, after=after)

    def list_reviewable(self, model: type[V]) -> Iterator[V]:
        """List all keys, standing approvals or accounts, also those that hold no more."""
        query = Query(
            table=self._tables.approval_table,
            index="by_kind",
            condition="kind = :kind",
            values={":kind": _KINDS[model]},
        )
        return readable(model, self._tables.database.query(query))

    def list_approvals_for(self, *, key_arn: str, account: str) -> Iterator[Approval]:
        """List the standing approvals for an account on a key, newest first."""
        items = self._tables.database.query(
            Query(
                table=self._tables.approval_table,
                index="covering",
                condition="covering = :covering",
                values={":covering": f"{key_arn}#{account}"},
                descending=True,
            )
        )
        return (record_of(Approval, item) for item in items)

    def read_status(self, status: Status, *, start: Item | None) -> Rows:
        """Read a page of the requests in one status, oldest first: what they are about, from an index."""
        query = Query(
            table=self._tables.request_table,
            index="by_status",
            condition="#status = :status",
            values={":status": str(status)},
            projection="pk, key_arn, account, grantee, approval",
            names={"#status": "status"},
            limit=_PAGE,
            start=start,
        )
        return self._tables.database.rows(query)

    def count_ending(self) -> Counter[str]:
        """Count, for each mass revocation, the requests that it took back and that are yet to end."""
        items = self._tables.database.query(
            Query(
                table=self._tables.request_table,
                index="by_status",
                condition="#status = :status",
                values={":status": str(Status.ENDING)},
                filter="attribute_exists(revocation)",
                projection="revocation",
                names={"#status": "status"},
            )
        )
        return Counter(str(item["revocation"]) for item in items)

    def list_open(self, account: str, *, limit: int) -> list[OpenRequest]:
        """List at most `limit` of an account's requests that are not final."""
        items = self._tables.database.query(
            Query(
                table=self._tables.request_table,
                index="open",
                condition="open_account = :account",
                values={":account": account},
                limit=limit,
            )
        )
        return [
            OpenRequest(str(item.get("grantee")), str(item.get("status")), item.get("due"))
            for item in islice(items, limit)
        ]

    def list_holdings(self, *, key_arn: str, grantee: str, since: datetime, most: int) -> list[Holding]:
        """List the grants that a grantee has or had on a key, by plan until after `since`.

        Not more than `most`, those that last longest first.
        """
        items = self._tables.database.query(
            Query(
                table=self._tables.request_table,
                index="held",
                condition="holder = :holder AND held_until > :since",
                values={":holder": holder_of(key_arn, grantee), ":since": int(since.timestamp())},
                descending=True,
            )
        )
        return list(_holdings(islice(items, most)))

    def _page(
        self, model: type[S], listing: Listing, keep: Callable[[Item], bool], *, limit: int, after: str | None
    ) -> Page[S]:
        page = read_page(self._tables.database, listing, limit=limit, after=after, keep=keep)
        return Page(list(readable(model, page.records)), page.after)


def _holdings(items: Iterable[Item]) -> Iterator[Holding]:
    """The holdings in items; one that cannot be read is logged: it must not stop a whole account."""
    for item in items:
        try:
            yield _holding(item)
        except (KeyError, TypeError, ValueError):
            _LOG.exception("a holding cannot be read", extra={"item": item["pk"]})


def _holding(item: Item) -> Holding:
    return Holding(
        request_id=item["pk"].partition("#")[2],
        status=Status(item["status"]),
        scope=Scope.model_validate(item["scope"]),
        issued_at=parse_time(item["issued_at"]),
        expires_at=parse_time(item["expires_at"]),
        ended_at=parse_time(item["ended_at"]) if "ended_at" in item else None,
    )
