"""Votes for documents of keys, beside the keys in the approval table."""

from grant_broker.aws.dynamodb import Query
from grant_broker.aws.items import record_of
from grant_broker.aws.tables import Tables
from grant_broker.domain.keys import Key
from grant_broker.domain.proposals import Proposal


class Proposals:
    """The items `proposal#<digest>` in the partition of each key."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def find(self, like: Proposal) -> Proposal | None:
        """Find the votes so far for exactly this document."""
        return self._tables.find(Proposal, like.key)

    def list(self, key: Key) -> "list[Proposal]":
        """List the documents that some have voted for, those included that have come to nothing."""
        items = self._tables.database.query(
            Query(
                table=self._tables.approval_table,
                condition="pk = :key AND begins_with(sk, :proposals)",
                values={":key": key.subject, ":proposals": "proposal#"},
                consistent=True,
            )
        )
        return [record_of(Proposal, item) for item in items]
