"""Who may decide: roles of the security team by their unique ids, all of the stack's or those of one key."""

from collections.abc import Collection
from typing import NamedTuple

MOST_VOTES = 10


class Approvers(NamedTuple):
    """Roles whose sessions decide. Of those in `identity_center` each session name is a person of its own."""

    role_ids: frozenset[str]
    identity_center: frozenset[str]

    @classmethod
    def of(cls, role_ids: Collection[str], identity_center_role_ids: Collection[str]) -> "Approvers":
        """The roles of a list; `identity_center_role_ids` may name roles that are not on it."""
        listed = frozenset(role_ids)
        return cls(listed, listed & frozenset(identity_center_role_ids))

    def within(self, listed: Collection[str] | None) -> "Approvers":
        """Those of them that a key lists; all where it has no list (None)."""
        return self if listed is None else Approvers.of(self.role_ids & set(listed), self.identity_center)

    @property
    def most_votes(self) -> int:
        """How many persons there can be: a role is one, Identity Center's stand for as many as there are."""
        return MOST_VOTES if self.identity_center else len(self.role_ids)

    @property
    def mixed(self) -> bool:
        """Whether one human may come through both kinds of role, and so be two persons."""
        return bool(self.identity_center) and self.identity_center != self.role_ids
