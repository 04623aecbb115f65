"""The fault machine with intruders: strangers, and functions that were taken over."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.simulation.intruders import EXTREMES, STATUSES
from tests.simulation.machine import KEYS, PICK, Faults
from tests.simulation.world import FUNCTIONS

_TAKEN_OVER = st.sampled_from(FUNCTIONS)
_NAMES = st.sampled_from(["none", "any", "ours", "ours", "borrowed"])


class Intrusions(Faults):
    """Nothing that they do keeps a grant alive, ends one of somebody else's, or holds up those of others."""

    @rule(kinds=st.lists(_NAMES, min_size=1, max_size=4), pick=PICK)
    def stranger(self, kinds: Any, pick: int) -> None:
        """Somebody names the broker's role on a key of their own."""
        for place, kind in enumerate(kinds):
            self.world.intruders.grant_elsewhere(self.world.intruders.name(kind, pick + place))

    @rule(key=KEYS, kind=_NAMES, pick=PICK)
    def uncovered(self, key: str, kind: str, pick: int) -> None:
        """`requests` grants what nobody approved."""
        self.world.intruders.grant_here(key, self.world.intruders.name(kind, pick), pick)

    @rule(function=_TAKEN_OVER, pick=PICK, how=st.sampled_from(sorted(EXTREMES)), copy=st.booleans())
    def spoil(self, function: str, pick: int, how: str, *, copy: bool) -> None:
        """A record is spoilt, or a spoilt one is put beside it."""
        if request := self.acts.pick(pick):
            self.world.intruders.spoil(function, request, how, copy=copy)

    @rule(function=_TAKEN_OVER, pick=PICK, status=st.sampled_from(STATUSES), far=st.booleans())
    def claim(self, function: str, pick: int, status: str, *, far: bool) -> None:
        """A record says that it has come further, or less far, than it has."""
        if request := self.acts.pick(pick):
            self.world.intruders.claim(function, request, status, far=far)

    @rule(function=_TAKEN_OVER, pick=PICK)
    def put_off(self, function: str, pick: int) -> None:
        """The end of a grant is moved to a day that never comes."""
        if request := self.acts.pick(pick, "active"):
            self.world.intruders.put_off(function, request)

    @rule(mended=st.booleans())
    def remake(self, mended: bool) -> None:  # noqa: FBT001
        """The role of `expiry` is recreated."""
        self.world.recreate_expiry()
        self.world.note("expiry's role recreated", 1)
        if mended:
            self.world.keys.mend()

    @rule(function=_TAKEN_OVER, key=KEYS)
    def reach_further(self, function: str, key: str) -> None:
        """A role writes what it may, and tries what it may not."""
        self.world.intruders.lower_quorum(function, key)
        for what in self.world.intruders.overreach(function):
            self.world.ledger.wrong(2, f"{function} wrote {what}")
