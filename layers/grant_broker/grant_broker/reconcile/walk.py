"""A pass over one listing of KMS, page after page, from where an earlier run left it."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeAlias, TypeVar

from grant_broker.domain.errors import BrokerError, DatabaseRefused, KmsRefused
from grant_broker.domain.listed_grant import ListedGrant
from grant_broker.domain.records import Change, Stamp
from grant_broker.reconcile.judging import Judging, Sorted
from grant_broker.reconcile.plan import BY

_LOG = logging.getLogger(__name__)
C = TypeVar("C")
Page: TypeAlias = tuple[list[ListedGrant], str | None]
"""Grants, and the marker of the next page; None at the end."""


class PlaceOf(Protocol[C]):
    """Where such a pass stands, and what it has counted."""

    @property
    def marker(self) -> str | None:
        """Where it goes on."""

    @property
    def count(self) -> C:
        """What it has counted so far."""

    def moved(self, marker: str | None, count: C) -> Change:
        """Interrupted here."""

    def finished(self, count: C, stamp: Stamp) -> Change:
        """At the end."""


@dataclass
class Walk(Generic[C]):
    """`read` reads the page at a marker, `add` counts what is on one, `nothing` is the count of none."""

    judging: Judging
    place: PlaceOf[C]
    read: Callable[[str | None], Page]
    add: Callable[[C, Sorted], C]
    nothing: C

    def __post_init__(self) -> None:
        self._marker = self.place.marker
        self.count = self.place.count
        """What was counted so far, by earlier runs too where this one goes on."""
        self._has_read = False
        self.saw_all = False
        """Whether every page was read by this run."""

    def go(self, has_time: Callable[[], bool]) -> bool:
        """Read and judge while there is time; whether the listing came to its end. Keeps the place."""
        try:
            while self._goes_on and has_time():
                self._read_next()
        except (BrokerError, DatabaseRefused):
            self._keep_place()
            raise
        self._keep_place()
        return not self._goes_on

    @property
    def _goes_on(self) -> bool:
        return not self._has_read or self._marker is not None

    def _read_next(self) -> None:
        (grants, after), from_the_start = self._resume()
        if from_the_start:
            self.saw_all, self.count = True, self.nothing
        found = self.judging.sort(grants)
        self.judging.judge(found)
        # Only what was judged is behind.
        self.count, self._marker, self._has_read = self.add(self.count, found), after, True

    def _resume(self) -> tuple[Page, bool]:
        """Read the next page, or the first one where KMS does not take an earlier run's marker any more.

        AWS says of no marker how long it holds.
        """
        if self._marker is not None:
            try:
                return self.read(self._marker), False
            except KmsRefused as error:
                if error.code != "InvalidMarkerException":
                    raise
                _LOG.warning("KMS does not take the marker of an earlier run any more")
        return self.read(None), True

    def _keep_place(self) -> None:
        if not self._has_read:
            return
        if self._marker is None:
            self.judging.recorder.record(self.place.finished(self.count, self.judging.broker.stamp(BY)))
        else:
            self.saw_all = False
            self.judging.recorder.record(self.place.moved(self._marker, self.count))
