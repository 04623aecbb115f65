"""Counters that live for a minute or a second: rate limits that functions share, and quotas."""

from grant_broker.aws.tables import Tables

_KEPT = 3600
"""Seconds that a counter is kept. DynamoDB's TTL may take two days more, which costs bytes alone."""


class Counters:
    """The items of the request table that are counted up, outside any transaction."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def claim(self, kind: str, second: int, count: int) -> int:
        """Claim some of an epoch second's rate; how much is claimed by then, by everybody together."""
        item = self._tables.database.update(
            self._tables.request_table,
            f"rate#{kind}#{second}",
            "limit",
            expression="ADD turns :count SET expires = :expires",
            values={":count": count, ":expires": second + _KEPT},
        )
        return int(item["turns"])

    def count_call(self, account: str, *, minute: int, most: int) -> None:
        """Count one call of an account in a minute since 1970; Stale where there were `most` already."""
        self._tables.database.update(
            self._tables.request_table,
            f"limit#{account}#{minute}",
            "limit",
            expression="ADD calls :one SET expires = :expires",
            condition="attribute_not_exists(calls) OR calls < :most",
            values={":one": 1, ":most": most, ":expires": minute * 60 + _KEPT},
        )
