"""The agenda: what must happen next to requests and checks, and when."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from grant_broker.aws.dynamodb import Query
from grant_broker.aws.items import AGENDA, record_of
from grant_broker.aws.tables import Tables
from grant_broker.domain.checks import Check, Function


@dataclass(frozen=True)
class AgendaEntry:
    """An entry, read without its record, so that a record that cannot be read hides no other.

    `id` is the request's, None where the item is no request at all. `due` is in epoch seconds.
    """

    id: str | None
    action: str
    due: int
    key: tuple[str, str]


class Agenda:
    """A sparse index of the request table. Its reads are eventually consistent."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def list_due(self, until: int, *, limit: int | None = None) -> Iterator[AgendaEntry]:
        """List what is due up to an epoch second, earliest first; `limit` is how many are read at a time."""
        items = self._tables.database.query(
            Query(
                table=self._tables.request_table,
                index="agenda",
                condition="agenda = :agenda AND due <= :until",
                values={":agenda": AGENDA, ":until": until},
                projection="pk, sk, due, #action",
                names={"#action": "action"},
                limit=limit,
            )
        )
        return (_entry(item) for item in items)

    def list_checks_due(self, function: Function, until: int) -> Iterator[Check]:
        """List the checks that one function has to make by an epoch second."""
        items = self._tables.database.query(
            Query(
                table=self._tables.request_table,
                index="agenda",
                condition="agenda = :agenda AND due <= :until",
                values={":agenda": f"check#{function}", ":until": until},
            )
        )
        return (record_of(Check, item) for item in items)

    def postpone(self, entry: AgendaEntry, until: int) -> None:
        """Move an entry whose record cannot be used to a later second; Stale where it left the agenda."""
        pk, sk = entry.key
        self._tables.database.update(
            self._tables.request_table,
            pk,
            sk,
            expression="SET due = :until",
            condition="attribute_exists(agenda)",
            values={":until": until},
        )


def _entry(item: dict[str, Any]) -> AgendaEntry:
    pk, sk = str(item["pk"]), str(item["sk"])
    request = pk.removeprefix("request#") if pk.startswith("request#") and sk == "request" else None
    return AgendaEntry(request, str(item.get("action")), int(item["due"]), (pk, sk))
