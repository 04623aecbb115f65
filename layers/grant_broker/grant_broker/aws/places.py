"""Where reconcile's passes stand: items of the request table that reconcile alone may write."""

from typing import TypeVar

from grant_broker.aws.tables import Tables
from grant_broker.domain.place import Place

P = TypeVar("P", bound=Place)


class Places:
    """The items `reconcile#…`, read consistently."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def get(self, first: P) -> P:
        """Get where a pass stands; `first` where there was none yet."""
        return self._tables.find(type(first), first.key) or first
