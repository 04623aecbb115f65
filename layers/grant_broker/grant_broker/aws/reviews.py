"""Reviews: what is owed, in the request table, and what was signed off, in the approval table."""

from collections.abc import Iterator

from grant_broker.aws.attributes import Item
from grant_broker.aws.dynamodb import Query
from grant_broker.aws.items import readable
from grant_broker.aws.pages import Listing, Page, read_page
from grant_broker.aws.tables import Tables
from grant_broker.domain.reviews import Owed, SignOff, review_subject

_INDEX = "by_kind"


class Reviews:
    """The items `review#<kind>#<id>` of both tables."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def find_sign_off(self, kind: str, name: str) -> SignOff | None:
        """Find who signed something off; a consistent read."""
        return self._tables.find(SignOff, (review_subject(kind, name), SignOff.SORT_KEY))

    def list_owed(self, *, limit: int, after: str | None) -> Page[Owed]:
        """List what is owed and was not signed off yet, newest first; from an index."""
        listing = Listing(self._tables.request_table, _INDEX, "kind", "review", "review#", "owed")
        page = read_page(self._tables.database, listing, limit=limit, after=after, keep=self._is_open)
        return Page(list(readable(Owed, page.records)), page.after)

    def list_all_owed(self) -> Iterator[Owed]:
        """List all that is owed and was not signed off yet; from an index."""
        query = Query(
            table=self._tables.request_table,
            index=_INDEX,
            condition="kind = :kind",
            values={":kind": "review"},
        )
        found = self._tables.database.query(query)
        return readable(Owed, (item for item in found if self._is_open(item)))

    def _is_open(self, item: Item) -> bool:
        # The item itself whoever is reviewed can write: that it is signed off the other table alone says.
        return (
            self._tables.database.get(self._tables.approval_table, str(item["pk"]), SignOff.SORT_KEY) is None
        )
