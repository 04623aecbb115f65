"""Who ends grants at present: an item for each Region that `expiry` alone may write."""

from collections.abc import Iterable
from typing import NamedTuple

from grant_broker.aws.attributes import Item
from grant_broker.aws.tables import Tables

_SINCE, _UNTIL = "since_", "until_"


class Lease(NamedTuple):
    """That a run counts as one of those that end grants, from and up to an epoch second, both included."""

    holder: str
    since: int
    until: int


class Leases:
    """Those of one `place`: empty, or what follows the items' names there.

    Two attributes a holder, whatever else the item may hold: what is no lease is passed over."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def renew(self, place: str, lease: Lease, *, gone: Iterable[str] = ()) -> list[Lease]:
        """Write a holder's lease, take away those of others that are gone, and give all there are then."""
        names = {"#since": f"{_SINCE}{lease.holder}", "#until": f"{_UNTIL}{lease.holder}"}
        others = [f"{prefix}{holder}" for holder in gone for prefix in (_SINCE, _UNTIL)]
        removed = {f"#gone{number}": name for number, name in enumerate(others)}
        item = self._tables.database.update(
            self._tables.request_table,
            *_key(place),
            expression="SET #since = :since, #until = :until"
            + (f" REMOVE {', '.join(removed)}" if removed else ""),
            values={":since": lease.since, ":until": lease.until},
            names=names | removed,
        )
        return _leases(item)

    def read(self, place: str) -> list[Lease]:
        """Read all leases, consistently."""
        return _leases(self._tables.database.get(self._tables.request_table, *_key(place)) or {})


def _key(place: str) -> tuple[str, str]:
    return f"rate#lease{place}", "lease"


def _leases(item: Item) -> list[Lease]:
    holders = [name.removeprefix(_UNTIL) for name in item if name.startswith(_UNTIL)]
    found = [(holder, item.get(f"{_SINCE}{holder}"), item[f"{_UNTIL}{holder}"]) for holder in holders]
    return [
        Lease(holder, since, until)
        for holder, since, until in found
        if isinstance(since, int) and isinstance(until, int)
    ]
