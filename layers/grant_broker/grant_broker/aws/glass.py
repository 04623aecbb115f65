"""Grants by break-glass as `requests` and `expiry` count them; what `reconcile` saw is one of its places."""

from collections.abc import Iterator

from grant_broker.aws.attributes import serialized
from grant_broker.aws.dynamodb import Query, Write
from grant_broker.aws.tables import Tables
from grant_broker.domain.break_glass import GlassDay, day_of
from grant_broker.domain.request import GrantRequest
from grant_broker.domain.uses import Use

_USED = "used#break-glass#"


class Glass:
    """The items `break-glass#…` of `requests` and `used#…` of `expiry`, one for each day."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def get_day(self, key_arn: str, day: str) -> GlassDay:
        """Get what `requests` has counted on a key on a day; consistent."""
        first = GlassDay(key_arn=key_arn, day=day)
        return self._tables.find(GlassDay, first.key) or first

    def list_used(self, key_arn: str, day: str) -> Iterator[str]:
        """List the grants by break-glass of a key's day that have ended: their ids, else their requests'."""
        query = Query(
            table=self._tables.approval_table,
            condition="pk = :day",
            values={":day": f"{_USED}{key_arn}#{day}"},
            consistent=True,
        )
        for item in self._tables.database.query(query):
            yield from item["grant_ids"] or [str(item["sk"])]

    def mark_used(self, request: GrantRequest, use: Use) -> list[Write]:
        """Make the write, beside the mark that a request was used, that counts its grant for its day.

        There is none where the record does not say that the glass was broken: the record may lie, but
        `reconcile` keeps its own notes of what it saw alive.
        """
        if request.broken_glass is None:
            return []
        day = day_of(request.broken_glass.at)
        item = {
            "pk": f"{_USED}{request.key_arn}#{day}",
            "sk": request.id,
            "grant_ids": list(use.grant_ids),
        }
        return [{"Put": {"TableName": self._tables.approval_table, "Item": serialized(item)}}]
