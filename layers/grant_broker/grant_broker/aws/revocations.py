"""Mass revocations in the approval table, and the queue of those whose jobs are not done."""

from grant_broker.aws.items import readable
from grant_broker.aws.pages import Listing, Page, read_page
from grant_broker.aws.tables import Tables
from grant_broker.domain.errors import NotFound
from grant_broker.domain.mass_revocations import MassRevocation, RevocationQueue
from grant_broker.domain.texts import is_id


class Revocations:
    """The items `revocation#<id>`, and their queue."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def find(self, revocation_id: str) -> MassRevocation | None:
        """Find a mass revocation."""
        return self._tables.find(MassRevocation, (f"revocation#{revocation_id}", MassRevocation.SORT_KEY))

    def get(self, revocation_id: str) -> MassRevocation:
        """Get a mass revocation; NotFound."""
        revocation = self.find(revocation_id) if is_id(revocation_id) else None
        if revocation is None:
            raise NotFound("there is no such revocation")
        return revocation

    def get_queue(self) -> RevocationQueue:
        """Get the mass revocations whose jobs are not done; none at first."""
        empty = RevocationQueue()
        return self._tables.find(RevocationQueue, empty.key) or empty

    def list(self, *, limit: int, after: str | None) -> Page[MassRevocation]:
        """List mass revocations, newest first; from an index."""
        table = self._tables.approval_table
        listing = Listing(table, "by_kind", "kind", "revocation", "revocation#", "revocation")
        page = read_page(self._tables.database, listing, limit=limit, after=after, keep=lambda _item: True)
        return Page(list(readable(MassRevocation, page.records)), page.after)
