"""Counters that live for an hour or a second: rate limits that functions share, and quotas."""

from typing import NamedTuple

from grant_broker.aws.tables import Tables

_KEPT = 3600
"""Seconds that a counter is kept after its last count. DynamoDB's TTL may take two days more: bytes alone."""


class CallLimits(NamedTuple):
    """What one account may send in a minute, and have stored in an hour, in bytes."""

    calls_per_minute: int
    stored_per_hour: int


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

    def count_call(self, account: str, limits: CallLimits, *, now: int, stored: int) -> None:
        """Count one call of an account at an epoch second, and the bytes that it will have stored.

        Stale where the minute has its calls already, or the hour no room for the bytes. One item an hour with
        an attribute for each minute, so that both take one write.
        """
        minute = _minute(now)
        self._tables.database.update(
            self._tables.request_table,
            _hour(account, now),
            "limit",
            expression=f"ADD {minute} :one, #stored :stored SET expires = :expires",
            condition=(
                f"(attribute_not_exists({minute}) OR {minute} < :most)"
                " AND (attribute_not_exists(#stored) OR #stored <= :room)"
            ),
            values={
                ":one": 1,
                ":stored": stored,
                ":most": limits.calls_per_minute,
                ":room": limits.stored_per_hour - stored,
                ":expires": now + _KEPT,
            },
            names={"#stored": "stored"},
        )

    def find_calls(self, account: str, *, now: int) -> int:
        """Find how many calls of an account were counted in the minute of an epoch second."""
        counted = self._tables.database.get(self._tables.request_table, _hour(account, now), "limit")
        return int(counted.get(_minute(now), 0)) if counted else 0


def _hour(account: str, now: int) -> str:
    return f"limit#{account}#{now // 3600}"


def _minute(now: int) -> str:
    return f"minute_{now // 60 % 60}"
