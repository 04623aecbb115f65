"""Where each kind of record is stored: who may write it depends on that."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator

from grant_broker import domain
from grant_broker.domain.records import Record
from grant_broker.domain.stored import Stored, Table

REQUESTS, APPROVALS = Table.REQUESTS, Table.APPROVALS
PLACES = {
    "Account": (APPROVALS, "account"),
    "Approval": (APPROVALS, "approval"),
    "ArchivePlace": (REQUESTS, "reconcile"),
    "Block": (APPROVALS, "block"),
    "Check": (REQUESTS, "check"),
    "EndsPlace": (REQUESTS, "reconcile"),
    "Event": (REQUESTS, None),
    "GlassDay": (REQUESTS, "day"),
    "GlassSeen": (REQUESTS, "reconcile"),
    "GrantRequest": (REQUESTS, "request"),
    "GrantsPlace": (REQUESTS, "reconcile"),
    "Key": (APPROVALS, "key"),
    "KeyPlace": (REQUESTS, "reconcile"),
    "MassRevocation": (APPROVALS, "revocation"),
    "Owed": (REQUESTS, "owed"),
    "Proposal": (APPROVALS, None),
    "RecordsPlace": (REQUESTS, "reconcile"),
    "RevocationQueue": (APPROVALS, "revocations"),
    "ReviewsPlace": (REQUESTS, "reconcile"),
    "SignOff": (APPROVALS, "sign-off"),
    "Tombstone": (REQUESTS, "request"),
    "Usage": (REQUESTS, None),
}
"""Table and sort key; None where several of a kind are in one partition, each under its own."""


def _kinds() -> Iterator[type[Stored]]:
    left = Stored.__subclasses__()
    while left:
        kind = left.pop()
        left += kind.__subclasses__()
        if not inspect.isabstract(kind):
            yield kind


def test_every_record_has_its_place() -> None:
    """Each kind of record is in the table, and under the sort key, that it was always stored in."""
    for module in pkgutil.iter_modules(domain.__path__, "grant_broker.domain."):
        importlib.import_module(module.name)
    kinds = [kind for kind in _kinds() if kind.__module__.startswith("grant_broker.")]
    found = {kind.__name__: (kind.TABLE, getattr(kind, "SORT_KEY", None)) for kind in kinds}
    assert found == PLACES
    own = {kind.__name__ for kind in kinds if kind.key is not Record.key}
    assert own == {name for name, (_, sort_key) in PLACES.items() if sort_key is None}
