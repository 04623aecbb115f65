"""What was seen of grants' use: `events` writes it, in partitions of its own, and the others show it."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from grant_broker.aws.dynamodb import Query
from grant_broker.aws.items import readable
from grant_broker.aws.tables import Tables
from grant_broker.domain.lifecycle import Status
from grant_broker.domain.request import GrantRequest
from grant_broker.domain.times import format_time_or_none
from grant_broker.domain.usage import Usage

if TYPE_CHECKING:
    from grant_broker.aws.attributes import Item

_LIVE = frozenset({Status.ISSUING, Status.ACTIVE, Status.ENDING})
_LATEST = 200
"""How many of an account's newest requests are looked at besides those that live: events come late."""


class Usages:
    """The items `usage#<request id>`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def find_all(self, request_ids: Collection[str]) -> dict[str, Usage]:
        """Find what was seen of the use of these requests' grants, by id; also that nothing was."""
        keys = [Usage(request_id=name).key for name in request_ids]
        items = self._tables.database.get_many(self._tables.request_table, keys)
        seen = {usage.request_id: usage for usage in readable(Usage, items)}
        return {name: seen.get(name, Usage(request_id=name)) for name in request_ids}

    def list_all(self) -> Iterator[Usage]:
        """List all that was ever seen, oldest first, and no more of it than that; eventually consistent."""
        asked = replace(
            self._asked("by_kind", "kind", "usage"),
            projection="pk, sk, request_id, first_seen_at, last_seen_at, #count, certain",
            names={"#count": "count"},
        )
        return readable(Usage, self._tables.database.query(asked))

    def put(self, usage: Usage, *, before: Usage) -> None:
        """Write what is known by now in the place of what was. Stale where another process was first."""
        pk, sk = usage.key
        item = {**usage.model_dump(mode="json", exclude_none=True), **usage.indexed}
        self._tables.database.update(
            self._tables.request_table,
            pk,
            sk,
            expression="SET " + ", ".join(f"#{name} = :{name}" for name in item),
            names={f"#{name}": name for name in item},
            values={
                **{f":{name}": value for name, value in item.items()},
                **({":before": format_time_or_none(before.written_at)} if before.written_at else {}),
            },
            condition="#written_at = :before" if before.written_at else "attribute_not_exists(pk)",
        )

    def list_candidates(self, account: str) -> list[GrantRequest]:
        """List whose grant an account's call may have used: all that live, and the newest that are over."""
        newest = [
            item
            for item in self._page("by_account", "account", account, limit=_LATEST)
            if item["sk"] == "request" and "intent_at" in item
        ]
        here = {item["pk"] for item in newest}
        live = self._query("open", "open_account", account)
        keys = [
            (item["pk"], "request") for item in live if item["status"] in _LIVE and item["pk"] not in here
        ]
        others = self._tables.database.get_many(self._tables.request_table, keys)
        return list(readable(GrantRequest, [*newest, *others]))

    def _query(self, index: str, name: str, value: str) -> "Iterator[Item]":
        return self._tables.database.query(self._asked(index, name, value))

    def _page(self, index: str, name: str, value: str, *, limit: int) -> "list[Item]":
        return self._tables.database.rows(self._asked(index, name, value, limit=limit)).items

    def _asked(self, index: str, name: str, value: str, *, limit: int | None = None) -> Query:
        return Query(
            table=self._tables.request_table,
            index=index,
            condition=f"{name} = :value",
            values={":value": value},
            descending=limit is not None,
            limit=limit,
        )
