"""Who may decide, and how many persons that can be."""

import pytest

from grant_broker.domain.approvers import Approvers


@pytest.mark.parametrize(
    ("roles", "identity_center", "most", "mixed"),
    [
        ((), (), 0, False), (("A", "B"), (), 2, False), (("A", "B", "A"), ("C",), 2, False),
        (("A", "B"), ("B",), 10, True), (("A", "B"), ("A", "B", "C"), 10, False),
    ],
)  # fmt: skip
def test_persons(*, roles: tuple[str, ...], identity_center: tuple[str, ...], most: int, mixed: bool) -> None:
    """A role is one person; one of Identity Center's stands for as many as there are."""
    found = Approvers.of(roles, identity_center)
    assert (found.most_votes, found.mixed) == (most, mixed)


def test_within() -> None:
    """A key's list takes from the stack's; without one all of it decides."""
    team = Approvers.of(("A", "B"), ("B",))
    assert team.within(None) == team
    assert team.within(["A", "C"]) == Approvers.of(["A"], [])
    assert team.within(["B"]).identity_center == {"B"}
